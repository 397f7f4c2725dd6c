//! What Paysafe has under a number of ours: lists of payments and of handles.

use domain::PaymentId;
use domain::payment::PspReport;
use serde_json::Value;

use super::event::{self, text};
use super::{Paysafe, api};
use crate::psp::PspError;

impl Paysafe {
    /// Where a payment stands: the payment itself, else the handle that it will be made with.
    pub(super) async fn find(&self, payment: &PaymentId) -> Result<Option<PspReport>, PspError> {
        if let Some(report) = self.find_payment(payment).await? {
            return Ok(Some(report));
        }
        let Some(handle) = self.find_handle(payment).await? else { return Ok(None) };
        let report = event::read_handle(&self.settings.name, &handle, (self.settings.clock)());
        report.map(Some).ok_or_else(|| PspError::Unknown("handle has no id or status".to_owned()))
    }

    /// The payment under a number of ours; one that collected first, should there be several.
    pub(super) async fn find_payment(&self, payment: &PaymentId) -> Result<Option<PspReport>, PspError> {
        let payments = self.list("payments", "payments", payment).await?;
        let collected = |payment: &&Value| text(payment, "status") == Some("COMPLETED");
        let Some(found) = payments.iter().find(collected).or_else(|| payments.last()) else { return Ok(None) };
        let report = event::read_payment(&self.settings.name, found, (self.settings.clock)());
        report.map(Some).ok_or_else(|| PspError::Unknown("payment has no id or status".to_owned()))
    }

    /// The newest handle under a number of ours.
    pub(super) async fn find_handle(&self, payment: &PaymentId) -> Result<Option<Value>, PspError> {
        Ok(self.list("paymenthandles", "paymentHandles", payment).await?.pop())
    }

    async fn list(&self, path: &str, member: &str, payment: &PaymentId) -> Result<Vec<Value>, PspError> {
        let response = self.get(&format!("{path}?merchantRefNum={payment}")).await?;
        let mut answer = match api::answer(&response) {
            Err(PspError::Refused { .. }) if api::is_not_there(&response) => return Ok(vec![]),
            other => other?,
        };
        let unknown = || PspError::Unknown(format!("answer has no list `{member}`"));
        let Some(Value::Array(found)) = answer.get_mut(member).map(Value::take) else { return Err(unknown()) };
        // the vendor was asked for these alone: others mean that it did not understand
        match found.iter().all(|one| text(one, "merchantRefNum") == Some(payment.as_str())) {
            true => Ok(found),
            false => Err(PspError::Unknown("answer is about another number".to_owned())),
        }
    }

    /// The payment of ours that has made a payment of the vendor's.
    pub(super) async fn owner_of(&self, reference: &str) -> Result<Option<PaymentId>, PspError> {
        let response = self.get(&format!("payments/{}", crate::template::encode(reference))).await?;
        let payment = match api::answer(&response) {
            Err(PspError::Refused { .. }) if api::is_not_there(&response) => return Ok(None),
            other => other?,
        };
        if text(&payment, "id") != Some(reference) {
            return Err(PspError::Unknown("answer is another payment".to_owned()));
        }
        Ok(text(&payment, "merchantRefNum").and_then(|number| number.parse().ok()))
    }
}
