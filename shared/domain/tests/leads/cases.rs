//! The stories: each one way a lead can go.

use domain::ClientId;
use domain::decision::Verdict;
use domain::lead::LeadStatus;
use domain::lead::plan::Trigger;
use domain::sales::agent::Presence;
use domain::sales::choose::{NoAgent, Standing};
use domain::sales::task::{TaskAction, TaskStatus};
use domain::work::HumanDecision;
use serde_json::json;

use crate::world::{World, at};

const HOT: [&str; 3] = ["form_completed", "kyc_started", "demo_video_watched"];

/// A Spanish-speaking high-intent lead of an ad form at two in the morning in Europe.
#[test]
fn at_two_in_the_morning_the_closer_in_mexico_gets_the_lead_of_a_facebook_form() {
    let mut floor = World::new("2026-11-25T00:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"phone": "+525512345678", "source": {"channel": "social"}}), &HOT);
    let facts = &floor.leads[&lead].facts;
    assert_eq!((facts.country.unwrap().code(), facts.language.as_deref()), ("MX", Some("es")));
    let assignment = facts.assignment.as_ref().unwrap();
    assert_eq!((assignment.rule_id.as_str(), assignment.pool_id.as_str()), ("hot_latam", "latam_closers"));
    assert_eq!(assignment.agent_id.name(), "mateo_silva", "Sofía's day is over, Camila begins later");
    assert_eq!(assignment.due_at, at("2026-11-25T00:05:00Z"));
    let told: Vec<_> =
        floor.leads[&lead].person.routing.candidates.iter().map(|c| (c.agent_id.name(), c.standing)).collect();
    assert_eq!(
        told,
        [("sofia_reyes", Standing::OffShift), ("mateo_silva", Standing::Chosen), ("camila_torres", Standing::OffShift)]
    );
    floor.check();
}

#[test]
fn a_lead_that_nobody_begins_goes_on_and_ends_with_the_team_lead() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    let mut had = vec![floor.agent_of(&lead).unwrap().to_owned()];
    for _ in 0..2 {
        floor.minutes(4);
        assert_eq!(floor.agent_of(&lead), had.last().map(String::as_str), "the clock runs");
        floor.minutes(1);
        let next = floor.agent_of(&lead).unwrap().to_owned();
        assert!(!had.contains(&next), "never twice the same: {had:?} {next}");
        had.push(next);
        floor.check();
    }
    floor.minutes(5);
    assert_eq!(floor.status(&lead), LeadStatus::Escalated);
    assert_eq!(floor.asked, [(lead.clone(), "lead_unclaimed".to_owned())]);
    assert_eq!(floor.leads[&lead].facts.tried.len(), 3);
    let review = floor.leads[&lead].facts.review.clone().unwrap();
    let decision = HumanDecision {
        at: domain::Timestamp::EPOCH,
        kind: review.kind,
        trigger: Some(review.trigger),
        action: "route_again".to_owned(),
        evidence: None,
        by: "head".to_owned(),
        approved_by: None,
    };
    let Verdict::Change(again) = floor.leads[&lead].decided(&decision, floor.now) else { panic!("nothing decided") };
    floor.leads.insert(lead.clone(), again.next);
    assert_eq!(floor.run(&lead, Trigger::Route), "assigned");
    floor.check();
}

#[test]
fn a_declined_lead_goes_to_the_next_one_at_once() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    let first = floor.agent_of(&lead).unwrap().to_owned();
    assert_eq!(floor.act(&lead, TaskAction::Decline), "assigned");
    assert_ne!(floor.agent_of(&lead), Some(first.as_str()));
    assert_eq!(floor.agents[&first].facts.open, 0);
    floor.check();
}

#[test]
fn a_client_is_not_called_any_more_although_its_lead_was_declined() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let id = floor.submit(json!({"country": "MX"}), &HOT);
    let task = floor.tasks.values().next().unwrap().act(TaskAction::Decline, None, "agent", floor.now);
    let Ok(Verdict::Change(declined)) = task else { panic!("it cannot be declined") };
    // the lead registers before routing hears of it
    let Verdict::Change(converted) = floor.leads[&id].converted(&ClientId::from_bits(7), floor.now) else {
        panic!("it did not become a client")
    };
    floor.leads.insert(id.clone(), converted.next);
    assert_eq!(floor.run(&id, Trigger::TakeBack(Box::new(declined.next))), "nobody needs to call it any more");
    assert_eq!(floor.status(&id), LeadStatus::Converted);
}

#[test]
fn what_changed_while_an_agent_had_it_counts_when_it_is_given_back() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let id = floor.submit(json!({"country": "GB"}), &[]);
    let before = floor.leads[&id].facts.assignment.clone().unwrap();
    assert_eq!(before.rule_id, "rest_of_the_world");
    floor.act(&id, TaskAction::Start);
    for kind in HOT {
        assert_eq!(floor.signal(&id, kind), ["lead.signalled"], "its agent is at it");
    }
    assert_eq!(floor.act(&id, TaskAction::Decline), "assigned");
    let after = floor.leads[&id].facts.assignment.clone().unwrap();
    assert_eq!((after.rule_id.as_str(), after.pool_id.as_str()), ("hot_elsewhere", "senior_closers"));
    assert_ne!(after.agent_id, before.agent_id);
    assert_eq!(floor.leads[&id].facts.to_route, None);
    floor.check();
}

#[test]
fn a_lead_that_grew_hot_while_it_waits_is_handed_out_as_a_hot_one() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    let id = floor.submit(json!({"country": "GB"}), &[]);
    assert_eq!(floor.leads[&id].facts.waiting.as_ref().unwrap().pool_id, "round_the_clock");
    for kind in HOT {
        floor.signal(&id, kind);
    }
    floor.everybody(Presence::Online);
    assert_eq!(floor.run(&id, Trigger::Release), "assigned");
    assert_eq!(floor.leads[&id].facts.assignment.as_ref().unwrap().rule_id, "hot_elsewhere");
    floor.check();
}

#[test]
fn whoever_gave_a_lead_back_is_not_who_had_it() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let id = floor.submit(json!({"country": "MX"}), &HOT);
    floor.act(&id, TaskAction::Decline);
    assert_eq!(floor.leads[&id].facts.returning, None, "it was never here before");
}

#[test]
fn a_begun_lead_stays_and_the_time_to_the_first_touch_is_known() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    floor.minutes(3);
    assert_eq!(floor.act(&lead, TaskAction::Start), "started");
    floor.minutes(30);
    assert_eq!(floor.status(&lead), LeadStatus::Working);
    assert_eq!(floor.leads[&lead].facts.first_touch_ms, Some(180_000));
    assert_eq!(floor.act(&lead, TaskAction::Done), "done");
    assert_eq!(floor.status(&lead), LeadStatus::Contacted);
    assert_eq!(floor.tasks.values().filter(|task| task.facts.status == TaskStatus::Done).count(), 1);
    floor.check();
}

#[test]
fn a_lead_of_the_night_waits_for_the_shift_and_goes_out_oldest_first_at_the_pace_of_the_rule() {
    let mut sales = crate::world::seed("sales");
    for pool in sales["pools"].as_array_mut().unwrap() {
        pool.as_object_mut().unwrap().remove("overflow");
    }
    sales["agents"][1]["enabled"] = json!(false);
    sales["agents"][2]["enabled"] = json!(false);
    let mut floor = World::with("2026-11-25T05:00:00Z", sales, crate::world::seed("lead_routing"));
    floor.everybody(Presence::Online);
    let mut leads = Vec::new();
    for _ in 0..12 {
        leads.push(floor.submit(json!({"country": "MX"}), &HOT));
        floor.minutes(1);
        floor.check();
    }
    let waiting = floor.leads[&leads[0]].facts.waiting.clone().unwrap();
    assert_eq!(waiting.reason, NoAgent::NobodyWorks);
    assert_eq!(floor.pools["latam_closers"].due, Some(at("2026-11-25T11:00:00Z")), "Sofía begins at five in Mexico");
    floor.minutes(347);
    assert_eq!(floor.now, at("2026-11-25T10:59:00Z"));
    assert!(floor.given.is_empty() && floor.asked.is_empty(), "night does not count as waiting");
    for released in [5, 10, 12] {
        floor.minutes(1);
        let order: Vec<_> = floor.given.iter().map(|(lead, _)| lead.clone()).collect();
        assert_eq!(order, leads[..released], "oldest first, five a minute");
        floor.check();
    }
    floor.minutes(5);
    assert_eq!(floor.pools["latam_closers"].due, None, "nobody waits any more");
}

#[test]
fn a_lead_that_finds_everybody_full_waits_and_becomes_a_work_item() {
    let mut sales = crate::world::seed("sales");
    for pool in sales["pools"].as_array_mut().unwrap() {
        pool["open_max"] = json!(1);
    }
    let mut floor = World::with("2026-11-25T20:00:00Z", sales, crate::world::seed("lead_routing"));
    for name in ["sofia_reyes", "mateo_silva"] {
        floor.presence(name, Presence::Online);
    }
    let leads: Vec<_> = (0..4).map(|_| floor.submit(json!({"country": "MX"}), &HOT)).collect();
    leads[..2].iter().for_each(|lead| assert_eq!(floor.act(lead, TaskAction::Start), "started"));
    assert_eq!(floor.leads[&leads[2]].facts.waiting.as_ref().unwrap().reason, NoAgent::AllAtCap);
    floor.minutes(10);
    floor.act(&leads[0], TaskAction::Done);
    floor.minutes(1);
    assert_eq!(floor.status(&leads[2]), LeadStatus::Assigned, "the oldest one gets the place");
    assert_eq!(floor.act(&leads[2], TaskAction::Start), "started");
    floor.check();
    floor.minutes(20);
    assert_eq!(floor.status(&leads[3]), LeadStatus::Escalated);
    assert_eq!(floor.asked, [(leads[3].clone(), "lead_waiting".to_owned())]);
}

#[test]
fn nobody_of_the_pool_works_so_the_overflow_is_asked() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.presence("anna_weber", Presence::Online);
    floor.presence("elena_kosta", Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    let assignment = floor.leads[&lead].facts.assignment.clone().unwrap();
    assert_eq!((assignment.pool_id.as_str(), assignment.agent_id.name()), ("round_the_clock", "elena_kosta"));
    assert_eq!(assignment.rule_id, "hot_latam");
    let pools: Vec<_> = floor.leads[&lead].person.routing.candidates.iter().map(|c| c.pool_id.as_str()).collect();
    assert_eq!((pools[0], pools.last().copied()), ("latam_closers", Some("round_the_clock")));
}

#[test]
fn low_intent_is_nurtured_and_a_hot_one_leaves_the_sequence_for_a_desk() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(Presence::Online);
    let lead =
        floor.submit(json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}}), &[]);
    assert_eq!(floor.status(&lead), LeadStatus::Nurturing);
    assert_eq!(floor.leads[&lead].facts.sequence.as_ref().unwrap().name, "welcome");
    for kind in HOT {
        let Ok(Verdict::Change(decision)) = floor.leads[&lead].signalled(kind, None, &floor.scoring, floor.now) else {
            panic!("{kind} changes nothing");
        };
        floor.leads.insert(lead.clone(), decision.next);
        floor.run(&lead, Trigger::Route);
    }
    assert_eq!(floor.status(&lead), LeadStatus::Assigned);
    assert_eq!(floor.leads[&lead].facts.assignment.as_ref().unwrap().rule_id, "hot_latam");
    floor.check();
}

#[test]
fn a_lead_that_grows_hot_before_anybody_begins_changes_its_agent() {
    let mut floor = World::new("2026-11-25T09:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "GB"}), &[]);
    let first = floor.agent_of(&lead).unwrap().to_owned();
    assert_eq!(floor.leads[&lead].facts.assignment.as_ref().unwrap().rule_id, "rest_of_the_world");
    for kind in HOT {
        if let Ok(Verdict::Change(decision)) = floor.leads[&lead].signalled(kind, None, &floor.scoring, floor.now) {
            floor.leads.insert(lead.clone(), decision.next);
            floor.run(&lead, Trigger::Route);
            floor.check();
        }
    }
    let assignment = floor.leads[&lead].facts.assignment.clone().unwrap();
    assert_eq!(assignment.pool_id, "senior_closers");
    assert_eq!(floor.agents[&first].facts.open, u32::from(first == assignment.agent_id.name()));
}

#[test]
fn a_rule_that_names_a_pool_which_is_not_there_holds_the_lead() {
    let mut routing = crate::world::seed("lead_routing");
    let rows = routing["rows"].as_array_mut().unwrap();
    let last = rows.len() - 1;
    rows[last]["then"] = json!({"pool": "nowhere"});
    let mut floor = World::with("2026-11-25T15:00:00Z", crate::world::seed("sales"), routing);
    let id = floor.take(json!({"country": "GB"}), &[]);
    assert_eq!(floor.run(&id, Trigger::Route), "escalated");
    assert_eq!(floor.why, ["rule rest_of_the_world names pool nowhere, which is not there"]);
    assert_eq!(floor.leads[&id].facts.status, LeadStatus::Escalated);
    assert_eq!(floor.asked, [(id, "lead_rule_error".to_owned())]);
}

#[test]
fn a_lead_that_is_taken_back_while_its_rule_is_broken_is_held_and_its_agent_is_free_again() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    let task = floor.tasks.values().next().unwrap().clone();
    let agent = task.facts.agent_id.clone();
    // the pool that it was in is gone, and no row holds
    let mut sales = crate::world::seed("sales");
    sales["pools"].as_array_mut().unwrap().retain(|pool| pool["id"] != task.facts.pool_id.as_str());
    let mut routing = crate::world::seed("lead_routing");
    for row in routing["rows"].as_array_mut().unwrap() {
        row["then"] = json!({"pool": "nowhere"});
    }
    floor.publish(sales, routing);
    floor.now = task.facts.due_at;
    assert_eq!(floor.run(&lead, Trigger::TakeBack(Box::new(task.clone()))), "escalated");
    assert_eq!(floor.tasks[&task.id].facts.status, TaskStatus::Expired);
    assert_eq!(floor.agents[agent.name()].facts.open, 0);
    assert_eq!(floor.asked, [(lead, "lead_rule_error".to_owned())]);
}

#[test]
fn two_workers_with_the_same_plan_are_told_apart_by_what_they_read() {
    // both plan on the same states: the store lets one of them through, the other plans again on what is there
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(Presence::Online);
    let lead = floor.submit(json!({"country": "MX"}), &HOT);
    assert_eq!(floor.run(&lead, Trigger::Route), "it needs no routing");
    let task = floor.tasks.values().next().unwrap().clone();
    floor.now = task.facts.due_at;
    assert_eq!(floor.run(&lead, Trigger::TakeBack(Box::new(task.clone()))), "assigned");
    assert_eq!(floor.run(&lead, Trigger::TakeBack(Box::new(task))), "the lead is not this task's any more");
    floor.check();
}
