//! Who may call what: roles, tokens that prove nothing, tokens that are bound to one client.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::leads::{floor, form, hot};
use crate::world::{
    Call, Payment, Trader, World, account_request, deposit_request, expect, header, items, now_s, registration,
};

const ROLES: [&str; 6] = ["portal", "sales", "compliance", "finance", "support", "admin"];
const STAFF: &[&str] = &["sales", "compliance", "finance", "support", "admin"];
const ANYBODY: &[&str] = &ROLES;
const PORTAL: &[&str] = &["portal"];
const SALES: &[&str] = &["sales", "admin"];

/// What the routes are called with.
struct Scene {
    trader: Trader,
    /// A deposit that finance must look at.
    payment: Payment,
    lead: String,
    task: String,
}

/// Every route that wants a token, with a request that is answered 2xx and whoever may send it.
async fn routes(world: &World, scene: &Scene) -> Vec<(Call, &'static [&'static str])> {
    let Scene { trader, payment, lead, task } = scene;
    world.idle().await;
    let client = format!("/v1/clients/{}", trader.client);
    let message =
        items(&world.get("portal", &format!("{client}/notifications")).await)[0]["id"].as_str().unwrap().to_owned();
    let work = world.work_of(&payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    let lead = format!("/v1/leads/{lead}");
    let note = json!({"action": "note", "note": "seen"});
    let document = crate::kyc::uploaded(world, &trader.client).await;
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    let change = expect(world.portal(&changes, &json!({"leverage": 20})).await, 202).text_at("/change_id");
    let credited = world.credited(trader, "900.00", 90_000).await;
    let to_source = |amount: &str| {
        json!({
            "account_id": trader.account, "amount": {"amount": amount, "currency": "USD"},
            "destination": {"psp": "stripe", "source_payment_id": credited.id},
        })
    };
    let withdrawal = world.portal(&trader.withdrawals(), &to_source("600.00")).await;
    let withdrawal = expect(withdrawal, 201).text_at("/payment_id");
    let kyc = format!("{client}/kyc");
    let wish = json!({"kind": "selfie", "content_type": "image/png", "bytes": 5_000});
    let file = "reference,payment_id,type,currency,amount,fee,at\nf1,,fee,USD,1.00,,\n";
    let settlement = Call::raw("/v1/reconciliation/files?psp=stripe&date=2026-11-25", file);
    let settlement = settlement.header("content-type", "text/csv");
    let rules = expect(world.get("finance", "/v1/rules/fx/versions/1").await, 200).text_at("/document");
    let draft = Call::raw("/v1/rules/fx/drafts", rules).header("content-type", "application/yaml");
    let partner = format!("/v1/partners/{}", crate::partners::apply(world, json!({})).await);
    let pays = crate::partner_payouts::seeded(world, partner.rsplit('/').next().unwrap()).await;
    let author = world.mint("somebody", &["finance"], None);
    expect(world.send(draft.clone().token(&author)).await, 201);
    let declaration = json!({"source_of_funds": "savings", "pep": false});
    let replay = crate::replays::replay_of(world, &work).await;
    let (from, to) = ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    let range = json!({"queue": "payments-credit", "from": from, "to": to, "mode": "dry_run"});
    vec![
        (Call::post(&format!("{kyc}/documents"), &wish), PORTAL),
        (Call::post(&format!("{kyc}/documents/{document}/submit"), &json!({})), PORTAL),
        (Call::post(&format!("{kyc}/declaration"), &declaration), PORTAL),
        (Call::raw(&format!("{kyc}/verification"), ""), PORTAL),
        (Call::raw(&format!("{kyc}/liveness"), ""), PORTAL),
        (Call::raw(&format!("{kyc}/liveness/result"), ""), PORTAL),
        (Call::get(&kyc), &["portal", "compliance", "admin"]),
        (Call::post("/v1/leads", &form(world, json!({}))), PORTAL),
        (Call::get(&lead), &["portal", "sales", "admin"]),
        (Call::post(&format!("{lead}/signals"), &json!({"kind": "kyc_started"})), PORTAL),
        (Call::post(&format!("{lead}/consents"), &json!({"sms": true})), PORTAL),
        (Call::post(&format!("/v1/tasks/{task}/actions"), &note), SALES),
        (Call::get("/v1/agents"), SALES),
        (Call::put("/v1/agents/agt_anna_weber/presence", &json!({"state": "busy"})), SALES),
        (Call::put("/v1/agents/agt_anna_weber/absence", &json!({"reason": "on_leave"})), &["admin"]),
        (Call::post("/v1/clients", &registration()), PORTAL),
        (Call::get(&client), ANYBODY),
        (Call::post(&format!("{client}/accounts"), &account_request("EUR")), PORTAL),
        (Call::get(&format!("{client}/accounts")), ANYBODY),
        (Call::get(&format!("/v1/accounts/{}", trader.account)), ANYBODY),
        (Call::raw(&format!("/v1/accounts/{}/credentials", trader.account), ""), PORTAL),
        (Call::post(&changes, &json!({"leverage": 20})), &["portal", "compliance", "support", "admin"]),
        (Call::get(&format!("{changes}/{change}")), ANYBODY),
        (Call::post(&trader.deposits(), &deposit_request(trader, "20.00", "stripe")), PORTAL),
        (Call::post(&trader.withdrawals(), &to_source("20.00")), PORTAL),
        (Call::post(&format!("/v1/payments/{withdrawal}/cancel"), &json!({})), PORTAL),
        (Call::get(&format!("{client}/payments")), ANYBODY),
        (Call::put(&format!("{client}/consents"), &json!({"email": true, "sms": false, "phone": false})), PORTAL),
        (Call::put(&format!("{client}/appropriateness"), &json!({"passed": true})), &["portal", "compliance", "admin"]),
        (Call::post(&format!("{client}/logins"), &json!({"at": "2026-11-25T19:59:00Z", "ip": "203.0.113.7"})), PORTAL),
        (Call::get("/v1/lists"), &["compliance", "admin"]),
        (Call::post("/v1/lists/ofac_sdn/refresh", &json!({})), &["admin"]),
        (Call::get(&format!("{client}/trades")), ANYBODY),
        (Call::get(&format!("{client}/activity")), ANYBODY),
        (Call::get(&format!("{client}/journeys")), ANYBODY),
        (Call::post("/v1/journeys/inactive/preview", &json!({"client_id": trader.client})), SALES),
        (Call::get("/v1/journeys/inactive/report"), SALES),
        (Call::get(&format!("/v1/payments/{}", payment.id)), ANYBODY),
        (Call::get(&format!("{client}/notifications")), PORTAL),
        (Call::raw(&format!("{client}/notifications/{message}/read"), ""), PORTAL),
        (Call::post("/v1/screenings", &json!({"full_name": "Emma Daniels"})), &["compliance", "admin"]),
        (Call::get("/v1/partners"), &["finance", "admin"]),
        (Call::get("/v1/payout-runs"), &["finance"]),
        (Call::get("/v1/work"), STAFF),
        (Call::post(&format!("/v1/work/{work}/actions"), &note), &["finance", "admin"]),
        (Call::get(&format!("/v1/journal?entity={}", payment.id)), STAFF),
        (Call::get(&format!("/v1/replays/{replay}")), &["support", "admin"]),
        (Call::post("/v1/replays", &range), &["support", "admin"]),
        (Call::get("/v1/reconciliation?date=2026-11-25"), &["finance"]),
        (settlement, &["finance"]),
        (Call::get("/v1/rules"), STAFF),
        (Call::get("/v1/rules/fx/versions/1"), STAFF),
        (draft, &["finance", "admin"]),
        (
            Call::post(
                "/v1/rules/withdrawals/versions/1/backtest",
                &json!({"from": "2026-11-01T00:00:00Z", "to": "2026-11-25T20:00:00Z"}),
            ),
            STAFF,
        ),
        (Call::post("/v1/partners", &crate::partners::application()), &["portal", "admin"]),
        (Call::get(&partner), &["portal", "finance", "admin"]),
        (Call::get(&format!("{partner}/tree")), &["portal", "finance", "admin"]),
        (Call::get(&format!("{partner}/accruals")), &["portal", "finance", "admin"]),
        (Call::get(&format!("{partner}/statements")), &["portal", "finance", "admin"]),
        (Call::get(&format!("/v1/statements/{}", pays.statement)), &["portal", "finance", "admin"]),
        (
            Call::post(
                &format!("/v1/statements/{}/disputes", pays.statement),
                &json!({"lines": [pays.line], "reason": "x"}),
            ),
            PORTAL,
        ),
        (Call::get(&format!("/v1/disputes/{}", pays.dispute)), &["portal", "finance", "admin"]),
        (Call::post("/v1/payout-runs", &json!({"period": "2026-11"})), &["finance"]),
        (Call::get(&format!("/v1/payout-runs/{}", pays.run)), &["finance"]),
        (Call::post(&format!("/v1/payout-runs/{}/actions", pays.run), &json!({"action": "approve"})), &["finance"]),
        (Call::post(&format!("{partner}/agreement"), &json!({"agreement_id": "standard"})), &["finance", "admin"]),
        (Call::post(&format!("{partner}/agreement/accept"), &json!({})), PORTAL),
        (
            Call::put(
                &format!("{partner}/parent"),
                &json!({"parent_id": null, "effective_at": "2026-12-01T00:00:00Z"}),
            ),
            &["admin"],
        ),
        (
            Call::put(
                &format!("{client}/partner"),
                &json!({"partner_id": null, "effective_at": "2026-12-01T00:00:00Z", "reason": "x"}),
            ),
            &["finance", "admin"],
        ),
        // for finance it is somebody's own draft
        (Call::raw("/v1/rules/fx/versions/2/publish", ""), &["admin"]),
    ]
}

async fn scene(world: &World) -> Scene {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let lead = world.submit(hot("MX")).await;
    // without an agent at work there is no task; whoever is refused is refused before it is looked for
    let task = world.lead(&lead).await["assignment"]["task_id"]
        .as_str()
        .unwrap_or("tsk_00000000000000000000000000")
        .to_owned();
    Scene { trader, payment, lead, task }
}

#[tokio::test]
async fn every_route_is_open_to_its_roles_and_to_nobody_else() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let routes = routes(&world, &scene(&world).await).await;
    for (call, allowed) in &routes {
        // those who may not come first: a refused call must leave everything as it is
        for role in ROLES.iter().filter(|role| !allowed.contains(role)) {
            let token = world.mint("somebody", &[role], None);
            let answer = world.send(call.clone().token(&token).key(&format!("k-{}", world.fresh()))).await;
            assert_eq!(answer.status, 403, "{role} on {}: {}", call.path, answer.text);
        }
    }
    for (call, allowed) in &routes {
        for role in *allowed {
            // a change is over before the next is asked for
            world.idle().await;
            let token = world.mint(&format!("{role}-1"), &[role], None);
            let answer = world.send(call.clone().token(&token).key(&format!("k-{}", world.fresh()))).await;
            assert!((200..300).contains(&answer.status), "{role} on {}: {}", call.path, answer.text);
        }
    }
    // with the public routes (health, the nine webhooks of PSPs, four of vendors of identity checks, Meta's two, Slack) and the three of the
    // console these are all
    // what is unseen answers 404 to whoever may not: `routes` tries that, and `compliance`
    let of_cases = crate::openapi::operations().iter().filter(|name| name.contains("/v1/cases")).count();
    // … and of a bridge's deals, links to unsubscribe and vendors of messages
    assert_eq!(routes.len() + 24 + of_cases, crate::openapi::operations().len());
}

#[tokio::test]
async fn a_token_without_a_role_may_nothing() {
    let world = World::start().await;
    for roles in [&[][..], &["root"], &["Portal"], &["portal "]] {
        let token = world.mint("somebody", roles, None);
        expect(world.send(Call::post("/v1/clients", &registration()).token(&token).key("k")).await, 403);
        expect(world.send(Call::get("/v1/work").token(&token)).await, 403);
    }
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Tokens that look right and prove nothing, by what is wrong with them.
fn worthless(world: &World) -> Vec<(&'static str, String)> {
    let issuer = world.broker.host.issuer();
    let claims = |name: &str, value: Value| {
        let mut claims = json!({
            "iss": issuer.issuer(), "aud": "pipworks", "sub": "portal", "roles": ["portal", "admin"], "iat": now_s(), "exp": now_s() + 600,
        });
        claims[name] = value;
        if claims[name].is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims
    };
    let good = claims("iat", json!(now_s()));
    let keys = issuer.jwks();
    let kid = keys["keys"][0]["kid"].clone();
    let none = format!("{}.{}.", encoded(&json!({"alg": "none", "typ": "JWT", "kid": kid})), encoded(&good));
    let with_public_key = |key: &[u8]| {
        let signed = format!("{}.{}", encoded(&json!({"alg": "HS256", "typ": "JWT", "kid": kid})), encoded(&good));
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let signed = |name: &str, value: Value| issuer.sign(&claims(name, value)).unwrap();
    let right = issuer.sign(&good).unwrap();
    let (head, rest) = right.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let other_body = encoded(&claims("sub", json!("admin-1")));
    let point = format!("{}{}", keys["keys"][0]["x"].as_str().unwrap(), keys["keys"][0]["y"].as_str().unwrap());
    vec![
        ("nothing", String::new()),
        ("garbage", "garbage".to_owned()),
        ("three parts of garbage", "a.b.c".to_owned()),
        ("alg none", none.clone()),
        ("alg none with the signature of another", format!("{none}{signature}")),
        ("HS256 with the key set as the secret", with_public_key(keys.to_string().as_bytes())),
        ("HS256 with the public point as the secret", with_public_key(point.as_bytes())),
        ("another body", format!("{head}.{other_body}.{signature}")),
        ("no signature", format!("{head}.{body}.")),
        ("half a signature", format!("{head}.{body}.{}", &signature[..signature.len() / 2])),
        ("expired", signed("exp", json!(now_s() - 3_600))),
        ("no expiry", signed("exp", Value::Null)),
        ("expiry as a text", signed("exp", json!("tomorrow"))),
        ("not valid yet", signed("nbf", json!(now_s() + 3_600))),
        ("a foreign issuer's name", signed("iss", json!("https://issuer.example.com"))),
        ("no issuer", signed("iss", Value::Null)),
        ("for another audience", signed("aud", json!("another-api"))),
        ("for no audience", signed("aud", Value::Null)),
        ("nobody", signed("sub", Value::Null)),
        ("roles as a text", signed("roles", json!("admin"))),
        ("bound to what is no client", signed("client_id", json!("cli_1"))),
    ]
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_answered_401_on_every_route_and_nothing_is_written() {
    let world = World::start().await;
    let routes = routes(&world, &scene(&world).await).await;
    let foreign = World::start().await;
    let mut tokens = worthless(&world);
    tokens.push(("a foreign issuer's key", foreign.mint("portal", &["portal", "admin"], None)));
    let before = world.stored().await;
    for (call, _) in &routes {
        let missing = expect(world.send(call.clone().key("k")).await, 401);
        assert_eq!(header(&missing, "www-authenticate"), Some("Bearer"));
        for scheme in ["Basic cG9ydGFsOnBvcnRhbA==", "Bearer", "bearer", "Token abc"] {
            expect(world.send(call.clone().key("k").header("authorization", scheme)).await, 401);
        }
    }
    for (what, token) in &tokens {
        for (call, _) in routes.iter().take(3).chain(routes.iter().rev().take(2)) {
            let answer = world.send(call.clone().token(token).key("k")).await;
            assert_eq!(answer.status, 401, "{what} on {}: {}", call.path, answer.text);
        }
    }
    assert_eq!(before, world.stored().await);
}

#[tokio::test]
async fn a_good_token_is_read_as_the_standard_says() {
    let world = World::start().await;
    let client = world.client("en").await;
    let issuer = world.broker.host.issuer();
    let claims = |aud: Value| json!({"iss": issuer.issuer(), "aud": aud, "sub": "x", "roles": ["support", "unknown"], "exp": now_s() + 60});
    for aud in [json!("pipworks"), json!(["another", "pipworks"])] {
        let token = issuer.sign(&claims(aud)).unwrap();
        let path = format!("/v1/clients/{client}");
        expect(world.send(Call::get(&path).token(&token)).await, 200);
        expect(world.send(Call::get(&path).header("authorization", &format!("bearer {token}"))).await, 200);
    }
}

#[tokio::test]
async fn a_token_of_one_client_reaches_no_other() {
    let world = World::start().await;
    let scene = scene(&world).await;
    let own = world.client("en").await;
    let bound = world.mint("trader-room", &["portal"], Some(&own));
    let routes = routes(&world, &scene).await;
    let before = world.stored().await;
    for (call, allowed) in routes {
        if allowed.contains(&"portal") {
            let answer = world.send(call.clone().token(&bound).key("k")).await;
            assert_eq!(answer.status, 403, "{}: {}", call.path, answer.text);
        }
    }
    // what is about nobody in particular is not for a token of one client either
    let staff = world.mint("odd", &["admin", "finance"], Some(&own));
    let work = world.work_of(&scene.payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    for call in [
        Call::get("/v1/work"),
        Call::get(&format!("/v1/journal?client={}", scene.trader.client)),
        Call::post(&format!("/v1/work/{work}/actions"), &json!({"action": "claim"})),
    ] {
        expect(world.send(call.token(&staff)).await, 403);
    }
    assert_eq!(before, world.stored().await);
    for path in [
        format!("/v1/clients/{own}"),
        format!("/v1/clients/{own}/accounts"),
        format!("/v1/clients/{own}/notifications"),
    ] {
        expect(world.send(Call::get(&path).token(&bound)).await, 200);
    }
}

#[tokio::test]
async fn health_needs_no_token_and_tells_the_version() {
    let world = World::start().await;
    let answer = expect(world.send(Call::get("/health")).await, 200);
    assert_eq!(answer.json["status"], "ok");
    assert_eq!(answer.json["version"], env!("CARGO_PKG_VERSION"));
    expect(world.send(Call::get("/health").token("garbage")).await, 200);
}
