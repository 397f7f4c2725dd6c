//! What people decided, for the steps that carry it out.

use domain::WorkId;
use domain::work::{HumanDecision, WorkItem};
use store::Crm;

use crate::queue::BusEvent;
use crate::step::StepError;

/// A decision, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided<I> {
    /// The id that the item's subject names.
    pub about: I,
    /// The decision as it stands in the work item.
    pub decision: HumanDecision,
}

/// The decision that `work.decided` tells of, if it is about something of the kind that the subject names `field`. It is read from
/// the item itself: an event is what came over a queue, and the item may have been opened anew since, so that nothing is decided.
///
/// # Errors
/// [`StepError`]; [`StepError::Absent`] when there is no such item.
pub async fn decided<I: std::str::FromStr>(
    crm: &Crm,
    event: &BusEvent,
    field: &str,
) -> Result<Option<Decided<I>>, StepError> {
    let id: WorkId = event.id()?;
    let stored = crm.load::<WorkItem>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
    let facts = &stored.entity.facts;
    let about = facts.subject.get(field).and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
    Ok(about.zip(HumanDecision::of(facts)).map(|(about, decision)| Decided { about, decision }))
}
