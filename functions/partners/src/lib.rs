//! Partners who bring clients: application, agreement, verification, their tree, who brought whom, what trades and new clients earn, the end of
//! the month, what they dispute of it, and runs that pay.

mod disputes;
mod trees;
mod versions;

pub mod accrue;
pub mod attribute;
pub mod manage;
pub mod pay;
pub mod qualify;
pub mod settle;

/// The functions of this package by their handlers.
pub const FUNCTIONS: &[(&str, runtime::Build)] = &[
    ("partners-manage", manage::build),
    ("partners-attribute", attribute::build),
    ("partners-accrue", accrue::build),
    ("partners-qualify", qualify::build),
    ("partners-settle", settle::build),
    ("partners-pay", pay::build),
];

/// The HTTP routes of this package, a table a function.
pub const ROUTES: &[runtime::http::Table] = &[runtime::http::table_of::<manage::Manage>];
