//! The rule set `kyc_risk`: factors with points, the bands of their sum, and what follows.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Country;
use crate::decision::Asked;
use crate::input::Fault;
use crate::kyc::KycOutcome;
use crate::kyc::case::{Factor, RiskFacts};
use crate::kyc::declaration::SourceOfFunds;
use crate::kyc::document::{DocumentKind, Finding};
use crate::kyc::faces::{FaceState, LivenessState};
use crate::kyc::vendor::VendorStanding;
use crate::rules::bands::{ScoreBands, read_score_bands};
use crate::rules::evaluate::first_match;
use crate::rules::points::{Points, read_points_rows};
use crate::rules::read::{Faults, Node, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::table::{ROWS_MAX, Row, read_rows};
use crate::rules::{Fields, Replays, RuleError, RuleSet};
use crate::work::rules::WorkKind;

/// The highest score that a band may begin at.
const SCORE_MAX: u32 = 1_000;
/// Most points of one factor.
const POINTS_MAX: u32 = 1_000;
const REASON_CHARS_MAX: usize = 40;
/// The reason when nothing could be read surely that says who the client is.
pub const NOT_SURE: &str = "not_sure";

/// What is judged: everything that the checks and the client say, without a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(skip)]
    pub score: u32,
    /// The band of the score; empty while they are summed up.
    #[serde(skip)]
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

/// What a subject comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Score, band and the factors that hold.
    pub risk: RiskFacts,
    /// The factors and the row, in words.
    pub why: Vec<String>,
    /// What follows, within what no rule may say.
    pub ruling: Ruling,
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
    /// Adds up the factors that hold and finds what follows: the first row that holds, within what no rule may say.
    ///
    /// # Errors
    /// [`RuleError`] when a factor or a row cannot be judged: risk that is not known is not none.
    pub fn assess(&self, mut subject: RiskSubject) -> Result<Assessment, RuleError> {
        let added = self.factors.add_up(&factor_fields().facts(&subject))?;
        let score = u32::try_from(added.total().trunc().max(Decimal::ZERO)).unwrap_or(u32::MAX);
        let band = self.bands.of(score).to_owned();
        let factors = added.rows.iter().map(|(id, points)| Factor { id: (*id).to_owned(), points: points.to_string() });
        let factors: Vec<Factor> = factors.collect();
        let mut why: Vec<String> = factors.iter().map(|factor| format!("{} {}", factor.id, factor.points)).collect();
        why.push(format!("risk {score}: {band}"));
        subject.score = score;
        subject.band.clone_from(&band);
        let matched = first_match(&self.decisions, decision_fields().facts(&subject))?;
        why.extend(matched.why("decisions"));
        let ruling = lawful(matched.outcome().cloned(), &subject, &mut why);
        Ok(Assessment { risk: RiskFacts { score, band, factors }, why, ruling })
    }

    /// What it is asked of a subject, for whoever tries other rules; nothing where that cannot be written down.
    pub fn asked(&self, subject: &RiskSubject) -> Option<Asked> {
        Asked::of(self, serde_json::to_value(subject).ok()?)
    }
}

impl Replays for KycRisk {
    fn replay(&self, facts: &Json) -> Result<String, String> {
        let subject: RiskSubject = serde_json::from_value(facts.clone()).map_err(|error| error.to_string())?;
        let assessed = self.assess(subject).map_err(|error| error.to_string())?;
        Ok(assessed.ruling.outcome.as_str().to_owned())
    }
}

/// What the rules say, within what no rule may say: a hit on a sanctions list, an identity that is not sure, another face and one that
/// may not be alive are never approved without a person.
fn lawful(ruling: Option<Ruling>, subject: &RiskSubject, why: &mut Vec<String>) -> Ruling {
    let review = |reason: &str, kind: WorkKind| Ruling {
        outcome: KycOutcome::Review,
        reason: reason.to_owned(),
        kind: Some(kind),
    };
    match ruling {
        None => review("no_rule", WorkKind::KycReview),
        Some(ruling) if ruling.outcome == KycOutcome::Approve && subject.sanctions_hit => {
            why.push("a hit on a sanctions list is never approved without a person".to_owned());
            review("sanctions_hit", WorkKind::KycHit)
        }
        Some(ruling) if ruling.outcome == KycOutcome::Approve && subject.vendor == VendorStanding::Final => {
            why.push("whom a vendor refuses for good is never approved without a person".to_owned());
            review("refused_by_vendor", WorkKind::KycReview)
        }
        Some(ruling) if ruling.outcome == KycOutcome::Approve && !subject.identity_sure => {
            why.push("an identity that was not read surely is never approved without a person".to_owned());
            review(NOT_SURE, WorkKind::KycReview)
        }
        Some(ruling) if ruling.outcome == KycOutcome::Approve && subject.face_match == FaceState::Failed => {
            why.push("another face than the document's is never approved without a person".to_owned());
            review("face_differs", WorkKind::KycReview)
        }
        Some(ruling) if ruling.outcome == KycOutcome::Approve && subject.liveness == LivenessState::Failed => {
            why.push("a face that may not be alive is never approved without a person".to_owned());
            review("liveness_not_passed", WorkKind::KycReview)
        }
        Some(ruling) => ruling,
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
