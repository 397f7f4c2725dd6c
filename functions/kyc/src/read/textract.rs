//! The lines that Amazon Textract reads, in the form that all readers share.

use documents::{Glyph, Line, Place};
use providers::kyc::VendorError;
use providers::kyc::faces::{Percent, Picture};
use providers::kyc::textract::{DocumentReader, TextLine, Textract};
use runtime::StepError;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::aws::looking;

/// The lines of an upload. What the service will not read has none: that is said of the document, and a person sees it.
pub(super) async fn lines(service: &Textract, document: &Picture) -> Result<Vec<Line>, StepError> {
    match service.lines(document).await {
        Ok(lines) => Ok(lines.iter().map(line).collect()),
        Err(VendorError::Refused(_)) => Ok(vec![]),
        Err(error) => Err(looking(&error)),
    }
}

/// A blank between two words is as sure as the less sure one of them.
fn line(read: &TextLine) -> Line {
    let mut glyphs: Vec<Glyph> = vec![];
    for (word, sure) in &read.words {
        let sure = thousandths(*sure);
        if let Some(before) = glyphs.last() {
            glyphs.push(glyph(' ', sure.min(before.sure)));
        }
        glyphs.extend(word.chars().map(|read| glyph(read, sure)));
    }
    let place = Place { left: read.left, top: read.top, width: read.width, height: read.height };
    Line { glyphs, place, zone_glyphs: None }
}

fn glyph(read: char, sure: u16) -> Glyph {
    Glyph { read, sure, runner_up: None }
}

fn thousandths(sure: Percent) -> u16 {
    let parts = sure.value().checked_mul(Decimal::TEN).map(|parts| parts.trunc());
    parts.and_then(|parts| parts.to_u16()).unwrap_or_default()
}
