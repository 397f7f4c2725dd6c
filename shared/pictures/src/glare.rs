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
const AWAY: usize = 4;
/// Areas of less than one in so many pixels are highlights on a hologram, dots and noise.
const ONE_IN: usize = 500;

/// Thousandths of the box that reflections cover.
pub(crate) fn share(grey: &Grey, (left, top, right, bottom): (usize, usize, usize, usize)) -> u16 {
    let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
    if is_white(grey, (left, top, right, bottom)) {
        return 0;
    }
    let is_blown = |x: usize, y: usize| grey.level(left + x, top + y) >= BLOWN;
    let mut seen = vec![false; width * height];
    let mut glare = 0;
    let mut stack = Vec::new();
    for start in 0..width * height {
        if seen.get(start).copied().unwrap_or(true) || !is_blown(start % width, start / width) {
            continue;
        }
        let (mut area, mut soft, mut hard) = (0usize, 0usize, 0usize);
        stack.push(start);
        mark(&mut seen, start);
        while let Some(at) = stack.pop() {
            area += 1;
            let (x, y) = (at % width, at / width);
            let steps = [(x > 0, at.wrapping_sub(1)), (x + 1 < width, at + 1)];
            let steps = steps.into_iter().chain([(y > 0, at.wrapping_sub(width)), (y + 1 < height, at + width)]);
            for (direction, (inside, next)) in steps.enumerate() {
                if !inside || seen.get(next).copied().unwrap_or(true) {
                    continue;
                }
                if is_blown(next % width, next / width) {
                    mark(&mut seen, next);
                    stack.push(next);
                    continue;
                }
                let (away_x, away_y) = match direction {
                    0 => (x.saturating_sub(AWAY), y),
                    1 => ((x + AWAY).min(width - 1), y),
                    2 => (x, y.saturating_sub(AWAY)),
                    _ => (x, (y + AWAY).min(height - 1)),
                };
                match grey.level(left + away_x, top + away_y) {
                    BLOWN.. => {}
                    BRIGHT.. => soft += 1,
                    _ => hard += 1,
                }
            }
        }
        if area * ONE_IN >= width * height && soft > hard {
            glare += area;
        }
    }
    num::thousandths(glare, width * height)
}

/// Whether the paper is white wherever it is even: then nothing tells a reflection from it, and letters on it are seen by other measures.
fn is_white(grey: &Grey, (left, top, right, bottom): (usize, usize, usize, usize)) -> bool {
    let (mut bright, mut darker) = (0usize, 0usize);
    for y in (top..bottom).step_by(2) {
        for x in (left..right).step_by(2) {
            let level = grey.level(x, y);
            let is_even = level.abs_diff(grey.level(x + 2, y)) <= EVEN && level.abs_diff(grey.level(x, y + 2)) <= EVEN;
            if level >= BRIGHT && is_even {
                bright += 1;
                darker += usize::from(level < PAPER);
            }
        }
    }
    darker * WHITE_ONE_IN <= bright
}

fn mark(seen: &mut [bool], at: usize) {
    if let Some(seen) = seen.get_mut(at) {
        *seen = true;
    }
}
