//! Rule sets: parsed once a version, looked up again every minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::input::Fault;
use domain::rules::RuleSet;
use domain::{Seconds, Timestamp};
use store::Rules;

use crate::function::{Clock, ConfigError, Ports};
use crate::step::StepError;

/// How long a version is used before the table is asked for a newer one.
const KEEP: Seconds = Seconds(60);
/// Older versions that are kept parsed.
const OLDER_MAX: usize = 20;

/// A live rule set with its version.
#[derive(Debug)]
pub struct Live<T> {
    /// The set's name.
    pub set: &'static str,
    /// Its version.
    pub version: u64,
    /// The parsed set.
    pub rules: T,
}

impl<T> Live<T> {
    /// What decision records carry: `psps@3`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.set, self.version)
    }
}

struct Kept {
    looked_up: Timestamp,
    version: u64,
    rules: Arc<dyn std::any::Any + Send + Sync>,
}

/// The live rule sets.
#[derive(Clone)]
pub struct RuleBook {
    table: Rules,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<BTreeMap<&'static str, Kept>>>,
    /// Versions that are used although others are live. A version never changes.
    older: Arc<Mutex<BTreeMap<(&'static str, u64), Older>>>,
}

type Older = Arc<dyn std::any::Any + Send + Sync>;

impl RuleBook {
    /// A book over the table `rules`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self {
            table: crate::awsclients::rules(ports)?,
            clock: ports.clock.clone(),
            kept: Arc::default(),
            older: Arc::default(),
        })
    }

    /// The live version of a set.
    ///
    /// # Errors
    /// [`StepError::Rules`] when there is none or it does not parse, [`StepError::Store`].
    pub async fn live<T: RuleSet>(&self) -> Result<Arc<Live<T>>, StepError> {
        let now = self.clock.now();
        if let Some(kept) = self.kept::<T>(Some(now)) {
            return Ok(kept);
        }
        let fail = |what: String| StepError::Rules { set: T::NAME, what };
        let newest = self.table.live(T::NAME, now).await?.ok_or_else(|| fail("it has no live version".to_owned()))?;
        if let Some(kept) = self.kept::<T>(None).filter(|kept| kept.version == newest.version) {
            self.keep::<T>(now, kept.clone());
            return Ok(kept);
        }
        let document: serde_json::Value =
            serde_json::from_str(&newest.document).map_err(|error| fail(error.to_string()))?;
        let rules = T::parse(&document).map_err(|faults| fail(in_words(&faults)))?;
        let live = Arc::new(Live { set: T::NAME, version: newest.version, rules });
        self.keep::<T>(now, live.clone());
        Ok(live)
    }

    /// A version of a set that need not be live, for what goes on as it began; none where it is not there, or does not read any more.
    ///
    /// # Errors
    /// [`StepError::Store`].
    pub async fn at<T: RuleSet>(&self, version: u64) -> Result<Option<Arc<Live<T>>>, StepError> {
        let place = (T::NAME, version);
        if let Some(kept) = self.older.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned() {
            return Ok(kept.downcast::<Live<T>>().ok());
        }
        let Some(found) = self.table.version(T::NAME, version).await? else { return Ok(None) };
        let document = serde_json::from_str(&found.document).ok();
        let Some(rules) = document.and_then(|document: serde_json::Value| T::parse(&document).ok()) else {
            tracing::warn!(set = T::NAME, version, "an older version of the rules does not read any more");
            return Ok(None);
        };
        let own = Arc::new(Live { set: T::NAME, version, rules });
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        if older.len() >= OLDER_MAX {
            older.pop_first();
        }
        older.insert(place, own.clone());
        Ok(Some(own))
    }

    fn kept<T: RuleSet>(&self, fresh_at: Option<Timestamp>) -> Option<Arc<Live<T>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.get(T::NAME)?;
        if fresh_at.is_some_and(|now| now >= entry.looked_up.plus(KEEP)) {
            return None;
        }
        entry.rules.clone().downcast::<Live<T>>().ok()
    }

    fn keep<T: RuleSet>(&self, now: Timestamp, live: Arc<Live<T>>) {
        let entry = Kept { looked_up: now, version: live.version, rules: live };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(T::NAME).is_none_or(|old| old.version <= entry.version) {
            kept.insert(T::NAME, entry);
        }
    }
}

fn in_words(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect();
    lines.join("; ")
}
