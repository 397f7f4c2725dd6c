//! The issuer's published keys (JWKS): fetched rarely, kept while the issuer is down, never over a line that anybody could change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{Request, Uri, header};
use bytes::Bytes;
use domain::{Seconds, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use providers::http::{Transport, TransportError};
use serde::Deserialize;

use crate::function::{Clock, ConfigError, Ports};
use crate::problem::with_causes;

/// How long keys are used before they are fetched again.
const KEYS_KEEP: Seconds = Seconds(3_600);
/// How long they are used when they cannot be fetched again: an issuer that is down for a night must not close the back office,
/// and a key that the issuer took back is good for no longer than that, and only for whoever can keep us from the issuer.
const KEYS_STALE_MAX: Seconds = Seconds(24 * 3_600);
/// The keys are fetched at most so often, whether it worked or not: a flood of forged tokens must not become a flood of requests.
const KEYS_REFRESH: Seconds = Seconds(30);
/// How long the issuer may take.
const KEYS_TIMEOUT: Duration = Duration::from_secs(3);

/// A key with the one algorithm that it is for.
pub(crate) type Key = (Algorithm, DecodingKey);

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The URL is none that can be asked.
    #[error("the key set's URL cannot be asked")]
    Url(#[from] ::http::Error),
    /// The issuer does not answer.
    #[error("the issuer does not answer")]
    Transport(#[from] TransportError),
    /// It answers something else.
    #[error("the issuer answers {0}")]
    Status(u16),
    /// What it answers is no key set.
    #[error("the issuer's answer is no key set")]
    Malformed(#[from] serde_json::Error),
    /// Nothing in it can be used.
    #[error("the key set has no key that signs with RS256, ES256 or EdDSA")]
    Empty,
    /// It failed a moment ago.
    #[error("the issuer's keys could not be fetched {0} s ago")]
    Throttled(i64),
}

#[derive(Default)]
struct Kept {
    fetched: Option<Timestamp>,
    failed: Option<Timestamp>,
    by_id: BTreeMap<String, Key>,
}

/// What is known of a key without asking.
enum Known {
    /// The answer.
    Answer(Option<Key>),
    /// The issuer must be asked; meanwhile an old key may do.
    Ask(Option<Key>),
    /// The issuer must be asked, but not now.
    NotNow(i64),
}

impl Kept {
    fn look(&self, id: &str, now: Timestamp) -> Known {
        let within = |since: Option<Timestamp>, span| since.is_some_and(|at| now < at.plus(span));
        let key = self.by_id.get(id);
        match key {
            Some(key) if within(self.fetched, KEYS_KEEP) => return Known::Answer(Some(key.clone())),
            None if within(self.fetched, KEYS_REFRESH) => return Known::Answer(None),
            _ => {}
        }
        let stale = key.filter(|_| within(self.fetched, KEYS_STALE_MAX)).cloned();
        match (self.failed, stale) {
            (Some(failed), stale) if now < failed.plus(KEYS_REFRESH) => match stale {
                Some(key) => Known::Answer(Some(key)),
                None => Known::NotNow(now.seconds().saturating_sub(failed.seconds())),
            },
            (_, stale) => Known::Ask(stale),
        }
    }
}

/// The keys of one issuer.
#[derive(Clone)]
pub(crate) struct KeySet {
    url: String,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
    /// Held by the one request that asks the issuer.
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl KeySet {
    /// From `JWKS_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] for what is neither `https` nor on this machine.
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let url = ports.need("JWKS_URL")?;
        if !is_trusted(url) {
            return Err(ConfigError::Invalid("JWKS_URL", "keys are fetched over https only"));
        }
        Ok(Self {
            url: url.to_owned(),
            transport: ports.transport.clone(),
            clock: ports.clock.clone(),
            kept: Arc::default(),
            asking: Arc::default(),
        })
    }

    /// The key of an id; `None` when the issuer has no such key.
    ///
    /// # Errors
    /// [`KeysError`] when that cannot be known.
    pub(crate) async fn key(&self, id: &str) -> Result<Option<Key>, KeysError> {
        let stale = match self.look(id) {
            Known::Answer(key) => return Ok(key),
            Known::NotNow(since_s) => return Err(KeysError::Throttled(since_s)),
            Known::Ask(stale) => stale,
        };
        let _asking = match (self.asking.try_lock(), stale) {
            (Ok(asking), _) => asking,
            // somebody else asks; whoever has a key that will do need not wait for it
            (Err(_), Some(key)) => return Ok(Some(key)),
            (Err(_), None) => self.asking.lock().await,
        };
        // and may have asked meanwhile
        let stale = match self.look(id) {
            Known::Answer(key) => return Ok(key),
            Known::NotNow(since_s) => return Err(KeysError::Throttled(since_s)),
            Known::Ask(stale) => stale,
        };
        match self.fetch().await {
            Ok(by_id) => {
                let key = by_id.get(id).cloned();
                *self.lock() = Kept { fetched: Some(self.clock.now()), failed: None, by_id };
                Ok(key)
            }
            Err(error) => {
                self.lock().failed = Some(self.clock.now());
                tracing::warn!(error = with_causes(&error), stale = stale.is_some(), "keys were not fetched");
                stale.map(Some).ok_or(error)
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, id: &str) -> Known {
        self.lock().look(id, self.clock.now())
    }

    async fn fetch(&self) -> Result<BTreeMap<String, Key>, KeysError> {
        let request = Request::get(&self.url).header(header::ACCEPT, "application/json").body(Bytes::new())?;
        let answer = self.transport.send(request, KEYS_TIMEOUT).await?;
        if !answer.status().is_success() {
            return Err(KeysError::Status(answer.status().as_u16()));
        }
        let set: Set = serde_json::from_slice(answer.body())?;
        let keys: BTreeMap<String, Key> = set.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() { Err(KeysError::Empty) } else { Ok(keys) }
    }
}

/// Keys come over TLS; only what runs on this machine, as the local issuer does, is asked without.
fn is_trusted(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    let is_local = |host: &str| {
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    match (url.scheme_str(), host) {
        (Some("https"), Some(host)) => !host.is_empty(),
        (Some("http"), Some(host)) => is_local(host),
        _ => false,
    }
}

/// Its entries are read one by one: a key of a kind that we do not know must not cost the others.
#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// A key that signs tokens, with its id and the one algorithm that it is for: its own word, or what its type stands for.
fn usable(entry: serde_json::Value) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_value(entry).ok()?;
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let of_its_type = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        // a shared secret is nothing that is published
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|named| named != KeyAlgorithm::from(of_its_type)) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, (of_its_type, key)))
}
