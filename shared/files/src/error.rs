//! What goes wrong with files, and whether trying again helps.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use providers::Disposition;
use runtime::StepError;

/// Why a file was not read, written or signed for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// It is larger than the caller reads.
    #[error("the file has {bytes} bytes, more than {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The most that may be read.
        bytes_max: u64,
    },
    /// There is no such version of it.
    #[error("there is no such version of the file")]
    NoSuchVersion,
    /// The bucket does not keep versions, so nothing says whether two reads are of the same content.
    #[error("the bucket does not keep versions")]
    Unversioned,
    /// The role may not, or the bucket is not there.
    #[error("S3 refused: {0}")]
    NotSetUp(String),
    /// What was asked for can never be done.
    #[error("S3 cannot do this: {0}")]
    Malformed(String),
    /// No answer, half an answer, or one that says to come again.
    #[error("S3 is not available: {0}")]
    Unavailable(String),
}

impl FilesError {
    /// Whether to try again.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::TooLarge { .. } | Self::NoSuchVersion | Self::Malformed(_) => Disposition::GiveUp,
            Self::Unversioned | Self::NotSetUp(_) => Disposition::Hold,
            // a read changes nothing, and a write that is repeated is another version of the same content
            Self::Unavailable(_) => Disposition::Retry,
        }
    }
}

impl From<FilesError> for StepError {
    fn from(error: FilesError) -> Self {
        Self::Vendor { what: error.to_string(), to_do: error.disposition() }
    }
}

/// Whether S3 says that nothing lies under the key. Without `s3:ListBucket` it does not say so: it refuses.
pub(crate) fn absent<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    // the answer to HEAD has no body, and so no code but what the SDK makes of 404
    matches!(code(error), Some("NoSuchKey" | "NotFound"))
}

/// Whether S3 knows no such version: one that it never gave out is no version at all to it.
pub(crate) fn no_such_version<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(code(error), Some("NoSuchVersion"))
        || (code(error) == Some("InvalidArgument") && message(error).contains("version id"))
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn message<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default()
}

/// The class of an error of the SDK.
pub(crate) fn failed<E: ProvideErrorMetadata>(error: SdkError<E, HttpResponse>) -> FilesError {
    match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().unwrap_or("unknown");
            of_answer(status, code)
        }
        SdkError::ConstructionFailure(_) => FilesError::NotSetUp("the request cannot be made".to_owned()),
        // time-outs, connections, answers that do not read
        _ => FilesError::Unavailable("S3 could not be asked".to_owned()),
    }
}

fn of_answer(status: u16, code: &str) -> FilesError {
    match (status, code) {
        // a process whose credentials have ended is followed by one that has new ones
        (
            _,
            "SlowDown" | "RequestTimeout" | "OperationAborted" | "RequestTimeTooSkewed" | "BadDigest" | "ExpiredToken",
        )
        | (429 | 500.., _) => FilesError::Unavailable(code.to_owned()),
        (401 | 403, _) | (_, "NoSuchBucket" | "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
            FilesError::NotSetUp(code.to_owned())
        }
        _ => FilesError::Malformed(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_a_person_must_mend_is_held() {
        for (status, code, expected) in [
            (503, "SlowDown", Disposition::Retry),
            (500, "InternalError", Disposition::Retry),
            (400, "RequestTimeout", Disposition::Retry),
            (409, "OperationAborted", Disposition::Retry),
            (400, "BadDigest", Disposition::Retry),
            (400, "ExpiredToken", Disposition::Retry),
            (403, "RequestTimeTooSkewed", Disposition::Retry),
            (403, "AccessDenied", Disposition::Hold),
            (403, "InvalidAccessKeyId", Disposition::Hold),
            (404, "NoSuchBucket", Disposition::Hold),
            (301, "PermanentRedirect", Disposition::Hold),
            (400, "InvalidArgument", Disposition::GiveUp),
            (400, "EntityTooLarge", Disposition::GiveUp),
        ] {
            assert_eq!(of_answer(status, code).disposition(), expected, "{status} {code}");
        }
        assert_eq!(FilesError::TooLarge { bytes: 2, bytes_max: 1 }.disposition(), Disposition::GiveUp);
        assert_eq!(FilesError::NoSuchVersion.disposition(), Disposition::GiveUp);
        assert_eq!(FilesError::Unversioned.disposition(), Disposition::Hold);
    }
}
