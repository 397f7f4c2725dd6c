//! Measures the engine on labelled clients, and fits its model: see `README.md` of the crate.

mod cases;
#[path = "../shared/files.rs"]
mod files;
mod fit;
mod report;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use screening::index::{Index, build};
use screening::lists::folder;
use screening::matching::model::Model;
use screening::matching::screener::Screener;

use cases::Case;

const USAGE: &str = "usage: evaluate [--fit] [--folds N] [--ignore NAME] LIST_FOLDER CASES.jsonl [MORE.jsonl …]\n\
  LIST_FOLDER has the lists; a file named dev-screen-removed-alts.csv beside the first cases names aliases that are left out\n\
  --ignore N  a file in the folder that is no list; as often as needed\n\
  --folds N   fit on the other folds, measure each fold: cross-validation\n\
  --fit       fit on all cases and print the model file";

/// The first line of a model file.
const MODEL_HEADER: &str = "# Weights of the model in logits: feature, for persons, for organisations. Made by `evaluate --fit`: see README.md.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evaluate: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    fit: bool,
    folds: Option<usize>,
    paths: Vec<PathBuf>,
    ignored: Vec<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut given = std::env::args_os().skip(1);
    while let Some(argument) = given.next() {
        match argument.to_str().unwrap_or_default() {
            "--fit" => parsed.fit = true,
            "--folds" => {
                parsed.folds = Some(
                    given
                        .next()
                        .and_then(|text| text.to_str()?.parse().ok())
                        .filter(|folds| *folds > 1)
                        .ok_or(USAGE)?,
                )
            }
            "--ignore" => parsed.ignored.push(given.next().ok_or(USAGE)?.to_string_lossy().into_owned()),
            option if option.starts_with('-') => return Err(USAGE.to_owned()),
            _ => parsed.paths.push(PathBuf::from(argument)),
        }
    }
    if parsed.paths.len() < 2 { Err(USAGE.to_owned()) } else { Ok(parsed) }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let [lists, case_files @ ..] = arguments.paths.as_slice() else { return Err(USAGE.into()) };
    let left_out =
        case_files.first().and_then(|path| path.parent()).map(|folder| folder.join("dev-screen-removed-alts.csv"));
    let index = load(lists, &arguments.ignored, left_out.as_deref())?;
    let mut cases: Vec<Case> = Vec::new();
    for file in case_files {
        let named = |error: String| format!("{}: {error}", file.display());
        let bytes = files::bytes(file).map_err(|error| named(error.to_string()))?;
        cases.extend(cases::read(&bytes).map_err(named)?);
    }
    if let Some(folds) = arguments.folds {
        let outcomes = fit::cross_validated(&index, &cases, folds);
        report::print(&format!("{folds}-fold cross-validation"), &cases, &outcomes);
    } else if arguments.fit {
        let model = fit::fit(&index, &cases.iter().collect::<Vec<_>>());
        report::write(&format!("{MODEL_HEADER}\n{}", model.to_text()));
    } else {
        let mut screener = Screener::with_model(&index, *Model::fitted());
        let outcomes: Vec<_> = cases.iter().map(|case| cases::outcome(&mut screener, case)).collect();
        report::print("the crate's model", &cases, &outcomes);
    }
    Ok(())
}

/// The index of a folder without the aliases that the cases are made of.
fn load(path: &Path, ignored: &[String], left_out: Option<&Path>) -> Result<Index, Box<dyn Error>> {
    let removed = left_out
        .and_then(|path| files::bytes(path).ok())
        .map(|bytes| cases::removed_aliases(&bytes))
        .unwrap_or_default();
    let folder = folder::load(&files::content(path)?.files, ignored, |name| {
        let read = files::bytes(&path.join(name))?;
        Ok::<_, std::io::Error>(if name.eq_ignore_ascii_case("alt.csv") {
            cases::without(&read, &removed)
        } else {
            read
        })
    })?;
    eprintln!("{} entries, {} aliases left out", folder.entities.len(), removed.len());
    Ok(build(&folder.lists, &folder.entities))
}
