//! What a withdrawal books on the trading account: the debit, and what is put back.

use domain::account::rules::TicketForm;
use domain::account::{Account, CreditBar};
use domain::decision::{Frame, Verdict};
use domain::payment::{Deposit, Found, Proof, other_payment, ticket_in};
use domain::withdrawal::rules::Withdrawals;
use domain::withdrawal::{Operation, PlatformStep, Withdrawal, WithdrawalStatus};
use domain::{Money, PaymentId, Seconds};
use providers::platforms::{FoundDeal, FoundTicket, Funds, Login, Ticket, TicketQuery};
use runtime::StepError;
use runtime::booking::{Booking, LOOK_BACK, Place};
use runtime::step::{self, Attempt, Done};
use store::Stored;

use super::Credit;
use super::tickets::Change;

/// What the events about withdrawals begin with.
pub(super) const EVENTS: &str = "withdrawal.";

/// What every part of one booking needs.
struct Job {
    place: Place,
    form: TicketForm,
    /// What stands against moving money on the account.
    bar: Option<CreditBar>,
    review_after: Seconds,
}

impl Credit {
    pub(super) async fn book_withdrawal(&self, id: &PaymentId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.money.load::<Withdrawal>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let first = stored.entity.platform_step(frame.now);
        if let PlatformStep::Nothing(reason) = first {
            tracing::info!(payment.id = %id, reason, "nothing to book");
            return Ok("nothing_to_do");
        }
        self.release_source(&stored.entity, frame).await?;
        let live = self.rules.live::<Withdrawals>().await?;
        frame.used(live.label());
        let account = &stored.entity.facts.account_id;
        let account =
            self.crm.load_settled::<Account>(account).await?.ok_or_else(|| StepError::Absent(account.to_string()))?;
        let (form, bar) = (account.entity.ticket_form(), account.entity.bars_credit());
        let server = account.entity.facts.server;
        frame.used(self.servers.rules().await?.label());
        let platform = match self.servers.adapter(&server).await {
            Err(StepError::Maintenance { until, .. }) => {
                return self.save(stored, frame, |own, _| own.waits_for_server(until)).await;
            }
            adapter => adapter?,
        };
        let place = Place { platform, servers: self.servers.clone(), server };
        let job = Job { place, form, bar, review_after: live.rules.platform_review_after };
        let first = stored.entity.only_while_open(job.bar, first, frame.now);
        self.do_step(&job, stored, first, frame).await
    }

    /// The deposit that was to be paid back by it gets its money back before the trading account does: it may be asked for again then.
    async fn release_source(&self, own: &Withdrawal, frame: &mut Frame) -> Result<(), StepError> {
        let (WithdrawalStatus::PayoutFailed, Some(source)) = (own.status(), &own.facts.source_payment_id) else {
            return Ok(());
        };
        // what the provider had taken came back; what it never took left nothing behind
        let came_back = own.inner.accepted.then(|| own.inner.came_back.unwrap_or(frame.now));
        let mut other = frame.clone();
        step::change(&self.money, source, &mut other, |deposit: &Deposit| deposit.pay_back_undone(&own.id, came_back))
            .await?;
        Ok(())
    }

    async fn do_step(
        &self,
        job: &Job,
        stored: Stored<Withdrawal>,
        first: PlatformStep,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        match first {
            PlatformStep::Send(intent) => self.send_booking(job, stored, *intent, frame).await,
            PlatformStep::Save(verdict) => self.save(stored, frame, |_, _| (*verdict).clone()).await,
            PlatformStep::LookUp => self.resolve_booking(job, stored, frame).await,
            PlatformStep::Nothing(reason) => Err(StepError::Busy(reason)),
        }
    }

    async fn resolve_booking(
        &self,
        job: &Job,
        stored: Stored<Withdrawal>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let review_after = job.review_after;
        let found = match job.place.look_up(&booking(&stored.entity)?, frame.now).await {
            Ok(found) => found,
            Err(error) => {
                let reason = error.to_string();
                return self.save(stored, frame, |own, now| own.not_known(&reason, review_after, now)).await;
            }
        };
        if let (Some(named), false) = (&stored.entity.inner.named, matches!(found, Found::Booked(_))) {
            return self.look_up_named(job, &stored.entity, named, frame).await;
        }
        let next = stored.entity.looked_up(found, review_after, frame.now);
        match stored.entity.only_while_open(job.bar, next, frame.now) {
            PlatformStep::Send(intent) => self.send_booking(job, stored, *intent, frame).await,
            PlatformStep::Save(verdict) => Ok(self.saved(stored, &verdict, frame).await?.outcome()),
            // its own time brings it again, so this message need not
            PlatformStep::LookUp | PlatformStep::Nothing(_) if stored.entity.comes_again(frame.now) => Ok("waiting"),
            PlatformStep::LookUp | PlatformStep::Nothing(_) => Err(StepError::Busy("a booking may still be under way")),
        }
    }

    /// A deal that a person named and that does not stand under the reference: it counts if it is this very booking of this very
    /// account, and nobody else's.
    async fn look_up_named(
        &self,
        job: &Job,
        own: &Withdrawal,
        named: &str,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let Booking { login, amount, .. } = booking(own)?;
        let ticket = ticket_in(named, job.form).unwrap_or_default().to_owned();
        let query = TicketQuery {
            ticket: Ticket::new(ticket.clone()),
            login: Some(Login::new(login)),
            reference: None,
            from: own.inner.opened.minus(LOOK_BACK),
            to: frame.now.plus(LOOK_BACK),
        };
        let shown = match ticket.is_empty() {
            true => FoundTicket::Absent,
            false => match job.place.platform.find_ticket(&query).await {
                Ok(shown) => shown,
                Err(error) => {
                    let (reason, id, limit) = (error.to_string(), own.id.clone(), job.review_after);
                    let now = frame.now;
                    let wait = |own: &Withdrawal| own.not_known(&reason, limit, now);
                    return Ok(step::change(&self.money, &id, frame, wait).await?.outcome());
                }
            },
        };
        let proof = Proof::Ticket(ticket.to_lowercase());
        let free =
            self.money.proven_by(&job.place.server, &proof).await?.is_none_or(|holder| holder == own.id.as_str());
        let found = match shown {
            FoundTicket::Deal(deal) if is_it(&deal, amount, own) && free => Found::Booked(ticket),
            FoundTicket::Deal(_) => Found::Ambiguous(format!("deal {ticket} is not it, or proves another step")),
            FoundTicket::OfAnotherLogin => Found::Ambiguous(format!("deal {ticket} is another account's")),
            FoundTicket::OutOfTime => Found::Ambiguous(format!("deal {ticket} is of another time")),
            FoundTicket::Absent => Found::Absent,
        };
        let claimed = matches!(found, Found::Booked(_)).then_some(proof);
        let (id, limit, frame) = (&own.id, job.review_after, &*frame);
        step::together(frame, "the payment keeps changing", || {
            let (found, claimed) = (found.clone(), claimed.clone());
            Box::pin(async move {
                let stored =
                    self.money.load::<Withdrawal>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let PlatformStep::Save(verdict) = stored.entity.looked_up(found, limit, frame.now) else {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                };
                let Verdict::Change(decision) = *verdict else { return Ok(Attempt::Nothing("nothing_to_do")) };
                let change = Change { was: &stored, decision: *decision, holder: id.as_str() };
                self.attempt(change, &job.place.server, None, claimed, frame).await
            })
        })
        .await
    }

    /// Saves an intent and, if this worker won it, calls.
    async fn send_booking(
        &self,
        job: &Job,
        stored: Stored<Withdrawal>,
        intent: Verdict<Withdrawal>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let Done::Changed { now: intended, .. } = self.saved(stored, &intent, frame).await? else {
            return Ok("nothing_to_do");
        };
        let outcome = job.place.book(&booking(&intended.entity)?, frame.now).await?;
        let (sent, review_after) = (intended.entity.clone(), job.review_after);
        self.save(intended, frame, |own, now| own.outcome(&sent, outcome.clone(), review_after, now)).await
    }
}

/// The booking that is at hand.
fn booking(own: &Withdrawal) -> Result<Booking, StepError> {
    let Operation { amount, reference } =
        own.operation().ok_or(StepError::Busy("nothing of it is to be booked any more"))?;
    let (login, opened) = (own.facts.platform.login.clone(), own.inner.opened);
    Ok(Booking { login, amount, reference, opened, funds: Funds::Balance })
}

/// Whether a deal is the booking: a balance operation of the amount that names no other payment.
fn is_it(deal: &FoundDeal, amount: Money, own: &Withdrawal) -> bool {
    deal.is_balance && deal.amount == amount.amount() && other_payment(&deal.comment, Some(&own.id)).is_none()
}
