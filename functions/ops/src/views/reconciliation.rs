//! `GET /v1/reconciliation`: a day of the ledger, what providers and trading servers say of it, and where they differ. Reads the day's
//! partitions.

use std::collections::{BTreeMap, BTreeSet};

use domain::account::rules::{Environment, Platforms};
use domain::ledger::LedgerAccount;
use domain::payment::rules::Psps;
use domain::reconciliation::{Booked, Break, Settlement, Source, totals};
use domain::{Day, Money, MoneyError, Timestamp};
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::rulebook::RuleBook;
use runtime::{Problem, StepError};
use serde_json::{Value, json};
use store::{LedgerEntry, MoneyTable};

use super::reconciliation_csv;

const DAY_MS: i64 = 86_400_000;

/// Who sees it.
pub(super) const READERS: &[Role] = &[Role::Finance];

pub(super) async fn view(money: &MoneyTable, rules: &RuleBook, request: &Request) -> Result<Reply, Problem> {
    let date = request.query.get("date").and_then(|text| text.parse::<Day>().ok());
    let date = date.ok_or_else(|| Problem::malformed("date must be a day such as 2026-11-23"))?;
    let is_csv = is_csv(request)?;
    let entries = money.day_book(date).await?;
    let mut booked: BTreeMap<String, Vec<Booked>> = BTreeMap::new();
    for posting in entries.iter().flat_map(|entry| Booked::of(&entry.event_id, entry.at, &entry.postings)) {
        if let Some(psp) = posting.psp().map(str::to_owned) {
            booked.entry(psp).or_default().push(posting);
        }
    }
    let (psps, platforms) = (rules.live::<Psps>().await?, rules.live::<Platforms>().await?);
    let named = psps.rules.all().iter().map(|rule| rule.name.clone());
    let named: BTreeSet<Source> = named.chain(booked.keys().cloned()).map(Source::Psp).collect();
    let live = platforms.rules.servers().iter().filter(|server| server.environment == Environment::Live);
    let servers = live.map(|server| Source::Server(server.name.clone()));
    let ids: Vec<_> = named.into_iter().chain(servers).map(|source| Settlement::id_of(&source, date)).collect();
    let settlements = money.load_some::<Settlement>(&ids).await?;
    let settlements: Vec<&Settlement> = settlements.iter().map(|stored| &stored.entity).collect();
    let found: Vec<_> = settlements.iter().flat_map(|own| own.private.breaks.iter().cloned()).collect();
    let breaks = money.load_some::<Break>(&found).await?;
    let sources = sources(&entries, &booked, &settlements).map_err(too_much)?;
    let left_out: usize = settlements.iter().map(|own| own.facts.left_out).sum();
    let breaks: Vec<&Break> = breaks.iter().map(|stored| &stored.entity).collect();
    let ageing = ageing(&breaks, request.now);
    let breaks: Vec<Value> = breaks.into_iter().map(|own| break_view(own, request.now)).collect();
    let report = json!({"date": date, "sources": sources, "breaks": breaks, "ageing": ageing, "left_out": left_out});
    Ok(if is_csv { reconciliation_csv::reply(&report) } else { Reply::json(200, &report) })
}

/// Whether the caller wants a table; `format` goes before `Accept`.
fn is_csv(request: &Request) -> Result<bool, Problem> {
    match request.query.get("format").map(String::as_str) {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(Problem::malformed("format must be json or csv")),
        None => Ok(request.header("accept").is_some_and(|accept| accept.trim().starts_with("text/csv"))),
    }
}

/// For how long those differences have been there that somebody or something is still to see to.
fn ageing(breaks: &[&Break], now: Timestamp) -> Value {
    let days = |own: &Break| now.millis_since(own.facts.found_at).max(0) / DAY_MS;
    let count = |from: i64, until: i64| {
        breaks.iter().filter(|own| own.is_pending() && (from..until).contains(&days(own))).count()
    };
    json!({
        "under_1_day": count(0, 1), "1_to_3_days": count(1, 3), "3_to_7_days": count(3, 7), "over_7_days": count(7, i64::MAX),
    })
}

fn too_much(error: MoneyError) -> Problem {
    StepError::Malformed(format!("the day does not sum up: {error}")).into()
}

/// Each provider by the ledger and by its file, each server by its operations, and what the clients' accounts moved.
fn sources(
    entries: &[LedgerEntry],
    booked: &BTreeMap<String, Vec<Booked>>,
    settlements: &[&Settlement],
) -> Result<Vec<Value>, MoneyError> {
    let mut sources = Vec::new();
    for own in settlements.iter().filter(|own| own.facts.hash.is_some()) {
        let facts = &own.facts;
        let kind = match &facts.source {
            Source::Psp(_) => "psp",
            Source::Server(_) => "platform",
        };
        let (name, counted) = (facts.source.name(), facts.rows);
        sources.push(json!({"name": name, "kind": kind, "counted": counted, "total": facts.total}));
    }
    for (psp, postings) in booked {
        let total = totals(postings.iter().map(|posting| posting.amount))?;
        sources.push(json!({"name": psp, "kind": "ledger", "counted": postings.len(), "total": total}));
    }
    let clients: Vec<Money> = entries
        .iter()
        .flat_map(|entry| &entry.postings)
        .filter(|leg| matches!(leg.account, LedgerAccount::Client(_)))
        // what we owe is a credit
        .map(|leg| leg.amount.negated())
        .collect();
    let total = totals(clients.iter().copied())?;
    sources.push(json!({"name": "clients", "kind": "ledger", "counted": clients.len(), "total": total}));
    Ok(sources)
}

fn break_view(own: &Break, now: Timestamp) -> Value {
    let facts = &own.facts;
    let mut view = json!({
        "break_id": own.id, "class": facts.class, "amount": facts.amount, "status": facts.status,
        "age_s": now.millis_since(facts.found_at).max(0) / 1000, "repair": facts.repair,
    });
    let optional = [
        ("payment_id", json!(facts.payment_id.as_ref().or(facts.named.as_ref()))),
        ("payment_status", json!(facts.payment_status)),
        ("reference", json!(facts.reference)),
        ("ours", json!(facts.ours)),
        ("theirs", json!(facts.theirs)),
        ("work_id", json!(own.work_id())),
    ];
    if let Some(object) = view.as_object_mut() {
        let source = match &facts.source {
            Source::Psp(_) => "psp",
            Source::Server(_) => "server",
        };
        object.insert(source.to_owned(), json!(facts.source.name()));
        let there = optional.into_iter().filter(|(_, value)| !value.is_null());
        object.extend(there.map(|(name, value)| (name.to_owned(), value)));
    }
    view
}
