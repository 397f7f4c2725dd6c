//! Forms: every fault at once, what follows from what was said, and the same person twice.

use domain::LeadId;
use domain::decision::Verdict;
use domain::lead::{Attribution, ContactChannel, Lead, LeadStatus, Submission};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, phone};

fn read(body: &Value) -> Result<Submission, Vec<(String, &'static str)>> {
    let floor = World::new("2026-11-25T15:00:00Z");
    Submission::read(body, &floor.intake, &phone, floor.now)
        .map_err(|faults| faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect())
}

#[test]
fn every_fault_of_a_form_is_named_at_once() {
    let body = json!({
        "email": "nobody", "phone": "600", "country": "Spain", "language": "xx", "time_zone": "Mars/Base", "full_name": "",
        "source": {"channel": "telepathy", "ad_id": 7}, "consents": {"email": "yes", "sms": {"at": "noon", "wording": " "}, "fax": true},
        "profile": [], "colour": "red",
    });
    let mut faults = read(&body).unwrap_err();
    faults.sort();
    let expected = [
        ("/colour", "unknown_field"),
        ("/consents/email", "wrong_type"),
        ("/consents/fax", "unknown_field"),
        ("/consents/sms/at", "invalid_time"),
        ("/consents/sms/given", "missing"),
        ("/consents/sms/wording", "invalid_length"),
        ("/country", "unknown_country"),
        ("/email", "invalid_email"),
        ("/full_name", "empty"),
        ("/language", "unknown_language"),
        ("/phone", "invalid_phone"),
        ("/profile", "wrong_type"),
        ("/source/ad_id", "wrong_type"),
        ("/source/channel", "unknown_value"),
        ("/time_zone", "unknown_time_zone"),
    ];
    assert_eq!(faults.iter().map(|(p, c)| (p.as_str(), *c)).collect::<Vec<_>>(), expected);
    let mut missing = read(&json!({})).unwrap_err();
    missing.sort();
    assert_eq!(missing, [("/email".to_owned(), "missing"), ("/source".to_owned(), "missing")]);
}

#[test]
fn what_a_form_does_not_say_follows_from_what_it_says() {
    let source = json!({"channel": "direct"});
    let of = |extra: Value| {
        let mut body = json!({"email": "a@example.com", "source": source});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let form = read(&body).unwrap();
        let zone = form.time_zone.map(|zone| zone.name().to_owned());
        (form.country.map(|c| c.code()), form.language, zone)
    };
    let words = |c: Option<&'static str>, l: &str, z: &str| (c, Some(l.to_owned()), Some(z.to_owned()));
    assert_eq!(of(json!({})), (None, None, None));
    assert_eq!(of(json!({"phone": "+525512345678"})), words(Some("MX"), "es", "America/Mexico_City"));
    assert_eq!(of(json!({"language": "pt_br"})), words(Some("BR"), "pt-BR", "America/Sao_Paulo"));
    assert_eq!(
        of(json!({"phone": "+525512345678", "country": "US", "language": "es-MX", "time_zone": "America/Denver"})),
        words(Some("US"), "es-MX", "America/Denver")
    );
}

#[test]
fn without_consents_a_lead_is_taken_and_no_channel_may_be_used() {
    let form = read(&json!({"email": "a@example.com", "source": {"channel": "direct"}})).unwrap();
    assert!(ContactChannel::ALL.iter().all(|channel| !form.consents.allows(*channel)));
    let body = json!({
        "email": "a@example.com", "source": {"channel": "direct"},
        "consents": {"email": true, "phone": false, "sms": {"given": true, "at": "2026-01-02T03:04:05Z", "wording": "v7"}},
    });
    let form = read(&body).unwrap();
    let wording = |channel| form.consents.get(channel).and_then(|consent| consent.wording.clone());
    assert_eq!(wording(ContactChannel::Email).as_deref(), Some("website-2026-09"));
    assert_eq!(wording(ContactChannel::Sms).as_deref(), Some("v7"));
    assert!(form.consents.allows(ContactChannel::Sms) && !form.consents.allows(ContactChannel::Phone));
}

fn forms() -> impl Strategy<Value = Vec<Value>> {
    let one = (
        prop::option::of("[A-Z][a-z]{2,5}"),
        prop::option::of(Just("+525512345678")),
        prop::option::of(prop::sample::select(vec!["MX", "ES", "DE"])),
        prop::option::of(any::<bool>()),
        prop::sample::select(vec!["direct", "social", "partner"]),
    );
    let body = one.prop_map(|(name, phone, country, email, channel)| {
        json!({
            "email": "same@example.com", "full_name": name, "phone": phone, "country": country,
            "consents": {"email": email}, "source": {"channel": channel},
        })
    });
    prop::collection::vec(body, 1..6)
}

fn joined(mut lead: Lead, forms: &[(LeadId, Submission)], attribution: Attribution, floor: &World) -> Lead {
    for (id, form) in forms {
        if let Verdict::Change(decision) = lead.join(id, form, attribution, floor.now) {
            lead = decision.next;
        }
    }
    lead
}

proptest! {
    #[test]
    fn joining_twice_is_joining_once_and_the_first_word_stays(first in forms(), last in any::<bool>()) {
        let floor = World::new("2026-11-25T15:00:00Z");
        let attribution = if last { Attribution::Last } else { Attribution::First };
        let mut read = first.iter().enumerate().map(|(n, body)| {
            let form = Submission::read(body, &floor.intake, &phone, floor.now).unwrap();
            (LeadId::from_bits(u128::try_from(n).unwrap()), form)
        });
        let (id, form) = read.next().unwrap();
        let others: Vec<_> = read.collect();
        let lead = form.clone().lead(id);
        let once = joined(lead.clone(), &others, attribution, &floor);
        let twice = joined(once.clone(), &others, attribution, &floor);
        prop_assert_eq!(&once, &twice);
        let source = if last { others.last().map_or(&form.source, |(_, other)| &other.source) } else { &form.source };
        prop_assert_eq!(&once.facts.source, source);
        if form.country.is_some() {
            prop_assert_eq!(once.facts.country, form.country);
        }
        prop_assert_eq!(once.facts.joined.len(), others.len());
    }
}

#[test]
fn a_lead_that_was_done_with_comes_back_to_whoever_had_it() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(domain::sales::agent::Presence::Online);
    let id = floor.submit(json!({"country": "MX"}), &["kyc_started", "form_completed"]);
    let owner = floor.agent_of(&id).unwrap().to_owned();
    floor.act(&id, domain::sales::task::TaskAction::Done);
    let form = read(&json!({"email": "a@example.com", "source": {"channel": "direct"}})).unwrap();
    let Verdict::Change(decision) = floor.leads[&id].join(&LeadId::from_bits(9), &form, Attribution::First, floor.now)
    else {
        panic!("it did not join");
    };
    assert_eq!(decision.events, ["lead.joined", "lead.received"]);
    assert_eq!(decision.next.facts.status, LeadStatus::Received);
    floor.leads.insert(id.clone(), decision.next);
    floor.run(&id, domain::lead::plan::Trigger::Route);
    assert_eq!(floor.agent_of(&id), Some(owner.as_str()));
    floor.check();
}
