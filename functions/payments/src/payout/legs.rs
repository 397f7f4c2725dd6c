//! A withdrawal that goes to several places and its legs: once it is debited they are paid out, and what becomes of it is what becomes of
//! them. Whoever dies on the way is followed by one who does what is left: each leg takes one beginning, and the whole is judged by all of
//! its legs each time.

use domain::PaymentId;
use domain::decision::{Frame, Verdict};
use domain::withdrawal::Withdrawal;
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::Home;

use super::PayOut;

/// A leg or its whole moved, and the other must hear of it.
pub(super) const DUE: &str = "withdrawal.legs_due";

impl PayOut {
    /// `id` is that of the whole or of one of its legs.
    pub(super) async fn see_after_legs(&self, id: &PaymentId, frame: &mut Frame) -> Result<&'static str, StepError> {
        let own = self.load(id).await?.entity;
        let whole = match own.facts.part_of {
            Some(whole) => self.load(&whole).await?.entity,
            None => own,
        };
        let now = frame.now;
        for leg in &whole.facts.legs {
            let mut frame = frame.clone();
            step::change(&self.money, &leg.payment_id, &mut frame, |own: &Withdrawal| own.with_whole(&whole, now))
                .await?;
        }
        self.judge_by_legs(&whole.id, frame).await
    }

    /// The legs are read after the whole and in each attempt anew: whoever saves it saw what they were when it was last saved, or later.
    async fn judge_by_legs(&self, id: &PaymentId, frame: &Frame) -> Result<&'static str, StepError> {
        step::together(frame, "the withdrawal keeps changing", || {
            Box::pin(async move {
                let stored = self.load(id).await?;
                let mut legs = Vec::new();
                for leg in &stored.entity.facts.legs {
                    legs.push(self.load(&leg.payment_id).await?.entity);
                }
                let Verdict::Change(decision) = stored.entity.with_legs(&legs, frame.now) else {
                    return Ok::<_, StepError>(Attempt::Nothing("nothing_to_do"));
                };
                let frame = Frame { correlation_id: stored.correlation_id.clone(), ..frame.clone() };
                let mut commit = Home::<Withdrawal>::table(&self.money).commit();
                commit.save(&self.money, Some(&stored), &decision, &frame)?;
                Ok(Attempt::Save(commit, decision.outcome))
            })
        })
        .await
    }
}
