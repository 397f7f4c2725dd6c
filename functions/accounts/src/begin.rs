//! The beginning of a change: it, and the account that has it from then on, in one transaction. Of two that begin at once, one is first.

use domain::account::Account;
use domain::account::change::{Change, NoChange};
use domain::decision::{Decision, Frame};
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Crm, Home};

/// What became of it.
pub(crate) enum Begun {
    /// It is begun; or was, by a request that died before it could say so.
    Made(Box<Change>),
    /// The account does not take it.
    Not(NoChange),
    /// There is no such account.
    NoAccount,
}

pub(crate) async fn begin(crm: &Crm, asked: &Decision<Change>, frame: &Frame) -> Result<Begun, StepError> {
    step::together(frame, "the account keeps changing", || {
        Box::pin(async move {
            if let Some(made) = crm.load::<Change>(&asked.next.id).await? {
                return Ok::<_, StepError>(Attempt::Nothing(Begun::Made(Box::new(made.entity))));
            }
            let Some(stored) = crm.load::<Account>(&asked.next.facts.account_id).await? else {
                return Ok(Attempt::Nothing(Begun::NoAccount));
            };
            let aspect = match stored.entity.takes_change(&asked.next.facts.wanted) {
                Ok(aspect) => aspect,
                Err(no) => return Ok(Attempt::Nothing(Begun::Not(no))),
            };
            let mut commit = Home::<Change>::table(crm).commit();
            commit.save(crm, None, asked, frame)?;
            commit.save(crm, Some(&stored), &stored.entity.changing(&asked.next.id, aspect), frame)?;
            Ok(Attempt::Save(commit, Begun::Made(Box::new(asked.next.clone()))))
        })
    })
    .await
}
