//! What holds at the end of every run, whatever happened in it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::AccountId;
use domain::entity::KINDS;
use domain::ledger::{LedgerAccount, Postings};
use domain::payment::{Deposit, DepositStatus};
use domain::rule_sets::SetName;
use domain::work::{Review, WorkItem};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use store::{JournalEntry, Stored};

use super::run::Run;
use crate::checks::Story;
use crate::servers::SERVERS;
use crate::world::{Customer, Head, TIMER, World};

/// Everything of it.
pub async fn hold(run: &Run) {
    nothing_is_left_over(run).await;
    let messages = Messages::of(&run.world);
    one_user_each(run).await;
    let mut unresolved = vec![Decimal::ZERO; run.customers.len()];
    for deposit in &run.deposits {
        let stored = deposit.stored(&run.world).await;
        let customer = deposit.script.customer;
        unresolved[customer] += deposit_holds(&run.world, &stored, &run.customers[customer]).await;
        if let Some(total) = deposit.total() {
            let returned = stored.entity.facts.returned.map_or(Decimal::ZERO, |money| money.amount());
            assert_eq!(returned, total, "what went back of {}", stored.entity.id);
        }
        let status = stored.entity.status();
        if deposit.script.plain && status == DepositStatus::Credited {
            let paid = stored.entity.facts.paid.map(|money| (money.amount(), money.currency().to_string()));
            let asked = (Decimal::from(deposit.script.amount), deposit.script.currency.to_owned());
            assert_eq!(paid, Some(asked), "what {} collected of {}", deposit.script.psp, stored.entity.id);
        }
        let noticed = matches!(status, DepositStatus::Credited | DepositStatus::NeedsReview);
        assert!(
            noticed || deposit.given_back || !deposit.must_be_noticed,
            "{} was paid and is {}",
            stored.entity.id,
            status.as_str()
        );
    }
    for own in run.withdrawals.iter().filter(|own| own.payment.is_some()) {
        unresolved[own.customer] += own.holds(&run.world, &run.customers[own.customer]).await;
    }
    for (customer, unresolved) in run.customers.iter().zip(unresolved) {
        balances_agree(&run.world, customer, unresolved).await;
    }
    run.stray.holds(&run.world).await;
    // what a provider told and, asked, did not confirm is kept too, and names a payment of ours
    let reports = run.world.items("MoneyTable").await;
    let is_stray = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("str_");
    let nobodys = |item: &&Value| !item.to_string().contains("pay_");
    assert_eq!(reports.iter().filter(is_stray).filter(nobodys).count(), 1, "one report of stray money");
    let payments: Vec<_> = run.deposits.iter().filter_map(|deposit| deposit.payment.as_ref()).collect();
    let leaving = run.withdrawals.iter().filter(|own| own.payment.is_some()).count();
    assert_eq!(run.world.count("MoneyTable", "pay_").await, payments.len() + leaving, "one payment for each key");
    let journal = whole_journal(&run.world).await;
    for customer in &run.customers {
        messages.were_sent(run, customer, &journal).await;
    }
}

/// After a person has decided nothing waits any more.
pub async fn is_over(run: &Run) {
    for deposit in &run.deposits {
        let status = deposit.stored(&run.world).await.entity.status();
        assert!(status.is_settled(), "{:?} is {}", deposit.payment, status.as_str());
    }
    for own in run.withdrawals.iter().filter(|own| own.payment.is_some()) {
        let status = own.stored(&run.world).await.entity.status();
        assert!(status.is_over(), "{:?} is {}", own.payment, status.as_str());
    }
    let credited = run.deposits.iter().filter(|deposit| deposit.must_be_noticed).count();
    assert!(credited > 0, "a run in which nobody pays says nothing");
}

/// Each platform has one user for each account that is there, and no other.
async fn one_user_each(run: &Run) {
    for server in SERVERS {
        let mut users: Vec<_> = server.accounts(&run.world).await.into_iter().map(|(reference, _)| reference).collect();
        let there = run.customers.iter().filter(|customer| customer.server.name == server.name);
        let mut accounts: Vec<_> = there.map(|customer| customer.trader.account_id.clone()).collect();
        users.sort_unstable();
        accounts.sort_unstable();
        assert_eq!(users, accounts, "{}", server.name);
    }
}

/// No message, no dead letter, nothing due.
async fn nothing_is_left_over(run: &Run) {
    let host = &run.world.broker.host;
    let waiting: Vec<_> = host
        .queue_depths()
        .into_iter()
        .filter(|(_, depth)| depth.visible + depth.delayed + depth.in_flight > 0)
        .collect();
    assert!(waiting.is_empty(), "{waiting:?}");
    let dead: Vec<_> = host.dead_letters().into_iter().filter(|(_, letters)| !letters.is_empty()).collect();
    assert!(dead.is_empty(), "{dead:?}");
    // a firing is tried three times, and the next one does what it did not
    let timer_gave_up = run.chaos.met().get(TIMER).is_some_and(|met| *met >= 3);
    let body = |item: &WorkItem| item.private.trigger.get("body").map(ToString::to_string).unwrap_or_default();
    let is_firing = |item: &WorkItem| body(item).contains("Scheduled Event");
    let filed = run.world.work().await.into_iter().filter(|item| item.facts.kind == "dead_letter");
    let filed = filed.filter(|item| !(timer_gave_up && is_firing(item)));
    // whether a server's day can be read is not what these runs are about: they change how a server writes its time, and do not change it
    // back, and whoever cannot read that tells a person
    let filed: Vec<_> = filed.filter(|item| !body(item).contains("server_day.due")).collect();
    assert!(filed.is_empty(), "nobody died so often that a message was given up, and yet: {filed:?}");
}

/// The ledger says what the platform says, but for what a person is asked about.
async fn balances_agree(world: &World, customer: &Customer, unresolved: Decimal) {
    let account: AccountId = customer.trader.account_id.parse().unwrap();
    let entries = world.broker.ledger_of(&account).await.unwrap();
    let client = LedgerAccount::Client(account.clone());
    let mut owed = Decimal::ZERO;
    for entry in &entries {
        assert!(Postings::of(entry.postings.clone()).is_ok(), "{entry:?}");
        let ours = entry.postings.iter().filter(|posting| posting.account == client);
        owed -= ours.map(|posting| posting.amount.amount()).sum::<Decimal>();
    }
    let balance = customer.server.balance(world, &customer.trader.login).await;
    assert_eq!(owed + unresolved, balance, "ledger and platform of {}", customer.trader.login);
}

/// Settled, or with one person; booked at most once; credited if and only if booked. What is booked while a person is
/// asked whether it is.
async fn deposit_holds(world: &World, stored: &Stored<Deposit>, customer: &Customer) -> Decimal {
    let facts = &stored.entity.facts;
    let id = stored.entity.id.as_str();
    assert!(stored.entity.due.is_none(), "{id} is due");
    match facts.status {
        DepositStatus::NeedsReview => drop(item_waited_for(world, stored).await),
        status => assert!(status.is_settled(), "{id} is {}", status.as_str()),
    }
    let deals = customer.server.deals(world, &customer.trader.login, id).await;
    match (&facts.credited, deals.as_slice()) {
        (None, []) => Decimal::ZERO,
        (Some(credited), [_]) => {
            let amount = credited.amount().to_string();
            let story = Story { customer, payment: id, amount: &amount, since: stored.entity.inner.opened };
            story.is_booked_once(world, stored).await;
            Decimal::ZERO
        }
        (None, [(_, profit)]) if waits_for(stored, "credit_unresolved") => profit.parse().unwrap(),
        (credited, deals) => panic!("{id} is {}, credited {credited:?}, deals {deals:?}", facts.status.as_str()),
    }
}

fn waits_for(stored: &Stored<Deposit>, kind: &str) -> bool {
    stored.entity.inner.held.as_ref().is_some_and(|held| held.review.kind == kind)
}

/// The one open work item that a deposit waits for.
pub async fn item_waited_for(world: &World, stored: &Stored<Deposit>) -> WorkItem {
    let mut items = items_waited_for(world, stored).await;
    assert_eq!(items.len(), 1, "{} waits for {:?}", stored.entity.id, stored.entity.inner.held);
    items.remove(0)
}

/// The open work items that a deposit waits for; its desk may not have opened it yet.
pub async fn items_waited_for(world: &World, stored: &Stored<Deposit>) -> Vec<WorkItem> {
    let review = stored.entity.inner.held.as_ref().map(|held| &held.review);
    items_of(world, stored.entity.id.as_str(), review).await
}

/// The open work items of a review.
pub async fn items_of(world: &World, payment: &str, review: Option<&Review>) -> Vec<WorkItem> {
    let Some(review) = review else { return Vec::new() };
    let asks = |item: &WorkItem| item.facts.kind == review.kind && item.facts.trigger["what"] == review.trigger;
    world.work_of(payment).await.into_iter().filter(asks).collect()
}

/// The journal of everything, each entity's complete.
async fn whole_journal(world: &World) -> BTreeMap<String, Vec<JournalEntry>> {
    let mut all = BTreeMap::new();
    for item in world.items("MoneyTable").await.into_iter().chain(world.items("CrmTable").await) {
        let kind = item["kind"]["S"].as_str().unwrap_or_default();
        assert!(KINDS.iter().any(|known| known.name == kind), "{kind:?} is no kind: {item}");
        let id = item["pk"]["S"].as_str().unwrap().to_owned();
        let head = Head {
            version: item["v"]["N"].as_str().unwrap().parse().unwrap(),
            hash: STANDARD.decode(item["hash"]["B"].as_str().unwrap()).unwrap(),
            public: item["state"]["S"].as_str().unwrap().to_owned(),
        };
        let entries = world.journal_up_to(&id, &head).await;
        all.insert(id, entries);
    }
    all
}

/// The events that a client is told, by channel.
struct Messages {
    in_app: Vec<String>,
    email: Vec<String>,
}

impl Messages {
    fn of(world: &World) -> Self {
        let rules = world.broker.rule_document(SetName::Notifications).unwrap();
        let routes = rules["routes"].as_array().unwrap();
        let events = |channel: &str| {
            let to_client = routes.iter().filter(|route| route["to"] == "client");
            let over = to_client.filter(|route| route["channels"].as_array().unwrap().contains(&json!(channel)));
            over.map(|route| route["event"].as_str().unwrap().to_owned()).collect()
        };
        Self { in_app: events("in_app"), email: events("email") }
    }

    /// In the portal once for each event; by e-mail at least once, and not more often than a notifier met something besides.
    async fn were_sent(&self, run: &Run, customer: &Customer, journal: &BTreeMap<String, Vec<JournalEntry>>) {
        let client = &customer.trader.client_id;
        let entries = journal.values().flatten().filter(|entry| entry.client.as_deref() == Some(client.as_str()));
        let events: Vec<&String> = entries.flat_map(|entry| &entry.record.events).collect();
        let told = |kinds: &[String]| {
            let mut told: Vec<String> =
                events.iter().filter(|event| kinds.contains(event)).map(ToString::to_string).collect();
            told.sort();
            told
        };
        let in_portal = run.world.told(customer, domain::Timestamp::EPOCH).await;
        let (of_journeys, in_portal): (Vec<String>, Vec<String>) =
            in_portal.into_iter().partition(|kind| kind.starts_with("journey."));
        assert_eq!(in_portal, told(&self.in_app), "told in the portal");
        // who asks for money the first time is asked how he is, and never twice
        assert!(of_journeys.len() <= 1, "{of_journeys:?} in the portal");
        let (due, sent) = (told(&self.email).len(), run.world.mails(&customer.email, ""));
        let met = run.chaos.met().get("ops-notify").copied().unwrap_or_default();
        let most = due + usize::try_from(met).unwrap();
        assert!((due..=most).contains(&sent), "{sent} e-mails to {} instead of {due} to {most}", customer.email);
    }
}
