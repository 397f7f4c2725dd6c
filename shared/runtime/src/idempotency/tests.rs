//! Keyed creation against a table that loses answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::HeaderMap;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use domain::client::{Client, registered};
use domain::{ClientId, Timestamp};
use serde_json::{Value, json};
use store::{Crm, Table};

use super::*;

/// One table: conditional puts, reads, and the one update that claims need.
#[derive(Debug, Default)]
struct Items {
    by_key: BTreeMap<String, Value>,
    /// The next write of an entity is done, and its answer is lost.
    lose: bool,
    /// The next prolonging of a claim is done, and its answer is lost.
    lose_take_over: bool,
    writes: usize,
}

#[derive(Debug, Clone, Default)]
struct FakeTable(Arc<Mutex<Items>>);

impl HttpClient for FakeTable {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for FakeTable {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").unwrap().rsplit('.').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let (status, answer) = self.0.lock().unwrap().answer(&operation, &body);
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Items {
    fn answer(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        let failed = || (400, json!({"__type": "ConditionalCheckFailedException", "message": "the condition failed"}));
        let key = |item: &Value| item["pk"]["S"].as_str().unwrap().to_owned();
        match operation {
            "GetItem" => (200, self.by_key.get(&key(&body["Key"])).map_or(json!({}), |item| json!({"Item": item}))),
            "PutItem" => {
                let key = key(&body["Item"]);
                if let Some(standing) = self.by_key.get(&key) {
                    let (status, mut answer) = failed();
                    if body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" {
                        answer["Item"] = standing.clone();
                    }
                    return (status, answer);
                }
                self.writes += 1;
                self.by_key.insert(key.clone(), body["Item"].clone());
                if key.starts_with("cli_") && std::mem::take(&mut self.lose) {
                    return (500, json!({"__type": "InternalServerError", "message": "lost"}));
                }
                (200, json!({}))
            }
            "UpdateItem" => {
                let values = &body["ExpressionAttributeValues"];
                let number = |value: &Value| value["N"].as_str().unwrap().parse::<i64>().unwrap();
                let item = self.by_key.get_mut(&key(&body["Key"])).unwrap();
                let lease = number(&item["lease_ms"]);
                let (holds, new) = match body["ConditionExpression"].as_str().unwrap() {
                    "#lease < :now" => (lease < number(&values[":now"]), &values[":new"]),
                    _ => (lease == number(&values[":own"]), &values[":over"]),
                };
                if !holds {
                    let (status, mut answer) = failed();
                    if body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" {
                        answer["Item"] = item.clone();
                    }
                    return (status, answer);
                }
                item["lease_ms"] = new.clone();
                if values[":by"].is_object() {
                    item["by"] = values[":by"].clone();
                }
                if body["ConditionExpression"] == "#lease < :now" && std::mem::take(&mut self.lose_take_over) {
                    return (500, json!({"__type": "InternalServerError", "message": "lost"}));
                }
                (200, json!({}))
            }
            other => panic!("{other}"),
        }
    }
}

struct Scene {
    table: FakeTable,
    crm: Crm,
    caller: Caller,
}

fn scene() -> Scene {
    let table = FakeTable::default();
    let config = SdkConfig::builder()
        .behavior_version(crate::aws::behavior())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .http_client(table.clone())
        .build();
    let crm = Crm(Table::new(aws_sdk_dynamodb::Client::new(&config), "crm"));
    Scene { table, crm, caller: Caller { subject: "portal".to_owned(), roles: vec![], client_id: None } }
}

fn request(second: i64) -> Request {
    let body = json!({
        "email": "ana@example.com", "full_name": "Ana Lopez", "date_of_birth": "1990-05-17", "residence": "ES",
        "nationality": "MX", "language": "es",
    });
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", "k".parse().unwrap());
    Request {
        method: "POST".to_owned(),
        route: "/v1/clients".to_owned(),
        parameters: BTreeMap::new(),
        query: BTreeMap::new(),
        headers,
        body: body.to_string().into_bytes(),
        correlation_id: "c".to_owned(),
        execution_id: format!("e{second}"),
        now: Timestamp::from_seconds(1_800_000_000 + second).unwrap(),
        time_left: Duration::from_secs(5),
    }
}

fn client(request: &Request, id: ClientId) -> Client {
    Client::register(&request.json().unwrap(), id, request.now).unwrap()
}

fn answer(client: &Client) -> Reply {
    Reply::json(201, &json!({"client_id": client.id, "created_at": client.facts.created_at}))
}

fn is_replayed(reply: &Reply) -> bool {
    reply.headers.contains_key("Idempotency-Replayed")
}

impl Scene {
    /// A request that makes a client; `before` runs just before it is saved.
    async fn create(
        &self,
        request: &Request,
        bits: u128,
        before: impl AsyncFnOnce(&ClientId) -> Result<(), Problem>,
    ) -> Result<Reply, Problem> {
        let fresh = ClientId::from_bits(bits);
        let make = async |id: ClientId, wish: Client| {
            before(&id).await?;
            Ok(Made::decided(registered(Client { id, ..wish }), request.frame("test")))
        };
        let keyed = Keyed::read(request, &self.caller)?;
        keyed.create(&self.crm, fresh.clone(), Ok(client(request, fresh)), make, answer).await
    }

    fn writes(&self) -> usize {
        self.table.0.lock().unwrap().writes
    }
}

async fn nothing(_: &ClientId) -> Result<(), Problem> {
    Ok(())
}

#[tokio::test]
async fn a_write_of_its_own_that_lost_its_answer_is_no_conflict() {
    let scene = scene();
    scene.table.0.lock().unwrap().lose = true;
    let first = scene.create(&request(0), 1, nothing).await.unwrap();
    assert_eq!((first.status, is_replayed(&first)), (201, false));
    assert!(!scene.table.0.lock().unwrap().lose, "the answer was lost");
    assert_eq!(scene.writes(), 2, "the claim and the client");
    let again = scene.create(&request(1), 2, nothing).await.unwrap();
    assert_eq!((again.body.clone(), is_replayed(&again)), (first.body, true));
}

#[tokio::test]
async fn what_the_worker_before_saved_late_is_what_is_answered() {
    let scene = scene();
    // the first worker claims and stalls
    let first = request(0);
    let stalls = async |_: &ClientId| Err(Problem::unavailable("stalls"));
    assert_eq!(scene.create(&first, 1, stalls).await.unwrap_err().status, 503);
    // another follows it, and just before it saves, the first one's write arrives
    let late = async |id: &ClientId| {
        let saved = scene.crm.save(None, registered(client(&first, id.clone())), &first.frame("test")).await;
        assert!(matches!(saved, Ok(Saved::Applied(_))));
        Ok(())
    };
    let reply = scene.create(&request(40), 2, late).await.unwrap();
    let stored = answer(&client(&first, ClientId::from_bits(1)));
    assert_eq!((reply.body.clone(), is_replayed(&reply)), (stored.body, true));
}

#[tokio::test]
async fn what_fails_is_given_back_and_made_under_the_same_id() {
    let scene = scene();
    let fails = async |_: &ClientId| Err(Problem::unavailable("not now"));
    assert_eq!(scene.create(&request(0), 1, fails).await.unwrap_err().status, 503);
    let second = scene.create(&request(1), 2, nothing).await.unwrap();
    assert!(is_replayed(&second) && second.body.contains(ClientId::from_bits(1).as_str()), "{}", second.body);
}

#[tokio::test]
async fn a_refusal_writes_nothing_and_repeats_what_was_made_before() {
    let scene = scene();
    let request = request(0);
    let refused = async || {
        let keyed = Keyed::read(&request, &scene.caller)?;
        let wish: Result<Client, Problem> = Err(Problem::refused("not any more"));
        let make = async |_: ClientId, _: Client| Err(Problem::unavailable("never asked"));
        keyed.create(&scene.crm, ClientId::from_bits(9), wish, make, answer).await
    };
    assert_eq!(refused().await.unwrap_err().status, 422);
    assert_eq!(scene.writes(), 0);
    let made = scene.create(&request, 1, nothing).await.unwrap();
    let again = refused().await.unwrap();
    assert_eq!((again.body.clone(), is_replayed(&again)), (made.body, true));
}

#[tokio::test]
async fn a_take_over_of_its_own_that_lost_its_answer_is_no_other_workers() {
    let scene = scene();
    let first = request(0);
    // the first worker claims and dies: nobody gives its claim back
    let keyed = Keyed::read(&first, &scene.caller).unwrap();
    let claimed = keyed.begin::<Client>(Home::<Client>::table(&scene.crm), ClientId::from_bits(1).as_str()).await;
    assert!(matches!(claimed, Ok(Go::Make { replay: false, .. })));
    scene.table.0.lock().unwrap().lose_take_over = true;
    let reply = scene.create(&request(40), 2, nothing).await.unwrap();
    assert!(!scene.table.0.lock().unwrap().lose_take_over, "the answer was lost");
    assert!(reply.status == 201 && is_replayed(&reply), "{}", reply.body);
}

#[tokio::test]
async fn a_take_over_by_somebody_else_in_the_same_millisecond_is_theirs() {
    let scene = scene();
    let table = Home::<Client>::table(&scene.crm);
    let first = request(0);
    let claimed =
        Keyed::read(&first, &scene.caller).unwrap().begin::<Client>(table, ClientId::from_bits(1).as_str()).await;
    assert!(matches!(claimed, Ok(Go::Make { replay: false, .. })));
    let later = request(40);
    let keyed = Keyed::read(&later, &scene.caller).unwrap();
    let (one, other) = (ClientId::from_bits(2), ClientId::from_bits(3));
    assert!(table.take_over(&keyed.claim(one.as_str())).await.unwrap());
    assert!(!table.take_over(&keyed.claim(other.as_str())).await.unwrap());
}
