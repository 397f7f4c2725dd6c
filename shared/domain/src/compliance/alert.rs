//! A hit of a scenario, as it is kept. Its id is derived from scenario, client and what happened, so that however often and whenever
//! something is heard, one evaluation of it counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evaluate::Looked;
use super::facts::Moment;
use super::rules::{Mode, Scenario, Trigger};
use crate::decision::derived_bits;
use crate::words::words;
use crate::{AlertId, ClientId, Day, Seconds, Timestamp};

words! {
    /// Whether an alert counts in its case.
    Standing {
        /// It counts.
        Counts = "counts",
        /// It follows another one within the cool-down, and adds nothing.
        Repeat = "repeat",
        /// A person has put its scenario aside for a time.
        Snoozed = "snoozed",
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub alert_id: AlertId,
    /// The scenario.
    pub scenario: String,
    /// What it is called.
    pub name: String,
    /// What a hit means.
    pub meaning: String,
    /// The rules by which it was found, such as `compliance_scenarios@3`.
    pub rule_version: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was heard.
    pub heard_at: Timestamp,
    /// It was heard long after it had happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// What set it off.
    pub trigger: Trigger,
    /// What it is made of, as ids.
    pub evidence: Vec<String>,
    /// What the features came to.
    pub features: BTreeMap<String, String>,
    /// How they did, and what the questions were answered.
    pub why: Vec<String>,
    /// Under whose rules the client is.
    pub jurisdiction: String,
    /// What it adds.
    pub score: u32,
    /// Of one group the highest counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it opens a case.
    pub opens_case: bool,
    /// Whether what the client takes out is for a person to approve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
    /// So long it keeps others of its scenario from counting.
    pub cool_down: Seconds,
    /// Whether it counts.
    pub standing: Standing,
}

/// What an alert is made of, beside what was looked at.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The client.
    pub client: &'a ClientId,
    /// What happened.
    pub moment: &'a Moment,
    /// The rules with their version.
    pub rule_version: &'a str,
    /// What is heard later than this is late.
    pub late_after: Seconds,
    /// When it is heard.
    pub now: Timestamp,
}

impl Alert {
    /// The id: of the day and of what happened, for the moment of trades moves as more of a day are told.
    pub fn id_of(scenario: &str, client: &ClientId, moment: &Moment) -> AlertId {
        let day = Day::of(moment.at).begins();
        AlertId::from_bits(derived_bits(day, &["alert", scenario, client.as_str(), &moment.name]))
    }

    /// The alert of a hit.
    pub fn of(found: Found<'_>, looked: Looked) -> Self {
        let Found { scenario, client, moment, rule_version, late_after, now } = found;
        Self {
            alert_id: Self::id_of(&scenario.id, client, moment),
            scenario: scenario.id.clone(),
            name: scenario.name.clone(),
            meaning: scenario.meaning.clone(),
            rule_version: rule_version.to_owned(),
            at: moment.at,
            heard_at: now,
            late: moment.at.plus(late_after) < now,
            trigger: moment.trigger,
            evidence: looked.evidence,
            features: looked.features,
            why: looked.why,
            jurisdiction: looked.jurisdiction,
            score: scenario.score,
            group: scenario.group.clone(),
            opens_case: scenario.opens_case && scenario.mode == Mode::Live,
            holds: scenario.holds,
            cool_down: scenario.cool_down,
            standing: Standing::Counts,
        }
    }
}

/// What alerts come to: of each group (a scenario without one is its own) the highest score counts, once. The lines say what counted.
pub fn score_of<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> (u32, Vec<String>) {
    let mut best: BTreeMap<&str, &Alert> = BTreeMap::new();
    for alert in alerts.into_iter().filter(|alert| alert.standing == Standing::Counts) {
        let group = alert.group.as_deref().unwrap_or(&alert.scenario);
        let known = best.entry(group).or_insert(alert);
        if (alert.score, &known.scenario) > (known.score, &alert.scenario) {
            *known = alert;
        }
    }
    let total = best.values().fold(0_u32, |sum, alert| sum.saturating_add(alert.score));
    let reason = |(group, alert): (&str, &Alert)| match &alert.group {
        Some(_) => format!("{} {} (the highest of {group})", alert.scenario, alert.score),
        None => format!("{} {}", alert.scenario, alert.score),
    };
    (total, best.into_iter().map(|(group, alert)| reason((group, alert))).collect())
}
