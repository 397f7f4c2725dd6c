//! The address of the payment page. Its checksum covers every value, in the order in which they stand.

use domain::id::moment_of;
use jiff::tz::TimeZone;
use url::form_urlencoded::Serializer;

use super::Nuvei;
use super::signature::secret_first;
use crate::psp::{Session, SessionOrder};

/// Below the base URL.
const PAGE_PATH: &str = "/purchase.do";

/// How a time is written.
const TIME: &str = "%Y-%m-%d.%H:%M:%S";

impl Nuvei {
    /// Everything in it is the payment's own, so that it is the same whenever it is made. No personal data: an address is kept in many
    /// places.
    pub(super) fn page(&self, order: &SessionOrder) -> Session {
        let payment = order.payment_id.as_str();
        let amount = order.amount.amount_text();
        let made = moment_of(payment).unwrap_or(order.now);
        let made = jiff::Timestamp::from_second(made.seconds()).unwrap_or_default();
        let back = self.settings.return_url(order);
        let notify = self.settings.webhook_url.as_ref().map(|url| url.as_str().to_owned());
        let values = [
            ("merchant_id", Some(self.merchant_id.clone())),
            ("merchant_site_id", Some(self.merchant_site_id.clone())),
            ("total_amount", Some(amount.clone())),
            ("currency", Some(order.amount.currency().code().to_owned())),
            ("user_token_id", Some(order.client_reference.to_string())),
            ("item_name_1", Some(payment.to_owned())),
            ("item_amount_1", Some(amount)),
            ("item_quantity_1", Some("1".to_owned())),
            ("merchant_unique_id", Some(payment.to_owned())),
            ("invoice_id", Some(payment.to_owned())),
            ("time_stamp", Some(made.to_zoned(TimeZone::UTC).strftime(TIME).to_string())),
            ("version", Some("4.0.0".to_owned())),
            ("encoding", Some("UTF-8".to_owned())),
            ("merchantLocale", locale(&order.language).map(str::to_owned)),
            ("success_url", back.clone()),
            ("error_url", back.clone()),
            ("pending_url", back.clone()),
            ("back_url", back),
            ("notify_url", notify),
        ];
        let values: Vec<(&str, String)> = values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let signed: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
        let checksum = hex::encode(secret_first(&self.secret_key, &signed));
        let mut query = Serializer::new(String::new());
        let query = query.extend_pairs(&values).append_pair("checksum", &checksum).finish();
        // the transaction's number comes with the payer
        Session { reference: String::new(), redirect_url: format!("{}?{query}", self.settings.url(PAGE_PATH)) }
    }
}

/// The page's word for a language; without one the vendor takes the account's.
fn locale(language: &str) -> Option<&'static str> {
    Some(match language.split('-').next().unwrap_or_default() {
        "de" => "de_DE",
        "en" => "en_US",
        "es" => "es_ES",
        "fr" => "fr_FR",
        "it" => "it_IT",
        "ja" => "ja_JP",
        "nl" => "nl_NL",
        "sv" => "sv_SE",
        _ => return None,
    })
}
