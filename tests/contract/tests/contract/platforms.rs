//! Accounts and money on every platform that is on offer, told the same story. A new platform is a line of `PLATFORMS`.

use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, account_request, deposit_request, expect, items};

/// A platform as the seed rules have it, and the words of its simulator.
struct Platform {
    name: &'static str,
    /// Group of a live standard account in dollars.
    group: &'static str,
    server: &'static str,
    /// The simulator's operations: what creates an account, and what books money.
    create: &'static str,
    book: &'static str,
    /// Those by which a creation, and a booking, is looked up.
    find_account: &'static [&'static str],
    find_booking: &'static [&'static str],
    /// The fault by which the platform itself refuses an account.
    refuses: fn() -> Value,
    /// The recorded list of bookings, and the name of the comment in it.
    bookings: (&'static str, &'static str),
    /// The name of what the platform calls a booking in it.
    ticket: &'static str,
    /// The name of the reference in a recorded account.
    reference: &'static str,
}

const PLATFORMS: [Platform; 4] = [
    Platform {
        name: "mt5",
        group: "real\\standard-USD",
        server: "Pipworks-Live",
        create: "user_add",
        book: "trade_balance",
        find_account: &["user_logins", "user_get_batch"],
        find_booking: &["deal_get_total", "deal_get_page", "deal_get_batch"],
        refuses: || json!({"kind": "refuse", "retcode": 3}),
        bookings: ("deals", "Comment"),
        ticket: "Deal",
        reference: "comment",
    },
    Platform {
        name: "mt4",
        group: "live-USD",
        server: "Pipworks-Live4",
        create: "new_account",
        book: "trade_transaction",
        find_account: &["adm_users_request_safe"],
        find_booking: &["trades_user_history"],
        refuses: || json!({"kind": "refuse", "message": "account create failed"}),
        bookings: ("orders", "comment"),
        ticket: "order",
        reference: "comment",
    },
    Platform {
        name: "ctrader",
        group: "live-standard",
        server: "Pipworks-Live-cTrader",
        create: "trader_create",
        book: "changebalance",
        find_account: &["trader_list"],
        find_booking: &["manager_history"],
        refuses: || json!({"kind": "refuse", "code": "WRONG_LEVERAGE"}),
        bookings: ("history", "external_id"),
        ticket: "number",
        reference: "description",
    },
    Platform {
        name: "dxtrade",
        group: "live-standard",
        server: "Pipworks-Live-DXtrade",
        create: "client_create",
        book: "transfer",
        find_account: &["account_get"],
        find_booking: &["transfers"],
        refuses: || json!({"kind": "refuse", "status": 400, "retcode": 101}),
        bookings: ("transfers", "id"),
        ticket: "code",
        reference: "reference",
    },
];

impl Platform {
    /// Asks for a live account in dollars; its id.
    async fn ask(&self, world: &World, client: &str) -> String {
        let mut body = account_request("USD");
        body["platform"] = json!(self.name);
        let asked = expect(world.portal(&format!("/v1/clients/{client}/accounts"), &body).await, 202);
        assert_eq!(asked.json["status"], "requested");
        asked.text_at("/account_id")
    }

    /// A client with an open account there.
    async fn trader(&self, world: &World) -> Trader {
        let client = world.client("en").await;
        let account = self.ask(world, &client).await;
        let login = open(world, &account).await["login"].as_str().unwrap().to_owned();
        Trader { client, account, login, currency: "USD".to_owned() }
    }

    /// The accounts that bear a reference at the platform.
    async fn accounts(&self, world: &World, reference: &str) -> Vec<Value> {
        let users = world.recorded(self.name, "").await["users"].as_array().unwrap().clone();
        users.into_iter().filter(|user| user[self.reference] == reference).collect()
    }

    /// The bookings of a payment at the platform.
    async fn bookings(&self, world: &World, payment: &Payment) -> usize {
        let state = world.recorded(self.name, "").await;
        let (list, comment) = self.bookings;
        state[list].as_array().unwrap().iter().filter(|booked| booked[comment] == payment.id.as_str()).count()
    }

    async fn fault(&self, world: &World, operation: &str, fault: Value, times: u32) {
        world.faults(self.name, &json!([{"operation": operation, "fault": fault, "times": times}])).await;
    }
}

async fn shown(world: &World, account: &str) -> Value {
    world.idle().await;
    expect(world.get("portal", &format!("/v1/accounts/{account}")).await, 200).json
}

#[track_caller]
fn assert_status(shown: &Value, status: &str) {
    assert_eq!(shown["status"], status, "{shown}");
}

async fn open(world: &World, account: &str) -> Value {
    let shown = shown(world, account).await;
    assert_status(&shown, "open");
    shown
}

/// Lets everything that waits come due, and less time pass than after which a person is asked.
async fn settle(world: &World) {
    for _ in 0..4 {
        world.pass(5 * 60).await;
        world.sweep().await;
    }
}

async fn pay(world: &World, trader: &Trader) -> Payment {
    let body = deposit_request(trader, "100.00", "stripe");
    let id = expect(world.portal(&trader.deposits(), &body).await, 201).text_at("/payment_id");
    let reference = world.payment(&id).await.text_at("/psp/reference");
    let payment = Payment { id, reference };
    expect(world.stripe(&world.intent(&payment, "payment_intent.succeeded", 10_000, "usd")).await, 200);
    payment
}

#[tokio::test]
async fn an_account_opens_on_each_platform_and_its_credentials_are_shown_once() {
    let world = World::start().await;
    let client = world.client("en").await;
    for platform in &PLATFORMS {
        let account = platform.ask(&world, &client).await;
        let shown = open(&world, &account).await;
        assert_eq!((&shown["platform"], &shown["group"]), (&json!(platform.name), &json!(platform.group)));
        assert_eq!((&shown["leverage"], &shown["kind"]), (&json!(30), &json!("live")));
        assert_eq!(shown["balance"], json!({"amount": "0.00", "currency": "USD"}));
        let login = shown["login"].as_str().unwrap();
        let there = platform.accounts(&world, &account).await;
        assert_eq!(there.len(), 1);
        assert_eq!(there[0]["login"].to_string().trim_matches('"'), login);
        let path = format!("/v1/accounts/{account}/credentials");
        let hand_over = || world.send(Call::raw(&path, "").token(world.broker.token("portal")));
        let given = expect(hand_over().await, 200).json;
        assert_eq!((&given["login"], &given["server"]), (&json!(login), &json!(platform.server)));
        expect(hand_over().await, 410);
    }
    assert_eq!(items(&world.get("support", &format!("/v1/clients/{client}/accounts")).await).len(), PLATFORMS.len());
}

#[tokio::test]
async fn a_creation_that_was_done_and_not_answered_is_one_account() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let client = world.client("en").await;
        for fault in ["apply_then_drop", "apply_then_garbage"] {
            platform.fault(&world, platform.create, json!({"kind": fault}), 1).await;
            let account = platform.ask(&world, &client).await;
            open(&world, &account).await;
            assert_eq!(platform.accounts(&world, &account).await.len(), 1, "{} {fault}", platform.name);
        }
        // and where it cannot be looked up either, it is found when the platform speaks again
        platform.fault(&world, platform.create, json!({"kind": "apply_then_drop"}), 1).await;
        for operation in platform.find_account {
            platform.fault(&world, operation, json!({"kind": "drop"}), 0).await;
        }
        let account = platform.ask(&world, &client).await;
        assert_status(&shown(&world, &account).await, "unknown");
        world.pass(90).await;
        assert_status(&shown(&world, &account).await, "unknown");
        world.no_faults(platform.name).await;
        settle(&world).await;
        open(&world, &account).await;
        assert_eq!(platform.accounts(&world, &account).await.len(), 1, "{}", platform.name);
    }
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_made_again_and_is_one_account() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let client = world.client("en").await;
        platform.fault(&world, platform.create, json!({"kind": "drop"}), 1).await;
        let account = platform.ask(&world, &client).await;
        assert_status(&shown(&world, &account).await, "unknown");
        settle(&world).await;
        open(&world, &account).await;
        assert_eq!(platform.accounts(&world, &account).await.len(), 1, "{}", platform.name);
    }
}

#[tokio::test]
async fn an_account_that_the_platform_refuses_is_for_support() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        platform.fault(&world, platform.create, (platform.refuses)(), 1).await;
        let account = platform.ask(&world, &world.client("en").await).await;
        assert_status(&shown(&world, &account).await, "failed");
        let work = items(&world.get("support", "/v1/work?queue=support").await);
        assert_eq!(work.len(), 1, "{}", platform.name);
        assert_eq!(work[0]["kind"], "account_creation_refused");
        assert_eq!(work[0]["subject"]["account_id"], account.as_str());
    }
}

#[tokio::test]
async fn a_deposit_is_credited_once_whatever_becomes_of_the_answer() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let trader = platform.trader(&world).await;
        for (n, fault) in [None, Some("apply_then_drop"), Some("apply_then_garbage")].into_iter().enumerate() {
            if let Some(fault) = fault {
                platform.fault(&world, platform.book, json!({"kind": fault}), 1).await;
            }
            let payment = pay(&world, &trader).await;
            assert_eq!(world.status(&payment.id).await, "credited", "{} {fault:?}", platform.name);
            assert_eq!(platform.bookings(&world, &payment).await, 1, "{} {fault:?}", platform.name);
            let shown = open(&world, &trader.account).await;
            let balance = format!("{}.00", 100 * (n + 1));
            assert_eq!(shown["balance"], json!({"amount": balance, "currency": "USD"}), "{}", platform.name);
        }
    }
}

#[tokio::test]
async fn a_credit_whose_outcome_nobody_knows_is_found_when_the_platform_speaks_again() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let trader = platform.trader(&world).await;
        platform.fault(&world, platform.book, json!({"kind": "apply_then_drop"}), 1).await;
        for operation in platform.find_booking {
            platform.fault(&world, operation, json!({"kind": "drop"}), 0).await;
        }
        let payment = pay(&world, &trader).await;
        assert_eq!(world.status(&payment.id).await, "crediting_unknown", "{}", platform.name);
        world.no_faults(platform.name).await;
        settle(&world).await;
        assert_eq!(world.status(&payment.id).await, "credited", "{}", platform.name);
        assert_eq!(platform.bookings(&world, &payment).await, 1, "{}", platform.name);
    }
}

#[tokio::test]
async fn a_platform_that_is_away_holds_up_no_other() {
    for (away, other) in [(&PLATFORMS[0], &PLATFORMS[1]), (&PLATFORMS[1], &PLATFORMS[0])] {
        let world = World::start().await;
        let client = world.client("en").await;
        away.fault(&world, "*", json!({"kind": "drop"}), 0).await;
        let waits = away.ask(&world, &client).await;
        let opens = other.ask(&world, &client).await;
        open(&world, &opens).await;
        assert_ne!(shown(&world, &waits).await["status"], "open");
        world.pass(600).await;
        assert_ne!(shown(&world, &waits).await["status"], "open");
        world.no_faults(away.name).await;
        settle(&world).await;
        open(&world, &waits).await;
        assert_eq!(away.accounts(&world, &waits).await.len(), 1, "{}", away.name);
    }
}

/// The calls that a platform got so far.
async fn asked(world: &World, platform: &Platform) -> u64 {
    let calls = world.recorded(platform.name, "part=calls").await["calls"].clone();
    calls.as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

#[tokio::test]
async fn a_platform_that_is_down_for_an_hour_is_asked_less_and_less_and_needs_no_person_afterwards() {
    for (away, other) in PLATFORMS.iter().zip(PLATFORMS.iter().cycle().skip(1)) {
        let world = World::start().await;
        let client = world.client("en").await;
        away.fault(&world, "*", json!({"kind": "drop"}), 0).await;
        let waits = away.ask(&world, &client).await;
        let opens = other.ask(&world, &client).await;
        open(&world, &opens).await;
        let mut halves = Vec::new();
        for _ in 0..2 {
            let before = asked(&world, away).await;
            for _ in 0..30 {
                world.pass(60).await;
                world.sweep().await;
            }
            halves.push(asked(&world, away).await - before);
        }
        assert!((1..=60).contains(&halves[0]) && halves[1] < halves[0], "{}: {halves:?}", away.name);
        assert_ne!(shown(&world, &waits).await["status"], "open");
        world.no_faults(away.name).await;
        settle(&world).await;
        open(&world, &waits).await;
        assert_eq!(away.accounts(&world, &waits).await.len(), 1, "{}", away.name);
        let work = items(&world.get("support", "/v1/work?queue=support").await);
        assert!(work.is_empty(), "{}: {work:?}", away.name);
    }
}

#[tokio::test]
async fn a_platform_that_stays_away_is_a_persons() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let client = world.client("en").await;
        platform.fault(&world, "*", json!({"kind": "drop"}), 0).await;
        let waits = platform.ask(&world, &client).await;
        for _ in 0..24 {
            world.pass(5 * 60).await;
            world.sweep().await;
        }
        let work = items(&world.get("support", "/v1/work?queue=support").await);
        assert_eq!(work.len(), 1, "{}: {work:?}", platform.name);
        assert_eq!(work[0]["kind"], "account_creation_unresolved");
        assert_eq!(work[0]["subject"]["account_id"], waits.as_str());
    }
}

#[tokio::test]
async fn a_booking_is_named_as_proof_by_what_its_platform_calls_it() {
    for platform in &PLATFORMS {
        let world = World::start().await;
        let trader = platform.trader(&world).await;
        platform.fault(&world, platform.book, json!({"kind": "apply_then_drop"}), 1).await;
        for operation in platform.find_booking {
            platform.fault(&world, operation, json!({"kind": "drop"}), 0).await;
        }
        let payment = pay(&world, &trader).await;
        settle(&world).await;
        assert_eq!(world.status(&payment.id).await, "needs_review", "{}", platform.name);
        world.no_faults(platform.name).await;
        let booked = world.recorded(platform.name, "").await[platform.bookings.0].as_array().unwrap().clone();
        let ours = booked.iter().find(|one| one[platform.bookings.1] == payment.id.as_str()).unwrap();
        let ticket = ours[platform.ticket].to_string().trim_matches('"').to_owned();
        let work = world.work_of(&payment.id).await.remove(0)["work_id"].as_str().unwrap().to_owned();
        let decide = |evidence: &str| json!({"action": "mark_credited", "evidence": evidence});
        // what no booking there is called
        expect(world.act("finance", &work, &decide("by Ana")).await, 422);
        expect(world.act("finance", &work, &decide(&ticket)).await, 200);
        world.idle().await;
        assert_eq!(world.status(&payment.id).await, "credited", "{} {ticket}", platform.name);
        let shown = world.payment(&payment.id).await.json;
        assert_eq!(shown["platform"]["operation"], ticket.as_str(), "{}", platform.name);
        assert_eq!(platform.bookings(&world, &payment).await, 1, "{}", platform.name);
    }
}

#[tokio::test]
async fn a_second_password_is_given_where_the_platform_has_one() {
    let world = World::start().await;
    for platform in &PLATFORMS {
        let trader = platform.trader(&world).await;
        let path = format!("/v1/accounts/{}/credentials", trader.account);
        let given = expect(world.send(Call::raw(&path, "").token(world.broker.token("portal"))).await, 200).json;
        let has_one = matches!(platform.name, "mt5" | "mt4");
        assert_eq!(given.get("investor_password").is_some(), has_one, "{}", platform.name);
    }
}

#[tokio::test]
async fn a_ctrader_account_is_open_when_the_client_can_log_in() {
    let platform = PLATFORMS.iter().find(|platform| platform.name == "ctrader").unwrap();
    let world = World::start().await;
    for (operation, fault) in [
        ("ctid_create", "drop"),
        ("ctid_create", "apply_then_drop"),
        ("ctid_link", "drop"),
        ("ctid_link", "apply_then_drop"),
    ] {
        platform.fault(&world, operation, json!({"kind": fault}), 1).await;
        let account = platform.ask(&world, &world.client("en").await).await;
        assert_status(&shown(&world, &account).await, "unknown");
        settle(&world).await;
        open(&world, &account).await;
        let there = platform.accounts(&world, &account).await;
        assert_eq!(there.len(), 1, "{operation} {fault}");
        assert!(there[0]["user_id"].is_i64(), "{operation} {fault}: {there:?}");
    }
}
