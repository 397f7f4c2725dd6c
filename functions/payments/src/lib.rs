//! Deposits: opened, collected, credited; withdrawals: asked for, debited, paid out; what happens when one of these does not; and what the
//! providers and the trading servers say, held against the ledger.

mod collecting;
pub mod credit;
pub mod day_end;
pub mod decide;
pub mod initiate;
pub mod overdue;
pub mod payout;
pub mod reconcile;
pub mod settle;
pub mod verify;
pub mod webhook;
mod wish;
pub mod withdraw;

use runtime::http::table_of;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("payments-initiate", initiate::build),
    ("payments-webhook", webhook::build),
    ("payments-credit", credit::build),
    ("payments-overdue", overdue::build),
    ("payments-decide", decide::build),
    ("payments-withdraw", withdraw::build),
    ("payments-payout", payout::build),
    ("payments-settle", settle::build),
    ("payments-reconcile", reconcile::build),
    ("payments-verify", verify::build),
    ("payments-day-end", day_end::build),
];

/// Time-outs that this package counts on, in seconds: those in the template are held against them.
pub const TIMEOUTS: &[(&str, u32)] = &[
    ("payments-initiate", initiate::TIMEOUT_S),
    ("payments-credit", credit::TIMEOUT_S),
    ("payments-payout", payout::TIMEOUT_S),
    ("payments-verify", verify::TIMEOUT_S),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[
    table_of::<initiate::Initiate>,
    table_of::<withdraw::Withdraw>,
    table_of::<webhook::Webhook>,
    table_of::<settle::Settle>,
];
