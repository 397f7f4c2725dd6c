//! Amazon Textract against the simulator, and against answers that are not whole.

use providers::Disposition;
use providers::kyc::VendorError;
use providers::kyc::textract::{DocumentReader, TextLine, Textract};
use serde_json::{Value, json};

use super::rekognition::{service, stored};
use super::silent;
use crate::support::{SHORT_TIMEOUT, control, fault};

async fn lines(url: &str, key: &str) -> Result<Vec<TextLine>, VendorError> {
    Textract(service(url, ("LOCAL", "local"), SHORT_TIMEOUT)).lines(&stored(key)).await
}

#[tokio::test]
async fn a_document_is_read_line_by_line_with_what_each_word_is_worth() {
    let running = silent().await;
    let url = running.url("rekognition");
    let script = json!({"texts": [{"picture": "d", "lines": ["ANA MARIA", "P<UTO<<"], "confidence": 98.7}]});
    control(url, "/_control/script", &script).await;
    let read = lines(url, "d").await.ok().unwrap();
    let words: Vec<(&str, String)> = read
        .iter()
        .flat_map(|line| &line.words)
        .map(|(word, sure)| (word.as_str(), sure.value().to_string()))
        .collect();
    let sure = || "98.7".to_owned();
    assert_eq!(words, [("ANA", sure()), ("MARIA", sure()), ("P<UTO<<", sure())]);
    assert_eq!((read[0].left, read[0].width, read[0].height), (500, 9_000, 200));
    assert!(read[0].top < read[1].top);
    assert!(lines(url, "blank").await.ok().unwrap().is_empty());
}

#[tokio::test]
async fn a_line_that_does_not_read_is_not_left_out() {
    let running = silent().await;
    let url = running.url("rekognition");
    let place = json!({"BoundingBox": {"Left": 0, "Top": 0.5, "Width": 1, "Height": 1e-2}});
    let word = json!({"BlockType": "WORD", "Id": "w", "Text": "ANA", "Confidence": 99});
    let line = |ids: Value, place: &Value| json!({"BlockType": "LINE", "Id": "l", "Geometry": place, "Relationships": [{"Type": "CHILD", "Ids": ids}]});
    let whole = json!({"Blocks": [line(json!(["w"]), &place), word]});
    fault(url, "DetectDocumentText", json!({"kind": "answer", "body": whole})).await;
    assert_eq!(lines(url, "d").await.ok().unwrap().len(), 1);
    for broken in [
        json!({}),
        json!({"Blocks": [line(json!(["w"]), &place)]}),
        json!({"Blocks": [line(json!([]), &place), word]}),
        json!({"Blocks": [line(json!(["w"]), &json!({})), word]}),
        json!({"Blocks": [line(json!(["w"]), &place), {"BlockType": "WORD", "Id": "w", "Text": "ANA"}]}),
    ] {
        fault(url, "DetectDocumentText", json!({"kind": "answer", "body": broken})).await;
        let error = lines(url, "d").await.err().unwrap();
        assert_eq!(error.disposition(), Disposition::LookUp, "{broken}");
    }
}
