//! People change rules, and the console is served.

use domain::Seconds;
use host::SystemClock;
use http::Method;
use runtime::Clock as _;
use serde_json::json;

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::text;

#[test]
fn a_rule_set_is_drafted_by_one_person_and_scheduled_by_another() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let live = stack.look("finance", "/v1/rules/fx/versions/1").await;
        let document = text(&live.json, "/document");
        assert!(document.contains("# Who edits this"), "comments are kept: {document}");
        let draft = async |text: &str| {
            let bearer = format!("Bearer {}", stack.token("finance"));
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/yaml")];
            let url = stack.url("/v1/rules/fx/drafts?reason=cheaper");
            stack.http.send(Method::POST, &url, &headers, text.as_bytes().to_vec()).await.unwrap()
        };
        let refused = draft("sources: 1\nsources: 2\n").await;
        assert!(refused.status == 422 && refused.text.contains("duplicate_key"), "{}", refused.text);
        let drafted = draft(&document.replace("\"0.005\"", "\"0.004\"")).await.expect(201).unwrap();
        let version = drafted.json["version"].as_u64().unwrap();
        let publish = format!("/v1/rules/fx/versions/{version}/publish");
        // so far ahead that no other scene sees it
        let from = json!({"effective_at": SystemClock.now().plus(Seconds(300 * 86_400))});
        stack.post_as("finance", &publish, &from).await.expect(403).unwrap();
        let published = stack.post_as("admin", &publish, &from).await.expect(200).unwrap();
        assert_eq!(text(&published.json, "/status"), "scheduled");
        let journal = format!("/v1/journal?entity=rul_fx-{version}");
        let told = |answer: &broker::api::Answer| answer.text.contains("\"published\"");
        stack.wait("admin", &journal, told).await;
    });
}

#[test]
fn the_console_is_served_and_says_what_it_lacks() {
    on_the_stack(async |stack: &Deployment| {
        let _turn = stack.turn.read().await;
        let get = async |path: &str| stack.http.send(Method::GET, &stack.url(path), &[], vec![]).await.unwrap();
        let asked = get("/console/work?queue=finance").await;
        assert_eq!(
            (asked.status, asked.headers["location"].to_str().unwrap()),
            (303, "/console/sign-in?back=%2Fwork%3Fqueue%3Dfinance")
        );
        let nobody = get("/console/sign-in").await;
        assert!(nobody.status == 503 && nobody.text.contains("names no identity provider"), "{}", nobody.text);
        assert!(get("/console/static/console.css").await.text.contains("color-scheme"));
    });
}
