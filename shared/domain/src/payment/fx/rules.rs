//! The rule set `fx`: where rates come from, which currencies are changed into which, and what that costs.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::{ROWS_MAX, Row, read_rows, unique_name};
use crate::rules::{Fields, FirstMatch, RuleError, RuleSet, first_match};
use crate::words::words;
use crate::{Country, Currency, Seconds};

/// All of them are asked within one run of the function that credits, each for a few seconds.
const SOURCES_MAX: usize = 4;
const CURRENCIES_MAX: usize = 200;
const PAIRS_MAX: usize = 100;
/// The ECB publishes on working days alone.
const ECB_STALE_AFTER: Seconds = Seconds(4 * 86_400);
const QUOTE_STALE_AFTER: Seconds = Seconds(60);
/// No rate that is older is one.
const STALE_AFTER_MAX: Seconds = Seconds(14 * 86_400);
/// Decimals of a markup: what it is multiplied with is kept to the last digit.
const MARKUP_DECIMALS_MAX: u32 = 6;
/// A quarter of the money is a slip of the pen.
const MARKUP_MAX: &str = "0.25";

words! {
    /// Whose protocol a source speaks.
    RateVendor {
        /// The reference rates of the European Central Bank.
        Ecb = "ecb",
        /// A live quote with bid and ask.
        Quote = "quote",
    }
}

/// Where rates come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateRule {
    /// Its name in `fx.source` of a payment.
    pub name: String,
    /// Whose protocol it speaks.
    pub vendor: RateVendor,
    /// Its interface, without a slash at the end.
    pub base_url: String,
    /// A rate that is older is not applied.
    pub stale_after: Seconds,
    /// The currencies that it has rates of.
    pub currencies: Vec<Currency>,
}

/// Any of these into any of those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Pairs {
    from: Vec<Currency>,
    to: Vec<Currency>,
}

/// What a markup may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FxCase {
    /// The currency that was paid.
    pub from: Currency,
    /// The account's.
    pub to: Currency,
    /// Where the client lives.
    pub country: Country,
    /// The type of the account.
    pub account_type: String,
    /// How much was paid.
    pub amount: Decimal,
}

fn fields() -> Fields<FxCase> {
    Fields::new()
        .field("from", |case: &FxCase| case.from)
        .field("to", |case| case.to)
        .field("country", |case| case.country)
        // which types there are is up to the set `platforms`: any word is taken here
        .field("account_type", |case| case.account_type.clone())
        .field("amount", |case| case.amount)
}

/// The rule set `fx`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FxRules {
    sources: Vec<RateRule>,
    pairs: Vec<Pairs>,
    markup: Vec<Row<Decimal>>,
}

impl RuleSet for FxRules {
    const NAME: &'static str = "fx";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl FxRules {
    /// Whether a deposit in one currency is taken for an account in another.
    pub fn covers(&self, from: Currency, to: Currency) -> bool {
        from != to && self.sources_for(from, to).next().is_some()
    }

    /// Every currency that is changed into one.
    pub fn taken_for(&self, to: Currency) -> Vec<Currency> {
        let mut all: Vec<Currency> = self.pairs.iter().flat_map(|pairs| pairs.from.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|from| self.covers(*from, to));
        all
    }

    /// The sources of a pair in the order in which they are asked; none where it is not allowed.
    pub fn sources_for(&self, from: Currency, to: Currency) -> impl Iterator<Item = &RateRule> {
        let allowed = self.pairs.iter().any(|pairs| pairs.from.contains(&from) && pairs.to.contains(&to));
        let has =
            move |source: &&RateRule| allowed && source.currencies.contains(&from) && source.currencies.contains(&to);
        self.sources.iter().filter(has)
    }

    /// The part that the client does not get; the rules have one for everything.
    ///
    /// # Errors
    /// [`RuleError`]: what cannot be judged is not changed.
    pub fn markup(&self, case: &FxCase) -> Result<FirstMatch<'_, Decimal>, RuleError> {
        first_match(&self.markup, fields().facts(case))
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<FxRules> {
    let object = node.object(&["sources", "pairs", "markup"], faults)?;
    let mut names = Vec::new();
    let sources = object
        .need("sources", faults)
        .and_then(|node| node.each(1..=SOURCES_MAX, faults, |source, faults| read_source(source, &mut names, faults)));
    let pairs_at = object.need("pairs", faults);
    let pairs = pairs_at.as_ref().and_then(|node| node.each(1..=PAIRS_MAX, faults, read_pairs));
    let markup = object.need("markup", faults).and_then(|node| read_markup(&node, faults));
    let rules = FxRules { sources: sources?, pairs: pairs?, markup: markup? };
    let missing = rules.without_source();
    if let (Some(at), false) = (pairs_at, missing.is_empty()) {
        let message = format!("no source has rates of {}", missing.join(", "));
        faults.add(at.fault("no_source", message));
        return None;
    }
    Some(rules)
}

impl FxRules {
    /// Pairs that are allowed and have no source.
    fn without_source(&self) -> Vec<String> {
        let all = self
            .pairs
            .iter()
            .flat_map(|pairs| pairs.from.iter().flat_map(|from| pairs.to.iter().map(move |to| (*from, *to))));
        let bad = all.filter(|(from, to)| from != to && !self.covers(*from, *to));
        bad.map(|(from, to)| format!("{from}/{to}")).collect()
    }
}

fn read_source(node: &Node<'_>, names: &mut Vec<String>, faults: &mut Faults) -> Option<RateRule> {
    let object = node.object(&["name", "vendor", "base_url", "stale_after", "currencies"], faults)?;
    let name = object.need("name", faults).and_then(|node| unique_name(&node, names, faults));
    let vendor = object.need("vendor", faults).and_then(|node| node.word(RateVendor::ALL, faults));
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let stale_after = optional(object.get("stale_after"), |node| node.span(Seconds(1)..=STALE_AFTER_MAX, faults));
    let currencies = object.need("currencies", faults).and_then(|node| currencies(&node, 2, faults));
    let vendor = vendor?;
    let usual = match vendor {
        RateVendor::Ecb => ECB_STALE_AFTER,
        RateVendor::Quote => QUOTE_STALE_AFTER,
    };
    Some(RateRule {
        name: name?,
        vendor,
        base_url: base_url?,
        stale_after: stale_after?.unwrap_or(usual),
        currencies: currencies?,
    })
}

fn currencies(node: &Node<'_>, least: usize, faults: &mut Faults) -> Option<Vec<Currency>> {
    node.distinct(least..=CURRENCIES_MAX, faults, Node::currency)
}

fn read_pairs(node: &Node<'_>, faults: &mut Faults) -> Option<Pairs> {
    let object = node.object(&["from", "to"], faults)?;
    let from = object.need("from", faults).and_then(|node| currencies(&node, 1, faults));
    let to = object.need("to", faults).and_then(|node| currencies(&node, 1, faults));
    Some(Pairs { from: from?, to: to? })
}

fn read_markup(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<Row<Decimal>>> {
    let rows = read_rows(node, &fields().schema(&[]), 1..=ROWS_MAX, faults, |then, _, faults| read_part(then, faults));
    if let Some(rows) = &rows
        && !rows.last().is_some_and(|row| row.when.is_always())
    {
        faults.add(node.fault("no_net", "the last row must be `always`: of every deposit it is said what it costs"));
        return None;
    }
    rows
}

fn read_part(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let part = node.decimal(faults)?.normalize();
    let most = Decimal::from_str_exact(MARKUP_MAX).unwrap_or_default();
    if part < Decimal::ZERO || part > most {
        faults.add(node.fault("bad_range", format!("must be from 0 to {MARKUP_MAX}: \"0.005\" is half a hundredth")));
        return None;
    }
    if part.scale() > MARKUP_DECIMALS_MAX {
        faults.add(node.fault("too_many_decimals", format!("has at most {MARKUP_DECIMALS_MAX} decimals")));
        return None;
    }
    Some(part)
}
