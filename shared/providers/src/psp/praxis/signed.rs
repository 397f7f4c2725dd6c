//! What the signature of a notification covers, and nothing else.
//!
//! The signed text joins its values without a separator, so each value must have a form by which no other cut of the
//! same text is a message too:
//!
//! ```text
//! merchant application time(10 digits) token(no order of ours) order tid(digits) CUR amount rate CUR amount
//! ```
//!
//! Merchant and application are compared with ours, the time has ten digits, our order numbers have one length and
//! stand nowhere else, a transaction's number has only digits and currencies only capitals. What is left is the place
//! between the asked amount and the rate: neither is read. What arrived is the last two values, and they are read or
//! nothing is. Of an order that is not ours the text does not tell where its number ends and the transaction's begins:
//! such a message only goes to a person.

use domain::input::Fault;
use domain::{PaymentId, Timestamp};

use super::lexemes::Message;

/// Digits of a time in seconds, until the year 2286.
const TIME_DIGITS: usize = 10;

/// How our order numbers begin.
const OURS: &str = "pay_";

/// Longest token or foreign order number.
const TEXT_CHARS_MAX: usize = 256;

/// Longest transaction number; the vendor's have six to ten digits.
const TID_DIGITS_MAX: usize = 20;

/// A notification's signed values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// The vendor's time of the message.
    pub(super) at: Timestamp,
    /// The order's number: ours, or one that cannot be mistaken for ours.
    pub(super) order_id: String,
    /// The transaction; without one the session has expired.
    pub(super) transaction: Option<Transaction>,
}

/// The signed values of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    /// The vendor's number.
    pub(super) tid: String,
    /// Amount and currency as they were processed, where both are said.
    pub(super) processed: Option<(String, String)>,
}

/// Whether a text is a time in seconds of one length.
pub(super) fn is_time(text: &str) -> bool {
    text.len() == TIME_DIGITS && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

impl Signed {
    /// By the current rule: eleven listed values.
    pub(super) fn current(message: &Message<'_>) -> Result<Self, Vec<Fault>> {
        let mut form = Form { message, faults: Vec::new() };
        let token = form.optional("customer.customer_token", is_token).unwrap_or_default();
        let order_id = form.needed("session.order_id", is_order);
        // Not across the border between the two either.
        if order_id.as_ref().is_some_and(|order| !is_ours(order) && !is_token(&format!("{token}{order}"))) {
            form.fault("session.order_id", "malformed", "The value has not the form that is signed.");
        }
        let transaction = message.has_object("transaction").then(|| form.transaction());
        form.whole(order_id, transaction)
    }

    /// By the former rule: every member of the message, in the order of their names. What is what of them is not
    /// signed at all, so whoever takes such a message asks the vendor about it.
    pub(super) fn legacy(message: &Message<'_>) -> Result<Self, Vec<Fault>> {
        let mut form = Form { message, faults: Vec::new() };
        let order_id = form.needed("order_id", is_order);
        let tid = form.needed("trace_id", is_tid);
        let processed = form.pair(["charge_amount", "charge_currency"]);
        form.whole(order_id, Some(tid.map(|tid| Transaction { tid, processed })))
    }
}

/// Reads values and keeps what is wrong with them.
struct Form<'a> {
    message: &'a Message<'a>,
    faults: Vec<Fault>,
}

impl Form<'_> {
    fn optional(&mut self, path: &str, fits: fn(&str) -> bool) -> Option<String> {
        let text = self.message.text(path).filter(|text| !text.is_empty())?;
        if fits(&text) {
            return Some(text);
        }
        self.fault(path, "malformed", "The value has not the form that is signed.");
        None
    }

    fn needed(&mut self, path: &str, fits: fn(&str) -> bool) -> Option<String> {
        if self.message.text(path).is_none_or(|text| text.is_empty()) {
            return self.missing(path);
        }
        self.optional(path, fits)
    }

    /// Amount and currency, both or neither.
    fn pair(&mut self, [amount, currency]: [&str; 2]) -> Option<(String, String)> {
        match (self.optional(amount, is_amount), self.optional(currency, is_currency)) {
            (Some(amount), Some(currency)) => Some((amount, currency)),
            (None, None) => None,
            (None, Some(_)) => self.missing(amount),
            (Some(_), None) => self.missing(currency),
        }
    }

    fn transaction(&mut self) -> Option<Transaction> {
        let tid = self.needed("transaction.tid", is_tid);
        // Not read, and of a form that lets nothing else begin or end in them.
        self.needed("transaction.currency", is_currency);
        self.needed("transaction.amount", is_amount);
        self.optional("transaction.conversion_rate", is_amount);
        let processed = self.pair(["transaction.processed_amount", "transaction.processed_currency"]);
        Some(Transaction { tid: tid?, processed })
    }

    fn whole(self, order_id: Option<String>, transaction: Option<Option<Transaction>>) -> Result<Signed, Vec<Fault>> {
        match (order_id, transaction) {
            (Some(order_id), None) if self.faults.is_empty() => {
                Ok(Signed { at: Timestamp::EPOCH, order_id, transaction: None })
            }
            (Some(order_id), Some(Some(transaction))) if self.faults.is_empty() => {
                Ok(Signed { at: Timestamp::EPOCH, order_id, transaction: Some(transaction) })
            }
            _ => Err(self.faults),
        }
    }

    fn missing<T>(&mut self, path: &str) -> Option<T> {
        self.fault(path, "missing", "A text or number is required.");
        None
    }

    fn fault(&mut self, path: &str, code: &'static str, message: &'static str) {
        self.faults.push(Fault::new(format!("/{}", path.replace('.', "/")), code, message));
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
}

/// Nothing in it can pass for an order of ours.
fn is_token(text: &str) -> bool {
    is_plain(text) && !text.contains(OURS)
}

fn is_ours(text: &str) -> bool {
    text.parse::<PaymentId>().is_ok()
}

fn is_order(text: &str) -> bool {
    is_ours(text) || is_token(text)
}

fn is_tid(text: &str) -> bool {
    (1..=TID_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_currency(text: &str) -> bool {
    (3..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_orders_have_one_form_and_stand_nowhere_else() {
        let ours = PaymentId::from_bits(1);
        assert!(ours.as_str().starts_with(OURS));
        assert!(is_order(ours.as_str()) && is_order("DEP-1"));
        for text in [format!("{ours}7"), format!("x{ours}"), "pay_".to_owned(), format!("{ours}{ours}")] {
            assert!(!is_order(&text) && !is_token(&text), "{text}");
        }
    }

    #[test]
    fn amounts_currencies_and_numbers_have_one_form() {
        for good in ["0", "1", "100", "0.85", "1.000000", "12.345"] {
            assert!(is_amount(good), "{good}");
        }
        for bad in ["", ".", "1.", ".5", "00", "01", "01.0", "1.0.0", "-1", "+1", "1e3", "1,0", "true", "1 "] {
            assert!(!is_amount(bad), "{bad}");
        }
        assert!(is_currency("USD") && is_currency("USDT"));
        assert!(!is_currency("usd") && !is_currency("US") && !is_currency("1SD") && !is_currency("EUR1"));
        assert!(is_tid("1") && !is_tid("") && !is_tid("1A") && !is_tid(&"1".repeat(21)));
        assert!(is_time("1700000000"));
        for bad in ["170000000", "17000000000", "1700000000000", "0700000000", "17000000.0", "-170000000", "soon"] {
            assert!(!is_time(bad), "{bad}");
        }
    }
}
