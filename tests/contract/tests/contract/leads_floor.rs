//! The sales floor over the API: clocks, declines, nights, limits, absences, broken rules.

use domain::rule_sets::SetName;
use serde_json::{Value, json};

use crate::leads::{floor, hot};
use crate::world::{Call, World, expect, faults, items};

fn agent_of(lead: &Value) -> String {
    lead["assignment"]["agent_id"].as_str().unwrap_or_default().to_owned()
}

fn task_of(lead: &Value) -> String {
    lead["assignment"]["task_id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_task_not_begun_in_time_goes_to_the_next_and_at_last_to_the_team_lead() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let mut had = vec![agent_of(&world.lead(&id).await)];
    let first_task = task_of(&world.lead(&id).await);
    for _ in 0..2 {
        world.pass(299).await;
        world.sweep().await;
        assert_eq!(agent_of(&world.lead(&id).await), *had.last().unwrap(), "the clock runs");
        world.pass(2).await;
        world.sweep().await;
        let next = agent_of(&world.lead(&id).await);
        assert!(!next.is_empty() && !had.contains(&next), "{had:?} {next}");
        had.push(next);
    }
    world.pass(301).await;
    world.sweep().await;
    let lead = world.lead(&id).await;
    assert_eq!(lead["status"], "escalated", "{lead:#}");
    assert_eq!(expect(world.on_task(&first_task, "start").await, 409).json["status"], 409);
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!(
        (work.len(), &work[0]["kind"], &work[0]["subject"]["lead_id"]),
        (1, &json!("lead_unclaimed"), &json!(id))
    );
    assert_eq!(work[0]["trigger"]["data"]["tried"], json!(had));
    let item = work[0]["work_id"].as_str().unwrap();
    expect(world.act("finance", item, &json!({"action": "route_again"})).await, 403);
    expect(world.act("sales", item, &json!({"action": "route_again"})).await, 200);
    assert_eq!(world.lead(&id).await["status"], "assigned");
    for agent in items(&world.get("sales", "/v1/agents").await) {
        let holds = agent["agent_id"] == agent_of(&world.lead(&id).await);
        assert_eq!(agent["open_leads"], json!(u32::from(holds)), "{agent}");
    }
}

#[tokio::test]
async fn a_begun_task_stays_and_a_declined_one_goes_on() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(hot("MX")).await;
    let first = world.lead(&id).await;
    let declined = expect(world.on_task(&task_of(&first), "decline").await, 200);
    assert_eq!(declined.json["status"], "declined");
    let second = world.lead(&id).await;
    assert_ne!(agent_of(&second), agent_of(&first));
    world.pass(120).await;
    let started = expect(world.on_task(&task_of(&second), "start").await, 200);
    assert_eq!(started.json["status"], "started");
    assert_eq!(expect(world.on_task(&task_of(&second), "start").await, 200).json, started.json, "twice is once");
    world.pass(3_600).await;
    world.sweep().await;
    let lead = world.lead(&id).await;
    assert_eq!(lead["status"], "working");
    assert!((120_000..125_000).contains(&lead["first_touch_ms"].as_i64().unwrap()), "{lead}");
    expect(world.on_task(&task_of(&lead), "decline").await, 200);
    assert_eq!(world.lead(&id).await["status"], "assigned", "a begun one can be given back, too");
    let task = task_of(&world.lead(&id).await);
    assert_eq!(expect(world.on_task(&task, "done").await, 200).json["status"], "done");
    assert_eq!(world.lead(&id).await["status"], "contacted");
    expect(world.on_task(&task, "decline").await, 409);
    let unknown = expect(world.on_task(&task, "sing").await, 422);
    assert_eq!(unknown.json["errors"][0]["allowed_values"], json!(["start", "done", "decline", "note"]));
    expect(world.on_task(&task, "note").await, 422);
    expect(world.on_task("tsk_00000000000000000000000000", "start").await, 404);
}

/// The Mexican desk without an overflow.
async fn lonely(world: &World) {
    world
        .publish(SetName::Sales, 2, |document| {
            for pool in document["pools"].as_array_mut().unwrap() {
                pool.as_object_mut().unwrap().remove("overflow");
            }
        })
        .await;
}

#[tokio::test]
async fn a_lead_that_nobody_can_take_waits_and_goes_out_when_somebody_comes() {
    let world = floor("2026-11-25T20:00:00Z").await;
    lonely(&world).await;
    world.pass(61).await;
    for agent in ["agt_sofia_reyes", "agt_mateo_silva", "agt_camila_torres"] {
        world.presence(agent, "offline").await;
    }
    let mut leads = Vec::new();
    for _ in 0..7 {
        leads.push(world.submit(json!({"country": "MX"})).await);
    }
    let lead = world.lead(&leads[0]).await;
    assert_eq!((&lead["status"], &lead["waiting"]["reason"]), (&json!("waiting"), &json!("nobody_works")), "{lead:#}");
    world.presence("agt_mateo_silva", "online").await;
    world.idle().await;
    let mut assigned = 0;
    for (n, id) in leads.iter().enumerate() {
        let is_assigned = world.lead(id).await["status"] == "assigned";
        assert_eq!(is_assigned, n < 5, "oldest first, five a minute: {n}");
        assigned += usize::from(is_assigned);
    }
    assert_eq!(assigned, 5);
    world.pass(61).await;
    world.sweep().await;
    assert_eq!(world.lead(&leads[6]).await["status"], "assigned");
}

#[tokio::test]
async fn a_lead_that_waits_too_long_becomes_a_work_item_and_is_not_lost() {
    let world = floor("2026-11-25T20:00:00Z").await;
    lonely(&world).await;
    world.pass(61).await;
    for agent in ["agt_sofia_reyes", "agt_mateo_silva", "agt_camila_torres"] {
        world.presence(agent, "offline").await;
    }
    let id = world.submit(json!({"country": "MX"})).await;
    world.pass(29 * 60).await;
    world.sweep().await;
    assert_eq!(world.lead(&id).await["status"], "waiting");
    world.pass(2 * 60).await;
    world.sweep().await;
    assert_eq!(world.lead(&id).await["status"], "escalated");
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!(work[0]["kind"], "lead_waiting");
    expect(world.act("sales", work[0]["work_id"].as_str().unwrap(), &json!({"action": "close_lead"})).await, 200);
    assert_eq!(world.lead(&id).await["status"], "closed");
}

#[tokio::test]
async fn an_agent_who_is_disabled_gets_nothing_from_that_moment() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let path = "/v1/agents/agt_sofia_reyes/absence";
    let absence = |who: &'static str, body: Value| world.send(Call::put(path, &body).token(world.broker.token(who)));
    expect(absence("sales", json!({"reason": "disabled"})).await, 403);
    let away = expect(absence("admin", json!({"reason": "disabled"})).await, 200);
    assert_eq!(away.json["away"]["reason"], "disabled");
    for _ in 0..4 {
        let id = world.submit(hot("MX")).await;
        assert_eq!(agent_of(&world.lead(&id).await), "agt_mateo_silva");
        let why = world.lead(&id).await["why"].to_string();
        assert!(why.contains("sofia_reyes disabled"), "{why}");
    }
    expect(absence("admin", json!({"reason": null})).await, 200);
    let id = world.submit(hot("MX")).await;
    assert_eq!(agent_of(&world.lead(&id).await), "agt_sofia_reyes");
    let bad = expect(absence("admin", json!({"reason": "bored", "until": "soon"})).await, 422);
    assert_eq!(faults(&bad), ["/reason unknown_value", "/until invalid_time"]);
    let presence = Call::put("/v1/agents/agt_nobody/presence", &json!({"state": "online"}));
    expect(world.send(presence.token(world.broker.token("sales"))).await, 404);
    let presence = Call::put("/v1/agents/agt_sofia_reyes/presence", &json!({"state": "asleep"}));
    let refused = expect(world.send(presence.token(world.broker.token("sales"))).await, 422);
    assert_eq!(refused.json["errors"][0]["allowed_values"], json!(["online", "busy", "offline"]));
}

#[tokio::test]
async fn a_rule_that_names_a_missing_pool_is_refused_at_publish_and_holds_the_lead_at_run_time() {
    let world = floor("2026-11-25T20:00:00Z").await;
    let mut routing = world.broker.rule_document(SetName::LeadRouting).unwrap();
    let last = routing["rows"].as_array().unwrap().len() - 1;
    routing["rows"][last]["then"] = json!({"pool": "nowhere"});
    let documents = SetName::ALL.iter().map(|set| (*set, world.broker.rule_document(*set).unwrap()));
    let mut documents: std::collections::BTreeMap<_, _> = documents.collect();
    broker::rules::check_references(&documents).unwrap();
    documents.insert(SetName::LeadRouting, routing.clone());
    let refused = broker::rules::check_references(&documents).unwrap_err().to_string();
    assert!(refused.contains("there is no pool `nowhere`"), "{refused}");
    world.publish(SetName::LeadRouting, 2, |document| *document = routing).await;
    world.pass(61).await;
    let id = world.submit(json!({"country": "GB", "email": "held@example.com"})).await;
    assert_eq!(world.lead(&id).await["status"], "escalated");
    let work = items(&world.get("sales", "/v1/work?queue=sales").await);
    assert_eq!((work.len(), &work[0]["kind"]), (1, &json!("lead_rule_error")));
    world.publish(SetName::LeadRouting, 3, |_| {}).await;
    world.pass(61).await;
    expect(world.act("sales", work[0]["work_id"].as_str().unwrap(), &json!({"action": "route_again"})).await, 200);
    assert_eq!(world.lead(&id).await["status"], "assigned");
}

#[tokio::test]
async fn a_burst_never_passes_a_limit_and_is_dealt_out_by_weight() {
    let world = floor("2026-11-25T20:00:00Z").await;
    world
        .publish(SetName::Sales, 2, |document| {
            for pool in document["pools"].as_array_mut().unwrap() {
                pool["open_max"] = json!(12);
                pool.as_object_mut().unwrap().remove("overflow");
            }
        })
        .await;
    world.pass(61).await;
    let bodies: Vec<Value> = (0..30).map(|_| crate::leads::form(&world, json!({"country": "MX"}))).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| world.portal("/v1/leads", body))).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    world.idle().await;
    let open = |agents: &[Value], name: &str| {
        agents.iter().find(|agent| agent["agent_id"] == name).unwrap()["open_leads"].as_u64().unwrap()
    };
    let agents = items(&world.get("sales", "/v1/agents").await);
    assert_eq!((open(&agents, "agt_sofia_reyes"), open(&agents, "agt_mateo_silva")), (12, 12));
    let mut waiting = 0;
    for answer in &answers {
        let lead = world.lead(&answer.text_at("/lead_id")).await;
        if lead["status"] == "waiting" {
            assert_eq!(lead["waiting"]["reason"], "all_at_cap");
            waiting += 1;
        }
    }
    assert_eq!(waiting, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_of_one_agent_may_be_done_at_once() {
    let world = floor("2026-11-26T08:00:00Z").await;
    let bodies: Vec<Value> = (0..40).map(|_| crate::leads::form(&world, json!({"country": "MX"}))).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| world.portal("/v1/leads", body))).await;
    world.idle().await;
    let mut tasks = Vec::new();
    for answer in &answers {
        let lead = world.lead(&answer.text_at("/lead_id")).await;
        assert_eq!(agent_of(&lead), "agt_camila_torres", "nobody else of the desk works at two in the morning");
        tasks.push(task_of(&lead));
    }
    let done = futures::future::join_all(tasks.iter().map(|task| world.on_task(task, "done"))).await;
    assert!(done.iter().all(|answer| answer.status == 200), "{:?}", done.iter().find(|answer| answer.status != 200));
    let agents = items(&world.get("sales", "/v1/agents").await);
    assert!(agents.iter().all(|agent| agent["open_leads"] == 0), "{agents:#?}");
}

#[tokio::test]
async fn an_agents_own_token_neither_gives_away_a_colleagues_lead_nor_sends_a_colleague_home() {
    let world = crate::leads::floor("2026-11-25T20:00:00Z").await;
    let id = world.submit(crate::leads::hot("MX")).await;
    let assignment = world.lead(&id).await["assignment"].clone();
    let (holder, task) = (assignment["agent_id"].as_str().unwrap(), assignment["task_id"].as_str().unwrap());
    let agents = items(&expect(world.get("sales", "/v1/agents").await, 200));
    let thief = agents.iter().map(|agent| agent["agent_id"].as_str().unwrap()).find(|agent| *agent != holder).unwrap();
    let token = world.mint(thief, &["sales"], None);
    let decline = Call::post(&format!("/v1/tasks/{task}/actions"), &json!({"action": "decline"}));
    let offline = Call::put(&format!("/v1/agents/{holder}/presence"), &json!({"state": "offline"}));
    let declined = world.send(decline.token(&token)).await;
    let sent_home = world.send(offline.token(&token)).await;
    let now = world.lead(&id).await["assignment"]["agent_id"].clone();
    assert_eq!((declined.status, sent_home.status), (403, 403), "{thief} against {holder}: the lead is {now}'s now");
    assert_eq!(declined.json["type"].as_str().map(|kind| kind.ends_with("forbidden")), Some(true), "{}", declined.text);
    // what is the agent's own goes on as before, also for who is an agent and the manager
    let own = world.mint(holder, &["sales"], None);
    let present = Call::put(&format!("/v1/agents/{holder}/presence"), &json!({"state": "busy"}));
    expect(world.send(present.token(&own)).await, 200);
    let start = Call::post(&format!("/v1/tasks/{task}/actions"), &json!({"action": "start"}));
    expect(world.send(start.token(&own)).await, 200);
    let manager = world.mint(thief, &["sales", "admin"], None);
    let note = Call::post(&format!("/v1/tasks/{task}/actions"), &json!({"action": "note", "note": "seen"}));
    expect(world.send(note.token(&manager)).await, 200);
}

#[tokio::test]
async fn an_agent_is_known_by_the_subject_that_the_rules_give() {
    let world = crate::leads::floor("2026-11-25T20:00:00Z").await;
    world.publish(SetName::Sales, 2, |document| document["agents"][0]["subject"] = json!("idp|4711")).await;
    world.pass(61).await;
    let at = |agent: &str| Call::put(&format!("/v1/agents/agt_{agent}/presence"), &json!({"state": "busy"}));
    let sofia = world.mint("idp|4711", &["sales"], None);
    expect(world.send(at("sofia_reyes").token(&sofia)).await, 200);
    expect(world.send(at("mateo_silva").token(&sofia)).await, 403);
    for subject in ["mateo_silva", "agt_mateo_silva"] {
        let mateo = world.mint(subject, &["sales"], None);
        expect(world.send(at("mateo_silva").token(&mateo)).await, 200);
        expect(world.send(at("sofia_reyes").token(&mateo)).await, 403);
    }
}
