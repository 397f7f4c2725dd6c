//! Four eyes: what one person proposes, another one approves.

use std::collections::BTreeMap;

use crate::rules::read::{Faults, Node};
use crate::visible::visible;
use crate::words::words;
use crate::{Currency, Money};
use rust_decimal::Decimal;

/// The name by which two people are told apart: that of the token, without what nobody sees and in one letter case, so that nobody
/// is somebody else by another spelling of himself.
pub fn person(subject: &str) -> String {
    visible(subject.trim()).to_lowercase()
}

words! {
    /// When a decision needs a second person.
    FourEyes {
        /// One person decides.
        Never = "never",
        /// Two people decide.
        Always = "always",
        /// Two people decide from the amounts of [`Limits`] on.
        ByAmount = "by_amount",
    }
}

impl FourEyes {
    /// Whether a decision about this money needs a second person; no money stands for an amount that nobody knows. It does about an
    /// amount that is not known, and in a currency that has no limit.
    pub fn needed(self, limits: &Limits, stakes: &[Money]) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::ByAmount => {
                let at_or_over =
                    |money: &Money| limits.get(&money.currency()).is_none_or(|limit| money.amount() >= *limit);
                stakes.is_empty() || stakes.iter().any(at_or_over)
            }
        }
    }
}

/// The amounts from which two people decide.
pub type Limits = BTreeMap<Currency, Decimal>;

/// Reads `{USD: "10000", …}`.
pub(crate) fn read_limits(node: &Node<'_>, faults: &mut Faults) -> Option<Limits> {
    let amounts = node.map(faults)?;
    let mut limits = Limits::new();
    for (code, at) in amounts.entries() {
        let Ok(currency) = code.parse::<Currency>() else {
            faults.add(at.fault("unknown_currency", format!("`{code}` is no currency")));
            continue;
        };
        let Some(limit) = at.decimal(faults) else { continue };
        if limit <= Decimal::ZERO {
            faults.add(at.fault("bad_range", "must be above zero; `always` is for every amount"));
            continue;
        }
        limits.insert(currency, limit);
    }
    (limits.len() == amounts.count()).then_some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, currency: &str) -> Money {
        Money::parse(text, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn nobody_is_another_person_by_another_spelling() {
        for spelling in ["ana.k", "Ana.K", " ana.k ", "a\u{200B}na.k", "ANA.K\u{FEFF}"] {
            assert_eq!(person(spelling), "ana.k");
        }
        assert_ne!(person("ana.k"), person("ben.l"));
    }

    #[test]
    fn two_people_decide_from_the_amount_on_and_about_what_is_not_known() {
        let limits = [("USD", 10_000), ("JPY", 1_500_000)];
        let limits = limits.map(|(code, limit)| (code.parse().unwrap(), Decimal::from(limit))).into();
        let needed = |stakes: &[Money]| FourEyes::ByAmount.needed(&limits, stakes);
        assert!(!needed(&[money("9999.99", "USD")]));
        assert!(needed(&[money("10000.00", "USD")]));
        assert!(!needed(&[money("9999.99", "USD"), money("1499999", "JPY")]));
        assert!(needed(&[money("1.00", "USD"), money("1500000", "JPY")]), "the larger of two");
        assert!(needed(&[money("0.01", "CHF")]), "a currency without a limit");
        assert!(needed(&[]), "nobody knows how much");
        assert!(!FourEyes::Never.needed(&limits, &[]) && FourEyes::Always.needed(&limits, &[money("0.01", "USD")]));
    }
}
