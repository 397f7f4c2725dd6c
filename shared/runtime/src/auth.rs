//! Who is calling: JWT verified in the function against the issuer's published keys; deny by default.

mod keys;

use std::sync::Arc;

use domain::ClientId;
use jsonwebtoken::Validation;
use serde::Deserialize;

use self::keys::KeySet;
use crate::function::{Clock, ConfigError, Ports};
use crate::problem::{Problem, with_causes};

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
    pub(crate) fn require_unbound(&self) -> Result<(), Problem> {
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

/// Verifies bearer tokens.
#[derive(Clone)]
pub struct Authority {
    issuer: String,
    audience: String,
    clock: Arc<dyn Clock>,
    keys: KeySet,
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
            clock: ports.clock.clone(),
            keys: KeySet::new(ports)?,
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
        let refused = |error: jsonwebtoken::errors::Error| {
            tracing::info!(error = with_causes(&error), "a token was refused");
            invalid()
        };
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        let key_id = header.kid.ok_or_else(invalid)?;
        let (algorithm, key) = self.keys.key(&key_id).await.map_err(unavailable)?.ok_or_else(invalid)?;
        // the algorithm is the key's, never the token's: a token cannot choose a weaker one
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        // expiry is checked below against the injected clock
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).map_err(refused)?.claims;
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
}

fn unavailable(error: keys::KeysError) -> Problem {
    tracing::error!(error = with_causes(&error), "no token can be checked");
    Problem::unavailable("the identity provider's keys cannot be read")
}

#[cfg(test)]
pub(crate) mod tests;
