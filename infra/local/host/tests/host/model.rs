//! What the model says of the fixture, in both ways in which SAM writes things.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use host::template::{
    Projection, QueueMapping, Rate, Redrive, Route, RouteLimit, RuleTarget, Statement, TargetKind, Template, When,
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
        accounts: vec![],
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
fn a_route_has_the_limit_that_the_api_sets_for_it_alone() {
    let limit = |path: &str| RouteLimit {
        route: Route { method: "POST".to_owned(), path: path.to_owned() },
        rate: 2,
        burst: 3,
    };
    assert_eq!(parse(FIXTURE).unwrap().limits, [limit("/v1/webhooks/one"), limit("/v1/webhooks/{vendor}")]);
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

/// Reads the nested fixture with one of its texts replaced.
fn nested(file: &str, sound: &str, broken: &str) -> Result<Template, String> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nested");
    let folder = std::env::temp_dir().join(format!("host-nested-{}-{}", std::process::id(), broken.len()));
    std::fs::create_dir_all(folder.join("stacks")).unwrap();
    for name in ["template.yaml", "openapi.yaml", "stacks/data.yaml", "stacks/answers.yaml"] {
        let mut text = std::fs::read_to_string(fixture.join(name)).unwrap();
        if name == file {
            assert!(text.contains(sound), "{sound}");
            text = text.replace(sound, broken);
        }
        std::fs::write(folder.join(name), text).unwrap();
    }
    let parameters = [("Stage".to_owned(), "test".to_owned())].into();
    let template = Template::read(&folder.join("template.yaml"), &parameters).map_err(|error| error.to_string());
    std::fs::remove_dir_all(folder).unwrap();
    template
}

#[test]
fn nested_stacks_are_one_model() {
    let template = nested("template.yaml", "Stage", "Stage").unwrap();
    let answer = template.function("answer").unwrap();
    assert_eq!(answer.environment["ROUTES"], "Api/*", "a parameter from the root");
    assert_eq!(answer.queues[0].queue, "nested-test", "an output of another stack");
    assert_eq!(answer.routes, [Route { method: "GET".to_owned(), path: "/v1/items/{item_id}".to_owned() }]);
    assert_eq!((answer.binary.as_str(), answer.handler.as_str()), ("answers", "answer"));
    let sizes: BTreeMap<&str, usize> =
        template.stacks.iter().map(|(name, sizes)| (name.as_str(), sizes.values().sum())).collect();
    // the function without a role of its own gets one, and a mapping; the API a deployment and a stage
    assert_eq!(sizes, [("Answers", 3), ("Data", 1), ("template", 5)].into());
}

#[test]
fn what_stacks_cannot_have_of_one_another_is_a_fault() {
    for (file, sound, broken, fault) in [
        ("template.yaml", "Outputs.QueueArn", "Outputs.Queue", "Answers: stack Data has no output Queue"),
        (
            "template.yaml",
            "Parameters: {Stage: !Ref Stage}\n",
            "Parameters: {Stage: !GetAtt Answers.Outputs.Stage}\n",
            "Data: stack Answers has no output Stage",
        ),
        ("stacks/answers.yaml", "  Routes: {Type: String}\n", "", "parameter Routes is not declared in the template"),
        (
            "stacks/answers.yaml",
            "Resources:\n",
            "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n",
            "template: Queue is in two stacks",
        ),
        ("stacks/data.yaml", "Condition: IsProd, ", "", "OnlyInProd: refers to Nothing, which is not in the template"),
        (
            "openapi.yaml",
            "type: aws_proxy",
            "type: mock",
            "Api: GET /v1/items/{item_id}: is not answered by a function alone",
        ),
    ] {
        assert_eq!(nested(file, sound, broken).map(drop), Err(fault.to_owned()));
    }
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
