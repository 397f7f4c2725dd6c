//! What a portal, a payer and staff do, one call each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use broker::api::Answer;
use host::SystemEntropy;
use http::Method;
use runtime::Entropy as _;
use serde_json::{Value, json};

use crate::deployment::Deployment;

/// Between the first two looks at something that is expected to change; later ones are further apart.
const LOOK: Duration = Duration::from_millis(20);
/// Between two looks at something that takes long.
const LOOK_SELDOM: Duration = Duration::from_millis(500);
/// Longest wait for a change.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client with an open trading account.
pub struct Trader {
    pub client: String,
    pub account: String,
    pub login: String,
    pub email: String,
    pub currency: String,
}

/// A text that no other call uses.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{:x}", SystemEntropy.id_bits())
}

/// Looks until it is there.
///
/// # Panics
/// When it takes too long; with what was seen last.
pub async fn until<T>(what: &str, patience: Duration, look: impl AsyncFn() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if began.elapsed() > patience => panic!("{what}: not within {patience:?}; seen last: {seen}"),
            // a tenth of the time so far: whoever waits long must not keep the machine busy
            Err(_) => tokio::time::sleep((began.elapsed() / 10).clamp(LOOK, LOOK_SELDOM)).await,
        }
    }
}

/// A list that an answer holds under `items`.
pub fn items(answer: &Answer) -> &[Value] {
    answer.json.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text member; empty if it is not there.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The statuses of a payment's timeline.
pub fn stages(payment: &Answer) -> Vec<&str> {
    let timeline = payment.json.get("timeline").and_then(Value::as_array);
    timeline.into_iter().flatten().map(|line| text(line, "/status")).collect()
}

impl Deployment {
    /// A `POST` of the portal under a fresh idempotency key.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_as("portal", path, body).await
    }

    /// A `POST` of somebody under a fresh idempotency key.
    pub async fn post_as(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.http.post(&self.url(path), &self.token(who), &unique("e2e"), body).await.unwrap()
    }

    /// A `GET` of somebody that is answered 200.
    pub async fn look(&self, who: &str, path: &str) -> Answer {
        self.http.get(&self.url(path), &self.token(who)).await.unwrap().expect(200).unwrap()
    }

    /// Looks at a resource until it is as wanted.
    pub async fn wait(&self, who: &str, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        self.wait_for(PATIENCE, who, path, wanted).await
    }

    /// Looks at a resource until it is as wanted, no longer than given.
    pub async fn wait_for(
        &self,
        patience: Duration,
        who: &str,
        path: &str,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Answer {
        let look = async || {
            let answer = self.look(who, path).await;
            if wanted(&answer) { Ok(answer) } else { Err(answer.text) }
        };
        until(path, patience, look).await
    }

    /// Registers a client and opens a live account on the trading server.
    pub async fn trader(&self, name: &str, language: &str, currency: &str) -> Trader {
        let email = format!("{}@example.com", unique(&name.to_lowercase().replace(' ', ".")));
        let body = json!({
            "email": email, "full_name": name, "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX",
            "language": language,
        });
        let client = self.post("/v1/clients", &body).await.expect(201).unwrap().text_at("/client_id");
        let body = json!({"platform": "mt5", "account_type": "standard", "currency": currency, "leverage": 30});
        let accounts = format!("/v1/clients/{client}/accounts");
        let account = self.post(&accounts, &body).await.expect(202).unwrap().text_at("/account_id");
        let open = self.wait("portal", &accounts, |answer| answer.text_at("/items/0/status") == "open").await;
        Trader { client, account, login: open.text_at("/items/0/login"), email, currency: currency.to_owned() }
    }

    /// What a deposit of a trader asks for.
    pub fn order(&self, trader: &Trader, amount: &str, psp: &str) -> (String, Value) {
        let body = json!({
            "account_id": trader.account, "amount": {"amount": amount, "currency": trader.currency}, "psp": psp,
            "return_url": "https://portal.example.com/done",
        });
        (format!("/v1/clients/{}/deposits", trader.client), body)
    }

    /// Opens a deposit; its payment id.
    pub async fn deposit(&self, trader: &Trader, amount: &str, psp: &str) -> String {
        let (path, body) = self.order(trader, amount, psp);
        self.post(&path, &body).await.expect(201).unwrap().text_at("/payment_id")
    }

    /// The payer pays at the provider, which signs and sends its webhook as `order` says.
    pub async fn pay(&self, psp: &str, payment: &str, order: &Value) -> Answer {
        let mut body = BTreeMap::from([("payment_id", json!(payment)), ("outcome", json!("succeeded"))]);
        for (name, value) in order.as_object().unwrap() {
            body.insert(name, value.clone());
        }
        let url = format!("{}/_control/pay", self.simulators.url(psp));
        self.http.control(&url, &json!(body)).await.unwrap()
    }

    /// A simulator's record.
    pub async fn state(&self, simulator: &str, query: &str) -> Value {
        let url = format!("{}/_control/state?{query}", self.simulators.url(simulator));
        self.http.send(Method::GET, &url, &[], Vec::new()).await.unwrap().expect(200).unwrap().json
    }

    /// Waits for a payment's status.
    pub async fn payment_in(&self, payment: &str, status: &str) -> Answer {
        self.wait("portal", &format!("/v1/payments/{payment}"), |answer| answer.text_at("/status") == status).await
    }

    /// The deals booked for a payment on the trading server.
    pub async fn deals(&self, trader: &Trader, payment: &str) -> Vec<Value> {
        let state = self.state("mt5", &format!("login={}", trader.login)).await;
        let deals = state.get("deals").and_then(Value::as_array).cloned().unwrap_or_default();
        deals.into_iter().filter(|deal| text(deal, "/Comment").contains(payment)).collect()
    }

    /// Waits for the journal of an entity to have a function's entry, and to be complete up to it.
    pub async fn journal(&self, entity: &str, entries: usize) -> Answer {
        let path = format!("/v1/journal?entity={entity}");
        self.wait("admin", &path, |answer| items(answer).len() >= entries).await
    }

    /// The open work items that a queue has about a payment.
    pub async fn work(&self, queue: &str, about: &str) -> Vec<Value> {
        let answer = self.look("admin", &format!("/v1/work?queue={queue}&limit=100")).await;
        items(&answer).iter().filter(|item| item["subject"].to_string().contains(about)).cloned().collect()
    }

    /// Waits for a message in the desks' chat that says something about a work item.
    pub async fn chat(&self, about: &str) -> String {
        let look = async || {
            let state = self.state("slack", "part=messages").await;
            let messages = state.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
            let told = messages.iter().map(|m| text(m, "/message/text")).find(|told| told.contains(about));
            told.map(str::to_owned).ok_or_else(|| format!("{} other messages", messages.len()))
        };
        until("a message in the desk's chat", PATIENCE, look).await
    }

    /// Waits for a mail to somebody that says something.
    pub async fn mail(&self, to: &str, says: &str) -> Value {
        self.mail_within(PATIENCE, to, says).await
    }

    /// Waits for a mail to somebody that says something, no longer than given.
    pub async fn mail_within(&self, patience: Duration, to: &str, says: &str) -> Value {
        let url = format!("{}/_aws/ses", self.endpoint);
        let look = async || {
            let sent = self.http.send(Method::GET, &url, &[], Vec::new()).await.unwrap().expect(200).unwrap();
            let messages = sent.json.get("messages").and_then(Value::as_array).cloned().unwrap_or_default();
            let ours: Vec<Value> = messages.into_iter().filter(|mail| mail.to_string().contains(to)).collect();
            let found = ours.iter().find(|mail| mail.to_string().contains(says)).cloned();
            found.ok_or_else(|| format!("{ours:?}"))
        };
        until("a mail", patience, look).await
    }
}
