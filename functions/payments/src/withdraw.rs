//! `POST /v1/clients/{client_id}/withdrawals`: asks for a withdrawal; `POST /v1/payments/{payment_id}/cancel` takes one back.

mod known;
mod payee;

use std::sync::Arc;

use domain::decision::{Decision, Frame, Verdict};
use domain::kyc::rules::KycLevels;
use domain::rules::RuleSet;
use domain::withdrawal::rules::{Approval, Withdrawals};
use domain::withdrawal::{Ask, NewWithdrawal, Withdrawal, WithdrawalRefusal, WithdrawalRequest, WithdrawalStatus};
use domain::{ClientId, PaymentId};
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Entropy, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::idempotency::{Keyed, Made};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::{self, Attempt};
use runtime::vendors::{PaymentProviders, Servers};
use runtime::{Caller, Problem, StepError, awsclients, verification};
use serde_json::{Value, json};
use store::{Crm, MoneyTable, Payment, Places};

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

/// A request as it came.
struct Asks<'a> {
    body: &'a Value,
    client_id: &'a ClientId,
    request: &'a Request,
    live: &'a Live<Withdrawals>,
}

/// A request that may be done, and what was read of the client's withdrawals when it was judged.
struct Judged {
    wish: WithdrawalRequest,
    /// The rules about levels that let it pass, where they bind anybody.
    levels: Option<String>,
    places: Places<PaymentId>,
}

impl Withdraw {
    async fn ask(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let client_id: ClientId = request.id("client_id")?;
        let keyed = Keyed::read(request, caller)?;
        let body = request.json()?;
        let live = self.rules.live::<Withdrawals>().await?;
        let asks = Asks { body: &body, client_id: &client_id, request, live: &live };
        let judged = self.judge(&asks).await;
        let fresh = PaymentId::from_bits(self.entropy.id_bits());
        let make = async |id, judged| self.begin(id, judged, &asks).await;
        keyed.create(&self.money, fresh, judged, make, answer).await
    }

    async fn judge(&self, asks: &Asks<'_>) -> Result<Judged, Problem> {
        let now = asks.request.now;
        // read before the withdrawals are: one that is asked for in between is seen below, or keeps this one from being saved
        let places = self.money.withdrawal_places(asks.client_id).await?;
        let known = self.known(asks.body, asks.client_id, &places).await?;
        let psps = self.providers.rules().await?;
        let ask = Ask {
            client: &known.client,
            account: known.account.as_ref(),
            withdrawals: &known.withdrawals,
            legs: &known.legs,
            deposits: &known.deposits,
            balance: known.balance,
            cut: known.cut,
            compliance_hold: known.compliance_hold,
            now,
        };
        let wish = WithdrawalRequest::read(asks.body, &ask, &psps.rules, &asks.live.rules).map_err(refusal)?;
        let wish = match &asks.live.rules.payee {
            Some(rules) => {
                let told = self.payees(&wish, &known.client, &psps.rules).await;
                wish.with_payees(&told, rules).map_err(refusal)?
            }
            None => wish,
        };
        let rules = self.rules.live::<KycLevels>().await?;
        let mut levels = None;
        if rules.rules.restrict_withdrawals() {
            let level = verification::level_of(&self.crm, &known.client, &rules).await?;
            if let Some(fault) = level.refuses_withdrawal(&wish.amount, &known.withdrawals, now) {
                return Err(Problem::input(vec![fault]));
            }
            levels = Some(rules.label());
        }
        Ok(Judged { wish, levels, places })
    }

    /// Saves it together with the item by which the client's withdrawals are counted; judged anew where he asked for another meanwhile.
    async fn begin(&self, id: PaymentId, judged: Judged, asks: &Asks<'_>) -> Result<Made<Withdrawal>, Problem> {
        let (id, mut first) = (&id, Some(judged));
        step::together(&asks.request.frame(Self::NAME), "the client keeps asking for withdrawals", || {
            let first = first.take();
            Box::pin(async move {
                let judged = match first {
                    Some(judged) => judged,
                    // what stands under the id is this very request, whose answer got lost on its way
                    None => match self.money.load::<Withdrawal>(id).await? {
                        Some(made) => return Ok::<_, Problem>(Attempt::Nothing(Made::Saved(made.entity))),
                        None => self.judge(asks).await?,
                    },
                };
                let plan = judged.wish.legs.clone();
                let (asked, frame) = self.asked(id, judged.wish, judged.levels, asks).await?;
                let mut commit = self.money.0.commit();
                commit.save(&self.money, None, &asked, &frame)?;
                for leg in asked.next.legs_of(plan) {
                    commit.save(&self.money, None, &leg, &frame)?;
                }
                commit.take_places(&self.money.0, &judged.places, std::slice::from_ref(id))?;
                Ok(Attempt::Save(commit, Made::Saved(asked.next)))
            })
        })
        .await
    }

    async fn asked(
        &self,
        id: &PaymentId,
        request: WithdrawalRequest,
        levels: Option<String>,
        asks: &Asks<'_>,
    ) -> Result<(Decision<Withdrawal>, Frame), Problem> {
        let mut frame = asks.request.frame(Self::NAME);
        frame.used(asks.live.label());
        frame.used(self.providers.rules().await?.label());
        if let Some(label) = levels {
            frame.used(label);
        }
        let (approved, first) = (request.approval == Approval::Approve, request.first);
        let new = NewWithdrawal { id: id.clone(), request, approved, first, now: asks.request.now };
        Ok((Withdrawal::asked(new), frame))
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
    let mut shown = json!({"payment_id": own.id, "status": status});
    if let (true, Some(object)) = (own.is_split(), shown.as_object_mut()) {
        object.insert("legs".to_owned(), json!(own.facts.legs));
    }
    Reply::json(201, &shown)
}

fn refusal(refusal: WithdrawalRefusal) -> Problem {
    match refusal {
        WithdrawalRefusal::Faults(faults) => Problem::input(faults),
        WithdrawalRefusal::AccountNotOpen => Problem::conflict("the trading account is not open"),
        WithdrawalRefusal::Rules(error) => StepError::Rules { set: Withdrawals::NAME, what: error.to_string() }.into(),
    }
}
