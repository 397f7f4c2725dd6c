//! Telephone numbers as people write them, by the numbering plans of libphonenumber.
//!
//! The first number that a process reads takes a tenth of a second, in which the plans are unpacked; every other one well
//! below a tenth of a millisecond.

use domain::Country;
use domain::contact::Phone;

/// Reads a number: international, or national in the country it was written in.
pub(crate) fn read(text: &str, country: Option<Country>) -> Option<Phone> {
    let region = country.and_then(|country| country.code().parse().ok());
    let number = phonenumber::parse(region, text).ok().filter(phonenumber::is_valid)?;
    let country = number.country().id().and_then(|id| id.as_ref().parse().ok());
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    domain::contact::is_e164(&e164).then_some(Phone { e164, country })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(country: &str, text: &str) -> Option<(String, &'static str)> {
        let read = read(text, country.parse().ok())?;
        Some((read.e164, read.country.map_or("", |country| country.code())))
    }

    #[test]
    fn national_and_international_numbers_have_one_form() {
        for (country, text, e164, of) in [
            ("", "+52 55 1234 5678", "+525512345678", "MX"),
            ("MX", "55 1234 5678", "+525512345678", "MX"),
            ("DE", "+52 (55) 1234-5678", "+525512345678", "MX"),
            ("GB", "07400 123456", "+447400123456", "GB"),
            ("ES", "600 111 222", "+34600111222", "ES"),
            ("", "+1 416 555 0123", "+14165550123", "CA"),
            ("", "+7 701 123 4567", "+77011234567", "KZ"),
        ] {
            assert_eq!(read_in(country, text), Some((e164.to_owned(), of)), "{text}");
        }
        for bad in ["", "12", "+", "600111222", "+999 123456789", "+34 600", "call me", "+3460011122233445566"] {
            assert_eq!(read_in("", bad), None, "{bad}");
        }
        assert_eq!(read_in("ES", "12345"), None);
    }
}
