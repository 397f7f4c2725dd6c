//! S3 over a folder: objects and their versions, for functions in process and for whoever has a signed address over HTTP.
//!
//! The crates s3s and s3s-fs speak the protocol and keep the files. What they leave out is done in front of them: who may do
//! what, signatures that end by the local clock (s3s knows the machine's alone), and versions (each is an object of its own to
//! s3s-fs, under its key).

mod cors;
mod presigned;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::extract::{Request as Incoming, State};
use axum::response::Response as Outgoing;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use s3s::service::{S3Service, S3ServiceBuilder};

use super::{Caller, Denied};
use crate::template::{Bucket, CorsRule, bucket_arn};
use crate::time::LocalTime;
use versions::Versions;

/// The header that names an object's version.
const VERSION_ID: &str = "x-amz-version-id";

/// Why S3 cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Its folder.
    #[error("folder of the buckets cannot be used")]
    Folder(#[from] std::io::Error),
    /// The operating system has no randomness.
    #[error("there is no randomness for the key that addresses are signed with")]
    Key,
}

/// The buckets of a host.
pub(crate) struct S3 {
    service: S3Service,
    versions: Versions,
    buckets: BTreeMap<String, Vec<CorsRule>>,
    url: String,
    secret: String,
    time: LocalTime,
    /// By access key: whoever signs an address lends it their rights, and no more.
    signers: Mutex<BTreeMap<String, Caller>>,
    _folder: Folder,
}

/// Where the files are; one that is not asked for goes with the host.
struct Folder {
    path: PathBuf,
    passing: bool,
}

impl Folder {
    fn new(kept: Option<&Path>) -> Result<Self, std::io::Error> {
        let passing = || std::env::temp_dir().join(format!("pipworks-files-{}", uuid::Uuid::now_v7()));
        let path = kept.map_or_else(passing, Path::to_owned);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, passing: kept.is_none() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.passing
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, "the folder of the buckets was not removed");
        }
    }
}

/// What is done to an object.
struct Asked {
    operation: &'static str,
    action: &'static str,
    bucket: String,
    key: String,
    version: Option<String>,
}

impl S3 {
    /// The template's buckets in a folder, to be served at a URL.
    pub(crate) fn new<'a>(
        buckets: impl Iterator<Item = &'a Bucket>,
        folder: Option<&Path>,
        url: &str,
        time: &LocalTime,
    ) -> Result<Self, FilesError> {
        let folder = Folder::new(folder)?;
        let buckets: BTreeMap<_, _> = buckets.map(|bucket| (bucket.name.clone(), bucket.cors.clone())).collect();
        for bucket in buckets.keys() {
            std::fs::create_dir_all(folder.path.join(bucket))?;
        }
        let files =
            s3s_fs::FileSystem::new(&folder.path).map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        let mut secret = [0_u8; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| FilesError::Key)?;
        Ok(Self {
            service: S3ServiceBuilder::new(files).build(),
            versions: Versions::new(&folder.path),
            buckets,
            url: url.to_owned(),
            secret: hex::encode(secret),
            time: time.clone(),
            signers: Mutex::default(),
            _folder: folder,
        })
    }

    /// Where it is served.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Whether a request is for it.
    pub(super) fn is_at(&self, uri: &str) -> bool {
        uri.strip_prefix(&self.url).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// The key with which a caller signs.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// Makes a caller known by the access key that they sign with.
    pub(super) fn know(&self, access_key: &str, caller: &Caller) {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        signers.insert(access_key.to_owned(), caller.clone());
    }

    fn signer(&self, access_key: &str) -> Option<Caller> {
        self.signers.lock().unwrap_or_else(PoisonError::into_inner).get(access_key).cloned()
    }

    /// Answers a caller in process, whose signature nobody need check.
    pub(super) async fn answer(&self, caller: &Caller, request: Request<s3s::Body>) -> Response<s3s::Body> {
        match asked(request.method(), request.uri()) {
            Some(asked) => self.object(caller, asked, request).await,
            None => not_local(),
        }
    }

    /// The address under which signed requests are served.
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        Router::new().fallback(served).with_state(self)
    }

    /// Answers what comes over HTTP: browsers' questions, and requests whose address is signed.
    async fn over_http(&self, request: Request<s3s::Body>) -> Response<s3s::Body> {
        let (parts, body) = request.into_parts();
        let bucket = parts.uri.path().split('/').nth(1).unwrap_or_default();
        let rules = self.buckets.get(bucket).map(Vec::as_slice).unwrap_or_default();
        if parts.method == Method::OPTIONS {
            let refused = || error(StatusCode::FORBIDDEN, "AccessForbidden", "This CORS request is not allowed.");
            return cors::preflight(rules, &parts).unwrap_or_else(refused);
        }
        let (headers, method) = (parts.headers.clone(), parts.method.clone());
        let mut answer = self.signed(parts, body).await;
        cors::allow(rules, &headers, method.as_str(), &mut answer);
        answer
    }

    async fn signed(&self, parts: Parts, body: s3s::Body) -> Response<s3s::Body> {
        let of_signer = |access_key: &str| self.signer(access_key).map(|signer| (signer, self.secret.clone()));
        let (caller, uri) = match presigned::check(&parts, self.time_now(), of_signer) {
            Ok(checked) => checked,
            Err(refused) => return error(StatusCode::FORBIDDEN, refused.code, refused.message),
        };
        let mut request = Request::from_parts(parts, body);
        *request.uri_mut() = uri;
        match asked(request.method(), request.uri()) {
            Some(asked) => self.object(&caller, asked, request).await,
            None => not_local(),
        }
    }

    fn time_now(&self) -> domain::Timestamp {
        use runtime::Clock as _;
        self.time.now()
    }

    /// One operation on one object; the answer to HEAD has no body, not even that of an error.
    async fn object(&self, caller: &Caller, asked: Asked, request: Request<s3s::Body>) -> Response<s3s::Body> {
        let head = request.method() == Method::HEAD;
        let answer = self.object_with_body(caller, asked, request).await;
        if head { answer.map(|_| s3s::Body::empty()) } else { answer }
    }

    async fn object_with_body(
        &self,
        caller: &Caller,
        asked: Asked,
        request: Request<s3s::Body>,
    ) -> Response<s3s::Body> {
        let object = format!("{}/{}", bucket_arn(&asked.bucket), asked.key);
        if let Err(Denied(message)) = caller.may(asked.action, &object) {
            return error(StatusCode::FORBIDDEN, "AccessDenied", &message);
        }
        if !self.buckets.contains_key(&asked.bucket) {
            return error(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist");
        }
        if request.method() == Method::PUT {
            let (version, writing) = self.versions.next(&asked.bucket, &asked.key);
            let answer = self.version(&asked, &version, request).await;
            // the service behind checks sums when the file is already there
            if answer.status().is_success() {
                writing.keep();
            }
            return answer;
        }
        let version = match &asked.version {
            Some(version) if self.versions.has(&asked.bucket, &asked.key, version) => version.clone(),
            Some(_) => {
                return error(StatusCode::NOT_FOUND, "NoSuchVersion", "The specified version does not exist.");
            }
            None => match self.versions.newest(&asked.bucket, &asked.key) {
                Some(version) => version,
                None => return absent(caller, &asked.bucket),
            },
        };
        self.version(&asked, &version, request).await
    }

    /// One operation on one version, which is an object of its own to the service behind.
    async fn version(&self, asked: &Asked, version: &str, mut request: Request<s3s::Body>) -> Response<s3s::Body> {
        let Ok(uri) = format!("/{}/{}/{}", asked.bucket, asked.key, versions::name(version)).parse::<Uri>() else {
            return error(StatusCode::BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI.");
        };
        *request.uri_mut() = uri;
        request.headers_mut().remove(header::AUTHORIZATION);
        let mut answer = match self.service.call(request).await {
            Ok(answer) => answer,
            Err(failed) => {
                tracing::warn!(error = ?failed, "an object was not transferred");
                error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "We encountered an internal error.")
            }
        };
        if answer.status().is_success()
            && let Ok(version) = HeaderValue::from_str(version)
        {
            answer.headers_mut().insert(VERSION_ID, version);
        }
        answer
    }
}

/// Nothing lies there; whoever may not list a bucket is not told so.
fn absent(caller: &Caller, bucket: &str) -> Response<s3s::Body> {
    match caller.may("s3:ListBucket", &bucket_arn(bucket)) {
        Ok(()) => error(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
        Err(Denied(message)) => error(StatusCode::FORBIDDEN, "AccessDenied", &message),
    }
}

async fn served(State(s3): State<Arc<S3>>, request: Incoming) -> Outgoing {
    let answer = s3.over_http(request.map(s3s::Body::http_body_unsync)).await;
    answer.map(axum::body::Body::new)
}

/// What a request in path style asks for; `None` for what does not run locally.
fn asked(method: &Method, uri: &Uri) -> Option<Asked> {
    let (bucket, key) = uri.path().strip_prefix('/')?.split_once('/')?;
    let query: BTreeMap<_, _> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
    if bucket.is_empty() || key.is_empty() || query.keys().any(|name| name != "x-id" && name != "versionId") {
        return None;
    }
    let version = query.get("versionId").map(|version| version.clone().into_owned());
    let (operation, action) = match (method, &version) {
        (&Method::PUT, None) => ("PutObject", "s3:PutObject"),
        (&Method::GET, None) => ("GetObject", "s3:GetObject"),
        (&Method::GET, Some(_)) => ("GetObject", "s3:GetObjectVersion"),
        (&Method::HEAD, None) => ("HeadObject", "s3:GetObject"),
        (&Method::HEAD, Some(_)) => ("HeadObject", "s3:GetObjectVersion"),
        _ => return None,
    };
    Some(Asked { operation, action, bucket: bucket.to_owned(), key: key.to_owned(), version })
}

fn not_local() -> Response<s3s::Body> {
    error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "this operation of S3 does not run locally")
}

/// S3's error document.
fn error(status: StatusCode, code: &str, message: &str) -> Response<s3s::Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(s3s::Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// What a request does, and to which object, for who counts calls.
pub(super) fn asked_of<B>(request: &Request<B>) -> (&'static str, String) {
    match asked(request.method(), request.uri()) {
        Some(asked) => (asked.operation, format!("{}/{}", asked.bucket, asked.key)),
        None => ("NotImplemented", String::new()),
    }
}

/// An answer for the SDK's client, whole.
pub(super) async fn whole(answer: Response<s3s::Body>) -> Result<Response<SdkBody>, s3s::StdError> {
    let (parts, body) = answer.into_parts();
    Ok(Response::from_parts(parts, SdkBody::from(body.collect().await?.to_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_nobody_asked_to_keep_go_with_the_host() {
        let folder = Folder::new(None).unwrap();
        let path = folder.path.clone();
        std::fs::write(path.join("file"), "content").unwrap();
        drop(folder);
        assert!(!path.exists());

        let kept = std::env::temp_dir().join(format!("pipworks-kept-{}", std::process::id()));
        drop(Folder::new(Some(&kept)).unwrap());
        assert!(kept.exists());
        std::fs::remove_dir_all(kept).unwrap();
    }
}
