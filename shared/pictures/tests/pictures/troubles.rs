//! What upload checks stumbled over in the field, with drawn documents.

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use pictures::{Checked, Code, Limits, check};
use specimens::{Canvas, jpeg, turned_jpeg};

use crate::{card, checked, limits};

fn grey(card: &Canvas) -> Vec<u8> {
    card.rgb.chunks_exact(3).map(|pixel| pixel[1]).collect()
}

/// Whether a picture shows the card in its own brightness.
fn shows_the_card(checked: &Checked, card: &Canvas) -> bool {
    let picture = checked.picture.as_ref().unwrap();
    [(40, 40), (500, 60), (700, 140), (500, 300), (900, 600)].into_iter().all(|(x, y)| {
        let [_, seen, _] = picture.pixel(x, y);
        seen.abs_diff(card.pixel(x, y)[1]) < 30
    })
}

#[test]
fn an_orientation_that_exif_does_not_know_is_upright() {
    for orientation in [0, 9, 255] {
        let taken = checked(&turned_jpeg(&card(), 85, orientation), "image/jpeg").unwrap();
        assert!(shows_the_card(&taken, &card()), "{orientation}");
    }
}

#[test]
fn a_second_block_of_exif_without_an_orientation_changes_nothing() {
    // a program that edits photos writes a block of its own behind the camera's
    let photo = turned_jpeg(&card(), 85, 6);
    let block = photo.windows(6).position(|bytes| bytes == b"Exif\0\0").unwrap() - 4;
    let length = usize::from(u16::from_be_bytes([photo[block + 2], photo[block + 3]]));
    let tiff = b"MM\0*\0\0\0\x08\0\0\0\0\0\0";
    let mut second = vec![0xFF, 0xE1];
    second.extend(u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes());
    second.extend(b"Exif\0\0");
    second.extend(tiff);
    let mut edited = photo;
    edited.splice(block + 2 + length..block + 2 + length, second);
    let picture = checked(&edited, "image/jpeg").unwrap().picture.unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 1010));
}

#[test]
fn a_photo_in_the_colours_of_printers_is_not_turned_into_its_negative() {
    let card = card();
    let ink: Vec<u8> = grey(&card).iter().flat_map(|level| [0, 0, 0, 255 - level]).collect();
    for coded in [jpeg_encoder::ColorType::Cmyk, jpeg_encoder::ColorType::CmykAsYcck] {
        let mut photo = Vec::new();
        jpeg_encoder::Encoder::new(&mut photo, 90).encode(&ink, 1010, 640, coded).unwrap();
        let taken = checked(&photo, "image/jpeg").unwrap();
        assert!(shows_the_card(&taken, &card), "{coded:?}");
    }
}

#[test]
fn a_photo_with_a_second_picture_behind_it_is_the_first_one() {
    let mut photo = jpeg(&card(), 85);
    photo.extend(jpeg(&Canvas::new(4000, 3000, [10; 3]), 60));
    assert!(shows_the_card(&checked(&photo, "image/jpeg").unwrap(), &card()));
}

#[test]
fn a_small_picture_within_exif_is_not_taken_for_the_photo() {
    let inner = jpeg(&Canvas::new(160, 120, [10; 3]), 60);
    let mut block = vec![0xFF, 0xE1];
    block.extend(u16::try_from(2 + 6 + inner.len()).unwrap().to_be_bytes());
    block.extend(b"Exif\0\0");
    block.extend(&inner);
    let mut photo = jpeg(&card(), 85);
    photo.splice(2..2, block);
    assert!(shows_the_card(&checked(&photo, "image/jpeg").unwrap(), &card()));
}

fn drawn(width: usize, height: usize, colours: Object, content: Vec<u8>) -> Stream {
    let dict = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => width as i64, "Height" => height as i64,
        "ColorSpace" => colours, "BitsPerComponent" => 8,
    };
    Stream::new(dict, content)
}

/// One page with pictures on it.
fn page_of(images: Vec<Stream>, turn: i64) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let mut named = Dictionary::new();
    let mut operations = vec![];
    for (at, image) in images.into_iter().enumerate() {
        let name = format!("Im{at}");
        named.set(name.clone(), document.add_object(image));
        operations.push(Operation::new("Do", vec![name.as_str().into()]));
    }
    let content = document.add_object(Stream::new(Dictionary::new(), Content { operations }.encode().unwrap()));
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content, "Rotate" => turn,
        "Resources" => dictionary! { "XObject" => named }, "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    });
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    document
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_scan_whose_colours_are_numbers_of_a_palette_is_no_picture_in_grey() {
    let card = card();
    // the palette is upside down: number 0 is white
    let palette: Vec<u8> = (0..=255u8).rev().flat_map(|level| [level; 3]).collect();
    let colours = vec![
        "Indexed".into(),
        "DeviceRGB".into(),
        255.into(),
        Object::String(palette, lopdf::StringFormat::Hexadecimal),
    ];
    let numbers: Vec<u8> = grey(&card).iter().map(|level| 255 - level).collect();
    let file = bytes(page_of(vec![drawn(1010, 640, colours.into(), numbers)], 0));
    match checked(&file, "application/pdf") {
        Ok(taken) => assert!(shows_the_card(&taken, &card)),
        Err(codes) => assert_eq!(codes, [Code::Unreadable]),
    }
}

#[test]
fn a_scan_that_is_stored_as_its_negative_is_shown_as_it_is_meant() {
    let card = card();
    let negative: Vec<u8> = grey(&card).iter().map(|level| 255 - level).collect();
    let mut image = drawn(1010, 640, "DeviceGray".into(), negative);
    image.dict.set("Decode", vec![1.into(), 0.into()]);
    match checked(&bytes(page_of(vec![image], 0)), "application/pdf") {
        Ok(taken) => assert!(shows_the_card(&taken, &card)),
        Err(codes) => assert_eq!(codes, [Code::Unreadable]),
    }
}

#[test]
fn a_scan_that_is_packed_twice_is_taken() {
    let card = card();
    let mut image = drawn(1010, 640, "DeviceRGB".into(), jpeg(&card, 85));
    image.dict.set("Filter", "DCTDecode");
    // what some programs make of a page: the JPEG deflated once more
    let mut outer = Stream::new(Dictionary::new(), image.content.repeat(1));
    outer.compress().unwrap();
    if outer.dict.get(b"Filter").is_ok() {
        image.set_content(outer.content);
        image.dict.set("Filter", vec!["FlateDecode".into(), "DCTDecode".into()]);
        let taken = checked(&bytes(page_of(vec![image], 0)), "application/pdf").unwrap();
        assert!(shows_the_card(&taken, &card));
    }
}

#[test]
fn a_scan_in_strips_asks_for_another_file_and_is_never_a_strip() {
    let card = card();
    let strips = (0..8).map(|at| {
        let rows = &card.rgb[at * 80 * 1010 * 3..(at + 1) * 80 * 1010 * 3];
        drawn(1010, 80, "DeviceRGB".into(), rows.to_vec())
    });
    assert_eq!(checked(&bytes(page_of(strips.collect(), 0)), "application/pdf").err().unwrap(), [Code::Unreadable]);
}

#[test]
fn a_scan_in_black_and_white_of_a_fax_asks_for_another_file() {
    for filter in ["CCITTFaxDecode", "JBIG2Decode", "JPXDecode"] {
        let mut image = drawn(1010, 640, "DeviceGray".into(), vec![0; 4_000]);
        image.dict.set("Filter", filter);
        image.dict.set("BitsPerComponent", 1);
        let refused = checked(&bytes(page_of(vec![image], 0)), "application/pdf").err().unwrap();
        assert_eq!(refused, [Code::Unreadable], "{filter}");
    }
}

#[test]
fn a_page_that_is_turned_and_one_behind_a_mails_head_are_taken() {
    let mut image = drawn(1010, 640, "DeviceRGB".into(), jpeg(&card(), 85));
    image.dict.set("Filter", "DCTDecode");
    for turn in [0, 90, 270] {
        let whole = bytes(page_of(vec![image.clone()], turn));
        assert!(checked(&whole, "application/pdf").is_ok(), "{turn}");
        let mut behind = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n".to_vec();
        behind.extend(&whole);
        assert!(checked(&behind, "application/pdf").is_ok(), "{turn}, behind a head");
    }
    let mut modern = Vec::new();
    page_of(vec![image], 0).save_modern(&mut modern).unwrap();
    assert!(shows_the_card(&checked(&modern, "application/pdf").unwrap(), &card()));
}

#[test]
fn a_letterhead_on_the_first_page_is_not_taken_for_the_scan_on_the_second() {
    let logo = drawn(200, 80, "DeviceRGB".into(), vec![90; 200 * 80 * 3]);
    let mut scan = drawn(1010, 640, "DeviceRGB".into(), jpeg(&card(), 85));
    scan.dict.set("Filter", "DCTDecode");
    let mut document = page_of(vec![logo], 0);
    let scan = document.add_object(scan);
    let first = document.get_pages()[&1];
    let mut second = document.get_dictionary(first).unwrap().clone();
    second.set("Resources", dictionary! { "XObject" => dictionary! { "Im0" => scan } });
    let tree = second.get(b"Parent").unwrap().as_reference().unwrap();
    let second = document.add_object(second);
    let pages = document.get_object_mut(tree).unwrap().as_dict_mut().unwrap();
    pages.set("Kids", vec![first.into(), second.into()]);
    pages.set("Count", 2);
    let file = bytes(document);
    // an upload that was accepted is decoded again without asking for its size
    let anything = Limits { long_side_min: 0, short_side_min: 0, glare_max: 1000, contrast_min: 0, ..limits() };
    for limits in [limits(), anything] {
        let taken = check(&file, "application/pdf", &limits).unwrap();
        assert_eq!(taken.picture.map(|picture| (picture.width(), picture.height())), Some((1010, 640)));
    }
}

#[test]
fn lines_and_words_of_one_block_of_text_are_kept_apart() {
    let shown = |text: &str| Operation::new("Tj", vec![Object::string_literal(text)]);
    let to = |x: i64, y: i64| Operation::new("Td", vec![x.into(), y.into()]);
    let at = |x: i64, y: i64| {
        let place = [1, 0, 0, 1, x, y].map(Object::from);
        Operation::new("Tm", place.to_vec())
    };
    let font = |name: &str| Operation::new("Tf", vec![name.into(), 12.into()]);
    let block = |inner: Vec<Operation>| {
        let mut document = page_of(vec![], 0);
        let page = document.get_pages()[&1];
        let plain = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
        let plain = document.add_object(plain);
        let resources = dictionary! { "Font" => dictionary! { "F1" => plain, "F2" => plain } };
        document.get_object_mut(page).unwrap().as_dict_mut().unwrap().set("Resources", resources);
        let mut operations = vec![Operation::new("BT", vec![]), font("F1")];
        operations.extend(inner);
        operations.push(Operation::new("ET", vec![]));
        document.change_page_content(page, Content { operations }.encode().unwrap()).unwrap();
        checked(&bytes(document), "application/pdf").unwrap().text.unwrap()
    };
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.is_empty()).collect()
    };
    let moved = block(vec![
        to(60, 780),
        shown("Electricity bill"),
        to(0, -24),
        shown("Annabel"),
        to(90, 0),
        shown("Whitcombe"),
    ]);
    assert_eq!(words(&moved), ["Electricity bill", "Annabel Whitcombe"]);
    let placed = block(vec![
        at(60, 780),
        shown("Electricity bill"),
        at(60, 756),
        font("F2"),
        shown("Annabel"),
        at(150, 756),
        shown("Whitcombe"),
    ]);
    assert_eq!(words(&placed), ["Electricity bill", "Annabel Whitcombe"]);
    // each letter in its own place
    let mut letters = vec![at(60, 780), shown("Bill"), at(60, 756)];
    for (n, letter) in (0..).zip("Annabel Whitcombe".chars()) {
        letters.extend([at(60 + n * 7, 756), shown(&letter.to_string())]);
    }
    assert_eq!(words(&block(letters)), ["Bill", "Annabel Whitcombe"]);
}
