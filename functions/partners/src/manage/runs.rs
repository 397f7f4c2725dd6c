//! `/v1/payout-runs`: what a run would pay and whom not, and what persons do about it.

mod draft;
mod show;

use domain::input::{Fault, Reader};
use domain::partner::payee::Rail;
use domain::partner::payout::PartnerPayout;
use domain::partner::period::Period;
use domain::partner::run::{PayoutRun, RunAction, RunRefusal, RunStatus};
use domain::{Currency, PayoutId, PayoutRunId};
use runtime::http::{HttpStep as _, Reply, Request};
use runtime::idempotency::{Keyed, Made};
use runtime::step;
use runtime::{Caller, Problem, StepError};

use super::Manage;
use crate::pay::Purse;

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// What is to be drafted.
struct Wish {
    period: Period,
    rail: Option<Rail>,
    currency: Option<Currency>,
}

/// Which payout came back, and why.
struct CameBack {
    payout: PayoutId,
    reason: String,
}

fn read_wish(request: &Request) -> Result<Wish, Problem> {
    let body = request.json()?;
    let mut reader = Reader::new(&body);
    let period = reader.string("period").map(str::parse::<Period>);
    let period = period.and_then(|period| {
        let good = period.is_ok();
        if !good {
            reader.fault_at("period", "invalid_period", "must be a month such as 2026-11");
        }
        period.ok()
    });
    if period.is_some_and(|period| period > Period::of(request.now)) {
        reader.fault_at("period", "in_the_future", "must not be a month that has not begun");
    }
    let rail = reader.optional_word::<Rail>("rail");
    let currency = reader.optional_string("currency").and_then(|code| {
        let currency = code.parse().ok();
        if currency.is_none() {
            reader.fault_at("currency", "unknown_currency", "is not an ISO 4217 currency");
        }
        currency
    });
    let faults = reader.finish();
    match period.filter(|_| faults.is_empty()) {
        Some(period) => Ok(Wish { period, rail, currency }),
        None => Err(Problem::input(faults)),
    }
}

fn read_action(request: &Request) -> Result<(RunAction, Option<CameBack>), Problem> {
    let body = request.json()?;
    let mut reader = Reader::new(&body);
    let action = reader.word::<RunAction>("action");
    let came_back = (action == Some(RunAction::Returned)).then(|| {
        let payout = reader.string("payout_id").map(str::parse::<PayoutId>);
        let reason = reader.string("reason").map(|reason| reader.line("reason", reason, REASON_MAX));
        if payout.as_ref().is_some_and(Result::is_err) {
            reader.fault_at("payout_id", "invalid_id", "is no payout's id");
        }
        payout.and_then(Result::ok).zip(reason)
    });
    let faults = reader.finish();
    match action.filter(|_| faults.is_empty()) {
        Some(action) => Ok((action, came_back.flatten().map(|(payout, reason)| CameBack { payout, reason }))),
        None => Err(Problem::input(faults)),
    }
}

fn refused(refusal: &RunRefusal) -> Problem {
    match refusal {
        RunRefusal::OwnDraft => Problem::forbidden(refusal.to_string()),
        RunRefusal::Status(_) | RunRefusal::NoAccount => Problem::conflict(refusal.to_string()),
    }
}

impl Manage {
    pub(super) async fn draft_run(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let fresh = PayoutRunId::from_bits(self.entropy.id_bits());
        let live = self.live().await?;
        let make = async |id: PayoutRunId, wish: Wish| {
            let draft = self.reckoned(&wish, &live.rules, request.now).await?;
            let drafted = PayoutRun::drafted(id, draft, (&caller.subject, request.now));
            let decision = drafted.map_err(|error| StepError::Malformed(error.to_string()))?;
            let mut frame = request.frame(Self::NAME);
            frame.used(live.label());
            Ok(Made::decided(decision, frame))
        };
        // the first answer, whatever has become of it since
        let answer = |run: &PayoutRun| Reply::json(201, &show::drafted(run));
        keyed.create(&self.partners, fresh, read_wish(request), make, answer).await
    }

    pub(super) async fn run(&self, request: &Request) -> Result<PayoutRun, Problem> {
        let id: PayoutRunId = request.id("run_id")?;
        let stored = self.partners.load::<PayoutRun>(&id).await?;
        Ok(stored.ok_or_else(|| Problem::not_found("there is no such run"))?.entity)
    }

    pub(super) async fn act_on_run(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let (action, came_back) = read_action(request)?;
        let run = self.run(request).await?;
        let (by, now) = (caller.subject.as_str(), request.now);
        if let Some(came_back) = came_back {
            return self.came_back(&run, &came_back, request, by).await;
        }
        let live = self.live().await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let debtor = live.rules.payouts.bank.as_ref();
        let mut refusal = None;
        let decide = step::judged(&mut refusal, |run: &PayoutRun| match action {
            RunAction::Approve => run.approve(debtor, by, now),
            RunAction::Execute => run.execute(by),
            RunAction::Cancel => run.cancel(by),
            RunAction::Returned => Err(RunRefusal::Status(run.facts.status)),
        });
        let done = step::change(&self.partners, &run.id, &mut frame, decide).await;
        if let Some(refusal) = refusal {
            return Err(refused(&refusal));
        }
        self.shown(&done?.stored().entity).await
    }

    /// A payout came back: it is in the partner's balance again, once.
    async fn came_back(
        &self,
        run: &PayoutRun,
        came_back: &CameBack,
        request: &Request,
        by: &str,
    ) -> Result<Reply, Problem> {
        if matches!(run.facts.status, RunStatus::Draft | RunStatus::Approved | RunStatus::Cancelled) {
            return Err(refused(&RunRefusal::Status(run.facts.status)));
        }
        let frame = request.frame(Self::NAME);
        let purse = Purse { partners: self.partners.clone() };
        let decide = |payout: &PartnerPayout, _| {
            payout.returned(by, &came_back.reason).filter(|_| payout.facts.run_id == run.id)
        };
        let is_there = self.partners.load::<PartnerPayout>(&came_back.payout).await?;
        if is_there.is_none_or(|payout| payout.entity.facts.run_id != run.id) {
            let fault = Fault::new("/payout_id", "unknown_payout", "the run has no such payout");
            return Err(Problem::input(vec![fault]));
        }
        if purse.moved(&came_back.payout, &frame, decide).await? == "nothing_to_do" {
            return Err(Problem::conflict("the payout is not paid, or came back before"));
        }
        self.shown(run).await
    }
}
