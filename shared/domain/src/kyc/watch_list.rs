//! A list that clients are screened against, as the desk sees it: whether its last version was refused, and the work item about that.

use serde::{Deserialize, Serialize};

use crate::decision::{Verdict, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::words::words;
use crate::work::OpenItem;
use crate::work::rules::WorkKind;
use crate::{Timestamp, WatchListId};

words! {
    /// Why a list is not in order. Each is a work item of its own.
    RefusedFor {
        /// Its source does not give it.
        Missing = "missing",
        /// What its source gives is no such list, or not all of it.
        Malformed = "malformed",
        /// It is far smaller than the version before, or older.
        Implausible = "implausible",
        /// Its last good version is older than the rules allow: nobody is screened.
        Stale = "stale",
    }
}

/// The public part: all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchListFacts {
    /// Its code.
    pub list: String,
    /// Why it is not in order, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedFor>,
    /// The work item that says so.
    #[serde(flatten)]
    pub open: OpenItem,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchList {
    /// Derived from its code.
    pub id: WatchListId,
    /// What events carry.
    pub facts: WatchListFacts,
}

impl WatchList {
    /// A list of which nothing is known.
    pub fn begun(code: &str) -> Self {
        let list = code.to_owned();
        let facts = WatchListFacts { list, refused: None, open: OpenItem::default() };
        Self { id: Self::id_of(code), facts }
    }

    /// The id of the list with a code.
    pub fn id_of(code: &str) -> WatchListId {
        WatchListId::from_bits(derived_bits(Timestamp::EPOCH, &["watch_list", code]))
    }

    /// How it was found: in order, or not and why. The same again opens nothing, whatever became of the item; another reason opens its own
    /// in the place of the one before, and a list in order closes it.
    pub fn found(&self, refused: Option<(RefusedFor, &str)>, now: Timestamp) -> Verdict<Self> {
        if self.facts.refused == refused.map(|(reason, _)| reason) {
            return Verdict::Nothing("it is as it was");
        }
        let mut next = self.clone();
        next.facts.refused = refused.map(|(reason, _)| reason);
        let found = refused.as_ref().map(|(reason, _)| (WorkKind::ListRefused, reason.as_str()));
        let events = next.facts.open.found(found, now);
        let why = refused.map_or("its last version was taken over", |(_, why)| why).to_owned();
        let outcome = if refused.is_some() { "refused" } else { "in_order" };
        Verdict::change(next, outcome, events, vec![why])
    }
}

impl Entity for WatchList {
    type Id = WatchListId;
    type Table = InCrm;
    type Public = WatchListFacts;
    type Private = ();
    const KIND: &'static str = "watch_list";

    fn id(&self) -> &WatchListId {
        &self.id
    }

    fn public(&self) -> &WatchListFacts {
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
        Timestamp::from_seconds(1_795_435_200 + seconds).unwrap()
    }

    fn change(verdict: Verdict<WatchList>) -> (WatchList, Vec<&'static str>) {
        match verdict {
            Verdict::Change(decision) => (decision.next, decision.events),
            Verdict::Nothing(why) => panic!("{why}"),
        }
    }

    #[test]
    fn each_reason_is_one_item_that_ends_with_it() {
        let fresh = WatchList::begun("ofac_sdn");
        assert!(matches!(fresh.found(None, at(0)), Verdict::Nothing(_)), "a list in order is nobody's business");
        let (missing, events) = change(fresh.found(Some((RefusedFor::Missing, "answers 503")), at(1)));
        assert_eq!((events, missing.facts.open.since), (vec!["desk.item"], Some(at(1))));
        let again = missing.found(Some((RefusedFor::Missing, "answers 500")), at(3_600));
        assert!(matches!(again, Verdict::Nothing(_)), "an hour later it is the same");
        let (stale, events) = change(missing.found(Some((RefusedFor::Stale, "three days")), at(9_000)));
        assert_eq!(events, ["desk.item", "desk.settled"]);
        assert_eq!(stale.facts.open.settled, [missing.facts.open.item.clone().unwrap()]);
        let (good, events) = change(stale.found(None, at(9_999)));
        assert_eq!(events, ["desk.settled"]);
        assert!(good.facts.refused.is_none() && good.facts.open.since.is_none() && good.facts.open.review.is_none());
        // and another time is another item
        let (later, _) = change(good.found(Some((RefusedFor::Missing, "answers 503")), at(20_000)));
        assert_ne!(later.facts.open.item, missing.facts.open.item);
    }
}
