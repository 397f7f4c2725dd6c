//! Which agent of a pool gets a lead, and for every other one why not.
//!
//! # Language and fairness
//! A head of sales wants each lead called by somebody who speaks its language, and each agent to have the part of the pool's
//! work that the weights say. Where the two pull apart, this holds:
//! 1. **Language comes first.** In a pool that prefers it, a lead goes to somebody who speaks its language whenever such a
//!    person can take it, whoever is owed more; in one that requires it, to nobody else.
//! 2. **A lead counts for whoever gets it, whatever its language.** It is divided in thought among everybody who is there, also
//!    among those who do not speak it: leads that only some can have are part of their part, not on top of it. So who speaks
//!    fewer languages gets more of the leads that all can have, and the numbers come out by weight wherever the languages of the
//!    leads allow that at all.
//! 3. **What is owed for want of a language is limited** to [`LANGUAGE_DEBT_LEADS`]: a month of leads in one language does not
//!    make the first days of another a flood for one agent and a drought for the rest. Beyond it the leads that somebody
//!    cannot have are divided among those who can.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::agent::{Absence, AgentId, AgentState, Presence};
use super::calendar::{Calendar, WorkingTime};
use super::shares::{Part, Shares, WEIGHT_MAX, WHOLE};
use crate::Timestamp;
use crate::sales::rules::{Agent, LanguageRule, Pool, PoolMember, SalesRules, Strategy};
use crate::words::words;

words! {
    /// What became of a candidate.
    Standing {
        /// Gets the lead.
        Chosen = "chosen",
        /// Could have got it; it was another one's turn.
        LaterTurn = "later_turn",
        /// Is not in the rule set or is disabled.
        Disabled = "disabled",
        /// Is on leave.
        OnLeave = "on_leave",
        /// Does not work now.
        OffShift = "off_shift",
        /// Works now but is not there.
        Offline = "offline",
        /// Pauses.
        Busy = "busy",
        /// Does not speak the lead's language.
        Language = "language",
        /// Had this lead before.
        Tried = "tried",
        /// Has as many open leads as allowed.
        AtCap = "at_cap",
        /// Got as many leads as allowed in a stretch of time.
        WindowCap = "window_cap",
    }
}

/// An agent who was thought of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The agent.
    pub agent_id: AgentId,
    /// The pool.
    pub pool_id: String,
    /// What became of it.
    pub standing: Standing,
    /// The figures behind it, e.g. `30 of 30 open`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What a lead needs of an agent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs<'a> {
    /// The language, as a primary tag.
    pub language: Option<&'a str>,
    /// Agents who had it.
    pub tried: &'a [AgentId],
    /// Who had it at another time and is asked first.
    pub before: Option<&'a AgentId>,
}

words! {
    /// Why no agent of a pool can take a lead.
    NoAgent {
        /// Nobody who could take it works now.
        NobodyWorks = "nobody_works",
        /// Everybody who works has as much as allowed.
        AllAtCap = "all_at_cap",
        /// Everybody who could take it had it.
        AllTried = "all_tried",
    }
}

/// The outcome of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Who gets it.
    pub agent: Result<AgentId, NoAgent>,
    /// Everybody who was thought of.
    pub candidates: Vec<Candidate>,
    /// What the members are owed afterwards.
    pub shares: Shares,
}

/// The most that somebody is owed for leads that went to others because of their language, in leads.
pub const LANGUAGE_DEBT_LEADS: i64 = 5;

struct Seen<'a> {
    member: &'a PoolMember,
    rule: Option<&'a Agent>,
    state: Option<&'a AgentState>,
    standing: Standing,
    detail: String,
    weight: u32,
    /// This lead goes by its language, and this one does not speak it.
    cannot_speak: bool,
}

/// Chooses the agent of a pool. Agents that no state is given for have not been seen yet and are offline.
pub fn choose(
    rules: &SalesRules,
    pool: &Pool,
    states: &BTreeMap<String, AgentState>,
    shares: &Shares,
    needs: Needs<'_>,
    now: Timestamp,
) -> Choice {
    let mut working = Working { now, known: Vec::new() };
    let mut seen: Vec<Seen<'_>> =
        pool.members.iter().map(|member| see(rules, pool, states, member, needs, &mut working)).collect();
    prefer_speakers(pool, &mut seen, needs);
    weigh(pool, &mut seen, now);
    let mut shares = shares.clone();
    let there: BTreeMap<&str, (u32, Part)> = seen.iter().filter_map(|one| Some((one.name(), one.part()?))).collect();
    shares.settle(&there, pool.catch_up, now);
    let chosen = turn(pool, &seen, &shares, needs).map(str::to_owned);
    if let Some(name) = &chosen {
        let sharing: BTreeMap<&str, u32> =
            seen.iter().filter(|one| one.shares_this(&shares)).map(|one| (one.name(), one.weight)).collect();
        shares.give(&sharing, name);
        for one in seen.iter_mut().filter(|one| one.member.agent == *name) {
            one.standing = Standing::Chosen;
        }
    }
    let agent = chosen.map(|name| AgentId::of(&name)).ok_or_else(|| reason(&seen));
    let candidates = seen.iter().map(|one| one.candidate(pool, &shares)).collect();
    Choice { agent, candidates, shares }
}

impl<'a> Seen<'a> {
    fn name(&self) -> &'a str {
        &self.member.agent
    }

    /// The part in the pool, whatever this one lead needs: languages and earlier attempts do not end a share.
    fn part(&self) -> Option<(u32, Part)> {
        let part = match self.standing {
            Standing::Chosen | Standing::LaterTurn | Standing::Language | Standing::Tried => Part::Present,
            Standing::Busy => Part::Pausing,
            Standing::Disabled
            | Standing::OnLeave
            | Standing::OffShift
            | Standing::Offline
            | Standing::AtCap
            | Standing::WindowCap => return None,
        };
        Some((self.weight, part))
    }

    /// Whether this lead is divided with this one, too.
    fn shares_this(&self, shares: &Shares) -> bool {
        match self.standing {
            Standing::Chosen | Standing::LaterTurn | Standing::Busy | Standing::Language => {
                !self.cannot_speak || shares.lag(self.name()) < LANGUAGE_DEBT_LEADS * WHOLE
            }
            Standing::Disabled
            | Standing::OnLeave
            | Standing::OffShift
            | Standing::Offline
            | Standing::Tried
            | Standing::AtCap
            | Standing::WindowCap => false,
        }
    }

    fn can_take(&self) -> bool {
        self.standing == Standing::LaterTurn
    }

    fn candidate(&self, pool: &Pool, shares: &Shares) -> Candidate {
        let detail = match self.standing {
            Standing::Chosen | Standing::LaterTurn if pool.strategy != Strategy::LeastBusy => {
                format!("weight {}, is owed {} leads now", self.weight, Hundredths(shares.lag(self.name())))
            }
            Standing::Chosen | Standing::LaterTurn => {
                format!("{} open", self.state.map_or(0, |state| state.facts.open))
            }
            _ => self.detail.clone(),
        };
        let agent_id = AgentId::of(self.name());
        Candidate { agent_id, pool_id: pool.id.clone(), standing: self.standing, detail }
    }
}

/// What somebody is owed, to a hundredth of a lead.
struct Hundredths(i64);

impl std::fmt::Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rounded = self.0.unsigned_abs().saturating_add(WHOLE.unsigned_abs() / 200) / (WHOLE.unsigned_abs() / 100);
        let sign = if self.0 < 0 && rounded > 0 { "-" } else { "" };
        match (rounded / 100, rounded % 100) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{sign}{whole}.{}", part / 10),
            (whole, part) => write!(f, "{sign}{whole}.{part:02}"),
        }
    }
}

/// Whether those of a calendar work at the moment: most of a pool share a few.
struct Working<'a> {
    now: Timestamp,
    known: Vec<(&'a Calendar, bool)>,
}

impl<'a> Working<'a> {
    fn now(&mut self, time: &WorkingTime<'a>) -> bool {
        if !time.leave.is_empty() {
            return time.works_at(self.now);
        }
        let known = self.known.iter().find(|(calendar, _)| std::ptr::eq(*calendar, time.calendar));
        if let Some((_, works)) = known {
            return *works;
        }
        let works = time.works_at(self.now);
        self.known.push((time.calendar, works));
        works
    }
}

fn see<'a>(
    rules: &'a SalesRules,
    pool: &'a Pool,
    states: &'a BTreeMap<String, AgentState>,
    member: &'a PoolMember,
    needs: Needs<'_>,
    working: &mut Working<'a>,
) -> Seen<'a> {
    let rule = rules.agent(&member.agent);
    let state = states.get(&member.agent);
    let (standing, detail) = match rule {
        Some(rule) => standing(rules, pool, rule, state, needs, working),
        None => (Standing::Disabled, "not in the rule set".to_owned()),
    };
    Seen { member, rule, state, standing, detail, weight: member.weight, cannot_speak: false }
}

/// The first thing that keeps an agent from taking a lead, lasting things before passing ones.
fn standing<'a>(
    rules: &'a SalesRules,
    pool: &Pool,
    rule: &'a Agent,
    state: Option<&AgentState>,
    needs: Needs<'_>,
    working: &mut Working<'a>,
) -> (Standing, String) {
    let now = working.now;
    let until = |at: Option<Timestamp>| at.map(|at| format!("until {at}")).unwrap_or_default();
    if !rule.enabled {
        return (Standing::Disabled, "in the rule set".to_owned());
    }
    if let Some(away) = state.and_then(|state| state.away_at(now)) {
        let standing = match away.reason {
            Absence::Disabled => Standing::Disabled,
            Absence::OnLeave => Standing::OnLeave,
        };
        return (standing, until(away.until));
    }
    let Some(time) = rules.working_time(rule) else { return (Standing::OffShift, String::new()) };
    if let Some(leave) = time.leave_at(now) {
        return (Standing::OnLeave, format!("until {}", leave.until));
    }
    if !working.now(&time) {
        let next = time.next_shift(now).map(|shift| format!("works from {}", shift.from));
        return (Standing::OffShift, next.unwrap_or_default());
    }
    let presence = state.map_or(Presence::Offline, |state| state.facts.presence);
    if presence == Presence::Offline {
        return (Standing::Offline, String::new());
    }
    let open = state.map_or(0, |state| state.facts.open);
    let open_max = rule.open_max.unwrap_or(pool.open_max);
    if open >= open_max {
        return (Standing::AtCap, format!("{open} of {open_max} open"));
    }
    if let (Some(cap), Some(state)) = (&pool.window_cap, state) {
        let given = state.given_within(cap, now);
        if given >= cap.leads {
            return (Standing::WindowCap, format!("{given} of {} within {}", cap.leads, cap.window));
        }
    }
    if presence == Presence::Busy {
        return (Standing::Busy, String::new());
    }
    if needs.tried.iter().any(|tried| tried.name() == rule.id) {
        return (Standing::Tried, String::new());
    }
    let speaks = |language: &str| rule.languages.iter().any(|spoken| spoken == language);
    if pool.language == LanguageRule::Required && !needs.language.is_none_or(speaks) {
        return (Standing::Language, format!("speaks {}", rule.languages.join(", ")));
    }
    (Standing::LaterTurn, String::new())
}

/// Where speaking the language is preferred, those who do not are out as long as somebody does. Who pauses and does not speak it
/// misses nothing by the pause.
fn prefer_speakers(pool: &Pool, seen: &mut [Seen<'_>], needs: Needs<'_>) {
    let Some(language) = needs.language else { return };
    let speaks = |one: &Seen<'_>| one.rule.is_some_and(|rule| rule.languages.iter().any(|spoken| spoken == language));
    let by_language = match pool.language {
        LanguageRule::Required => true,
        LanguageRule::Preferred => seen.iter().any(|one| one.can_take() && speaks(one)),
        LanguageRule::Any => false,
    };
    if !by_language {
        return;
    }
    for one in seen.iter_mut() {
        one.cannot_speak = !speaks(one);
        if one.cannot_speak && one.can_take() {
            one.standing = Standing::Language;
            one.detail = "somebody who speaks it is there".to_owned();
        }
    }
}

/// Weights by results: an agent's rate of won leads against the average of the pool, both with one lead won of two more
/// than there were, so that few leads say little.
fn weigh(pool: &Pool, seen: &mut [Seen<'_>], now: Timestamp) {
    let Some(performance) = &pool.performance else { return };
    let rate = |given: u32, won: u32| Decimal::from(won + 1) / Decimal::from(given + 2);
    let results: Vec<(u32, u32)> =
        seen.iter().map(|one| one.state.map_or((0, 0), |state| state.results(performance, now))).collect();
    let rates: Vec<Decimal> = results.iter().map(|(given, won)| rate(*given, *won)).collect();
    let count = u32::try_from(rates.len()).unwrap_or(1).max(1);
    let average = rates.iter().sum::<Decimal>() / Decimal::from(count);
    for (one, own) in seen.iter_mut().zip(rates) {
        let factor = (own / average).clamp(performance.least, performance.most);
        let weight = (Decimal::from(one.member.weight) * factor * Decimal::from(10)).round();
        one.weight = u32::try_from(weight).unwrap_or(1).clamp(1, WEIGHT_MAX);
    }
}

/// Whose turn it is; who had the lead at another time comes first.
fn turn<'a>(pool: &Pool, seen: &[Seen<'a>], shares: &Shares, needs: Needs<'_>) -> Option<&'a str> {
    let able = || seen.iter().filter(|one| one.can_take());
    if let Some(before) = able().find(|one| needs.before.is_some_and(|before| before.name() == one.name())) {
        return Some(before.name());
    }
    match pool.strategy {
        Strategy::WeightedRoundRobin | Strategy::Performance => {
            let candidates: BTreeMap<&str, u32> = able().map(|one| (one.name(), one.weight)).collect();
            shares.next(&candidates)
        }
        Strategy::LeastBusy => {
            let load = |one: &Seen<'_>| {
                let open = one.state.map_or(0, |state| state.facts.open);
                let newest = one.state.and_then(|state| state.facts.recent.last().copied()).unwrap_or(0);
                (Decimal::from(open) / Decimal::from(one.weight.max(1)), newest, one.member.agent.clone())
            };
            able().min_by_key(|one| load(one)).map(Seen::name)
        }
    }
}

fn reason(seen: &[Seen<'_>]) -> NoAgent {
    let any = |wanted: &[Standing]| seen.iter().any(|one| wanted.contains(&one.standing));
    if any(&[Standing::AtCap, Standing::WindowCap]) {
        NoAgent::AllAtCap
    } else if any(&[Standing::Tried]) && !any(&[Standing::Busy]) {
        NoAgent::AllTried
    } else {
        NoAgent::NobodyWorks
    }
}

/// The lines for a decision record: who was chosen, and the others by the reason that kept them out.
pub fn why(candidates: &[Candidate]) -> Vec<String> {
    let mut lines = Vec::new();
    for standing in Standing::ALL {
        let of: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.standing == *standing).collect();
        let Some(first) = of.first() else { continue };
        let names: Vec<&str> = of.iter().take(WHY_NAMES_MAX).map(|candidate| candidate.agent_id.name()).collect();
        let rest = of.len().saturating_sub(names.len());
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let detail =
            if of.len() == 1 && !first.detail.is_empty() { format!(" ({})", first.detail) } else { String::new() };
        lines.push(format!("{standing}: {}{more}{detail}", names.join(", ")));
    }
    lines
}

/// Names in one line of a decision record.
const WHY_NAMES_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_told_to_a_hundredth() {
        let told = |billionths: i64| Hundredths(billionths).to_string();
        let shown = [0, WHOLE, -WHOLE, 250_000_000, -4_999_999, -5_000_000, 1_234_567_890, -1_995_000_001, 333_333_333];
        assert_eq!(shown.map(told), ["0", "1", "-1", "0.25", "0", "-0.01", "1.23", "-2", "0.33"]);
        assert_eq!(told(1_500_000_000), "1.5");
    }
}
