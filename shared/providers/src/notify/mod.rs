//! Messages to people: clients by mail, staff by chat.

use std::time::Duration;

use domain::Redacted;
use secrecy::SecretString;

use crate::Disposition;
use crate::http::BoxFuture;

#[cfg(feature = "email")]
pub mod email;
pub mod slack;
pub mod slack_inbound;
pub mod sns;
pub mod twilio;
pub mod unsubscribe;

/// Hands messages over to a channel.
pub trait Notifier: Send + Sync {
    /// Hands one message over. No channel knows idempotency: a message whose answer is lost may arrive twice.
    ///
    /// # Errors
    /// [`NotifyError`].
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, NotifyError>>;
}

/// A message and where it goes.
#[derive(Debug, Clone)]
pub enum Message {
    /// Over the mail service.
    Email(Email),
    /// Into a chat channel.
    Slack(SlackPost),
    /// To a telephone.
    Sms(Sms),
}

/// A mail in plain text.
#[derive(Debug, Clone)]
pub struct Email {
    /// One address.
    pub to: Redacted<String>,
    /// A sender that the mail service has verified.
    pub from: String,
    /// Subject line.
    pub subject: Redacted<String>,
    /// Plain text.
    pub body: Redacted<String>,
    /// Where its reader unsubscribes with one click (RFC 8058), of a mail that advertises.
    pub unsubscribe_url: Option<String>,
}

/// A text message.
#[derive(Debug, Clone)]
pub struct Sms {
    /// One number, E.164.
    pub to: Redacted<String>,
    /// The text.
    pub body: Redacted<String>,
}

/// A post to an incoming webhook of a chat channel.
#[derive(Debug, Clone)]
pub struct SlackPost {
    /// The webhook's URL. Whoever knows it can post: it is a secret.
    pub webhook_url: SecretString,
    /// What happened, in plain words; characters of the chat's mark-up are escaped.
    pub text: String,
    /// Who is mentioned before it, by member id.
    pub mention: Option<String>,
    /// Buttons below it.
    pub buttons: Vec<SlackButton>,
}

impl SlackPost {
    /// Plain words.
    pub fn plain(webhook_url: SecretString, text: String) -> Self {
        Self { webhook_url, text, mention: None, buttons: Vec::new() }
    }
}

/// A button of a post. Whoever presses it is told to us by [`slack_inbound`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackButton {
    /// What it says.
    pub label: String,
    /// Its name.
    pub action_id: String,
    /// What it carries.
    pub value: String,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The channel's id of the message, where it gives one.
    pub reference: Option<String>,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Certainly not sent; may be tried again later.
    #[error("message was not taken now: {reason}")]
    Retry {
        /// What the channel said.
        reason: String,
        /// How long the channel asked to be left alone.
        after: Option<Duration>,
    },
    /// Certainly not sent, and will not be as it is.
    #[error("message was refused with `{code}`")]
    Refused {
        /// The channel's own code.
        code: String,
        /// The channel's own words, which may name whom it is for: they stand in no text that reaches a log, an item or the journal.
        message: String,
    },
    /// May have been sent. A second one does little harm; none at all may.
    #[error("message may have been sent: {0}")]
    Unknown(String),
}

impl NotifyError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Retry { .. } | Self::Unknown(_) => Disposition::Retry,
            Self::Refused { .. } => Disposition::GiveUp,
        }
    }

    fn wrong_channel() -> Self {
        Self::Refused { code: "wrong_channel".to_owned(), message: "this channel takes other messages".to_owned() }
    }
}
