//! Work items: what they carry, and what people do with them.

use domain::rule_sets::SetName;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, expect, faults, items};

/// A deposit of 100.00 of which 90.00 came, and its work item.
async fn underpaid(world: &World) -> (String, Value) {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let item = world.work_of(&payment.id).await.remove(0);
    (payment.id, item)
}

fn id(item: &Value) -> &str {
    item["work_id"].as_str().unwrap()
}

#[tokio::test]
async fn an_item_has_all_that_a_person_needs_to_decide() {
    let world = World::start().await;
    let (payment, item) = underpaid(&world).await;
    assert_eq!(item["kind"], "deposit_underpaid");
    assert_eq!(item["queue"], "finance");
    assert_eq!(item["priority"], 2);
    assert_eq!(item["status"], "open");
    assert_eq!(item["owner"], Value::Null);
    assert_eq!(item["subject"]["payment_id"], payment.as_str());
    assert!(item["subject"]["client_id"].as_str().unwrap().starts_with("cli_"));
    assert_eq!(item["trigger"]["event"], "deposit.needs_review");
    assert!(item["trigger"]["what"].as_str().unwrap().starts_with("evt_"));
    assert!(item["trigger"]["why"][0].as_str().unwrap().contains("90.00 USD"));
    assert_eq!(item["trigger"]["data"]["paid"], json!({"amount": "90.00", "currency": "USD"}));
    assert_eq!(item["pattern"]["newest_payments"][0]["payment_id"], payment.as_str());
    let actions: Vec<&str> =
        item["options"].as_array().unwrap().iter().map(|o| o["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["credit_paid_amount", "refund_at_psp", "mark_credited", "close_without_credit"]);
    assert!(item["options"].as_array().unwrap().iter().all(|option| !option["label"].as_str().unwrap().is_empty()));
    let at = |name: &str| item[name].as_str().unwrap().parse::<domain::Timestamp>().unwrap();
    assert_eq!(at("due_at").millis() - at("created_at").millis(), 4 * 3_600_000);
    assert_eq!(item["history"], json!([]));
}

#[tokio::test]
async fn every_kind_of_item_has_a_runbook_page_that_names_its_options() {
    let world = World::start().await;
    let document = world.broker.rule_document(SetName::WorkKinds).unwrap();
    let kinds = document["kinds"].as_object().unwrap();
    assert!(kinds.len() >= 14);
    for (kind, rule) in kinds {
        let page = broker::local::repository().join(format!("infra/runbooks/{}.md", rule["runbook"].as_str().unwrap()));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{kind}: no page {}", page.display()));
        for option in rule["options"].as_array().unwrap() {
            let action = option["action"].as_str().unwrap();
            assert!(text.contains(&format!("`{action}`")), "{} does not explain {action}", page.display());
        }
    }
    // and no page is about a kind that is gone: what is no work item is led to by the first page
    let first = std::fs::read_to_string(broker::local::repository().join("infra/runbooks/README.md")).unwrap();
    for file in std::fs::read_dir(broker::local::repository().join("infra/runbooks")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".md");
        let used = kinds.values().any(|rule| rule["runbook"] == name);
        let linked = first.contains(&format!("({name}.md)"));
        assert!(used || linked || name == "README", "nothing leads to {name}");
    }
}

#[tokio::test]
async fn an_item_is_claimed_noted_and_released() {
    let world = World::start().await;
    let (_, item) = underpaid(&world).await;
    let claimed = expect(world.act("finance", id(&item), &json!({"action": "claim"})).await, 200).json;
    assert_eq!((claimed["status"].as_str(), claimed["owner"].as_str()), (Some("claimed"), Some("finance-1")));
    // once more is no fault and no change
    let again = expect(world.act("finance", id(&item), &json!({"action": "claim"})).await, 200).json;
    assert_eq!(again, claimed);
    for action in ["claim", "release", "credit_paid_amount"] {
        expect(world.act("finance_2", id(&item), &json!({"action": action})).await, 409);
        expect(world.act("admin", id(&item), &json!({"action": action})).await, 409);
    }
    // whoever knows something may say so
    let note = json!({"action": "note", "note": "Asked Stripe 💬 ticket 4711"});
    let noted = expect(world.act("finance_2", id(&item), &note).await, 200).json;
    assert_eq!(noted["owner"], "finance-1");
    assert_eq!(noted["history"][1]["by"], "finance-2");
    assert_eq!(noted["history"][1]["note"], "Asked Stripe 💬 ticket 4711");
    let released = expect(world.act("finance", id(&item), &json!({"action": "release"})).await, 200).json;
    assert_eq!((released["status"].as_str(), &released["owner"]), (Some("open"), &Value::Null));
    let taken = expect(world.act("finance_2", id(&item), &json!({"action": "claim"})).await, 200).json;
    assert_eq!(taken["owner"], "finance-2");
    let actions: Vec<&str> =
        taken["history"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["claim", "note", "release", "claim"]);
}

#[tokio::test]
async fn of_ten_people_who_claim_at_once_one_gets_it() {
    let world = World::start().await;
    let (_, item) = underpaid(&world).await;
    let path = format!("/v1/work/{}/actions", id(&item));
    let claim = |n: usize| {
        let token = world.mint(&format!("person-{n}"), &["finance"], None);
        world.send(crate::world::Call::post(&path, &json!({"action": "claim"})).token(&token))
    };
    let mut statuses: Vec<u16> = join_all((0..10).map(claim)).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[409; 9]].concat());
}

#[tokio::test]
async fn an_item_of_a_queue_is_for_its_people_and_admins() {
    let world = World::start().await;
    let (_, item) = underpaid(&world).await;
    for who in ["portal", "sales", "compliance", "compliance_2", "support"] {
        for action in ["claim", "note", "release", "resolve", "credit_paid_amount", "nonsense"] {
            expect(world.act(who, id(&item), &json!({"action": action, "note": "x"})).await, 403);
        }
    }
    expect(world.act("admin", id(&item), &json!({"action": "claim"})).await, 200);
}

#[tokio::test]
async fn an_action_that_is_none_is_refused_with_those_that_are() {
    let world = World::start().await;
    let (payment, item) = underpaid(&world).await;
    let before = world.stored().await;
    for action in ["mark_open", "keep_waiting", "Claim", "", "delete"] {
        let answer = expect(world.act("finance", id(&item), &json!({"action": action})).await, 422);
        assert_eq!(faults(&answer), ["/action unknown_action"], "{action}");
        let allowed = answer.json["errors"][0]["allowed_values"].as_array().unwrap();
        for wanted in [
            "claim",
            "release",
            "note",
            "resolve",
            "credit_paid_amount",
            "refund_at_psp",
            "mark_credited",
            "close_without_credit",
        ] {
            assert!(allowed.contains(&json!(wanted)), "{wanted} in {}", answer.text);
        }
    }
    let cases = [
        (json!({}), 400, "/action missing"),
        (json!({"action": 7}), 400, "/action wrong_type"),
        (json!({"action": "note"}), 400, "/note missing"),
        (json!({"action": "note", "note": "  "}), 400, "/note missing"),
        (json!({"action": "claim", "comment": "x"}), 400, "/comment unknown_field"),
        (json!({"action": "mark_credited"}), 422, "/evidence evidence_missing"),
        (json!({"action": "mark_credited", "evidence": " "}), 422, "/evidence evidence_missing"),
        (json!({"action": "refund_at_psp"}), 422, "/evidence evidence_missing"),
        (json!({"action": "resolve", "outcome": "refund_at_psp"}), 422, "/evidence evidence_missing"),
        (json!({"action": "note", "note": "x".repeat(5_000)}), 422, "/note too_long"),
        (json!({"action": "refund_at_psp", "evidence": "x".repeat(5_000)}), 422, "/evidence too_long"),
    ];
    for (body, status, fault) in cases {
        let answer = expect(world.act("finance", id(&item), &body).await, status);
        assert_eq!(faults(&answer), [fault], "{body}");
    }
    assert_eq!(before, world.stored().await);
    assert_eq!(world.status(&payment).await, "needs_review");
}

#[tokio::test]
async fn a_decision_is_final() {
    let world = World::start().await;
    let (payment, item) = underpaid(&world).await;
    let close = json!({"action": "close_without_credit", "note": "the client wants it back"});
    let decided = expect(world.act("finance", id(&item), &close).await, 200).json;
    assert_eq!(decided["status"], "resolved");
    assert_eq!(decided["decision"]["action"], "close_without_credit");
    assert_eq!(decided["decision"]["by"], "finance-1");
    assert_eq!(world.status(&payment).await, "failed");
    let before = world.stored().await;
    // the same person may say the same again, as a page that was sent twice does
    assert_eq!(expect(world.act("finance", id(&item), &close).await, 200).json["status"], "resolved");
    for (who, body) in [
        ("finance", json!({"action": "credit_paid_amount"})),
        ("finance", json!({"action": "claim"})),
        ("finance", json!({"action": "release"})),
        ("finance", json!({"action": "resolve"})),
        ("finance_2", close.clone()),
        ("admin", json!({"action": "credit_paid_amount"})),
    ] {
        expect(world.act(who, id(&item), &body).await, 409);
    }
    assert_eq!(before, world.stored().await);
    assert!(world.work_of(&payment).await.is_empty());
    let resolved = items(&world.get("finance", "/v1/work?queue=finance&status=resolved").await);
    assert_eq!(resolved.len(), 1);
    assert_eq!(resolved[0]["work_id"], item["work_id"]);
}

#[tokio::test]
async fn of_two_people_who_decide_at_once_one_decides() {
    let world = World::start().await;
    let (payment, item) = underpaid(&world).await;
    let (credit, close) = (json!({"action": "credit_paid_amount"}), json!({"action": "close_without_credit"}));
    let answers = join_all([world.act("finance", id(&item), &credit), world.act("finance_2", id(&item), &close)]).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let wanted = if statuses[0] == 200 { "credited" } else { "failed" };
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(world.status(&payment).await, wanted);
}

#[tokio::test]
async fn an_item_is_snoozed_and_escalated_by_its_desk() {
    let world = World::start().await;
    let (_, first) = underpaid(&world).await;
    let (_, second) = underpaid(&world).await;
    let open = async || items(&world.get("finance", "/v1/work?queue=finance&status=open").await);
    let order = async || open().await.iter().map(|item| id(item).to_owned()).collect::<Vec<_>>();
    assert_eq!(order().await, [id(&first), id(&second)]);
    let until = world.now().plus(domain::Seconds(86_400)).to_string();
    let snooze = json!({"action": "snooze", "until": until, "note": "the bank answers tomorrow"});
    let snoozed = expect(world.act("finance", id(&first), &snooze).await, 200);
    assert_eq!((&snoozed.json["snoozed_until"], &snoozed.json["due_at"]), (&json!(until), &first["due_at"]));
    assert_eq!(snoozed.json["status"], "open");
    assert_eq!(order().await, [id(&second), id(&first)]);
    assert_eq!(expect(world.act("finance", id(&first), &snooze).await, 200).json, snoozed.json, "sent twice");
    for (body, fault) in [
        (json!({"action": "snooze"}), "/until missing"),
        (json!({"action": "snooze", "until": "tomorrow"}), "/until not_a_time"),
        (json!({"action": "snooze", "until": "2020-01-01T00:00:00Z"}), "/until out_of_range"),
    ] {
        let answer = world.act("finance", id(&first), &body).await;
        assert_eq!(faults(&answer), [fault], "{body}");
    }
    let escalate = json!({"action": "escalate", "note": "the client is a regulator"});
    let escalated = expect(world.act("finance", id(&first), &escalate).await, 200);
    assert_eq!((&escalated.json["priority"], &escalated.json["snoozed_until"]), (&json!(1), &Value::Null));
    assert_eq!(expect(world.act("finance", id(&first), &escalate).await, 200).json, escalated.json, "sent twice");
    assert_eq!(order().await, [id(&first), id(&second)]);
    let actions: Vec<&str> =
        escalated.json["history"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["snooze", "escalate"]);
    expect(world.act("support", id(&first), &escalate).await, 403);
}

#[tokio::test]
async fn a_decision_is_what_stands_in_the_item_whatever_an_event_says() {
    let world = World::start().await;
    let (payment, item) = underpaid(&world).await;
    let mut data = item.clone();
    data["status"] = json!("resolved");
    data["decision"] = json!({"action": "credit_paid_amount", "by": "finance-1", "at": world.now()});
    let told = json!({"detail": {
        "event_id": format!("{}:2:0", id(&item)), "entity": id(&item), "version": 2, "type": "work.decided",
        "at": world.now(), "correlation_id": "told", "data": data,
    }});
    world.broker.host.send_message("PaymentsDecideQueue", &told.to_string()).unwrap();
    assert_eq!(world.status(&payment).await, "needs_review");
    expect(world.act("finance", id(&item), &json!({"action": "credit_paid_amount"})).await, 200);
    assert_eq!(world.status(&payment).await, "credited");
    // and once more, after the fact
    world.broker.host.send_message("PaymentsDecideQueue", &told.to_string()).unwrap();
    assert_eq!(world.status(&payment).await, "credited");
    let filed = items(&world.get("support", "/v1/work?queue=support").await);
    assert!(filed.iter().all(|item| item["kind"] != "dead_letter"), "{filed:?}");
}
