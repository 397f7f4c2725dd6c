//! One call of the web services: with the manager's token, which is fetched again once where the server does not know it any more.

use ::http::header::{ACCEPT, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Ctrader;
use super::errors;
use crate::http::{AnswerSizeMax, TransportError};
use crate::platforms::PlatformError;
use crate::platforms::call::{Effect, no_time, remaining, time_to_write};
use crate::template::encode;

/// Lists of accounts and of positions have no pages: so many bytes are read of one.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// First try and one repeat, of a read or with a new token.
const TRIES: usize = 2;

/// One call.
pub(super) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    effect: Effect,
}

impl Call {
    /// A call that reads.
    pub(super) fn read(path: impl Into<String>, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path: path.into(), query, body: None, effect: Effect::Read }
    }

    /// A call that changes something.
    pub(super) fn write(method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: Some(body.into()), effect: Effect::Write }
    }
}

impl Ctrader {
    /// The JSON of an answer.
    pub(super) async fn json(&self, call: &Call, until: Instant) -> Result<Value, PlatformError> {
        let response = self.call(call, until).await?;
        let value = serde_json::from_slice(response.body()).ok().filter(Value::is_object);
        value.ok_or_else(|| call.effect.unsure("answer is not a JSON object".to_owned()))
    }

    /// The answer, which is a success.
    pub(super) async fn call(&self, call: &Call, until: Instant) -> Result<Response<Bytes>, PlatformError> {
        let mut token = self.token(None, until).await?;
        let mut error = no_time();
        for _ in 0..TRIES {
            if call.effect == Effect::Write {
                time_to_write(until, self.settings.call_timeout)?;
            }
            let request = self.request(call, &token)?;
            match self.settings.transport.send(request, remaining(until)).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if errors::is_denied(&response) => {
                    error = errors::failed(&response, call.effect);
                    token = self.token(Some(&token), until).await?;
                }
                Ok(response) => return Err(errors::failed(&response, call.effect)),
                Err(TransportError::NotSent(why)) => return Err(PlatformError::NotApplied(why)),
                Err(lost @ (TransportError::Lost(_) | TransportError::TooLarge)) => {
                    error = call.effect.unsure(lost.to_string());
                    if call.effect == Effect::Write || lost == TransportError::TooLarge {
                        return Err(error);
                    }
                }
            }
        }
        Err(error)
    }

    /// The manager's token; a new one where the kept one is the one that was denied.
    async fn token(&self, denied: Option<&str>, until: Instant) -> Result<String, PlatformError> {
        let busy = |_| PlatformError::NotApplied("the token is being fetched".to_owned());
        let mut kept = tokio::time::timeout_at(until, self.token.lock()).await.map_err(busy)?;
        if let Some(token) = kept.as_ref().filter(|token| Some(token.as_str()) != denied) {
            return Ok(token.clone());
        }
        *kept = None;
        let body = json!({ "login": self.settings.manager_login, "hashedPassword": self.hashed_password });
        let request = self.unsigned(Method::POST, "/v2/webserv/managers/token", "", Bytes::from(body.to_string()))?;
        let sent = self.settings.transport.send(request, remaining(until)).await;
        // nothing of the call itself was sent yet
        let response = sent.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        if !response.status().is_success() {
            return Err(errors::no_token(&response));
        }
        let answer: Option<Value> = serde_json::from_slice(response.body()).ok();
        let token = answer.as_ref().and_then(|answer| answer.get("webservToken")?.as_str());
        let token = token.filter(|token| !token.is_empty()).map(str::to_owned);
        let token = token.ok_or_else(|| PlatformError::NotApplied("the server gave no token".to_owned()))?;
        *kept = Some(token.clone());
        Ok(token)
    }

    fn request(&self, call: &Call, token: &str) -> Result<Request<Bytes>, PlatformError> {
        let mut query: Vec<_> = call.query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        query.push(format!("token={}", encode(token)));
        self.unsigned(call.method.clone(), &call.path, &query.join("&"), call.body.clone().unwrap_or_default())
    }

    fn unsigned(&self, method: Method, path: &str, query: &str, body: Bytes) -> Result<Request<Bytes>, PlatformError> {
        let base = self.settings.base_url.as_str().trim_end_matches('/');
        let separator = if query.is_empty() { "" } else { "?" };
        Request::builder()
            .method(method)
            .uri(format!("{base}{path}{separator}{query}"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .extension(AnswerSizeMax(LIST_BYTES_MAX))
            .body(body)
            .map_err(|_| PlatformError::Misconfigured("call makes no URL".to_owned()))
    }
}
