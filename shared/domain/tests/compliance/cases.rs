//! Alerts become cases, and people decide them.

use domain::compliance::{
    Alert, Case, CaseAction, CaseOutcome, CaseRefusal, CaseRequest, CaseStatus, Evaluation, Found, Mode, Moment,
    Standing, Then, Watch, score_of,
};
use domain::decision::{Decision, Verdict};
use domain::entity::{self, Entity, Raw};
use domain::work::rules::Priority;
use domain::{Seconds, Timestamp};

use crate::world::{World, anna, at, rules};

/// What is kept about a client, and his case.
#[derive(Clone)]
pub struct Desk {
    pub watch: Watch,
    pub case: Option<Case>,
    pub opened: u32,
}

impl Desk {
    pub fn new() -> Self {
        Self { watch: Watch::begun(&anna().client_id), case: None, opened: 0 }
    }

    fn open(&self) -> Option<&Case> {
        self.case.as_ref().filter(|case| case.facts.status != CaseStatus::Closed)
    }

    /// Evaluates every scenario that a moment sets off; those of `only` if there are any.
    pub fn hear(&mut self, world: &World, moment: &Moment, only: &[&str], now: Timestamp) {
        let rules = rules();
        let mut found = Vec::new();
        for scenario in rules.set_off_by(moment.trigger) {
            if !only.is_empty() && !only.contains(&scenario.id.as_str()) {
                continue;
            }
            if let Evaluation::Hit(looked) = world.ask_of(rules, &scenario.id, moment) {
                let found_by = Found {
                    scenario,
                    client: &world.about.client_id,
                    moment,
                    rule_version: "compliance_scenarios@1",
                    late_after: rules.late_after,
                    now,
                };
                found.push((Alert::of(found_by, looked), scenario.mode));
            }
        }
        self.take(&found, now);
    }

    pub fn take(&mut self, found: &[(Alert, Mode)], now: Timestamp) {
        let Some(taken) = self.watch.take(self.open(), found, rules(), now) else { return };
        if let Some(case) = taken.case {
            self.opened += u32::from(self.open().is_none());
            self.case = Some(case.next);
        }
        self.watch = taken.watch.next;
    }

    pub fn case(&self) -> &Case {
        self.case.as_ref().unwrap()
    }

    fn act(&mut self, request: &CaseRequest, by: &str, when: Timestamp) -> Result<Option<Decision<Case>>, CaseRefusal> {
        let (verdict, then) = self.case().act(request, by, when)?;
        let Verdict::Change(decision) = verdict else { return Ok(None) };
        self.case = Some(decision.next.clone());
        match then {
            Then::Follow => self.watch = self.watch.following(&decision.next).unwrap().next,
            Then::PutAside(scenario, snooze) => self.watch = self.watch.put_aside(&scenario, snooze).next,
            Then::Nothing | Then::AskClient => {}
        }
        Ok(Some(*decision))
    }
}

fn request(action: CaseAction) -> CaseRequest {
    CaseRequest { action, reason: None, until: None, scenario: None, outcome: None }
}

fn with_reason(action: CaseAction) -> CaseRequest {
    CaseRequest { reason: Some("seen the bank's statement".to_owned()), ..request(action) }
}

fn closing(outcome: CaseOutcome) -> CaseRequest {
    CaseRequest { outcome: Some(outcome), ..with_reason(CaseAction::ProposeClose) }
}

/// Three deposits just below the threshold in a day.
pub fn structured() -> (World, Desk) {
    let mut world = World::new(anna());
    let mut desk = Desk::new();
    for when in ["2025-07-01T10:00", "2025-07-01T12:00", "2025-07-01T14:00"] {
        world.deposit("9000.00", when);
        desk.hear(&world, &world.last(), &[], at(when));
    }
    (world, desk)
}

#[test]
fn alerts_of_a_client_become_one_case_with_score_priority_and_due_time() {
    let (_, desk) = structured();
    let case = desk.case();
    assert_eq!(desk.opened, 1);
    let mut told: Vec<_> = case.inner.alerts.iter().map(|alert| (alert.scenario.as_str(), alert.standing)).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("large_cumulative", Standing::Counts),
            ("large_cumulative", Standing::Repeat),
            ("round_amounts", Standing::Counts),
            ("structuring", Standing::Counts),
            ("structuring_day", Standing::Counts),
        ]
    );
    let score = case.facts.score;
    // the higher of the group counts
    assert!(case.inner.reasons.contains(&"structuring_day 65 (the highest of structuring)".to_owned()), "{case:?}");
    assert_eq!(score, score_of(&case.inner.alerts).0);
    assert!(score >= 90, "{:?}", case.inner.reasons);
    assert_eq!(case.facts.priority, Priority::Urgent);
    assert_eq!(case.facts.due_at, at("2025-07-01T14:00").plus(Seconds(86_400)));
    assert_eq!(desk.watch.facts.open_case.as_ref(), Some(&case.id));
}

#[test]
fn what_is_heard_again_changes_nothing() {
    let (world, mut desk) = structured();
    let before = (desk.watch.clone(), desk.case.clone());
    for movement in &world.history.movements {
        desk.hear(&world, &Moment::of_movement(movement), &[], at("2025-07-03"));
    }
    // the first two are judged with what is known of their own time, and that is nothing new
    assert_eq!((desk.watch, desk.case), before);
}

#[test]
fn a_case_is_closed_by_two_people_and_by_nobody_else() {
    let (_, mut desk) = structured();
    let later = at("2025-07-02");
    assert_eq!(desk.act(&request(CaseAction::ApproveClose), "ben", later), Err(CaseRefusal::NoProposal));
    assert_eq!(
        desk.act(&request(CaseAction::ProposeClose), "ana", later),
        Err(CaseRefusal::Missing(vec!["outcome", "reason"]))
    );
    desk.act(&request(CaseAction::Claim), "ana", later).unwrap();
    for refused in [CaseAction::Claim, CaseAction::Release, CaseAction::RequestInformation, CaseAction::ProposeClose] {
        assert_eq!(
            desk.act(&with_reason(refused), "ben", later),
            Err(CaseRefusal::Owned("ana".to_owned())),
            "{refused}"
        );
    }
    desk.act(&closing(CaseOutcome::Explained), "ana", later).unwrap();
    assert_eq!(desk.case().facts.status, CaseStatus::AwaitingApproval);
    assert_eq!(desk.case().proposed_by().as_deref(), Some("ana"));
    // by no other spelling of himself either
    for same in ["ana", "Ana", " ana\u{200B} "] {
        assert_eq!(desk.act(&request(CaseAction::ApproveClose), same, later), Err(CaseRefusal::OwnProposal));
    }
    assert_eq!(desk.act(&closing(CaseOutcome::Confirmed), "ana", later), Err(CaseRefusal::Awaiting));
    assert_eq!(desk.act(&closing(CaseOutcome::Explained), "ana", later), Ok(None), "sent twice");
    assert_eq!(desk.act(&request(CaseAction::Return), "ben", later), Err(CaseRefusal::Missing(vec!["reason"])));
    desk.act(&with_reason(CaseAction::Return), "ben", later).unwrap();
    assert_eq!((desk.case().facts.status, desk.case().proposed_by()), (CaseStatus::Investigating, None));
    desk.act(&closing(CaseOutcome::Confirmed), "ana", later).unwrap();
    let closed = desk.act(&request(CaseAction::ApproveClose), "ben", later).unwrap().unwrap();
    assert_eq!(closed.approver.as_deref(), Some("ben"));
    assert!(closed.events.is_empty(), "nobody hears of it");
    assert_eq!((desk.case().facts.status, desk.watch.facts.open_case.clone()), (CaseStatus::Closed, None));
    assert_eq!(desk.act(&request(CaseAction::ApproveClose), "ben", later), Ok(None), "sent twice");
    assert_eq!(desk.act(&request(CaseAction::Claim), "ben", later), Err(CaseRefusal::Closed));
    assert_eq!(desk.act(&request(CaseAction::Reopen), "cem", later), Err(CaseRefusal::Missing(vec!["reason"])));
    desk.act(&with_reason(CaseAction::Reopen), "cem", later).unwrap();
    assert_eq!(desk.case().facts.owner.as_deref(), Some("cem"));
    assert_eq!(desk.watch.facts.open_case.as_ref(), Some(&desk.case().id));
    assert_eq!(desk.act(&with_reason(CaseAction::Reopen), "cem", later), Err(CaseRefusal::NotClosed));
}

#[test]
fn an_alert_that_counts_takes_a_proposal_back() {
    let (mut world, mut desk) = structured();
    desk.act(&closing(CaseOutcome::Explained), "ana", at("2025-07-02")).unwrap();
    world.deposit("10.00", "2025-07-02T11:00").name = Some(domain::activity::NameMatch::Other);
    desk.hear(&world, &world.last(), &[], at("2025-07-02T11:00"));
    assert_eq!((desk.case().facts.status, desk.case().proposed_by()), (CaseStatus::Investigating, None));
    assert_eq!(desk.case().facts.owner.as_deref(), Some("ana"));
    // one that adds nothing does not
    desk.act(&closing(CaseOutcome::Explained), "ana", at("2025-07-02T12:00")).unwrap();
    world.deposit("10.00", "2025-07-03T11:00").name = Some(domain::activity::NameMatch::Other);
    desk.hear(&world, &world.last(), &["third_party"], at("2025-07-03T11:00"));
    assert_eq!(desk.case().facts.status, CaseStatus::AwaitingApproval);
}

#[test]
fn after_a_case_is_closed_a_repeat_opens_none_and_what_comes_after_the_cool_down_does() {
    let (world, mut desk) = structured();
    let first = desk.case().id.clone();
    desk.act(&closing(CaseOutcome::FalsePositive), "ana", at("2025-07-02")).unwrap();
    desk.act(&request(CaseAction::ApproveClose), "ben", at("2025-07-02")).unwrap();
    for (day, opens) in [("2025-07-08T09:00", false), ("2025-07-08T13:00", true)] {
        let mut desk = desk.clone();
        let mut world = world.clone();
        world.deposit("9000.00", day);
        world.deposit("9000.00", day);
        desk.hear(&world, &world.last(), &["large_cumulative"], at(day));
        assert_eq!(desk.watch.facts.open_case.is_some(), opens, "{day}: {:?}", desk.watch.inner.hits);
        assert_eq!(desk.watch.facts.cases.first(), Some(&first));
        // counted all the same
        assert!(desk.watch.facts.tallies["large_cumulative"].hits >= 3);
    }
}

#[test]
fn a_snooze_has_a_reason_and_an_end_and_is_counted() {
    let (mut world, mut desk) = structured();
    let now = at("2025-07-02");
    let snooze = |days: u32| CaseRequest {
        scenario: Some("large_cumulative".to_owned()),
        until: Some(now.plus(Seconds(days * 86_400))),
        ..with_reason(CaseAction::Snooze)
    };
    assert_eq!(desk.act(&snooze(0), "ana", now), Err(CaseRefusal::UntilOutOfRange));
    assert_eq!(desk.act(&snooze(181), "ana", now), Err(CaseRefusal::UntilOutOfRange));
    assert_eq!(
        desk.act(&request(CaseAction::Snooze), "ana", now),
        Err(CaseRefusal::Missing(vec!["scenario", "until", "reason"]))
    );
    let other = CaseRequest { scenario: Some("geo_login".to_owned()), ..snooze(10) };
    assert!(matches!(desk.act(&other, "ana", now), Err(CaseRefusal::UnknownScenario(_))));
    desk.act(&snooze(180), "ana", now).unwrap();
    let before = desk.watch.facts.tallies["large_cumulative"].hits;
    world.deposit("9000.00", "2025-10-01");
    world.deposit("9000.00", "2025-10-01");
    desk.hear(&world, &world.last(), &["large_cumulative"], at("2025-10-01"));
    assert_eq!(desk.watch.facts.tallies["large_cumulative"].hits, before + 1);
    assert_eq!(desk.case().inner.alerts.last().unwrap().standing, Standing::Snoozed);
    // it is over
    world.deposit("9000.00", "2026-01-01");
    world.deposit("9000.00", "2026-01-01");
    desk.hear(&world, &world.last(), &["large_cumulative"], at("2026-01-01"));
    assert_eq!(desk.case().inner.alerts.last().unwrap().standing, Standing::Counts);
}

#[test]
fn shadow_writes_down_what_it_would_have_done_and_opens_no_case() {
    let (_, desk) = structured();
    let alerts: Vec<(Alert, Mode)> =
        desk.case().inner.alerts.iter().map(|alert| (alert.clone(), Mode::Shadow)).collect();
    let mut shadow = Desk::new();
    shadow.take(&alerts, at("2025-07-02"));
    assert!(shadow.case.is_none() && shadow.watch.inner.hits.is_empty());
    assert_eq!(shadow.watch.facts.tallies["structuring"].shadow, 1);
    let before = shadow.watch.clone();
    shadow.take(&alerts, at("2025-07-03"));
    assert_eq!(shadow.watch, before, "each once");
}

#[test]
fn what_opens_no_case_waits_for_one_and_what_is_late_says_so() {
    let mut world = World::new(anna());
    let mut desk = Desk::new();
    for when in ["2025-07-01", "2025-07-02", "2025-07-03"] {
        world.deposit("1000.00", when);
        desk.hear(&world, &world.last(), &["round_amounts"], at(when));
    }
    assert!(desk.case.is_none());
    world.deposit("11000.00", "2025-07-04");
    desk.hear(&world, &world.last(), &["large_single"], at("2025-08-04"));
    let case = desk.case();
    assert_eq!(case.facts.score, 30);
    let late: Vec<_> = case.inner.alerts.iter().map(|alert| (alert.scenario.as_str(), alert.late)).collect();
    assert_eq!(late, [("round_amounts", false), ("large_single", true)]);
    assert!(desk.watch.inner.waiting.is_empty());
}

#[test]
fn what_is_stored_is_what_is_read_and_the_public_part_has_no_words() {
    let (_, mut desk) = structured();
    desk.act(&closing(CaseOutcome::Explained), "ana", at("2025-07-02")).unwrap();
    let case = desk.case();
    let (public, private) = entity::write(case).unwrap();
    assert!(!public.contains("statement") && !public.contains("pay_"), "{public}");
    let raw = Raw::of::<Case>(case.id.as_str(), &public, private.as_deref());
    assert_eq!(entity::read::<Case>(raw, Some(case.client_id.clone()), None).unwrap(), *case);
    let (public, private) = entity::write(&desk.watch).unwrap();
    let raw = Raw::of::<Watch>(desk.watch.id.as_str(), &public, private.as_deref());
    assert_eq!(entity::read::<Watch>(raw, Some(case.client_id.clone()), None).unwrap(), desk.watch);
    assert!(domain::compliance::is_secret(case.id.as_str()) && domain::compliance::is_secret(desk.watch.id.as_str()));
    assert!(!domain::compliance::is_secret("cli_1"));
}
