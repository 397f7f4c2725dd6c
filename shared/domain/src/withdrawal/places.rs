//! Where a client asks his money to go.

use super::Destination;
use super::plan::Target;
use super::request::Ask;
use super::sources::{Sources, back_to};
use crate::input::{Fault, Reader};
use crate::payment::rules::{PspRule, Psps};
use crate::{Money, Redacted, contact};

/// Longest address of anything, in bytes.
const ADDRESS_MAX: usize = 254;

/// What a destination is read by.
pub(super) struct Reading<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) amount: Option<Money>,
    pub(super) psps: &'a Psps,
    pub(super) sources: &'a Sources<'a>,
}

/// Where it is to go.
pub(super) enum Goes {
    /// To one place.
    To(Target),
    /// Back to the payers, and what is more than they get, to another place.
    Back { rest: Option<Target> },
}

/// `{"psp": …, …}`, or `{"auto": true, "rest": {"psp": …, …}}`.
pub(super) fn read_destination(reader: &mut Reader<'_>, reading: &Reading<'_>) -> Option<Goes> {
    if reader.optional_bool("auto") != Some(true) {
        return Place { at: "/destination", reading }.read(reader).map(Goes::To);
    }
    if reader.optional_value("rest").is_none() {
        return Some(Goes::Back { rest: None });
    }
    let mut inner = reader.optional_object("rest")?;
    let rest = Place { at: "/destination/rest", reading }.read(&mut inner);
    reader.close(inner);
    if rest.as_ref()?.destination.source().is_some() {
        let message = "names another place: the payers of the deposits come first by themselves";
        reader.fault(Fault::new("/destination/rest/source_payment_id", "not_elsewhere", message));
        return None;
    }
    Some(Goes::Back { rest })
}

/// One place of the request.
struct Place<'a> {
    /// Its JSON pointer.
    at: &'static str,
    reading: &'a Reading<'a>,
}

impl Place<'_> {
    fn fault(&self, field: &str, code: &'static str, message: impl Into<String>) -> Fault {
        Fault::new(format!("{}{field}", self.at), code, message)
    }

    fn read(&self, reader: &mut Reader<'_>) -> Option<Target> {
        let psps = self.reading.psps;
        let name = reader.string("psp");
        let psp = name.and_then(|name| psps.psp(name).filter(|psp| psp.enabled));
        if name.is_some() && psp.is_none() {
            let allowed = psps.all().iter().filter(|psp| psp.enabled).map(|psp| psp.name.as_str());
            let fault = self.fault("/psp", "unknown_psp", "is not a payment provider on offer");
            reader.fault(fault.allowing(allowed));
        }
        let source = reader.optional_string("source_payment_id");
        let email = reader.optional_string("email");
        let (currency, address, tag) =
            (reader.optional_string("currency"), reader.optional_string("address"), reader.optional_string("tag"));
        let destination = match (source, email, address) {
            (Some(id), None, None) => self.source(reader, id, psp),
            (None, Some(email), None) => self.wallet(reader, email),
            (None, None, Some(address)) => self.chain(reader, currency, address, tag),
            (None, None, None) => {
                reader.fault(self.fault("", "missing", "names a source_payment_id, an email or an address"));
                None
            }
            _ => {
                reader.fault(self.fault("", "ambiguous", "names one of source_payment_id, email and address"));
                None
            }
        };
        let (destination, psp) = (destination?, psp?);
        let way = destination.way();
        if way != super::Way::Source && !psp.pays_out(way) {
            let can = psps.all().iter().filter(|psp| psp.enabled && psp.pays_out(way)).map(|psp| psp.name.as_str());
            let message = format!("{} does not pay out this way", psp.name);
            reader.fault(self.fault("/psp", "unsupported_destination", message).allowing(can));
            return None;
        }
        Some(Target { psp: psp.name.clone(), destination, by_hand: !psp.pays_out(way) })
    }

    fn source(&self, reader: &mut Reader<'_>, id: &str, psp: Option<&PspRule>) -> Option<Destination> {
        let field = "/source_payment_id";
        let Some((deposit, left)) = self.reading.sources.find(id) else {
            let message = "is no deposit of this client of which anything could be paid back";
            reader.fault(self.fault(field, "not_a_source", message).allowing(self.reading.sources.with_room()));
            return None;
        };
        if psp.is_some_and(|psp| psp.name != deposit.facts.psp.name) {
            let message = format!("was paid over {}", deposit.facts.psp.name);
            reader.fault(self.fault("/psp", "other_psp", message).allowing([deposit.facts.psp.name.as_str()]));
            return None;
        }
        let (amount, account) = (self.reading.amount, self.reading.ask.account);
        if amount.is_some_and(|amount| left.compare(&amount).is_ok_and(std::cmp::Ordering::is_lt)) {
            let message = format!("brought {}, of which {left} can be paid back", deposit.can_be_paid_back());
            reader.fault(self.fault(field, "above_source", message));
        } else if account.is_some_and(|account| account.facts.currency != left.currency()) {
            reader.fault(self.fault(field, "other_currency", format!("was paid in {}", left.currency())));
        }
        Some(back_to(deposit))
    }

    fn wallet(&self, reader: &mut Reader<'_>, email: &str) -> Option<Destination> {
        let Some(email) = contact::email(email) else {
            reader.fault(self.fault("/email", "invalid_email", "is no address for mail"));
            return None;
        };
        Some(Destination::Email(Redacted::new(email)))
    }

    fn chain(
        &self,
        reader: &mut Reader<'_>,
        currency: Option<&str>,
        address: &str,
        tag: Option<&str>,
    ) -> Option<Destination> {
        let is_plain =
            |text: &str| !text.is_empty() && text.len() <= ADDRESS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        let coin = currency.filter(|code| {
            (2..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
        if coin.is_none() {
            reader.fault(self.fault("/currency", "unknown_currency", "must be a coin such as USDT"));
        }
        if !is_plain(address) {
            reader.fault(self.fault("/address", "invalid_address", "is no address of a block chain"));
        }
        if tag.is_some_and(|tag| !is_plain(tag)) {
            reader.fault(self.fault("/tag", "invalid_tag", "is no tag of a block chain"));
        }
        let (coin, true) = (coin?, is_plain(address) && tag.is_none_or(is_plain)) else { return None };
        Some(Destination::Crypto {
            currency: coin.to_owned(),
            address: Redacted::new(address.to_owned()),
            tag: tag.map(|tag| Redacted::new(tag.to_owned())),
        })
    }
}
