//! What a platform can do. Callers decide by it, and what is not in it is refused with [`UNSUPPORTED`] before anything is sent.

use domain::account::change::wish::Able;

use super::PlatformError;
use super::accounts::Access;
use super::operations::OperationsList;

/// Code of a refusal of what the platform has no call for.
pub const UNSUPPORTED: &str = "unsupported";

/// What a platform can do, as it is set up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// What becomes of a second creation under one reference.
    pub second_creation: SecondCreation,
    /// Whether an account has a second password that only looks.
    pub investor_password: bool,
    /// What accounts can be set to, beside being fully open.
    pub access: &'static [Access],
    /// Whether an account can be moved to another group.
    pub group_change: bool,
    /// Whether an account's leverage is a plain number that can be set.
    pub leverage_change: bool,
    /// How money is booked; none where it cannot be at all.
    pub money: Option<MoneyProof>,
    /// The same of credit, which is no money of the client's; none where none is booked.
    pub credit: Option<MoneyProof>,
    /// Whether a booking can be looked up by the number that a person names.
    pub tickets: bool,
    /// Whether it can be where nobody knows of which account it is.
    pub tickets_of_any_account: bool,
    /// Whether the accounts of a group can be listed.
    pub lists_accounts: bool,
    /// How what moved money besides trades can be listed; none where it cannot be.
    pub operations: Option<OperationsList>,
    /// Whether closed trades can be read.
    pub closed_trades: bool,
    /// Whether it says if an account has open positions.
    pub open_positions: bool,
}

/// What becomes of a second creation under one reference, when it reaches the platform although the first one did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondCreation {
    /// The account is made a second time: whoever creates must have looked before.
    MakesAnother,
    /// The first account is the answer: the number, or the name of the account, was our own choice.
    GivesTheFirst,
}

/// How it is known what became of a booking whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyProof {
    /// The platform keeps our reference: it is looked up, and sent again only if it is absent.
    ByReference,
    /// As before, and the platform itself books one reference only once, so sending it again would do no harm either.
    Idempotent,
    /// Nothing on the platform bears our reference: an unknown outcome is a person's.
    None,
}

impl Capabilities {
    /// What of a change of an account it can do.
    pub fn able(&self) -> Able<'static> {
        Able { access: self.access, group: self.group_change, leverage: self.leverage_change }
    }

    /// Whether an account can be set so.
    pub fn can_set(&self, access: Access) -> bool {
        access == Access::Full || self.access.contains(&access)
    }
}

impl PlatformError {
    /// Refused before it was sent: the platform has no call for it.
    pub fn unsupported(what: &str) -> Self {
        Self::Refused { code: UNSUPPORTED.to_owned(), message: format!("the platform cannot do this: {what}") }
    }
}
