//! PNG: the size is read from the header before anything is unpacked; a picture that unpacks to more than its size is not unpacked.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::Refusal;
use crate::exif;
use crate::num;
use crate::picture::Picture;

pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What the decoder may use besides the picture: rows, tables.
const WORKING_BYTES_MAX: usize = 16 << 20;

/// Width and height.
pub(crate) fn size(bytes: &[u8]) -> Result<(u32, u32), Refusal> {
    let long = |at: usize| bytes.get(at..at + 4).and_then(|long| long.try_into().ok()).map(u32::from_be_bytes);
    if bytes.len() >= 16 && bytes.get(12..16) != Some(b"IHDR") {
        return Err(Refusal::Damaged);
    }
    match (long(16), long(20)) {
        (Some(width), Some(height)) if width > 0 && height > 0 => Ok((width, height)),
        (Some(_), Some(_)) => Err(Refusal::Damaged),
        _ => Err(Refusal::Truncated),
    }
}

/// The picture as it is to be shown, on white where it is transparent.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture, Refusal> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: WORKING_BYTES_MAX });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(fault)?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or(Refusal::Damaged)?];
    let frame = reader.next_frame(&mut samples).map_err(fault)?;
    samples.truncate(frame.buffer_size());
    let rgb = match frame.color_type {
        ColorType::Rgb => samples,
        ColorType::Grayscale => samples.iter().flat_map(|level| [*level; 3]).collect(),
        ColorType::GrayscaleAlpha => on_white::<2>(&samples),
        ColorType::Rgba => on_white::<4>(&samples),
        // the decoder was told to look the colours up
        ColorType::Indexed => return Err(Refusal::Damaged),
    };
    let orientation = reader.info().exif_metadata.as_ref().map(|tiff| exif::orientation(tiff));
    let picture = Picture::new(num::at(frame.width), num::at(frame.height), rgb).ok_or(Refusal::Damaged)?;
    Ok(match orientation {
        Some(orientation) => picture.upright(orientation),
        None => picture,
    })
}

/// Pixels of `N` samples, the last of which says how opaque they are.
fn on_white<const N: usize>(samples: &[u8]) -> Vec<u8> {
    let opaque = |pixel: &[u8]| pixel.last().map_or(255, |alpha| u16::from(*alpha));
    let mixed = |sample: u8, alpha: u16| {
        u8::try_from((u16::from(sample) * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    let pixels = samples.chunks_exact(N);
    pixels
        .flat_map(|pixel| {
            let alpha = opaque(pixel);
            let colour = match *pixel {
                [red, green, blue, _] => [red, green, blue],
                [grey, _] => [grey; 3],
                _ => [0; 3],
            };
            colour.map(|sample| mixed(sample, alpha))
        })
        .collect()
}

fn fault(error: DecodingError) -> Refusal {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Refusal::Truncated,
        DecodingError::IoError(_)
        | DecodingError::Format(_)
        | DecodingError::Parameter(_)
        | DecodingError::LimitsExceeded => Refusal::Damaged,
    }
}
