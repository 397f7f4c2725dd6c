//! Which vendor speaks which protocol, and what its settings must hold.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::Seconds;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::KycVendor;
use super::onfido::Onfido;
use super::sumsub::Sumsub;
use super::veriff::Veriff;
use crate::Clock;
use crate::http::Transport;
use crate::signature::is_blank;

/// What every vendor is built from. Everything but the secret comes from a rule set.
#[derive(Clone)]
pub struct Settings {
    /// The vendor's name in the rule set and in the webhook's path.
    pub name: String,
    /// The vendor's API, with the path before the vendor's own if there is one.
    pub base_url: Url,
    /// The vendor's credentials as JSON; the shape is the vendor's, see its module.
    pub secret: SecretString,
    /// What the client goes through there: Sumsub's level by its name, Onfido's workflow by its id. Veriff's follows from the API
    /// key, and this is empty.
    pub flow: String,
    /// Whether results of the vendor's test mode count. Only where no real client is.
    pub sandbox: bool,
    /// Where the client returns to from the vendor's pages.
    pub return_url: Option<Url>,
    /// How long the vendor's link is good, where that can be chosen.
    pub link_life: Seconds,
    /// How a webhook may be signed, where the vendor lets its customer choose. Sumsub only.
    pub algorithms: Vec<Algorithm>,
    /// For signatures that carry a time.
    pub clock: Clock,
    /// How requests reach the vendor.
    pub transport: Arc<dyn Transport>,
    /// Longest a call may take.
    pub timeout: Duration,
}

/// A signature of webhooks. What is not listed in the settings is refused, so nobody can choose a weaker one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `HMAC_SHA256_HEX`, the vendor's default; named in the delivery.
    Sha256,
    /// `HMAC_SHA512_HEX`; named in the delivery.
    Sha512,
    /// A delivery that names none is taken to be signed with SHA-256.
    UnnamedSha256,
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

    pub(super) fn secret<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        // The cause would quote the secret.
        serde_json::from_str(self.secret.expose_secret()).map_err(|_| self.bad_secret())
    }

    pub(super) fn bad_secret(&self) -> SettingsError {
        SettingsError::BadSecret(self.name.clone())
    }

    pub(super) fn bad(&self, setting: &'static str) -> SettingsError {
        SettingsError::BadSetting { name: self.name.clone(), setting }
    }

    /// Refuses credentials of the vendor's test mode where its results do not count: there everybody passes.
    pub(super) fn not_of_tests(&self, credential: &SecretString, of_tests: &str) -> Result<(), SettingsError> {
        if !self.sandbox && credential.expose_secret().trim_start().starts_with(of_tests) {
            return Err(self.bad("sandbox"));
        }
        Ok(())
    }

    /// Secrets of which none is blank and the list is not empty: an empty one would sign for everybody.
    pub(super) fn whole(&self, one: &[&SecretString], several: &[SecretString]) -> Result<(), SettingsError> {
        if several.is_empty() || several.iter().any(is_blank) || one.iter().any(|secret| is_blank(secret)) {
            return Err(self.bad_secret());
        }
        Ok(())
    }
}

/// Why a vendor cannot be built from its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No vendor of this name.
    #[error("there is no KYC vendor `{0}`")]
    UnknownKind(String),
    /// The secret lacks a member or holds an empty one.
    #[error("the secret of KYC vendor `{0}` has not the vendor's shape")]
    BadSecret(String),
    /// A setting is missing or cannot be.
    #[error("setting `{setting}` of KYC vendor `{name}` cannot be used")]
    BadSetting {
        /// The vendor's name.
        name: String,
        /// The setting.
        setting: &'static str,
    },
}

/// Builds the adapter that speaks the named vendor's protocol.
///
/// # Errors
/// [`SettingsError`].
pub fn vendor(kind: &str, settings: Settings) -> Result<Box<dyn KycVendor>, SettingsError> {
    match kind {
        "onfido" => Ok(Box::new(Onfido::new(settings)?)),
        "veriff" => Ok(Box::new(Veriff::new(settings)?)),
        "sumsub" => Ok(Box::new(Sumsub::new(settings)?)),
        _ => Err(SettingsError::UnknownKind(kind.to_owned())),
    }
}
