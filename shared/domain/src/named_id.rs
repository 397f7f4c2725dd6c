//! Ids of what rules name, and of rule sets: a prefix and the name, so that the id follows from the rules.

/// Declares types of such ids: `Name = "prefix_";`.
macro_rules! named_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        impl $name {
            /// The id of a name of the rule set.
            pub fn of(name: &str) -> Self {
                Self(format!("{}{name}", $prefix))
            }

            /// The name in the rule set.
            pub fn name(&self) -> &str {
                self.0.strip_prefix($prefix).unwrap_or(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.strip_prefix($prefix) {
                    Some(name) if $crate::rules::is_rule_name(name) => Ok(Self(text.to_owned())),
                    _ => Err($crate::id::IdError),
                }
            }
        }

        $crate::id::id_text!($(#[$doc])* $name = $prefix);
    )*};
}
pub(crate) use named_id;
