//! Fetching a list from its source.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::kyc::rules::ListRule;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use providers::http::{AnswerSizeMax, Transport};
use url::Url;

/// Longest that a list may take: OFAC's advanced file has more than 100 MB.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes of a list.
pub(super) const LIST_BYTES_MAX: usize = 300_000_000;
/// Sources hand their files over to where they are stored.
const REDIRECTS_MAX: usize = 5;

/// The list as its source has it now, or why it is not to be had. The words are for logs: an address in them has lost what follows its `?`,
/// which may be a token or a signature.
pub(super) async fn fetch(transport: &Arc<dyn Transport>, list: &ListRule) -> Result<Bytes, String> {
    let mut url: Url = list.url.parse().map_err(|_| "its address is no URL".to_owned())?;
    url.set_query(list.query.as_deref());
    for _ in 0..=REDIRECTS_MAX {
        let answer = transport.send(request(&url)?, FETCH_TIMEOUT).await.map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => return Ok(answer.into_body()),
            status if status.is_redirection() => url = next(&url, &answer)?,
            status => return Err(format!("{} answers {status}", url.host_str().unwrap_or_default())),
        }
    }
    Err("its source redirects too often".to_owned())
}

fn request(url: &Url) -> Result<Request<Bytes>, String> {
    Request::get(url.as_str())
        .header(ACCEPT, "*/*")
        .header(USER_AGENT, "pipworks")
        .extension(AnswerSizeMax(LIST_BYTES_MAX))
        .body(Bytes::new())
        .map_err(|_| "its address is no URL".to_owned())
}

/// Where a redirection leads; never from https to something that anybody on the way could change.
fn next(from: &Url, answer: &Response<Bytes>) -> Result<Url, String> {
    let to = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let to = to.and_then(|location| from.join(location).ok()).ok_or("its source redirects nowhere")?;
    if to.scheme() == "https" || to.scheme() == from.scheme() {
        Ok(to)
    } else {
        Err("its source redirects to an insecure address".to_owned())
    }
}
