//! The one decision at the moment of sending: each reason, and what only waits.

use std::collections::BTreeMap;

use domain::client::consents::{ConsentChannel, ConsentSource, ConsentTopic, Said};
use domain::decision::Verdict;
use domain::journey::rules::{Channel, Journeys, Topic};
use domain::journey::sending::{Asked, Counted, Had, Reason, Ruling, Sight, hindrances, ruling};
use domain::journey::suppression::{Report, Reported, Suppression};
use domain::kyc::KycStatus;
use domain::rules::RuleSet;
use domain::{Seconds, Timestamp};
use serde_json::json;

use crate::world::{Person, at, document, rules, treated};

const DAY: Seconds = Seconds(86_400);

struct Case {
    own: Person,
    channel: Channel,
    topic: Topic,
    template: &'static str,
    now: Timestamp,
    sent: Vec<Counted>,
    pauses: BTreeMap<Topic, Timestamp>,
    suppressed: Option<Reason>,
    rules: Journeys,
}

/// A mail by day in Madrid that may be sent.
fn case() -> Case {
    Case {
        own: Person::of(treated(), "ES"),
        channel: Channel::Email,
        topic: Topic::Marketing,
        template: "idle_check_in",
        now: at("2026-11-25T12:00:00Z"),
        sent: vec![],
        pauses: BTreeMap::new(),
        suppressed: None,
        rules: rules(),
    }
}

impl Case {
    fn rules(&self, since: Timestamp) -> Ruling {
        let mut sight: Sight = self.own.sight(self.now);
        sight.suppressed.extend(self.suppressed.map(|reason| (self.channel, reason)));
        let text = self.rules.text(self.template, "es").map(|(_, text)| text);
        let asked = Asked::Message { channel: self.channel, text, since, give_up_after: Seconds(7 * 86_400) };
        let had = Had { sent: &self.sent, pauses: &self.pauses };
        ruling(&hindrances(asked, self.topic, &sight, had, &self.rules, self.now))
    }
}

fn asked(change: impl FnOnce(&mut Case)) -> Ruling {
    let mut own = case();
    change(&mut own);
    own.rules(own.now)
}

fn said(given: bool) -> Said {
    Said { given, at: at("2026-09-01T12:00:00Z"), source: ConsentSource::Portal }
}

#[test]
fn each_reason_drops_what_it_is_about_and_nothing_else() {
    use Reason as R;
    let drop = Ruling::Drop;
    assert_eq!(asked(|_| ()), Ruling::Send);
    let no = |own: &mut Case, channel| drop_consent(own, channel);
    assert_eq!(asked(|own| no(own, ConsentChannel::Email)), drop(R::NoConsent));
    assert_eq!(asked(|own| no(own, ConsentChannel::Sms)), Ruling::Send);
    let refuse = |own: &mut Case, topic| {
        own.own.client.facts.consents.topics.insert(topic, said(false));
    };
    assert_eq!(asked(|own| refuse(own, ConsentTopic::Marketing)), drop(R::TopicRefused));
    assert_eq!(asked(|own| refuse(own, ConsentTopic::Product)), Ruling::Send);
    for reason in [R::Bounced, R::Complained, R::OptedOut] {
        assert_eq!(asked(|own| own.suppressed = Some(reason)), drop(reason));
    }
    assert_eq!(asked(|own| own.own.kyc = KycStatus::Rejected), drop(R::Closed));
    assert_eq!(
        asked(|own| {
            own.pauses.insert(Topic::Marketing, at("2026-11-25T12:00:01Z"));
        }),
        drop(R::Paused)
    );
    assert_eq!(
        asked(|own| {
            own.pauses.insert(Topic::Marketing, at("2026-11-25T12:00:00Z"));
        }),
        Ruling::Send
    );
    assert_eq!(asked(|own| own.template = "nothing"), drop(R::NoText));
    assert_eq!(
        asked(|own| {
            own.channel = Channel::Sms;
            own.own.client.person.phone = None;
        }),
        drop(R::NoAddress)
    );
    assert_eq!(asked(|own| own.own = Person::of(treated(), "US")), drop(R::Barred));
}

#[test]
fn who_said_no_to_calls_is_called_about_nothing_that_is_advertised() {
    let ruled = |topic: Topic, said_of_calls: Option<bool>| {
        let mut own = case();
        own.own.client.facts.consents.channels.remove(&ConsentChannel::Phone);
        let answer = said_of_calls.map(|given| (ConsentChannel::Phone, said(given)));
        own.own.client.facts.consents.channels.extend(answer);
        let had = Had { sent: &own.sent, pauses: &own.pauses };
        ruling(&hindrances(Asked::Task, topic, &own.own.sight(own.now), had, &own.rules, own.now))
    };
    assert_eq!(ruled(Topic::Marketing, Some(false)), Ruling::Drop(Reason::NoConsent));
    assert_eq!(ruled(Topic::Service, Some(false)), Ruling::Send, "what he is owed");
    assert_eq!(ruled(Topic::Marketing, Some(true)), Ruling::Send);
    assert_eq!(ruled(Topic::Marketing, None), Ruling::Send, "nobody asked him");
}

fn drop_consent(own: &mut Case, channel: ConsentChannel) {
    own.own.client.facts.consents.channels.insert(channel, said(false));
}

#[test]
fn a_case_of_compliance_looks_like_a_client_whose_papers_are_being_looked_at() {
    let watched = asked(|own| own.own.watched = true);
    assert_eq!(watched, asked(|own| own.own.kyc = KycStatus::InReview));
    assert_eq!(watched, Ruling::Drop(Reason::Paused));
    // what he asked for himself goes on
    assert_eq!(
        asked(|own| {
            own.own.watched = true;
            own.topic = Topic::Service;
        }),
        Ruling::Send
    );
}

#[test]
fn of_a_topic_that_was_not_asked_about_the_rules_say_what_holds() {
    let silent = |own: &mut Case| own.own.client.facts.consents.topics.clear();
    assert_eq!(asked(silent), Ruling::Send);
    assert_eq!(
        asked(|own| {
            silent(own);
            let mut document = document();
            document["unsaid_topics"] = json!("refused");
            own.rules = Journeys::parse(&document).unwrap();
        }),
        Ruling::Drop(Reason::TopicRefused)
    );
}

#[test]
fn where_the_law_wants_a_warning_a_text_without_it_is_not_sent() {
    let without = |residence: &str| {
        let mut own = case();
        own.own = Person::of(treated(), residence);
        let mut document = document();
        for tag in ["en", "es"] {
            document["templates"]["idle_check_in"][tag]["body"] = json!("{{name}} {{brand}} {{unsubscribe_url}}");
        }
        own.rules = Journeys::parse(&document).unwrap();
        own.now = at("2026-11-25T15:00:00Z");
        own.rules(own.now)
    };
    assert_eq!(
        [without("ES"), without("GB"), without("MX")],
        [Ruling::Drop(Reason::NoRiskWarning), Ruling::Drop(Reason::NoRiskWarning), Ruling::Send]
    );
}

#[test]
fn a_row_counts_from_its_day_to_its_day_and_without_a_row_nothing_may_be_advertised() {
    let mut document = document();
    document["promotions"] = json!([{"id": "a", "when": {"field": "country", "eq": "ES"}, "from": "2026-11-25", "until": "2026-11-26", "promotion": true, "bonus": true, "warning": false}]);
    let rules = Journeys::parse(&document).unwrap();
    let may = |when: &str, residence: &str| {
        rules.promotion(&Person::of(treated(), residence).sight(at(when)).subject, at(when)).promotion
    };
    assert_eq!(
        [
            may("2026-11-24T23:59:59Z", "ES"),
            may("2026-11-25T00:00:00Z", "ES"),
            may("2026-11-25T23:59:59Z", "ES"),
            may("2026-11-26T00:00:00Z", "ES")
        ],
        [false, true, true, false]
    );
    assert!(!may("2026-11-25T12:00:00Z", "PT"));
    // the seed: no bonus in Europe, the United Kingdom and Australia
    let seed = crate::world::rules();
    let bonus =
        |residence: &str| seed.promotion(&Person::of(treated(), residence).sight(case().now).subject, case().now).bonus;
    assert_eq!(["ES", "GB", "AU", "ZA", "US", "MX"].map(bonus), [false, false, false, false, false, true]);
}

#[test]
fn nights_end_by_the_clock_on_the_wall_also_when_it_is_put_forward_or_back() {
    let until = |residence: &str, when: &str| {
        let mut own = case();
        own.own = Person::of(treated(), residence);
        own.now = at(when);
        match own.rules(own.now) {
            Ruling::Defer(Reason::QuietHours, until) => until.to_string(),
            Ruling::Send => "now".to_owned(),
            other => panic!("{other:?}"),
        }
    };
    // Berlin: the night of 28 March 2026 lasts an hour less, that of 24 October an hour more
    assert_eq!(until("DE", "2026-03-28T20:00:00Z"), "2026-03-29T06:00:00.000Z");
    assert_eq!(until("DE", "2026-10-24T19:00:00Z"), "2026-10-25T07:00:00.000Z");
    assert_eq!(until("DE", "2026-10-24T18:59:59Z"), "now");
    // Auckland: eight in the morning of Monday is Sunday evening in UTC
    assert_eq!(until("NZ", "2026-11-29T18:59:59Z"), "2026-11-29T19:00:00.000Z");
    assert_eq!(until("NZ", "2026-11-29T20:00:00Z"), "now");
}

#[test]
fn one_a_channel_and_day_and_three_a_week_in_all() {
    let counted = |hours: u32, channel| Counted { at: case().now.minus(Seconds(hours * 3_600)), channel };
    let with = |sent: Vec<Counted>| asked(|own| own.sent = sent);
    let now = case().now;
    assert_eq!(with(vec![counted(24, Channel::Email)]), Ruling::Send);
    assert_eq!(with(vec![counted(23, Channel::Email)]), Ruling::Defer(Reason::ChannelCap, now.plus(Seconds(3_600))));
    assert_eq!(with(vec![counted(1, Channel::Sms), counted(2, Channel::InApp)]), Ruling::Send);
    let three = vec![counted(100, Channel::Email), counted(90, Channel::Sms), counted(80, Channel::Email)];
    assert_eq!(with(three), Ruling::Defer(Reason::OverallCap, now.plus(Seconds((168 - 100) * 3_600))));
    // what is longer on its way than it makes sense is not sent
    let mut own = case();
    own.now = own.now.plus(Seconds(1));
    let since = own.now.minus(Seconds(7 * 86_400));
    assert_eq!(own.rules(since), Ruling::Send);
    assert_eq!(own.rules(since.minus(Seconds(1))), Ruling::Drop(Reason::TooLate));
    own.sent = vec![Counted { at: own.now.minus(Seconds(60)), channel: Channel::Email }];
    assert_eq!(own.rules(own.now.minus(DAY)), Ruling::Defer(Reason::ChannelCap, own.now.plus(Seconds(86_340))));
    assert_eq!(own.rules(own.now.minus(Seconds(7 * 86_400))), Ruling::Drop(Reason::TooLate));
}

#[test]
fn reports_about_an_address_come_in_any_order_and_more_than_once() {
    let hears = |reports: &[(Report, &str, &str)]| {
        let mut own = Suppression::begun(Channel::Email, " Ana@Example.com");
        for (report, when, name) in reports {
            let reported = Reported { report: *report, at: at(when), name: (*name).to_owned() };
            if let Verdict::Change(decision) = own.hears(&reported, 3) {
                own = decision.next;
            }
        }
        own.facts.reason
    };
    let (one, two) = ("2026-11-25T12:00:00Z", "2026-11-25T12:00:01Z");
    assert_eq!(hears(&[(Report::Bounced, one, "a")]), Some(Reason::Bounced));
    assert_eq!(
        hears(&[
            (Report::BouncedForNow, one, "a"),
            (Report::BouncedForNow, one, "a"),
            (Report::BouncedForNow, two, "b")
        ]),
        None
    );
    assert_eq!(
        hears(&[
            (Report::BouncedForNow, one, "a"),
            (Report::BouncedForNow, one, "b"),
            (Report::BouncedForNow, two, "c")
        ]),
        Some(Reason::Bounced)
    );
    assert_eq!(hears(&[(Report::OptedOut, one, "a"), (Report::OptedIn, two, "b")]), None);
    // START was written before STOP, and heard after it
    assert_eq!(hears(&[(Report::OptedOut, two, "b"), (Report::OptedIn, one, "a")]), Some(Reason::OptedOut));
    assert_eq!(hears(&[(Report::Complained, one, "a"), (Report::OptedIn, two, "b")]), Some(Reason::Complained));
    assert_eq!(
        Suppression::id_of(Channel::Email, " Ana@Example.com"),
        Suppression::id_of(Channel::Email, "ana@example.com")
    );
    assert_ne!(
        Suppression::id_of(Channel::Sms, "ana@example.com"),
        Suppression::id_of(Channel::Email, "ana@example.com")
    );
}
