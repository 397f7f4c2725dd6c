//! A month's statement: opening, lines, sums, closing, and a hash over all of it. Whoever has the lines can draw it again.
//!
//! A line carries the hash of its own content, so that a changed digit is found on the line where it was changed. The statement's hash is
//! over its head and the hashes of its lines. It shows the end of a client's id alone, whoever asks: there is one statement, not two.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fine::Fine;
use super::line::{AgreementRef, Line, LineModel};
use super::period::Period;
use super::trade::TradeRate;
use crate::decision::Decision;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::{AccrualLineId, Currency, Money, MoneyError, PartnerId, StatementId, Timestamp};

/// How much of a client's id a partner sees.
const CLIENT_TAIL: usize = 4;

/// The sums of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// By what lines are for, not rounded.
    pub by_model: BTreeMap<LineModel, Fine>,
    /// By level, not rounded.
    pub by_level: BTreeMap<String, Fine>,
    /// All lines, not rounded.
    pub exact: Fine,
    /// The same in the currency's digits, rounded once.
    pub earned: Money,
    /// What rounding added or, below zero, took: `earned = exact + rounding`.
    pub rounding: Fine,
    /// What was paid out in the month.
    pub paid: Money,
}

/// The head of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementFacts {
    /// Whose.
    pub partner_id: PartnerId,
    /// Which month.
    pub period: Period,
    /// In which currency.
    pub currency: Currency,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// The closing of the month before.
    pub opening: Money,
    /// How many lines it has.
    pub lines_count: u64,
    /// The sums.
    pub totals: Sums,
    /// `opening + earned - paid`.
    pub closing: Money,
    /// SHA-256 of all above and of the hashes of its lines, in hexadecimal.
    pub hash: String,
}

/// A statement. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its id, which follows from partner, month and currency.
    pub id: StatementId,
    /// Its head; its lines stand by themselves.
    pub facts: StatementFacts,
}

/// A line as a statement shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are those of `Line`")]
pub struct StatedLine {
    pub line_id: AccrualLineId,
    pub at: Timestamp,
    pub entered: Option<Timestamp>,
    pub counted_in: Period,
    /// The end of his id.
    pub client: Option<String>,
    pub trade_id: Option<String>,
    pub trade_version: Option<u64>,
    pub model: LineModel,
    pub level: u32,
    pub agreement_id: String,
    pub agreement_version: u64,
    pub rule_id: String,
    pub base: Decimal,
    pub rate: Decimal,
    pub own_rate: Option<Decimal>,
    pub factor: Decimal,
    pub fx: Option<TradeRate>,
    pub gross: Option<Fine>,
    pub amount: Fine,
    pub held_until: Option<Date>,
    pub reverses: Option<AccrualLineId>,
    pub why: Vec<String>,
    /// SHA-256 of all above, in hexadecimal.
    #[serde(default)]
    pub hash: String,
}

/// SHA-256 of what something is as JSON, in hexadecimal.
pub(super) fn sealed(content: &impl Serialize) -> String {
    // plain data: what cannot be written has the hash of nothing, and no such hash verifies
    hex::encode(Sha256::digest(serde_json::to_vec(content).unwrap_or_default()))
}

/// The end of a client's id, by which a partner can tell his clients apart.
pub fn masked(client: &str) -> String {
    format!("…{}", client.get(client.len().saturating_sub(CLIENT_TAIL)..).unwrap_or_default())
}

impl StatedLine {
    /// A line as it is shown.
    pub fn of(line: &Line) -> Self {
        let mut stated = Self {
            line_id: line.id.clone(),
            at: line.at,
            entered: line.entered,
            counted_in: line.counted_in,
            client: line.client.as_ref().map(|client| masked(client.as_str())),
            trade_id: line.trade.as_ref().map(|trade| trade.id.clone()),
            trade_version: line.trade.as_ref().map(|trade| trade.version),
            model: line.model,
            level: line.level,
            agreement_id: line.agreement.id.clone(),
            agreement_version: line.agreement.version,
            rule_id: line.rule_id.clone(),
            base: line.base,
            rate: line.rate,
            own_rate: line.own_rate,
            factor: line.factor,
            fx: line.fx.clone(),
            gross: line.gross,
            amount: line.amount,
            held_until: line.held_until,
            reverses: line.reverses.clone(),
            why: line.why.clone(),
            hash: String::new(),
        };
        stated.hash = stated.seal();
        stated
    }

    /// The hash of its content.
    pub fn seal(&self) -> String {
        sealed(&Self { hash: String::new(), ..self.clone() })
    }

    /// The names of the columns of a table of lines: those of the fields.
    pub const COLUMNS: [&'static str; 24] = [
        "line_id",
        "at",
        "entered",
        "counted_in",
        "client",
        "trade_id",
        "trade_version",
        "model",
        "level",
        "agreement_id",
        "agreement_version",
        "rule_id",
        "base",
        "rate",
        "own_rate",
        "factor",
        "fx",
        "gross",
        "amount",
        "currency",
        "held_until",
        "reverses",
        "why",
        "hash",
    ];

    /// The line as a row of such a table.
    pub fn row(&self) -> [String; 24] {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let fx = self.fx.as_ref().map(|fx| format!("{}/{} {} {} {}", fx.base, fx.quote, fx.rate, fx.source, fx.at));
        [
            self.line_id.to_string(),
            self.at.to_string(),
            text(self.entered),
            self.counted_in.to_string(),
            self.client.clone().unwrap_or_default(),
            self.trade_id.clone().unwrap_or_default(),
            text(self.trade_version),
            self.model.to_string(),
            self.level.to_string(),
            self.agreement_id.clone(),
            self.agreement_version.to_string(),
            self.rule_id.clone(),
            self.base.to_string(),
            self.rate.to_string(),
            text(self.own_rate),
            self.factor.to_string(),
            fx.unwrap_or_default(),
            self.gross.map(|gross| gross.text()).unwrap_or_default(),
            self.amount.text(),
            self.amount.currency().code().to_owned(),
            text(self.held_until),
            text(self.reverses.as_ref()),
            self.why.join("; "),
            self.hash.clone(),
        ]
    }
}

/// A statement on its way: lines are taken one by one, in the order of their times and ids, and none is kept.
#[derive(Debug, Clone)]
pub struct Drawing {
    currency: Currency,
    by_model: BTreeMap<LineModel, Decimal>,
    by_level: BTreeMap<u32, Decimal>,
    /// What each agreement brought.
    pub by_agreement: BTreeMap<AgreementRef, Decimal>,
    exact: Decimal,
    lines: u64,
    hashes: Sha256,
}

impl Drawing {
    /// An empty one.
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            by_model: BTreeMap::new(),
            by_level: BTreeMap::new(),
            by_agreement: BTreeMap::new(),
            exact: Decimal::ZERO,
            lines: 0,
            hashes: Sha256::new(),
        }
    }

    /// Takes a line as it is shown.
    ///
    /// # Errors
    /// [`MoneyError`] of another currency, and of sums that cannot be.
    pub fn take(&mut self, line: &StatedLine) -> Result<(), MoneyError> {
        if line.amount.currency() != self.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = line.amount.amount();
        let add = |sum: &mut Decimal| {
            *sum = sum.checked_add(amount).ok_or(MoneyError::OutOfRange)?;
            Ok::<_, MoneyError>(())
        };
        add(self.by_model.entry(line.model).or_default())?;
        add(self.by_level.entry(line.level).or_default())?;
        let agreement = AgreementRef { id: line.agreement_id.clone(), version: line.agreement_version };
        add(self.by_agreement.entry(agreement).or_default())?;
        add(&mut self.exact)?;
        self.lines = self.lines.saturating_add(1);
        self.hashes.update(line.hash.as_bytes());
        self.hashes.update(b"\n");
        Ok(())
    }

    /// The sums of what was taken, with what was paid out.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn sums(&self, paid: Money) -> Result<Sums, MoneyError> {
        let fine = |amount: Decimal| Fine::rounded(amount, self.currency);
        let earned = fine(self.exact).money()?;
        let rounding = earned.amount().checked_sub(self.exact).ok_or(MoneyError::OutOfRange)?;
        Ok(Sums {
            by_model: self.by_model.iter().map(|(model, sum)| (*model, fine(*sum))).collect(),
            by_level: self.by_level.iter().map(|(level, sum)| (level.to_string(), fine(*sum))).collect(),
            exact: fine(self.exact),
            earned,
            rounding: fine(rounding),
            paid,
        })
    }

    /// The statement.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn finish(
        self,
        (partner, period): (&PartnerId, Period),
        (opening, paid): (Money, Money),
        drawn_at: Timestamp,
    ) -> Result<StatementFacts, MoneyError> {
        let totals = self.sums(paid)?;
        let closing = opening.checked_add(&totals.earned)?.checked_add(&paid.negated())?;
        let mut facts = StatementFacts {
            partner_id: partner.clone(),
            period,
            currency: self.currency,
            drawn_at,
            opening,
            lines_count: self.lines,
            totals,
            closing,
            hash: String::new(),
        };
        facts.hash = facts.seal(self.hashes);
        Ok(facts)
    }

    /// The hashes of the lines that were taken.
    pub(super) fn hashes(self) -> Sha256 {
        self.hashes
    }
}

impl StatementFacts {
    /// The hash of the head and of the lines' hashes.
    pub(super) fn seal(&self, lines: Sha256) -> String {
        let lines = hex::encode(lines.finalize());
        sealed(&(Self { hash: String::new(), ..self.clone() }, lines))
    }
}

impl Statement {
    /// The decision that draws it.
    pub fn drawn(facts: StatementFacts) -> Decision<Self> {
        let why =
            vec![format!("{} lines, {} earned, closes with {}", facts.lines_count, facts.totals.earned, facts.closing)];
        let id = StatementId::of(&facts.partner_id, facts.period.begins(), facts.currency.code());
        Decision::new(Self { id, facts }, "drawn", vec!["statement.drawn"], why)
    }
}

/// The list of a partner's statements, the newest last.
pub fn list_of(partner: &PartnerId) -> String {
    format!("statements#{partner}")
}

impl Entity for Statement {
    type Id = StatementId;
    type Table = InPartners;
    type Public = StatementFacts;
    type Private = ();
    const KIND: &'static str = "statement";

    fn id(&self) -> &StatementId {
        &self.id
    }

    fn rank(&self) -> Option<(String, String)> {
        Some((list_of(&self.facts.partner_id), format!("{}#{}", self.facts.period, self.facts.currency)))
    }

    fn public(&self) -> &StatementFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}
