//! SQS: at least once, in batches, hidden while in work, given up to the dead-letter queue.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use md5::{Digest, Md5};
use runtime::{Clock as _, Entropy};
use serde::Serialize;
use tokio::sync::Notify;

use crate::activity::{Activity, Token};
use crate::template::{self, ACCOUNT, REGION, Statement, Template, queue_arn};
use crate::time::LocalTime;

/// Decides how a message travels: a test duplicates, delays and so reorders with it.
pub trait Delivery: Send + Sync {
    /// One delivery for each delay; none at all is a loss, which SQS does not know.
    fn delays(&self, queue: &str, message_id: &str) -> Vec<Duration>;
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Ready to be received.
    pub visible: usize,
    /// Waiting for their visibility time-out.
    pub delayed: usize,
    /// Received and not yet done.
    pub in_flight: usize,
}

/// What all queues of a host share.
#[derive(Clone)]
pub(crate) struct QueueContext {
    pub(crate) activity: Activity,
    pub(crate) time: LocalTime,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) delivery: Option<Arc<dyn Delivery>>,
    /// How many times faster than declared visibility time-outs pass.
    pub(crate) retry_speed: u32,
}

/// The queues by physical name.
#[derive(Clone)]
pub(crate) struct Queues(BTreeMap<String, Arc<Queue>>);

/// One queue.
pub(crate) struct Queue {
    pub(crate) name: String,
    visibility: Duration,
    /// What waits in a queue that nobody consumes is not work to be done.
    consumed: bool,
    /// Its policy lets every caller of the account send to it, whatever their roles say.
    pub(crate) is_open: bool,
    redrive: OnceLock<(Weak<Queue>, u32)>,
    state: Mutex<State>,
    arrived: Notify,
    context: QueueContext,
}

#[derive(Default)]
struct State {
    /// By receipt: how long a message in work stays hidden when it is not done, where its consumer said so.
    hidden_for: BTreeMap<String, Duration>,
    visible: VecDeque<Message>,
    delayed: usize,
    in_flight: usize,
}

/// A message, and the token that keeps the host from looking idle while it is visible or in work.
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: Arc<str>,
    attributes: Arc<BTreeMap<String, String>>,
    sent_ms: i64,
    first_received_ms: Option<i64>,
    receives: u32,
    source: Option<String>,
    token: Option<Token>,
}

impl Queues {
    pub(crate) fn new(template: &Template, context: &QueueContext) -> Self {
        let specs = &template.queues;
        let consumed = |name: &str| template.functions.values().flat_map(|f| &f.queues).any(|m| m.queue == name);
        let is_open = |name: &str| {
            let own = template.policies.iter().filter(|policy| policy.queues.iter().any(|own| own == name));
            let to_account = own.flat_map(|policy| &policy.statements).filter(|s| s.accounts == [ACCOUNT]);
            let statements: Vec<Statement> = to_account.cloned().collect();
            crate::aws::allows(&statements, "sqs:SendMessage", &queue_arn(name))
        };
        let queue = |spec: &template::Queue| Queue {
            is_open: is_open(&spec.name),
            consumed: consumed(&spec.name),
            name: spec.name.clone(),
            visibility: Duration::from_secs(spec.visibility_s.into()),
            redrive: OnceLock::new(),
            state: Mutex::default(),
            arrived: Notify::new(),
            context: context.clone(),
        };
        let queues: BTreeMap<String, Arc<Queue>> =
            specs.values().map(|spec| (spec.name.clone(), Arc::new(queue(spec)))).collect();
        for spec in specs.values() {
            let Some(redrive) = &spec.redrive else { continue };
            if let (Some(queue), Some(target)) = (queues.get(&spec.name), queues.get(&redrive.dead_letters)) {
                queue.redrive.get_or_init(|| (Arc::downgrade(target), redrive.maximum_receives));
            }
        }
        Self(queues)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Queue>> {
        self.0.get(name)
    }

    pub(crate) fn depths(&self) -> BTreeMap<String, QueueDepth> {
        self.0.iter().map(|(name, queue)| (name.clone(), queue.depth())).collect()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message and answers its id; it is delivered once unless the host's [`Delivery`] says otherwise.
    pub(crate) fn send(self: &Arc<Self>, body: String) -> String {
        self.send_with(body, BTreeMap::new())
    }

    /// The same with attributes beside the body.
    pub(crate) fn send_with(self: &Arc<Self>, body: String, attributes: BTreeMap<String, String>) -> String {
        let context = &self.context;
        let id = uuid::Uuid::from_u128(context.entropy.id_bits()).to_string();
        let delays = context.delivery.as_ref().map(|delivery| delivery.delays(&self.name, &id));
        let (body, attributes): (Arc<str>, _) = (body.into(), Arc::new(attributes));
        for delay in delays.unwrap_or_else(|| vec![Duration::ZERO]) {
            let message = Message {
                id: id.clone(),
                body: Arc::clone(&body),
                attributes: Arc::clone(&attributes),
                sent_ms: context.time.now().millis(),
                first_received_ms: None,
                receives: 0,
                source: None,
                token: None,
            };
            if delay.is_zero() { self.push(message) } else { self.hide(message, delay) }
        }
        id
    }

    fn push(&self, mut message: Message) {
        message.token = self.consumed.then(|| self.context.activity.pending());
        self.lock().visible.push_back(message);
        self.arrived.notify_one();
    }

    /// Keeps a message back for some time.
    fn hide(self: &Arc<Self>, mut message: Message, delay: Duration) {
        let context = &self.context;
        message.token = Some(context.activity.delayed());
        self.lock().delayed += 1;
        // weak: what waits does not keep a host alive that is gone
        let queue = Arc::downgrade(self);
        context.time.after(delay, move || {
            let Some(queue) = queue.upgrade() else { return };
            queue.lock().delayed -= 1;
            queue.push(message);
        });
    }

    /// Waits for messages and takes up to `most`, counting each receive; those received too often are given up.
    pub(crate) async fn receive(self: &Arc<Self>, most: usize) -> Vec<Message> {
        loop {
            let batch = self.take(most);
            if !batch.is_empty() {
                return batch;
            }
            self.arrived.notified().await;
        }
    }

    fn take(self: &Arc<Self>, most: usize) -> Vec<Message> {
        let mut batch = Vec::new();
        let now = self.context.time.now().millis();
        let mut state = self.lock();
        while batch.len() < most {
            let Some(mut message) = state.visible.pop_front() else { break };
            if let Some((target, maximum)) = self.redrive.get()
                && message.receives >= *maximum
                && let Some(target) = target.upgrade()
            {
                self.give_up(message, &target);
                continue;
            }
            message.receives += 1;
            message.first_received_ms.get_or_insert(now);
            batch.push(message);
        }
        state.in_flight += batch.len();
        if !state.visible.is_empty() {
            // a second consumer may wait
            self.arrived.notify_one();
        }
        batch
    }

    fn give_up(&self, mut message: Message, target: &Queue) {
        tracing::warn!(queue = %self.name, message.id = %message.id, "message goes to the dead-letter queue");
        message.source = Some(queue_arn(&self.name));
        message.receives = 0;
        message.first_received_ms = None;
        target.push(message);
    }

    /// A received message is done.
    pub(crate) fn delete(&self, message: Message) {
        let mut state = self.lock();
        state.in_flight -= 1;
        state.hidden_for.remove(&message.receipt());
        drop(state);
        drop(message);
    }

    /// How long a message in work stays hidden if it is not done.
    pub(crate) fn hide_for(&self, receipt: &str, visibility: Duration) {
        self.lock().hidden_for.insert(receipt.to_owned(), visibility);
    }

    /// A received message was not done: it is visible again after the visibility time-out.
    pub(crate) fn release(self: &Arc<Self>, message: Message) {
        let mut state = self.lock();
        state.in_flight -= 1;
        let visibility = state.hidden_for.remove(&message.receipt()).unwrap_or(self.visibility);
        drop(state);
        self.hide(message, visibility / self.context.retry_speed.max(1));
    }

    pub(crate) fn depth(&self) -> QueueDepth {
        let state = self.lock();
        QueueDepth { visible: state.visible.len(), delayed: state.delayed, in_flight: state.in_flight }
    }

    /// The bodies of the visible messages.
    pub(crate) fn peek(&self) -> Vec<String> {
        self.lock().visible.iter().map(|message| message.body.to_string()).collect()
    }
}

impl Message {
    /// What names this receive of it.
    fn receipt(&self) -> String {
        format!("{}-{}", self.id, self.receives)
    }
}

/// The event of an SQS trigger.
#[derive(Serialize)]
pub(crate) struct SqsEvent<'a> {
    #[serde(rename = "Records")]
    records: Vec<SqsRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord<'a> {
    message_id: &'a str,
    receipt_handle: String,
    body: &'a str,
    attributes: SqsAttributes<'a>,
    message_attributes: BTreeMap<&'a str, SqsAttribute<'a>>,
    md5_of_body: String,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    aws_region: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SqsAttribute<'a> {
    string_value: &'a str,
    data_type: &'static str,
}

impl<'a> From<&'a String> for SqsAttribute<'a> {
    fn from(text: &'a String) -> Self {
        Self { string_value: text, data_type: "String" }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SqsAttributes<'a> {
    approximate_receive_count: String,
    sent_timestamp: String,
    sender_id: &'static str,
    approximate_first_receive_timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_queue_source_arn: Option<&'a str>,
}

impl<'a> SqsEvent<'a> {
    pub(crate) fn new(queue: &Queue, messages: impl IntoIterator<Item = &'a Message>) -> Self {
        let records = messages.into_iter().map(|message| SqsRecord {
            message_id: &message.id,
            receipt_handle: message.receipt(),
            body: &message.body,
            attributes: SqsAttributes {
                approximate_receive_count: message.receives.to_string(),
                sent_timestamp: message.sent_ms.to_string(),
                sender_id: "LOCAL",
                approximate_first_receive_timestamp: message.first_received_ms.unwrap_or(message.sent_ms).to_string(),
                dead_letter_queue_source_arn: message.source.as_deref(),
            },
            message_attributes: message.attributes.iter().map(|(name, value)| (name.as_str(), value.into())).collect(),
            md5_of_body: hex::encode(Md5::digest(message.body.as_bytes())),
            event_source: "aws:sqs",
            event_source_arn: queue_arn(&queue.name),
            aws_region: REGION,
        });
        Self { records: records.collect() }
    }
}
