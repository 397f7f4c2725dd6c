//! What a form sends: checked, and in one form whoever sent it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consent::{self, Consents};
use super::{Lead, LeadFacts, LeadPerson, LeadStatus, RoutingTrace};
use crate::contact::{self, Phone, ReadPhone};
use crate::input::{Fault, Reader, reference_token};
use crate::lead::rules::LeadIntake;
use crate::visible::visible;
use crate::words::words;
use crate::{Country, LeadId, Redacted, Timestamp, Zone};

/// Longest free text, in characters.
const TEXT_MAX: usize = 200;
/// Most answers of a form that are kept.
const PROFILE_MAX: usize = 40;
/// Longest answer, in bytes of JSON.
const ANSWER_BYTES_MAX: usize = 500;

words! {
    /// The kind of source.
    LeadChannel {
        /// Paid search.
        PaidSearch = "paid_search",
        /// Organic search.
        Organic = "organic",
        /// Social networks.
        Social = "social",
        /// An introducing broker or affiliate.
        Partner = "partner",
        /// A client brought them.
        Referral = "referral",
        /// Came by themselves.
        Direct = "direct",
    }
}

/// Where a lead came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The kind.
    pub channel: LeadChannel,
    /// The campaign's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The advertisement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_id: Option<String>,
    /// The partner's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_code: Option<String>,
}

/// A form that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The address; a form of an ad platform may lack it.
    pub email: Option<String>,
    /// As far as it could be read.
    pub phone: Option<Phone>,
    /// As given.
    pub full_name: Option<String>,
    /// As given, else of the number, else of the language.
    pub country: Option<Country>,
    /// As given, else the country's first.
    pub language: Option<String>,
    /// As given, else the country's.
    pub time_zone: Option<Zone>,
    /// Where it came from.
    pub source: Source,
    /// What was agreed to.
    pub consents: Consents,
    /// Answers.
    pub profile: BTreeMap<String, Value>,
    /// When it was sent.
    pub at: Timestamp,
    /// What was left out because it cannot be used, in words.
    pub dropped: Vec<String>,
    /// Answers that were left out because there are too many.
    pub left_out: u32,
}

impl Submission {
    /// A form as the portal sends it.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &Value, rules: &LeadIntake, phone: ReadPhone<'_>, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let email = reader.string("email").and_then(|text| {
            let email = contact::email(text);
            if email.is_none() {
                reader.fault_at("email", "invalid_email", "must be an e-mail address");
            }
            email
        });
        let country = optional_country(&mut reader);
        let language = reader.optional_string("language").and_then(|text| {
            let tag = contact::language(text);
            if tag.is_none() {
                reader.fault_at("language", "unknown_language", "must be a BCP 47 tag such as es or pt-BR");
            }
            tag
        });
        let number = reader.optional_string("phone").and_then(|text| match phone(text, country) {
            Ok(number) => Some(number),
            Err(why) => {
                reader.fault_at("phone", "invalid_phone", why.to_string());
                None
            }
        });
        let full_name = optional_text(&mut reader, "full_name");
        let time_zone = optional_zone(&mut reader);
        let source = read_source(&mut reader);
        let consents = reader.optional_object("consents").map(|mut inner| {
            let consents = consent::read(&mut inner, rules.wording(), now);
            reader.close(inner);
            consents
        });
        let profile = read_profile(&mut reader);
        let faults = reader.finish();
        let (Some(email), Some(source), true) = (email, source, faults.is_empty()) else { return Err(faults) };
        let mut submission = Self {
            email: Some(email),
            phone: None,
            full_name,
            country,
            language,
            time_zone,
            source,
            consents: consents.unwrap_or_default(),
            profile,
            at: now,
            dropped: Vec::new(),
            left_out: 0,
        };
        submission.complete(number, rules);
        Ok(submission)
    }

    /// Takes the number, and fills in what follows from the rest: country from the number or the language, language and time
    /// zone from the country.
    pub fn complete(&mut self, phone: Option<Phone>, rules: &LeadIntake) {
        let country_of_phone = phone.as_ref().and_then(|phone| phone.number.as_ref()).and_then(|number| number.country);
        self.phone = phone;
        let of_language = || self.language.as_deref().and_then(contact::country_of_language);
        self.country = self.country.or(country_of_phone).or_else(of_language);
        if self.language.is_none() {
            self.language = self.country.and_then(|country| rules.language_of(country)).map(str::to_owned);
        }
        if self.time_zone.is_none() {
            self.time_zone = self.country.and_then(|country| country.zone());
        }
    }

    /// What the same person is found by, strongest first. A number that no plan lists is no proof: many people who do not want
    /// to give theirs write the same one.
    pub fn contact_keys(&self) -> Vec<String> {
        let email = self.email.as_deref().map(|email| contact::contact_key("email", email));
        let phone = self.phone.as_ref().filter(|phone| !phone.is_unverified()).and_then(Phone::e164);
        let phone = phone.map(|e164| contact::contact_key("phone", &contact::same_mobile(e164)));
        email.into_iter().chain(phone).collect()
    }

    /// The lead that begins with it.
    pub fn lead(self, id: LeadId) -> Lead {
        let facts = LeadFacts {
            status: LeadStatus::Received,
            created_at: self.at,
            source: self.source,
            country: self.country,
            language: self.language,
            time_zone: self.time_zone,
            consents: self.consents,
            signals: Vec::new(),
            scored: None,
            to_route: Some("new".to_owned()),
            assignment: None,
            tried: Vec::new(),
            waiting: None,
            sequence: None,
            returning: None,
            duplicate_of: None,
            perhaps_same_as: None,
            joined: Vec::new(),
            meta: None,
            review: None,
            first_touch_ms: None,
            client_id: None,
            phone_unverified: self.phone.as_ref().is_some_and(Phone::is_unverified),
            phone_costs: self.phone.as_ref().is_some_and(Phone::costs),
            email_is_later: false,
            phone_is_later: false,
            withdrawn: BTreeSet::new(),
        };
        let mut person = LeadPerson {
            email: self.email.map(Redacted::new),
            phone: self.phone.as_ref().and_then(Phone::e164).map(|e164| Redacted::new(e164.to_owned())),
            phone_as_given: self.phone.and_then(|phone| phone.as_given).map(Redacted::new),
            full_name: self.full_name.map(Redacted::new),
            profile: BTreeMap::new(),
            profile_left_out: self.left_out,
            later: Vec::new(),
            history: Vec::new(),
            routing: RoutingTrace::default(),
        };
        person.answered(&self.profile);
        let mut dropped = self.dropped;
        if person.profile_left_out > 0 {
            dropped.push(format!("{} answers are left out, for they are too many", person.profile_left_out));
        }
        let mut lead = Lead { id, due: None, facts, person };
        lead.note(self.at, "received", dropped.join("; "));
        lead
    }
}

fn optional_country(reader: &mut Reader<'_>) -> Option<Country> {
    let text = reader.optional_string("country")?;
    let country = text.parse().ok();
    if country.is_none() {
        reader.fault_at("country", "unknown_country", "must be an ISO 3166-1 alpha-2 code such as ES");
    }
    country
}

fn optional_zone(reader: &mut Reader<'_>) -> Option<Zone> {
    let text = reader.optional_string("time_zone")?;
    let zone = text.parse().ok();
    if zone.is_none() {
        reader.fault_at(
            "time_zone",
            "unknown_time_zone",
            "must be a time zone of the IANA database such as Europe/Madrid",
        );
    }
    zone
}

fn optional_text(reader: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let text = reader.optional_string(name)?.trim();
    let fault = if visible(text).trim().is_empty() {
        ("empty", "must not be empty".to_owned())
    } else if text.chars().count() > TEXT_MAX {
        ("too_long", format!("must have at most {TEXT_MAX} characters"))
    } else if text.chars().any(char::is_control) {
        ("control_character", "must not contain control characters".to_owned())
    } else {
        return Some(text.to_owned());
    };
    reader.fault_at(name, fault.0, fault.1);
    None
}

fn read_source(outer: &mut Reader<'_>) -> Option<Source> {
    let mut reader = outer.object("source")?;
    let channel = reader.string("channel").and_then(|text| {
        let channel: Option<LeadChannel> = text.parse().ok();
        if channel.is_none() {
            let fault = Fault::new("/source/channel", "unknown_value", "is not a kind of source");
            reader.fault(fault.allowing(LeadChannel::ALL.iter().map(|channel| channel.as_str())));
        }
        channel
    });
    let campaign = optional_text(&mut reader, "campaign");
    let ad_id = optional_text(&mut reader, "ad_id");
    let partner_code = optional_text(&mut reader, "partner_code").map(|code| visible(&code).trim().to_owned());
    outer.close(reader);
    Some(Source { channel: channel?, campaign, ad_id, partner_code })
}

/// Whatever the form asked: answers may be of any kind, but not endless.
fn read_profile(reader: &mut Reader<'_>) -> BTreeMap<String, Value> {
    let Some(value) = reader.optional_value("profile") else { return BTreeMap::new() };
    let Some(answers) = value.as_object() else {
        reader.fault_at("profile", "wrong_type", "must be an object");
        return BTreeMap::new();
    };
    if answers.len() > PROFILE_MAX {
        reader.fault_at("profile", "too_many", format!("must have at most {PROFILE_MAX} answers"));
    }
    let too_long =
        |(name, value): &(&String, &Value)| name.len().saturating_add(value.to_string().len()) > ANSWER_BYTES_MAX;
    for (name, _) in answers.iter().filter(too_long) {
        let pointer = format!("/profile/{}", reference_token(name));
        let message = format!("must have at most {ANSWER_BYTES_MAX} bytes");
        reader.fault(Fault::new(pointer, "too_long", message));
    }
    answers.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect()
}
