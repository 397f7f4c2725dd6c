//! Leads of which two things happen at the same moment.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;

use broker::api::Api;
use broker::local::Options;
use host::{CallInfo, LocalTime, Probe, Verdict};
use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::leads::{everybody_comes, hot};
use crate::world::{World, expect};

type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does something right before a function's n-th read of an entity from now on.
#[derive(Default)]
struct Meddler(Mutex<Option<(&'static str, u32, Deed)>>);

impl Meddler {
    fn plan(&self, function: &'static str, read: u32, deed: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap() = Some((function, read, Box::pin(deed)));
    }

    fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

impl Probe for Meddler {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        let mut planned = self.0.lock().unwrap();
        let Some((function, left, _)) = planned.as_mut() else { return Verdict::Go };
        if *function != call.function || call.operation != "GetItem" || !call.target.ends_with("CrmTable") {
            return Verdict::Go;
        }
        *left -= 1;
        if *left > 0 {
            return Verdict::Go;
        }
        let Some((_, _, deed)) = planned.take() else { return Verdict::Go };
        drop(planned);
        block_in_place(|| Handle::current().block_on(deed));
        Verdict::Go
    }

    fn after(&self, _call: &CallInfo<'_>) -> Verdict {
        Verdict::Go
    }
}

/// The agent's action on a task, at some later moment.
fn action(world: &World, task: &str, action: &str) -> impl Future<Output = ()> + Send + 'static {
    let url = world.broker.url(&format!("/v1/tasks/{task}/actions"));
    let (token, body) = (world.broker.token("sales").to_owned(), json!({"action": action}));
    async move {
        let answer = Api::default().send_json(Method::POST, &url, &token, &body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

async fn agent(world: &World, id: &str) -> Value {
    let agents = crate::world::items(&expect(world.get("sales", "/v1/agents").await, 200));
    agents.into_iter().find(|agent| agent["agent_id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_begins_while_the_lead_is_taken_back_keeps_it() {
    // the lead is read after its task and before it, so each read is a moment of its own
    for read in 1..=3 {
        let time = LocalTime::showing("2026-11-25T20:00:00Z".parse().unwrap());
        let meddler = Arc::new(Meddler::default());
        let options = Options { time: Some(time), probe: Some(meddler.clone()), ..Options::default() };
        let world = World::with(options).await;
        everybody_comes(&world).await;
        let id = world.submit(hot("MX")).await;
        let before = world.lead(&id).await["assignment"].clone();
        let (task, owner) = (before["task_id"].as_str().unwrap(), before["agent_id"].as_str().unwrap());
        meddler.plan("leads-route", read, action(&world, task, "start"));
        world.pass(301).await;
        world.sweep().await;
        assert!(meddler.is_done(), "read {read}");
        let lead = world.lead(&id).await;
        assert_eq!((&lead["status"], &lead["assignment"]), (&json!("working"), &before), "read {read}: {lead:#}");
        assert_eq!(agent(&world, owner).await["open_leads"], 1, "read {read}");
        assert_eq!(world.recorded("slack", "").await["messages"].as_array().unwrap().len(), 1, "read {read}");
    }
}
