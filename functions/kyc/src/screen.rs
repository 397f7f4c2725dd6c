//! `kyc-screen`: screens a client whose case is being verified. What could not be done is said so, and is no clean screening.

use std::sync::Arc;

use domain::KycCaseId;
use domain::Redacted;
use domain::client::Client;
use domain::kyc::case::{Hit, Screened};
use domain::kyc::rules::ScreeningRules;
use domain::kyc::{Extracted, KycCase, ScreeningState};
use providers::http::BoxFuture;
use runtime::StepError;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{Message, QueueFunction, QueueStep};
use runtime::step::Done;
use screening::matching::dates::DateVerdict;
use screening::matching::facts::Finding;
use screening::matching::query::{Query, QueryKind};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::cases::Cases;
use crate::lists::index::{Lists, ListsError, Loaded};
use crate::lists::search::{Match, country, search};

/// Hits that a case keeps: with so many a person decides whatever the rest are.
const HITS_MAX: usize = 50;

/// The step.
pub struct Screen {
    cases: Cases,
    lists: Lists,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    QueueFunction::build(Screen { cases: Cases::new(ports)?, lists: Lists::new(ports)? }, ports)
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
        let case = self.cases.case(&id).await?;
        if !waits(&case) {
            return Ok("nothing_to_do");
        }
        let client = self.cases.client_of(&case.client_id).await?;
        let lists = self.cases.live::<ScreeningRules>().await?;
        let loaded = self.lists.ready(&lists.rules, message.now).await;
        let mut frame = message.frame(Self::NAME, &event);
        frame.used(lists.label());
        // of the case as it is saved: what a document says may have come in the meantime
        let screen = |case: &KycCase| waits(case).then(|| screened(case, &client, &lists.rules, &loaded));
        let done = self.cases.screened(&client, &mut frame, screen).await?;
        if let Done::Changed { now, .. } = &done
            && now.entity.facts.screening.state == ScreeningState::Failed
        {
            let why = loaded.as_ref().err().map_or_else(|| "its name".to_owned(), ToString::to_string);
            tracing::error!(entity = %id, correlation_id = %frame.correlation_id, why, "a client was not screened");
            return Ok("not_screened");
        }
        Ok(done.outcome())
    }
}

/// Whether a screening is what the case waits for.
fn waits(case: &KycCase) -> bool {
    let unscreened = match case.facts.screening.state {
        ScreeningState::Pending | ScreeningState::Failed => true,
        ScreeningState::Clear | ScreeningState::Hits => false,
    };
    case.is_checking() && unscreened
}

/// The screening of a case's client: by the declared name, and by the one on the document if that was read.
pub fn screened(
    case: &KycCase,
    client: &Client,
    rules: &ScreeningRules,
    loaded: &Result<Arc<Loaded>, ListsError>,
) -> Screened {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return Screened::Failed(error.to_string()),
    };
    let queries = queries(client, case.inner.extracted.as_ref());
    match search(loaded, rules, &queries) {
        Ok(matches) => {
            Screened::Done { list_version: loaded.version.clone(), client: fingerprint(&queries), hits: hits(matches) }
        }
        Err(error) => Screened::Failed(error.to_string()),
    }
}

/// What is looked for: the client by the declared name, and by the one on the document if that was read.
pub(crate) fn queries(client: &Client, extracted: Option<&Extracted>) -> Vec<Query> {
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

/// Of what is screened of the client, but for the numbers of his documents: a new passport has another one, and whether an entry names it
/// is said by the hit.
pub(crate) fn fingerprint(queries: &[Query]) -> String {
    let of = |query: &Query| json!([query.name, query.birth.map(|born| born.to_string()), query.countries]).to_string();
    let mut said: Vec<String> = queries.iter().map(of).collect();
    said.sort();
    said.dedup();
    hex::encode(Sha256::digest(said.join("\n")))
}

/// Hits on sanctions lists first, so that none of them is left out.
fn hits(mut matches: Vec<Match>) -> Vec<(Hit, Redacted<String>)> {
    matches.sort_by_key(|found| found.of);
    matches.truncate(HITS_MAX);
    matches.into_iter().map(hit).collect()
}

pub(crate) fn hit(found: Match) -> (Hit, Redacted<String>) {
    let hit = Hit {
        entity_id: found.hit.entity_id,
        list: found.hit.list,
        of: found.of,
        score: format!("{:.4}", found.hit.score),
        date_of_birth: word(found.hit.date_of_birth).to_owned(),
        entry: Some(format!("{}-{}", found.hit.fingerprint, document(found.hit.document))),
    };
    (hit, Redacted::new(found.hit.why.join("; ")))
}

fn document(finding: Finding) -> &'static str {
    match finding {
        Finding::Match => "document",
        Finding::Differs => "other_document",
        Finding::Unknown => "no_document",
    }
}

fn word(verdict: DateVerdict) -> &'static str {
    match verdict {
        DateVerdict::Match => "match",
        DateVerdict::Compatible => "compatible",
        DateVerdict::Contradicts => "contradicts",
        DateVerdict::Unknown => "unknown",
    }
}
