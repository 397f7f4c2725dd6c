//! From what is current to what is current next: fetch what is due, take over what is good, build the index, and say so last.
//!
//! Whoever dies on the way leaves files that nobody names, and what was current stays so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Timestamp;
use domain::kyc::rules::{ListRule, ScreeningRules};
use domain::kyc::watch_list::RefusedFor;
use files::{Files, FilesError};
use providers::http::Transport;
use screening::index::{ListInfo, build, edition};
use screening::lists::delta::Delta;
use screening::lists::weak;

use super::current::{Built, CURRENT, Changes, Current, ListState, Refused, Taken};
use super::fetch::{FETCH_TIMEOUT, LIST_BYTES_MAX, fetch};
use super::index::{ListsError, read_current};
use super::version::{Version, hash, is_ungraded};

/// Times that a refresh of one list is begun anew because somebody else made others current meanwhile.
const ATTEMPTS: u32 = 4;

/// Why a version is not taken over.
type Refusal = (Option<RefusedFor>, String);

/// Which lists are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// Those whose time it is, and those that were refused.
    Due,
    /// All of them.
    All,
    /// This one.
    One(&'a str),
}

/// How long a run may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// When it must have ended.
    pub(crate) until: Instant,
    /// Longest that a source may take.
    pub(crate) fetch: Duration,
    /// Time that reading the lists, building the index and writing it may take.
    pub(crate) spare: Duration,
}

impl Pace {
    /// Of a run that nobody waits for: sources of 100 MB are waited for.
    pub(crate) fn unhurried(until: Instant) -> Self {
        Self { until, fetch: FETCH_TIMEOUT, spare: Duration::from_secs(120) }
    }

    /// Of a run that somebody waits for: what takes longer is refused, and asked for again within the hour.
    pub(crate) fn while_waited_for(until: Instant) -> Self {
        Self { until, fetch: Duration::from_secs(15), spare: Duration::from_secs(8) }
    }
}

/// Where lists come from and go to.
pub(super) struct Refresh<'a> {
    pub(super) files: &'a Files,
    pub(super) transport: &'a Arc<dyn Transport>,
    pub(super) rules: &'a ScreeningRules,
    pub(super) now: Timestamp,
    /// How long it may take.
    pub(super) pace: Pace,
    /// Versions that were read, by list: each is needed at most once more.
    pub(super) read: BTreeMap<String, Version>,
}

impl Refresh<'_> {
    /// Fetches what is wanted and makes it current.
    ///
    /// # Errors
    /// The bucket. What was current stays so.
    pub(super) async fn run(&mut self, wanted: Wanted<'_>) -> Result<Current, FilesError> {
        for _ in 1..ATTEMPTS {
            let (current, stands) = self.attempt(wanted).await?;
            // a list that somebody asked for is asked for at that moment: what others fetched before may be older
            if stands || !matches!(wanted, Wanted::One(_)) {
                return Ok(current);
            }
        }
        Ok(self.attempt(wanted).await?.0)
    }

    /// What is current then, and whether it was this run that said so, or need not have.
    async fn attempt(&mut self, wanted: Wanted<'_>) -> Result<(Current, bool), FilesError> {
        let head = self.files.head(CURRENT).await?;
        let before = match read_current(self.files).await {
            Ok(found) => found.unwrap_or_default(),
            Err(ListsError::Files(error)) => return Err(error),
            Err(error) => {
                tracing::error!(error = %error, "every list is taken over anew");
                Current::default()
            }
        };
        let mut next = Current { index: before.index.clone(), lists: Vec::new() };
        let rules = self.rules;
        for list in &rules.lists {
            next.lists.push(self.list(list, before.list(&list.code), wanted).await?);
        }
        if self.is_outdated(&before, &next).await? {
            next.index = self.built(&mut next.lists).await?;
        }
        if next == before {
            return Ok((next, true));
        }
        // somebody else who was quicker knew no less
        if self.files.head(CURRENT).await? != head {
            return Ok((next, false));
        }
        let text = serde_json::to_vec(&next).map_err(|error| FilesError::Malformed(error.to_string()))?;
        self.files.put(CURRENT, "application/json", text).await?;
        Ok((next, true))
    }

    /// What becomes of one list. Whatever is wrong with it, the others go on.
    async fn list(
        &mut self,
        rule: &ListRule,
        known: Option<&ListState>,
        wanted: Wanted<'_>,
    ) -> Result<ListState, FilesError> {
        let unknown = ListState { list: rule.code.clone(), taken: None, refused: None };
        let known = known.cloned().unwrap_or(unknown);
        let is_wanted = match (wanted, &known.taken) {
            (Wanted::All, _) => true,
            (Wanted::One(code), _) => code == rule.code,
            // what was refused is asked for again each time
            (Wanted::Due, Some(taken)) => known.refused.is_some() || rule.is_to_be_fetched(taken.taken_at, self.now),
            (Wanted::Due, None) => true,
        };
        if !is_wanted {
            return Ok(known);
        }
        match self.fetched(rule, known.taken.as_ref()).await? {
            Ok(taken) => Ok(ListState { taken: Some(taken), refused: None, ..known }),
            Err((of, why)) => {
                tracing::error!(list = rule.code, why, "a list was refused; the version before it stays in use");
                Ok(ListState { refused: Some(Refused { of, why, at: self.now }), ..known })
            }
        }
    }

    /// The version that the source has, kept and counted, or why it is not taken over.
    async fn fetched(&mut self, rule: &ListRule, known: Option<&Taken>) -> Result<Result<Taken, Refusal>, FilesError> {
        // what slow sources leave no time for is asked for an hour later: the others must not wait for it
        if self.pace.until.saturating_duration_since(Instant::now()) < self.pace.spare + self.pace.fetch {
            return Ok(Err((None, "there was no time left to fetch it".to_owned())));
        }
        let bytes = match fetch(self.transport, rule, self.pace.fetch).await {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err((Some(RefusedFor::Missing), why))),
        };
        if let Some(known) = known.filter(|known| known.version.ends_with(&hash(&bytes))) {
            return Ok(Ok(Taken { taken_at: self.now, ..known.clone() }));
        }
        let version = match Version::read(rule, bytes) {
            Ok(version) => version,
            Err(why) => return Ok(Err((Some(RefusedFor::Malformed), why))),
        };
        let before = self.stored(rule, known).await?;
        if let Some(why) = version.objection(rule, before.as_ref(), self.now) {
            return Ok(Err((Some(RefusedFor::Implausible), why)));
        }
        let changes = before.map(|before| {
            let delta = Delta::between(&before.loaded.entities, &version.loaded.entities);
            Changes { added: delta.added.len(), changed: delta.changed.len(), removed: delta.removed.len() }
        });
        let name = version.name(self.now);
        let taken = Taken {
            key: format!("lists/{}/{name}", rule.code),
            version: name,
            published: version.loaded.published.clone(),
            entries: version.entries(),
            unread: version.loaded.faults.len(),
            taken_at: self.now,
            changes,
        };
        self.files.put(&taken.key, "application/octet-stream", version.bytes.clone()).await?;
        tracing::info!(
            list = rule.code,
            version = taken.version,
            entries = taken.entries,
            unread = taken.unread,
            added = changes.unwrap_or_default().added,
            changed = changes.unwrap_or_default().changed,
            removed = changes.unwrap_or_default().removed,
            "a list has a new version"
        );
        self.read.insert(rule.code.clone(), version);
        Ok(Ok(taken))
    }

    /// A version that was taken before; none if it is gone or reads no longer.
    async fn stored(&self, rule: &ListRule, taken: Option<&Taken>) -> Result<Option<Version>, FilesError> {
        let Some(taken) = taken else { return Ok(None) };
        let bytes_max = u64::try_from(LIST_BYTES_MAX).unwrap_or(u64::MAX);
        let file = self.files.get(&taken.key, bytes_max).await?;
        let read = file.map(|file| Version::read(rule, Bytes::from(file.bytes)));
        Ok(read.and_then(|read| {
            read.inspect_err(|why| tracing::error!(list = rule.code, key = taken.key, why, "a kept list does not read"))
                .ok()
        }))
    }

    /// Whether the index is not of these versions, was made by another engine, or is gone.
    async fn is_outdated(&self, before: &Current, next: &Current) -> Result<bool, FilesError> {
        let versions = |current: &Current| -> Vec<(String, Option<String>)> {
            let version = |state: &ListState| state.taken.as_ref().map(|taken| taken.version.clone());
            current.lists.iter().map(|state| (state.list.clone(), version(state))).collect()
        };
        let Some(index) = &before.index else { return Ok(true) };
        if versions(before) != versions(next) || index.edition != edition() {
            return Ok(true);
        }
        Ok(self.files.head(&index.key).await?.is_none())
    }

    /// The index of the versions that are used. A list whose kept version is lost counts as never taken: it is fetched next time, and nobody
    /// is screened without it.
    async fn built(&mut self, lists: &mut [ListState]) -> Result<Option<Built>, FilesError> {
        let (mut infos, mut entities, mut ungraded) = (Vec::new(), Vec::new(), Vec::new());
        let rules = self.rules;
        for rule in &rules.lists {
            let Some(state) = lists.iter_mut().find(|state| state.list == rule.code) else { continue };
            let Some(taken) = state.taken.clone() else { continue };
            let version = match self.read.remove(&rule.code) {
                Some(version) => Some(version),
                None => self.stored(rule, Some(&taken)).await?,
            };
            let Some(version) = version else {
                state.taken = None;
                let why = "the version that was kept is lost".to_owned();
                state.refused = Some(Refused { of: Some(RefusedFor::Missing), why, at: self.now });
                continue;
            };
            infos.push(ListInfo { code: rule.code.clone(), version: taken.version });
            entities.extend(version.loaded.entities);
            if is_ungraded(rule) {
                ungraded.push(rule.code.as_str());
            }
        }
        if infos.is_empty() {
            return Ok(None);
        }
        weak::spread(&mut entities, |entity| ungraded.contains(&entity.list.as_str()));
        let index = build(&infos, &entities);
        let (edition, version) = (edition(), index.list_version());
        let built = Built {
            key: format!("index/{edition}/{}", hash(index.as_bytes())),
            version,
            edition,
            built_at: self.now,
            entries: index.entity_count(),
        };
        self.files.put(&built.key, "application/octet-stream", index.into_bytes()).await?;
        Ok(Some(built))
    }
}
