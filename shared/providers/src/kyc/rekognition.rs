//! Amazon Rekognition: faces compared, and Face Liveness.
//!
//! It answers `InvalidParameterException` where a picture has no face, and the same where a parameter really is wrong, so then
//! both pictures are looked at to tell. It is asked for every likeness from 0 on: its own threshold would keep the figure of those
//! below to itself. `SUCCEEDED` of a check of liveness means that it ran.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::header::{CONTENT_TYPE, HOST};
use ::http::{Method, Request, Response};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use super::call::{is_plain, text};
use super::faces::{Comparison, Faces, Liveness, NoFace, Percent, Picture};
use super::{CheckId, Label, VendorError};
use crate::Clock;
use crate::http::{BoxFuture, Transport};

const NO_FACE_OR_WRONG: &str = "InvalidParameterException";
/// Longest token that makes a repeat the same session.
const TOKEN_CHARS_MAX: usize = 64;
const NO_SESSION: &str = "SessionNotFoundException";

/// Faces over Amazon Rekognition.
pub struct Rekognition {
    /// `https://rekognition.<region>.amazonaws.com`.
    pub base_url: Url,
    /// The region that signatures are for.
    pub region: String,
    /// Whose calls they are.
    pub credentials: SharedCredentialsProvider,
    /// For the time of signatures.
    pub clock: Clock,
    /// How requests reach the service.
    pub transport: Arc<dyn Transport>,
    /// Longest a call may take.
    pub timeout: Duration,
}

/// Why there is no result: the service's own exception, or what else happened.
enum Failure {
    Exception(String),
    Other(VendorError),
}

impl Failure {
    fn is(&self, exception: &str) -> bool {
        matches!(self, Self::Exception(name) if name == exception)
    }
}

impl From<Failure> for VendorError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Exception(name) => Self::Refused(name),
            Failure::Other(error) => error,
        }
    }
}

impl From<VendorError> for Failure {
    fn from(error: VendorError) -> Self {
        Self::Other(error)
    }
}

impl Rekognition {
    async fn compare_faces(
        &self,
        selfie: &Picture,
        document: &Picture,
        threshold: Percent,
    ) -> Result<Comparison, VendorError> {
        // of several faces in the source the largest counts, in the target each
        let order = json!({
            "SourceImage": image(selfie), "TargetImage": image(document), "SimilarityThreshold": 0, "QualityFilter": "NONE",
        });
        let answer = match self.call("CompareFaces", &order).await {
            Ok(answer) => answer,
            Err(failure) if failure.is(NO_FACE_OR_WRONG) => return self.tell_apart(selfie, document).await,
            Err(failure) => return Err(failure.into()),
        };
        let matches = answer.get("FaceMatches").and_then(Value::as_array);
        let matches = matches.ok_or_else(|| VendorError::Unknown("answer has no matches".to_owned()))?;
        let figures = matches.iter().map(|face| Percent::read(face.get("Similarity"))).collect::<Option<Vec<_>>>();
        let figures = figures.ok_or_else(|| VendorError::Unknown("a match has no similarity".to_owned()))?;
        Ok(match figures.into_iter().max() {
            Some(similarity) if similarity >= threshold => Comparison::Same { similarity },
            similarity => Comparison::Different { similarity },
        })
    }

    /// Whether a picture has no face, or something else is wrong.
    async fn tell_apart(&self, selfie: &Picture, document: &Picture) -> Result<Comparison, VendorError> {
        if !self.has_face(selfie).await? {
            return Ok(Comparison::Retake(NoFace::Selfie));
        }
        if !self.has_face(document).await? {
            return Ok(Comparison::Retake(NoFace::Document));
        }
        Err(VendorError::Refused(NO_FACE_OR_WRONG.to_owned()))
    }

    async fn has_face(&self, picture: &Picture) -> Result<bool, VendorError> {
        let answer = self.call("DetectFaces", &json!({"Image": image(picture)})).await?;
        let faces = answer.get("FaceDetails").and_then(Value::as_array);
        let faces = faces.ok_or_else(|| VendorError::Unknown("answer has no faces".to_owned()))?;
        Ok(!faces.is_empty())
    }

    async fn create_session(&self, attempt: &CheckId) -> Result<String, VendorError> {
        // cut, it could be somebody else's
        if attempt.as_str().len() > TOKEN_CHARS_MAX {
            return Err(VendorError::Refused("the id of the attempt is too long".to_owned()));
        }
        let order = json!({"ClientRequestToken": attempt.as_str(), "Settings": {"AuditImagesLimit": 0}});
        let answer = self.call("CreateFaceLivenessSession", &order).await?;
        let id = text(&answer, "/SessionId").filter(|id| is_plain(id)).map(str::to_owned);
        id.ok_or_else(|| VendorError::Unknown("session has no id".to_owned()))
    }

    async fn session(&self, session: &str, threshold: Percent) -> Result<Option<Liveness>, VendorError> {
        let answer = match self.call("GetFaceLivenessSessionResults", &json!({"SessionId": session})).await {
            Ok(answer) => answer,
            Err(failure) if failure.is(NO_SESSION) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        if text(&answer, "/SessionId") != Some(session) {
            return Err(VendorError::Unknown("answer is another session".to_owned()));
        }
        let has_reference = answer.get("ReferenceImage").is_some_and(Value::is_object);
        let unreadable = || VendorError::Unknown("session has no known status or no confidence".to_owned());
        Ok(Some(match text(&answer, "/Status") {
            Some("CREATED" | "IN_PROGRESS") => Liveness::Pending,
            Some("EXPIRED") => Liveness::Expired,
            Some("FAILED") => Liveness::Retake,
            Some("SUCCEEDED") if !has_reference => Liveness::Retake,
            Some("SUCCEEDED") => match Percent::read(answer.get("Confidence")).ok_or_else(unreadable)? {
                confidence if confidence >= threshold => Liveness::Live { confidence },
                confidence => Liveness::NotLive { confidence },
            },
            _ => return Err(unreadable()),
        }))
    }

    async fn call(&self, operation: &str, order: &Value) -> Result<Value, Failure> {
        let request = self.request(operation, order).await?;
        let response = self.transport.send(request, self.timeout).await.map_err(VendorError::from)?;
        read(&response)
    }

    async fn request(&self, operation: &str, order: &Value) -> Result<Request<Bytes>, VendorError> {
        let bad = |what: &str| VendorError::Misconfigured(format!("a call cannot be signed: {what}"));
        let credentials = self.credentials.provide_credentials().await.map_err(|_| bad("there are no credentials"))?;
        let host = self.base_url.host_str().ok_or_else(|| bad("the address has no host"))?;
        let host = self.base_url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let body = Bytes::from(order.to_string());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.base_url.as_str())
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("RekognitionService.{operation}"))
            .body(body.clone())
            .map_err(|_| bad("the address"))?;
        let identity = credentials.into();
        let millis = u64::try_from((self.clock)().millis()).unwrap_or_default();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("rekognition")
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| bad("the parameters"))?
            .into();
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new("POST", self.base_url.as_str(), headers, SignableBody::Bytes(&body));
        let (instructions, _) =
            signable.and_then(|signable| sign(signable, &parameters)).map_err(|_| bad("the request"))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

impl Faces for Rekognition {
    fn compare<'a>(
        &'a self,
        selfie: &'a Picture,
        document: &'a Picture,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Comparison, VendorError>> {
        Box::pin(async move {
            // all calls in the time of one
            let compared = tokio::time::timeout(self.timeout, self.compare_faces(selfie, document, threshold)).await;
            compared.unwrap_or_else(|_| Err(VendorError::unavailable("time is over")))
        })
    }

    fn begin_liveness<'a>(&'a self, attempt: &'a CheckId) -> BoxFuture<'a, Result<String, VendorError>> {
        Box::pin(self.create_session(attempt))
    }

    fn liveness<'a>(
        &'a self,
        session: &'a str,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Option<Liveness>, VendorError>> {
        Box::pin(self.session(session, threshold))
    }
}

fn image(picture: &Picture) -> Value {
    match picture {
        Picture::File(bytes) => json!({"Bytes": STANDARD.encode(bytes)}),
        Picture::Stored { bucket, key, version } => {
            json!({"S3Object": {"Bucket": bucket, "Name": key, "Version": version}})
        }
    }
}

fn read(response: &Response<Bytes>) -> Result<Value, Failure> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let status = response.status();
    if status.is_success() {
        let object = body.filter(Value::is_object);
        return object.ok_or_else(|| VendorError::Unknown("body is not a JSON object".to_owned()).into());
    }
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(VendorError::unavailable(format!("HTTP {status}")).into());
    }
    let name = body.as_ref().and_then(|body| text(body, "/__type"));
    let name = name.map(|name| name.rsplit('#').next().unwrap_or(name)).and_then(Label::of);
    let name = name.ok_or_else(|| VendorError::Misconfigured(format!("HTTP {status}: this is not the service")))?;
    Err(match name.as_str() {
        "ThrottlingException" | "ProvisionedThroughputExceededException" | "LimitExceededException" => {
            VendorError::unavailable(name.as_str()).into()
        }
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException"
        | "InvalidS3ObjectException" => VendorError::Misconfigured(name.as_str().to_owned()).into(),
        exception => Failure::Exception(exception.to_owned()),
    })
}
