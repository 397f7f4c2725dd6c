//! Accounts that open by rule: which rows count, under which ids, and what becomes of those that cannot be opened.

use domain::account::opening::{AccountOpening, Known, OpeningStatus, Openings, Wanted, decide};
use domain::account::rules::{OpeningTrigger, Platforms};
use domain::account::{Account, AccountStatus};
use domain::client::Client;
use domain::decision::Verdict;
use domain::kyc::levels::Level;
use domain::kyc::rules::levels::Rights;
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::work::HumanDecision;
use domain::{ClientId, Timestamp};
use serde_json::{Value as Json, json};

use crate::defects::check;
use crate::seeds::seed;

fn now() -> Timestamp {
    "2026-11-23T10:15:30Z".parse().unwrap()
}

fn client(change: impl FnOnce(&mut Json)) -> Client {
    let mut registration = json!({
        "email": "ana@example.com", "full_name": "Ana López", "date_of_birth": "1988-11-23", "residence": "ES",
        "nationality": "MX", "language": "es",
    });
    change(&mut registration);
    Client::register(&registration, ClientId::from_bits(1), now()).unwrap()
}

fn row(id: &str, when: Json, platform: &str, kind: &str) -> Json {
    let then =
        json!({"platform": platform, "account_type": "standard", "currency": "USD", "leverage": 200, "kind": kind});
    json!({"id": id, "when": when, "then": then})
}

fn platforms(rows: Json, change: impl FnOnce(&mut Json)) -> Platforms {
    let mut document = seed(SetName::Platforms);
    document["openings"] = rows;
    change(&mut document);
    Platforms::parse(&document).unwrap()
}

fn known<'a>(client: &'a Client, rules: &'a Platforms) -> Known<'a> {
    Known { client, rules, trigger: OpeningTrigger::KycApproved, level: None, still_so: true, now: now() }
}

fn opened(rules: &Platforms, client: &Client, held: &[Account]) -> Openings {
    let wanted = Wanted::of(rules, client, OpeningTrigger::KycApproved);
    decide(&wanted, known(client, rules), held)
}

fn accounts(openings: &Openings) -> Vec<Account> {
    openings.accounts.iter().map(|decision| decision.next.clone()).collect()
}

fn codes(openings: &Openings) -> Vec<(&str, &str)> {
    openings.refused.iter().map(|refused| (refused.wanted.row.as_str(), refused.code.as_str())).collect()
}

#[test]
fn defects_of_openings_and_limits_are_found_where_they_are() {
    let wish = |change: fn(&mut Json)| {
        let mut row = row("a", json!("always"), "mt5", "live");
        change(&mut row);
        Some(json!([row]))
    };
    let twice = json!([row("a", json!("always"), "mt5", "live"), row("a", json!("always"), "mt4", "live")]);
    let limit = |max: u32| json!({"id": "net", "when": "always", "then": {"max": max}});
    let euros = json!({"id": "euros", "when": {"field": "currency", "eq": "EUR"}, "then": {"max": 1}});
    check(
        SetName::Platforms,
        vec![
            ("/openings", wish(|_| {}), &[]),
            ("/openings", None, &[]),
            // every row counts, so none hides another
            (
                "/openings",
                Some(json!([row("a", json!("always"), "mt5", "live"), row("b", json!("always"), "mt4", "live")])),
                &[],
            ),
            ("/openings", Some(twice), &[("/openings/1/id", "duplicate_id")]),
            (
                "/openings",
                wish(|row| row["then"]["platform"] = json!("mt6")),
                &[("/openings/0/then/platform", "unknown_value")],
            ),
            (
                "/openings",
                wish(|row| row["then"]["account_type"] = json!("pro")),
                &[("/openings/0/then/account_type", "missing_reference")],
            ),
            ("/openings", wish(|row| row["then"]["currency"] = json!("CHF")), &[("/openings/0/then", "not_on_offer")]),
            (
                "/openings",
                wish(|row| row["then"]["leverage"] = json!(0)),
                &[("/openings/0/then/leverage", "bad_range")],
            ),
            (
                "/openings",
                wish(|row| row["then"]["kind"] = json!("paper")),
                &[("/openings/0/then/kind", "unknown_value")],
            ),
            (
                "/openings",
                wish(|row| row["when"] = json!({"field": "trigger", "eq": "paid"})),
                &[("/openings/0/when/eq", "unknown_value")],
            ),
            ("/openings", wish(|row| row["then"]["group"] = json!("x")), &[("/openings/0/then/group", "unknown_key")]),
            ("/account_limits", Some(json!([limit(0)])), &[("/account_limits/0/then/max", "bad_range")]),
            ("/account_limits", Some(json!([limit(101)])), &[("/account_limits/0/then/max", "bad_range")]),
            ("/account_limits", Some(json!([euros])), &[("/account_limits/0/when/field", "unknown_field")]),
        ],
    );
    // a platform whose last server is gone
    let mut document = seed(SetName::Platforms);
    document["openings"] = json!([row("a", json!("always"), "mt4", "demo")]);
    let is_gone = |row: &Json, name: &str| row[name].as_str().unwrap().starts_with("mt4-demo");
    document["servers"].as_array_mut().unwrap().retain(|row| !is_gone(row, "name"));
    document["groups"].as_array_mut().unwrap().retain(|row| !is_gone(row, "id"));
    let faults = Platforms::parse(&document).unwrap_err();
    assert_eq!((faults.len(), faults[0].pointer.as_str(), faults[0].code), (1, "/openings/0/then", "not_on_offer"));
}

#[test]
fn every_row_that_holds_opens_its_account_with_the_leverage_that_the_residence_allows() {
    let is = |field: &str, value: Json| json!({"field": field, "eq": value});
    let rows = json!([
        row("registered", is("trigger", json!("registered")), "mt5", "demo"),
        row("everybody", is("trigger", json!("kyc_approved")), "mt5", "live"),
        row("eu", is("residence_eu", json!(true)), "mt4", "live"),
        row("elsewhere", is("residence_eu", json!(false)), "ctrader", "live"),
        row("mexicans", is("nationality", json!("MX")), "dxtrade", "live"),
        row(
            "company",
            json!({"all": [{"field": "entity", "exists": true}, is("entity", json!("bvi"))]}),
            "mt4",
            "demo"
        ),
        row("partner", is("by_partner", json!(true)), "ctrader", "demo"),
    ]);
    let rules = platforms(rows, |_| {});
    let told = |client: &Client| -> Vec<(String, u32)> {
        let openings = opened(&rules, client, &[]);
        assert_eq!(codes(&openings), []);
        accounts(&openings).into_iter().map(|account| (account.facts.platform, account.facts.leverage)).collect()
    };
    let of = |all: &[(&str, u32)]| all.iter().map(|(name, max)| ((*name).to_owned(), *max)).collect::<Vec<_>>();
    assert_eq!(told(&client(|_| {})), of(&[("mt5", 30), ("mt4", 30), ("dxtrade", 30)]));
    let other = client(|body| {
        body["residence"] = json!("MX");
        body["nationality"] = json!("ES");
        body["entity"] = json!("bvi");
        body["partner_code"] = json!("PA-7");
    });
    assert_eq!(told(&other), of(&[("mt5", 200), ("ctrader", 200), ("mt4", 200), ("ctrader", 200)]));
    let why = &opened(&rules, &client(|_| {}), &[]).accounts[0].why;
    assert_eq!(why.first().unwrap(), "openings: everybody");
    assert!(why.contains(&"leverage 200 is capped at 30".to_owned()), "{why:?}");
}

#[test]
fn an_opening_is_the_same_accounts_however_often_it_is_made() {
    let rows = json!([row("a", json!("always"), "mt5", "live"), row("b", json!("always"), "mt4", "live")]);
    let (rules, client) = (platforms(rows, |_| {}), client(|_| {}));
    let first = accounts(&opened(&rules, &client, &[]));
    assert_eq!(accounts(&opened(&rules, &client, &[])), first);
    assert_ne!(first[0].id, first[1].id);
    // half of it was saved; all of it was; and whatever became of it since
    assert_eq!(accounts(&opened(&rules, &client, &first[..1])), first[1..]);
    for status in [AccountStatus::Open, AccountStatus::Failed, AccountStatus::Closed, AccountStatus::Unknown] {
        let mut held = first.clone();
        held.iter_mut().for_each(|account| account.facts.status = status);
        assert_eq!(opened(&rules, &client, &held), Openings::default(), "{status:?}");
    }
    // rows may be renamed, and two may want the same
    let renamed = json!([
        row("x", json!("always"), "mt5", "live"),
        row("y", json!("always"), "mt5", "live"),
        row("z", json!("always"), "mt4", "live")
    ]);
    assert_eq!(opened(&platforms(renamed.clone(), |_| {}), &client, &first), Openings::default());
    assert_eq!(accounts(&opened(&platforms(renamed, |_| {}), &client, &[])).len(), 2);
    // what a client asked for himself is as good, as long as he has it
    let mut own = first[0].clone();
    own.id = domain::AccountId::from_bits(77);
    assert_eq!(accounts(&opened(&rules, &client, &[own.clone()])), first[1..]);
    own.facts.status = AccountStatus::Closed;
    assert_eq!(accounts(&opened(&rules, &client, &[own])), first);
    // another client has other accounts
    let mut other = client.clone();
    other.id = ClientId::from_bits(2);
    assert!(accounts(&opened(&rules, &other, &[])).iter().all(|account| !first.iter().any(|own| own.id == account.id)));
}

#[test]
fn one_that_cannot_be_opened_costs_the_others_nothing_and_is_told() {
    let rows = json!([
        row("a", json!("always"), "mt5", "live"),
        row("b", json!("always"), "mt4", "live"),
        row("c", json!("always"), "mt4", "demo"),
    ]);
    let client = client(|_| {});
    let rules = platforms(rows, |document| {
        let when = json!({"all": [{"field": "platform", "eq": "mt4"}, {"field": "kind", "eq": "live"}]});
        document["account_limits"] = json!([{"id": "one", "when": when, "then": {"max": 1}}]);
        document["accounts_max"] = json!(3);
    });
    let mut other = accounts(&opened(&rules, &client, &[])).remove(1);
    other.id = domain::AccountId::from_bits(77);
    other.facts.currency = "EUR".parse().unwrap();
    let openings = opened(&rules, &client, std::slice::from_ref(&other));
    let names: Vec<String> = accounts(&openings).into_iter().map(|account| account.facts.server).collect();
    assert_eq!(
        (codes(&openings), names),
        (vec![("b", "too_many_accounts")], vec!["mt5-live".to_owned(), "mt4-demo".to_owned()])
    );
    // those of this opening count, too
    let two = platforms(serde_json::to_value(&rules).unwrap()["openings"].clone(), |document| {
        document["accounts_max"] = json!(2);
    });
    assert_eq!(codes(&opened(&two, &client, &[])), [("c", "too_many_accounts")]);
    // a level that may have demo accounts only
    let rights = Rights { demo_account: true, live_account: false, deposit_limit: None, withdrawal_limit: None };
    let level = Level { name: "none".to_owned(), rights, why: vec![] };
    let wanted = Wanted::of(&rules, &client, OpeningTrigger::Registered);
    let openings = decide(&wanted, Known { level: Some(&level), ..known(&client, &rules) }, &[]);
    assert_eq!(codes(&openings), [("a", "level_required"), ("b", "level_required")]);
    // and an approval that was taken back
    let openings = decide(&wanted, Known { still_so: false, ..known(&client, &rules) }, &[]);
    assert_eq!((openings.accounts.len(), codes(&openings)[0]), (0, ("a", "no_longer_approved")));
}

fn person(kind: &str, trigger: &str, action: &str) -> HumanDecision {
    HumanDecision {
        kind: kind.to_owned(),
        trigger: Some(trigger.to_owned()),
        action: action.to_owned(),
        evidence: None,
        by: "support-1".to_owned(),
        approved_by: None,
        at: now(),
    }
}

#[test]
fn what_was_refused_is_tried_again_by_the_rules_of_the_day() {
    const KIND: &str = "account_opening_refused";
    let rows = json!([row("a", json!("always"), "mt5", "live"), row("b", json!("always"), "mt4", "live")]);
    let (rules, client) = (platforms(rows, |document| document["accounts_max"] = json!(1)), client(|_| {}));
    let first = opened(&rules, &client, &[]);
    let id = AccountOpening::id_of("kyc_1:6:0", now());
    assert_eq!(id, AccountOpening::id_of("kyc_1:6:0", now()));
    let asked = AccountOpening::refused(id, client.id.clone(), OpeningTrigger::KycApproved, first.refused.clone());
    assert_eq!(asked.events, ["desk.item"]);
    assert!(
        asked.why[0].starts_with("openings/b: live standard in USD on mt4: too_many_accounts ("),
        "{:?}",
        asked.why
    );
    let asked = asked.next;
    assert_eq!((asked.again(&rules, &client), asked.facts.status), (None, OpeningStatus::Refused));
    // about another item, or closed in whatever words
    assert!(matches!(asked.decided(&person(KIND, "asked:2", "retry"), now()), Verdict::Nothing(_)));
    assert!(matches!(asked.decided(&person("rule_error", "asked:1", "retry"), now()), Verdict::Nothing(_)));
    for action in ["close", "resolve"] {
        let Verdict::Change(closed) = asked.decided(&person(KIND, "asked:1", action), now()) else {
            panic!("{action}")
        };
        assert_eq!((closed.next.facts.status, closed.events.len()), (OpeningStatus::Closed, 0));
    }
    let Verdict::Change(retried) = asked.decided(&person(KIND, "asked:1", "retry"), now()) else { panic!("retry") };
    assert_eq!(retried.events, ["account_opening.retried"]);
    let wanted = retried.next.again(&rules, &client).unwrap();
    let second = decide(&wanted, known(&client, &rules), &accounts(&first));
    let again = retried.next.tried_again(second.refused);
    assert_eq!((again.events.as_slice(), again.next.facts.asked), (["desk.item"].as_slice(), 2));
    // the first decision once more is not the answer to the second question
    assert!(matches!(again.next.decided(&person(KIND, "asked:1", "retry"), now()), Verdict::Nothing(_)));
    let more = platforms(serde_json::to_value(&rules).unwrap()["openings"].clone(), |_| {});
    let third = decide(&wanted, known(&client, &more), &accounts(&first));
    assert_eq!(third.accounts.len(), 1);
    let done = again.next.tried_again(third.refused);
    assert_eq!(
        (done.next.facts.status, done.events.len(), done.next.again(&more, &client)),
        (OpeningStatus::Opened, 0, None)
    );
}

#[test]
fn a_row_that_could_not_be_judged_is_judged_when_it_is_tried_again() {
    // asks for a company that the portal does not name, and does not ask `exists` first
    let company = |code: &str| json!({"field": "entity", "eq": code});
    let rows = json!([
        row("a", company("bvi"), "mt5", "live"),
        row("b", json!("always"), "mt4", "live"),
        row("c", json!({"all": [{"field": "entity", "exists": true}, company("bvi")]}), "mt4", "demo"),
    ]);
    let (broken, client) = (platforms(rows, |document| document["accounts_max"] = json!(1)), client(|_| {}));
    let none = platforms(json!([row("b", json!("always"), "mt4", "live")]), |document| {
        document["accounts_max"] = json!(1);
    });
    let other = accounts(&opened(&none, &client, &[])).into_iter().map(|mut account| {
        account.facts.currency = "EUR".parse().unwrap();
        account.id = domain::AccountId::from_bits(77);
        account
    });
    let held: Vec<Account> = other.collect();
    let first = opened(&broken, &client, &held);
    assert_eq!(codes(&first), [("a", "rule_error"), ("b", "too_many_accounts")]);
    let id = AccountOpening::id_of("kyc_1:6:0", now());
    let asked = AccountOpening::refused(id, client.id.clone(), OpeningTrigger::KycApproved, first.refused).next;
    let Verdict::Change(retried) = asked.decided(&person("account_opening_refused", "asked:1", "retry"), now()) else {
        panic!("retry")
    };
    // nothing was mended: it is still not known whether the client is to have it
    let wanted = retried.next.again(&broken, &client).unwrap();
    assert_eq!(codes(&decide(&wanted, known(&client, &broken), &[])), [("a", "rule_error")]);
    // mended: it is not for him
    let mended = platforms(
        json!([row("a", json!({"all": [{"field": "entity", "exists": true}, company("bvi")]}), "mt5", "live")]),
        |_| {},
    );
    let wanted = retried.next.again(&mended, &client).unwrap();
    let opened = decide(&wanted, known(&client, &mended), &[]);
    let platforms_of: Vec<String> = accounts(&opened).into_iter().map(|account| account.facts.platform).collect();
    assert_eq!((platforms_of, codes(&opened)), (vec!["mt4".to_owned()], vec![]));
    // or it is
    let mended = platforms(json!([row("a", json!("always"), "mt5", "live")]), |_| {});
    let wanted = retried.next.again(&mended, &client).unwrap();
    assert_eq!(accounts(&decide(&wanted, known(&client, &mended), &[])).len(), 2);
}
