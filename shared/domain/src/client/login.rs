//! A client's login to his portal: where from and with what. Addresses and devices are told by pseudonyms alone, which are the same for the same
//! address or device and say nothing without a key.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, derived_bits};
use crate::entity::{Entity, InCrm, Parts, ReadError};
use crate::input::{Fault, Reader};
use crate::{ClientId, ClientLoginId, Country, Redacted, Seconds, Timestamp};

/// How far ahead of ours the portal's clock may be.
const AHEAD_MAX: Seconds = Seconds(300);
/// A login that is told of later than this is a mistake.
const AGE_MAX: Seconds = Seconds(400 * 86_400);
/// One that is told of later than this is late.
const LATE_AFTER: Seconds = Seconds(600);
const DEVICE_CHARS_MAX: usize = 200;
const AGENT_CHARS_MAX: usize = 1_000;

/// A login as the portal tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    at: Timestamp,
    ip: Redacted<String>,
    country: Option<Country>,
    device_id: Option<Redacted<String>>,
    user_agent: Option<Redacted<String>>,
}

impl Told {
    /// Reads `{at, ip, country?, device_id?, user_agent?}`.
    ///
    /// # Errors
    /// Every fault of the input at once.
    pub fn read(body: &serde_json::Value, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(body);
        let has_at = reader.string("at").is_some();
        let at = has_at.then(|| reader.optional_time("at")).flatten();
        if at.is_some_and(|at| at > now.plus(AHEAD_MAX)) {
            reader.fault_at("at", "in_future", "must not be later than now");
        }
        if at.is_some_and(|at| at.plus(AGE_MAX) < now) {
            reader.fault_at("at", "too_old", "must be within the last 400 days");
        }
        let ip = reader.string("ip").and_then(|text| match text.trim().parse::<IpAddr>() {
            Ok(ip) => Some(ip.to_canonical().to_string()),
            Err(_) => {
                reader.fault_at("ip", "invalid_ip", "must be an IPv4 or IPv6 address");
                None
            }
        });
        let country = reader.optional_country("country");
        let device_id =
            reader.optional_string("device_id").map(|text| reader.line("device_id", text, DEVICE_CHARS_MAX));
        let agent = reader.optional_string("user_agent").map(|text| reader.line("user_agent", text, AGENT_CHARS_MAX));
        let faults = reader.finish();
        match (at, ip) {
            (Some(at), Some(ip)) if faults.is_empty() => Ok(Self {
                at,
                ip: Redacted::new(ip),
                country,
                device_id: device_id.map(Redacted::new),
                user_agent: agent.map(Redacted::new),
            }),
            _ => Err(faults),
        }
    }
}

/// What a pseudonym stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PseudonymOf {
    /// An address.
    Ip,
    /// A device.
    Device,
}

impl PseudonymOf {
    /// What stands before the value that it is made of: an address and a device of the same letters are two.
    pub fn domain(self) -> &'static str {
        match self {
            Self::Ip => "ip:",
            Self::Device => "device:",
        }
    }
}

/// The public part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLoginFacts {
    /// When the client logged in.
    pub at: Timestamp,
    /// From which country, as the portal says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// From which address, as a pseudonym.
    pub ip: String,
    /// With which device, as a pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// It was told of when it was over for more than ten minutes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// The private part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLoginPrivate {
    /// The address.
    pub ip: Redacted<String>,
    /// The device, as the portal names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Redacted<String>>,
    /// The browser, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Redacted<String>>,
}

/// A login. It is recorded once and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLogin {
    /// Derived from client, time, address and device: a repeat has the same.
    pub id: ClientLoginId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What events carry.
    pub facts: ClientLoginFacts,
    /// What they do not.
    pub inner: ClientLoginPrivate,
}

impl ClientLogin {
    /// The decision that records a login. `pseudonym` makes the same of the same, and nothing can be read from it.
    pub fn recorded(
        client: &ClientId,
        told: &Told,
        pseudonym: impl Fn(PseudonymOf, &str) -> String,
        now: Timestamp,
    ) -> Decision<Self> {
        let device = told.device_id.as_ref().map(|device| pseudonym(PseudonymOf::Device, device.reveal()));
        let ip = pseudonym(PseudonymOf::Ip, told.ip.reveal());
        let from = ["client_login", client.as_str(), &ip, device.as_deref().unwrap_or_default()];
        let facts = ClientLoginFacts {
            at: told.at,
            country: told.country,
            late: told.at.plus(LATE_AFTER) < now,
            ip: ip.clone(),
            device: device.clone(),
        };
        let inner = ClientLoginPrivate {
            ip: told.ip.clone(),
            device_id: told.device_id.clone(),
            user_agent: told.user_agent.clone(),
        };
        let id = ClientLoginId::from_bits(derived_bits(told.at, &from));
        let own = Self { id, client_id: client.clone(), facts, inner };
        Decision::new(own, "recorded", vec!["client.logged_in"], vec![])
    }
}

impl Entity for ClientLogin {
    type Id = ClientLoginId;
    type Table = InCrm;
    type Public = ClientLoginFacts;
    type Private = ClientLoginPrivate;
    const KIND: &'static str = "client_login";

    fn id(&self) -> &ClientLoginId {
        &self.id
    }

    fn client(&self) -> Option<&ClientId> {
        Some(&self.client_id)
    }

    fn public(&self) -> &ClientLoginFacts {
        &self.facts
    }

    fn private(&self) -> &ClientLoginPrivate {
        &self.inner
    }

    fn from_parts(parts: Parts<Self>) -> Result<Self, ReadError> {
        Ok(Self { client_id: parts.owner()?, id: parts.id, facts: parts.public, inner: parts.private })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn body() -> Value {
        json!({
            "at": "2026-11-23T11:59:30Z", "ip": "203.0.113.7", "country": "ES", "device_id": "d-1",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        })
    }

    fn recorded(body: &Value) -> ClientLogin {
        let pseudonym = |of: PseudonymOf, value: &str| format!("{}{}", of.domain(), value.len());
        ClientLogin::recorded(&ClientId::from_bits(1), &Told::read(body, now()).unwrap(), pseudonym, now()).next
    }

    fn with(change: impl FnOnce(&mut Value)) -> Value {
        let mut changed = body();
        change(&mut changed);
        changed
    }

    #[test]
    fn a_login_that_is_told_of_again_is_the_same_one() {
        let login = recorded(&body());
        assert_eq!(login.id, recorded(&with(|body| body["user_agent"] = json!("another"))).id);
        assert_eq!(login.id, recorded(&with(|body| body["at"] = json!("2026-11-23T12:59:30+01:00"))).id);
        for other in [
            with(|body| body["at"] = json!("2026-11-23T11:59:31Z")),
            with(|body| body["ip"] = json!("203.0.113.77")),
            with(|body| body["device_id"] = json!("d-12")),
            with(|body| body["device_id"] = Value::Null),
        ] {
            assert_ne!(login.id, recorded(&other).id, "{other}");
        }
    }

    #[test]
    fn one_address_written_in_two_ways_is_one() {
        let long = recorded(&with(|body| body["ip"] = json!("2001:0db8:0000::0001")));
        assert_eq!(long.inner.ip.reveal(), "2001:db8::1");
        assert_eq!(recorded(&with(|body| body["ip"] = json!("::ffff:203.0.113.7"))).inner.ip.reveal(), "203.0.113.7");
    }

    #[test]
    fn the_public_part_has_pseudonyms_alone() {
        let (public, private) = crate::entity::write(&recorded(&body())).unwrap();
        for secret in ["203.0.113.7", "d-1", "Mozilla"] {
            assert!(!public.contains(secret), "{public}");
            assert!(private.as_ref().unwrap().contains(secret));
        }
        assert!(!format!("{:?}", recorded(&body())).contains("203.0.113.7"));
    }

    #[test]
    fn what_cannot_be_so_is_refused_and_what_is_late_is_taken() {
        let faults = |body: &Value| {
            let faults = Told::read(body, now()).unwrap_err();
            let mut lines: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
            lines.sort();
            lines
        };
        let bad =
            json!({"at": "yesterday", "ip": "300.1.1.1", "country": "XX", "device_id": "", "user_agent": 7, "x": 1});
        assert_eq!(
            faults(&bad),
            [
                "/at invalid_time",
                "/country unknown_country",
                "/device_id empty",
                "/ip invalid_ip",
                "/user_agent wrong_type",
                "/x unknown_field"
            ]
        );
        assert_eq!(faults(&json!({})), ["/at missing", "/ip missing"]);
        for (at, taken, late) in [
            ("2026-11-23T12:05:00Z", true, false),
            ("2026-11-23T12:05:01Z", false, false),
            ("2026-11-23T11:50:00Z", true, false),
            ("2026-11-23T11:49:59Z", true, true),
            ("2025-10-19T12:00:00Z", true, true),
            ("2025-10-19T11:59:59Z", false, true),
        ] {
            let body = with(|body| body["at"] = json!(at));
            assert_eq!(Told::read(&body, now()).is_ok(), taken, "{at}");
            if taken {
                assert_eq!(recorded(&body).facts.late, late, "{at}");
            }
        }
    }
}
