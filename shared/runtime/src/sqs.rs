//! Queues as a function writes to them: what it parks, and how long a message stays hidden.

use std::sync::{Arc, OnceLock};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::MessageAttributeValue;
use aws_types::SdkConfig;

use crate::function::Ports;
use crate::rehearsal::Guard;
use crate::step::StepError;

/// SQS, its client made at the first call: hardly an invocation needs one.
#[derive(Clone)]
pub struct Sqs {
    aws: SdkConfig,
    client: Arc<OnceLock<Client>>,
}

impl Sqs {
    /// From a function's ports.
    pub fn new(ports: &Ports) -> Self {
        Self::of(&ports.aws)
    }

    pub(crate) fn of(aws: &SdkConfig) -> Self {
        Self { aws: aws.clone(), client: Arc::default() }
    }

    fn client(&self) -> &Client {
        let config = || aws_sdk_sqs::config::Builder::from(&self.aws).interceptor(Guard).build();
        self.client.get_or_init(|| Client::from_conf(config()))
    }

    /// Puts a message into a queue; the attributes are texts beside the body, and none is empty.
    ///
    /// # Errors
    /// [`StepError::Queue`].
    pub async fn send(&self, url: &str, body: &str, attributes: &[(&str, &str)]) -> Result<(), StepError> {
        let mut call = self.client().send_message().queue_url(url).message_body(body);
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(*value).build();
            call = call.message_attributes(*name, value.map_err(|error| StepError::Malformed(error.to_string()))?);
        }
        call.send().await.map(drop).map_err(failed)
    }

    /// How many seconds a received message stays hidden, from now on, if it is not deleted.
    ///
    /// # Errors
    /// [`StepError::Queue`].
    pub async fn hide(&self, url: &str, receipt: &str, seconds: i32) -> Result<(), StepError> {
        let call = self.client().change_message_visibility().queue_url(url).receipt_handle(receipt);
        call.visibility_timeout(seconds).send().await.map(drop).map_err(failed)
    }
}

/// The URL of a queue by its ARN, which is all that a message says of it.
pub fn url_of(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "sqs", region, account, name] => {
            let suffix = if *partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
            Some(format!("https://sqs.{region}.{suffix}/{account}/{name}"))
        }
        _ => None,
    }
}

fn failed<E: ProvideErrorMetadata>(error: SdkError<E>) -> StepError {
    StepError::Queue(match &error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown").to_owned(),
        _ => "SQS could not be asked".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_reached_by_its_arn() {
        let url = url_of("arn:aws:sqs:eu-west-1:123456789012:pipworks-prod-payments-credit");
        assert_eq!(
            url.as_deref(),
            Some("https://sqs.eu-west-1.amazonaws.com/123456789012/pipworks-prod-payments-credit")
        );
        assert_eq!(url_of("arn:aws:sns:eu-west-1:1:x"), None);
    }
}
