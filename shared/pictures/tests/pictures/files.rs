//! What clients upload besides good photos.

use lopdf::content::{Content, Operation};
use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use lopdf::{Dictionary, Document, Object, Stream, StringFormat, dictionary};
use pictures::{Code, Format, check};
use specimens::{Canvas, Kind, jpeg, png, specimen, turned_jpeg};

use crate::{card, checked, limits, refused};

#[test]
fn a_photo_is_what_its_bytes_say_and_nothing_else() {
    let (photo, drawing) = (jpeg(&card(), 85), png(&card()));
    let taken = checked(&photo, "image/jpeg").unwrap();
    assert_eq!((taken.format, taken.pages, taken.text), (Format::Jpeg, 1, None));
    assert_eq!(taken.picture.map(|picture| (picture.width(), picture.height())), Some((1010, 640)));
    assert_eq!(checked(&drawing, "image/png").unwrap().format, Format::Png);
    assert_eq!(refused(&drawing, "image/jpeg"), [Code::UnsupportedFormat]);
    assert_eq!(refused(&photo, "application/pdf"), [Code::UnsupportedFormat]);
}

#[test]
fn other_formats_are_refused_whatever_they_are_called() {
    for bytes in [
        &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
        b"RIFF\x10\0\0\0WEBPVP8 ....",
        b"II*\0\x08\0\0\0",
        b"PK\x03\x04\x14\0\x06\0",
        b"MZ\x90\0\x03",
        b"just text",
        b"\0",
    ] {
        assert_eq!(refused(bytes, "image/jpeg"), [Code::UnsupportedFormat], "{bytes:?}");
    }
}

#[test]
fn nothing_is_corrupt() {
    assert_eq!(refused(b"", "image/jpeg"), [Code::Corrupt]);
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    for (whole, content_type) in [
        (jpeg(&card(), 70), "image/jpeg"),
        (turned_jpeg(&card(), 70, 6), "image/jpeg"),
        (png(&card()), "image/png"),
        (pdf(&[scan(&card())]), "application/pdf"),
    ] {
        assert_eq!(refused(&whole, content_type), []);
        let signature = 8;
        for part in 0..12 {
            let end = signature + (whole.len() - 64 - signature) * part / 11;
            assert_eq!(refused(&whole[..end], content_type), [Code::Corrupt], "{content_type} to byte {end}");
        }
    }
}

#[test]
fn damage_is_refused_or_survived_but_never_a_panic() {
    let whole =
        [(jpeg(&card(), 60), "image/jpeg"), (png(&card()), "image/png"), (pdf(&[scan(&card())]), "application/pdf")];
    for (bytes, content_type) in whole {
        for seed in 0..12u64 {
            let mut random = specimens::Random::new(seed);
            let mut damaged = bytes.clone();
            for _ in 0..1 + random.below(30) {
                let within = if seed % 2 == 0 { damaged.len() } else { 900.min(damaged.len()) };
                let at = random.below(within as u64) as usize;
                damaged[at] = random.bits() as u8;
            }
            let _answer = checked(&damaged, content_type);
        }
    }
}

#[test]
fn what_cameras_append_does_not_matter() {
    let mut photo = jpeg(&card(), 85);
    photo.extend(b"\xFF\xD8\xFF\xE1 a video of two seconds".repeat(50));
    assert_eq!(refused(&photo, "image/jpeg"), []);
    let mut drawing = png(&card());
    drawing.extend([0; 500]);
    assert_eq!(refused(&drawing, "image/png"), []);
    let mut letter = pdf(&[scan(&card())]);
    letter.extend(b"\r\n\r\n");
    assert_eq!(refused(&letter, "application/pdf"), []);
}

#[test]
fn a_hundred_megapixels_are_refused_by_the_header() {
    let mut photo = jpeg(&card(), 60);
    let frame = photo.windows(2).position(|marker| marker == b"\xFF\xC0").unwrap();
    photo[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    assert_eq!(refused(&photo, "image/jpeg"), [Code::TooLarge]);

    let mut drawing = png(&card());
    drawing[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    assert_eq!(refused(&drawing, "image/png"), [Code::TooLarge]);
    drawing[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    assert_eq!(refused(&drawing, "image/png"), [Code::TooLarge]);
    drawing[16..24].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0x27, 0x10]);
    assert_eq!(refused(&drawing, "image/png"), [Code::Corrupt]);
}

#[test]
fn a_png_that_unpacks_to_more_than_its_size_is_not_unpacked() {
    // 64 MB of black under a header of 700 x 700
    let bomb = png(&Canvas::new(4600, 4600, [0; 3]));
    let mut small = png(&Canvas::new(700, 700, [0; 3]));
    let data = |bytes: &[u8]| bytes.windows(4).position(|kind| kind == b"IDAT").unwrap() - 4;
    small.truncate(data(&small));
    small.extend(&bomb[data(&bomb)..]);
    assert!(refused(&small, "image/png").iter().all(|code| matches!(code, Code::Corrupt | Code::TooDark)));
}

#[test]
fn many_bytes_are_refused_unopened() {
    let mut photo = jpeg(&card(), 85);
    photo.resize((10 << 20) + 1, 0);
    assert_eq!(refused(&photo, "image/jpeg"), [Code::TooLarge]);
    assert_eq!(refused(&photo, "image/png"), [Code::TooLarge, Code::UnsupportedFormat]);
}

#[test]
fn a_photo_is_shown_the_way_up_that_its_exif_says() {
    // the upper left quarter is white
    let mut quartered = Canvas::new(900, 600, [60; 3]);
    quartered.fill(0, 0, 450, 300, [250; 3]);
    let white = [(1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 0, 1), (5, 0, 0), (6, 1, 0), (7, 1, 1), (8, 0, 1)];
    for (orientation, right, lower) in white {
        let mut limits = limits();
        (limits.sharpness_min, limits.glare_max, limits.light_min, limits.contrast_min) = (0, 1000, 0, 0);
        let picture = check(&turned_jpeg(&quartered, 90, orientation), "image/jpeg", &limits).unwrap().picture.unwrap();
        let shape = if orientation >= 5 { (600, 900) } else { (900, 600) };
        assert_eq!((picture.width(), picture.height()), shape, "{orientation}");
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let [level, ..] = picture.pixel(shape.0 / 4 + x * shape.0 / 2, shape.1 / 4 + y * shape.1 / 2);
            assert_eq!(level > 200, (x, y) == (right, lower), "{orientation} at {x}, {y}");
        }
    }
}

#[test]
fn grey_and_transparent_pictures_are_taken() {
    let card = card();
    let grey: Vec<u8> = card.rgb.chunks_exact(3).map(|pixel| pixel[1]).collect();
    let mut photo = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut photo, 85);
    encoder.encode(&grey, 1010, 640, jpeg_encoder::ColorType::Luma).unwrap();
    assert_eq!(refused(&photo, "image/jpeg"), []);

    let mut photo = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut photo, 85);
    encoder.set_progressive(true);
    encoder.encode(&card.rgb, 1010, 640, jpeg_encoder::ColorType::Rgb).unwrap();
    assert_eq!(refused(&photo, "image/jpeg"), []);

    // ink on nothing: nothing is white
    let mut drawing = Vec::new();
    let mut encoder = png::Encoder::new(&mut drawing, 1010, 640);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    let samples: Vec<u8> = grey.iter().flat_map(|level| [0, 255 - level]).collect();
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    let picture = checked(&drawing, "image/png").unwrap().picture.unwrap();
    assert_eq!(picture.pixel(1000, 300)[0], grey[300 * 1010 + 1000]);
}

#[test]
fn every_kind_of_png_is_read() {
    let card = card();
    let grey: Vec<u8> = card.rgb.chunks_exact(3).map(|pixel| pixel[1]).collect();
    let written = |colour: png::ColorType, depth: png::BitDepth, samples: &[u8]| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1010, 640);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == png::ColorType::Indexed {
            encoder.set_palette((0..=255).flat_map(|level| [level; 3]).collect::<Vec<u8>>());
        }
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        bytes
    };
    let wide: Vec<u8> = grey.iter().flat_map(|level| [*level, 7]).collect();
    let ink: Vec<u8> = grey.chunks(1010).flat_map(|row| row.chunks(8).map(bits)).collect();
    for (name, bytes, exact) in [
        ("indexed", written(png::ColorType::Indexed, png::BitDepth::Eight, &grey), true),
        ("grey", written(png::ColorType::Grayscale, png::BitDepth::Eight, &grey), true),
        ("sixteen bits", written(png::ColorType::Grayscale, png::BitDepth::Sixteen, &wide), true),
        ("one bit", written(png::ColorType::Grayscale, png::BitDepth::One, &ink), false),
    ] {
        let mut limits = limits();
        (limits.brightness_max, limits.glare_max) = (255, 1000);
        let picture = check(&bytes, "image/png", &limits).unwrap_or_else(|refusals| panic!("{name}: {refusals:?}"));
        let seen = picture.picture.unwrap().pixel(700, 140)[0];
        assert!(!exact || seen == grey[140 * 1010 + 700], "{name}: {seen}");
    }
}

/// Eight pixels as bits, ink black.
fn bits(levels: &[u8]) -> u8 {
    (0..8).map(|at| u8::from(levels.get(at).is_some_and(|level| *level > 128)) << (7 - at)).sum()
}

/// What a page shows.
enum Page {
    Scan(Stream),
    Letter(Stream, &'static str),
    Text(&'static str),
    Blank,
}

fn image(canvas: &Canvas, filter: &str, content: Vec<u8>) -> Stream {
    let dict = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => canvas.width as i64, "Height" => canvas.height as i64,
        "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8, "Filter" => filter,
    };
    Stream::new(dict, content)
}

fn scan(canvas: &Canvas) -> Page {
    Page::Scan(image(canvas, "DCTDecode", jpeg(canvas, 85)))
}

fn document(pages: &[Page]) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" });
    let mut kids = Vec::new();
    for page in pages {
        let (resources, operations) = match page {
            Page::Scan(image) => {
                let image = document.add_object(image.clone());
                let drawn = Operation::new("Do", vec!["Im0".into()]);
                (dictionary! { "XObject" => dictionary! { "Im0" => image } }, vec![drawn])
            }
            Page::Text(text) | Page::Letter(_, text) => {
                let shown = Object::String(text.as_bytes().to_vec(), StringFormat::Literal);
                let operations = vec![
                    Operation::new("BT", vec![]),
                    Operation::new("Tf", vec!["F1".into(), 12.into()]),
                    Operation::new("Td", vec![100.into(), 600.into()]),
                    Operation::new("Tj", vec![shown]),
                    Operation::new("ET", vec![]),
                ];
                let mut resources = dictionary! { "Font" => dictionary! { "F1" => font } };
                if let Page::Letter(banner, _) = page {
                    let banner = document.add_object(banner.clone());
                    resources.set("XObject", dictionary! { "Im0" => banner });
                }
                (resources, operations)
            }
            Page::Blank => (Dictionary::new(), Vec::new()),
        };
        let content = document.add_object(Stream::new(Dictionary::new(), Content { operations }.encode().unwrap()));
        kids.push(Object::Reference(document.add_object(dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        })));
    }
    let count = kids.len() as i64;
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let id = || Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal);
    document.trailer.set("ID", vec![id(), id()]);
    document
}

fn pdf(pages: &[Page]) -> Vec<u8> {
    let mut bytes = Vec::new();
    document(pages).save_to(&mut bytes).unwrap();
    bytes
}

fn locked(owner: &str, user: &str) -> Vec<u8> {
    let mut document = document(&[Page::Text("Electricity bill of Annabel Whitcombe")]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: owner,
        user_password: user,
        key_length: 128,
        permissions: Permissions::PRINTABLE,
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_scan_is_taken_out_of_a_pdf() {
    let taken = checked(&pdf(&[Page::Blank, scan(&card())]), "application/pdf").unwrap();
    assert_eq!((taken.format, taken.pages, taken.text), (Format::Pdf, 2, None));
    assert_eq!(taken.measures.map(|measures| (measures.width, measures.height)), Some((1010, 640)));

    let card = card();
    let mut unpacked = image(&card, "FlateDecode", card.rgb.clone());
    unpacked.dict.remove(b"Filter");
    unpacked.compress().unwrap();
    let taken = checked(&pdf(&[Page::Scan(unpacked)]), "application/pdf").unwrap();
    assert_eq!(taken.picture.map(|picture| picture.pixel(500, 300)), Some(card.pixel(500, 300)));
}

#[test]
fn both_sides_of_a_card_come_out_of_one_pdf() {
    let (front, back) = (card(), specimen(Kind::IdCardBack, 5).picture);
    let bytes = pdf(&[scan(&front), scan(&back), Page::Text("see above")]);
    assert_eq!(checked(&bytes, "application/pdf").unwrap().pages, 3);
    let red = |page: usize| pictures::page(&bytes, page, &limits()).unwrap().map(|picture| picture.pixel(990, 330)[0]);
    assert!(red(0).unwrap().abs_diff(front.pixel(990, 330)[0]) < 12);
    assert!(red(1).unwrap().abs_diff(back.pixel(990, 330)[0]) < 12);
    assert_eq!((red(2), red(3)), (None, None));
    assert_eq!(pictures::page(b"%PDF-1.7", 0, &limits()).map_err(|refusal| refusal.code()), Err(Code::Corrupt));
}

#[test]
fn a_scan_in_a_pdf_is_measured_like_a_photo() {
    let dark = specimens::Variant::Dark(0.15).apply(&card(), 1);
    assert_eq!(refused(&pdf(&[scan(&dark)]), "application/pdf"), [Code::TooDark]);
    let mut huge = image(&card(), "DCTDecode", jpeg(&card(), 60));
    huge.dict.set("Width", 20_000);
    huge.dict.set("Height", 20_000);
    assert_eq!(refused(&pdf(&[Page::Scan(huge)]), "application/pdf"), [Code::TooLarge]);
}

#[test]
fn a_pdf_of_text_gives_its_text() {
    let taken = checked(&pdf(&[Page::Text("Electricity bill of Annabel Whitcombe")]), "application/pdf").unwrap();
    assert_eq!(taken.text.as_deref(), Some("Electricity bill of Annabel Whitcombe"));
    assert!(taken.picture.is_none() && taken.measures.is_none());
}

#[test]
fn a_banner_above_a_letter_is_not_measured() {
    let banner = Canvas::new(1240, 400, [30, 40, 60]);
    let stream = image(&banner, "DCTDecode", jpeg(&banner, 80));
    assert_eq!(refused(&pdf(&[Page::Scan(stream.clone())]), "application/pdf"), [Code::TooDark]);
    assert_eq!(refused(&pdf(&[Page::Letter(stream, "Electricity bill")]), "application/pdf"), []);
}

#[test]
fn text_that_cannot_be_decoded_costs_no_other_text_and_is_no_fault() {
    // glyph numbers without a table that says which letters they are: such fonts print well
    let strange = |pages: &[Page]| {
        let mut document = document(pages);
        let first = document.get_pages()[&1];
        let font = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "AAAAAA+Strange", "Encoding" => "Identity-H",
        });
        let resources = dictionary! { "Font" => dictionary! { "F1" => font } };
        document.get_object_mut(first).unwrap().as_dict_mut().unwrap().set("Resources", resources);
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    };
    let taken =
        checked(&strange(&[Page::Text("\u{1}\u{2}"), Page::Text("Annabel Whitcombe")]), "application/pdf").unwrap();
    assert!(taken.text.unwrap().contains("Annabel Whitcombe"));
    assert_eq!(refused(&strange(&[Page::Text("\u{1}\u{2}")]), "application/pdf"), []);
}

#[test]
fn a_letterhead_is_no_scan() {
    let logo = image(&Canvas::new(200, 80, [90; 3]), "DCTDecode", jpeg(&Canvas::new(200, 80, [90; 3]), 60));
    assert_eq!(refused(&pdf(&[Page::Scan(logo.clone())]), "application/pdf"), [Code::Unreadable]);
    assert_eq!(refused(&pdf(&[Page::Scan(logo), Page::Text("a bill")]), "application/pdf"), []);
}

#[test]
fn pages_are_counted() {
    let pages = |count: usize| pdf(&(0..count).map(|_| Page::Text("page")).collect::<Vec<_>>());
    assert_eq!(checked(&pages(3), "application/pdf").unwrap().pages, 3);
    assert_eq!(refused(&pages(4), "application/pdf"), [Code::TooLarge]);
    assert_eq!(refused(&pages(0), "application/pdf"), [Code::Corrupt]);
    assert_eq!(refused(&pdf(&[Page::Blank]), "application/pdf"), [Code::Unreadable]);
}

#[test]
fn a_pdf_that_asks_for_a_password_cannot_be_read_and_one_that_only_forbids_printing_can() {
    assert_eq!(refused(&locked("owner", "user"), "application/pdf"), [Code::Corrupt]);
    let taken = checked(&locked("owner", ""), "application/pdf").unwrap();
    assert_eq!(taken.text.as_deref(), Some("Electricity bill of Annabel Whitcombe"));
}

#[test]
fn a_pdf_whose_objects_unpack_without_end_is_refused() {
    let mut document = document(&[Page::Text("bill")]);
    let mut bomb = Stream::new(dictionary! { "Type" => "ObjStm", "N" => 1, "First" => 4 }, vec![b' '; 64 << 20]);
    bomb.compress().unwrap();
    document.add_object(bomb);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    assert!(bytes.len() < 1 << 20);
    // what the page itself needs is small, so either answer is right: what counts is that it is given at once
    assert!(refused(&bytes, "application/pdf").iter().all(|code| *code == Code::Corrupt));
}

#[test]
fn a_pdf_nested_without_end_is_refused_and_nothing_worse() {
    for (open, close) in [("[", "]"), ("<</A ", ">>"), ("(", ")")] {
        let whole = String::from_utf8_lossy(&pdf(&[Page::Text("bill")])).into_owned();
        let nested = format!("90 0 obj\n{}{}\nendobj\nxref", open.repeat(200_000), close.repeat(200_000));
        let bytes = whole.replacen("xref", &nested, 1).into_bytes();
        let _answer = checked(&bytes, "application/pdf");
        let content = format!("{}{} Tj", open.repeat(200_000), close.repeat(200_000));
        let mut document = document(&[Page::Text("bill")]);
        for object in document.objects.values_mut() {
            if let Object::Stream(stream) = object {
                stream.set_plain_content(content.clone().into_bytes());
            }
        }
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        let _answer = checked(&bytes, "application/pdf");
    }
}
