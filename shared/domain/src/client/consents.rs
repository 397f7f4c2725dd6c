//! What a client agreed to: by channel and by topic, with the time and who passed it on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Client;
use crate::Timestamp;
use crate::decision::Verdict;
use crate::input::{Fault, Reader};
use crate::words::words;

words! {
    /// How a client may be written or spoken to.
    ConsentChannel {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// Telephone call.
        Phone = "phone",
    }
}

words! {
    /// What a client may be written about, beyond what he must be told.
    ConsentTopic {
        /// Offers.
        Marketing = "marketing",
        /// Courses and articles.
        Education = "education",
        /// What is new in what he uses.
        Product = "product",
    }
}

words! {
    /// Who passed a consent on.
    ConsentSource {
        /// The client's portal.
        Portal = "portal",
        /// The link of a message to unsubscribe.
        Link = "link",
    }
}

/// What was said about one channel or topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Agreed, or not.
    pub given: bool,
    /// Since when it is so.
    pub at: Timestamp,
    /// Who passed it on.
    pub source: ConsentSource,
}

/// What a client said. What nothing was said about is not agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientConsents {
    /// By channel.
    pub channels: BTreeMap<ConsentChannel, Said>,
    /// By topic.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<ConsentTopic, Said>,
}

impl ClientConsents {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.topics.is_empty()
    }

    /// Whether the client agreed to a channel.
    pub fn allows(&self, channel: ConsentChannel) -> bool {
        self.channels.get(&channel).is_some_and(|said| said.given)
    }

    /// Whether the client agreed to a topic.
    pub fn wants(&self, topic: ConsentTopic) -> bool {
        self.topics.get(&topic).is_some_and(|said| said.given)
    }
}

/// What a client says now: every channel, and the topics that he was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    channels: BTreeMap<ConsentChannel, bool>,
    topics: BTreeMap<ConsentTopic, bool>,
}

impl Saying {
    /// He wants no more over a channel.
    pub fn no_to(channel: ConsentChannel) -> Self {
        Self { channels: BTreeMap::from([(channel, false)]), topics: BTreeMap::new() }
    }

    /// Reads `{email, sms, phone, topics?: {marketing?, education?, product?}}`.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &serde_json::Value) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let mut channels = BTreeMap::new();
        for channel in ConsentChannel::ALL {
            channels.extend(reader.bool(channel.as_str()).map(|given| (*channel, given)));
        }
        let mut topics = BTreeMap::new();
        if let Some(mut inner) = reader.optional_object("topics") {
            for topic in ConsentTopic::ALL {
                topics.extend(inner.optional_bool(topic.as_str()).map(|given| (*topic, given)));
            }
            reader.close(inner);
        }
        let faults = reader.finish();
        if faults.is_empty() { Ok(Self { channels, topics }) } else { Err(faults) }
    }
}

impl Client {
    /// The client says what he agrees to. What he said before of the same keeps its time.
    pub fn says(&self, saying: &Saying, source: ConsentSource, now: Timestamp) -> Verdict<Self> {
        let mut next = self.clone();
        let own = &mut next.facts.consents;
        let mut why = Vec::new();
        let said = |given: bool| Said { given, at: now, source };
        for (channel, given) in &saying.channels {
            if own.channels.get(channel).is_none_or(|said| said.given != *given) {
                own.channels.insert(*channel, said(*given));
                why.push(format!("{channel} {}", yes_or_no(*given)));
            }
        }
        for (topic, given) in &saying.topics {
            if own.topics.get(topic).is_none_or(|said| said.given != *given) {
                own.topics.insert(*topic, said(*given));
                why.push(format!("{topic} {}", yes_or_no(*given)));
            }
        }
        if why.is_empty() {
            return Verdict::Nothing("it was said before");
        }
        Verdict::change(next, "consents", vec!["client.consents"], why)
    }
}

fn yes_or_no(given: bool) -> &'static str {
    if given { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ClientId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_435_200 + seconds).unwrap()
    }

    fn client() -> Client {
        let body = json!({
            "email": "ana.lopez@example.com", "full_name": "Ana López", "date_of_birth": "1990-05-17", "residence": "ES",
            "nationality": "MX", "language": "es",
        });
        Client::register(&body, ClientId::from_bits(1), at(0)).unwrap()
    }

    fn says(client: &Client, body: &Value, seconds: i64) -> Option<(Client, Vec<String>)> {
        match client.says(&Saying::read(body).unwrap(), ConsentSource::Portal, at(seconds)) {
            Verdict::Change(decision) => {
                assert_eq!(decision.events, ["client.consents"]);
                Some((decision.next, decision.why))
            }
            Verdict::Nothing(_) => None,
        }
    }

    #[test]
    fn what_is_said_again_keeps_its_time_and_what_is_not_said_is_no() {
        let (first, why) = says(&client(), &json!({"email": true, "sms": false, "phone": false}), 1).unwrap();
        assert_eq!(why, ["email yes", "sms no", "phone no"]);
        assert!(!client().facts.consents.allows(ConsentChannel::Email), "nothing was said before");
        assert!(says(&first, &json!({"email": true, "sms": false, "phone": false}), 9).is_none());
        let more = json!({"email": true, "sms": true, "phone": false, "topics": {"education": true}});
        let (second, why) = says(&first, &more, 9).unwrap();
        assert_eq!(why, ["sms yes", "education yes"]);
        let own = &second.facts.consents;
        assert_eq!((own.channels[&ConsentChannel::Email].at, own.channels[&ConsentChannel::Sms].at), (at(1), at(9)));
        assert!(own.wants(ConsentTopic::Education) && !own.wants(ConsentTopic::Marketing));
        // topics that are left out stay as they were
        let (third, why) = says(&second, &json!({"email": false, "sms": true, "phone": false}), 20).unwrap();
        assert_eq!(why, ["email no"]);
        assert!(third.facts.consents.wants(ConsentTopic::Education));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let bad = json!({"email": "yes", "sms": null, "topics": {"marketing": 1, "spam": true}, "colour": "red"});
        let faults = Saying::read(&bad).unwrap_err();
        let mut pointers: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
        pointers.sort();
        assert_eq!(
            pointers,
            [
                "/colour unknown_field",
                "/email wrong_type",
                "/phone missing",
                "/sms missing",
                "/topics/marketing wrong_type",
                "/topics/spam unknown_field"
            ]
        );
    }
}
