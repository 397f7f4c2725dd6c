//! The accounts of a client as his limits count them: of two that were counted at once, one is counted anew.

use domain::account::Account;
use domain::{AccountId, PaymentId};
use store::{Committed, Places};

use crate::both::{Tables, on_both_with_transactions};
use crate::samples::{account, client_id, decision, frame};

/// A new account on its way into the table, counted as it was read.
async fn add(tables: &Tables, was: &Places<AccountId>, account: &Account) -> Committed {
    let mut commit = tables.crm.0.commit();
    commit.save(&tables.crm, None, &decision(account.clone(), "account.requested"), &frame("cor-1")).unwrap();
    commit.take_places(&tables.crm.0, was, std::slice::from_ref(&account.id)).unwrap();
    commit.send().await.unwrap()
}

async fn held(tables: &Tables, places: &Places<AccountId>, others: &[AccountId]) -> Vec<AccountId> {
    let mut held: Vec<AccountId> = tables
        .crm
        .accounts_held(&client_id(1), places, others)
        .await
        .unwrap()
        .into_iter()
        .map(|account| account.id)
        .collect();
    held.sort();
    held
}

#[tokio::test]
async fn of_two_accounts_that_were_counted_at_once_one_is_saved() {
    on_both_with_transactions(async |tables| {
        let [first, second, third, others] = [(1, 1), (2, 1), (3, 1), (4, 2)].map(|(id, client)| account(id, client));
        let nobody = tables.crm.places(&client_id(1)).await.unwrap();
        assert_eq!(add(tables, &nobody, &first).await, Committed::Applied);
        assert_eq!(add(tables, &nobody, &second).await, Committed::Conflict);
        assert_eq!(tables.crm.load::<Account>(&second.id).await.unwrap(), None, "nothing of it stands");

        let one = tables.crm.places(&client_id(1)).await.unwrap();
        assert_eq!(held(tables, &one, &[]).await, std::slice::from_ref(&first.id));
        assert_eq!(add(tables, &one, &second).await, Committed::Applied);
        assert_eq!(add(tables, &one, &third).await, Committed::Conflict);
        let two = tables.crm.places(&client_id(1)).await.unwrap();
        // what is not there is not held, and another's is held where it is asked for
        let asked = [third.id.clone(), others.id.clone()];
        assert_eq!(held(tables, &two, &asked).await, [first.id.clone(), second.id.clone()]);
        let elsewhere = tables.crm.places(&client_id(2)).await.unwrap();
        assert_eq!(add(tables, &elsewhere, &others).await, Committed::Applied, "each client for himself");
        assert_eq!(held(tables, &two, &asked).await, [first.id.clone(), second.id.clone(), others.id.clone()]);
    })
    .await;
}

#[tokio::test]
async fn of_two_withdrawals_that_were_counted_at_once_one_is_saved() {
    on_both_with_transactions(async |tables| {
        let none = tables.money.withdrawal_places(&client_id(1)).await.unwrap();
        let [first, second]: [PaymentId; 2] = [1, 2].map(PaymentId::from_bits);
        let take = async |was: &Places<PaymentId>, id: &PaymentId| {
            let mut commit = tables.money.0.commit();
            commit.take_places(&tables.money.0, was, std::slice::from_ref(id)).unwrap();
            commit.send().await.unwrap()
        };
        assert_eq!(take(&none, &first).await, Committed::Applied);
        assert_eq!(take(&none, &second).await, Committed::Conflict);
        let one = tables.money.withdrawal_places(&client_id(1)).await.unwrap();
        assert_eq!(one.newest, std::slice::from_ref(&first));
        assert_eq!(take(&one, &second).await, Committed::Applied);
        assert_eq!(tables.money.withdrawal_places(&client_id(1)).await.unwrap().newest, [first, second]);
        assert_eq!(tables.money.withdrawal_places(&client_id(2)).await.unwrap().newest, []);
    })
    .await;
}
