//! Posts to Slack's incoming webhooks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Message, Notifier, NotifyError, Receipt, SlackButton, SlackPost};
use crate::http::{BoxFuture, Transport, TransportError};

/// Characters of a section block, escaped.
const SECTION_CHARS_MAX: usize = 3_000;

/// Blocks sent; Slack takes 50, a person reads fewer.
const SECTIONS_MAX: usize = 5;

/// Buttons of a post; Slack takes 25, a person chooses among fewer.
const BUTTONS_MAX: usize = 5;

/// Longest label of a button.
const LABEL_CHARS_MAX: usize = 75;

/// Kept free for the mention before the text.
const MENTION_CHARS_MAX: usize = 40;

/// What stands at the end of a text that did not fit.
const CUT_MARK: char = '…';

/// Slack over a transport.
pub struct Slack {
    transport: Arc<dyn Transport>,
    timeout: Duration,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").finish_non_exhaustive()
    }
}

impl Slack {
    /// Posts take at most the time-out.
    pub fn new(transport: Arc<dyn Transport>, timeout: Duration) -> Self {
        Self { transport, timeout }
    }

    async fn post(&self, post: &SlackPost) -> Result<Receipt, NotifyError> {
        let request = Request::post(post.webhook_url.expose_secret())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body(post))
            // The cause would quote the URL, which is a secret.
            .map_err(|_| refused("invalid_url", "the webhook's URL cannot be called"))?;
        match self.transport.send(request, self.timeout).await {
            Ok(response) => read(&response),
            Err(error @ TransportError::NotSent(_)) => {
                Err(NotifyError::Retry { reason: error.to_string(), after: None })
            }
            Err(error @ (TransportError::Lost(_) | TransportError::TooLarge)) => {
                Err(NotifyError::Unknown(error.to_string()))
            }
        }
    }
}

impl Notifier for Slack {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, NotifyError>> {
        Box::pin(async move {
            match message {
                Message::Slack(post) => self.post(post).await,
                Message::Email(_) | Message::Sms(_) => Err(NotifyError::wrong_channel()),
            }
        })
    }
}

/// `text` is what a telephone shows; the blocks are the message.
fn body(post: &SlackPost) -> Bytes {
    let mut sections = sections(&post.text);
    if let (Some(user), Some(first)) = (&post.mention, sections.first_mut()) {
        first.insert_str(0, &format!("<@{user}> "));
    }
    let first = sections.first().cloned().unwrap_or_default();
    let block = |text: &String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let mut blocks: Vec<_> = sections.iter().filter(|text| !text.is_empty()).map(block).collect();
    if !post.buttons.is_empty() {
        let button = |button: &SlackButton| {
            let label: String = button.label.chars().take(LABEL_CHARS_MAX).collect();
            json!({
                "type": "button", "action_id": button.action_id, "value": button.value,
                "text": {"type": "plain_text", "text": label},
            })
        };
        let elements: Vec<_> = post.buttons.iter().take(BUTTONS_MAX).map(button).collect();
        blocks.push(json!({"type": "actions", "elements": elements}));
    }
    Bytes::from(json!({"text": first, "blocks": blocks}).to_string())
}

/// The escaped text in pieces that fit, none cut inside an entity.
fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut length = 0_usize;
    for character in text.chars() {
        let mut buffer = [0; 4];
        let piece = escape(character, &mut buffer);
        let piece_length = piece.chars().count();
        // One character is kept free for the mark.
        if length.saturating_add(piece_length) >= SECTION_CHARS_MAX - MENTION_CHARS_MAX {
            if sections.len() == SECTIONS_MAX {
                if let Some(last) = sections.last_mut() {
                    last.push(CUT_MARK);
                }
                break;
            }
            sections.push(String::new());
            length = 0;
        }
        if let Some(last) = sections.last_mut() {
            last.push_str(piece);
        }
        length = length.saturating_add(piece_length);
    }
    sections
}

fn escape(character: char, buffer: &mut [u8; 4]) -> &str {
    match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        other => other.encode_utf8(buffer),
    }
}

fn read(response: &Response<Bytes>) -> Result<Receipt, NotifyError> {
    const WORD_CHARS_MAX: usize = 100;
    let status = response.status();
    let word: String = String::from_utf8_lossy(response.body()).trim().chars().take(WORD_CHARS_MAX).collect();
    match status.as_u16() {
        200 if word == "ok" => Ok(Receipt { reference: None }),
        429 => Err(NotifyError::Retry { reason: "too many posts".to_owned(), after: retry_after(response.headers()) }),
        // `rollup_error` is Slack's own word for an outage, whatever the status.
        500..=599 => {
            Err(NotifyError::Retry { reason: format!("HTTP {status}"), after: retry_after(response.headers()) })
        }
        400..=499 if word == "rollup_error" => Err(NotifyError::Retry { reason: word, after: None }),
        // no_service, channel_not_found, channel_is_archived, action_prohibited, invalid_payload: a person's business.
        400..=499 if is_code(&word) => Err(refused(&word, &format!("HTTP {status}"))),
        // a sentence may repeat what was posted
        400..=499 => Err(refused("no_code", &format!("HTTP {status}"))),
        200..=299 => Err(NotifyError::Unknown("answer is not Slack's".to_owned())),
        _ => Err(refused("not_slack", &format!("HTTP {status}: this is not Slack"))),
    }
}

fn is_code(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn refused(code: &str, message: &str) -> NotifyError {
    NotifyError::Refused { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_up_is_escaped_and_long_texts_are_cut_between_entities() {
        assert_eq!(sections("a <b> & c"), ["a &lt;b&gt; &amp; c"]);
        assert_eq!(sections(""), [""]);
        let long = sections(&"&".repeat(10_000));
        assert_eq!(long.len(), SECTIONS_MAX);
        for (at, section) in long.iter().enumerate() {
            assert!(section.chars().count() <= SECTION_CHARS_MAX);
            let whole = section.trim_end_matches(CUT_MARK).replace("&amp;", "");
            assert_eq!(whole, "");
            assert_eq!(section.ends_with(CUT_MARK), at == SECTIONS_MAX - 1);
        }
    }

    #[test]
    fn every_answer_says_whether_to_try_again() {
        let answer = |status: u16, retry: Option<&str>, body: &'static str| {
            let mut builder = Response::builder().status(status);
            if let Some(seconds) = retry {
                builder = builder.header(RETRY_AFTER, seconds);
            }
            read(&builder.body(Bytes::from_static(body.as_bytes())).unwrap())
        };
        assert_eq!(answer(200, None, "ok"), Ok(Receipt { reference: None }));
        assert!(matches!(answer(200, None, "<html>"), Err(NotifyError::Unknown(_))));
        let after = Some(Duration::from_secs(30));
        assert_eq!(
            answer(429, Some("30"), "rate_limited"),
            Err(NotifyError::Retry { reason: "too many posts".to_owned(), after })
        );
        for status in [500, 502, 503] {
            assert!(matches!(answer(status, None, ""), Err(NotifyError::Retry { after: None, .. })), "{status}");
        }
        let permanent = [
            (400, "invalid_payload"),
            (403, "action_prohibited"),
            (404, "no_service"),
            (404, "channel_not_found"),
            (410, "channel_is_archived"),
        ];
        for (status, word) in permanent {
            let Err(NotifyError::Refused { code, .. }) = answer(status, None, word) else { panic!("{word}") };
            assert_eq!(code, word);
        }
        let Err(error) = answer(400, None, "no channel for Marta Keller") else { panic!("taken") };
        assert_eq!(error.to_string(), "message was refused with `no_code`");
        assert!(matches!(answer(302, None, ""), Err(NotifyError::Refused { .. })));
    }
}
