//! Pictures as files.

use jpeg_encoder::{ColorType, Encoder};
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

use crate::canvas::Canvas;

fn coded(canvas: &Canvas, quality: u8, exif: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
    let told = exif.map_or(Ok(()), |exif| encoder.add_exif_metadata(exif));
    let coded =
        told.and_then(|()| encoder.encode(&canvas.rgb, side(canvas.width), side(canvas.height), ColorType::Rgb));
    if coded.is_err() { Vec::new() } else { bytes }
}

/// As a JPEG of a quality from 1 to 100; empty if a side has more than 65 535 pixels.
pub fn jpeg(canvas: &Canvas, quality: u8) -> Vec<u8> {
    coded(canvas, quality, None)
}

/// As a JPEG whose Exif says which way up it is to be shown.
pub fn turned_jpeg(canvas: &Canvas, quality: u8, orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    coded(canvas, quality, Some(&tiff))
}

/// As a PNG.
pub fn png(canvas: &Canvas) -> Vec<u8> {
    let mut bytes = Vec::new();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut bytes, side(canvas.width), side(canvas.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&canvas.rgb));
    if written.is_err() { Vec::new() } else { bytes }
}

/// What compression leaves of a picture.
pub(crate) fn through_jpeg(canvas: &Canvas, quality: u8) -> Canvas {
    let bytes = jpeg(canvas, quality);
    let rgb = JpegDecoder::new(ZCursor::new(&bytes)).decode();
    rgb.map_or_else(|_| canvas.clone(), |rgb| Canvas { rgb, ..*canvas })
}
