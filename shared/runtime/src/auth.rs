//! Who is calling: JWT verified in the function against the issuer's published keys; deny by default.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{Request, header};
use bytes::Bytes;
use domain::{ClientId, Seconds, Timestamp};
use jsonwebtoken::jwk::{JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use providers::http::Transport;
use serde::Deserialize;

use crate::function::{Clock, ConfigError, Ports};
use crate::problem::Problem;

/// How long keys are used before they are fetched again.
const KEYS_KEEP: Seconds = Seconds(3_600);
/// An unknown key id fetches the keys again at most so often: a flood of forged tokens must not become a flood of requests.
const KEYS_REFRESH: Seconds = Seconds(30);
/// How long the issuer may take.
const KEYS_TIMEOUT: Duration = Duration::from_secs(3);
/// Clock difference to the issuer that is tolerated, in seconds.
const LEEWAY_S: u64 = 30;

/// What a caller may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "DESIGN.md section 6 names them")]
pub enum Role {
    Portal,
    Sales,
    Compliance,
    Finance,
    Support,
    Admin,
}

/// The roles of people.
pub const STAFF: &[Role] = &[Role::Sales, Role::Compliance, Role::Finance, Role::Support, Role::Admin];
/// The trader room and people.
pub const PORTAL_AND_STAFF: &[Role] =
    &[Role::Portal, Role::Sales, Role::Compliance, Role::Finance, Role::Support, Role::Admin];
/// The trader room.
pub const PORTAL: &[Role] = &[Role::Portal];

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who: the token's subject.
    pub subject: String,
    /// As what.
    pub roles: Vec<Role>,
    /// The one client a token is bound to, if it is.
    pub client_id: Option<ClientId>,
}

impl Caller {
    /// Refuses a caller with none of the roles.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, allowed: &[Role]) -> Result<(), Problem> {
        if self.roles.iter().any(|role| allowed.contains(role)) {
            return Ok(());
        }
        Err(Problem::forbidden("the token has no role that may do this"))
    }

    /// Refuses a caller that is bound to a client, for what concerns more than one.
    ///
    /// # Errors
    /// 403.
    pub fn require_unbound(&self) -> Result<(), Problem> {
        match &self.client_id {
            Some(_) => Err(Problem::forbidden("the token is bound to one client")),
            None => Ok(()),
        }
    }

    /// Refuses a caller that is bound to another client.
    ///
    /// # Errors
    /// 403.
    pub fn require_client(&self, client: &ClientId) -> Result<(), Problem> {
        match &self.client_id {
            Some(own) if own != client => Err(Problem::forbidden("the token is bound to another client")),
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    roles: Vec<serde_json::Value>,
    #[serde(default)]
    client_id: Option<String>,
}

#[derive(Default)]
struct Keys {
    fetched: Option<Timestamp>,
    by_id: BTreeMap<String, (Algorithm, DecodingKey)>,
}

/// Verifies bearer tokens.
#[derive(Clone)]
pub struct Authority {
    issuer: String,
    audience: String,
    keys_url: String,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    keys: Arc<Mutex<Keys>>,
}

impl Authority {
    /// From `JWT_ISSUER`, `JWT_AUDIENCE` and `JWKS_URL`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: ports.need("JWT_ISSUER")?.to_owned(),
            audience: ports.need("JWT_AUDIENCE")?.to_owned(),
            keys_url: ports.need("JWKS_URL")?.to_owned(),
            transport: ports.transport.clone(),
            clock: ports.clock.clone(),
            keys: Arc::default(),
        })
    }

    /// The caller of an `Authorization` header.
    ///
    /// # Errors
    /// 401 without a valid token, 503 when the issuer's keys cannot be had.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, Problem> {
        let token = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| Problem::unauthorized("send Authorization: Bearer <JWT>"))?;
        let invalid = || Problem::unauthorized("the token is not valid");
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let key_id = header.kid.ok_or_else(invalid)?;
        let (algorithm, key) = self.key(&key_id).await?.ok_or_else(invalid)?;
        // the algorithm is the key's, never the token's: a token cannot choose a weaker one
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        // expiry is checked below against the injected clock
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).map_err(|_| invalid())?.claims;
        let expires = claims.get("exp").and_then(serde_json::Value::as_i64).ok_or_else(invalid)?;
        let leeway = i64::try_from(LEEWAY_S).unwrap_or(0);
        if self.clock.now().seconds() >= expires.saturating_add(leeway) {
            return Err(Problem::unauthorized("the token has expired"));
        }
        let claims: Claims = serde_json::from_value(claims).map_err(|_| invalid())?;
        let client_id = claims.client_id.map(|id| id.parse()).transpose().map_err(|_| invalid())?;
        let roles = claims.roles.into_iter().filter_map(|role| serde_json::from_value(role).ok()).collect();
        Ok(Caller { subject: claims.sub, roles, client_id })
    }

    async fn key(&self, id: &str) -> Result<Option<(Algorithm, DecodingKey)>, Problem> {
        let now = self.clock.now();
        {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let age = |span| keys.fetched.is_some_and(|at| now < at.plus(span));
            match keys.by_id.get(id) {
                Some(key) if age(KEYS_KEEP) => return Ok(Some(key.clone())),
                None if age(KEYS_REFRESH) => return Ok(None),
                _ => {}
            }
        }
        let fresh = self.fetch().await?;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.fetched = Some(now);
        keys.by_id = fresh;
        Ok(keys.by_id.get(id).cloned())
    }

    async fn fetch(&self) -> Result<BTreeMap<String, (Algorithm, DecodingKey)>, Problem> {
        let unavailable = || Problem::unavailable("the identity provider's keys cannot be read");
        let request = Request::get(&self.keys_url)
            .header(header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|_| unavailable())?;
        let answer = self.transport.send(request, KEYS_TIMEOUT).await.map_err(|_| unavailable())?;
        let set: JwkSet = serde_json::from_slice(answer.body()).map_err(|_| unavailable())?;
        let mut keys = BTreeMap::new();
        for jwk in &set.keys {
            let algorithm = match jwk.common.key_algorithm {
                Some(KeyAlgorithm::RS256) => Algorithm::RS256,
                Some(KeyAlgorithm::ES256) => Algorithm::ES256,
                Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
                _ => continue,
            };
            if let (Some(id), Ok(key)) = (&jwk.common.key_id, DecodingKey::from_jwk(jwk)) {
                keys.insert(id.clone(), (algorithm, key));
            }
        }
        if keys.is_empty() { Err(unavailable()) } else { Ok(keys) }
    }
}
