//! Ad platforms that bring leads.

pub mod meta;
