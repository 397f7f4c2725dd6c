//! Amazon Rekognition as far as it is used, faces compared and counted and checks of liveness, and the text of documents of Amazon
//! Textract. They see nothing: what is in which picture is what a script says.

use std::sync::{Arc, Mutex};

use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};

use crate::clock::{Clock, Ids};
use crate::config::RekognitionConfig;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

/// How far a request's time may be from now.
const TOLERANCE_S: i64 = 300;
const TARGETS: [&str; 2] = ["RekognitionService.", "Textract."];

/// Signature Version 4 of a request: the hex at the end of its `Authorization`. `headers` are the signed ones in their order.
pub fn signature(secret: &str, scope: &str, time: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
    let sha256 = |bytes: &[u8]| hex::encode(digest::digest(&digest::SHA256, bytes));
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", sha256(body));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key =
        scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| sign(&key, part).as_ref().to_vec());
    hex::encode(sign(&key, &text))
}

/// What is in the pictures, and what checks of liveness measure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Script {
    /// How like two faces are of which no line says it.
    similarity: Number,
    /// Pictures with another number of faces than one.
    pictures: Vec<Listed>,
    /// Pairs that are more or less like.
    pairs: Vec<Pair>,
    liveness: Measured,
    /// What stands on documents, a line each; one that is not named is blank.
    texts: Vec<Written>,
}

/// The lines of a document from above to below, as sure as `confidence`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Its key in the bucket, or the hex SHA-256 of the file.
    picture: String,
    lines: Vec<String>,
    confidence: Number,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Its key in the bucket, or the hex SHA-256 of the file.
    picture: String,
    faces: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    source: String,
    target: String,
    similarity: Number,
}

/// What a check of liveness gives when it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    status: String,
    confidence: Number,
    /// Whether there is a reference image.
    reference: bool,
}

impl Default for Script {
    fn default() -> Self {
        let liveness = Measured { status: "SUCCEEDED".to_owned(), confidence: Number::from(99), reference: true };
        Self { similarity: Number::from(99), pictures: Vec::new(), pairs: Vec::new(), liveness, texts: Vec::new() }
    }
}

/// The simulator.
pub(crate) struct Rekognition {
    config: RekognitionConfig,
    ids: Arc<Ids>,
    clock: Clock,
    desk: Desk,
    script: Mutex<Script>,
    /// Sessions by the token of their creation, in their order.
    sessions: Mutex<Vec<(String, String)>>,
}

impl Rekognition {
    pub(crate) fn new(config: RekognitionConfig, ids: Arc<Ids>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            desk: Desk::new(clock.clone()),
            config,
            ids,
            clock,
            script: Mutex::default(),
            sessions: Mutex::default(),
        })
    }

    pub(crate) fn router(self: &Arc<Self>, courier: Arc<Courier>) -> Router {
        Router::new()
            .route("/", post(answer))
            .route("/_control/script", post(scripted))
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), courier))
    }

    fn check(&self, call: &Call) -> Result<(), &'static str> {
        let authorization = call.header("authorization").unwrap_or_default();
        let parts = authorization.strip_prefix("AWS4-HMAC-SHA256 ").unwrap_or_default();
        let part = |name: &str| {
            let mut parts = parts.split(',').filter_map(|part| part.trim().split_once('='));
            parts.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
        };
        let (access_key_id, scope) = part("Credential").split_once('/').unwrap_or_default();
        let known = access_key_id == self.config.access_key_id;
        if !known && (access_key_id.is_empty() || !self.config.any_caller) {
            return Err("UnrecognizedClientException");
        }
        let names: Vec<&str> = part("SignedHeaders").split(';').collect();
        let must = ["host", "x-amz-date", "x-amz-target"];
        let time = call.header("x-amz-date").unwrap_or_default();
        if !must.iter().all(|name| names.contains(name)) || !self.is_near(time) {
            return Err("InvalidSignatureException");
        }
        if self.config.any_caller {
            return if part("Signature").is_empty() { Err("IncompleteSignatureException") } else { Ok(()) };
        }
        let headers: Vec<_> = names.iter().map(|name| (*name, call.header(name).unwrap_or_default())).collect();
        let right = signature(&self.config.secret_access_key, scope, time, &headers, &call.body);
        if part("Signature") == right { Ok(()) } else { Err("InvalidSignatureException") }
    }

    fn is_near(&self, time: &str) -> bool {
        let read = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).and_then(|time| time.in_tz("UTC"));
        read.is_ok_and(|time| (time.timestamp().as_second() - self.clock.now_s()).abs() <= TOLERANCE_S)
    }

    fn measure(&self, operation: &str, order: &Value) -> Response {
        match operation {
            "CompareFaces" => self.compare(order),
            "DetectFaces" => match picture(order.get("Image")) {
                Some(picture) => {
                    let faces: Vec<_> = (0..self.faces(&picture)).map(|_| json!({"Confidence": 99.9})).collect();
                    reply::ok(&json!({"FaceDetails": faces}))
                }
                None => exception("InvalidImageFormatException"),
            },
            "CreateFaceLivenessSession" => {
                let token = order.get("ClientRequestToken").and_then(Value::as_str);
                reply::ok(&json!({"SessionId": self.session(token)}))
            }
            "GetFaceLivenessSessionResults" => self.result(order),
            "DetectDocumentText" => match picture(order.get("Document")) {
                Some(picture) => self.text(&picture),
                None => exception("InvalidParameterException"),
            },
            _ => exception("UnknownOperationException"),
        }
    }

    fn compare(&self, order: &Value) -> Response {
        let (source, target) = (picture(order.get("SourceImage")), picture(order.get("TargetImage")));
        let (Some(source), Some(target)) = (source, target) else { return exception("InvalidImageFormatException") };
        // the same word as for a parameter that is wrong
        if self.faces(&source) == 0 || self.faces(&target) == 0 {
            return exception("InvalidParameterException");
        }
        let script = lock(&self.script);
        let pair = script.pairs.iter().find(|pair| pair.source == source && pair.target == target);
        let similarity = pair.map_or(&script.similarity, |pair| &pair.similarity);
        let threshold = order.get("SimilarityThreshold").and_then(Value::as_f64).unwrap_or(80.0);
        let is_match = similarity.as_f64().is_some_and(|similarity| similarity >= threshold);
        let face = json!({"Similarity": similarity, "Face": {"Confidence": 99.9}});
        let (matches, others) = if is_match { (vec![face], 0) } else { (Vec::new(), 1) };
        let others: Vec<_> = (0..others).map(|_| json!({"Confidence": 99.9})).collect();
        reply::ok(&json!({"SourceImageFace": {"Confidence": 99.9}, "FaceMatches": matches, "UnmatchedFaces": others}))
    }

    /// Each line and each of its words is a block, as Textract has them; lines stand below one another.
    fn text(&self, picture: &str) -> Response {
        let script = lock(&self.script);
        let mut blocks = vec![json!({"BlockType": "PAGE", "Id": "page"})];
        let written = script.texts.iter().find(|written| written.picture == picture);
        for (row, text) in written.map(|written| written.lines.as_slice()).unwrap_or_default().iter().enumerate() {
            let confidence = written.map(|written| &written.confidence);
            let ids: Vec<String> = (0..text.split(' ').count()).map(|word| format!("{row}-{word}")).collect();
            let place =
                json!({"BoundingBox": {"Left": 0.05, "Top": 0.03 * row_number(row), "Width": 0.9, "Height": 0.02}});
            blocks.push(json!({
                "BlockType": "LINE", "Id": format!("line-{row}"), "Text": text, "Confidence": confidence, "Geometry": place,
                "Relationships": [{"Type": "CHILD", "Ids": ids}],
            }));
            let words = text.split(' ').zip(&ids);
            blocks.extend(
                words.map(|(word, id)| json!({"BlockType": "WORD", "Id": id, "Text": word, "Confidence": confidence})),
            );
        }
        reply::ok(&json!({"DocumentMetadata": {"Pages": 1}, "Blocks": blocks}))
    }

    fn faces(&self, picture: &str) -> usize {
        lock(&self.script).pictures.iter().find(|listed| listed.picture == picture).map_or(1, |listed| listed.faces)
    }

    fn session(&self, token: Option<&str>) -> String {
        let mut sessions = lock(&self.sessions);
        let known = token.and_then(|token| sessions.iter().find(|(known, _)| known == token));
        if let Some((_, session)) = known {
            return session.clone();
        }
        let session = crate::kyc::uuid(&self.ids);
        sessions.push((token.unwrap_or_default().to_owned(), session.clone()));
        session
    }

    fn result(&self, order: &Value) -> Response {
        let session = order.get("SessionId").and_then(Value::as_str).unwrap_or_default();
        if !lock(&self.sessions).iter().any(|(_, known)| known == session) {
            return exception("SessionNotFoundException");
        }
        let measured = lock(&self.script).liveness.clone();
        let mut answer = json!({"SessionId": session, "Status": measured.status});
        if let Some(members) = answer.as_object_mut().filter(|_| measured.status == "SUCCEEDED") {
            members.insert("Confidence".to_owned(), json!(measured.confidence));
            if measured.reference {
                members.insert("ReferenceImage".to_owned(), json!({"BoundingBox": {}}));
            }
        }
        reply::ok(&answer)
    }
}

/// As a part of a page.
fn row_number(row: usize) -> f64 {
    u32::try_from(row).map_or(f64::MAX, f64::from)
}

/// A picture by its key, or by what is in the file.
fn picture(image: Option<&Value>) -> Option<String> {
    let text = |pointer: &str| image?.pointer(pointer)?.as_str();
    match text("/S3Object/Name") {
        Some(key) => Some(key.to_owned()),
        None => {
            let file = STANDARD.decode(text("/Bytes")?).ok().filter(|file| !file.is_empty())?;
            Some(hex::encode(digest::digest(&digest::SHA256, &file)))
        }
    }
}

fn exception(name: &str) -> Response {
    reply::json(StatusCode::BAD_REQUEST, &json!({"__type": name, "Message": "Request has invalid parameters"}))
}

fn refuse(refusal: &Refusal) -> Response {
    let name = refusal.code.as_deref().unwrap_or("InternalServerError");
    reply::json(refusal.http_status(500), &json!({"__type": name, "Message": refusal.text("Refused by script.")}))
}

async fn answer(State(rekognition): State<Arc<Rekognition>>, call: Call) -> Response {
    if let Err(name) = rekognition.check(&call) {
        rekognition.desk.count("unauthorised");
        return exception(name);
    }
    let operation = call.header("x-amz-target").unwrap_or_default();
    let operation = TARGETS.iter().find_map(|target| operation.strip_prefix(target)).unwrap_or_default().to_owned();
    let (call, vendor, name) = (Arc::new(call), Arc::clone(&rekognition), operation.clone());
    let parameters = Arc::clone(&call);
    let apply = move || vendor.measure(&name, call.json.as_ref().unwrap_or(&Value::Null));
    rekognition.desk.serve(&operation, || parameters.flat(), refuse, apply).await
}

async fn scripted(State(rekognition): State<Arc<Rekognition>>, call: Call) -> Response {
    match parse(&call.body) {
        Ok(script) => {
            *lock(&rekognition.script) = script;
            reply::ok(&json!({"set": true}))
        }
        Err(response) => *response,
    }
}

impl Controlled for Rekognition {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        Map::from_iter([
            ("script".to_owned(), json!(*lock(&self.script))),
            ("sessions".to_owned(), json!(lock(&self.sessions).iter().map(|(_, id)| id).collect::<Vec<_>>())),
        ])
    }

    fn clear(&self) {
        *lock(&self.script) = Script::default();
        lock(&self.sessions).clear();
    }
}
