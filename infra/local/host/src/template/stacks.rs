//! Stacks nested in a template: read one after the other as their parameters become known, and absorbed into one model.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::Value as Yaml;

use super::fields::{Fields, scalar};
use super::intrinsics::Scope;
use super::parse::{document, object, section};
use super::resources::{API, Resource, STACK};
use super::{Template, TemplateError, text_of};

/// Reads the nested stacks and leaves their outputs in the scope.
pub(super) fn read(scope: &mut Scope, folder: Option<&Path>) -> Result<Vec<Template>, TemplateError> {
    let mut waiting: Vec<String> = scope
        .resources
        .values()
        .filter(|resource| resource.kind == STACK)
        .map(|resource| resource.id.clone())
        .collect();
    let mut templates = Vec::new();
    while !waiting.is_empty() {
        let mut later = Vec::new();
        let mut fault = None;
        for id in &waiting {
            match properties(scope, id) {
                Ok((url, parameters)) => {
                    let path = folder.map(|folder| folder.join(&url)).unwrap_or_else(|| url.into());
                    let (template, outputs) = document(id, &text_of(&path)?, &parameters, path.parent())?;
                    scope.outputs.insert(id.clone(), outputs);
                    templates.push(template);
                }
                // it may need the outputs of one that comes later
                Err(error) => {
                    later.push(id.clone());
                    fault = Some(error);
                }
            }
        }
        if let (Some(fault), true) = (fault, later.len() == waiting.len()) {
            return Err(fault);
        }
        waiting = later;
    }
    Ok(templates)
}

fn properties(scope: &Scope, id: &str) -> Result<(String, BTreeMap<String, String>), TemplateError> {
    let missing = |what: &str| TemplateError::Resource { resource: id.to_owned(), fault: format!("{what} is missing") };
    let resource = scope.resources.get(id).ok_or_else(|| missing("the stack"))?;
    let properties = object(scope, id, &resource.properties)?;
    let fields = Fields::new(id, &properties);
    let mut parameters = BTreeMap::new();
    if let Some(given) = fields.object("Parameters")? {
        for (name, value) in given.entries() {
            let value = scalar(value).ok_or_else(|| given.fault(name, "is not a text"))?;
            parameters.insert(name.clone(), value);
        }
    }
    Ok((fields.need_text("TemplateURL")?, parameters))
}

/// The outputs of a document whose conditions hold.
pub(super) fn outputs(document: &Yaml, scope: &Scope) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut outputs = BTreeMap::new();
    for (name, output) in section(document, "Outputs")? {
        if let Some(condition) = output.get("Condition").and_then(Yaml::as_str)
            && !scope.condition(condition)?
        {
            continue;
        }
        let fault = || TemplateError::Document(format!("output {name} has no text as its value"));
        let value = output.get("Value").ok_or_else(fault)?;
        let value = scope.resolve(&name, value)?.as_ref().and_then(scalar).ok_or_else(fault)?;
        outputs.insert(name, value);
    }
    Ok(outputs)
}

/// Joins a nested stack's part of the model to the rest: a logical id means one thing in all stacks.
pub(super) fn absorb(template: &mut Template, nested: Template) -> Result<(), TemplateError> {
    join(&mut template.functions, nested.functions)?;
    join(&mut template.tables, nested.tables)?;
    join(&mut template.buckets, nested.buckets)?;
    join(&mut template.queues, nested.queues)?;
    join(&mut template.buses, nested.buses)?;
    join(&mut template.rules, nested.rules)?;
    join(&mut template.alarms, nested.alarms)?;
    join(&mut template.log_groups, nested.log_groups)?;
    join(&mut template.stacks, nested.stacks)?;
    template.schedules.extend(nested.schedules);
    template.policies.extend(nested.policies);
    template.permissions.extend(nested.permissions);
    Ok(())
}

fn join<T>(all: &mut BTreeMap<String, T>, more: BTreeMap<String, T>) -> Result<(), TemplateError> {
    for (id, one) in more {
        if all.insert(id.clone(), one).is_some() {
            return Err(TemplateError::Document(format!("{id} is in two stacks")));
        }
    }
    Ok(())
}

/// How many resources one becomes when SAM has transformed it; `test_template.py` lets SAM itself count.
pub(super) fn size(resource: &Resource) -> usize {
    match resource.kind.as_str() {
        "AWS::Serverless::Function" => {
            let role = usize::from(resource.properties.get("Role").is_none());
            let events = resource.properties.get("Events").and_then(Yaml::as_mapping);
            let of_event = |event: &Yaml| match event.get("Type").and_then(Yaml::as_str) {
                // a mapping
                Some("SQS" | "DynamoDB") => 1,
                // a rule or schedule and a permission or role
                _ => 2,
            };
            1 + role + events.into_iter().flatten().map(|(_, event)| of_event(event)).sum::<usize>()
        }
        // the API, its deployment and its stage
        API => 3,
        _ => 1,
    }
}
