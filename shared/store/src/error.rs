//! What can go wrong in the store, and whether to try again.

use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use domain::entity::ReadError;

/// A failed store call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB could not be asked, or asked us to slow down: try again.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// DynamoDB refused the call: wrong permission, wrong table. Trying again cannot help until somebody repairs it.
    #[error("the store refused the call: {0}")]
    Refused(String),
    /// A stored item does not read as what it must be.
    #[error("item {key} is corrupt: {what}")]
    Corrupt {
        /// Key of the item.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// Newer code wrote the item: it is read by this function's next deployment.
    #[error("item {key} was written by newer code: {what}")]
    Newer {
        /// Key of the item.
        key: String,
        /// What is newer.
        what: String,
    },
    /// The item is of another kind than was asked for.
    #[error("item {key}: {what}")]
    OtherKind {
        /// Key of the item.
        key: String,
        /// What it is.
        what: String,
    },
    /// A journal entry exists with other content.
    #[error("journal entry {0} exists with other content")]
    JournalConflict(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn retry(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Newer { .. } => true,
            Self::Refused(_) | Self::Corrupt { .. } | Self::OtherKind { .. } | Self::JournalConflict(_) => false,
        }
    }

    /// An item that does not read as an entity.
    pub(crate) fn unreadable(key: &str, error: ReadError) -> Self {
        let (key, what) = (key.to_owned(), error.to_string());
        match error {
            ReadError::Newer(_) => Self::Newer { key, what },
            ReadError::OtherKind { .. } => Self::OtherKind { key, what },
            ReadError::Id(_) | ReadError::Missing(_) | ReadError::Form(_) => Self::Corrupt { key, what },
        }
    }

    /// An item that does not read as what it must be.
    pub fn corrupt(key: &str, what: impl std::fmt::Display) -> Self {
        Self::Corrupt { key: key.to_owned(), what: what.to_string() }
    }
}

/// Codes after which the same call may succeed.
const TRANSIENT: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionInProgressException",
    // another transaction holds the item for a moment
    "TransactionConflictException",
    "LimitExceededException",
];

impl<E> From<SdkError<E, HttpResponse>> for StoreError
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown");
                let server = service.raw().status().as_u16() >= 500;
                if server || TRANSIENT.contains(&code) {
                    Self::Unavailable(code.to_owned())
                } else {
                    Self::Refused(format!("{code}: {}", service.err().message().unwrap_or("no message")))
                }
            }
            SdkError::ConstructionFailure(_) => Self::Refused("the request could not be built".to_owned()),
            SdkError::TimeoutError(_) => Self::Unavailable("timed out".to_owned()),
            SdkError::DispatchFailure(failure) => Self::Unavailable(
                failure.as_connector_error().map_or("no connection".to_owned(), ConnectorError::to_string),
            ),
            SdkError::ResponseError(_) => Self::Unavailable("the answer could not be read".to_owned()),
            _ => Self::Unavailable("unknown failure".to_owned()),
        }
    }
}
