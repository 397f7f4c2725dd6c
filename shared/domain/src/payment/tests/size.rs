//! A version of a usual deposit fits one write unit of 1 KB.

use super::fixture::*;
use crate::decision::{Decision, Frame, Record};
use crate::entity::{self, Entity};
use crate::payment::Deposit;
use crate::payment::collect::opened;

/// DynamoDB rounds the size of an item up to whole units of this.
const WRITE_UNIT: usize = 1024;

/// Names and values of the store's own attributes beside `state`, `private` and `outbox`: pk, sk, kind, v, client and hash; due_shard and due_at while there is a due time; cor_new in the first version.
fn attributes(deposit: &Deposit, first: bool) -> usize {
    let always = ("pk".len() + deposit.id.as_str().len())
        + ("sk".len() + 1)
        + ("kind".len() + Deposit::KIND.len())
        + ("v".len() + 2)
        + ("client".len() + deposit.client_id.as_str().len())
        + ("hash".len() + 32)
        + "state".len()
        + "private".len()
        + "outbox".len();
    let due = "due_shard".len() + "payment#15".len() + "due_at".len() + "2026-11-23T10:30:30.120Z".len();
    always + if deposit.due.is_some() { due } else { 0 } + if first { "cor_new".len() + 1 } else { 0 }
}

fn size(decision: &Decision<Deposit>, frame: &Frame, first: bool) -> usize {
    let record = serde_json::to_string(&Record::of(decision, frame)).unwrap();
    let (public, private) = entity::write(&decision.next).unwrap();
    let private = private.unwrap();
    attributes(&decision.next, first) + public.len() + private.len() + record.len()
}

fn frame(function: &'static str, trigger: &str) -> Frame {
    Frame {
        function,
        execution_id: "8f5c9a1e-0d3b-4c62-9b7a-2f1e6d4c8a90".to_owned(),
        trigger: trigger.to_owned(),
        correlation_id: "cor_01m83ydq50eg7vtp95tg713hkv".to_owned(),
        now: at(12),
        rules: vec!["psps@12".to_owned()],
    }
}

/// The four versions of a usual deposit with the frame of each; the platform's name is the longest.
fn usual() -> [(Decision<Deposit>, Frame); 4] {
    let id = pending().id;
    let began = opened(pending(), vec!["deposit_limits: row dollar_euro_pound".to_owned()]);
    let heard = change(hear(&pending(), &success(10), 11));
    let intended = save(paid().credit_step(at(12)));
    let credited = change(outcome(&crediting(), booked(), 12));
    [
        (began, frame("payments-initiate", "POST /v1/clients/{client_id}/deposits")),
        (heard, frame("payments-webhook", "stripe evt_3MtwBwLkdIwHu7ix0Aa1Bb2C")),
        (intended, frame("payments-credit", &format!("deposit.paid {id}:2:0"))),
        (credited, frame("payments-credit", &format!("deposit.paid {id}:2:0"))),
    ]
}

#[test]
fn each_version_of_a_usual_deposit_is_one_write_unit() {
    for (version, (decision, frame)) in usual().iter().enumerate() {
        let size = size(decision, frame, version == 0);
        assert!(size <= WRITE_UNIT, "version {}: {size} bytes", version + 1);
    }
}

#[test]
fn the_private_part_is_written_short() {
    let [.., (credited, _)] = usual();
    let private = entity::write(&credited.next).unwrap().1.unwrap();
    assert_eq!(
        private,
        r#"{"t0":1795428930120,"tl":[["p",0,"q"],["d",11000,"c"],["g",12000,"i"],["c",12000,"b"]],"u":"https://pay.example.com/p/0123456789012345678901234567890123","n":1,"tp":1795428940120}"#
    );
}
