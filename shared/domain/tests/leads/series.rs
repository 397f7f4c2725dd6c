//! A series of messages to a lead: what ends it, and what a worker that died leaves behind.

use domain::Seconds;
use domain::decision::Verdict;
use domain::entity::Entity as _;
use domain::entity::{Raw, read};
use domain::journey::rules::Journeys;
use domain::journey::sending::Sight;
use domain::journey::{Books, Delivery, Did, GRACE, Journey, NextStep, RunState, begun};
use domain::lead::{Lead, LeadStatus, RoutingTrace};
use domain::rules::RuleSet;
use serde_json::json;

use crate::world::{World, seed};

fn rules() -> Journeys {
    Journeys::parse(&seed("journeys")).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Somebody with little intent who may be written to, and the series that begins.
fn reader(floor: &mut World) -> (Lead, Journey) {
    let body = json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}});
    let id = floor.submit(body, &[]);
    let lead = floor.leads[&id].clone();
    assert_eq!(lead.facts.status, LeadStatus::Nurturing);
    let journey = begun(&lead, &Books::live(1, &rules()), floor.now).unwrap().unwrap().next;
    (lead, journey)
}

fn saved(step: NextStep) -> Journey {
    match step {
        NextStep::Save(decision) | NextStep::Send(decision, _) => decision.next,
        NextStep::Nothing(_) | NextStep::Busy => panic!("nothing to save: {step:?}"),
    }
}

fn outcome(journey: &Journey) -> (RunState, Option<domain::Timestamp>) {
    (journey.inner.runs[0].state, journey.due())
}

#[test]
fn a_later_series_takes_the_place_of_an_earlier_one() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, first) = reader(&mut floor);
    let rules = rules();
    let books = Books::live(1, &rules);
    let again = lead.nurtures("welcome", RoutingTrace::default(), vec![], floor.now).next;
    let second = begun(&again, &books, floor.now).unwrap().unwrap().next;
    assert_ne!(first.id, second.id);
    let now = floor.now.plus(Seconds(601));
    let sight = Sight::of_lead(&again);
    let over = saved(first.next_step(&sight, &books, now).unwrap());
    assert_eq!(outcome(&over), (RunState::Left, None));
    assert!(matches!(second.next_step(&sight, &books, now), Ok(NextStep::Send(..))));
}

/// The rules without the series.
fn without_it() -> Journeys {
    let mut document = seed("journeys");
    document["journeys"][0]["id"] = json!("another");
    Journeys::parse(&document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn a_series_that_is_taken_out_of_the_rules_ends() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, journey) = reader(&mut floor);
    let (rules, without) = (rules(), without_it());
    let sight = Sight::of_lead(&lead);
    let now = floor.now.plus(Seconds(601));
    let ended = saved(journey.next_step(&sight, &Books::live(2, &without), now).unwrap());
    assert_eq!(outcome(&ended), (RunState::Left, None));
    // while a message is on its way what became of it is still written down
    let sending = saved(journey.next_step(&sight, &Books::live(1, &rules), now).unwrap());
    let Verdict::Change(sent) = sending.delivered(&Delivery::Sent, &Books::live(2, &without), now) else {
        panic!("it was on its way")
    };
    assert!(sent.next.inner.runs[0].history.iter().any(|line| line.did == Did::Sent));
    assert_eq!(outcome(&sent.next), (RunState::Done, None));
}

#[test]
fn a_message_whose_worker_died_is_not_sent_again() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, journey) = reader(&mut floor);
    let rules = rules();
    let books = Books::live(1, &rules);
    let sight = Sight::of_lead(&lead);
    let mut now = floor.now.plus(Seconds(601));
    let sending = saved(journey.next_step(&sight, &books, now).unwrap());
    assert_eq!(sending.next_step(&sight, &books, now).unwrap(), NextStep::Nothing("it is not time yet"));
    now = now.plus(GRACE);
    let after = saved(sending.next_step(&sight, &books, now).unwrap());
    let last = after.inner.runs[0].history.last().unwrap();
    assert_eq!((last.did, last.why.as_str()), (Did::Suppressed, "unknown"));
    // what the dead worker's answer would say comes too late
    let late = after.delivered(&Delivery::Sent, &books, now);
    assert_eq!(late, Verdict::Nothing("nothing was being sent"));
    assert!(after.due().unwrap() > now, "the next message has its own delay");
}

#[test]
fn an_item_of_the_first_form_goes_on_where_it_was() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    let (lead, journey) = reader(&mut floor);
    let began = floor.now;
    let due = began.plus(Seconds(600 + 2 * 86_400));
    let public = json!({
        "sequence": "welcome", "lead_id": lead.id, "entry": 1, "status": "active", "began_at": began, "tries": 0,
        "handled": [{"step": "hello", "at": began.plus(Seconds(600)), "outcome": "sent"}],
    })
    .to_string();
    let raw = Raw { schema: 1, ..Raw::of::<Journey>(journey.id.as_str(), &public, None) };
    let old = read::<Journey>(raw, None, Some(due)).unwrap();
    assert_eq!(outcome(&old), (RunState::Active, Some(due)));
    let rules = rules();
    // by day in Mexico City
    let NextStep::Send(decision, letter) = old.next_step(&Sight::of_lead(&lead), &Books::live(7, &rules), due).unwrap()
    else {
        panic!("the second message is due")
    };
    assert_eq!(letter.of, "welcome/demo_account");
    assert_eq!(decision.next.inner.runs[0].step.as_deref(), Some("demo_account"));
    let ended = json!({
        "sequence": "welcome", "lead_id": lead.id, "entry": 1, "status": "ended", "began_at": began, "tries": 2,
        "ended_by": "hot", "sending": ["hello", began],
    })
    .to_string();
    let raw = Raw { public: &ended, ..raw };
    assert_eq!(outcome(&read::<Journey>(raw, None, None).unwrap()), (RunState::Left, None));
}
