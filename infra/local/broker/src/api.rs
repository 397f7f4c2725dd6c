//! A small HTTP client for the public API and the simulators' control routes.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::Failure;

/// Sends JSON.
#[derive(Clone)]
pub struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; null when it is not JSON.
    pub json: Value,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The answer, if it has the wanted status.
    ///
    /// # Errors
    /// Status and body in words.
    pub fn expect(self, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            Ok(self)
        } else {
            Err(format!("expected {status}, got {}: {}", self.status, self.text).into())
        }
    }

    /// A text member, empty if it is not there.
    pub fn text_at(&self, pointer: &str) -> String {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Default for Api {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }
}

impl Api {
    /// Sends a request with headers and raw body.
    ///
    /// # Errors
    /// The connection's.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.client.request(request.body(Full::new(Bytes::from(body)))?).await?;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    /// `GET` with a token.
    ///
    /// # Errors
    /// The connection's.
    pub async fn get(&self, url: &str, token: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, url, &[("authorization", &format!("Bearer {token}"))], Vec::new()).await
    }

    /// `POST` JSON with a token and an idempotency key.
    ///
    /// # Errors
    /// The connection's.
    pub async fn post(&self, url: &str, token: &str, key: &str, body: &Value) -> Result<Answer, Failure> {
        let bearer = format!("Bearer {token}");
        let headers =
            [("authorization", bearer.as_str()), ("idempotency-key", key), ("content-type", "application/json")];
        self.send(Method::POST, url, &headers, body.to_string().into_bytes()).await
    }

    /// JSON with a token, for the routes that need no idempotency key.
    ///
    /// # Errors
    /// The connection's.
    pub async fn send_json(&self, method: Method, url: &str, token: &str, body: &Value) -> Result<Answer, Failure> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send(method, url, &headers, body.to_string().into_bytes()).await
    }

    /// `POST` JSON to a simulator's control route.
    ///
    /// # Errors
    /// The connection's, or anything but 2xx.
    pub async fn control(&self, url: &str, body: &Value) -> Result<Answer, Failure> {
        let headers = [("content-type", "application/json")];
        let answer = self.send(Method::POST, url, &headers, body.to_string().into_bytes()).await?;
        if (200..300).contains(&answer.status) {
            Ok(answer)
        } else {
            Err(format!("{url}: {} {}", answer.status, answer.text).into())
        }
    }
}
