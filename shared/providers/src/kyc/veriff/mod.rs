//! Veriff: sessions, and signed webhooks about decisions and about what the client does.
//!
//! Secret: `{"api_key": "…", "shared_secrets": ["…", …]}`. The first shared secret signs our requests, each of them may sign what
//! comes, so the next one can be put in before the vendor uses it.
//!
//! Veriff cannot be asked for a session by our id, and takes no key that would make a second session the first one. So a start whose
//! answer was lost leaves a session that nobody was told of: nobody can pass or fail it, and all that ever comes of it is that it
//! expires. Whoever keeps the reference of the session that the client was sent to tells the two apart.

mod api;
mod event;

use ::http::HeaderMap;
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Applicant, CheckId, Event, KycVendor, Refused, Settings, SettingsError, Started, VendorError, Verdict, signature,
};
use crate::http::BoxFuture;

const HEADER: &str = "x-hmac-signature";

/// Checks over Veriff.
pub struct Veriff {
    settings: Settings,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    api_key: SecretString,
    shared_secrets: Vec<SecretString>,
}

impl Veriff {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let credentials: Credentials = settings.secret()?;
        settings.whole(&[&credentials.api_key], &credentials.shared_secrets)?;
        Ok(Self { settings, credentials })
    }
}

impl KycVendor for Veriff {
    fn start<'a>(
        &'a self,
        applicant: &'a Applicant,
        check: &'a CheckId,
    ) -> BoxFuture<'a, Result<Started, VendorError>> {
        Box::pin(self.open(applicant, check))
    }

    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Verdict>, VendorError>> {
        Box::pin(self.decision(reference))
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event, Refused> {
        signature::check(headers, HEADER, body, &self.credentials.shared_secrets).map_err(Refused::BadSignature)?;
        event::read(body).map_err(|faults| Refused::Malformed { faults })
    }
}
