//! Plays withdrawals: back to the payers of deposits, whole or in parts, with what client, provider and platform do meanwhile.

use std::collections::VecDeque;

use domain::withdrawal::{Withdrawal, WithdrawalStatus};
use domain::work::WorkItem;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use store::Stored;

use super::deposit::{Played, deliver, is_accepted};
use super::invariants::items_of;
use super::rng::Rng;
use crate::platform::latest_s;
use crate::world::{Customer, World, is_taken};

/// Smallest withdrawal of every currency, yen included.
const LEAST: u64 = 1_500;
/// A provider that is not answered sends so often.
const TELLINGS_MAX: usize = 12;

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// The portal asks, once the deposit is credited.
    Ask,
    /// The platform will treat the next bookings of it so.
    Fault(&'static str, u64),
    /// The client takes it back, if he still can.
    Cancel,
    /// The provider says of its refund what is so.
    Tell(&'static str),
    /// The bank sends the money back: the provider takes its word back.
    Bounce,
}

const PLATFORM_FAULTS: [&str; 7] =
    ["apply_then_drop", "apply_then_garbage", "drop", "drop_then_apply", "garbage", "refuse_busy", "refuse"];

/// A withdrawal under way.
pub struct Leaving {
    /// The deposit whose payer gets it.
    pub source: usize,
    pub customer: usize,
    amount: u64,
    acts: VecDeque<Act>,
    key: String,
    /// Somebody has asked under the key.
    asked: bool,
    pub payment: Option<String>,
    /// How late a booking arrives that the network kept, in percent of the latest.
    lateness: u64,
    /// What finance will say.
    approved: bool,
    bounced: bool,
    tellings: usize,
}

impl Leaving {
    /// From one of the deposits that Stripe collects and says nothing else about; nothing where there is none.
    pub fn draw(rng: &mut Rng, deposits: &[Played], number: usize) -> Option<Self> {
        let fit = |(_, deposit): &(usize, &Played)| {
            let script = &deposit.script;
            script.plain && script.psp == "stripe" && !script.is_converted()
        };
        let sources: Vec<usize> = deposits.iter().enumerate().filter(fit).map(|(place, _)| place).collect();
        if sources.is_empty() {
            return None;
        }
        let source = *rng.pick(&sources);
        let script = &deposits[source].script;
        let amount = match rng.below(4) {
            0 => script.amount,
            _ => (script.amount * (1 + rng.below(100)) / 100).max(LEAST),
        };
        let mut acts = VecDeque::from([Act::Ask]);
        if rng.percent(40) {
            acts.push_back(Act::Fault(PLATFORM_FAULTS[rng.index(PLATFORM_FAULTS.len())], 1 + rng.below(3)));
        }
        if rng.percent(15) {
            acts.push_back(Act::Cancel);
        }
        let told = ["refund.created", "refund.updated", "charge.refunded", "charge.refund.updated"];
        for kind in told {
            acts.extend(rng.percent(40).then_some(Act::Tell(kind)));
        }
        let bounced = rng.percent(20);
        if bounced {
            acts.push_back(Act::Bounce);
        }
        Some(Self {
            source,
            customer: script.customer,
            amount,
            acts,
            key: format!("withdrawal-{number}"),
            asked: false,
            payment: None,
            lateness: 1 + rng.below(100),
            approved: rng.percent(85),
            bounced: false,
            tellings: 0,
        })
    }

    /// Whether nobody does anything more about it. Whose deposit was not credited asks for nothing.
    pub async fn is_played(&self, world: &World, source: Option<&str>) -> bool {
        match source {
            _ if self.acts.is_empty() => true,
            Some(source) if self.payment.is_none() => world.status(source).await != "credited",
            Some(_) => false,
            None => true,
        }
    }

    /// Does the next act; one that does not come through stays the next.
    pub async fn act(&mut self, world: &World, customers: &[Customer], source: Option<&str>) {
        let customer = &customers[self.customer];
        match self.acts.pop_front() {
            None => {}
            Some(Act::Ask) => self.ask(world, customer, source).await,
            Some(Act::Fault(kind, times)) => self.fault(world, customer, kind, times).await,
            Some(Act::Cancel) => self.cancel(world).await,
            Some(act @ Act::Tell(kind)) => self.tell(world, kind, act).await,
            Some(Act::Bounce) => self.bounce(world).await,
        }
    }

    fn payment(&self) -> &str {
        self.payment.as_deref().unwrap()
    }

    async fn ask(&mut self, world: &World, customer: &Customer, source: Option<&str>) {
        let credited = match source {
            Some(source) => world.status(source).await == "credited",
            None => false,
        };
        if !credited {
            self.acts.push_front(Act::Ask);
            return;
        }
        let trader = &customer.trader;
        let body = json!({
            "account_id": trader.account_id,
            "amount": {"amount": self.amount.to_string(), "currency": customer.currency},
            "destination": {"psp": "stripe", "source_payment_id": source},
        });
        let url = world.broker.url(&format!("/v1/clients/{}/withdrawals", trader.client_id));
        let answer = world.desk.api.post(&url, world.broker.token("portal"), &self.key, &body).await.unwrap();
        assert!(self.asked || !is_taken(&answer), "{} is nobody else's: {}", self.key, answer.text);
        self.asked = true;
        match answer.status {
            201 => self.payment = Some(answer.text_at("/payment_id")),
            // under the same key, later
            409 | 500.. => self.acts.push_front(Act::Ask),
            422 => {
                let known = ["insufficient_funds", "above_source", "not_a_source"];
                let faults = answer.json["errors"].as_array().unwrap();
                let is_known = |fault: &Value| known.contains(&fault["code"].as_str().unwrap());
                assert!(faults.iter().all(is_known), "{}", answer.text);
                self.acts.clear();
            }
            _ => panic!("{}", answer.text),
        }
    }

    async fn fault(&self, world: &World, customer: &Customer, kind: &str, times: u64) {
        let server = customer.server;
        let fault = match kind {
            "refuse_busy" => (server.busy)(),
            "refuse" => (server.refuses)(),
            "drop_then_apply" => {
                json!({"kind": kind, "ms": latest_s(world, "payments-credit") * 10 * self.lateness})
            }
            kind => json!({"kind": kind}),
        };
        let matching = json!({server.reference: self.payment()});
        server.fault(world, json!({"operation": server.book, "match": matching, "fault": fault, "times": times})).await;
    }

    async fn cancel(&mut self, world: &World) {
        let url = world.broker.url(&format!("/v1/payments/{}/cancel", self.payment()));
        let answer = world.desk.api.post(&url, world.broker.token("portal"), "unused", &json!({})).await.unwrap();
        match answer.status {
            200 => {
                let status = self.stored(world).await.entity.status();
                assert_eq!(status, WithdrawalStatus::Cancelled, "{} was taken back", self.payment());
            }
            409 | 500.. => {}
            _ => panic!("{}", answer.text),
        }
    }

    /// The provider's refunds of it.
    async fn refunds(&self, world: &World) -> Vec<Value> {
        let Some(payment) = &self.payment else { return vec![] };
        let state = world.desk.state("stripe", "").await.unwrap();
        let all = state["refunds"].as_array().unwrap().clone();
        all.into_iter().filter(|refund| refund["metadata"]["withdrawal_id"] == payment.as_str()).collect()
    }

    async fn tell(&mut self, world: &World, kind: &str, act: Act) {
        let Some(refund) = self.refunds(world).await.pop() else {
            // nothing to tell of: whoever is not paid hears of nothing
            return;
        };
        let mut event = json!({"type": kind, "reference": refund["payment_intent"], "webhook": {"never": true}});
        if kind != "charge.refunded" {
            event["object"] = refund.clone();
            event["status"] = refund["status"].clone();
        }
        let event = world.desk.event("stripe", event).await.unwrap().text_at("/event_id");
        let deliveries = deliver(world, "stripe", &event, json!({"times": 2, "concurrent": true})).await;
        self.tellings += 1;
        if !deliveries.iter().any(is_accepted) && self.tellings < TELLINGS_MAX {
            self.acts.push_back(act);
        }
    }

    async fn bounce(&mut self, world: &World) {
        if self.stored(world).await.entity.status() != WithdrawalStatus::PaidOut {
            return;
        }
        if let Some(mut refund) = self.refunds(world).await.pop() {
            refund["status"] = json!("failed");
            // a provider tells later than it did
            let event = json!({
                "type": "refund.failed", "reference": refund["payment_intent"], "object": refund, "status": "failed",
                "created": world.now().seconds() + 1, "webhook": {"never": true},
            });
            world.desk.event("stripe", event).await.unwrap();
            self.bounced = true;
            self.acts.push_back(Act::Tell("refund.failed"));
        }
    }

    pub async fn stored(&self, world: &World) -> Stored<Withdrawal> {
        world.broker.money().load(&self.payment().parse().unwrap()).await.unwrap().unwrap()
    }

    pub async fn items_waited_for(&self, world: &World, stored: &Stored<Withdrawal>) -> Vec<WorkItem> {
        let review = stored.entity.inner.held.as_ref().map(|held| &held.0);
        items_of(world, self.payment(), review).await
    }

    /// What the runbooks say.
    pub async fn decision(&self, world: &World, customer: &Customer, item: &WorkItem) -> Value {
        let deals = customer.server.deals(world, &customer.trader.login, self.payment()).await;
        let deal = |back: bool| deals.iter().find(|(_, amount)| amount.starts_with('-') != back);
        let is_paid = |refund: &Value| refund["status"] == "succeeded";
        let paid = self.refunds(world).await.into_iter().find(is_paid);
        let looked = |action: &str| json!({"action": action, "note": "looked"});
        match item.facts.kind.as_str() {
            "withdrawal_approval" if self.approved => json!({"action": "approve"}),
            "withdrawal_approval" => json!({"action": "decline", "note": "not now"}),
            "withdrawal_debit_unresolved" => match deal(false) {
                Some((ticket, _)) => json!({"action": "mark_debited", "evidence": ticket}),
                None => looked("mark_not_debited_retry"),
            },
            "withdrawal_payout_unresolved" | "withdrawal_pay_by_hand" => match paid {
                Some(refund) => json!({"action": "mark_paid_out", "evidence": refund["id"]}),
                None => looked("credit_back"),
            },
            "withdrawal_return_unresolved" => match deal(true) {
                Some((ticket, _)) => json!({"action": "mark_returned", "evidence": ticket}),
                None => looked("mark_not_returned_retry"),
            },
            "withdrawal_contradicted" => looked("close"),
            kind => panic!("no page for {kind}"),
        }
    }

    /// Over, or with one person; taken off once at most, paid once or put back once. What the platform has done and the ledger does not
    /// know, while a person is asked about it.
    pub async fn holds(&self, world: &World, customer: &Customer) -> Decimal {
        let stored = self.stored(world).await;
        let (id, facts) = (self.payment(), &stored.entity.facts);
        assert!(stored.entity.due.is_none(), "{id} is due and {}", facts.status.as_str());
        let deals = customer.server.deals(world, &customer.trader.login, id).await;
        let amounts: Vec<Decimal> = deals.iter().map(|(_, amount)| amount.parse().unwrap()).collect();
        let asked = Decimal::from(self.amount);
        let [off, on] = [-asked, asked].map(|amount| amounts.iter().filter(|deal| **deal == amount).count());
        assert_eq!(off + on, amounts.len(), "{id}: {amounts:?}");
        let refunds = self.refunds(world).await;
        let paid = refunds.iter().filter(|refund| refund["status"] == "succeeded").count();
        match facts.status {
            WithdrawalStatus::PaidOut => assert_eq!((off, on, paid), (1, 0, 1), "{id} is paid out"),
            WithdrawalStatus::Returned => assert_eq!((off, on, paid), (1, 1, 0), "{id} is returned"),
            WithdrawalStatus::Declined | WithdrawalStatus::Cancelled => {
                assert_eq!((off, on, paid), (0, 0, 0), "nothing moved for {id}");
            }
            WithdrawalStatus::Requested | WithdrawalStatus::NeedsReview => {
                assert!(off <= 1 && on <= off && paid <= 1, "{id} waits: {off}, {on}, {paid}");
            }
            status => panic!("{id} is {}", status.as_str()),
        }
        assert!(!self.bounced || facts.status != WithdrawalStatus::PaidOut, "the money of {id} came back");
        let known = |money: Option<domain::Money>| money.map_or(Decimal::ZERO, |money| money.amount());
        let unresolved = amounts.iter().sum::<Decimal>() - (known(facts.returned) - known(facts.debited));
        let kind = stored.entity.inner.held.as_ref().map(|held| held.0.kind.as_str());
        let may_differ = matches!(kind, Some("withdrawal_debit_unresolved" | "withdrawal_return_unresolved"));
        assert!(unresolved.is_zero() || may_differ, "{id} is {unresolved} off, held for {kind:?}");
        unresolved
    }
}
