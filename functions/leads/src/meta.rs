//! `GET, POST /v1/webhooks/leads/meta`: Meta proves that the subscription is ours, and announces leads.

use std::sync::Arc;

use domain::lead::announced;
use domain::lead::rules::LeadIntake;
use providers::leads::meta::{self, MetaSecret, WebhookError};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, WEBHOOK_BYTES_MAX};
use runtime::rulebook::RuleBook;
use runtime::secrets::Secrets;
use runtime::{Problem, StepError, awsclients};
use secrecy::ExposeSecret as _;
use serde_json::json;
use store::Crm;
use subtle::ConstantTimeEq as _;

/// The step.
pub struct Webhook {
    crm: Crm,
    rules: RuleBook,
    secrets: Secrets,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Webhook { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)?, secrets: Secrets::new(ports) };
    HttpFunction::build(step, ports)
}

impl HttpStep for Webhook {
    const NAME: &'static str = "leads-meta";
    const ROUTES: &'static [Route<Self>] = &[
        Route::signed("GET", "/v1/webhooks/leads/meta", WEBHOOK_BYTES_MAX, |step, request| {
            Box::pin(async move { challenge(request, &step.secret().await?) })
        }),
        Route::signed("POST", "/v1/webhooks/leads/meta", WEBHOOK_BYTES_MAX, |step, request| {
            Box::pin(step.receive(request))
        }),
    ];
}

/// The secret of the rule set, read; shared with the function that fetches leads.
pub(crate) async fn secret_of(rules: &RuleBook, secrets: &Secrets) -> Result<Option<MetaSecret>, StepError> {
    let live = rules.live::<LeadIntake>().await?;
    let Some(rule) = &live.rules.meta else { return Ok(None) };
    let text = secrets.get(&rule.secret).await?;
    // the cause would quote the secret
    let what = || "its secret must be {\"app_secret\", \"verify_token\", \"page_token\"}".to_owned();
    let read = serde_json::from_str(text.expose_secret()).ok().filter(MetaSecret::is_whole);
    read.map(Some).ok_or_else(|| StepError::Rules { set: "lead_intake", what: what() })
}

impl Webhook {
    async fn secret(&self) -> Result<MetaSecret, Problem> {
        let secret = secret_of(&self.rules, &self.secrets).await?;
        secret.ok_or_else(|| Problem::not_found("there is no such ad platform"))
    }

    /// Everything is announced before Meta gets its answer: what it did not hear back about, it sends again.
    async fn receive(&self, request: &Request) -> Result<Reply, Problem> {
        let secret = self.secret().await?;
        let refused = |error: WebhookError| match error {
            WebhookError::BadSignature(reason) => {
                tracing::warn!(reason, "webhook signature was not accepted");
                Problem::unauthorized("the signature is missing or not accepted")
            }
            WebhookError::Malformed(what) => Problem::malformed(what),
        };
        meta::check(&request.headers, &request.body, &secret.app_secret).map_err(refused)?;
        let said = meta::announced(&request.body, request.now).map_err(refused)?;
        if said.unusable > 0 {
            tracing::warn!(entries = said.unusable, "a webhook announces leads without ids: they cannot be fetched");
        }
        let mut new = 0_usize;
        for lead in said.leads {
            let mut frame = request.frame(Self::NAME);
            frame.trigger = format!("meta {}", lead.leadgen_id);
            let saved = self.crm.save(None, announced(lead, request.now), &frame).await?;
            new += usize::from(matches!(saved, store::Saved::Applied(_)));
        }
        let mut answer = json!({"status": "ok", "new": new});
        if let (Some(answer), true) = (answer.as_object_mut(), said.unusable > 0) {
            answer.insert("unusable".to_owned(), json!(said.unusable));
        }
        Ok(Reply::json(200, &answer))
    }
}

/// The challenge comes back as it is, if the token is ours.
fn challenge(request: &Request, secret: &MetaSecret) -> Result<Reply, Problem> {
    let asked = |name: &str| request.query.get(name).map(String::as_str).unwrap_or_default();
    let ours = secret.verify_token.expose_secret().as_bytes();
    let same = bool::from(asked("hub.verify_token").as_bytes().ct_eq(ours));
    if asked("hub.mode") != "subscribe" || !same {
        return Err(Problem::forbidden("the verify token is not ours"));
    }
    let headers = [("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())].into();
    Ok(Reply { status: 200, headers, body: asked("hub.challenge").to_owned() })
}
