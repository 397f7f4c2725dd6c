//! Tasks that end with the host.

use std::future::Future;

use tokio::sync::watch;

/// Starts tasks; dropping or stopping the host ends them at their next await.
#[derive(Clone)]
pub(crate) struct Background(watch::Receiver<bool>);

/// Ends the tasks when it is dropped.
pub(crate) struct Stop(watch::Sender<bool>);

/// A pair that belongs together.
pub(crate) fn background() -> (Stop, Background) {
    let (sender, receiver) = watch::channel(false);
    (Stop(sender), Background(receiver))
}

impl Stop {
    /// Ends the tasks.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Background {
    /// Resolves when the host stops.
    pub(crate) async fn stopped(&self) {
        let mut receiver = self.0.clone();
        // an error says that the host is gone, which is the same
        if receiver.wait_for(|stopped| *stopped).await.is_err() {
            tracing::debug!("host was dropped without being stopped");
        }
    }

    /// Runs a task until it ends or the host stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = stop.stopped() => {}
                () = task => {}
            }
        });
    }
}
