//! Vendors as the rule sets name them, with their secrets: built once per rule-set version and secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::account::rules::{Platforms, Server};
use domain::kyc::rules::{KycVendors, VendorRule, WebhookDigest};
use domain::payment::fx::Quote;
use domain::payment::fx::rules::FxRules;
use domain::payment::rules::{PspRule, Psps};
use domain::rules::RuleSet;
use domain::{Currency, Seconds, Timestamp};
use providers::http::Transport;
use providers::kyc::{self, Algorithm, KycVendor};
use providers::platforms::{self, Capabilities, PlatformError, TradingPlatform};
use providers::psp::{self, Psp, Settings};
use providers::{KYC_CALL_TIMEOUT_S, PLATFORM_CALL_TIMEOUT_S, PSP_CALL_TIMEOUT_S, RATE_CALL_TIMEOUT_S, rates};
use secrecy::{ExposeSecret as _, SecretString};

use crate::function::{Clock, Ports};
use crate::rulebook::{Live, RuleBook};
use crate::secrets::Secrets;
use crate::step::StepError;

fn clock_of(clock: &Arc<dyn Clock>) -> providers::Clock {
    let clock = clock.clone();
    Arc::new(move || -> Timestamp { clock.now() })
}

/// The payment providers of the rule set `psps`.
#[derive(Clone)]
pub struct PaymentProviders {
    rules: RuleBook,
    secrets: Secrets,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl PaymentProviders {
    /// From a function's ports.
    pub fn new(ports: &Ports, rules: RuleBook) -> Self {
        Self { rules, secrets: Secrets::new(ports), transport: ports.transport.clone(), clock: ports.clock.clone() }
    }

    /// The live rules.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn rules(&self) -> Result<Arc<Live<Psps>>, StepError> {
        self.rules.live().await
    }

    /// The adapter of a provider.
    ///
    /// # Errors
    /// [`StepError::Secret`] or [`StepError::Rules`].
    pub async fn adapter(&self, rule: &PspRule) -> Result<Box<dyn Psp>, StepError> {
        let unusable = |what: String| StepError::Rules { set: Psps::NAME, what };
        let webhook_url = rule.webhook_url.as_deref().map(str::parse).transpose();
        let webhook_url = webhook_url.map_err(|_| unusable(format!("{}: webhook_url is not a URL", rule.name)))?;
        let query_url = rule.query_url.as_deref().map(str::parse).transpose();
        let query_url = query_url.map_err(|_| unusable(format!("{}: query_url is not a URL", rule.name)))?;
        let settings = Settings {
            name: rule.name.clone(),
            base_url: rule.base_url.parse().map_err(|_| unusable(format!("{}: base_url is not a URL", rule.name)))?,
            secret: self.secrets.get(&rule.secret).await?,
            tolerance: rule.signature_tolerance,
            return_url: rule.return_url.clone(),
            query_url,
            pay_page: rule.pay_page_url.clone(),
            payment_method: rule.payment_method.clone(),
            webhook_url,
            legacy: rule.legacy_signature,
            collected: rule.collected_when,
            clock: clock_of(&self.clock),
            transport: self.transport.clone(),
            timeout: Duration::from_secs(u64::from(PSP_CALL_TIMEOUT_S)),
        };
        psp::vendor(rule.vendor, settings).map_err(|error| unusable(error.to_string()))
    }
}

/// The sources of rates of the rule set `fx`.
#[derive(Clone)]
pub struct RateSources {
    rules: RuleBook,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl RateSources {
    /// From a function's ports.
    pub fn new(ports: &Ports, rules: RuleBook) -> Self {
        Self { rules, transport: ports.transport.clone(), clock: ports.clock.clone() }
    }

    /// The live rules.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn rules(&self) -> Result<Arc<Live<FxRules>>, StepError> {
        self.rules.live().await
    }

    /// The first usable rate of the sources of a pair, in their order.
    ///
    /// # Errors
    /// What each source said, in words.
    pub async fn quote(&self, rules: &FxRules, from: Currency, to: Currency) -> Result<Quote, String> {
        let mut said = Vec::new();
        for rule in rules.sources_for(from, to) {
            let timeout = Duration::from_secs(u64::from(RATE_CALL_TIMEOUT_S));
            match rates::source(rule, self.transport.clone(), timeout).rate(from, to).await {
                Ok(found) => {
                    let quote = Quote { source: rule.name.clone(), rate: found.rate, quoted_at: found.at };
                    match quote.check(rule.stale_after, self.clock.now()) {
                        Ok(()) => return Ok(quote),
                        Err(bad) => said.push(format!("{}: {bad}", rule.name)),
                    }
                }
                Err(error) => {
                    tracing::warn!(source = rule.name, todo = ?error.disposition(), "a source gave no rate");
                    said.push(format!("{}: {error}", rule.name));
                }
            }
        }
        let none = || format!("no source has a rate of {from}/{to}");
        Err(if said.is_empty() { none() } else { said.join("; ") })
    }
}

/// The vendors of identity checks of the rule set `kyc_vendors`.
#[derive(Clone)]
pub struct IdentityVendors {
    rules: RuleBook,
    secrets: Secrets,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl IdentityVendors {
    /// From a function's ports.
    pub fn new(ports: &Ports, rules: RuleBook) -> Self {
        Self { rules, secrets: Secrets::new(ports), transport: ports.transport.clone(), clock: ports.clock.clone() }
    }

    /// The live rules.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn rules(&self) -> Result<Arc<Live<KycVendors>>, StepError> {
        self.rules.live().await
    }

    /// The adapter of a vendor.
    ///
    /// # Errors
    /// [`StepError::Secret`] or [`StepError::Rules`].
    pub async fn adapter(&self, rule: &VendorRule) -> Result<Box<dyn KycVendor>, StepError> {
        let vendor = rule.vendor;
        let unusable = |what: String| StepError::Rules { set: KycVendors::NAME, what };
        let return_url = rule.return_url.as_deref().map(str::parse).transpose();
        let settings = kyc::Settings {
            name: vendor.as_str().to_owned(),
            base_url: rule.base_url.parse().map_err(|_| unusable(format!("{vendor}: base_url is not a URL")))?,
            secret: self.secrets.get(&rule.secret).await?,
            flow: rule.flow.clone(),
            sandbox: rule.sandbox,
            return_url: return_url.map_err(|_| unusable(format!("{vendor}: return_url is not a URL")))?,
            link_life: rule.link_life,
            algorithms: rule.digests.iter().map(|digest| algorithm(*digest)).collect(),
            clock: clock_of(&self.clock),
            transport: self.transport.clone(),
            timeout: Duration::from_secs(u64::from(KYC_CALL_TIMEOUT_S)),
        };
        kyc::vendor(vendor.as_str(), settings).map_err(|error| unusable(error.to_string()))
    }
}

fn algorithm(digest: WebhookDigest) -> Algorithm {
    match digest {
        WebhookDigest::Sha256 => Algorithm::Sha256,
        WebhookDigest::Sha512 => Algorithm::Sha512,
        WebhookDigest::UnnamedSha256 => Algorithm::UnnamedSha256,
    }
}

/// Whoever has an adapter has called for the last time by then: the time-out of every function that calls trading servers is
/// shorter, and what it has sent by then has arrived or is lost. Who runs longer asks for the adapter anew before each call.
pub const CALLS_END_WITHIN: Seconds = Seconds(35);

fn server_of<'l>(live: &'l Live<Platforms>, name: &str) -> Result<&'l Server, StepError> {
    let server = live.rules.server(name);
    server.ok_or_else(|| StepError::Rules { set: Platforms::NAME, what: format!("no server {name}") })
}

/// Server, name of the secret, version of the rules.
type Key = (String, String, u64);
type Kept = (SecretText, Arc<dyn TradingPlatform>);

/// The secret an adapter was built with; compared, never shown.
struct SecretText(SecretString);

/// The trading servers of the rule set `platforms`. Adapters are kept, because their connections are.
#[derive(Clone)]
pub struct Servers {
    rules: RuleBook,
    secrets: Secrets,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<BTreeMap<Key, Kept>>>,
}

impl Servers {
    /// From a function's ports.
    pub fn new(ports: &Ports, rules: RuleBook) -> Self {
        Self {
            rules,
            secrets: Secrets::new(ports),
            transport: ports.transport.clone(),
            clock: ports.clock.clone(),
            kept: Arc::default(),
        }
    }

    /// The live rules.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn rules(&self) -> Result<Arc<Live<Platforms>>, StepError> {
        self.rules.live().await
    }

    /// The adapter of a server.
    ///
    /// # Errors
    /// [`StepError::Secret`] or [`StepError::Rules`].
    pub async fn adapter(&self, name: &str) -> Result<Arc<dyn TradingPlatform>, StepError> {
        self.adapter_with(name, |server| &server.secret).await
    }

    /// The adapter of a server for whoever only looks: with the login for that, where the server has one.
    ///
    /// # Errors
    /// [`StepError::Secret`] or [`StepError::Rules`].
    pub async fn reader(&self, name: &str) -> Result<Arc<dyn TradingPlatform>, StepError> {
        self.adapter_with(name, |server| server.read_secret.as_ref().unwrap_or(&server.secret)).await
    }

    /// What a server said instead of doing it. Where it does not take us as we are set up, its secrets are read anew for the next
    /// call: a rotated password counts at once, and not when the old one is no longer kept.
    pub async fn heard(&self, name: &str, error: &PlatformError) {
        match error {
            PlatformError::Misconfigured(_) => {}
            PlatformError::Refused { .. } | PlatformError::NotApplied(_) | PlatformError::Unknown(_) => return,
        }
        let Ok(live) = self.rules().await else { return };
        let Some(server) = live.rules.server(name) else { return };
        for secret in [Some(&server.secret), server.read_secret.as_ref()].into_iter().flatten() {
            self.secrets.forget(secret);
        }
    }

    /// What a server can do. It is not called, so it can be asked while it is being maintained.
    ///
    /// # Errors
    /// [`StepError::Secret`] or [`StepError::Rules`].
    pub async fn capabilities(&self, name: &str) -> Result<Capabilities, StepError> {
        let live = self.rules().await?;
        Ok(self.kept(&live, server_of(&live, name)?, |server| &server.secret).await?.capabilities())
    }

    /// Nobody gets an adapter who might still be calling when a window of the server's begins.
    async fn adapter_with(
        &self,
        name: &str,
        secret_of: fn(&Server) -> &String,
    ) -> Result<Arc<dyn TradingPlatform>, StepError> {
        let live = self.rules().await?;
        let server = server_of(&live, name)?;
        let windows = server.maintenance.as_ref();
        if let Some(until) = windows.and_then(|windows| windows.closed_until(self.clock.now(), CALLS_END_WITHIN)) {
            return Err(StepError::Maintenance { server: name.to_owned(), until });
        }
        self.kept(&live, server, secret_of).await
    }

    async fn kept(
        &self,
        live: &Live<Platforms>,
        server: &Server,
        secret_of: fn(&Server) -> &String,
    ) -> Result<Arc<dyn TradingPlatform>, StepError> {
        let secret_name = secret_of(server);
        let secret = self.secrets.get(secret_name).await?;
        let key = (server.name.clone(), secret_name.clone(), live.version);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((with, adapter)) = kept.get(&key)
            && with.0.expose_secret() == secret.expose_secret()
        {
            return Ok(adapter.clone());
        }
        let adapter = self.build(server, &secret)?;
        kept.retain(|(_, _, version), _| *version == live.version);
        kept.insert(key, (SecretText(secret), adapter.clone()));
        Ok(adapter)
    }

    fn build(&self, server: &Server, secret: &SecretString) -> Result<Arc<dyn TradingPlatform>, StepError> {
        let settings = platforms::Settings {
            server: server.clone(),
            secret: secret.clone(),
            call_timeout: Duration::from_secs(u64::from(PLATFORM_CALL_TIMEOUT_S)),
            clock: clock_of(&self.clock),
            transport: self.transport.clone(),
        };
        platforms::platform(settings)
            .map_err(|error| StepError::Rules { set: Platforms::NAME, what: error.to_string() })
    }
}
