//! Reflections: connected areas at the upper end of the scale that fade out into bright paper. White paper is white up to the
//! letters and the edge, and is no reflection.

use crate::num;
use crate::picture::Grey;

/// From this level on nothing is left of what stood there.
const BLOWN: u8 = 252;
/// What surrounds a reflection is at least as bright as this.
const BRIGHT: u8 = 185;
/// Paper that is not blown out is clearly darker than this.
const PAPER: u8 = 244;
/// Even paper changes by no more than this over two pixels.
const EVEN: u8 = 8;
/// If no more than one in so many even bright pixels is darker, the paper itself is white.
const WHITE_ONE_IN: usize = 20;
/// How far from the edge the surroundings are looked at, in pixels.
const AWAY: isize = 4;
/// Areas of less than one in so many pixels are highlights on a hologram, dots and noise.
const ONE_IN: usize = 500;

/// Thousandths of the box (left, top, right, bottom) that reflections cover.
pub(crate) fn share(grey: &Grey, bounds: (usize, usize, usize, usize)) -> u16 {
    let Some(document) = grey.cropped(bounds) else { return 0 };
    if is_white(&document) {
        return 0;
    }
    let mut blown: Vec<bool> = document.levels().iter().map(|level| *level >= BLOWN).collect();
    let pixels = blown.len();
    let mut glare = 0;
    for start in 0..pixels {
        if take(&mut blown, start) {
            let spot = spot(&document, &mut blown, start);
            if spot.area * ONE_IN >= pixels && spot.soft > spot.hard {
                glare += spot.area;
            }
        }
    }
    num::thousandths(glare, pixels)
}

/// A connected blown-out area, in pixels, and how many places along its edge fade out or break off.
#[derive(Default)]
struct Spot {
    area: usize,
    soft: usize,
    hard: usize,
}

/// The area around a place, which is taken off the map.
fn spot(document: &Grey, blown: &mut [bool], start: usize) -> Spot {
    let (width, height) = (document.width(), document.height());
    let mut spot = Spot::default();
    let mut stack = vec![start];
    while let Some(at) = stack.pop() {
        spot.area += 1;
        let (x, y) = (at % width, at / width);
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            let beside = x.checked_add_signed(dx).zip(y.checked_add_signed(dy));
            let Some((next_x, next_y)) = beside.filter(|(x, y)| *x < width && *y < height) else { continue };
            if document.level(next_x, next_y) >= BLOWN {
                let next = next_y * width + next_x;
                if take(blown, next) {
                    stack.push(next);
                }
                continue;
            }
            match document.level(x.saturating_add_signed(dx * AWAY), y.saturating_add_signed(dy * AWAY)) {
                BLOWN.. => {}
                BRIGHT.. => spot.soft += 1,
                _ => spot.hard += 1,
            }
        }
    }
    spot
}

/// Whether the paper is white wherever it is even: then nothing tells a reflection from it, and other measures see to the letters.
fn is_white(document: &Grey) -> bool {
    let (mut bright, mut darker) = (0usize, 0usize);
    for y in (0..document.height()).step_by(2) {
        for x in (0..document.width()).step_by(2) {
            let level = document.level(x, y);
            let changes = level.abs_diff(document.level(x + 2, y)).max(level.abs_diff(document.level(x, y + 2)));
            if level >= BRIGHT && changes <= EVEN {
                bright += 1;
                darker += usize::from(level < PAPER);
            }
        }
    }
    darker * WHITE_ONE_IN <= bright
}

/// Takes a place off the map; says whether it was on it.
fn take(blown: &mut [bool], at: usize) -> bool {
    blown.get_mut(at).is_some_and(std::mem::take)
}
