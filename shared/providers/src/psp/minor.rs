//! Amounts as integers of a vendor's smallest unit, which most vendors take from ISO 4217 with exceptions of their own.

use domain::{Currency, Money, MoneyError};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Decimal places of a vendor's integer; `None` where nobody can tell.
pub(super) type Places = fn(Currency) -> Option<u32>;

/// Money of an amount as the vendor writes it; `None` when the currency or its unit is not known, or the amount is below zero.
pub(super) fn read(amount: i64, currency: &str, places: Places) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let amount = Decimal::try_new(amount, places(currency)?).ok()?;
    let money = Money::new(amount, currency).ok()?;
    (!money.amount().is_sign_negative()).then_some(money)
}

/// The amount as the vendor reads it.
pub(super) fn write(money: &Money, places: Places) -> Result<i64, MoneyError> {
    let places = places(money.currency()).ok_or(MoneyError::UnknownCurrency)?;
    let factor = 10_i64.checked_pow(places).ok_or(MoneyError::OutOfRange)?;
    let amount = money.amount().checked_mul(Decimal::from(factor)).ok_or(MoneyError::OutOfRange)?;
    if !amount.fract().is_zero() {
        return Err(MoneyError::TooManyDecimals);
    }
    amount.to_i64().ok_or(MoneyError::OutOfRange)
}
