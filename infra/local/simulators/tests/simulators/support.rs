//! A small HTTP/1.1 client on one connection, and a receiver of webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use simulators::{Config, Running, Simulators};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longest wait for anything in a test.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One keep-alive connection.
pub struct Client {
    stream: TcpStream,
    host: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
}

impl Client {
    pub async fn connect(url: &str) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host }
    }

    /// Sends without waiting for an answer.
    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.host, body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer; `None` when the connection ends first.
    pub async fn receive(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        let mut byte = [0_u8; 1];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte).await {
                Ok(1) => head.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0_u8; length];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(Answer { status, headers, body })
    }

    /// Sends and waits; `None` when the connection ends without an answer.
    pub async fn try_call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        self.send(method, path, headers, body).await;
        tokio::time::timeout(PATIENCE, self.receive()).await.expect("an answer or an end in time")
    }

    pub async fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_call(method, path, headers, body).await.expect("an answer")
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, &[], "").await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let kind = [("Content-Type", "application/json")];
        self.call("POST", path, &kind, &body.to_string()).await
    }

    /// True when the other side closes within the time.
    pub async fn closes_within(&mut self, limit: Duration) -> bool {
        let mut byte = [0_u8; 1];
        let read = tokio::time::timeout(limit, self.stream.read(&mut byte)).await;
        matches!(read, Ok(Ok(0) | Err(_)))
    }
}

/// One request on a connection of its own.
pub async fn post(url: &str, path: &str, body: &Value) -> Answer {
    Client::connect(url).await.post(path, body).await
}

pub async fn get(url: &str, path: &str) -> Answer {
    Client::connect(url).await.get(path).await
}

pub async fn state(url: &str) -> Value {
    get(url, "/_control/state").await.json()
}

/// Simulators with default secrets and the receiver's address for webhooks.
pub async fn start() -> Running {
    Simulators::start(Config::default()).await.unwrap()
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Reply = dyn Fn(&Received) -> (u16, Vec<(String, String)>, String) + Send + Sync;

/// Plays the system under test.
pub struct Receiver {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub async fn start(
        reply: impl Fn(&Received) -> (u16, Vec<(String, String)>, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let (reply, log): (Arc<Reply>, _) = (Arc::new(reply), Arc::clone(&received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, log) = (Arc::clone(&reply), Arc::clone(&log));
                let service =
                    service_fn(move |request: Request<Incoming>| take(request, Arc::clone(&reply), Arc::clone(&log)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, received }
    }

    /// Answers 200 with an empty object.
    pub async fn plain() -> Self {
        Self::start(|_| (200, Vec::new(), json!({}).to_string())).await
    }

    pub fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn take(
    request: Request<Incoming>,
    reply: Arc<Reply>,
    log: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = request.into_body().collect().await?.to_bytes().to_vec();
    let received = Received { path, headers, body };
    let (status, headers, body) = reply(&received);
    log.lock().unwrap().push(received);
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from(body))).unwrap())
}

/// Asks again until the answer satisfies, at most for the patience of a test.
pub async fn until<T, F>(mut ask: impl FnMut() -> F, enough: impl Fn(&T) -> bool) -> T
where
    F: Future<Output = T>,
{
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let answer = ask().await;
        if enough(&answer) {
            return answer;
        }
        assert!(tokio::time::Instant::now() < end, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A form body.
pub fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
