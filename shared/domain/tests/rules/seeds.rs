//! The files of `infra/rules`: they parse, and say what a new installation promises.

use domain::account::rules::{AccountCase, Environment, Platform, Platforms};
use domain::four_eyes::FourEyes;
use domain::notification::rules::Notifications;
use domain::payment::rules::{DepositCase, PaidAmount, Psps};
use domain::rule_sets::{SetName, parse_any};
use domain::rules::{RuleSet, substitute};
use domain::work::rules::{WorkAction, WorkKind, WorkKinds};
use domain::{Currency, Money};
use serde_json::Value as Json;

/// A seed file with the installation's names filled in.
pub fn seed(name: SetName) -> Json {
    let path = format!("{}/../../infra/rules/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let filled = substitute(&text, installed)
        .unwrap_or_else(|missing| panic!("{path}: `installed` below has no value for {missing:?}"));
    // First into YAML's own values: that refuses a key that is written twice.
    let yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(&filled).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::to_value(yaml).unwrap()
}

/// The names that an installation fills in.
fn installed(name: &str) -> Option<String> {
    let value = match name {
        "SECRET_PREFIX" => "pipworks/test",
        "BROKER_NAME" => "Example Markets",
        "PRAXIS_UNCONFIRMED" => "wait",
        "MAIL_FROM" => "no-reply@example.com",
        "EU_FSF_TOKEN" => "a-token",
        "SMS_FROM" => "+15005550006",
        "MAIL_TOPIC_ARN" => "arn:aws:sns:eu-west-1:123456789012:mail",
        "LISTS_AT_LEAST" => "500",
        "MT4_LIVE_WEBREG" | "MT4_DEMO_WEBREG" => "mt4.example.com:443",
        "MT4_LIVE_PLATFORM" | "MT4_DEMO_PLATFORM" => "5f3a1c52-0000-4000-8000-000000000004",
        "MT5_LIVE_URL" | "MT5_DEMO_URL" => "https://mt5.example.com:443",
        "CTRADER_LIVE_MANAGER" | "CTRADER_DEMO_MANAGER" => "ctrader.example.com:5011",
        "CTRADER_BROKER_NAME" | "DXTRADE_DOMAIN" | "DXTRADE_CLEARING_CODE" | "DXTRADE_BROKER_CODE" => "example",
        url if url.ends_with("_URL") => "http://127.0.0.1:8701",
        _ => return None,
    };
    Some(value.to_owned())
}

/// A file of the repository.
fn repository(file: &str) -> String {
    let path = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn whoever_installs_is_told_of_every_name_and_secret_of_the_seed_files() {
    let (readme, infra) = (repository("README.md"), repository("infra/README.md"));
    let secret_of =
        |row: &str| row.strip_prefix("| `pipworks/<stage>/")?.split_once('`').map(|(name, _)| name.to_owned());
    let secrets: Vec<String> = infra.lines().filter_map(secret_of).collect();
    // `slack/<desk>` stands for that of each desk
    let is_told = |name: &str| {
        let any_of = |told: &String| {
            told.split_once('<')
                .is_some_and(|(folder, _)| name.strip_prefix(folder).is_some_and(|rest| !rest.contains('/')))
        };
        secrets.iter().any(|told| told == name || any_of(told))
    };
    for set in SetName::ALL {
        let text = repository(&format!("infra/rules/{set}.yaml"));
        for part in text.split("${").skip(1) {
            let Some((name, rest)) = part.split_once('}') else { continue };
            // "names in capitals", says the head of a file
            if name == "NAMES" {
                continue;
            }
            assert!(readme.contains(&format!("{name}=")), "README.md, `make rules`: {set} needs {name}");
            if let (true, Some((secret, _))) = (name == "SECRET_PREFIX", rest.split_once('"')) {
                let secret = secret.trim_start_matches('/');
                assert!(is_told(secret), "infra/README.md has no row for the secret {secret} of {set}");
            }
        }
    }
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn money(amount: &str, code: &str) -> Money {
    Money::parse(amount, currency(code)).unwrap()
}

#[test]
fn every_seed_file_parses_without_a_fault() {
    for name in SetName::ALL {
        let found = parse_any(*name, &seed(*name));
        assert_eq!(found, Ok(()), "{name}");
    }
}

#[test]
fn no_set_is_taken_for_another() {
    for name in SetName::ALL {
        for other in SetName::ALL.iter().filter(|other| *other != name) {
            assert!(parse_any(*name, &seed(*other)).is_err(), "{other} read as {name}");
        }
    }
}

#[test]
fn what_was_parsed_can_be_written_and_parsed_again() {
    let psps = Psps::parse(&seed(SetName::Psps)).unwrap();
    assert_eq!(Psps::parse(&serde_json::to_value(&psps).unwrap()), Ok(psps));
    let platforms = Platforms::parse(&seed(SetName::Platforms)).unwrap();
    assert_eq!(Platforms::parse(&serde_json::to_value(&platforms).unwrap()), Ok(platforms));
    let notifications = Notifications::parse(&seed(SetName::Notifications)).unwrap();
    assert_eq!(Notifications::parse(&serde_json::to_value(&notifications).unwrap()), Ok(notifications));
    let kinds = WorkKinds::parse(&seed(SetName::WorkKinds)).unwrap();
    assert_eq!(WorkKinds::parse(&serde_json::to_value(&kinds).unwrap()), Ok(kinds));
}

#[test]
fn deposits_go_from_10_to_50_000_dollars_and_their_like_in_yen() {
    let psps = Psps::parse(&seed(SetName::Psps)).unwrap();
    for (code, amount, inside) in [
        ("USD", "9.99", false),
        ("USD", "10.00", true),
        ("USD", "50000", true),
        ("USD", "50000.01", false),
        ("EUR", "10", true),
        ("GBP", "50000", true),
        ("JPY", "1499", false),
        ("JPY", "1500", true),
        ("JPY", "7500000", true),
        ("JPY", "7500001", false),
    ] {
        let facts = DepositCase {
            currency: currency(code),
            psp: "stripe".to_owned(),
            country: "ES".parse().unwrap(),
            account_type: "standard".to_owned(),
        };
        let verdict = psps.deposit_limit(&facts).unwrap();
        assert_eq!(
            verdict.outcome().map(|limit| limit.contains(&money(amount, code))),
            Some(inside),
            "{amount} {code}"
        );
    }
    let francs = DepositCase {
        currency: currency("CHF"),
        psp: "stripe".to_owned(),
        country: "CH".parse().unwrap(),
        account_type: "standard".to_owned(),
    };
    let verdict = psps.deposit_limit(&francs).unwrap();
    assert_eq!(verdict.row_id(), None);
    assert_eq!(verdict.why("deposit_limits"), ["deposit_limits/dollar_euro_pound: no", "deposit_limits/yen: no"]);
    assert_eq!(
        psps.names_for(currency("JPY")),
        ["stripe", "praxis", "skrill", "adyen", "checkout", "nuvei", "paysafe"]
    );
    assert!(psps.names_for(currency("CHF")).is_empty());
    assert!(psps.psp("stripe").is_some() && psps.psp("Stripe").is_none());
}

#[test]
fn only_the_requested_amount_is_exact() {
    let psps = Psps::parse(&seed(SetName::Psps)).unwrap();
    let asked = money("100.00", "USD");
    for (paid, expected) in [
        (money("100", "USD"), PaidAmount::Exact),
        (money("99.99", "USD"), PaidAmount::Under),
        (money("100.01", "USD"), PaidAmount::Over),
        (money("100", "EUR"), PaidAmount::OtherCurrency),
    ] {
        assert_eq!(psps.compare(&asked, &paid), expected, "{paid}");
    }
    let mut tolerant = seed(SetName::Psps);
    tolerant["over_under"]["USD"] = "0.50".into();
    let psps = Psps::parse(&tolerant).unwrap();
    assert_eq!(psps.compare(&asked, &money("99.50", "USD")), PaidAmount::Exact);
    assert_eq!(psps.compare(&asked, &money("99.49", "USD")), PaidAmount::Under);
    assert_eq!(psps.compare(&asked, &money("100.51", "USD")), PaidAmount::Over);
}

#[test]
fn standard_accounts_are_placed_by_kind_and_currency_with_the_leverage_of_the_residence() {
    let set = Platforms::parse(&seed(SetName::Platforms)).unwrap();
    let standard = set.account_type("standard").unwrap();
    assert_eq!(standard.platforms, Platform::ALL);
    assert_eq!(
        set.platforms_for(standard, Environment::Live),
        [Platform::Mt5, Platform::Mt4, Platform::Ctrader, Platform::Dxtrade]
    );
    assert_eq!(
        set.platforms_for(standard, Environment::Demo),
        [Platform::Mt5, Platform::Mt4, Platform::Ctrader, Platform::Dxtrade]
    );
    for code in ["USD", "EUR", "GBP", "JPY"] {
        for (platform, kind, server, group) in [
            (Platform::Mt5, Environment::Live, "mt5-live", format!("real\\standard-{code}")),
            (Platform::Mt5, Environment::Demo, "mt5-demo", format!("demo\\standard-{code}")),
            (Platform::Mt4, Environment::Live, "mt4-live", format!("live-{code}")),
            (Platform::Mt4, Environment::Demo, "mt4-demo", format!("demo-{code}")),
            (Platform::Ctrader, Environment::Live, "ctrader-live", "live-standard".to_owned()),
            (Platform::Ctrader, Environment::Demo, "ctrader-demo", "demo-standard".to_owned()),
            (Platform::Dxtrade, Environment::Live, "dxtrade-live", "live-standard".to_owned()),
            (Platform::Dxtrade, Environment::Demo, "dxtrade-demo", "demo-standard".to_owned()),
        ] {
            for (country, leverage) in [("ES", 30), ("DE", 30), ("GB", 500), ("MX", 500)] {
                let facts = AccountCase {
                    platform,
                    account_type: "standard".to_owned(),
                    currency: currency(code),
                    kind,
                    country: country.parse().unwrap(),
                };
                let placed = set.placement(&facts).unwrap();
                let placed = placed.outcome().unwrap();
                assert_eq!((placed.server.as_str(), placed.group.as_str()), (server, group.as_str()));
                assert_eq!(set.server(&placed.server).unwrap().environment, kind);
                assert_eq!(set.max_leverage(&facts).unwrap().outcome().unwrap().max, leverage);
            }
        }
    }
}

#[test]
fn every_kind_of_work_has_a_desk_and_something_to_decide() {
    let kinds = WorkKinds::parse(&seed(SetName::WorkKinds)).unwrap();
    assert_eq!(kinds.kinds().count(), domain::work::rules::WorkKind::ALL.len());
    for (kind, rule) in kinds.kinds() {
        assert!(!rule.options.is_empty() && kinds.kind(kind) == Some(rule), "{kind}");
        assert_eq!(rule.runbook, kind.as_str());
    }
}

#[test]
fn two_people_decide_about_large_money_and_about_clients_whom_a_list_may_name_and_one_about_all_else() {
    let kinds = WorkKinds::parse(&seed(SetName::WorkKinds)).unwrap();
    for (kind, rule) in kinds.kinds() {
        for option in &rule.options {
            // clients whom a list may name, and the changes of accounts and bonuses of which the rules say so
            let of_two = matches!(
                kind,
                WorkKind::KycHit
                    | WorkKind::KycChecksOverdue
                    | WorkKind::AccountChangeFourEyes
                    | WorkKind::RetentionBonusApproval
            );
            let wanted = match option.action {
                WorkAction::Approve if of_two => FourEyes::Always,
                WorkAction::Approve if kind == WorkKind::WithdrawalApproval => FourEyes::ByAmount,
                // a run of payouts took two people, so does whatever is done about one of them
                action if action.decides_money() && kind == WorkKind::PartnerPayoutUnresolved => FourEyes::Always,
                // what a partner is paid is never one person's word
                WorkAction::Adjust => FourEyes::Always,
                action if action.decides_money() => FourEyes::ByAmount,
                _ => FourEyes::Never,
            };
            assert_eq!(option.four_eyes, wanted, "{kind}: {}", option.action);
        }
    }
    let psps = serde_json::to_value(Psps::parse(&seed(SetName::Psps)).unwrap()).unwrap();
    for code in psps["psps"].as_array().unwrap().iter().flat_map(|psp| psp["currencies"].as_array().unwrap()) {
        let currency = currency(code.as_str().unwrap());
        assert!(kinds.four_eyes_from.contains_key(&currency), "{currency}: every deposit would need two people");
    }
}
