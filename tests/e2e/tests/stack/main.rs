//! The template as it is deployed: CloudFormation on LocalStack, each function a process of its own, requests through
//! API Gateway, events through streams, bus, queues and schedules. Vendors are the simulators.
//!
//! One deployment serves all tests; each has clients of its own. `make test` runs them, or
//! `python3 infra/local/localstack/stack.py run -- cargo test -p e2e --test stack`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test does not expect ends it")]

mod absent_reports;
mod accounts;
mod compliance;
mod dead_letters;
mod deployment;
mod deposits;
mod entrances;
mod files;
mod kyc;
mod latency;
mod leads;
mod logs;
mod partners;
mod portal;
mod retention;
mod review;
mod rules;
mod silent_platform;
mod withdrawals;

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

use deployment::Deployment;

/// Outlives every test: the simulators serve from it.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
static DEPLOYMENT: OnceCell<Result<Deployment, String>> = OnceCell::const_new();

/// Plays a scene on the deployment, which the first scene brings about.
fn on_the_stack(scene: impl AsyncFnOnce(&'static Deployment)) {
    RUNTIME.block_on(async {
        let start = || async { Deployment::start().await.map_err(|error| error.to_string()) };
        match DEPLOYMENT.get_or_init(start).await {
            Ok(deployment) => scene(deployment).await,
            Err(error) => panic!("{error}"),
        }
    });
}
