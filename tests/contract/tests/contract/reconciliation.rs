//! Settlement files: what is read of them, and what differs from the ledger.

use broker::api::Answer;
use domain::Day;
use serde_json::{Value, json};

use crate::world::{Call, Payment, Trader, World, expect, faults, header, items};

const HEADER: &str = "reference,payment_id,type,currency,amount,fee,at";
/// Noon: nothing of the day is late.
const NOON: &str = "2026-11-23T12:00:00Z";
const DAY: &str = "2026-11-23";
const NEXT: &str = "2026-11-24";

fn csv(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn row(reference: &str, payment: &str, kind: &str, amount: &str) -> String {
    format!("{reference},{payment},{kind},USD,{amount},,")
}

fn call(world: &World, psp: &str, date: &str, body: impl Into<Vec<u8>>, key: &str) -> Call {
    let path = format!("/v1/reconciliation/files?psp={psp}&date={date}");
    Call::raw(&path, body).header("content-type", "text/csv").token(world.broker.token("finance")).key(key)
}

async fn send(world: &World, psp: &str, date: &str, body: impl Into<Vec<u8>>) -> Answer {
    let key = format!("file-{}", world.fresh());
    let answer = world.send(call(world, psp, date, body, &key)).await;
    world.idle().await;
    answer
}

async fn upload(world: &World, date: &str, rows: &[String]) -> Value {
    expect(send(world, "stripe", date, csv(rows)).await, 202).json
}

async fn report(world: &World, date: &str) -> Value {
    expect(world.get("finance", &format!("/v1/reconciliation?date={date}")).await, 200).json
}

/// The breaks of a day as `class status amount`, sorted.
async fn breaks(world: &World, date: &str) -> Vec<String> {
    let report = report(world, date).await;
    let told = |own: &Value| {
        let text = |name: &str| own[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("class"), text("status"), own["amount"]["amount"].as_str().unwrap())
    };
    let mut all: Vec<String> = report["breaks"].as_array().unwrap().iter().map(told).collect();
    all.sort();
    all
}

/// What finance is asked about breaks: the work items' ids by class, sorted.
async fn asked(world: &World) -> Vec<(String, Value)> {
    let all = items(&world.get("finance", "/v1/work?queue=finance&status=open&limit=100").await);
    let own = all.into_iter().filter(|item| item["kind"] == "reconciliation_break");
    let mut asked: Vec<(String, Value)> =
        own.map(|item| (item["trigger"]["data"]["class"].as_str().unwrap().to_owned(), item)).collect();
    asked.sort_by(|a, b| a.0.cmp(&b.0));
    asked
}

/// The differences of a report without their ages, which go on.
fn ageless(mut report: Value) -> Value {
    let mut breaks = report["breaks"].take();
    for own in breaks.as_array_mut().unwrap() {
        own.as_object_mut().unwrap().remove("age_s");
    }
    breaks
}

async fn classes(world: &World) -> Vec<String> {
    asked(world).await.into_iter().map(|(class, _)| class).collect()
}

async fn credited(world: &World, trader: &Trader, dollars: u32) -> Payment {
    world.credited(trader, &format!("{dollars}.00"), i64::from(dollars) * 100).await
}

/// A settlement that makes an event of its types; its id.
pub async fn play(world: &World) -> String {
    let today = Day::of(world.now());
    upload(world, &today.to_string(), &[row("play", "", "payment", "77.00")]).await;
    let stripe = domain::reconciliation::Source::Psp("stripe".to_owned());
    domain::reconciliation::Settlement::id_of(&stripe, today).to_string()
}

#[tokio::test]
async fn a_day_is_told_before_and_after_its_file() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let empty = report(&world, DAY).await;
    assert_eq!((&empty["breaks"], &empty["date"]), (&json!([]), &json!(DAY)));
    assert_eq!(empty["sources"], json!([{"name": "clients", "kind": "ledger", "counted": 0, "total": []}]));
    let deposit = credited(&world, &trader, 400).await;
    let body = json!({
        "account_id": trader.account, "amount": {"amount": "150.00", "currency": "USD"},
        "destination": {"psp": "stripe", "source_payment_id": deposit.id},
    });
    let own = expect(world.portal(&trader.withdrawals(), &body).await, 201).text_at("/payment_id");
    assert_eq!(world.status(&own).await, "paid_out");
    let usd = |amount: &str| json!([{"amount": amount, "currency": "USD"}]);
    let before = report(&world, DAY).await;
    let ledger = json!({"name": "stripe", "kind": "ledger", "counted": 2, "total": usd("250.00")});
    let clients = json!({"name": "clients", "kind": "ledger", "counted": 2, "total": usd("250.00")});
    assert_eq!(before["sources"], json!([ledger, clients]));
    let rows = [row("t1", &deposit.id, "payment", "400.00"), row("t2", &own, "refund", "150.00")];
    let taken = upload(&world, DAY, &rows).await;
    assert_eq!((&taken["read"], &taken["refused"], &taken["total"]), (&json!(2), &json!(0), &usd("250.00")));
    let after = report(&world, DAY).await;
    let file = json!({"name": "stripe", "kind": "psp", "counted": 2, "total": usd("250.00")});
    assert_eq!(after["sources"], json!([file, ledger, clients]));
    assert_eq!((&after["breaks"], classes(&world).await), (&json!([]), vec![]));
    // of another day nothing is told
    assert_eq!(report(&world, NEXT).await["sources"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn stripes_refund_of_a_deposit_is_the_withdrawal_that_it_pays() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = credited(&world, &trader, 400).await;
    let body = json!({
        "account_id": trader.account, "amount": {"amount": "150.00", "currency": "USD"},
        "destination": {"psp": "stripe", "source_payment_id": deposit.id},
    });
    let own = expect(world.portal(&trader.withdrawals(), &body).await, 201).text_at("/payment_id");
    assert_eq!(world.status(&own).await, "paid_out");
    let refund = world.payment(&own).await.text_at("/psp/reference");
    let header = "balance_transaction_id,created_utc,reporting_category,currency,gross,fee,net,source_id,payment_intent_id,payment_metadata[payment_id]";
    let (pi, id) = (&deposit.reference, &deposit.id);
    let file = format!(
        "{header}\ntxn_1,2026-11-23 12:00:00,charge,usd,400.00,12.00,388.00,ch_1,{pi},{id}\n\
         txn_2,2026-11-23 12:00:00,refund,usd,-150.00,0.00,-150.00,{refund},{pi},{id}\n\
         txn_3,2026-11-23 12:00:00,payout,usd,-238.00,0.00,-238.00,po_1,,\n"
    );
    let taken = expect(send(&world, "stripe", DAY, file).await, 202).json;
    assert_eq!((&taken["format"], &taken["read"], &taken["ignored"]), (&json!("stripe"), &json!(2), &json!(1)));
    assert_eq!(breaks(&world, DAY).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_class_of_difference_is_one_item_that_closes_itself() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let (over, under, gone) = (
        credited(&world, &trader, 100).await,
        credited(&world, &trader, 200).await,
        credited(&world, &trader, 300).await,
    );
    let (euros, twice, good) = (
        credited(&world, &trader, 400).await,
        credited(&world, &trader, 500).await,
        credited(&world, &trader, 50).await,
    );
    let pending = world.deposit(&trader, "60.00", "stripe").await;
    let rows = [
        row("t1", &over.id, "payment", "110.00"),
        row("t2", &under.id, "payment", "180.00"),
        format!("t3,{},payment,EUR,400.00,,", euros.id),
        row("t4", &twice.id, "payment", "500.00"),
        row("t5", &twice.id, "payment", "500.00"),
        row("t6", &pending.id, "payment", "60.00"),
        row("t7", "", "payment", "70.00"),
        row("t8", &good.id, "payment", "50.00"),
    ];
    upload(&world, DAY, &rows).await;
    let wanted = [
        "currency open 400.00",
        "duplicate open 500.00",
        "missing_here open 70.00",
        "missing_there open 300.00",
        "over open 10.00",
        "status_differs open 60.00",
        "under open 20.00",
    ];
    assert_eq!(breaks(&world, DAY).await, wanted);
    let told = asked(&world).await;
    let of_items: Vec<&str> = told.iter().map(|(class, _)| class.as_str()).collect();
    let of_breaks: Vec<&str> = wanted.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(of_items, of_breaks);
    // the report names the item, the item the payment and what mends it
    let day = report(&world, DAY).await;
    for own in day["breaks"].as_array().unwrap() {
        let (_, item) = told.iter().find(|(class, _)| own["class"] == class.as_str()).unwrap();
        assert_eq!(own["work_id"], item["work_id"], "{own}");
        assert_eq!(own.get("payment_id"), item["subject"].get("payment_id"), "{own}");
        assert_eq!(own["repair"], item["trigger"]["data"]["repair"]);
        assert_eq!(item["subject"]["break_id"], own["break_id"]);
        assert_eq!(
            (&item["runbook"], &item["options"][0]["action"]),
            (&json!("reconciliation_break"), &json!("close"))
        );
    }
    // the same again, and compared again: nothing is new
    upload(&world, DAY, &rows).await;
    assert_eq!(ageless(report(&world, DAY).await), ageless(day));
    world.pass(3_700).await;
    world.sweep().await;
    assert_eq!(asked(&world).await.len(), wanted.len());
    // the right file: what was missing is there, what was wrong is right, and the payer of the pending one is heard
    let right = [
        row("t1", &over.id, "payment", "100.00"),
        row("t2", &under.id, "payment", "200.00"),
        row("t3", &euros.id, "payment", "400.00"),
        row("t4", &twice.id, "payment", "500.00"),
        row("t6", &pending.id, "payment", "60.00"),
        row("t8", &good.id, "payment", "50.00"),
        row("t9", &gone.id, "payment", "300.00"),
    ];
    upload(&world, DAY, &right).await;
    assert_eq!(classes(&world).await, ["status_differs"]);
    expect(world.stripe(&world.intent(&pending, "payment_intent.succeeded", 6_000, "usd")).await, 200);
    assert_eq!(world.status(&pending.id).await, "credited");
    world.pass(3_700).await;
    world.sweep().await;
    assert_eq!(classes(&world).await, Vec::<String>::new());
    assert!(breaks(&world, DAY).await.iter().all(|line| line.contains(" resolved ")));
    assert_eq!(breaks(&world, DAY).await.len(), wanted.len());
}

#[tokio::test]
async fn what_stands_a_day_apart_is_no_difference() {
    let world = World::at("2026-11-23T22:30:00Z").await;
    let trader = world.trader("USD").await;
    let (late, lost) = (credited(&world, &trader, 100).await, credited(&world, &trader, 200).await);
    upload(&world, DAY, &[row("t0", "", "fee", "1.00")]).await;
    // it was booked late: the next day's file may have it
    assert_eq!(breaks(&world, DAY).await, ["late waiting 100.00", "late waiting 200.00"]);
    assert_eq!(classes(&world).await, Vec::<String>::new());
    world.pass(86_400).await;
    upload(&world, NEXT, &[row("t1", &late.id, "payment", "100.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["late resolved 100.00", "missing_there open 200.00"]);
    assert_eq!(breaks(&world, NEXT).await, Vec::<String>::new());
    assert_eq!(asked(&world).await[0].1["subject"]["payment_id"], lost.id.as_str());
    // settled a week later: both sides have it, and too far apart to be left to itself
    world.pass(7 * 86_400).await;
    upload(&world, "2026-12-01", &[row("t2", &lost.id, "payment", "200.00")]).await;
    assert_eq!(breaks(&world, "2026-12-01").await, ["late open 200.00"]);
}

#[tokio::test]
async fn a_next_file_that_never_comes_is_not_waited_for_for_ever() {
    let world = World::at("2026-11-23T22:30:00Z").await;
    let trader = world.trader("USD").await;
    credited(&world, &trader, 100).await;
    upload(&world, DAY, &[row("t0", "", "fee", "1.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["late waiting 100.00"]);
    for _ in 0..3 {
        world.pass(86_400).await;
        world.sweep().await;
    }
    assert_eq!(breaks(&world, DAY).await, ["missing_there open 100.00"]);
}

#[tokio::test]
async fn a_person_lets_a_difference_stand_and_another_one_is_told() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = credited(&world, &trader, 100).await;
    upload(&world, DAY, &[row("t1", &deposit.id, "payment", "90.00")]).await;
    let item = asked(&world).await.remove(0).1;
    let close = json!({"action": "close", "note": "the provider kept its fee"});
    expect(world.act("finance", item["work_id"].as_str().unwrap(), &close).await, 200);
    world.idle().await;
    assert_eq!(breaks(&world, DAY).await, ["under closed 10.00"]);
    upload(&world, DAY, &[row("t2", &deposit.id, "payment", "90.00")]).await;
    assert_eq!((breaks(&world, DAY).await, classes(&world).await.len()), (vec!["under closed 10.00".to_owned()], 0));
    upload(&world, DAY, &[row("t1", &deposit.id, "payment", "80.00")]).await;
    assert_eq!((breaks(&world, DAY).await, classes(&world).await.len()), (vec!["under open 20.00".to_owned()], 1));
    assert_eq!(world.status(&deposit.id).await, "credited", "nothing was moved");
    let letters = items(&world.get("support", "/v1/work?queue=support&limit=100").await);
    assert_eq!(letters, Vec::<Value>::new(), "no message was given up");
}

#[tokio::test]
async fn a_file_is_taken_once_and_another_takes_its_place() {
    let world = World::at(NOON).await;
    let file = csv(&[row("t1", "", "payment", "70.00")]);
    let first = expect(world.send(call(&world, "stripe", DAY, file.clone(), "k1")).await, 202);
    let again = expect(world.send(call(&world, "stripe", DAY, file.clone(), "k1")).await, 202);
    assert_eq!((header(&again, "idempotency-replayed"), &again.json), (Some("true"), &first.json));
    let other = csv(&[row("t2", "", "payment", "80.00")]);
    expect(world.send(call(&world, "stripe", DAY, other.clone(), "k1")).await, 422);
    expect(world.send(call(&world, "stripe", NEXT, file.clone(), "k1")).await, 422);
    world.idle().await;
    assert_eq!(breaks(&world, DAY).await, ["missing_here open 70.00"]);
    expect(world.send(call(&world, "stripe", DAY, other, "k2")).await, 202);
    world.idle().await;
    assert_eq!(breaks(&world, DAY).await, ["missing_here open 80.00", "missing_here resolved 70.00"]);
    // a repeat of the first is answered, and not taken again
    assert_eq!(expect(world.send(call(&world, "stripe", DAY, file.clone(), "k1")).await, 202).json, first.json);
    world.idle().await;
    assert_eq!(classes(&world).await.len(), 1);
    assert_eq!(breaks(&world, DAY).await, ["missing_here open 80.00", "missing_here resolved 70.00"]);
    // whoever means it sends it anew
    expect(world.send(call(&world, "stripe", DAY, file, "k3")).await, 202);
    world.idle().await;
    assert_eq!(breaks(&world, DAY).await, ["missing_here open 70.00", "missing_here resolved 80.00"]);
}

#[tokio::test]
async fn a_hundred_rows_with_a_bad_one_are_ninety_nine() {
    let world = World::at(NOON).await;
    let mut rows: Vec<String> = (0..100).map(|n| row(&format!("t{n}"), "", "fee", "1.00")).collect();
    rows[41] = row("t41", "", "payment", "a lot");
    let taken = upload(&world, DAY, &rows).await;
    assert_eq!((&taken["read"], &taken["ignored"], &taken["refused"]), (&json!(0), &json!(99), &json!(1)));
    let message = "amount is no plain decimal such as 1250.00";
    assert_eq!(taken["refusals"], json!([{"line": 43, "code": "bad_amount", "message": message}]));
}

#[tokio::test]
async fn a_file_of_the_wrong_day_floods_nobody() {
    let world = World::at(NOON).await;
    let rows: Vec<String> = (0..600).map(|n| row(&format!("t{n:03}"), "", "payment", "1.00")).collect();
    upload(&world, DAY, &rows).await;
    let day = report(&world, DAY).await;
    assert_eq!((day["breaks"].as_array().unwrap().len(), &day["left_out"]), (500, &json!(100)));
    upload(&world, DAY, &[row("t0", "", "fee", "1.00")]).await;
    let day = report(&world, DAY).await;
    assert!(day["breaks"].as_array().unwrap().iter().all(|own| own["status"] == "resolved"));
    assert_eq!((&day["left_out"], classes(&world).await.len()), (&json!(0), 0));
}

#[tokio::test]
async fn what_is_no_settlement_file_is_refused_with_a_reason() {
    let world = World::at(NOON).await;
    let good = csv(&[row("t1", "", "payment", "70.00")]);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [good.as_bytes(), b"caf\xe9,,payment,USD,1.00,,\n"].concat();
    for (body, code) in [
        (utf16, "unsupported_encoding"),
        (latin, "unsupported_encoding"),
        (b" ".to_vec(), "empty"),
        (b"a,b\n1,2\n".to_vec(), "unknown_columns"),
    ] {
        let refused = expect(send(&world, "stripe", DAY, body).await, 422);
        assert_eq!(faults(&refused), [format!(" {code}")]);
    }
    // what is written otherwise and is the same
    for body in [format!("\u{feff}{}", good.replace('\n', "\r\n")), good.replace(',', ";")] {
        assert_eq!(expect(send(&world, "stripe", DAY, body).await, 202).json["read"], 1);
    }
    let unknown = expect(send(&world, "nobody", DAY, good.clone()).await, 422);
    assert_eq!(faults(&unknown), ["/psp unknown_psp"]);
    assert!(unknown.json["errors"][0]["allowed_values"].as_array().unwrap().contains(&json!("stripe")));
    assert_eq!(faults(&expect(send(&world, "stripe", "2027-01-01", good.clone()).await, 422)), ["/date out_of_range"]);
    for date in ["", "yesterday", "2026-11-31", "20261123", "2026-11-23T00:00:00Z"] {
        expect(send(&world, "stripe", date, good.clone()).await, 400);
        expect(world.get("finance", &format!("/v1/reconciliation?date={date}")).await, 400);
    }
    expect(world.get("finance", "/v1/reconciliation").await, 400);
    expect(send(&world, "", DAY, good.clone()).await, 400);
    let path = format!("/v1/reconciliation/files?psp=stripe&date={DAY}");
    expect(world.post("finance", &path, &json!({})).await, 415);
    let call = Call::raw(&path, good).header("content-type", "text/csv").token(world.broker.token("finance"));
    expect(world.send(call).await, 400);
    let large = vec![b'a'; 4 * 1024 * 1024 + 1];
    expect(send(&world, "stripe", DAY, large).await, 413);
    for who in ["support", "admin", "compliance", "sales", "portal"] {
        expect(world.get(who, &format!("/v1/reconciliation?date={DAY}")).await, 403);
        expect(world.post(who, &path, &json!({})).await, 403);
    }
}

#[tokio::test]
async fn a_provider_that_settles_days_later_is_waited_for_as_long_as_its_rule_says() {
    let world = World::at(NOON).await;
    let change = |rules: &mut Value| rules["psps"][0]["settled_after_days"] = json!(2);
    world.publish(domain::rule_sets::SetName::Psps, 2, change).await;
    let trader = world.trader("USD").await;
    let (settled, lost) = (credited(&world, &trader, 100).await, credited(&world, &trader, 200).await);
    upload(&world, DAY, &[row("t0", "", "fee", "1.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["late waiting 100.00", "late waiting 200.00"]);
    let ageing =
        |n: [u32; 4]| json!({"under_1_day": n[0], "1_to_3_days": n[1], "3_to_7_days": n[2], "over_7_days": n[3]});
    assert_eq!((classes(&world).await, report(&world, DAY).await["ageing"].clone()), (vec![], ageing([2, 0, 0, 0])));
    world.pass(2 * 86_400).await;
    upload(&world, NEXT, &[row("t0", "", "fee", "1.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["late waiting 100.00", "late waiting 200.00"]);
    assert_eq!(report(&world, DAY).await["ageing"], ageing([0, 2, 0, 0]));
    upload(&world, "2026-11-25", &[row("t1", &settled.id, "payment", "100.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["late resolved 100.00", "missing_there open 200.00"]);
    assert_eq!(breaks(&world, "2026-11-25").await, Vec::<String>::new());
    assert_eq!(asked(&world).await[0].1["subject"]["payment_id"], lost.id.as_str());
}

#[tokio::test]
async fn the_days_report_is_a_table_too_and_no_cell_of_it_a_formula() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = credited(&world, &trader, 100).await;
    let rows = [row("t1", &deposit.id, "payment", "90.00"), row("=cmd|'/C calc'!A0", "", "payment", "70.00")];
    upload(&world, DAY, &rows).await;
    let path = format!("/v1/reconciliation?date={DAY}");
    let table = expect(world.get("finance", &format!("{path}&format=csv")).await, 200);
    assert_eq!(header(&table, "content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = table.text.trim_end().split("\r\n").collect();
    assert!(lines.contains(&"2026-11-23,source,stripe,psp,2,USD,160.00,,,,,,,,,,,"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains(",break,stripe,psp,,USD,")).count(), 2);
    assert!(!table.text.split([',', '\n']).any(|cell| cell.starts_with(['=', '@', '+'])), "{}", table.text);
    let by_header = Call::get(&path).header("accept", "text/csv").token(world.broker.token("finance"));
    assert_eq!(expect(world.send(by_header).await, 200).text, table.text);
    let as_json = Call::get(&format!("{path}&format=json")).header("accept", "text/csv");
    assert!(expect(world.send(as_json.token(world.broker.token("finance"))).await, 200).json["breaks"].is_array());
    expect(world.get("finance", &format!("{path}&format=xml")).await, 400);
    expect(world.get("support", &format!("{path}&format=csv")).await, 403);
}

/// What a provider's file can do wrong besides its form.
#[tokio::test]
async fn a_day_that_was_settled_twice_or_otherwise_is_told_by_what_differs() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let deposit = credited(&world, &trader, 100).await;
    let file = || vec![row("t1", &deposit.id, "payment", "100.00")];
    upload(&world, DAY, &file()).await;
    assert_eq!(breaks(&world, DAY).await, Vec::<String>::new());
    // the file of the day is sent as the next day's, too: each of its rows is settled twice
    upload(&world, NEXT, &file()).await;
    assert_eq!(breaks(&world, NEXT).await, ["duplicate open 100.00"]);
    assert_eq!(breaks(&world, DAY).await, Vec::<String>::new());
    upload(&world, NEXT, &[row("t0", "", "fee", "1.00")]).await;
    assert_eq!(breaks(&world, NEXT).await, ["duplicate resolved 100.00"]);
    // the provider corrects what it had settled
    upload(&world, DAY, &[row("t1", &deposit.id, "payment", "95.00")]).await;
    assert_eq!(breaks(&world, DAY).await, ["under open 5.00"]);
    upload(&world, DAY, &[row("t1", &deposit.id, "payment", "105.00")]).await;
    assert_eq!((breaks(&world, DAY).await, classes(&world).await.len()), (vec!["over open 5.00".to_owned()], 1));
    // and has the correction as a row of its own
    let corrected = [row("t1", &deposit.id, "payment", "95.00"), row("t2", &deposit.id, "payment", "5.00")];
    upload(&world, DAY, &corrected).await;
    assert_eq!((breaks(&world, DAY).await, classes(&world).await.len()), (vec!["over resolved 5.00".to_owned()], 0));
}

#[tokio::test]
async fn one_transaction_for_two_payments_of_ours_is_settled_once_for_each_or_told() {
    let world = World::at(NOON).await;
    let trader = world.trader("USD").await;
    let (first, second) = (credited(&world, &trader, 100).await, credited(&world, &trader, 200).await);
    // the provider's own number stands at both, each with its payment: both agree
    let rows = [row("txn", &first.id, "payment", "100.00"), row("txn", &second.id, "payment", "200.00")];
    let taken = upload(&world, DAY, &rows).await;
    assert_eq!((&taken["read"], &taken["refused"]), (&json!(2), &json!(0)));
    assert_eq!(breaks(&world, DAY).await, Vec::<String>::new());
    // it names the same payment at both: the other one is not settled
    let rows = [row("txn", &first.id, "payment", "100.00"), row("txn", &first.id, "payment", "200.00")];
    upload(&world, DAY, &rows).await;
    let told = breaks(&world, DAY).await;
    assert!(told.contains(&"missing_there open 200.00".to_owned()) && told.len() == 2, "{told:?}");
    // it names none: two sums that nobody knows, and two that are not there
    upload(&world, DAY, &[row("txn", "", "payment", "100.00"), row("txn", "", "payment", "200.00")]).await;
    let open = breaks(&world, DAY).await.into_iter().filter(|line| line.contains(" open ")).collect::<Vec<_>>();
    let wanted = [
        "missing_here open 100.00",
        "missing_here open 200.00",
        "missing_there open 100.00",
        "missing_there open 200.00",
    ];
    assert_eq!(open, wanted);
}

#[tokio::test]
async fn amounts_at_the_edge_of_their_digits_are_read_exactly_or_refused_by_themselves() {
    let world = World::at(NOON).await;
    let line = |reference: &str, currency: &str, amount: &str| format!("{reference},,payment,{currency},{amount},,");
    let rows = [
        line("good-1", "USD", "0.01"),
        line("good-2", "USD", "9999999999999.99"),
        line("good-3", "JPY", "1"),
        line("good-4", "BHD", "0.001"),
        line("good-5", "USD", "1.000"),
        line("bad-1", "USD", "0.001"),
        line("bad-2", "JPY", "1.5"),
        line("bad-3", "BHD", "0.0001"),
        line("bad-4", "USD", "79228162514264337593543950336"),
        line("bad-5", "USD", "0.00"),
        line("bad-6", "USD", "1e3"),
        line("bad-7", "USD", "NaN"),
        line("bad-8", "XXQ", "1.00"),
    ];
    let taken = upload(&world, DAY, &rows).await;
    assert_eq!((&taken["read"], &taken["refused"]), (&json!(5), &json!(8)), "{taken:#}");
    let codes: Vec<&str> =
        taken["refusals"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes[..7], ["bad_amount"; 7]);
    assert_eq!(codes[7], "unknown_currency");
    let total = |currency: &str| {
        let all = taken["total"].as_array().unwrap();
        all.iter().find(|money| money["currency"] == currency).unwrap()["amount"].as_str().unwrap().to_owned()
    };
    assert_eq!((total("USD"), total("JPY"), total("BHD")), ("10000000000001.00".into(), "1".into(), "0.001".into()));
    assert_eq!(breaks(&world, DAY).await.len(), 5);
}
