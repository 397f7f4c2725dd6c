//! What the lists say about one client after he was approved, and what people decided about it.
//!
//! A client and an entry of a list that may be him are a pair. What people decide about a pair holds until either side says something else
//! that the decision depends on; then it is raised again. A pair whose entry was taken off its list ends, and says so.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decision::Verdict;
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::kyc::KycCase;
use crate::kyc::case::Hit;
use crate::words::words;
use crate::work::rules::{WorkAction, WorkKind};
use crate::work::{HumanDecision, OpenItem};
use crate::{ClientId, ClientScreeningId, Redacted, Seconds, Timestamp};

/// Pairs that a client has at most, those of sanctions lists first: with so many a person decides whatever the rest are.
const PAIRS_MAX: usize = 50;

words! {
    /// Where a pair stands.
    PairState {
        /// A person is asked.
        Open = "open",
        /// The client's case has it: whoever decides or decided that knew of it.
        WithCase = "with_case",
        /// Not the client, or somebody whom the house takes.
        Cleared = "cleared",
        /// The client is the listed party.
        Confirmed = "confirmed",
        /// The client was asked for documents; it is raised again when he had time to send them.
        Asked = "asked",
    }
}

/// Who decided about a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairDecision {
    /// Who.
    pub by: String,
    /// Who approved it, where two people decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// An entry that may be the client. What the entry says is in [`Hit::entry`], as a fingerprint, as it was when this state began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Who, on which list, and how alike.
    #[serde(flatten)]
    pub hit: Hit,
    /// The version of the list in which it was found so.
    pub list_version: String,
    /// Where it stands.
    pub state: PairState,
    /// Since when.
    pub since: Timestamp,
    /// The decision, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<PairDecision>,
}

/// A pair that is none any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which list.
    pub list: String,
    /// Who, on the list.
    pub entity_id: String,
    /// Where it stood.
    pub was: PairState,
    /// Why: `taken_off`, `unlike`, `merged` or `not_asked`.
    pub why: String,
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientScreeningFacts {
    /// The versions of the lists of which this says something.
    pub list_version: String,
    /// The entries that may be the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// What this version raises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Pair>,
    /// What this version ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Ended>,
    /// The work item about the open pairs.
    #[serde(flatten)]
    pub open: OpenItem,
}

/// The private part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientScreeningPrivate {
    /// What was screened of the client last, as a fingerprint, which is made of his name.
    #[serde(default)]
    pub screened_as: String,
    /// Why a pair is one, by `list/entry`: it names the client.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub why: BTreeMap<String, Redacted<String>>,
}

/// The screening of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientScreening {
    /// The client's with another prefix.
    pub id: ClientScreeningId,
    /// Whose it is.
    pub client_id: ClientId,
    /// When pairs about which documents were asked for are raised again.
    pub due: Option<Timestamp>,
    /// What events carry.
    pub facts: ClientScreeningFacts,
    /// What stays.
    pub inner: ClientScreeningPrivate,
}

/// An entry that a screening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub hit: Hit,
    /// The version of its list.
    pub list_version: String,
    /// The reasons, which may name the client.
    pub why: Redacted<String>,
    /// Identifiers that it had before entries were merged.
    pub former: Vec<String>,
}

/// What became of an entry of a pair that was not found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It has not changed and was not compared: the pair stays.
    Unasked,
    /// It is listed and is no longer like the client.
    Unlike,
    /// It was taken off its list.
    TakenOff,
    /// It was merged into one that is not like the client.
    Merged,
    /// Its list is not used any more.
    NotAsked,
}

impl Became {
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Unasked => None,
            Self::Unlike => Some("unlike"),
            Self::TakenOff => Some("taken_off"),
            Self::Merged => Some("merged"),
            Self::NotAsked => Some("not_asked"),
        }
    }
}

/// What a screening of a client came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescreened {
    /// The versions of the lists.
    pub list_version: String,
    /// What was screened of the client, as a fingerprint.
    pub client: String,
    /// The entries that may be the client, of all or of those that have changed.
    pub found: Vec<Found>,
    /// What became of the entries of known pairs that are not among them, by list and identifier; what is not said has not changed.
    pub became: BTreeMap<(String, String), Became>,
}

impl ClientScreening {
    /// A client of whom nothing is known yet.
    pub fn begun(client_id: &ClientId) -> Self {
        Self {
            id: ClientScreeningId::of(client_id),
            client_id: client_id.clone(),
            due: None,
            facts: ClientScreeningFacts::default(),
            inner: ClientScreeningPrivate::default(),
        }
    }

    /// Whether he was screened as he is now: then only what changed on the lists is to be compared.
    pub fn is_as(&self, client: &str) -> bool {
        !self.inner.screened_as.is_empty() && self.inner.screened_as == client
    }

    /// Takes what a screening came to. `case` is the client's case, whose hits and clearances are known already.
    pub fn rescreened(&self, seen: &Rescreened, case: Option<&KycCase>, now: Timestamp) -> Verdict<Self> {
        let mut next = self.onward();
        let is_same_client = self.is_as(&seen.client);
        let (mut pairs, mut why, mut continued) = (Vec::new(), Vec::new(), Vec::new());
        for found in &seen.found {
            let known = self.pair_of(found);
            continued.extend(known.map(|pair| pair.hit.clone()));
            let (pair, told) = judged(found, known, is_same_client, &seen.client, case, now);
            if pair.state == PairState::Open && known.is_none_or(|known| known.state != PairState::Open) {
                next.facts.raised.push(pair.clone());
            }
            why.extend(told);
            next.inner.why.insert(key(&pair.hit), found.why.clone());
            pairs.push(pair);
        }
        for known in self.facts.pairs.iter().filter(|known| !continued.contains(&known.hit)) {
            let at = (known.hit.list.clone(), known.hit.entity_id.clone());
            match seen.became.get(&at).copied().unwrap_or(Became::Unasked).word() {
                None => pairs.push(known.clone()),
                Some(word) => {
                    why.insert(0, ending(known, word, &seen.list_version));
                    next.facts.ended.push(Ended {
                        list: at.0,
                        entity_id: at.1,
                        was: known.state,
                        why: word.to_owned(),
                    });
                }
            }
        }
        pairs.sort_by_key(|pair| (pair.hit.of, key(&pair.hit)));
        pairs.truncate(PAIRS_MAX);
        next.inner.why.retain(|kept, _| pairs.iter().any(|pair| key(&pair.hit) == *kept));
        next.facts.pairs = pairs;
        if is_same_client && next.facts.pairs == self.facts.pairs && next.facts.ended.is_empty() {
            return Verdict::Nothing("nothing has changed");
        }
        next.inner.screened_as.clone_from(&seen.client);
        next.facts.list_version.clone_from(&seen.list_version);
        next.told(why, now)
    }

    /// Carries out what a person decided about the open pairs.
    pub fn decided(&self, decision: &HumanDecision, ask_again_after: Seconds, now: Timestamp) -> Verdict<Self> {
        let item = self.facts.open.item.as_ref();
        let about = |kind: &str, trigger: &str| decision.kind == kind && decision.trigger.as_deref() == Some(trigger);
        if !item.is_some_and(|item| about(&item.kind, &item.trigger)) {
            return Verdict::Nothing("it is not what the client's screening waits for");
        }
        let mut next = self.onward();
        let state = match decision.action() {
            Some(WorkAction::Approve) => PairState::Cleared,
            Some(WorkAction::Reject) => PairState::Confirmed,
            Some(WorkAction::RequestDocuments) => PairState::Asked,
            // it was closed without a decision: a person is asked anew
            _ => {
                let mut events = next.facts.open.found(Some((WorkKind::KycHit, "undecided")), now);
                events.retain(|event| *event != "desk.settled");
                next.facts.open.settled.clear();
                return Verdict::change(next, "asked_again", events, vec![decision.why()]);
            }
        };
        let by = PairDecision { by: decision.by.clone(), approved_by: decision.approved_by.clone(), at: decision.at };
        for pair in next.facts.pairs.iter_mut().filter(|pair| pair.state == PairState::Open) {
            (pair.state, pair.since, pair.decided) = (state, now, Some(by.clone()));
        }
        next.facts.open = OpenItem::default();
        next.due = next.has(PairState::Asked).then(|| now.plus(ask_again_after));
        Verdict::change(next, state.as_str(), vec!["screening.decided"], vec![decision.why()])
    }

    /// The client had time to send what he was asked for: a person decides with what is there.
    pub fn came_due(&self, now: Timestamp) -> Verdict<Self> {
        if self.due.is_none_or(|due| due > now) {
            return Verdict::Nothing("it is not due");
        }
        let mut next = self.onward();
        next.due = None;
        for pair in next.facts.pairs.iter_mut().filter(|pair| pair.state == PairState::Asked) {
            (pair.state, pair.since) = (PairState::Open, now);
            next.facts.raised.push(pair.clone());
        }
        next.told(vec!["documents were asked for, and the time for them is over".to_owned()], now)
    }

    fn onward(&self) -> Self {
        let mut next = self.clone();
        next.facts.raised.clear();
        next.facts.ended.clear();
        next.facts.open.settled.clear();
        next
    }

    fn has(&self, state: PairState) -> bool {
        self.facts.pairs.iter().any(|pair| pair.state == state)
    }

    /// The pair of an entry, also by an identifier that it had before.
    fn pair_of(&self, found: &Found) -> Option<&Pair> {
        let of =
            |id: &str| self.facts.pairs.iter().find(|pair| pair.hit.list == found.hit.list && pair.hit.entity_id == id);
        of(&found.hit.entity_id).or_else(|| found.former.iter().find_map(|id| of(id)))
    }

    /// The change, with what the desk is told: what is raised is a work item, in the place of the one before; one about which nothing
    /// is open any more closes itself.
    fn told(mut self, mut why: Vec<String>, now: Timestamp) -> Verdict<Self> {
        let mut events = Vec::new();
        if !self.facts.raised.is_empty() {
            events.push("screening.hit");
        }
        if !self.facts.ended.is_empty() {
            events.push("screening.ended");
        }
        let outcome = match events.first() {
            Some(&"screening.hit") => "hit",
            Some(_) => "ended",
            None => "screened",
        };
        if !self.facts.raised.is_empty() {
            if self.facts.open.item.is_some() {
                why.insert(0, "more entries may be the client: a newer item is about all of them".to_owned());
            }
            let first = self.facts.raised.first().map(|pair| key(&pair.hit)).unwrap_or_default();
            events.extend(self.facts.open.found(Some((WorkKind::KycHit, &first)), now));
        } else if self.facts.open.item.is_some() && !self.has(PairState::Open) {
            events.extend(self.facts.open.found(None, now));
        }
        if !self.has(PairState::Asked) {
            self.due = None;
        }
        Verdict::change(self, outcome, events, why)
    }
}

/// What a pair is called.
fn key(hit: &Hit) -> String {
    format!("{}/{}", hit.list, hit.entity_id)
}

fn ending(pair: &Pair, word: &str, list_version: &str) -> String {
    let (list, entry) = (&pair.hit.list, &pair.hit.entity_id);
    let what = match word {
        "taken_off" => "was taken off its list",
        "merged" => "was merged into an entry that is not like the client",
        "not_asked" => "is on a list that is not used any more",
        _ => "is no longer like the client",
    };
    format!("{list} {entry} {what}, so the hit of {} ({}) ends; lists {list_version}", pair.since, pair.state)
}

/// A pair as it stands now, and what is to be said of it.
fn judged(
    found: &Found,
    known: Option<&Pair>,
    is_same_client: bool,
    client: &str,
    case: Option<&KycCase>,
    now: Timestamp,
) -> (Pair, Option<String>) {
    let fresh = |state: PairState| Pair {
        hit: found.hit.clone(),
        list_version: found.list_version.clone(),
        state,
        since: now,
        decided: None,
    };
    let raised = |why: String| (fresh(PairState::Open), Some(why));
    let hit = &found.hit;
    let alike = format!("{} {} score {}, date of birth {}", hit.list, hit.entity_id, hit.score, hit.date_of_birth);
    if let Some(known) = known {
        let stays = is_same_client && known.hit.entry == hit.entry;
        match known.state {
            // whoever looks at it sees it as it is now
            PairState::Open | PairState::Confirmed => {
                let (list_version, hit) = (found.list_version.clone(), hit.clone());
                let is_same = known.hit == hit;
                let own = Pair { hit, list_version, ..known.clone() };
                return (if is_same { known.clone() } else { own }, None);
            }
            PairState::Cleared | PairState::Asked | PairState::WithCase if stays => {
                return (Pair { hit: hit.clone(), ..known.clone() }, None);
            }
            PairState::Cleared | PairState::Asked => {
                let side = if is_same_client { "the entry" } else { "the client" };
                return raised(format!(
                    "{alike}; it was {} on {}, and {side} says something else now",
                    known.state, known.since
                ));
            }
            PairState::WithCase => {}
        }
    }
    let ids = std::iter::once(&hit.entity_id).chain(&found.former);
    let cleared = ids.clone().find_map(|id| case?.clearance_of(&Hit { entity_id: id.clone(), ..hit.clone() }, client));
    if let Some(clearance) = cleared {
        return (fresh(PairState::Cleared), Some(clearance.why()));
    }
    let is_of_case =
        |case: &KycCase| {
            case.inner.screened_as.as_deref() == Some(client)
                && case.facts.screening.hits.iter().any(|own| {
                    own.list == hit.list && ids.clone().any(|id| *id == own.entity_id) && own.entry == hit.entry
                })
        };
    if case.is_some_and(is_of_case) {
        return (fresh(PairState::WithCase), Some(format!("{alike}; the client's case has it")));
    }
    raised(alike)
}

impl Entity for ClientScreening {
    type Id = ClientScreeningId;
    type Table = InCrm;
    type Public = ClientScreeningFacts;
    type Private = ClientScreeningPrivate;
    const KIND: &'static str = "screening";
    const TIMED: bool = true;

    fn id(&self) -> &ClientScreeningId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }

    fn public(&self) -> &ClientScreeningFacts {
        &self.facts
    }

    fn private(&self) -> &ClientScreeningPrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, due: parts.due, facts: parts.public, inner: parts.private })
    }
}
