//! Then against now.

use super::{Answer, Decided};

/// What a dry run came to beside what happened then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Whether the same is decided of the execution's entity: outcomes and events, one after the other. `None` where a dry run ends before it decides.
    pub same: Option<bool>,
    /// What differs in the first decision that does, reasons and rules included.
    pub differs: Vec<&'static str>,
}

/// Holds a dry run against what an execution made of an entity. What a dry run could not reach, because it ended at a call to the outside, is not held against it.
pub fn compare(entity: &str, then: &[Decided], now: &Answer) -> Compared {
    let own: Vec<&Decided> = now.decisions.iter().filter(|decided| decided.entity == entity).collect();
    if own.is_empty() && now.stopped_at.is_some() {
        return Compared { same: None, differs: vec![] };
    }
    let pairs = then.iter().zip(&own);
    let alike = |(a, b): (&Decided, &&Decided)| a.outcome == b.outcome && a.events == b.events;
    let whole = own.len() == then.len() || (now.stopped_at.is_some() && own.len() < then.len());
    let same = whole && !now.failed_alone() && pairs.clone().all(alike);
    let mut differs = pairs.map(|(a, b)| parts(a, b)).find(|parts| !parts.is_empty()).unwrap_or_default();
    if !whole {
        differs.push("decisions");
    }
    Compared { same: Some(same), differs }
}

impl Answer {
    /// Whether it failed by itself, and not because a dry run ended.
    fn failed_alone(&self) -> bool {
        self.failed && self.stopped_at.is_none()
    }
}

fn parts(then: &Decided, now: &Decided) -> Vec<&'static str> {
    let parts = [
        ("outcome", then.outcome != now.outcome),
        ("events", then.events != now.events),
        ("why", then.why != now.why),
        ("rules", then.rules != now.rules),
        ("state", !now.state.is_null() && then.state != now.state),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Timestamp;

    fn decided(outcome: &str, rules: &str) -> Decided {
        Decided {
            entity: "pay_1".to_owned(),
            version: 3,
            outcome: outcome.to_owned(),
            why: vec![],
            events: vec![format!("deposit.{outcome}")],
            rules: vec![rules.to_owned()],
            state: json!({"status": outcome}),
        }
    }

    fn answer(decisions: Vec<Decided>, stopped_at: Option<&str>) -> Answer {
        let stopped_at = stopped_at.map(str::to_owned);
        Answer { outcome: "done".to_owned(), failed: false, decisions, stopped_at, at: Timestamp::EPOCH }
    }

    #[test]
    fn as_far_as_a_dry_run_goes_it_is_held_against_what_happened() {
        let then = [decided("crediting", "psps@1"), decided("credited", "psps@1")];
        let first = || vec![decided("crediting", "psps@1")];
        let call = Some("CONNECT mt5");
        for (now, same, differs) in [
            (answer(then.to_vec(), None), Some(true), vec![]),
            (answer(first(), call), Some(true), vec![]),
            (answer(first(), None), Some(false), vec!["decisions"]),
            (answer(vec![], call), None, vec![]),
            (answer(vec![], None), Some(false), vec!["decisions"]),
            (answer(vec![decided("crediting", "psps@2")], call), Some(true), vec!["rules"]),
            (
                answer(vec![decided("refused", "psps@2")], None),
                Some(false),
                vec!["outcome", "events", "rules", "state", "decisions"],
            ),
            (answer(vec![Decided { entity: "str_1".to_owned(), ..decided("taken", "psps@1") }], call), None, vec![]),
        ] {
            assert_eq!(compare("pay_1", &then, &now), Compared { same, differs }, "{now:?}");
        }
        let failed = Answer { failed: true, ..answer(then.to_vec(), None) };
        assert_eq!(compare("pay_1", &then, &failed).same, Some(false));
    }
}
