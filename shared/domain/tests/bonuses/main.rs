//! Who gets a bonus, and what becomes of it on the platform, whatever comes late, twice or not at all.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

use domain::account::change::Upkeep;
use domain::account::{Account, AccountFacts, AccountInner, AccountStatus, CreditBar};
use domain::activity::{ActivityFacts, History, SeenLogin};
use domain::bonus::book::{BonusBook, BookOf};
use domain::bonus::credit::BonusStep;
use domain::bonus::grant::{Circumstances, Marks, Outcome, Seat, Signs, judge};
use domain::bonus::rules::{Bonuses, MarkKind};
use domain::bonus::{Bonus, BonusStatus, BonusWish};
use domain::client::Client;
use domain::decision::{Decision, Verdict};
use domain::journey::sending::Reason;
use domain::ledger::{LedgerAccount, Postings};
use domain::payment::{CreditOutcome, Found, GRACE};
use domain::rules::RuleSet as _;
use domain::work::HumanDecision;
use domain::{AccountId, ClientId, Currency, Money, Seconds, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const DAY: i64 = 86_400;
const LIMIT: Seconds = Seconds(7_200);

/// So long after the moment at which the stories begin.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
}

/// An open account on MetaTrader 5.
fn account(id: u128) -> Account {
    let facts = AccountFacts {
        status: AccountStatus::Open,
        platform: "mt5".to_owned(),
        account_type: "standard".to_owned(),
        kind: "live".to_owned(),
        currency: "USD".parse().unwrap(),
        leverage: 30,
        server: "mt5-live".to_owned(),
        group: "real\\standard-USD".to_owned(),
        login: Some(format!("95440{id}")),
        created_at: at(0),
        review: None,
        refused: None,
        reopened: None,
        upkeep: Upkeep::default(),
    };
    Account { id: AccountId::from_bits(id), client_id: client(), due: None, facts, inner: AccountInner::default() }
}

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text, usd()).unwrap()
}

fn document() -> serde_json::Value {
    json!({
        "per_client": {"most": 2, "within": "365d"},
        "guard": {"marks": ["phone", "device", "instrument"], "known": 1},
        "platform_review_after": "2h",
        "campaigns": {
            "back": {
                "credit": {"amounts": {"USD": "25.00"}}, "expires_after": "30d", "per_client": {"most": 1, "within": "90d"},
                "budget": {"most": 3, "within": "30d", "amounts": {"USD": "60"}}, "four_eyes_from": {"USD": "100"}, "terms": "see https://x.test",
            },
            "tenth": {
                "credit": {"percent": "10", "most": {"USD": "500.00"}}, "expires_after": "7d", "per_client": {"most": 5, "within": "90d"},
                "budget": {"most": 100, "within": "30d", "amounts": {"USD": "5000"}}, "four_eyes_from": {"USD": "100"}, "terms": "x",
            },
        },
    })
}

fn rules() -> Bonuses {
    Bonuses::parse(&document()).unwrap()
}

fn client() -> ClientId {
    ClientId::from_bits(2)
}

fn wish(campaign: &str, key: &str, amount: Option<&str>) -> BonusWish {
    BonusWish {
        campaign: campaign.to_owned(),
        journey: "inactive".to_owned(),
        step: "bonus".to_owned(),
        key: key.to_owned(),
        amount: amount.map(|amount| amount.parse().unwrap()),
        at: at(0),
    }
}

fn seat(n: u128, change: impl FnOnce(&mut Account)) -> Seat {
    let mut own = account(n);
    change(&mut own);
    Seat { account: own, books_credit: true }
}

const FINE: Signs = Signs { linked: Some(false), hedged: Some(false) };

struct World {
    seats: Vec<Seat>,
    barred: Option<Reason>,
    signs: Signs,
    own: BonusBook,
    campaign: BonusBook,
}

fn plain() -> World {
    World {
        seats: vec![seat(1, |_| {})],
        barred: None,
        signs: FINE,
        own: BonusBook::begun(BookOf::Client(client())),
        campaign: BonusBook::begun(BookOf::Campaign("back".to_owned())),
    }
}

impl World {
    fn judged(&self, bonus: &Bonus, approved: bool, now: Timestamp) -> Outcome {
        let about = Circumstances {
            seats: &self.seats,
            barred: self.barred,
            signs: self.signs,
            own: &self.own,
            campaign: &self.campaign,
            base: usd(),
        };
        judge(bonus, approved, &rules(), &about, now)
    }

    fn asks(&self) -> Outcome {
        self.judged(&Bonus::wished(&client(), &wish("back", "k", None)), false, at(0))
    }

    /// What was given counts from then on.
    fn count(&mut self, outcome: &Outcome, now: Timestamp) {
        let next = &outcome.bonus.next;
        let name = &next.facts.campaign;
        self.own = self.own.counting(&next.id, name, next.facts.amount, now).next;
        self.campaign = self.campaign.counting(&next.id, name, next.facts.amount, now).next;
    }
}

fn told(outcome: &Outcome) -> (BonusStatus, Option<&str>, Option<&str>) {
    let facts = &outcome.bonus.next.facts;
    (facts.status, facts.reason.as_deref(), facts.review.as_ref().map(|review| review.kind.as_str()))
}

fn change<T: std::fmt::Debug>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(why) => panic!("nothing: {why}"),
    }
}

#[test]
fn a_wish_is_granted_on_the_oldest_open_live_account_with_its_terms() {
    let mut world = plain();
    world.seats = vec![
        seat(1, |own| own.facts.kind = "demo".to_owned()),
        seat(2, |own| own.facts.status = AccountStatus::Closed),
        seat(4, |own| own.facts.created_at = at(60)),
        seat(3, |own| own.facts.created_at = at(50)),
    ];
    let outcome = world.asks();
    assert_eq!(told(&outcome), (BonusStatus::Granted, None, None));
    let next = &outcome.bonus.next;
    assert_eq!(next.facts.account_id, Some(AccountId::from_bits(3)));
    assert_eq!((next.facts.amount, next.facts.terms.as_deref()), (Some(money("25.00")), Some("see https://x.test")));
    assert!(outcome.counts && outcome.bonus.postings.is_none());
    assert_eq!(outcome.bonus.events, ["bonus.granted"]);
    assert_eq!(next.due, Some(at(0).plus(GRACE)), "its timer goes on where its event is lost");
}

#[test]
fn what_speaks_against_it_refuses_it_and_what_nobody_knows_two_people_answer() {
    use BonusStatus as S;
    type Spoil = fn(&mut World);
    let refused: [(&str, Spoil); 7] = [
        ("barred", |own| own.barred = Some(Reason::Barred)),
        ("paused", |own| own.barred = Some(Reason::Paused)),
        ("linked", |own| own.signs.linked = Some(true)),
        ("hedged", |own| own.signs.hedged = Some(true)),
        ("no_account", |own| own.seats.clear()),
        ("no_account", |own| own.seats = vec![seat(1, |own| own.facts.kind = "demo".to_owned())]),
        ("no_account", |own| own.seats = vec![seat(1, |own| own.facts.kind = "something".to_owned())]),
    ];
    for (reason, bend) in refused {
        let mut world = plain();
        bend(&mut world);
        assert_eq!(told(&world.asks()), (S::Refused, Some(reason), None));
        assert!(!world.asks().counts);
        // people answer what nobody knew; what is known stays
        let bonus = world.asks().bonus.next;
        assert_eq!(told(&world.judged(&bonus, true, at(1))).1, Some(reason));
    }
    let asked: [fn(&mut World); 2] = [|own| own.signs.linked = None, |own| own.signs.hedged = None];
    for bend in asked {
        let mut world = plain();
        bend(&mut world);
        let outcome = world.asks();
        assert_eq!(told(&outcome), (S::Proposed, None, Some("retention_bonus_approval")));
        assert!(!outcome.counts, "nothing is given yet");
        let approved = world.judged(&outcome.bonus.next, true, at(1));
        assert_eq!((told(&approved).0, approved.counts), (S::Granted, true));
        assert_eq!(approved.bonus.events, ["bonus.granted"], "the item was decided: nothing of it is moot");
    }
    let gone = Bonus::wished(&client(), &wish("gone", "k", None));
    assert_eq!(told(&plain().judged(&gone, false, at(0))), (S::Refused, Some("campaign_over"), None));
}

#[test]
fn where_no_platform_books_it_a_person_grants_it_and_it_counts() {
    let bent: [fn(&mut Seat); 2] =
        [|seat| seat.books_credit = false, |seat| seat.account.facts.currency = "EUR".parse().unwrap()];
    for bend in bent {
        let mut world = plain();
        bend(&mut world.seats[0]);
        let outcome = world.asks();
        assert_eq!(told(&outcome), (BonusStatus::HandedOver, None, Some("retention_bonus")));
        assert!(outcome.counts && outcome.bonus.next.due.is_none());
        world.count(&outcome, at(0));
        let again = Bonus::wished(&client(), &wish("back", "later", None));
        assert_eq!(told(&world.judged(&again, false, at(5))).1, Some("client_cap"));
        // another account of his is taken before a person is asked
        world.own = BonusBook::begun(BookOf::Client(client()));
        world.seats.push(seat(9, |own| own.facts.created_at = at(90)));
        assert_eq!(told(&world.asks()).0, BonusStatus::Granted);
    }
}

#[test]
fn caps_count_what_was_granted_within_their_time() {
    let mut world = plain();
    let ask = |world: &World, key: &str, now: Timestamp| {
        world.judged(&Bonus::wished(&client(), &wish("back", key, None)), false, now)
    };
    let first = ask(&world, "1", at(0));
    world.count(&first, at(0));
    assert_eq!(told(&ask(&world, "2", at(89 * DAY))).1, Some("client_cap"));
    assert_eq!(told(&ask(&world, "2", at(92 * DAY))).0, BonusStatus::Granted);
    // two of all campaigns within a year
    let second = ask(&world, "2", at(92 * DAY));
    world.count(&second, at(92 * DAY));
    assert_eq!(told(&ask(&world, "3", at(200 * DAY))).1, Some("client_cap"));
    assert_eq!(told(&ask(&world, "3", at(380 * DAY))).0, BonusStatus::Granted);
    // the campaign's budget is everybody's: 60 takes two of 25, not three
    let mut others = plain();
    for n in 0..2 {
        let outcome = others.asks();
        assert_eq!(told(&outcome).0, BonusStatus::Granted, "{n}");
        others.count(&outcome, at(0));
        others.own = BonusBook::begun(BookOf::Client(client()));
    }
    assert_eq!(told(&others.asks()).1, Some("budget"));
    assert_eq!(told(&ask(&others, "later", at(32 * DAY))).0, BonusStatus::Granted);
}

#[test]
fn a_part_is_never_more_than_it_is_and_large_ones_take_two_people() {
    let world = plain();
    let of = |amount: Option<&str>| world.judged(&Bonus::wished(&client(), &wish("tenth", "k", amount)), false, at(0));
    let amount = |amount| of(Some(amount)).bonus.next.facts.amount.unwrap().amount_text();
    assert_eq!(
        [amount("100"), amount("99.99"), amount("0.19"), amount("5000.004")],
        ["10.00", "9.99", "0.01", "500.00"]
    );
    assert_eq!(amount("99999"), "500.00", "no more than the most");
    for (entry, status) in [("999.99", BonusStatus::Granted), ("1000", BonusStatus::Proposed)] {
        assert_eq!(told(&of(Some(entry))).0, status, "{entry}");
    }
    for nothing in [None, Some("0.05"), Some("0")] {
        assert_eq!(told(&of(nothing)).1, Some("nothing_to_share"), "{nothing:?}");
    }
}

#[test]
fn a_client_is_known_by_what_he_shares_with_others() {
    let born = json!({
        "email": "a@example.com", "phone": "+525512345678", "full_name": "Ana K", "date_of_birth": "1990-01-01",
        "residence": "MX", "nationality": "MX", "language": "es",
    });
    let mut own = Client::register(&born, client(), at(0)).unwrap();
    let login = |device: &str| SeenLogin { at: at(1), country: None, device: Some(device.to_owned()), address: None };
    let history = History { logins: vec![login("d1"), login("d2"), login("d2")], ..History::default() };
    let all = Marks::of(&own, &history, MarkKind::ALL);
    assert_eq!((all.all.len(), all.kinds.len()), (3, 2), "each device once");
    assert_eq!(Marks::of(&own, &history, &[MarkKind::Phone]).all, all.all[..1]);
    own.person.phone = None;
    let none = Marks::of(&own, &History::default(), MarkKind::ALL);
    let flat = ActivityFacts::default();
    let open = ActivityFacts { open_positions: 1, ..ActivityFacts::default() };
    for (marks, taken, activity, signs) in [
        (&all, false, Some(&flat), FINE),
        (&all, true, Some(&flat), Signs { linked: Some(true), hedged: Some(false) }),
        (&none, false, Some(&flat), Signs { linked: None, hedged: Some(false) }),
        // how positions stand to each other is not known, and of whom nothing was heard neither
        (&all, false, Some(&open), Signs { linked: Some(false), hedged: None }),
        (&all, false, None, Signs { linked: Some(false), hedged: None }),
    ] {
        assert_eq!(Signs::of(marks, taken, 1, activity), signs);
    }
    assert_eq!(Signs::of(&all, false, 3, Some(&flat)).linked, None, "two kinds are not three");
}

/// A bonus that is to be booked.
fn granted() -> Bonus {
    plain().asks().bonus.next
}

fn sent(step: BonusStep) -> Bonus {
    match step {
        BonusStep::Send(verdict) => change(*verdict).next,
        other => panic!("{other:?}"),
    }
}

fn saved(step: BonusStep) -> Decision<Bonus> {
    match step {
        BonusStep::Save(verdict) => change(*verdict),
        other => panic!("{other:?}"),
    }
}

fn booked(ticket: &str) -> CreditOutcome {
    CreditOutcome::Booked(ticket.to_owned())
}

/// Debit of the cost, credit of what stands on the account.
fn on_books(postings: &Postings) -> (String, String) {
    let on = |account: LedgerAccount| postings.on(&account, usd()).unwrap().amount_text();
    (on(LedgerAccount::Bonuses), on(LedgerAccount::Credit(AccountId::from_bits(1))))
}

#[test]
fn it_is_booked_stands_for_its_time_and_is_taken_off_and_the_ledger_comes_to_nothing() {
    let intent = sent(granted().platform_step(at(5)));
    assert_eq!((intent.facts.status, intent.due), (BonusStatus::Crediting, Some(at(5).plus(GRACE))));
    let operation = intent.operation().unwrap();
    assert_eq!((operation.amount, operation.reference.as_str()), (money("25.00"), intent.id.as_str()));
    let credited = change(intent.outcome(&intent, booked("7"), LIMIT, at(6)));
    assert_eq!((credited.events.as_slice(), credited.outcome), (["bonus.credited"].as_slice(), "credited"));
    assert_eq!(on_books(&credited.postings), ("25.00".to_owned(), "-25.00".to_owned()));
    let own = credited.next;
    let until = at(6 + 30 * DAY);
    assert_eq!((own.facts.expires_at, own.due), (Some(until), Some(until)));
    assert_eq!(own.platform_step(at(100)), BonusStep::Nothing("it stands until its time is up"));
    assert!(!own.gives(), "what is taken off is not asked about again");
    let removing = sent(own.platform_step(until));
    let operation = removing.operation().unwrap();
    assert_eq!((operation.amount, operation.reference), (money("-25.00"), format!("{}R", own.id)));
    assert!(operation_fits(&own.id.to_string()));
    let expired = change(removing.outcome(&removing, booked("8"), LIMIT, until));
    assert_eq!(
        (expired.next.facts.status, expired.events.as_slice()),
        (BonusStatus::Expired, ["bonus.expired"].as_slice())
    );
    assert_eq!(on_books(&credited.postings.with(expired.postings)), ("0.00".to_owned(), "0.00".to_owned()));
    assert_eq!(expired.next.due, None);
    // each is said once
    assert!(matches!(own.outcome(&intent, booked("7"), LIMIT, at(9)), Verdict::Nothing(_)));
    assert!(matches!(expired.next.outcome(&removing, booked("8"), LIMIT, until), Verdict::Nothing(_)));
    for (login, comment, amount, is_it) in [
        ("954401", own.id.to_string(), "25.00", true),
        ("954401", format!("{}R", own.id), "-25.00", true),
        ("954402", own.id.to_string(), "25.00", false),
        ("954401", own.id.to_string(), "50.00", false),
        ("954401", format!("{} by hand", own.id), "25.00", false),
        ("954401", format!("{}R", own.id), "25.00", false),
    ] {
        assert_eq!(expired.next.is_booked_as(login, &comment, amount.parse().unwrap()), is_it, "{comment} {amount}");
        assert_eq!(Bonus::named_in(&comment).as_ref(), Some(&own.id));
    }
    assert!(!own.is_booked_as("954401", &format!("{}R", own.id), "-25.00".parse().unwrap()), "it is not off yet");
}

/// MT4 and MT5 keep 31 bytes.
fn operation_fits(id: &str) -> bool {
    id.len() <= 30
}

#[test]
fn what_may_have_been_sent_is_looked_up_and_sent_again_only_when_it_cannot_arrive_any_more() {
    let intent = sent(granted().platform_step(at(0)));
    assert_eq!(intent.platform_step(at(1)), BonusStep::LookUp);
    assert!(matches!(intent.looked_up(Found::Absent, LIMIT, at(59)), BonusStep::Nothing(_)));
    let again = sent(intent.looked_up(Found::Absent, LIMIT, at(60)));
    assert_eq!(again.inner.credit.attempts, 2);
    let found = saved(again.looked_up(Found::Booked("9".to_owned()), LIMIT, at(61)));
    assert_eq!(
        (found.next.facts.operation.as_deref(), found.events.as_slice()),
        (Some("9"), ["bonus.credited"].as_slice())
    );
    let unknown = change(intent.outcome(&intent, CreditOutcome::Unknown("lost".to_owned()), LIMIT, at(2))).next;
    assert_eq!((unknown.facts.status, unknown.due), (BonusStatus::CreditingUnknown, Some(at(60))));
    let late = saved(unknown.looked_up(Found::Absent, LIMIT, at(7_200)));
    assert_eq!(late.next.facts.review.as_ref().unwrap().kind, "retention_bonus_unresolved");
    assert_eq!((late.next.facts.status, late.next.due), (BonusStatus::HandedOver, None));
    // it arrived all the same: true whatever became of it, and the question is moot
    let after_all = change(late.next.outcome(&intent, booked("9"), LIMIT, at(7_201)));
    assert_eq!(after_all.events, ["bonus.credited", "desk.settled"]);
    let not_taken = change(intent.outcome(&intent, CreditOutcome::NotApplied("busy".to_owned()), LIMIT, at(2))).next;
    assert_eq!((not_taken.facts.status, not_taken.inner.credit.attempted), (BonusStatus::Granted, None));
    assert_eq!(
        not_taken.platform_step(at(40)),
        BonusStep::LookUp,
        "what was said to be lost is looked up all the same"
    );
    assert!(matches!(not_taken.looked_up(Found::Absent, LIMIT, at(40)), BonusStep::Send(_)));
}

fn decides(bonus: &Bonus, action: &str) -> HumanDecision {
    let asked = bonus.inner.asked.clone().unwrap();
    HumanDecision {
        kind: asked.kind,
        trigger: Some(asked.trigger),
        action: action.to_owned(),
        evidence: None,
        by: "fin.a".to_owned(),
        approved_by: None,
        at: at(9_000),
    }
}

#[test]
fn what_the_automation_cannot_do_a_person_does_and_the_ledger_follows() {
    let intent = sent(granted().platform_step(at(0)));
    let refused = change(intent.outcome(&intent, CreditOutcome::Refused("8".to_owned()), LIMIT, at(1))).next;
    assert_eq!(refused.facts.status, BonusStatus::HandedOver);
    let retried = change(refused.decided(&decides(&refused, "retry"), at(2)));
    assert_eq!(
        (retried.next.facts.status, retried.events.as_slice()),
        (BonusStatus::Granted, ["bonus.granted"].as_slice())
    );
    assert_eq!(retried.next.platform_step(at(3)), BonusStep::LookUp);
    let closed = change(refused.decided(&decides(&refused, "close"), at(2)));
    assert_eq!(
        (closed.next.facts.status, closed.next.facts.reason.as_deref()),
        (BonusStatus::Refused, Some("not_given"))
    );
    assert!(closed.postings.is_none());
    // what nobody wants any more and is there all the same is taken off at once, and the client is not told that he has it
    let late = change(closed.next.outcome(&intent, booked("7"), LIMIT, at(3)));
    assert_eq!((late.events.as_slice(), late.next.due), ([].as_slice(), Some(at(3))));
    assert_eq!(on_books(&late.postings), ("25.00".to_owned(), "-25.00".to_owned()));
    // a decision about another question changes nothing
    assert!(matches!(retried.next.decided(&decides(&refused, "close"), at(4)), Verdict::Nothing(_)));

    let credited = change(intent.outcome(&intent, booked("7"), LIMIT, at(6))).next;
    let until = credited.due.unwrap();
    let removing = sent(credited.platform_step(until));
    let lost = change(removing.outcome(&removing, CreditOutcome::Refused("10019".to_owned()), LIMIT, until)).next;
    assert_eq!((lost.facts.status, lost.facts.credited), (BonusStatus::HandedOver, Some(money("25.00"))));
    let off = change(lost.decided(&decides(&lost, "close"), until));
    assert_eq!(off.next.facts.status, BonusStatus::Removed);
    assert_eq!(on_books(&off.postings), ("-25.00".to_owned(), "25.00".to_owned()));
    let again = change(lost.decided(&decides(&lost, "retry"), until)).next;
    assert_eq!((again.facts.status, again.due), (BonusStatus::Credited, Some(until)));
    assert_eq!(again.platform_step(until), BonusStep::LookUp);

    let mut unsure = plain();
    unsure.signs.linked = None;
    let proposed = unsure.asks().bonus.next;
    assert!(proposed.is_approved_by(&decides(&proposed, "approve")));
    assert!(
        matches!(proposed.decided(&decides(&proposed, "approve"), at(1)), Verdict::Nothing(_)),
        "it is judged anew"
    );
    let declined = change(proposed.decided(&decides(&proposed, "decline"), at(1)));
    assert_eq!(declined.next.facts.reason.as_deref(), Some("declined"));
    assert!(!declined.next.is_approved_by(&decides(&proposed, "approve")));
}

#[test]
fn nothing_is_put_on_an_account_that_is_not_open_and_what_stands_there_is_a_persons() {
    let own = granted();
    let step = || own.platform_step(at(1));
    assert_eq!(own.only_while_open(None, step(), at(1)), step());
    for bar in [CreditBar::Demo, CreditBar::NotOpen] {
        let stopped = saved(own.only_while_open(Some(bar), step(), at(1)));
        assert_eq!(stopped.next.facts.reason.as_deref(), Some("no_account"));
    }
    assert!(matches!(own.only_while_open(Some(CreditBar::Undecided), step(), at(1)), BonusStep::Nothing(_)));
    let intent = sent(step());
    let credited = change(intent.outcome(&intent, booked("7"), LIMIT, at(6))).next;
    let until = credited.due.unwrap();
    let stopped = saved(credited.only_while_open(Some(CreditBar::NotOpen), credited.platform_step(until), until));
    assert_eq!(stopped.next.facts.status, BonusStatus::HandedOver);
    let waits = change(own.waits_for_server(at(500))).next;
    assert!(matches!(waits.waits_for_server(at(500)), Verdict::Nothing(_)));
    assert_eq!(waits.due, Some(at(500)));
    let suppressed = change(own.suppressed(Reason::Barred));
    assert_eq!(
        (suppressed.next.facts.status, suppressed.next.facts.reason.as_deref()),
        (BonusStatus::Refused, Some("barred"))
    );
}

#[test]
fn every_fault_of_the_rules_is_told_where_it_is() {
    for (pointer, value, found) in [
        ("/campaigns/back/credit/amounts/USD", json!("0"), "/campaigns/back/credit/amounts/USD bad_range"),
        ("/campaigns/back/credit/amounts/USD", json!("1.234"), "/campaigns/back/credit/amounts too_many_decimals"),
        ("/campaigns/back/credit/percent", json!("5"), "/campaigns/back/credit bad_size"),
        ("/campaigns/tenth/credit/percent", json!("101"), "/campaigns/tenth/credit/percent bad_range"),
        ("/campaigns/back/credit/amounts/EUR", json!("25"), "/campaigns/back/credit missing_reference"),
        ("/campaigns/back/expires_after", json!("2y"), "/campaigns/back/expires_after bad_duration"),
        ("/campaigns/back/expires_after", json!("1h"), "/campaigns/back/expires_after bad_range"),
        ("/campaigns/back/budget/within", json!("900d"), "/campaigns/back/budget/within bad_range"),
        ("/campaigns/back/per_client/most", json!(0), "/campaigns/back/per_client/most bad_range"),
        ("/campaigns/back/terms", json!("a\nb"), "/campaigns/back/terms"),
        ("/guard/known", json!(4), "/guard/known bad_range"),
        ("/guard/marks/0", json!("name"), "/guard/marks/0 unknown_value"),
        ("/platform_review_after", json!("1m"), "/platform_review_after bad_range"),
    ] {
        let mut own = document();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match own.pointer_mut(parent).unwrap() {
            serde_json::Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            place => place[key] = value,
        }
        let faults = Bonuses::parse(&own).unwrap_err();
        let told: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
        assert!(told.iter().any(|fault| fault.starts_with(found)), "{pointer}: {told:?}");
    }
}

/// What can come to a bonus at any moment.
#[derive(Debug, Clone)]
enum Comes {
    Due,
    Look(u8),
    Outcome(u8),
    Person(bool),
    Time(i64),
}

fn comes() -> impl Strategy<Value = Comes> {
    prop_oneof![
        Just(Comes::Due),
        (0_u8..3).prop_map(Comes::Look),
        (0_u8..4).prop_map(Comes::Outcome),
        any::<bool>().prop_map(Comes::Person),
        (1_i64..40 * DAY).prop_map(Comes::Time),
    ]
}

proptest! {
    /// Whatever comes in whatever order: what is booked in the ledger is what the bonus says stands on the account, and nothing that is
    /// not over is left without somebody who goes on: a due time, or a person.
    #[test]
    fn the_ledger_says_what_stands_and_nothing_is_left_alone(all in prop::collection::vec(comes(), 1..60)) {
        let (mut own, mut now) = (granted(), at(0));
        let mut books = Postings::none();
        let mut intents = Vec::new();
        for one in all {
            let next = match one {
                Comes::Time(seconds) => {
                    now = now.plus(Seconds(u32::try_from(seconds).unwrap()));
                    None
                }
                Comes::Due => match own.platform_step(now) {
                    BonusStep::Send(verdict) => {
                        let decision = change(*verdict);
                        intents.push(decision.next.clone());
                        Some(decision)
                    }
                    BonusStep::Save(verdict) => Some(change(*verdict)),
                    BonusStep::LookUp | BonusStep::Nothing(_) => None,
                },
                // nobody looks up what was never sent
                Comes::Look(_) if !matches!(own.platform_step(now), BonusStep::LookUp) => None,
                Comes::Look(found) => {
                    let found = [Found::Booked("1".to_owned()), Found::Absent, Found::Ambiguous("x".to_owned())][usize::from(found)].clone();
                    match own.looked_up(found, LIMIT, now) {
                        BonusStep::Send(verdict) => {
                            let decision = change(*verdict);
                            intents.push(decision.next.clone());
                            Some(decision)
                        }
                        BonusStep::Save(verdict) => match *verdict {
                            Verdict::Change(decision) => Some(*decision),
                            Verdict::Nothing(_) => None,
                        },
                        BonusStep::LookUp | BonusStep::Nothing(_) => None,
                    }
                }
                Comes::Outcome(which) => intents.last().cloned().and_then(|intent| {
                    let said = || "said".to_owned();
                    let outcome = [booked("1"), CreditOutcome::NotApplied(said()), CreditOutcome::Refused(said()), CreditOutcome::Unknown(said())];
                    match own.outcome(&intent, outcome[usize::from(which)].clone(), LIMIT, now) {
                        Verdict::Change(decision) => Some(*decision),
                        Verdict::Nothing(_) => None,
                    }
                }),
                Comes::Person(retries) => own.inner.asked.clone().and_then(|_| {
                    let decision = decides(&own, if retries { "retry" } else { "close" });
                    match own.decided(&decision, now) {
                        Verdict::Change(decision) => Some(*decision),
                        Verdict::Nothing(_) => None,
                    }
                }),
            };
            if let Some(decision) = next {
                books = books.with(decision.postings.clone());
                own = decision.next;
            }
            let stands = match own.facts.status {
                BonusStatus::Expired | BonusStatus::Removed => money("0"),
                _ => own.facts.credited.unwrap_or(money("0")),
            };
            prop_assert_eq!(books.on(&LedgerAccount::Bonuses, usd()).unwrap(), stands, "{:?}", own.facts.status);
            let over = matches!(own.facts.status, BonusStatus::Expired | BonusStatus::Removed | BonusStatus::Refused);
            prop_assert!(over || own.due.is_some() || own.inner.asked.is_some(), "{:?}", own);
        }
    }
}
