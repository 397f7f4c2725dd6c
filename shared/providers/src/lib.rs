//! The outside world: one module a vendor behind one trait a kind.
//!
//! An adapter speaks a vendor's wire protocol, reads no clock or environment of its own choosing and decides
//! nothing. Its errors say what a caller must know before it tries again: see [`Disposition`].

use std::sync::Arc;
use std::time::SystemTime;

use domain::Timestamp;
use domain::fault::{self, Fault};

pub mod http;
pub mod kyc;
pub mod leads;
pub mod notify;
pub mod platforms;

pub mod psp;
pub mod rates;
mod signature;
mod template;

/// Longest a call of a trading platform may take, connection, authentication and one repeat included, in seconds.
///
/// The grace period before an unresolved operation is sent again must be longer than this and
/// [`PLATFORM_SOCKET_TIMEOUT_S`] together.
pub const PLATFORM_CALL_TIMEOUT_S: u32 = 10;

/// How long after its call's end a request can still reach a trading platform where nobody closed the connection: until
/// then the kernel sends again what was not taken, in seconds. Its time-out is what the call had left when the
/// connection was made, so never more.
pub const PLATFORM_SOCKET_TIMEOUT_S: u32 = PLATFORM_CALL_TIMEOUT_S;

/// How long after its call's end a request can still reach a trading platform over the connections that are made now, in
/// seconds: [`PLATFORM_SOCKET_TIMEOUT_S`], or how long Linux sends again what an unlimited connection has in its queue.
pub fn platform_delivery_s() -> u32 {
    const UNLIMITED_S: u32 = 924;
    if fault::is_back(Fault::WritesOutliveTheirCalls) { UNLIMITED_S } else { PLATFORM_SOCKET_TIMEOUT_S }
}

/// Longest a call of a payment provider may take, in seconds.
pub const PSP_CALL_TIMEOUT_S: u32 = 8;

/// Longest a source of rates may take, in seconds: several may be asked before a credit is sent.
pub const RATE_CALL_TIMEOUT_S: u32 = 3;

/// Longest a call of a KYC vendor may take, in seconds; opening a check is several requests in this time.
pub const KYC_CALL_TIMEOUT_S: u32 = 10;

/// Longest an ad platform may take to give a lead, in seconds.
pub const GRAPH_CALL_TIMEOUT_S: u32 = 8;

/// Longest a message may take to be handed over, in seconds.
pub const NOTIFY_CALL_TIMEOUT_S: u32 = 5;

/// What the caller does about an error of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing happened, or repeating is harmless: try again later.
    Retry,
    /// It may have happened: look it up on the other side before anything else.
    LookUp,
    /// It did not happen and never will as asked.
    GiveUp,
    /// It did not happen, and will not until a person mends the set-up.
    Hold,
}

/// Where an adapter gets the time from when a protocol forces it to compare clocks.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's own clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis).unwrap_or_else(|| unreachable!("the clock is within the years that exist"))
    })
}
