//! What must hold between the parts of a template; CloudFormation and cfn-lint see each part alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::dispatch::pattern::Pattern;
use crate::template::{
    FunctionSpec, Queue, QueueMapping, Rule, Schedule, Statement, StreamMapping, Table, TargetKind, Template,
    function_arn, queue_arn, rule_arn, stream_arn, table_arn,
};

/// A queue's visibility time-out, in time-outs of the function that consumes it.
const VISIBILITY_FACTOR: u32 = 6;
/// Receives before a message is given up: less makes dead letters of short outages.
const RECEIVES_MIN: u32 = 5;
/// Dead letters are kept as long as SQS can.
const DEAD_LETTER_RETENTION_S: u32 = 1_209_600;
/// API Gateway gives up then.
const HTTP_TIMEOUT_S: u32 = 29;
/// A stream keeps a record so long.
const STREAM_RETENTION_S: u32 = 86_400;
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

/// Everything that does not hold; `binaries` are the names in the code's registry.
pub fn faults(template: &Template, binaries: &[&str]) -> Vec<Fault> {
    let mut check = Check { template, faults: Vec::new() };
    check.binaries(binaries);
    template.functions.values().for_each(|function| check.function(function));
    template.tables.values().for_each(|table| check.table(table));
    template.queues.values().for_each(|queue| check.queue(queue));
    template.rules.values().for_each(|rule| check.rule(rule));
    template.schedules.iter().for_each(|schedule| check.schedule(schedule));
    for policy in &template.policies {
        check.statements(&policy.owner, &policy.statements);
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

    fn binaries(&mut self, binaries: &[&str]) {
        let mut deployed: BTreeMap<&str, usize> = BTreeMap::new();
        for function in self.template.functions.values() {
            *deployed.entry(function.binary.as_str()).or_default() += 1;
        }
        for binary in binaries {
            self.expect(deployed.contains_key(binary), binary, "has code and is not deployed");
        }
        for (binary, count) in deployed {
            self.expect(binaries.contains(&binary), binary, "is deployed and has no code");
            self.expect(count == 1, binary, "is deployed more than once");
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
        self.expect(mapping.maximum_retries.is_some(), id, "retries until the record expires");
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

    fn queue(&mut self, queue: &Queue) {
        let id = queue.id.as_str();
        self.expect(queue.encrypted, id, "is not encrypted");
        if self.takes_dead_letters(queue) {
            let longest = queue.retention_s == DEAD_LETTER_RETENTION_S;
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
                TargetKind::Queue(name) => self.may_be_sent_to(id, name),
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
            Some(name) => self.may_be_sent_to(id, name),
            None => self.expect(false, id, "has no dead-letter queue"),
        }
    }

    /// The queue's own policy must let EventBridge in.
    fn may_be_sent_to(&mut self, id: &str, queue: &str) {
        let arn = queue_arn(queue);
        let mut policies = self.template.policies.iter().filter(|policy| !policy.of_role);
        let open = policies.any(|policy| crate::aws::allows(&policy.statements, "sqs:SendMessage", &arn));
        self.expect(open, id, format!("may not send to {queue}"));
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
            for resource in &statement.resources {
                self.expect(narrow(resource), owner, format!("allows every resource like {resource}"));
            }
            for (action, journal) in REWRITES.iter().flat_map(|action| journals.iter().map(move |j| (action, j))) {
                let rewrites = crate::aws::allows(std::slice::from_ref(statement), action, journal);
                self.expect(!rewrites, owner, format!("may rewrite the journal with {action}"));
            }
        }
    }
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
    !resource.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = include_str!("../tests/fixtures/template.yaml");
    const BINARIES: [&str; 4] = ["steps-take", "steps-relay", "steps-work", "steps-tick"];

    fn check(text: &str, binaries: &[&str]) -> Vec<String> {
        let parameters = [("Stage", "dev"), ("JwtIssuer", "http://i"), ("JwksUrl", "http://i/keys")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let template = Template::parse(text, &parameters).unwrap();
        faults(&template, binaries).into_iter().map(|fault| format!("{}: {}", fault.resource, fault.what)).collect()
    }

    #[test]
    fn a_sound_template_has_no_faults() {
        assert_eq!(check(FIXTURE, &BINARIES), Vec::<String>::new());
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
                "MaximumRetryAttempts: 2",
                "MaximumRetryAttempts: -1",
                "RelayFunction.Items: retries until the record expires",
            ),
            ("43200", "86400", "RelayFunction.Items: keeps records longer than the stream does"),
            (
                "            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt RelayDeadLetters.Arn}}\n",
                "",
                "RelayFunction.Items: has no destination for records given up",
            ),
            ("maxReceiveCount: 5", "maxReceiveCount: 4", "WorkQueue: gives up after fewer than 5 receives"),
            (
                "      RedrivePolicy: {deadLetterTargetArn: !GetAtt WorkDeadLetters.Arn, maxReceiveCount: 5}\n",
                "",
                "WorkQueue: has no dead-letter queue",
            ),
            (
                "Arn: !GetAtt WorkQueue.Arn, DeadLetterConfig: {Arn: !GetAtt WorkUndelivered.Arn}",
                "Arn: !GetAtt WorkQueue.Arn",
                "WorkRule: has no dead-letter queue",
            ),
            (", DeadLetterConfig: {Arn: !GetAtt TickUndelivered.Arn}", "", "TickRule: has no dead-letter queue"),
            (
                "Resource: [!GetAtt WorkQueue.Arn, !GetAtt WorkUndelivered.Arn]",
                "Resource: !GetAtt WorkUndelivered.Arn",
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
        ];
        for (sound, broken, fault) in breaks {
            assert!(FIXTURE.contains(sound), "{sound}");
            let found = check(&FIXTURE.replace(sound, broken), &BINARIES);
            assert!(found.iter().any(|found| found == fault), "{fault}: {found:?}");
        }
    }

    #[test]
    fn code_and_template_must_name_the_same_binaries() {
        let found = check(FIXTURE, &["steps-take", "steps-relay", "steps-work", "steps-bury"]);
        assert_eq!(found, ["steps-bury: has code and is not deployed", "steps-tick: is deployed and has no code"]);
    }
}
