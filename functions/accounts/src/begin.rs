//! The beginning of a change: it, and the account that has it from then on, in one transaction. Of two that begin at once, one is first.

use domain::Country;
use domain::account::Account;
use domain::account::change::{Change, NoChange, Standing};
use domain::account::rules::Platforms;
use domain::decision::{Decision, Frame};
use domain::input::Fault;
use domain::rules::RuleSet;
use runtime::StepError;
use runtime::step::{self, Attempt};
use store::{Commit, Crm, Home};

/// What became of it.
pub(crate) enum Begun {
    /// It is begun; or was, by a request that died before it could say so.
    Made(Box<Change>),
    /// The account does not take it.
    Not(NoChange),
    /// The client has as many accounts as he may.
    TooMany(Fault),
    /// There is no such account.
    NoAccount,
}

/// What the number of a client's accounts is held against.
pub(crate) struct Limits<'a> {
    pub(crate) rules: &'a Platforms,
    /// Where the client lives.
    pub(crate) residence: Country,
}

/// An account that is to be reopened takes its place among its client's in the same transaction.
pub(crate) async fn begin(
    crm: &Crm,
    asked: &Decision<Change>,
    limits: &Limits<'_>,
    frame: &Frame,
) -> Result<Begun, StepError> {
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
            if asked.next.facts.wanted.status == Some(Standing::Open)
                && let Some(fault) = take_place(crm, &stored.entity, limits, &mut commit).await?
            {
                return Ok(Attempt::Nothing(Begun::TooMany(fault)));
            }
            commit.save(crm, None, asked, frame)?;
            commit.save(crm, Some(&stored), &stored.entity.changing(&asked.next.id, aspect), frame)?;
            Ok(Attempt::Save(commit, Begun::Made(Box::new(asked.next.clone()))))
        })
    })
    .await
}

/// The place of an account that is closed, or why there is none.
async fn take_place(
    crm: &Crm,
    account: &Account,
    limits: &Limits<'_>,
    commit: &mut Commit,
) -> Result<Option<Fault>, StepError> {
    let places = crm.places(&account.client_id).await?;
    let held = crm.accounts_held(&account.client_id, &places, &[]).await?;
    let fault = account.too_many_to_reopen(&held, limits.residence, limits.rules);
    let fault = fault.map_err(|error| StepError::Rules { set: Platforms::NAME, what: error.to_string() })?;
    if fault.is_none() {
        commit.take_places(&crm.0, &places, std::slice::from_ref(&account.id))?;
    }
    Ok(fault)
}
