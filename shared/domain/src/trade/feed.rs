//! How far the deals of a trading server were fetched: its live accounts in turn, a part of the list at a time.

use serde::{Deserialize, Serialize};

use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InTrades, Parts, ReadError};
use crate::{Seconds, Timestamp, TradeFeedId};

/// Whoever fetches a part has so long before another one goes on in his place; longer than an invocation takes.
pub const LEASE: Seconds = Seconds(240);

/// How often the accounts of a server are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pace {
    /// While there is something new.
    pub every: Seconds,
    /// At the longest, while there is nothing.
    pub when_quiet: Seconds,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedFacts {
    /// Whose queue fetches it.
    pub platform: String,
    /// The server.
    pub server: String,
    /// How often all accounts were gone through.
    pub rounds: u64,
    /// When this round was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// Whether this round has brought anything new.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub news: bool,
    /// Rounds in a row that brought nothing new.
    #[serde(default)]
    pub quiet: u32,
    /// Where the list of accounts goes on; none at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The deals of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeFeed {
    /// Derived from the server.
    pub id: TradeFeedId,
    /// When it is gone on with.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: FeedFacts,
}

impl TradeFeed {
    /// Of a server of which nothing was fetched.
    pub fn begun(platform: &str, server: &str) -> Self {
        let facts = FeedFacts {
            platform: platform.to_owned(),
            server: server.to_owned(),
            rounds: 0,
            began_at: None,
            news: false,
            quiet: 0,
            cursor: None,
        };
        Self { id: Self::id_of(server), due: None, facts }
    }

    /// The id of a server's feed.
    pub fn id_of(server: &str) -> TradeFeedId {
        TradeFeedId::from_bits(derived_bits(Timestamp::EPOCH, &["trade_feed", server]))
    }

    /// The server is there: its deals are fetched from now on.
    pub fn noticed(&self, now: Timestamp) -> Verdict<Self> {
        if self.due.is_some() {
            return Verdict::Nothing("it is known");
        }
        Verdict::change(Self { due: Some(now), ..self.clone() }, "noticed", vec![], vec![])
    }

    /// Whether somebody is to go on with it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Somebody begins with a part: nobody else does for the time that it takes.
    pub fn taken(&self, now: Timestamp) -> Verdict<Self> {
        if !self.is_due(now) {
            return Verdict::Nothing("it is not due");
        }
        let mut next = self.clone();
        next.due = Some(now.plus(LEASE));
        next.facts.began_at = self.facts.began_at.or(Some(now));
        Verdict::change(next, "taken", vec![], vec![])
    }

    /// A part was fetched, and brought something new or not. The next one follows at once; after the last a new round begins, later each time
    /// that one brought nothing.
    pub fn goes_on(&self, cursor: Option<String>, news: bool, pace: Pace, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        next.facts.news |= news;
        if cursor.is_some() {
            next.due = Some(now);
        } else {
            let began = self.facts.began_at.unwrap_or(now);
            next.facts.quiet = if next.facts.news { 0 } else { self.facts.quiet.saturating_add(1) };
            next.facts.news = false;
            let wait = pace.every.doubled(next.facts.quiet, pace.when_quiet);
            next.due = Some(began.plus(wait).max(now.plus(Seconds(1))));
            next.facts.rounds = self.facts.rounds.saturating_add(1);
            next.facts.began_at = None;
        }
        next.facts.cursor = cursor;
        Verdict::change(next, "went_on", vec![], vec![])
    }
}

impl Entity for TradeFeed {
    type Id = TradeFeedId;
    type Table = InTrades;
    type Public = FeedFacts;
    type Private = ();
    const KIND: &'static str = "trade_feed";
    const TIMED: bool = true;
    const ROUTED_BY: Option<&'static str> = Some("platform");

    fn id(&self) -> &TradeFeedId {
        &self.id
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &FeedFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, due: parts.due, facts: parts.public })
    }
}
