//! Which platform speaks which protocol, and what it is built from. A new one is its module and its line in [`platform`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::account::rules::{Platform, Server};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::TradingPlatform;
use super::ctrader::Ctrader;
use super::dxtrade::Dxtrade;
use super::mt4::Mt4;
use super::mt5::Mt5;
use crate::Clock;
use crate::http::Transport;

/// What every adapter is built from.
#[derive(Clone)]
pub struct Settings {
    /// The server as the rule set `platforms` has it.
    pub server: Server,
    /// The credentials as JSON; the shape is the platform's, see its module.
    pub secret: SecretString,
    /// Longest a whole operation may take, connection, authentication and one repeat included; see
    /// [`PLATFORM_CALL_TIMEOUT_S`](crate::PLATFORM_CALL_TIMEOUT_S).
    pub call_timeout: Duration,
    /// To compare the server's clock with.
    pub clock: Clock,
    /// How connections are made.
    pub transport: Arc<dyn Transport>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("server", &self.server.name).finish_non_exhaustive()
    }
}

/// Why an adapter cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The secret lacks a member or holds another kind of value.
    #[error("{0}: its secret must be {1}")]
    BadSecret(String, &'static str),
    /// A setting is missing or cannot be.
    #[error("{0}: {1} cannot be used")]
    BadSetting(String, &'static str),
}

impl Settings {
    /// The manager interface.
    pub(super) fn base_url(&self) -> Result<Url, SettingsError> {
        self.server.base_url.parse().map_err(|_| self.bad("base_url"))
    }

    /// A setting of the platform's own, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.server.settings.get(name).map(String::as_str)
    }

    /// The secret, whose form is told to whoever gave another one.
    pub(super) fn secret<T: DeserializeOwned>(&self, form: &'static str) -> Result<T, SettingsError> {
        // the cause would quote the secret
        let read = serde_json::from_str(self.secret.expose_secret());
        read.map_err(|_| SettingsError::BadSecret(self.server.name.clone(), form))
    }

    pub(super) fn bad(&self, setting: &'static str) -> SettingsError {
        SettingsError::BadSetting(self.server.name.clone(), setting)
    }
}

/// The adapter to a server.
///
/// # Errors
/// [`SettingsError`].
pub fn platform(settings: Settings) -> Result<Arc<dyn TradingPlatform>, SettingsError> {
    Ok(match settings.server.platform {
        Platform::Mt5 => Arc::new(Mt5::of_server(settings)?),
        Platform::Mt4 => Arc::new(Mt4::of_server(settings)?),
        Platform::Ctrader => Arc::new(Ctrader::of_server(settings)?),
        Platform::Dxtrade => Arc::new(Dxtrade::of_server(settings)?),
    })
}
