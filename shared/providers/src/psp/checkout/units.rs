//! Checkout.com's integer amounts. They are minor units, with exceptions of Checkout.com's own (its page "Format the amount value").

use domain::{Currency, Money, MoneyError};

use crate::psp::minor;

/// Most digits of an amount.
const AMOUNT_MAX: i64 = 999_999_999;

/// Decimal places of the integer, where they differ from ISO 4217.
fn decimal_places(currency: Currency) -> Option<u32> {
    match currency.code() {
        // written with two decimals, which are zeros
        "CLP" => Some(2),
        _ => Some(currency.digits()),
    }
}

/// Money of an amount as it is written; `None` when the currency is not known.
pub(super) fn read(amount: i64, currency: &str) -> Option<Money> {
    minor::read(amount, currency, decimal_places)
}

/// The amount as it is to be written. Of three decimals the last must be a zero.
pub(super) fn write(money: &Money) -> Result<i64, MoneyError> {
    let amount = minor::write(money, decimal_places)?;
    if amount > AMOUNT_MAX {
        return Err(MoneyError::OutOfRange);
    }
    match money.currency().digits() {
        3 if amount % 10 != 0 => Err(MoneyError::TooManyDecimals),
        _ => Ok(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_checkout_gives_them() {
        for (minor, code, amount) in [
            (10_050, "USD", "100.50"),
            (1, "EUR", "0.01"),
            (500, "JPY", "500"),
            (500, "ISK", "500"),
            (500, "UGX", "500"),
            (5_120, "BHD", "5.120"),
            (50_000, "CLP", "500"),
            (999_999_999, "GBP", "9999999.99"),
        ] {
            let money = read(minor, code).unwrap();
            assert_eq!((money.amount_text().as_str(), money.currency().code()), (amount, code));
            assert_eq!(write(&money), Ok(minor), "{code}");
        }
    }

    #[test]
    fn what_cannot_be_told_or_sent_is_none() {
        for (minor, code) in [(500, "XXX"), (500, ""), (500, "usd"), (-1, "USD"), (550, "CLP"), (i64::MAX, "USD")] {
            assert_eq!(read(minor, code), None, "{code}");
        }
        let money = |amount: &str, code: &str| Money::parse(amount, code.parse().unwrap()).unwrap();
        assert_eq!(write(&money("5.125", "BHD")), Err(MoneyError::TooManyDecimals));
        assert_eq!(write(&money("10000000.00", "USD")), Err(MoneyError::OutOfRange));
        assert!(read(5_125, "BHD").is_some(), "what came is what came");
    }
}
