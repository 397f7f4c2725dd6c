//! From the document to the model: parameters, then conditions, then each resource that runs locally.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::fields::Fields;
use super::intrinsics::Scope;
use super::resources::{BUCKET, Resource, bucket_arn, bus_of, function_of, own_name, queue_of};
use super::schedule::When;
use super::{
    Alarm, Bucket, Bus, CorsRule, Index, KeyAttribute, LogGroup, Metric, Policy, Projection, Queue, Redrive, Rule,
    RuleTarget, Schedule, Table, TargetKind, Template, TemplateError, api, function, policy, stacks,
};

/// What the root is called beside the stacks that are nested in it.
pub(super) const ROOT: &str = "template";
/// Defaults of SQS.
const VISIBILITY_S: u32 = 30;
const RETENTION_S: u32 = 345_600;

/// Texts that were read before: a process that starts many hosts reads the same few again and again.
static READ: Mutex<BTreeMap<String, Arc<Yaml>>> = Mutex::new(BTreeMap::new());

/// A document with its merge keys resolved.
fn yaml(text: &str) -> Result<Arc<Yaml>, TemplateError> {
    if let Some(known) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Ok(Arc::clone(known));
    }
    let mut document: Yaml = serde_yaml_ng::from_str(text)?;
    document.apply_merge()?;
    let document = Arc::new(document);
    READ.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned(), Arc::clone(&document));
    Ok(document)
}

/// Names of the declared parameters.
pub(super) fn declared_parameters(text: &str) -> Result<Vec<String>, TemplateError> {
    let document = yaml(text)?;
    Ok(section(&document, "Parameters")?.into_iter().map(|(name, _)| name).collect())
}

/// The whole template; what it names by a path is looked for in `folder`.
pub(super) fn template(
    text: &str,
    overrides: &BTreeMap<String, String>,
    folder: Option<&Path>,
) -> Result<Template, TemplateError> {
    let (template, _) = document(ROOT, text, overrides, folder)?;
    check_references(&template)?;
    Ok(template)
}

/// One document with the stacks that are nested in it, and its outputs.
pub(super) fn document(
    stack: &str,
    text: &str,
    overrides: &BTreeMap<String, String>,
    folder: Option<&Path>,
) -> Result<(Template, BTreeMap<String, String>), TemplateError> {
    let document = yaml(text)?;
    let mut scope = Scope { stack: "pipworks".to_owned(), ..Scope::default() };
    scope.parameters = parameters(&document, overrides)?;
    scope.conditions = section(&document, "Conditions")?.into_iter().collect();
    scope.mappings = document.get("Mappings").cloned();
    for (id, body) in section(&document, "Resources")? {
        let resource = resource(&id, &body)?;
        let present = match &resource.condition {
            Some(condition) => scope.condition(condition)?,
            None => true,
        };
        if present {
            scope.resources.insert(id, resource);
        }
    }
    let nested = stacks::read(&mut scope, folder)?;
    let globals = globals(&document, &scope)?;
    let mut template = Template { parameters: scope.parameters.clone(), ..Template::default() };
    let sizes = scope.resources.values().map(|resource| (resource.id.clone(), stacks::size(resource))).collect();
    template.stacks.insert(stack.to_owned(), sizes);
    for resource in scope.resources.values() {
        add(&mut template, &scope, resource, &globals)?;
    }
    function::attach(&mut template, &scope)?;
    for nested in nested {
        stacks::absorb(&mut template, nested)?;
    }
    api::attach(&mut template, &scope, folder)?;
    let outputs = if stack == ROOT { BTreeMap::new() } else { stacks::outputs(&document, &scope)? };
    Ok((template, outputs))
}

pub(super) fn section(document: &Yaml, name: &str) -> Result<Vec<(String, Yaml)>, TemplateError> {
    let fault = |what: &str| TemplateError::Document(format!("{name} {what}"));
    match document.get(name) {
        None if name == "Resources" => Err(fault("is missing")),
        None => Ok(Vec::new()),
        Some(Yaml::Mapping(map)) => map
            .iter()
            .map(|(key, value)| match key {
                Yaml::String(key) => Ok((key.clone(), value.clone())),
                _ => Err(fault("has a key that is not a text")),
            })
            .collect(),
        Some(_) => Err(fault("is not a map")),
    }
}

fn parameters(
    document: &Yaml,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let declared = section(document, "Parameters")?;
    if let Some(unknown) = overrides.keys().find(|name| declared.iter().all(|(declared, _)| declared != *name)) {
        return Err(TemplateError::UnknownParameter(unknown.clone()));
    }
    let mut parameters = BTreeMap::new();
    for (name, body) in declared {
        let default = match body.get("Default") {
            Some(Yaml::String(text)) => Some(text.clone()),
            Some(Yaml::Number(number)) => Some(number.to_string()),
            Some(Yaml::Bool(flag)) => Some(flag.to_string()),
            _ => None,
        };
        let value = overrides.get(&name).cloned().or(default);
        let value = value.ok_or_else(|| TemplateError::MissingParameter(name.clone()))?;
        parameters.insert(name, value);
    }
    Ok(parameters)
}

fn resource(id: &str, body: &Yaml) -> Result<Resource, TemplateError> {
    let text = |key: &str| body.get(key).and_then(Yaml::as_str).map(str::to_owned);
    let kind = text("Type")
        .ok_or_else(|| TemplateError::Resource { resource: id.to_owned(), fault: "Type is missing".to_owned() })?;
    Ok(Resource {
        id: id.to_owned(),
        kind,
        properties: body.get("Properties").cloned().unwrap_or(Yaml::Mapping(serde_yaml_ng::Mapping::new())),
        metadata: body.get("Metadata").cloned().unwrap_or(Yaml::Null),
        condition: text("Condition"),
        deletion_policy: text("DeletionPolicy"),
        replace_policy: text("UpdateReplacePolicy"),
    })
}

fn globals(document: &Yaml, scope: &Scope) -> Result<Map<String, Value>, TemplateError> {
    match document.get("Globals").and_then(|globals| globals.get("Function")) {
        None => Ok(Map::new()),
        Some(yaml) => object(scope, "Globals", yaml),
    }
}

/// Resolves to an object.
pub(super) fn object(scope: &Scope, resource: &str, yaml: &Yaml) -> Result<Map<String, Value>, TemplateError> {
    match scope.resolve(resource, yaml)? {
        Some(Value::Object(map)) => Ok(map),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(_) => {
            Err(TemplateError::Resource { resource: resource.to_owned(), fault: "Properties is not a map".to_owned() })
        }
    }
}

fn add(
    template: &mut Template,
    scope: &Scope,
    resource: &Resource,
    globals: &Map<String, Value>,
) -> Result<(), TemplateError> {
    let id = resource.id.clone();
    let properties = || object(scope, &resource.id, &resource.properties);
    match resource.kind.as_str() {
        "AWS::Serverless::Function" => {
            function::add(template, scope, resource, globals)?;
        }
        "AWS::DynamoDB::Table" => {
            template.tables.insert(id, table(resource, &properties()?)?);
        }
        BUCKET => {
            template.buckets.insert(id, bucket(resource, &properties()?)?);
        }
        "AWS::SQS::Queue" => {
            template.queues.insert(id, queue(&resource.id, &properties()?)?);
        }
        "AWS::Events::EventBus" => {
            let properties = properties()?;
            let name = Fields::new(&resource.id, &properties).text("Name")?.unwrap_or_else(|| id.clone());
            template.buses.insert(id.clone(), Bus { id, name });
        }
        "AWS::CloudWatch::Alarm" => {
            template.alarms.insert(id, alarm(&resource.id, &properties()?)?);
        }
        "AWS::Logs::LogGroup" => {
            template.log_groups.insert(id, log_group(&resource.id, &properties()?)?);
        }
        "AWS::IAM::Role"
        | "AWS::IAM::Policy"
        | "AWS::IAM::ManagedPolicy"
        | "AWS::SQS::QueuePolicy"
        | "AWS::S3::BucketPolicy"
        | "AWS::Events::EventBusPolicy" => {
            template.policies.push(policies(resource, &properties()?)?);
        }
        "AWS::Lambda::Function" | "AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api" => {
            let fault =
                format!("{} does not run locally: use AWS::Serverless::Function with REST routes", resource.kind);
            return Err(TemplateError::Resource { resource: id, fault });
        }
        // rules, mappings and schedules name functions: `function::attach` reads them when all functions are known
        _ => {}
    }
    Ok(())
}

fn table(resource: &Resource, properties: &Map<String, Value>) -> Result<Table, TemplateError> {
    let fields = Fields::new(&resource.id, properties);
    let kinds = attribute_kinds(&fields)?;
    let (partition, sort) = keys(&fields, &kinds)?;
    let indexes = fields.objects("GlobalSecondaryIndexes")?;
    let nested_flag = |object: &str, flag: &str| match fields.object(object)? {
        Some(inner) => inner.flag(flag),
        None => Ok(false),
    };
    Ok(Table {
        id: resource.id.clone(),
        name: fields.text("TableName")?.unwrap_or_else(|| resource.id.clone()),
        partition,
        sort,
        indexes: indexes.iter().map(|index| global_index(index, &kinds)).collect::<Result<_, _>>()?,
        stream_view: fields.object("StreamSpecification")?.map(|s| s.need_text("StreamViewType")).transpose()?,
        billing: fields.text("BillingMode")?.unwrap_or_else(|| "PROVISIONED".to_owned()),
        expiry: match fields.object("TimeToLiveSpecification")? {
            Some(expiry) if expiry.flag("Enabled")? => Some(expiry.need_text("AttributeName")?),
            _ => None,
        },
        encrypted: nested_flag("SSESpecification", "SSEEnabled")?,
        recoverable: nested_flag("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")?,
        deletion_protected: fields.flag("DeletionProtectionEnabled")?,
        deletion_policy: resource.deletion_policy.clone(),
        replace_policy: resource.replace_policy.clone(),
    })
}

fn attribute_kinds(fields: &Fields<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    fields
        .objects("AttributeDefinitions")?
        .iter()
        .map(|definition| Ok((definition.need_text("AttributeName")?, definition.need_text("AttributeType")?)))
        .collect()
}

fn keys(
    fields: &Fields<'_>,
    kinds: &BTreeMap<String, String>,
) -> Result<(KeyAttribute, Option<KeyAttribute>), TemplateError> {
    let (mut partition, mut sort) = (None, None);
    for key in fields.objects("KeySchema")? {
        let name = key.need_text("AttributeName")?;
        let kind = kinds.get(&name).ok_or_else(|| key.fault(&name, "has no attribute definition"))?.clone();
        match key.need_text("KeyType")?.as_str() {
            "HASH" => partition = Some(KeyAttribute { name, kind }),
            "RANGE" => sort = Some(KeyAttribute { name, kind }),
            _ => return Err(key.fault("KeyType", "is neither HASH nor RANGE")),
        }
    }
    Ok((partition.ok_or_else(|| fields.fault("KeySchema", "has no HASH key"))?, sort))
}

fn global_index(fields: &Fields<'_>, kinds: &BTreeMap<String, String>) -> Result<Index, TemplateError> {
    let (partition, sort) = keys(fields, kinds)?;
    let projection = fields.object("Projection")?.ok_or_else(|| fields.fault("Projection", "is missing"))?;
    let projection = match projection.need_text("ProjectionType")?.as_str() {
        "ALL" => Projection::All,
        "KEYS_ONLY" => Projection::KeysOnly,
        "INCLUDE" => Projection::Include(projection.texts("NonKeyAttributes")?),
        _ => return Err(projection.fault("ProjectionType", "is none of ALL, KEYS_ONLY, INCLUDE")),
    };
    Ok(Index { name: fields.need_text("IndexName")?, partition, sort, projection })
}

fn bucket(resource: &Resource, properties: &Map<String, Value>) -> Result<Bucket, TemplateError> {
    let fields = Fields::new(&resource.id, properties);
    let blocks = fields.object("PublicAccessBlockConfiguration")?;
    let blocked = |way: &str| blocks.as_ref().map_or(Ok(false), |blocks| blocks.flag(way));
    let mut private = true;
    for way in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        private &= blocked(way)?;
    }
    let lifecycle = fields.object("LifecycleConfiguration")?;
    let rules = lifecycle.map_or_else(|| Ok(Vec::new()), |lifecycle| lifecycle.objects("Rules"))?;
    let mut aborts_uploads = false;
    for rule in &rules {
        let enabled = rule.text("Status")?.is_some_and(|status| status == "Enabled");
        aborts_uploads |= enabled && rule.object("AbortIncompleteMultipartUpload")?.is_some();
    }
    let versioning = fields.object("VersioningConfiguration")?;
    let cors = fields.object("CorsConfiguration")?;
    let cors = cors.map_or_else(|| Ok(Vec::new()), |cors| cors.objects("CorsRules"))?;
    let rule = |rule: &Fields<'_>| -> Result<CorsRule, TemplateError> {
        let (origins, methods) = (rule.texts("AllowedOrigins")?, rule.texts("AllowedMethods")?);
        Ok(CorsRule { origins, methods, headers: rule.texts("AllowedHeaders")? })
    };
    Ok(Bucket {
        id: resource.id.clone(),
        name: fields.text("BucketName")?.unwrap_or_else(|| own_name(resource)),
        versioned: versioning.map(|v| v.need_text("Status")).transpose()?.is_some_and(|status| status == "Enabled"),
        encrypted: fields.value("BucketEncryption").is_some(),
        private,
        aborts_uploads,
        cors: cors.iter().map(rule).collect::<Result<_, _>>()?,
        deletion_policy: resource.deletion_policy.clone(),
        replace_policy: resource.replace_policy.clone(),
    })
}

fn queue(id: &str, properties: &Map<String, Value>) -> Result<Queue, TemplateError> {
    let fields = Fields::new(id, properties);
    if fields.flag("FifoQueue")? {
        return Err(fields.fault("FifoQueue", "does not run locally"));
    }
    // the policy may be written as a map or as JSON text
    let redrive = match fields.value("RedrivePolicy") {
        Some(Value::String(text)) => {
            Some(serde_json::from_str(text).map_err(|_| fields.fault("RedrivePolicy", "is not JSON"))?)
        }
        other => other.cloned(),
    };
    let redrive = match &redrive {
        None => None,
        Some(Value::Object(map)) => Some(redrive_policy(&Fields::new(id, map))?),
        Some(_) => return Err(fields.fault("RedrivePolicy", "is not a map")),
    };
    Ok(Queue {
        id: id.to_owned(),
        name: fields.text("QueueName")?.unwrap_or_else(|| id.to_owned()),
        visibility_s: fields.count("VisibilityTimeout", VISIBILITY_S)?,
        retention_s: fields.count("MessageRetentionPeriod", RETENTION_S)?,
        redrive,
        encrypted: fields.flag_or("SqsManagedSseEnabled", true)? || fields.value("KmsMasterKeyId").is_some(),
    })
}

fn redrive_policy(fields: &Fields<'_>) -> Result<Redrive, TemplateError> {
    Ok(Redrive {
        dead_letters: queue_name(fields, "deadLetterTargetArn")?,
        maximum_receives: fields.count("maxReceiveCount", 10)?,
    })
}

/// The queue whose ARN a field holds.
pub(super) fn queue_name(fields: &Fields<'_>, key: &str) -> Result<String, TemplateError> {
    let arn = fields.need_text(key)?;
    queue_of(&arn).map(str::to_owned).ok_or_else(|| fields.fault(key, "is not the ARN of a queue"))
}

/// The queue of a `DeadLetterConfig`.
pub(super) fn dead_letters(fields: &Fields<'_>) -> Result<Option<String>, TemplateError> {
    match fields.object("DeadLetterConfig")? {
        Some(config) if config.value("Arn").is_some() => queue_name(&config, "Arn").map(Some),
        Some(config) => Err(config.fault("Arn", "is missing; a queue made by SAM itself does not exist locally")),
        None => Ok(None),
    }
}

fn alarm(id: &str, properties: &Map<String, Value>) -> Result<Alarm, TemplateError> {
    let fields = Fields::new(id, properties);
    let mut metrics = Vec::new();
    if fields.value("MetricName").is_some() {
        metrics.push(metric(&fields)?);
    }
    for query in fields.objects("Metrics")? {
        // an expression has none
        let Some(stat) = query.object("MetricStat")? else { continue };
        metrics.push(metric(&stat.object("Metric")?.ok_or_else(|| stat.fault("Metric", "is missing"))?)?);
    }
    Ok(Alarm { id: id.to_owned(), metrics })
}

fn metric(fields: &Fields<'_>) -> Result<Metric, TemplateError> {
    let mut dimensions = BTreeMap::new();
    for dimension in fields.objects("Dimensions")? {
        dimensions.insert(dimension.need_text("Name")?, dimension.need_text("Value")?);
    }
    Ok(Metric { name: fields.need_text("MetricName")?, namespace: fields.need_text("Namespace")?, dimensions })
}

fn log_group(id: &str, properties: &Map<String, Value>) -> Result<LogGroup, TemplateError> {
    let fields = Fields::new(id, properties);
    let days = fields.count("RetentionInDays", 0)?;
    Ok(LogGroup {
        id: id.to_owned(),
        name: fields.text("LogGroupName")?.unwrap_or_else(|| id.to_owned()),
        retention_days: (days > 0).then_some(days),
    })
}

fn policies(resource: &Resource, properties: &Map<String, Value>) -> Result<Policy, TemplateError> {
    let fields = Fields::new(&resource.id, properties);
    let mut statements = Vec::new();
    if let Some(document) = fields.object("PolicyDocument")? {
        statements.extend(policy::statements(&document)?);
    }
    for inline in fields.objects("Policies")? {
        let document = inline.object("PolicyDocument")?;
        statements.extend(policy::statements(&document.ok_or_else(|| inline.fault("PolicyDocument", "is missing"))?)?);
    }
    Ok(Policy {
        owner: resource.id.clone(),
        name: fields.text("RoleName")?.unwrap_or_else(|| resource.id.clone()),
        of_role: resource.kind.starts_with("AWS::IAM::"),
        managed: fields.texts("ManagedPolicyArns")?,
        queues: fields.texts("Queues")?.iter().filter_map(|url| queue_of(url)).map(str::to_owned).collect(),
        tls_only: tls_only(&fields)?,
        statements,
    })
}

/// The bucket that everybody is refused who comes without TLS.
fn tls_only(fields: &Fields<'_>) -> Result<Option<String>, TemplateError> {
    let (Some(bucket), Some(document)) = (fields.text("Bucket")?, fields.object("PolicyDocument")?) else {
        return Ok(None);
    };
    let arn = bucket_arn(&bucket);
    for statement in document.objects("Statement")? {
        let without_tls = match statement.object("Condition")? {
            Some(condition) => condition.object("Bool")?.map(|flags| flags.text("aws:SecureTransport")).transpose()?,
            None => None,
        };
        let resources = statement.texts("Resource")?;
        if statement.need_text("Effect")? == "Deny"
            && statement.value("Principal") == Some(&Value::String("*".to_owned()))
            && statement.texts("Action")? == ["s3:*"]
            && resources.contains(&arn)
            && resources.contains(&format!("{arn}/*"))
            && without_tls.flatten().as_deref() == Some("false")
        {
            return Ok(Some(bucket));
        }
    }
    Ok(None)
}

/// An explicit rule: with a pattern it is a rule, with an expression it is a timer.
pub(super) fn rule(template: &mut Template, id: &str, properties: &Map<String, Value>) -> Result<(), TemplateError> {
    let fields = Fields::new(id, properties);
    let enabled = fields.text("State")?.is_none_or(|state| state != "DISABLED");
    let mut targets = Vec::new();
    for target in fields.objects("Targets")? {
        targets.push((rule_target(template, &target)?, target.text("Input")?));
    }
    if let Some(expression) = fields.text("ScheduleExpression")? {
        let when = When::parse(&expression).ok_or_else(|| fields.fault("ScheduleExpression", "is not a schedule"))?;
        for (target, input) in targets {
            let TargetKind::Function(function) = target.kind else {
                return Err(fields.fault("Targets", "has a timer for something that is not a function"));
            };
            let (id, when) = (id.to_owned(), when.clone());
            template.schedules.push(Schedule { id, function, when, input, enabled, dead_letters: target.dead_letters });
        }
        return Ok(());
    }
    let pattern = fields.value("EventPattern").cloned().ok_or_else(|| fields.fault("EventPattern", "is missing"))?;
    let bus = fields.text("EventBusName")?.unwrap_or_else(|| "default".to_owned());
    let rule = Rule {
        id: id.to_owned(),
        bus: bus_of(&bus).to_owned(),
        pattern,
        enabled,
        targets: targets.into_iter().map(|(target, _)| target).collect(),
    };
    template.rules.insert(id.to_owned(), rule);
    Ok(())
}

fn rule_target(template: &Template, fields: &Fields<'_>) -> Result<RuleTarget, TemplateError> {
    let arn = fields.need_text("Arn")?;
    let kind = match (queue_of(&arn), function_of(&arn)) {
        (Some(queue), _) => TargetKind::Queue(queue.to_owned()),
        (None, Some(function)) => TargetKind::Function(function_id(template, fields, function)?),
        (None, None) => return Err(fields.fault("Arn", "is neither a queue nor a function")),
    };
    Ok(RuleTarget {
        id: fields.need_text("Id")?,
        kind,
        dead_letters: dead_letters(fields)?,
        transformed: ["Input", "InputPath", "InputTransformer"].iter().any(|key| fields.value(key).is_some()),
    })
}

/// The logical id of a function, given its name.
pub(super) fn function_id(template: &Template, fields: &Fields<'_>, name: &str) -> Result<String, TemplateError> {
    let found = template.functions.values().find(|function| function.name == name);
    found.map(|function| function.id.clone()).ok_or_else(|| fields.fault(name, "is not a function of the template"))
}

/// Every queue, table and bus that is named must be in the template.
fn check_references(template: &Template) -> Result<(), TemplateError> {
    let fault = |resource: &str, what: String| {
        Err(TemplateError::Resource { resource: resource.to_owned(), fault: format!("{what} is not in the template") })
    };
    let queue = |resource: &str, name: &Option<String>| match name {
        Some(name) if template.queue(name).is_none() => fault(resource, format!("queue {name}")),
        _ => Ok(()),
    };
    for own in template.queues.values() {
        queue(&own.id, &own.redrive.as_ref().map(|redrive| redrive.dead_letters.clone()))?;
    }
    for function in template.functions.values() {
        for mapping in &function.queues {
            queue(&mapping.id, &Some(mapping.queue.clone()))?;
        }
        for mapping in &function.streams {
            queue(&mapping.id, &mapping.on_failure)?;
            match template.table(&mapping.table) {
                Some(table) if table.stream_view.is_some() => {}
                _ => return fault(&mapping.id, format!("a stream of table {}", mapping.table)),
            }
        }
    }
    for rule in template.rules.values() {
        if rule.bus != "default" && template.buses.values().all(|bus| bus.name != rule.bus) {
            return fault(&rule.id, format!("bus {}", rule.bus));
        }
        for target in &rule.targets {
            queue(&rule.id, &target.dead_letters)?;
            if let TargetKind::Queue(name) = &target.kind {
                queue(&rule.id, &Some(name.clone()))?;
            }
        }
    }
    template.schedules.iter().try_for_each(|schedule| queue(&schedule.id, &schedule.dead_letters))
}
