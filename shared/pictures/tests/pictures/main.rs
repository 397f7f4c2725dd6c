//! What clients upload: which files are taken, how good pictures are found to be, and what went wrong in the field.
#![allow(clippy::as_conversions, clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod files;
mod quality;
mod troubles;

use pictures::{Checked, Code, Limits, Refusal, check};
use specimens::{Canvas, Kind, specimen};

/// The example of these tests; an installation sets its own.
fn limits() -> Limits {
    Limits {
        bytes_max: 10 << 20,
        pixels_max: 40_000_000,
        pages_max: 3,
        long_side_min: 600,
        short_side_min: 360,
        light_min: 70,
        brightness_max: 225,
        dark_max: 130,
        glare_max: 30,
        contrast_min: 40,
        sharpness_min: 16,
    }
}

fn checked(bytes: &[u8], content_type: &str) -> Result<Checked, Vec<Code>> {
    check(bytes, content_type, &limits()).map_err(|refusals| refusals.iter().map(Refusal::code).collect())
}

/// What is wrong with a file; nothing, if it is taken.
fn refused(bytes: &[u8], content_type: &str) -> Vec<Code> {
    checked(bytes, content_type).err().unwrap_or_default()
}

fn card() -> Canvas {
    specimen(Kind::IdCardFront, 5).picture
}
