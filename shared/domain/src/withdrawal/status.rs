//! Where a withdrawal stands, and why it moved there.

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// Where a withdrawal stands (API.md, "Payments").
    WithdrawalStatus {
        /// Finance decides.
        Requested = "requested",
        /// To be taken off the trading account.
        Approved = "approved",
        /// The debit is sent; it may be under way.
        Debiting = "debiting",
        /// It is not known whether it was debited.
        DebitingUnknown = "debiting_unknown",
        /// Taken off the trading account.
        Debited = "debited",
        /// The payout is sent, or with the provider.
        PayingOut = "paying_out",
        /// It is not known whether the provider has the payout.
        PayoutUnknown = "payout_unknown",
        /// Paid out.
        PaidOut = "paid_out",
        /// It did not reach the client: it is put back on the trading account.
        PayoutFailed = "payout_failed",
        /// Put back on the trading account.
        Returned = "returned",
        /// Refused, by a person or by the trading server; nothing was moved.
        Declined = "declined",
        /// The client took it back.
        Cancelled = "cancelled",
        /// A person of finance decides how it goes on.
        NeedsReview = "needs_review",
    }
}

impl WithdrawalStatus {
    /// Whether nothing more comes of it, unless the provider takes its word back.
    pub fn is_over(self) -> bool {
        match self {
            Self::PaidOut | Self::Returned | Self::Declined | Self::Cancelled => true,
            Self::Requested
            | Self::Approved
            | Self::Debiting
            | Self::DebitingUnknown
            | Self::Debited
            | Self::PayingOut
            | Self::PayoutUnknown
            | Self::PayoutFailed
            | Self::NeedsReview => false,
        }
    }

    /// Whether the timers look after it: the automation is at it.
    pub(super) fn is_watched(self) -> bool {
        match self {
            Self::Approved
            | Self::Debiting
            | Self::DebitingUnknown
            | Self::Debited
            | Self::PayingOut
            | Self::PayoutUnknown
            | Self::PayoutFailed => true,
            Self::Requested | Self::PaidOut | Self::Returned | Self::Declined | Self::Cancelled | Self::NeedsReview => {
                false
            }
        }
    }

    /// Whether its money is still on the trading account and is to leave it.
    pub fn is_still_on_account(self) -> bool {
        match self {
            Self::Requested | Self::Approved | Self::Debiting | Self::DebitingUnknown => true,
            Self::Debited
            | Self::PayingOut
            | Self::PayoutUnknown
            | Self::PaidOut
            | Self::PayoutFailed
            | Self::Returned
            | Self::Declined
            | Self::Cancelled
            | Self::NeedsReview => false,
        }
    }

    /// Whether the client gets the money, or may have got it.
    pub fn counts(self) -> bool {
        match self {
            Self::Requested
            | Self::Approved
            | Self::Debiting
            | Self::DebitingUnknown
            | Self::Debited
            | Self::PayingOut
            | Self::PayoutUnknown
            | Self::PaidOut
            | Self::NeedsReview => true,
            Self::PayoutFailed | Self::Returned | Self::Declined | Self::Cancelled => false,
        }
    }
}

/// Why it moved; stored as one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is explained by `text`")]
pub enum Reason {
    #[serde(rename = "q")]
    Requested,
    #[serde(rename = "a")]
    ByRule,
    #[serde(rename = "h")]
    Person,
    #[serde(rename = "x")]
    Cancelled,
    #[serde(rename = "i")]
    DebitIntended,
    #[serde(rename = "b")]
    Debited,
    #[serde(rename = "f")]
    FoundDebited,
    #[serde(rename = "n")]
    NotApplied,
    #[serde(rename = "u")]
    OutcomeUnknown,
    #[serde(rename = "d")]
    PlatformRefused,
    #[serde(rename = "p")]
    PayoutIntended,
    #[serde(rename = "o")]
    PaidOut,
    #[serde(rename = "t")]
    PayoutNotTaken,
    #[serde(rename = "w")]
    PayoutUnknown,
    #[serde(rename = "e")]
    PayoutFailed,
    #[serde(rename = "l")]
    PayoutCameBack,
    #[serde(rename = "y")]
    DebitedAfterEnd,
    #[serde(rename = "r")]
    PutBack,
    #[serde(rename = "v")]
    Review,
    #[serde(rename = "g")]
    Legs,
    #[serde(rename = "z")]
    WholeEnded,
}

impl Reason {
    /// The reason for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::Requested => "the client asked for the withdrawal",
            Self::ByRule => "the rules approved it",
            Self::Person => "a person of finance decided",
            Self::Cancelled => "the client took it back",
            Self::DebitIntended => "the debit is sent to the trading platform",
            Self::Debited => "the trading platform took it off the account",
            Self::FoundDebited => "the debit was found booked on the trading platform",
            Self::NotApplied => "the trading platform did not take the debit; it is sent again",
            Self::OutcomeUnknown => {
                "the trading platform's answer did not arrive; the debit is looked up before anything else"
            }
            Self::PlatformRefused => "the trading platform refused the debit; nothing was moved",
            Self::PayoutIntended => "the payout is sent to the payment provider",
            Self::PaidOut => "the payment provider paid it out",
            Self::PayoutNotTaken => "the payment provider did not take the payout; it is sent again",
            Self::PayoutUnknown => {
                "the payment provider's answer did not arrive; the payout is looked up before anything else"
            }
            Self::PayoutFailed => "the payment provider did not pay it out; it is put back on the trading account",
            Self::PayoutCameBack => "the payout came back; it is put back on the trading account",
            Self::DebitedAfterEnd => "it was debited after it had ended; it is put back on the trading account",
            Self::PutBack => "the trading platform put it back on the account",
            Self::Review => "a person of finance decides",
            Self::Legs => "by what became of its legs",
            Self::WholeEnded => "the withdrawal that it is a leg of ended before it was debited",
        }
    }
}

/// One line of the timeline: status, milliseconds after the first moment, reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage(pub WithdrawalStatus, pub i64, pub Reason);
