//! What happens to lead, task and agent when one of them changes.

use domain::ClientId;
use domain::decision::Verdict;
use domain::lead::{Lead, LeadStatus};
use domain::sales::agent::Presence;
use domain::sales::task::{TaskAction, TaskStatus};
use domain::sales::{AgentState, Task};
use serde_json::json;

use crate::world::World;

/// A lead, the task that it is with, and the agent who has it.
fn assigned() -> (World, Lead, Task, AgentState) {
    let mut floor = World::new("2026-11-25T20:00:00Z");
    floor.everybody(Presence::Online);
    let id = floor.submit(json!({"country": "MX"}), &[]);
    let lead = floor.leads[&id].clone();
    let task = floor.tasks[&lead.facts.assignment.as_ref().unwrap().task_id].clone();
    let agent = floor.agents[task.facts.agent_id.name()].clone();
    assert_eq!((lead.facts.status, agent.facts.open), (LeadStatus::Assigned, 1));
    (floor, lead, task, agent)
}

#[test]
fn an_action_on_a_task_is_this_to_lead_and_agent() {
    let (floor, lead, task, agent) = assigned();
    for (action, status, outcome, open) in [
        (TaskAction::Start, Some(LeadStatus::Working), Some("lead.working"), None),
        (TaskAction::Done, Some(LeadStatus::Contacted), Some("lead.contacted"), Some(0)),
        (TaskAction::Decline, None, None, None),
        (TaskAction::Note, None, None, None),
    ] {
        let (next, event) = match lead.acted_on(&task.id, action, floor.now) {
            Verdict::Change(decision) => (Some(decision.next.facts.status), decision.events.first().copied()),
            Verdict::Nothing(_) => (None, None),
        };
        assert_eq!((next, event), (status, outcome), "{action}");
        let left = match agent.acted_on(&task.id, action) {
            Verdict::Change(decision) => {
                assert_eq!((decision.outcome, decision.why), ("done", vec![task.id.to_string()]));
                Some(decision.next.facts.open)
            }
            Verdict::Nothing(_) => None,
        };
        assert_eq!(left, open, "{action}");
        // what is not changed need not be loaded
        assert_eq!((action.concerns_lead(), action.concerns_agent()), (status.is_some(), open.is_some()), "{action}");
    }
}

#[test]
fn a_task_that_lost_its_lead_changes_nothing_of_it() {
    let (floor, mut lead, task, _) = assigned();
    lead.facts.assignment = None;
    for action in TaskAction::ALL {
        assert!(matches!(lead.acted_on(&task.id, *action, floor.now), Verdict::Nothing(_)), "{action}");
    }
}

#[test]
fn whoever_has_the_lead_that_becomes_a_client_wins_it() {
    let (floor, lead, task, agent) = assigned();
    let Verdict::Change(converted) = lead.converted(&ClientId::from_bits(7), floor.now) else { panic!() };
    let lead = converted.next;
    assert_eq!(lead.winner(), Some(&agent.id));
    let with = |status: TaskStatus| {
        let mut task = task.clone();
        task.facts.status = status;
        let ends = lead.conversion_ends(Some(&task), Some(&agent), floor.now);
        let count = ends.agent.unwrap();
        let won: u32 = count.next.facts.results.iter().map(|day| day.won).sum();
        (ends.task.map(|task| task.next.facts.status), count.outcome, count.next.facts.open, won)
    };
    // a task that is still there ends with it, and the agent has room again
    assert_eq!(with(TaskStatus::Open), (Some(TaskStatus::Done), "won", 0, 1));
    assert_eq!(with(TaskStatus::Started), (Some(TaskStatus::Done), "won", 0, 1));
    // one that ended gave the room back when it did
    assert_eq!(with(TaskStatus::Done), (None, "won", 1, 1));
    assert_eq!(with(TaskStatus::Expired), (None, "won", 1, 1));
    assert_eq!(with(TaskStatus::Cancelled), (None, "won", 1, 1));
    // nobody will take it back from whoever declined it: free of it, and no winner
    assert_eq!(with(TaskStatus::Declined), (None, "converted", 0, 0));
}

#[test]
fn a_lead_that_nobody_has_ends_nothing_and_an_agent_of_before_still_wins() {
    let (floor, lead, _, agent) = assigned();
    let nothing = lead.conversion_ends(None, None, floor.now);
    assert_eq!((nothing.task, nothing.agent), (None, None));
    let before = lead.conversion_ends(None, Some(&agent), floor.now).agent.unwrap();
    assert_eq!((before.outcome, before.next.facts.open, before.why), ("won", 1, vec![lead.id.to_string()]));
}
