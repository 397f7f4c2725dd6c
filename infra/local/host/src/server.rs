//! The listeners: the gateway, the issuer's keys and whatever routes the host was given; and the clock.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::background::Background;
use crate::dispatch::http::{BODY_SIZE_BYTES_MAX, Gateway};

/// Where the issuer publishes its keys.
pub(crate) const KEYS_PATH: &str = "/.well-known/jwks.json";

/// The gateway, the issuer's keys and the host's own routes.
pub(crate) fn api(gateway: Arc<Gateway>, keys: Bytes, routes: Option<Router>) -> Router {
    let published = move || async move { ([("content-type", "application/json")], keys) };
    let own = Router::new().route(KEYS_PATH, get(published)).fallback(handle).with_state(gateway);
    match routes {
        Some(routes) => own.merge(routes),
        None => own,
    }
}

/// Serves until the host stops.
pub(crate) fn serve(listener: TcpListener, app: Router, background: Background) -> JoinHandle<()> {
    // answers are small: waiting for more to send would cost each of them 40 ms
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    tokio::spawn(async move {
        let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>());
        let stopped = async move { background.stopped().await };
        if let Err(error) = server.with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the listener ended");
        }
    })
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let response = match Limited::new(body, BODY_SIZE_BYTES_MAX).collect().await {
        Ok(body) => gateway.handle(http::Request::from_parts(head, body.to_bytes()), &peer.ip().to_string()).await,
        Err(_) => gateway.too_large(&head.headers),
    };
    response.map(Body::from)
}
