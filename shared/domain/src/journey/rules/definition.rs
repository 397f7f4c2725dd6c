//! A journey: who enters it and how often, its steps, what ends it early, and what it is for. Steps only lead on to later ones, so every
//! journey ends.

use serde::Serialize;

use super::{Channel, Topic};
use crate::journey::cohort::BUCKETS;
use crate::journey::subject::{Audience, Trigger};
use crate::rules::condition::Condition;
use crate::rules::parse::read_when;
use crate::rules::read::{Faults, Node, Object, optional};
use crate::rules::schema::Schema;
use crate::rules::table::unique_name;
use crate::work::rules::WorkKind;
use crate::{Money, Seconds};

const STEPS_MAX: usize = 50;
const DELAY_MAX: Seconds = Seconds(365 * 86_400);
const PRIORITY_MAX: u32 = 100;
/// Held out where the rules say nothing, in buckets: a tenth.
const HELD_OUT: u32 = BUCKETS / 10;
/// The most that may be held out, in per cent.
const HELD_OUT_MAX: u32 = 50;
/// Where a step leads that ends the journey.
pub const EXIT: &str = "exit";
/// Kinds of work items that journeys open.
const TASKS: [WorkKind; 4] = [
    WorkKind::RetentionCall,
    WorkKind::RetentionDepositFailed,
    WorkKind::RetentionWithdrawal,
    WorkKind::RetentionDepositIdle,
];

/// What begins a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Begins {
    /// This happens.
    On(Trigger),
    /// The client has not traded for so long.
    Idle(Seconds),
}

/// How often a reader may enter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Reentry {
    /// Once.
    Never,
    /// Again after so long.
    After(Seconds),
}

/// What a journey is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// This happens.
    pub on: Trigger,
    /// Within so long of the entry.
    pub within: Seconds,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageAct {
    /// How it travels.
    pub channel: Channel,
    /// What it is about.
    pub topic: Topic,
    /// The words.
    pub template: String,
    /// How long it may wait for its hour.
    pub give_up_after: Seconds,
}

/// Credit that is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BonusAct {
    /// By the automation, as a campaign of the rule set `bonuses` says.
    Campaign {
        /// The campaign.
        campaign: String,
        /// Where the document names it.
        #[serde(skip)]
        pointer: String,
    },
    /// By a person, so much.
    ByHand {
        /// How much.
        amount: Money,
    },
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Writes.
    Message(MessageAct),
    /// Has somebody call or write.
    Task {
        /// The kind of work item.
        kind: WorkKind,
        /// What it is about.
        topic: Topic,
    },
    /// Grants credit, which is not money.
    Bonus(BonusAct),
    /// Waits for something to happen.
    WaitFor {
        /// What.
        on: Trigger,
        /// How long.
        within: Seconds,
        /// Where it goes on then; with the next step where nothing is said.
        then: Option<String>,
        /// Where it goes on when it did not happen.
        otherwise: Option<String>,
    },
    /// Goes one way or the other.
    Split {
        /// By what.
        when: Condition,
        /// Where it goes on then.
        then: Option<String>,
        /// Where it goes on otherwise.
        otherwise: Option<String>,
    },
    /// Nothing is advertised about a topic for a while.
    Rest {
        /// The topic.
        topic: Topic,
        /// How long.
        span: Seconds,
    },
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name in the journey.
    pub id: String,
    /// How long after the one before, or after the beginning.
    pub after: Seconds,
    /// Not before the client has been without a trade for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Seconds>,
    /// What it does.
    pub act: Act,
}

/// A journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Its name.
    pub id: String,
    /// Who enters.
    pub audience: Audience,
    /// Of several that have something to say, the highest goes first.
    pub priority: u32,
    /// What begins it.
    pub begins: Begins,
    /// What else must hold.
    pub when: Condition,
    /// How often.
    pub reentry: Reentry,
    /// How many of 10 000 are held out.
    pub held_out: u32,
    /// What is hashed with their ids.
    pub salt: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// What ends it early; asked right before each act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Condition>,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Definition {
    /// A step.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The step after one.
    pub fn after(&self, id: &str) -> Option<&Step> {
        self.steps.iter().skip_while(|step| step.id != id).nth(1)
    }

    /// The templates of its messages, with their channels and topics.
    pub fn messages(&self) -> impl Iterator<Item = &MessageAct> {
        self.steps.iter().filter_map(|step| match &step.act {
            Act::Message(message) => Some(message),
            Act::Task { .. } | Act::Bonus(_) | Act::WaitFor { .. } | Act::Split { .. } | Act::Rest { .. } => None,
        })
    }
}

/// What a definition is read with.
pub(super) struct With<'r> {
    pub schema: &'r Schema,
    pub templates: &'r [String],
}

const KEYS: [&str; 10] =
    ["id", "audience", "priority", "enter", "reentry", "hold_out", "salt", "goal", "exit", "steps"];

pub(super) fn read(
    item: &Node<'_>,
    with: &With<'_>,
    taken: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<Definition> {
    let object = item.object(&KEYS, faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, taken, faults));
    let audience = object.need("audience", faults).and_then(|node| node.word(Audience::ALL, faults));
    let priority = object.need("priority", faults).and_then(|node| node.whole(0..=PRIORITY_MAX, faults));
    let enter = object.need("enter", faults).and_then(|node| read_enter(&node, audience, with, faults));
    let reentry = object.need("reentry", faults).and_then(|node| read_reentry(&node, faults));
    let held_out = optional(object.get("hold_out"), |node| node.whole(0..=HELD_OUT_MAX, faults));
    let salt = optional(object.get("salt"), |node| node.line(60, faults).map(str::to_owned));
    let goal = optional(object.get("goal"), |node| read_goal(&node, faults));
    let exit = optional(object.get("exit"), |node| read_when(&node, with.schema, faults));
    let mut names = Vec::new();
    let steps_at = object.need("steps", faults);
    let steps = steps_at.as_ref().and_then(|list| {
        list.each(1..=STEPS_MAX, faults, |item, faults| read_step(item, audience, with, &mut names, faults))
    });
    if let (Some(at), Some(steps)) = (&steps_at, &steps) {
        refuse_ways_back(at, steps, faults);
    }
    let (begins, when) = enter?;
    let id = id?;
    Some(Definition {
        salt: salt?.unwrap_or_else(|| format!("{id}/1")),
        id,
        audience: audience?,
        priority: priority?,
        begins,
        when,
        reentry: reentry?,
        held_out: held_out?.map_or(HELD_OUT, |percent| percent * (BUCKETS / 100)),
        goal: goal?,
        exit: exit?,
        steps: steps?,
    })
}

fn read_enter(
    node: &Node<'_>,
    audience: Option<Audience>,
    with: &With<'_>,
    faults: &mut Faults,
) -> Option<(Begins, Condition)> {
    let object = node.object(&["on", "idle", "when"], faults)?;
    let when = optional(object.get("when"), |node| read_when(&node, with.schema, faults));
    let begins = match (object.get("on"), object.get("idle")) {
        (Some(on), None) => {
            let trigger = on.word(Trigger::ALL, faults);
            if let (Some(trigger), Some(audience)) = (trigger, audience)
                && (trigger == Trigger::Nurturing) != (audience == Audience::Lead)
            {
                faults.add(on.fault("not_applicable", format!("{trigger} happens to no {audience}")));
            }
            trigger.map(Begins::On)
        }
        (None, Some(idle)) => {
            if audience == Some(Audience::Lead) {
                faults.add(idle.fault("not_applicable", "leads do not trade"));
            }
            idle.span(Seconds(86_400)..=DELAY_MAX, faults).map(Begins::Idle)
        }
        _ => {
            faults.add(node.fault("bad_entry", "must have either `on` or `idle`").allowing(["on", "idle"]));
            None
        }
    };
    Some((begins?, when?.unwrap_or_else(Condition::always)))
}

fn read_reentry(node: &Node<'_>, faults: &mut Faults) -> Option<Reentry> {
    if node.raw().as_str() == Some("never") {
        return Some(Reentry::Never);
    }
    let object = node.object(&["after"], faults)?;
    let after = object.need("after", faults).and_then(|node| node.span(Seconds(0)..=DELAY_MAX, faults));
    after.map(Reentry::After)
}

fn read_goal(node: &Node<'_>, faults: &mut Faults) -> Option<Goal> {
    let object = node.object(&["on", "within"], faults)?;
    let on = object.need("on", faults).and_then(|node| node.word(Trigger::ALL, faults));
    let within = object.need("within", faults).and_then(|node| node.span(Seconds(60)..=DELAY_MAX, faults));
    Some(Goal { on: on?, within: within? })
}

const ACTS: [&str; 6] = ["message", "task", "bonus", "wait_for", "split", "rest"];

fn read_step(
    node: &Node<'_>,
    audience: Option<Audience>,
    with: &With<'_>,
    names: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<Step> {
    let known: Vec<&str> = ["id", "after", "idle"].into_iter().chain(ACTS).collect();
    let object = node.object(&known, faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, names, faults));
    if id.as_deref() == Some(EXIT) {
        faults.add(node.fault("bad_name", format!("`{EXIT}` is where a journey ends")));
    }
    let after = optional(object.get("after"), |node| node.span(Seconds(0)..=DELAY_MAX, faults));
    let idle = optional(object.get("idle"), |node| node.span(Seconds(0)..=DELAY_MAX, faults));
    let mut found = ACTS.into_iter().filter_map(|key| object.get(key).map(|inner| (key, inner)));
    let (Some((key, inner)), None) = (found.next(), found.next()) else {
        faults.add(node.fault("bad_step", "a step does exactly one thing").allowing(ACTS));
        return None;
    };
    if audience == Some(Audience::Lead) && matches!(key, "task" | "bonus") {
        faults.add(inner.fault("not_applicable", "leads have tasks of their own"));
    }
    let act = read_act(key, &inner, audience, with, faults);
    Some(Step { id: id?, after: after?.unwrap_or(Seconds(0)), idle: idle?, act: act? })
}

fn read_act(
    key: &str,
    node: &Node<'_>,
    audience: Option<Audience>,
    with: &With<'_>,
    faults: &mut Faults,
) -> Option<Act> {
    match key {
        "message" => {
            let object = node.object(&["channel", "topic", "template", "give_up_after"], faults)?;
            let channel_at = object.need("channel", faults);
            let channel = channel_at.as_ref().and_then(|node| node.word(Channel::ALL, faults));
            if let (Some(at), Some(Channel::InApp), Some(Audience::Lead)) = (&channel_at, channel, audience) {
                faults.add(at.fault("not_applicable", "leads have no portal"));
            }
            let topic = object.need("topic", faults).and_then(|node| node.word(Topic::ALL, faults));
            let template =
                object.need("template", faults).and_then(|node| node.reference("template", with.templates, faults));
            let give_up = object.get("give_up_after");
            let give_up = optional(give_up, |node| node.span(Seconds(3_600)..=DELAY_MAX, faults));
            Some(Act::Message(MessageAct {
                channel: channel?,
                topic: topic?,
                template: template?,
                give_up_after: give_up?.unwrap_or(Seconds(7 * 86_400)),
            }))
        }
        "task" => {
            let object = node.object(&["kind", "topic"], faults)?;
            let kind = object.need("kind", faults).and_then(|node| {
                let kind = node.word(&TASKS, faults)?;
                if !TASKS.contains(&kind) {
                    let words = TASKS.iter().map(|kind| kind.as_str());
                    faults.add(node.fault("unknown_value", "journeys open no such items").allowing(words));
                    return None;
                }
                Some(kind)
            });
            let topic = object.need("topic", faults).and_then(|node| node.word(Topic::ALL, faults));
            Some(Act::Task { kind: kind?, topic: topic? })
        }
        "bonus" => read_bonus(node, faults),
        "wait_for" => {
            let object = node.object(&["on", "within", "then", "else"], faults)?;
            let on = object.need("on", faults).and_then(|node| node.word(Trigger::ALL, faults));
            let within = object.need("within", faults).and_then(|node| node.span(Seconds(60)..=DELAY_MAX, faults));
            let (then, otherwise) = read_ways(&object, faults);
            Some(Act::WaitFor { on: on?, within: within?, then: then?, otherwise: otherwise? })
        }
        "split" => {
            let object = node.object(&["when", "then", "else"], faults)?;
            let when = object.need("when", faults).and_then(|node| read_when(&node, with.schema, faults));
            let (then, otherwise) = read_ways(&object, faults);
            Some(Act::Split { when: when?, then: then?, otherwise: otherwise? })
        }
        _ => {
            let object = node.object(&["topic", "for"], faults)?;
            let topic = object.need("topic", faults).and_then(|node| node.word(Topic::ALL, faults));
            let span = object.need("for", faults).and_then(|node| node.span(Seconds(3_600)..=DELAY_MAX, faults));
            Some(Act::Rest { topic: topic?, span: span? })
        }
    }
}

fn read_bonus(node: &Node<'_>, faults: &mut Faults) -> Option<Act> {
    let object = node.object(&["campaign", "amount", "currency"], faults)?;
    if let Some(campaign) = object.get("campaign") {
        if object.has("amount") || object.has("currency") {
            faults.add(node.fault("bad_bonus", "must have either `campaign`, or `amount` and `currency`"));
            return None;
        }
        return Some(Act::Bonus(BonusAct::Campaign {
            campaign: campaign.name(faults)?,
            pointer: campaign.pointer().to_owned(),
        }));
    }
    let currency = object.need("currency", faults).and_then(|node| node.currency(faults));
    let amount_at = object.need("amount", faults);
    let number = amount_at.as_ref().and_then(|node| node.decimal(faults));
    let (at, currency, number) = (amount_at?, currency?, number?);
    match Money::new(number, currency).ok().filter(Money::is_positive) {
        Some(amount) => Some(Act::Bonus(BonusAct::ByHand { amount })),
        None => {
            faults.add(at.fault("bad_range", format!("must be an amount of {currency} above zero")));
            None
        }
    }
}

type Way = Option<Option<String>>;

fn read_ways(object: &Object<'_>, faults: &mut Faults) -> (Way, Way) {
    let mut way = |key| optional(object.get(key), |node: Node<'_>| node.name(faults));
    (way("then"), way("else"))
}

/// A step leads on to a later one of the journey, or ends it.
fn refuse_ways_back(at: &Node<'_>, steps: &[Step], faults: &mut Faults) {
    for (place, step) in steps.iter().enumerate() {
        let (Act::WaitFor { then, otherwise, .. } | Act::Split { then, otherwise, .. }) = &step.act else { continue };
        for target in [then, otherwise].into_iter().flatten() {
            let later = steps.iter().skip(place + 1).any(|step| step.id == *target);
            if target != EXIT && !later {
                let names = steps.iter().skip(place + 1).map(|step| step.id.clone()).chain([EXIT.to_owned()]);
                let message = format!("`{}` leads to `{target}`, which is no later step", step.id);
                faults.add(at.fault("bad_way", message).allowing(names));
            }
        }
    }
}
