//! What every trigger does alike: holds moments of a client against the scenarios that they set off, and lets what is found join his case.

use std::sync::Arc;

use domain::activity::History;
use domain::compliance::{
    About, Alert, Case, CountryLists, Evaluation, Found, Mode, Moment, Scenarios, Sight, Watch, evaluate,
};
use domain::decision::Frame;
use domain::{ClientId, ClientWatchId, Timestamp};
use runtime::function::{ConfigError, Ports};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Attempt};
use runtime::{StepError, awsclients};
use store::{Crm, Stored, TradesTable};

/// Tables and rules of whoever judges.
pub(crate) struct Judge {
    pub(crate) crm: Crm,
    pub(crate) trades: TradesTable,
    rules: RuleBook,
}

/// The rules by which is judged, as they are live.
pub(crate) struct By {
    pub(crate) scenarios: Arc<Live<Scenarios>>,
    lists: Arc<Live<CountryLists>>,
}

impl Judge {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)?, rules: RuleBook::new(ports)? })
    }

    /// The rules, named in the frame of what is decided by them.
    pub(crate) async fn by(&self, frame: &mut Frame) -> Result<By, StepError> {
        let by = By { scenarios: self.rules.live().await?, lists: self.rules.live().await? };
        frame.used(by.scenarios.label());
        frame.used(by.lists.label());
        Ok(by)
    }

    /// What moments of a client come to.
    ///
    /// # Errors
    /// A rule that cannot be judged never passes as "nothing found": it comes again, and then to a person.
    pub(crate) fn judged(
        by: &By,
        about: &About,
        history: &History,
        moments: &[Moment],
        now: Timestamp,
    ) -> Result<Vec<(Alert, Mode)>, StepError> {
        let (rules, label) = (&by.scenarios.rules, by.scenarios.label());
        let sight = Sight { history, about, rules, lists: &by.lists.rules };
        let (mut found, mut unjudged) = (Vec::new(), 0_u32);
        for moment in moments {
            for scenario in rules.set_off_by(moment.trigger) {
                let (client, late_after) = (&about.client_id, rules.late_after);
                let found_by = Found { scenario, client, moment, rule_version: &label, late_after, now };
                match evaluate(scenario, sight, moment) {
                    Ok(Evaluation::Hit(looked)) => found.push((Alert::of(found_by, looked), scenario.mode)),
                    Ok(Evaluation::NoHit(_)) => {}
                    Ok(Evaluation::InsufficientHistory { .. }) => unjudged = unjudged.saturating_add(1),
                    Err(error) => {
                        let what = format!("{}: {error}", scenario.id);
                        return Err(StepError::Rules { set: "compliance_scenarios", what });
                    }
                }
            }
        }
        tracing::debug!(client.id = %about.client_id, found = found.len(), unjudged, "scenarios were evaluated");
        Ok(found)
    }

    /// What is kept about the client and his case, saved together: of two workers one decides again on what the other saved.
    pub(crate) async fn take(
        &self,
        client: &ClientId,
        found: &[(Alert, Mode)],
        rules: &Scenarios,
        frame: &Frame,
    ) -> Result<&'static str, StepError> {
        if found.is_empty() {
            return Ok("nothing_found");
        }
        step::together(frame, "the client's case keeps changing", || {
            Box::pin(async move {
                let was = self.crm.load::<Watch>(&ClientWatchId::of(client)).await?;
                let watch = was.as_ref().map_or_else(|| Watch::begun(client), |stored| stored.entity.clone());
                let open = match &watch.facts.open_case {
                    Some(id) => self.crm.load::<Case>(id).await?,
                    None => None,
                };
                let taken =
                    watch.take(open.as_ref().map(|stored: &Stored<Case>| &stored.entity), found, rules, frame.now);
                let Some(taken) = taken else { return Ok::<_, StepError>(Attempt::Nothing("known_already")) };
                let mut commit = self.crm.0.commit();
                commit.save(&self.crm, was.as_ref(), &taken.watch, frame)?;
                if let Some(case) = &taken.case {
                    commit.save(&self.crm, open.as_ref(), case, frame)?;
                }
                Ok(Attempt::Save(commit, taken.watch.outcome))
            })
        })
        .await
    }
}
