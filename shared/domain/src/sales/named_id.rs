//! Ids of what a rule set names: a prefix and the name, so that the id follows from the rules.

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NamedIdError;

/// Declares types of such ids: `Name = "prefix_";`.
macro_rules! named_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The id of a name of the rule set.
            pub fn of(name: &str) -> Self {
                Self(format!("{}{name}", $prefix))
            }

            /// The name in the rule set.
            pub fn name(&self) -> &str {
                self.0.strip_prefix($prefix).unwrap_or(&self.0)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::sales::named_id::NamedIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.strip_prefix($prefix) {
                    Some(name) if $crate::rules::is_rule_name(name) => Ok(Self(text.to_owned())),
                    _ => Err($crate::sales::named_id::NamedIdError),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::sales::named_id::NamedIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::entity::EntityId for $name {
            const PREFIX: &'static str = $prefix;

            fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}
pub(crate) use named_id;
