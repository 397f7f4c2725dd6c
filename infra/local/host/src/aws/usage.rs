//! What each function called and which capacity it consumed, for a test that counts and does not guess.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::probe::Service;

/// One kind of call of one function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageKey {
    /// Binary name of the function; `None` for calls that no function made.
    pub function: Option<Arc<str>>,
    /// Who was called.
    pub service: Service,
    /// Operation.
    pub operation: String,
    /// Table, `table/index/name`, bus, bucket, secret or vendor host.
    pub target: String,
}

/// How often it was called and what that consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Used {
    /// Calls; an index's share of a call counts as none.
    pub calls: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units, those of failed conditions included.
    pub write_units: f64,
}

/// The counters of a host.
#[derive(Clone, Default)]
pub(crate) struct Usage(Arc<Mutex<BTreeMap<UsageKey, Used>>>);

impl Usage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<UsageKey, Used>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, key: UsageKey, used: Used) {
        let mut all = self.lock();
        let sum = all.entry(key).or_default();
        sum.calls += used.calls;
        sum.read_units += used.read_units;
        sum.write_units += used.write_units;
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<UsageKey, Used> {
        self.lock().clone()
    }

    pub(crate) fn reset(&self) {
        self.lock().clear();
    }
}
