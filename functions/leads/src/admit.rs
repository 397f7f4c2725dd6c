//! Takes a lead in: the same person within the window joins the first lead, anybody else begins a new one.

use domain::decision::{Decision, Frame, Verdict};
use domain::lead::rules::{LeadIntake, LeadScoring};
use domain::lead::{Lead, LeadStatus, Returning, Submission};
use domain::{LeadId, Timestamp};
use runtime::StepError;
use store::{Commit, Committed, Contact, Crm, StoreError, Stored};

use crate::ATTEMPTS;

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
    for _ in 0..ATTEMPTS {
        let known = crm.contacts(&keys).await?;
        let first = first_within(&known, rules.intake, frame.now, &arrival.lead.id);
        let mut commit = crm.0.commit();
        let lead = match first {
            None => begin(crm, &mut commit, arrival, &keys, &known, frame).await?,
            Some(contact) => join(crm, &mut commit, arrival, rules, &keys, &known, contact, frame).await?,
        };
        if commit.send().await? == Committed::Applied {
            return Ok(lead);
        }
        // a repeat of this very arrival may be what was first
        if let Some(done) = crm.load::<Lead>(arrival.lead.id.as_str()).await?
            && arrival.was.is_none_or(|was| done.version > was.version)
        {
            return Ok(done.entity);
        }
    }
    Err(StepError::Busy("other forms of the same person keep coming"))
}

/// The earliest lead of the same person that still counts.
fn first_within<'c>(known: &'c [Contact], rules: &LeadIntake, now: Timestamp, own: &LeadId) -> Option<&'c Contact> {
    let counts = |contact: &&Contact| contact.lead_id != *own && now < contact.since.plus(rules.duplicate_window);
    known.iter().filter(counts).min_by_key(|contact| (contact.since, contact.lead_id.clone()))
}

async fn begin(
    crm: &Crm,
    commit: &mut Commit<'_>,
    arrival: &Arrival<'_>,
    keys: &[String],
    known: &[Contact],
    frame: &Frame,
) -> Result<Lead, StepError> {
    let before = before(crm, known, &arrival.lead.id).await?;
    let decision = arrival.lead.clone().received(before);
    commit.save(arrival.was, &decision, frame)?;
    for key in keys {
        let was = known.iter().find(|contact| contact.key == *key);
        if was.is_none_or(|was| was.lead_id != arrival.lead.id) {
            commit.know(key, was, &arrival.lead.id, frame.now)?;
        }
    }
    Ok(decision.next)
}

/// Who had the same person's lead when it was too long ago to join it.
async fn before(crm: &Crm, known: &[Contact], own: &LeadId) -> Result<Option<Returning>, StepError> {
    let newest = known.iter().filter(|contact| contact.lead_id != *own).max_by_key(|contact| contact.since);
    let Some(contact) = newest else { return Ok(None) };
    let lead = crm.load_settled::<Lead>(contact.lead_id.as_str()).await?;
    let owner = lead.as_ref().and_then(|lead| lead.entity.owner().cloned());
    Ok(owner.map(|agent_id| Returning { lead_id: Some(contact.lead_id.clone()), agent_id }))
}

/// A lead cannot be scored: it is held until the rules are right.
pub(crate) fn broken_scoring(error: domain::rules::RuleError) -> StepError {
    StepError::Rules { set: "lead_scoring", what: error.to_string() }
}

#[expect(clippy::too_many_arguments, reason = "all of what was read for one decision")]
async fn join(
    crm: &Crm,
    commit: &mut Commit<'_>,
    arrival: &Arrival<'_>,
    rules: &Rules<'_>,
    keys: &[String],
    known: &[Contact],
    first: &Contact,
    frame: &Frame,
) -> Result<Lead, StepError> {
    let stored = crm.load::<Lead>(first.lead_id.as_str()).await?;
    let stored = stored.ok_or_else(|| StoreError::corrupt(&first.key, "it names a lead that is not there"))?;
    let own = &arrival.lead;
    let verdict = stored.entity.join(own, arrival.form, rules.intake.attribution, rules.scoring, frame.now);
    if let Verdict::Change(decision) = verdict.map_err(broken_scoring)? {
        let mut frame = frame.clone();
        frame.correlation_id.clone_from(&stored.correlation_id);
        commit.save(Some(&stored), &decision, &frame)?;
    }
    let record: Decision<Lead> = own.clone().duplicate(first.lead_id.clone());
    commit.save(arrival.was, &record, frame)?;
    for key in keys.iter().filter(|key| !known.iter().any(|contact| contact.key == **key)) {
        commit.know(key, None, &first.lead_id, frame.now)?;
    }
    debug_assert_ne!(stored.entity.facts.status, LeadStatus::Duplicate, "contacts name first leads only");
    Ok(record.next)
}
