//! Opens the accounts that the rules want for a client who registered or was approved: all of them, and what a person is asked about
//! those that cannot be opened, in one transaction.

use std::sync::Arc;

use domain::account::Account;
use domain::account::opening::{AccountOpening, Known, Openings, RefusedWish, Wanted, decide};
use domain::account::rules::{OpeningTrigger, Platforms};
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::kyc::levels::Level;
use domain::kyc::{KycCase, KycStatus};
use domain::{AccountId, ClientId, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Attempt};
use runtime::verification::case_of;
use runtime::{StepError, awsclients, people};
use store::{Crm, Stored};

use crate::{binding_level, client_of};

/// The step.
pub struct Open {
    crm: Crm,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Open { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? }, ports)
}

impl QueueStep for Open {
    const NAME: &'static str = "accounts-open";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "client.registered" => self.by_rule(&event, &event.id()?, OpeningTrigger::Registered, &mut frame).await,
                "kyc.approved" => {
                    let client = event.client_id.clone();
                    let client =
                        client.ok_or_else(|| StepError::Malformed(format!("{} names no client", event.event_id)))?;
                    self.by_rule(&event, &client, OpeningTrigger::KycApproved, &mut frame).await
                }
                "work.decided" => {
                    let decide = AccountOpening::decided;
                    people::carry_out(&self.crm, &self.crm, &event, "account_opening_id", &mut frame, decide).await
                }
                _ => self.again(&event, &mut frame).await,
            }
        })
    }
}

/// What a client's openings are decided by.
struct Ground<'a> {
    client: &'a Client,
    trigger: OpeningTrigger,
    live: &'a Live<Platforms>,
    level: Option<Level>,
    still_so: bool,
}

impl Ground<'_> {
    fn known(&self, now: Timestamp) -> Known<'_> {
        let Self { client, trigger, live, level, still_so } = self;
        let (trigger, still_so) = (*trigger, *still_so);
        Known { client, rules: &live.rules, trigger, level: level.as_ref(), still_so, now }
    }
}

/// The record of what could not be opened: none yet, for this trigger, or the one that is tried again.
enum RecordOf<'a> {
    Event(&'a BusEvent, OpeningTrigger),
    Opening(&'a Stored<AccountOpening>),
}

/// Whether what set an opening off has not been taken back since.
fn is_still_so(trigger: OpeningTrigger, case: Option<&KycCase>) -> bool {
    match trigger {
        OpeningTrigger::KycApproved => case.is_some_and(|case| case.facts.status == KycStatus::Approved),
        OpeningTrigger::Registered => true,
    }
}

impl Open {
    async fn by_rule(
        &self,
        event: &BusEvent,
        client: &ClientId,
        trigger: OpeningTrigger,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let live = self.rules.live::<Platforms>().await?;
        if !live.rules.opens_accounts() {
            return Ok("nothing_to_do");
        }
        frame.used(live.label());
        let client = client_of(&self.crm, client).await?;
        let wanted = Wanted::of(&live.rules, &client, trigger);
        if wanted.is_nothing() {
            return Ok("nothing_to_do");
        }
        let case = case_of(&self.crm, &client.id).await?;
        // an event may be hours old
        if !is_still_so(trigger, case.as_ref()) {
            return Ok("no_longer_approved");
        }
        let level = binding_level(&self.rules, case.as_ref(), &client, frame).await?;
        let ground = Ground { client: &client, trigger, live: &live, level, still_so: true };
        self.ask(&wanted, &ground, &RecordOf::Event(event, trigger), frame).await
    }

    /// What a person has tried again, by the rules as they are now.
    async fn again(&self, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let stored = self.crm.load::<AccountOpening>(&event.id()?).await?;
        let stored = stored.ok_or_else(|| StepError::Absent(event.entity.clone()))?;
        let live = self.rules.live::<Platforms>().await?;
        let client = client_of(&self.crm, &stored.entity.client_id).await?;
        let Some(wanted) = stored.entity.again(&live.rules, &client) else { return Ok("nothing_to_do") };
        frame.used(live.label());
        let case = case_of(&self.crm, &client.id).await?;
        let level = binding_level(&self.rules, case.as_ref(), &client, frame).await?;
        let trigger = stored.entity.facts.trigger;
        let still_so = is_still_so(trigger, case.as_ref());
        let ground = Ground { client: &client, trigger, live: &live, level, still_so };
        self.ask(&wanted, &ground, &RecordOf::Opening(&stored), frame).await
    }

    async fn ask(
        &self,
        wanted: &Wanted,
        ground: &Ground<'_>,
        record: &RecordOf<'_>,
        frame: &Frame,
    ) -> Result<&'static str, StepError> {
        let ids: Vec<AccountId> = wanted.wishes.iter().map(|asked| asked.wish.id_for(ground.client)).collect();
        let ids = &ids;
        step::together(frame, "the client's accounts keep changing", || {
            Box::pin(async move {
                if self.is_decided(record).await? {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                }
                let places = self.crm.places(&ground.client.id).await?;
                let held = self.crm.accounts_held(&ground.client.id, &places, ids).await?;
                let Openings { accounts, after_all, refused } = decide(wanted, ground.known(frame.now), &held);
                let record = self.record(record, &ground.client.id, refused).await?;
                if accounts.is_empty() && after_all.is_empty() && record.is_none() {
                    return Ok(Attempt::Nothing("nothing_to_do"));
                }
                let mut commit = self.crm.0.commit();
                for decision in &accounts {
                    commit.save(&self.crm, None, decision, frame)?;
                }
                for decision in &after_all {
                    let Some(was) = self.refused_before(decision, &held).await? else {
                        return Err(StepError::Busy("the client's accounts keep changing"));
                    };
                    commit.save(&self.crm, Some(&was), decision, frame)?;
                }
                let added: Vec<AccountId> =
                    accounts.into_iter().chain(after_all).map(|decision| decision.next.id).collect();
                if !added.is_empty() {
                    commit.take_places(&self.crm.0, &places, &added)?;
                }
                let outcome = record.as_ref().map_or("requested", |(_, decision)| decision.outcome);
                if let Some((was, decision)) = &record {
                    commit.save(&self.crm, was.as_ref(), decision, frame)?;
                }
                Ok(Attempt::Save(commit, outcome))
            })
        })
        .await
    }

    /// What an account that opens after all is saved over, if it is still what was decided on.
    async fn refused_before(
        &self,
        decision: &Decision<Account>,
        held: &[Account],
    ) -> Result<Option<Stored<Account>>, StepError> {
        let stored = self.crm.load::<Account>(&decision.next.id).await?;
        Ok(stored.filter(|stored| held.contains(&stored.entity)))
    }

    /// Whether a person was asked about what the event wants. All of it was saved with that, so nothing is left to do: what the person
    /// left as it was stays so, whatever the rules say by now.
    async fn is_decided(&self, of: &RecordOf<'_>) -> Result<bool, StepError> {
        match of {
            RecordOf::Event(event, _) => {
                let id = AccountOpening::id_of(&event.event_id, event.at);
                Ok(self.crm.load::<AccountOpening>(&id).await?.is_some())
            }
            RecordOf::Opening(_) => Ok(false),
        }
    }

    /// What is saved about the accounts that could not be opened; nothing where there are none, or another worker has ended it.
    async fn record(
        &self,
        of: &RecordOf<'_>,
        client: &ClientId,
        refused: Vec<RefusedWish>,
    ) -> Result<Option<(Option<Stored<AccountOpening>>, Decision<AccountOpening>)>, StepError> {
        match of {
            RecordOf::Event(..) if refused.is_empty() => Ok(None),
            RecordOf::Event(event, trigger) => {
                let id = AccountOpening::id_of(&event.event_id, event.at);
                let decision = AccountOpening::refused(id, client.clone(), *trigger, refused);
                Ok(Some((None, decision)))
            }
            RecordOf::Opening(stored) => {
                // read anew: another worker may have ended what this one begins
                let now = self.crm.load::<AccountOpening>(&stored.entity.id).await?;
                let Some(now) = now.filter(|now| now.entity.is_retried()) else { return Ok(None) };
                let decision = now.entity.tried_again(refused);
                Ok(Some((Some(now), decision)))
            }
        }
    }
}
