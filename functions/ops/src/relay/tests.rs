//! The relay while what it writes to does not answer at all.

use std::sync::Mutex;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use domain::Seconds;
use providers::http::HyperTransport;
use runtime::function::Entropy;
use serde_json::value::to_raw_value;

use serde_json::Value;

use super::*;

/// Queues take what they are sent; tables and the bus take a request and are silent.
#[derive(Debug, Clone, Default)]
struct Silent {
    parked: Arc<Mutex<Vec<Value>>>,
}

impl HttpClient for Silent {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Silent {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if target != "AmazonSQS.SendMessage" {
            return HttpConnectorFuture::new(std::future::pending());
        }
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.parked.lock().unwrap().push(body);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"))))
    }
}

const NOW: Seconds = Seconds(1_000_000);

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus(NOW)
    }
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn id_bits(&self) -> u128 {
        0
    }

    fn bytes(&self) -> Option<[u8; 32]> {
        None
    }
}

fn relay(silent: &Silent) -> Arc<dyn Function> {
    let aws = SdkConfig::builder()
        .behavior_version(runtime::aws::behavior())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .http_client(silent.clone())
        .build();
    let environment = [
        ("TABLE_JOURNAL", "journal"),
        ("TABLE_MONEY", "money"),
        ("BUS_NAME", "bus"),
        ("PARKED_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/parked"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    build(&Ports {
        aws,
        transport: Arc::new(HyperTransport::new()),
        clock: Arc::new(Noon),
        entropy: Arc::new(NoEntropy),
        environment: Arc::new(environment.into()),
        tables: runtime::awsclients::TableClient::default(),
    })
    .unwrap()
}

/// A version of a client, so many seconds old.
fn change(sequence: u32, age: u32) -> Value {
    let events = include_str!("../../../../events/ops-relay.json");
    let mut record = serde_json::from_str::<Value>(events).unwrap()["Records"][0].clone();
    record["dynamodb"]["SequenceNumber"] = json!(sequence.to_string());
    record["dynamodb"]["ApproximateCreationDateTime"] = json!(NOW.0 - age);
    record
}

#[tokio::test]
async fn what_has_waited_long_enough_is_parked_although_no_table_answers() {
    let silent = Silent::default();
    // both of one entity: what is said of the first is said of the second
    let event = to_raw_value(&json!({"Records": [change(1, 3_600), change(2, 10)]})).unwrap();
    let invocation = Invocation { request_id: "1".to_owned(), time_left: Duration::from_secs(3) };
    let relay = relay(&silent);
    let call = relay.call(&event, invocation);
    let answer = tokio::time::timeout(Duration::from_secs(3), call).await.expect("it was killed").unwrap();
    let failures: Value = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(failures, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}), "only the young one comes again");
    assert_eq!(silent.parked.lock().unwrap().len(), 1);
}
