//! The rule set `partner_agreements`: what partners can agree to, and how the broker's symbols and lots are counted.
//!
//! A partner is paid by the version of his agreement that he accepted. Symbols and lots are counted by the version that is live.

pub mod agreement;
pub mod pay;
pub mod payouts;
pub mod symbols;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value as Json;

pub use self::agreement::{
    Accounting, Agreement, Carry, CarryMode, CarryOf, CloseBy, CpaTerms, Cut, Filters, Overrides, PaidBy, Pool,
    ResetEvery, RevenuePart, RevenueTerms,
};
pub use self::pay::{Apply, Model, Pay, PayCase, Sides, Step, Tiers, Unit, VolumeOf};
pub use self::payouts::{Debtor, Payouts};
pub use self::symbols::{Instrument, Symbols};
use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::{Currency, Seconds};

/// How deep a tree of partners may be at most.
const DEPTH_MAX: u32 = 20;
/// A month is closed before the next one ends.
const CLOSE_AFTER_MAX: Seconds = Seconds(27 * 86_400);
const AGREEMENTS_MAX: usize = 500;
const ACCOUNT_TYPES_MAX: usize = 100;

/// The rule set `partner_agreements`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerAgreements {
    /// How many partners may be over a client.
    pub depth_max: u32,
    /// How long after its end a month still takes trades that come late; after that they stand on the next statement.
    pub close_after: Seconds,
    /// What the broker's symbols stand for.
    pub symbols: Symbols,
    /// How partners are paid.
    pub payouts: Payouts,
    lots: BTreeMap<String, Decimal>,
    agreements: BTreeMap<String, Agreement>,
}

impl RuleSet for PartnerAgreements {
    const NAME: &'static str = "partner_agreements";
    const OFFERS: &'static [Offer<Self>] =
        &[Offer { what: "partner_agreement", names: |set| set.agreements.keys().cloned().collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl PartnerAgreements {
    /// An agreement by its name.
    pub fn agreement(&self, name: &str) -> Option<&Agreement> {
        self.agreements.get(name)
    }

    /// The currency of the first agreement: what a partner is shown in who has none.
    pub fn usual_currency(&self) -> Option<Currency> {
        self.agreements.values().next().map(|agreement| agreement.currency)
    }

    /// The names of all agreements.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.agreements.keys().map(String::as_str)
    }

    /// How many lots one lot of a type of account counts for: one, unless the rules say otherwise.
    pub fn lot_factor(&self, account_type: &str) -> Decimal {
        self.lots.get(account_type).copied().unwrap_or(Decimal::ONE)
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<PartnerAgreements> {
    let object = node.object(&["depth_max", "close_after", "symbols", "lots", "payouts", "agreements"], faults)?;
    let depth_max = object.need("depth_max", faults).and_then(|node| node.whole(1..=DEPTH_MAX, faults));
    let close_after =
        object.need("close_after", faults).and_then(|node| node.span(Seconds(0)..=CLOSE_AFTER_MAX, faults));
    let symbols_at = object.need("symbols", faults);
    let groups = symbols_at.as_ref().map(symbols::declared_groups).unwrap_or_default();
    let symbols = symbols_at.and_then(|node| symbols::read(&node, faults));
    let lots = optional(object.get("lots"), |node| read_lots(&node, faults));
    let payouts = optional(object.get("payouts"), |node| payouts::read(&node, faults));
    let agreements = object.need("agreements", faults).and_then(|node| read_agreements(&node, &groups, faults));
    Some(PartnerAgreements {
        depth_max: depth_max?,
        close_after: close_after?,
        symbols: symbols?,
        payouts: payouts?.unwrap_or_default(),
        lots: lots?.unwrap_or_default(),
        agreements: agreements?,
    })
}

fn read_lots(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<String, Decimal>> {
    read_named(node, ACCOUNT_TYPES_MAX, faults, |factor, faults| {
        let number = number(factor, 6, Decimal::ONE_HUNDRED, faults)?;
        if number.is_zero() {
            faults
                .add(factor.fault("bad_range", "must be above zero: accounts that earn nothing are a row with rate 0"));
            return None;
        }
        Some(number)
    })
}

fn read_agreements(node: &Node<'_>, groups: &[String], faults: &mut Faults) -> Option<BTreeMap<String, Agreement>> {
    read_named(node, AGREEMENTS_MAX, faults, |node, faults| agreement::read(node, groups, faults))
}

/// Reads an object whose keys are names; each value is read, also after a faulty one.
fn read_named<T>(
    node: &Node<'_>,
    most: usize,
    faults: &mut Faults,
    mut read: impl FnMut(&Node<'_>, &mut Faults) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let object = node.map(faults)?;
    if object.count() == 0 || object.count() > most {
        faults.add(node.fault("bad_count", format!("needs 1 to {most} entries")));
        return None;
    }
    let mut all = BTreeMap::new();
    for (name, node) in object.entries() {
        let good_name = crate::rules::is_rule_name(name);
        if !good_name {
            faults.add(node.fault("bad_name", "a name is lower-case letters, digits, _ and -"));
        }
        if let (Some(value), true) = (read(&node, faults), good_name) {
            all.insert(name.to_owned(), value);
        }
    }
    (all.len() == object.count()).then_some(all)
}

/// Reads a number from zero to a most.
fn number(node: &Node<'_>, decimals: u32, most: Decimal, faults: &mut Faults) -> Option<Decimal> {
    let number = node.decimal(faults)?.normalize();
    let fault = if number < Decimal::ZERO || number > most {
        node.fault("bad_range", format!("must be from 0 to {most}"))
    } else if number.scale() > decimals {
        node.fault("too_many_decimals", format!("has at most {decimals} decimals here"))
    } else {
        return Some(number);
    };
    faults.add(fault);
    None
}
