//! `GET /v1/reconciliation`: a day of the ledger, what the providers settled of it, and where the two differ. Reads the day's partitions.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::LedgerAccount;
use domain::payment::rules::Psps;
use domain::reconciliation::{Booked, Break, Settlement, totals};
use domain::{Day, Money, MoneyError, Timestamp};
use runtime::auth::Role;
use runtime::http::{Reply, Request};
use runtime::rulebook::RuleBook;
use runtime::{Problem, StepError};
use serde_json::{Value, json};
use store::{LedgerEntry, MoneyTable};

/// Who sees it.
pub(super) const READERS: &[Role] = &[Role::Finance];

pub(super) async fn view(money: &MoneyTable, rules: &RuleBook, request: &Request) -> Result<Reply, Problem> {
    let date = request.query.get("date").and_then(|text| text.parse::<Day>().ok());
    let date = date.ok_or_else(|| Problem::malformed("date must be a day such as 2026-11-23"))?;
    let entries = money.day_book(date).await?;
    let mut booked: BTreeMap<String, Vec<Booked>> = BTreeMap::new();
    for posting in entries.iter().flat_map(|entry| Booked::of(&entry.event_id, entry.at, &entry.postings)) {
        booked.entry(posting.psp.clone()).or_default().push(posting);
    }
    let live = rules.live::<Psps>().await?;
    let named = live.rules.all().iter().map(|rule| rule.name.clone());
    let psps: BTreeSet<String> = named.chain(booked.keys().cloned()).collect();
    let ids: Vec<_> = psps.iter().map(|psp| Settlement::id_of(psp, date)).collect();
    let settlements = money.settlements(&ids).await?;
    let settlements: Vec<&Settlement> = settlements.iter().map(|stored| &stored.entity).collect();
    let found: Vec<_> = settlements.iter().flat_map(|own| own.private.breaks.iter().cloned()).collect();
    let breaks = money.breaks(&found).await?;
    let sources = sources(&entries, &booked, &settlements).map_err(too_much)?;
    let left_out: usize = settlements.iter().map(|own| own.facts.left_out).sum();
    let breaks: Vec<Value> = breaks.iter().map(|stored| break_view(&stored.entity, request.now)).collect();
    Ok(Reply::json(200, &json!({"date": date, "sources": sources, "breaks": breaks, "left_out": left_out})))
}

fn too_much(error: MoneyError) -> Problem {
    StepError::Malformed(format!("the day does not sum up: {error}")).into()
}

/// Each provider by the ledger and by its file, and what the clients' accounts moved.
fn sources(
    entries: &[LedgerEntry],
    booked: &BTreeMap<String, Vec<Booked>>,
    settlements: &[&Settlement],
) -> Result<Vec<Value>, MoneyError> {
    let mut sources = Vec::new();
    for own in settlements.iter().filter(|own| own.facts.settlement_file_id.is_some()) {
        let facts = &own.facts;
        sources.push(json!({"name": facts.psp, "kind": "psp", "counted": facts.rows, "total": facts.total}));
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
        "break_id": own.id, "psp": facts.psp, "class": facts.class, "amount": facts.amount, "status": facts.status,
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
        let there = optional.into_iter().filter(|(_, value)| !value.is_null());
        object.extend(there.map(|(name, value)| (name.to_owned(), value)));
    }
    view
}
