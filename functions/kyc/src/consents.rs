//! `PUT /v1/clients/{client_id}/consents`: what a client agrees to.

use std::sync::Arc;

use domain::ClientId;
use domain::client::Client;
use domain::client::consents::{ClientConsents, ConsentSource, Saying};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Problem, awsclients, step};
use serde_json::{Map, Value, json};
use store::Crm;

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

    const ROUTES: &'static [Route<Self>] =
        &[Route::token("PUT", "/v1/clients/{client_id}/consents", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.says(request))
        })];
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
