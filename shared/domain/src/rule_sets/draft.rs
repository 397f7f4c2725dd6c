//! Drafts of rule sets, and versions: who wrote what, who let it go live, from when on it holds.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::SetName;
use crate::decision::{Decision, Verdict};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::four_eyes::person;
use crate::named_id::named_id;
use crate::words::words;
use crate::{Seconds, Timestamp};

/// Farthest that a version may be scheduled ahead.
pub const AHEAD_MAX: Seconds = Seconds(366 * 86_400);

named_id! {
    /// A draft: `rul_`, the set's name, `-` and the version that it is to be.
    RuleDraftId = "rul_";
}

impl RuleDraftId {
    /// The draft of a version.
    pub fn of_version(set: SetName, version: u64) -> Self {
        Self::of(&format!("{set}-{version}"))
    }
}

words! {
    /// What became of a draft.
    DraftStatus {
        /// Waits for another person to publish it.
        Draft = "draft",
        /// Is a version.
        Published = "published",
    }
}

/// The public part: all but the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftFacts {
    /// The set's name.
    pub set: String,
    /// The version that it is to be, or is.
    pub version: u64,
    /// Status.
    pub status: DraftStatus,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub drafted_at: Timestamp,
    /// SHA-256 of the text, hexadecimal.
    pub hash: String,
    /// The version that was live when it was written, for whoever asks what it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<u64>,
    /// Why, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<String>,
    /// From when on it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
}

/// What stays in the item: too long for an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftText {
    /// The document as it was written, comments and all.
    pub source: String,
}

/// A draft of a rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDraft {
    /// Its id.
    pub id: RuleDraftId,
    /// What events carry.
    pub facts: DraftFacts,
    /// What does not.
    pub text: DraftText,
}

/// What somebody wrote.
#[derive(Debug)]
pub struct NewDraft<'a> {
    /// The set.
    pub set: SetName,
    /// The version that it is to be.
    pub version: u64,
    /// Who.
    pub author: &'a str,
    /// The text.
    pub source: &'a str,
    /// The version that is live.
    pub based_on: Option<u64>,
    /// Why.
    pub reason: Option<&'a str>,
    /// The moment.
    pub now: Timestamp,
}

/// Why a draft is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// Nobody publishes what he wrote.
    #[error("you wrote this draft yourself: another person must publish it")]
    OwnDraft,
    /// It is a version already.
    #[error("it was published by {by}, effective {effective_at}")]
    Published {
        /// Who published it.
        by: String,
        /// From when on it holds.
        effective_at: Timestamp,
    },
    /// A version holds from its publication on, never from before.
    #[error("must not lie in the past")]
    Past,
    /// Too far ahead.
    #[error("must be at most {} days ahead", AHEAD_MAX.0 / 86_400)]
    TooFarAhead,
}

impl RuleDraft {
    /// A draft that was read without a fault.
    pub fn drafted(new: &NewDraft<'_>) -> Decision<Self> {
        let facts = DraftFacts {
            set: new.set.as_str().to_owned(),
            version: new.version,
            status: DraftStatus::Draft,
            author: new.author.to_owned(),
            drafted_at: new.now,
            hash: hash(new.source),
            based_on: new.based_on,
            reason: new.reason.map(str::to_owned),
            published_by: None,
            effective_at: None,
        };
        let mut why = vec![format!("{} drafted version {} of {}", new.author, new.version, new.set)];
        why.extend(new.reason.map(|reason| format!("reason: {reason}")));
        let id = RuleDraftId::of_version(new.set, new.version);
        let text = DraftText { source: new.source.to_owned() };
        Decision::new(Self { id, facts, text }, "drafted", vec![], why)
    }

    /// Whether this is what an author sends once more.
    pub fn is_again(&self, author: &str, source: &str) -> bool {
        self.facts.status == DraftStatus::Draft && self.facts.author == author && self.facts.hash == hash(source)
    }

    /// Somebody publishes it: at once, or from a moment on.
    ///
    /// # Errors
    /// [`PublishRefusal`].
    pub fn published(
        &self,
        by: &str,
        effective_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, PublishRefusal> {
        if let (Some(publisher), Some(since)) = (&self.facts.published_by, self.facts.effective_at) {
            let again = person(publisher) == person(by) && effective_at.is_none_or(|at| at == since);
            let refusal = PublishRefusal::Published { by: publisher.clone(), effective_at: since };
            return if again { Ok(Verdict::Nothing("it is published")) } else { Err(refusal) };
        }
        if person(by) == person(&self.facts.author) {
            return Err(PublishRefusal::OwnDraft);
        }
        let from = effective_at.unwrap_or(now);
        if from < now {
            return Err(PublishRefusal::Past);
        }
        if from > now.plus(AHEAD_MAX) {
            return Err(PublishRefusal::TooFarAhead);
        }
        let mut next = self.clone();
        next.facts.status = DraftStatus::Published;
        next.facts.published_by = Some(by.to_owned());
        next.facts.effective_at = Some(from);
        let why = vec![format!(
            "{by} published version {} of {}, which {} wrote, effective {from}",
            self.facts.version, self.facts.set, self.facts.author
        )];
        let decision = Decision::new(next, "published", vec!["rules.published"], why).approved_by(by);
        Ok(Verdict::Change(Box::new(decision)))
    }
}

fn hash(source: &str) -> String {
    hex::encode(Sha256::digest(source.as_bytes()))
}

impl Entity for RuleDraft {
    type Id = RuleDraftId;
    type Table = InCrm;
    type Public = DraftFacts;
    type Private = DraftText;
    const KIND: &'static str = "rule_draft";

    fn id(&self) -> &RuleDraftId {
        &self.id
    }

    fn proposed_by(&self) -> Option<String> {
        (self.facts.status == DraftStatus::Draft).then(|| person(&self.facts.author))
    }

    fn public(&self) -> &DraftFacts {
        &self.facts
    }

    fn private(&self) -> &DraftText {
        &self.text
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { id: parts.id, facts: parts.public, text: parts.private })
    }
}

words! {
    /// What a version is.
    Standing {
        /// Waits for another person to publish it.
        Draft = "draft",
        /// Holds from a moment ahead on.
        Scheduled = "scheduled",
        /// Holds.
        Live = "live",
        /// Does not hold any more, or never will: a newer version came first.
        Retired = "retired",
    }
}

/// What the published versions are, given by number and by when each begins to hold. The newest whose time has come is live: what is
/// older than it is retired, and so is what is scheduled for when a newer one holds already.
pub fn standings(versions: &[(u64, Timestamp)], now: Timestamp) -> Vec<(u64, Standing)> {
    versions
        .iter()
        .map(|(version, from)| {
            let newer = versions.iter().filter(|(other, _)| other > version).map(|(_, from)| *from).min();
            let standing = match (*from <= now, newer) {
                (true, Some(newer)) if newer <= now => Standing::Retired,
                (true, _) => Standing::Live,
                (false, Some(newer)) if newer <= *from => Standing::Retired,
                (false, _) => Standing::Scheduled,
            };
            (*version, standing)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).unwrap()
    }

    fn draft() -> RuleDraft {
        let new = NewDraft {
            set: SetName::Psps,
            version: 4,
            author: "ana.k",
            source: "psps: []\n",
            based_on: Some(3),
            reason: Some("a new provider"),
            now: at(100),
        };
        RuleDraft::drafted(&new).next
    }

    #[test]
    fn another_person_publishes_and_nobody_his_own() {
        let draft = draft();
        assert_eq!((draft.id.as_str(), draft.proposed_by().as_deref()), ("rul_psps-4", Some("ana.k")));
        for own in ["ana.k", "Ana.K", " ana.k"] {
            assert_eq!(draft.published(own, None, at(200)), Err(PublishRefusal::OwnDraft));
        }
        assert_eq!(draft.published("ben.l", Some(at(199)), at(200)), Err(PublishRefusal::Past));
        let far = at(200).plus(Seconds(AHEAD_MAX.0 + 1));
        assert_eq!(draft.published("ben.l", Some(far), at(200)), Err(PublishRefusal::TooFarAhead));
        let Ok(Verdict::Change(decision)) = draft.published("ben.l", Some(at(300)), at(200)) else { panic!() };
        assert_eq!(decision.approver.as_deref(), Some("ben.l"));
        let published = decision.next;
        assert_eq!((published.facts.effective_at, published.proposed_by()), (Some(at(300)), None));
        assert!(matches!(published.published("ben.l", Some(at(300)), at(400)), Ok(Verdict::Nothing(_))));
        assert!(matches!(published.published("ben.l", None, at(400)), Ok(Verdict::Nothing(_))));
        let again = published.published("cem.o", None, at(400)).unwrap_err();
        assert_eq!(again, PublishRefusal::Published { by: "ben.l".to_owned(), effective_at: at(300) });
    }

    #[test]
    fn the_same_text_of_the_same_author_is_one_draft() {
        let draft = draft();
        assert!(draft.is_again("ana.k", "psps: []\n"));
        assert!(!draft.is_again("ben.l", "psps: []\n") && !draft.is_again("ana.k", "psps: [] \n"));
    }

    #[test]
    fn what_is_scheduled_for_when_a_newer_one_holds_never_holds() {
        let versions = [(1, at(10)), (2, at(20)), (3, at(90)), (4, at(30)), (5, at(60))];
        use Standing::{Live, Retired, Scheduled};
        let shown: Vec<_> = standings(&versions, at(50)).into_iter().map(|(_, standing)| standing).collect();
        assert_eq!(shown, [Retired, Retired, Retired, Live, Scheduled]);
    }

    proptest! {
        #[test]
        fn one_is_live_and_it_is_the_newest_whose_time_has_come(froms in proptest::collection::vec(0_i64..100, 1..8), now in 0_i64..100) {
            let versions: Vec<_> = (1..).zip(froms.iter().map(|from| at(*from))).collect();
            let live: Vec<_> = standings(&versions, at(now)).into_iter().filter(|(_, own)| *own == Standing::Live).collect();
            let newest = versions.iter().filter(|(_, from)| *from <= at(now)).map(|(version, _)| *version).max();
            prop_assert_eq!(live.iter().map(|(version, _)| *version).collect::<Vec<_>>(), newest.into_iter().collect::<Vec<_>>());
        }
    }
}
