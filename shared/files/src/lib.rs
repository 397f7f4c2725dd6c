//! Files in a bucket of S3: what clients upload by a signed address, and what functions read and write.
//!
mod error;
mod key;
mod s3;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_types::SdkConfig;
use bytes::Bytes;
use domain::{Seconds, Timestamp};
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use runtime::{ConfigError, Ports};
use serde::{Deserialize, Serialize};

pub use error::FilesError;
use error::{SendError, absent, failed, no_such_version};
use key::checked;
use s3::{Answer, Bucket};

/// Longest that an answer's body may take: megabytes inside a region take a fraction of a second.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
const VERSION: &str = "x-amz-version-id";

/// Which content of a key: another one after each write, and none is ever changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileVersion(pub String);

/// What is known of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// Its size.
    pub bytes: u64,
    /// Its type as whoever wrote it called it; empty where nobody did.
    pub content_type: String,
    /// Which content this is.
    pub version: FileVersion,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub head: FileHead,
    /// Its whole content.
    pub bytes: Vec<u8>,
}

/// The content is somebody's passport.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("head", &self.head).finish_non_exhaustive()
    }
}

/// How to upload one file: this request, with the file as its body, once or several times until the address expires.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// `PUT`.
    pub method: String,
    /// Where to; whoever has it may upload.
    pub url: String,
    /// Headers that the request must have, as they are here.
    pub headers: Vec<(String, String)>,
}

/// The address is as good as a password until it expires.
impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The files of one bucket. The bucket must keep versions.
#[derive(Clone)]
pub struct Files(Bucket);

impl Files {
    /// The bucket that an environment variable names.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn new(ports: &Ports, variable: &'static str) -> Result<Self, ConfigError> {
        Ok(Self::of(&ports.aws, ports.need(variable)?))
    }

    /// A bucket by its name.
    pub fn of(aws: &SdkConfig, bucket: &str) -> Self {
        Self(Bucket::new(aws, bucket))
    }

    /// The documents that clients upload (`BUCKET_DOCUMENTS`).
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn documents(ports: &Ports) -> Result<Self, ConfigError> {
        Self::new(ports, "BUCKET_DOCUMENTS")
    }

    /// Its name, for a service of AWS that reads from it by itself.
    pub fn bucket(&self) -> &str {
        &self.0.name
    }

    /// An upload of exactly so many bytes of this type, from now on: S3 refuses another type or size, for both are signed. On
    /// Lambda it ends before its time if the credentials of the function's role do, which is hours.
    ///
    /// # Errors
    /// [`FilesError`]. Nothing is sent, so it says nothing of the bucket or of the role's rights.
    pub async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        bytes: u64,
        valid_for: Seconds,
        now: Timestamp,
    ) -> Result<Upload, FilesError> {
        let length = bytes.to_string();
        let headers = [(CONTENT_LENGTH, length.as_str()), (CONTENT_TYPE, content_type)];
        let url = self.0.address(checked(key)?, &headers, moment(now), duration(valid_for)).await?;
        let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value.to_owned())).collect();
        Ok(Upload { method: Method::PUT.to_string(), url, headers })
    }

    /// What lies under a key now. The answer to this has no body, so a bucket that is not there reads as a file that is not.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn head(&self, key: &str) -> Result<Option<FileHead>, FilesError> {
        match self.asked(Method::HEAD, key, None).await? {
            Ok(found) => head(&found).map(Some),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads what lies under a key now; more than `bytes_max` is never read.
    ///
    /// # Errors
    /// [`FilesError`], [`FilesError::TooLarge`] among them.
    pub async fn get(&self, key: &str, bytes_max: u64) -> Result<Option<File>, FilesError> {
        match self.asked(Method::GET, key, None).await? {
            Ok(found) => read(found, bytes_max).await.map(Some),
            Err(error) if absent(&error) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads the very content that was looked at before, whatever was written under its key since.
    ///
    /// # Errors
    /// [`FilesError`], [`FilesError::NoSuchVersion`] among them.
    pub async fn get_version(&self, key: &str, version: &FileVersion, bytes_max: u64) -> Result<File, FilesError> {
        match self.asked(Method::GET, key, Some(version)).await? {
            Ok(found) => read(found, bytes_max).await,
            Err(error) if absent(&error) || no_such_version(&error) => Err(FilesError::NoSuchVersion),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes a file of our own. A repeat makes another version of the same content.
    ///
    /// # Errors
    /// [`FilesError`].
    pub async fn put(&self, key: &str, content_type: &str, bytes: impl Into<Bytes>) -> Result<FileVersion, FilesError> {
        let bytes: Bytes = bytes.into();
        let length = bytes.len().to_string();
        let headers = [(CONTENT_LENGTH, length.as_str()), (CONTENT_TYPE, content_type)];
        let written = self.0.send(Method::PUT, checked(key)?, None, (&headers, bytes)).await?.map_err(failed)?;
        version(written.header(VERSION))
    }

    /// Asks about a key, without anything to send along.
    async fn asked(
        &self,
        method: Method,
        key: &str,
        version: Option<&FileVersion>,
    ) -> Result<Result<Answer, SendError>, FilesError> {
        self.0.send(method, checked(key)?, version, (&[], Bytes::new())).await
    }
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or_default())
}

fn duration(span: Seconds) -> Duration {
    Duration::from_secs(span.0.into())
}

fn version(id: Option<&str>) -> Result<FileVersion, FilesError> {
    // S3 says "null" of what was written before the bucket kept versions
    id.filter(|id| *id != "null").map(|id| FileVersion(id.to_owned())).ok_or(FilesError::Unversioned)
}

fn head(answer: &Answer) -> Result<FileHead, FilesError> {
    let bytes = answer.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
    Ok(FileHead {
        bytes: bytes.ok_or_else(|| FilesError::Unavailable("the answer has no length".to_owned()))?,
        content_type: answer.header(CONTENT_TYPE.as_str()).unwrap_or_default().to_owned(),
        version: version(answer.header(VERSION))?,
    })
}

async fn read(found: Answer, bytes_max: u64) -> Result<File, FilesError> {
    let head = head(&found)?;
    let too_large = FilesError::TooLarge { bytes: head.bytes, bytes_max };
    let whole = match usize::try_from(head.bytes) {
        Ok(whole) if head.bytes <= bytes_max => whole,
        Ok(_) | Err(_) => return Err(too_large),
    };
    let collected = tokio::time::timeout(BODY_TIMEOUT, collect(found, whole)).await;
    let bytes = collected.map_err(|_| FilesError::Unavailable("the content did not come in time".to_owned()))??;
    Ok(File { head, bytes })
}

/// The body, which must be as long as its head says.
async fn collect(found: Answer, whole: usize) -> Result<Vec<u8>, FilesError> {
    let cut = |what: String| FilesError::Unavailable(what);
    let (mut body, mut bytes) = (found.body, Vec::with_capacity(whole));
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|error| cut(error.to_string()))?.into_data() else { continue };
        if part.len() > whole.saturating_sub(bytes.len()) {
            return Err(cut("the content is longer than its head says".to_owned()));
        }
        bytes.extend_from_slice(&part);
    }
    if bytes.len() == whole { Ok(bytes) } else { Err(cut("the content ended early".to_owned())) }
}
