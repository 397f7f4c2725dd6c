//! Where a withdrawal goes.

use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{PaymentId, Redacted};

words! {
    /// How money reaches a client.
    Way {
        /// Back to the payer of a deposit: a refund of it.
        Source = "source",
        /// To a wallet that is named by an address for mail.
        Email = "email",
        /// To an address of a block chain.
        Crypto = "crypto",
    }
}

/// Where a withdrawal goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Back to the payer of a deposit.
    Source {
        /// The deposit.
        payment_id: PaymentId,
        /// The provider's id of its payment.
        reference: String,
    },
    /// A wallet.
    Email(Redacted<String>),
    /// A block chain's address.
    Crypto {
        /// The coin, e.g. `USDT`.
        currency: String,
        /// The address.
        address: Redacted<String>,
        /// Tag or memo, where the chain has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<Redacted<String>>,
    },
}

impl Destination {
    /// How the money gets there.
    pub fn way(&self) -> Way {
        match self {
            Self::Source { .. } => Way::Source,
            Self::Email(_) => Way::Email,
            Self::Crypto { .. } => Way::Crypto,
        }
    }

    /// The deposit whose payer gets it.
    pub fn source(&self) -> Option<&PaymentId> {
        match self {
            Self::Source { payment_id, .. } => Some(payment_id),
            Self::Email(_) | Self::Crypto { .. } => None,
        }
    }

    /// The provider's id of the payment whose payer gets it.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Source { reference, .. } => Some(reference),
            Self::Email(_) | Self::Crypto { .. } => None,
        }
    }

    /// Whether both are one place: addresses for mail are so in any letter case, those of block chains are not.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Email(one), Self::Email(two)) => one.reveal().eq_ignore_ascii_case(two.reveal()),
            (one, two) => one == two,
        }
    }
}
