//! PDF: pages, locks, and the scan or the text that stands on them. Pages are not drawn: a scan is taken out as it was put in.

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, Stream, dictionary, xref::XrefRecovery};

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
    let mut document = open(bytes)?;
    let pages = pages(&document, limits)?;
    let scan = first_scan(&document, &pages, limits)?;
    let numbers: Vec<u32> = (1..=num::side(pages.len())).collect();
    // what one font does not tell costs no other text, and a page that is written in it can be seen all the same
    pages.iter().for_each(|page| part_lines(&mut document, *page));
    let pieces = document.extract_text_chunks_with_limit(&numbers, TEXT_BYTES_MAX.saturating_mul(2));
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

/// Says in the content of a page where lines and words part: what is drawn at another place within one block of text is otherwise
/// taken out as if it stood in the same word.
fn part_lines(document: &mut Document, page: ObjectId) {
    let content = document.get_page_content_with_limit(page, TEXT_BYTES_MAX);
    let Ok(content) = content.and_then(|content| Content::decode(&content)) else { return };
    let parted = Content { operations: parted(content.operations) };
    if let Ok(content) = parted.encode()
        && document.change_page_content(page, content).is_err()
    {
        // it stays as it was
    }
}

fn parted(operations: Vec<Operation>) -> Vec<Operation> {
    let mut all = Vec::with_capacity(operations.len());
    let mut pen = Pen::default();
    for operation in operations {
        let mark = pen.follow(&operation);
        all.push(operation);
        all.extend(mark);
    }
    all
}

/// Where text was drawn last.
#[derive(Default)]
struct Pen {
    size: f32,
    scale: f32,
    at: Option<(f32, f32)>,
    /// Bytes of what was drawn last; a letter has one or two.
    drawn: usize,
}

impl Pen {
    /// The mark that is due behind an operation: a new line, a blank, or none.
    fn follow(&mut self, operation: &Operation) -> Option<Operation> {
        let number = |at: usize| operation.operands.get(at).and_then(|operand| operand.as_float().ok());
        match operation.operator.as_str() {
            "Tf" => self.size = number(1).unwrap_or_default(),
            "BT" => (self.scale, self.at) = (1.0, None),
            "Tj" | "'" => {
                self.drawn = operation.operands.first().and_then(|text| text.as_str().ok()).map_or(0, <[u8]>::len)
            }
            "TJ" => self.drawn = usize::MAX,
            "Td" | "TD" => return self.moved(number(0)?, number(1)?),
            "Tm" => {
                let (x, y) = (number(4)?, number(5)?);
                self.scale = number(0)?.abs();
                let before = self.at.replace((x, y));
                // the first place of a block stands by itself
                let (before_x, before_y) = before?;
                return self.moved(x - before_x, y - before_y);
            }
            _ => {}
        }
        None
    }

    fn moved(&self, right: f32, down: f32) -> Option<Operation> {
        let part = self.size * self.scale;
        if down.abs() > 0.01 {
            return Some(Operation::new("T*", vec![]));
        }
        // some programs place each letter by itself: a letter and a blank are wider than a letter
        let letter = self.drawn <= 2 && right.abs() < part * 0.9;
        (!letter).then(|| Operation::new("TJ", vec![Object::Array(vec![])]))
    }
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

/// Whatever size is asked for: a picture with fewer pixels than this part of the biggest one in the file, and with sides below these
/// (the longer, the shorter), is a letterhead beside it.
const LETTERHEAD: (u64, u32, u32) = (4, 600, 360);

/// The scan of the first page that has one.
fn first_scan(document: &Document, pages: &[ObjectId], limits: &Limits) -> Result<Option<Picture>, Refusal> {
    let images: Vec<Image> = pages.iter().filter_map(|page| biggest(document, *page, limits)).collect();
    let most = images.iter().map(Image::pixels).max().unwrap_or_default();
    let scans = images.iter().filter(|image| !image.is_letterhead(most));
    scans.map(|image| image.decode(limits)).find_map(Result::transpose).transpose()
}

fn scan(document: &Document, page: ObjectId, limits: &Limits) -> Result<Option<Picture>, Refusal> {
    biggest(document, page, limits).map_or(Ok(None), |image| image.decode(limits))
}

/// The biggest picture of a page, if it is big enough to be a document and not a letterhead.
fn biggest<'a>(document: &'a Document, page: ObjectId, limits: &Limits) -> Option<Image<'a>> {
    let mut images = Vec::new();
    let resources = document.get_page_resources(page);
    if let Ok((own, inherited)) = resources {
        let inherited = inherited.into_iter().filter_map(|id| document.get_dictionary(id).ok());
        for resources in own.into_iter().chain(inherited) {
            collect(document, resources, DEPTH_MAX, &mut images);
        }
    }
    images.into_iter().filter(|image| image.is_document(limits)).max_by_key(Image::pixels)
}

struct Image<'a> {
    document: &'a Document,
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
                    images.push(Image { document, stream, width, height });
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

    /// Beside a picture with so many pixels.
    fn is_letterhead(&self, most: u64) -> bool {
        let (part, long, short) = LETTERHEAD;
        let small = self.width.max(self.height) < long || self.width.min(self.height) < short;
        small && self.pixels().saturating_mul(part) < most
    }

    /// `None` if it is stored in a way that is not read here (fax, JPEG 2000, palettes).
    fn decode(&self, limits: &Limits) -> Result<Option<Picture>, Refusal> {
        within(self.pixels(), limits)?;
        let filters: Vec<&[u8]> = self.stream.filters().unwrap_or_default();
        match filters.as_slice() {
            [b"DCTDecode"] => photo(&self.stream.content, limits).map(Some),
            // some programs deflate a page's JPEG once more
            [b"FlateDecode", b"DCTDecode"] => {
                let outer = Stream::new(dictionary! { "Filter" => "FlateDecode" }, self.stream.content.clone());
                let photo_of = |bytes: Vec<u8>| photo(&bytes, limits);
                outer.decompressed_content_with_limit(limits.bytes_max).ok().map(photo_of).transpose()
            }
            [] | [b"FlateDecode" | b"LZWDecode"] => Ok(self.unpacked()),
            _ => Ok(None),
        }
    }

    /// Whether its samples are grey or red, green and blue; else they are inks, or numbers of a palette.
    fn is_light(&self) -> bool {
        let Ok(space) = self.stream.dict.get_deref(b"ColorSpace", self.document) else { return false };
        let name = match space {
            Object::Array(space) => space.first().map(Object::as_name),
            space => Some(space.as_name()),
        };
        // a profile has one sample a pixel or three, or it does not fit
        matches!(name, Some(Ok(b"DeviceGray" | b"DeviceRGB" | b"CalGray" | b"CalRGB" | b"ICCBased" | b"G" | b"RGB")))
    }

    /// Whether black is stored as the highest level.
    fn is_negative(&self) -> bool {
        let decode = self.stream.dict.get_deref(b"Decode", self.document).and_then(Object::as_array);
        decode.is_ok_and(|spans| {
            let levels: Vec<f32> = spans.iter().filter_map(|level| level.as_float().ok()).collect();
            levels.first().zip(levels.get(1)).is_some_and(|(black, white)| black > white)
        })
    }

    /// Plain samples of eight bits, grey or in colours.
    fn unpacked(&self) -> Option<Picture> {
        if self.stream.dict.get(b"BitsPerComponent").and_then(Object::as_i64).ok() != Some(8) || !self.is_light() {
            return None;
        }
        let (width, height) = (num::at(self.width), num::at(self.height));
        let pixels = width.checked_mul(height)?;
        // a byte more than three for each pixel is more than the picture can be
        let limit = pixels.checked_mul(3)?.checked_add(1)?;
        let mut samples = match self.stream.filters() {
            Ok(_) => self.stream.decompressed_content_with_limit(limit).ok()?,
            Err(_) => self.stream.content.clone(),
        };
        if self.is_negative() {
            samples.iter_mut().for_each(|level| *level = u8::MAX - *level);
        }
        if samples.len() == pixels {
            return Picture::new(width, height, samples.iter().flat_map(|level| [*level; 3]).collect());
        }
        Picture::new(width, height, samples)
    }
}

fn within(pixels: u64, limits: &Limits) -> Result<(), Refusal> {
    if pixels > limits.pixels_max {
        return Err(Refusal::Pixels { found: pixels, allowed: limits.pixels_max });
    }
    Ok(())
}

/// A JPEG, whose own size may be another than the PDF says.
fn photo(bytes: &[u8], limits: &Limits) -> Result<Picture, Refusal> {
    let header = jpeg::header(bytes)?;
    within(u64::from(header.width) * u64::from(header.height), limits)?;
    jpeg::decode(bytes, &header)
}
