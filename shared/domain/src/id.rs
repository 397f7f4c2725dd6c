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
    /// A login of a client to his portal.
    ClientLoginId = "lgn_";
    /// The KYC case of a client.
    KycCaseId = "kyc_";
    /// The check of a client's identity at a vendor.
    KycCheckId = "kck_";
    /// What a vendor of such checks has sent by itself.
    KycNoticeId = "kno_";
    /// A document of a KYC case.
    DocumentId = "doc_";
    /// What the lists say about a client after he was approved.
    ClientScreeningId = "scr_";
    /// The run in which everybody is screened again.
    RescreeningId = "rsc_";
    /// A share of the clients in such a run.
    ScreeningPartId = "rsp_";
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
    /// A deal on a trading platform.
    TradeId = "trd_";
    /// What a client does, in numbers.
    ActivityId = "act_";
    /// How far the deals of a trading server were fetched.
    TradeFeedId = "tfd_";
    /// What was looked for in what a client did, and found.
    AlertId = "alr_";
    /// What compliance keeps about a client.
    ClientWatchId = "cwt_";
    /// A case of compliance.
    CaseId = "case_";
    /// A share of the clients on a day that is over.
    DayPartId = "dyp_";
    /// A report to an authority.
    ReportId = "rep_";
    /// A work item.
    WorkId = "wrk_";
    /// A replay of executions.
    ReplayId = "rpl_";
    /// Something that a person is to do.
    TaskId = "tsk_";
    /// A sequence of messages to somebody.
    JourneyId = "jny_";
    /// Credit that a journey grants.
    BonusId = "bns_";
    /// What a client, or a campaign, was granted.
    BonusBookId = "bbk_";
    /// What is known of an address that is not written to any more.
    SuppressionId = "sup_";
    /// Work from its first request on; callers may bring their own instead.
    CorrelationId = "cor_";
    /// A message to a client.
    NotificationId = "ntf_";
    /// A partner who brings clients.
    PartnerId = "ptn_";
    /// What a partner gets, or gets no longer, for one trade or other cause.
    AccrualLineId = "lin_";
    /// Who brought a client.
    AttributionId = "atb_";
    /// An agreement that was proposed to a partner.
    ProposalId = "pag_";
    /// What a trade earned for partners.
    TradeAccrualId = "tac_";
    /// Partners who are paid together.
    PayoutRunId = "prn_";
    /// What a run pays one partner.
    PayoutId = "pyo_";
    /// Which of a partner's months is open, and what the one before left over.
    PartnerBookId = "pbk_";
    /// A month's statement of a partner in a currency.
    StatementId = "stm_";
    /// What a partner earns for having brought a client.
    AcquisitionId = "acq_";
    /// Lines of a statement that a partner disputes.
    DisputeId = "dsp_";
}

/// Ids of what each client has one of: the client's own with another prefix.
macro_rules! one_a_client {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        impl $name {
            $(#[$doc])*
            pub fn of(client: &ClientId) -> Self {
                let body = client.as_str().strip_prefix(ClientId::PREFIX).unwrap_or_default();
                Self(format!("{}{body}", Self::PREFIX))
            }
        }
    )*};
}

one_a_client! {
    /// The case of a client.
    KycCaseId;
    /// The check of a client at a vendor.
    KycCheckId;
    /// The screening of a client.
    ClientScreeningId;
    /// The activity of a client.
    ActivityId;
    /// What is kept about a client's alerts.
    ClientWatchId;
    /// The journeys of a client.
    JourneyId;
}

/// The same random part under another prefix.
fn alike(id: &str, from: &str, to: &str) -> String {
    format!("{to}{}", id.strip_prefix(from).unwrap_or_default())
}

impl PartnerBookId {
    /// The book of a partner: each has one, so its id is the partner's.
    pub fn of(partner: &PartnerId) -> Self {
        Self(alike(partner.as_str(), PartnerId::PREFIX, Self::PREFIX))
    }

    /// Whose book it is.
    pub fn partner(&self) -> PartnerId {
        PartnerId(alike(self.as_str(), Self::PREFIX, PartnerId::PREFIX))
    }
}

impl AcquisitionId {
    /// What a client's being brought earns: there is one, so its id is the client's.
    pub fn of(client: &ClientId) -> Self {
        Self(alike(client.as_str(), ClientId::PREFIX, Self::PREFIX))
    }
}

impl StatementId {
    /// The statement of a partner, a month that begins then, and a currency.
    pub fn of(partner: &PartnerId, begins: Timestamp, currency: &str) -> Self {
        Self::from_bits(crate::decision::derived_bits(begins, &["statement", partner.as_str(), currency]))
    }
}

impl PayoutId {
    /// What a run pays a partner.
    pub fn of(run: &PayoutRunId, partner: &PartnerId) -> Self {
        let at = moment_of(run.as_str()).unwrap_or(Timestamp::EPOCH);
        Self::from_bits(crate::decision::derived_bits(at, &["payout", run.as_str(), partner.as_str()]))
    }

    /// Its number at a payment provider, where numbers are those of payments: the same with another prefix, so that what the provider says of
    /// it by itself finds it again.
    pub fn at_provider(&self) -> PaymentId {
        PaymentId(alike(self.as_str(), Self::PREFIX, PaymentId::PREFIX))
    }

    /// The payout that a provider's number would stand for.
    pub fn from_provider(number: &PaymentId) -> Self {
        Self(alike(number.as_str(), PaymentId::PREFIX, Self::PREFIX))
    }

    /// As it may stand in a bank's file, whose characters have no `_`.
    pub fn end_to_end(&self) -> String {
        self.as_str().replace('_', "-")
    }
}

impl AttributionId {
    /// Who brought a client: each has one, so its id is the client's.
    pub fn of(client: &ClientId) -> Self {
        let body = client.as_str().strip_prefix(<ClientId as crate::entity::EntityId>::PREFIX).unwrap_or_default();
        Self(format!("{}{body}", <Self as crate::entity::EntityId>::PREFIX))
    }
}

impl TradeAccrualId {
    /// What a trade earned: there is one for all its versions.
    pub fn of(trade: &str) -> Self {
        let at = moment_of(trade).unwrap_or(Timestamp::EPOCH);
        Self::from_bits(crate::decision::derived_bits(at, &["accrual", trade]))
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
