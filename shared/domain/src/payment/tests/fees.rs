//! Our fee of a deposit, and what of credit and fee goes back with the money.

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use super::fixture::*;
use crate::decision::Decision;
use crate::ledger::{LedgerAccount, Postings};
use crate::money::{Conversion, Rounding};
use crate::payment::fee::{self, Fee, FeeMode, FeeOnReturn, FeeTerms};
use crate::payment::fx::{Fx, Quote};
use crate::payment::routing::RoutingCase;
use crate::payment::{CreditStep, Deposit, DepositStatus, PspStatus};
use crate::{Currency, Money};

const MODES: [FeeMode; 2] = [FeeMode::Inside, FeeMode::OnTop];
const RETURNS: [FeeOnReturn; 2] = [FeeOnReturn::Kept, FeeOnReturn::InProportion];

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn terms(mode: FeeMode, fixed: &str, per_cent: &str) -> FeeTerms {
    FeeTerms { mode, on_return: FeeOnReturn::Kept, fixed: dec(fixed), per_cent: dec(per_cent), min: None, max: None }
}

fn agreed(terms: &FeeTerms, amount: &str) -> Fee {
    fee::agreed("card", terms, money(amount)).unwrap()
}

/// A pending deposit of 1250.00 USD with a fee.
fn with_fee(mode: FeeMode, on_return: FeeOnReturn, fee: &str) -> Deposit {
    let mut deposit = pending();
    let amount = money(fee);
    deposit.facts.fee = Some(Fee { amount, mode, rule: "card".to_owned(), on_return, taken: None });
    deposit
}

fn collected(deposit: &Deposit, amount: &str) -> Decision<Deposit> {
    change(hear(deposit, &says(PspStatus::Succeeded, Some(amount), 10), 11))
}

fn credited(paid: &Deposit) -> Decision<Deposit> {
    let sent = save(paid.credit_step(at(12))).next;
    change(outcome(&sent, booked(), 13))
}

fn on(entry: &Postings, account: LedgerAccount, currency: &str) -> String {
    entry.on(&account, currency.parse().unwrap()).unwrap().amount_text()
}

#[test]
fn a_fee_is_fixed_and_a_part_within_its_bounds_rounded_once() {
    let of = |terms: &FeeTerms, amount: &str| terms.of(&money(amount)).unwrap().to_string();
    let card = terms(FeeMode::OnTop, "0.30", "2.9");
    assert_eq!(of(&card, "100.00 USD"), "3.20 USD");
    // 0.3045 and 0.30
    assert_eq!(of(&card, "10.50 USD"), "0.60 USD");
    // from the middle to the even digit: 0.005, 0.015
    assert_eq!(of(&terms(FeeMode::OnTop, "0", "2.5"), "0.20 USD"), "0.00 USD");
    assert_eq!(of(&terms(FeeMode::OnTop, "0", "2.5"), "0.60 USD"), "0.02 USD");
    assert_eq!(of(&terms(FeeMode::OnTop, "0", "1.5"), "1234 JPY"), "19 JPY");
    assert_eq!(of(&terms(FeeMode::OnTop, "0", "1.5"), "1.234 BHD"), "0.019 BHD");
    let bounded = FeeTerms { min: Some(dec("1")), max: Some(dec("25")), ..card };
    assert_eq!(of(&bounded, "10.00 USD"), "1.00 USD");
    assert_eq!(of(&bounded, "5000.00 USD"), "25.00 USD");
}

#[test]
fn inside_a_fee_never_takes_the_whole_amount() {
    let dear = terms(FeeMode::Inside, "10", "0");
    assert_eq!(dear.of(&money("9.00 USD")), Some(money("9.00 USD")), "never more than there is");
    assert!(fee::agreed("card", &dear, money("10.00 USD")).is_err());
    assert_eq!(agreed(&dear, "10.01 USD").amount, money("10.00 USD"));
    assert!(fee::agreed("card", &terms(FeeMode::OnTop, "10", "0"), money("9.00 USD")).is_ok());
}

#[test]
fn the_first_row_that_fits_says_the_fee_and_without_one_there_is_none() {
    let rules = psps_with(|document| {
        document["deposit_fees"] = json!([
            {"id": "card", "when": {"all": [{"field": "psp", "in": ["stripe"]}, {"field": "currency", "in": ["USD", "EUR"]}]},
             "then": {"mode": "on_top", "on_return": "kept", "fixed": "0.30", "per_cent": "2.9", "min": "1", "max": "25"}},
            {"id": "coins", "when": {"all": [{"field": "method", "exists": true}, {"field": "method", "eq": "USDTT"}]},
             "then": {"mode": "inside", "on_return": "in_proportion", "per_cent": "1"}},
        ]);
    });
    let fee = |psp: &str, amount: &str| {
        let case = RoutingCase {
            amount: money(amount),
            country: "ES".parse().unwrap(),
            account_type: "standard".to_owned(),
            entity: None,
        };
        let found = rules.candidate(rules.psp(psp).unwrap(), &case).unwrap().unwrap();
        found.fee.map(|fee| format!("{} {} {}", fee.rule, fee.amount, fee.mode))
    };
    assert_eq!(fee("stripe", "100.00 USD").as_deref(), Some("card 3.20 USD on_top"));
    assert_eq!(fee("coinspaid", "100.00 USD").as_deref(), Some("coins 1.00 USD inside"));
    assert_eq!(fee("stripe", "100.00 GBP"), None);
    assert_eq!(fee("adyen", "100.00 USD"), None);
}

#[test]
fn what_is_paid_with_its_fee_is_what_was_asked_for_and_the_books_say_both() {
    for (mode, paid, sum) in [(FeeMode::Inside, "1250.00 USD", "1210.00"), (FeeMode::OnTop, "1290.00 USD", "1250.00")] {
        let waiting = with_fee(mode, FeeOnReturn::Kept, "40.00 USD");
        assert_eq!(waiting.asked(), money(paid));
        let done = credited(&collected(&waiting, paid).next);
        assert_eq!(done.next.facts.credited, Some(money(&format!("{sum} USD"))), "{mode}");
        assert_eq!(done.next.facts.fee.as_ref().unwrap().taken, Some(money("40.00 USD")));
        assert_eq!(on(&done.postings, LedgerAccount::Fees, "USD"), "-40.00");
        assert_eq!(on(&done.postings, LedgerAccount::Psp("stripe".to_owned()), "USD"), money(paid).amount_text());
        let client = LedgerAccount::Client(done.next.facts.account_id.clone());
        assert_eq!(on(&done.postings, client, "USD"), format!("-{sum}"));
    }
}

#[test]
fn of_less_the_fee_is_the_same_part_and_of_more_what_was_agreed() {
    let waiting = with_fee(FeeMode::OnTop, FeeOnReturn::Kept, "40.00 USD");
    // on top, the amount alone is too little
    for (paid, kind, credit, fee) in [
        ("1250.00 USD", "deposit_underpaid", "1211.25", "38.75"),
        ("0.01 USD", "deposit_underpaid", "0.01", "0.00"),
        ("1300.00 USD", "deposit_overpaid", "1260.00", "40.00"),
    ] {
        let held = collected(&waiting, paid).next;
        assert_eq!(asks(&held), Some(kind), "{paid}");
        let sent_on = change(held.decided(&person(&held, "credit_paid_amount", None), at(20))).next;
        let sent = save(sent_on.looked_up(crate::payment::Found::Absent, REVIEW_AFTER, at(100))).next;
        let done = change(outcome(&sent, booked(), 101));
        assert_eq!(done.next.facts.credited.unwrap().amount_text(), credit, "{paid}");
        assert_eq!(done.next.facts.fee.unwrap().taken.unwrap().amount_text(), fee, "{paid}");
    }
    // what came in another currency bears none: nobody has agreed about it
    let other = collected(&waiting, "1290.00 EUR").next;
    assert_eq!(other.creditable(), money("1290.00 EUR"));
}

#[test]
fn what_a_part_that_goes_back_takes_with_it_is_the_rules_choice() {
    for (on_return, back, owed, fees) in [
        (FeeOnReturn::Kept, "645.00 USD", "645.00", "0.00"),
        (FeeOnReturn::Kept, "1270.00 USD", "1250.00", "20.00"),
        (FeeOnReturn::Kept, "1290.00 USD", "1250.00", "40.00"),
        (FeeOnReturn::InProportion, "645.00 USD", "625.00", "20.00"),
        (FeeOnReturn::InProportion, "1290.00 USD", "1250.00", "40.00"),
    ] {
        let done = credited(&collected(&with_fee(FeeMode::OnTop, on_return, "40.00 USD"), "1290.00 USD").next).next;
        let gone = change(hear(&done, &refund(Some(back), 20), 21));
        let account = LedgerAccount::Reversed(done.facts.account_id.clone());
        assert_eq!(on(&gone.postings, account, "USD"), owed, "{on_return} {back}");
        assert_eq!(on(&gone.postings, LedgerAccount::Fees, "USD"), fees, "{on_return} {back}");
        assert_eq!(asks(&gone.next), Some("deposit_reversed_after_credit"));
    }
}

#[test]
fn a_deposit_without_a_fee_is_written_as_before() {
    let (public, _) = crate::entity::write(&pending()).unwrap();
    assert!(!public.contains("fee"), "{public}");
    let (public, _) = crate::entity::write(&with_fee(FeeMode::Inside, FeeOnReturn::Kept, "1.00 USD")).unwrap();
    let fee = r#""fee":{"amount":{"amount":"1.00","currency":"USD"},"mode":"inside","rule":"card","on_return":"kept"}"#;
    assert!(public.contains(fee), "{public}");
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["USD", "EUR", "JPY", "BHD"]).prop_map(|code| code.parse().unwrap())
}

/// A credited deposit in one currency, with a fee or not, on an account in another or the same.
fn life(
    minor: i64,
    (from, to): (Currency, Currency),
    fee: Option<(i64, FeeMode, FeeOnReturn)>,
    rate: Decimal,
) -> Option<Decision<Deposit>> {
    let amount = Money::from_minor(minor, from).unwrap();
    let mut deposit = pending();
    deposit.facts.requested = amount;
    deposit.inner.account_currency = Some(to).filter(|to| *to != from);
    deposit.facts.fee = fee.map(|(fee, mode, on_return)| Fee {
        amount: Money::from_minor(fee % minor, from).unwrap(),
        mode,
        rule: "card".to_owned(),
        on_return,
        taken: None,
    });
    let paid = collected(&deposit, &deposit.asked().to_string()).next;
    let quote = Quote { source: "x".to_owned(), rate, quoted_at: at(5) };
    let sent = match paid.credit_step(at(12)) {
        CreditStep::Price => paid.priced(Fx::of(quote, dec("0.005")), at(12)),
        step => step,
    };
    let CreditStep::Send(sent) = sent else { return None };
    Some(change(outcome(&change(*sent).next, booked(), 13)))
}

proptest! {
    /// Within its bounds, no finer than the currency, inside never above the amount; on top, amount and fee are what is asked for.
    #[test]
    fn a_fee_keeps_its_bounds(
        minor in 1_i64..10_000_000_000, currency in currency(), fixed in 0_i64..1_000, per_cent in 0_i64..50_000_000,
        bounds in prop::option::of((0_i64..5_000, 0_i64..5_000)), mode in prop::sample::select(MODES.to_vec()),
    ) {
        let amount = Money::from_minor(minor, currency).unwrap();
        let decimal = |minor: i64| Money::from_minor(minor, currency).unwrap().amount();
        let (min, max) = match bounds {
            Some((a, b)) => (Some(decimal(a.min(b))), Some(decimal(a.max(b)))),
            None => (None, None),
        };
        let terms = FeeTerms { mode, on_return: FeeOnReturn::Kept, fixed: decimal(fixed), per_cent: Decimal::new(per_cent, 6), min, max };
        let fee = terms.of(&amount).unwrap();
        prop_assert!(fee.amount() >= Decimal::ZERO && max.is_none_or(|max| fee.amount() <= max));
        prop_assert!(mode == FeeMode::OnTop || fee.amount() <= amount.amount());
        prop_assert!(min.is_none_or(|min| fee.amount() >= min) || (mode == FeeMode::Inside && fee == amount));
        match fee::agreed("card", &terms, amount) {
            Ok(agreed) => {
                let asked = agreed.asked(amount);
                let sum = asked.checked_add(&fee.negated()).unwrap();
                prop_assert!(sum.is_positive());
                prop_assert_eq!(if mode == FeeMode::OnTop { sum } else { asked }, amount);
            }
            Err(_) => prop_assert_eq!(fee, amount),
        }
    }

    /// Whatever comes instead of what was asked for: the fee never grows, is never above what came, and of more it is never less.
    #[test]
    fn a_fee_follows_what_really_came(
        asked in 2_i64..10_000_000_000, fee in 0_i64..10_000_000_000, came in prop::collection::vec(1_i64..20_000_000_000, 2),
        currency in currency(), mode in prop::sample::select(MODES.to_vec()),
    ) {
        let mut deposit = pending();
        deposit.facts.requested = Money::from_minor(asked, currency).unwrap();
        let amount = Money::from_minor(fee % asked, currency).unwrap();
        deposit.facts.fee = Some(Fee { amount, mode, rule: "card".to_owned(), on_return: FeeOnReturn::Kept, taken: None });
        let mut came = came;
        came.sort_unstable();
        let fees: Vec<Money> = came.iter().map(|came| {
            let collected = Money::from_minor(*came, currency).unwrap();
            let fee = deposit.fee_of(collected);
            assert_eq!(fee.checked_add(&deposit.net_of(collected)).unwrap(), collected, "nothing is lost");
            fee
        }).collect();
        prop_assert!(fees.iter().all(|fee| fee.amount() <= amount.amount()));
        prop_assert!(fees[0].amount() <= fees[1].amount());
        prop_assert_eq!(deposit.fee_of(deposit.asked()), amount);
    }

    /// However a payment goes back, and in whatever steps, on an account in its own currency or in another: each step takes something or
    /// nothing and never gives, all of them together take exactly what was credited, and the books are as if it had never been.
    #[test]
    fn any_steps_by_which_a_payment_goes_back_take_exactly_what_was_credited(
        minor in 1_000_i64..1_000_000_000, pair in (currency(), currency()), digits in 1_i64..100_000, cuts in prop::collection::vec(1_i64..1_000_000_000, 0..6),
        fee in prop::option::of((0_i64..1_000_000_000, prop::sample::select(MODES.to_vec()), prop::sample::select(RETURNS.to_vec()))),
    ) {
        let Some(done) = life(minor, pair, fee, Decimal::new(digits, 3)) else { return Ok(()) };
        let (mut deposit, mut all) = (done.next, done.postings);
        let (gross, to) = (deposit.facts.paid.unwrap().to_minor().unwrap(), pair.1);
        let owed = LedgerAccount::Reversed(deposit.facts.account_id.clone());
        let credit = deposit.facts.credited.unwrap();
        let mut totals: Vec<i64> = cuts.into_iter().map(|cut| cut % gross).filter(|cut| *cut > 0).chain([gross]).collect();
        totals.sort_unstable();
        totals.dedup();
        for (n, total) in totals.iter().enumerate() {
            let total = Money::from_minor(*total, pair.0).unwrap().to_string();
            let seconds = 20 + i64::try_from(n).unwrap();
            let step = change(hear(&deposit, &refund(Some(&total), seconds), seconds + 1));
            prop_assert!(Postings::of(step.postings.legs().iter().cloned()).is_ok());
            prop_assert!(step.postings.on(&owed, to).unwrap().amount() >= Decimal::ZERO);
            all = all.with(step.postings);
            deposit = step.next;
        }
        prop_assert_eq!(deposit.status(), DepositStatus::Refunded);
        prop_assert_eq!(deposit.to_debit(), Some(credit));
        prop_assert_eq!(all.on(&owed, to).unwrap(), credit);
        for currency in [pair.0, to] {
            for account in [LedgerAccount::Exchange, LedgerAccount::Fees, LedgerAccount::Psp("stripe".to_owned())] {
                prop_assert_eq!(all.on(&account, currency).unwrap(), Money::zero(currency), "{}", account);
            }
        }
    }
}

/// The part of a sum that a step takes is rounded to the nearest amount, from the middle to the even digit, as a conversion is.
#[test]
fn a_part_of_a_converted_credit_is_its_share_at_the_first_rate() {
    let pair = ("EUR".parse().unwrap(), "USD".parse().unwrap());
    let done = life(10_000, pair, None, dec("1.0593")).unwrap().next;
    assert_eq!(done.facts.credited, Some(money("105.40 USD")));
    let part = change(hear(&done, &refund(Some("33.33 EUR"), 20), 21));
    let share: Conversion = money("33.33 EUR").convert(dec("1.0540"), pair.1, Rounding::HalfEven).unwrap();
    assert_eq!(part.next.to_debit(), Some(share.result));
    assert_eq!(on(&part.postings, LedgerAccount::Exchange, "EUR"), "33.33");
    assert_eq!(on(&part.postings, LedgerAccount::Exchange, "USD"), format!("-{}", share.result.amount_text()));
    assert_eq!(
        (part.next.status(), asks(&part.next)),
        (DepositStatus::Credited, Some("deposit_reversed_after_credit"))
    );
    // a refund that failed gives exactly that back
    let failed = crate::payment::tests::fixture::one("re_1", crate::payment::Way::Refund, false, Some("33.33 EUR"), 30);
    let back = change(hear(&part.next, &failed, 31));
    let both = part.postings.with(back.postings);
    assert!(both.on(&LedgerAccount::Exchange, pair.1).unwrap().amount().is_zero());
    assert_eq!(back.next.reversed_part(), Money::zero(pair.1));
}
