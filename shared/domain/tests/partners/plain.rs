//! A second reckoning, slow and plain: it goes through all trades from the beginning for everybody, knows nothing of books, totals,
//! batches and reversals, and must come to the same for random trees, agreements and trades.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::partner::book::Book;
use domain::partner::line::{LineModel, TradeRef};
use domain::partner::network::Network;
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::world::*;

/// An agreement in few words.
#[derive(Debug, Clone)]
pub struct Deal {
    pub rate: u32,
    pub over: Over,
    pub tiers: Option<(&'static str, u32, u32, &'static str)>,
    pub pool: Option<(u32, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Over {
    Nothing,
    Own,
    Difference,
    Share(u32, bool),
}

/// Who is put under whom from which hour on; zero is nobody.
pub type Move = (u128, u128, u32);

/// A trade in few words: client, hour of the year, hundredths of a lot.
pub type Small = (u128, u32, u32);

#[derive(Debug, Clone)]
pub struct Story {
    pub deals: Vec<Deal>,
    /// Partner `n + 1` has this agreement.
    pub accepted: Vec<usize>,
    pub moves: Vec<Move>,
    pub trades: Vec<Small>,
}

pub const PARTNERS: u128 = 5;

pub fn stories(with_tiers: bool) -> impl Strategy<Value = Story> {
    let over = prop_oneof![
        Just(Over::Nothing),
        Just(Over::Own),
        Just(Over::Difference),
        (0_u32..=60, any::<bool>()).prop_map(|(part, sub)| Over::Share(part, sub)),
    ];
    let applies = prop::sample::select(vec!["marginal", "retroactive", "next_period"]);
    let tiers = (applies, 1_u32..30, 5_u32..30, prop::sample::select(vec!["own", "downline"]));
    let tiers = prop::option::weighted(0.6, tiers).prop_map(move |tiers| tiers.filter(|_| with_tiers));
    let pool = (1_u32..150, prop::sample::select(vec!["pro_rata", "client_first", "top_first"]));
    let deal = (1_u32..100, over, tiers, prop::option::weighted(0.2, pool)).prop_map(|(rate, over, tiers, pool)| {
        // what the rules refuse
        let retroactive = tiers.is_some_and(|(apply, ..)| apply == "retroactive");
        Deal { rate, over, tiers, pool: pool.filter(|_| !retroactive) }
    });
    let trades = prop::collection::vec((1..=PARTNERS, 0_u32..3_000, 1_u32..2_000), 1..14);
    let moves = prop::collection::vec((1..=PARTNERS, 0..=PARTNERS, 0_u32..3_000), 0..7);
    (prop::collection::vec(deal, 3), prop::collection::vec(0_usize..3, 5), moves, trades)
        .prop_map(|(deals, accepted, moves, trades)| Story { deals, accepted, moves, trades })
}

pub fn hour(n: u32) -> Timestamp {
    at(BEGIN).plus(domain::Seconds(n * 3_600))
}

pub fn tenths(n: u32) -> Decimal {
    Decimal::new(i64::from(n), 1)
}

/// The tree where partner `n + 1` has accepted the agreement of that number, and the moves that were allowed.
pub fn placed(accepted: &[usize], moves: &[Move]) -> (Network, Vec<Move>) {
    let names: Vec<String> = accepted.iter().map(|deal| format!("d{deal}")).collect();
    let all: Vec<_> = (1..=PARTNERS).zip(&names).map(|(n, name)| (n, name.as_str(), None)).collect();
    let mut network = tree(&all);
    let mut moves = moves.to_vec();
    moves.sort_by_key(|(_, _, from)| *from);
    moves.retain(|(who, under, from)| {
        let parent = (*under > 0).then(|| partner(*under));
        network.put_under(&partner(*who), parent.as_ref(), hour(*from), hour(*from), 4).is_ok()
    });
    (network, moves)
}

/// Who stood over a partner's client at an hour, by the moves up to then.
pub fn chain_of(moves: &[Move], of: u128, when: u32) -> Vec<u128> {
    let mut chain = vec![of];
    loop {
        let of_last = |(who, _, from): &&Move| chain.last() == Some(who) && *from <= when;
        match moves.iter().rfind(of_last) {
            Some((_, over, _)) if *over > 0 => chain.push(*over),
            _ => return chain,
        }
    }
}

impl Story {
    pub fn rules(&self) -> Value {
        let agreement = |deal: &Deal| {
            let mut all = per_lot(&tenths(deal.rate).to_string());
            all["overrides"] = match deal.over {
                Over::Nothing => json!({"kind": "nothing"}),
                Over::Own => json!({"kind": "own"}),
                Over::Difference => json!({"kind": "difference"}),
                Over::Share(part, sub) => {
                    json!({"kind": "share", "per_cent": part, "paid_by": if sub { "sub" } else { "broker" }})
                }
            };
            if let Some((apply, above, factor, of)) = deal.tiers {
                let steps = json!([{"above": above, "factor": tenths(factor).to_string()}]);
                all["pay"][0]["tiers"] = json!({"volume": of, "apply": apply, "steps": steps});
            }
            if let Some((per_lot, cut)) = deal.pool {
                all["pool"] = json!({"per_lot": tenths(per_lot).to_string(), "cut": cut});
            }
            all
        };
        self.deals.iter().enumerate().map(|(n, deal)| (format!("d{n}"), agreement(deal))).collect()
    }

    pub fn network(&self) -> (Network, Vec<Move>) {
        placed(&self.accepted, &self.moves)
    }

    pub fn events(&self) -> Vec<domain::partner::book::TradeEvent> {
        let id = |n: usize| format!("t{n:03}");
        let made_of = |(n, (of, when, lots)): (usize, &Small)| {
            let mut deal = trade(&id(n), *of, BEGIN, "1");
            (deal.at, deal.lots) = (hour(*when), Decimal::new(i64::from(*lots), 2));
            made(deal)
        };
        self.trades.iter().enumerate().map(made_of).collect()
    }
}

pub fn eight(number: Decimal) -> Decimal {
    number.round_dp_with_strategy(8, RoundingStrategy::MidpointNearestEven)
}

/// What each gets where all together get no more than a limit, of which so many digits can be paid.
pub fn cut_to(limit: Decimal, cut: &str, digits: u32, gets: &mut [Option<Decimal>]) {
    let total: Decimal = gets.iter().flatten().sum();
    if total <= limit {
        return;
    }
    let order: Vec<usize> =
        if cut == "top_first" { (0..gets.len()).rev().collect() } else { (0..gets.len()).collect() };
    if cut != "pro_rata" {
        let mut left = limit;
        for place in order {
            if let Some(amount) = &mut gets[place] {
                *amount = left.min(*amount);
                left -= *amount;
            }
        }
        return;
    }
    let exact: Vec<Decimal> = gets.iter().map(|amount| amount.unwrap_or_default() * limit / total).collect();
    let at = |digits: u32| {
        let mut shares: Vec<Decimal> = exact.iter().map(|share| share.trunc_with_scale(digits)).collect();
        let unit = Decimal::new(1, digits);
        while shares.iter().sum::<Decimal>() < limit {
            let rest = |n: &usize| exact[*n] - shares[*n];
            let first = (0..shares.len()).max_by(|a, b| rest(a).cmp(&rest(b)).then(b.cmp(a))).unwrap();
            shares[first] += unit;
        }
        shares
    };
    let coarse = at(limit.normalize().scale().max(digits));
    let too_much = coarse.iter().zip(gets.iter()).any(|(share, amount)| *share > amount.unwrap_or_default());
    let shares = if too_much { at(8) } else { coarse };
    for (amount, share) in gets.iter_mut().zip(shares) {
        *amount = amount.map(|_| share);
    }
}

/// What everybody gets, from the beginning.
struct Plain<'s> {
    story: &'s Story,
    moves: Vec<Move>,
    /// By partner and month: own lots, lots of all under him.
    lots: BTreeMap<(u128, String), (Decimal, Decimal)>,
    /// By partner and month: what is open to a later tier, and what of it was given.
    open: BTreeMap<(u128, String), (Decimal, Decimal)>,
    paid: BTreeMap<u128, Decimal>,
    /// By trade and level.
    lines: BTreeMap<(String, u32), Decimal>,
}

impl Plain<'_> {
    fn chain(&self, of: u128, when: u32) -> Vec<u128> {
        chain_of(&self.moves, of, when)
    }

    fn deal(&self, who: u128) -> Deal {
        let n = usize::try_from(who - 1).unwrap();
        self.story.deals[self.story.accepted[n]].clone()
    }

    fn volume(&self, who: u128, month: &str, of: &str) -> Decimal {
        let (own, all) = self.lots.get(&(who, month.to_owned())).copied().unwrap_or_default();
        if of == "own" { own } else { all }
    }

    fn trade(&mut self, id: &str, (of, when, hundredths): Small) {
        let lots = Decimal::new(i64::from(hundredths), 2);
        let month = domain::partner::period::Period::of(hour(when));
        let (before, month) = (month.previous().to_string(), month.to_string());
        let chain = self.chain(of, when);
        let limited = chain.iter().any(|who| self.deal(*who).pool.is_some());
        let mut gets: Vec<Option<Decimal>> = Vec::new();
        let mut gross: Vec<Decimal> = Vec::new();
        let mut top = Decimal::ZERO;
        for (place, who) in chain.iter().enumerate() {
            let deal = self.deal(*who);
            let own = tenths(deal.rate);
            let rate = match deal.over {
                Over::Share(part, by_sub) if place > 0 => {
                    let share = eight(gross[place - 1] * Decimal::from(part) / Decimal::ONE_HUNDRED);
                    if by_sub {
                        gets[place - 1] = gets[place - 1].map(|amount| amount - share);
                    }
                    gets.push(Some(share));
                    gross.push(share);
                    continue;
                }
                Over::Nothing if place > 0 => {
                    gets.push(None);
                    gross.push(Decimal::ZERO);
                    continue;
                }
                Over::Difference if place > 0 => (own - top).max(Decimal::ZERO),
                _ => own,
            };
            top = top.max(own);
            let amount = self.tiered(*who, place == 0, &deal, (rate, lots), (&month, &before));
            if let (Some(("retroactive", ..)), false) = (deal.tiers, limited) {
                let open = self.open.entry((*who, month.clone())).or_default();
                open.0 += rate * lots;
                open.1 += amount;
            }
            gets.push(Some(amount));
            gross.push(amount);
        }
        self.limit(&chain, lots, &mut gets);
        for (place, who) in chain.iter().enumerate() {
            let sums = self.lots.entry((*who, month.clone())).or_default();
            sums.1 += lots;
            if place == 0 {
                sums.0 += lots;
            }
            if let Some(amount) = gets[place] {
                *self.paid.entry(*who).or_default() += amount;
                self.lines.insert((id.to_owned(), u32::try_from(place).unwrap() + 1), amount.normalize());
            }
        }
    }

    fn tiered(
        &self,
        who: u128,
        is_own: bool,
        deal: &Deal,
        (rate, lots): (Decimal, Decimal),
        (month, before): (&str, &str),
    ) -> Decimal {
        let plain = rate * lots;
        let Some((apply, above, factor, of)) = deal.tiers else { return eight(plain) };
        let (above, factor) = (Decimal::from(above), tenths(factor));
        let added = if is_own || of == "downline" { lots } else { Decimal::ZERO };
        let so_far = self.volume(who, month, of);
        let with = |yes: bool| eight(if yes { plain * factor } else { plain });
        match apply {
            "next_period" => with(self.volume(who, before, of) > above),
            "retroactive" => with(so_far + added > above),
            _ if added.is_zero() => with(so_far >= above),
            _ => {
                let high = (so_far + added - above).clamp(Decimal::ZERO, added);
                eight(rate * (added - high) + rate * high * factor)
            }
        }
    }

    /// The smallest pool of anybody in the chain.
    fn limit(&self, chain: &[u128], lots: Decimal, gets: &mut [Option<Decimal>]) {
        let pools = chain.iter().filter_map(|who| self.deal(*who).pool);
        let mut smallest: Option<(u32, &str)> = None;
        for pool in pools {
            if smallest.is_none_or(|(least, _)| pool.0 < least) {
                smallest = Some(pool);
            }
        }
        if let Some((per_lot, cut)) = smallest {
            cut_to(tenths(per_lot) * lots, cut, 2, gets);
        }
    }

    /// At the end: all that is open to a tier gets the tier that was reached.
    fn finish(&mut self) {
        let open: Vec<_> = self.open.clone().into_iter().collect();
        for ((who, month), (base, given)) in open {
            let Some((_, above, factor, of)) = self.deal(who).tiers else { continue };
            let reached = self.volume(who, &month, of) > Decimal::from(above);
            let all = if reached { base * tenths(factor) } else { base };
            *self.paid.entry(who).or_default() += all - given;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn both_come_to_the_same(story in stories(true)) {
        let rules = agreements(story.rules());
        let (network, moves) = story.network();
        let catalogue = catalogue(&rules);
        let mut book = Book::new(&catalogue, &network, period("2026-01"));
        let taken = book.take_all(story.events());
        prop_assert_eq!(taken.held, vec![]);

        let mut plain = Plain {
            story: &story, moves, lots: BTreeMap::new(), open: BTreeMap::new(), paid: BTreeMap::new(), lines: BTreeMap::new(),
        };
        let mut trades: Vec<(String, Small)> =
            story.trades.iter().enumerate().map(|(n, small)| (format!("t{n:03}"), *small)).collect();
        trades.sort_by_key(|(id, (_, when, _))| (*when, id.clone()));
        trades.iter().for_each(|(id, small)| plain.trade(id, *small));
        plain.finish();

        let of_trades = taken.lines.iter().filter(|line| line.model != LineModel::TrueUp);
        let of_trades: BTreeMap<(String, u32), Decimal> = of_trades
            .map(|line| {
                let Some(TradeRef { id, .. }) = line.trade.clone() else { panic!("a line without its trade") };
                ((id, line.level), line.amount.amount())
            })
            .collect();
        prop_assert_eq!(of_trades, plain.lines);
        for n in 1..=PARTNERS {
            let ours = sum(taken.lines.iter().filter(|line| line.partner == partner(n)));
            prop_assert_eq!(ours, plain.paid.get(&n).copied().unwrap_or_default().normalize(), "partner {}", n);
            for ((_, month), (own, all)) in plain.lots.iter().filter(|((who, _), _)| *who == n) {
                let totals = &book.totals[&(partner(n), period(month))];
                prop_assert_eq!((totals.own, totals.downline), (*own, *all));
            }
        }
    }
}
