//! The index as screening uses it: read once a version, never without a look at what is current. What is missing, too old or
//! not whole is an error, never an index of nobody.

use std::sync::{Arc, Mutex, PoisonError};

use domain::kyc::rules::ScreeningRules;
use domain::{Seconds, Timestamp};
use files::{Files, FilesError};
use runtime::{ConfigError, Ports};
use screening::index::{Index, IndexError, edition};

use super::current::{Built, CURRENT, Current};

/// Most bytes of the object that says what is current.
pub(super) const CURRENT_BYTES_MAX: u64 = 1_000_000;
/// Most bytes of an index.
const INDEX_BYTES_MAX: u64 = 400_000_000;
/// How long the last look counts where the bucket cannot be asked.
const KEPT_FOR: Seconds = Seconds(300);

/// Why nobody can be screened.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// The lists were never fetched.
    #[error("there is no index of the lists yet")]
    Absent,
    /// A list that the rules name is not in the index.
    #[error("list {0} was not fetched yet")]
    Missing(String),
    /// A list was last good too long ago.
    #[error("list {0} is older than the rules allow")]
    Stale(String),
    /// What says which index is current does not read.
    #[error("the description of the lists does not read")]
    Malformed,
    /// The index is not of the lists that it is said to be of.
    #[error("the index is of other lists than it is said to be of")]
    OtherLists,
    /// The index was built by another version of the engine.
    #[error("the index was built by another version of the engine")]
    Edition,
    /// The index is not whole.
    #[error("the index cannot be used: {0}")]
    Damaged(#[from] IndexError),
    /// The bucket.
    #[error(transparent)]
    Files(#[from] FilesError),
}

/// An index that was read.
#[derive(Debug)]
pub struct Loaded {
    key: String,
    /// The index.
    pub index: Index,
    /// The versions of its lists.
    pub version: String,
}

impl Loaded {
    /// An index that lies under a key.
    pub fn of(key: String, index: Index) -> Self {
        Self { key, version: index.list_version(), index }
    }
}

#[derive(Default)]
struct Kept {
    looked_up: Option<(Timestamp, Arc<Current>)>,
    loaded: Option<Arc<Loaded>>,
}

/// The lists, for whoever screens.
#[derive(Clone)]
pub struct Lists {
    files: Files,
    kept: Arc<Mutex<Kept>>,
}

impl Lists {
    /// Over the bucket of lists.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self { files: Files::new(ports, "BUCKET_LISTS")?, kept: Arc::default() })
    }

    /// The index of every list that the rules name, none of them too old.
    ///
    /// # Errors
    /// [`ListsError`].
    pub async fn ready(&self, rules: &ScreeningRules, now: Timestamp) -> Result<Arc<Loaded>, ListsError> {
        let current = self.look_up(now).await?;
        if let Some(list) = rules.lists.iter().find(|list| current.is_stale(list, now)) {
            let taken = current.list(&list.code).and_then(|state| state.taken.as_ref());
            let code = list.code.clone();
            return Err(if taken.is_none() { ListsError::Missing(code) } else { ListsError::Stale(code) });
        }
        let loaded = self.load(current.index.as_ref().ok_or(ListsError::Absent)?).await?;
        let inside: Vec<&str> = loaded.version.split(' ').collect();
        let of = |code: &str, version: &str| inside.contains(&format!("{code}@{version}").as_str());
        let taken = current.lists.iter().filter_map(|state| Some((state.list.as_str(), state.taken.as_ref()?)));
        if taken.into_iter().all(|(code, taken)| of(code, &taken.version)) {
            Ok(loaded)
        } else {
            Err(ListsError::OtherLists)
        }
    }

    /// What is said to be current, whether or not anybody can be screened with it.
    ///
    /// # Errors
    /// [`ListsError`].
    pub async fn as_told(&self) -> Result<Current, ListsError> {
        read_current(&self.files).await?.ok_or(ListsError::Absent)
    }

    /// What is current. The bucket is asked each time: who refreshes a list and screens then means the new one.
    async fn look_up(&self, now: Timestamp) -> Result<Arc<Current>, ListsError> {
        match read_current(&self.files).await {
            Ok(found) => {
                let current = Arc::new(found.ok_or(ListsError::Absent)?);
                self.lock().looked_up = Some((now, current.clone()));
                Ok(current)
            }
            Err(ListsError::Files(error)) => match &self.lock().looked_up {
                Some((at, current)) if now < at.plus(KEPT_FOR) => Ok(current.clone()),
                _ => Err(error.into()),
            },
            Err(error) => Err(error),
        }
    }

    async fn load(&self, built: &Built) -> Result<Arc<Loaded>, ListsError> {
        let loaded = self.at(&built.key, &built.edition).await?;
        self.lock().loaded = Some(loaded.clone());
        Ok(loaded)
    }

    /// The index under a key, read anew unless it is the one that was read last.
    ///
    /// # Errors
    /// [`ListsError::Absent`], [`ListsError::Edition`], [`ListsError::Damaged`], [`ListsError::Files`].
    pub async fn at(&self, key: &str, of: &str) -> Result<Arc<Loaded>, ListsError> {
        if let Some(loaded) = self.lock().loaded.as_ref().filter(|loaded| loaded.key == key) {
            return Ok(loaded.clone());
        }
        if of != edition() {
            return Err(ListsError::Edition);
        }
        let file = self.files.get(key, INDEX_BYTES_MAX).await?.ok_or(ListsError::Absent)?;
        Ok(Arc::new(Loaded::of(key.to_owned(), Index::from_bytes(file.bytes)?)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is current, if anything is.
///
/// # Errors
/// [`ListsError::Malformed`], [`ListsError::Files`].
pub(super) async fn read_current(files: &Files) -> Result<Option<Current>, ListsError> {
    let Some(file) = files.get(CURRENT, CURRENT_BYTES_MAX).await? else { return Ok(None) };
    serde_json::from_slice(&file.bytes).map(Some).map_err(|_| ListsError::Malformed)
}
