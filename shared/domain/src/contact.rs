//! How people are reached: e-mail addresses, telephone numbers and languages in one form, so that equal ones are equal.

pub mod name;
mod phone;

use sha2::{Digest as _, Sha256};

pub use phone::{NoPhone, Phone, PhoneNumber, ReadPhone, decimal_digit, is_e164, modern_mobile, same_mobile};

use crate::Country;
use crate::visible::visible;

/// Longest e-mail address, in bytes (RFC 5321).
const EMAIL_BYTES_MAX: usize = 254;
/// Longest part before the `@`.
const LOCAL_BYTES_MAX: usize = 64;
/// Longest part of a domain between dots.
const LABEL_BYTES_MAX: usize = 63;

/// The languages of ISO 639-1, and those of ISO 639-3 that browsers and telephones send.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee \
el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl \
km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi \
pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve \
vi vo wa wo xh yi yo za zh zu \
ceb ckb cmn fil haw hmn kab prs swa yue zgh";

/// An e-mail address in its one form: the domain in ASCII and lower case (IDNA), the part before the `@` as given. One `@`,
/// something on both sides, a dot in the domain; delivery is the real test. What shows nothing is no part of it.
pub fn email(text: &str) -> Option<String> {
    let text = visible(text);
    let (local, domain) = text.trim().split_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '@' | '"');
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX || local.contains(odd) || domain.contains(odd) {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let labels: Vec<&str> = domain.split('.').collect();
    let good = labels.len() > 1 && labels.iter().all(|label| !label.is_empty() && label.len() <= LABEL_BYTES_MAX);
    let address = format!("{local}@{domain}");
    (good && address.len() <= EMAIL_BYTES_MAX).then_some(address)
}

/// A BCP 47 tag in its one form: `es`, `pt-BR`, `zh-Hant-TW`; also what browsers and ad forms write as `pt_BR`.
pub fn language(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 35 {
        return None;
    }
    let mut subtags = text.split(['-', '_']);
    let primary = subtags.next()?.to_lowercase();
    if !LANGUAGES.split(' ').any(|known| known == primary) {
        return None;
    }
    let mut tag = primary;
    for subtag in subtags {
        if subtag.is_empty() || subtag.len() > 8 || !subtag.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        tag.push('-');
        match subtag.len() {
            2 => tag.push_str(&subtag.to_uppercase()),
            4 => {
                let lower = subtag.to_lowercase();
                let (first, rest) = lower.split_at(1);
                tag.push_str(&first.to_uppercase());
                tag.push_str(rest);
            }
            _ => tag.push_str(&subtag.to_lowercase()),
        }
    }
    Some(tag)
}

/// The language of a tag without script and region.
pub fn primary_language(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// The country of a tag, such as Brazil of `pt-BR`.
pub fn country_of_language(tag: &str) -> Option<Country> {
    tag.split('-').skip(1).find_map(|subtag| subtag.parse().ok())
}

/// A text that somebody typed as one line: other lines, tabs and what else controls a printer are blanks.
pub fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a contact is found by: a hash, so that keys carry no personal data. Letter case in an address is not a difference.
pub fn contact_key(kind: &str, normalised: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("{kind}\n{}", visible(normalised).to_lowercase()).as_bytes()).into();
    format!("contact#{}", hex::encode(digest.get(..20).unwrap_or(&digest)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(email(" Ana.Lopez@Example.COM ").as_deref(), Some("Ana.Lopez@example.com"));
        assert_eq!(email("kunde@bücher.example").as_deref(), Some("kunde@xn--bcher-kva.example"));
        assert_eq!(email("тест@почта.рф").as_deref(), Some("тест@xn--80a1acny.xn--p1ai"));
        for bad in [
            "",
            "nobody",
            "@example.com",
            "a@",
            "a@b",
            "a@b@c.de",
            "a b@c.de",
            "a@-x-.de",
            "a@b..de",
            "a,b@c.de",
            "a@b.de\r\nBcc: x@y.zz",
        ] {
            assert_eq!(email(bad), None, "{bad}");
        }
        assert_eq!(email(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(contact_key("email", "Ana@example.com"), contact_key("email", "ana@example.com"));
        assert_ne!(contact_key("email", "+34600111222"), contact_key("phone", "+34600111222"));
    }

    #[test]
    fn an_address_with_invisible_characters_is_the_same_address_and_has_the_same_key() {
        for hidden in ["\u{200B}", "\u{00AD}", "\u{202E}", "\u{FE0F}", "\u{FEFF}", "\u{3164}", "\u{200D}"] {
            for text in [
                format!("{hidden}ana@example.com"),
                format!("a{hidden}na@example.com"),
                format!("ana@ex{hidden}ample.com"),
                format!("ana{hidden}@example.com"),
                format!(" ana@example.com{hidden} "),
            ] {
                assert_eq!(email(&text).as_deref(), Some("ana@example.com"), "{text:?}");
            }
            let key = contact_key("email", "ana@example.com");
            assert_eq!(contact_key("email", &format!("a{hidden}na@example.com")), key, "a record of before");
            assert_eq!(email(&format!("{hidden}@example.com")), None);
        }
    }

    #[test]
    fn a_language_is_a_known_one_in_its_usual_letters() {
        for (text, tag) in
            [("es", "es"), ("ES_mx", "es-MX"), ("zh_hant_tw", "zh-Hant-TW"), ("pt-br", "pt-BR"), ("fil", "fil")]
        {
            assert_eq!(language(text).as_deref(), Some(tag));
        }
        for bad in ["", "xx", "spanish", "e", "es-", "es-123456789", "es mx", "en;q=0.9"] {
            assert_eq!(language(bad), None, "{bad}");
        }
        assert_eq!(country_of_language("zh-Hant-TW").map(|c| c.code()), Some("TW"));
        assert_eq!(country_of_language("es-419"), None);
        assert_eq!(primary_language("pt-BR"), "pt");
    }

    proptest! {
        #[test]
        fn the_one_form_is_its_own_form(text in "\\PC{0,30}@\\PC{0,30}", tag in "[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,9}){0,3}") {
            if let Some(once) = email(&text) {
                prop_assert_eq!(email(&once), Some(once.clone()));
            }
            if let Some(once) = language(&tag) {
                prop_assert_eq!(language(&once), Some(once.clone()));
            }
        }
    }
}
