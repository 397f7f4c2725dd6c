//! The transport port: how a request reaches a vendor. Adapters know nothing else of the network, so a test can
//! answer in process.
//!
//! A transport never repeats a request: only the adapter knows whether repeating is harmless.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use url::Url;

mod hyper_transport;

pub use hyper_transport::{HyperTransport, TlsError};

/// A future behind a pointer, so that ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Longest answer that is read, in bytes. Vendors' answers are a few kilobytes; a page of deals is below 100.
pub const ANSWER_SIZE_BYTES_MAX: usize = 1024 * 1024;

/// In a request's extensions: its answer may have so many bytes instead of [`ANSWER_SIZE_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerSizeMax(pub usize);

/// Why there is no answer. What the request did on the other side differs by variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Name resolution, connection or TLS failed: the request certainly had no effect.
    #[error("request was not sent: {0}")]
    NotSent(String),
    /// Timed out or closed after the request may have left: its effect is unknown.
    #[error("answer was lost: {0}")]
    Lost(String),
    /// The answer exceeds [`ANSWER_SIZE_BYTES_MAX`], or what the request allows: the request had whatever effect it has.
    #[error("answer is too large")]
    TooLarge,
}

/// Sends requests.
pub trait Transport: Send + Sync {
    /// Sends one request with an absolute URI; its whole answer arrives within the deadline.
    ///
    /// # Errors
    /// [`TransportError`].
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>>;

    /// Opens one connection to the host of a URL, for protocols whose state belongs to the connection.
    ///
    /// # Errors
    /// [`TransportError::NotSent`].
    fn connect<'a>(
        &'a self,
        base: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>>;

    /// Opens one connection for a protocol that is not HTTP: `tcp://host:port`, or `tls://host:port`.
    ///
    /// # Errors
    /// [`TransportError::NotSent`].
    fn dial<'a>(
        &'a self,
        to: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn ByteStream>, TransportError>> {
        let _ = (to, deadline);
        Box::pin(async { Err(TransportError::NotSent("this transport speaks HTTP only".to_owned())) })
    }
}

/// One connection that carries bytes. Dropped, it is closed, and what was not delivered is thrown away.
pub trait ByteStream: Send {
    /// Hands all of it over within the deadline.
    ///
    /// # Errors
    /// [`TransportError::Lost`]: some of it may have arrived.
    fn write<'a>(&'a mut self, bytes: Bytes, deadline: Duration) -> BoxFuture<'a, Result<(), TransportError>>;

    /// What comes next, at least a byte; nothing where the other side has closed.
    ///
    /// # Errors
    /// [`TransportError::Lost`].
    fn read<'a>(&'a mut self, deadline: Duration) -> BoxFuture<'a, Result<Bytes, TransportError>>;
}

/// One kept HTTP/1.1 connection.
pub trait Connection: Send {
    /// Sends one request whose URI is a path and query; its whole answer arrives within the deadline.
    ///
    /// # Errors
    /// [`TransportError`]; after one the connection is closed.
    fn send<'a>(
        &'a mut self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>>;

    /// Whether another request can be sent, as far as this side knows.
    fn is_open(&self) -> bool;
}
