//! Carries webhooks to the system under test and remembers what it answered.

use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use futures::future::join_all;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Busy, Clock};
use crate::desk::lock;

/// Longest wait for an answer to a webhook.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Characters of an answer that are remembered.
const ANSWER_CHARS_KEPT: usize = 2_000;
/// Most copies of one webhook.
const TIMES_MAX: u32 = 1_000;

/// How a webhook is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignatureKind {
    /// As the vendor does.
    #[default]
    Valid,
    /// With another secret.
    Wrong,
    /// No signature at all.
    Missing,
    /// An empty signature.
    Empty,
    /// A right signature, but the body changed afterwards.
    Tampered,
    /// A right signature of an hour ago.
    OldTimestamp,
    /// A right signature of an hour ahead.
    FutureTimestamp,
    /// Stripe: a wrong `v1` before the right one, as during a rotation of the secret.
    Several,
    /// Stripe: the right value under the scheme `v0` only.
    OnlyV0,
    /// Praxis: the interface before 1.3, `signature` inside the JSON.
    Legacy,
}

impl SignatureKind {
    /// Seconds added to the clock for this kind.
    pub(crate) fn clock_shift_s(self) -> i64 {
        match self {
            Self::OldTimestamp => -3600,
            Self::FutureTimestamp => 3600,
            _ => 0,
        }
    }

    /// What stands where the signature goes; nothing where it is missing. Kinds that only some vendors know are signed as the valid one.
    pub(crate) fn value(self, right: impl FnOnce() -> String, wrong: impl FnOnce() -> String) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Empty => Some(String::new()),
            Self::Wrong => Some(wrong()),
            Self::Valid
            | Self::Tampered
            | Self::OldTimestamp
            | Self::FutureTimestamp
            | Self::Several
            | Self::OnlyV0
            | Self::Legacy => Some(right()),
        }
    }
}

/// When, how often and how signed a webhook is sent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    /// Copies sent.
    pub(crate) times: u32,
    /// Wait before the first copy.
    pub(crate) delay_ms: u64,
    /// Wait between two copies.
    pub(crate) gap_ms: u64,
    /// Signature.
    pub(crate) signature: SignatureKind,
    /// Sends nothing; a later resend can.
    pub(crate) never: bool,
    /// Sends all copies at once.
    pub(crate) concurrent: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { times: 1, delay_ms: 0, gap_ms: 0, signature: SignatureKind::Valid, never: false, concurrent: false }
    }
}

/// A message about a payment, ready to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    /// The payment in the system's own words.
    pub(crate) payment_id: String,
    pub(crate) body: Bytes,
    /// What the vendor signs besides or instead of the body.
    pub(crate) signed_values: String,
}

impl Notification {
    /// The body as it is sent: one byte more than what was signed where it is tampered with, and still the same JSON.
    pub(crate) fn sent(&self, kind: SignatureKind) -> Bytes {
        match kind {
            SignatureKind::Tampered => Bytes::from([&self.body[..], b" "].concat()),
            _ => self.body.clone(),
        }
    }
}

impl Delivery {
    /// True when the vendor need not try again.
    pub(crate) fn accepted(&self) -> bool {
        let refused =
            self.answer.as_ref().and_then(|answer| answer.get("resend")).and_then(Value::as_bool).unwrap_or(false);
        !refused && self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// A signed copy.
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// Knows the vendor's signature, in both directions.
pub(crate) trait Signer: Send + Sync {
    /// Signs one copy.
    fn sign(&self, notification: &Notification, kind: SignatureKind) -> Signed;
    /// Judges the answer; `None` when the vendor does not care.
    fn judge(&self, _headers: &HeaderMap, _body: &[u8]) -> Option<Value> {
        None
    }
}

/// One copy and what became of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    event_type: String,
    pub(crate) payment_id: String,
    signature: SignatureKind,
    url: String,
    at_ms: i64,
    duration_ms: u64,
    /// HTTP status of the answer.
    status: Option<u16>,
    /// Body of the answer, shortened.
    body: Option<String>,
    /// The vendor's view of the answer.
    answer: Option<Value>,
    error: Option<String>,
}

/// Sends webhooks of all vendors.
pub(crate) struct Courier {
    client: Client<HttpConnector, Full<Bytes>>,
    base: RwLock<Option<String>>,
    clock: Clock,
}

impl Courier {
    pub(crate) fn new(base: Option<String>, clock: Clock) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { client: Client::builder(TokioExecutor::new()).build(connector), base: RwLock::new(base), clock }
    }

    pub(crate) fn set_base(&self, base: Option<String>) {
        match self.base.write() {
            Ok(mut guard) => *guard = base,
            Err(poisoned) => *poisoned.into_inner() = base,
        }
    }

    fn url(&self, vendor: &str) -> Option<String> {
        let base = match self.base.read() {
            Ok(guard) => guard.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }?;
        let base = base.trim_end_matches('/');
        // payment providers have a folder of their own
        let path = if vendor.contains('/') || vendor == "slack" { vendor.to_owned() } else { format!("psp/{vendor}") };
        Some(format!("{base}/v1/webhooks/{path}"))
    }

    /// Sends all copies as planned and returns them in the order of sending. From the call on it is under way.
    pub(crate) fn deliver(
        self: Arc<Self>,
        route: Route,
        notification: Notification,
        plan: Plan,
    ) -> impl Future<Output = Vec<Delivery>> + Send {
        let busy = self.clock.busy();
        async move { self.carry(busy, &route, &notification, plan).await }
    }

    async fn carry(&self, busy: Busy, route: &Route, notification: &Notification, plan: Plan) -> Vec<Delivery> {
        if plan.never {
            return Vec::new();
        }
        let mut busy = self.clock.pass(busy, Duration::from_millis(plan.delay_ms)).await;
        let times = plan.times.min(TIMES_MAX);
        let mut done = Vec::new();
        if plan.concurrent {
            let copies = (0..times).map(|_| self.send(route, notification, plan.signature));
            done = join_all(copies).await;
        } else {
            for copy in 0..times {
                if copy > 0 {
                    busy = self.clock.pass(busy, Duration::from_millis(plan.gap_ms)).await;
                }
                done.push(self.send(route, notification, plan.signature).await);
            }
        }
        drop(busy);
        done
    }

    async fn send(&self, route: &Route, notification: &Notification, kind: SignatureKind) -> Delivery {
        let started = Instant::now();
        let mut delivery = Delivery {
            event_id: notification.event_id.clone(),
            event_type: notification.event_type.clone(),
            payment_id: notification.payment_id.clone(),
            signature: kind,
            url: self.url(route.vendor).unwrap_or_default(),
            at_ms: self.clock.now_ms(),
            duration_ms: 0,
            status: None,
            body: None,
            answer: None,
            error: None,
        };
        let signed = route.signer.sign(notification, kind);
        match self.post(&delivery.url, signed).await {
            Ok((status, headers, body)) => {
                delivery.status = Some(status);
                delivery.answer = route.signer.judge(&headers, &body);
                let text = String::from_utf8_lossy(&body);
                delivery.body = Some(text.chars().take(ANSWER_CHARS_KEPT).collect());
            }
            Err(error) => delivery.error = Some(error),
        }
        delivery.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        lock(&route.log).push(delivery.clone());
        delivery
    }

    async fn post(&self, url: &str, signed: Signed) -> Result<(u16, HeaderMap, Bytes), String> {
        if url.is_empty() {
            return Err("no webhook base is set".to_owned());
        }
        let mut request = Request::builder().method(Method::POST).uri(url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(signed.body)).map_err(|error| error.to_string())?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(causes)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
            Ok((parts.status.as_u16(), parts.headers, body.to_bytes()))
        };
        tokio::time::timeout(ANSWER_WAIT, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {} s", ANSWER_WAIT.as_secs())))
    }
}

/// The error with its causes: the outer text alone says only that a client failed.
fn causes(error: hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Where a vendor's webhooks go, how they are signed and where they are remembered.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) vendor: &'static str,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) log: Arc<Mutex<Vec<Delivery>>>,
}
