//! From the likelihoods along a line to its characters.

use documents::Glyph;

use crate::alphabet::{Alphabet, NONE, ZONE};
use crate::num;

/// Less likely ones are no alternative.
const RUNNER_UP_MIN: f32 = 0.01;

/// What is most likely at one place along the line.
struct Moment {
    class: usize,
    likelihood: f32,
    runner_up: Option<(usize, f32)>,
}

/// The characters as printed. `steps` are the likelihoods of all classes, place after place.
pub(crate) fn printed(steps: &[f32]) -> Vec<Glyph> {
    let alphabet = Alphabet::get();
    let moments = steps.chunks_exact(alphabet.len()).map(|classes| moment(classes, NONE));
    glyphs(moments, NONE, |one, other| one == other, |class| alphabet.character(class))
}

/// The characters as a machine-readable zone would have them: of each, all its forms count.
pub(crate) fn zone(steps: &[f32]) -> Vec<Glyph> {
    let alphabet = Alphabet::get();
    let letters: Vec<char> = ZONE.chars().collect();
    // the last place is for no character, and for what no zone has
    let none = letters.len();
    let letter = |class: usize| letters.get(class).copied().unwrap_or('?');
    let moments = steps.chunks_exact(alphabet.len()).map(|classes| {
        let mut folded = vec![0.0f32; none + 1];
        for (class, likelihood) in classes.iter().enumerate() {
            if let Some(sum) = folded.get_mut(alphabet.zone(class).unwrap_or(none)) {
                *sum += likelihood;
            }
        }
        moment(&folded, none)
    });
    glyphs(moments, none, |one, other| one == other || are_twins(letter(one), letter(other)), letter)
}

/// Characters between which a reader wavers while it passes over one.
fn are_twins(one: char, other: char) -> bool {
    const TWINS: [(char, char); 6] = [('0', 'O'), ('1', 'I'), ('2', 'Z'), ('5', 'S'), ('8', 'B'), ('6', 'G')];
    TWINS.iter().any(|(digit, letter)| (*digit, *letter) == (one, other) || (*letter, *digit) == (one, other))
}

fn moment(classes: &[f32], none: usize) -> Moment {
    let best = classes.iter().copied().enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other));
    let (class, likelihood) = best.unwrap_or((none, 0.0));
    let others = classes.iter().copied().enumerate().filter(|(other, _)| *other != class && *other != none);
    let runner_up = others.max_by(|(_, one), (_, other)| one.total_cmp(other));
    Moment { class, likelihood, runner_up: runner_up.filter(|(_, likelihood)| *likelihood >= RUNNER_UP_MIN) }
}

/// One character for each stretch of the same; of a stretch, the moment that is surest counts.
fn glyphs(
    moments: impl Iterator<Item = Moment>,
    none: usize,
    same: impl Fn(usize, usize) -> bool,
    character: impl Fn(usize) -> char,
) -> Vec<Glyph> {
    let mut stretches: Vec<Moment> = Vec::new();
    let mut goes_on = false;
    for moment in moments {
        if moment.class == none {
            goes_on = false;
            continue;
        }
        match stretches.last_mut() {
            Some(stretch) if goes_on && same(stretch.class, moment.class) => {
                if moment.likelihood > stretch.likelihood {
                    let before = (stretch.class != moment.class).then_some((stretch.class, stretch.likelihood));
                    *stretch = Moment { runner_up: likelier(moment.runner_up, before), ..moment };
                } else if moment.class != stretch.class {
                    stretch.runner_up = likelier(stretch.runner_up, Some((moment.class, moment.likelihood)));
                }
            }
            _ => stretches.push(moment),
        }
        goes_on = true;
    }
    let glyph = |stretch: &Moment| Glyph {
        read: character(stretch.class),
        sure: num::thousandths(stretch.likelihood),
        runner_up: stretch.runner_up.map(|(class, likelihood)| (character(class), num::thousandths(likelihood))),
    };
    stretches.iter().map(glyph).collect()
}

fn likelier(one: Option<(usize, f32)>, other: Option<(usize, f32)>) -> Option<(usize, f32)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.1 >= other.1 { one } else { other }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Likelihoods for places that are each sure of one character (`_` is none), or in doubt between two.
    fn steps(places: &[(char, char, f32)]) -> Vec<f32> {
        let alphabet = Alphabet::get();
        let known = |letter: char| (1..alphabet.len()).find(|class| alphabet.character(*class) == letter);
        let class = |letter: char| known(letter).filter(|_| letter != '_').unwrap_or(NONE);
        let mut steps = Vec::new();
        for (best, second, likelihood) in places {
            let mut classes = vec![0.0; alphabet.len()];
            classes[class(*best)] += likelihood;
            classes[class(*second)] += 1.0 - likelihood;
            steps.extend(classes);
        }
        steps
    }

    fn text(glyphs: &[Glyph]) -> String {
        glyphs.iter().map(|glyph| glyph.read).collect()
    }

    #[test]
    fn stretches_are_one_character_and_a_gap_makes_two() {
        let steps = steps(&[('A', '_', 0.9), ('A', '_', 0.6), ('_', 'B', 0.9), ('A', 'x', 0.8), ('ß', '_', 1.0)]);
        let read = printed(&steps);
        assert_eq!(text(&read), "AAß");
        assert_eq!((read[0].sure, read[0].runner_up), (900, None));
        assert_eq!((read[1].sure, read[1].runner_up), (800, Some(('x', 200))));
    }

    #[test]
    fn a_zone_has_its_own_letters_only() {
        let steps = steps(&[
            ('é', '_', 0.9),
            ('_', '_', 1.0),
            ('«', '<', 0.6),
            ('_', '_', 1.0),
            ('.', 'K', 0.7),
            ('7', '_', 0.9),
        ]);
        assert_eq!(text(&zone(&steps)), "E<7");
        assert_eq!(zone(&steps)[1].sure, 1000);
    }

    #[test]
    fn a_reader_that_wavers_between_twins_saw_one_character() {
        let steps = steps(&[
            ('O', '_', 0.6),
            ('0', '_', 0.9),
            ('O', '_', 0.7),
            ('_', 'O', 0.9),
            ('0', '_', 0.8),
            ('1', '_', 0.8),
        ]);
        let read = zone(&steps);
        assert_eq!(text(&read), "001");
        assert_eq!(read[0].runner_up, Some(('O', 700)));
        assert_eq!(text(&printed(&steps)), "O0O01");
    }

    #[test]
    fn no_places_are_no_characters() {
        assert!(printed(&[]).is_empty() && zone(&[]).is_empty());
    }
}
