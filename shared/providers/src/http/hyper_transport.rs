//! The one real transport: hyper over TCP or rustls.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::HOST;
use ::http::{HeaderValue, Request, Response, Uri};
use bytes::{Bytes, BytesMut};
use domain::fault::{self, Fault};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::rt::{Read, Write};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::{ANSWER_SIZE_BYTES_MAX, AnswerSizeMax, BoxFuture, ByteStream, Connection, Transport, TransportError};

/// Longest a TCP connection may take to be made: a host that is down is found out well before a call's deadline.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a peer may take nothing of what a pooled connection has sent: the longest call of a payment provider.
#[cfg(target_os = "linux")]
const POOL_USER_TIMEOUT: Duration = Duration::from_secs(1).saturating_mul(crate::PSP_CALL_TIMEOUT_S);

/// How long a pooled connection is kept. Short: a function that was frozen wakes up to connections that are gone.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Pooled connections kept per host. A function handles one event at a time.
const POOL_PER_HOST: usize = 2;

/// Taken from a connection at once.
const READ_BYTES: usize = 16 * 1024;

type Plain = Client<HttpConnector, Full<Bytes>>;

/// The certificates to trust could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no certificate could be read from the given PEM text")]
pub struct TlsError;

/// HTTP/1.1 over TCP and TLS with a small pool.
pub struct HyperTransport {
    plain: Plain,
    /// Built by the first `https` URL: reading the system's certificates costs more than a cold start can spare.
    secure: OnceCell<Secure>,
    pinned: Option<Arc<RootCertStore>>,
}

struct Secure {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    config: Arc<ClientConfig>,
}

impl Default for HyperTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl HyperTransport {
    /// Trusts the certificate authorities of the system.
    pub fn new() -> Self {
        Self { plain: pool().build(connector()), secure: OnceCell::new(), pinned: None }
    }

    /// Trusts the given certificates and no others: trading servers often present self-signed ones. One that is
    /// marked as an authority can vouch for a server's certificate but is not accepted as the server's own.
    ///
    /// # Errors
    /// [`TlsError`] when the PEM text holds no certificate.
    pub fn trusting(pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| TlsError)?).map_err(|_| TlsError)?;
        }
        if roots.is_empty() {
            return Err(TlsError);
        }
        Ok(Self { pinned: Some(Arc::new(roots)), ..Self::new() })
    }

    async fn secure(&self) -> Result<&Secure, TransportError> {
        self.secure.get_or_try_init(async || self.build_secure()).await
    }

    fn build_secure(&self) -> Result<Secure, TransportError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(not_sent)?;
        let config = match &self.pinned {
            Some(roots) => builder.with_root_certificates(Arc::clone(roots)),
            None => builder.with_native_roots().map_err(not_sent)?,
        };
        let config = config.with_no_client_auth();
        let mut tcp = connector();
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config.clone())
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Secure { client: pool().build(https), config: Arc::new(config) })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, TransportError> {
        let bytes_max = request.extensions().get::<AnswerSizeMax>().map_or(ANSWER_SIZE_BYTES_MAX, |max| max.0);
        let sent = match request.uri().scheme_str() {
            Some("https") => self.secure().await?.client.request(request).await,
            Some("http") => self.plain.request(request).await,
            _ => return Err(TransportError::NotSent("only http and https URLs can be called".to_owned())),
        };
        let response = sent.map_err(|error| if error.is_connect() { not_sent(error) } else { lost(error) })?;
        whole(response, bytes_max).await
    }

    async fn open(&self, base: &Url, deadline: Duration) -> Result<Box<dyn Connection>, TransportError> {
        let host = base.host().ok_or_else(no_host)?;
        let (name, stream) = tcp(base, deadline).await?;
        let authority = base.port().map_or_else(|| host.to_string(), |port| format!("{host}:{port}"));
        let authority = HeaderValue::from_str(&authority).map_err(not_sent)?;
        match base.scheme() {
            "http" => kept(TokioIo::new(stream), authority).await,
            "https" => kept(TokioIo::new(self.encrypted(name, stream).await?), authority).await,
            _ => Err(TransportError::NotSent("only http and https URLs can be called".to_owned())),
        }
    }

    async fn open_stream(&self, to: &Url, deadline: Duration) -> Result<Box<dyn ByteStream>, TransportError> {
        let (name, stream) = tcp(to, deadline).await?;
        match to.scheme() {
            "tcp" => Ok(Box::new(Bare(stream))),
            "tls" => Ok(Box::new(Bare(self.encrypted(name, stream).await?))),
            _ => Err(TransportError::NotSent("only tcp and tls URLs can be dialled".to_owned())),
        }
    }

    async fn encrypted(&self, name: String, stream: TcpStream) -> Result<TlsStream<TcpStream>, TransportError> {
        let server = ServerName::try_from(name).map_err(not_sent)?;
        let tls = TlsConnector::from(Arc::clone(&self.secure().await?.config));
        tls.connect(server, stream).await.map_err(not_sent)
    }
}

/// A connection to the host of a URL, and the host's name.
async fn tcp(to: &Url, deadline: Duration) -> Result<(String, TcpStream), TransportError> {
    let name = match to.host().ok_or_else(no_host)? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let port = to.port_or_known_default().unwrap_or(443);
    let tcp = timeout(CONNECT_TIMEOUT, TcpStream::connect((name.as_str(), port)));
    let stream = tcp.await.map_err(not_sent)?.map_err(not_sent)?;
    stream.set_nodelay(true).map_err(not_sent)?;
    end_with_the_call(&stream, deadline).map_err(not_sent)?;
    Ok((name, stream))
}

fn no_host() -> TransportError {
    TransportError::NotSent("URL has no host".to_owned())
}

/// Bytes over TCP or TLS.
struct Bare<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for Bare<S> {
    fn write<'a>(&'a mut self, bytes: Bytes, deadline: Duration) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            let written = async {
                self.0.write_all(&bytes).await?;
                self.0.flush().await
            };
            timeout(deadline, written).await.map_err(lost)?.map_err(lost)
        })
    }

    fn read<'a>(&'a mut self, deadline: Duration) -> BoxFuture<'a, Result<Bytes, TransportError>> {
        Box::pin(async move {
            let mut taken = BytesMut::with_capacity(READ_BYTES);
            timeout(deadline, self.0.read_buf(&mut taken)).await.map_err(lost)?.map_err(lost)?;
            Ok(taken.freeze())
        })
    }
}

impl Transport for HyperTransport {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            timeout(deadline, self.exchange(request.map(Full::new))).await.unwrap_or_else(|late| Err(lost(late)))
        })
    }

    fn connect<'a>(
        &'a self,
        base: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async move {
            timeout(deadline, self.open(base, deadline)).await.unwrap_or_else(|late| Err(not_sent(late)))
        })
    }

    fn dial<'a>(
        &'a self,
        to: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn ByteStream>, TransportError>> {
        Box::pin(async move {
            timeout(deadline, self.open_stream(to, deadline)).await.unwrap_or_else(|late| Err(not_sent(late)))
        })
    }
}

/// Lets no byte outlive its call. What the kernel has not delivered when the connection is closed is thrown away
/// instead of being sent again behind our back, and where nobody closes it, a peer that takes nothing for the time of a
/// call is given up by the kernel itself.
fn end_with_the_call(stream: &TcpStream, call: Duration) -> std::io::Result<()> {
    if fault::is_back(Fault::WritesOutliveTheirCalls) {
        return Ok(());
    }
    stream.set_zero_linger()?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(call))?;
    #[cfg(not(target_os = "linux"))]
    let _ = call;
    Ok(())
}

/// The pool repeats a request by itself only if the connection it had picked turned out closed before a byte of the
/// request was taken from its queue. That is choosing another connection, not sending twice.
fn pool() -> hyper_util::client::legacy::Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(POOL_IDLE).pool_max_idle_per_host(POOL_PER_HOST);
    builder
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    // The pool's connections outlive a call, and its writes are such as may come twice: the kernel gives up in time.
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(POOL_USER_TIMEOUT));
    connector
}

async fn whole(response: Response<Incoming>, bytes_max: usize) -> Result<Response<Bytes>, TransportError> {
    let (head, body) = response.into_parts();
    match Limited::new(body, bytes_max).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(TransportError::TooLarge),
        Err(error) => Err(TransportError::Lost(chain(error.as_ref()))),
    }
}

struct Kept {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    authority: HeaderValue,
    broken: bool,
}

async fn kept<I>(io: I, authority: HeaderValue) -> Result<Box<dyn Connection>, TransportError>
where
    I: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(io).await.map_err(not_sent)?;
    let driver = tokio::spawn(async move {
        // The sender learns of the same error and reports it to whoever waits.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "kept connection ended");
        }
    });
    Ok(Box::new(Kept { sender, driver, authority, broken: false }))
}

impl Kept {
    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        until: Instant,
    ) -> Result<Response<Bytes>, TransportError> {
        // Lets the driver see a close that has already arrived, while the request is still ours to send elsewhere.
        tokio::task::yield_now().await;
        timeout_at(until, self.sender.ready()).await.map_err(not_sent)?.map_err(not_sent)?;
        let answer = async {
            match self.sender.try_send_request(request).await {
                Ok(response) => whole(response, ANSWER_SIZE_BYTES_MAX).await,
                Err(mut error) => match error.take_message() {
                    Some(_) => Err(not_sent(error.into_error())),
                    None => Err(lost(error.into_error())),
                },
            }
        };
        timeout_at(until, answer).await.unwrap_or_else(|late| Err(lost(late)))
    }
}

impl Kept {
    /// Closes the socket before it returns. Left to the next turn of the runtime, it could be a function that is
    /// frozen now and delivers the rest when it is woken.
    async fn close(&mut self) {
        self.driver.abort();
        // Ended, by itself or by the line above: either way its socket is gone.
        drop((&mut self.driver).await);
    }
}

impl Connection for Kept {
    fn send<'a>(
        &'a mut self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let until = Instant::now() + deadline;
            let mut request = request.map(Full::new);
            if let Some(target) = request.uri().path_and_query().cloned() {
                *request.uri_mut() = Uri::from(target);
            }
            request.headers_mut().insert(HOST, self.authority.clone());
            // Set first: a caller that stops waiting leaves an answer behind that is not the next request's.
            self.broken = true;
            let answer = self.exchange(request, until).await;
            match &answer {
                Ok(_) => self.broken = false,
                Err(_) => self.close().await,
            }
            answer
        })
    }

    fn is_open(&self) -> bool {
        !self.broken && !self.sender.is_closed()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn not_sent(error: impl std::error::Error) -> TransportError {
    TransportError::NotSent(chain(&error))
}

fn lost(error: impl std::error::Error) -> TransportError {
    TransportError::Lost(chain(&error))
}

/// hyper's own message says only at which stage; the cause below it says what.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
