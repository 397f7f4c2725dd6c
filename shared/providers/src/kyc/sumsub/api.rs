//! The calls: look an applicant up by our id, make one, make its link, ask for one.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderValue, Method, Request};
use bytes::Bytes;
use domain::Redacted;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Sumsub, event, signature};
use crate::kyc::call::{self, Answer};
use crate::kyc::{Applicant, CheckId, Started, VendorError, Verdict};
use crate::template;

impl Sumsub {
    /// Opens a check, all calls in the time of one.
    pub(super) async fn open(&self, applicant: &Applicant, check: &CheckId) -> Result<Started, VendorError> {
        let opened = tokio::time::timeout(self.settings.timeout, self.find_or_make(applicant, check)).await;
        opened.unwrap_or_else(|_| Err(VendorError::unavailable("time is over")))
    }

    async fn find_or_make(&self, applicant: &Applicant, check: &CheckId) -> Result<Started, VendorError> {
        let reference = match self.find(check).await? {
            Some(reference) => reference,
            None => match self.make(applicant, check).await {
                // somebody made it between the two calls; or it is there, and busy
                Err(error @ VendorError::Unavailable { .. }) => self.find(check).await?.ok_or(error)?,
                made => made?,
            },
        };
        Ok(Started { reference, link: Some(self.link(applicant, check).await?) })
    }

    /// The applicant that has our id.
    async fn find(&self, check: &CheckId) -> Result<Option<String>, VendorError> {
        let target = format!("/resources/applicants/-;externalUserId={check}/one");
        let answer = call::ask(&self.settings, self.request(Method::GET, &target, Bytes::new())?).await?;
        answer.map(|answer| reference(&answer, check)).transpose()
    }

    async fn make(&self, applicant: &Applicant, check: &CheckId) -> Result<String, VendorError> {
        let target = format!("/resources/applicants?levelName={}", template::encode(&self.settings.flow));
        let (first, last) = applicant.two_names();
        let mut info = Map::from_iter([("firstName".to_owned(), json!(first)), ("lastName".to_owned(), json!(last))]);
        insert(&mut info, "dob", applicant.date_of_birth.as_ref());
        let mut body = Map::from_iter([
            ("externalUserId".to_owned(), json!(check.as_str())),
            ("fixedInfo".to_owned(), Value::Object(info)),
            ("lang".to_owned(), json!(applicant.language)),
        ]);
        insert(&mut body, "email", applicant.email.as_ref());
        insert(&mut body, "phone", applicant.phone.as_ref());
        let body = Bytes::from(Value::Object(body).to_string());
        let answer = call::order(&self.settings, self.request(Method::POST, &target, body)?).await?;
        reference(&answer, check)
    }

    /// Where the client goes; each call makes a new link to the same applicant.
    async fn link(&self, applicant: &Applicant, check: &CheckId) -> Result<Url, VendorError> {
        let target =
            format!("/resources/sdkIntegrations/levels/-/websdkLink?lang={}", template::encode(&applicant.language));
        let mut body = json!({
            "levelName": self.settings.flow, "userId": check.as_str(), "ttlInSecs": self.settings.link_life.0,
        });
        if let (Some(members), Some(url)) = (body.as_object_mut(), &self.settings.return_url) {
            members.insert("redirect".to_owned(), json!({"successUrl": url.as_str(), "rejectUrl": url.as_str()}));
        }
        let request = self.request(Method::POST, &target, Bytes::from(body.to_string()))?;
        let answer = call::order(&self.settings, request).await?;
        let url = answer.text("/url").and_then(|url| Url::parse(url).ok());
        url.ok_or_else(|| VendorError::Unknown("answer has no link".to_owned()))
    }

    /// Where an applicant stands.
    pub(super) async fn applicant(&self, reference: &str) -> Result<Option<Verdict>, VendorError> {
        if !call::is_plain(reference) {
            return Ok(None);
        }
        let target = format!("/resources/applicants/{reference}/one");
        let answer = call::ask(&self.settings, self.request(Method::GET, &target, Bytes::new())?).await?;
        let Some(answer) = answer else { return Ok(None) };
        if answer.text("/id") != Some(reference) {
            return Err(VendorError::Unknown("answer is another applicant".to_owned()));
        }
        let ours = answer.text("/externalUserId").and_then(|id| id.parse().ok());
        let outcome = event::standing(&answer.body, &self.settings);
        Ok(Some(Verdict { reference: reference.to_owned(), ours, outcome, at: answer.at }))
    }

    fn request(&self, method: Method, target: &str, body: Bytes) -> Result<Request<Bytes>, VendorError> {
        let bad = || VendorError::Misconfigured("base URL or credentials cannot be sent".to_owned());
        let url = Url::parse(&self.settings.url(target)).map_err(|_| bad())?;
        // what is signed is what is sent, a path before the vendor's own included
        let sent = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let time = (self.settings.clock)().seconds().to_string();
        let signature = signature::of_request(&self.credentials.secret_key, &time, method.as_str(), &sent, &body);
        let mut token = HeaderValue::from_str(self.credentials.app_token.expose_secret()).map_err(|_| bad())?;
        token.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("x-app-token", token)
            .header("x-app-access-ts", time)
            .header("x-app-access-sig", signature.ok_or_else(bad)?)
            .body(body)
            .map_err(|_| bad())
    }
}

fn insert(members: &mut Map<String, Value>, name: &str, value: Option<&Redacted<String>>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), json!(value.reveal()));
    }
}

/// The applicant's id, if it is the one of our id.
fn reference(answer: &Answer, check: &CheckId) -> Result<String, VendorError> {
    if answer.text("/externalUserId") != Some(check.as_str()) {
        return Err(VendorError::Unknown("answer is another applicant".to_owned()));
    }
    let id = answer.text("/id").filter(|id| call::is_plain(id)).map(str::to_owned);
    id.ok_or_else(|| VendorError::Unknown("applicant has no id".to_owned()))
}
