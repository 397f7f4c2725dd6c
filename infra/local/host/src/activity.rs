//! Knows whether anything is still to be done, so that a test waits for the end and not for a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts what is pending; shared by everything that can hold work.
#[derive(Clone, Default)]
pub(crate) struct Activity(Arc<Counts>);

#[derive(Default)]
struct Counts {
    /// Pending in the lower half, delayed in the upper: one load sees both.
    both: AtomicU64,
    ended: Notify,
}

const PENDING: u64 = 1;
const DELAYED: u64 = 1 << 32;

/// One piece of work; it is over when this is dropped. Whoever hands work on takes the next token first.
pub(crate) struct Token {
    counts: Arc<Counts>,
    unit: u64,
}

/// What counts as still to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quiet {
    /// Invocations, visible messages, unread stream records.
    Now,
    /// Those, and what waits for the local time: messages for their visibility time-out, records for their next attempt.
    Later,
}

impl Activity {
    /// Work that is to be done now.
    pub(crate) fn pending(&self) -> Token {
        self.token(PENDING)
    }

    /// Work that waits for its time.
    pub(crate) fn delayed(&self) -> Token {
        self.token(DELAYED)
    }

    fn token(&self, unit: u64) -> Token {
        self.0.both.fetch_add(unit, Ordering::SeqCst);
        Token { counts: Arc::clone(&self.0), unit }
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_quiet(&self, quiet: Quiet) -> bool {
        let both = self.0.both.load(Ordering::SeqCst);
        match quiet {
            Quiet::Now => both.is_multiple_of(DELAYED),
            Quiet::Later => both == 0,
        }
    }

    /// Resolves when nothing is to be done.
    pub(crate) async fn quiet(&self, quiet: Quiet) {
        loop {
            let ended = self.0.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.is_quiet(quiet) {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let before = self.counts.both.fetch_sub(self.unit, Ordering::SeqCst);
        if (before - self.unit).is_multiple_of(DELAYED) {
            self.counts.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_is_handed_on_never_looks_finished() {
        let activity = Activity::default();
        let first = activity.pending();
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.quiet(Quiet::Later).await }
        });
        let second = activity.delayed();
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the delayed work is not done");
        activity.quiet(Quiet::Now).await;
        drop(second);
        waiting.await.unwrap();
    }
}
