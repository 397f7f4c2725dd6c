//! The ledger.

use domain::ledger::{LedgerAccount, Postings};
use domain::{AccountId, Day, EventId, Money};
use store::LedgerEntry;

use crate::both::on_both;
use crate::samples::{at, deposit};

/// The entry of a credit to a trading account.
fn entry(number: u128, account: &AccountId) -> LedgerEntry {
    let paid = deposit(number, 1, 0);
    let (client, psp) = (LedgerAccount::Client(account.clone()), LedgerAccount::Psp("stripe".to_owned()));
    let postings = Postings::transfer(client, psp, paid.facts.requested).legs().to_vec();
    LedgerEntry { event_id: EventId::derived(paid.id.as_str(), 4, 0), at: at(60), postings }
}

fn between(one: &AccountId, other: &AccountId) -> Vec<domain::ledger::Posting> {
    let (from, to) = (LedgerAccount::Client(one.clone()), LedgerAccount::Client(other.clone()));
    Postings::transfer(from, to, deposit(4, 1, 0).facts.requested).legs().to_vec()
}

#[tokio::test]
async fn an_entry_is_booked_once_and_found_by_its_account() {
    on_both(async |tables| {
        let (ours, other) = (AccountId::from_bits(1), AccountId::from_bits(2));
        let book = async |entry: LedgerEntry| tables.money.book("pay_1", &entry).await.unwrap();
        assert!(book(entry(1, &ours)).await);
        assert!(!book(entry(1, &ours)).await);
        assert!(book(entry(2, &ours)).await);
        assert!(book(entry(3, &other)).await);
        let today = Day::of(at(60));
        let booked = tables.money.ledger_of(&ours, today.before(), today.next()).await.unwrap();
        assert_eq!(booked, [entry(1, &ours), entry(2, &ours)]);
        let legs: Vec<String> = booked[0].postings.iter().map(|leg| Money::amount_text(&leg.amount)).collect();
        assert_eq!(legs, ["250.00", "-250.00"]);
        assert_eq!(tables.money.ledger_of(&AccountId::from_bits(3), today, today).await.unwrap(), []);
        assert_eq!(tables.money.ledger_of(&ours, today.next(), today.next()).await.unwrap(), []);
        // a day has every account's, each once, also what two accounts stand in
        let both = LedgerEntry { postings: between(&ours, &other), ..entry(4, &ours) };
        assert!(book(both.clone()).await);
        let mut all = tables.money.day_book(today).await.unwrap();
        all.sort_by(|a, b| a.event_id.cmp(&b.event_id));
        assert_eq!(all, [entry(1, &ours), entry(2, &ours), entry(3, &other), both]);
        assert_eq!(tables.money.day_book(today.before()).await.unwrap(), []);
        // two days of the first list, two of the next, six shards of today and eight of yesterday
        tables.found_nothing_consistently(2 + 2 + 6 + 8);
    })
    .await;
}
