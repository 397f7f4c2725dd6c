//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    pub min: f32,
    pub statistics: bool,
    pub explain: bool,
    pub lists: PathBuf,
    pub since: Option<PathBuf>,
    pub write_index: Option<PathBuf>,
    /// Files in the folders that are no lists.
    pub ignored: Vec<String>,
    /// What a list may have lost since the older folder, in percent.
    pub shrinkage: usize,
}

/// An alert from here on: see `METHOD.md`.
const MIN: f32 = 0.5;
/// A day's delistings are a few in a thousand: a list that lost more is believed to be broken.
const SHRINKAGE: usize = 10;

const USAGE: &str = "\
usage: screen [options] LIST_FOLDER < queries.csv > hits.csv
       screen [options] INDEX_FILE  < queries.csv > hits.csv
       screen --write-index INDEX_FILE LIST_FOLDER
  --min SCORE          hits below this score, 0 to 1, are none (0.5)
  --explain            the hits with their reasons, a JSON object a line, on standard error
  --stats              load time, index size, speed and peak memory, on standard error
  --since OLD_FOLDER   only entries that OLD_FOLDER does not have or has otherwise: for clients who were screened against the rest
  --shrinkage PERCENT  what a list may have lost since OLD_FOLDER (10); one that lost more is refused
  --ignore NAME        a file in the folders that is no list; as often as needed
  --write-index FILE   writes the index and screens nobody
queries.csv: query_id,name,dob,country,type    hits.csv: query_id,best_entity_id,score";

impl Arguments {
    pub fn parse(mut given: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut lists = None;
        let mut arguments = Self {
            min: MIN,
            statistics: false,
            explain: false,
            lists: PathBuf::new(),
            since: None,
            write_index: None,
            ignored: Vec::new(),
            shrinkage: SHRINKAGE,
        };
        while let Some(argument) = given.next() {
            let mut next = || given.next().ok_or_else(|| USAGE.to_owned());
            match argument.to_str() {
                Some("--min") => {
                    let text = text(next()?);
                    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
                    arguments.min = score.ok_or_else(|| format!("--min: `{text}` is no score between 0 and 1"))?;
                }
                Some("--shrinkage") => {
                    let text = text(next()?);
                    let percent = text.parse().ok().filter(|percent| *percent <= 100);
                    arguments.shrinkage = percent.ok_or_else(|| format!("--shrinkage: `{text}` is no percentage"))?;
                }
                Some("--stats") => arguments.statistics = true,
                Some("--explain") => arguments.explain = true,
                Some("--since") => arguments.since = Some(next()?.into()),
                Some("--write-index") => arguments.write_index = Some(next()?.into()),
                Some("--ignore") => arguments.ignored.push(text(next()?)),
                Some(option) if option.starts_with('-') => return Err(format!("`{option}`?\n{USAGE}")),
                _ if lists.is_some() => return Err(format!("`{}`?\n{USAGE}", text(argument))),
                _ => lists = Some(PathBuf::from(argument)),
            }
        }
        arguments.lists = lists.ok_or_else(|| USAGE.to_owned())?;
        Ok(arguments)
    }
}

fn text(argument: OsString) -> String {
    argument.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for line in [
            "",
            "--min",
            "--min 2 lists",
            "--min x lists",
            "a b",
            "--unknown lists",
            "--since",
            "--shrinkage 101 lists",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn options_come_in_any_order() {
        let arguments = parse("--stats lists --min 0 --explain").unwrap();
        assert!(arguments.statistics && arguments.explain && arguments.min == 0.0);
        assert_eq!(arguments.lists, PathBuf::from("lists"));
        assert_eq!(parse("lists").unwrap().min, MIN);
    }
}
