//! What a person gives as proof: of a form that can hold nothing else, or the person's own words.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// Longest name of anything at a platform or provider, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// What people write before a name, to say of what it is one.
const NAMED: [&str; 5] = ["deal", "ticket", "order", "refund", "login"];
/// What the name of a person's own words begins with.
pub(crate) const WORDS: &str = "words-";
/// Bytes of the digest that stands for a person's own words.
const DIGEST_BYTES: usize = 8;

/// What was given, told apart by its form: personal data has no place in the journal, in events or in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence<'a> {
    /// A ticket, a refund id, a login; after a ticket may stand what was put on the account.
    Known(&'a str),
    /// Anything else.
    Words(&'a str),
}

impl<'a> Evidence<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let parts: Vec<&str> = text.split(' ').collect();
        let named = match parts.as_slice() {
            [what, rest @ ..] if NAMED.contains(&what.to_lowercase().as_str()) => rest,
            all => all,
        };
        let known = match named {
            [name] => is_name(name),
            [name, amount] => is_name(name) && is_amount(amount),
            [name, amount, currency] => is_name(name) && is_amount(amount) && is_currency(currency),
            _ => false,
        };
        if known { Self::Known(text) } else { Self::Words(text) }
    }

    /// What the item's public part has of it, and what its private part has.
    pub(crate) fn into_parts(self) -> (Option<String>, Option<String>) {
        match self {
            Self::Known(text) => (Some(text.to_owned()), None),
            Self::Words(text) => (None, Some(text.to_owned())),
        }
    }

    /// A form that may be journalled: words are named by their digest, so that the same words are the same proof.
    pub(crate) fn journalled(self) -> String {
        let text = match self {
            Self::Known(text) => Cow::Borrowed(text),
            Self::Words(text) => {
                let digest = hex::encode(Sha256::digest(text.as_bytes()));
                Cow::Owned(format!("{WORDS}{}", digest.get(..DIGEST_BYTES * 2).unwrap_or(&digest)))
            }
        };
        text.into_owned()
    }
}

/// A name that a system gave: without a digit it may be a person's.
pub(crate) fn is_name(text: &str) -> bool {
    let is_character =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'#' | b'/');
    text.len() <= NAME_BYTES_MAX && text.bytes().all(is_character) && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_amount(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.starts_with(|first: char| first.is_ascii_digit())
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_nothing_but_a_name_or_an_amount_is_public_and_the_rest_is_not() {
        for known in [
            "136623",
            "re_3SWabc",
            "deal 04711",
            "T-4711",
            "deal#1",
            "136623 108.42 USD",
            "136623 108.42",
            &"1".repeat(64),
        ] {
            assert_eq!(Evidence::of(known), Evidence::Known(known));
            assert_eq!(Evidence::of(known).journalled(), known);
        }
        let words = [
            "",
            "Marta",
            "marta7@example.com",
            "MT5 deal 136623 on 954402",
            "+49 171 1234567",
            "136623 Marta Keller",
            "136623 108.42 marta",
            "136623\t108.42",
            "Überweisung7",
            &"1".repeat(65),
        ];
        for words in words {
            let evidence = Evidence::of(words);
            assert_eq!(evidence, Evidence::Words(words));
            let named = evidence.journalled();
            assert!(named.starts_with("words-") && Evidence::of(&named) == Evidence::Known(&named), "{named}");
            assert_eq!(named, Evidence::of(words).journalled());
        }
        assert_ne!(Evidence::of("Marta").journalled(), Evidence::of("Martha").journalled());
    }
}
