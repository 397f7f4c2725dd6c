//! The routes of the REST API: each operation of its OpenAPI document names the function that answers. And the limits that
//! the API sets for single routes.

use std::path::Path;

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::fields::Fields;
use super::intrinsics::Scope;
use super::parse::object;
use super::resources::{API, Resource, function_of};
use super::{Route, RouteLimit, Template, TemplateError, text_of};

/// Where an operation says who answers.
const INTEGRATION: &str = "x-amazon-apigateway-integration";
/// Keys of a path that are operations, and their methods.
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("patch", "PATCH"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// Gives each function its routes, and reads the routes' limits.
pub(super) fn attach(template: &mut Template, scope: &Scope, folder: Option<&Path>) -> Result<(), TemplateError> {
    for resource in scope.resources.values().filter(|resource| resource.kind == API) {
        limits(template, scope, resource)?;
        let body = body(resource, folder)?;
        let Some(paths) = body.get("paths").and_then(Yaml::as_mapping) else {
            return Err(fault(resource, "DefinitionBody has no paths"));
        };
        for (path, operations) in paths {
            let path = path.as_str().ok_or_else(|| fault(resource, "DefinitionBody has a path that is not a text"))?;
            for (key, method) in METHODS {
                let Some(operation) = operations.get(key) else { continue };
                let name = function_name(scope, resource, operation, method, path)?;
                let function = template.functions.values_mut().find(|function| function.name == name);
                let unknown = || fault(resource, &format!("{method} {path}: function {name} is not in the template"));
                let route = Route { method: method.to_owned(), path: path.to_owned() };
                function.ok_or_else(unknown)?.routes.push(route);
            }
        }
    }
    Ok(())
}

/// What the API says of single routes. A setting for all of them (`/*`) limits what one account bears, which means nothing on one
/// machine.
fn limits(template: &mut Template, scope: &Scope, resource: &Resource) -> Result<(), TemplateError> {
    let Some(settings) = resource.properties.get("MethodSettings") else { return Ok(()) };
    let mut properties = Map::new();
    properties.insert("MethodSettings".to_owned(), scope.resolve(&resource.id, settings)?.unwrap_or(Value::Null));
    for setting in Fields::new(&resource.id, &properties).objects("MethodSettings")? {
        let path = setting.need_text("ResourcePath")?;
        let limited = setting.value("ThrottlingRateLimit").is_some() && setting.value("ThrottlingBurstLimit").is_some();
        // after the first one, the gateway wants each slash as ~1
        let Some(path) = path.strip_prefix('/').filter(|path| limited && *path != "*") else { continue };
        template.limits.push(RouteLimit {
            route: Route { method: setting.need_text("HttpMethod")?, path: path.replace("~1", "/") },
            rate: setting.count("ThrottlingRateLimit", 0)?,
            burst: setting.count("ThrottlingBurstLimit", 0)?,
        });
    }
    Ok(())
}

/// The document, which stands in the template or in a file that it includes.
fn body(resource: &Resource, folder: Option<&Path>) -> Result<Yaml, TemplateError> {
    let body = resource.properties.get("DefinitionBody");
    let body = body.ok_or_else(|| fault(resource, "DefinitionBody is missing"))?;
    let Some(transform) = body.get("Fn::Transform") else { return Ok(body.clone()) };
    let location = transform.get("Parameters").and_then(|parameters| parameters.get("Location"));
    match (transform.get("Name").and_then(Yaml::as_str), location.and_then(Yaml::as_str), folder) {
        (Some("AWS::Include"), Some(location), Some(folder)) => {
            Ok(serde_yaml_ng::from_str(&text_of(&folder.join(location))?)?)
        }
        _ => Err(fault(resource, "DefinitionBody is neither here nor in a file that can be included")),
    }
}

/// The physical name of the function that answers an operation.
fn function_name(
    scope: &Scope,
    resource: &Resource,
    operation: &Yaml,
    method: &str,
    path: &str,
) -> Result<String, TemplateError> {
    let fault = |what: &str| fault(resource, &format!("{method} {path}: {what}"));
    let integration = operation.get(INTEGRATION).ok_or_else(|| fault("no function answers"))?;
    let integration = object(scope, &resource.id, integration)?;
    let fields = Fields::new(&resource.id, &integration);
    if fields.text("type")?.as_deref() != Some("aws_proxy") {
        return Err(fault("is not answered by a function alone"));
    }
    let uri = fields.need_text("uri")?;
    let function = uri.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
    let name = function.and_then(function_of).ok_or_else(|| fault("its uri is not that of a function"))?;
    Ok(name.to_owned())
}

fn fault(resource: &Resource, fault: &str) -> TemplateError {
    TemplateError::Resource { resource: resource.id.clone(), fault: fault.to_owned() }
}
