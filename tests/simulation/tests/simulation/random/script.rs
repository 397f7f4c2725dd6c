//! What the payer and the payment provider of one deposit will do, drawn before the run begins.

use std::collections::VecDeque;

use super::rng::Rng;

/// The currencies of the accounts.
pub const CURRENCIES: [&str; 4] = ["USD", "EUR", "GBP", "JPY"];

/// Deposits in another currency than the account's, in percent.
const CONVERTED_PERCENT: u64 = 15;

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
    /// So many percent of it go back, or come back because that failed.
    Refund(u64, bool),
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
    "drop_then_apply",
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
    /// Whole units of the currency.
    pub amount: u64,
    /// What is paid in.
    pub currency: &'static str,
    pub acts: VecDeque<Act>,
    /// How late a booking arrives that the network kept, in percent of the latest.
    pub lateness: u64,
    /// The provider collects what was asked for and says nothing else.
    pub plain: bool,
}

impl Script {
    pub fn draw(rng: &mut Rng) -> Self {
        let customer = rng.index(CURRENCIES.len());
        let currency = if rng.percent(CONVERTED_PERCENT) { *rng.pick(&CURRENCIES) } else { CURRENCIES[customer] };
        let psp = psp(rng, currency);
        let statements = match psp {
            // what is said of a part, or of another currency, is for a person to convert
            "stripe" | "praxis" if currency == CURRENCIES[customer] => statements(rng, psp),
            _ => few_statements(rng, psp),
        };
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
        let lateness = if rng.percent(50) { 100 } else { 1 + rng.below(100) };
        Self { customer, psp, amount, currency, acts, lateness, plain }
    }

    /// Whether it is paid in another currency than the account's.
    pub fn is_converted(&self) -> bool {
        self.currency != CURRENCIES[self.customer]
    }

    /// What the provider is asked to collect, in the smallest units of the currency.
    pub fn minor(&self) -> u64 {
        if self.currency == "JPY" { self.amount } else { self.amount * 100 }
    }
}

fn psp(rng: &mut Rng, currency: &str) -> &'static str {
    match rng.below(100) {
        0..54 => "stripe",
        54..70 => "praxis",
        70..75 => "skrill",
        75..80 if currency != "JPY" => "coinspaid",
        75..85 => "adyen",
        85..90 => "checkout",
        90..95 => "nuvei",
        _ => "paysafe",
    }
}

/// What every provider can say.
fn few_statements(rng: &mut Rng, psp: &str) -> Vec<Statement> {
    use Statement as S;
    match (rng.below(100), psp) {
        (0..66, _) => vec![S::Collected(100)],
        (66..74, _) => vec![S::Failed],
        (74..80, "adyen" | "checkout" | "nuvei") => vec![S::Failed, S::Collected(100)],
        (80..86, "skrill" | "checkout" | "paysafe" | "stripe" | "praxis") => vec![S::Canceled],
        (86..95, "stripe" | "adyen" | "checkout" | "nuvei" | "paysafe") => vec![S::Collected(100), S::Refunded],
        _ => vec![],
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
        (92..94, "stripe") => vec![S::Collected(100), S::Refund(30, true), S::Refund(30, false)],
        (94..96, "stripe") => vec![S::Collected(100), S::Failed],
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
