//! Journeys of clients over the public API: who gets what when, what stops it, links to unsubscribe, what vendors tell, what it comes to.

use domain::ClientId;
use domain::journey::cohort::bucket;
use domain::rule_sets::SetName;
use serde_json::{Value, json};
use simulators::sns::Kind;

use crate::trades::push;
use crate::world::{Call, Trader, World, expect, faults, items, registration};

/// Noon in Mexico City.
const NOON: &str = "2026-11-23T18:00:00Z";
const DAY: u64 = 86_400;

/// A client in Mexico who agreed to everything, with an account; one whom the journey of inactive clients treats, or holds out.
async fn client(world: &World, treated: bool) -> Trader {
    loop {
        let mut body = registration();
        body["residence"] = json!("MX");
        body["email"] = json!(format!("reader-{}@example.com", world.fresh()));
        body["phone"] = json!(format!("+5255123456{:02}", world.fresh() % 100));
        let id = expect(world.portal("/v1/clients", &body).await, 201).text_at("/client_id");
        if (bucket("inactive/1", &id) >= 1_000) != treated {
            continue;
        }
        agrees(world, &id, &json!({"email": true, "sms": true, "phone": true, "topics": {"marketing": true, "education": true, "product": true}}))
            .await;
        return world.account(&id, "USD").await;
    }
}

async fn agrees(world: &World, client: &str, body: &Value) {
    let call = Call::put(&format!("/v1/clients/{client}/consents"), body).token(world.broker.token("portal"));
    expect(world.send(call).await, 200);
}

/// A position of a trader that is closed now.
fn closed(world: &World, trader: &Trader, number: u64, profit: &str) -> Value {
    json!({
        "deal": number, "position": format!("p{number}"), "login": trader.login, "symbol": "EURUSD.m", "side": "sell", "entry": "out",
        "lots": "0.10", "price": "1.09012", "profit": profit, "commission": "0", "swap": "0", "currency": "USD",
        "at": world.now().to_string(),
    })
}

async fn days(world: &World, days: u64) {
    for _ in 0..days * 4 {
        world.pass(DAY / 4).await;
        world.sweep().await;
    }
}

async fn journeys(world: &World, trader: &Trader) -> Vec<Value> {
    world.idle().await;
    items(&expect(world.get("portal", &format!("/v1/clients/{}/journeys", trader.client)).await, 200))
}

/// What happened in a journey: `step did`.
async fn story(world: &World, trader: &Trader, journey: &str) -> Vec<String> {
    let all = journeys(world, trader).await;
    let run = all.iter().find(|run| run["journey"] == journey);
    let lines = run.and_then(|run| run["history"].as_array()).cloned().unwrap_or_default();
    let told = lines.iter().filter(|line| line["did"] != "waited" && line["did"] != "deferred");
    told.map(|line| format!("{} {}", line["step"].as_str().unwrap_or("-"), line["did"].as_str().unwrap())).collect()
}

async fn tasks(world: &World, trader: &Trader) -> Vec<Value> {
    world.idle().await;
    let all = items(&expect(world.get("sales", "/v1/work?queue=sales&limit=100").await, 200));
    all.into_iter().filter(|item| item["subject"]["client_id"] == json!(trader.client)).collect()
}

fn kinds(tasks: &[Value]) -> Vec<String> {
    let mut kinds: Vec<String> = tasks.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

fn mails(world: &World) -> Vec<simulators::Mail> {
    world.broker.simulators.mails().into_iter().filter(|mail| mail.raw.is_some()).collect()
}

#[tokio::test]
async fn an_idle_client_is_written_to_called_and_offered_a_bonus_and_leaves_with_a_trade() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    push(&world, "mt5", &[closed(&world, &trader, 1, "5")]).await;
    days(&world, 13).await;
    assert_eq!(journeys(&world, &trader).await, Vec::<Value>::new());
    days(&world, 2).await;
    assert_eq!(story(&world, &trader, "inactive").await, ["- entered", "check_in sent"]);
    let sent = mails(&world);
    assert_eq!((sent.len(), sent[0].subject.as_str()), (1, "¿Va todo bien?"));
    let link = sent[0].headers["list-unsubscribe"].trim_matches(['<', '>']).to_owned();
    assert!(sent[0].text.as_ref().unwrap().contains(&link), "{sent:#?}");
    assert_eq!(sent[0].headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    days(&world, 16).await;
    assert_eq!(story(&world, &trader, "inactive").await[2..], ["text sent", "call task"]);
    let messages = world.recorded("twilio", "").await["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 1, "{messages:#}");
    assert!(messages[0]["body"].as_str().unwrap().contains("STOP"), "{messages:#}");
    let asked = tasks(&world, &trader).await;
    assert_eq!((kinds(&asked), &asked[0]["runbook"]), (vec!["retention_call".to_owned()], &json!("retention_call")));
    days(&world, 31).await;
    assert_eq!(story(&world, &trader, "inactive").await[4..], ["campaign sent", "bonus bonus", "bonus done"]);
    assert_eq!(kinds(&tasks(&world, &trader).await), ["retention_call"], "the bonus takes nobody");
    let user = world.recorded("mt5", &format!("login={}", trader.login)).await["users"][0].clone();
    assert_eq!((&user["credit"], &user["balance"]), (&json!("25.00"), &json!("300.00")));
    // nobody is written to twice for one spell, and the credit comes off when its time is up
    days(&world, 40).await;
    assert_eq!(mails(&world).len(), 2);
    let user = world.recorded("mt5", &format!("login={}", trader.login)).await["users"][0].clone();
    assert_eq!((&user["credit"], &user["balance"]), (&json!("0.00"), &json!("300.00")));
    let report = expect(world.get("sales", "/v1/journeys/inactive/report").await, 200).json;
    let own = &report["versions"][0];
    assert_eq!((&own["version"], &own["entered"], &own["held_out"]), (&json!(1), &json!(1), &json!(0)), "{report:#}");
    assert_eq!((&own["sent"], &own["tasks"], &own["bonuses"]), (&json!({"email": 2, "sms": 1}), &json!(1), &json!(1)));
    let steps = json!({
        "bonus": {"bonus": 1}, "call": {"task": 1}, "campaign": {"sent": 1}, "check_in": {"sent": 1}, "text": {"sent": 1},
    });
    assert_eq!(own["steps"], steps, "{report:#}");
    assert_eq!((&own["uplift"], &own["note"]), (&Value::Null, &json!("too few")));
}

#[tokio::test]
async fn a_trade_ends_it_closes_the_call_and_counts_as_the_goal() {
    let world = World::at(NOON).await;
    let (trader, control) = (client(&world, true).await, client(&world, false).await);
    for trader in [&trader, &control] {
        world.credited(trader, "300.00", 30_000).await;
    }
    days(&world, 31).await;
    assert_eq!(kinds(&tasks(&world, &trader).await), ["retention_call"]);
    assert_eq!(journeys(&world, &control).await[0]["state"], "held_out");
    assert_eq!((tasks(&world, &control).await.len(), mails(&world).len()), (0, 1));
    push(&world, "mt5", &[closed(&world, &trader, 1, "5"), closed(&world, &control, 2, "5")]).await;
    let run = journeys(&world, &trader).await.remove(0);
    assert_eq!(
        (&run["state"], &run["history"].as_array().unwrap().last().unwrap()["why"]),
        (&json!("done"), &json!("goal: traded"))
    );
    assert_eq!(tasks(&world, &trader).await.iter().filter(|item| item["status"] == "open").count(), 0);
    let report = expect(world.get("admin", "/v1/journeys/inactive/report").await, 200).json;
    assert_eq!(report["versions"][0]["goals"], json!({"treated": 1, "control": 1}), "{report:#}");
}

#[tokio::test]
async fn a_link_unsubscribes_when_it_is_confirmed_and_not_when_it_is_looked_at() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    days(&world, 15).await;
    let link = mails(&world)[0].headers["list-unsubscribe"].trim_matches(['<', '>']).to_owned();
    let path = link[link.find("/v1/").unwrap()..].to_owned();
    let before = world.stored().await;
    for _ in 0..2 {
        let page = expect(world.send(Call::get(&path)).await, 200);
        assert!(page.text.contains("<form method=\"post\">"), "{}", page.text);
    }
    assert_eq!(before, world.stored().await, "looking changes nothing");
    for _ in 0..2 {
        let click =
            Call::raw(&path, "List-Unsubscribe=One-Click").header("content-type", "application/x-www-form-urlencoded");
        expect(world.send(click).await, 200);
    }
    let other = format!("{}x", &path[..path.len() - 1]);
    for forged in [other, format!("{path}x"), "/v1/unsubscribe/abc".to_owned(), path.replace(".email.", ".sms.")] {
        expect(world.send(Call::get(&forged)).await, 404);
        expect(world.send(Call::raw(&forged, "")).await, 404);
    }
    days(&world, 50).await;
    let told = story(&world, &trader, "inactive").await;
    assert_eq!(told[2..5], ["text sent", "call task", "campaign suppressed"], "{told:?}");
    assert_eq!(mails(&world).len(), 1);
    let journal = expect(world.get("support", &format!("/v1/journal?entity={}", trader.client)).await, 200);
    assert!(journal.text.contains("\"link\""), "{}", journal.text);
}

fn twilio_call(world: &World, fields: &[(&str, &str)], token: &str) -> Call {
    let url = format!("{}/v1/webhooks/messaging/twilio", world.broker.host.url());
    let signature = simulators::twilio::signature(token, &url, fields);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Call::raw("/v1/webhooks/messaging/twilio", body)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", &signature)
}

/// Somebody answers a text message.
pub async fn answers(world: &World, number: &str, word: &str) {
    let token = world.broker.webhook_secrets["twilio"].as_str().unwrap().to_owned();
    let sid = format!("SM{}", world.fresh());
    let fields = [("From", number), ("To", "+15005550006"), ("Body", word), ("MessageSid", sid.as_str())];
    expect(world.send(twilio_call(world, &fields, &token)).await, 200);
}

#[tokio::test]
async fn whoever_answers_stop_gets_no_text_messages_and_a_forged_stop_is_none() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    let number = expect(world.get("portal", &format!("/v1/clients/{}", trader.client)).await, 200).text_at("/phone");
    let fields = [("From", number.as_str()), ("Body", "STOP"), ("MessageSid", "SM1")];
    expect(world.send(twilio_call(&world, &fields, "another-token")).await, 401);
    answers(&world, &number, "STOP").await;
    answers(&world, &number, "START").await;
    answers(&world, &number, "stop.").await;
    days(&world, 31).await;
    let run = journeys(&world, &trader).await.remove(0);
    let line =
        run["history"].as_array().unwrap().iter().find(|line| line["step"] == "text" && line["did"] == "suppressed");
    assert_eq!(line.unwrap()["why"], "opted_out", "{run:#}");
    assert_eq!(kinds(&tasks(&world, &trader).await), ["retention_call"], "somebody calls all the same");
}

#[tokio::test]
async fn a_case_of_compliance_is_as_silent_as_papers_that_are_looked_at() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    crate::compliance::case_of(&world, &trader).await;
    days(&world, 31).await;
    for who in ["portal", "sales", "support", "admin"] {
        let answer = expect(world.get(who, &format!("/v1/clients/{}/journeys", trader.client)).await, 200);
        for trace in ["case", "compliance", "alert", "suspic"] {
            assert!(!answer.text.to_lowercase().contains(trace), "{who}: {}", answer.text);
        }
    }
    let told = story(&world, &trader, "inactive").await;
    assert_eq!(told, ["- entered", "check_in suppressed", "text suppressed", "call suppressed"]);
    // he himself cannot tell it from a refusal of a vendor, and staff not from papers that are looked at
    for (who, word) in [("portal", "not_sent"), ("sales", "paused")] {
        let answer = expect(world.get(who, &format!("/v1/clients/{}/journeys", trader.client)).await, 200);
        let run = items(&answer).into_iter().find(|run| run["journey"] == "inactive").unwrap();
        let lines = run["history"].as_array().unwrap();
        let why: Vec<&Value> =
            lines.iter().filter(|line| line["did"] == "suppressed").map(|line| &line["why"]).collect();
        assert!(why.iter().all(|why| **why == word), "{who}: {why:?}");
    }
    assert!(mails(&world).is_empty());
}

#[tokio::test]
async fn what_clients_do_has_people_call() {
    let world = World::at(NOON).await;
    // the first deposit is declined: within the hour, and closed by one that is credited
    let trader = client(&world, true).await;
    let failed = world.deposit(&trader, "40.00", "praxis").await;
    expect(world.praxis(&world.sale(&failed, "declined", 4_000, "USD")).await, 200);
    world.sweep().await;
    let asked = tasks(&world, &trader).await;
    assert_eq!(kinds(&asked), ["retention_deposit_failed"]);
    let due: domain::Timestamp = asked[0]["due_at"].as_str().unwrap().parse().unwrap();
    assert!(due <= world.now().plus(domain::Seconds(3_600)), "{asked:#?}");
    let source = world.credited(&trader, "300.00", 30_000).await;
    assert_eq!(tasks(&world, &trader).await.iter().filter(|item| item["status"] == "open").count(), 0);
    // the first withdrawal: it waits for nothing
    let body = json!({"account_id": trader.account, "amount": {"amount": "20.00", "currency": "USD"}, "destination": {"psp": "stripe", "source_payment_id": source.id}});
    let payment = expect(world.portal(&trader.withdrawals(), &body).await, 201).text_at("/payment_id");
    world.sweep().await;
    assert!(kinds(&tasks(&world, &trader).await).contains(&"retention_withdrawal".to_owned()));
    // what the rules approve by themselves is approved, whoever is asked how he is
    assert_ne!(world.status(&payment).await, "requested");
    let messages = items(&world.get("portal", &format!("/v1/clients/{}/notifications", trader.client)).await);
    assert!(messages.iter().any(|message| message["kind"] == "journey.first_withdrawal"), "{messages:#?}");
    // much paid in, and no trade for two days
    let large = client(&world, true).await;
    world.credited(&large, "6000.00", 600_000).await;
    days(&world, 1).await;
    assert_eq!(kinds(&tasks(&world, &large).await), Vec::<String>::new());
    world.pass(DAY + 60).await;
    world.sweep().await;
    assert_eq!(kinds(&tasks(&world, &large).await), ["retention_deposit_idle"]);
}

#[tokio::test]
async fn streaks_teach_and_offer_nothing_to_one_who_was_not_tested() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    for number in 1..=5 {
        world.pass(60).await;
        push(&world, "mt5", &[closed(&world, &trader, number, "-3")]).await;
    }
    world.sweep().await;
    assert_eq!(story(&world, &trader, "losing_streak").await, ["- entered", "size sent"]);
    assert_eq!(mails(&world)[0].subject, "Cuánto de la cuenta puede costar una operación");
    for number in 6..=8 {
        world.pass(60).await;
        push(&world, "mt5", &[closed(&world, &trader, number, "4")]).await;
    }
    days(&world, 8).await;
    assert_eq!(story(&world, &trader, "losing_streak").await[2..], ["stop sent", "diary sent", "diary done"]);
    let winning = journeys(&world, &trader).await.into_iter().find(|run| run["journey"] == "winning_streak").unwrap();
    assert!(!winning["history"].to_string().contains("sent"), "{winning:#}");
    assert_eq!(mails(&world).len(), 3);
}

#[tokio::test]
async fn three_wins_are_an_offer_to_whom_a_test_says_that_he_understands_it() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    let path = format!("/v1/clients/{}/appropriateness", trader.client);
    let takes = async |body: &Value| world.send(Call::put(&path, body).token(world.broker.token("portal"))).await;
    let bad = takes(&json!({"passed": "yes", "taken_at": "2027-01-01T00:00:00Z", "x": 1})).await;
    assert_eq!(faults(&bad), ["/passed wrong_type", "/taken_at in_the_future", "/x unknown_field"]);
    let passed = expect(takes(&json!({"passed": true})).await, 200).json;
    assert_eq!(passed["appropriateness"], "passed");
    // an older one that is told later does not count
    assert_eq!(expect(takes(&json!({"passed": false, "taken_at": "2026-01-01T00:00:00Z"})).await, 200).json, passed);
    for number in 1..=3 {
        world.pass(60).await;
        push(&world, "mt5", &[closed(&world, &trader, number, "4")]).await;
    }
    days(&world, 1).await;
    assert_eq!(story(&world, &trader, "winning_streak").await[1..3], ["appropriate skipped", "offer sent"]);
    assert_eq!(
        expect(takes(&json!({"passed": false})).await, 200).json["appropriateness"],
        "failed",
        "a later one does"
    );
}

#[tokio::test]
async fn a_preview_says_what_would_be_sent_and_what_stops_it_and_changes_nothing() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    agrees(&world, &trader.client, &json!({"email": true, "sms": false, "phone": false})).await;
    world.idle().await;
    let before = world.stored().await;
    let path = "/v1/journeys/inactive/preview";
    let shown = expect(world.post("sales", path, &json!({"client_id": trader.client})).await, 200).json;
    let step = |id: &str| shown["steps"].as_array().unwrap().iter().find(|step| step["step"] == id).unwrap().clone();
    assert_eq!(
        (&step("check_in")["would_send"], &step("check_in")["reasons"]),
        (&json!(true), &json!([])),
        "{shown:#}"
    );
    assert!(step("check_in")["body"].as_str().unwrap().starts_with("Hola Ana:"), "{shown:#}");
    assert_eq!(step("text")["reasons"], json!([{"reason": "no_consent", "until": null}]));
    assert_eq!((&step("bonus")["would_open"], &shown["version"]), (&json!(true), &json!(1)));
    assert_eq!(step("bonus")["campaign"], "welcome_back");
    assert_eq!(before, world.stored().await);
    expect(world.post("sales", "/v1/journeys/nothing/preview", &json!({"client_id": trader.client})).await, 404);
    expect(world.post("sales", path, &json!({"client_id": "x", "y": 1})).await, 400);
    let nobody = ClientId::from_bits(7);
    expect(world.post("sales", path, &json!({"client_id": nobody})).await, 422);
    expect(world.get("sales", "/v1/journeys/nothing/report").await, 404);
}

#[tokio::test]
async fn those_inside_go_on_with_the_version_they_entered_and_a_journey_that_is_taken_out_stops() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    days(&world, 15).await;
    world
        .publish(SetName::Journeys, 2, |set| {
            let own = set["journeys"].as_array_mut().unwrap().iter_mut().find(|own| own["id"] == "inactive").unwrap();
            own["steps"].as_array_mut().unwrap().truncate(1);
        })
        .await;
    days(&world, 16).await;
    let run = journeys(&world, &trader).await.remove(0);
    assert_eq!(
        (&run["version"], &run["state"], &run["step"]),
        (&json!(1), &json!("active"), &json!("campaign")),
        "{run:#}"
    );
    world
        .publish(SetName::Journeys, 3, |set| {
            set["journeys"].as_array_mut().unwrap().retain(|own| own["id"] != "inactive");
        })
        .await;
    days(&world, 31).await;
    let run = journeys(&world, &trader).await.remove(0);
    assert_eq!((&run["state"], mails(&world).len()), (&json!("left"), 1), "{run:#}");
}

#[tokio::test]
async fn a_vendor_that_is_down_is_asked_again_and_a_lost_answer_is_not() {
    let world = World::at(NOON).await;
    let (later, lost) = (client(&world, true).await, client(&world, true).await);
    for trader in [&later, &lost] {
        world.credited(trader, "300.00", 30_000).await;
    }
    days(&world, 15).await;
    assert_eq!(mails(&world).len(), 2);
    days(&world, 14).await;
    world
        .faults(
            "twilio",
            &json!([
                {"operation": "message", "fault": {"kind": "refuse", "status": 503}, "times": 1},
                {"operation": "message", "fault": {"kind": "apply_then_drop"}, "times": 1},
            ]),
        )
        .await;
    days(&world, 3).await;
    let messages = world.recorded("twilio", "").await["messages"].as_array().unwrap().len();
    assert_eq!(messages, 2, "one was offered again, the other was taken and its answer lost");
    let mut ends = Vec::new();
    for trader in [&later, &lost] {
        let run = journeys(&world, trader).await.remove(0);
        let told = run["history"]
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["step"] == "text" && line["did"] != "waited" && line["did"] != "deferred");
        ends.push(told.unwrap()["why"].as_str().unwrap().to_owned());
    }
    ends.sort();
    assert_eq!(ends, ["sms", "unknown"]);
}

async fn tell(world: &World, message: &Value, status: u16) {
    let call = Call::raw("/v1/webhooks/messaging/ses", message.to_string())
        .header("content-type", "text/plain; charset=UTF-8");
    expect(world.send(call).await, status);
}

#[tokio::test]
async fn an_address_that_bounced_or_complained_is_written_to_no_more_and_nobody_else_can_say_so() {
    let world = World::at(NOON).await;
    let trader = client(&world, true).await;
    world.credited(&trader, "300.00", 30_000).await;
    let address = expect(world.get("portal", &format!("/v1/clients/{}", trader.client)).await, 200).text_at("/email");
    let (base, topic) = (world.broker.simulators.url("mail").to_owned(), "arn:aws:sns:eu-west-1:000000000000:mail");
    let at = world.now().to_string();
    let notice =
        json!({"notificationType": "Bounce", "bounce": {"bounceType": "Permanent", "timestamp": at, "feedbackId": "f1",
        "bouncedRecipients": [{"emailAddress": address}]}})
        .to_string();
    let signed =
        |kind, topic: &str, base: &str| simulators::sns::message(base, topic, kind, "m-1", &at, &notice).unwrap();
    let own = signed(Kind::Notification, topic, &base);
    let mut forged = own.clone();
    forged["Message"] = json!(notice.replace("Bounce\"", "Complaint\""));
    let mut old = own.clone();
    old["SignatureVersion"] = json!("1");
    let elsewhere = signed(Kind::Notification, topic, world.broker.simulators.url("twilio"));
    let stranger = signed(Kind::Notification, "arn:aws:sns:eu-west-1:666666666666:mail", &base);
    for bad in [forged, old, elsewhere, stranger, json!({}), json!("x")] {
        tell(&world, &bad, 401).await;
    }
    tell(&world, &signed(Kind::Confirmation, topic, &base), 200).await;
    for _ in 0..2 {
        tell(&world, &own, 200).await;
    }
    days(&world, 15).await;
    let run = journeys(&world, &trader).await.remove(0);
    let line = run["history"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["step"] == "check_in" && line["did"] == "suppressed");
    assert_eq!(line.unwrap()["why"], "bounced", "{run:#}");
    let journal = expect(world.get("support", &format!("/v1/journal?client={}", trader.client)).await, 200);
    assert!(!journal.text.contains(&address), "{}", journal.text);
}

#[tokio::test]
async fn the_weeks_of_the_demo_hold() {
    let mut report = broker::day::Report::default();
    broker::day::idle::weeks(&mut report).await.unwrap();
    assert!(report.held(), "{report:#?}");
}

/// Makes the events of journeys of clients and of addresses that are not written to.
pub async fn play(world: &World) -> Vec<String> {
    let trader = client(world, true).await;
    let failed = world.deposit(&trader, "40.00", "praxis").await;
    expect(world.praxis(&world.sale(&failed, "declined", 4_000, "USD")).await, 200);
    world.sweep().await;
    answers(world, "+525512345600", "STOP").await;
    let journal =
        domain::journey::suppression::Suppression::id_of(domain::journey::rules::Channel::Sms, "+525512345600");
    vec![trader.client, journal.to_string()]
}
