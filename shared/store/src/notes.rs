//! What is noted of a client as it happens, once and for ever, in the table `trades`: movements of money and log-ins, one item each. It is saved
//! together with the activity that it changes.

use std::collections::HashMap;

use domain::activity::{History, Movement, SeenLogin};
use domain::{ClientId, Day, PaymentId, Timestamp};

use crate::TradesTable;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{KEY, SORT, STATE, s};

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Note<'a> {
    /// Money moved, or was to.
    Movement(&'a Movement),
    /// The client logged in; the text names it among those of one moment.
    Login(&'a str, &'a SeenLogin),
}

fn moves_key(client: &ClientId) -> String {
    format!("moves#{client}")
}

fn logins_key(client: &ClientId) -> String {
    format!("logins#{client}")
}

/// A moment as a sort key, which sorts as time does.
fn moment(at: Timestamp) -> String {
    format!("{:013}", at.millis().max(0))
}

impl Note<'_> {
    /// Where it stands: whoever hears of it again finds it there.
    fn place(&self, client: &ClientId) -> (String, String) {
        match self {
            Self::Movement(own) => (moves_key(client), format!("{}#{}#{}", moment(own.at), own.payment_id, own.kind)),
            Self::Login(id, login) => (logins_key(client), format!("{}#{id}", moment(login.at))),
        }
    }

    fn state(&self) -> Result<String, serde_json::Error> {
        match self {
            Self::Movement(movement) => serde_json::to_string(movement),
            Self::Login(_, login) => serde_json::to_string(login),
        }
    }
}

impl TradesTable {
    /// Whether something is noted: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_noted(&self, client: &ClientId, note: Note<'_>) -> Result<bool, StoreError> {
        let (key, sort) = note.place(client);
        Ok(self.0.get(&key, &sort, true).await?.is_some())
    }

    /// What is noted of a payment, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn movements_of(&self, client: &ClientId, payment: &PaymentId) -> Result<Vec<Movement>, StoreError> {
        let all = self.span::<Movement>(moves_key(client), &(moment(Timestamp::EPOCH), "~".to_owned())).await?;
        Ok(all.into_iter().map(|(_, movement)| movement).filter(|movement| movement.payment_id == *payment).collect())
    }

    /// What a client did from a moment on: movements, log-ins and trading days.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(&self, client: &ClientId, from: Timestamp, to: Timestamp) -> Result<History, StoreError> {
        let span = (moment(from), format!("{}~", moment(to)));
        let movements = self.span::<Movement>(moves_key(client), &span).await?;
        let logins = self.span::<SeenLogin>(logins_key(client), &span).await?;
        let days = self.days(client, Day::of(from), Day::of(to)).await?;
        Ok(History {
            movements: movements.into_iter().map(|(_, movement)| movement).collect(),
            days,
            logins: logins.into_iter().map(|(_, login)| login).collect(),
            whole_from: Some(from),
        })
    }
}

impl Commit {
    /// Notes something, under the condition that it is not noted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note(&mut self, trades: &TradesTable, client: &ClientId, note: Note<'_>) -> Result<(), StoreError> {
        let (key, sort) = note.place(client);
        let body = note.state().map_err(|error| StoreError::corrupt(&key, error))?;
        let item = HashMap::from([(KEY.to_owned(), s(key)), (SORT.to_owned(), s(sort)), (STATE.to_owned(), s(body))]);
        self.put(&trades.0, item, None, |put| put.condition_expression("attribute_not_exists(pk)"))
    }
}
