//! The manager interface behind REST: a bearer token, and an envelope `{data, error, meta}` around every answer, whose HTTP status is 200
//! whatever became of the call.

use std::time::Duration;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Response};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Mt4, codes};
use crate::http::{AnswerSizeMax, TransportError};
use crate::platforms::PlatformError;
use crate::platforms::call::{Effect, remaining};
use crate::template::encode;

/// A token is not used in the last minute of its life.
const TOKEN_RESERVE: Duration = Duration::from_secs(60);

/// The life of a token whose life is not told.
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);

/// How much earlier than we the bridge gives up, so that its answer, which says whether it may have been done, still reaches us.
const ANSWER_RESERVE: Duration = Duration::from_secs(1);

/// The shortest deadline that the bridge takes.
const BRIDGE_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// Longest list that is read: an account or a trade is about half a kilobyte.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// First try, and one with a new token.
const TRIES: usize = 2;

/// A bearer token.
pub(super) struct Token {
    text: SecretString,
    good_until: Instant,
}

/// One call.
pub(super) struct Call {
    pub(super) method: Method,
    /// Below the server's path, encoded.
    pub(super) path: String,
    pub(super) body: Option<Bytes>,
    /// By which the bridge knows a repetition for a while.
    pub(super) key: Option<String>,
}

impl Call {
    /// A call that reads; its parts are encoded, the pairs are the query.
    pub(super) fn read(parts: &[&str], pairs: &[(&str, &str)]) -> Self {
        let path: Vec<_> = parts.iter().map(|part| encode(part)).collect();
        let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{separator}{}", path.join("/"), query.join("&"));
        Self { method: Method::GET, path, body: None, key: None }
    }

    /// A call that changes something.
    pub(super) fn write(method: Method, parts: &[&str], body: Bytes, key: Option<String>) -> Self {
        Self { method, body: Some(body), key, ..Self::read(parts, &[]) }
    }

    fn effect(&self) -> Effect {
        if self.method == Method::GET { Effect::Read } else { Effect::Write }
    }
}

/// Why a call brought nothing.
pub(super) enum Failed {
    /// A list that is longer than is read.
    TooLarge,
    /// Anything else.
    Error(PlatformError),
}

impl From<PlatformError> for Failed {
    fn from(error: PlatformError) -> Self {
        Self::Error(error)
    }
}

impl Mt4 {
    /// The data of an answer; none for a read that found nothing.
    pub(super) async fn call(&self, call: &Call, until: Instant) -> Result<Option<Value>, PlatformError> {
        self.call_list(call, until).await.map_err(|failed| match failed {
            Failed::TooLarge => call.effect().unsure("the answer is too large".to_owned()),
            Failed::Error(error) => error,
        })
    }

    /// As [`Self::call`], where a longer list than is read can be asked for in parts.
    pub(super) async fn call_list(&self, call: &Call, until: Instant) -> Result<Option<Value>, Failed> {
        let effect = call.effect();
        let mut fresh = false;
        for _ in 0..TRIES {
            let token = self.token(fresh, until).await?;
            if effect == Effect::Write {
                self.time_to_write(until)?;
            }
            let response = match self.send(self.request(call, &token, until)?, effect, until).await {
                Ok(response) => response,
                Err(TransportError::TooLarge) => return Err(Failed::TooLarge),
                Err(error @ TransportError::NotSent(_)) => {
                    return Err(PlatformError::NotApplied(error.to_string()).into());
                }
                Err(error @ TransportError::Lost(_)) => return Err(effect.unsure(error.to_string()).into()),
            };
            // not looked at: the token has been withdrawn
            if response.status().as_u16() != 401 {
                return Ok(read(&response, effect)?);
            }
            fresh = true;
        }
        Err(PlatformError::Misconfigured("the bridge does not take its own token".to_owned()).into())
    }

    /// A write gets a connection of its own, which ends with the call and delivers nothing later; reads share a pool.
    async fn send(
        &self,
        request: Request<Bytes>,
        effect: Effect,
        until: Instant,
    ) -> Result<Response<Bytes>, TransportError> {
        let transport = &self.settings.transport;
        match effect {
            Effect::Read => transport.send(request, remaining(until)).await,
            Effect::Write => {
                let mut connection = transport.connect(&self.settings.bridge, remaining(until)).await?;
                connection.send(request, remaining(until)).await
            }
        }
    }

    fn request(&self, call: &Call, token: &SecretString, until: Instant) -> Result<Request<Bytes>, PlatformError> {
        let settings = &self.settings;
        let base = settings.bridge.as_str().trim_end_matches('/');
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
        let mut bearer = bearer.map_err(|_| PlatformError::Misconfigured("the token is no header".to_owned()))?;
        bearer.set_sensitive(true);
        let deadline = remaining(until).saturating_sub(ANSWER_RESERVE).max(BRIDGE_TIMEOUT_MIN);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{base}/api/v2/MT4/{}/{}", encode(&settings.trade_platform), call.path))
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header("x-request-timeout", deadline.as_secs())
            .extension(AnswerSizeMax(LIST_BYTES_MAX));
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(call.body.clone().unwrap_or_default());
        request.map_err(|_| PlatformError::Misconfigured("the call makes no URL".to_owned()))
    }

    /// The kept token, or a new one.
    async fn token(&self, fresh: bool, until: Instant) -> Result<SecretString, PlatformError> {
        let busy = |_| PlatformError::NotApplied("a token is being fetched".to_owned());
        let mut kept = timeout_at(until, self.token.lock()).await.map_err(busy)?;
        if let Some(token) = kept.as_ref().filter(|token| !fresh && token.good_until > Instant::now()) {
            return Ok(token.text.clone());
        }
        let token = self.fetch_token(until).await?;
        let text = token.text.clone();
        *kept = Some(token);
        Ok(text)
    }

    async fn fetch_token(&self, until: Instant) -> Result<Token, PlatformError> {
        let settings = &self.settings;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=webapi",
            encode(&settings.client_id),
            encode(settings.client_secret.expose_secret()),
        );
        let request = Request::post(settings.token_url.as_str())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body(Bytes::from(form))
            .map_err(|_| PlatformError::Misconfigured("token_url makes no request".to_owned()))?;
        let sent = settings.transport.send(request, remaining(until)).await;
        let response = sent.map_err(|error| PlatformError::NotApplied(format!("no token: {error}")))?;
        let status = response.status();
        if status.is_client_error() && status.as_u16() != 429 {
            return Err(PlatformError::Misconfigured(format!("HTTP {status}: no token for this client")));
        }
        let answer: Option<Value> = serde_json::from_slice(response.body()).ok();
        let answer = answer.filter(|_| status.is_success());
        let text = answer.as_ref().and_then(|answer| answer.get("access_token")).and_then(Value::as_str);
        let text = text.ok_or_else(|| PlatformError::NotApplied(format!("HTTP {status}: no token")))?;
        let life = answer.as_ref().and_then(|answer| answer.get("expires_in")).and_then(Value::as_u64);
        let life = life.map_or(TOKEN_LIFE, Duration::from_secs).saturating_sub(TOKEN_RESERVE);
        Ok(Token { text: SecretString::from(text.to_owned()), good_until: Instant::now() + life })
    }
}

/// The data of an envelope. What is none says nothing about a write.
fn read(response: &Response<Bytes>, effect: Effect) -> Result<Option<Value>, PlatformError> {
    let status = response.status();
    if status.as_u16() == 429 {
        return Err(PlatformError::NotApplied(format!("HTTP {status}")));
    }
    if status.is_client_error() || status.is_redirection() {
        return Err(PlatformError::Misconfigured(format!("HTTP {status}: this is not the bridge's API")));
    }
    let envelope: Option<Value> = serde_json::from_slice(response.body()).ok();
    let envelope = envelope.filter(|envelope| envelope.get("data").is_some() || envelope.get("error").is_some());
    let Some(envelope) = envelope.filter(|_| status.is_success()) else {
        return Err(effect.unsure(format!("HTTP {status}: the answer is no envelope")));
    };
    match envelope.get("error").filter(|error| !error.is_null()) {
        Some(error) if effect == Effect::Read && error.get("code").and_then(Value::as_str) == Some("NotFound") => {
            Ok(None)
        }
        Some(error) => {
            let outcome = response.headers().get("x-request-outcome").and_then(|value| value.to_str().ok());
            Err(codes::of_bridge(error, outcome, effect))
        }
        None => match envelope.get("data") {
            None | Some(Value::Null) => Err(effect.unsure("the answer has no data".to_owned())),
            Some(data) => Ok(Some(data.clone())),
        },
    }
}
