//! Pieces of one line that the detector found apart: a number before its field, a row of a zone broken at its fillers.

use documents::{Glyph, Line, Place};

/// Pieces of a line overlap vertically by so many tenths of the lower one.
const OVERLAP_TENTHS: i32 = 6;
/// And none is so many tenths as high as the other: a caption is no part of the big print beside it.
const HEIGHT_TENTHS: i32 = 17;

/// Joins neighbours no farther apart than the line is high; columns are farther apart. From top to bottom, then from the left.
pub(crate) fn joined(mut pieces: Vec<Line>) -> Vec<Line> {
    pieces.sort_by_key(|piece| (piece.place.left, piece.place.top));
    let mut lines: Vec<Line> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match lines.iter_mut().find(|line| goes_on(line.place, piece.place)) {
            Some(line) => append(line, piece),
            None => lines.push(piece),
        }
    }
    lines.sort_by_key(|line| (line.place.top, line.place.left));
    lines
}

fn goes_on(line: Place, piece: Place) -> bool {
    let (low, high) = (line.height.min(piece.height), line.height.max(piece.height));
    let overlap = line.bottom().min(piece.bottom()).saturating_sub(line.top.max(piece.top));
    let gap = piece.left.saturating_sub(line.right());
    (-low / 2..=high).contains(&gap)
        && overlap.saturating_mul(10) >= low.saturating_mul(OVERLAP_TENTHS)
        && high.saturating_mul(10) < low.saturating_mul(HEIGHT_TENTHS)
}

fn append(line: &mut Line, piece: Line) {
    line.glyphs.push(Glyph { read: ' ', sure: documents::CERTAIN, runner_up: None });
    line.glyphs.extend(piece.glyphs);
    if let (Some(zone), Some(more)) = (&mut line.zone_glyphs, piece.zone_glyphs) {
        zone.extend(more);
    }
    let (top, bottom) = (line.place.top.min(piece.place.top), line.place.bottom().max(piece.place.bottom()));
    let right = line.place.right().max(piece.place.right());
    line.place = Place {
        left: line.place.left,
        top,
        width: right.saturating_sub(line.place.left),
        height: bottom.saturating_sub(top),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, left: i32, top: i32, width: i32, height: i32) -> Line {
        Line::plain(text, 900, Place { left, top, width, height })
    }

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn a_number_and_its_field_are_one_line_and_columns_are_two() {
        let pieces = vec![
            piece("DEU", 640, 160, 68, 37),
            piece("SMITH", 404, 160, 153, 37),
            piece("1.", 346, 167, 30, 29),
            piece("2.", 346, 224, 30, 29),
        ];
        let lines = joined(pieces);
        assert_eq!(texts(&lines), ["1. SMITH", "DEU", "2."]);
        assert_eq!(lines[0].place, Place { left: 346, top: 160, width: 211, height: 37 });
    }

    #[test]
    fn a_caption_stays_apart_from_the_big_print_beside_it() {
        assert_eq!(joined(vec![piece("No.", 10, 20, 30, 15), piece("4711", 50, 10, 90, 40)]).len(), 2);
        assert_eq!(joined(vec![piece("above", 10, 20, 30, 20), piece("below", 42, 36, 90, 20)]).len(), 2);
        assert!(joined(Vec::new()).is_empty());
    }

    #[test]
    fn pieces_of_a_zone_are_one_row() {
        let mut pieces = vec![piece("P<UTO", 10, 800, 200, 40), piece("<<<<", 215, 802, 300, 40)];
        for piece in &mut pieces {
            piece.zone_glyphs = Some(piece.glyphs.clone());
        }
        let lines = joined(pieces);
        let zone: String = lines[0].zone_glyphs.iter().flatten().map(|glyph| glyph.read).collect();
        assert_eq!((lines.len(), zone.as_str()), (1, "P<UTO<<<<"));
    }
}
