//! `POST /v1/lists/{list}/refresh`: has a list fetched at once. What is refused leaves the version before in use and says why.

use std::sync::Arc;
use std::time::Instant;

use runtime::Problem;
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};

use crate::list_status::view;
use crate::lists::{Keeper, Pace, Wanted};

/// The step.
pub struct ListRefresh(Keeper);

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(ListRefresh(Keeper::new(ports)?), ports)
}

impl HttpStep for ListRefresh {
    const NAME: &'static str = "kyc-list-refresh";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/lists/{list}/refresh", &[Role::Admin], Scope::Everybody, |step, request, _| {
            Box::pin(step.refresh(request))
        })];
}

impl ListRefresh {
    async fn refresh(&self, request: &Request) -> Result<Reply, Problem> {
        let pace = Pace::while_waited_for(Instant::now() + request.time_left);
        let code: String = request.id("list")?;
        let rules = self.0.rules().await?;
        let rule = rules.rules.list(&code).ok_or_else(|| Problem::not_found("the rules name no such list"))?;
        let mut frame = request.frame(Self::NAME);
        let (current, _) = self.0.refresh(Wanted::One(&code), pace, &mut frame).await?;
        Ok(Reply::json(200, &view(rule, &current, request.now)))
    }
}
