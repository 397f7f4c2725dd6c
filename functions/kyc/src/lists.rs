//! `kyc-lists`: every hour, and when somebody asks for it, fetches the lists that are due and builds the index that clients are screened with.
//! A list that is not to be had, not whole or far smaller than before leaves its last good version in use, rings, and is a work item.

pub mod current;
mod desk;
mod fetch;
pub mod index;
mod refresh;
pub mod search;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use domain::Timestamp;
use domain::kyc::rules::ScreeningRules;
use files::Files;
use providers::http::{BoxFuture, Transport};
use runtime::function::{ConfigError, Function, Invocation, Ports};
use runtime::rulebook::RuleBook;
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::{StepError, awsclients};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use store::Crm;

use current::Current;
use refresh::Refresh;

/// The function.
pub struct RefreshLists {
    crm: Crm,
    rules: RuleBook,
    files: Files,
    transport: Arc<dyn Transport>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = RefreshLists {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        files: Files::new(ports, "BUCKET_LISTS")?,
        transport: ports.transport.clone(),
    };
    Ok(ScheduledFunction::build(step, ports))
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
            let all = serde_json::from_str::<Trigger>(event.get()).is_ok_and(|trigger| trigger.all);
            let (current, outcome) = self.refresh(all, now, invocation).await?;
            Ok(Fired { outcome, answer: json!({"outcome": outcome, "lists": current.lists}) })
        })
    }
}

impl RefreshLists {
    async fn refresh(
        &self,
        all: bool,
        now: Timestamp,
        invocation: &Invocation,
    ) -> Result<(Current, &'static str), StepError> {
        let until = Instant::now() + invocation.time_left;
        let rules = self.rules.live::<ScreeningRules>().await?;
        let (files, transport) = (&self.files, &self.transport);
        let mut refresh = Refresh { files, transport, rules: &rules.rules, now, until, read: BTreeMap::new() };
        let current = refresh.run(all).await?;
        let outcome = outcome(&current, &rules.rules, now);
        let mut frame = invocation.frame(Self::NAME, "refresh of the lists", now);
        frame.used(rules.label());
        // last: who dies here has refreshed the lists, and the next hour tells of them
        desk::tell(&self.crm, &current, &rules.rules, &frame).await?;
        Ok((current, outcome))
    }
}

/// One word for metric and alarm, the worst first.
fn outcome(current: &Current, rules: &ScreeningRules, now: Timestamp) -> &'static str {
    let unusable = rules.lists.iter().find(|list| {
        let taken = current.list(&list.code).and_then(|state| state.taken.as_ref());
        taken.is_none_or(|taken| list.is_stale(taken.taken_at, now))
    });
    if let Some(list) = unusable {
        tracing::error!(list = list.code, "nobody can be screened: the list is missing or too old");
        return "unusable";
    }
    if current.lists.iter().any(|state| state.refused.is_some()) { "list_refused" } else { "refreshed" }
}
