//! The case of a client: what several steps do to it.

use std::sync::Arc;

use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::kyc::case::{CaseRules, Screened};
use domain::kyc::declaration::Declared;
use domain::kyc::rules::{Kyc, KycRisk, KycVendors};
use domain::kyc::vendor::VendorCheck;
use domain::kyc::{FaceMatch, KycCase, KycDocument, LivenessCheck};
use domain::rules::{RuleError, RuleSet};
use domain::{ClientId, DocumentId, KycCaseId};
use runtime::function::{ConfigError, Ports};
use runtime::rulebook::{Live, RuleBook};
use runtime::step::Done;
use runtime::{Problem, StepError, awsclients, step};
use store::Crm;

/// Cases, with the rules that decide about them.
pub(crate) struct Cases {
    pub(crate) crm: Crm,
    rules: RuleBook,
}

/// The rules as they are now.
struct Rules {
    kyc: Arc<Live<Kyc>>,
    risk: Arc<Live<KycRisk>>,
    vendors: Arc<Live<KycVendors>>,
}

impl Rules {
    fn of_case(&self) -> CaseRules<'_> {
        CaseRules { kyc: &self.kyc.rules, risk: &self.risk.rules, vendors: &self.vendors.rules }
    }

    fn used_in(&self, frame: &mut Frame) {
        frame.used(self.kyc.label());
        frame.used(self.risk.label());
        frame.used(self.vendors.label());
    }
}

impl Cases {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self { crm: awsclients::crm(ports)?, rules: RuleBook::new(ports)? })
    }

    async fn rules(&self) -> Result<Rules, StepError> {
        Ok(Rules {
            kyc: self.rules.live::<Kyc>().await?,
            risk: self.rules.live::<KycRisk>().await?,
            vendors: self.rules.live::<KycVendors>().await?,
        })
    }

    /// A set that is live.
    pub(crate) async fn live<T: RuleSet>(&self) -> Result<Arc<Live<T>>, StepError> {
        self.rules.live::<T>().await
    }

    /// What uploads and cases need.
    pub(crate) async fn needs(&self) -> Result<Arc<Live<Kyc>>, StepError> {
        self.live::<Kyc>().await
    }

    /// The client of a path.
    pub(crate) async fn known(&self, client: &ClientId) -> Result<Client, Problem> {
        let stored = self.crm.load::<Client>(client).await?;
        Ok(stored.ok_or_else(|| Problem::not_found("there is no such client"))?.entity)
    }

    /// The client of a case that something has happened to.
    pub(crate) async fn client_of(&self, client: &ClientId) -> Result<Client, StepError> {
        let stored = self.crm.load_settled::<Client>(client).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(client.to_string()))?.entity)
    }

    /// The case that an event is about.
    pub(crate) async fn case(&self, id: &KycCaseId) -> Result<KycCase, StepError> {
        let stored = self.crm.load::<KycCase>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    /// A document that an event or a case names.
    pub(crate) async fn document(&self, id: &DocumentId) -> Result<KycDocument, StepError> {
        let stored = self.crm.load::<KycDocument>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    /// The case, if it has begun.
    pub(crate) async fn find(&self, client: &ClientId) -> Result<Option<KycCase>, StepError> {
        Ok(self.crm.load::<KycCase>(&KycCaseId::of(client)).await?.map(|stored| stored.entity))
    }

    /// Takes over what a document has become; the case begins with its first.
    pub(crate) async fn absorb(
        &self,
        document: &KycDocument,
        client: &Client,
        frame: &mut Frame,
    ) -> Result<KycCase, StepError> {
        let now = frame.now;
        self.change(client, frame, |case, rules| case.absorb(document, client, rules, now)).await
    }

    /// Takes over what a vendor's check has become.
    pub(crate) async fn verified(
        &self,
        check: &VendorCheck,
        client: &Client,
        frame: &mut Frame,
    ) -> Result<KycCase, StepError> {
        let now = frame.now;
        self.change(client, frame, |case, rules| case.verified(check, client, rules, now)).await
    }

    /// The client wants to be verified by a vendor; the case may begin with it.
    pub(crate) async fn to_verify(&self, client: &Client, frame: &mut Frame) -> Result<KycCase, StepError> {
        self.change(client, frame, |case, _| Ok(case.to_verify())).await
    }

    /// Takes the client's declaration; the case may begin with it.
    pub(crate) async fn declare(
        &self,
        declared: &Declared,
        client: &Client,
        frame: &mut Frame,
    ) -> Result<KycCase, StepError> {
        let now = frame.now;
        self.change(client, frame, |case, rules| case.declared(declared.clone(), client, rules, now)).await
    }

    /// Takes what a screening of the case, as it is when it is saved, came to.
    pub(crate) async fn screened(
        &self,
        client: &Client,
        frame: &mut Frame,
        screen: impl Fn(&KycCase) -> Option<Screened>,
    ) -> Result<Done<KycCase>, StepError> {
        let now = frame.now;
        let decide = |case: &KycCase, rules: CaseRules<'_>| match screen(case) {
            Some(screened) => case.screened(&screened, client, rules, now),
            None => Ok(Verdict::Nothing("it does not wait to be screened")),
        };
        self.change_known(client, frame, decide).await
    }

    /// Takes what a comparison of faces came to.
    pub(crate) async fn matched(
        &self,
        client: &Client,
        frame: &mut Frame,
        matched: &FaceMatch,
    ) -> Result<Done<KycCase>, StepError> {
        let now = frame.now;
        self.change_known(client, frame, |case, rules| case.matched(matched, client, rules, now)).await
    }

    /// Takes what a check of liveness came to; the check as it stands then.
    pub(crate) async fn lived(
        &self,
        client: &Client,
        frame: &mut Frame,
        measured: &LivenessCheck,
    ) -> Result<Option<LivenessCheck>, StepError> {
        let now = frame.now;
        let take = |case: &KycCase, rules: CaseRules<'_>| case.liveness_measured(measured, client, rules, now);
        let done = self.change_known(client, frame, take).await?;
        Ok(done.stored().entity.facts.liveness.clone())
    }

    /// Changes a case that has begun, unless a rule cannot be judged.
    async fn change_known(
        &self,
        client: &Client,
        frame: &mut Frame,
        decide: impl Fn(&KycCase, CaseRules<'_>) -> Result<Verdict<KycCase>, RuleError>,
    ) -> Result<Done<KycCase>, StepError> {
        let rules = self.rules().await?;
        rules.used_in(frame);
        let mut broken = None;
        let judged = step::judged(&mut broken, |case: &KycCase| decide(case, rules.of_case()));
        let done = step::change(&self.crm, &KycCaseId::of(&client.id), frame, judged).await?;
        unless(broken, done)
    }

    /// Changes a case, unless a rule cannot be judged: then nothing is saved, and the trigger comes again.
    async fn change(
        &self,
        client: &Client,
        frame: &mut Frame,
        decide: impl Fn(&KycCase, CaseRules<'_>) -> Result<Verdict<KycCase>, RuleError>,
    ) -> Result<KycCase, StepError> {
        let rules = self.rules().await?;
        rules.used_in(frame);
        let mut broken = None;
        let fresh = || KycCase::begun(client.id.clone(), frame.now);
        let judged = step::judged(&mut broken, |case: &KycCase| decide(case, rules.of_case()));
        let case = step::change_or_begin(&self.crm, &KycCaseId::of(&client.id), fresh, frame, judged).await?;
        unless(broken, case)
    }
}

fn unless<T>(broken: Option<RuleError>, done: T) -> Result<T, StepError> {
    match broken {
        None => Ok(done),
        Some(error) => Err(StepError::Rules { set: KycRisk::NAME, what: error.to_string() }),
    }
}
