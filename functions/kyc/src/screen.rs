//! `kyc-screen`: screens a client whose case is being verified. What could not be done is said so, and is no clean screening.

use std::sync::Arc;

use domain::KycCaseId;
use domain::Redacted;
use domain::client::Client;
use domain::decision::Verdict;
use domain::kyc::case::{CaseRules, Hit, Screened};
use domain::kyc::rules::{Kyc, KycRisk, ScreeningRules};
use domain::kyc::{Extracted, KycCase, KycStatus, ScreeningState};
use domain::rules::{RuleError, RuleSet as _};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::{StepError, awsclients, step};
use screening::matching::dates::DateVerdict;
use screening::matching::query::{Query, QueryKind};
use store::Crm;

use crate::lists::index::{Lists, ListsError, Loaded};
use crate::lists::search::{Match, country, search};

/// Hits that a case keeps: with so many a person decides whatever the rest are.
const HITS_MAX: usize = 50;

/// The step.
pub struct Screen {
    crm: Crm,
    rules: RuleBook,
    lists: Lists,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let screen = Screen { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)?, lists: Lists::new(ports)? };
    QueueFunction::build(screen, ports)
}

impl QueueStep for Screen {
    const NAME: &'static str = "kyc-screen";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(self.screen(message))
    }
}

impl Screen {
    async fn screen(&self, message: &Message) -> Result<&'static str, StepError> {
        let event = message.event()?;
        let id: KycCaseId = event.id()?;
        let absent = |id: String| StepError::Absent(id);
        let case = self.crm.load::<KycCase>(&id).await?.ok_or_else(|| absent(id.to_string()))?.entity;
        if !waits(&case) {
            return Ok("nothing_to_do");
        }
        let client = self.crm.load::<Client>(&case.client_id).await?;
        let client = client.ok_or_else(|| absent(case.client_id.to_string()))?.entity;
        let (kyc, risk) = (self.rules.live::<Kyc>().await?, self.rules.live::<KycRisk>().await?);
        let lists = self.rules.live::<ScreeningRules>().await?;
        let loaded = self.lists.ready(&lists.rules, message.now).await;
        let mut frame = message.frame(Self::NAME, &event);
        frame.rules = vec![kyc.label(), risk.label(), lists.label()];
        let rules = CaseRules { kyc: &kyc.rules, risk: &risk.rules };
        let (mut failed, mut done) = (None, true);
        // of the case as it is saved: what a document says may have come in the meantime
        let decide = |case: &KycCase| {
            if !waits(case) {
                return Verdict::Nothing("it does not wait to be screened");
            }
            let screened = screened(case, &client, &lists.rules, &loaded);
            done = matches!(screened, Screened::Done { .. });
            case.screened(&screened, &client, rules, message.now).unwrap_or_else(|error| {
                failed = Some(error);
                Verdict::Nothing("a rule cannot be judged")
            })
        };
        let outcome = step::change(&self.crm, &id, &mut frame, decide).await?.outcome();
        if let Some(error) = failed {
            return Err(unjudged(&error));
        }
        if !done {
            let why = loaded.as_ref().err().map_or_else(|| "its name".to_owned(), ToString::to_string);
            tracing::error!(entity = %id, correlation_id = %frame.correlation_id, why, "a client was not screened");
            return Ok("not_screened");
        }
        Ok(outcome)
    }
}

fn unjudged(error: &RuleError) -> StepError {
    StepError::Rules { set: KycRisk::NAME, what: error.to_string() }
}

/// Whether a screening is what the case waits for.
fn waits(case: &KycCase) -> bool {
    let unscreened = match case.facts.screening.state {
        ScreeningState::Pending | ScreeningState::Failed => true,
        ScreeningState::Clear | ScreeningState::Hits => false,
    };
    case.facts.status == KycStatus::Verifying && unscreened
}

/// The screening of a case's client: by the declared name, and by the one on the document if that was read.
fn screened(
    case: &KycCase,
    client: &Client,
    rules: &ScreeningRules,
    loaded: &Result<Arc<Loaded>, ListsError>,
) -> Screened {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return Screened::Failed(error.to_string()),
    };
    match search(loaded, rules, &queries(client, case.inner.extracted.as_ref())) {
        Ok(matches) => Screened::Done { list_version: loaded.version.clone(), hits: hits(matches) },
        Err(error) => Screened::Failed(error.to_string()),
    }
}

fn queries(client: &Client, extracted: Option<&Extracted>) -> Vec<Query> {
    let facts = &client.facts;
    let reveal = |text: &Redacted<String>| text.reveal().clone();
    let declared = Query {
        name: reveal(&client.person.full_name),
        kind: Some(QueryKind::Person),
        birth: client.person.date_of_birth.reveal().parse().ok(),
        countries: [facts.nationality, facts.residence].into_iter().filter_map(country).collect(),
        gender: None,
        documents: extracted.and_then(|read| read.number.as_ref()).map(reveal).into_iter().collect(),
    };
    let on_document = extracted.and_then(|read| {
        let born = read.date_of_birth.as_ref().and_then(|born| born.reveal().parse().ok());
        Some(Query { name: reveal(&read.full_name()?), birth: born.or(declared.birth), ..declared.clone() })
    });
    [Some(declared.clone()), on_document].into_iter().flatten().collect()
}

/// Hits on sanctions lists first, so that none of them is left out.
fn hits(mut matches: Vec<Match>) -> Vec<(Hit, Redacted<String>)> {
    matches.sort_by_key(|found| found.of);
    matches.truncate(HITS_MAX);
    matches.into_iter().map(hit).collect()
}

fn hit(found: Match) -> (Hit, Redacted<String>) {
    let hit = Hit {
        entity_id: found.hit.entity_id,
        list: found.hit.list,
        of: found.of,
        score: format!("{:.4}", found.hit.score),
        date_of_birth: word(found.hit.date_of_birth).to_owned(),
    };
    (hit, Redacted::new(found.hit.why.join("; ")))
}

fn word(verdict: DateVerdict) -> &'static str {
    match verdict {
        DateVerdict::Match => "match",
        DateVerdict::Compatible => "compatible",
        DateVerdict::Contradicts => "contradicts",
        DateVerdict::Unknown => "unknown",
    }
}
