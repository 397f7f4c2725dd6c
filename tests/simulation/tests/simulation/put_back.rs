//! Runs of laws with a fault put back.

use domain::fault::{self, Fault};

/// What breaks in a run with a fault put back; nothing if it holds.
pub fn broken<F: Future<Output = ()>>(
    back: Option<Fault>,
    play: impl FnOnce() -> F + Send + 'static,
) -> Option<String> {
    let run = move || {
        fault::put_back(back);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play());
    };
    let end = std::thread::spawn(run).join().err()?;
    let text = end.downcast_ref::<String>().cloned();
    Some(text.or_else(|| end.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
}
