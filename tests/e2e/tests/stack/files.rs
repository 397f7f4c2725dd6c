//! The bucket of the clients' documents, and uploads to addresses that were signed for it.

use domain::Seconds;
use files::{Files, Upload};
use host::SystemClock;
use http::Method;
use runtime::Clock as _;

use crate::deployment::Deployment;
use crate::on_the_stack;
use crate::portal::unique;

const JPEG: &str = "image/jpeg";

/// Uploads what was signed, perhaps as another type; the status of the answer.
async fn send(stack: &Deployment, upload: &Upload, content_type: &str, content: &str) -> u16 {
    assert_eq!(upload.method, "PUT");
    let headers = upload.headers.iter().filter(|(name, _)| name != "content-length");
    let as_type = |name: &str| name == "content-type";
    let headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str(), if as_type(name) { content_type } else { value.as_str() }))
        .collect();
    stack.http.send(Method::PUT, &upload.url, &headers, content.into()).await.unwrap().status
}

#[test]
fn a_document_is_uploaded_as_it_was_signed_and_each_upload_is_a_version() {
    on_the_stack(async |stack| {
        let _turn = stack.turn.read().await;
        let documents = Files::of(&stack.aws, &stack.output("DocumentsBucketName").unwrap());
        let key = format!("documents/cli_e2e/{}", unique("doc"));
        assert_eq!(documents.head(&key).await, Ok(None));
        assert_eq!(documents.get(&key, 1_000).await, Ok(None));
        let mut versions = Vec::new();
        for content in ["passport", "cat"] {
            let length = content.len().try_into().unwrap();
            let upload = documents.presign_put(&key, JPEG, length, Seconds(900), SystemClock.now()).await.unwrap();
            assert_eq!(send(stack, &upload, JPEG, content).await, 200);
            assert_eq!(send(stack, &upload, "application/pdf", content).await, 403, "another type");
            assert_eq!(send(stack, &upload, JPEG, &format!("{content}s")).await, 403, "another size");
            let head = documents.head(&key).await.unwrap().unwrap();
            assert_eq!((head.bytes, head.content_type.as_str()), (length, JPEG));
            versions.push(head.version);
        }
        let newest = documents.get(&key, 1_000).await.unwrap().unwrap();
        assert_eq!((&newest.head.version, newest.bytes.as_slice()), (&versions[1], b"cat".as_slice()));
        let first = documents.get_version(&key, &versions[0], 1_000).await.unwrap();
        assert_eq!((&first.head.version, first.bytes.as_slice()), (&versions[0], b"passport".as_slice()));
    });
}
