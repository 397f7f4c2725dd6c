//! What must hold of a credited deposit, whatever happened on the way.

use domain::ledger::{LedgerAccount, Posting, Postings};
use domain::payment::{Deposit, DepositStatus};
use domain::{AccountId, Money, Timestamp};
use rust_decimal::Decimal;
use store::{LedgerEntry, Stored};

use crate::world::{Customer, World};

/// A deposit that has come to its end.
pub struct Story<'a> {
    pub customer: &'a Customer,
    pub payment: &'a str,
    pub amount: &'a str,
    pub since: Timestamp,
}

impl Story<'_> {
    /// Credited once, booked once, journalled, told once, and nobody has to look.
    pub async fn is_credited_once(&self, world: &World) {
        let stored = world.load(self.payment).await;
        assert_eq!(stored.entity.status(), DepositStatus::Credited, "{}", self.payment);
        self.is_booked_once(world, &stored).await;
        let told = world.told(self.customer, self.since).await;
        assert_eq!(told, ["deposit.credited", "deposit.paid", "deposit.pending"], "each stage is told once");
        assert_eq!(world.mails(&self.customer.email, self.payment), 1, "one e-mail");
        let work: Vec<_> = world.work_of(self.payment).await.into_iter().map(|item| item.facts.kind).collect();
        assert!(work.is_empty(), "nobody has to look: {work:?}");
    }

    /// One deal, its amount credited, one ledger entry of the credit, and the whole journal.
    pub async fn is_booked_once(&self, world: &World, stored: &Stored<Deposit>) {
        let facts = &stored.entity.facts;
        let deals = self.customer.server.deals(world, &self.customer.trader.login, self.payment).await;
        let [(ticket, profit)] = deals.as_slice() else { panic!("not one deal for {}: {deals:?}", self.payment) };
        assert_eq!(facts.platform.operation.as_ref(), Some(ticket), "the deposit names its deal");
        let credited = facts.credited.unwrap_or_else(|| panic!("{} has no credited amount", self.payment));
        assert_eq!(profit.parse::<Decimal>().unwrap(), credited.amount(), "credited is what was booked");
        assert_eq!(credited.amount(), self.amount.parse::<Decimal>().unwrap());
        let account: AccountId = self.customer.trader.account_id.parse().unwrap();
        let entries = world.broker.ledger_of(&account).await.unwrap();
        let client = LedgerAccount::Client(account);
        let credit = credit_of(stored, client.clone(), credited);
        let ours: Vec<_> = entries.iter().filter(|entry| entry.event_id.as_str().starts_with(self.payment)).collect();
        assert!(ours.iter().all(|entry| Postings::of(entry.postings.clone()).is_ok()), "{ours:?}");
        let credits =
            |entry: &&&LedgerEntry| entry.postings.iter().any(|leg| leg.account == client && !leg.amount.is_positive());
        let credits: Vec<_> = ours.iter().filter(credits).collect();
        let [entry] = credits.as_slice() else { panic!("not one ledger entry for {}: {credits:?}", self.payment) };
        // the reversal of money that had gone back before stands in the same entry
        let is_whole = credit.legs().iter().all(|leg| entry.postings.contains(leg));
        assert!(is_whole, "{credit:?} is not all there: {:?}", entry.postings);
        let reversed = |leg: &&Posting| matches!(leg.account, LedgerAccount::Reversed(_));
        let legs = ours.iter().flat_map(|entry| &entry.postings).filter(reversed);
        assert_eq!(legs.map(|leg| leg.amount.amount()).sum::<Decimal>(), reversed_part(stored), "{ours:?}");
        world.journal(stored).await;
    }
}

/// What a credit moves: the provider owes what the client is owed, in each currency; between two of them stands our own exchange, at
/// the rate that was kept.
fn credit_of(stored: &Stored<Deposit>, client: LedgerAccount, credited: Money) -> Postings {
    let facts = &stored.entity.facts;
    let psp = LedgerAccount::Psp(facts.psp.name.clone());
    let paid = facts.paid.unwrap_or(facts.requested);
    if paid.currency() == credited.currency() {
        return Postings::transfer(client, psp, credited);
    }
    let netted = stored.entity.inner.netted.map_or(Decimal::ZERO, |netted| netted.amount());
    let collected = Money::new(paid.amount() - netted, paid.currency()).unwrap();
    let fx = facts.fx.as_ref().unwrap_or_else(|| panic!("{} was converted at no rate", stored.entity.id));
    let exact = collected.amount() * fx.rate * (Decimal::ONE - fx.markup);
    let half = Decimal::new(5, credited.currency().digits() + 1);
    let is_near = (credited.amount() - exact).abs() <= half;
    assert!(fx.rate > Decimal::ZERO && is_near, "{collected} at {} is not {credited}", fx.rate);
    let on = Postings::transfer(client, LedgerAccount::Exchange, credited);
    on.with(Postings::transfer(LedgerAccount::Exchange, psp, collected))
}

/// What went back of a credit: all that was returned but what had gone before and was never credited.
fn reversed_part(stored: &Stored<Deposit>) -> Decimal {
    let known = |money: Option<Money>| money.map_or(Decimal::ZERO, |money| money.amount());
    let inner = &stored.entity.inner;
    if !inner.debits.is_empty() {
        return Decimal::ZERO;
    }
    let facts = &stored.entity.facts;
    if let (Some(paid), Some(credited)) = (facts.paid, facts.credited)
        && paid.currency() != credited.currency()
    {
        // a part of what was converted is a person's to convert back
        let whole = known(facts.returned) >= paid.amount();
        return if whole { credited.amount() } else { Decimal::ZERO };
    }
    let went = known(stored.entity.facts.returned) - known(inner.netted);
    went.max(Decimal::ZERO).min(known(stored.entity.facts.credited))
}

#[tokio::test]
#[should_panic(expected = "not one deal")]
async fn a_second_deal_does_not_pass() {
    let (world, customer, payment, since) = credited().await;
    let url = format!("{}/_control/deals", world.broker.simulators.url("mt5"));
    let login: u64 = customer.trader.login.parse().unwrap();
    let deal = serde_json::json!([{"login": login, "action": 2, "profit": "250.00", "comment": payment}]);
    world.desk.api.control(&url, &deal).await.unwrap();
    Story { customer: &customer, payment: &payment, amount: "250.00", since }.is_credited_once(&world).await;
}

#[tokio::test]
#[should_panic(expected = "is broken")]
async fn a_hole_in_the_journal_does_not_pass() {
    let (world, customer, payment, since) = credited().await;
    let table = &world.broker.host.template().tables["JournalTable"].name;
    let entry = serde_json::json!({"TableName": table, "Key": {"entity": {"S": payment}, "version": {"N": "2"}}});
    world.broker.host.db().request("DeleteItem", &entry).await.unwrap();
    Story { customer: &customer, payment: &payment, amount: "250.00", since }.is_credited_once(&world).await;
}

async fn credited() -> (World, Customer, String, Timestamp) {
    let world = World::start().await;
    let customer = world.customer("USD").await;
    world.minute().await;
    let since = world.now();
    let payment = world.deposit(&customer, "250.00").await;
    world.pay(&payment, serde_json::json!({})).await;
    world.drain().await;
    let story = Story { customer: &customer, payment: &payment, amount: "250.00", since };
    story.is_credited_once(&world).await;
    (world, customer, payment, since)
}
