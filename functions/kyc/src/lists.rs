//! `kyc-lists`: every hour, and when somebody asks for it, fetches the lists that are due and builds the index that clients are screened with.
//! A list that is not to be had, not whole or far smaller than before leaves its last good version in use, rings, and is a work item.

pub mod current;
mod desk;
mod fetch;
pub mod index;
mod keeper;
mod refresh;
pub mod search;
mod version;

use std::sync::Arc;
use std::time::Instant;

use domain::Timestamp;
use providers::http::BoxFuture;
use runtime::StepError;
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

pub(crate) use keeper::Keeper;
pub(crate) use refresh::{Pace, Wanted};

/// The function.
pub struct RefreshLists(Keeper);

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    Ok(ScheduledFunction::build(RefreshLists(Keeper::new(ports)?), ports))
}

/// The trigger: the schedule's, or `{"all": true}` from whoever cannot wait.
#[derive(Deserialize)]
struct Trigger {
    #[serde(default)]
    all: bool,
}

impl ScheduledStep for RefreshLists {
    const NAME: &'static str = "kyc-lists";

    fn fire<'a>(
        &'a self,
        event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move {
            let pace = Pace::unhurried(Instant::now() + invocation.time_left);
            let all = serde_json::from_str::<Trigger>(event.get()).is_ok_and(|trigger| trigger.all);
            let wanted = if all { Wanted::All } else { Wanted::Due };
            let mut frame = invocation.frame(Self::NAME, "refresh of the lists", now);
            let (current, outcome) = self.0.refresh(wanted, pace, &mut frame).await?;
            Ok(Fired { outcome, answer: json!({"outcome": outcome, "lists": current.lists}) })
        })
    }
}
