//! Plays one deposit's script.

use std::collections::BTreeMap;

use domain::payment::Deposit;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use store::Stored;

use super::script::{Act, Mailing, Script, Statement};
use crate::platform::latest_s;
use crate::world::{Customer, World, is_taken};

/// A provider that is not answered sends so often; Praxis signs the time of its first try, so more would not help.
const TELLINGS_MAX: usize = 12;

/// A deposit under way.
pub struct Played {
    pub script: Script,
    key: String,
    /// Somebody has asked under the key.
    asked: bool,
    pub payment: Option<String>,
    /// The provider's ids of its statements.
    events: Vec<String>,
    /// Which of them says that money was collected.
    collected: Option<usize>,
    /// What is with the payer again, by the statement that says so, in the smallest units.
    totals: BTreeMap<usize, u64>,
    /// The newest of them that was accepted.
    returned: Option<usize>,
    tellings: usize,
    /// Its collection was told and accepted, or made while the deposit still waited for it.
    pub must_be_noticed: bool,
    /// A person has given it back at the provider.
    pub given_back: bool,
}

impl Played {
    pub fn new(script: Script, number: usize) -> Self {
        let key = format!("deposit-{number}");
        Self {
            script,
            key,
            asked: false,
            payment: None,
            events: Vec::new(),
            collected: None,
            totals: BTreeMap::new(),
            returned: None,
            tellings: 0,
            must_be_noticed: false,
            given_back: false,
        }
    }

    /// Does the next act; one that does not come through stays the next.
    pub async fn act(&mut self, world: &World, customers: &[Customer]) {
        let Some(act) = self.script.acts.pop_front() else { return };
        match act {
            Act::Open => self.open(world, &customers[self.script.customer]).await,
            Act::Fault(kind, times) => self.fault(world, &customers[self.script.customer], kind, times).await,
            Act::Happen(statement) => self.happen(world, statement).await,
            Act::Tell(mailing) => self.tell(world, mailing).await,
        }
    }

    fn payment(&self) -> &str {
        self.payment.as_deref().unwrap()
    }

    async fn open(&mut self, world: &World, customer: &Customer) {
        let trader = &customer.trader;
        let body = json!({
            "account_id": trader.account_id, "psp": self.script.psp, "return_url": "https://portal.example.com/done",
            "amount": {"amount": self.script.amount.to_string(), "currency": self.script.currency},
        });
        let url = world.broker.url(&format!("/v1/clients/{}/deposits", trader.client_id));
        let answer = world.desk.api.post(&url, world.broker.token("portal"), &self.key, &body).await.unwrap();
        assert!(self.asked || !is_taken(&answer), "{} is nobody else's: {}", self.key, answer.text);
        self.asked = true;
        match answer.status {
            201 => self.payment = Some(answer.text_at("/payment_id")),
            // under the same key, later
            409 | 500.. => self.script.acts.push_front(Act::Open),
            _ => panic!("{}", answer.text),
        }
    }

    async fn fault(&self, world: &World, customer: &Customer, kind: &str, times: u64) {
        let server = customer.server;
        let fault = match kind {
            // certainly not booked
            "refuse_busy" => (server.busy)(),
            "drop_then_apply" => {
                let latest_ms = latest_s(world, "payments-credit") * 1_000;
                json!({"kind": kind, "ms": latest_ms * self.script.lateness / 100})
            }
            kind => json!({"kind": kind}),
        };
        let matching = json!({server.reference: self.payment()});
        let fault = json!({"operation": server.book, "match": matching, "fault": fault, "times": times});
        server.fault(world, fault).await;
    }

    async fn happen(&mut self, world: &World, statement: Statement) {
        let minor = self.script.minor();
        let silent = json!({"never": true});
        let event = match statement {
            Statement::FailedBefore => Some(json!({
                "payment_id": self.payment(), "type": "payment_intent.payment_failed",
                "created": world.now().seconds() - 3_600, "webhook": silent,
            })),
            Statement::Another => Some(json!({
                "payment_id": self.payment(), "type": "payment_intent.succeeded",
                "reference": format!("pi_another{}", world.fresh()), "amount_minor": minor,
                "currency": self.script.currency.to_lowercase(), "webhook": silent,
            })),
            Statement::RefundedInAll(percent) => {
                let total = minor * percent / 100;
                self.totals.insert(self.events.len(), total);
                Some(json!({
                    "payment_id": self.payment(), "type": "charge.refunded", "created": world.now().seconds(),
                    "object": {"amount_refunded": total}, "webhook": silent,
                }))
            }
            Statement::Refund(percent, stands) => {
                let amount = minor * percent / 100;
                self.totals.insert(self.events.len(), if stands { amount } else { 0 });
                Some(self.refund(world, amount, stands).await)
            }
            _ => None,
        };
        if let Some(event) = event {
            let answer = world.desk.event(self.script.psp, event).await.unwrap();
            self.events.push(answer.text_at("/event_id"));
            return;
        }
        let outcome = self.outcome(statement);
        if outcome == self.outcome(Statement::Collected(100)) {
            self.collected = Some(self.events.len());
        }
        let mut order = json!({"outcome": outcome, "webhook": silent});
        match statement {
            Statement::Collected(percent) if percent != 100 => order["amount_minor"] = json!(minor * percent / 100),
            Statement::CollectedElsewhere => order["currency"] = json!("chf"),
            _ => {}
        }
        // what comes to an address is whatever is sent; and Nuvei knows nothing of a payer before he pays
        if matches!(self.script.psp, "coinspaid" | "nuvei") {
            let cents = if self.script.currency == "JPY" { "" } else { ".00" };
            order["amount"] = json!(format!("{}{cents}", self.script.amount));
            order["currency"] = json!(self.script.currency);
        }
        let waits = self.script.plain && world.status(self.payment()).await == "pending";
        self.must_be_noticed |= waits;
        let answer = world.desk.pay(self.script.psp, self.payment(), order).await.unwrap();
        self.events.push(answer.text_at("/event_id"));
    }

    async fn refund(&self, world: &World, amount: u64, stands: bool) -> Value {
        let payment = self.payment();
        let (kind, status) = if stands { ("refund.created", "pending") } else { ("refund.failed", "failed") };
        let object = json!({
            "object": "refund", "id": format!("re_{payment}"), "amount": amount, "status": status, "metadata": {},
            "payment_intent": world.load(payment).await.entity.facts.psp.reference,
        });
        json!({
            "payment_id": payment, "type": kind, "created": world.now().seconds(), "object": object, "status": status,
            "webhook": {"never": true},
        })
    }

    fn outcome(&self, statement: Statement) -> &'static str {
        match (statement, self.script.psp) {
            (Statement::Collected(_), "praxis") => "approved",
            (Statement::Collected(_) | Statement::CollectedElsewhere | Statement::Another, _) => "succeeded",
            (Statement::Failed | Statement::FailedBefore, "praxis") => "declined",
            (Statement::Failed | Statement::FailedBefore, _) => "failed",
            (Statement::Canceled, "praxis") => "cancelled",
            (Statement::Canceled, _) => "canceled",
            (Statement::Refunded | Statement::RefundedInAll(_) | Statement::Refund(..), _) => "refunded",
        }
    }

    async fn tell(&mut self, world: &World, mailing: Mailing) {
        let signature = if mailing.forged { "wrong" } else { "valid" };
        let event = &self.events[mailing.statement];
        let how = json!({"times": mailing.copies, "concurrent": mailing.at_once, "signature": signature});
        let deliveries = deliver(world, self.script.psp, event, how).await;
        assert_eq!(u64::try_from(deliveries.len()).unwrap(), mailing.copies, "{deliveries:?}");
        if mailing.forged {
            let let_in = deliveries.iter().find(|delivery| delivery["status"].as_u64().is_some_and(|s| s < 400));
            assert!(let_in.is_none(), "a forged message was let in: {let_in:?}");
            return;
        }
        self.tellings += 1;
        if deliveries.iter().any(is_accepted) && self.totals.contains_key(&mailing.statement) {
            self.returned = self.returned.max(Some(mailing.statement));
        }
        if !deliveries.iter().any(is_accepted) && self.tellings < TELLINGS_MAX {
            self.script.acts.push_back(Act::Tell(Mailing { copies: 1, ..mailing }));
        } else if self.script.plain && deliveries.iter().any(is_accepted) {
            self.must_be_noticed = true;
        }
    }

    /// Somebody has looked at the provider's page: whether it collected, and if so it is made to tell again.
    pub fn is_found_collected(&mut self) -> bool {
        let again = |statement| Act::Tell(Mailing { statement, copies: 1, at_once: false, forged: false });
        self.script.acts.extend(self.collected.map(again));
        self.collected.is_some()
    }

    /// What is with the payer again by the newest word that was accepted, if it goes back in parts.
    pub fn total(&self) -> Option<Decimal> {
        let minor = Decimal::from(self.totals[&self.returned?]);
        Some(if self.script.currency == "JPY" { minor } else { minor / Decimal::ONE_HUNDRED })
    }

    pub async fn stored(&self, world: &World) -> Stored<Deposit> {
        world.load(self.payment()).await
    }
}

/// The provider sends a statement; its deliveries.
pub async fn deliver(world: &World, psp: &str, event_id: &str, how: Value) -> Vec<Value> {
    let url = format!("{}/_control/resend", world.broker.simulators.url(psp));
    let answer = world.desk.api.control(&url, &json!({"event_id": event_id, "webhook": how})).await.unwrap();
    answer.json["deliveries"].as_array().unwrap().clone()
}

pub fn is_accepted(delivery: &Value) -> bool {
    delivery["status"].as_u64().is_some_and(|status| (200..300).contains(&status))
        && delivery["answer"]["resend"] != json!(true)
}
