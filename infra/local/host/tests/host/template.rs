//! The real template: it parses, it holds together, and it deploys exactly the code there is.

use std::collections::BTreeMap;
use std::path::Path;

use host::relations::faults;
use host::template::Template;

/// The registry of the code.
fn binaries() -> Vec<&'static str> {
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
    Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"), &parameters).unwrap()
}

#[test]
fn the_template_holds_together_and_deploys_exactly_the_code_there_is() {
    let found = faults(&template(&[]), &binaries());
    assert!(found.is_empty(), "{found:#?}");
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
        template.alarms.values().any(|alarm| alarm.dimensions.get(dimension).is_some_and(|value| value == name))
    };
    let functions = template.functions.values().map(|f| ("FunctionName", &f.name));
    let queues = template.queues.values().map(|q| ("QueueName", &q.name));
    let unwatched: Vec<_> = functions.chain(queues).filter(|(dimension, name)| !watched(dimension, name)).collect();
    assert!(unwatched.is_empty(), "{unwatched:?}");
}
