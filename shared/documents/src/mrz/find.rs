//! Finding the zone among the lines of a picture: of all ways to read it, the one for which most check digits hold.

use jiff::civil::Date;

use super::fit::{Candidate, candidates, rows};
use super::found::Found;
use super::glyphs::FILLER;
use super::layout::Format;
use super::solve::{Proof, Solved, solve};
use crate::line::{Glyph, Line};

/// The zone that stands in the lines, best first if there are several in different lines.
pub(crate) fn find(lines: &[Line], today: Date) -> Vec<Found> {
    let mut all = scored(lines, false);
    // the reader's decoding of all text is looked at only where that of a zone alone does not hold
    if lines.iter().any(|line| line.zone_glyphs.is_some()) && !all.iter().any(Scored::is_whole) {
        all.extend(scored(lines, true));
    }
    all.retain(Scored::is_one);
    all.sort_by_key(|one| std::cmp::Reverse(one.score));
    let mut found: Vec<Found> = vec![];
    for one in all {
        let known = found.iter().any(|found| one.lines.iter().any(|line| found.lines.contains(line)));
        if !known {
            found.push(Found::of(&one, today));
        }
    }
    found
}

/// Fillers that no text but a zone has.
const FILLERS_MIN: usize = 8;

/// A candidate, fitted in one way, with its score.
pub(super) struct Scored {
    pub(super) format: Format,
    pub(super) glyphs: Vec<Glyph>,
    pub(super) solved: Solved,
    pub(super) names_short: bool,
    pub(super) begins: bool,
    pub(super) lines: Vec<usize>,
    /// Check digits that hold, then few characters off, then few changes.
    score: (usize, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>),
}

fn scored(lines: &[Line], plainly: bool) -> Vec<Scored> {
    let candidates = candidates(&rows(lines, plainly));
    candidates
        .iter()
        .filter_map(|candidate| {
            let ways = candidate.ways().into_iter().map(|glyphs| Scored::of(candidate, glyphs));
            // of equal ways the first one is the most likely
            ways.reduce(|best, next| if next.score > best.score { next } else { best })
        })
        .collect()
}

impl Scored {
    fn of(candidate: &Candidate, glyphs: Vec<Glyph>) -> Self {
        let solved = solve(candidate.format.layout(), &glyphs);
        let proofs = solved.proofs;
        let fields = [Some(proofs.number), Some(proofs.date_of_birth), proofs.expires, proofs.optional];
        let held = fields.into_iter().flatten().filter(|proof| *proof != Proof::Fails).count();
        let composed = if solved.composite == Some(true) { 2 } else { 0 };
        let lines = candidate.rows.iter().flat_map(|row| row.lines.iter().copied()).collect();
        let score =
            (held.saturating_add(composed), std::cmp::Reverse(candidate.off), std::cmp::Reverse(solved.changes));
        Self {
            format: candidate.format,
            glyphs,
            solved,
            names_short: candidate.names_short(),
            begins: candidate.begins,
            lines,
            score,
        }
    }

    /// Whether it is a zone at all and no other text of that length: two check digits hold, or it is filled up.
    fn is_one(&self) -> bool {
        let fillers = self.solved.text.iter().filter(|read| **read == FILLER).count();
        // what does not begin like a zone may have lost its first character, if all else is right
        if self.begins { self.score.0 >= 2 || fillers >= FILLERS_MIN } else { self.is_whole() }
    }

    /// Whether every check digit holds, the composite one included, which visas lack.
    fn is_whole(&self) -> bool {
        let own = if self.format == Format::FrenchCard { 2 } else { 3_usize };
        let optional = self.format.layout().optional.iter().len();
        self.score.0 >= own.saturating_add(optional).saturating_add(2)
    }
}
