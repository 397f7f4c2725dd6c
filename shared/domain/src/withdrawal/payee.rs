//! Whether who gets the money is the client: the part `payee` of the rule set `withdrawals`, and what was found.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::plan::Leg;
use super::rules::Approval;
use super::{WithdrawalRefusal, WithdrawalRequest};
use crate::input::Fault;
use crate::rules::read::{Faults, Node};
use crate::words::words;

const KEYS: [&str; 6] = ["same_from", "other_below", "other", "unsure", "untold", "unheard"];
/// Likenesses are told in thousandths.
const WHOLE: u16 = 1_000;

words! {
    /// Who gets the money, by the name that the provider has of him.
    PayeeVerdict {
        /// The client.
        Same = "same",
        /// Somebody else.
        Other = "other",
        /// Perhaps the client.
        Unsure = "unsure",
        /// The provider tells no name, or none that can be compared.
        Untold = "untold",
        /// The provider could not be asked.
        Unheard = "unheard",
    }
}

words! {
    /// What follows.
    PayeeAction {
        /// Nothing.
        Pass = "pass",
        /// A person decides about the withdrawal.
        Ask = "ask",
        /// The withdrawal is refused.
        Refuse = "refuse",
    }
}

/// What became of asking a provider for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A name, so like the client's, in thousandths.
    Likeness(u16),
    /// No name, or none that can be compared.
    Nothing,
    /// It could not be asked.
    Unheard,
}

/// What was found of who gets the money; never the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payee {
    /// Who it is.
    pub verdict: PayeeVerdict,
    /// How like the client's the name is, in thousandths, where one was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likeness: Option<u16>,
}

/// The part `payee`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayeeRules {
    same_from: Decimal,
    other_below: Decimal,
    other: PayeeAction,
    unsure: PayeeAction,
    untold: PayeeAction,
    unheard: PayeeAction,
}

impl PayeeRules {
    fn verdict(&self, told: Told) -> Payee {
        let likeness = match told {
            Told::Likeness(likeness) => likeness,
            Told::Nothing => return Payee { verdict: PayeeVerdict::Untold, likeness: None },
            Told::Unheard => return Payee { verdict: PayeeVerdict::Unheard, likeness: None },
        };
        let part = Decimal::from(likeness.min(WHOLE)) / Decimal::from(WHOLE);
        let verdict = if part >= self.same_from {
            PayeeVerdict::Same
        } else if part < self.other_below {
            PayeeVerdict::Other
        } else {
            PayeeVerdict::Unsure
        };
        Payee { verdict, likeness: Some(likeness) }
    }

    fn action(&self, verdict: PayeeVerdict) -> PayeeAction {
        match verdict {
            PayeeVerdict::Same => PayeeAction::Pass,
            PayeeVerdict::Other => self.other,
            PayeeVerdict::Unsure => self.unsure,
            PayeeVerdict::Untold => self.untold,
            PayeeVerdict::Unheard => self.unheard,
        }
    }
}

/// Reads the part.
pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<PayeeRules> {
    let object = node.object(&KEYS, faults)?;
    let mut part = |key: &str| {
        let at = object.need(key, faults)?;
        let part = at.decimal(faults)?;
        if part < Decimal::ZERO || part > Decimal::ONE {
            faults.add(at.fault("bad_range", "must be from 0 to 1"));
            return None;
        }
        Some(part)
    };
    let (same_from, other_below) = (part("same_from"), part("other_below"));
    let mut action = |key: &str| object.need(key, faults).and_then(|node| node.word(PayeeAction::ALL, faults));
    let (other, unsure, untold, unheard) = (action("other"), action("unsure"), action("untold"), action("unheard"));
    let (same_from, other_below) = (same_from?, other_below?);
    if other_below > same_from {
        faults.add(node.fault("bad_range", format!("other_below ({other_below}) is above same_from ({same_from})")));
        return None;
    }
    Some(PayeeRules { same_from, other_below, other: other?, unsure: unsure?, untold: untold?, unheard: unheard? })
}

impl WithdrawalRequest {
    /// The legs that go back to a payer, of which a provider may know the name: the reference of each, and its provider.
    pub fn payers(&self) -> Vec<(&str, &str)> {
        let whole = std::slice::from_ref(&self.target);
        let legs = self.legs.iter().map(|leg| &leg.target);
        let targets: Vec<_> = if self.legs.is_empty() { whole.iter().collect() } else { legs.collect() };
        targets.into_iter().filter_map(|target| Some((target.psp.as_str(), target.destination.reference()?))).collect()
    }

    /// The same with what was told of its payers, in the order of [`Self::payers`].
    ///
    /// # Errors
    /// [`WithdrawalRefusal::Faults`] where the rules refuse a third party.
    pub fn with_payees(mut self, told: &[Told], rules: &PayeeRules) -> Result<Self, WithdrawalRefusal> {
        let mut found = told.iter().map(|told| rules.verdict(*told));
        let mut refused = None;
        let mut judge = |source: Option<&crate::PaymentId>, why: &mut Vec<String>| {
            let (source, payee) = (source?, found.next()?);
            let likeness = payee.likeness.map(|likeness| format!(", {likeness} of {WHOLE}")).unwrap_or_default();
            why.push(format!("payer of {source}: {}{likeness}", payee.verdict));
            match rules.action(payee.verdict) {
                PayeeAction::Pass => {}
                PayeeAction::Ask => self.approval = Approval::Ask,
                PayeeAction::Refuse => {
                    let message = format!("{source} was not paid by the client, as far as the provider knows");
                    refused = refused.take().or(Some(Fault::new("/destination", "third_party", message)));
                }
            }
            Some(payee)
        };
        if self.legs.is_empty() {
            self.payee = judge(self.target.destination.source(), &mut self.why);
        }
        for Leg { target, payee, .. } in &mut self.legs {
            *payee = judge(target.destination.source(), &mut self.why);
        }
        match refused {
            Some(fault) => Err(WithdrawalRefusal::Faults(vec![fault])),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::read::read_document;

    fn document() -> Value {
        json!({
            "same_from": "0.5", "other_below": "0.1", "other": "refuse", "unsure": "ask", "untold": "pass",
            "unheard": "ask",
        })
    }

    fn rules() -> PayeeRules {
        read_document(&document(), read).unwrap()
    }

    #[test]
    fn a_likeness_lies_on_one_side_of_each_boundary() {
        let verdict = |told| rules().verdict(told).verdict;
        for (likeness, wanted) in [
            (0, PayeeVerdict::Other),
            (99, PayeeVerdict::Other),
            (100, PayeeVerdict::Unsure),
            (499, PayeeVerdict::Unsure),
            (500, PayeeVerdict::Same),
            (1_000, PayeeVerdict::Same),
        ] {
            assert_eq!(verdict(Told::Likeness(likeness)), wanted, "{likeness}");
        }
        assert_eq!(verdict(Told::Nothing), PayeeVerdict::Untold);
        assert_eq!(verdict(Told::Unheard), PayeeVerdict::Unheard);
    }

    #[test]
    fn every_fault_of_the_part_is_named() {
        let with = |key: &str, value: Value| {
            let mut changed = document();
            changed[key] = value;
            changed
        };
        let mut short = document();
        short.as_object_mut().unwrap().remove("unheard");
        for (document, fault) in [
            (with("same_from", json!("1.1")), "/same_from bad_range"),
            (with("same_from", json!("0.05")), " bad_range"),
            (with("other_below", json!("-0.1")), "/other_below bad_range"),
            (with("other", json!("decline")), "/other unknown_value"),
            (with("name", json!("x")), "/name unknown_key"),
            (short, " missing_key"),
        ] {
            let told = read_document(&document, read).unwrap_err();
            let told: Vec<String> = told.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
            assert!(told.iter().any(|told| told == fault), "{document}: {told:?}");
        }
    }
}
