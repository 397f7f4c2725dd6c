//! `POST /v1/clients/{client_id}/deposits`: opens a deposit and gives the payer's page.
//!
//! The claim on the idempotency key carries the payment's id, and the provider is asked with that id as its own
//! idempotency key: whoever dies between the two is followed by a repeat that ends with the same payment.

mod session;

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::kyc::levels::Level;
use domain::kyc::rules::KycLevels;
use domain::payment::collect::opened;
use domain::payment::fx::rules::FxRules;
use domain::payment::request::{demo_account, too_many_open};
use domain::payment::rules::Psps;
use domain::payment::{Deposit, DepositRequest, NewDeposit, PspSide};
use domain::{ClientId, PaymentId, Timestamp};
use providers::PSP_CALL_TIMEOUT_S;
use providers::psp::SessionOrder;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::vendors::PaymentProviders;
use runtime::{Caller, Problem, StepError, awsclients, verification};
use serde_json::json;
use store::{Crm, MoneyTable, Stored};

use crate::wish;

/// Of a client's deposits so many, the newest, are looked at to count the open ones.
const COUNTED: i32 = 100;

/// The function's time-out in the template.
pub const TIMEOUT_S: u32 = 28;
/// So many providers are tried for one request that names none.
const ATTEMPTS_MAX: u32 = 3;
// whoever tries the last one still has time to save what came of it
const _: () = assert!(TIMEOUT_S >= ATTEMPTS_MAX * PSP_CALL_TIMEOUT_S + 4);

/// The step.
pub struct Initiate {
    crm: Crm,
    money: MoneyTable,
    providers: PaymentProviders,
    rules: RuleBook,
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
        rules: RuleBook::new(ports)?,
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Initiate {
    const NAME: &'static str = "payments-initiate";

    const ROUTES: &'static [Route<Self>] = &[Route::token(
        "POST",
        "/v1/clients/{client_id}/deposits",
        PORTAL,
        Scope::OneClient,
        |step, request, caller| Box::pin(step.initiate(request, caller)),
    )];
}

impl Initiate {
    async fn initiate(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let live = self.providers.rules().await?;
        let wish = wish::read(&self.crm, &body, &client_id, &live, &self.rules).await;
        let fresh = PaymentId::from_bits(self.entropy.id_bits());
        let make = async |id, wish| self.open(id, wish, request, &live).await;
        keyed.create(&self.money, fresh, wish, make, answer).await
    }

    async fn open(
        &self,
        id: PaymentId,
        mut wish: DepositRequest,
        request: &Request,
        live: &Live<Psps>,
    ) -> Result<Made<Deposit>, Problem> {
        // asked again right before the provider is: nobody pays real money for a demo account
        if !wish.account.takes_money() {
            return Err(Problem::input(vec![demo_account()]));
        }
        let open = self.open_deposits(&wish.client.id, live.rules.open_deposits_max()).await?;
        if let Some(fault) = too_many_open(open, &live.rules) {
            return Err(Problem::input(vec![fault]));
        }
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        if wish.amount.currency() != wish.account.facts.currency {
            frame.used(self.rules.live::<FxRules>().await?.label());
        }
        let levels = self.rules.live::<KycLevels>().await?;
        if levels.rules.restrict_deposits() {
            let level = verification::level_of(&self.crm, &wish.client, &levels).await?;
            let deposits = self.since(&level, &wish.client.id, request.now).await?;
            if let Some(fault) = level.refuses_deposit(&wish.amount, &deposits, request.now) {
                return Err(Problem::input(vec![fault]));
            }
            frame.used(levels.label());
            wish.why.extend(level.why);
        }
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
        let opened_at = self.session(&wish.over, &order, live).await?;
        wish.why.extend(opened_at.why);
        let deposit = Deposit::open(NewDeposit {
            id,
            client_id: wish.client.id,
            account_id: wish.account.id,
            platform: wish.account.facts.platform,
            login: wish.login,
            amount: wish.amount,
            account_currency: wish.account.facts.currency,
            due: request.now.plus(opened_at.webhook_limit),
            fee: opened_at.fee,
            psp: PspSide { name: opened_at.psp, reference: opened_at.session.reference },
            others: opened_at.others,
            redirect_url: opened_at.session.redirect_url,
            now: request.now,
        });
        Ok(Made::decided(opened(deposit, wish.why), frame))
    }
}

impl Initiate {
    /// How many of the client's newest deposits are open: all of them if they reach `max`. Below it only so many are read as show
    /// that they do not, none where there are fewer than `max`.
    async fn open_deposits(&self, client: &ClientId, max: usize) -> Result<usize, StepError> {
        let ids = self.money.payment_ids_of(client, COUNTED).await?;
        let (mut open, mut unread) = (0, ids.as_slice());
        while !unread.is_empty() && open + unread.len() >= max {
            // with so many settled the limit is out of reach; the oldest are the likeliest to be
            let settled_needed = (open + unread.len() - max + 1).min(unread.len());
            let (newer, oldest) = unread.split_at(unread.len() - settled_needed);
            let deposits: Vec<Stored<Deposit>> = self.money.load_some(oldest).await?;
            open += deposits.iter().filter(|stored| !stored.entity.status().is_settled()).count();
            unread = newer;
        }
        Ok(open)
    }

    /// The client's deposits of the time that the limit of his level is about.
    async fn since(&self, level: &Level, client: &ClientId, now: Timestamp) -> Result<Vec<Deposit>, StepError> {
        let Some(limit) = &level.rights.deposit_limit else { return Ok(vec![]) };
        let from = now.minus(limit.per);
        let mut deposits: Vec<Deposit> = vec![];
        let take = |page: Vec<Deposit>| {
            deposits.extend(page);
            match deposits.last().is_some_and(|oldest| oldest.inner.opened <= from) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        self.money.each_page_of_deposits(client, take).await?;
        Ok(deposits)
    }
}

fn answer(deposit: &Deposit) -> Reply {
    // the first answer, whatever has happened to the payment since
    Reply::json(
        201,
        &json!({"payment_id": deposit.id, "status": "pending", "redirect_url": deposit.inner.redirect_url}),
    )
}
