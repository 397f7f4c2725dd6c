//! Amazon Rekognition against the simulator, which checks the signature of every request by itself.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use providers::http::HyperTransport;
use providers::kyc::VendorError;
use providers::kyc::aws::AwsService;
use providers::kyc::faces::{Comparison, Faces, Liveness, NoFace, Percent, Picture};
use providers::kyc::rekognition::Rekognition;
use providers::{Disposition, system_clock};
use serde_json::{Value, json};

use super::{check, silent};
use crate::support::{CALL_TIMEOUT, SHORT_TIMEOUT, at, control, fault};

pub fn service(url: &str, credentials: (&str, &str), timeout: Duration) -> AwsService {
    let (id, secret) = credentials;
    AwsService {
        base_url: url.parse().unwrap(),
        region: "eu-central-1".to_owned(),
        credentials: SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "test")),
        clock: system_clock(),
        transport: Arc::new(HyperTransport::new()),
        timeout,
    }
}

fn with(url: &str, credentials: (&str, &str), timeout: Duration) -> Rekognition {
    Rekognition(service(url, credentials, timeout))
}

fn faces(url: &str) -> Rekognition {
    with(url, ("LOCAL", "local"), CALL_TIMEOUT)
}

pub fn stored(key: &str) -> Picture {
    Picture::Stored { bucket: "documents".to_owned(), key: key.to_owned(), version: "v1".to_owned() }
}

fn percent(text: &str) -> Percent {
    text.parse().unwrap()
}

async fn script(url: &str, script: Value) {
    control(url, "/_control/script", &script).await;
}

#[tokio::test]
async fn the_threshold_is_ours_and_the_figure_is_told_on_both_sides_of_it() {
    let running = silent().await;
    let url = running.url("rekognition");
    let pairs = json!([
        {"source": "s", "target": "good", "similarity": 91.5}, {"source": "s", "target": "near", "similarity": 91.49999},
        {"source": "s", "target": "bad", "similarity": 0.3},
    ]);
    script(url, json!({"pairs": pairs})).await;
    let compare =
        async |target: &str| faces(url).compare(&stored("s"), &stored(target), percent("91.5")).await.unwrap();
    assert_eq!(compare("good").await, Comparison::Same { similarity: percent("91.5") });
    // above the service's own threshold of 80, and below ours
    assert_eq!(compare("near").await, Comparison::Different { similarity: Some(percent("91.49999")) });
    assert_eq!(compare("bad").await, Comparison::Different { similarity: Some(percent("0.3")) });
    let file = Picture::File(Bytes::from_static(b"not looked into"));
    let same = faces(url).compare(&file, &stored("other"), percent("80")).await.unwrap();
    assert_eq!(same, Comparison::Same { similarity: percent("99") });
    fault(url, "CompareFaces", json!({"kind": "answer", "body": {"FaceMatches": []}})).await;
    assert_eq!(compare("good").await, Comparison::Different { similarity: None });
}

#[tokio::test]
async fn a_picture_without_a_face_is_taken_again_and_a_wrong_parameter_is_not() {
    let running = silent().await;
    let url = running.url("rekognition");
    script(url, json!({"pictures": [{"picture": "empty", "faces": 0}, {"picture": "group", "faces": 3}]})).await;
    let compare = async |selfie: &str, document: &str| {
        faces(url).compare(&stored(selfie), &stored(document), percent("80")).await
    };
    assert_eq!(compare("empty", "d").await, Ok(Comparison::Retake(NoFace::Selfie)));
    assert_eq!(compare("s", "empty").await, Ok(Comparison::Retake(NoFace::Document)));
    assert_eq!(compare("empty", "empty").await, Ok(Comparison::Retake(NoFace::Selfie)));
    assert!(matches!(compare("group", "d").await, Ok(Comparison::Same { .. })));
    let wrong = json!({"kind": "refuse", "status": 400, "code": "InvalidParameterException"});
    fault(url, "CompareFaces", wrong).await;
    let error = compare("s", "d").await.unwrap_err();
    assert_eq!(error, VendorError::Refused("InvalidParameterException".to_owned()));
    assert!(faces(url).compare(&Picture::File(Bytes::new()), &stored("d"), percent("80")).await.is_err());
}

#[tokio::test]
async fn that_the_check_ran_does_not_say_that_somebody_lives() {
    let running = silent().await;
    let url = running.url("rekognition");
    let faces = faces(url);
    let session = faces.begin_liveness(&check("att_1")).await.unwrap();
    assert_eq!(faces.begin_liveness(&check("att_1")).await.unwrap(), session, "begun twice");
    assert_ne!(faces.begin_liveness(&check("att_2")).await.unwrap(), session);
    let live = |confidence: &str| Liveness::Live { confidence: percent(confidence) };
    let measured = |status: &str, confidence: Value, reference: bool| json!({"liveness": {"status": status, "confidence": confidence, "reference": reference}});
    for (told, wanted) in [
        (measured("SUCCEEDED", json!(92.5), true), live("92.5")),
        (measured("SUCCEEDED", json!(90), true), live("90")),
        (measured("SUCCEEDED", json!(89.99999), true), Liveness::NotLive { confidence: percent("89.99999") }),
        (measured("SUCCEEDED", json!(99.9), false), Liveness::Retake),
        (measured("FAILED", json!(99.9), true), Liveness::Retake),
        (measured("EXPIRED", json!(0), false), Liveness::Expired),
        (measured("CREATED", json!(0), false), Liveness::Pending),
        (measured("IN_PROGRESS", json!(0), false), Liveness::Pending),
    ] {
        script(url, told.clone()).await;
        assert_eq!(faces.liveness(&session, percent("90")).await, Ok(Some(wanted)), "{told}");
    }
    assert_eq!(faces.liveness("never-was", percent("90")).await, Ok(None));
    for odd in [measured("SUCCEEDED", json!(-1), true), measured("SOMETHING", json!(99), true)] {
        script(url, odd).await;
        assert_eq!(faces.liveness(&session, percent("90")).await.unwrap_err().disposition(), Disposition::LookUp);
    }
    let long = check(&"x".repeat(65));
    assert_eq!(faces.begin_liveness(&long).await.unwrap_err().disposition(), Disposition::GiveUp);
}

#[tokio::test]
async fn every_failure_says_what_to_do() {
    let running = silent().await;
    let url = running.url("rekognition");
    let service = with(url, ("LOCAL", "local"), SHORT_TIMEOUT);
    let refuse = |status: u16, code: &str| json!({"kind": "refuse", "status": status, "code": code});
    for (script, disposition) in [
        (refuse(500, "InternalServerError"), Disposition::Retry),
        (refuse(400, "ThrottlingException"), Disposition::Retry),
        (refuse(400, "com.amazonaws.rekognition#ProvisionedThroughputExceededException"), Disposition::Retry),
        (refuse(400, "AccessDeniedException"), Disposition::Hold),
        (refuse(400, "InvalidS3ObjectException"), Disposition::Hold),
        (refuse(400, "ImageTooLargeException"), Disposition::GiveUp),
        (json!({"kind": "drop"}), Disposition::Retry),
        (json!({"kind": "timeout_before", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "apply_then_timeout", "ms": 2000}), Disposition::Retry),
        (json!({"kind": "garbage"}), Disposition::LookUp),
        (json!({"kind": "answer", "body": {}}), Disposition::LookUp),
    ] {
        fault(url, "CompareFaces", script.clone()).await;
        let error = service.compare(&stored("s"), &stored("d"), percent("80")).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{script}: {error:?}");
    }
    for credentials in [("OTHER", "local"), ("LOCAL", "other")] {
        let error = with(url, credentials, CALL_TIMEOUT).liveness("x", percent("80")).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Hold, "{credentials:?}");
    }
    let mut late = faces(url);
    late.0.clock = Arc::new(|| at(1_600_000_000));
    assert_eq!(late.liveness("x", percent("80")).await.unwrap_err().disposition(), Disposition::Hold);
}
