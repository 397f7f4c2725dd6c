//! What compliance keeps about a client over all his cases: which of them is open, every hit once, cool-downs and what was put aside.
//!
//! One item a client, saved together with the case that it names: so a client never has two open cases, and one evaluation of an event
//! counts, whoever is at it at the same moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, Standing};
use super::case::{Case, CaseStatus};
use super::rules::{Mode, Scenarios, Trigger};
use crate::decision::{Decision, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::{AlertId, CaseId, ClientId, ClientWatchId, Seconds, Timestamp};

/// Hits that are remembered, the newest by the time at which they happened.
const HITS_MAX: usize = 400;
/// Alerts that wait for a case.
const WAITING_MAX: usize = 20;

/// A hit, as long as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The alert.
    #[serde(rename = "a")]
    pub alert_id: AlertId,
    /// The scenario.
    #[serde(rename = "s")]
    pub scenario: String,
    /// When it happened.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Its cool-down.
    #[serde(rename = "c")]
    pub cool_down: Seconds,
    /// Its scenario was put aside at that time.
    #[serde(rename = "z", default, skip_serializing_if = "std::ops::Not::not")]
    pub snoozed: bool,
}

/// A scenario that a person has put aside for this client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct Snooze {
    pub from: Timestamp,
    pub until: Timestamp,
    pub by: String,
    pub reason: String,
}

/// How often a scenario was a hit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Live.
    #[serde(default)]
    pub hits: u32,
    /// In shadow: nothing followed.
    #[serde(default)]
    pub shadow: u32,
    /// The newest in shadow, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadowed: Vec<AlertId>,
    /// When the newest of them happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadowed_at: Option<Timestamp>,
}

/// The public part: ids and figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFacts {
    /// The case that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_case: Option<CaseId>,
    /// It makes what the client takes out a person's to approve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
    /// All cases, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<CaseId>,
    /// How often each scenario was a hit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tallies: BTreeMap<String, Tally>,
}

/// The private part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchInner {
    /// Hits, by the time at which they happened.
    #[serde(default)]
    pub hits: Vec<Hit>,
    /// Alerts that open no case, and wait for one.
    #[serde(default)]
    pub waiting: Vec<Alert>,
    /// What was put aside, by scenario.
    #[serde(default)]
    pub snoozes: BTreeMap<String, Snooze>,
}

/// What compliance keeps about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The client's own: each has one.
    pub id: ClientWatchId,
    /// Whom it is about.
    pub client_id: ClientId,
    /// Ids and figures.
    pub facts: WatchFacts,
    /// The rest.
    pub inner: WatchInner,
}

/// What an alert comes to: what is kept about the client, and the case that it opens or joins, which are saved together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What is kept.
    pub watch: Decision<Watch>,
    /// The case.
    pub case: Option<Decision<Case>>,
}

impl Watch {
    /// Of a client about whom nothing is kept.
    pub fn begun(client: &ClientId) -> Self {
        let (facts, inner) = (WatchFacts::default(), WatchInner::default());
        Self { id: ClientWatchId::of(client), client_id: client.clone(), facts, inner }
    }

    /// Whether an alert is known.
    pub fn knows(&self, alert: &AlertId) -> bool {
        self.inner.hits.iter().any(|hit| hit.alert_id == *alert)
            || self.facts.tallies.values().any(|tally| tally.shadowed.contains(alert))
    }

    /// Alerts that were found; `open` is the case that it names. `None` where all of them are known.
    pub fn take(
        &self,
        open: Option<&Case>,
        found: &[(Alert, Mode)],
        rules: &Scenarios,
        now: Timestamp,
    ) -> Option<Taken> {
        let mut next = self.clone();
        let mut fresh: Vec<Alert> = Vec::new();
        let mut why = Vec::new();
        for (alert, mode) in found {
            if next.knows(&alert.alert_id) || next.stands(alert, *mode) {
                continue;
            }
            why.push(format!("{} {}: {mode}", alert.alert_id, alert.scenario));
            if next.note(alert, *mode) {
                fresh.push(alert.clone());
            }
        }
        if why.is_empty() {
            return None;
        }
        let standings = next.standings();
        for alert in &mut fresh {
            alert.standing = standings.get(&alert.alert_id).copied().unwrap_or(Standing::Repeat);
        }
        let case = match open {
            Some(open) => Some(open.joined(fresh, &standings, rules, now)),
            None => next.open(fresh, &standings, rules, now),
        };
        next.facts.holds = case.as_ref().map_or(next.facts.holds, |case| case.next.facts.holds);
        let outcome = if case.is_some() { "alerted" } else { "noted" };
        Some(Taken { watch: Decision::new(next, outcome, vec![], why), case })
    }

    /// What each day finds again stands until its cool-down is over: it is not told a second time.
    fn stands(&self, alert: &Alert, mode: Mode) -> bool {
        if alert.trigger != Trigger::Daily {
            return false;
        }
        let within = |at: Timestamp, cool_down: Seconds| at <= alert.at && alert.at < at.plus(cool_down);
        if mode != Mode::Live {
            let tally = self.facts.tallies.get(&alert.scenario);
            return tally.and_then(|tally| tally.shadowed_at).is_some_and(|at| within(at, alert.cool_down));
        }
        // what was found while it was put aside is told when that is over
        let is_aside = self.is_put_aside(alert);
        let told = |hit: &&Hit| hit.scenario == alert.scenario && (is_aside || !hit.snoozed);
        self.inner.hits.iter().filter(told).any(|hit| within(hit.at, hit.cool_down))
    }

    fn is_put_aside(&self, alert: &Alert) -> bool {
        let snooze = self.inner.snoozes.get(&alert.scenario);
        snooze.is_some_and(|snooze| snooze.from <= alert.at && alert.at < snooze.until)
    }

    /// Remembers a hit; whether it may come to something.
    fn note(&mut self, alert: &Alert, mode: Mode) -> bool {
        let snoozed = self.is_put_aside(alert);
        let tally = self.facts.tallies.entry(alert.scenario.clone()).or_default();
        if mode != Mode::Live {
            tally.shadow = tally.shadow.saturating_add(1);
            tally.shadowed.push(alert.alert_id.clone());
            tally.shadowed_at = tally.shadowed_at.max(Some(alert.at));
            let beyond = tally.shadowed.len().saturating_sub(WAITING_MAX);
            tally.shadowed.drain(..beyond);
            return false;
        }
        tally.hits = tally.hits.saturating_add(1);
        let Alert { alert_id, scenario, at, cool_down, .. } = alert.clone();
        self.inner.hits.push(Hit { alert_id, scenario, at, cool_down, snoozed });
        self.inner.hits.sort_by(|a, b| (a.at, &a.alert_id).cmp(&(b.at, &b.alert_id)));
        let beyond = self.inner.hits.len().saturating_sub(HITS_MAX);
        self.inner.hits.drain(..beyond);
        true
    }

    /// How each hit stands: by the times at which they happened alone, so that the order in which they were heard makes no difference.
    pub fn standings(&self) -> BTreeMap<AlertId, Standing> {
        let mut until: BTreeMap<&str, Timestamp> = BTreeMap::new();
        let mut standings = BTreeMap::new();
        for hit in &self.inner.hits {
            let standing = if hit.snoozed {
                Standing::Snoozed
            } else if until.get(hit.scenario.as_str()).is_some_and(|until| hit.at < *until) {
                Standing::Repeat
            } else {
                until.insert(&hit.scenario, hit.at.plus(hit.cool_down));
                Standing::Counts
            };
            standings.insert(hit.alert_id.clone(), standing);
        }
        standings
    }

    /// Opens a case if one of the alerts does; what waits for one joins it while its cool-down lasts.
    fn open(
        &mut self,
        fresh: Vec<Alert>,
        standings: &BTreeMap<AlertId, Standing>,
        rules: &Scenarios,
        now: Timestamp,
    ) -> Option<Decision<Case>> {
        let opens = fresh.iter().find(|alert| alert.opens_case && alert.standing == Standing::Counts).cloned();
        let Some(opens) = opens else {
            self.inner.waiting.extend(fresh.into_iter().filter(|alert| !alert.opens_case));
            let beyond = self.inner.waiting.len().saturating_sub(WAITING_MAX);
            self.inner.waiting.drain(..beyond);
            return None;
        };
        let id = CaseId::from_bits(derived_bits(now, &["case", self.client_id.as_str(), opens.alert_id.as_str()]));
        let waiting = std::mem::take(&mut self.inner.waiting);
        let still = waiting.into_iter().filter(|alert| opens.at < alert.at.plus(alert.cool_down.max(Seconds(86_400))));
        // what was heard while it waited may have made a repeat of it
        let now_standing = |mut alert: Alert| {
            alert.standing = standings.get(&alert.alert_id).copied().unwrap_or(alert.standing);
            alert
        };
        let alerts = still.map(now_standing).chain(fresh).collect();
        self.facts.open_case = Some(id.clone());
        self.facts.cases.push(id.clone());
        Some(Case::opened(id, &self.client_id, alerts, rules, now))
    }

    /// The case is closed, or open again.
    #[must_use]
    pub fn following(&self, case: &Case) -> Option<Decision<Self>> {
        let open = (case.facts.status != CaseStatus::Closed).then(|| case.id.clone());
        let is_its_own = self.facts.open_case.as_ref().is_none_or(|known| *known == case.id);
        if !is_its_own || self.facts.open_case == open {
            return None;
        }
        let mut next = self.clone();
        next.facts.holds = open.is_some() && case.facts.holds;
        next.facts.open_case = open;
        Some(Decision::new(next, "followed", vec![], vec![format!("{} is {}", case.id, case.facts.status)]))
    }

    /// A person puts a scenario aside. What it finds from now on is kept and counted, and adds nothing.
    #[must_use]
    pub fn put_aside(&self, scenario: &str, snooze: Snooze) -> Decision<Self> {
        let mut next = self.clone();
        let why = vec![format!("{scenario} until {} by {}", snooze.until, snooze.by)];
        next.inner.snoozes.insert(scenario.to_owned(), snooze);
        Decision::new(next, "put_aside", vec![], why)
    }
}

impl Entity for Watch {
    type Id = ClientWatchId;
    type Table = InCrm;
    type Public = WatchFacts;
    type Private = WatchInner;
    const KIND: &'static str = "client_watch";

    fn id(&self) -> &ClientWatchId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &WatchFacts {
        &self.facts
    }

    fn private(&self) -> &WatchInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, facts: parts.public, inner: parts.private })
    }
}
