//! The calls to vendors that checks need, with whatever a vendor answers in the domain's words.

use domain::Redacted;
use domain::Timestamp;
use domain::client::Client;
use domain::kyc::rules::VendorRule;
use domain::kyc::vendor::{NotStarted, Opened, Said, VendorCheck, VendorWord};
use providers::kyc::{Applicant, CheckId, KycVendor, Label, Outcome, VendorError, Verdict as Answer};
use runtime::StepError;

use super::Checks;

impl Checks {
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

    /// Opens a check at a vendor, or finds the one that is open there.
    pub(super) async fn call(
        &self,
        rule: Option<&VendorRule>,
        client: &Client,
    ) -> Result<Result<Opened, NotStarted>, StepError> {
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

    /// Asks a vendor where a check stands.
    pub(super) async fn ask(
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
