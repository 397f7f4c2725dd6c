//! Praxis's amounts: integer cents, except for the currencies that the vendor lists as sent as they are.

use std::str::FromStr;

use domain::{Currency, Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Sent in whole units, with decimals where the currency has them (vendor's documents 3.1 and 3.4).
const AS_IS: [&str; 10] = ["JPY", "CLP", "KRW", "VND", "BHD", "IQD", "JOD", "LYD", "OMR", "TND"];

/// Digits of a 64-bit amount.
const AMOUNT_CHARS_MAX: usize = 20;

/// Units of the wire in one of the currency. `None` where the vendor's documents leave it open: a currency of neither
/// two digits nor the list, such as KWD or ISK, could be meant either way, and the ways differ by 100 or 1000.
fn wire_units(currency: Currency) -> Option<i64> {
    match (AS_IS.contains(&currency.code()), currency.digits()) {
        (true, _) => Some(1),
        (false, 2) => Some(100),
        (false, _) => None,
    }
}

/// Money of an amount as it is written on the wire; `None` when amount, currency or unit cannot be told.
pub(super) fn read(amount: &str, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let units = wire_units(currency)?;
    // The parser of decimals would take exponents, underscores and signs too.
    let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || amount.len() > AMOUNT_CHARS_MAX {
        return None;
    }
    let amount = Decimal::from_str(amount).ok()?;
    if units > 1 && !amount.fract().is_zero() {
        return None;
    }
    Money::new(amount.checked_div(Decimal::from(units))?, currency).ok()
}

/// The amount as a JSON number.
pub(super) fn write(money: &Money) -> Result<serde_json::Number, MoneyError> {
    let units = wire_units(money.currency()).ok_or(MoneyError::UnknownCurrency)?;
    let amount = money.amount().checked_mul(Decimal::from(units)).ok_or(MoneyError::OutOfRange)?;
    if !amount.fract().is_zero() {
        // Only three-digit currencies, sent as they are, get here.
        return serde_json::Number::from_str(&amount.normalize().to_string()).map_err(|_| MoneyError::OutOfRange);
    }
    amount.to_i64().map(Into::into).ok_or(MoneyError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_praxis_gives_them() {
        let cases = [
            ("10050", "USD", "100.50", "10050"),
            ("1", "EUR", "0.01", "1"),
            ("0", "GBP", "0.00", "0"),
            ("500", "JPY", "500", "500"),
            ("500", "KRW", "500", "500"),
            ("500", "VND", "500", "500"),
            ("12", "BHD", "12.000", "12"),
            ("12.345", "JOD", "12.345", "12.345"),
            ("10050.000000", "USD", "100.50", "10050"),
        ];
        for (wire, currency, amount, again) in cases {
            let money = read(wire, currency).unwrap();
            assert_eq!((money.amount_text().as_str(), money.currency().code()), (amount, currency));
            assert_eq!(write(&money).unwrap().to_string(), again);
        }
    }

    #[test]
    fn what_cannot_be_told_is_no_money() {
        let cases = [
            ("100.5", "USD"),
            ("-100", "USD"),
            ("", "USD"),
            ("1e4", "USD"),
            ("1_000", "USD"),
            ("+100", "USD"),
            (".", "USD"),
            ("1.0.0", "USD"),
            ("true", "USD"),
            ("999999999999999999999", "USD"),
            ("100", "usd"),
            ("100", "BTC"),
            ("100", ""),
            ("1.5", "JPY"),
            ("1.2345", "BHD"),
            ("100", "KWD"),
            ("100", "ISK"),
            ("100", "XAF"),
        ];
        for (amount, currency) in cases {
            assert_eq!(read(amount, currency), None, "{amount} {currency}");
        }
        let dinars = Money::parse("1", "KWD".parse().unwrap()).unwrap();
        assert_eq!(write(&dinars), Err(MoneyError::UnknownCurrency));
    }
}
