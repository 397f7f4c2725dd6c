//! A host on the fixture template whose functions are closures of the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use host::{Builder, Host, HostConfig, TemplateSource};
use http::{Request, Response};
use providers::http::{BoxFuture, Connection, Transport, TransportError};
use runtime::{Build, Function, FunctionError, Invocation, Ports};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use url::Url;

pub const FIXTURE: &str = include_str!("../fixtures/template.yaml");

pub type Answer = Result<Value, FunctionError>;

/// A function that is a closure.
struct Closure<F>(Ports, F);

impl<F, A> Function for Closure<F>
where
    F: Fn(Ports, Value) -> A + Send + Sync,
    A: Future<Output = Answer> + Send + 'static,
{
    fn call<'a>(&'a self, event: &'a RawValue, _: Invocation) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        let event = serde_json::from_str(event.get()).unwrap();
        let answer = (self.1)(self.0.clone(), event);
        Box::pin(async move { Ok(to_raw_value(&answer.await?).unwrap()) })
    }
}

/// Code for the registry.
pub fn code<F, A>(function: F) -> Builder
where
    F: Fn(Ports, Value) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    Arc::new(move |ports: &Ports| {
        let function: Arc<dyn Function> = Arc::new(Closure(ports.clone(), function.clone()));
        Ok(function)
    })
}

pub fn failed(kind: &'static str) -> FunctionError {
    FunctionError { kind, message: "as the test wants it".to_owned() }
}

/// A vendor that answers everything with its path.
pub struct Echo;

impl Transport for Echo {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        _: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move { Ok(Response::new(Bytes::from(request.uri().path().to_owned()))) })
    }

    fn connect<'a>(&'a self, _: &'a Url, _: Duration) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async { Err(TransportError::NotSent("the echo keeps no connections".to_owned())) })
    }
}

/// What the functions saw, in order.
pub type Seen = Arc<Mutex<Vec<Value>>>;

pub fn note(seen: &Seen, value: Value) {
    seen.lock().unwrap().push(value);
}

pub fn noted(seen: &Seen) -> Vec<Value> {
    seen.lock().unwrap().clone()
}

/// The item's event as the store writes it: an outbox that the relay finds in the stream.
pub async fn put_item(ports: &Ports, id: &str, outbox: &str) -> Result<(), FunctionError> {
    use aws_sdk_dynamodb::types::AttributeValue::S;
    let client = aws_sdk_dynamodb::Client::new(&ports.aws);
    let request = client
        .put_item()
        .table_name(ports.need("TABLE_ITEMS").unwrap())
        .item("pk", S(id.to_owned()))
        .item("sk", S("#".to_owned()))
        .item("owner", S("someone".to_owned()))
        .item("outbox", S(outbox.to_owned()));
    request.send().await.map(drop).map_err(|_| failed("StoreUnavailable"))
}

/// Appends to the journal; whether it was new.
pub async fn append(ports: &Ports, entity: &str, version: &str) -> Result<bool, FunctionError> {
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_sdk_dynamodb::types::AttributeValue::{N, S};
    let client = aws_sdk_dynamodb::Client::new(&ports.aws);
    let request = client
        .put_item()
        .table_name(ports.need("TABLE_JOURNAL").unwrap())
        .item("entity", S(entity.to_owned()))
        .item("version", N(version.to_owned()))
        .condition_expression("attribute_not_exists(entity)");
    match request.send().await.map_err(|error| error.into_service_error()) {
        Ok(_) => Ok(true),
        Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
        Err(_) => Err(failed("StoreUnavailable")),
    }
}

/// Announces an item.
pub async fn announce(ports: &Ports, detail: &Value) -> Result<(), FunctionError> {
    use aws_sdk_eventbridge::types::PutEventsRequestEntry;
    let entry = PutEventsRequestEntry::builder()
        .source("items")
        .detail_type("item.put")
        .event_bus_name(ports.need("BUS_NAME").unwrap())
        .detail(detail.to_string())
        .build();
    let client = aws_sdk_eventbridge::Client::new(&ports.aws);
    let answer = client.put_events().entries(entry).send().await.map_err(|_| failed("BusUnavailable"))?;
    assert_eq!(answer.failed_entry_count(), 0, "{answer:?}");
    Ok(())
}

/// `steps-take`: writes the item of the path.
pub fn take() -> Builder {
    code(|ports, event| async move {
        let id = event["pathParameters"]["item_id"].as_str().unwrap_or_default().to_owned();
        put_item(&ports, &id, event["body"].as_str().unwrap_or("put")).await?;
        Ok(json!({"statusCode": 201, "headers": {"x-item": id}, "body": event["path"]}))
    })
}

/// `steps-relay`: journal and bus for each record.
pub fn relay() -> Builder {
    code(|ports, event| async move {
        for record in event["Records"].as_array().unwrap() {
            let id = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
            append(&ports, id, "1").await?;
            announce(&ports, &json!({"id": id, "data": {}})).await?;
        }
        Ok(json!({"batchItemFailures": []}))
    })
}

/// `steps-work`: journals what it gets.
pub fn work() -> Builder {
    code(|ports, event| async move {
        for record in event["Records"].as_array().unwrap() {
            append(&ports, &item_of(record), "2").await?;
        }
        Ok(json!({"batchItemFailures": []}))
    })
}

/// The item in a queue's record.
pub fn item_of(record: &Value) -> String {
    let envelope: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
    envelope["detail"]["id"].as_str().unwrap().to_owned()
}

/// `steps-tick`: announces the time.
pub fn tick() -> Builder {
    code(|ports, event| async move {
        announce(&ports, &json!({"id": "tick", "time": event["time"], "data": {}})).await?;
        Ok(Value::Null)
    })
}

/// The fixture with sound functions and timers by hand.
pub fn config() -> HostConfig {
    const NONE: &[(&str, Build)] = &[];
    let mut config = HostConfig::new(TemplateSource::Text(FIXTURE.to_owned()), &[NONE], Arc::new(Echo));
    config.registry = [
        ("steps-take".to_owned(), take()),
        ("steps-relay".to_owned(), relay()),
        ("steps-work".to_owned(), work()),
        ("steps-tick".to_owned(), tick()),
    ]
    .into();
    config.parameters.insert("Stage".to_owned(), "test".to_owned());
    config.manual_schedules = true;
    config
}

/// The fixture with some functions replaced.
pub async fn start(replaced: impl IntoIterator<Item = (&'static str, Builder)>) -> Host {
    let mut config = config();
    config.registry.extend(replaced.into_iter().map(|(name, code)| (name.to_owned(), code)));
    Host::start(config).await.unwrap()
}

/// The same with a relay whose records are given up after three attempts.
pub async fn start_giving_up(replaced: impl IntoIterator<Item = (&'static str, Builder)>) -> Host {
    let mut config = config();
    let endless = "MaximumRetryAttempts: -1";
    assert!(FIXTURE.contains(endless));
    config.template = TemplateSource::Text(FIXTURE.replace(endless, "MaximumRetryAttempts: 2"));
    config.registry.extend(replaced.into_iter().map(|(name, code)| (name.to_owned(), code)));
    Host::start(config).await.unwrap()
}

/// One request; status, headers and body.
pub async fn call(host: &Host, method: &str, path: &str, body: &[u8]) -> (u16, BTreeMap<String, String>, String) {
    let request = Request::builder().method(method).uri(path).header("x-correlation-id", "c-1");
    let request = request.body(Bytes::copy_from_slice(body)).unwrap();
    let response = host.request(request).await;
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    (response.status().as_u16(), headers, String::from_utf8(response.body().to_vec()).unwrap())
}

/// The journal's entries as `entity:version`, sorted.
pub async fn journal(host: &Host) -> Vec<String> {
    let page = host.db().request("Scan", &json!({"TableName": "JournalTable"})).await.unwrap();
    let entry =
        |item: &Value| format!("{}:{}", item["entity"]["S"].as_str().unwrap(), item["version"]["N"].as_str().unwrap());
    let mut entries: Vec<String> = page["Items"].as_array().unwrap().iter().map(entry).collect();
    entries.sort();
    entries
}
