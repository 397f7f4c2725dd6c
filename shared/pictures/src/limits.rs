//! What a picture must be like: a rule of the house.

use serde::{Deserialize, Serialize};

/// How big and how good a file must be. The measures are explained at [`Measures`](crate::Measures).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most bytes of a file.
    pub bytes_max: usize,
    /// The most pixels of a picture, read from its header before anything is decoded.
    pub pixels_max: u64,
    /// The most pages of a PDF.
    pub pages_max: usize,
    /// The fewest pixels of the longer side.
    pub long_side_min: u32,
    /// The fewest pixels of the shorter side.
    pub short_side_min: u32,
    /// Below this level of the light parts, a picture is too dark.
    pub light_min: u8,
    /// Above this brightness a picture is too bright if its dark parts are washed out as well.
    pub brightness_max: u8,
    /// Above this level, dark parts are washed out.
    pub dark_max: u8,
    /// The most thousandths of the document that may be blown out by a reflection.
    pub glare_max: u16,
    /// The least difference between light and dark parts.
    pub contrast_min: u8,
    /// The least sharpness.
    pub sharpness_min: u32,
}
