//! Accounts on a trading server held against ours, both ways: what is there and not here, here and not there, or set to something else.
//!
//! A server is looked at a page at a time; [`ServerSweep`] keeps where. What is found about a login is a [`Finding`], with a work item of
//! its own that closes itself once it is no longer so. Nothing is concluded from a list that is not whole: what cannot be read is
//! looked at again.

use serde::{Deserialize, Serialize};

use super::{Account, AccountStatus};
use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::work::OpenItem;
use crate::work::rules::WorkKind;
use crate::{AccountId, ClientId, FindingId, ServerSweepId, Timestamp};

words! {
    /// What is not as it should be.
    FindingKind {
        /// The server has an account that we have not.
        NotHere = "not_here",
        /// We have an account that the server has not.
        NotThere = "not_there",
        /// Both have it, and it is set to something else than we set.
        Differs = "differs",
    }
}

impl FindingKind {
    fn work_kind(self) -> WorkKind {
        match self {
            Self::NotHere => WorkKind::AccountNotHere,
            Self::NotThere => WorkKind::AccountNotThere,
            Self::Differs => WorkKind::AccountDiffers,
        }
    }
}

/// How one account was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// On the server's list, and not among ours.
    NotHere,
    /// On the server's list, and ours: how it is set was not looked at.
    Ours,
    /// Ours, and not on the server.
    NotThere,
    /// Ours and on the server, set otherwise; what is expected and what is there.
    Differs(Vec<String>),
    /// Ours, on the server, and as we set it.
    InOrder,
}

/// An account on a server, as far as it is held against ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnServer<'a> {
    /// Its group.
    pub group: &'a str,
    /// Its leverage, where the platform knows one.
    pub leverage: Option<u32>,
}

impl Account {
    /// Whether an account that a server lists is this one, or will turn out to be.
    pub fn is_login(&self, server: &str, login: &str) -> bool {
        let pending = match self.facts.status {
            AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown => true,
            AccountStatus::Open | AccountStatus::Failed | AccountStatus::Closed => false,
        };
        self.facts.server == server && self.facts.login.as_deref().map_or(pending, |own| own == login)
    }

    /// How the account stands on its server, whose answer for its login this is. While a change of it is under way it is in order
    /// either way.
    pub fn seen(&self, there: Option<OnServer<'_>>) -> Seen {
        let Some(there) = there else { return Seen::NotThere };
        if !self.facts.upkeep.changes.is_empty() {
            return Seen::InOrder;
        }
        let mut differs = Vec::new();
        if there.group != self.facts.group {
            differs.push(format!("group {} instead of {}", there.group, self.facts.group));
        }
        if let Some(leverage) = there.leverage.filter(|leverage| *leverage != self.facts.leverage) {
            differs.push(format!("leverage {leverage} instead of {}", self.facts.leverage));
        }
        if differs.is_empty() { Seen::InOrder } else { Seen::Differs(differs) }
    }
}

/// The public part of a finding: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingFacts {
    /// The server.
    pub server: String,
    /// The login there.
    pub login: String,
    /// Our account, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// What is not in order, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FindingKind>,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
    /// The work item that says so.
    #[serde(flatten)]
    pub open: OpenItem,
}

/// What was found about a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Derived from server and login.
    pub id: FindingId,
    /// Whose account it is, where it is one of ours.
    pub client_id: Option<ClientId>,
    /// What events carry.
    pub facts: FindingFacts,
}

impl Finding {
    /// Nothing was found yet.
    pub fn begun(server: &str, login: &str, account: Option<&Account>) -> Self {
        Self {
            id: Self::id_of(server, login),
            client_id: account.map(|account| account.client_id.clone()),
            facts: FindingFacts {
                server: server.to_owned(),
                login: login.to_owned(),
                account_id: account.map(|account| account.id.clone()),
                found: None,
                differs: Vec::new(),
                open: OpenItem::default(),
            },
        }
    }

    /// The id of what is found about a login.
    pub fn id_of(server: &str, login: &str) -> FindingId {
        FindingId::from_bits(derived_bits(Timestamp::EPOCH, &["finding", server, login]))
    }

    /// How the login was seen now. The same again opens nothing, whatever became of its item; something else opens an item of its own in
    /// the place of the one before, and what is in order closes it.
    pub fn found(&self, seen: &Seen, now: Timestamp) -> Verdict<Self> {
        let (kind, differs) = match seen {
            Seen::NotHere => (Some(FindingKind::NotHere), vec![]),
            Seen::NotThere => (Some(FindingKind::NotThere), vec![]),
            Seen::Differs(differs) => (Some(FindingKind::Differs), differs.clone()),
            // how it is set was not looked at: a difference stands
            Seen::Ours if self.facts.found == Some(FindingKind::Differs) => {
                (self.facts.found, self.facts.differs.clone())
            }
            Seen::Ours | Seen::InOrder => (None, vec![]),
        };
        if (kind, &differs) == (self.facts.found, &self.facts.differs) {
            return Verdict::Nothing("it is as it was");
        }
        let mut next = self.clone();
        next.facts.found = kind;
        next.facts.differs.clone_from(&differs);
        let events = next.facts.open.found(kind.map(|kind| (kind.work_kind(), kind.as_str())), now);
        let mut why = differs;
        why.push(match kind {
            None => "it is in order".to_owned(),
            Some(kind) => format!("login {} on {}: {kind}", self.facts.login, self.facts.server),
        });
        Verdict::change(next, if kind.is_some() { "found" } else { "in_order" }, events, why)
    }
}

/// The public part of a server's sweep: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepFacts {
    /// The server.
    pub server: String,
    /// Where its list goes on; none at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
    /// Where ours goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here: Option<String>,
}

/// Where a server's accounts are looked at next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSweep {
    /// Derived from the server's name.
    pub id: ServerSweepId,
    /// What events carry.
    pub facts: SweepFacts,
}

impl ServerSweep {
    /// From the beginning.
    pub fn begun(server: &str) -> Self {
        let id = ServerSweepId::from_bits(derived_bits(Timestamp::EPOCH, &["server_sweep", server]));
        Self { id, facts: SweepFacts { server: server.to_owned(), there: None, here: None } }
    }

    /// Goes on there next time.
    pub fn goes_on(&self, there: Option<String>, here: Option<String>) -> Verdict<Self> {
        if (&there, &here) == (&self.facts.there, &self.facts.here) {
            return Verdict::Nothing("it begins there anyhow");
        }
        let facts = SweepFacts { server: self.facts.server.clone(), there, here };
        Verdict::change(Self { facts, ..self.clone() }, "went_on", vec![], vec![])
    }
}

/// The servers in the order of one run: another one is first each time, so that a slow one does not keep the same others waiting.
pub fn in_turn<T>(servers: &[T], run: u64) -> impl Iterator<Item = &T> {
    let count = servers.len().max(1);
    let first = usize::try_from(run % u64::try_from(count).unwrap_or(1)).unwrap_or(0);
    servers.iter().cycle().skip(first).take(servers.len())
}

impl Entity for Finding {
    type Id = FindingId;
    type Table = InCrm;
    type Public = FindingFacts;
    type Private = ();
    const KIND: &'static str = "finding";

    fn id(&self) -> &FindingId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    fn public(&self) -> &FindingFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, client_id: parts.client, facts: parts.public })
    }
}

impl Entity for ServerSweep {
    type Id = ServerSweepId;
    type Table = InCrm;
    type Public = SweepFacts;
    type Private = ();
    const KIND: &'static str = "server_sweep";

    fn id(&self) -> &ServerSweepId {
        &self.id
    }

    fn public(&self) -> &SweepFacts {
        &self.facts
    }

    fn private(&self) -> &() {
        &()
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
    }

    fn change(verdict: Verdict<Finding>) -> (Finding, Vec<&'static str>) {
        match verdict {
            Verdict::Change(decision) => (decision.next, decision.events),
            Verdict::Nothing(why) => panic!("{why}"),
        }
    }

    #[test]
    fn each_finding_is_one_item_that_ends_with_it() {
        let fresh = Finding::begun("mt5-live", "7", None);
        assert!(matches!(fresh.found(&Seen::InOrder, at(0)), Verdict::Nothing(_)), "nobody's business");
        assert!(matches!(fresh.found(&Seen::Ours, at(0)), Verdict::Nothing(_)));
        let (orphan, events) = change(fresh.found(&Seen::NotHere, at(1)));
        assert_eq!(
            (events, orphan.facts.open.review.as_ref().unwrap().kind.as_str()),
            (vec!["desk.item"], "account_not_here")
        );
        assert!(matches!(orphan.found(&Seen::NotHere, at(3_600)), Verdict::Nothing(_)), "the same an hour later");
        let (ours, events) = change(orphan.found(&Seen::Ours, at(7_200)));
        assert_eq!(
            (events, ours.facts.open.settled),
            (vec!["desk.settled"], vec![orphan.facts.open.item.clone().unwrap()])
        );
        assert_eq!(fresh.id, orphan.id);
        assert_ne!(fresh.id, Finding::id_of("mt4-live", "7"));
    }

    #[test]
    fn a_list_that_says_nothing_of_settings_settles_no_difference() {
        let fresh = Finding::begun("mt5-live", "7", None);
        let (other, _) = change(fresh.found(&Seen::Differs(vec!["leverage 50 instead of 30".to_owned()]), at(1)));
        assert!(matches!(other.found(&Seen::Ours, at(2)), Verdict::Nothing(_)));
        let (again, events) = change(other.found(&Seen::Differs(vec!["leverage 99 instead of 30".to_owned()]), at(3)));
        assert_eq!(events, ["desk.item", "desk.settled"], "another difference is another item");
        assert_eq!(change(again.found(&Seen::InOrder, at(4))).1, ["desk.settled"]);
        assert_eq!(change(again.found(&Seen::NotThere, at(4))).1, ["desk.item", "desk.settled"]);
    }

    #[test]
    fn every_server_has_its_turn_to_be_first() {
        let names = ["a", "b", "c"];
        let order = |run| in_turn(&names, run).copied().collect::<String>();
        assert_eq!([0, 1, 2, 3].map(order), ["abc", "bca", "cab", "abc"]);
        assert_eq!(in_turn(&Vec::<u8>::new(), 5).count(), 0);
    }
}
