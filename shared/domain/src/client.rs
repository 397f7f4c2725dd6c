//! A client of the brokerage and what a registration must look like.

pub mod appropriateness;
pub mod consents;
pub mod login;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use appropriateness::AppropriatenessTest;
use consents::ClientConsents;

use crate::contact;
use crate::decision::Decision;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::input::{Fault, Reader};
use crate::lead::Lead;
use crate::visible::visible;
use crate::{ClientId, Country, LeadId, Redacted, Timestamp};

/// The public part of a client: no personal data beyond country and language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct ClientFacts {
    pub created_at: Timestamp,
    pub residence: Country,
    pub nationality: Country,
    pub language: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// What the client agreed to.
    #[serde(default, skip_serializing_if = "ClientConsents::is_empty")]
    pub consents: ClientConsents,
    /// The test that counts, if he took one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appropriateness: Option<AppropriatenessTest>,
}

/// The personal part of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "API.md names them")]
pub struct ClientPerson {
    pub email: Redacted<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Redacted<String>>,
    pub full_name: Redacted<String>,
    pub date_of_birth: Redacted<String>,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What events may carry.
    pub facts: ClientFacts,
    /// What they may not.
    pub person: ClientPerson,
}

/// Longest accepted free text, in characters.
const TEXT_MAX: usize = 200;
/// Youngest age that may trade, in years.
const AGE_MIN: i16 = 18;
/// Oldest age that is believed, in years.
const AGE_MAX: i16 = 120;

impl Client {
    /// A client from a registration as the portal sends it.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn register(body: &serde_json::Value, id: ClientId, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let faults = &mut Vec::new();
        let email = reader.string("email").map(|value| email(value, faults));
        let phone = reader.optional_string("phone").map(|value| phone(value, faults));
        let full_name = reader.string("full_name").map(|value| reader.line("full_name", value, TEXT_MAX));
        let born = reader.string("date_of_birth").map(|value| date_of_birth(value, now, &mut reader));
        let residence = reader.country("residence");
        let nationality = reader.country("nationality");
        let language = reader.string("language").map(|value| language(value, faults));
        let lead_id = reader.optional_string("lead_id").and_then(|value| lead_id(value, faults));
        let partner_code = reader.optional_string("partner_code");
        let partner_code = partner_code.map(|value| reader.line("partner_code", &visible(value), TEXT_MAX));
        let entity = reader.optional_string("entity").map(|value| reader.line("entity", &visible(value), TEXT_MAX));
        let mut all = reader.finish();
        all.append(faults);
        match (email, full_name, born, residence, nationality, language) {
            (Some(email), Some(full_name), Some(born), Some(residence), Some(nationality), Some(language))
                if all.is_empty() =>
            {
                Ok(Self {
                    id,
                    facts: ClientFacts {
                        created_at: now,
                        residence,
                        nationality,
                        language,
                        lead_id,
                        partner_code,
                        entity,
                        consents: ClientConsents::default(),
                        appropriateness: None,
                    },
                    person: ClientPerson {
                        email: Redacted::new(email),
                        phone: phone.map(Redacted::new),
                        full_name: Redacted::new(full_name),
                        date_of_birth: Redacted::new(born),
                    },
                })
            }
            _ => Err(all),
        }
    }
}

impl Client {
    /// Full years of age; `None` where the date of birth cannot be read.
    pub fn age(&self, now: Timestamp) -> Option<u32> {
        let born = self.person.date_of_birth.reveal().parse().ok()?;
        u32::try_from(age_at(born, now)).ok()
    }
}

fn lead_id(value: &str, faults: &mut Vec<Fault>) -> Option<LeadId> {
    let parsed = value.parse().ok();
    if parsed.is_none() {
        faults.push(Fault::new("/lead_id", "invalid_id", "is not a lead id"));
    }
    parsed
}

/// The decision that registers a client who may name a lead: `named` is that lead as it is, or the one that it joined. Whoever
/// asks learns the ids of other people's leads, so it is the client's only if the lead began with the client's address or
/// number; else the client is registered without it, and that is said.
pub fn registered_from(mut client: Client, named: Option<&Lead>) -> Decision<Client> {
    let person = &client.person;
    let phone = person.phone.as_ref().map(|phone| phone.reveal().as_str());
    let fault = match named {
        None => Some("there is no such lead"),
        Some(lead) if !lead.began_with(person.email.reveal(), phone) => {
            Some("it began with another address and number")
        }
        Some(_) => None,
    };
    let refused = client.facts.lead_id.take_if(|_| fault.is_some());
    let mut decision = registered(client);
    decision.why.extend(refused.zip(fault).map(|(lead, fault)| format!("{lead} is not its lead: {fault}")));
    decision
}

/// Lists that clients stand in, so that all of them can be looked at in parts.
pub const CLIENT_LISTS: u8 = 16;

/// A list of clients, oldest first.
pub fn list_of_clients(part: u8) -> String {
    format!("clients#{part:02}")
}

impl Client {
    /// Which list the client stands in.
    fn list(&self) -> u8 {
        let digest: [u8; 32] = Sha256::digest(self.id.as_str()).into();
        digest.first().copied().unwrap_or(0) % CLIENT_LISTS
    }

    /// A client from before there were lists of clients: with this version he stands in one.
    pub fn enlisted(&self) -> Decision<Self> {
        Decision::new(self.clone(), "enlisted", vec![], vec!["so that he is screened with everybody else".to_owned()])
    }
}

/// The decision that registers a client.
pub fn registered(client: Client) -> Decision<Client> {
    Decision::new(client, "registered", vec!["client.registered"], vec![])
}

fn email(value: &str, faults: &mut Vec<Fault>) -> String {
    contact::email(value).unwrap_or_else(|| {
        faults.push(Fault::new("/email", "invalid_email", "must be an e-mail address"));
        String::new()
    })
}

fn phone(value: &str, faults: &mut Vec<Fault>) -> String {
    if !contact::is_e164(value) {
        faults.push(Fault::new("/phone", "invalid_phone", "must be an E.164 number such as +34600111222"));
    }
    value.to_owned()
}

fn date_of_birth(value: &str, now: Timestamp, reader: &mut Reader<'_>) -> String {
    let Some(born) = reader.day("date_of_birth", value) else { return String::new() };
    let age = age_at(born, now);
    if age < AGE_MIN {
        reader.fault_at("date_of_birth", "too_young", format!("must be at least {AGE_MIN} years ago"));
    } else if age > AGE_MAX {
        reader.fault_at("date_of_birth", "too_old", format!("must be at most {AGE_MAX} years ago"));
    }
    born.to_string()
}

/// Full years at a moment.
fn age_at(born: jiff::civil::Date, now: Timestamp) -> i16 {
    let today = now.day();
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    today.year() - born.year() - i16::from(!had_birthday)
}

fn language(value: &str, faults: &mut Vec<Fault>) -> String {
    contact::language(value).unwrap_or_else(|| {
        faults.push(Fault::new("/language", "invalid_language", "must be a BCP 47 tag such as es or pt-BR"));
        String::new()
    })
}

impl Entity for Client {
    type Id = ClientId;
    type Table = InCrm;
    type Public = ClientFacts;
    type Private = ClientPerson;
    const KIND: &'static str = "client";

    fn id(&self) -> &ClientId {
        &self.id
    }

    fn rank(&self) -> Option<(String, String)> {
        Some((list_of_clients(self.list()), self.id.as_str().to_owned()))
    }

    fn public(&self) -> &ClientFacts {
        &self.facts
    }

    fn private(&self) -> &ClientPerson {
        &self.person
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, person: parts.private })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> serde_json::Value {
        serde_json::json!({
            "email": "ana.lopez@Example.COM", "phone": "+34600111222", "full_name": "Ana López", "date_of_birth": "2008-11-23",
            "residence": "ES", "nationality": "MX", "language": "es",
        })
    }

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_client_of_eighteen_years_today_is_accepted_and_a_day_younger_is_not() {
        let client = Client::register(&registration(), ClientId::from_bits(1), now()).unwrap();
        assert_eq!(client.person.email.reveal(), "ana.lopez@example.com");
        let mut younger = registration();
        younger["date_of_birth"] = "2008-11-24".into();
        assert_eq!(Client::register(&younger, ClientId::from_bits(1), now()).unwrap_err()[0].code, "too_young");
    }

    #[test]
    fn who_was_born_on_the_29th_of_february_is_of_age_on_the_first_of_march_of_other_years() {
        let mut body = registration();
        body["date_of_birth"] = "2008-02-29".into();
        for (day, of_age) in [("2026-02-28", false), ("2026-03-01", true), ("2028-02-29", true)] {
            let now = format!("{day}T12:00:00Z").parse().unwrap();
            assert_eq!(Client::register(&body, ClientId::from_bits(1), now).is_ok(), of_age, "{day}");
        }
        let later = "2028-02-28T12:00:00Z".parse().unwrap();
        let client = Client::register(&body, ClientId::from_bits(1), later).unwrap();
        assert_eq!(client.age(later), Some(19));
        assert_eq!(client.age("2028-02-29T12:00:00Z".parse().unwrap()), Some(20));
        // there was no such day
        body["date_of_birth"] = "2007-02-29".into();
        assert_eq!(Client::register(&body, ClientId::from_bits(1), later).unwrap_err()[0].code, "invalid_date");
    }

    #[test]
    fn names_in_any_script_and_of_one_word_are_taken_as_they_are_and_longer_ones_than_are_kept_are_refused() {
        let long = "Ñ".repeat(TEXT_MAX);
        for name in ["محمد", "Сергей Иванович Смирнов", "王小明", "O", "สมชาย ใจดี", "Nguyễn Thị Hồng Nhung", &long]
        {
            let mut body = registration();
            body["full_name"] = name.into();
            let client = Client::register(&body, ClientId::from_bits(1), now()).unwrap();
            assert_eq!(client.person.full_name.reveal(), name);
        }
        let mut body = registration();
        body["full_name"] = "Ñ".repeat(300).into();
        let faults = Client::register(&body, ClientId::from_bits(1), now()).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), faults[0].code), ("/full_name", "too_long"));
    }

    #[test]
    fn what_cannot_be_seen_is_no_part_of_a_code_and_no_name() {
        let mut body = registration();
        body["partner_code"] = "\u{FEFF}PA\u{200B}-7 ".into();
        body["email"] = "ana.\u{00AD}lopez@example.com".into();
        let client = Client::register(&body, ClientId::from_bits(1), now()).unwrap();
        assert_eq!(client.facts.partner_code.as_deref(), Some("PA-7"));
        assert_eq!(client.person.email.reveal(), "ana.lopez@example.com");
        body["full_name"] = "\u{3164}\u{200B}".into();
        let faults = Client::register(&body, ClientId::from_bits(1), now()).unwrap_err();
        assert_eq!((faults[0].pointer.as_str(), faults[0].code), ("/full_name", "empty"));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let bad = serde_json::json!({
            "lead_id": "x", "email": "nobody", "phone": "600", "full_name": "  ", "date_of_birth": "1968-02-30",
            "residence": "Spain", "nationality": 34, "language": "spanish please", "partner_code": "", "colour": "red",
        });
        let faults = Client::register(&bad, ClientId::from_bits(1), now()).unwrap_err();
        let mut pointers: Vec<_> = faults.into_iter().map(|fault| fault.pointer).collect();
        pointers.sort();
        assert_eq!(
            pointers,
            [
                "/colour",
                "/date_of_birth",
                "/email",
                "/full_name",
                "/language",
                "/lead_id",
                "/nationality",
                "/partner_code",
                "/phone",
                "/residence"
            ]
        );
    }

    #[test]
    fn the_public_part_has_nothing_personal() {
        let client = Client::register(&registration(), ClientId::from_bits(1), now()).unwrap();
        let (public, _) = crate::entity::write(&client).unwrap();
        for secret in ["ana", "López", "600111222", "2008"] {
            assert!(!public.contains(secret), "{public}");
        }
    }
}
