//! How providers answered lately: who fails again and again is tried last for a while. Advice, and no more: it is kept without a
//! lock, and what of it is lost costs a payer some seconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Seconds, Timestamp};

/// Failures remembered of a provider: as many as rules may ask for.
pub(super) const FAILURES_MAX: u32 = 20;

/// From when on a provider is put last, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Failing {
    /// So many failures in a row
    pub failures: u32,
    /// within so long
    pub within: Seconds,
    /// put it last for so long, from the newest on.
    pub put_last_for: Seconds,
}

/// The newest failures of each provider that failed and has not answered since, in milliseconds since 1970, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PspHealth(BTreeMap<String, Vec<i64>>);

impl PspHealth {
    /// Whether a provider is put last now.
    pub fn is_failing(&self, psp: &str, rule: Failing, now: Timestamp) -> bool {
        self.failing_since(psp, rule, now).is_some()
    }

    /// The newest failure of one that is put last.
    fn failing_since(&self, psp: &str, rule: Failing, now: Timestamp) -> Option<Timestamp> {
        let times = self.0.get(psp)?;
        let nth = times.len().checked_sub(usize::try_from(rule.failures).ok()?)?;
        let (first, last) = (Timestamp::from_millis(*times.get(nth)?)?, Timestamp::from_millis(*times.last()?)?);
        let is_close = last <= first.plus(rule.within);
        (is_close && now < last.plus(rule.put_last_for)).then_some(last)
    }

    /// After a failure; `None` where it says nothing that is worth a write: it is put last anyhow, and for a good while yet.
    #[must_use]
    pub fn failed(&self, psp: &str, rule: Failing, now: Timestamp) -> Option<Self> {
        let half = Seconds(rule.put_last_for.0 / 2);
        if self.failing_since(psp, rule, now).is_some_and(|last| now < last.plus(half)) {
            return None;
        }
        let keep = usize::try_from(rule.failures.min(FAILURES_MAX)).unwrap_or_default();
        let still = self.is_failing(psp, rule, now);
        let mut next = self.clone();
        let times = next.0.entry(psp.to_owned()).or_default();
        match still {
            // tried last, it failed again: it is put last anew, from now on
            true => *times = vec![now.millis(); keep],
            false => times.push(now.millis()),
        }
        times.drain(..times.len().saturating_sub(keep));
        Some(next)
    }

    /// After an answer; `None` where nothing is held against it.
    #[must_use]
    pub fn answered(&self, psp: &str) -> Option<Self> {
        let mut next = self.clone();
        next.0.remove(psp).map(|_| next)
    }
}
