//! How AWS is reached on Lambda: by the variables that Lambda sets in a function's environment, and nothing else.
//!
//! The crate aws-config would also look for profiles, for roles by way of STS and for the metadata services of machines and
//! containers; a function has none of these, and would link and start what asks for them.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// What the SDK's clients do unless they are told otherwise. A newer one changes that: it comes with a look at the change, not
/// with an update of crates.
pub fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Longest that one attempt at a call of AWS may take, the connection included. Answers take milliseconds, a new connection of a
/// small function a few hundred of them; what takes seconds is a connection that nobody is at the other end of any more.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait before the SDK's second attempt.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// Longest that a call of AWS may take, its attempts and the waits between them. Every call is safe to repeat: a write of our own
/// that comes back is known as such.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(7);
/// The shortest time-out of a function in the template.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);
// silence is followed by a whole second attempt, and by an answer before the function is ended
const _: () = assert!(CALL_TIMEOUT.as_secs() >= 2 * ATTEMPT_TIMEOUT.as_secs() + FIRST_BACKOFF.as_secs());
const _: () = assert!(CALL_TIMEOUT.as_secs() < FUNCTION_TIMEOUT.as_secs());
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// What all clients of a function share: the region (`AWS_REGION`), the credentials of its role (`AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), and where AWS is when it is not AWS: `AWS_ENDPOINT_URL`, or
/// `AWS_ENDPOINT_URL_DYNAMODB` and the like for one service. Three attempts, by the SDK's standard rules, as long as [`CALL_TIMEOUT`]
/// allows.
///
/// A client without region or credentials says so with its first request.
pub fn sdk_config(environment: &BTreeMap<String, String>) -> SdkConfig {
    let get = |name: &str| environment.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let endpoints = environment.iter().filter(|(name, value)| name.starts_with(ENDPOINT) && !value.trim().is_empty());
    let mut builder = SdkConfig::builder()
        .behavior_version(behavior())
        .retry_config(RetryConfig::standard())
        .timeout_config(
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(CALL_TIMEOUT).build(),
        )
        .service_config(Endpoints(endpoints.map(|(name, url)| (name.clone(), url.clone())).collect()));
    builder.set_region(get("AWS_REGION").map(Region::new));
    builder.set_endpoint_url(get(ENDPOINT));
    if let (Some(id), Some(secret)) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
        let credentials = Credentials::new(id, secret, get("AWS_SESSION_TOKEN"), None, "environment");
        builder.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    }
    builder.build()
}

/// The endpoints that the environment names, by variable.
#[derive(Debug)]
pub struct Endpoints(pub BTreeMap<String, String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        self.0.get(&format!("{}_{service}", key.env())).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Keeps what a client sends.
    #[derive(Debug, Clone, Default)]
    struct Wire(Arc<Mutex<Vec<(String, String, String)>>>);

    impl HttpClient for Wire {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Wire {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
            let sent = (request.uri().to_owned(), header("authorization"), header("x-amz-security-token"));
            self.0.lock().unwrap().push(sent);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"))))
        }
    }

    /// What a client of the tables sends in such an environment: where to, signed for whom, with which session.
    async fn sent(environment: &[(&str, &str)]) -> Option<(String, String, String)> {
        let role =
            [("AWS_ACCESS_KEY_ID", "AKIDROLE"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "session")];
        let all = role.iter().chain(environment);
        let environment = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let wire = Wire::default();
        let config = sdk_config(&environment).into_builder().http_client(wire.clone()).build();
        drop(aws_sdk_dynamodb::Client::new(&config).list_tables().send().await);
        wire.0.lock().unwrap().pop()
    }

    #[tokio::test]
    async fn clients_reach_the_region_as_the_role() {
        let (url, authorization, session) = sent(&[("AWS_REGION", "eu-west-1")]).await.unwrap();
        assert_eq!(url, "https://dynamodb.eu-west-1.amazonaws.com/");
        assert!(authorization.contains("Credential=AKIDROLE/"), "{authorization}");
        assert!(authorization.contains("/eu-west-1/dynamodb/"), "{authorization}");
        assert_eq!(session, "session");
    }

    #[tokio::test]
    async fn clients_go_where_the_environment_sends_them() {
        let everywhere = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        let (url, ..) = sent(&[("AWS_REGION", "us-east-1"), everywhere]).await.unwrap();
        assert_eq!(url, "http://127.0.0.1:4566/");
        let here = ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000");
        let other = ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324");
        let (url, ..) = sent(&[("AWS_REGION", "us-east-1"), everywhere, here, other]).await.unwrap();
        assert_eq!(url, "http://127.0.0.1:8000/");
        let (url, ..) = sent(&[("AWS_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", " ")]).await.unwrap();
        assert_eq!(url, "https://dynamodb.us-east-1.amazonaws.com/");
    }

    #[tokio::test]
    async fn nothing_is_sent_without_a_region() {
        assert_eq!(sent(&[]).await, None);
    }

    /// What AWS does while one of its machines goes away, and what a connection that died during a freeze looks like where
    /// nobody resets it: the request is taken, and nothing ever comes back.
    #[tokio::test]
    async fn a_call_that_nobody_answers_ends_before_the_function_does() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", silent.local_addr().unwrap());
        let attempts = Arc::new(Mutex::new(Vec::new()));
        let open = attempts.clone();
        let kept = tokio::spawn(async move {
            while let Ok((socket, _)) = silent.accept().await {
                open.lock().unwrap().push(socket);
            }
        });
        let environment = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDROLE"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ];
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let client = aws_sdk_dynamodb::Client::new(&sdk_config(&environment));
        let ended = tokio::time::timeout(FUNCTION_TIMEOUT, client.list_tables().send()).await;
        kept.abort();
        assert!(ended.is_ok(), "the call was still waiting when the function was killed");
        let attempts = attempts.lock().unwrap().len();
        assert!(attempts >= 2, "the retries are reached: {attempts} attempts, each over a connection of its own");
    }
}
