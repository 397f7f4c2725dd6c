//! The rule set `sales`: working calendars, teams, agents and the pools that leads are dealt out in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use crate::Seconds;
use crate::input::Fault;
use crate::rules::RuleSet;
use crate::rules::read::is_language;
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::rule_set::Offer;
use crate::rules::table::unique_name;
use crate::sales::AgentId;
use crate::sales::calendar::{Calendar, Days, WorkingTime};
use crate::words::words;

mod calendars;
mod message;
mod pools;

pub(crate) use calendars::{hours_of_day, read_week};
pub use message::{AgentMessage, SlackApp};
pub use pools::{Performance, Pool, PoolMember, Release, SlaClock, Strategy, WindowCap};

const TEAMS_MAX: usize = 200;
const AGENTS_MAX: usize = 2_000;
const LANGUAGES_MAX: usize = 20;
const LEAVES_MAX: usize = 100;
const SHOWN_NAME_CHARS_MAX: usize = 80;
const SLACK_USER_CHARS_MAX: usize = 20;
/// The most open leads that a cap may allow one agent.
pub const OPEN_MAX: u32 = 1_000;
const KEYS: [&str; 7] = ["slack", "message", "holidays", "calendars", "teams", "agents", "pools"];
const SUBJECT_CHARS_MAX: usize = 255;
const AGENT_KEYS: [&str; 11] =
    ["id", "name", "email", "slack_user", "subject", "team", "calendar", "languages", "enabled", "open_max", "leave"];

/// A group of agents with common hours and a common channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Team {
    /// Its name in the rules.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The calendar of agents who have none of their own.
    pub calendar: String,
    /// The secret that holds the URL of the team's Slack channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_secret: Option<String>,
}

/// Somebody who calls leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// The name in the rules.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Where mail about a lead goes when the chat does not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The member id in Slack: is mentioned in messages, and proves who pressed a button.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_user: Option<String>,
    /// Whom the agent's own token names (its `sub`), if that is not the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The team.
    pub team: String,
    /// The calendar that counts: the agent's own, else the team's.
    pub calendar: String,
    /// Languages spoken, as primary tags.
    pub languages: Vec<String>,
    /// False for somebody who is to get nothing any more.
    pub enabled: bool,
    /// The most open leads, whatever a pool says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_max: Option<u32>,
    /// Days of leave.
    pub leave: Vec<Days>,
}

impl Agent {
    /// What the agent's own token may name: the subject that the rules give, else the agent, by id or by name.
    fn subjects(&self) -> impl Iterator<Item = String> {
        let given = self.subject.clone();
        let by_default = || [self.id.clone(), AgentId::of(&self.id).to_string()];
        let otherwise = if given.is_none() { by_default().to_vec() } else { Vec::new() };
        given.into_iter().chain(otherwise)
    }
}

/// The rule set `sales`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalesRules {
    /// How agents' chat is reached.
    pub slack: SlackApp,
    /// What an agent who gets a lead is told.
    pub message: AgentMessage,
    calendars: BTreeMap<String, Calendar>,
    teams: BTreeMap<String, Team>,
    agents: BTreeMap<String, Agent>,
    pools: BTreeMap<String, Pool>,
}

impl RuleSet for SalesRules {
    const NAME: &'static str = "sales";
    const OFFERS: &'static [Offer<Self>] = &[Offer { what: "pool", names: |set| set.pools.keys().cloned().collect() }];

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl SalesRules {
    /// An agent by the name in the rules.
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.get(id)
    }

    /// Every agent by name.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// The agent with a member id of Slack.
    pub fn agent_in_slack(&self, user: &str) -> Option<&Agent> {
        self.agents.values().find(|agent| agent.slack_user.as_deref() == Some(user))
    }

    /// The agent whose own token names a subject.
    pub fn agent_of_subject(&self, subject: &str) -> Option<&Agent> {
        self.agents.values().find(|agent| agent.subjects().any(|own| own == subject))
    }

    /// A team.
    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.get(id)
    }

    /// A pool.
    pub fn pool(&self, id: &str) -> Option<&Pool> {
        self.pools.get(id)
    }

    /// The pools that an agent is a member of.
    pub fn pools_of<'a>(&'a self, agent: &'a str) -> impl Iterator<Item = &'a Pool> {
        self.pools.values().filter(move |pool| pool.member(agent).is_some())
    }

    /// When an agent works; always there in a set that was parsed.
    pub fn working_time<'a>(&'a self, agent: &'a Agent) -> Option<WorkingTime<'a>> {
        let calendar = self.calendars.get(&agent.calendar)?;
        Some(WorkingTime { calendar, leave: &agent.leave })
    }

    /// When the members of a pool work who may get leads at all.
    pub fn working_times<'a>(&'a self, pool: &'a Pool) -> Vec<WorkingTime<'a>> {
        let agents = pool.members.iter().filter_map(|member| self.agents.get(&member.agent));
        agents.filter(|agent| agent.enabled).filter_map(|agent| self.working_time(agent)).collect()
    }
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<SalesRules> {
    let object = node.object(&KEYS, faults)?;
    let slack = object.need("slack", faults).and_then(|node| message::read_slack(&node, faults));
    let message = object.need("message", faults).and_then(|node| message::read(&node, faults));
    let holidays = calendars::read_holidays(object.get("holidays"), faults);
    let calendars_at = object.need("calendars", faults);
    let calendars = calendars_at.as_ref().and_then(|at| calendars::read(at, &holidays, faults));
    let calendar_names = calendars_at.as_ref().map(Node::declared).unwrap_or_default();

    let mut team_names = Vec::new();
    let teams = object.need("teams", faults).and_then(|list| {
        list.each(1..=TEAMS_MAX, faults, |item, faults| read_team(item, &calendar_names, &mut team_names, faults))
    });
    let mut agent_names = Vec::new();
    let agents = object.need("agents", faults).and_then(|list| {
        let known = Known { teams: teams.as_deref(), team_names: &team_names, calendars: &calendar_names };
        list.each(1..=AGENTS_MAX, faults, |item, faults| read_agent(item, &known, &mut agent_names, faults))
    });
    if let (Some(agents), Some(list)) = (&agents, object.get("agents")) {
        refuse_shared(agents, "slack_user", |agent| agent.slack_user.iter().cloned(), &list, faults);
        refuse_shared(agents, "subject", Agent::subjects, &list, faults);
    }
    let pools =
        object.need("pools", faults).and_then(|list| pools::read(&list, &agent_names, agents.as_deref(), faults));
    Some(SalesRules {
        slack: slack?,
        message: message?,
        calendars: calendars?,
        teams: teams?.into_iter().map(|team| (team.id.clone(), team)).collect(),
        agents: agents?.into_iter().map(|agent| (agent.id.clone(), agent)).collect(),
        pools: pools?.into_iter().map(|pool| (pool.id.clone(), pool)).collect(),
    })
}

fn read_team(node: &Node<'_>, calendars: &[String], names: &mut Vec<String>, faults: &mut Faults) -> Option<Team> {
    let object = node.object(&["id", "name", "calendar", "slack_secret"], faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, names, faults));
    let name = object.need("name", faults).and_then(|node| node.line(SHOWN_NAME_CHARS_MAX, faults).map(str::to_owned));
    let calendar = object.need("calendar", faults).and_then(|node| node.reference("calendar", calendars, faults));
    let slack_secret = optional(object.get("slack_secret"), |node| node.secret_name(faults));
    Some(Team { id: id?, name: name?, calendar: calendar?, slack_secret: slack_secret? })
}

struct Known<'k> {
    teams: Option<&'k [Team]>,
    team_names: &'k [String],
    calendars: &'k [String],
}

impl Known<'_> {
    fn calendar_of(&self, team: &str) -> Option<String> {
        let team = self.teams?.iter().find(|known| known.id == team)?;
        Some(team.calendar.clone())
    }
}

fn read_agent(node: &Node<'_>, known: &Known<'_>, names: &mut Vec<String>, faults: &mut Faults) -> Option<Agent> {
    let object = node.object(&AGENT_KEYS, faults)?;
    let id = object.need("id", faults).and_then(|node| unique_name(&node, names, faults));
    let name = object.need("name", faults).and_then(|node| node.line(SHOWN_NAME_CHARS_MAX, faults).map(str::to_owned));
    let email = optional(object.get("email"), |node| node.email(faults));
    let slack_user = optional(object.get("slack_user"), |node| read_slack_user(&node, faults));
    let subject = optional(object.get("subject"), |node| node.line(SUBJECT_CHARS_MAX, faults).map(str::to_owned));
    let team = object.need("team", faults).and_then(|node| node.reference("team", known.team_names, faults));
    let calendar = optional(object.get("calendar"), |node| node.reference("calendar", known.calendars, faults));
    let languages = object.need("languages", faults).and_then(|node| read_languages(&node, faults));
    let enabled = optional(object.get("enabled"), |node| node.boolean(faults));
    let open_max = optional(object.get("open_max"), |node| node.whole(1..=OPEN_MAX, faults));
    let leave = optional(object.get("leave"), |node| node.each(0..=LEAVES_MAX, faults, calendars::read_days));
    let team = team?;
    let calendar = match calendar? {
        Some(own) => own,
        None => known.calendar_of(&team)?,
    };
    Some(Agent {
        id: id?,
        subject: subject?,
        name: name?,
        email: email?,
        slack_user: slack_user?,
        team,
        calendar,
        languages: languages?,
        enabled: enabled?.unwrap_or(true),
        open_max: open_max?,
        leave: leave?.unwrap_or_default(),
    })
}

fn read_languages(node: &Node<'_>, faults: &mut Faults) -> Option<Vec<String>> {
    node.distinct(1..=LANGUAGES_MAX, faults, |node, faults| {
        let text = node.line(SHOWN_NAME_CHARS_MAX, faults)?;
        if !is_language(text) || text.contains('-') {
            faults.add(node.fault("bad_language", "must be a language such as en, without a region"));
            return None;
        }
        Some(text.to_owned())
    })
}

fn read_slack_user(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let text = node.line(SLACK_USER_CHARS_MAX, faults)?;
    if text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    faults.add(node.fault("bad_slack_user", "must be a member id of Slack such as U012AB3CD"));
    None
}

/// What tells who somebody is must not be two agents'.
fn refuse_shared<'a, V: Iterator<Item = String>>(
    agents: &'a [Agent],
    name: &str,
    of: impl Fn(&'a Agent) -> V,
    list: &Node<'_>,
    faults: &mut Faults,
) {
    let mut taken = BTreeSet::new();
    for (n, agent) in agents.iter().enumerate() {
        for value in of(agent) {
            if !taken.insert(value.clone()) {
                let pointer = format!("{}/{n}/{name}", list.pointer());
                faults.add(Fault::new(pointer, "duplicate", format!("`{value}` is already another agent's")));
            }
        }
    }
}

words! {
    /// Whether an agent must speak a lead's language.
    LanguageRule {
        /// Only who speaks it is asked.
        Required = "required",
        /// Who speaks it is asked first, then the others.
        Preferred = "preferred",
        /// It does not matter.
        Any = "any",
    }
}

/// Longest span of the rules about time on the sales floor.
const SPAN_MAX: Seconds = Seconds(30 * 86_400);
