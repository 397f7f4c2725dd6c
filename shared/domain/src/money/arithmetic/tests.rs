use proptest::prelude::*;

use super::*;

const ALL: [Rounding; 4] = [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up];

fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::parse(amount, currency.parse().unwrap()).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn decimals(texts: &[&str]) -> Vec<Decimal> {
    texts.iter().map(|text| decimal(text)).collect()
}

/// The product of two numbers in 256 bits, high half first, by another way than the code's.
fn wide(a: u128, b: u128) -> (u128, u128) {
    let split = |n: u128| (n >> 64, n & u128::from(u64::MAX));
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    let (cross1, cross0) = (a1 * b0, a0 * b1);
    let low = a0 * b0;
    let middle = (low >> 64) + split(cross1).1 + split(cross0).1;
    let high = a1 * b1 + split(cross1).0 + split(cross0).0 + split(middle).0;
    (high, (middle << 64) | split(low).1)
}

fn wide_add((high, low): (u128, u128), more: u128) -> (u128, u128) {
    let (low, carry) = low.overflowing_add(more);
    (high + u128::from(carry), low)
}

#[test]
fn each_rule_of_rounding_has_its_own_middle() {
    for (value, even, half_up, down, up) in [
        ("0.125", "0.12", "0.13", "0.12", "0.13"),
        ("0.135", "0.14", "0.14", "0.13", "0.14"),
        ("0.1249", "0.12", "0.12", "0.12", "0.13"),
        ("0.1251", "0.13", "0.13", "0.12", "0.13"),
        ("0.12", "0.12", "0.12", "0.12", "0.12"),
        ("0.0000000000000000000000000001", "0.00", "0.00", "0.00", "0.01"),
    ] {
        for (rounding, expected) in ALL.into_iter().zip([even, half_up, down, up]) {
            let of = |amount: &str| money(amount).multiply(decimal(value), rounding).unwrap();
            assert_eq!(of("1 USD"), money(&format!("{expected} USD")), "{value} {rounding:?}");
            assert_eq!(of("-1 USD"), money(&format!("{expected} USD")).negated(), "-{value} {rounding:?}");
        }
    }
}

#[test]
fn multiplies_in_each_currency_s_digits() {
    let half_even = |amount, factor| money(amount).multiply(decimal(factor), Rounding::HalfEven).unwrap().to_string();
    assert_eq!(half_even("1000 JPY", "0.0125"), "12 JPY");
    assert_eq!(half_even("1000.00 USD", "0.0125"), "12.50 USD");
    assert_eq!(half_even("1.001 BHD", "-0.5"), "-0.500 BHD");
    assert_eq!(half_even("5.00 USD", "0"), "0.00 USD");
}

#[test]
fn a_product_beyond_the_books_is_an_error() {
    let most = money("999999999999999.99 USD");
    assert_eq!(most.multiply(decimal("1.1"), Rounding::Down), Err(MoneyError::OutOfRange));
    assert_eq!(most.multiply(Decimal::MAX, Rounding::Down), Err(MoneyError::OutOfRange));
    assert_eq!(most.multiply(Decimal::MIN, Rounding::Up), Err(MoneyError::OutOfRange));
    assert_eq!(money("999999999999999 JPY").multiply(Decimal::MAX, Rounding::Up), Err(MoneyError::OutOfRange));
    // what only rounding brings over the limit
    assert_eq!(most.multiply(decimal("1.00000000000000000001"), Rounding::Up), Err(MoneyError::OutOfRange));
    assert_eq!(most.multiply(decimal("1.00000000000000000001"), Rounding::Down), Ok(most));
}

#[test]
fn is_exact_at_twenty_eight_digits() {
    // 999999999999999.99 * 0.9999999999999999999999999999 = 999999999999999.98999999999990000000000000001
    let most = money("999999999999999.99 USD");
    let factor = decimal("0.9999999999999999999999999999");
    assert_eq!(most.multiply(factor, Rounding::Up), Ok(most));
    assert_eq!(most.multiply(factor, Rounding::HalfEven), Ok(most));
    assert_eq!(most.multiply(factor, Rounding::Down), Ok(money("999999999999999.98 USD")));
    // the amount has two decimals, so 26 are left to the rate
    let eur = "EUR".parse().unwrap();
    assert_eq!(most.convert(factor, eur, Rounding::Up), Err(MoneyError::TooFine));
    let conversion = most.convert(decimal("0.99999999999999999999999999"), eur, Rounding::Down).unwrap();
    assert_eq!(conversion.result, money("999999999999999.98 EUR"));
    // 0.01 - 999999999999999.99 * 10^-26
    assert_eq!(conversion.remainder, decimal("0.0099999999900000000000000001"));
}

#[test]
fn splits_by_the_largest_remainder_and_of_equal_ones_the_first() {
    for (amount, weights, parts) in [
        ("1.00 USD", &["1", "1", "1"][..], &["0.34", "0.33", "0.33"][..]),
        ("-1.00 USD", &["1", "1", "1"], &["-0.34", "-0.33", "-0.33"]),
        ("0.05 USD", &["0.3", "0.7"], &["0.02", "0.03"]),
        ("100 JPY", &["33.3", "33.3", "33.4"], &["33", "33", "34"]),
        ("0.001 BHD", &["0", "1", "1"], &["0.000", "0.001", "0.000"]),
        ("0.02 USD", &["1", "1", "1", "0"], &["0.01", "0.01", "0.00", "0.00"]),
        ("0 USD", &["2", "1"], &["0.00", "0.00"]),
        ("12.34 USD", &["0.0000000000000000000000000001"], &["12.34"]),
    ] {
        let split = money(amount).split(&decimals(weights)).unwrap();
        assert_eq!(split.iter().map(Money::amount_text).collect::<Vec<_>>(), parts, "{amount} by {weights:?}");
    }
}

#[test]
fn refuses_weights_that_share_nothing_out() {
    let amount = money("1.00 USD");
    assert_eq!(amount.split(&[]), Err(MoneyError::NoWeight));
    assert_eq!(amount.split(&decimals(&["0", "0.00"])), Err(MoneyError::NoWeight));
    assert_eq!(amount.split(&decimals(&["2", "-1"])), Err(MoneyError::NegativeWeight));
    assert_eq!(amount.split(&[Decimal::MAX, Decimal::ONE]), Err(MoneyError::TooFine));
    assert_eq!(amount.split(&decimals(&["1000000", "0.0000000000000000000000000001"])), Err(MoneyError::TooFine));
    assert_eq!(amount.split(&[Decimal::MAX, Decimal::ZERO]), Ok(vec![amount, Money::zero(amount.currency())]));
}

#[test]
fn converts_and_says_what_rounding_left() {
    for (amount, rate, to, rounding, result, remainder) in [
        ("100.00 USD", "149.375", "JPY", Rounding::HalfEven, "14938 JPY", "-0.5"),
        ("100.00 USD", "149.375", "JPY", Rounding::Down, "14937 JPY", "0.5"),
        ("-100.00 USD", "149.375", "JPY", Rounding::Down, "-14937 JPY", "-0.5"),
        ("-100.00 USD", "149.375", "JPY", Rounding::Up, "-14938 JPY", "0.5"),
        ("14937 JPY", "0.00669456", "USD", Rounding::HalfEven, "100.00 USD", "-0.00335728"),
        ("1 JPY", "0.0025", "BHD", Rounding::HalfEven, "0.002 BHD", "0.0005"),
        ("1.000 BHD", "2.65957", "USD", Rounding::HalfUp, "2.66 USD", "-0.00043"),
        ("7.50 EUR", "2", "BHD", Rounding::Up, "15.000 BHD", "0"),
        ("0 EUR", "1.0837", "USD", Rounding::Up, "0.00 USD", "0"),
    ] {
        let conversion = money(amount).convert(decimal(rate), to.parse().unwrap(), rounding).unwrap();
        assert_eq!(
            (conversion.result, conversion.remainder),
            (money(result), decimal(remainder)),
            "{amount} at {rate}"
        );
    }
}

#[test]
fn a_rate_is_above_zero() {
    for rate in ["0", "0.000", "-1.0837"] {
        let conversion = money("1.00 EUR").convert(decimal(rate), "USD".parse().unwrap(), Rounding::HalfEven);
        assert_eq!(conversion, Err(MoneyError::RateNotPositive), "{rate}");
    }
    let yen = money("999999999999999.99 USD").convert(decimal("149.375"), "JPY".parse().unwrap(), Rounding::HalfEven);
    assert_eq!(yen, Err(MoneyError::OutOfRange));
}

prop_compose! {
    fn any_money()(
        minor in prop_oneof![-99_999_i64..=99_999, -999_999_999_999_999_i64..=999_999_999_999_999],
        code in prop::sample::select(vec!["USD", "JPY", "BHD"]),
    ) -> Money {
        Money::from_minor(minor, code.parse().unwrap()).unwrap()
    }
}

prop_compose! {
    /// Zero or above, of any size and scale that a decimal has.
    fn any_decimal()(bits in any::<u128>(), shift in 32_u32..=127, scale in 0_u32..=28) -> Decimal {
        Decimal::try_from_i128_with_scale(i128::try_from(bits >> shift).unwrap(), scale).unwrap()
    }
}

fn any_rounding() -> impl Strategy<Value = Rounding> {
    prop::sample::select(ALL.to_vec())
}

#[test]
fn a_part_of_nothing_or_of_another_currency_is_no_part() {
    let amount = money("10.00 USD");
    let part = |part: &str, whole: &str| amount.proportion(&money(part), &money(whole), Rounding::HalfEven);
    assert_eq!(part("1 JPY", "3 JPY"), Ok(money("3.33 USD")));
    assert_eq!(part("3 JPY", "3 JPY"), Ok(amount));
    assert_eq!(part("0 JPY", "3 JPY"), Ok(money("0.00 USD")));
    assert_eq!(part("0 JPY", "0 JPY"), Err(MoneyError::NoWeight));
    assert_eq!(part("1 JPY", "3.00 USD"), Err(MoneyError::CurrencyMismatch));
    assert_eq!(part("-1 JPY", "3 JPY"), Err(MoneyError::NegativeWeight));
}

proptest! {
    /// Hundredths are what a factor can say exactly.
    #[test]
    fn a_proportion_of_a_hundred_is_a_product(minor in -10_000_000_i64..10_000_000, per_cent in 0_i64..300, rule in 0_usize..4) {
        let (amount, rounding) = (Money::from_minor(minor, money("1 USD").currency()).unwrap(), ALL[rule]);
        let jpy = |units: i64| Money::from_minor(units, money("1 JPY").currency()).unwrap();
        let product = amount.multiply(Decimal::new(per_cent, 2), rounding);
        prop_assert_eq!(amount.proportion(&jpy(per_cent), &jpy(100), rounding), product);
    }

    #[test]
    fn a_share_is_exact(amount in 0_u128..(1 << 60), part in 0_u128..(1 << 96), whole in 1_u128..(1 << 96)) {
        // out of 128 bits is an answer only for a share that is far beyond any amount
        if let Some((units, rest)) = share(amount, part, whole) {
            prop_assert!(rest < whole);
            prop_assert_eq!(wide_add(wide(units, whole), rest), wide(amount, part));
        } else {
            prop_assert!(part / whole >= 1 << 64);
        }
    }

    #[test]
    fn parts_sum_to_the_whole_and_each_is_less_than_a_unit_off(
        amount in any_money(),
        weights in prop::collection::vec(
            prop_oneof![Just(Decimal::ZERO), (0_i64..=1_000_000, 0_u32..=6).prop_map(|(n, scale)| Decimal::new(n, scale))],
            0..12,
        ),
        some in 1_i64..=1_000_000,
    ) {
        let weights = [weights, vec![Decimal::new(some, 3)]].concat();
        let total: Decimal = weights.iter().sum();
        let parts = amount.split(&weights).unwrap();
        prop_assert_eq!(parts.len(), weights.len());
        let mut sum = Money::zero(amount.currency());
        for (part, weight) in parts.iter().zip(&weights) {
            sum = sum.checked_add(part).unwrap();
            // |part * total - amount * weight| < unit * total, in whole numbers
            let whole = |n: &Decimal| (n * Decimal::new(1_000_000, 0)).to_string().split('.').next().unwrap().parse::<i128>().unwrap();
            let off = part.amount().mantissa() * whole(&total) - amount.amount().mantissa() * whole(weight);
            prop_assert!(off.abs() < whole(&total), "{part} of {amount} for {weight} of {total}");
            prop_assert!(!weight.is_zero() || part.amount().is_zero());
        }
        prop_assert_eq!(sum, amount);
        prop_assert_eq!(amount.split(&weights).unwrap(), parts);
        let negated: Vec<_> = amount.split(&weights).unwrap().iter().map(Money::negated).collect();
        prop_assert_eq!(amount.negated().split(&weights).unwrap(), negated);
    }

    #[test]
    fn a_split_by_any_weights_conserves(amount in any_money(), weights in prop::collection::vec(any_decimal(), 0..6)) {
        match amount.split(&weights) {
            Ok(parts) => {
                let sum = parts.iter().try_fold(Money::zero(amount.currency()), |sum, part| sum.checked_add(part));
                prop_assert_eq!(sum, Ok(amount));
            }
            Err(error) => prop_assert!(matches!(error, MoneyError::NoWeight | MoneyError::TooFine), "{error}"),
        }
    }

    #[test]
    fn result_and_remainder_are_the_exact_product(
        amount in any_money(),
        // 15 digits and 12: their product fits the 28 digits of a decimal, which then is the other way to compute it
        rate in (1_i64..=999_999_999_999, 0_u32..=12).prop_map(|(n, scale)| Decimal::new(n, scale)),
        to in prop::sample::select(vec!["USD", "JPY", "BHD"]).prop_map(|code| code.parse::<Currency>().unwrap()),
        rounding in any_rounding(),
    ) {
        match amount.convert(rate, to, rounding) {
            Ok(Conversion { result, remainder }) => {
                prop_assert_eq!(result.currency(), to);
                prop_assert_eq!(result.amount() + remainder, amount.amount() * rate);
                prop_assert!(remainder.abs() < Decimal::new(1, to.digits()));
                let size = remainder.abs();
                let half = Decimal::new(5, to.digits() + 1);
                match rounding {
                    Rounding::HalfEven | Rounding::HalfUp => prop_assert!(size <= half),
                    Rounding::Down => prop_assert!(result.amount().abs() <= (amount.amount() * rate).abs()),
                    Rounding::Up => prop_assert!(result.amount().abs() >= (amount.amount() * rate).abs()),
                }
                let back = amount.negated().convert(rate, to, rounding).unwrap();
                prop_assert_eq!((back.result, back.remainder), (result.negated(), -remainder));
            }
            Err(error) => {
                prop_assert_eq!(error, MoneyError::OutOfRange);
                prop_assert!((amount.amount() * rate).abs() >= Decimal::from(999_999_999_999_999_i64));
            }
        }
    }

    #[test]
    fn nothing_panics_at_any_size(amount in any_money(), factor in any_decimal(), rounding in any_rounding()) {
        for factor in [factor, -factor] {
            if let Err(error) = amount.multiply(factor, rounding) {
                prop_assert_eq!(error, MoneyError::OutOfRange);
            }
            if let Err(error) = amount.convert(factor, "EUR".parse().unwrap(), rounding) {
                prop_assert!(
                    matches!(error, MoneyError::RateNotPositive | MoneyError::OutOfRange | MoneyError::TooFine),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn one_changes_nothing(amount in any_money(), rounding in any_rounding(), zeros in 0_u32..=28) {
        let mut one = Decimal::ONE;
        one.rescale(zeros);
        prop_assert_eq!(amount.multiply(one, rounding), Ok(amount));
        prop_assert_eq!(amount.multiply(-one, rounding), Ok(amount.negated()));
        let same = amount.convert(one, amount.currency(), rounding);
        prop_assert_eq!(same, Ok(Conversion { result: amount, remainder: Decimal::ZERO }));
        prop_assert_eq!(amount.split(&[one]), Ok(vec![amount]));
    }

    #[test]
    fn rules_of_rounding_keep_their_order(amount in any_money(), factor in any_decimal(), more in any_decimal()) {
        let of = |rounding| amount.multiply(factor, rounding).map(|money| money.amount().abs());
        if let (Ok(down), Ok(even), Ok(half_up), Ok(up)) =
            (of(Rounding::Down), of(Rounding::HalfEven), of(Rounding::HalfUp), of(Rounding::Up))
        {
            prop_assert!(down <= even && even <= half_up && half_up <= up);
            prop_assert!(up - down <= Decimal::new(1, amount.currency().digits()));
        }
        // a larger factor never gives less
        let (less, more) = (factor.min(more), factor.max(more));
        for rounding in ALL {
            if let (Ok(less), Ok(more)) = (amount.multiply(less, rounding), amount.multiply(more, rounding)) {
                prop_assert!(less.amount().abs() <= more.amount().abs(), "{rounding:?}");
            }
        }
    }
}
