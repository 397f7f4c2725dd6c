//! Which accounts open by themselves, and how many of one kind a client may have.

use serde::Serialize;

use super::{AccountType, Environment, LEVERAGE_MAX, Platform, Server, has_server};
use crate::Country;
use crate::account::wish::Wish;
use crate::client::Client;
use crate::rules::Fields;
use crate::rules::read::{Faults, Node};
use crate::words::words;

/// More would not fit into the one transaction that asks for all of them.
pub(super) const OPENINGS_MAX: usize = 20;

words! {
    /// What opens accounts by rule.
    OpeningTrigger {
        /// The client was approved.
        KycApproved = "kyc_approved",
        /// The client registered.
        Registered = "registered",
    }
}

/// What rows about openings may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningCase {
    /// What happened.
    pub trigger: OpeningTrigger,
    /// Where the client lives.
    pub country: Country,
    /// Whose citizen the client is.
    pub nationality: Country,
    /// In which language the client reads.
    pub language: String,
    /// The company of the broker that the client registered with, where the portal says so.
    pub entity: Option<String>,
    /// Whether a partner sent the client.
    pub by_partner: bool,
}

impl OpeningCase {
    /// A client to whom something happened.
    pub fn of(client: &Client, trigger: OpeningTrigger) -> Self {
        let facts = &client.facts;
        Self {
            trigger,
            country: facts.residence,
            nationality: facts.nationality,
            language: facts.language.clone(),
            entity: facts.entity.clone(),
            by_partner: facts.partner_code.is_some(),
        }
    }
}

pub(super) fn fields() -> Fields<OpeningCase> {
    Fields::new()
        .field("trigger", |case: &OpeningCase| case.trigger)
        .field("country", |case| case.country)
        .field("residence_eu", |case| case.country.in_eu())
        .field("nationality", |case| case.nationality)
        .field("language", |case| case.language.clone())
        .field("entity", |case| case.entity.clone())
        .field("by_partner", |case| case.by_partner)
}

/// Accounts of one platform, type and kind that a client may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlikeMax {
    /// So many.
    pub max: u32,
}

pub(super) fn read_limit(node: &Node<'_>, most: u32, faults: &mut Faults) -> Option<AlikeMax> {
    let object = node.object(&["max"], faults)?;
    let max = object.need("max", faults).and_then(|node| node.whole(1..=most, faults))?;
    Some(AlikeMax { max })
}

/// A row wants what is on offer: nobody would see before an approval that it is not.
pub(super) fn read_wish(
    node: &Node<'_>,
    account_types: Option<&[AccountType]>,
    servers: &[Server],
    faults: &mut Faults,
) -> Option<Wish> {
    let object = node.object(&["platform", "account_type", "currency", "leverage", "kind"], faults)?;
    let names: Vec<String> = account_types.unwrap_or_default().iter().map(|offered| offered.name.clone()).collect();
    let platform = object.need("platform", faults).and_then(|node| node.word(Platform::ALL, faults));
    let account_type = object.need("account_type", faults).and_then(|node| match account_types {
        Some(_) => node.reference("account type", &names, faults),
        // what is wrong with the types themselves is told there
        None => node.name(faults),
    });
    let currency = object.need("currency", faults).and_then(|node| node.currency(faults));
    let leverage = object.need("leverage", faults).and_then(|node| node.whole(1..=LEVERAGE_MAX, faults));
    let kind = object.need("kind", faults).and_then(|node| node.word(Environment::ALL, faults));
    let wish = Wish {
        platform: platform?,
        account_type: account_type?,
        currency: currency?,
        leverage: leverage?,
        kind: kind?,
    };
    let offered = account_types.unwrap_or_default().iter().find(|offered| offered.name == wish.account_type)?;
    let before = faults.count();
    if !offered.currencies.contains(&wish.currency) {
        let codes = offered.currencies.iter().map(|currency| currency.code().to_owned()).collect::<Vec<_>>();
        faults.add(object.fault("not_on_offer", "the account type has no such currency").allowing(codes));
    }
    if !offered.platforms.contains(&wish.platform) || !has_server(servers, wish.platform, wish.kind) {
        let message = format!("the account type has no {} accounts on {}", wish.kind, wish.platform);
        faults.add(object.fault("not_on_offer", message));
    }
    (faults.count() == before).then_some(wish)
}
