//! Functions and their triggers, as SAM `Events:` and as explicit rules, mappings and schedules.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{Fields, scalar};
use super::intrinsics::Scope;
use super::parse::{dead_letters, function_id, object, queue_name, rule};
use super::resources::{Resource, bus_of, function_of, queue_of, stream_table_of};
use super::schedule::When;
use super::{
    FunctionSpec, Permission, QueueMapping, Rule, RuleTarget, Schedule, StreamMapping, TargetKind, Template,
    TemplateError, merge, policy,
};

/// Defaults of Lambda and of its event source mappings.
const TIMEOUT_S: u32 = 3;
const MEMORY_MB: u32 = 128;
const QUEUE_BATCH: u32 = 10;
const STREAM_BATCH: u32 = 100;

/// Adds a function with everything that stands in its own resource.
pub(super) fn add(
    template: &mut Template,
    scope: &Scope,
    resource: &Resource,
    globals: &Map<String, Value>,
) -> Result<(), TemplateError> {
    let own = object(scope, &resource.id, &resource.properties)?;
    let properties = merge::over(globals, own);
    let metadata = object(scope, &resource.id, &resource.metadata)?;
    let fields = Fields::new(&resource.id, &properties);
    let mut function = FunctionSpec {
        id: resource.id.clone(),
        name: fields.text("FunctionName")?.unwrap_or_else(|| resource.id.clone()),
        handler: fields.need_text("Handler")?,
        binary: binary(&Fields::new(&resource.id, &metadata))?,
        runtime: fields.text("Runtime")?.unwrap_or_default(),
        architectures: fields.texts("Architectures")?,
        timeout_s: fields.count("Timeout", TIMEOUT_S)?,
        memory_mb: fields.count("MemorySize", MEMORY_MB)?,
        reserved_concurrency: fields
            .value("ReservedConcurrentExecutions")
            .map(|_| fields.count("ReservedConcurrentExecutions", 0))
            .transpose()?,
        environment: environment(&fields)?,
        ..FunctionSpec::default()
    };
    if let Some(logging) = fields.object("LoggingConfig")? {
        function.log_group = logging.text("LogGroup")?;
        function.json_logs = logging.text("LogFormat")?.as_deref() == Some("JSON");
    }
    own_policies(&mut function, &fields)?;
    if let Some(events) = fields.object("Events")? {
        for (name, _) in events.entries() {
            let event = events.object(name)?.ok_or_else(|| events.fault(name, "is missing"))?;
            add_event(template, &mut function, name, &event)?;
        }
    }
    template.functions.insert(resource.id.clone(), function);
    Ok(())
}

fn binary(metadata: &Fields<'_>) -> Result<String, TemplateError> {
    let missing = || metadata.fault("Metadata.BuildProperties.Binary", "is missing");
    metadata.object("BuildProperties")?.ok_or_else(missing)?.text("Binary")?.ok_or_else(missing)
}

fn environment(fields: &Fields<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(environment) = fields.object("Environment")? else { return Ok(BTreeMap::new()) };
    let Some(variables) = environment.object("Variables")? else { return Ok(BTreeMap::new()) };
    variables
        .entries()
        .map(|(key, value)| {
            let text = scalar(value).ok_or_else(|| variables.fault(key, "is not a text"))?;
            Ok((key.clone(), text))
        })
        .collect()
}

/// `Policies` holds documents, single statements, names of managed policies and SAM policy templates.
fn own_policies(function: &mut FunctionSpec, fields: &Fields<'_>) -> Result<(), TemplateError> {
    function.role = fields.text("Role")?.and_then(|arn| arn.rsplit('/').next().map(str::to_owned));
    for policy in fields.list("Policies")? {
        match policy {
            Value::String(name) => function.named_policies.push(name.clone()),
            Value::Object(map) => {
                let document = Fields::new(fields.resource(), map);
                if document.value("Statement").is_some() {
                    function.statements.extend(policy::statements(&document)?);
                } else {
                    function.named_policies.extend(map.keys().cloned());
                }
            }
            _ => return Err(fields.fault("Policies", "holds something that is not a policy")),
        }
    }
    Ok(())
}

fn add_event(
    template: &mut Template,
    function: &mut FunctionSpec,
    name: &str,
    event: &Fields<'_>,
) -> Result<(), TemplateError> {
    let id = format!("{}.{name}", function.id);
    let kind = event.need_text("Type")?;
    let properties = event.object("Properties")?.ok_or_else(|| event.fault("Properties", "is missing"))?;
    match kind.as_str() {
        "SQS" => function.queues.extend(queue_mapping(id, &properties, "Queue")?),
        "DynamoDB" => function.streams.extend(stream_mapping(id, &properties, "Stream")?),
        "Schedule" | "ScheduleV2" => {
            template.schedules.push(sam_schedule(id, &function.id, &kind, &properties)?);
        }
        "EventBridgeRule" | "CloudWatchEvent" => {
            let target = RuleTarget {
                id: name.to_owned(),
                kind: TargetKind::Function(function.id.clone()),
                dead_letters: dead_letters(&properties)?,
                transformed: ["Input", "InputPath", "InputTransformer"].iter().any(|k| properties.value(k).is_some()),
            };
            let pattern = properties.value("Pattern").or_else(|| properties.value("EventPattern"));
            let bus = properties.text("EventBusName")?.unwrap_or_else(|| "default".to_owned());
            let rule = Rule {
                id: id.clone(),
                bus: bus_of(&bus).to_owned(),
                pattern: pattern.cloned().ok_or_else(|| properties.fault("Pattern", "is missing"))?,
                enabled: enabled(&properties)?,
                targets: vec![target],
            };
            template.rules.insert(id, rule);
        }
        _ => return Err(event.fault("Type", "is a trigger that does not run locally")),
    }
    Ok(())
}

fn enabled(fields: &Fields<'_>) -> Result<bool, TemplateError> {
    let switched_off = fields.text("State")?.is_some_and(|state| state == "DISABLED");
    Ok(fields.flag_or("Enabled", true)? && !switched_off)
}

/// A queue mapping; `None` when it is switched off.
fn queue_mapping(id: String, fields: &Fields<'_>, source: &str) -> Result<Option<QueueMapping>, TemplateError> {
    let maximum_concurrency = match fields.object("ScalingConfig")? {
        Some(scaling) => Some(scaling.size("MaximumConcurrency", 0)?).filter(|maximum| *maximum > 0),
        None => None,
    };
    let mapping = QueueMapping {
        id,
        queue: queue_name(fields, source)?,
        batch_size: fields.size("BatchSize", QUEUE_BATCH)?.max(1),
        batching_window_s: fields.count("MaximumBatchingWindowInSeconds", 0)?,
        maximum_concurrency,
        report_batch_item_failures: reports_failures(fields)?,
        filters: filters(fields)?,
    };
    Ok(enabled(fields)?.then_some(mapping))
}

/// A stream mapping; `None` when it is switched off.
fn stream_mapping(id: String, fields: &Fields<'_>, source: &str) -> Result<Option<StreamMapping>, TemplateError> {
    let arn = fields.need_text(source)?;
    let table = stream_table_of(&arn).ok_or_else(|| fields.fault(source, "is not the ARN of a table's stream"))?;
    let destination = match fields.object("DestinationConfig")? {
        Some(config) => config.object("OnFailure")?,
        None => None,
    };
    let limit = |key: &str| match fields.number(key)? {
        // -1 means without limit
        None | Some(-1) => Ok(None),
        Some(_) => fields.count(key, 0).map(Some),
    };
    let mapping = StreamMapping {
        id,
        table: table.to_owned(),
        batch_size: fields.size("BatchSize", STREAM_BATCH)?.max(1),
        batching_window_s: fields.count("MaximumBatchingWindowInSeconds", 0)?,
        filters: filters(fields)?,
        bisect: fields.flag("BisectBatchOnFunctionError")?,
        maximum_retries: limit("MaximumRetryAttempts")?,
        maximum_age_s: limit("MaximumRecordAgeInSeconds")?,
        parallelization: fields.size("ParallelizationFactor", 1)?.max(1),
        report_batch_item_failures: reports_failures(fields)?,
        on_failure: destination.map(|on_failure| queue_name(&on_failure, "Destination")).transpose()?,
    };
    Ok(enabled(fields)?.then_some(mapping))
}

fn reports_failures(fields: &Fields<'_>) -> Result<bool, TemplateError> {
    Ok(fields.texts("FunctionResponseTypes")?.iter().any(|kind| kind == "ReportBatchItemFailures"))
}

/// Filter patterns; CloudFormation wants each as JSON text.
fn filters(fields: &Fields<'_>) -> Result<Vec<Value>, TemplateError> {
    let Some(criteria) = fields.object("FilterCriteria")? else { return Ok(Vec::new()) };
    criteria
        .objects("Filters")?
        .iter()
        .map(|filter| match filter.value("Pattern") {
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| filter.fault("Pattern", "is not JSON")),
            Some(map @ Value::Object(_)) => Ok(map.clone()),
            _ => Err(filter.fault("Pattern", "is missing")),
        })
        .collect()
}

fn sam_schedule(id: String, function: &str, kind: &str, fields: &Fields<'_>) -> Result<Schedule, TemplateError> {
    let key = if kind == "ScheduleV2" { "ScheduleExpression" } else { "Schedule" };
    let when = When::parse(&fields.need_text(key)?).ok_or_else(|| fields.fault(key, "is not a schedule"))?;
    Ok(Schedule {
        id,
        function: function.to_owned(),
        when,
        input: fields.text("Input")?,
        enabled: enabled(fields)?,
        dead_letters: dead_letters(fields)?,
    })
}

/// Adds the resources that name functions, and the statements of named roles.
pub(super) fn attach(template: &mut Template, scope: &Scope) -> Result<(), TemplateError> {
    for resource in scope.resources.values() {
        let id = resource.id.as_str();
        let properties = || object(scope, id, &resource.properties);
        match resource.kind.as_str() {
            "AWS::Events::Rule" => rule(template, id, &properties()?)?,
            "AWS::Lambda::EventSourceMapping" => mapping(template, id, &properties()?)?,
            "AWS::Lambda::Permission" => permission(template, id, &properties()?)?,
            "AWS::Scheduler::Schedule" => schedule(template, id, &properties()?)?,
            _ => {}
        }
    }
    for function in template.functions.values_mut() {
        let Some(role) = &function.role else { continue };
        // a role from outside the template says nothing about what the function may do
        if let Some(policy) = template.policies.iter().find(|policy| policy.of_role && policy.name == *role) {
            function.statements.extend(policy.statements.clone());
            function.named_policies.extend(policy.managed.clone());
        }
    }
    Ok(())
}

fn permission(template: &mut Template, id: &str, properties: &Map<String, Value>) -> Result<(), TemplateError> {
    let fields = Fields::new(id, properties);
    let target = fields.need_text("FunctionName")?;
    let function = function_id(template, &fields, function_of(&target).unwrap_or(&target))?;
    let source = fields.text("SourceArn")?.unwrap_or_default();
    template.permissions.push(Permission { id: id.to_owned(), function, source });
    Ok(())
}

fn mapping(template: &mut Template, id: &str, properties: &Map<String, Value>) -> Result<(), TemplateError> {
    let fields = Fields::new(id, properties);
    let target = fields.need_text("FunctionName")?;
    let function = function_id(template, &fields, function_of(&target).unwrap_or(&target))?;
    let source = fields.need_text("EventSourceArn")?;
    let (queue, stream) = if queue_of(&source).is_some() {
        (queue_mapping(id.to_owned(), &fields, "EventSourceArn")?, None)
    } else {
        (None, stream_mapping(id.to_owned(), &fields, "EventSourceArn")?)
    };
    if let Some(function) = template.functions.get_mut(&function) {
        function.queues.extend(queue);
        function.streams.extend(stream);
    }
    Ok(())
}

fn schedule(template: &mut Template, id: &str, properties: &Map<String, Value>) -> Result<(), TemplateError> {
    let fields = Fields::new(id, properties);
    let target = fields.object("Target")?.ok_or_else(|| fields.fault("Target", "is missing"))?;
    let arn = target.need_text("Arn")?;
    let name = function_of(&arn).ok_or_else(|| target.fault("Arn", "is not a function"))?;
    let expression = fields.need_text("ScheduleExpression")?;
    let schedule = Schedule {
        id: id.to_owned(),
        function: function_id(template, &target, name)?,
        when: When::parse(&expression).ok_or_else(|| fields.fault("ScheduleExpression", "is not a schedule"))?,
        input: target.text("Input")?,
        enabled: enabled(&fields)?,
        dead_letters: dead_letters(&target)?,
    };
    template.schedules.push(schedule);
    Ok(())
}
