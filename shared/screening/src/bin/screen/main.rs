//! Screens the clients on standard input against the lists in a folder: see `README.md` of the crate.

mod arguments;
mod clients;
#[path = "../shared/files.rs"]
mod files;
mod load;
mod statistics;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use screening::index::Index;
use screening::lists::delta::Delta;
use screening::lists::folder;
use screening::matching::query::Query;
use screening::matching::screener::{Hit, Options, Screener};
use serde::Serialize;

use arguments::Arguments;
use clients::Client;
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
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    let mut statistics = Statistics::start();
    let bytes = load::index_bytes(&arguments.lists, &arguments.ignored)?;
    statistics.read();
    // as the functions do it: from the bytes of an index file
    let index = Index::from_bytes(bytes)?;
    statistics.loaded(&index);
    if let Some(path) = &arguments.write_index {
        std::fs::File::create(path)?.write_all(index.as_bytes())?;
    } else {
        let mut screener = Screener::new(&index);
        if arguments.since.is_some() {
            screener.restrict(&changed(&arguments)?);
            statistics.restricted();
        }
        screen(&mut screener, &arguments, &mut statistics)?;
    }
    if arguments.statistics {
        statistics.print();
    }
    Ok(())
}

/// The entries that are new or say something else since another version of the lists.
fn changed(arguments: &Arguments) -> Result<BTreeSet<(String, String)>, Box<dyn Error>> {
    let lists = |path| load::lists(path, &arguments.ignored);
    let before = arguments.since.as_deref().map(lists).transpose()?.unwrap_or_default();
    let now = lists(&arguments.lists)?;
    folder::check_sizes(&before, &now, arguments.shrinkage)
        .map_err(|(list, error)| format!("list {list}: {error}; if it is right, allow it with --shrinkage"))?;
    let delta = Delta::between(&before.entities, &now.entities);
    note(&format!(
        "{} entries added, {} changed, {} removed",
        delta.added.len(),
        delta.changed.len(),
        delta.removed.len()
    ));
    Ok(delta.to_screen().into_iter().map(|entity| (entity.list, entity.id)).collect())
}

/// A hit with its client, as `--explain` writes it.
#[derive(Serialize)]
struct Explained<'h> {
    query_id: &'h str,
    #[serde(flatten)]
    hit: &'h Hit,
}

fn screen(
    screener: &mut Screener<'_>,
    arguments: &Arguments,
    statistics: &mut Statistics,
) -> Result<(), Box<dyn Error>> {
    let options = Options { min: arguments.min, limit: 1 };
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "query_id,best_entity_id,score")?;
    for client in clients::read(std::io::stdin().lock())? {
        let Client { id, query, line, faults } = client?;
        for fault in &faults {
            note(&format!("line {line}, {id}: {fault}"));
        }
        if query.as_ref().is_some_and(Query::is_cut) {
            note(&format!("line {line}, {id}: the name is too long, only its beginning was compared"));
        }
        let hits = query.map(|query| screener.screen(&query, &options)).unwrap_or_default();
        statistics.screened();
        let (entity, score) = hits.first().map_or(("", 0.0), |hit| (hit.entity_id.as_str(), hit.score));
        writeln!(out, "{},{},{score:.6}", clients::field(&id), clients::field(entity))?;
        if arguments.explain {
            for hit in &hits {
                eprintln!("{}", serde_json::to_string(&Explained { query_id: &id, hit })?);
            }
        }
    }
    out.flush()?;
    Ok(())
}
