//! Planted cases: what a launderer, thief or fraudster does, told as his story with figures of its own. They are not drawn from the
//! parameters of the rules, so the hard ones lie on both sides of them, and some cannot be found.

use domain::activity::{MovementKind, NameMatch};

use crate::ordinary::{Kind, of_kind, round};
use crate::person::{DAY, END, MEASURED, Person, Plant, country};
use crate::random::Random;

/// How well it is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difficulty {
    Easy,
    Medium,
    Hard,
}

impl Difficulty {
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];

    fn of<T>(self, easy: T, medium: T, hard: T) -> T {
        match self {
            Self::Easy => easy,
            Self::Medium => medium,
            Self::Hard => hard,
        }
    }
}

/// What is planted; each is named by the scenario that is to find it.
pub type Story = &'static str;

/// One for each scenario that is live.
pub const STORIES: [Story; 18] = [
    "dep_spike",
    "in_and_out",
    "rapid_move",
    "structuring",
    "structuring_day",
    "velocity",
    "round_amounts",
    "large_single",
    "large_cumulative",
    "geo_residence",
    "geo_nationality",
    "geo_login",
    "geo_monitored",
    "third_party",
    "third_party_again",
    "chargebacks",
    "dormant",
    "lot_change",
];

/// The amount from which more is asked, where he lives.
pub fn threshold(person: &Person) -> f64 {
    if person.about.entity.is_some() {
        return 10_000.0;
    }
    match person.about.residence.to_string().as_str() {
        "AU" => 6_500.0,
        "ZA" => 2_750.0,
        "AE" => 15_000.0,
        _ => 10_000.0,
    }
}

/// A client in whom a story is planted.
pub fn planted(story: Story, difficulty: Difficulty, seed: u64, number: u64) -> Person {
    let mut random = Random::of(seed ^ 0x000B_AD00, number);
    let kinds: &[Kind] = match story {
        "in_and_out" | "dormant" => &[Kind::Dormant],
        "dep_spike" => &[Kind::Saver, Kind::Salary, Kind::Casual],
        "lot_change" => &[Kind::Scalper, Kind::Salary],
        _ => &[Kind::Saver, Kind::Salary, Kind::Scalper, Kind::Dormant, Kind::Seasonal, Kind::Casual],
    };
    let mut person = of_kind(random.one_of(kinds), seed, number, random.whole(0, 20));
    person.by_others = 0.0;
    let day = random.whole(MEASURED + 10, END - 45);
    let from = day * DAY + random.whole(360, 1_080);
    let (from, until) = tell(&mut person, story, difficulty, from);
    person.kind = "planted";
    person.plant = Some(Plant { story, difficulty, from, until });
    person.told()
}

/// Deposits of shares of an amount, evenly over some days and shaken a little.
fn spread_out(person: &mut Person, from: i64, days: f64, count: i64, each: impl Fn(&mut Random) -> f64) -> i64 {
    let whole = (days * DAY as f64) as i64;
    let mut last = from;
    for n in 0..count {
        let shake = if n == 0 || n == count - 1 { 0 } else { person.random.whole(-whole / 12, whole / 12) / count };
        last = from + whole * n / (count - 1).max(1) + shake;
        let amount = each(&mut person.random);
        person.deposit(last, amount);
    }
    last
}

fn paid_by(person: &mut Person, minute: i64, name: NameMatch, amount: f64) {
    person.moves(MovementKind::Deposit, minute, amount, name);
}

/// The story; the minutes at which it begins and is over.
fn tell(person: &mut Person, story: Story, difficulty: Difficulty, from: i64) -> (i64, i64) {
    let until = match story {
        "dep_spike" | "structuring" | "structuring_day" | "velocity" | "round_amounts" | "large_cumulative" => {
            deposits(person, story, difficulty, from)
        }
        "large_single" => {
            let times = difficulty.of((2.0, 5.0), (1.2, 2.0), (1.0005, 1.08));
            let amount = threshold(person) * person.random.between(times.0, times.1);
            if person.random.is(0.5) {
                person.deposit(from, amount);
            } else {
                person.withdraw(from, amount);
            }
            from
        }
        "in_and_out" | "rapid_move" => through(person, story, difficulty, from),
        "third_party" | "third_party_again" => return others(person, story, difficulty, from),
        "chargebacks" => chargebacks(person, difficulty, from),
        "dormant" => wakes(person, difficulty, from),
        "lot_change" => {
            let day = from / DAY;
            let lots = usual_largest(person, day);
            let times = difficulty.of((50.0, 200.0), (15.0, 40.0), (9.5, 14.0));
            let largest = (lots * person.random.between(times.0, times.1)).max(0.1);
            person.trades(day, 2, lots, largest);
            (day + 1) * DAY
        }
        "geo_login" => log_ins(person, difficulty, from),
        _ => {
            papers(person, story, difficulty, from);
            // where he lives and whose national he is, is no moment
            return (MEASURED * DAY, (END - 1) * DAY);
        }
    };
    (from, until)
}

/// What was the largest of a usual day, as somebody at his account would see it.
fn usual_largest(person: &Person, day: i64) -> f64 {
    let before = person.history.days.iter().filter(|(told, _)| told.begins() < crate::person::moment(day * DAY));
    let mut sizes: Vec<f64> = before.filter_map(|(_, told)| told.largest()?.to_string().parse().ok()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes[sizes.len() / 2]
}

fn deposits(person: &mut Person, story: Story, difficulty: Difficulty, from: i64) -> i64 {
    let limit = threshold(person);
    match story {
        "dep_spike" => {
            let own = usual_month(person, from).max(200.0);
            let times = difficulty.of((20.0, 40.0), (12.0, 20.0), (9.7, 13.0));
            let count = difficulty.of(person.random.whole(1, 3), person.random.whole(2, 4), person.random.whole(5, 8));
            let days = difficulty.of(4.0, 15.0, person.random.between(24.0, 29.0));
            let total = own * person.random.between(times.0, times.1);
            spread_out(person, from, days, count, |_| total / count as f64)
        }
        "structuring" | "structuring_day" => {
            let in_a_day = story == "structuring_day";
            let shares = difficulty.of((0.85, 0.985), (0.82, 0.99), (0.785, 0.985));
            let count = difficulty.of(person.random.whole(4, 6), person.random.whole(3, 5), person.random.whole(3, 4));
            let days = match (in_a_day, difficulty) {
                (false, Difficulty::Easy) => 4.0,
                (false, Difficulty::Medium) => 6.0,
                (false, Difficulty::Hard) => person.random.between(5.0, 7.2),
                (true, Difficulty::Easy) => 0.4,
                (true, Difficulty::Medium) => 0.8,
                (true, Difficulty::Hard) => person.random.between(0.65, 1.02),
            };
            spread_out(person, from, days, count, |random| limit * random.between(shares.0, shares.1))
        }
        "velocity" => {
            let (count, minutes) = match difficulty {
                Difficulty::Easy => (person.random.whole(8, 15), 40.0),
                Difficulty::Medium => (person.random.whole(5, 7), 50.0),
                Difficulty::Hard if person.random.is(0.5) => {
                    (person.random.whole(5, 7), person.random.between(45.0, 64.0))
                }
                Difficulty::Hard => (person.random.whole(10, 12), person.random.between(1_100.0, 1_470.0)),
            };
            spread_out(person, from, minutes / DAY as f64, count, |random| random.between(20.0, 90.0))
        }
        "round_amounts" => {
            let (count, days) = difficulty.of((5, 15.0), (4, 20.0), (3, 0.0));
            let days = if days > 0.0 { days } else { person.random.between(22.0, 30.5) };
            spread_out(person, from, days, count, |random| 1_000.0 * random.whole(1, 3) as f64)
        }
        _ => {
            let (total, days, count) = match difficulty {
                Difficulty::Easy => (person.random.between(2.0, 2.8), 0.3, 5),
                Difficulty::Medium => (person.random.between(1.2, 1.6), 0.65, 3),
                Difficulty::Hard => (person.random.between(1.02, 1.15), person.random.between(0.8, 1.01), 3),
            };
            if person.random.is(0.3) {
                let part = limit * total / count as f64;
                let apart = (days * DAY as f64) as i64 / (count - 1);
                for n in 0..count {
                    person.withdraw(from + n * apart, part);
                }
                return from + (count - 1) * apart;
            }
            spread_out(person, from, days, count, |_| limit * total / count as f64)
        }
    }
}

/// What he deposited in a month, half a year back.
fn usual_month(person: &Person, from: i64) -> f64 {
    let (after, until) = (crate::person::moment(from - 200 * DAY), crate::person::moment(from - 20 * DAY));
    let within = person.history.movements.iter().filter(|one| after < one.at && one.at <= until);
    let deposits = within.filter(|one| one.kind == MovementKind::Deposit);
    deposits.map(|one| one.amount.amount().to_string().parse::<f64>().unwrap()).sum::<f64>() / 6.0
}

/// Money comes and goes.
fn through(person: &mut Person, story: Story, difficulty: Difficulty, from: i64) -> i64 {
    let random = &mut person.random;
    let slow = story == "in_and_out";
    let amount = round(difficulty.of(
        random.between(3_000.0, 9_000.0),
        random.between(1_500.0, 7_000.0),
        random.between(1_200.0, 5_000.0),
    ));
    let shares = match (slow, difficulty) {
        (true, Difficulty::Easy) => (0.97, 1.0),
        (true, Difficulty::Medium) => (0.93, 0.99),
        (true, Difficulty::Hard) => (0.88, 0.97),
        (false, Difficulty::Easy) => (0.95, 1.0),
        (false, Difficulty::Medium) => (0.86, 0.98),
        (false, Difficulty::Hard) => (0.79, 0.92),
    };
    let hours = match (slow, difficulty) {
        (true, Difficulty::Easy) => random.between(80.0, 240.0),
        (true, Difficulty::Medium) => random.between(240.0, 600.0),
        (true, Difficulty::Hard) => random.between(480.0, 710.0),
        (false, Difficulty::Easy) => random.between(1.0, 24.0),
        (false, Difficulty::Medium) => random.between(24.0, 60.0),
        (false, Difficulty::Hard) => random.between(48.0, 72.3),
    };
    // so many times the deposit is traded, for show
    let turnover = match (slow, difficulty) {
        (_, Difficulty::Easy) => 0.0,
        (true, Difficulty::Medium) => random.between(0.0, 0.5),
        (true, Difficulty::Hard) => random.between(0.2, 1.05),
        (false, Difficulty::Medium) => random.between(0.0, 2.0),
        (false, Difficulty::Hard) => random.between(0.5, 12.0),
    };
    let out = amount * random.between(shares.0, shares.1);
    let parts = difficulty.of(1, 1, random.whole(1, 3));
    let until = from + (hours * 60.0) as i64;
    // nothing of his own comes between
    person.slept(from / DAY - 31, until / DAY + 1);
    person.deposit(from, amount);
    let lots = turnover * amount / 100_000.0;
    if lots >= 0.01 {
        person.trades(from / DAY + 1, 1, lots, lots);
    }
    for n in 0..parts {
        person.withdraw(until - (parts - 1 - n) * 90, out / parts as f64);
    }
    until
}

/// Payers of another name.
fn others(person: &mut Person, story: Story, difficulty: Difficulty, from: i64) -> (i64, i64) {
    let small = person.random.between(20.0, 400.0);
    if story == "third_party" {
        // one in twenty has nearly his name
        let unsure = difficulty == Difficulty::Hard && person.random.is(0.05);
        let name = if unsure { NameMatch::Unsure } else { NameMatch::Other };
        paid_by(person, from, name, difficulty.of(2_000.0, 500.0, small));
        return (from, from);
    }
    let (count, apart) = difficulty.of((4, 7), (2, 90), (2, 0));
    let apart = if apart > 0 { apart } else { person.random.whole(150, 182) };
    // the first is so early that the last is still told
    let first = from.min((END - 2) * DAY - (count - 1) * apart * DAY);
    for n in 0..count {
        paid_by(person, first + n * apart * DAY, NameMatch::Other, small);
    }
    (first, first + (count - 1) * apart * DAY)
}

/// Paid with cards that were not his.
fn chargebacks(person: &mut Person, difficulty: Difficulty, from: i64) -> i64 {
    let random = &mut person.random;
    let (count, total, days) = match difficulty {
        Difficulty::Easy => (random.whole(3, 5), random.between(8_000.0, 20_000.0), 3.0),
        Difficulty::Medium => (random.whole(3, 4), random.between(5_500.0, 7_000.0), 6.0),
        Difficulty::Hard if random.is(0.5) => (2, random.between(4_950.0, 5_600.0), random.between(5.5, 7.1)),
        // small ones, but nearly all that he paid
        Difficulty::Hard => (3, random.between(150.0, 600.0), random.between(14.0, 21.3)),
    };
    let apart = (days * DAY as f64) as i64 / (count - 1);
    for n in 0..count {
        let each = total / count as f64;
        person.moves(MovementKind::Deposit, from - 3 * DAY + n * 300, each, NameMatch::Same);
        person.moves(MovementKind::Chargeback, from + n * apart, each, NameMatch::Same);
    }
    from + (count - 1) * apart
}

/// An account that sleeps, until somebody else has it.
fn wakes(person: &mut Person, difficulty: Difficulty, from: i64) -> i64 {
    let random = &mut person.random;
    let days = difficulty.of(random.whole(300, 350), random.whole(200, 300), random.whole(180, 205));
    let amounts = difficulty.of((5_000.0, 9_500.0), (2_500.0, 5_000.0), (950.0, 2_500.0));
    let amount = random.between(amounts.0, amounts.1);
    let pays_in = random.is(0.5);
    person.slept(from / DAY - days, END);
    person.deposit(from - days * DAY - 30, 100.0);
    if pays_in {
        person.deposit(from, amount);
    } else {
        person.withdraw(from, amount);
    }
    from
}

/// Countries in his papers.
fn papers(person: &mut Person, story: Story, difficulty: Difficulty, from: i64) {
    if story == "geo_nationality" {
        let listed = difficulty.of(["IR", "KP"], ["MM", "IR"], ["MM", "IR"]);
        person.about.nationality = country(person.random.one_of(&listed));
        if difficulty == Difficulty::Hard {
            // he has hardly anything to do with us
            person.slept(MEASURED - 31, END);
            person.withdraw(from, 60.0);
        } else {
            person.deposit(from, 250.0);
        }
        return;
    }
    // the hard ones are listed in the middle of the year
    let listed = if story == "geo_residence" {
        difficulty.of(["IR", "KP", "MM"], ["YE", "SS", "HT"], ["VE", "KE", "LB"])
    } else {
        difficulty.of(["SY", "YE", "CD"], ["VN", "BG", "KE"], ["BO", "VG", "BO"])
    };
    person.about.residence = country(person.random.one_of(&listed));
    // what only the EU lists counts for its clients
    let of_the_eu = story == "geo_residence" && difficulty != Difficulty::Easy;
    person.about.entity = of_the_eu.then(|| "pipworks_eu".to_owned());
    person.deposit((END - 20) * DAY, 150.0);
}

fn log_ins(person: &mut Person, difficulty: Difficulty, from: i64) -> i64 {
    // one in twenty hides his address well
    let hidden = difficulty == Difficulty::Hard && person.random.is(0.05);
    let listed = country(person.random.one_of(&["IR", "KP", "MM"]));
    for n in 0..difficulty.of(6, 2, 1) {
        person.login_from(from + n * 700, (!hidden).then_some(listed));
    }
    from + 4_000
}
