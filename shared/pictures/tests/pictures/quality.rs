//! How good pictures are found to be: every kind of specimen after every mishap.

use pictures::{Code, Measures, Picture, check, measure};
use specimens::{Canvas, Kind, Variant, jpeg, png, specimen};

use crate::{limits, refused};

fn measured(canvas: &Canvas) -> Measures {
    measure(&Picture::new(canvas.width, canvas.height, canvas.rgb.clone()).unwrap())
}

fn codes_after(kind: Kind, variants: &[Variant]) -> Vec<Code> {
    let picture = variants.iter().fold(specimen(kind, 7).picture, |picture, variant| variant.apply(&picture, 1));
    refused(&jpeg(&picture, 85), "image/jpeg")
}

#[test]
fn ordinary_photos_and_scans_are_taken() {
    for kind in Kind::ALL {
        for variant in [Variant::Clean, Variant::Noisy(18.0), Variant::Photo(2000, 1500)] {
            assert_eq!(codes_after(kind, &[variant]), [], "{kind:?} {variant:?}");
        }
    }
    for kind in [Kind::IdCardFront, Kind::Statement] {
        for variant in [
            Variant::Jpeg(60),
            Variant::Rotated(-7.0),
            Variant::Quarters(1),
            Variant::Blurred(1.2),
            Variant::Perspective,
            Variant::Dark(0.4),
        ] {
            assert_eq!(codes_after(kind, &[variant]), [], "{kind:?} {variant:?}");
        }
    }
}

#[test]
fn every_mishap_has_its_code() {
    let cases: [(&[Variant], &[Code]); 9] = [
        (&[Variant::Dark(0.15)], &[Code::TooDark]),
        (&[Variant::Washed(150.0)], &[Code::TooBright]),
        (&[Variant::Glare(0.7, 0.3, 0.1)], &[Code::TooBright]),
        (&[Variant::Blurred(5.0)], &[Code::Blurred]),
        (&[Variant::Blurred(8.0)], &[Code::Blurred]),
        // compression draws edges between its squares
        (&[Variant::Blurred(8.0), Variant::Jpeg(50)], &[Code::Blurred]),
        // grain is no sharpness
        (&[Variant::Blurred(8.0), Variant::Noisy(10.0)], &[Code::Blurred]),
        (&[Variant::Scaled(0.25)], &[Code::TooSmall]),
        (&[Variant::Blurred(6.0), Variant::Dark(0.2)], &[Code::TooDark, Code::Blurred]),
    ];
    for kind in [Kind::IdCardFront, Kind::DrivingLicence] {
        for (variants, expected) in cases {
            assert_eq!(codes_after(kind, variants), expected, "{kind:?} {variants:?}");
        }
    }
}

#[test]
fn a_sheet_with_nothing_on_it_is_told_by_its_light() {
    for (level, expected) in [(0, Code::TooDark), (128, Code::Unreadable), (255, Code::TooBright)] {
        let sheet = Canvas::new(900, 700, [level; 3]);
        assert_eq!(refused(&png(&sheet), "image/png"), [expected], "{level}");
    }
}

#[test]
fn white_paper_is_no_reflection() {
    let mut page = Canvas::new(1200, 850, [255; 3]);
    for line in 0..8u16 {
        let y = 110.0 + 80.0 * f32::from(line);
        page.text(specimens::Face::Sans, 30.0, 400.0, y, [0; 3], "ERIKSSON ANNA MARIA 1974");
    }
    for variant in [Variant::Clean, Variant::Jpeg(40), Variant::Blurred(1.5), Variant::Blurred(3.0)] {
        assert_eq!(measured(&variant.apply(&page, 1)).glare, 0, "{variant:?}");
    }
    // in a blurred picture all edges are soft: it is told for that alone
    assert_eq!(refused(&jpeg(&Variant::Blurred(6.0).apply(&page, 1), 90), "image/jpeg"), [Code::Blurred]);
    // what hides the letters on it is one, even where its edge is hard
    let mut tinted = Canvas::new(1200, 850, [236, 240, 244]);
    for line in 0..8u16 {
        let y = 110.0 + 80.0 * f32::from(line);
        tinted.text(specimens::Face::Sans, 30.0, 400.0, y, [0; 3], "ERIKSSON ANNA MARIA 1974");
    }
    tinted.each(|x, y, colour| {
        let away = (x as f32 - 600.0).powi(2) / 250.0f32.powi(2) + (y as f32 - 400.0).powi(2) / 200.0f32.powi(2);
        if away < 1.0 { [255.0; 3] } else { colour }
    });
    assert!(measured(&tinted).glare > 100);
}

#[test]
fn a_table_in_focus_does_not_save_a_document_that_is_not() {
    let mut sharp = Canvas::new(1600, 1100, [120, 100, 80]);
    sharp.each(|x, y, colour| colour.map(|level| level + ((x * 7 + y * 13) % 9) as f32 - 4.0));
    let mut photo = sharp.clone();
    photo.put(&specimen(Kind::IdCardFront, 3).picture, 295, 230);
    assert_eq!(refused(&jpeg(&photo, 92), "image/jpeg"), []);

    // the focus is on the table: what is nearer, the document and its edge, is blurred
    let mut photo = Variant::Blurred(7.0).apply(&photo, 1);
    let near = |x: usize, y: usize| (275..1325).contains(&x) && (210..890).contains(&y);
    photo.each(|x, y, colour| if near(x, y) { colour } else { sharp.pixel(x, y).map(f32::from) });
    assert_eq!(refused(&jpeg(&photo, 92), "image/jpeg"), [Code::Blurred]);
}

#[test]
#[ignore = "prints a table for whoever sets the limits"]
fn table() {
    let mishaps: [&[Variant]; 18] = [
        &[Variant::Clean],
        &[Variant::Rotated(2.0)],
        &[Variant::Noisy(18.0)],
        &[Variant::Perspective],
        &[Variant::Photo(2000, 1500)],
        &[Variant::Scaled(0.5)],
        &[Variant::Dark(0.4)],
        &[Variant::Dark(0.15)],
        &[Variant::Washed(90.0)],
        &[Variant::Washed(150.0)],
        &[Variant::Glare(0.7, 0.3, 0.1)],
        &[Variant::Blurred(1.2)],
        &[Variant::Blurred(2.5)],
        &[Variant::Blurred(3.5)],
        &[Variant::Blurred(5.0)],
        &[Variant::Blurred(8.0)],
        &[Variant::Blurred(8.0), Variant::Jpeg(50)],
        &[Variant::Blurred(8.0), Variant::Noisy(10.0)],
    ];
    for kind in Kind::ALL {
        let clean = specimen(kind, 7).picture;
        for mishap in mishaps {
            let picture = mishap.iter().fold(clean.clone(), |picture, variant| variant.apply(&picture, 1));
            println!("{kind:?} {mishap:?} {:?}", measured(&picture));
        }
    }
}

#[test]
#[ignore = "prints how long a photo of 12 megapixels takes"]
fn speed() {
    let photo =
        Variant::Noisy(14.0).apply(&Variant::Photo(4000, 3000).apply(&specimen(Kind::Passport, 7).picture, 1), 2);
    let bytes = specimens::turned_jpeg(&photo, 92, 6);
    for _ in 0..5 {
        let started = std::time::Instant::now();
        let taken = check(&bytes, "image/jpeg", &limits());
        println!(
            "{} bytes, {} ms, {:?}",
            bytes.len(),
            started.elapsed().as_millis(),
            taken.map(|taken| taken.measures)
        );
    }
}
