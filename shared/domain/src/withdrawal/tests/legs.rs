//! A withdrawal that goes to several places: each leg is paid at most once or put back once, and ledger, platform and provider agree.

use super::*;

const PARTS: [&str; 3] = ["60.00", "50.00", "40.00"];

fn plan() -> Vec<Leg> {
    let source = |(amount, number): (&str, u128)| {
        let payment_id = PaymentId::from_bits(100 + number);
        let destination = Destination::Source { payment_id, reference: format!("pi_{number}") };
        Leg { target: Target { destination, ..wallet() }, amount: usd(amount), payee: None }
    };
    PARTS.into_iter().zip(1..).map(source).collect()
}

/// The whole, and its legs.
struct Split {
    whole: Story,
    legs: Vec<Story>,
}

impl Split {
    fn begin(approved: bool) -> Self {
        let asked = asked(approved, &plan()).next;
        let legs = asked.legs_of(plan()).into_iter().map(|leg| Story::of(leg.next)).collect();
        Self { whole: Story::of(asked), legs }
    }

    fn of(&mut self, place: usize) -> &mut Story {
        match place % (PARTS.len() + 1) {
            0 => &mut self.whole,
            leg => &mut self.legs[leg - 1],
        }
    }

    fn now(&self) -> i64 {
        self.whole.now
    }

    fn pass(&mut self, seconds: i64) {
        self.whole.now += seconds;
        self.legs.iter_mut().for_each(|leg| leg.now += seconds);
    }

    /// The worker that sees after legs; it dies after so many of them.
    fn see_after_legs(&mut self, dies_after: usize) {
        let whole = self.whole.own.clone();
        let now = at(self.now());
        for (place, leg) in self.legs.iter_mut().enumerate() {
            if place >= dies_after {
                return;
            }
            let verdict = leg.own.with_whole(&whole, now);
            leg.take(&verdict);
            let again = leg.own.with_whole(&whole, now);
            assert!(matches!(again, Verdict::Nothing(_)), "begun twice: {again:?}");
        }
        let legs: Vec<Withdrawal> = self.legs.iter().map(|leg| leg.own.clone()).collect();
        let verdict = self.whole.own.with_legs(&legs, now);
        self.whole.take(&verdict);
        let again = self.whole.own.with_legs(&legs, now);
        assert!(matches!(again, Verdict::Nothing(_)), "judged twice: {again:?}");
        if self.whole.own.inner.legs_begun {
            let sum = |of: fn(&WithdrawalFacts) -> Option<Money>| {
                legs.iter().filter_map(|leg| of(&leg.facts)).reduce(|a, b| a.checked_add(&b).unwrap())
            };
            let facts = &self.whole.own.facts;
            assert_eq!((facts.paid, facts.returned), (sum(|facts| facts.paid), sum(|facts| facts.returned)));
        }
    }

    fn holds(&self) {
        let [debits, backs] = self.whole.outside.booked;
        assert!(debits <= 1 && backs <= debits && self.whole.outside.paid == 0, "{:?}", self.whole.outside);
        for leg in &self.legs {
            let [debits, backs] = leg.outside.booked;
            assert!(debits == 0 && backs <= 1 && leg.outside.paid <= 1, "{:?}", leg.outside);
            assert!(!(backs == 1 && leg.outside.paid == 1), "paid and put back: {:?}", leg.own.facts);
            let moved = backs + leg.outside.paid > 0;
            assert!(!moved || self.whole.own.facts.debited.is_some(), "moved before the debit is known");
            assert!(!moved || self.whole.outside.booked == [1, 0], "{:?}", self.whole.outside);
        }
        let all = || std::iter::once(&self.whole).chain(&self.legs);
        let sum = |of: &dyn Fn(&Story) -> Money| {
            all().fold(Money::zero(usd("0").currency()), |sum, own| sum.checked_add(&of(own)).unwrap())
        };
        let told = |money: Option<Money>| money.unwrap_or(Money::zero(usd("0").currency()));
        let legs_told = |of: fn(&WithdrawalFacts) -> Option<Money>| {
            self.legs.iter().fold(usd("0"), |sum, leg| sum.checked_add(&told(of(&leg.own.facts))).unwrap())
        };
        // each leg books no more than its own part, and the whole nothing at the provider
        assert_eq!(sum(&|own| own.provider), legs_told(|facts| facts.paid).negated());
        assert_eq!(self.whole.provider, usd("0"));
    }

    /// Everything is over, here and outside.
    fn is_settled(&self) {
        let all = || std::iter::once(&self.whole).chain(&self.legs);
        for own in all() {
            assert!(own.own.status().is_over(), "{:?}", own.own.facts);
        }
        let zero = usd("0");
        let (mut platform, mut provider) = (zero, zero);
        for own in all() {
            let amount = own.own.facts.requested;
            let plus = |sum: Money, often: u32| (0..often).fold(sum, |sum, _| sum.checked_add(&amount).unwrap());
            let [off, on] = own.outside.booked;
            platform = plus(less(platform, plus(zero, off)), on);
            provider = plus(provider, own.outside.paid);
        }
        let sum = |of: fn(&Story) -> Money| all().fold(zero, |sum, own| sum.checked_add(&of(own)).unwrap());
        assert_eq!(sum(|own| own.client).negated(), platform, "ledger and platform");
        assert_eq!(sum(|own| own.provider).negated(), provider, "ledger and provider");
        assert_eq!(sum(|own| own.payable), zero, "nothing is owed any more");
        let facts = &self.whole.own.facts;
        if facts.debited.is_some() && self.whole.own.inner.legs_begun {
            let shown = [facts.paid, facts.returned].into_iter().flatten();
            assert_eq!(shown.reduce(|a, b| a.checked_add(&b).unwrap()), Some(usd("150.00")), "{facts:?}");
            assert_eq!(facts.status == WithdrawalStatus::PaidOut, facts.paid.is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_to_its_legs_each_is_paid_once_or_put_back_once(
        approved: bool,
        steps in proptest::collection::vec((0_u8..7, 0_usize..8, any::<u8>(), 1_i64..400), 0..90),
    ) {
        let mut split = Split::begin(approved);
        for (what, place, fate, wait) in steps {
            split.pass(wait);
            match what {
                0 | 1 => split.of(place).book(fate),
                2 => split.of(place).pay(fate),
                3 => split.of(place).webhook(fate),
                4 => split.of(place).person(fate),
                5 => split.see_after_legs(place),
                _ if fate < 40 => split.of(place).cancel(),
                _ => {}
            }
            split.holds();
        }
        for _ in 0..60 {
            split.pass(901);
            for place in 0..=PARTS.len() {
                split.of(place).book(0);
                split.of(place).pay(0);
                split.of(place).person(1);
            }
            split.see_after_legs(usize::MAX);
            split.holds();
        }
        split.is_settled();
    }
}

#[test]
fn a_leg_that_fails_puts_back_its_own_part_and_the_rest_is_paid() {
    let mut split = Split::begin(true);
    split.whole.book(0);
    assert_eq!(split.whole.own.status(), WithdrawalStatus::Debited);
    split.see_after_legs(usize::MAX);
    assert_eq!(split.whole.own.status(), WithdrawalStatus::PayingOut);
    for (leg, fate) in split.legs.iter_mut().zip([0, 3, 0]) {
        leg.pay(fate);
    }
    split.see_after_legs(usize::MAX);
    assert_eq!(split.whole.own.status(), WithdrawalStatus::PayoutFailed);
    assert_eq!(split.whole.own.operation(), None, "each leg puts back its own part");
    let back = split.legs[1].own.operation().unwrap();
    assert_eq!((back.amount, back.reference.len()), (usd("50.00"), 31));
    split.legs[1].book(0);
    split.see_after_legs(usize::MAX);
    let facts = &split.whole.own.facts;
    assert_eq!(facts.status, WithdrawalStatus::PaidOut);
    assert_eq!((facts.paid, facts.returned), (Some(usd("100.00")), Some(usd("50.00"))));
    split.is_settled();
    // and what comes back later is the leg's, and shows
    split.legs[0].webhook(3);
    split.legs[0].book(0);
    split.see_after_legs(usize::MAX);
    assert_eq!(split.whole.own.facts.returned, Some(usd("110.00")));
    split.is_settled();
}

#[test]
fn legs_end_with_the_whole_and_are_never_taken_back_alone() {
    let mut split = Split::begin(false);
    assert!(split.legs[0].own.cancelled(at(1)).is_err());
    let cancelled = split.whole.own.cancelled(at(1)).unwrap();
    assert!(cancelled.events.contains(&"withdrawal.legs_due"));
    split.whole.take(&Verdict::Change(Box::new(cancelled)));
    split.see_after_legs(usize::MAX);
    for leg in &split.legs {
        assert_eq!((leg.own.status(), leg.own.due), (WithdrawalStatus::Cancelled, None));
        assert!(matches!(leg.own.payout_step(at(2)), PayoutStep::Nothing(_)));
    }
}

#[test]
fn what_is_planned_again_is_planned_alike_and_each_leg_is_another_payment() {
    let (one, two) = (asked(true, &plan()).next, asked(true, &plan()).next);
    assert_eq!(one.facts.legs, two.facts.legs);
    let mut ids: Vec<&PaymentId> = one.facts.legs.iter().map(|leg| &leg.payment_id).chain([&one.id]).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), PARTS.len() + 1);
    assert_eq!(one.facts.source_payment_id, None, "it takes nothing of a source itself");
}

#[test]
fn what_was_stored_before_there_were_legs_is_read() {
    let facts = serde_json::json!({
        "status": "paying_out", "account_id": AccountId::from_bits(3), "requested": usd("150.00"),
        "psp": {"name": "stripe", "reference": ""}, "platform": {"name": "mt5", "login": "954402"}, "way": "source",
        "source_payment_id": PaymentId::from_bits(9),
    });
    let inner = serde_json::json!({
        "t0": 1_795_432_500_000_i64, "tl": [["requested", 0, "q"], ["approved", 0, "a"]],
        "to": {"source": {"payment_id": PaymentId::from_bits(9), "reference": "pi_1"}},
    });
    let facts: WithdrawalFacts = serde_json::from_value(facts).unwrap();
    let inner: WithdrawalInner = serde_json::from_value(inner).unwrap();
    assert!(facts.legs.is_empty() && facts.part_of.is_none() && !inner.legs_begun);
    let split = asked(true, &plan()).next;
    let public = serde_json::to_value(&split.facts).unwrap();
    assert_eq!(public["legs"][1]["amount"]["amount"], "50.00");
    assert_eq!(serde_json::from_value::<WithdrawalFacts>(public).unwrap(), split.facts);
}
