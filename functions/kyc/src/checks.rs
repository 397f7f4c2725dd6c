//! Checks at vendors: opened, asked about, moved on to the next vendor. Whatever was begun by whoever died is gone on with by the
//! check's own time.

mod calls;

use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::kyc::vendor::{GRACE, Todo, VendorCheck};
use domain::payment::CLOCK_SKEW;
use domain::{ClientId, KycCheckId};
use providers::KYC_CALL_TIMEOUT_S;
use runtime::function::{ConfigError, Ports};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Done};
use runtime::vendors::IdentityVendors;
use runtime::{StepError, awsclients};
use store::Crm;

pub(crate) use calls::words;

/// The time-out in the template of the functions that open checks.
pub(crate) const TIMEOUT_S: u32 = 30;
// whoever finds an intent calls again only when the call before cannot reach the vendor any more
const _: () = assert!(GRACE.0 > TIMEOUT_S + KYC_CALL_TIMEOUT_S + CLOCK_SKEW.0);
/// More moves than a chain has vendors: opening at each, and asking the last.
const MOVES_MAX: usize = 6;

/// Checks, with the vendors that do them.
pub(crate) struct Checks {
    pub(crate) crm: Crm,
    pub(crate) vendors: IdentityVendors,
}

impl Checks {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        Ok(Self { crm: awsclients::crm(ports)?, vendors: IdentityVendors::new(ports, RuleBook::new(ports)?) })
    }

    /// The client's check, asked for so often; `None` if no vendor opens any.
    pub(crate) async fn begin(
        &self,
        client: &ClientId,
        round: u32,
        frame: &mut Frame,
    ) -> Result<Option<VendorCheck>, StepError> {
        let live = self.vendors.rules().await?;
        frame.used(live.label());
        let id = KycCheckId::of(client);
        if let Some(known) = self.crm.load_settled::<VendorCheck>(&id).await? {
            if known.entity.facts.round >= round {
                return Ok(Some(known.entity));
            }
            let now = frame.now;
            let again = |check: &VendorCheck| check.asked_again(round, &live.rules, now);
            return Ok(Some(step::change(&self.crm, &id, frame, again).await?.stored().entity.clone()));
        }
        let Some(decision) = VendorCheck::begun(client, round, &live.rules, frame.now) else { return Ok(None) };
        let begun = decision.next.clone();
        if step::create(&self.crm, decision, frame).await? {
            return Ok(Some(begun));
        }
        Ok(self.crm.load_settled::<VendorCheck>(&id).await?.map(|stored| stored.entity))
    }

    /// Does what a check waits for, until it waits for somebody else.
    pub(crate) async fn advance(&self, mut check: VendorCheck, frame: &mut Frame) -> Result<VendorCheck, StepError> {
        for _ in 0..MOVES_MAX {
            check = match check.todo(frame.now) {
                Todo::Nothing(_) => return Ok(check),
                Todo::Start => match self.open(&check, frame).await? {
                    Done::Changed { now, .. } => now.entity,
                    Done::Unchanged { now, .. } => return Ok(now.entity),
                },
                Todo::Poll(reference) => self.poll(&check, &reference, frame).await?,
            };
        }
        Ok(check)
    }

    /// Intent, call, outcome. Whether an earlier call of which no answer came has opened one is what the vendor's adapter looks up first.
    async fn open(&self, check: &VendorCheck, frame: &mut Frame) -> Result<Done<VendorCheck>, StepError> {
        let live = self.vendors.rules().await?;
        frame.used(live.label());
        let client = self.client(&check.client_id).await?;
        let now = frame.now;
        let intended = step::change(&self.crm, &check.id, frame, |check: &VendorCheck| check.calling(now)).await?;
        let Done::Changed { now: intended, .. } = intended else { return Ok(intended) };
        let vendor = intended.entity.facts.vendor;
        let called = self.call(live.rules.rule(vendor), &client).await?;
        let decide = |check: &VendorCheck| match &called {
            Ok(opened) => check.opened(opened, &live.rules, now),
            Err(failure) => check.not_opened(vendor, failure, &live.rules, now),
        };
        step::change(&self.crm, &check.id, frame, decide).await
    }

    /// Another link to a check that is open; as it was if the vendor does not give one.
    pub(crate) async fn link_again(&self, check: VendorCheck, frame: &mut Frame) -> Result<VendorCheck, StepError> {
        let live = self.vendors.rules().await?;
        frame.used(live.label());
        let client = self.client(&check.client_id).await?;
        let Ok(opened) = self.call(live.rules.rule(check.facts.vendor), &client).await? else { return Ok(check) };
        let now = frame.now;
        let decide = |check: &VendorCheck| check.opened(&opened, &live.rules, now);
        Ok(step::change(&self.crm, &check.id, frame, decide).await?.stored().entity.clone())
    }

    async fn client(&self, id: &ClientId) -> Result<Client, StepError> {
        let stored = self.crm.load_settled::<Client>(id).await?;
        Ok(stored.ok_or_else(|| StepError::Absent(id.to_string()))?.entity)
    }

    async fn poll(&self, check: &VendorCheck, reference: &str, frame: &mut Frame) -> Result<VendorCheck, StepError> {
        let live = self.vendors.rules().await?;
        frame.used(live.label());
        let now = frame.now;
        let asked = self.ask(live.rules.rule(check.facts.vendor), check, reference, now).await?;
        let decide = |check: &VendorCheck| match (&asked, check.todo(now)) {
            (_, Todo::Start | Todo::Nothing(_)) => Verdict::Nothing("something else came meanwhile"),
            (Ok(said), Todo::Poll(_)) => check.hear(said, &live.rules, now),
            (Err(failure), Todo::Poll(_)) => check.not_answered(failure, &live.rules, now),
        };
        Ok(step::change(&self.crm, &check.id, frame, decide).await?.stored().entity.clone())
    }
}
