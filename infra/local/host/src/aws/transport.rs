//! The vendors' transport under the same eyes as AWS: counted, probed, and answered in process where it is the host itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use providers::http::{BoxFuture, ByteStream, Connection, Transport, TransportError};
use url::Url;

use super::probe::{Service, current_function, guarded};
use super::usage::{Usage, UsageKey, Used};

/// Decorates the transport that the functions get.
pub(crate) struct ProbedTransport {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) usage: Usage,
    /// Where the issuer publishes its keys, and the keys: a cold function must not need a socket to its own host.
    pub(crate) keys: (String, Bytes),
}

struct ProbedConnection {
    inner: Box<dyn Connection>,
    usage: Usage,
    host: String,
}

impl Transport for ProbedTransport {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            if request.uri() == self.keys.0.as_str() {
                return Ok(Response::new(self.keys.1.clone()));
            }
            let method = request.method().to_string();
            let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let target = format!("{host}{}", request.uri().path());
            guarded(Service::Vendor, &method, &target, async {
                count(&self.usage, &method, &host);
                self.inner.send(request, deadline).await
            })
            .await
        })
    }

    fn connect<'a>(
        &'a self,
        base: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async move {
            let host = base.authority().to_owned();
            let inner = guarded(Service::Vendor, "CONNECT", &host, self.inner.connect(base, deadline)).await?;
            let connection: Box<dyn Connection> = Box::new(ProbedConnection { inner, usage: self.usage.clone(), host });
            Ok(connection)
        })
    }

    fn dial<'a>(
        &'a self,
        to: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn ByteStream>, TransportError>> {
        Box::pin(async move {
            let host = to.authority().to_owned();
            let inner = guarded(Service::Vendor, "CONNECT", &host, self.inner.dial(to, deadline)).await?;
            let stream: Box<dyn ByteStream> = Box::new(ProbedStream { inner, usage: self.usage.clone(), host });
            Ok(stream)
        })
    }
}

struct ProbedStream {
    inner: Box<dyn ByteStream>,
    usage: Usage,
    host: String,
}

/// What is written is the call; its answer is read as part of it.
impl ByteStream for ProbedStream {
    fn write<'a>(&'a mut self, bytes: Bytes, deadline: Duration) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            guarded(Service::Vendor, "WRITE", &self.host, async {
                count(&self.usage, "WRITE", &self.host);
                self.inner.write(bytes, deadline).await
            })
            .await
        })
    }

    fn read<'a>(&'a mut self, deadline: Duration) -> BoxFuture<'a, Result<Bytes, TransportError>> {
        Box::pin(async move { guarded(Service::Vendor, "READ", &self.host, self.inner.read(deadline)).await })
    }
}

impl Connection for ProbedConnection {
    fn send<'a>(
        &'a mut self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let method = request.method().to_string();
            let target = format!("{}{}", self.host, request.uri().path());
            guarded(Service::Vendor, &method, &target, async {
                count(&self.usage, &method, &self.host);
                self.inner.send(request, deadline).await
            })
            .await
        })
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

fn count(usage: &Usage, method: &str, host: &str) {
    let key = UsageKey {
        function: current_function(),
        service: Service::Vendor,
        operation: method.to_owned(),
        target: host.to_owned(),
    };
    usage.add(key, Used { calls: 1, ..Used::default() });
}
