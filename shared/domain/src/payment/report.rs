//! What a payment service provider says about a payment, in our words.

use serde::{Deserialize, Serialize};

use crate::{Money, PaymentId, Timestamp};

/// How money went back to the payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// We paid it back.
    #[serde(rename = "r")]
    Refund,
    /// The payer's bank took it back.
    #[serde(rename = "d")]
    Dispute,
}

/// What a statement says about money that went back. A running total and a single return are never mixed up: the one replaces what
/// was known, the other adds to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returned {
    /// All refunds of the payment so far, together.
    Total {
        /// How much; the whole payment where the provider names no amount.
        amount: Option<Money>,
    },
    /// One refund or dispute, told apart by the provider's id of it.
    One {
        /// The provider's id of it.
        id: String,
        /// How it went back.
        way: Way,
        /// Whether the money is with the payer, or on its way to him. A refund that failed or was cancelled and a dispute that was
        /// won do not stand: the money is with us again, or never left.
        stands: bool,
        /// How much; the whole payment where the provider names no amount.
        amount: Option<Money>,
    },
}

/// Where a payout of ours stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payout {
    /// The provider has it.
    Pending,
    /// The client has it.
    Paid,
    /// It did not reach the client, or came back.
    Failed,
}

/// Where a payment stands at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PspStatus {
    /// Opened, nothing collected yet.
    Pending,
    /// The payer has agreed, and the money comes when the provider is asked for it: nothing is collected yet.
    Payable {
        /// What it is asked with.
        token: String,
    },
    /// Being processed by the bank or scheme.
    Processing,
    /// Collected: the money is ours to credit.
    Succeeded,
    /// Collected, with the risk that the provider sees in where the money comes from, in thousandths: the rules say from where on a
    /// person decides about it.
    Scored {
        /// From 0 to 1000.
        risk: u16,
    },
    /// This attempt failed; the payer may try again.
    Failed,
    /// Closed for good without money.
    Canceled,
    /// Money went back to the payer, or came back from there.
    Returned(Returned),
    /// About money that goes out.
    Payout(Payout),
    /// An event that says nothing about collection.
    Irrelevant,
}

/// One statement of a provider: from a webhook or from a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PspReport {
    /// The provider's name in the `psps` rule set, as in the webhook's path.
    pub psp: String,
    /// The provider's id of this statement; a look-up makes one of reference and status.
    pub event_id: String,
    /// The provider's own word for it, e.g. `payment_intent.succeeded`.
    pub kind: String,
    /// Our reference, if the provider carried one that reads as ours.
    pub payment_id: Option<PaymentId>,
    /// The provider's id of the payment; empty if it named none.
    pub reference: String,
    /// Where it stands.
    pub status: PspStatus,
    /// What was really collected (succeeded), went back (returned) or is asked for (otherwise), where the provider says so.
    pub money: Option<Money>,
    /// The provider's time of the statement; when it came, where the provider tells none.
    pub at: Timestamp,
}

impl PspReport {
    /// Whether it is about money that goes out.
    pub fn is_about_payout(&self) -> bool {
        matches!(self.status, PspStatus::Payout(_))
    }

    /// Whether it tells of money that came or went, and so concerns somebody whatever it is about.
    pub fn moves_money(&self) -> bool {
        match self.status {
            PspStatus::Succeeded | PspStatus::Scored { .. } | PspStatus::Returned(_) => true,
            PspStatus::Payout(Payout::Paid | Payout::Failed) => true,
            PspStatus::Payout(Payout::Pending)
            | PspStatus::Pending
            | PspStatus::Payable { .. }
            | PspStatus::Processing
            | PspStatus::Failed
            | PspStatus::Canceled
            | PspStatus::Irrelevant => false,
        }
    }
}
