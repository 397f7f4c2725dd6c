//! A partner: application, agreement, verification, place in the tree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::line::{AgreementRef, Line};
use super::network::History;
use super::payee::Payee;
use super::period::Period;
use crate::contact;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InPartners, Parts, ReadError};
use crate::input::{Fault, Reader};
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, Review};
use crate::{ClientId, Country, Currency, Money, PartnerId, PayoutId, Redacted, Timestamp};

/// Longest accepted free text, in characters.
const TEXT_MAX: usize = 200;
/// Shortest and longest code that a partner may choose.
const CODE_CHARS: std::ops::RangeInclusive<usize> = 3..=32;
/// Characters of an id that make a code: enough that two are never alike.
const CODE_OF_ID: usize = 10;

/// The list of all partners, in which they stand by their ids, which follow time.
pub const PARTNERS: &str = "partners";

words! {
    /// How far a partner has come.
    PartnerStatus {
        /// He has applied.
        Applied = "applied",
        /// He has accepted an agreement and is verified: he can be paid.
        Active = "active",
        /// Compliance declined him: he earns, and is not paid.
        Declined = "declined",
    }
}

words! {
    /// How it was found out who a partner is.
    VerifiedBy {
        /// His own identity as a client was approved.
        Kyc = "kyc",
        /// Compliance approved it.
        Compliance = "compliance",
    }
}

/// An agreement that waits for the partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The agreement and its version.
    pub agreement: AgreementRef,
    /// Its currency.
    pub currency: Currency,
    /// From when on, if not from when he accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The public part of a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerFacts {
    /// By which clients name him.
    pub code: String,
    /// How far he has come.
    pub status: PartnerStatus,
    /// Where he lives.
    pub country: Country,
    /// When he applied.
    pub applied_at: Timestamp,
    /// Who is over him, and since when.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub parents: History<PartnerId>,
    /// What he accepted, and since when.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub agreements: History<AgreementRef>,
    /// What he is to accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposed>,
    /// The currency of his agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How it was found out who he is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<VerifiedBy>,
    /// What compliance is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// What runs have paid him.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<Currency, Money>,
    /// What the newest of them paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_to: Option<PaidTo>,
    /// The one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_before: Option<PaidTo>,
}

/// Up to where a run has paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidTo {
    /// Months up to this one.
    pub period: Period,
    /// Lines that were booked, and free, by then.
    pub drafted_at: Timestamp,
    /// By this payout.
    pub payout: PayoutId,
}

/// The personal part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerPerson {
    /// His name.
    pub full_name: Redacted<String>,
    /// His address.
    pub email: Redacted<String>,
    /// Where his pay goes.
    pub payee: Redacted<Payee>,
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// His id.
    pub id: PartnerId,
    /// The client that he is himself, if he is one.
    pub client_id: Option<ClientId>,
    /// What events may carry.
    pub facts: PartnerFacts,
    /// What they may not.
    pub person: PartnerPerson,
}

/// What a partner asks for when he applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The partner as he would be.
    pub partner: Partner,
    /// Who is to be over him.
    pub parent: Option<PartnerId>,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerRefusal {
    /// Nothing waits for him.
    #[error("no agreement waits to be accepted")]
    NothingProposed,
}

impl Partner {
    /// Reads an application.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn apply(body: &Value, id: &PartnerId, now: Timestamp) -> Result<Application, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let full_name = reader.string("full_name").map(|text| reader.line("full_name", text, TEXT_MAX));
        let email = reader.string("email").and_then(|text| {
            let email = contact::email(text);
            if email.is_none() {
                reader.fault_at("email", "invalid_email", "must be an e-mail address");
            }
            email
        });
        let country = reader.country("country");
        let client_id = optional_id(&mut reader, "client_id");
        let parent = optional_id(&mut reader, "parent_id");
        let code = reader.optional_string("code").map(str::to_owned);
        let code = code.map_or_else(|| code_of(id), |code| read_code(&code, &mut reader));
        let payee = Payee::read(&mut reader);
        let faults = reader.finish();
        let (Some(full_name), Some(email), Some(country), Some(payee), true) =
            (full_name, email, country, payee, faults.is_empty())
        else {
            return Err(faults);
        };
        let facts = PartnerFacts {
            code,
            status: PartnerStatus::Applied,
            country,
            applied_at: now,
            parents: History::default(),
            agreements: History::default(),
            proposed: None,
            currency: None,
            verified: None,
            review: None,
            paid: BTreeMap::new(),
            paid_to: None,
            paid_before: None,
        };
        let person = PartnerPerson {
            full_name: Redacted::new(full_name),
            email: Redacted::new(email),
            payee: Redacted::new(payee),
        };
        Ok(Application { partner: Self { id: id.clone(), client_id, facts, person }, parent })
    }

    /// The decision that takes an application in, under a parent or under nobody. A client whose identity is approved is verified, and
    /// one whose identity is not yet will be with it; who is no client is compliance's to know.
    pub fn applied(application: Application, kyc_approved: bool, now: Timestamp) -> Decision<Self> {
        let Application { mut partner, parent } = application;
        let mut why = vec![format!("applied with the code {}", partner.facts.code)];
        if let Some(parent) = parent {
            why.push(format!("under {parent}"));
            partner.facts.parents.change(Some(parent), now, now);
        }
        if kyc_approved {
            why.push("his identity is approved as a client's".to_owned());
            partner.facts.verified = Some(VerifiedBy::Kyc);
        }
        let mut events = vec!["partner.applied"];
        if partner.client_id.is_none() {
            let kind = WorkKind::PartnerVerification;
            partner.facts.review = Some(Review::of(kind, format!("{kind}:applied")));
            events.push("desk.item");
        }
        Decision::new(partner, "applied", events, why)
    }

    /// Proposes an agreement; it takes the place of one that still waits.
    pub fn propose(&self, proposed: Proposed) -> Verdict<Self> {
        let is_same =
            |before: &Proposed| before.agreement == proposed.agreement && before.effective_at == proposed.effective_at;
        if self.facts.proposed.as_ref().is_some_and(is_same) {
            return Verdict::Nothing("it is proposed already");
        }
        let why =
            vec![format!("{} proposed {}, version {}", proposed.by, proposed.agreement.id, proposed.agreement.version)];
        let mut next = self.clone();
        next.facts.proposed = Some(proposed);
        Verdict::change(next, "proposed", vec!["partner.agreement_proposed"], why)
    }

    /// The partner accepts what was proposed: it holds from then on, or from a later time that was proposed with it.
    ///
    /// # Errors
    /// [`PartnerRefusal::NothingProposed`].
    pub fn accept(&self, now: Timestamp) -> Result<Verdict<Self>, PartnerRefusal> {
        let Some(proposed) = &self.facts.proposed else {
            return match self.facts.agreements.is_empty() {
                true => Err(PartnerRefusal::NothingProposed),
                false => Ok(Verdict::Nothing("it is accepted")),
            };
        };
        let since = proposed.effective_at.unwrap_or(now).max(now);
        let mut next = self.clone();
        next.facts.proposed = None;
        next.facts.currency = Some(proposed.currency);
        next.facts.agreements.change(Some(proposed.agreement.clone()), since, now);
        let accepted = format!("accepted {}, version {}", proposed.agreement.id, proposed.agreement.version);
        let why = vec![format!("{accepted}, from {since}")];
        Ok(next.become_active("accepted", vec!["partner.agreement_accepted"], why))
    }

    /// It was found out who he is.
    pub fn verified(&self, by: VerifiedBy) -> Verdict<Self> {
        if self.facts.verified.is_some() {
            return Verdict::Nothing("he is verified");
        }
        let mut next = self.clone();
        next.facts.verified = Some(by);
        next.become_active("verified", vec![], vec![format!("verified by {by}")])
    }

    /// Carries out what compliance decided about who he is.
    pub fn decided(&self, decision: &HumanDecision) -> Verdict<Self> {
        let waits = self.facts.review.as_ref().is_some_and(|own| decision.is_about(&own.kind, &own.trigger));
        if !waits {
            return Verdict::Nothing("it is not what the partner waits for");
        }
        let mut next = self.clone();
        next.facts.review = None;
        match decision.action() {
            Some(WorkAction::Approve) => {
                next.facts.verified = Some(VerifiedBy::Compliance);
                next.become_active("verified", vec![], vec![decision.why()])
            }
            Some(WorkAction::Decline) => {
                next.facts.status = PartnerStatus::Declined;
                Verdict::change(next, "declined", vec!["partner.declined"], vec![decision.why()])
            }
            // the item was closed without a decision: he waits until somebody asks again
            _ => Verdict::change(next, "left_open", vec![], vec![decision.why()]),
        }
    }

    fn become_active(
        mut self,
        outcome: &'static str,
        mut events: Vec<&'static str>,
        mut why: Vec<String>,
    ) -> Verdict<Self> {
        let ready = self.facts.verified.is_some() && !self.facts.agreements.is_empty();
        if ready && self.facts.status == PartnerStatus::Applied {
            self.facts.status = PartnerStatus::Active;
            events.push("partner.active");
            why.push("he has accepted an agreement and is verified".to_owned());
        }
        Verdict::change(self, outcome, events, why)
    }

    /// Puts him under another, or under nobody, as [`super::network::Network::put_under`] has allowed.
    pub fn moved(&self, parents: History<PartnerId>, since: Timestamp, by: &str) -> Verdict<Self> {
        if self.facts.parents == parents {
            return Verdict::Nothing("he stands there");
        }
        let mut next = self.clone();
        let parent = parents.at(since).map_or("nobody", |parent| parent.as_str());
        let why = vec![format!("{by} put him under {parent} from {since}")];
        next.facts.parents = parents;
        Verdict::change(next, "moved", vec!["partner.moved"], why)
    }

    /// A payout leaves his balance with the intent to send it, or below zero comes back to it. What was booked up to `paid_to` is paid with it.
    ///
    /// # Errors
    /// [`crate::MoneyError`].
    pub fn paid(
        &self,
        amount: Money,
        payout: &PayoutId,
        paid_to: Option<PaidTo>,
    ) -> Result<Decision<Self>, crate::MoneyError> {
        let mut next = self.clone();
        let currency = amount.currency();
        let before = next.facts.paid.get(&currency).copied().unwrap_or(Money::zero(currency));
        next.facts.paid.insert(currency, before.checked_add(&amount)?);
        match paid_to {
            Some(paid_to) => {
                next.facts.paid_before = next.facts.paid_to.replace(paid_to);
            }
            // the newest one came back: its lines are as they were before
            None if next.facts.paid_to.as_ref().is_some_and(|last| last.payout == *payout) => {
                next.facts.paid_to = next.facts.paid_before.take();
            }
            None => {}
        }
        Ok(Decision::new(next, "paid", vec![], vec![format!("{payout} pays {amount}")]))
    }

    /// Whether a line is paid: it was free when the last run that paid him was drafted.
    pub fn has_paid(&self, line: &Line) -> bool {
        let Some(to) = &self.facts.paid_to else { return false };
        let booked = line.entered.unwrap_or(line.at) <= to.drafted_at;
        line.period <= to.period && booked && line.is_free(to.drafted_at)
    }
}

fn optional_id<T: std::str::FromStr>(reader: &mut Reader<'_>, name: &'static str) -> Option<T> {
    let text = reader.optional_string(name)?;
    let id = text.parse().ok();
    if id.is_none() {
        reader.fault_at(name, "invalid_id", "is no such id");
    }
    id
}

/// A code that follows from the id.
fn code_of(id: &PartnerId) -> String {
    let text = id.as_str();
    text.get(text.len().saturating_sub(CODE_OF_ID)..).unwrap_or(text).to_ascii_uppercase()
}

fn read_code(text: &str, reader: &mut Reader<'_>) -> String {
    let code = normal_code(text);
    let good = CODE_CHARS.contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if !good {
        let (least, most) = (CODE_CHARS.start(), CODE_CHARS.end());
        reader.fault_at("code", "invalid_code", format!("must be {least} to {most} letters, digits, _ and -"));
    }
    code
}

/// A code as it is compared: in capitals, without what is around it.
pub fn normal_code(text: &str) -> String {
    text.trim().to_ascii_uppercase()
}

impl Entity for Partner {
    type Id = PartnerId;
    type Table = InPartners;
    type Public = PartnerFacts;
    type Private = PartnerPerson;
    const KIND: &'static str = "partner";

    fn id(&self) -> &PartnerId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn rank(&self) -> Option<(String, String)> {
        Some((PARTNERS.to_owned(), self.id.to_string()))
    }

    fn public(&self) -> &PartnerFacts {
        &self.facts
    }

    fn private(&self) -> &PartnerPerson {
        &self.person
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public, person: parts.private })
    }
}
