//! A version on the past: what it would have told, beside what is live, and whether the desk has time for it.

use domain::compliance::{About, Backtest, Figures, Scenarios};
use domain::rules::RuleSet as _;
use domain::{ClientId, Timestamp};
use serde_json::{Value as Json, json};

use crate::world::{World, anna, at, lists, seed};

fn parsed(document: &Json) -> Scenarios {
    Scenarios::parse(document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The seed with something of a scenario changed.
fn changed(scenario: &str, change: impl FnOnce(&mut Json)) -> Scenarios {
    let mut document = seed("compliance_scenarios");
    let all = document["scenarios"].as_array_mut().unwrap();
    change(all.iter_mut().find(|one| one["id"] == scenario).unwrap());
    parsed(&document)
}

fn span() -> (Timestamp, Timestamp) {
    (at("2025-06-01"), at("2025-08-30"))
}

/// Deposits of one client of a month, of which one is large.
fn client(number: u128, large: &str) -> World {
    let mut world = World::new(About { client_id: ClientId::from_bits(number), ..anna() });
    for day in ["2025-06-03", "2025-06-17", "2025-07-02"] {
        world.deposit("300.00", day);
    }
    world.deposit(large, "2025-07-10");
    world
}

fn tested(tried: &Scenarios, live: &Scenarios, clients: &[World]) -> Figures {
    let (from, to) = span();
    let (lists, mut figures) = (lists(), Figures::default());
    let test = Backtest { tried, live, lists, from, to };
    for world in clients {
        test.client(&world.about, &world.history, &mut figures).unwrap();
    }
    figures
}

#[test]
fn the_live_version_differs_from_itself_in_nothing() {
    let live = parsed(&seed("compliance_scenarios"));
    let clients = [client(1, "11000.00"), client(2, "7000.00")];
    let figures = tested(&live, &live, &clients);
    assert_eq!((figures.clients, figures.changed, figures.changes.len()), (2, 0, 0));
    let large = figures.scenarios(&live, &live).into_iter().find(|own| own.scenario == "large_single").unwrap();
    assert_eq!((large.alerts, large.hits, large.clients, large.live_alerts), (1, 1, 1, 1));
    // two clients for ninety days: 0.18 thousand client days
    assert_eq!(large.per_1000_clients_and_day.to_string(), "5.5556");
    assert!(!large.above_budget, "two clients say nothing about noise");
}

#[test]
fn what_a_version_adds_takes_away_and_turns_on_is_told() {
    let live = parsed(&seed("compliance_scenarios"));
    let clients = [client(1, "11000.00"), client(2, "7000.00")];
    let looser = changed("large_single", |one| one["parameters"]["threshold"] = json!("5000"));
    let figures = tested(&looser, &live, &clients);
    let (change, count) = (&figures.changes[0], figures.changed);
    assert_eq!(
        (count, &change.scenario, change.client_id.as_ref()),
        (1, &"large_single".to_owned(), Some(&ClientId::from_bits(2)))
    );
    assert_eq!((change.was, change.now.is_some()), (None, true));
    let off = changed("large_single", |one| one["mode"] = json!("off"));
    let own = |figures: &Figures, tried: &Scenarios| {
        figures.scenarios(tried, &live).into_iter().find(|own| own.scenario == "large_single").unwrap()
    };
    let gone = tested(&off, &live, &clients);
    assert_eq!((own(&gone, &off).alerts, own(&gone, &off).removed, gone.changed), (0, 1, 1));
    let shadow = changed("large_single", |one| one["mode"] = json!("shadow"));
    let shown = tested(&shadow, &live, &clients);
    assert_eq!((own(&shown, &shadow).alerts, own(&shown, &shadow).removed, shown.changed), (1, 0, 1), "another mode");
}

#[test]
fn above_its_budget_is_what_so_many_clients_can_tell() {
    let live = parsed(&seed("compliance_scenarios"));
    let noisy = changed("large_single", |one| one["parameters"]["threshold"] = json!("250"));
    let few: Vec<World> = (1..=20).map(|number| client(number, "2000.00")).collect();
    assert_eq!(tested(&noisy, &live, &few).too_noisy(&noisy, &live), [], "1.8 thousand client days allow 0.18 alerts");
    let many: Vec<World> = (1..=120).map(|number| client(number, "2000.00")).collect();
    let told = tested(&noisy, &live, &many).too_noisy(&noisy, &live);
    assert_eq!(told.iter().map(|own| own.scenario.as_str()).collect::<Vec<_>>(), ["large_single"]);
    assert!(told[0].alerts >= 120 && told[0].above_budget, "{told:?}");
    // what is live already as it is needs nobody's yes again, nor does a shadow
    assert_eq!(tested(&noisy, &noisy, &many).too_noisy(&noisy, &noisy), []);
    let shadow = changed("large_single", |one| {
        one["parameters"]["threshold"] = json!("250");
        one["mode"] = json!("shadow");
    });
    assert_eq!(tested(&shadow, &live, &many).too_noisy(&shadow, &live), []);
    assert_eq!(
        tested(&noisy, &shadow, &many).too_noisy(&noisy, &shadow).len(),
        1,
        "a shadow that goes live tells people from then on"
    );
}
