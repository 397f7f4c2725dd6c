//! What a simulator must know: the secrets both sides share, ports, and where webhooks go.

use crate::clock::Clock;

/// Everything the simulators need. `Config::default()` has usable local values.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The card payment provider.
    pub stripe: StripeConfig,
    /// The cashier.
    pub praxis: PraxisConfig,
    /// The wallet.
    pub skrill: SkrillConfig,
    /// Addresses of coins.
    pub coinspaid: CoinsPaidConfig,
    /// Adyen.
    pub adyen: AdyenConfig,
    /// Checkout.com.
    pub checkout: CheckoutConfig,
    /// Nuvei.
    pub nuvei: NuveiConfig,
    /// The wallet behind payment handles.
    pub paysafe: PaysafeConfig,
    /// The trading server.
    pub mt5: Mt5Config,
    /// The MetaTrader 4 server.
    pub mt4: Mt4Config,
    /// cTrader.
    pub ctrader: CtraderConfig,
    /// DXtrade.
    pub dxtrade: DxtradeConfig,
    /// The chat.
    pub slack: SlackConfig,
    /// The ad platform.
    pub meta: MetaConfig,
    /// The vendors of identity checks.
    pub kyc: KycConfig,
    /// The service that measures faces.
    pub rekognition: RekognitionConfig,
    /// The mail service.
    pub mail: MailConfig,
    /// Text messages.
    pub twilio: TwilioConfig,
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
    /// Whether a payment can be refunded that no payer has paid here: for an installation whose webhooks are signed by its tests, and
    /// so collects money that the simulator never saw. The vendor refuses it.
    pub refunds_unpaid: bool,
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self { secret_key: "sk_test_local".to_owned(), webhook_secret: "whsec_local".to_owned(), refunds_unpaid: false }
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

/// The merchant's account at Skrill.
#[derive(Debug, Clone)]
pub struct SkrillConfig {
    /// The account's address, which sessions are prepared for.
    pub merchant_email: String,
    /// The account's number.
    pub merchant_id: String,
    /// Part of every signature.
    pub secret_word: String,
    /// The password of the query interface.
    pub query_password: String,
    /// Currencies that the account holds; what is paid in another one is converted into the first.
    pub currencies: Vec<String>,
}

impl Default for SkrillConfig {
    fn default() -> Self {
        Self {
            merchant_email: "merchant@broker.test".to_owned(),
            merchant_id: "1234567".to_owned(),
            secret_word: "secretword".to_owned(),
            query_password: "local-query-1".to_owned(),
            currencies: ["EUR", "USD", "GBP", "JPY", "BHD"].map(str::to_owned).into(),
        }
    }
}

/// Keys of the CoinsPaid side.
#[derive(Debug, Clone)]
pub struct CoinsPaidConfig {
    /// Names the caller.
    pub public_key: String,
    /// Signs both ways.
    pub secret_key: String,
    /// Coins that there are addresses of.
    pub coins: Vec<String>,
    /// Currencies that coins are converted into.
    pub currencies: Vec<String>,
}

impl Default for CoinsPaidConfig {
    fn default() -> Self {
        Self {
            public_key: "local-processing-key".to_owned(),
            secret_key: "local-processing-secret".to_owned(),
            coins: ["USDT", "USDTT", "USDTE", "BTC", "ETH", "XRP"].map(str::to_owned).into(),
            currencies: ["USD", "EUR", "GBP"].map(str::to_owned).into(),
        }
    }
}

/// Secrets of the Adyen side.
#[derive(Debug, Clone)]
pub struct AdyenConfig {
    /// API key the caller must present.
    pub api_key: String,
    /// The one merchant account there is.
    pub merchant_account: String,
    /// Signs webhooks; hex.
    pub hmac_key: String,
}

impl Default for AdyenConfig {
    fn default() -> Self {
        Self {
            api_key: "local-adyen-api-key".to_owned(),
            merchant_account: "PipworksLocal".to_owned(),
            hmac_key: "4C4F43414C4144594E4B45594C4F43414C4144594E4B45594C4F43414C414459".to_owned(),
        }
    }
}

/// Secrets of the Checkout.com side.
#[derive(Debug, Clone)]
pub struct CheckoutConfig {
    /// API key the caller must present.
    pub secret_key: String,
    /// Signs webhooks.
    pub webhook_key: String,
}

impl Default for CheckoutConfig {
    fn default() -> Self {
        Self { secret_key: "sk_sbox_local".to_owned(), webhook_key: "local-checkout-webhook-key".to_owned() }
    }
}

/// The merchant at Nuvei.
#[derive(Debug, Clone)]
pub struct NuveiConfig {
    /// The merchant.
    pub merchant_id: String,
    /// His site.
    pub merchant_site_id: String,
    /// Part of every checksum.
    pub secret_key: String,
}

impl Default for NuveiConfig {
    fn default() -> Self {
        Self {
            merchant_id: "1234567890".to_owned(),
            merchant_site_id: "987654".to_owned(),
            secret_key: "local-nuvei-secret".to_owned(),
        }
    }
}

/// Keys of the Paysafe side.
#[derive(Debug, Clone)]
pub struct PaysafeConfig {
    /// Names the caller.
    pub username: String,
    /// The caller's password.
    pub password: String,
    /// Signs events, used as it is.
    pub webhook_key: String,
}

impl Default for PaysafeConfig {
    fn default() -> Self {
        Self {
            username: "local-paysafe".to_owned(),
            password: "B-local-0-paysafe".to_owned(),
            webhook_key: "local-paysafe-webhook-key".to_owned(),
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

/// The MetaTrader 4 server, and who may talk to it.
#[derive(Debug, Clone)]
pub struct Mt4Config {
    /// Master password of the registration plug-in.
    pub master: String,
    /// Our client at the bridge.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The server's name at the bridge.
    pub trade_platform: String,
    /// Groups that there are; names of 15 bytes at most.
    pub groups: Vec<Mt5Group>,
    /// First login the server allocates.
    pub first_login: u64,
    /// Last login of the range.
    pub last_login: u64,
    /// Server clock minus UTC in seconds.
    pub server_offset_s: i64,
}

impl Default for Mt4Config {
    fn default() -> Self {
        let groups = [("USD", 2), ("EUR", 2), ("GBP", 2), ("JPY", 0)].into_iter().flat_map(|(currency, digits)| {
            ["live", "demo"].map(|kind| Mt5Group::new(&format!("{kind}-{currency}"), currency, digits))
        });
        Self {
            master: "local-master".to_owned(),
            client_id: "local-client".to_owned(),
            client_secret: "local-client-secret".to_owned(),
            trade_platform: "5f3a1c52-0000-4000-8000-000000000004".to_owned(),
            groups: groups.collect(),
            first_login: 2_100_001,
            last_login: 2_999_999,
            server_offset_s: 7_200,
        }
    }
}

/// cTrader and the manager that may use it.
#[derive(Debug, Clone)]
pub struct CtraderConfig {
    /// Manager login.
    pub manager_login: u64,
    /// The manager's password.
    pub password: String,
    /// The broker whose accounts they are.
    pub broker_name: String,
    /// The broker's name at the manager's interface.
    pub plant: String,
    /// Groups the manager may use.
    pub groups: Vec<String>,
    /// Deposit currencies with the digits in which their money is written.
    pub currencies: Vec<(String, u32)>,
    /// First login the server allocates.
    pub first_login: i64,
    /// Last login of the range.
    pub last_login: i64,
    /// Accounts in one answer of the list; absent: 100 000.
    pub list_chunk: Option<usize>,
    /// Rows in one answer of the manager's interface.
    pub manager_page: usize,
}

impl Default for CtraderConfig {
    fn default() -> Self {
        let currencies = [("USD", 2), ("EUR", 2), ("GBP", 2), ("JPY", 0)];
        Self {
            manager_login: 2000,
            password: "Local-Manager-1".to_owned(),
            broker_name: "pipworks".to_owned(),
            plant: "pipworks".to_owned(),
            groups: vec!["live-standard".to_owned(), "demo-standard".to_owned()],
            currencies: currencies.map(|(code, digits)| (code.to_owned(), digits)).into(),
            first_login: 3_000_001,
            last_login: 3_999_999,
            list_chunk: None,
            manager_page: 1_000,
        }
    }
}

/// DXtrade and the user of its interfaces.
#[derive(Debug, Clone)]
pub struct DxtradeConfig {
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// The domain of users and clients.
    pub domain: String,
    /// The clearing code of the accounts.
    pub clearing_code: String,
    /// The broker whose accounts they are.
    pub broker_code: String,
    /// Categories of the domain `Trading`.
    pub groups: Vec<String>,
    /// Currencies of accounts.
    pub currencies: Vec<String>,
    /// A transfer's id that is used again is answered with a conflict, and not with the first transfer.
    pub repeat_conflicts: bool,
}

impl Default for DxtradeConfig {
    fn default() -> Self {
        Self {
            username: "crm".to_owned(),
            password: "Local-Register-1".to_owned(),
            domain: "default".to_owned(),
            clearing_code: "pipworks".to_owned(),
            broker_code: "pipworks".to_owned(),
            groups: vec!["live-standard".to_owned(), "demo-standard".to_owned()],
            currencies: ["USD", "EUR", "GBP", "JPY"].map(str::to_owned).into(),
            repeat_conflicts: false,
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

/// The account for text messages.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// Names the caller.
    pub account_sid: String,
    /// Proves who calls, and signs what is told.
    pub auth_token: String,
}

impl Default for TwilioConfig {
    fn default() -> Self {
        Self { account_sid: "AClocal".to_owned(), auth_token: "local-twilio-token".to_owned() }
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

/// The vendors of identity checks.
#[derive(Debug, Clone)]
pub struct KycConfig {
    /// How long after it was opened a vendor approves a check by itself, in milliseconds; `None`: it waits for a control route.
    pub decides_after_ms: Option<u64>,
    /// Sumsub.
    pub sumsub: SumsubConfig,
    /// Onfido.
    pub onfido: OnfidoConfig,
    /// Veriff.
    pub veriff: VeriffConfig,
}

impl Default for KycConfig {
    fn default() -> Self {
        Self {
            decides_after_ms: Some(300),
            sumsub: SumsubConfig::default(),
            onfido: OnfidoConfig::default(),
            veriff: VeriffConfig::default(),
        }
    }
}

/// Secrets of the Sumsub side.
#[derive(Debug, Clone)]
pub struct SumsubConfig {
    /// Names the caller.
    pub app_token: String,
    /// Signs the caller's requests.
    pub secret_key: String,
    /// Signs webhooks.
    pub webhook_secret: String,
    /// The one level there is.
    pub level: String,
}

impl Default for SumsubConfig {
    fn default() -> Self {
        Self {
            app_token: "prd:local-app-token".to_owned(),
            secret_key: "local-sumsub-secret-key".to_owned(),
            webhook_secret: "local-sumsub-webhook-secret".to_owned(),
            level: "basic-kyc".to_owned(),
        }
    }
}

/// Secrets of the Onfido side.
#[derive(Debug, Clone)]
pub struct OnfidoConfig {
    /// What the caller must present.
    pub api_token: String,
    /// Signs webhooks.
    pub webhook_token: String,
    /// The one workflow there is.
    pub workflow_id: String,
}

impl Default for OnfidoConfig {
    fn default() -> Self {
        Self {
            api_token: "api_live.local-token".to_owned(),
            webhook_token: "local-onfido-webhook-token".to_owned(),
            workflow_id: "5f3a1c52-0000-4000-8000-6b6f6e66696f".to_owned(),
        }
    }
}

/// Secrets of the Veriff side.
#[derive(Debug, Clone)]
pub struct VeriffConfig {
    /// Names the caller.
    pub api_key: String,
    /// Signs requests and webhooks.
    pub shared_secret: String,
}

impl Default for VeriffConfig {
    fn default() -> Self {
        Self {
            api_key: "7e51ff00-0000-4000-8000-000000000001".to_owned(),
            shared_secret: "local-veriff-shared-secret".to_owned(),
        }
    }
}

/// Whose calls the service that measures faces takes.
#[derive(Debug, Clone)]
pub struct RekognitionConfig {
    /// Names the caller.
    pub access_key_id: String,
    /// Signs the caller's requests.
    pub secret_access_key: String,
    /// Whether requests of other callers are taken as well, if they are signed at all: where each function has a key of its own that
    /// nobody here knows.
    pub any_caller: bool,
}

impl Default for RekognitionConfig {
    fn default() -> Self {
        Self { access_key_id: "LOCAL".to_owned(), secret_access_key: "local".to_owned(), any_caller: false }
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
    /// Skrill.
    pub skrill: u16,
    /// CoinsPaid.
    pub coinspaid: u16,
    /// Adyen.
    pub adyen: u16,
    /// Checkout.com.
    pub checkout: u16,
    /// Nuvei.
    pub nuvei: u16,
    /// Paysafe.
    pub paysafe: u16,
    /// Trading server.
    pub mt5: u16,
    /// Bridge to the MetaTrader 4 server.
    pub mt4: u16,
    /// Its registration plug-in.
    pub mt4_webreg: u16,
    /// cTrader.
    pub ctrader: u16,
    /// cTrader's interface for managers.
    pub ctrader_manager: u16,
    /// DXtrade.
    pub dxtrade: u16,
    /// Chat.
    pub slack: u16,
    /// Ad platform.
    pub meta: u16,
    /// Sumsub.
    pub sumsub: u16,
    /// Onfido.
    pub onfido: u16,
    /// Veriff.
    pub veriff: u16,
    /// Faces.
    pub rekognition: u16,
    /// Mail.
    pub mail: u16,
    /// Text messages.
    pub twilio: u16,
    /// All payment providers, each below its name.
    pub psp: u16,
    /// Sources of lists.
    pub lists: u16,
    /// Sources of rates.
    pub rates: u16,
}
