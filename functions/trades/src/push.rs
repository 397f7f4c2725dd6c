//! `POST /v1/webhooks/trades/{platform}`: a bridge pushes deals. One bad deal does not stop the others.

use std::sync::Arc;

use domain::account::rules::Platform;
use domain::input::{Fault, Reader};
use domain::trade::rules::TradingRules;
use domain::trade::{Deal, DealFault, Told, pushed};
use providers::platforms::push;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::vendors::Servers;
use runtime::{Problem, awsclients};
use serde_json::{Value, json};

use crate::keep::{Keeper, Taken};

/// A thousand deals with their texts.
const BYTES_MAX: usize = 1024 * 1024;
/// Deals of one message.
const DEALS_MAX: usize = 1_000;

/// The step.
pub struct Push {
    keeper: Keeper,
    rules: RuleBook,
    servers: Servers,
    secrets: Secrets,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let keeper = Keeper { crm: awsclients::crm(ports)?, trades: awsclients::trades(ports)? };
    let servers = Servers::new(ports, rules.clone());
    HttpFunction::build(Push { keeper, rules, servers, secrets: Secrets::new(ports) }, ports)
}

impl HttpStep for Push {
    const NAME: &'static str = "trades-push";
    const ROUTES: &'static [Route<Self>] =
        &[Route::signed("POST", "/v1/webhooks/trades/{platform}", BYTES_MAX, |step, request| {
            Box::pin(step.receive(request))
        })];
}

/// What a message holds.
struct Message {
    server: String,
    deals: Vec<Deal>,
    refused: Vec<(Option<String>, DealFault)>,
}

impl Push {
    async fn receive(&self, request: &Request) -> Result<Reply, Problem> {
        let name = request.parameters.get("platform").map(String::as_str).unwrap_or_default();
        let platform: Platform = name.parse().map_err(|_| Problem::not_found("there is no such trading platform"))?;
        let live = self.rules.live::<TradingRules>().await?;
        let secret = self.secrets.get(&live.rules.push_secret).await?;
        let checked = push::check(&request.headers, &request.body, &secret, live.rules.push_tolerance, request.now);
        if let Err(reason) = checked {
            tracing::warn!(platform = name, reason, "the signature of pushed deals was not accepted");
            return Err(Problem::unauthorized("the signature is missing or not accepted"));
        }
        let told = self.read(platform, request).await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let mut taken = self.keeper.take(&told.server, told.deals, Told::Pushed, &frame).await?;
        taken.refused.extend(told.refused);
        if !taken.refused.is_empty() {
            tracing::warn!(server = told.server, deals = taken.refused.len(), "pushed deals were not taken");
        }
        Ok(Reply::json(200, &answer(&taken)))
    }

    async fn read(&self, platform: Platform, request: &Request) -> Result<Message, Problem> {
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let server = reader.string("server").unwrap_or_default().to_owned();
        let deals = reader.optional_value("deals");
        let list = deals.and_then(Value::as_array);
        match (deals, list) {
            (None, _) => reader.fault_at("deals", "missing", "is required"),
            (Some(_), None) => reader.fault_at("deals", "wrong_type", "must be a list of deals"),
            (_, Some(list)) if list.len() > DEALS_MAX => {
                reader.fault_at("deals", "too_many", format!("must be at most {DEALS_MAX} deals"));
            }
            (Some(_), Some(_)) => {}
        }
        let live = self.servers.rules().await?;
        let of_platform = || live.rules.servers().iter().filter(|known| known.platform == platform);
        if !server.is_empty() && !of_platform().any(|known| known.name == server) {
            let fault = Fault::new("/server", "unknown_server", format!("is no server of {platform}"));
            reader.fault(fault.allowing(of_platform().map(|known| known.name.clone())));
        }
        let faults = reader.finish();
        if !faults.is_empty() {
            return Err(Problem::input(faults));
        }
        let mut told = Message { server, deals: Vec::new(), refused: Vec::new() };
        for value in list.into_iter().flatten() {
            match pushed(value, request.now) {
                Ok(deal) => told.deals.push(deal),
                Err(refused) => told.refused.push(refused),
            }
        }
        Ok(told)
    }
}

fn answer(taken: &Taken) -> Value {
    let refused =
        taken.refused.iter().map(|(deal, fault)| json!({"deal": deal, "code": fault.code, "message": fault.message}));
    json!({"accepted": taken.accepted, "duplicates": taken.duplicates, "refused": refused.collect::<Vec<_>>()})
}
