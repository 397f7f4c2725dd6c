//! What every function does alike: bootstrap, step, auth, secrets, rules, telemetry.

mod aftermath;
pub mod auth;
pub mod aws;
pub mod awsclients;
pub mod booking;
pub mod function;
pub mod http;
pub mod idempotency;
pub mod lambda;
pub mod people;
pub mod problem;
pub mod queue;
pub mod rehearsal;
pub mod replay;
pub mod rulebook;
pub mod schedule;
pub mod secrets;
pub mod sqs;
pub mod step;
pub mod telemetry;
pub mod vendors;
pub mod verification;

pub use auth::{Caller, Role};
pub use function::{Build, Clock, ConfigError, Entropy, Function, FunctionError, Invocation, Ports};
pub use lambda::run;
pub use problem::Problem;
pub use step::StepError;
