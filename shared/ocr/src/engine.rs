//! The engine: where text is, which way up it is, what it says.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use documents::Line;
use pictures::Picture;
use rten::{Model, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use crate::geometry::{Point, Slant};
use crate::level::Level;
use crate::sample::{self, Planes};
use crate::{decode, detect, num, rows};

static DETECTION: &[u8] = include_bytes!("../models/det16.onnx");
static RECOGNITION: &[u8] = include_bytes!("../models/rec16.onnx");

/// The longer side of what the detector sees.
const DETECTION_SIDE: usize = 736;
/// Bigger pictures may have a small document on them.
const DETECTION_SIDE_BIG: usize = 960;
const BIG: usize = 1500;
/// Smaller pictures are made bigger for the detector.
const SHORT_SIDE_MIN: usize = 480;
/// The detector halves five times.
const MULTIPLE: usize = 32;
/// The height of a line as the recogniser takes it.
const LINE_HEIGHT: usize = 48;
/// A line of so many times its height is the longest: more is a table's edge.
const LINE_LENGTH_MAX: usize = 80;
/// So many lines tell which way up a picture is.
const PROBES: usize = 5;
/// Lines that are read so surely stand the right way up.
const UPRIGHT: f32 = 0.93;
/// A line that is read less surely than this on average is no text.
const LINE_MIN: f32 = 0.3;

/// The likelihoods of all characters at each place along a line.
type Steps = Vec<f32>;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    /// The models that were built in do not load: a fault of the build.
    #[error("the models do not load")]
    Load(#[source] rten::LoadError),
    /// A model did not run on this picture, and will not the next time.
    #[error("a model does not run on this picture")]
    Run(#[source] rten::RunError),
    /// A model gave back something else than it was made to, or stopped.
    #[error("a model failed on this picture")]
    Model,
}

/// The models, loaded. Loading takes a good part of a tenth of a second: do it once a process. Reading takes a second or two, and
/// one thread.
pub struct Engine {
    detection: Model,
    recognition: Model,
    threads: Arc<ThreadPool>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Loads the models that are part of the library, for one thread.
    ///
    /// # Errors
    /// [`OcrError::Load`] if the build is broken.
    pub fn load() -> Result<Self, OcrError> {
        Self::with_threads(1)
    }

    /// Loads the models for so many threads.
    ///
    /// # Errors
    /// [`OcrError::Load`] if the build is broken.
    pub fn with_threads(threads: usize) -> Result<Self, OcrError> {
        Ok(Self {
            detection: Model::load_static_slice(DETECTION).map_err(OcrError::Load)?,
            recognition: Model::load_static_slice(RECOGNITION).map_err(OcrError::Load)?,
            threads: Arc::new(ThreadPool::with_num_threads(threads.max(1))),
        })
    }

    /// The lines of text on a picture, from top to bottom. A picture that lies on its side or head is read as if it stood; the places
    /// are those on the picture turned so that its text is level and upright.
    ///
    /// # Errors
    /// [`OcrError::Run`] and [`OcrError::Model`]: this picture cannot be read, now or later.
    pub fn lines(&self, picture: &Picture) -> Result<Vec<Line>, OcrError> {
        // the models' runtime is other people's code on a stranger's picture
        catch_unwind(AssertUnwindSafe(|| self.read(picture))).unwrap_or(Err(OcrError::Model))
    }

    fn read(&self, picture: &Picture) -> Result<Vec<Line>, OcrError> {
        let boxes = self.boxes(picture)?;
        let (direction, mut known) = self.direction(picture, &boxes)?;
        let slants: Vec<Slant> = boxes.iter().map(|found| found.read_towards(direction)).collect();
        let level = Level::of(picture, &slants, direction);
        let mut lines = Vec::new();
        for (at, slant) in slants.iter().enumerate() {
            let steps = known.remove(&at).map_or_else(|| self.steps(picture, slant), Ok)?;
            let glyphs = decode::printed(&steps);
            if sureness(&glyphs) >= LINE_MIN {
                lines.push(Line { glyphs, place: level.place(slant), zone_glyphs: Some(decode::zone(&steps)) });
            }
        }
        Ok(rows::joined(lines))
    }

    /// Boxes around text, in pixels of the picture.
    fn boxes(&self, picture: &Picture) -> Result<Vec<Slant>, OcrError> {
        let (width, height) = detection_size(picture.width(), picture.height());
        let input = sample::resized(picture, width, height);
        let map = self.run(&self.detection, input)?;
        if map.len() != width * height {
            return Err(OcrError::Model);
        }
        let scale = |of: usize, to: usize| num::real(of) / num::real(to);
        let (x, y) = (scale(picture.width(), width), scale(picture.height(), height));
        Ok(detect::boxes(&map, width, height).into_iter().map(|found| found.scaled(x, y)).collect())
    }

    /// The direction that the text is read in: along the length of most of it, and that way round which is read more surely. With
    /// what was read to find out, by box.
    fn direction(&self, picture: &Picture, boxes: &[Slant]) -> Result<(Point, BTreeMap<usize, Steps>), OcrError> {
        let long = || boxes.iter().enumerate().filter(|(_, found)| found.is_long());
        let reach = |of: fn(Point) -> f32| -> f32 {
            let along = |found: &Slant| if found.length >= found.height { found.along } else { found.across() };
            long().map(|(_, found)| of(along(found)).abs() * found.length.max(found.height)).sum()
        };
        let (across, down) = (reach(|along| along.x), reach(|along| along.y));
        let forth = if across >= down { Point::new(1.0, 0.0) } else { Point::new(0.0, 1.0) };
        let back = Point::new(-forth.x, -forth.y);
        let mut probes: Vec<(usize, &Slant)> = long().take(PROBES).collect();
        if probes.is_empty() {
            probes = boxes.iter().enumerate().take(PROBES).collect();
        }
        let read = |direction: Point| -> Result<BTreeMap<usize, Steps>, OcrError> {
            probes.iter().map(|(at, found)| Ok((*at, self.steps(picture, &found.read_towards(direction))?))).collect()
        };
        let sure = |read: &BTreeMap<usize, Steps>| {
            let sum: f32 = read.values().map(|steps| sureness(&decode::printed(steps))).sum();
            sum / num::real(read.len().max(1))
        };
        let first = read(forth)?;
        if sure(&first) >= UPRIGHT {
            return Ok((forth, first));
        }
        let second = read(back)?;
        Ok(if sure(&second) > sure(&first) { (back, second) } else { (forth, first) })
    }

    /// The likelihoods of all characters along a line.
    fn steps(&self, picture: &Picture, slant: &Slant) -> Result<Steps, OcrError> {
        let wanted = num::index(num::real(LINE_HEIGHT) * slant.length / slant.height.max(1.0));
        let width = wanted.clamp(LINE_HEIGHT / 2, LINE_HEIGHT * LINE_LENGTH_MAX).next_multiple_of(8);
        self.run(&self.recognition, sample::line(picture, slant, width, LINE_HEIGHT))
    }

    fn run(&self, model: &Model, input: Planes) -> Result<Vec<f32>, OcrError> {
        let input = NdTensor::from_data([1, 3, input.height, input.width], input.values);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let output = model.run_one(input.view().into(), Some(options)).map_err(OcrError::Run)?;
        let output: Tensor<f32> = output.try_into().map_err(|_| OcrError::Model)?;
        Ok(output.to_vec())
    }
}

fn sureness(glyphs: &[documents::Glyph]) -> f32 {
    let sum: f32 = glyphs.iter().map(|glyph| f32::from(glyph.sure) / 1000.0).sum();
    sum / num::real(glyphs.len().max(1))
}

/// What the detector sees a picture as.
fn detection_size(width: usize, height: usize) -> (usize, usize) {
    let (long, short) = (width.max(height), width.min(height));
    let side = if long >= BIG { DETECTION_SIDE_BIG } else { DETECTION_SIDE };
    let scale = if long > side || short < SHORT_SIDE_MIN { num::real(side) / num::real(long) } else { 1.0 };
    let scaled = |side: usize| {
        let multiples = (num::real(side) * scale / num::real(MULTIPLE)).round();
        num::index(multiples).max(1) * MULTIPLE
    };
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detector_sees_multiples_of_thirty_two_whatever_comes() {
        for (size, seen) in [
            ((1250, 880), (736, 512)),
            ((4000, 3000), (960, 736)),
            ((640, 500), (640, 512)),
            ((320, 200), (736, 448)),
            ((1, 1), (736, 736)),
            ((1, 5000), (32, 960)),
        ] {
            assert_eq!(detection_size(size.0, size.1), seen, "{size:?}");
        }
    }
}
