//! What was decided about a creation, saved with what must be saved together with it.

use domain::AccountId;
use domain::account::Account;
use domain::account::rules::Platforms;
use domain::decision::{Decision, Frame, Verdict};
use domain::rules::RuleSet;
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Commit, Home};

use super::Create;
use crate::client_of;

impl Create {
    /// Decides and saves. An account that is open from now on is saved with its login, which is no other's: whatever a person typed or a
    /// platform said. One that failed, and is tried again, is saved with its place among its client's accounts, if there is one.
    pub(super) async fn keep(
        &self,
        id: &AccountId,
        frame: &Frame,
        decide: impl Fn(&Account) -> Verdict<Account> + Send + Sync,
    ) -> Result<&'static str, StepError> {
        let decide = &decide;
        step::together(frame, "the account keeps changing", || {
            Box::pin(async move {
                let stored = self.crm.load::<Account>(id).await?;
                let stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?;
                let mut frame = Frame { correlation_id: stored.correlation_id.clone(), ..frame.clone() };
                let mut commit = Home::<Account>::table(&self.crm).commit();
                let verdict = match decide(&stored.entity) {
                    Verdict::Change(decision) if decision.next.login_in_use().is_some() => {
                        self.with_login(&stored.entity, decision, &mut commit, &frame).await?
                    }
                    Verdict::Change(decision) if decision.next.is_held() && !stored.entity.is_held() => {
                        self.with_place(&stored.entity, decision, &mut commit, &mut frame).await?
                    }
                    verdict => verdict,
                };
                let Verdict::Change(decision) = verdict else { return Ok(Attempt::Nothing("nothing_to_do")) };
                commit.save(&self.crm, Some(&stored), &decision, &frame)?;
                Ok(Attempt::Save(commit, decision.outcome))
            })
        })
        .await
    }

    async fn with_login(
        &self,
        account: &Account,
        decision: Box<Decision<Account>>,
        commit: &mut Commit,
        frame: &Frame,
    ) -> Result<Verdict<Account>, StepError> {
        let (server, login) = (&account.facts.server, decision.next.login_in_use().unwrap_or_default());
        match self.crm.login_holder(server, login).await? {
            Some(other) if other != account.id => Ok(account.login_taken(login, decision.why.clone(), frame.now)),
            Some(_) | None => {
                commit.take_login(&self.crm, server, login, &account.id)?;
                Ok(Verdict::Change(decision))
            }
        }
    }

    async fn with_place(
        &self,
        account: &Account,
        decision: Box<Decision<Account>>,
        commit: &mut Commit,
        frame: &mut Frame,
    ) -> Result<Verdict<Account>, StepError> {
        let live = self.servers.rules().await?;
        frame.used(live.label());
        let residence = client_of(&self.crm, &account.client_id).await?.facts.residence;
        let places = self.crm.places(&account.client_id).await?;
        let held = self.crm.accounts_held(&account.client_id, &places, &[]).await?;
        let fault = account.too_many_beside(&held, residence, &live.rules, frame.now);
        let fault = fault.map_err(|error| StepError::Rules { set: Platforms::NAME, what: error.to_string() })?;
        match fault {
            Some(fault) => Ok(account.still_asks(&fault.message, decision.why.clone(), frame.now)),
            None => {
                commit.take_places(&self.crm.0, &places, std::slice::from_ref(&account.id))?;
                Ok(Verdict::Change(decision))
            }
        }
    }
}
