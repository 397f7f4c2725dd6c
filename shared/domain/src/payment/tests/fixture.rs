//! Deposits in every status, reached as they are reached in life, and statements about them.

use std::sync::LazyLock;

use crate::decision::{Decision, Verdict};
use crate::payment::rules::Psps;
use crate::payment::{
    CreditOutcome, CreditStep, Deposit, DepositStatus, Found, GRACE, NewDeposit, PspReport, PspSide, PspStatus,
    Returned, Way,
};
use crate::rules::RuleSet;
use crate::work::HumanDecision;
use crate::{AccountId, ClientId, Money, PaymentId, Seconds, Timestamp};

pub(super) const REFERENCE: &str = "pi_3MtwBwLkdIwHu7ix28a3tqPa";
/// `credit_review_after` of the seed.
pub(super) const REVIEW_AFTER: Seconds = Seconds(600);

/// Seconds after the deposit was opened.
pub(super) fn at(seconds: i64) -> Timestamp {
    let opened: Timestamp = "2026-11-23T10:15:30.120Z".parse().unwrap();
    Timestamp::from_millis(opened.millis() + seconds * 1000).unwrap()
}

pub(super) fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::parse(amount, currency.parse().unwrap()).unwrap()
}

/// The rules a new installation starts with.
pub(super) fn rules() -> &'static Psps {
    static RULES: LazyLock<Psps> = LazyLock::new(|| rules_tolerating("0"));
    &RULES
}

/// The same with a tolerance in dollars.
pub(super) fn rules_tolerating(dollars: &str) -> Psps {
    psps_with(|document| document["over_under"]["USD"] = dollars.into())
}

/// The same with a change.
pub(super) fn psps_with(change: impl FnOnce(&mut serde_json::Value)) -> Psps {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/rules/psps.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let fill = |name: &str| {
        let value = match name {
            "SECRET_PREFIX" => "pipworks/test",
            "PRAXIS_UNCONFIRMED" => "wait",
            _ => "http://127.0.0.1:8701",
        };
        Some(value.to_owned())
    };
    let filled = crate::rules::substitute(&text, fill).unwrap();
    let mut json: serde_json::Value = serde_yaml_ng::from_str(&filled).unwrap();
    change(&mut json);
    Psps::parse(&json).unwrap()
}

pub(super) fn pending() -> Deposit {
    pending_at("stripe", REFERENCE)
}

pub(super) fn pending_at(psp: &str, reference: &str) -> Deposit {
    Deposit::open(NewDeposit {
        id: PaymentId::from_bits(0x0193_58a1_0000_7000_8000_0000_0000_0001),
        client_id: ClientId::from_bits(2),
        account_id: AccountId::from_bits(3),
        platform: "dxtrade".to_owned(),
        login: "954402".to_owned(),
        amount: money("1250.00 USD"),
        account_currency: money("1250.00 USD").currency(),
        psp: PspSide { name: psp.to_owned(), reference: reference.to_owned() },
        fee: None,
        others: vec![],
        redirect_url: "https://pay.example.com/p/0123456789012345678901234567890123".to_owned(),
        due: at(900),
        now: at(0),
    })
}

/// A statement; its event id is made of everything it says.
pub(super) fn says(status: PspStatus, amount: Option<&str>, seconds: i64) -> PspReport {
    PspReport {
        psp: "stripe".to_owned(),
        event_id: format!("evt_{status:?}_{}_{seconds}", amount.unwrap_or("none").replace(' ', "")),
        kind: format!("{status:?}").to_lowercase(),
        payment_id: Some(pending().id),
        reference: REFERENCE.to_owned(),
        status,
        money: amount.map(money),
        at: at(seconds),
    }
}

/// All refunds so far.
pub(super) fn refund(total: Option<&str>, seconds: i64) -> PspReport {
    let mut report = says(PspStatus::Returned(Returned::Total { amount: total.map(money) }), total, seconds);
    report.event_id = format!("evt_refund_{}_{seconds}", total.unwrap_or("none"));
    report.kind = "refunded".to_owned();
    report
}

/// One refund or dispute.
pub(super) fn one(id: &str, way: Way, stands: bool, amount: Option<&str>, seconds: i64) -> PspReport {
    let told = Returned::One { id: id.to_owned(), way, stands, amount: amount.map(money) };
    let mut report = says(PspStatus::Returned(told), amount, seconds);
    report.event_id = format!("evt_{id}_{stands}_{}_{seconds}", amount.unwrap_or("none"));
    report.kind = format!("{way:?} {id}").to_lowercase();
    report
}

/// A dispute that took the money.
pub(super) fn dispute(amount: Option<&str>, seconds: i64) -> PspReport {
    one(&format!("dp_{}", amount.unwrap_or("none")), Way::Dispute, true, amount, seconds)
}

pub(super) fn success(seconds: i64) -> PspReport {
    says(PspStatus::Succeeded, Some("1250.00 USD"), seconds)
}

#[track_caller]
pub(super) fn change<T>(verdict: Verdict<T>) -> Decision<T> {
    match verdict {
        Verdict::Change(decision) => *decision,
        Verdict::Nothing(reason) => panic!("nothing: {reason}"),
    }
}

#[track_caller]
pub(super) fn save(step: CreditStep) -> Decision<Deposit> {
    match step {
        CreditStep::Send(verdict) | CreditStep::Save(verdict) => change(*verdict),
        other => panic!("{other:?}"),
    }
}

pub(super) fn hear(deposit: &Deposit, report: &PspReport, seconds: i64) -> Verdict<Deposit> {
    deposit.hear(report, rules(), at(seconds))
}

pub(super) fn paid() -> Deposit {
    change(hear(&pending(), &success(10), 11)).next
}

pub(super) fn crediting() -> Deposit {
    save(paid().credit_step(at(12))).next
}

pub(super) fn outcome(deposit: &Deposit, outcome: CreditOutcome, seconds: i64) -> Verdict<Deposit> {
    deposit.outcome(outcome, REVIEW_AFTER, at(seconds))
}

pub(super) fn booked() -> CreditOutcome {
    CreditOutcome::Booked("136623".to_owned())
}

pub(super) fn unknown() -> CreditOutcome {
    CreditOutcome::Unknown("time-out".to_owned())
}

pub(super) fn not_applied() -> CreditOutcome {
    CreditOutcome::NotApplied("busy".to_owned())
}

pub(super) fn refused() -> CreditOutcome {
    CreditOutcome::Refused("8 no permission".to_owned())
}

pub(super) fn absent(deposit: &Deposit, seconds: i64) -> CreditStep {
    deposit.looked_up(Found::Absent, REVIEW_AFTER, at(seconds))
}

/// A deposit in a status.
pub(super) fn in_status(status: DepositStatus) -> Deposit {
    match status {
        DepositStatus::Pending => pending(),
        DepositStatus::Paid => paid(),
        DepositStatus::Crediting => crediting(),
        DepositStatus::Credited => change(outcome(&crediting(), booked(), 12)).next,
        DepositStatus::Failed => change(hear(&pending(), &says(PspStatus::Failed, None, 10), 11)).next,
        DepositStatus::Expired => {
            let decided = super::overdue::polled_twice(&says(PspStatus::Pending, None, 10));
            decided.next
        }
        DepositStatus::CreditingUnknown => change(outcome(&crediting(), unknown(), 22)).next,
        DepositStatus::NeedsReview => {
            change(hear(&pending(), &says(PspStatus::Succeeded, Some("1200.00 USD"), 10), 11)).next
        }
        DepositStatus::Refunded => change(hear(&paid(), &refund(Some("1250.00 USD"), 20), 21)).next,
        DepositStatus::ChargedBack => change(hear(&paid(), &dispute(Some("1250.00 USD"), 20), 21)).next,
    }
}

/// The kind of work item that a deposit asks for.
pub(super) fn asks(deposit: &Deposit) -> Option<&str> {
    deposit.facts.review.as_ref().map(|review| review.kind.as_str())
}

/// A person's decision about what the deposit waits for.
pub(super) fn person(deposit: &Deposit, action: &str, evidence: Option<&str>) -> HumanDecision {
    let review = deposit.inner.held.as_ref().map(|held| held.review.clone()).or(deposit.facts.review.clone()).unwrap();
    HumanDecision {
        at: crate::Timestamp::EPOCH,
        kind: review.kind,
        trigger: Some(review.trigger),
        action: action.to_owned(),
        evidence: evidence.map(str::to_owned),
        by: "finance-1".to_owned(),
        approved_by: None,
    }
}

/// An unresolved credit, sent once and under review.
pub(super) fn unresolved() -> Deposit {
    let unknown = in_status(DepositStatus::CreditingUnknown);
    let later = 12 + i64::from(REVIEW_AFTER.0) + i64::from(GRACE.0);
    change(unknown.not_known("no answer", REVIEW_AFTER, at(later))).next
}
