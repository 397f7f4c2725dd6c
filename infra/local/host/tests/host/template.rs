//! The real template: it parses, it holds together, and it deploys exactly the code there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::relations::{Code, faults};
use host::template::Template;

/// The registry of the code.
fn handlers() -> Vec<&'static str> {
    let packages = [
        leads::FUNCTIONS,
        kyc::FUNCTIONS,
        accounts::FUNCTIONS,
        payments::FUNCTIONS,
        retention::FUNCTIONS,
        ops::FUNCTIONS,
    ];
    packages.into_iter().flatten().map(|(name, _)| *name).collect()
}

fn template(overrides: &[(&str, &str)]) -> Template {
    let mut parameters: BTreeMap<String, String> = [
        ("Stage", "dev"),
        ("JwtIssuer", "https://issuer.test"),
        ("JwtAudience", "pipworks"),
        ("JwksUrl", "https://issuer.test/keys"),
        ("SenderAddress", "desk@broker.test"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    parameters.extend(overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Template::read(&repository().join("infra/template.yaml"), &parameters).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

#[test]
fn the_template_holds_together_and_deploys_exactly_the_code_there_is() {
    let timeouts = [payments::TIMEOUTS, accounts::TIMEOUTS].concat();
    let template = template(&[]);
    let found = faults(&template, Code { handlers: &handlers(), timeouts: &timeouts });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_binary_is_one_of_the_package_that_holds_the_function() {
    for function in template(&[]).functions.values() {
        let package = function.handler.split('-').next().unwrap();
        let source = repository().join(format!("functions/{package}/src/bin/{}.rs", function.binary));
        assert!(source.is_file(), "{}: there is no {}", function.id, source.display());
    }
}

#[test]
fn every_dead_letter_queue_is_looked_after() {
    let template = template(&[]);
    let consumed: Vec<&String> = template.functions.values().flat_map(|f| &f.queues).map(|m| &m.queue).collect();
    let lonely: Vec<&String> =
        template.queues.values().map(|q| &q.name).filter(|name| !consumed.contains(name)).collect();
    assert!(lonely.is_empty(), "{lonely:?}");
}

#[test]
fn every_function_and_every_queue_has_an_alarm() {
    let template = template(&[("AlarmTopicArn", "arn:aws:sns:eu-west-1:000000000000:alarms")]);
    let watched = |dimension: &str, name: &str| {
        let mut metrics = template.alarms.values().flat_map(|alarm| &alarm.metrics);
        metrics.any(|metric| metric.dimensions.get(dimension).is_some_and(|value| value == name))
    };
    let functions = template.functions.values().map(|f| ("FunctionName", &f.name));
    let queues = template.queues.values().map(|q| ("QueueName", &q.name));
    let unwatched: Vec<_> = functions.chain(queues).filter(|(dimension, name)| !watched(dimension, name)).collect();
    assert!(unwatched.is_empty(), "{unwatched:?}");
}
