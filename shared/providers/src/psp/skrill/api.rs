//! The two calls: prepare a session, ask the Merchant Query Interface for a transaction.

use ::http::header::CONTENT_TYPE;
use ::http::{Request, Response};
use bytes::Bytes;
use domain::PaymentId;
use domain::payment::PspReport;
use md5::{Digest, Md5};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::signature::{Form, Posted};
use super::{Skrill, statement};
use crate::psp::{PspError, Session, SessionOrder};
use crate::template;

/// Below the query URL.
const QUERY_PATH: &str = "/app/query.pl";

/// Languages of the payer's page; the account's own for all others.
const LANGUAGES: [&str; 18] =
    ["BG", "CN", "CS", "DA", "DE", "EL", "EN", "ES", "FI", "FR", "IT", "JA", "NL", "PL", "RO", "RU", "SV", "TR"];

impl Skrill {
    pub(super) async fn prepare(&self, order: &SessionOrder) -> Result<Session, PspError> {
        let request = Request::post(self.settings.url("/"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(self.form(order)))
            .map_err(|_| PspError::Misconfigured("base URL cannot be called".to_owned()))?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let session = session_id(&response)?;
        let redirect_url = self.settings.url(&format!("/?sid={}", template::encode(&session)));
        // what Skrill's messages name the payment by
        Ok(Session { reference: order.payment_id.to_string(), redirect_url })
    }

    fn form(&self, order: &SessionOrder) -> String {
        let back = self.settings.return_url(order);
        let mut form = Serializer::new(String::new());
        form.append_pair("prepare_only", "1")
            .append_pair("pay_to_email", &self.merchant_email)
            .append_pair("transaction_id", order.payment_id.as_str())
            // whole amounts are to have no zeros at the end
            .append_pair("amount", &order.amount.amount().normalize().to_string())
            .append_pair("currency", order.amount.currency().code())
            .append_pair("pay_from_email", order.email.reveal());
        let language = order.language.split('-').next().unwrap_or_default().to_ascii_uppercase();
        if LANGUAGES.contains(&language.as_str()) {
            form.append_pair("language", &language);
        }
        if let Some(back) = back {
            form.append_pair("return_url", &back).append_pair("cancel_url", &back);
        }
        if let Some(url) = &self.settings.webhook_url {
            form.append_pair("status_url", url.as_str());
        }
        form.finish()
    }

    pub(super) async fn query(&self, payment: &PaymentId) -> Result<Option<PspReport>, PspError> {
        // the error's own text could show the password
        let request = Request::get(self.query_url("trn_id", payment.as_str())).body(Bytes::new());
        let request = request.map_err(|_| PspError::Misconfigured("query URL cannot be called".to_owned()))?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let Some(posted) = transaction(&response, &self.merchant_id)? else { return Ok(None) };
        let now = (self.settings.clock)();
        let report = statement::read(&self.settings.name, &posted, now);
        let report = report.map_err(|_| PspError::Unknown("answer holds no transaction".to_owned()))?;
        if report.payment_id.as_ref() != Some(payment) {
            return Err(PspError::Unknown("answer holds another transaction".to_owned()));
        }
        Ok(Some(report))
    }
}

impl Skrill {
    /// With the password in it, as the vendor wants it: for the wire alone.
    pub(super) fn query_url(&self, by: &str, number: &str) -> String {
        let password = hex::encode(Md5::digest(self.query_password.expose_secret().as_bytes()));
        let mut query = Serializer::new(String::new());
        query
            .append_pair("action", "status_trn")
            .append_pair("email", &self.merchant_email)
            .append_pair("password", &password)
            .append_pair(by, number);
        let base = self.settings.query_url.as_ref().unwrap_or(&self.settings.base_url);
        format!("{}{QUERY_PATH}?{}", base.as_str().trim_end_matches('/'), query.finish())
    }
}

/// The session's number: a text of its own, and an error is an object.
fn session_id(response: &Response<Bytes>) -> Result<String, PspError> {
    let status = response.status();
    let error: Option<Value> = serde_json::from_slice(response.body()).ok().filter(Value::is_object);
    match (status.as_u16(), error) {
        (429 | 500..=599, _) => Err(PspError::Unavailable(format!("HTTP {status}"))),
        (401 | 403, _) => Err(PspError::Misconfigured(format!("HTTP {status}"))),
        (400..=499, Some(error)) => {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            Err(PspError::refused(text("code"), text("message")))
        }
        (200, None) => {
            let text = std::str::from_utf8(response.body()).unwrap_or_default().trim();
            let is_session = (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
            let unknown = || PspError::Unknown("body is not a session's number".to_owned());
            is_session.then(|| text.to_owned()).ok_or_else(unknown)
        }
        (200, Some(_)) => Err(PspError::Unknown("body is not a session's number".to_owned())),
        _ => Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
}

/// The answer of the query interface: a line with a number and words, then pairs; `None` where it says that there is no such
/// transaction. What is not its own answer never says that.
pub(super) fn transaction(response: &Response<Bytes>, merchant_id: &str) -> Result<Option<Posted>, PspError> {
    let status = response.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(PspError::Unavailable(format!("HTTP {status}")));
    }
    let unknown = || PspError::Unknown("body is not the query interface's answer".to_owned());
    let text = std::str::from_utf8(response.body()).map_err(|_| unknown())?;
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim();
    let (code, words) = line.split_once(|c: char| c.is_whitespace() || c == ':').unwrap_or((line, ""));
    match (status.is_success(), code) {
        (true, "200") => {}
        (true, "403") if words.to_ascii_lowercase().contains("not found") => return Ok(None),
        (true, "401" | "402" | "403" | "404" | "405") => {
            return Err(PspError::Misconfigured(format!("the query interface answers {code}")));
        }
        (true, _) => return Err(unknown()),
        (false, _) => return Err(PspError::Misconfigured(format!("HTTP {status}: this is not the vendor's API"))),
    }
    let form = Form::parse(rest.trim());
    let need = |name: &str| form.one(name).map(str::to_owned).ok_or_else(unknown);
    if need("merchant_id")? != merchant_id {
        return Err(PspError::Unknown("answer is about another merchant".to_owned()));
    }
    Ok(Some(Posted {
        transaction_id: need("transaction_id")?,
        amount: need("mb_amount")?,
        currency: need("mb_currency")?,
        status: need("status")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(http: u16, body: &'static str) -> Result<Option<Posted>, PspError> {
        let response = Response::builder().status(http).body(Bytes::from_static(body.as_bytes())).unwrap();
        transaction(&response, "1234567")
    }

    #[test]
    fn only_the_interface_itself_says_that_there_is_no_transaction() {
        assert_eq!(asked(200, "403\t\tTransaction not found: pay_1"), Ok(None));
        for (http, body) in [
            (200, "403\t\tForbidden"),
            (403, "403\t\tTransaction not found"),
            (404, "not found"),
            (200, "401\t\tCannot login"),
            (200, "404\t\tMissing parameter: trn_id"),
            (200, ""),
            (200, "200\t\tOK\n"),
            (200, "<html>not found</html>"),
            (500, "403\t\tTransaction not found"),
            (200, "200\t\tOK\nmerchant_id=7&transaction_id=pay_1&mb_amount=1&mb_currency=EUR&status=2"),
        ] {
            assert!(asked(http, body).is_err(), "{http} {body}");
        }
        let body =
            "200\t\tOK\nstatus=2&merchant_id=1234567&transaction_id=pay_1&mb_amount=10.50&mb_currency=EUR&amount=99\n";
        let posted = asked(200, body).unwrap().unwrap();
        assert_eq!((posted.amount.as_str(), posted.currency.as_str(), posted.status.as_str()), ("10.50", "EUR", "2"));
    }

    #[test]
    fn a_session_is_a_number_and_a_refusal_says_why() {
        let session = |http: u16, body: &'static str| {
            session_id(&Response::builder().status(http).body(Bytes::from_static(body.as_bytes())).unwrap())
        };
        assert_eq!(
            session(200, "5d41402abc4b2a76b9719d911017c592\n"),
            Ok("5d41402abc4b2a76b9719d911017c592".to_owned())
        );
        let refused = session(400, r#"{"code":"BAD_REQUEST","message":"amount is invalid"}"#).unwrap_err();
        assert_eq!(refused.disposition(), crate::Disposition::GiveUp);
        for body in ["", "short", "<html>", "{}", "5d41402abc4b2a76 b9719d911017c592"] {
            assert_eq!(session(200, body).unwrap_err().disposition(), crate::Disposition::LookUp, "{body}");
        }
        assert_eq!(session(503, "").unwrap_err().disposition(), crate::Disposition::Retry);
    }
}
