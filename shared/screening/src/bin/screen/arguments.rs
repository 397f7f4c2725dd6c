//! The command line.

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
}

/// An alert from here on: see `METHOD.md`.
const MIN: f32 = 0.5;

const USAGE: &str = "\
usage: screen [options] LIST_FOLDER < queries.csv > hits.csv
       screen [options] INDEX_FILE  < queries.csv > hits.csv
       screen --write-index INDEX_FILE LIST_FOLDER
  --min SCORE          hits below this score, 0 to 1, are none (0.5)
  --explain            the hits with their reasons, a JSON object a line, on standard error
  --stats              load time, index size, speed and peak memory, on standard error
  --since OLD_FOLDER   only entries that OLD_FOLDER does not have or has otherwise: for clients who were screened against the rest
  --write-index FILE   writes the index and screens nobody
queries.csv: query_id,name,dob,country,type    hits.csv: query_id,best_entity_id,score";

impl Arguments {
    pub fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut lists = None;
        let mut arguments =
            Self { min: MIN, statistics: false, explain: false, lists: PathBuf::new(), since: None, write_index: None };
        while let Some(argument) = given.next() {
            let mut path = || given.next().map(PathBuf::from).ok_or_else(|| USAGE.to_owned());
            match argument.as_str() {
                "--min" => {
                    let text = given.next().ok_or_else(|| USAGE.to_owned())?;
                    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
                    arguments.min = score.ok_or_else(|| format!("--min: `{text}` is no score between 0 and 1"))?;
                }
                "--stats" => arguments.statistics = true,
                "--explain" => arguments.explain = true,
                "--since" => arguments.since = Some(path()?),
                "--write-index" => arguments.write_index = Some(path()?),
                _ if argument.starts_with('-') || lists.is_some() => return Err(format!("`{argument}`?\n{USAGE}")),
                _ => lists = Some(PathBuf::from(argument)),
            }
        }
        arguments.lists = lists.ok_or_else(|| USAGE.to_owned())?;
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for line in ["", "--min", "--min 2 lists", "--min x lists", "a b", "--unknown lists", "--since"] {
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
