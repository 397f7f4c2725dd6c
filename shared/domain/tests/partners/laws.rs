//! What holds whatever happens: any order, any batching, any repeat, everything taken back.

use std::collections::{BTreeMap, BTreeSet};

use domain::partner::book::{Book, TradeEvent};
use domain::partner::line::{Line, LineModel};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::plain::{Over, PARTNERS, hour, stories};
use crate::world::*;

fn by_id(lines: Vec<Line>) -> BTreeMap<domain::AccrualLineId, Line> {
    let count = lines.len();
    let all: BTreeMap<_, _> = lines.into_iter().map(|line| (line.id.clone(), line)).collect();
    assert_eq!(all.len(), count, "an id is one line's");
    all
}

/// The events cut into batches.
fn batches(events: &[TradeEvent], sizes: &[usize]) -> Vec<Vec<TradeEvent>> {
    let mut left = events.to_vec();
    let mut all = Vec::new();
    for size in sizes.iter().cycle() {
        if left.is_empty() {
            return all;
        }
        let rest = left.split_off((*size).min(left.len()));
        all.push(std::mem::replace(&mut left, rest));
    }
    all
}

fn of(n: u128, lines: &[Line]) -> Decimal {
    sum(lines.iter().filter(|line| line.partner == partner(n)))
}

/// The version after: more lots, or gone.
fn corrected(event: &TradeEvent, lots: Option<u32>) -> TradeEvent {
    let TradeEvent::Made(trade) = event else { panic!("a trade that was made") };
    match lots {
        Some(lots) => {
            let mut next = trade.clone();
            (next.version, next.lots) = (2, Decimal::new(i64::from(lots), 2));
            TradeEvent::Made(next)
        }
        None => deleted(trade, 2),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_order_and_batching_gives_the_same_lines(
        story in stories(false),
        order in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1_usize..5, 1..5),
    ) {
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let catalogue = catalogue(&rules);
        let mut at_once = Book::new(&catalogue, &network, period("2026-01"));
        let mut events = story.events();
        let lines = by_id(at_once.take_all(events.clone()).lines);
        events.rotate_left(order.index(story.trades.len()));
        let mut in_parts = Book::new(&catalogue, &network, period("2026-01"));
        let mut got = Vec::new();
        for batch in batches(&events, &sizes) {
            got.extend(in_parts.take_all(batch.clone()).lines);
            prop_assert_eq!(in_parts.take_all(batch).lines, vec![], "a repeat finds nothing to do");
        }
        prop_assert_eq!(by_id(got), lines);
        prop_assert_eq!(in_parts.totals, at_once.totals);
        prop_assert_eq!(in_parts.accruals, at_once.accruals);
    }

    /// A retroactive tier gives the same balance in any order. A marginal one does at one rate; with several the rate of the lots that
    /// happen to pass the limit counts, as the rules say.
    #[test]
    fn tiers_give_the_same_balances_in_any_order(
        story in stories(true),
        order in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1_usize..5, 1..5),
    ) {
        let mut story = story;
        for deal in &mut story.deals {
            // own clients alone, so that everybody's lots have one rate
            (deal.over, deal.pool) = (Over::Nothing, None);
            deal.tiers = deal.tiers.filter(|(apply, ..)| *apply != "next_period").map(|(apply, above, factor, _)| {
                (apply, above, factor, "own")
            });
        }
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let catalogue = catalogue(&rules);
        let mut events = story.events();
        let mut at_once = Book::new(&catalogue, &network, period("2026-01"));
        let lines = at_once.take_all(events.clone()).lines;
        events.rotate_left(order.index(story.trades.len()));
        let mut in_parts = Book::new(&catalogue, &network, period("2026-01"));
        let mut got = Vec::new();
        for batch in batches(&events, &sizes) {
            got.extend(in_parts.take_all(batch).lines);
        }
        for n in 1..=PARTNERS {
            prop_assert_eq!(of(n, &got), of(n, &lines), "partner {}", n);
        }
    }

    #[test]
    fn taking_everything_back_leaves_nothing(
        story in stories(true),
        order in any::<prop::sample::Index>(),
        corrections in prop::collection::vec(prop::option::of(1_u32..3_000), 14),
    ) {
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let catalogue = catalogue(&rules);
        let mut book = Book::new(&catalogue, &network, period("2026-01"));
        let mut events = story.events();
        let mut lines = book.take_all(events.clone()).lines;
        // some are corrected first
        for (event, lots) in events.iter_mut().zip(corrections) {
            if lots.is_some() {
                let next = corrected(event, lots);
                lines.extend(book.take(&next).unwrap());
            }
        }
        events.rotate_left(order.index(story.trades.len()));
        for event in &events {
            let TradeEvent::Made(trade) = event else { panic!("a trade that was made") };
            lines.extend(book.take(&deleted(trade, 3)).unwrap());
        }
        for n in 1..=PARTNERS {
            prop_assert_eq!(of(n, &lines), Decimal::ZERO, "partner {}", n);
        }
        for totals in book.totals.values() {
            let tiers_are_zero = totals.tiers.values().all(|sums| sums.base.is_zero() && sums.paid.is_zero());
            let booked_is_zero = totals.booked.values().all(|booked| booked.sum.is_zero() && booked.held.is_empty());
            prop_assert!(tiers_are_zero && booked_is_zero && totals.own.is_zero() && totals.downline.is_zero(), "{:?}", totals);
        }
        let reversed: Vec<_> = lines.iter().filter_map(|line| line.reverses.clone()).collect();
        prop_assert_eq!(reversed.iter().collect::<BTreeSet<_>>().len(), reversed.len(), "one reversal a line");
        let by_id = by_id(lines.clone());
        for line in lines.iter().filter(|line| line.reverses.is_none() && line.model != LineModel::TrueUp) {
            prop_assert!(reversed.contains(&line.id), "{:?}", line);
        }
        for line in by_id.values() {
            if let Some(reversed) = line.reverses.as_ref() {
                prop_assert_eq!(line.amount, by_id[reversed].amount.negated());
            }
        }
    }

    #[test]
    fn versions_may_come_in_any_order(story in stories(false), lots in prop::collection::vec(prop::option::of(1_u32..3_000), 14), late in any::<bool>()) {
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let catalogue = catalogue(&rules);
        let first = story.events();
        let last: Vec<TradeEvent> = first.iter().zip(lots).map(|(event, lots)| corrected(event, lots)).collect();
        let mut only = Book::new(&catalogue, &network, period("2026-01"));
        let wanted = only.take_all(last.clone()).lines;
        let mut both = Book::new(&catalogue, &network, period("2026-01"));
        let (a, b) = if late { (&last, &first) } else { (&first, &last) };
        let mut got = one_by_one(&mut both, a).lines;
        got.extend(one_by_one(&mut both, b).lines);
        for n in 1..=PARTNERS {
            prop_assert_eq!(of(n, &got), of(n, &wanted));
        }
        prop_assert_eq!(both.accruals, only.accruals);
    }

    #[test]
    fn no_pool_is_passed_and_nobody_gets_less_than_nothing(story in stories(true)) {
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let lines = lines_of(&rules, &network, story.events());
        for (n, (who, when, lots)) in story.trades.iter().enumerate() {
            let id = format!("t{n:03}");
            let of_trade: Vec<&Line> = lines
                .iter()
                .filter(|line| line.model != LineModel::TrueUp && line.trade.as_ref().is_some_and(|trade| trade.id == id))
                .collect();
            prop_assert!(of_trade.iter().all(|line| line.amount.amount() >= Decimal::ZERO));
            let chain = network.chain(&client(*who), hour(*when));
            let deal = |id: &domain::PartnerId| {
                let n = (1..=PARTNERS).find(|n| partner(*n) == *id).unwrap();
                &story.deals[story.accepted[usize::try_from(n - 1).unwrap()]]
            };
            let pools = chain.iter().filter_map(|id| deal(id).pool);
            if let Some(least) = pools.map(|(per_lot, _)| per_lot).min() {
                let limit = Decimal::new(i64::from(least), 1) * Decimal::new(i64::from(*lots), 2);
                prop_assert!(sum(of_trade) <= limit);
            }
        }
    }

    #[test]
    fn differences_add_up_to_the_highest_rate_and_what_is_passed_up_to_what_was_there(story in stories(false), part in 0_u32..=100, passed in any::<bool>()) {
        let mut story = story;
        for deal in &mut story.deals {
            deal.pool = None;
            deal.over = if passed { Over::Share(part, true) } else { Over::Difference };
        }
        let rules = agreements(story.rules());
        let (network, _) = story.network();
        let lines = lines_of(&rules, &network, story.events());
        for (n, (who, when, lots)) in story.trades.iter().enumerate() {
            let id = format!("t{n:03}");
            let of_trade = lines.iter().filter(|line| line.trade.as_ref().is_some_and(|trade| trade.id == id));
            let chain = network.chain(&client(*who), hour(*when));
            let rates = chain.iter().map(|id| {
                let n = (1..=PARTNERS).find(|n| partner(*n) == **id).unwrap();
                story.deals[story.accepted[usize::try_from(n - 1).unwrap()]].rate
            });
            let rate = if passed { rates.take(1).next() } else { rates.max() };
            let whole = Decimal::new(i64::from(rate.unwrap()), 1) * Decimal::new(i64::from(*lots), 2);
            prop_assert_eq!(sum(of_trade), whole.normalize());
        }
    }

    #[test]
    fn a_move_changes_nothing_before_its_time(story in stories(true), who in 1..=PARTNERS, under in 0..=PARTNERS, from in 0_u32..3_000) {
        let rules = agreements(story.rules());
        let (mut network, _) = story.network();
        let before = lines_of(&rules, &network, story.events());
        let parent = (under > 0).then(|| partner(under));
        if network.put_under(&partner(who), parent.as_ref(), hour(from), hour(from), 4).is_ok() {
            let after = lines_of(&rules, &network, story.events());
            // a tier that is reached after the move tops up the month's earlier trades, too: that is agreed, and no change of the past
            let is_earlier = |line: &Line| line.at < hour(from) && line.model != LineModel::TrueUp;
            let earlier = |lines: Vec<Line>| lines.into_iter().filter(is_earlier).collect::<Vec<_>>();
            prop_assert_eq!(earlier(after), earlier(before));
        }
    }
}
