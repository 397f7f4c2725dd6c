//! The ledger.

use domain::payment::ledger::postings;
use domain::{AccountId, EventId, Money};
use store::LedgerEntry;

use crate::both::on_both;
use crate::samples::{at, deposit};

fn entry(number: u128) -> LedgerEntry {
    let mut paid = deposit(number, 1, 0);
    paid.facts.credited = Some(paid.facts.requested);
    LedgerEntry { event_id: EventId::derived(paid.id.as_str(), 4, 0), at: at(60), postings: postings(&paid.facts) }
}

#[tokio::test]
async fn an_entry_is_booked_once_and_found_by_its_account() {
    on_both(async |tables| {
        let (ours, other) = (AccountId::from_bits(1), AccountId::from_bits(2));
        assert!(tables.money.book(&ours, &entry(1)).await.unwrap());
        assert!(!tables.money.book(&ours, &entry(1)).await.unwrap());
        assert!(tables.money.book(&ours, &entry(2)).await.unwrap());
        assert!(tables.money.book(&other, &entry(3)).await.unwrap());
        let booked = tables.money.ledger_of(&ours).await.unwrap();
        assert_eq!(booked, [entry(1), entry(2)]);
        let legs: Vec<String> = booked[0].postings.iter().map(|leg| Money::amount_text(&leg.amount)).collect();
        assert_eq!(legs, ["250.00", "-250.00"]);
        assert_eq!(tables.money.ledger_of(&AccountId::from_bits(3)).await.unwrap(), []);
        tables.found_nothing();
    })
    .await;
}
