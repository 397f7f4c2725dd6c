//! Takes a lead in: the same person within the window joins the first lead, anybody else begins a new one.

use domain::decision::{Decision, Frame, Verdict};
use domain::lead::rules::{LeadIntake, LeadScoring};
use domain::lead::{Arrives, KnownContact, Lead, LeadStatus, Returning, Submission};
use domain::rules::{RuleError, RuleSet};
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Commit, Crm, StoreError, Stored};

/// A lead on its way in.
pub(crate) struct Arrival<'a> {
    /// The form.
    pub form: &'a Submission,
    /// The lead that it would begin, with its score.
    pub lead: Lead,
    /// The lead as announced by an ad platform, if it was.
    pub was: Option<&'a Stored<Lead>>,
}

/// What decides about an arrival.
pub(crate) struct Rules<'a> {
    /// Who is the same person.
    pub intake: &'a LeadIntake,
    /// What a first lead is worth with what a later form adds.
    pub scoring: &'a LeadScoring,
}

/// Saves an arrival; doing it again changes nothing. The lead as saved: its own, or the record that it joined another.
pub(crate) async fn admit(
    crm: &Crm,
    arrival: &Arrival<'_>,
    rules: &Rules<'_>,
    frame: &Frame,
) -> Result<Lead, StepError> {
    let keys = arrival.form.contact_keys();
    let keys = keys.as_slice();
    let mut repeated = false;
    step::together(frame, "other forms of the same person keep coming", || {
        let repeats = std::mem::replace(&mut repeated, true);
        Box::pin(attempt(crm, arrival, rules, keys, repeats, frame))
    })
    .await
}

async fn attempt(
    crm: &Crm,
    arrival: &Arrival<'_>,
    rules: &Rules<'_>,
    keys: &[String],
    repeats: bool,
    frame: &Frame,
) -> Result<Attempt<Lead>, StepError> {
    // a repeat of this very arrival may be what was first
    if repeats
        && let Some(done) = crm.load::<Lead>(&arrival.lead.id).await?
        && arrival.was.is_none_or(|was| done.version > was.version)
    {
        return Ok(Attempt::Nothing(done.entity));
    }
    let known = crm.contacts(keys).await?;
    let mut commit = crm.0.commit();
    let own = &arrival.lead.id;
    let arrives = Arrives::of(&known, own, rules.intake.duplicate_window, frame.now);
    let lead = match &arrives {
        Arrives::Begins { before, perhaps } => begin(crm, &mut commit, arrival, *before, *perhaps, frame).await?,
        Arrives::Joins(first) => join(crm, &mut commit, arrival, rules, first, frame).await?,
    };
    for (contact, was) in arrives.learns(keys, &known, own, frame.now) {
        commit.know(crm, &contact, was)?;
    }
    Ok(Attempt::Save(commit, lead))
}

async fn begin(
    crm: &Crm,
    commit: &mut Commit,
    arrival: &Arrival<'_>,
    before: Option<&KnownContact>,
    perhaps: Option<&KnownContact>,
    frame: &Frame,
) -> Result<Lead, StepError> {
    let before = match before {
        Some(contact) => returning(crm, contact).await?,
        None => None,
    };
    let lead = arrival.lead.clone();
    let lead = match perhaps {
        Some(contact) => lead.perhaps_same_as(&contact.lead_id, frame.now),
        None => lead,
    };
    let decision = lead.received(before);
    commit.save(crm, arrival.was, &decision, frame)?;
    Ok(decision.next)
}

/// Who had the same person's lead when it was too long ago to join it.
async fn returning(crm: &Crm, contact: &KnownContact) -> Result<Option<Returning>, StepError> {
    let lead = crm.load_settled::<Lead>(&contact.lead_id).await?;
    let owner = lead.as_ref().and_then(|lead| lead.entity.owner().cloned());
    Ok(owner.map(|agent_id| Returning { lead_id: Some(contact.lead_id.clone()), agent_id }))
}

/// A lead cannot be scored: it is held until the rules are right.
pub(crate) fn broken_scoring(error: RuleError) -> StepError {
    StepError::Rules { set: LeadScoring::NAME, what: error.to_string() }
}

async fn join(
    crm: &Crm,
    commit: &mut Commit,
    arrival: &Arrival<'_>,
    rules: &Rules<'_>,
    first: &KnownContact,
    frame: &Frame,
) -> Result<Lead, StepError> {
    let stored = crm.load::<Lead>(&first.lead_id).await?;
    let stored = stored.ok_or_else(|| StoreError::corrupt(&first.key, "it names a lead that is not there"))?;
    let own = &arrival.lead;
    let verdict = stored.entity.join(own, arrival.form, rules.intake.attribution, rules.scoring, frame.now);
    if let Verdict::Change(decision) = verdict.map_err(broken_scoring)? {
        let mut frame = frame.clone();
        frame.correlation_id.clone_from(&stored.correlation_id);
        commit.save(crm, Some(&stored), &decision, &frame)?;
    }
    let record: Decision<Lead> = own.clone().duplicate(first.lead_id.clone());
    commit.save(crm, arrival.was, &record, frame)?;
    debug_assert_ne!(stored.entity.facts.status, LeadStatus::Duplicate, "contacts name first leads only");
    Ok(record.next)
}
