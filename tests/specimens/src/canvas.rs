//! What is drawn on: pixels, rectangles, lines of text.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

/// The letters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Of the visual part.
    Sans,
    /// Of the machine-readable zone.
    OcrB,
}

/// A picture that is being drawn, three bytes a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Red, green and blue, row by row.
    pub rgb: Vec<u8>,
}

static SANS: &[u8] = include_bytes!("../fonts/DejaVuSans-Latin.ttf");
static OCR_B: &[u8] = include_bytes!("../fonts/OCRB.otf");

impl Face {
    fn font(self) -> Option<&'static FontRef<'static>> {
        static FONTS: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
        let [sans, ocr_b] = FONTS.get_or_init(|| [SANS, OCR_B].map(|bytes| FontRef::try_from_slice(bytes).ok()));
        match self {
            Self::Sans => sans.as_ref(),
            Self::OcrB => ocr_b.as_ref(),
        }
    }
}

impl Canvas {
    /// A sheet of one colour.
    pub fn new(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, rgb: colour.repeat(width * height) }
    }

    /// A pixel; places outside are those of the nearest edge.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y.min(self.height - 1) * self.width + x.min(self.width - 1)) * 3;
        match self.rgb.get(at..at + 3) {
            Some([red, green, blue]) => [*red, *green, *blue],
            _ => [0; 3],
        }
    }

    /// A colour between pixels, mixed of the four around.
    pub fn between(&self, x: f32, y: f32) -> [f32; 3] {
        let (left, top) = (x.max(0.0).floor(), y.max(0.0).floor());
        let (right_share, lower_share) = (x.max(0.0) - left, y.max(0.0) - top);
        let (left, top) = (left as usize, top as usize);
        let around = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| self.pixel(left + dx, top + dy));
        let [one, two, three, four] = around.map(|pixel| pixel.map(f32::from));
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        let mut mixed = [0.0; 3];
        for (at, value) in mixed.iter_mut().enumerate() {
            let pick = |pixel: &[f32; 3]| pixel.get(at).copied().unwrap_or(0.0);
            let upper = mix(pick(&one), pick(&two), right_share);
            *value = mix(upper, mix(pick(&three), pick(&four), right_share), lower_share);
        }
        mixed
    }

    /// Colours a pixel, so much of it.
    pub fn tint(&mut self, x: usize, y: usize, colour: [u8; 3], share: f32) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y * self.width + x) * 3;
        for (value, wanted) in self.rgb.iter_mut().skip(at).take(3).zip(colour) {
            *value = (f32::from(*value) + (f32::from(wanted) - f32::from(*value)) * share).round() as u8;
        }
    }

    /// Colours every pixel by its place.
    pub fn each(&mut self, mut change: impl FnMut(usize, usize, [f32; 3]) -> [f32; 3]) {
        let width = self.width;
        for (at, pixel) in self.rgb.chunks_exact_mut(3).enumerate() {
            if let [red, green, blue] = *pixel {
                let changed = change(at % width, at / width, [red, green, blue].map(f32::from));
                for (value, wanted) in pixel.iter_mut().zip(changed) {
                    *value = wanted.round().clamp(0.0, 255.0) as u8;
                }
            }
        }
    }

    /// A filled rectangle.
    pub fn fill(&mut self, left: usize, top: usize, width: usize, height: usize, colour: [u8; 3]) {
        for y in top..top + height {
            for x in left..left + width {
                self.tint(x, y, colour, 1.0);
            }
        }
    }

    /// A line of text; `x`, `y` is where its base line starts, `size` its height in pixels. Gives back where it ends.
    pub fn text(&mut self, face: Face, size: f32, x: f32, y: f32, colour: [u8; 3], text: &str) -> f32 {
        let Some(font) = face.font() else { return x };
        let scaled = font.as_scaled(PxScale::from(size));
        let mut at = x;
        for letter in text.chars() {
            let id = scaled.glyph_id(letter);
            self.glyph(font, id.with_scale_and_position(PxScale::from(size), point(at, y)), colour);
            at += scaled.h_advance(id);
        }
        at
    }

    /// A line of text with every character in a place of the same width, as a zone has it.
    #[expect(clippy::too_many_arguments, reason = "as for text, and the pitch")]
    pub fn typed(&mut self, face: Face, size: f32, x: f32, y: f32, pitch: f32, colour: [u8; 3], text: &str) {
        let Some(font) = face.font() else { return };
        for (place, letter) in text.chars().enumerate() {
            let id = font.glyph_id(letter);
            let position = point(x + pitch * place as f32, y);
            self.glyph(font, id.with_scale_and_position(PxScale::from(size), position), colour);
        }
    }

    fn glyph(&mut self, font: &FontRef<'_>, glyph: ab_glyph::Glyph, colour: [u8; 3]) {
        let Some(outline) = font.outline_glyph(glyph) else { return };
        let bounds = outline.px_bounds();
        outline.draw(|dx, dy, share| {
            let (x, y) = (bounds.min.x + dx as f32, bounds.min.y + dy as f32);
            if x >= 0.0 && y >= 0.0 {
                self.tint(x as usize, y as usize, colour, share.min(1.0));
            }
        });
    }

    /// Puts another picture on this one.
    pub fn put(&mut self, other: &Self, left: usize, top: usize) {
        for y in 0..other.height {
            for x in 0..other.width {
                self.tint(left + x, top + y, other.pixel(x, y), 1.0);
            }
        }
    }
}
