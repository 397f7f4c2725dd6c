//! `/v1/unsubscribe/{token}` and `POST /v1/webhooks/messaging/{vendor}`: what readers and vendors answer. Looking at the page of a link
//! changes nothing, for scanners of mail do that, too.

use std::sync::Arc;

use domain::client::Client;
use domain::client::consents::{ConsentChannel, ConsentSource, Saying};
use domain::journey::rules::{Channel, Journeys};
use domain::journey::suppression::{Report, Reported, Suppression};
use domain::lead::rules::LeadScoring;
use domain::lead::{Consent, Consents, ContactChannel, Lead};
use domain::{ClientId, LeadId};
use providers::notify::sns::{self, Envelope, MailEvent, Sns, SnsError};
use providers::notify::twilio::{self, Told};
use providers::notify::unsubscribe;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, WEBHOOK_BYTES_MAX};
use runtime::rulebook::{Live, RuleBook};
use runtime::secrets::Secrets;
use runtime::{Problem, StepError, awsclients, step};
use store::Crm;

use crate::sending::account;

/// The longest body of a click.
const CLICK_BYTES_MAX: usize = 4 * 1_024;
/// Twilio reads this as: no answer.
const NO_ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// The step.
pub struct Inbound {
    crm: Crm,
    rules: RuleBook,
    secrets: Secrets,
    sns: Sns,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Inbound {
        crm: awsclients::crm(ports)?,
        rules: RuleBook::new(ports)?,
        secrets: Secrets::new(ports),
        sns: Sns::new(ports.transport.clone()),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Inbound {
    const NAME: &'static str = "retention-inbound";
    const ROUTES: &'static [Route<Self>] = &[
        Route::signed("GET", "/v1/unsubscribe/{token}", CLICK_BYTES_MAX, |step, request| Box::pin(step.look(request))),
        Route::signed("POST", "/v1/unsubscribe/{token}", CLICK_BYTES_MAX, |step, request| {
            Box::pin(step.unsubscribe(request))
        }),
        Route::signed("POST", "/v1/webhooks/messaging/{vendor}", WEBHOOK_BYTES_MAX, |step, request| {
            Box::pin(step.hear(request))
        }),
    ];
}

/// Who unsubscribes.
enum Who {
    Client(ClientId),
    Lead(LeadId),
}

fn unknown() -> Problem {
    Problem::not_found("there is no such link")
}

fn page(title: &str, text: &str, form: &str) -> Reply {
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>{title}</h1><p>{text}</p>{form}</body></html>"
    );
    let headers = [("content-type".to_owned(), "text/html; charset=utf-8".to_owned())].into();
    Reply { status: 200, headers, body }
}

impl Inbound {
    /// The reader of a link, and the channel that it is about.
    async fn opened(&self, request: &Request, rules: &Journeys) -> Result<(Who, Channel), Problem> {
        let token = request.parameters.get("token").map(String::as_str).unwrap_or_default();
        let secret = self.secrets.get(&rules.unsubscribe_secret).await?;
        let (reader, channel) = unsubscribe::opened(&secret, token).ok_or_else(unknown)?;
        let channel: Channel = channel.parse().map_err(|_| unknown())?;
        if let Ok(id) = reader.parse::<ClientId>() {
            let found = self.crm.load::<Client>(&id).await?;
            return found.map(|_| (Who::Client(id), channel)).ok_or_else(unknown);
        }
        let id: LeadId = reader.parse().map_err(|_| unknown())?;
        let found = self.crm.load::<Lead>(&id).await?;
        found.map(|_| (Who::Lead(id), channel)).ok_or_else(unknown)
    }

    async fn look(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<Journeys>().await?;
        self.opened(request, &live.rules).await?;
        let form = "<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
                    <button type=\"submit\">Unsubscribe</button></form>";
        Ok(page(
            "Unsubscribe",
            "Nothing has changed yet. Press the button and we write no more of these messages.",
            form,
        ))
    }

    async fn unsubscribe(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<Journeys>().await?;
        let (who, channel) = self.opened(request, &live.rules).await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let now = request.now;
        match (who, channel) {
            (Who::Client(id), Channel::Email | Channel::Sms) => {
                let own = if channel == Channel::Email { ConsentChannel::Email } else { ConsentChannel::Sms };
                let no = Saying::no_to(own);
                step::change(&self.crm, &id, &mut frame, |client: &Client| client.says(&no, ConsentSource::Link, now))
                    .await?;
            }
            (Who::Lead(id), Channel::Email | Channel::Sms) => {
                let own = if channel == Channel::Email { ContactChannel::Email } else { ContactChannel::Sms };
                let mut no = Consents::default();
                no.set(own, Consent { given: false, at: now, wording: None });
                let scoring = self.rules.live::<LeadScoring>().await?;
                frame.used(scoring.label());
                let mut broken = None;
                let decide = |lead: &Lead| lead.consented(&no, &scoring.rules, now);
                step::change(&self.crm, &id, &mut frame, step::judged(&mut broken, decide)).await?;
                if let Some(error) = broken {
                    return Err(StepError::Rules { set: "lead_scoring", what: error.to_string() }.into());
                }
            }
            (_, Channel::InApp) => return Err(unknown()),
        }
        Ok(page(
            "Unsubscribed",
            "We write no more of these messages. What concerns your account you still hear of.",
            "",
        ))
    }

    async fn hear(&self, request: &Request) -> Result<Reply, Problem> {
        let live = self.rules.live::<Journeys>().await?;
        match request.parameters.get("vendor").map(String::as_str) {
            Some("twilio") => self.twilio(request, &live).await,
            Some("ses") => self.ses(request, &live).await,
            _ => Err(Problem::not_found("there is no such vendor of messages")),
        }
    }

    async fn twilio(&self, request: &Request, live: &Live<Journeys>) -> Result<Reply, Problem> {
        let sms = &live.rules.sms;
        let account = account(&self.secrets, &live.rules).await?;
        if !account.signed(&sms.callback_url, &request.body, request.header("x-twilio-signature")) {
            // it may have been rotated
            self.secrets.forget(&sms.secret);
            tracing::warn!(vendor = "twilio", "the signature of a message was not accepted");
            return Err(Problem::unauthorized("the signature is missing or not accepted"));
        }
        let (number, report, name) = match twilio::told(&twilio::form(&request.body)) {
            Told::Wants { number, more: true, name } => (number, Report::OptedIn, name),
            Told::Wants { number, more: false, name } => (number, Report::OptedOut, name),
            Told::Undeliverable { number, name } => (number, Report::BouncedForNow, name),
            Told::Nothing => return Ok(no_answer()),
        };
        let reported = Reported { report, at: request.now, name };
        self.note(Channel::Sms, &number, &reported, request, live).await?;
        Ok(no_answer())
    }

    async fn ses(&self, request: &Request, live: &Live<Journeys>) -> Result<Reply, Problem> {
        // the vendor sends JSON as text
        let own = match Envelope::read(&request.body) {
            Ok(own) => own,
            // whoever cannot write such a message cannot sign one
            Err(_) => return Err(Problem::unauthorized("the signature is missing or not accepted")),
        };
        let rules = &live.rules;
        let base = &rules.mail_certificates;
        if !rules.mail_topics.iter().any(|topic| topic == own.topic()) {
            return Err(Problem::unauthorized("this topic is not ours"));
        }
        self.sns.check(&own, base).await.map_err(of_sns)?;
        match own.told() {
            sns::Told::Confirm(url) => self.sns.confirm(&url, base).await.map_err(of_sns)?,
            sns::Told::Reports(reports) => {
                for own in reports {
                    let report = match own.what {
                        MailEvent::Bounced => Report::Bounced,
                        MailEvent::BouncedForNow => Report::BouncedForNow,
                        MailEvent::Complained => Report::Complained,
                    };
                    let reported = Reported { report, at: own.at, name: own.name };
                    self.note(Channel::Email, &own.address, &reported, request, live).await?;
                }
            }
        }
        Ok(Reply::json(200, &serde_json::json!({"status": "ok"})))
    }

    /// What is reported of an address.
    async fn note(
        &self,
        channel: Channel,
        address: &str,
        reported: &Reported,
        request: &Request,
        live: &Live<Journeys>,
    ) -> Result<(), Problem> {
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        let id = Suppression::id_of(channel, address);
        let most = live.rules.soft_bounces;
        let begun = || Suppression::begun(channel, address);
        step::change_or_begin(&self.crm, &id, begun, &frame, |own: &Suppression| own.hears(reported, most)).await?;
        Ok(())
    }
}

fn of_sns(error: SnsError) -> Problem {
    tracing::warn!(vendor = "ses", %error, "a message was not believed");
    match error {
        SnsError::Forged(_) => Problem::unauthorized("the signature is missing or not accepted"),
        SnsError::NotNow(_) => Problem::unavailable("the signature cannot be checked now"),
    }
}

fn no_answer() -> Reply {
    let headers = [("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())].into();
    Reply { status: 200, headers, body: NO_ANSWER.to_owned() }
}
