//! What holds over any sequence of leads, agents who come and go, declines, time-outs and nights.

use domain::sales::agent::Presence;
use domain::sales::task::TaskAction;
use domain::{LeadId, Seconds};
use proptest::prelude::*;
use serde_json::json;

use crate::world::World;

#[derive(Debug, Clone)]
enum Step {
    Lead { country: &'static str, hot: bool, channel: &'static str },
    Presence(usize, Presence),
    Act(usize, TaskAction),
    Minutes(u32),
    Hours(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lead = (
        prop::sample::select(vec!["MX", "BR", "AE", "DE", "GR", "US"]),
        any::<bool>(),
        prop::sample::select(vec!["paid_search", "organic", "partner"]),
    );
    let step = prop_oneof![
        6 => lead.prop_map(|(country, hot, channel)| Step::Lead { country, hot, channel }),
        2 => (0_usize..9, prop::sample::select(Presence::ALL)).prop_map(|(who, presence)| Step::Presence(who, presence)),
        3 => (0_usize..40, prop::sample::select(TaskAction::ALL)).prop_map(|(n, action)| Step::Act(n, action)),
        2 => (1_u32..8).prop_map(Step::Minutes),
        1 => (1_u32..14).prop_map(Step::Hours),
    ];
    prop::collection::vec(step, 1..60)
}

/// Plays one step.
fn play(floor: &mut World, step: Step) {
    match step {
        Step::Lead { country, hot, channel } => {
            let signals: &[&str] = if hot { &["form_completed", "kyc_started"] } else { &[] };
            let body = json!({"country": country, "source": {"channel": channel}, "consents": {"email": true}});
            floor.submit(body, signals);
        }
        Step::Presence(who, presence) => {
            let name = floor.sales.agents().nth(who).unwrap().id.clone();
            floor.presence(&name, presence);
        }
        Step::Act(n, action) => {
            let held: Vec<LeadId> = floor
                .leads
                .values()
                .filter(|lead| lead.facts.assignment.is_some())
                .map(|lead| lead.id.clone())
                .collect();
            if let Some(id) = held.get(n % held.len().max(1)).cloned() {
                floor.act(&id, action);
            }
        }
        Step::Minutes(minutes) => floor.minutes(minutes),
        Step::Hours(hours) => {
            // a step of ten minutes at a time is as late as timers ever are
            for _ in 0..hours * 6 {
                floor.now = floor.now.plus(Seconds(600));
                floor.sweep();
                floor.sweep();
            }
            floor.minutes(4);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_lead_is_lost_given_twice_or_given_to_somebody_who_is_away(steps in steps(), few in any::<bool>()) {
        let mut sales = crate::world::seed("sales");
        if few {
            for pool in sales["pools"].as_array_mut().unwrap() {
                pool["open_max"] = json!(2);
            }
        }
        let mut floor = World::with("2026-11-25T10:00:00Z", sales, crate::world::seed("lead_routing"));
        floor.everybody(Presence::Online);
        for step in steps {
            play(&mut floor, step);
            floor.check();
        }
    }
}
