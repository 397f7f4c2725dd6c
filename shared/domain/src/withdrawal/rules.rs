//! The rule set `withdrawals`: how much may be taken out, what approves itself, and how long to wait for what.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Way;
use super::closed_loop::{self, ClosedLoop};
use super::payee::{self, PayeeRules};
use super::payout::PayoutLimits;
use crate::input::Fault;
use crate::rules::limits::{AmountRange, Lies, read_range};
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, FirstMatch, Replays, RuleError, RuleSet, first_match};
use crate::words::words;
use crate::{Country, Currency, Money, Seconds};

/// No wait of this set is longer.
const WAIT_MAX: Seconds = Seconds(90 * 86_400);
const KEYS: [&str; 9] = [
    "limits",
    "approval",
    "known_after",
    "return_to_source",
    "closed_loop",
    "payee",
    "platform_review_after",
    "payout_poll",
    "payout_review_after",
];

words! {
    /// How well a destination is known.
    Acquaintance {
        /// The payer of a deposit of the client's.
        Source = "source",
        /// The client was paid there before, long enough ago.
        Known = "known",
        /// Anywhere else.
        New = "new",
    }
}

words! {
    /// Who decides.
    Approval {
        /// The rules do.
        Approve = "approve",
        /// A person does.
        Ask = "ask",
    }
}

words! {
    /// What is done with money that is to go elsewhere although a payer could still get it back.
    ReturnToSource {
        /// It is refused, and the sources are named.
        Require = "require",
        /// Rows of `approval` may ask about it.
        Advise = "advise",
        /// It goes back to the payers up to what they brought, and only the rest goes there.
        Split = "split",
    }
}

/// What rows may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalCase {
    /// How well the destination is known.
    pub destination: Acquaintance,
    /// How the money gets there.
    pub way: Way,
    /// The provider's name.
    pub psp: String,
    /// The account's currency.
    pub currency: Currency,
    /// The amount.
    pub amount: Decimal,
    /// The client's withdrawals of the 24 hours before, this one not counted.
    pub count_24h: u32,
    /// What they come to in this currency.
    pub sum_24h: Decimal,
    /// Whether a payer of the client's deposits could still get money back, and this does not go to one.
    pub source_left: bool,
    /// Whether the client never asked for one before.
    pub first: bool,
    /// Where the client lives.
    pub country: Country,
    /// The type of the account.
    pub account_type: String,
    /// Compliance has a case of the client that is open and holds. Nobody else may learn it: rows that approve may ask, and no others, so that what
    /// is held goes to a row that asks a person of anybody.
    pub compliance_hold: bool,
}

/// The field of [`WithdrawalCase::compliance_hold`].
const HOLD: &str = "compliance_hold";

fn fields() -> Fields<WithdrawalCase> {
    Fields::new()
        .field("destination", |case: &WithdrawalCase| case.destination)
        .field("way", |case| case.way)
        // which providers there are is up to the set `psps`, which types to `platforms`: any word is taken here
        .field("psp", |case| case.psp.clone())
        .field("currency", |case| case.currency)
        .field("amount", |case| case.amount)
        .field("count_24h", |case| case.count_24h)
        .field("sum_24h", |case| case.sum_24h)
        .field("source_left", |case| case.source_left)
        .field("first", |case| case.first)
        .field("country", |case| case.country)
        .field("account_type", |case| case.account_type.clone())
}

/// What rows of `approval` may ask. Limits may not ask for a hold: it refuses nothing.
fn approval_fields() -> Fields<WithdrawalCase> {
    fields().field(HOLD, |case: &WithdrawalCase| case.compliance_hold)
}

/// The rule set `withdrawals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withdrawals {
    limits: Vec<Row<AmountRange>>,
    approval: Vec<Row<Approval>>,
    /// So long after the first payout a destination is known.
    pub known_after: Seconds,
    /// What is done with money that is to go elsewhere although a payer could still get it back.
    pub return_to_source: ReturnToSource,
    /// Which deposits are paid back to their payers.
    pub closed_loop: ClosedLoop,
    /// Whether who gets the money is the client; without it no provider is asked.
    pub payee: Option<PayeeRules>,
    /// A debit, or what is to be put back, of which the trading server does not say what became: a person looks after this.
    pub platform_review_after: Seconds,
    payout_poll: Seconds,
    payout_review_after: Seconds,
}

impl RuleSet for Withdrawals {
    const NAME: &'static str = "withdrawals";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Replays for Withdrawals {
    /// What waits because of a case of compliance.
    fn is_for_compliance(&self, facts: &Json) -> bool {
        let legs = facts.as_array().into_iter().flatten();
        legs.into_iter().any(|case| case.get(HOLD).and_then(Json::as_bool).unwrap_or(false))
    }

    /// What the rows say of each leg: the amount is refused, a person is asked about one of them, or all are approved. What else sends a
    /// withdrawal to a person, such as a payee who is not the client, is no question to rows.
    fn replay(&self, facts: &Json) -> Result<String, String> {
        let legs: Vec<WithdrawalCase> = serde_json::from_value(facts.clone()).map_err(|error| error.to_string())?;
        let mut verdict = Approval::Approve.as_str();
        for case in &legs {
            let amount = Money::new(case.amount, case.currency).map_err(|error| error.to_string())?;
            let limit = self.limit(case).map_err(|error| error.to_string())?;
            if !limit.outcome().is_some_and(|range| matches!(range.place(&amount), Lies::Inside)) {
                return Ok("refused".to_owned());
            }
            let approval = self.approval(case).map_err(|error| error.to_string())?;
            if approval.outcome().is_none_or(|who| *who == Approval::Ask) {
                verdict = Approval::Ask.as_str();
            }
        }
        Ok(verdict.to_owned())
    }
}

impl Withdrawals {
    /// How much one may be; no match means that there is none of this kind.
    ///
    /// # Errors
    /// [`RuleError`]: what cannot be judged is not taken.
    pub fn limit(&self, case: &WithdrawalCase) -> Result<FirstMatch<'_, AmountRange>, RuleError> {
        first_match(&self.limits, fields().facts(case))
    }

    /// Who decides; no match means a person.
    ///
    /// # Errors
    /// [`RuleError`]: what cannot be judged is not approved.
    pub fn approval(&self, case: &WithdrawalCase) -> Result<FirstMatch<'_, Approval>, RuleError> {
        first_match(&self.approval, approval_fields().facts(case))
    }

    /// How long is waited for a provider.
    pub fn payout_limits(&self) -> PayoutLimits {
        PayoutLimits { poll: self.payout_poll, review_after: self.payout_review_after }
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Withdrawals> {
    let object = node.object(&KEYS, faults)?;
    let schema = fields().schema(&[]);
    let limits = object.need("limits", faults).and_then(|rows| {
        read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, when, faults| read_range(then, when, &schema, faults))
    });
    let approval = object.need("approval", faults).and_then(|rows| {
        let schema = approval_fields().schema(&[]);
        let read = read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, when, faults| {
            let who = then.word(Approval::ALL, faults)?;
            if who == Approval::Ask && when.is_some_and(|when| when.asks(HOLD)) {
                let message =
                    "a row that asks a person would tell who is held: let rows that approve ask for it to be false";
                faults.add(then.fault("would_tell", message));
                return None;
            }
            Some(who)
        });
        let rows = (read, rows);
        if let (Some(read), node) = &rows
            && !read.last().is_some_and(|row| row.when.is_always())
        {
            faults
                .add(node.fault("no_net", "the last row must be `always`: of every withdrawal it is said who decides"));
        }
        rows.0
    });
    let mut span =
        |key: &str, min: Seconds| object.need(key, faults).and_then(|node| node.span(min..=WAIT_MAX, faults));
    let known_after = span("known_after", Seconds(0));
    let platform_review_after = span("platform_review_after", Seconds(60));
    let payout_poll = span("payout_poll", Seconds(60));
    let payout_review_after = span("payout_review_after", Seconds(60));
    let return_to_source = optional(object.get("return_to_source"), |node| node.word(ReturnToSource::ALL, faults));
    let closed_loop = optional(object.get("closed_loop"), |node| closed_loop::read(&node, faults));
    let payee = optional(object.get("payee"), |node| payee::read(&node, faults));
    if let (Some(poll), Some(review)) = (payout_poll, payout_review_after)
        && review <= poll
        && let Some(at) = object.get("payout_review_after")
    {
        let message = format!("payout_review_after ({review}) must be longer than payout_poll ({poll})");
        faults.add(at.fault("bad_range", message));
        return None;
    }
    Some(Withdrawals {
        limits: limits?,
        approval: approval?,
        known_after: known_after?,
        return_to_source: return_to_source?.unwrap_or(ReturnToSource::Advise),
        closed_loop: closed_loop?.unwrap_or(ClosedLoop::DEFAULT),
        payee: payee?,
        platform_review_after: platform_review_after?,
        payout_poll: payout_poll?,
        payout_review_after: payout_review_after?,
    })
}
