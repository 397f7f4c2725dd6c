//! Reckons an exported statement again from what stands in it: its lines, the trades that they are for, and the agreements as they were
//! accepted. It needs nothing else, so a partner can do it on his own machine.
//!
//! Of a line for a trade, base, row and rate follow from trade and agreement, and the amount from them; what was passed up or cut below
//! that stands on the line with its reason. What depends on other partners' rates or on the month's volume is taken from the line.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fine::round;
use super::line::LineModel;
use super::quote::{Counted, Quote, quote};
use super::rules::{Agreement, Model, PartnerAgreements, Pay, PayCase};
use super::statement::{Drawing, StatedLine, StatementFacts, masked, sealed};
use super::trade::Trade;
use crate::rules::RuleSet as _;
use crate::{AccrualLineId, MoneyError, StatementId};

/// Something with the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed<T> {
    /// The content.
    pub content: T,
    /// SHA-256 of it as JSON, in hexadecimal.
    pub hash: String,
}

impl<T: Serialize> Sealed<T> {
    /// Something with its hash.
    pub fn of(content: T) -> Self {
        let hash = sealed(&content);
        Self { content, hash }
    }

    fn is_whole(&self) -> bool {
        sealed(&self.content) == self.hash
    }
}

/// A trade as a statement shows it: whose it is stands on the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedTrade {
    /// The end of the client's id.
    pub client: String,
    /// The version of the rules by which symbols and lots were counted.
    pub counted_by: u64,
    /// The trade, without its client.
    #[serde(flatten)]
    pub trade: serde_json::Map<String, Value>,
}

impl StatedTrade {
    /// A trade as it is shown.
    pub fn of(trade: &Trade, counted_by: u64) -> Self {
        let whole = serde_json::to_value(trade).unwrap_or_default();
        let mut trade_fields = whole.as_object().cloned().unwrap_or_default();
        trade_fields.remove("client");
        Self { client: masked(trade.client.as_str()), counted_by, trade: trade_fields }
    }

    /// The trade again, of a client who is nobody.
    fn read(&self) -> Option<Trade> {
        let mut whole = self.trade.clone();
        whole.insert("client".to_owned(), json!(crate::ClientId::from_bits(0)));
        serde_json::from_value(Value::Object(whole)).ok()
    }
}

/// A statement as it is exported, whole or a page of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub statement_id: StatementId,
    /// Its head.
    #[serde(flatten)]
    pub head: StatementFacts,
    /// Its lines, by time, then id.
    pub lines: Vec<StatedLine>,
    /// Where the next page begins.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// The trades of the lines, as far as they are kept in the version that the line is for.
    #[serde(default)]
    pub trades: Vec<Sealed<StatedTrade>>,
    /// The partner's agreements, by `name@version`.
    #[serde(default)]
    pub agreements: BTreeMap<String, Sealed<Value>>,
    /// Symbols and lots, by the version of the rules.
    #[serde(default)]
    pub counting: BTreeMap<String, Sealed<Value>>,
}

/// Something that differs from what the rest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, if it is about one.
    pub line: Option<AccrualLineId>,
    /// What differs.
    pub what: String,
}

impl Finding {
    fn general(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }
}

/// What can be shown of the rules without what others agreed to.
pub fn counting_of(document: &Value) -> Value {
    json!({"symbols": document.get("symbols"), "lots": document.get("lots")})
}

/// Everything in which a statement differs from what follows from its own content. Pages of one statement are put together first.
pub fn verify(pages: &[Document]) -> Vec<Finding> {
    let Some(first) = pages.first() else { return vec![Finding::general("there is no statement")] };
    let mut found = Vec::new();
    if pages.iter().any(|page| page.head != first.head || page.statement_id != first.statement_id) {
        found.push(Finding::general("the pages are of different statements"));
    }
    let mut lines: BTreeMap<(crate::Timestamp, AccrualLineId), &StatedLine> = BTreeMap::new();
    for line in pages.iter().flat_map(|page| &page.lines) {
        if lines.insert((line.at, line.line_id.clone()), line).is_some() {
            found.push(Finding { line: Some(line.line_id.clone()), what: "is there twice".to_owned() });
        }
    }
    let lines: Vec<&StatedLine> = lines.into_values().collect();
    let evidence = Evidence::of(pages, &mut found);
    let by_id: BTreeMap<&AccrualLineId, &StatedLine> = lines.iter().map(|line| (&line.line_id, *line)).collect();
    for line in &lines {
        let mut say = |what: String| found.push(Finding { line: Some(line.line_id.clone()), what });
        if line.seal() != line.hash {
            say("its hash is another: something on it was changed".to_owned());
        }
        let reversed = line.reverses.as_ref().and_then(|id| by_id.get(id));
        if reversed.is_some_and(|reversed| reversed.amount.negated() != line.amount) {
            say("takes back another amount than the line it reverses".to_owned());
        }
        if let Err(what) = evidence.reckoned(line) {
            say(what);
        }
    }
    match whole(first, &lines) {
        Ok(differences) => found.extend(differences.into_iter().map(Finding::general)),
        Err(error) => found.push(Finding::general(format!("its sums cannot be: {error}"))),
    }
    found
}

/// Head, sums and hash against the lines.
fn whole(first: &Document, lines: &[&StatedLine]) -> Result<Vec<String>, MoneyError> {
    let head = &first.head;
    let mut drawing = Drawing::new(head.currency);
    for line in lines {
        drawing.take(line)?;
    }
    let mut found = Vec::new();
    let sums = drawing.sums(head.totals.paid)?;
    let closing = head.opening.checked_add(&sums.earned)?.checked_add(&sums.paid.negated())?;
    if u64::try_from(lines.len()) != Ok(head.lines_count) {
        found.push(format!("it has {} lines and should have {}", lines.len(), head.lines_count));
    }
    if sums != head.totals {
        found.push("its totals are not those of its lines".to_owned());
    }
    if closing != head.closing {
        found.push(format!("it closes with {}, and should with {closing}", head.closing));
    }
    if StatementId::of(&head.partner_id, head.period.begins(), head.currency.code()) != first.statement_id {
        found.push("its number is not that of the partner, month and currency".to_owned());
    }
    if head.seal(drawing.hashes()) != head.hash {
        found.push("its hash is another: something in it was changed".to_owned());
    }
    Ok(found)
}

/// What stands beside the lines.
struct Evidence {
    trades: BTreeMap<(String, u64), (Trade, u64)>,
    agreements: BTreeMap<String, Value>,
    counting: BTreeMap<u64, Value>,
}

impl Evidence {
    fn of(pages: &[Document], found: &mut Vec<Finding>) -> Self {
        let mut evidence = Self { trades: BTreeMap::new(), agreements: BTreeMap::new(), counting: BTreeMap::new() };
        let mut broken: BTreeSet<String> = BTreeSet::new();
        for page in pages {
            for sealed in &page.trades {
                match sealed.content.read().filter(|_| sealed.is_whole()) {
                    Some(trade) => {
                        evidence.trades.insert((trade.id.clone(), trade.version), (trade, sealed.content.counted_by));
                    }
                    None => {
                        let id = sealed.content.trade.get("id").and_then(Value::as_str).unwrap_or("?");
                        broken.insert(format!("the trade {id} was changed"));
                    }
                }
            }
            for (name, sealed) in &page.agreements {
                evidence.agreements.insert(name.clone(), sealed.content.clone());
                if !sealed.is_whole() {
                    broken.insert(format!("the agreement {name} was changed"));
                }
            }
            for (version, sealed) in &page.counting {
                if !sealed.is_whole() {
                    broken.insert(format!("symbols and lots of version {version} were changed"));
                }
                match version.parse() {
                    Ok(version) => drop(evidence.counting.insert(version, sealed.content.clone())),
                    Err(_) => drop(broken.insert(format!("{version} is no version"))),
                }
            }
        }
        let used: BTreeSet<u64> = evidence.trades.values().map(|(_, version)| *version).collect();
        let unused = evidence.counting.keys().filter(|version| !used.contains(version));
        broken.extend(unused.map(|version| format!("nothing was counted by version {version}")));
        let named = |name: &String| {
            let of = |line: &StatedLine| format!("{}@{}", line.agreement_id, line.agreement_version) == *name;
            pages.iter().flat_map(|page| &page.lines).any(of)
        };
        let strange = evidence.agreements.keys().filter(|name| !named(name));
        broken.extend(strange.map(|name| format!("no line is by the agreement {name}")));
        found.extend(broken.into_iter().map(Finding::general));
        evidence
    }

    /// The rules as far as the line needs them: his agreement of its version, symbols and lots as they were counted.
    fn rules(&self, line: &StatedLine, counted_by: u64) -> Result<PartnerAgreements, String> {
        let name = format!("{}@{}", line.agreement_id, line.agreement_version);
        let agreement = self.agreements.get(&name).ok_or_else(|| format!("the agreement {name} is not in the file"))?;
        let counting = self.counting.get(&counted_by);
        let counting =
            counting.ok_or_else(|| format!("symbols and lots of version {counted_by} are not in the file"))?;
        let mut document = json!({
            "depth_max": 1, "close_after": "0s", "symbols": counting.get("symbols"),
            "agreements": {(line.agreement_id.clone()): agreement},
        });
        if let (Some(lots), Some(all)) = (counting.get("lots").filter(|lots| !lots.is_null()), document.as_object_mut())
        {
            all.insert("lots".to_owned(), lots.clone());
        }
        PartnerAgreements::parse(&document).map_err(|_| format!("the agreement {name} cannot be read"))
    }

    /// What a line says against what follows from its own numbers, and from its trade and agreement where they are there.
    fn reckoned(&self, line: &StatedLine) -> Result<(), String> {
        let model = match line.model {
            LineModel::Lot => Model::Lot,
            LineModel::Commission => Model::Commission,
            LineModel::Points => Model::Points,
            LineModel::Spread => Model::Spread,
            LineModel::Notional => Model::Notional,
            LineModel::Revenue => return of_hundred(line, Decimal::ZERO),
            LineModel::Share => return of_hundred(line, Decimal::new(1, 6)),
            LineModel::Cpa => return same(line.amount.amount().abs(), line.rate, Decimal::ZERO),
            // two people decided it
            LineModel::Adjustment => return same(line.amount.amount(), line.base, Decimal::ZERO),
            // what a tier adds to a month follows from no single line
            LineModel::TrueUp => return Ok(()),
        };
        let key = line.trade_id.clone().zip(line.trade_version);
        let trade = key.and_then(|key| self.trades.get(&key));
        let Some((trade, counted_by)) = trade else { return of_its_numbers(line, divisor_of(model)) };
        let rules = self.rules(line, *counted_by)?;
        let terms = rules.agreement(&line.agreement_id).ok_or("the agreement is not there")?;
        let (pay_id, row_id) = line.rule_id.split_once('/').ok_or("its rule has no row")?;
        let pay = terms.pay.iter().find(|pay| pay.id == pay_id && pay.model == model);
        let pay = pay.ok_or_else(|| format!("the agreement has no `{pay_id}` of this model"))?;
        let (quotes, case) = told_by(trade, &rules, terms, pay, line.level)?;
        let found = pay.rate(&case).map_err(|error| error.to_string())?;
        let row = found.row().ok_or("no row of the agreement holds")?;
        if row.id != row_id || row.then != line.own_rate.unwrap_or(line.rate) {
            return Err(format!("by the agreement the row is {} with the rate {}", row.id, row.then));
        }
        if !quotes.iter().any(|quote| quote.base == line.base) {
            let bases: Vec<String> = quotes.iter().map(|quote| quote.base.to_string()).collect();
            return Err(format!("by the trade the base is {}", bases.join(" or ")));
        }
        of_its_numbers(line, divisor_of(model))
    }
}

/// What the model's rate is applied to, by each side of the trade, and what its rows are asked.
fn told_by(
    trade: &Trade,
    rules: &PartnerAgreements,
    terms: &Agreement,
    pay: &Pay,
    level: u32,
) -> Result<(Vec<Quote>, PayCase), String> {
    let (symbol, instrument) = rules.symbols.find(&trade.symbol).ok_or("its symbol is not mapped")?;
    let factor = rules.lot_factor(&trade.account_type);
    let mut quotes = Vec::new();
    for leg in trade.legs().map_err(|error| error.to_string())? {
        let lots = Counted::of(trade, &leg, factor, terms.filters.close_by);
        quotes.extend(quote(pay, trade, instrument, &lots, terms.currency).map_err(|error| error.to_string())?);
    }
    let case = PayCase {
        symbol: symbol.to_owned(),
        symbol_group: instrument.group.clone(),
        account_type: trade.account_type.clone(),
        platform: trade.platform,
        segment: trade.segment.clone(),
        country: trade.country,
        level,
    };
    Ok((quotes, case))
}

const fn divisor_of(model: Model) -> Decimal {
    match model {
        Model::Lot | Model::Points => Decimal::ONE,
        Model::Commission | Model::Spread => Decimal::ONE_HUNDRED,
        Model::Notional => Decimal::from_parts(10_000, 0, 0, false, 0),
    }
}

fn same(one: Decimal, other: Decimal, tolerance: Decimal) -> Result<(), String> {
    match one.saturating_sub(other).abs() <= tolerance {
        true => Ok(()),
        false => Err(format!("it says {one}, and its own numbers come to {other}")),
    }
}

/// Per cent of a base; never below zero.
fn of_hundred(line: &StatedLine, tolerance: Decimal) -> Result<(), String> {
    let share = line.base.saturating_mul(line.rate).checked_div(Decimal::ONE_HUNDRED).unwrap_or_default();
    let share = round(in_his_currency(line, share.max(Decimal::ZERO)));
    let amount = line.gross.unwrap_or(line.amount).amount().abs();
    // carried losses may be taken off the share itself
    if line.model == LineModel::Revenue && amount < share {
        return match line.why.iter().any(|why| why.starts_with("carried from before")) {
            true => Ok(()),
            false => same(amount, share, tolerance),
        };
    }
    same(amount, share, tolerance)
}

fn in_his_currency(line: &StatedLine, amount: Decimal) -> Decimal {
    let Some(fx) = &line.fx else { return amount };
    let to = line.amount.currency();
    let converted = if fx.quote == to { amount.checked_mul(fx.rate) } else { amount.checked_div(fx.rate) };
    converted.unwrap_or_default()
}

/// `base * rate / divisor * factor`, in his currency. A factor that was a mean over lots has eight decimals, and so has what it gives.
fn of_its_numbers(line: &StatedLine, divisor: Decimal) -> Result<(), String> {
    let exact = line.base.checked_mul(line.rate).and_then(|product| product.checked_div(divisor));
    let exact = in_his_currency(line, exact.ok_or("its numbers are too large")?);
    let gross = exact.checked_mul(line.factor).map(round).ok_or("its numbers are too large")?;
    let tolerance = match line.factor == Decimal::ONE {
        true => Decimal::ZERO,
        false => round(exact.abs().saturating_mul(Decimal::new(1, 8))).saturating_add(Decimal::new(1, 8)),
    };
    let sign = if line.reverses.is_some() { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
    same(line.gross.unwrap_or(line.amount).amount(), sign.saturating_mul(gross), tolerance)?;
    let (amount, most) = (line.amount.amount().abs(), line.gross.map_or(gross, |gross| gross.amount()).abs());
    match amount <= most.saturating_add(tolerance) {
        true => Ok(()),
        false => Err("it is more than its numbers come to".to_owned()),
    }
}
