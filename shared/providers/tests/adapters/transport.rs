//! The transport against sockets that misbehave.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use providers::http::{ANSWER_SIZE_BYTES_MAX, HyperTransport, Transport, TransportError};
use url::Url;

const SOON: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(5);
/// After this the server's side of a test fails rather than wait for ever.
const SERVED_MAX: Duration = Duration::from_secs(10);

/// Serves one connection with a function and gives its base URL.
fn server(serve: impl FnOnce(TcpStream) + Send + 'static) -> (Url, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let thread = std::thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        stream.set_read_timeout(Some(SERVED_MAX)).unwrap();
        stream.set_write_timeout(Some(SERVED_MAX)).unwrap();
        serve(stream);
    });
    (url, thread)
}

/// Waits for the server while connections are still driven.
async fn joined(thread: JoinHandle<()>) {
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let (url, thread) = server(|mut stream| {
        let head = read_head(&mut stream);
        assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
        stream.write_all(HELLO).unwrap();
    });
    let answer = HyperTransport::new().send(get(&format!("{url}a?b=c")), LONG).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, &b"hello"[..]));
    joined(thread).await;
}

#[tokio::test]
async fn a_refused_connection_is_certainly_not_sent() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let transport = HyperTransport::new();
    let sent = transport.send(get(url.as_str()), LONG).await;
    assert!(matches!(sent, Err(TransportError::NotSent(_))), "{sent:?}");
    assert!(matches!(transport.connect(&url, LONG).await.err(), Some(TransportError::NotSent(_))));
}

#[tokio::test]
async fn an_unknown_name_and_an_unknown_scheme_are_certainly_not_sent() {
    let transport = HyperTransport::new();
    for url in ["http://no-such-host.invalid/", "ftp://localhost/", "/only/a/path"] {
        let sent = transport.send(get(url), LONG).await;
        assert!(matches!(sent, Err(TransportError::NotSent(_))), "{url}: {sent:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_gets_no_request() {
    let (url, thread) = server(|mut stream| {
        let mut seen = [0; 512];
        let count = stream.read(&mut seen).unwrap();
        assert!(!seen[..count].windows(4).any(|w| w == b"GET "));
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let https = url.as_str().replace("http:", "https:");
    let sent = HyperTransport::new().send(get(&https), LONG).await;
    assert!(matches!(sent, Err(TransportError::NotSent(_))), "{sent:?}");
    joined(thread).await;
}

#[tokio::test]
async fn a_close_without_an_answer_and_silence_are_lost() {
    let (url, thread) = server(|mut stream| drop(read_head(&mut stream)));
    let sent = HyperTransport::new().send(get(url.as_str()), LONG).await;
    assert!(matches!(sent, Err(TransportError::Lost(_))), "{sent:?}");
    joined(thread).await;

    let (url, thread) = server(|mut stream| {
        read_head(&mut stream);
        // Until the client gives up and closes.
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    });
    let sent = HyperTransport::new().send(get(url.as_str()), SOON).await;
    assert!(matches!(sent, Err(TransportError::Lost(_))), "{sent:?}");
    joined(thread).await;
}

#[tokio::test]
async fn a_cut_body_is_lost_and_an_endless_one_is_too_large() {
    let (url, thread) = server(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello").unwrap();
    });
    let sent = HyperTransport::new().send(get(url.as_str()), LONG).await;
    assert!(matches!(sent, Err(TransportError::Lost(_))), "{sent:?}");
    joined(thread).await;

    let (url, thread) = server(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        // Stops when the client hangs up.
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let sent = HyperTransport::new().send(get(url.as_str()), LONG).await;
    assert_eq!(sent.unwrap_err(), TransportError::TooLarge);
    joined(thread).await;
    assert_eq!(ANSWER_SIZE_BYTES_MAX, 1_048_576);
}

#[tokio::test]
async fn a_kept_connection_serves_several_requests_and_names_its_host() {
    let (url, thread) = server(|mut stream| {
        for _ in 0..3 {
            let head = read_head(&mut stream);
            assert!(head.contains("host: 127.0.0.1:"), "{head}");
            stream.write_all(HELLO).unwrap();
        }
    });
    let transport = HyperTransport::new();
    let mut connection = transport.connect(&url, LONG).await.unwrap();
    for _ in 0..3 {
        assert!(connection.is_open());
        assert_eq!(connection.send(get("/x"), LONG).await.unwrap().body().as_ref(), b"hello");
    }
    joined(thread).await;
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_has_not_sent_the_next_request() {
    let (url, thread) = server(|mut stream| {
        read_head(&mut stream);
        stream.write_all(HELLO).unwrap();
    });
    let transport = HyperTransport::new();
    let mut connection = transport.connect(&url, LONG).await.unwrap();
    connection.send(get("/x"), LONG).await.unwrap();
    // Blocks the runtime: when the thread is done the socket is closed, and nobody on this side has noticed.
    thread.join().unwrap();
    let sent = connection.send(get("/x"), LONG).await;
    assert!(matches!(sent, Err(TransportError::NotSent(_))), "{sent:?}");
    assert!(!connection.is_open());
}

#[tokio::test]
async fn a_kept_connection_that_fell_silent_is_not_used_again() {
    let (url, thread) = server(|mut stream| {
        read_head(&mut stream);
        // It is not only ended but thrown away.
        assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    });
    let transport = HyperTransport::new();
    let mut connection = transport.connect(&url, LONG).await.unwrap();
    let sent = connection.send(get("/x"), SOON).await;
    assert!(matches!(sent, Err(TransportError::Lost(_))), "{sent:?}");
    assert!(!connection.is_open());
    drop(connection);
    joined(thread).await;
}

#[test]
fn only_readable_certificates_can_be_pinned() {
    for pem in [&b""[..], b"not pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(HyperTransport::trusting(pem).is_err());
    }
}

/// More than the shut window of the proxy holds, and little enough to wait as a whole in the queue of our side.
const LARGE_BYTES: usize = 512 * 1024;

/// A proxy that takes one connection and holds its window shut until it is told to read; gives how much arrived.
fn shut_window() -> (Url, std::sync::mpsc::Sender<()>, JoinHandle<usize>) {
    let (open, opened) = std::sync::mpsc::channel();
    let (url, thread) = {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        socket.listen(1).unwrap();
        let listener = TcpListener::from(socket);
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let thread = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(SERVED_MAX)).unwrap();
            opened.recv_timeout(SERVED_MAX).unwrap();
            let (mut arrived, mut buffer) = (0, vec![0; 65_536]);
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                arrived += n;
            }
            arrived
        });
        (url, thread)
    };
    (url, open, thread)
}

fn large() -> Request<Bytes> {
    Request::post("/api/trade/balance").body(Bytes::from(vec![b'x'; LARGE_BYTES])).unwrap()
}

async fn arrived(open: &std::sync::mpsc::Sender<()>, proxy: JoinHandle<usize>) -> usize {
    open.send(()).unwrap();
    tokio::task::spawn_blocking(move || proxy.join().unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_waits_behind_a_shut_window_is_not_delivered_after_the_end_of_the_call() {
    let (url, open, proxy) = shut_window();
    let mut connection = HyperTransport::new().connect(&url, LONG).await.unwrap();
    let error = connection.send(large(), SOON).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
    // At once, with the connection still in somebody's hands: the end of the call is the end of its bytes.
    let arrived = arrived(&open, proxy).await;
    assert!(arrived < LARGE_BYTES, "all of it arrived after the call had ended");
    assert!(!connection.is_open());
}

#[tokio::test]
async fn a_caller_that_is_gone_leaves_nothing_to_be_delivered() {
    let (url, open, proxy) = shut_window();
    let mut connection = HyperTransport::new().connect(&url, LONG).await.unwrap();
    assert!(tokio::time::timeout(SOON, connection.send(large(), LONG)).await.is_err());
    drop(connection);
    tokio::time::sleep(SOON).await;
    assert!(arrived(&open, proxy).await < LARGE_BYTES);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_call_that_nobody_ends_is_ended_by_the_system_within_the_calls_time() {
    let (url, open, proxy) = shut_window();
    let mut connection = HyperTransport::new().connect(&url, SOON * 2).await.unwrap();
    let begun = std::time::Instant::now();
    let error = connection.send(large(), SERVED_MAX).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    assert!(arrived(&open, proxy).await < LARGE_BYTES);
}

/// What the simulated network counts on when it delivers late (`providers::platform_delivery_s`).
#[cfg(debug_assertions)]
#[tokio::test]
async fn a_connection_that_is_closed_as_any_other_delivers_after_the_end_of_the_call() {
    use domain::fault::{self, Fault};
    assert_eq!(providers::platform_delivery_s(), providers::PLATFORM_SOCKET_TIMEOUT_S);
    fault::put_back(Some(Fault::WritesOutliveTheirCalls));
    let (url, open, proxy) = shut_window();
    let mut connection = HyperTransport::new().connect(&url, LONG).await.unwrap();
    let error = connection.send(large(), SOON).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
    assert!(arrived(&open, proxy).await > LARGE_BYTES, "head and body arrive though nobody waits for an answer");
    assert!(providers::platform_delivery_s() > domain::payment::GRACE.0);
}

#[tokio::test]
async fn a_dialled_connection_carries_bytes_both_ways_until_it_is_closed() {
    let (url, thread) = server(|mut stream| {
        let mut seen = [0; 5];
        stream.read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"WORD\n");
        stream.write_all(b"OK\r\n").unwrap();
    });
    let url = Url::parse(&url.as_str().replace("http:", "tcp:")).unwrap();
    let mut stream = HyperTransport::new().dial(&url, LONG).await.unwrap();
    stream.write(Bytes::from_static(b"WORD\n"), LONG).await.unwrap();
    assert_eq!(stream.read(LONG).await.unwrap().as_ref(), b"OK\r\n");
    assert!(stream.read(LONG).await.unwrap().is_empty());
    joined(thread).await;
}

#[tokio::test]
async fn a_dialled_connection_that_is_silent_or_not_there_says_so() {
    let (url, thread) = server(|mut stream| {
        drop(stream.read(&mut [0]));
    });
    let tcp = Url::parse(&url.as_str().replace("http:", "tcp:")).unwrap();
    let transport = HyperTransport::new();
    let mut stream = transport.dial(&tcp, LONG).await.unwrap();
    assert!(matches!(stream.read(SOON).await, Err(TransportError::Lost(_))));
    drop(stream);
    joined(thread).await;
    for nowhere in ["tcp://127.0.0.1:1", url.as_str()] {
        let dialled = transport.dial(&Url::parse(nowhere).unwrap(), SOON).await;
        assert!(matches!(dialled.err(), Some(TransportError::NotSent(_))), "{nowhere}");
    }
}
