//! The part `routing` of the rule set `psps`.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::health::{FAILURES_MAX, Failing};
use super::{Cost, fields};
use crate::rules::read::{Faults, Node, optional};
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Facts, FirstMatch, RuleError, first_match};
use crate::{Currency, Seconds};

/// Providers of one row: more are never tried for one payer.
const NAMES_MAX: usize = 30;
/// Decimals of a cost in per cent: what it is multiplied with is kept to the last digit.
const PER_CENT_DECIMALS_MAX: u32 = 6;
/// Nobody is put last for longer.
const PUT_LAST_MAX: Seconds = Seconds(86_400);
/// Three in a row within five minutes, for ten, where the rules say nothing.
const FAILING: Failing = Failing { failures: 3, within: Seconds(300), put_last_for: Seconds(600) };

/// Names of providers: groups, best first, of equals.
type Groups = Vec<Vec<String>>;
/// By provider and currency.
type Costs = BTreeMap<String, BTreeMap<Currency, Cost>>;

/// Over which provider a deposit goes whose request names none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Routing {
    costs: Costs,
    order: Vec<Row<Groups>>,
    failing: Failing,
}

impl Routing {
    pub(super) fn order(&self, facts: Facts) -> Result<FirstMatch<'_, Groups>, RuleError> {
        first_match(&self.order, facts)
    }

    pub(super) fn cost_of(&self, psp: &str, currency: Currency) -> Option<&Cost> {
        self.costs.get(psp)?.get(&currency)
    }

    /// From when on a provider that fails is put last.
    pub fn failing(&self) -> Failing {
        self.failing
    }
}

/// Reads it; `names` are those of the set's providers.
pub(in crate::payment) fn read(node: &Node<'_>, names: &[String], faults: &mut Faults) -> Option<Routing> {
    let object = node.object(&["costs", "order", "failing"], faults)?;
    let costs = optional(object.get("costs"), |node| read_costs(&node, names, faults));
    let schema = fields().schema(&[]);
    let order = object.need("order", faults).and_then(|rows| {
        read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_groups(then, names, faults))
    });
    let failing = optional(object.get("failing"), |node| read_failing(&node, faults));
    Some(Routing { costs: costs?.unwrap_or_default(), order: order?, failing: failing?.unwrap_or(FAILING) })
}

fn read_groups(node: &Node<'_>, names: &[String], faults: &mut Faults) -> Option<Groups> {
    let mut taken: Vec<String> = Vec::new();
    node.each(1..=NAMES_MAX, faults, |group, faults| {
        group.each(1..=NAMES_MAX, faults, |name, faults| {
            let known = name.reference("payment provider", names, faults)?;
            if taken.contains(&known) {
                faults.add(name.fault("duplicate", format!("`{known}` is in this row twice")));
                return None;
            }
            taken.push(known.clone());
            Some(known)
        })
    })
}

fn read_costs(node: &Node<'_>, names: &[String], faults: &mut Faults) -> Option<Costs> {
    let object = node.map(faults)?;
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    object.refuse_other_keys(&known, "missing_reference", faults);
    let mut costs = Costs::new();
    for (psp, at) in object.entries() {
        costs.insert(psp.to_owned(), read_costs_of(&at, faults)?);
    }
    Some(costs)
}

fn read_costs_of(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<Currency, Cost>> {
    let object = node.map(faults)?;
    let mut costs = BTreeMap::new();
    for (code, at) in object.entries() {
        let Ok(currency) = code.parse::<Currency>() else {
            faults.add(at.fault("unknown_currency", format!("`{code}` is not an ISO 4217 currency code")));
            continue;
        };
        let Some(cost) = at.object(&["fixed", "per_cent"], faults) else { continue };
        let fixed = optional(cost.get("fixed"), |at| not_negative(&at, currency.digits(), None, faults));
        let per_cent = optional(cost.get("per_cent"), |at| {
            not_negative(&at, PER_CENT_DECIMALS_MAX, Some(Decimal::ONE_HUNDRED), faults)
        });
        let (Some(fixed), Some(per_cent)) = (fixed, per_cent) else { continue };
        costs.insert(currency, Cost { fixed: fixed.unwrap_or_default(), per_cent: per_cent.unwrap_or_default() });
    }
    (costs.len() == object.count()).then_some(costs)
}

/// A decimal from nothing on, no finer than so many decimals.
pub(in crate::payment) fn not_negative(
    node: &Node<'_>,
    decimals: u32,
    most: Option<Decimal>,
    faults: &mut Faults,
) -> Option<Decimal> {
    let number = node.decimal(faults)?.normalize();
    let fault = if number < Decimal::ZERO {
        node.fault("bad_range", "must not be below zero")
    } else if let Some(most) = most.filter(|most| number > *most) {
        node.fault("bad_range", format!("must be at most {most}"))
    } else if number.scale() > decimals {
        node.fault("too_many_decimals", format!("has at most {decimals} decimals here"))
    } else {
        return Some(number);
    };
    faults.add(fault);
    None
}

fn read_failing(node: &Node<'_>, faults: &mut Faults) -> Option<Failing> {
    let object = node.object(&["failures", "within", "put_last_for"], faults)?;
    let failures = object.need("failures", faults).and_then(|node| node.whole(1..=FAILURES_MAX, faults));
    let mut span = |key: &str| object.need(key, faults).and_then(|node| node.span(Seconds(1)..=PUT_LAST_MAX, faults));
    let (within, put_last_for) = (span("within"), span("put_last_for"));
    Some(Failing { failures: failures?, within: within?, put_last_for: put_last_for? })
}
