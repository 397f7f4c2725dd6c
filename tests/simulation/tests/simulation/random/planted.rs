//! That the runs can fail: each fault that is put back breaks one of the first seeds.

use domain::fault::Fault;

use super::{at_once, run};
use crate::put_back::broken;

/// Seeds that are tried with each.
const SEEDS_MAX: u64 = 100;
/// The faults, and what must hold and does not.
const FAULTS: [(Fault, &[&str]); 11] = [
    (Fault::CreditBeforeIntent, &["credited", "deals"]),
    (Fault::NotLookedUp, &["credited", "deals"]),
    (Fault::DueStays, &["is due"]),
    (Fault::PutBackIsBookedTwice, &["ledger and platform"]),
    (Fault::MakerApproves, &["nobody approves his own word"]),
    // a deposit is credited twice or a withdrawal is paid twice, whichever a run comes to first
    (Fault::GraceTooShort, &["pay_"]),
    (Fault::AcknowledgedUnsaved, &[]),
    (Fault::OwnWriteIsAStrangers, &["is nobody else's"]),
    (Fault::TotalsAreAdded, &["pay_"]),
    (Fault::WhatCameBackStaysGone, &["what went back of"]),
    (Fault::AnItemForEachStatement, &["one person looks at"]),
];

/// The first seed that finds it, and what it says.
fn found(fault: Fault) -> Option<(u64, String)> {
    (1..=SEEDS_MAX).find_map(|seed| Some((seed, broken(Some(fault), move || run::run(seed))?)))
}

#[test]
fn each_fault_that_is_put_back_breaks_a_run() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once() {
            scope.spawn(|| {
                while let Some((fault, laws)) = FAULTS.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let Some((seed, why)) = found(*fault) else { panic!("{fault:?} breaks none of {SEEDS_MAX} seeds") };
                    eprintln!("{fault:?}: seed {seed}: {why}");
                    assert!(laws.iter().all(|law| why.contains(law)), "{fault:?}, seed {seed}: {why}");
                }
            });
        }
    });
}
