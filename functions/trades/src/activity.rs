//! Money that moved, and log-ins, into the client's numbers. Each is noted once, together with the numbers that it changes.

use std::sync::Arc;

use domain::activity::{Activity, Movement, MovementKind, NameMatch, SeenLogin};
use domain::decision::Frame;
use domain::payment::deposit::DepositFacts;
use domain::trade::rules::TradingRules;
use domain::withdrawal::payee::PayeeVerdict;
use domain::withdrawal::{Payee, WithdrawalFacts};
use domain::{ActivityId, ClientId, Money, PaymentId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Attempt};
use runtime::vendors::RateSources;
use runtime::{StepError, awsclients};
use serde::de::DeserializeOwned;
use store::{Home, Note, TradesTable};

use crate::rates::in_base;

/// The step.
pub struct Noting {
    trades: TradesTable,
    rules: RuleBook,
    rates: RateSources,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let rules = RuleBook::new(ports)?;
    let rates = RateSources::new(ports, rules.clone());
    QueueFunction::build(Noting { trades: awsclients::trades(ports)?, rules, rates }, ports)
}

impl QueueStep for Noting {
    const NAME: &'static str = "trades-activity";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let client = event.client_id.clone();
            let client = client.ok_or_else(|| StepError::Malformed(format!("{} is nobody's", event.event_id)))?;
            let mut frame = message.frame(Self::NAME, &event);
            match event.kind.as_str() {
                "client.logged_in" => self.login(&client, &event, &frame).await,
                _ => self.payment(&client, &event, &mut frame).await,
            }
        })
    }
}

/// What an event says of money, before it is known what of it is new.
struct Told {
    kind: MovementKind,
    account_id: domain::AccountId,
    /// What moved; of money that went back, all of it so far.
    amount: Money,
    provider: String,
    name: Option<NameMatch>,
}

impl Noting {
    async fn payment(&self, client: &ClientId, event: &BusEvent, frame: &mut Frame) -> Result<&'static str, StepError> {
        let Some(told) = told(event)? else { return Ok("nothing_to_do") };
        let payment: PaymentId = event.id()?;
        let live = self.rules.live::<TradingRules>().await?;
        frame.used(live.label());
        let Some((kind, amount)) = self.new_of(client, &payment, &told, event).await? else {
            return Ok("nothing_to_do");
        };
        let base = in_base(&amount, live.rules.base_currency, event.at, frame.now, &self.trades, &self.rates).await?;
        let movement = Movement {
            at: event.at,
            kind,
            payment_id: payment,
            account_id: told.account_id,
            amount,
            base,
            provider: Some(told.provider).filter(|name| !name.is_empty()),
            instrument: None,
            instrument_country: None,
            name: told.name,
        };
        self.note(client, Note::Movement(&movement), frame).await
    }

    /// What an event adds. What went back is told as a total: only what is above what was noted of it is new, and what is below came again.
    async fn new_of(
        &self,
        client: &ClientId,
        payment: &PaymentId,
        told: &Told,
        event: &BusEvent,
    ) -> Result<Option<(MovementKind, Money)>, StepError> {
        match told.kind {
            MovementKind::Refund | MovementKind::Chargeback | MovementKind::Reinstated => {}
            MovementKind::Deposit
            | MovementKind::DepositFailed
            | MovementKind::WithdrawalRequested
            | MovementKind::Withdrawal
            | MovementKind::WithdrawalReturned => return Ok(Some((told.kind, told.amount))),
        }
        let noted = self.trades.movements_of(client, payment).await?;
        // a newer statement was noted already: this one says nothing that it did not
        if noted.iter().any(|movement| movement.at > event.at && went_back(movement.kind) != 0) {
            return Ok(None);
        }
        let earlier = noted.iter().filter(|movement| movement.at < event.at);
        let mut fresh = told.amount;
        for movement in earlier {
            let change = match went_back(movement.kind) {
                1 => movement.amount.negated(),
                -1 => movement.amount,
                _ => continue,
            };
            fresh = fresh.checked_add(&change).map_err(|error| StepError::Malformed(error.to_string()))?;
        }
        let came_again = fresh.negated();
        Ok(match told.kind {
            MovementKind::Reinstated if came_again.is_positive() => Some((MovementKind::Reinstated, came_again)),
            MovementKind::Refund | MovementKind::Chargeback if fresh.is_positive() => Some((told.kind, fresh)),
            _ => None,
        })
    }

    async fn login(&self, client: &ClientId, event: &BusEvent, frame: &Frame) -> Result<&'static str, StepError> {
        let login: SeenLogin = data(event)?;
        self.note(client, Note::Login(&event.event_id, &login), frame).await
    }

    /// Notes it together with what it changes in the client's numbers, once.
    async fn note(&self, client: &ClientId, note: Note<'_>, frame: &Frame) -> Result<&'static str, StepError> {
        step::together(frame, "the client's numbers keep changing", || {
            Box::pin(async move {
                if self.trades.is_noted(client, note).await? {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                }
                let was = self.trades.load::<Activity>(&ActivityId::of(client)).await?;
                let activity = was.as_ref().map_or_else(|| Activity::begun(client), |stored| stored.entity.clone());
                let decision = match note {
                    Note::Movement(movement) => activity.moved(movement),
                    Note::Login(_, login) => activity.logged_in(login),
                };
                let mut commit = Home::<Activity>::table(&self.trades).commit();
                commit.note(&self.trades, client, note)?;
                commit.save(&self.trades, was.as_ref(), &decision, frame)?;
                Ok(Attempt::Save(commit, "noted"))
            })
        })
        .await
    }
}

/// Whether a movement adds to what went back of a deposit, or takes from it.
fn went_back(kind: MovementKind) -> i8 {
    match kind {
        MovementKind::Refund | MovementKind::Chargeback => 1,
        MovementKind::Reinstated => -1,
        MovementKind::Deposit
        | MovementKind::DepositFailed
        | MovementKind::WithdrawalRequested
        | MovementKind::Withdrawal
        | MovementKind::WithdrawalReturned => 0,
    }
}

fn data<T: DeserializeOwned>(event: &BusEvent) -> Result<T, StepError> {
    T::deserialize(&event.data).map_err(|error| StepError::Malformed(domain::json::place_of(&error)))
}

fn told(event: &BusEvent) -> Result<Option<Told>, StepError> {
    let kind = match event.kind.as_str() {
        "deposit.credited" => MovementKind::Deposit,
        "deposit.failed" => MovementKind::DepositFailed,
        "deposit.refunded" => MovementKind::Refund,
        "deposit.charged_back" => MovementKind::Chargeback,
        "deposit.reinstated" => MovementKind::Reinstated,
        "withdrawal.requested" => MovementKind::WithdrawalRequested,
        "withdrawal.paid_out" => MovementKind::Withdrawal,
        "withdrawal.returned" => MovementKind::WithdrawalReturned,
        _ => return Ok(None),
    };
    if event.kind.starts_with("deposit.") { of_deposit(kind, event) } else { of_withdrawal(kind, event) }
}

fn of_deposit(kind: MovementKind, event: &BusEvent) -> Result<Option<Told>, StepError> {
    let facts: DepositFacts = data(event)?;
    let paid = facts.paid.unwrap_or(facts.requested);
    let amount = match kind {
        MovementKind::Deposit => paid,
        MovementKind::Refund | MovementKind::Chargeback | MovementKind::Reinstated => {
            facts.returned.unwrap_or_else(|| Money::zero(paid.currency()))
        }
        _ => facts.requested,
    };
    Ok(Some(Told { kind, account_id: facts.account_id, amount, provider: facts.psp.name, name: None }))
}

/// A leg is a part of a withdrawal that is counted as a whole.
fn of_withdrawal(kind: MovementKind, event: &BusEvent) -> Result<Option<Told>, StepError> {
    let facts: WithdrawalFacts = data(event)?;
    if facts.part_of.is_some() {
        return Ok(None);
    }
    let amount = match kind {
        MovementKind::Withdrawal => facts.paid.unwrap_or(facts.requested),
        MovementKind::WithdrawalReturned => facts.returned.unwrap_or(facts.requested),
        _ => facts.requested,
    };
    let name = facts.payee.as_ref().and_then(name_of);
    Ok(Some(Told { kind, account_id: facts.account_id, amount, provider: facts.psp.name, name }))
}

fn name_of(payee: &Payee) -> Option<NameMatch> {
    match payee.verdict {
        PayeeVerdict::Same => Some(NameMatch::Same),
        PayeeVerdict::Unsure => Some(NameMatch::Unsure),
        PayeeVerdict::Other => Some(NameMatch::Other),
        PayeeVerdict::Untold | PayeeVerdict::Unheard => None,
    }
}
