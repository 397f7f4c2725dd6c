//! The one connection to the access server. Authentication belongs to the connection, so one is kept, used by one
//! call at a time, and every new one is authenticated first.

use std::time::Duration;

use ::http::header::{CONNECTION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request, Response};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::handshake::CHALLENGE_BYTES;
use super::{Mt5, answer, retcode};
use crate::http::{Connection, TransportError};
use crate::platforms::PlatformError;
use crate::platforms::call::{Effect, remaining, time_to_write};
use crate::signature::hex_matches;
use crate::template::encode;

/// The server closes a connection after 180 s without a packet; before that it is not trusted any more.
const IDLE_MAX: Duration = Duration::from_secs(150);

/// A write never finds out by itself that a connection has died: after this long without a packet a harmless call
/// goes first. It is also the vendor's recommended interval of pings.
const IDLE_BEFORE_WRITE_MAX: Duration = Duration::from_secs(20);

/// First try and one repeat on a new connection.
const TRIES: usize = 2;

/// An authenticated connection.
pub(super) struct Link {
    connection: Box<dyn Connection>,
    used_at: Instant,
    /// The server's clock minus ours in seconds, once it has been compared.
    pub(super) clock_offset_s: Option<i64>,
}

#[cfg(test)]
impl Link {
    /// As if the last packet had been then.
    pub(super) fn set_used_at(&mut self, then: Instant) {
        self.used_at = then;
    }
}

/// One command.
pub(super) struct Command {
    path: &'static str,
    query: String,
    body: Option<Bytes>,
    effect: Effect,
}

impl Command {
    /// A command that reads.
    pub(super) fn read(path: &'static str, parameters: &[(&str, &str)]) -> Self {
        Self { path, query: query(parameters), body: None, effect: Effect::Read }
    }

    /// A command that changes something.
    pub(super) fn write(path: &'static str, parameters: &[(&str, &str)], body: Option<Bytes>) -> Self {
        Self { path, query: query(parameters), body, effect: Effect::Write }
    }
}

/// The server reads `+` as itself: a blank is `%20`.
fn query(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

/// What came of sending a command over a link.
enum Sent {
    Answer(Response<Bytes>),
    /// Certainly had no effect; a new connection may do better.
    Unsent(String),
    /// May have had its effect.
    Lost(String),
}

impl Mt5 {
    /// Sends a command and gives the whole answer, its return code checked.
    pub(super) async fn call(&self, command: &Command, until: Instant) -> Result<Value, PlatformError> {
        let busy = |_| PlatformError::NotApplied("the connection is in use".to_owned());
        let mut slot = timeout_at(until, self.link.lock()).await.map_err(busy)?;
        let mut reason = String::new();
        for _ in 0..TRIES {
            // Taken out while in use: whoever stops waiting in the middle leaves no half-used connection behind.
            let mut link = self.ready(slot.take(), command.effect, until).await?;
            if command.effect == Effect::Write
                && let Err(error) = time_to_write(until, self.settings.call_timeout)
            {
                *slot = Some(link);
                return Err(error);
            }
            match (self.send(&mut link, command, until).await, command.effect) {
                (Sent::Answer(response), effect) => {
                    let value = read(&response, effect)?;
                    if link.connection.is_open() {
                        *slot = Some(link);
                    }
                    return checked(value, effect);
                }
                (Sent::Lost(lost), Effect::Write) => return Err(PlatformError::Unknown(lost)),
                (Sent::Unsent(why), _) | (Sent::Lost(why), Effect::Read) => reason = why,
            }
        }
        Err(PlatformError::NotApplied(reason))
    }

    /// The kept link if it can be trusted with the effect, else a new one.
    async fn ready(&self, kept: Option<Link>, effect: Effect, until: Instant) -> Result<Link, PlatformError> {
        if let Some(mut link) = kept.filter(|link| link.connection.is_open() && link.used_at.elapsed() <= IDLE_MAX) {
            if effect == Effect::Read || link.used_at.elapsed() <= IDLE_BEFORE_WRITE_MAX {
                return Ok(link);
            }
            let ping = Command::read("/api/test/access", &[]);
            if let Sent::Answer(response) = self.send(&mut link, &ping, until).await
                && response.status().is_success()
            {
                return Ok(link);
            }
        }
        self.authenticate(until).await
    }

    async fn authenticate(&self, until: Instant) -> Result<Link, PlatformError> {
        let connect = self.settings.transport.connect(&self.settings.base_url, remaining(until));
        let connection = connect.await.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        let mut link = Link { connection, used_at: Instant::now(), clock_offset_s: None };
        let manager = self.settings.manager_login.to_string();
        let version = self.settings.version.to_string();
        let start = [
            ("version", version.as_str()),
            ("agent", self.settings.agent.as_str()),
            ("login", manager.as_str()),
            ("type", "manager"),
        ];
        let started = self.handshake(&mut link, &Command::read("/api/auth/start", &start), until).await?;
        let challenge = answer::member_text(&started, "srv_rand").and_then(|text| hex::decode(text).ok());
        let challenge = challenge.filter(|bytes| bytes.len() == CHALLENGE_BYTES);
        let no_challenge = || PlatformError::NotApplied("the server sent no challenge".to_owned());
        let response = hex::encode(self.proof.answer(&challenge.ok_or_else(no_challenge)?));
        let ours = random_challenge()?;
        let reply = [("srv_rand_answer", response.as_str()), ("cli_rand", &hex::encode(ours))];
        let finished = self.handshake(&mut link, &Command::read("/api/auth/answer", &reply), until).await?;
        let proven = answer::member_text(&finished, "cli_rand_answer").unwrap_or_default();
        if !hex_matches(&proven, &self.proof.answer(&ours)) {
            return Err(PlatformError::Misconfigured("the server did not prove that it knows the password".to_owned()));
        }
        tracing::debug!(platform.host = self.settings.base_url.host_str(), "authenticated at the trading server");
        Ok(link)
    }

    async fn handshake(&self, link: &mut Link, command: &Command, until: Instant) -> Result<Value, PlatformError> {
        let connection = &mut link.connection;
        let sent = connection.send(self.request(command)?, remaining(until)).await;
        let response = sent.map_err(|error| PlatformError::NotApplied(error.to_string()))?;
        link.used_at = Instant::now();
        checked(read(&response, Effect::Read)?, Effect::Read)
    }

    async fn send(&self, link: &mut Link, command: &Command, until: Instant) -> Sent {
        let request = match self.request(command) {
            Ok(request) => request,
            Err(error) => return Sent::Unsent(error.to_string()),
        };
        let sent = link.connection.send(request, remaining(until)).await;
        link.used_at = Instant::now();
        match sent {
            // Not authenticated: the command was not looked at.
            Ok(response) if matches!(response.status().as_u16(), 401 | 403) => {
                Sent::Unsent(format!("HTTP {}", response.status()))
            }
            Ok(response) => Sent::Answer(response),
            Err(error @ TransportError::NotSent(_)) => Sent::Unsent(error.to_string()),
            Err(error @ (TransportError::Lost(_) | TransportError::TooLarge)) => Sent::Lost(error.to_string()),
        }
    }

    fn request(&self, command: &Command) -> Result<Request<Bytes>, PlatformError> {
        let prefix = self.settings.base_url.path().trim_end_matches('/');
        let separator = if command.query.is_empty() { "" } else { "?" };
        let method = match command.effect {
            Effect::Read => Method::GET,
            // Never GET: what stands between us and the server may repeat one.
            Effect::Write => Method::POST,
        };
        Request::builder()
            .method(method)
            .uri(format!("{prefix}{}{separator}{}", command.path, command.query))
            .header(CONNECTION, HeaderValue::from_static("keep-alive"))
            // What the vendor documents, though the body is JSON.
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(command.body.clone().unwrap_or_default())
            .map_err(|_| PlatformError::Misconfigured("command makes no URL".to_owned()))
    }
}

fn random_challenge() -> Result<[u8; CHALLENGE_BYTES], PlatformError> {
    let mut challenge = [0; CHALLENGE_BYTES];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut challenge).map_err(|_| PlatformError::NotApplied("no random numbers".to_owned()))?;
    Ok(challenge)
}

/// The JSON of an answer. What is none says nothing about a write.
fn read(response: &Response<Bytes>, effect: Effect) -> Result<Value, PlatformError> {
    let status = response.status();
    if status.is_server_error() {
        return Err(effect.unsure(format!("HTTP {status}")));
    }
    if !status.is_success() {
        return Err(PlatformError::Misconfigured(format!("HTTP {status}: this is not the platform's API")));
    }
    let value: Option<Value> = serde_json::from_slice(response.body()).ok();
    value.filter(Value::is_object).ok_or_else(|| effect.unsure("answer is not a JSON object".to_owned()))
}

fn checked(value: Value, effect: Effect) -> Result<Value, PlatformError> {
    let text = answer::member_text(&value, "retcode").unwrap_or_default();
    let Some(code) = retcode::number(&text) else {
        return Err(effect.unsure("answer has no return code".to_owned()));
    };
    retcode::check(code, &text, effect).map(|()| value)
}
