//! The ledger.

use domain::ledger::{LedgerAccount, Postings};
use domain::{AccountId, EventId, Money};
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

#[tokio::test]
async fn an_entry_is_booked_once_and_found_by_its_account() {
    on_both(async |tables| {
        let (ours, other) = (AccountId::from_bits(1), AccountId::from_bits(2));
        let book = async |entry: LedgerEntry| tables.money.book("pay_1", &entry).await.unwrap();
        assert!(book(entry(1, &ours)).await);
        assert!(!book(entry(1, &ours)).await);
        assert!(book(entry(2, &ours)).await);
        assert!(book(entry(3, &other)).await);
        let booked = tables.money.ledger_of(&ours).await.unwrap();
        assert_eq!(booked, [entry(1, &ours), entry(2, &ours)]);
        let legs: Vec<String> = booked[0].postings.iter().map(|leg| Money::amount_text(&leg.amount)).collect();
        assert_eq!(legs, ["250.00", "-250.00"]);
        assert_eq!(tables.money.ledger_of(&AccountId::from_bits(3)).await.unwrap(), []);
        tables.found_nothing();
    })
    .await;
}
