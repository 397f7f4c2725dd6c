//! What an agent who gets a lead is told, and the chat that tells it.

use serde::Serialize;

use crate::rules::read::{Faults, Node};
use crate::rules::wording::Wording;

const SUBJECT_CHARS_MAX: usize = 150;
const BODY_CHARS_MAX: usize = 1_500;
const LABEL_CHARS_MAX: usize = 40;
/// What the words about a lead may use.
pub const NAMES: [&str; 15] = [
    "agent", "lead_id", "task_id", "name", "phone", "email", "country", "language", "source", "campaign", "score",
    "band", "due", "rule", "pool",
];

/// The broker's app in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlackApp {
    /// The secret that holds what the chat signs pressed buttons with.
    pub signing_secret: String,
    /// Messages are changed at addresses that begin so, and at no others.
    pub response_url: String,
}

/// The words about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentMessage {
    /// The sender where it goes by mail.
    pub sender: String,
    /// The subject where it goes by mail.
    pub subject: Wording,
    /// The text.
    pub body: Wording,
    /// The button that begins the task.
    pub start: String,
    /// The button that gives it back.
    pub decline: String,
}

pub(super) fn read_slack(node: &Node<'_>, faults: &mut Faults) -> Option<SlackApp> {
    let object = node.object(&["signing_secret", "response_url"], faults)?;
    let signing_secret = object.need("signing_secret", faults).and_then(|node| node.secret_name(faults));
    let response_url = object.need("response_url", faults).and_then(|node| node.url(faults));
    Some(SlackApp { signing_secret: signing_secret?, response_url: format!("{}/", response_url?) })
}

pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<AgentMessage> {
    let object = node.object(&["sender", "subject", "body", "start", "decline"], faults)?;
    let sender = object.need("sender", faults).and_then(|node| node.email(faults));
    let subject = object.need("subject", faults).and_then(|node| read_wording(&node, SUBJECT_CHARS_MAX, true, faults));
    let body = object.need("body", faults).and_then(|node| read_wording(&node, BODY_CHARS_MAX, false, faults));
    let label = |node: Node<'_>, faults: &mut Faults| node.line(LABEL_CHARS_MAX, faults).map(str::to_owned);
    let start = object.need("start", faults).and_then(|node| label(node, faults));
    let decline = object.need("decline", faults).and_then(|node| label(node, faults));
    Some(AgentMessage { sender: sender?, subject: subject?, body: body?, start: start?, decline: decline? })
}

fn read_wording(node: &Node<'_>, chars_max: usize, one_line: bool, faults: &mut Faults) -> Option<Wording> {
    let text = if one_line { node.line(chars_max, faults)? } else { node.text(chars_max, faults)? };
    let wording = match Wording::parse(text.trim_end()) {
        Ok(wording) => wording,
        Err(error) => {
            faults.add(node.fault("bad_braces", error.to_string()));
            return None;
        }
    };
    if let Some(unknown) = wording.names().find(|name| !NAMES.contains(name)) {
        faults.add(node.fault("unknown_name", format!("`{unknown}` is not filled in here")).allowing(NAMES));
        return None;
    }
    Some(wording)
}
