//! `POST /v1/webhooks/psp/{psp}`: what a payment provider says. Two round trips, one read and one conditional write;
//! a third to the provider where its signature does not cover what it says.

use std::sync::Arc;

use domain::decision::{Decision, Frame};
use domain::fault::{self, Fault};
use domain::partner::payout::PartnerPayout;
use domain::payment::rules::{PspRule, Psps};
use domain::payment::{Deposit, Heard, PspReport, StrayReport, Unconfirmed, confirm};
use domain::withdrawal::Withdrawal;
use domain::withdrawal::rules::Withdrawals;
use domain::{PaymentId, PayoutId};
use providers::psp::{Psp, WebhookAnswer, WebhookError};
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, WEBHOOK_BYTES_MAX};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Disposition, Done};
use runtime::vendors::PaymentProviders;
use runtime::{Problem, StepError, awsclients};
use store::{MoneyTable, PartnersTable};

use crate::collecting::collected;

/// The step.
pub struct Webhook {
    money: MoneyTable,
    partners: PartnersTable,
    providers: PaymentProviders,
    rules: RuleBook,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step = Webhook {
        money: awsclients::money(ports)?,
        partners: awsclients::partners(ports)?,
        providers: PaymentProviders::new(ports, rules.clone()),
        rules,
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Webhook {
    const NAME: &'static str = "payments-webhook";
    const ROUTES: &'static [Route<Self>] = &[
        delivery("/v1/webhooks/psp/stripe"),
        delivery("/v1/webhooks/psp/praxis"),
        delivery("/v1/webhooks/psp/skrill"),
        delivery("/v1/webhooks/psp/coinspaid"),
        delivery("/v1/webhooks/psp/adyen"),
        delivery("/v1/webhooks/psp/checkout"),
        delivery("/v1/webhooks/psp/nuvei"),
        delivery("/v1/webhooks/psp/paysafe"),
        delivery("/v1/webhooks/psp/{psp}"),
    ];
}

/// A vendor with a path of its own has a limit of its own at the gateway; all other names share one.
const fn delivery(path: &'static str) -> Route<Webhook> {
    Route::signed("POST", path, WEBHOOK_BYTES_MAX, |step, request| Box::pin(step.receive(request)))
}

/// The provider that the address names.
fn name_in(request: &Request) -> &str {
    let own_path = || request.route.rsplit('/').next().unwrap_or_default();
    request.parameters.get("psp").map_or_else(own_path, String::as_str)
}

/// The frame of what a statement sets off.
fn frame_of(report: &PspReport, request: &Request, live: &Live<Psps>) -> Frame {
    let mut frame = request.frame(Webhook::NAME);
    frame.trigger = format!("{} {}", report.psp, report.event_id);
    frame.used(live.label());
    frame
}

impl Webhook {
    async fn receive(&self, request: &Request) -> Result<Reply, Problem> {
        let name = name_in(request);
        let live = self.providers.rules().await?;
        let rule = live.rules.psp(name).ok_or_else(|| Problem::not_found("there is no such payment provider"))?;
        let psp = self.providers.adapter(rule).await?;
        let report = match psp.read_webhook(&request.headers, &request.body, request.now) {
            Ok(report) => report,
            Err(error) => return Ok(refuse(&error, name, psp.as_ref(), request)),
        };
        if report.is_about_payout() {
            return self.answered(self.payout(report, psp.as_ref(), request, &live).await, name, psp.as_ref(), request);
        }
        let done = match confirmed(report, psp.as_ref(), rule).await {
            Heard::Now(report) => self.apply(report, psp.as_ref(), request, &live).await,
            Heard::Denied(report) => self.keep(report, rule, request, &live).await.map(|()| WebhookAnswer::Accepted),
            Heard::NotKnown(report) => self.keep(report, rule, request, &live).await.and(Err(NOT_KNOWN_YET)),
        };
        self.answered(done, name, psp.as_ref(), request)
    }

    fn answered(
        &self,
        done: Result<WebhookAnswer, StepError>,
        name: &str,
        psp: &dyn Psp,
        request: &Request,
    ) -> Result<Reply, Problem> {
        match done {
            Ok(answer) => Ok(reply(psp, answer, request)),
            Err(StepError::Store(_)) if fault::is_back(Fault::AcknowledgedUnsaved) => {
                Ok(reply(psp, WebhookAnswer::Accepted, request))
            }
            Err(error) => {
                let answer = match error.disposition() {
                    Disposition::Retry | Disposition::RetrySoon | Disposition::At(_) => WebhookAnswer::TryAgain,
                    Disposition::Park => WebhookAnswer::Malformed,
                };
                tracing::warn!(psp = name, "webhook was not taken");
                let vendor = reply(psp, answer, request);
                Ok(in_the_vendors_form(vendor, &Problem::from(error), request))
            }
        }
    }

    /// What is said about money that goes out. What the signature does not cover is asked for by the worker that pays out.
    async fn payout(
        &self,
        report: PspReport,
        psp: &dyn Psp,
        request: &Request,
        live: &Live<Psps>,
    ) -> Result<WebhookAnswer, StepError> {
        let mut frame = frame_of(&report, request, live);
        let Some(id) = &report.payment_id else {
            return Ok(WebhookAnswer::Ignored("it names no withdrawal of ours"));
        };
        let rules = self.rules.live::<Withdrawals>().await?;
        frame.used(rules.label());
        let (now, limits, proven) = (request.now, rules.rules.payout_limits(), psp.webhook_proves_status());
        let decide = |own: &Withdrawal| match proven {
            true => own.hear(&report, limits, now),
            false => own.to_be_asked(now),
        };
        match step::change(&self.money, id, &mut frame, decide).await {
            Ok(Done::Changed { .. }) => Ok(WebhookAnswer::Accepted),
            Ok(Done::Unchanged { reason, .. }) => Ok(WebhookAnswer::Ignored(reason)),
            Err(StepError::Absent(_)) => self.to_partner(&report, id, proven, &mut frame).await,
            Err(error) => Err(error),
        }
    }

    /// What is said about a payout to a partner, whose number at the provider is one of ours, too. The worker that pays partners carries it out.
    async fn to_partner(
        &self,
        report: &PspReport,
        number: &PaymentId,
        proven: bool,
        frame: &mut Frame,
    ) -> Result<WebhookAnswer, StepError> {
        let (id, now) = (PayoutId::from_provider(number), frame.now);
        let hear = |own: &PartnerPayout| own.heard(report, proven, now);
        Ok(match step::change(&self.partners, &id, frame, hear).await? {
            Done::Changed { .. } => WebhookAnswer::Accepted,
            Done::Unchanged { reason, .. } => WebhookAnswer::Ignored(reason),
        })
    }

    async fn apply(
        &self,
        report: PspReport,
        psp: &dyn Psp,
        request: &Request,
        live: &Live<Psps>,
    ) -> Result<WebhookAnswer, StepError> {
        let report = collected(report, psp, &self.money).await?;
        let mut frame = frame_of(&report, request, live);
        let Some(payment) = self.payment_of(&report, psp).await? else { return self.stray(report, &mut frame).await };
        let now = request.now;
        let decide = |deposit: &Deposit| deposit.hear(&report, &live.rules, now);
        match step::change(&self.money, &payment, &mut frame, decide).await {
            Ok(Done::Changed { .. }) => Ok(WebhookAnswer::Accepted),
            Ok(Done::Unchanged { reason, .. }) => Ok(WebhookAnswer::Ignored(reason)),
            Err(StepError::Absent(_)) => {
                self.stray(PspReport { payment_id: Some(payment), ..report }, &mut frame).await
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps a statement of moved money that its provider does not confirm. It may never come again, and the provider may never
    /// confirm it: what is kept is looked at in its own time ([`crate::overdue`]).
    async fn keep(
        &self,
        report: PspReport,
        rule: &PspRule,
        request: &Request,
        live: &Live<Psps>,
    ) -> Result<(), StepError> {
        if !report.moves_money() {
            return Ok(());
        }
        let frame = frame_of(&report, request, live);
        let kept = StrayReport::unconfirmed(report, request.now.plus(rule.confirm_limit));
        step::create(&self.money, kept, &frame).await?;
        Ok(())
    }

    /// Which payment of ours it is about. A statement about moved money that names only the provider's own id, as
    /// Stripe's disputes do, is asked about there: no index has to be kept for what is so rare.
    async fn payment_of(&self, report: &PspReport, psp: &dyn Psp) -> Result<Option<PaymentId>, StepError> {
        match &report.payment_id {
            Some(payment) => Ok(Some(payment.clone())),
            None if report.moves_money() && !report.reference.is_empty() => {
                Ok(psp.payment_of(&report.reference).await?)
            }
            None => Ok(None),
        }
    }

    /// Money for which no payment of ours is there. What names one may have come before its record was saved: the provider is asked
    /// to send it again, and it is kept in case that the provider does not. Anything else goes to a person, and what moves no money
    /// concerns nobody.
    async fn stray(&self, report: PspReport, frame: &mut Frame) -> Result<WebhookAnswer, StepError> {
        let Some(decision) = StrayReport::of(report.clone(), frame.now) else {
            return Ok(WebhookAnswer::Ignored("it is about no payment of ours"));
        };
        let mut id = decision.next.id.clone();
        if let Some(taken) = self.keep_stray(decision, frame).await? {
            return taken_or_again(taken);
        }
        let first = self.money.load::<StrayReport>(&id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        // another payment at the provider that names the same payment of ours is money of its own
        let other = Some(first).filter(|first| !first.entity.is_of(&report.reference));
        if let Some(decision) = other.and_then(|_| StrayReport::beside(report.clone(), frame.now)) {
            id = decision.next.id.clone();
            if let Some(taken) = self.keep_stray(decision, frame).await? {
                return taken_or_again(taken);
            }
        }
        let done = step::change(&self.money, &id, frame, |stray: &StrayReport| stray.named_again(&report)).await?;
        match done.stored().entity.is_taken() {
            true => Ok(WebhookAnswer::Ignored("somebody has it already")),
            false => Err(NOT_SAVED_YET),
        }
    }

    /// Saves stray money, and says whether somebody has it; `None` if there is some under its id already.
    async fn keep_stray(&self, decision: Decision<StrayReport>, frame: &Frame) -> Result<Option<bool>, StepError> {
        let taken = decision.next.is_taken();
        Ok(step::create(&self.money, decision, frame).await?.then_some(taken))
    }
}

fn taken_or_again(taken: bool) -> Result<WebhookAnswer, StepError> {
    if taken { Ok(WebhookAnswer::Accepted) } else { Err(NOT_SAVED_YET) }
}

const NOT_KNOWN_YET: StepError = StepError::Busy("the provider, asked, does not know of it yet");

const NOT_SAVED_YET: StepError = StepError::Busy("the payment that it names is not saved yet");

/// The statement as far as it is proven: what its signature does not cover is asked for.
async fn confirmed(report: PspReport, psp: &dyn Psp, rule: &PspRule) -> Heard {
    let (true, Some(payment)) = (!psp.webhook_proves_status() && confirm::decides(&report), &report.payment_id) else {
        return Heard::Now(report);
    };
    // a message of the former rule can be cut anew from another: nothing of it is believed
    let unconfirmed = if rule.legacy_signature { Unconfirmed::Wait } else { rule.unconfirmed_success };
    let known = match psp.look_up(payment, &report.reference).await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(psp = rule.name, payment.id = %payment, todo = ?error.disposition(),
                "a webhook could not be confirmed");
            match unconfirmed {
                Unconfirmed::Wait => return Heard::NotKnown(report),
                Unconfirmed::Believe => None,
            }
        }
    };
    let (payment, kind) = (payment.clone(), report.kind.clone());
    let heard = confirm::confirmed(report, known, unconfirmed);
    match &heard {
        Heard::Now(heard) if heard.kind == kind => {}
        Heard::Now(heard) => {
            tracing::warn!(psp = rule.name, payment.id = %payment, told = kind, known = heard.kind,
                "the provider says otherwise than its webhook");
        }
        Heard::Denied(_) | Heard::NotKnown(_) => {
            tracing::warn!(psp = rule.name, payment.id = %payment, told = kind,
                "the provider does not confirm its webhook, which is kept");
        }
    }
    heard
}

fn refuse(error: &WebhookError, name: &str, psp: &dyn Psp, request: &Request) -> Reply {
    match error {
        WebhookError::BadSignature(reason) => tracing::warn!(psp = name, reason, "webhook signature was not accepted"),
        WebhookError::Malformed { faults } => {
            tracing::warn!(psp = name, faults = faults.len(), "webhook cannot be read")
        }
    }
    let problem = match error {
        WebhookError::BadSignature(_) => Problem::unauthorized("the signature is missing or not accepted"),
        WebhookError::Malformed { faults } => Problem { status: 400, ..Problem::input(faults.clone()) },
    };
    in_the_vendors_form(reply(psp, error.answer(), request), &problem, request)
}

/// The vendor's own form of refusal where it has one (Praxis's is signed), our whole problem document where it answers with one.
fn in_the_vendors_form(vendor: Reply, problem: &Problem, request: &Request) -> Reply {
    let is_problem = vendor.headers.get("content-type").is_some_and(|form| form == "application/problem+json");
    if is_problem { problem.reply(&request.correlation_id) } else { vendor }
}

fn reply(psp: &dyn Psp, answer: WebhookAnswer, request: &Request) -> Reply {
    let response = psp.answer(answer, request.now);
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned())))
        .collect();
    Reply { status: response.status().as_u16(), headers, body: String::from_utf8_lossy(response.body()).into_owned() }
}
