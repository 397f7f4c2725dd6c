//! `compliance-day`: every day, sees to it that each share of the clients is looked at for the day that is over.

use std::sync::Arc;

use domain::client::CLIENT_LISTS;
use domain::compliance::{DayPart, Trigger};
use domain::{Day, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::{StepError, step};
use serde_json::value::RawValue;

use crate::judge::Judge;

/// The function.
pub struct DayOver(Judge);

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    Ok(ScheduledFunction::build(DayOver(Judge::new(ports)?), ports))
}

impl ScheduledStep for DayOver {
    const NAME: &'static str = "compliance-day";

    fn fire<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move { Ok(Fired::counted("opened", self.open(now, invocation).await?)) })
    }
}

impl DayOver {
    async fn open(&self, now: Timestamp, invocation: &Invocation) -> Result<usize, StepError> {
        let mut frame = invocation.frame(Self::NAME, "a day that is over", now);
        let by = self.0.by(&mut frame).await?;
        if by.scenarios.rules.set_off_by(Trigger::Daily).next().is_none() {
            return Ok(0);
        }
        let day = Day::of(now).before();
        let mut opened = 0_usize;
        for list in 0..CLIENT_LISTS {
            let Some(through) = self.0.crm.newest_listed(list).await? else { continue };
            let fresh = || DayPart::begun(list, &through);
            let open = |part: &DayPart| part.opened(day, &through, now);
            step::change_or_begin(&self.0.crm, &DayPart::id_of(list), fresh, &frame, open).await?;
            opened = opened.saturating_add(1);
        }
        Ok(opened)
    }
}
