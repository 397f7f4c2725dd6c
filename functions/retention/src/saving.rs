//! Saves journeys together with what is counted of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::decision::{Decision, Frame};
use domain::journey::rules::Journeys;
use domain::journey::{Books, Journey};
use runtime::StepError;
use runtime::rulebook::{Live, RuleBook};
use runtime::step::Attempts;
use store::{Committed, Crm, Stored};

/// The live rules and those that runs entered with.
pub(crate) struct Shelf {
    pub(crate) live: Arc<Live<Journeys>>,
    older: BTreeMap<u64, Arc<Live<Journeys>>>,
}

impl Shelf {
    /// The live rules alone.
    pub(crate) async fn live(rules: &RuleBook) -> Result<Self, StepError> {
        Ok(Self { live: rules.live::<Journeys>().await?, older: BTreeMap::new() })
    }

    /// Fetches what the runs of a reader go on with.
    pub(crate) async fn fetch(&mut self, rules: &RuleBook, journey: &Journey) -> Result<(), StepError> {
        for version in journey.versions(self.live.version) {
            if !self.older.contains_key(&version)
                && let Some(own) = rules.at::<Journeys>(version).await?
            {
                self.older.insert(version, own);
            }
        }
        Ok(())
    }

    pub(crate) fn books(&self) -> Books<'_> {
        let older = self.older.iter().map(|(version, own)| (*version, &own.rules)).collect();
        Books { version: self.live.version, live: &self.live.rules, older }
    }
}

/// Saves a version with what it counts, once: `None` when somebody else saved first.
pub(crate) async fn save(
    crm: &Crm,
    was: Option<&Stored<Journey>>,
    decision: &Decision<Journey>,
    frame: &Frame,
) -> Result<Option<Stored<Journey>>, StepError> {
    let counts = decision.next.counts();
    if counts.is_empty() {
        return Ok(match crm.save(was, decision.clone(), frame).await? {
            store::Saved::Applied(now) => Some(now),
            store::Saved::Conflict => None,
        });
    }
    let reader = decision.next.id.as_str();
    let mut attempts = Attempts::of(frame, "others keep counting");
    loop {
        let mut commit = store::Home::<Journey>::table(crm).commit();
        commit.save(crm, was, decision, frame)?;
        for ((journey, version), numbers) in &counts {
            commit.tally(crm, reader, (journey, *version), numbers)?;
        }
        let committed = commit.send().await?;
        // what follows is decided on it, so it must not be a version that was
        let stands = crm.load::<Journey>(&decision.next.id).await?;
        if committed == Committed::Applied {
            return Ok(stands);
        }
        // somebody counted at the same moment, or somebody else was at the reader: then his word stands
        if stands.as_ref().map(|stored| stored.version) != was.map(|stored| stored.version) {
            return Ok(None);
        }
        attempts.again().await?;
    }
}
