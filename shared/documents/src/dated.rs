//! What the day says of a document's dates.

use jiff::civil::Date;

use crate::finding::{Finding, Source, What};
use crate::mrz::PartialDate;
use crate::reading::{Field, Fields};

/// Nobody is older than this, in years.
pub(crate) const AGE_MAX: i16 = 120;
/// A renewal is asked for as many days before a document expires.
const SOON_DAYS: i64 = 30;

/// Whether the holder can have been born then, and whether the document has expired.
pub(crate) fn dated(fields: &Fields, today: Date) -> Vec<Finding> {
    let finding = |what, field: &Field<PartialDate>, value: String| {
        Finding::between(what, (field.source, value), (Source::Today, today.to_string()))
    };
    let birth = fields.date_of_birth.as_ref().and_then(|field| {
        let what = match *field.value.reveal() {
            PartialDate::Day(day) if day > today => What::DateOfBirthInFuture,
            PartialDate::Day(day) if today.year().saturating_sub(day.year()) > AGE_MAX => What::DateOfBirthImpossible,
            PartialDate::Day(_) => return None,
            PartialDate::Year(..) | PartialDate::Unknown => What::DateOfBirthIncomplete,
        };
        Some(finding(what, field, field.value.reveal().day().map(|day| day.to_string()).unwrap_or_default()))
    });
    let expiry = fields.expires.as_ref().and_then(|field| {
        let Some(day) = field.value.reveal().day() else {
            return Some(Finding::of(What::ExpiryUnknown, &[field.source]));
        };
        let left = today.until(day).ok()?.get_days();
        let what = match i64::from(left) {
            ..0 => What::Expired,
            0..=SOON_DAYS => What::ExpiresSoon,
            _ => return None,
        };
        Some(finding(what, field, day.to_string()))
    });
    birth.into_iter().chain(expiry).collect()
}
