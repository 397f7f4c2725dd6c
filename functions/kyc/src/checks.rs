//! Checks at vendors: opened, asked about, moved on to the next vendor. Whatever was begun by whoever died is gone on with by the
//! check's own time.

use domain::client::Client;
use domain::decision::{Frame, Verdict};
use domain::kyc::rules::VendorRule;
use domain::kyc::vendor::{GRACE, NotStarted, Opened, Said, Todo, VendorCheck, VendorWord};
use domain::payment::CLOCK_SKEW;
use domain::{ClientId, KycCheckId, Redacted, Timestamp};
use providers::KYC_CALL_TIMEOUT_S;
use providers::kyc::{Applicant, CheckId, KycVendor, Label, Outcome, VendorError, Verdict as Answer};
use runtime::function::{ConfigError, Ports};
use runtime::rulebook::RuleBook;
use runtime::step::{self, Done};
use runtime::vendors::IdentityVendors;
use runtime::{StepError, awsclients};
use store::Crm;

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

    /// The adapter of a vendor, or why there is none. What may pass by itself is an error.
    async fn adapter(&self, rule: Option<&VendorRule>) -> Result<Result<Box<dyn KycVendor>, NotStarted>, StepError> {
        let hopeless = |why: &str| NotStarted { why: why.to_owned(), passes: false, retry_after: None };
        let Some(rule) = rule else { return Ok(Err(hopeless("no_rule"))) };
        match self.vendors.adapter(rule).await {
            Ok(adapter) => Ok(Ok(adapter)),
            Err(error @ (StepError::Secret { retry: false, .. } | StepError::Rules { .. })) => {
                tracing::error!(vendor = %rule.vendor, error = %error, "a vendor of identity checks is not set up");
                Ok(Err(hopeless("not_set_up")))
            }
            Err(error) => Err(error),
        }
    }

    async fn call(&self, rule: Option<&VendorRule>, client: &Client) -> Result<Result<Opened, NotStarted>, StepError> {
        let adapter = match self.adapter(rule).await? {
            Ok(adapter) => adapter,
            Err(failure) => return Ok(Err(failure)),
        };
        let Some(vendor) = rule.map(|rule| rule.vendor) else {
            return Ok(Err(NotStarted { why: "no_rule".to_owned(), passes: false, retry_after: None }));
        };
        Ok(match adapter.start(&applicant(client), &CheckId::from(&client.id)).await {
            Ok(started) => Ok(Opened {
                vendor,
                reference: started.reference,
                link: started.link.map(|link| Redacted::new(link.to_string())),
            }),
            Err(error) => {
                tracing::warn!(vendor = %vendor, error = %error, todo = ?error.disposition(), "a check was not opened");
                Err(failure(&error))
            }
        })
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

    async fn ask(
        &self,
        rule: Option<&VendorRule>,
        check: &VendorCheck,
        reference: &str,
        now: Timestamp,
    ) -> Result<Result<Said, NotStarted>, StepError> {
        let adapter = match self.adapter(rule).await? {
            Ok(adapter) => adapter,
            Err(failure) => return Ok(Err(failure)),
        };
        let vendor = check.facts.vendor;
        let of_another =
            |answer: &Answer| answer.ours.as_ref().is_some_and(|ours| *ours != CheckId::from(&check.client_id));
        Ok(match adapter.fetch(reference).await {
            Ok(Some(answer)) if of_another(&answer) => {
                tracing::error!(vendor = %vendor, reference, "the vendor has the check under another client");
                Err(NotStarted { why: "other_client".to_owned(), passes: true, retry_after: None })
            }
            Ok(Some(answer)) => Ok(said(check, answer)),
            // the vendor has it no more
            Ok(None) => Ok(Said {
                vendor,
                reference: reference.to_owned(),
                word: VendorWord::Revoked,
                labels: vec![],
                for_client: vec![],
                at: now,
                asked: true,
            }),
            Err(error) => {
                tracing::warn!(vendor = %vendor, error = %error, todo = ?error.disposition(), "a vendor did not answer");
                Err(failure(&error))
            }
        })
    }
}

fn failure(error: &VendorError) -> NotStarted {
    let (why, passes, retry_after) = match error {
        VendorError::Refused(code) => (format!("refused:{code}"), false, None),
        VendorError::Unavailable { retry_after, .. } => ("unavailable".to_owned(), true, *retry_after),
        VendorError::Unknown(_) => ("unreadable_answer".to_owned(), true, None),
        VendorError::Misconfigured(_) => ("not_set_up".to_owned(), false, None),
    };
    NotStarted { why, passes, retry_after }
}

fn said(check: &VendorCheck, answer: Answer) -> Said {
    let (word, labels, for_client) = words(answer.outcome);
    Said {
        vendor: check.facts.vendor,
        reference: answer.reference,
        word,
        labels,
        for_client,
        at: answer.at,
        asked: true,
    }
}

/// An outcome in the domain's words, with its codes and what the client is told.
pub(crate) fn words(outcome: Outcome) -> (VendorWord, Vec<String>, Vec<Redacted<String>>) {
    let codes = |labels: Vec<Label>| labels.iter().map(|label| label.as_str().to_owned()).collect();
    match outcome {
        Outcome::Pending => (VendorWord::Pending, vec![], vec![]),
        Outcome::Approved => (VendorWord::Approved, vec![], vec![]),
        Outcome::Retry { for_client, labels } => (VendorWord::Retry, codes(labels), for_client),
        Outcome::Final { labels } => (VendorWord::Final, codes(labels), vec![]),
        Outcome::Review { labels } => (VendorWord::Review, codes(labels), vec![]),
        Outcome::Expired => (VendorWord::Expired, vec![], vec![]),
        Outcome::Revoked => (VendorWord::Revoked, vec![], vec![]),
        Outcome::Broken => (VendorWord::Broken, vec![], vec![]),
    }
}

fn applicant(client: &Client) -> Applicant {
    let person = &client.person;
    Applicant {
        full_name: person.full_name.clone(),
        date_of_birth: Some(person.date_of_birth.clone()),
        email: Some(person.email.clone()),
        phone: person.phone.clone(),
        language: client.facts.language.clone(),
    }
}
