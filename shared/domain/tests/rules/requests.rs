//! What clients ask for, held against the seed files: each refusal in the words that a caller reads, each boundary.

use domain::account::change::Change;
use domain::account::change::wish::{Able, Asking};
use domain::account::rules::{Asker, Platforms};
use domain::account::wish::AccountRefusal;
use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::input::Fault;
use domain::payment::fx::rules::FxRules;
use domain::payment::rules::Psps;
use domain::payment::{DepositRefusal, DepositRequest, Over};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::{AccountId, ChangeId, ClientId, Money, Timestamp};
use serde_json::{Value as Json, json};

use crate::seeds::{currency, seed};

fn now() -> Timestamp {
    "2026-11-23T10:15:30Z".parse().unwrap()
}

fn client(residence: &str) -> Client {
    let registration = json!({
        "email": "ana@example.com", "phone": "+34600111222", "full_name": "Ana López", "date_of_birth": "1988-11-23",
        "residence": residence, "nationality": "MX", "language": "es",
    });
    Client::register(&registration, ClientId::from_bits(1), now()).unwrap()
}

/// Faults in words: pointer, code, message, and what would be accepted.
fn told(faults: &[Fault]) -> Vec<String> {
    let line = |fault: &Fault| {
        let allowed = fault.allowed_values.join(" ");
        let line = format!("{} {}: {} [{allowed}]", fault.pointer, fault.code, fault.message);
        line.replace(" []", "")
    };
    faults.iter().map(line).collect()
}

fn account_wish(change: impl FnOnce(&mut Json)) -> Json {
    let mut body = json!({"platform": "mt5", "account_type": "standard", "currency": "USD", "leverage": 30});
    change(&mut body);
    body
}

fn platforms(change: impl FnOnce(&mut Json)) -> Platforms {
    let mut document = seed(SetName::Platforms);
    change(&mut document);
    Platforms::parse(&document).unwrap()
}

fn wanted(body: &Json, residence: &str, rules: &Platforms) -> Result<(Account, Vec<String>), AccountRefusal> {
    let placed = Account::wanted(body, &client(residence), rules, AccountId::from_bits(3), now())?;
    Ok((placed.account, placed.why))
}

fn refused_account(body: &Json, residence: &str) -> Vec<String> {
    match wanted(body, residence, &platforms(|_| {})) {
        Err(AccountRefusal::Faults(faults)) => told(&faults),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn an_account_goes_where_the_rules_put_it_and_says_why() {
    let rules = platforms(|_| {});
    let (account, why) = wanted(&account_wish(|_| {}), "ES", &rules).unwrap();
    let facts = &account.facts;
    assert_eq!(
        (
            facts.platform.as_str(),
            facts.account_type.as_str(),
            facts.kind.as_str(),
            facts.currency.code(),
            facts.leverage
        ),
        ("mt5", "standard", "live", "USD", 30)
    );
    assert_eq!((facts.server.as_str(), facts.group.as_str()), ("mt5-live", "real\\standard-USD"));
    assert_eq!((facts.status, facts.login.as_ref(), facts.created_at), (AccountStatus::Requested, None, now()));
    assert_eq!((account.client_id, account.due), (ClientId::from_bits(1), None));
    assert_eq!(why, ["groups/mt5-live-standard-usd: yes", "leverage/eu: yes"]);

    let (demo, why) = wanted(&account_wish(|body| body["kind"] = json!("demo")), "MX", &rules).unwrap();
    assert_eq!((demo.facts.kind.as_str(), demo.facts.server.as_str()), ("demo", "mt5-demo"));
    assert_eq!(why.last().unwrap(), "leverage/elsewhere: yes");
}

#[test]
fn leverage_ends_where_the_rules_of_the_residence_end() {
    let rules = platforms(|_| {});
    for (residence, most) in [("ES", 30), ("MX", 500)] {
        for leverage in [1, most] {
            let body = account_wish(|body| body["leverage"] = json!(leverage));
            assert_eq!(wanted(&body, residence, &rules).unwrap().0.facts.leverage, leverage, "{residence}");
        }
        for leverage in [0, most + 1, 5_000] {
            let body = account_wish(|body| body["leverage"] = json!(leverage));
            let message = format!("must be from 1 to {most} for residents of {residence}");
            assert_eq!(refused_account(&body, residence), [format!("/leverage leverage_out_of_range: {message}")]);
        }
    }
}

#[test]
fn the_most_of_what_is_known_is_the_limit_where_something_is_not() {
    // a professional account may have more; who does not say a known type is told the most of any
    let rules = platforms(|document| {
        document["account_types"].as_array_mut().unwrap().push(json!({
            "name": "pro", "currencies": ["USD"], "platforms": ["dxtrade"]
        }));
        for kind in ["live", "demo"] {
            let is = |field: &str, value: &str| json!({"field": field, "eq": value});
            let when = json!({"all": [is("platform", "dxtrade"), is("kind", kind), is("account_type", "pro")]});
            let then = json!({"server": format!("dxtrade-{kind}"), "group": "live-standard"});
            let row = json!({"id": format!("pro-{kind}"), "when": when, "then": then});
            document["groups"].as_array_mut().unwrap().push(row);
        }
        let row = json!({"id": "pro", "when": {"field": "account_type", "eq": "pro"}, "then": {"max": 100}});
        document["leverage"].as_array_mut().unwrap().insert(0, row);
    });
    let asked = |kind: &str, leverage: u32| {
        let body = account_wish(|body| {
            body["account_type"] = json!(kind);
            body["leverage"] = json!(leverage);
        });
        match wanted(&body, "ES", &rules) {
            Err(AccountRefusal::Faults(faults)) => told(&faults),
            other => panic!("{other:?}"),
        }
    };
    let unknown = "/account_type unknown_value: \"vip\" is not on offer [standard pro]";
    assert_eq!(asked("vip", 100), [unknown]);
    assert_eq!(
        asked("vip", 101),
        [unknown, "/leverage leverage_out_of_range: must be from 1 to 100 for residents of ES"]
    );
    assert_eq!(asked("standard", 31), ["/leverage leverage_out_of_range: must be from 1 to 30 for residents of ES"]);
}

#[test]
fn each_part_of_an_account_is_held_against_what_is_on_offer() {
    type Change = fn(&mut Json);
    let cases: [(Change, &str); 8] = [
        (|body| body["kind"] = json!("paper"), "/kind unknown_value: \"paper\" is not on offer [live demo]"),
        (
            |body| body["platform"] = json!("zulu"),
            "/platform unknown_value: \"zulu\" is not on offer [mt5 mt4 ctrader dxtrade]",
        ),
        (
            |body| body["currency"] = json!("CHF"),
            "/currency unsupported_currency: \"CHF\" is not on offer [USD EUR GBP JPY]",
        ),
        (
            |body| body["currency"] = json!("dollar"),
            "/currency unknown_currency: \"dollar\" is not on offer [USD EUR GBP JPY]",
        ),
        (|body| drop(body.as_object_mut().unwrap().remove("currency")), "/currency missing: is required"),
        (|body| drop(body.as_object_mut().unwrap().remove("leverage")), "/leverage missing: is required"),
        (|body| body["leverage"] = json!("30"), "/leverage wrong_type: must be a whole number"),
        (|body| body["colour"] = json!("red"), "/colour unknown_field: is not a field of this request"),
    ];
    for (change, line) in cases {
        assert_eq!(refused_account(&account_wish(change), "MX"), [line]);
    }
    let long = "x".repeat(100);
    let found = refused_account(&account_wish(|body| body["platform"] = json!(long)), "MX");
    assert_eq!(
        found,
        [format!("/platform unknown_value: {:?} is not on offer [mt5 mt4 ctrader dxtrade]", "x".repeat(40))]
    );
}

#[test]
fn several_faults_of_an_account_are_told_at_once() {
    let body = json!({"kind": "paper", "account_type": "vip", "platform": "zulu", "currency": "CHF", "leverage": 501});
    let found = refused_account(&body, "MX");
    let pointers: Vec<&str> = found.iter().filter_map(|line| line.split(' ').next()).collect();
    // without a known type any currency may be one of its currencies
    assert_eq!(pointers, ["/kind", "/account_type", "/platform", "/leverage"]);
}

const ACCOUNT: &str = "acc_00000000000000000000000003";

fn own_account(status: AccountStatus, login: Option<&str>) -> Account {
    let rules = platforms(|_| {});
    let (mut account, _) = wanted(&account_wish(|_| {}), "ES", &rules).unwrap();
    account.facts.status = status;
    account.facts.login = login.map(str::to_owned);
    account
}

fn open_account() -> Account {
    own_account(AccountStatus::Open, Some("954402"))
}

/// The rules with a second type, whose live accounts are in a group.
fn with_pro(document: &mut Json, group: &str) {
    document["account_types"].as_array_mut().unwrap().push(json!({
        "name": "pro", "currencies": ["USD"], "platforms": ["mt5"]
    }));
    for (kind, group) in [("live", group), ("demo", "demo\\pro-USD")] {
        let is = |field: &str, value: &str| json!({"field": field, "eq": value});
        let when = json!({"all": [is("platform", "mt5"), is("kind", kind), is("account_type", "pro")]});
        let then = json!({"server": format!("mt5-{kind}"), "group": group});
        let row = json!({"id": format!("pro-{kind}"), "when": when, "then": then});
        document["groups"].as_array_mut().unwrap().push(row);
    }
}

#[test]
fn an_account_is_not_moved_where_the_rules_of_the_day_put_nobody() {
    let account = open_account();
    let (group, country) = ("real\\pro-USD", "ES".parse().unwrap());
    let rules = platforms(|document| with_pro(document, group));
    let able = Able { access: &[], group: true, leverage: true };
    let asking = Asking { by: Asker::Staff, subject: "support-1", country, now: now() };
    let wanted = |body: Json| Change::wanted(&body, &account, &rules, &able, asking, ChangeId::from_bits(4)).unwrap().0;
    let to_pro = wanted(json!({"account_type": "pro"}));
    assert_eq!(to_pro.facts.wanted.group.as_deref(), Some(group));
    let now = |change: &Change, rules: &Platforms| change.forbidden_now(&account, rules, country).unwrap();
    assert_eq!(now(&to_pro, &rules), None);
    // approved days later: the type is in another group since, or on offer no more
    let moved = platforms(|document| with_pro(document, "real\\pro2-USD"));
    assert_eq!(now(&to_pro, &moved).unwrap(), "accounts of type pro are in another group now, or not on offer");
    let gone = platforms(|_| {});
    assert_eq!(now(&to_pro, &gone).unwrap(), "accounts of type pro are in another group now, or not on offer");
    // what has nothing to do with the type goes on
    assert_eq!(now(&wanted(json!({"leverage": 20})), &gone), None);
}

fn psps(change: impl FnOnce(&mut Json)) -> Psps {
    let mut document = seed(SetName::Psps);
    change(&mut document);
    Psps::parse(&document).unwrap()
}

fn deposit(amount: &str, currency: &str, psp: &str) -> Json {
    json!({"account_id": ACCOUNT, "amount": {"amount": amount, "currency": currency}, "psp": psp})
}

fn ask(body: &Json, account: Option<Account>, rules: &Psps) -> Result<DepositRequest, DepositRefusal> {
    ask_with(body, account, rules, None)
}

fn ask_with(
    body: &Json,
    account: Option<Account>,
    rules: &Psps,
    fx: Option<&FxRules>,
) -> Result<DepositRequest, DepositRefusal> {
    let is_url = |text: &str| text.starts_with("https://");
    DepositRequest::read(body, client("ES"), account, rules, fx, is_url)
}

fn refused_deposit(body: &Json, account: Option<Account>, rules: &Psps) -> Vec<String> {
    match ask(body, account, rules) {
        Err(DepositRefusal::Faults(faults)) => told(&faults),
        other => panic!("{body}: {other:?}"),
    }
}

/// The providers that it may go over, best first.
fn names(over: &Over) -> Vec<&str> {
    match over {
        Over::Named(own) => vec![own.psp.name.as_str()],
        Over::ByRule(found) => found.psps.iter().map(|own| own.psp.name.as_str()).collect(),
    }
}

#[test]
fn a_deposit_is_opened_from_the_least_to_the_most() {
    let rules = psps(|_| {});
    for amount in ["10.00", "10.01", "1250", "49999.99", "50000.00"] {
        let mut body = deposit(amount, "USD", "stripe");
        body["return_url"] = json!("https://portal.example.com/done");
        let asked = ask(&body, Some(open_account()), &rules).unwrap();
        assert_eq!((asked.login.as_str(), names(&asked.over)), ("954402", vec!["stripe"]));
        assert_eq!(asked.return_url.as_deref(), Some("https://portal.example.com/done"));
        assert_eq!(asked.amount, Money::parse(amount, currency("USD")).unwrap());
        assert_eq!(asked.why, ["deposit_limits/dollar_euro_pound: yes"]);
    }
    for (amount, code) in [("9.99", "below_minimum"), ("50000.01", "above_maximum")] {
        let found = refused_deposit(&deposit(amount, "USD", "stripe"), Some(open_account()), &rules);
        assert_eq!(found, [format!("/amount/amount {code}: must be from 10 to 50000 USD")]);
    }
}

#[test]
fn a_deposit_that_leaves_the_provider_to_the_rules_may_go_over_theirs() {
    let rules = psps(|_| {});
    let asked = |currency: &str, amount: &str| deposit(amount, currency, "auto");
    let found = ask(&asked("USD", "100"), Some(open_account()), &rules).unwrap();
    assert_eq!(names(&found.over), ["stripe", "adyen", "nuvei", "praxis", "skrill", "paysafe"]);
    assert_eq!(
        found.why,
        ["routing/everything: yes", "candidates: stripe (3.2), adyen (3.43), nuvei, praxis, skrill, paysafe"]
    );
    // what nobody takes is refused as it is where somebody is named, and at its own field
    let found = refused_deposit(&asked("USD", "9.99"), Some(open_account()), &rules);
    assert_eq!(found, ["/amount/amount below_minimum: must be from 10 to 50000 USD"]);
    let rows = |order: Json| psps(|document| document["routing"]["order"] = order);
    let none = rows(json!([{"id": "big", "when": {"field": "amount", "gte": "1000"}, "then": [["stripe"]]}]));
    let found = refused_deposit(&asked("USD", "100"), Some(open_account()), &none);
    let on_offer = none.names_for(currency("USD")).join(" ");
    assert_eq!(
        found,
        [format!("/psp no_psp: no payment provider takes this deposit by the rules; name one [{on_offer}]")]
    );
    // who says nothing at all has forgotten it; and without the part, one must be named
    let mut nothing = asked("USD", "100");
    nothing.as_object_mut().unwrap().remove("psp");
    assert_eq!(refused_deposit(&nothing, Some(open_account()), &rules), ["/psp missing: is required"]);
    let without = psps(|document| drop(document.as_object_mut().unwrap().remove("routing")));
    let found = refused_deposit(&asked("USD", "100"), Some(open_account()), &without);
    assert!(found.len() == 1 && found[0].starts_with("/psp unknown_psp"), "{found:?}");
}

#[test]
fn each_refusal_of_a_deposit_says_what_would_be_taken() {
    let rules = psps(|document| {
        // the first two of the seed, whoever else is there
        document["psps"].as_array_mut().unwrap().truncate(2);
        document.as_object_mut().unwrap().remove("routing");
        document["psps"][1]["currencies"] = json!(["EUR"]);
        let mut third = document["psps"][1].clone();
        third["name"] = json!("retired");
        third["enabled"] = json!(false);
        document["psps"].as_array_mut().unwrap().splice(2.., [third]);
    });
    let mut nobody = deposit("100", "USD", "stripe");
    nobody["account_id"] = json!("acc_x");
    for (body, account, lines) in [
        (nobody, None, vec!["/account_id unknown_account: is not an account of this client"]),
        (
            deposit("100", "EUR", "stripe"),
            Some(open_account()),
            vec!["/amount/currency currency_mismatch: the account is in USD [USD]"],
        ),
        (
            deposit("100", "USD", "praxis"),
            Some(open_account()),
            vec!["/amount/currency unsupported_currency: praxis does not take this currency [EUR]"],
        ),
        (
            deposit("100", "USD", "paypal"),
            Some(open_account()),
            vec!["/psp unknown_psp: is not a payment provider on offer [stripe]"],
        ),
        (
            deposit("100", "EUR", "retired"),
            None,
            vec![
                "/account_id unknown_account: is not an account of this client",
                "/psp unknown_psp: is not a payment provider on offer [stripe praxis]",
            ],
        ),
        (
            // no provider is known: the limits of those that take the currency still hold
            deposit("9", "USD", "paypal"),
            Some(open_account()),
            vec![
                "/psp unknown_psp: is not a payment provider on offer [stripe]",
                "/amount/amount below_minimum: must be from 10 to 50000 USD",
            ],
        ),
    ] {
        assert_eq!(refused_deposit(&body, account, &rules), lines, "{body}");
    }
}

#[test]
fn another_currency_passes_where_a_source_covers_the_pair_and_within_its_own_limits() {
    let rules = psps(|document| document["psps"][1]["currencies"] = json!(["USD", "JPY"]));
    let fx = |change: fn(&mut Json)| {
        let mut document = seed(SetName::Fx);
        change(&mut document);
        FxRules::parse(&document).unwrap()
    };
    let all = fx(|_| {});
    for (amount, code) in [("10", "EUR"), ("50000.00", "GBP"), ("1500", "JPY")] {
        let asked = ask_with(&deposit(amount, code, "stripe"), Some(open_account()), &rules, Some(&all)).unwrap();
        assert_eq!(asked.amount, Money::parse(amount, currency(code)).unwrap());
    }
    let euro_alone = fx(|document| document["pairs"] = json!([{"from": ["EUR"], "to": ["USD"]}]));
    let none_into_dollars = fx(|document| document["pairs"] = json!([{"from": ["EUR"], "to": ["GBP"]}]));
    for (body, fx, line) in [
        (deposit("9.99", "EUR", "stripe"), &all, "/amount/amount below_minimum: must be from 10 to 50000 EUR"),
        (deposit("1499", "JPY", "stripe"), &all, "/amount/amount below_minimum: must be from 1500 to 7500000 JPY"),
        (
            deposit("100", "GBP", "stripe"),
            &euro_alone,
            "/amount/currency currency_mismatch: the account is in USD [USD EUR]",
        ),
        (
            deposit("100", "EUR", "stripe"),
            &none_into_dollars,
            "/amount/currency currency_mismatch: the account is in USD [USD]",
        ),
        (
            deposit("100", "EUR", "praxis"),
            &all,
            "/amount/currency unsupported_currency: praxis does not take this currency [USD JPY]",
        ),
    ] {
        match ask_with(&body, Some(open_account()), &rules, Some(fx)) {
            Err(DepositRefusal::Faults(faults)) => assert_eq!(told(&faults), [line], "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn an_address_to_return_to_is_an_address_and_not_too_long() {
    let rules = psps(|_| {});
    let line = ["/return_url invalid_url: must be an absolute http or https URL"];
    let with = |url: String| {
        let mut body = deposit("100", "USD", "stripe");
        body["return_url"] = json!(url);
        body
    };
    let of_length = |length: usize| format!("https://x/{}", "a".repeat(length - 10));
    assert!(ask(&with(of_length(500)), Some(open_account()), &rules).is_ok());
    assert_eq!(refused_deposit(&with(of_length(501)), Some(open_account()), &rules), line);
    assert_eq!(refused_deposit(&with("javascript:alert(1)".to_owned()), Some(open_account()), &rules), line);
}

#[test]
fn money_goes_only_to_an_account_that_is_open() {
    let rules = psps(|_| {});
    let body = deposit("100", "USD", "stripe");
    for (status, login) in [
        (AccountStatus::Requested, None),
        (AccountStatus::Creating, None),
        (AccountStatus::Unknown, None),
        (AccountStatus::Failed, None),
        (AccountStatus::Closed, Some("954402")),
        (AccountStatus::Open, None),
    ] {
        let account = own_account(status, login);
        assert_eq!(ask(&body, Some(account), &rules), Err(DepositRefusal::AccountNotOpen), "{status:?}");
    }
    // what is wrong with the request is told first
    let found =
        refused_deposit(&deposit("9", "USD", "stripe"), Some(own_account(AccountStatus::Requested, None)), &rules);
    assert_eq!(found, ["/amount/amount below_minimum: must be from 10 to 50000 USD"]);
}

#[test]
fn the_account_is_named_by_the_request_or_not_at_all() {
    assert_eq!(DepositRequest::account_named(&deposit("1", "USD", "stripe")), Some(ACCOUNT));
    for body in [json!({}), json!({"account_id": 3}), json!([]), json!(null)] {
        assert_eq!(DepositRequest::account_named(&body), None, "{body}");
    }
}
