//! A MetaTrader 4 server: its registration plug-in, which speaks lines of text over TCP, and a REST bridge to its manager interface.

mod book;
mod bridge;
mod codes;
mod control;
mod transaction;
mod webreg;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::{Map, Value};

use crate::clock::{Clock, Ids};
use crate::config::Mt4Config;
use crate::control::Controlled;
use crate::courier::Courier;
use crate::desk::{Desk, lock};

use book::Book;

pub(crate) use webreg::accept;

/// The simulator.
pub(crate) struct Mt4 {
    config: Mt4Config,
    url: String,
    ids: Arc<Ids>,
    clock: Clock,
    courier: Arc<Courier>,
    desk: Desk,
    book: Mutex<Book>,
    /// What came of a key, and when in milliseconds.
    answered: Mutex<HashMap<String, (Value, i64)>>,
    /// Good tokens.
    tokens: Mutex<Vec<String>>,
    /// The server's clock minus UTC in seconds.
    offset_s: Mutex<i64>,
    tokens_made: AtomicU64,
}

impl Mt4 {
    pub(crate) fn new(config: Mt4Config, url: String, ids: Arc<Ids>, clock: Clock, courier: Arc<Courier>) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            book: Mutex::new(Book::new(&config)),
            offset_s: Mutex::new(config.server_offset_s),
            config,
            url,
            ids,
            clock,
            courier,
            answered: Mutex::default(),
            tokens: Mutex::default(),
            tokens_made: AtomicU64::new(0),
        })
    }

    /// The bridge.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        bridge::routes(self)
            .merge(control::routes(self))
            .merge(crate::control::routes(Arc::clone(self), Arc::clone(&self.courier)))
    }

    /// The server's clock in seconds since 1970, as if its local time were UTC.
    fn server_now_s(&self) -> i64 {
        self.clock.now_s() + *lock(&self.offset_s)
    }
}

impl Controlled for Mt4 {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        lock(&self.book).describe(only.and_then(|text| text.parse().ok()))
    }

    fn clear(&self) {
        let mut book = lock(&self.book);
        *book = book.emptied(&self.config);
        lock(&self.answered).clear();
        *lock(&self.offset_s) = self.config.server_offset_s;
    }
}
