//! EventBridge: rules that match go to their targets; a bus belongs to nobody and keeps nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use runtime::{Clock, Entropy};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::asynchronous;
use super::invoke::{Deployed, Invoker};
use super::pattern::{Pattern, PatternError};
use super::queues::{Queue, Queues};
use crate::template::{ACCOUNT, REGION, Rule, TargetKind, Template};

/// The buses of a host.
pub(crate) struct Bus {
    buses: BTreeSet<String>,
    rules: Vec<Compiled>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    invoker: Invoker,
}

struct Compiled {
    bus: String,
    pattern: Pattern,
    targets: Vec<Target>,
}

enum Target {
    Queue(Arc<Queue>),
    /// Weak: the function's own clients lead back to this bus.
    Function(Weak<Deployed>, Option<Arc<Queue>>),
}

/// What becomes of an event.
pub(crate) enum Published {
    /// It has this id.
    Accepted(String),
    /// Nobody has this bus.
    NoSuchBus,
}

/// The event as rules see it and targets get it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    version: &'static str,
    id: &'a str,
    detail_type: &'a str,
    source: &'a str,
    account: &'static str,
    time: String,
    region: &'static str,
    resources: &'a [String],
    detail: &'a RawValue,
}

impl Bus {
    pub(crate) fn new(
        template: &Template,
        queues: &Queues,
        functions: &BTreeMap<String, Arc<Deployed>>,
        clock: Arc<dyn Clock>,
        invoker: Invoker,
    ) -> Result<Self, PatternError> {
        let mut buses: BTreeSet<String> = template.buses.values().map(|bus| bus.name.clone()).collect();
        buses.insert("default".to_owned());
        let enabled = template.rules.values().filter(|rule| rule.enabled);
        let rules = enabled.map(|rule| compile(rule, queues, functions)).collect::<Result<_, _>>()?;
        Ok(Self { buses, rules, clock, entropy: Arc::clone(&invoker.entropy), invoker })
    }

    /// Hands an event to the targets of every rule that matches; queues have it when this returns.
    pub(crate) fn publish(
        &self,
        bus: &str,
        source: &str,
        detail_type: &str,
        detail: Box<RawValue>,
        resources: &[String],
    ) -> Published {
        if !self.buses.contains(bus) {
            return Published::NoSuchBus;
        }
        let id = uuid::Uuid::from_u128(self.entropy.id_bits()).to_string();
        let envelope = Envelope {
            version: "0",
            id: &id,
            detail_type,
            source,
            account: ACCOUNT,
            // whole seconds, as EventBridge writes it
            time: seconds_text(self.clock.now()),
            region: REGION,
            resources,
            detail: &detail,
        };
        let body = to_raw_value(&envelope);
        let parsed = body.as_ref().ok().and_then(|body| serde_json::from_str::<Value>(body.get()).ok());
        if let (Ok(body), Some(parsed)) = (body, parsed) {
            let matching = self.rules.iter().filter(|rule| rule.bus == bus && rule.pattern.matches(&parsed));
            matching.flat_map(|rule| &rule.targets).for_each(|target| self.deliver(target, &body));
        }
        Published::Accepted(id)
    }

    fn deliver(&self, target: &Target, event: &RawValue) {
        match target {
            Target::Queue(queue) => {
                queue.send(event.get().to_owned());
            }
            Target::Function(function, dead_letters) => {
                if let Some(function) = function.upgrade() {
                    asynchronous::invoke(&self.invoker, &function, event.to_owned(), dead_letters.clone());
                }
            }
        }
    }
}

fn compile(
    rule: &Rule,
    queues: &Queues,
    functions: &BTreeMap<String, Arc<Deployed>>,
) -> Result<Compiled, PatternError> {
    let dead_letters = |name: &Option<String>| name.as_ref().and_then(|name| queues.get(name)).map(Arc::clone);
    let targets = rule.targets.iter().filter_map(|target| match &target.kind {
        TargetKind::Queue(name) => queues.get(name).map(|queue| Target::Queue(Arc::clone(queue))),
        TargetKind::Function(id) => {
            let function = functions.get(id)?;
            Some(Target::Function(Arc::downgrade(function), dead_letters(&target.dead_letters)))
        }
    });
    Ok(Compiled { bus: rule.bus.clone(), pattern: Pattern::compile(&rule.pattern)?, targets: targets.collect() })
}

/// A time without fractions of a second.
pub(super) fn seconds_text(at: domain::Timestamp) -> String {
    let whole = domain::Timestamp::from_seconds(at.seconds()).unwrap_or(at).to_string();
    whole.replace(".000Z", "Z")
}
