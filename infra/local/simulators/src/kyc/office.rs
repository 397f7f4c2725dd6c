//! The book of checks, and how one is decided.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::{Clock, Ids};
use crate::control::Controlled;
use crate::courier::{Courier, Delivery, Notification, Plan, Route, Signer};
use crate::desk::{Desk, lock};

/// Where a check stands; also the word that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Nothing is decided.
    Open,
    /// The client is who they say.
    Approved,
    /// Refused; the client may try again.
    Retry,
    /// Refused for good.
    Final,
    /// A person of the vendor looks.
    Review,
    /// The client did not come.
    Expired,
    /// It begins anew: what was decided does not hold.
    Revoked,
}

/// What a check is decided with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    pub(crate) outcome: Standing,
    /// The vendor's codes.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    /// The vendor's words for the client.
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) webhook: Plan,
}

impl Decision {
    pub(crate) fn plain(outcome: Standing) -> Self {
        Self { outcome, labels: Vec::new(), comment: None, webhook: Plan::default() }
    }
}

/// What a vendor does about checks by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// How long after a check was opened.
    #[serde(default = "soon")]
    pub(crate) after_ms: u64,
    /// What comes of those that are not listed; absent: nothing comes of them by itself.
    #[serde(default)]
    pub(crate) decision: Option<Decision>,
    /// The first that fits counts.
    #[serde(default)]
    pub(crate) applicants: Vec<Listed>,
}

/// A line of the script for one applicant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// Absent: nothing comes of it by itself.
    decision: Option<Decision>,
}

const SOON_MS: u64 = 300;

fn soon() -> u64 {
    SOON_MS
}

impl Script {
    /// Approves everybody so long after the check was opened, or does nothing.
    fn at_first(after_ms: Option<u64>) -> Self {
        let decision = after_ms.map(|_| Decision::plain(Standing::Approved));
        Self { after_ms: after_ms.unwrap_or(SOON_MS), decision, applicants: Vec::new() }
    }

    fn decision(&self, case: &Case, documented: Option<Standing>) -> Option<Decision> {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted.trim() == text);
        let listed =
            self.applicants.iter().find(|one| is(&one.name, &case.name) && is(&one.client_id, &case.client_id));
        let otherwise = || documented.map(Decision::plain).or_else(|| self.decision.clone());
        listed.map_or_else(otherwise, |listed| listed.decision.clone())
    }
}

/// A check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Case {
    /// The vendor's id.
    pub(crate) reference: String,
    /// The system's own id of whom is checked.
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    pub(crate) changed_ms: i64,
    pub(crate) standing: Standing,
    pub(crate) labels: Vec<String>,
    pub(crate) comment: Option<String>,
    /// How often it was decided.
    pub(crate) decided: u32,
    /// Where the client goes afterwards.
    pub(crate) return_url: Option<String>,
    /// What else the vendor keeps of it.
    pub(crate) own: Map<String, Value>,
}

/// Something that a vendor tells.
pub(crate) struct Fact {
    /// The vendor's word for it.
    pub(crate) kind: String,
    pub(crate) body: Value,
}

/// A vendor as the control routes see it.
pub(crate) trait Vendor: Sized + Send + Sync + 'static {
    /// Its name in the webhook's path, with the folder.
    const PATH: &'static str;
    /// The standings that it has a word for.
    const KNOWS: &'static [Standing];

    fn office(&self) -> &Office;
    /// Forgets what it keeps beside its checks.
    fn forget(&self) {}
    /// What it tells about a check that stands as it does now.
    fn tell(&self, case: &Case) -> Fact;
    /// What it tells while it is at it, before a decision that it makes by itself.
    fn at_it(&self, case: &Case) -> Vec<Fact>;
    /// What the vendor itself documents for the applicant's name, where it does.
    fn documented(&self, _case: &Case) -> Option<Standing> {
        None
    }
    /// Any event by its vendor's word, about a check that may never have been.
    fn forge(&self, kind: &str, case: &Case) -> Fact;
}

impl<V: Vendor> Controlled for V {
    fn desk(&self) -> &Desk {
        &self.office().desk
    }

    fn state(&self, only: Option<&str>) -> Map<String, Value> {
        self.office().state(only)
    }

    fn clear(&self) {
        self.forget();
        self.office().clear();
    }
}

/// Checks, script and webhooks of one vendor.
pub(crate) struct Office {
    pub(crate) desk: Desk,
    pub(crate) clock: Clock,
    pub(crate) ids: Arc<Ids>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) base_url: String,
    signer: Arc<dyn Signer>,
    cases: Mutex<Vec<Case>>,
    script: Mutex<Script>,
    decides_after_ms: Option<u64>,
    sent: Mutex<Vec<Notification>>,
    log: Arc<Mutex<Vec<Delivery>>>,
    last_ms: AtomicI64,
}

impl Office {
    pub(crate) fn new(
        signer: Arc<dyn Signer>,
        decides_after_ms: Option<u64>,
        base_url: String,
        (ids, clock, courier): (Arc<Ids>, Clock, Arc<Courier>),
    ) -> Self {
        Self {
            desk: Desk::new(clock.clone()),
            clock,
            ids,
            courier,
            base_url,
            signer,
            cases: Mutex::default(),
            script: Mutex::new(Script::at_first(decides_after_ms)),
            decides_after_ms,
            sent: Mutex::default(),
            log: Arc::default(),
            last_ms: AtomicI64::new(0),
        }
    }

    /// The time, a millisecond later than any that was told before: so the vendor's events have an order.
    pub(crate) fn moment_ms(&self) -> i64 {
        let now = self.clock.now_ms();
        let later = |last: i64| Some(now.max(last + 1));
        let last = self.last_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later).unwrap_or(now);
        now.max(last + 1)
    }

    pub(crate) fn find(&self, wanted: impl Fn(&Case) -> bool) -> Option<Case> {
        lock(&self.cases).iter().find(|case| wanted(case)).cloned()
    }

    pub(crate) fn all(&self, wanted: impl Fn(&Case) -> bool) -> Vec<Case> {
        lock(&self.cases).iter().filter(|case| wanted(case)).cloned().collect()
    }

    pub(crate) fn by_reference(&self, reference: &str) -> Option<Case> {
        self.find(|case| case.reference == reference)
    }

    pub(crate) fn last_of(&self, client_id: &str) -> Option<Case> {
        lock(&self.cases).iter().rev().find(|case| case.client_id == client_id).cloned()
    }

    /// A check that was opened just now.
    pub(crate) fn fresh(&self, reference: String, client_id: &str, name: &str) -> Case {
        let now = self.moment_ms();
        Case {
            reference,
            client_id: client_id.to_owned(),
            name: name.trim().to_owned(),
            created_ms: now,
            changed_ms: now,
            standing: Standing::Open,
            labels: Vec::new(),
            comment: None,
            decided: 0,
            return_url: None,
            own: Map::new(),
        }
    }

    /// Changes a check.
    pub(crate) fn change(&self, reference: &str, change: impl FnOnce(&mut Case)) -> Option<Case> {
        let mut cases = lock(&self.cases);
        let case = cases.iter_mut().find(|case| case.reference == reference)?;
        change(case);
        Some(case.clone())
    }

    pub(crate) fn route<V: Vendor>(&self) -> Route {
        Route { vendor: V::PATH, signer: Arc::clone(&self.signer), log: Arc::clone(&self.log) }
    }

    pub(crate) fn notification(&self, case: &Case, fact: Fact) -> Notification {
        let notification = Notification {
            event_id: self.ids.make("evt_"),
            event_type: fact.kind,
            payment_id: case.client_id.clone(),
            body: Bytes::from(fact.body.to_string()),
            signed_values: String::new(),
        };
        lock(&self.sent).push(notification.clone());
        notification
    }

    /// The notifications of one event, the last one of a client, or every one that nobody accepted.
    pub(crate) fn to_resend(&self, event_id: Option<&str>, client_id: Option<&str>) -> Vec<Notification> {
        let sent = lock(&self.sent);
        let accepted = |event: &Notification| {
            lock(&self.log).iter().any(|delivery| delivery.event_id == event.event_id && delivery.accepted())
        };
        match (event_id, client_id) {
            (Some(id), _) => sent.iter().filter(|event| event.event_id == id).cloned().collect(),
            (None, Some(id)) => sent.iter().rev().find(|event| event.payment_id == id).cloned().into_iter().collect(),
            (None, None) => sent.iter().filter(|event| !accepted(event)).cloned().collect(),
        }
    }

    pub(crate) fn set_script(&self, script: Script) {
        *lock(&self.script) = script;
    }

    pub(crate) fn state(&self, only: Option<&str>) -> Map<String, Value> {
        let is = |id: &str| only.is_none_or(|only| only == id);
        let cases: Vec<_> = lock(&self.cases).iter().filter(|case| is(&case.client_id)).cloned().collect();
        let log: Vec<_> = lock(&self.log).iter().filter(|delivery| is(&delivery.payment_id)).cloned().collect();
        Map::from_iter([
            ("checks".to_owned(), json!(cases)),
            ("deliveries".to_owned(), json!(log)),
            ("script".to_owned(), json!(*lock(&self.script))),
        ])
    }

    pub(crate) fn clear(&self) {
        lock(&self.cases).clear();
        lock(&self.sent).clear();
        lock(&self.log).clear();
        *lock(&self.script) = Script::at_first(self.decides_after_ms);
    }
}

/// Decides a check; what is to be told of it.
pub(crate) fn decide<V: Vendor>(vendor: &V, reference: &str, decision: &Decision) -> Option<(Case, Notification)> {
    let office = vendor.office();
    let at = office.moment_ms();
    let case = office.change(reference, |case| {
        case.standing = decision.outcome;
        case.labels.clone_from(&decision.labels);
        case.comment.clone_from(&decision.comment);
        case.changed_ms = at;
        case.decided += 1;
    })?;
    let notification = office.notification(&case, vendor.tell(&case));
    Some((case, notification))
}

/// Keeps a check that was opened, and decides it in a while if the script says so and nobody else did. One that is there already and
/// stands for it is given back.
pub(crate) fn open<V: Vendor>(vendor: &Arc<V>, case: Case, is_there: impl Fn(&Case) -> bool) -> Option<Case> {
    let office = vendor.office();
    let (after_ms, decision) = {
        let script = lock(&office.script);
        (script.after_ms, script.decision(&case, vendor.documented(&case)))
    };
    let reference = case.reference.clone();
    {
        let mut cases = lock(&office.cases);
        if let Some(there) = cases.iter().find(|case| is_there(case)) {
            return Some(there.clone());
        }
        cases.push(case);
    }
    let decision = decision?;
    let (busy, clock, vendor) = (office.clock.busy(), office.clock.clone(), Arc::clone(vendor));
    drop(tokio::spawn(async move {
        let busy = clock.pass(busy, Duration::from_millis(after_ms)).await;
        let office = vendor.office();
        let Some(case) = office.by_reference(&reference).filter(|case| case.decided == 0) else { return };
        let mut told: Vec<_> = vendor.at_it(&case).into_iter().map(|fact| office.notification(&case, fact)).collect();
        told.extend(decide(vendor.as_ref(), &reference, &decision).map(|(_, notification)| notification));
        for notification in told {
            drop(Arc::clone(&office.courier).deliver(office.route::<V>(), notification, decision.webhook).await);
        }
        drop(busy);
    }));
    None
}
