//! Entities to store.

use domain::account::change::Upkeep;
use domain::account::{Account, AccountFacts, AccountInner, AccountStatus};
use domain::client::Client;
use domain::decision::{Decision, Frame};
use domain::entity::Entity;
use domain::payment::{Deposit, NewDeposit, PspSide};
use domain::work::{WorkFacts, WorkItem, WorkPrivate, WorkStatus};
use domain::{AccountId, ClientId, Currency, Money, PaymentId, Seconds, Timestamp, WorkId};
use serde_json::json;

/// So many seconds into the tests' day.
pub fn at(seconds: u32) -> Timestamp {
    "2026-03-01T09:00:00Z".parse::<Timestamp>().unwrap().plus(Seconds(seconds))
}

pub fn frame(correlation_id: &str) -> Frame {
    Frame {
        function: "payments-initiate",
        execution_id: "execution-1".to_owned(),
        trigger: "POST /v1/clients/{client_id}/deposits".to_owned(),
        correlation_id: correlation_id.to_owned(),
        now: at(0),
        rules: vec!["psps@1".to_owned()],
    }
}

/// A decision that announces one event.
pub fn decision<T: Entity>(next: T, event: &'static str) -> Decision<T> {
    Decision::new(next, "done", vec![event], vec!["because".to_owned()])
}

pub fn client_id(number: u128) -> ClientId {
    ClientId::from_bits(number)
}

pub fn client(number: u128) -> Client {
    let body = json!({
        "email": "ana@example.com", "full_name": "Ana Lopez", "date_of_birth": "1990-05-17", "residence": "ES",
        "nationality": "MX", "language": "es",
    });
    Client::register(&body, client_id(number), at(0)).unwrap()
}

/// A pending deposit of a client that is due some seconds into the day.
pub fn deposit(number: u128, client: u128, due: u32) -> Deposit {
    Deposit::open(NewDeposit {
        id: PaymentId::from_bits(number),
        client_id: client_id(client),
        account_id: AccountId::from_bits(client),
        platform: "mt5".to_owned(),
        login: "500001".to_owned(),
        amount: Money::parse("250.00", "USD".parse::<Currency>().unwrap()).unwrap(),
        account_currency: "USD".parse().unwrap(),
        psp: PspSide { name: "stripe".to_owned(), reference: format!("pi_{number}") },
        fee: None,
        others: vec![],
        redirect_url: format!("https://pay.example.com/{number}"),
        due: at(due),
        now: at(0),
    })
}

/// A requested account of a client.
pub fn account(number: u128, client: u128) -> Account {
    Account {
        id: AccountId::from_bits(number),
        client_id: client_id(client),
        due: None,
        facts: AccountFacts {
            status: AccountStatus::Requested,
            platform: "mt5".to_owned(),
            account_type: "standard".to_owned(),
            kind: "live".to_owned(),
            currency: "USD".parse().unwrap(),
            leverage: 30,
            server: "mt5-live".to_owned(),
            group: "real\\standard-USD".to_owned(),
            login: None,
            created_at: at(0),
            review: None,
            refused: None,
            reopened: None,
            upkeep: Upkeep::default(),
        },
        inner: AccountInner::default(),
    }
}

/// An open item of finance.
pub fn work(number: u128, priority: u32, due: u32) -> WorkItem {
    WorkItem {
        id: WorkId::from_bits(number),
        client_id: None,
        facts: WorkFacts {
            kind: "deposit_underpaid".to_owned(),
            queue: "finance".to_owned(),
            priority,
            status: WorkStatus::Open,
            owner: None,
            due_at: at(due),
            created_at: at(0),
            snoozed_until: None,
            escalated_by: Vec::new(),
            opening: 0,
            subject: json!({"payment_id": PaymentId::from_bits(number)}),
            trigger: json!({}),
            pattern: json!({}),
            options: Vec::new(),
            runbook: "deposit_underpaid".to_owned(),
            proposal: None,
            decision: None,
        },
        private: WorkPrivate::default(),
    }
}
