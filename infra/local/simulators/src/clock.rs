//! Time and identifiers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use futures::future::BoxFuture;

/// The time in which the vendors live.
pub trait Time: Send + Sync {
    /// Milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;
    /// Something is under way that belongs to this moment.
    fn busy(&self) -> Busy;
    /// Begins to wait at once, and answers when so much time has passed.
    fn sleep(&self, wait: Duration) -> BoxFuture<'static, Busy>;
}

/// Keeps whoever moves the time on waiting, until it is dropped.
pub struct Busy(Option<Box<dyn Send + Sync>>);

impl Busy {
    /// Holds what makes the time wait.
    pub fn holding(what: impl Send + Sync + 'static) -> Self {
        Self(Some(Box::new(what)))
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Busy").field(&self.0.is_some()).finish()
    }
}

/// The machine's time, which waits for nobody.
struct Machine;

impl Time for Machine {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    fn busy(&self) -> Busy {
        Busy(None)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, Busy> {
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            Busy(None)
        })
    }
}

/// The time that the vendors tell and wait for: the machine's, or that of the system under test. What a vendor does
/// within a call takes the machine's time: its caller's time-outs do too.
#[derive(Clone)]
pub struct Clock(Arc<dyn Time>);

impl Clock {
    /// A clock that shows some time.
    pub fn new(time: impl Time + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// Milliseconds since 1970 in UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    /// Seconds since 1970 in UTC.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Something is under way that belongs to this moment.
    pub(crate) fn busy(&self) -> Busy {
        self.0.busy()
    }

    /// Lets so much time pass.
    pub(crate) async fn pass(&self, busy: Busy, wait: Duration) -> Busy {
        if wait.is_zero() {
            return busy;
        }
        let woken = self.0.sleep(wait);
        // only now: the time must not go past the moment before it is known
        drop(busy);
        woken.await
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Machine)
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
