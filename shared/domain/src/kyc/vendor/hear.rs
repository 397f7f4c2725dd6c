//! What moves a check on from its vendor's side. Of two statements the later one counts, by the vendor's own time.

use super::{CheckState, VendorCheck, VendorWord, codes, texts};
use crate::decision::Verdict;
use crate::kyc::rules::{IdentityVendor, KycVendors};
use crate::{Redacted, Seconds, Timestamp};

/// Two statements of one second cannot be told apart: the vendor is asked again after this.
const ANOTHER_SECOND: Seconds = Seconds(2);

/// A statement of a vendor's about a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whose.
    pub vendor: IdentityVendor,
    /// The vendor's id of the check.
    pub reference: String,
    /// What.
    pub word: VendorWord,
    /// Its codes.
    pub labels: Vec<String>,
    /// What it has the client told.
    pub for_client: Vec<Redacted<String>>,
    /// When, by its own clock; [`Timestamp::EPOCH`] where it does not say.
    pub at: Timestamp,
    /// Whether it was asked: then its time is exact to a second only.
    pub asked: bool,
}

/// How a statement stands to the one before.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    Later,
    Earlier,
    Unclear,
}

impl VendorCheck {
    /// Takes what its vendor says.
    pub fn hear(&self, said: &Said, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        let reference = match (&self.facts.reference, self.facts.state) {
            _ if said.vendor != self.facts.vendor => return Verdict::Nothing("the check is at another vendor by now"),
            (None, CheckState::Starting) => return self.heard_early(),
            (None, _) => return Verdict::Nothing("nothing is open at the vendor"),
            (Some(reference), _) => reference,
        };
        if *reference != said.reference {
            return Verdict::Nothing("it is another check of the client's at the vendor");
        }
        if said.at == Timestamp::EPOCH {
            return Verdict::Nothing("it has no time, so it decides nothing");
        }
        let Some(rule) = rules.rule(said.vendor) else { return self.clone().over("its vendor has no rule", now) };
        let order = self.order(said);
        let mut next = self.clone();
        next.facts.failed = 0;
        if order == Order::Unclear {
            next.due = Some(now.plus(ANOTHER_SECOND));
            return Verdict::change(next, "ask_again", vec![], vec!["two statements of one second".to_owned()]);
        }
        // who is asked to try again a second time has tried
        let again = said.word == VendorWord::Retry && !said.asked && self.facts.said_at.is_some_and(|at| at < said.at);
        let same = self.stands_as(said) && !again;
        // an approval that is looked at again holds until that has come to an end
        let holds = self.facts.state == CheckState::Approved && said.word == VendorWord::Pending;
        if order == Order::Earlier || same || holds {
            return next.unmoved(said, holds && order == Order::Later, rules, now);
        }
        next.facts.said_at = Some(said.at);
        let labels = codes(&said.labels);
        let mut why = vec![format!("{} says {}", said.vendor, said.word)];
        why.extend(labels.iter().cloned());
        let Some(state) = state_of(said.word) else { return next.at_the_next("broken", rules, now) };
        next.enter(state, labels, rule, now);
        next.inner.for_client = texts(&said.for_client);
        Verdict::change(next, state.as_str(), vec!["kyc_check.updated"], why)
    }

    /// Something was told before our own record of where it is was saved: it is asked for then.
    fn heard_early(&self) -> Verdict<Self> {
        if self.facts.ask_at_once {
            return Verdict::Nothing("it is asked about as soon as it is opened");
        }
        let mut next = self.clone();
        next.facts.ask_at_once = true;
        Verdict::change(next, "heard_early", vec![], vec!["told before it was known to be open".to_owned()])
    }

    /// Nothing that counts is new. Who was asked is asked again in its time.
    fn unmoved(mut self, said: &Said, holds: bool, rules: &KycVendors, now: Timestamp) -> Verdict<Self> {
        if !said.asked && !holds {
            if self.facts.said_at >= Some(said.at) {
                return Verdict::Nothing("it is known, or something later is");
            }
            // the same again, and later: what was before this does not count any more, whenever it comes
            self.facts.said_at = Some(said.at);
            return Verdict::change(
                self,
                "said_again",
                vec![],
                vec![format!("{} says {} again", said.vendor, said.word)],
            );
        }
        let Some(rule) = rules.rule(said.vendor) else { return Verdict::Nothing("its vendor has no rule") };
        if self.is_overdue(rule, now) {
            return self.over("its time is over", now);
        }
        self.facts.said_at = self.facts.said_at.max(Some(said.at));
        self.facts.polls = self.facts.polls.saturating_add(1);
        let waits = holds || self.facts.state.is_asked_about();
        self.due = waits.then(|| now.plus(rule.poll_wait(self.facts.polls)));
        Verdict::change(self, "unmoved", vec![], vec![format!("{} says {}", said.vendor, said.word)])
    }

    /// Something that only its vendor can tell has changed: it is asked at once.
    pub fn to_be_asked(&self, reference: &str, vendor: IdentityVendor, now: Timestamp) -> Verdict<Self> {
        match (&self.facts.reference, self.facts.state) {
            _ if vendor != self.facts.vendor => Verdict::Nothing("the check is at another vendor by now"),
            (None, CheckState::Starting) => self.heard_early(),
            (Some(known), _) if known == reference => {
                let mut next = self.clone();
                next.due = Some(now);
                Verdict::change(next, "to_be_asked", vec![], vec![format!("{vendor} tells of a change")])
            }
            _ => Verdict::Nothing("it is another check of the client's at the vendor"),
        }
    }

    fn order(&self, said: &Said) -> Order {
        let Some(known) = self.facts.said_at else { return Order::Later };
        let same = self.stands_as(said);
        let one_second = said.at.seconds() == known.seconds();
        match (said.at.cmp(&known), said.asked) {
            _ if same => Order::Later,
            (std::cmp::Ordering::Greater, _) => Order::Later,
            (std::cmp::Ordering::Equal, false) => Order::Unclear,
            (_, true) if one_second => Order::Unclear,
            _ => Order::Earlier,
        }
    }

    fn stands_as(&self, said: &Said) -> bool {
        state_of(said.word) == Some(self.facts.state) && codes(&said.labels) == self.facts.labels
    }
}

/// The state that a word brings; `None` where the vendor is left.
fn state_of(word: VendorWord) -> Option<CheckState> {
    match word {
        VendorWord::Pending => Some(CheckState::Pending),
        VendorWord::Approved => Some(CheckState::Approved),
        VendorWord::Retry => Some(CheckState::Retry),
        VendorWord::Final => Some(CheckState::Final),
        VendorWord::Review => Some(CheckState::Review),
        VendorWord::Expired => Some(CheckState::Expired),
        VendorWord::Revoked => Some(CheckState::Revoked),
        VendorWord::Broken => None,
    }
}
