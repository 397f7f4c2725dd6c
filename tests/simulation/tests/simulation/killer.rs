//! Kills invocations of one function at chosen I/O calls and keeps a list of what each invocation called.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use host::{CallInfo, Probe, Service, Verdict};

/// On which side of a call the function dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The call is never made.
    Before,
    /// The call has its effect, and nobody learns of it.
    After,
}

/// The end of one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    pub call: usize,
    pub side: Side,
}

impl Kill {
    pub fn before(call: usize) -> Self {
        Self { call, side: Side::Before }
    }

    pub fn after(call: usize) -> Self {
        Self { call, side: Side::After }
    }
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Run {
    request_id: String,
    pub calls: Vec<String>,
    /// The number of each call among those of the story.
    numbers: Vec<usize>,
    pub killed: Option<Kill>,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.calls.join(", "))?;
        match self.killed {
            Some(kill) => write!(f, " - killed {:?} {}", kill.side, kill.call),
            None => Ok(()),
        }
    }
}

/// The probe.
#[derive(Default)]
pub struct Killer(Mutex<State>);

/// How the calls are numbered.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Within each invocation.
    #[default]
    OfTheRun,
    /// Over all invocations, for functions that are invoked often for one story.
    OfTheStory,
}

#[derive(Default)]
struct State {
    armed: bool,
    function: &'static str,
    numbers: Numbers,
    /// One invocation after another meets its end.
    kills: VecDeque<Kill>,
    runs: Vec<Run>,
}

impl Killer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans the ends of a function's next invocations, from [`Self::arm`] on.
    pub fn plan(&self, function: &'static str, numbers: Numbers, kills: &[Kill]) {
        *self.lock() = State { function, numbers, kills: kills.iter().copied().collect(), ..State::default() };
    }

    /// From now on it counts and kills.
    pub fn arm(&self) {
        self.lock().armed = true;
    }

    /// What the function's invocations did since it was armed.
    pub fn disarm(&self) -> Vec<Run> {
        let mut state = self.lock();
        state.armed = false;
        std::mem::take(&mut state.runs)
    }

    fn verdict(&self, call: &CallInfo<'_>, side: Side) -> Verdict {
        let state = &mut *self.lock();
        if !state.armed || call.function != state.function {
            return Verdict::Go;
        }
        let known = state.runs.iter().position(|run| run.request_id == call.request_id);
        let place = known.unwrap_or_else(|| {
            let run = Run { request_id: call.request_id.to_owned(), calls: vec![], numbers: vec![], killed: None };
            state.runs.push(run);
            state.runs.len() - 1
        });
        let made: usize = state.runs.iter().map(|run| run.calls.len()).sum();
        let run = &mut state.runs[place];
        if side == Side::Before {
            run.calls.push(label(call));
            run.numbers.push(made);
        }
        let number = match state.numbers {
            Numbers::OfTheRun => call.index,
            Numbers::OfTheStory => run.numbers[call.index],
        };
        let here = Kill { call: number, side };
        if state.kills.front() != Some(&here) {
            return Verdict::Go;
        }
        state.kills.pop_front();
        run.killed = Some(here);
        Verdict::Die
    }
}

impl Probe for Killer {
    fn before(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, Side::Before)
    }

    fn after(&self, call: &CallInfo<'_>) -> Verdict {
        self.verdict(call, Side::After)
    }
}

/// A call without what differs from run to run: ports, ids, the stage's names.
fn label(call: &CallInfo<'_>) -> String {
    let target = match call.service {
        Service::Vendor => call.target.split_once('/').map_or("", |(_, path)| path),
        Service::S3 => call.target.split('/').nth(1).unwrap_or_default(),
        _ => call.target.rsplit(['-', '/']).next().unwrap_or_default(),
    };
    let id = |part: &str| {
        let is_login = part.len() > 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_login || part.starts_with("pi_") || part.starts_with("pay_") || (part.starts_with("acc0") && part.len() > 20)
    };
    let parts: Vec<&str> = target.split('/').map(|part| if id(part) { "{id}" } else { part }).collect();
    format!("{} {}", call.operation, parts.join("/")).trim_end().to_owned()
}
