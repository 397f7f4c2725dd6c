//! Time that passes only when a test lets it: a clock, and what waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use runtime::Clock;

type Action = Box<dyn FnOnce() + Send>;

/// The clock of a host and the visibility time-outs of its queues, moved by hand. Clones share one time.
///
/// An invocation's own time-out stays real: no handler sees more time pass than it takes.
#[derive(Clone)]
pub struct ManualTime(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    /// By moment; the number keeps the order of what waits for the same moment.
    waiting: BTreeMap<(Timestamp, u64), Action>,
    next: u64,
}

impl ManualTime {
    /// Stands at a moment.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { now, waiting: BTreeMap::new(), next: 0 })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass: what waits for a moment on the way happens then, in its order.
    pub fn advance(&self, by: Duration) {
        let until = later(self.lock().now, by);
        while let Some(action) = self.next_until(until) {
            action();
        }
        self.lock().now = until;
    }

    fn next_until(&self, until: Timestamp) -> Option<Action> {
        let mut state = self.lock();
        let first = state.waiting.first_entry().filter(|entry| entry.key().0 <= until)?;
        let ((at, _), action) = first.remove_entry();
        state.now = state.now.max(at);
        Some(action)
    }

    /// When the next thing happens that waits for its time.
    pub fn next(&self) -> Option<Timestamp> {
        self.lock().waiting.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn after(&self, delay: Duration, action: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        let key = (later(state.now, delay), state.next);
        state.next += 1;
        state.waiting.insert(key, Box::new(action));
    }
}

impl Clock for ManualTime {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(from.millis().saturating_add(by)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_happens_at_its_moment_in_its_order() {
        let time = ManualTime::at(Timestamp::EPOCH);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let (seen, time) = (Arc::clone(&seen), time.clone());
            move || seen.lock().unwrap().push((name, time.now().seconds()))
        };
        time.after(Duration::from_secs(20), note("second"));
        time.after(Duration::from_secs(10), note("first"));
        time.after(Duration::from_secs(20), note("third"));
        time.after(Duration::from_secs(31), note("never"));
        assert_eq!(time.next().map(|at| at.seconds()), Some(10));
        time.advance(Duration::from_secs(30));
        assert_eq!(*seen.lock().unwrap(), [("first", 10), ("second", 20), ("third", 20)]);
        assert_eq!(time.now().seconds(), 30);
    }

    #[test]
    fn what_is_set_off_on_the_way_happens_on_the_way() {
        let time = ManualTime::at(Timestamp::EPOCH);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (chained, noted) = (time.clone(), Arc::clone(&seen));
        time.after(Duration::from_secs(1), move || {
            let clock = chained.clone();
            chained.after(Duration::from_secs(2), move || noted.lock().unwrap().push(clock.now().seconds()));
        });
        time.advance(Duration::from_secs(5));
        assert_eq!(*seen.lock().unwrap(), [3]);
    }
}
