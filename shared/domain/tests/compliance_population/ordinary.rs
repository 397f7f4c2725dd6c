//! Ordinary clients. How many are of which kind, and what they do, are assumptions about a retail broker: they are written here, and
//! nothing else in the figures is.

use domain::activity::{MovementKind, NameMatch};

use crate::person::{DAY, END, Person, country};
use crate::random::Random;

/// What kind of client somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Saver,
    Salary,
    Scalper,
    Whale,
    Dormant,
    Seasonal,
    Casual,
}

/// The shares of a retail broker's clients.
const KINDS: [(Kind, f64); 7] = [
    (Kind::Saver, 22.0),
    (Kind::Salary, 20.0),
    (Kind::Scalper, 15.0),
    (Kind::Whale, 3.0),
    (Kind::Dormant, 22.0),
    (Kind::Seasonal, 8.0),
    (Kind::Casual, 10.0),
];

/// Where clients live, how many of a hundred, and what money is worth to them.
const HOMES: [((&str, f64), f64); 15] = [
    (("DE", 1.0), 14.0),
    (("FR", 1.0), 9.0),
    (("IT", 0.9), 9.0),
    (("ES", 0.8), 9.0),
    (("PL", 0.7), 9.0),
    (("CY", 0.9), 3.0),
    (("GB", 1.1), 16.0),
    (("AE", 1.5), 5.0),
    (("ZA", 0.35), 6.0),
    (("AU", 1.1), 5.0),
    (("BR", 0.4), 5.0),
    (("IN", 0.3), 5.0),
    (("MY", 0.5), 3.0),
    (("VN", 0.3), 1.0),
    (("NG", 0.3), 1.0),
];

/// An ordinary client of any kind.
pub fn anybody(seed: u64, number: u64) -> Person {
    let mut random = Random::of(seed ^ 0x00C0_FFEE, number);
    let kind = random.pick(&KINDS);
    // six of ten were there when the year before began, the others come over the two years
    let since = if random.is(0.6) { 0 } else { random.whole(1, END - 30) };
    let mut person = of_kind(kind, seed, number, since);
    surprises(&mut person);
    person
}

/// An ordinary client of a kind, from a day on.
pub fn of_kind(kind: Kind, seed: u64, number: u64, since: i64) -> Person {
    let mut person = Person::new(seed, number, since);
    papers(&mut person);
    match kind {
        Kind::Saver => saver(&mut person),
        Kind::Salary => salary(&mut person),
        Kind::Scalper => scalper(&mut person),
        Kind::Whale => whale(&mut person),
        Kind::Dormant => dormant(&mut person),
        Kind::Seasonal => seasonal(&mut person),
        Kind::Casual => casual(&mut person),
    }
    person.kind = match kind {
        Kind::Saver => "saver",
        Kind::Salary => "salary",
        Kind::Scalper => "scalper",
        Kind::Whale => "whale",
        Kind::Dormant => "dormant",
        Kind::Seasonal => "seasonal",
        Kind::Casual => "casual",
    };
    person
}

fn papers(person: &mut Person) {
    let random = &mut person.random;
    let (home, level) = random.pick(&HOMES);
    person.about.residence = country(home);
    person.about.nationality = person.about.residence;
    if random.is(0.08) {
        person.about.nationality = country(random.one_of(&["RO", "TR", "UA", "IN", "PT", "MA", "PH"]));
    }
    if random.is(0.0025) {
        person.about.nationality = country(random.one_of(&["IR", "MM"]));
    }
    if ["DE", "FR", "IT", "ES", "PL", "CY"].contains(&home) {
        person.about.entity = Some("pipworks_eu".to_owned());
    }
    person.about.risk_band = Some(random.pick(&[("low", 70.0), ("medium", 27.0), ("high", 3.0)]).to_owned());
    person.about.pep = Some(random.is(0.005));
    person.level = level * random.spread(0.5);
    person.lots = (0.06 * person.level * random.spread(0.7)).max(0.01);
    // diacritics, second names, maiden names; and couples of whom one pays
    if random.is(0.05) {
        person.name = NameMatch::Unsure;
    }
    if random.is(0.008) {
        person.by_others = 0.3;
    }
}

/// What befalls ordinary people in a year or two, and looks like something else.
fn surprises(person: &mut Person) {
    let year = |person: &mut Person| person.random.whole(person.since, END - 1) * DAY + 700;
    let years = (END - person.since) as f64 / 365.0;
    if person.random.is(0.01 * years) {
        // he changed his mind
        let (at, amount) = (year(person), 700.0 * person.level * person.random.spread(0.8));
        person.deposit(at, amount);
        let later = person.random.whole(1, 12);
        person.withdraw(at + later * DAY, amount);
    }
    if person.random.is(0.015 * years) {
        // a bonus, a sold car, an inheritance
        let (at, amount) = (year(person), 3_500.0 * person.level * person.random.spread(0.7));
        person.deposit(at, amount);
    }
    if person.random.is(0.01 * years) {
        let (at, amount) = (year(person), 150.0 * person.level * person.random.spread(0.8));
        person.moves(MovementKind::Chargeback, at, amount, NameMatch::Same);
    }
    if person.random.is(0.15 * years) {
        let away = country(person.random.one_of(&["TR", "EG", "TH", "US", "VN", "MX", "GR", "LB"]));
        let first = year(person);
        for day in 0..10 {
            person.login_from(first + day * DAY, Some(away));
        }
    }
    if person.random.is(0.001 * years) {
        let first = year(person);
        person.login_from(first, Some(country("IR")));
    }
}

/// What people pay is round.
pub fn round(amount: f64) -> f64 {
    let step = match amount {
        small if small < 300.0 => 10.0,
        middling if middling < 2_000.0 => 50.0,
        large if large < 20_000.0 => 250.0,
        _ => 1_000.0,
    };
    ((amount / step).round() * step).max(10.0)
}

/// The same sum each month, held for long; a part is taken out once or twice a year.
fn saver(person: &mut Person) {
    let monthly = round(180.0 * person.level);
    let (day_of_month, phase) = (person.random.whole(0, 27), person.random.whole(0, 29));
    let mut held = 0.0;
    for month in 0..26 {
        let day = month * 30 + day_of_month + person.random.whole(-1, 2);
        if day < person.since || person.random.is(0.08) {
            continue;
        }
        person.deposit(day * DAY + 600, monthly);
        held += monthly;
        for _ in 0..person.random.whole(1, 3) {
            let day = day + person.random.whole(0, 20);
            person.usual_day(day, 2);
        }
        if held > 4.0 * monthly && person.random.is(0.12) {
            let part = held * person.random.between(0.2, 0.7);
            person.withdraw((day + phase / 2) * DAY + 660, part);
            held -= part;
        }
    }
}

/// A part of the salary when it comes, traded in the days after.
fn salary(person: &mut Person) {
    let payday = person.random.whole(22, 29);
    for month in 0..26 {
        let day = month * 30 + payday + person.random.whole(-1, 1);
        if day < person.since || person.random.is(0.15) {
            continue;
        }
        let amount = round(300.0 * person.level * person.random.spread(0.35));
        let minute = day * DAY + person.random.whole(480, 1_300);
        person.deposit(minute, amount);
        if person.random.is(0.1) {
            let more = round(amount * 0.5);
            let later = person.random.whole(20, 600);
            person.deposit(minute + later, more);
        }
        for later in 0..person.random.whole(3, 8) {
            let count = person.random.whole(1, 6);
            person.usual_day(day + later, count);
        }
        if person.random.is(0.3) {
            let part = amount * person.random.between(0.3, 1.5);
            let later = person.random.whole(4, 24);
            person.withdraw(minute + later * DAY, part);
        }
    }
}

/// Trades most days, tops up when he lost, takes out when he won, often within days.
fn scalper(person: &mut Person) {
    person.lots *= 2.0;
    let usual = 350.0 * person.level;
    let first = round(usual * 2.0);
    person.deposit(person.since * DAY + 700, first);
    let busy = person.random.between(0.25, 0.6);
    for day in person.since..END {
        if day % 7 >= 5 || !person.random.is(busy) {
            continue;
        }
        let count = person.random.whole(4, 25);
        person.usual_day(day, count);
        if person.random.is(0.12) {
            let minute = day * DAY + person.random.whole(480, 1_200);
            for n in 0..person.random.pick(&[(1, 80.0), (2, 14.0), (3, 5.0), (4, 1.0)]) {
                let amount = round(usual * person.random.spread(0.5));
                let apart = person.random.whole(10, 90);
                person.deposit(minute + n * apart, amount);
            }
        }
        if person.random.is(0.08) {
            let amount = usual * person.random.between(0.4, 3.0);
            person.withdraw(day * DAY + 1_300, amount);
        }
    }
}

/// Large sums in and out, large lots.
fn whale(person: &mut Person) {
    let usual = 14_000.0 * person.level;
    person.lots = 2.0 * person.level;
    let mut day = person.since;
    while day < END {
        let amount = round(usual * person.random.spread(0.5));
        person.deposit(day * DAY + 640, amount);
        let until = day + person.random.whole(25, 100);
        while day < until {
            let count = person.random.whole(1, 6);
            person.usual_day(day, count);
            day += person.random.whole(2, 6);
        }
        if person.random.is(0.6) {
            let part = amount * person.random.between(0.3, 1.4);
            person.withdraw(day * DAY + 700, part);
        }
        day += 1;
    }
}

/// Tried it for some weeks. A few come back, some fetch what is left.
fn dormant(person: &mut Person) {
    let first = round(250.0 * person.level * person.random.spread(0.6));
    person.deposit(person.since * DAY + 720, first);
    let tried = person.random.whole(5, 60);
    for day in 0..tried {
        if person.random.is(0.3) {
            let count = person.random.whole(1, 5);
            person.usual_day(person.since + day, count);
        }
    }
    if person.random.is(0.4) {
        let second = round(first * person.random.spread(0.4));
        person.deposit((person.since + tried / 2) * DAY + 900, second);
    }
    if person.random.is(0.12) {
        let back = person.since + tried + person.random.whole(30, 600);
        let amount = round(250.0 * person.level * person.random.spread(0.8));
        person.deposit(back * DAY + 800, amount);
        for later in 0..10 {
            person.usual_day(back + later, 2);
        }
    }
    if person.random.is(0.2) {
        let day = person.since + tried + person.random.whole(10, 500);
        let rest = first * person.random.between(0.1, 0.8);
        person.withdraw(day * DAY + 800, rest);
    }
}

/// Two or three months a year, the same ones, about the same sum.
fn seasonal(person: &mut Person) {
    let (begins, months) = (person.random.whole(0, 364), person.random.whole(2, 3));
    let usual = 700.0 * person.level;
    for year in -1..2 {
        let mut paid = 0.0;
        for month in 0..months {
            let first = year * 365 + begins + month * 30;
            if first < person.since {
                continue;
            }
            let amount = round(usual * person.random.spread(0.3));
            person.deposit(first * DAY + 620, amount);
            paid += amount;
            for _ in 0..8 {
                let (later, count) = (person.random.whole(0, 29), person.random.whole(1, 6));
                person.usual_day(first + later, count);
            }
        }
        let out = paid * person.random.between(0.3, 1.3);
        person.withdraw((year * 365 + begins + months * 30 + 5) * DAY + 640, out);
    }
}

/// Now and then, as it comes.
fn casual(person: &mut Person) {
    let mut day = person.since;
    let mut held = 0.0;
    while day < END {
        let amount = round(200.0 * person.level * person.random.spread(0.7));
        person.deposit(day * DAY + 660, amount);
        held += amount;
        let until = day + person.random.whole(15, 110);
        while day < until {
            let count = person.random.whole(1, 4);
            person.usual_day(day, count);
            day += person.random.whole(3, 20);
        }
        if person.random.is(0.25) {
            let part = held * person.random.between(0.3, 1.0);
            person.withdraw(day * DAY + 700, part);
            held -= part;
        }
        day += 1;
    }
}
