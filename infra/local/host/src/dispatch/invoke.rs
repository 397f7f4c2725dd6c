//! Runs functions: one task an invocation, ended at the function's time-out, by a kill or with the host.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use runtime::{Entropy, Function, FunctionError, Invocation};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::activity::Activity;
use crate::aws::Probe;
use crate::aws::probe::{FRAME, Frame};
use crate::background::Background;
use crate::template::{FunctionSpec, function_arn};

/// Why an invocation gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function said so.
    #[error(transparent)]
    Failed(#[from] FunctionError),
    /// It did not end in time.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// As many of it as the template sets aside were running.
    #[error("throttled: {0} at once are set aside for it")]
    Throttled(u32),
    /// It panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The probe killed it.
    #[error("was killed")]
    Killed,
    /// The host stopped before it ended.
    #[error("the host stopped")]
    Stopped,
    /// There is no such function.
    #[error("there is no function {0}")]
    Unknown(String),
}

/// How often a function was invoked, and how that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invocations {
    /// Ended with an answer.
    pub answered: u64,
    /// Ended without.
    pub failed: u64,
}

/// How long an invocation waits for one that is set aside. Lambda says no at once; but what is many machines there is one here,
/// where a hundred callers at the same moment only mean that each waits for the processor.
const THROTTLE_PATIENCE: Duration = Duration::from_secs(1);

/// A function that is ready to run.
pub(crate) struct Deployed {
    pub(crate) spec: FunctionSpec,
    pub(crate) function: Arc<dyn Function>,
    name: Arc<str>,
    invocations: AtomicU64,
    /// What is set aside for it, and how much that is.
    reserved: Option<(Arc<Semaphore>, u32)>,
}

impl Deployed {
    pub(crate) fn new(spec: FunctionSpec, function: Arc<dyn Function>) -> Self {
        let reserved = spec.reserved_concurrency.map(|most| {
            let size = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS);
            (Arc::new(Semaphore::new(size)), most)
        });
        Self { name: spec.handler.as_str().into(), spec, function, invocations: AtomicU64::new(0), reserved }
    }

    pub(crate) fn arn(&self) -> String {
        function_arn(&self.spec.name)
    }

    /// Holds one of what is set aside for it; `None` where nothing is and so nothing limits it.
    async fn admitted(&self) -> Result<Option<OwnedSemaphorePermit>, InvokeError> {
        let Some((reserved, most)) = &self.reserved else { return Ok(None) };
        let free = Arc::clone(reserved).acquire_owned();
        match tokio::time::timeout(THROTTLE_PATIENCE, free).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_)) | Err(_) => Err(InvokeError::Throttled(*most)),
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.spec.timeout_s.into())
    }
}

/// Starts invocations.
#[derive(Clone)]
pub(crate) struct Invoker {
    pub(crate) activity: Activity,
    pub(crate) background: Background,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) probe: Option<Arc<dyn Probe>>,
    pub(crate) counts: Arc<Mutex<BTreeMap<Arc<str>, Invocations>>>,
}

/// The answer of a function.
pub(crate) type Invoked = Result<Box<RawValue>, InvokeError>;

impl Invoker {
    /// Invokes a function and waits for it. The invocation goes on when nobody waits any more, as on Lambda.
    pub(crate) async fn invoke(&self, deployed: &Arc<Deployed>, event: Box<RawValue>) -> Invoked {
        self.invoke_probed(deployed, event, self.probe.clone()).await
    }

    /// Like [`Self::invoke`] with a probe of its own.
    pub(crate) async fn invoke_probed(
        &self,
        deployed: &Arc<Deployed>,
        event: Box<RawValue>,
        probe: Option<Arc<dyn Probe>>,
    ) -> Invoked {
        let (reply, answer) = oneshot::channel();
        let token = self.activity.pending();
        let (invoker, deployed) = (self.clone(), Arc::clone(deployed));
        tokio::spawn(async move {
            let invoked = match deployed.admitted().await {
                Ok(_held) => invoker.run(&deployed, &event, probe).await,
                Err(throttled) => Err(throttled),
            };
            invoker.count(&deployed, &invoked);
            // the token travels with the answer: what the caller does with it begins before this ends
            drop(reply.send((invoked, token)));
        });
        match answer.await {
            Ok((invoked, _token)) => invoked,
            Err(_) => Err(InvokeError::Stopped),
        }
    }

    fn count(&self, deployed: &Deployed, invoked: &Invoked) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(Arc::clone(&deployed.name)).or_default();
        match invoked {
            Ok(_) => count.answered += 1,
            Err(error) => {
                count.failed += 1;
                tracing::warn!(function = %deployed.name, %error, "invocation failed");
            }
        }
    }

    async fn run(&self, deployed: &Deployed, event: &RawValue, probe: Option<Arc<dyn Probe>>) -> Invoked {
        let request_id = uuid::Uuid::from_u128(self.entropy.id_bits()).to_string();
        let number = deployed.invocations.fetch_add(1, Ordering::Relaxed);
        let frame = Arc::new(Frame::new(Arc::clone(&deployed.name), request_id.clone(), number, probe));
        let timeout = deployed.timeout();
        let invocation = Invocation { request_id, time_left: timeout };
        let call = AssertUnwindSafe(deployed.function.call(event, invocation)).catch_unwind();
        tokio::select! {
            biased;
            () = frame.killed() => Err(InvokeError::Killed),
            answer = FRAME.scope(Arc::clone(&frame), call) => match answer {
                Ok(answer) => answer.map_err(InvokeError::Failed),
                Err(panic) => Err(InvokeError::Panicked(panic_text(panic.as_ref()))),
            },
            () = tokio::time::sleep(timeout) => Err(InvokeError::TimedOut(timeout)),
            () = self.background.stopped() => Err(InvokeError::Stopped),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
