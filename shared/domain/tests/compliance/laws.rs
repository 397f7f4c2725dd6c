//! Laws that hold whatever happens: the order and repetition of what is heard make no difference, and nobody closes a case alone.

use std::collections::BTreeSet;

use domain::activity::{NameMatch, NewsKind};
use domain::compliance::{CaseAction, CaseOutcome, CaseRequest, CaseStatus, Moment, Trigger, moments_from};
use domain::decision::Verdict;
use domain::four_eyes::person;
use domain::{Seconds, Timestamp};
use proptest::prelude::*;

use crate::cases::Desk;
use crate::world::{World, anna, at};

/// Scenarios of which more history can only make more hits.
const GROWING: [&str; 7] = [
    "structuring",
    "structuring_day",
    "velocity",
    "round_amounts",
    "large_cumulative",
    "many_instruments",
    "third_party_again",
];

#[derive(Debug, Clone)]
struct Payment {
    minutes: u32,
    amount: u32,
    card: u8,
    other: bool,
    out: bool,
}

fn payments() -> impl Strategy<Value = Vec<Payment>> {
    let amount = prop_oneof![Just(1_000_u32), Just(9_000), Just(9_999), Just(12_000), 1_u32..20_000];
    let one = (0_u32..20 * 1_440, amount, 0_u8..6, prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let payment = one.prop_map(|(minutes, amount, card, other, out)| Payment { minutes, amount, card, other, out });
    prop::collection::vec(payment, 1..14)
}

fn world_of(payments: &[Payment]) -> World {
    let mut world = World::new(anna());
    for payment in payments {
        let when = at("2025-07-01").plus(Seconds(payment.minutes * 60));
        let amount = format!("{}.00", payment.amount);
        let movement =
            if payment.out { world.withdrawal(&amount, "2025-07-01") } else { world.deposit(&amount, "2025-07-01") };
        movement.at = when;
        movement.instrument = Some(format!("card-{}", payment.card));
        movement.name = Some(if payment.other { NameMatch::Other } else { NameMatch::Same });
    }
    world
}

/// Hears payments in an order, each as often as it is named, with what was heard before as history.
fn heard(whole: &World, order: &[usize], only: &[&str]) -> Desk {
    let mut desk = Desk::new();
    let mut known = World::new(anna());
    let mut seen = BTreeSet::new();
    for (step, n) in order.iter().enumerate() {
        let movement = whole.history.movements[n % whole.history.movements.len()].clone();
        if seen.insert(movement.payment_id.clone()) {
            known.history.movements.push(movement.clone());
            known.history.movements.sort_by(|a, b| (a.at, &a.payment_id).cmp(&(b.at, &b.payment_id)));
        }
        let now = at("2025-08-01").plus(Seconds(u32::try_from(step).unwrap()));
        // what is heard late changes what is to be said of what came after it
        for moment in moments_from(&known.history, NewsKind::Movement, movement.at, now) {
            desk.hear(&known, &moment, only, now);
        }
    }
    desk
}

/// What a case holds, without when it was heard.
fn told(desk: &Desk) -> Vec<(String, String, Timestamp)> {
    let alerts = desk.case.iter().flat_map(|case| &case.inner.alerts);
    alerts.map(|alert| (alert.alert_id.to_string(), alert.standing.to_string(), alert.at)).collect()
}

fn everything(count: usize) -> impl Strategy<Value = Vec<usize>> {
    let whole: Vec<usize> = (0..count).collect();
    let repeats = prop::collection::vec(0..count, 0..count);
    (Just(whole).prop_shuffle(), repeats).prop_map(|(mut order, repeats)| {
        order.extend(repeats);
        order
    })
}

fn shuffled() -> impl Strategy<Value = (Vec<Payment>, Vec<usize>)> {
    payments().prop_flat_map(|payments| {
        let count = payments.len();
        (Just(payments), everything(count))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_and_repetition_gives_the_same_alerts((payments, order) in shuffled()) {
        let world = world_of(&payments);
        let mut in_order: Vec<usize> = (0..payments.len()).collect();
        in_order.sort_by_key(|n| (world.history.movements[*n].at, world.history.movements[*n].payment_id.clone()));
        let (plain, mixed) = (heard(&world, &in_order, &GROWING), heard(&world, &order, &GROWING));
        prop_assert_eq!(told(&plain), told(&mixed));
        let score = |desk: &Desk| desk.case.as_ref().map(|case| (case.facts.score, case.facts.scenarios.clone()));
        prop_assert_eq!(score(&plain), score(&mixed));
        prop_assert!(plain.opened <= 1 && mixed.opened <= 1, "one open case a client");
    }

    #[test]
    fn every_alert_of_the_whole_history_is_found_in_any_order((payments, order) in shuffled()) {
        let world = world_of(&payments);
        let mixed = heard(&world, &order, &[]);
        let mut whole = Desk::new();
        for movement in &world.history.movements {
            whole.hear(&world, &Moment::of_movement(movement), &[], at("2025-08-01"));
        }
        let ids = |desk: &Desk| desk.watch.inner.hits.iter().map(|hit| hit.alert_id.clone()).collect::<BTreeSet<_>>();
        prop_assert!(ids(&whole).is_subset(&ids(&mixed)));
    }

    #[test]
    fn nothing_that_happens_later_changes_what_is_said_of_a_moment(payments in payments(), cut in 0_usize..14) {
        let world = world_of(&payments);
        let moment = Moment::of_movement(&world.history.movements[cut % payments.len()]);
        let mut until = world.clone();
        until.history.movements.retain(|movement| movement.at <= moment.at);
        for scenario in ["structuring", "in_and_out", "rapid_move", "dep_spike", "many_instruments", "dormant"] {
            prop_assert_eq!(world.ask(scenario, &moment), until.ask(scenario, &moment), "{}", scenario);
        }
        prop_assert!(matches!(moment.trigger, Trigger::Deposit | Trigger::Withdrawal));
    }

    #[test]
    fn no_one_closes_a_case_alone(steps in prop::collection::vec((0_usize..9, 0_usize..3), 1..40)) {
        let mut world = World::new(anna());
        let mut desk = Desk::new();
        world.deposit("11000.00", "2025-07-01");
        desk.hear(&world, &world.last(), &[], at("2025-07-01"));
        let mut case = desk.case().clone();
        let mut proposer: Option<String> = None;
        for (step, (action, who)) in steps.into_iter().enumerate() {
            let by = ["ana", "Ana ", "ben"][who];
            let request = CaseRequest {
                action: CaseAction::ALL[action],
                reason: Some("because".to_owned()),
                until: Some(at("2025-09-01")),
                scenario: Some("large_single".to_owned()),
                outcome: Some(CaseOutcome::Explained),
            };
            let was = case.facts.status;
            let Ok((Verdict::Change(decision), _)) = case.act(&request, by, at("2025-07-02").plus(Seconds(u32::try_from(step).unwrap()))) else { continue };
            case = decision.next.clone();
            if request.action == CaseAction::ProposeClose {
                proposer = Some(by.to_owned());
            }
            if case.facts.status == CaseStatus::Closed && was != CaseStatus::Closed {
                let proposer = proposer.clone().unwrap();
                prop_assert_ne!(person(&proposer), person(by));
                // and the store is told whom to hold against it
                prop_assert_eq!(decision.approver.clone(), Some(person(by)));
            }
            let waits = case.facts.status == CaseStatus::AwaitingApproval;
            prop_assert_eq!(waits, case.facts.proposal.is_some());
            prop_assert_eq!(case.facts.status == CaseStatus::Closed, case.facts.closed.is_some());
        }
    }
}
