//! Which vendor speaks which protocol, and what its settings must hold.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::Seconds;
use domain::payment::rules::{Collected, Vendor};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::adyen::Adyen;
use super::checkout::Checkout;
use super::coinspaid::CoinsPaid;
use super::nuvei::Nuvei;
use super::paysafe::Paysafe;
use super::praxis::Praxis;
use super::skrill::Skrill;
use super::stripe::Stripe;
use super::{Psp, PspError, SessionOrder};
use crate::Clock;
use crate::http::Transport;
use crate::template;

/// What every provider is built from. Everything but the secret comes from the `psps` rule set.
#[derive(Clone)]
pub struct Settings {
    /// The provider's name in the rule set and in the webhook's path; goes into every report.
    pub name: String,
    /// The vendor's API, with the path before the vendor's own if there is one.
    pub base_url: Url,
    /// The vendor's credentials as JSON; the shape is the vendor's, see its module.
    pub secret: SecretString,
    /// How far a delivery's time stamp may be from now, either way.
    pub tolerance: Seconds,
    /// Where the payer returns to when the order names no page; `{payment_id}` is filled in.
    pub return_url: Option<String>,
    /// Where the vendor is asked about a payment, if that is not below its API. Skrill only.
    pub query_url: Option<Url>,
    /// A page of the broker's own that collects the payment with the vendor's script; `{payment_id}` and
    /// `{client_secret}` are filled in for Stripe, `{payment_id}`, `{address}`, `{tag}` and `{coin}` for CoinsPaid.
    pub pay_page: Option<String>,
    /// The payment method to confirm with at once where there is no pay page, e.g. `ideal` (Stripe); the coin of addresses, e.g. `USDTT`
    /// (CoinsPaid); the wallet, e.g. `NETELLER` (Paysafe).
    pub payment_method: Option<String>,
    /// Where the vendor delivers to; `None` leaves it to the vendor's back office. Praxis, Skrill and Nuvei.
    pub webhook_url: Option<Url>,
    /// Whether deliveries signed by the vendor's former rule are taken too. Praxis only.
    pub legacy: bool,
    /// What counts as collected. Adyen only.
    pub collected: Collected,
    /// For calls whose signature carries a time that no argument gives.
    pub clock: Clock,
    /// How requests reach the vendor.
    pub transport: Arc<dyn Transport>,
    /// Longest a call may take.
    pub timeout: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// A vendor's path below the base URL.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    /// That the page to return to is a template that can be filled in, if there is one.
    pub(super) fn check_return_url(&self) -> Result<(), VendorError> {
        match self.return_url.as_ref().is_none_or(|page| template::is_url_with(page, &["payment_id"])) {
            true => Ok(()),
            false => Err(VendorError::BadTemplate { name: self.name.clone(), setting: "return_url" }),
        }
    }

    /// Where the payer of an order returns to: the order's own page, else the configured one.
    pub(super) fn return_url(&self, order: &SessionOrder) -> Option<String> {
        let fill = |page: &String| template::fill(page, &[("payment_id", order.payment_id.as_str())]);
        order.return_url.clone().or_else(|| self.return_url.as_ref().map(fill))
    }

    /// Lets a call and those that follow from it take the time of one.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T, PspError>>) -> Result<T, PspError> {
        let done = tokio::time::timeout(self.timeout, work).await;
        done.unwrap_or_else(|_| Err(PspError::Unavailable("time is over".to_owned())))
    }

    pub(super) fn secret<T: DeserializeOwned>(&self) -> Result<T, VendorError> {
        // The cause would quote the secret.
        serde_json::from_str(self.secret.expose_secret()).map_err(|_| VendorError::BadSecret(self.name.clone()))
    }
}

/// Why a provider cannot be built from its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// The secret lacks a member or holds an empty one.
    #[error("the secret of payment provider `{0}` has not the vendor's shape")]
    BadSecret(String),
    /// A setting is missing that the vendor cannot do without.
    #[error("payment provider `{name}` needs the setting `{setting}`")]
    Missing {
        /// The provider's name.
        name: String,
        /// The setting.
        setting: &'static str,
    },
    /// A URL template is no URL or has an unknown name.
    #[error("setting `{setting}` of payment provider `{name}` is not a URL template")]
    BadTemplate {
        /// The provider's name.
        name: String,
        /// The setting.
        setting: &'static str,
    },
}

/// Builds the provider that speaks the named vendor's protocol.
///
/// # Errors
/// [`VendorError`].
pub fn vendor(vendor: Vendor, settings: Settings) -> Result<Box<dyn Psp>, VendorError> {
    Ok(match vendor {
        Vendor::Stripe => Box::new(Stripe::new(settings)?),
        Vendor::Praxis => Box::new(Praxis::new(settings)?),
        Vendor::CoinsPaid => Box::new(CoinsPaid::new(settings)?),
        Vendor::Paysafe => Box::new(Paysafe::new(settings)?),
        Vendor::Skrill => Box::new(Skrill::new(settings)?),
        Vendor::Adyen => Box::new(Adyen::new(settings)?),
        Vendor::Checkout => Box::new(Checkout::new(settings)?),
        Vendor::Nuvei => Box::new(Nuvei::new(settings)?),
    })
}
