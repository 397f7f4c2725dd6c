//! The rule set `kyc`: what an upload must be like, and what a case needs before it is decided.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value as Json;

use crate::Seconds;
use crate::input::Fault;
use crate::kyc::document::{DocumentKind, Finding, UploadFault};
use crate::rules::RuleSet;
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::table::unique_name;
use crate::rules::texts::{Template, nearest, read_templates};
use crate::words::words;

const BYTES: RangeInclusive<u32> = 1_000..=50_000_000;
const MEGAPIXELS: RangeInclusive<u32> = 1..=100;
const PIXELS: RangeInclusive<u32> = 50..=10_000;
/// Levels of grey.
const LEVEL: RangeInclusive<u32> = 0..=255;
const PER_MILLE: RangeInclusive<u32> = 0..=1_000;
/// Below it a figure says nothing: a service calls strangers half alike.
const PER_CENT: RangeInclusive<u32> = 50..=100;
const SHARPNESS: RangeInclusive<u32> = 0..=10_000;
const PAGES: RangeInclusive<u32> = 1..=50;
const MINUTE: Seconds = Seconds(60);
const DAY: Seconds = Seconds(86_400);
const REQUIREMENTS_MAX: usize = 10;
const ATTEMPTS_MAX: u32 = 20;
const MEDIA_TYPE_CHARS_MAX: usize = 60;

/// What an upload must be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadRules {
    /// Media types that are taken.
    pub content_types: Vec<String>,
    /// Most bytes.
    pub bytes_max: u32,
    /// How long the address that a client gets may be used.
    pub valid_for: Seconds,
    /// When a document that never came is given up.
    pub abandoned_after: Seconds,
    /// Most millions of pixels; more are not even decoded.
    pub megapixels_max: u32,
    /// Least pixels of the longer side.
    pub long_side_min: u32,
    /// Least pixels of the shorter side.
    pub short_side_min: u32,
    /// Least level of the light parts, 0 (black) to 255 (white): below it the picture is too dark.
    pub light_min: u32,
    /// Most mean level; above it the picture is too bright if its dark parts are washed out as well.
    pub brightness_max: u32,
    /// Dark parts above this level are washed out.
    pub dark_max: u32,
    /// Most of the document that reflections may cover, in thousandths.
    pub glare_max: u32,
    /// Least difference between light and dark parts.
    pub contrast_min: u32,
    /// Least variance of the Laplacian where the document has most structure.
    pub sharpness_min: u32,
    /// Most pages of a PDF.
    pub pages_max: u32,
    /// What is different for a photo of a face.
    pub selfie: SelfieRules,
}

/// What a photo of a face must be like, in the place of what a document must: there is no fine print on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SelfieRules {
    /// Least pixels of the longer side.
    pub long_side_min: u32,
    /// Least pixels of the shorter side.
    pub short_side_min: u32,
    /// Least variance of the Laplacian where it has most structure.
    pub sharpness_min: u32,
    /// Least difference between light and dark parts.
    pub contrast_min: u32,
    /// Most of it that reflections may cover, in thousandths.
    pub glare_max: u32,
}

/// One thing that a case needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// What it is called.
    pub id: String,
    /// The documents of which one is enough.
    pub any_of: Vec<DocumentKind>,
}

/// Who reads documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderRule {
    /// The reader that comes with the installation and needs no network.
    Local,
    /// Amazon Textract, at this address.
    Textract(String),
}

/// How faces are measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaceRules {
    /// The address of the service.
    pub base_url: String,
    /// How like two faces must be, from 0 to 100.
    pub similarity_min: u32,
    /// Whether each client has to show that somebody alive is there.
    pub liveness_required: bool,
    /// How sure of that the service must be, from 0 to 100.
    pub confidence_min: u32,
    /// How long a check of liveness can be done once it was begun.
    pub session_life: Seconds,
}

words! {
    /// What happens when the documents of an approved client expire and none took their place.
    AtExpiry {
        /// The client is asked once more, and may do what he could.
        AskAgain = "ask_again",
        /// The client's verification is `expired` until he sends another document.
        Expire = "expire",
    }
}

/// What happens about documents that expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpiryRules {
    /// How long before a client is asked for another one.
    pub ask_before: Seconds,
    /// How long before he is asked a second time; not at all where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_again_before: Option<Seconds>,
    /// What happens then.
    pub at_expiry: AtExpiry,
}

/// The rule set `kyc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kyc {
    /// What an upload must be like.
    pub upload: UploadRules,
    /// What a case needs.
    pub requires: Vec<Requirement>,
    /// Documents of which both sides are needed.
    pub both_sides: Vec<DocumentKind>,
    /// What must be read surely of the documents that say who the client is.
    pub sure_fields: Vec<String>,
    /// What is noticed about a document that the client can mend with another one.
    pub retake: Vec<Finding>,
    /// Who reads documents.
    pub reader: ReaderRule,
    /// How faces are measured.
    pub faces: FaceRules,
    /// How old a proof of address may be.
    pub proof_max_age: Seconds,
    /// How often a client is asked for another one before a person looks.
    pub attempts_max: u32,
    /// What happens about documents that expire.
    pub expiry: ExpiryRules,
    /// When checks that are not done are begun again.
    pub check_again_after: Seconds,
    /// When a person looks at a case whose checks are not done.
    pub checks_overdue_after: Seconds,
    /// Who reads another language than there is a text in, reads this one.
    pub default_language: String,
    /// What clients are told, by its code.
    pub texts: BTreeMap<String, Template>,
    /// What they are told about a photo of their face, where that is something else.
    pub selfie_texts: BTreeMap<String, Template>,
}

impl Kyc {
    /// What a client is told about an upload that cannot be used, in the nearest language to his.
    pub fn sentence(&self, fault: UploadFault, kind: DocumentKind, language: &str) -> String {
        let own = self.selfie_texts.get(fault.as_str()).filter(|_| kind == DocumentKind::Selfie);
        let template = own.or_else(|| self.texts.get(fault.as_str()));
        let found = template.and_then(|template| nearest(template, language, &self.default_language));
        found.map(|(_, text)| text.body.to_string()).unwrap_or_default()
    }
}

impl RuleSet for Kyc {
    const NAME: &'static str = "kyc";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

/// What can be read of a document, by the names that rules use.
pub const FIELDS: &[&str] =
    &["surname", "given_names", "date_of_birth", "number", "expires", "nationality", "issuer", "sex", "address"];

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Kyc> {
    let object = node.object(
        &[
            "upload",
            "requires",
            "both_sides",
            "sure_fields",
            "retake",
            "reader",
            "faces",
            "proof_max_age",
            "attempts_max",
            "expiry",
            "check_again_after",
            "checks_overdue_after",
            "default_language",
            "texts",
            "selfie_texts",
        ],
        faults,
    )?;
    let upload = object.need("upload", faults).and_then(|node| read_upload(&node, faults));
    let requires = object.need("requires", faults).and_then(|node| read_requirements(&node, faults));
    let both_sides = read_words(&object, "both_sides", DocumentKind::ALL, faults);
    let sure_fields = object.need("sure_fields", faults).and_then(|node| read_fields(&node, faults));
    let retake = read_words(&object, "retake", Finding::ALL, faults);
    let reader = object.need("reader", faults).and_then(|node| read_reader(&node, faults));
    let faces = object.need("faces", faults).and_then(|node| read_faces(&node, faults));
    let proof_max_age = read_span(&object, "proof_max_age", DAY..=Seconds(1_000 * DAY.0), faults);
    let attempts_max = object.need("attempts_max", faults).and_then(|node| node.whole(0..=ATTEMPTS_MAX, faults));
    let expiry = object.need("expiry", faults).and_then(|node| read_expiry(&node, faults));
    let check_again_after = read_span(&object, "check_again_after", MINUTE..=DAY, faults);
    let checks_overdue_after = read_span(&object, "checks_overdue_after", MINUTE..=Seconds(7 * DAY.0), faults);
    let default_language = object.need("default_language", faults).and_then(|node| node.language(faults));
    let texts =
        object.need("texts", faults).and_then(|node| read_sentences(&node, default_language.as_deref(), true, faults));
    let selfie_texts = object
        .need("selfie_texts", faults)
        .and_then(|node| read_sentences(&node, default_language.as_deref(), false, faults));
    Some(Kyc {
        upload: upload?,
        requires: requires?,
        both_sides: both_sides?,
        sure_fields: sure_fields?,
        retake: retake?,
        reader: reader?,
        faces: faces?,
        proof_max_age: proof_max_age?,
        attempts_max: attempts_max?,
        expiry: expiry?,
        check_again_after: check_again_after?,
        checks_overdue_after: checks_overdue_after?,
        default_language: default_language?,
        texts: texts?,
        selfie_texts: selfie_texts?,
    })
}

fn read_upload(node: &Node<'_>, faults: &mut Faults) -> Option<UploadRules> {
    let object = node.object(
        &[
            "content_types",
            "bytes_max",
            "valid_for",
            "abandoned_after",
            "megapixels_max",
            "long_side_min",
            "short_side_min",
            "light_min",
            "brightness_max",
            "dark_max",
            "glare_max",
            "contrast_min",
            "sharpness_min",
            "pages_max",
            "selfie",
        ],
        faults,
    )?;
    let content_types = object.need("content_types", faults).and_then(|node| {
        node.distinct(1..=10, faults, |item, faults| {
            item.text(MEDIA_TYPE_CHARS_MAX, faults).map(str::to_ascii_lowercase)
        })
    });
    let whole = |name: &str, range: &RangeInclusive<u32>, faults: &mut Faults| {
        object.need(name, faults).and_then(|node| node.whole(range.clone(), faults))
    };
    let bytes_max = whole("bytes_max", &BYTES, faults);
    let valid_for = read_span(&object, "valid_for", MINUTE..=DAY, faults);
    let abandoned_after = read_span(&object, "abandoned_after", MINUTE..=Seconds(30 * DAY.0), faults);
    let megapixels_max = whole("megapixels_max", &MEGAPIXELS, faults);
    let long_side_min = whole("long_side_min", &PIXELS, faults);
    let short_side_min = whole("short_side_min", &PIXELS, faults);
    let light_min = whole("light_min", &LEVEL, faults);
    let brightness_max = whole("brightness_max", &LEVEL, faults);
    let dark_max = whole("dark_max", &LEVEL, faults);
    let glare_max = whole("glare_max", &PER_MILLE, faults);
    let contrast_min = whole("contrast_min", &LEVEL, faults);
    let sharpness_min = whole("sharpness_min", &SHARPNESS, faults);
    let pages_max = whole("pages_max", &PAGES, faults);
    let selfie = object.need("selfie", faults).and_then(|node| read_selfie(&node, faults));
    Some(UploadRules {
        content_types: content_types?,
        bytes_max: bytes_max?,
        valid_for: valid_for?,
        abandoned_after: abandoned_after?,
        megapixels_max: megapixels_max?,
        long_side_min: long_side_min?,
        short_side_min: short_side_min?,
        light_min: light_min?,
        brightness_max: brightness_max?,
        dark_max: dark_max?,
        glare_max: glare_max?,
        contrast_min: contrast_min?,
        sharpness_min: sharpness_min?,
        pages_max: pages_max?,
        selfie: selfie?,
    })
}

/// `local`, or `{textract: <address>}`.
fn read_reader(node: &Node<'_>, faults: &mut Faults) -> Option<ReaderRule> {
    if node.raw().is_string() {
        return node.word(&["local".to_owned()], faults).map(|_| ReaderRule::Local);
    }
    let object = node.object(&["textract"], faults)?;
    object.need("textract", faults).and_then(|node| node.url(faults)).map(ReaderRule::Textract)
}

fn read_faces(node: &Node<'_>, faults: &mut Faults) -> Option<FaceRules> {
    let object =
        node.object(&["base_url", "similarity_min", "liveness_required", "confidence_min", "session_life"], faults)?;
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let similarity_min = object.need("similarity_min", faults).and_then(|node| node.whole(PER_CENT, faults));
    let liveness_required = object.need("liveness_required", faults).and_then(|node| node.boolean(faults));
    let confidence_min = object.need("confidence_min", faults).and_then(|node| node.whole(PER_CENT, faults));
    let session_life = read_span(&object, "session_life", MINUTE..=DAY, faults);
    Some(FaceRules {
        base_url: base_url?,
        similarity_min: similarity_min?,
        liveness_required: liveness_required?,
        confidence_min: confidence_min?,
        session_life: session_life?,
    })
}

fn read_selfie(node: &Node<'_>, faults: &mut Faults) -> Option<SelfieRules> {
    let names = ["long_side_min", "short_side_min", "sharpness_min", "contrast_min", "glare_max"];
    let object = node.object(&names, faults)?;
    let whole = |name: &str, range: &RangeInclusive<u32>, faults: &mut Faults| {
        object.need(name, faults).and_then(|node| node.whole(range.clone(), faults))
    };
    let long_side_min = whole("long_side_min", &PIXELS, faults);
    let short_side_min = whole("short_side_min", &PIXELS, faults);
    let sharpness_min = whole("sharpness_min", &SHARPNESS, faults);
    let contrast_min = whole("contrast_min", &LEVEL, faults);
    let glare_max = whole("glare_max", &PER_MILLE, faults);
    Some(SelfieRules {
        long_side_min: long_side_min?,
        short_side_min: short_side_min?,
        sharpness_min: sharpness_min?,
        contrast_min: contrast_min?,
        glare_max: glare_max?,
    })
}

fn read_expiry(node: &Node<'_>, faults: &mut Faults) -> Option<ExpiryRules> {
    let object = node.object(&["ask_before", "ask_again_before", "at_expiry"], faults)?;
    let ask_before = read_span(&object, "ask_before", DAY..=Seconds(365 * DAY.0), faults);
    let again_at = object.get("ask_again_before");
    let again = optional(again_at.clone(), |node| node.span(DAY..=Seconds(365 * DAY.0), faults));
    if let (Some(first), Some(Some(again)), Some(node)) = (ask_before, again, again_at)
        && again >= first
    {
        faults.add(node.fault("bad_range", "must be shorter than ask_before: it is the second time"));
    }
    let at_expiry = object.need("at_expiry", faults).and_then(|node| node.word(AtExpiry::ALL, faults));
    Some(ExpiryRules { ask_before: ask_before?, ask_again_before: again?, at_expiry: at_expiry? })
}

fn read_requirements(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<Requirement>> {
    let mut names = Vec::new();
    let all = node.each(1..=REQUIREMENTS_MAX, faults, |item, faults| {
        let object = item.object(&["id", "any_of"], faults)?;
        let id = object.need("id", faults).and_then(|node| unique_name(&node, &mut names, faults));
        let any_of = read_words(&object, "any_of", DocumentKind::ALL, faults);
        if let (Some(any_of), Some(node)) = (&any_of, object.get("any_of"))
            && any_of.is_empty()
        {
            faults.add(node.fault("too_few", "must name at least one kind of document"));
        }
        Some(Requirement { id: id?, any_of: any_of? })
    })?;
    if !all.iter().any(|requirement| requirement.any_of.iter().all(|kind| kind.is_identity())) {
        faults.add(node.fault("no_identity", "one of them must ask for a document that says who somebody is"));
    }
    Some(all)
}

/// Each code that must have a text has it in the default language, and no text has names to fill in: nobody would.
fn read_sentences(
    node: &Node<'_>,
    default: Option<&str>,
    all: bool,
    faults: &mut Faults,
) -> Option<BTreeMap<String, Template>> {
    let object = node.map(faults)?;
    let codes: Vec<&str> = UploadFault::ALL.iter().map(|fault| fault.as_str()).collect();
    object.refuse_other_keys(&codes, "unknown_code", faults);
    for code in codes {
        let at = if all { object.need(code, faults) } else { object.get(code) };
        let Some(at) = at else { continue };
        if default.is_some_and(|default| at.raw().get(default).is_none()) {
            faults.add(at.fault("missing_key", "has no text in the default language"));
        }
    }
    let templates = read_templates(&object, faults)?;
    for (code, template) in &templates {
        if let Some((tag, _)) = template.iter().find(|(_, text)| text.body.names().next().is_some()) {
            faults.add(node.fault("bad_braces", format!("{code} in {tag} has names to fill in, and none are")));
        }
    }
    Some(templates)
}

fn read_fields(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<String>> {
    node.distinct(0..=FIELDS.len(), faults, |item, faults| {
        let names: Vec<String> = FIELDS.iter().map(|name| (*name).to_owned()).collect();
        item.word(&names, faults)
    })
}

fn read_words<T>(object: &Object<'_>, name: &str, all: &[T], faults: &mut Faults) -> Option<Vec<T>>
where
    T: std::str::FromStr + ToString + PartialEq,
{
    let node = object.need(name, faults)?;
    node.distinct(0..=all.len(), faults, |item, faults| item.word(all, faults))
}

fn read_span(object: &Object<'_>, name: &str, range: RangeInclusive<Seconds>, faults: &mut Faults) -> Option<Seconds> {
    object.need(name, faults).and_then(|node| node.span(range, faults))
}
