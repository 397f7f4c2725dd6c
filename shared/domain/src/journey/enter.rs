//! What happens to a reader: who enters what, which goals are reached, and when it is looked whether a client is inactive.

use rust_decimal::Decimal;

use super::advance::holds;
use super::cohort::{Cohort, cohort};
use super::rules::{Act, Begins, Definition, Reentry, judge};
use super::sending::Sight;
use super::subject::{Audience, Trigger};
use super::{Books, Did, Journey, JourneyError, JourneyFacts, JourneyInner, KEYS_MAX, Run, RunState};
use crate::decision::{Decision, Verdict, derived_bits};
use crate::lead::{Lead, LeadStatus};
use crate::rules::evaluate::Outcome;
use crate::{JourneyId, Seconds, Timestamp};

/// Servers tell of deals by the second, and their clocks and ours differ a little.
const SLACK: Seconds = Seconds(60);

/// Something that happened to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What.
    pub trigger: Trigger,
    /// When.
    pub at: Timestamp,
    /// What it is known by: of one key a journey is entered once.
    pub key: String,
    /// How much it is about, in the base currency.
    pub amount: Option<Decimal>,
}

/// The series that a lead's newest placement begins; the same lead and series again is the same item.
///
/// # Errors
/// [`JourneyError::NoJourney`].
pub fn begun(lead: &Lead, books: &Books<'_>, now: Timestamp) -> Result<Option<Decision<Journey>>, JourneyError> {
    let (LeadStatus::Nurturing, Some(own)) = (lead.facts.status, &lead.facts.sequence) else { return Ok(None) };
    let definition = books.live.journey(&own.name).ok_or_else(|| JourneyError::NoJourney(own.name.clone()))?;
    let mut journey = Journey {
        id: id_of(lead, own.entry),
        client_id: None,
        facts: JourneyFacts { lead_id: Some(lead.id.clone()), ..JourneyFacts::default() },
        inner: JourneyInner { entry: own.entry, ..JourneyInner::default() },
    };
    let entry = Entry { key: own.entry.to_string(), amount: None, why: "routing put the lead here" };
    journey.enter(definition, books.version, &entry, lead.id.as_str(), now);
    Ok(Some(journey.decided("begun", now)))
}

/// The id of a lead's series.
pub fn id_of(lead: &Lead, entry: u32) -> JourneyId {
    JourneyId::from_bits(derived_bits(lead.facts.created_at, &[lead.id.as_str(), "journey", &entry.to_string()]))
}

struct Entry<'r> {
    key: String,
    amount: Option<Decimal>,
    why: &'r str,
}

impl Journey {
    /// Something happened to the client: goals, exits, what steps wait for, and what begins.
    ///
    /// # Errors
    /// [`JourneyError::Condition`].
    pub fn hears(
        &self,
        own: &Happening,
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, JourneyError> {
        let mut next = self.turned();
        for place in 0..next.inner.runs.len() {
            next.hears_in(place, own, sight, books, now)?;
        }
        for definition in books.live.journeys().filter(|definition| definition.begins == Begins::On(own.trigger)) {
            let entry = Entry { key: own.key.clone(), amount: own.amount, why: own.trigger.as_str() };
            next.may_begin(definition, &entry, sight, books, now)?;
        }
        next.looks_by(sight, books);
        if next.inner == self.inner {
            return Ok(Verdict::Nothing("it concerns no journey"));
        }
        Ok(Verdict::Change(Box::new(next.decided("heard", now))))
    }

    fn hears_in(
        &mut self,
        place: usize,
        own: &Happening,
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<(), JourneyError> {
        let Some(run) = self.inner.runs.get_mut(place) else { return Ok(()) };
        let Some(definition) = books.of(run).journey(&run.journey) else { return Ok(()) };
        let wanted = definition.goal.as_ref().is_some_and(|goal| goal.on == own.trigger);
        let in_time = own.at > run.entered_at && run.goal_until.is_some_and(|until| own.at <= until);
        if wanted && in_time && run.goal_at.is_none() {
            run.goal_at = Some(own.at);
            let cohort = run.cohort;
            self.note(place, now, Did::Done, &format!("goal: {}", own.trigger), Some(format!("goal.{cohort}")));
            self.reached(place);
            return Ok(());
        }
        if run.state != RunState::Active || run.sending.is_some() {
            return Ok(());
        }
        let mut seen = sight.clone();
        seen.subject = seen.subject.about(run.amount);
        if let Some(exit) = &definition.exit
            && holds(exit, &seen)?
        {
            self.note(place, now, Did::Left, "its exit condition holds", None);
            self.over(place, RunState::Left, true);
            return Ok(());
        }
        let Some(run) = self.inner.runs.get_mut(place) else { return Ok(()) };
        let step = super::advance::next_of(definition, run);
        if let Some(Act::WaitFor { on, .. }) = step.map(|step| &step.act)
            && *on == own.trigger
            && own.at.plus(SLACK) >= run.since
            && run.heard.is_none()
        {
            run.heard = Some(own.at);
            run.due = Some(now);
        }
        Ok(())
    }

    /// The goal of a run is reached: it is over, and what it asked people is moot. A message that is on its way is waited for.
    fn reached(&mut self, place: usize) {
        let Some(run) = self.inner.runs.get_mut(place) else { return };
        if run.sending.is_some() {
            return;
        }
        match run.state {
            RunState::Active => self.over(place, RunState::Done, true),
            RunState::Done | RunState::Left | RunState::HeldOut | RunState::Suppressed => {
                self.facts.settled.append(&mut run.items);
            }
        }
    }

    /// Enters a journey if its condition and how often it may be entered allow it. Whether it did.
    fn may_begin(
        &mut self,
        definition: &Definition,
        entry: &Entry<'_>,
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<bool, JourneyError> {
        if definition.audience != Audience::Client || !self.may_enter(definition, &entry.key, now) {
            return Ok(false);
        }
        let subject = sight.subject.clone().about(entry.amount);
        match judge(&definition.when, &subject).outcome {
            Outcome::Value(true) => {}
            Outcome::Value(false) | Outcome::Skipped => return Ok(false),
            Outcome::Error(fault) => return Err(JourneyError::Condition(fault)),
        }
        let reader = self.client_id.clone();
        let reader = reader.as_ref().map_or("", |client| client.as_str());
        self.enter(definition, books.version, entry, reader, now);
        Ok(true)
    }

    fn may_enter(&self, definition: &Definition, key: &str, now: Timestamp) -> bool {
        let inside = |run: &Run| run.journey == definition.id && run.state == RunState::Active;
        if self.inner.runs.iter().any(inside) {
            return false;
        }
        let Some(known) = self.inner.entries.get(&definition.id) else { return true };
        if known.keys.iter().any(|known| known == key) {
            return false;
        }
        match definition.reentry {
            Reentry::Never => false,
            Reentry::After(span) => known.last_at.is_none_or(|last| now >= last.plus(span)),
        }
    }

    fn enter(&mut self, definition: &Definition, version: u64, entry: &Entry<'_>, reader: &str, now: Timestamp) {
        let cohort = cohort(&definition.salt, reader, definition.held_out);
        let treated = cohort == Cohort::Treated;
        let first = definition.steps.first();
        self.inner.runs.push(Run {
            journey: definition.id.clone(),
            version,
            key: entry.key.clone(),
            state: if treated { RunState::Active } else { RunState::HeldOut },
            cohort,
            entered_at: now,
            amount: entry.amount,
            step: None,
            since: now,
            due: first.filter(|_| treated).map(|step| now.plus(step.after)),
            sending: None,
            tries: 0,
            heard: None,
            goal_until: definition.goal.as_ref().map(|goal| now.plus(goal.within)),
            goal_at: None,
            items: Vec::new(),
            history: Vec::new(),
        });
        let known = self.inner.entries.entry(definition.id.clone()).or_default();
        known.last_at = Some(now);
        known.keys.push(entry.key.clone());
        let beyond = known.keys.len().saturating_sub(KEYS_MAX);
        known.keys.drain(..beyond);
        let place = self.inner.runs.len().saturating_sub(1);
        self.note(place, now, Did::Entered, entry.why, Some(format!("entered.{cohort}")));
    }

    /// Sees to it that it is looked at in time whether the client is inactive. What is planned for earlier stays: it is moved on once it
    /// has come, so that a trade writes nothing here.
    fn looks_by(&mut self, sight: &Sight, books: &Books<'_>) {
        let Some(since) = sight.subject.idle_since else { return };
        let spans = books.live.journeys().filter_map(|definition| match definition.begins {
            Begins::Idle(span) => Some(span),
            Begins::On(_) => None,
        });
        let Some(first) = spans.min().map(|span| since.plus(span)) else { return };
        if self.inner.look_at.is_none_or(|at| at > first) {
            self.inner.look_at = Some(first);
        }
    }

    /// It is time to look whether the client is inactive.
    pub(super) fn looks(
        &self,
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<Decision<Self>, JourneyError> {
        let mut next = self.turned();
        next.inner.look_at = None;
        let mut again: Vec<Timestamp> = Vec::new();
        if let Some(since) = sight.subject.idle_since {
            for definition in books.live.journeys() {
                let Begins::Idle(span) = definition.begins else { continue };
                let at = since.plus(span);
                if now < at {
                    again.push(at);
                    continue;
                }
                let entry = Entry { key: since.to_string(), amount: None, why: "no trade for so long" };
                next.may_begin(definition, &entry, sight, books, now)?;
                // what did not let him in may be otherwise later; the same spell lets nobody in twice
                again.push(now.plus(span));
            }
        }
        next.inner.look_at = again.into_iter().min();
        Ok(next.decided("looked", now))
    }
}
