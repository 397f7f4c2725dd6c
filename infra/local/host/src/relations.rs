//! What must hold between the parts of a template; CloudFormation and cfn-lint see each part alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::dispatch::pattern::Pattern;
use crate::template::{
    ACCOUNT, Alarm, Bucket, FunctionSpec, Policy, Queue, QueueMapping, Route, Rule, Schedule, Statement, StreamMapping,
    Table, TargetKind, Template, bucket_arn, function_arn, queue_arn, queue_of, rule_arn, stream_arn, table_arn,
};

/// Actions for which AWS knows no resource that a policy could name.
const WITHOUT_RESOURCES: [&str; 5] = [
    "rekognition:CompareFaces",
    "rekognition:DetectFaces",
    "rekognition:CreateFaceLivenessSession",
    "rekognition:GetFaceLivenessSessionResults",
    "textract:DetectDocumentText",
];

/// A queue's visibility time-out, in time-outs of the function that consumes it.
const VISIBILITY_FACTOR: u32 = 6;
/// Receives before a message is given up: less makes dead letters of short outages.
const RECEIVES_MIN: u32 = 5;
/// As long as SQS can: so long dead letters are kept, and what a function itself lays aside.
const LONGEST_RETENTION_S: u32 = 1_209_600;
/// API Gateway gives up then.
const HTTP_TIMEOUT_S: u32 = 29;
/// A stream keeps a record so long.
const STREAM_RETENTION_S: u32 = 86_400;
/// CloudFormation takes 500 in a stack; a workflow that comes near is two.
const STACK_RESOURCES_MAX: usize = 200;
/// Function, mapping, role, rule and queue, and one to spare.
const STEP_RESOURCES_MAX: usize = 6;
/// An alarm on an expression takes no more.
const ALARM_METRICS_MAX: usize = 10;
/// How the secrets of vendors are named: their own part of the secret's name is open.
const VENDOR_SECRETS: &str = "/*-??????";
/// Where vendors send to.
const WEBHOOKS: &str = "/v1/webhooks/";
/// The secrets of trading servers.
const PLATFORM_SECRETS: &str = "/platform/";
/// Environment variables that hold the address of a queue that the function sends to.
const QUEUE_URL: &str = "_QUEUE_URL";
/// Actions that a journal must never allow.
const REWRITES: [&str; 6] = [
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
];

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Logical id, or where in it.
    pub resource: String,
    /// What does not hold.
    pub what: String,
}

/// What the code says of its functions.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// The handlers in its registry.
    pub handlers: &'a [&'a str],
    /// Time-outs that it counts on, in seconds: another one in the template would break what it promises.
    pub timeouts: &'a [(&'a str, u32)],
}

/// Everything that does not hold.
pub fn faults(template: &Template, code: Code<'_>) -> Vec<Fault> {
    let mut check = Check { template, faults: Vec::new() };
    check.code(code);
    check.sizes();
    template.functions.values().for_each(|function| check.function(function));
    template.tables.values().for_each(|table| check.table(table));
    template.buckets.values().for_each(|bucket| check.bucket(bucket));
    template.queues.values().for_each(|queue| check.queue(queue));
    template.rules.values().for_each(|rule| check.rule(rule));
    template.schedules.iter().for_each(|schedule| check.schedule(schedule));
    template.alarms.values().for_each(|alarm| check.alarm(alarm));
    check.gateway();
    check.limits();
    for policy in &template.policies {
        if policy.of_role { check.statements(&policy.owner, &policy.statements) } else { check.queue_policy(policy) }
    }
    check.faults.sort();
    check.faults.dedup();
    check.faults
}

struct Check<'a> {
    template: &'a Template,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn expect(&mut self, holds: bool, resource: &str, what: impl Into<String>) {
        if !holds {
            self.faults.push(Fault { resource: resource.to_owned(), what: what.into() });
        }
    }

    fn code(&mut self, code: Code<'_>) {
        let mut deployed: BTreeMap<&str, usize> = BTreeMap::new();
        for function in self.template.functions.values() {
            *deployed.entry(function.handler.as_str()).or_default() += 1;
        }
        for handler in code.handlers {
            self.expect(deployed.contains_key(handler), handler, "has code and is not deployed");
        }
        for (handler, count) in deployed {
            self.expect(code.handlers.contains(&handler), handler, "is deployed and has no code");
            self.expect(count == 1, handler, "is deployed more than once");
        }
        for (handler, timeout_s) in code.timeouts {
            let own = self.template.function(handler).map(|function| function.timeout_s);
            self.expect(
                own == Some(*timeout_s),
                handler,
                format!("does not end after {timeout_s} s, as its code says"),
            );
        }
    }

    fn sizes(&mut self) {
        for (stack, sizes) in &self.template.stacks {
            let all = sizes.values().sum::<usize>();
            let most = STACK_RESOURCES_MAX;
            self.expect(all <= most, stack, format!("has {all} resources, more than {most}"));
            for function in self.template.functions.values().filter(|function| sizes.contains_key(&function.id)) {
                if function.queues.len() != 1 || !function.streams.is_empty() {
                    continue;
                }
                let step = function.id.strip_suffix("Function").unwrap_or(&function.id);
                let own = sizes.iter().filter(|(id, _)| id.starts_with(step)).map(|(_, size)| size).sum::<usize>();
                let most = STEP_RESOURCES_MAX;
                self.expect(own <= most, &function.id, format!("takes {own} resources, more than {most}"));
            }
        }
    }

    fn alarm(&mut self, alarm: &Alarm) {
        self.expect(!alarm.metrics.is_empty(), &alarm.id, "watches nothing");
        let few = alarm.metrics.len() <= ALARM_METRICS_MAX;
        self.expect(few, &alarm.id, format!("watches more than {ALARM_METRICS_MAX} metrics"));
    }

    /// The gateway may invoke each function for exactly its routes.
    fn gateway(&mut self) {
        let of_gateway = |source: &str| {
            let (_, route) = source.strip_prefix("arn:aws:execute-api:")?.split_once("/*/")?;
            Some(route.to_owned())
        };
        for function in self.template.functions.values() {
            let granted: BTreeSet<String> = self
                .template
                .permissions
                .iter()
                .filter(|permission| permission.function == function.id)
                .filter_map(|permission| of_gateway(&permission.source))
                .collect();
            let needed: BTreeSet<String> = function.routes.iter().map(route_arn).collect();
            for route in needed.difference(&granted) {
                self.expect(false, &function.id, format!("may not be invoked for {route}"));
            }
            for route in granted.difference(&needed) {
                self.expect(false, &function.id, format!("may be invoked for {route}, which is not its route"));
            }
        }
    }

    /// A flood of one vendor's webhook must not use up what another vendor, or the portal, may send.
    fn limits(&mut self) {
        let template = self.template;
        let routes: Vec<&Route> = template.functions.values().flat_map(|function| &function.routes).collect();
        let name = |route: &Route| format!("{} {}", route.method, route.path);
        for route in routes.iter().filter(|route| route.method == "POST" && route.path.starts_with(WEBHOOKS)) {
            let own = template.limits.iter().any(|limit| limit.route == **route && limit.rate > 0 && limit.burst > 0);
            self.expect(own, &name(route), "has no limit of its own");
        }
        for limit in &template.limits {
            self.expect(routes.contains(&&limit.route), &name(&limit.route), "has a limit and is no route");
        }
    }

    fn function(&mut self, function: &FunctionSpec) {
        let id = function.id.as_str();
        self.expect(function.runtime == "provided.al2023", id, "runtime is not provided.al2023");
        self.expect(function.architectures == ["arm64"], id, "architecture is not arm64");
        self.expect(function.json_logs, id, "logs are not JSON");
        let group = function.log_group.as_ref();
        let group = self.template.log_groups.values().find(|own| Some(&own.name) == group);
        self.expect(group.is_some_and(|group| group.retention_days.is_some()), id, "has no log group with a retention");
        for (name, value) in &function.environment {
            self.expect(!value.is_empty(), id, format!("environment variable {name} is empty"));
        }
        let fits = function.routes.is_empty() || function.timeout_s < HTTP_TIMEOUT_S;
        self.expect(fits, id, "answers HTTP and may run longer than the gateway waits");
        for name in &function.named_policies {
            self.expect(false, id, format!("policy {name} is not written out"));
        }
        self.statements(id, &function.statements);
        self.tables_of(function);
        self.buckets_of(function);
        self.queues_of(function);
        self.platforms(function);
        self.vendors(function);
        function.queues.iter().for_each(|mapping| self.queue_mapping(function, mapping));
        function.streams.iter().for_each(|mapping| self.stream_mapping(function, mapping));
    }

    /// A function knows the tables that its role allows, and no others.
    fn tables_of(&mut self, function: &FunctionSpec) {
        let tables = function.environment.iter().filter(|(name, _)| name.starts_with("TABLE_"));
        let known: BTreeSet<&str> = tables.map(|(_, table)| table.as_str()).collect();
        for table in self.template.tables.values() {
            let arn = table_arn(&table.name);
            let index = format!("{arn}/index/");
            let of_table = |resource: &String| *resource == arn || resource.starts_with(&index);
            let allowed = function.statements.iter().any(|s| s.allows && s.resources.iter().any(of_table));
            let named = known.contains(table.name.as_str());
            let (id, name) = (&function.id, &table.id);
            self.expect(named || !allowed, id, format!("may use {name} and does not know it"));
            self.expect(allowed || !named, id, format!("knows {name} and may not use it"));
        }
    }

    /// A function knows the buckets that its role allows, and no others; one that reads can tell what is absent from what it may not.
    fn buckets_of(&mut self, function: &FunctionSpec) {
        let buckets = function.environment.iter().filter(|(name, _)| name.starts_with("BUCKET_"));
        let known: BTreeSet<&str> = buckets.map(|(_, bucket)| bucket.as_str()).collect();
        for bucket in self.template.buckets.values() {
            let arn = bucket_arn(&bucket.name);
            let objects = format!("{arn}/");
            let may = |action: &str| {
                let statements =
                    function.statements.iter().filter(|s| s.allows && s.actions.iter().any(|a| a == action));
                statements.flat_map(|s| &s.resources).any(|own| *own == arn || own.starts_with(&objects))
            };
            let allowed = function.statements.iter().filter(|s| s.allows).flat_map(|s| &s.resources);
            let allowed = allowed.into_iter().any(|own| *own == arn || own.starts_with(&objects));
            let named = known.contains(bucket.name.as_str());
            let (id, name) = (&function.id, &bucket.id);
            self.expect(named || !allowed, id, format!("may use {name} and does not know it"));
            self.expect(allowed || !named, id, format!("knows {name} and may not use it"));
            if may("s3:GetObject") || may("s3:GetObjectVersion") {
                // without it S3 refuses to say that nothing is there
                let lists = crate::aws::allows(&function.statements, "s3:ListBucket", &arn);
                self.expect(lists, id, format!("reads {name} and may not s3:ListBucket"));
            }
        }
    }

    /// A function knows the queues that it may send to by itself, and what it lays aside there is not lost soon.
    fn queues_of(&mut self, function: &FunctionSpec) {
        let id = function.id.as_str();
        for (name, url) in function.environment.iter().filter(|(name, _)| name.ends_with(QUEUE_URL)) {
            let Some(queue) = queue_of(url).and_then(|name| self.template.queue(name)) else {
                self.expect(false, id, format!("environment variable {name} names no queue"));
                continue;
            };
            self.allowed(function, id, &["sqs:SendMessage"], &queue_arn(&queue.name));
            let longest = queue.retention_s == LONGEST_RETENTION_S;
            self.expect(longest, &queue.id, "does not keep for 14 days what a function lays aside");
        }
    }

    /// A trading server bears few callers at once.
    fn platforms(&mut self, function: &FunctionSpec) {
        let secrets = function.statements.iter().filter(|s| s.allows).flat_map(|s| &s.resources);
        let calls = secrets.into_iter().any(|arn| arn.contains(":secret:") && arn.contains(PLATFORM_SECRETS));
        let only_queues = function.routes.is_empty()
            && function.streams.is_empty()
            && self.template.schedules.iter().all(|schedule| schedule.function != function.id);
        let bounded = only_queues && function.queues.iter().all(|mapping| mapping.maximum_concurrency.is_some());
        let holds = !calls || bounded || function.reserved_concurrency.is_some();
        self.expect(holds, &function.id, "calls trading servers as often at once as it likes");
    }

    /// Who calls a vendor takes one message at a time: one that had to wait for its neighbour's vendor would have spent a receive.
    fn vendors(&mut self, function: &FunctionSpec) {
        let statements = function.statements.iter().filter(|s| s.allows);
        let calls = statements.into_iter().any(|statement| {
            let secrets = |arn: &String| arn.contains(":secret:") && arn.ends_with(VENDOR_SECRETS);
            statement.actions.iter().any(|action| action == "ses:SendEmail") || statement.resources.iter().any(secrets)
        });
        for mapping in &function.queues {
            let holds = !calls || mapping.batch_size == 1;
            self.expect(holds, &mapping.id, "lets messages wait for their neighbour's vendor");
        }
    }

    fn allowed(&mut self, function: &FunctionSpec, at: &str, actions: &[&str], resource: &str) {
        for action in actions {
            let allows = crate::aws::allows(&function.statements, action, resource);
            self.expect(allows, at, format!("{} may not {action} on {resource}", function.id));
        }
    }

    fn queue_mapping(&mut self, function: &FunctionSpec, mapping: &QueueMapping) {
        let id = mapping.id.as_str();
        self.expect(mapping.report_batch_item_failures, id, "does not report failures one by one");
        let least = VISIBILITY_FACTOR * function.timeout_s + mapping.batching_window_s;
        let visibility = self.template.queue(&mapping.queue).map_or(0, |queue| queue.visibility_s);
        self.expect(visibility >= least, id, format!("visibility of {visibility} s is less than {least} s"));
        let actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
        self.allowed(function, id, &actions, &queue_arn(&mapping.queue));
        for filter in &mapping.filters {
            self.expect(Pattern::compile(filter).is_ok(), id, "has a filter that does not run locally");
        }
    }

    fn stream_mapping(&mut self, function: &FunctionSpec, mapping: &StreamMapping) {
        let id = mapping.id.as_str();
        self.expect(mapping.report_batch_item_failures, id, "does not report failures one by one");
        self.expect(mapping.bisect, id, "does not split a failed batch");
        self.expect(mapping.maximum_retries.is_none(), id, "gives records up before they are too old");
        let ages = mapping.maximum_age_s.is_some_and(|age| age < STREAM_RETENTION_S);
        self.expect(ages, id, "keeps records longer than the stream does");
        self.expect(mapping.parallelization <= 10, id, "has more than ten batches of a shard at once");
        self.expect(mapping.on_failure.is_some(), id, "has no destination for records given up");
        let actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
        self.allowed(function, id, &actions, &stream_arn(&mapping.table));
        if let Some(queue) = &mapping.on_failure {
            self.allowed(function, id, &["sqs:SendMessage"], &queue_arn(queue));
        }
        for filter in &mapping.filters {
            self.expect(Pattern::compile(filter).is_ok(), id, "has a filter that does not run locally");
        }
    }

    fn table(&mut self, table: &Table) {
        let id = table.id.as_str();
        let retained = [&table.deletion_policy, &table.replace_policy].iter().all(|p| p.as_deref() == Some("Retain"));
        self.expect(retained, id, "is not retained when the stack or the table is replaced");
        self.expect(table.recoverable, id, "has no point-in-time recovery");
        self.expect(table.encrypted, id, "is not encrypted");
        self.expect(table.deletion_protected, id, "has no deletion protection");
        self.expect(table.billing == "PAY_PER_REQUEST", id, "is not on demand");
    }

    fn bucket(&mut self, bucket: &Bucket) {
        let id = bucket.id.as_str();
        let retained = [&bucket.deletion_policy, &bucket.replace_policy].iter().all(|p| p.as_deref() == Some("Retain"));
        self.expect(retained, id, "is not retained when the stack or the bucket is replaced");
        self.expect(bucket.versioned, id, "does not keep versions");
        self.expect(bucket.encrypted, id, "is not encrypted");
        self.expect(bucket.private, id, "can be made public");
        self.expect(bucket.aborts_uploads, id, "keeps uploads that are never completed");
        let tls = self.template.policies.iter().any(|policy| policy.tls_only.as_ref() == Some(&bucket.name));
        self.expect(tls, id, "can be used without TLS");
        let open = bucket.cors.iter().flat_map(|rule| &rule.origins).any(|origin| origin.contains('*'));
        self.expect(!open, id, "lets every web page in");
    }

    fn queue(&mut self, queue: &Queue) {
        let id = queue.id.as_str();
        self.expect(queue.encrypted, id, "is not encrypted");
        if self.takes_dead_letters(queue) {
            let longest = queue.retention_s == LONGEST_RETENTION_S;
            self.expect(longest, id, "does not keep dead letters for 14 days");
            return;
        }
        let consumed = self.template.functions.values().flat_map(|f| &f.queues).any(|m| m.queue == queue.name);
        self.expect(consumed, id, "has no consumer");
        match &queue.redrive {
            Some(redrive) => {
                let enough = redrive.maximum_receives >= RECEIVES_MIN;
                self.expect(enough, id, format!("gives up after fewer than {RECEIVES_MIN} receives"));
                self.expect(redrive.dead_letters != queue.name, id, "is its own dead-letter queue");
            }
            None => self.expect(false, id, "has no dead-letter queue"),
        }
    }

    fn takes_dead_letters(&self, queue: &Queue) -> bool {
        let name = &queue.name;
        let template = self.template;
        let redrives = template.queues.values().filter_map(|queue| Some(&queue.redrive.as_ref()?.dead_letters));
        let targets = template.rules.values().flat_map(|rule| &rule.targets).filter_map(|t| t.dead_letters.as_ref());
        let streams = template.functions.values().flat_map(|f| &f.streams).filter_map(|m| m.on_failure.as_ref());
        let timers = template.schedules.iter().filter_map(|schedule| schedule.dead_letters.as_ref());
        redrives.chain(targets).chain(streams).chain(timers).any(|own| own == name)
    }

    fn rule(&mut self, rule: &Rule) {
        let id = rule.id.as_str();
        self.expect(rule.enabled, id, "is switched off");
        self.expect(rule.bus != "default", id, "is on the account's default bus");
        self.expect(!rule.targets.is_empty(), id, "has no target");
        self.expect(Pattern::compile(&rule.pattern).is_ok(), id, "has a pattern that does not run locally");
        for target in &rule.targets {
            self.expect(!target.transformed, id, "changes the event on the way");
            self.undeliverable(id, target.dead_letters.as_ref());
            match &target.kind {
                TargetKind::Queue(name) => self.may_send(id, name),
                TargetKind::Function(function) => self.may_be_invoked(id, function),
            }
        }
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.expect(schedule.enabled, &schedule.id, "is switched off");
        self.undeliverable(&schedule.id, schedule.dead_letters.as_ref());
        self.may_be_invoked(&schedule.id, &schedule.function);
    }

    fn undeliverable(&mut self, id: &str, dead_letters: Option<&String>) {
        match dead_letters {
            Some(name) => self.may_send(id, name),
            None => self.expect(false, id, "has no dead-letter queue"),
        }
    }

    /// The queue's own policy must let EventBridge in, on behalf of the rule.
    fn may_send(&mut self, id: &str, queue: &str) {
        let (arn, rule) = (queue_arn(queue), rule_arn(id));
        let policies = self.template.policies.iter().filter(|policy| policy.queues.iter().any(|own| own == queue));
        let mut statements = policies.flat_map(|policy| &policy.statements).filter(|s| s.sources.contains(&rule));
        let open = statements.any(|s| crate::aws::allows(std::slice::from_ref(s), "sqs:SendMessage", &arn));
        self.expect(open, id, format!("may not send to {queue}"));
    }

    /// A queue policy is about its own queues: a pattern in it may fit these and no others.
    fn queue_policy(&mut self, policy: &Policy) {
        for statement in policy.statements.iter().filter(|statement| statement.allows) {
            let bound = !statement.sources.is_empty() || statement.accounts == [ACCOUNT];
            self.expect(bound, &policy.owner, "lets a service in on behalf of anybody");
            for queue in self.template.queues.values().filter(|queue| !policy.queues.contains(&queue.name)) {
                let arn = queue_arn(&queue.name);
                let fits = crate::aws::allows(std::slice::from_ref(statement), "sqs:SendMessage", &arn);
                self.expect(!fits, &policy.owner, format!("speaks of {}, whose policy it is not", queue.id));
            }
            for action in &statement.actions {
                self.expect(!action.contains('*'), &policy.owner, format!("allows every action like {action}"));
            }
        }
    }

    /// SAM writes the permission for its own events, not for explicit rules.
    fn may_be_invoked(&mut self, id: &str, function: &str) {
        let own = id.split_once('.').is_some_and(|(owner, _)| owner == function);
        let arn = rule_arn(id);
        let granted = self.template.permissions.iter().any(|p| p.function == function && p.source == arn);
        let name = self.template.functions.get(function).map_or_else(String::new, |f| function_arn(&f.name));
        self.expect(own || granted, id, format!("may not invoke {name}"));
    }

    fn statements(&mut self, owner: &str, statements: &[Statement]) {
        let journals: Vec<String> = self
            .template
            .tables
            .values()
            .filter(|table| table.id.starts_with("Journal"))
            .map(|table| table_arn(&table.name))
            .collect();
        for statement in statements.iter().filter(|statement| statement.allows) {
            for action in &statement.actions {
                self.expect(!action.contains('*'), owner, format!("allows every action like {action}"));
            }
            self.expect(!statement.resources.is_empty(), owner, "has a statement without a resource");
            let unbound = statement.actions.iter().all(|action| WITHOUT_RESOURCES.contains(&action.as_str()));
            for resource in &statement.resources {
                self.expect(
                    narrow(resource) || (unbound && resource == "*"),
                    owner,
                    format!("allows every resource like {resource}"),
                );
            }
            for (action, journal) in REWRITES.iter().flat_map(|action| journals.iter().map(move |j| (action, j))) {
                let rewrites = crate::aws::allows(std::slice::from_ref(statement), action, journal);
                self.expect(!rewrites, owner, format!("may rewrite the journal with {action}"));
            }
        }
    }
}

/// A route as the last part of the gateway's ARN.
fn route_arn(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { "*" } else { part });
    let method = if route.method == "ANY" { "*" } else { &route.method };
    format!("{method}{}", parts.collect::<Vec<_>>().join("/"))
}

/// Whether a resource names one thing, or as little more than one thing as its ARN can say.
fn narrow(resource: &str) -> bool {
    if let Some(group) = resource.strip_suffix(":*") {
        // the streams of one log group
        return resource.starts_with("arn:aws:logs:") && !group.contains('*');
    }
    if let Some(secret) = resource.strip_suffix("-??????") {
        // six characters that AWS adds, and the vendors' secrets of one installation
        let path = secret.strip_suffix("/*").unwrap_or(secret);
        return resource.starts_with("arn:aws:secretsmanager:") && path.contains('/') && !path.contains(['*', '?']);
    }
    if let Some(objects) = resource.strip_suffix("/*") {
        // the objects of one prefix
        let prefix = objects.strip_prefix("arn:aws:s3:::").and_then(|path| path.split_once('/'));
        return prefix.is_some_and(|(bucket, prefix)| !bucket.is_empty() && !prefix.is_empty())
            && !objects.contains(['*', '?']);
    }
    !resource.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template of the host's tests, which take several messages at once to see what becomes of each.
    fn fixture() -> String {
        include_str!("../tests/fixtures/template.yaml").replace("      BatchSize: 3\n", "      BatchSize: 1\n")
    }

    const HANDLERS: [&str; 4] = ["steps-take", "steps-relay", "steps-work", "steps-tick"];

    fn check(text: &str, handlers: &[&str]) -> Vec<String> {
        let parameters = [("Stage", "dev"), ("JwtIssuer", "http://i"), ("JwksUrl", "http://i/keys")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let template = Template::parse(text, &parameters).unwrap();
        let code = Code { handlers, timeouts: &[("steps-work", 5)] };
        faults(&template, code).into_iter().map(|fault| format!("{}: {}", fault.resource, fault.what)).collect()
    }

    #[test]
    fn a_sound_template_has_no_faults() {
        assert_eq!(check(&fixture(), &HANDLERS), Vec::<String>::new());
    }

    #[test]
    fn each_relation_is_seen_when_it_breaks() {
        let breaks = [
            ("Timeout: 5", "Timeout: 6", "WorkMapping: visibility of 30 s is less than 36 s"),
            ("Timeout: 5", "Timeout: 29", "TakeFunction: answers HTTP and may run longer than the gateway waits"),
            (
                "      FunctionResponseTypes: [ReportBatchItemFailures]\n      Sc",
                "      Sc",
                "WorkMapping: does not report failures one by one",
            ),
            (
                "BisectBatchOnFunctionError: true",
                "BisectBatchOnFunctionError: false",
                "RelayFunction.Items: does not split a failed batch",
            ),
            (
                "MaximumRetryAttempts: -1",
                "MaximumRetryAttempts: 10",
                "RelayFunction.Items: gives records up before they are too old",
            ),
            ("Timeout: 5", "Timeout: 4", "steps-work: does not end after 5 s, as its code says"),
            (
                "PARKED_QUEUE_URL: !Ref RelayParked",
                "PARKED_QUEUE_URL: !GetAtt RelayParked.QueueName",
                "RelayFunction: environment variable PARKED_QUEUE_URL names no queue",
            ),
            (
                "Resource: [!GetAtt RelayDeadLetters.Arn, !GetAtt RelayParked.Arn]",
                "Resource: !GetAtt RelayDeadLetters.Arn",
                "RelayFunction: RelayFunction may not sqs:SendMessage on arn:aws:sqs:eu-west-1:000000000000:RelayParked",
            ),
            (
                "MessageRetentionPeriod: 1209600, RedrivePolicy",
                "RedrivePolicy",
                "RelayParked: does not keep for 14 days what a function lays aside",
            ),
            (
                "      BatchSize: 1\n",
                "      BatchSize: 2\n",
                "WorkMapping: lets messages wait for their neighbour's vendor",
            ),
            (
                "      ScalingConfig: {MaximumConcurrency: 2}\n",
                "",
                "WorkFunction: calls trading servers as often at once as it likes",
            ),
            ("/GET/v1/items/mine'", "/GET/v1/items/theirs'", "TakeFunction: may not be invoked for GET/v1/items/mine"),
            (
                "/GET/v1/items/mine'",
                "/GET/v1/items/theirs'",
                "TakeFunction: may be invoked for GET/v1/items/theirs, which is not its route",
            ),
            (
                "function:items-${Stage}-take/invocations'}}\n            post:",
                "function:items-${Stage}-take/invocations'}}\n            put:",
                "TakeFunction: may not be invoked for PUT/v1/items/*",
            ),
            (
                "'/~1v1~1webhooks~1one', HttpMethod: POST",
                "'/~1v1~1webhooks~1one', HttpMethod: PUT",
                "POST /v1/webhooks/one: has no limit of its own",
            ),
            (
                "'/~1v1~1webhooks~1one', HttpMethod: POST",
                "'/~1v1~1webhooks~1two', HttpMethod: POST",
                "POST /v1/webhooks/two: has a limit and is no route",
            ),
            (
                "      Queues: [!Ref WorkQueue, !Ref Undelivered]\n",
                "      Queues: [!Ref WorkQueue]\n",
                "QueuePolicy: speaks of Undelivered, whose policy it is not",
            ),
            (
                "Condition: {ArnEquals: {'aws:SourceArn': !GetAtt WorkRule.Arn}}",
                "Condition: {ArnEquals: {'aws:SourceArn': !GetAtt TickRule.Arn}}",
                "WorkRule: may not send to work-dev",
            ),
            (
                "Condition: {ArnEquals: {'aws:SourceArn': !GetAtt WorkRule.Arn}}",
                "Condition: {Bool: {'aws:SecureTransport': true}}",
                "QueuePolicy: lets a service in on behalf of anybody",
            ),
            ("43200", "86400", "RelayFunction.Items: keeps records longer than the stream does"),
            (
                "            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt RelayDeadLetters.Arn}}\n",
                "",
                "RelayFunction.Items: has no destination for records given up",
            ),
            ("maxReceiveCount: 5", "maxReceiveCount: 4", "WorkQueue: gives up after fewer than 5 receives"),
            (
                "      RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 5}\n",
                "",
                "WorkQueue: has no dead-letter queue",
            ),
            (
                "Arn: !GetAtt WorkQueue.Arn, DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}",
                "Arn: !GetAtt WorkQueue.Arn",
                "WorkRule: has no dead-letter queue",
            ),
            (", DeadLetterConfig: {Arn: !GetAtt TickUndelivered.Arn}", "", "TickRule: has no dead-letter queue"),
            (
                "Resource: [!GetAtt WorkQueue.Arn, !GetAtt Undelivered.Arn]",
                "Resource: !GetAtt Undelivered.Arn",
                "WorkRule: may not send to work-dev",
            ),
            (
                "SourceArn: !GetAtt TickRule.Arn\n\n",
                "SourceArn: !GetAtt WorkRule.Arn\n\n",
                "TickRule: may not invoke arn:aws:lambda:eu-west-1:000000000000:function:TickFunction",
            ),
            (
                "MessageRetentionPeriod: 1209600",
                "MessageRetentionPeriod: 345600",
                "RelayDeadLetters: does not keep dead letters for 14 days",
            ),
            ("Architectures: [arm64]", "Architectures: [x86_64]", "TakeFunction: architecture is not arm64"),
            ("provided.al2023", "provided.al2", "TakeFunction: runtime is not provided.al2023"),
            ("RetentionInDays: 30", "LogGroupClass: STANDARD", "RelayFunction: has no log group with a retention"),
            ("LogFormat: JSON", "LogFormat: Text", "TakeFunction: logs are not JSON"),
            ("{STAGE: !Ref Stage, ", "{STAGE: '', ", "TakeFunction: environment variable STAGE is empty"),
            (
                "DeletionPolicy: Retain",
                "DeletionPolicy: Delete",
                "ItemsTable: is not retained when the stack or the table is replaced",
            ),
            (
                "PointInTimeRecoveryEnabled: true",
                "PointInTimeRecoveryEnabled: false",
                "ItemsTable: has no point-in-time recovery",
            ),
            ("SSEEnabled: true", "SSEEnabled: false", "ItemsTable: is not encrypted"),
            (
                "DeletionProtectionEnabled: true",
                "DeletionProtectionEnabled: false",
                "ItemsTable: has no deletion protection",
            ),
            ("Action: dynamodb:Query, ", "Action: 'dynamodb:*', ", "TakeFunction: allows every action like dynamodb:*"),
            (
                "Resource: !Sub '${ItemsTable.Arn}/index/by_owner'",
                "Resource: '*'",
                "TakeFunction: allows every resource like *",
            ),
            (
                "Resource: !Sub '${ItemsTable.Arn}/index/by_owner'",
                "Resource: !Sub '${ItemsTable.Arn}/index/*'",
                "TakeFunction: allows every resource like arn:aws:dynamodb:eu-west-1:000000000000:table/items-dev/index/*",
            ),
            (
                "secret:items/${Stage}/key-??????",
                "secret:*-??????",
                "TakeFunction: allows every resource like arn:aws:secretsmanager:eu-west-1:000000000000:secret:*-??????",
            ),
            (
                "Action: [dynamodb:PutItem], Resource: !GetAtt JournalTable.Arn",
                "Action: [dynamodb:PutItem, dynamodb:UpdateItem], Resource: !GetAtt JournalTable.Arn",
                "RelayFunction: may rewrite the journal with dynamodb:UpdateItem",
            ),
            ("TABLE_ITEMS: !Ref ItemsTable, ", "", "TakeFunction: may use ItemsTable and does not know it"),
            (
                "{BUS_NAME: !Ref Bus}",
                "{BUS_NAME: !Ref Bus, TABLE_ITEMS: !Ref ItemsTable}",
                "TickFunction: knows ItemsTable and may not use it",
            ),
            (
                "[sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]",
                "[sqs:ReceiveMessage, sqs:DeleteMessage]",
                "WorkMapping: WorkFunction may not sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:000000000000:work-dev",
            ),
            (
                "      RoleName: relay-role\n",
                "      RoleName: relay-role\n      ManagedPolicyArns: [arn:aws:iam::aws:policy/ReadOnlyAccess]\n",
                "RelayFunction: policy arn:aws:iam::aws:policy/ReadOnlyAccess is not written out",
            ),
            ("      EventBusName: !Ref Bus\n", "", "WorkRule: is on the account's default bus"),
            (
                "VersioningConfiguration: {Status: Enabled}",
                "VersioningConfiguration: {Status: Suspended}",
                "ScansBucket: does not keep versions",
            ),
            ("BlockPublicPolicy: true", "BlockPublicPolicy: false", "ScansBucket: can be made public"),
            (
                "AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}",
                "ExpirationInDays: 9",
                "ScansBucket: keeps uploads that are never completed",
            ),
            ("'aws:SecureTransport': false", "'aws:SecureTransport': true", "ScansBucket: can be used without TLS"),
            ("AllowedOrigins: ['https://portal.test']", "AllowedOrigins: ['*']", "ScansBucket: lets every web page in"),
            ("      BucketEncryption: {Server", "      Tags: {Server", "ScansBucket: is not encrypted"),
            ("BUCKET_SCANS: !Ref ScansBucket, ", "", "TakeFunction: may use ScansBucket and does not know it"),
            (
                "Environment: {Variables: {BUS_NAME: !Ref Bus}}",
                "Environment: {Variables: {BUS_NAME: !Ref Bus, BUCKET_SCANS: !Ref ScansBucket}}",
                "TickFunction: knows ScansBucket and may not use it",
            ),
            (
                "            - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt ScansBucket.Arn}\n",
                "",
                "TakeFunction: reads ScansBucket and may not s3:ListBucket",
            ),
            (
                "Resource: !Sub '${ScansBucket.Arn}/scans/*'",
                "Resource: !Sub '${ScansBucket.Arn}/*'",
                "TakeFunction: allows every resource like arn:aws:s3:::scansbucket/*",
            ),
        ];
        for (sound, broken, fault) in breaks {
            assert!(fixture().contains(sound), "{sound}");
            let found = check(&fixture().replace(sound, broken), &HANDLERS);
            assert!(found.iter().any(|found| found == fault), "{fault}: {found:?}");
        }
    }

    #[test]
    fn what_multiplies_is_counted() {
        let end = "  # an alarm only where somebody listens\n";
        let more = |name: &str, count: usize| -> String {
            (0..count).map(|i| format!("  {name}{i}: {{Type: AWS::SNS::Topic}}\n")).collect::<String>() + end
        };
        let found = check(&fixture().replace(end, &more("Work", 2)), &HANDLERS);
        assert_eq!(found, ["WorkFunction: takes 7 resources, more than 6"]);
        let found = check(&fixture().replace(end, &more("Topic", 200)), &HANDLERS);
        assert!(found[0].starts_with("template: has 2") && found[0].ends_with(", more than 200"), "{found:?}");
        let metric = "        - {Id: a, MetricStat: {Metric: {Namespace: AWS/Lambda, MetricName: Errors}}}\n";
        let alarm = format!(
            "  Alarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Metrics:\n{}{end}",
            metric.repeat(11)
        );
        assert_eq!(check(&fixture().replace(end, &alarm), &HANDLERS), ["Alarm: watches more than 10 metrics"]);
    }

    #[test]
    fn code_and_template_must_name_the_same_handlers() {
        let found = check(&fixture(), &["steps-take", "steps-relay", "steps-work", "steps-bury"]);
        assert_eq!(found, ["steps-bury: has code and is not deployed", "steps-tick: is deployed and has no code"]);
    }
}
