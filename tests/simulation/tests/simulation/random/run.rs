//! One run: rounds in which many things happen at once, then calm, then a clerk who decides what is left.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::entity::{TableName, timed_families};
use domain::payment::DepositStatus;
use domain::withdrawal::WithdrawalStatus;
use domain::work::{WorkItem, WorkStatus};
use futures::FutureExt as _;
use futures::future::{join, join_all};
use host::{LocalTime, SystemClock};
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};
use store::{DUE_SHARDS, JournalEntry};

use super::chaos::Chaos;
use super::deposit::Played;
use super::invariants;
use super::rng::Rng;
use super::script::{CURRENCIES, Script};
use super::stray::Stray;
use super::withdrawal::Leaving;
use crate::killer::Killer;
use crate::platform::latest_s;
use crate::servers::SERVERS;
use crate::world::{Customer, MINUTE, World};

const DEPOSITS: usize = 14;
const WITHDRAWALS: usize = 6;
/// Rounds of chaos; scripts that are longer are played to their ends in the calm.
const ROUNDS: usize = 30;
/// Steps of the calm: each is a moment at which something is due.
const STEPS_MAX: usize = 400;
/// How often the clerk looks through the items.
const CLERK_ROUNDS: usize = 6;
/// Seconds that pass between two rounds.
const PAUSES_S: [u64; 9] = [1, 2, 5, 20, 35, 60, 120, 200, 600];
/// Farther than anything can be due.
const FAR_S: u32 = 30 * 86_400;

/// What happens to a vendor's next calls.
const VENDOR_FAULTS: [(&str, &str, &str); 56] = [
    ("mt5", "deal_get_total", "drop"),
    ("mt5", "deal_get_page", "garbage"),
    ("mt5", "deal_get_page", "no_rows"),
    ("mt5", "deal_get_page", "not_found"),
    ("mt5", "deal_get_total", "no_rows_in_all"),
    ("mt5", "deal_get_total", "not_found"),
    ("mt5", "time_server", "drop"),
    ("mt5", "auth_start", "drop"),
    ("mt5", "auth_answer", "drop"),
    ("mt4", "token", "drop"),
    ("mt4", "server_time", "drop"),
    ("mt4", "trades_user_history", "drop"),
    ("mt4", "trades_user_history", "garbage"),
    ("mt4", "adm_users_request_safe", "garbage"),
    ("ctrader", "token", "drop"),
    ("ctrader", "manager_auth", "drop"),
    ("ctrader", "manager_history", "garbage"),
    ("ctrader", "trader_list", "garbage"),
    ("dxtrade", "login", "drop"),
    ("dxtrade", "login", "garbage"),
    ("dxtrade", "transfers", "drop"),
    ("dxtrade", "transfers", "not_there"),
    ("dxtrade", "account_get", "drop"),
    ("stripe", "create_intent", "apply_then_drop"),
    ("stripe", "create_intent", "drop"),
    ("stripe", "get_intent", "drop"),
    ("praxis", "cashier", "apply_then_drop"),
    ("praxis", "find_order", "drop"),
    ("stripe", "create_refund", "apply_then_drop"),
    ("stripe", "create_refund", "drop"),
    ("stripe", "create_refund", "refused"),
    ("mt5", "trade_balance", "apply_then_drop"),
    ("mt4", "trade_transaction", "apply_then_drop"),
    ("ctrader", "changebalance", "apply_then_drop"),
    ("stripe", "list_refunds", "drop"),
    ("skrill", "prepare", "drop"),
    ("skrill", "query", "drop"),
    ("skrill", "query", "garbage"),
    ("coinspaid", "take_address", "apply_then_drop"),
    ("coinspaid", "transaction_info", "drop"),
    ("adyen", "payment_link", "apply_then_drop"),
    ("adyen", "payment_link", "drop"),
    ("checkout", "hosted_payment", "apply_then_drop"),
    ("checkout", "list_payments", "drop"),
    ("checkout", "list_payments", "garbage"),
    ("checkout", "get_payment", "drop"),
    ("nuvei", "transaction_details", "drop"),
    ("nuvei", "transaction_details", "garbage"),
    ("paysafe", "create_handle", "apply_then_drop"),
    ("paysafe", "list_handles", "drop"),
    ("paysafe", "list_payments", "drop"),
    ("rates", "quote", "drop"),
    ("rates", "quote", "garbage"),
    ("rates", "ecb", "drop"),
    ("slack", "message", "drop"),
    ("mail", "SendEmail", "drop"),
];

/// Whoever has faults scripted, besides the platforms.
const VENDORS: [&str; 11] =
    ["stripe", "praxis", "skrill", "coinspaid", "adyen", "checkout", "nuvei", "paysafe", "rates", "slack", "mail"];

/// How the trading server may write its time.
const CLOCK_FORMS: [&str; 4] = ["seconds", "milliseconds", "date", "date_time"];

fn fault(kind: &str) -> Value {
    let says = |answer: Value| json!({"kind": "answer", "body": {"retcode": "0 Done", "answer": answer}});
    match kind {
        "no_rows" => says(json!([])),
        "no_rows_in_all" => says(json!({"total": "0"})),
        "not_found" => json!({"kind": "refuse", "retcode": 13}),
        "refused" => json!({"kind": "refuse", "status": 400, "code": "charge_disputed"}),
        "not_there" => json!({"kind": "refuse", "status": 404, "retcode": 20}),
        kind => json!({"kind": kind}),
    }
}

/// A run.
pub struct Run {
    pub world: World,
    pub chaos: Arc<Chaos>,
    pub customers: Vec<Customer>,
    pub deposits: Vec<Played>,
    pub withdrawals: Vec<Leaving>,
    pub stray: Stray,
    /// What the clerk was asked.
    asked: BTreeMap<String, u64>,
}

/// Plays a seed and checks what must hold.
pub async fn run(seed: u64) {
    let began = Instant::now();
    let mut run = Run::start(seed).await;
    let start = run.world.now();
    if let Err(broken) = AssertUnwindSafe(run.play(seed)).catch_unwind().await {
        run.tell(seed, start).await;
        std::panic::resume_unwind(broken);
    }
    let statuses = join_all(run.deposits.iter().map(|deposit| deposit.stored(&run.world))).await;
    let statuses: Vec<&str> = statuses.iter().map(|stored| stored.entity.status().as_str()).collect();
    let asked_for = run.withdrawals.iter().filter(|own| own.payment.is_some());
    let left = join_all(asked_for.map(|own| own.stored(&run.world))).await;
    let left: Vec<&str> = left.iter().map(|stored| stored.entity.status().as_str()).collect();
    let minutes = run.world.now().millis_since(start) / 60_000;
    let took = began.elapsed();
    eprintln!(
        "seed {seed}: {minutes} minutes on {:?} in {took:.1?}, met {:?}, asked {:?}, {statuses:?}, {left:?}",
        run.customers.iter().map(|customer| customer.server.name).collect::<Vec<_>>(),
        run.chaos.met(),
        run.asked
    );
}

impl Run {
    async fn play(&mut self, seed: u64) {
        self.storm(seed).await;
        self.calm().await;
        invariants::hold(self).await;
        self.decide().await;
        invariants::hold(self).await;
        invariants::is_over(self).await;
    }

    /// What became of each payment, and what killed whom.
    async fn tell(&self, seed: u64, start: Timestamp) {
        let deposits = self.deposits.iter().map(|own| (own.payment.as_ref(), own.script.customer, "deposit"));
        let leaving = self.withdrawals.iter().map(|own| (own.payment.as_ref(), own.customer, "withdrawal"));
        let mut lines = vec![format!("seed {seed}: met {:?}, asked {:?}", self.chaos.met(), self.asked)];
        for (payment, customer, kind) in deposits.chain(leaving) {
            let (Some(payment), customer) = (payment, &self.customers[customer]) else { continue };
            let journal = self.world.broker.journal().of_entity(payment).await.unwrap();
            let version = |entry: &JournalEntry| {
                format!("+{}s {}", (entry.record.at_ms - start.millis()) / 1_000, entry.record.outcome)
            };
            let way: Vec<String> = journal.iter().map(version).collect();
            let deals = customer.server.deals(&self.world, &customer.trader.login, payment).await;
            let work = self.world.work_of(payment).await.into_iter().map(|item| item.facts.kind);
            let work: Vec<String> = work.collect();
            lines.push(format!(
                "{kind} {payment} of {} {}: {}; deals {deals:?}; work {work:?}",
                customer.trader.login,
                customer.server.name,
                way.join(", ")
            ));
        }
        eprintln!("{}", lines.join("\n"));
    }

    async fn start(seed: u64) -> Self {
        let chaos = Arc::new(Chaos::new(seed));
        let options = broker::local::Options {
            probe: Some(chaos.clone()),
            delivery: Some(chaos.clone()),
            serves_here: Some(seed),
            ..broker::local::Options::default()
        };
        let time = LocalTime::standing(SystemClock.now());
        let world = World::with(time, Arc::new(Killer::default()), options).await;
        let mut rng = Rng::new(seed, "accounts");
        let mut customers = Vec::new();
        for currency in CURRENCIES {
            let server = *rng.pick(&SERVERS);
            if rng.percent(50) {
                let kinds = ["apply_then_drop", "drop", "apply_then_garbage", "drop_then_apply"];
                let mut fault = json!({"kind": rng.pick(&kinds)});
                if fault["kind"] == "drop_then_apply" {
                    fault["ms"] = json!(1_000 * (1 + rng.below(latest_s(&world, "accounts-create"))));
                }
                server.fault(&world, json!({"operation": server.create, "fault": fault})).await;
            }
            if server.name == "ctrader" && rng.percent(50) {
                let (step, kind) = (rng.pick(&["ctid_create", "ctid_link"]), rng.pick(&["drop", "apply_then_drop"]));
                server.fault(&world, json!({"operation": step, "fault": {"kind": kind}})).await;
            }
            customers.push(world.customer_at(server, currency).await);
        }
        let mut rng = Rng::new(seed, "scripts");
        let scripts = (0..DEPOSITS).map(|number| Played::new(Script::draw(&mut rng), number));
        let deposits: Vec<Played> = scripts.collect();
        let mut rng = Rng::new(seed, "withdrawals");
        let withdrawals = (0..WITHDRAWALS).filter_map(|number| Leaving::draw(&mut rng, &deposits, number)).collect();
        Self { world, chaos, customers, deposits, withdrawals, stray: Stray::new(), asked: BTreeMap::new() }
    }

    async fn is_played(&self) -> bool {
        for own in &self.withdrawals {
            if !own.is_played(&self.world, self.deposits[own.source].payment.as_deref()).await {
                return false;
            }
        }
        self.stray.is_taken() && self.deposits.iter().all(|deposit| deposit.script.acts.is_empty())
    }

    /// Some of the deposits and withdrawals do their next act, all at once.
    async fn act(&mut self, mut joins: impl FnMut() -> bool) {
        let (world, customers) = (&self.world, &self.customers);
        if !self.stray.is_taken() && joins() {
            self.stray.act(world).await;
        }
        let sources: Vec<Option<String>> = self.deposits.iter().map(|deposit| deposit.payment.clone()).collect();
        let turn: Vec<&mut Played> = self.deposits.iter_mut().filter(|_| joins()).collect();
        let leaving = self.withdrawals.iter_mut().filter(|_| joins());
        let leaving = leaving.map(|own| {
            let source = sources[own.source].as_deref();
            own.act(world, customers, source)
        });
        join(join_all(turn.into_iter().map(|deposit| deposit.act(world, customers))), join_all(leaving)).await;
        world.idle().await;
    }

    async fn storm(&mut self, seed: u64) {
        let mut who = Rng::new(seed, "who acts");
        let mut rng = Rng::new(seed, "rounds");
        for _ in 0..ROUNDS {
            self.disturb(&mut rng).await;
            if rng.percent(25) {
                self.clerk().await;
            }
            self.act(|| who.percent(60)).await;
            self.world.time.advance(Duration::from_secs(*rng.pick(&PAUSES_S))).await;
            self.world.idle().await;
            if rng.percent(60) {
                // a timer that died fires again
                drop(self.world.sweep().await);
            }
        }
    }

    async fn disturb(&self, rng: &mut Rng) {
        if rng.percent(30) {
            let (vendor, operation, kind) = *rng.pick(&VENDOR_FAULTS);
            let fault = json!([{"operation": operation, "fault": fault(kind), "times": 1 + rng.below(2)}]);
            self.control(vendor, "faults", &fault).await;
        }
        if rng.percent(10) {
            let pair = format!("{}/{}", rng.pick(&CURRENCIES), rng.pick(&CURRENCIES));
            let old = "2026-01-05T12:00:00Z";
            let told = [json!({"at": old}), json!({"at": null}), json!({pair.clone(): "0"}), json!({pair: null})];
            self.rates(rng.pick(&told)).await;
        }
        if rng.percent(10) {
            self.control("mt5", "time", &json!({"form": rng.pick(&CLOCK_FORMS)})).await;
            for server in SERVERS {
                server.control(&self.world, server.logout, &Value::Null).await;
            }
        }
    }

    /// The sources of rates say something else from now on.
    async fn rates(&self, told: &Value) {
        let url = format!("{}/_control/rates", self.world.broker.simulators.url("rates"));
        self.world.desk.api.send_json(Method::PUT, &url, "", told).await.unwrap().expect(200).unwrap();
    }

    async fn control(&self, vendor: &str, route: &str, body: &Value) {
        let url = format!("{}/_control/{route}", self.world.broker.simulators.url(vendor));
        self.world.desk.api.control(&url, body).await.unwrap();
    }

    /// Nothing goes wrong any more, and time passes until nothing is left to be done.
    async fn calm(&mut self) {
        self.chaos.end();
        let platforms = SERVERS.map(|server| server.name);
        self.control("rates", "reset", &Value::Null).await;
        for vendor in platforms.into_iter().chain(VENDORS) {
            let url = format!("{}/_control/faults", self.world.broker.simulators.url(vendor));
            self.world.desk.api.send(Method::DELETE, &url, &[], Vec::new()).await.unwrap().expect(200).unwrap();
        }
        self.world.idle().await;
        for _ in 0..STEPS_MAX {
            self.act(|| true).await;
            let next = self.next_moment().await;
            match next {
                None if self.is_played().await => return,
                None => drop(self.world.time.advance(MINUTE).await),
                Some(at) => {
                    let wait = u64::try_from(at.millis_since(self.world.now())).unwrap_or(0);
                    self.world.time.advance(Duration::from_millis(wait.max(1_000))).await;
                }
            }
            self.world.idle().await;
            self.world.sweep().await.unwrap();
        }
        panic!("it never comes to an end: {:?} is due", self.due().await);
    }

    async fn next_moment(&self) -> Option<Timestamp> {
        let due = self.due().await.into_iter().map(|(at, _)| at);
        due.chain(self.world.time.next()).min()
    }

    /// Everything that is due, now or later.
    async fn due(&self) -> Vec<(Timestamp, String)> {
        let far = self.world.now().plus(domain::Seconds(FAR_S));
        let mut all = Vec::new();
        let (crm, money, trades) =
            (self.world.broker.crm().0, self.world.broker.money().0, self.world.broker.trades().0);
        let partners = self.world.broker.partners().0;
        // a server's day is followed by the next, one that differs is compared again for weeks, deals are fetched for ever, who does not trade
        // is written to after weeks, and a case that nobody decides becomes more urgent after days: none of it moves money
        let ends = |family: &&domain::entity::Kind| {
            !matches!(family.family, "server_day" | "settlement" | "trade_feed" | "journey" | "case")
        };
        for family in timed_families().filter(ends) {
            let table = match family.table {
                TableName::Crm => &crm,
                TableName::Money => &money,
                TableName::Trades => &trades,
                TableName::Partners => &partners,
            };
            for shard in 0..DUE_SHARDS {
                let due = table.due(family.family, shard, far, None).await.unwrap();
                assert!(due.next.is_none(), "more than one page");
                all.extend(due.entries.into_iter().map(|entry| (entry.due_at.parse().unwrap(), entry.entity)));
            }
        }
        all
    }

    /// A clerk decides about every payment that waits for a person, and the automation goes on.
    async fn decide(&mut self) {
        for _ in 0..CLERK_ROUNDS {
            let mut waiting = 0;
            for deposit in &self.deposits {
                let stored = deposit.stored(&self.world).await;
                if stored.entity.status() == DepositStatus::NeedsReview {
                    waiting += 1;
                    drop(invariants::item_waited_for(&self.world, &stored).await);
                }
            }
            for own in self.withdrawals.iter().filter(|own| own.payment.is_some()) {
                let stored = own.stored(&self.world).await;
                if matches!(stored.entity.status(), WithdrawalStatus::Requested | WithdrawalStatus::NeedsReview) {
                    waiting += 1;
                    let items = own.items_waited_for(&self.world, &stored).await;
                    assert_eq!(items.len(), 1, "{} waits for {:?}", stored.entity.id, stored.entity.inner.held);
                }
            }
            if waiting == 0 {
                return;
            }
            self.clerk().await;
            self.calm().await;
        }
    }

    /// A clerk goes through what deposits and withdrawals wait for.
    async fn clerk(&mut self) {
        for deposit in self.deposits.iter_mut().filter(|deposit| deposit.payment.is_some()) {
            let stored = deposit.stored(&self.world).await;
            let items = invariants::items_waited_for(&self.world, &stored).await;
            let Some(item) = items.first() else { continue };
            *self.asked.entry(item.facts.kind.clone()).or_default() += 1;
            let customer = &self.customers[deposit.script.customer];
            let deals = customer.server.deals(&self.world, &customer.trader.login, stored.entity.id.as_str()).await;
            let decision = decision(&item.facts.kind, deals.first(), deposit);
            act(&self.world, item, &decision, self.chaos.is_on()).await;
        }
        for own in self.withdrawals.iter().filter(|own| own.payment.is_some()) {
            let stored = own.stored(&self.world).await;
            let items = own.items_waited_for(&self.world, &stored).await;
            let Some(item) = items.first() else { continue };
            *self.asked.entry(item.facts.kind.clone()).or_default() += 1;
            let decision = own.decision(&self.world, &self.customers[own.customer], item).await;
            act(&self.world, item, &decision, self.chaos.is_on()).await;
        }
        self.world.idle().await;
    }
}

/// What the runbooks say.
fn decision(kind: &str, deal: Option<&(String, String)>, deposit: &mut Played) -> Value {
    match (kind, deal) {
        ("credit_unresolved", Some((ticket, _))) => json!({"action": "mark_credited", "evidence": ticket}),
        ("credit_unresolved" | "credit_refused", None) => {
            json!({"action": "mark_not_credited_retry", "note": "looked"})
        }
        (
            "deposit_underpaid"
            | "deposit_overpaid"
            | "deposit_paid_after_failure"
            | "deposit_failed_after_success"
            | "deposit_reinstated",
            _,
        ) => json!({"action": "credit_paid_amount", "note": "agreed"}),
        // nobody agreed to a rate
        ("deposit_currency_mismatch", None) if deposit.script.is_converted() => {
            deposit.given_back = true;
            // a refund is the proof of one payment alone
            json!({"action": "refund_at_psp", "evidence": format!("re_of_{}", deposit.payment.as_deref().unwrap())})
        }
        ("deposit_overdue", _) if deposit.is_found_collected() => {
            json!({"action": "keep_waiting", "note": "told again"})
        }
        ("deposit_overdue" | "deposit_currency_mismatch" | "deposit_unknown_reference", _) => {
            json!({"action": "close_without_credit", "note": "nothing there"})
        }
        (kind, deal) => panic!("no page for {kind} with {deal:?}"),
    }
}

/// Who gets no answer looks at the item another time. What needs two people gets them.
async fn act(world: &World, item: &WorkItem, decision: &Value, disturbed: bool) {
    let url = world.broker.url(&format!("/v1/work/{}/actions", item.id));
    let mut is_proposed = item.facts.status == WorkStatus::Proposed;
    let made = [json!({"action": "claim"}), decision.clone()];
    for body in made.iter().filter(|_| item.facts.status != WorkStatus::Proposed) {
        let answer = world.desk.api.post(&url, world.broker.token("finance"), "unused", body).await.unwrap();
        assert!(matches!(answer.status, 200 | 409 | 500..), "{}", answer.text);
        is_proposed = answer.status == 200 && answer.json["status"] == "proposed";
    }
    if is_proposed {
        let approve = json!({"action": "approve"});
        let own = world.desk.api.post(&url, world.broker.token("finance"), "unused", &approve).await.unwrap();
        let refused = own.status == 403 || (disturbed && matches!(own.status, 409 | 500..));
        assert!(refused, "nobody approves his own word: {}", own.text);
        let answer = world.desk.api.post(&url, world.broker.token("finance_2"), "unused", &approve).await.unwrap();
        assert!(matches!(answer.status, 200 | 409 | 500..), "{}", answer.text);
    }
}
