//! What a withdrawal is judged by: who asks, the account, what was paid in and what is on its way out.

use std::ops::ControlFlow;

use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::compliance::Watch;
use domain::payment::Deposit;
use domain::withdrawal::Withdrawal;
use domain::withdrawal::request::{account_named, source_named};
use domain::{AccountId, ClientId, ClientWatchId, Money, PaymentId};
use providers::platforms::Login;
use runtime::problem::with_causes;
use runtime::{Problem, StepError};
use serde_json::Value;
use store::{Payment, Places};

use super::Withdraw;

/// Of a client's payments so many, the newest, are looked at: for what is on its way out, for sources and known destinations. Of whoever
/// has more a person decides: limits and sources could be behind them.
const LOOKED_AT: usize = 1_000;

/// What is known when somebody asks.
pub(super) struct Known {
    pub(super) client: Client,
    pub(super) account: Option<Account>,
    /// Each whole.
    pub(super) withdrawals: Vec<Withdrawal>,
    /// The legs of those that go to several places.
    pub(super) legs: Vec<Withdrawal>,
    pub(super) deposits: Vec<Deposit>,
    pub(super) balance: Option<Money>,
    /// There may be more payments than were looked at.
    pub(super) cut: bool,
    /// Compliance has a case of the client that is open and holds: read for everybody, so that nothing takes longer for some.
    pub(super) compliance_hold: bool,
}

impl Withdraw {
    /// The newest withdrawals are those of the index, which may be some moments behind, and those of the item that each is saved with.
    pub(super) async fn known(
        &self,
        body: &Value,
        client_id: &ClientId,
        places: &Places<PaymentId>,
    ) -> Result<Known, Problem> {
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
        for id in places.newest.iter().filter(|_| !cut) {
            if withdrawals.iter().all(|own: &Withdrawal| own.id != *id)
                && let Some(stored) = self.money.load::<Withdrawal>(id).await?
            {
                withdrawals.push(stored.entity);
            }
        }
        let (legs, withdrawals): (Vec<_>, Vec<_>) =
            withdrawals.into_iter().partition(|own| own.facts.part_of.is_some());
        let legs = self.all_legs(&withdrawals, legs).await?;
        // an older deposit than are looked at may be named all the same
        let named = source_named(body).filter(|id| !deposits.iter().any(|deposit| deposit.id == *id));
        if let Some(id) = named
            && let Some(Payment::Deposit(stored)) = self.money.payment(&id).await?
        {
            deposits.push(stored.entity);
        }
        let balance = self.balance(account.as_ref()).await;
        let watch = self.crm.load::<Watch>(&ClientWatchId::of(client_id)).await?;
        let compliance_hold = watch.is_some_and(|stored| stored.entity.facts.holds);
        Ok(Known { client, account, withdrawals, legs, deposits, balance, cut, compliance_hold })
    }

    /// The legs that were read, and those that the index does not show yet.
    async fn all_legs(&self, wholes: &[Withdrawal], mut legs: Vec<Withdrawal>) -> Result<Vec<Withdrawal>, Problem> {
        for planned in wholes.iter().flat_map(|whole| &whole.facts.legs) {
            if legs.iter().all(|own| own.id != planned.payment_id)
                && let Some(stored) = self.money.load::<Withdrawal>(&planned.payment_id).await?
            {
                legs.push(stored.entity);
            }
        }
        Ok(legs)
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
}
