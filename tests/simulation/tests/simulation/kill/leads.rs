//! The lead functions: whoever dies where, one lead has one agent and one task, and each limit holds.

use std::cell::RefCell;
use std::sync::Arc;

use broker::local::Options;
use domain::Timestamp;
use domain::journey::{Did, Journey};
use domain::lead::{Lead, LeadStatus};
use domain::rule_sets::SetName;
use domain::sales::{AgentState, Task};
use host::LocalTime;
use http::Method;
use serde_json::{Value, json};
use store::Stored;

use super::{both_sides, every_kill, every_two_kills, plain, play, traces};
use crate::killer::{Kill, Killer, Numbers, Side};
use crate::world::World;

/// Nobody's shift ends while the stories are played.
fn round_the_clock(set: SetName, document: &mut Value) {
    if set != SetName::Sales {
        return;
    }
    for calendar in document["calendars"].as_object_mut().unwrap().values_mut() {
        calendar["week"][0]["hours"] = json!(["00:00-24:00"]);
    }
}

/// A brokerage in the afternoon of Mexico, where two closers are there.
async fn floor() -> World {
    let killer = Arc::new(Killer::default());
    let at: Timestamp = "2026-11-25T20:00:00Z".parse().unwrap();
    let options = Options { probe: Some(killer.clone()), adjust: Some(round_the_clock), ..Options::default() };
    let world = World::with(LocalTime::standing(at), killer, options).await;
    for agent in ["agt_sofia_reyes", "agt_mateo_silva"] {
        presence(&world, agent, "online").await;
    }
    world
}

async fn presence(world: &World, agent: &str, state: &str) {
    let url = world.broker.url(&format!("/v1/agents/{agent}/presence"));
    let (token, body) = (world.broker.token("sales"), json!({"state": state}));
    let answer = world.desk.api.send_json(Method::PUT, &url, token, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.idle().await;
}

fn form(world: &World) -> Value {
    let number = world.fresh();
    json!({
        "email": format!("lead-{number}@example.com"), "phone": format!("+52551234{number:04}"), "country": "MX",
        "full_name": format!("Lead {number}"), "source": {"channel": "paid_search"}, "consents": {"email": true},
    })
}

async fn load<T: domain::entity::Entity>(world: &World, id: &str) -> Stored<T>
where
    store::Crm: store::Home<T>,
{
    let id: T::Id = id.parse().unwrap_or_else(|_| panic!("{id} is no id"));
    world.broker.crm().load::<T>(&id).await.unwrap().unwrap_or_else(|| panic!("{id} is not there"))
}

/// What holds for a lead that an agent has: one task, one place among the agent's open leads, whole journals.
async fn is_held_once(world: &World, id: &str) -> Stored<Lead> {
    let lead: Stored<Lead> = load(world, id).await;
    assert_eq!(lead.entity.facts.status, LeadStatus::Assigned, "{:?}", lead.entity.facts);
    world.journal(&lead).await;
    let assignment = lead.entity.facts.assignment.clone().unwrap();
    let mut open = std::collections::BTreeMap::<String, u32>::new();
    let mut of_this_lead = 0;
    for id in world.ids("CrmTable").await.iter().filter(|id| id.starts_with("tsk_")) {
        let task: Stored<Task> = load(world, id).await;
        if task.entity.facts.status.is_held() {
            *open.entry(task.entity.facts.agent_id.to_string()).or_default() += 1;
            of_this_lead += u32::from(task.entity.facts.lead_id == lead.entity.id);
        }
    }
    assert_eq!(of_this_lead, 1, "one lead, one task");
    let task: Stored<Task> = load(world, assignment.task_id.as_str()).await;
    assert_eq!(task.entity.facts.agent_id, assignment.agent_id);
    world.journal(&task).await;
    for id in ["agt_sofia_reyes", "agt_mateo_silva"] {
        let agent: Stored<AgentState> = load(world, id).await;
        assert_eq!(agent.entity.facts.open, open.get(id).copied().unwrap_or(0), "open leads of {id}");
        world.journal(&agent).await;
    }
    assert!(world.work().await.is_empty(), "nobody has to look");
    lead
}

async fn slack_about(world: &World, text: &str) -> usize {
    let slack = world.desk.state("slack", "part=messages").await.unwrap();
    slack["messages"].as_array().unwrap().iter().filter(|message| message.to_string().contains(text)).count()
}

/// A lead comes by the API and has an agent.
async fn comes(world: &World) {
    world.cold().await;
    world.killer.arm();
    let id = world.insist("/v1/leads", &form(world), 202).await.text_at("/lead_id");
    world.drain().await;
    is_held_once(world, &id).await;
}

#[tokio::test]
async fn a_form_whose_taking_dies_anywhere_is_one_lead() {
    let world = floor().await;
    let calls = every_kill(&world, "leads-intake", async |world: &World| comes(world).await).await;
    assert_eq!(
        traces(&calls),
        ["PutItem CrmTable", "TransactWriteItems CrmTable"],
        "claim, then lead and contacts at once"
    );
}

#[tokio::test]
async fn a_form_that_joins_a_lead_and_dies_anywhere_joins_it_once() {
    let world = floor().await;
    let first = world.insist("/v1/leads", &form(&world), 202).await.text_at("/lead_id");
    world.drain().await;
    let story = async |world: &World| {
        world.cold().await;
        let before: Stored<Lead> = load(world, &first).await;
        let mut body = form(world);
        body["email"] = json!(before.entity.person.email.as_ref().unwrap().reveal());
        world.killer.arm();
        let answer = world.insist("/v1/leads", &body, 202).await;
        world.drain().await;
        assert_eq!(answer.text_at("/duplicate_of"), first);
        let after: Stored<Lead> = load(world, &first).await;
        assert_eq!(after.entity.facts.joined.iter().filter(|id| id.as_str() == answer.text_at("/lead_id")).count(), 1);
        assert!(after.entity.facts.joined.len() <= 20);
    };
    every_kill(&world, "leads-intake", story).await;
}

#[tokio::test]
async fn a_router_that_dies_anywhere_gives_the_lead_to_one_agent() {
    let world = floor().await;
    let calls = every_kill(&world, "leads-route", async |world: &World| comes(world).await).await;
    assert_eq!(traces(&calls), ["TransactWriteItems CrmTable"], "lead, task, agent and pool at once");
}

#[tokio::test]
async fn two_routers_that_die_anywhere_give_the_lead_to_one_agent() {
    let world = floor().await;
    every_two_kills(&world, "leads-route", async |world: &World| comes(world).await).await;
}

/// A lead that nobody begins to call goes to the other closer.
async fn goes_on(world: &World) {
    world.cold().await;
    let id = world.insist("/v1/leads", &form(world), 202).await.text_at("/lead_id");
    world.drain().await;
    let first = load::<Lead>(world, &id).await.entity.facts.assignment.unwrap();
    world.killer.arm();
    for _ in 0..8 {
        world.minute().await;
        let lead = load::<Lead>(world, &id).await;
        if lead.entity.facts.tried.len() == 1 && lead.entity.facts.assignment.is_some() {
            break;
        }
    }
    let lead = load::<Lead>(world, &id).await;
    assert_eq!(lead.entity.facts.tried, std::slice::from_ref(&first.agent_id));
    let now = lead.entity.facts.assignment.clone().unwrap();
    assert_ne!(now.agent_id, first.agent_id);
    is_held_once(world, &id).await;
    // done, so that the next story finds both with nothing to do
    on_task(world, now.task_id.as_str(), "done").await;
    world.drain().await;
}

/// The agent does something with a task.
async fn on_task(world: &World, task: &str, action: &str) {
    let path = world.broker.url(&format!("/v1/tasks/{task}/actions"));
    let (token, body) = (world.broker.token("sales"), json!({"action": action}));
    assert_eq!(world.desk.api.send_json(Method::POST, &path, token, &body).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_router_that_dies_anywhere_takes_a_lead_back_once() {
    let world = floor().await;
    every_kill(&world, "leads-route", async |world: &World| goes_on(world).await).await;
}

/// The agent declines, whoever would route the lead dies, the lead registers, and then the message comes again.
#[tokio::test]
async fn a_client_whose_lead_was_declined_is_called_by_nobody() {
    let world = floor().await;
    let form = form(&world);
    let id = world.insist("/v1/leads", &form, 202).await.text_at("/lead_id");
    world.drain().await;
    let held = is_held_once(&world, &id).await.entity.facts.assignment.unwrap();
    world.killer.plan("leads-route", Numbers::OfTheRun, &[Kill::before(0)]);
    world.killer.arm();
    on_task(&world, held.task_id.as_str(), "decline").await;
    world.idle().await;
    assert_eq!(world.killer.disarm().iter().filter(|run| run.killed.is_some()).count(), 1);
    let person = json!({
        "email": form["email"], "full_name": "Ana Lopez", "date_of_birth": "1990-05-17", "residence": "MX",
        "nationality": "MX", "language": "es", "lead_id": id,
    });
    world.insist("/v1/clients", &person, 201).await;
    world.drain().await;
    let lead: Stored<Lead> = load(&world, &id).await;
    assert_eq!(lead.entity.facts.status, LeadStatus::Converted);
    world.journal(&lead).await;
    let agent: Stored<AgentState> = load(&world, held.agent_id.as_str()).await;
    assert_eq!((agent.entity.facts.open, agent.entity.facts.results.iter().map(|day| day.won).sum::<u32>()), (0, 0));
    let tasks = world.ids("CrmTable").await.iter().filter(|id| id.starts_with("tsk_")).count();
    assert_eq!(tasks, 1, "nobody else got it");
}

#[tokio::test]
async fn a_teller_that_dies_anywhere_tells_once_or_in_its_window_twice() {
    let world = floor().await;
    let told = RefCell::new(0);
    let story = async |world: &World| {
        world.cold().await;
        world.killer.arm();
        let body = form(world);
        world.insist("/v1/leads", &body, 202).await;
        world.drain().await;
        *told.borrow_mut() = slack_about(world, &format!("{},", body["full_name"].as_str().unwrap())).await;
    };
    let calls = plain(&world, "leads-tell", &story).await;
    assert_eq!(*told.borrow(), 1);
    let place = |name: &str| calls.iter().position(|call| call.starts_with(name)).unwrap();
    let (sent, noted) = (place("POST services"), place("UpdateItem CrmTable"));
    for kill in both_sides(&calls) {
        play(&world, "leads-tell", &[kill], &story).await;
        let window = match kill.side {
            Side::After => sent <= kill.call && kill.call < noted,
            Side::Before => sent < kill.call && kill.call <= noted,
        };
        assert_eq!(*told.borrow(), if window { 2 } else { 1 }, "{kill:?} of {calls:?}");
    }
}

/// A form of the ad platform: announced, fetched, given to an agent.
async fn is_announced(world: &World) {
    world.cold().await;
    world.killer.arm();
    let name = format!("Lead {}", world.fresh());
    let order = json!({
        "fields": {"full_name": name, "phone_number": format!("+52551235{:04}", world.fresh())},
        "webhook": {"times": 1},
    });
    let url = format!("{}/_control/leads", world.broker.simulators.url("meta"));
    let mut sent = world.desk.api.control(&url, &order).await.unwrap().json;
    for _ in 0..3 {
        // Meta sends again what was not answered well
        if sent["deliveries"][0]["status"] == 200 {
            break;
        }
        let again = json!({"leadgen_id": sent["leadgen_id"], "created_time": world.now().seconds()});
        sent = world.desk.api.control(&url, &again).await.unwrap().json;
    }
    for _ in 0..6 {
        world.minute().await;
    }
    world.drain().await;
    let mut ours = Vec::new();
    for id in world.ids("CrmTable").await.iter().filter(|id| id.starts_with("lead_")) {
        let lead: Stored<Lead> = load(world, id).await;
        if lead.entity.person.full_name.as_ref().is_some_and(|own| *own.reveal() == name) {
            ours.push(lead);
        }
    }
    assert_eq!(ours.len(), 1, "one lead");
    world.journal(&ours[0]).await;
    assert!(ours[0].entity.facts.tried.len() + usize::from(ours[0].entity.facts.assignment.is_some()) >= 1);
}

#[tokio::test]
async fn a_fetch_that_dies_anywhere_makes_one_lead_with_its_data() {
    let world = floor().await;
    every_kill(&world, "leads-fetch", async |world: &World| is_announced(world).await).await;
}

#[tokio::test]
async fn an_announcement_whose_taking_dies_anywhere_comes_again_and_is_one_lead() {
    let world = floor().await;
    every_kill(&world, "leads-meta", async |world: &World| is_announced(world).await).await;
}

/// A lead with low intent gets its first message; how many mails it got.
async fn is_nurtured(world: &World) -> usize {
    world.cold().await;
    world.killer.arm();
    let mut body = form(world);
    body["source"] = json!({"channel": "organic"});
    body.as_object_mut().unwrap().remove("phone");
    let id = world.insist("/v1/leads", &body, 202).await.text_at("/lead_id");
    for _ in 0..16 {
        world.minute().await;
    }
    world.drain().await;
    let lead: Stored<Lead> = load(world, &id).await;
    let journey: Stored<Journey> = load(world, domain::journey::id_of(&lead.entity, 1).as_str()).await;
    world.journal(&journey).await;
    let run = &journey.entity.inner.runs[0];
    let dealt = run.history.iter().filter(|line| matches!(line.did, Did::Sent | Did::Suppressed)).count();
    assert_eq!(dealt, 1, "the first message was dealt with: {run:?}");
    let email = lead.entity.person.email.unwrap().reveal().clone();
    world.mails(&email, "unsubscribe")
}

#[tokio::test]
async fn a_series_whose_worker_dies_anywhere_sends_a_message_at_most_once() {
    let world = floor().await;
    let mails = RefCell::new(0);
    let story = async |world: &World| {
        let sent = is_nurtured(world).await;
        *mails.borrow_mut() = sent;
    };
    let calls = plain(&world, "retention-journeys", &story).await;
    assert_eq!(*mails.borrow(), 1);
    for kill in both_sides(&calls) {
        play(&world, "retention-journeys", &[kill], &story).await;
        assert!(*mails.borrow() <= 1, "{kill:?} of {calls:?}: {} mails", mails.borrow());
    }
    let kills = [Kill::before(0)];
    play(&world, "retention-journeys", &kills, &story).await;
    assert_eq!(*mails.borrow(), 1, "who dies before anything left a trace is followed by one who sends");
}
