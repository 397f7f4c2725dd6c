//! Every minute: what is due is announced on the bus, and whoever owns it looks at it again. No table is scanned.

use std::sync::Arc;

use domain::Timestamp;
use providers::http::BoxFuture;
use runtime::function::{Clock, ConfigError, Function, FunctionError, Invocation, Ports};
use runtime::telemetry::{self, StepMetrics};
use runtime::{StepError, awsclients};
use serde_json::json;
use serde_json::value::RawValue;
use store::{Crm, DUE_SHARDS, DueEntry, MoneyTable};

use crate::bus::{Bus, Outgoing};

/// The function.
pub struct Timers {
    crm: Crm,
    money: MoneyTable,
    bus: Bus,
    clock: Arc<dyn Clock>,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    Ok(Arc::new(Timers {
        crm: awsclients::crm(ports)?,
        money: awsclients::money(ports)?,
        bus: Bus::new(ports)?,
        clock: ports.clock.clone(),
    }))
}

impl Function for Timers {
    fn call<'a>(
        &'a self,
        _event: &'a RawValue,
        invocation: Invocation,
    ) -> BoxFuture<'a, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let (swept, usage) = store::measured(self.sweep(now)).await;
            let ended = self.clock.now();
            telemetry::emit(&StepMetrics {
                at: ended,
                function: "ops-timers",
                outcome: if swept.is_ok() { "swept" } else { "failed" },
                latency_ms: ended.millis_since(now),
                usage: &usage,
                correlation_id: "",
                execution_id: &invocation.request_id,
            });
            let announced = swept.map_err(|error| FunctionError { kind: error.kind(), message: error.to_string() })?;
            telemetry::raw(&json!({"announced": announced}))
        })
    }
}

impl Timers {
    async fn sweep(&self, now: Timestamp) -> Result<usize, StepError> {
        let mut announced = 0;
        let crm = ["account", "lead", "task", "pool", "journey"].map(|kind| (kind, &self.crm.0));
        for (kind, table) in [("payment", &self.money.0)].into_iter().chain(crm) {
            for shard in 0..DUE_SHARDS {
                let due = table.due(kind, shard, now).await?;
                let events: Vec<Outgoing> = due.iter().map(|entry| event(kind, entry, now)).collect();
                // what the bus did not take is still due in a minute
                announced += self.bus.put(&events).await.into_iter().filter(|taken| *taken).count();
            }
        }
        Ok(announced)
    }
}

fn event(kind: &str, entry: &DueEntry, now: Timestamp) -> Outgoing {
    let name = format!("{kind}.due");
    let detail = json!({
        "event_id": format!("{}:due:{}", entry.entity, entry.due_at),
        "entity": entry.entity,
        "version": 0,
        "type": name,
        "at": now,
        "correlation_id": entry.entity,
        "data": {(format!("{kind}_id")): entry.entity, "due_at": entry.due_at},
    });
    Outgoing { kind: name, detail }
}
