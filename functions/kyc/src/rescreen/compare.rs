//! One client against the lists, or against what changed on them. Nothing here reads or writes anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::client::Client;
use domain::kyc::rescreening::{Became, ClientScreening, Found, Rescreened, Target};
use domain::kyc::rules::ScreeningRules;
use domain::kyc::{KycCase, KycStatus, ScreeningState};
use runtime::StepError;
use screening::index::{Changes, EmptyList, Index, Standing};
use screening::matching::query::Query;
use screening::matching::screener::Screener;

use crate::lists::index::{ListsError, Loaded};
use crate::lists::search::{Match, comparable, search_with};
use crate::screen::{fingerprint, hit, queries};

/// What a run compares with.
pub(super) struct Against {
    target: Target,
    base: Option<Target>,
    index: Arc<Loaded>,
    /// What changed since the last whole run; none where that is not known, and everything is compared.
    changes: Option<Changes>,
    /// The version of each list.
    versions: BTreeMap<String, String>,
}

/// Why nothing can be compared.
pub(super) enum Unusable {
    /// Now; the message comes again.
    Later(StepError),
    /// A list has nobody on it any more.
    Empty(EmptyList),
    /// The index cannot be read.
    Index(String),
}

impl From<ListsError> for Unusable {
    fn from(error: ListsError) -> Self {
        match error {
            ListsError::Files(error) => Self::Later(error.into()),
            error => Self::Index(error.to_string()),
        }
    }
}

impl From<EmptyList> for Unusable {
    fn from(error: EmptyList) -> Self {
        Self::Empty(error)
    }
}

impl Against {
    /// An index, and the one of the last whole run.
    ///
    /// # Errors
    /// [`EmptyList`].
    pub(super) fn new(
        target: &Target,
        base: Option<&Target>,
        index: Arc<Loaded>,
        before: Option<&Loaded>,
    ) -> Result<Self, EmptyList> {
        let changes = before.map(|before| Changes::between(&before.index, &index.index)).transpose()?;
        let versions = index.version.split(' ').filter_map(|list| list.split_once('@'));
        let versions = versions.map(|(list, version)| (list.to_owned(), version.to_owned())).collect();
        Ok(Self { target: target.clone(), base: base.cloned(), index, changes, versions })
    }

    /// Whether it is what a run compares with.
    pub(super) fn is_of(&self, target: &Target, base: Option<&Target>) -> bool {
        self.target == *target && self.base.as_ref() == base
    }
}

/// What a client's comparison came to.
pub(super) enum Compared {
    /// The rules do not ask for it, by where his case stands.
    LeftOut,
    /// His name has nothing that can be compared, or too much.
    NotComparable,
    /// He was compared.
    Done {
        /// With what.
        seen: Rescreened,
        /// Against everything.
        in_full: bool,
    },
}

/// Whether a client's first screening is yet to come, or is tried again: his case does that, with the lists of that moment, and the run
/// after it is the first that knows him.
fn is_yet_to_be_screened(case: &KycCase) -> bool {
    let unscreened = match case.facts.screening.state {
        ScreeningState::Pending | ScreeningState::Failed => true,
        ScreeningState::Clear | ScreeningState::Hits => false,
    };
    case.facts.status == KycStatus::Verifying && unscreened
}

/// Who compares, with what is kept from one client to the next.
pub(super) struct Screeners<'a> {
    against: &'a Against,
    rules: &'a ScreeningRules,
    full: Screener<'a>,
    changed: Screener<'a>,
}

impl<'a> Screeners<'a> {
    /// With nobody compared yet.
    pub(super) fn new(against: &'a Against, rules: &'a ScreeningRules) -> Self {
        let index: &'a Index = &against.index.index;
        let (full, mut changed) = (Screener::new(index), Screener::new(index));
        if let Some(changes) = &against.changes {
            changed.restrict(&changes.to_screen);
        }
        Self { against, rules, full, changed }
    }

    /// Compares a client: with everything where he is not as he was when he was screened last, else with what changed.
    pub(super) fn compare(
        &mut self,
        client: &Client,
        case: Option<&KycCase>,
        before: Option<&ClientScreening>,
    ) -> Compared {
        let Some(case) = case.filter(|case| self.rules.rescreen.of.contains(&case.facts.status)) else {
            return Compared::LeftOut;
        };
        if before.is_none() && is_yet_to_be_screened(case) {
            return Compared::LeftOut;
        }
        let queries = queries(client, case.inner.extracted.as_ref());
        let own = fingerprint(&queries);
        let changes = self.against.changes.as_ref().filter(|_| before.is_some_and(|before| before.is_as(&own)));
        let Ok(matches) = self.matches(&queries, changes) else { return Compared::NotComparable };
        let found: Vec<Found> = matches.into_iter().map(|found| self.found(found)).collect();
        let became = before.map(|before| self.became(before, &found, changes)).unwrap_or_default();
        let list_version = self.against.index.version.clone();
        Compared::Done { seen: Rescreened { list_version, client: own, found, became }, in_full: changes.is_none() }
    }

    fn matches(
        &mut self,
        queries: &[Query],
        changes: Option<&Changes>,
    ) -> Result<Vec<Match>, crate::lists::search::NameError> {
        let screener = match changes {
            None => &mut self.full,
            Some(changes) if changes.to_screen.is_empty() => {
                queries.iter().try_for_each(comparable)?;
                return Ok(Vec::new());
            }
            Some(_) => &mut self.changed,
        };
        search_with(screener, self.rules, |list| list.threshold_daily, queries)
    }

    fn found(&self, found: Match) -> Found {
        let former = found.hit.former.clone();
        let (hit, why) = hit(found);
        let list_version = self.against.versions.get(&hit.list).cloned().unwrap_or_default();
        Found { hit, list_version, why, former }
    }

    /// What became of the entries of known pairs that were not found.
    fn became(
        &self,
        before: &ClientScreening,
        found: &[Found],
        changes: Option<&Changes>,
    ) -> BTreeMap<(String, String), Became> {
        let is_found = |list: &str, id: &str| {
            found.iter().any(|found| {
                found.hit.list == list && (found.hit.entity_id == id || found.former.iter().any(|former| former == id))
            })
        };
        let mut became = BTreeMap::new();
        for pair in before.facts.pairs.iter().filter(|pair| !is_found(&pair.hit.list, &pair.hit.entity_id)) {
            let key = (pair.hit.list.clone(), pair.hit.entity_id.clone());
            let asked = changes.is_none_or(|changes| changes.to_screen.contains(&key) || changes.gone.contains(&key));
            if !asked {
                continue;
            }
            let standing = self.against.index.index.standing(&key.0, &key.1);
            let what = match standing {
                Standing::Listed => Became::Unlike,
                Standing::Merged(_) => Became::Merged,
                Standing::TakenOff => Became::TakenOff,
                Standing::NotAsked => Became::NotAsked,
            };
            became.insert(key, what);
        }
        became
    }
}
