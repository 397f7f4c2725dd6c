//! Forms: every fault at once, what follows from what was said, and the same person twice.

use domain::LeadId;
use domain::decision::{Decision, Verdict};
use domain::lead::{Attribution, Consents, ContactChannel, Lead, LeadStatus, Submission};
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
        let later = form.clone().lead(id.clone());
        if let Verdict::Change(decision) = lead.join(&later, form, attribution, &floor.scoring, floor.now).unwrap() {
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

/// What another form of the same person, with what it did, makes of a lead.
fn later_form(floor: &World, id: &LeadId, form: &Submission, signals: &[&str]) -> Decision<Lead> {
    let mut later = form.clone().lead(LeadId::from_bits(9));
    for kind in signals {
        if let Verdict::Change(decision) = later.signalled(kind, None, &floor.scoring, floor.now).unwrap() {
            later = decision.next;
        }
    }
    let verdict = floor.leads[id].join(&later, form, Attribution::First, &floor.scoring, floor.now).unwrap();
    let Verdict::Change(decision) = verdict else { panic!("it did not join") };
    *decision
}

#[test]
fn what_a_later_form_adds_counts_for_the_score_and_a_lead_that_nobody_has_is_routed_again() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(domain::sales::agent::Presence::Online);
    let id = floor.submit(json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}}), &[]);
    assert_eq!(floor.status(&id), LeadStatus::Nurturing);
    let body = json!({
        "email": "a@example.com", "phone": "+525512345678", "source": {"channel": "social"}, "consents": {"phone": true},
    });
    let decision = later_form(&floor, &id, &read(&body).unwrap(), &["form_completed"]);
    assert_eq!(decision.events, ["lead.joined", "lead.received"]);
    assert_eq!(
        decision.next.facts.scored.as_ref().unwrap().parts.join(" "),
        "has_phone +10 may_be_called +5 form_completed +25"
    );
    floor.leads.insert(id.clone(), decision.next);
    assert_eq!(floor.run(&id, domain::lead::plan::Trigger::Route), "assigned");
    floor.check();
}

#[test]
fn whoever_no_longer_wants_mail_leaves_the_series_and_whoever_has_an_agent_stays() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(domain::sales::agent::Presence::Online);
    let no_mail = Consents::read(&json!({"email": false}), "v1", floor.now).unwrap();
    let say = |floor: &World, id: &LeadId| {
        let verdict = floor.leads[id].consented(&no_mail, &floor.scoring, floor.now).unwrap();
        let Verdict::Change(decision) = verdict else { panic!("nothing changed") };
        *decision
    };
    let organic = json!({"country": "MX", "source": {"channel": "organic"}, "consents": {"email": true}});
    let nurtured = floor.submit(organic, &[]);
    let decision = say(&floor, &nurtured);
    assert_eq!(decision.events, ["lead.consents", "lead.received"]);
    floor.leads.insert(nurtured.clone(), decision.next);
    assert_eq!(floor.run(&nurtured, domain::lead::plan::Trigger::Route), "assigned");
    let called = floor.submit(json!({"country": "MX", "consents": {"email": true}}), &["kyc_started"]);
    assert_eq!(floor.status(&called), LeadStatus::Assigned);
    assert_eq!(say(&floor, &called).events, ["lead.consents"]);
}

#[test]
fn a_lead_that_was_done_with_comes_back_to_whoever_had_it() {
    let mut floor = World::new("2026-11-25T15:00:00Z");
    floor.everybody(domain::sales::agent::Presence::Online);
    let id = floor.submit(json!({"country": "MX"}), &["kyc_started", "form_completed"]);
    let owner = floor.agent_of(&id).unwrap().to_owned();
    floor.act(&id, domain::sales::task::TaskAction::Done);
    let form = read(&json!({"email": "a@example.com", "source": {"channel": "direct"}})).unwrap();
    let decision = later_form(&floor, &id, &form, &[]);
    assert_eq!(decision.events, ["lead.joined", "lead.received"]);
    assert_eq!(decision.next.facts.status, LeadStatus::Received);
    floor.leads.insert(id.clone(), decision.next);
    floor.run(&id, domain::lead::plan::Trigger::Route);
    assert_eq!(floor.agent_of(&id), Some(owner.as_str()));
    floor.check();
}

#[test]
fn however_many_forms_join_a_lead_it_stays_small_enough_to_be_saved() {
    // what a stranger who knows the address may send, form by form: forty answers of 500 bytes under new names each time
    const ITEM_BYTES_MAX: usize = 400 * 1_024;
    let floor = World::new("2026-11-25T15:00:00Z");
    let form = |n: usize| {
        let answers: serde_json::Map<String, Value> =
            (0..40).map(|m| (format!("q{n}_{m}"), Value::from("x".repeat(490)))).collect();
        read(&json!({"email": "victim@example.com", "source": {"channel": "direct"}, "profile": answers})).unwrap()
    };
    let mut lead = form(0).lead(LeadId::from_bits(1));
    for n in 1..30 {
        let id = LeadId::from_bits(u128::try_from(n).unwrap() + 1);
        lead = joined(lead, &[(id, form(n))], Attribution::First, &floor);
        let (public, private) = domain::entity::write(&lead).unwrap();
        let bytes = public.len() + private.map_or(0, |private| private.len());
        assert!(bytes <= ITEM_BYTES_MAX, "after {n} forms it is {bytes} bytes: no version can be saved any more");
    }
}

#[test]
fn one_form_of_an_ad_platform_is_kept_as_far_as_there_is_room_and_what_is_left_out_is_counted() {
    let floor = World::new("2026-11-25T15:00:00Z");
    let answer = "長".repeat(1_000);
    let mut form = read(&json!({"email": "a@example.com", "source": {"channel": "social"}})).unwrap();
    form.profile = (0..60).map(|n| (format!("q{n:02}"), Value::from(answer.clone()))).collect();
    form.dropped = (0..5_000).map(|n| format!("field {n} cannot be read")).collect();
    form.left_out = 7;
    let mut lead = form.clone().lead(LeadId::from_bits(1));
    assert_eq!(lead.person.profile.len() + usize::try_from(lead.person.profile_left_out).unwrap(), 60 + 7);
    assert_eq!(lead.person.profile.keys().next_back().map(String::as_str), Some("q20"), "the first ones stay");
    for n in 2..200 {
        form.full_name = Some(format!("{n} {}", "長".repeat(998)));
        lead = joined(lead, &[(LeadId::from_bits(n), form.clone())], Attribution::First, &floor);
    }
    let (public, private) = domain::entity::write(&lead).unwrap();
    let bytes = public.len() + private.map_or(0, |private| private.len());
    assert!(bytes < 200 * 1_024, "{bytes}");
}

/// What the person took back where the mail says that it can be taken back; a form with the same address may be anybody's.
#[test]
fn a_form_that_joins_does_not_open_a_channel_that_the_person_closed() {
    let floor = World::new("2026-11-25T15:00:00Z");
    let consents = |yes: bool| json!({"email": yes, "sms": yes});
    let form = |yes| {
        read(&json!({"email": "a@example.com", "source": {"channel": "direct"}, "consents": consents(yes)})).unwrap()
    };
    let say = |lead: &Lead, said: Value, now| {
        let said = Consents::read(&said, "v1", now).unwrap();
        let Verdict::Change(decision) = lead.consented(&said, &floor.scoring, now).unwrap() else {
            panic!("no change")
        };
        decision.next
    };
    let later = |form: Submission, seconds| {
        let now = floor.now.plus(domain::Seconds(seconds));
        let moved =
            |channel| (channel, domain::lead::Consent { at: now, ..form.consents.get(channel).unwrap().clone() });
        let consents = [ContactChannel::Email, ContactChannel::Sms].map(moved).into_iter().collect();
        Submission { consents, ..form }
    };
    let allows = |lead: &Lead| [ContactChannel::Email, ContactChannel::Sms].map(|c| lead.facts.consents.allows(c));
    // a form's own "no" is the newer word until a newer form
    let lead = form(false).lead(LeadId::from_bits(1));
    let lead = joined(lead, &[(LeadId::from_bits(2), later(form(true), 1))], Attribution::First, &floor);
    assert_eq!(allows(&lead), [true, true]);
    let left = say(&lead, json!({"email": false}), floor.now.plus(domain::Seconds(2)));
    let lead = joined(left, &[(LeadId::from_bits(3), later(form(true), 3))], Attribution::First, &floor);
    assert_eq!(allows(&lead), [false, true], "the link's word stands");
    let back = say(&lead, json!({"email": true}), floor.now.plus(domain::Seconds(4)));
    let lead = joined(back, &[(LeadId::from_bits(4), later(form(false), 5))], Attribution::First, &floor);
    let lead = joined(lead, &[(LeadId::from_bits(5), later(form(true), 6))], Attribution::First, &floor);
    assert_eq!(allows(&lead), [true, true], "who opened it again oneself is as before");
}
