//! Who is chosen, and every reason why somebody is not.

use std::collections::BTreeMap;

use domain::Seconds;
use domain::sales::agent::{Absence, Away, Presence};
use domain::sales::choose::{Choice, Needs, NoAgent, Standing, choose, why};
use domain::sales::shares::Shares;
use domain::sales::{AgentId, AgentState};
use serde_json::json;

use crate::world::{World, at};

fn standings(floor: &World, pool: &str, needs: Needs<'_>) -> (Choice, BTreeMap<String, Standing>) {
    let pool = floor.sales.pool(pool).unwrap();
    let choice = choose(&floor.sales, pool, &floor.agents, &Shares::default(), needs, floor.now);
    let standings = choice.candidates.iter().map(|c| (c.agent_id.name().to_owned(), c.standing)).collect();
    (choice, standings)
}

fn change(floor: &mut World, name: &str, change: impl FnOnce(&mut AgentState)) {
    change(floor.agents.get_mut(name).unwrap());
}

#[test]
fn each_agent_has_the_reason_that_keeps_them_out() {
    let mut sales = crate::world::seed("sales");
    sales["agents"][8]["enabled"] = json!(false);
    sales["agents"][7]["leave"] = json!([{"from": "2026-11-20", "until": "2026-11-25"}]);
    sales["agents"][5]["open_max"] = json!(2);
    let mut floor = World::with("2026-11-25T20:30:00Z", sales, crate::world::seed("lead_routing"));
    floor.everybody(Presence::Online);
    floor.presence("mateo_silva", Presence::Busy);
    floor.presence("layla_nasser", Presence::Offline);
    let away = Away { reason: Absence::OnLeave, until: Some(at("2026-11-26T00:00:00Z")) };
    change(&mut floor, "omar_haddad", |agent| agent.facts.away = Some(away));
    change(&mut floor, "hassan_amin", |agent| agent.facts.open = 2);
    change(&mut floor, "camila_torres", |agent| agent.facts.recent = vec![at("2026-11-25T20:00:00Z").seconds(); 60]);
    let tried = [AgentId::of("sofia_reyes")];
    let needs = Needs { language: Some("es"), tried: &tried, before: None };
    let (choice, found) = standings(&floor, "round_the_clock", needs);
    for (name, standing) in [
        ("sofia_reyes", Standing::Tried),
        ("mateo_silva", Standing::Busy),
        ("camila_torres", Standing::OffShift),
        ("omar_haddad", Standing::OnLeave),
        ("layla_nasser", Standing::Offline),
        ("hassan_amin", Standing::AtCap),
        ("anna_weber", Standing::OffShift),
        ("elena_kosta", Standing::OnLeave),
        ("jonas_lind", Standing::Disabled),
    ] {
        assert_eq!(found.get(name), Some(&standing), "{name}");
    }
    assert_eq!(choice.agent, Err(NoAgent::AllAtCap));
    floor.now = at("2026-11-26T01:30:00Z");
    let (_, found) = standings(&floor, "round_the_clock", Needs::default());
    assert_eq!(found["camila_torres"], Standing::Chosen, "her shift began and the window is over");
    change(&mut floor, "camila_torres", |agent| agent.facts.recent = vec![at("2026-11-26T01:00:00Z").seconds(); 60]);
    let (_, found) = standings(&floor, "round_the_clock", Needs::default());
    assert_eq!(found["camila_torres"], Standing::WindowCap);
    let lines = why(&choice.candidates);
    assert!(lines.iter().any(|line| line == "at_cap: hassan_amin (2 of 2 open)"), "{lines:#?}");
}

#[test]
fn who_speaks_the_language_comes_first_or_alone() {
    let mut sales = crate::world::seed("sales");
    sales["pools"][5]["language"] = json!("required");
    let mut floor = World::with("2026-11-25T16:00:00Z", sales, crate::world::seed("lead_routing"));
    floor.presence("anna_weber", Presence::Online);
    let greek = Needs { language: Some("el"), ..Needs::default() };
    assert_eq!(standings(&floor, "round_the_clock", greek).0.agent, Err(NoAgent::NobodyWorks));
    assert!(standings(&floor, "eu_desk", greek).0.agent.is_ok(), "there it is only preferred");
    floor.presence("elena_kosta", Presence::Online);
    let (choice, found) = standings(&floor, "eu_desk", greek);
    assert_eq!((choice.agent.unwrap().name(), found["anna_weber"]), ("elena_kosta", Standing::Language));
}

#[test]
fn who_had_the_lead_before_gets_it_again_if_they_can() {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let before = AgentId::of("mateo_silva");
    let needs = Needs { before: Some(&before), ..Needs::default() };
    assert_eq!(standings(&floor, "latam_closers", needs).0.agent.unwrap(), before);
    floor.presence("mateo_silva", Presence::Offline);
    assert_eq!(standings(&floor, "latam_closers", needs).0.agent.unwrap().name(), "sofia_reyes");
}

#[test]
fn the_least_busy_for_the_weight_is_asked_and_among_equals_who_waited_longest() {
    let mut floor = World::new("2026-11-25T11:00:00Z");
    for name in ["omar_haddad", "layla_nasser"] {
        floor.presence(name, Presence::Online);
    }
    change(&mut floor, "omar_haddad", |agent| agent.facts.open = 3);
    change(&mut floor, "layla_nasser", |agent| agent.facts.open = 2);
    assert_eq!(standings(&floor, "mena_desk", Needs::default()).0.agent.unwrap().name(), "layla_nasser");
    change(&mut floor, "layla_nasser", |agent| {
        agent.facts.open = 3;
        agent.facts.recent = vec![100];
    });
    change(&mut floor, "omar_haddad", |agent| agent.facts.recent = vec![99]);
    assert_eq!(standings(&floor, "mena_desk", Needs::default()).0.agent.unwrap().name(), "omar_haddad");
}

#[test]
fn who_wins_more_leads_gets_more_of_them_within_the_bounds() {
    let mut floor = World::new("2026-11-25T16:00:00Z");
    for name in ["anna_weber", "elena_kosta"] {
        floor.presence(name, Presence::Online);
    }
    let anna = floor.agents["anna_weber"].clone();
    let mut won = anna;
    for _ in 0..40 {
        won = won.given("tsk", floor.now).next;
        won = won.won("lead", true, floor.now).next;
    }
    floor.agents.insert("anna_weber".to_owned(), won);
    let mut shares = Shares::default();
    let mut given: BTreeMap<String, u32> = BTreeMap::new();
    let pool = floor.sales.pool("eu_desk").unwrap();
    for _ in 0..50 {
        let choice = choose(&floor.sales, pool, &floor.agents, &shares, Needs::default(), floor.now);
        *given.entry(choice.agent.unwrap().name().to_owned()).or_default() += 1;
        shares = choice.shares;
    }
    // anna won 41 of 42 with the two that everybody is given, the others 1 of 2: 0.976 / 0.659 = 1.48 against 0.76,
    // in tenths 15 of 23 turns
    assert!((32..=33).contains(&given["anna_weber"]), "{given:?}");
    floor.now = floor.now.plus(Seconds(31 * 86_400));
    let choice = choose(&floor.sales, pool, &floor.agents, &Shares::default(), Needs::default(), floor.now);
    let weights: Vec<_> = choice.candidates.iter().map(|c| c.detail.clone()).collect();
    assert!(weights[0].starts_with("weight 10,"), "after a month it is forgotten: {weights:?}");
}
