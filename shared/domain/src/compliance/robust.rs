//! Statistics that an outlier does not move: median, and the modified z-score of Iglewicz and Hoaglin.

use rust_decimal::Decimal;

/// Digits after the point that are kept: far more than any threshold has.
const DIGITS: u32 = 12;
/// Nothing is farther off than this, also where all that was before is equal.
pub(super) const FARTHEST: i64 = 100;

/// The middle one; of an even number the mean of the two in the middle.
pub(super) fn median(values: &[Decimal]) -> Option<Decimal> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get((sorted.len() / 2).checked_sub(1)?)?;
    lower.checked_add(upper)?.checked_div(Decimal::TWO)
}

/// The mean.
pub(super) fn mean(values: &[Decimal]) -> Option<Decimal> {
    let sum = values.iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value))?;
    sum.checked_div(Decimal::from(u32::try_from(values.len()).ok()?))
}

/// The natural logarithm of a number above zero, to [`DIGITS`].
pub(super) fn ln(number: Decimal) -> Option<Decimal> {
    const LN_2: Decimal = Decimal::from_parts(0xAA7A_65BF, 0x81F5_2F01, 0x1665_943F, false, 28);
    if number <= Decimal::ZERO {
        return None;
    }
    let (mut rest, mut halvings) = (number, 0_i64);
    while rest >= Decimal::TWO {
        rest = rest.checked_div(Decimal::TWO)?;
        halvings += 1;
    }
    while rest < Decimal::ONE {
        rest = rest.checked_mul(Decimal::TWO)?;
        halvings -= 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), and |(m - 1) / (m + 1)| < 1/3
    let root = rest.checked_sub(Decimal::ONE)?.checked_div(rest.checked_add(Decimal::ONE)?)?;
    let square = root.checked_mul(root)?;
    let (mut power, mut sum) = (root, Decimal::ZERO);
    for odd in (1..60_u32).step_by(2) {
        sum = sum.checked_add(power.checked_div(Decimal::from(odd))?)?;
        power = power.checked_mul(square)?;
    }
    let whole = LN_2.checked_mul(Decimal::from(halvings))?;
    Some(whole.checked_add(sum.checked_mul(Decimal::TWO)?)?.round_dp(DIGITS).normalize())
}

/// How a value lies to earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deviation {
    /// 0.6745 (x - median) / MAD.
    pub(super) score: Decimal,
    /// The scale was the median of absolute deviations; else their mean, because most values are equal.
    pub(super) by_median: bool,
}

/// The modified z-score. Where the median of absolute deviations is zero, because most values are equal (fixed lots), their mean is the
/// scale: (x - median) / (1.253314 mean deviation). Where that is zero, too, all earlier values are equal, and another one is
/// [`FARTHEST`] off.
pub(super) fn deviation(value: Decimal, earlier: &[Decimal]) -> Option<Deviation> {
    const TO_SIGMA: Decimal = Decimal::from_parts(6745, 0, 0, false, 4);
    const OF_MEAN: Decimal = Decimal::from_parts(1_253_314, 0, 0, false, 6);
    let middle = median(earlier)?;
    let away = value.checked_sub(middle)?;
    let spread: Option<Vec<Decimal>> = earlier.iter().map(|one| one.checked_sub(middle).map(|off| off.abs())).collect();
    let spread = spread?;
    let (mad, mean) = (median(&spread)?, mean(&spread)?);
    let most = Decimal::from(FARTHEST);
    let score = if !mad.is_zero() {
        away.checked_mul(TO_SIGMA)?.checked_div(mad)
    } else if !mean.is_zero() {
        away.checked_div(mean.checked_mul(OF_MEAN)?)
    } else if away.is_zero() {
        Some(Decimal::ZERO)
    } else {
        Some(if away > Decimal::ZERO { most } else { -most })
    };
    // what does not fit a decimal is farther off than anything
    let score = score.unwrap_or(if away > Decimal::ZERO { most } else { -most });
    Some(Deviation { score: score.clamp(-most, most).round_dp(4).normalize(), by_median: !mad.is_zero() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn logarithms_are_those_of_the_tables() {
        for (number, log) in [
            ("1", "0"),
            ("2", "0.693147180560"),
            ("10", "2.302585092994"),
            ("0.01", "-4.605170185988"),
            ("50", "3.912023005428"),
            ("1.5", "0.405465108108"),
            ("79228162514264337593543950335", "66.542129333755"),
        ] {
            let off = (ln(d(number)).unwrap() - d(log)).abs();
            assert!(off < d("0.00000000001"), "ln {number} is off by {off}");
        }
        assert_eq!((ln(Decimal::ZERO), ln(d("-1"))), (None, None));
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_score() {
        let calm = ["1", "2", "3", "4", "5"].map(d);
        let wild = ["1", "2", "3", "4", "1000"].map(d);
        assert_eq!((median(&calm), median(&wild)), (Some(d("3")), Some(d("3"))));
        assert_eq!(deviation(d("10"), &calm), deviation(d("10"), &wild));
        assert_eq!(deviation(d("10"), &calm).unwrap().score, d("4.7215"));
        assert_eq!(median(&["4", "1"].map(d)), Some(d("2.5")));
        assert_eq!((median(&[]), mean(&[]), deviation(d("1"), &[])), (None, None, None));
    }

    #[test]
    fn where_most_are_equal_the_mean_deviation_is_the_scale() {
        let fixed = ["1", "1", "1", "1", "2"].map(d);
        // mean deviation 0.2: 4 / (1.253314 * 0.2)
        let off = deviation(d("5"), &fixed).unwrap();
        assert_eq!((off.score, off.by_median), (d("15.9577"), false));
        let equal = ["1"; 5].map(d);
        assert_eq!(deviation(d("1"), &equal).unwrap().score, Decimal::ZERO);
        assert_eq!(deviation(d("1.01"), &equal).unwrap().score, d("100"));
        assert_eq!(deviation(d("0.5"), &equal).unwrap().score, d("-100"));
    }
}
