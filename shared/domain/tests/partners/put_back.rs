//! That the comparisons can fail: each fault that is put back makes one of the first random stories differ.

use std::cell::RefCell;
use std::fmt::Debug;

use domain::fault::{self, Fault};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::{newcomers, whole};

/// Stories that are tried with each.
const STORIES: u32 = 500;
/// The faults, and what differs.
const FAULTS: [(Fault, &str); 13] = [
    (Fault::TierCountsTwice, "the lines of"),
    (Fault::TierTopsNothingUp, "the lines of"),
    (Fault::ShareOfTheFirst, "the lines of"),
    (Fault::ReversalCountsTwice, "the balance of"),
    (Fault::RepeatIsTaken, "the lines of"),
    (Fault::LinesAreRounded, "the lines of"),
    (Fault::PoolIsIgnored, "the lines of"),
    (Fault::RateOfAnotherDay, "the lines of"),
    (Fault::HoldIsIgnored, "the lines of"),
    (Fault::ClawedBackTwice, "the new client"),
    (Fault::LateOnTheDrawn, "the lines of"),
    (Fault::MovesCountBackwards, "the lines of"),
    (Fault::CurrenciesAreCompared, "the lines of"),
];

/// How the first story differs with a fault put back; the stories are the same in every run.
fn found<S: Strategy>(back: Fault, stories: &S, compare: impl Fn(&S::Value) -> Result<(), String>) -> Option<String>
where
    S::Value: Debug,
{
    let config =
        ProptestConfig { cases: STORIES, failure_persistence: None, max_shrink_iters: 0, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let said = RefCell::new(None);
    fault::put_back(Some(back));
    let end = runner.run(stories, |story| {
        compare(&story).map_err(|what| {
            *said.borrow_mut() = Some(what.clone());
            TestCaseError::fail(what)
        })
    });
    fault::put_back(None);
    match (end, said.into_inner()) {
        (Ok(()), _) => None,
        (Err(_), Some(what)) => Some(what),
        (Err(other), None) => panic!("{back:?}: {other}"),
    }
}

#[test]
fn each_fault_that_is_put_back_is_found() {
    let mut unfound = Vec::new();
    for (back, wanted) in FAULTS {
        let found = match back {
            Fault::ClawedBackTwice => found(back, &newcomers::stories(), newcomers::compare),
            _ => found(back, &whole::years(), whole::compare),
        };
        match found {
            Some(what) => assert!(what.contains(wanted), "{back:?}: {what}"),
            None => unfound.push(back),
        }
    }
    assert!(unfound.is_empty(), "of {STORIES} stories none differs with {unfound:?}");
}
