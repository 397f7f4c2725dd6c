//! What an entity is to the store, the journal and the bus, and the list of all kinds.
//!
//! An entity says everything about its kind once, in its `impl Entity`. Whoever treats entities alike (relay, timers,
//! views) asks [`KINDS`]; nobody else keeps a list.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::json::place_of;
use crate::{ClientId, Timestamp};

/// An id of one family of entities.
pub trait EntityId: Clone + Eq + fmt::Display + fmt::Debug + FromStr + Send + Sync + 'static {
    /// What every id of the family begins with.
    const PREFIX: &'static str;

    /// The id as text.
    fn as_str(&self) -> &str;
}

/// The tables that hold entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableName {
    /// Leads, tasks, agents, clients, trading accounts, work items.
    Crm,
    /// Payments.
    Money,
    /// Deals on trading platforms, and what clients do in numbers.
    Trades,
    /// Partners, who brought whom, what trades earned, payouts.
    Partners,
}

/// A table as a type, so that an entity can be looked up in its own table only.
pub trait InTable: 'static {
    /// The table.
    const TABLE: TableName;
}

/// [`TableName::Crm`].
#[derive(Debug, Clone, Copy)]
pub enum InCrm {}

/// [`TableName::Money`].
#[derive(Debug, Clone, Copy)]
pub enum InMoney {}

/// [`TableName::Trades`].
#[derive(Debug, Clone, Copy)]
pub enum InTrades {}

impl InTable for InTrades {
    const TABLE: TableName = TableName::Trades;
}

/// [`TableName::Partners`].
#[derive(Debug, Clone, Copy)]
pub enum InPartners {}

impl InTable for InPartners {
    const TABLE: TableName = TableName::Partners;
}

impl InTable for InCrm {
    const TABLE: TableName = TableName::Crm;
}

impl InTable for InMoney {
    const TABLE: TableName = TableName::Money;
}

/// Something with an id, versions and a journal of its own.
pub trait Entity: Sized + Clone + Send + Sync + 'static {
    /// Its id.
    type Id: EntityId;
    /// The table that it lives in.
    type Table: InTable;
    /// The part that events and journal carry: no personal data, no secrets.
    type Public: Serialize + DeserializeOwned;
    /// The part that stays in the item; `()` where there is none.
    type Private: Serialize + DeserializeOwned;

    /// What its kind is called in items, stream records and the journal. Never changed: items carry it.
    const KIND: &'static str;
    /// What its ids stand for. Kinds whose ids begin alike share it (a deposit and a withdrawal are payments): it names the id
    /// in events (`payment_id`) and what is announced when one is due (`payment.due`).
    const FAMILY: &'static str = Self::KIND;
    /// Version of the two parts' form. Raised with a change that the older form does not read as, together with [`Self::upgrade`].
    const SCHEMA: u32 = 1;
    /// Whether it ever has a due time; the timers look at such families only.
    const TIMED: bool = false;

    /// The member of the public part that its due events carry, so that they can be routed by it.
    const ROUTED_BY: Option<&'static str> = None;

    /// Its id; the key of its item and of its journal entries.
    fn id(&self) -> &Self::Id;

    /// The client it belongs to.
    fn client(&self) -> Option<&ClientId> {
        None
    }

    /// When something must happen to it although no trigger comes.
    fn due(&self) -> Option<Timestamp> {
        None
    }

    /// The list it stands in and its place there, if any.
    fn rank(&self) -> Option<(String, String)> {
        None
    }

    /// Who proposes what waits for a second person, as [`crate::four_eyes::person`]: the store lets nobody save his own approval.
    fn proposed_by(&self) -> Option<String> {
        None
    }

    /// The public part.
    fn public(&self) -> &Self::Public;

    /// The private part.
    fn private(&self) -> &Self::Private;

    /// The entity from what an item holds.
    ///
    /// # Errors
    /// [`ReadError::Missing`].
    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError>;

    /// The parts of an older [`Self::SCHEMA`] in today's form.
    fn upgrade(_from: u32, public: Value, private: Value) -> (Value, Value) {
        (public, private)
    }
}

/// What an item holds of an entity.
#[derive(Debug)]
pub struct Parts<T: Entity> {
    /// Its id.
    pub id: T::Id,
    /// The client it belongs to.
    pub client: Option<ClientId>,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// The public part.
    pub public: T::Public,
    /// The private part.
    pub private: T::Private,
}

impl<T: Entity> Parts<T> {
    /// The client, for an entity that always has one.
    ///
    /// # Errors
    /// [`ReadError::Missing`].
    pub fn owner(&self) -> Result<ClientId, ReadError> {
        self.client.clone().ok_or(ReadError::Missing("client"))
    }
}

/// Why an item does not read as an entity.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The id is of another form.
    #[error("its id does not read as one of a {0}")]
    Id(&'static str),
    /// It is of another kind, which may share the prefix of its id.
    #[error("it is a {is}, not a {wanted}")]
    OtherKind {
        /// What it is.
        is: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Newer code wrote it: this code must not guess what it means.
    #[error("it has schema {0}, which is newer than this code")]
    Newer(u32),
    /// A part that every such entity has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A part does not read as what it must be.
    #[error("a part cannot be read: {0}")]
    Form(String),
}

impl From<serde_json::Error> for ReadError {
    /// Without the words that stand there: a part may be private.
    fn from(error: serde_json::Error) -> Self {
        Self::Form(place_of(&error))
    }
}

/// What an item says of an entity, as text.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its kind; items from before kinds were written have none.
    pub kind: Option<&'a str>,
    /// Version of the parts' form.
    pub schema: u32,
    /// The public part.
    pub public: &'a str,
    /// The private part.
    pub private: Option<&'a str>,
}

impl<'a> Raw<'a> {
    /// An item of today's form.
    pub fn of<T: Entity>(id: &'a str, public: &'a str, private: Option<&'a str>) -> Self {
        Self { id, kind: Some(T::KIND), schema: T::SCHEMA, public, private }
    }
}

/// The public and the private part of an entity as text; no private text where there is no such part.
///
/// # Errors
/// When a part cannot be written as JSON.
pub fn write<T: Entity>(entity: &T) -> Result<(String, Option<String>), serde_json::Error> {
    let private = serde_json::to_string(entity.private())?;
    Ok((serde_json::to_string(entity.public())?, Some(private).filter(|text| text != "null")))
}

/// Reads an entity.
///
/// # Errors
/// [`ReadError`].
pub fn read<T: Entity>(raw: Raw<'_>, client: Option<ClientId>, due: Option<Timestamp>) -> Result<T, ReadError> {
    let is = raw.kind.or_else(|| kind_before_kinds(raw.id)).unwrap_or("thing of no known kind");
    if is != T::KIND {
        return Err(ReadError::OtherKind { is: is.to_owned(), wanted: T::KIND });
    }
    if raw.schema > T::SCHEMA {
        return Err(ReadError::Newer(raw.schema));
    }
    let private = raw.private.unwrap_or("null");
    let (public, private) = if raw.schema < T::SCHEMA {
        let (public, private) =
            T::upgrade(raw.schema, serde_json::from_str(raw.public)?, serde_json::from_str(private)?);
        (serde_json::from_value(public)?, serde_json::from_value(private)?)
    } else {
        (serde_json::from_str(raw.public)?, serde_json::from_str(private)?)
    };
    let id = raw.id.parse().map_err(|_| ReadError::Id(T::KIND))?;
    T::from_parts(Parts { id, client, due, public, private })
}

/// A kind of entity, as whoever treats all alike sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// [`Entity::KIND`].
    pub name: &'static str,
    /// [`Entity::FAMILY`].
    pub family: &'static str,
    /// [`EntityId::PREFIX`].
    pub prefix: &'static str,
    /// [`Entity::SCHEMA`].
    pub schema: u32,
    /// [`Entity::Table`].
    pub table: TableName,
    /// [`Entity::TIMED`].
    pub timed: bool,
    /// [`Entity::ROUTED_BY`].
    pub routed_by: Option<&'static str>,
}

impl Kind {
    const fn of<T: Entity>() -> Self {
        Self {
            name: T::KIND,
            family: T::FAMILY,
            prefix: <T::Id as EntityId>::PREFIX,
            schema: T::SCHEMA,
            table: <T::Table as InTable>::TABLE,
            timed: T::TIMED,
            routed_by: T::ROUTED_BY,
        }
    }

    /// The field that names its id in events: `payment_id`.
    pub fn id_field(&self) -> String {
        format!("{}_id", self.family)
    }
}

/// Every kind. Items from before kinds were written are of the first kind of their family.
pub const KINDS: &[Kind] = &[
    Kind::of::<crate::lead::Lead>(),
    Kind::of::<crate::sales::Task>(),
    Kind::of::<crate::sales::AgentState>(),
    Kind::of::<crate::sales::PoolState>(),
    Kind::of::<crate::journey::Journey>(),
    Kind::of::<crate::journey::suppression::Suppression>(),
    Kind::of::<crate::bonus::Bonus>(),
    Kind::of::<crate::bonus::book::BonusBook>(),
    Kind::of::<crate::client::Client>(),
    Kind::of::<crate::client::login::ClientLogin>(),
    Kind::of::<crate::kyc::KycCase>(),
    Kind::of::<crate::kyc::KycDocument>(),
    Kind::of::<crate::kyc::vendor::VendorCheck>(),
    Kind::of::<crate::kyc::vendor::VendorNotice>(),
    Kind::of::<crate::kyc::watch_list::WatchList>(),
    Kind::of::<crate::kyc::rescreening::ClientScreening>(),
    Kind::of::<crate::kyc::rescreening::Rescreening>(),
    Kind::of::<crate::kyc::rescreening::ScreeningPart>(),
    Kind::of::<crate::account::Account>(),
    Kind::of::<crate::account::opening::AccountOpening>(),
    Kind::of::<crate::account::change::Change>(),
    Kind::of::<crate::account::sweep::Finding>(),
    Kind::of::<crate::account::sweep::ServerSweep>(),
    Kind::of::<crate::payment::Deposit>(),
    Kind::of::<crate::withdrawal::Withdrawal>(),
    Kind::of::<crate::payment::StrayReport>(),
    Kind::of::<crate::reconciliation::Settlement>(),
    Kind::of::<crate::reconciliation::SettlementFile>(),
    Kind::of::<crate::reconciliation::Break>(),
    Kind::of::<crate::reconciliation::ServerDay>(),
    Kind::of::<crate::trade::Trade>(),
    Kind::of::<crate::trade::feed::TradeFeed>(),
    Kind::of::<crate::activity::Activity>(),
    Kind::of::<crate::compliance::Watch>(),
    Kind::of::<crate::compliance::Case>(),
    Kind::of::<crate::compliance::Report>(),
    Kind::of::<crate::compliance::DayPart>(),
    Kind::of::<crate::work::WorkItem>(),
    Kind::of::<crate::rule_sets::draft::RuleDraft>(),
    Kind::of::<crate::replay::Replay>(),
    Kind::of::<crate::partner::profile::Partner>(),
    Kind::of::<crate::partner::proposal::Proposal>(),
    Kind::of::<crate::partner::attribution::Attribution>(),
    Kind::of::<crate::partner::posted::TradeAccrual>(),
    Kind::of::<crate::partner::run::PayoutRun>(),
    Kind::of::<crate::partner::closing::PartnerBook>(),
    Kind::of::<crate::partner::statement::Statement>(),
    Kind::of::<crate::partner::payout::PartnerPayout>(),
    Kind::of::<crate::partner::acquisition::Acquisition>(),
    Kind::of::<crate::partner::dispute::Dispute>(),
];

/// A kind of the family that an id belongs to: what kinds of a family share (prefix, table, name of the id).
pub fn family_of(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| id.starts_with(kind.prefix))
}

/// A kind of each family that has due times.
pub fn timed_families() -> impl Iterator<Item = &'static Kind> {
    let first = |place: usize, kind: &Kind| {
        KINDS.iter().take(place).all(|before| !before.timed || before.family != kind.family)
    };
    KINDS.iter().enumerate().filter(move |(place, kind)| kind.timed && first(*place, kind)).map(|(_, kind)| kind)
}

fn kind_before_kinds(id: &str) -> Option<&'static str> {
    family_of(id).map(|kind| kind.name)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::id::ids;

    #[test]
    fn every_name_is_used_once_and_every_family_has_a_prefix_of_its_own() {
        let names: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len(), "{names:?}");
        let mut families: BTreeMap<&str, &Kind> = BTreeMap::new();
        for kind in KINDS {
            let first = families.entry(kind.family).or_insert(kind);
            assert_eq!((first.prefix, first.table), (kind.prefix, kind.table), "{}", kind.family);
        }
        for (a, b) in families.values().flat_map(|a| families.values().map(move |b| (a, b))) {
            assert!(a.family == b.family || !a.prefix.starts_with(b.prefix), "{} and {}", a.family, b.family);
        }
        let timed: Vec<_> = timed_families().map(|kind| kind.family).collect();
        let families: BTreeSet<_> = KINDS.iter().filter(|kind| kind.timed).map(|kind| kind.family).collect();
        assert_eq!((timed.len(), timed.into_iter().collect::<BTreeSet<_>>()), (families.len(), families));
    }

    ids! {
        /// An invoice.
        InvoiceId = "inv_";
    }

    #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Lines {
        total_cents: u64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Invoice {
        id: InvoiceId,
        lines: Lines,
    }

    impl Entity for Invoice {
        type Id = InvoiceId;
        type Table = InMoney;
        type Public = Lines;
        type Private = ();
        const KIND: &'static str = "invoice";
        const SCHEMA: u32 = 2;

        fn id(&self) -> &InvoiceId {
            &self.id
        }

        fn public(&self) -> &Lines {
            &self.lines
        }

        fn private(&self) -> &() {
            &()
        }

        fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
            Ok(Self { id: parts.id, lines: parts.public })
        }

        /// The first form had whole units.
        fn upgrade(_from: u32, public: Value, private: Value) -> (Value, Value) {
            let total = public.get("total").and_then(Value::as_u64).map(|total| total * 100);
            (serde_json::json!({"total_cents": total}), private)
        }
    }

    #[test]
    fn an_older_form_is_upgraded_and_a_newer_one_is_not_guessed() {
        let id = InvoiceId::from_bits(1);
        let today = Raw::of::<Invoice>(id.as_str(), r#"{"total_cents": 250}"#, None);
        assert_eq!(read::<Invoice>(today, None, None).unwrap().lines.total_cents, 250);
        let older = Raw { schema: 1, public: r#"{"total": 2}"#, ..today };
        assert_eq!(read::<Invoice>(older, None, None).unwrap().lines.total_cents, 200);
        let newer = Raw { schema: 3, ..today };
        assert!(matches!(read::<Invoice>(newer, None, None), Err(ReadError::Newer(3))));
    }

    #[test]
    fn another_kind_is_never_read_as_this_one() {
        let id = crate::PaymentId::from_bits(1);
        let raw = Raw { kind: Some("withdrawal"), ..Raw::of::<crate::payment::Deposit>(id.as_str(), "{}", Some("{}")) };
        let read = read::<crate::payment::Deposit>(raw, None, None);
        assert!(matches!(read, Err(ReadError::OtherKind { wanted: "deposit", .. })), "{read:?}");
    }
}
