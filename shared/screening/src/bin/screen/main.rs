//! Screens the clients on standard input against the lists in a folder: see `README.md` of the crate.

mod arguments;
mod clients;
mod statistics;

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use screening::index::{Index, build};
use screening::lists::folder;
use screening::matching::screener::{Options, Screener};

use arguments::Arguments;
use statistics::Statistics;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes in one line.
fn report(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    note(&text);
}

fn note(text: &str) {
    eprintln!("screen: {text}");
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let mut statistics = Statistics::start();
    let index = load(&arguments.lists)?;
    statistics.loaded(&index);
    let options = Options { min: arguments.min, limit: 1 };
    let mut screener = Screener::new(&index);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "query_id,best_entity_id,score")?;
    for client in clients::read(std::io::stdin().lock())? {
        let client = client?;
        for fault in &client.faults {
            note(&format!("{}: {fault}", client.id));
        }
        let hits = screener.screen(&client.query, &options);
        statistics.screened();
        let (id, score) = hits.first().map_or(("", 0.0), |hit| (hit.entity_id.as_str(), hit.score));
        writeln!(out, "{},{},{score:.6}", clients::field(&client.id), clients::field(id))?;
    }
    out.flush()?;
    if arguments.statistics {
        statistics.print();
    }
    Ok(())
}

/// The index of the lists in a folder.
fn load(path: &Path) -> Result<Index, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))? {
        names.extend(entry?.file_name().into_string());
    }
    let folder = folder::load(&names, |name| {
        std::fs::File::open(path.join(name)).and_then(|mut file| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).map(|_| bytes)
        })
    })?;
    for text in &folder.notes {
        note(text);
    }
    for (list, fault) in &folder.faults {
        note(&format!("{list}: {fault}"));
    }
    Ok(build(&folder.lists, &folder.entities))
}
