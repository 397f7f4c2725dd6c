//! What AWS does between the functions: routes, queues, bus, streams, timers.

mod asynchronous;
pub(crate) mod bus;
pub(crate) mod consumer;
pub(crate) mod http;
pub(crate) mod invoke;
mod lane;
mod limit;
pub(crate) mod pattern;
pub(crate) mod proxy;
pub(crate) mod queues;
pub(crate) mod schedules;
pub(crate) mod streams;
