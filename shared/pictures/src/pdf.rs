//! PDF: pages, locks, and the scan or the text that stands on them. Pages are not drawn: a scan is taken out as it was put in.

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, Stream, xref::XrefRecovery};

use crate::picture::Picture;
use crate::{Limits, Refusal, jpeg, num};

/// What tables and object lists of an honest file unpack to, each.
const TABLE_BYTES_MAX: usize = 16 << 20;
/// A page's text and drawing.
const TEXT_BYTES_MAX: usize = 2 << 20;
/// Forms within forms.
const DEPTH_MAX: usize = 4;

/// What a PDF holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) pages: usize,
    /// The first page's scan, else that of the next page that has one.
    pub(crate) scan: Option<Picture>,
    /// What is written, page after page, where it is stored as text.
    pub(crate) text: String,
}

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Contents, Refusal> {
    let document = open(bytes)?;
    let pages = pages(&document, limits)?;
    let scan = pages.iter().find_map(|page| scan(&document, *page, limits).transpose()).transpose()?;
    let numbers: Vec<u32> = (1..=num::side(pages.len())).collect();
    // what one font does not tell costs no other text, and a page that is written in it can be seen all the same
    let pieces = document.extract_text_chunks_with_limit(&numbers, TEXT_BYTES_MAX);
    let text = pieces.into_iter().filter_map(Result::ok).collect::<String>().trim().to_owned();
    let is_written = || pages.iter().any(|page| document.get_page_fonts(*page).is_ok_and(|fonts| !fonts.is_empty()));
    if scan.is_none() && text.is_empty() && !is_written() {
        return Err(Refusal::Nothing);
    }
    Ok(Contents { pages: pages.len(), scan, text })
}

/// The scan on one page, counted from nought.
pub(crate) fn page(bytes: &[u8], page: usize, limits: &Limits) -> Result<Option<Picture>, Refusal> {
    let document = open(bytes)?;
    pages(&document, limits)?.get(page).map_or(Ok(None), |page| scan(&document, *page, limits))
}

fn open(bytes: &[u8]) -> Result<Document, Refusal> {
    let options = LoadOptions { max_decompressed_size: Some(TABLE_BYTES_MAX), ..LoadOptions::default() };
    let document = match Document::load_mem_with_options(bytes, options) {
        Ok(document) => document,
        Err(_) if contains(bytes, b"/Encrypt") => return Err(Refusal::Encrypted),
        Err(_) if !ends(bytes) => return Err(Refusal::Truncated),
        Err(_) => return Err(Refusal::Damaged),
    };
    // many banks lock printing only: such files open without a password, and are open by now
    if document.trailer.has(b"Encrypt") && !document.was_encrypted() {
        return Err(Refusal::Encrypted);
    }
    if document.xref_recovery == Some(XrefRecovery::Reconstructed) && !ends(bytes) {
        return Err(Refusal::Truncated);
    }
    Ok(document)
}

fn pages(document: &Document, limits: &Limits) -> Result<Vec<ObjectId>, Refusal> {
    let pages: Vec<ObjectId> = document.page_iter().collect();
    if pages.is_empty() {
        return Err(Refusal::NoPages);
    }
    if pages.len() > limits.pages_max {
        return Err(Refusal::Pages { found: pages.len(), allowed: limits.pages_max });
    }
    Ok(pages)
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Whether the file has its end mark; some programs write a little behind it.
fn ends(bytes: &[u8]) -> bool {
    contains(bytes.get(bytes.len().saturating_sub(2048)..).unwrap_or(bytes), b"%%EOF")
}

/// The biggest picture of a page, if it is big enough to be a document and not a letterhead.
fn scan(document: &Document, page: ObjectId, limits: &Limits) -> Result<Option<Picture>, Refusal> {
    let mut images = Vec::new();
    let resources = document.get_page_resources(page);
    if let Ok((own, inherited)) = resources {
        let inherited = inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok());
        for resources in own.into_iter().chain(inherited) {
            collect(document, resources, DEPTH_MAX, &mut images);
        }
    }
    let Some(image) = images.into_iter().filter(|image| image.is_document(limits)).max_by_key(Image::pixels) else {
        return Ok(None);
    };
    if image.pixels() > limits.pixels_max {
        return Err(Refusal::Pixels { found: image.pixels(), allowed: limits.pixels_max });
    }
    image.decode(limits)
}

struct Image<'a> {
    stream: &'a Stream,
    width: u32,
    height: u32,
}

fn collect<'a>(document: &'a Document, resources: &'a Dictionary, depth: usize, images: &mut Vec<Image<'a>>) {
    let objects = resources.get_deref(b"XObject", document).and_then(Object::as_dict);
    for (_, object) in objects.into_iter().flat_map(Dictionary::iter) {
        let Ok((_, Object::Stream(stream))) = document.dereference(object) else { continue };
        let side = |key| stream.dict.get_deref(key, document).and_then(Object::as_i64).ok();
        match stream.dict.get(b"Subtype").and_then(Object::as_name) {
            Ok(b"Image") => {
                let sides = (side(b"Width"), side(b"Height"));
                if let (Some(width), Some(height)) = sides
                    && let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height))
                {
                    images.push(Image { stream, width, height });
                }
            }
            Ok(b"Form") if depth > 0 => {
                if let Ok(resources) = stream.dict.get_deref(b"Resources", document).and_then(Object::as_dict) {
                    collect(document, resources, depth - 1, images);
                }
            }
            _ => {}
        }
    }
}

impl Image<'_> {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn is_document(&self, limits: &Limits) -> bool {
        self.width.max(self.height) >= limits.long_side_min && self.width.min(self.height) >= limits.short_side_min
    }

    /// `None` if it is stored in a way that is not read here (fax, JPEG 2000, palettes).
    fn decode(&self, limits: &Limits) -> Result<Option<Picture>, Refusal> {
        let filters: Vec<&[u8]> = self.stream.filters().unwrap_or_default();
        match filters.as_slice() {
            [b"DCTDecode"] => {
                let header = jpeg::header(&self.stream.content)?;
                let pixels = u64::from(header.width) * u64::from(header.height);
                if pixels > limits.pixels_max {
                    return Err(Refusal::Pixels { found: pixels, allowed: limits.pixels_max });
                }
                jpeg::decode(&self.stream.content, &header).map(Some)
            }
            [] | [b"FlateDecode" | b"LZWDecode"] => Ok(self.unpacked()),
            _ => Ok(None),
        }
    }

    /// Plain samples of eight bits, grey or in colours.
    fn unpacked(&self) -> Option<Picture> {
        if self.stream.dict.get(b"BitsPerComponent").and_then(Object::as_i64).ok() != Some(8) {
            return None;
        }
        let (width, height) = (num::at(self.width), num::at(self.height));
        let pixels = width.checked_mul(height)?;
        // a byte more than three for each pixel is more than the picture can be
        let limit = pixels.checked_mul(3)?.checked_add(1)?;
        let samples = match self.stream.filters() {
            Ok(_) => self.stream.decompressed_content_with_limit(limit).ok()?,
            Err(_) => self.stream.content.clone(),
        };
        if samples.len() == pixels {
            return Picture::new(width, height, samples.iter().flat_map(|level| [*level; 3]).collect());
        }
        Picture::new(width, height, samples)
    }
}
