//! KYC on the embedded host: the answer to a submitted photo, the decision after the last input, the first answer of a new index.

use std::time::{Duration, Instant};

use broker::Failure;
use broker::day::steps::Desk;
use broker::local::{Broker, Options};
use domain::rule_sets::SetName;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use serde_json::{Value, json};
use specimens::{Day, Variant, applicant, jpeg, passport};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count, milliseconds};
use crate::sample::Sample;

mod cases;
mod listed;

/// A submitted photo of five megabytes is answered within so many milliseconds.
const SUBMIT_MS: f64 = 400.0;
/// 99 of 100 cases are decided so many milliseconds after the last that they waited for.
const DECIDED_MS: f64 = 300.0;
/// The first screening with an index that has to be read first.
const FIRST_ANSWER_MS: f64 = 150.0;
/// The photo: a camera of twelve megapixels.
const SIDES: (usize, usize) = (4000, 3000);
const BYTES: usize = 5_000_000;
const QUALITY: u8 = 85;
/// Clients that are stored at the same time.
const AT_ONCE: usize = 8;
/// Between two looks at a case that is expected to be decided.
const LOOK: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures all of it.
///
/// # Errors
/// When a photo is refused, a case is not approved, or a list is not taken.
pub async fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let broker = Broker::start(Options { manual_schedules: true, ..Options::default() }).await?;
    let desk = Desk::new(&broker);
    let (photo, submitted) = submitted(&desk, plan.photos).await?;
    let decided = decided(&desk, plan).await?;
    let (first, later) = answers(&desk, plan).await?;
    broker.stop().await;
    let row = |name: String, sample: &Sample| {
        let values = [50, 90, 99, 100].map(|percent| milliseconds(sample.percentile(percent)));
        std::iter::once(name).chain(values).collect()
    };
    let megabytes = count(photo) / 1_000_000.0;
    let paced = format!("case decided after the declaration, {} a second on the embedded host, p99", plan.pace_per_s);
    Ok(Findings {
        lines: vec![
            Line::at_most(
                format!("submit of a photo of {megabytes:.1} MB answered, longest of {}", submitted.len()),
                submitted.max(),
                SUBMIT_MS,
                milliseconds,
            ),
            Line::at_most(paced, decided.percentile(99), DECIDED_MS, milliseconds),
            Line::at_most(
                format!("first screening with an index of {} parties, longest of {}", plan.listed, first.len()),
                first.max(),
                FIRST_ANSWER_MS,
                milliseconds,
            ),
        ],
        parts: vec![Parts {
            title: "KYC, as its callers see it".to_owned(),
            columns: vec!["", "p50", "p90", "p99", "longest"],
            rows: vec![
                row(format!("submit of a photo of {megabytes:.1} MB"), &submitted),
                row(format!("{} cases decided after the declaration", decided.len()), &decided),
                row("first screening with an index".to_owned(), &first),
                row("later screenings".to_owned(), &later),
            ],
        }],
    })
}

/// Bytes of the photo, and how long the answers took.
async fn submitted(desk: &Desk<'_>, photos: usize) -> Result<(usize, Sample), Failure> {
    let person = applicant(500, Day { year: 2026, month: 1, day: 2 });
    let taken = Variant::Photo(SIDES.0, SIDES.1).apply(&passport(&person).picture, 7);
    // the grain of a sensor is what makes photos large
    let taken = Variant::Noisy(1.0).apply(&taken, 7);
    let mut file = jpeg(&taken, QUALITY);
    // what a camera appends (a short film) makes up for what is missing
    file.resize(file.len().max(BYTES), 0);
    let client = cases::registered(desk, 0).await?;
    let documents = format!("/v1/clients/{client}/kyc/documents");
    let mut took = Vec::new();
    for _ in 0..photos {
        let wish = json!({"kind": "passport", "content_type": "image/jpeg", "bytes": file.len()});
        let announced = desk.portal(&documents, &wish).await?.expect(201)?;
        let url = announced.text_at("/upload/url");
        desk.api.send(Method::PUT, &url, &[("content-type", "image/jpeg")], file.clone()).await?.expect(200)?;
        let path = format!("{documents}/{}/submit", announced.text_at("/document_id"));
        let began = Instant::now();
        let answer = desk.portal(&path, &json!({})).await?.expect(200)?;
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
        if answer.text_at("/status") != "accepted" {
            return Err(format!("the photo was refused: {}", answer.text).into());
        }
        // it is read now, which takes a core for seconds
        desk.broker.host.idle().await;
    }
    Ok((file.len(), Sample::new(took)))
}

/// Milliseconds from the declaration, the last that the cases wait for, to the approval.
async fn decided(desk: &Desk<'_>, plan: &Plan) -> Result<Sample, Failure> {
    let rules = cases::rules(desk)?;
    let clients: Vec<domain::ClientId> = stream::iter(1..=plan.cases)
        .map(|number| cases::undeclared(desk, &rules, number))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    desk.broker.host.idle().await;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / plan.pace_per_s);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tasks = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        pace.tick().await;
        let url = desk.broker.url(&format!("/v1/clients/{client}/kyc/declaration"));
        let (crm, token) = (desk.broker.crm(), desk.broker.token("portal").to_owned());
        tasks.spawn(async move {
            let body = json!({"source_of_funds": "employment", "pep": false});
            let (api, began) = (broker::api::Api::default(), Instant::now());
            api.post(&url, &token, &format!("declaration-{number}"), &body).await?.expect(200)?;
            while !cases::is_approved(&crm, &client).await? {
                if began.elapsed() > PATIENCE {
                    return Err::<f64, Failure>(format!("the case of {client} is not approved").into());
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(began.elapsed().as_secs_f64() * 1_000.0)
        });
    }
    Ok(Sample::new(tasks.join_all().await.into_iter().collect::<Result<_, Failure>>()?))
}

/// Milliseconds of the first answer with each new index, and of later ones.
async fn answers(desk: &Desk<'_>, plan: &Plan) -> Result<(Sample, Sample), Failure> {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for number in 0..plan.indices {
        let list = listed::ofac(plan.listed.saturating_add(number));
        let url = format!("{}/ofac_sdn", desk.broker.simulators.url("lists"));
        desk.api.send(Method::PUT, &url, &[], list.into_bytes()).await?.expect(200)?;
        let fetched: Value = desk.broker.host.invoke("kyc-lists", &json!({"all": true})).await?;
        if fetched.get("outcome").and_then(Value::as_str) != Some("refreshed") {
            return Err(format!("the list was not taken: {fetched}").into());
        }
        for time in 0..=10 {
            let key = format!("screening-{number}-{time}");
            let (url, token) = (desk.broker.url("/v1/screenings"), desk.broker.token("compliance"));
            let body = json!({"full_name": listed::NAME, "date_of_birth": listed::BORN, "type": "person"});
            let began = Instant::now();
            let answer = desk.api.post(&url, token, &key, &body).await?.expect(200)?;
            let took = began.elapsed().as_secs_f64() * 1_000.0;
            if answer.text_at("/hits/0/list") != "ofac_sdn" {
                return Err(format!("nobody was found: {}", answer.text).into());
            }
            if time == 0 { first.push(took) } else { later.push(took) }
        }
    }
    Ok((Sample::new(first), Sample::new(later)))
}

/// The document of a rule set as it was published.
fn document(desk: &Desk<'_>, set: SetName) -> Result<Value, Failure> {
    desk.broker.rule_document(set)
}
