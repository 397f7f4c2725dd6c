//! How partners are paid: our own account at the bank, and the providers of coins and wallets. A rail that is not here pays nobody.

use crate::partner::payee::{Rail, is_bic, is_iban};
use crate::rules::read::{Faults, Node, optional};

/// Longest name of an account's holder that SEPA takes.
const NAME_MAX: usize = 70;

/// Our own account, from which partners are paid.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Debtor {
    /// Whose: ours.
    pub name: String,
    /// Its number.
    pub iban: String,
    /// Its bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
}

/// How partners are paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payouts {
    /// From this account.
    pub bank: Option<Debtor>,
    /// Over this provider of the set `psps`.
    pub crypto: Option<String>,
    /// Over this one.
    pub wallet: Option<String>,
}

impl Payouts {
    /// The provider of a rail that has one.
    pub fn psp(&self, rail: Rail) -> Option<&str> {
        match rail {
            Rail::Bank => None,
            Rail::Crypto => self.crypto.as_deref(),
            Rail::Wallet => self.wallet.as_deref(),
        }
    }

    /// Whether anybody can be paid by it.
    pub fn pays_by(&self, rail: Rail) -> bool {
        match rail {
            Rail::Bank => self.bank.is_some(),
            Rail::Crypto | Rail::Wallet => self.psp(rail).is_some(),
        }
    }
}

pub(super) fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Payouts> {
    let object = node.object(&["bank", "crypto", "wallet"], faults)?;
    let bank = optional(object.get("bank"), |node| read_debtor(&node, faults));
    let crypto = optional(object.get("crypto"), |node| read_psp(&node, faults));
    let wallet = optional(object.get("wallet"), |node| read_psp(&node, faults));
    Some(Payouts { bank: bank?, crypto: crypto?, wallet: wallet? })
}

fn read_psp(node: &Node<'_>, faults: &mut Faults) -> Option<String> {
    let object = node.object(&["psp"], faults)?;
    object.need("psp", faults).and_then(|node| node.name(faults))
}

fn read_debtor(node: &Node<'_>, faults: &mut Faults) -> Option<Debtor> {
    let object = node.object(&["name", "iban", "bic"], faults)?;
    let name = object.need("name", faults).and_then(|node| Some(node.line(NAME_MAX, faults)?.to_owned()));
    let mut checked = |node: &Node<'_>, good: fn(&str) -> bool, code: &'static str, what: &'static str| {
        let text = node.line(34, faults)?.to_owned();
        if !good(&text) {
            faults.add(node.fault(code, what));
            return None;
        }
        Some(text)
    };
    let iban =
        object.get("iban").and_then(|node| checked(&node, is_iban, "invalid_iban", "must be an IBAN without spaces"));
    let bic = optional(object.get("bic"), |node| checked(&node, is_bic, "invalid_bic", "must be a BIC"));
    if object.get("iban").is_none() {
        object.need("iban", faults);
    }
    Some(Debtor { name: name?, iban: iban?, bic: bic? })
}
