//! Language and fairness: who speaks the lead's language comes first, and the work still comes out by weight.

use std::collections::BTreeMap;

use domain::sales::agent::Presence;
use domain::sales::choose::{LANGUAGE_DEBT_LEADS, Needs, choose};
use domain::sales::shares::{Shares, WHOLE};
use proptest::prelude::*;

use crate::world::World;

/// The closers of Latin America, all there: Sofía with twice the weight and no Portuguese, Mateo and Camila with both.
fn closers() -> World {
    let mut floor = World::new("2026-11-26T01:30:00Z");
    for name in ["sofia_reyes", "mateo_silva", "camila_torres"] {
        floor.presence(name, Presence::Online);
    }
    // all three shifts at once
    let mut sales = crate::world::seed("sales");
    for agent in sales["agents"].as_array_mut().unwrap() {
        agent["calendar"] = serde_json::json!("latam_night");
    }
    floor.publish(sales, crate::world::seed("lead_routing"));
    floor
}

struct Dealt {
    given: BTreeMap<String, u32>,
    largest_debt: i64,
}

/// Deals leads out, checks the laws at each of them, and goes on with `shares`.
fn deal<'l>(floor: &World, shares: &mut Shares, leads: impl IntoIterator<Item = &'l str>) -> Dealt {
    let pool = floor.sales.pool("latam_closers").unwrap();
    let mut dealt = Dealt { given: BTreeMap::new(), largest_debt: 0 };
    for language in leads {
        let needs = Needs { language: Some(language), ..Needs::default() };
        let choice = choose(&floor.sales, pool, &floor.agents, shares, needs, floor.now);
        let agent = choice.agent.unwrap();
        let spoken = &floor.sales.agent(agent.name()).unwrap().languages;
        assert!(spoken.iter().any(|spoken| spoken == language), "{} does not speak {language}", agent.name());
        *dealt.given.entry(agent.name().to_owned()).or_default() += 1;
        *shares = choice.shares;
        assert_eq!(shares.lags().map(|(_, lag)| lag).sum::<i64>(), 0);
        let debt = shares.lags().map(|(_, lag)| lag).max().unwrap();
        assert!(debt < (LANGUAGE_DEBT_LEADS + 2) * WHOLE, "somebody is owed {debt} billionths");
        dealt.largest_debt = dealt.largest_debt.max(debt);
    }
    dealt
}

fn times(dealt: &Dealt, name: &str) -> u32 {
    dealt.given.get(name).copied().unwrap_or(0)
}

#[test]
fn leads_in_a_language_of_some_are_part_of_their_part_and_the_numbers_come_out_by_weight() {
    let floor = closers();
    let dealt = deal(&floor, &mut Shares::default(), ["es", "pt", "es"].into_iter().cycle().take(400));
    let (sofia, mateo, camila) =
        (times(&dealt, "sofia_reyes"), times(&dealt, "mateo_silva"), times(&dealt, "camila_torres"));
    assert!(
        (198..=202).contains(&sofia) && (99..=101).contains(&mateo) && (99..=101).contains(&camila),
        "{:?}",
        dealt.given
    );
}

/// What nobody could do about is not made up for without end.
#[test]
fn after_a_month_of_one_language_the_other_is_no_flood() {
    let floor = closers();
    let mut shares = Shares::default();
    let portuguese = deal(&floor, &mut shares, std::iter::repeat_n("pt", 1_000));
    assert_eq!(times(&portuguese, "sofia_reyes"), 0);
    assert_eq!(times(&portuguese, "mateo_silva").abs_diff(times(&portuguese, "camila_torres")), 0);
    let spanish = deal(&floor, &mut shares, std::iter::repeat_n("es", 40));
    // half of forty by weight, and what she was owed
    assert!((24..=26).contains(&times(&spanish, "sofia_reyes")), "{:?}", spanish.given);
}

/// A pause is no reason to be owed leads that somebody could not have had without it.
#[test]
fn who_pauses_misses_no_more_leads_in_a_foreign_language_than_who_does_not() {
    let mut floor = closers();
    let mut shares = Shares::default();
    deal(&floor, &mut shares, ["es", "es", "es", "es"]);
    floor.presence("sofia_reyes", Presence::Busy);
    deal(&floor, &mut shares, std::iter::repeat_n("pt", 200));
    floor.presence("sofia_reyes", Presence::Online);
    let spanish = deal(&floor, &mut shares, std::iter::repeat_n("es", 40));
    assert!((24..=26).contains(&times(&spanish, "sofia_reyes")), "{:?}", spanish.given);
}

proptest! {
    /// Whatever languages come in whatever order: a lead goes to somebody who speaks it, and no debt passes the limit.
    #[test]
    fn language_comes_first_and_no_debt_passes_the_limit(
        leads in prop::collection::vec(prop::sample::select(vec!["es", "pt", "en"]), 1..300),
    ) {
        deal(&closers(), &mut Shares::default(), leads);
    }
}
