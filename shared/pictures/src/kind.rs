//! What a file is, by its first bytes; its name and the announced content type are only claims.

use serde::Serialize;

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Jpeg,
    Png,
    Pdf,
}

impl Format {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Pdf => "PDF",
        }
    }

    /// Whether a content type, with or without parameters, announces this format.
    pub(crate) fn is_announced_by(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match self {
            Self::Jpeg => matches!(essence.as_str(), "image/jpeg" | "image/jpg" | "image/pjpeg"),
            Self::Png => matches!(essence.as_str(), "image/png" | "image/x-png"),
            Self::Pdf => matches!(essence.as_str(), "application/pdf" | "application/x-pdf"),
        }
    }
}

/// What a file is: a format that is taken, or the name of another.
pub(crate) fn of(bytes: &[u8]) -> Result<Format, &'static str> {
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(crate::png::SIGNATURE) {
        return Ok(Format::Png);
    }
    // readers take a PDF whose header stands a little into the file, and some mail programs write such files
    let head = bytes.get(..1024).unwrap_or(bytes);
    if head.windows(5).any(|window| window == b"%PDF-") {
        return Ok(Format::Pdf);
    }
    Err(container(bytes).or_else(|| by_signature(bytes)).unwrap_or("unknown"))
}

const SIGNATURES: &[(&[u8], &str)] = &[
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"PK\x03\x04", "ZIP or Office document"),
    (b"PK\x05\x06", "ZIP or Office document"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "Office document"),
    (b"{\\rtf", "RTF"),
    (b"7z\xBC\xAF\x27\x1C", "7z"),
    (b"Rar!\x1A\x07", "RAR"),
    (b"\x1F\x8B", "gzip"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL ", "JPEG XL"),
    (b"\0\0\0\x0CjP  ", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%!PS", "PostScript"),
    (b"MZ", "program"),
    (b"\x7FELF", "program"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE", "HTML"),
    (b"<!doctype", "HTML"),
    (b"<html", "HTML"),
];

fn by_signature(bytes: &[u8]) -> Option<&'static str> {
    SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, name)| *name)
}

/// Formats whose name stands inside a container: RIFF and the ISO base media format.
fn container(bytes: &[u8]) -> Option<&'static str> {
    match (bytes.get(..4), bytes.get(4..8), bytes.get(8..12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => Some("WebP"),
        (_, Some(b"ftyp"), Some(b"avif" | b"avis")) => Some("AVIF"),
        (_, Some(b"ftyp"), Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1")) => {
            Some("HEIC")
        }
        (_, Some(b"ftyp"), Some(_)) => Some("video"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        let cases: [(&[u8], Result<Format, &str>); 14] = [
            (b"\xFF\xD8\xFF\xE0....", Ok(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n....", Ok(Format::Png)),
            (b"%PDF-1.7\n", Ok(Format::Pdf)),
            (b"\xEF\xBB\xBF\r\n%PDF-1.4", Ok(Format::Pdf)),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Err("HEIC")),
            (b"\0\0\0\x18ftypmif1\0\0\0\0", Err("HEIC")),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Err("AVIF")),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", Err("video")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Err("WebP")),
            (b"II*\0\x08\0\0\0", Err("TIFF")),
            (b"PK\x03\x04\x14\0", Err("ZIP or Office document")),
            (b"MZ\x90\0", Err("program")),
            (b"<!DOCTYPE html>", Err("HTML")),
            (b"hello", Err("unknown")),
        ];
        for (bytes, expected) in cases {
            assert_eq!(of(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn content_types_are_compared_without_case_and_parameters() {
        for (format, content_type, announced) in [
            (Format::Jpeg, "image/jpeg", true),
            (Format::Jpeg, "IMAGE/JPG; charset=binary", true),
            (Format::Jpeg, "image/png", false),
            (Format::Png, "image/png", true),
            (Format::Pdf, "application/pdf", true),
            (Format::Pdf, "", false),
        ] {
            assert_eq!(format.is_announced_by(content_type), announced, "{content_type}");
        }
    }
}
