//! The binary `detect`: events on standard input, a line each, as `events/README.md` describes them; alerts on standard output, a line each.
//! It calls nobody and stores nothing.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use domain::compliance::detector::{Detector, Told};
use domain::compliance::{CountryLists, Scenarios};
use domain::input::Fault;
use domain::rules::{RuleSet, yaml};
use serde_json::{Value, json};

const USAGE: &str = "usage: detect <scenarios.yaml> <country_lists.yaml> < events.jsonl > alerts.jsonl";

/// Runs it.
pub fn run(arguments: &mut dyn Iterator<Item = String>) -> ExitCode {
    let mut errors = io::stderr().lock();
    let done = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(scenarios), Some(lists), None) => files(&scenarios, &lists, &mut errors),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        // what could not be read was told line by line, and cost its neighbours nothing
        Ok(_) => ExitCode::from(2),
        Err(what) => {
            let _told = writeln!(errors, "{what}");
            ExitCode::FAILURE
        }
    }
}

fn files(scenarios: &str, lists: &str, errors: &mut dyn Write) -> Result<u64, String> {
    let rules: Scenarios = rules(scenarios)?;
    let lists: CountryLists = rules_of_lists(lists, &rules)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let unread = detect(&rules, &lists, scenarios, &mut io::stdin().lock(), &mut out, errors);
    unread
        .and_then(|unread| out.flush().map(|()| unread))
        .map_err(|error| format!("the alerts cannot be written: {error}"))
}

fn rules<S: RuleSet>(path: &str) -> Result<S, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let told = |faults: Vec<Fault>| {
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("{path}: {}: {}", fault.pointer, fault.message)).collect();
        lines.join("\n")
    };
    let document = yaml::read(&text).map_err(told)?;
    S::parse(&document.value).map_err(|faults| told(document.placed(faults)))
}

/// A list that is named and not there would find nobody, ever.
fn rules_of_lists(path: &str, scenarios: &Scenarios) -> Result<CountryLists, String> {
    let lists: CountryLists = rules(path)?;
    let missing = scenarios.references().into_iter().find(|named| lists.get(&named.name).is_none());
    missing.map_or(Ok(lists), |named| Err(format!("{path} has no list `{}`, which the scenarios name", named.name)))
}

/// Reads events and writes alerts; how many lines could not be read or judged.
///
/// # Errors
/// When the input cannot be read or the output not be written.
pub fn detect(
    rules: &Scenarios,
    lists: &CountryLists,
    label: &str,
    events: &mut dyn BufRead,
    alerts: &mut dyn Write,
    errors: &mut dyn Write,
) -> io::Result<u64> {
    let mut detector = Detector::new(rules, lists, label);
    let (mut line, mut number, mut unread) = (String::new(), 0_u64, 0_u64);
    while events.read_line(&mut line)? > 0 {
        number = number.saturating_add(1);
        if !line.trim().is_empty() {
            match detector.line(&line) {
                Ok(told) => told.iter().try_for_each(|one| writeln!(alerts, "{}", view(one)))?,
                Err(what) => {
                    unread = unread.saturating_add(1);
                    writeln!(errors, "line {number}: {what}")?;
                }
            }
        }
        line.clear();
    }
    Ok(unread)
}

fn view(told: &Told) -> Value {
    let mut view = json!(told.alert);
    if let Some(object) = view.as_object_mut() {
        object.insert("client_id".to_owned(), json!(told.client_id));
        object.insert("mode".to_owned(), json!(told.mode));
    }
    view
}
