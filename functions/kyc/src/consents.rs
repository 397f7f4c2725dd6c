//! `PUT /v1/clients/{client_id}/consents` and `…/appropriateness`: what a client agrees to, and whether he understands what he would be offered.

use std::sync::Arc;

use domain::ClientId;
use domain::client::Client;
use domain::client::appropriateness::AppropriatenessTest;
use domain::client::consents::{ClientConsents, ConsentSource, Saying};
use runtime::auth::{PORTAL, Role};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Problem, awsclients, step};
use serde_json::{Map, Value, json};
use store::Crm;

/// Who says that a client took a test: the portal that gave it to him, or a person who did.
const TESTERS: &[Role] = &[Role::Portal, Role::Compliance, Role::Admin];

/// The step.
pub struct Consents {
    crm: Crm,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Consents { crm: awsclients::crm(ports)? }, ports)
}

impl HttpStep for Consents {
    const NAME: &'static str = "kyc-consents";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("PUT", "/v1/clients/{client_id}/consents", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.says(request))
        }),
        Route::token(
            "PUT",
            "/v1/clients/{client_id}/appropriateness",
            TESTERS,
            Scope::OneClient,
            |step, request, _| Box::pin(step.took(request)),
        ),
    ];
}

impl Consents {
    async fn says(&self, request: &Request) -> Result<Reply, Problem> {
        let id: ClientId = request.id("client_id")?;
        let saying = Saying::read(&request.json()?).map_err(Problem::input)?;
        let mut frame = request.frame(Self::NAME);
        let says = |client: &Client| client.says(&saying, ConsentSource::Portal, request.now);
        let client = step::change(&self.crm, &id, &mut frame, says).await?.stored().entity.clone();
        Ok(Reply::json(200, &view(&client.facts.consents)))
    }

    /// The answer is what counts, which may be a later test.
    async fn took(&self, request: &Request) -> Result<Reply, Problem> {
        let id: ClientId = request.id("client_id")?;
        let test = AppropriatenessTest::read(&request.json()?, request.now).map_err(Problem::input)?;
        let mut frame = request.frame(Self::NAME);
        let client = step::change(&self.crm, &id, &mut frame, |client: &Client| client.took(&test)).await?;
        let client = &client.stored().entity;
        let taken_at = client.facts.appropriateness.as_ref().map(|test| test.taken_at);
        Ok(Reply::json(200, &json!({"appropriateness": client.appropriateness(), "taken_at": taken_at})))
    }
}

/// What holds now, and since when.
fn view(consents: &ClientConsents) -> Value {
    let channels = consents.channels.iter().map(|(channel, said)| (channel.as_str().to_owned(), json!(said.given)));
    let topics = consents.topics.iter().map(|(topic, said)| (topic.as_str().to_owned(), json!(said.given)));
    let newest = consents.channels.values().chain(consents.topics.values()).map(|said| said.at).max();
    let mut view: Map<String, Value> = channels.collect();
    view.insert("topics".to_owned(), Value::Object(topics.collect()));
    view.insert("changed_at".to_owned(), json!(newest));
    Value::Object(view)
}
