//! What the model says of the fixture, in both ways in which SAM writes things.

use std::collections::BTreeMap;
use std::time::Duration;

use host::template::{
    Projection, QueueMapping, Rate, Redrive, Route, RuleTarget, Statement, TargetKind, Template, When,
};
use serde_json::json;

use crate::support::FIXTURE;

fn parse(text: &str) -> Result<Template, String> {
    let parameters = [("Stage", "test"), ("JwtIssuer", "http://i"), ("JwksUrl", "http://i/keys")];
    let parameters: BTreeMap<String, String> =
        parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Template::parse(text, &parameters).map_err(|error| error.to_string())
}

#[test]
fn a_function_has_its_globals_environment_routes_and_statements() {
    let template = parse(FIXTURE).unwrap();
    let take = template.function("steps-take").unwrap();
    assert_eq!((take.id.as_str(), take.timeout_s, take.memory_mb), ("TakeFunction", 5, 128));
    assert_eq!(
        (take.runtime.as_str(), take.architectures.as_slice()),
        ("provided.al2023", ["arm64".to_owned()].as_slice())
    );
    assert_eq!(take.environment["TABLE_ITEMS"], "items-test");
    assert_eq!(take.environment["STAGE"], "test");
    assert_eq!(take.environment["SECRET"], "items/test/key");
    assert_eq!((take.log_group.as_deref(), take.json_logs), (Some("/items/test/take"), true));
    let route = |method: &str, path: &str| Route { method: method.to_owned(), path: path.to_owned() };
    assert!(take.routes.contains(&route("POST", "/v1/items/{item_id}")));
    assert!(take.routes.contains(&route("ANY", "/v1/files/{path+}")));
    let query = Statement {
        allows: true,
        actions: vec!["dynamodb:Query".to_owned()],
        resources: vec!["arn:aws:dynamodb:eu-west-1:000000000000:table/items-test/index/by_owner".to_owned()],
        conditional: false,
        sources: vec![],
    };
    assert!(take.statements.contains(&query));
    let relay = template.function("steps-relay").unwrap();
    assert_eq!(relay.statements.len(), 6, "from the role");
    assert!(relay.named_policies.is_empty());
}

#[test]
fn tables_queues_and_mappings_are_typed() {
    let template = parse(FIXTURE).unwrap();
    let items = template.table("items-test").unwrap();
    assert_eq!((items.partition.name.as_str(), items.sort.as_ref().unwrap().name.as_str()), ("pk", "sk"));
    assert_eq!(items.stream_view.as_deref(), Some("NEW_IMAGE"));
    assert_eq!(items.indexes[0].projection, Projection::KeysOnly);
    assert_eq!(template.table("JournalTable").unwrap().sort.as_ref().unwrap().kind, "N");

    let queue = template.queue("work-test").unwrap();
    assert_eq!((queue.visibility_s, queue.retention_s, queue.encrypted), (30, 345_600, true));
    let redrive = Redrive { dead_letters: "DeadLetters".to_owned(), maximum_receives: 5 };
    assert_eq!(queue.redrive, Some(redrive));
    let mapping = QueueMapping {
        id: "WorkMapping".to_owned(),
        queue: "work-test".to_owned(),
        batch_size: 3,
        batching_window_s: 0,
        maximum_concurrency: Some(2),
        report_batch_item_failures: true,
        filters: vec![],
    };
    assert_eq!(template.function("steps-work").unwrap().queues, [mapping]);
    let stream = &template.function("steps-relay").unwrap().streams[0];
    assert_eq!((stream.table.as_str(), stream.batch_size, stream.parallelization), ("items-test", 10, 2));
    assert_eq!((stream.maximum_retries, stream.maximum_age_s, stream.bisect), (None, Some(43_200), true));
    assert_eq!(stream.on_failure.as_deref(), Some("RelayDeadLetters"));
    assert_eq!(stream.filters[0]["eventName"], json!(["INSERT", "MODIFY"]));
}

#[test]
fn rules_timers_permissions_and_conditional_resources_are_typed() {
    let template = parse(FIXTURE).unwrap();
    let rule = &template.rules["WorkRule"];
    assert_eq!((rule.bus.as_str(), rule.enabled), ("items-test", true));
    let target = RuleTarget {
        id: "queue".to_owned(),
        kind: TargetKind::Queue("work-test".to_owned()),
        dead_letters: Some("Undelivered".to_owned()),
        transformed: false,
    };
    assert_eq!(rule.targets, [target]);
    let timer = &template.schedules[0];
    assert_eq!((timer.id.as_str(), timer.function.as_str()), ("TickRule", "TickFunction"));
    assert_eq!(timer.when, When::Rate(Rate(Duration::from_secs(60))));
    assert_eq!(template.permissions.last().unwrap().source, "arn:aws:events:eu-west-1:000000000000:rule/TickRule");
    assert!(template.alarms.is_empty(), "nobody listens");
}

#[test]
fn sam_events_say_the_same_as_explicit_resources() {
    let template = parse(
        r"
Parameters: {Stage: {Type: String}, JwtIssuer: {Type: String}, JwksUrl: {Type: String}}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: bus}}
  Step:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: step}}
    Properties:
      Handler: step
      Events:
        Messages: {Type: SQS, Properties: {Queue: {Fn::GetAtt: [Queue, Arn]}}}
        Off: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, Enabled: false}}
        Happens: {Type: EventBridgeRule, Properties: {EventBusName: !Ref Bus, Pattern: {source: [a]}, DeadLetterConfig: {Arn: !GetAtt Queue.Arn}}}
        Daily: {Type: Schedule, Properties: {Schedule: cron(0 6 * * ? *), Input: '{}'}}
        Hourly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour), State: DISABLED}}
",
    )
    .unwrap();
    let step = &template.functions["Step"];
    let mapping = &step.queues[0];
    assert_eq!((step.queues.len(), step.timeout_s), (1, 3));
    assert_eq!(
        (mapping.batch_size, mapping.maximum_concurrency, mapping.report_batch_item_failures),
        (10, None, false)
    );
    let rule = &template.rules["Step.Happens"];
    assert_eq!(rule.targets[0].kind, TargetKind::Function("Step".to_owned()));
    assert_eq!(rule.targets[0].dead_letters.as_deref(), Some("Queue"));
    let timers: Vec<_> = template.schedules.iter().map(|t| (t.id.as_str(), t.enabled, t.input.as_deref())).collect();
    assert_eq!(timers, [("Step.Daily", true, Some("{}")), ("Step.Hourly", false, None)]);
}

#[test]
fn a_fault_names_its_resource() {
    for (sound, broken, fault) in [
        (
            "Binary: steps}}\n    Properties:\n      Handler: steps-work",
            "Name: steps}}\n    Properties:\n      Handler: steps-work",
            "WorkFunction: Metadata.BuildProperties.Binary is missing",
        ),
        ("      Handler: steps-work\n", "", "WorkFunction: Handler is missing"),
        (
            "MessageRetentionPeriod: 1209600",
            "MessageRetentionPeriod: long",
            "DeadLetters: MessageRetentionPeriod is not a whole number",
        ),
        ("rate(1 minute)", "rate(1 minutes)", "TickRule: ScheduleExpression is not a schedule"),
        (
            "Stream: !GetAtt ItemsTable.StreamArn",
            "Stream: !GetAtt ItemsTable.Arn",
            "RelayFunction: Events.Items.Properties.Stream is not the ARN of a table's stream",
        ),
        (
            "Stream: !GetAtt ItemsTable.StreamArn",
            "Stream: !GetAtt JournalTable.StreamArn",
            "RelayFunction.Items: a stream of table JournalTable is not in the template",
        ),
        (
            "FunctionName: !Ref WorkFunction",
            "FunctionName: Nobody",
            "WorkMapping: Nobody is not a function of the template",
        ),
        (
            "!GetAtt DeadLetters.Arn, maxReceiveCount",
            "arn:aws:sqs:eu-west-1:1:gone, maxReceiveCount",
            "WorkQueue: queue gone is not in the template",
        ),
        ("EventBusName: !Ref Bus", "EventBusName: other", "WorkRule: bus other is not in the template"),
        (
            "{AttributeName: owner, AttributeType: S}",
            "{AttributeName: other, AttributeType: S}",
            "ItemsTable: GlobalSecondaryIndexes[0].KeySchema[0].owner has no attribute definition",
        ),
        ("type: aws_proxy", "type: mock", "Api: GET /v1/items/{item_id}: is not answered by a function alone"),
        (
            "-take/invocations",
            "-give/invocations",
            "Api: GET /v1/items/{item_id}: function items-test-give is not in the template",
        ),
        ("-take/invocations", "-take", "Api: GET /v1/items/{item_id}: its uri is not that of a function"),
        (
            "  JwksUrl: {Type: String}",
            "  JwksUrl: {Type: String}\n  More: {Type: String}",
            "parameter More has no default and no value",
        ),
        (
            "  JwksUrl: {Type: String}\n",
            "  Other: {Type: String, Default: x}\n",
            "parameter JwksUrl is not declared in the template",
        ),
    ] {
        assert!(FIXTURE.contains(sound), "{sound}");
        assert_eq!(parse(&FIXTURE.replace(sound, broken)).err().as_deref(), Some(fault));
    }
    assert_eq!(
        parse("Resources: {A: {Properties: {}}}").err().as_deref(),
        Some("parameter JwksUrl is not declared in the template")
    );
}
