//! `/v1/replays`: what happened is done again, for real or as a dry run, and then is shown beside now.

mod show;

use std::sync::Arc;

use domain::ReplayId;
use domain::input::Fault;
use domain::replay::{EXECUTIONS_MAX, Replay, Wanted, Wish};
use runtime::auth::Role;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::{Caller, Problem, awsclients};
use serde_json::{Value, json};
use store::{Crm, Journal};

use crate::replay::{Then, names, wanted};

/// Who may have something done again.
pub(crate) const ROLES: &[Role] = &[Role::Support, Role::Admin];

/// The step.
pub struct Replays {
    crm: Crm,
    journal: Journal,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let (crm, journal) = (awsclients::crm(ports)?, awsclients::journal(ports)?);
    HttpFunction::build(Replays { crm, journal, entropy: ports.entropy.clone() }, ports)
}

impl HttpStep for Replays {
    const NAME: &'static str = "ops-replays";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("POST", "/v1/replays", ROLES, Scope::Everybody, |step, request, caller| {
            Box::pin(step.request(request, caller))
        }),
        Route::token("GET", "/v1/replays/{replay_id}", ROLES, Scope::Everybody, |step, request, _| {
            Box::pin(step.show(request))
        }),
    ];
}

impl Replays {
    async fn request(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let wish = self.wish(&body).await;
        let fresh = ReplayId::from_bits(self.entropy.id_bits());
        let make = async |id, wish: Wish| {
            let decision = Replay::requested(id, wish, &caller.subject, request.now);
            Ok(Made::decided(decision, request.frame(Self::NAME)))
        };
        let answer = |replay: &Replay| Reply::json(202, &json!({"replay_id": replay.id}));
        keyed.create(&self.crm, fresh, wish, make, answer).await
    }

    /// What is wanted, if it can be had.
    async fn wish(&self, body: &Value) -> Result<Wish, Problem> {
        let wish = Wish::read(body, &names()).map_err(Problem::input)?;
        let refused = |pointer: &str, code, message: String| Problem::input(vec![Fault::new(pointer, code, message)]);
        let places = wanted(&self.journal, &wish.wanted, EXECUTIONS_MAX).await?;
        if places.len() > EXECUTIONS_MAX {
            let message = format!("has more than {EXECUTIONS_MAX} executions: shorten it, or filter");
            return Err(refused("", "too_many_executions", message));
        }
        let is_there = match (&wish.wanted, places.first()) {
            (Wanted::Range(_), _) => true,
            (Wanted::One { .. }, Some(place)) => Then::find(&self.journal, place).await?.is_some(),
            (Wanted::One { .. }, None) => false,
        };
        if !is_there {
            let message = "is no execution_id of an entry of the journal".to_owned();
            return Err(refused("/execution_id", "unknown_execution", message));
        }
        Ok(wish)
    }
}
