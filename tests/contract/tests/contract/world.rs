//! A brokerage of a test's own, and what an outside caller does with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broker::api::{Answer, Api};
use broker::local::{Broker, Options};
use domain::Timestamp;
use domain::rule_sets::SetName;
use host::LocalTime;
use http::Method;
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use serde_json::{Value, json};

use crate::{openapi, signing};

/// A running brokerage whose timers fire only when asked to.
pub struct World {
    pub broker: Broker,
    api: Api,
    count: AtomicU64,
}

/// The platforms on which accounts can be opened.
pub const PLATFORMS: [&str; 4] = ["mt5", "mt4", "ctrader", "dxtrade"];

/// A client with an open trading account.
#[derive(Debug, Clone)]
pub struct Trader {
    pub client: String,
    pub account: String,
    pub login: String,
    pub currency: String,
}

impl Trader {
    /// The route of the client's withdrawals.
    pub fn withdrawals(&self) -> String {
        format!("/v1/clients/{}/withdrawals", self.client)
    }

    /// The route of the client's deposits.
    pub fn deposits(&self) -> String {
        format!("/v1/clients/{}/deposits", self.client)
    }
}

/// An opened deposit.
#[derive(Debug, Clone)]
pub struct Payment {
    pub id: String,
    /// The provider's id.
    pub reference: String,
}

/// A request.
#[derive(Clone)]
pub struct Call {
    method: Method,
    pub path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: &str, body: &Value) -> Self {
        Self::raw(path, body.to_string()).header("content-type", "application/json")
    }

    pub fn put(path: &str, body: &Value) -> Self {
        Self::json(Method::PUT, path, body)
    }

    pub fn json(method: Method, path: &str, body: &Value) -> Self {
        Self { method, ..Self::post(path, body) }
    }

    /// A `POST` without a content type.
    pub fn raw(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST, path) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
}

/// A header of an answer.
pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

/// The faults of a problem document as `pointer code`, sorted.
pub fn faults(answer: &Answer) -> Vec<String> {
    let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
    let line = |error: &Value| format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap());
    let mut lines: Vec<String> = errors.iter().map(line).collect();
    lines.sort();
    lines
}

/// The `items` of a list.
pub fn items(answer: &Answer) -> Vec<Value> {
    answer.json["items"].as_array().unwrap_or_else(|| panic!("no list: {}", answer.text)).clone()
}

/// Asserts the status with the whole answer as the message.
#[track_caller]
pub fn expect(answer: Answer, status: u16) -> Answer {
    assert_eq!(answer.status, status, "{}", answer.text);
    answer
}

/// Now, in seconds.
pub fn now_s() -> i64 {
    SystemClock.now().seconds()
}

impl World {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        Self::over(Broker::start(Options { manual_schedules: true, ..options }).await.unwrap())
    }

    /// Around a brokerage that was started some other way.
    pub fn over(broker: Broker) -> Self {
        Self { broker, api: Api::default(), count: AtomicU64::new(1) }
    }

    /// A brokerage whose clock shows a moment and runs on from there.
    pub async fn at(at: &str) -> Self {
        let time = LocalTime::showing(at.parse().unwrap());
        Self::with(Options { time: Some(time), ..Options::default() }).await
    }

    /// Now by the brokerage's clock.
    pub fn now(&self) -> Timestamp {
        self.broker.host.time().now()
    }

    /// The same in seconds.
    pub fn now_s(&self) -> i64 {
        self.now().seconds()
    }

    /// Time passes. The timers do not see it: [`Self::sweep`] has them look.
    pub async fn pass(&self, seconds: u64) {
        self.broker.host.time().advance(Duration::from_secs(seconds)).await;
    }

    /// Has the timers fire once and waits until what they set off is done.
    pub async fn sweep(&self) {
        self.broker.host.fire_schedule("ops-timers").await.unwrap();
        self.idle().await;
    }

    /// A number that no call before got.
    pub fn fresh(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and holds the answer against the API's description.
    pub async fn send(&self, call: Call) -> Answer {
        let headers: Vec<(&str, &str)> =
            call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer =
            self.api.send(call.method.clone(), &self.broker.url(&call.path), &headers, call.body).await.unwrap();
        let wrong = openapi::faults(call.method.as_str(), &call.path, &answer);
        assert!(wrong.is_empty(), "{wrong:#?} in {}", answer.text);
        assert!(
            header(&answer, "x-correlation-id").is_some(),
            "{} {} echoes no correlation id",
            call.method,
            call.path
        );
        if answer.status >= 400 && header(&answer, "gt-authentication").is_none() {
            self.check_problem(&answer);
        }
        answer
    }

    fn check_problem(&self, answer: &Answer) {
        assert_eq!(header(answer, "content-type"), Some("application/problem+json"), "{}", answer.text);
        assert_eq!(answer.json["status"], answer.status);
        assert_eq!(answer.json["correlation_id"].as_str(), header(answer, "x-correlation-id"));
        let mut told = answer.json.clone();
        // made of random letters
        told.as_object_mut().unwrap().remove("correlation_id");
        // a fault of a rule file names what stands there
        if let Some(errors) = told["errors"].as_array_mut() {
            errors.retain(|fault| fault["line"].is_null());
        }
        let told = told.to_string().to_lowercase();
        for inside in
            ["dynamo", "crm", "table", "panicked", "src/", ".rs", "lambda", "steperror", "secret", "arn:", "sqs"]
        {
            assert!(!told.contains(inside), "{inside} is an internal name: {told}");
        }
    }

    /// `GET` as somebody of the local installation.
    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(Call::get(path).token(self.broker.token(who))).await
    }

    /// `POST` as somebody, under a fresh idempotency key.
    pub async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        let key = format!("key-{}", self.fresh());
        self.send(Call::post(path, body).token(self.broker.token(who)).key(&key)).await
    }

    /// `POST` as the portal.
    pub async fn portal(&self, path: &str, body: &Value) -> Answer {
        self.post("portal", path, body).await
    }

    /// Sends a file where the answer to an announcement says; the status.
    pub async fn upload(&self, to: &Value, body: Vec<u8>) -> u16 {
        let headers = to["headers"].as_object().unwrap().iter();
        // whoever sends a body says how long it is
        let headers: Vec<(&str, &str)> = headers
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
            .collect();
        let method = to["method"].as_str().unwrap().parse().unwrap();
        self.api.send(method, to["url"].as_str().unwrap(), &headers, body).await.unwrap().status
    }

    /// Steers a simulator.
    pub async fn control(&self, simulator: &str, route: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{route}", self.broker.simulators.url(simulator));
        self.api.control(&url, body).await.unwrap().json
    }

    /// Publishes the next version of a rule set, changed by `change`.
    pub async fn publish(&self, set: SetName, version: u64, change: impl FnOnce(&mut Value)) {
        let mut document = self.broker.rule_document(set).unwrap();
        change(&mut document);
        let at = Timestamp::from_seconds(self.now_s()).unwrap();
        assert!(broker::rules::publish(&self.broker.rules(), set, version, &document, at).await.unwrap());
    }

    /// A token with these roles, bound to a client or not.
    pub fn mint(&self, subject: &str, roles: &[&str], client: Option<&str>) -> String {
        self.broker.host.issuer().mint(subject, roles, client, 600).unwrap()
    }

    /// Waits until nothing is under way.
    pub async fn idle(&self) {
        self.broker.host.idle().await;
    }

    /// Registers a client.
    pub async fn client(&self, language: &str) -> String {
        let mut body = registration();
        body["language"] = json!(language);
        body["email"] = json!(format!("client-{}@example.com", self.fresh()));
        expect(self.portal("/v1/clients", &body).await, 201).text_at("/client_id")
    }

    /// Opens a trading account for a client and waits until it is open.
    pub async fn account(&self, client: &str, currency: &str) -> Trader {
        self.opened(client, account_request(currency)).await
    }

    async fn opened(&self, client: &str, wish: Value) -> Trader {
        let path = format!("/v1/clients/{client}/accounts");
        let account = expect(self.portal(&path, &wish).await, 202).text_at("/account_id");
        self.idle().await;
        let open = expect(self.get("portal", &format!("/v1/accounts/{account}")).await, 200);
        assert_eq!(open.json["status"], "open", "{}", open.text);
        let currency = wish["currency"].as_str().unwrap().to_owned();
        Trader { client: client.to_owned(), account, login: open.text_at("/login"), currency }
    }

    /// A new client with an open account.
    pub async fn trader(&self, currency: &str) -> Trader {
        let client = self.client("en").await;
        self.account(&client, currency).await
    }

    /// A new client with an open account in dollars on a platform.
    pub async fn trader_on(&self, platform: &str) -> Trader {
        let mut wish = account_request("USD");
        wish["platform"] = json!(platform);
        self.opened(&self.client("en").await, wish).await
    }

    /// Opens a deposit.
    pub async fn deposit(&self, trader: &Trader, amount: &str, psp: &str) -> Payment {
        let body = deposit_request(trader, amount, psp);
        let id = expect(self.portal(&trader.deposits(), &body).await, 201).text_at("/payment_id");
        let reference = self.payment(&id).await.text_at("/psp/reference");
        Payment { id, reference }
    }

    /// A payment as staff sees it.
    pub async fn payment(&self, id: &str) -> Answer {
        expect(self.get("support", &format!("/v1/payments/{id}")).await, 200)
    }

    /// A payment's status, after everything under way is done.
    pub async fn status(&self, id: &str) -> String {
        self.idle().await;
        self.payment(id).await.text_at("/status")
    }

    /// Sends an event of Stripe, rightly signed.
    pub async fn stripe(&self, event: &Value) -> Answer {
        let (body, at) = (event.to_string(), self.now_s());
        let signature = signing::stripe_header(self.stripe_secret(), at, &body);
        self.send(stripe_call(body).header("stripe-signature", &signature)).await
    }

    pub fn stripe_secret(&self) -> &str {
        self.broker.webhook_secrets["stripe"].as_str().unwrap()
    }

    /// Sends a notification of Praxis, rightly signed.
    pub async fn praxis(&self, message: &Value) -> Answer {
        let signature = signing::praxis_notification(message, self.praxis_secret());
        self.send(praxis_call(message).header("gt-authentication", &signature)).await
    }

    pub fn praxis_secret(&self) -> &str {
        self.broker.webhook_secrets["praxis"]["secret"].as_str().unwrap()
    }

    /// Stripe's statement about a payment's intent; `amount` in its minor units.
    pub fn intent(&self, payment: &Payment, kind: &str, amount: i64, currency: &str) -> Value {
        let id = format!("evt_{}", self.fresh());
        let received = if kind == "payment_intent.succeeded" { amount } else { 0 };
        json!({
            "id": id, "object": "event", "created": self.now_s(), "type": kind, "livemode": false,
            "data": {"object": {
                "id": payment.reference, "object": "payment_intent", "amount": amount, "amount_received": received,
                "currency": currency, "metadata": {"payment_id": payment.id}, "status": "succeeded",
            }},
        })
    }

    /// Praxis's statement about a payment; `amount` in its units.
    pub fn sale(&self, payment: &Payment, status: &str, amount: i64, currency: &str) -> Value {
        let own = &self.broker.webhook_secrets["praxis"];
        json!({
            "merchant_id": own["merchant_id"], "application_key": own["application_key"], "timestamp": self.now_s(),
            "customer": {"customer_token": "tok-1"},
            "session": {"order_id": payment.id, "auth_token": "a", "currency": currency, "amount": amount},
            "transaction": {
                "transaction_type": "sale", "transaction_status": status, "tid": 700_000 + self.fresh(),
                "transaction_id": "13348", "currency": currency, "amount": amount, "conversion_rate": 1,
                "processed_currency": currency, "processed_amount": amount,
            },
            "version": "1.3",
        })
    }

    /// A dollar deposit that Stripe collected and that is credited.
    pub async fn credited(&self, trader: &Trader, amount: &str, minor: i64) -> Payment {
        let payment = self.deposit(trader, amount, "stripe").await;
        let event = self.intent(&payment, "payment_intent.succeeded", minor, &trader.currency.to_lowercase());
        expect(self.stripe(&event).await, 200);
        assert_eq!(self.status(&payment.id).await, "credited");
        payment
    }

    /// The deals on the trading server that carry a payment's id, as amounts.
    pub async fn deals(&self, trader: &Trader, payment: &Payment) -> Vec<Value> {
        let url = format!("{}/_control/state?login={}", self.broker.simulators.url("mt5"), trader.login);
        let state = self.api.send(Method::GET, &url, &[], Vec::new()).await.unwrap().json;
        let deals = state["deals"].as_array().unwrap().clone();
        deals.into_iter().filter(|deal| deal.to_string().contains(&payment.id)).collect()
    }

    /// Somebody books money on the trading server by hand; the deal's number.
    pub async fn books(&self, trader: &Trader, amount: &str, comment: &str) -> String {
        let login: u64 = trader.login.parse().unwrap();
        let comment = &comment[..comment.len().min(31)];
        let deal = json!({"login": login, "action": 2, "profit": amount, "comment": comment});
        self.control("mt5", "deals", &json!([deal])).await["deals"][0].to_string()
    }

    /// What a simulator recorded.
    pub async fn recorded(&self, simulator: &str, query: &str) -> Value {
        let url = format!("{}/_control/state?{query}", self.broker.simulators.url(simulator));
        self.api.send(Method::GET, &url, &[], Vec::new()).await.unwrap().json
    }

    /// The payer pays at the provider; `order` says how it goes on.
    pub async fn pay(&self, psp: &str, payment: &Payment, order: Value) {
        let outcome = if psp == "praxis" { "approved" } else { "succeeded" };
        let mut body = json!({"payment_id": payment.id, "outcome": outcome});
        body.as_object_mut().unwrap().extend(order.as_object().unwrap().clone());
        self.api.control(&format!("{}/_control/pay", self.broker.simulators.url(psp)), &body).await.unwrap();
    }

    /// Scripts faults of a simulator.
    pub async fn faults(&self, simulator: &str, faults: &Value) {
        let url = format!("{}/_control/faults", self.broker.simulators.url(simulator));
        self.api.control(&url, faults).await.unwrap();
    }

    /// The open work items of finance about a payment.
    pub async fn work_of(&self, payment: &str) -> Vec<Value> {
        self.idle().await;
        let all = items(&expect(self.get("finance", "/v1/work?queue=finance&limit=100").await, 200));
        all.into_iter().filter(|item| item["subject"]["payment_id"] == payment).collect()
    }

    /// Acts on a work item.
    pub async fn act(&self, who: &str, work_id: &str, body: &Value) -> Answer {
        self.send(Call::post(&format!("/v1/work/{work_id}/actions"), body).token(self.broker.token(who))).await
    }

    /// Everything that is stored, by table. Equal before and after means that nothing was written.
    pub async fn stored(&self) -> BTreeMap<String, Vec<String>> {
        self.idle().await;
        let mut all = BTreeMap::new();
        for (name, table) in &self.broker.host.template().tables {
            let scan = self.broker.host.db().request("Scan", &json!({"TableName": table.name})).await.unwrap();
            let mut rows: Vec<String> = scan["Items"].as_array().unwrap().iter().map(Value::to_string).collect();
            rows.sort();
            all.insert(name.clone(), rows);
        }
        all
    }

    /// The next credit is booked and its answer lost, and the deal history is silent until it speaks again.
    pub async fn lose_the_next_credit(&self) {
        let booked = json!({"operation": "trade_balance", "fault": {"kind": "apply_then_drop"}});
        let silent = |operation: &str| json!({"operation": operation, "fault": {"kind": "drop"}, "times": 0});
        let faults = json!([booked, silent("deal_get_total"), silent("deal_get_page"), silent("deal_get_batch")]);
        self.faults("mt5", &faults).await;
    }

    /// Forgets every fault of a simulator.
    pub async fn no_faults(&self, simulator: &str) {
        let url = format!("{}/_control/faults", self.broker.simulators.url(simulator));
        expect(self.api.send(Method::DELETE, &url, &[], Vec::new()).await.unwrap(), 200);
    }

    /// Publishes the second version of the rule set `psps`.
    pub async fn publish_psps(&self, rules: &Value) {
        let published = broker::rules::publish(&self.broker.rules(), SetName::Psps, 2, rules, SystemClock.now()).await;
        assert!(published.unwrap());
    }

    /// How often functions called vendors since the counters were reset.
    pub fn vendor_calls(&self) -> u64 {
        let usage = self.broker.host.usage();
        let vendors = usage.iter().filter(|(key, _)| key.service == host::Service::Vendor && key.function.is_some());
        vendors.filter(|(key, _)| !key.target.contains("jwks")).map(|(_, used)| used.calls).sum()
    }
}

/// A good registration.
pub fn registration() -> Value {
    json!({
        "email": "ana.lopez@example.com", "phone": "+34600111222", "full_name": "Ana López", "date_of_birth": "1990-05-17",
        "residence": "ES", "nationality": "MX", "language": "es",
    })
}

/// A good request for an account.
pub fn account_request(currency: &str) -> Value {
    json!({"platform": "mt5", "account_type": "standard", "currency": currency, "leverage": 30, "kind": "live"})
}

/// A good deposit.
pub fn deposit_request(trader: &Trader, amount: &str, psp: &str) -> Value {
    json!({
        "account_id": trader.account, "amount": {"amount": amount, "currency": trader.currency}, "psp": psp,
        "return_url": "https://portal.example.com/done",
    })
}

/// A delivery to Stripe's route, without a signature.
pub fn stripe_call(body: impl Into<Vec<u8>>) -> Call {
    Call::raw("/v1/webhooks/psp/stripe", body).header("content-type", "application/json; charset=utf-8")
}

/// A delivery to Praxis's route, without a signature.
pub fn praxis_call(message: &Value) -> Call {
    Call::raw("/v1/webhooks/psp/praxis", message.to_string()).header("content-type", "application/json; charset=utf-8")
}
