//! `Idempotency-Key`: the first request makes, a repeat gets the first answer.
//!
//! [`Keyed::create`] is the whole of a route that is marked **K** in API.md: claim the key for a fresh id, make, save, answer.
//! The id is the key's from then on, so whoever dies on the way is followed by a repeat that ends with the same thing.

use domain::Seconds;
use domain::decision::{Decision, Frame};
use domain::entity::{Entity, EntityId as _};
use sha2::{Digest as _, Sha256};
use store::{Claim, ClaimRequest, Home, Saved, Stored, Table};

use crate::auth::Caller;
use crate::http::{Reply, Request};
use crate::problem::{Problem, with_causes};

/// How long the first request may be at work before a repeat takes over: longer than an HTTP function may run.
const LEASE: Seconds = Seconds(30);
/// Longest accepted key, in characters.
const KEY_MAX: usize = 255;

/// What making came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made<T> {
    /// Decided; it is yet to be saved as the first version.
    Decided(Box<Decision<T>>, Frame),
    /// Saved already, together with what must agree with it.
    Saved(T),
}

impl<T> Made<T> {
    /// A decision that is yet to be saved.
    pub fn decided(decision: Decision<T>, frame: Frame) -> Self {
        Self::Decided(Box::new(decision), frame)
    }
}

/// What the key allows.
enum Go<T: Entity> {
    /// Make it under this id: nobody did, or whoever began is gone.
    Make { id: T::Id, replay: bool },
    /// It was made before; this is it.
    Made(Stored<T>),
}

/// A request under its key.
#[derive(Debug, Clone)]
pub struct Keyed<'r> {
    request: &'r Request,
    scope: String,
    key: String,
    request_hash: String,
}

impl<'r> Keyed<'r> {
    /// Reads the header.
    ///
    /// # Errors
    /// 400 without a usable key.
    pub fn read(request: &'r Request, caller: &Caller) -> Result<Self, Problem> {
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
        Ok(Self { request, scope, key: key.to_owned(), request_hash: request_hash(request) })
    }

    /// Makes what was asked for under the key's id and answers it, or answers again what was made before: [`Self::make`], and the
    /// answer.
    ///
    /// # Errors
    /// Those of [`Self::make`].
    pub async fn create<H, T, W>(
        &self,
        home: &H,
        fresh: T::Id,
        wish: Result<W, Problem>,
        make: impl AsyncFnOnce(T::Id, W) -> Result<Made<T>, Problem>,
        answer: impl Fn(&T) -> Reply,
    ) -> Result<Reply, Problem>
    where
        H: Home<T>,
        T: Entity,
    {
        let (entity, replay) = self.make(home, fresh, wish, make).await?;
        let reply = answer(&entity);
        Ok(if replay { reply.replayed() } else { reply })
    }

    /// Makes what was asked for under the key's id; what was made, and whether an earlier request did it.
    ///
    /// `wish` is what was asked for, or why it is refused: a refusal claims nothing, and what was made under the key before is
    /// answered again although it would be refused now. `make` may run again under the same id, after a worker that died or
    /// failed in the middle of it.
    ///
    /// # Errors
    /// The refusal; 422 when the key was used for another body, 409 with `Retry-After` while the first may still be at work;
    /// what `make` fails with, after which a repeat may try at once.
    pub async fn make<H, T, W>(
        &self,
        home: &H,
        fresh: T::Id,
        wish: Result<W, Problem>,
        make: impl AsyncFnOnce(T::Id, W) -> Result<Made<T>, Problem>,
    ) -> Result<(T, bool), Problem>
    where
        H: Home<T>,
        T: Entity,
    {
        let table = home.table();
        let wish = match wish {
            Ok(wish) => wish,
            Err(refusal) => return Ok((self.made_before(table, refusal).await?.entity, true)),
        };
        let (id, replay) = match self.begin::<T>(table, fresh.as_str()).await? {
            Go::Make { id, replay } => (id, replay),
            Go::Made(made) => return Ok((made.entity, true)),
        };
        let made = match make(id.clone(), wish).await {
            Ok(Made::Saved(entity)) => Ok(entity),
            Ok(Made::Decided(decision, frame)) => save(table, &id, *decision, &frame).await,
            Err(problem) => Err(problem),
        };
        match made {
            Ok(entity) => Ok((entity, replay)),
            Err(problem) => {
                self.give_back(table).await;
                Err(problem)
            }
        }
    }

    fn claim<'a>(&'a self, fresh_id: &'a str) -> ClaimRequest<'a> {
        ClaimRequest {
            scope: &self.scope,
            key: &self.key,
            request_hash: &self.request_hash,
            fresh_id,
            now: self.request.now,
            lease: LEASE,
        }
    }

    /// Claims the key for a fresh id. What an earlier request began and did not finish is taken over under its id.
    async fn begin<T: Entity>(&self, table: &Table, fresh_id: &str) -> Result<Go<T>, Problem> {
        let claim = self.claim(fresh_id);
        match table.claim(&claim).await? {
            Claim::First(id) => Ok(Go::Make { id: typed::<T>(&id)?, replay: false }),
            Claim::OtherRequest => Err(Problem::refused("the Idempotency-Key was used with another body")),
            Claim::Known { entity, running } => {
                let id = typed::<T>(&entity)?;
                match table.load_entity::<T>(&id, true).await? {
                    Some(made) => Ok(Go::Made(made)),
                    None if running || !table.take_over(&claim).await? => Err(Problem::still_running()),
                    None => Ok(Go::Make { id, replay: true }),
                }
            }
        }
    }

    /// What an earlier request with this key and body made.
    async fn made_before<T: Entity>(&self, table: &Table, refusal: Problem) -> Result<Stored<T>, Problem> {
        match table.claimed(&self.claim("")).await? {
            Some(Claim::Known { entity, .. }) => {
                table.load_entity::<T>(&typed::<T>(&entity)?, true).await?.ok_or(refusal)
            }
            Some(Claim::First(_) | Claim::OtherRequest) | None => Err(refusal),
        }
    }

    /// Lets a repeat try at once what this request began and could not finish.
    async fn give_back(&self, table: &Table) {
        // without it the repeat waits for the lease's end
        if let Err(error) = table.give_back(&self.claim("")).await {
            tracing::warn!(error = with_causes(&error), "an idempotency key was not given back");
        }
    }
}

/// Saves the first version. The id is this key's alone: what stands under it already was made by this very request, whose
/// answer got lost on its way and which was sent again, or by one that this one follows. Either way it is what was asked for.
async fn save<T: Entity>(table: &Table, id: &T::Id, decision: Decision<T>, frame: &Frame) -> Result<T, Problem> {
    match table.save_entity(None, decision, frame).await? {
        Saved::Applied(stored) => Ok(stored.entity),
        Saved::Conflict => {
            let made = table.load_entity::<T>(id, true).await?;
            Ok(made.ok_or_else(Problem::still_running)?.entity)
        }
    }
}

/// The id that a claim carries.
fn typed<T: Entity>(id: &str) -> Result<T::Id, Problem> {
    id.parse().map_err(|_| store::StoreError::corrupt(id, "a claim carries no id of this kind").into())
}

/// The hash of what was asked: of the JSON value, so that white space and field order do not make another request; and of the query,
/// where there is one.
fn request_hash(request: &Request) -> String {
    let canonical =
        serde_json::from_slice::<serde_json::Value>(&request.body).map(|value| value.to_string().into_bytes());
    let mut hasher = Sha256::new();
    for (name, value) in &request.query {
        hasher.update(format!("{name}={value}\n"));
    }
    hasher.update(canonical.as_deref().unwrap_or(&request.body));
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
