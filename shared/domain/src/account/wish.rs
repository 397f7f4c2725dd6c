//! A trading account that is wanted, by a client or by rule: where it is created, and whether the client may have one more.

use serde::{Deserialize, Serialize};

use super::change::{Aspect, Upkeep};
use super::rules::{AccountCase, Environment, Placement, Platform, Platforms};
use super::{Account, AccountFacts, AccountInner, AccountStatus};
use crate::client::Client;
use crate::decision::derived_bits;
use crate::input::Fault;
use crate::rules::RuleError;
use crate::{AccountId, Country, Currency, Seconds, Timestamp};

/// What account is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// On which platform.
    pub platform: Platform,
    /// Of which type of the rules.
    pub account_type: String,
    /// In which currency.
    pub currency: Currency,
    /// 30 stands for 1:30.
    pub leverage: u32,
    /// For real money or not.
    pub kind: Environment,
}

/// An account at its place, before anybody has looked how many the client has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The account.
    pub account: Account,
    /// The rules that put it there.
    pub why: Vec<String>,
    /// How many of its platform, type and kind the client may have, where the rules say so.
    pub alike_max: Option<u32>,
}

/// Why no account is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRefusal {
    /// The request is wrong.
    Faults(Vec<Fault>),
    /// No group takes such accounts.
    NotOnOffer,
    /// Groups, leverage or limits could not be judged.
    Rules(RuleError),
}

impl From<RuleError> for AccountRefusal {
    fn from(error: RuleError) -> Self {
        Self::Rules(error)
    }
}

impl Wish {
    /// What the rules are asked about it.
    pub(super) fn case(&self, residence: Country) -> AccountCase {
        AccountCase {
            platform: self.platform,
            account_type: self.account_type.clone(),
            currency: self.currency,
            kind: self.kind,
            country: residence,
        }
    }

    /// The account in the group that the rules give it.
    ///
    /// # Errors
    /// [`AccountRefusal`].
    pub fn placed(
        self,
        client: &Client,
        rules: &Platforms,
        id: AccountId,
        now: Timestamp,
    ) -> Result<Placed, AccountRefusal> {
        let case = self.case(client.facts.residence);
        let placement = rules.placement(&case)?;
        let place = placement.outcome().ok_or(AccountRefusal::NotOnOffer)?;
        let mut why = placement.why("groups");
        why.extend(rules.max_leverage(&case)?.why("leverage"));
        let alike_max = rules.alike_max(&case)?;
        Ok(Placed { account: self.account(place, client, id, now), why, alike_max })
    }

    /// Whether the rules have such accounts on offer, whoever wants one.
    pub(super) fn is_on_offer(&self, rules: &Platforms) -> bool {
        rules.account_type(&self.account_type).is_some_and(|offered| {
            offered.currencies.contains(&self.currency)
                && rules.platforms_for(offered, self.kind).contains(&self.platform)
        })
    }

    /// The id of the account that a rule opens for the wish: whatever sets it off, and however often, it is the same. Its moment is that of
    /// the registration, the only one that does not change.
    pub fn id_for(&self, client: &Client) -> AccountId {
        let of = [
            client.id.as_str(),
            "opening",
            self.platform.as_str(),
            &self.account_type,
            self.currency.code(),
            self.kind.as_str(),
        ];
        AccountId::from_bits(derived_bits(client.facts.created_at, &of))
    }

    /// Whether an account is what is wanted, whatever its leverage and whatever became of it.
    pub(super) fn is_met_by(&self, account: &Account) -> bool {
        let facts = &account.facts;
        facts.platform == self.platform.as_str()
            && facts.account_type == self.account_type
            && facts.kind == self.kind.as_str()
            && facts.currency == self.currency
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
                refused: None,
                reopened: None,
                upkeep: Upkeep::default(),
            },
            inner: AccountInner::default(),
        }
    }
}

/// The code of an account too many.
const TOO_MANY: &str = "too_many_accounts";
/// How long an account counts as asked for lately.
const DAY: Seconds = Seconds(86_400);

impl Placed {
    /// The fault of one more account of a client who has so many, of this kind or at all, or asked for so many within a day. `held`
    /// are his accounts as they stand in what the new one is saved under.
    pub fn too_many(&self, held: &[Account], rules: &Platforms, now: Timestamp) -> Option<Fault> {
        let lately = held.iter().filter(|account| account.facts.created_at.plus(DAY) > now).count();
        let many = || format!("{lately} accounts were asked for within a day");
        let message =
            self.too_many_held(held, rules).or_else(|| reached(lately, rules.accounts_per_day_max).then(many))?;
        Some(Fault::new("", TOO_MANY, message))
    }

    /// What the client has too much of already.
    fn too_many_held(&self, held: &[Account], rules: &Platforms) -> Option<String> {
        let has = || held.iter().filter(|account| account.is_held());
        let facts = &self.account.facts;
        let alike = has().filter(|account| account.is_like(&self.account)).count();
        match has().count() {
            _ if self.alike_max.is_some_and(|max| reached(alike, max)) => {
                let (kind, name, platform) = (&facts.kind, &facts.account_type, &facts.platform);
                Some(format!(
                    "of {kind} accounts of type {name} on {platform} the client has {alike} and may have no more"
                ))
            }
            all if reached(all, rules.accounts_max) => {
                Some(format!("the client has {all} accounts and may have no more"))
            }
            _ => None,
        }
    }
}

fn reached(count: usize, max: u32) -> bool {
    usize::try_from(max).is_ok_and(|max| count >= max)
}

impl Account {
    /// Whether the client has it, or is about to.
    pub fn is_held(&self) -> bool {
        match self.facts.status {
            AccountStatus::Requested | AccountStatus::Creating | AccountStatus::Unknown | AccountStatus::Open => true,
            // being closed, or opened again: it has its place until it is closed, and has it again from then on
            AccountStatus::Closed => self.facts.upkeep.changes.contains_key(&Aspect::Access),
            AccountStatus::Failed => false,
        }
    }

    /// The fault of trying again to open an account that failed, and so had no place any more, where others have all of them by now.
    /// `held` are the client's accounts, with or without this one.
    ///
    /// # Errors
    /// [`RuleError`]: it takes no place.
    pub fn too_many_beside(
        &self,
        held: &[Self],
        residence: Country,
        rules: &Platforms,
        now: Timestamp,
    ) -> Result<Option<Fault>, RuleError> {
        let (placed, others) = self.beside(held, residence, rules)?;
        Ok(placed.too_many(&others, rules, now))
    }

    /// The fault of opening an account again that is closed, and so has no place, where others have all of them by now.
    ///
    /// # Errors
    /// [`RuleError`]: it stays closed.
    pub fn too_many_to_reopen(
        &self,
        held: &[Self],
        residence: Country,
        rules: &Platforms,
    ) -> Result<Option<Fault>, RuleError> {
        let (placed, others) = self.beside(held, residence, rules)?;
        let allowed = placed.alike_max.map_or(rules.accounts_max, |max| max.min(rules.accounts_max));
        let message = placed.too_many_held(&others, rules);
        Ok(message.map(|message| Fault::new("/status", TOO_MANY, message).allowing([format!("at most {allowed}")])))
    }

    /// The account at its place, and the client's others.
    fn beside(&self, held: &[Self], residence: Country, rules: &Platforms) -> Result<(Placed, Vec<Self>), RuleError> {
        let facts = &self.facts;
        let alike_max = match (facts.platform.parse(), facts.kind.parse()) {
            (Ok(platform), Ok(kind)) => {
                let (account_type, currency) = (facts.account_type.clone(), facts.currency);
                rules.alike_max(&AccountCase { platform, account_type, currency, kind, country: residence })?
            }
            (Err(_), _) | (_, Err(_)) => None,
        };
        let others: Vec<Self> = held.iter().filter(|held| held.id != self.id).cloned().collect();
        Ok((Placed { account: self.clone(), why: vec![], alike_max }, others))
    }

    /// Whether two accounts are of one platform, type and kind.
    fn is_like(&self, other: &Self) -> bool {
        self.facts.platform == other.facts.platform
            && self.facts.account_type == other.facts.account_type
            && self.facts.kind == other.facts.kind
    }
}
