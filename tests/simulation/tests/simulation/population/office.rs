//! One client's case from the first upload to its end, by the decisions that the functions make.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::local::{names, repository};
use broker::rules;
use documents::{Kind, Line};
use domain::client::Client;
use domain::decision::Verdict;
use domain::kyc::case::CaseRules;
use domain::kyc::rules::{Kyc, KycRisk, KycVendors, ScreeningRules};
use domain::kyc::{
    Checked, Declaration, DocumentKind, KycCase, KycDocument, KycStatus, ScreeningState, Side, UploadFault,
};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::{ClientId, DocumentId, Timestamp};
use kyc::lists::index::{ListsError, Loaded};
use kyc::read::found;
use screening::index::{ListInfo, build};
use screening::lists::format::Format;
use serde_json::json;

use super::clients::{Mischief, Somebody};
use super::papers;
use crate::reader::Dice;

/// How often a client sends something again before giving up.
const PATIENCE: usize = 4;

/// The small lists of the repository, by the codes of the seed rules.
const LISTS: [(&str, &[u8]); 5] = [
    ("ofac_sdn", include_bytes!("../../../../../infra/local/simulators/lists/ofac_sdn.xml")),
    ("eu_fsf", include_bytes!("../../../../../shared/screening/tests/samples/eu_1_1.csv")),
    ("un_sc", include_bytes!("../../../../../shared/screening/tests/samples/un.xml")),
    ("uk_sl", include_bytes!("../../../../../shared/screening/tests/samples/uk_full.csv")),
    ("pep_leaders", include_bytes!("../../../../../shared/screening/tests/samples/leaders.csv")),
];

/// The seed rules and the lists.
pub struct Office {
    kyc: Kyc,
    risk: KycRisk,
    vendors: KycVendors,
    screening: ScreeningRules,
    lists: Result<Arc<Loaded>, ListsError>,
    now: Timestamp,
}

fn seed<T: RuleSet>(set: SetName) -> T {
    let names = names(&BTreeMap::new(), "pipworks/population", "https://broker.test");
    let url = |(name, value): (String, String)| {
        let value = if name.ends_with("_URL") { format!("https://vendor.test/{name}") } else { value };
        (name, value)
    };
    let names = names.into_iter().map(url).collect();
    T::parse(&rules::read(&repository().join("infra/rules"), set, &names).unwrap()).unwrap()
}

impl Office {
    pub fn open() -> Self {
        let read = |(code, bytes): &(&str, &[u8])| Format::detect(bytes).unwrap().read(code, bytes).unwrap().entities;
        let entities: Vec<_> = LISTS.iter().flat_map(read).collect();
        let infos = LISTS.map(|(code, _)| ListInfo { code: code.to_owned(), version: "sample".to_owned() });
        Self {
            kyc: seed(SetName::Kyc),
            risk: seed(SetName::KycRisk),
            vendors: seed(SetName::KycVendors),
            screening: seed(SetName::Screening),
            lists: Ok(Arc::new(Loaded::of("population".to_owned(), build(&infos, &entities)))),
            now: "2026-11-29T10:00:00Z".parse().unwrap(),
        }
    }

    fn rules(&self) -> CaseRules<'_> {
        CaseRules { kyc: &self.kyc, risk: &self.risk, vendors: &self.vendors }
    }
}

/// A client at the office.
struct Visit<'a> {
    office: &'a Office,
    somebody: &'a Somebody,
    client: Client,
    case: KycCase,
    dice: Dice,
    documents: u128,
}

/// The case of somebody, when nothing more happens to it.
pub fn end_of(office: &Office, somebody: &Somebody) -> KycCase {
    let (year, month, day) = somebody.born;
    let registration = json!({
        "email": format!("client{}@example.com", somebody.number), "full_name": somebody.name,
        "date_of_birth": format!("{year:04}-{month:02}-{day:02}"), "residence": somebody.residence,
        "nationality": somebody.printed.nationality, "language": "en",
    });
    let client = Client::register(&registration, ClientId::from_bits(somebody.number), office.now).unwrap();
    let case = KycCase::begun(client.id.clone(), office.now);
    let mut visit = Visit { office, somebody, client, case, dice: Dice::new(somebody.seed | 1), documents: 0 };
    visit.send_identity();
    visit.send_address();
    visit.declare();
    visit.screen();
    for _ in 0..PATIENCE {
        if visit.case.facts.status != KycStatus::Collecting {
            break;
        }
        visit.send_again();
    }
    visit.case
}

impl Visit<'_> {
    fn take(&mut self, verdict: Verdict<KycCase>) {
        if let Verdict::Change(decision) = verdict {
            self.case = decision.next;
        }
    }

    /// Sends what the case asks for.
    fn send_again(&mut self) {
        let missing: Vec<DocumentKind> = self.case.missing(&self.office.kyc).concat();
        if missing.iter().any(|kind| kind.is_identity()) {
            self.send_identity();
        }
        if missing.contains(&DocumentKind::ProofOfAddress) {
            self.send_address();
        }
        self.screen();
    }

    fn send_identity(&mut self) {
        let sides = papers::of_identity(self.somebody, &mut self.dice);
        let kind = self.somebody.document;
        let sent: Vec<KycDocument> = sides.iter().map(|(side, _)| self.upload(kind, *side)).collect();
        for (at, document) in sent.iter().enumerate().filter(|(_, document)| document.to_be_read()) {
            // its own lines first, then those of the other side
            let own = sides[at].1.as_slice();
            let others =
                sides.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (_, lines))| lines.as_slice());
            let lines: Vec<&[Line]> = std::iter::once(own).chain(others).collect();
            let kind = match kind {
                DocumentKind::IdCard => Kind::IdCard,
                DocumentKind::DrivingLicence => Kind::DrivingLicence,
                DocumentKind::Passport | DocumentKind::ProofOfAddress | DocumentKind::Selfie => Kind::Passport,
            };
            let today = self.office.now.day();
            let (reading, extracted) = found::identity(&lines, kind, &self.client, &[], today, "model");
            self.read(document.read(reading, extracted));
        }
    }

    fn send_address(&mut self) {
        let lines = papers::of_address(self.somebody, &mut self.dice);
        let document = self.upload(DocumentKind::ProofOfAddress, None);
        if document.to_be_read() {
            let (age, today) = (self.office.kyc.proof_max_age, self.office.now.day());
            let (reading, extracted) = found::address(&[&lines], &self.client, age, today, "model");
            self.read(document.read(reading, extracted));
        }
    }

    fn upload(&mut self, kind: DocumentKind, side: Option<Side>) -> KycDocument {
        self.documents += 1;
        let (office, id) = (self.office, DocumentId::from_bits(self.documents));
        let body = json!({"kind": kind, "side": side, "content_type": "image/jpeg", "bytes": 900_000});
        let wanted = KycDocument::wanted(&body, self.client.id.clone(), &office.kyc, id, office.now).unwrap();
        let unusable = self.somebody.mischief == Mischief::Unusable && kind.is_identity();
        let reasons = if unusable { vec![UploadFault::Unreadable] } else { vec![] };
        let checked = Checked { object: "v1".to_owned(), reasons, measured: vec![] };
        let Verdict::Change(decision) = wanted.checked(&checked, office.now) else { panic!("not checked") };
        self.absorb(&decision.next);
        decision.next
    }

    fn read(&mut self, verdict: Verdict<KycDocument>) {
        let Verdict::Change(decision) = verdict else { panic!("not read") };
        self.absorb(&decision.next);
        self.screen();
    }

    fn absorb(&mut self, document: &KycDocument) {
        let office = self.office;
        let verdict = self.case.absorb(document, &self.client, office.rules(), office.now).unwrap();
        self.take(verdict);
    }

    fn declare(&mut self) {
        let (office, somebody) = (self.office, self.somebody);
        let body = json!({"source_of_funds": somebody.source, "pep": somebody.pep});
        let declared = Declaration::read(&body, office.now).unwrap();
        let verdict = self.case.declared(declared, &self.client, office.rules(), office.now).unwrap();
        self.take(verdict);
    }

    /// Screens if the case waits for it.
    fn screen(&mut self) {
        let (office, waits) = (self.office, self.case.facts.screening.state == ScreeningState::Pending);
        if self.case.facts.status == KycStatus::Verifying && waits {
            let found = kyc::screen::screened(&self.case, &self.client, &office.screening, &office.lists);
            let verdict = self.case.screened(&found, &self.client, office.rules(), office.now).unwrap();
            self.take(verdict);
        }
    }
}
