//! The end of the month: statements that betray a changed digit, closings, runs that pay once, the file for the bank.

use std::collections::BTreeMap;

use domain::decision::{Decision, Verdict};
use domain::entity::Entity as _;
use domain::ledger::LedgerAccount;
use domain::partner::balance::Balances;
use domain::partner::bank_file::clean;
use domain::partner::book::Book;
use domain::partner::closing::{Owed, PartnerBook, rebates, revenue_share};
use domain::partner::line::{AgreementRef, Line, LineModel};
use domain::partner::payee::{Payee, Rail};
use domain::partner::payout::{NextStep, PartnerPayout, PayoutStatus};
use domain::partner::rules::{Accounting, Debtor, RevenuePart};
use domain::partner::run::{Draft, LeftOut, LeftOutCode, PayoutRun, Planned, RunRefusal, RunStatus};
use domain::partner::statement::{Drawing, StatedLine, Statement};
use domain::partner::totals::Totals;
use domain::partner::trade::Trade;
use domain::partner::verify::{Document, Sealed, StatedTrade, counting_of, verify};
use domain::withdrawal::PayoutAnswer;
use domain::withdrawal::payout::PayoutLimits;
use domain::work::HumanDecision;
use domain::{Money, PayoutRunId, Seconds};
use serde_json::json;

use crate::world::*;

const NOW: &str = "2026-04-10T00:00:00Z";
const WHEN: &str = "2026-03-02T10:00:00Z";

/// A statement without trades and agreements.
pub fn drawn((who, month): (u128, &str), opening: Money, lines: &[Line], paid: Money) -> Document {
    let mut lines: Vec<StatedLine> = lines.iter().map(StatedLine::of).collect();
    lines.sort_by(|a, b| (a.at, &a.line_id).cmp(&(b.at, &b.line_id)));
    let mut drawing = Drawing::new(opening.currency());
    for line in &lines {
        drawing.take(line).unwrap();
    }
    let head = drawing.finish((&partner(who), period(month)), (opening, paid), at(NOW)).unwrap();
    let statement_id = Statement::drawn(head.clone()).next.id;
    let (trades, agreements, counting) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    Document { statement_id, head, lines, next_cursor: None, trades, agreements, counting }
}

/// The same with what they were reckoned from.
fn with_evidence(mut document: Document, trades: &[Trade], agreement: (&str, serde_json::Value)) -> Document {
    document.trades = trades.iter().map(|trade| Sealed::of(StatedTrade::of(trade, 1))).collect();
    document.agreements = BTreeMap::from([(format!("{}@1", agreement.0), Sealed::of(agreement.1))]);
    document.counting = BTreeMap::from([("1".to_owned(), Sealed::of(counting_of(&seed())))]);
    document
}

fn usd(text: &str) -> Money {
    money(text, "USD")
}

/// Two levels, a filter, a reversal, a pool that cuts.
fn statement() -> (Document, Vec<Line>) {
    let low = with(per_lot("5"), json!({"pool": {"per_lot": 6, "cut": "pro_rata"}}));
    let over = with(per_lot("8"), json!({"overrides": {"kind": "difference"}, "filters": {"hold_min": "3m"}}));
    let rules = agreements(json!({"low": low, "over": over}));
    let network = tree(&[(2, "over", None), (1, "low", Some(2))]);
    let mut quick = trade("quick", 1, "2026-03-03T10:00:00Z", "1");
    quick.opened_at = Some(at("2026-03-03T09:59:00Z"));
    let deals = [trade("a", 1, WHEN, "1.37"), quick, trade("b", 1, "2026-03-04T10:00:00Z", "0.3")];
    let mut events: Vec<_> = deals.iter().cloned().map(made).collect();
    events.push(deleted(&deals[2], 2));
    let catalogue = catalogue(&rules);
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let lines: Vec<Line> =
        one_by_one(&mut book, &events).lines.into_iter().filter(|line| line.partner == partner(2)).collect();
    (with_evidence(drawn((2, "2026-03"), usd("1.00"), &lines, usd("0")), &deals, ("over", over)), lines)
}

#[test]
fn a_statement_is_drawn_alike_in_any_order_and_bears_itself_out() {
    let (document, mut lines) = statement();
    assert_eq!(verify(std::slice::from_ref(&document)), []);
    assert_eq!((document.lines.len(), document.head.totals.by_model[&LineModel::Lot].amount()), (4, dec("3.08")));
    assert!(document.lines.iter().any(|line| line.gross.is_some()), "the pool cuts, and the filter pays nothing");
    lines.reverse();
    assert_eq!(drawn((2, "2026-03"), usd("1.00"), &lines, usd("0")).head, document.head);
    // it survives being written and read, and put together from pages
    let text = serde_json::to_string(&document).unwrap();
    let read: Document = serde_json::from_str(&text).unwrap();
    assert_eq!(read, document);
    let page = |lines: &[StatedLine]| Document { lines: lines.to_vec(), ..document.clone() };
    assert_eq!(verify(&[page(&document.lines[2..]), page(&document.lines[..2])]), []);
    assert_ne!(verify(&[page(&document.lines[2..])]), [], "a page is missing");
    assert_ne!(verify(&[document.clone(), document.clone()]), [], "lines that are there twice");
    assert!(document.lines[0].client.as_ref().unwrap().starts_with('…'), "nobody's whole id");
    assert!(!text.contains(client(1).as_str()), "{text}");
}

/// A statement with a line of every kind on it: levels, models, an exchange rate, a tier that is reached and lost again, reversals, a share of
/// a sub-partner's pay, a new client, a share of revenue, and what two people put right.
fn of_every_kind() -> Document {
    let pay = json!([
        {"id": "lots", "model": "lot", "hold": "7d", "rates": [{"id": "all", "when": "always", "then": 8}],
            "tiers": {"volume": "own", "apply": "retroactive", "steps": [{"above": 1, "factor": "1.1"}]}},
        {"id": "pips", "model": "points", "unit": "pip", "rates": [{"id": "all", "when": "always", "then": "0.4"}]},
        {"id": "fee", "model": "commission", "rates": [{"id": "all", "when": "always", "then": "12.5"}]},
    ]);
    let share = json!({"kind": "share", "per_cent": 20, "paid_by": "sub"});
    let over = json!({"currency": "USD", "pay": pay, "overrides": share});
    let rules = agreements(json!({"low": per_lot("5.3"), "over": over}));
    let network = tree(&[(2, "over", None), (1, "low", Some(2))]);
    let mut yen = trade("yen", 2, "2026-03-03T10:00:00Z", "1.30");
    (yen.symbol, yen.commission) = ("USDJPY".to_owned(), money("-7.35", "USD"));
    yen.rates = vec![rate("USD", "JPY", "151.20")];
    let deals = [yen, trade("more", 2, "2026-03-04T10:00:00Z", "0.37"), trade("sub", 1, WHEN, "2.05")];
    let mut events: Vec<_> = deals.iter().cloned().map(made).collect();
    events.push(deleted(&deals[0], 2));
    let catalogue = catalogue(&rules);
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let mut lines = one_by_one(&mut book, &events).lines;
    lines.retain(|line| line.partner == partner(2));
    let of = |n: u128, model, rule: &str, (base, rate): (&str, &str), amount: &str| Line {
        id: domain::AccrualLineId::from_bits(n),
        trade: None,
        model,
        rule_id: rule.to_owned(),
        base: dec(base),
        rate: dec(rate),
        factor: dec("1"),
        fx: None,
        amount: domain::partner::fine::Fine::rounded(dec(amount), currency("USD")),
        gross: None,
        reverses: None,
        why: vec!["because of 7".to_owned()],
        ..lines[0].clone()
    };
    let more = [
        of(1, LineModel::Cpa, "cpa/from_250", ("1", "150"), "150"),
        of(2, LineModel::Revenue, "revenue", ("540", "25"), "135"),
        of(3, LineModel::Adjustment, "dispute/1", ("-12.5", "1"), "-12.5"),
    ];
    lines.extend(more);
    let document = drawn((2, "2026-03"), usd("-31.25"), &lines, usd("40.10"));
    let document = with_evidence(document, &deals, ("over", over));
    let models: std::collections::BTreeSet<LineModel> = document.lines.iter().map(|line| line.model).collect();
    assert_eq!((models.len(), verify(std::slice::from_ref(&document))), (8, vec![]), "{models:?}");
    assert!(
        document.lines.iter().any(|line| line.fx.is_some())
            && document.lines.iter().any(|line| line.reverses.is_some())
    );
    document
}

/// What is found of a changed text: nothing where it says the same, an empty list where nobody notices.
fn found_in(changed: &str, document: &Document) -> Option<Vec<domain::partner::verify::Finding>> {
    // what does not read any more is found by that
    let Ok(read) = serde_json::from_str::<Document>(changed) else { return None };
    assert_ne!(read, *document, "{changed}");
    Some(verify(&[read]))
}

#[test]
fn any_digit_that_was_changed_is_found_and_a_line_is_named_for_its_own() {
    let document = of_every_kind();
    let text = serde_json::to_string(&document).unwrap();
    let digits: Vec<usize> = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(n, _)| n).collect();
    let (begin, end) = (text.find("\"lines\":[").unwrap(), text.find("\"next_cursor\"").unwrap());
    let of_lines = digits.iter().filter(|n| (begin..end).contains(n)).count();
    assert!(digits.len() > 2_000 && of_lines > 1_000, "{} {of_lines}: {text}", digits.len());
    // every digit, changed to the next one and to one that is far from it
    let changes: Vec<(usize, u8)> = digits.iter().flat_map(|n| [(*n, 1), (*n, 6)]).collect();
    std::thread::scope(|scope| {
        for part in changes.chunks(changes.len() / 2 + 1) {
            let (text, document) = (&text, &document);
            scope.spawn(move || {
                for (n, by) in part {
                    let digit = (text.as_bytes()[*n] - b'0' + by) % 10;
                    let changed = format!("{}{digit}{}", &text[..*n], &text[n + 1..]);
                    let Some(findings) = found_in(&changed, document) else { continue };
                    assert!(!findings.is_empty(), "{changed}");
                    let is_named = findings.iter().any(|finding| finding.line.is_some());
                    assert!(is_named || !(begin..end).contains(n), "{findings:?} {changed}");
                }
            });
        }
    });
}

type Forgery = Box<dyn Fn(&mut StatedLine)>;

/// Somebody changes a line and reckons every hash anew.
fn forged(change: impl Fn(&mut StatedLine)) -> Document {
    let (mut document, _) = statement();
    change(&mut document.lines[0]);
    document.lines[0].hash = document.lines[0].seal();
    let mut drawing = Drawing::new(currency("USD"));
    for line in &document.lines {
        drawing.take(line).unwrap();
    }
    let of = (&document.head.partner_id.clone(), document.head.period);
    document.head = drawing.finish(of, (document.head.opening, document.head.totals.paid), at(NOW)).unwrap();
    document
}

#[test]
fn what_somebody_forged_with_new_hashes_differs_from_trade_or_agreement() {
    assert_eq!(verify(&[forged(|_| {})]), []);
    let wanted = "by the trade the base is 1.37";
    let cases: [(&str, Forgery); 4] = [
        (wanted, Box::new(|line| line.base = dec("2.37"))),
        ("by the agreement the row is all with the rate 8", Box::new(|line| line.own_rate = Some(dec("9")))),
        ("its own numbers", Box::new(|line| line.factor = dec("1.1"))),
        (
            "more than its numbers",
            Box::new(|line| {
                line.amount = domain::partner::fine::Fine::rounded(dec("50"), currency("USD"));
            }),
        ),
    ];
    for (wanted, change) in cases {
        let found = verify(&[forged(change)]);
        assert!(
            found.iter().any(|finding| finding.line.is_some() && finding.what.contains(wanted)),
            "{wanted}: {found:?}"
        );
    }
}

fn change<T>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

#[test]
fn a_month_is_closed_once_and_what_was_earned_is_owed() {
    let after = Seconds(5 * 86_400);
    let begun = PartnerBook::begun(&partner(1), at("2026-03-20T00:00:00Z"), after).next;
    assert_eq!((begun.facts.open, begun.due), (period("2026-03"), Some(at("2026-04-06T00:00:00Z"))));
    assert!(!begun.is_over(after, at("2026-04-05T23:59:59Z")) && begun.is_over(after, at("2026-04-06T00:00:00Z")));
    let owed = Owed { earned: usd("100.00"), rebates: usd("60.00"), closing: usd("100.00") };
    let closed = begun.closed(&[owed], dec("-5"), after).unwrap();
    let on = |account: LedgerAccount| closed.postings.on(&account, currency("USD")).unwrap();
    assert_eq!(on(LedgerAccount::Partner(partner(1))), usd("-100.00"), "what we owe is a credit");
    assert_eq!([on(LedgerAccount::Rebates), on(LedgerAccount::Commissions)], [usd("60.00"), usd("40.00")]);
    let next = closed.next;
    assert_eq!((next.facts.open, next.due), (period("2026-04"), Some(at("2026-05-06T00:00:00Z"))));
    assert_eq!((next.closing(currency("USD")), next.facts.carry), (usd("100.00"), dec("-5")));
    // below zero the partner owes us
    let owed = Owed { earned: usd("-30.00"), rebates: usd("0"), closing: usd("70.00") };
    let closed = next.closed(&[owed], dec("0"), after).unwrap();
    assert_eq!(closed.postings.on(&LedgerAccount::Partner(partner(1)), currency("USD")).unwrap(), usd("30.00"));
}

#[test]
fn rebates_and_commissions_are_together_what_was_earned() {
    let of = |id: &str, amount: &str| (AgreementRef { id: id.to_owned(), version: 1 }, dec(amount));
    let kind = |agreement: &AgreementRef| if agreement.id == "r" { Accounting::Rebate } else { Accounting::Commission };
    let by = BTreeMap::from([of("r", "0.335"), of("c", "0.335")]);
    assert_eq!(rebates(&by, kind, usd("0.67")).unwrap(), usd("0.34"));
    assert_eq!(rebates(&BTreeMap::from([of("r", "0.335")]), kind, usd("0.34")).unwrap(), usd("0.34"));
    assert_eq!(rebates(&BTreeMap::from([of("c", "0.335")]), kind, usd("0.34")).unwrap(), usd("0.00"));
}

#[test]
fn a_share_of_revenue_is_a_line_and_a_loss_is_carried() {
    let share = json!({"per_cent": 30, "parts": ["commission", "client_result"], "carry": {"mode": "on", "of": "revenue"}, "hold": "7d"});
    let rules = agreements(json!({"p": {"currency": "USD", "revenue": share}}));
    let accepted = AgreementRef { id: "p".to_owned(), version: 1 };
    let terms = rules.agreement("p").unwrap();
    let of = |month: &str, net: &str, carried: &str| {
        let mut totals = Totals::default();
        totals.revenue.entry(currency("USD")).or_default().insert(RevenuePart::ClientResult, dec(net));
        revenue_share((&partner(1), period(month)), (&accepted, terms), &totals, dec(carried)).unwrap()
    };
    let (line, carry) = of("2026-01", "-800", "0");
    assert_eq!((line.unwrap().amount.amount(), carry), (dec("0"), dec("-800")));
    let (line, carry) = of("2026-02", "500", "-800");
    assert_eq!((line.unwrap().amount.amount(), carry), (dec("0"), dec("-300")));
    let (line, carry) = of("2026-03", "1200", "-300");
    let line = line.unwrap();
    assert_eq!((line.amount.amount(), line.base, carry), (dec("270"), dec("900"), dec("0")));
    assert_eq!(line.held_until.map(|day| day.to_string()).as_deref(), Some("2026-04-08"));
    assert_eq!(verify(&[drawn((1, "2026-03"), usd("0"), &[line], usd("0"))]), []);
    assert_eq!(of("2026-04", "0", "0"), (None, dec("0")));
}

fn payee(rail: Rail) -> Payee {
    match rail {
        Rail::Bank => {
            Payee::Bank { name: "Søren Müller & Co".to_owned(), iban: "DE89370400440532013000".to_owned(), bic: None }
        }
        Rail::Crypto => Payee::Crypto { currency: "USDT".to_owned(), address: "T1".to_owned() },
        Rail::Wallet => {
            Payee::Wallet { psp: domain::partner::payee::WalletPsp::Skrill, email: "a@example.com".to_owned() }
        }
    }
}

fn draft(payouts: &[(u128, &str, Rail)]) -> PayoutRun {
    let planned = |(who, amount, rail): &(u128, &str, Rail)| {
        (Planned { partner_id: partner(*who), amount: usd(amount), rail: *rail }, payee(*rail))
    };
    let out =
        LeftOut { partner_id: partner(9), code: LeftOutCode::BelowMinimum, amount: usd("1.00"), why: "x".to_owned() };
    let draft = Draft {
        period: period("2026-03"),
        currency: currency("USD"),
        rail: None,
        payouts: payouts.iter().map(planned).collect(),
        left_out: vec![out],
    };
    PayoutRun::drafted(PayoutRunId::from_bits(7), draft, ("Ana.K", at(NOW))).unwrap().next
}

fn debtor() -> Debtor {
    Debtor { name: "Pipworks".to_owned(), iban: "GB82WEST12345698765432".to_owned(), bic: Some("COBADEFF".to_owned()) }
}

#[test]
fn a_run_is_approved_by_another_person_and_executed_once() {
    let draft = draft(&[(1, "100.00", Rail::Bank), (2, "55.40", Rail::Crypto)]);
    assert_eq!((draft.facts.total, draft.proposed_by()), (usd("155.40"), Some("ana.k".to_owned())));
    let debtor = debtor();
    for own in ["Ana.K", " ana.k", "a\u{200B}na.K"] {
        assert_eq!(draft.approve(Some(&debtor), own, at(NOW)), Err(RunRefusal::OwnDraft));
    }
    assert_eq!(draft.approve(None, "ben", at(NOW)), Err(RunRefusal::NoAccount));
    assert_eq!(draft.execute("ben"), Err(RunRefusal::Status(RunStatus::Draft)));
    assert_eq!(draft.file(&[]), None, "nobody has approved it");
    let approved = change(draft.approve(Some(&debtor), "ben", at(NOW)).unwrap());
    assert_eq!(approved.approver.as_deref(), Some("ben"), "the store looks, too");
    let approved = approved.next;
    assert!(matches!(approved.approve(Some(&debtor), "ben", at(NOW)), Ok(Verdict::Nothing(_))));
    assert_eq!(approved.approve(Some(&debtor), "cyd", at(NOW)), Err(RunRefusal::Status(RunStatus::Approved)));
    let executing = change(approved.execute("ana.k").unwrap()).next;
    assert_eq!(executing.execute("ben"), Err(RunRefusal::Status(RunStatus::Executing)));
    assert_eq!(executing.cancel("ana").unwrap_err(), RunRefusal::Status(RunStatus::Executing));
    let ordered = |n: usize| {
        let planned = &executing.facts.payouts[n];
        PartnerPayout::ordered(&executing, planned, (n == 1).then_some("coinspaid"), at(NOW)).unwrap().next
    };
    let paid = ordered(0).taken(at(NOW)).decision.next;
    assert!(matches!(executing.ended(std::slice::from_ref(&paid)), Verdict::Nothing(_)), "one is not begun");
    assert!(matches!(executing.ended(&[paid.clone(), ordered(1)]), Verdict::Nothing(_)));
    let failed = ordered(1).not_covered(usd("0")).next;
    let ended = change(executing.ended(&[paid.clone(), failed])).next;
    assert_eq!((ended.facts.status, ended.facts.ended.unwrap().failed), (RunStatus::PartlyFailed, 1));
    assert!(matches!(ended.ended(&[paid]), Verdict::Nothing(_)), "once");
    for run in [&draft, &approved] {
        let cancelled = change(run.cancel("ana").unwrap()).next;
        assert_eq!(cancelled.approve(Some(&debtor), "ben", at(NOW)), Err(RunRefusal::Status(RunStatus::Cancelled)));
        assert_eq!(cancelled.execute("ben"), Err(RunRefusal::Status(RunStatus::Cancelled)));
        assert_eq!(cancelled.file(&[]), None);
    }
    let nobody = change(draft_of_nobody().execute("ben").unwrap()).next;
    assert_eq!(nobody.facts.status, RunStatus::Done);
}

fn draft_of_nobody() -> PayoutRun {
    change(draft(&[]).approve(None, "ben", at(NOW)).unwrap()).next
}

const LIMITS: PayoutLimits = PayoutLimits { poll: Seconds(300), review_after: Seconds(3_600) };

fn sending() -> PartnerPayout {
    let run = draft(&[(2, "55.40", Rail::Crypto)]);
    let waiting = PartnerPayout::ordered(&run, &run.facts.payouts[0], Some("coinspaid"), at(NOW)).unwrap().next;
    assert_eq!(waiting.next_step(at(NOW)), NextStep::Take);
    let taken = waiting.taken(at(NOW));
    assert_eq!((taken.paid, taken.decision.postings.is_none()), (Some(usd("55.40")), true), "booked when he has it");
    taken.decision.next
}

#[test]
fn a_payout_leaves_the_balance_with_its_intent_and_comes_back_once() {
    let sent = sending();
    assert!(matches!(sent.next_step(at(NOW)), NextStep::Nothing(_)), "a call may be under way");
    assert_eq!(sent.next_step(at("2026-04-10T00:01:00Z")), NextStep::Ask);
    let paid = sent.answered(&PayoutAnswer::Paid { reference: "r1".to_owned() }, LIMITS, at(NOW)).unwrap();
    let booked = |moved: &domain::partner::payout::Moved| {
        moved.decision.postings.on(&LedgerAccount::Partner(partner(2)), currency("USD")).unwrap()
    };
    assert_eq!((paid.paid, booked(&paid)), (None, usd("55.40")));
    let paid = paid.decision.next;
    assert_eq!(
        (paid.facts.status, paid.due, paid.next_step(at(NOW))),
        (PayoutStatus::Paid, None, NextStep::Nothing("it is over"))
    );
    let back = paid.returned("ana", "account closed").unwrap();
    assert_eq!((back.paid, booked(&back)), (Some(usd("-55.40")), usd("-55.40")));
    assert_eq!(back.decision.next.returned("ana", "again"), None, "once");
    let refused = PayoutAnswer::Failed { reference: String::new(), code: "blocked".to_owned() };
    let failed = sent.answered(&refused, LIMITS, at(NOW)).unwrap();
    assert_eq!((failed.paid, failed.decision.next.facts.status), (Some(usd("-55.40")), PayoutStatus::Failed));
    assert_eq!(failed.decision.next.answered(&refused, LIMITS, at(NOW)), None, "once");
    assert_eq!(failed.decision.next.returned("ana", "x"), None, "what was not paid does not come back");
}

#[test]
fn what_a_provider_does_not_say_is_asked_again_and_then_of_a_person() {
    let sent = sending();
    let unknown = PayoutAnswer::Unknown("no answer".to_owned());
    let waits = sent.answered(&unknown, LIMITS, at(NOW)).unwrap().decision.next;
    assert_eq!((waits.facts.status, waits.due), (PayoutStatus::Sending, Some(at("2026-04-10T00:01:00Z"))));
    assert!(!waits.may_be_sent_again(at(NOW)) && waits.may_be_sent_again(at("2026-04-10T00:01:00Z")));
    let accepted = PayoutAnswer::Accepted { reference: "r1".to_owned() };
    let has = sent.answered(&accepted, LIMITS, at(NOW)).unwrap().decision.next;
    assert_eq!((has.due, has.may_be_sent_again(at(NOW))), (Some(at("2026-04-10T00:05:00Z")), false));
    let late = at("2026-04-10T01:00:00Z");
    let held = has.answered(&accepted, LIMITS, late).unwrap().decision;
    assert_eq!((held.events.clone(), held.next.due), (vec!["desk.item"], None));
    let review = held.next.facts.review.clone().unwrap();
    let decided = |action: &str| HumanDecision {
        kind: review.kind.clone(),
        trigger: Some(review.trigger.clone()),
        action: action.to_owned(),
        evidence: None,
        by: "ana".to_owned(),
        approved_by: Some("ben".to_owned()),
        at: late,
    };
    for (action, paid, status) in [
        ("mark_paid_out", None, PayoutStatus::Paid),
        ("credit_back", Some(usd("-55.40")), PayoutStatus::Failed),
        ("mark_not_paid_retry", None, PayoutStatus::Sending),
        ("resolve", None, PayoutStatus::Sending),
    ] {
        let moved = held.next.decided(&decided(action), late).unwrap();
        assert_eq!((moved.paid, moved.decision.next.facts.status), (paid, status), "{action}");
        assert_eq!(moved.decision.next.decided(&decided(action), late), None, "once: {action}");
    }
}

#[test]
fn the_file_for_the_bank_is_the_same_whenever_it_is_asked_for() {
    let run = draft(&[(1, "100.00", Rail::Bank), (2, "55.40", Rail::Crypto), (3, "0.10", Rail::Bank)]);
    let approved = change(run.approve(Some(&debtor()), "ben", at(NOW)).unwrap()).next;
    let mut executing = change(approved.execute("ben").unwrap()).next;
    let ordered = |n: usize| {
        let planned = &executing.facts.payouts[n];
        PartnerPayout::ordered(&executing, planned, (n == 1).then_some("coinspaid"), at(NOW)).unwrap().next
    };
    let taken = |n: usize| ordered(n).taken(at(NOW)).decision.next;
    let paid = [taken(0), ordered(1), taken(2)];
    let xml = executing.file(&paid).unwrap();
    // what no balance was charged with stands in no file: whoever has it may pay by it
    assert_eq!(approved.file(&paid), None, "it may still be cancelled");
    assert_eq!(executing.file(&[taken(0), ordered(1)]), None, "one is not begun");
    assert_eq!(executing.file(&[taken(0), ordered(1), ordered(2)]), None, "one is still in its balance");
    let not_covered = ordered(2).not_covered(usd("0")).next;
    let without = executing.file(&[taken(0), ordered(1), not_covered.clone()]).unwrap();
    assert!(without.contains("<NbOfTxs>1</NbOfTxs><CtrlSum>100.00</CtrlSum>"), "{without}");
    let none = [ordered(0).not_covered(usd("0")).next, ordered(1), not_covered];
    assert_eq!(executing.file(&none), None);
    let ended = change(executing.ended(&[taken(0), ordered(1).not_covered(usd("0")).next, taken(2)])).next;
    assert_eq!(ended.file(&paid).as_ref(), Some(&xml), "its end changes nothing in it");
    for wanted in [
        "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
        "<NbOfTxs>2</NbOfTxs><CtrlSum>100.10</CtrlSum>",
        "<ReqdExctnDt><Dt>2026-04-10</Dt></ReqdExctnDt>",
        "<InstdAmt Ccy=\"USD\">100.00</InstdAmt>",
        "<Nm>Soren Mueller . Co</Nm>",
        "<BICFI>COBADEFF</BICFI>",
        "<ChrgBr>SHAR</ChrgBr>",
        "<Ustrd>Partner pay 2026-03</Ustrd>",
    ] {
        assert!(xml.contains(wanted), "{wanted}: {xml}");
    }
    let ids: Vec<&str> = xml.split("<EndToEndId>").skip(1).map(|part| part.split('<').next().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for id in &ids {
        assert!(id.len() <= 35 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
    }
    assert_ne!(ids[0], ids[1]);
    // whatever changes where the money goes is seen
    let elsewhere = Payee::Bank { name: "Mallory".to_owned(), iban: "GB82WEST12345698765432".to_owned(), bic: None };
    executing.payees.insert(partner(1), domain::Redacted::new(elsewhere));
    assert_eq!(executing.file(&paid), None);
}

#[test]
fn a_bank_takes_what_its_characters_can_say() {
    for (text, wanted) in [
        ("Iris Bauer", "Iris Bauer"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("O'Neil <x>&\"", "O'Neil .x..."),
        ("日本", ".."),
        ("  a  ", "a"),
    ] {
        assert_eq!(clean(text, 70), wanted);
    }
    assert_eq!(clean("abcdef", 3), "abc");
}

#[test]
fn a_run_pays_up_to_its_month_and_never_what_was_taken_back_later() {
    let rules = agreements(json!({"p": per_lot("5")}));
    let (network, catalogue) = (tree(&[(1, "p", None)]), catalogue(&rules));
    let mut book = Book::new(&catalogue, &network, period("2026-03"));
    let march = trade("march", 1, WHEN, "20");
    book.take_all(vec![made(march.clone()), made(trade("april", 1, "2026-04-02T10:00:00Z", "4"))]);
    let of = |book: &Book<'_>, paid: &str| {
        let months: BTreeMap<_, _> = book.totals.iter().map(|((_, month), totals)| (*month, totals.clone())).collect();
        let to = (period("2026-03"), currency("USD"));
        let all = Balances::up_to(&months, to, usd(paid), &usd("10"), at(NOW)).unwrap();
        [all.payable.amount_text(), all.carried.amount_text()]
    };
    assert_eq!(of(&book, "0"), ["100.00", "0.00"]);
    assert_eq!(of(&book, "100"), ["0.00", "0.00"]);
    book.open_from = period("2026-04");
    book.take_all(vec![deleted(&march, 2)]);
    assert_eq!(of(&book, "0"), ["20.00", "80.00"], "what April took back is set off");
    assert_eq!(of(&book, "100"), ["0.00", "0.00"]);
}
