//! The rule sets there are, one line each, and whose they are.

pub mod draft;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::input::Fault;
use crate::rules::rule_set::{Reference, Replays, RuleSet};
use crate::words::UnknownWord;
use crate::work::rules::Queue;

macro_rules! rule_sets {
    ($($variant:ident = $set:ty, of $desk:ident;)+) => {
        /// A rule set by its name in routes, tables and files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SetName {
            $(#[doc = concat!("[`", stringify!($set), "`].")] $variant,)+
        }

        impl SetName {
            /// Every set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => <$set as RuleSet>::NAME,)+
                }
            }

            /// The desk whose business it is: it may draft and publish it, as `admin` may.
            pub const fn desk(self) -> Queue {
                match self {
                    $(Self::$variant => Queue::$desk,)+
                }
            }

            /// Reads a document of the set: its names for others, and what it names of them.
            fn read(self, document: &Json) -> Result<Links, Vec<Fault>> {
                match self {
                    $(Self::$variant => <$set>::parse(document).map(|set| Links::of(&set)),)+
                }
            }

            /// The kinds of names that the set offers to others.
            fn offers(self) -> Vec<&'static str> {
                match self {
                    $(Self::$variant => <$set>::OFFERS.iter().map(|offer| offer.what).collect(),)+
                }
            }
        }
    };
}

rule_sets! {
    Psps = crate::payment::rules::Psps, of Finance;
    Fx = crate::payment::fx::rules::FxRules, of Finance;
    Withdrawals = crate::withdrawal::rules::Withdrawals, of Finance;
    Platforms = crate::account::rules::Platforms, of Support;
    Trading = crate::trade::rules::TradingRules, of Support;
    Kyc = crate::kyc::rules::Kyc, of Compliance;
    KycRisk = crate::kyc::rules::KycRisk, of Compliance;
    KycVendors = crate::kyc::rules::KycVendors, of Compliance;
    KycLevels = crate::kyc::rules::KycLevels, of Compliance;
    CountryLists = crate::compliance::CountryLists, of Compliance;
    Scenarios = crate::compliance::Scenarios, of Compliance;
    Reports = crate::compliance::Reports, of Compliance;
    Screening = crate::kyc::rules::ScreeningRules, of Compliance;
    Notifications = crate::notification::rules::Notifications, of Support;
    WorkKinds = crate::work::rules::WorkKinds, of Support;
    LeadIntake = crate::lead::rules::LeadIntake, of Sales;
    LeadScoring = crate::lead::rules::LeadScoring, of Sales;
    LeadRouting = crate::lead::rules::LeadRouting, of Sales;
    Sales = crate::sales::rules::SalesRules, of Sales;
    Journeys = crate::journey::rules::Journeys, of Sales;
    Bonuses = crate::bonus::rules::Bonuses, of Finance;
    PartnerAgreements = crate::partner::rules::PartnerAgreements, of Finance;
}

impl std::fmt::Display for SetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SetName {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|set| set.as_str() == text).ok_or(UnknownWord)
    }
}

/// Checks a document as the rule set of a name.
///
/// # Errors
/// Every fault with its JSON pointer.
pub fn parse_any(set: SetName, document: &Json) -> Result<(), Vec<Fault>> {
    set.read(document).map(drop)
}

/// Reads a document of a set that can be asked again; `None` for a set whose facts are not recorded with its decisions.
///
/// # Errors
/// Every fault with its JSON pointer.
pub fn replayed(set: SetName, document: &Json) -> Option<Result<Box<dyn Replays + Send + Sync>, Vec<Fault>>> {
    fn boxed<S: RuleSet + Replays>(document: &Json) -> Result<Box<dyn Replays + Send + Sync>, Vec<Fault>> {
        let set: Box<dyn Replays + Send + Sync> = Box::new(S::parse(document)?);
        Ok(set)
    }
    match set {
        SetName::Withdrawals => Some(boxed::<crate::withdrawal::rules::Withdrawals>(document)),
        SetName::LeadRouting => Some(boxed::<crate::lead::rules::LeadRouting>(document)),
        SetName::KycRisk => Some(boxed::<crate::kyc::rules::KycRisk>(document)),
        _ => None,
    }
}

/// What ties a document to those of other sets.
struct Links {
    offered: BTreeMap<&'static str, Vec<String>>,
    references: Vec<Reference>,
}

impl Links {
    fn of<S: RuleSet>(set: &S) -> Self {
        let offered = S::OFFERS.iter().map(|offer| (offer.what, (offer.names)(set))).collect();
        Self { offered, references: set.references() }
    }
}

/// A fault of a set that only shows beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceFault {
    /// The set that names what is not there.
    pub set: SetName,
    /// What and where.
    pub fault: Fault,
}

/// Finds every name that the set which should have it does not have. Sets that are not given, or that do not parse by
/// themselves, are not judged.
pub fn faults_between(documents: &BTreeMap<SetName, Json>) -> Vec<ReferenceFault> {
    let read: BTreeMap<SetName, Links> =
        documents.iter().filter_map(|(set, document)| Some((*set, set.read(document).ok()?))).collect();
    let fault = |set: SetName, reference: &Reference| {
        let fault = missing(reference, |owner| read.get(&owner)?.offered.get(reference.what).map(Vec::as_slice))?;
        Some(ReferenceFault { set, fault })
    };
    read.iter().flat_map(|(set, links)| links.references.iter().filter_map(|one| fault(*set, one))).collect()
}

/// The faults of a document that only show beside those of the other sets, which `live` holds: names that it has and no other set knows,
/// and names that it takes from under another set.
pub fn faults_beside(set: SetName, document: &Json, live: &BTreeMap<SetName, Json>) -> Vec<Fault> {
    let before = faults_between(live);
    let mut documents = live.clone();
    documents.insert(set, document.clone());
    let found = faults_between(&documents).into_iter().filter(|found| found.set == set || !before.contains(found));
    found
        .map(|found| match found.set == set {
            true => found.fault,
            false => {
                let message = format!("{}{} needs it: {}", found.set, found.fault.pointer, found.fault.message);
                Fault::new("", "needed_elsewhere", message)
            }
        })
        .collect()
}

/// The fault of a reference, if it leads nowhere. One of a kind that no set offers always does: a slip in the code of a set
/// must not read as "nothing to check".
fn missing<'n>(reference: &Reference, offered: impl Fn(SetName) -> Option<&'n [String]>) -> Option<Fault> {
    let Reference { pointer, what, name } = reference;
    let message = format!("there is no {what} `{name}`");
    let Some(owner) = SetName::ALL.iter().copied().find(|set| set.offers().contains(what)) else {
        return Some(Fault::new(pointer.clone(), "missing_reference", message));
    };
    let known = offered(owner)?;
    (!known.contains(name)).then(|| Fault::new(pointer.clone(), "missing_reference", message).allowing(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_each_is_one_sets() {
        for set in SetName::ALL {
            assert!(crate::rules::is_rule_name(set.as_str()), "{set}");
            assert_eq!(set.as_str().parse(), Ok(*set));
        }
        assert_eq!("nothing".parse::<SetName>(), Err(UnknownWord));
    }

    #[test]
    fn a_kind_of_name_is_offered_by_one_set() {
        let all: Vec<&str> = SetName::ALL.iter().flat_map(|set| set.offers()).collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "{all:?}");
        assert!(distinct.contains("pool"));
    }

    #[test]
    fn a_reference_to_what_nobody_offers_is_a_fault() {
        let reference = |what, name: &str| Reference { pointer: "/at".to_owned(), what, name: name.to_owned() };
        let pools = ["vip".to_owned()];
        let given = |set: SetName| (set == SetName::Sales).then_some(pools.as_slice());
        assert_eq!(missing(&reference("pool", "vip"), given), None);
        let fault = missing(&reference("pool", "vpi"), given).unwrap();
        assert_eq!(
            (fault.pointer.as_str(), fault.code, fault.message.as_str()),
            ("/at", "missing_reference", "there is no pool `vpi`")
        );
        assert_eq!(fault.allowed_values, ["vip"]);
        assert_eq!(missing(&reference("pool", "vpi"), |_| None), None, "its set is not at hand");
        assert!(missing(&reference("swimming_pool", "vip"), given).is_some());
    }
}
