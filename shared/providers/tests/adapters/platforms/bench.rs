//! What the suite needs of a platform.

use std::time::Duration;

use domain::{Currency, Redacted, Seconds, Timestamp};
use providers::platforms::{
    AccountSearch, BalanceOperation, FoundOperation, Funds, Login, NewAccount, Opened, PlatformError, Reference,
    Ticket, TradingPlatform,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{money, now};

/// A step of the protocol that can be scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The call that creates an account.
    Create,
    /// The call that books money.
    Book,
    /// The call that changes an account.
    Change,
}

/// What a platform answers instead of doing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// No, and never.
    Refused,
    /// Not now.
    Busy,
    /// Something of which nobody can say whether it was done.
    Unclear,
}

/// A platform and its simulator.
pub trait Bench: Sized + Send + Sync {
    /// Starts a simulator of its own, and an adapter to it. Both groups of [`Bench::GROUPS`] are there, and no account.
    async fn start(call_timeout: Duration) -> Self;

    /// Two groups in dollars.
    const GROUPS: [&'static str; 2];

    /// The adapter.
    fn platform(&self) -> &dyn TradingPlatform;

    /// The same with a server that has no login left; none where the server gives none.
    async fn without_logins() -> Option<Self>;

    /// Whether the server sees a password, and so can refuse one.
    const SEES_PASSWORDS: bool;

    /// An adapter to the same simulator whose secret is wrong.
    fn with_a_wrong_secret(&self) -> Box<dyn TradingPlatform>;

    /// An adapter to where nobody listens.
    fn nowhere() -> Box<dyn TradingPlatform>;

    /// A fault as every simulator takes it: what becomes of the next call of a step.
    async fn script(&self, step: Step, fault: Value);

    /// The fault by which the platform itself says so at a step; none where it has no such answer.
    fn saying(step: Step, says: Says) -> Option<Value>;

    /// How many accounts the simulator has.
    async fn accounts(&self) -> usize;

    /// How many bookings of money an account has in the simulator.
    async fn bookings(&self, login: &Login) -> usize;

    /// Opens and closes a trade of 0.10 lots that was bought; the number of its closing.
    async fn trade(&self, login: &Login, profit: &str) -> String;

    /// Opens a position that holds so much of an account, or closes it.
    async fn hold(&self, login: &Login, margin: &str);

    /// The account as the suite asks for it.
    fn wish(reference: &str) -> NewAccount {
        NewAccount {
            group: Self::GROUPS[0].to_owned(),
            currency: usd(),
            name: Redacted::new("Jane Doe".to_owned()),
            email: Redacted::new("jane@example.com".to_owned()),
            phone: Some(Redacted::new("+4930123456".to_owned())),
            country: Some("DE".parse().unwrap()),
            leverage: 30,
            reference: reference.to_owned(),
            password: SecretString::from("Main-Pass1"),
            investor_password: SecretString::from("Read-Pass1"),
        }
    }

    /// Creates an account.
    async fn open(&self, reference: &str) -> Login {
        self.platform().create_account(&Self::wish(reference)).await.unwrap().login
    }

    /// Looks the wish of a reference up.
    async fn find(&self, reference: &str) -> Result<Option<Opened>, PlatformError> {
        self.platform().find_account(&AccountSearch::of(&Self::wish(reference), around_now().0)).await
    }

    /// Creates as the workflow does when it may have been there before: looks first.
    async fn open_once(&self, reference: &str) -> Opened {
        match self.find(reference).await.unwrap() {
            Some(opened) => opened,
            None => self.platform().create_account(&Self::wish(reference)).await.unwrap(),
        }
    }

    /// Books an amount.
    async fn book(&self, login: &Login, amount: &str, reference: &str) -> Result<Ticket, PlatformError> {
        self.platform().apply_balance(&operation(login, amount, reference)).await
    }

    /// Looks a booking up.
    async fn look(&self, login: &Login, amount: &str, reference: &str) -> Result<FoundOperation, PlatformError> {
        let (from, to) = around_now();
        let reference = Reference::new(reference).unwrap();
        self.platform().find_operation(login, &reference, (money(amount, "USD"), Funds::Balance), from, to).await
    }

    /// Books credit.
    async fn grant(&self, login: &Login, amount: &str, reference: &str) -> Result<Ticket, PlatformError> {
        self.platform().apply_balance(&operation(login, amount, reference).on(Funds::Credit)).await
    }

    /// Looks credit up.
    async fn look_for_credit(
        &self,
        login: &Login,
        amount: &str,
        reference: &str,
    ) -> Result<FoundOperation, PlatformError> {
        let (from, to) = around_now();
        let reference = Reference::new(reference).unwrap();
        self.platform().find_operation(login, &reference, (money(amount, "USD"), Funds::Credit), from, to).await
    }

    /// The balance in dollars.
    async fn balance(&self, login: &Login) -> String {
        self.platform().balance(login, usd()).await.unwrap().amount_text()
    }
}

/// What the suite counts in.
pub fn usd() -> Currency {
    "USD".parse().unwrap()
}

/// An operation in dollars.
pub fn operation(login: &Login, amount: &str, reference: &str) -> BalanceOperation {
    BalanceOperation::new(login.clone(), money(amount, "USD"), reference).unwrap()
}

/// A minute before and after.
pub fn around_now() -> (Timestamp, Timestamp) {
    let now = now();
    (now.minus(Seconds(60)), now.plus(Seconds(60)))
}

/// It was done, and nobody was told.
pub fn lost_after() -> [Value; 3] {
    [
        json!({"kind": "apply_then_timeout", "ms": 3000}),
        json!({"kind": "apply_then_drop"}),
        json!({"kind": "apply_then_garbage"}),
    ]
}

/// It was not done, and nobody was told.
pub fn lost_before() -> [Value; 3] {
    [json!({"kind": "timeout_before", "ms": 3000}), json!({"kind": "drop"}), json!({"kind": "garbage"})]
}
