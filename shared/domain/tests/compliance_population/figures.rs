//! What the judging comes to, in figures.

use std::collections::BTreeMap;

use crate::judge::Verdict;
use crate::lookalikes::likeness;
use crate::person::{DAY, END, MEASURED, Person, moment};
use crate::planted::{Difficulty, STORIES, Story};

/// So many were found of so many.
#[derive(Debug, Default, Clone, Copy)]
pub struct Share {
    pub of: usize,
    pub found: usize,
}

impl Share {
    fn count(&mut self, is_found: bool) {
        self.of += 1;
        self.found += usize::from(is_found);
    }

    fn sum<'s>(shares: impl IntoIterator<Item = &'s Self>) -> Self {
        let add = |sum: Self, one: &Self| Self { of: sum.of + one.of, found: sum.found + one.found };
        shares.into_iter().fold(Self::default(), add)
    }

    /// The share, of one.
    pub fn value(self) -> f64 {
        self.found as f64 / self.of.max(1) as f64
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// Planted cases that the scenario of their story found, by story and difficulty.
    pub recall: BTreeMap<(Story, Difficulty), Share>,
    /// Those of which any alert told.
    pub noticed: BTreeMap<Difficulty, Share>,
    /// Look-alikes that were taken for what they look like.
    pub lookalikes: BTreeMap<&'static str, Share>,
    /// Alerts of ordinary clients by scenario; those that only add to a case are `hints`.
    pub noise: BTreeMap<String, usize>,
    /// Alerts of ordinary clients by what kind they are.
    pub noise_by_kind: BTreeMap<&'static str, (usize, f64)>,
    /// Hits of scenarios that open no case, of ordinary clients.
    pub hints: BTreeMap<String, usize>,
    /// Days that ordinary clients were clients.
    pub client_days: f64,
    /// Cases of ordinary clients.
    pub cases: usize,
    /// Alerts by scenario: of a planted story while it went on, and all.
    pub precision: BTreeMap<String, Share>,
}

impl Figures {
    /// Counts a client.
    pub fn add(&mut self, person: &Person, verdict: &Verdict) {
        match (person.plant, likeness(person.kind)) {
            (Some(_), _) => self.add_planted(person, verdict),
            (None, Some(like)) => {
                let is_taken_in = verdict.alerts.iter().any(|alert| like.contains(&alert.scenario.as_str()));
                self.lookalikes.entry(person.kind).or_default().count(is_taken_in);
            }
            (None, None) => self.add_ordinary(person, verdict),
        }
        for alert in verdict.alerts.iter().filter(|alert| alert.opens_case) {
            let is_true = person
                .plant
                .is_some_and(|plant| moment(plant.from - DAY) <= alert.at && alert.at <= moment(plant.until + DAY));
            self.precision.entry(alert.scenario.clone()).or_default().count(is_true);
        }
    }

    fn add_planted(&mut self, person: &Person, verdict: &Verdict) {
        let plant = person.plant.unwrap();
        let during = moment(plant.from)..=moment(plant.until + DAY);
        let within = verdict.alerts.iter().filter(|one| during.contains(&one.at));
        let found: Vec<&str> = within.map(|alert| alert.scenario.as_str()).collect();
        self.recall.entry((plant.story, plant.difficulty)).or_default().count(found.contains(&plant.story));
        self.noticed.entry(plant.difficulty).or_default().count(!found.is_empty());
    }

    fn add_ordinary(&mut self, person: &Person, verdict: &Verdict) {
        let days = (END - person.since.max(MEASURED)) as f64;
        self.client_days += days;
        self.cases += verdict.cases;
        let by_kind = self.noise_by_kind.entry(person.kind).or_default();
        by_kind.1 += days;
        for alert in &verdict.alerts {
            let counts = if alert.opens_case { &mut self.noise } else { &mut self.hints };
            *counts.entry(alert.scenario.clone()).or_default() += 1;
            by_kind.0 += usize::from(alert.opens_case);
        }
    }

    /// How many of a difficulty were found by their own scenario.
    pub fn recall_of(&self, difficulties: &[Difficulty]) -> Share {
        let asked = self.recall.iter().filter(|((_, difficulty), _)| difficulties.contains(difficulty));
        Share::sum(asked.map(|(_, one)| one))
    }

    /// How many of a story were.
    pub fn recall_in(&self, story: Story) -> Share {
        let asked = self.recall.iter().filter(|((one, _), _)| *one == story);
        Share::sum(asked.map(|(_, one)| one))
    }

    /// Alerts of 1 000 ordinary clients and day.
    pub fn noise_rate(&self) -> f64 {
        self.noise.values().sum::<usize>() as f64 * 1_000.0 / self.client_days
    }

    /// Alerts of 1 000 ordinary clients and day by scenario, also of those that only add to a case.
    pub fn noise_rates(&self) -> Vec<(String, f64)> {
        let all = self.noise.iter().chain(&self.hints);
        all.map(|(scenario, count)| (scenario.clone(), *count as f64 * 1_000.0 / self.client_days)).collect()
    }

    /// How many of all look-alikes were taken for what they look like.
    pub fn lookalikes_taken_in(&self) -> Share {
        Share::sum(self.lookalikes.values())
    }

    /// As a table.
    pub fn table(&self) -> String {
        let mut lines = vec!["scenario            easy  medium  hard   all    alerts/1000/d  precision".to_owned()];
        let percent =
            |share: Option<&Share>| share.map_or_else(|| "-".to_owned(), |one| format!("{:.1}", one.value() * 100.0));
        for story in STORIES {
            let of = |difficulty| percent(self.recall.get(&(story, difficulty)));
            let noise = self.noise.get(story).or(self.hints.get(story)).copied().unwrap_or_default();
            lines.push(format!(
                "{story:18} {:>5}  {:>6}  {:>4}  {:>4}  {:>13.4}  {:>9}",
                of(Difficulty::Easy),
                of(Difficulty::Medium),
                of(Difficulty::Hard),
                percent(Some(&self.recall_in(story))),
                noise as f64 * 1_000.0 / self.client_days,
                percent(self.precision.get(story)),
            ));
        }
        let all = Share::sum(self.precision.values());
        let of = |difficulty: &[Difficulty]| self.recall_of(difficulty).value() * 100.0;
        lines.push(format!(
            "all                {:>5.1}  {:>6.1}  {:>4.1}  {:>4.1}  {:>13.4}  {:>9}   (hints not counted)",
            of(&[Difficulty::Easy]),
            of(&[Difficulty::Medium]),
            of(&[Difficulty::Hard]),
            of(&Difficulty::ALL),
            self.noise_rate(),
            percent(Some(&all)),
        ));
        let noticed = Difficulty::ALL.map(|difficulty| percent(self.noticed.get(&difficulty)));
        lines.push(format!("by any scenario    {:>5}  {:>6}  {:>4}", noticed[0], noticed[1], noticed[2]));
        lines.push(format!(
            "ordinary client-days {:.0}, cases/1000/d {:.4}",
            self.client_days,
            self.cases as f64 * 1_000.0 / self.client_days
        ));
        for (kind, (alerts, days)) in &self.noise_by_kind {
            lines.push(format!(
                "  {kind:10} {:>7.0} client-days, {alerts} alerts, {:.3}/1000/d",
                days,
                *alerts as f64 * 1_000.0 / days
            ));
        }
        lines.push("look-alikes that were taken for what they look like".to_owned());
        for (name, share) in &self.lookalikes {
            lines.push(format!("  {name:26} {} of {}", share.found, share.of));
        }
        lines.join("\n")
    }
}
