//! The bootstrap of a function on Lambda.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use providers::http::HyperTransport;
use serde_json::value::RawValue;

use crate::function::{Build, Clock, Entropy, FunctionError, Invocation, Ports};
use crate::telemetry;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
    }
}

/// Ids of UUID version 7 and the operating system's random bytes.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn id_bits(&self) -> u128 {
        uuid::Uuid::now_v7().as_u128()
    }

    fn bytes(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).ok().map(|()| bytes)
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.kind.to_owned(), error_message: error.message }
    }
}

/// Where Lambda puts the function's `Handler`.
const HANDLER: &str = "_HANDLER";

/// Runs the function that the platform names, of those that this binary holds, until the platform ends it.
pub fn run(functions: &[(&'static str, Build)]) -> ExitCode {
    let environment = Arc::new(std::env::vars().collect::<BTreeMap<_, _>>());
    telemetry::enable_metrics();
    telemetry::init(environment.get("AWS_LAMBDA_LOG_LEVEL").map(String::as_str));
    let Some((name, build)) = choose(functions, &environment) else {
        let handler = environment.get(HANDLER).map_or("", String::as_str);
        let held: Vec<&str> = functions.iter().map(|(name, _)| *name).collect();
        tracing::error!(handler, ?held, "no function of this binary has the name that {HANDLER} holds");
        return ExitCode::FAILURE;
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(error = %error, "{name} has no async runtime");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let ports = Ports {
            aws: crate::aws::sdk_config(&environment),
            tables: crate::awsclients::TableClient::default(),
            transport: crate::rehearsal::guarded(Arc::new(HyperTransport::new())),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            environment,
        };
        let function = match build(&ports) {
            Ok(function) => function,
            Err(error) => {
                tracing::error!(error = %error, "{name} is not configured");
                return ExitCode::FAILURE;
            }
        };
        let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| {
            let function = function.clone();
            async move {
                let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
                let invocation = Invocation { request_id: event.context.request_id.clone(), time_left: left };
                function.call(&event.payload, invocation).await
            }
        });
        match lambda_runtime::run(handler).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = %error, "{name} ended");
                ExitCode::FAILURE
            }
        }
    })
}

fn choose(
    functions: &[(&'static str, Build)],
    environment: &BTreeMap<String, String>,
) -> Option<(&'static str, Build)> {
    let handler = environment.get(HANDLER)?;
    functions.iter().find(|(name, _)| name == handler).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::ConfigError;

    #[test]
    fn the_function_is_the_one_that_the_handler_names() {
        fn build(_: &Ports) -> Result<Arc<dyn crate::Function>, ConfigError> {
            Err(ConfigError::Missing("anything"))
        }
        let functions: &[(&'static str, Build)] = &[("steps-one", build), ("steps-two", build)];
        let named = |name: &str| BTreeMap::from([(HANDLER.to_owned(), name.to_owned())]);
        let chosen = |environment| choose(functions, &environment).map(|(name, _)| name);
        assert_eq!(chosen(named("steps-two")), Some("steps-two"));
        assert_eq!(chosen(named("steps-three")), None);
        assert_eq!(chosen(named("")), None);
        assert_eq!(chosen(BTreeMap::new()), None);
    }
}
