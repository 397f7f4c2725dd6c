//! Files: what a signed address lets in and what it does not, versions, rights, and what is left after an upload that failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::{Seconds, Timestamp};
use files::{FileVersion, Files, FilesError, Upload};
use host::{Host, HostConfig, LocalTime, TemplateSource};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use runtime::{Clock as _, Ports};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{FIXTURE, code, config};

const KEY: &str = "scans/cli_1/doc_1";
const JPEG: &str = "image/jpeg";
const MINUTES: Seconds = Seconds(900);
const MIB: u64 = 1024 * 1024;

/// A host whose functions are not called: what they would be given is.
struct Running {
    host: Host,
    /// Of the function that may use the bucket.
    files: Files,
    /// Of one that may not, and knows its name all the same.
    other: Files,
}

async fn start(mut config: HostConfig) -> Running {
    let given: Arc<Mutex<Vec<Ports>>> = Arc::default();
    for name in ["steps-take", "steps-tick"] {
        let (given, idle) = (Arc::clone(&given), code(|_, _| async { Ok(Value::Null) }));
        let keep: host::Builder = Arc::new(move |ports: &Ports| {
            given.lock().unwrap().push(ports.clone());
            idle(ports)
        });
        config.registry.insert(name.to_owned(), keep);
    }
    let host = Host::start(config).await.unwrap();
    let files = |knows: bool| {
        let given = given.lock().unwrap();
        let ports = given.iter().find(|ports| ports.environment.contains_key("SECRET") == knows).unwrap();
        let mut ports = ports.clone();
        Arc::make_mut(&mut ports.environment).insert("BUCKET_SCANS".to_owned(), "scansbucket".to_owned());
        Files::new(&ports, "BUCKET_SCANS").unwrap()
    };
    Running { files: files(true), other: files(false), host }
}

impl Running {
    fn now(&self) -> Timestamp {
        self.host.time().now()
    }

    async fn sign(&self, bytes: u64) -> Upload {
        self.files.presign_put(KEY, JPEG, bytes, MINUTES, self.now()).await.unwrap()
    }

    async fn uploaded(&self, content: &'static [u8]) -> FileVersion {
        let upload = self.sign(content.len().try_into().unwrap()).await;
        assert_eq!(send(&upload, content).await, (200, String::new()));
        self.files.head(KEY).await.unwrap().unwrap().version
    }

    async fn content(&self) -> Option<Vec<u8>> {
        self.files.get(KEY, MIB).await.unwrap().map(|file| file.bytes)
    }
}

/// Status, and the code of the error.
async fn send(upload: &Upload, content: &'static [u8]) -> (u16, String) {
    let mut request = Request::builder().method(upload.method.as_str()).uri(&upload.url);
    for (name, value) in &upload.headers {
        request = request.header(name, value);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.body(Full::new(Bytes::from_static(content))).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    (status, code.map_or("", |(code, _)| code).to_owned())
}

/// The upload with another value of one of its headers, or with one more.
fn with(upload: &Upload, name: &str, value: &str) -> Upload {
    let mut changed = without(upload, name);
    changed.headers.push((name.to_owned(), value.to_owned()));
    changed
}

fn without(upload: &Upload, name: &str) -> Upload {
    let mut changed = upload.clone();
    changed.headers.retain(|(own, _)| own != name);
    changed
}

fn elsewhere(upload: &Upload, from: &str, to: &str) -> Upload {
    assert!(upload.url.contains(from), "{}", upload.url);
    Upload { url: upload.url.replacen(from, to, 1), ..upload.clone() }
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

#[tokio::test]
async fn what_was_signed_is_taken_and_read_as_it_was_sent() {
    let running = start(config()).await;
    let upload = running.sign(5).await;
    assert_eq!(upload.method, "PUT");
    let mut headers = upload.headers.clone();
    headers.sort();
    let expected = [("content-length", "5"), ("content-type", JPEG)].map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(headers, expected, "what the portal must send");
    assert!(upload.url.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost&"), "{}", upload.url);
    assert!(upload.url.starts_with("http://127.0.0.1:"), "{}", upload.url);
    assert_eq!(send(&upload, b"scan!").await, (200, String::new()));

    let head = running.files.head(KEY).await.unwrap().unwrap();
    assert_eq!((head.bytes, head.content_type.as_str()), (5, JPEG));
    let file = running.files.get(KEY, 5).await.unwrap().unwrap();
    assert_eq!((file.head, file.bytes.as_slice()), (head, b"scan!".as_slice()));
    assert!(!format!("{upload:?}").contains("Signature"), "whoever has the address may upload");
}

#[tokio::test]
async fn anything_else_than_what_was_signed_is_refused() {
    let running = start(config()).await;
    let upload = running.sign(5).await;
    let differs = || refused("SignatureDoesNotMatch");
    for (what, changed, content) in [
        ("another type", with(&upload, "content-type", "application/pdf"), b"scan!".as_slice()),
        ("no type", without(&upload, "content-type"), b"scan!"),
        ("longer", with(&upload, "content-length", "6"), b"scans!"),
        ("shorter", with(&upload, "content-length", "4"), b"scan"),
        ("empty", with(&upload, "content-length", "0"), b""),
        (
            "in chunks of any length",
            with(&without(&upload, "content-length"), "transfer-encoding", "chunked"),
            b"scan!",
        ),
        ("another document", elsewhere(&upload, "doc_1", "doc_2"), b"scan!"),
        ("another client's", elsewhere(&upload, "cli_1", "cli_2"), b"scan!"),
        ("for longer", elsewhere(&upload, "X-Amz-Expires=900", "X-Amz-Expires=901"), b"scan!"),
        ("to be read", Upload { method: "GET".to_owned(), ..upload.clone() }, b""),
        ("fewer headers", elsewhere(&upload, "content-length%3B", ""), b"scan!"),
        ("one more parameter", elsewhere(&upload, "?", "?versionId=00000001&"), b"scan!"),
    ] {
        assert_eq!(send(&changed, content).await, differs(), "{what}");
    }
    let unsigned = Upload { url: upload.url.split('?').next().unwrap().to_owned(), ..upload.clone() };
    assert_eq!(send(&unsigned, b"scan!").await, refused("AccessDenied"), "no signature");
    assert_eq!(send(&with(&upload, "x-amz-acl", "public-read"), b"scan!").await, refused("AccessDenied"));
    let stranger = elsewhere(&upload, "LOCAL-steps-take", "LOCAL-steps-fake");
    assert_eq!(send(&stranger, b"scan!").await, refused("InvalidAccessKeyId"));
    let malformed = elsewhere(&upload, "X-Amz-Expires=900", "X-Amz-Expires=0");
    assert_eq!(send(&malformed, b"scan!").await, refused("AuthorizationQueryParametersError"));
    let twice = elsewhere(&upload, "?", "?X-Amz-Expires=604800&");
    assert_eq!(send(&twice, b"scan!").await, refused("AuthorizationQueryParametersError"));
    assert_eq!(running.files.head(KEY).await.unwrap(), None, "nothing of it is kept");
    assert_eq!(send(&upload, b"scan!").await.0, 200, "and the address is as good as before");
}

#[tokio::test]
async fn an_address_ends_by_the_local_clock() {
    for at in [LocalTime::standing("2024-02-29T23:59:00Z".parse().unwrap()), LocalTime::real()] {
        let running = start(HostConfig { time: at, ..config() }).await;
        let upload = running.sign(5).await;
        running.host.time().advance(Duration::from_secs(899)).await;
        assert_eq!(send(&upload, b"scan!").await.0, 200, "a second before");
        running.host.time().advance(Duration::from_secs(3)).await;
        assert_eq!(send(&upload, b"other").await, refused("AccessDenied"), "and after");
        assert_eq!(running.content().await.unwrap(), b"scan!");
        let early = running.now().plus(Seconds(1_800));
        let early = running.files.presign_put(KEY, JPEG, 5, MINUTES, early).await.unwrap();
        assert_eq!(send(&early, b"other").await, refused("AccessDenied"), "long before");
    }
}

#[tokio::test]
async fn each_upload_is_a_version_and_the_one_that_was_looked_at_stays() {
    let running = start(config()).await;
    let first = running.uploaded(b"passport").await;
    let second = running.uploaded(b"cat").await;
    assert_ne!(first, second);
    assert_eq!(running.content().await.unwrap(), b"cat", "the newest is what lies there");
    let file = running.files.get_version(KEY, &first, MIB).await.unwrap();
    assert_eq!((file.head.version, file.bytes.as_slice()), (first.clone(), b"passport".as_slice()));
    let again = running.uploaded(b"cat").await;
    assert_ne!(second, again, "the same content is another version");

    let unknown = FileVersion("00000099".to_owned());
    assert_eq!(running.files.get_version(KEY, &unknown, MIB).await, Err(FilesError::NoSuchVersion));
    let nowhere = running.files.get_version("scans/cli_1/doc_2", &first, MIB).await;
    assert_eq!(nowhere, Err(FilesError::NoSuchVersion));
    let own = running.files.put("scans/cli_1/read.json", "application/json", "{}").await.unwrap();
    let read = running.files.get("scans/cli_1/read.json", MIB).await.unwrap().unwrap();
    assert_eq!((read.head.version, read.bytes.as_slice()), (own, b"{}".as_slice()));
}

#[tokio::test]
async fn many_uploads_to_one_key_at_once_are_as_many_versions() {
    let running = start(config()).await;
    let upload = running.sign(5).await;
    let sent = futures::future::join_all((0..8).map(|_| send(&upload, b"scan!"))).await;
    assert!(sent.iter().all(|(status, _)| *status == 200), "{sent:?}");
    let newest = running.files.head(KEY).await.unwrap().unwrap().version;
    assert_eq!(newest, FileVersion("00000008".to_owned()));
    for number in 1..=8 {
        let version = FileVersion(format!("{number:08}"));
        assert_eq!(running.files.get_version(KEY, &version, MIB).await.unwrap().bytes, b"scan!");
    }
}

#[tokio::test]
async fn what_is_absent_is_nothing_and_what_is_too_large_is_not_read() {
    let running = start(config()).await;
    assert_eq!(running.files.head(KEY).await, Ok(None));
    assert_eq!(running.files.get(KEY, MIB).await, Ok(None));
    let version = running.uploaded(b"123456").await;
    let too_large = FilesError::TooLarge { bytes: 6, bytes_max: 5 };
    assert_eq!(running.files.get(KEY, 5).await, Err(too_large.clone()));
    assert_eq!(running.files.get_version(KEY, &version, 5).await, Err(too_large));
    assert_eq!(running.files.get(KEY, 6).await.unwrap().unwrap().bytes, b"123456");
    for key in ["", "scans/../other", "/scans", "scans//a", "scans/a?b"] {
        let malformed = running.files.head(key).await.err();
        assert!(matches!(malformed, Some(FilesError::Malformed(_))), "{key}: {malformed:?}");
    }
    let forever = running.files.presign_put(KEY, JPEG, 5, Seconds(700_000), running.now()).await.err();
    assert!(matches!(forever, Some(FilesError::Malformed(_))), "{forever:?}");
}

#[tokio::test]
async fn the_role_says_who_may_do_what_and_an_address_has_its_signers_rights() {
    let running = start(config()).await;
    running.uploaded(b"scan!").await;
    let denied = || FilesError::NotSetUp("AccessDenied".to_owned());
    assert_eq!(running.other.get(KEY, MIB).await, Err(denied()));
    assert!(matches!(running.other.head(KEY).await, Err(FilesError::NotSetUp(_))));
    assert_eq!(running.other.put(KEY, JPEG, "x").await, Err(denied()));
    assert_eq!(running.files.get("other/cli_1/doc_1", MIB).await, Err(denied()), "the role has one prefix");
    // signing asks nobody, so it succeeds; the address is worth what the signer's role is
    let upload = running.other.presign_put(KEY, JPEG, 5, MINUTES, running.now()).await.unwrap();
    assert_eq!(send(&upload, b"other").await, refused("AccessDenied"));
    let outside = running.files.presign_put("other/doc_1", JPEG, 5, MINUTES, running.now()).await.unwrap();
    assert_eq!(send(&outside, b"other").await, refused("AccessDenied"));
    assert_eq!(running.content().await.unwrap(), b"scan!");
}

#[tokio::test]
async fn who_may_not_list_is_not_told_that_nothing_is_there() {
    let list = "            - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt ScansBucket.Arn}\n";
    assert!(FIXTURE.contains(list));
    let template = TemplateSource::Text(FIXTURE.replace(list, ""));
    let running = start(HostConfig { template, ..config() }).await;
    assert_eq!(running.files.get(KEY, MIB).await, Err(FilesError::NotSetUp("AccessDenied".to_owned())));
    assert!(matches!(running.files.head(KEY).await, Err(FilesError::NotSetUp(_))));
}

#[tokio::test]
async fn an_upload_that_fails_leaves_what_was_there() {
    let running = start(config()).await;
    running.uploaded(b"first").await;
    let upload = running.sign(5).await;
    // a sum that is not that of the content: seen when all of it has come
    let sum = with(&upload, "content-md5", "XUFAKrxLKna5cZ2REBfFkg==");
    assert_eq!(send(&sum, b"other").await, (400, "BadDigest".to_owned()));
    assert_eq!(running.content().await.unwrap(), b"first");

    // a client that goes away in the middle
    let (address, path) = upload.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        format!("PUT /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {JPEG}\r\ncontent-length: 5\r\n\r\nab");
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _closed = connection.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(running.content().await.unwrap(), b"first");
    assert_eq!(send(&upload, b"other").await.0, 200, "and may send it again");
    assert_eq!(running.content().await.unwrap(), b"other");
}

#[tokio::test]
async fn a_page_of_the_portal_may_upload_and_no_other() {
    let running = start(config()).await;
    let upload = running.sign(5).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let ask = async |origin: &str, headers: &str| {
        let question = Request::options(&upload.url)
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", headers);
        let answer = client.request(question.body(Full::default()).unwrap()).await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin").cloned();
        (answer.status().as_u16(), allowed.map(|origin| origin.to_str().unwrap().to_owned()))
    };
    let portal = "https://portal.test";
    assert_eq!(ask(portal, "content-type").await, (200, Some(portal.to_owned())));
    assert_eq!(ask(portal, "content-type, x-amz-acl").await, (403, None));
    assert_eq!(ask("https://elsewhere.test", "content-type").await, (403, None));
}

#[tokio::test]
async fn files_are_kept_beside_the_tables() {
    let folder = std::env::temp_dir().join(format!("pipworks-host-{}-files", std::process::id()));
    let kept = async || start(HostConfig { data: Some(folder.join("tables.db")), ..config() }).await;
    let running = kept().await;
    let version = running.uploaded(b"scan!").await;
    running.host.stop().await;
    let running = kept().await;
    assert_eq!(running.files.head(KEY).await.unwrap().unwrap().version, version);
    assert_ne!(running.uploaded(b"other").await, version);
    running.host.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
