//! The Lambda Runtime API that a function process polls, with the moments at which it does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use broker::Failure;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A process that takes longer for its start or for an answer is given up.
const PATIENCE: Duration = Duration::from_secs(20);
/// What an invocation may take, as the process is told.
const DEADLINE_MS: i64 = 10_000;

/// The request of a process for its next event; it is refused when this is dropped.
pub struct Poll {
    /// When it came.
    pub at: Instant,
    reply: oneshot::Sender<Bytes>,
}

/// What a process made of an event, or of its start.
struct Answer {
    at: Instant,
    failed: bool,
    body: Bytes,
}

#[derive(Clone)]
struct Senders {
    polls: mpsc::UnboundedSender<Poll>,
    answers: mpsc::UnboundedSender<Answer>,
}

/// The API for one process at a time.
pub struct RuntimeApi {
    address: SocketAddr,
    polls: mpsc::UnboundedReceiver<Poll>,
    answers: mpsc::UnboundedReceiver<Answer>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Listens on a free port.
    ///
    /// # Errors
    /// The system's.
    pub async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (polls_in, polls) = mpsc::unbounded_channel();
        let (answers_in, answers) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Senders { polls: polls_in, answers: answers_in });
        // without it the answers still come, only later, and for every function alike
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, polls, answers, server })
    }

    /// `AWS_LAMBDA_RUNTIME_API` of the process.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Gives the process an event and waits for its answer; the time runs from the one to the other.
    ///
    /// # Errors
    /// When it failed or did not answer in time.
    pub async fn invoke(&mut self, event: Bytes) -> Result<(Duration, Bytes), Failure> {
        let poll = self.poll().await?;
        let began = Instant::now();
        poll.reply.send(event).map_err(|_| "the function's connection broke")?;
        let answer = timeout(PATIENCE, self.answers.recv()).await.map_err(|_| "the function did not answer in time")?;
        let answer = answer.ok_or("the Runtime API ended")?;
        if answer.failed {
            return Err(format!("the function failed: {}", String::from_utf8_lossy(&answer.body)).into());
        }
        Ok((answer.at.duration_since(began), answer.body))
    }

    /// Waits until the process asks for its next event.
    ///
    /// # Errors
    /// When it failed to start or did not in time.
    pub async fn poll(&mut self) -> Result<Poll, Failure> {
        tokio::select! {
            poll = timeout(PATIENCE, self.polls.recv()) => {
                Ok(poll.map_err(|_| "the function did not poll in time")?.ok_or("the Runtime API ended")?)
            }
            Some(answer) = self.answers.recv() => {
                Err(format!("the function did not start: {}", String::from_utf8_lossy(&answer.body)).into())
            }
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(senders): State<Senders>) -> Response {
    let (reply, event) = oneshot::channel();
    let sent = senders.polls.send(Poll { at: Instant::now(), reply });
    match (sent, event.await) {
        (Ok(()), Ok(event)) => {
            let deadline = runtime::Clock::now(&runtime::lambda::SystemClock).millis().saturating_add(DEADLINE_MS);
            let headers = [
                ("lambda-runtime-aws-request-id", "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned()),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                (
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-west-1:000000000000:function:bench".to_owned(),
                ),
                ("lambda-runtime-trace-id", "Root=1-6924dd34-5f84a1b2c3d4e5f60718293a".to_owned()),
                ("content-type", "application/json".to_owned()),
            ];
            (headers, event).into_response()
        }
        // nobody waits for this process any more
        _ => StatusCode::GONE.into_response(),
    }
}

async fn answer(State(senders): State<Senders>, Path((_, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    deliver(&senders, kind != "response", body)
}

async fn init_error(State(senders): State<Senders>, body: Bytes) -> StatusCode {
    deliver(&senders, true, body)
}

fn deliver(senders: &Senders, failed: bool, body: Bytes) -> StatusCode {
    match senders.answers.send(Answer { at: Instant::now(), failed, body }) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}
