//! What the tests of accounts begin with.

use super::change::Upkeep;
use super::{Account, AccountFacts, AccountInner, AccountStatus};
use crate::{AccountId, ClientId, Timestamp};

/// So long after the moment at which the stories begin.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
}

/// An account on MetaTrader 5 that is about to be asked for.
pub(crate) fn account() -> Account {
    let facts = AccountFacts {
        status: AccountStatus::Requested,
        platform: "mt5".to_owned(),
        account_type: "standard".to_owned(),
        kind: "live".to_owned(),
        currency: "USD".parse().unwrap(),
        leverage: 30,
        server: "mt5-live".to_owned(),
        group: "real\\standard-USD".to_owned(),
        login: None,
        created_at: at(0),
        review: None,
        refused: None,
        reopened: None,
        upkeep: Upkeep::default(),
    };
    let (id, client_id) = (AccountId::from_bits(1), ClientId::from_bits(2));
    Account { id, client_id, due: None, facts, inner: AccountInner::default() }
}
