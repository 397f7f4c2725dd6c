//! What every simulator's front desk does alike: count a call, apply its fault, answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::fault::{Fault, Planned, Refusal, Script};
use crate::reply;

/// Locks state that a panicking handler may have left; a simulator goes on with what is there.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Faults and call counts of one vendor.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    clock: Clock,
    script: Mutex<Script>,
    calls: Mutex<BTreeMap<String, u64>>,
    at_once: Mutex<AtOnce>,
    /// The places of those that are served at once, where they are few: the others wait.
    places: Mutex<Option<Arc<Semaphore>>>,
}

/// Calls that are being served, and the most that ever were.
#[derive(Debug, Default)]
struct AtOnce {
    now: usize,
    most: usize,
}

/// A call that is being served, until it is answered or its caller goes away.
struct Serving<'d>(&'d Mutex<AtOnce>);

impl<'d> Serving<'d> {
    fn new(at_once: &'d Mutex<AtOnce>) -> Self {
        let mut counted = lock(at_once);
        counted.now += 1;
        counted.most = counted.most.max(counted.now);
        Self(at_once)
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        lock(self.0).now -= 1;
    }
}

impl Desk {
    /// A desk that waits in the vendors' time.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Counts a call that is turned away before the script sees it.
    pub(crate) fn count(&self, operation: &str) {
        *lock(&self.calls).entry(operation.to_owned()).or_default() += 1;
    }

    /// Counts the call and takes its fault, if one is scripted.
    pub(crate) fn admit(&self, operation: &str, parameters: impl FnOnce() -> Vec<(String, String)>) -> Option<Fault> {
        self.count(operation);
        lock(&self.script).take(operation, parameters)
    }

    /// Does `apply` as the scripted fault says. `refuse` words an error as the vendor does.
    pub(crate) async fn serve<A>(
        &self,
        operation: &str,
        parameters: impl FnOnce() -> Vec<(String, String)>,
        refuse: impl FnOnce(&Refusal) -> Response,
        apply: A,
    ) -> Response
    where
        A: FnOnce() -> Response + Send + 'static,
    {
        let places = lock(&self.places).clone();
        let _place = match places {
            Some(places) => places.acquire_owned().await.ok(),
            None => None,
        };
        let _serving = Serving::new(&self.at_once);
        match self.admit(operation, parameters) {
            None => apply(),
            Some(Fault::Refuse(refusal)) => refuse(&refusal),
            // In a task of its own: a real server finishes what it began after the caller gave up.
            Some(Fault::Delay { ms }) => tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                apply()
            })
            .await
            .unwrap_or_else(|_| reply::drop_connection()),
            Some(Fault::ApplyThenTimeout { ms }) => {
                let response = apply();
                tokio::time::sleep(Duration::from_millis(ms)).await;
                response
            }
            Some(Fault::TimeoutBefore { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                reply::drop_connection()
            }
            Some(Fault::ApplyThenDrop) => {
                drop(apply());
                reply::drop_connection()
            }
            Some(Fault::ApplyThenGarbage) => {
                drop(apply());
                reply::garbage()
            }
            Some(Fault::Answer { body }) => reply::ok(&body),
            Some(Fault::Drop) => reply::drop_connection(),
            Some(Fault::DropThenApply { ms }) => {
                let busy = self.clock.busy();
                let clock = self.clock.clone();
                drop(tokio::spawn(async move {
                    let busy = clock.pass(busy, Duration::from_millis(ms)).await;
                    drop(apply());
                    drop(busy);
                }));
                reply::drop_connection()
            }
            Some(Fault::Garbage) => reply::garbage(),
        }
    }

    pub(crate) fn script_add(&self, faults: Vec<Planned>) -> usize {
        let mut script = lock(&self.script);
        script.pending.extend(faults);
        script.pending.len()
    }

    /// Serves so many calls at once from now on; none: as many as come.
    pub(crate) fn limit(&self, at_once: Option<usize>) {
        *lock(&self.places) = at_once.map(|places| Arc::new(Semaphore::new(places)));
    }

    pub(crate) fn script_clear(&self) {
        lock(&self.script).pending.clear();
    }

    pub(crate) fn reset(&self) {
        *lock(&self.script) = Script::default();
        self.limit(None);
        lock(&self.calls).clear();
        let mut at_once = lock(&self.at_once);
        at_once.most = at_once.now;
    }

    /// `calls`, `at_once_most`, `faults_pending` and `faults_fired` for the state route.
    pub(crate) fn describe(&self, into: &mut serde_json::Map<String, Value>) {
        let script = lock(&self.script);
        into.insert("calls".to_owned(), json!(*lock(&self.calls)));
        into.insert("at_once_most".to_owned(), json!(lock(&self.at_once).most));
        into.insert("faults_pending".to_owned(), json!(script.pending));
        let fired: Vec<_> =
            script.fired.iter().map(|(operation, fault)| json!({ "operation": operation, "fault": fault })).collect();
        into.insert("faults_fired".to_owned(), Value::Array(fired));
    }
}
