//! The real template: it parses, it holds together, and it deploys exactly the code there is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::relations::{Code, faults};
use host::template::{ACCOUNT, FunctionSpec, REGION, Template};
use runtime::Problem;
use runtime::http::SECURITY_HEADERS;
use serde_yaml_ng::Value as Yaml;

/// The registry of the code.
fn handlers() -> Vec<&'static str> {
    let packages = [
        leads::FUNCTIONS,
        kyc::FUNCTIONS,
        kyc::READER,
        kyc::UPLOADS,
        accounts::FUNCTIONS,
        payments::FUNCTIONS,
        retention::FUNCTIONS,
        trades::FUNCTIONS,
        partners::FUNCTIONS,
        compliance::FUNCTIONS,
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
    Template::read(&repository().join("infra/template.yaml"), &parameters).unwrap()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

#[test]
fn the_template_holds_together_and_deploys_exactly_the_code_there_is() {
    let timeouts = [payments::TIMEOUTS, accounts::TIMEOUTS, retention::TIMEOUTS].concat();
    let template = template(&[]);
    let found = faults(&template, Code { handlers: &handlers(), timeouts: &timeouts });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_binary_is_one_of_the_package_that_holds_the_function() {
    for function in template(&[]).functions.values() {
        let package = function.handler.split('-').next().unwrap();
        let source = repository().join(format!("functions/{package}/src/bin/{}.rs", function.binary));
        assert!(source.is_file(), "{}: there is no {}", function.id, source.display());
    }
}

/// What a new queue step takes of its stack's template.
const STEP_LINES_MAX: usize = 25;

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what one wants to see before a step is added")]
fn a_queue_step_is_a_few_lines_of_its_stack() {
    let template = template(&[]);
    let mut counted = 0;
    for (stack, resources) in &template.stacks {
        let text = std::fs::read_to_string(repository().join(format!("infra/stacks/{}.yaml", stack.to_lowercase())));
        let Ok(text) = text else { continue };
        let lines = lines_of_resources(&text);
        let functions = template.functions.values().filter(|function| resources.contains_key(&function.id));
        for step in functions
            .filter(|f| f.queues.len() == 1 && f.streams.is_empty())
            .filter_map(|f| f.id.strip_suffix("Function"))
        {
            let parts = ["Function", "Role", "Rule", "Queue"].map(|part| {
                let id = format!("{step}{part}");
                lines
                    .get(&id)
                    .copied()
                    .unwrap_or_else(|| panic!("the parts of {step} are named after it: there is no {id}"))
            });
            let all: usize = parts.iter().sum();
            println!("{step}: {all} lines, {parts:?}");
            assert!(all <= STEP_LINES_MAX, "{step} takes {all} lines");
            counted += 1;
        }
    }
    assert!(counted >= 10, "{counted} steps");
}

/// How many lines each resource of a template takes, remarks and empty ones aside.
fn lines_of_resources(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let mut resource = String::new();
    // one of many queues that a step may send to is a line of theirs
    let counts = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("!Sub 'arn:")
    };
    for line in text.lines().filter(counts) {
        let name = line.strip_prefix("  ").and_then(|line| line.split_once(':')).map(|(name, _)| name);
        if let Some(name) = name.filter(|name| !name.starts_with(' ')) {
            name.clone_into(&mut resource);
        }
        *lines.entry(resource.clone()).or_default() += 1;
    }
    lines
}

#[test]
fn what_is_set_aside_for_whoever_reads_trading_servers_over_http_is_read_from_its_stack() {
    let template = template(&[]);
    let set_aside = template.functions.values().filter_map(|f| Some((f.handler.as_str(), f.reserved_concurrency?)));
    assert_eq!(
        set_aside.collect::<Vec<_>>(),
        [
            ("accounts-change", 5),
            ("accounts-sweep", 1),
            ("ops-views", 20),
            ("payments-day-end", 1),
            ("payments-withdraw", 5),
            ("trades-feeds", 1),
        ],
        "infra/README.md names it"
    );
}

/// Sessions at one trading server, whoever asks: a worker has one, and waits for nobody else's. What names no platform may come to any.
#[test]
fn the_sessions_that_write_to_one_trading_server_are_few_over_all_functions() {
    const SESSIONS_MAX: usize = 18;
    let template = template(&[]);
    for platform in ["mt5", "mt4", "ctrader", "dxtrade"] {
        let own = |queue: &str| {
            let others = ["mt5", "mt4", "ctrader", "dxtrade"].into_iter().filter(|other| *other != platform);
            others.into_iter().all(|other| !queue.ends_with(other))
        };
        let writers = template.functions.values().filter(|function| {
            ["accounts-create", "accounts-set", "payments-credit", "retention-bonus"]
                .contains(&function.handler.as_str())
        });
        let queues = writers.flat_map(|function| &function.queues).filter(|mapping| own(&mapping.queue));
        // what a person decided is saved and calls no server
        let calling = queues.filter(|mapping| {
            ["accounts-create", "accounts-set", "retention-bonus"].iter().all(|step| !mapping.queue.ends_with(step))
        });
        let sessions: Vec<usize> = calling.map(|mapping| mapping.maximum_concurrency.unwrap()).collect();
        assert_eq!(
            sessions.len(),
            5,
            "{platform}: a queue of accounts, one of changes, one of bonuses, two of credits"
        );
        assert!(sessions.iter().sum::<usize>() <= SESSIONS_MAX, "{platform}: {sessions:?}");
    }
}

#[test]
fn every_dead_letter_queue_is_looked_after() {
    let template = template(&[]);
    let consumed: Vec<&String> = template.functions.values().flat_map(|f| &f.queues).map(|m| &m.queue).collect();
    let lonely: Vec<&String> =
        template.queues.values().map(|q| &q.name).filter(|name| !consumed.contains(name)).collect();
    assert!(lonely.is_empty(), "nothing consumes {lonely:?}: dead letters are consumed by ops-dead-letters");
}

/// Nothing needs these until a message dies, and then it is too late to miss them.
#[test]
fn what_a_queue_step_gives_up_is_parked_and_can_be_sent_back() {
    let template = template(&[]);
    let may_send = |function: &FunctionSpec, queue: &str| {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
        let mut allowed = function.statements.iter().filter(|s| s.allows && s.resources.contains(&arn));
        allowed.any(|s| s.actions.iter().any(|action| action == "sqs:SendMessage"))
    };
    let redrive = template.functions.values().find(|f| f.handler == "ops-redrive").unwrap();
    let runbook = std::fs::read_to_string(repository().join("infra/runbooks/dead_letter.md")).unwrap();
    let mut missing = Vec::new();
    let consumed = template.functions.values().flat_map(|f| f.queues.iter().map(move |mapping| (f, &mapping.queue)));
    for (function, name) in consumed {
        let queue = template.queues.values().find(|queue| queue.name == *name).unwrap();
        let Some(dead_letters) = queue.redrive.as_ref().map(|redrive| &redrive.dead_letters) else { continue };
        let known = function.environment.get("DEAD_LETTERS_URL").is_some_and(|url| url.ends_with(dead_letters));
        let word = name.strip_prefix("pipworks-dev-").unwrap();
        let wanted = [
            (known, format!("{}: DEAD_LETTERS_URL is not {dead_letters}'s (Globals of its stack)", function.id)),
            (may_send(function, dead_letters), format!("{}: may not park in {dead_letters}", function.id)),
            (may_send(redrive, name), format!("ops-redrive may not send back to {name} (infra/stacks/ops.yaml)")),
            (runbook.contains(&format!("| `{word}` |")), format!("infra/runbooks/dead_letter.md has no row {word}")),
        ];
        missing.extend(wanted.into_iter().filter_map(|(holds, what)| (!holds).then_some(what)));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Nobody would miss one before it has to be replayed.
#[test]
fn every_queue_step_can_be_replayed() {
    let template = template(&[]);
    let replay = template.functions.values().find(|function| function.handler == "ops-replay").unwrap();
    // what they are given is no event; and of what compliance finds nobody else learns
    let others =
        |name: &str| ["ops-relay", "ops-dead-letters", "ops-replay"].contains(&name) || name.starts_with("compliance-");
    let steps =
        template.functions.values().filter(|function| !function.queues.is_empty() && !others(&function.handler));
    let deployed: BTreeMap<&str, Vec<&str>> = steps
        .map(|function| {
            let queues = function.queues.iter().map(|mapping| mapping.queue.strip_prefix("pipworks-dev-").unwrap());
            let mut queues: Vec<&str> = queues.collect();
            queues.sort_unstable();
            (function.handler.as_str(), queues)
        })
        .collect();
    let queues: BTreeMap<&str, Vec<String>> =
        ops::replay::STEPS.iter().map(|(step, _)| (*step, ops::replay::queues_of(step))).collect();
    let known: BTreeMap<&str, Vec<&str>> = queues
        .iter()
        .map(|(step, queues)| {
            let mut queues: Vec<&str> = queues.iter().map(String::as_str).collect();
            queues.sort_unstable();
            (*step, queues)
        })
        .collect();
    assert_eq!(known, deployed, "the steps of functions/ops/src/replay/queues.rs, and those of the stacks");
    for queue in known.values().flatten() {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:pipworks-dev-{queue}");
        let sends = |s: &host::template::Statement| s.allows && s.resources.contains(&arn);
        assert!(replay.statements.iter().any(sends), "ops-replay may not send to {queue}");
    }
}

#[test]
fn every_function_and_every_queue_has_an_alarm() {
    let template = template(&[("AlarmTopicArn", "arn:aws:sns:eu-west-1:000000000000:alarms")]);
    let watched = |dimension: &str, name: &str| {
        let mut metrics = template.alarms.values().flat_map(|alarm| &alarm.metrics);
        metrics.any(|metric| metric.dimensions.get(dimension).is_some_and(|value| value == name))
    };
    let functions = template.functions.values().map(|f| ("FunctionName", &f.name));
    let queues = template.queues.values().map(|q| ("QueueName", &q.name));
    let unwatched: Vec<_> = functions.chain(queues).filter(|(dimension, name)| !watched(dimension, name)).collect();
    assert!(unwatched.is_empty(), "no alarm of its stack watches {unwatched:?}");
}

#[test]
fn api_gateway_answers_by_itself_as_the_functions_and_the_local_gateway_do() {
    let text = std::fs::read_to_string(repository().join("infra/template.yaml")).unwrap();
    let mut document: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    document.apply_merge().unwrap();
    let responses = &document["Resources"]["Api"]["Properties"]["GatewayResponses"];
    let no_route = Problem::not_found("there is no such route");
    let expected = [
        ("DEFAULT_4XX", no_route.clone()),
        ("DEFAULT_5XX", Problem::unavailable("try again in some seconds")),
        ("MISSING_AUTHENTICATION_TOKEN", no_route),
        ("REQUEST_TOO_LARGE", Problem::too_large(10 * 1024 * 1024)),
        ("THROTTLED", Problem::too_many_requests()),
        ("WAF_FILTERED", Problem::forbidden("the request was filtered")),
    ];
    let mut kinds: Vec<&str> = responses.as_mapping().unwrap().keys().map(|kind| kind.as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, expected.each_ref().map(|(kind, _)| *kind));
    for (kind, problem) in expected {
        let (response, reply) = (&responses[kind], problem.reply("$context.requestId"));
        assert_eq!(response["StatusCode"].as_u64(), Some(reply.status.into()), "{kind}");
        let body: serde_json::Value =
            serde_json::from_str(response["ResponseTemplates"]["application/json"].as_str().unwrap()).unwrap();
        assert_eq!(body, serde_json::from_str::<serde_json::Value>(&reply.body).unwrap(), "{kind}");
        let headers = response["ResponseParameters"]["Headers"].as_mapping().unwrap();
        let header = |name: &str| {
            let found = headers.iter().find(|(own, _)| own.as_str().unwrap().eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str().unwrap().trim_matches('\'').to_owned())
        };
        let own = reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // a static value holds no quotes: the older header says the same
        let security = SECURITY_HEADERS.into_iter().filter(|(name, _)| *name != "Content-Security-Policy");
        let more = [
            ("X-Frame-Options", "DENY"),
            ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
            ("X-Correlation-Id", "context.requestId"),
        ];
        for (name, value) in own.chain(security).chain(more) {
            assert_eq!(header(name).as_deref(), Some(value), "{kind}: {name}");
        }
    }
}
