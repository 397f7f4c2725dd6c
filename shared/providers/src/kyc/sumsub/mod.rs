//! Sumsub: applicants at a level, and signed events whose signature covers all they say.
//!
//! Secret: `{"app_token": "prd:…", "secret_key": "…", "webhook_secrets": ["…", …]}`; several while a webhook secret is changed.
//!
//! One id of ours is one applicant: it is looked up before one is made, and one that somebody else made meanwhile (409) is taken.
//! An applicant is approved only where a review of the level that is asked for is completed with GREEN, outside the vendor's
//! sandbox. Either can come at any time and again: a client who was GREEN turns RED by an event of its own.
//!
//! Paths as in the vendor's reference (November 2026): applicant by external user id, external link of the web SDK.

mod api;
mod event;
mod signature;

use ::http::HeaderMap;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Applicant, CheckId, Event, KycVendor, Refused, Settings, SettingsError, Started, VendorError, Verdict};
use crate::http::BoxFuture;

/// Checks over Sumsub.
pub struct Sumsub {
    settings: Settings,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    app_token: SecretString,
    secret_key: SecretString,
    webhook_secrets: Vec<SecretString>,
}

impl Sumsub {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let credentials: Credentials = settings.secret()?;
        settings.whole(&[&credentials.app_token, &credentials.secret_key], &credentials.webhook_secrets)?;
        settings.not_of_tests(&credentials.app_token, "sbx:")?;
        if settings.flow.trim().is_empty() {
            return Err(settings.bad("flow"));
        }
        if settings.algorithms.is_empty() {
            return Err(settings.bad("algorithms"));
        }
        Ok(Self { settings, credentials })
    }
}

impl KycVendor for Sumsub {
    fn start<'a>(
        &'a self,
        applicant: &'a Applicant,
        check: &'a CheckId,
    ) -> BoxFuture<'a, Result<Started, VendorError>> {
        Box::pin(self.open(applicant, check))
    }

    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Verdict>, VendorError>> {
        Box::pin(self.applicant(reference))
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event, Refused> {
        signature::check(headers, body, &self.credentials.webhook_secrets, &self.settings.algorithms)
            .map_err(Refused::BadSignature)?;
        event::read(body, &self.settings).map_err(|faults| Refused::Malformed { faults })
    }
}
