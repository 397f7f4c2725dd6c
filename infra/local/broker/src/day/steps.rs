//! What a portal, a payer and a finance clerk do, one call each.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::Failure;
use crate::api::{Answer, Api};
use crate::local::Broker;

/// Between two looks at something that is expected to change.
const LOOK: Duration = Duration::from_millis(25);
/// Longest wait for a change, in seconds.
pub const PATIENCE_S: u64 = 60;

/// The desk from which the day is played.
pub type Desk<'a> = DeskOf<&'a Broker>;

/// A desk that has its brokerage, or a share in it.
pub struct DeskOf<B> {
    /// The brokerage.
    pub broker: B,
    /// The client of its API.
    pub api: Api,
    keys: AtomicU64,
}

/// A client with an open trading account.
#[derive(Debug, Clone)]
pub struct Trader {
    /// Client.
    pub client_id: String,
    /// Account.
    pub account_id: String,
    /// Login on the platform.
    pub login: String,
}

impl<B: Deref<Target = Broker>> DeskOf<B> {
    /// A desk.
    pub fn new(broker: B) -> Self {
        Self { broker, api: Api::default(), keys: AtomicU64::new(1) }
    }

    fn key(&self) -> String {
        format!("day-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// A `POST` of the portal under a fresh idempotency key.
    ///
    /// # Errors
    /// The connection's.
    pub async fn portal(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.api.post(&self.broker.url(path), self.broker.token("portal"), &self.key(), body).await
    }

    /// A `GET` as somebody.
    ///
    /// # Errors
    /// The connection's, or anything but 200.
    pub async fn look(&self, who: &str, path: &str) -> Result<Answer, Failure> {
        self.api.get(&self.broker.url(path), self.broker.token(who)).await?.expect(200)
    }

    /// Registers a client and opens an MT5 account.
    ///
    /// # Errors
    /// A refused request.
    pub async fn trader(&self, name: &str, language: &str, currency: &str) -> Result<Trader, Failure> {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let body = json!({
            "email": email, "full_name": name, "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX",
            "language": language,
        });
        let client_id = self.portal("/v1/clients", &body).await?.expect(201)?.text_at("/client_id");
        let account = json!({"platform": "mt5", "account_type": "standard", "currency": currency, "leverage": 30, "kind": "live"});
        let path = format!("/v1/clients/{client_id}/accounts");
        let account_id = self.portal(&path, &account).await?.expect(202)?.text_at("/account_id");
        Ok(Trader { client_id, account_id, login: String::new() })
    }

    /// Waits until the trader's account is open.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn opened(&self, trader: Trader) -> Result<Trader, Failure> {
        let path = format!("/v1/clients/{}/accounts", trader.client_id);
        let open = |answer: &Answer| answer.text_at("/items/0/status") == "open";
        let answer = self.wait(&path, open).await?;
        Ok(Trader { login: answer.text_at("/items/0/login"), ..trader })
    }

    /// Looks until it is as wanted.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn wait(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Result<Answer, Failure> {
        let began = Instant::now();
        loop {
            let answer = self.look("admin", path).await?;
            if wanted(&answer) {
                return Ok(answer);
            }
            if began.elapsed() > Duration::from_secs(PATIENCE_S) {
                return Err(format!("{path} is not as expected after {PATIENCE_S} s: {}", answer.text).into());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Opens a deposit; its payment id.
    ///
    /// # Errors
    /// A refused request.
    pub async fn deposit(&self, trader: &Trader, amount: &str, currency: &str, psp: &str) -> Result<String, Failure> {
        let body = json!({
            "account_id": trader.account_id, "amount": {"amount": amount, "currency": currency}, "psp": psp,
            "return_url": "https://portal.example.com/done",
        });
        let path = format!("/v1/clients/{}/deposits", trader.client_id);
        Ok(self.portal(&path, &body).await?.expect(201)?.text_at("/payment_id"))
    }

    /// The payer pays at the provider; `order` says how, and how the webhook is sent.
    ///
    /// # Errors
    /// The simulator's.
    pub async fn pay(&self, psp: &str, payment: &str, order: Value) -> Result<Answer, Failure> {
        let mut body = json!({"payment_id": payment, "outcome": "succeeded"});
        merge(&mut body, order);
        self.api.control(&format!("{}/_control/pay", self.broker.simulators.url(psp)), &body).await
    }

    /// The provider sends an event, whatever its own state.
    ///
    /// # Errors
    /// The simulator's.
    pub async fn event(&self, psp: &str, body: Value) -> Result<Answer, Failure> {
        self.api.control(&format!("{}/_control/webhook", self.broker.simulators.url(psp)), &body).await
    }

    /// Scripts a fault of a simulator.
    ///
    /// # Errors
    /// The simulator's.
    pub async fn fault(&self, simulator: &str, fault: Value) -> Result<(), Failure> {
        self.api
            .control(&format!("{}/_control/faults", self.broker.simulators.url(simulator)), &json!([fault]))
            .await?;
        Ok(())
    }

    /// Asks for a withdrawal; its payment id.
    ///
    /// # Errors
    /// A refused request.
    pub async fn withdraw(&self, trader: &Trader, body: &Value) -> Result<String, Failure> {
        let path = format!("/v1/clients/{}/withdrawals", trader.client_id);
        Ok(self.portal(&path, body).await?.expect(201)?.text_at("/payment_id"))
    }

    /// The refunds that Stripe made for a withdrawal.
    ///
    /// # Errors
    /// The connection's.
    pub async fn refunds_of(&self, withdrawal: &str) -> Result<usize, Failure> {
        let state = self.state("stripe", "").await?;
        let refunds = state.get("refunds").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(refunds.iter().filter(|refund| refund.to_string().contains(withdrawal)).count())
    }

    /// A simulator's record.
    ///
    /// # Errors
    /// The connection's.
    pub async fn state(&self, simulator: &str, query: &str) -> Result<Value, Failure> {
        let url = format!("{}/_control/state?{query}", self.broker.simulators.url(simulator));
        Ok(self.api.send(Method::GET, &url, &[], Vec::new()).await?.expect(200)?.json)
    }

    /// Moves the local clock on by a span such as `16m`; whatever falls due on the way is done when this returns.
    ///
    /// # Errors
    /// The connection's, or anything but 200.
    pub async fn pass(&self, span: &str) -> Result<(), Failure> {
        let url = format!("{}/advance", self.broker.host.clock_url());
        self.api.control(&url, &json!({"by": span})).await?;
        Ok(())
    }

    /// Waits for a payment's status.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn payment_in(&self, payment: &str, status: &str) -> Result<Answer, Failure> {
        self.wait(&format!("/v1/payments/{payment}"), |answer| answer.text_at("/status") == status).await
    }

    /// The deals booked for a payment on the trading server.
    ///
    /// # Errors
    /// The connection's.
    pub async fn deals(&self, login: &str, payment: &str) -> Result<usize, Failure> {
        let state = self.state("mt5", &format!("login={login}")).await?;
        let deals = state.get("deals").and_then(Value::as_array).cloned().unwrap_or_default();
        let ours = |deal: &&Value| deal.to_string().contains(payment);
        Ok(deals.iter().filter(ours).count())
    }

    /// The open work items of a payment.
    ///
    /// # Errors
    /// The connection's.
    pub async fn work_of(&self, payment: &str) -> Result<Vec<Value>, Failure> {
        let items = self.look("finance", "/v1/work?queue=finance&limit=100").await?.json;
        let items = items.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let ours = |item: &Value| item.pointer("/subject/payment_id").and_then(Value::as_str) == Some(payment);
        Ok(items.into_iter().filter(ours).collect())
    }
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

/// The statuses of a payment's timeline.
pub fn stages(payment: &Answer) -> Vec<String> {
    let timeline = payment.json.get("timeline").and_then(Value::as_array).cloned().unwrap_or_default();
    timeline.iter().filter_map(|line| line.get("status").and_then(Value::as_str).map(str::to_owned)).collect()
}

/// Milliseconds between two statuses of a timeline.
pub fn millis_between(payment: &Value, from: &str, to: &str) -> Option<i64> {
    let timeline = payment.get("timeline")?.as_array()?;
    let at = |status: &str| {
        let line = timeline.iter().rev().find(|line| line.get("status").and_then(Value::as_str) == Some(status))?;
        line.get("at")?.as_str()?.parse::<domain::Timestamp>().ok()
    };
    Some(at(to)?.millis_since(at(from)?))
}
