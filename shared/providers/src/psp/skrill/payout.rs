//! Payouts by the Automated Payments Interface: prepare, then transfer. Only the transfer moves money.
//!
//! Whether Skrill refuses a second transfer under one number of ours no page says, so a payout is looked up by it
//! (Merchant Query Interface) before anything is sent again. Both calls carry the password, as the vendor wants it: no address of theirs
//! is logged.

use ::http::{Request, Response};
use bytes::Bytes;
use domain::withdrawal::{Destination, PayoutAnswer};
use md5::{Digest, Md5};
use secrecy::ExposeSecret;
use url::form_urlencoded::Serializer;

use super::Skrill;
use super::api::transaction;
use crate::psp::{PayoutOrder, PspError};

/// Below the query URL.
const PAY_PATH: &str = "/app/pay.pl";
/// What the receiver reads.
const SUBJECT: &str = "Withdrawal";

impl Skrill {
    pub(super) async fn transfer(&self, order: &PayoutOrder<'_>) -> Result<PayoutAnswer, PspError> {
        let query = self.preparation(order)?;
        // nothing moves before the transfer, whatever becomes of this call
        let prepared = match self.call_pay(&query).await {
            Ok(response) => session_of(&response),
            Err(error) => Err(error),
        };
        let session = match prepared {
            Ok(session) => session,
            Err(error @ PspError::Refused { .. }) => return Err(error),
            Err(error) => return Ok(PayoutAnswer::NotTaken(error.to_string())),
        };
        let query =
            Serializer::new(String::new()).append_pair("action", "transfer").append_pair("sid", &session).finish();
        transferred(&self.call_pay(&query).await?)
    }

    fn preparation(&self, order: &PayoutOrder<'_>) -> Result<String, PspError> {
        let Destination::Email(email) = order.destination else { return Err(PspError::no_payout("Skrill")) };
        let password = hex::encode(Md5::digest(self.query_password.expose_secret().as_bytes()));
        let mut query = Serializer::new(String::new());
        query
            .append_pair("action", "prepare")
            .append_pair("email", &self.merchant_email)
            .append_pair("password", &password)
            .append_pair("amount", &order.amount.amount().normalize().to_string())
            .append_pair("currency", order.amount.currency().code())
            .append_pair("bnf_email", email.reveal())
            .append_pair("subject", SUBJECT)
            .append_pair("note", order.withdrawal_id.as_str())
            .append_pair("frn_trn_id", order.withdrawal_id.as_str());
        Ok(query.finish())
    }

    pub(super) async fn find_transfer(&self, order: &PayoutOrder<'_>) -> Result<Option<PayoutAnswer>, PspError> {
        let request = Request::get(self.query_url(order.withdrawal_id)).body(Bytes::new());
        let request = request.map_err(|_| PspError::Misconfigured("query URL cannot be called".to_owned()))?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let Some(posted) = transaction(&response, &self.merchant_id)? else { return Ok(None) };
        if posted.transaction_id != order.withdrawal_id.as_str() {
            return Err(PspError::Unknown("answer holds another transaction".to_owned()));
        }
        said(&posted.status, "").map(Some)
    }

    async fn call_pay(&self, query: &str) -> Result<Response<Bytes>, PspError> {
        let base = self.settings.query_url.as_ref().unwrap_or(&self.settings.base_url);
        let url = format!("{}{PAY_PATH}?{query}", base.as_str().trim_end_matches('/'));
        // the error's own text could show the password
        let request = Request::get(url).body(Bytes::new());
        let request = request.map_err(|_| PspError::Misconfigured("payment URL cannot be called".to_owned()))?;
        Ok(self.settings.transport.send(request, self.settings.timeout).await?)
    }
}

/// The vendor's words: 1 waits for a receiver who has no account yet.
fn said(status: &str, reference: &str) -> Result<PayoutAnswer, PspError> {
    let reference = reference.to_owned();
    match status {
        "2" => Ok(PayoutAnswer::Paid { reference }),
        "0" | "1" => Ok(PayoutAnswer::Accepted { reference }),
        "-1" | "-2" => Ok(PayoutAnswer::Failed { reference, code: status.to_owned() }),
        _ => Err(PspError::Unknown("status of the payout is none of the vendor's".to_owned())),
    }
}

/// The text of the vendor's answer, which has one root and no attributes.
fn response_text(response: &Response<Bytes>) -> Result<&str, PspError> {
    let status = response.status();
    if status.is_server_error() || status.as_u16() == 429 {
        return Err(PspError::Unavailable(format!("HTTP {status}")));
    }
    let unknown = || PspError::Unknown("body is not the payment interface's answer".to_owned());
    let text = std::str::from_utf8(response.body()).map_err(|_| unknown())?;
    let inner = element(text, "response").filter(|_| status.is_success()).ok_or_else(unknown)?;
    match element(inner, "error").map(|error| element(error, "error_msg").unwrap_or_default()) {
        Some("CANNOT_LOGIN" | "PAYMENT_DENIED" | "LOGIN_INVALID") => {
            Err(PspError::Misconfigured("the payment interface lets us not in".to_owned()))
        }
        Some(code) => Err(PspError::refused(code, code)),
        None => Ok(inner),
    }
}

/// What stands in an element that is there once.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = text.split_once(&open)?;
    let (inner, after) = rest.split_once(&close)?;
    (!after.contains(&open)).then(|| inner.trim())
}

fn session_of(response: &Response<Bytes>) -> Result<String, PspError> {
    let sid = element(response_text(response)?, "sid").unwrap_or_default();
    let is_session = (16..=64).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_alphanumeric());
    is_session.then(|| sid.to_owned()).ok_or_else(|| PspError::Unknown("answer has no session".to_owned()))
}

/// What the transfer answers. A refusal of the transfer is taken for one only where it is worded as the vendor's own.
fn transferred(response: &Response<Bytes>) -> Result<PayoutAnswer, PspError> {
    let unknown = || PspError::Unknown("answer holds no transaction".to_owned());
    let transaction = element(response_text(response)?, "transaction").ok_or_else(unknown)?;
    let id = element(transaction, "id").filter(|id| !id.is_empty()).ok_or_else(unknown)?;
    said(element(transaction, "status").ok_or_else(unknown)?, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(http: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(http).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_transfer_says_what_became_of_the_money_or_that_nobody_knows() {
        let body = |status: &'static str| match status {
            "2" => {
                "<?xml version=\"1.0\"?><response><transaction><amount>10.5</amount><currency>EUR</currency><id>497029</id><status>2</status><status_msg>processed</status_msg></transaction></response>"
            }
            _ => {
                "<response><transaction><id>497029</id><status>1</status><status_msg>scheduled</status_msg></transaction></response>"
            }
        };
        let reference = "497029".to_owned();
        assert_eq!(transferred(&answer(200, body("2"))), Ok(PayoutAnswer::Paid { reference: reference.clone() }));
        assert_eq!(transferred(&answer(200, body("1"))), Ok(PayoutAnswer::Accepted { reference }));
        for (http, body, wanted) in [
            (200, "", crate::Disposition::LookUp),
            (200, "<html>down</html>", crate::Disposition::LookUp),
            (
                200,
                "<response><transaction><id></id><status>2</status></transaction></response>",
                crate::Disposition::LookUp,
            ),
            (
                200,
                "<response><transaction><id>1</id><status>9</status></transaction></response>",
                crate::Disposition::LookUp,
            ),
            (502, body("2"), crate::Disposition::Retry),
            (
                200,
                "<response><error><error_msg>BALANCE_NOT_ENOUGH</error_msg></error></response>",
                crate::Disposition::GiveUp,
            ),
            (200, "<response><error><error_msg>CANNOT_LOGIN</error_msg></error></response>", crate::Disposition::Hold),
        ] {
            assert_eq!(transferred(&answer(http, body)).unwrap_err().disposition(), wanted, "{http} {body}");
        }
    }

    #[test]
    fn an_element_that_is_there_twice_is_none() {
        assert_eq!(element("<a><b> 1 </b></a>", "b"), Some("1"));
        for text in ["<b>1</b><b>2</b>", "<b>1", "b", "</b>1<b>"] {
            assert_eq!(element(text, "b"), None, "{text}");
        }
    }
}
