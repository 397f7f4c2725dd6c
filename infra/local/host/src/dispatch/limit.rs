//! How many requests a route gets: a bucket of tokens, as API Gateway has one for each route that is given a limit.

use std::sync::{Mutex, PoisonError};

use domain::Timestamp;

use crate::template::RouteLimit;

/// Tokens are counted in thousandths: a rate a second gives so many of them a millisecond.
const TOKEN: u64 = 1_000;

/// The tokens of one route. It is full at first, a request takes one, and they come back as time passes.
pub(super) struct Bucket {
    rate: u64,
    size: u64,
    /// What was left, and when.
    left: Mutex<(u64, Timestamp)>,
}

impl Bucket {
    pub(super) fn new(limit: &RouteLimit, now: Timestamp) -> Self {
        let size = u64::from(limit.burst) * TOKEN;
        Self { rate: limit.rate.into(), size, left: Mutex::new((size, now)) }
    }

    /// Whether one more request may pass.
    pub(super) fn take(&self, now: Timestamp) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = *left;
        let passed_ms = u64::try_from(now.millis_since(at)).unwrap_or(0);
        let tokens = tokens.saturating_add(passed_ms.saturating_mul(self.rate)).min(self.size);
        let taken = tokens.checked_sub(TOKEN);
        *left = (taken.unwrap_or(tokens), at.max(now));
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Route;

    fn bucket(rate: u32, burst: u32) -> Bucket {
        let route = Route { method: "POST".to_owned(), path: "/".to_owned() };
        Bucket::new(&RouteLimit { route, rate, burst }, at(0))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn taken(bucket: &Bucket, now: Timestamp) -> usize {
        (0..100).take_while(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let bucket = bucket(2, 5);
        assert_eq!(taken(&bucket, at(0)), 5);
        assert_eq!(taken(&bucket, at(499)), 0);
        assert_eq!(taken(&bucket, at(500)), 1, "two a second");
        assert_eq!(taken(&bucket, at(1_500)), 2);
        assert_eq!(taken(&bucket, at(3_600_000)), 5, "no more than a burst is saved up");
    }

    #[test]
    fn many_who_are_refused_do_not_keep_the_tokens_from_coming_back() {
        let bucket = bucket(1, 1);
        assert!(bucket.take(at(0)));
        assert!((1..1_000).all(|ms| !bucket.take(at(ms))));
        assert!(bucket.take(at(1_000)));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let bucket = bucket(1, 1);
        assert!(bucket.take(at(60_000)));
        assert!(!bucket.take(at(0)) && !bucket.take(at(60_999)));
        assert!(bucket.take(at(61_000)));
    }
}
