//! A look at every I/O call of a function, before and after, with the power to end the process there.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The tables.
    DynamoDb,
    /// The bus.
    EventBridge,
    /// The files.
    S3,
    /// The secrets.
    SecretsManager,
    /// Mail.
    Ses,
    /// The queues.
    Sqs,
    /// Anything outside AWS.
    Vendor,
}

/// One call of one invocation.
#[derive(Debug, Clone, Copy)]
pub struct CallInfo<'a> {
    /// Name of the function: its handler.
    pub function: &'a str,
    /// Request id of the invocation.
    pub request_id: &'a str,
    /// How many invocations of this function came before on this host.
    pub invocation: u64,
    /// How many calls this invocation made before.
    pub index: usize,
    /// Who is called.
    pub service: Service,
    /// Operation, e.g. `PutItem`; for a vendor the method.
    pub operation: &'a str,
    /// Table, bus, secret, or bucket and key; for a vendor host and path.
    pub target: &'a str,
}

/// What happens to the invocation at this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// It ends here, as a process that is killed: nothing of it runs any more.
    Die,
    /// The service says that it failed: before the call it did nothing, after the call it did it all the same. For AWS's
    /// services but S3; anybody else goes on, for a vendor's failures are its simulator's to make.
    Fail,
}

/// Sees every I/O call of a function.
pub trait Probe: Send + Sync {
    /// Before the call leaves the function; [`Verdict::Die`] means that it never leaves.
    fn before(&self, call: &CallInfo<'_>) -> Verdict;
    /// After the call had its effect; [`Verdict::Die`] means that the function never learns of it.
    fn after(&self, call: &CallInfo<'_>) -> Verdict;
}

/// What is known of the invocation that a task runs.
pub(crate) struct Frame {
    pub(crate) function: Arc<str>,
    pub(crate) request_id: String,
    pub(crate) invocation: u64,
    pub(crate) probe: Option<Arc<dyn Probe>>,
    calls: AtomicUsize,
    killed: Notify,
}

tokio::task_local! {
    /// The frame of the invocation that the current task runs.
    pub(crate) static FRAME: Arc<Frame>;
}

impl Frame {
    pub(crate) fn new(function: Arc<str>, request_id: String, invocation: u64, probe: Option<Arc<dyn Probe>>) -> Self {
        Self { function, request_id, invocation, probe, calls: AtomicUsize::new(0), killed: Notify::new() }
    }

    /// Resolves when the probe has killed the invocation.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }
}

/// The binary name of the function that the current task runs.
pub(crate) fn current_function() -> Option<Arc<str>> {
    FRAME.try_with(|frame| Arc::clone(&frame.function)).ok()
}

/// Makes a call under the eyes of the invocation's probe.
pub(crate) async fn guarded<T>(service: Service, operation: &str, target: &str, call: impl Future<Output = T>) -> T {
    guarded_or(service, operation, target, None, call).await
}

/// The same for a service that can answer that it failed.
pub(crate) async fn guarded_or<T>(
    service: Service,
    operation: &str,
    target: &str,
    failed: Option<fn() -> T>,
    call: impl Future<Output = T>,
) -> T {
    let Ok(frame) = FRAME.try_with(Arc::clone) else { return call.await };
    let index = frame.calls.fetch_add(1, Ordering::Relaxed);
    let Some(probe) = &frame.probe else { return call.await };
    let info = CallInfo {
        function: &frame.function,
        request_id: &frame.request_id,
        invocation: frame.invocation,
        index,
        service,
        operation,
        target,
    };
    match (probe.before(&info), failed) {
        (Verdict::Die, _) => return die(&frame).await,
        (Verdict::Fail, Some(failed)) => return failed(),
        (Verdict::Go, _) | (Verdict::Fail, None) => {}
    }
    let answer = call.await;
    match (probe.after(&info), failed) {
        (Verdict::Die, _) => die(&frame).await,
        (Verdict::Fail, Some(failed)) => failed(),
        (Verdict::Go, _) | (Verdict::Fail, None) => answer,
    }
}

async fn die<T>(frame: &Frame) -> T {
    frame.killed.notify_one();
    // whoever waits for the invocation drops it now
    pending().await
}
