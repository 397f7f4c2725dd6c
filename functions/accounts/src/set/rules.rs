//! What may stand against a change at the moment at which it is set.

use std::ops::ControlFlow;

use domain::account::Account;
use domain::account::change::Change;
use domain::account::rules::Platforms;
use domain::rules::RuleSet;
use domain::{ChangeId, PaymentId, Timestamp};
use providers::platforms::Login;
use runtime::StepError;
use store::{MoneyTable, Payment};

use super::Set;
use crate::client_of;

impl Set {
    /// Why the rules of now forbid what was asked for, maybe days ago.
    pub(super) async fn forbidden(&self, change: &Change) -> Result<Option<String>, StepError> {
        let account = self.account(change).await?.entity;
        let client = client_of(&self.crm, &change.client_id).await?;
        let live = self.servers.rules().await?;
        let judged = change.forbidden_now(&account, &live.rules, client.facts.residence);
        judged.map_err(|error| StepError::Rules { set: Platforms::NAME, what: error.to_string() })
    }

    /// Why an account cannot be closed: money on it, or on its way to it, or open positions, where the platform says whether there are any.
    /// Not being able to see is an error, and no answer.
    pub(super) async fn why_not_closed(&self, id: &ChangeId) -> Result<Option<String>, StepError> {
        let change = self.load(id).await?.entity;
        let account = self.account(&change).await?.entity;
        if let Some(payment) = self.open_payment(&account).await? {
            return Ok(Some(format!("a payment is under way: {payment}")));
        }
        let server = self.servers.adapter(&account.facts.server).await?;
        let login = Login::new(change.facts.login);
        if server.capabilities().open_positions && server.has_positions(&login).await? {
            return Ok(Some("positions are open on the account".to_owned()));
        }
        let balance = server.balance(&login, account.facts.currency).await?;
        Ok((!balance.amount().is_zero()).then(|| "there is money on the account".to_owned()))
    }

    async fn open_payment(&self, account: &Account) -> Result<Option<PaymentId>, StepError> {
        let is_open = |payment: &Payment| match payment {
            Payment::Deposit(stored) => !stored.entity.status().is_settled(),
            Payment::Withdrawal(stored) => !stored.entity.status().is_over(),
        };
        Ok(payment_of(&self.money, account, is_open).await?.map(|payment| payment.id().clone()))
    }
}

/// When the newest payment of an account was begun.
pub(crate) async fn newest_payment(money: &MoneyTable, account: &Account) -> Result<Option<Timestamp>, StepError> {
    let begun = |payment: Payment| match payment {
        Payment::Deposit(stored) => stored.entity.inner.opened,
        Payment::Withdrawal(stored) => stored.entity.inner.opened,
    };
    Ok(payment_of(money, account, |_| true).await?.map(begun))
}

/// The newest payment of an account that is of a kind; all of the client's are looked through.
async fn payment_of(
    money: &MoneyTable,
    account: &Account,
    is_it: impl Fn(&Payment) -> bool,
) -> Result<Option<Payment>, StepError> {
    let mut found = None;
    let take = |page: Vec<Payment>| {
        found = page.into_iter().find(|payment| *payment.account_id() == account.id && is_it(payment));
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    money.each_page_of_payments(&account.client_id, take).await?;
    Ok(found)
}
