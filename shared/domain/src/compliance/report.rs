//! A report to an authority: what a case holds, as a record that is never filed by itself, and as a goAML file in the order that its
//! schema fixes. What the file needs and nobody here knows is named; it is not made up.

pub mod goaml;
pub mod rules;

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::facts::About;
use crate::activity::{History, MovementKind};
use crate::client::Client;
use crate::decision::Decision;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::{CaseId, ClientId, Country, Money, PaymentId, Redacted, ReportId, Timestamp};
use rules::Profile;

/// Payments that one report names.
const PAYMENTS_MAX: usize = 200;
/// Longest narrative, in characters: what goAML takes.
pub const NARRATIVE_MAX: usize = 8_000;

words! {
    /// What is reported.
    ReportKind {
        /// Suspicious transactions.
        Str = "STR",
        /// Suspicious activity.
        Sar = "SAR",
    }
}

/// The public part: no word about the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct ReportFacts {
    pub case_id: CaseId,
    pub kind: ReportKind,
    pub jurisdiction: String,
    /// The row of the rules that says how.
    pub profile: String,
    pub made_at: Timestamp,
    pub made_by: String,
    /// When the case was opened.
    pub detected_at: Timestamp,
    /// When somebody found that the suspicion stands: the time to report runs from then.
    pub suspected_at: Timestamp,
    pub due_at: Timestamp,
}

/// A payment that is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct Reported {
    pub payment_id: PaymentId,
    pub at: Timestamp,
    pub kind: MovementKind,
    pub amount: Money,
    /// The same in the base currency of the installation, where its day has a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

/// Whom it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct ReportSubject {
    pub full_name: Redacted<String>,
    pub date_of_birth: Redacted<String>,
    pub phone: Option<Redacted<String>>,
    pub nationality: Country,
    pub residence: Country,
}

/// The private part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "plain")]
pub struct ReportInner {
    pub narrative: String,
    pub subject: ReportSubject,
    pub payments: Vec<Reported>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Whom it is about.
    pub client_id: ClientId,
    /// What and by when.
    pub facts: ReportFacts,
    /// The rest.
    pub inner: ReportInner,
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The case.
    pub case: &'a Case,
    /// The client.
    pub client: &'a Client,
    /// What is known about him.
    pub about: &'a About,
    /// What he did.
    pub history: &'a History,
    /// The row of the rules, and how it says to report.
    pub profile: (&'a str, &'a Profile),
}

impl Report {
    /// Makes a report of what a case holds.
    pub fn made(id: ReportId, kind: ReportKind, material: Material<'_>, by: &str, now: Timestamp) -> Decision<Self> {
        let Material { case, client, about, history, profile: (row, profile) } = material;
        let suspected_at = case.suspected_at().unwrap_or(now);
        let payments = payments_of(case, history);
        let narrative = narrative(case, about, &payments);
        let facts = ReportFacts {
            case_id: case.id.clone(),
            kind,
            jurisdiction: case.facts.jurisdiction.clone(),
            profile: row.to_owned(),
            made_at: now,
            made_by: by.to_owned(),
            detected_at: case.facts.opened_at,
            suspected_at,
            due_at: suspected_at.plus(profile.deadline),
        };
        let subject = ReportSubject {
            full_name: client.person.full_name.clone(),
            date_of_birth: client.person.date_of_birth.clone(),
            phone: client.person.phone.clone(),
            nationality: about.nationality,
            residence: about.residence,
        };
        let inner = ReportInner { narrative, subject, payments };
        let why = vec![format!("{kind} of {} by {by}", case.id)];
        Decision::new(Self { id, client_id: case.client_id.clone(), facts, inner }, "made", vec![], why)
    }
}

/// The payments that the alerts name, the oldest first, each movement once.
fn payments_of(case: &Case, history: &History) -> Vec<Reported> {
    let named = |id: &str| case.inner.alerts.iter().any(|alert| alert.evidence.iter().any(|one| one == id));
    let moved = history.movements.iter().filter(|one| one.kind.direction() != 0 && named(one.payment_id.as_str()));
    let reported = moved.map(|one| Reported {
        payment_id: one.payment_id.clone(),
        at: one.at,
        kind: one.kind,
        amount: one.amount,
        base: one.base.as_ref().map(|base| base.money),
        country: one.instrument_country,
    });
    reported.take(PAYMENTS_MAX).collect()
}

/// What happened, as the evidence has it: the officer's first draft.
fn narrative(case: &Case, about: &About, payments: &[Reported]) -> String {
    let mut lines = vec![format!(
        "Client {} registered on {}, lives in {}, nationality {}. Monitoring found {} matter(s) between {} and {}.",
        case.client_id,
        about.since.day(),
        about.residence,
        about.nationality,
        case.inner.alerts.len(),
        case.inner.alerts.first().map_or_else(|| case.facts.opened_at.day(), |alert| alert.at.day()),
        case.inner.alerts.last().map_or_else(|| case.facts.opened_at.day(), |alert| alert.at.day()),
    )];
    for alert in &case.inner.alerts {
        let figures: Vec<String> = alert.features.iter().map(|(name, value)| format!("{name} {value}")).collect();
        lines.push(format!("{}: {} ({}). {}", alert.at, alert.name, figures.join(", "), alert.meaning));
    }
    if !payments.is_empty() {
        lines.push("Payments:".to_owned());
    }
    lines.extend(payments.iter().map(|one| format!("{} {} {} {}", one.at, one.kind, one.amount, one.payment_id)));
    let text = lines.join("\n");
    text.chars().take(NARRATIVE_MAX).collect()
}

impl Entity for Report {
    type Id = ReportId;
    type Table = InCrm;
    type Public = ReportFacts;
    type Private = ReportInner;
    const KIND: &'static str = "report";

    fn id(&self) -> &ReportId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &ReportFacts {
        &self.facts
    }

    fn private(&self) -> &ReportInner {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        let client_id = parts.owner()?;
        Ok(Self { id: parts.id, client_id, facts: parts.public, inner: parts.private })
    }
}
