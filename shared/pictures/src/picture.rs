//! Pictures in memory, and how they are made smaller.

use std::fmt;

use crate::exif::Orientation;
use crate::num;

/// A picture in colours, upright, three bytes a pixel. It shows a person, so `Debug` tells its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// A picture in levels of grey, one byte a pixel: 0 is black.
#[derive(Clone, PartialEq, Eq)]
pub struct Grey {
    width: usize,
    height: usize,
    levels: Vec<u8>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

impl fmt::Debug for Grey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grey({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// `None` if there are no pixels, or not three bytes for each.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Self> {
        let needed = width.checked_mul(height)?.checked_mul(3)?;
        (needed > 0 && rgb.len() == needed).then_some(Self { width, height, rgb })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green and blue of each pixel, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// A pixel; places outside are those of the nearest edge.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y.min(self.height - 1) * self.width + x.min(self.width - 1)) * 3;
        match self.rgb.get(at..at + 3) {
            Some([red, green, blue]) => [*red, *green, *blue],
            _ => [0; 3],
        }
    }

    /// Turned half a turn or a quarter, clockwise: the quarters are counted.
    #[must_use]
    pub fn turned(&self, quarters: u8) -> Self {
        let number = match quarters % 4 {
            1 => 6,
            2 => 3,
            3 => 8,
            _ => 1,
        };
        Orientation::new(number).map_or_else(|| self.clone(), |orientation| self.clone().upright(orientation))
    }

    /// As it is to be shown. Goes in blocks: a column of a big picture does not fit into the cache.
    #[must_use]
    pub(crate) fn upright(self, orientation: Orientation) -> Self {
        const BLOCK: usize = 64;
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let (width, height) =
            if orientation.is_transposed() { (self.height, self.width) } else { (self.width, self.height) };
        let mut rgb = vec![0; self.rgb.len()];
        let at = |x, y| {
            let (x, y) = orientation.stored_at(x, y, self.width, self.height);
            (y * self.width + x) * 3
        };
        // a step to the right is the same everywhere; where it goes back, adding it wraps around
        let step = if width > 1 { at(1, 0).wrapping_sub(at(0, 0)) } else { 0 };
        for top in (0..height).step_by(BLOCK) {
            for left in (0..width).step_by(BLOCK) {
                for y in top..height.min(top + BLOCK) {
                    let mut from = at(left, y);
                    let row = y * width * 3;
                    let to = rgb.get_mut(row + left * 3..row + width.min(left + BLOCK) * 3).unwrap_or_default();
                    for to in to.chunks_exact_mut(3) {
                        if let Some(from) = self.rgb.get(from..from.wrapping_add(3)) {
                            to.copy_from_slice(from);
                        }
                        from = from.wrapping_add(step);
                    }
                }
            }
        }
        Self { width, height, rgb }
    }

    /// The picture in grey, its longer side at most so many pixels: each level is the mean of the pixels that it stands for.
    pub fn grey(&self, long_side_max: usize) -> Grey {
        let long = self.width.max(self.height);
        let whole = self.averaged((long / long_side_max.max(1)).max(1));
        let long = whole.width.max(whole.height);
        if long <= long_side_max {
            return whole;
        }
        let scaled = |side: usize| (side * long_side_max / long).max(1);
        whole.resampled(scaled(whole.width), scaled(whole.height))
    }

    /// Squares of `factor` x `factor` pixels as one level each; what is left over at the right and lower edge is dropped.
    fn averaged(&self, factor: usize) -> Grey {
        let factor = factor.min(self.width).min(self.height).max(1);
        let (width, height) = (self.width / factor, self.height / factor);
        let mut levels = Vec::with_capacity(width * height);
        let mut sums = vec![0u32; width];
        let pixels = u32::try_from(factor * factor).unwrap_or(u32::MAX).saturating_mul(256);
        for band in self.rgb.chunks_exact(self.width * 3 * factor).take(height) {
            sums.fill(0);
            for row in band.chunks_exact(self.width * 3) {
                for (sum, square) in sums.iter_mut().zip(row.chunks_exact(3 * factor)) {
                    for pixel in square.chunks_exact(3) {
                        if let [red, green, blue] = *pixel {
                            // luma of Rec. 601 in 256ths
                            *sum += 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
                        }
                    }
                }
            }
            levels.extend(sums.iter().map(|sum| u8::try_from((sum + pixels / 2) / pixels).unwrap_or(u8::MAX)));
        }
        Grey { width, height, levels }
    }
}

impl Grey {
    /// `None` if there are no pixels, or not one level for each.
    pub fn new(width: usize, height: usize, levels: Vec<u8>) -> Option<Self> {
        (width.checked_mul(height)? == levels.len() && !levels.is_empty()).then_some(Self { width, height, levels })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The levels row by row.
    pub fn levels(&self) -> &[u8] {
        &self.levels
    }

    /// A level; places outside are those of the nearest edge.
    pub fn level(&self, x: usize, y: usize) -> u8 {
        let at = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        self.levels.get(at).copied().unwrap_or(0)
    }

    /// A part of one row.
    pub(crate) fn row(&self, y: usize, left: usize, right: usize) -> &[u8] {
        let start = y * self.width;
        self.levels.get(start + left..start + right.min(self.width)).unwrap_or(&[])
    }

    /// The part between left, top, right and bottom; `None` if there is nothing between them.
    pub(crate) fn cropped(&self, (left, top, right, bottom): (usize, usize, usize, usize)) -> Option<Self> {
        let (right, bottom) = (right.min(self.width), bottom.min(self.height));
        let levels = (top..bottom).flat_map(|y| self.row(y, left.min(right), right)).copied().collect();
        Self::new(right.saturating_sub(left), bottom.saturating_sub(top), levels)
    }

    /// Every level mixed with its neighbours: 1-2-1 both ways.
    #[must_use]
    pub(crate) fn smoothed(&self) -> Self {
        let mix = |before: u8, here: u8, after: u8| {
            let sum = u16::from(before) + 2 * u16::from(here) + u16::from(after);
            u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX)
        };
        let mut across = self.levels.clone();
        for (row, mixed) in self.levels.chunks_exact(self.width).zip(across.chunks_exact_mut(self.width)) {
            for (three, mixed) in row.windows(3).zip(mixed.iter_mut().skip(1)) {
                if let [before, here, after] = *three {
                    *mixed = mix(before, here, after);
                }
            }
        }
        let mut levels = across.clone();
        let rows = across.iter().zip(across.iter().skip(self.width)).zip(across.iter().skip(2 * self.width));
        for (((before, here), after), mixed) in rows.zip(levels.iter_mut().skip(self.width)) {
            *mixed = mix(*before, *here, *after);
        }
        Self { width: self.width, height: self.height, levels }
    }

    /// Smaller: each level is the mean of what it covers, parts of pixels included.
    #[must_use]
    pub(crate) fn resampled(&self, width: usize, height: usize) -> Self {
        let columns = spans(self.width, width);
        let rows = spans(self.height, height);
        let mut narrow = Vec::with_capacity(width * self.height);
        for row in self.levels.chunks_exact(self.width) {
            narrow.extend(columns.iter().map(|span| {
                let covered = row.iter().skip(span.first);
                span.mean(covered.map(|level| f32::from(*level)))
            }));
        }
        let mut levels = Vec::with_capacity(width * height);
        for span in &rows {
            for x in 0..width {
                let column = narrow.iter().skip(span.first * width + x).step_by(width.max(1));
                levels.push(num::level(span.mean(column.copied())));
            }
        }
        Self { width, height, levels }
    }
}

/// What one pixel of the smaller side covers of the bigger one: from which pixel, and how much of each.
struct Span {
    first: usize,
    shares: Vec<f32>,
    total: f32,
}

impl Span {
    fn mean(&self, values: impl Iterator<Item = f32>) -> f32 {
        self.shares.iter().zip(values).map(|(share, value)| share * value).sum::<f32>() / self.total
    }
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = num::real(from) / num::real(to.max(1));
    let span = |at: usize| {
        let (start, end) = (num::real(at) * scale, (num::real(at + 1) * scale).min(num::real(from)));
        let first = num::index(start).min(from.saturating_sub(1));
        let last = num::index(end.ceil()).clamp(first + 1, from.max(first + 1));
        let share = |pixel: usize| (end.min(num::real(pixel + 1)) - start.max(num::real(pixel))).max(1e-3);
        let shares: Vec<f32> = (first..last).map(share).collect();
        Span { first, total: shares.iter().sum(), shares }
    };
    (0..to).map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_orientations_put_the_marked_corner_where_exif_says() {
        // 3 x 2, white in its upper left corner, grey at its upper right
        let rgb = [[255; 3], [0; 3], [99; 3], [0; 3], [0; 3], [0; 3]].concat();
        let stored = Picture::new(3, 2, rgb).unwrap();
        let corners =
            [(1, 0, 0, 2, 0), (2, 2, 0, 0, 0), (3, 2, 1, 0, 1), (4, 0, 1, 2, 1), (5, 0, 0, 0, 2), (6, 1, 0, 1, 2)];
        for (number, white_x, white_y, grey_x, grey_y) in corners.into_iter().chain([(7, 1, 2, 1, 0), (8, 0, 2, 0, 0)])
        {
            let shown = stored.clone().upright(Orientation::new(number).unwrap());
            assert_eq!((shown.width(), shown.height()), if number >= 5 { (2, 3) } else { (3, 2) }, "{number}");
            assert_eq!(shown.pixel(white_x, white_y), [255; 3], "{number}");
            assert_eq!(shown.pixel(grey_x, grey_y), [99; 3], "{number}");
        }
    }

    #[test]
    fn a_quarter_turn_is_clockwise() {
        let stored = Picture::new(2, 1, vec![255, 255, 255, 0, 0, 0]).unwrap();
        assert_eq!(stored.turned(1).pixel(0, 0), [255; 3]);
        assert_eq!(stored.turned(1).height(), 2);
        assert_eq!(stored.turned(3).pixel(0, 1), [255; 3]);
        assert_eq!(stored.turned(4), stored);
    }

    #[test]
    fn smaller_pictures_keep_their_mean() {
        let rgb: Vec<u8> = (0..700 * 301).flat_map(|at: i32| [if at % 2 == 0 { 200 } else { 100 }; 3]).collect();
        let picture = Picture::new(700, 301, rgb).unwrap();
        for (long, width, height) in [(1000, 700, 301), (350, 350, 150), (333, 333, 142), (1, 1, 1)] {
            let grey = picture.grey(long);
            assert_eq!((grey.width(), grey.height()), (width, height), "{long}");
            let mean =
                grey.levels().iter().map(|level| f64::from(*level)).sum::<f64>() / f64::from(num::real(width * height));
            assert!((mean - 150.0).abs() < 1.5, "{long}: {mean}");
        }
    }

    #[test]
    fn odd_shapes_have_a_pixel_left() {
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (3, 2000)] {
            let grey = Picture::new(width, height, vec![80; width * height * 3]).unwrap().grey(700);
            assert!(grey.levels().iter().all(|level| *level == 80), "{width} x {height}");
        }
        assert!(Picture::new(0, 5, Vec::new()).is_none());
        assert!(Picture::new(2, 2, vec![0; 11]).is_none());
    }
}
