//! Numeric bands: half-open stretches that must follow one another without gap or overlap.

use rust_decimal::Decimal;
use serde::Serialize;

use super::read::{Faults, Node};
use super::table::unique_name;
use crate::input::Fault;

/// How many bands a score may have.
const BANDS_MAX: usize = 10;

/// A stretch of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreBand {
    /// What rules call it.
    pub name: String,
    /// The lowest score in it.
    pub from: u32,
}

/// The bands of a score, lowest first; every score from zero on is in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ScoreBands(Vec<ScoreBand>);

impl ScoreBands {
    /// The name of a score's band.
    pub fn of(&self, score: u32) -> &str {
        let band = self.0.iter().rev().find(|band| band.from <= score);
        band.map_or("", |band| band.name.as_str())
    }

    /// The names, lowest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|band| band.name.as_str())
    }
}

/// Reads `[{name, from}, …]` for scores up to `most`.
pub(crate) fn read_score_bands(node: &Node<'_>, most: u32, faults: &mut Faults) -> Option<ScoreBands> {
    let mut names = Vec::new();
    let bands = node.each(1..=BANDS_MAX, faults, |item, faults| {
        let object = item.object(&["name", "from"], faults)?;
        let name = object.need("name", faults).and_then(|node| unique_name(&node, &mut names, faults));
        let from = object.need("from", faults).and_then(|node| node.whole(0..=most, faults));
        Some(ScoreBand { name: name?, from: from? })
    })?;
    let ends = bands.iter().skip(1).map(|band| Some(Decimal::from(band.from))).chain([None]);
    let stretches: Vec<Band> =
        bands.iter().zip(ends).map(|(band, below)| Band { from: Decimal::from(band.from), below }).collect();
    let found = faults_of_bands(node.pointer(), &stretches, Band { from: Decimal::ZERO, below: None });
    let good = found.is_empty();
    found.into_iter().for_each(|fault| faults.add(fault));
    good.then_some(ScoreBands(bands))
}

/// From a number (included) up to another (excluded), or without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The first number that belongs to it.
    pub from: Decimal,
    /// The first number that no longer does; `None` for no end.
    pub below: Option<Decimal>,
}

impl Band {
    /// Whether a number is in it.
    pub fn contains(&self, number: Decimal) -> bool {
        self.from <= number && self.below.is_none_or(|below| number < below)
    }
}

/// Every gap and overlap of bands that are written in order at `pointer` (`{pointer}/{n}` each) and must cover `all`.
pub fn faults_of_bands(pointer: &str, bands: &[Band], all: Band) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Where the next band must begin; `None` once a band had no end.
    let mut next = Some(all.from);
    for (n, band) in bands.iter().enumerate() {
        let mut fault = |code, message: String| faults.push(Fault::new(format!("{pointer}/{n}"), code, message));
        if band.below.is_some_and(|below| below <= band.from) {
            fault("bad_range", format!("begins at {} and so must end above it", band.from));
            continue;
        }
        match next {
            None => fault("band_overlap", "stands after a band that has no end".to_owned()),
            Some(next) if band.from < next => {
                fault("band_overlap", format!("must begin at {next}, begins before it at {}", band.from))
            }
            Some(next) if band.from > next => fault("band_gap", format!("nothing covers {next} to {}", band.from)),
            Some(_) => {}
        }
        // A band inside the one before does not take back what that one covered.
        next = next.and_then(|next| band.below.map(|below| below.max(next)));
    }
    let short = match (next, all.below) {
        (None, None) => None,
        (None, Some(end)) => {
            faults.push(Fault::new(pointer, "bad_range", format!("the last band must end at {end}")));
            None
        }
        (Some(next), None) => Some((next, "without end".to_owned())),
        (Some(next), Some(end)) if next < end => Some((next, format!("to {end}"))),
        (Some(next), Some(end)) if next > end => {
            faults.push(Fault::new(pointer, "bad_range", format!("the last band must end at {end}, ends at {next}")));
            None
        }
        (Some(_), Some(_)) => None,
    };
    if let Some((from, to)) = short {
        faults.push(Fault::new(pointer, "band_gap", format!("nothing covers {from} {to}")));
    }
    faults
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn band(from: i64, below: i64) -> Band {
        Band { from: Decimal::from(from), below: (below < 100).then(|| Decimal::from(below)) }
    }

    fn codes(bands: &[Band]) -> Vec<(String, &'static str)> {
        let found = faults_of_bands("/bands", bands, band(0, 50));
        found.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn each_defect_of_bands_is_found_at_its_place() {
        assert_eq!(codes(&[band(0, 10), band(10, 50)]), []);
        for (bands, pointer, code) in [
            (vec![], "/bands", "band_gap"),
            (vec![band(0, 10), band(11, 50)], "/bands/1", "band_gap"),
            (vec![band(0, 10), band(9, 50)], "/bands/1", "band_overlap"),
            (vec![band(1, 50)], "/bands/0", "band_gap"),
            (vec![band(0, 49)], "/bands", "band_gap"),
            (vec![band(0, 51)], "/bands", "bad_range"),
            (vec![band(0, 100)], "/bands", "bad_range"),
            (vec![band(0, 50), band(50, 50)], "/bands/1", "bad_range"),
        ] {
            assert_eq!(codes(&bands), [(pointer.to_owned(), code)], "{bands:?}");
        }
    }

    #[test]
    fn a_score_is_in_the_band_that_begins_at_or_below_it() {
        let document = serde_json::json!([{"name": "low", "from": 0}, {"name": "high", "from": 60}]);
        let bands = super::super::read::read_document(&document, |node, faults| read_score_bands(node, 100, faults));
        let bands = bands.unwrap();
        assert_eq!([0, 59, 60, 1_000].map(|score| bands.of(score)), ["low", "low", "high", "high"]);
        assert_eq!(bands.names().collect::<Vec<_>>(), ["low", "high"]);
        assert_eq!(serde_json::to_value(&bands).unwrap(), document);
    }

    proptest! {
        #[test]
        fn no_fault_means_every_number_is_in_exactly_one_band(ends in prop::collection::vec((0_i64..6, 0_i64..8), 0..5)) {
            let bands: Vec<Band> = ends.into_iter().map(|(from, below)| band(from, below)).collect();
            let all = band(0, 6);
            let exact = (0..8).all(|n| {
                let n = Decimal::from(n);
                bands.iter().filter(|band| band.contains(n)).count() == usize::from(all.contains(n))
            });
            let in_order = bands.windows(2).all(|pair| pair[0].from < pair[1].from) && bands.iter().all(|b| b.below.is_none_or(|e| e > b.from));
            prop_assert_eq!(faults_of_bands("", &bands, all).is_empty(), exact && in_order);
        }
    }
}
