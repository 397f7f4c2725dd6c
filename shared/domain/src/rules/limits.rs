//! How much money something may be about.

use rust_decimal::Decimal;
use serde::Serialize;

use super::condition::Condition;
use super::reach::Space;
use super::read::{Faults, Node};
use super::schema::Schema;
use crate::{Currency, Money};

/// The least and the most, in the currency that the row is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmountRange {
    /// The least.
    pub min: Decimal,
    /// The most.
    pub max: Decimal,
}

/// Where an amount lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// Under the least.
    Below,
    /// Inside, ends included.
    Inside,
    /// Over the most.
    Above,
}

impl AmountRange {
    /// Whether an amount is inside, ends included.
    pub fn contains(&self, money: &Money) -> bool {
        self.place(money) == Lies::Inside
    }

    /// Where an amount lies, which must be in the row's currency.
    pub fn place(&self, money: &Money) -> Lies {
        match money.amount() {
            less if less < self.min => Lies::Below,
            more if more > self.max => Lies::Above,
            _ => Lies::Inside,
        }
    }
}

/// Reads `{min, max}`: above zero, in order, and no finer than the currencies that the row's condition names.
pub(crate) fn read_range(
    node: &Node<'_>,
    when: Option<&Condition>,
    schema: &Schema,
    faults: &mut Faults,
) -> Option<AmountRange> {
    let object = node.object(&["min", "max"], faults)?;
    let digits = when.and_then(|when| digits_of(when, schema));
    let mut amount = |key: &str| {
        let at = object.need(key, faults)?;
        let amount = at.decimal(faults)?.normalize();
        if amount <= Decimal::ZERO {
            faults.add(at.fault("bad_range", "must be above zero"));
            return None;
        }
        if let Some((digits, currency)) = digits.filter(|(digits, _)| amount.scale() > *digits) {
            faults.add(at.fault("too_many_decimals", format!("{currency} has {digits} decimals")));
            return None;
        }
        Some(amount)
    };
    let (min, max) = (amount("min"), amount("max"));
    let (min, max) = (min?, max?);
    if min > max {
        faults.add(node.fault("bad_range", format!("min {min} is above max {max}")));
        return None;
    }
    Some(AmountRange { min, max })
}

/// The fewest decimals among the currencies that a row is for, if it names them.
pub(crate) fn digits_of(when: &Condition, schema: &Schema) -> Option<(u32, Currency)> {
    let words = Space::new(schema).words_allowed(when, "currency")?;
    let currencies = words.iter().filter_map(|word| word.parse::<Currency>().ok());
    currencies.map(|currency| (currency.digits(), currency)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_inside() {
        let range = AmountRange { min: Decimal::new(1000, 2), max: Decimal::new(2000, 2) };
        for (amount, place) in
            [("9.99", Lies::Below), ("10", Lies::Inside), ("20.00", Lies::Inside), ("20.01", Lies::Above)]
        {
            let money = Money::parse(amount, "USD".parse().unwrap()).unwrap();
            assert_eq!(range.place(&money), place, "{amount}");
        }
    }
}
