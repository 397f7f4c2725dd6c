//! The accounts of a server, a page at a time.

use super::Login;

/// An account as a server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAccount {
    /// Its number.
    pub login: Login,
    /// What stands where we write our reference.
    pub reference: String,
    /// Its group.
    pub group: String,
    /// 30 stands for 1:30; none where the platform has no such number.
    pub leverage: Option<u32>,
}

/// A page of accounts. An account that is made while the pages are read need not be on one of them; one that was there before is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPage {
    /// The accounts; of a page that lies between two others maybe none.
    pub accounts: Vec<ListedAccount>,
    /// Where the list goes on, in the platform's own terms; none at its end.
    pub next: Option<String>,
}

impl AccountsPage {
    /// The next accounts by their names, of a list that is whole.
    pub(super) fn by_name(mut all: Vec<ListedAccount>, after: Option<&str>, count: usize) -> Self {
        all.sort_by(|a, b| a.login.cmp(&b.login));
        let mut rest: Vec<ListedAccount> =
            all.into_iter().filter(|account| after.is_none_or(|after| account.login.as_str() > after)).collect();
        let is_last = rest.len() <= count;
        rest.truncate(count);
        let next = rest.last().filter(|_| !is_last).map(|account| account.login.to_string());
        Self { accounts: rest, next }
    }
}
