//! What keeps the workflows going: relay, timers, notifications, work items, views.

mod bus;
pub mod console;
pub mod dead_letters;
pub mod desk;
pub mod index;
pub mod notify;
pub mod redrive;
pub mod relay;
pub mod replay;
pub mod replays;
pub mod rules;
pub mod timers;
pub mod views;
pub mod work;

use runtime::http::table_of;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("ops-relay", relay::build),
    ("ops-timers", timers::build),
    ("ops-notify", notify::build),
    ("ops-desk", desk::build),
    ("ops-work", work::build),
    ("ops-dead-letters", dead_letters::build),
    ("ops-redrive", redrive::build),
    ("ops-index", index::build),
    ("ops-replay", replay::build),
    ("ops-replays", replays::build),
    ("ops-rules", rules::build),
    ("ops-views", views::build),
    ("ops-console", console::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[
    table_of::<work::Work>,
    table_of::<replays::Replays>,
    table_of::<rules::RuleSets>,
    table_of::<views::Views>,
    table_of::<console::Console>,
];
