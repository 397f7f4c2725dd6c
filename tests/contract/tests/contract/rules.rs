//! Rule sets that people change: drafts with every fault told, published by another person, live within a minute.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::leads::{floor, hot};
use crate::world::{Call, Trader, World, deposit_request, expect, items};

impl World {
    /// Sends a document as a draft.
    pub async fn draft(&self, who: &str, set: &str, media: &str, text: &str) -> broker::api::Answer {
        let call = Call::raw(&format!("/v1/rules/{set}/drafts?reason=because"), text).header("content-type", media);
        self.send(call.token(self.broker.token(who))).await
    }

    async fn publish_draft(&self, who: &str, set: &str, version: u64, body: &Value) -> broker::api::Answer {
        self.post(who, &format!("/v1/rules/{set}/versions/{version}/publish"), body).await
    }

    async fn ask_deposit(&self, trader: &Trader, amount: &str) -> broker::api::Answer {
        self.portal(&trader.deposits(), &deposit_request(trader, amount, "stripe")).await
    }

    async fn version(&self, set: &str, version: u64) -> Value {
        expect(self.get("support", &format!("/v1/rules/{set}/versions/{version}")).await, 200).json
    }

    /// What the list shows of a set, as version and status.
    async fn listed(&self, set: &str) -> Vec<(u64, String)> {
        let all = items(&self.get("sales", "/v1/rules").await);
        let own = all.iter().filter(|item| item["set"] == set);
        own.map(|item| (item["version"].as_u64().unwrap(), item["status"].as_str().unwrap().to_owned())).collect()
    }

    /// The live text of a set with something in it replaced.
    pub async fn changed(&self, set: &str, from: &str, to: &str) -> String {
        let text = self.version(set, 1).await["document"].as_str().unwrap().to_owned();
        assert!(text.contains(from), "{text}");
        text.replace(from, to)
    }
}

pub const YAML: &str = "application/yaml";

/// A rule set that people change: the entity whose journal tells of it.
pub async fn play(world: &World) -> String {
    let text = world.version("psps", 1).await["document"].as_str().unwrap().to_owned();
    let version = expect(world.draft("finance", "psps", YAML, &text).await, 201).json["version"].as_u64().unwrap();
    expect(world.publish_draft("finance_2", "psps", version, &json!({})).await, 200);
    world.idle().await;
    format!("rul_psps-{version}")
}

#[tokio::test]
async fn every_set_is_listed_and_shown_as_it_was_written() {
    let world = World::start().await;
    let all = items(&world.get("support", "/v1/rules").await);
    assert_eq!(all.len(), SetName::ALL.len());
    for set in SetName::ALL {
        let shown = world.version(set.as_str(), 1).await;
        assert_eq!((&shown["status"], &shown["findings"]), (&json!("live"), &json!([])), "{set}: {shown:#}");
        assert!(shown["document"].as_str().unwrap().contains("# Who edits this"), "{set} lost its comments");
    }
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = expect(world.get("support", &format!("/v1/rules?limit=5&cursor={cursor}")).await, 200);
        paged.extend(items(&page));
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(paged, all);
    for path in ["/v1/rules?limit=0", "/v1/rules?cursor=x", "/v1/rules?cursor=rul_psps"] {
        expect(world.get("support", path).await, 400);
    }
    for path in ["/v1/rules/nothing/versions/1", "/v1/rules/psps/versions/2", "/v1/rules/psps/versions/x"] {
        expect(world.get("support", path).await, 404);
    }
    expect(world.get("portal", "/v1/rules").await, 403);
}

#[tokio::test]
async fn a_draft_is_published_by_another_person_and_the_next_decision_uses_it() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let text = world.changed("psps", "max: \"50000\"", "max: \"70\"").await;
    let drafted = expect(world.draft("finance", "psps", YAML, &text).await, 201);
    assert_eq!((&drafted.json["version"], &drafted.json["findings"]), (&json!(2), &json!([])));
    assert_eq!(world.listed("psps").await, [(1, "live".to_owned()), (2, "draft".to_owned())]);
    // again, and the same of somebody else
    assert_eq!(expect(world.draft("finance", "psps", YAML, &text).await, 201).json["version"], 2);
    assert_eq!(expect(world.draft("admin", "psps", YAML, &text).await, 201).json["version"], 3);
    expect(world.publish_draft("finance", "psps", 2, &json!({})).await, 403);
    expect(world.publish_draft("support", "psps", 2, &json!({})).await, 403);
    expect(world.ask_deposit(&trader, "80.00").await, 201);
    let published = expect(world.publish_draft("finance_2", "psps", 2, &json!({})).await, 200);
    assert_eq!((&published.json["status"], &published.json["published_by"]), (&json!("live"), &json!("finance-2")));
    expect(world.publish_draft("finance_2", "psps", 2, &json!({})).await, 200);
    expect(world.publish_draft("admin", "psps", 2, &json!({})).await, 409);
    world.pass(61).await;
    expect(world.ask_deposit(&trader, "80.00").await, 422);
    let own = world.deposit(&trader, "60.00", "stripe").await;
    let journal = items(&world.get("finance", &format!("/v1/journal?entity={}", own.id)).await);
    assert!(journal[0]["rule_version"].to_string().contains('2'), "{:#}", journal[0]);
    // who changed what and why
    let shown = world.version("psps", 2).await;
    assert_eq!(
        (&shown["author"], &shown["reason"], &shown["based_on"]),
        (&json!("finance-1"), &json!("because"), &json!(1))
    );
    assert_eq!(shown["document"], json!(text));
    assert_eq!(world.version("psps", 1).await["status"], "retired");
    let journal = expect(world.get("finance", "/v1/journal?entity=rul_psps-2").await, 200);
    assert_eq!((&journal.json["verified"], items(&journal).len()), (&json!(true), 2), "{:#}", journal.json);
}

#[tokio::test]
async fn every_fault_of_a_draft_is_told_with_its_line_and_nothing_is_kept() {
    let world = World::start().await;
    let text = "open_deposits_max: many\npsps:\n  - name: stripe\n    vendor: stripy\nunheard_of: 1\n";
    let refused = expect(world.draft("finance", "psps", YAML, text).await, 422);
    let errors = refused.json["errors"].as_array().unwrap();
    let lines: Vec<_> =
        errors.iter().map(|fault| (fault["pointer"].as_str().unwrap(), fault["line"].as_u64())).collect();
    assert!(lines.contains(&("/open_deposits_max", Some(1))), "{lines:?}");
    assert!(lines.contains(&("/psps/0/vendor", Some(4))), "{lines:?}");
    assert!(lines.contains(&("/unheard_of", Some(5))), "{lines:?}");
    for (text, code) in [
        ("a: 1\na: 2\n", "duplicate_key"),
        ("a: &x [1]\nb: *x\n", "anchor"),
        ("a:\n\t- 1\n", "malformed_yaml"),
        ("", "malformed_yaml"),
        ("- 1.5", "wrong_type"),
    ] {
        let refused = expect(world.draft("finance", "psps", YAML, text).await, 422);
        assert!(refused.text.contains(code), "{text}: {}", refused.text);
    }
    expect(world.draft("finance", "psps", "application/json", "{\"a\": 1, \"a\": 2}").await, 422);
    expect(world.draft("finance", "psps", "text/csv", "a").await, 415);
    expect(world.draft("finance", "psps", YAML, &"# long\n".repeat(300_000)).await, 413);
    expect(world.draft("sales", "psps", YAML, "a: 1").await, 403);
    expect(world.draft("finance", "nothing", YAML, "a: 1").await, 404);
    assert_eq!(world.listed("psps").await, [(1, "live".to_owned())]);
}

#[tokio::test]
async fn a_name_that_another_set_needs_is_not_taken_from_under_it() {
    let world = World::start().await;
    let sales = world.version("lead_routing", 1).await["document"].as_str().unwrap().to_owned();
    let pool =
        sales.lines().find_map(|line| line.split_once("pool: ").map(|(_, name)| name.trim_end_matches('}').to_owned()));
    let pool = pool.unwrap();
    let unknown = sales.replacen(&format!("pool: {pool}"), "pool: nowhere", 1);
    let refused = expect(world.draft("sales", "lead_routing", YAML, &unknown).await, 422);
    assert!(refused.text.contains("missing_reference") && refused.text.contains("\"line\""), "{}", refused.text);
}

#[tokio::test]
async fn a_version_is_scheduled_and_what_comes_before_it_takes_its_place() {
    let world = World::start().await;
    let text = world.changed("psps", "max: \"50000\"", "max: \"70\"").await;
    expect(world.draft("finance", "psps", YAML, &text).await, 201);
    let at = world.now().plus(domain::Seconds(3_600));
    for (wrong, status) in [
        (json!({"effective_at": "tomorrow"}), 422),
        (json!({"effective_at": "2020-01-01T00:00:00Z"}), 422),
        (json!({"effective_at": world.now().plus(domain::Seconds(400 * 86_400))}), 422),
        (json!({"effective": at}), 400),
    ] {
        expect(world.publish_draft("finance_2", "psps", 2, &wrong).await, status);
    }
    let published = expect(world.publish_draft("finance_2", "psps", 2, &json!({"effective_at": at})).await, 200);
    assert_eq!(published.json["status"], "scheduled");
    assert_eq!(world.listed("psps").await, [(1, "live".to_owned()), (2, "scheduled".to_owned())]);
    let sooner = world.changed("psps", "max: \"50000\"", "max: \"40000\"").await;
    assert_eq!(expect(world.draft("finance", "psps", YAML, &sooner).await, 201).json["version"], 3);
    let published = expect(world.publish_draft("finance_2", "psps", 3, &json!({})).await, 200);
    assert_eq!((&published.json["status"], &published.json["instead_of"]), (&json!("live"), &json!([2])));
    world.pass(3_601).await;
    assert_eq!(world.listed("psps").await, [(3, "live".to_owned())]);
    assert_eq!(world.version("psps", 2).await["status"], "retired");
}

#[tokio::test]
async fn an_older_draft_is_not_published_after_a_newer_one_and_json_is_taken_too() {
    let world = World::start().await;
    let text = world.changed("psps", "max: \"50000\"", "max: \"70\"").await;
    expect(world.draft("finance", "psps", YAML, &text).await, 201);
    let document = domain::rules::yaml::read(&text).unwrap().value;
    let drafted = world.draft("finance", "psps", "application/json", &document.to_string()).await;
    assert_eq!(expect(drafted, 201).json["version"], 3);
    expect(world.publish_draft("finance_2", "psps", 3, &json!({})).await, 200);
    expect(world.publish_draft("finance_2", "psps", 2, &json!({})).await, 409);
    assert_eq!(world.version("psps", 2).await["status"], "retired");
    let shown = world.version("psps", 3).await;
    assert_eq!(domain::rules::yaml::read(shown["document"].as_str().unwrap()).unwrap().value, document);
}

#[tokio::test]
async fn a_version_is_asked_again_what_was_asked_and_a_set_without_facts_says_so() {
    let world = World::start().await;
    let trader = world.trader("USD").await;
    let from = world.now();
    let deposit = world.credited(&trader, "900.00", 90_000).await;
    let wish = |amount: &str| {
        json!({
            "account_id": trader.account, "amount": {"amount": amount, "currency": "USD"},
            "destination": {"psp": "stripe", "source_payment_id": deposit.id},
        })
    };
    let mut asked = Vec::new();
    for amount in ["100.00", "300.00"] {
        asked.push(expect(world.portal(&trader.withdrawals(), &wish(amount)).await, 201).text_at("/payment_id"));
        world.idle().await;
    }
    world.pass(60).await;
    let span = json!({"from": from, "to": world.now()});
    let test = |set: &str, version: u64| format!("/v1/rules/{set}/versions/{version}/backtest");
    let live = expect(world.post("finance", &test("withdrawals", 1), &span).await, 200).json;
    assert_eq!((&live["decisions"], &live["changed"]), (&json!(2), &json!([])), "{live:#}");
    assert_eq!(live["summary"]["was"], json!({"approve": 2}));
    let text = world.changed("withdrawals", "lte: \"500\"", "lte: \"200\"").await;
    expect(world.draft("finance", "withdrawals", YAML, &text).await, 201);
    let tried = expect(world.post("support", &test("withdrawals", 2), &span).await, 200).json;
    let changed = tried["changed"].as_array().unwrap();
    assert_eq!((changed.len(), &changed[0]["entity"]), (1, &json!(asked[1])), "{tried:#}");
    assert_eq!((&changed[0]["was"], &changed[0]["now"]), (&json!("approve"), &json!("ask")));
    assert_eq!(tried["summary"]["now"], json!({"approve": 1, "ask": 1}));
    for set in ["fx", "lead_scoring"] {
        let refused = expect(world.post("finance", &test(set, 1), &span).await, 422);
        assert!(refused.text.contains("not in the journal"), "{}", refused.text);
    }
    expect(world.post("finance", &test("nothing", 1), &span).await, 404);
    expect(world.post("portal", &test("withdrawals", 1), &span).await, 403);
    // what was asked is for back-tests: the journal's view does not show it
    let journal = world.get("finance", &format!("/v1/journal?entity={}", asked[0])).await;
    assert!(!journal.text.contains("source_left"), "{}", journal.text);
}

#[tokio::test]
async fn another_routing_is_tried_on_the_leads_that_came() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let from = world.now();
    let hot_one = world.submit(hot("MX")).await;
    world.submit(json!({"country": "DE"})).await;
    // who knows what somebody typed there: it is routed, and not kept
    world.submit(json!({"source": {"channel": "social", "campaign": "for ana@example.com"}})).await;
    let span = json!({"from": from, "to": world.now()});
    let test = |version: u64| format!("/v1/rules/lead_routing/versions/{version}/backtest");
    let live = expect(world.post("sales", &test(1), &span).await, 200).json;
    assert_eq!((&live["decisions"], &live["changed"]), (&json!(2), &json!([])), "{live:#}");
    let text = world.changed("lead_routing", "then: {pool: latam_closers}", "then: {pool: senior_closers}").await;
    expect(world.draft("sales", "lead_routing", YAML, &text).await, 201);
    let tried = expect(world.post("sales", &test(2), &span).await, 200).json;
    let change = &tried["changed"][0];
    assert_eq!((&change["entity"], tried["changed"].as_array().unwrap().len()), (&json!(hot_one), 1), "{tried:#}");
    assert_eq!((&change["was"], &change["now"]), (&json!("pool latam_closers"), &json!("pool senior_closers")));
}
