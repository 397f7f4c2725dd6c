//! The tree: moves count from their time on, nobody stands under himself, nobody too deep.

use domain::partner::network::{History, MoveError, Network};
use domain::partner::period::{Period, PeriodError};
use proptest::prelude::*;

use crate::world::*;

fn chain(network: &Network, of: u128, when: &str) -> Vec<u128> {
    let all = network.chain(&client(of), at(when));
    all.into_iter().map(|id| (1..20).find(|n| partner(*n) == *id).unwrap()).collect()
}

const NOW: &str = "2026-03-10T00:00:00Z";

#[test]
fn a_move_takes_the_subtree_along_from_its_time_on() {
    let mut network = tree(&[(9, "x", None), (8, "x", None), (2, "x", Some(9)), (1, "x", Some(2))]);
    let moved = network.put_under(&partner(2), Some(&partner(8)), at("2026-03-16T00:00:00Z"), at(NOW), 10);
    assert_eq!(moved, Ok(Some(at("2026-03-16T00:00:00Z"))));
    assert_eq!(chain(&network, 1, "2026-03-15T23:59:59.999Z"), [1, 2, 9]);
    assert_eq!(chain(&network, 1, "2026-03-16T00:00:00Z"), [1, 2, 8]);
    // and to the top again, before that: it holds up to the next change
    let top = network.put_under(&partner(2), None, at("2026-03-12T00:00:00Z"), at(NOW), 10);
    assert_eq!(top, Ok(Some(at("2026-03-12T00:00:00Z"))));
    assert_eq!(chain(&network, 1, "2026-03-13T00:00:00Z"), [1, 2]);
    assert_eq!(chain(&network, 1, "2026-03-17T00:00:00Z"), [1, 2, 8]);
}

#[test]
fn what_was_is_not_touched_and_a_repeat_changes_nothing() {
    let mut network = tree(&[(9, "x", None), (8, "x", None), (1, "x", Some(9))]);
    // from a month ago is from now on
    let moved = network.put_under(&partner(1), Some(&partner(8)), at("2026-02-01T00:00:00Z"), at(NOW), 10);
    assert_eq!(moved, Ok(Some(at(NOW))));
    assert_eq!(chain(&network, 1, "2026-03-09T23:59:59.999Z"), [1, 9]);
    let before = network.clone();
    assert_eq!(network.put_under(&partner(1), Some(&partner(8)), at(NOW), at(NOW), 10), Ok(None));
    assert_eq!(network, before);
    // where nothing was said, nothing is touched by saying it of an earlier time
    let mut first = History::default();
    assert_eq!(first.change(Some(partner(1)), at("2026-02-01T00:00:00Z"), at(NOW)), Some(at("2026-02-01T00:00:00Z")));
}

#[test]
fn nobody_stands_under_himself_now_or_later() {
    let mut network = tree(&[(3, "x", None), (2, "x", Some(3)), (1, "x", Some(2))]);
    let before = network.clone();
    for (who, under) in [(3, 1), (3, 2), (3, 3), (2, 1), (1, 1)] {
        let moved = network.put_under(&partner(who), Some(&partner(under)), at(NOW), at(NOW), 10);
        assert_eq!(moved, Err(MoveError::Cycle), "{who} under {under}");
        assert_eq!(network, before);
    }
    // 3 will stand under 4; so 4 cannot be put under 1, not even for the time before
    let later = at("2026-04-01T00:00:00Z");
    network.put_under(&partner(3), Some(&partner(4)), later, at(NOW), 10).unwrap();
    assert_eq!(network.put_under(&partner(4), Some(&partner(1)), at(NOW), at(NOW), 10), Err(MoveError::Cycle));
}

#[test]
fn nobody_stands_deeper_than_the_rules_allow() {
    let mut network = tree(&[(3, "x", None), (2, "x", Some(3)), (6, "x", None), (5, "x", Some(6)), (4, "x", Some(5))]);
    // two over three are five
    let mut moved = |depth| network.put_under(&partner(6), Some(&partner(2)), at(NOW), at(NOW), depth);
    assert_eq!(moved(4), Err(MoveError::TooDeep(4)));
    assert_eq!(moved(5), Ok(Some(at(NOW))));
    assert_eq!(chain(&network, 4, NOW), [4, 5, 6, 2, 3]);
}

#[test]
fn a_month_reads_as_it_is_written() {
    assert_eq!(Period::of(at("2026-03-31T23:59:59.999Z")), period("2026-03"));
    assert_eq!(period("2026-12").next(), period("2027-01"));
    assert_eq!(period("2026-01").previous(), period("2025-12"));
    assert_eq!(
        (period("2026-02").begins(), period("2026-02").ends()),
        (at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"))
    );
    for text in ["2026-13", "2026-00", "2026-1", "26-01", "2026-011", "2026/01", "", "-026-01"] {
        assert_eq!(text.parse::<Period>(), Err(PeriodError), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_moved_every_chain_ends(moves in prop::collection::vec((1_u128..8, 0_u128..8, 0_u32..40, 0_u32..40), 0..30)) {
        let mut network = Network::default();
        let begin = at("2026-03-01T00:00:00Z");
        let hour = |n: u32| begin.plus(domain::Seconds(n * 3_600));
        for n in 1..8 {
            network.clients.entry(client(n)).or_default().change(Some(partner(n)), begin, begin);
        }
        let mut now = 0;
        for (who, under, ahead, pause) in moves {
            now += pause;
            let before = network.clone();
            let under = (under > 0).then(|| partner(under));
            let moved = network.put_under(&partner(who), under.as_ref(), hour(ahead), hour(now), 4);
            if moved.is_err() {
                prop_assert_eq!(&network, &before);
            }
            for h in (0..1_300).step_by(13) {
                for n in 1..8 {
                    let chain = network.chain(&client(n), hour(h));
                    prop_assert!(chain.len() <= 4, "{:?}", chain);
                    let is_first = before.parents.get(&partner(who)).is_none_or(History::is_empty);
                    if h < now && !is_first {
                        prop_assert_eq!(chain, before.chain(&client(n), hour(h)), "what was is not touched");
                    }
                }
            }
        }
    }
}
