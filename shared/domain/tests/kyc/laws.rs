//! What holds whatever the rules say and in whatever order things arrive.

use domain::kyc::case::ListKind;
use domain::kyc::rules::KycRisk;
use domain::kyc::{DocumentKind, Finding, KycStatus};
use domain::rules::RuleSet;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use crate::desk::{Desk, seed_risk};

/// Rules that approve everybody.
fn generous() -> KycRisk {
    let mut document = seed_risk();
    document["decisions"] = json!([
        {"id": "everybody", "when": {"field": "age", "gte": 0}, "then": {"outcome": "approve", "reason": "generous"}},
        {"id": "else", "when": "always", "then": {"outcome": "review", "reason": "else", "kind": "kyc_review"}},
    ]);
    KycRisk::parse(&document).unwrap()
}

#[derive(Debug, Clone)]
enum Event {
    Upload(DocumentKind),
    Read(prop::sample::Index, Vec<Finding>, bool),
    Declare(bool),
    Screen(Vec<ListKind>),
}

fn event() -> impl Strategy<Value = Event> {
    let findings = || subsequence(Finding::ALL.to_vec(), 0..=2);
    prop_oneof![
        select(vec![DocumentKind::Passport, DocumentKind::ProofOfAddress, DocumentKind::Selfie])
            .prop_map(Event::Upload),
        (any::<prop::sample::Index>(), findings(), any::<bool>()).prop_map(|(at, f, sure)| Event::Read(at, f, sure)),
        any::<bool>().prop_map(Event::Declare),
        subsequence(ListKind::ALL.to_vec(), 0..=2).prop_map(Event::Screen),
    ]
}

proptest! {
    #[test]
    fn nobody_is_approved_without_all_that_it_takes(events in prop::collection::vec(event(), 1..40), strict in any::<bool>()) {
        let mut desk = Desk::new();
        if !strict {
            desk.risk = generous();
        }
        for event in events {
            match event {
                Event::Upload(kind) => { desk.upload(kind, None); }
                Event::Read(at, findings, sure) if !desk.documents.is_empty() => {
                    let place = at.index(desk.documents.len());
                    if desk.documents[place].to_be_read() {
                        let fields = if sure { desk.kyc.sure_fields.clone() } else { vec![] };
                        desk.read_as(place, &fields, &findings);
                    }
                }
                Event::Read(..) => {}
                Event::Declare(pep) => desk.declare("employment", pep),
                Event::Screen(hits) => desk.screen(&hits),
            }
            let case = &desk.case;
            if case.facts.status == KycStatus::Approved && desk.events().contains(&"kyc.approved") {
                prop_assert!(case.missing(&desk.kyc).is_empty());
                prop_assert!(case.facts.declaration.is_some());
                prop_assert!(!case.facts.screening.has(ListKind::Sanctions));
                prop_assert!(case.facts.screening.list_version.is_some());
                prop_assert!(case.counting().iter().all(|document| document.is_done()));
                let sure = |field: &String| case.counting().iter().any(|document| document.sure.contains(field));
                prop_assert!(desk.kyc.sure_fields.iter().all(sure));
            }
            // nothing is waited for without a time at which it is looked at again
            prop_assert_eq!(case.due.is_some(), case.facts.status == KycStatus::Verifying);
            prop_assert_eq!(case.facts.review.is_some(), case.facts.status == KycStatus::InReview);
        }
    }
}
