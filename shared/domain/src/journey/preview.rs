//! What a journey would do with a reader now, step by step: nothing is sent or stored.

use serde_json::{Value, json};

use super::Journey;
use super::advance::{JourneyError, holds, letter};
use super::rules::{Act, BonusAct, Definition, Journeys, Topic};
use super::sending::{Asked, Hindrance, Sight, hindrances};
use crate::Timestamp;

/// What each step of a journey would do now, rendered, with everything that would stop it.
///
/// # Errors
/// [`JourneyError::Condition`].
pub fn preview(
    journey: &Journey,
    definition: &Definition,
    sight: &Sight,
    rules: &Journeys,
    now: Timestamp,
) -> Result<Value, JourneyError> {
    let exits = match &definition.exit {
        Some(exit) => holds(exit, sight)?,
        None => false,
    };
    let mut steps = Vec::new();
    for step in &definition.steps {
        let mut shown = json!({"step": step.id, "after_s": step.after.0, "idle_s": step.idle.map(|span| span.0)});
        let what = of_act(journey, definition, &step.act, sight, rules, now)?;
        if let (Some(shown), Value::Object(what)) = (shown.as_object_mut(), what) {
            shown.retain(|_, value| !value.is_null());
            shown.extend(what);
        }
        steps.push(shown);
    }
    let enters = holds(&definition.when, sight)?;
    Ok(json!({"journey": definition.id, "would_enter": enters, "would_exit": exits, "steps": steps}))
}

fn of_act(
    journey: &Journey,
    definition: &Definition,
    act: &Act,
    sight: &Sight,
    rules: &Journeys,
    now: Timestamp,
) -> Result<Value, JourneyError> {
    let stopped = |asked, topic| in_words(&hindrances(asked, topic, sight, journey.had(), rules, now));
    Ok(match act {
        Act::Message(message) => {
            let found = journey.hindrances_of(rules, rules, message, now, sight, now);
            let written = letter(rules, message, sight, &definition.id, now);
            json!({
                "act": "message", "channel": message.channel, "topic": message.topic, "template": message.template,
                "language": written.as_ref().map(|own| own.language.clone()),
                "subject": written.as_ref().map(|own| own.subject.reveal().clone()),
                "body": written.as_ref().map(|own| own.body.reveal().clone()),
                "would_send": found.is_empty() && written.is_some(), "reasons": in_words(&found),
            })
        }
        Act::Task { kind, topic } => {
            let found = stopped(Asked::Task, *topic);
            json!({"act": "task", "kind": kind, "topic": topic, "would_open": found.is_empty(), "reasons": found})
        }
        Act::Bonus(bonus) => {
            let found = stopped(Asked::Bonus, Topic::Marketing);
            let (campaign, amount) = match bonus {
                BonusAct::Campaign { campaign, .. } => (Some(campaign), None),
                BonusAct::ByHand { amount } => (None, Some(amount)),
            };
            let mut shown = json!({"act": "bonus", "would_open": found.is_empty(), "reasons": found});
            if let Some(shown) = shown.as_object_mut() {
                shown.extend(campaign.map(|name| ("campaign".to_owned(), json!(name))));
                shown.extend(amount.map(|amount| ("amount".to_owned(), json!(amount))));
            }
            shown
        }
        Act::WaitFor { on, within, .. } => json!({"act": "wait_for", "on": on, "within_s": within.0}),
        Act::Split { when, then, otherwise } => {
            let truth = holds(when, sight)?;
            json!({"act": "split", "holds": truth, "goes_to": if truth { then } else { otherwise }})
        }
        Act::Rest { topic, span } => json!({"act": "rest", "topic": topic, "for_s": span.0}),
    })
}

fn in_words(found: &[Hindrance]) -> Vec<Value> {
    found.iter().map(|own| json!({"reason": own.reason, "until": own.until})).collect()
}
