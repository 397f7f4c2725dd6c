//! Whether the face of a selfie is that of the document, and whether it is alive.

use serde::{Deserialize, Serialize};

use super::KycStatus;
use super::case::{CaseDocument, CaseRules, KycCase, Resubmission};
use super::document::{DocumentKind, Side};
use super::rules::Kyc;
use crate::client::Client;
use crate::decision::Verdict;
use crate::rules::RuleError;
use crate::words::words;
use crate::{DocumentId, Redacted, Timestamp};

/// What a client is asked for another picture for: nobody can be seen on it.
const NO_FACE: &str = "no_face";

words! {
    /// How the comparison of faces stands.
    FaceState {
        /// There is no selfie, and the rules ask for none.
        NotRequired = "not_required",
        /// Not done yet.
        Pending = "pending",
        /// It is the same face.
        Passed = "passed",
        /// It is another one.
        Failed = "failed",
        /// One of the pictures shows no face.
        NoFace = "no_face",
        /// The pictures are of a kind that cannot be compared.
        NotPossible = "not_possible",
    }
}

/// The two pictures that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacePair {
    /// The selfie.
    pub selfie: DocumentId,
    /// The document with the portrait.
    pub document: DocumentId,
}

/// What a comparison came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceMatch {
    /// Of which pictures: those of others say nothing.
    #[serde(flatten)]
    pub pair: FacePair,
    /// What came of it.
    pub state: FaceState,
    /// How like the faces are, from 0 to 100, where there were two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<String>,
    /// The picture without a face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_face: Option<DocumentId>,
}

/// What the service measured of two pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Like enough.
    Same {
        /// From 0 to 100.
        similarity: String,
    },
    /// Not like enough.
    Different {
        /// From 0 to 100, where there was anything to measure.
        similarity: Option<String>,
    },
    /// The selfie shows nobody.
    NoFaceInSelfie,
    /// The document shows nobody.
    NoFaceInDocument,
    /// They cannot be compared, and never can be.
    NotPossible,
}

words! {
    /// How the check of liveness stands.
    LivenessState {
        /// The rules ask for none, and none was begun.
        NotRequired = "not_required",
        /// The client is to do it, or is at it.
        Pending = "pending",
        /// Somebody alive was there.
        Passed = "passed",
        /// It was measured, and is not sure enough.
        Failed = "failed",
        /// It could not be measured: the client does it again.
        Retake = "retake",
        /// The client did not do it in time.
        Expired = "expired",
    }
}

/// The latest check of liveness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivenessCheck {
    /// The how manieth of the client's, from 1.
    pub attempt: u32,
    /// What came of it.
    pub state: LivenessState,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// How sure the service is, from 0 to 100, where it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
}

impl FaceMatch {
    /// The comparison of a pair.
    pub fn of(pair: FacePair, compared: Compared) -> Self {
        let (state, similarity, no_face) = match compared {
            Compared::Same { similarity } => (FaceState::Passed, Some(similarity), None),
            Compared::Different { similarity } => (FaceState::Failed, similarity, None),
            Compared::NoFaceInSelfie => (FaceState::NoFace, None, Some(pair.selfie.clone())),
            Compared::NoFaceInDocument => (FaceState::NoFace, None, Some(pair.document.clone())),
            Compared::NotPossible => (FaceState::NotPossible, None, None),
        };
        Self { pair, state, similarity, no_face }
    }
}

impl KycCase {
    /// The pictures to compare: the newest selfie and the newest document with a portrait, where both can be used.
    pub fn face_pair(&self) -> Option<FacePair> {
        let counting = self.counting();
        let newest = |wanted: fn(&CaseDocument) -> bool| {
            let of_kind = counting.iter().filter(|document| wanted(document));
            of_kind.map(|document| &document.document_id).max().cloned()
        };
        Some(FacePair {
            selfie: newest(|document| document.kind == DocumentKind::Selfie)?,
            document: newest(|document| document.kind.is_identity() && document.side != Some(Side::Back))?,
        })
    }

    /// How the comparison of the pictures that count now stands.
    pub fn face_state(&self) -> FaceState {
        match (self.face_pair(), &self.facts.face_match) {
            (None, _) => FaceState::NotRequired,
            (Some(pair), Some(known)) if known.pair == pair => known.state,
            (Some(_), _) => FaceState::Pending,
        }
    }

    /// Takes what came of a comparison.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn matched(
        &self,
        matched: &FaceMatch,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        if !self.is_checking() {
            return Ok(Verdict::Nothing("the case is not being verified"));
        }
        if self.face_pair().as_ref() != Some(&matched.pair) {
            return Ok(Verdict::Nothing("newer pictures have come"));
        }
        if self.facts.face_match.as_ref() == Some(matched) {
            return Ok(Verdict::Nothing("it was compared before"));
        }
        let mut next = self.onward();
        let figure = matched.similarity.as_ref().map_or_else(String::new, |figure| format!(", {figure} of 100 alike"));
        let why =
            vec![format!("faces of {} and {}: {}{figure}", matched.pair.selfie, matched.pair.document, matched.state)];
        next.facts.face_match = Some(matched.clone());
        next.settled("faces_compared", why, client, rules, now)
    }

    /// The picture that has to be taken again because nobody can be seen on it.
    pub(super) fn faceless(&self) -> Option<Resubmission> {
        let known = self.facts.face_match.as_ref()?;
        let document_id = known.no_face.clone().filter(|_| self.face_pair().as_ref() == Some(&known.pair))?;
        Some(Resubmission { document_id, reason: NO_FACE.to_owned() })
    }

    /// How the check of liveness stands.
    pub fn liveness_state(&self, rules: &Kyc) -> LivenessState {
        match &self.facts.liveness {
            Some(check) => check.state,
            None if rules.faces.liveness_required => LivenessState::Pending,
            None => LivenessState::NotRequired,
        }
    }

    /// Whether the client still has to show that somebody alive is there: until it passed, or was tried as often as it may be.
    pub fn lacks_liveness(&self, rules: &Kyc) -> bool {
        rules.faces.liveness_required
            && match self.liveness_state(rules) {
                LivenessState::NotRequired | LivenessState::Pending => true,
                LivenessState::Passed => false,
                LivenessState::Failed | LivenessState::Retake | LivenessState::Expired => self.may_try_liveness(rules),
            }
    }

    fn may_try_liveness(&self, rules: &Kyc) -> bool {
        self.facts.liveness.as_ref().map_or(0, |check| check.attempt) <= rules.attempts_max
    }

    /// The check that the client can still do; beginning another one instead would only cost.
    pub fn open_liveness(&self, rules: &Kyc, now: Timestamp) -> Option<&LivenessCheck> {
        let check = self.facts.liveness.as_ref()?;
        let open = check.state == LivenessState::Pending && now < check.begun_at.plus(rules.faces.session_life);
        open.then_some(check)
    }

    /// The check that the client did not do in time, as what came of it.
    pub fn overdue_liveness(&self, rules: &Kyc, now: Timestamp) -> Option<LivenessCheck> {
        let check = self.facts.liveness.as_ref().filter(|check| check.state == LivenessState::Pending)?;
        let over = check.begun_at.plus(rules.faces.session_life) <= now;
        over.then(|| LivenessCheck { state: LivenessState::Expired, ..check.clone() })
    }

    /// Whether what the client shows still counts for the decision.
    fn is_gathering(&self) -> bool {
        matches!(self.facts.status, KycStatus::Collecting | KycStatus::Verifying)
    }

    /// Whether another check of liveness may be begun.
    pub fn takes_liveness(&self, rules: &Kyc) -> bool {
        self.is_gathering() && self.liveness_state(rules) != LivenessState::Passed && self.may_try_liveness(rules)
    }

    /// Begins a check of liveness, unless one is open: the intent, before the service is called.
    pub fn liveness_begun(&self, rules: &Kyc, now: Timestamp) -> Verdict<Self> {
        if self.open_liveness(rules, now).is_some() {
            return Verdict::Nothing("one is open");
        }
        if !self.takes_liveness(rules) {
            return Verdict::Nothing("no other one may be begun");
        }
        let mut next = self.onward();
        let attempt = self.facts.liveness.as_ref().map_or(0, |check| check.attempt).saturating_add(1);
        let why = vec![format!("check of liveness {attempt}")];
        next.facts.liveness =
            Some(LivenessCheck { attempt, state: LivenessState::Pending, begun_at: now, confidence: None });
        next.inner.liveness_session = None;
        Verdict::change(next, "liveness_begun", vec!["kyc.updated"], why)
    }

    /// Keeps the service's id of an attempt.
    pub fn liveness_opened(&self, attempt: u32, session: &str) -> Verdict<Self> {
        let current = self.facts.liveness.as_ref().is_some_and(|check| check.attempt == attempt);
        if !current || self.inner.liveness_session.is_some() {
            return Verdict::Nothing("it is known, or another one was begun");
        }
        let mut next = self.onward();
        next.inner.liveness_session = Some(Redacted::new(session.to_owned()));
        Verdict::change(next, "liveness_opened", vec![], vec![format!("check of liveness {attempt} is open")])
    }

    /// Takes what came of an attempt.
    ///
    /// # Errors
    /// [`RuleError`] when the case could be decided and a rule cannot be judged.
    pub fn liveness_measured(
        &self,
        measured: &LivenessCheck,
        client: &Client,
        rules: CaseRules<'_>,
        now: Timestamp,
    ) -> Result<Verdict<Self>, RuleError> {
        let waits = self.facts.liveness.as_ref().is_some_and(|check| {
            check.attempt == measured.attempt && check.state == LivenessState::Pending && check.state != measured.state
        });
        if !waits || !self.is_gathering() {
            return Ok(Verdict::Nothing("it is not what the case waits for"));
        }
        let mut next = self.onward();
        let figure = measured.confidence.as_ref().map_or_else(String::new, |figure| format!(", {figure} of 100 sure"));
        let why = vec![format!("check of liveness {}: {}{figure}", measured.attempt, measured.state)];
        next.facts.liveness = Some(measured.clone());
        next.settled("liveness_measured", why, client, rules, now)
    }
}
