//! Lines that a partner disputes: what is put right is a line of its own, once, and two people's.

use domain::decision::Decision;
use domain::entity;
use domain::partner::dispute::{Claim, Dispute, DisputeStatus, Settled, faults_of};
use domain::partner::line::{Line, LineModel};
use domain::partner::statement::Statement;
use domain::partner::verify::verify;
use domain::payment::ticket::Reopened;
use domain::work::HumanDecision;
use domain::{DisputeId, WorkId};
use serde_json::{Value, json};

use crate::payouts::drawn;
use crate::world::*;

const NOW: &str = "2026-04-10T00:00:00Z";

/// A dispute of the first of two lines.
fn raised() -> (Dispute, Vec<Line>) {
    let rules = agreements(json!({"p": per_lot("5")}));
    let network = tree(&[(1, "p", None)]);
    let trades = [("a", "2"), ("b", "3")].map(|(id, lots)| made(trade(id, 1, "2026-03-02T10:00:00Z", lots)));
    let lines = lines_of(&rules, &network, trades.to_vec());
    let head = drawn((1, "2026-03"), money("0", "USD"), &lines, money("0", "USD")).head;
    let statement = Statement::drawn(head).next;
    let of = (&lines[0], &lines[..1]);
    let decision = Dispute::raised(DisputeId::from_bits(7), &statement, of, "it was 4 lots".to_owned(), at(NOW));
    assert_eq!(decision.events, ["desk.item"]);
    (decision.next, lines)
}

fn decision(action: &str, evidence: Option<&str>, approved_by: Option<&str>) -> HumanDecision {
    HumanDecision {
        kind: "partner_dispute".to_owned(),
        trigger: Some(format!("partner_dispute:{}", DisputeId::from_bits(7))),
        action: action.to_owned(),
        evidence: evidence.map(str::to_owned),
        by: "ana".to_owned(),
        approved_by: approved_by.map(str::to_owned),
        at: at(NOW),
    }
}

fn item() -> Reopened {
    Reopened { work_id: WorkId::from_bits(3), opening: 0 }
}

fn settled(dispute: &Dispute, decision: &HumanDecision, note: Option<&str>) -> Option<Settled> {
    dispute.decided((decision, note), item(), (period("2026-04"), at(NOW)))
}

#[test]
fn what_two_people_decided_is_one_line_and_the_lines_stand() {
    let (dispute, lines) = raised();
    let approved = decision("adjust", Some("10.00"), Some("ben"));
    let Settled { decision: Decision { next, outcome, .. }, line } =
        settled(&dispute, &approved, Some("4 lots")).unwrap();
    let line = line.unwrap();
    assert_eq!((outcome, next.facts.status), ("adjusted", DisputeStatus::Adjusted));
    assert_eq!(
        (line.model, line.amount.text().as_str(), line.period),
        (LineModel::Adjustment, "10.00", period("2026-04"))
    );
    assert_eq!(
        (line.counted_in, &line.partner, &line.agreement),
        (period("2026-03"), &partner(1), &lines[0].agreement)
    );
    assert!(line.why[0] == "4 lots" && line.why[1].contains(lines[0].id.as_str()), "{:?}", line.why);
    let adjusted = next.facts.adjusted.clone().unwrap();
    assert_eq!((adjusted.by.as_str(), adjusted.approved_by.as_str(), &adjusted.line_id), ("ana", "ben", &line.id));
    // whoever comes again finds it, and whoever decided at the same moment makes the same line
    assert_eq!(settled(&next, &approved, Some("4 lots")), None);
    let later = dispute.decided((&approved, Some("4 lots")), item(), (period("2026-05"), at("2026-05-20T00:00:00Z")));
    assert_eq!(later.unwrap().line.unwrap().id, line.id);
    // its statement bears itself out, and no other amount would
    let document = drawn((1, "2026-04"), money("25.00", "USD"), &[line], money("0", "USD"));
    assert_eq!((verify(std::slice::from_ref(&document)), document.head.closing), (vec![], money("35.00", "USD")));
    // what people wrote is told nobody
    let (public, _) = entity::write(&next).unwrap();
    assert!(!public.contains("lots"), "{public}");
}

#[test]
fn nobody_puts_anything_right_alone_or_without_an_amount_and_a_reason() {
    let (dispute, _) = raised();
    for (evidence, approver, note) in [
        (Some("10.00"), None, Some("x")),
        (Some("10.00"), Some("Ana"), Some("x")),
        (Some("10.00"), Some("ben"), None),
        (Some("10.001"), Some("ben"), Some("x")),
        (Some("0.00"), Some("ben"), Some("x")),
        (Some("words-0123456789abcdef"), Some("ben"), Some("x")),
        (None, Some("ben"), Some("x")),
    ] {
        let made = settled(&dispute, &decision("adjust", evidence, approver), note).unwrap();
        assert_eq!((made.line, made.decision.outcome), (None, "reopened"), "{evidence:?} {approver:?} {note:?}");
        let again = &made.decision.next;
        assert_eq!((again.facts.status, again.facts.reopened.as_ref()), (DisputeStatus::Open, Some(&item())));
        assert_eq!(settled(again, &decision("adjust", evidence, approver), note), None, "once");
        // decided anew it is carried out
        let anew = Reopened { opening: 1, ..item() };
        let right = decision("adjust", Some("-3.50"), Some("ben"));
        let done = again.decided((&right, Some("x")), anew, (period("2026-04"), at(NOW))).unwrap();
        assert_eq!((done.line.unwrap().amount.text(), done.decision.next.facts.reopened), ("-3.50".to_owned(), None));
    }
    let faults = |action, evidence, note| {
        let faults = faults_of(&decision(action, evidence, None), currency("JPY"), note);
        faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    assert_eq!(faults("adjust", Some("10"), Some("x")), Vec::<String>::new());
    assert_eq!(faults("adjust", Some("10.5"), None), ["/evidence", "/note"]);
    assert_eq!(faults("decline", None, None), Vec::<String>::new());
}

#[test]
fn an_answer_ends_it_and_another_item_does_not() {
    let (dispute, _) = raised();
    for (action, note) in [("decline", Some("it was 2 lots")), ("resolve", None)] {
        let made = settled(&dispute, &decision(action, None, None), note).unwrap();
        assert_eq!((made.line, made.decision.next.facts.status), (None, DisputeStatus::Declined));
        assert_eq!(made.decision.next.words.answer.as_deref(), note);
        assert_eq!(settled(&made.decision.next, &decision("adjust", Some("1"), Some("ben")), Some("x")), None);
    }
    let other = HumanDecision { trigger: Some("partner_dispute:other".to_owned()), ..decision("decline", None, None) };
    assert_eq!(settled(&dispute, &other, None), None);
}

#[test]
fn every_fault_of_a_claim_is_named_at_once() {
    let line = "lin_01m83ydq50eg7vtp95tg713hkv";
    let many: Vec<Value> = (0..21_u128).map(|n| json!(domain::AccrualLineId::from_bits(n))).collect();
    for (body, wanted) in [
        (json!({}), "/lines /reason"),
        (json!({"lines": [], "reason": " "}), "/lines /reason"),
        (json!({"lines": many, "reason": "x"}), "/lines"),
        (json!({"lines": [line, line, 7], "reason": "x", "y": 1}), "/lines/1 /lines/2 /y"),
        (json!({"lines": [line], "reason": "x".repeat(1_001)}), "/reason"),
    ] {
        let mut pointers: Vec<String> =
            Claim::read(&body).unwrap_err().into_iter().map(|fault| fault.pointer).collect();
        pointers.sort();
        assert_eq!(pointers.join(" "), wanted, "{body}");
    }
    assert_eq!(Claim::read(&json!({"lines": [line], "reason": " x "})).unwrap().reason, "x");
}
