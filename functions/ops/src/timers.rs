//! Every minute: what is due is announced on the bus, and whoever owns it looks at it again. No table is scanned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::entity::{Kind, TableName, timed_families};
use domain::{Seconds, Timestamp};
use providers::http::BoxFuture;
use runtime::function::{Clock, ConfigError, Function, Invocation, Ports};
use runtime::problem::with_causes;
use runtime::schedule::{Fired, ScheduledFunction, ScheduledStep};
use runtime::{StepError, awsclients};
use serde_json::json;
use serde_json::value::RawValue;
use store::{Crm, DUE_SHARDS, DueCursor, DueEntry, MoneyTable, PartnersTable, Table, TradesTable};

use crate::bus::{Bus, Outgoing};

/// Time that is left over for the answer.
const SPARE: Duration = Duration::from_secs(5);

/// The function.
pub struct Timers {
    crm: Crm,
    money: MoneyTable,
    trades: TradesTable,
    partners: PartnersTable,
    bus: Bus,
    clock: Arc<dyn Clock>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    let (crm, money, trades) = (awsclients::crm(ports)?, awsclients::money(ports)?, awsclients::trades(ports)?);
    let partners = awsclients::partners(ports)?;
    let timers = Timers { crm, money, trades, partners, bus: Bus::new(ports)?, clock: ports.clock.clone() };
    Ok(ScheduledFunction::build(timers, ports))
}

impl ScheduledStep for Timers {
    const NAME: &'static str = "ops-timers";

    fn fire<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: &'a Invocation,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Fired, StepError>> {
        Box::pin(async move {
            let announced = self.sweep(now, now.plus(time_for(invocation))).await?;
            Ok(Fired { outcome: "swept", answer: json!({"announced": announced}) })
        })
    }
}

/// How long an invocation may announce.
fn time_for(invocation: &Invocation) -> Seconds {
    Seconds(u32::try_from(invocation.time_left.saturating_sub(SPARE).as_secs()).unwrap_or(u32::MAX))
}

impl Timers {
    /// The table of a family.
    fn table(&self, family: &Kind) -> &Table {
        match family.table {
            TableName::Crm => &self.crm.0,
            TableName::Money => &self.money.0,
            TableName::Trades => &self.trades.0,
            TableName::Partners => &self.partners.0,
        }
    }

    /// Where the events go that are routed by what their entities say. One that is not known is announced without, to nobody, and is
    /// still due in a minute.
    async fn routes(&self, family: &Kind, entries: &[DueEntry]) -> BTreeMap<String, String> {
        let member = family.routed_by.filter(|_| !entries.is_empty());
        let Some(member) = member else { return BTreeMap::new() };
        let table = self.table(family);
        let ids: Vec<String> = entries.iter().map(|entry| entry.entity.clone()).collect();
        table.routes(&ids, member).await.unwrap_or_else(|error| {
            tracing::warn!(family = family.family, error = with_causes(&error), "what is due is not routed");
            BTreeMap::new()
        })
    }

    /// Announces what is due, until a moment: what is left then is still due in a minute.
    async fn sweep(&self, now: Timestamp, until: Timestamp) -> Result<usize, StepError> {
        let mut announced = 0;
        let shards = || (0..DUE_SHARDS).flat_map(|shard| timed_families().map(move |family| (family, shard)));
        let mut open: Vec<(&Kind, u32, Option<DueCursor>)> =
            shards().map(|(family, shard)| (family, shard, None)).collect();
        // a page of each shard in turn, so that thousands in one do not keep the others waiting
        while !open.is_empty() {
            let mut next = Vec::new();
            for (family, shard, from) in open {
                let page = self.table(family).due(family.family, shard, now, from).await?;
                let routes = self.routes(family, &page.entries).await;
                let events: Vec<Outgoing> =
                    page.entries.iter().map(|entry| event(family, entry, &routes, now)).collect();
                // what the bus did not take is still due in a minute
                announced += self.bus.put(&events).await.into_iter().filter(|taken| *taken).count();
                next.extend(page.next.map(|cursor| (family, shard, Some(cursor))));
            }
            if self.clock.now() >= until && !next.is_empty() {
                tracing::warn!(shards = next.len(), "more is due than one sweep can announce");
                break;
            }
            open = next;
        }
        Ok(announced)
    }
}

fn event(family: &Kind, entry: &DueEntry, routes: &BTreeMap<String, String>, now: Timestamp) -> Outgoing {
    announcement(family, &entry.entity, &entry.due_at, routes.get(&entry.entity).map(String::as_str), now)
}

/// That something is due, as it is announced.
pub(crate) fn announcement(family: &Kind, entity: &str, due_at: &str, route: Option<&str>, now: Timestamp) -> Outgoing {
    let mut data = json!({(family.id_field()): entity, "due_at": due_at});
    if let (Some(member), Some(route)) = (family.routed_by, route)
        && let Some(data) = data.as_object_mut()
    {
        data.insert(member.to_owned(), json!(route));
    }
    let name = format!("{}.due", family.family);
    let detail = json!({
        "event_id": format!("{entity}:due:{due_at}"),
        "entity": entity,
        "version": 0,
        "type": name,
        "at": now,
        "correlation_id": entity,
        "data": data,
    });
    Outgoing { kind: name, detail }
}
