//! Countries by ISO 3166-1 alpha-2, and the names that lists give them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::tables::lines;

static NAMES: LazyLock<BTreeMap<&'static str, Country>> = LazyLock::new(|| {
    let mut names = BTreeMap::new();
    for line in lines(include_str!("../../data/countries.txt")) {
        let mut fields = line.split('|');
        let Some([first, second]) = fields.next().and_then(|code| <[u8; 2]>::try_from(code.as_bytes()).ok()) else {
            continue;
        };
        let country = Country([first.to_ascii_uppercase(), second.to_ascii_uppercase()]);
        names.extend(fields.map(|name| (name, country)));
    }
    names
});

static CODES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let mut codes: Vec<Country> = NAMES.values().copied().collect();
    codes.sort_unstable();
    codes.dedup();
    codes
});

/// A country, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Country([u8; 2]);

/// Why a text is not a country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 3166-1 alpha-2 country code")]
pub struct CountryError(pub String);

impl Country {
    /// From the code, in either case. Kosovo's `XK` counts.
    ///
    /// # Errors
    /// The code is not assigned.
    pub fn from_code(code: &str) -> Result<Self, CountryError> {
        let upper = code.trim().to_ascii_uppercase();
        let country = <[u8; 2]>::try_from(upper.as_bytes()).ok().map(Self);
        country.filter(|country| CODES.binary_search(country).is_ok()).ok_or_else(|| CountryError(code.to_owned()))
    }

    /// From a name as the lists write it, or a code: `Korea, North`, `Iran (Islamic Republic of)`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut folded = String::with_capacity(name.len());
        for letter in any_ascii::any_ascii(name).chars() {
            let letter = if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { ' ' };
            if letter != ' ' || !folded.ends_with(' ') {
                folded.push(letter);
            }
        }
        let folded = folded.trim();
        NAMES.get(folded).copied().or_else(|| Self::from_code(folded).ok())
    }

    /// The two bytes of the code.
    pub(crate) fn bytes(self) -> [u8; 2] {
        self.0
    }

    /// From bytes that [`Country::bytes`] gave.
    pub(crate) fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0;
        write!(f, "{}{}", char::from(first), char::from(second))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.to_string()
    }
}

impl TryFrom<String> for Country {
    type Error = CountryError;

    fn try_from(code: String) -> Result<Self, CountryError> {
        Self::from_code(&code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_countries() {
        assert_eq!(CODES.len(), 250, "249 and Kosovo");
        for (text, code) in [
            ("ru", "RU"),
            ("Korea, North", "KP"),
            ("Iran (Islamic Republic of)", "IR"),
            ("Côte d'Ivoire", "CI"),
            ("Burma", "MM"),
            ("Democratic Republic of the Congo", "CD"),
        ] {
            assert_eq!(Country::from_name(text).unwrap().to_string(), code, "{text}");
        }
        for text in ["", "x", "xx", "Atlantis"] {
            assert!(Country::from_code(text).is_err(), "{text}");
            assert_eq!(Country::from_name(text), None, "{text}");
        }
    }
}
