//! The vendors of identity checks on the wire.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;

use serde_json::{Value, json};
use simulators::kyc::sumsub::{payload_digest, request_signature};
use simulators::kyc::{onfido, veriff};
use simulators::{Busy, Clock, Config, Running, Simulators, Time};
use tokio::sync::watch;

use crate::support::{Answer, Client, Received, Receiver, get, post, state, until};

async fn waiting() -> Running {
    let mut config = Config::default();
    config.kyc.decides_after_ms = None;
    Simulators::start(config).await.unwrap()
}

async fn sumsub(running: &Running, method: &str, target: &str, body: &str) -> Answer {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let signature = request_signature("local-sumsub-secret-key", &time, method, target, body.as_bytes());
    let headers = [
        ("X-App-Token", "prd:local-app-token"),
        ("X-App-Access-Ts", time.as_str()),
        ("X-App-Access-Sig", signature.as_str()),
        ("Content-Type", "application/json"),
    ];
    Client::connect(running.url("sumsub")).await.call(method, target, &headers, body).await
}

/// Opens a check at Sumsub; the vendor's id.
async fn apply(running: &Running, client_id: &str, first: &str, last: &str) -> String {
    let body = json!({"externalUserId": client_id, "fixedInfo": {"firstName": first, "lastName": last}}).to_string();
    let made = sumsub(running, "POST", "/resources/applicants?levelName=basic-kyc", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn control(running: &Running, vendor: &str, path: &str, body: Value) -> Value {
    let answer = post(running.url(vendor), path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn is_signed(webhook: &Received) -> bool {
    let digest = payload_digest("local-sumsub-webhook-secret", &webhook.body);
    webhook.header("x-payload-digest") == Some(digest.as_str())
        && webhook.header("x-payload-digest-alg") == Some("HMAC_SHA256_HEX")
}

fn kinds(receiver: &Receiver) -> Vec<String> {
    receiver.all().iter().map(|webhook| webhook.json()["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sumsubs_vectors_hold() {
    let target = "/resources/applicants?levelName=basic-kyc";
    let body = br#"{"externalUserId":"client-1"}"#;
    assert_eq!(
        request_signature("Hej2ch71kG2kTd1iIUDZFNsO5C1lh5Gq", "1607551635", "POST", target, body),
        "daf06512cb3c7b59d3b3cc5b11d6f716b19c36d6efec9077286b565c3425849b"
    );
    let body = br#"{"applicantId":"a1","externalUserId":"client-1","type":"applicantReviewed","reviewStatus":"completed","reviewResult":{"reviewAnswer":"GREEN"},"createdAtMs":"2024-01-01 00:00:00.000"}"#;
    assert_eq!(
        payload_digest("sumsub-webhook-secret", body),
        "3a956dcff59b45b132d8b77ce0fd519d34f845ebe021077ff314c33196f4f230"
    );
}

/// `post-vanilla` of the test suite that AWS publishes for Signature Version 4.
#[test]
fn the_published_vector_of_aws_holds() {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
    let scope = "20150830/us-east-1/service/aws4_request";
    assert_eq!(
        simulators::rekognition::signature(secret, scope, "20150830T123600Z", &headers, b""),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    );
}

#[tokio::test]
async fn a_check_is_approved_by_itself_after_a_short_while() {
    let running = Simulators::start(Config::default()).await.unwrap();
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    let id = apply(&running, "cli_1", "Ana", "López").await;
    until(|| async { receiver.all().len() }, |count| *count == 2).await;
    assert_eq!(kinds(&receiver), ["applicantPending", "applicantReviewed"]);
    let webhooks = receiver.all();
    assert!(webhooks.iter().all(|webhook| webhook.path == "/v1/webhooks/kyc/sumsub" && is_signed(webhook)));
    let told = webhooks[1].json();
    assert_eq!((&told["applicantId"], &told["externalUserId"]), (&json!(id), &json!("cli_1")));
    assert_eq!(
        (&told["reviewStatus"], &told["reviewResult"]),
        (&json!("completed"), &json!({"reviewAnswer": "GREEN"}))
    );
    assert_eq!((&told["levelName"], &told["sandboxMode"]), (&json!("basic-kyc"), &json!(false)));
    assert!(webhooks[0].json()["createdAtMs"].as_str() < told["createdAtMs"].as_str());
}

#[tokio::test]
async fn the_script_says_what_becomes_of_whom() {
    let running = waiting().await;
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    let script = json!({
        "after_ms": 1,
        "applicants": [
            {"name": "Bad Photo", "decision": {"outcome": "retry", "labels": ["UNSATISFACTORY_PHOTOS"], "comment": "Again."}},
            {"client_id": "cli_2", "decision": {"outcome": "final", "labels": ["FORGERY"], "webhook": {"never": true}}},
            {"name": "Nobody Ever", "decision": null},
        ],
        "decision": {"outcome": "review"},
    });
    control(&running, "sumsub", "/_control/script", script).await;
    for (client_id, first, last) in
        [("cli_1", "Bad", "Photo"), ("cli_2", "Ana", "López"), ("cli_3", "Nobody", "Ever"), ("cli_4", "Li", "Na")]
    {
        apply(&running, client_id, first, last).await;
    }
    let url = running.url("sumsub");
    let decided = |state: &Value| {
        let standings = state["checks"].as_array().unwrap().iter().map(|check| check["standing"].clone());
        standings.collect::<Vec<_>>() == ["retry", "final", "open", "review"]
    };
    until(|| state(url), decided).await;
    until(|| async { receiver.all().len() }, |count| *count == 4).await;
    let told: BTreeSet<_> =
        receiver.all().iter().map(|webhook| webhook.json()["externalUserId"].clone().to_string()).collect();
    assert_eq!(told, BTreeSet::from(["\"cli_1\"".to_owned(), "\"cli_4\"".to_owned()]), "nobody is told of cli_2");
    // the one that nobody was told of is told when the vendor tries again
    control(&running, "sumsub", "/_control/resend", json!({"client_id": "cli_2"})).await;
    let last = receiver.all().last().unwrap().json();
    assert_eq!(last["reviewResult"]["reviewRejectType"], "FINAL");
    assert_eq!(last["reviewResult"]["rejectLabels"], json!(["FORGERY"]));
}

#[tokio::test]
async fn what_was_decided_is_decided_again_and_told_as_the_plan_says() {
    let running = waiting().await;
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    apply(&running, "cli_1", "Ana", "López").await;
    let decide = |outcome: &str, webhook: Value| json!({"client_id": "cli_1", "outcome": outcome, "webhook": webhook});
    control(&running, "sumsub", "/_control/decide", decide("approved", json!({"times": 2, "concurrent": true}))).await;
    control(&running, "sumsub", "/_control/decide", decide("final", json!({"signature": "wrong"}))).await;
    control(&running, "sumsub", "/_control/decide", decide("revoked", json!({"signature": "tampered"}))).await;
    let webhooks = receiver.all();
    assert_eq!(kinds(&receiver), ["applicantReviewed", "applicantReviewed", "applicantReviewed", "applicantReset"]);
    assert_eq!(webhooks.iter().map(is_signed).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(webhooks[0].body, webhooks[1].body);
    // an event about the past, and one about an applicant that never was
    let late = json!({"type": "applicantPending", "client_id": "cli_1", "at_ms": 1_700_000_000_000_i64});
    control(&running, "sumsub", "/_control/webhook", late).await;
    assert_eq!(receiver.all().last().unwrap().json()["createdAtMs"], "2023-11-14 22:13:20.000");
    let forged = json!({
        "type": "applicantReviewed", "reference": "never-was", "client_id": "cli_9", "object": {"levelName": "other"},
    });
    control(&running, "sumsub", "/_control/webhook", forged).await;
    let forged = receiver.all().last().unwrap().json();
    assert_eq!((&forged["applicantId"], &forged["levelName"]), (&json!("never-was"), &json!("other")));
    assert_eq!(state(running.url("sumsub")).await["checks"].as_array().unwrap().len(), 1);

    let nobody = post(running.url("sumsub"), "/_control/decide", &json!({"client_id": "x", "outcome": "final"})).await;
    assert_eq!(nobody.status, 404);
    let impossible = post(running.url("sumsub"), "/_control/decide", &decide("expired", json!({}))).await;
    assert_eq!(impossible.status, 400);
}

#[tokio::test]
async fn a_client_decides_on_the_vendors_page() {
    let running = waiting().await;
    let id = apply(&running, "cli_1", "Ana", "López").await;
    let body =
        json!({"levelName": "basic-kyc", "userId": "cli_1", "redirect": {"successUrl": "https://broker.example/kyc"}});
    let link = sumsub(&running, "POST", "/resources/sdkIntegrations/levels/-/websdkLink", &body.to_string()).await;
    let link = link.json()["url"].as_str().unwrap().to_owned();
    let page = link.strip_prefix(running.url("sumsub")).unwrap();
    assert!(get(running.url("sumsub"), page).await.text().contains(&id));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let sent = Client::connect(running.url("sumsub")).await.call("POST", page, &form, "outcome=retry").await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("https://broker.example/kyc?outcome=retry")));
    let read = sumsub(&running, "GET", &format!("/resources/applicants/{id}/one"), "").await.json();
    assert_eq!(read["review"]["reviewResult"]["reviewRejectType"], "RETRY");
}

#[tokio::test]
async fn sumsub_refuses_what_it_would_refuse() {
    let running = waiting().await;
    let id = apply(&running, "cli_1", "Ana", "López").await;
    let again = json!({"externalUserId": "cli_1"}).to_string();
    let taken = sumsub(&running, "POST", "/resources/applicants?levelName=basic-kyc", &again).await;
    assert_eq!((taken.status, taken.json()["code"].clone()), (409, json!(409)));
    assert_eq!(sumsub(&running, "POST", "/resources/applicants?levelName=other", &again).await.status, 400);
    let found = sumsub(&running, "GET", "/resources/applicants/-;externalUserId=cli_1/one", "").await;
    assert_eq!((found.status, found.json()["id"].clone()), (200, json!(id)));
    assert!(found.header("date").unwrap().ends_with(" GMT"));
    assert_eq!(sumsub(&running, "GET", "/resources/applicants/-;externalUserId=cli_2/one", "").await.status, 404);
    let mut client = Client::connect(running.url("sumsub")).await;
    let unsigned = client.call("GET", &format!("/resources/applicants/{id}/one"), &[], "").await;
    assert_eq!(unsigned.status, 401);
    let busy = json!([{"operation": "get_applicant", "fault": {"kind": "refuse", "status": 409, "retry_after": 7}}]);
    control(&running, "sumsub", "/_control/faults", busy).await;
    let busy = sumsub(&running, "GET", &format!("/resources/applicants/{id}/one"), "").await;
    assert_eq!((busy.status, busy.header("retry-after")), (409, Some("7")));
}

#[test]
fn the_published_vectors_of_onfido_and_veriff_hold() {
    let body = br#"{"payload":{"resource_type":"check","action":"check.completed","object":{"id":"check-123","status":"complete","completed_at_iso8601":"2020-01-01T00:00:00Z","href":"https://api.onfido.com/v3/checks/check-123"}}}"#;
    assert_eq!(
        onfido::signature("_ABC123abc123ABC123abc123ABC123_", body),
        "a0082d7481f9f0a2907583dbe1f344d6d4c0d9989df2fd804f98479f60cd760e"
    );
    let body = br#"{"verification":{"callback":"https://veriff.com","person":{"firstName":"John","lastName":"Smith"},"document":{"type":"PASSPORT","country":"EE"},"vendorData":"unique id of a user","timestamp":"2016-05-19T08:30:25.597Z"}}"#;
    assert_eq!(
        veriff::signature("abcdef12-abcd-abcd-abcd-abcdef012345", body),
        "6af6d95822e19e9cc707aec55395d8d363ba2c7bc4625bc04ebeca0c7bf8cd67"
    );
}

async fn onfido(running: &Running, method: &str, path: &str, body: Value) -> Answer {
    let headers = [("Authorization", "Token token=api_live.local-token"), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Client::connect(running.url("onfido")).await.call(method, path, &headers, &body).await
}

#[tokio::test]
async fn onfido_runs_a_workflow_and_names_it_when_it_is_over() {
    let running = Simulators::start(Config::default()).await.unwrap();
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    let named = json!({"first_name": "Ana", "last_name": "López"});
    let applicant = onfido(&running, "POST", "/v3.6/applicants", named).await;
    assert_eq!(applicant.status, 201);
    let wish = |workflow: &str| {
        json!({
            "workflow_id": workflow, "applicant_id": applicant.json()["id"], "customer_user_id": "cli_1", "tags": ["cli_1"],
        })
    };
    let refused = onfido(&running, "POST", "/v3.6/workflow_runs", wish("another")).await;
    assert_eq!((refused.status, refused.json()["error"]["type"].clone()), (422, json!("validation_error")));
    let run = onfido(&running, "POST", "/v3.6/workflow_runs", wish("5f3a1c52-0000-4000-8000-6b6f6e66696f")).await;
    assert_eq!((run.status, run.json()["status"].clone()), (201, json!("awaiting_input")));
    let id = run.json()["id"].as_str().unwrap().to_owned();
    until(|| async { receiver.all().len() }, |count| *count == 1).await;
    let told = receiver.all().remove(0);
    assert_eq!(told.path, "/v1/webhooks/kyc/onfido");
    let signature = onfido::signature("local-onfido-webhook-token", &told.body);
    assert_eq!(told.header("x-sha2-signature"), Some(signature.as_str()));
    let told = told.json()["payload"].clone();
    assert_eq!((&told["action"], &told["object"]["id"]), (&json!("workflow_run.completed"), &json!(id)));
    let read = onfido(&running, "GET", &format!("/v3.6/workflow_runs/{id}"), Value::Null).await.json();
    assert_eq!((&read["status"], &read["customer_user_id"]), (&json!("approved"), &json!("cli_1")));
    let listed = onfido(&running, "GET", "/v3.6/workflow_runs?tags=cli_1", Value::Null).await.json();
    assert_eq!(listed, json!([read]));
    assert_eq!(onfido(&running, "GET", "/v3.6/workflow_runs?tags=cli_2", Value::Null).await.json(), json!([]));
    assert_eq!(get(running.url("onfido"), &format!("/v3.6/workflow_runs/{id}")).await.status, 401);
}

async fn session(running: &Running, first: &str, client_id: &str, secret: &str) -> Answer {
    let body = json!({"verification": {
        "callback": "https://broker.example", "person": {"firstName": first, "lastName": "López"}, "vendorData": client_id,
    }});
    let body = body.to_string();
    let signature = veriff::signature(secret, body.as_bytes());
    let headers = [
        ("X-AUTH-CLIENT", "7e51ff00-0000-4000-8000-000000000001"),
        ("X-HMAC-SIGNATURE", signature.as_str()),
        ("Content-Type", "application/json"),
    ];
    Client::connect(running.url("veriff")).await.call("POST", "/v1/sessions", &headers, &body).await
}

#[tokio::test]
async fn veriff_tells_what_the_client_did_and_what_was_decided() {
    let running = Simulators::start(Config::default()).await.unwrap();
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    assert_eq!(session(&running, "Ana", "cli_0", "another").await.status, 401);
    for (n, (first, status, code)) in
        [("Ana", "approved", 9001), ("Decline", "declined", 9102), ("Resubmit", "resubmission_requested", 9103)]
            .into_iter()
            .enumerate()
    {
        let made = session(&running, first, &format!("cli_{n}"), "local-veriff-shared-secret").await;
        assert_eq!((made.status, made.json()["verification"]["status"].clone()), (201, json!("created")));
        until(|| async { receiver.all().len() }, |count| *count == 3 * (n + 1)).await;
        let told = receiver.all().split_off(3 * n);
        let signed = |told: &Received| {
            told.header("x-hmac-signature") == Some(&veriff::signature("local-veriff-shared-secret", &told.body))
        };
        assert!(told.iter().all(signed));
        let codes: Vec<_> = told[..2].iter().map(|told| told.json()["code"].clone()).collect();
        assert_eq!(codes, [7001, 7002]);
        let decision = told[2].json()["verification"].clone();
        assert_eq!((&decision["status"], &decision["code"]), (&json!(status), &json!(code)));
        assert_eq!(decision["vendorData"], json!(format!("cli_{n}")));
    }
    let id = session(&running, "Ana", "cli_9", "local-veriff-shared-secret").await.json()["verification"]["id"].clone();
    let id = id.as_str().unwrap();
    let signature = veriff::signature("local-veriff-shared-secret", id.as_bytes());
    let headers = [("X-AUTH-CLIENT", "7e51ff00-0000-4000-8000-000000000001"), ("X-HMAC-SIGNATURE", signature.as_str())];
    let mut client = Client::connect(running.url("veriff")).await;
    let read = client.call("GET", &format!("/v1/sessions/{id}/decision"), &headers, "").await;
    assert_eq!((read.status, read.json()["verification"].clone()), (200, Value::Null));
    let other = client.call("GET", "/v1/sessions/another/decision", &headers, "").await;
    assert_eq!(other.status, 401, "the id is what is signed");
}

/// A time that stands until it is moved.
struct Standing(Arc<watch::Sender<i64>>);

impl Time for Standing {
    fn now_ms(&self) -> i64 {
        *self.0.borrow()
    }

    fn busy(&self) -> Busy {
        Busy::holding(())
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, Busy> {
        let until = self.now_ms() + i64::try_from(wait.as_millis()).unwrap();
        let mut moved = self.0.subscribe();
        Box::pin(async move {
            moved.wait_for(|now| *now >= until).await.unwrap();
            Busy::holding(())
        })
    }
}

#[tokio::test]
async fn a_vendor_decides_in_the_time_of_the_system_under_test() {
    let start = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let time = Arc::new(watch::Sender::new(start));
    let mut config = Config { clock: Clock::new(Standing(Arc::clone(&time))), ..Config::default() };
    config.kyc.decides_after_ms = Some(86_400_000);
    let running = Simulators::start(config).await.unwrap();
    let receiver = Receiver::plain().await;
    running.set_webhook_base(&receiver.url);
    apply(&running, "cli_1", "Ana", "López").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(receiver.all().len(), 0, "its time stands");
    time.send_replace(start + 86_400_000);
    until(|| async { receiver.all().len() }, |count| *count == 2).await;
    let state = state(running.url("sumsub")).await;
    assert_eq!(state["checks"][0]["standing"], "approved");
    assert!(state["checks"][0]["changed_ms"].as_i64().unwrap() >= start + 86_400_000);
}
