//! Parts of a picture in the form the models take: blue, green and red planes from -1 to 1.

use pictures::Picture;

use crate::geometry::{Point, Slant};
use crate::num;

/// Planes of a picture, one after the other.
pub(crate) struct Planes {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f32>,
}

fn normal(level: f32) -> f32 {
    level / 127.5 - 1.0
}

/// The whole picture in another size, every pixel mixed of those around its place (triangle filter).
pub(crate) fn resized(picture: &Picture, width: usize, height: usize) -> Planes {
    let columns = taps(picture.width(), width);
    let rows = taps(picture.height(), height);
    let stride = picture.width() * 3;
    let mut values = vec![0.0; 3 * width * height];
    let mut mixed = vec![0.0f32; stride];
    for (y, row) in rows.iter().enumerate() {
        mixed.fill(0.0);
        for (from, weight) in picture.rgb().chunks_exact(stride).skip(row.first).zip(&row.weights) {
            for (sum, level) in mixed.iter_mut().zip(from) {
                *sum += weight * f32::from(*level);
            }
        }
        for (x, column) in columns.iter().enumerate() {
            let mut colour = [0.0f32; 3];
            for (pixel, weight) in mixed.chunks_exact(3).skip(column.first).zip(&column.weights) {
                for (sum, level) in colour.iter_mut().zip(pixel) {
                    *sum += weight * level;
                }
            }
            for (plane, level) in colour.iter().rev().enumerate() {
                if let Some(value) = values.get_mut((plane * height + y) * width + x) {
                    *value = normal(*level);
                }
            }
        }
    }
    Planes { width, height, values }
}

/// The pixels that one pixel of the other size is mixed of.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = num::real(from) / num::real(to.max(1));
    let reach = scale.max(1.0);
    let tap = |at: usize| {
        let middle = (num::real(at) + 0.5) * scale;
        let first = num::index((middle - reach).max(0.0)).min(from.saturating_sub(1));
        let last = num::index((middle + reach).ceil()).clamp(first + 1, from.max(first + 1));
        let weights = (first..last).map(|pixel| (1.0 - (num::real(pixel) + 0.5 - middle).abs() / reach).max(0.0));
        let weights: Vec<f32> = weights.collect();
        let total: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        Taps { first, weights: weights.iter().map(|weight| weight / total).collect() }
    };
    (0..to).map(tap).collect()
}

/// A line of text, made level, in a height.
pub(crate) fn line(picture: &Picture, slant: &Slant, width: usize, height: usize) -> Planes {
    let (along, across) = (slant.along, slant.across());
    let (step_x, step_y) = (slant.length / num::real(width), slant.height / num::real(height));
    // where several pixels become one, so many places are looked at in each direction
    let looks = num::index(step_x.max(step_y).ceil()).clamp(1, 6);
    let share = 1.0 / num::real(looks * looks);
    let mut values = vec![0.0; 3 * width * height];
    for y in 0..height {
        for x in 0..width {
            let mut colour = [0.0f32; 3];
            for look in 0..looks * looks {
                let part = |at: usize| (num::real(at) + 0.5) / num::real(looks);
                let u = (num::real(x) + part(look % looks)) * step_x - slant.length / 2.0;
                let v = (num::real(y) + part(look / looks)) * step_y - slant.height / 2.0;
                let place = Point::new(
                    slant.middle.x + along.x * u + across.x * v,
                    slant.middle.y + along.y * u + across.y * v,
                );
                for (sum, level) in colour.iter_mut().zip(between(picture, place)) {
                    *sum += level * share;
                }
            }
            for (plane, level) in colour.iter().rev().enumerate() {
                if let Some(value) = values.get_mut((plane * height + y) * width + x) {
                    *value = normal(*level);
                }
            }
        }
    }
    Planes { width, height, values }
}

/// The colour at a place, mixed of the four pixels around it.
fn between(picture: &Picture, place: Point) -> [f32; 3] {
    let (x, y) = ((place.x - 0.5).max(0.0), (place.y - 0.5).max(0.0));
    let (left, top) = (num::index(x), num::index(y));
    let (right_share, lower_share) = (x - num::real(left), y - num::real(top));
    let mut mixed = [0.0; 3];
    for (dx, dy, share) in [
        (0, 0, (1.0 - right_share) * (1.0 - lower_share)),
        (1, 0, right_share * (1.0 - lower_share)),
        (0, 1, (1.0 - right_share) * lower_share),
        (1, 1, right_share * lower_share),
    ] {
        for (sum, level) in mixed.iter_mut().zip(picture.pixel(left + dx, top + dy)) {
            *sum += share * f32::from(level);
        }
    }
    mixed
}
