//! Where a simulator's webhooks arrive: each is read and answered by the adapter, and kept as it came.

use std::sync::{Arc, Mutex};

use domain::payment::PspReport;
use http::{HeaderMap, HeaderName, HeaderValue};
use providers::psp::{Psp, WebhookAnswer, WebhookError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::now;

/// A delivery as it came over the wire.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Delivery {
    /// What the adapter reads in it now.
    pub fn read(&self, psp: &dyn Psp) -> Result<PspReport, WebhookError> {
        psp.read_webhook(&self.headers, &self.body, now())
    }

    /// The same headers over another body.
    pub fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { headers: self.headers.clone(), body: body.into() }
    }

    /// The same body under another value of a header; without the header where there is none.
    pub fn with_header(&self, name: &'static str, value: Option<&[u8]>) -> Self {
        let mut changed = self.clone();
        changed.headers.remove(name);
        if let Some(value) = value {
            changed.headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        }
        changed
    }
}

/// The address that webhooks are sent to.
pub struct Sink {
    pub url: String,
    taken: Arc<Mutex<Vec<Delivery>>>,
}

impl Sink {
    /// Listens until the test ends.
    pub async fn start(psp: Arc<dyn Psp>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&psp), Arc::clone(&kept)));
            }
        });
        Self { url, taken }
    }

    /// What came since it was asked last.
    pub fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, psp: Arc<dyn Psp>, taken: Arc<Mutex<Vec<Delivery>>>) {
    let (reading, mut writing) = stream.split();
    let mut reader = BufReader::new(reading);
    let mut headers = HeaderMap::new();
    let mut line = String::new();
    while reader.read_line(&mut line).await.unwrap() > 2 {
        if let Some((name, value)) = line.trim_end_matches(['\r', '\n']).split_once(": ") {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        line.clear();
    }
    let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let delivery = Delivery { headers, body };
    let answer = delivery.read(psp.as_ref()).as_ref().map_or_else(WebhookError::answer, |_| WebhookAnswer::Accepted);
    taken.lock().unwrap().push(delivery);
    let response = psp.answer(answer, now());
    let mut text = format!("HTTP/1.1 {}\r\ncontent-length: {}\r\n", response.status(), response.body().len());
    for (name, value) in response.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str("connection: close\r\n\r\n");
    writing.write_all(text.as_bytes()).await.unwrap();
    writing.write_all(response.body()).await.unwrap();
}
