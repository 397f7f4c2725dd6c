//! What phones, scanners and hands do to a picture.

use crate::canvas::Canvas;
use crate::encode;
use crate::random::Random;

/// One mishap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variant {
    /// As drawn.
    Clean,
    /// Compressed at this quality.
    Jpeg(u8),
    /// Turned by so many degrees on a table.
    Rotated(f32),
    /// Turned by so many quarters, clockwise.
    Quarters(u8),
    /// Out of focus: the standard deviation in pixels.
    Blurred(f32),
    /// Grain: the standard deviation in levels.
    Noisy(f32),
    /// Made smaller.
    Scaled(f32),
    /// So much of the light.
    Dark(f32),
    /// So many levels brighter, cut off at white.
    Washed(f32),
    /// A reflection at a place (parts of width and height), with a radius (part of the width).
    Glare(f32, f32, f32),
    /// From the side, light falling off.
    Perspective,
    /// On a table in a photo of this size.
    Photo(usize, usize),
}

impl Variant {
    /// The ordinary ones, which a reader has to get right.
    pub const ORDINARY: [Self; 11] = [
        Self::Clean,
        Self::Jpeg(60),
        Self::Rotated(2.0),
        Self::Rotated(-7.0),
        Self::Quarters(1),
        Self::Quarters(2),
        Self::Blurred(1.2),
        Self::Noisy(18.0),
        Self::Scaled(0.5),
        Self::Perspective,
        Self::Photo(2000, 1500),
    ];
    /// Those that may make a document unreadable; none may be read wrongly for sure.
    pub const HARD: [Self; 5] =
        [Self::Blurred(2.5), Self::Noisy(40.0), Self::Dark(0.25), Self::Glare(0.45, 0.85, 0.12), Self::Jpeg(12)];

    /// The picture after it.
    pub fn apply(self, canvas: &Canvas, seed: u64) -> Canvas {
        match self {
            Self::Clean => canvas.clone(),
            Self::Jpeg(quality) => encode::through_jpeg(canvas, quality),
            Self::Rotated(degrees) => rotated(canvas, degrees.to_radians()),
            Self::Quarters(quarters) => (0..quarters % 4).fold(canvas.clone(), |turned, _| quarter(&turned)),
            Self::Blurred(sigma) => blurred(canvas, sigma),
            Self::Noisy(sigma) => noisy(canvas, sigma, seed),
            Self::Scaled(factor) => scaled(canvas, factor),
            Self::Dark(share) => changed(canvas, |_, _, colour| colour.map(|level| level * share)),
            Self::Washed(more) => changed(canvas, |_, _, colour| colour.map(|level| level + more)),
            Self::Glare(x, y, radius) => glare(canvas, x, y, radius),
            Self::Perspective => perspective(canvas),
            Self::Photo(width, height) => photo(canvas, width, height, seed),
        }
    }
}

const TABLE: [u8; 3] = [112, 92, 74];

fn changed(canvas: &Canvas, change: impl FnMut(usize, usize, [f32; 3]) -> [f32; 3]) -> Canvas {
    let mut changed = canvas.clone();
    changed.each(change);
    changed
}

/// Every pixel from a place of the old picture, the table where there is none.
fn warped(canvas: &Canvas, width: usize, height: usize, from: impl Fn(f32, f32) -> (f32, f32)) -> Canvas {
    let mut warped = Canvas::new(width, height, TABLE);
    let (right, bottom) = (canvas.width as f32 - 1.0, canvas.height as f32 - 1.0);
    warped.each(|x, y, table| {
        let (x, y) = from(x as f32, y as f32);
        let grain = ((x * 0.11).sin() * 6.0 + (y * 0.031 + x * 0.007).sin() * 9.0).round();
        if x < 0.0 || y < 0.0 || x > right || y > bottom {
            table.map(|level| level + grain)
        } else {
            canvas.between(x, y)
        }
    });
    warped
}

fn rotated(canvas: &Canvas, angle: f32) -> Canvas {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    let (sin, cos) = angle.sin_cos();
    let (width, height) = (w * cos.abs() + h * sin.abs() + 40.0, w * sin.abs() + h * cos.abs() + 40.0);
    warped(canvas, width as usize, height as usize, |x, y| {
        let (dx, dy) = (x - width / 2.0, y - height / 2.0);
        (dx * cos + dy * sin + w / 2.0, dy * cos - dx * sin + h / 2.0)
    })
}

fn quarter(canvas: &Canvas) -> Canvas {
    let mut turned = Canvas::new(canvas.height, canvas.width, TABLE);
    turned.each(|x, y, _| canvas.pixel(y, canvas.height - 1 - x).map(f32::from));
    turned
}

fn scaled(canvas: &Canvas, factor: f32) -> Canvas {
    let soft = if factor < 1.0 { blurred(canvas, 0.45 / factor) } else { canvas.clone() };
    let side = |pixels: usize| ((pixels as f32 * factor) as usize).max(1);
    warped(&soft, side(canvas.width), side(canvas.height), |x, y| {
        (
            ((x + 0.5) / factor - 0.5).clamp(0.0, canvas.width as f32 - 1.0),
            ((y + 0.5) / factor - 0.5).clamp(0.0, canvas.height as f32 - 1.0),
        )
    })
}

/// A Gauss curve, across and down.
fn blurred(canvas: &Canvas, sigma: f32) -> Canvas {
    let kernel: Vec<f32> = {
        let reach = (sigma * 2.5).ceil().max(1.0) as i32;
        let weights: Vec<f32> = (-reach..=reach).map(|at| (-(at as f32 / sigma).powi(2) / 2.0).exp()).collect();
        let total: f32 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    };
    let reach = kernel.len() / 2;
    let pass = |canvas: &Canvas, dx: usize, dy: usize| {
        changed(canvas, |x, y, _| {
            let mut sum = [0.0; 3];
            for (at, weight) in kernel.iter().enumerate() {
                let pixel =
                    canvas.pixel((x + at * dx).saturating_sub(reach * dx), (y + at * dy).saturating_sub(reach * dy));
                for (sum, level) in sum.iter_mut().zip(pixel) {
                    *sum += weight * f32::from(level);
                }
            }
            sum
        })
    };
    pass(&pass(canvas, 1, 0), 0, 1)
}

fn noisy(canvas: &Canvas, sigma: f32, seed: u64) -> Canvas {
    let mut random = Random::new(seed);
    // the mean of three even numbers deviates by a third of their reach
    changed(canvas, |_, _, colour| colour.map(|level| level + random.around_nought() * sigma * 1.5))
}

fn glare(canvas: &Canvas, x: f32, y: f32, radius: f32) -> Canvas {
    let (cx, cy, radius) = (x * canvas.width as f32, y * canvas.height as f32, radius * canvas.width as f32);
    changed(canvas, |x, y, colour| {
        let away = ((x as f32 - cx).powi(2) + (y as f32 - cy).powi(2)).sqrt() / radius;
        let light = 420.0 * (-(away * away)).exp();
        colour.map(|level| level + light)
    })
}

fn perspective(canvas: &Canvas) -> Canvas {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    let (width, height) = (w * 1.1, h * 1.1);
    let mut seen = warped(canvas, width as usize, height as usize, |x, y| {
        // the upper edge is farther away
        let (u, v) = (x / width * 2.0 - 1.0, y / height * 2.0 - 1.0);
        let depth = 1.0 + 0.10 * v + 0.04 * u;
        ((u / depth * 1.08 + 1.0) / 2.0 * w, (v / depth * 1.08 + 1.0) / 2.0 * h)
    });
    seen.each(|x, _, colour| colour.map(|level| level * (0.65 + 0.35 * x as f32 / width)));
    seen
}

fn photo(canvas: &Canvas, width: usize, height: usize, seed: u64) -> Canvas {
    let mut random = Random::new(seed);
    let factor = width as f32 * 0.62 / canvas.width as f32;
    let (sin, cos) = (random.around_nought() * 0.08).sin_cos();
    let (left, top) =
        (width as f32 * (0.5 + random.around_nought() * 0.08), height as f32 * (0.5 + random.around_nought() * 0.06));
    let soft = if factor < 1.0 { blurred(canvas, 0.45 / factor) } else { canvas.clone() };
    let seen = warped(&soft, width, height, |x, y| {
        let (dx, dy) = ((x - left) / factor, (y - top) / factor);
        (dx * cos + dy * sin + canvas.width as f32 / 2.0, dy * cos - dx * sin + canvas.height as f32 / 2.0)
    });
    encode::through_jpeg(&noisy(&seen, 5.0, seed), 85)
}
