//! A clock that goes as fast as the machine's but shows another time.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use runtime::Clock;
use runtime::lambda::SystemClock;

/// The machine's clock and what is added to it.
#[derive(Debug, Default)]
pub struct MovedClock {
    ahead_ms: AtomicI64,
}

impl MovedClock {
    /// A clock that shows a given moment now.
    pub fn showing(at: Timestamp) -> Self {
        Self { ahead_ms: AtomicI64::new(at.millis().saturating_sub(SystemClock.now().millis())) }
    }

    /// Puts it forward.
    pub fn forward_s(&self, seconds: i64) {
        self.ahead_ms.fetch_add(seconds.saturating_mul(1_000), Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let shown = SystemClock.now().millis().saturating_add(self.ahead_ms.load(Ordering::Relaxed));
        Timestamp::from_millis(shown).unwrap_or(Timestamp::LATEST)
    }
}
