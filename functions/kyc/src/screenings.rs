//! `POST /v1/screenings`: compliance looks for somebody on the lists. Nothing of it is kept.

use std::sync::Arc;

use domain::Redacted;
use domain::input::Fault;
use domain::kyc::inquiry::{Inquiry, PartyKind};
use domain::kyc::rules::ScreeningRules;
use runtime::Problem;
use runtime::auth::Role;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::rulebook::RuleBook;
use screening::matching::query::{Query, QueryKind};
use serde_json::{Value, json};

use crate::lists::index::Lists;
use crate::lists::search::{Match, NameError, country, search};

/// Who looks for people on lists.
const ROLES: &[Role] = &[Role::Compliance, Role::Admin];

/// The step.
pub struct Screenings {
    rules: RuleBook,
    lists: Lists,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Screenings { rules: RuleBook::new(ports)?, lists: Lists::new(ports)? }, ports)
}

impl HttpStep for Screenings {
    const NAME: &'static str = "kyc-screenings";

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("POST", "/v1/screenings", ROLES, Scope::Everybody, |step, request, _| {
            Box::pin(step.screen(request))
        })];
}

impl Screenings {
    async fn screen(&self, request: &Request) -> Result<Reply, Problem> {
        let inquiry = Inquiry::read(&request.json()?, request.now).map_err(Problem::input)?;
        let rules = self.rules.live::<ScreeningRules>().await?;
        let loaded = self.lists.ready(&rules.rules, request.now).await.map_err(|error| {
            tracing::error!(correlation_id = %request.correlation_id, error = %error, "nobody can be screened");
            Problem::unavailable("the lists cannot be asked now, so nobody was screened")
        })?;
        let matches =
            search(&loaded, &rules.rules, &[query(&inquiry)]).map_err(|error| Problem::input(vec![fault(error)]))?;
        let hits: Vec<Value> = matches.iter().map(hit).collect();
        Ok(Reply::json(200, &json!({"list_version": loaded.version, "hits": hits})))
    }
}

fn fault(error: NameError) -> Fault {
    let code = match error {
        NameError::Blank => "empty",
        NameError::TooLong => "too_long",
    };
    Fault::new("/full_name", code, error.to_string())
}

fn query(inquiry: &Inquiry) -> Query {
    Query {
        name: inquiry.full_name.reveal().clone(),
        kind: inquiry.kind.map(|kind| match kind {
            PartyKind::Person => QueryKind::Person,
            PartyKind::Organisation => QueryKind::Organisation,
        }),
        birth: inquiry.date_of_birth.as_ref().map(Redacted::reveal).and_then(|born| born.parse().ok()),
        countries: [inquiry.nationality, inquiry.residence].into_iter().flatten().filter_map(country).collect(),
        ..Query::default()
    }
}

fn hit(found: &Match) -> Value {
    let hit = &found.hit;
    json!({
        "entity_id": hit.entity_id, "list": hit.list, "name": hit.name, "score": rounded(hit.score),
        "name_score": rounded(hit.name_score), "date_of_birth": hit.date_of_birth, "country": hit.country, "why": hit.why,
    })
}

/// Four digits: what follows is the noise of the engine's numbers.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}
