//! The seed's journeys from beginning to end.

use std::collections::BTreeMap;

use domain::activity::position::StreakKind;
use domain::entity::Entity as _;
use domain::journey::RunState;
use domain::journey::subject::Trigger;
use domain::{Seconds, Timestamp};
use serde_json::json;

use crate::world::{Person, at, held_out, treated};

fn hour_in_mexico(at: Timestamp) -> u16 {
    "America/Mexico_City".parse::<domain::Zone>().unwrap().wall_clock(at).minute_of_day() / 60
}

#[test]
fn an_idle_client_gets_a_mail_then_a_text_message_and_a_call_then_a_campaign_and_a_bonus() {
    let mut own = Person::of(treated(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    // 03:00 in Mexico City: what falls due so waits for the morning
    own.trades("2026-09-02T09:00:00Z", StreakKind::Win, 1);
    own.until("2026-09-16T08:59:59Z");
    assert_eq!(own.run("inactive"), None);
    own.until("2026-09-16T09:00:00Z");
    assert!(own.letters.is_empty());
    own.until("2026-12-01T00:00:00Z");
    assert_eq!(
        own.story("inactive"),
        [
            "entered no trade for so long",
            "check_in deferred quiet_hours",
            "check_in sent email",
            "text deferred quiet_hours",
            "text sent sms",
            "call task retention_call",
            "campaign deferred quiet_hours",
            "campaign sent email",
            "bonus bonus campaign welcome_back",
            "bonus done all of it happened",
        ]
    );
    let sent: Vec<_> = own.letters.iter().map(|(at, letter)| (at.to_string(), letter.of.as_str())).collect();
    let mornings = [
        ("2026-09-16T14:00:00.000Z", "inactive/check_in"),
        ("2026-10-02T14:00:00.000Z", "inactive/text"),
        ("2026-11-01T14:00:00.000Z", "inactive/campaign"),
    ];
    assert_eq!(sent, mornings.map(|(at, of)| (at.to_owned(), of)));
    assert!(own.letters.iter().all(|(at, _)| hour_in_mexico(*at) == 8));
    assert!(own.letters[0].1.body.reveal().starts_with("Hola Ana:"), "in his language");
    assert_eq!(own.state("inactive"), Some(RunState::Done));
}

#[test]
fn trades_move_the_day_on_and_write_nothing_here() {
    let mut own = Person::of(treated(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    let before = own.journey.clone();
    for day in 2..=14 {
        own.trades(
            &format!("2026-09-{day:02}T15:00:00Z"),
            if day % 2 == 0 { StreakKind::Win } else { StreakKind::Loss },
            1,
        );
    }
    assert_eq!(own.journey, before, "thirteen days of trades, and no write");
    let versions = own.until("2026-09-28T14:59:59Z");
    assert_eq!((versions, own.run("inactive")), (1, None));
    assert_eq!(own.journey.due(), Some(at("2026-09-28T15:00:00Z")));
}

#[test]
fn whoever_trades_again_leaves_at_once_and_his_call_is_moot() {
    let mut own = Person::of(treated(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.until("2026-10-02T00:00:00Z");
    assert!(own.story("inactive").contains(&"call task retention_call".to_owned()), "{:?}", own.story("inactive"));
    own.trades("2026-10-03T15:00:00Z", StreakKind::Win, 1);
    assert_eq!(
        (own.state("inactive"), own.story("inactive").pop()),
        (Some(RunState::Done), Some("campaign done goal: traded".to_owned()))
    );
    assert_eq!(own.journey.facts.settled[0].kind, "retention_call");
    // two weeks later the next spell begins
    own.until("2026-10-18T00:00:00Z");
    assert_eq!(own.journey.inner.runs.len(), 2);
}

#[test]
fn those_who_are_held_out_get_nothing_and_count() {
    let mut own = Person::of(held_out(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.until("2026-12-01T00:00:00Z");
    assert_eq!((own.state("inactive"), own.letters.len()), (Some(RunState::HeldOut), 0));
    assert!(own.run("inactive").unwrap().goal_until.unwrap() < at("2026-12-01T00:00:00Z"));
    let mut own = Person::of(held_out(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.until("2026-09-20T00:00:00Z");
    own.trades("2026-09-21T15:00:00Z", StreakKind::Win, 1);
    let counts = own.journey.counts();
    assert_eq!(counts[&("inactive".to_owned(), 1)]["goal.control"], 1);
    // once an entry
    own.trades("2026-09-22T15:00:00Z", StreakKind::Win, 2);
    assert_eq!(own.state("inactive"), Some(RunState::HeldOut));
}

#[test]
fn the_first_deposit_that_failed_is_called_about_and_later_ones_are_not() {
    let mut own = Person::of(treated(), "MX");
    own.hears(Trigger::DepositFailed, "pay-1", "2026-09-01T15:00:00Z", Some(250));
    own.until("2026-09-01T15:00:00Z");
    assert_eq!(own.story("deposit_failed")[1], "call task retention_deposit_failed");
    // what is counted of a step is what it came to, beside what is counted of all of them
    let counts = own.journey.counts();
    assert_eq!(
        counts[&("deposit_failed".to_owned(), 1)],
        BTreeMap::from([("step.call.task".to_owned(), 1), ("task".to_owned(), 1)])
    );
    let asked = own.journey.facts.review.clone();
    // the same once more, and another one within a day
    own.hears(Trigger::DepositFailed, "pay-1", "2026-09-03T15:00:00Z", Some(250));
    own.hears(Trigger::DepositFailed, "pay-2", "2026-09-01T16:00:00Z", Some(250));
    assert_eq!(own.journey.inner.runs.len(), 1);
    own.deposits("2026-09-01T16:30:00Z", 250);
    assert_eq!(asked.unwrap().kind, "retention_deposit_failed");
    assert!(own.run("deposit_failed").unwrap().goal_at.is_some());
    assert_eq!(own.journey.facts.settled[0].kind, "retention_deposit_failed", "nobody need call any more");
    own.hears(Trigger::DepositFailed, "pay-3", "2026-09-09T15:00:00Z", Some(250));
    assert_eq!(own.journey.inner.runs.iter().filter(|run| run.journey == "deposit_failed").count(), 1);
}

#[test]
fn the_first_withdrawal_has_somebody_ask_and_later_ones_do_not() {
    let mut own = Person::of(treated(), "DE");
    // he wants to hear nothing: this is about what he asked for himself
    own.says(&json!({"email": false, "sms": false, "phone": false, "topics": {"marketing": false, "education": false, "product": false}}));
    own.watched = true;
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.hears(Trigger::WithdrawalRequested, "pay-9", "2026-09-05T23:30:00Z", Some(100));
    own.until("2026-09-05T23:30:00Z");
    assert_eq!(own.story("first_withdrawal")[1..3], ["check_in task retention_withdrawal", "message sent in_app"]);
    own.does.withdrawals.count = 1;
    own.hears(Trigger::WithdrawalRequested, "pay-10", "2026-11-05T10:30:00Z", Some(100));
    assert_eq!(own.journey.inner.runs.len(), 1);
}

#[test]
fn five_losses_bring_a_course_and_no_sales_for_a_while() {
    let mut own = Person::of(treated(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.trades("2026-09-02T15:00:00Z", StreakKind::Loss, 4);
    assert_eq!(own.run("losing_streak"), None);
    own.trades("2026-09-02T16:00:00Z", StreakKind::Loss, 5);
    own.until("2026-09-02T16:00:00Z");
    assert_eq!(own.story("losing_streak")[1..], ["size sent email"]);
    // the sixth belongs to the same streak
    own.trades("2026-09-02T17:00:00Z", StreakKind::Loss, 6);
    assert_eq!(own.journey.inner.runs.len(), 1);
    // the mail that asks where he is would be an offer
    own.until("2026-09-16T16:30:00Z");
    assert_eq!(
        own.story("losing_streak")[2..],
        ["stop sent email", "diary sent email", "diary done all of it happened"]
    );
    let large = |amount| {
        let mut own = Person::of(treated(), "MX");
        own.deposits("2026-09-01T15:00:00Z", amount);
        own.trades("2026-09-02T16:00:00Z", StreakKind::Loss, 5);
        own.run("losing_streak").is_none()
    };
    assert_eq!([large(2_000), large(2_001)], [false, true]);
}

#[test]
fn three_wins_offer_nothing_to_one_who_was_not_tested() {
    let mut own = Person::of(treated(), "MX");
    own.deposits("2026-09-01T15:00:00Z", 500);
    own.trades("2026-09-02T15:00:00Z", StreakKind::Win, 3);
    own.until("2026-09-05T16:00:00Z");
    if own.state("winning_streak") == Some(RunState::HeldOut) {
        return;
    }
    assert_eq!(own.story("winning_streak")[1], "appropriate skipped the condition does not hold");
    assert!(own.letters.is_empty());
}

#[test]
fn a_large_deposit_without_a_trade_for_two_days_has_somebody_call() {
    for (amount, trades, calls) in
        [(5_000, None, true), (4_999, None, false), (9_000, Some("2026-09-03T14:59:59Z"), false)]
    {
        let mut own = Person::of(treated(), "MX");
        own.deposits("2026-09-01T15:00:00Z", amount);
        if let Some(when) = trades {
            own.until(when);
            own.trades(when, StreakKind::Win, 1);
        }
        own.until("2026-09-03T14:59:59Z");
        assert!(!own.story("deposit_idle").iter().any(|line| line.contains("task")), "{amount}: 48 hours are not over");
        own.until("2026-09-03T15:00:00Z");
        assert_eq!(
            own.story("deposit_idle").contains(&"call task retention_deposit_idle".to_owned()),
            calls,
            "{amount}"
        );
    }
}

#[test]
fn large_and_small_steps_of_the_clock_tell_the_same_story() {
    let tell = |step: Seconds| {
        let mut own = Person::of(treated(), "NZ");
        own.deposits("2026-09-01T15:00:00Z", 6_000);
        let end = at("2026-12-15T00:00:00Z");
        let mut now = at("2026-09-01T15:00:00Z");
        while now < end {
            now = now.plus(step).min(end);
            own.until(&now.to_string());
        }
        own.journey
    };
    assert_eq!(tell(Seconds(86_400 * 200)), tell(Seconds(3_600 * 7)));
}
