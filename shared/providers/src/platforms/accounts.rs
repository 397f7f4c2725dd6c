//! Accounts: which one is looked for, what one is set to, what is changed.

use domain::Timestamp;
pub use domain::account::change::Access;
use rust_decimal::Decimal;

use super::{Login, NewAccount};

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
    /// What stands where we write our reference: nothing, or a person's words, on an account that we did not make.
    pub reference: String,
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
