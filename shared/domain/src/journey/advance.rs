//! What a reader's journeys need now: one thing at a time, the most important first.

use super::rules::{Act, BonusAct, Channel, Definition, EXIT, Journeys, MessageAct, Step, Topic, judge};
use super::sending::{Asked, Counted, Had, Hindrance, RISK_WARNING, Reason, Ruling, Sight, hindrances, ruling};
use super::{Books, Did, GRACE, Journey, Run, RunState};
use crate::bonus::BonusWish;
use crate::decision::{Decision, Verdict};
use crate::notification::{Fillings, render};
use crate::payment::deposit::Settled;
use crate::rules::RuleFault;
use crate::rules::evaluate::Outcome;
use crate::rules::texts::Text;
use crate::work::Review;
use crate::work::rules::WorkKind;
use crate::{Redacted, Seconds, Timestamp};

/// A message that could not be handed over is tried again after this.
const RETRY_AFTER: Seconds = Seconds(300);
/// How often; then the journey goes on without it.
const TRIES_MAX: u32 = 12;

/// What journeys need now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Save this.
    Save(Box<Decision<Journey>>),
    /// Save this, then hand the message over.
    Send(Box<Decision<Journey>>, Box<Letter>),
    /// Nothing.
    Nothing(&'static str),
    /// Somebody is at it.
    Busy,
}

/// A message, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// How it travels.
    pub channel: Channel,
    /// The reader's address.
    pub to: Redacted<String>,
    /// The sender's address.
    pub from: String,
    /// The subject, or the title.
    pub subject: Redacted<String>,
    /// The text.
    pub body: Redacted<String>,
    /// The language of the text.
    pub language: String,
    /// Where the reader says no, of a message that advertises.
    pub unsubscribe_url: Option<String>,
    /// What the message is of: the journey and its step. With the reader's id it names the message.
    pub of: String,
}

/// Why journeys cannot go on: the rule set lacks what it needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JourneyError {
    /// The journey is not there.
    #[error("there is no journey `{0}`")]
    NoJourney(String),
    /// A condition could not be judged.
    #[error("a condition cannot be judged: {0}")]
    Condition(RuleFault),
}

/// What the vendor said of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It took the message.
    Sent,
    /// Nobody knows.
    Unknown(String),
    /// It did not take it, and may later.
    NotNow(String),
    /// It will never take it.
    Refused(String),
}

/// What a person is to do.
struct Wish<'r> {
    kind: WorkKind,
    topic: Topic,
    asked: Asked<'r>,
    why: String,
}

/// The step that a run is at.
pub(super) fn next_of<'r>(definition: &'r Definition, run: &Run) -> Option<&'r Step> {
    match &run.step {
        Some(step) => definition.step(step),
        // a series of the first form is at the first step that has no line
        None => {
            let has_line = |step: &&Step| run.history.iter().any(|line| line.step.as_ref() == Some(&step.id));
            definition.steps.iter().find(|step| !has_line(step))
        }
    }
}

impl Journey {
    /// What its journeys need now, for the reader as he is now.
    ///
    /// # Errors
    /// [`JourneyError`].
    pub fn next_step(&self, sight: &Sight, books: &Books<'_>, now: Timestamp) -> Result<NextStep, JourneyError> {
        if self.inner.look_at.is_some_and(|at| at <= now) {
            return Ok(NextStep::Save(Box::new(self.looks(sight, books, now)?)));
        }
        let is_due = |run: &Run| run.state == RunState::Active && run.due.is_none_or(|due| due <= now);
        let rank = |run: &Run| {
            let priority = books.of(run).journey(&run.journey).map_or(0, |definition| definition.priority);
            (run.sending.is_some(), priority, std::cmp::Reverse(run.entered_at))
        };
        let due = self.inner.runs.iter().enumerate().filter(|(_, run)| is_due(run));
        let Some((place, run)) = due.max_by_key(|(_, run)| rank(run)) else {
            return Ok(NextStep::Nothing("it is not time yet"));
        };
        if let Some(since) = run.sending {
            if now < since.plus(GRACE) {
                return Ok(NextStep::Busy);
            }
            let next = self.turned().suppressed(place, Reason::Unknown, books, now);
            return Ok(NextStep::Save(Box::new(next.decided("unknown", now))));
        }
        self.go_on(place, run, sight, books, now)
    }

    fn go_on(
        &self,
        place: usize,
        run: &Run,
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<NextStep, JourneyError> {
        let save = |next: Self, outcome| Ok(NextStep::Save(Box::new(next.decided(outcome, now))));
        if self.client_id.is_none() && sight.series.as_ref().is_none_or(|own| own.entry != self.inner.entry) {
            return save(self.leaves(place, "a later series took its place", now), "left");
        }
        let (Some(_), Some(definition)) = (books.live.journey(&run.journey), books.of(run).journey(&run.journey))
        else {
            return save(self.leaves(place, "it is not in the rules any more", now), "left");
        };
        let mut sight = sight.clone();
        sight.subject = sight.subject.about(run.amount);
        if let Some(exit) = &definition.exit
            && holds(exit, &sight)?
        {
            return save(self.leaves(place, "its exit condition holds", now), "left");
        }
        let Some(step) = next_of(definition, run) else { return save(self.finishes(place, now), "done") };
        // one with an open position is not inactive, however long ago he traded
        let idle = step.idle.map(|span| sight.subject.idle_since.unwrap_or(now).plus(span));
        let from = run.since.plus(step.after).max(idle.unwrap_or(Timestamp::EPOCH));
        if now < from {
            return save(self.waits(place, step, from, now), "waits");
        }
        let mut next = self.turned();
        next.arrives(place, step);
        match &step.act {
            Act::Message(message) => next.writes(place, (message, from), &sight, books, now),
            Act::Task { kind, topic } => {
                let wish = Wish { kind: *kind, topic: *topic, asked: Asked::Task, why: kind.to_string() };
                save(next.asks(place, &wish, &sight, books, now), "task")
            }
            Act::Bonus(BonusAct::Campaign { campaign, .. }) => {
                save(next.grants(place, campaign, &sight, books, now), "bonus")
            }
            Act::Bonus(BonusAct::ByHand { amount }) => {
                let why = format!("{amount} as credit; a person grants it");
                let (kind, topic) = (WorkKind::RetentionBonus, Topic::Marketing);
                save(next.asks(place, &Wish { kind, topic, asked: Asked::Bonus, why }, &sight, books, now), "bonus")
            }
            Act::WaitFor { within, then, otherwise, .. } => {
                let until = run.since.plus(*within);
                match run.heard {
                    Some(_) => save(
                        next.goes(place, definition, step, then.as_deref(), (Did::Waited, "it happened"), now),
                        "heard",
                    ),
                    None if now < until => save(self.waits(place, step, until, now), "waits"),
                    None => save(
                        next.goes(
                            place,
                            definition,
                            step,
                            otherwise.as_deref(),
                            (Did::Waited, "it did not happen"),
                            now,
                        ),
                        "waited",
                    ),
                }
            }
            Act::Split { when, then, otherwise } => {
                let truth = holds(when, &sight)?;
                let (target, why) =
                    if truth { (then, "the condition holds") } else { (otherwise, "the condition does not hold") };
                save(next.goes(place, definition, step, target.as_deref(), (Did::Skipped, why), now), "split")
            }
            Act::Rest { topic, span } => {
                let until = now.plus(*span);
                let rest = next.inner.pauses.entry(*topic).or_insert(until);
                *rest = (*rest).max(until);
                let why = format!("nothing about {topic} until {until}");
                save(next.goes(place, definition, step, None, (Did::Waited, &why), now), "rests")
            }
        }
    }

    /// The run is at a step from now on, if it was not.
    fn arrives(&mut self, place: usize, step: &Step) {
        if let Some(run) = self.inner.runs.get_mut(place) {
            run.step = Some(step.id.clone());
        }
    }

    fn writes(
        mut self,
        place: usize,
        (message, since): (&MessageAct, Timestamp),
        sight: &Sight,
        books: &Books<'_>,
        now: Timestamp,
    ) -> Result<NextStep, JourneyError> {
        let save = |next: Self, outcome| Ok(NextStep::Save(Box::new(next.decided(outcome, now))));
        let Some(run) = self.inner.runs.get(place) else { return Ok(NextStep::Nothing("there is no such run")) };
        let own = books.of(run);
        let step = run.step.clone().unwrap_or_default();
        let letter = letter(own, message, sight, &format!("{}/{step}", run.journey), now);
        let found = self.hindrances_of(own, books.live, message, since, sight, now);
        match (ruling(&found), letter) {
            (Ruling::Drop(reason), _) => save(self.suppressed(place, reason, books, now), "suppressed"),
            (Ruling::Send, None) => save(self.suppressed(place, Reason::NoText, books, now), "suppressed"),
            (Ruling::Defer(reason, until), _) => {
                if let Some(run) = self.inner.runs.get_mut(place) {
                    run.due = Some(until);
                }
                self.note(place, now, Did::Deferred, &format!("{reason} until {until}"), None);
                save(self, "deferred")
            }
            (Ruling::Send, Some(letter)) => {
                if let Some(run) = self.inner.runs.get_mut(place) {
                    run.sending = Some(now);
                    run.due = Some(now.plus(GRACE));
                }
                let decision = self.decided("sending", now);
                Ok(NextStep::Send(Box::new(decision), Box::new(letter)))
            }
        }
    }

    /// Everything that stands in the way of a message now.
    pub(super) fn hindrances_of(
        &self,
        own: &Journeys,
        live: &Journeys,
        message: &MessageAct,
        since: Timestamp,
        sight: &Sight,
        now: Timestamp,
    ) -> Vec<Hindrance> {
        let text = own.text(&message.template, &sight.subject.language).map(|(_, text)| text);
        let asked = Asked::Message { channel: message.channel, text, since, give_up_after: message.give_up_after };
        hindrances(asked, message.topic, sight, self.had(), live, now)
    }

    pub(super) fn had(&self) -> Had<'_> {
        Had { sent: &self.inner.sent, pauses: &self.inner.pauses }
    }

    /// Has a person do something, unless something stands in the way.
    fn asks(mut self, place: usize, wish: &Wish<'_>, sight: &Sight, books: &Books<'_>, now: Timestamp) -> Self {
        let kind = wish.kind;
        let found = hindrances(wish.asked, wish.topic, sight, self.had(), books.live, now);
        if let Some(own) = found.first() {
            return self.suppressed(place, own.reason, books, now);
        }
        let Some(run) = self.inner.runs.get_mut(place) else { return self };
        let step = run.step.clone().unwrap_or_default();
        let trigger = format!("{}/{step}/{}", run.journey, run.key);
        let item = Settled { kind: kind.as_str().to_owned(), trigger: trigger.clone(), at_ms: now.millis() };
        run.items.push(item);
        self.facts.review = Some(Review::of(kind, trigger));
        let did = if kind == WorkKind::RetentionBonus { Did::Bonus } else { Did::Task };
        self.note(place, now, did, &wish.why, Some(did.as_str().to_owned()));
        self.passes(place, books, now);
        self
    }

    /// Has credit granted, unless something stands in the way. It is asked again right before it is booked.
    fn grants(mut self, place: usize, campaign: &str, sight: &Sight, books: &Books<'_>, now: Timestamp) -> Self {
        let found = hindrances(Asked::Bonus, Topic::Marketing, sight, self.had(), books.live, now);
        if let Some(own) = found.first() {
            return self.suppressed(place, own.reason, books, now);
        }
        let Some(run) = self.inner.runs.get(place) else { return self };
        self.facts.bonus = Some(BonusWish {
            campaign: campaign.to_owned(),
            journey: run.journey.clone(),
            step: run.step.clone().unwrap_or_default(),
            key: run.key.clone(),
            amount: run.amount,
            at: now,
        });
        self.note(place, now, Did::Bonus, &format!("campaign {campaign}"), Some(Did::Bonus.as_str().to_owned()));
        self.passes(place, books, now);
        self
    }

    /// The step is left out.
    fn suppressed(mut self, place: usize, reason: Reason, books: &Books<'_>, now: Timestamp) -> Self {
        self.note(place, now, Did::Suppressed, reason.as_str(), Some(format!("suppressed.{reason}")));
        self.passes(place, books, now);
        self
    }

    /// On to the step after the one it is at.
    fn passes(&mut self, place: usize, books: &Books<'_>, now: Timestamp) {
        let Some(run) = self.inner.runs.get(place) else { return };
        if run.goal_at.is_some() {
            return self.over(place, RunState::Done, true);
        }
        let definition = books.of(run).journey(&run.journey);
        let after = definition.zip(run.step.as_ref()).and_then(|(definition, step)| definition.after(step));
        self.moves_to(place, after, now);
    }

    /// On to a step; without one it is over.
    fn moves_to(&mut self, place: usize, step: Option<&Step>, now: Timestamp) {
        let Some(run) = self.inner.runs.get_mut(place) else { return };
        run.sending = None;
        run.tries = 0;
        run.heard = None;
        match step {
            Some(step) => {
                run.step = Some(step.id.clone());
                run.since = now;
                run.due = Some(now.plus(step.after));
            }
            None => self.ends_well(place, now),
        }
    }

    fn goes(
        mut self,
        place: usize,
        definition: &Definition,
        step: &Step,
        target: Option<&str>,
        (did, why): (Did, &str),
        now: Timestamp,
    ) -> Self {
        self.note(place, now, did, why, None);
        let to = match target {
            Some(EXIT) => None,
            Some(target) => definition.step(target),
            None => definition.after(&step.id),
        };
        self.moves_to(place, to, now);
        self
    }

    fn ends_well(&mut self, place: usize, now: Timestamp) {
        let Some(run) = self.inner.runs.get(place) else { return };
        let did = |did: Did| run.history.iter().any(|line| line.did == did);
        let held_back = did(Did::Suppressed) && !did(Did::Sent) && !did(Did::Task) && !did(Did::Bonus);
        let state = if held_back { RunState::Suppressed } else { RunState::Done };
        self.note(place, now, Did::Done, "all of it happened", None);
        self.over(place, state, false);
    }

    fn finishes(&self, place: usize, now: Timestamp) -> Self {
        let mut next = self.turned();
        next.ends_well(place, now);
        next
    }

    fn leaves(&self, place: usize, why: &str, now: Timestamp) -> Self {
        let mut next = self.turned();
        next.note(place, now, Did::Left, why, None);
        next.over(place, RunState::Left, true);
        next
    }

    fn waits(&self, place: usize, step: &Step, until: Timestamp, now: Timestamp) -> Self {
        let mut next = self.turned();
        let Some(run) = next.inner.runs.get_mut(place) else { return next };
        run.due = Some(until);
        let at_it = run.step.as_ref() == Some(&step.id);
        let said = run.history.last().is_some_and(|line| at_it && line.did == Did::Waited);
        run.step = Some(step.id.clone());
        // a due time that moves with each trade would fill the history
        if !said {
            next.note(place, now, Did::Waited, &format!("until {until}"), None);
        }
        next
    }

    /// What became of the message that was being handed over.
    pub fn delivered(&self, outcome: &Delivery, books: &Books<'_>, now: Timestamp) -> Verdict<Self> {
        let sending = |run: &Run| run.state == RunState::Active && run.sending.is_some();
        let Some(place) = self.inner.runs.iter().position(sending) else {
            return Verdict::Nothing("nothing was being sent");
        };
        let mut next = self.turned();
        let tries = next.inner.runs.get(place).map_or(0, |run| run.tries);
        let next = match outcome {
            Delivery::Sent => next.handed_over(place, books, now),
            Delivery::Unknown(_) => next.suppressed(place, Reason::Unknown, books, now),
            Delivery::Refused(_) => next.suppressed(place, Reason::Refused, books, now),
            Delivery::NotNow(_) if tries >= TRIES_MAX => next.suppressed(place, Reason::Refused, books, now),
            Delivery::NotNow(why) => {
                if let Some(run) = next.inner.runs.get_mut(place) {
                    run.sending = None;
                    run.tries = tries.saturating_add(1);
                    run.due = Some(now.plus(RETRY_AFTER));
                }
                let mut decision = next.decided("not_sent", now);
                decision.why.push(why.clone());
                return Verdict::Change(Box::new(decision));
            }
        };
        Verdict::Change(Box::new(next.decided(outcome.word(), now)))
    }

    fn handed_over(mut self, place: usize, books: &Books<'_>, now: Timestamp) -> Self {
        let Some(run) = self.inner.runs.get(place) else { return self };
        let definition = books.of(run).journey(&run.journey);
        let step = definition.zip(run.step.as_ref()).and_then(|(definition, step)| definition.step(step));
        let act = step.map(|step| &step.act);
        if let Some(Act::Message(message)) = act {
            if message.topic != Topic::Service {
                self.inner.sent.push(Counted { at: now, channel: message.channel });
            }
            let counts = Some(format!("sent.{}", message.channel));
            self.note(place, now, Did::Sent, message.channel.as_str(), counts);
        } else {
            self.note(place, now, Did::Sent, "handed over", None);
        }
        self.passes(place, books, now);
        self
    }
}

impl Delivery {
    const fn word(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unknown(_) => "unknown",
            Self::NotNow(_) => "not_now",
            Self::Refused(_) => "refused",
        }
    }
}

pub(super) fn holds(condition: &crate::rules::Condition, sight: &Sight) -> Result<bool, JourneyError> {
    match judge(condition, &sight.subject).outcome {
        Outcome::Value(truth) => Ok(truth),
        Outcome::Skipped => Ok(false),
        Outcome::Error(fault) => Err(JourneyError::Condition(fault)),
    }
}

/// The message as it would be sent; none where a text is missing or cannot be written.
pub(super) fn letter(own: &Journeys, message: &MessageAct, sight: &Sight, of: &str, now: Timestamp) -> Option<Letter> {
    let (tag, text) = own.text(&message.template, &sight.subject.language)?;
    let to = sight.addresses.get(&message.channel).cloned().unwrap_or_else(|| Redacted::new(String::new()));
    let fillings = Fillings::new()
        .with("name", sight.first_name.as_str())
        .with("country", sight.subject.country.map_or("", |country| country.code()))
        .with("brand", own.sender.name.as_str())
        .with("unsubscribe_url", sight.unsubscribe_url.as_str())
        .with(RISK_WARNING, own.risk_warning(tag))
        .with("at", now);
    let fill = |wording| render(wording, tag, &fillings).ok();
    let advertises = message.topic != Topic::Service;
    Some(Letter {
        channel: message.channel,
        to,
        from: if message.channel == Channel::Sms { own.sms.from.clone() } else { own.sender.address.clone() },
        subject: Redacted::new(fill(heading(text, message.channel)?)?),
        body: Redacted::new(fill(&text.body)?),
        language: tag.to_owned(),
        unsubscribe_url: advertises.then(|| sight.unsubscribe_url.clone()),
        of: of.to_owned(),
    })
}

fn heading(text: &Text, channel: Channel) -> Option<&crate::rules::wording::Wording> {
    match channel {
        Channel::Email => text.subject.as_ref(),
        Channel::InApp => text.title.as_ref(),
        Channel::Sms => Some(&text.body),
    }
}
