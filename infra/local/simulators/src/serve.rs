//! The listener: HTTP/1.1 on loopback with state per connection and connections that can be cut.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::clock;
use crate::reply::CloseConnection;

/// What is known of one TCP connection. Put into the extensions of each of its requests.
#[derive(Debug)]
pub(crate) struct Connection {
    last_packet_ms: AtomicI64,
    requests_running: AtomicUsize,
    /// Free for the vendor: the trading server keeps its log-on here.
    pub(crate) session: Mutex<Session>,
}

/// Log-on state of a connection.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum Session {
    /// Nothing happened yet.
    #[default]
    Unknown,
    /// The server sent this random value (hex) and waits for the answer to it.
    Challenged(String),
    /// Logged on in this epoch of the server.
    Authenticated(u64),
}

impl Connection {
    fn new() -> Self {
        Self {
            last_packet_ms: AtomicI64::new(clock::now_ms()),
            requests_running: AtomicUsize::new(0),
            session: Mutex::new(Session::Unknown),
        }
    }

    fn idle_for(&self) -> Option<Duration> {
        if self.requests_running.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let idle_ms = clock::now_ms() - self.last_packet_ms.load(Ordering::Relaxed);
        Some(Duration::from_millis(u64::try_from(idle_ms).unwrap_or(0)))
    }
}

/// Counts a request as running until it is dropped, also when the client goes away.
struct Running(Arc<Connection>);

impl Running {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.requests_running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connection))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.last_packet_ms.store(clock::now_ms(), Ordering::Relaxed);
        self.0.requests_running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the script closes this connection")]
struct Closed;

/// Binds 127.0.0.1; port 0 lets the system choose.
pub(crate) async fn bind(port: u16) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Accepts until `stop` turns true; open connections end then too.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    idle_close: Option<Duration>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = converse(stream, router.clone(), idle_close, stop.clone());
                drop(tokio::spawn(connection));
            }
            // Out of file descriptors: wait for connections to end.
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, router: Router, idle_close: Option<Duration>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let state = Arc::new(Connection::new());
    let handler = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        let running = Running::new(&state);
        request.extensions_mut().insert(Arc::clone(&state));
        let answer = handler.call(request);
        async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            drop(running);
            match answer {
                Ok(response) if response.extensions().get::<CloseConnection>().is_none() => Ok(response),
                Ok(_) | Err(_) => Err(Closed),
            }
        }
    });
    let conversation = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = conversation => {
            if let Err(error) = ended {
                tracing::trace!(%error, "connection ended");
            }
        }
        () = too_quiet(&state, idle_close) => {}
        _ = stop.wait_for(|stopped| *stopped) => {}
    }
}

/// Returns when no packet came for `limit`; never without a limit.
async fn too_quiet(connection: &Connection, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    loop {
        let quiet = connection.idle_for().unwrap_or(Duration::ZERO);
        match limit.checked_sub(quiet) {
            None | Some(Duration::ZERO) => return,
            Some(rest) => tokio::time::sleep(rest).await,
        }
    }
}
