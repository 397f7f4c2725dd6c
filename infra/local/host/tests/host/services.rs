//! The AWS services under the SDK: policies, secrets, mail, conditions, capacity, and a file that survives its host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Seen, append, call, code, config, failed, journal, note, noted, start};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use host::{Host, Service, Used};
use runtime::Clock as _;
use serde_json::{Value, json};

/// Units and calls by operation and target.
fn used(host: &Host, function: Option<&str>) -> BTreeMap<String, Used> {
    let of = |key: &host::UsageKey| key.function.as_deref() == function && key.service == Service::DynamoDb;
    let all = host.usage().into_iter().filter(|(key, _)| of(key));
    all.map(|(key, used)| (format!("{} {}", key.operation, key.target), used)).collect()
}

fn written(calls: u64, write_units: f64) -> Used {
    Used { calls, read_units: 0.0, write_units }
}

#[tokio::test]
async fn a_call_that_the_role_does_not_allow_is_denied() {
    let seen = Seen::default();
    let sink = Arc::clone(&seen);
    let take = code(move |ports, _| {
        let sink = Arc::clone(&sink);
        async move {
            let client = aws_sdk_dynamodb::Client::new(&ports.aws);
            let table = ports.need("TABLE_ITEMS").unwrap();
            let query = || {
                let query = client.query().table_name(table).key_condition_expression("#k = :v");
                query.expression_attribute_names("#k", "owner").expression_attribute_values(":v", S("x".to_owned()))
            };
            let scan = client.scan().table_name(table).send().await.err().and_then(|e| e.code().map(str::to_owned));
            note(&sink, json!(["scan", scan]));
            let index = query().index_name("by_owner").send().await.map(|page| page.count).ok();
            note(&sink, json!(["index", index]));
            let query = query().send().await.err().and_then(|e| e.code().map(str::to_owned));
            note(&sink, json!(["table", query]));
            let secrets = aws_sdk_secretsmanager::Client::new(&ports.aws);
            for id in [ports.need("SECRET").unwrap(), "items/test/other"] {
                let answer = secrets.get_secret_value().secret_id(id).send().await;
                let code = answer.as_ref().err().and_then(|e| e.code());
                note(&sink, json!([id, code, answer.as_ref().ok().and_then(|a| a.secret_string())]));
            }
            Ok(json!({"statusCode": 200}))
        }
    });
    let host = start([("steps-take", take)]).await;
    assert_eq!(call(&host, "GET", "/v1/items/i-1", b"").await.0, 200);
    host.put_secret("items/test/key", "s3cret");
    assert_eq!(call(&host, "GET", "/v1/items/i-1", b"").await.0, 200);
    let lines = noted(&seen);
    let denied = "AccessDeniedException";
    assert_eq!(lines[..3], [json!(["scan", denied]), json!(["index", 0]), json!(["table", denied])]);
    assert_eq!(lines[3], json!(["items/test/key", "ResourceNotFoundException", null]));
    assert_eq!(lines[4], json!(["items/test/other", denied, null]));
    assert_eq!(lines[8], json!(["items/test/key", null, "s3cret"]));
}

#[tokio::test]
async fn mail_goes_to_the_handler_and_without_one_is_rejected() {
    use aws_sdk_ses::types::{Body, Content, Destination, Message};
    let content = |text: &str| Content::builder().data(text).build().unwrap();
    let send = async |host: &Host| {
        let message =
            Message::builder().subject(content("Hello")).body(Body::builder().text(content("there")).build()).build();
        let client = aws_sdk_ses::Client::new(&host.sdk_config());
        let destination = Destination::builder().to_addresses("ann@example.com").build();
        client.send_email().source("desk@broker.test").destination(destination).message(message).send().await
    };
    let mut config = config();
    config.ses = Some(Arc::new(|body: &[u8]| {
        let body = String::from_utf8_lossy(body);
        assert!(body.contains("Action=SendEmail") && body.contains("ann%40example.com"), "{body}");
        let result = "<SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>";
        let space = "http://ses.amazonaws.com/doc/2010-12-01/";
        (200, format!("<SendEmailResponse xmlns=\"{space}\">{result}</SendEmailResponse>"))
    }));
    let host = Host::start(config).await.unwrap();
    assert_eq!(send(&host).await.unwrap().message_id(), "m-1");
    let refused = send(&start([]).await).await.err().unwrap();
    assert_eq!(refused.code(), Some("MessageRejected"));
}

#[tokio::test]
async fn a_failed_condition_shows_the_item_that_won() {
    let host = start([]).await;
    let client = aws_sdk_dynamodb::Client::new(&host.sdk_config());
    let put = |outbox: &str| {
        client
            .put_item()
            .table_name("items-test")
            .item("pk", S("i-1".to_owned()))
            .item("sk", S("#".to_owned()))
            .item("outbox", S(outbox.to_owned()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    };
    put("first").send().await.unwrap();
    let lost = put("second").send().await.err().unwrap().into_service_error();
    let item = match lost {
        aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(lost) => lost.item,
        other => panic!("{other:?}"),
    };
    assert_eq!(item.unwrap()["outbox"], S("first".to_owned()));
}

#[tokio::test]
async fn units_are_counted_per_function_table_and_index() {
    let host = start([]).await;
    call(&host, "POST", "/v1/items/i-1", b"").await;
    host.idle().await;
    let take = used(&host, Some("steps-take"));
    assert_eq!(take["PutItem items-test"], written(1, 1.0));
    assert_eq!(take["PutItem items-test/index/by_owner"], written(0, 1.0));
    assert_eq!(used(&host, Some("steps-work"))["PutItem JournalTable"], written(1, 1.0));
    let vendors = host.usage().into_keys().filter(|key| key.service == Service::Vendor).count();
    assert_eq!(vendors, 0);

    host.reset_usage();
    let client = aws_sdk_dynamodb::Client::new(&host.sdk_config());
    let get = client.get_item().table_name("items-test").key("pk", S("i-1".to_owned())).key("sk", S("#".to_owned()));
    let eventual = get.clone().send().await.unwrap();
    assert!(eventual.consumed_capacity().is_none(), "not asked for, not shown");
    get.consistent_read(true).send().await.unwrap();
    let own = used(&host, None);
    assert_eq!(own["GetItem items-test"], Used { calls: 2, read_units: 1.5, write_units: 0.0 });
}

#[tokio::test]
async fn a_failed_condition_and_a_transaction_cost_what_aws_bills() {
    let host = start([]).await;
    let client = aws_sdk_dynamodb::Client::new(&host.sdk_config());
    let entry = |entity: &str| [("entity", S(entity.to_owned())), ("version", N("1".to_owned()))];
    let mut put = client.put_item().table_name("JournalTable").condition_expression("attribute_not_exists(entity)");
    for (name, value) in entry("e-1") {
        put = put.item(name, value);
    }
    let put = put.item("text", S("x".repeat(1500)));
    put.clone().send().await.unwrap();
    put.send().await.unwrap_err();
    assert_eq!(used(&host, None)["PutItem JournalTable"], written(2, 4.0));

    host.reset_usage();
    let action = |entity: &str| {
        let put = Put::builder()
            .table_name("JournalTable")
            .set_item(Some(entry(entity).map(|(k, v)| (k.to_owned(), v)).into()));
        let put = put.condition_expression("attribute_not_exists(entity)").build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    client.transact_write_items().transact_items(action("e-2")).transact_items(action("e-3")).send().await.unwrap();
    assert_eq!(used(&host, None)["TransactWriteItems JournalTable"], written(1, 4.0));
    host.reset_usage();
    let again = client.transact_write_items().transact_items(action("e-2")).transact_items(action("e-4"));
    let cancelled = again.send().await.err().unwrap().into_service_error();
    let reasons = match cancelled {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(c) => {
            c.cancellation_reasons.unwrap_or_default()
        }
        other => panic!("{other:?}"),
    };
    let codes: Vec<Option<&str>> = reasons.iter().map(|reason| reason.code.as_deref()).collect();
    assert_eq!(codes, [Some("ConditionalCheckFailed"), Some("None")]);
    assert_eq!(used(&host, None)["TransactWriteItems JournalTable"], written(1, 4.0));
}

#[tokio::test]
async fn vendors_are_reached_through_the_hosts_transport_and_counted() {
    let host = start([(
        "steps-take",
        code(|ports, _| async move {
            let request = http::Request::post("http://vendor.test/pay").body(bytes::Bytes::new()).unwrap();
            let answer =
                ports.transport.send(request, std::time::Duration::from_secs(1)).await.map_err(|_| failed("Vendor"))?;
            Ok(json!({"statusCode": 200, "body": String::from_utf8(answer.body().to_vec()).unwrap()}))
        }),
    )])
    .await;
    assert_eq!(call(&host, "GET", "/v1/items/i-1", b"").await.2, "/pay");
    let usage = host.usage();
    let (key, used) = usage.iter().next().unwrap();
    assert_eq!(
        (key.function.as_deref(), key.operation.as_str(), key.target.as_str()),
        (Some("steps-take"), "POST", "vendor.test")
    );
    assert_eq!(used.calls, 1);
}

#[tokio::test]
async fn a_file_keeps_tables_and_goes_on_in_the_stream_where_it_was() {
    let folder = tempfolder("goes-on");
    let file = || Some(folder.join("data/tables.db"));
    let relayed = Seen::default();
    let relay = |relayed: &Seen| {
        let sink = Arc::clone(relayed);
        code(move |ports, event| {
            let sink = Arc::clone(&sink);
            async move {
                for record in event["Records"].as_array().unwrap() {
                    let id = record["dynamodb"]["NewImage"]["pk"]["S"].as_str().unwrap();
                    note(&sink, json!(id));
                    append(&ports, id, "1").await?;
                }
                Ok(Value::Null)
            }
        })
    };
    let run = async |item: &str| {
        let mut config = config();
        config.data = file();
        config.registry.insert("steps-relay".to_owned(), relay(&relayed));
        let host = Host::start(config).await.unwrap();
        host.idle().await;
        call(&host, "POST", &format!("/v1/items/{item}"), b"").await;
        host.idle().await;
        let journal = journal(&host).await;
        host.stop().await;
        journal
    };
    assert_eq!(run("a").await, ["a:1"]);
    assert_eq!(run("b").await, ["a:1", "b:1"]);
    assert_eq!(noted(&relayed), [json!("a"), json!("b")]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_clock_that_was_moved_on_stays_ahead_over_a_restart_of_its_file() {
    let folder = tempfolder("clock");
    let start = async || {
        let mut config = config();
        config.data = Some(folder.join("tables.db"));
        Host::start(config).await.unwrap()
    };
    let host = start().await;
    let moved = host.time().advance(Duration::from_secs(14 * 86_400)).await;
    host.stop().await;
    let host = start().await;
    assert!(host.time().now() >= moved, "{} {moved}", host.time().now());
    assert!(host.time().now().millis_since(moved) < 3_600_000, "{} {moved}", host.time().now());
    host.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn what_a_crash_loses_from_the_queues_is_relayed_again() {
    let folder = tempfolder("crash");
    let start = async |work: host::Builder| {
        let mut config = config();
        config.data = Some(folder.join("tables.db"));
        config.registry.insert("steps-work".to_owned(), work);
        Host::start(config).await.unwrap()
    };
    let host = start(code(|_, _| async { Err(failed("Always")) })).await;
    call(&host, "POST", "/v1/items/a", b"").await;
    host.idle().await;
    assert_eq!(host.queue_depths()["work-test"].delayed, 1);
    drop(host);
    let host = start(crate::support::work()).await;
    host.settled().await;
    assert_eq!(journal(&host).await, ["a:1", "a:2"]);
    host.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_file_of_another_template_is_refused() {
    let folder = tempfolder("other");
    let start = async |text: String| {
        let mut config = config();
        config.data = Some(folder.join("tables.db"));
        config.template = host::TemplateSource::Text(text);
        Host::start(config).await
    };
    start(crate::support::FIXTURE.to_owned()).await.unwrap().stop().await;
    let other = crate::support::FIXTURE.replace("by_owner", "by_holder");
    let error = start(other).await.err().unwrap();
    assert!(error.to_string().starts_with("table items-test in the data file has other keys"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn many_clients_are_served_at_once_and_in_little_time() {
    let host = Arc::new(start([]).await);
    let began = std::time::Instant::now();
    let clients: Vec<_> = (0..50)
        .map(|client| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                for item in 0..20 {
                    assert_eq!(call(&host, "POST", &format!("/v1/items/{client}-{item}"), b"").await.0, 201);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    host.idle().await;
    assert_eq!(journal(&host).await.len(), 2000);
    // far above what it takes; a poll or a lock held across an await would be far above this
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
}

/// A folder of this test and process.
fn tempfolder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("pipworks-host-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
