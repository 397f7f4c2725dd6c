//! Which messages follow from an event: pure, in the reader's language.

pub mod rules;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::notification::rules::{BRAND, Channel, DeskChoice, Notifications, NotifiedEvent, RouteAudience};
use crate::rules::texts::Text;
use crate::rules::wording::{Piece, Wording};
use crate::{Money, Timestamp};

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 4] = ["ar", "fa", "he", "ur"];
/// First strong isolate and its end: keeps `1250.00 USD` in order inside right-to-left text.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');
/// A filled-in value longer than this is cut: it came from outside.
const FILLING_CHARS_MAX: usize = 200;

/// What is put in the place of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    /// As it is, on one line.
    Text(String),
    /// `1250.00 USD`.
    Money(Money),
    /// `2026-11-23 10:20 UTC`.
    Time(Timestamp),
}

impl From<&str> for Filling {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Filling {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Filling {
    fn from(number: u32) -> Self {
        Self::Text(number.to_string())
    }
}

impl From<Money> for Filling {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

impl From<Timestamp> for Filling {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl Filling {
    fn shown(&self) -> String {
        match self {
            // A line break from outside could add a header to an e-mail.
            Self::Text(text) => {
                text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(FILLING_CHARS_MAX).collect()
            }
            Self::Money(money) => money.to_string(),
            Self::Time(at) => {
                let text = at.to_string();
                let (day, time) = text.split_once('T').unwrap_or((&text, ""));
                let minutes: String = time.chars().take(5).collect();
                format!("{day} {minutes} UTC")
            }
        }
    }
}

/// What an event gives to fill in: [`NotifiedEvent::names`] names it all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fillings(BTreeMap<String, Filling>);

impl Fillings {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, filling: impl Into<Filling>) -> Self {
        self.0.insert(name.to_owned(), filling.into());
        self
    }

    fn get(&self, name: &str) -> Option<&Filling> {
        self.0.get(name)
    }
}

/// Who gets a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The client.
    Client,
    /// A desk of the rule set, by its name.
    Desk(String),
}

/// One message to send, complete. Plain text: whoever sends it escapes what its channel needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// Who gets it.
    pub audience: Audience,
    /// How it travels.
    pub channel: Channel,
    /// The language that was found.
    pub language: String,
    /// The template it is from.
    pub template: String,
    /// The subject; always there for e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The title; always there in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text.
    pub body: String,
}

/// Why an event's messages could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The event did not give what a text needs.
    #[error("event `{event}` gives no `{name}` for template `{template}`")]
    MissingFilling {
        /// The event.
        event: NotifiedEvent,
        /// The name in the text.
        name: String,
        /// The template.
        template: String,
    },
    /// The event's queue has no desk, or a template is not there: a set that was parsed for these cannot have it.
    #[error("event `{event}` refers to `{name}`, which the rule set does not have")]
    MissingReference {
        /// The event.
        event: NotifiedEvent,
        /// What is not there.
        name: String,
    },
}

/// Plans the messages of an event; an event that nobody is told about has none.
///
/// # Errors
/// [`PlanError`]; none of the messages is to be sent then.
pub fn plan(
    event_type: &str,
    fillings: &Fillings,
    client_language: &str,
    rules: &Notifications,
) -> Result<Vec<PlannedMessage>, PlanError> {
    let Ok(event) = event_type.parse::<NotifiedEvent>() else { return Ok(Vec::new()) };
    let fillings = fillings.clone().with(BRAND, rules.sender.name.as_str());
    let mut messages = Vec::new();
    for route in rules.routes(event) {
        let missing = |name: &str| PlanError::MissingReference { event, name: name.to_owned() };
        let audience = audience(event, &route.audience, &fillings)?;
        let wanted = match &audience {
            Audience::Client => client_language,
            Audience::Desk(name) => {
                let desk = rules.desk(name).ok_or_else(|| missing(name))?;
                desk.language.as_deref().unwrap_or(&rules.default_language)
            }
        };
        let (language, text) = rules.text(&route.template, wanted).ok_or_else(|| missing(&route.template))?;
        let page = Page { event, template: &route.template, language, text, fillings: &fillings };
        for channel in &route.channels {
            messages.push(page.message(&audience, *channel)?);
        }
    }
    Ok(messages)
}

fn audience(event: NotifiedEvent, route: &RouteAudience, fillings: &Fillings) -> Result<Audience, PlanError> {
    match route {
        RouteAudience::Client => Ok(Audience::Client),
        RouteAudience::Desk(DeskChoice::Named(name)) => Ok(Audience::Desk(name.clone())),
        RouteAudience::Desk(DeskChoice::ByQueue) => {
            let missing = || PlanError::MissingReference { event, name: "queue".to_owned() };
            fillings.get("queue").map(|queue| Audience::Desk(queue.shown())).ok_or_else(missing)
        }
    }
}

struct Page<'a> {
    event: NotifiedEvent,
    template: &'a str,
    language: &'a str,
    text: &'a Text,
    fillings: &'a Fillings,
}

impl Page<'_> {
    fn message(&self, audience: &Audience, channel: Channel) -> Result<PlannedMessage, PlanError> {
        let part = |wording: &Option<Wording>, wanted: Channel| match wording {
            Some(wording) if channel == wanted => self.fill(wording).map(Some),
            _ => Ok(None),
        };
        Ok(PlannedMessage {
            audience: audience.clone(),
            channel,
            language: self.language.to_owned(),
            template: self.template.to_owned(),
            subject: part(&self.text.subject, Channel::Email)?,
            title: part(&self.text.title, Channel::InApp)?,
            body: self.fill(&self.text.body)?,
        })
    }

    fn fill(&self, wording: &Wording) -> Result<String, PlanError> {
        render(wording, self.language, self.fillings).map_err(|name| PlanError::MissingFilling {
            event: self.event,
            name,
            template: self.template.to_owned(),
        })
    }
}

/// A text with its names filled in, in the order that the language is read in.
///
/// # Errors
/// The name that nothing was given for.
pub fn render(wording: &Wording, language: &str, fillings: &Fillings) -> Result<String, String> {
    let isolated = RIGHT_TO_LEFT.contains(&crate::contact::primary_language(language));
    let mut filled = String::new();
    for piece in wording.pieces() {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => {
                let shown = fillings.get(name).ok_or_else(|| name.clone())?.shown();
                if isolated {
                    filled.extend([ISOLATE.0.to_string(), shown, ISOLATE.1.to_string()]);
                } else {
                    filled.push_str(&shown);
                }
            }
        }
    }
    Ok(filled)
}
