//! Amazon Rekognition: faces compared, and Face Liveness.
//!
//! It answers `InvalidParameterException` where a picture has no face, and the same where a parameter really is wrong, so then
//! both pictures are looked at to tell. It is asked for every likeness from 0 on: its own threshold would keep the figure of those
//! below to itself. `SUCCEEDED` of a check of liveness means that it ran.

use serde_json::{Value, json};

use super::aws::{AwsService, Failure, image};
use super::call::{is_plain, text};
use super::faces::{Comparison, Faces, Liveness, NoFace, Percent, Picture};
use super::{CheckId, VendorError};
use crate::http::BoxFuture;

/// What the service is called in a signature, and before its operations.
const SERVICE: (&str, &str) = ("rekognition", "RekognitionService");
const NO_FACE_OR_WRONG: &str = "InvalidParameterException";
/// Longest token that makes a repeat the same session.
const TOKEN_CHARS_MAX: usize = 64;
const NO_SESSION: &str = "SessionNotFoundException";

/// Faces over Amazon Rekognition, `https://rekognition.<region>.amazonaws.com`.
pub struct Rekognition(pub AwsService);

impl Rekognition {
    async fn compare_faces(
        &self,
        selfie: &Picture,
        document: &Picture,
        threshold: Percent,
    ) -> Result<Comparison, VendorError> {
        // of several faces in the source the largest counts, in the target each
        let order = json!({
            "SourceImage": image(selfie), "TargetImage": image(document), "SimilarityThreshold": 0, "QualityFilter": "NONE",
        });
        let answer = match self.call("CompareFaces", &order).await {
            Ok(answer) => answer,
            Err(failure) if failure.is(NO_FACE_OR_WRONG) => return self.tell_apart(selfie, document).await,
            Err(failure) => return Err(failure.into()),
        };
        let matches = answer.get("FaceMatches").and_then(Value::as_array);
        let matches = matches.ok_or_else(|| VendorError::Unknown("answer has no matches".to_owned()))?;
        let figures = matches.iter().map(|face| Percent::read(face.get("Similarity"))).collect::<Option<Vec<_>>>();
        let figures = figures.ok_or_else(|| VendorError::Unknown("a match has no similarity".to_owned()))?;
        Ok(match figures.into_iter().max() {
            Some(similarity) if similarity >= threshold => Comparison::Same { similarity },
            similarity => Comparison::Different { similarity },
        })
    }

    /// Whether a picture has no face, or something else is wrong.
    async fn tell_apart(&self, selfie: &Picture, document: &Picture) -> Result<Comparison, VendorError> {
        if !self.has_face(selfie).await? {
            return Ok(Comparison::Retake(NoFace::Selfie));
        }
        if !self.has_face(document).await? {
            return Ok(Comparison::Retake(NoFace::Document));
        }
        Err(VendorError::Refused(NO_FACE_OR_WRONG.to_owned()))
    }

    async fn has_face(&self, picture: &Picture) -> Result<bool, VendorError> {
        let answer = self.call("DetectFaces", &json!({"Image": image(picture)})).await?;
        let faces = answer.get("FaceDetails").and_then(Value::as_array);
        let faces = faces.ok_or_else(|| VendorError::Unknown("answer has no faces".to_owned()))?;
        Ok(!faces.is_empty())
    }

    async fn create_session(&self, attempt: &CheckId) -> Result<String, VendorError> {
        // cut, it could be somebody else's
        if attempt.as_str().len() > TOKEN_CHARS_MAX {
            return Err(VendorError::Refused("the id of the attempt is too long".to_owned()));
        }
        let order = json!({"ClientRequestToken": attempt.as_str(), "Settings": {"AuditImagesLimit": 0}});
        let answer = self.call("CreateFaceLivenessSession", &order).await?;
        let id = text(&answer, "/SessionId").filter(|id| is_plain(id)).map(str::to_owned);
        id.ok_or_else(|| VendorError::Unknown("session has no id".to_owned()))
    }

    async fn session(&self, session: &str, threshold: Percent) -> Result<Option<Liveness>, VendorError> {
        let answer = match self.call("GetFaceLivenessSessionResults", &json!({"SessionId": session})).await {
            Ok(answer) => answer,
            Err(failure) if failure.is(NO_SESSION) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        if text(&answer, "/SessionId") != Some(session) {
            return Err(VendorError::Unknown("answer is another session".to_owned()));
        }
        let has_reference = answer.get("ReferenceImage").is_some_and(Value::is_object);
        let unreadable = || VendorError::Unknown("session has no known status or no confidence".to_owned());
        Ok(Some(match text(&answer, "/Status") {
            Some("CREATED" | "IN_PROGRESS") => Liveness::Pending,
            Some("EXPIRED") => Liveness::Expired,
            Some("FAILED") => Liveness::Retake,
            Some("SUCCEEDED") if !has_reference => Liveness::Retake,
            Some("SUCCEEDED") => match Percent::read(answer.get("Confidence")).ok_or_else(unreadable)? {
                confidence if confidence >= threshold => Liveness::Live { confidence },
                confidence => Liveness::NotLive { confidence },
            },
            _ => return Err(unreadable()),
        }))
    }

    async fn call(&self, operation: &str, order: &Value) -> Result<Value, Failure> {
        self.0.call(SERVICE, operation, order).await
    }
}

impl Faces for Rekognition {
    fn compare<'a>(
        &'a self,
        selfie: &'a Picture,
        document: &'a Picture,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Comparison, VendorError>> {
        Box::pin(async move {
            // all calls in the time of one
            let compared = tokio::time::timeout(self.0.timeout, self.compare_faces(selfie, document, threshold)).await;
            compared.unwrap_or_else(|_| Err(VendorError::unavailable("time is over")))
        })
    }

    fn begin_liveness<'a>(&'a self, attempt: &'a CheckId) -> BoxFuture<'a, Result<String, VendorError>> {
        Box::pin(self.create_session(attempt))
    }

    fn liveness<'a>(
        &'a self,
        session: &'a str,
        threshold: Percent,
    ) -> BoxFuture<'a, Result<Option<Liveness>, VendorError>> {
        Box::pin(self.session(session, threshold))
    }
}
