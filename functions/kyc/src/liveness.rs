//! `POST /v1/clients/{client_id}/kyc/liveness` begins a check of liveness for the client's camera, `…/liveness/result` says that the
//! client has done it, and has the result fetched: what the portal says of it is not believed.

use std::sync::Arc;

use domain::client::Client;
use domain::kyc::rules::Kyc;
use domain::kyc::{KycCase, LivenessCheck, LivenessState};
use domain::{ClientId, KycCaseId, Redacted};
use providers::kyc::CheckId;
use providers::kyc::faces::{Faces, Liveness};
use providers::kyc::rekognition::Rekognition;
use runtime::auth::PORTAL;
use runtime::function::{ConfigError, Function, Ports};
use runtime::http::{HttpFunction, HttpStep, Reply, Request, Route, Scope};
use runtime::{Problem, StepError, step};
use serde_json::json;

use crate::aws::{Looker, looking, percent};
use crate::cases::Cases;

/// The step.
pub struct Live {
    cases: Cases,
    service: Looker,
}

/// Builds the function.
///
/// # Errors
/// [`ConfigError`].
pub fn build(ports: &Ports) -> Result<Arc<dyn Function>, ConfigError> {
    HttpFunction::build(Live { cases: Cases::new(ports)?, service: Looker::new(ports)? }, ports)
}

impl HttpStep for Live {
    const NAME: &'static str = "kyc-liveness";

    const ROUTES: &'static [Route<Self>] = &[
        Route::token("POST", "/v1/clients/{client_id}/kyc/liveness", PORTAL, Scope::OneClient, |step, request, _| {
            Box::pin(step.begin(request))
        }),
        Route::token(
            "POST",
            "/v1/clients/{client_id}/kyc/liveness/result",
            PORTAL,
            Scope::OneClient,
            |step, request, _| Box::pin(step.result(request)),
        ),
    ];
}

impl Live {
    async fn begin(&self, request: &Request) -> Result<Reply, Problem> {
        let client = self.cases.known(&request.id::<ClientId>("client_id")?).await?;
        let needs = self.cases.needs().await?;
        self.give_up_overdue(&client, &needs.rules, request).await?;
        let mut frame = request.frame(Self::NAME);
        frame.used(needs.label());
        let now = request.now;
        let (id, fresh) = (KycCaseId::of(&client.id), || KycCase::begun(client.id.clone(), now));
        let begin = |case: &KycCase| case.liveness_begun(&needs.rules, now);
        let case = step::change_or_begin(&self.cases.crm, &id, fresh, &frame, begin).await?;
        let open = case.open_liveness(&needs.rules, now);
        let check =
            open.ok_or_else(|| Problem::conflict("no further check of liveness can be begun for this client"))?;
        let session = self.session(&case, check, &needs.rules, request).await?;
        let until = check.begun_at.plus(needs.rules.faces.session_life);
        Ok(Reply::json(
            201,
            &json!({
                "session_id": session, "region": self.service.region(), "attempt": check.attempt, "valid_until": until,
            }),
        ))
    }

    /// The check that was begun before and never done is over before another one begins.
    async fn give_up_overdue(&self, client: &Client, rules: &Kyc, request: &Request) -> Result<(), Problem> {
        let case = self.cases.find(&client.id).await?;
        if let Some(over) = case.and_then(|case| case.overdue_liveness(rules, request.now)) {
            self.cases.lived(client, &mut request.frame(Self::NAME), &over).await?;
        }
        Ok(())
    }

    /// The service's id of an attempt: the same one however often it is asked for, for the attempt's own id is its key there.
    async fn session(
        &self,
        case: &KycCase,
        check: &LivenessCheck,
        rules: &Kyc,
        request: &Request,
    ) -> Result<String, Problem> {
        if let Some(known) = &case.inner.liveness_session {
            return Ok(known.reveal().clone());
        }
        let attempt: CheckId = format!("{}-live-{}", case.client_id, check.attempt)
            .parse()
            .map_err(|_| StepError::Malformed("the id of an attempt".to_owned()))?;
        let service = Rekognition(self.service.at(&rules.faces.base_url)?);
        let session = service.begin_liveness(&attempt).await.map_err(|error| looking(&error))?;
        let keep = |case: &KycCase| case.liveness_opened(check.attempt, &session);
        step::change(&self.cases.crm, &case.id, &mut request.frame(Self::NAME), keep).await?;
        Ok(session)
    }

    async fn result(&self, request: &Request) -> Result<Reply, Problem> {
        let client = self.cases.known(&request.id::<ClientId>("client_id")?).await?;
        let needs = self.cases.needs().await?;
        let case = self.cases.find(&client.id).await?;
        let begun =
            case.as_ref().and_then(|case| case.facts.liveness.as_ref().zip(case.inner.liveness_session.as_ref()));
        let Some((check, session)) = begun else {
            return Err(Problem::conflict("no check of liveness was begun"));
        };
        let measured = match check.state {
            LivenessState::Pending => self.measured(check, session, &needs.rules).await?,
            _ => check.clone(),
        };
        let measured = self.cases.lived(&client, &mut request.frame(Self::NAME), &measured).await?.unwrap_or(measured);
        Ok(Reply::json(200, &json!({"status": measured.state, "attempt": measured.attempt})))
    }

    async fn measured(
        &self,
        check: &LivenessCheck,
        session: &Redacted<String>,
        rules: &Kyc,
    ) -> Result<LivenessCheck, StepError> {
        let service = Rekognition(self.service.at(&rules.faces.base_url)?);
        let found = service.liveness(session.reveal(), percent(rules.faces.confidence_min)?).await;
        let (state, confidence) = match found.map_err(|error| looking(&error))? {
            Some(Liveness::Pending) => (LivenessState::Pending, None),
            Some(Liveness::Live { confidence }) => (LivenessState::Passed, Some(confidence)),
            Some(Liveness::NotLive { confidence }) => (LivenessState::Failed, Some(confidence)),
            Some(Liveness::Retake) => (LivenessState::Retake, None),
            // the service forgets a session some minutes after it could be used
            Some(Liveness::Expired) | None => (LivenessState::Expired, None),
        };
        let confidence = confidence.map(|figure| figure.value().to_string());
        Ok(LivenessCheck { state, confidence, ..check.clone() })
    }
}
