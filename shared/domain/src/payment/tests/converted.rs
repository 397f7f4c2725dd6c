//! Deposits in another currency than the account's.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::fixture::*;
use crate::account::CreditBar;
use crate::decision::Decision;
use crate::entity::{self, Entity as _};
use crate::ledger::{LedgerAccount, Postings};
use crate::payment::deposit::Deposit;
use crate::payment::fx::{BadQuote, Fx, Quote};
use crate::payment::{CreditStep, DepositStatus, Found, NewDeposit, PspSide, PspStatus};
use crate::{AccountId, ClientId, Currency, Money, PaymentId, Seconds};

fn opened(amount: &str, account: &str) -> Deposit {
    let amount = money(amount);
    let deposit = Deposit::open(NewDeposit {
        id: PaymentId::from_bits(0x0193_58a1_0000_7000_8000_0000_0000_0001),
        client_id: ClientId::from_bits(2),
        account_id: AccountId::from_bits(3),
        platform: "mt5".to_owned(),
        login: "954402".to_owned(),
        amount,
        account_currency: account.parse().unwrap(),
        fee: None,
        others: vec![],
        psp: PspSide { name: "stripe".to_owned(), reference: REFERENCE.to_owned() },
        redirect_url: "https://pay.example.com/p/1".to_owned(),
        due: at(900),
        now: at(0),
    });
    assert_eq!(deposit.account_currency(), account.parse().unwrap());
    deposit
}

fn paid_in(amount: &str, account: &str) -> Deposit {
    change(hear(&opened(amount, account), &says(PspStatus::Succeeded, Some(amount), 10), 11)).next
}

fn fx(rate: &str, markup: &str) -> Fx {
    let quote = Quote { source: "ecb".to_owned(), rate: rate.parse().unwrap(), quoted_at: at(5) };
    Fx::of(quote, markup.parse().unwrap())
}

fn intent(deposit: &Deposit, rate: &str, seconds: i64) -> Decision<Deposit> {
    assert_eq!(deposit.credit_step(at(seconds)), CreditStep::Price);
    save(deposit.priced(fx(rate, "0.005"), at(seconds)))
}

fn exchange(entry: &Postings, currency: &str) -> String {
    entry.on(&LedgerAccount::Exchange, currency.parse().unwrap()).unwrap().to_string()
}

#[test]
fn the_rate_is_saved_with_the_intent_and_what_it_comes_to_is_credited() {
    for (paid, account, rate, credited, left) in [
        // 100 x 1.0593 x 0.995 = 105.40035
        ("100.00 EUR", "USD", "1.0593", "105.40 USD", "0.00035"),
        // 10000 x 0.0065449 x 0.995 = 65.121755
        ("10000 JPY", "USD", "0.0065449", "65.12 USD", "0.001755"),
        // 100 x 152.79 x 0.995 = 15202.605
        ("100.00 USD", "JPY", "152.79", "15203 JPY", "-0.395"),
        // 100 x 1.0005 x 0.995 = 99.54975
        ("100.00 GBP", "EUR", "1.0005", "99.55 EUR", "-0.00025"),
    ] {
        let decision = intent(&paid_in(paid, account), rate, 12);
        let intended = &decision.next;
        assert_eq!((intended.status(), intended.credit_amount()), (DepositStatus::Crediting, money(credited)));
        assert_eq!(intended.facts.fx, Some(fx(rate, "0.005")));
        let kept = intended.inner.converted.clone().unwrap();
        assert_eq!((kept.0, kept.1, kept.2.to_string().as_str()), (money(paid), money(credited), left));
        assert!(decision.why[0].starts_with(&format!("credit {credited}")), "{:?}", decision.why);
        let done = change(outcome(intended, booked(), 13));
        assert_eq!(done.next.facts.credited, Some(money(credited)));
        assert_eq!(done.next.facts.fx, Some(fx(rate, "0.005")));
        let [from, to] = [paid, credited].map(|text| text.split_once(' ').unwrap());
        assert_eq!(exchange(&done.postings, to.1), money(credited).to_string());
        assert_eq!(exchange(&done.postings, from.1), money(paid).negated().to_string());
    }
}

#[test]
fn the_parts_are_written_and_read_back_and_are_not_there_without_a_conversion() {
    let intended = intent(&paid_in("100.00 EUR", "USD"), "1.0593", 12).next;
    let (public, private) = entity::write(&intended).unwrap();
    assert!(
        public.contains(
            r#""fx":{"rate":"1.0593","source":"ecb","quoted_at":"2026-11-23T10:15:35.120Z","markup":"0.005"}"#
        ),
        "{public}"
    );
    assert_eq!(serde_json::from_str::<crate::payment::DepositFacts>(&public).unwrap(), *intended.public());
    let private = private.unwrap();
    assert_eq!(serde_json::from_str::<crate::payment::deposit::DepositInner>(&private).unwrap(), *intended.private());
    let (public, private) = entity::write(&crediting()).unwrap();
    assert!(!public.contains("fx") && !private.unwrap().contains("\"ac\""));
}

#[test]
fn whatever_is_sent_again_or_looked_up_is_the_first_amount() {
    let first = intent(&paid_in("100.00 EUR", "USD"), "1.0593", 12).next;
    // not taken: the second attempt asks for no rate
    let again = change(outcome(&first, not_applied(), 13)).next;
    assert_eq!(again.credit_step(at(43)), CreditStep::LookUp);
    assert!(matches!(again.priced(fx("2", "0"), at(43)), CreditStep::Nothing(_)));
    let second = save(absent(&again, 43)).next;
    assert_eq!((second.inner.attempts, second.credit_amount()), (2, money("105.40 USD")));
    // the answer is lost, and it is found
    let unknown = change(outcome(&first, unknown(), 22)).next;
    assert_eq!(unknown.credit_amount(), money("105.40 USD"));
    let found = save(unknown.looked_up(Found::Booked("9".to_owned()), REVIEW_AFTER, at(90))).next;
    assert_eq!(found.facts.credited, Some(money("105.40 USD")));
    // a person sends it on, days later
    let held = change(unknown.not_known("silent", REVIEW_AFTER, at(700))).next;
    let sent_on = change(held.decided(&person(&held, "mark_not_credited_retry", None), at(200_000))).next;
    let third = save(absent(&sent_on, 200_100)).next;
    assert_eq!((third.inner.attempts, third.credit_amount()), (2, money("105.40 USD")));
}

#[test]
fn what_went_back_before_the_credit_is_not_converted() {
    let shrunk = change(hear(&paid_in("100.00 EUR", "USD"), &refund(Some("40.00 EUR"), 20), 21)).next;
    assert_eq!(asks(&shrunk), Some("deposit_underpaid"));
    let accepted = change(shrunk.decided(&person(&shrunk, "credit_paid_amount", None), at(30))).next;
    assert_eq!(accepted.credit_step(at(100)), CreditStep::LookUp);
    // nobody has said what it comes to: whatever stands under its id is a person's
    assert_eq!(accepted.credit_amount(), money("0.00 USD"));
    assert_eq!(absent(&accepted, 100), CreditStep::Price);
    let sent = save(accepted.priced(fx("1.0593", "0"), at(100))).next;
    assert_eq!(sent.credit_amount(), money("63.56 USD"));
    let credited = change(outcome(&sent, booked(), 101));
    assert_eq!(exchange(&credited.postings, "EUR"), "-60.00 EUR");
}

#[test]
fn without_a_rate_it_waits_and_then_a_person_is_asked() {
    let waiting = paid_in("100.00 EUR", "USD");
    let later = change(waiting.without_rate("ecb: too old", REVIEW_AFTER, at(12)));
    assert_eq!((later.next.status(), later.next.due), (DepositStatus::Paid, Some(at(72))));
    assert!(later.events.is_empty() && later.next.facts.fx.is_none());
    // never later than the moment at which a person is asked
    let last = change(later.next.without_rate("ecb: too old", REVIEW_AFTER, at(580))).next;
    assert_eq!(last.due, Some(at(611)));
    let asked = change(last.without_rate("ecb: too old", REVIEW_AFTER, at(611))).next;
    assert_eq!((asked.status(), asks(&asked)), (DepositStatus::NeedsReview, Some("deposit_currency_mismatch")));
    // sent on, it has its whole time again
    let again = change(asked.decided(&person(&asked, "mark_not_credited_retry", None), at(5_000))).next;
    assert_eq!(absent(&again, 5_061), CreditStep::Price);
    let waits = change(again.without_rate("still", REVIEW_AFTER, at(5_061))).next;
    assert_eq!((waits.status(), waits.due), (DepositStatus::Paid, Some(at(5_121))));
    assert_eq!(save(waits.priced(fx("1.0593", "0.005"), at(5_121))).next.credit_amount(), money("105.40 USD"));
    // what is no longer waiting is left alone
    let sent = intent(&waiting, "1.0593", 12).next;
    assert!(matches!(sent.without_rate("late", REVIEW_AFTER, at(700)), crate::decision::Verdict::Nothing(_)));
}

#[test]
fn what_comes_to_nothing_is_a_persons() {
    let step = paid_in("1 JPY", "USD").priced(fx("0.0065449", "0.25"), at(12));
    assert!(matches!(step, CreditStep::Save(_)));
    assert_eq!(asks(&save(step).next), Some("deposit_currency_mismatch"));
}

#[test]
fn nothing_is_priced_into_an_account_that_takes_no_money() {
    let paid = paid_in("100.00 EUR", "USD");
    let stopped = paid.only_into(Some(CreditBar::NotOpen), paid.credit_step(at(12)), at(12));
    assert_eq!(asks(&save(stopped).next), Some("credit_refused"));
    assert!(matches!(paid.only_into(Some(CreditBar::Undecided), CreditStep::Price, at(12)), CreditStep::Nothing(_)));
}

#[test]
fn what_a_person_converted_by_hand_has_no_rate_of_ours() {
    let asked = change(paid_in("100.00 EUR", "USD").without_rate("none", REVIEW_AFTER, at(700))).next;
    let said = |evidence: &str| person(&asked, "mark_credited", Some(evidence));
    assert!(asked.by_hand(&said("136623"), true, at(800)).is_err(), "what it came to is missing");
    let by_hand = asked.by_hand(&said("136623 104.10 USD"), true, at(800)).unwrap();
    let credited = change(by_hand).next;
    assert_eq!((credited.facts.credited, credited.facts.fx.clone()), (Some(money("104.10 USD")), None));
    assert_eq!(credited.facts.platform.operation.as_deref(), Some("136623"));
    // of an intent that nobody knows the end of, the amount is known
    let unknown = change(outcome(&intent(&paid_in("100.00 EUR", "USD"), "1.0593", 12).next, unknown(), 22)).next;
    let held = change(unknown.not_known("silent", REVIEW_AFTER, at(700))).next;
    let found = change(held.by_hand(&person(&held, "mark_credited", Some("136623")), true, at(800)).unwrap()).next;
    assert_eq!((found.facts.credited, found.facts.fx.is_some()), (Some(money("105.40 USD")), true));
}

#[test]
fn a_converted_credit_that_no_item_waits_for_needs_what_it_came_to() {
    let waiting = paid_in("100.00 EUR", "USD");
    let mut decision = person(&unresolved(), "mark_credited", Some("136623"));
    assert!(waiting.by_hand(&decision, true, at(20)).is_err());
    decision.evidence = Some("136623 104.10 USD".to_owned());
    let credited = change(waiting.by_hand(&decision, true, at(20)).unwrap()).next;
    assert_eq!(credited.facts.credited, Some(money("104.10 USD")));
    assert_eq!(credited.facts.platform.operation.as_deref(), Some("136623"));
}

#[test]
fn a_whole_refund_undoes_both_currencies_and_a_part_its_share() {
    let credited = change(outcome(&intent(&paid_in("100.00 EUR", "USD"), "1.0593", 12).next, booked(), 13));
    let whole = change(hear(&credited.next, &refund(Some("100.00 EUR"), 20), 21));
    assert_eq!(
        (whole.next.status(), asks(&whole.next)),
        (DepositStatus::Refunded, Some("deposit_reversed_after_credit"))
    );
    let both = credited.postings.clone().with(whole.postings.clone());
    for currency in ["EUR", "USD"] {
        assert_eq!(exchange(&both, currency), Money::zero(currency.parse().unwrap()).to_string());
    }
    let owed = LedgerAccount::Reversed(credited.next.facts.account_id.clone());
    assert_eq!(whole.postings.on(&owed, "USD".parse().unwrap()).unwrap(), money("105.40 USD"));
    let part = change(hear(&credited.next, &refund(Some("40.00 EUR"), 20), 21));
    assert_eq!(
        (part.next.status(), asks(&part.next)),
        (DepositStatus::Credited, Some("deposit_reversed_after_credit"))
    );
    assert_eq!(part.postings.on(&owed, "USD".parse().unwrap()).unwrap(), money("42.16 USD"));
    assert_eq!(exchange(&part.postings, "EUR"), money("40.00 EUR").to_string());
}

#[test]
fn a_credit_that_was_booked_although_its_money_went_back_is_booked_in_the_accounts_currency() {
    let sent = intent(&paid_in("100.00 EUR", "USD"), "1.0593", 12).next;
    let gone = change(hear(&sent, &refund(Some("100.00 EUR"), 20), 21)).next;
    let booked = change(outcome(&gone, booked(), 22));
    assert_eq!(booked.next.facts.credited, Some(money("105.40 USD")));
    assert_eq!(booked.next.status(), DepositStatus::Refunded);
    assert_eq!(exchange(&booked.postings, "USD"), "0.00 USD");
}

#[test]
fn a_quote_is_checked_against_its_age_and_its_sense() {
    let quote = |rate: &str, seconds: i64| Quote {
        source: "x".to_owned(),
        rate: rate.parse().unwrap(),
        quoted_at: at(seconds),
    };
    let check = |quote: Quote| quote.check(Seconds(60), at(100));
    assert_eq!(check(quote("1.0593", 40)), Ok(()));
    assert_eq!(check(quote("1.0593", 160)), Ok(()));
    assert_eq!(check(quote("1.0593", 39)), Err(BadQuote::Stale(at(39))));
    assert_eq!(check(quote("1.0593", 161)), Err(BadQuote::Ahead(at(161))));
    for bad in ["0", "-1.0593", "0.000000000000001", "100000000000000"] {
        assert!(matches!(check(quote(bad, 100)), Err(BadQuote::NotARate(_))), "{bad}");
    }
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["USD", "EUR", "JPY", "BHD"]).prop_map(|code| code.parse().unwrap())
}

proptest! {
    /// Whatever the rate: what was paid, what is credited and what rounding left agree to the last digit, and the books balance in each
    /// currency, before and after it all goes back.
    #[test]
    fn a_conversion_and_its_remainder_balance(
        minor in 1_000_i64..10_000_000_000,
        (from, to) in (currency(), currency()).prop_filter("two", |(from, to)| from != to),
        digits in 1_i64..100_000_000,
        scale in 0_u32..7,
        markup in 0_i64..250_000,
    ) {
        let paid = Money::from_minor(minor, from).unwrap();
        let text = paid.to_string();
        let waiting = paid_in(&text, to.code());
        let (rate, markup) = (Decimal::new(digits, scale), Decimal::new(markup, 6));
        let quote = Quote { source: "x".to_owned(), rate, quoted_at: at(5) };
        let CreditStep::Send(sent) = waiting.priced(Fx::of(quote, markup), at(12)) else { return Ok(()) };
        let sent = change(*sent).next;
        let (amount, kept) = (sent.credit_amount(), sent.inner.converted.clone().unwrap());
        prop_assert_eq!(amount.currency(), to);
        prop_assert_eq!(paid.amount() * rate * (Decimal::ONE - markup), amount.amount() + kept.2);
        prop_assert!(kept.2.abs() * Decimal::TWO <= Decimal::new(1, to.digits()));
        let credited = change(outcome(&sent, booked(), 13));
        prop_assert!(Postings::of(credited.postings.legs().iter().cloned()).is_ok());
        prop_assert_eq!(credited.postings.on(&LedgerAccount::Exchange, from).unwrap(), paid.negated());
        prop_assert_eq!(credited.postings.on(&LedgerAccount::Exchange, to).unwrap(), amount);
        let gone = change(hear(&credited.next, &refund(Some(&text), 20), 21));
        let both = credited.postings.with(gone.postings);
        prop_assert!(Postings::of(both.legs().iter().cloned()).is_ok());
        for currency in [from, to] {
            prop_assert_eq!(both.on(&LedgerAccount::Exchange, currency).unwrap(), Money::zero(currency));
        }
    }
}
