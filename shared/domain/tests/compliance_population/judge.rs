//! What the functions would find: every event and day is evaluated by the domain's own functions, and taken in by what compliance keeps
//! about the client, with its cool-downs and cases.

use domain::Day;
use domain::compliance::{
    Alert, Case, CaseStatus, CountryLists, Evaluation, Found, Mode, Moment, Scenarios, Sight, Standing, Trigger, Watch,
    evaluate,
};

use crate::person::{DAY, END, MEASURED, Person, moment};

/// So long an officer has a case; what comes later opens another one.
const CASE_DAYS: i64 = 7;

/// What was found of a client.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Hits of live scenarios that count: not within a cool-down.
    pub alerts: Vec<Alert>,
    /// Cases that were opened.
    pub cases: usize,
}

/// The scenarios and lists.
#[derive(Debug)]
pub struct Rules {
    pub scenarios: Scenarios,
    pub lists: CountryLists,
}

/// All that is found of a client in the measured year.
pub fn judge(person: &Person, rules: &Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let mut watch = Watch::begun(&person.about.client_id);
    let mut open: Option<Case> = None;
    for moment in moments(person, rules) {
        let found = found(person, rules, &moment);
        if found.is_empty() {
            continue;
        }
        if let Some(case) = open.take() {
            let old = moment.at.millis_since(case.facts.opened_at) > CASE_DAYS * DAY * 60_000;
            open = if old { closed(&mut watch, case) } else { Some(case) };
        }
        let Some(taken) = watch.take(open.as_ref(), &found, &rules.scenarios, moment.at) else { continue };
        watch = taken.watch.next;
        let standings = watch.standings();
        let counts = |alert: &Alert| standings.get(&alert.alert_id) == Some(&Standing::Counts);
        let fresh = found.into_iter().map(|(alert, _)| alert);
        verdict.alerts.extend(fresh.filter(counts));
        if let Some(case) = taken.case {
            verdict.cases += usize::from(open.is_none());
            open = Some(case.next);
        }
    }
    verdict
}

/// An officer has decided it.
fn closed(watch: &mut Watch, mut case: Case) -> Option<Case> {
    case.facts.status = CaseStatus::Closed;
    if let Some(followed) = watch.following(&case) {
        *watch = followed.next;
    }
    None
}

fn found(person: &Person, rules: &Rules, moment: &Moment) -> Vec<(Alert, Mode)> {
    let sight = Sight { history: &person.history, about: &person.about, rules: &rules.scenarios, lists: &rules.lists };
    let mut found = Vec::new();
    for scenario in rules.scenarios.set_off_by(moment.trigger) {
        if let Evaluation::Hit(looked) = evaluate(scenario, sight, moment).unwrap() {
            let by = Found {
                scenario,
                client: &person.about.client_id,
                moment,
                rule_version: "compliance_scenarios@seed",
                late_after: rules.scenarios.late_after,
                now: moment.at,
            };
            found.push((Alert::of(by, looked), scenario.mode));
        }
    }
    found
}

/// Everything that sets something off in the measured year, in its order.
fn moments(person: &Person, rules: &Rules) -> Vec<Moment> {
    let history = &person.history;
    let begin = moment(MEASURED * DAY);
    let movements = history.movements.iter().filter(|one| begin <= one.at).map(Moment::of_movement);
    let logins = history.logins.iter().filter(|one| begin <= one.at).map(Moment::of_login);
    // the deals of a day are told in the evening
    let traded = history.days.keys().filter(|day| begin <= day.begins()).map(|day| Moment::of_traded(*day));
    let first = person.since.max(MEASURED);
    let is_daily = rules.scenarios.set_off_by(Trigger::Daily).next().is_some();
    let days = (first..END).filter(|_| is_daily).map(|day| Moment::of_day(Day::of(moment(day * DAY))));
    let mut moments: Vec<Moment> = movements.chain(logins).chain(traded).chain(days).collect();
    moments.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    moments
}
