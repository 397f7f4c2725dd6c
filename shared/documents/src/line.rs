//! What a reader hands over: lines of text, where they stand on the picture, and how sure it is of each character.

use std::fmt;

/// A likelihood in thousandths: 1000 is certain.
pub const CERTAIN: u16 = 1000;

/// One line of text as a reader saw it. Its text belongs to a person, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The characters from left to right; a blank between words is a glyph as well.
    pub glyphs: Vec<Glyph>,
    /// The smallest upright box around the line.
    pub place: Place,
    /// The same line decoded over the alphabet of a machine-readable zone only (`A`-`Z`, `0`-`9`, `<`), if the reader can do so.
    pub zone_glyphs: Option<Vec<Glyph>>,
}

/// A box on the picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Place {
    pub left: i32,
    pub top: i32,
    pub width: i32,
    pub height: i32,
}

/// One character as it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    /// What it most probably is.
    pub read: char,
    /// How probably, in thousandths.
    pub sure: u16,
    /// What else it may be, and how probably, in thousandths.
    pub runner_up: Option<(char, u16)>,
}

impl Line {
    /// A line that another program read or a person typed: every character is as sure as the line, and nothing else is possible.
    pub fn plain(text: &str, sure: u16, place: Place) -> Self {
        let glyphs = text.chars().map(|read| Glyph { read, sure, runner_up: None }).collect();
        Self { glyphs, place, zone_glyphs: None }
    }

    /// What was read.
    pub fn text(&self) -> String {
        self.glyphs.iter().map(|glyph| glyph.read).collect()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("glyphs", &self.glyphs.len()).field("place", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Debug for Glyph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("*")
    }
}

impl Place {
    /// The first pixel to the right of it.
    pub fn right(self) -> i32 {
        self.left.saturating_add(self.width)
    }

    /// The first pixel below it.
    pub fn bottom(self) -> i32 {
        self.top.saturating_add(self.height)
    }

    /// Half way down.
    pub fn middle(self) -> i32 {
        self.top.saturating_add(self.height / 2)
    }
}
