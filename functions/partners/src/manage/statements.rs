//! `GET /v1/partners/{partner_id}/statements` and `/v1/statements/{statement_id}`: a month's statement, as pages, as a table, or whole with all that
//! it was reckoned from.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::partner::line::Line;
use domain::partner::posted::TradeAccrual;
use domain::partner::profile::Partner;
use domain::partner::statement::{StatedLine, Statement};
use domain::partner::verify::{Document, Sealed, StatedTrade, counting_of};
use domain::{StatementId, Timestamp, TradeAccrualId};
use runtime::http::csv::file;
use runtime::http::{Reply, Request};
use runtime::{Caller, Problem, StepError};
use serde_json::{Value, json};

use super::{Manage, csv};
use crate::versions;

/// Lines of one read, where all are wanted.
const READ: usize = 500;
/// Lines of a document with its trades: an answer of a Lambda function has six megabytes at most.
const WHOLE_MAX: u64 = 2_000;
/// Lines of a table, for the same reason.
const TABLE_MAX: u64 = 12_000;

fn view(statement: &Statement) -> Value {
    let mut head = json!(statement.facts);
    if let Some(head) = head.as_object_mut() {
        head.insert("statement_id".to_owned(), json!(statement.id));
    }
    head
}

/// A page's place as a cursor, and back.
fn cursor(place: &str) -> String {
    place.replace('#', ".")
}

impl Manage {
    pub(super) async fn statements(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let partner = self.own(request, caller).await?.entity;
        let (limit, before) = request.page::<String>()?;
        let before = before.map(|text| text.replace('.', "#"));
        let page = self.partners.statements_of(&partner.id, limit, before.as_deref()).await?;
        let items: Vec<Value> = page.items.iter().map(|stored| view(&stored.entity)).collect();
        let next = page.next.as_deref().map(cursor);
        Ok(Reply::json(200, &json!({"items": items, "next_cursor": next})))
    }

    /// The statement of the path, which the caller may see.
    pub(super) async fn own_statement(&self, request: &Request, caller: &Caller) -> Result<Statement, Problem> {
        let id: StatementId = request.id("statement_id")?;
        let nothing = || Problem::not_found("there is no such statement");
        let statement = self.partners.load_settled::<Statement>(&id).await?.ok_or_else(nothing)?.entity;
        let partner = self.partners.load::<Partner>(&statement.facts.partner_id).await?.ok_or_else(nothing)?;
        super::may_see(&partner.entity, caller)?;
        Ok(statement)
    }

    pub(super) async fn statement(&self, request: &Request, caller: &Caller) -> Result<Reply, Problem> {
        let statement = self.own_statement(request, caller).await?;
        match request.query.get("format").map_or("json", String::as_str) {
            "json" => self.page(request, &statement).await,
            "csv" => self.table(&statement).await,
            "document" => self.document(&statement).await,
            _ => Err(Problem::malformed("format must be json, csv or document")),
        }
    }

    /// Lines of the statement's currency after a place.
    async fn stated(
        &self,
        statement: &Statement,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Line>, Option<String>), StepError> {
        let facts = &statement.facts;
        let month = (&facts.partner_id, facts.period);
        let (mut lines, next) = self.partners.lines(month, Timestamp::EPOCH, after, limit).await?;
        lines.retain(|line| line.amount.currency() == facts.currency);
        Ok((lines, next))
    }

    async fn page(&self, request: &Request, statement: &Statement) -> Result<Reply, Problem> {
        let (limit, after) = request.page::<String>()?;
        let after = after.map(|text| text.replace('.', "#"));
        let limit = usize::try_from(limit).unwrap_or(1);
        let (lines, next) = self.stated(statement, after.as_deref(), limit).await?;
        let document = self.with_evidence(statement, lines, next.as_deref().map(cursor)).await?;
        Ok(Reply::json(200, &json!(document)))
    }

    async fn all(&self, statement: &Statement, most: u64) -> Result<Vec<Line>, Problem> {
        if statement.facts.lines_count > most {
            return Err(Problem::refused(format!("it has more than {most} lines: ask for it page by page")));
        }
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (lines, next) = self.stated(statement, after.as_deref(), READ).await?;
            all.extend(lines);
            match next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn table(&self, statement: &Statement) -> Result<Reply, Problem> {
        let mut text = csv::row(StatedLine::COLUMNS);
        for line in self.all(statement, TABLE_MAX).await? {
            text.push_str(&csv::row(StatedLine::of(&line).row()));
        }
        let name = format!("statement-{}.csv", statement.facts.period);
        Ok(file("text/csv; charset=utf-8", &name, text))
    }

    async fn document(&self, statement: &Statement) -> Result<Reply, Problem> {
        let lines = self.all(statement, WHOLE_MAX).await?;
        Ok(Reply::json(200, &json!(self.with_evidence(statement, lines, None).await?)))
    }

    /// Lines with the trades, agreements and symbols that they follow from.
    async fn with_evidence(
        &self,
        statement: &Statement,
        lines: Vec<Line>,
        next_cursor: Option<String>,
    ) -> Result<Document, StepError> {
        let id = |line: &Line| line.trade.as_ref().map(|trade| TradeAccrualId::of(&trade.id));
        let mut ids: Vec<TradeAccrualId> = lines.iter().filter_map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        let accruals = self.partners.load_some::<TradeAccrual>(&ids).await?;
        let priced = accruals.iter().filter_map(|stored| stored.entity.posted.accrual.priced.as_ref());
        // a line of a former version of a trade has no trade here any more
        let is_of = |line: &Line, id: &str, version: u64| {
            line.trade.as_ref().is_some_and(|trade| trade.id == id && trade.version == version)
        };
        let priced =
            priced.filter(|priced| lines.iter().any(|line| is_of(line, &priced.trade.id, priced.trade.version)));
        let priced: Vec<_> = priced.collect();
        let (mut agreements, mut counting) = (BTreeMap::new(), BTreeMap::new());
        for line in &lines {
            let agreement = &line.agreement;
            let name = format!("{}@{}", agreement.id, agreement.version);
            if let Entry::Vacant(place) = agreements.entry(name) {
                let document = versions::document(&self.versions, agreement.version).await?;
                let own = document.get("agreements").and_then(|all| all.get(&agreement.id)).cloned();
                place.insert(Sealed::of(own.unwrap_or_default()));
            }
        }
        for version in priced.iter().map(|priced| priced.rules) {
            if let Entry::Vacant(place) = counting.entry(version.to_string()) {
                let document = versions::document(&self.versions, version).await?;
                place.insert(Sealed::of(counting_of(&document)));
            }
        }
        Ok(Document {
            statement_id: statement.id.clone(),
            head: statement.facts.clone(),
            lines: lines.iter().map(StatedLine::of).collect(),
            next_cursor,
            trades: priced.iter().map(|priced| Sealed::of(StatedTrade::of(&priced.trade, priced.rules))).collect(),
            agreements,
            counting,
        })
    }
}
