//! What scenarios would have found: a version of the rules over the stored history of clients, beside the version that is live.
//!
//! Each client is judged at every moment at which the functions would have judged him, with what was known of that time; what is kept about
//! him begins empty. Who he is, his risk and the lists of countries are as today.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::alert::{Alert, Found, Standing};
use super::countries::CountryLists;
use super::evaluate::{Evaluation, Sight, evaluate};
use super::facts::{About, Moment};
use super::rules::{Mode, Scenarios, Trigger};
use super::watch::Watch;
use crate::activity::History;
use crate::rules::RuleError;
use crate::{AlertId, ClientId, Day, Seconds, Timestamp};

/// Differences that are listed; those beyond are counted.
const CHANGES_MAX: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// What is tried, on which time. Both ends count.
#[derive(Debug, Clone, Copy)]
pub struct Backtest<'a> {
    /// The version that is tried.
    pub tried: &'a Scenarios,
    /// The version that is live.
    pub live: &'a Scenarios,
    /// The lists of countries.
    pub lists: &'a CountryLists,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// What one version found about one client.
#[derive(Debug, Default)]
struct Told {
    /// Moments by scenarios that were judged.
    decisions: u64,
    /// Of them those for which not enough was known.
    unjudged: u64,
    /// Hits with the scenario, the moment, and whether they count.
    hits: BTreeMap<AlertId, Hit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    scenario: String,
    at: Timestamp,
    mode: Mode,
    counts: bool,
}

/// A difference between what is live and what is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the API's names")]
pub struct Change {
    /// Whom it is about; only compliance is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    pub scenario: String,
    pub at: Timestamp,
    /// The mode in which it was found; none where it was not.
    pub was: Option<Mode>,
    pub now: Option<Mode>,
}

/// What a scenario comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the API's names")]
pub struct ScenarioFigures {
    pub scenario: String,
    pub mode: Mode,
    /// Hits that are told: those within a cool-down are not.
    pub alerts: u64,
    /// All hits.
    pub hits: u64,
    /// Clients about whom there are alerts.
    pub clients: u64,
    #[serde(rename = "alerts_per_1000_clients_and_day")]
    pub per_1000_clients_and_day: Decimal,
    /// What the desk has time for.
    pub noise_budget: Decimal,
    /// Whether it is above that, as far as so many clients can tell.
    pub above_budget: bool,
    /// What the live version told.
    pub live_alerts: u64,
    /// Hits that the live version does not have.
    pub added: u64,
    /// Hits that only the live version has.
    pub removed: u64,
}

/// What a back-test comes to, of as many clients as were looked at.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Clients.
    pub clients: u64,
    /// Days on which they were clients, in thousandths.
    client_days: Decimal,
    /// Moments by scenarios that were judged.
    pub decisions: u64,
    /// Of them those for which not enough was known.
    pub unjudged: u64,
    /// All differences, also those that are not listed.
    pub changed: u64,
    /// The first of them.
    pub changes: Vec<Change>,
    scenarios: BTreeMap<String, Counted>,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    alerts: u64,
    hits: u64,
    clients: u64,
    live_alerts: u64,
    added: u64,
    removed: u64,
}

impl Backtest<'_> {
    /// How far back the history of a client is read.
    pub fn look_back(&self) -> Seconds {
        self.tried.look_back(Trigger::ALL).max(self.live.look_back(Trigger::ALL))
    }

    /// Judges a client, whose history was read as far back as [`Self::look_back`] before the first moment, and adds what comes of it.
    ///
    /// # Errors
    /// A row of either version that cannot be judged.
    pub fn client(&self, about: &About, history: &History, figures: &mut Figures) -> Result<(), RuleError> {
        let now = self.tell(self.tried, about, history)?;
        let was = self.tell(self.live, about, history)?;
        let since = self.from.max(about.since);
        let days = Decimal::from(self.to.millis_since(since).max(0)) / Decimal::from(DAY_MS);
        figures.clients = figures.clients.saturating_add(1);
        figures.client_days += days / Decimal::ONE_THOUSAND;
        figures.decisions = figures.decisions.saturating_add(now.decisions);
        figures.unjudged = figures.unjudged.saturating_add(now.unjudged);
        figures.count(about, &was, &now);
        Ok(())
    }

    fn tell(&self, rules: &Scenarios, about: &About, history: &History) -> Result<Told, RuleError> {
        let mut told = Told::default();
        let mut watch = Watch::begun(&about.client_id);
        let sight = Sight { history, about, rules, lists: self.lists };
        for moment in self.moments(rules, about, history) {
            let mut found = Vec::new();
            for scenario in rules.set_off_by(moment.trigger) {
                told.decisions = told.decisions.saturating_add(1);
                let (client, late_after) = (&about.client_id, rules.late_after);
                let found_by =
                    Found { scenario, client, moment: &moment, rule_version: "", late_after, now: moment.at };
                match evaluate(scenario, sight, &moment)? {
                    Evaluation::Hit(looked) => found.push((Alert::of(found_by, looked), scenario.mode)),
                    Evaluation::NoHit(_) => {}
                    Evaluation::InsufficientHistory { .. } => told.unjudged = told.unjudged.saturating_add(1),
                }
            }
            told.take(&mut watch, &found, rules, &moment);
        }
        Ok(told)
    }

    /// Every moment at which the functions would have judged him, the oldest first. Pairs with entries of watchlists are not among them: what
    /// the lists said then is not kept.
    fn moments(&self, rules: &Scenarios, about: &About, history: &History) -> Vec<Moment> {
        let within = |at: Timestamp| self.from <= at && at <= self.to;
        let movements = history.movements.iter().filter(|one| within(one.at)).map(Moment::of_movement);
        let logins = history.logins.iter().filter(|one| within(one.at)).map(Moment::of_login);
        let traded =
            history.days.keys().filter(|day| within(Moment::of_day(**day).at)).map(|day| Moment::of_traded(*day));
        let mut moments: Vec<Moment> = movements.chain(logins).chain(traded).collect();
        if rules.set_off_by(Trigger::Daily).next().is_some() {
            let mut day = Day::of(self.from.max(about.since));
            loop {
                let moment = Moment::of_day(day);
                if moment.at > self.to || day.next() == day {
                    break;
                }
                moments.push(moment);
                day = day.next();
            }
        }
        moments.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
        moments
    }
}

impl Told {
    fn take(&mut self, watch: &mut Watch, found: &[(Alert, Mode)], rules: &Scenarios, moment: &Moment) {
        // shadows count as they would if they were live
        let as_live: Vec<(Alert, Mode)> = found.iter().map(|(alert, _)| (alert.clone(), Mode::Live)).collect();
        let Some(taken) = watch.take(None, &as_live, rules, moment.at) else { return };
        *watch = taken.watch.next;
        // a case is of no interest here, and would keep every alert
        watch.facts.open_case = None;
        watch.facts.cases.clear();
        let standings = watch.standings();
        for (alert, mode) in found.iter().filter(|(alert, _)| watch.knows(&alert.alert_id)) {
            let counts = standings.get(&alert.alert_id) == Some(&Standing::Counts);
            let hit = Hit { scenario: alert.scenario.clone(), at: alert.at, mode: *mode, counts };
            self.hits.insert(alert.alert_id.clone(), hit);
        }
    }
}

impl Figures {
    fn count(&mut self, about: &About, was: &Told, now: &Told) {
        let mut alerted: BTreeMap<&str, u64> = BTreeMap::new();
        for hit in now.hits.values() {
            let own = self.scenarios.entry(hit.scenario.clone()).or_default();
            own.hits += 1;
            own.alerts += u64::from(hit.counts);
            *alerted.entry(&hit.scenario).or_default() += u64::from(hit.counts);
        }
        for (scenario, _) in alerted.into_iter().filter(|(_, alerts)| *alerts > 0) {
            self.scenarios.entry(scenario.to_owned()).or_default().clients += 1;
        }
        for hit in was.hits.values() {
            self.scenarios.entry(hit.scenario.clone()).or_default().live_alerts += u64::from(hit.counts);
        }
        let ids: std::collections::BTreeSet<&AlertId> = was.hits.keys().chain(now.hits.keys()).collect();
        for id in ids {
            let (before, after) = (was.hits.get(id), now.hits.get(id));
            let Some(hit) = after.or(before).filter(|_| before.map(|hit| hit.mode) != after.map(|hit| hit.mode)) else {
                continue;
            };
            let own = self.scenarios.entry(hit.scenario.clone()).or_default();
            own.added += u64::from(before.is_none());
            own.removed += u64::from(after.is_none());
            self.changed += 1;
            if self.changes.len() < CHANGES_MAX {
                self.changes.push(Change {
                    client_id: Some(about.client_id.clone()),
                    scenario: hit.scenario.clone(),
                    at: hit.at,
                    was: before.map(|hit| hit.mode),
                    now: after.map(|hit| hit.mode),
                });
            }
        }
    }

    /// By scenario, those of the version that is tried in its order, then those that only the live version has.
    pub fn scenarios(&self, tried: &Scenarios, live: &Scenarios) -> Vec<ScenarioFigures> {
        let gone = live.scenarios.iter().filter(|one| tried.get(&one.id).is_none());
        let all = tried.scenarios.iter().map(|one| (one, one.mode)).chain(gone.map(|one| (one, Mode::Off)));
        let figures = all.map(|(scenario, mode)| {
            let own = self.scenarios.get(&scenario.id).cloned().unwrap_or_default();
            let per =
                if self.client_days.is_zero() { Decimal::ZERO } else { Decimal::from(own.alerts) / self.client_days };
            ScenarioFigures {
                scenario: scenario.id.clone(),
                mode,
                alerts: own.alerts,
                hits: own.hits,
                clients: own.clients,
                per_1000_clients_and_day: per.round_dp(4).normalize(),
                noise_budget: scenario.noise_budget,
                above_budget: self.is_above(own.alerts, scenario.noise_budget),
                live_alerts: own.live_alerts,
                added: own.added,
                removed: own.removed,
            }
        });
        figures.collect()
    }

    /// Above the budget: with so few clients that it comes to less than one alert, nothing can be said.
    fn is_above(&self, alerts: u64, budget: Decimal) -> bool {
        let allowed = budget * self.client_days;
        allowed >= Decimal::ONE && Decimal::from(alerts) > allowed
    }

    /// Scenarios that are live, tell more than the live version does, and more than their budget allows.
    pub fn too_noisy(&self, tried: &Scenarios, live: &Scenarios) -> Vec<ScenarioFigures> {
        let is_too_noisy =
            |own: &ScenarioFigures| own.mode == Mode::Live && own.above_budget && own.alerts > own.live_alerts_of(live);
        self.scenarios(tried, live).into_iter().filter(is_too_noisy).collect()
    }
}

impl ScenarioFigures {
    /// What became cases: a scenario that was in shadow told nobody.
    fn live_alerts_of(&self, live: &Scenarios) -> u64 {
        let was_live = live.get(&self.scenario).is_some_and(|one| one.mode == Mode::Live);
        if was_live { self.live_alerts } else { 0 }
    }
}
