//! The rule set `kyc_risk`: factors with points, the bands of their sum, and what follows.

use serde::Serialize;
use serde_json::Value as Json;

use crate::Country;
use crate::input::Fault;
use crate::kyc::KycOutcome;
use crate::kyc::declaration::SourceOfFunds;
use crate::kyc::document::{DocumentKind, Finding};
use crate::kyc::faces::{FaceState, LivenessState};
use crate::kyc::vendor::VendorStanding;
use crate::rules::bands::{ScoreBands, read_score_bands};
use crate::rules::evaluate::{FirstMatch, first_match};
use crate::rules::points::{Added, Points, read_points_rows};
use crate::rules::read::{Faults, Node, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, RuleError, RuleSet};
use crate::work::rules::WorkKind;

/// The highest score that a band may begin at.
const SCORE_MAX: u32 = 1_000;
/// Most points of one factor.
const POINTS_MAX: u32 = 1_000;
const REASON_CHARS_MAX: usize = 40;

/// What is judged: everything that the checks and the client say, without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskSubject {
    /// Where the client lives.
    pub residence: Country,
    /// Of which country the client is.
    pub nationality: Country,
    /// Where the money comes from.
    pub source_of_funds: SourceOfFunds,
    /// Which document says who the client is, if one does.
    pub document: Option<DocumentKind>,
    /// What a vendor says of that.
    pub vendor: VendorStanding,
    /// What was noticed about the documents.
    pub findings: Vec<Finding>,
    /// Whether what has to be was read surely.
    pub identity_sure: bool,
    /// Whether somebody sanctioned may be the client.
    pub sanctions_hit: bool,
    /// Whether somebody politically exposed may be the client.
    pub pep_hit: bool,
    /// Whether the client calls himself politically exposed.
    pub pep_declared: bool,
    /// Whether selfie and document show the same face.
    pub face_match: FaceState,
    /// Whether somebody alive was there.
    pub liveness: LivenessState,
    /// Full years.
    pub age: u32,
    /// The sum of the factors; 0 while they are summed up.
    pub score: u32,
    /// The band of the score; empty while they are summed up.
    pub band: String,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// Approve, review or reject.
    pub outcome: KycOutcome,
    /// What the client and the record are told, as a word that the texts know.
    pub reason: String,
    /// Which work item a review is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<WorkKind>,
}

/// The rule set `kyc_risk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KycRisk {
    bands: ScoreBands,
    factors: Points,
    decisions: Vec<Row<Ruling>>,
}

impl RuleSet for KycRisk {
    const NAME: &'static str = "kyc_risk";
    const OFFERS: &'static [Offer<Self>] =
        &[Offer { what: "risk_band", names: |set| set.bands.names().map(str::to_owned).collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl KycRisk {
    /// The factors that hold.
    ///
    /// # Errors
    /// [`RuleError`] when one cannot be judged: risk that is not known is not none.
    pub fn factors(&self, subject: &RiskSubject) -> Result<Added<'_>, RuleError> {
        self.factors.add_up(&factor_fields().facts(subject))
    }

    /// The band of a score.
    pub fn band(&self, score: u32) -> &str {
        self.bands.of(score)
    }

    /// What follows: the first row that holds.
    ///
    /// # Errors
    /// [`RuleError`] when a row cannot be judged.
    pub fn ruling(&self, subject: &RiskSubject) -> Result<FirstMatch<'_, Ruling>, RuleError> {
        first_match(&self.decisions, decision_fields().facts(subject))
    }
}

/// What factors may ask.
fn factor_fields() -> Fields<RiskSubject> {
    Fields::new()
        .field("residence", |subject: &RiskSubject| subject.residence)
        .field("nationality", |subject| subject.nationality)
        .field("source_of_funds", |subject| subject.source_of_funds)
        .field("document", |subject| subject.document)
        .field("vendor", |subject| subject.vendor)
        .field("findings", |subject| subject.findings.clone())
        .field("identity_sure", |subject| subject.identity_sure)
        .field("sanctions_hit", |subject| subject.sanctions_hit)
        .field("pep_hit", |subject| subject.pep_hit)
        .field("pep_declared", |subject| subject.pep_declared)
        .field("face_match", |subject| subject.face_match)
        .field("liveness", |subject| subject.liveness)
        .field("age", |subject| subject.age)
}

/// What decisions may ask: that, and what the factors come to.
fn decision_fields() -> Fields<RiskSubject> {
    factor_fields().field("score", |subject| subject.score).declared("band", |subject| subject.band.clone())
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<KycRisk> {
    let object = node.object(&["bands", "factors", "decisions"], faults)?;
    let bands = object.need("bands", faults);
    let names = bands.as_ref().map(band_names).unwrap_or_default();
    let bands = bands.and_then(|node| read_score_bands(&node, SCORE_MAX, faults));
    let schema = factor_fields().schema(&[]);
    let factors = object.need("factors", faults).and_then(|node| read_points_rows(&node, &schema, POINTS_MAX, faults));
    let schema = decision_fields().schema(&[("band", &names)]);
    let decisions = object.need("decisions", faults).and_then(|node| {
        let rows = read_rows(&node, &schema, 1..=ROWS_MAX, faults, |node, _, faults| read_ruling(node, faults))?;
        if !rows.last().is_some_and(|row| row.when.is_always() && row.then.outcome == KycOutcome::Review) {
            faults.add(node.fault("no_net", "the last row must be `always` and ask for a review"));
        }
        Some(rows)
    });
    Some(KycRisk { bands: bands?, factors: factors?, decisions: decisions? })
}

/// The names that bands are given, before they are read: rows speak of them.
fn band_names(node: &Node<'_>) -> Vec<String> {
    let bands = node.raw().as_array().map(Vec::as_slice).unwrap_or_default();
    bands.iter().filter_map(|band| band.get("name")?.as_str()).map(str::to_owned).collect()
}

fn read_ruling(node: &Node<'_>, faults: &mut Faults) -> Option<Ruling> {
    let object = node.object(&["outcome", "reason", "kind"], faults)?;
    let outcome = object.need("outcome", faults).and_then(|node| node.word(KycOutcome::ALL, faults));
    let reason = object.need("reason", faults).and_then(|node| node.line(REASON_CHARS_MAX, faults).map(str::to_owned));
    let kind = match object.get("kind") {
        Some(node) => {
            let kind = node.word(REVIEWS, faults)?;
            if !REVIEWS.contains(&kind) {
                faults.add(node.fault("unknown_value", "no review of a case is such a work item"));
                return None;
            }
            Some(kind)
        }
        None => None,
    };
    let (outcome, reason) = (outcome?, reason?);
    if (outcome == KycOutcome::Review) != kind.is_some() {
        faults.add(node.fault("bad_kind", "a review, and nothing else, has a kind of work item"));
        return None;
    }
    Some(Ruling { outcome, reason, kind })
}

/// The work items that a review of a case may be.
const REVIEWS: &[WorkKind] = &[WorkKind::KycReview, WorkKind::KycHit];
