//! Adyen's integer amounts. They are minor units, with exceptions of Adyen's own.

use domain::{Currency, Money, MoneyError};

use crate::psp::minor;

/// Decimal places of Adyen's integer, where they differ from ISO 4217 (Adyen's page "Currency codes").
fn decimal_places(currency: Currency) -> Option<u32> {
    match currency.code() {
        "CLP" | "ISK" => Some(2),
        "CVE" | "IDR" => Some(0),
        _ => Some(currency.digits()),
    }
}

/// Money of an amount as Adyen writes it; `None` when the currency is not known.
pub(super) fn read(amount: i64, currency: &str) -> Option<Money> {
    minor::read(amount, currency, decimal_places)
}

/// The amount as Adyen reads it.
pub(super) fn write(money: &Money) -> Result<i64, MoneyError> {
    minor::write(money, decimal_places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_adyen_gives_them() {
        for (minor, code, amount) in [
            (10_050, "USD", "100.50"),
            (1, "EUR", "0.01"),
            (500, "JPY", "500"),
            (500, "KRW", "500"),
            (5_120, "BHD", "5.120"),
            (50_000, "CLP", "500"),
            (50_000, "ISK", "500"),
            (500, "IDR", "500.00"),
            (500, "CVE", "500.00"),
            (0, "GBP", "0.00"),
        ] {
            let money = read(minor, code).unwrap();
            assert_eq!((money.amount_text().as_str(), money.currency().code()), (amount, code));
            assert_eq!(write(&money), Ok(minor), "{code}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_no_money() {
        for (minor, code) in [(500, "XXX"), (500, ""), (500, "usd"), (-1, "USD"), (550, "ISK"), (i64::MAX, "USD")] {
            assert_eq!(read(minor, code), None, "{code}");
        }
        let rupiah = Money::parse("5.50", "IDR".parse().unwrap()).unwrap();
        assert_eq!(write(&rupiah), Err(MoneyError::TooManyDecimals));
    }
}
