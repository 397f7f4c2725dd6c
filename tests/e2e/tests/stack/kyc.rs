//! KYC: from a photo that goes to the signed address to the decision, and who is not decided on.

use std::time::Duration;

use broker::api::Answer;
use host::SystemClock;
use http::Method;
use runtime::Clock as _;
use serde_json::{Value, json};
use specimens::{Canvas, Day, Person, applicant, jpeg, passport, statement};

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::{items, text, unique};

const JPEG: &str = "image/jpeg";
/// Longest wait for a case whose photos have to be read, beside all the other scenes.
const READING: Duration = Duration::from_secs(90);

/// Somebody with documents of today.
fn somebody(first: u64) -> Person {
    let today = SystemClock.now().day();
    let part = |part: i8| u8::try_from(part).unwrap();
    applicant(
        first,
        Day { year: u16::try_from(today.year()).unwrap(), month: part(today.month()), day: part(today.day()).min(28) },
    )
}

fn kyc(client: &str) -> String {
    format!("/v1/clients/{client}/kyc")
}

impl Deployment {
    /// Has the lists fetched now, as their schedule does each hour.
    async fn fetch_lists(&self) {
        let name = self.resource("KycListsFunction").unwrap();
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint);
        // LocalStack reads region and service out of the signature and looks no further
        let region = self.aws.region().unwrap();
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential=test/20261129/{region}/lambda/aws4_request, SignedHeaders=host, Signature=0"
        );
        let headers = [("content-type", "application/json"), ("authorization", signed.as_str())];
        let sent = self.http.send(Method::POST, &url, &headers, br#"{"all": true}"#.to_vec()).await.unwrap();
        let fetched = sent.expect(200).unwrap();
        assert_eq!(fetched.text_at("/outcome"), "refreshed", "{}", fetched.text);
    }

    async fn newcomer(&self, person: &Person) -> String {
        let body = json!({
            "email": format!("{}@example.com", unique("newcomer")), "full_name": person.name(),
            "date_of_birth": person.birth.iso(), "residence": person.country, "nationality": person.country,
            "language": "es",
        });
        self.post("/v1/clients", &body).await.expect(201).unwrap().text_at("/client_id")
    }

    /// Announces, uploads and submits a photo; the answer to the last of it.
    async fn photo(&self, client: &str, kind: &str, picture: &Canvas) -> Answer {
        let file = jpeg(picture, 85);
        let wish = json!({"kind": kind, "content_type": JPEG, "bytes": file.len()});
        let announced = self.post(&format!("{}/documents", kyc(client)), &wish).await.expect(201).unwrap();
        let (url, document) = (announced.text_at("/upload/url"), announced.text_at("/document_id"));
        self.http.send(Method::PUT, &url, &[("content-type", JPEG)], file).await.unwrap().expect(200).unwrap();
        self.post(&format!("{}/documents/{document}/submit", kyc(client)), &json!({})).await.expect(200).unwrap()
    }

    /// Passport, bill and declaration of somebody; the case when it has the status.
    async fn applies(&self, client: &str, person: &Person, status: &str) -> Answer {
        for (kind, specimen) in [("passport", passport(person)), ("proof_of_address", statement(person))] {
            let sent = self.photo(client, kind, &specimen.picture).await;
            assert_eq!(sent.text_at("/status"), "accepted", "{}", sent.text);
        }
        let declaration = json!({"source_of_funds": "employment", "occupation": "nurse", "pep": false});
        self.post(&format!("{}/declaration", kyc(client)), &declaration).await.expect(200).unwrap();
        self.wait_for(READING, "compliance", &kyc(client), |case| case.text_at("/status") == status).await
    }
}

async fn in_order(stack: &Deployment) {
    let person = somebody(100);
    let client = stack.newcomer(&person).await;
    let case = stack.applies(&client, &person, "approved").await;
    assert_eq!(
        (case.text_at("/decision/by"), case.text_at("/checks/screening/state")),
        ("rule".into(), "clear".into())
    );
    assert_eq!(case.text_at("/extracted/number"), person.number, "{}", case.text);
    let path = format!("/v1/journal?entity={}", case.text_at("/case_id"));
    let approved = |line: &&Value| text(line, "/outcome") == "approved";
    let journal = stack.wait("compliance", &path, |journal| items(journal).iter().any(|line| approved(&line))).await;
    let why = items(&journal).iter().find(approved).unwrap()["why"].to_string();
    assert!(why.contains("risk 0: low") && why.contains("decisions/low_risk"), "{why}");
}

async fn in_the_dark(stack: &Deployment) {
    let person = somebody(200);
    let client = stack.newcomer(&person).await;
    let mut dark = passport(&person).picture;
    dark.each(|_, _, colour| colour.map(|level| level / 8.0));
    let refused = stack.photo(&client, "passport", &dark).await;
    assert_eq!(
        (refused.text_at("/status"), refused.text_at("/reasons/0/code")),
        ("rejected".into(), "too_dark".into())
    );
    assert!(refused.text_at("/reasons/0/message").contains("oscura"), "{}", refused.text);
    let case = stack.look("portal", &kyc(&client)).await;
    assert_eq!(case.text_at("/status"), "collecting");
    assert_eq!(case.json["next_steps"][0]["reasons"], json!(["too_dark"]), "{}", case.text);
}

async fn on_a_list(stack: &Deployment) {
    // the invented person of the small lists
    let person = Person {
        surname: "PETROV",
        given: "Ivan Sergeyevich".to_owned(),
        birth: Day { year: 1968, month: 3, day: 18 },
        ..somebody(300)
    };
    let client = stack.newcomer(&person).await;
    let case = stack.applies(&client, &person, "in_review").await;
    assert_eq!(case.text_at("/decision/reasons/0"), "sanctions_hit", "{}", case.text);
    let id = case.text_at("/case_id");
    let ours = |item: &&Value| text(item, "/subject/kyc_id") == id && text(item, "/kind") == "kyc_hit";
    let there = |list: &Answer| items(list).iter().any(|item| ours(&item));
    let list = stack.wait("compliance", "/v1/work?queue=compliance&limit=100", there).await;
    let work = text(items(&list).iter().find(ours).unwrap(), "/work_id").to_owned();
    let action = json!({"action": "reject", "note": "it is the listed person"});
    stack.post_as("compliance", &format!("/v1/work/{work}/actions"), &action).await.expect(200).unwrap();
    stack.wait("portal", &kyc(&client), |case| case.text_at("/status") == "rejected").await;
}

/// Nothing that says who the client is: he shows that to the vendor, who tells over the gateway.
async fn at_a_vendor(stack: &Deployment) {
    let person = somebody(400);
    let client = stack.newcomer(&person).await;
    let sent = stack.photo(&client, "proof_of_address", &statement(&person).picture).await;
    assert_eq!(sent.text_at("/status"), "accepted", "{}", sent.text);
    let declaration = json!({"source_of_funds": "employment", "occupation": "nurse", "pep": false});
    stack.post(&format!("{}/declaration", kyc(&client)), &declaration).await.expect(200).unwrap();
    let begun = |case: &Answer| case.json["vendor"]["applicant_id"].is_string();
    let case = stack.wait_for(READING, "compliance", &kyc(&client), begun).await;
    assert_eq!(case.text_at("/vendor/name"), "sumsub", "{}", case.text);
    let link = stack.post(&format!("{}/verification", kyc(&client)), &json!({})).await.expect(200).unwrap();
    assert!(link.text_at("/url").contains("/apply/"), "{}", link.text);

    // nobody who cannot sign says that he passed
    let forged = json!({
        "applicantId": case.text_at("/vendor/applicant_id"), "externalUserId": client, "type": "applicantReviewed",
        "reviewStatus": "completed", "reviewResult": {"reviewAnswer": "GREEN"},
    });
    let headers =
        [("content-type", "application/json"), ("x-payload-digest", "00"), ("x-payload-digest-alg", "HMAC_SHA256_HEX")];
    let url = stack.url("/v1/webhooks/kyc/sumsub");
    let refused = stack.http.send(Method::POST, &url, &headers, forged.to_string().into_bytes()).await.unwrap();
    refused.expect(401).unwrap();
    let untouched = stack.look("compliance", &kyc(&client)).await;
    assert_eq!(untouched.text_at("/vendor/status"), "pending", "{}", untouched.text);

    let decide = format!("{}/_control/decide", stack.simulators.url("sumsub"));
    stack.http.control(&decide, &json!({"client_id": client, "outcome": "approved"})).await.unwrap();
    let case = stack.wait_for(READING, "compliance", &kyc(&client), |case| case.text_at("/status") == "approved").await;
    assert_eq!((case.text_at("/vendor/status"), case.text_at("/decision/by")), ("approved".into(), "rule".into()));
}

#[test]
fn photos_are_read_and_people_screened_and_the_clear_cases_decided() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        stack.fetch_lists().await;
        tokio::join!(in_order(stack), in_the_dark(stack), on_a_list(stack), at_a_vendor(stack));
    });
}
