//! The check of a file from its first byte to its measures.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::kind::{self, Format};
use crate::measure::{Measures, measure};
use crate::picture::Picture;
use crate::{Limits, Refusal, jpeg, pdf, png};

/// A file that can be used.
#[derive(Debug)]
pub struct Checked {
    /// What it is.
    pub format: Format,
    /// One for a photo.
    pub pages: usize,
    /// The photo, or the first scan in a PDF; nothing in a PDF of text and drawings only.
    pub picture: Option<Picture>,
    /// Of the picture.
    pub measures: Option<Measures>,
    /// What is stored as text in a PDF; nobody has read it off a picture. Nothing if its fonts do not say which letters they draw.
    pub text: Option<String>,
}

/// Checks an uploaded file that was announced with a content type.
///
/// # Errors
/// Everything that is wrong with it, as far as it can be told at once: a damaged file cannot be measured, a dark one can.
pub fn check(bytes: &[u8], content_type: &str, limits: &Limits) -> Result<Checked, Vec<Refusal>> {
    if bytes.is_empty() {
        return Err(vec![Refusal::Empty]);
    }
    let mut refusals = Vec::new();
    if bytes.len() > limits.bytes_max {
        refusals.push(Refusal::Bytes { found: bytes.len(), allowed: limits.bytes_max });
    }
    let format = match kind::of(bytes) {
        Ok(format) => format,
        Err(found) => {
            refusals.push(Refusal::Foreign { found });
            return Err(refusals);
        }
    };
    if !format.is_announced_by(content_type) {
        refusals.push(Refusal::Misnamed { found: format });
    }
    if bytes.len() > limits.bytes_max {
        return Err(refusals);
    }
    // decoders are other people's code on a stranger's bytes: a panic of theirs is one refused file
    let opened = catch_unwind(AssertUnwindSafe(|| open(bytes, format, limits))).unwrap_or(Err(Refusal::Damaged));
    let opened = match opened {
        Ok(opened) => opened,
        Err(refusal) => {
            refusals.push(refusal);
            return Err(refusals);
        }
    };
    let measures = opened.picture.as_ref().map(measure);
    // beside text, the biggest picture may be a banner, and what a scanner's program has read can be read
    if let (Some(measures), None) = (&measures, &opened.text) {
        refusals.extend(judge(measures, limits));
    }
    if refusals.is_empty() { Ok(Checked { format, measures, ..opened }) } else { Err(refusals) }
}

/// The scan on a further page of a PDF that was checked, counted from nought: the other side of a card. One page at a time, for a scan
/// takes tens of megabytes. `None` if there is no such page, or no scan on it.
///
/// # Errors
/// What is wrong with the file or with the scan; it is not measured.
pub fn page(bytes: &[u8], page: usize, limits: &Limits) -> Result<Option<Picture>, Refusal> {
    catch_unwind(AssertUnwindSafe(|| pdf::page(bytes, page, limits))).unwrap_or(Err(Refusal::Damaged))
}

fn open(bytes: &[u8], format: Format, limits: &Limits) -> Result<Checked, Refusal> {
    let (pages, picture, text) = match format {
        Format::Jpeg => {
            let header = jpeg::header(bytes)?;
            within(header.width, header.height, limits)?;
            (1, Some(jpeg::decode(bytes, &header)?), None)
        }
        Format::Png => {
            let (width, height) = png::size(bytes)?;
            within(width, height, limits)?;
            (1, Some(png::decode(bytes)?), None)
        }
        Format::Pdf => {
            let contents = pdf::read(bytes, limits)?;
            (contents.pages, contents.scan, Some(contents.text).filter(|text| !text.is_empty()))
        }
    };
    Ok(Checked { format, pages, picture, measures: None, text })
}

/// Before anything is decoded: a header of a few bytes may ask for gigabytes.
fn within(width: u32, height: u32, limits: &Limits) -> Result<(), Refusal> {
    let found = u64::from(width) * u64::from(height);
    if found > limits.pixels_max {
        return Err(Refusal::Pixels { found, allowed: limits.pixels_max });
    }
    Ok(())
}

/// What the rules say of the measures. One cause is told once: a dark picture has little contrast too, but asking for more light is
/// what helps.
fn judge(measures: &Measures, limits: &Limits) -> Vec<Refusal> {
    let Measures { width, height, brightness, light, dark, contrast, glare, sharpness } = *measures;
    let small = width.max(height) < limits.long_side_min || width.min(height) < limits.short_side_min;
    let is_dark = light < limits.light_min;
    let stands_out = contrast >= limits.contrast_min;
    let blurred = sharpness.filter(|sharpness| *sharpness < limits.sharpness_min && (stands_out || is_dark));
    // blur washes fine letters out and softens all edges, so that white paper looks like a reflection
    let is_washed = brightness > limits.brightness_max && dark > limits.dark_max && blurred.is_none();
    let is_glare = glare > limits.glare_max && !is_washed && blurred.is_none();
    let is_flat = !stands_out && !is_dark && !is_washed;
    [
        small.then_some(Refusal::Small { width, height }),
        is_dark.then_some(Refusal::Dark { light, needed: limits.light_min }),
        is_washed.then_some(Refusal::Washed { dark, allowed: limits.dark_max }),
        is_glare.then_some(Refusal::Glare { share: glare, allowed: limits.glare_max }),
        blurred.map(|sharpness| Refusal::Blurred { sharpness, needed: limits.sharpness_min }),
        is_flat.then_some(Refusal::Contrast { contrast, needed: limits.contrast_min }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
