//! Which part of a withdrawal goes where: what came from a payer goes back to him, up to what he brought, before anything goes elsewhere.

use super::Destination;
use super::payee::Payee;
use crate::Money;

/// More legs would not be saved in one transaction with the withdrawal that they are of.
pub const LEGS_MAX: usize = 20;

/// A place, and the provider over which money gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The provider's name.
    pub psp: String,
    /// Where to.
    pub destination: Destination,
    /// No provider of ours pays it out by itself: a person does.
    pub by_hand: bool,
}

/// A payer who can get money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The payer.
    pub target: Target,
    /// How much: what he brought, less what went back, is disputed or is on its way to him.
    pub room: Money,
}

/// A part of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where it goes.
    pub target: Target,
    /// How much.
    pub amount: Money,
    /// What was found of who gets it.
    pub payee: Option<Payee>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanFault {
    /// So much is more than the sources take, and no other place is named.
    Above(Money),
    /// It would be more than [`LEGS_MAX`] legs.
    TooMany,
}

/// The legs of an amount: to each source in turn up to its room, and what is left to `rest`. A source in another currency is left out.
///
/// # Errors
/// [`PlanFault`].
pub fn plan(amount: Money, sources: &[Source], rest: Option<&Target>) -> Result<Vec<Leg>, PlanFault> {
    let (mut legs, mut left) = (Vec::new(), amount);
    for source in sources.iter().filter(|source| source.room.is_positive()) {
        let Ok(order) = source.room.compare(&left) else { continue };
        if !left.is_positive() {
            break;
        }
        let part = if order.is_lt() { source.room } else { left };
        let Ok(less) = left.checked_add(&part.negated()) else { continue };
        left = less;
        legs.push(Leg { target: source.target.clone(), amount: part, payee: None });
    }
    if left.is_positive() {
        let target = rest.cloned().ok_or(PlanFault::Above(left))?;
        legs.push(Leg { target, amount: left, payee: None });
    }
    if legs.len() > LEGS_MAX { Err(PlanFault::TooMany) } else { Ok(legs) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Currency, PaymentId, Redacted};

    fn money(minor: i64, currency: &str) -> Money {
        let currency: Currency = currency.parse().unwrap();
        Money::from_minor(minor, currency).unwrap()
    }

    fn source(number: u128, room: i64, currency: &str) -> Source {
        let destination = Destination::Source { payment_id: PaymentId::from_bits(number), reference: String::new() };
        let target = Target { psp: "stripe".to_owned(), destination, by_hand: false };
        Source { target, room: money(room, currency) }
    }

    fn elsewhere() -> Target {
        let destination = Destination::Email(Redacted::new("ana@example.com".to_owned()));
        Target { psp: "skrill".to_owned(), destination, by_hand: false }
    }

    proptest! {
        #[test]
        fn a_plan_sums_to_the_amount_in_order_and_never_above_a_room(
            amount in 1_i64..10_000,
            rooms in proptest::collection::vec((-50_i64..3_000, any::<bool>()), 0..30),
            has_rest: bool,
        ) {
            let sources: Vec<Source> = rooms.iter().zip(1..).map(|((room, own), number)| {
                source(number, *room, if *own { "USD" } else { "EUR" })
            }).collect();
            let rest = elsewhere();
            let usable: Vec<&Source> = sources.iter()
                .filter(|source| source.room.currency().code() == "USD" && source.room.is_positive()).collect();
            let most: i64 = rooms.iter().filter(|(room, own)| *own && *room > 0).map(|(room, _)| room).sum();
            match plan(money(amount, "USD"), &sources, has_rest.then_some(&rest)) {
                Err(PlanFault::Above(left)) => {
                    prop_assert!(!has_rest);
                    prop_assert_eq!(left, money(amount - most, "USD"));
                }
                Err(PlanFault::TooMany) => prop_assert!(usable.len() >= LEGS_MAX),
                Ok(legs) => {
                    prop_assert!(legs.len() <= LEGS_MAX);
                    let sum = legs.iter().fold(money(0, "USD"), |sum, leg| sum.checked_add(&leg.amount).unwrap());
                    prop_assert_eq!(sum, money(amount, "USD"));
                    let back: Vec<&Leg> = legs.iter().filter(|leg| leg.target != rest).collect();
                    for (place, leg) in back.iter().enumerate() {
                        // the sources are used without a gap, and each but the last to its end
                        prop_assert_eq!(&leg.target, &usable[place].target);
                        prop_assert!(leg.amount.is_positive());
                        let all = leg.amount == usable[place].room;
                        prop_assert!(leg.amount.compare(&usable[place].room).unwrap().is_le());
                        prop_assert!(all || place + 1 == legs.len());
                    }
                    // nothing goes elsewhere while a source has room
                    prop_assert!(back.len() == legs.len() || amount > most);
                    prop_assert!(legs.len() - back.len() <= 1);
                }
            }
        }
    }
}
