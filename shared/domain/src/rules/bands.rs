//! Numeric bands: half-open stretches that must follow one another without gap or overlap.

use rust_decimal::Decimal;

use crate::input::Fault;

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
