//! Where a partner's pay goes.

use serde::{Deserialize, Serialize};

use crate::contact;
use crate::input::Reader;
use crate::words::words;

/// Longest name of an account's holder that SEPA takes.
const NAME_MAX: usize = 70;
const ADDRESS_MAX: usize = 120;
const CURRENCY_MAX: usize = 10;

words! {
    /// How a partner is paid.
    Rail {
        /// To a bank account.
        Bank = "bank",
        /// To an address of a coin.
        Crypto = "crypto",
        /// To a wallet.
        Wallet = "wallet",
    }
}

words! {
    /// Whose wallet.
    WalletPsp {
        /// Skrill.
        Skrill = "skrill",
    }
}

/// Where a partner's pay goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rail", rename_all = "lowercase")]
pub enum Payee {
    /// To a bank account.
    Bank {
        /// Whose.
        name: String,
        /// Its number, without spaces.
        iban: String,
        /// Its bank, if the partner says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bic: Option<String>,
    },
    /// To an address of a coin.
    Crypto {
        /// Which coin.
        currency: String,
        /// The address.
        address: String,
    },
    /// To a wallet.
    Wallet {
        /// Whose.
        psp: WalletPsp,
        /// Of whom.
        email: String,
    },
}

impl Payee {
    /// How.
    pub const fn rail(&self) -> Rail {
        match self {
            Self::Bank { .. } => Rail::Bank,
            Self::Crypto { .. } => Rail::Crypto,
            Self::Wallet { .. } => Rail::Wallet,
        }
    }

    /// Reads `payout` of an application; every fault goes to the reader.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut inner = reader.object("payout")?;
        let payee = match inner.word::<Rail>("rail") {
            Some(Rail::Bank) => read_bank(&mut inner),
            Some(Rail::Crypto) => read_crypto(&mut inner),
            Some(Rail::Wallet) => read_wallet(&mut inner),
            // which other fields belong there nobody can say
            None => {
                for name in ["name", "iban", "bic", "currency", "address", "psp", "email"] {
                    inner.optional_value(name);
                }
                None
            }
        };
        reader.close(inner);
        payee
    }
}

fn read_bank(reader: &mut Reader<'_>) -> Option<Payee> {
    let name = reader.string("name").map(|name| reader.line("name", name, NAME_MAX));
    let iban = reader.string("iban").map(compact);
    if iban.as_ref().is_some_and(|iban| !is_iban(iban)) {
        reader.fault_at("iban", "invalid_iban", "must be an IBAN whose check digits are right");
    }
    let bic = reader.optional_string("bic").map(compact);
    if bic.as_ref().is_some_and(|bic| !is_bic(bic)) {
        reader.fault_at("bic", "invalid_bic", "must be a BIC of 8 or 11 characters");
    }
    Some(Payee::Bank { name: name?, iban: iban?, bic })
}

fn read_crypto(reader: &mut Reader<'_>) -> Option<Payee> {
    let currency = reader.string("currency").map(|text| reader.line("currency", text, CURRENCY_MAX));
    if currency.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())) {
        reader.fault_at("currency", "invalid_currency", "must be a coin such as USDT");
    }
    let address = reader.string("address").map(|text| reader.line("address", text, ADDRESS_MAX));
    if address.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_graphic())) {
        reader.fault_at("address", "invalid_address", "must be an address of the coin");
    }
    Some(Payee::Crypto { currency: currency?, address: address? })
}

fn read_wallet(reader: &mut Reader<'_>) -> Option<Payee> {
    let psp = reader.word("psp");
    let email = reader.string("email").and_then(|text| {
        let email = contact::email(text);
        if email.is_none() {
            reader.fault_at("email", "invalid_email", "must be an e-mail address");
        }
        email
    });
    Some(Payee::Wallet { psp: psp?, email: email? })
}

fn compact(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_ascii_uppercase()
}

/// ISO 13616: country, check digits, and the whole number, its first four characters last and A = 10 to Z = 35, leaves 1 of 97.
pub fn is_iban(text: &str) -> bool {
    let (Some(head), Some(tail)) = (text.get(..4), text.get(4..)) else { return false };
    let good_head =
        head.bytes().take(2).all(|b| b.is_ascii_uppercase()) && head.bytes().skip(2).all(|b| b.is_ascii_digit());
    let good_tail =
        (11..=30).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    if !good_head || !good_tail {
        return false;
    }
    let digits = tail.chars().chain(head.chars()).filter_map(|c| c.to_digit(36));
    digits.fold(0, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 }) == 1
}

/// ISO 9362: bank, country, place, and perhaps the branch.
pub(crate) fn is_bic(text: &str) -> bool {
    matches!(text.len(), 8 | 11)
        && text.bytes().take(6).all(|b| b.is_ascii_uppercase())
        && text.bytes().skip(6).all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
