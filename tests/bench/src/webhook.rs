//! A warm webhook through its own process, against the bare one's read and conditional write, by turns.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::JoinHandle;

use broker::Failure;
use broker::local::{self, STAGE, repository};
use bytes::Bytes;
use domain::decision::Frame;
use domain::payment::collect::opened;
use domain::payment::{Deposit, DepositStatus, NewDeposit, PspSide};
use domain::rule_sets::SetName;
use domain::{AccountId, ClientId, CorrelationId, Currency, Money, PaymentId, Seconds};
use runtime::lambda::{SystemClock, SystemEntropy};
use runtime::{Clock as _, Entropy as _};
use serde_json::{Value, json};
use store::{KEY, MoneyTable, Rules, SORT, SORT_ENTITY, Saved, Table};

use crate::aws_local::{DynamoLocal, SecretsLocal};
use crate::installation::{BARE, Installation, Process, WEBHOOK};
use crate::item_size::item_size;
use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, two_places};
use crate::runtime_api::RuntimeApi;
use crate::sample::Sample;
use crate::stripe;

/// DESIGN: a warm webhook may take so many times the bare one's read and write.
const TARGET: f64 = 1.3;
/// DESIGN: round trips to DynamoDB.
const CALLS_MAX: f64 = 2.0;
/// How long a fresh deposit waits for its webhook.
const WEBHOOK_LIMIT: Seconds = Seconds(900);
/// Bytes by which a webhook makes a deposit's item longer, until it is measured.
const GROWTH_UNKNOWN: usize = 0;

/// A pending deposit.
struct Pending {
    id: PaymentId,
    reference: String,
}

struct Bench<'a> {
    local: DynamoLocal,
    money: MoneyTable,
    table: &'a str,
    secret: String,
    sample: stripe::Sample,
}

/// Measures both by turns.
///
/// # Errors
/// When a process, a table or an answer is not as it must be.
pub async fn measure(plan: &Plan, installation: &Installation) -> Result<Findings, Failure> {
    let bench = Bench::prepare(installation).await?;
    let config = local::simulators_config();
    let prefix = format!("pipworks/{STAGE}");
    let secrets = SecretsLocal::start(local::secrets(&config, "http://127.0.0.1:9", &prefix)).await?;
    let endpoints = [
        ("AWS_ENDPOINT_URL_DYNAMODB", bench.local.url.as_str()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url.as_str()),
    ];
    let (mut webhook_api, mut bare_api) = (RuntimeApi::start().await?, RuntimeApi::start().await?);
    let start = |binary: PathBuf, api: &RuntimeApi, output| {
        installation.start(&binary, WEBHOOK, &api.address(), &endpoints, output)
    };
    let mut webhook = start(installation.binary_of(WEBHOOK)?, &webhook_api, Stdio::piped())?;
    let bare = start(installation.binary(BARE)?, &bare_api, Stdio::null())?;
    let lines = MetricLines::read(&mut webhook)?;

    let (mut own, mut floor) = (Vec::new(), Vec::new());
    let mut growth = GROWTH_UNKNOWN;
    for turn in 0..plan.warm_up + plan.webhooks {
        let (one, other) = (bench.pending().await?, bench.pending().await?);
        let before = bench.size(&other).await?;
        let event = bench.webhook(&one)?;
        let change = bench.change(&other, growth)?;
        // who goes first finds DynamoDB as the writes above left it
        let (took, least) = if turn % 2 == 0 {
            let took = ask(&mut webhook_api, event).await?;
            (took, ask(&mut bare_api, change).await?)
        } else {
            let least = ask(&mut bare_api, change).await?;
            (ask(&mut webhook_api, event).await?, least)
        };
        growth = bench.check(&one).await?.saturating_sub(before).saturating_sub("pad".len());
        if turn >= plan.warm_up {
            own.push(took);
            floor.push(least);
        }
    }
    drop((webhook, bare));
    let metered = lines.end(plan.warm_up + plan.webhooks)?;
    Ok(findings(&Sample::new(own), &Sample::new(floor), metered.get(plan.warm_up..).unwrap_or_default()))
}

/// Milliseconds that one event takes.
async fn ask(api: &mut RuntimeApi, event: Bytes) -> Result<f64, Failure> {
    let (took, answer) = api.invoke(event).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    if answer.get("statusCode") != Some(&json!(200)) {
        return Err(format!("the answer is not 200: {answer}").into());
    }
    Ok(took.as_secs_f64() * 1_000.0)
}

fn findings(own: &Sample, floor: &Sample, metered: &[Metered]) -> Findings {
    let most = |what: fn(&Metered) -> f64| Sample::new(metered.iter().map(what).collect()).max();
    let ratio = |percent| own.percentile(percent) / floor.percentile(percent);
    let lines = vec![
        Line::at_most("warm webhook / bare read and conditional write, p50", ratio(50), TARGET, two_places),
        Line::at_most("round trips to DynamoDB of a warm webhook", most(|m| m.calls), CALLS_MAX, |calls| {
            format!("{calls:.0}")
        }),
    ];
    let rows = [10, 25, 50, 75, 90].map(|percent| {
        vec![format!("{percent}"), two_places(ratio(percent)), format!("{:.2} ms", own.percentile(percent))]
    });
    let (reads, writes) = (most(|m| m.reads), most(|m| m.writes));
    let title = format!(
        "warm webhook / bare, {} of each by turns; DynamoDB Local counts {reads} read and {writes} write units at most",
        own.len()
    );
    let parts = Parts { title, columns: vec!["percentile", "ratio", "webhook"], rows: rows.into() };
    Findings { lines, parts: vec![parts] }
}

impl<'a> Bench<'a> {
    /// Makes the tables and publishes the rules.
    async fn prepare(installation: &'a Installation) -> Result<Self, Failure> {
        let local = DynamoLocal::reach(&installation.access_key)?;
        for id in ["MoneyTable", "RulesTable"] {
            let table = installation.template.tables.get(id).ok_or_else(|| format!("no table {id}"))?;
            local.create(table).await?;
        }
        let table = installation.table("MoneyTable")?;
        let rules = Rules(Table::new(local.client.clone(), installation.table("RulesTable")?));
        let urls = ["stripe", "praxis", "skrill", "coinspaid", "adyen", "checkout", "nuvei", "mt5"]
            .map(|name| (name.to_owned(), format!("https://{name}.example.com")));
        let names = local::names(&urls.into(), &format!("pipworks/{STAGE}"), "https://api.example.com");
        let document = broker::rules::read(&repository().join("infra/rules"), SetName::Psps, &names)?;
        broker::rules::publish(&rules, SetName::Psps, 1, &document, SystemClock.now()).await?;
        Ok(Self {
            money: MoneyTable(Table::new(local.client.clone(), table)),
            local,
            table,
            secret: local::simulators_config().stripe.webhook_secret,
            sample: stripe::Sample::read()?,
        })
    }

    /// A fresh deposit as `payments-initiate` leaves it.
    async fn pending(&self) -> Result<Pending, Failure> {
        let now = SystemClock.now();
        let bits = || SystemEntropy.id_bits();
        let id = PaymentId::from_bits(bits());
        let reference = format!("pi_{:024x}", bits() & 0xffff_ffff_ffff_ffff_ffff_ffff);
        let deposit = Deposit::open(NewDeposit {
            id: id.clone(),
            client_id: ClientId::from_bits(bits()),
            account_id: AccountId::from_bits(bits()),
            platform: "mt5".to_owned(),
            login: "1000001".to_owned(),
            amount: Money::parse(stripe::AMOUNT, "USD".parse::<Currency>()?)?,
            account_currency: "USD".parse()?,
            psp: PspSide { name: "stripe".to_owned(), reference: reference.clone() },
            fee: None,
            others: vec![],
            redirect_url: format!("https://pay.example.com/pay/{id}"),
            due: now.plus(WEBHOOK_LIMIT),
            now,
        });
        let frame = Frame {
            function: "payments-initiate",
            execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
            trigger: "POST /v1/clients/{client_id}/deposits".to_owned(),
            correlation_id: CorrelationId::from_bits(bits()).into(),
            now,
            rules: vec!["psps@1".to_owned()],
        };
        let why = vec!["deposit_limits: row dollar_euro_pound".to_owned()];
        match self.money.save(None, opened(deposit, why), &frame).await? {
            Saved::Applied(_) => Ok(Pending { id, reference }),
            Saved::Conflict => Err("a fresh deposit was there before".into()),
        }
    }

    fn webhook(&self, pending: &Pending) -> Result<Bytes, Failure> {
        self.sample.trigger(pending.id.as_str(), &pending.reference, &self.secret, SystemClock.now().seconds())
    }

    /// The same change of the same item for the bare one.
    fn change(&self, pending: &Pending, grow: usize) -> Result<Bytes, Failure> {
        let change = json!({"table": self.table, "pk": pending.id, "sk": SORT_ENTITY, "grow": grow});
        Ok(Bytes::from(serde_json::to_vec(&change)?))
    }

    async fn size(&self, pending: &Pending) -> Result<usize, Failure> {
        use aws_sdk_dynamodb::types::AttributeValue::S;
        let call = self.local.client.get_item().table_name(self.table);
        let call = call.key(KEY, S(pending.id.to_string())).key(SORT, S(SORT_ENTITY.to_owned()));
        let item = call.consistent_read(true).send().await?.item.ok_or("the deposit is gone")?;
        Ok(item_size(&item))
    }

    /// The size of a deposit that is now paid: a refused webhook would be quick.
    async fn check(&self, pending: &Pending) -> Result<usize, Failure> {
        let stored = self.money.load::<Deposit>(&pending.id).await?.ok_or("the deposit is gone")?;
        if (stored.version, stored.entity.status()) != (2, DepositStatus::Paid) {
            return Err(format!("the webhook left version {} as {:?}", stored.version, stored.entity.status()).into());
        }
        self.size(pending).await
    }
}

/// What the store called and consumed in one invocation.
struct Metered {
    calls: f64,
    reads: f64,
    writes: f64,
}

/// The metric lines that the function writes, one for each invocation.
struct MetricLines(JoinHandle<Vec<Metered>>);

impl MetricLines {
    fn read(process: &mut Process) -> Result<Self, Failure> {
        let output = process.0.stdout.take().ok_or("the function's output cannot be read")?;
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        Ok(Self(std::thread::spawn(move || lines.filter_map(|line| metered(&line)).collect())))
    }

    /// All of them, after the process has ended.
    fn end(self, invocations: usize) -> Result<Vec<Metered>, Failure> {
        let metered = self.0.join().map_err(|_| "the function's output was not read")?;
        if metered.len() != invocations {
            return Err(format!("{} metric lines of {invocations} invocations", metered.len()).into());
        }
        Ok(metered)
    }
}

fn metered(line: &str) -> Option<Metered> {
    let line: Value = serde_json::from_str(line).ok()?;
    line.get("_aws")?;
    let number = |name: &str| line.get(name).and_then(Value::as_f64);
    Some(Metered { calls: number("store_calls")?, reads: number("read_units")?, writes: number("write_units")? })
}
