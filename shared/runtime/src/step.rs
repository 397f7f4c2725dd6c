//! The one shape of a step: load, decide, save; and what its failures mean.

use domain::decision::{Entity, Frame, Verdict};
use providers::platforms::PlatformError;
use providers::psp::PspError;
use store::{Home, Saved, StoreError, Stored};

/// Times a decision is made again because somebody else saved first.
const CONFLICT_ATTEMPTS: usize = 5;

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
    /// A vendor could not be reached or is not set up.
    #[error("vendor call failed: {0}")]
    Vendor(String),
}

/// What to do with the trigger of a failed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Deliver it again: the cause may pass.
    Retry,
    /// Delivering it again cannot help; it goes to the dead letters, and so to a person.
    Park,
}

impl StepError {
    /// Whether to try again.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) if error.retry() => Disposition::Retry,
            Self::Secret { retry: true, .. } | Self::Busy(_) | Self::Vendor(_) => Disposition::Retry,
            // a rule set is repaired by publishing a new version, within the retries or by a replay after them
            Self::Rules { .. } => Disposition::Retry,
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
            Self::Vendor(_) => "Vendor",
        }
    }
}

impl From<PspError> for StepError {
    fn from(error: PspError) -> Self {
        Self::Vendor(error.to_string())
    }
}

impl From<PlatformError> for StepError {
    fn from(error: PlatformError) -> Self {
        Self::Vendor(error.to_string())
    }
}

/// What a step did.
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

/// Loads an entity, decides and saves; decides again on what is there when somebody else saved first.
///
/// # Errors
/// [`StepError::Absent`] when there is no such entity, [`StepError::Busy`] when others keep saving first.
pub async fn change<H, T>(
    home: &H,
    id: &str,
    frame: &mut Frame,
    mut decide: impl FnMut(&T) -> Verdict<T>,
) -> Result<Done<T>, StepError>
where
    H: Home<T>,
    T: Entity + Clone,
{
    for _ in 0..CONFLICT_ATTEMPTS {
        let Some(stored) = home.table().load_entity::<T>(id, true).await? else {
            return Err(StepError::Absent(id.to_owned()));
        };
        if let Some(done) = save(home, stored, frame, &mut decide).await? {
            return Ok(done);
        }
    }
    Err(StepError::Busy("the entity keeps changing"))
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
    T: Entity + Clone,
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
