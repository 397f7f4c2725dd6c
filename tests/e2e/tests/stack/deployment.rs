//! Deploys the template, and gives it what an installation needs: issuer, secrets, sender, rules, vendors.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use aws_types::SdkConfig;
use axum::Router;
use axum::routing::get;
use broker::Failure;
use broker::api::Api;
use broker::local::{CALLERS, names, repository, secrets, simulators_config};
use broker::rules;
use domain::rule_sets::SetName;
use host::{Issuer, SystemClock, SystemEntropy};
use http::Method;
use runtime::{Clock as _, Entropy as _};
use serde_json::{Value, json};
use simulators::{Config, Running, Simulators};
use store::{Crm, MoneyTable, Rules, Table};
use tokio::net::TcpListener;
use tokio::sync::RwLock;

/// What the tokens are for.
const AUDIENCE: &str = "pipworks-e2e";
/// How long they are good for, in seconds.
const TOKEN_LIFE_S: i64 = 3_600;
/// What is not as in the seed rules: one company's clients get accounts by rule, waits are short, and the sales floor works whenever the tests run.
fn adjust(set: SetName, document: &mut Value) -> Result<(), Failure> {
    crate::accounts::open_by_rule(set, document);
    let changes: &[(&str, Value)] = match set {
        SetName::Psps => &[("/psps/0/webhook_limit", json!("5s"))],
        SetName::Journeys => &[("/journeys/0/steps/0/after", json!("1m")), ("/quiet_hours", json!(not_now()))],
        SetName::Sales => &[("/pools/4/sla", json!({"due_in": "1m", "clock": "calendar"}))],
        _ => &[],
    };
    for (pointer, value) in changes {
        *document.pointer_mut(pointer).ok_or_else(|| format!("{} has no {pointer}", set.as_str()))? = value.clone();
    }
    for calendar in document.get_mut("calendars").and_then(Value::as_object_mut).into_iter().flatten() {
        let week = json!([{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "hours": ["00:00-24:00"]}]);
        *calendar.1 = json!({"time_zone": calendar.1["time_zone"], "week": week});
    }
    rules::check(set, document)
}

/// Hours of quiet that no scene falls into, wherever its client lives.
fn not_now() -> String {
    let hour = SystemClock.now().seconds().rem_euclid(86_400) / 3_600;
    format!("{:02}:00-{:02}:00", (hour + 11) % 24, (hour + 12) % 24)
}

/// A deployed stack with its vendors.
pub struct Deployment {
    /// The vendors.
    pub simulators: Running,
    /// How they are set up.
    pub vendors: Config,
    /// Clients of LocalStack.
    pub aws: SdkConfig,
    /// HTTP.
    pub http: Api,
    /// LocalStack's address.
    pub endpoint: String,
    /// Scenes play side by side; the one that measures plays alone.
    pub turn: RwLock<()>,
    issuer: Issuer,
    url: String,
    description: Value,
}

impl Deployment {
    /// Deploys; takes about a quarter of a minute.
    pub async fn start() -> Result<Self, Failure> {
        let endpoint = std::env::var("AWS_ENDPOINT_URL").map_err(|_| {
            "AWS_ENDPOINT_URL is not set: these tests need LocalStack. Run `make test`, or \
             `python3 infra/local/localstack/stack.py run -- cargo test -p e2e --test stack`"
        })?;
        let drawn = SystemEntropy.id_bits() & 0xffff_ffff;
        // a stage of its own, so that a LocalStack that is already in use can take one more deployment
        let stage = format!("e2e-{drawn:08x}");
        let (issuer, keys_url) = issuer().await?;
        let vendors = simulators_config();
        let simulators = Simulators::start(vendors.clone()).await?;
        let prefix = format!("pipworks/{stage}");
        let names = names(simulators.urls(), &prefix, "");
        let sender = names.get("MAIL_FROM").cloned().unwrap_or_default();
        let parameters = [
            ("Stage", stage.as_str()),
            ("JwtIssuer", issuer.issuer()),
            ("JwtAudience", AUDIENCE),
            ("JwksUrl", &keys_url),
            ("SenderAddress", &sender),
        ];
        let description = deploy(&stage, &parameters)?;
        let url = text(&description, &format!("/apis/Api/urls/{stage}"))?;
        simulators.set_webhook_base(&url);

        let aws = runtime::aws::sdk_config(&std::env::vars().collect());
        let secret_store = aws_sdk_secretsmanager::Client::new(&aws);
        for (name, value) in secrets(&vendors, simulators.url("slack"), &prefix) {
            secret_store.create_secret().name(name).secret_string(value).send().await?;
        }
        aws_sdk_ses::Client::new(&aws).verify_email_identity().email_address(sender).send().await?;
        let deployment = Self {
            http: Api::default(),
            turn: RwLock::new(()),
            simulators,
            vendors,
            aws,
            endpoint,
            issuer,
            url,
            description,
        };
        deployment.publish_rules(&prefix).await?;
        deployment.everybody_comes().await?;
        Ok(deployment)
    }

    /// All agents of the sales floor say that they are there.
    async fn everybody_comes(&self) -> Result<(), Failure> {
        let token = self.token("sales");
        let agents = self.http.get(&self.url("/v1/agents"), &token).await?.expect(200)?.json;
        for agent in agents["items"].as_array().into_iter().flatten() {
            let url = self.url(&format!("/v1/agents/{}/presence", text(agent, "/agent_id")?));
            self.http.send_json(Method::PUT, &url, &token, &json!({"state": "online"})).await?.expect(200)?;
        }
        Ok(())
    }

    async fn publish_rules(&self, prefix: &str) -> Result<(), Failure> {
        let names = names(self.simulators.urls(), prefix, &self.url);
        let table = Rules(self.table("RulesTableName")?);
        for set in SetName::ALL {
            let file = rules::read_file(&repository().join("infra/rules"), *set, &names)?;
            let mut document = file.document.clone();
            adjust(*set, &mut document)?;
            rules::publish_file(&table, *set, 1, &file.changed_to(document)?, SystemClock.now()).await?;
        }
        Ok(())
    }

    fn table(&self, output: &str) -> Result<Table, Failure> {
        Ok(Table::new(aws_sdk_dynamodb::Client::new(&self.aws), self.output(output)?))
    }

    /// The table `crm`, past the API.
    pub fn crm(&self) -> Crm {
        Crm(self.table("CrmTableName").unwrap())
    }

    /// The table `money`, read past the API.
    pub fn money(&self) -> MoneyTable {
        MoneyTable(self.table("MoneyTableName").unwrap())
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> Result<String, Failure> {
        text(&self.description, &format!("/outputs/{name}"))
    }

    /// The physical name of a resource.
    pub fn resource(&self, logical_id: &str) -> Result<String, Failure> {
        text(&self.description, &format!("/resources/{logical_id}"))
    }

    /// The URL of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A caller's token, by the names of the local installation.
    pub fn token(&self, name: &str) -> String {
        let (_, subject, role) = CALLERS.iter().find(|(known, _, _)| *known == name).unwrap();
        self.token_of(subject, role, TOKEN_LIFE_S)
    }

    /// Any token.
    pub fn token_of(&self, subject: &str, role: &str, life_s: i64) -> String {
        self.issuer.mint(subject, &[role], None, life_s).unwrap()
    }
}

fn text(document: &Value, pointer: &str) -> Result<String, Failure> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("the deployed stack has no {pointer}"))?.to_owned())
}

/// An identity provider whose keys the functions fetch over HTTP.
async fn issuer() -> Result<(Issuer, String), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let issuer = Issuer::new(&url, AUDIENCE, Arc::new(SystemClock), Arc::new(SystemEntropy))?;
    let keys = issuer.jwks().to_string();
    let published = move || async move { ([("content-type", "application/json")], keys) };
    let routes = Router::new().route("/keys", get(published));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok((issuer, format!("{url}/keys")))
}

/// The folder that holds the functions of the profile that this test was built with.
fn binaries() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    Ok(own.parent().and_then(|deps| deps.parent()).ok_or("the test has no target folder")?.to_owned())
}

fn deploy(stage: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
    let root = repository();
    let mut command = Command::new("python3");
    command.arg(root.join("infra/local/localstack/stack.py")).args(["deploy", "--stack", stage, "--template"]);
    command.arg(root.join("infra/template.yaml")).arg("--binaries").arg(binaries()?);
    let parameters: BTreeMap<_, _> = parameters.iter().copied().collect();
    for (name, value) in parameters {
        command.arg("--param").arg(format!("{name}={value}"));
    }
    let done = command.output()?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("the template was not deployed (`cargo build --workspace --bins` first):\n{said}").into());
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}
