//! Fetching a list from its source.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::kyc::rules::ListRule;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use providers::http::{AnswerSizeMax, Transport};
use url::Url;

/// Longest that a list may take where nobody waits for it: OFAC's advanced file has more than 100 MB.
pub(super) const FETCH_TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes of a list.
pub(super) const LIST_BYTES_MAX: usize = 300_000_000;
/// Sources hand their files over to where they are stored.
const REDIRECTS_MAX: usize = 5;

/// The list as its source has it now, or why it is not to be had. The words are for logs: an address in them has lost what follows its `?`,
/// which may be a token or a signature.
pub(super) async fn fetch(transport: &Arc<dyn Transport>, list: &ListRule, timeout: Duration) -> Result<Bytes, String> {
    let mut url: Url = list.url.parse().map_err(|_| "its address is no URL".to_owned())?;
    url.set_query(list.query.as_deref());
    for _ in 0..=REDIRECTS_MAX {
        let answer = transport.send(request(&url)?, timeout).await.map_err(|error| error.to_string())?;
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::kyc::rules::ScreeningRules;
    use domain::rules::RuleSet as _;
    use providers::http::{BoxFuture, Connection, TransportError};
    use serde_json::json;

    use super::*;

    /// Answers each address with a status and where it leads or what it has.
    struct Scripted(Vec<(&'static str, u16, &'static str)>, Mutex<Vec<String>>);

    impl Transport for Scripted {
        fn send<'a>(
            &'a self,
            request: Request<Bytes>,
            _deadline: Duration,
        ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
            Box::pin(async move {
                let address = request.uri().to_string();
                assert_eq!(request.extensions().get(), Some(&AnswerSizeMax(LIST_BYTES_MAX)));
                self.1.lock().unwrap().push(address.clone());
                let answer = self.0.iter().find(|(at, ..)| *at == address);
                let (_, status, says) = answer.ok_or_else(|| TransportError::NotSent("nobody is there".to_owned()))?;
                let answer = Response::builder().status(*status).header(LOCATION, *says);
                Ok(answer.body(Bytes::from_static(says.as_bytes())).unwrap())
            })
        }

        fn connect<'a>(
            &'a self,
            _base: &'a Url,
            _deadline: Duration,
        ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
            Box::pin(async { Err(TransportError::NotSent("not used".to_owned())) })
        }
    }

    async fn fetched(script: &[(&'static str, u16, &'static str)]) -> Result<Bytes, String> {
        let rules = json!({"lists": [{
            "code": "eu", "of": "sanctions", "format": "eu_csv", "url": "https://lists.test/eu", "query": "token=T0ken", "threshold": 500,
            "at_least": 1, "shrinkage_max": 100, "refresh_every": "6h", "age_max": "3d",
        }]});
        let transport: Arc<dyn Transport> = Arc::new(Scripted(script.to_vec(), Mutex::default()));
        fetch(&transport, &ScreeningRules::parse(&rules).unwrap().lists[0], FETCH_TIMEOUT).await
    }

    const AT: &str = "https://lists.test/eu?token=T0ken";

    #[tokio::test]
    async fn a_list_is_followed_to_where_it_is_stored() {
        let stored = "https://files.test/eu.csv?signature=1";
        assert_eq!(fetched(&[(AT, 302, stored), (stored, 200, "list")]).await.unwrap(), "list");
        // relative to where it was asked for
        assert_eq!(fetched(&[(AT, 307, "/new"), ("https://lists.test/new", 200, "list")]).await.unwrap(), "list");
    }

    #[tokio::test]
    async fn what_is_no_list_says_why_and_tells_no_token() {
        for (script, why) in [
            (vec![(AT, 500, "")], "lists.test answers 500"),
            (vec![(AT, 204, "")], "answers 204"),
            (vec![(AT, 302, AT)], "too often"),
            (vec![(AT, 302, "http://lists.test/eu")], "insecure"),
            (vec![(AT, 302, "file:///etc/passwd")], "insecure"),
            (vec![], "not sent"),
        ] {
            let told = fetched(&script).await.unwrap_err();
            assert!(told.contains(why) && !told.contains("T0ken"), "{told}");
        }
    }
}
