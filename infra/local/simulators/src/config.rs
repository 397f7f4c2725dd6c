//! What a simulator must know: the secrets both sides share, ports, and where webhooks go.

use crate::clock::Clock;

/// Everything the simulators need. `Config::default()` has usable local values.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The card payment provider.
    pub stripe: StripeConfig,
    /// The cashier.
    pub praxis: PraxisConfig,
    /// The trading server.
    pub mt5: Mt5Config,
    /// The chat.
    pub slack: SlackConfig,
    /// The ad platform.
    pub meta: MetaConfig,
    /// The mail service.
    pub mail: MailConfig,
    /// Listening ports; 0 lets the system choose.
    pub ports: Ports,
    /// Base URL of the system under test; `/v1/webhooks/psp/{vendor}` is added. Can be set later.
    pub webhook_base: Option<String>,
    /// Fixes generated identifiers. Without it they differ in every run.
    pub id_seed: Option<String>,
    /// The time of all vendors.
    pub clock: Clock,
}

/// Secrets of the Stripe side.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// API key the caller must present.
    pub secret_key: String,
    /// Signing secret of the webhook endpoint, used as text with its prefix.
    pub webhook_secret: String,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self { secret_key: "sk_test_local".to_owned(), webhook_secret: "whsec_local".to_owned() }
    }
}

/// Secrets of the Praxis side.
#[derive(Debug, Clone)]
pub struct PraxisConfig {
    /// Merchant account identifier.
    pub merchant_id: String,
    /// Application identifier.
    pub application_key: String,
    /// Merchant secret appended to every signed string.
    pub secret: String,
}

impl Default for PraxisConfig {
    fn default() -> Self {
        Self {
            merchant_id: "API-Local".to_owned(),
            application_key: "local-application".to_owned(),
            secret: "local-praxis-secret".to_owned(),
        }
    }
}

/// A group of trading accounts. The currency of an account is that of its group.
#[derive(Debug, Clone)]
pub struct Mt5Group {
    /// Full name with backslashes, e.g. `real\standard-usd`.
    pub name: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Decimal places of amounts.
    pub digits: u32,
}

impl Mt5Group {
    /// A group by name, currency and digits.
    pub fn new(name: &str, currency: &str, digits: u32) -> Self {
        Self { name: name.to_owned(), currency: currency.to_owned(), digits }
    }
}

/// The trading server and the manager allowed to connect to it.
#[derive(Debug, Clone)]
pub struct Mt5Config {
    /// Manager login.
    pub manager_login: u64,
    /// API password of the manager.
    pub password: String,
    /// Groups the manager may use.
    pub groups: Vec<Mt5Group>,
    /// First login the server allocates.
    pub first_login: u64,
    /// Last login of the range; beyond it user add answers 3002.
    pub last_login: u64,
    /// Server clock minus UTC in seconds.
    pub server_offset_s: i64,
    /// Seconds without a packet after which a connection is closed.
    pub idle_close_s: u64,
}

impl Default for Mt5Config {
    fn default() -> Self {
        Self {
            manager_login: 1000,
            password: "Local-Api-1".to_owned(),
            groups: vec![
                Mt5Group::new("real\\standard-usd", "USD", 2),
                Mt5Group::new("real\\standard-eur", "EUR", 2),
                Mt5Group::new("real\\standard-gbp", "GBP", 2),
                Mt5Group::new("real\\standard-jpy", "JPY", 0),
                Mt5Group::new("demo\\standard-usd", "USD", 2),
                Mt5Group::new("demo\\standard-eur", "EUR", 2),
                Mt5Group::new("demo\\standard-gbp", "GBP", 2),
                Mt5Group::new("demo\\standard-jpy", "JPY", 0),
            ],
            first_login: 500_001,
            last_login: 999_999,
            server_offset_s: 7200,
            idle_close_s: 180,
        }
    }
}

/// The chat.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// Path of the incoming webhook below `/services/`, which is the secret.
    pub path_token: String,
    /// Signs pressed buttons.
    pub signing_secret: String,
}

/// The ad platform.
#[derive(Debug, Clone)]
pub struct MetaConfig {
    /// Signs webhooks.
    pub app_secret: String,
    /// What a subscription is verified with.
    pub verify_token: String,
    /// Reads leads.
    pub page_token: String,
}

impl Default for MetaConfig {
    fn default() -> Self {
        Self {
            app_secret: "local-app-secret".to_owned(),
            verify_token: "local-verify-token".to_owned(),
            page_token: "local-page-token".to_owned(),
        }
    }
}

impl Default for SlackConfig {
    fn default() -> Self {
        Self {
            path_token: "T00000000/B00000000/local".to_owned(),
            signing_secret: "local-slack-signing-secret".to_owned(),
        }
    }
}

/// The mail service.
#[derive(Debug, Clone, Default)]
pub struct MailConfig {
    /// Senders that are verified. Empty: every sender is.
    pub verified_senders: Vec<String>,
}

/// Listening ports on 127.0.0.1; 0 lets the system choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Stripe.
    pub stripe: u16,
    /// Praxis.
    pub praxis: u16,
    /// Trading server.
    pub mt5: u16,
    /// Chat.
    pub slack: u16,
    /// Ad platform.
    pub meta: u16,
    /// Mail.
    pub mail: u16,
    /// Both payment providers below `/stripe` and `/praxis`.
    pub psp: u16,
    /// Sources of lists.
    pub lists: u16,
}
