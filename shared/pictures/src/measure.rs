//! How good a picture is, in numbers that rules can be set on.

use serde::{Deserialize, Serialize};

use crate::picture::{Grey, Picture};
use crate::region::{Region, Tile};
use crate::{glare, num};

/// The scale that is measured at: a document that fills a photo of any camera is alike there.
const LONG_SIDE: usize = 1024;
/// Below this difference there is nothing that could be sharp.
const CONTRAST_MIN: u8 = 16;
/// Sharpness is made up for poor light down to this contrast; below it, it is often the blur that took the contrast.
const CONTRAST_MADE_UP: u8 = 100;

/// Measures of the part of a picture with most structure, its longer side brought down to 1024 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// Pixels as uploaded, upright.
    pub width: u32,
    /// Pixels as uploaded, upright.
    pub height: u32,
    /// The mean level: 0 is black, 255 white.
    pub brightness: u8,
    /// The level that one pixel in ten is above: paper.
    pub light: u8,
    /// The level that one pixel in two hundred is below: ink.
    pub dark: u8,
    /// Light less dark.
    pub contrast: u8,
    /// Thousandths of the document that reflections cover.
    pub glare: u16,
    /// The variance of the Laplacian (of the picture smoothed by one pixel) where the document has most structure, at full contrast
    /// and without what noise adds; nothing where there is no contrast.
    pub sharpness: Option<u32>,
}

/// Measures a picture.
pub fn measure(picture: &Picture) -> Measures {
    let grey = picture.grey(LONG_SIDE);
    let region = Region::of(&grey);
    let histogram = histogram(&grey, &region.busy);
    let (light, dark) = (percentile(&histogram, 900), percentile(&histogram, 5));
    let contrast = light.saturating_sub(dark);
    Measures {
        width: num::side(picture.width()),
        height: num::side(picture.height()),
        brightness: mean(&histogram),
        light,
        dark,
        contrast,
        glare: glare::share(&grey, region.bounds()),
        sharpness: (contrast >= CONTRAST_MIN).then(|| sharpness(&grey.smoothed(), &region, contrast)),
    }
}

fn histogram(grey: &Grey, tiles: &[Tile]) -> [usize; 256] {
    let mut histogram = [0; 256];
    for tile in tiles {
        for y in tile.top..tile.bottom {
            for level in grey.row(y, tile.left, tile.right) {
                if let Some(count) = histogram.get_mut(usize::from(*level)) {
                    *count += 1;
                }
            }
        }
    }
    histogram
}

fn mean(histogram: &[usize; 256]) -> u8 {
    let pixels: usize = histogram.iter().sum();
    let total: usize = histogram.iter().enumerate().map(|(level, count)| level * count).sum();
    u8::try_from(total / pixels.max(1)).unwrap_or(u8::MAX)
}

/// The level that so many thousandths of the pixels do not exceed.
fn percentile(histogram: &[usize; 256], thousandths: usize) -> u8 {
    let wanted = histogram.iter().sum::<usize>() * thousandths / 1000;
    let mut seen = 0;
    let found = histogram.iter().position(|count| {
        seen += count;
        seen > wanted
    });
    found.and_then(|level| u8::try_from(level).ok()).unwrap_or(u8::MAX)
}

/// Grain is finer than letters, so the picture is smoothed by one pixel first. Letters are sharper than a face and a table's edge, so the upper end of the document's tiles counts; noise is everywhere, so what
/// the quiet tiles have is taken off.
fn sharpness(grey: &Grey, region: &Region, contrast: u8) -> u32 {
    let at = |tiles: &[Tile], thousandths: usize| {
        let mut variances: Vec<f32> = tiles.iter().map(|tile| laplacian_variance(grey, tile)).collect();
        variances.sort_by(f32::total_cmp);
        variances.get(variances.len() * thousandths / 1000).copied().unwrap_or(0.0)
    };
    let gain = 255.0 / f32::from(contrast.max(CONTRAST_MADE_UP));
    num::whole((at(&region.busy, 750) - at(&region.quiet, 200)) * gain * gain)
}

fn laplacian_variance(grey: &Grey, tile: &Tile) -> f32 {
    let (mut sum, mut squares, mut count) = (0i64, 0i64, 0i64);
    // the outermost pixels of the picture have no neighbours
    for y in tile.top.max(1)..tile.bottom.min(grey.height().saturating_sub(1)) {
        let (left, right) = (tile.left.max(1), tile.right.min(grey.width().saturating_sub(1)));
        let row = grey.row(y, left - 1, right + 1);
        let neighbours = grey.row(y - 1, left, right).iter().zip(grey.row(y + 1, left, right));
        for (three, (above, below)) in row.windows(3).zip(neighbours) {
            if let [before, here, after] = *three {
                let around = i64::from(before) + i64::from(after) + i64::from(*above) + i64::from(*below);
                let value = around - 4 * i64::from(here);
                sum += value;
                squares += value * value;
                count += 1;
            }
        }
    }
    // a tile has about a thousand pixels of at most 1020: far below where these numbers are rounded
    let real = |value: i64| num::real(usize::try_from(value.unsigned_abs()).unwrap_or(usize::MAX));
    let count = real(count).max(1.0);
    real(squares) / count - (real(sum) / count).powi(2)
}
