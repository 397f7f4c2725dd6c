//! Idempotency keys.

use domain::Seconds;
use store::{Claim, ClaimRequest};

use crate::both::on_both;
use crate::samples::at;

fn request(key: &'static str, body: &'static str, id: &'static str, seconds: u32) -> ClaimRequest<'static> {
    ClaimRequest {
        scope: "portal /v1/clients",
        key,
        request_hash: body,
        fresh_id: id,
        now: at(seconds),
        lease: Seconds(30),
    }
}

#[tokio::test]
async fn the_first_makes_it_and_every_repeat_learns_what_was_made_and_whether_it_is_still_being_made() {
    on_both(async |tables| {
        let claim = async |request: ClaimRequest<'static>| tables.money.0.claim(&request).await.unwrap();
        assert_eq!(claim(request("k", "body", "pay_a", 0)).await, Claim::First("pay_a".to_owned()));
        let known = |running| Claim::Known { entity: "pay_a".to_owned(), running };
        assert_eq!(claim(request("k", "body", "pay_b", 29)).await, known(true));
        assert_eq!(claim(request("k", "body", "pay_c", 30)).await, known(false));
        assert_eq!(claim(request("k", "other body", "pay_d", 31)).await, Claim::OtherRequest);
        assert_eq!(claim(request("another k", "body", "pay_e", 31)).await, Claim::First("pay_e".to_owned()));
        let stranger = ClaimRequest { scope: "admin /v1/clients", ..request("k", "body", "pay_f", 31) };
        assert_eq!(claim(stranger).await, Claim::First("pay_f".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_taken_over_once_and_only_after_its_lease() {
    on_both(async |tables| {
        let table = &tables.money.0;
        table.claim(&request("k", "body", "pay_a", 0)).await.unwrap();
        assert!(!table.take_over(&request("k", "body", "pay_b", 30)).await.unwrap());
        assert!(table.take_over(&request("k", "body", "pay_b", 31)).await.unwrap());
        assert!(!table.take_over(&request("k", "body", "pay_c", 31)).await.unwrap());
        let known = Claim::Known { entity: "pay_a".to_owned(), running: true };
        assert_eq!(table.claim(&request("k", "body", "pay_d", 60)).await.unwrap(), known);
    })
    .await;
}

#[tokio::test]
async fn a_claim_can_be_looked_at_without_being_made_and_given_back_by_its_owner_alone() {
    on_both(async |tables| {
        let table = &tables.money.0;
        let (first, repeat) = (request("k", "body", "pay_a", 0), request("k", "body", "pay_b", 5));
        assert_eq!(table.claimed(&first).await.unwrap(), None);
        table.claim(&first).await.unwrap();
        let known = |running| Some(Claim::Known { entity: "pay_a".to_owned(), running });
        table.give_back(&repeat).await.unwrap();
        assert_eq!(table.claimed(&repeat).await.unwrap(), known(true));
        table.give_back(&first).await.unwrap();
        assert_eq!(table.claimed(&repeat).await.unwrap(), known(false));
        assert!(table.take_over(&repeat).await.unwrap());
        assert_eq!(table.claimed(&request("k", "other body", "pay_c", 6)).await.unwrap(), Some(Claim::OtherRequest));
    })
    .await;
}
