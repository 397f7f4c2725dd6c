//! The local time: one clock for functions, queues, schedules and vendors, and everything that waits for its moment.
//!
//! It goes as fast as the machine's clock, or stands, and it can be moved on. While it is moved on it stands at each
//! moment at which something waits, until all that this set off is done; so what falls due on the way happens in the
//! order of its time and sees the time at which it was due, in one step or in many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use runtime::Clock;
use runtime::lambda::SystemClock;
use tokio::sync::{Notify, oneshot};

use crate::activity::{Activity, Quiet, Token};

type Action = Box<dyn FnOnce() + Send>;

/// The time of a host and of what belongs to it. Clones share one time.
///
/// An invocation's own time-out stays real: no handler sees more time pass than it takes.
#[derive(Clone)]
pub struct LocalTime(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Something waits that did not before, or the time was moved.
    changed: Notify,
    /// Held by whoever makes things happen, so that they happen in one order.
    turn: tokio::sync::Mutex<()>,
    activity: Activity,
}

struct State {
    shown: Shown,
    /// Somebody is moving it on.
    moving: bool,
    /// By moment; the number keeps the order of what waits for the same moment.
    waiting: BTreeMap<(Timestamp, u64), Action>,
    next: u64,
}

#[derive(Clone, Copy)]
enum Shown {
    /// The machine's time and so many milliseconds.
    Running {
        ahead_ms: i64,
    },
    Standing(Timestamp),
}

impl Shown {
    /// Runs from a moment on.
    fn running_from(at: Timestamp) -> Self {
        Self::Running { ahead_ms: at.millis_since(SystemClock.now()) }
    }

    fn now(self) -> Timestamp {
        match self {
            Self::Running { ahead_ms } => later_ms(SystemClock.now(), ahead_ms),
            Self::Standing(at) => at,
        }
    }
}

/// Keeps whoever moves the time on waiting, until it is dropped.
pub struct Busy {
    _token: Token,
}

impl LocalTime {
    /// The machine's time.
    pub fn real() -> Self {
        Self::new(Shown::Running { ahead_ms: 0 })
    }

    /// Shows a moment now and runs on from there.
    pub fn showing(at: Timestamp) -> Self {
        Self::new(Shown::running_from(at))
    }

    /// Stands at a moment until it is moved on.
    pub fn standing(at: Timestamp) -> Self {
        Self::new(Shown::Standing(at))
    }

    fn new(shown: Shown) -> Self {
        let state = State { shown, moving: false, waiting: BTreeMap::new(), next: 0 };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            activity: Activity::default(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is still to be done in this time.
    pub(crate) fn activity(&self) -> &Activity {
        &self.0.activity
    }

    /// How many milliseconds it is ahead of the machine's; `None` while it stands.
    pub(crate) fn ahead_ms(&self) -> Option<i64> {
        match self.lock().shown {
            Shown::Running { ahead_ms } => Some(ahead_ms),
            Shown::Standing(_) => None,
        }
    }

    /// The machine's time goes on from where an earlier host has moved it to; any other time stays as it was made.
    pub(crate) fn resume(&self, ahead_ms: i64) {
        let mut state = self.lock();
        if matches!(state.shown, Shown::Running { ahead_ms: 0 }) {
            state.shown = Shown::Running { ahead_ms };
        }
    }

    /// Moves the time on and answers what it is then. Everything that waits for a moment on the way happens at that
    /// moment, and what comes of it is done before the time goes on. Two who call at once follow one another.
    ///
    /// Whoever gives up waiting leaves the time where it has come to.
    pub async fn advance(&self, by: Duration) -> Timestamp {
        let _turn = self.0.turn.lock().await;
        let moving = Moving::begin(self);
        let until = later(moving.from, by);
        self.0.activity.quiet(Quiet::Now).await;
        while self.happen_until(until) {
            self.0.activity.quiet(Quiet::Now).await;
        }
        self.lock().shown = Shown::Standing(until);
        until
    }

    /// Moves the time on as far as messages and records wait for it. Schedules fire on the way.
    pub async fn settle(&self) {
        let _turn = self.0.turn.lock().await;
        let _moving = Moving::begin(self);
        loop {
            self.0.activity.quiet(Quiet::Now).await;
            if self.0.activity.is_quiet(Quiet::Later) || !self.happen_until(Timestamp::LATEST) {
                return;
            }
        }
    }

    /// Whether somebody is moving it on.
    pub(crate) fn is_moving(&self) -> bool {
        self.lock().moving
    }

    /// When the next thing happens that waits for its time.
    pub fn next(&self) -> Option<Timestamp> {
        self.lock().waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// What waits for the first moment up to `until` happens; false when nothing does.
    fn happen_until(&self, until: Timestamp) -> bool {
        let actions = {
            let mut state = self.lock();
            let Some(at) = state.waiting.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= until) else {
                return false;
            };
            let standing = Shown::Standing(at.max(state.shown.now()));
            state.shown = standing;
            state.take(at)
        };
        actions.into_iter().for_each(|action| action());
        true
    }

    /// Has what waits happen as the time runs. It never ends.
    pub(crate) async fn run(self) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let _turn = self.0.turn.lock().await;
                while let Some(actions) = self.due() {
                    actions.into_iter().for_each(|action| action());
                }
            }
            match self.until_next() {
                Some(wait) => tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// What waited for the first moment that is over, if the time runs.
    fn due(&self) -> Option<Vec<Action>> {
        let mut state = self.lock();
        let Shown::Running { .. } = state.shown else { return None };
        let now = state.shown.now();
        let at = state.waiting.first_key_value().map(|((at, _), _)| *at).filter(|at| *at <= now)?;
        Some(state.take(at))
    }

    /// The machine's time to the next moment; `None` when nothing waits or the time stands.
    fn until_next(&self) -> Option<Duration> {
        let state = self.lock();
        let Shown::Running { .. } = state.shown else { return None };
        let ((at, _), _) = state.waiting.first_key_value()?;
        let wait_ms = at.millis_since(state.shown.now());
        Some(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
    }

    pub(crate) fn after(&self, delay: Duration, action: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        let at = later(state.shown.now(), delay);
        self.wait(&mut state, at, Box::new(action));
    }

    pub(crate) fn at(&self, at: Timestamp, action: impl FnOnce() + Send + 'static) {
        self.wait(&mut self.lock(), at, Box::new(action));
    }

    fn wait(&self, state: &mut State, at: Timestamp, action: Action) {
        let key = (at, state.next);
        state.next += 1;
        state.waiting.insert(key, action);
        if state.waiting.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.0.changed.notify_waiters();
        }
    }

    /// Waits from now on until so much time has passed; whoever moves the time on waits from then on for the answer
    /// to be dropped.
    pub fn sleep(&self, delay: Duration) -> impl Future<Output = Busy> + Send + use<> {
        let (wake, woken) = oneshot::channel();
        let time = self.clone();
        self.after(delay, move || {
            // nobody may be waiting any more
            drop(wake.send(time.busy()));
        });
        let time = self.clone();
        async move {
            // what waits is dropped only with the time itself
            woken.await.unwrap_or_else(|_| time.busy())
        }
    }

    /// Something is under way that belongs to the moment.
    pub fn busy(&self) -> Busy {
        Busy { _token: self.0.activity.pending() }
    }
}

impl State {
    /// Everything that waits for a moment, in the order in which it began to wait.
    fn take(&mut self, at: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|entry| entry.key().0 == at) {
            actions.push(first.remove());
        }
        actions
    }
}

/// The time stands while it is moved on; when this is dropped, also by a caller who gave up, it runs again.
struct Moving<'a> {
    time: &'a LocalTime,
    from: Timestamp,
    runs: bool,
}

impl<'a> Moving<'a> {
    fn begin(time: &'a LocalTime) -> Self {
        let mut state = time.lock();
        let from = state.shown.now();
        let runs = matches!(state.shown, Shown::Running { .. });
        state.shown = Shown::Standing(from);
        state.moving = true;
        Self { time, from, runs }
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        let mut state = self.time.lock();
        if self.runs {
            state.shown = Shown::running_from(state.shown.now());
        }
        state.moving = false;
        self.time.0.changed.notify_waiters();
    }
}

impl Clock for LocalTime {
    fn now(&self) -> Timestamp {
        self.lock().shown.now()
    }
}

pub(crate) fn later(from: Timestamp, by: Duration) -> Timestamp {
    later_ms(from, i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

fn later_ms(from: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp::from_millis(from.millis().saturating_add(by_ms)).unwrap_or(Timestamp::LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = Arc<Mutex<Vec<(&'static str, i64)>>>;

    fn note(time: &LocalTime, seen: &Seen, name: &'static str) -> impl FnOnce() + Send + 'static {
        let (seen, time) = (Arc::clone(seen), time.clone());
        move || seen.lock().unwrap().push((name, time.now().seconds()))
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn what_waits_happens_at_its_moment_in_its_order() {
        let (time, seen) = (LocalTime::standing(Timestamp::EPOCH), Seen::default());
        time.after(s(20), note(&time, &seen, "second"));
        time.after(s(10), note(&time, &seen, "first"));
        time.after(s(20), note(&time, &seen, "third"));
        time.after(s(31), note(&time, &seen, "never"));
        assert_eq!(time.next().map(|at| at.seconds()), Some(10));
        assert_eq!(time.advance(s(30)).await.seconds(), 30);
        assert_eq!(*seen.lock().unwrap(), [("first", 10), ("second", 20), ("third", 20)]);
        assert_eq!(time.now().seconds(), 30);
    }

    #[tokio::test]
    async fn what_is_set_off_on_the_way_happens_on_the_way() {
        let (time, seen) = (LocalTime::standing(Timestamp::EPOCH), Seen::default());
        let (chained, then) = (time.clone(), note(&time, &seen, "then"));
        time.after(s(1), move || chained.after(s(2), then));
        time.advance(s(5)).await;
        assert_eq!(*seen.lock().unwrap(), [("then", 3)]);
    }

    #[tokio::test]
    async fn the_time_does_not_go_on_before_what_it_set_off_is_done() {
        let (time, seen) = (LocalTime::standing(Timestamp::EPOCH), Seen::default());
        let sleeper = time.sleep(s(1));
        let (worker, done) = (time.clone(), note(&time, &seen, "done"));
        tokio::spawn(async move {
            let busy = sleeper.await;
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            let more = worker.sleep(s(2));
            drop(busy);
            let _busy = more.await;
            done();
        });
        time.after(s(2), note(&time, &seen, "between"));
        time.advance(s(9)).await;
        assert_eq!(*seen.lock().unwrap(), [("between", 2), ("done", 3)]);
    }

    #[tokio::test]
    async fn two_who_move_it_at_once_follow_one_another_and_one_who_gives_up_leaves_it_running() {
        let time = LocalTime::showing(Timestamp::EPOCH);
        let (first, second) = futures::join!(time.advance(s(3_600)), time.advance(s(3_600)));
        assert!(second.seconds() >= 7_200 && first < second, "{first} {second}");
        let busy = time.busy();
        let given_up = tokio::time::timeout(Duration::from_millis(20), time.advance(s(3_600))).await;
        assert!(given_up.is_err(), "somebody is busy");
        drop(busy);
        let before = time.now();
        assert!(before < later(second, s(3_600)));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(time.now() > before, "it runs");
        assert!(!time.is_moving());
    }

    #[tokio::test]
    async fn a_running_time_has_what_waits_happen_by_itself() {
        let (time, seen) = (LocalTime::showing(Timestamp::EPOCH), Seen::default());
        tokio::spawn(time.clone().run());
        tokio::task::yield_now().await;
        drop(time.sleep(Duration::from_millis(5)).await);
        time.after(s(600), note(&time, &seen, "later"));
        drop(time.sleep(Duration::from_millis(5)).await);
        assert_eq!(*seen.lock().unwrap(), []);
        time.advance(s(600)).await;
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}
