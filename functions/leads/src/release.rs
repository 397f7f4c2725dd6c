//! Hands waiting leads out, who waits longest first, at the pace of the pool's rule.

use std::collections::BTreeMap;

use domain::decision::Frame;
use domain::lead::plan::{Trigger, looks_again, waits_until};
use domain::sales::rules::Pool;
use domain::sales::{PoolId, PoolState};
use domain::{Seconds, Timestamp};
use runtime::StepError;
use store::Saved;

use crate::floor::{Rules, SalesFloor};

/// Waiting leads that one look goes through at most.
const LOOKED_THROUGH: i32 = 300;
/// After so many of one language that nobody can take, the others of it wait for the next look: needs differ by little else.
const IN_VAIN_MAX: usize = 12;
/// The next look is at least so far ahead: timers come by the minute.
const PAUSE_MIN: Seconds = Seconds(60);

impl SalesFloor {
    /// Looks at the waiting leads of a pool.
    pub(crate) async fn release(&self, name: &str, frame: &Frame) -> Result<&'static str, StepError> {
        let rules = self.rules().await?;
        let Some(pool) = rules.sales.rules.pool(name) else { return self.release_all(name, &rules, frame).await };
        let state = self.crm.load::<PoolState>(&PoolId::of(name)).await?;
        if state.as_ref().is_none_or(|state| state.entity.due.is_none()) {
            return Ok("nobody_waits");
        }
        let mut released = 0_usize;
        let mut in_vain: BTreeMap<String, usize> = BTreeMap::new();
        for lead in self.crm.waiting(name, LOOKED_THROUGH).await?.items {
            let language = lead.entity.primary_language().unwrap_or_default().to_owned();
            let in_vain = in_vain.entry(language).or_default();
            // whoever is too old is ahead in the list, so none of those is left behind
            if *in_vain > IN_VAIN_MAX {
                continue;
            }
            match self.place(&lead.entity.id, &Trigger::Release, frame).await? {
                "assigned" => {
                    released += 1;
                    *in_vain = 0;
                }
                "nothing_to_do" => *in_vain += 1,
                _ => {}
            }
        }
        self.look_again(name, pool, &rules, frame).await?;
        Ok(if released > 0 { "released" } else { "nothing_to_do" })
    }

    /// The pool is no longer in the rules: whoever waited there is routed anew.
    async fn release_all(&self, name: &str, rules: &Rules, frame: &Frame) -> Result<&'static str, StepError> {
        for lead in self.crm.waiting(name, LOOKED_THROUGH).await?.items {
            self.place(&lead.entity.id, &Trigger::Release, frame).await?;
        }
        let left = self.crm.waiting(name, 1).await?.items.first().map(|_| frame.now.plus(PAUSE_MIN));
        self.set_due(name, left, rules, frame).await?;
        Ok("released")
    }

    async fn look_again(&self, name: &str, pool: &Pool, rules: &Rules, frame: &Frame) -> Result<(), StepError> {
        let oldest = self.crm.waiting(name, 1).await?;
        let since =
            oldest.items.first().and_then(|lead| lead.entity.facts.waiting.as_ref()).map(|waiting| waiting.since);
        let due = since.map(|since| {
            let sales = &rules.sales.rules;
            let limit = waits_until(pool, since, sales).max(frame.now.plus(PAUSE_MIN));
            looks_again(pool, sales, frame.now).min(limit)
        });
        self.set_due(name, due, rules, frame).await
    }

    async fn set_due(&self, name: &str, due: Option<Timestamp>, rules: &Rules, frame: &Frame) -> Result<(), StepError> {
        let Some(stored) = self.crm.load::<PoolState>(&PoolId::of(name)).await? else { return Ok(()) };
        let Some(decision) = stored.entity.looked(due, frame.now) else { return Ok(()) };
        let mut frame = frame.clone();
        frame.used(rules.sales.label());
        match self.crm.save(Some(&stored), decision, &frame).await? {
            // whoever was first set the time for what it saw
            Saved::Applied(_) | Saved::Conflict => Ok(()),
        }
    }
}
