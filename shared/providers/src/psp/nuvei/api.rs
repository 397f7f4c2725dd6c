//! The one call: read a transaction, by its number or by ours.

use ::http::header::CONTENT_TYPE;
use ::http::{Request, Response};
use bytes::Bytes;
use domain::PaymentId;
use domain::payment::PspReport;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Nuvei;
use super::signature::secret_last;
use super::transaction::Transaction;
use crate::psp::{PspError, major};

/// Below the base URL.
const DETAILS_PATH: &str = "/api/v1/getTransactionDetails.do";

/// How a time is written here.
const TIME: &str = "%Y%m%d%H%M%S";

/// "No transaction details returned for the provided ID": nothing there, or not yet.
const NOTHING_YET: i64 = 9146;

/// Checksum, merchant and site are not ours: it is our setting that is wrong.
const NOT_SET_UP: [i64; 3] = [1001, 1013, 1022];

impl Nuvei {
    /// Asks for the transaction, where one is named, and else for what there is under our number.
    pub(super) async fn find(&self, payment: &PaymentId, reference: &str) -> Result<Option<PspReport>, PspError> {
        let (name, number) = match reference {
            "" => ("clientUniqueId", payment.as_str()),
            number => ("transactionId", number),
        };
        let now = (self.settings.clock)();
        let time = jiff::Timestamp::from_second(now.seconds()).unwrap_or_default();
        let time = time.to_zoned(TimeZone::UTC).strftime(TIME).to_string();
        let checksum = secret_last(&[&self.merchant_id, &self.merchant_site_id, number, &time], &self.secret_key);
        let body = json!({
            "merchantId": self.merchant_id, "merchantSiteId": self.merchant_site_id, name: number, "timeStamp": time,
            "checksum": checksum,
        });
        let request = Request::post(self.settings.url(DETAILS_PATH))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|_| PspError::Misconfigured("base URL cannot be called".to_owned()))?;
        let response = self.settings.transport.send(request, self.settings.timeout).await?;
        let Some(answer) = answer(&response)? else { return Ok(None) };
        if text(&answer, "/clientUniqueId").as_deref() != Some(payment.as_str()) {
            return Err(PspError::Unknown("transaction is another payment's".to_owned()));
        }
        let detail = |member: &str| text(&answer, &format!("/transactionDetails/{member}"));
        let (Some(found), Some(kind), Some(status)) =
            (detail("transactionId"), detail("transactionType"), detail("transactionStatus"))
        else {
            return Err(PspError::Unknown("answer has no transaction".to_owned()));
        };
        if !reference.is_empty() && found != reference {
            return Err(PspError::Unknown("answer is another transaction".to_owned()));
        }
        let amount = detail("processedAmount").zip(detail("processedCurrency"));
        let money = amount.and_then(|(amount, currency)| major::read(&amount, &currency));
        let found = Transaction { number: &found, kind: &kind, status: &status, money };
        Ok(Some(PspReport {
            psp: self.settings.name.clone(),
            event_id: found.statement(),
            payment_id: Some(payment.clone()),
            reference: found.number.to_owned(),
            status: found.says(),
            kind: found.words(),
            money,
            at: now,
        }))
    }
}

/// A text or a number, as it is written.
fn text(answer: &Value, pointer: &str) -> Option<String> {
    match answer.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The answer; `None` where there is nothing (yet).
fn answer(response: &Response<Bytes>) -> Result<Option<Value>, PspError> {
    let http = response.status();
    let body: Option<Value> = serde_json::from_slice(response.body()).ok().filter(Value::is_object);
    let code = body.as_ref().and_then(|body| body.get("errCode")).and_then(Value::as_i64);
    match (body, code) {
        _ if http.is_server_error() || http.as_u16() == 429 => Err(PspError::Unavailable(format!("HTTP {http}"))),
        (Some(body), Some(0)) if http.is_success() => Ok(Some(body)),
        (Some(_), Some(NOTHING_YET)) if http.is_success() => Ok(None),
        (Some(_), Some(code)) if NOT_SET_UP.contains(&code) => Err(PspError::Misconfigured(format!("code {code}"))),
        (Some(_), Some(code)) => Err(PspError::refused(code.to_string(), "")),
        _ if http.is_success() => Err(PspError::Unknown("body is not the vendor's answer".to_owned())),
        _ => Err(PspError::Misconfigured(format!("HTTP {http}: this is not the vendor's API"))),
    }
}
