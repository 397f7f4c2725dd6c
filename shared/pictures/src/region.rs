//! Where on a picture the document is: the tiles with most structure. A table or a wall around it says nothing about it.

use crate::num;
use crate::picture::Grey;

/// Side of a tile in pixels of the measured picture.
pub(crate) const TILE: usize = 32;
/// Structure is what remains when so many pixels a side are one: it is there in a blurred picture as well.
const CELL: usize = 4;
/// One in so many tiles is taken.
const ONE_IN: usize = 4;

/// A tile and how much structure it has: the standard deviation of its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) right: usize,
    pub(crate) bottom: usize,
    structure: f32,
}

/// The tiles of the document and those of what lies around it or between its lines.
pub(crate) struct Region {
    pub(crate) busy: Vec<Tile>,
    pub(crate) quiet: Vec<Tile>,
}

impl Region {
    pub(crate) fn of(grey: &Grey) -> Self {
        let mut tiles = Vec::new();
        for top in (0..grey.height()).step_by(TILE) {
            for left in (0..grey.width()).step_by(TILE) {
                let (right, bottom) = ((left + TILE).min(grey.width()), (top + TILE).min(grey.height()));
                tiles.push(Tile { left, top, right, bottom, structure: structure(grey, left, top, right, bottom) });
            }
        }
        tiles.sort_by(|one, other| other.structure.total_cmp(&one.structure));
        let quiet = tiles.split_off(tiles.len().div_ceil(ONE_IN));
        Self { busy: tiles, quiet }
    }

    /// The box around the document: all but the outermost twentieth of its tiles.
    pub(crate) fn bounds(&self) -> (usize, usize, usize, usize) {
        let edge = |of: fn(&Tile) -> usize, from_end: bool| {
            let mut edges: Vec<usize> = self.busy.iter().map(of).collect();
            edges.sort_unstable();
            let skipped = edges.len() / 20;
            let at = if from_end { edges.len().saturating_sub(1 + skipped) } else { skipped };
            edges.get(at).copied().unwrap_or(0)
        };
        (edge(|tile| tile.left, false), edge(|tile| tile.top, false), edge(|t| t.right, true), edge(|t| t.bottom, true))
    }
}

fn structure(grey: &Grey, left: usize, top: usize, right: usize, bottom: usize) -> f32 {
    let (mut count, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
    for y in (top..bottom).step_by(CELL) {
        for x in (left..right).step_by(CELL) {
            let rows = (y..bottom.min(y + CELL)).map(|row| grey.row(row, x, right.min(x + CELL)));
            let (pixels, total) = rows.fold((0usize, 0u32), |(pixels, total), row| {
                (pixels + row.len(), total + row.iter().map(|level| u32::from(*level)).sum::<u32>())
            });
            let mean = num::real(num::at(total)) / num::real(pixels.max(1));
            count += 1.0;
            sum += mean;
            squares += mean * mean;
        }
    }
    let mean = sum / count.max(1.0);
    (squares / count.max(1.0) - mean * mean).max(0.0).sqrt()
}
