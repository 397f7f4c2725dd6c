//! What kind of account a client asks for, held against what is on offer: every fault at once.

use serde_json::Value;

use super::change::Upkeep;
use super::rules::{AccountCase, AccountType, Environment, Placement, Platform, Platforms};
use super::{Account, AccountFacts, AccountInner, AccountStatus};
use crate::client::Client;
use crate::input::{Fault, Reader};
use crate::rules::RuleError;
use crate::{AccountId, Country, Currency, Timestamp};

/// Longest text of the caller's that a message repeats, in characters.
const SHOWN_MAX: usize = 40;

/// An account that is on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    platform: Platform,
    account_type: String,
    currency: Currency,
    leverage: u32,
    kind: Environment,
}

/// Why no account is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRefusal {
    /// The request is wrong.
    Faults(Vec<Fault>),
    /// No group takes such accounts.
    NotOnOffer,
    /// Groups or leverage could not be judged.
    Rules(RuleError),
}

impl From<RuleError> for AccountRefusal {
    fn from(error: RuleError) -> Self {
        Self::Rules(error)
    }
}

impl Account {
    /// The account that a client asks for, in the group that the rules give it, and why.
    ///
    /// # Errors
    /// [`AccountRefusal`].
    pub fn wanted(
        body: &Value,
        client: &Client,
        rules: &Platforms,
        id: AccountId,
        now: Timestamp,
    ) -> Result<(Self, Vec<String>), AccountRefusal> {
        let residence = client.facts.residence;
        let choice = read(body, residence, rules)?;
        let case = choice.case(residence);
        let placement = rules.placement(&case)?;
        let place = placement.outcome().ok_or(AccountRefusal::NotOnOffer)?;
        let mut why = placement.why("groups");
        why.extend(rules.max_leverage(&case)?.why("leverage"));
        Ok((choice.account(place, client, id, now), why))
    }
}

impl Choice {
    fn case(&self, residence: Country) -> AccountCase {
        AccountCase {
            platform: self.platform,
            account_type: self.account_type.clone(),
            currency: self.currency,
            kind: self.kind,
            country: residence,
        }
    }

    fn account(self, place: &Placement, client: &Client, id: AccountId, now: Timestamp) -> Account {
        Account {
            id,
            client_id: client.id.clone(),
            due: None,
            facts: AccountFacts {
                status: AccountStatus::Requested,
                platform: self.platform.as_str().to_owned(),
                account_type: self.account_type,
                kind: self.kind.as_str().to_owned(),
                currency: self.currency,
                leverage: self.leverage,
                server: place.server.clone(),
                group: place.group.clone(),
                login: None,
                created_at: now,
                review: None,
                upkeep: Upkeep::default(),
            },
            inner: AccountInner::default(),
        }
    }
}

/// The parts that could be read.
struct Parts<'r> {
    platform: Option<Platform>,
    account_type: Option<&'r AccountType>,
    currency: Option<Currency>,
    leverage: Option<u32>,
    kind: Option<Environment>,
}

fn read(body: &Value, residence: Country, rules: &Platforms) -> Result<Choice, AccountRefusal> {
    let mut reader = Reader::new(body);
    let kind = read_kind(&mut reader);
    let account_type = read_type(&mut reader, rules);
    let parts = Parts {
        platform: read_platform(&mut reader, rules, account_type, kind),
        currency: read_currency(&mut reader, account_type),
        leverage: reader.whole("leverage"),
        account_type,
        kind,
    };
    if let Some(leverage) = parts.leverage {
        let max = highest_leverage(&parts, residence, rules)?;
        if leverage == 0 || leverage > max {
            let message = format!("must be from 1 to {max} for residents of {residence}");
            reader.fault(Fault::new("/leverage", "leverage_out_of_range", message));
        }
    }
    let faults = reader.finish();
    match parts {
        Parts {
            platform: Some(platform),
            account_type: Some(account_type),
            currency: Some(currency),
            leverage: Some(leverage),
            kind: Some(kind),
        } if faults.is_empty() => {
            Ok(Choice { platform, account_type: account_type.name.clone(), currency, leverage, kind })
        }
        _ => Err(AccountRefusal::Faults(faults)),
    }
}

/// The most that any account of the parts that are known may have.
fn highest_leverage(parts: &Parts<'_>, residence: Country, rules: &Platforms) -> Result<u32, RuleError> {
    let types = match parts.account_type {
        Some(account_type) => vec![account_type],
        None => rules.account_type_names().into_iter().filter_map(|name| rules.account_type(name)).collect(),
    };
    let mut max = 0;
    for account_type in types {
        for currency in parts.currency.map_or_else(|| account_type.currencies.clone(), |known| vec![known]) {
            for platform in parts.platform.map_or_else(|| account_type.platforms.clone(), |known| vec![known]) {
                for kind in parts.kind.map_or_else(|| Environment::ALL.to_vec(), |known| vec![known]) {
                    let account_type = account_type.name.clone();
                    let case = AccountCase { platform, account_type, currency, kind, country: residence };
                    max = rules.max_leverage(&case)?.outcome().map_or(max, |row| max.max(row.max));
                }
            }
        }
    }
    Ok(max)
}

fn read_kind(reader: &mut Reader<'_>) -> Option<Environment> {
    match reader.optional_string("kind") {
        None => Some(Environment::Live),
        Some(text) => {
            let all = Environment::ALL.iter().map(|kind| kind.as_str());
            one_of(reader, "/kind", "unknown_value", text, text.parse().ok(), all)
        }
    }
}

fn read_type<'r>(reader: &mut Reader<'_>, rules: &'r Platforms) -> Option<&'r AccountType> {
    let text = reader.string("account_type")?;
    let names = rules.account_type_names().into_iter();
    one_of(reader, "/account_type", "unknown_value", text, rules.account_type(text), names)
}

/// Without a known type or kind a platform is as good as any that serves one.
fn read_platform(
    reader: &mut Reader<'_>,
    rules: &Platforms,
    account_type: Option<&AccountType>,
    kind: Option<Environment>,
) -> Option<Platform> {
    let text = reader.string("platform")?;
    let names = || rules.account_type_names().into_iter().filter_map(|name| rules.account_type(name));
    let kinds = kind.map_or_else(|| Environment::ALL.to_vec(), |known| vec![known]);
    let serves = |platform: &Platform| {
        let by = |account_type: &AccountType| {
            kinds.iter().any(|kind| rules.platforms_for(account_type, *kind).contains(platform))
        };
        account_type.map_or_else(|| names().any(by), by)
    };
    let served: Vec<Platform> = Platform::ALL.iter().copied().filter(serves).collect();
    let known = text.parse::<Platform>().ok().filter(|platform| served.contains(platform));
    one_of(reader, "/platform", "unknown_value", text, known, served.iter().map(|platform| platform.as_str()))
}

fn read_currency(reader: &mut Reader<'_>, account_type: Option<&AccountType>) -> Option<Currency> {
    let text = reader.string("currency")?;
    let parsed = text.parse::<Currency>().ok();
    let offered = account_type.map(|account_type| account_type.currencies.as_slice());
    let known = parsed.filter(|currency| offered.is_none_or(|offered| offered.contains(currency)));
    let code = if parsed.is_some() { "unsupported_currency" } else { "unknown_currency" };
    one_of(reader, "/currency", code, text, known, offered.unwrap_or_default().iter().map(Currency::code))
}

fn one_of<'n, T>(
    reader: &mut Reader<'_>,
    pointer: &str,
    code: &'static str,
    text: &str,
    known: Option<T>,
    allowed: impl Iterator<Item = &'n str>,
) -> Option<T> {
    if known.is_none() {
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        reader.fault(Fault::new(pointer, code, format!("{shown:?} is not on offer")).allowing(allowed));
    }
    known
}

/// How long an account counts as asked for lately.
const DAY: crate::Seconds = crate::Seconds(86_400);

/// The fault of a further account of a client who has so many, or asked for so many within a day.
///
/// They are counted before the new one is saved, so requests of the same moment may all pass: what is asked for too many is bounded
/// by how many of them are under way at once.
pub fn too_many(newest: &[Account], rules: &Platforms, now: Timestamp) -> Option<Fault> {
    let has = |account: &&Account| match account.facts.status {
        AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown | AccountStatus::Open => true,
        AccountStatus::Failed | AccountStatus::Closed => false,
    };
    let reached = |count: usize, max: u32| usize::try_from(max).is_ok_and(|max| count >= max);
    let lately = newest.iter().filter(|account| account.facts.created_at.plus(DAY) > now).count();
    let message = match newest.iter().filter(has).count() {
        all if reached(all, rules.accounts_max) => format!("the client has {all} accounts and may have no more"),
        _ if reached(lately, rules.accounts_per_day_max) => format!("{lately} accounts were asked for within a day"),
        _ => return None,
    };
    Some(Fault::new("", "too_many_accounts", message))
}
