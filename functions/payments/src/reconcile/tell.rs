//! Tells of what differs: a break each, which are named with their day first.

use domain::decision::Frame;
use domain::reconciliation::{Break, Found, Settlement, Source};
use domain::{BreakId, Day, PaymentId};
use runtime::{StepError, step};
use store::MoneyTable;

/// Opens what is new of a day and resolves what is not found any more; how many breaks are pending. `about`: only this payment was
/// compared, and of others nothing is known.
pub(crate) async fn tell(
    money: &MoneyTable,
    (source, date): (&Source, Day),
    found: &[Found],
    about: Option<&PaymentId>,
    frame: &Frame,
) -> Result<usize, StepError> {
    let now = frame.now;
    let ids: Vec<BreakId> = found.iter().map(|found| found.id.clone()).collect();
    let day = Settlement::id_of(source, date);
    let named = || Settlement::begun(source, date);
    // whoever dies on the way leaves no break that nobody would ever resolve
    let named = step::change_or_begin(money, &day, named, frame, |own: &Settlement| own.names(&ids)).await?;
    let mut pending = 0;
    for difference in found {
        let fresh = || Break::begun(source, date, difference, now);
        let told = |own: &Break| own.found(difference, now);
        let told = step::change_or_begin(money, &difference.id, fresh, frame, told).await?;
        pending += usize::from(told.is_pending());
    }
    let gone: Vec<BreakId> = named.private.breaks.into_iter().filter(|id| !ids.contains(id)).collect();
    for stored in money.load_some::<Break>(&gone).await? {
        let own = stored.entity;
        if about.is_some_and(|about| own.facts.payment_id.as_ref() != Some(about)) {
            continue;
        }
        let mut frame = frame.clone();
        step::change(money, &own.id, &mut frame, |own: &Break| own.resolved(now)).await?;
    }
    Ok(pending)
}
