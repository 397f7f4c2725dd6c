//! The sales floor: who works when, who takes part in which pool, whose turn it is, and the tasks that follow.

pub mod agent;
pub mod calendar;
pub mod choose;
pub mod pool;
pub mod rules;
pub mod shares;
pub mod task;

pub use agent::{AgentId, AgentState};
pub use pool::{PoolId, PoolState};
pub use task::Task;
