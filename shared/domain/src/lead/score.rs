//! How promising a lead is: points for what it is and for what it did, the latter fading with time.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{Lead, LeadStatus, SIGNALS_MAX, Signal};
use crate::decision::Verdict;
use crate::lead::rules::LeadScoring;
use crate::lead::rules::scoring::SignalRule;
use crate::rules::RuleError;
use crate::{Seconds, Timestamp};

/// The highest score.
const SCORE_MAX: u32 = 100;
/// Half-lives after which nothing is left.
const HALF_LIVES_MAX: u32 = 20;
/// A signal from the future is taken as one of now if it is not further ahead than a clock may be wrong.
const SKEW_MAX: Seconds = Seconds(300);

/// A score as it was reckoned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// 0 to 100.
    pub score: u32,
    /// The band of the rule set that it lies in.
    pub band: String,
    /// When it was reckoned.
    pub at: Timestamp,
    /// What added how many points, e.g. `form_completed +25`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// What is left of points after a time: half after each half-life, in between on a straight line.
pub fn faded(points: Decimal, age_ms: i64, half_life: Seconds) -> Decimal {
    let age = Decimal::from(age_ms.max(0));
    let half = Decimal::from(half_life.0.max(1)) * Decimal::ONE_THOUSAND;
    let whole = (age / half).floor();
    let Ok(whole_number) = u32::try_from(whole) else { return Decimal::ZERO };
    if whole_number >= HALF_LIVES_MAX {
        return Decimal::ZERO;
    }
    let divisor = Decimal::from(1_u64 << whole_number);
    let into = age / half - whole;
    points / divisor * (Decimal::ONE - into / Decimal::TWO)
}

impl Lead {
    /// The score at a moment.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn score(&self, rules: &LeadScoring, now: Timestamp) -> Result<Scored, RuleError> {
        let mut total = Decimal::ZERO;
        let mut parts = Vec::new();
        let mut add = |name: &str, points: Decimal| {
            let points = points.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero).normalize();
            if !points.is_zero() {
                total += points;
                parts.push(format!("{name} {}{points}", if points.is_sign_positive() { "+" } else { "" }));
            }
        };
        for (name, points) in rules.profile(self)?.rows {
            add(name, points);
        }
        for (kind, rule) in rules.signals() {
            let mut times: Vec<Timestamp> =
                self.facts.signals.iter().filter(|signal| signal.kind == kind).map(|signal| signal.at).collect();
            times.sort_by(|a, b| b.cmp(a));
            let counted = times.iter().take(usize::try_from(rule.counts).unwrap_or(usize::MAX));
            add(kind, counted.map(|at| rule.left(now.millis_since(*at))).sum());
        }
        let rounded = total.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        let score = u32::try_from(rounded.clamp(Decimal::ZERO, Decimal::from(SCORE_MAX))).unwrap_or(0);
        Ok(Scored { score, band: rules.band(score).to_owned(), at: now, parts })
    }

    pub(super) fn why_scored(&self) -> Vec<String> {
        let line = |scored: &Scored| format!("score {} ({}): {}", scored.score, scored.band, scored.parts.join(", "));
        self.facts.scored.as_ref().map(line).into_iter().collect()
    }

    /// A new score. One in another band routes the lead again; while an agent is at it, only if that agent gives it back.
    #[must_use]
    pub fn rescored(mut self, scored: Scored) -> Self {
        let crossed = self.facts.scored.as_ref().is_some_and(|before| before.band != scored.band);
        if crossed && (self.facts.status.is_routable() || self.facts.status == LeadStatus::Working) {
            self.facts.to_route = Some("band".to_owned());
        }
        self.facts.scored = Some(scored);
        self
    }

    /// What is known of it changed: while nobody has it, it is routed again.
    pub(super) fn reconsidered(&mut self, reason: &str) {
        if matches!(self.facts.status, LeadStatus::Waiting | LeadStatus::Nurturing) {
            self.facts.to_route.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// Whether it is to be routed although the lead `before` was not.
    pub(super) fn is_routed_after(&self, before: &Self) -> bool {
        self.facts.to_route.is_some() && before.facts.to_route.is_none() && self.facts.status.is_routable()
    }

    /// Remembers what it did; the same thing at the same moment is one thing.
    pub(super) fn did(&mut self, signals: &[Signal]) {
        let known = &mut self.facts.signals;
        known.extend(signals.iter().cloned());
        known.sort_by(|a, b| (a.at, &a.kind).cmp(&(b.at, &b.kind)));
        known.dedup();
        let surplus = known.len().saturating_sub(SIGNALS_MAX);
        known.drain(..surplus);
    }

    /// Something that the lead did. The same thing at the same moment is one thing.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn signalled(
        &self,
        kind: &str,
        at: Option<Timestamp>,
        rules: &LeadScoring,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let at = at.unwrap_or(now).min(now);
        let signal = Signal { kind: kind.to_owned(), at };
        if self.facts.signals.contains(&signal) {
            return Ok(Verdict::Nothing("it is known"));
        }
        if matches!(self.facts.status, LeadStatus::Duplicate | LeadStatus::Announced | LeadStatus::Test) {
            return Ok(Verdict::Nothing("it is not a lead of its own"));
        }
        let mut next = self.clone();
        next.did(&[signal]);
        let before = self.facts.scored.as_ref().map_or("", |scored| scored.band.as_str()).to_owned();
        let scored = next.score(rules, now)?;
        let mut next = next.rescored(scored);
        let band = next.facts.scored.as_ref().map_or("", |scored| scored.band.as_str()).to_owned();
        next.note(now, format!("signal {kind}"), next.why_scored().join("; "));
        let mut events = vec!["lead.signalled"];
        if next.is_routed_after(self) {
            events.push("lead.received");
        }
        let mut why = next.why_scored();
        if before != band {
            why.push(format!("band {before} -> {band}"));
        }
        Ok(Verdict::change(next, "signalled", events, why))
    }
}

impl SignalRule {
    /// What a signal of an age is worth.
    pub fn left(&self, age_ms: i64) -> Decimal {
        match self.half_life {
            Some(half_life) => faded(self.points, age_ms, half_life),
            None => self.points,
        }
    }
}

/// Whether a moment that somebody tells us lies further ahead than a clock may be wrong.
pub fn is_in_the_future(at: Timestamp, now: Timestamp) -> bool {
    at > now.plus(SKEW_MAX)
}
