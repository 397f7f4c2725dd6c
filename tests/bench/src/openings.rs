//! From the approval to the open account on each platform, the calls that an account costs there, and a burst of approvals.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use broker::Failure;
use broker::day::steps::Desk;
use broker::local::{Broker, Options};
use domain::account::rules::{Environment, Platform};
use domain::account::wish::Wish;
use domain::account::{Account, AccountStatus};
use domain::client::{Client, registered};
use domain::decision::{Decision, Frame};
use domain::kyc::{KycCase, KycStatus};
use domain::rule_sets::SetName;
use domain::{AccountId, ClientId, CorrelationId};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use runtime::lambda::{SystemClock, SystemEntropy};
use runtime::{Clock as _, Entropy as _};
use serde_json::{Value, json};
use store::{Crm, Saved};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count, milliseconds, two_places};
use crate::sample::Sample;

/// 99 of 100 accounts are open so many milliseconds after the approval.
const TARGET_MS: f64 = 500.0;
/// How long a platform takes to answer.
const ANSWER_MS: u64 = 20;
/// The same in the burst, which would last for minutes otherwise.
const BURST_ANSWER_MS: u64 = 5;
/// Approvals a second, each of which opens an account on every platform.
const PACE_PER_S: u32 = 4;
/// Clients that are approved before any is measured, so that sessions are there.
const WARM_UP: usize = 8;
const AT_ONCE: usize = 32;
const LOOK: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);
/// Where a simulator keeps our reference of an account.
const PLATFORMS: [(Platform, &str); 4] = [
    (Platform::Mt5, "comment"),
    (Platform::Mt4, "comment"),
    (Platform::Ctrader, "description"),
    (Platform::Dxtrade, "reference"),
];
/// Clients of the burst speak one of four languages, and get an account on one platform each.
const LANGUAGES: [&str; 4] = ["es", "de", "ar", "pt"];

/// What the burst came to.
struct Burst {
    lasted: Duration,
    lost: usize,
    twice: usize,
    /// Most calls at once, by simulator.
    at_once: BTreeMap<Platform, u64>,
    allowed: usize,
}

/// Measures all of it.
///
/// # Errors
/// When an account does not open.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker =
        Broker::start(Options { manual_schedules: true, adjust: Some(open_by_rule), ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    answer_after(&desk, ANSWER_MS).await?;
    steady(&desk, WARM_UP).await?;
    let before = calls(&desk).await?;
    let opened = steady(&desk, plan.approvals).await?;
    let mut costs = BTreeMap::new();
    for (platform, after) in calls(&desk).await? {
        let made = after.saturating_sub(before.get(&platform).copied().unwrap_or_default());
        costs.insert(platform, count(usize::try_from(made)?) / count(plan.approvals));
    }
    answer_after(&desk, BURST_ANSWER_MS).await?;
    let burst = burst(&desk, plan.approvals_at_once).await?;
    broker.stop().await;
    Ok(findings(plan, &opened, &costs, &burst))
}

/// English speakers get an account everywhere, others one at the platform of their language.
fn open_by_rule(set: SetName, document: &mut Value) {
    if set != SetName::Platforms {
        return;
    }
    let approved = json!({"field": "trigger", "eq": "kyc_approved"});
    let row = |id: String, language: &str, platform: Platform| {
        json!({
            "id": id, "when": {"all": [approved, {"field": "language", "eq": language}]},
            "then": {"platform": platform, "account_type": "standard", "currency": "USD", "leverage": 30, "kind": "live"},
        })
    };
    let everywhere = PLATFORMS.iter().map(|(platform, _)| row(format!("all_{platform}"), "en", *platform));
    let one = PLATFORMS
        .iter()
        .zip(LANGUAGES)
        .map(|((platform, _), language)| row(format!("one_{platform}"), language, *platform));
    let rows: Vec<Value> = everywhere.chain(one).collect();
    if let Some(set) = document.as_object_mut() {
        set.insert("openings".to_owned(), json!(rows));
    }
}

async fn answer_after(desk: &Desk<'_>, ms: u64) -> Result<(), Failure> {
    let delay = json!([{"operation": "*", "fault": {"kind": "delay", "ms": ms}, "times": 0}]);
    for (platform, _) in PLATFORMS {
        let base = format!("{}/_control", desk.broker.simulators.url(platform.as_str()));
        desk.api.send(http::Method::DELETE, &format!("{base}/faults"), &[], Vec::new()).await?.expect(200)?;
        desk.api.control(&format!("{base}/faults"), &delay).await?;
    }
    Ok(())
}

/// The calls that each simulator has served, of all operations.
async fn calls(desk: &Desk<'_>) -> Result<BTreeMap<Platform, u64>, Failure> {
    let mut calls = BTreeMap::new();
    for (platform, _) in PLATFORMS {
        let state = desk.state(platform.as_str(), "part=calls").await?;
        let served = state.get("calls").and_then(Value::as_object).cloned().unwrap_or_default();
        calls.insert(platform, served.values().filter_map(Value::as_u64).sum());
    }
    Ok(calls)
}

fn frame() -> Frame {
    Frame {
        function: "kyc-screen",
        execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
        trigger: "bench".to_owned(),
        correlation_id: CorrelationId::from_bits(SystemEntropy.id_bits()).into(),
        now: SystemClock.now(),
        rules: Vec::new(),
    }
}

/// Stores a client who reads a language.
async fn client(crm: &Crm, language: &str) -> Result<Client, Failure> {
    let id = ClientId::from_bits(SystemEntropy.id_bits());
    let body = json!({
        "email": format!("{id}@example.com"), "full_name": "Ana Quintana", "date_of_birth": "1990-05-17",
        "residence": "ES", "nationality": "ES", "language": language,
    });
    let client = Client::register(&body, id, SystemClock.now());
    let client = client.map_err(|faults| format!("a generated client is refused: {faults:?}"))?;
    match crm.save(None, registered(client.clone()), &frame()).await? {
        Saved::Applied(_) => Ok(client),
        Saved::Conflict => Err("a generated client was there before".into()),
    }
}

async fn clients(desk: &Desk<'_>, number: usize, languages: &[&str]) -> Result<Vec<Client>, Failure> {
    let crm = &desk.broker.crm();
    let clients = stream::iter(languages.iter().cycle().take(number)).map(|language| client(crm, language));
    let clients = clients.buffer_unordered(AT_ONCE).try_collect().await?;
    desk.broker.host.idle().await;
    Ok(clients)
}

/// The client's case is approved, as the step that decides saves it.
async fn approve(crm: &Crm, client: &Client) -> Result<(), Failure> {
    let frame = frame();
    let mut case = KycCase::begun(client.id.clone(), frame.now);
    case.facts.status = KycStatus::Approved;
    match crm.save(None, Decision::new(case, "approved", vec!["kyc.approved"], vec![]), &frame).await? {
        Saved::Applied(_) => Ok(()),
        Saved::Conflict => Err("a generated case was there before".into()),
    }
}

fn account_of(client: &Client, platform: Platform) -> Result<AccountId, Failure> {
    let wish = Wish {
        platform,
        account_type: "standard".to_owned(),
        currency: "USD".parse().map_err(|_| "no currency")?,
        leverage: 30,
        kind: Environment::Live,
    };
    Ok(wish.id_for(client))
}

async fn is_open(crm: &Crm, id: &AccountId) -> Result<bool, Failure> {
    Ok(crm.load::<Account>(id).await?.is_some_and(|stored| stored.entity.facts.status == AccountStatus::Open))
}

/// Milliseconds from the approval to the open account, by platform.
async fn steady(desk: &Desk<'_>, number: usize) -> Result<BTreeMap<Platform, Sample>, Failure> {
    let clients = clients(desk, number, &["en"]).await?;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / PACE_PER_S);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tasks = JoinSet::new();
    for client in clients {
        pace.tick().await;
        let crm = desk.broker.crm();
        tasks.spawn(async move { watched(&crm, &client).await });
    }
    let mut took: BTreeMap<Platform, Vec<f64>> = BTreeMap::new();
    for one in tasks.join_all().await {
        for (platform, ms) in one? {
            took.entry(platform).or_default().push(ms);
        }
    }
    desk.broker.host.idle().await;
    Ok(took.into_iter().map(|(platform, values)| (platform, Sample::new(values))).collect())
}

async fn watched(crm: &Crm, client: &Client) -> Result<Vec<(Platform, f64)>, Failure> {
    let began = Instant::now();
    approve(crm, client).await?;
    let mut waiting = PLATFORMS.map(|(platform, _)| platform).to_vec();
    let mut took = Vec::new();
    while !waiting.is_empty() {
        let mut still = Vec::new();
        for platform in waiting {
            if is_open(crm, &account_of(client, platform)?).await? {
                took.push((platform, began.elapsed().as_secs_f64() * 1_000.0));
            } else {
                still.push(platform);
            }
        }
        waiting = still;
        if began.elapsed() > PATIENCE {
            return Err(format!("{} has no account on {waiting:?}", client.id).into());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(took)
}

async fn burst(desk: &Desk<'_>, number: usize) -> Result<Burst, Failure> {
    let clients = clients(desk, number, &LANGUAGES).await?;
    let crm = &desk.broker.crm();
    let began = Instant::now();
    let approvals = stream::iter(&clients).map(|client| approve(crm, client)).buffer_unordered(AT_ONCE);
    approvals.try_for_each(|()| async { Ok(()) }).await?;
    desk.broker.host.idle().await;
    let lasted = began.elapsed();
    let (mut there, mut at_once) = (Vec::new(), BTreeMap::new());
    for (platform, reference) in PLATFORMS {
        let state = desk.state(platform.as_str(), "part=users,at_once_most").await?;
        at_once.insert(platform, state.get("at_once_most").and_then(Value::as_u64).unwrap_or_default());
        for user in state.get("users").and_then(Value::as_array).into_iter().flatten() {
            there.extend(user.get(reference).and_then(Value::as_str).map(|id| (platform, id.to_owned())));
        }
    }
    let all: BTreeSet<&(Platform, String)> = there.iter().collect();
    let mut lost = 0;
    for client in &clients {
        let place = LANGUAGES.iter().position(|language| *language == client.facts.language);
        let platform = place.and_then(|place| PLATFORMS.get(place)).map(|(platform, _)| *platform);
        let platform = platform.ok_or("a client of another language")?;
        let id = account_of(client, platform)?;
        lost += usize::from(!all.contains(&(platform, id.to_string())) || !is_open(crm, &id).await?);
    }
    let allowed = allowed(desk)?;
    Ok(Burst { lasted, lost, twice: there.len().saturating_sub(all.len()), at_once, allowed })
}

/// How many workers the template lets create accounts on one platform at the same time: each has a queue of its own.
fn allowed(desk: &Desk<'_>) -> Result<usize, Failure> {
    let creates = desk.broker.host.template().function("accounts-create").ok_or("nobody creates accounts")?;
    let limits = creates.queues.iter().map(|mapping| mapping.maximum_concurrency.ok_or("a queue has no limit"));
    let limits = limits.collect::<Result<Vec<usize>, _>>()?;
    limits.into_iter().max().ok_or_else(|| "no queue brings it accounts".into())
}

fn findings(
    plan: &Plan,
    opened: &BTreeMap<Platform, Sample>,
    costs: &BTreeMap<Platform, f64>,
    burst: &Burst,
) -> Findings {
    let mut lines = Vec::new();
    for (platform, sample) in opened {
        let what = format!("approval to open account, {platform} answers in {ANSWER_MS} ms, p99");
        lines.push(Line::at_most(what, sample.percentile(99), TARGET_MS, milliseconds));
    }
    let what = format!("{} approvals at once: accounts lost, made twice", plan.approvals_at_once);
    let seen = format!("{}, {}", burst.lost, burst.twice);
    lines.push(Line::exactly(what, seen, "0, 0", burst.lost == 0 && burst.twice == 0));
    let most = burst.at_once.values().max().copied().unwrap_or_default();
    let limit = u64::try_from(burst.allowed).unwrap_or_default();
    let what = "most calls at one server at once, in that burst";
    lines.push(Line::exactly(what, most.to_string(), format!("<= {limit}"), most <= limit));
    let of = |sample: &Sample| [50, 90, 99, 100].map(|percent| milliseconds(sample.percentile(percent)));
    let rows = opened.iter().map(|(platform, sample)| {
        let calls = two_places(costs.get(platform).copied().unwrap_or(f64::NAN));
        let most = burst.at_once.get(platform).copied().unwrap_or_default().to_string();
        std::iter::once(platform.to_string()).chain(of(sample)).chain([calls, most]).collect()
    });
    let rate = count(plan.approvals_at_once) / burst.lasted.as_secs_f64();
    let title = format!(
        "{} approvals at {PACE_PER_S} a second, an account on each platform; {} at once: {rate:.0} accounts a second, {:.0} s",
        plan.approvals,
        plan.approvals_at_once,
        burst.lasted.as_secs_f64()
    );
    let columns =
        vec!["approval to open account", "p50", "p90", "p99", "longest", "calls an account", "at once, burst"];
    Findings { lines, parts: vec![Parts { title, columns, rows: rows.collect() }] }
}
