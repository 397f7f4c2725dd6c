//! Versions of rule sets as staff see them.

use domain::Timestamp;
use domain::input::Fault;
use domain::rule_sets::draft::{RuleDraft, RuleDraftId, Standing, standings};
use runtime::http::Reply;
use serde_json::{Value, json};
use store::RuleVersion;

/// Newest versions that are looked at: more than may be scheduled ahead.
pub(super) const VERSIONS: i32 = 20;

/// A version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    set: String,
    version: u64,
    standing: Standing,
    author: String,
    published_by: Option<String>,
    pub(super) effective_at: Option<Timestamp>,
    based_on: Option<u64>,
    reason: Option<String>,
    /// Versions that were scheduled and will not hold.
    instead_of: Vec<u64>,
}

impl Shown {
    /// A draft that may be published.
    pub(super) fn draft(draft: &RuleDraft) -> Self {
        let facts = &draft.facts;
        Self {
            set: facts.set.clone(),
            version: facts.version,
            standing: Standing::Draft,
            author: facts.author.clone(),
            published_by: None,
            effective_at: None,
            based_on: facts.based_on,
            reason: facts.reason.clone(),
            instead_of: vec![],
        }
    }

    /// A draft that another version has overtaken cannot be published any more.
    pub(super) fn overtaken(mut self, overtaken: bool) -> Self {
        if overtaken {
            self.standing = Standing::Retired;
        }
        self
    }

    /// A published version beside the newest ones, and its draft if it had one.
    pub(super) fn version(
        version: &RuleVersion,
        newest: &[RuleVersion],
        draft: Option<&RuleDraft>,
        now: Timestamp,
    ) -> Self {
        let mut all: Vec<_> = newest.iter().map(|one| (one.version, one.effective_at)).collect();
        if newest.iter().all(|one| one.version != version.version) {
            all.push((version.version, version.effective_at));
        }
        let standing = standings(&all, now).into_iter().find(|(number, _)| *number == version.version);
        Self {
            set: version.set.clone(),
            version: version.version,
            standing: standing.map_or(Standing::Retired, |(_, standing)| standing),
            author: version.author.clone(),
            published_by: version.published_by.clone(),
            effective_at: Some(version.effective_at),
            based_on: draft.and_then(|draft| draft.facts.based_on),
            reason: draft.and_then(|draft| draft.facts.reason.clone()),
            instead_of: vec![],
        }
    }

    /// The same with those of the scheduled versions that it takes the place of.
    pub(super) fn instead_of(mut self, published: &[RuleVersion], now: Timestamp) -> Self {
        let overtaken = |one: &&RuleVersion| one.effective_at > now && Some(one.effective_at) >= self.effective_at;
        self.instead_of = published.iter().filter(overtaken).map(|one| one.version).collect();
        self
    }

    /// Where it stands in a list.
    pub(super) fn place(&self) -> (&str, u64) {
        (&self.set, self.version)
    }

    fn json(&self) -> Value {
        let mut view =
            json!({"set": self.set, "version": self.version, "status": self.standing, "author": self.author});
        let instead_of = Some(&self.instead_of).filter(|versions| !versions.is_empty());
        let optional = [
            ("published_by", json!(self.published_by)),
            ("effective_at", json!(self.effective_at)),
            ("based_on", json!(self.based_on)),
            ("reason", json!(self.reason)),
            ("instead_of", json!(instead_of)),
        ];
        for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
            view[name] = value;
        }
        view
    }

    /// Without its document.
    pub(super) fn brief(&self, status: u16) -> Reply {
        Reply::json(status, &self.json())
    }

    /// What an author is told: nothing is wrong with it.
    pub(super) fn drafted(&self) -> Reply {
        let mut view = self.json();
        view["findings"] = json!([]);
        Reply::json(201, &view)
    }

    /// With its document and what is wrong with it today.
    pub(super) fn whole(&self, source: &str, findings: &[Fault]) -> Reply {
        let mut view = self.json();
        view["document"] = json!(source);
        view["findings"] = json!(findings);
        Reply::json(200, &view)
    }
}

/// Those of the newest versions that hold or will.
pub(super) fn published(newest: &[RuleVersion], now: Timestamp) -> Vec<Shown> {
    let shown = newest.iter().map(|version| Shown::version(version, newest, None, now));
    shown.filter(|shown| shown.standing != Standing::Retired).collect()
}

/// The place in the list that a cursor stands for: it is written as a draft's id, which names set and version.
pub(super) fn place_of(cursor: &RuleDraftId) -> Option<(String, u64)> {
    let (set, version) = cursor.name().rsplit_once('-')?;
    Some((set.to_owned(), version.parse().ok()?))
}

/// A page of versions.
pub(super) fn list(mut shown: Vec<Shown>, limit: usize) -> Reply {
    let more = shown.len() > limit;
    shown.truncate(limit);
    let last = shown.last().filter(|_| more).map(|last| RuleDraftId::of(&format!("{}-{}", last.set, last.version)));
    let items: Vec<Value> = shown.iter().map(Shown::json).collect();
    Reply::json(200, &json!({"items": items, "next_cursor": last}))
}
