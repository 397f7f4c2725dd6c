//! Payments of both kinds: their ids begin alike, and who has one knows not of which kind it is.

use std::ops::ControlFlow;

use domain::entity::Entity;
use domain::payment::Deposit;
use domain::withdrawal::Withdrawal;
use domain::{AccountId, ClientId, PaymentId};

use crate::entities::stored;
use crate::error::StoreError;
use crate::item::{Item, KEY, KIND, SORT_ENTITY, optional_text, text};
use crate::{MoneyTable, Stored};

/// Keys of a page of a list that is read to its end.
const PAGE: i32 = 100;

/// A payment of either kind.
#[derive(Debug, Clone)]
pub enum Payment {
    /// Money that comes in.
    Deposit(Box<Stored<Deposit>>),
    /// Money that goes out.
    Withdrawal(Box<Stored<Withdrawal>>),
}

impl Payment {
    fn of(item: &Item) -> Result<Self, StoreError> {
        // items from before kinds were written are deposits
        match optional_text(item, KIND) {
            Some(kind) if kind == Withdrawal::KIND => Ok(Self::Withdrawal(Box::new(stored(item)?))),
            Some(_) | None => Ok(Self::Deposit(Box::new(stored(item)?))),
        }
    }

    /// Whose it is.
    pub fn client_id(&self) -> &ClientId {
        match self {
            Self::Deposit(stored) => &stored.entity.client_id,
            Self::Withdrawal(stored) => &stored.entity.client_id,
        }
    }

    /// Whether it is a part of a withdrawal that goes to several places.
    pub fn is_leg(&self) -> bool {
        match self {
            Self::Deposit(_) => false,
            Self::Withdrawal(stored) => stored.entity.facts.part_of.is_some(),
        }
    }

    /// The trading account that it is about.
    pub fn account_id(&self) -> &AccountId {
        match self {
            Self::Deposit(stored) => &stored.entity.facts.account_id,
            Self::Withdrawal(stored) => &stored.entity.facts.account_id,
        }
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        match self {
            Self::Deposit(stored) => stored.version,
            Self::Withdrawal(stored) => stored.version,
        }
    }

    /// Its id.
    pub fn id(&self) -> &PaymentId {
        match self {
            Self::Deposit(stored) => &stored.entity.id,
            Self::Withdrawal(stored) => &stored.entity.id,
        }
    }
}

impl MoneyTable {
    /// Loads a payment of either kind, strongly consistent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, StoreError> {
        let item = self.0.get(id.as_str(), SORT_ENTITY, true).await?;
        item.as_ref().map(Payment::of).transpose()
    }

    /// The payments of a client of both kinds, newest first, from the one before the given on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_payments_of(
        &self,
        client: &ClientId,
        limit: i32,
        before: Option<&PaymentId>,
    ) -> Result<(Vec<Payment>, Option<String>), StoreError> {
        let (keys, next) = self.0.keys_of(client, PaymentId::PREFIX, limit, before.map(PaymentId::as_str)).await?;
        let mut items = self.0.items(&keys).await?;
        // other kinds whose ids begin alike have lists of their own
        let kinds = [Deposit::KIND, Withdrawal::KIND];
        items.retain(|item| optional_text(item, KIND).is_none_or(|kind| kinds.contains(&kind)));
        let place = |item: &Item| text(item, "?", KEY).ok().and_then(|id| keys.iter().position(|key| key == id));
        items.sort_by_key(place);
        Ok((items.iter().map(Payment::of).collect::<Result<_, _>>()?, next))
    }

    /// Hands over every payment of a client, newest first, a page at a time, until it is told to stop.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn each_page_of_payments(
        &self,
        client: &ClientId,
        mut take: impl FnMut(Vec<Payment>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut before: Option<PaymentId> = None;
        loop {
            let (payments, next) = self.all_payments_of(client, PAGE, before.as_ref()).await?;
            if take(payments).is_break() {
                return Ok(());
            }
            let Some(next) = next else { return Ok(()) };
            before = Some(next.parse().map_err(|_| StoreError::corrupt(&next, "it is no payment"))?);
        }
    }
}
