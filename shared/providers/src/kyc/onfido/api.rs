//! The calls: look for an open run with our id, make an applicant and a run, ask for a run or check.

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::{HeaderValue, Method, Request};
use bytes::Bytes;
use domain::Redacted;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Onfido, event};
use crate::kyc::call::{self, text};
use crate::kyc::{Applicant, CheckId, Started, VendorError, Verdict};

impl Onfido {
    /// Opens a check, all calls in the time of one.
    pub(super) async fn open(&self, applicant: &Applicant, check: &CheckId) -> Result<Started, VendorError> {
        let opened = tokio::time::timeout(self.settings.timeout, self.find_or_make(applicant, check)).await;
        opened.unwrap_or_else(|_| Err(VendorError::unavailable("time is over")))
    }

    async fn find_or_make(&self, applicant: &Applicant, check: &CheckId) -> Result<Started, VendorError> {
        if let Some(run) = self.find(check).await? {
            return started(&run);
        }
        let applicant = self.make_applicant(applicant).await?;
        let run = self.make_run(&applicant, check).await?;
        started(&run)
    }

    /// A run of our workflow that has our id and waits for the client. One that is over is no answer to a new check.
    async fn find(&self, check: &CheckId) -> Result<Option<Value>, VendorError> {
        let request = self.request(Method::GET, &format!("/workflow_runs?tags={check}&sort=desc"), Bytes::new())?;
        let runs = call::ask_list(&self.settings, request).await?;
        Ok(runs.into_iter().find(|run| {
            text(run, "/customer_user_id") == Some(check.as_str())
                && text(run, "/workflow_id") == Some(self.settings.flow.as_str())
                && matches!(text(run, "/status"), Some("awaiting_input" | "processing"))
        }))
    }

    async fn make_applicant(&self, applicant: &Applicant) -> Result<String, VendorError> {
        let (first, last) = applicant.two_names();
        let mut body = Map::from_iter([("first_name".to_owned(), json!(first)), ("last_name".to_owned(), json!(last))]);
        insert(&mut body, "dob", applicant.date_of_birth.as_ref());
        insert(&mut body, "email", applicant.email.as_ref());
        insert(&mut body, "phone_number", applicant.phone.as_ref());
        let request = self.request(Method::POST, "/applicants", Bytes::from(Value::Object(body).to_string()))?;
        let answer = call::order(&self.settings, request).await?;
        let id = answer.text("/id").map(str::to_owned);
        id.ok_or_else(|| VendorError::Unknown("applicant has no id".to_owned()))
    }

    async fn make_run(&self, applicant: &str, check: &CheckId) -> Result<Value, VendorError> {
        let mut link = json!({"expires_at": (self.settings.clock)().plus(self.settings.link_life)});
        if let (Some(members), Some(url)) = (link.as_object_mut(), &self.settings.return_url) {
            members.insert("completed_redirect_url".to_owned(), json!(url.as_str()));
        }
        let body = json!({
            "workflow_id": self.settings.flow, "applicant_id": applicant, "customer_user_id": check.as_str(),
            "tags": [check.as_str()], "link": link,
        });
        let request = self.request(Method::POST, "/workflow_runs", Bytes::from(body.to_string()))?;
        Ok(call::order(&self.settings, request).await?.body)
    }

    /// Where a run or check stands. The address is made of the id alone.
    pub(super) async fn standing(&self, reference: &str) -> Result<Option<Verdict>, VendorError> {
        let (path, id, outcome): (_, _, fn(&Value) -> _) = match reference.strip_prefix(event::CHECK) {
            Some(id) => ("checks", id, event::of_check),
            None => ("workflow_runs", reference, event::of_run),
        };
        if !call::is_plain(id) {
            return Ok(None);
        }
        let request = self.request(Method::GET, &format!("/{path}/{id}"), Bytes::new())?;
        let Some(answer) = call::ask(&self.settings, request).await? else { return Ok(None) };
        if answer.text("/id") != Some(id) {
            return Err(VendorError::Unknown("answer is another check".to_owned()));
        }
        let ours = answer.text("/customer_user_id").and_then(|id| id.parse().ok());
        Ok(Some(Verdict { reference: reference.to_owned(), ours, outcome: outcome(&answer.body), at: answer.at }))
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Bytes>, VendorError> {
        let bad = || VendorError::Misconfigured("base URL or token cannot be sent".to_owned());
        let token = format!("Token token={}", self.credentials.api_token.expose_secret());
        let mut token = HeaderValue::from_str(&token).map_err(|_| bad())?;
        token.set_sensitive(true);
        Request::builder()
            .method(method)
            .uri(self.settings.url(path))
            .header(AUTHORIZATION, token)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|_| bad())
    }
}

fn insert(members: &mut Map<String, Value>, name: &str, value: Option<&Redacted<String>>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), json!(value.reveal()));
    }
}

fn started(run: &Value) -> Result<Started, VendorError> {
    let reference = text(run, "/id").filter(|id| call::is_plain(id)).map(str::to_owned);
    let reference = reference.ok_or_else(|| VendorError::Unknown("run has no id".to_owned()))?;
    let link = text(run, "/link/url").and_then(|url| Url::parse(url).ok());
    Ok(Started { reference, link: Some(link.ok_or_else(|| VendorError::Unknown("run has no link".to_owned()))?) })
}
