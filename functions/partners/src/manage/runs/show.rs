//! `GET /v1/payout-runs/{run_id}`: the run and what became of each payout, as JSON, as a table, or as the file for the bank.

use std::collections::BTreeMap;

use domain::partner::bank_file::message_id;
use domain::partner::payout::PartnerPayout;
use domain::partner::run::PayoutRun;
use domain::{PayoutId, PayoutRunId};
use runtime::http::csv::file;
use runtime::http::{Reply, Request};
use runtime::{Problem, StepError};
use serde_json::{Value, json};

use super::super::csv;
use super::Manage;

type Payouts = BTreeMap<PayoutId, PartnerPayout>;

/// A run as it was drafted.
pub(super) fn drafted(run: &PayoutRun) -> Value {
    let mut shown = view(run, &Payouts::new());
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("status".to_owned(), json!("draft"));
        for later in ["approved_by", "executed_by", "file", "ended"] {
            shown.insert(later.to_owned(), Value::Null);
        }
    }
    shown
}

fn view(run: &PayoutRun, begun: &Payouts) -> Value {
    let facts = &run.facts;
    let payout = |planned: &domain::partner::run::Planned| {
        let id = PayoutId::of(&run.id, &planned.partner_id);
        let own = begun.get(&id).map(|payout| &payout.facts);
        json!({
            "payout_id": id, "partner_id": planned.partner_id, "amount": planned.amount, "rail": planned.rail,
            "status": own.map_or("waiting", |own| own.status.as_str()), "why": own.and_then(|own| own.reason.clone()),
            "psp": own.and_then(|own| own.psp.clone()),
            "reference": own.map(|own| own.reference.clone()).filter(|reference| !reference.is_empty()),
        })
    };
    let file = facts
        .file
        .as_ref()
        .map(|file| json!({"message_id": message_id(&run.id), "made_at": file.made_at, "sha256": file.sha256}));
    json!({
        "run_id": run.id, "status": facts.status, "period": facts.period, "currency": facts.currency, "rail": facts.rail,
        "drafted_by": facts.drafted_by, "drafted_at": facts.drafted_at, "approved_by": facts.approved_by,
        "executed_by": facts.executed_by, "payouts": facts.payouts.iter().map(payout).collect::<Vec<_>>(),
        "left_out": facts.left_out, "left_out_more": facts.left_out_more, "total": facts.total, "file": file,
        "ended": facts.ended,
    })
}

impl Manage {
    async fn begun(&self, run: &PayoutRun) -> Result<Payouts, StepError> {
        let begun = self.partners.load_some::<PartnerPayout>(&run.payout_ids()).await?;
        Ok(begun.into_iter().map(|stored| (stored.entity.id.clone(), stored.entity)).collect())
    }

    /// A run with what became of its payouts.
    pub(super) async fn shown(&self, run: &PayoutRun) -> Result<Reply, Problem> {
        Ok(Reply::json(200, &view(run, &self.begun(run).await?)))
    }

    /// All runs, the newest first, without their payouts.
    pub(in crate::manage) async fn list_runs(&self, request: &Request) -> Result<Reply, Problem> {
        let (limit, before) = request.page::<PayoutRunId>()?;
        let page = self.partners.payout_runs(limit, before.as_ref().map(PayoutRunId::as_str)).await?;
        let items: Vec<Value> = page.items.iter().map(|stored| head(&stored.entity)).collect();
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": page.next})))
    }

    pub(in crate::manage) async fn show_run(&self, request: &Request) -> Result<Reply, Problem> {
        let run = self.run(request).await?;
        match request.query.get("format").map_or("json", String::as_str) {
            "json" => self.shown(&run).await,
            "csv" => Ok(table(&run, &self.begun(&run).await?)),
            "pain001" => {
                let none = || {
                    Problem::conflict("the run has no file for the bank: it is not executed, or pays nobody by bank")
                };
                let payouts: Vec<PartnerPayout> = self.begun(&run).await?.into_values().collect();
                let xml = run.file(&payouts).ok_or_else(none)?;
                Ok(file("application/xml", &format!("{}.xml", message_id(&run.id)), xml))
            }
            _ => Err(Problem::malformed("format must be json, csv or pain001")),
        }
    }
}

fn head(run: &PayoutRun) -> Value {
    let facts = &run.facts;
    json!({
        "run_id": run.id, "status": facts.status, "period": facts.period, "currency": facts.currency, "rail": facts.rail,
        "drafted_by": facts.drafted_by, "drafted_at": facts.drafted_at, "approved_by": facts.approved_by,
        "executed_by": facts.executed_by, "payouts": facts.payouts.len(), "total": facts.total, "ended": facts.ended,
    })
}

fn table(run: &PayoutRun, begun: &Payouts) -> Reply {
    let columns = ["payout_id", "partner_id", "amount", "currency", "rail", "status", "psp", "reference", "why"];
    let mut text = csv::row(columns);
    for planned in &run.facts.payouts {
        let id = PayoutId::of(&run.id, &planned.partner_id);
        let own = begun.get(&id).map(|payout| &payout.facts);
        text.push_str(&csv::row([
            id.as_str(),
            planned.partner_id.as_str(),
            &planned.amount.amount_text(),
            planned.amount.currency().code(),
            planned.rail.as_str(),
            own.map_or("waiting", |own| own.status.as_str()),
            own.and_then(|own| own.psp.as_deref()).unwrap_or_default(),
            own.map_or("", |own| own.reference.as_str()),
            own.and_then(|own| own.reason.as_deref()).unwrap_or_default(),
        ]));
    }
    file("text/csv; charset=utf-8", &format!("payouts-{}.csv", run.facts.period), text)
}
