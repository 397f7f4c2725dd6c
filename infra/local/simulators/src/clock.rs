//! Time and identifiers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;

/// The time that the payment providers and the trading server tell: the machine's, or a test's own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that tells milliseconds since 1970 in UTC.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    /// Milliseconds since 1970 in UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.0)()
    }

    /// Seconds since 1970 in UTC.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(now_ms)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now_ms()).finish()
    }
}

/// The machine's time: milliseconds since 1970 in UTC.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

/// Makes identifiers that differ in every run unless the seed is fixed.
///
/// The counter survives a reset, so an identifier is never given twice while the simulators run.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: String,
    next: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: Option<String>) -> Self {
        let seed = seed.unwrap_or_else(|| {
            let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map(|elapsed| elapsed.as_nanos()).unwrap_or(0);
            format!("{nanos}:{}", std::process::id())
        });
        Self { seed, next: AtomicU64::new(1) }
    }

    /// `prefix` and 24 hexadecimal characters.
    pub(crate) fn make(&self, prefix: &str) -> String {
        let mut id = self.hex32(prefix);
        id.truncate(24);
        format!("{prefix}{id}")
    }

    /// 32 hexadecimal characters: 16 bytes.
    pub(crate) fn hex32(&self, purpose: &str) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{}:{purpose}:{number}", self.seed);
        let mut hex = hex::encode(digest::digest(&digest::SHA256, text.as_bytes()));
        hex.truncate(32);
        hex
    }

    /// A positive number below 10^12.
    pub(crate) fn number(&self, purpose: &str) -> u64 {
        let hex = self.hex32(purpose);
        let digits = hex.get(..15).unwrap_or("1");
        u64::from_str_radix(digits, 16).unwrap_or(1) % 900_000_000_000 + 100_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_seed_gives_the_same_ids_and_no_id_twice() {
        let (a, b) = (Ids::new(Some("s".into())), Ids::new(Some("s".into())));
        let first: Vec<_> = (0..3).map(|_| a.make("pi_")).collect();
        let second: Vec<_> = (0..3).map(|_| b.make("pi_")).collect();
        assert_eq!(first, second);
        assert_ne!(first[0], first[1]);
        assert_eq!(first[0].len(), 27);
    }
}
