//! A partner disputes lines of a statement. One person proposes what is put right and another one approves it; it is a line of its own on the
//! statement that is open then, once. The lines that were disputed stay as they are.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fine::Fine;
use super::line::{AgreementRef, Line, LineModel};
use super::period::Period;
use super::statement::Statement;
use crate::decision::Decision;
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::four_eyes::person;
use crate::input::{Fault, Reader};
use crate::payment::ticket::Reopened;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{AccrualLineId, Currency, DisputeId, Money, PartnerId, StatementId, Timestamp};

/// The most lines of one dispute: they are saved with it.
pub const LINES_MAX: usize = 20;
/// Longest reason, in characters.
const REASON_MAX: usize = 1_000;

words! {
    /// Where a dispute stands.
    DisputeStatus {
        /// People look at it.
        Open = "open",
        /// Something was put right.
        Adjusted = "adjusted",
        /// The lines stand.
        Declined = "declined",
    }
}

/// A line as it was disputed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputedLine {
    /// The line.
    pub line_id: AccrualLineId,
    /// What it says.
    pub amount: Fine,
}

/// What was put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// What the partner gets or, below zero, gives back.
    pub amount: Money,
    /// The line that says so.
    pub line_id: AccrualLineId,
    /// The month on whose statement it stands.
    pub period: Period,
    /// Who proposed it.
    pub by: String,
    /// Who approved it.
    pub approved_by: String,
    /// When it was booked.
    pub at: Timestamp,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeFacts {
    /// Whose.
    pub partner_id: PartnerId,
    /// The statement that the lines stand on.
    pub statement_id: StatementId,
    /// Its month.
    pub period: Period,
    /// Its currency.
    pub currency: Currency,
    /// By which the first of the lines was earned.
    pub agreement: AgreementRef,
    /// The lines.
    pub lines: Vec<DisputedLine>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What was put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// What people are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The work item whose decision could not be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Reopened>,
}

/// The private part: the words of people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeWords {
    /// What the partner says.
    pub reason: String,
    /// What he is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// What events may carry.
    pub facts: DisputeFacts,
    /// What they may not.
    pub words: DisputeWords,
}

/// What a partner sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which lines.
    pub lines: Vec<AccrualLineId>,
    /// Why.
    pub reason: String,
}

impl Claim {
    /// Reads `{lines: ["lin_…", …], reason}`.
    ///
    /// # Errors
    /// Every fault.
    pub fn read(body: &Value) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let reason = reader.string("reason").map(|text| reader.line("reason", text, REASON_MAX));
        let named = reader.optional_value("lines");
        let all = named.and_then(Value::as_array);
        let (count, mut lines) = (all.map_or(0, Vec::len), Vec::new());
        if !(1..=LINES_MAX).contains(&count) {
            let message = format!("must be a list of the ids of 1 to {LINES_MAX} lines");
            reader.fault_at("lines", if named.is_some() { "bad_count" } else { "missing" }, message);
        }
        for (place, id) in all.into_iter().flatten().enumerate() {
            let at = format!("lines/{place}");
            match id.as_str().and_then(|id| id.parse::<AccrualLineId>().ok()) {
                None => reader.fault_at(&at, "invalid_id", "is no line's id"),
                Some(id) if lines.contains(&id) => reader.fault_at(&at, "twice", "is there twice"),
                Some(id) => lines.push(id),
            }
        }
        let faults = reader.finish();
        match reason.filter(|_| faults.is_empty()) {
            Some(reason) => Ok(Self { lines, reason }),
            None => Err(faults),
        }
    }
}

/// The amount that a decision names as its evidence: in the currency's digits, not zero; with a minus the partner gives it back.
fn amount_of(decision: &HumanDecision, currency: Currency) -> Option<Money> {
    let amount = Money::parse(decision.evidence.as_deref()?, currency).ok()?;
    (!amount.amount().is_zero()).then_some(amount)
}

/// What is wrong with a decision before it is put before a second person: `note` is what was written with it.
pub fn faults_of(decision: &HumanDecision, currency: Currency, note: Option<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if decision.action() != Some(WorkAction::Adjust) {
        return faults;
    }
    if amount_of(decision, currency).is_none() {
        let digits = currency.digits();
        let message = format!(
            "must be the amount in {currency} with at most {digits} decimals, below zero where he gives it back"
        );
        faults.push(Fault::new("/evidence", "not_an_amount", message));
    }
    if note.is_none() {
        faults.push(Fault::new("/note", "missing", "say why: the partner reads it on his statement"));
    }
    faults
}

/// What a decision changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The dispute.
    pub decision: Decision<Dispute>,
    /// The line that puts it right.
    pub line: Option<Line>,
}

impl Dispute {
    /// The decision that raises it; of the lines, which stand on the statement, there is at least one.
    pub fn raised(
        id: DisputeId,
        statement: &Statement,
        (first, lines): (&Line, &[Line]),
        reason: String,
        now: Timestamp,
    ) -> Decision<Self> {
        let kind = WorkKind::PartnerDispute;
        let facts = DisputeFacts {
            partner_id: statement.facts.partner_id.clone(),
            statement_id: statement.id.clone(),
            period: statement.facts.period,
            currency: statement.facts.currency,
            agreement: first.agreement.clone(),
            lines: lines.iter().map(|line| DisputedLine { line_id: line.id.clone(), amount: line.amount }).collect(),
            raised_at: now,
            status: DisputeStatus::Open,
            adjusted: None,
            review: Some(Review::of(kind, format!("{kind}:{id}"))),
            reopened: None,
        };
        let named: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
        let why = vec![format!("{} lines of {}: {}", lines.len(), statement.id, named.join(", "))];
        let next = Self { id, facts, words: DisputeWords { reason, answer: None } };
        Decision::new(next, "raised", vec!["desk.item"], why)
    }

    /// What people decided, carried out once; nothing where it is over, or about something else. `note` is what the person who proposed it
    /// wrote, `open` the month whose statement is open, `item` the work item, which is opened again where the decision cannot be carried out.
    pub fn decided(
        &self,
        (decision, note): (&HumanDecision, Option<&str>),
        item: Reopened,
        (open, now): (Period, Timestamp),
    ) -> Option<Settled> {
        let is_own = |review: &Review| decision.is_about(&review.kind, &review.trigger);
        if self.facts.status != DisputeStatus::Open || !self.facts.review.as_ref().is_some_and(is_own) {
            return None;
        }
        let mut next = self.clone();
        next.facts.reopened = None;
        if decision.action() != Some(WorkAction::Adjust) {
            next.facts.status = DisputeStatus::Declined;
            next.facts.review = None;
            next.words.answer = note.map(str::to_owned);
            let decision = Decision::new(next, "declined", vec![], vec![decision.why()]);
            return Some(Settled { decision, line: None });
        }
        let approver = decision.approved_by.as_ref().filter(|by| person(by) != person(&decision.by));
        let told = approver.zip(amount_of(decision, self.facts.currency)).zip(note);
        let Some(((approver, amount), note)) = told else {
            if self.facts.reopened.as_ref() == Some(&item) {
                return None;
            }
            next.facts.reopened = Some(item);
            let why = vec!["an adjustment needs an amount, a reason and a second person".to_owned()];
            return Some(Settled { decision: Decision::new(next, "reopened", vec!["desk.reopened"], why), line: None });
        };
        let line = self.line(amount, note, (open, now));
        next.facts.status = DisputeStatus::Adjusted;
        next.facts.review = None;
        next.facts.adjusted = Some(Adjusted {
            amount,
            line_id: line.id.clone(),
            period: line.period,
            by: decision.by.clone(),
            approved_by: approver.clone(),
            at: now,
        });
        next.words.answer = Some(note.to_owned());
        let why = vec![decision.why(), format!("{amount} on the statement of {}", line.period)];
        Some(Settled { decision: Decision::new(next, "adjusted", vec![], why), line: Some(line) })
    }

    /// The line that puts it right. There is one at most: its id follows from the dispute's.
    fn line(&self, amount: Money, note: &str, (open, now): (Period, Timestamp)) -> Line {
        let facts = &self.facts;
        let about: Vec<&str> = facts.lines.iter().map(|line| line.line_id.as_str()).collect();
        Line {
            id: Line::id_of(facts.raised_at, &["dispute", self.id.as_str()]),
            partner: facts.partner_id.clone(),
            client: None,
            trade: None,
            at: now,
            period: open,
            counted_in: facts.period,
            level: 1,
            model: LineModel::Adjustment,
            agreement: facts.agreement.clone(),
            rule_id: format!("dispute/{}", self.id),
            base: amount.amount().normalize(),
            rate: Decimal::ONE,
            factor: Decimal::ONE,
            fx: None,
            amount: Fine::rounded(amount.amount(), amount.currency()),
            held_until: None,
            reverses: None,
            why: vec![note.to_owned(), format!("disputed: {} of {}", about.join(", "), facts.statement_id)],
            own_rate: None,
            gross: None,
            entered: Some(now),
        }
    }
}

impl Entity for Dispute {
    type Id = DisputeId;
    type Table = InPartners;
    type Public = DisputeFacts;
    type Private = DisputeWords;
    const KIND: &'static str = "dispute";

    fn id(&self) -> &DisputeId {
        &self.id
    }

    fn public(&self) -> &DisputeFacts {
        &self.facts
    }

    fn private(&self) -> &DisputeWords {
        &self.words
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, words: parts.private })
    }
}
