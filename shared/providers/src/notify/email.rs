//! Mail over Amazon SES.

use aws_sdk_ses::Client;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::types::{Body, Content, Destination};

use super::{Email, Message, Notifier, NotifyError, Receipt};
use crate::http::BoxFuture;

/// The character set of subject and body.
const CHARSET: &str = "UTF-8";

/// Error codes after which the same mail may pass later.
const THROTTLED: [&str; 4] = ["Throttling", "ThrottlingException", "RequestThrottled", "ServiceUnavailable"];

/// Mail over a client of the caller's making.
#[derive(Debug, Clone)]
pub struct SesEmail {
    client: Client,
}

impl SesEmail {
    /// The client's own retries and time-outs hold.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn mail(&self, email: &Email) -> Result<Receipt, NotifyError> {
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
            .send()
            .await;
        match sent {
            Ok(output) => Ok(Receipt { reference: Some(output.message_id).filter(|id| !id.is_empty()) }),
            Err(error) => Err(read(&error)),
        }
    }
}

impl Notifier for SesEmail {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, NotifyError>> {
        Box::pin(async move {
            match message {
                Message::Email(email) => self.mail(email).await,
                Message::Slack(_) => Err(NotifyError::wrong_channel()),
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
    if status >= 500 || status == 429 || THROTTLED.contains(&code) {
        return NotifyError::Retry { reason: code.to_owned(), after: None };
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
    fn every_answer_says_whether_to_try_again() {
        for (status, code) in [(400, "Throttling"), (429, "TooManyRequests"), (500, "InternalFailure"), (503, "x")] {
            let error = answered(status, code, "");
            assert_eq!(error, NotifyError::Retry { reason: code.to_owned(), after: None });
        }
        for code in ["MessageRejected", "MailFromDomainNotVerified", "AccountSendingPausedException", "AccessDenied"] {
            let NotifyError::Refused { code: given, .. } = answered(400, code, "m") else { panic!("{code}") };
            assert_eq!(given, code);
        }
    }
}
