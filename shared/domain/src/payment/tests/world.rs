//! A small world around one deposit: a provider that talks, a trading platform that answers or does not, workers that
//! die anywhere, a timer, and a person. The deposit's decisions are the real ones.

use std::collections::BTreeSet;

use super::fixture::*;
use crate::decision::{Decision, Verdict};
use crate::entity::{self, Entity, Raw};
use crate::ledger::{LedgerAccount, Postings};
use crate::payment::rules::Psps;
use crate::payment::{
    CreditOutcome, CreditStep, Deposit, DepositStatus, DueStep, Found, GRACE, PollAnswer, PollLimits, PspReport,
};
use crate::work::HumanDecision;
use crate::work::rules::WorkKind;
use crate::{Money, Timestamp};

/// A worker's life in seconds: its function's time-out.
const WORKER_S: i64 = 30;
/// How long after the intent a call that was made may still be booked.
const LATE_S: i64 = 55;

/// A deal on the platform: its ticket and amount, under the deposit's reference.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub(super) ticket: String,
    pub(super) amount: Money,
}

/// What the platform does with a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Booked,
    BookedAnswerLost,
    BookedLate,
    Lost,
    NotApplied,
    Refused,
}

/// Where a worker is; each step reaches one thing outside.
#[derive(Debug, Clone)]
enum Place {
    /// It has loaded the deposit.
    Loaded,
    /// It has looked the reference up; `None` when that failed.
    Looked(Option<Found>),
    /// Its intent is saved.
    Intended,
    /// It has called.
    Called(CreditOutcome),
}

#[derive(Debug, Clone)]
struct Worker {
    /// `now` of its invocation.
    since: i64,
    loaded: Deposit,
    version: usize,
    place: Place,
}

/// The world.
pub(super) struct World {
    pub(super) deposit: Deposit,
    pub(super) version: usize,
    pub(super) now: i64,
    pub(super) rules: &'static Psps,
    pub(super) deals: Vec<Deal>,
    pub(super) history: Vec<Decision<Deposit>>,
    pub(super) items: BTreeSet<(String, String)>,
    pub(super) decided: BTreeSet<(String, String)>,
    late: Vec<(i64, Money)>,
    workers: Vec<Worker>,
    tickets: u32,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            deposit: pending(),
            version: 1,
            now: 0,
            rules: rules(),
            deals: vec![],
            history: vec![],
            items: BTreeSet::new(),
            decided: BTreeSet::new(),
            late: vec![],
            workers: vec![],
            tickets: 100,
        }
    }

    fn moment(&self) -> Timestamp {
        at(self.now)
    }

    /// Saves a decision made on a version; false when another version was saved since.
    fn save(&mut self, decision: Decision<Deposit>, on: usize) -> bool {
        if on != self.version {
            return false;
        }
        self.check(&decision);
        self.version += 1;
        self.deposit = decision.next.clone();
        self.history.push(decision);
        true
    }

    /// The laws of every single version.
    fn check(&mut self, decision: &Decision<Deposit>) {
        let next = &decision.next;
        let (public, private) = entity::write(next).unwrap();
        let raw = Raw::of::<Deposit>(next.id.as_str(), &public, private.as_deref());
        let read = entity::read(raw, next.client().cloned(), next.due());
        assert_eq!(read.as_ref().ok(), Some(next), "what is stored is what is read");
        match next.status() {
            DepositStatus::NeedsReview => {
                assert!(
                    next.inner.held.is_some() && next.facts.review.is_some(),
                    "a review names its item: {decision:?}"
                );
                assert_eq!(next.due, None);
            }
            status if status.is_settled() => assert_eq!(next.due, None, "{decision:?}"),
            _ => assert!(next.due.is_some(), "nobody would come back to it: {decision:?}"),
        }
        let asked = decision.events.iter().filter(|event| matches!(**event, "desk.item" | "deposit.needs_review"));
        match asked.count() {
            0 => {}
            1 => {
                let review = next.facts.review.clone().unwrap();
                assert!(review.kind.parse::<WorkKind>().is_ok(), "{review:?}");
                assert!(self.items.insert((review.kind.clone(), review.trigger.clone())), "asked before: {review:?}");
            }
            more => panic!("{more} questions in one version: {decision:?}"),
        }
        if decision.events.contains(&"deposit.credited") {
            let before = self.history.iter().filter(|decision| decision.events.contains(&"deposit.credited")).count();
            assert_eq!(before, 0, "booked twice: {decision:?}");
            let ticket = next.facts.platform.operation.as_deref().unwrap();
            let deal = self.deals.iter().find(|deal| deal.ticket == ticket).unwrap();
            assert_eq!(Some(deal.amount), next.facts.credited, "credited is what is on the platform");
        }
        self.check_ledger(decision);
        if decision.outcome == "crediting" {
            assert!(next.facts.paid.is_some_and(|paid| paid.is_positive()));
            assert_eq!(next.creditable().currency(), next.facts.requested.currency());
            assert!(!next.goes_back_whole(), "its money went back");
        }
    }

    /// What we owe the client is what stands on the platform: the credit, until somebody took it off; what went back
    /// meanwhile the client owes us.
    fn check_ledger(&self, decision: &Decision<Deposit>) {
        let next = &decision.next;
        let all =
            self.history.iter().chain([decision]).fold(Postings::none(), |all, one| all.with(one.postings.clone()));
        let currency = next.facts.credited.unwrap_or(next.facts.requested).currency();
        let on = |account: LedgerAccount| all.on(&account, currency).unwrap();
        let account = &next.facts.account_id;
        let credited = next.facts.credited.unwrap_or(Money::zero(currency));
        let debited = next.facts.credited.map_or(Money::zero(currency), |_| next.debited_sum());
        let standing = credited.checked_add(&debited.negated()).unwrap();
        assert_eq!(on(LedgerAccount::Client(account.clone())), standing.negated(), "{decision:?}");
        let gone = next.facts.credited.map_or(Money::zero(currency), |_| next.reversed_part());
        let owed = if gone.is_positive() || next.inner.debits.is_empty() {
            gone.checked_add(&debited.negated()).unwrap()
        } else {
            Money::zero(currency)
        };
        assert_eq!(on(LedgerAccount::Reversed(account.clone())), owed, "{decision:?}");
    }

    /// A webhook: load, decide, save.
    pub(super) fn tell(&mut self, report: &PspReport) {
        let verdict = self.deposit.hear(report, self.rules, self.moment());
        if let Verdict::Change(decision) = verdict {
            assert!(self.save(*decision, self.version));
        }
        let again = self.deposit.hear(report, self.rules, self.moment());
        assert!(matches!(again, Verdict::Nothing(_)), "heard twice: {report:?} {again:?}");
    }

    /// A worker begins with a message of the queue.
    pub(super) fn start_worker(&mut self) {
        if self.workers.len() < 3 {
            let worker =
                Worker { since: self.now, loaded: self.deposit.clone(), version: self.version, place: Place::Loaded };
            self.workers.push(worker);
        }
    }

    /// Everything that a worker has done stays, and nothing more comes of it.
    pub(super) fn kill_worker(&mut self, which: usize) {
        if !self.workers.is_empty() {
            let _killed = self.workers.remove(which % self.workers.len());
        }
    }

    /// One worker goes one step.
    pub(super) fn step_worker(&mut self, which: usize, fate: Fate, look_up_works: bool) {
        if self.workers.is_empty() {
            return;
        }
        let worker = self.workers.remove(which % self.workers.len());
        if let Some(worker) = self.stepped(worker, fate, look_up_works) {
            self.workers.push(worker);
        }
    }

    fn stepped(&mut self, mut worker: Worker, fate: Fate, look_up_works: bool) -> Option<Worker> {
        let now = at(worker.since);
        match worker.place.clone() {
            Place::Loaded => match worker.loaded.credit_step(now) {
                CreditStep::Price => panic!("deposits of this world are in the account's currency"),
                CreditStep::Nothing(_) => None,
                CreditStep::Send(verdict) | CreditStep::Save(verdict) => self.intended(worker, *verdict),
                CreditStep::LookUp => {
                    let deal = self.deals.iter().find(|deal| deal.amount == worker.loaded.creditable());
                    let found = deal.map_or(Found::Absent, |deal| Found::Booked(deal.ticket.clone()));
                    worker.place = Place::Looked(look_up_works.then_some(found));
                    Some(worker)
                }
            },
            Place::Looked(None) => {
                self.conclude(&worker, |deposit| deposit.not_known("no look-up", REVIEW_AFTER, now));
                None
            }
            Place::Looked(Some(found)) => match worker.loaded.looked_up(found, REVIEW_AFTER, now) {
                CreditStep::Send(verdict) | CreditStep::Save(verdict) => self.intended(worker, *verdict),
                CreditStep::Price => panic!("deposits of this world are in the account's currency"),
                CreditStep::LookUp | CreditStep::Nothing(_) => None,
            },
            Place::Intended => {
                worker.place = Place::Called(self.call(&worker, fate));
                Some(worker)
            }
            Place::Called(outcome) => {
                self.conclude(&worker, |deposit| deposit.outcome(outcome.clone(), REVIEW_AFTER, now));
                None
            }
        }
    }

    fn intended(&mut self, mut worker: Worker, verdict: Verdict<Deposit>) -> Option<Worker> {
        let Verdict::Change(decision) = verdict else { return None };
        let (is_intent, next) = (decision.outcome == "crediting", decision.next.clone());
        if !self.save(*decision, worker.version) || !is_intent {
            return None;
        }
        worker.loaded = next;
        worker.version = self.version;
        worker.place = Place::Intended;
        Some(worker)
    }

    fn conclude(&mut self, worker: &Worker, decide: impl Fn(&Deposit) -> Verdict<Deposit>) {
        if let Verdict::Change(decision) = decide(&worker.loaded)
            && !self.save(*decision, worker.version)
            && let Verdict::Change(decision) = decide(&self.deposit)
        {
            assert!(self.save(*decision, self.version));
        }
    }

    fn book(&mut self, amount: Money) -> String {
        self.tickets += 1;
        let ticket = self.tickets.to_string();
        self.deals.push(Deal { ticket: ticket.clone(), amount });
        ticket
    }

    fn call(&mut self, worker: &Worker, fate: Fate) -> CreditOutcome {
        let amount = worker.loaded.creditable();
        match fate {
            Fate::Booked => CreditOutcome::Booked(self.book(amount)),
            Fate::BookedAnswerLost => {
                self.book(amount);
                unknown()
            }
            Fate::BookedLate => {
                self.late.push((worker.since + LATE_S, amount));
                unknown()
            }
            Fate::Lost => unknown(),
            Fate::NotApplied => not_applied(),
            Fate::Refused => refused(),
        }
    }

    /// Time passes: late bookings happen, workers end by their time-out.
    pub(super) fn wait(&mut self, seconds: i64) {
        let end = self.now + seconds;
        self.late.sort_by_key(|(when, _)| *when);
        while let Some((when, amount)) = self.late.first().copied().filter(|(when, _)| *when <= end) {
            self.late.remove(0);
            self.now = self.now.max(when);
            self.book(amount);
        }
        self.now = end;
        self.workers.retain(|worker| worker.since + WORKER_S > end);
    }

    /// The sweep of what is due, and the message that follows from it.
    pub(super) fn sweep(&mut self, answer: &PollAnswer) {
        match self.deposit.due_step(self.moment()) {
            DueStep::Nothing(_) => {}
            DueStep::Credit => {
                let decision = change(self.deposit.redriven(self.moment()));
                assert!(self.save(decision, self.version));
                self.start_worker();
            }
            DueStep::Poll => {
                let limits = PollLimits::from(self.rules.psp("stripe").unwrap());
                let decision = change(self.deposit.polled(answer, limits, self.rules, self.moment()));
                assert!(self.save(decision, self.version));
            }
        }
        assert!(self.deposit.due.is_none_or(|due| due > self.moment()), "it would be swept for ever");
    }

    /// A person decides the item that the deposit waits for. About the platform they say what is so, and look when
    /// nothing can arrive any more.
    pub(super) fn decide(&mut self, choice: usize) {
        let Some(held) = self.deposit.inner.held.clone() else { return };
        if !self.late.is_empty() || !self.workers.is_empty() {
            return;
        }
        let kind: WorkKind = held.review.kind.parse().unwrap();
        let actions = kind.actions();
        let chosen = actions[choice % actions.len()].as_str();
        let deal = self.deals.first().cloned();
        let action = match (chosen, &deal) {
            // what is on the platform is on the platform
            ("mark_not_credited_retry" | "refund_at_psp" | "close_without_credit" | "credit_paid_amount", Some(_)) => {
                "mark_credited"
            }
            (chosen, _) => chosen,
        };
        let evidence = match (action, deal) {
            ("mark_credited", Some(deal)) => Some(deal.ticket),
            ("mark_credited", None) => {
                let stray = held.stray.filter(|_| kind == WorkKind::DepositUnknownReference);
                let amount = stray.unwrap_or_else(|| self.deposit.creditable());
                // what was collected in another currency the person converts, and says to what
                Some(match amount.currency() == self.deposit.facts.requested.currency() {
                    true => self.book(amount),
                    false => format!("{} 1340.50", self.book(money("1340.50 USD"))),
                })
            }
            _ => Some("1".to_owned()),
        };
        let decision = HumanDecision {
            at: crate::Timestamp::EPOCH,
            kind: held.review.kind.clone(),
            trigger: Some(held.review.trigger.clone()),
            action: action.to_owned(),
            evidence,
            by: "finance-1".to_owned(),
            approved_by: None,
        };
        let decided = change(self.deposit.decided(&decision, self.moment()));
        assert!(self.decided.insert((held.review.kind, held.review.trigger)), "decided before: {decision:?}");
        assert!(self.save(decided, self.version));
        assert!(matches!(self.deposit.decided(&decision, self.moment()), Verdict::Nothing(_)));
    }

    /// The faults are over: the timer and the workers bring everything to its end.
    pub(super) fn settle(&mut self) {
        let silent = PollAnswer::Silent("gone".to_owned());
        for _ in 0..200 {
            while !self.workers.is_empty() {
                self.step_worker(0, Fate::Booked, true);
            }
            let Some(due) = self.deposit.due else { break };
            let until = due.millis_since(self.moment()) / 1000 + 1;
            self.wait(until.max(1));
            self.sweep(&silent);
        }
        self.wait(i64::from(GRACE.0));
    }

    /// What must hold when nothing more is under way.
    pub(super) fn check_end(&self) {
        let (status, facts) = (self.deposit.status(), &self.deposit.facts);
        assert!(status.is_settled() || status == DepositStatus::NeedsReview, "stuck: {:?}", self.deposit);
        assert!(self.deals.len() <= 1, "credited twice: {:?}", self.deals);
        if let Some(held) = &self.deposit.inner.held {
            let item = (held.review.kind.clone(), held.review.trigger.clone());
            assert!(self.items.contains(&item) && !self.decided.contains(&item), "waits for nobody: {item:?}");
        }
        match (self.deals.first(), facts.credited) {
            (Some(deal), Some(credited)) => assert_eq!(deal.amount, credited),
            (None, credited) => assert_eq!(credited, None),
            (Some(_), None) => {
                assert_eq!(status, DepositStatus::NeedsReview, "a deal nobody knows of: {:?}", self.deposit)
            }
        }
    }
}
