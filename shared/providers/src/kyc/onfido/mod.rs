//! Onfido (Entrust): workflow runs of its Studio, and signed webhooks that only name what has changed.
//!
//! Secret: `{"api_token": "api_live.…", "webhook_tokens": ["…", …]}`; several while a webhook is replaced. `base_url` has region and
//! version (`https://api.eu.onfido.com/v3.6`).
//!
//! Whatever a webhook says of a result is not read: the run or check is fetched by its id. Checks of the older interface are
//! read too, but none is begun.
//!
//! Onfido has no key under which a second run would be the first one. Runs are marked with our id (`tags`, `customer_user_id`), and
//! an open one is taken instead of making another. That the list can be narrowed by a tag is assumed; where it cannot, or is behind, a
//! second run is made of which nobody was told, so that nobody can pass or fail it: it is `abandoned` some day.

mod api;
mod event;

use ::http::HeaderMap;
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Applicant, CheckId, Event, KycVendor, Refused, Settings, SettingsError, Started, VendorError, Verdict, signature,
};
use crate::http::BoxFuture;

const HEADER: &str = "x-sha2-signature";

/// Checks over Onfido.
pub struct Onfido {
    settings: Settings,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    api_token: SecretString,
    webhook_tokens: Vec<SecretString>,
}

impl Onfido {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let credentials: Credentials = settings.secret()?;
        settings.whole(&[&credentials.api_token], &credentials.webhook_tokens)?;
        settings.not_of_tests(&credentials.api_token, "api_sandbox")?;
        if settings.flow.trim().is_empty() {
            return Err(settings.bad("flow"));
        }
        Ok(Self { settings, credentials })
    }
}

impl KycVendor for Onfido {
    fn start<'a>(
        &'a self,
        applicant: &'a Applicant,
        check: &'a CheckId,
    ) -> BoxFuture<'a, Result<Started, VendorError>> {
        Box::pin(self.open(applicant, check))
    }

    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Verdict>, VendorError>> {
        Box::pin(self.standing(reference))
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event, Refused> {
        signature::check(headers, HEADER, body, &self.credentials.webhook_tokens).map_err(Refused::BadSignature)?;
        event::read(body).map_err(|faults| Refused::Malformed { faults })
    }
}
