//! Evaluation: what holds, what is an error, and what the trace says.

use domain::rules::condition::{Condition, Op, Test};
use domain::rules::evaluate::{Outcome, evaluate};
use domain::rules::parse::parse_condition;
use domain::rules::{Facts, Fields, Row, RuleFault, Schema, Value, first_match};
use domain::{Country, Seconds};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

fn schema() -> Schema {
    Fields::<()>::new()
        .field("score", |()| Decimal::ZERO)
        .field("country", |()| "ES".parse::<Country>().unwrap())
        .choice("source", || vec!["paid_search".to_owned(), "organic".to_owned()], |()| "organic")
        .field("born", |()| Date::ZERO)
        .field("idle", |()| Seconds(0))
        .field("vip", |()| None::<bool>)
        .field("languages", |()| Vec::<String>::new())
        .schema(&[])
}

fn facts() -> Facts {
    Facts::new()
        .with("score", "82.5".parse::<Decimal>().unwrap())
        .with("country", "ES".parse::<Country>().unwrap())
        .with("source", "organic")
        .with("born", "1990-02-28".parse::<Date>().unwrap())
        .with("idle", Seconds(3_600))
        .with("languages", vec!["es", "ca"])
}

fn judged(when: Json) -> Outcome {
    let condition = parse_condition(&when, &schema()).unwrap_or_else(|faults| panic!("{when}: {faults:?}"));
    evaluate(&condition, &facts()).outcome
}

#[test]
fn each_operator_holds_on_one_side_of_its_boundary() {
    for (when, holds) in [
        (json!({"field": "score", "eq": "82.50"}), true),
        (json!({"field": "score", "ne": "82.5"}), false),
        (json!({"field": "score", "gt": "82.5"}), false),
        (json!({"field": "score", "gt": "82.49"}), true),
        (json!({"field": "score", "gte": "82.5"}), true),
        (json!({"field": "score", "lt": "82.5"}), false),
        (json!({"field": "score", "lte": "82.5"}), true),
        (json!({"field": "score", "lt": 83}), true),
        (json!({"field": "score", "gte": 70, "lt": 90}), true),
        (json!({"field": "score", "gte": 70, "lt": "82.5"}), false),
        (json!({"field": "country", "in": ["MX", "ES"]}), true),
        (json!({"field": "country", "not_in": ["MX", "ES"]}), false),
        (json!({"field": "born", "lte": "1990-02-28"}), true),
        (json!({"field": "born", "lt": "1990-02-28"}), false),
        (json!({"field": "idle", "gte": "1h"}), true),
        (json!({"field": "idle", "gt": "60m"}), false),
        (json!({"field": "languages", "in": ["ca", "fr"]}), true),
        (json!({"field": "languages", "in": ["fr"]}), false),
        (json!({"field": "languages", "not_in": ["fr"]}), true),
        (json!({"field": "vip", "exists": false}), true),
        (json!({"field": "vip", "exists": true}), false),
        (json!({"not": [{"field": "source", "eq": "organic"}]}), false),
        (json!("always"), true),
    ] {
        assert_eq!(judged(when.clone()), Outcome::Value(holds), "{when}");
    }
}

#[test]
fn a_missing_fact_is_an_error_and_never_a_no() {
    let missing = Outcome::Error(RuleFault::MissingFact("vip".to_owned()));
    for when in [
        json!({"field": "vip", "eq": true}),
        json!({"not": {"field": "vip", "eq": true}}),
        json!({"any": [{"field": "vip", "eq": true}, {"field": "source", "eq": "organic"}]}),
        json!({"all": [{"field": "source", "eq": "organic"}, {"field": "vip", "ne": true}]}),
    ] {
        assert_eq!(judged(when.clone()), missing, "{when}");
    }
    let guarded = json!({"all": [{"field": "vip", "exists": true}, {"field": "vip", "eq": true}]});
    assert_eq!(judged(guarded), Outcome::Value(false));
}

#[test]
fn a_fact_of_another_type_is_an_error() {
    let test = |op, value| Condition::Test(Test { field: "score".into(), op, value });
    for condition in [
        test(Op::Eq, Value::from("82.5")),
        test(Op::Gt, Value::from(true)),
        test(Op::In, Value::from(vec!["82.5"])),
        test(Op::In, Value::from(5_u32)),
        test(Op::Exists, Value::from(5_u32)),
    ] {
        let outcome = evaluate(&condition, &facts()).outcome;
        assert!(matches!(outcome, Outcome::Error(RuleFault::TypeMismatch { .. })), "{condition:?} {outcome:?}");
    }
}

fn rows(conditions: Vec<Json>) -> Vec<Row<usize>> {
    let row = |(n, when): (usize, Json)| Row {
        id: format!("r{n}"),
        when: parse_condition(&when, &schema()).unwrap(),
        then: n,
    };
    conditions.into_iter().enumerate().map(row).collect()
}

#[test]
fn the_trace_tells_what_was_looked_at_and_what_was_not() {
    let table = rows(vec![
        json!({"all": [{"field": "source", "eq": "paid_search"}, {"field": "vip", "eq": true}]}),
        json!({"any": [{"field": "score", "gte": 80}, {"field": "vip", "eq": true}]}),
        json!("always"),
    ]);
    let found = first_match(&table, facts()).unwrap();
    assert_eq!((found.row_id(), found.outcome()), (Some("r1"), Some(&1)));
    assert_eq!(found.why("pools"), ["pools/r0: no", "pools/r1: yes"]);
    assert_eq!(
        serde_json::to_value(found.trace()).unwrap(),
        json!([
            {"row": "r0", "value": false, "when": {"all": [
                {"test": "source eq paid_search", "fact": "organic", "value": false},
                {"test": "vip eq true", "skipped": true},
            ], "value": false}},
            {"row": "r1", "value": true, "when": {"any": [
                {"test": "score gte 80", "fact": "82.5", "value": true},
                {"test": "vip eq true", "skipped": true},
            ], "value": true}},
            {"row": "r2", "skipped": true},
        ])
    );
}

#[test]
fn an_error_stops_at_its_row_even_if_a_later_row_would_hold() {
    let table = rows(vec![json!({"field": "score", "gt": 90}), json!({"field": "vip", "eq": true}), json!("always")]);
    let error = first_match(&table, facts()).unwrap_err();
    assert_eq!(error.row_id, "r1");
    assert_eq!(error.fault, RuleFault::MissingFact("vip".to_owned()));
    assert_eq!(error.why("pools"), ["pools/r0: no", "pools/r1: error: fact `vip` is missing"]);
    let trace = serde_json::to_value(&*error.trace).unwrap();
    assert_eq!(trace[1]["error"], "fact `vip` is missing");
    assert_eq!(trace[2], json!({"row": "r2", "skipped": true}));
}

#[test]
fn why_stays_small_for_long_tables() {
    let mut conditions = vec![json!({"field": "score", "gt": 90}); 199];
    conditions.push(json!("always"));
    let table = rows(conditions);
    let found = first_match(&table, facts()).unwrap();
    let why = found.why("pools");
    assert_eq!(why.first().map(String::as_str), Some("pools: 195 rows before: no"));
    assert_eq!(why.last().map(String::as_str), Some("pools/r199: yes"));
    assert!(serde_json::to_string(&why).unwrap().len() < 200);
    let empty: [Row<()>; 0] = [];
    let none = first_match(&empty, facts()).unwrap();
    assert_eq!((none.row_id(), none.outcome()), (None, None));
    assert_eq!(none.why("pools"), ["pools: no rows"]);
}
