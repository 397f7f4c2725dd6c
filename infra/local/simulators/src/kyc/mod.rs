//! Vendors of identity checks: what they do alike. A check that was opened is decided after a short while as the script says, or by
//! a control route, or by whoever opens the client's page; then the vendor tells.

mod control;
mod office;
pub mod onfido;
mod signature;
pub mod sumsub;
pub mod veriff;

use http::{HeaderValue, header};

use axum::response::Response;

use crate::clock::Ids;
use crate::fault::Refusal;

pub(crate) use control::routes;
pub(crate) use office::{Case, Fact, Office, Standing, Vendor};

/// A moment in a form of the vendor's, in UTC.
fn written(at_ms: i64, form: &str) -> String {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().strftime(form).to_string()
}

/// An answer with the vendor's own time, and with `Retry-After` where the script says so.
fn dated(mut response: Response, now_ms: i64) -> Response {
    if let Ok(date) = HeaderValue::from_str(&written(now_ms, "%a, %d %b %Y %H:%M:%S GMT")) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// An id in the form of a UUID.
pub(crate) fn uuid(ids: &Ids) -> String {
    let hex = ids.hex32("uuid");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn waiting(mut response: Response, refusal: &Refusal) -> Response {
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
