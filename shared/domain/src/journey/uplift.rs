//! What a journey is worth: how many of the treated and of those held out reached the goal, the difference with its interval, and whether
//! the two parts are as large as they should be. Newcombe's interval of the difference from two intervals of Wilson; a number only where
//! there are enough readers for one.

use rust_decimal::Decimal;
use serde::Serialize;

/// The quantile of the normal distribution for an interval of 95 per cent.
const Z: Decimal = Decimal::from_parts(1_959_964, 0, 0, false, 6);
/// Chi-square of one degree of freedom that one in a thousand exceeds.
const ALARM: Decimal = Decimal::from_parts(10_827_566, 0, 0, false, 6);
/// Fewer expected than this in a part are too few.
const EXPECTED_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 0);
/// Digits that are told.
const DIGITS: u32 = 6;
/// Rounds of the root: each doubles the digits that are right.
const ROUNDS: usize = 60;

/// How many reached the goal, of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Arm {
    /// Readers.
    pub entered: u64,
    /// Those who reached the goal.
    pub goals: u64,
}

/// The difference between the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uplift {
    /// The share of the treated who reached it.
    pub treated: Decimal,
    /// The share of those held out.
    pub control: Decimal,
    /// The difference.
    pub difference: Decimal,
    /// Where it lies with the confidence below.
    pub interval: [Decimal; 2],
    /// In per cent.
    pub confidence: u32,
}

/// Whether the parts are as large as the assignment makes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RatioCheck {
    /// Chi-square of one degree of freedom.
    pub chi_square: Decimal,
    /// Less likely than one in a thousand: do not believe the figures.
    pub alarm: bool,
}

fn of(number: u64) -> Decimal {
    Decimal::from(number)
}

/// Zero where it cannot be told.
fn ratio(part: Decimal, whole: Decimal) -> Decimal {
    part.checked_div(whole).unwrap_or_default()
}

/// The square root, by Newton.
fn root(square: Decimal) -> Decimal {
    if square <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    let mut guess = square.max(Decimal::ONE);
    for _ in 0..ROUNDS {
        let better = (guess + ratio(square, guess)) / Decimal::TWO;
        if better == guess {
            break;
        }
        guess = better;
    }
    guess
}

impl Arm {
    /// The share, and the ends of Wilson's interval.
    pub fn wilson(&self) -> (Decimal, Decimal, Decimal) {
        let (n, p) = (of(self.entered), ratio(of(self.goals), of(self.entered)));
        let z2 = Z * Z;
        let middle = p + ratio(z2, Decimal::TWO * n);
        let spread = Z * root(ratio(p * (Decimal::ONE - p) + ratio(z2, of(4) * n), n));
        let whole = Decimal::ONE + ratio(z2, n);
        (p, ratio(middle - spread, whole).max(Decimal::ZERO), ratio(middle + spread, whole).min(Decimal::ONE))
    }
}

/// The difference with its interval, whether or not there are enough.
pub fn newcombe(treated: Arm, control: Arm) -> Uplift {
    let (t, t_low, t_high) = treated.wilson();
    let (c, c_low, c_high) = control.wilson();
    let far = |a: Decimal, b: Decimal| root(a * a + b * b);
    let difference = t - c;
    let interval = [difference - far(t - t_low, c_high - c), difference + far(t_high - t, c - c_low)];
    let told = |number: Decimal| number.round_dp(DIGITS);
    Uplift {
        treated: told(t),
        control: told(c),
        difference: told(difference),
        interval: interval.map(told),
        confidence: 95,
    }
}

/// The difference; `None` where there are too few for a number: less than five would be expected to reach the goal, or to miss it, in one
/// of the parts.
pub fn uplift(treated: Arm, control: Arm) -> Option<Uplift> {
    let all = of(treated.entered.saturating_add(control.entered));
    let pooled = ratio(of(treated.goals.saturating_add(control.goals)), all);
    let enough = |arm: Arm| pooled * of(arm.entered) >= EXPECTED_MIN;
    (enough(treated) && enough(control)).then(|| newcombe(treated, control))
}

/// Whether so many treated and held out are what an assignment of so many held out of 10 000 makes; none where nobody is held out, or
/// nobody entered.
pub fn ratio_check(treated: u64, control: u64, held_out: u32) -> Option<RatioCheck> {
    let all = of(treated.saturating_add(control));
    let expected = all * Decimal::from(held_out) / Decimal::from(super::cohort::BUCKETS);
    if expected <= Decimal::ZERO || expected >= all {
        return None;
    }
    let apart = of(control) - expected;
    let chi_square = ratio(apart * apart, expected) + ratio(apart * apart, all - expected);
    Some(RatioCheck { chi_square: chi_square.round_dp(4), alarm: chi_square > ALARM })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_worked_examples_come_to_their_intervals() {
        let (treated, control) = (Arm { entered: 5_400, goals: 612 }, Arm { entered: 600, goals: 48 });
        let told = uplift(treated, control).unwrap();
        assert_eq!((told.difference, told.interval), (dec("0.033333"), [dec("0.007527"), dec("0.054362")]));
        let (_, low, high) = treated.wilson();
        assert_eq!((low.round_dp(6), high.round_dp(6)), (dec("0.105152"), dec("0.122065")));
        let (_, low, high) = control.wilson();
        assert_eq!((low.round_dp(6), high.round_dp(6)), (dec("0.060869"), dec("0.104475")));
        // 9 of 45 against none of 5: too few, and this is what the interval would be
        let (treated, control) = (Arm { entered: 45, goals: 9 }, Arm { entered: 5, goals: 0 });
        assert_eq!(uplift(treated, control), None);
        let told = newcombe(treated, control);
        assert_eq!((told.difference, told.interval), (dec("0.2"), [dec("-0.243918"), dec("0.338230")]));
        assert_eq!(uplift(Arm::default(), Arm::default()), None);
    }

    #[test]
    fn parts_that_are_not_as_large_as_they_should_be_are_told() {
        let check = |treated, control| ratio_check(treated, control, 1_000).unwrap();
        assert_eq!(check(5_480, 520), RatioCheck { chi_square: dec("11.8519"), alarm: true });
        assert_eq!(check(5_467, 533), RatioCheck { chi_square: dec("8.3130"), alarm: false });
        assert_eq!(ratio_check(10, 0, 0), None);
        assert_eq!(ratio_check(0, 0, 1_000), None);
    }

    /// A planted effect lies within the interval about as often as the interval says.
    #[test]
    fn a_planted_effect_is_recovered_as_often_as_promised() {
        let mut seed = 42_u64;
        let mut draw = |of_ten_thousand: u64, times: u64| {
            let mut hits = 0;
            for _ in 0..times {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                hits += u64::from((seed >> 33) % 10_000 < of_ten_thousand);
            }
            hits
        };
        let planted = dec("0.04");
        let mut covered = 0;
        for _ in 0..1_000 {
            let treated = Arm { entered: 900, goals: draw(1_200, 900) };
            let control = Arm { entered: 150, goals: draw(800, 150) };
            let [low, high] = newcombe(treated, control).interval;
            covered += u32::from(low <= planted && planted <= high);
        }
        assert!((930..=975).contains(&covered), "{covered} of 1000");
    }
}
