//! Telephone numbers: what one says, digits of every script, and the forms that one mobile had over the years.

use crate::Country;

/// A text with fewer digits is not even an attempt at a telephone number.
const UNREAD_DIGITS_MIN: usize = 5;

/// What a text says of a telephone number. Whoever has to call sees all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The number, where it could be read.
    pub number: Option<PhoneNumber>,
    /// What was written, where the number alone does not say all of it: an extension, letters, a second number, or a
    /// number that could not be read.
    pub as_given: Option<String>,
}

/// A telephone number that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// E.164: a plus and 7 to 15 digits.
    pub e164: String,
    /// The country of the number, where that is known.
    pub country: Option<Country>,
    /// Whether the country's numbering plan lists it. Plans are always behind: one that is not listed may exist.
    pub listed: bool,
    /// Whether whoever calls it pays more than for a call, and whoever has it may earn from that.
    pub costs: bool,
}

impl Phone {
    /// A text that is no telephone number, but has the digits of one: somebody who has to call can make something of it.
    pub fn unread(text: &str) -> Option<Self> {
        let digits = text.chars().filter(|c| decimal_digit(*c).is_some()).count();
        (digits >= UNREAD_DIGITS_MIN).then(|| Self { number: None, as_given: Some(super::one_line(text)) })
    }

    /// Whether nobody knows that it reaches anybody, or that it is a person's: one that costs whoever calls it is not believed.
    pub fn is_unverified(&self) -> bool {
        !self.number.as_ref().is_some_and(|number| number.listed && !number.costs)
    }

    /// Whether whoever calls it pays more than for a call.
    pub fn costs(&self) -> bool {
        self.number.as_ref().is_some_and(|number| number.costs)
    }

    /// What somebody who calls goes by.
    pub fn e164(&self) -> Option<&str> {
        self.number.as_ref().map(|number| number.e164.as_str())
    }
}

/// Why a text cannot be a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPhone {
    /// It has letters, or hardly a digit.
    #[error("must be a telephone number such as +34600111222, or one of the country that is given")]
    NotANumber,
    /// No country has the calling code.
    #[error("begins with a calling code that no country has")]
    UnknownCode,
    /// The country has no numbers of so many digits.
    #[error("is too short or too long for a number of its country")]
    Length,
}

/// Reads a telephone number as people write it; the country is the one it was written in.
pub type ReadPhone<'a> = &'a dyn Fn(&str, Option<Country>) -> Result<Phone, NoPhone>;

/// Whether a text is E.164: a plus and 7 to 15 digits, the first not zero. Niue and Saint Helena have numbers of four digits.
pub fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or("");
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

/// The zeros of the decimal digits of every script (Unicode, general category Nd); each is followed by its one to nine.
const ZEROS: &[u32] = &[
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// The ASCII digit that a digit of any script stands for.
pub fn decimal_digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?)?;
    char::from_digit(code.checked_sub(*zero)?, 10)
}

/// The form in which a mobile of Mexico or Brazil is dialled today, where a number is in an older one.
///
/// Mexico gave up the 1 after 52 in 2019, but WhatsApp still says it. Brazil put a 9 before the eight digits of every mobile by
/// 2016; a landline, which begins with 2 to 5 after the area, never had one.
pub fn modern_mobile(e164: &str) -> Option<String> {
    let digits = e164.strip_prefix('+')?;
    if let Some(national) = digits.strip_prefix("521").filter(|national| national.len() == 10) {
        return Some(format!("+52{national}"));
    }
    let national = digits.strip_prefix("55").filter(|national| national.len() == 10)?;
    let (area, subscriber) = national.split_at_checked(2)?;
    subscriber.starts_with(['6', '7', '8', '9']).then(|| format!("+55{area}9{subscriber}"))
}

/// The one form by which all forms of a mobile are known to be the same; any other number's is its own.
///
/// Argentina's mobiles have a 9 after 54 for whoever calls from abroad, and none when they are called from a landline; no
/// landline has the number of a mobile.
pub fn same_mobile(e164: &str) -> String {
    if let Some(modern) = modern_mobile(e164) {
        return modern;
    }
    match e164.strip_prefix("+54") {
        Some(national) if national.len() == 10 => format!("+549{national}"),
        _ => e164.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_digits() {
        for text in [
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "০১২৩৪৫৬৭৮৯",
            "๐๑๒๓๔๕๖๗๘๙",
            "０１２３４５６７８９",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
        ] {
            let read: Option<String> = text.chars().map(decimal_digit).collect();
            assert_eq!(read.as_deref(), Some("0123456789"), "{text}");
        }
        assert!(ZEROS.is_sorted());
        for other in ['a', '/', ':', '²', '½', 'Ⅷ', '一', '٪', 'ー', '\u{65f}', '\u{66a}'] {
            assert_eq!(decimal_digit(other), None, "{other}");
        }
    }

    #[test]
    fn the_forms_of_one_mobile_are_one_and_landlines_stay_as_they_are() {
        for (form, one) in [
            ("+525512345678", "+525512345678"),
            ("+5215512345678", "+525512345678"),
            ("+5491123456789", "+5491123456789"),
            ("+541123456789", "+5491123456789"),
            ("+5521987654321", "+5521987654321"),
            ("+552187654321", "+5521987654321"),
            ("+552125556666", "+552125556666"),
            ("+552155556666", "+552155556666"),
            ("+34600111222", "+34600111222"),
            ("+521551234567", "+521551234567"),
            ("+52155123456789", "+52155123456789"),
        ] {
            assert_eq!(same_mobile(form), one, "{form}");
            assert_eq!(same_mobile(one), one, "{form}");
        }
    }
}
