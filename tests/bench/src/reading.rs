//! How well documents are read: drawn specimens, each kind after each mishap, field by field. A field that is wrong and called sure
//! is one too many.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use broker::Failure;
use documents::{Line as TextLine, read_sides};
use ocr::Engine;
use pictures::Picture;
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use specimens::{Kind, Variant, person, specimen};

use crate::outcome::{DOCUMENTS, Outcome, outcomes};
use crate::plan::Plan;
use crate::report::{Findings, Line, Parts, count};
use crate::sample::Sample;

/// The first person; the tests of the reader have others.
const FIRST: u64 = 300;

/// The columns of both tables.
const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Sure, "right, sure"),
    (Outcome::Right, "right, not sure"),
    (Outcome::Missing, "not read"),
    (Outcome::Wrong, "wrong, not sure"),
    (Outcome::SureAndWrong, "wrong and sure"),
];

/// A document of a person after a mishap.
type Job = (usize, Variant, u64);
/// What was read of it, and in how many milliseconds.
type Read = (Job, [(&'static str, Outcome); 6], f64);

/// Reads all of it, as many documents at a time as there are cores.
///
/// # Errors
/// When the reader fails: a document that it cannot read has no fields, and that is none.
pub fn measure(plan: &Plan) -> Result<Findings, Failure> {
    let engine = Engine::load()?;
    let mishaps = Variant::ORDINARY.into_iter().chain(Variant::HARD).enumerate();
    let mishaps: Vec<(usize, Variant)> = mishaps.filter(|(at, _)| at % plan.mishaps == 0).collect();
    let mut jobs: Vec<Job> = Vec::new();
    for document in 0..DOCUMENTS.len() {
        for (at, mishap) in &mishaps {
            // others for each mishap: letters differ, and with them what a reader wavers about
            let first = FIRST.saturating_add(plan.persons.saturating_mul(u64::try_from(*at)?));
            jobs.extend((0..plan.persons).map(|n| (document, *mishap, first.saturating_add(n))));
        }
    }
    Ok(findings(&read_all(&engine, &jobs)?))
}

fn read_all(engine: &Engine, jobs: &[Job]) -> Result<Vec<Read>, Failure> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let read = read(engine, *job).map_err(|error| error.to_string());
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(read);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let all = done.into_iter().collect::<Result<Vec<_>, String>>()?;
    if all.len() == jobs.len() { Ok(all) } else { Err("a reader stopped".into()) }
}

fn read(engine: &Engine, job: Job) -> Result<Read, Failure> {
    let (document, mishap, seed) = job;
    let (kind, sides) = DOCUMENTS.get(document).ok_or("no such document")?;
    let (mut lines, mut took_ms) = (Vec::new(), 0.0);
    for side in *sides {
        let picture = picture(*side, mishap, seed)?;
        let began = Instant::now();
        lines.push(engine.lines(&picture)?);
        took_ms += began.elapsed().as_secs_f64() * 1_000.0;
    }
    let lines: Vec<&[TextLine]> = lines.iter().map(Vec::as_slice).collect();
    let fields = read_sides(&lines, *kind, SystemClock.now().day()).fields;
    Ok((job, outcomes(&fields, &person(seed)), took_ms))
}

fn picture(side: Kind, mishap: Variant, seed: u64) -> Result<Picture, Failure> {
    let canvas = mishap.apply(&specimen(side, seed).picture, seed);
    Picture::new(canvas.width, canvas.height, canvas.rgb).ok_or_else(|| "a specimen is no picture".into())
}

/// How often each outcome was seen.
type Counts = [usize; OUTCOMES.len()];

fn findings(all: &[Read]) -> Findings {
    let (mut by_mishap, mut by_field) = (BTreeMap::new(), BTreeMap::new());
    let mut sum = Counts::default();
    for ((document, mishap, _), fields, _) in all {
        let kind = DOCUMENTS.get(*document).map(|(kind, _)| format!("{kind:?}")).unwrap_or_default();
        for (field, outcome) in fields {
            for counts in [
                by_mishap.entry((*document, kind.clone(), format!("{mishap:?}"))).or_default(),
                by_field.entry((*document, kind.clone(), (*field).to_owned())).or_default(),
                &mut sum,
            ] {
                add(counts, *outcome);
            }
        }
    }
    let wrong = OUTCOMES.iter().zip(sum).find(|((outcome, _), _)| *outcome == Outcome::SureAndWrong);
    let wrong = wrong.map(|(_, times)| times).unwrap_or_default();
    let what =
        format!("fields of {} documents read wrongly and called sure, of {}", all.len(), sum.iter().sum::<usize>());
    let took = Sample::new(all.iter().map(|(_, _, ms)| *ms).collect());
    let parts = vec![
        table("fields read, by document and mishap", "mishap", by_mishap, &sum),
        table("fields read, by document and field", "field", by_field, &sum),
        Parts {
            title: "reading a document, milliseconds".to_owned(),
            columns: vec!["p50", "p90", "longest"],
            rows: vec![[50, 90, 100].map(|percent| format!("{:.0}", took.percentile(percent))).to_vec()],
        },
    ];
    Findings { lines: vec![Line::exactly(what, wrong.to_string(), "0", wrong == 0)], parts }
}

fn add(counts: &mut Counts, outcome: Outcome) {
    for ((known, _), times) in OUTCOMES.iter().zip(counts) {
        *times += usize::from(*known == outcome);
    }
}

fn table(title: &str, by: &'static str, rows: BTreeMap<(usize, String, String), Counts>, sum: &Counts) -> Parts {
    let all = sum.iter().sum::<usize>().max(1);
    let row = |head: [String; 2], counts: &Counts| head.into_iter().chain(counts.map(|n| n.to_string())).collect();
    let mut table: Vec<Vec<String>> =
        rows.iter().map(|((_, kind, at), counts)| row([kind.clone(), at.clone()], counts)).collect();
    table.push(row(["all".to_owned(), String::new()], sum));
    let share = |times: &usize| format!("{:.1} %", count(*times) * 100.0 / count(all));
    table.push(["share".to_owned(), String::new()].into_iter().chain(sum.iter().map(share)).collect());
    let columns = ["document", by].into_iter().chain(OUTCOMES.iter().map(|(_, name)| *name)).collect();
    Parts { title: title.to_owned(), columns, rows: table }
}
