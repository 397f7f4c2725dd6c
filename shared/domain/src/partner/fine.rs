//! Amounts finer than money: what is earned is rounded once a period, not once a trade.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::{Currency, Money, MoneyError};

/// Decimals of a line. A thousand lines of half a cent are five dollars, whatever a cent can hold.
pub const DECIMALS: u32 = 8;

/// An amount of up to eight decimals in one currency; from the middle it was rounded to the even digit.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Fine {
    amount: Decimal,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct Written {
    amount: String,
    currency: Currency,
}

impl Fine {
    /// The nearest amount of eight decimals.
    pub fn rounded(exact: Decimal, currency: Currency) -> Self {
        Self { amount: round(exact), currency }
    }

    /// Nothing.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// The amount, without zeros at its end.
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The same amount with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self::rounded(-self.amount, self.currency)
    }

    /// The nearest amount that can be paid; from the middle to the even digit.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`].
    pub fn money(&self) -> Result<Money, MoneyError> {
        let amount = self.amount.round_dp_with_strategy(self.currency.digits(), RoundingStrategy::MidpointNearestEven);
        Money::new(amount, self.currency)
    }

    /// The amount as text: at least the currency's digits, at most eight.
    pub fn text(&self) -> String {
        let mut amount = self.amount;
        if amount.scale() < self.currency.digits() {
            amount.rescale(self.currency.digits());
        }
        amount.to_string()
    }
}

/// To eight decimals, from the middle to the even digit.
pub(super) fn round(exact: Decimal) -> Decimal {
    exact.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointNearestEven).normalize()
}

impl fmt::Debug for Fine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text(), self.currency)
    }
}

impl From<Fine> for Written {
    fn from(fine: Fine) -> Self {
        Self { amount: fine.text(), currency: fine.currency }
    }
}

impl TryFrom<Written> for Fine {
    type Error = MoneyError;

    fn try_from(written: Written) -> Result<Self, MoneyError> {
        let amount = Decimal::from_str_exact(&written.amount).map_err(|_| MoneyError::NotANumber)?.normalize();
        match amount.scale() > DECIMALS {
            true => Err(MoneyError::TooManyDecimals),
            false => Ok(Self { amount, currency: written.currency }),
        }
    }
}
