//! S3 over HTTP: the few of its requests that we need, sent by the machinery that the SDK's clients are made of, with their time-outs and
//! attempts. The SDK's own client of S3 takes longer to compile than any other crate here, and one and a half megabytes of every binary.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, Method, Request, Uri};
use runtime::rehearsal::stops_at;
use url::form_urlencoded::byte_serialize;

use crate::FileVersion;
use crate::error::{FilesError, S3Error, SendError};

/// The longest that a signed address may be good for: a week.
const EXPIRES_MAX: Duration = Duration::from_secs(604_800);

/// A bucket, and how it is reached.
#[derive(Clone)]
pub(crate) struct Bucket {
    aws: SdkConfig,
    pub(crate) name: String,
    /// Made with the first call: an init does not wait for it.
    send: Arc<OnceLock<Send>>,
}

type Send = Operation<Signed, Answer, S3Error>;

/// A request as it goes out.
#[derive(Debug)]
struct Signed(Request<Bytes>);

/// A successful answer, its content not read yet.
#[derive(Debug)]
pub(crate) struct Answer {
    headers: Vec<(String, String)>,
    pub(crate) body: SdkBody,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// How a request is signed.
enum Signature {
    /// In its headers, with its body.
    Header(SystemTime),
    /// In its address, which is good for so long.
    Address(SystemTime, Duration),
}

impl Bucket {
    pub(crate) fn new(aws: &SdkConfig, name: &str) -> Self {
        Self { aws: aws.clone(), name: name.to_owned(), send: Arc::default() }
    }

    /// Sends a request about a key; what S3 made of it.
    ///
    /// # Errors
    /// When it cannot be sent at all.
    pub(crate) async fn send(
        &self,
        method: Method,
        key: &str,
        version: Option<&FileVersion>,
        (headers, body): (&[(HeaderName, &str)], Bytes),
    ) -> Result<Result<Answer, SendError>, FilesError> {
        if method != Method::GET && method != Method::HEAD && stops_at(|| "a file".to_owned()) {
            return Err(FilesError::Unavailable("a rehearsal sends nothing".to_owned()));
        }
        let request = self.request(method, key, version, headers, body)?;
        let signed = self.signed(request, &Signature::Header(SystemTime::now())).await?;
        Ok(self.operation().invoke(Signed(signed)).await)
    }

    /// The address of an upload that has these headers.
    pub(crate) async fn address(
        &self,
        key: &str,
        headers: &[(HeaderName, &str)],
        begins: SystemTime,
        valid_for: Duration,
    ) -> Result<String, FilesError> {
        if valid_for.is_zero() || valid_for > EXPIRES_MAX {
            return Err(FilesError::Malformed("an address is good for a week at most".to_owned()));
        }
        let request = self.request(Method::PUT, key, None, headers, Bytes::new())?;
        Ok(self.signed(request, &Signature::Address(begins, valid_for)).await?.uri().to_string())
    }

    /// Where S3 is when it is not at AWS.
    fn elsewhere(&self) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = self.aws.service_config().zip(key.ok()).and_then(|(services, key)| services.load_config(key));
        own.or_else(|| self.aws.endpoint_url().map(str::to_owned))
    }

    /// Scheme and host, and the path of the bucket.
    fn place(&self) -> Result<(String, String), FilesError> {
        match self.elsewhere() {
            // a bucket has no host name of its own there
            Some(url) => Ok((url.trim_end_matches('/').to_owned(), format!("/{}", self.name))),
            None => {
                let region = self.aws.region().ok_or_else(|| not_set_up("there is no region"))?;
                let china = if region.as_ref().starts_with("cn-") { ".cn" } else { "" };
                Ok((format!("https://{}.s3.{region}.amazonaws.com{china}", self.name), String::new()))
            }
        }
    }

    fn request(
        &self,
        method: Method,
        key: &str,
        version: Option<&FileVersion>,
        headers: &[(HeaderName, &str)],
        body: Bytes,
    ) -> Result<Request<Bytes>, FilesError> {
        let (origin, path) = self.place()?;
        let version: String = version.iter().flat_map(|version| byte_serialize(version.0.as_bytes())).collect();
        let query = if version.is_empty() { version } else { format!("?versionId={version}") };
        let uri: Uri = format!("{origin}{path}/{key}{query}").parse().map_err(|_| not_set_up("the address"))?;
        let host = uri.authority().map(ToString::to_string).ok_or_else(|| not_set_up("the address has no host"))?;
        let mut request = Request::builder().method(method).uri(uri).header(HOST, host);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.body(body).map_err(|_| FilesError::Malformed("a header cannot be sent".to_owned()))
    }

    async fn signed(&self, mut request: Request<Bytes>, how: &Signature) -> Result<Request<Bytes>, FilesError> {
        let provider = self.aws.credentials_provider().ok_or_else(|| not_set_up("there are no credentials"))?;
        let credentials = aws_credential_types::provider::ProvideCredentials::provide_credentials(&provider).await;
        let identity = credentials.map_err(|_| not_set_up("there are no credentials"))?.into();
        let region = self.aws.region().ok_or_else(|| not_set_up("there is no region"))?;
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let (time, content) = match how {
            Signature::Header(now) => {
                settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
                (*now, SignableBody::Bytes(request.body()))
            }
            Signature::Address(begins, valid_for) => {
                settings.signature_location = SignatureLocation::QueryParams;
                settings.expires_in = Some(*valid_for);
                (*begins, SignableBody::UnsignedPayload)
            }
        };
        let parameters = SigningParams::builder().identity(&identity).region(region.as_ref()).name("s3").time(time);
        let parameters = parameters.settings(settings).build().map_err(|_| not_set_up("the parameters"))?.into();
        let headers = texts(request.headers());
        let address = request.uri().to_string();
        let signable = SignableRequest::new(request.method().as_str(), address, headers, content);
        let signed = signable.and_then(|signable| sign(signable, &parameters));
        let (instructions, _) = signed.map_err(|_| not_set_up("the request cannot be signed"))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }

    fn operation(&self) -> &Send {
        self.send.get_or_init(|| {
            let (origin, _) = self.place().unwrap_or_default();
            let operation = Operation::builder()
                .service_name("S3")
                .operation_name("Object")
                .behavior_version(runtime::aws::behavior())
                .endpoint_url(&origin)
                .no_auth()
                .standard_retry(&self.aws.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
                .retry_classifier(HttpStatusCodeClassifier::default())
                .retry_classifier(TransientErrorClassifier::<S3Error>::new())
                .timeout_config(self.aws.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
                .serializer(|signed: Signed| {
                    let (head, body) = signed.0.into_parts();
                    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
                    let mut request = Request::builder().method(head.method).uri(path);
                    for (name, value) in &head.headers {
                        request = request.header(name, value);
                    }
                    Ok(HttpRequest::try_from(request.body(SdkBody::from(body))?)?)
                })
                .deserializer_impl::<Answer, S3Error>(Heads);
            match self.aws.http_client() {
                Some(client) => operation.http_client(client).build(),
                None => operation.build(),
            }
        })
    }
}

/// Reads what an answer says of itself, and leaves its content to whoever knows how much of it he wants.
#[derive(Debug)]
struct Heads;

impl DeserializeResponse for Heads {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        if !response.status().is_success() {
            return None;
        }
        let headers = response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Ok(Output::erase(Answer { headers, body: response.take_body() })))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let error = S3Error::read(response.status().as_u16(), response.body().bytes().unwrap_or_default());
        Err(OrchestratorError::operation(Error::erase(error)))
    }
}

fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

fn not_set_up(what: &str) -> FilesError {
    FilesError::NotSetUp(what.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::region::Region;

    use super::*;

    fn bucket(region: &'static str) -> Bucket {
        // the example of AWS's documentation of signed addresses
        let credentials =
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "test");
        let aws = SdkConfig::builder()
            .region(Region::from_static(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Bucket::new(&aws, "examplebucket")
    }

    #[tokio::test]
    async fn a_bucket_at_aws_has_a_host_of_its_own() {
        for (region, host) in [
            ("eu-west-1", "https://examplebucket.s3.eu-west-1.amazonaws.com/"),
            ("cn-north-1", "https://examplebucket.s3.cn-north-1.amazonaws.com.cn/"),
        ] {
            let begins = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
            let address = bucket(region).address("a/b", &[], begins, Duration::from_secs(60)).await.unwrap();
            assert!(address.starts_with(&format!("{host}a/b?")), "{address}");
            assert!(address.contains("X-Amz-Date=20130524T000000Z"), "{address}");
        }
    }

    /// The request of the examples in Amazon's "Signature Version 4" pages of S3, whose signatures are given there.
    fn example(range: &[(HeaderName, &str)]) -> Request<Bytes> {
        let mut request = Request::get("https://examplebucket.s3.amazonaws.com/test.txt");
        request = request.header(HOST, "examplebucket.s3.amazonaws.com");
        for (name, value) in range {
            request = request.header(name, *value);
        }
        request.body(Bytes::new()).unwrap()
    }

    const MAY_24_OF_2013: Duration = Duration::from_secs(1_369_353_600);

    #[tokio::test]
    async fn a_request_is_signed_as_the_documentation_signs_it() {
        let time = SystemTime::UNIX_EPOCH + MAY_24_OF_2013;
        let request = example(&[(http::header::RANGE, "bytes=0-9")]);
        let signed = bucket("us-east-1").signed(request, &Signature::Header(time)).await.unwrap();
        assert_eq!(
            signed.headers().get("authorization").and_then(|value| value.to_str().ok()),
            Some(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
                 Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            )
        );
    }

    #[tokio::test]
    async fn an_address_is_signed_as_the_documentation_signs_it() {
        let how = Signature::Address(SystemTime::UNIX_EPOCH + MAY_24_OF_2013, Duration::from_secs(86_400));
        let signed = bucket("us-east-1").signed(example(&[]), &how).await.unwrap();
        let address = signed.uri().to_string();
        let signature = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(address.contains(signature), "{address}");
    }

    #[tokio::test]
    async fn an_address_that_is_good_for_too_long_or_not_at_all_is_not_signed() {
        for span in [Duration::ZERO, EXPIRES_MAX + Duration::from_secs(1)] {
            let refused = bucket("eu-west-1").address("a", &[], SystemTime::UNIX_EPOCH, span).await.err();
            assert!(matches!(refused, Some(FilesError::Malformed(_))), "{refused:?}");
        }
    }
}
