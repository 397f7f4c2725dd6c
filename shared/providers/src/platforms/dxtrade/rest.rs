//! One call of either interface: with a session's token, and with a new session once where the old one has died.

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use ::http::{HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Dxtrade;
use crate::http::TransportError;
use crate::platforms::call::{Effect, no_time, remaining, time_to_write};
use crate::platforms::{PlatformError, json};
use crate::template::encode;

/// First try and one repeat, of a read or with a new session.
const TRIES: usize = 2;

/// The interfaces under one host, each with its own sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    /// The administrative one.
    Register,
    /// The one that shows what was traded and moved.
    Trading,
}

impl Interface {
    fn base(self) -> &'static str {
        match self {
            Self::Register => "/dxweb/rest",
            Self::Trading => "/dxsca-web",
        }
    }
}

/// The tokens of the sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    register: Mutex<Option<String>>,
    trading: Mutex<Option<String>>,
}

impl Sessions {
    fn of(&self, interface: Interface) -> &Mutex<Option<String>> {
        match interface {
            Interface::Register => &self.register,
            Interface::Trading => &self.trading,
        }
    }
}

/// One call.
pub(super) struct Call {
    interface: Interface,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    if_match: Option<HeaderValue>,
}

impl Call {
    /// A call that reads.
    pub(super) fn read(interface: Interface, path: impl Into<String>, query: Vec<(&'static str, String)>) -> Self {
        Self { interface, method: Method::GET, path: path.into(), query, body: None, if_match: None }
    }

    /// A call that changes something.
    pub(super) fn write(method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let (query, body) = (Vec::new(), Some(body.into()));
        Self { interface: Interface::Register, method, path: path.into(), query, body, if_match: None }
    }

    /// Only where what is changed is still what was read.
    pub(super) fn if_match(mut self, read: &Answer) -> Self {
        self.if_match = read.etag.clone();
        self
    }

    fn effect(&self) -> Effect {
        if self.method == Method::GET { Effect::Read } else { Effect::Write }
    }
}

/// An answer that says what was done.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Null where there is no body.
    pub(super) body: Value,
    etag: Option<HeaderValue>,
}

impl Dxtrade {
    /// The answer to a call that succeeded.
    pub(super) async fn call(&self, call: &Call, until: Instant) -> Result<Answer, PlatformError> {
        self.call_or(call, &[], until).await
    }

    /// The answer to a call that succeeded, or that ended in one of these statuses.
    pub(super) async fn call_or(
        &self,
        call: &Call,
        besides: &[StatusCode],
        until: Instant,
    ) -> Result<Answer, PlatformError> {
        let mut token = self.token(call.interface, None, until).await?;
        let mut error = no_time();
        for _ in 0..TRIES {
            if call.effect() == Effect::Write {
                time_to_write(until, self.settings.call_timeout)?;
            }
            let request = self.request(call, &token)?;
            match self.settings.transport.send(request, remaining(until)).await {
                // a session that died: the call was not looked at
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                    error = PlatformError::Misconfigured("the user is not let in".to_owned());
                    token = self.token(call.interface, Some(&token), until).await?;
                }
                Ok(response) if response.status().is_success() || besides.contains(&response.status()) => {
                    return answer(call, &response);
                }
                Ok(response) => return Err(failed(call, &response)),
                Err(TransportError::NotSent(why)) => return Err(PlatformError::NotApplied(why)),
                Err(lost @ (TransportError::Lost(_) | TransportError::TooLarge)) => {
                    error = call.effect().unsure(lost.to_string());
                    if call.effect() == Effect::Write || lost == TransportError::TooLarge {
                        return Err(error);
                    }
                }
            }
        }
        Err(error)
    }

    /// The token of a session; a new one where the kept one is the one that died.
    async fn token(&self, of: Interface, dead: Option<&str>, until: Instant) -> Result<String, PlatformError> {
        let busy = |_| PlatformError::NotApplied("the session is being opened".to_owned());
        let mut kept = tokio::time::timeout_at(until, self.sessions.of(of).lock()).await.map_err(busy)?;
        if let Some(token) = kept.as_ref().filter(|token| Some(token.as_str()) != dead) {
            return Ok(token.clone());
        }
        *kept = None;
        let body = json!({
            "username": self.settings.username,
            "domain": self.settings.domain,
            "password": self.settings.password.expose_secret(),
        });
        let request = self.unsigned(of, Method::POST, "/login", &[]);
        let request = request.body(Bytes::from(body.to_string())).map_err(|_| no_url())?;
        let sent = self.settings.transport.send(request, remaining(until)).await;
        // nothing of the call itself was sent yet
        let response = sent.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        match response.status().as_u16() {
            200..=299 => {}
            400..=403 => return Err(PlatformError::Misconfigured("the user is not let in".to_owned())),
            status @ (300..=399 | 404 | 405) => {
                return Err(PlatformError::Misconfigured(format!("HTTP {status}: this is not the platform's API")));
            }
            status => return Err(PlatformError::NotApplied(format!("HTTP {status} instead of a session"))),
        }
        let opened: Option<Value> = serde_json::from_slice(response.body()).ok();
        let token = opened.as_ref().and_then(|opened| opened.get("sessionToken")?.as_str());
        let token = token.filter(|token| !token.is_empty()).map(str::to_owned);
        let token = token.ok_or_else(|| PlatformError::NotApplied("the server opened no session".to_owned()))?;
        *kept = Some(token.clone());
        Ok(token)
    }

    fn request(&self, call: &Call, token: &str) -> Result<Request<Bytes>, PlatformError> {
        let authorization = HeaderValue::from_str(&format!("DXAPI {token}"));
        let mut authorization =
            authorization.map_err(|_| PlatformError::NotApplied("the session's token is no header".to_owned()))?;
        authorization.set_sensitive(true);
        let request = self.unsigned(call.interface, call.method.clone(), &call.path, &call.query);
        let request = request.header(AUTHORIZATION, authorization);
        let request = match &call.if_match {
            Some(etag) => request.header(IF_MATCH, etag),
            None => request,
        };
        request.body(call.body.clone().unwrap_or_default()).map_err(|_| no_url())
    }

    fn unsigned(
        &self,
        of: Interface,
        method: Method,
        path: &str,
        query: &[(&str, String)],
    ) -> ::http::request::Builder {
        let base = self.settings.base_url.as_str().trim_end_matches('/');
        let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let separator = if pairs.is_empty() { "" } else { "?" };
        Request::builder()
            .method(method)
            .uri(format!("{base}{}{path}{separator}{}", of.base(), pairs.join("&")))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }
}

fn no_url() -> PlatformError {
    PlatformError::Misconfigured("call makes no URL".to_owned())
}

/// What is not JSON says nothing, whatever its status.
fn answer(call: &Call, response: &Response<Bytes>) -> Result<Answer, PlatformError> {
    let body = match response.body().is_empty() {
        true => Value::Null,
        false => {
            serde_json::from_slice(response.body()).map_err(|_| call.effect().unsure("answer is no JSON".to_owned()))?
        }
    };
    Ok(Answer { status: response.status(), body, etag: response.headers().get(ETAG).cloned() })
}

/// What an answer that is no success says about its call. Neither interface's codes are published, so the statuses are what counts;
/// they are the application's only where its error stands in the body.
fn failed(call: &Call, response: &Response<Bytes>) -> PlatformError {
    let status = response.status();
    let error: Option<Value> = serde_json::from_slice(response.body()).ok();
    let code = error.as_ref().and_then(|error| json::whole::<i64>(error, "errorCode"));
    let said = match code {
        Some(code) => format!("HTTP {status}, error {code}"),
        None => format!("HTTP {status}"),
    };
    match (status.as_u16(), code) {
        // somebody else has changed it since it was read: to be read again
        (412, Some(_)) => PlatformError::NotApplied(said),
        // malformed, not found, refused by the application
        (400 | 404 | 409 | 422, Some(code)) => {
            PlatformError::Refused { code: format!("{}/{code}", status.as_u16()), message: said }
        }
        (401 | 403, _) => PlatformError::Misconfigured(said),
        (413 | 415, _) => PlatformError::Misconfigured(said),
        (429, _) => PlatformError::NotApplied(said),
        (300..=399 | 404 | 405, None) => {
            PlatformError::Misconfigured(format!("{said}: this is not the platform's API"))
        }
        _ => call.effect().unsure(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(status: u16, body: &str, call: &Call) -> &'static str {
        let response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        let error = failed(call, &response);
        assert!(!format!("{error:?}").contains("Jane"), "{error:?}");
        match error {
            PlatformError::Refused { .. } => "refused",
            PlatformError::NotApplied(_) => "not applied",
            PlatformError::Unknown(_) => "unknown",
            PlatformError::Misconfigured(_) => "misconfigured",
        }
    }

    #[test]
    fn every_status_says_what_may_have_happened() {
        let read = Call::read(Interface::Trading, "/x", Vec::new());
        let write = Call::write(Method::PUT, "/x", "{}");
        let coded = r#"{"errorCode": 30, "errorMessage": "Jane Doe has too little", "errorId": "e-1"}"#;
        // Status, with the application's error: of a read, of a write; without it.
        for (status, read_says, write_says, bare_read, bare_write) in [
            (400, "refused", "refused", "not applied", "unknown"),
            (403, "misconfigured", "misconfigured", "misconfigured", "misconfigured"),
            (404, "refused", "refused", "misconfigured", "misconfigured"),
            (409, "refused", "refused", "not applied", "unknown"),
            (412, "not applied", "not applied", "not applied", "unknown"),
            (413, "misconfigured", "misconfigured", "misconfigured", "misconfigured"),
            (415, "misconfigured", "misconfigured", "misconfigured", "misconfigured"),
            (429, "not applied", "not applied", "not applied", "not applied"),
            (500, "not applied", "unknown", "not applied", "unknown"),
            (503, "not applied", "unknown", "not applied", "unknown"),
            (302, "not applied", "unknown", "misconfigured", "misconfigured"),
        ] {
            assert_eq!((says(status, coded, &read), says(status, coded, &write)), (read_says, write_says), "{status}");
            for bare in ["", "<html>Jane</html>", "{}", r#"{"errorCode": "Jane"}"#] {
                let said = (says(status, bare, &read), says(status, bare, &write));
                assert_eq!(said, (bare_read, bare_write), "{status} {bare}");
            }
        }
    }
}
