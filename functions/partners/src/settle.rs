//! The end of a partner's month: his share of revenue, his statement, and what he is owed by it, in one transaction. It is due once a month, some
//! days after its end; nothing else looks at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::decision::Frame;
use domain::partner::closing::{Owed, PartnerBook, rebates, revenue_share};
use domain::partner::line::{AgreementRef, Line};
use domain::partner::period::Period;
use domain::partner::profile::Partner;
use domain::partner::rules::{Accounting, Agreement, PartnerAgreements};
use domain::partner::statement::{Drawing, StatedLine, Statement};
use domain::partner::totals::Totals;
use domain::rules::RuleSet as _;
use domain::{Currency, MoneyError, PartnerBookId, PartnerId, Seconds, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::Attempt;
use runtime::{StepError, awsclients, step};
use rust_decimal::Decimal;
use store::{PartnersTable, Rules, StoreError, Stored};

use crate::versions;

/// The step.
pub struct Settle {
    partners: PartnersTable,
    rules: RuleBook,
    versions: Rules,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Settle {
        partners: awsclients::partners(ports)?,
        rules: RuleBook::new(ports)?,
        versions: awsclients::rules(ports)?,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Settle {
    const NAME: &'static str = "partners-settle";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let live = self.rules.live::<PartnerAgreements>().await?;
            let mut frame = message.frame(Self::NAME, &event);
            frame.used(live.label());
            let close_after = live.rules.close_after;
            match event.kind.as_str() {
                "partner.agreement_accepted" => self.begin(&event, close_after, &frame).await,
                _ => {
                    let id: PartnerBookId = event.id()?;
                    let attempt = || self.close(&id, close_after, &frame);
                    step::together(&frame, "the partner's month keeps changing", || Box::pin(attempt())).await
                }
            }
        })
    }
}

fn too_large(error: impl std::fmt::Display) -> StepError {
    StepError::Malformed(format!("a month cannot be settled: {error}"))
}

/// What one currency's part of a month comes to.
struct Part {
    drawing: Drawing,
    currency: Currency,
}

impl Settle {
    /// Opens the book of a partner with his first agreement.
    async fn begin(&self, event: &BusEvent, close_after: Seconds, frame: &Frame) -> Result<&'static str, StepError> {
        let id: PartnerId = event.id()?;
        let partner = self.load(&id).await?.entity;
        let Some(first) = partner.facts.agreements.changes().next() else { return Ok("nothing_to_do") };
        let begun = step::create(&self.partners, PartnerBook::begun(&id, first.since, close_after), frame).await?;
        Ok(if begun { "begun" } else { "nothing_to_do" })
    }

    async fn load(&self, id: &PartnerId) -> Result<Stored<Partner>, StepError> {
        self.partners.load::<Partner>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))
    }

    async fn close(
        &self,
        id: &PartnerBookId,
        close_after: Seconds,
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let stored = self.partners.load::<PartnerBook>(id).await?.ok_or_else(|| StepError::Absent(id.to_string()))?;
        let book = &stored.entity;
        if !book.is_over(close_after, frame.now) {
            return Ok(Attempt::Nothing("nothing_to_do"));
        }
        let (partner_id, period) = (book.facts.partner_id.clone(), book.facts.open);
        let partner = self.load(&partner_id).await?.entity;
        let month = (partner_id.clone(), period);
        let read = self.partners.months([month.clone()]).await?;
        let mut totals = read.totals.get(&month).cloned().unwrap_or_default();
        let mut commit = self.partners.0.commit();
        let (line, carry) = self.share(&partner, period, &totals, book, frame.now).await?;
        if let Some(line) = &line {
            totals.book(line).map_err(too_large)?;
            commit.put_line(&self.partners, line)?;
        }
        totals.closed = true;
        commit.put_month(&self.partners, &read, &month, &totals)?;
        let parts = self.parts(&month, line, &totals, book, partner.facts.currency).await?;
        let mut owed = Vec::new();
        for part in parts {
            let accounting = self.accounting(&part.drawing).await?;
            let (opening, paid) = (book.closing(part.currency), totals.paid(part.currency));
            let by_agreement = part.drawing.by_agreement.clone();
            let facts = part.drawing.finish((&partner_id, period), (opening, paid), frame.now).map_err(too_large)?;
            let of = |agreement: &AgreementRef| accounting.get(agreement).copied().unwrap_or(Accounting::Commission);
            let rebates = rebates(&by_agreement, of, facts.totals.earned).map_err(too_large)?;
            owed.push(Owed { earned: facts.totals.earned, rebates, closing: facts.closing });
            commit.save(&self.partners, None, &Statement::drawn(facts), frame)?;
        }
        let decision = book.closed(&owed, carry, close_after).map_err(too_large)?;
        commit.save(&self.partners, Some(&stored), &decision, frame)?;
        Ok(Attempt::Save(commit, decision.outcome))
    }

    /// The share of the month's revenue, by the last agreement of the month that has one.
    async fn share(
        &self,
        partner: &Partner,
        period: Period,
        totals: &Totals,
        book: &PartnerBook,
        now: Timestamp,
    ) -> Result<(Option<Line>, Decimal), StepError> {
        let mut found: Option<(AgreementRef, Agreement)> = None;
        let held: Vec<_> = partner.facts.agreements.changes().filter(|change| change.since < period.ends()).collect();
        for change in held.into_iter().rev() {
            let Some(accepted) = &change.is else { continue };
            let terms = versions::terms(&self.versions, accepted).await?;
            let has_share = terms.revenue.is_some();
            if has_share || found.is_none() {
                found = Some((accepted.clone(), terms));
            }
            // whatever was agreed on before the month is over
            if has_share || change.since <= period.begins() {
                break;
            }
        }
        let Some((accepted, terms)) = found else { return Ok((None, Decimal::ZERO)) };
        let (line, carry) =
            revenue_share((&partner.id, period), (&accepted, &terms), totals, book.facts.carry).map_err(too_large)?;
        Ok((line.map(|line| Line { entered: Some(now), ..line }), carry))
    }

    /// The lines of the month by their currencies; each is read and forgotten.
    async fn parts(
        &self,
        (partner, period): &(PartnerId, Period),
        mut last: Option<Line>,
        totals: &Totals,
        book: &PartnerBook,
        own: Option<Currency>,
    ) -> Result<Vec<Part>, StepError> {
        let mut drawings: BTreeMap<Currency, Drawing> = BTreeMap::new();
        let take = |line: &Line, drawings: &mut BTreeMap<Currency, Drawing>| {
            let currency = line.amount.currency();
            let drawing = drawings.entry(currency).or_insert_with(|| Drawing::new(currency));
            drawing.take(&StatedLine::of(line)).map_err(corrupt)
        };
        self.partners
            .each_line((partner, *period), |line| {
                if let Some(own) = last.take_if(|own| (own.at, &own.id) < (line.at, &line.id)) {
                    take(&own, &mut drawings)?;
                }
                take(&line, &mut drawings)
            })
            .await?;
        if let Some(own) = last {
            take(&own, &mut drawings)?;
        }
        let nonzero = book.facts.closing.iter().filter(|(_, closing)| !closing.amount().is_zero());
        let others: BTreeSet<Currency> =
            nonzero.map(|(currency, _)| *currency).chain(totals.paid.keys().copied()).chain(own).collect();
        for currency in others {
            drawings.entry(currency).or_insert_with(|| Drawing::new(currency));
        }
        Ok(drawings.into_iter().map(|(currency, drawing)| Part { drawing, currency }).collect())
    }

    /// Out of what each agreement is paid.
    async fn accounting(&self, drawing: &Drawing) -> Result<BTreeMap<AgreementRef, Accounting>, StepError> {
        let mut all = BTreeMap::new();
        for agreement in drawing.by_agreement.keys() {
            all.insert(agreement.clone(), versions::terms(&self.versions, agreement).await?.accounting);
        }
        Ok(all)
    }
}

fn corrupt(error: MoneyError) -> StoreError {
    StoreError::corrupt(PartnerAgreements::NAME, error)
}
