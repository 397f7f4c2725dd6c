//! `POST /v1/rules/{set}/versions/{version}/backtest`: what a version would have said of what was, beside what was said.
//!
//! Scenarios of compliance are held against the stored history of clients. Any other set is asked again what the journal says that it was
//! asked; a set whose facts are not recorded cannot answer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::client::{CLIENT_LISTS, Client};
use domain::compliance::{About, Backtest, CountryLists, Figures, Scenarios};
use domain::input::Reader;
use domain::kyc::KycCase;
use domain::rule_sets::{SetName, replayed};
use domain::rules::{RuleSet, yaml};
use domain::{ClientId, Day, KycCaseId, Seconds, Timestamp};
use futures::future::try_join_all;
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem, StepError};
use serde_json::{Value, json};

use super::{RuleSets, no_version, refused, set_of, version_of};

/// The longest time that is tried, in days.
const DAYS_MAX: i64 = 366;
/// Clients whose history is read.
const CLIENTS_MAX: usize = 2_000;
/// Of those, so many at once.
const AT_ONCE: usize = 16;
/// Recorded decisions that are asked again.
const DECISIONS_MAX: usize = 5_000;
/// Differences that are listed; those beyond are counted.
const CHANGES_MAX: usize = 200;
/// What is left for the answer when no further page is begun.
const SPARE: Duration = Duration::from_secs(6);
/// Before scenarios are published so much of the past is looked at.
const NOISE_LOOK_BACK: Seconds = Seconds(90 * 86_400);
/// And no longer than this.
const NOISE_WITHIN: Duration = Duration::from_secs(6);

/// The time that is tried.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    fn read(request: &Request) -> Result<Self, Problem> {
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let (from, to) = (reader.time("from"), reader.time("to"));
        if let (Some(from), Some(to)) = (from, to) {
            if to <= from {
                reader.fault_at("to", "out_of_range", "must be after `from`");
            } else if to.millis_since(from) > DAYS_MAX * 86_400_000 {
                reader.fault_at("to", "out_of_range", format!("at most {DAYS_MAX} days are tried at once"));
            }
            if from > request.now {
                reader.fault_at("from", "out_of_range", "must not be in the future");
            }
        }
        let faults = reader.finish();
        match (from, to) {
            // nothing is known of what is to come
            (Some(from), Some(to)) if faults.is_empty() => Ok(Self { from, to: to.min(request.now) }),
            _ => Err(Problem::input(faults)),
        }
    }
}

impl RuleSets {
    pub(super) async fn backtest(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let (set, number) = (set_of(request)?, version_of(request)?);
        let span = Span::read(request)?;
        let document = self.document(set, number).await?;
        let until = Instant::now() + request.time_left.saturating_sub(SPARE);
        let body = if set == SetName::Scenarios {
            self.scenarios(number, &document, span, until, caller).await?
        } else {
            self.recorded(set, number, &document, span, caller).await?
        };
        Ok(Reply::json(200, &body))
    }

    /// The document of a version, be it published or a draft.
    async fn document(&self, set: SetName, number: u64) -> Result<Value, Problem> {
        if let Some(version) = self.rules.version(set.as_str(), number).await? {
            let broken = |error: serde_json::Error| StepError::Rules { set: set.as_str(), what: error.to_string() };
            return Ok(serde_json::from_str(&version.document).map_err(broken)?);
        }
        let id = domain::rule_sets::draft::RuleDraftId::of_version(set, number);
        let draft = self.crm.load::<domain::rule_sets::draft::RuleDraft>(&id).await?.ok_or_else(no_version)?;
        Ok(yaml::read(&draft.entity.text.source).map_err(refused)?.value)
    }

    async fn live<S: RuleSet>(&self, now: Timestamp) -> Result<S, Problem> {
        let set = S::NAME;
        let broken = |what: String| StepError::Rules { set, what };
        let live = self.rules.live(set, now).await?.ok_or_else(|| broken("no version is live".to_owned()))?;
        let document: Value = serde_json::from_str(&live.document).map_err(|error| broken(error.to_string()))?;
        Ok(S::parse(&document).map_err(|faults| broken(format!("{} fault(s)", faults.len())))?)
    }

    async fn scenarios(
        &self,
        number: u64,
        document: &Value,
        span: Span,
        until: Instant,
        caller: &Caller,
    ) -> Result<Value, Problem> {
        let tried = Scenarios::parse(document).map_err(refused)?;
        let (live, lists): (Scenarios, CountryLists) = (self.live(span.to).await?, self.live(span.to).await?);
        let test = Backtest { tried: &tried, live: &live, lists: &lists, from: span.from, to: span.to };
        let read = self.over_clients(&test, CLIENTS_MAX, until).await?;
        let figures = read.figures;
        // whom it is about is for compliance alone, and so is the hour: whoever sees payments could tell by that
        let mut changed = figures.changes.clone();
        if !is_compliance(caller) {
            for change in &mut changed {
                change.client_id = None;
                change.at = Day::of(change.at).begins();
            }
            changed.sort_by(|one, other| (one.at, &one.scenario).cmp(&(other.at, &other.scenario)));
        }
        let scenarios = figures.scenarios(&tried, &live);
        let alerts: u64 = scenarios.iter().map(|own| own.alerts).sum();
        Ok(json!({
            "set": Scenarios::NAME, "version": number, "from": span.from, "to": span.to,
            "decisions": figures.decisions, "changed": changed,
            "summary": {
                "clients": figures.clients, "listed": read.listed, "cut": read.cut, "insufficient_history": figures.unjudged,
                "alerts": alerts, "changed": figures.changed, "scenarios": scenarios,
            },
        }))
    }

    /// Scenarios that would tell more than the desk has time for, as far as the past can say.
    pub(super) async fn noise(&self, document: &Value, now: Timestamp) -> Result<Vec<String>, Problem> {
        let tried = Scenarios::parse(document).map_err(refused)?;
        let (live, lists): (Scenarios, CountryLists) = (self.live(now).await?, self.live(now).await?);
        let from = now.minus(NOISE_LOOK_BACK);
        let test = Backtest { tried: &tried, live: &live, lists: &lists, from, to: now };
        let read = self.over_clients(&test, CLIENTS_MAX, Instant::now() + NOISE_WITHIN).await?;
        let told = read.figures.too_noisy(&tried, &live).into_iter().map(|own| {
            let (rate, budget) = (own.per_1000_clients_and_day, own.noise_budget);
            format!("{}: {rate} alerts per 1 000 clients and day, and its budget is {budget}", own.scenario)
        });
        Ok(told.collect())
    }

    /// A page of each list of clients in turn, so that what is read when time is up is a fair share of all.
    async fn over_clients(&self, test: &Backtest<'_>, most: usize, until: Instant) -> Result<Read, Problem> {
        let mut read = Read::default();
        let mut open: Vec<(u8, ClientId, Option<ClientId>)> = Vec::new();
        for list in 0..CLIENT_LISTS {
            let Some(through) = self.crm.newest_listed(list).await? else { continue };
            read.listed = read.listed.saturating_add(self.crm.count_listed(list, &through).await?);
            open.push((list, through, None));
        }
        let mut looked_at = 0;
        while !open.is_empty() {
            let mut next = Vec::new();
            for (list, through, after) in open {
                if looked_at >= most || Instant::now() >= until {
                    read.cut = true;
                    return Ok(read);
                }
                let page = i32::try_from(AT_ONCE).unwrap_or(i32::MAX);
                let (ids, has_more) = self.crm.clients_listed(list, after.as_ref(), &through, page).await?;
                looked_at += ids.len();
                self.clients(&ids, test, &mut read.figures).await?;
                if let (true, Some(last)) = (has_more, ids.last()) {
                    next.push((list, through, Some(last.clone())));
                }
            }
            open = next;
        }
        Ok(read)
    }

    async fn clients(&self, ids: &[ClientId], test: &Backtest<'_>, figures: &mut Figures) -> Result<(), Problem> {
        let cases: Vec<KycCaseId> = ids.iter().map(KycCaseId::of).collect();
        let cases = self.crm.load_some::<KycCase>(&cases).await?.into_iter();
        let cases: BTreeMap<ClientId, KycCase> =
            cases.map(|stored| (stored.entity.client_id.clone(), stored.entity)).collect();
        let clients = self.crm.load_some::<Client>(ids).await?.into_iter();
        let abouts: Vec<About> =
            clients.map(|stored| About::of(&stored.entity, cases.get(&stored.entity.id))).collect();
        let from = test.from.minus(test.look_back());
        let histories = abouts.iter().map(|about| self.trades.history(&about.client_id, from, test.to));
        for (about, history) in abouts.iter().zip(try_join_all(histories).await?) {
            let broken =
                |error: domain::rules::RuleError| StepError::Rules { set: Scenarios::NAME, what: error.to_string() };
            test.client(about, &history, figures).map_err(broken)?;
        }
        Ok(())
    }

    /// Asks a version again what the journal says that the set was asked.
    async fn recorded(
        &self,
        set: SetName,
        number: u64,
        document: &Value,
        span: Span,
        caller: &Caller,
    ) -> Result<Value, Problem> {
        let Some(rules) = replayed(set, document) else { return Err(not_recorded(set)) };
        // what was decided about whom in a KYC case is for compliance alone
        let is_compliance = is_compliance(caller);
        let names = set != SetName::KycRisk || is_compliance;
        let rules = rules.map_err(refused)?;
        let (mut decisions, mut cut) = (0_usize, false);
        let (mut changed, mut unread) = (Vec::new(), 0_u64);
        let (mut was_of, mut now_of): (BTreeMap<String, u64>, BTreeMap<String, u64>) = Default::default();
        let (mut day, mut differ) = (Day::of(span.from), 0_u64);
        while day.begins() <= span.to && !cut {
            let left = DECISIONS_MAX.saturating_sub(decisions).saturating_add(1);
            for (entity, record) in self.journal.asked(set.as_str(), day, left).await? {
                let at = Timestamp::from_millis(record.at_ms).unwrap_or(Timestamp::EPOCH);
                let Some(asked) = record.asked.filter(|_| span.from <= at && at <= span.to) else { continue };
                if decisions >= DECISIONS_MAX {
                    cut = true;
                    break;
                }
                decisions += 1;
                let withheld = !is_compliance && rules.is_for_compliance(&asked.facts);
                // to others nothing has changed there: a difference would say what the facts were
                let now = if withheld { Ok(asked.verdict.clone()) } else { rules.replay(&asked.facts) };
                let Ok(now) = now else {
                    unread += 1;
                    continue;
                };
                *was_of.entry(asked.verdict.clone()).or_default() += 1;
                *now_of.entry(now.clone()).or_default() += 1;
                if now != asked.verdict {
                    differ += 1;
                    if changed.len() < CHANGES_MAX {
                        let mut change = json!({"at": at, "was": asked.verdict, "now": now});
                        if names {
                            change["entity"] = json!(entity);
                        }
                        changed.push(change);
                    }
                }
            }
            day = day.next();
        }
        Ok(json!({
            "set": set.as_str(), "version": number, "from": span.from, "to": span.to,
            "decisions": decisions, "changed": changed,
            "summary": {"changed": differ, "was": was_of, "now": now_of, "unread": unread, "cut": cut},
        }))
    }
}

/// What was read of the clients.
#[derive(Default)]
struct Read {
    figures: Figures,
    /// Clients that there are.
    listed: u32,
    /// There was no time for all of them.
    cut: bool,
}

fn is_compliance(caller: &Caller) -> bool {
    caller.require(&[Role::Compliance]).is_ok()
}

fn not_recorded(set: SetName) -> Problem {
    let what = match set {
        SetName::LeadScoring => "they are a lead's own answers, which are personal and not kept there",
        _ => "its decisions name the version and the rows, not the values",
    };
    Problem::refused(format!(
        "`{set}` cannot be tried on the past: the facts that it was asked are not in the journal ({what}). Back-tests are there for \
         lead_routing, kyc_risk, withdrawals and compliance_scenarios"
    ))
}
