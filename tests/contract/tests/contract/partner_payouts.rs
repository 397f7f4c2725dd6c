//! The end of a partner's month over the public API: new clients, closings, statements, runs that pay once.

use domain::partner::dispute::Dispute;
use domain::partner::fine::Fine;
use domain::partner::line::{AgreementRef, Line, LineModel};
use domain::partner::payee::{Payee, Rail};
use domain::partner::period::Period;
use domain::partner::run::{Draft, PayoutRun, Planned};
use domain::partner::statement::{Drawing, Statement};
use domain::partner::verify::{Document, verify};
use domain::{AccrualLineId, DisputeId, Money, PartnerId, PayoutRunId, Timestamp};
use serde_json::{Value, json};

use crate::partners::{agree, apply, asked, client_with, put, seen, traded};
use crate::trades::push;
use crate::world::{Trader, World, expect, faults, header, items};

pub const NOON: &str = "2026-11-23T12:00:00Z";
const DAY: u64 = 86_400;

/// A statement, a line on it that nobody disputes, a dispute of another one, and a run.
pub struct Seeded {
    pub statement: String,
    pub line: String,
    pub dispute: String,
    pub run: String,
}

/// A line that people decided.
fn line(partner: &PartnerId, n: u128, at: Timestamp) -> Line {
    let one = Money::parse("1", "USD".parse().unwrap()).unwrap();
    Line {
        id: AccrualLineId::from_bits(n),
        partner: partner.clone(),
        client: None,
        trade: None,
        at,
        period: "2026-10".parse().unwrap(),
        counted_in: "2026-10".parse().unwrap(),
        level: 1,
        model: LineModel::Adjustment,
        agreement: AgreementRef { id: "standard".to_owned(), version: 1 },
        rule_id: "seeded".to_owned(),
        base: one.amount(),
        rate: one.amount(),
        factor: one.amount(),
        fx: None,
        amount: Fine::rounded(one.amount(), one.currency()),
        held_until: None,
        reverses: None,
        why: vec![],
        own_rate: None,
        gross: None,
        entered: None,
    }
}

/// A statement of a partner and a run of somebody else's that pays him.
pub async fn seeded(world: &World, partner: &str) -> Seeded {
    let usd = |text: &str| Money::parse(text, "USD".parse().unwrap()).unwrap();
    let (partner, period): (PartnerId, Period) = (partner.parse().unwrap(), "2026-10".parse().unwrap());
    let frame = domain::decision::Frame {
        function: "partners-settle",
        execution_id: "seeded".to_owned(),
        trigger: "seeded".to_owned(),
        correlation_id: "577bf0c4-f4ee-4f88-bec9-75d9f5356309".to_owned(),
        now: world.now(),
        rules: Vec::new(),
    };
    let drawing = Drawing::new("USD".parse().unwrap());
    let facts = drawing.finish((&partner, period), (usd("1.00"), usd("0")), world.now()).unwrap();
    let statement = Statement::drawn(facts);
    let statement_id = statement.next.id.to_string();
    let lines = [1_u128, 2].map(|n| line(&partner, u128::from(world.fresh()) * 10 + n, world.now()));
    let dispute_id = DisputeId::from_bits(u128::from(world.fresh()) + 7);
    let disputed = (&lines[0], &lines[..1]);
    let dispute = Dispute::raised(dispute_id.clone(), &statement.next, disputed, "x".to_owned(), world.now());
    let partners = world.broker.partners();
    let mut commit = partners.0.commit();
    lines.iter().for_each(|line| commit.put_line(&partners, line).unwrap());
    commit.dispute_line(&partners, (&statement.next.id, &lines[0].id), &dispute_id).unwrap();
    commit.save(&partners, None, &dispute, &frame).unwrap();
    commit.send().await.unwrap();
    partners.save(None, statement, &frame).await.unwrap();
    let planned = Planned { partner_id: partner, amount: usd("1.00"), rail: Rail::Crypto };
    let payee = Payee::Crypto { currency: "USDT".to_owned(), address: "T1".to_owned() };
    let draft = Draft {
        period,
        currency: "USD".parse().unwrap(),
        rail: None,
        payouts: vec![(planned, payee)],
        left_out: vec![],
    };
    let run = PayoutRun::drafted(
        PayoutRunId::from_bits(u128::from(world.fresh()) + 7),
        draft,
        ("somebody else", world.now()),
    );
    let run = run.unwrap();
    let run_id = run.next.id.to_string();
    world.broker.partners().save(None, run, &frame).await.unwrap();
    let line = lines[1].id.to_string();
    Seeded { statement: statement_id, line, dispute: dispute_id.to_string(), run: run_id }
}

async fn verified(world: &World, partner: &str) {
    let item = asked(world, partner).await;
    expect(world.act("compliance", &item, &json!({"action": "approve"})).await, 200);
    world.idle().await;
}

/// A partner who can be paid.
pub async fn partner(world: &World, code: &str, agreement: &str, more: Value) -> String {
    let mut body = more;
    body["code"] = json!(code);
    let partner = apply(world, body).await;
    agree(world, &partner, agreement).await;
    verified(world, &partner).await;
    partner
}

fn crypto() -> Value {
    json!({"payout": {"rail": "crypto", "currency": "USDT", "address": "TQrY8tryqsYVCYS3MFbtffiPp2ccyn4STm"}})
}

fn wallet() -> Value {
    json!({"payout": {"rail": "wallet", "psp": "skrill", "email": "iris@example.com"}})
}

/// Days pass, and what is due then is done.
pub async fn days(world: &World, count: u64) {
    world.pass(count * DAY).await;
    world.sweep().await;
}

async fn draft(world: &World, body: Value) -> Value {
    world.idle().await;
    expect(world.post("finance", "/v1/payout-runs", &body).await, 201).json
}

fn id(run: &Value) -> &str {
    run["run_id"].as_str().unwrap()
}

async fn act(world: &World, who: &str, run: &Value, action: Value, status: u16) -> Value {
    let answer = world.post(who, &format!("/v1/payout-runs/{}/actions", id(run)), &action).await;
    let answer = expect(answer, status).json;
    world.idle().await;
    answer
}

async fn run(world: &World, run: &Value) -> Value {
    world.idle().await;
    expect(world.get("finance", &format!("/v1/payout-runs/{}", id(run))).await, 200).json
}

/// Approved by another person and executed.
async fn execute(world: &World, of: &Value) -> Value {
    act(world, "finance_2", of, json!({"action": "approve"}), 200).await;
    act(world, "finance", of, json!({"action": "execute"}), 200).await;
    run(world, of).await
}

/// On hold, payable, paid, carried; together what was accrued.
pub async fn balances(world: &World, partner: &str) -> [String; 4] {
    let shown = seen(world, partner).await["balances"].clone();
    let amount = |name: &str| shown[name]["amount"].as_str().unwrap().to_owned();
    let all = ["on_hold", "payable", "paid", "carried"].map(amount);
    let usd = |text: &str| Money::parse(text, "USD".parse().unwrap()).unwrap();
    let sum = all.iter().fold(usd("0"), |sum, part| sum.checked_add(&usd(part)).unwrap());
    assert_eq!(sum, usd(&amount("accrued")), "always");
    all
}

pub async fn statements(world: &World, partner: &str) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("portal", &format!("/v1/partners/{partner}/statements")).await, 200))
}

pub async fn verified_document(world: &World, statement: &Value) -> Document {
    let path = format!("/v1/statements/{}?format=document", statement["statement_id"].as_str().unwrap());
    let document: Document = serde_json::from_value(expect(world.get("portal", &path).await, 200).json).unwrap();
    assert_eq!(verify(std::slice::from_ref(&document)), []);
    document
}

#[tokio::test]
async fn a_month_is_closed_and_its_statement_bears_itself_out() {
    let world = World::at(NOON).await;
    let top = partner(&world, "top", "master", json!({})).await;
    let iris = partner(&world, "iris", "standard", json!({"parent_id": top})).await;
    let client = client_with(&world, "iris").await;
    traded(&world, &client, "trade.closed", 1, json!({"lots": "20"})).await;
    traded(&world, &client, "trade.corrected", 2, json!({"lots": "21.5"})).await;
    assert_eq!(balances(&world, &iris).await, ["0.00", "107.50", "0.00", "0.00"]);
    assert_eq!(balances(&world, &top).await, ["0.00", "0.00", "0.00", "64.50"], "less than is paid out");
    let tier = seen(&world, &iris).await["tier"].clone();
    assert_eq!((&tier["lots"], &tier["factor"], &tier["next"]["above"]), (&json!("21.5"), &json!("1"), &json!("1000")));
    assert_eq!(statements(&world, &iris).await, Vec::<Value>::new());
    // five days after the month's end, and once
    days(&world, 12).await;
    assert_eq!(statements(&world, &iris).await, Vec::<Value>::new());
    days(&world, 1).await;
    let all = statements(&world, &iris).await;
    assert_eq!(all.len(), 1);
    let head = &all[0];
    assert_eq!(
        (
            &head["period"],
            &head["lines_count"],
            &head["opening"]["amount"],
            &head["totals"]["earned"]["amount"],
            &head["closing"]["amount"]
        ),
        (&json!("2026-11"), &json!(3), &json!("0.00"), &json!("107.50"), &json!("107.50"))
    );
    let document = verified_document(&world, head).await;
    assert_eq!((document.lines.len(), document.trades.len(), document.counting.len()), (3, 1, 1));
    assert!(document.agreements.contains_key("standard@1") && document.agreements.len() == 1, "nobody else's");
    verified_document(&world, &statements(&world, &top).await[0]).await;
    // page by page it is the same
    let path = format!("/v1/statements/{}", head["statement_id"].as_str().unwrap());
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = expect(world.get("finance", &format!("{path}?limit=1&cursor={cursor}")).await, 200).json;
        pages.push(serde_json::from_value::<Document>(page.clone()).unwrap());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages.len(), verify(&pages)), (3, vec![]));
    let csv = expect(world.get("portal", &format!("{path}?format=csv")).await, 200);
    assert_eq!(header(&csv, "content-type"), Some("text/csv; charset=utf-8"));
    let rows: Vec<&str> = csv.text.lines().collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[0].starts_with("line_id,at,entered,counted_in,client,trade_id"), "{}", rows[0]);
    assert!(csv.text.contains(",-100.00,USD,"), "{}", csv.text);
    assert!(!csv.text.contains(&client), "nobody's whole id");
    expect(world.get("portal", &format!("{path}?format=xml")).await, 400);
    expect(world.get("portal", "/v1/statements/stm_00000000000000000000000000").await, 404);
    // what is late stands on the next one, with its own date, and nothing is taken from what is closed
    traded(&world, &client, "trade.corrected", 3, json!({"lots": "1", "at": "2026-11-24T10:00:00Z"})).await;
    days(&world, 31).await;
    let all = statements(&world, &iris).await;
    let told: Vec<[&Value; 3]> =
        all.iter().map(|one| [&one["period"], &one["opening"]["amount"], &one["closing"]["amount"]]).collect();
    assert_eq!(
        told,
        [[&json!("2026-12"), &json!("107.50"), &json!("5.00")], [&json!("2026-11"), &json!("0.00"), &json!("107.50")]]
    );
    let document = verified_document(&world, &all[0]).await;
    assert!(document.lines.iter().all(|line| line.counted_in.to_string() == "2026-11"), "{document:?}");
    // what is owed is in the ledger, and no more than once
    let journal = expect(
        world
            .get("finance", &format!("/v1/journal?entity={}", domain::PartnerBookId::of(&iris.parse().unwrap())))
            .await,
        200,
    );
    let outcomes: Vec<Value> = items(&journal).iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("begun"), json!("closed"), json!("closed")]);
}

#[tokio::test]
async fn a_run_pays_once_and_says_whom_it_does_not_pay() {
    let world = World::at(NOON).await;
    let top = partner(&world, "top", "master", json!({})).await;
    let iris = partner(&world, "iris", "standard", json!({"parent_id": top})).await;
    let jan = apply(&world, json!({"code": "jan"})).await;
    agree(&world, &jan, "standard").await;
    let client = client_with(&world, "iris").await;
    traded(&world, &client, "trade.closed", 1, json!({"lots": "20"})).await;
    assert_eq!(
        faults(&expect(
            world.post("finance", "/v1/payout-runs", &json!({"period": "2027-01", "rail": "cash"})).await,
            422
        )),
        ["/period in_the_future", "/rail unknown_value"]
    );
    expect(world.post("finance", "/v1/payout-runs", &json!({})).await, 400);
    let first = draft(&world, json!({"period": "2026-11"})).await;
    let again = draft(&world, json!({"period": "2026-11"})).await;
    let paid = &first["payouts"];
    assert_eq!((&first["status"], &first["total"]), (&json!("draft"), &json!({"amount": "100.00", "currency": "USD"})));
    assert_eq!(
        (paid.as_array().unwrap().len(), &paid[0]["partner_id"], &paid[0]["rail"]),
        (1, &json!(iris), &json!("bank"))
    );
    assert_eq!(
        (&first["left_out"][0]["partner_id"], &first["left_out"][0]["code"]),
        (&json!(top), &json!("below_minimum"))
    );
    let file = format!("/v1/payout-runs/{}?format=pain001", id(&first));
    expect(world.get("finance", &file).await, 409);
    act(&world, "finance", &first, json!({"action": "approve"}), 403).await;
    act(&world, "finance_2", &first, json!({"action": "execute"}), 409).await;
    act(&world, "finance", &first, json!({"action": "explode"}), 422).await;
    assert_eq!(run(&world, &first).await["status"], "draft");
    assert_eq!(act(&world, "finance_2", &first, json!({"action": "approve"}), 200).await["status"], "approved");
    // it may still be cancelled, and whoever has the file may pay by it
    expect(world.get("finance", &file).await, 409);
    assert_eq!(act(&world, "finance", &first, json!({"action": "execute"}), 200).await["status"], "executing");
    let done = run(&world, &first).await;
    assert_eq!((&done["status"], &done["payouts"][0]["status"]), (&json!("done"), &json!("paid")), "{done:#}");
    let xml = expect(world.get("finance", &file).await, 200);
    assert_eq!(header(&xml, "content-type"), Some("application/xml"));
    for wanted in
        ["pain.001.001.09", "<NbOfTxs>1</NbOfTxs>", "<IBAN>DE89370400440532013000</IBAN>", "Ccy=\"USD\">100.00<"]
    {
        assert!(xml.text.contains(wanted), "{wanted}: {}", xml.text);
    }
    assert_eq!(expect(world.get("finance", &file).await, 200).text, xml.text, "the same bytes");
    assert_eq!(balances(&world, &iris).await, ["0.00", "0.00", "100.00", "0.00"]);
    act(&world, "finance", &first, json!({"action": "execute"}), 409).await;
    act(&world, "finance", &first, json!({"action": "cancel"}), 409).await;
    let lines = items(&expect(world.get("portal", &format!("/v1/partners/{iris}/accruals")).await, 200));
    assert_eq!(lines.iter().map(|line| line["status"].clone()).collect::<Vec<_>>(), [json!("paid")]);
    // the other draft of the same money pays nobody
    let other = execute(&world, &again).await;
    assert_eq!(
        (&other["status"], &other["payouts"][0]["status"]),
        (&json!("partly_failed"), &json!("failed")),
        "{other:#}"
    );
    // and the bank gets no file of it
    expect(world.get("finance", &format!("/v1/payout-runs/{}?format=pain001", id(&again))).await, 409);
    assert_eq!(balances(&world, &iris).await, ["0.00", "0.00", "100.00", "0.00"]);
    let third = draft(&world, json!({"period": "2026-11"})).await;
    assert_eq!((&third["payouts"], &third["total"]["amount"]), (&json!([]), &json!("0.00")));
    let csv = expect(world.get("finance", &format!("/v1/payout-runs/{}?format=csv", id(&first))).await, 200);
    assert!(csv.text.contains(&format!(",{iris},100.00,USD,bank,paid,")), "{}", csv.text);
    // it comes back, once
    let payout = done["payouts"][0]["payout_id"].clone();
    let back = json!({"action": "returned", "payout_id": payout, "reason": "the account is closed"});
    assert_eq!(
        faults(&expect(
            world
                .post("finance", &format!("/v1/payout-runs/{}/actions", id(&first)), &json!({"action": "returned"}))
                .await,
            400
        )),
        ["/payout_id missing", "/reason missing"]
    );
    assert_eq!(act(&world, "finance", &first, back.clone(), 200).await["payouts"][0]["status"], "returned");
    act(&world, "finance", &first, back, 409).await;
    assert_eq!(balances(&world, &iris).await, ["0.00", "100.00", "0.00", "0.00"]);
    let fourth = draft(&world, json!({"period": "2026-11", "rail": "bank"})).await;
    assert_eq!(fourth["total"]["amount"], "100.00");
    assert_eq!(act(&world, "finance", &fourth, json!({"action": "cancel"}), 200).await["status"], "cancelled");
    // whoever is not verified earns, and is not paid
    let client = client_with(&world, "jan").await;
    let own = json!({"lots": "40", "deal": "9", "trade_id": "x"});
    traded_as(&world, &client, "trd_01m83zq1a0fbs92cmv5z42wqqz", own).await;
    let fifth = draft(&world, json!({"period": "2026-11", "currency": "USD"})).await;
    let out = fifth["left_out"].as_array().unwrap().iter().find(|out| out["partner_id"] == jan.as_str());
    assert_eq!((&out.unwrap()["code"], &out.unwrap()["amount"]["amount"]), (&json!("not_verified"), &json!("200.00")));
    // what was taken back later is set off
    let euros = draft(&world, json!({"period": "2026-11", "currency": "EUR"})).await;
    assert_eq!((&euros["payouts"], &euros["currency"]), (&json!([]), &json!("EUR")));
}

/// The same as [`traded`] of another trade.
async fn traded_as(world: &World, client: &str, trade: &str, change: Value) {
    let path = broker::local::repository().join("events/partners-accrue.json");
    let mut sample: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut body: Value = serde_json::from_str(sample["Records"][0]["body"].as_str().unwrap()).unwrap();
    let detail = &mut body["detail"];
    (detail["entity"], detail["client_id"]) = (json!(trade), json!(client));
    detail["event_id"] = json!(format!("{trade}:1:0"));
    detail["data"]["at"] = json!(world.now().to_string());
    for (key, value) in change.as_object().unwrap() {
        detail["data"][key] = value.clone();
    }
    sample["Records"][0]["body"] = json!(body.to_string());
    let answer = world.broker.host.invoke("partners-accrue", &sample).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    world.idle().await;
}

#[tokio::test]
async fn coins_and_wallets_are_sent_once_and_one_failure_leaves_the_rest_paid() {
    let world = World::at(NOON).await;
    let coins = partner(&world, "coins", "standard", crypto()).await;
    let email = partner(&world, "email", "standard", wallet()).await;
    let bank = partner(&world, "bank", "standard", json!({})).await;
    for (n, code) in ["coins", "email", "bank"].into_iter().enumerate() {
        let client = client_with(&world, code).await;
        traded_as(&world, &client, &format!("trd_01m83zq1a0fbs92cmv5z42wqq{n}"), json!({"lots": "20"})).await;
    }
    // the wallet's answer is lost: it is looked up, and not sent again
    world.faults("skrill", &json!([{"operation": "transfer", "fault": {"kind": "apply_then_drop"}}])).await;
    let drafted = draft(&world, json!({"period": "2026-11"})).await;
    assert_eq!(drafted["total"]["amount"], "300.00");
    let shown = execute(&world, &drafted).await;
    let of = |shown: &Value, partner: &str| {
        let all = shown["payouts"].as_array().unwrap().clone();
        all.into_iter().find(|payout| payout["partner_id"] == partner).unwrap()
    };
    assert_eq!(shown["status"], "executing");
    assert_eq!(
        [&of(&shown, &coins)["status"], &of(&shown, &email)["status"], &of(&shown, &bank)["status"]],
        ["sending", "sending", "paid"]
    );
    assert_eq!(balances(&world, &coins).await, ["0.00", "0.00", "100.00", "0.00"], "it has left the balance");
    for _ in 0..3 {
        world.pass(300).await;
        world.sweep().await;
    }
    let shown = run(&world, &drafted).await;
    assert_eq!(of(&shown, &email)["status"], "paid", "{shown:#}");
    let number = |shown: &Value, partner: &str| {
        let id: domain::PayoutId = of(shown, partner)["payout_id"].as_str().unwrap().parse().unwrap();
        id.at_provider().to_string()
    };
    let sent = world.recorded("skrill", &format!("payment_id={}", number(&shown, &email))).await["payouts"].clone();
    assert_eq!((sent.as_array().unwrap().len(), &sent[0]["to"]), (1, &json!("iris@example.com")));
    // the coins are refused by their provider afterwards: the balance has them again, and the run has ended
    let sent =
        world.recorded("coinspaid", &format!("payment_id={}", number(&shown, &coins))).await["withdrawals"].clone();
    assert_eq!(sent.as_array().unwrap().len(), 1, "{sent}");
    let mut callback = sent[0].clone();
    callback["status"] = json!("cancelled");
    for _ in 0..2 {
        expect(crate::coinspaid::told(&world, &callback).await, 200);
        world.idle().await;
    }
    let shown = run(&world, &drafted).await;
    assert_eq!(
        (&shown["status"], &of(&shown, &coins)["status"]),
        (&json!("partly_failed"), &json!("failed")),
        "{shown:#}"
    );
    assert_eq!(shown["ended"], json!({"paid": 2, "failed": 1}));
    assert_eq!(balances(&world, &coins).await, ["0.00", "100.00", "0.00", "0.00"]);
    assert_eq!(balances(&world, &email).await, ["0.00", "0.00", "100.00", "0.00"]);
    // the next run pays it
    let again = draft(&world, json!({"period": "2026-11"})).await;
    assert_eq!((again["payouts"].as_array().unwrap().len(), &again["payouts"][0]["partner_id"]), (1, &json!(coins)));
    let shown = execute(&world, &again).await;
    let sent =
        world.recorded("coinspaid", &format!("payment_id={}", number(&shown, &coins))).await["withdrawals"].clone();
    let mut callback = sent[0].clone();
    callback["status"] = json!("confirmed");
    expect(crate::coinspaid::told(&world, &callback).await, 200);
    assert_eq!(run(&world, &again).await["status"], "done");
    assert_eq!(balances(&world, &coins).await, ["0.00", "0.00", "100.00", "0.00"]);
}

/// A client whom a partner brought, with an account.
async fn brought(world: &World, partner: &str) -> Trader {
    let trader = world.trader("USD").await;
    let body = json!({"partner_id": partner, "effective_at": "2020-01-01T00:00:00Z", "reason": "his link"});
    expect(put(world, "finance", &format!("/v1/clients/{}/partner", trader.client), &body).await, 200);
    world.idle().await;
    trader
}

fn close(trader: &Trader, number: u64, lots: &str, profit: &str) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD", "side": "sell", "entry": "out",
        "lots": lots, "price": "1.09012", "profit": profit, "commission": "-7.00", "swap": "0", "currency": "USD",
        "at": "2026-11-23T12:01:00Z",
    })
}

async fn approve_identity(world: &World, client: &str) {
    crate::openings::approve(world, client).await;
    world.idle().await;
}

#[tokio::test]
async fn a_new_client_earns_an_amount_once_and_a_deposit_that_goes_back_takes_it_back() {
    let world = World::at(NOON).await;
    let iris = partner(&world, "iris", "hybrid", json!({})).await;
    let trader = brought(&world, &iris).await;
    let lines = async || {
        world.idle().await;
        let all = items(&expect(world.get("finance", &format!("/v1/partners/{iris}/accruals")).await, 200));
        all.into_iter().filter(|line| line["model"] == "cpa").collect::<Vec<_>>()
    };
    let deposit = world.credited(&trader, "300.00", 30_000).await;
    push(&world, "mt5", &[close(&trader, 1, "1.99", "5")]).await;
    assert_eq!(lines().await, Vec::<Value>::new());
    push(&world, "mt5", &[close(&trader, 2, "0.01", "5")]).await;
    assert_eq!(lines().await, Vec::<Value>::new(), "nobody knows who he is");
    approve_identity(&world, &trader.client).await;
    let all = lines().await;
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(
        (&all[0]["amount"], &all[0]["status"], &all[0]["rule_id"], &all[0]["client"]),
        (
            &json!({"amount": "150.00", "currency": "USD"}),
            &json!("held"),
            &json!("cpa/from_250"),
            &json!(trader.client)
        )
    );
    push(&world, "mt5", &[close(&trader, 3, "5", "5")]).await;
    assert_eq!(lines().await.len(), 1, "once");
    assert_eq!(balances(&world, &iris).await, ["150.00", "0.00", "0.00", "0.00"]);
    // after the hold it is to be paid; by then the share of the month has come to it
    days(&world, 31).await;
    // 7 lots with the usual spread of 12 points are 84, three commissions 21; a quarter of that is his
    assert_eq!(balances(&world, &iris).await, ["0.00", "176.25", "0.00", "0.00"]);
    let statement = &statements(&world, &iris).await[0];
    assert!(
        statement["totals"]["by_model"]["revenue"].is_object()
            && statement["totals"]["by_model"]["cpa"]["amount"] == "150.00",
        "{statement:#}"
    );
    verified_document(&world, statement).await;
    let mut dispute = world.intent(&deposit, "charge.dispute.created", 30_000, "usd");
    dispute["created"] = json!(world.now_s());
    dispute["data"]["object"] = json!({"id": "dp_1", "object": "dispute", "amount": 30_000, "currency": "usd", "payment_intent": deposit.reference});
    expect(world.stripe(&dispute).await, 200);
    let all = lines().await;
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(
        (&all[0]["status"], &all[1]["amount"]["amount"], &all[1]["reverses"]),
        (&json!("reversed"), &json!("-150.00"), &all[0]["line_id"])
    );
}

/// Plays as much as makes events of every type.
pub async fn play(world: &World) -> Vec<String> {
    let iris = partner(world, "iris", "hybrid", json!({})).await;
    let coins = partner(world, "coins", "standard", crypto()).await;
    let bank = partner(world, "bank", "standard", json!({})).await;
    let trader = brought(world, &iris).await;
    let deposit = world.credited(&trader, "300.00", 30_000).await;
    push(world, "mt5", &[close(&trader, 1, "2", "5")]).await;
    approve_identity(world, &trader.client).await;
    let mut dispute = world.intent(&deposit, "charge.dispute.created", 30_000, "usd");
    dispute["created"] = json!(world.now_s() + 1);
    dispute["data"]["object"] = json!({"id": "dp_1", "object": "dispute", "amount": 30_000, "currency": "usd", "payment_intent": deposit.reference});
    expect(world.stripe(&dispute).await, 200);
    for (n, code) in ["coins", "bank"].into_iter().enumerate() {
        let client = client_with(world, code).await;
        traded_as(world, &client, &format!("trd_01m83zq1a0fbs92cmv5z42wqq{n}"), json!({"lots": "20"})).await;
    }
    let cancelled = draft(world, json!({"period": "2026-11"})).await;
    act(world, "finance", &cancelled, json!({"action": "cancel"}), 200).await;
    let first = draft(world, json!({"period": "2026-11"})).await;
    let shown = execute(world, &first).await;
    let mut all = vec![id(&cancelled).to_owned(), id(&first).to_owned()];
    for payout in shown["payouts"].as_array().unwrap() {
        let payout_id = payout["payout_id"].as_str().unwrap();
        all.push(payout_id.to_owned());
        if payout["rail"] == "bank" {
            let back = json!({"action": "returned", "payout_id": payout_id, "reason": "closed"});
            act(world, "finance", &first, back, 200).await;
            continue;
        }
        let number = payout_id.parse::<domain::PayoutId>().unwrap().at_provider();
        let sent = world.recorded("coinspaid", &format!("payment_id={number}")).await["withdrawals"].clone();
        let mut callback = sent[0].clone();
        callback["status"] = json!("cancelled");
        expect(crate::coinspaid::told(world, &callback).await, 200);
        world.idle().await;
    }
    days(world, 13).await;
    for partner in [&iris, &coins, &bank] {
        let statement = &statements(world, partner).await[0];
        all.push(statement["statement_id"].as_str().unwrap().to_owned());
        all.push(domain::PartnerBookId::of(&partner.parse().unwrap()).to_string());
    }
    all.push(domain::AcquisitionId::of(&trader.client.parse().unwrap()).to_string());
    all
}
