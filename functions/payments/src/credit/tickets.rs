//! What persons say to have booked on the platform: looked up before it takes effect.

use domain::account::Account;
use domain::decision::{Decision, Frame, Verdict};
use domain::entity::Entity;
use domain::payment::{Deposit, NamedTicket, Proof, Shown, ShownDeal};
use domain::{PaymentId, Timestamp};
use providers::platforms::{FoundTicket, Login, Reference, Ticket, TicketQuery};
use runtime::StepError;
use runtime::booking::LOOK_BACK;
use runtime::step::{self, Attempt};
use store::{Home, MoneyTable, Stored};

use super::Credit;

/// What a look-up says of a ticket.
pub(super) enum Looked {
    /// It proves the decision.
    Right,
    /// It does not, and this was found.
    Wrong(String),
    /// The platform could not be asked.
    Silent(String),
}

impl Credit {
    /// Looks every ticket up that was named for a deposit; the last outcome. A credit that waits beside them has its own time, which
    /// brings it again.
    pub(super) async fn look_up_tickets(
        &self,
        deposit: &Deposit,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let mut outcome = "nothing_to_do";
        let server = self.server_of(deposit).await?;
        frame.used(self.servers.rules().await?.label());
        for named in &deposit.inner.named {
            let looked = self.look_up(&server, deposit, named, frame.now).await;
            outcome = self.conclude(&deposit.id, &server, named, &looked, frame).await?;
        }
        Ok(outcome)
    }

    async fn server_of(&self, deposit: &Deposit) -> Result<String, StepError> {
        let id = &deposit.facts.account_id;
        let account = self.crm.load_settled::<Account>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        Ok(account.entity.facts.server)
    }

    async fn look_up(&self, server: &str, deposit: &Deposit, named: &NamedTicket, now: Timestamp) -> Looked {
        let Some(ticket) = &named.ticket else {
            return Looked::Wrong("no deal of the platform is called so".to_owned());
        };
        let platform = match self.servers.adapter(server).await {
            Ok(platform) => platform,
            Err(error) => return Looked::Silent(error.to_string()),
        };
        let query = TicketQuery {
            ticket: Ticket::new(ticket.clone()),
            login: Some(Login::new(deposit.facts.platform.login.clone())),
            reference: Reference::new(deposit.platform_reference()).ok().filter(|_| named.whole),
            from: deposit.inner.opened.minus(LOOK_BACK),
            to: now.plus(LOOK_BACK),
        };
        match platform.find_ticket(&query).await {
            Ok(found) => held_against(named, found, Some(&deposit.id)),
            Err(error) => {
                tracing::warn!(payment.id = %deposit.id, todo = ?error.disposition(), "a ticket could not be looked up");
                Looked::Silent(error.to_string())
            }
        }
    }

    /// Saves what was found. A ticket that proves nothing is free again for what it is of, in the same transaction.
    async fn conclude(
        &self,
        id: &PaymentId,
        server: &str,
        named: &NamedTicket,
        looked: &Looked,
        frame: &Frame,
    ) -> Result<&'static str, StepError> {
        step::together(frame, "the deposit keeps changing", || {
            Box::pin(async move {
                let stored = self.money.load::<Deposit>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let verdict = match looked {
                    Looked::Right => stored.entity.ticket_proven(named, frame.now),
                    Looked::Wrong(found) => stored.entity.ticket_refused(named, found, frame.now),
                    Looked::Silent(reason) => stored.entity.ticket_not_looked_up(named, reason, frame.now),
                };
                let Verdict::Change(decision) = verdict else { return Ok(Attempt::Nothing("nothing_to_do")) };
                let freed = named.proof().filter(|_| decision.next.facts.reopened.is_some());
                let freed =
                    freed.filter(|_| named.ticket.as_deref().is_some_and(|ticket| !decision.next.relies_on(ticket)));
                let change = Change { was: &stored, decision: *decision, holder: id.as_str() };
                self.attempt(change, server, freed, None, frame).await
            })
        })
        .await
    }

    /// A version, with the claim that it frees or makes.
    pub(super) async fn attempt<T: Entity>(
        &self,
        change: Change<'_, T>,
        server: &str,
        freed: Option<Proof>,
        claimed: Option<Proof>,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError>
    where
        MoneyTable: Home<T>,
    {
        let frame = Frame { correlation_id: change.was.correlation_id.clone(), ..frame.clone() };
        let mut commit = Home::<T>::table(&self.money).commit();
        commit.save(&self.money, Some(change.was), &change.decision, &frame)?;
        if let Some(proof) = claimed {
            commit.prove(&self.money, server, &proof, change.holder)?;
        }
        if let Some(proof) = freed
            && self.money.proven_by(server, &proof).await?.as_deref() == Some(change.holder)
        {
            commit.disprove(&self.money, server, &proof, change.holder)?;
        }
        Ok(Attempt::Save(commit, change.decision.outcome))
    }
}

/// A version on its way, and who holds the claim that goes with it.
pub(super) struct Change<'a, T> {
    pub(super) was: &'a Stored<T>,
    pub(super) decision: Decision<T>,
    pub(super) holder: &'a str,
}

pub(super) fn held_against(named: &NamedTicket, found: FoundTicket, own: Option<&PaymentId>) -> Looked {
    let shown = match found {
        FoundTicket::Deal(deal) => Shown::Deal(ShownDeal {
            is_balance: deal.is_balance,
            amount: deal.amount,
            digits: deal.digits,
            comment: deal.comment,
            together: deal.together,
        }),
        FoundTicket::OfAnotherLogin => Shown::OfAnotherAccount,
        FoundTicket::OutOfTime => Shown::OutOfTime,
        FoundTicket::Absent => Shown::Nothing,
    };
    match named.held_against(&shown, own) {
        Ok(()) => Looked::Right,
        Err(found) => Looked::Wrong(found),
    }
}
