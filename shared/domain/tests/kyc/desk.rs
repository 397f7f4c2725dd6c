//! A client, documents and rules to try cases with.

use domain::client::Client;
use domain::decision::{Decision, Verdict};
use domain::kyc::case::{CaseRules, Hit, ListKind, Screened};
use domain::kyc::rules::{Kyc, KycRisk, KycVendors};
use domain::kyc::{
    Checked, Declaration, DocumentKind, Extracted, Finding, KycCase, KycDocument, KycStatus, Reading, Side, UploadFault,
};
use domain::rules::RuleSet;
use domain::{ClientId, DocumentId, Redacted, Timestamp};
use serde_json::{Value, json};

/// So many seconds after noon of a day.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_435_200 + seconds).unwrap()
}

pub fn document_of(name: &str) -> Value {
    let path = format!("{}/../../infra/rules/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap().replace("${SECRET_PREFIX}", "pipworks/test");
    let text = ["SUMSUB_URL", "ONFIDO_URL", "VERIFF_URL", "REKOGNITION_URL"]
        .into_iter()
        .fold(text, |text, name| text.replace(&format!("${{{name}}}"), "http://127.0.0.1:8701"));
    serde_yaml_ng::from_str(&text).unwrap()
}

pub fn seed_vendors() -> Value {
    document_of("kyc_vendors")
}

/// No check at a vendor is opened by itself.
fn without_vendors() -> Value {
    let mut document = seed_vendors();
    document["start"] = json!("never");
    document
}

pub fn seed_risk() -> Value {
    document_of("kyc_risk")
}

/// One client's case, step by step.
pub struct Desk {
    pub kyc: Kyc,
    pub risk: KycRisk,
    pub vendors: KycVendors,
    pub client: Client,
    pub case: KycCase,
    /// The last decision.
    pub last: Option<Decision<KycCase>>,
    pub documents: Vec<KycDocument>,
    pub now: i64,
    /// What the entry says that hits are on.
    pub entry: &'static str,
    /// What is screened of the client.
    pub screened_as: &'static str,
}

impl Desk {
    pub fn of(residence: &str, born: &str) -> Self {
        let registration = json!({
            "email": "ana@example.com", "full_name": "Ana López", "date_of_birth": born, "residence": residence,
            "nationality": residence, "language": "es",
        });
        let client = Client::register(&registration, ClientId::from_bits(7), at(0)).unwrap();
        Self {
            kyc: Kyc::parse(&document_of("kyc")).unwrap(),
            risk: KycRisk::parse(&seed_risk()).unwrap(),
            vendors: KycVendors::parse(&without_vendors()).unwrap(),
            case: KycCase::begun(client.id.clone(), at(0)),
            client,
            last: None,
            documents: vec![],
            now: 0,
            entry: "e1",
            screened_as: "c1",
        }
    }

    pub fn new() -> Self {
        Self::of("ES", "1990-05-17")
    }

    pub fn rules(&self) -> CaseRules<'_> {
        CaseRules { kyc: &self.kyc, risk: &self.risk, vendors: &self.vendors }
    }

    pub fn take(&mut self, verdict: Verdict<KycCase>) {
        match verdict {
            Verdict::Change(decision) => {
                self.case = decision.next.clone();
                self.last = Some(*decision);
            }
            Verdict::Nothing(_) => self.last = None,
        }
    }

    pub fn events(&self) -> Vec<&'static str> {
        self.last.as_ref().map(|last| last.events.clone()).unwrap_or_default()
    }

    /// A document is uploaded and found usable; its place in the list.
    pub fn upload(&mut self, kind: DocumentKind, side: Option<Side>) -> usize {
        self.upload_with(kind, side, &[])
    }

    pub fn upload_with(&mut self, kind: DocumentKind, side: Option<Side>, reasons: &[UploadFault]) -> usize {
        self.now += 1;
        let id = DocumentId::from_bits(u128::try_from(self.documents.len()).unwrap() + 1);
        let body = json!({"kind": kind, "side": side, "content_type": "image/jpeg", "bytes": 300_000});
        let wanted = KycDocument::wanted(&body, self.client.id.clone(), &self.kyc, id, at(self.now)).unwrap();
        let checked =
            Checked { object: "v1".to_owned(), reasons: reasons.to_vec(), measured: vec!["sharp".to_owned()] };
        let Verdict::Change(decision) = wanted.requested().next.checked(&checked, at(self.now)) else {
            panic!("not checked")
        };
        self.documents.push(decision.next);
        self.absorb(self.documents.len() - 1);
        self.documents.len() - 1
    }

    /// It is read surely, with these findings.
    pub fn read(&mut self, place: usize, findings: &[Finding]) {
        let sure: Vec<String> = self.kyc.sure_fields.clone();
        self.read_as(place, &sure, findings);
    }

    pub fn read_as(&mut self, place: usize, sure: &[String], findings: &[Finding]) {
        let extracted = Extracted { surname: Some(Redacted::new("LOPEZ".to_owned())), ..Extracted::default() };
        self.read_with(place, sure, findings, extracted);
    }

    /// It is read surely, and says who the client is.
    pub fn read_named(&mut self, place: usize, given: &str, surname: &str) {
        let name = |text: &str| Some(Redacted::new(text.to_owned()));
        let extracted = Extracted { given_names: name(given), surname: name(surname), ..Extracted::default() };
        self.read_with(place, &self.kyc.sure_fields.clone(), &[], extracted);
    }

    /// It is read surely, and is valid until a day.
    pub fn read_dated(&mut self, place: usize, expires: &str, findings: &[Finding]) {
        let name = |text: &str| Some(Redacted::new(text.to_owned()));
        let extracted = Extracted {
            given_names: name("ANA"),
            surname: name("LOPEZ"),
            number: name(&format!("X{place}")),
            expires: Some(expires.to_owned()),
            ..Extracted::default()
        };
        self.read_with(place, &self.kyc.sure_fields.clone(), findings, extracted);
    }

    /// An approved client whose passport is valid until a day.
    pub fn approved_until(expires: &str) -> Self {
        let mut desk = Self::new();
        let passport = desk.upload(DocumentKind::Passport, None);
        let address = desk.upload(DocumentKind::ProofOfAddress, None);
        desk.declare("employment", false);
        desk.read_dated(passport, expires, &[]);
        desk.read(address, &[]);
        desk.screen(&[]);
        assert_eq!(desk.case.facts.status, KycStatus::Approved);
        desk
    }

    /// The case's own time has come.
    pub fn come_due(&mut self, now: Timestamp) {
        let verdict = self.case.came_due(&self.kyc, now);
        self.take(verdict);
    }

    fn read_with(&mut self, place: usize, sure: &[String], findings: &[Finding], extracted: Extracted) {
        let reading =
            Reading { reader: "test".to_owned(), sure: sure.to_vec(), unsure: vec![], findings: findings.to_vec() };
        let Verdict::Change(decision) = self.documents[place].read(reading, extracted) else { panic!("not read") };
        self.documents[place] = decision.next;
        self.absorb(place);
    }

    pub fn absorb(&mut self, place: usize) {
        let document = self.documents[place].clone();
        let verdict = self.case.absorb(&document, &self.client, self.rules(), at(self.now)).unwrap();
        self.take(verdict);
    }

    pub fn declare(&mut self, source: &str, pep: bool) {
        let body = json!({"source_of_funds": source, "occupation": "nurse", "pep": pep});
        let declared = Declaration::read(&body, at(self.now)).unwrap();
        let verdict = self.case.declared(declared, &self.client, self.rules(), at(self.now)).unwrap();
        self.take(verdict);
    }

    pub fn screen(&mut self, of: &[ListKind]) {
        let hit = |of: &ListKind| Hit {
            entity_id: "ofac-1".to_owned(),
            list: "ofac_sdn".to_owned(),
            of: *of,
            score: "0.97".to_owned(),
            date_of_birth: "match".to_owned(),
            entry: Some(self.entry.to_owned()),
        };
        let hits = of.iter().map(|of| (hit(of), Redacted::new("the name is the same".to_owned()))).collect();
        self.screened(&Screened::Done {
            list_version: "2026-11-23.ab12".to_owned(),
            client: self.screened_as.to_owned(),
            hits,
        });
    }

    pub fn screened(&mut self, screened: &Screened) {
        let verdict = self.case.screened(screened, &self.client, self.rules(), at(self.now)).unwrap();
        self.take(verdict);
    }

    /// Passport and proof of address, read, and the declaration: only the screening is missing.
    pub fn complete(&mut self, source: &str, pep: bool, findings: &[Finding]) {
        let passport = self.upload(DocumentKind::Passport, None);
        let address = self.upload(DocumentKind::ProofOfAddress, None);
        self.declare(source, pep);
        self.read(passport, findings);
        self.read(address, &[]);
    }
}
