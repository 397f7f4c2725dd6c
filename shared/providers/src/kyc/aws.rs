//! Services of AWS that look at pictures: one signed call, and what its failures say.

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

use super::call::text;
use super::faces::Picture;
use super::{Label, VendorError};
use crate::Clock;
use crate::http::Transport;

/// Where a service is and who asks it.
pub struct AwsService {
    /// `https://<service>.<region>.amazonaws.com`.
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
pub(super) enum Failure {
    Exception(String),
    Other(VendorError),
}

impl Failure {
    pub(super) fn is(&self, exception: &str) -> bool {
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

impl AwsService {
    pub(super) async fn call(&self, service: (&str, &str), operation: &str, order: &Value) -> Result<Value, Failure> {
        let request = self.request(service, operation, order).await?;
        let response = self.transport.send(request, self.timeout).await.map_err(VendorError::from)?;
        read(&response)
    }

    async fn request(
        &self,
        (service, target): (&str, &str),
        operation: &str,
        order: &Value,
    ) -> Result<Request<Bytes>, VendorError> {
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
            .header("x-amz-target", format!("{target}.{operation}"))
            .body(body.clone())
            .map_err(|_| bad("the address"))?;
        let identity = credentials.into();
        let millis = u64::try_from((self.clock)().millis()).unwrap_or_default();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
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

/// A picture as these services take it.
pub(super) fn image(picture: &Picture) -> Value {
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
