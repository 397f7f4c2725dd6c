//! A client whom a partner brought traded, moved money, or was approved: whether that earns the amount for a new client, and what goes back with
//! his deposits.

use std::sync::Arc;

use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::kyc::{KycOutcome, KycStatus};
use domain::partner::acquisition::{Acquisition, Brought};
use domain::partner::attribution::Attribution;
use domain::partner::line::{AgreementRef, Line};
use domain::partner::period::Period;
use domain::partner::profile::Partner;
use domain::{AcquisitionId, AttributionId, ClientId, PartnerId, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::step::Attempt;
use runtime::verification::case_of;
use runtime::{StepError, awsclients, step};
use store::{Crm, PartnersTable, Rules, TradesTable};

use crate::versions;

/// The step.
pub struct Qualify {
    crm: Crm,
    trades: TradesTable,
    partners: PartnersTable,
    versions: Rules,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Qualify {
        crm: awsclients::crm(ports)?,
        trades: awsclients::trades(ports)?,
        partners: awsclients::partners(ports)?,
        versions: awsclients::rules(ports)?,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Qualify {
    const NAME: &'static str = "partners-qualify";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let Some(client) = event.client_id.clone() else { return Ok("nothing_to_do") };
            let frame = message.frame(Self::NAME, &event);
            let attempt = || self.attempt(&client, &event, &frame);
            step::together(&frame, "the partner's month keeps changing", || Box::pin(attempt())).await
        })
    }
}

/// Who brought a client, and what he had accepted by then.
struct BroughtBy {
    partner: PartnerId,
    accepted: AgreementRef,
}

fn unreckoned(error: impl std::fmt::Display) -> StepError {
    StepError::Malformed(format!("it cannot be told what the client earns: {error}"))
}

impl Qualify {
    /// The first who is said to have brought him, by the agreement that held when he was registered or, if that is later, when it was said.
    async fn brought_by(&self, client: &Client) -> Result<Option<BroughtBy>, StepError> {
        let stored = self.partners.load::<Attribution>(&AttributionId::of(&client.id)).await?;
        let first = stored.and_then(|stored| {
            let mut changes = stored.entity.facts.partners.changes();
            changes.find_map(|change| Some((change.is.clone()?, change.since)))
        });
        let Some((partner, since)) = first else { return Ok(None) };
        let Some(stored) = self.partners.load::<Partner>(&partner).await? else { return Ok(None) };
        let accepted = stored.entity.facts.agreements.at(since.max(client.facts.created_at)).cloned();
        Ok(accepted.map(|accepted| BroughtBy { partner, accepted }))
    }

    /// Since when his identity is approved. He may have been before anybody was said to have brought him.
    async fn verified_at(
        &self,
        client: &ClientId,
        event: &BusEvent,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StepError> {
        if event.kind == "kyc.approved" {
            return Ok(Some(event.at));
        }
        let Some(facts) = case_of(&self.crm, client).await?.map(|case| case.facts) else { return Ok(None) };
        if facts.status != KycStatus::Approved {
            return Ok(None);
        }
        let decided = facts.decision.filter(|decision| decision.outcome == KycOutcome::Approve);
        Ok(Some(decided.map_or(now, |decision| decision.at)))
    }

    async fn attempt(
        &self,
        client: &ClientId,
        event: &BusEvent,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let Some(client) = self.crm.load_settled::<Client>(client).await?.map(|client| client.entity) else {
            return Ok(Attempt::Nothing("nothing_to_do"));
        };
        let Some(by) = self.brought_by(&client).await? else { return Ok(Attempt::Nothing("nobody_brought_him")) };
        let terms = versions::terms(&self.versions, &by.accepted).await?;
        if terms.cpa.is_none() && terms.revenue.is_none() {
            return Ok(Attempt::Nothing("nothing_to_do"));
        }
        let history = self.trades.history(&client.id, client.facts.created_at, Timestamp::LATEST).await?;
        let stored = self.partners.load::<Acquisition>(&AcquisitionId::of(&client.id)).await?;
        let mut own = stored.as_ref().map_or_else(|| Acquisition::begun(&client.id), |stored| stored.entity.clone());
        let before = own.facts.clone();
        if own.facts.verified_at.is_none() {
            own.facts.verified_at = self.verified_at(&client.id, event, frame.now).await?;
        }
        let period = Period::of(frame.now);
        let month = (by.partner.clone(), period);
        let read = self.partners.months([month.clone()]).await?;
        let mut totals = read.totals.get(&month).cloned().unwrap_or_default();
        if let Some(revenue) = &terms.revenue {
            own = own.cost(&revenue.parts, terms.currency, &history, &mut totals).unwrap_or(own);
        }
        let brought = Brought {
            partner: &by.partner,
            accepted: &by.accepted,
            currency: terms.currency,
            registered_at: client.facts.created_at,
            country: Some(client.facts.residence),
        };
        let gained = match &terms.cpa {
            Some(cpa) => own.judged(cpa, &brought, &history, (period, frame.now)).map_err(unreckoned)?,
            None => None,
        };
        if gained.is_none() && own.facts == before {
            return Ok(Attempt::Nothing("nothing_to_do"));
        }
        let (decision, lines) = match gained {
            Some(gained) => (gained.decision, gained.lines),
            None => (Decision::new(own, "noted", vec![], vec![]), Vec::new()),
        };
        let mut commit = self.partners.0.commit();
        commit.save(&self.partners, stored.as_ref(), &decision, frame)?;
        for line in lines {
            let line = Line { entered: Some(frame.now), ..line };
            totals.book(&line).map_err(unreckoned)?;
            commit.put_line(&self.partners, &line)?;
        }
        if read.totals.get(&month) != Some(&totals) {
            commit.put_month(&self.partners, &read, &month, &totals)?;
        }
        Ok(Attempt::Save(commit, decision.outcome))
    }
}
