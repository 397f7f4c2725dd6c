//! Looking for somebody on the lists.

use std::cmp::Ordering;

use domain::kyc::case::ListKind;
use domain::kyc::rules::{ListRule, ScreeningRules};
use screening::matching::query::Query;
use screening::matching::screener::{Hit, Options, Screener};
use screening::model::Country;

use super::index::Loaded;

/// Somebody listed who may be the one that was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// What the engine says. It names people: not for logs and events.
    pub hit: Hit,
    /// What the list is of.
    pub of: ListKind,
}

/// Why looking for a name says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No letter of it can be compared.
    #[error("the name has nothing that can be compared")]
    Blank,
    /// Only its beginning would be compared.
    #[error("the name is too long to be compared as a whole")]
    TooLong,
}

/// A country as the engine knows it.
pub fn country(country: domain::Country) -> Option<Country> {
    Country::from_code(country.code()).ok()
}

/// Everybody whom one of the queries finds with the score that the rules have for new clients, best first, each once.
///
/// # Errors
/// [`NameError`] where no hit would mean nothing.
pub fn search(loaded: &Loaded, rules: &ScreeningRules, queries: &[Query]) -> Result<Vec<Match>, NameError> {
    search_with(&mut Screener::new(&loaded.index), rules, |list| list.threshold, queries)
}

/// The same with a screener that is kept, and with the scores that `threshold` gives.
///
/// # Errors
/// [`NameError`].
pub fn search_with(
    screener: &mut Screener<'_>,
    rules: &ScreeningRules,
    threshold: impl Fn(&ListRule) -> u32,
    queries: &[Query],
) -> Result<Vec<Match>, NameError> {
    let min = rules.lists.iter().map(|list| share(threshold(list))).fold(1.0_f32, f32::min);
    let mut matches: Vec<Match> = Vec::new();
    for query in queries {
        comparable(query)?;
        // as many as there are: a limit would let hits of one list push out those of another
        for hit in screener.screen(query, &Options { min, limit: usize::MAX }) {
            // a list that the rules no longer name is not asked
            let Some(list) = rules.list(&hit.list) else { continue };
            if hit.score >= share(threshold(list)) {
                add(&mut matches, Match { of: list.of, hit });
            }
        }
    }
    matches.sort_by(better);
    Ok(matches)
}

/// Whether looking for somebody says anything.
///
/// # Errors
/// [`NameError`].
pub fn comparable(query: &Query) -> Result<(), NameError> {
    if query.is_blank() {
        return Err(NameError::Blank);
    }
    if query.is_cut() { Err(NameError::TooLong) } else { Ok(()) }
}

/// Of one entry the best hit stays.
fn add(matches: &mut Vec<Match>, found: Match) {
    let same = |known: &&mut Match| known.hit.list == found.hit.list && known.hit.entity_id == found.hit.entity_id;
    match matches.iter_mut().find(same) {
        Some(known) if known.hit.score < found.hit.score => *known = found,
        Some(_) => {}
        None => matches.push(found),
    }
}

fn better(one: &Match, other: &Match) -> Ordering {
    let id = |found: &Match| (found.hit.list.clone(), found.hit.entity_id.clone());
    other.hit.score.total_cmp(&one.hit.score).then_with(|| id(one).cmp(&id(other)))
}

/// Thousandths as the engine counts.
fn share(per_mille: u32) -> f32 {
    u16::try_from(per_mille).map_or(1.0, |n| f32::from(n) / 1_000.0)
}
