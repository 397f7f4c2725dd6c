//! Texts in several languages with `{{names}}` in them, and whom they are from.

use std::collections::BTreeMap;

use serde::Serialize;

use super::read::{Faults, Node, Object, is_language, is_name, optional};
use super::wording::Wording;

/// How many languages one template may have.
const LANGUAGES_MAX: usize = 60;
const SUBJECT_CHARS_MAX: usize = 150;
const BODY_CHARS_MAX: usize = 2_000;
const SENDER_CHARS_MAX: usize = 80;

/// Whom e-mails are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sender {
    /// The address.
    pub address: String,
    /// The name: also what `{{brand}}` stands for.
    pub name: String,
}

/// One message in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The subject of an e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Wording>,
    /// The title of a message in the portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Wording>,
    /// The message.
    pub body: Wording,
}

/// One message in its languages, by their tags.
pub type Template = BTreeMap<String, Text>;

/// The text in a language: for `pt-BR` that is `pt-BR`, else `pt`, else the default language.
pub(crate) fn nearest<'t>(template: &'t Template, language: &str, default: &str) -> Option<(&'t str, &'t Text)> {
    let mut wanted = language;
    while !wanted.is_empty() {
        let found = template.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted));
        if let Some((tag, text)) = found {
            return Some((tag, text));
        }
        wanted = wanted.rsplit_once('-').map_or("", |(shorter, _)| shorter);
    }
    template.get_key_value(default).map(|(tag, text)| (tag.as_str(), text))
}

pub(crate) fn read_sender(node: &Node<'_>, faults: &mut Faults) -> Option<Sender> {
    let object = node.object(&["address", "name"], faults)?;
    let address = object.need("address", faults).and_then(|node| node.email(faults));
    let name = object.need("name", faults).and_then(|node| {
        let name = node.line(SENDER_CHARS_MAX, faults)?;
        // Such a name would need quoting in the From header.
        if name.contains(['"', '<', '>', '\\', '@', ',', ';', '{', '}']) {
            faults.add(node.fault("bad_text", "must be a plain name"));
            return None;
        }
        Some(name.to_owned())
    });
    Some(Sender { address: address?, name: name? })
}

pub(crate) fn read_templates(at: &Object<'_>, faults: &mut Faults) -> Option<BTreeMap<String, Template>> {
    let mut templates = BTreeMap::new();
    for (name, node) in at.entries() {
        if !is_name(name) {
            faults.add(node.fault("bad_name", "a template's name must be lower-case letters, digits, _ and -"));
        }
        let Some(languages) = node.map(faults) else { continue };
        if languages.count() > LANGUAGES_MAX {
            faults.add(node.fault("too_many", format!("has more than {LANGUAGES_MAX} languages")));
            continue;
        }
        let mut texts = Template::new();
        for (tag, node) in languages.entries() {
            if !is_language(tag) {
                faults.add(node.fault("bad_language", "must be a language tag such as en or pt-BR"));
            }
            if let Some(text) = read_text(&node, faults) {
                texts.insert(tag.to_owned(), text);
            }
        }
        if texts.len() == languages.count() {
            templates.insert(name.to_owned(), texts);
        }
    }
    (templates.len() == at.count()).then_some(templates)
}

fn read_text(node: &Node<'_>, faults: &mut Faults) -> Option<Text> {
    let object = node.object(&["subject", "title", "body"], faults)?;
    let subject = optional(object.get("subject"), |node| read_wording(&node, SUBJECT_CHARS_MAX, true, faults));
    let title = optional(object.get("title"), |node| read_wording(&node, SUBJECT_CHARS_MAX, true, faults));
    let body = object.need("body", faults).and_then(|node| read_wording(&node, BODY_CHARS_MAX, false, faults));
    Some(Text { subject: subject?, title: title?, body: body? })
}

fn read_wording(node: &Node<'_>, chars_max: usize, one_line: bool, faults: &mut Faults) -> Option<Wording> {
    let text = if one_line { node.line(chars_max, faults)? } else { node.text(chars_max, faults)? };
    match Wording::parse(text.trim_end()) {
        Ok(wording) => Some(wording),
        Err(error) => {
            faults.add(node.fault("bad_braces", error.to_string()));
            None
        }
    }
}
