//! The embedded host: every handler in one process, wired from the template.
//!
//! It runs the functions' own code behind the unchanged AWS SDK clients. What AWS does between them - routes, queues,
//! bus, streams, timers, policies - it does as `infra/template.yaml` says.

mod activity;
mod aws;
mod background;
mod checkpoint;
mod clock;
mod config;
mod defaults;
mod dispatch;
mod host;
mod identity;
pub mod relations;
mod server;
mod sign_in;
mod tables;
pub mod template;
mod time;

pub use aws::{CallInfo, DatabaseError, Dynamo, FilesError, Probe, Service, SesHandler, UsageKey, Used, Verdict};
pub use config::{Builder, HostConfig, StartError, TemplateSource};
pub use defaults::{SystemClock, SystemEntropy};
pub use dispatch::invoke::{Invocations, InvokeError};
pub use dispatch::pattern::PatternError;
pub use dispatch::queues::{Delivery, QueueDepth};
pub use host::Host;
pub use identity::{IdentityError, Issuer};
pub use sign_in::Person;
pub use tables::TableError;
pub use time::{Busy, LocalTime};
