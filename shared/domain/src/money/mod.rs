//! Money: an exact decimal amount in one currency, never finer than the currency's own digits.

mod arithmetic;
mod currency;

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

pub use self::arithmetic::{Conversion, Rounding};
pub use self::currency::Currency;

/// Why an amount is not money, or a sum is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not an ISO 4217 code.
    #[error("not an ISO 4217 currency code")]
    UnknownCurrency,
    /// Not a plain decimal number.
    #[error("not a plain decimal number")]
    NotANumber,
    /// More decimals than the currency has.
    #[error("more decimals than the currency has")]
    TooManyDecimals,
    /// Beyond what the books hold (15 digits before the point).
    #[error("amount is out of range")]
    OutOfRange,
    /// Two different currencies in one sum or comparison.
    #[error("the currencies differ")]
    CurrencyMismatch,
    /// A share below zero.
    #[error("a weight is below zero")]
    NegativeWeight,
    /// Nobody to give to: no weights, or all of them zero.
    #[error("the weights are zero together")]
    NoWeight,
    /// A rate that is zero or below.
    #[error("the rate is not above zero")]
    RateNotPositive,
    /// What is exact here needs more than the 28 decimals that a decimal has.
    #[error("more than 28 decimals are needed to be exact")]
    TooFine,
}

impl MoneyError {
    /// The stable code that HTTP errors carry.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCurrency => "unknown_currency",
            Self::NotANumber => "not_a_number",
            Self::TooManyDecimals => "too_many_decimals",
            Self::OutOfRange => "out_of_range",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::NegativeWeight => "negative_weight",
            Self::NoWeight => "no_weight",
            Self::RateNotPositive => "rate_not_positive",
            Self::TooFine => "too_fine",
        }
    }
}

/// An exact amount in one currency. Its scale never exceeds the currency's digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "MoneyText", try_from = "MoneyText")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyText {
    amount: String,
    currency: String,
}

impl From<Money> for MoneyText {
    fn from(money: Money) -> Self {
        Self { amount: money.amount_text(), currency: money.currency.code().to_owned() }
    }
}

impl TryFrom<MoneyText> for Money {
    type Error = MoneyError;

    fn try_from(text: MoneyText) -> Result<Self, MoneyError> {
        Self::parse(&text.amount, text.currency.parse()?)
    }
}

/// Fifteen digits before the point: far above any client balance, far below `Decimal`'s limit.
const AMOUNT_MAX: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

impl Money {
    /// An amount that is already a decimal.
    ///
    /// # Errors
    /// [`MoneyError::TooManyDecimals`] or [`MoneyError::OutOfRange`].
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let mut amount = amount.normalize();
        if amount.scale() > currency.digits() {
            return Err(MoneyError::TooManyDecimals);
        }
        if amount.abs() >= AMOUNT_MAX {
            return Err(MoneyError::OutOfRange);
        }
        amount.rescale(currency.digits());
        Ok(Self { amount, currency })
    }

    /// A plain decimal string such as `1250.00`: digits, at most one point, an optional leading minus.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`], [`MoneyError::TooManyDecimals`] or [`MoneyError::OutOfRange`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit());
        if !plain || digits.matches('.').count() > 1 {
            return Err(MoneyError::NotANumber);
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.len() > usize::try_from(currency.digits()).unwrap_or(usize::MAX) {
            return Err(MoneyError::TooManyDecimals);
        }
        if whole.trim_start_matches('0').len() > 15 {
            return Err(MoneyError::OutOfRange);
        }
        let amount = text.parse::<Decimal>().map_err(|_| MoneyError::NotANumber)?;
        Self::new(amount, currency)
    }

    /// Zero in a currency.
    pub fn zero(currency: Currency) -> Self {
        let mut amount = Decimal::ZERO;
        amount.rescale(currency.digits());
        Self { amount, currency }
    }

    /// From whole minor units (cents for USD, yen for JPY, fils for BHD).
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        let amount = Decimal::try_from_i128_with_scale(i128::from(minor), currency.digits())
            .map_err(|_| MoneyError::OutOfRange)?;
        Self::new(amount, currency)
    }

    /// In whole minor units of the currency.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when it does not fit 64 bits (cannot happen for a value made by `new`).
    pub fn to_minor(&self) -> Result<i64, MoneyError> {
        let factor = Decimal::from(10_i64.checked_pow(self.currency.digits()).ok_or(MoneyError::OutOfRange)?);
        let minor = self.amount.checked_mul(factor).ok_or(MoneyError::OutOfRange)?;
        minor.to_i64().ok_or(MoneyError::OutOfRange)
    }

    /// The decimal amount, with the currency's scale.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount as text with the currency's digits: `1250.00`, `1250` for JPY.
    pub fn amount_text(&self) -> String {
        self.amount.to_string()
    }

    /// Above zero.
    pub fn is_positive(&self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// Sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::OutOfRange`].
    pub fn checked_add(&self, other: &Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        Self::new(self.amount.checked_add(other.amount).ok_or(MoneyError::OutOfRange)?, self.currency)
    }

    /// The same amount with the other sign; zero has none.
    pub fn negated(&self) -> Self {
        if self.amount.is_zero() {
            return *self;
        }
        Self { amount: -self.amount, currency: self.currency }
    }

    /// Order of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn compare(&self, other: &Self) -> Result<std::cmp::Ordering, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        Ok(self.amount.cmp(&other.amount))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn refuses_what_is_not_a_plain_decimal() {
        for text in ["", "-", ".", ".5", "5.", "1e3", "+1", "1,000", " 1", "0x10", "1.2.3", "NaN", "--1"] {
            assert_eq!(Money::parse(text, currency("USD")), Err(MoneyError::NotANumber), "{text}");
        }
    }

    #[test]
    fn refuses_more_decimals_than_the_currency_has() {
        for (text, code, ok) in [
            ("1.00", "USD", true),
            ("1.000", "USD", false),
            ("1", "JPY", true),
            ("1.0", "JPY", false),
            ("1.234", "BHD", true),
            ("1.2345", "BHD", false),
        ] {
            assert_eq!(Money::parse(text, currency(code)).is_ok(), ok, "{text} {code}");
        }
    }

    #[test]
    fn refuses_more_than_fifteen_digits_before_the_point() {
        assert!(Money::parse("999999999999999.99", currency("USD")).is_ok());
        assert_eq!(Money::parse("1000000000000000", currency("USD")), Err(MoneyError::OutOfRange));
        assert_eq!(Money::parse(&"9".repeat(200), currency("USD")), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn writes_the_currency_digits() {
        let json = |text, code| serde_json::to_string(&Money::parse(text, currency(code)).unwrap()).unwrap();
        assert_eq!(json("1250", "USD"), r#"{"amount":"1250.00","currency":"USD"}"#);
        assert_eq!(json("1250", "JPY"), r#"{"amount":"1250","currency":"JPY"}"#);
        assert_eq!(json("0.5", "BHD"), r#"{"amount":"0.500","currency":"BHD"}"#);
    }

    #[test]
    fn zero_has_no_sign() {
        let json = serde_json::to_string(&Money::zero(currency("USD")).negated()).unwrap();
        assert_eq!(json, r#"{"amount":"0.00","currency":"USD"}"#);
        assert_eq!(Money::parse("-0.00", currency("USD")).unwrap().to_string(), "0.00 USD");
    }

    proptest! {
        #[test]
        fn minor_units_round_trip(minor in -999_999_999_999_999_i64..=999_999_999_999_999, code in prop::sample::select(vec!["USD", "JPY", "BHD"])) {
            let money = Money::from_minor(minor, currency(code)).unwrap();
            prop_assert_eq!(money.to_minor().unwrap(), minor);
            let text = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        }

        #[test]
        fn parsing_never_panics(text in ".{0,40}") {
            if let Ok(money) = Money::parse(&text, currency("USD")) {
                prop_assert!(money.amount().scale() <= 2);
            }
        }
    }
}
