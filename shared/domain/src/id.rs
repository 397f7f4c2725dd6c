//! Ids: opaque, prefixed, time-ordered, and of distinct types so that they cannot be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Crockford's base 32 in lower case: no i, l, o or u, and it sorts as the number does.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in base 32.
const BODY_LENGTH: usize = 26;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct IdError;

pub(crate) fn encode(value: u128) -> String {
    let mut body = [b'0'; BODY_LENGTH];
    let mut rest = value;
    for place in body.iter_mut().rev() {
        let digit = usize::try_from(rest & 31).unwrap_or(0);
        *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    body.iter().map(|b| char::from(*b)).collect()
}

pub(crate) fn is_body(text: &str) -> bool {
    text.len() == BODY_LENGTH && text.bytes().all(|b| ALPHABET.contains(&b))
}

/// The moment that a time-ordered id carries in its first 48 bits; `None` for what is none. A hint, for clocks differ.
pub fn moment_of(id: &str) -> Option<Timestamp> {
    let body = id.rsplit('_').next().filter(|body| is_body(body))?;
    let mut digits = body.bytes().map(|b| ALPHABET.iter().position(|digit| *digit == b));
    let bits = digits.try_fold(0_u128, |bits, digit| Some((bits << 5) | u128::try_from(digit?).ok()?))?;
    Timestamp::from_millis(i64::try_from(bits >> 80).ok()?)
}

/// An id is a text: to and from one, and the same in a log as in a document. Its type has a `FromStr` that says what fits.
macro_rules! id_text {
    ($(#[$doc:meta])* $name:ident = $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::IdError;

            fn try_from(text: String) -> Result<Self, $crate::id::IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::entity::EntityId for $name {
            const PREFIX: &'static str = $prefix;

            fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(crate) use id_text;

/// Declares types of ids: `Name = "prefix_";`.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// From 128 bits that the caller drew (UUID version 7: time-ordered).
            pub fn from_bits(bits: u128) -> Self {
                Self(format!("{}{}", $prefix, $crate::id::encode(bits)))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;

            fn from_str(text: &str) -> Result<Self, $crate::id::IdError> {
                match text.strip_prefix($prefix) {
                    Some(body) if $crate::id::is_body(body) => Ok(Self(text.to_owned())),
                    _ => Err($crate::id::IdError),
                }
            }
        }

        $crate::id::id_text!($(#[$doc])* $name = $prefix);
    )*};
}
#[cfg(test)]
pub(crate) use ids;

ids! {
    /// A lead.
    LeadId = "lead_";
    /// A client.
    ClientId = "cli_";
    /// The KYC case of a client.
    KycCaseId = "kyc_";
    /// The check of a client's identity at a vendor.
    KycCheckId = "kck_";
    /// What a vendor of such checks has sent by itself.
    KycNoticeId = "kno_";
    /// A document of a KYC case.
    DocumentId = "doc_";
    /// A list that clients are screened against.
    WatchListId = "lst_";
    /// A trading account.
    AccountId = "acc_";
    /// Accounts that the rules want for a client and that could not be opened.
    AccountOpeningId = "opn_";
    /// What was found about a login on a trading server.
    FindingId = "fnd_";
    /// Where the accounts of a trading server are looked at next.
    ServerSweepId = "swp_";
    /// A change of a trading account.
    ChangeId = "chg_";
    /// A deposit or withdrawal.
    PaymentId = "pay_";
    /// A provider's statement about money that belongs to no payment of ours.
    StrayId = "str_";
    /// What a payment provider settled on a day, or a trading server booked.
    SettlementId = "stl_";
    /// A day of a trading server, as far as it was read.
    ServerDayId = "sdy_";
    /// A settlement file of a payment provider.
    SettlementFileId = "stf_";
    /// Where a provider's settlement or a server's day and our ledger differ.
    BreakId = "brk_";
    /// A work item.
    WorkId = "wrk_";
    /// Something that a person is to do.
    TaskId = "tsk_";
    /// A sequence of messages to somebody.
    JourneyId = "jny_";
    /// Work from its first request on; callers may bring their own instead.
    CorrelationId = "cor_";
    /// A message to a client.
    NotificationId = "ntf_";
}

impl KycCaseId {
    /// The case of a client: each has one, so its id is the client's.
    pub fn of(client: &ClientId) -> Self {
        let body = client.as_str().strip_prefix(<ClientId as crate::entity::EntityId>::PREFIX).unwrap_or_default();
        Self(format!("{}{body}", <Self as crate::entity::EntityId>::PREFIX))
    }
}

impl KycCheckId {
    /// The check of a client: each has one, so its id is the client's.
    pub fn of(client: &ClientId) -> Self {
        let body = client.as_str().strip_prefix(<ClientId as crate::entity::EntityId>::PREFIX).unwrap_or_default();
        Self(format!("{}{body}", <Self as crate::entity::EntityId>::PREFIX))
    }
}

/// The derived id of an event: `entity:version:n`, so that a repeat is recognised anywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// The `n`th event (from 0) of an entity's version.
    pub fn derived(entity: &str, version: u64, n: usize) -> Self {
        Self(format!("{entity}:{version}:{n}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_another_kind_and_broken_bodies() {
        let id = PaymentId::from_bits(42);
        assert!(id.as_str().parse::<ClientId>().is_err());
        for text in ["pay_", "pay_1", "", "pay_0000000000000000000000000i", "PAY_00000000000000000000000000"] {
            assert!(text.parse::<PaymentId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_carries_its_moment_if_it_is_one() {
        let at = Timestamp::from_millis(1_800_000_000_123).unwrap();
        let id = PaymentId::from_bits(crate::decision::derived_bits(at, &["a"]));
        assert_eq!(moment_of(id.as_str()), Some(at));
        for text in ["", "agt_anna_weber", "pay_1", "pay_0000000000000000000000000i", "0"] {
            assert_eq!(moment_of(text), None, "{text}");
        }
        // sixteen bits more than fit a year that there is
        assert_eq!(moment_of(PaymentId::from_bits(u128::MAX).as_str()), Timestamp::from_millis((1 << 48) - 1));
    }

    proptest! {
        #[test]
        fn text_order_is_number_order(a: u128, b: u128) {
            prop_assert_eq!(a.cmp(&b), PaymentId::from_bits(a).cmp(&PaymentId::from_bits(b)));
            let id = PaymentId::from_bits(a);
            prop_assert_eq!(id.as_str().parse::<PaymentId>().unwrap(), id);
        }
    }
}
