//! The command line.

use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    pub min: f32,
    pub statistics: bool,
    pub lists: PathBuf,
}

/// An alert from here on: see `METHOD.md`.
const MIN: f32 = 0.5;

const USAGE: &str = "usage: screen [--min SCORE] [--stats] LIST_FOLDER < queries.csv > hits.csv";

impl Arguments {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut min, mut statistics, mut lists) = (MIN, false, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--min" => {
                    let text = arguments.next().ok_or_else(|| USAGE.to_owned())?;
                    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
                    min = score.ok_or_else(|| format!("--min: `{text}` is no score between 0 and 1"))?;
                }
                "--stats" => statistics = true,
                _ if argument.starts_with('-') || lists.is_some() => return Err(format!("`{argument}`? {USAGE}")),
                _ => lists = Some(PathBuf::from(argument)),
            }
        }
        Ok(Self { min, statistics, lists: lists.ok_or_else(|| USAGE.to_owned())? })
    }
}
