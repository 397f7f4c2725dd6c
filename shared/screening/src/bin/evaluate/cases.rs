//! Labelled clients in the form of `dev-screen.jsonl`.

use screening::matching::query::{Query, QueryKind};
use screening::matching::screener::{Examined, Screener};
use screening::model::Country;
use serde::Deserialize;

/// A client of whom is known whether and as whom he is listed.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    pub query_id: String,
    pub name: String,
    #[serde(default)]
    pub dob: String,
    #[serde(default)]
    pub country: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub label: u8,
    #[serde(default)]
    pub entity_id: String,
    pub category: String,
}

/// What the engine made of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// In logits.
    pub score: f32,
    /// Whether the best hit is the right entry.
    pub right: bool,
}

impl Case {
    pub fn is_person(&self) -> bool {
        self.kind == "person"
    }

    /// An invented client, by whom false alarms are counted.
    pub fn is_clean(&self) -> bool {
        self.category.starts_with("clean")
    }

    pub fn query(&self) -> Query {
        Query {
            name: self.name.clone(),
            kind: Some(if self.is_person() { QueryKind::Person } else { QueryKind::Organisation }),
            birth: self.dob.parse().ok(),
            countries: Country::from_code(&self.country).into_iter().collect(),
            ..Query::default()
        }
    }

    /// Cases about the same listed party are in the same fold.
    pub fn fold(&self, folds: usize) -> usize {
        let key = if self.entity_id.is_empty() { &self.query_id } else { &self.entity_id };
        let hash = key
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        usize::try_from(hash >> 33).unwrap_or_default() % folds
    }
}

pub fn read(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(number, line)| serde_json::from_slice(line).map_err(|error| format!("line {}: {error}", number + 1)))
        .collect()
}

/// `ent_num,alt_num` of aliases to leave out.
pub fn removed_aliases(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().skip(1).map(|line| format!("{},", line.trim())).collect()
}

/// `alt.csv` without those.
pub fn without(bytes: &[u8], removed: &[String]) -> Vec<u8> {
    let kept = |line: &&[u8]| !removed.iter().any(|key| line.starts_with(key.as_bytes()));
    bytes.split_inclusive(|byte| *byte == b'\n').filter(kept).flatten().copied().collect()
}

pub fn outcome(screener: &mut Screener<'_>, case: &Case) -> Outcome {
    let best: Option<Examined> = screener.examine(&case.query()).into_iter().next();
    best.map_or(Outcome { score: f32::MIN, right: false }, |best| Outcome {
        score: best.logits,
        right: best.entity_id == case.entity_id,
    })
}
