//! Accounts: which one is looked for, what one is set to, what is changed.

use domain::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Login, NewAccount};

/// What the client may do with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Log in and trade.
    Full,
    /// Log in and close what is open.
    CloseOnly,
    /// Log in and look.
    NoTrading,
    /// Nothing.
    NoLogin,
}

impl Access {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Full, Self::CloseOnly, Self::NoTrading, Self::NoLogin];
}

/// An account that a platform has made, or has been found to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The number that the client logs in with, and by which every call here names the account.
    pub login: Login,
    /// The platform's other number of the account, where it has two: cTrader's `traderId`, which is not the login. To be kept beside it.
    pub internal_id: Option<String>,
}

impl Opened {
    /// An account with one number.
    pub fn new(login: Login) -> Self {
        Self { login, internal_id: None }
    }
}

/// Which account is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSearch<'a> {
    /// The group it was to be created in.
    pub group: &'a str,
    /// The reference it was to be created with.
    pub reference: &'a str,
    /// When it was first to be created: no account of the reference is older, but for what clocks differ. A platform that lists accounts
    /// by the time of their registration begins there.
    pub since: Timestamp,
}

impl<'a> AccountSearch<'a> {
    /// For what a creation may have made.
    pub fn of(account: &'a NewAccount, since: Timestamp) -> Self {
        Self { group: &account.group, reference: &account.reference, since }
    }
}

/// An account as its platform has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// Its number.
    pub login: Login,
    /// Its group, in the platform's words.
    pub group: String,
    /// 30 stands for 1:30; none where the platform has no such number for an account.
    pub leverage: Option<u32>,
    /// What the client may do.
    pub access: Access,
    /// In the account's currency.
    pub balance: Decimal,
}

/// What an account is to be set to; what is absent stays. Setting it twice is setting it once, so an unknown outcome is sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// What the client may do.
    pub access: Option<Access>,
    /// Group of the same currency.
    pub group: Option<String>,
    /// 30 stands for 1:30.
    pub leverage: Option<u32>,
}

impl AccountChange {
    /// Sets what the client may do.
    pub fn access(access: Access) -> Self {
        Self { access: Some(access), ..Self::default() }
    }

    /// Moves to another group.
    pub fn group(group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..Self::default() }
    }

    /// Sets the leverage.
    pub fn leverage(leverage: u32) -> Self {
        Self { leverage: Some(leverage), ..Self::default() }
    }
}
