//! Registering clients and looking at them.

use serde_json::{Value, json};

use crate::world::{World, expect, faults, registration};

#[tokio::test]
async fn a_registered_client_is_shown_as_it_was_registered() {
    let world = World::start().await;
    let mut body = registration();
    body["partner_code"] = json!("PARTNER-7");
    body["entity"] = json!("Broker (Cyprus) Ltd");
    let lead = json!({"email": body["email"], "source": {"channel": "direct"}});
    body["lead_id"] = json!(expect(world.portal("/v1/leads", &lead).await, 202).text_at("/lead_id"));
    let registered = expect(world.portal("/v1/clients", &body).await, 201);
    assert_eq!(registered.json["kyc"]["status"], "not_started");
    let id = registered.text_at("/client_id");
    for who in ["portal", "sales", "compliance", "finance", "support", "admin"] {
        let shown = expect(world.get(who, &format!("/v1/clients/{id}")).await, 200).json;
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        assert_eq!(shown["client_id"], id.as_str());
        assert_eq!(shown["kyc"]["status"], "not_started");
    }
}

#[tokio::test]
async fn names_of_every_script_are_kept() {
    let world = World::start().await;
    for name in [
        "Ana López",
        "محمد بن سلمان",
        "毛 泽东",
        "Nguyễn Thị Minh Khai",
        "O'Brien-Śmigły",
        "Zoë 👩‍💼",
        "  Blank Around  ",
        &"é".repeat(200),
    ] {
        let mut body = registration();
        body["full_name"] = json!(name);
        let id = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
        let shown = expect(world.get("portal", &format!("/v1/clients/{id}")).await, 200);
        assert_eq!(shown.json["full_name"], name.trim());
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut body = registration();
    body[name] = value;
    body
}

#[tokio::test]
async fn every_bad_field_is_named_with_its_place() {
    let world = World::start().await;
    let before = world.stored().await;
    let long = "x".repeat(201);
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        ("email", json!("nobody"), 422, "invalid_email"),
        ("email", json!("a@b@c.de"), 422, "invalid_email"),
        ("email", json!("a@localhost"), 422, "invalid_email"),
        ("email", json!("a b@c.de"), 422, "invalid_email"),
        ("email", json!("a@c.de\r\nBcc: x@y.zz"), 422, "invalid_email"),
        ("email", json!(format!("{}@c.de", "x".repeat(300))), 422, "invalid_email"),
        ("email", json!(7), 400, "wrong_type"),
        ("email", Value::Null, 400, "missing"),
        ("phone", json!("600111222"), 422, "invalid_phone"),
        ("phone", json!("+0600111222"), 422, "invalid_phone"),
        ("phone", json!("+34 600 111 222"), 422, "invalid_phone"),
        ("phone", json!("+1234567890123456"), 422, "invalid_phone"),
        ("full_name", json!("   "), 422, "empty"),
        ("full_name", json!(long), 422, "too_long"),
        ("full_name", json!("Ana\u{0}López"), 422, "control_character"),
        ("full_name", json!({"first": "Ana"}), 400, "wrong_type"),
        ("date_of_birth", json!("17.05.1990"), 422, "invalid_date"),
        ("date_of_birth", json!("1990-02-30"), 422, "invalid_date"),
        ("date_of_birth", json!("2024-01-01"), 422, "too_young"),
        ("date_of_birth", json!("3024-01-01"), 422, "too_young"),
        ("date_of_birth", json!("1850-01-01"), 422, "too_old"),
        ("residence", json!("Spain"), 422, "unknown_country"),
        ("residence", json!("es"), 422, "unknown_country"),
        ("residence", json!("XX"), 422, "unknown_country"),
        ("nationality", json!(["MX"]), 400, "wrong_type"),
        ("language", json!("spanish please"), 422, "invalid_language"),
        ("language", json!(""), 422, "invalid_language"),
        ("lead_id", json!("lead_1"), 422, "invalid_id"),
        ("partner_code", json!(""), 422, "empty"),
        ("entity", json!(false), 400, "wrong_type"),
        ("colour", json!("red"), 400, "unknown_field"),
    ];
    for (name, value, status, code) in cases {
        let answer = expect(world.portal("/v1/clients", &with(name, value.clone())).await, status);
        assert_eq!(faults(&answer), [format!("/{name} {code}")], "{name} = {value}");
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn all_faults_are_named_at_once() {
    let world = World::start().await;
    let bad = json!({
        "email": "nobody", "phone": "1", "full_name": "", "date_of_birth": "never", "residence": "Spain", "nationality": "MX",
        "language": "x", "a/b~c": 1,
    });
    let answer = expect(world.portal("/v1/clients", &bad).await, 400);
    assert_eq!(
        faults(&answer),
        [
            "/a~1b~0c unknown_field",
            "/date_of_birth invalid_date",
            "/email invalid_email",
            "/full_name empty",
            "/language invalid_language",
            "/phone invalid_phone",
            "/residence unknown_country",
        ]
    );
    let nothing = expect(world.portal("/v1/clients", &json!({})).await, 400);
    assert_eq!(faults(&nothing).len(), 6, "{}", nothing.text);
}

#[tokio::test]
async fn personal_data_stays_out_of_the_journal() {
    let world = World::start().await;
    let id = expect(world.portal("/v1/clients", &registration()).await, 201).text_at("/client_id");
    world.account(&id, "USD").await;
    world.idle().await;
    let journal = expect(world.get("compliance", &format!("/v1/journal?client={id}")).await, 200);
    assert!(journal.json["items"].as_array().unwrap().len() >= 3);
    for personal in ["ana.lopez", "López", "600111222", "1990-05-17"] {
        assert!(!journal.text.contains(personal), "{personal}");
    }
}
