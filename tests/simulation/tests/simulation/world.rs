//! A brokerage whose time is moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broker::api::Answer;
use broker::day::steps::{DeskOf, Trader};
use broker::local::{Broker, Options};
use broker::rules;
use domain::Timestamp;
use domain::account::{Account, AccountStatus};
use domain::entity::{self, Entity, EntityId as _};
use domain::payment::Deposit;
use domain::rule_sets::SetName;
use domain::work::WorkItem;
use host::{InvokeError, LocalTime, SystemClock};
use runtime::Clock as _;
use serde_json::{Value, json};
use store::{JournalEntry, Stored};

use crate::killer::Killer;
use crate::servers::{MT5, Server};

/// Longer than functions keep rules and secrets.
const CACHES_ARE_STALE: Duration = Duration::from_secs(301);
/// The timer's period.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The timer that looks for what is due.
pub const TIMER: &str = "ops-timers";
/// Longer than a request keeps its idempotency key to itself.
const LEASE_IS_OVER: Duration = Duration::from_secs(31);
/// How often a portal tries.
const TRIES_MAX: usize = 10;
/// Rounds in which whatever still waits must come to its end.
const ROUNDS_MAX: usize = 200;

/// A client with an open account.
#[derive(Debug, Clone)]
pub struct Customer {
    pub trader: Trader,
    pub email: String,
    pub currency: String,
    /// Where the account is.
    pub server: &'static Server,
}

/// The brokerage.
pub struct World {
    pub broker: Arc<Broker>,
    pub desk: DeskOf<Arc<Broker>>,
    pub time: LocalTime,
    pub killer: Arc<Killer>,
    platforms: Value,
    count: AtomicU64,
}

impl World {
    pub async fn start() -> Self {
        let killer = Arc::new(Killer::default());
        Self::with(
            LocalTime::standing(SystemClock.now()),
            killer.clone(),
            Options { probe: Some(killer), ..Options::default() },
        )
        .await
    }

    pub async fn with(time: LocalTime, killer: Arc<Killer>, options: Options) -> Self {
        let options = Options { manual_schedules: true, time: Some(time.clone()), ..options };
        let adjust = options.adjust;
        let broker = Arc::new(Broker::start(options).await.unwrap());
        let mut platforms = broker.rule_document(SetName::Platforms).unwrap();
        if let Some(adjust) = adjust {
            adjust(SetName::Platforms, &mut platforms);
        }
        Self { desk: DeskOf::new(Arc::clone(&broker)), broker, time, killer, platforms, count: AtomicU64::new(2) }
    }

    /// A number that no call before got.
    pub fn fresh(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    pub async fn idle(&self) {
        self.broker.host.idle().await;
    }

    /// A client with an open account on MetaTrader 5.
    pub async fn customer(&self, currency: &str) -> Customer {
        self.customer_at(&MT5, currency).await
    }

    /// A client with an open account.
    pub async fn customer_at(&self, server: &'static Server, currency: &str) -> Customer {
        let mut customer = self.applicant(server, currency).await;
        let account = async || {
            self.broker.crm().load::<Account>(&customer.trader.account_id.parse().unwrap()).await.unwrap().unwrap()
        };
        self.until("open", 30, async || account().await.entity.facts.status == AccountStatus::Open).await;
        let login = account().await.entity.facts.login;
        customer.trader.login = login.unwrap();
        customer
    }

    /// A client who has asked for an account.
    async fn applicant(&self, server: &'static Server, currency: &str) -> Customer {
        let name = format!("Client {}", self.fresh());
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let person = json!({
            "email": email, "full_name": name, "date_of_birth": "1990-05-17", "residence": "ES", "nationality": "MX",
            "language": "en",
        });
        let client_id = self.insist("/v1/clients", &person, 201).await.text_at("/client_id");
        let account = json!({
            "platform": server.name, "account_type": "standard", "currency": currency, "leverage": 30, "kind": "live",
        });
        let path = format!("/v1/clients/{client_id}/accounts");
        let account_id = self.insist(&path, &account, 202).await.text_at("/account_id");
        Customer {
            trader: Trader { client_id, account_id, login: String::new() },
            email,
            currency: currency.to_owned(),
            server,
        }
    }

    /// Asks as the portal under one key until there is an answer, and then once more for the same.
    pub async fn insist(&self, path: &str, body: &Value, wanted: u16) -> Answer {
        let key = format!("key-{}", self.fresh());
        let mut first: Option<Answer> = None;
        for tried in 0..TRIES_MAX {
            let asked = self.desk.api.post(&self.broker.url(path), self.broker.token("portal"), &key, body).await;
            let answer = asked.unwrap();
            assert!(tried > 0 || !is_taken(&answer), "{key} is nobody else's: {}", answer.text);
            match (answer.status, first) {
                (status, None) if status == wanted => {
                    first = Some(answer);
                    continue;
                }
                (status, Some(first)) if status == wanted => {
                    assert_eq!(answer.json, first.json, "a repeat gets the first answer");
                    assert!(answer.headers.contains_key("idempotency-replayed"));
                    return first;
                }
                (409 | 500.., known) => first = known,
                _ => panic!("{path}: {}", answer.text),
            }
            self.idle().await;
            self.time.advance(LEASE_IS_OVER).await;
            self.idle().await;
        }
        panic!("no answer from {path} after {TRIES_MAX} tries")
    }

    /// An opened deposit at Stripe.
    pub async fn deposit(&self, customer: &Customer, amount: &str) -> String {
        self.desk.deposit(&customer.trader, amount, "USD", "stripe").await.unwrap()
    }

    /// The payer pays at Stripe; statuses of the webhook's deliveries.
    pub async fn pay(&self, payment: &str, order: Value) -> Vec<u64> {
        let answer = self.desk.pay("stripe", payment, order).await.unwrap();
        statuses(&answer.json)
    }

    /// Stripe sends a payment's last event again.
    pub async fn resend(&self, payment: &str) -> Vec<u64> {
        let url = format!("{}/_control/resend", self.broker.simulators.url("stripe"));
        statuses(&self.desk.api.control(&url, &json!({"payment_id": payment})).await.unwrap().json)
    }

    /// Every function starts as a new process does: nothing it kept is fresh, and the trading server is connected anew.
    pub async fn cold(&self) {
        let version = self.fresh();
        let published =
            rules::publish(&self.broker.rules(), SetName::Platforms, version, &self.platforms, self.now()).await;
        assert!(published.unwrap(), "version {version} was there");
        self.time.advance(CACHES_ARE_STALE).await;
    }

    /// The timer fires if there is anything for it to find.
    pub async fn sweep(&self) -> Result<(), InvokeError> {
        if self.broker.host.earliest_due(TIMER).await.is_none_or(|at| at > self.now()) {
            return Ok(());
        }
        let fired = self.broker.host.fire_schedule(TIMER).await;
        self.idle().await;
        fired.map(drop)
    }

    /// Time passes, the timer fires each minute in which it can find anything.
    pub async fn minute(&self) {
        self.time.advance(MINUTE).await;
        self.idle().await;
        // a killed timer fires again in a minute
        drop(self.sweep().await);
    }

    /// Minutes pass until it is as wanted.
    pub async fn until(&self, what: &str, minutes: usize, wanted: impl AsyncFn() -> bool) {
        self.idle().await;
        for _ in 0..minutes {
            if wanted().await {
                return;
            }
            self.minute().await;
        }
        assert!(wanted().await, "not {what} after {minutes} minutes");
    }

    /// Time passes until no message waits any more.
    pub async fn drain(&self) {
        self.idle().await;
        for _ in 0..ROUNDS_MAX {
            let Some(next) = self.time.next() else { return };
            let rest = u64::try_from(next.millis_since(self.now())).unwrap_or(0);
            self.time.advance(Duration::from_millis(rest)).await;
            self.idle().await;
        }
        panic!("messages still wait: {:?}", self.broker.host.queue_depths());
    }

    pub async fn load(&self, payment: &str) -> Stored<Deposit> {
        self.broker.money().load(&payment.parse().unwrap()).await.unwrap().unwrap()
    }

    pub async fn status(&self, payment: &str) -> &'static str {
        self.load(payment).await.entity.status().as_str()
    }

    /// The ids of the entities of a table.
    pub async fn ids(&self, table: &str) -> Vec<String> {
        self.items(table).await.iter().map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect()
    }

    /// The items of the entities of a table.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let name = &self.broker.host.template().tables[table].name;
        let scan = self.broker.host.db().request("Scan", &json!({"TableName": name})).await.unwrap();
        assert!(scan["LastEvaluatedKey"].is_null(), "more than one page");
        scan["Items"].as_array().unwrap().iter().filter(|item| !item["outbox"].is_null()).cloned().collect()
    }

    /// How many entities of a table have ids that begin so.
    pub async fn count(&self, table: &str, prefix: &str) -> usize {
        self.ids(table).await.iter().filter(|id| id.starts_with(prefix)).count()
    }

    /// The open work items of every desk.
    pub async fn work(&self) -> Vec<WorkItem> {
        let mut all = Vec::new();
        for queue in ["finance", "support", "compliance", "sales"] {
            let page = self.broker.crm().work(queue, false, 100, None).await.unwrap();
            all.extend(page.items.into_iter().map(|stored| stored.entity));
        }
        all
    }

    /// The open work items about a payment.
    pub async fn work_of(&self, payment: &str) -> Vec<WorkItem> {
        let ours = |item: &WorkItem| item.facts.subject.get("payment_id").and_then(Value::as_str) == Some(payment);
        self.work().await.into_iter().filter(ours).collect()
    }

    /// The deals of a payment on MetaTrader 5: ticket and amount.
    pub async fn deals(&self, login: &str, payment: &str) -> Vec<(String, String)> {
        MT5.deals(self, login, payment).await
    }

    /// The journal of an entity, after it was found complete and unedited up to the entity as it stands.
    pub async fn journal<T: Entity>(&self, stored: &Stored<T>) -> Vec<JournalEntry> {
        let (public, _) = entity::write(&stored.entity).unwrap();
        let head = Head { version: stored.version, hash: stored.hash.0.to_vec(), public };
        self.journal_up_to(stored.entity.id().as_str(), &head).await
    }

    /// The same, up to what stands in the item.
    pub async fn journal_up_to(&self, id: &str, head: &Head) -> Vec<JournalEntry> {
        let entries = self.broker.journal().of_entity(id).await.unwrap();
        assert!(store::verify(&entries), "the journal of {id} is broken");
        let last = entries.last().unwrap_or_else(|| panic!("{id} has no journal"));
        assert_eq!(last.version, head.version, "the journal of {id} is not complete");
        assert_eq!(last.hash.0.to_vec(), head.hash, "the journal of {id} ends with another entry");
        assert_eq!(last.public_text, head.public);
        entries
    }

    /// What a client was told in the portal since a moment: events in the order of the alphabet, for time stands still
    /// between two of them.
    pub async fn told(&self, customer: &Customer, since: Timestamp) -> Vec<String> {
        let client = customer.trader.client_id.parse().unwrap();
        let (messages, _) = self.broker.crm().notifications_of(&client, 100, None).await.unwrap();
        let recent = messages.into_iter().filter(|message| message.at >= since);
        let mut kinds: Vec<String> = recent.map(|message| message.kind).collect();
        kinds.sort();
        kinds
    }

    /// E-mails to an address that name something.
    pub fn mails(&self, email: &str, about: &str) -> usize {
        let mails = self.broker.simulators.mails();
        let ours = mails.iter().filter(|mail| mail.to.iter().any(|to| to == email));
        ours.filter(|mail| mail.text.as_deref().is_some_and(|text| text.contains(about))).count()
    }
}

/// What stands in an entity's item.
pub struct Head {
    pub version: u64,
    pub hash: Vec<u8>,
    pub public: String,
}

/// Whether it is refused because somebody else is at work under its key.
pub fn is_taken(answer: &Answer) -> bool {
    answer.status == 409 && answer.text.contains("still running")
}

fn statuses(answer: &Value) -> Vec<u64> {
    let deliveries = answer["deliveries"].as_array().unwrap();
    // 0: no answer at all
    deliveries.iter().map(|delivery| delivery["status"].as_u64().unwrap_or(0)).collect()
}
