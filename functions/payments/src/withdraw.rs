//! `POST /v1/clients/{client_id}/withdrawals`: asks for a withdrawal; `POST /v1/payments/{payment_id}/cancel` takes one back.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::decision::Verdict;
use domain::kyc::rules::KycLevels;
use domain::payment::Deposit;
use domain::rules::RuleSet;
use domain::withdrawal::request::{account_named, source_named};
use domain::withdrawal::rules::{Approval, Withdrawals};
use domain::withdrawal::{Ask, NewWithdrawal, Withdrawal, WithdrawalRefusal, WithdrawalRequest, WithdrawalStatus};
use domain::{AccountId, ClientId, Money, PaymentId};
use providers::platforms::Login;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::problem::with_causes;
use runtime::rulebook::{Live, RuleBook};
use runtime::vendors::{PaymentProviders, Servers};
use runtime::{Caller, Problem, StepError, awsclients, step, verification};
use serde_json::{Value, json};
use store::{Crm, MoneyTable, Payment};

/// Of a client's payments so many, the newest, are looked at: for what is on its way out, for sources and known destinations. Of whoever
/// has more a person decides: limits and sources could be behind them.
const LOOKED_AT: usize = 1_000;

/// The step.
pub struct Withdraw {
    crm: Crm,
    money: MoneyTable,
    providers: PaymentProviders,
    servers: Servers,
    rules: RuleBook,
    entropy: Arc<dyn Entropy>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let step = Withdraw {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        providers: PaymentProviders::new(ports, rules.clone()),
        servers: Servers::new(ports, rules.clone()),
        rules,
        entropy: ports.entropy.clone(),
    };
    HttpFunction::build(step, ports)
}

impl HttpStep for Withdraw {
    const NAME: &'static str = "payments-withdraw";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token(
            "POST",
            "/v1/clients/{client_id}/withdrawals",
            PORTAL,
            Scope::OneClient,
            |step, request, caller| Box::pin(step.ask(request, caller)),
        ),
        Route::token("POST", "/v1/payments/{payment_id}/cancel", PORTAL, Scope::Owned, |step, request, caller| {
            Box::pin(step.cancel(request, caller))
        }),
    ];
}

/// What is known when somebody asks.
struct Known {
    client: Client,
    account: Option<Account>,
    withdrawals: Vec<Withdrawal>,
    deposits: Vec<Deposit>,
    balance: Option<Money>,
    /// There may be more payments than were looked at.
    cut: bool,
}

impl Withdraw {
    async fn ask(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let live = self.rules.live::<Withdrawals>().await?;
        let wish = self.read(&body, &client_id, request, &live).await;
        let fresh = PaymentId::from_bits(self.entropy.id_bits());
        let make = async |id, wish| self.begin(id, wish, request, &live).await;
        keyed.create(&self.money, fresh, wish, make, answer).await
    }

    async fn read(
        &self,
        body: &Value,
        client_id: &ClientId,
        request: &Request,
        live: &Live<Withdrawals>,
    ) -> Result<(WithdrawalRequest, Option<String>), Problem> {
        let known = self.known(body, client_id).await?;
        let psps = self.providers.rules().await?;
        let ask = Ask {
            client: &known.client,
            account: known.account.as_ref(),
            withdrawals: &known.withdrawals,
            deposits: &known.deposits,
            balance: known.balance,
            cut: known.cut,
            now: request.now,
        };
        let wish = WithdrawalRequest::read(body, &ask, &psps.rules, &live.rules).map_err(refusal)?;
        let levels = self.rules.live::<KycLevels>().await?;
        let mut label = None;
        if levels.rules.restrict_withdrawals() {
            let level = verification::level_of(&self.crm, &known.client, &levels).await?;
            if let Some(fault) = level.refuses_withdrawal(&wish.amount, &known.withdrawals, request.now) {
                return Err(Problem::input(vec![fault]));
            }
            label = Some(levels.label());
        }
        Ok((wish, label))
    }

    async fn known(&self, body: &Value, client_id: &ClientId) -> Result<Known, Problem> {
        let client = self.crm.load_settled::<Client>(client_id).await?;
        let client = client.ok_or_else(|| Problem::not_found("there is no such client"))?.entity;
        let account = match account_named(body).and_then(|text| text.parse::<AccountId>().ok()) {
            Some(id) => self.crm.load::<Account>(&id).await?.map(|stored| stored.entity),
            None => None,
        };
        let account = account.filter(|account| account.client_id == *client_id);
        let (mut withdrawals, mut deposits) = (vec![], vec![]);
        let take = |page: Vec<Payment>| {
            for payment in page {
                match payment {
                    Payment::Deposit(stored) => deposits.push(stored.entity),
                    Payment::Withdrawal(stored) => withdrawals.push(stored.entity),
                }
            }
            match deposits.len() + withdrawals.len() >= LOOKED_AT {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        self.money.each_page_of_payments(client_id, take).await?;
        let cut = deposits.len() + withdrawals.len() >= LOOKED_AT;
        // an older deposit than are looked at may be named all the same
        let named = source_named(body).filter(|id| !deposits.iter().any(|deposit| deposit.id == *id));
        if let Some(id) = named
            && let Some(Payment::Deposit(stored)) = self.money.payment(&id).await?
        {
            deposits.push(stored.entity);
        }
        let balance = self.balance(account.as_ref()).await;
        Ok(Known { client, account, withdrawals, deposits, balance, cut })
    }

    /// What stands on the account. A server that cannot be asked now is asked when it is debited.
    async fn balance(&self, account: Option<&Account>) -> Option<Money> {
        let account = account.filter(|account| account.facts.status == AccountStatus::Open && account.takes_money())?;
        let login = Login::new(account.facts.login.clone()?);
        let told = match self.servers.reader(&account.facts.server).await {
            Ok(server) => server.balance(&login, account.facts.currency).await.map_err(StepError::from),
            Err(error) => Err(error),
        };
        told.inspect_err(|error| tracing::warn!(error = with_causes(error), "the balance is not known")).ok()
    }

    async fn begin(
        &self,
        id: PaymentId,
        (wish, levels): (WithdrawalRequest, Option<String>),
        request: &Request,
        live: &Live<Withdrawals>,
    ) -> Result<Made<Withdrawal>, Problem> {
        let mut frame = request.frame(Self::NAME);
        frame.used(live.label());
        frame.used(self.providers.rules().await?.label());
        if let Some(label) = levels {
            frame.used(label);
        }
        let (approved, first) = (wish.approval == Approval::Approve, wish.first);
        let asked = Withdrawal::asked(NewWithdrawal { id, request: wish, approved, first, now: request.now });
        Ok(Made::decided(asked, frame))
    }

    async fn cancel(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let id: PaymentId = request.id("payment_id")?;
        let payment = self.money.payment(&id).await?.ok_or_else(|| Problem::not_found("there is no such payment"))?;
        caller.require_client(payment.client_id())?;
        let Payment::Withdrawal(_) = payment else {
            return Err(Problem::conflict("it is a deposit; only a withdrawal can be cancelled"));
        };
        let (now, mut refused) = (request.now, None);
        let mut frame = request.frame(Self::NAME);
        let done = step::change(&self.money, &id, &mut frame, |own: &Withdrawal| match own.cancelled(now) {
            Ok(decision) => Verdict::Change(Box::new(decision)),
            Err(reason) => {
                refused = Some(reason);
                Verdict::Nothing(reason)
            }
        })
        .await?;
        match refused {
            Some(reason) => Err(Problem::conflict(reason)),
            None => Ok(Reply::json(200, &json!({"payment_id": id, "status": done.stored().entity.status()}))),
        }
    }
}

fn answer(own: &Withdrawal) -> Reply {
    // the first answer, whatever has happened to it since
    let approved = own.inner.was_approved_at_once();
    let status = if approved { WithdrawalStatus::Approved } else { WithdrawalStatus::Requested };
    Reply::json(201, &json!({"payment_id": own.id, "status": status}))
}

fn refusal(refusal: WithdrawalRefusal) -> Problem {
    match refusal {
        WithdrawalRefusal::Faults(faults) => Problem::input(faults),
        WithdrawalRefusal::AccountNotOpen => Problem::conflict("the trading account is not open"),
        WithdrawalRefusal::Rules(error) => StepError::Rules { set: Withdrawals::NAME, what: error.to_string() }.into(),
    }
}
