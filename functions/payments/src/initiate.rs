//! `POST /v1/clients/{client_id}/deposits`: opens a deposit and gives the payer's page.
//!
//! The claim on the idempotency key carries the payment's id, and the provider is asked with that id as its own
//! idempotency key: whoever dies between the two is followed by a repeat that ends with the same payment.

use std::sync::Arc;

use domain::payment::collect::opened;
use domain::payment::rules::Psps;
use domain::payment::{Deposit, DepositRequest, NewDeposit, PspSide};
use domain::{ClientId, PaymentId};
use providers::http::BoxFuture;
use providers::psp::{PspError, SessionOrder};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{Access, HttpFunction, HttpStep, Reply, Request};
use runtime::idempotency::{Go, Keyed};
use runtime::rulebook::{Live, RuleBook};
use runtime::vendors::PaymentProviders;
use runtime::{Caller, Problem, awsclients};
use serde_json::json;
use store::{Crm, Home, MoneyTable, Saved};

use crate::wish;

/// The step.
pub struct Initiate {
    crm: Crm,
    money: MoneyTable,
    providers: PaymentProviders,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Initiate {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        providers: PaymentProviders::new(ports, RuleBook::new(ports)?),
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Initiate {
    const NAME: &'static str = "payments-initiate";

    fn access(&self, _request: &Request) -> Access {
        Access::Token
    }

    fn handle(&self, request: Request, caller: Option<Caller>) -> BoxFuture<'_, Result<Reply, Problem>> {
        Box::pin(async move { self.initiate(&request, caller).await })
    }
}

impl Initiate {
    async fn initiate(&self, request: &Request, caller: Option<Caller>) -> Result<Reply, Problem> {
        let caller = caller.ok_or_else(|| Problem::unauthorized("no token"))?;
        caller.require(PORTAL)?;
        let client_id: ClientId = request.id("client_id")?;
        caller.require_client(&client_id)?;
        let keyed = Keyed::read(request, &caller)?;
        let body = request.json()?;
        let live = self.providers.rules().await?;
        let table = Home::<Deposit>::table(&self.money);
        let wish = match wish::read(&self.crm, &body, &client_id, &live).await {
            Ok(wish) => wish,
            Err(refusal) => {
                return Ok(answer(&keyed.made_before::<Deposit>(table, request, refusal).await?.entity).replayed());
            }
        };
        let fresh = PaymentId::from_bits(self.entropy.id_bits());
        let (id, replay) = match keyed.begin::<Deposit>(table, request, fresh.as_str()).await? {
            Go::Make { id, replay } => (id, replay),
            Go::Made(made) => return Ok(answer(&made.entity).replayed()),
        };
        let id: PaymentId = id.parse().map_err(|_| Problem::not_found("there is no such resource"))?;
        let deposit = match self.open(id, wish, request, &live).await {
            Ok(deposit) => deposit,
            Err(problem) => {
                keyed.give_back(table, request).await;
                return Err(problem);
            }
        };
        Ok(if replay { answer(&deposit).replayed() } else { answer(&deposit) })
    }

    async fn open(
        &self,
        id: PaymentId,
        wish: DepositRequest,
        request: &Request,
        live: &Live<Psps>,
    ) -> Result<Deposit, Problem> {
        let order = SessionOrder {
            payment_id: id.clone(),
            amount: wish.amount,
            return_url: wish.return_url,
            client_reference: wish.client.id.clone(),
            email: wish.client.person.email.clone(),
            language: wish.client.facts.language.clone(),
            country: Some(wish.client.facts.residence),
            now: request.now,
        };
        let session = self.providers.adapter(&wish.psp).await?.open_session(&order).await.map_err(psp_problem)?;
        let deposit = Deposit::open(NewDeposit {
            id,
            client_id: wish.client.id,
            account_id: wish.account.id,
            login: wish.login,
            amount: wish.amount,
            due: request.now.plus(wish.psp.webhook_limit),
            psp: PspSide { name: wish.psp.name, reference: session.reference },
            redirect_url: session.redirect_url,
            now: request.now,
        });
        let mut frame = request.frame(Self::NAME);
        frame.rules = Some(live.label());
        match self.money.save(None, opened(deposit, wish.why), &frame).await? {
            Saved::Applied(stored) => Ok(stored.entity),
            Saved::Conflict => Err(Problem::still_running()),
        }
    }
}

fn answer(deposit: &Deposit) -> Reply {
    // the first answer, whatever has happened to the payment since
    Reply::json(
        201,
        &json!({"payment_id": deposit.id, "status": "pending", "redirect_url": deposit.inner.redirect_url}),
    )
}

fn psp_problem(error: PspError) -> Problem {
    tracing::warn!(error = %error, "payment provider did not open a session");
    match error {
        PspError::Refused { .. } => Problem::refused("the payment provider refuses this payment"),
        PspError::Unavailable(_) | PspError::Unknown(_) | PspError::Misconfigured(_) => {
            Problem::unavailable("the payment provider is not available; try again with the same Idempotency-Key")
        }
    }
}
