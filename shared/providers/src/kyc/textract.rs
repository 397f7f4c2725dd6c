//! Amazon Textract: the text of a document, line by line (`DetectDocumentText`).
//!
//! Its own fields of identity documents (`AnalyzeID`) are documented for papers of the United States only, and say nothing of where
//! they stand; what stands on a document is told from its lines, whoever has read them.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::VendorError;
use super::aws::{AwsService, image};
use super::call::text;
use super::faces::{Percent, Picture};
use crate::http::BoxFuture;

const SERVICE: (&str, &str) = ("textract", "Textract");
/// Most lines of one document; whatever has more is no identity document.
const LINES_MAX: usize = 2_000;
/// Boxes are told in parts of the whole; they are handed on in these.
const PARTS: i32 = 10_000;

/// Whoever reads the text of documents.
pub trait DocumentReader: Send + Sync {
    /// The lines of a document, from above to below.
    ///
    /// # Errors
    /// [`VendorError`].
    fn lines<'a>(&'a self, document: &'a Picture) -> BoxFuture<'a, Result<Vec<TextLine>, VendorError>>;
}

/// A line as a service read it. Its text belongs to a person: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TextLine {
    /// Its words, each with how sure the service is of it.
    pub words: Vec<(String, Percent)>,
    /// From the left edge of the page, in ten-thousandths of its width.
    pub left: i32,
    /// From the upper edge of the first page, in ten-thousandths of a page's height.
    pub top: i32,
    /// In ten-thousandths of the page's width.
    pub width: i32,
    /// In ten-thousandths of the page's height.
    pub height: i32,
}

/// Text over Amazon Textract, `https://textract.<region>.amazonaws.com`.
pub struct Textract(pub AwsService);

impl DocumentReader for Textract {
    fn lines<'a>(&'a self, document: &'a Picture) -> BoxFuture<'a, Result<Vec<TextLine>, VendorError>> {
        Box::pin(async move {
            let answer = self.0.call(SERVICE, "DetectDocumentText", &json!({"Document": image(document)})).await;
            read(&answer.map_err(VendorError::from)?)
        })
    }
}

/// The lines of an answer. One that does not read is no answer: a line that was dropped could be the one that matters.
fn read(answer: &Value) -> Result<Vec<TextLine>, VendorError> {
    let unreadable = |what: &str| VendorError::Unknown(format!("a block has no {what}"));
    let blocks = answer.get("Blocks").and_then(Value::as_array);
    let blocks = blocks.ok_or_else(|| VendorError::Unknown("answer has no blocks".to_owned()))?;
    let of_type = |wanted: &'static str| blocks.iter().filter(move |block| text(block, "/BlockType") == Some(wanted));
    if of_type("LINE").count() > LINES_MAX {
        return Err(VendorError::Refused("too many lines for an identity document".to_owned()));
    }
    let word = |id: &Value| -> Result<(String, Percent), VendorError> {
        let found = of_type("WORD").find(|block| block.get("Id") == Some(id));
        let found = found.ok_or_else(|| unreadable("word of its id"))?;
        let read = text(found, "/Text").ok_or_else(|| unreadable("text"))?;
        let sure = Percent::read(found.get("Confidence")).ok_or_else(|| unreadable("confidence"))?;
        Ok((read.to_owned(), sure))
    };
    let lines = of_type("LINE").map(|line| {
        let relations = line.get("Relationships").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let children = relations.iter().filter(|relation| text(relation, "/Type") == Some("CHILD"));
        let ids = children.filter_map(|relation| relation.get("Ids").and_then(Value::as_array)).flatten();
        let words = ids.map(word).collect::<Result<Vec<_>, _>>()?;
        if words.is_empty() {
            return Err(unreadable("words"));
        }
        let side = |name: &str| {
            let part = line.pointer(&format!("/Geometry/BoundingBox/{name}"));
            parts(part).ok_or_else(|| unreadable("place"))
        };
        let page = line.get("Page").and_then(Value::as_i64).and_then(|page| i32::try_from(page).ok()).unwrap_or(1);
        let above = page.saturating_sub(1).saturating_mul(PARTS);
        Ok(TextLine {
            words,
            left: side("Left")?,
            top: side("Top")?.saturating_add(above),
            width: side("Width")?,
            height: side("Height")?,
        })
    });
    lines.collect()
}

/// A part of the whole, from 0 to 1, in ten-thousandths.
fn parts(value: Option<&Value>) -> Option<i32> {
    let Value::Number(number) = value? else { return None };
    let read: Decimal = number.to_string().parse().or_else(|_| Decimal::from_scientific(&number.to_string())).ok()?;
    let parts = read.checked_mul(Decimal::from(PARTS))?.round();
    parts.to_i32()
}
