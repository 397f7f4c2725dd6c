//! Pools: who takes part, how leads are dealt out, and what happens when nobody can take one.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{Agent, LanguageRule, OPEN_MAX, SHOWN_NAME_CHARS_MAX, SPAN_MAX};
use crate::Seconds;
use crate::rules::read::{Faults, Node, Object, optional};
use crate::rules::table::unique_name;
use crate::words::words;

const POOLS_MAX: usize = 200;
/// Members of a pool: their states are read at once.
pub const MEMBERS_MAX: usize = 100;
const MEMBER_WEIGHT_MAX: u32 = 100;
const HOPS_MAX: u32 = 10;
const RELEASE_MAX: u32 = 100;
const WINDOW_LEADS_MAX: u32 = 100;
/// Windows of caps end within a day.
const WINDOW_MAX: Seconds = Seconds(86_400);
/// Days of results that are kept for an agent.
pub const PERFORMANCE_DAYS_MAX: u32 = 60;
const KEYS: [&str; 14] = [
    "id",
    "name",
    "members",
    "strategy",
    "performance",
    "language",
    "open_max",
    "window_cap",
    "catch_up",
    "sla",
    "hops_max",
    "overflow",
    "release",
    "waiting_max",
];

words! {
    /// How the next agent is found.
    Strategy {
        /// In turn, by weight.
        WeightedRoundRobin = "weighted_round_robin",
        /// Who has the fewest open leads for the weight.
        LeastBusy = "least_busy",
        /// In turn, by weight and by how many of the agent's leads became clients.
        Performance = "performance",
    }
}

words! {
    /// Which clock a time limit runs by.
    SlaClock {
        /// Every minute counts.
        Calendar = "calendar",
        /// Only the agent's working minutes count.
        Working = "working",
    }
}

/// Somebody's place in a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolMember {
    /// The agent.
    pub agent: String,
    /// Twice the weight is twice the leads.
    pub weight: u32,
}

/// How results change weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Performance {
    /// How many days of results count, today included.
    pub days: u32,
    /// The weight is never multiplied by less.
    pub least: Decimal,
    /// Nor by more.
    pub most: Decimal,
}

/// The most leads in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WindowCap {
    /// How many.
    pub leads: u32,
    /// In how long.
    pub window: Seconds,
}

/// How fast waiting leads are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Release {
    /// So many.
    pub leads: u32,
    /// In so long.
    pub every: Seconds,
}

/// A pool of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Its name in the rules.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Who takes part.
    pub members: Vec<PoolMember>,
    /// How the next one is found.
    pub strategy: Strategy,
    /// For the strategy `performance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Whether the lead's language must be spoken.
    pub language: LanguageRule,
    /// The most open leads of one agent; an agent's own limit wins.
    pub open_max: u32,
    /// The most leads of one agent in a stretch of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_cap: Option<WindowCap>,
    /// Whoever pauses no longer than this makes up for what was missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<Seconds>,
    /// How long an agent has for the first touch.
    pub due_in: Seconds,
    /// By which clock.
    pub clock: SlaClock,
    /// How often a lead goes on to another agent before the team lead gets it.
    pub hops_max: u32,
    /// The pool that is asked when nobody of this one works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<String>,
    /// How fast waiting leads are handed out when somebody can take them again.
    pub release: Release,
    /// A lead that waits longer, while the pool is open, becomes a work item.
    pub waiting_max: Seconds,
}

impl Pool {
    /// A member's place.
    pub fn member(&self, agent: &str) -> Option<&PoolMember> {
        self.members.iter().find(|member| member.agent == agent)
    }
}

pub(super) fn read(
    list: &Node<'_>,
    agent_names: &[String],
    agents: Option<&[Agent]>,
    faults: &mut Faults,
) -> Option<Vec<Pool>> {
    let names: Vec<String> = list
        .raw()
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pool| pool.get("id").and_then(|id| id.as_str()).map(str::to_owned))
        .collect();
    let mut taken = Vec::new();
    let pools = list.each(1..=POOLS_MAX, faults, |item, faults| {
        let object = item.object(&KEYS, faults)?;
        let pool = read_pool(&object, agent_names, &names, &mut taken, faults)?;
        refuse_empty(&item_members(&object)?, &pool, agents, faults);
        Some(pool)
    })?;
    refuse_circles(list, &pools, faults);
    Some(pools)
}

fn item_members<'a>(object: &Object<'a>) -> Option<Node<'a>> {
    object.get("members")
}

fn read_pool(
    object: &Object<'_>,
    agents: &[String],
    pools: &[String],
    taken: &mut Vec<String>,
    faults: &mut Faults,
) -> Option<Pool> {
    let id = object.need("id", faults).and_then(|node| unique_name(&node, taken, faults));
    let name = object.need("name", faults).and_then(|node| node.line(SHOWN_NAME_CHARS_MAX, faults).map(str::to_owned));
    let members = object.need("members", faults).and_then(|node| read_members(&node, agents, faults));
    let strategy = object.need("strategy", faults).and_then(|node| node.word(Strategy::ALL, faults));
    let performance = read_performance(object, strategy, faults);
    let language = object.need("language", faults).and_then(|node| node.word(LanguageRule::ALL, faults));
    let open_max = object.need("open_max", faults).and_then(|node| node.whole(1..=OPEN_MAX, faults));
    let window_cap = optional(object.get("window_cap"), |node| read_window_cap(&node, faults));
    let catch_up = optional(object.get("catch_up"), |node| node.span(Seconds(60)..=Seconds(86_400), faults));
    let sla = object.need("sla", faults).and_then(|node| read_sla(&node, faults));
    let hops_max = object.need("hops_max", faults).and_then(|node| node.whole(0..=HOPS_MAX, faults));
    let overflow = optional(object.get("overflow"), |node| node.reference("pool", pools, faults));
    let release = object.need("release", faults).and_then(|node| read_release(&node, faults));
    let waiting_max = object.need("waiting_max", faults).and_then(|node| node.span(Seconds(60)..=SPAN_MAX, faults));
    let (due_in, clock) = sla?;
    Some(Pool {
        id: id?,
        name: name?,
        members: members?,
        strategy: strategy?,
        performance: performance?,
        language: language?,
        open_max: open_max?,
        window_cap: window_cap?,
        catch_up: catch_up?,
        due_in,
        clock,
        hops_max: hops_max?,
        overflow: overflow?,
        release: release?,
        waiting_max: waiting_max?,
    })
}

fn read_members(node: &Node<'_>, agents: &[String], faults: &mut Faults) -> Option<Vec<PoolMember>> {
    let mut taken: Vec<String> = Vec::new();
    node.each(1..=MEMBERS_MAX, faults, |item, faults| {
        let object = item.object(&["agent", "weight"], faults)?;
        let at = object.need("agent", faults)?;
        let agent = at.reference("agent", agents, faults);
        let weight = optional(object.get("weight"), |node| node.whole(1..=MEMBER_WEIGHT_MAX, faults));
        let agent = agent?;
        if taken.contains(&agent) {
            faults.add(at.fault("duplicate", format!("`{agent}` is a member already")));
            return None;
        }
        taken.push(agent.clone());
        Some(PoolMember { agent, weight: weight?.unwrap_or(1) })
    })
}

fn read_performance(
    object: &Object<'_>,
    strategy: Option<Strategy>,
    faults: &mut Faults,
) -> Option<Option<Performance>> {
    let Some(node) = object.get("performance") else {
        if strategy == Some(Strategy::Performance) {
            object.need("performance", faults);
            return None;
        }
        return Some(None);
    };
    if strategy.is_some_and(|strategy| strategy != Strategy::Performance) {
        faults.add(node.fault("not_applicable", "only the strategy `performance` looks at results"));
        return None;
    }
    let inner = node.object(&["days", "least", "most"], faults)?;
    let days = inner.need("days", faults).and_then(|node| node.whole(1..=PERFORMANCE_DAYS_MAX, faults));
    let least = inner.need("least", faults).and_then(|node| read_factor(&node, faults));
    let most = inner.need("most", faults).and_then(|node| read_factor(&node, faults));
    let performance = Performance { days: days?, least: least?, most: most? };
    if performance.least > Decimal::ONE || performance.most < Decimal::ONE {
        faults.add(
            node.fault("bad_range", "1 must lie between `least` and `most`: it is the factor of an average agent"),
        );
        return None;
    }
    Some(Some(performance))
}

fn read_factor(node: &Node<'_>, faults: &mut Faults) -> Option<Decimal> {
    let factor = node.decimal(faults)?;
    if factor < Decimal::new(1, 1) || factor > Decimal::TEN {
        faults.add(node.fault("bad_range", "must be from 0.1 to 10"));
        return None;
    }
    Some(factor)
}

fn read_window_cap(node: &Node<'_>, faults: &mut Faults) -> Option<WindowCap> {
    let object = node.object(&["leads", "window"], faults)?;
    let leads = object.need("leads", faults).and_then(|node| node.whole(1..=WINDOW_LEADS_MAX, faults));
    let window = object.need("window", faults).and_then(|node| node.span(Seconds(60)..=WINDOW_MAX, faults));
    Some(WindowCap { leads: leads?, window: window? })
}

fn read_sla(node: &Node<'_>, faults: &mut Faults) -> Option<(Seconds, SlaClock)> {
    let object = node.object(&["due_in", "clock"], faults)?;
    let due_in = object.need("due_in", faults).and_then(|node| node.span(Seconds(60)..=SPAN_MAX, faults));
    let clock = object.need("clock", faults).and_then(|node| node.word(SlaClock::ALL, faults));
    Some((due_in?, clock?))
}

fn read_release(node: &Node<'_>, faults: &mut Faults) -> Option<Release> {
    let object = node.object(&["leads", "every"], faults)?;
    let leads = object.need("leads", faults).and_then(|node| node.whole(1..=RELEASE_MAX, faults));
    let every = object.need("every", faults).and_then(|node| node.span(Seconds(60)..=SPAN_MAX, faults));
    Some(Release { leads: leads?, every: every? })
}

/// A pool whose members are all disabled would swallow leads.
fn refuse_empty(at: &Node<'_>, pool: &Pool, agents: Option<&[Agent]>, faults: &mut Faults) {
    let Some(agents) = agents else { return };
    let enabled = |member: &PoolMember| agents.iter().any(|agent| agent.id == member.agent && agent.enabled);
    if !pool.members.iter().any(enabled) {
        faults.add(at.fault("nobody_left", "every member is disabled: nobody would get these leads"));
    }
}

/// Overflow that leads back to where it came from.
fn refuse_circles(list: &Node<'_>, pools: &[Pool], faults: &mut Faults) {
    for (n, pool) in pools.iter().enumerate() {
        let mut seen = vec![pool.id.as_str()];
        let mut next = pool.overflow.as_deref();
        while let Some(id) = next {
            if seen.contains(&id) {
                if id == pool.id {
                    let pointer = format!("{}/{n}/overflow", list.pointer());
                    faults.add(crate::input::Fault::new(pointer, "circle", "the overflow comes back to this pool"));
                }
                break;
            }
            seen.push(id);
            next = pools.iter().find(|other| other.id == id).and_then(|other| other.overflow.as_deref());
        }
    }
}
