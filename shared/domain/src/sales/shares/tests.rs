use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

const NAMES: [&str; 8] = ["ana", "ben", "carl", "dora", "emil", "fay", "gus", "hana"];

/// What happens in a pool.
#[derive(Debug, Clone, Copy)]
enum Step {
    Lead,
    Join(usize),
    Leave(usize),
    Pause(usize),
    Minutes(u32),
}

fn steps(with_pauses: bool) -> impl Strategy<Value = Vec<Step>> {
    let who = 0..NAMES.len();
    let step = prop_oneof![
        6 => Just(Step::Lead),
        1 => who.clone().prop_map(Step::Join),
        1 => who.clone().prop_map(Step::Leave),
        u32::from(with_pauses) => who.prop_map(Step::Pause),
        1 => (1_u32..90).prop_map(Step::Minutes),
    ];
    prop::collection::vec(step, 1..250)
}

/// A pool played by the code, beside what each member should have had and what they got, reckoned independently.
struct Played {
    shares: Shares,
    weights: Vec<u32>,
    there: BTreeMap<&'static str, Part>,
    now: Timestamp,
    catch_up: Option<Seconds>,
    should: BTreeMap<&'static str, Decimal>,
    got: BTreeMap<&'static str, Decimal>,
}

impl Played {
    fn new(weights: &[u32], catch_up: Option<Seconds>) -> Self {
        Self {
            shares: Shares::default(),
            weights: weights.to_vec(),
            there: BTreeMap::new(),
            now: Timestamp::from_seconds(1_795_428_930).unwrap(),
            catch_up,
            should: BTreeMap::new(),
            got: BTreeMap::new(),
        }
    }

    fn weight(&self, name: &str) -> u32 {
        self.weights[NAMES.iter().position(|n| *n == name).unwrap()]
    }

    fn settle(&mut self) {
        let there: BTreeMap<&str, (u32, Part)> =
            self.there.iter().map(|(name, part)| (*name, (self.weight(name), *part))).collect();
        self.shares.settle(&there, self.catch_up, self.now);
    }

    /// Who leaves hands what is open over to those who stay.
    fn leave(&mut self, name: &'static str) {
        self.there.remove(name);
        let open = self.should.remove(name).unwrap_or_default() - self.got.remove(name).unwrap_or_default();
        let all: u32 = self.should.keys().map(|n| self.weight(n)).sum();
        for stays in self.should.keys().copied().collect::<Vec<_>>() {
            let part = Decimal::from(self.weight(stays)) / Decimal::from(all);
            *self.should.entry(stays).or_default() += open * part;
        }
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Join(who) => {
                self.there.insert(NAMES[who], Part::Present);
                self.should.entry(NAMES[who]).or_default();
            }
            Step::Leave(who) if self.there.contains_key(NAMES[who]) => self.leave(NAMES[who]),
            Step::Pause(who) if self.there.contains_key(NAMES[who]) => {
                if self.catch_up.is_none() {
                    self.leave(NAMES[who]);
                } else {
                    self.there.insert(NAMES[who], Part::Pausing);
                }
            }
            Step::Minutes(minutes) => self.now = self.now.plus(Seconds(minutes * 60)),
            Step::Leave(_) | Step::Pause(_) | Step::Lead => {}
        }
        self.settle();
        if matches!(step, Step::Lead) {
            self.lead();
        }
    }

    fn lead(&mut self) -> Option<&'static str> {
        let present: BTreeMap<&str, u32> = self
            .there
            .iter()
            .filter(|(_, part)| **part == Part::Present)
            .map(|(name, _)| (*name, self.weight(name)))
            .collect();
        let to = *NAMES.iter().find(|name| self.shares.next(&present) == Some(name))?;
        let sharing: BTreeMap<&str, u32> =
            self.should.keys().filter(|n| self.there.contains_key(*n)).map(|n| (*n, self.weight(n))).collect();
        self.shares.give(&sharing, to);
        let all: u32 = sharing.values().sum();
        for (name, weight) in &sharing {
            let name = NAMES.iter().find(|n| *n == name).unwrap();
            *self.should.entry(name).or_default() += Decimal::from(*weight) / Decimal::from(all);
        }
        *self.got.entry(to).or_default() += Decimal::ONE;
        Some(to)
    }

    fn open(&self, name: &str) -> Decimal {
        self.should.get(name).copied().unwrap_or_default() - self.got.get(name).copied().unwrap_or_default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everybody_stays_within_one_lead_of_their_share_whoever_comes_and_goes(
        weights in prop::collection::vec(1_u32..10, NAMES.len()), steps in steps(true),
    ) {
        let mut pool = Played::new(&weights, None);
        // what is open of several who leave can fall to one who stays: that is made up for with the next leads
        let mut handed_over = false;
        for step in steps {
            handed_over |= matches!(step, Step::Leave(_) | Step::Pause(_));
            pool.play(step);
            prop_assert_eq!(pool.shares.lags().map(|(_, lag)| lag).sum::<i64>(), 0, "the open fractions add up to nothing");
            for name in pool.there.keys() {
                let open = pool.open(name);
                prop_assert!(handed_over || open.abs() < Decimal::ONE, "{name} is {open} away after {step:?}");
                let reckoned = open * Decimal::from(WHOLE) - Decimal::from(pool.shares.lag(name));
                prop_assert!(reckoned.abs() < Decimal::from(10_000), "{name}: {reckoned} billionths apart");
            }
        }
        let all: u32 = pool.there.keys().map(|name| pool.weight(name)).sum();
        (0..2 * all).for_each(|_| pool.play(Step::Lead));
        for name in pool.there.keys() {
            prop_assert!(pool.open(name).abs() < Decimal::ONE, "{name} is {} away for good", pool.open(name));
        }
    }

    #[test]
    fn who_comes_back_in_time_gets_every_lead_until_the_share_is_made_up(
        weights in prop::collection::vec(1_u32..10, NAMES.len()), missed in 1_usize..40, others in 1_usize..7,
    ) {
        let mut pool = Played::new(&weights, Some(Seconds(3_600)));
        (0..=others).for_each(|who| pool.play(Step::Join(who)));
        pool.play(Step::Pause(0));
        (0..missed).for_each(|_| pool.play(Step::Lead));
        prop_assert_eq!(pool.got.get(NAMES[0]), None);
        pool.play(Step::Join(0));
        while pool.shares.lag(NAMES[0]) >= WHOLE {
            prop_assert_eq!(pool.lead(), Some(NAMES[0]));
        }
        let all: u32 = weights[..=others].iter().sum();
        (0..all).for_each(|_| pool.play(Step::Lead));
        for name in pool.there.keys() {
            prop_assert!(pool.open(name).abs() < Decimal::ONE, "{name} is {} away", pool.open(name));
        }
    }

    #[test]
    fn settling_again_changes_nothing(weights in prop::collection::vec(1_u32..10, NAMES.len()), steps in steps(true)) {
        let mut pool = Played::new(&weights, Some(Seconds(1_800)));
        for step in steps {
            pool.play(step);
            let once = pool.shares.clone();
            pool.settle();
            prop_assert_eq!(&pool.shares, &once);
            prop_assert_eq!(once.lags().map(|(_, lag)| lag).sum::<i64>(), 0);
        }
    }
}

#[test]
fn a_weight_of_two_is_two_of_three_turns() {
    let mut pool = Played::new(&[2, 1, 1, 1, 1, 1, 1, 1], None);
    pool.play(Step::Join(0));
    pool.play(Step::Join(1));
    let turns: Vec<_> = (0..6).filter_map(|_| pool.lead()).collect();
    assert_eq!(turns, ["ana", "ben", "ana", "ana", "ben", "ana"]);
}

#[test]
fn who_pauses_too_long_begins_anew() {
    let mut pool = Played::new(&[1; 8], Some(Seconds(3_600)));
    (0..3).for_each(|who| pool.play(Step::Join(who)));
    pool.play(Step::Pause(0));
    (0..9).for_each(|_| pool.play(Step::Lead));
    assert!((pool.shares.lag("ana") - 3 * WHOLE).abs() < 10, "three of nine");
    pool.play(Step::Minutes(61));
    assert_eq!(pool.shares.lags().count(), 2, "the claim is over");
    pool.there.insert("ana", Part::Present);
    pool.settle();
    assert_eq!(pool.shares.lag("ana"), 0);
    let turns: Vec<_> = (0..3).map(|_| pool.lead().unwrap()).collect();
    assert_eq!(turns.iter().filter(|name| **name == "ana").count(), 1);
}
