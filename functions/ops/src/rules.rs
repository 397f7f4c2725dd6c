//! `/v1/rules`: what rules there are, and how people change them. A draft is read whole before it is kept; another person publishes it.

mod backtest;
mod view;

use std::collections::BTreeMap;

use std::sync::Arc;

use domain::Timestamp;
use domain::decision::Verdict;
use domain::input::{Fault, Reader};
use domain::rule_sets::draft::{NewDraft, PublishRefusal, RuleDraft, RuleDraftId};
use domain::rule_sets::{SetName, faults_beside, parse_any};
use domain::rules::yaml::{self, Document};
use futures::future::try_join_all;
use runtime::auth::STAFF;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, StepError, awsclients};
use serde_json::Value;
use store::{Crm, Journal, RuleVersion, Rules, StoreError, TradesTable};

use crate::work::roles_of;
use view::Shown;

/// Longest document, in bytes: an item holds it, and a function reads it every minute.
const DOCUMENT_BYTES_MAX: usize = 200_000;
/// Drafts of a set that may wait for somebody to publish them.
const DRAFTS_MAX: u64 = 50;
/// Versions of a set that may be scheduled ahead; the look-up of the live one looks at twice as many.
const SCHEDULED_MAX: usize = 10;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// The step.
pub struct RuleSets {
    crm: Crm,
    rules: Rules,
    trades: TradesTable,
    journal: Journal,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(RuleSets::new(ports)?, ports)
}

impl HttpStep for RuleSets {
    const NAME: &'static str = "ops-rules";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("GET", "/v1/rules", STAFF, Scope::Everybody, |step, request, _| Box::pin(step.list(request))),
        Route::token("GET", "/v1/rules/{set}/versions/{version}", STAFF, Scope::Everybody, |step, request, _| {
            Box::pin(step.show(request))
        }),
        // and of the roles those of the set, which only the document knows
        Route::<Self>::token("POST", "/v1/rules/{set}/drafts", STAFF, Scope::Everybody, |step, request, caller| {
            Box::pin(step.draft(request, caller))
        })
        .with_body(DOCUMENT_BYTES_MAX),
        Route::token(
            "POST",
            "/v1/rules/{set}/versions/{version}/publish",
            STAFF,
            Scope::Everybody,
            |step, request, caller| Box::pin(step.publish(request, caller)),
        ),
        Route::token(
            "POST",
            "/v1/rules/{set}/versions/{version}/backtest",
            STAFF,
            Scope::Everybody,
            |step, request, caller| Box::pin(step.backtest(request, caller)),
        ),
    ];
}

fn set_of(request: &Request) -> Result<SetName, Problem> {
    request.id("set").map_err(|_| Problem::not_found("there is no such rule set"))
}

fn version_of(request: &Request) -> Result<u64, Problem> {
    request.id("version").map_err(|_| no_version())
}

fn no_version() -> Problem {
    Problem::not_found("the rule set has no such version")
}

/// 422 whatever the faults are: a text that does not read is as much the author's as one that makes no sense.
fn refused(faults: Vec<Fault>) -> Problem {
    let detail = format!("{} fault(s); see errors", faults.len());
    Problem { errors: faults, ..Problem::refused(detail) }
}

impl RuleSets {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let (crm, rules) = (awsclients::crm(ports)?, awsclients::rules(ports)?);
        Ok(Self { crm, rules, trades: awsclients::trades(ports)?, journal: awsclients::journal(ports)? })
    }

    /// By set, then by version.
    async fn list(&self, request: &Request) -> Result<Reply, Problem> {
        let (limit, after) = request.page::<RuleDraftId>()?;
        let shown = try_join_all(SetName::ALL.iter().map(|set| self.versions(*set, request.now))).await?;
        let mut shown: Vec<Shown> = shown.into_iter().flatten().collect();
        shown.sort_by(|a, b| a.place().cmp(&b.place()));
        if let Some(after) = after {
            let place = view::place_of(&after)
                .ok_or_else(|| Problem::malformed("cursor is not the next_cursor of this list"))?;
            shown.retain(|one| one.place() > (place.0.as_str(), place.1));
        }
        Ok(view::list(shown, usize::try_from(limit).unwrap_or(usize::MAX)))
    }

    /// The versions of a set that hold, will hold, or wait for somebody to publish them.
    async fn versions(&self, set: SetName, now: Timestamp) -> Result<Vec<Shown>, StepError> {
        let published = self.rules.newest(set.as_str(), view::VERSIONS, false).await?;
        let newest = published.first().map_or(0, |version| version.version);
        let mut shown = view::published(&published, now);
        for draft in self.drafts_after(set, newest).await? {
            shown.push(Shown::draft(&draft));
        }
        Ok(shown)
    }

    /// The drafts that may become versions; their numbers follow the newest version without a gap.
    async fn drafts_after(&self, set: SetName, newest: u64) -> Result<Vec<RuleDraft>, StepError> {
        let mut drafts = Vec::new();
        for version in newest.saturating_add(1)..=newest.saturating_add(DRAFTS_MAX) {
            let stored = self.crm.load::<RuleDraft>(&RuleDraftId::of_version(set, version)).await?;
            let Some(stored) = stored else { break };
            drafts.push(stored.entity);
        }
        Ok(drafts)
    }

    async fn show(&self, request: &Request) -> Result<Reply, Problem> {
        let (set, number, now) = (set_of(request)?, version_of(request)?, request.now);
        let draft =
            self.crm.load::<RuleDraft>(&RuleDraftId::of_version(set, number)).await?.map(|stored| stored.entity);
        let (shown, source) = match self.rules.version(set.as_str(), number).await? {
            Some(version) => {
                let newer = self.rules.newest(set.as_str(), view::VERSIONS, false).await?;
                let source = self.rules.source(set.as_str(), number).await?.unwrap_or_else(|| version.document.clone());
                // a draft that never became this version says nothing about it
                let draft = draft.filter(|draft| draft.facts.published_by == version.published_by);
                (Shown::version(&version, &newer, draft.as_ref(), now), source)
            }
            None => {
                let draft = draft.ok_or_else(no_version)?;
                let newest = self.rules.newest(set.as_str(), 1, false).await?;
                let overtaken = newest.first().is_some_and(|newest| newest.version > number);
                (Shown::draft(&draft).overtaken(overtaken), draft.text.source)
            }
        };
        let findings = match self.check(set, &source, shown.effective_at.unwrap_or(now).max(now)).await {
            Ok(_) => vec![],
            Err(Checked::Faults(faults)) => faults,
            Err(failed) => return Err(failed.into()),
        };
        Ok(shown.whole(&source, &findings))
    }

    /// Reads a document, and holds it against those that will be live beside it.
    async fn check(&self, set: SetName, source: &str, from: Timestamp) -> Result<Document, Checked> {
        let document = yaml::read(source).map_err(Checked::Faults)?;
        let placed = |faults| Checked::Faults(document.placed(faults));
        parse_any(set, &document.value).map_err(placed)?;
        let live = try_join_all(SetName::ALL.iter().map(|set| self.rules.live(set.as_str(), from))).await?;
        let live: BTreeMap<SetName, Value> = SetName::ALL
            .iter()
            .copied()
            .zip(live)
            .filter_map(|(set, live)| Some((set, live?)))
            .map(read)
            .collect::<Result<_, _>>()?;
        let faults = faults_beside(set, &document.value, &live);
        if faults.is_empty() { Ok(document) } else { Err(placed(faults)) }
    }

    async fn draft(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let set = set_of(request)?;
        caller.require(roles_of(set.desk()))?;
        let reason = request.query.get("reason").map(|reason| reason.trim()).filter(|reason| !reason.is_empty());
        if reason.is_some_and(|reason| reason.chars().count() > REASON_MAX) {
            return Err(Problem::malformed(format!("the reason has more than {REASON_MAX} characters")));
        }
        let source = source_of(request)?;
        self.check(set, &source, request.now).await?;
        let live = self.rules.live(set.as_str(), request.now).await?.map(|live| live.version);
        let newest = self.rules.newest(set.as_str(), 1, true).await?.first().map_or(0, |newest| newest.version);
        for version in newest.saturating_add(1)..=newest.saturating_add(DRAFTS_MAX) {
            let id = RuleDraftId::of_version(set, version);
            match self.crm.load::<RuleDraft>(&id).await?.map(|stored| stored.entity) {
                Some(draft) if draft.is_again(&caller.subject, &source) => return Ok(Shown::draft(&draft).drafted()),
                Some(_) => continue,
                None => {}
            }
            let (author, now) = (caller.subject.as_str(), request.now);
            let new = NewDraft { set, version, author, source: &source, based_on: live, reason, now };
            let decision = RuleDraft::drafted(&new);
            let shown = Shown::draft(&decision.next);
            if step::create(&self.crm, decision, &request.frame(Self::NAME)).await? {
                return Ok(shown.drafted());
            }
        }
        Err(Problem::conflict(format!("{DRAFTS_MAX} drafts of this set wait already: publish one of them first")))
    }

    async fn publish(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let (set, number) = (set_of(request)?, version_of(request)?);
        caller.require(roles_of(set.desk()))?;
        let wanted = Wanted::read(request)?;
        if set == SetName::Scenarios && !wanted.accept_noise {
            self.refuse_noise(set, number, request.now).await?;
        }
        let wanted = wanted.effective_at;
        let frame = request.frame(Self::NAME);
        let frame = &frame;
        let shown = step::together(frame, "versions of this rule set keep being published", || {
            Box::pin(self.attempt(set, number, wanted, caller, frame))
        })
        .await?;
        Ok(shown.brief(200))
    }

    /// A draft of scenarios that would tell more than the desk has time for needs somebody who says yes to that. Whatever else is wrong
    /// with it is told by the publication itself.
    async fn refuse_noise(&self, set: SetName, number: u64, now: Timestamp) -> Result<(), Problem> {
        let draft = self.crm.load::<RuleDraft>(&RuleDraftId::of_version(set, number)).await?;
        let Some(draft) = draft.filter(|stored| stored.entity.facts.published_by.is_none()) else { return Ok(()) };
        let Ok(document) = yaml::read(&draft.entity.text.source) else { return Ok(()) };
        let noisy = self.noise(&document.value, now).await?;
        if noisy.is_empty() {
            return Ok(());
        }
        let fault = |told: &String| Fault::new("/accept_noise", "noise_budget", told.clone());
        let detail = "the scenarios would tell more than the desk has time for: say `accept_noise: true` to publish them all the same";
        Err(Problem { errors: noisy.iter().map(fault).collect(), ..Problem::refused(detail) })
    }

    async fn attempt(
        &self,
        set: SetName,
        number: u64,
        wanted: Option<Timestamp>,
        caller: &Caller,
        frame: &domain::decision::Frame,
    ) -> Result<Attempt<Shown>, Problem> {
        let now = frame.now;
        let published = self.rules.newest(set.as_str(), view::VERSIONS, true).await?;
        let Some(stored) = self.crm.load::<RuleDraft>(&RuleDraftId::of_version(set, number)).await? else {
            let there = self.rules.version(set.as_str(), number).await?.is_some();
            return Err(if there { Problem::conflict("it is published already") } else { no_version() });
        };
        let decision = match stored.entity.published(&caller.subject, wanted, now).map_err(refusal)? {
            Verdict::Change(decision) => *decision,
            Verdict::Nothing(_) => {
                let version = self.rules.version(set.as_str(), number).await?.ok_or_else(no_version)?;
                return Ok(Attempt::Nothing(Shown::version(&version, &published, Some(&stored.entity), now)));
            }
        };
        if let Some(newer) = published.first().filter(|newest| newest.version >= number) {
            let what = format!("version {} was published meanwhile: draft it anew on that one", newer.version);
            return Err(Problem::conflict(what));
        }
        if published.iter().filter(|version| version.effective_at > now).count() >= SCHEDULED_MAX {
            return Err(Problem::conflict(format!("{SCHEDULED_MAX} versions of this set are scheduled already")));
        }
        let from = decision.next.facts.effective_at.unwrap_or(now);
        let document = self.check(set, &decision.next.text.source, from).await?;
        let version = RuleVersion {
            set: set.as_str().to_owned(),
            version: number,
            document: document.value.to_string(),
            author: decision.next.facts.author.clone(),
            published_by: decision.next.facts.published_by.clone(),
            effective_at: from,
        };
        let mut commit = self.crm.0.commit();
        commit.save(&self.crm, Some(&stored), &decision, frame)?;
        commit.publish(&self.rules, &version, &decision.next.text.source)?;
        let shown = Shown::version(&version, &published, Some(&decision.next), now).instead_of(&published, now);
        Ok(Attempt::Save(commit, shown))
    }
}

/// Why a document was not read: what is wrong with it, or what kept us from looking.
enum Checked {
    Faults(Vec<Fault>),
    Failed(StepError),
}

impl From<StoreError> for Checked {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Checked> for Problem {
    fn from(checked: Checked) -> Self {
        match checked {
            Checked::Faults(faults) => refused(faults),
            Checked::Failed(error) => error.into(),
        }
    }
}

fn read((set, live): (SetName, RuleVersion)) -> Result<(SetName, Value), Checked> {
    let document = serde_json::from_str(&live.document);
    let what = |error: serde_json::Error| StepError::Rules { set: set.as_str(), what: error.to_string() };
    document.map(|document| (set, document)).map_err(|error| Checked::Failed(what(error)))
}

/// The text of a draft. JSON is YAML too, once it is written as plainly as possible.
fn source_of(request: &Request) -> Result<String, Problem> {
    let media =
        request.header("content-type").and_then(|value| value.split(';').next()).map(|m| m.trim().to_lowercase());
    match media.as_deref() {
        Some("application/json") => {
            let document = domain::json::parse(&request.body).map_err(refused)?;
            serde_json::to_string_pretty(&document).map_err(|error| Problem::malformed(error.to_string()))
        }
        None | Some("application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/plain") => {
            let text = String::from_utf8(request.body.clone());
            text.map_err(|_| refused(vec![Fault::new("", "malformed_yaml", "is not UTF-8")]))
        }
        Some(_) => Err(Problem::media_type_but("application/yaml or application/json")),
    }
}

/// What whoever publishes says.
#[derive(Debug, Default)]
struct Wanted {
    effective_at: Option<Timestamp>,
    /// Scenarios may tell more than their budgets allow.
    accept_noise: bool,
}

impl Wanted {
    fn read(request: &Request) -> Result<Self, Problem> {
        if request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let body = request.json()?;
        let mut reader = Reader::new(&body);
        let text = reader.optional_string("effective_at");
        let accept_noise = reader.optional_bool("accept_noise").unwrap_or(false);
        let at = text.map(str::parse::<Timestamp>).transpose();
        if at.is_err() {
            reader.fault(Fault::new("/effective_at", "not_a_time", "must be a time such as 2026-11-28T15:00:00Z"));
        }
        let faults = reader.finish();
        if faults.is_empty() {
            Ok(Self { effective_at: at.ok().flatten(), accept_noise })
        } else {
            Err(Problem::input(faults))
        }
    }
}

fn refusal(refusal: PublishRefusal) -> Problem {
    let words = refusal.to_string();
    match refusal {
        PublishRefusal::OwnDraft => Problem::forbidden(words),
        PublishRefusal::Published { .. } => Problem::conflict(words),
        PublishRefusal::Past | PublishRefusal::TooFarAhead => {
            Problem::input(vec![Fault::new("/effective_at", "out_of_range", words)])
        }
    }
}
