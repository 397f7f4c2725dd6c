//! Innocent people who do nearly what a launderer does. None of these is to be found.

use domain::activity::{MovementKind, NameMatch};

use crate::ordinary::{Kind, of_kind};
use crate::person::{DAY, END, MEASURED, Person, country};
use crate::planted::threshold;
use crate::random::Random;

/// What they are called in the figures, and what they look like.
pub const LOOKALIKES: [(&str, &[&str]); 12] = [
    ("bonus five- to eightfold", &["dep_spike"]),
    ("next season", &["dep_spike", "dormant"]),
    ("winner takes out", &["rapid_move", "in_and_out"]),
    ("small change of mind", &["rapid_move", "in_and_out"]),
    ("card limit, thrice a week", &["structuring", "structuring_day", "large_cumulative"]),
    ("four tops-up in an hour", &["velocity"]),
    ("holiday", &["geo_login"]),
    ("maiden name", &["third_party", "third_party_again"]),
    ("back after four months", &["dormant"]),
    ("back with little", &["dormant"]),
    ("lots up to sixfold", &["lot_change"]),
    ("two small chargebacks", &["chargebacks"]),
];

/// What somebody looks like, if that is what he is.
pub fn likeness(kind: &str) -> Option<&'static [&'static str]> {
    LOOKALIKES.iter().find(|(name, _)| *name == kind).map(|(_, like)| *like)
}

/// One of them.
pub fn lookalike(name: &'static str, seed: u64, number: u64) -> Person {
    let mut random = Random::of(seed ^ 0x10_0CA1, number);
    let kind = match name {
        "bonus five- to eightfold" => Kind::Saver,
        "next season" => Kind::Seasonal,
        "winner takes out" | "four tops-up in an hour" | "lots up to sixfold" => Kind::Scalper,
        "small change of mind" | "back after four months" | "back with little" => Kind::Dormant,
        _ => Kind::Casual,
    };
    let mut person = of_kind(kind, seed, number, random.whole(0, 60));
    person.by_others = 0.0;
    // they differ from a launderer in what they do, not in who they are
    person.about.nationality = person.about.residence;
    person.about.risk_band = Some("low".to_owned());
    person.about.pep = Some(false);
    let day = random.whole(MEASURED + 10, END - 45);
    act(&mut person, name, day, &mut random);
    person.kind = name;
    person.told()
}

fn act(person: &mut Person, name: &str, day: i64, random: &mut Random) {
    let at = day * DAY + 600;
    match name {
        "bonus five- to eightfold" => {
            let usual = 180.0 * person.level;
            person.deposit(at, usual * random.between(4.0, 6.5));
        }
        "winner takes out" => {
            let (paid, lots) = (random.between(600.0, 2_000.0), random.between(3.0, 9.0));
            person.deposit(at, paid);
            person.trades(day, 30, lots / 30.0, lots / 30.0);
            person.trades(day + 1, 30, lots / 30.0, lots / 30.0);
            person.withdraw(at + 2 * DAY, paid * random.between(0.8, 1.6));
        }
        "small change of mind" => {
            let paid = random.between(50.0, 900.0);
            person.slept(day - 31, day + 31);
            person.deposit(at, paid);
            person.withdraw(at + random.whole(1, 10) * DAY, paid);
        }
        "card limit, thrice a week" => {
            let most = threshold(person) * 0.5;
            for n in 0..3 {
                person.deposit(at + n * 2 * DAY, most * random.between(0.9, 1.0));
            }
        }
        "four tops-up in an hour" => {
            for n in 0..4 {
                person.deposit(at + n * 14, random.between(20.0, 150.0));
            }
        }
        "holiday" => {
            let away = country(random.one_of(&["TR", "EG", "TH", "VN", "LB"]));
            for n in 0..14 {
                person.login_from(at + n * DAY, Some(away));
            }
        }
        "maiden name" => person.name = NameMatch::Unsure,
        "back after four months" | "back with little" => {
            let little = name == "back with little";
            let days = if little { random.whole(200, 330) } else { random.whole(110, 165) };
            person.slept(day - days, END);
            person.deposit(at - days * DAY - 60, 300.0);
            person.deposit(at, if little { random.between(50.0, 700.0) } else { random.between(500.0, 1_900.0) });
        }
        "lots up to sixfold" => {
            person.lots *= random.between(2.0, 3.0);
            let largest = person.lots * 2.0;
            person.trades(day, 10, person.lots, largest);
        }
        "two small chargebacks" => {
            for n in 0..2 {
                person.moves(MovementKind::Chargeback, at + n * 4 * DAY, random.between(50.0, 900.0), NameMatch::Same);
            }
        }
        // the season comes again by itself
        _ => {}
    }
}
