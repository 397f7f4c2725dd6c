//! What holds for every rule.

use std::collections::BTreeSet;

use domain::rule_sets::{SetName, parse_any};
use domain::rules::condition::{Condition, Op, Test};
use domain::rules::evaluate::{Outcome, evaluate};
use domain::rules::parse::parse_condition;
use domain::rules::{Facts, Fields, Row, Schema, Value, first_match, parse_table};
use domain::{Country, Currency, Seconds};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::seeds::seed;

const FIELDS: [&str; 8] = ["word", "number", "truth", "country", "currency", "day", "span", "tags"];

fn schema() -> Schema {
    Fields::<()>::new()
        .choice("word", || ["a", "b", "c"].map(str::to_owned).to_vec(), |()| None::<String>)
        .field("number", |()| None::<Decimal>)
        .field("truth", |()| None::<bool>)
        .field("country", |()| None::<Country>)
        .field("currency", |()| None::<Currency>)
        .field("day", |()| None::<Date>)
        .field("span", |()| None::<Seconds>)
        .field("tags", |()| None::<Vec<String>>)
        .schema(&[])
}

/// Few values of each type, so that equal ones meet.
fn values(field: &str) -> Vec<Value> {
    match field {
        "word" | "tags" => ["a", "b", "c"].map(Value::from).to_vec(),
        "number" => ["-1", "0", "0.5", "2"].map(|n| Value::from(n.parse::<Decimal>().unwrap())).to_vec(),
        "truth" => vec![Value::from(false), Value::from(true)],
        "country" => ["DE", "ES"].map(|c| Value::from(c.parse::<Country>().unwrap())).to_vec(),
        "currency" => ["JPY", "USD"].map(|c| Value::from(c.parse::<Currency>().unwrap())).to_vec(),
        "day" => ["2026-01-01", "2026-01-02"].map(|d| Value::from(d.parse::<Date>().unwrap())).to_vec(),
        _ => [0, 60, 61].map(|s| Value::from(Seconds(s))).to_vec(),
    }
}

fn test() -> impl Strategy<Value = Condition> {
    select(FIELDS.to_vec()).prop_flat_map(|field| {
        let all = values(field);
        let ordered = matches!(field, "number" | "day" | "span");
        let count = all.len();
        let one = (
            select(all.clone()),
            select(if ordered { vec![Op::Eq, Op::Ne, Op::Gt, Op::Gte, Op::Lt, Op::Lte] } else { vec![Op::Eq, Op::Ne] }),
        );
        let many = (subsequence(all, 1..=count).prop_map(Value::List), select(vec![Op::In, Op::NotIn]));
        let there = (any::<bool>().prop_map(Value::Bool), Just(Op::Exists));
        let asked = if field == "tags" {
            prop_oneof![many, there].boxed()
        } else {
            prop_oneof![4 => one, 3 => many, 1 => there].boxed()
        };
        asked.prop_map(move |(value, op)| Condition::Test(Test { field: field.into(), op, value }))
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    condition_of_depth(3)
}

fn condition_of_depth(depth: u32) -> impl Strategy<Value = Condition> {
    test().prop_recursive(depth, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Condition::Any),
            inner.prop_map(|child| Condition::Not(Box::new(child))),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let one = |field: &'static str| {
        let fact = if field == "tags" {
            subsequence(values(field), 0..=2).prop_map(Value::List).boxed()
        } else {
            select(values(field)).boxed()
        };
        prop_oneof![4 => fact.prop_map(Some), 1 => Just(None)].prop_map(move |fact| (field, fact))
    };
    FIELDS
        .map(one)
        .to_vec()
        .prop_map(|all| all.into_iter().fold(Facts::new(), |facts, (field, fact)| facts.with_optional(field, fact)))
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn json_value() -> impl Strategy<Value = Json> {
    let word = select(vec![
        "id", "when", "then", "field", "all", "any", "not", "eq", "in", "gte", "exists", "always", "word", "number",
        "a", "psps", "min",
    ]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        word.clone().prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Rows over fields with few values each, so that all facts can be tried.
fn small_row() -> impl Strategy<Value = Json> {
    let word = subsequence(vec!["a", "b", "c"], 1..=3).prop_map(|words| json!({"field": "word", "in": words}));
    let truth = any::<bool>().prop_map(|truth| json!({"field": "truth", "eq": truth}));
    let number = (select(vec!["gt", "gte", "lt", "lte", "eq", "ne"]), 0..4_i32)
        .prop_map(|(op, n)| json!({"field": "number", op: n}));
    let span = (select(vec!["gt", "gte", "lt", "lte", "eq"]), 0..3_i32)
        .prop_map(|(op, n)| json!({"field": "span", op: format!("{n}s")}));
    prop_oneof![word, truth, number, span].prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"all": all})),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|any| json!({"any": any})),
            1 => inner.prop_map(|child| json!({"not": child})),
        ]
    })
}

fn all_small_facts() -> Vec<Facts> {
    let halves: Vec<Decimal> = (-2..=9).map(|n| Decimal::new(n * 5, 1)).collect();
    let mut all = Vec::new();
    for word in ["a", "b", "c"] {
        for truth in [false, true] {
            for number in &halves {
                for span in 0..5 {
                    all.push(
                        Facts::new()
                            .with("word", word)
                            .with("truth", truth)
                            .with("number", *number)
                            .with("span", Seconds(span)),
                    );
                }
            }
        }
    }
    all
}

proptest! {
    #[test]
    fn evaluation_is_total_and_deterministic(condition in condition(), facts in facts()) {
        let trace = evaluate(&condition, &facts);
        prop_assert_ne!(&trace.outcome, &Outcome::Skipped);
        prop_assert_eq!(&trace, &evaluate(&condition, &facts));
        prop_assert!(serde_json::to_string(&trace).is_ok());
    }

    #[test]
    fn not_of_not_is_the_same(condition in condition(), facts in facts()) {
        prop_assert_eq!(evaluate(&not(not(condition.clone())), &facts).outcome, evaluate(&condition, &facts).outcome);
    }

    #[test]
    fn any_is_not_all_of_the_opposites(children in prop::collection::vec(condition_of_depth(2), 1..4), facts in facts()) {
        let opposites = children.iter().cloned().map(not).collect();
        let any = evaluate(&Condition::Any(children), &facts).outcome;
        prop_assert_eq!(any, evaluate(&not(Condition::All(opposites)), &facts).outcome);
    }

    #[test]
    fn what_is_written_reads_the_same(condition in condition()) {
        let written = serde_json::to_value(&condition).unwrap();
        match parse_condition(&written, &schema()) {
            Ok(read) => prop_assert_eq!(read, condition),
            // Only what nothing can fulfil is refused, never a spelling.
            Err(faults) => prop_assert!(faults.iter().all(|fault| fault.code == "never_true"), "{:?}", faults),
        }
    }

    #[test]
    fn a_table_that_is_written_reads_the_same(conditions in prop::collection::vec(condition(), 1..5)) {
        let rows: Vec<Row<u64>> = conditions.into_iter().zip(0..).map(|(when, n)| Row { id: format!("r{n}"), when, then: n }).collect();
        let written = serde_json::to_value(&rows).unwrap();
        match parse_table(&written, &schema(), |then| then.as_u64().ok_or_else(Vec::new)) {
            Ok(read) => prop_assert_eq!(read, rows),
            Err(faults) => prop_assert!(faults.iter().all(|fault| matches!(fault.code, "never_true" | "unreachable_row")), "{:?}", faults),
        }
    }

    #[test]
    fn the_order_of_children_does_not_matter_without_errors(children in prop::collection::vec(condition(), 1..5), facts in facts(), seed in any::<prop::sample::Index>()) {
        let mut turned = children.clone();
        turned.rotate_left(seed.index(children.len()));
        turned.reverse();
        prop_assume!(children.iter().all(|child| matches!(evaluate(child, &facts).outcome, Outcome::Value(_))));
        for join in [Condition::All, Condition::Any] {
            prop_assert_eq!(evaluate(&join(children.clone()), &facts).outcome, evaluate(&join(turned.clone()), &facts).outcome);
        }
    }

    #[test]
    fn the_first_row_that_holds_is_found(conditions in prop::collection::vec(condition(), 0..6), facts in facts()) {
        let rows: Vec<Row<usize>> = conditions.into_iter().enumerate().map(|(n, when)| Row { id: n.to_string(), when, then: n }).collect();
        let first = rows.iter().map(|row| evaluate(&row.when, &facts).outcome).enumerate().find(|(_, outcome)| *outcome != Outcome::Value(false));
        match (first_match(&rows, facts), first) {
            (Ok(found), Some((n, Outcome::Value(true)))) => {
                prop_assert_eq!(found.outcome(), Some(&n));
                let trace = found.trace().rows;
                prop_assert_eq!(trace.len(), rows.len());
                prop_assert!(trace.iter().take(n).all(|row| row.outcome == Outcome::Value(false)));
                prop_assert_eq!(found.trace().why("rows"), found.why("rows"), "what is left out is told the same");
            }
            (Ok(found), None) => prop_assert_eq!(found.outcome(), None),
            (Err(error), Some((n, Outcome::Error(fault)))) => prop_assert_eq!((error.row_id, error.fault), (n.to_string(), fault)),
            (found, first) => prop_assert!(false, "{:?} but {:?}", found, first),
        }
    }

    #[test]
    fn every_why_fits_a_journal_entry(conditions in prop::collection::vec(condition(), 0..30), facts in facts()) {
        let rows: Vec<Row<()>> = conditions.into_iter().zip(0..).map(|(when, n)| Row { id: format!("{n:040}"), when, then: () }).collect();
        let why = first_match(&rows, facts).map_or_else(|error| error.why("deposit_limits"), |found| found.why("deposit_limits"));
        prop_assert!(serde_json::to_string(&why).unwrap().len() < 760);
    }

    #[test]
    fn exactly_the_rows_that_nothing_reaches_are_refused(conditions in prop::collection::vec(small_row(), 1..5)) {
        let rows: Vec<Json> = conditions.iter().enumerate().map(|(n, when)| json!({"id": format!("r{n}"), "when": when, "then": null})).collect();
        let faults = parse_table(&Json::Array(rows), &schema(), |_| Ok(())).err().unwrap_or_default();
        prop_assume!(faults.iter().all(|fault| fault.code == "unreachable_row"));
        let refused: BTreeSet<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let parsed: Vec<Row<()>> = conditions.iter().zip(0..).map(|(when, n)| Row { id: format!("/{n}/when"), when: parse_condition(when, &schema()).unwrap(), then: () }).collect();
        let reached: BTreeSet<String> = all_small_facts().iter().filter_map(|facts| first_match(&parsed, facts.clone()).unwrap().row_id().map(str::to_owned)).collect();
        for row in &parsed {
            prop_assert_eq!(refused.contains(row.id.as_str()), !reached.contains(&row.id), "{}", row.id);
        }
    }

    #[test]
    fn a_condition_is_refused_as_never_true_exactly_if_it_is(when in small_row()) {
        match parse_condition(&when, &schema()) {
            Ok(condition) => {
                let held = all_small_facts().iter().any(|facts| evaluate(&condition, facts).outcome == Outcome::Value(true));
                prop_assert!(held, "{} never holds", when);
            }
            Err(faults) => prop_assert!(faults.iter().all(|fault| fault.code == "never_true"), "{:?}", faults),
        }
    }

    #[test]
    fn no_document_makes_a_parser_panic_and_every_pointer_leads_somewhere(document in json_value(), name in select(SetName::ALL.to_vec())) {
        let parsed = parse_table(&document, &schema(), |_| Ok(()));
        for fault in parsed.err().into_iter().flatten().chain(parse_any(name, &document).err().into_iter().flatten()) {
            prop_assert!(document.pointer(&fault.pointer).is_some(), "{:?} in {}", fault, document);
        }
    }

    #[test]
    fn no_value_inside_a_seed_makes_a_parser_panic(name in select(SetName::ALL.to_vec()), at in any::<prop::sample::Index>(), value in json_value()) {
        let mut document = seed(name);
        let mut places = Vec::new();
        collect(&document, String::new(), &mut places);
        let place = at.get(&places).clone();
        *document.pointer_mut(&place).unwrap() = value;
        for fault in parse_any(name, &document).err().into_iter().flatten() {
            prop_assert!(document.pointer(&fault.pointer).is_some(), "{:?} after {}", fault, place);
        }
    }
}

fn collect(value: &Json, at: String, places: &mut Vec<String>) {
    match value {
        Json::Object(map) => map.iter().for_each(|(key, value)| collect(value, format!("{at}/{key}"), places)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| collect(value, format!("{at}/{n}"), places))
        }
        _ => {}
    }
    places.push(at);
}
