//! Amounts as decimal text in whole units, as vendors of wallets and of crypto write them.

use domain::{Currency, Money};

/// Longest amount that is read.
const AMOUNT_CHARS_MAX: usize = 40;

/// Whether a text is a plain decimal: digits, at most one point with digits on both sides, no sign, no exponent, and no zero before
/// another digit. So an amount has one form for each number of decimals.
pub(super) fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= AMOUNT_CHARS_MAX && digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// Money of an amount and a currency as they are written; `None` when either is not known, or there are more decimals than the
/// currency has. Zeros at the end are none: `5000.00` yen are 5000.
pub(super) fn read(amount: &str, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let amount = Some(amount).filter(|amount| is_amount(amount))?;
    Money::new(amount.parse().ok()?, currency).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_units_with_the_decimals_of_their_currency() {
        let cases = [
            ("10.50", "EUR", "10.50"),
            ("10.5", "EUR", "10.50"),
            ("23", "USD", "23.00"),
            ("0.01", "GBP", "0.01"),
            ("5000", "JPY", "5000"),
            ("5000.00", "JPY", "5000"),
            ("5.120", "BHD", "5.120"),
            ("10.50000000", "USD", "10.50"),
        ];
        for (written, currency, amount) in cases {
            let money = read(written, currency).unwrap();
            assert_eq!((money.amount_text().as_str(), money.currency().code()), (amount, currency));
        }
    }

    #[test]
    fn what_cannot_be_told_is_no_money() {
        let cases = [
            ("", "EUR"),
            (".", "EUR"),
            ("10.", "EUR"),
            (".5", "EUR"),
            ("-1", "EUR"),
            ("+1", "EUR"),
            ("1e3", "EUR"),
            ("1,000", "EUR"),
            ("1 000", "EUR"),
            ("010", "EUR"),
            ("1.0.0", "EUR"),
            ("10.505", "EUR"),
            ("0.5", "JPY"),
            ("1", "eur"),
            ("1", "USDT"),
            ("1", ""),
            ("99999999999999999999999999999999999999999", "EUR"),
            ("9999999999999999", "EUR"),
        ];
        for (amount, currency) in cases {
            assert_eq!(read(amount, currency), None, "{amount} {currency}");
        }
    }
}
