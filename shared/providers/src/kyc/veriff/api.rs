//! The calls: make a session, ask for its decision. The body is signed where there is one, else the session's id.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, Method, Request};
use bytes::Bytes;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::{HEADER, Veriff, event};
use crate::kyc::call;
use crate::kyc::{Applicant, CheckId, Outcome, Started, VendorError, Verdict};
use crate::signature::hmac_sha256;

impl Veriff {
    pub(super) async fn open(&self, applicant: &Applicant, check: &CheckId) -> Result<Started, VendorError> {
        let (first, last) = applicant.two_names();
        let mut verification = json!({
            "person": {"firstName": first, "lastName": last}, "vendorData": check.as_str(),
        });
        if let (Some(members), Some(url)) = (verification.as_object_mut(), &self.settings.return_url) {
            members.insert("callback".to_owned(), json!(url.as_str()));
        }
        let body = Bytes::from(json!({"verification": verification}).to_string());
        let request = self.request(Method::POST, "/v1/sessions", body.clone(), &body)?;
        let answer = call::order(&self.settings, request).await?;
        if answer.text("/verification/vendorData").is_some_and(|ours| ours != check.as_str()) {
            return Err(VendorError::Unknown("answer is another session".to_owned()));
        }
        let reference = answer.text("/verification/id").filter(|id| call::is_plain(id)).map(str::to_owned);
        let link = answer.text("/verification/url").and_then(|url| Url::parse(url).ok());
        match (reference, link) {
            (Some(reference), Some(link)) => Ok(Started { reference, link: Some(link) }),
            _ => Err(VendorError::Unknown("session has no id or no link".to_owned())),
        }
    }

    /// Where a session stands; there is no decision until there is one.
    pub(super) async fn decision(&self, reference: &str) -> Result<Option<Verdict>, VendorError> {
        if !call::is_plain(reference) {
            return Ok(None);
        }
        let path = format!("/v1/sessions/{reference}/decision");
        let request = self.request(Method::GET, &path, Bytes::new(), reference.as_bytes())?;
        let Some(answer) = call::ask(&self.settings, request).await? else { return Ok(None) };
        let verification = answer.body.get("verification");
        let verification = verification.ok_or_else(|| VendorError::Unknown("answer has no verification".to_owned()))?;
        if !verification.is_null() && answer.text("/verification/id") != Some(reference) {
            return Err(VendorError::Unknown("answer is another session".to_owned()));
        }
        let ours = answer.text("/verification/vendorData").and_then(|id| id.parse().ok());
        Ok(Some(Verdict { reference: reference.to_owned(), ours, outcome: standing(verification), at: answer.at }))
    }

    fn request(&self, method: Method, path: &str, body: Bytes, signed: &[u8]) -> Result<Request<Bytes>, VendorError> {
        let bad = || VendorError::Misconfigured("base URL or credentials cannot be sent".to_owned());
        let secret = self.credentials.shared_secrets.first().ok_or_else(bad)?;
        let signature = hmac_sha256(secret, &[signed]).map(hex::encode).ok_or_else(bad)?;
        let mut key = HeaderValue::from_str(self.credentials.api_key.expose_secret()).map_err(|_| bad())?;
        key.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(self.settings.url(path))
            .header(CONTENT_TYPE, "application/json")
            .header("x-auth-client", key)
            .header(HEADER, signature)
            .body(body)
            .map_err(|_| bad())
    }
}

/// What a verification says when asked for. A decision that nobody knows is a person's.
pub(super) fn standing(verification: &Value) -> Outcome {
    if verification.is_null() {
        return Outcome::Pending;
    }
    event::outcome(verification).unwrap_or_else(|| match verification.get("status").and_then(Value::as_str) {
        Some("created" | "started" | "submitted") => Outcome::Pending,
        _ => Outcome::Review { labels: Vec::new() },
    })
}
