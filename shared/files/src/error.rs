//! What goes wrong with files, and whether trying again helps.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
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

/// What S3 answered instead of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("S3 answered {status} {code}")]
pub(crate) struct S3Error {
    status: u16,
    code: String,
    message: String,
}

impl S3Error {
    /// The error of an answer. That to HEAD has no body, and so no code but what 404 stands for.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let element = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
        };
        let nameless = || if status == 404 { "NotFound" } else { "unknown" }.to_owned();
        let code = element("Code").unwrap_or_else(nameless);
        Self { status, code, message: element("Message").unwrap_or_default() }
    }

    /// Whether nothing lies under the key. Without `s3:ListBucket` S3 does not say so: it refuses.
    fn is_absence(&self) -> bool {
        matches!(self.code.as_str(), "NoSuchKey" | "NotFound")
    }

    /// Whether there is no such version: one that S3 never gave out is no version at all to it.
    fn is_unknown_version(&self) -> bool {
        self.code == "NoSuchVersion" || (self.code == "InvalidArgument" && self.message.contains("version id"))
    }
}

/// Why a request came to nothing.
pub(crate) type SendError = SdkError<S3Error, HttpResponse>;

/// Whether S3 says that nothing lies under the key.
pub(crate) fn absent(error: &SendError) -> bool {
    error.as_service_error().is_some_and(S3Error::is_absence)
}

/// Whether S3 knows no such version.
pub(crate) fn no_such_version(error: &SendError) -> bool {
    error.as_service_error().is_some_and(S3Error::is_unknown_version)
}

/// The class of an error.
pub(crate) fn failed(error: SendError) -> FilesError {
    match error {
        SdkError::ServiceError(service) => of_answer(service.err().status, &service.err().code),
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
    fn an_error_says_its_code_and_one_without_a_body_what_its_status_stands_for() {
        let body = b"<?xml version=\"1.0\"?><Error><Code>InvalidArgument</Code><Message>Invalid version id specified\
            </Message></Error>";
        assert!(S3Error::read(400, body).is_unknown_version());
        assert!(!S3Error::read(400, b"<Error><Code>InvalidArgument</Code></Error>").is_unknown_version());
        assert!(S3Error::read(404, b"<Error><Code>NoSuchVersion</Code></Error>").is_unknown_version());
        assert!(S3Error::read(404, b"<Error><Code>NoSuchKey</Code></Error>").is_absence());
        assert!(S3Error::read(404, b"").is_absence());
        assert!(!S3Error::read(404, b"<Error><Code>NoSuchBucket</Code></Error>").is_absence());
        for (status, body) in [(403, b"".as_slice()), (503, b"<html>"), (500, b"<Error><Code>"), (400, b"\xff")] {
            assert_eq!(S3Error::read(status, body).code, "unknown");
        }
    }

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
