//! A login that a person says is the account's: the platform is asked before it counts.
//!
//! Whoever takes the decision only names the login; whoever may ask the platform looks it up. Then the account is open, or the work item
//! is opened again and says what was found. A platform that cannot be asked is asked again: what nobody has seen is not believed.

use serde::{Deserialize, Serialize};

use super::sweep::{OnServer, Seen};
use super::{Account, CreateStep};
use crate::decision::Verdict;
use crate::payment::ticket::{CHECK_AGAIN, Reopened, asked_again};
use crate::work::HumanDecision;
use crate::{AccountId, Timestamp};

/// A login that a person named, with the decision that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedLogin {
    /// The login.
    pub login: String,
    /// What was decided.
    pub decision: HumanDecision,
    /// On which work item, in which opening of it.
    pub work: Reopened,
}

impl NamedLogin {
    /// Who named it, and what was found.
    fn sentence(&self, found: &str) -> String {
        format!("{} named login {}: {found}", self.decision.by, self.login)
    }

    fn is(&self, other: &Self) -> bool {
        self.work == other.work
    }
}

/// What a server shows under a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownLogin<'a> {
    /// How it is set.
    pub set: OnServer<'a>,
    /// What stands where we write our reference: maybe a person's words.
    pub reference: &'a str,
}

impl Account {
    /// A person says that this is the account's login.
    pub(super) fn login_named(
        &self,
        login: &str,
        decision: &HumanDecision,
        work: &Reopened,
        now: Timestamp,
    ) -> Verdict<Self> {
        let named = NamedLogin { login: login.to_owned(), decision: decision.clone(), work: work.clone() };
        if self.inner.named.as_ref().is_some_and(|known| known.is(&named)) {
            return Verdict::Nothing("its login is being looked up");
        }
        let mut next = self.clone();
        next.facts.reopened = None;
        next.inner.named = Some(named);
        next.due = Some(now.plus(CHECK_AGAIN));
        let why = vec![decision.why(), "nothing follows before the platform has shown the account".to_owned()];
        Verdict::change(next, "login_named", vec!["account.login_named"], why)
    }

    /// The next step, while a login that a person named is to be looked up.
    pub(super) fn login_step(&self) -> Option<CreateStep> {
        self.inner.named.as_ref().map(|_| CreateStep::CheckLogin)
    }

    /// What is wrong with what the server shows under the login.
    ///
    /// # Errors
    /// What was found, in words for a person: without the reference's text, which another person may have written.
    pub fn login_held_against(&self, shown: Option<ShownLogin<'_>>) -> Result<(), String> {
        let Some(shown) = shown else { return Err(format!("{} has no such login", self.facts.server)) };
        let other = shown.reference.split_whitespace().next().and_then(|id| id.parse::<AccountId>().ok());
        if let Some(other) = other.filter(|other| *other != self.id) {
            return Err(format!("it carries the id of another account, {other}: it is that account's"));
        }
        match self.seen(Some(shown.set)) {
            Seen::Differs(differs) => Err(format!("it is there, with {}", differs.join(" and "))),
            Seen::InOrder | Seen::Ours | Seen::NotHere | Seen::NotThere => Ok(()),
        }
    }

    /// The platform has shown the account: it is open.
    pub fn login_proven(&self, named: &NamedLogin) -> Verdict<Self> {
        if self.inner.named.as_ref() != Some(named) {
            return Verdict::Nothing("the login is looked up already");
        }
        let why = vec![named.decision.why(), "the platform shows the account".to_owned()];
        self.opened(named.login.clone(), None, why)
    }

    /// The login is not the account's: its work item is opened again.
    pub fn login_refused(&self, named: &NamedLogin, found: &str, now: Timestamp) -> Verdict<Self> {
        if self.inner.named.as_ref() != Some(named) {
            return Verdict::Nothing("the login is looked up already");
        }
        let mut next = self.clone();
        next.inner.named = None;
        next.inner.asked = Some(now);
        next.due = None;
        next.facts.reopened = Some(named.work.clone());
        Verdict::change(next, "login_refused", vec!["desk.reopened"], vec![named.sentence(found)])
    }

    /// The platform could not be asked; where it is being maintained, until `not_before`.
    pub fn login_not_looked_up(
        &self,
        named: &NamedLogin,
        reason: &str,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Verdict<Self> {
        if self.inner.named.as_ref() != Some(named) {
            return Verdict::Nothing("the login is looked up already");
        }
        let again = match (not_before, asked_again(named.decision.at, now)) {
            (Some(until), again) => again.unwrap_or(until).max(until),
            (None, Some(again)) => again,
            (None, None) => {
                let found = "the platform could not be asked for a day; nobody has looked";
                return self.login_refused(named, found, now);
            }
        };
        let mut next = self.clone();
        next.due = Some(again);
        Verdict::change(next, "login_not_looked_up", vec![], vec![reason.to_owned()])
    }
}

#[cfg(test)]
mod tests;
