//! The rule set `kyc_vendors`: who verifies identities, in which order, when a check is opened, and when its word is needed.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value as Json;

use crate::input::Fault;
use crate::kyc::declaration::SourceOfFunds;
use crate::kyc::document::Finding;
use crate::rules::parse::read_when;
use crate::rules::read::{Faults, Node, Object, optional, read_document};
use crate::rules::table::Row;
use crate::rules::{Fields, RuleError, RuleSet, first_match};
use crate::words::words;
use crate::{Country, Seconds};

const FLOW_CHARS_MAX: usize = 100;
const POLLS_MAX: usize = 10;
const ATTEMPTS: RangeInclusive<u32> = 1..=10;
const SECOND: Seconds = Seconds(1);
const MINUTE: Seconds = Seconds(60);
const HOUR: Seconds = Seconds(3_600);
const DAY: Seconds = Seconds(86_400);
/// How a condition that never holds is written.
const NEVER: &str = "never";
const KEYS: [&str; 3] = ["chain", "start", "required"];
const VENDOR_KEYS: [&str; 13] = [
    "vendor",
    "enabled",
    "secret",
    "base_url",
    "flow",
    "sandbox",
    "digests",
    "return_url",
    "link_life",
    "attempts_max",
    "try_again_after",
    "poll_after",
    "overdue_after",
];

words! {
    /// Whose protocol is spoken; also the last part of the webhook's address.
    IdentityVendor {
        /// Sumsub.
        Sumsub = "sumsub",
        /// Onfido.
        Onfido = "onfido",
        /// Veriff.
        Veriff = "veriff",
    }
}

words! {
    /// How a vendor's webhook may be signed, where the vendor lets its customer choose.
    WebhookDigest {
        /// HMAC with SHA-256, named in the delivery.
        Sha256 = "sha256",
        /// HMAC with SHA-512, named in the delivery.
        Sha512 = "sha512",
        /// HMAC with SHA-256 where the delivery names none.
        UnnamedSha256 = "unnamed_sha256",
    }
}

/// A vendor of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VendorRule {
    /// Which.
    pub vendor: IdentityVendor,
    /// Whether checks are opened there. Those under way are finished all the same.
    pub enabled: bool,
    /// The name of the secret with its credentials.
    pub secret: String,
    /// Its API.
    pub base_url: String,
    /// What the client goes through there: Sumsub's level, Onfido's workflow; empty for Veriff, where the key says it.
    pub flow: String,
    /// Whether results of its test mode count.
    pub sandbox: bool,
    /// How its webhooks may be signed, where that can be chosen.
    pub digests: Vec<WebhookDigest>,
    /// Where the client returns to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// How long the client's link is good.
    pub link_life: Seconds,
    /// How often a check is tried to be opened before the next vendor is asked.
    pub attempts_max: u32,
    /// The wait before the second attempt; it doubles.
    pub try_again_after: Seconds,
    /// No word for so long: the vendor is asked; one wait after the other, the last one again and again.
    pub poll_after: Vec<Seconds>,
    /// No end for so long: the check is given up.
    pub overdue_after: Seconds,
}

impl VendorRule {
    /// The wait before the poll of this number, from 0.
    pub fn poll_wait(&self, polls: u32) -> Seconds {
        let place = usize::try_from(polls).unwrap_or(usize::MAX);
        self.poll_after.get(place).or(self.poll_after.last()).copied().unwrap_or(HOUR)
    }

    /// The wait after so many attempts that failed, from 1.
    pub fn attempt_wait(&self, failed: u32) -> Seconds {
        self.try_again_after.doubled(failed.saturating_sub(1), HOUR)
    }
}

/// What decides whether a check is opened, and whether its word is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSubject {
    /// Where the client lives.
    pub residence: Country,
    /// Of which country the client is.
    pub nationality: Country,
    /// Full years, if the date of birth is one.
    pub age: Option<u32>,
    /// Where the money comes from, once that is declared.
    pub source_of_funds: Option<SourceOfFunds>,
    /// Whether the client calls himself politically exposed, once that is declared.
    pub pep_declared: Option<bool>,
    /// Whether documents of ours say surely who the client is.
    pub read_surely: bool,
    /// What was noticed about the documents.
    pub findings: Vec<Finding>,
}

/// The rule set `kyc_vendors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KycVendors {
    /// The vendors in the order in which they are asked.
    pub chain: Vec<VendorRule>,
    start: Vec<Row<()>>,
    required: Vec<Row<()>>,
}

impl RuleSet for KycVendors {
    const NAME: &'static str = "kyc_vendors";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl KycVendors {
    /// A vendor, enabled or not.
    pub fn rule(&self, vendor: IdentityVendor) -> Option<&VendorRule> {
        self.chain.iter().find(|rule| rule.vendor == vendor)
    }

    /// The first vendor that opens checks and was not tried.
    pub fn first_but(&self, tried: &[IdentityVendor]) -> Option<IdentityVendor> {
        let open = self.chain.iter().filter(|rule| rule.enabled).map(|rule| rule.vendor);
        open.into_iter().find(|vendor| !tried.contains(vendor))
    }

    /// Whether a check is to be opened.
    ///
    /// # Errors
    /// [`RuleError`] when that cannot be judged.
    pub fn starts(&self, subject: &CheckSubject) -> Result<bool, RuleError> {
        holds(&self.start, subject)
    }

    /// Whether a case is not decided without the vendor's word.
    ///
    /// # Errors
    /// [`RuleError`] when that cannot be judged.
    pub fn requires(&self, subject: &CheckSubject) -> Result<bool, RuleError> {
        holds(&self.required, subject)
    }
}

fn holds(rows: &[Row<()>], subject: &CheckSubject) -> Result<bool, RuleError> {
    Ok(first_match(rows, fields().facts(subject))?.outcome().is_some())
}

/// What conditions may ask.
fn fields() -> Fields<CheckSubject> {
    Fields::new()
        .field("residence", |subject: &CheckSubject| subject.residence)
        .field("nationality", |subject| subject.nationality)
        .field("age", |subject| subject.age)
        .field("source_of_funds", |subject| subject.source_of_funds)
        .field("pep_declared", |subject| subject.pep_declared)
        .field("read_surely", |subject| subject.read_surely)
        .field("findings", |subject| subject.findings.clone())
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<KycVendors> {
    let object = node.object(&KEYS, faults)?;
    let mut known = Vec::new();
    let chain = object.need("chain", faults).and_then(|node| {
        node.each(0..=IdentityVendor::ALL.len(), faults, |item, faults| {
            let rule = read_vendor(item, faults)?;
            if known.contains(&rule.vendor) {
                faults.add(item.fault("duplicate_value", format!("{} stands in the chain already", rule.vendor)));
            }
            known.push(rule.vendor);
            Some(rule)
        })
    });
    let start = object.need("start", faults).and_then(|node| read_condition("start", &node, faults));
    let required = object.need("required", faults).and_then(|node| read_condition("required", &node, faults));
    let (chain, start, required) = (chain?, start?, required?);
    if !required.is_empty() && !chain.iter().any(|rule| rule.enabled) {
        faults.add(object.fault("nobody_to_ask", "a vendor's word is required, and no vendor of the chain is enabled"));
    }
    Some(KycVendors { chain, start, required })
}

/// `never`, `always` or a condition.
fn read_condition(name: &str, node: &Node<'_>, faults: &mut Faults) -> Option<Vec<Row<()>>> {
    if node.raw().as_str() == Some(NEVER) {
        return Some(vec![]);
    }
    let when = read_when(node, &fields().schema(&[]), faults)?;
    Some(vec![Row { id: name.to_owned(), when, then: () }])
}

fn read_vendor(node: &Node<'_>, faults: &mut Faults) -> Option<VendorRule> {
    let object = node.object(&VENDOR_KEYS, faults)?;
    let vendor = object.need("vendor", faults).and_then(|node| node.word(IdentityVendor::ALL, faults));
    let enabled = object.need("enabled", faults).and_then(|node| node.boolean(faults));
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let flow = read_flow(&object, vendor, faults);
    let sandbox = object.need("sandbox", faults).and_then(|node| node.boolean(faults));
    let digests = match object.get("digests") {
        Some(node) => {
            node.distinct(1..=WebhookDigest::ALL.len(), faults, |item, faults| item.word(WebhookDigest::ALL, faults))
        }
        None => Some(vec![WebhookDigest::Sha256]),
    };
    let return_url = optional(object.get("return_url"), |node| node.url(faults));
    let link_life = span(&object, "link_life", MINUTE..=Seconds(30 * DAY.0), faults);
    let attempts_max = object.need("attempts_max", faults).and_then(|node| node.whole(ATTEMPTS, faults));
    let try_again_after = span(&object, "try_again_after", SECOND..=HOUR, faults);
    let poll_after = object.need("poll_after", faults).and_then(|node| {
        node.each(1..=POLLS_MAX, faults, |item, faults| item.span(MINUTE..=Seconds(7 * DAY.0), faults))
    });
    let overdue_after = span(&object, "overdue_after", HOUR..=Seconds(90 * DAY.0), faults);
    Some(VendorRule {
        vendor: vendor?,
        enabled: enabled?,
        secret: secret?,
        base_url: base_url?,
        flow: flow?,
        sandbox: sandbox?,
        digests: digests?,
        return_url: return_url?,
        link_life: link_life?,
        attempts_max: attempts_max?,
        try_again_after: try_again_after?,
        poll_after: poll_after?,
        overdue_after: overdue_after?,
    })
}

/// Veriff's flow follows from its key; the others need one.
fn read_flow(object: &Object<'_>, vendor: Option<IdentityVendor>, faults: &mut Faults) -> Option<String> {
    let node = object.get("flow");
    match (vendor?, node) {
        (IdentityVendor::Veriff, None) => Some(String::new()),
        (IdentityVendor::Veriff, Some(node)) => {
            faults.add(node.fault("pointless", "the flow follows from the API key at this vendor"));
            None
        }
        (IdentityVendor::Sumsub | IdentityVendor::Onfido, _) => {
            object.need("flow", faults).and_then(|node| node.line(FLOW_CHARS_MAX, faults).map(str::to_owned))
        }
    }
}

fn span(object: &Object<'_>, name: &str, range: RangeInclusive<Seconds>, faults: &mut Faults) -> Option<Seconds> {
    object.need(name, faults).and_then(|node| node.span(range, faults))
}
