//! Deaths at I/O calls, messages twice, late and out of order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use host::{CallInfo, Delivery, Probe, Verdict};

use super::rng::Rng;

/// Invocations that end early, in percent. A message is given up after five in a row, which no run should see.
const DEATHS_PERCENT: u64 = 8;
/// The last call of such an invocation is one of the first so many.
const LAST_CALL: u64 = 14;
/// Longest that a message is on its way, in seconds.
const LATE_S: u64 = 400;

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

/// Whether and where an invocation dies depends on the seed, the function and how often it was invoked before, and on
/// nothing that happens elsewhere at the same time.
pub struct Chaos {
    seed: u64,
    on: AtomicBool,
    deaths: Mutex<BTreeMap<String, u64>>,
    /// Messages so far, by queue.
    messages: Mutex<BTreeMap<String, u64>>,
}

impl Chaos {
    pub fn new(seed: u64) -> Self {
        Self { seed, on: AtomicBool::new(true), deaths: Mutex::default(), messages: Mutex::default() }
    }

    /// From now on everything lives and every message arrives once, at once.
    pub fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// How often each function died.
    pub fn deaths(&self) -> BTreeMap<String, u64> {
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verdict(&self, call: &CallInfo<'_>, before: bool) -> Verdict {
        let mut fate = Rng::new(self.seed, &format!("{} {}", call.function, call.invocation));
        let dies = fate.percent(DEATHS_PERCENT);
        let here = usize::try_from(fate.below(LAST_CALL)).unwrap() == call.index && fate.percent(50) == before;
        if !(self.is_on() && dies && here) {
            return Verdict::Go;
        }
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        *deaths.entry(call.function.to_owned()).or_default() += 1;
        Verdict::Die
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
        let later = |rng: &mut Rng| Duration::from_secs(1 + rng.below(LATE_S));
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
