//! Stripe's integer amounts. They are minor units, with exceptions of Stripe's own.

use domain::{Currency, Money, MoneyError};

use crate::psp::minor;

/// Decimal places of Stripe's integer, where they differ from ISO 4217 (Stripe's page "Supported currencies", lists
/// "Zero-decimal currencies" and "Special cases"): ISK stays a two-decimal amount that ends in 00, MGA has none.
/// UGX stands in both lists with different meanings, so nobody can tell what 500 is.
fn decimal_places(currency: Currency) -> Option<u32> {
    match currency.code() {
        "ISK" => Some(2),
        "MGA" => Some(0),
        "UGX" => None,
        _ => Some(currency.digits()),
    }
}

/// Money of an amount as Stripe writes it; `None` when the currency or its unit is not known.
pub(super) fn read(amount: i64, currency: &str) -> Option<Money> {
    minor::read(amount, &currency.to_ascii_uppercase(), decimal_places)
}

/// The amount as Stripe reads it.
pub(super) fn write(money: &Money) -> Result<i64, MoneyError> {
    minor::write(money, decimal_places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_stripe_gives_them() {
        let cases = [
            (10_050, "usd", "100.50", "USD"),
            (1, "eur", "0.01", "EUR"),
            (500, "jpy", "500", "JPY"),
            (500, "krw", "500", "KRW"),
            (500, "clp", "500", "CLP"),
            (5_120, "kwd", "5.120", "KWD"),
            (5_120, "bhd", "5.120", "BHD"),
            (500, "isk", "5", "ISK"),
            (5, "mga", "5.00", "MGA"),
            (0, "gbp", "0.00", "GBP"),
        ];
        for (minor, code, amount, currency) in cases {
            let money = read(minor, code).unwrap();
            assert_eq!((money.amount_text().as_str(), money.currency().code()), (amount, currency));
            assert_eq!(write(&money), Ok(minor), "{code}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_no_money() {
        for (minor, code) in [(500, "ugx"), (500, "xxx"), (500, ""), (-1, "usd"), (550, "isk"), (i64::MAX, "usd")] {
            assert_eq!(read(minor, code), None, "{code}");
        }
        let cents = Money::parse("5.50", "MGA".parse().unwrap()).unwrap();
        assert_eq!(write(&cents), Err(MoneyError::TooManyDecimals));
        let ugx = Money::parse("5", "UGX".parse().unwrap()).unwrap();
        assert_eq!(write(&ugx), Err(MoneyError::UnknownCurrency));
    }
}
