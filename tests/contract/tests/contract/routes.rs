//! The functions' own table of routes, held against the API's description, the template, and what every role gets.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use runtime::Role;
use runtime::http::{Access, RouteSpec, Scope};
use serde_json::Value;

use crate::leads::{floor, hot};
use crate::openapi;
use crate::world::{Call, World, expect, header, items};

/// Every route of every function.
fn table() -> Vec<RouteSpec> {
    broker::local::ROUTES.iter().flat_map(|package| package.iter()).flat_map(|table| table()).collect()
}

fn operation(route: &RouteSpec) -> &'static Value {
    &openapi::document()["paths"][route.path][route.method.to_lowercase()]
}

fn word(role: &Role) -> &'static str {
    match role {
        Role::Portal => "portal",
        Role::Sales => "sales",
        Role::Compliance => "compliance",
        Role::Finance => "finance",
        Role::Support => "support",
        Role::Admin => "admin",
    }
}

const ROLES: [Role; 6] = [Role::Portal, Role::Sales, Role::Compliance, Role::Finance, Role::Support, Role::Admin];

/// Says of two places that must list the same what only one of them has.
#[track_caller]
fn differ_in_nothing((one, ours): (&str, &BTreeSet<String>), (other, theirs): (&str, &BTreeSet<String>)) {
    let (missing, left): (Vec<_>, Vec<_>) = (ours.difference(theirs).collect(), theirs.difference(ours).collect());
    assert!(missing.is_empty() && left.is_empty(), "only in {one}: {missing:?}; only in {other}: {left:?}");
}

#[test]
fn the_functions_and_the_document_have_the_same_routes() {
    let routes: Vec<String> = table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let unique: BTreeSet<String> = routes.iter().cloned().collect();
    assert_eq!(unique.len(), routes.len(), "a route is answered by two: {routes:?}");
    differ_in_nothing(("the functions' ROUTES", &unique), ("infra/openapi.yaml", &openapi::operations()));
}

#[tokio::test]
async fn the_functions_and_the_template_have_the_same_routes() {
    let world = World::start().await;
    let functions = world.broker.host.template().functions.values();
    let deployed: BTreeSet<String> = functions
        .flat_map(|function| {
            let line = |route: &host::template::Route| format!("{} {} {}", function.handler, route.method, route.path);
            function.routes.iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    let own: BTreeSet<String> =
        table().iter().map(|route| format!("{} {} {}", route.function, route.method, route.path)).collect();
    differ_in_nothing(
        ("the functions' ROUTES", &own),
        ("openapi.yaml's integrations of the stacks' functions", &deployed),
    );
}

#[test]
fn the_document_says_of_every_route_who_may_call_it() {
    for route in table() {
        let name = format!("{} {}", route.method, route.path);
        let (operation, security) = (operation(&route), &operation(&route)["security"]);
        let roles: Option<BTreeSet<&str>> =
            operation["x-roles"].as_array().map(|roles| roles.iter().map(|role| role.as_str().unwrap()).collect());
        let schemes: Option<Vec<&String>> = security
            .as_array()
            .map(|any_of| any_of.iter().flat_map(|all_of| all_of.as_object().unwrap().keys()).collect());
        match route.access {
            Access::Token(allowed, _) => {
                assert!(security.is_null(), "{name} wants a token, as the document does by default");
                assert_eq!(roles, Some(allowed.iter().map(word).collect()), "{name}");
            }
            Access::Open | Access::Session => {
                assert_eq!(schemes, Some(Vec::new()), "{name} wants nothing");
                assert_eq!(roles, None, "{name}");
            }
            Access::Signed => {
                let schemes = schemes.unwrap_or_default();
                assert!(
                    !schemes.is_empty() && !schemes.iter().any(|scheme| *scheme == "bearer"),
                    "{name}: infra/openapi.yaml has no scheme of its own in `security`: {schemes:?}"
                );
                assert_eq!(roles, None, "{name}");
            }
        }
        let named: BTreeSet<&str> =
            route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let one_client = matches!(route.access, Access::Token(_, Scope::OneClient));
        assert_eq!(one_client, named.contains("client_id"), "{name}: a client in the path is a client that is checked");
    }
    assert_eq!(openapi::document()["security"], serde_json::json!([{"bearer": []}]));
}

/// What stands in the paths: everything belongs to one client.
struct Scene {
    names: BTreeMap<&'static str, String>,
    client: String,
}

async fn scene(world: &World) -> Scene {
    let trader = world.trader("USD").await;
    let payment = world.deposit(&trader, "100.00", "stripe").await;
    // less was paid, so that finance has something to decide
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 9_000, "usd")).await, 200);
    let lead = world.submit(hot("MX")).await;
    world.idle().await;
    let work = world.work_of(&payment.id).await[0]["work_id"].as_str().unwrap().to_owned();
    let messages = world.get("portal", &format!("/v1/clients/{}/notifications", trader.client)).await;
    let message = items(&messages)[0]["id"].as_str().unwrap().to_owned();
    let changes = format!("/v1/accounts/{}/changes", trader.account);
    let wish = serde_json::json!({"leverage": 20});
    let change = expect(world.portal(&changes, &wish).await, 202).text_at("/change_id");
    world.idle().await;
    let case = crate::compliance::case_of(world, &trader).await;
    let task = world.lead(&lead).await["assignment"]["task_id"].as_str().map(str::to_owned);
    let partner = crate::partners::apply(world, serde_json::json!({"client_id": trader.client})).await;
    let pays = crate::partner_payouts::seeded(world, &partner).await;
    let replay = crate::replays::replay_of(world, &work).await;
    let names = BTreeMap::from([
        ("statement_id", pays.statement),
        ("dispute_id", pays.dispute),
        ("run_id", pays.run),
        ("client_id", trader.client.clone()),
        ("change_id", change),
        ("account_id", trader.account),
        ("payment_id", payment.id),
        ("notification_id", message),
        ("work_id", work),
        ("document_id", crate::kyc::uploaded(world, &trader.client).await),
        ("lead_id", lead),
        ("task_id", task.unwrap_or_else(|| "tsk_00000000000000000000000000".to_owned())),
        ("agent_id", "agt_anna_weber".to_owned()),
        ("partner_id", partner),
        ("psp", "stripe".to_owned()),
        ("platform", "mt5".to_owned()),
        ("vendor", "sumsub".to_owned()),
        ("list", "ofac_sdn".to_owned()),
        ("report_id", crate::compliance::report_of(world, &case).await),
        ("case_id", case),
        ("replay_id", replay),
        ("set", "psps".to_owned()),
        ("version", "1".to_owned()),
        ("journey", "inactive".to_owned()),
        ("token", "no-token-of-ours".to_owned()),
    ]);
    Scene { names, client: trader.client }
}

impl Scene {
    fn call(&self, route: &RouteSpec) -> Call {
        let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            // vendors of messages are others than those of identity checks
            Some("vendor") if route.path.starts_with("/v1/webhooks/messaging/") => "twilio".to_owned(),
            Some(name) => self.names[name].clone(),
            None => part.to_owned(),
        };
        let path: Vec<String> = route.path.split('/').map(part).collect();
        let path = path.join("/");
        // a journal is asked for by something
        let path = if route.path == "/v1/journal" { format!("{path}?client={}", self.client) } else { path };
        match route.method {
            "GET" => Call::get(&path),
            method => Call::json(Method::from_bytes(method.as_bytes()).unwrap(), &path, &serde_json::json!({})),
        }
    }
}

/// Of the roles that the table lets in to a work item, those of its queue go on, and to a rule set those whose business it is.
fn goes_on(route: &RouteSpec, role: &Role) -> bool {
    let of_finance =
        ["/v1/work/{work_id}/actions", "/v1/rules/{set}/drafts", "/v1/rules/{set}/versions/{version}/publish"];
    !of_finance.contains(&route.path) || matches!(role, Role::Finance | Role::Admin)
}

#[tokio::test]
async fn every_route_gives_every_role_what_the_table_says() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let scene = scene(&world).await;
    let other = world.client("en").await;
    let before = world.stored().await;
    let mut wanted = 0;
    for route in table() {
        let Access::Token(roles, scope) = route.access else { continue };
        wanted += 1;
        let (call, name) = (scene.call(&route), format!("{} {}", route.method, route.path));
        let refused = if route.unseen { 404 } else { 403 };
        let with = |token: &str| world.send(call.clone().token(token).key("k"));
        let missing = expect(world.send(call.clone().key("k")).await, 401);
        assert_eq!(header(&missing, "www-authenticate"), Some("Bearer"), "{name}");
        expect(with("garbage").await, 401);
        for role in ROLES.iter().filter(|role| !roles.contains(role)) {
            for client in [None, Some(scene.client.as_str())] {
                let answer = with(&world.mint("somebody", &[word(role)], client)).await;
                assert_eq!(answer.status, refused, "{role:?} on {name}: {}", answer.text);
            }
        }
        let all: Vec<&str> = roles.iter().map(word).collect();
        let bound_to_another = with(&world.mint("somebody", &all, Some(&other))).await;
        assert_eq!(bound_to_another.status, refused, "bound to another on {name}: {}", bound_to_another.text);
        if scope == Scope::Everybody {
            let bound = with(&world.mint("somebody", &all, Some(&scene.client))).await;
            assert_eq!(bound.status, refused, "bound on {name}: {}", bound.text);
        }
    }
    assert_eq!(before, world.stored().await, "whoever may not changes nothing");
    for route in table() {
        let Access::Token(roles, scope) = route.access else { continue };
        let (call, name) = (scene.call(&route), format!("{} {}", route.method, route.path));
        for role in roles.iter().filter(|role| goes_on(&route, role)) {
            for client in [None, Some(scene.client.as_str()).filter(|_| scope != Scope::Everybody)] {
                let token = world.mint("somebody", &[word(role)], client);
                let answer = world.send(call.clone().token(&token).key("k")).await;
                assert!(![401, 403, 404].contains(&answer.status), "{role:?} on {name}: {}", answer.text);
            }
        }
    }
    assert!(wanted > 20, "{wanted} routes want a token");
}

#[tokio::test]
async fn a_public_route_wants_its_signature_and_cares_for_no_token() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let scene = scene(&world).await;
    let before = world.stored().await;
    // pages are answered as pages, see `console`
    for route in table().into_iter().filter(|route| route.access != Access::Session) {
        let name = format!("{} {}", route.method, route.path);
        let call = scene.call(&route);
        for call in [call.clone(), call.clone().token("garbage"), call.token(world.broker.token("admin"))] {
            let answer = world.send(call).await;
            match route.access {
                Access::Token(..) | Access::Session => break,
                Access::Open => assert_eq!(answer.status, 200, "{name}: {}", answer.text),
                // a link is its own proof: one that is not ours is none
                Access::Signed if route.path.starts_with("/v1/unsubscribe/") => {
                    assert_eq!(answer.status, 404, "{name}")
                }
                Access::Signed => assert!([401, 403].contains(&answer.status), "{name}: {}", answer.text),
            }
            assert_eq!(header(&answer, "www-authenticate"), None, "{name} has no use for a token");
        }
    }
    assert_eq!(before, world.stored().await);
}
