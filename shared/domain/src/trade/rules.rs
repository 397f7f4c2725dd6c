//! The rule set `trading`: how deals come in, which instrument a symbol is, and the currency that clients' figures are compared in.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use super::feed::Pace;
use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::{Currency, Seconds};

/// Bridges sign the moment of sending: no message of an hour ago is one.
const TOLERANCE_MAX: Seconds = Seconds(3_600);
/// A trading server is fragile.
const EVERY: std::ops::RangeInclusive<Seconds> = Seconds(60)..=Seconds(86_400);
const GROUPS_MAX: usize = 200;
const SYMBOLS_MAX: usize = 2_000;
const SUFFIXES_MAX: usize = 50;
const SYMBOL_CHARS_MAX: usize = 64;

/// Instruments that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstrumentGroup {
    /// Its name in answers and agreements.
    pub name: String,
    /// The symbols, without the endings of account types.
    pub symbols: Vec<String>,
    /// Units of a lot.
    pub contract_size: Decimal,
}

/// The rule set `trading`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradingRules {
    /// Where the secret is kept that bridges sign with.
    pub push_secret: String,
    /// How far the clocks of bridges may be off.
    pub push_tolerance: Seconds,
    /// How often the deals of all accounts of a server are fetched.
    pub fetch: Pace,
    /// The currency that amounts are compared in.
    pub base_currency: Currency,
    suffixes: Vec<String>,
    groups: Vec<InstrumentGroup>,
    /// Units of a lot of what is in no group.
    pub contract_size: Decimal,
}

impl RuleSet for TradingRules {
    const NAME: &'static str = "trading";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl TradingRules {
    /// The group of a symbol as the platform writes it; none where it is in no group.
    pub fn group_of(&self, symbol: &str) -> Option<&InstrumentGroup> {
        let named = |name: &str| {
            self.groups.iter().find(|group| group.symbols.iter().any(|own| own.eq_ignore_ascii_case(name)))
        };
        named(symbol).or_else(|| {
            let endings = self.suffixes.iter().filter_map(|suffix| without(symbol, suffix));
            endings.filter(|name| !name.is_empty()).find_map(named)
        })
    }

    /// Units as lots of their instrument.
    pub fn lots_of(&self, symbol: &str, units: Decimal) -> Option<Decimal> {
        let size = self.group_of(symbol).map_or(self.contract_size, |group| group.contract_size);
        units.checked_div(size).map(|lots| lots.round_dp(super::deal::DIGITS_MAX).normalize())
    }
}

fn without<'a>(symbol: &'a str, suffix: &str) -> Option<&'a str> {
    let place = symbol.len().checked_sub(suffix.len())?;
    let ending = symbol.get(place..)?;
    ending.eq_ignore_ascii_case(suffix).then(|| symbol.get(..place)).flatten()
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<TradingRules> {
    let object = node.object(&["push", "fetch", "base_currency", "suffixes", "instruments", "otherwise"], faults)?;
    let push = object.need("push", faults).and_then(|node| read_push(&node, faults));
    let fetch = object.need("fetch", faults).and_then(|node| read_pace(&node, faults));
    let base_currency = object.need("base_currency", faults).and_then(|node| node.currency(faults));
    let suffixes = optional(object.get("suffixes"), |node| {
        node.distinct(0..=SUFFIXES_MAX, faults, |item, faults| item.line(SYMBOL_CHARS_MAX, faults).map(str::to_owned))
    });
    let groups = object.need("instruments", faults).and_then(|node| read_groups(&node, faults));
    let contract_size = object.need("otherwise", faults).and_then(|node| {
        let object = node.object(&["contract_size"], faults)?;
        object.need("contract_size", faults).and_then(|node| read_size(&node, faults))
    });
    let (push_secret, push_tolerance) = push?;
    Some(TradingRules {
        push_secret,
        push_tolerance,
        fetch: fetch?,
        base_currency: base_currency?,
        suffixes: suffixes?.unwrap_or_default(),
        groups: groups?,
        contract_size: contract_size?,
    })
}

fn read_push(node: &Node<'_>, faults: &mut Faults) -> Option<(String, Seconds)> {
    let object = node.object(&["secret", "tolerance"], faults)?;
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let tolerance = object.need("tolerance", faults).and_then(|node| node.span(Seconds(1)..=TOLERANCE_MAX, faults));
    Some((secret?, tolerance?))
}

fn read_pace(node: &Node<'_>, faults: &mut Faults) -> Option<Pace> {
    let object = node.object(&["every", "when_quiet"], faults)?;
    let every = object.need("every", faults).and_then(|node| node.span(EVERY, faults));
    let when_quiet = object.need("when_quiet", faults).and_then(|node| node.span(EVERY, faults));
    if when_quiet < every {
        faults.add(node.fault("out_of_range", "when_quiet must not be shorter than every"));
    }
    Some(Pace { every: every?, when_quiet: when_quiet? })
}

fn read_groups(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<InstrumentGroup>> {
    let groups = node.each(0..=GROUPS_MAX, faults, read_group)?;
    for (place, group) in groups.iter().enumerate() {
        let before = groups.iter().take(place);
        for known in before {
            if known.name == group.name {
                faults.add(node.fault("duplicate_name", format!("there are two groups `{}`", group.name)));
            }
            let twice = |symbol: &&String| known.symbols.iter().any(|own| own.eq_ignore_ascii_case(symbol));
            if let Some(symbol) = group.symbols.iter().find(twice) {
                let message = format!("{symbol} is in `{}` and in `{}`", known.name, group.name);
                faults.add(node.fault("duplicate_symbol", message));
            }
        }
    }
    Some(groups)
}

fn read_group(node: &Node<'_>, faults: &mut Faults) -> Option<InstrumentGroup> {
    let object = node.object(&["name", "symbols", "contract_size"], faults)?;
    let name = object.need("name", faults).and_then(|node| node.name(faults));
    let symbols = object.need("symbols", faults).and_then(|node| {
        node.distinct(1..=SYMBOLS_MAX, faults, |item, faults| item.line(SYMBOL_CHARS_MAX, faults).map(str::to_owned))
    });
    let contract_size = object.need("contract_size", faults).and_then(|node| read_size(&node, faults));
    Some(InstrumentGroup { name: name?, symbols: symbols?, contract_size: contract_size? })
}

fn read_size(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let size = node.decimal(faults)?;
    if size <= Decimal::ZERO {
        faults.add(node.fault("not_positive", "must be above zero"));
        return None;
    }
    Some(size)
}
