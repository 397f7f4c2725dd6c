//! What the payer and the payment provider of one deposit will do, drawn before the run begins.

use std::collections::VecDeque;

use super::rng::Rng;

/// A statement of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// Collected, so many percent of what was asked for.
    Collected(u64),
    /// Collected, and not in the currency that was asked for.
    CollectedElsewhere,
    /// Something else was collected under this deposit's name.
    Another,
    Failed,
    /// A failure from before everything else that was said.
    FailedBefore,
    Canceled,
    Refunded,
    /// So many percent of it went back so far.
    RefundedInAll(u64),
}

/// How a statement is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mailing {
    /// Which statement of the deposit.
    pub statement: usize,
    pub copies: u64,
    pub at_once: bool,
    pub forged: bool,
}

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The portal opens the deposit.
    Open,
    /// The platform will treat the deposit's next bookings so.
    Fault(&'static str, u64),
    /// Something happens at the provider; nobody is told yet.
    Happen(Statement),
    /// The provider tells.
    Tell(Mailing),
}

const PLATFORM_FAULTS: [&str; 8] = [
    "apply_then_drop",
    "apply_then_garbage",
    "apply_then_drop",
    "drop",
    "drop_then_apply",
    "drop_then_apply",
    "garbage",
    "refuse_busy",
];

/// Bookings that a platform in trouble refuses: more than are tried before a person is asked.
const OUTAGE: u64 = 30;

/// One deposit's script.
#[derive(Debug)]
pub struct Script {
    pub customer: usize,
    pub psp: &'static str,
    /// Whole units of the account's currency.
    pub amount: u64,
    pub acts: VecDeque<Act>,
    /// How late a booking arrives that the network kept, in percent of the latest.
    pub lateness: u64,
    /// The provider collects what was asked for and says nothing else.
    pub plain: bool,
}

impl Script {
    pub fn draw(rng: &mut Rng, customers: usize) -> Self {
        let psp = if rng.percent(75) { "stripe" } else { "praxis" };
        let statements = statements(rng, psp);
        let mut acts = VecDeque::from([Act::Open]);
        if rng.percent(40) {
            let times = if rng.percent(20) { OUTAGE } else { 1 + rng.below(3) };
            acts.push_back(Act::Fault(PLATFORM_FAULTS[rng.index(PLATFORM_FAULTS.len())], times));
        }
        let mut untold = Vec::new();
        for (place, statement) in statements.iter().enumerate() {
            acts.push_back(Act::Happen(*statement));
            untold.extend(mailings(rng, place));
            while !untold.is_empty() && rng.percent(50) {
                acts.push_back(Act::Tell(untold.swap_remove(rng.index(untold.len()))));
            }
        }
        while !untold.is_empty() {
            acts.push_back(Act::Tell(untold.swap_remove(rng.index(untold.len()))));
        }
        // yen have no cents: the smallest deposit is 1500
        let small = 2_000 + rng.below(500) * 10;
        // and some about which two people decide
        let amount = if rng.percent(20) { small + 10_000 } else { small };
        let plain = statements == [Statement::Collected(100)];
        let lateness = if rng.percent(30) { 100 } else { 1 + rng.below(100) };
        Self { customer: rng.index(customers), psp, amount, acts, lateness, plain }
    }
}

fn statements(rng: &mut Rng, psp: &str) -> Vec<Statement> {
    use Statement as S;
    match (rng.below(100), psp) {
        (0..52, _) => vec![S::Collected(100)],
        (52..58, _) => vec![S::Collected(80)],
        (58..63, _) => vec![S::Collected(120)],
        (63..65, "stripe") => vec![S::CollectedElsewhere],
        (65..67, "stripe") => vec![S::Another],
        (67..69, "stripe") => vec![S::Collected(100), S::Another],
        (69..73, _) => vec![S::Failed],
        (73..79, _) => vec![S::Failed, S::Collected(100)],
        (79..82, _) => vec![S::Canceled],
        (82..87, "stripe") => vec![S::Collected(100), S::FailedBefore],
        (87..90, "stripe") => vec![S::Collected(100), S::Refunded],
        (90..92, "stripe") => vec![S::Collected(100), S::RefundedInAll(30), S::RefundedInAll(50)],
        (92..95, "stripe") => vec![S::Collected(100), S::Failed],
        _ => vec![],
    }
}

/// Mostly one, sometimes several, sometimes none at all.
fn mailings(rng: &mut Rng, statement: usize) -> Vec<Mailing> {
    let mut all = Vec::new();
    if rng.percent(15) {
        all.push(Mailing { statement, copies: 1, at_once: false, forged: true });
    }
    if rng.percent(88) {
        let copies = if rng.percent(30) { 2 + rng.below(3) } else { 1 };
        all.push(Mailing { statement, copies, at_once: rng.percent(60), forged: false });
    }
    if rng.percent(15) {
        all.push(Mailing { statement, copies: 1, at_once: false, forged: false });
    }
    all
}
