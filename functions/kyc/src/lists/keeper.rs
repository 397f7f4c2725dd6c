//! Refreshing the lists, whoever asks for it, and telling of what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Frame;
use domain::kyc::rules::ScreeningRules;
use files::Files;
use providers::http::Transport;
use runtime::function::{ConfigError, Ports};
use runtime::rulebook::{Live, RuleBook};
use runtime::{StepError, awsclients};
use store::Crm;

use crate::rescreen;

use super::current::Current;
use super::desk;
use super::refresh::{Pace, Refresh, Wanted};

/// Whoever refreshes lists.
pub(crate) struct Keeper {
    crm: Crm,
    rules: RuleBook,
    files: Files,
    transport: Arc<dyn Transport>,
}

impl Keeper {
    /// Over the bucket of lists.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self {
            crm: awsclients::crm(ports)?,
            rules: RuleBook::new(ports)?,
            files: Files::new(ports, "BUCKET_LISTS")?,
            transport: ports.transport.clone(),
        })
    }

    /// The rules about lists.
    ///
    /// # Errors
    /// [`StepError::Rules`].
    pub(crate) async fn rules(&self) -> Result<Arc<Live<ScreeningRules>>, StepError> {
        self.rules.live::<ScreeningRules>().await
    }

    /// Refreshes what is wanted; the lists as they are then, and one word for metric and alarm.
    ///
    /// # Errors
    /// The bucket or the table. What was current stays so, or is told of with the next refresh.
    pub(crate) async fn refresh(
        &self,
        wanted: Wanted<'_>,
        pace: Pace,
        frame: &mut Frame,
    ) -> Result<(Current, &'static str), StepError> {
        let rules = self.rules().await?;
        frame.used(rules.label());
        let (files, transport, now) = (&self.files, &self.transport, frame.now);
        let mut refresh = Refresh { files, transport, rules: &rules.rules, now, pace, read: BTreeMap::new() };
        let current = refresh.run(wanted).await?;
        let outcome = outcome(&current, &rules.rules, now);
        // last: who dies here has refreshed the lists, and the next hour tells of them
        desk::tell(&self.crm, &current, &rules.rules, frame).await?;
        rescreen::begin(&self.crm, &current, &rules.rules, frame).await?;
        Ok((current, outcome))
    }
}

/// One word for metric and alarm, the worst first.
fn outcome(current: &Current, rules: &ScreeningRules, now: Timestamp) -> &'static str {
    if let Some(list) = rules.lists.iter().find(|list| current.is_stale(list, now)) {
        tracing::error!(list = list.code, "nobody can be screened: the list is missing or too old");
        return "unusable";
    }
    if current.lists.iter().any(|state| state.refused.is_some()) { "list_refused" } else { "refreshed" }
}
