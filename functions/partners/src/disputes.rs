//! What people decided about lines that a partner disputes: the dispute, the line that puts it right and the month are saved together.

use domain::Seconds;
use domain::decision::Frame;
use domain::partner::dispute::Dispute;
use domain::partner::period::Period;
use domain::work::WorkItem;
use domain::work::rules::WorkKind;
use runtime::queue::BusEvent;
use runtime::step::Attempt;
use runtime::{StepError, people};
use store::{Crm, PartnersTable};

/// Whether an event tells of a decision about a dispute.
pub(crate) fn is_about_one(event: &BusEvent) -> bool {
    event.kind == "work.decided"
        && event.data.get("kind").and_then(|kind| kind.as_str()) == Some(WorkKind::PartnerDispute.as_str())
}

/// Carries out what was decided, once. The line stands on the first statement that is not drawn.
pub(crate) async fn settle(
    partners: &PartnersTable,
    crm: &Crm,
    event: &BusEvent,
    close_after: Seconds,
    frame: &Frame,
) -> Result<Attempt<&'static str>, StepError> {
    let about = people::decision_about::<Dispute>(crm, event, "dispute_id").await?;
    let Some((id, decision, item)) = about else { return Ok(Attempt::Nothing("nothing_to_do")) };
    let work = crm.load::<WorkItem>(&item.work_id).await?;
    let note = work.as_ref().and_then(|work| work.entity.note());
    let stored = partners.load::<Dispute>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
    let partner = &stored.entity.facts.partner_id;
    let month = |period: Period| (partner.clone(), period);
    let mut open = Period::of(frame.now.minus(close_after));
    let mut read = partners.months([month(open)]).await?;
    if read.totals.get(&month(open)).is_some_and(|totals| totals.closed) {
        open = open.next();
        read = partners.months([month(open)]).await?;
    }
    let Some(settled) = stored.entity.decided((&decision, note), item, (open, frame.now)) else {
        return Ok(Attempt::Nothing("nothing_to_do"));
    };
    let mut commit = partners.0.commit();
    commit.save(partners, Some(&stored), &settled.decision, frame)?;
    if let Some(line) = &settled.line {
        let mut totals = read.totals.get(&month(open)).cloned().unwrap_or_default();
        totals.book(line).map_err(|error| StepError::Malformed(error.to_string()))?;
        commit.put_line(partners, line)?;
        commit.put_month(partners, &read, &month(open), &totals)?;
    }
    Ok(Attempt::Save(commit, settled.decision.outcome))
}
