//! Laws: whatever is said in whatever order, whoever dies where.

use proptest::prelude::*;

use super::fixture::*;
use super::world::{Fate, World};
use crate::payment::{DepositStatus, PollAnswer, PspReport, PspStatus, Returned, Way};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Told(PspReport),
    Swept(PollAnswer),
    Waited(i64),
    WorkerStarts,
    WorkerSteps(usize, Fate, bool),
    WorkerDies(usize),
    PersonDecides(usize),
}

fn statement() -> impl Strategy<Value = PspReport> {
    let status = prop::sample::select(vec![
        PspStatus::Pending,
        PspStatus::Processing,
        PspStatus::Succeeded,
        PspStatus::Succeeded,
        PspStatus::Succeeded,
        PspStatus::Failed,
        PspStatus::Canceled,
        PspStatus::Irrelevant,
        // an amount is put in below
        PspStatus::Returned(Returned::Total { amount: None }),
        PspStatus::Returned(Returned::Total { amount: None }),
        PspStatus::Returned(Returned::One { id: "re_1".to_owned(), way: Way::Refund, stands: true, amount: None }),
        PspStatus::Returned(Returned::One { id: "re_1".to_owned(), way: Way::Refund, stands: false, amount: None }),
        PspStatus::Returned(Returned::One { id: "dp_1".to_owned(), way: Way::Dispute, stands: true, amount: None }),
        PspStatus::Returned(Returned::One { id: "dp_1".to_owned(), way: Way::Dispute, stands: false, amount: None }),
    ]);
    let amount = prop::sample::select(vec![
        Some("1250.00 USD"),
        Some("1250.00 USD"),
        Some("1250.00 USD"),
        Some("1200.00 USD"),
        Some("1300.00 USD"),
        Some("1250.00 EUR"),
        Some("0.00 USD"),
        Some("50.00 USD"),
        None,
    ]);
    let reference = prop::sample::select(vec![REFERENCE, REFERENCE, REFERENCE, "", "pi_other"]);
    (status, amount, 0_i64..200, reference).prop_map(|(status, amount, seconds, reference)| {
        let status = match status {
            PspStatus::Returned(Returned::Total { .. }) => {
                PspStatus::Returned(Returned::Total { amount: amount.map(money) })
            }
            PspStatus::Returned(Returned::One { id, way, stands, .. }) => {
                PspStatus::Returned(Returned::One { id, way, stands, amount: amount.map(money) })
            }
            other => other,
        };
        let mut report = says(status, amount, seconds);
        report.event_id.push_str(reference);
        PspReport { reference: reference.to_owned(), ..report }
    })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![
        Fate::Booked,
        Fate::BookedAnswerLost,
        Fate::BookedLate,
        Fate::Lost,
        Fate::NotApplied,
        Fate::Refused,
    ])
}

fn poll_answer() -> impl Strategy<Value = PollAnswer> {
    prop_oneof![
        Just(PollAnswer::Silent("time-out".to_owned())),
        Just(PollAnswer::Absent),
        statement().prop_map(|report| {
            let event_id = format!("{}:{:?}", report.reference, report.status);
            PollAnswer::Report(PspReport { event_id, ..report })
        }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => statement().prop_map(Happening::Told),
        2 => poll_answer().prop_map(Happening::Swept),
        3 => (1_i64..90).prop_map(Happening::Waited),
        1 => (600_i64..4000).prop_map(Happening::Waited),
        4 => Just(Happening::WorkerStarts),
        12 => (0_usize..3, fate(), prop::bool::weighted(0.8)).prop_map(|(n, fate, works)| Happening::WorkerSteps(n, fate, works)),
        1 => (0_usize..3).prop_map(Happening::WorkerDies),
        2 => (0_usize..8).prop_map(Happening::PersonDecides),
    ]
}

fn happens(world: &mut World, happening: Happening) {
    match happening {
        Happening::Told(report) => world.tell(&report),
        Happening::Swept(answer) => world.sweep(&answer),
        Happening::Waited(seconds) => world.wait(seconds),
        Happening::WorkerStarts => world.start_worker(),
        Happening::WorkerSteps(which, fate, works) => world.step_worker(which, fate, works),
        Happening::WorkerDies(which) => world.kill_worker(which),
        Happening::PersonDecides(choice) => world.decide(choice),
    }
}

/// Statements that tell one story: an attempt fails, the next one is collected.
fn story() -> Vec<PspReport> {
    vec![
        says(PspStatus::Pending, Some("1250.00 USD"), 1),
        says(PspStatus::Failed, Some("1250.00 USD"), 5),
        says(PspStatus::Processing, Some("1250.00 USD"), 8),
        success(10),
        PspReport { event_id: "evt_charge".to_owned(), ..success(10) },
        says(PspStatus::Irrelevant, None, 12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_deposit_is_credited_at_most_once_and_never_stuck_or_forgotten(
        happenings in prop::collection::vec(happening(), 0..70),
    ) {
        let mut world = World::new();
        for happening in happenings {
            happens(&mut world, happening);
        }
        world.settle();
        world.check_end();
    }

    #[test]
    fn crediting_ends_with_one_deal_wherever_the_workers_die(
        steps in prop::collection::vec(
            prop_oneof![
                3 => (1_i64..90).prop_map(Happening::Waited),
                3 => Just(Happening::WorkerStarts),
                9 => (0_usize..3, fate(), any::<bool>()).prop_map(|(n, fate, works)| Happening::WorkerSteps(n, fate, works)),
                2 => (0_usize..3).prop_map(Happening::WorkerDies),
                2 => Just(Happening::Swept(PollAnswer::Absent)),
            ],
            0..80,
        ),
    ) {
        let mut world = World::new();
        world.tell(&success(10));
        for step in steps {
            happens(&mut world, step);
        }
        world.settle();
        world.check_end();
        let credited = world.deposit.facts.credited == Some(money("1250.00 USD")) && world.deals.len() == 1;
        prop_assert!(credited || world.deposit.status() == DepositStatus::NeedsReview);
    }

    #[test]
    fn any_order_and_repetition_of_one_story_ends_credited_once(
        order in Just(story()).prop_shuffle(),
        repeats in prop::collection::vec(0_usize..6, 0..6),
        credit_after in 0_usize..12,
    ) {
        let mut world = World::new();
        let all = order.iter().cloned().chain(repeats.iter().map(|n| order[*n].clone()));
        for (n, report) in all.enumerate() {
            if n == credit_after {
                world.start_worker();
                while world.deposit.status() != DepositStatus::Credited && world.deposit.status() != DepositStatus::Pending
                    && world.deposit.status() != DepositStatus::Failed {
                    world.step_worker(0, Fate::Booked, true);
                }
            }
            world.tell(&report);
        }
        world.settle();
        world.check_end();
        prop_assert_eq!(world.deposit.status(), DepositStatus::Credited);
        prop_assert_eq!(world.deposit.facts.credited, Some(money("1250.00 USD")));
        prop_assert_eq!(world.items.len(), 0);
    }

    #[test]
    fn no_collected_money_is_passed_over_in_silence(
        statements in prop::collection::vec(statement(), 1..12),
    ) {
        let mut world = World::new();
        for report in &statements {
            world.tell(report);
        }
        let collected = statements.iter().any(|report| report.status == PspStatus::Succeeded);
        world.settle();
        world.check_end();
        let gone_back = statements.iter().any(|report| {
            report.reference != "pi_other" && matches!(report.status, PspStatus::Returned(_))
        });
        let credited = world.deposit.facts.credited.is_some();
        prop_assert!(!collected || credited || gone_back || !world.items.is_empty(), "{:?}", world.deposit);
    }
}
