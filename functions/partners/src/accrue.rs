//! A trade was made, corrected or deleted: what it earns for the partners over its client, once.
//!
//! Everything that follows from one event is one transaction: what the trade earned, its lines, and the months of the partners, each under
//! the condition of what it was reckoned from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::partner::accrual::{Accrual, Catalogue, Priced};
use domain::partner::attribution::Attribution;
use domain::partner::book::{Book, Month, TradeEvent};
use domain::partner::feed::{self, Whose};
use domain::partner::line::{Line, TradeRef};
use domain::partner::network::Network;
use domain::partner::period::Period;
use domain::partner::posted::TradeAccrual;
use domain::partner::profile::Partner;
use domain::partner::rules::PartnerAgreements;
use domain::partner::totals::Totals;
use domain::trade::Trade as Deal;
use domain::{AttributionId, ClientId, PartnerId, Timestamp, TradeAccrualId};
use providers::http::BoxFuture;
use runtime::function::{ConfigError, Function, Ports};
use runtime::queue::{BusEvent, Message, QueueFunction, QueueStep};
use runtime::rulebook::RuleBook;
use runtime::step::Attempt;
use runtime::{StepError, awsclients, people, step};
use serde_json::Value;
use store::{Commit, Crm, PartnersTable, ReadMonths, Rules, Stored, TradesTable};

use crate::disputes;
use crate::trees::{self, Loaded};
use crate::versions;

/// The step.
pub struct Accrue {
    crm: Crm,
    partners: PartnersTable,
    trades: TradesTable,
    rules: RuleBook,
    versions: Rules,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let step = Accrue {
        crm: awsclients::crm(ports)?,
        partners: awsclients::partners(ports)?,
        trades: awsclients::trades(ports)?,
        rules: RuleBook::new(ports)?,
        versions: awsclients::rules(ports)?,
    };
    QueueFunction::build(step, ports)
}

impl QueueStep for Accrue {
    const NAME: &'static str = "partners-accrue";

    fn handle<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<&'static str, StepError>> {
        Box::pin(async move {
            let event = message.event()?;
            let mut frame = message.frame(Self::NAME, &event);
            if disputes::is_about_one(&event) {
                let live = self.rules.live::<PartnerAgreements>().await?;
                frame.used(live.label());
                let attempt = || disputes::settle(&self.partners, &self.crm, &event, live.rules.close_after, &frame);
                return step::together(&frame, "the partner's month keeps changing", || Box::pin(attempt())).await;
            }
            let told = match event.kind.as_str() {
                "work.decided" => self.tried_again(&event).await?,
                _ => self.told(&event).await?,
            };
            let Some((client, told)) = told else { return Ok("nothing_to_do") };
            let before = self.replaced(&client, &event).await?;
            let event = told;
            let live = self.rules.live::<PartnerAgreements>().await?;
            frame.used(live.label());
            let take = async |event: &TradeEvent| {
                let attempt = || self.attempt(&client, event, (&live.rules, live.version), &frame);
                step::together(&frame, "the partners' months keep changing", || Box::pin(attempt())).await
            };
            // first, or what takes the place of a deal would be reckoned as if both counted
            if let Some(before) = &before {
                take(before).await?;
            }
            take(&event).await
        })
    }
}

impl Accrue {
    /// The trade as its event tells it. Versions make the order of events no matter.
    async fn told(&self, event: &BusEvent) -> Result<Option<(ClientId, TradeEvent)>, StepError> {
        let client = event.client_id.clone().ok_or_else(|| StepError::Malformed("a trade of nobody".to_owned()))?;
        let trade = TradeRef { id: event.entity.clone(), version: event.version };
        let country = self.crm.load_settled::<Client>(&client).await?.map(|client| client.entity.facts.residence);
        let told = feed::told(Whose { trade, client: &client, country }, &event.data).map_err(StepError::Malformed)?;
        Ok(told.map(|event| (client, event)))
    }

    /// The deal whose place this one takes: it was taken back in the transaction in which this one was saved, whenever its own event
    /// comes.
    async fn replaced(&self, client: &ClientId, event: &BusEvent) -> Result<Option<TradeEvent>, StepError> {
        let text = |name: &str| event.data.get(name).and_then(Value::as_str);
        let (Some(server), Some(number)) = (text("server"), text("corrects")) else { return Ok(None) };
        let id = Deal::id_of(server, number);
        let Some(stored) = self.trades.load::<Deal>(&id).await? else { return Ok(None) };
        let trade = TradeRef { id: id.to_string(), version: stored.version };
        let at = stored.entity.facts.deal.at;
        let gone = !stored.entity.counts();
        Ok(gone.then(|| TradeEvent::Deleted { trade, client: client.clone(), at, replaced: true }))
    }

    /// A person has put right why a trade waited.
    async fn tried_again(&self, event: &BusEvent) -> Result<Option<(ClientId, TradeEvent)>, StepError> {
        let about = people::decision_about::<TradeAccrual>(&self.crm, event, "trade_accrual_id").await?;
        let Some((id, decision, _)) = about else { return Ok(None) };
        let stored = self.partners.load::<TradeAccrual>(&id).await?;
        let stored = stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity;
        Ok(stored.tried_again(&decision).map(|event| (stored.client_id.clone(), event.clone())))
    }

    async fn attempt(
        &self,
        client: &ClientId,
        event: &TradeEvent,
        (live, live_version): (&PartnerAgreements, u64),
        frame: &Frame,
    ) -> Result<Attempt<&'static str>, StepError> {
        let id = TradeAccrualId::of(&event.trade().id);
        let stored = self.partners.load::<TradeAccrual>(&id).await?;
        let (network, partners) = self.network(client, event, stored.as_ref()).await?;
        if partners.is_empty() {
            return Ok(Attempt::Nothing("nobody_brought_him"));
        }
        let accepted = versions::accepted(&self.versions, &network).await?;
        let versions = accepted.iter().map(|(version, rules)| (*version, rules)).collect();
        let catalogue = Catalogue { live, versions };
        let by_time = Period::of(frame.now.minus(live.close_after));
        let mut read = self.months(&partners, event, stored.as_ref(), by_time).await?;
        // whoever is late books in the month after one whose statement is drawn
        let is_drawn = |id: &PartnerId| read.totals.get(&(id.clone(), by_time)).is_some_and(|month| month.closed);
        let open_from = if partners.iter().any(is_drawn) { by_time.next() } else { by_time };
        if open_from != by_time {
            read = self.months(&partners, event, stored.as_ref(), open_from).await?;
        }
        let mut book = Book::new(&catalogue, &network, open_from);
        book.totals.clone_from(&read.totals);
        if let Some(stored) = &stored {
            let accrual = stored.entity.posted.accrual.clone();
            book.accruals.insert(accrual.trade.id.clone(), accrual);
        }
        let taken = book.take_all(vec![event.clone()]);
        let mut commit = self.partners.0.commit();
        if let Some(held) = taken.held.first() {
            let before = stored.as_ref().map(|stored| &stored.entity);
            let held = TradeAccrual::held(before, client.clone(), event.clone(), held);
            let Verdict::Change(decision) = held else { return Ok(Attempt::Nothing("held")) };
            commit.save(&self.partners, stored.as_ref(), &decision, frame)?;
            return Ok(Attempt::Save(commit, "held"));
        }
        let accrual = book.accruals.get(&event.trade().id).filter(|now| now.trade == event.trade());
        let is_news = stored.as_ref().is_none_or(|stored| Some(&stored.entity.posted.accrual) != accrual);
        let Some(accrual) = accrual.filter(|_| is_news) else { return Ok(Attempt::Nothing("nothing_to_do")) };
        let decision = TradeAccrual::kept(client.clone(), priced(accrual.clone(), event, live_version));
        commit.save(&self.partners, stored.as_ref(), &decision, frame)?;
        self.book(&mut commit, &taken.lines, &read, &book.totals, frame.now)?;
        Ok(Attempt::Save(commit, decision.outcome))
    }

    /// Who is, or was, over the client when it matters, with all over them; and their ids.
    async fn network(
        &self,
        client: &ClientId,
        event: &TradeEvent,
        stored: Option<&Stored<TradeAccrual>>,
    ) -> Result<(Network, BTreeSet<PartnerId>), StepError> {
        let brought = self.partners.load::<Attribution>(&AttributionId::of(client)).await?;
        let history = brought.map(|brought| brought.entity.facts.partners).unwrap_or_default();
        let moments = event.moments();
        let earned = stored.into_iter().flat_map(|stored| &stored.entity.posted.accrual.earned);
        let mut partners: BTreeSet<PartnerId> = earned.map(|earned| earned.partner.clone()).collect();
        let first = moments.iter().filter_map(|at| history.at(*at).cloned());
        let first: Vec<PartnerId> = first.chain(partners.iter().cloned()).collect();
        let mut loaded = Loaded::new();
        trees::upwards(&self.partners, &first, &mut loaded).await?;
        let mut network = trees::network(&loaded);
        network.clients.insert(client.clone(), history);
        let accepted = |(id, stored): (PartnerId, Stored<Partner>)| (id, stored.entity.facts.agreements);
        network.agreements = loaded.into_iter().map(accepted).collect();
        partners.extend(moments.iter().flat_map(|at| network.chain(client, *at)).cloned());
        Ok((network, partners))
    }

    /// The months that may change, and those before, by which tiers are reckoned.
    async fn months(
        &self,
        partners: &BTreeSet<PartnerId>,
        event: &TradeEvent,
        stored: Option<&Stored<TradeAccrual>>,
        open_from: Period,
    ) -> Result<ReadMonths, StepError> {
        let mut periods: BTreeSet<Period> = event.moments().into_iter().map(Period::of).collect();
        periods.extend(stored.map(|stored| stored.entity.posted.accrual.counted_in));
        let before: Vec<Period> = periods.iter().map(|period| period.previous()).collect();
        periods.extend(before);
        periods.insert(open_from);
        let wanted: Vec<Month> =
            partners.iter().flat_map(|id| periods.iter().map(move |period| (id.clone(), *period))).collect();
        Ok(self.partners.months(wanted).await?)
    }

    fn book(
        &self,
        commit: &mut Commit,
        lines: &[Line],
        read: &ReadMonths,
        totals: &BTreeMap<Month, Totals>,
        now: Timestamp,
    ) -> Result<(), StepError> {
        for line in lines {
            commit.put_line(&self.partners, &Line { entered: Some(now), ..line.clone() })?;
        }
        for (month, totals) in totals.iter().filter(|(month, totals)| read.totals.get(*month) != Some(*totals)) {
            commit.put_month(&self.partners, read, month, totals)?;
        }
        Ok(())
    }
}

/// The accrual with what it was reckoned from.
fn priced(accrual: Accrual, event: &TradeEvent, rules: u64) -> Accrual {
    let priced = match event {
        TradeEvent::Made(trade) if !accrual.earned.is_empty() => Some(Priced { trade: (**trade).clone(), rules }),
        TradeEvent::Made(_) | TradeEvent::Deleted { .. } => None,
    };
    Accrual { priced, ..accrual }
}
