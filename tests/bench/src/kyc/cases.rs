//! Cases that wait for nothing but the declaration, stored as the functions store them: reading their pictures is measured elsewhere.

use broker::Failure;
use broker::day::steps::Desk;
use domain::client::{Client, registered as registration};
use domain::decision::{Decision, Frame, Verdict};
use domain::kyc::case::CaseRules;
use domain::kyc::rules::{Kyc, KycRisk, KycVendors};
use domain::kyc::{Checked, DocumentKind, Extracted, KycCase, KycDocument, KycStatus, Reading};
use domain::rule_sets::SetName;
use domain::rules::RuleSet;
use domain::{ClientId, CorrelationId, DocumentId, KycCaseId, Redacted, Timestamp};
use runtime::lambda::{SystemClock, SystemEntropy};
use runtime::{Clock as _, Entropy as _};
use serde_json::json;
use store::{Crm, Saved};

/// The rules that decide about a case.
pub struct Rules {
    kyc: Kyc,
    risk: KycRisk,
    vendors: KycVendors,
}

/// As they were published.
///
/// # Errors
/// What of them does not read.
pub fn rules(desk: &Desk<'_>) -> Result<Rules, Failure> {
    let (kyc, risk) = (super::document(desk, SetName::Kyc)?, super::document(desk, SetName::KycRisk)?);
    let failed = |faults| format!("{faults:?}");
    let vendors = KycVendors::parse(&super::document(desk, SetName::KycVendors)?).map_err(failed)?;
    Ok(Rules { kyc: Kyc::parse(&kyc).map_err(failed)?, risk: KycRisk::parse(&risk).map_err(failed)?, vendors })
}

fn client(number: usize, now: Timestamp) -> Result<Client, Failure> {
    let body = json!({
        "email": format!("applicant.{number}@example.com"), "full_name": "Ana Quintana", "date_of_birth": "1990-05-17",
        "residence": "ES", "nationality": "ES", "language": "en",
    });
    let client = Client::register(&body, ClientId::from_bits(SystemEntropy.id_bits()), now);
    client.map_err(|faults| format!("a generated client is refused: {faults:?}").into())
}

fn frame(now: Timestamp) -> Frame {
    Frame {
        function: "kyc-submit",
        execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
        trigger: "bench".to_owned(),
        correlation_id: CorrelationId::from_bits(SystemEntropy.id_bits()).into(),
        now,
        rules: Vec::new(),
    }
}

async fn save<E: domain::entity::Entity<Table = domain::entity::InCrm>>(
    crm: &Crm,
    decision: Decision<E>,
    now: Timestamp,
) -> Result<(), Failure> {
    match crm.save(None, decision, &frame(now)).await? {
        Saved::Applied(_) => Ok(()),
        Saved::Conflict => Err("a generated entity was there before".into()),
    }
}

/// Stores a client without a case.
///
/// # Errors
/// The store's.
pub async fn registered(desk: &Desk<'_>, number: usize) -> Result<ClientId, Failure> {
    let now = SystemClock.now();
    let client = client(number, now)?;
    let id = client.id.clone();
    save(&desk.broker.crm(), registration(client), now).await?;
    Ok(id)
}

/// Stores a client whose documents were read and who has not declared anything yet.
///
/// # Errors
/// The store's.
pub async fn undeclared(desk: &Desk<'_>, rules: &Rules, number: usize) -> Result<ClientId, Failure> {
    let now = SystemClock.now();
    let client = client(number, now)?;
    let mut case = KycCase::begun(client.id.clone(), now);
    let mut last = None;
    for (kind, sure) in
        [(DocumentKind::Passport, rules.kyc.sure_fields.clone()), (DocumentKind::ProofOfAddress, vec![])]
    {
        let document = document(kind, sure, &client, rules, now)?;
        let of_case = CaseRules { kyc: &rules.kyc, risk: &rules.risk, vendors: &rules.vendors };
        let Verdict::Change(decision) = case.absorb(&document, &client, of_case, now)? else {
            return Err("the case takes no document".into());
        };
        case = decision.next.clone();
        last = Some(decision);
    }
    let id = client.id.clone();
    save(&desk.broker.crm(), registration(client), now).await?;
    save(&desk.broker.crm(), *last.ok_or("no document")?, now).await?;
    Ok(id)
}

/// A document that was read.
fn document(
    kind: DocumentKind,
    sure: Vec<String>,
    client: &Client,
    rules: &Rules,
    now: Timestamp,
) -> Result<KycDocument, Failure> {
    let body = json!({"kind": kind, "content_type": "image/jpeg", "bytes": 900_000});
    let id = DocumentId::from_bits(SystemEntropy.id_bits());
    let wanted = KycDocument::wanted(&body, client.id.clone(), &rules.kyc, id, now);
    let wanted = wanted.map_err(|faults| format!("a generated document is refused: {faults:?}"))?;
    let checked = Checked { object: "v1".to_owned(), reasons: vec![], measured: vec![] };
    let Verdict::Change(accepted) = wanted.checked(&checked, now) else { return Err("it was not checked".into()) };
    let reading = Reading { reader: "bench".to_owned(), sure, unsure: vec![], findings: vec![] };
    let text = |text: &str| Some(Redacted::new(text.to_owned()));
    let extracted = match kind.is_identity() {
        true => Extracted { surname: text("QUINTANA"), given_names: text("ANA"), ..Extracted::default() },
        false => Extracted::default(),
    };
    let Verdict::Change(read) = accepted.next.read(reading, extracted) else { return Err("it was not read".into()) };
    Ok(read.next)
}

/// Whether the case is approved by now.
///
/// # Errors
/// The store's.
pub async fn is_approved(crm: &Crm, client: &ClientId) -> Result<bool, Failure> {
    let case = crm.load::<KycCase>(&KycCaseId::of(client)).await?;
    Ok(case.is_some_and(|case| case.entity.facts.status == KycStatus::Approved))
}
