//! JPEG: the header and the end of the picture are found without decoding; the picture itself is the decoder's.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::Refusal;
use crate::exif::{self, Orientation};
use crate::num;
use crate::picture::Picture;

/// A progressive picture has about ten; each costs a pass over all pixels.
const SCANS_MAX: usize = 24;

/// What stands before and after the coded picture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
}

/// Walks from marker to marker up to the end of the picture; what cameras append behind it does not matter.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, Refusal> {
    let mut size = None;
    let mut orientation = None;
    let mut at = 2;
    loop {
        let marker = marker(bytes, &mut at)?;
        match marker {
            0xD9 => break,
            0x01 | 0xD0..=0xD8 => continue,
            _ => {}
        }
        let length = bytes.get(at..at + 2).and_then(|length| length.try_into().ok()).map(u16::from_be_bytes);
        let end = at + usize::from(length.ok_or(Refusal::Truncated)?);
        let segment = bytes.get(at + 2..end).ok_or(Refusal::Truncated)?;
        match marker {
            0xC0..=0xC2 if size.is_none() => size = Some(frame(segment)?),
            0xC3 => return Err(Refusal::Coding { found: "lossless" }),
            0xC5..=0xC7 => return Err(Refusal::Coding { found: "hierarchical" }),
            0xC9..=0xCB | 0xCD..=0xCF => return Err(Refusal::Coding { found: "arithmetic" }),
            0xE1 => {
                // the camera's block comes first; programs that write one of their own behind it seldom say this in it
                orientation = orientation.or_else(|| exif::stated(segment.strip_prefix(b"Exif\0\0")?));
            }
            _ => {}
        }
        at = end;
    }
    let (width, height) = size.ok_or(Refusal::Damaged)?;
    Ok(Header { width, height, orientation: orientation.unwrap_or(Orientation::UPRIGHT) })
}

/// The next marker, past coded data and padding.
fn marker(bytes: &[u8], at: &mut usize) -> Result<u8, Refusal> {
    loop {
        let rest = bytes.get(*at..).ok_or(Refusal::Truncated)?;
        let next = rest.iter().position(|byte| *byte == 0xFF).ok_or(Refusal::Truncated)?;
        let marker = *rest.get(next + 1).ok_or(Refusal::Truncated)?;
        *at += next + if marker == 0xFF { 1 } else { 2 };
        // FF 00 is a byte of coded data, FF FF is padding
        if marker != 0x00 && marker != 0xFF {
            return Ok(marker);
        }
    }
}

fn frame(segment: &[u8]) -> Result<(u32, u32), Refusal> {
    match *segment {
        [12, ..] => Err(Refusal::Coding { found: "12-bit" }),
        [8, h1, h0, w1, w0, ..] => {
            let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
            if width == 0 || height == 0 {
                return Err(Refusal::Damaged);
            }
            Ok((width.into(), height.into()))
        }
        _ => Err(Refusal::Damaged),
    }
}

/// The picture as it is to be shown.
pub(crate) fn decode(bytes: &[u8], header: &Header) -> Result<Picture, Refusal> {
    let options = DecoderOptions::default()
        .set_max_width(num::at(header.width))
        .set_max_height(num::at(header.height))
        .jpeg_set_max_scans(SCANS_MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|_| Refusal::Damaged)?;
    let picture = Picture::new(num::at(header.width), num::at(header.height), rgb).ok_or(Refusal::Damaged)?;
    Ok(picture.upright(header.orientation))
}
