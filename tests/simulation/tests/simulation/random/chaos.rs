//! Deaths at I/O calls, calls of AWS that fail, messages twice, late and out of order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use host::{CallInfo, Delivery, Probe, Service, Verdict};

use super::rng::Rng;

/// Invocations that end early, in percent.
const DEATHS_PERCENT: u64 = 8;
/// Those of which one call of AWS fails, which the SDK makes again by itself, in percent.
const FAILS_ONCE_PERCENT: u64 = 8;
/// Those of which a call fails as often as the SDK makes it, in percent.
const FAILS_PERCENT: u64 = 4;
/// How often the SDK makes a call.
const SDK_TRIES: usize = 3;
/// The call at which it happens is one of the first so many.
const LAST_CALL: u64 = 14;
/// A message is given up after five tries, which no run should see: of any so many invocations of a function in a row, at most so
/// many meet something.
const IN_A_ROW: usize = 30;
const IN_A_ROW_MOST: usize = 4;
/// Longest that a message is on its way, in seconds; and of half of them, which so come while a call may still be under way.
const LATE_S: u64 = 400;
const SOON_S: u64 = 60;

/// Queues whose work the timer finds again when a message was given up.
const FOUND_AGAIN: [&str; 10] = [
    "AccountsCreateMt5Queue",
    "AccountsCreateMt4Queue",
    "AccountsCreateCtraderQueue",
    "AccountsCreateDxtradeQueue",
    "PaymentsCreditQueue",
    "PaymentsCreditMt5Queue",
    "PaymentsCreditMt4Queue",
    "PaymentsCreditCtraderQueue",
    "PaymentsCreditDxtradeQueue",
    "PaymentsOverdueQueue",
];

/// What an invocation meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    Death {
        call: usize,
        before: bool,
    },
    /// So many calls from one on are answered with a failure, in spite of what they did or before they did it.
    Failure {
        call: usize,
        before: bool,
        times: usize,
    },
}

/// What an invocation meets, and where, depends on the seed, the function and how often it was invoked before, and on
/// nothing that happens elsewhere at the same time.
pub struct Chaos {
    seed: u64,
    on: AtomicBool,
    fates: Mutex<BTreeMap<String, Vec<Fate>>>,
    /// Invocations that met something, by function.
    met: Mutex<BTreeMap<String, BTreeSet<u64>>>,
    /// Messages so far, by queue.
    messages: Mutex<BTreeMap<String, u64>>,
}

impl Chaos {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            on: AtomicBool::new(true),
            fates: Mutex::default(),
            met: Mutex::default(),
            messages: Mutex::default(),
        }
    }

    /// From now on everything lives and every message arrives once, at once.
    pub fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// How many invocations of each function died, or had a call fail.
    pub fn met(&self) -> BTreeMap<String, u64> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.iter().map(|(function, all)| (function.clone(), u64::try_from(all.len()).unwrap())).collect()
    }

    fn fate(&self, function: &str, invocation: u64) -> Fate {
        let invocation = usize::try_from(invocation).unwrap();
        let mut fates = self.fates.lock().unwrap_or_else(PoisonError::into_inner);
        let fates = fates.entry(function.to_owned()).or_default();
        while fates.len() <= invocation {
            let recent = fates.iter().rev().take(IN_A_ROW - 1).filter(|fate| **fate != Fate::Nothing).count();
            let drawn = self.drawn(function, fates.len());
            fates.push(if recent < IN_A_ROW_MOST { drawn } else { Fate::Nothing });
        }
        fates[invocation]
    }

    fn drawn(&self, function: &str, invocation: usize) -> Fate {
        let mut rng = Rng::new(self.seed, &format!("{function} {invocation}"));
        let what = rng.below(100);
        let (call, before) = (usize::try_from(rng.below(LAST_CALL)).unwrap(), rng.percent(50));
        let once = DEATHS_PERCENT + FAILS_ONCE_PERCENT;
        match what {
            _ if what < DEATHS_PERCENT => Fate::Death { call, before },
            _ if what < once => Fate::Failure { call, before, times: 1 },
            _ if what < once + FAILS_PERCENT => Fate::Failure { call, before, times: SDK_TRIES },
            _ => Fate::Nothing,
        }
    }

    fn verdict(&self, call: &CallInfo<'_>, before: bool) -> Verdict {
        if !self.is_on() {
            return Verdict::Go;
        }
        let fails = !matches!(call.service, Service::Vendor | Service::S3);
        let verdict = match self.fate(call.function, call.invocation) {
            Fate::Death { call: at, before: side } if at == call.index && side == before => Verdict::Die,
            Fate::Failure { call: at, before: side, times }
                if fails && (at..at + times).contains(&call.index) && side == before =>
            {
                Verdict::Fail
            }
            _ => return Verdict::Go,
        };
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.entry(call.function.to_owned()).or_default().insert(call.invocation);
        verdict
    }
}

impl Probe for Chaos {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, true)
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, false)
    }
}

impl Delivery for Chaos {
    fn delays(&self, queue: &str, _message_id: &str) -> Vec<Duration> {
        if !self.is_on() {
            return vec![Duration::ZERO];
        }
        let number = {
            let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            let number = messages.entry(queue.to_owned()).or_default();
            *number += 1;
            *number
        };
        let mut rng = Rng::new(self.seed, &format!("{queue} {number}"));
        let now = Duration::ZERO;
        let later = |rng: &mut Rng| {
            let most = if rng.percent(50) { SOON_S } else { LATE_S };
            Duration::from_secs(1 + rng.below(most))
        };
        match rng.below(20) {
            0 => vec![now, now],
            1 => vec![now, later(&mut rng)],
            2 => vec![later(&mut rng), later(&mut rng)],
            3 | 4 => vec![later(&mut rng)],
            // as if it had failed until it was given up
            5 if FOUND_AGAIN.iter().any(|name| queue.ends_with(name)) => vec![],
            _ => vec![now],
        }
    }
}
