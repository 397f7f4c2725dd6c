//! What Amazon SES tells over SNS: bounces and complaints. A message is believed only if its signature is right by the certificate that it
//! names, on a host that the rules name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;
use serde::Deserialize;

use crate::NOTIFY_CALL_TIMEOUT_S;
use crate::http::Transport;

/// Certificates that are kept: SNS changes its own once a year.
const KEPT_MAX: usize = 10;

/// A message of SNS.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    message: String,
    /// As it was written: the signature is over the text.
    timestamp: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    certificate_url: String,
}

/// What is to be done about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The subscription of a topic is to be confirmed at this address.
    Confirm(String),
    /// Reports about addresses.
    Reports(Vec<MailReport>),
}

/// A report about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailReport {
    /// The address.
    pub address: String,
    /// What.
    pub what: MailEvent,
    /// When.
    pub at: Timestamp,
    /// Its name at SES.
    pub name: String,
}

/// What may become of a mail after it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEvent {
    /// The mailbox takes nothing for good.
    Bounced,
    /// It did not take this one.
    BouncedForNow,
    /// Its holder reported it as unwanted.
    Complained,
}

impl Envelope {
    /// Reads a message.
    ///
    /// # Errors
    /// Where it does not read.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| domain::json::place_of(&error))
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic_arn
    }

    /// What is signed: names and values, each on a line of its own, in SNS's order.
    fn signed(&self) -> String {
        let subscription = self.kind != "Notification";
        let lines = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(self.message_id.as_str())),
            ("SubscribeURL", self.subscribe_url.as_deref().filter(|_| subscription)),
            ("Subject", self.subject.as_deref().filter(|_| !subscription)),
            ("Timestamp", Some(self.timestamp.as_str())),
            ("Token", self.token.as_deref().filter(|_| subscription)),
            ("TopicArn", Some(self.topic_arn.as_str())),
            ("Type", Some(self.kind.as_str())),
        ];
        lines.into_iter().filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?))).collect()
    }

    /// What it says, once it is believed.
    pub fn told(&self) -> Told {
        if self.kind == "SubscriptionConfirmation" {
            return Told::Confirm(self.subscribe_url.clone().unwrap_or_default());
        }
        Told::Reports(reports(&self.message))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Notice {
    notification_type: Option<String>,
    event_type: Option<String>,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<Recipient>,
    timestamp: Timestamp,
    feedback_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    timestamp: Timestamp,
    feedback_id: String,
    #[serde(default)]
    complaint_feedback_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// The reports of a notice; none where it is about something else. A reader who says that it was no spam complains of nothing.
fn reports(message: &str) -> Vec<MailReport> {
    let notice: Notice = serde_json::from_str(message).unwrap_or_default();
    let report = |recipients: Vec<Recipient>, what, at, name: &str| {
        let one = |own: Recipient| MailReport { address: own.email_address, what, at, name: name.to_owned() };
        recipients.into_iter().map(one).collect()
    };
    match (notice.notification_type.or(notice.event_type).as_deref(), notice.bounce, notice.complaint) {
        (Some("Bounce"), Some(own), _) => {
            let what = if own.bounce_type == "Permanent" { MailEvent::Bounced } else { MailEvent::BouncedForNow };
            report(own.bounced_recipients, what, own.timestamp, &own.feedback_id)
        }
        (Some("Complaint"), _, Some(own)) if own.complaint_feedback_type.as_deref() != Some("not-spam") => {
            report(own.complained_recipients, MailEvent::Complained, own.timestamp, &own.feedback_id)
        }
        _ => Vec::new(),
    }
}

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnsError {
    /// It is not signed as it must be.
    #[error("the signature is not accepted: {0}")]
    Forged(&'static str),
    /// The certificate, or the confirmation, could not be fetched.
    #[error("SNS could not be asked: {0}")]
    NotNow(String),
}

/// Checks messages, and confirms subscriptions.
pub struct Sns {
    transport: Arc<dyn Transport>,
    kept: Mutex<BTreeMap<String, Bytes>>,
}

/// Whether an address is below a base, and nowhere else: no other host, user or port.
fn is_below(url: &str, base: &str) -> bool {
    url.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')) && !url.contains("..")
}

impl Sns {
    /// Over a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, kept: Mutex::default() }
    }

    /// Checks the signature of a message; its certificate must be below `base`.
    ///
    /// # Errors
    /// [`SnsError`].
    pub async fn check(&self, own: &Envelope, base: &str) -> Result<(), SnsError> {
        // the first version signs with SHA-1
        if own.signature_version != "2" {
            return Err(SnsError::Forged("the topic must sign with version 2"));
        }
        if !is_below(&own.certificate_url, base) {
            return Err(SnsError::Forged("the certificate is on another host"));
        }
        let signature = STANDARD.decode(&own.signature).map_err(|_| SnsError::Forged("it is no signature"))?;
        let certificate = self.certificate(&own.certificate_url).await?;
        if verified(&certificate, own.signed().as_bytes(), &signature) {
            return Ok(());
        }
        Err(SnsError::Forged("it is of something else"))
    }

    async fn certificate(&self, url: &str) -> Result<Bytes, SnsError> {
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(url) {
            return Ok(kept.clone());
        }
        let fetched = self.fetch(url).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.pop_first();
        }
        kept.insert(url.to_owned(), fetched.clone());
        Ok(fetched)
    }

    /// Confirms the subscription of a topic whose message was checked.
    ///
    /// # Errors
    /// [`SnsError`].
    pub async fn confirm(&self, url: &str, base: &str) -> Result<(), SnsError> {
        if !is_below(url, base) {
            return Err(SnsError::Forged("the confirmation is on another host"));
        }
        self.fetch(url).await.map(|_| ())
    }

    async fn fetch(&self, url: &str) -> Result<Bytes, SnsError> {
        let request = Request::get(url).body(Bytes::new()).map_err(|_| SnsError::Forged("it names no address"))?;
        let timeout = Duration::from_secs(u64::from(NOTIFY_CALL_TIMEOUT_S));
        let answer = self.transport.send(request, timeout).await;
        let answer = answer.map_err(|error| SnsError::NotNow(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(SnsError::NotNow(format!("status {}", answer.status())));
        }
        Ok(answer.into_body())
    }
}

/// Whether a signature of RSA with SHA-256 is right by a certificate in PEM.
fn verified(certificate: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(certificate) = CertificateDer::from_pem_slice(certificate) else { return false };
    let Ok(parsed) = ParsedCertificate::try_from(&certificate) else { return false };
    let info = parsed.subject_public_key_info();
    let Some(key) = key_of(info.as_ref()) else { return false };
    let known = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.mapping;
    let wanted = known.iter().filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256);
    wanted.flat_map(|(_, all)| all.iter()).any(|own| own.verify_signature(key, message, signature).is_ok())
}

/// The key of a SubjectPublicKeyInfo: a sequence of the algorithm, a sequence too, and the key as a bit string without unused bits.
fn key_of(info: &[u8]) -> Option<&[u8]> {
    let (inner, _) = element(info, 0x30)?;
    let (_, rest) = element(inner, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    bits.strip_prefix(&[0])
}

/// The content of a DER element of a kind, and what follows it.
fn element(from: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = from.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7f => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long.checked_sub(0x80).filter(|count| *count <= 4)?)?;
            (digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_below_its_base_or_elsewhere() {
        let base = "https://sns.eu-west-1.amazonaws.com";
        assert!(is_below("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem", base));
        for bad in [
            "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
            "https://sns.eu-west-1.amazonaws.com:444/a.pem",
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://evil.example/?https://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/../a.pem",
        ] {
            assert!(!is_below(bad, base), "{bad}");
        }
    }

    #[test]
    fn bounces_and_complaints_name_their_addresses() {
        let bounce = r#"{"notificationType": "Bounce", "mail": {}, "bounce": {"bounceType": "Permanent", "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "a@example.com"}, {"emailAddress": "b@example.com"}],
            "timestamp": "2026-11-23T12:00:00.000Z", "feedbackId": "f1"}}"#;
        let told = reports(bounce);
        assert_eq!((told.len(), told[0].what, told[1].address.as_str()), (2, MailEvent::Bounced, "b@example.com"));
        let soft = bounce.replace("Permanent", "Transient").replace("notificationType", "eventType");
        assert_eq!(reports(&soft)[0].what, MailEvent::BouncedForNow);
        let complaint = r#"{"notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": "a@example.com"}],
            "timestamp": "2026-11-23T12:00:00.000Z", "feedbackId": "f2", "complaintFeedbackType": "abuse"}}"#;
        assert_eq!(reports(complaint)[0].what, MailEvent::Complained);
        assert_eq!(reports(&complaint.replace("abuse", "not-spam")), []);
        for other in ["", "null", "{}", r#"{"notificationType": "Delivery"}"#, r#"{"notificationType": "Bounce"}"#] {
            assert_eq!(reports(other), [], "{other}");
        }
    }
}
