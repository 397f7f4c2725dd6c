//! What people decided, carried out on what it is about.

use domain::decision::{Frame, Verdict};
use domain::entity::Entity;
use domain::payment::ticket::Reopened;
use domain::work::{HumanDecision, WorkItem};
use domain::{Timestamp, WorkId};
use store::{Crm, Home};

use crate::queue::BusEvent;
use crate::step::{self, Done, StepError};

/// Carries out the decision that `work.decided` tells of, if it is about an entity whose id the item's subject names in `field`. It is
/// read from the item itself: an event is what came over a queue. One about an earlier opening of the item carries out nothing: what
/// was decided since has its own event, and what it told of is no longer what stands.
///
/// # Errors
/// [`StepError`]; [`StepError::Absent`] when there is no such item, or what it is about is not there.
pub async fn carry_out<H, T>(
    crm: &Crm,
    home: &H,
    event: &BusEvent,
    field: &str,
    frame: &mut Frame,
    decide: impl Fn(&T, &HumanDecision, Timestamp) -> Verdict<T>,
) -> Result<&'static str, StepError>
where
    H: Home<T>,
    T: Entity,
    T::Id: std::str::FromStr,
{
    let Some((about, decision, _)) = decision_about::<T>(crm, event, field).await? else { return Ok("nothing_to_do") };
    let now = frame.now;
    let done = step::change(home, &about, frame, |entity: &T| decide(entity, &decision, now)).await?;
    if let Done::Unchanged { reason, .. } = &done {
        tracing::info!(entity = %about, reason, "the decision changes nothing");
    }
    Ok(done.outcome())
}

/// What was decided about an entity whose id the item's subject names in `field`, as the item says it, with the item and its opening, by
/// which it can be opened again; `None` where the event carries
/// nothing out.
///
/// # Errors
/// [`StepError`]; [`StepError::Absent`] when there is no such item.
pub async fn decision_about<T>(
    crm: &Crm,
    event: &BusEvent,
    field: &str,
) -> Result<Option<(T::Id, HumanDecision, Reopened)>, StepError>
where
    T: Entity,
    T::Id: std::str::FromStr,
{
    let id: WorkId = event.id()?;
    let stored = crm.load::<WorkItem>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
    if is_outdated(event, &stored.entity) {
        return Ok(None);
    }
    let facts = &stored.entity.facts;
    let about: Option<T::Id> = facts.subject.get(field).and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
    let opening = facts.opening;
    let decided = about.zip(HumanDecision::of(&stored.entity));
    Ok(decided.map(|(about, decision)| (about, decision, Reopened { work_id: id, opening })))
}

/// Whether an event is about an opening of the item before the present one.
pub fn is_outdated(event: &BusEvent, item: &WorkItem) -> bool {
    let opening = event.data.get("opening").and_then(serde_json::Value::as_u64).unwrap_or(0);
    opening < u64::from(item.facts.opening)
}
