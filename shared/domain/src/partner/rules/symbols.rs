//! What the broker's symbols stand for. A symbol that nobody mapped is an exception for a person, never a trade that earns nothing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::number;
use crate::Currency;
use crate::rules::read::{Faults, Node, optional};

const SYMBOLS_MAX: usize = 5_000;
const SYMBOL_CHARS_MAX: usize = 32;
const SUFFIXES_MAX: usize = 50;
const DECIMALS: u32 = 8;
const CONTRACT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const SPREAD_MAX: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// What is traded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// What rows call its kind.
    pub group: String,
    /// The currency in which it makes profit.
    pub currency: Currency,
    /// Units of a lot, where a deal does not say so itself.
    pub contract: Decimal,
    /// The smallest step of its price.
    pub point: Decimal,
    /// What traders call a pip of it.
    pub pip: Decimal,
    /// Its usual spread in points, where a platform gives none.
    pub spread: Option<Decimal>,
}

/// Instruments, other names for them, and what account groups append to names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    suffixes: Vec<String>,
    names: BTreeMap<String, String>,
    instruments: BTreeMap<String, Instrument>,
}

impl Symbols {
    /// The instrument that a platform's symbol stands for, and its name: the symbol itself, another name of it, or either with one of
    /// the suffixes, the longest first.
    pub fn find(&self, symbol: &str) -> Option<(&str, &Instrument)> {
        let named = |symbol: &str| {
            let name = self.names.get(symbol).map_or(symbol, String::as_str);
            self.instruments.get_key_value(name).map(|(name, instrument)| (name.as_str(), instrument))
        };
        named(symbol).or_else(|| self.suffixes.iter().filter_map(|suffix| symbol.strip_suffix(suffix)).find_map(named))
    }
}

/// The groups that instruments name, also where the rest of them cannot be read.
pub(super) fn declared_groups(node: &Node<'_>) -> Vec<String> {
    let instruments = node.raw().get("instruments").and_then(|node| node.as_object());
    let group =
        |instrument: &serde_json::Value| instrument.get("group").and_then(|name| name.as_str()).map(str::to_owned);
    let mut groups: Vec<String> = instruments.into_iter().flat_map(|all| all.values().filter_map(group)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Symbols> {
    let object = node.object(&["suffixes", "names", "instruments"], faults)?;
    let suffixes = optional(object.get("suffixes"), |node| {
        node.distinct(0..=SUFFIXES_MAX, faults, |item, faults| Some(item.line(SYMBOL_CHARS_MAX, faults)?.to_owned()))
    });
    let instruments_at = object.need("instruments", faults);
    let declared = instruments_at.as_ref().map(Node::declared).unwrap_or_default();
    let instruments = instruments_at.and_then(|node| read_symbols(&node, faults, read_instrument));
    let names = optional(object.get("names"), |node| {
        read_symbols(&node, faults, |item, faults| item.reference("instrument", &declared, faults))
    });
    let mut suffixes = suffixes?.unwrap_or_default();
    suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
    Some(Symbols { suffixes, names: names?.unwrap_or_default(), instruments: instruments? })
}

/// Reads an object whose keys are symbols as platforms write them.
fn read_symbols<T>(
    node: &Node<'_>,
    faults: &mut Faults,
    mut read: impl FnMut(&Node<'_>, &mut Faults) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let object = node.map(faults)?;
    if object.count() > SYMBOLS_MAX {
        faults.add(node.fault("too_many", format!("at most {SYMBOLS_MAX} symbols are allowed")));
        return None;
    }
    let mut all = BTreeMap::new();
    for (symbol, node) in object.entries() {
        let good = (1..=SYMBOL_CHARS_MAX).contains(&symbol.len()) && symbol.bytes().all(|b| b.is_ascii_graphic());
        if !good {
            faults
                .add(node.fault("bad_symbol", format!("a symbol is 1 to {SYMBOL_CHARS_MAX} visible ASCII characters")));
        }
        if let (Some(value), true) = (read(&node, faults), good) {
            all.insert(symbol.to_owned(), value);
        }
    }
    (all.len() == object.count()).then_some(all)
}

fn read_instrument(node: &Node<'_>, faults: &mut Faults) -> Option<Instrument> {
    let object = node.object(&["group", "currency", "contract", "point", "pip", "spread"], faults)?;
    let group = object.need("group", faults).and_then(|node| node.name(faults));
    let currency = object.need("currency", faults).and_then(|node| node.currency(faults));
    let mut above_zero = |key: &str, most: Decimal| {
        let at = object.need(key, faults)?;
        let number = number(&at, DECIMALS, most, faults)?;
        if number.is_zero() {
            faults.add(at.fault("bad_range", "must be above zero"));
        }
        (!number.is_zero()).then_some(number)
    };
    let contract = above_zero("contract", CONTRACT_MAX);
    let point = above_zero("point", CONTRACT_MAX);
    let pip = above_zero("pip", CONTRACT_MAX);
    let spread = optional(object.get("spread"), |node| number(&node, DECIMALS, SPREAD_MAX, faults));
    Some(Instrument {
        group: group?,
        currency: currency?,
        contract: contract?,
        point: point?,
        pip: pip?,
        spread: spread?,
    })
}
