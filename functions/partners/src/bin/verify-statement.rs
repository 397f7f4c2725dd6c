//! `verify-statement FILE…`: reckons a statement again from what stands in the file, without a network. Several files are pages of one statement.
//!
//! 0 where all of it bears itself out, 1 where something differs, 2 where a file cannot be read.

#![expect(clippy::print_stdout, reason = "it is asked at a terminal, and answers there")]

use std::process::ExitCode;

use domain::partner::verify::{Document, Finding, verify};

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    match read(&files) {
        Ok(pages) => told(&verify(&pages), &pages),
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(2)
        }
    }
}

fn read(files: &[String]) -> Result<Vec<Document>, String> {
    if files.is_empty() {
        return Err("usage: verify-statement FILE…".to_owned());
    }
    let page = |file: &String| {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("{file}: not a statement: {error}"))
    };
    files.iter().map(page).collect()
}

fn told(findings: &[Finding], pages: &[Document]) -> ExitCode {
    for finding in findings {
        match &finding.line {
            Some(line) => println!("{line}: {}", finding.what),
            None => println!("statement: {}", finding.what),
        }
    }
    if let (true, Some(first)) = (findings.is_empty(), pages.first()) {
        println!(
            "{}: all {} lines bear it out, closing {}",
            first.statement_id, first.head.lines_count, first.head.closing
        );
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}
