//! Deals in any order, told any number of times, corrected and taken back, come to the same numbers.

#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

use std::collections::BTreeMap;

use domain::account::change::Upkeep;
use domain::account::{Account, AccountFacts, AccountInner, AccountStatus};
use domain::activity::fold::{Book, Turn};
use domain::activity::{Activity, Position, StreakKind, TradingDay};
use domain::decision::Verdict;
use domain::trade::{Deal, Entry, Heard, Of, Side, Told, Trade, pushed};
use domain::{AccountId, ClientId, Day, Timestamp, TradeId};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
}

fn account(kind: &str) -> Account {
    Account {
        id: AccountId::from_bits(7),
        client_id: ClientId::from_bits(5),
        due: None,
        facts: AccountFacts {
            status: AccountStatus::Open,
            platform: "mt5".to_owned(),
            account_type: "standard".to_owned(),
            kind: kind.to_owned(),
            currency: "USD".parse().unwrap(),
            leverage: 30,
            server: "mt5-live".to_owned(),
            group: "real".to_owned(),
            login: Some("1".to_owned()),
            created_at: at(0),
            review: None,
            refused: None,
            reopened: None,
            upkeep: Upkeep::default(),
        },
        inner: AccountInner::default(),
    }
}

fn deal(number: u32, position: u32, side: Side, entry: Entry, lots: i64, profit: i64, second: i64) -> Deal {
    Deal {
        deal: number.to_string(),
        position: format!("p{position}"),
        login: "1".to_owned(),
        symbol: format!("S{}", position % 3),
        side,
        entry,
        lots: Decimal::new(lots, 2),
        price: Decimal::ONE,
        profit: Decimal::new(profit, 2),
        commission: Decimal::new(-70, 2),
        swap: Decimal::ZERO,
        currency: "USD".parse().unwrap(),
        at: at(second),
        opened_at: None,
        corrects: None,
        deleted: false,
    }
}

/// What a step stores.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    trades: BTreeMap<TradeId, Trade>,
    book: Book,
    activity: Activity,
}

impl Stored {
    fn nothing() -> Self {
        Self { trades: BTreeMap::new(), book: Book::default(), activity: Activity::begun(&ClientId::from_bits(5)) }
    }

    fn hear(&mut self, account: &Account, deals: &[Deal]) {
        let of = Of { account, told: Told::Pushed };
        let mut turns = Vec::new();
        for deal in deals {
            let mut both = vec![Trade::heard(self.trades.get(&Trade::id_of("mt5-live", &deal.deal)), deal, of)];
            if let Some(number) = &deal.corrects {
                let was = self.trades.get(&Trade::id_of("mt5-live", number));
                both.push(Trade::replaced(was, number, deal, of));
            }
            for heard in both {
                if let Heard::News(decision) = heard {
                    let is = decision.next;
                    turns.push(Turn { was: self.trades.insert(is.id.clone(), is.clone()), is });
                }
            }
        }
        if let Verdict::Change(decision) = self.book.fold(&self.activity, &turns) {
            self.activity = decision.next;
        }
    }

    /// What is left of it, without what only tells how it came about.
    fn numbers(&self) -> (Activity, BTreeMap<Day, TradingDay>, Vec<Position>) {
        let mut activity = self.activity.clone();
        activity.facts.news = None;
        let days = self.book.days.iter().filter(|(_, day)| **day != TradingDay::default());
        let open = self.book.positions.values().filter(|position| !position.deals.is_empty());
        (activity, days.map(|(day, own)| (*day, own.clone())).collect(), open.cloned().collect())
    }
}

/// A few positions with their deals, corrections of some and deletions of others.
fn stories() -> impl Strategy<Value = Vec<Deal>> {
    let one = (0_u32..6, 0_u8..4, 1_i64..300, -500_i64..500, 0_i64..400_000, 0_u8..8);
    proptest::collection::vec(one, 1..25).prop_map(|rows| {
        let mut told = Vec::new();
        for (number, (position, kind, lots, profit, second, fate)) in (1_u32..).zip(rows) {
            let (side, entry, profit) = match kind {
                0 => (Side::Buy, Entry::In, 0),
                1 => (Side::Sell, Entry::Out, profit),
                2 => (Side::Sell, Entry::OutBy, profit),
                _ => (Side::Sell, Entry::InOut, profit),
            };
            let own = deal(number, position, side, entry, lots, profit, second);
            match fate {
                0 => told.push(Deal { deleted: true, ..own.clone() }),
                1 => told.push(Deal {
                    deal: format!("c{number}"),
                    corrects: Some(own.deal.clone()),
                    lots: own.lots + Decimal::ONE,
                    profit: own.profit - Decimal::ONE,
                    ..own.clone()
                }),
                2 => told.push(own.clone()),
                _ => {}
            }
            told.push(own);
        }
        told
    })
}

proptest! {
    #[test]
    fn any_order_and_any_batches_come_to_the_same(story in stories(), seed: u64, batch in 1_usize..7) {
        let live = account("live");
        let mut straight = Stored::nothing();
        for one in &story {
            straight.hear(&live, std::slice::from_ref(one));
        }
        let mut shuffled = story;
        let mut state = seed | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        let mut other = Stored::nothing();
        for part in shuffled.chunks(batch) {
            other.hear(&live, part);
        }
        prop_assert_eq!(straight.numbers(), other.numbers());
        // told once more, nothing is new
        let before = other.clone();
        other.hear(&live, &shuffled);
        prop_assert_eq!(before, other);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(story in stories()) {
        let live = account("live");
        let mut stored = Stored::nothing();
        stored.hear(&live, &story);
        let back: Vec<Deal> = story.iter().map(|own| Deal { deleted: true, corrects: None, ..own.clone() }).collect();
        stored.hear(&live, &back);
        let (activity, days, positions) = stored.numbers();
        prop_assert_eq!((activity.facts.trades, activity.facts.lots, activity.facts.open_positions), (0, Decimal::ZERO, 0));
        prop_assert!(days.is_empty() && positions.is_empty() && activity.facts.streaks.is_empty(), "{days:?} {positions:?}");
    }

    #[test]
    fn demo_accounts_count_nowhere(story in stories()) {
        let mut stored = Stored::nothing();
        stored.hear(&account("demo"), &story);
        prop_assert_eq!(stored.activity, Activity::begun(&ClientId::from_bits(5)));
    }
}

#[test]
fn a_deal_that_turns_a_position_round_closes_what_was_open() {
    let live = account("live");
    let mut stored = Stored::nothing();
    // W10 of the partners' facts: buy 2, sell 5 (closes 2), buy 3 (closes 3)
    stored.hear(
        &live,
        &[
            deal(1, 1, Side::Buy, Entry::In, 200, 0, 1),
            deal(2, 1, Side::Sell, Entry::InOut, 500, 300, 2),
            deal(3, 1, Side::Buy, Entry::Out, 300, -100, 3),
        ],
    );
    assert_eq!((stored.activity.facts.trades, stored.activity.facts.lots), (2, Decimal::from(5)));
    assert_eq!(stored.activity.facts.open_positions, 0);
}

#[test]
fn a_streak_counts_results_and_leaves_zeros_out() {
    let live = account("live");
    let mut stored = Stored::nothing();
    let results = [("1", 500), ("2", -500), ("3", 70), ("4", -500), ("5", -10)];
    for (place, (_, profit)) in (1_u32..).zip(results) {
        stored.hear(&live, &[deal(place, place, Side::Sell, Entry::Out, 10, profit, i64::from(place))]);
    }
    let streak = stored.activity.facts.streaks.values().next().unwrap();
    // 0.70 of costs each: the third came to nothing
    assert_eq!((streak.kind, streak.length, streak.first.as_str()), (StreakKind::Loss, 3, "p2"));
}

#[test]
fn every_fault_of_a_pushed_deal_is_named() {
    let good = json!({
        "deal": 7, "position": "6", "login": 1, "symbol": " EURUSD ", "side": "sell", "entry": "out", "lots": "0.10", "price": 1.09,
        "profit": "-3", "currency": "USD", "at": "2026-11-23T10:00:00Z",
    });
    let read = pushed(&good, at(0)).unwrap();
    assert_eq!((read.deal.as_str(), read.symbol.as_str(), read.commission), ("7", "EURUSD", Decimal::ZERO));
    let cases = [
        ("lots", json!("0"), "not_positive"),
        ("lots", json!("much"), "not_a_number"),
        ("lots", json!(true), "not_a_number"),
        ("profit", json!("1e5"), "not_a_number"),
        ("lots", json!("0.123456789"), "out_of_range"),
        ("profit", json!(null), "missing"),
        ("side", json!("long"), "unknown_value"),
        ("currency", json!("DOLLAR"), "unknown_currency"),
        ("at", json!("2026-11-25T10:00:00Z"), "in_the_future"),
        ("at", json!(17), "wrong_type"),
        ("corrects", json!("7"), "itself"),
        ("deal", json!(""), "empty"),
        ("deal", json!(-1), "wrong_type"),
        ("symbol", json!("A\u{7}"), "control_character"),
        ("more", json!(1), "unknown_field"),
    ];
    for (field, value, code) in cases {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let (_, fault) = pushed(&bad, at(0)).expect_err(field);
        assert_eq!(fault.code, code, "{field} {value}: {fault:?}");
    }
    let (number, fault) = pushed(&json!({"deal": "9"}), at(0)).unwrap_err();
    assert_eq!(number.as_deref(), Some("9"));
    for field in ["position", "login", "symbol", "side", "entry", "lots", "price", "profit", "currency", "at"] {
        assert!(fault.message.contains(field), "{fault:?}");
    }
}
