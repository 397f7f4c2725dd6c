//! Scores: points, fading, bands.

use domain::decision::Verdict;
use domain::lead::score::faded;
use domain::{Seconds, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::world::{World, at};

#[test]
fn points_add_up_and_say_where_they_are_from() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let body = json!({
        "phone": "+525512345678", "full_name": "Ana", "consents": {"phone": true},
        "profile": {"experience": "Some", "intended_deposit": "2500", "goal": "income"},
    });
    let lead = floor.take(body, &["form_completed"]);
    let scored = floor.leads[&lead].facts.scored.clone().unwrap();
    assert_eq!((scored.score, scored.band.as_str()), (90, "hot"));
    assert_eq!(
        scored.parts,
        [
            "has_phone +10",
            "may_be_called +5",
            "paid_search +15",
            "answered_questions +10",
            "has_traded +10",
            "means_business +15",
            "form_completed +25"
        ]
    );
}

#[test]
fn half_of_a_signal_is_left_after_its_half_life() {
    let half_life = Seconds(100);
    let left = |seconds: i64| faded(Decimal::from(40), seconds * 1000, half_life).normalize().to_string();
    assert_eq!([left(0), left(50), left(100), left(150), left(200)], ["40", "30", "20", "15", "10"]);
    assert_eq!(left(100 * 20), "0");
    assert_eq!(left(-5), "40");
}

#[test]
fn a_signal_counts_once_and_only_as_often_as_its_rule_says() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let id = floor.take(json!({}), &["webinar_attended"]);
    let lead = &floor.leads[&id];
    let again = lead.signalled("webinar_attended", None, &floor.scoring, floor.now).unwrap();
    assert!(matches!(again, Verdict::Nothing(_)));
    let mut lead = lead.clone();
    let before = lead.facts.scored.as_ref().unwrap().score;
    for hour in 1..4 {
        let earlier = Timestamp::from_seconds(floor.now.seconds() - hour * 3_600).unwrap();
        if let Verdict::Change(decision) =
            lead.signalled("webinar_attended", Some(earlier), &floor.scoring, floor.now).unwrap()
        {
            lead = decision.next;
        }
    }
    assert_eq!(lead.facts.scored.unwrap().score, before + 15, "two count");
}

#[test]
fn what_is_not_a_signal_of_the_rules_is_kept_and_counts_nothing() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let id = floor.take(json!({}), &["moon_phase"]);
    assert_eq!(floor.leads[&id].facts.signals.len(), 1);
    assert_eq!(floor.leads[&id].facts.scored.as_ref().unwrap().parts, ["paid_search +15"]);
    assert_eq!(at("2026-11-25T15:00:00Z"), floor.leads[&id].facts.signals[0].at);
}

proptest! {
    #[test]
    fn points_only_ever_fade(points in 1_u32..100, half_life in 1_u32..10_000_000, a in 0_i64..10_000_000_000, b in 0_i64..10_000_000_000) {
        let left = |age| faded(Decimal::from(points), age, Seconds(half_life));
        let (young, old) = (a.min(b), a.max(b));
        prop_assert!(left(old) <= left(young));
        prop_assert!(left(young) <= Decimal::from(points) && left(old) >= Decimal::ZERO);
    }
}
