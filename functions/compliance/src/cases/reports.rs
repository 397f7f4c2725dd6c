//! `/v1/cases/{case_id}/reports`: a draft of what is told to an authority. Nothing is sent from here.

use std::collections::BTreeMap;

use domain::client::Client;
use domain::compliance::report::Material;
use domain::compliance::report::goaml::goaml;
use domain::compliance::{Case, Report, ReportKind, Reports};
use domain::input::{Fault, Reader};
use domain::rules::RuleSet as _;
use domain::{CaseId, ReportId, Seconds};
use runtime::http::{Reply, Request};
use runtime::idempotency::{Keyed, Made};
use runtime::step::{self, Attempt};
use runtime::{Caller, Problem, StepError};
use serde_json::{Value, json};

use super::{Cases, absent};
use crate::known::known;

/// How far back the payments that a case names may lie.
const LOOK_BACK: Seconds = Seconds(731 * 86_400);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    kind: ReportKind,
}

fn wish(body: &Value, case: &Case, rules: &Reports) -> Result<Wish, Problem> {
    let mut reader = Reader::new(body);
    let kind = reader.word::<ReportKind>("kind");
    let faults = reader.finish();
    let Some(kind) = kind.filter(|_| faults.is_empty()) else { return Err(Problem::input(faults)) };
    let profile = rules.profile(&case.facts.jurisdiction).map_err(broken)?;
    let (_, profile) = profile.ok_or_else(|| Problem::refused("the rules say of no authority for this case"))?;
    if profile.kinds.contains(&kind) {
        return Ok(Wish { kind });
    }
    let fault = Fault::new("/kind", "not_taken", format!("{} takes no {kind}", profile.authority));
    Err(Problem::input(vec![fault.allowing(profile.kinds.iter().map(ToString::to_string))]))
}

fn broken(error: impl std::fmt::Display) -> Problem {
    StepError::Rules { set: Reports::NAME, what: error.to_string() }.into()
}

/// Makes a report and names it in its case, in one transaction.
pub(super) async fn make(step: &Cases, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
    let case_id: CaseId = request.id("case_id")?;
    let keyed = Keyed::read(request, caller)?;
    let body = request.json()?;
    let case = step.load(&case_id).await?.entity;
    let live = step.rules.live::<Reports>().await?;
    let fresh = ReportId::from_bits(step.entropy.id_bits());
    let make = async |id: ReportId, wish: Wish| {
        let mut frame = request.frame(Cases::FUNCTION);
        frame.used(live.label());
        let known = known(&step.crm, &case.client_id).await?;
        let client = step.crm.load::<Client>(&case.client_id).await?.ok_or_else(absent)?.entity;
        let history = step.trades.history(&case.client_id, request.now.minus(LOOK_BACK), request.now).await?;
        let (known, client, history, id, live, frame) = (&known, &client, &history, &id, &live, &frame);
        let made = step::together(frame, "the case keeps changing", || {
            Box::pin(async move {
                // by this very request, whose answer got lost on its way
                if let Some(made) = step.crm.load::<Report>(id).await? {
                    return Ok::<_, Problem>(Attempt::Nothing(made.entity));
                }
                let was = step.load(&case_id_of(request)?).await?;
                let profile = live.rules.profile(&was.entity.facts.jurisdiction).map_err(broken)?.ok_or_else(absent)?;
                let material = Material { case: &was.entity, client, about: &known.about, history, profile };
                let report = Report::made(id.clone(), wish.kind, material, &caller.subject, request.now);
                let case = was.entity.reported(id, wish.kind, &caller.subject, request.now);
                let mut commit = step.crm.0.commit();
                commit.save(&step.crm, None, &report, frame).map_err(StepError::from)?;
                commit.save(&step.crm, Some(&was), &case, frame).map_err(StepError::from)?;
                Ok(Attempt::Save(commit, report.next))
            })
        });
        made.await.map(Made::Saved)
    };
    keyed
        .create(&step.crm, fresh, wish(&body, &case, &live.rules), make, |report| {
            Reply::json(201, &view(report, &live.rules))
        })
        .await
}

fn case_id_of(request: &Request) -> Result<CaseId, Problem> {
    request.id("case_id")
}

/// A report, as a record or as the file that the authority's portal takes.
pub(super) async fn read(step: &Cases, request: &Request) -> Result<Reply, Problem> {
    let id: ReportId = request.id("report_id")?;
    let report = step.crm.load::<Report>(&id).await?.ok_or_else(absent)?.entity;
    if report.facts.case_id != case_id_of(request)? {
        return Err(absent());
    }
    let live = step.rules.live::<Reports>().await?;
    match request.query.get("format").map(String::as_str) {
        None | Some("" | "json") => Ok(Reply::json(200, &view(&report, &live.rules))),
        Some("goaml") => file(&report, &live.rules),
        Some(_) => Err(Problem::malformed("format must be json or goaml")),
    }
}

fn file(report: &Report, rules: &Reports) -> Result<Reply, Problem> {
    let profile = rules.get(&report.facts.profile).and_then(|profile| profile.goaml.as_ref());
    let profile = profile.ok_or_else(|| Problem::refused("the authority of this report takes no goAML file"))?;
    let headers = BTreeMap::from([
        ("content-type".to_owned(), "application/xml".to_owned()),
        ("content-disposition".to_owned(), format!("attachment; filename=\"{}.xml\"", report.id)),
    ]);
    Ok(Reply { status: 200, headers, body: goaml(report, profile).xml })
}

fn view(report: &Report, rules: &Reports) -> Value {
    let (facts, inner) = (&report.facts, &report.inner);
    let profile = rules.get(&facts.profile);
    let lacking = profile.and_then(|profile| profile.goaml.as_ref()).map(|form| goaml(report, form).lacking);
    json!({
        "report_id": report.id, "case_id": facts.case_id, "client_id": report.client_id, "kind": facts.kind,
        "jurisdiction": facts.jurisdiction, "authority": profile.map(|profile| &profile.authority), "made_at": facts.made_at,
        "made_by": facts.made_by, "detected_at": facts.detected_at, "suspected_at": facts.suspected_at, "due_at": facts.due_at,
        "narrative": inner.narrative, "payments": inner.payments, "lacking": lacking.unwrap_or_default(),
    })
}
