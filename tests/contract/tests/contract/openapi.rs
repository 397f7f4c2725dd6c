//! `infra/openapi.yaml`: the one description of the routes, held against the template and against every answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use broker::api::Answer;
use jsonschema::Validator;
use serde_json::{Value, json};

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let path = broker::local::repository().join("infra/openapi.yaml");
        serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    })
}

/// Every operation as `POST /v1/clients`.
pub fn operations() -> BTreeSet<String> {
    let paths = document()["paths"].as_object().unwrap();
    let operation = |path: &str, item: &Value| {
        let methods =
            item.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()));
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(|(path, item)| operation(path, item)).collect()
}

/// The path of the document that a request's path is of.
pub fn route(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap();
    let fits = |pattern: &str| {
        let (left, right): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
        left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| a.starts_with('{') || a == b)
    };
    document()["paths"].as_object().unwrap().keys().map(String::as_str).find(|pattern| fits(pattern))
}

/// Everything that is wrong with an answer; nothing where the request is to no route of the document.
pub fn faults(method: &str, path: &str, answer: &Answer) -> Vec<String> {
    let Some(route) = route(path) else { return Vec::new() };
    let operation = &document()["paths"][route][method.to_lowercase()];
    if operation.is_null() {
        return Vec::new();
    }
    let mut response = &operation["responses"][answer.status.to_string()];
    if let Some(reference) = response["$ref"].as_str() {
        response = document().pointer(reference.trim_start_matches('#')).unwrap();
    }
    if response.is_null() {
        return vec![format!("{method} {route} documents no answer {}", answer.status)];
    }
    let media = answer.headers.get("content-type").map(|value| value.to_str().unwrap()).unwrap_or_default();
    let media = media.split(';').next().unwrap();
    let Some(content) = response["content"].as_object() else {
        // the type of an answer without a body is the gateway's
        let full = !answer.text.is_empty();
        return full.then(|| format!("{method} {route} {} documents no body", answer.status)).into_iter().collect();
    };
    let Some(described) = content.get(media) else {
        return vec![format!("{method} {route} {} documents no answer of type {media:?}", answer.status)];
    };
    let name = format!("{method} {route} {} {media}", answer.status);
    let validator = validator(&name, &described["schema"]);
    let text = Value::String(answer.text.clone());
    let body = if media.ends_with("json") { &answer.json } else { &text };
    validator.iter_errors(body).map(|error| format!("{name}: {} at {}", error, error.instance_path())).collect()
}

fn validator(name: &str, schema: &Value) -> Arc<Validator> {
    static BUILT: OnceLock<Mutex<BTreeMap<String, Arc<Validator>>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap();
    let fresh = || {
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": document()["components"], "allOf": [schema],
        });
        Arc::new(jsonschema::options().should_validate_formats(true).build(&root).unwrap())
    };
    built.entry(name.to_owned()).or_insert_with(fresh).clone()
}

#[tokio::test]
async fn the_document_and_the_template_have_the_same_routes() {
    let world = crate::world::World::start().await;
    let template = world.broker.host.template();
    let routes = template.functions.values().flat_map(|function| &function.routes);
    let deployed: BTreeSet<String> =
        routes.map(|route| format!("{} {}", route.method.to_uppercase(), route.path)).collect();
    assert_eq!(deployed, operations());
}

#[test]
fn the_examples_of_the_document_fit_their_schemas() {
    let mut seen = 0;
    for (path, item) in document()["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|value| value.is_object()) {
            let bodies = operation.pointer("/requestBody/content").into_iter();
            let answers =
                operation["responses"].as_object().into_iter().flat_map(|all| all.values()).map(|one| &one["content"]);
            for content in bodies.chain(answers).filter_map(Value::as_object).flat_map(|media| media.values()) {
                let several =
                    content["examples"].as_object().into_iter().flat_map(|all| all.values()).map(|one| &one["value"]);
                for example in several.chain(content.get("example")) {
                    seen += 1;
                    let name = format!("{path} {}", content["schema"]);
                    let wrong: Vec<String> = validator(&name, &content["schema"])
                        .iter_errors(example)
                        .map(|error| error.to_string())
                        .collect();
                    assert!(wrong.is_empty(), "{path}: {wrong:?} in {example}");
                }
            }
        }
    }
    assert!(seen > 10, "{seen} examples");
}
