//! Starts the brokerage: vendors, secrets, host, rules.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::moment_of;
use domain::rule_sets::SetName;
use domain::{AccountId, Day, Timestamp};
use futures::future::BoxFuture;
use host::{Host, HostConfig, LocalTime, Person, TemplateSource};
use providers::http::HyperTransport;
use runtime::{Build, Clock as _};
use serde_json::{Value, json};
use simulators::{Config, Mt5Group, Running, Simulators};
use store::{Crm, Journal, LedgerEntry, MoneyTable, PartnersTable, Rules, StoreError, Table, TradesTable};

use crate::Failure;
use crate::rules;

/// The stage of the local installation; part of its secrets' names.
pub const STAGE: &str = "local";
const SENDER: &str = "desk@broker.test";
/// Whom text messages are from here.
const SMS_FROM: &str = "+15005550006";
/// The SNS topic that tells of bounces here.
const MAIL_TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:mail";

/// The people and systems of the local installation: token name, subject, role.
pub const CALLERS: &[(&str, &str, &str)] = &[
    ("portal", "portal", "portal"),
    ("sales", "sales-1", "sales"),
    ("compliance", "compliance-1", "compliance"),
    ("compliance_2", "compliance-2", "compliance"),
    ("finance", "finance-1", "finance"),
    ("finance_2", "finance-2", "finance"),
    ("support", "support-1", "support"),
    ("admin", "admin-1", "admin"),
    ("admin_2", "admin-2", "admin"),
];

/// What bridges sign deals with here.
const BRIDGE_SECRET: &str = "bridge-secret-of-this-machine";

/// Timers that look for what has come due and do nothing else, with the index in which they look.
const SWEEPS: &[(&str, &str)] = &[("ops-timers", "due")];

/// Every function by the name of its binary.
pub const REGISTRY: &[&[(&str, Build)]] = &[
    leads::FUNCTIONS,
    kyc::FUNCTIONS,
    kyc::READER,
    kyc::UPLOADS,
    accounts::FUNCTIONS,
    payments::FUNCTIONS,
    retention::FUNCTIONS,
    trades::FUNCTIONS,
    partners::FUNCTIONS,
    compliance::FUNCTIONS,
    ops::FUNCTIONS,
];

/// The HTTP routes of every function that has some.
pub const ROUTES: &[&[runtime::http::Table]] = &[
    leads::ROUTES,
    kyc::ROUTES,
    accounts::ROUTES,
    payments::ROUTES,
    retention::ROUTES,
    trades::ROUTES,
    partners::ROUTES,
    compliance::ROUTES,
    ops::ROUTES,
];

/// The repository's folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// How to start.
#[derive(Default)]
pub struct Options {
    /// The file of the tables; without one they are in memory.
    pub data: Option<PathBuf>,
    /// The tables are served on the thread of whoever asks ([`HostConfig::serves_here`]).
    pub serves_here: Option<u64>,
    /// Where HTTP is served; without one a free port.
    pub listen: Option<SocketAddr>,
    /// Timers fire only when asked to.
    pub manual_schedules: bool,
    /// The time of functions, queues, timers and vendors alike, if not the machine's.
    pub time: Option<LocalTime>,
    /// How many times faster than the template says a message that failed comes back; as it says where none is given.
    pub retry_speed: Option<u32>,
    /// Changes a rule set before it is published, e.g. to shorten its waits.
    pub adjust: Option<fn(SetName, &mut Value)>,
    /// Sees every I/O call of every function.
    pub probe: Option<Arc<dyn host::Probe>>,
    /// Duplicates and delays messages.
    pub delivery: Option<Arc<dyn host::Delivery>>,
    /// Parameters of the template that are not to have their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// A running brokerage.
pub struct Broker {
    /// The functions.
    pub host: Host,
    /// The vendors.
    pub simulators: Running,
    /// Bearer tokens by name.
    pub tokens: BTreeMap<String, String>,
    /// What vendors sign with.
    pub webhook_secrets: Value,
    names: BTreeMap<String, String>,
    /// One for all tables: making a client costs more than a call.
    dynamodb: aws_sdk_dynamodb::Client,
}

/// The vendors as the seed rules name them: their trading groups.
pub fn simulators_config() -> Config {
    let mut config = Config::default();
    let groups = ["USD", "EUR", "GBP", "JPY"].into_iter().flat_map(|currency| {
        let digits = if currency == "JPY" { 0 } else { 2 };
        ["real", "demo"].map(|kind| Mt5Group::new(&format!("{kind}\\standard-{currency}"), currency, digits))
    });
    config.mt5.groups = groups.collect();
    // whoever tries it out signs webhooks, and what was collected so is paid back like the rest
    config.stripe.refunds_unpaid = true;
    // here nothing happens unless somebody acts
    config.kyc.decides_after_ms = None;
    // each function signs with a key of its own
    config.rekognition.any_caller = true;
    config
}

/// The values that the rule files leave to the installation.
pub fn names(urls: &BTreeMap<String, String>, prefix: &str, public_url: &str) -> BTreeMap<String, String> {
    let url = |name: &str| urls.get(name).cloned().unwrap_or_default();
    [
        ("SECRET_PREFIX", prefix.to_owned()),
        ("STRIPE_URL", url("stripe")),
        ("STRIPE_PAY_PAGE_URL", format!("{}/pay/{{payment_id}}", url("stripe"))),
        ("PRAXIS_URL", url("praxis")),
        // whoever tries the broker out may sign a message that no payer of the simulator stands behind
        ("PRAXIS_UNCONFIRMED", "believe".to_owned()),
        ("SKRILL_URL", url("skrill")),
        ("SKRILL_QUERY_URL", url("skrill")),
        ("COINSPAID_URL", url("coinspaid")),
        ("COINSPAID_PAY_PAGE_URL", format!("{}/pay/{{address}}", url("coinspaid"))),
        ("ADYEN_URL", format!("{}/v71", url("adyen"))),
        ("CHECKOUT_URL", url("checkout")),
        ("NUVEI_URL", format!("{}/ppp", url("nuvei"))),
        ("PAYSAFE_URL", url("paysafe")),
        ("PUBLIC_URL", public_url.to_owned()),
        ("MT5_LIVE_URL", url("mt5")),
        ("MT5_DEMO_URL", url("mt5")),
        ("MT4_LIVE_URL", url("mt4")),
        ("MT4_DEMO_URL", url("mt4")),
        ("MT4_LIVE_WEBREG", url("mt4_webreg").replace("tcp://", "")),
        ("MT4_DEMO_WEBREG", url("mt4_webreg").replace("tcp://", "")),
        ("MT4_LIVE_PLATFORM", simulators_config().mt4.trade_platform),
        ("MT4_DEMO_PLATFORM", simulators_config().mt4.trade_platform),
        ("MT4_TOKEN_URL", format!("{}/connect/token", url("mt4"))),
        ("CTRADER_LIVE_URL", url("ctrader")),
        ("CTRADER_DEMO_URL", url("ctrader")),
        ("CTRADER_LIVE_MANAGER", url("ctrader_manager").replace("tcp://", "")),
        ("CTRADER_DEMO_MANAGER", url("ctrader_manager").replace("tcp://", "")),
        ("CTRADER_BROKER_NAME", simulators_config().ctrader.broker_name),
        ("DXTRADE_LIVE_URL", url("dxtrade")),
        ("DXTRADE_DEMO_URL", url("dxtrade")),
        ("DXTRADE_DOMAIN", simulators_config().dxtrade.domain),
        ("DXTRADE_CLEARING_CODE", simulators_config().dxtrade.clearing_code),
        ("DXTRADE_BROKER_CODE", simulators_config().dxtrade.broker_code),
        ("META_GRAPH_URL", url("meta")),
        ("SUMSUB_URL", url("sumsub")),
        ("ONFIDO_URL", format!("{}/v3.6", url("onfido"))),
        ("VERIFF_URL", url("veriff")),
        ("REKOGNITION_URL", url("rekognition")),
        ("SLACK_URL", url("slack")),
        ("OFAC_SDN_URL", format!("{}/ofac_sdn", url("lists"))),
        ("EU_FSF_URL", format!("{}/eu_fsf", url("lists"))),
        ("EU_FSF_TOKEN", "local".to_owned()),
        ("UN_SC_URL", format!("{}/un_sc", url("lists"))),
        ("UK_SL_URL", format!("{}/uk_sl", url("lists"))),
        ("PEP_LEADERS_URL", format!("{}/pep_leaders", url("lists"))),
        ("RATES_QUOTE_URL", url("rates")),
        ("RATES_ECB_URL", url("rates")),
        // the lists of the simulator are small
        ("LISTS_AT_LEAST", "1".to_owned()),
        ("PORTAL_URL", public_url.to_owned()),
        ("BROKER_NAME", "Pipworks".to_owned()),
        ("MAIL_FROM", SENDER.to_owned()),
        ("TWILIO_URL", url("twilio")),
        ("SMS_FROM", SMS_FROM.to_owned()),
        ("MAIL_TOPIC_ARN", MAIL_TOPIC.to_owned()),
        ("SNS_URL", url("mail")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The header by which the bridge of this machine signs what it pushes: `X-Pipworks-Signature`.
pub fn bridge_signature(at: Timestamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, BRIDGE_SECRET.as_bytes());
    let at = at.seconds();
    format!("t={at},v1={}", hex::encode(hmac::sign(&key, format!("{at}.{body}").as_bytes())))
}

/// The secrets of an installation against the simulators, by name.
pub fn secrets(config: &Config, slack_url: &str, prefix: &str) -> BTreeMap<String, String> {
    let manager = json!({"login": config.mt5.manager_login, "password": config.mt5.password}).to_string();
    let bridge = json!({
        "master": config.mt4.master, "client_id": config.mt4.client_id, "client_secret": config.mt4.client_secret,
    })
    .to_string();
    let ctrader = json!({"login": config.ctrader.manager_login, "password": config.ctrader.password}).to_string();
    let dxtrade = json!({"username": config.dxtrade.username, "password": config.dxtrade.password}).to_string();
    let stripe = json!({"secret_key": config.stripe.secret_key, "webhook_secrets": [config.stripe.webhook_secret]});
    let praxis = json!({
        "merchant_id": config.praxis.merchant_id, "application_key": config.praxis.application_key,
        "secret": config.praxis.secret,
    });
    let skrill = json!({
        "merchant_email": config.skrill.merchant_email, "merchant_id": config.skrill.merchant_id,
        "secret_word": config.skrill.secret_word, "query_password": config.skrill.query_password,
    });
    let coinspaid = json!({"public_key": config.coinspaid.public_key, "secret_key": config.coinspaid.secret_key});
    let adyen = json!({
        "api_key": config.adyen.api_key, "merchant_account": config.adyen.merchant_account, "hmac_keys": [config.adyen.hmac_key],
    });
    let checkout = json!({"secret_key": config.checkout.secret_key, "webhook_keys": [config.checkout.webhook_key]});
    let nuvei = json!({
        "merchant_id": config.nuvei.merchant_id, "merchant_site_id": config.nuvei.merchant_site_id,
        "secret_key": config.nuvei.secret_key,
    });
    let paysafe = json!({
        "username": config.paysafe.username, "password": config.paysafe.password, "webhook_key": config.paysafe.webhook_key,
    });
    let slack = format!("{slack_url}/services/{}", config.slack.path_token);
    let (mut key, mut pseudonyms, mut links) = ([0_u8; 32], [0_u8; 32], [0_u8; 32]);
    // local keys: without randomness the host would not have started
    if [&mut key, &mut pseudonyms, &mut links].into_iter().try_for_each(|key| aws_lc_rs::rand::fill(key)).is_err() {
        tracing::warn!("the local keys are not random");
    }
    let mut secrets = BTreeMap::from([
        (format!("{prefix}/psp/stripe"), stripe.to_string()),
        (format!("{prefix}/psp/praxis"), praxis.to_string()),
        (format!("{prefix}/psp/skrill"), skrill.to_string()),
        (format!("{prefix}/psp/coinspaid"), coinspaid.to_string()),
        (format!("{prefix}/psp/adyen"), adyen.to_string()),
        (format!("{prefix}/psp/checkout"), checkout.to_string()),
        (format!("{prefix}/psp/nuvei"), nuvei.to_string()),
        (format!("{prefix}/psp/paysafe"), paysafe.to_string()),
        (format!("{prefix}/platform/mt5-live"), manager.clone()),
        (format!("{prefix}/platform/mt5-demo"), manager),
        (format!("{prefix}/platform/mt4-live"), bridge.clone()),
        (format!("{prefix}/platform/mt4-demo"), bridge),
        (format!("{prefix}/platform/ctrader-live"), ctrader.clone()),
        (format!("{prefix}/platform/ctrader-demo"), ctrader),
        (format!("{prefix}/platform/dxtrade-live"), dxtrade.clone()),
        (format!("{prefix}/platform/dxtrade-demo"), dxtrade),
        (format!("{prefix}/credentials-key"), STANDARD.encode(key)),
        (format!("{prefix}/pseudonyms-key"), STANDARD.encode(pseudonyms)),
    ]);
    secrets.extend(kyc_secrets(config, prefix));
    let meta = json!({
        "app_secret": config.meta.app_secret, "verify_token": config.meta.verify_token, "page_token": config.meta.page_token,
    });
    secrets.insert(format!("{prefix}/leads/meta"), meta.to_string());
    secrets.insert(format!("{prefix}/slack/signing"), config.slack.signing_secret.clone());
    secrets.insert(format!("{prefix}/trades"), BRIDGE_SECRET.to_owned());
    let twilio = json!({"account_sid": config.twilio.account_sid, "auth_token": config.twilio.auth_token});
    secrets.insert(format!("{prefix}/messaging/twilio"), twilio.to_string());
    secrets.insert(format!("{prefix}/unsubscribe"), STANDARD.encode(links));
    for desk in ["finance", "support", "compliance", "sales"] {
        secrets.insert(format!("{prefix}/slack/{desk}"), slack.clone());
    }
    secrets
}

fn kyc_secrets(config: &Config, prefix: &str) -> [(String, String); 3] {
    let (sumsub, onfido, veriff) = (&config.kyc.sumsub, &config.kyc.onfido, &config.kyc.veriff);
    let sumsub = json!({
        "app_token": sumsub.app_token, "secret_key": sumsub.secret_key, "webhook_secrets": [sumsub.webhook_secret],
    });
    let onfido = json!({"api_token": onfido.api_token, "webhook_tokens": [onfido.webhook_token]});
    let veriff = json!({"api_key": veriff.api_key, "shared_secrets": [veriff.shared_secret]});
    [("sumsub", sumsub), ("onfido", onfido), ("veriff", veriff)]
        .map(|(vendor, secret)| (format!("{prefix}/kyc/{vendor}"), secret.to_string()))
}

impl Broker {
    /// Starts everything and publishes the seed rules.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn start(options: Options) -> Result<Self, Failure> {
        let prefix = format!("pipworks/{STAGE}");
        let mut config = simulators_config();
        let time = options.time.unwrap_or_else(LocalTime::real);
        config.clock = simulators::Clock::new(VendorTime(time.clone()));
        let mut webhook_secrets = json!({
            "stripe": config.stripe.webhook_secret,
            "praxis": {
                "merchant_id": config.praxis.merchant_id, "application_key": config.praxis.application_key,
                "secret": config.praxis.secret,
            },
            "skrill": config.skrill.secret_word,
            "coinspaid": config.coinspaid.secret_key,
            "adyen": {"merchant_account": config.adyen.merchant_account, "hmac_key": config.adyen.hmac_key},
            "checkout": config.checkout.webhook_key,
            "nuvei": config.nuvei.secret_key,
            "paysafe": config.paysafe.webhook_key,
            "sumsub": config.kyc.sumsub.webhook_secret,
            "onfido": config.kyc.onfido.webhook_token,
            "veriff": config.kyc.veriff.shared_secret,
            "meta": config.meta.app_secret,
            "meta_verify_token": config.meta.verify_token,
            "slack": config.slack.signing_secret,
            "trades": BRIDGE_SECRET,
            "twilio": config.twilio.auth_token,
        });
        let simulators = Simulators::start(config.clone()).await?;
        let topic = json!({
            "private_key": simulators::sns::KEY, "topic_arn": MAIL_TOPIC,
            "certificate_url": format!("{}{}", simulators.url("mail"), simulators::sns::CERTIFICATE_PATH),
        });
        webhook_secrets.as_object_mut().map(|secrets| secrets.insert("ses".to_owned(), topic));
        let template = TemplateSource::Path(repository().join("infra/template.yaml"));
        let mut host_config = HostConfig::new(template, REGISTRY, Arc::new(HyperTransport::new()));
        host_config.parameters = [("Stage", STAGE), ("SenderAddress", SENDER)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        host_config.parameters.extend(options.parameters);
        host_config.secrets = secrets(&config, simulators.url("slack"), &prefix);
        let mailbox = simulators.mailbox();
        host_config.ses = Some(Arc::new(move |body: &[u8]| mailbox.handle_ses(body)));
        host_config.data = options.data;
        host_config.serves_here = options.serves_here;
        host_config.listen = options.listen;
        host_config.people = people();
        host_config.manual_schedules = options.manual_schedules;
        host_config.probe = options.probe;
        host_config.delivery = options.delivery;
        host_config.time = time.clone();
        host_config.retry_speed = options.retry_speed.unwrap_or(1);
        host_config.sweeps = SWEEPS.iter().map(|(timer, index)| ((*timer).to_owned(), (*index).to_owned())).collect();
        let host = Host::start(host_config).await?;
        simulators.set_webhook_base(host.url());
        let names = names(simulators.urls(), &prefix, host.url());
        let dynamodb = aws_sdk_dynamodb::Client::new(&host.sdk_config());
        let broker = Self { tokens: tokens(&host)?, host, simulators, webhook_secrets, names, dynamodb };
        let mut files = BTreeMap::new();
        for set in SetName::ALL {
            let mut file = rules::read_file(&repository().join("infra/rules"), *set, &broker.names)?;
            if let Some(adjust) = options.adjust {
                let mut document = file.document.clone();
                adjust(*set, &mut document);
                rules::check(*set, &document)?;
                file = file.changed_to(document)?;
            }
            files.insert(*set, file);
        }
        rules::check_references(&files.iter().map(|(set, file)| (*set, file.document.clone())).collect())?;
        for (set, file) in &files {
            rules::publish_file(&broker.rules(), *set, 1, file, time.now()).await?;
        }
        // the first client may come before the schedule does: nobody is screened without lists
        broker.host.invoke_probed("kyc-lists", &json!({}), None).await?;
        Ok(broker)
    }

    /// The seed document of a set, filled in for this installation.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn rule_document(&self, set: SetName) -> Result<Value, Failure> {
        rules::read(&repository().join("infra/rules"), set, &self.names)
    }

    /// The URL of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.host.url())
    }

    /// A caller's token.
    pub fn token(&self, name: &str) -> &str {
        self.tokens.get(name).map(String::as_str).unwrap_or_default()
    }

    fn table(&self, name: &str) -> Table {
        let physical = self.host.template().tables.get(name).map(|table| table.name.clone()).unwrap_or_default();
        Table::new(self.dynamodb.clone(), physical)
    }

    /// The table `crm`, without a function's policy.
    pub fn crm(&self) -> Crm {
        Crm(self.table("CrmTable"))
    }

    /// The table `money`, without a function's policy.
    pub fn money(&self) -> MoneyTable {
        MoneyTable(self.table("MoneyTable"))
    }

    /// The table `trades`, without a function's policy.
    pub fn trades(&self) -> TradesTable {
        TradesTable(self.table("TradesTable"))
    }

    /// The table `partners`.
    pub fn partners(&self) -> PartnersTable {
        PartnersTable(self.table("PartnersTable"))
    }

    /// The ledger of a trading account, from the day of its id until today.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn ledger_of(&self, account: &AccountId) -> Result<Vec<LedgerEntry>, StoreError> {
        let (today, made) = (Day::of(self.host.time().now()), moment_of(account.as_str()));
        self.money().ledger_of(account, made.map_or(today, Day::of).before(), today.next()).await
    }

    /// The table `journal`, without a function's policy.
    pub fn journal(&self) -> Journal {
        Journal(self.table("JournalTable"))
    }

    /// The table `rules`, without a function's policy.
    pub fn rules(&self) -> Rules {
        Rules(self.table("RulesTable"))
    }

    /// Lets begun work end and stops.
    pub async fn stop(self) {
        self.host.stop().await;
        self.simulators.stop().await;
    }
}

/// Who can sign in to the console: every caller that is a person.
fn people() -> Vec<Person> {
    let staff = CALLERS.iter().filter(|(_, _, role)| *role != "portal");
    staff.map(|(_, subject, role)| Person { subject: (*subject).to_owned(), roles: vec![(*role).to_owned()] }).collect()
}

/// Good to the end of time: however far the clock is moved on, they stay valid.
fn tokens(host: &Host) -> Result<BTreeMap<String, String>, Failure> {
    let life_s = Timestamp::LATEST.seconds().saturating_sub(host.time().now().seconds());
    let mut tokens = BTreeMap::new();
    for (name, subject, role) in CALLERS {
        tokens.insert((*name).to_owned(), host.issuer().mint(subject, &[role], None, life_s)?);
    }
    Ok(tokens)
}

/// The vendors live in the host's time, and the host's time waits for them.
struct VendorTime(LocalTime);

impl simulators::Time for VendorTime {
    fn now_ms(&self) -> i64 {
        self.0.now().millis()
    }

    fn busy(&self) -> simulators::Busy {
        simulators::Busy::holding(self.0.busy())
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, simulators::Busy> {
        let woken = self.0.sleep(wait);
        Box::pin(async move { simulators::Busy::holding(woken.await) })
    }
}
