//! `GET /v1/lists`: the lists that clients are screened against, as they are used.

use std::sync::Arc;

use domain::Timestamp;
use domain::kyc::rules::ListRule;
use runtime::Problem;
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use serde_json::{Value, json};

use crate::lists::current::Current;
use crate::lists::index::{Lists, ListsError};

/// Who sees how the lists stand.
const ROLES: &[Role] = &[Role::Compliance, Role::Admin];

/// The step.
pub struct ListStatus {
    rules: RuleBook,
    lists: Lists,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(ListStatus { rules: RuleBook::new(ports)?, lists: Lists::new(ports)? }, ports)
}

impl HttpStep for ListStatus {
    const NAME: &'static str = "kyc-list-status";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("GET", "/v1/lists", ROLES, Scope::Everybody, |step, request, _| Box::pin(step.show(request)))];
}

impl ListStatus {
    async fn show(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<domain::kyc::rules::ScreeningRules>().await?;
        let current = match self.lists.as_told().await {
            Ok(current) => current,
            // none was taken yet, and that is what is shown of each
            Err(ListsError::Absent) => Current::default(),
            Err(error) => {
                tracing::error!(correlation_id = %request.correlation_id, error = %error, "the lists are not known");
                return Err(Problem::unavailable("how the lists stand cannot be told now"));
            }
        };
        let (page, next) = request.page_of(live.rules.lists.iter().collect(), |rule: &&ListRule| rule.code.clone())?;
        let items: Vec<Value> = page.into_iter().map(|rule| view(rule, &current, request.now)).collect();
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": next})))
    }
}

/// A list as it is shown. One that was never taken has no version, and is as good as too old: nobody is screened without it.
pub(crate) fn view(rule: &ListRule, current: &Current, now: Timestamp) -> Value {
    let state = current.list(&rule.code);
    let taken = state.and_then(|state| state.taken.as_ref());
    let mut view = json!({
        "list": rule.code, "of": rule.of, "version": taken.map(|taken| &taken.version),
        "entries": taken.map_or(0, |taken| taken.entries), "taken_at": taken.map(|taken| taken.taken_at),
        "stale": current.is_stale(rule, now),
    });
    let Some(object) = view.as_object_mut() else { return view };
    if let Some(published) = taken.and_then(|taken| taken.published.as_ref()) {
        object.insert("published".to_owned(), json!(published));
    }
    if let Some(changes) = taken.and_then(|taken| taken.changes) {
        object.insert("changes".to_owned(), json!(changes));
    }
    if let Some(refused) = state.and_then(|state| state.refused.as_ref()) {
        object.insert("refused".to_owned(), json!({"of": refused.of, "why": refused.why, "at": refused.at}));
    }
    view
}
