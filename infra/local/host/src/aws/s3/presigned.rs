//! Addresses that are signed: who signed one, and whether a request is the one that was signed.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use domain::{Seconds, Timestamp};
use http::Uri;
use http::request::Parts;
use url::form_urlencoded;

/// The longest that an address may be good for: a week.
const EXPIRES_MAX: u32 = 604_800;
/// How far a signer's clock may be ahead.
const AHEAD: Seconds = Seconds(900);

/// Why a request is refused: as S3 says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

const UNSIGNED: Refused = Refused { code: "AccessDenied", message: "Access Denied" };
const MALFORMED: Refused =
    Refused { code: "AuthorizationQueryParametersError", message: "Error parsing the X-Amz query parameters." };
const EXPIRED: Refused = Refused { code: "AccessDenied", message: "Request has expired" };
const EARLY: Refused = Refused { code: "AccessDenied", message: "Request is not yet valid" };
const UNKNOWN: Refused = Refused {
    code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.",
};
const DIFFERS: Refused = Refused {
    code: "SignatureDoesNotMatch",
    message: "The request signature we calculated does not match the signature you provided.",
};
const MORE_HEADERS: Refused =
    Refused { code: "AccessDenied", message: "There were headers present in the request which were not signed" };

/// What the query says of the signature.
struct Claim {
    access_key: String,
    region: String,
    at: Timestamp,
    expires: u32,
    headers: Vec<String>,
    signature: String,
}

/// The signer of a request and its address without the signature.
///
/// The request is signed once more, as it came, and the two signatures are compared: so whatever was signed cannot differ.
pub(super) fn check<S>(
    request: &Parts,
    now: Timestamp,
    signer: impl FnOnce(&str) -> Option<(S, String)>,
) -> Result<(S, Uri), Refused> {
    let claim = Claim::read(&request.uri)?;
    if claim.at > now.plus(AHEAD) {
        return Err(EARLY);
    }
    if now > claim.at.plus(Seconds(claim.expires)) {
        return Err(EXPIRED);
    }
    let (signer, secret) = signer(&claim.access_key).ok_or(UNKNOWN)?;
    let unsigned = |name: &str| name.starts_with("x-amz-") && !claim.headers.iter().any(|signed| signed == name);
    if request.headers.keys().any(|name| unsigned(name.as_str())) {
        return Err(MORE_HEADERS);
    }
    let bare = bare(&request.uri).ok_or(MALFORMED)?;
    let again = claim.sign(request, &bare, &secret).ok_or(DIFFERS)?;
    aws_lc_rs::constant_time::verify_slices_are_equal(again.as_bytes(), claim.signature.as_bytes())
        .map_err(|_| DIFFERS)?;
    Ok((signer, bare))
}

impl Claim {
    fn read(uri: &Uri) -> Result<Self, Refused> {
        let query = uri.query().unwrap_or_default().as_bytes();
        let get = |wanted: &str| {
            let mut found = form_urlencoded::parse(query).filter(|(name, _)| name == wanted);
            // one that is there twice is signed in one way and read in another
            found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.into_owned())
        };
        let signature = get("X-Amz-Signature").ok_or(UNSIGNED)?;
        let read = || {
            let credential = get("X-Amz-Credential")?;
            let [access_key, day, region, "s3", "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
                return None;
            };
            let at = get("X-Amz-Date").filter(|at| at.starts_with(day))?;
            let expires = get("X-Amz-Expires")?.parse().ok().filter(|expires| (1..=EXPIRES_MAX).contains(expires))?;
            let algorithm = get("X-Amz-Algorithm")?;
            (algorithm == "AWS4-HMAC-SHA256").then_some(())?;
            Some(Self {
                access_key: access_key.to_owned(),
                region: region.to_owned(),
                at: moment(&at)?,
                expires,
                headers: get("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
                signature,
            })
        };
        read().ok_or(MALFORMED)
    }

    /// The signature that the request would have if it were signed as it is.
    fn sign(&self, request: &Parts, bare: &Uri, secret: &str) -> Option<String> {
        let host = request.headers.get(http::header::HOST)?.to_str().ok().filter(|host| !host.is_empty())?;
        let address = format!("http://{host}{bare}");
        let mut headers = Vec::new();
        for name in self.headers.iter().filter(|name| *name != "host") {
            // one that is not there, or there twice, is not what was signed
            let mut values = request.headers.get_all(name).iter();
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            headers.push((name.as_str(), value.to_str().ok()?));
        }
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(self.expires.into()));
        settings.excluded_headers = None;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity: Identity = Credentials::new(&self.access_key, secret, None, None, "local").into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at.millis()).ok()?))
            .settings(settings)
            .build()
            .ok()?
            .into();
        let method = request.method.as_str();
        let signable =
            SignableRequest::new(method, address, headers.into_iter(), SignableBody::UnsignedPayload).ok()?;
        sign(signable, &parameters).ok().map(|signed| signed.signature().to_owned())
    }
}

/// The address without what the signature added to it.
fn bare(uri: &Uri) -> Option<Uri> {
    let rest: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.starts_with("X-Amz-") && !pair.is_empty())
        .collect();
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    format!("{}{query}", uri.path()).parse().ok()
}

/// `20261129T101500Z`.
fn moment(text: &str) -> Option<Timestamp> {
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Timestamp::from_millis(at.as_millisecond())
}
