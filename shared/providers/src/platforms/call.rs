//! What a call of any platform is, whatever its protocol: a read or a write that must be over at some time.

use std::time::Duration;

use tokio::time::Instant;

use super::PlatformError;

/// The part of the time of a call below which a write is not begun any more: it would end as unknown.
const WRITE_TIME_DIVISOR: u32 = 4;

/// Whether a call changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Reads, and may be repeated at will.
    Read,
    /// Books, creates or changes.
    Write,
}

impl Effect {
    /// Nobody can say what became of the call: for a read it does not matter.
    pub(super) fn unsure(self, what: String) -> PlatformError {
        match self {
            Self::Read => PlatformError::NotApplied(what),
            Self::Write => PlatformError::Unknown(what),
        }
    }
}

/// What is left of a call's time.
pub(super) fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Refuses to begin a write for which no time is left, of a call that may take so long in all.
pub(super) fn time_to_write(until: Instant, whole: Duration) -> Result<(), PlatformError> {
    if remaining(until) < whole / WRITE_TIME_DIVISOR { Err(no_time()) } else { Ok(()) }
}

/// The time was over before anything was sent.
pub(super) fn no_time() -> PlatformError {
    PlatformError::NotApplied("no time is left to do it".to_owned())
}

/// A search that found what it cannot decide on: another one would find the same, so a person must.
pub(super) fn undecided(code: &str) -> PlatformError {
    PlatformError::Refused { code: code.to_owned(), message: "the search does not say which account it is".to_owned() }
}

/// A read whose answer makes no sense: nothing is concluded from it.
pub(super) fn unreadable(what: &str) -> PlatformError {
    PlatformError::NotApplied(format!("the {what} cannot be read"))
}
