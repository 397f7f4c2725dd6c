//! URL templates of the configuration: `https://pay.example/{payment_id}?secret={client_secret}`.

use url::Url;
use url::form_urlencoded::byte_serialize;

/// Fills `{name}` with the percent-encoded value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &encode(value)))
}

/// Percent-encodes a value for a path or a query; a blank is `%20`, which both sides of a `?` understand.
pub(crate) fn encode(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Whether a template makes a URL once filled and knows no other name.
pub(crate) fn is_url_with(template: &str, names: &[&str]) -> bool {
    let values: Vec<_> = names.iter().map(|name| (*name, "x")).collect();
    let filled = fill(template, &values);
    !filled.contains(['{', '}'])
        && Url::parse(&filled).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_encoded() {
        let filled = fill("https://pay.example/{id}?s={secret}", &[("id", "a b/c"), ("secret", "x&y+{id}")]);
        assert_eq!(filled, "https://pay.example/a%20b%2Fc?s=x%26y%2B%7Bid%7D");
    }

    #[test]
    fn a_template_is_a_web_address_without_unknown_names() {
        assert!(is_url_with("https://pay.example/{id}", &["id"]));
        for bad in ["https://pay.example/{other}", "/pay/{id}", "ftp://pay.example/{id}", "", "https://{id"] {
            assert!(!is_url_with(bad, &["id"]), "{bad}");
        }
    }
}
