//! Names that only the installation knows, filled into a rule file before it is parsed.

/// Replaces every `${NAME}` of a text by what `lookup` gives. `NAME` is upper-case letters, digits and `_`,
/// beginning with a letter; `$${` stands for `${` itself. It is plain text replacement, also inside comments:
/// a value must not break the file it is put into, so the seed files have their names inside quotes.
///
/// # Errors
/// Every name that is not known (and every `${` that does not close as a name, as it stands there), each once, in order.
pub fn substitute(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, Vec<String>> {
    let mut filled = String::with_capacity(text.len());
    let mut missing: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(literal) = before.strip_suffix('$') {
            filled.push_str(literal);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let closed = after.split_once('}').filter(|(name, _)| is_name(name));
        let value = closed.and_then(|(name, _)| lookup(name));
        if value.is_none() {
            let shown = closed.map_or_else(
                || format!("${{{}", after.chars().take(20).collect::<String>()),
                |(name, _)| name.to_owned(),
            );
            if !missing.contains(&shown) {
                missing.push(shown);
            }
        }
        filled.push_str(&value.unwrap_or_default());
        rest = closed.map_or(after, |(_, tail)| tail);
    }
    filled.push_str(rest);
    if missing.is_empty() { Ok(filled) } else { Err(missing) }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "URL" => Some("https://x.test".to_owned()),
            "NESTED" => Some("${URL}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn every_missing_name_is_told_once() {
        assert_eq!(substitute("${A} ${URL} ${B_2} ${A}", lookup), Err(vec!["A".to_owned(), "B_2".to_owned()]));
        assert_eq!(substitute("x ${url} y", lookup), Err(vec!["${url} y".to_owned()]));
        assert_eq!(substitute("${", lookup), Err(vec!["${".to_owned()]));
    }

    #[test]
    fn names_are_filled_in_once_and_the_escape_stays() {
        assert_eq!(substitute("a: \"${URL}/p\" # $5 {x}", lookup).unwrap(), "a: \"https://x.test/p\" # $5 {x}");
        assert_eq!(substitute("${NESTED}", lookup).unwrap(), "${URL}");
        assert_eq!(substitute("$${URL} é", lookup).unwrap(), "${URL} é");
    }
}
