//! The suite: what every platform must do, in the terms of the trait alone.

use domain::{Redacted, Seconds};
use providers::platforms::{
    Access, AccountChange, AccountSearch, FoundOperation, FoundTicket, Login, MoneyOperation, MoneyProof, NewAccount,
    OperationsList, PlatformError, Reference, SecondCreation, Side, Ticket, TicketQuery, TradeCursor, UNSUPPORTED,
    Volume,
};

use rust_decimal::Decimal;
use secrecy::SecretString;

use super::bench::{Bench, Says, Step, around_now, lost_after, lost_before, operation, usd};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT};

const FIRST: &str = "acc_01j9zzzzzzabcdefghjkmnpqrs";
const SECOND: &str = "acc_01j9zzzzzzabcdefghjkmnpqrt";
const PAID: &str = "pay_01j9zzzzzzabcdefghjkmnpqrs";
const TAKEN: &str = "pay_01j9zzzzzzabcdefghjkmnpqrt";
const NOBODY: &str = "pay_01j9zzzzzzabcdefghjkmnpqrv";

/// A login that no simulator gives.
const NO_LOGIN: &str = "7";

fn said(error: &PlatformError) -> &'static str {
    match error {
        PlatformError::Refused { .. } => "refused",
        PlatformError::NotApplied(_) => "not applied",
        PlatformError::Unknown(_) => "unknown",
        PlatformError::Misconfigured(_) => "misconfigured",
    }
}

fn is_unsupported<T>(result: &Result<T, PlatformError>) -> bool {
    matches!(result, Err(PlatformError::Refused { code, .. }) if code == UNSUPPORTED)
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn meant(says: Says) -> &'static str {
    match says {
        Says::Refused => "refused",
        Says::Busy => "not applied",
        Says::Unclear => "unknown",
    }
}

pub async fn an_account_is_created_as_it_was_asked_for_and_found_by_its_reference<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let (first, second) = (bench.open(FIRST).await, bench.open(SECOND).await);
    assert_ne!(first, second);
    for (reference, login) in [(FIRST, &first), (SECOND, &second)] {
        assert_eq!(bench.find(reference).await.unwrap().map(|opened| opened.login).as_ref(), Some(login));
    }
    assert_eq!(bench.find("acc_01j9zzzzzzabcdefghjkmnpqrx").await, Ok(None));
    let state = bench.platform().account(&first).await.unwrap().unwrap();
    assert_eq!((&state.login, state.group.as_str(), state.access), (&first, B::GROUPS[0], Access::Full));
    assert!(state.leverage.is_none_or(|leverage| leverage == 30), "{state:?}");
    assert_eq!(state.leverage.is_some(), bench.platform().capabilities().leverage_change);
    assert!(state.balance.is_zero());
    assert_eq!(state.reference, FIRST);
    assert_eq!(bench.balance(&first).await, "0.00");
}

pub async fn one_reference_is_one_account<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let first = bench.open_once(FIRST).await;
    assert_eq!(bench.open_once(FIRST).await, first);
    assert_eq!(bench.accounts().await, 1);
    let again = bench.platform().create_account(&B::wish(FIRST)).await;
    match bench.platform().capabilities().second_creation {
        SecondCreation::GivesTheFirst => {
            assert_eq!(again, Ok(first));
            assert_eq!(bench.accounts().await, 1);
        }
        SecondCreation::MakesAnother => {
            assert_ne!(again.unwrap(), first);
            assert_eq!(bench.accounts().await, 2);
            // and then nobody can say which of them is meant
            let found = bench.find(FIRST).await;
            assert!(matches!(found, Err(PlatformError::Refused { .. })), "{found:?}");
        }
    }
}

pub async fn a_creation_whose_answer_is_lost_is_found<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    for (n, fault) in lost_after().into_iter().enumerate() {
        let reference = format!("{FIRST}-{n}");
        bench.script(Step::Create, fault.clone()).await;
        let error = bench.platform().create_account(&B::wish(&reference)).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        let found = bench.find(&reference).await.unwrap().unwrap_or_else(|| panic!("{fault}"));
        assert_eq!(bench.open_once(&reference).await, found, "{fault}");
        assert_eq!(bench.accounts().await, n + 1, "{fault}");
    }
}

pub async fn a_creation_that_never_arrived_is_not_found_and_made_again<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    for (n, fault) in lost_before().into_iter().enumerate() {
        let reference = format!("{FIRST}-{n}");
        bench.script(Step::Create, fault.clone()).await;
        let error = bench.platform().create_account(&B::wish(&reference)).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        assert_eq!(bench.find(&reference).await, Ok(None), "{fault}");
        bench.open_once(&reference).await;
        assert_eq!(bench.accounts().await, n + 1, "{fault}");
    }
}

pub async fn a_creation_that_is_refused_is_not_there<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    for says in [Says::Refused, Says::Busy, Says::Unclear] {
        let Some(fault) = B::saying(Step::Create, says) else { continue };
        bench.script(Step::Create, fault).await;
        let error = bench.platform().create_account(&B::wish(FIRST)).await.unwrap_err();
        assert_eq!(said(&error), meant(says), "{says:?}: {error:?}");
        assert_eq!(bench.find(FIRST).await, Ok(None), "{says:?}");
    }
    bench.open(FIRST).await;
    assert_eq!(bench.accounts().await, 1);
}

pub async fn any_name_opens_an_account<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let long = ["x".repeat(200), "Größe ".repeat(40), "محمد ".repeat(40)];
    let odd = [
        "محمد بن سلمان",
        "李小龍",
        "Madonna",
        "a|b\r\nGROUP=c;\"d\" \\ e",
        // nothing that any of them can show
        "\u{200b}\u{1f600}",
        "   ",
        "",
    ];
    let names = long.into_iter().chain(odd.map(str::to_owned));
    for (n, name) in names.enumerate() {
        let wish = NewAccount { name: Redacted::new(name.clone()), ..B::wish(&format!("{FIRST}-{n}")) };
        let opened = bench.platform().create_account(&wish).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let state = bench.platform().account(&opened.login).await.unwrap().unwrap();
        assert_eq!(state.group, B::GROUPS[0], "{name}");
    }
}

/// The wish that a server cannot fulfil: it says so, and nothing is there.
async fn nothing_is_made<B: Bench>(bench: &B, wish: &NewAccount, why: &str) {
    let error = bench.platform().create_account(wish).await.unwrap_err();
    // what a person must mend is said to be so; that it may be there is the most that is said of an error without words
    assert!(matches!(said(&error), "refused" | "misconfigured" | "unknown"), "{why}: {error:?}");
    assert_eq!(bench.accounts().await, 0, "{why}");
    let since = around_now().0;
    assert_eq!(bench.platform().find_account(&AccountSearch::of(wish, since)).await, Ok(None), "{why}");
}

pub async fn a_group_that_was_deleted_makes_no_account<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let wish = NewAccount { group: "gone".to_owned(), ..B::wish(FIRST) };
    nothing_is_made(&bench, &wish, "no such group").await;
    let login = bench.open(FIRST).await;
    let moved = bench.platform().change_account(&login, &AccountChange::group("gone")).await.unwrap_err();
    assert!(matches!(said(&moved), "refused" | "misconfigured"), "{moved:?}");
    assert_eq!(bench.platform().account(&login).await.unwrap().unwrap().group, B::GROUPS[0]);
}

pub async fn a_login_range_that_is_exhausted_makes_no_account<B: Bench>() {
    let Some(bench) = B::without_logins().await else { return };
    nothing_is_made(&bench, &B::wish(FIRST), "no login left").await;
}

pub async fn a_password_that_is_too_weak_makes_no_account<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    if B::SEES_PASSWORDS {
        let wish = NewAccount { password: SecretString::from("weak"), ..B::wish(FIRST) };
        let error = bench.platform().create_account(&wish).await.unwrap_err();
        assert_eq!(said(&error), "refused", "{error:?}");
        assert!(!format!("{error:?}").contains("weak"), "{error:?}");
        nothing_is_made(&bench, &wish, "a weak password").await;
    }
    bench.open(FIRST).await;
}

pub async fn money_is_booked_once_and_found_by_reference_and_amount<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(proof) = bench.platform().capabilities().money else {
        assert!(is_unsupported(&bench.book(&login, "10.00", PAID).await));
        return;
    };
    let paid = bench.book(&login, "1250.50", PAID).await.unwrap();
    let taken = bench.book(&login, "-250.50", TAKEN).await.unwrap();
    assert_ne!(paid, taken);
    assert_eq!(bench.balance(&login).await, "1000.00");
    assert_eq!(bench.bookings(&login).await, 2);
    if proof == MoneyProof::None {
        assert!(is_unsupported(&bench.look(&login, "1250.50", PAID).await));
        return;
    }
    assert_eq!(bench.look(&login, "1250.50", PAID).await, Ok(FoundOperation::Booked(paid)));
    assert_eq!(bench.look(&login, "-250.50", TAKEN).await, Ok(FoundOperation::Booked(taken)));
    assert_eq!(bench.look(&login, "1250.50", NOBODY).await, Ok(FoundOperation::Absent));
    let other = bench.look(&login, "1250.51", PAID).await;
    assert!(matches!(other, Ok(FoundOperation::Ambiguous(_))), "{other:?}");
}

pub async fn one_reference_is_one_booking<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(proof) = bench.platform().capabilities().money else { return };
    let first = bench.book(&login, "10.00", PAID).await.unwrap();
    if proof != MoneyProof::None {
        assert_eq!(bench.look(&login, "10.00", PAID).await, Ok(FoundOperation::Booked(first.clone())));
    }
    let again = bench.book(&login, "10.00", PAID).await;
    match proof {
        MoneyProof::Idempotent => {
            assert_eq!(again, Ok(first));
            assert_eq!(bench.balance(&login).await, "10.00");
            assert_eq!(bench.bookings(&login).await, 1);
        }
        // whether it was booked again is not promised; what is promised is that the look-up tells
        MoneyProof::ByReference => match bench.bookings(&login).await {
            1 => assert_eq!(bench.look(&login, "10.00", PAID).await, Ok(FoundOperation::Booked(first))),
            _ => {
                assert_eq!(bench.balance(&login).await, "20.00");
                let found = bench.look(&login, "10.00", PAID).await;
                assert!(matches!(found, Ok(FoundOperation::Ambiguous(_))), "{found:?}");
            }
        },
        MoneyProof::None => assert_eq!(bench.balance(&login).await, "20.00"),
    }
}

pub async fn a_booking_whose_answer_is_lost_is_found<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(proof) = bench.platform().capabilities().money else { return };
    for (n, fault) in lost_after().into_iter().enumerate() {
        let reference = format!("pay_{n}");
        bench.script(Step::Book, fault.clone()).await;
        let error = bench.book(&login, "10.00", &reference).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        if proof != MoneyProof::None {
            let found = bench.look(&login, "10.00", &reference).await;
            assert!(matches!(found, Ok(FoundOperation::Booked(_))), "{fault}: {found:?}");
        }
    }
    assert_eq!(bench.balance(&login).await, "30.00");
    assert_eq!(bench.bookings(&login).await, 3);
}

pub async fn a_booking_that_never_arrived_is_not_found_and_made_again<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(proof) = bench.platform().capabilities().money else { return };
    for (n, fault) in lost_before().into_iter().enumerate() {
        let reference = format!("pay_{n}");
        bench.script(Step::Book, fault.clone()).await;
        let error = bench.book(&login, "10.00", &reference).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        if proof != MoneyProof::None {
            assert_eq!(bench.look(&login, "10.00", &reference).await, Ok(FoundOperation::Absent), "{fault}");
        }
        bench.book(&login, "10.00", &reference).await.unwrap();
    }
    assert_eq!(bench.balance(&login).await, "30.00");
}

pub async fn a_booking_that_is_refused_is_not_there<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(proof) = bench.platform().capabilities().money else { return };
    for says in [Says::Refused, Says::Busy, Says::Unclear] {
        let Some(fault) = B::saying(Step::Book, says) else { continue };
        bench.script(Step::Book, fault).await;
        let error = bench.book(&login, "10.00", PAID).await.unwrap_err();
        assert_eq!(said(&error), meant(says), "{says:?}: {error:?}");
        if proof != MoneyProof::None {
            assert_eq!(bench.look(&login, "10.00", PAID).await, Ok(FoundOperation::Absent), "{says:?}");
        }
    }
    bench.book(&login, "10.00", PAID).await.unwrap();
    assert_eq!(bench.balance(&login).await, "10.00");
    assert_eq!(bench.bookings(&login).await, 1);
}

pub async fn more_than_there_is_cannot_be_withdrawn<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    if bench.platform().capabilities().money.is_none() {
        return;
    }
    bench.book(&login, "10.00", PAID).await.unwrap();
    let error = bench.book(&login, "-10.01", TAKEN).await.unwrap_err();
    assert_eq!(said(&error), "refused", "{error:?}");
    assert_eq!(bench.balance(&login).await, "10.00");
    assert_eq!(bench.bookings(&login).await, 1);
    bench.book(&login, "-10.00", TAKEN).await.unwrap();
    assert_eq!(bench.balance(&login).await, "0.00");
}

pub async fn credit_is_booked_beside_the_balance_and_each_is_found_as_what_it_is<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    bench.book(&login, "10.00", PAID).await.unwrap();
    if bench.platform().capabilities().credit.is_none() {
        assert!(is_unsupported(&bench.grant(&login, "25.00", TAKEN).await));
        assert!(is_unsupported(&bench.look_for_credit(&login, "25.00", TAKEN).await));
        return;
    }
    let granted = bench.grant(&login, "25.00", TAKEN).await.unwrap();
    assert_eq!(bench.balance(&login).await, "10.00", "it is no money of his");
    assert_eq!(bench.look_for_credit(&login, "25.00", TAKEN).await, Ok(FoundOperation::Booked(granted)));
    assert_eq!(bench.look_for_credit(&login, "25.00", NOBODY).await, Ok(FoundOperation::Absent));
    // the one is never taken for the other
    for found in [
        bench.look(&login, "25.00", TAKEN).await,
        bench.look_for_credit(&login, "10.00", PAID).await,
        bench.look_for_credit(&login, "25.01", TAKEN).await,
    ] {
        assert!(matches!(found, Ok(FoundOperation::Ambiguous(_))), "{found:?}");
    }
    let (from, to) = around_now();
    let listed = bench.platform().operations(Some(&login), from, to).await.unwrap();
    let credits: Vec<_> =
        listed.iter().filter(|one| !one.is_balance).map(|one| (one.amount, one.comment.as_str())).collect();
    assert_eq!(credits, [(decimal("25.00"), TAKEN)]);
    // no more is taken back than was given
    let error = bench.grant(&login, "-25.01", NOBODY).await.unwrap_err();
    assert_eq!(said(&error), "refused", "{error:?}");
    let taken = bench.grant(&login, "-25.00", NOBODY).await.unwrap();
    assert_eq!(bench.look_for_credit(&login, "-25.00", NOBODY).await, Ok(FoundOperation::Booked(taken)));
    assert_eq!(bench.balance(&login).await, "10.00");
}

pub async fn credit_whose_answer_is_lost_is_found_and_what_never_arrived_is_not<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    if bench.platform().capabilities().credit.is_none() {
        return;
    }
    for (n, fault) in lost_after().into_iter().enumerate() {
        let reference = format!("bns_{n}");
        bench.script(Step::Book, fault.clone()).await;
        let error = bench.grant(&login, "10.00", &reference).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        let found = bench.look_for_credit(&login, "10.00", &reference).await;
        assert!(matches!(found, Ok(FoundOperation::Booked(_))), "{fault}: {found:?}");
    }
    for (n, fault) in lost_before().into_iter().enumerate() {
        let reference = format!("bns_{n}x");
        bench.script(Step::Book, fault.clone()).await;
        let error = bench.grant(&login, "10.00", &reference).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        assert_eq!(bench.look_for_credit(&login, "10.00", &reference).await, Ok(FoundOperation::Absent), "{fault}");
    }
    assert_eq!(bench.balance(&login).await, "0.00");
}

pub async fn a_ticket_is_found_with_whose_it_is<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let capabilities = bench.platform().capabilities();
    if capabilities.money.is_none() {
        return;
    }
    let (login, other) = (bench.open(FIRST).await, bench.open(SECOND).await);
    let ticket = bench.book(&login, "10.00", PAID).await.unwrap();
    let (from, to) = around_now();
    let query = |login: &Login, ticket: &Ticket| TicketQuery {
        ticket: ticket.clone(),
        login: Some(login.clone()),
        reference: Reference::new(PAID).ok(),
        from,
        to,
    };
    let found = bench.platform().find_ticket(&query(&login, &ticket)).await;
    if !capabilities.tickets {
        assert!(is_unsupported(&found), "{found:?}");
        return;
    }
    let Ok(FoundTicket::Deal(deal)) = found else { panic!("{found:?}") };
    assert_eq!((&deal.login, deal.is_balance, deal.comment.as_str()), (&login, true, PAID));
    assert_eq!((deal.amount, deal.together), (decimal("10.00"), decimal("10.00")));
    let of_other = bench.platform().find_ticket(&query(&other, &ticket)).await.unwrap();
    assert!(matches!(of_other, FoundTicket::OfAnotherLogin | FoundTicket::Absent), "{of_other:?}");
    assert_eq!(bench.platform().find_ticket(&query(&login, &Ticket::new("4711"))).await, Ok(FoundTicket::Absent));
}

pub async fn an_account_is_set_to_what_the_platform_can_and_to_nothing_else<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let (platform, capabilities) = (bench.platform(), bench.platform().capabilities());
    let (login, other) = (bench.open(FIRST).await, bench.open(SECOND).await);
    let before = platform.account(&other).await.unwrap();
    let state = async || platform.account(&login).await.unwrap().unwrap();
    for access in Access::ALL.iter().chain([&Access::Full]) {
        let was = state().await;
        let set = platform.change_account(&login, &AccountChange::access(*access)).await;
        if capabilities.can_set(*access) {
            assert_eq!(set, Ok(()), "{access:?}");
            assert_eq!(platform.change_account(&login, &AccountChange::access(*access)).await, Ok(()), "{access:?}");
            assert_eq!(state().await.access, *access);
        } else {
            assert!(is_unsupported(&set), "{access:?}: {set:?}");
            assert_eq!(state().await, was, "{access:?}");
        }
    }
    // closing the log-in is not every platform's to give, stopping trade is
    assert!(capabilities.can_set(Access::NoTrading));
    let set = platform.change_account(&login, &AccountChange::leverage(20)).await;
    assert_eq!(is_unsupported(&set), !capabilities.leverage_change, "{set:?}");
    assert_eq!(set.is_ok(), state().await.leverage == Some(20));
    let set = platform.change_account(&login, &AccountChange::group(B::GROUPS[1])).await;
    assert_eq!(is_unsupported(&set), !capabilities.group_change, "{set:?}");
    assert_eq!(set.is_ok(), state().await.group == B::GROUPS[1]);
    assert_eq!(state().await.access, Access::Full);
    assert_eq!(platform.account(&other).await.unwrap(), before, "nobody else was meant");
}

pub async fn the_accounts_of_groups_are_listed_to_the_last<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let platform = bench.platform();
    let groups = B::GROUPS.map(str::to_owned);
    let mut opened = Vec::new();
    for n in 0..5 {
        let reference = format!("{}{n}", &FIRST[..FIRST.len() - 1]);
        opened.push((bench.open(&reference).await, reference));
    }
    if !platform.capabilities().lists_accounts {
        assert!(is_unsupported(&platform.accounts_page(&groups, None).await));
        return;
    }
    let (mut listed, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = platform.accounts_page(&groups, from.as_deref()).await.unwrap();
        listed.extend(page.accounts);
        pages += 1;
        assert!(pages < 20, "the list ends");
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    for (login, reference) in &opened {
        let account = listed.iter().find(|account| account.login == *login).unwrap();
        assert_eq!((account.reference.as_str(), account.group.as_str()), (reference.as_str(), B::GROUPS[0]));
        assert!(account.leverage.is_none_or(|leverage| leverage == 30));
    }
    assert_eq!(listed.iter().map(|account| &account.login).collect::<std::collections::BTreeSet<_>>().len(), 5);
    let none = platform.accounts_page(&["no such group".to_owned()], None).await;
    assert!(none.is_ok_and(|page| page.accounts.is_empty() && page.next.is_none()));
    let nowhere = B::nowhere();
    let away = nowhere.accounts_page(&groups, None).await;
    assert!(matches!(away, Err(PlatformError::NotApplied(_))), "a list that cannot be read is none: {away:?}");
}

pub async fn a_change_whose_answer_is_lost_is_made_again<B: Bench>() {
    let bench = B::start(SHORT_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let Some(access) = bench.platform().capabilities().access.first() else { return };
    let change = AccountChange::access(*access);
    for fault in lost_after().into_iter().chain(lost_before()) {
        bench.platform().change_account(&login, &AccountChange::access(Access::Full)).await.unwrap();
        bench.script(Step::Change, fault.clone()).await;
        let error = bench.platform().change_account(&login, &change).await.unwrap_err();
        assert_eq!(said(&error), "unknown", "{fault}: {error:?}");
        bench.platform().change_account(&login, &change).await.unwrap();
        assert_eq!(bench.platform().account(&login).await.unwrap().unwrap().access, *access, "{fault}");
    }
}

pub async fn what_is_not_there_is_said_to_be_not_there<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let nobody = Login::new(NO_LOGIN);
    assert_eq!(bench.platform().account(&nobody).await, Ok(None));
    let balance = bench.platform().balance(&nobody, usd()).await.unwrap_err();
    assert!(matches!(said(&balance), "refused" | "not applied"), "{balance:?}");
    if bench.platform().capabilities().money.is_some() {
        let booked = bench.book(&nobody, "10.00", PAID).await.unwrap_err();
        assert_eq!(said(&booked), "refused", "{booked:?}");
    }
    if let Some(access) = bench.platform().capabilities().access.first() {
        let changed = bench.platform().change_account(&nobody, &AccountChange::access(*access)).await.unwrap_err();
        assert_eq!(said(&changed), "refused", "{changed:?}");
    }
}

pub async fn what_moved_money_is_listed_with_whose_it_is<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let (login, other) = (bench.open(FIRST).await, bench.open(SECOND).await);
    let (from, to) = around_now();
    let list = async |login: Option<&Login>| bench.platform().operations(login, from, to).await;
    let Some(how) = bench.platform().capabilities().operations else {
        assert!(is_unsupported(&list(Some(&login)).await));
        return;
    };
    assert_eq!(list(Some(&login)).await, Ok(vec![]));
    let paid = bench.book(&login, "1000.00", PAID).await.unwrap();
    bench.book(&login, "-250.50", TAKEN).await.unwrap();
    bench.trade(&login, "12.30").await;
    bench.book(&other, "70.00", NOBODY).await.unwrap();
    // more than one answer of some servers holds
    for n in 0..25 {
        bench.book(&login, "1.00", &format!("pay_{n:02}")).await.unwrap();
        // a server that has too much of one moment cannot be read
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let own = list(Some(&login)).await.unwrap();
    let told = |one: &MoneyOperation| (one.amount, one.comment.split([' ', ':']).next().unwrap().to_owned());
    let mut all: Vec<_> = own.iter().map(told).collect();
    all.sort();
    let mut wanted: Vec<_> = (0..25).map(|n| (decimal("1.00"), format!("pay_{n:02}"))).collect();
    wanted.extend([(decimal("1000.00"), PAID.to_owned()), (decimal("-250.50"), TAKEN.to_owned())]);
    wanted.sort();
    assert_eq!(all, wanted);
    assert!(own.iter().all(|one| one.is_balance && one.login == login && from <= one.at && one.at < to), "{own:?}");
    assert!(own.iter().any(|one| one.ticket == paid || one.comment == paid.as_str()), "{paid:?} in {own:?}");
    let before = bench.platform().operations(Some(&login), from.minus(Seconds(3_600)), from).await;
    assert_eq!(before, Ok(vec![]), "of another time");
    match how {
        OperationsList::EachAccount => assert!(is_unsupported(&list(None).await)),
        OperationsList::AllAtOnce => {
            let everybodys = list(None).await.unwrap();
            assert_eq!((everybodys.len(), everybodys.iter().filter(|one| one.login == other).count()), (28, 1));
        }
    }
    // nothing is concluded of an account that is not there
    assert_eq!(said(&list(Some(&Login::new(NO_LOGIN))).await.unwrap_err()), "not applied");
}

pub async fn closed_trades_are_read_once_each<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let (login, other) = (bench.open(FIRST).await, bench.open(SECOND).await);
    let start = TradeCursor::since(around_now().0);
    let read = async |cursor: &TradeCursor| bench.platform().closed_trades(&login, cursor).await;
    if !bench.platform().capabilities().closed_trades {
        assert!(is_unsupported(&read(&start).await));
        return;
    }
    if bench.platform().capabilities().money.is_some() {
        bench.book(&login, "1000.00", PAID).await.unwrap();
    }
    let none = read(&start).await.unwrap();
    assert!(none.trades.is_empty() && !none.more, "{none:?}");
    let deals = [bench.trade(&login, "12.30").await, bench.trade(&login, "-4.56").await];
    bench.trade(&other, "99.00").await;
    let first = read(&none.next).await.unwrap();
    let given: Vec<_> = first.trades.iter().map(|trade| trade.deal.as_str()).collect();
    assert_eq!(given, deals);
    for (trade, profit) in first.trades.iter().zip(["12.30", "-4.56"]) {
        assert_eq!((&trade.login, trade.side), (&login, Side::Buy));
        assert_eq!(trade.profit, decimal(profit));
        assert!(matches!(trade.volume, Volume::Units(_)) || trade.volume == Volume::Lots("0.1".parse().unwrap()));
        let (from, to) = around_now();
        assert!((from..=to).contains(&trade.closed_at), "{trade:?}");
    }
    let nothing = read(&first.next).await.unwrap();
    assert!(nothing.trades.is_empty(), "{nothing:?}");
    let third = bench.trade(&login, "1.00").await;
    let second = read(&nothing.next).await.unwrap();
    assert_eq!(second.trades.iter().map(|trade| trade.deal.as_str()).collect::<Vec<_>>(), [third.as_str()]);
    // from a cursor that was kept and one that came back from a store, the same is read
    let kept: TradeCursor = serde_json::from_value(serde_json::to_value(&nothing.next).unwrap()).unwrap();
    assert_eq!(read(&kept).await.unwrap().trades, second.trades);
}

pub async fn a_server_that_is_away_has_done_nothing<B: Bench>() {
    let (platform, login) = (B::nowhere(), Login::new("1"));
    let errors = [
        platform.create_account(&B::wish(FIRST)).await.map(|_| ()),
        platform.change_account(&login, &AccountChange::access(Access::NoTrading)).await,
        platform.apply_balance(&operation(&login, "10.00", PAID)).await.map(|_| ()),
        platform.balance(&login, usd()).await.map(|_| ()),
        platform.account(&login).await.map(|_| ()),
    ];
    for (n, error) in errors.into_iter().enumerate().filter(|(_, error)| !is_unsupported(error)) {
        assert_eq!(said(&error.unwrap_err()), "not applied", "{n}");
    }
}

pub async fn a_wrong_secret_has_done_nothing<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let login = bench.open(FIRST).await;
    let stranger = bench.with_a_wrong_secret();
    let errors = [
        stranger.create_account(&B::wish(SECOND)).await.map(|_| ()),
        stranger.change_account(&login, &AccountChange::access(Access::NoTrading)).await,
        stranger.apply_balance(&operation(&login, "10.00", PAID)).await.map(|_| ()),
        stranger.balance(&login, usd()).await.map(|_| ()),
    ];
    for (n, error) in errors.into_iter().enumerate().filter(|(_, error)| !is_unsupported(error)) {
        let error = error.unwrap_err();
        assert_eq!(said(&error), "misconfigured", "{n}: {error:?}");
    }
    assert_eq!((bench.accounts().await, bench.bookings(&login).await), (1, 0));
}

pub async fn open_positions_are_seen<B: Bench>() {
    let bench = B::start(CALL_TIMEOUT).await;
    let (first, second) = (bench.open(FIRST).await, bench.open(SECOND).await);
    assert!(bench.platform().capabilities().open_positions);
    for (margin, is_open) in [("0", false), ("12.50", true), ("0", false)] {
        bench.hold(&first, margin).await;
        assert_eq!(bench.platform().has_positions(&first).await, Ok(is_open), "{margin}");
        assert_eq!(bench.platform().has_positions(&second).await, Ok(false));
    }
    // a trade that is closed holds nothing
    bench.trade(&second, "5.00").await;
    assert_eq!(bench.platform().has_positions(&second).await, Ok(false));
}
