//! `Idempotency-Key`: the first request makes, a repeat gets the first answer.

use domain::Seconds;
use domain::entity::Entity;
use sha2::{Digest as _, Sha256};
use store::{Claim, ClaimRequest, Stored, Table};

use crate::auth::Caller;
use crate::http::Request;
use crate::problem::Problem;

/// How long the first request may be at work before a repeat takes over: longer than an HTTP function may run.
const LEASE: Seconds = Seconds(30);
/// Longest accepted key, in characters.
const KEY_MAX: usize = 255;

/// What the key allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Go<T> {
    /// Make it under this id: nobody did, or whoever began is gone.
    Make {
        /// The id.
        id: String,
        /// Whether an earlier request began it.
        replay: bool,
    },
    /// It was made before; this is it.
    Made(Stored<T>),
}

/// A request under its key.
#[derive(Debug, Clone)]
pub struct Keyed {
    scope: String,
    key: String,
    request_hash: String,
}

impl Keyed {
    /// Reads the header.
    ///
    /// # Errors
    /// 400 without a usable key.
    pub fn read(request: &Request, caller: &Caller) -> Result<Self, Problem> {
        let key = request.header("idempotency-key").map(str::trim).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| Problem::malformed("send an Idempotency-Key header"))?;
        if key.chars().count() > KEY_MAX {
            return Err(Problem::malformed(format!("the Idempotency-Key has more than {KEY_MAX} characters")));
        }
        let mut scope = format!("{} {}", caller.subject, request.route);
        for value in request.parameters.values() {
            scope.push(' ');
            scope.push_str(value);
        }
        Ok(Self { scope, key: key.to_owned(), request_hash: body_hash(&request.body) })
    }

    fn claim<'a>(&'a self, request: &Request, fresh_id: &'a str) -> ClaimRequest<'a> {
        ClaimRequest {
            scope: &self.scope,
            key: &self.key,
            request_hash: &self.request_hash,
            fresh_id,
            now: request.now,
            lease: LEASE,
        }
    }

    /// Claims the key for a fresh id. What an earlier request began and did not finish is taken over under its id.
    ///
    /// # Errors
    /// 422 when the key was used for another body, 409 with `Retry-After` while the first may still be at work.
    pub async fn begin<T: Entity>(&self, table: &Table, request: &Request, fresh_id: &str) -> Result<Go<T>, Problem> {
        let claim = self.claim(request, fresh_id);
        match table.claim(&claim).await? {
            Claim::First(id) => Ok(Go::Make { id, replay: false }),
            Claim::OtherRequest => Err(Problem::refused("the Idempotency-Key was used with another body")),
            Claim::Known { entity: id, running } => match table.load_entity::<T>(&typed::<T>(&id)?, true).await? {
                Some(made) => Ok(Go::Made(made)),
                None if running || !table.take_over(&claim).await? => Err(Problem::still_running()),
                None => Ok(Go::Make { id, replay: true }),
            },
        }
    }

    /// What an earlier request with this key and body made: it is answered again although it would be refused now.
    ///
    /// # Errors
    /// The refusal, when there was no such request.
    pub async fn made_before<T: Entity>(
        &self,
        table: &Table,
        request: &Request,
        refusal: Problem,
    ) -> Result<Stored<T>, Problem> {
        match table.claimed(&self.claim(request, "")).await? {
            Some(Claim::Known { entity, .. }) => {
                table.load_entity::<T>(&typed::<T>(&entity)?, true).await?.ok_or(refusal)
            }
            Some(Claim::First(_) | Claim::OtherRequest) | None => Err(refusal),
        }
    }

    /// Lets a repeat try at once what this request began and could not finish.
    pub async fn give_back(&self, table: &Table, request: &Request) {
        // without it the repeat waits for the lease's end
        if let Err(error) = table.give_back(&self.claim(request, "")).await {
            tracing::warn!(error = %error, "an idempotency key was not given back");
        }
    }
}

/// The id that a claim carries.
fn typed<T: Entity>(id: &str) -> Result<T::Id, Problem> {
    id.parse().map_err(|_| store::StoreError::corrupt(id, "a claim carries no id of this kind").into())
}

/// The hash of what was asked: of the JSON value, so that white space and field order do not make another request.
fn body_hash(body: &[u8]) -> String {
    let canonical = serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string().into_bytes());
    let digest: [u8; 32] = Sha256::digest(canonical.as_deref().unwrap_or(body)).into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
