//! Why a file is refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Format;

/// The code that the client's portal shows a sentence for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Code {
    UnsupportedFormat,
    TooLarge,
    TooSmall,
    TooDark,
    TooBright,
    Blurred,
    Unreadable,
    Corrupt,
}

impl Code {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedFormat => "unsupported_format",
            Self::TooLarge => "too_large",
            Self::TooSmall => "too_small",
            Self::TooDark => "too_dark",
            Self::TooBright => "too_bright",
            Self::Blurred => "blurred",
            Self::Unreadable => "unreadable",
            Self::Corrupt => "corrupt",
        }
    }
}

/// One thing that is wrong with a file, with what was found, for the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are what was found against what is allowed")]
pub enum Refusal {
    /// There are no bytes.
    Empty,
    /// The file ends before the picture does.
    Truncated,
    /// The file breaks the rules of its format.
    Damaged,
    /// A PDF without a page.
    NoPages,
    /// The file is something else than a JPEG, a PNG or a PDF.
    Foreign { found: &'static str },
    /// The file is not what its name or content type says.
    Misnamed { found: Format },
    /// A kind of JPEG that hardly any program reads.
    Coding { found: &'static str },
    /// Too many bytes.
    Bytes { found: usize, allowed: usize },
    /// Too many pixels.
    Pixels { found: u64, allowed: u64 },
    /// Too many pages.
    Pages { found: usize, allowed: usize },
    /// Too few pixels.
    Small { width: u32, height: u32 },
    /// Even its light parts are dark.
    Dark { light: u8, needed: u8 },
    /// Even its dark parts are light.
    Washed { dark: u8, allowed: u8 },
    /// A reflection hides a part of it.
    Glare { share: u16, allowed: u16 },
    /// Out of focus or moved.
    Blurred { sharpness: u32, needed: u32 },
    /// Nothing stands out.
    Contrast { contrast: u8, needed: u8 },
    /// A PDF that asks for a password.
    Encrypted,
    /// A PDF with neither text nor a picture that can be shown to a reader.
    Nothing,
}

impl Refusal {
    /// The code that it is told to the client by.
    pub fn code(&self) -> Code {
        match self {
            Self::Empty | Self::Truncated | Self::Damaged | Self::NoPages | Self::Encrypted => Code::Corrupt,
            Self::Foreign { .. } | Self::Misnamed { .. } | Self::Coding { .. } => Code::UnsupportedFormat,
            Self::Bytes { .. } | Self::Pixels { .. } | Self::Pages { .. } => Code::TooLarge,
            Self::Small { .. } => Code::TooSmall,
            Self::Dark { .. } => Code::TooDark,
            Self::Washed { .. } | Self::Glare { .. } => Code::TooBright,
            Self::Blurred { .. } => Code::Blurred,
            Self::Contrast { .. } | Self::Nothing => Code::Unreadable,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::Truncated => f.write_str("the file ends before the picture does"),
            Self::Damaged => f.write_str("the file is damaged"),
            Self::NoPages => f.write_str("the PDF has no page"),
            Self::Foreign { found } => write!(f, "the file is {found}, not JPEG, PNG or PDF"),
            Self::Misnamed { found } => write!(f, "the file is {} but was announced as something else", found.name()),
            Self::Coding { found } => write!(f, "the file is a JPEG in {found} coding"),
            Self::Bytes { found, allowed } => write!(f, "{found} bytes, {allowed} are allowed"),
            Self::Pixels { found, allowed } => write!(f, "{found} pixels, {allowed} are allowed"),
            Self::Pages { found, allowed } => write!(f, "{found} pages, {allowed} are allowed"),
            Self::Small { width, height } => write!(f, "only {width} x {height} pixels"),
            Self::Dark { light, needed } => write!(f, "light parts are at level {light}, {needed} is needed"),
            Self::Washed { dark, allowed } => write!(f, "dark parts are at level {dark}, {allowed} is allowed"),
            Self::Glare { share, allowed } => {
                write!(f, "a reflection covers {share} thousandths, {allowed} are allowed")
            }
            Self::Blurred { sharpness, needed } => write!(f, "sharpness {sharpness}, {needed} is needed"),
            Self::Contrast { contrast, needed } => write!(f, "contrast {contrast}, {needed} is needed"),
            Self::Encrypted => f.write_str("the PDF asks for a password"),
            Self::Nothing => f.write_str("the PDF has neither text nor a picture that can be read"),
        }
    }
}
