//! The decision where a lead goes, on a large sales floor: 500 rules, 50 pools, 1 000 agents.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use broker::Failure;
use broker::local::{self, STAGE, repository};
use broker::rules::in_words;
use domain::contact::NoPhone;
use domain::decision::Verdict;
use domain::lead::Submission;
use domain::lead::plan::{Floor, Planned, Trigger, plan};
use domain::lead::rules::{LeadIntake, LeadRouting, LeadScoring};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::sales::agent::Presence;
use domain::sales::rules::SalesRules;
use domain::sales::{AgentId, AgentState, PoolState};
use domain::{LeadId, Timestamp};
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts};
use crate::sample::Sample;

/// A decision may take so many microseconds.
const TARGET_US: f64 = 50.0;
const RULES: usize = 500;
const POOLS: usize = 50;
const AGENTS: usize = 1_000;
/// Noon on a Wednesday where everybody works.
const NOON: &str = "2026-11-25T12:00:00Z";

/// Measures it for a lead that the first rule sends away, and for one that only the last does.
///
/// # Errors
/// When the floor cannot be made or the lead is not assigned.
pub fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let bench = Bench::prepare()?;
    let last = format!("campaign_{}", RULES - 2);
    let samples = [("the first rule", "campaign_0"), ("the last but one", last.as_str()), ("the last", "none")]
        .map(|(which, campaign)| Ok::<_, Failure>((which, bench.run(campaign, plan.decisions)?)));
    let [first, last, rest] = samples;
    let samples = [first?, last?, rest?];
    let worst = samples.iter().map(|(_, sample)| sample.percentile(50)).fold(0.0, f64::max);
    let microseconds = |value: f64| format!("{value:.1} us");
    let what = format!("a routing decision with {RULES} rules, {POOLS} pools and {AGENTS} agents, p50 of the slowest");
    let row = |(which, sample): &(&str, Sample)| {
        let values = [50, 90, 99].map(|percent| microseconds(sample.percentile(percent)));
        std::iter::once((*which).to_owned()).chain(values).collect()
    };
    let parts = Parts {
        title: format!("routing decisions, {} of each; {} members in a pool", plan.decisions, AGENTS / POOLS),
        columns: vec!["decided by", "p50", "p90", "p99"],
        rows: samples.iter().map(row).collect(),
    };
    Ok(Findings { lines: vec![Line::at_most(what, worst, TARGET_US, microseconds)], parts: vec![parts] })
}

struct Bench {
    sales: SalesRules,
    routing: LeadRouting,
    scoring: LeadScoring,
    intake: LeadIntake,
    agents: BTreeMap<String, AgentState>,
    pools: BTreeMap<String, PoolState>,
    now: Timestamp,
}

impl Bench {
    fn prepare() -> Result<Self, Failure> {
        let now: Timestamp = NOON.parse()?;
        let sales = sales(seed(SetName::Sales)?);
        let routing = routing(seed(SetName::LeadRouting)?);
        let mut agents = BTreeMap::new();
        for name in (0..AGENTS).map(agent) {
            let unknown = AgentState::unknown(AgentId::of(&name));
            let Verdict::Change(there) = unknown.present(Presence::Online, now) else { continue };
            agents.insert(name, there.next);
        }
        Ok(Self {
            sales: SalesRules::parse(&sales).map_err(|faults| in_words(&faults))?,
            routing: LeadRouting::parse(&routing).map_err(|faults| in_words(&faults))?,
            scoring: LeadScoring::parse(&seed(SetName::LeadScoring)?).map_err(|faults| in_words(&faults))?,
            intake: LeadIntake::parse(&seed(SetName::LeadIntake)?).map_err(|faults| in_words(&faults))?,
            agents,
            pools: (0..POOLS).map(pool).map(|name| (name.clone(), PoolState::fresh(&name))).collect(),
            now,
        })
    }

    fn run(&self, campaign: &str, number: usize) -> Result<Sample, Failure> {
        let body = json!({
            "email": "visitor@example.com", "country": "GB", "source": {"channel": "paid_search", "campaign": campaign},
        });
        let form = Submission::read(&body, &self.intake, &|_, _| Err(NoPhone::NotANumber), self.now);
        let form = form.map_err(|faults| in_words(&faults))?;
        let mut lead = form.lead(LeadId::from_bits(1));
        lead.facts.scored = Some(lead.score(&self.scoring, self.now)?);
        let lead = lead.received(None).next;
        let floor = Floor {
            sales: &self.sales,
            routing: &self.routing,
            pools: &self.pools,
            agents: &self.agents,
            now: self.now,
        };
        let mut took = Vec::with_capacity(number);
        for turn in 0..number.saturating_add(number / 10) {
            let began = Instant::now();
            let planned = black_box(plan(black_box(&lead), &Trigger::Route, None, floor));
            let micros = began.elapsed().as_secs_f64() * 1e6;
            if !matches!(&planned, Planned::Do(plan) if plan.opened.is_some()) {
                return Err(format!("it is not assigned: {planned:?}").into());
            }
            // the first ones warm up
            if turn >= number / 10 {
                took.push(micros);
            }
        }
        Ok(Sample::new(took))
    }
}

fn agent(number: usize) -> String {
    format!("agent_{number}")
}

fn pool(number: usize) -> String {
    format!("pool_{number}")
}

/// The seed's floor with the people and pools of a large one.
fn sales(mut document: Value) -> Value {
    let team = document.pointer("/agents/0/team").cloned().unwrap_or_default();
    let model = document.pointer("/pools/0").cloned().unwrap_or_default();
    let agents = (0..AGENTS).map(|number| {
        json!({
            "id": agent(number), "name": agent(number), "team": team, "languages": ["en"],
            "email": format!("{}@broker.test", agent(number)), "slack_user": format!("U{number:04}"),
        })
    });
    let agents = agents.collect();
    let pools = (0..POOLS).map(|number| {
        let mut pool_of = model.clone();
        let members = (0..AGENTS).filter(|member| member % POOLS == number);
        let members: Vec<Value> = members.map(|member| json!({"agent": agent(member)})).collect();
        if let Some(fields) = pool_of.as_object_mut() {
            fields.extend([("id".to_owned(), json!(pool(number))), ("members".to_owned(), json!(members))]);
            fields.remove("overflow");
        }
        pool_of
    });
    let pools = pools.collect();
    if let Some(fields) = document.as_object_mut() {
        fields.extend([("agents".to_owned(), Value::Array(agents)), ("pools".to_owned(), Value::Array(pools))]);
    }
    document
}

/// Rows of two questions each, and one for everybody else.
fn routing(mut document: Value) -> Value {
    let rows = (0..RULES - 1).map(|number| {
        let when = json!({"all": [
            {"field": "channel", "in": ["paid_search", "social"]},
            {"field": "campaign", "eq": format!("campaign_{number}")},
        ]});
        json!({"id": format!("rule_{number}"), "when": when, "then": {"pool": pool(number % POOLS)}})
    });
    let rest = json!({"id": "rest", "when": "always", "then": {"pool": pool(0)}});
    let rows = rows.chain([rest]).collect();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("rows".to_owned(), Value::Array(rows));
    }
    document
}

fn seed(set: SetName) -> Result<Value, Failure> {
    let urls = ["meta", "slack"].map(|name| (name.to_owned(), "https://vendor.example.com".to_owned()));
    let names = local::names(&urls.into(), &format!("pipworks/{STAGE}"), "https://api.example.com");
    broker::rules::read(&repository().join("infra/rules"), set, &names)
}
