//! Lambda's asynchronous invocation: tried three times, then given up to a dead-letter queue where there is one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::invoke::{Deployed, Invoked, Invoker};
use super::queues::Queue;

/// Lambda's two retries after the first attempt.
const ATTEMPTS: u32 = 3;
/// Lambda waits a minute, then two; nobody wants to wait so long for the demo.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Invokes without waiting.
pub(crate) fn invoke(
    invoker: &Invoker,
    deployed: &Arc<Deployed>,
    event: Box<RawValue>,
    dead_letters: Option<Arc<Queue>>,
) {
    let token = invoker.activity.pending();
    let (task, deployed) = (invoker.clone(), Arc::clone(deployed));
    invoker.background.spawn(async move {
        drop(attempts(&task, &deployed, event, dead_letters).await);
        drop(token);
    });
}

/// Invokes until it succeeds or is given up.
pub(crate) async fn attempts(
    invoker: &Invoker,
    deployed: &Arc<Deployed>,
    event: Box<RawValue>,
    dead_letters: Option<Arc<Queue>>,
) -> Invoked {
    let mut attempt = 1;
    loop {
        let invoked = invoker.invoke(deployed, event.clone()).await;
        if invoked.is_ok() || attempt == ATTEMPTS {
            if let (Err(_), Some(queue)) = (&invoked, &dead_letters) {
                queue.send(event.get().to_owned());
            }
            return invoked;
        }
        tokio::time::sleep(RETRY_DELAY * attempt).await;
        attempt += 1;
    }
}
