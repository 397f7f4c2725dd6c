//! The lines of specimens: what they say, and where they stand.

use std::time::Instant;

use documents::Line;
use specimens::{Canvas, Kind, Specimen, Variant, specimen};

use crate::{engine, many, picture};

/// What a line says as a row of a zone.
fn zone_text(line: &Line) -> String {
    line.zone_glyphs.iter().flatten().map(|glyph| glyph.read).collect()
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// How many printed values stand in a line, and how many characters those have that do not.
fn values_read(specimen: &Specimen, lines: &[Line]) -> (usize, Vec<String>) {
    let all: Vec<String> = lines.iter().map(|line| squeezed(&line.text())).collect();
    let stands = |value: &&String| all.iter().any(|line| line.contains(&squeezed(value)));
    let missed = specimen.printed.iter().filter(|value| !stands(value)).cloned().collect();
    (specimen.printed.iter().filter(stands).count(), missed)
}

/// Characters that differ, by the cheapest way to change one into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut costs: Vec<usize> = (0..=other.len()).collect();
    for letter in one.chars() {
        let mut before = costs[0];
        costs[0] += 1;
        for at in 0..other.len() {
            let swapped = before + usize::from(letter != other[at]);
            before = costs[at + 1];
            costs[at + 1] = swapped.min(before + 1).min(costs[at] + 1);
        }
    }
    costs[other.len()]
}

/// Rows of the zone that are read exactly, and the characters that are wrong in the best line for each.
fn rows_read(specimen: &Specimen, lines: &[Line]) -> (usize, usize) {
    let read: Vec<String> = lines.iter().map(zone_text).collect();
    let wrong = |row: &String| read.iter().map(|line| distance(line, row)).min().unwrap_or(row.len()).min(row.len());
    let wrong: Vec<usize> = specimen.zone.iter().map(wrong).collect();
    (wrong.iter().filter(|wrong| **wrong == 0).count(), wrong.iter().sum())
}

#[test]
#[ignore = "prints what is read of every kind after every mishap"]
fn lines_table() {
    let (engine, seeds) = (engine(), many("SEEDS", 1));
    for variant in Variant::ORDINARY.into_iter().chain(Variant::HARD) {
        for kind in Kind::ALL {
            let (mut right, mut of, mut rows, mut rows_of, mut wrong, mut ms) = (0, 0, 0, 0, 0, 0);
            let mut missed = Vec::new();
            for seed in 0..seeds {
                let drawn = specimen(kind, 100 + seed);
                let seen = picture(&variant.apply(&drawn.picture, seed));
                let started = Instant::now();
                let lines = engine.lines(&seen).unwrap();
                ms += started.elapsed().as_millis();
                let (values, not) = values_read(&drawn, &lines);
                let (exact, differing) = rows_read(&drawn, &lines);
                right += values;
                of += drawn.printed.len();
                rows += exact;
                rows_of += drawn.zone.len();
                wrong += differing;
                missed.extend(not);
            }
            println!(
                "{variant:?} {kind:?}: values {right}/{of}, rows exact {rows}/{rows_of}, zone characters wrong {wrong}, {} ms; {missed:?}",
                ms / u128::from(seeds)
            );
        }
    }
}

/// What stands on a line when letters with and without marks, big and small, are alike.
fn folded(text: &str) -> String {
    squeezed(text).to_uppercase().replace('ẞ', "SS")
}

fn lines_of(kind: Kind, seed: u64, variant: Variant) -> (Specimen, Vec<Line>) {
    let drawn = specimen(kind, seed);
    let lines = engine().lines(&picture(&variant.apply(&drawn.picture, seed))).unwrap();
    (drawn, lines)
}

/// Whether a row could be the expected one: as long, but for fillers that a reader miscounts, and different only between twins.
fn is_row(read: &str, expected: &str) -> bool {
    let alike =
        |text: &str| text.replace('0', "O").replace('1', "I").replace('2', "Z").replace('5', "S").replace('8', "B");
    let bare =
        |text: &str| alike(text).split('<').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    bare(read) == bare(expected)
}

fn assert_read(drawn: &Specimen, lines: &[Line], what: &str) {
    let texts: Vec<String> = lines.iter().map(|line| folded(&line.text())).collect();
    for value in &drawn.printed {
        assert!(texts.iter().any(|text| text.contains(&folded(value))), "{what}: {value} is not in {texts:?}");
    }
    for row in &drawn.zone {
        let rows: Vec<String> = lines.iter().map(zone_text).collect();
        assert!(rows.iter().any(|read| is_row(read, row)), "{what}: {row} is not in {rows:?}");
    }
}

#[test]
fn a_passport_is_read_line_by_line() {
    let (drawn, lines) = lines_of(Kind::Passport, 1, Variant::Jpeg(60));
    assert_read(&drawn, &lines, "passport");
    assert!(lines.is_sorted_by_key(|line| line.place.top));
    // the zone is the lowest part, and as wide as the page
    let zone: Vec<&Line> = lines.iter().rev().take(2).collect();
    for line in zone {
        assert!(line.place.top > 680 && line.place.width > 1100 && line.place.height < 70, "{:?}", line.place);
        assert!(line.zone_glyphs.iter().flatten().all(|glyph| glyph.sure <= 1000));
    }
}

#[test]
fn a_card_on_its_head_and_askew_is_read_as_if_it_stood() {
    let turned = Variant::Quarters(2).apply(&specimen(Kind::IdCardBack, 4).picture, 0);
    let askew = Variant::Rotated(6.0).apply(&turned, 0);
    let drawn = specimen(Kind::IdCardBack, 4);
    let lines = engine().lines(&picture(&askew)).unwrap();
    assert_read(&drawn, &lines, "card");
    // the rows of the zone are level: each stands below the one before and begins where that does
    let rows: Vec<&Line> = lines.iter().filter(|line| zone_text(line).contains("<<<")).collect();
    assert_eq!(rows.len(), 3);
    for pair in rows.windows(2) {
        assert!(pair[1].place.top > pair[0].place.top + 20, "{:?}", (pair[0].place, pair[1].place));
        assert!((pair[1].place.left - pair[0].place.left).abs() < 15, "{:?}", (pair[0].place, pair[1].place));
    }
}

#[test]
fn a_card_on_its_side_is_read_as_if_it_stood() {
    for quarters in [1, 3] {
        let (drawn, lines) = lines_of(Kind::DrivingLicence, 2, Variant::Quarters(quarters));
        assert_read(&drawn, &lines, "licence");
        let first = lines.iter().find(|line| folded(&line.text()).contains(&folded(drawn.person.surname))).unwrap();
        assert_eq!(folded(&first.text()), format!("1.{}", folded(drawn.person.surname)));
        assert!(
            (first.place.left - 350).abs() < 25 && (first.place.top - 125).abs() < 25,
            "{quarters}: {:?}",
            first.place
        );
    }
}

#[test]
fn the_same_picture_is_read_the_same_way() {
    let (_, once) = lines_of(Kind::IdCardFront, 3, Variant::Noisy(18.0));
    let (_, again) = lines_of(Kind::IdCardFront, 3, Variant::Noisy(18.0));
    assert!(once == again && !once.is_empty());
}

#[test]
fn pictures_of_odd_shapes_and_without_text_are_read_without_a_fault() {
    let engine = engine();
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (31, 33), (2000, 3)] {
        let blank = picture(&Canvas::new(width, height, [128; 3]));
        assert!(engine.lines(&blank).unwrap().is_empty(), "{width} x {height}");
    }
    let mut noise = Canvas::new(300, 200, [128; 3]);
    let mut random = specimens::Random::new(1);
    noise.each(|_, _, _| [random.below(256) as f32; 3]);
    assert!(engine.lines(&picture(&noise)).unwrap().len() < 5);
}
