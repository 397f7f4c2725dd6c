//! Where a deposit stands, why it moved there, and the timeline of both.

use serde::{Deserialize, Serialize};

/// Where a deposit stands (API.md, "Payments").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// The payer was sent to the provider.
    Pending,
    /// The provider has collected exactly what was asked for, or a person accepted what it collected.
    Paid,
    /// The credit is intended and may be under way on the trading platform.
    Crediting,
    /// Credited on the trading platform.
    Credited,
    /// The provider could not collect.
    Failed,
    /// The payer never paid.
    Expired,
    /// A credit was sent and its outcome is not known.
    CreditingUnknown,
    /// A person of finance decides.
    NeedsReview,
    /// Paid back at the provider.
    Refunded,
    /// Taken back by the payer's bank.
    ChargedBack,
}

impl DepositStatus {
    /// Every status.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Paid,
        Self::Crediting,
        Self::Credited,
        Self::Failed,
        Self::Expired,
        Self::CreditingUnknown,
        Self::NeedsReview,
        Self::Refunded,
        Self::ChargedBack,
    ];

    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Crediting => "crediting",
            Self::Credited => "credited",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::CreditingUnknown => "crediting_unknown",
            Self::NeedsReview => "needs_review",
            Self::Refunded => "refunded",
            Self::ChargedBack => "charged_back",
        }
    }

    /// Whether the money went back to the payer.
    pub fn is_reversed(self) -> bool {
        match self {
            Self::Refunded | Self::ChargedBack => true,
            Self::Pending
            | Self::Paid
            | Self::Crediting
            | Self::Credited
            | Self::Failed
            | Self::Expired
            | Self::CreditingUnknown
            | Self::NeedsReview => false,
        }
    }

    /// Whether the automation waits for nothing more; a statement of the provider may still move it.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Credited | Self::Failed | Self::Expired | Self::Refunded | Self::ChargedBack => true,
            Self::Pending | Self::Paid | Self::Crediting | Self::CreditingUnknown | Self::NeedsReview => false,
        }
    }
}

/// The status as the timeline stores it: one letter, because the timeline is written with every version.
#[derive(Serialize, Deserialize)]
#[serde(remote = "DepositStatus")]
enum StatusCode {
    #[serde(rename = "p")]
    Pending,
    #[serde(rename = "d")]
    Paid,
    #[serde(rename = "g")]
    Crediting,
    #[serde(rename = "c")]
    Credited,
    #[serde(rename = "f")]
    Failed,
    #[serde(rename = "e")]
    Expired,
    #[serde(rename = "u")]
    CreditingUnknown,
    #[serde(rename = "r")]
    NeedsReview,
    #[serde(rename = "b")]
    Refunded,
    #[serde(rename = "k")]
    ChargedBack,
}

/// Why a deposit changed its status; stored as one letter, like the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is explained by `text`")]
pub enum Reason {
    #[serde(rename = "q")]
    Requested,
    #[serde(rename = "c")]
    Collected,
    #[serde(rename = "a")]
    CollectedAfterFailure,
    #[serde(rename = "l")]
    CollectedLate,
    #[serde(rename = "i")]
    IntentSaved,
    #[serde(rename = "b")]
    Booked,
    #[serde(rename = "s")]
    FoundBooked,
    #[serde(rename = "n")]
    NotApplied,
    #[serde(rename = "u")]
    OutcomeUnknown,
    #[serde(rename = "f")]
    ProviderFailed,
    #[serde(rename = "e")]
    NeverPaid,
    #[serde(rename = "r")]
    Review,
    #[serde(rename = "p")]
    PaidBack,
    #[serde(rename = "k")]
    Disputed,
    #[serde(rename = "w")]
    CameBack,
    #[serde(rename = "h")]
    Person,
}

impl Reason {
    /// The reason for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::Requested => "the client asked for the deposit and was sent to the payment provider",
            Self::Collected => "the provider collected the requested amount",
            Self::CollectedAfterFailure => {
                "the payer tried again after a failed attempt and the provider collected the requested amount"
            }
            Self::CollectedLate => "the provider collected the requested amount after the deposit had expired",
            Self::IntentSaved => "the credit is sent to the trading platform",
            Self::Booked => "the trading platform booked the credit",
            Self::FoundBooked => "the credit was found booked on the trading platform",
            Self::NotApplied => "the trading platform did not take the credit; it is sent again",
            Self::OutcomeUnknown => {
                "the trading platform's answer did not arrive; the credit is looked up before anything else"
            }
            Self::ProviderFailed => "the payment failed at the provider",
            Self::NeverPaid => "the payer did not pay in time",
            Self::Review => "a person of finance decides",
            Self::PaidBack => "the provider paid the money back",
            Self::Disputed => "the payer's bank took the money back",
            Self::CameBack => "the money that had gone back is with us again",
            Self::Person => "a person of finance decided",
        }
    }
}

/// One line of the timeline: status, milliseconds after the deposit's first moment, reason. Stored as an array of
/// three, e.g. `["d",8012,"c"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage(#[serde(with = "StatusCode")] pub DepositStatus, pub i64, pub Reason);
