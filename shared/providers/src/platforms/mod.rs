//! Trading platforms: accounts and money on them.
//!
//! No platform here knows idempotency. A caller saves what it is about to do, calls once, and after
//! [`PlatformError::Unknown`] looks its reference up before anything else.

use std::fmt;

use domain::{Country, Currency, Money, Redacted, Timestamp};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::Disposition;
use crate::http::BoxFuture;

mod accounts;
mod call;
mod capabilities;
pub mod ctrader;
pub mod dxtrade;
mod history;
mod json;
mod list;
pub mod mt4;
pub mod mt5;
mod operations;
pub mod push;
mod trades;
mod vendor;

pub use accounts::{Access, AccountChange, AccountSearch, AccountState, Opened};
pub use capabilities::{Capabilities, MoneyProof, SecondCreation, UNSUPPORTED};
pub use list::{AccountsPage, ListedAccount};
pub use operations::{MoneyOperation, OperationsList};
pub use trades::{ClosedTrade, ClosedTrades, Side, TradeCursor, Volume};
pub use vendor::{Settings, SettingsError, platform};

/// A trading server.
pub trait TradingPlatform: Send + Sync {
    /// What it can do. What it cannot is refused with [`UNSUPPORTED`], and nothing is sent.
    fn capabilities(&self) -> Capabilities;

    /// Creates an account.
    ///
    /// # Errors
    /// [`PlatformError`].
    fn create_account<'a>(&'a self, account: &'a NewAccount) -> BoxFuture<'a, Result<Opened, PlatformError>>;

    /// The account that was created with a reference, if it was.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. Not being able to look everywhere is an error, not `None`; `Refused` where another search would
    /// find no more, as of several accounts with the reference.
    fn find_account<'a>(
        &'a self,
        search: &'a AccountSearch<'a>,
    ) -> BoxFuture<'a, Result<Option<Opened>, PlatformError>>;

    /// Whether an account that is there still has to be made the client's own before he can log in.
    fn links_clients(&self) -> bool {
        false
    }

    /// Makes an account that is there the client's own, with the password it was created with. Doing it twice is doing it once, so an
    /// unknown outcome is sent again.
    ///
    /// # Errors
    /// [`PlatformError`].
    fn link_client<'a>(
        &'a self,
        opened: &'a Opened,
        account: &'a NewAccount,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        let _ = (opened, account);
        Box::pin(async { Ok(()) })
    }

    /// An account as it stands; none where there is no such login.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`.
    fn account<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<Option<AccountState>, PlatformError>>;

    /// The accounts of groups, the next page of them; `from` is what the page before said. Where the platform has no such list,
    /// its [`Capabilities`] say so.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. A page that is not whole is an error.
    fn accounts_page<'a>(
        &'a self,
        groups: &'a [String],
        from: Option<&'a str>,
    ) -> BoxFuture<'a, Result<AccountsPage, PlatformError>> {
        let _ = (groups, from);
        Box::pin(async { Err(PlatformError::unsupported("listing its accounts")) })
    }

    /// Sets what an account may do, its group or its leverage. After `Unknown` it is simply set again.
    ///
    /// # Errors
    /// [`PlatformError`].
    fn change_account<'a>(
        &'a self,
        login: &'a Login,
        change: &'a AccountChange,
    ) -> BoxFuture<'a, Result<(), PlatformError>>;

    /// The next closed trades of an account.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. A list that is not whole is an error.
    fn closed_trades<'a>(
        &'a self,
        login: &'a Login,
        cursor: &'a TradeCursor,
    ) -> BoxFuture<'a, Result<ClosedTrades, PlatformError>>;

    /// Whether an account has open positions. Where the platform does not say so, its [`Capabilities`] do.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`.
    fn has_positions<'a>(&'a self, login: &'a Login) -> BoxFuture<'a, Result<bool, PlatformError>> {
        let _ = login;
        Box::pin(async { Err(PlatformError::unsupported("saying whether positions are open")) })
    }

    /// Books money to an account or, negative, from it; credit, where the operation is of that and the [`Capabilities`] say that it can be.
    ///
    /// # Errors
    /// [`PlatformError`].
    fn apply_balance<'a>(&'a self, operation: &'a BalanceOperation) -> BoxFuture<'a, Result<Ticket, PlatformError>>;

    /// What stands on the platform under a reference between two times, compared with the amount that was to be
    /// booked and the sum that it was to move. Where the platform books no credit, its [`Capabilities`] say so.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. Not being able to look everywhere is an error, not
    /// [`FoundOperation::Absent`].
    fn find_operation<'a>(
        &'a self,
        login: &'a Login,
        reference: &'a Reference,
        sought: (Money, Funds),
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<FoundOperation, PlatformError>>;

    /// The deal that somebody names by its number: whether it is there, whose it is, and what it moved.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. Not being able to look everywhere is an error, not [`FoundTicket::Absent`].
    fn find_ticket<'a>(&'a self, named: &'a TicketQuery) -> BoxFuture<'a, Result<FoundTicket, PlatformError>>;

    /// Every operation of a time, its end not with it, that moved money besides trades: of one account, or, where the
    /// [`Capabilities`] say that it can, of all. In the order of their moments.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`. A list that is not whole is an error.
    fn operations<'a>(
        &'a self,
        login: Option<&'a Login>,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<MoneyOperation>, PlatformError>>;

    /// The balance of an account whose currency the caller knows.
    ///
    /// # Errors
    /// [`PlatformError`], never `Unknown`.
    fn balance<'a>(
        &'a self,
        login: &'a Login,
        currency: domain::Currency,
    ) -> BoxFuture<'a, Result<Money, PlatformError>>;
}

/// What a look-up of a balance operation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundOperation {
    /// Exactly the operation that was asked for, once.
    Booked(Ticket),
    /// Everything was read, and nothing bears the reference.
    Absent,
    /// Something bears the reference and is not the operation: another amount, another kind of deal, several of
    /// them, or a comment that a person wrote. Says what, without the comment's text. Never send it again.
    Ambiguous(String),
}

/// Which deal is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketQuery {
    /// Its number.
    pub ticket: Ticket,
    /// The account that it must be of; none where nobody knows.
    pub login: Option<Login>,
    /// The reference whose operations are counted together with it, for which the whole history of the time is read; with none, the
    /// deal alone.
    pub reference: Option<Reference>,
    /// The time in which it can lie.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// What the platform shows under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundTicket {
    /// The deal, on the account that was asked for, or on its own where none was.
    Deal(FoundDeal),
    /// It is another account's.
    OfAnotherLogin,
    /// It is on the account, outside the time that was asked for.
    OutOfTime,
    /// Everything was read, and there is none.
    Absent,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDeal {
    /// Its account.
    pub login: Login,
    /// Whether it is a balance operation.
    pub is_balance: bool,
    /// What it moved, in the account's currency.
    pub amount: Decimal,
    /// Digits of that currency, where the platform says so.
    pub digits: Option<u32>,
    /// Its comment: whoever booked it wrote it.
    pub comment: String,
    /// What it and every other balance operation under the reference moved together.
    pub together: Decimal,
}

/// The number of an account at its platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

/// The number of a booking at its platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(String);

macro_rules! platform_number {
    ($name:ident) => {
        impl $name {
            /// As the platform wrote it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

platform_number!(Login);
platform_number!(Ticket);

/// What a platform keeps of a comment: MT5 and MT4 cut longer ones without a word.
pub const REFERENCE_BYTES_MAX: usize = 31;

/// A beginning of a reference that is this long is nobody else's: kind and time of an id fill 14 bytes.
const CUT_BYTES_MIN: usize = 20;

/// Our name for an operation, which the platform stores in its comment and by which the operation is found again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// Why a text cannot be a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reference has 1 to {REFERENCE_BYTES_MAX} letters, digits, hyphens, underscores, points or colons")]
pub struct ReferenceError;

impl Reference {
    /// Checks length and characters.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn new(text: impl Into<String>) -> Result<Self, ReferenceError> {
        let text = text.into();
        let fits = !text.is_empty() && text.len() <= REFERENCE_BYTES_MAX && text.bytes().all(Self::is_character);
        if fits { Ok(Self(text)) } else { Err(ReferenceError) }
    }

    fn is_character(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a comment has this reference anywhere: as a person types it, in other letters, behind other words, or
    /// cut off by the platform at the end of a comment that is full.
    pub fn is_named_in(&self, comment: &str) -> bool {
        let (comment, ours) = (comment.to_ascii_lowercase(), self.0.to_ascii_lowercase());
        let whole = |at: usize| {
            let before = comment.get(..at).and_then(|text| text.chars().next_back());
            let after = comment.get(at.saturating_add(ours.len())..).and_then(|text| text.chars().next());
            [before, after].into_iter().flatten().all(|next| !next.is_alphanumeric())
        };
        if comment.match_indices(&ours).any(|(at, _)| whole(at)) {
            return true;
        }
        let cut = (CUT_BYTES_MIN..ours.len()).filter_map(|end| ours.get(..end));
        comment.len() >= REFERENCE_BYTES_MAX && cut.into_iter().any(|beginning| comment.ends_with(beginning))
    }

    /// Whether a comment has this reference anywhere, or begins with it and says more without a gap, as `<reference>R` for what was taken
    /// back again.
    pub fn is_meant_by(&self, comment: &str) -> bool {
        let begins = comment.get(..self.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.0));
        self.is_named_in(comment) || (begins && self.0.len() >= CUT_BYTES_MIN)
    }

    /// Whether a comment begins with this very reference, and not with a longer one.
    pub fn begins(&self, comment: &str) -> bool {
        comment.strip_prefix(&self.0).is_some_and(|rest| !rest.bytes().next().is_some_and(Self::is_character))
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        Self::new(text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of an account's two sums is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funds {
    /// The client's money.
    Balance,
    /// Credit: it counts for margin, and is no money of his.
    Credit,
}

/// Money to or from an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceOperation {
    /// The account.
    pub login: Login,
    /// In the account's currency; negative takes money out, refused where it would touch used margin.
    pub amount: Money,
    /// Ours.
    pub reference: Reference,
    /// Which sum it moves.
    pub funds: Funds,
}

impl BalanceOperation {
    /// With the reference checked.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn new(login: Login, amount: Money, reference: impl Into<String>) -> Result<Self, ReferenceError> {
        Ok(Self { login, amount, reference: Reference::new(reference)?, funds: Funds::Balance })
    }

    /// The same on another sum of the account.
    #[must_use]
    pub fn on(self, funds: Funds) -> Self {
        Self { funds, ..self }
    }
}

/// An account to be created. Its currency is its group's where the platform has it so.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Group with its path, e.g. `real\standard-usd`.
    pub group: String,
    /// Its currency: of its group, or beside it.
    pub currency: Currency,
    /// The client's name.
    pub name: Redacted<String>,
    /// The client's address for mail.
    pub email: Redacted<String>,
    /// In E.164.
    pub phone: Option<Redacted<String>>,
    /// Residence.
    pub country: Option<Country>,
    /// 1 to what the server allows.
    pub leverage: u32,
    /// Ours, by which the account is found again; at most 63 bytes.
    pub reference: String,
    /// The client's password: 8 to 16 characters of four classes.
    pub password: SecretString,
    /// The read-only password, by the same rule.
    pub investor_password: SecretString,
}

impl NewAccount {
    /// The client's name as far as a platform keeps it, in UTF-16 units; a name that shows nothing would tell nobody whose account it is,
    /// so the reference stands for it.
    fn shown_name(&self, units_max: usize) -> String {
        let name = self.name.reveal().trim();
        let name = if name.chars().any(char::is_alphanumeric) { name } else { self.reference.as_str() };
        let mut units = 0_usize;
        let fits = |letter: &char| {
            units = units.saturating_add(letter.len_utf16());
            units <= units_max
        };
        name.chars().take_while(fits).collect()
    }
}

/// Why a platform did not do as asked. The variants differ in what may have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// Certainly not applied, and will not be.
    #[error("platform refused with {code}")]
    Refused {
        /// The platform's own code.
        code: String,
        /// The platform's own words. Platforms echo input in them, so they are for the adapter alone and stand in no text that
        /// reaches a log, an item or the journal.
        message: String,
    },
    /// Certainly not applied; may be tried again later.
    #[error("platform did not apply it: {0}")]
    NotApplied(String),
    /// May have been applied: look it up before anything else.
    #[error("platform may have applied it: {0}")]
    Unknown(String),
    /// Certainly not applied; a person must mend credentials, permissions or settings first.
    #[error("platform is not set up: {0}")]
    Misconfigured(String),
}

impl PlatformError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Refused { .. } => Disposition::GiveUp,
            Self::NotApplied(_) => Disposition::Retry,
            Self::Unknown(_) => Disposition::LookUp,
            Self::Misconfigured(_) => Disposition::Hold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_fits_the_comment_it_is_stored_in() {
        for good in ["p", "pay_01hzzzzzzzzzzzzzzzzzzzzzzz", &"x".repeat(31), "a-b_c.d:e"] {
            assert!(Reference::new(good).is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(32), "a b", "a|b", "é", "a\n"] {
            assert!(Reference::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reference_is_not_found_in_a_longer_one() {
        let reference = Reference::new("pay_1").unwrap();
        for same in ["pay_1", "pay_1 deposit", "pay_1 / dealer"] {
            assert!(reference.begins(same), "{same}");
        }
        for other in ["pay_12", "pay_1-r", "xpay_1", "PAY_1", "", "pay_"] {
            assert!(!reference.begins(other), "{other}");
        }
    }

    #[test]
    fn a_reference_in_a_persons_words_is_still_named() {
        let reference = Reference::new("pay_1").unwrap();
        for named in ["pay_1", "PAY_1", "part of pay_1", "pay_1-r", "pay_1:1/2", "(pay_1)"] {
            assert!(reference.is_named_in(named), "{named}");
        }
        for other in ["", "pay_12", "xpay_1", "pay_", "äpay_1", "1pay_1 pay_11"] {
            assert!(!reference.is_named_in(other), "{other}");
        }
        let long = Reference::new("pay_01j9zzzzzzabcdefghjkmnpqrs").unwrap();
        for named in ["part of pay_01j9zzzzzzabcdefghj", "by hand pay_01J9ZZZZZZABCDEFGHJ"] {
            assert_eq!(named.len(), REFERENCE_BYTES_MAX);
            assert!(long.is_named_in(named), "{named}");
        }
        for other in ["part of pay_01j9zzzzzzabcdefgh", "something longer for pay_01j9zz"] {
            assert!(!long.is_named_in(other), "{other}");
        }
    }
}
