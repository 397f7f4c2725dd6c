//! `detect <scenarios.yaml> <country_lists.yaml> < events.jsonl > alerts.jsonl`: what the scenarios find in the events of a journal.

use std::process::ExitCode;

fn main() -> ExitCode {
    compliance::export::run(&mut std::env::args().skip(1))
}
