//! From the detector's map of likelihoods to boxes around lines.

use crate::geometry::{Point, Slant, smallest_box};
use crate::num;

/// A pixel belongs to text from this likelihood on.
const TEXT: f32 = 0.3;
/// A box is text if its pixels have this likelihood on average.
const BOX: f32 = 0.5;
/// The detector marks the middle of a line; by so much the box is grown, as in its training.
const GROWTH: f32 = 1.6;
/// What is smaller on the map is dirt.
const SIDE_MIN: f32 = 3.0;
/// A page of small print has two hundred lines.
const BOXES_MAX: usize = 300;

/// The boxes on a map of `width` x `height` likelihoods, in its pixels, longest first.
pub(crate) fn boxes(map: &[f32], width: usize, height: usize) -> Vec<Slant> {
    let mut marked = widened(map, width, height);
    let mut boxes = Vec::new();
    for start in 0..width * height {
        if marked.get(start).copied().unwrap_or(false) {
            boxes.extend(component(map, &mut marked, width, height, start));
        }
    }
    boxes.sort_by(|one: &Slant, other| other.length.max(other.height).total_cmp(&one.length.max(one.height)));
    boxes.truncate(BOXES_MAX);
    boxes
}

/// What is text, and the pixels right of and below it: letters that almost touch are one line.
fn widened(map: &[f32], width: usize, height: usize) -> Vec<bool> {
    let is_text = |x: usize, y: usize| map.get(y * width + x).is_some_and(|likelihood| *likelihood > TEXT);
    let near = |x: usize, y: usize| {
        is_text(x, y)
            || (x > 0 && is_text(x - 1, y))
            || (y > 0 && (is_text(x, y - 1) || (x > 0 && is_text(x - 1, y - 1))))
    };
    (0..width * height).map(|at| near(at % width, at / width)).collect()
}

/// Takes one connected area off the marks and makes a box of it.
fn component(map: &[f32], marked: &mut [bool], width: usize, height: usize, start: usize) -> Option<Slant> {
    let mut edges = std::collections::BTreeMap::<usize, (usize, usize)>::new();
    let (mut sum, mut count) = (0.0f32, 0usize);
    let mut stack = vec![start];
    clear(marked, start);
    while let Some(at) = stack.pop() {
        let (x, y) = (at % width, at / width);
        let edge = edges.entry(y).or_insert((x, x));
        *edge = (edge.0.min(x), edge.1.max(x));
        sum += map.get(at).copied().unwrap_or(0.0);
        count += 1;
        for next_y in y.saturating_sub(1)..(y + 2).min(height) {
            for next_x in x.saturating_sub(1)..(x + 2).min(width) {
                let next = next_y * width + next_x;
                if clear(marked, next) {
                    stack.push(next);
                }
            }
        }
    }
    if sum / num::real(count) < BOX * 0.8 {
        return None;
    }
    let corners = edges.iter().flat_map(|(y, (left, right))| {
        let (top, left, right) = (num::real(*y), num::real(*left), num::real(*right) + 1.0);
        [(left, top), (right, top), (left, top + 1.0), (right, top + 1.0)].map(|(x, y)| Point::new(x, y))
    });
    let found = smallest_box(corners.collect())?;
    (found.length.min(found.height) >= SIDE_MIN).then(|| found.grown(GROWTH))
}

/// Takes a mark off; says whether there was one.
fn clear(marked: &mut [bool], at: usize) -> bool {
    marked.get_mut(at).is_some_and(std::mem::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bars_are_two_boxes_and_dirt_is_none() {
        let (width, height) = (100, 60);
        let mut map = vec![0.0; width * height];
        for (left, right, top, bottom, likelihood) in
            [(10, 80, 10, 16, 0.9), (20, 60, 40, 45, 0.8), (90, 91, 50, 51, 1.0), (70, 90, 30, 36, 0.32)]
        {
            for y in top..bottom {
                for x in left..right {
                    map[y * width + x] = likelihood;
                }
            }
        }
        let found = boxes(&map, width, height);
        assert_eq!(found.len(), 2, "{found:?}");
        let first = found[0].read_towards(Point::new(1.0, 0.0));
        assert!(first.length > 70.0 && first.length < 85.0 && first.height < 18.0, "{first:?}");
    }

    #[test]
    fn maps_of_any_size_are_read() {
        assert_eq!(boxes(&[], 0, 0), []);
        assert_eq!(boxes(&[1.0], 1, 1), []);
        assert_eq!(boxes(&vec![1.0; 640], 640, 1).len(), 0);
    }
}
