//! An upload held against the rules of the house.

use domain::kyc::rules::UploadRules;
use domain::kyc::{Checked, DocumentKind, UploadFault};
use files::File;
use pictures::{Code, Limits};
use runtime::StepError;

/// What is wrong with a file, and what was measured.
pub(crate) async fn check(
    file: File,
    kind: DocumentKind,
    content_type: String,
    rules: &UploadRules,
) -> Result<Checked, StepError> {
    let limits = limits_of(kind, rules);
    let object = file.head.version.0.clone();
    let checked = tokio::task::spawn_blocking(move || pictures::check(&file.bytes, &content_type, &limits));
    // a decoder that gives up on a file does so for this file: it can be no other's fault
    let (reasons, measured) = match checked.await {
        Ok(Ok(usable)) => (vec![], usable.measures.iter().map(measured).collect()),
        Ok(Err(refusals)) => {
            let mut reasons: Vec<UploadFault> = refusals.iter().map(|refusal| fault(refusal.code())).collect();
            reasons.sort_unstable();
            reasons.dedup();
            (reasons, refusals.iter().map(ToString::to_string).collect())
        }
        Err(_) => (vec![UploadFault::Corrupt], vec!["it could not be decoded".to_owned()]),
    };
    Ok(Checked { object, reasons, measured })
}

/// The file is larger than it may be: it is not even read.
pub(crate) fn too_large(version: String, bytes: u64) -> Checked {
    let measured = vec![format!("{bytes} bytes")];
    Checked { object: version, reasons: vec![UploadFault::TooLarge], measured }
}

fn measured(measures: &pictures::Measures) -> String {
    let sharpness = measures.sharpness.map_or_else(|| "not measurable".to_owned(), |sharp| sharp.to_string());
    format!(
        "{}x{}, light {}, dark {}, glare {}, sharpness {sharpness}",
        measures.width, measures.height, measures.light, measures.dark, measures.glare
    )
}

fn limits_of(kind: DocumentKind, rules: &UploadRules) -> Limits {
    let documents = limits(rules);
    match kind {
        DocumentKind::Passport | DocumentKind::IdCard | DocumentKind::DrivingLicence | DocumentKind::ProofOfAddress => {
            documents
        }
        DocumentKind::Selfie => Limits {
            long_side_min: rules.selfie.long_side_min,
            short_side_min: rules.selfie.short_side_min,
            sharpness_min: rules.selfie.sharpness_min,
            contrast_min: u8::try_from(rules.selfie.contrast_min).unwrap_or(u8::MAX),
            glare_max: u16::try_from(rules.selfie.glare_max).unwrap_or(u16::MAX),
            ..documents
        },
    }
}

fn limits(rules: &UploadRules) -> Limits {
    let level = |level: u32| u8::try_from(level).unwrap_or(u8::MAX);
    let whole = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    Limits {
        bytes_max: whole(rules.bytes_max),
        pixels_max: u64::from(rules.megapixels_max) * 1_000_000,
        pages_max: whole(rules.pages_max),
        long_side_min: rules.long_side_min,
        short_side_min: rules.short_side_min,
        light_min: level(rules.light_min),
        brightness_max: level(rules.brightness_max),
        dark_max: level(rules.dark_max),
        glare_max: u16::try_from(rules.glare_max).unwrap_or(u16::MAX),
        contrast_min: level(rules.contrast_min),
        sharpness_min: rules.sharpness_min,
    }
}

/// An upload that was accepted is decoded again whatever the rules say of its quality by now.
pub(crate) fn limits_of_accepted(rules: &UploadRules) -> Limits {
    Limits {
        long_side_min: 0,
        short_side_min: 0,
        light_min: 0,
        brightness_max: u8::MAX,
        dark_max: u8::MAX,
        glare_max: u16::MAX,
        contrast_min: 0,
        sharpness_min: 0,
        ..limits(rules)
    }
}

fn fault(code: Code) -> UploadFault {
    match code {
        Code::UnsupportedFormat => UploadFault::UnsupportedFormat,
        Code::TooLarge => UploadFault::TooLarge,
        Code::TooSmall => UploadFault::TooSmall,
        Code::TooDark => UploadFault::TooDark,
        Code::TooBright => UploadFault::TooBright,
        Code::Blurred => UploadFault::Blurred,
        Code::Unreadable => UploadFault::Unreadable,
        Code::Corrupt => UploadFault::Corrupt,
    }
}
