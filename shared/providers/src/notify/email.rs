//! Mail over Amazon SES.

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_ses::Client;
use aws_sdk_ses::config::retry::RetryConfig;
use aws_sdk_ses::config::timeout::TimeoutConfig;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::primitives::Blob;
use aws_sdk_ses::types::{Body, Content, Destination, RawMessage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Email, Message, Notifier, NotifyError, Receipt};
use crate::NOTIFY_CALL_TIMEOUT_S;
use crate::http::BoxFuture;

/// The character set of subject and body.
const CHARSET: &str = "UTF-8";

/// Between the attempts of a mail that SES did not take.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// Error codes after which the same mail may pass later.
const THROTTLED: [&str; 4] = ["Throttling", "ThrottlingException", "RequestThrottled", "ServiceUnavailable"];

/// Mail over a client of the caller's making.
#[derive(Debug, Clone)]
pub struct SesEmail {
    client: Client,
}

impl SesEmail {
    /// The client's own retries and time-outs do not hold: SES knows no idempotency, so a mail whose answer is lost must not
    /// be handed over again behind the caller's back.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// What SES says that it did not take, for want of room, is offered again at once a few times.
    async fn mail(&self, email: &Email) -> Result<Receipt, NotifyError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            match (self.attempt(email).await, pauses.next()) {
                (Err(NotifyError::Retry { .. }), Some(pause)) => tokio::time::sleep(pause).await,
                (outcome, _) => return outcome,
            }
        }
    }

    async fn attempt(&self, email: &Email) -> Result<Receipt, NotifyError> {
        if let Some(url) = &email.unsubscribe_url {
            return self.attempt_raw(email, url).await;
        }
        let invalid = |_| refused("invalid_message", "the message lacks a part");
        let text = |text: &str| Content::builder().data(text).charset(CHARSET).build().map_err(invalid);
        let message = aws_sdk_ses::types::Message::builder()
            .subject(text(email.subject.reveal())?)
            .body(Body::builder().text(text(email.body.reveal())?).build())
            .build();
        let sent = self
            .client
            .send_email()
            .source(&email.from)
            .destination(Destination::builder().to_addresses(email.to.reveal()).build())
            .message(message)
            .customize()
            .config_override(once())
            .send()
            .await;
        match sent {
            Ok(output) => Ok(Receipt { reference: Some(output.message_id).filter(|id| !id.is_empty()) }),
            Err(error) => Err(read(&error)),
        }
    }

    /// A mail with headers of its own has to be handed over whole.
    async fn attempt_raw(&self, email: &Email, unsubscribe_url: &str) -> Result<Receipt, NotifyError> {
        let data = Blob::new(raw(email, unsubscribe_url).into_bytes());
        let message = RawMessage::builder().data(data).build();
        let message = message.map_err(|_| refused("invalid_message", "the message lacks a part"))?;
        let sent = self
            .client
            .send_raw_email()
            .source(&email.from)
            .destinations(email.to.reveal())
            .raw_message(message)
            .customize()
            .config_override(once())
            .send()
            .await;
        match sent {
            Ok(output) => Ok(Receipt { reference: Some(output.message_id).filter(|id| !id.is_empty()) }),
            Err(error) => Err(read(&error)),
        }
    }
}

/// Bytes of an encoded word of a header; RFC 2047 allows 75 characters.
const WORD_BYTES: usize = 45;
/// Characters of a line of base64.
const LINE_CHARS: usize = 76;

/// The whole message: seven bits, so that nothing on the way changes it. SES adds date, number and signature.
fn raw(email: &Email, unsubscribe_url: &str) -> String {
    let body = STANDARD.encode(email.body.reveal().replace("\r\n", "\n").replace('\n', "\r\n"));
    let lines: Vec<&str> =
        body.as_bytes().chunks(LINE_CHARS).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    [
        format!("From: {}", plain(&email.from)),
        format!("To: {}", plain(email.to.reveal())),
        format!("Subject: {}", encoded(&plain(email.subject.reveal()))),
        format!("List-Unsubscribe: <{}>", plain(unsubscribe_url)),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=UTF-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
        String::new(),
        lines.join("\r\n"),
        String::new(),
    ]
    .join("\r\n")
}

/// A value on one line: a line break would begin another header.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A header's text, as encoded words where it has other letters than ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for character in text.chars() {
        match words.last_mut().filter(|word| word.len() + character.len_utf8() <= WORD_BYTES) {
            Some(word) => word.push(character),
            None => words.push(character.to_string()),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

/// Mail over a client that is made with the first mail: a function's init does not wait for it.
pub struct LazyEmail(LazyLock<SesEmail, Box<dyn FnOnce() -> SesEmail + Send>>);

impl LazyEmail {
    /// Mail over the client that `client` makes.
    pub fn new(client: impl FnOnce() -> Client + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(move || SesEmail::new(client()))))
    }
}

impl Notifier for LazyEmail {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, NotifyError>> {
        self.0.send(message)
    }
}

/// One attempt, in the time that a notification may take.
fn once() -> aws_sdk_ses::config::Builder {
    let limit = Duration::from_secs(u64::from(NOTIFY_CALL_TIMEOUT_S));
    aws_sdk_ses::config::Builder::new()
        .retry_config(RetryConfig::disabled())
        // both, or a client's shorter one for each attempt would hold here too
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(limit).operation_timeout(limit).build())
}

impl Notifier for SesEmail {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, NotifyError>> {
        Box::pin(async move {
            match message {
                Message::Email(email) => self.mail(email).await,
                Message::Slack(_) | Message::Sms(_) => Err(NotifyError::wrong_channel()),
            }
        })
    }
}

fn read<E: ProvideErrorMetadata>(error: &SdkError<E>) -> NotifyError {
    match error {
        SdkError::ConstructionFailure(_) => refused("invalid_message", "the request cannot be built"),
        SdkError::TimeoutError(_) => NotifyError::Unknown("timed out".to_owned()),
        SdkError::ResponseError(_) => NotifyError::Unknown("answer cannot be read".to_owned()),
        SdkError::DispatchFailure(failure) if failure.is_user() => refused("client", "the client cannot send"),
        SdkError::DispatchFailure(_) => NotifyError::Unknown("connection failed".to_owned()),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(status, service.err().code().unwrap_or("unknown"), service.err().message().unwrap_or_default())
        }
        // The SDK's list is open.
        _ => NotifyError::Unknown("client failed".to_owned()),
    }
}

fn answered(status: u16, code: &str, message: &str) -> NotifyError {
    if status == 503 || status == 429 || THROTTLED.contains(&code) {
        return NotifyError::Retry { reason: code.to_owned(), after: None };
    }
    // it failed over the mail, which may be on its way all the same
    if status >= 500 {
        return NotifyError::Unknown(code.to_owned());
    }
    refused(code, message)
}

fn refused(code: &str, message: &str) -> NotifyError {
    NotifyError::Refused { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_advertises_has_the_headers_of_one_click_and_no_letter_that_could_begin_another() {
        let secret = domain::Redacted::new;
        let mail = Email {
            to: secret("ana@example.com".to_owned()),
            from: "desk@broker.test".to_owned(),
            subject: secret("¿Va todo bien?\r\nBcc: all@example.com".to_owned()),
            body: secret("Hola Ana:\nhttps://broker.test/v1/unsubscribe/t".to_owned()),
            unsubscribe_url: Some("https://broker.test/v1/unsubscribe/t".to_owned()),
        };
        let text = raw(&mail, "https://broker.test/v1/unsubscribe/t");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.is_ascii() && !head.contains("Bcc"), "{head}");
        assert!(head.contains("List-Unsubscribe: <https://broker.test/v1/unsubscribe/t>\r\n"), "{head}");
        assert!(head.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{head}");
        let body = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), "Hola Ana:\r\nhttps://broker.test/v1/unsubscribe/t");
        let long = encoded(&"ñ".repeat(60));
        assert!(long.split("\r\n ").count() > 1 && long.split("\r\n ").all(|word| word.len() <= 75), "{long}");
    }

    #[test]
    fn every_answer_says_whether_to_try_again() {
        for (status, code) in [(400, "Throttling"), (429, "TooManyRequests"), (503, "x")] {
            let error = answered(status, code, "");
            assert_eq!(error, NotifyError::Retry { reason: code.to_owned(), after: None });
        }
        assert_eq!(answered(500, "InternalFailure", ""), NotifyError::Unknown("InternalFailure".to_owned()));
        for code in ["MessageRejected", "MailFromDomainNotVerified", "AccountSendingPausedException", "AccessDenied"] {
            let NotifyError::Refused { code: given, .. } = answered(400, code, "m") else { panic!("{code}") };
            assert_eq!(given, code);
        }
    }
}
