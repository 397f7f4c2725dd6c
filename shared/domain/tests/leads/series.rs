//! A series of messages to a lead: what ends it, and what a worker that died leaves behind.

use domain::Seconds;
use domain::journey::rules::Sequences;
use domain::journey::{Delivery, GRACE, Journey, JourneyStatus, MessageOutcome, NextStep, begun};
use domain::lead::{Lead, LeadStatus, RoutingTrace};
use domain::rules::RuleSet;
use serde_json::json;

use crate::world::{World, seed};

fn sequences() -> Sequences {
    Sequences::parse(&seed("sequences")).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Somebody with little intent who may be written to, and the series that begins.
fn reader(floor: &mut World) -> (Lead, Journey) {
    let body = json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}});
    let id = floor.submit(body, &[]);
    let lead = floor.leads[&id].clone();
    assert_eq!(lead.facts.status, LeadStatus::Nurturing);
    let journey = begun(&lead, &sequences(), floor.now).unwrap().unwrap().next;
    (lead, journey)
}

fn saved(step: NextStep) -> Journey {
    match step {
        NextStep::Save(decision) | NextStep::Send(decision, _) => decision.next,
        NextStep::Nothing(_) | NextStep::Busy => panic!("nothing to save: {step:?}"),
    }
}

#[test]
fn a_later_series_takes_the_place_of_an_earlier_one() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, first) = reader(&mut floor);
    let again = lead.nurtures("welcome", RoutingTrace::default(), vec![], floor.now).next;
    let second = begun(&again, &sequences(), floor.now).unwrap().unwrap().next;
    assert_ne!(first.id, second.id);
    let now = floor.now.plus(Seconds(601));
    let over = saved(first.next_step(&sequences(), &again, now).unwrap());
    assert_eq!((over.facts.status, over.due), (JourneyStatus::Ended, None));
    assert!(matches!(second.next_step(&sequences(), &again, now), Ok(NextStep::Send(..))));
}

/// The rules without the series.
fn without_it() -> Sequences {
    let mut document = seed("sequences");
    document["sequences"][0]["id"] = json!("another");
    Sequences::parse(&document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn a_series_that_is_taken_out_of_the_rules_ends() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, journey) = reader(&mut floor);
    let now = floor.now.plus(Seconds(601));
    let ended = saved(journey.next_step(&without_it(), &lead, now).unwrap());
    assert_eq!((ended.facts.status, ended.due), (JourneyStatus::Ended, None));
    // while a message is on its way what became of it is still written down
    let sending = saved(journey.next_step(&sequences(), &lead, now).unwrap());
    let domain::decision::Verdict::Change(sent) = sending.delivered(&Delivery::Sent, &without_it(), now) else {
        panic!("it was on its way")
    };
    assert_eq!(sent.next.facts.handled[0].outcome, MessageOutcome::Sent);
    assert_eq!((sent.next.facts.status, sent.next.due), (JourneyStatus::Finished, None));
}

#[test]
fn a_message_whose_worker_died_is_not_sent_again() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, journey) = reader(&mut floor);
    let rules = sequences();
    let mut now = floor.now.plus(Seconds(601));
    let sending = saved(journey.next_step(&rules, &lead, now).unwrap());
    assert_eq!(sending.next_step(&rules, &lead, now).unwrap(), NextStep::Busy);
    now = now.plus(GRACE);
    let after = saved(sending.next_step(&rules, &lead, now).unwrap());
    assert_eq!(after.facts.handled[0].outcome, MessageOutcome::Unknown);
    // what the dead worker's answer would say comes too late
    let late = after.delivered(&Delivery::Sent, &rules, now);
    assert_eq!(late, domain::decision::Verdict::Nothing("nothing was being sent"));
    let due = after.due.unwrap();
    assert!(due > now, "the next message has its own delay");
}
