//! Accounts that open by rule, when a client registers or is approved: which, under ids that never change, and what a person is asked
//! about those that cannot be opened.

use serde::{Deserialize, Serialize};

use super::Account;
use super::rules::{OpeningCase, OpeningTrigger, Platforms};
use super::wish::{AccountRefusal, Placed, Wish};
use crate::client::Client;
use crate::decision::{Decision, Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::input::Fault;
use crate::kyc::levels::Level;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{AccountOpeningId, ClientId, Timestamp};

/// Longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 200;
/// The code of what the rules could not judge.
const RULE_ERROR: &str = "rule_error";

words! {
    /// What became of the accounts that could not be opened.
    OpeningStatus {
        /// A person is asked.
        Refused = "refused",
        /// A person has them tried again.
        Retrying = "retrying",
        /// They are asked for now.
        Opened = "opened",
        /// Nothing more is done about them.
        Closed = "closed",
    }
}

/// What a row of the rules wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowWish {
    /// The row.
    pub row: String,
    /// What it wants.
    pub wish: Wish,
}

/// An account that a row wants and that is not opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedWish {
    /// What is wanted.
    #[serde(flatten)]
    pub wanted: RowWish,
    /// Why not, in a word.
    pub code: String,
    /// And in some more.
    pub reason: String,
}

impl RefusedWish {
    fn new(wanted: RowWish, fault: &Fault) -> Self {
        let reason = fault.message.chars().take(REASON_CHARS_MAX).collect();
        Self { wanted, code: fault.code.to_owned(), reason }
    }

    fn line(&self) -> String {
        let Wish { platform, account_type, currency, kind, .. } = &self.wanted.wish;
        let what = format!("{kind} {account_type} in {currency} on {platform}", currency = currency.code());
        format!("openings/{}: {what}: {} ({})", self.wanted.row, self.code, self.reason)
    }
}

/// What the rules want for a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of every row that holds.
    pub wishes: Vec<RowWish>,
    /// Of rows that could not be judged.
    pub refused: Vec<RefusedWish>,
}

impl Wanted {
    /// What the rows that hold want. A row that cannot be judged costs the others nothing.
    pub fn of(rules: &Platforms, client: &Client, trigger: OpeningTrigger) -> Self {
        let mut wanted = Self::default();
        for (row, holds) in rules.openings_for(&OpeningCase::of(client, trigger)) {
            let wish = RowWish { row: row.id.clone(), wish: row.then.clone() };
            match holds {
                Ok(true) => wanted.wishes.push(wish),
                Ok(false) => {}
                Err(fault) => {
                    let fault = Fault::new("", RULE_ERROR, fault.to_string());
                    wanted.refused.push(RefusedWish::new(wish, &fault));
                }
            }
        }
        wanted
    }

    /// Whether nothing is wanted, and nothing is wrong either.
    pub fn is_nothing(&self) -> bool {
        self.wishes.is_empty() && self.refused.is_empty()
    }
}

/// What is done about what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Openings {
    /// The accounts that are asked for now.
    pub accounts: Vec<Decision<Account>>,
    /// Those that were refused before and open after all, each to be saved over what it is decided on.
    pub after_all: Vec<Decision<Account>>,
    /// Those that cannot be.
    pub refused: Vec<RefusedWish>,
}

/// What an opening is decided by.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Whose accounts.
    pub client: &'a Client,
    /// The rules.
    pub rules: &'a Platforms,
    /// What sets it off.
    pub trigger: OpeningTrigger,
    /// How far the client is verified, where that binds anybody.
    pub level: Option<&'a Level>,
    /// Whether what set the opening off is still so: an approval may have been taken back before a person has it tried again.
    pub still_so: bool,
    /// The moment.
    pub now: Timestamp,
}

/// Asks for what is wanted and not there yet. `held` are the client's accounts and those that have the id of a wish, whatever became of
/// them: what was opened by rule once is not opened again, and who has such an account already gets no second one. What was refused before
/// it was created was never opened.
pub fn decide(wanted: &Wanted, known: Known<'_>, held: &[Account]) -> Openings {
    let mut held = held.to_vec();
    let mut openings = Openings { accounts: vec![], after_all: vec![], refused: wanted.refused.clone() };
    for asked in &wanted.wishes {
        let id = asked.wish.id_for(known.client);
        let refused = held.iter().position(|account| account.id == id && account.opens_after_all());
        let is_there = |account: &Account| match account.id == id {
            true => !account.opens_after_all(),
            false => account.is_held() && asked.wish.is_met_by(account),
        };
        if held.iter().any(is_there) {
            continue;
        }
        let others: Vec<Account> = held.iter().filter(|account| account.id != id).cloned().collect();
        match placed(asked, known, &others) {
            Ok(Placed { why, .. }) if let Some(at) = refused => {
                let decision = held.remove(at).requested_after_all(why, known.now);
                held.push(decision.next.clone());
                openings.after_all.push(decision);
            }
            Ok(Placed { account, why, .. }) => {
                let decision = account.requested(why);
                held.push(decision.next.clone());
                openings.accounts.push(decision);
            }
            Err(fault) => openings.refused.push(RefusedWish::new(asked.clone(), &fault)),
        }
    }
    openings
}

fn placed(asked: &RowWish, known: Known<'_>, held: &[Account]) -> Result<Placed, Fault> {
    let Known { client, rules, trigger, level, still_so, now } = known;
    let broken = |error: &dyn std::fmt::Display| Fault::new("", RULE_ERROR, error.to_string());
    let not_on_offer = || Fault::new("", "not_on_offer", "there is no such account on offer");
    if !still_so {
        return Err(Fault::new("", "no_longer_approved", "the client is not approved any more"));
    }
    if !asked.wish.is_on_offer(rules) {
        return Err(not_on_offer());
    }
    let (wish, capped) = asked.wish.clone().capped(client, rules).map_err(|error| broken(&error))?;
    let mut placed = wish.placed(client, rules, asked.wish.id_for(client), now).map_err(|refusal| match refusal {
        AccountRefusal::Faults(faults) => faults.into_iter().next().unwrap_or_else(not_on_offer),
        AccountRefusal::NotOnOffer => not_on_offer(),
        AccountRefusal::Rules(error) => broken(&error),
    })?;
    let refused = placed.too_many(held, rules, now);
    if let Some(fault) = level.and_then(|level| level.refuses_account(&placed.account)).or(refused) {
        return Err(fault);
    }
    placed.account.inner.opened_by = Some(trigger);
    placed.why.insert(0, format!("openings: {}", asked.row));
    placed.why.extend(capped);
    placed.why.extend(level.into_iter().flat_map(|level| level.why.iter().cloned()));
    Ok(placed)
}

impl Wish {
    /// The wish with no more leverage than the client may have, and a line that says so.
    fn capped(self, client: &Client, rules: &Platforms) -> Result<(Self, Option<String>), crate::rules::RuleError> {
        let found = rules.max_leverage(&self.case(client.facts.residence))?;
        Ok(match found.outcome() {
            Some(row) if row.max < self.leverage => {
                let line = format!("leverage {} is capped at {}", self.leverage, row.max);
                (Self { leverage: row.max, ..self }, Some(line))
            }
            _ => (self, None),
        })
    }
}

/// The public part: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOpeningFacts {
    /// What set it off.
    pub trigger: OpeningTrigger,
    /// What became of it.
    pub status: OpeningStatus,
    /// The accounts that were not opened.
    pub refused: Vec<RefusedWish>,
    /// What a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// How often a person was asked: what was decided before is about another refusal.
    pub asked: u32,
}

/// Accounts that the rules want for a client and that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOpening {
    /// Derived from the event that set it off.
    pub id: AccountOpeningId,
    /// Whose accounts.
    pub client_id: ClientId,
    /// What events carry.
    pub facts: AccountOpeningFacts,
}

impl AccountOpening {
    /// The id of what an event set off.
    pub fn id_of(event_id: &str, at: Timestamp) -> AccountOpeningId {
        AccountOpeningId::from_bits(derived_bits(at, &["account_opening", event_id]))
    }

    /// A person is asked about what could not be opened.
    pub fn refused(
        id: AccountOpeningId,
        client_id: ClientId,
        trigger: OpeningTrigger,
        refused: Vec<RefusedWish>,
    ) -> Decision<Self> {
        let status = OpeningStatus::Refused;
        let facts = AccountOpeningFacts { trigger, status, refused: vec![], review: None, asked: 0 };
        Self { id, client_id, facts }.asks(refused)
    }

    fn asks(mut self, refused: Vec<RefusedWish>) -> Decision<Self> {
        let why = refused.iter().map(RefusedWish::line).collect();
        self.facts.status = OpeningStatus::Refused;
        self.facts.asked = self.facts.asked.saturating_add(1);
        self.facts.review = Some(Review::of(WorkKind::AccountOpeningRefused, format!("asked:{}", self.facts.asked)));
        self.facts.refused = refused;
        Decision::new(self, "refused", vec!["desk.item"], why)
    }

    /// What is to be tried again, if a person said so. Of a row that could not be judged nobody knows yet whether the client is to have
    /// its account, so it is judged again; where it does not hold now, or is gone, nothing is wanted.
    pub fn again(&self, rules: &Platforms, client: &Client) -> Option<Wanted> {
        if !self.is_retried() {
            return None;
        }
        let (unjudged, refused): (Vec<_>, Vec<_>) =
            self.facts.refused.iter().partition(|refused| refused.code == RULE_ERROR);
        let mut again =
            Wanted { wishes: refused.iter().map(|refused| refused.wanted.clone()).collect(), refused: vec![] };
        let now = Wanted::of(rules, client, self.facts.trigger);
        let is_unjudged = |row: &str| unjudged.iter().any(|refused| refused.wanted.row == row);
        again.wishes.extend(now.wishes.into_iter().filter(|wish| is_unjudged(&wish.row)));
        again.refused.extend(now.refused.into_iter().filter(|refused| is_unjudged(&refused.wanted.row)));
        Some(again)
    }

    /// Whether a person had it tried again, and nobody has yet.
    pub fn is_retried(&self) -> bool {
        self.facts.status == OpeningStatus::Retrying
    }

    /// What the second attempt came to.
    pub fn tried_again(&self, refused: Vec<RefusedWish>) -> Decision<Self> {
        let mut next = self.clone();
        if !refused.is_empty() {
            return next.asks(refused);
        }
        next.facts.status = OpeningStatus::Opened;
        next.facts.refused = vec![];
        Decision::new(next, "opened", vec![], vec![])
    }

    /// Applies a person's decision on the item that it waits for.
    pub fn decided(&self, decision: &HumanDecision, _: Timestamp) -> Verdict<Self> {
        let waits = |review: &Review| decision.is_about(&review.kind, &review.trigger);
        if !self.facts.review.as_ref().is_some_and(waits) {
            return Verdict::Nothing("the opening does not wait for this decision; it is kept with the work item");
        }
        let mut next = self.clone();
        next.facts.review = None;
        let why = vec![decision.why()];
        if decision.action() == Some(WorkAction::Retry) {
            next.facts.status = OpeningStatus::Retrying;
            return Verdict::change(next, "retrying", vec!["account_opening.retried"], why);
        }
        next.facts.status = OpeningStatus::Closed;
        Verdict::change(next, "closed", vec![], why)
    }
}

impl Entity for AccountOpening {
    type Id = AccountOpeningId;
    type Table = InCrm;
    type Public = AccountOpeningFacts;
    type Private = ();
    const KIND: &'static str = "account_opening";

    fn id(&self) -> &AccountOpeningId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &AccountOpeningFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, facts: parts.public })
    }
}
