//! The part `deposit_fees` of the rule set `psps`.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{FeeMode, FeeOnReturn};
use crate::Money;
use crate::money::Rounding;
use crate::payment::routing::{RoutingCase, not_negative};
use crate::payment::rules::PspRule;
use crate::rules::Fields;
use crate::rules::condition::Condition;
use crate::rules::limits::digits_of;
use crate::rules::read::{Faults, Node, optional};
use crate::rules::schema::Schema;

/// Half of the money is a slip of the pen.
const PER_CENT_MAX: Decimal = Decimal::from_parts(50, 0, 0, false, 0);
/// Decimals of a fee in per cent: what it is multiplied with is kept to the last digit.
const PER_CENT_DECIMALS_MAX: u32 = 6;

/// What fees may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeCase {
    /// The deposit.
    pub deposit: RoutingCase,
    /// The provider's name.
    pub psp: String,
    /// The coin or wallet of a provider that has one.
    pub method: Option<String>,
}

impl FeeCase {
    /// A deposit over a provider.
    pub fn of(deposit: &RoutingCase, psp: &PspRule) -> Self {
        Self { deposit: deposit.clone(), psp: psp.name.clone(), method: psp.payment_method.clone() }
    }
}

pub(in crate::payment) fn fields() -> Fields<FeeCase> {
    Fields::new()
        .field("currency", |case: &FeeCase| case.deposit.amount.currency())
        .field("amount", |case| case.deposit.amount.amount())
        .declared("psp", |case| case.psp.clone())
        .field("method", |case| case.method.clone())
        .field("country", |case| case.deposit.country)
        // which types and companies there are is not up to this set: any word is taken here
        .field("account_type", |case| case.deposit.account_type.clone())
        .field("entity", |case| case.deposit.entity.clone())
}

/// What a fee is made of: `fixed`, and `per_cent` of the amount, from `min` to `max`, rounded once to the nearest amount (from the middle to
/// the even digit). Fixed amounts are in the currency that is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeeTerms {
    /// Where it is taken.
    pub mode: FeeMode,
    /// What becomes of it when the payment goes back.
    pub on_return: FeeOnReturn,
    /// Of each deposit.
    pub fixed: Decimal,
    /// Of each hundred.
    pub per_cent: Decimal,
    /// Never less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Decimal>,
    /// Never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Decimal>,
}

impl FeeTerms {
    /// The fee of an amount; inside it is never more than the amount. `None` where it is more than can be.
    pub fn of(&self, amount: &Money) -> Option<Money> {
        let currency = amount.currency();
        let factor = self.per_cent.checked_div(Decimal::ONE_HUNDRED)?;
        // the bounds and the fixed part are no finer than the currency, so only this is rounded
        let part = amount.multiply(factor, Rounding::HalfEven).ok()?;
        let fee = part.checked_add(&Money::new(self.fixed, currency).ok()?).ok()?.amount();
        let fee = self.min.map_or(fee, |min| fee.max(min));
        let fee = self.max.map_or(fee, |max| fee.min(max));
        let fee = if self.mode == FeeMode::Inside { fee.min(amount.amount()) } else { fee };
        Money::new(fee, currency).ok()
    }
}

/// Reads what a row takes. Fixed amounts are in a currency, so a row with some says in which.
pub(in crate::payment) fn read(
    node: &Node<'_>,
    when: Option<&Condition>,
    schema: &Schema,
    faults: &mut Faults,
) -> Option<FeeTerms> {
    let object = node.object(&["mode", "on_return", "fixed", "per_cent", "min", "max"], faults)?;
    let mode = object.need("mode", faults).and_then(|node| node.word(FeeMode::ALL, faults));
    let on_return = object.need("on_return", faults).and_then(|node| node.word(FeeOnReturn::ALL, faults));
    let per_cent =
        optional(object.get("per_cent"), |node| not_negative(&node, PER_CENT_DECIMALS_MAX, Some(PER_CENT_MAX), faults));
    let digits = when.and_then(|when| digits_of(when, schema)).map(|(digits, _)| digits);
    let mut amount = |key: &str| {
        optional(object.get(key), |at| {
            let Some(digits) = digits else {
                faults.add(at.fault("no_currency", "the row must ask for the currencies that this amount is in"));
                return None;
            };
            not_negative(&at, digits, None, faults)
        })
    };
    let (fixed, min, max) = (amount("fixed"), amount("min"), amount("max"));
    let terms = FeeTerms {
        mode: mode?,
        on_return: on_return?,
        fixed: fixed?.unwrap_or_default(),
        per_cent: per_cent?.unwrap_or_default(),
        min: min?,
        max: max?,
    };
    if let (Some(min), Some(max)) = (terms.min, terms.max)
        && min > max
    {
        faults.add(node.fault("bad_range", format!("min {min} is above max {max}")));
        return None;
    }
    Some(terms)
}
