//! What a lead agreed to: by channel, with the time and the wording that was shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::input::{Fault, Reader};
use crate::words::words;

/// Longest name of a wording, in characters.
const WORDING_CHARS_MAX: usize = 60;

words! {
    /// How a lead may be spoken to.
    ContactChannel {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// Telephone call.
        Phone = "phone",
    }
}

/// What was said about one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Agreed, or withdrawn.
    pub given: bool,
    /// When.
    pub at: Timestamp,
    /// The version of the wording that was agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
}

/// What was said, by channel. A channel that nothing was said about may not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Consents(BTreeMap<ContactChannel, Consent>);

impl Consents {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a channel may be used.
    pub fn allows(&self, channel: ContactChannel) -> bool {
        self.0.get(&channel).is_some_and(|consent| consent.given)
    }

    /// What was said about a channel.
    pub fn get(&self, channel: ContactChannel) -> Option<&Consent> {
        self.0.get(&channel)
    }

    /// Records what was said about a channel.
    pub fn set(&mut self, channel: ContactChannel, consent: Consent) {
        self.0.insert(channel, consent);
    }

    /// The same without what is agreed to on some channels.
    #[must_use]
    pub fn without_given(&self, channels: &BTreeSet<ContactChannel>) -> Self {
        let kept = |(channel, consent): &(&ContactChannel, &Consent)| !(consent.given && channels.contains(channel));
        self.0.iter().filter(kept).map(|(channel, consent)| (*channel, consent.clone())).collect()
    }

    /// Reads `{email: true, sms: {given: false, at, wording}}`.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &Value, wording: &str, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let consents = read(&mut reader, wording, now);
        let faults = reader.finish();
        if faults.is_empty() { Ok(consents) } else { Err(faults) }
    }

    /// Takes over what was said elsewhere: for each channel the newer word counts, and of two at the same moment the "no".
    pub fn merge(&mut self, other: &Self) {
        for (channel, theirs) in &other.0 {
            let newer = self.0.get(channel).is_none_or(|own| {
                let rank = |consent: &Consent| (consent.at, !consent.given, consent.wording.clone());
                rank(theirs) > rank(own)
            });
            if newer {
                self.0.insert(*channel, theirs.clone());
            }
        }
    }
}

impl FromIterator<(ContactChannel, Consent)> for Consents {
    fn from_iter<I: IntoIterator<Item = (ContactChannel, Consent)>>(consents: I) -> Self {
        Self(consents.into_iter().collect())
    }
}

/// Reads `{email: true, sms: {given: false, at, wording}}`; what is said without a time is said now, and without a wording
/// in the one that is in force.
pub(super) fn read(reader: &mut Reader<'_>, wording: &str, now: Timestamp) -> Consents {
    let mut consents = Consents::default();
    for channel in ContactChannel::ALL {
        let name = channel.as_str();
        let said = match reader.optional_value(name) {
            None => continue,
            Some(Value::Bool(given)) => Consent { given: *given, at: now, wording: Some(wording.to_owned()) },
            Some(Value::Object(_)) => match read_object(reader, name, wording, now) {
                Some(consent) => consent,
                None => continue,
            },
            Some(_) => {
                reader.fault_at(name, "wrong_type", "must be true, false or {\"given\": …, \"at\": …, \"wording\": …}");
                continue;
            }
        };
        consents.set(*channel, said);
    }
    consents
}

fn read_object(outer: &mut Reader<'_>, name: &'static str, wording: &str, now: Timestamp) -> Option<Consent> {
    let mut reader = outer.optional_object(name)?;
    let given = reader.optional_bool("given");
    if given.is_none() {
        reader.fault_at("given", "missing", "is required");
    }
    let at = reader.optional_time("at").unwrap_or(now);
    let named = reader.optional_string("wording");
    if named.is_some_and(|text| text.trim().is_empty() || text.chars().count() > WORDING_CHARS_MAX) {
        reader.fault_at("wording", "invalid_length", format!("must have 1 to {WORDING_CHARS_MAX} characters"));
    }
    outer.close(reader);
    Some(Consent { given: given?, at: at.min(now), wording: Some(named.unwrap_or(wording).to_owned()) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn consents() -> impl Strategy<Value = Consents> {
        let one = (prop::sample::select(ContactChannel::ALL), any::<bool>(), 0_i64..4, prop::option::of("[ab]"));
        prop::collection::vec(one, 0..6).prop_map(|said| {
            let at = |second| Timestamp::from_seconds(second).unwrap();
            said.into_iter()
                .map(|(channel, given, second, wording)| (channel, Consent { given, at: at(second), wording }))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn merging_is_the_same_in_any_order_and_any_number_of_times(a in consents(), b in consents(), c in consents()) {
            let merged = |order: &[&Consents]| {
                let mut all = Consents::default();
                order.iter().for_each(|one| all.merge(one));
                all
            };
            let once = merged(&[&a, &b, &c]);
            prop_assert_eq!(&once, &merged(&[&c, &a, &b]));
            prop_assert_eq!(&once, &merged(&[&a, &a, &b, &c, &b, &a]));
        }
    }

    #[test]
    fn of_yes_and_no_at_the_same_moment_the_no_counts() {
        let said = |given| {
            let consent = Consent { given, at: Timestamp::EPOCH, wording: None };
            Consents::from_iter([(ContactChannel::Email, consent)])
        };
        for (first, second) in [(true, false), (false, true)] {
            let mut both = said(first);
            both.merge(&said(second));
            assert!(!both.allows(ContactChannel::Email));
        }
    }
}
