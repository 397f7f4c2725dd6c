//! The one shape of a step: load, decide, save; and what its failures mean.

use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use domain::Timestamp;
use domain::decision::{Decision, Frame, Verdict};
use domain::entity::Entity;
use providers::http::BoxFuture;
use providers::kyc::VendorError;
use providers::notify::NotifyError;
use providers::platforms::PlatformError;
use providers::psp::PspError;
use store::{Commit, Committed, Home, Saved, StoreError, Stored};

/// Why a step did not finish.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The store failed.
    #[error("store call failed: {0}")]
    Store(#[from] StoreError),
    /// A rule set is missing, does not parse or failed in evaluation.
    #[error("rule set {set} cannot be used: {what}")]
    Rules {
        /// The set.
        set: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A secret could not be read.
    #[error("secret {name} cannot be read: {what}")]
    Secret {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
        /// Whether a later attempt may succeed.
        retry: bool,
    },
    /// The trigger does not read as what it must be.
    #[error("trigger is malformed: {0}")]
    Malformed(String),
    /// The trigger names something that is not there.
    #[error("{0} does not exist")]
    Absent(String),
    /// Somebody else is at it; come back later.
    #[error("come back later: {0}")]
    Busy(&'static str),
    /// The server is being maintained: nothing is wrong, and nothing is done until then.
    #[error("{server} is being maintained until {until}")]
    Maintenance {
        /// The server.
        server: String,
        /// When it can be called again.
        until: Timestamp,
    },
    /// A vendor did not do it.
    #[error("vendor call failed: {what}")]
    Vendor {
        /// What is wrong.
        what: String,
        /// What the vendor's error says to do about it.
        to_do: providers::Disposition,
    },
    /// A queue could not be written to.
    #[error("queue call failed: {0}")]
    Queue(String),
}

/// What to do with the trigger of a failed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Deliver it again: the cause may pass.
    Retry,
    /// Deliver it again soon: somebody else is at it for a moment.
    RetrySoon,
    /// Deliver it again then, which is no failure.
    At(Timestamp),
    /// Delivering it again cannot help; it goes to the dead letters, and so to a person.
    Park,
}

impl StepError {
    /// Whether to try again.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) if error.retry() => Disposition::Retry,
            Self::Busy(_) => Disposition::RetrySoon,
            Self::Maintenance { until, .. } => Disposition::At(*until),
            Self::Secret { retry: true, .. } | Self::Queue(_) => Disposition::Retry,
            // a rule set is repaired by publishing a new version, within the retries or by a replay after them
            Self::Rules { .. } => Disposition::Retry,
            Self::Vendor { to_do, .. } => match to_do {
                providers::Disposition::Retry | providers::Disposition::LookUp => Disposition::Retry,
                // somebody repairs what is set up wrong, within the retries or after them
                providers::Disposition::Hold => Disposition::Retry,
                providers::Disposition::GiveUp => Disposition::Park,
            },
            Self::Store(_) | Self::Secret { retry: false, .. } | Self::Malformed(_) | Self::Absent(_) => {
                Disposition::Park
            }
        }
    }

    /// A stable name for logs and alarms.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) => "Store",
            Self::Rules { .. } => "Rules",
            Self::Secret { .. } => "Secret",
            Self::Malformed(_) => "Malformed",
            Self::Absent(_) => "Absent",
            Self::Busy(_) => "Busy",
            Self::Maintenance { .. } => "Maintenance",
            Self::Vendor { .. } => "Vendor",
            Self::Queue(_) => "Queue",
        }
    }
}

impl From<PspError> for StepError {
    fn from(error: PspError) -> Self {
        Self::Vendor { what: error.to_string(), to_do: error.disposition() }
    }
}

impl From<PlatformError> for StepError {
    fn from(error: PlatformError) -> Self {
        Self::Vendor { what: error.to_string(), to_do: error.disposition() }
    }
}

impl From<VendorError> for StepError {
    fn from(error: VendorError) -> Self {
        Self::Vendor { what: error.to_string(), to_do: error.disposition() }
    }
}

impl From<NotifyError> for StepError {
    fn from(error: NotifyError) -> Self {
        Self::Vendor { what: error.to_string(), to_do: error.disposition() }
    }
}

/// Times a decision is made again because somebody else saved first. Work that everybody does on one thing (the leads of one
/// agent, say) is done one by one, and each round lets one through.
const ATTEMPTS: u32 = 60;
/// The longest pause before the second attempt; it doubles up to [`PAUSE_MAX_MS`].
const PAUSE_MS: u64 = 2;
/// The longest pause between two attempts.
const PAUSE_MAX_MS: u64 = 100;

/// The attempts at one thing: how many there may be, and the pauses between them.
#[derive(Debug)]
pub struct Attempts {
    busy: &'static str,
    made: u32,
    seed: u64,
}

impl Attempts {
    /// Attempts of an execution; `busy` says what is the matter when they are over.
    pub fn of(frame: &Frame, busy: &'static str) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        (&frame.execution_id, &frame.trigger).hash(&mut hasher);
        Self { busy, made: 0, seed: hasher.finish() }
    }

    /// Waits before the next attempt, longer each time and not as long as others do.
    ///
    /// # Errors
    /// [`StepError::Busy`] when there were enough.
    pub async fn again(&mut self) -> Result<(), StepError> {
        self.made += 1;
        if self.made >= ATTEMPTS {
            return Err(StepError::Busy(self.busy));
        }
        // no randomness: executions differ by their id, and one can be run again as it was
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let longest = PAUSE_MS.checked_shl(self.made.min(6)).unwrap_or(PAUSE_MAX_MS).min(PAUSE_MAX_MS);
        let pause = (self.seed >> 33) % longest.saturating_add(1);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        Ok(())
    }
}

/// What a step did to an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done<T> {
    /// The entity has a new version.
    Changed {
        /// The entity as saved.
        now: Stored<T>,
        /// The outcome.
        outcome: &'static str,
    },
    /// Nothing to do; the entity as loaded.
    Unchanged {
        /// The entity.
        now: Stored<T>,
        /// Why.
        reason: &'static str,
    },
}

impl<T> Done<T> {
    /// One word for log and metric.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Changed { outcome, .. } => outcome,
            Self::Unchanged { .. } => "nothing_to_do",
        }
    }

    /// The entity.
    pub fn stored(&self) -> &Stored<T> {
        match self {
            Self::Changed { now, .. } | Self::Unchanged { now, .. } => now,
        }
    }
}

/// Makes an entity whose id is derived from what set it off: a repeat finds it made. `false` then.
///
/// # Errors
/// [`StepError::Store`].
pub async fn create<H, T>(home: &H, decision: Decision<T>, frame: &Frame) -> Result<bool, StepError>
where
    H: Home<T>,
    T: Entity,
{
    match home.table().save_entity(None, decision, frame).await? {
        Saved::Applied(_) => Ok(true),
        Saved::Conflict => Ok(false),
    }
}

/// Loads an entity, decides and saves; decides again on what is there when somebody else saved first.
///
/// # Errors
/// [`StepError::Absent`] when there is no such entity, [`StepError::Busy`] when others keep saving first.
pub async fn change<H, T>(
    home: &H,
    id: &T::Id,
    frame: &mut Frame,
    mut decide: impl FnMut(&T) -> Verdict<T>,
) -> Result<Done<T>, StepError>
where
    H: Home<T>,
    T: Entity,
{
    let mut attempts = Attempts::of(frame, "the entity keeps changing");
    loop {
        let stored = home.table().load_entity::<T>(id, true).await?;
        let stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?;
        if let Some(done) = save(home, stored, frame, &mut decide).await? {
            return Ok(done);
        }
        attempts.again().await?;
    }
}

/// A decision that rules may be too broken to make: nothing is saved then, and `broken` says why.
pub fn judged<T, E>(
    broken: &mut Option<E>,
    decide: impl Fn(&T) -> Result<Verdict<T>, E>,
) -> impl FnMut(&T) -> Verdict<T> {
    move |entity| {
        decide(entity).unwrap_or_else(|error| {
            *broken = Some(error);
            Verdict::Nothing("the rules are broken")
        })
    }
}

/// [`change`] of an entity that begins as `fresh` when it is not there; the entity as it is then.
///
/// # Errors
/// [`StepError::Busy`] when others keep saving first.
pub async fn change_or_begin<H, T>(
    home: &H,
    id: &T::Id,
    fresh: impl Fn() -> T,
    frame: &Frame,
    mut decide: impl FnMut(&T) -> Verdict<T>,
) -> Result<T, StepError>
where
    H: Home<T>,
    T: Entity,
{
    let mut attempts = Attempts::of(frame, "the entity keeps changing");
    loop {
        let stored = home.table().load_entity::<T>(id, true).await?;
        let state = stored.as_ref().map_or_else(&fresh, |stored| stored.entity.clone());
        let decision = match decide(&state) {
            Verdict::Nothing(_) => return Ok(state),
            Verdict::Change(decision) => *decision,
        };
        if let Saved::Applied(now) = home.table().save_entity(stored.as_ref(), decision, frame).await? {
            return Ok(now.entity);
        }
        attempts.again().await?;
    }
}

/// Begins those of some entities that are not there yet, each as `begin` decides; how many those were.
///
/// # Errors
/// Those of [`change_or_begin`].
pub async fn begin_missing<H, T>(
    home: &H,
    fresh: &[T],
    frame: &Frame,
    begin: impl Fn(&T) -> Verdict<T>,
) -> Result<usize, StepError>
where
    H: Home<T>,
    T: Entity,
{
    let mut begun = 0;
    for one in fresh {
        if home.table().load_entity::<T>(one.id(), true).await?.is_none() {
            change_or_begin(home, one.id(), || one.clone(), frame, &begin).await?;
            begun += 1;
        }
    }
    Ok(begun)
}

/// What one attempt at several entities comes to.
#[derive(Debug)]
pub enum Attempt<O> {
    /// Nothing is to be saved.
    Nothing(O),
    /// All of it is saved, or none.
    Save(Commit, O),
}

/// Loads, decides and saves several entities, of one table or of several, in one transaction; `attempt` is made again on what
/// is there when somebody else saved one of them first.
///
/// # Errors
/// Those of `attempt`; [`StepError::Busy`] when others keep saving first.
pub async fn together<'a, O, E>(
    frame: &Frame,
    busy: &'static str,
    mut attempt: impl FnMut() -> BoxFuture<'a, Result<Attempt<O>, E>>,
) -> Result<O, E>
where
    E: From<StepError>,
{
    let mut attempts = Attempts::of(frame, busy);
    loop {
        let (commit, outcome) = match attempt().await? {
            Attempt::Nothing(outcome) => return Ok(outcome),
            Attempt::Save(commit, outcome) => (commit, outcome),
        };
        match commit.send().await.map_err(StepError::from)? {
            Committed::Applied => return Ok(outcome),
            Committed::Conflict => attempts.again().await?,
        }
    }
}

/// Decides on an entity that is already loaded and saves; `None` when somebody else saved first.
///
/// # Errors
/// [`StepError::Store`].
pub async fn save<H, T>(
    home: &H,
    stored: Stored<T>,
    frame: &mut Frame,
    decide: &mut impl FnMut(&T) -> Verdict<T>,
) -> Result<Option<Done<T>>, StepError>
where
    H: Home<T>,
    T: Entity,
{
    frame.correlation_id.clone_from(&stored.correlation_id);
    match decide(&stored.entity) {
        Verdict::Nothing(reason) => Ok(Some(Done::Unchanged { now: stored, reason })),
        Verdict::Change(decision) => {
            let outcome = decision.outcome;
            match home.table().save_entity(Some(&stored), *decision, frame).await? {
                Saved::Applied(now) => Ok(Some(Done::Changed { now, outcome })),
                Saved::Conflict => Ok(None),
            }
        }
    }
}
