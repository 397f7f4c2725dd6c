//! The transport over TLS, with a certificate of its own.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use providers::http::{HyperTransport, Transport, TransportError};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::support::CALL_TIMEOUT;

/// Self-signed, for `localhost`, made for this test and used nowhere else.
const PEM: &[u8] = include_bytes!("localhost.pem");

/// Answers every request of every connection, and gives its port.
async fn server() -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_slice(PEM).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(PEM).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 1024];
                // Requests of these tests have no body and fit one read.
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn get(uri: &str) -> Request<Bytes> {
    Request::get(uri).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_by_pool_and_kept_connection() {
    let port = server().await;
    let transport = HyperTransport::trusting(PEM).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
        let answer = transport.send(get(url.as_str()), CALL_TIMEOUT).await.unwrap();
        assert_eq!(answer.body().as_ref(), b"hello");
        let mut connection = transport.connect(&url, CALL_TIMEOUT).await.unwrap();
        for _ in 0..2 {
            assert_eq!(connection.send(get("/x"), CALL_TIMEOUT).await.unwrap().body().as_ref(), b"hello");
        }
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_we_know_gets_no_request() {
    let port = server().await;
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    let transport = HyperTransport::new();
    let sent = transport.send(get(url.as_str()), CALL_TIMEOUT).await;
    assert!(matches!(sent, Err(TransportError::NotSent(_))), "{sent:?}");
    assert!(matches!(transport.connect(&url, CALL_TIMEOUT).await.err(), Some(TransportError::NotSent(_))));
}
