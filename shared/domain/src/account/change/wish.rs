//! What change somebody asks for, held against account, rules and platform: every fault at once, with what is allowed.

use serde_json::Value;

use super::{Access, Aspect, Change, ChangeFacts, ChangeInner, ChangeStatus, NoChange, Standing, Wanted};
use crate::account::Account;
use crate::account::rules::{AccountCase, Asker, ChangeCase, ChangeKind, Needs, Placement, Platforms};
use crate::input::{Fault, Reader};
use crate::rules::{RuleError, RuleSet};
use crate::{ChangeId, Country, Timestamp};

/// Longest text of the caller's that a message repeats, in characters.
const SHOWN_MAX: usize = 40;

/// What the account's platform can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Able<'a> {
    /// What the client may be let do, beside everything.
    pub access: &'a [Access],
    /// Whether an account can be moved to another group.
    pub group: bool,
    /// Whether its leverage can be set.
    pub leverage: bool,
}

impl Able<'_> {
    /// Everything that an account can be set to.
    pub fn accesses(&self) -> Vec<Access> {
        Access::ALL.iter().copied().filter(|access| self.can_set(*access)).collect()
    }

    fn can_set(&self, access: Access) -> bool {
        access == Access::Full || self.access.contains(&access)
    }

    /// The strictest that an account which is put away can be set to; none where the platform knows nothing of the kind.
    pub fn put_away(&self) -> Option<Access> {
        [Access::NoLogin, Access::NoTrading, Access::CloseOnly].into_iter().find(|access| self.access.contains(access))
    }
}

/// Who asks, and about whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking<'a> {
    /// Client or staff.
    pub by: Asker,
    /// The subject of the token.
    pub subject: &'a str,
    /// Where the account's client lives.
    pub country: Country,
    /// The moment.
    pub now: Timestamp,
}

/// Why no change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// The request is wrong.
    Faults(Vec<Fault>),
    /// Clients cannot ask for it.
    NotForClients,
    /// The account does not take it now.
    Account(NoChange),
    /// It could not be judged.
    Rules(RuleError),
}

impl From<RuleError> for ChangeRefusal {
    fn from(error: RuleError) -> Self {
        Self::Rules(error)
    }
}

impl Change {
    /// The change that is asked for, with what it needs, and why.
    ///
    /// # Errors
    /// [`ChangeRefusal`].
    pub fn wanted(
        body: &Value,
        account: &Account,
        rules: &Platforms,
        able: &Able<'_>,
        asking: Asking<'_>,
        id: ChangeId,
    ) -> Result<(Self, Vec<String>), ChangeRefusal> {
        let wanted = read(body, account, rules, able, asking.country)?;
        Self::of(wanted, account, rules, asking, id)
    }

    /// The same with what is wanted already read.
    ///
    /// # Errors
    /// [`ChangeRefusal`].
    pub fn of(
        wanted: Wanted,
        account: &Account,
        rules: &Platforms,
        asking: Asking<'_>,
        id: ChangeId,
    ) -> Result<(Self, Vec<String>), ChangeRefusal> {
        let kinds = wanted.kinds();
        if asking.by == Asker::Client && kinds.iter().any(|kind| *kind != ChangeKind::Leverage) {
            return Err(ChangeRefusal::NotForClients);
        }
        account.takes_change(&wanted).map_err(ChangeRefusal::Account)?;
        if wanted.status == Some(Standing::Open)
            && let Some(fault) = too_much_to_reopen(account, rules, asking.country)?
        {
            return Err(ChangeRefusal::Faults(vec![fault]));
        }
        let (needs, why) = needs(&wanted, &kinds, account, rules, asking)?;
        let facts = &account.facts;
        let before = match wanted.aspect() {
            Some(Aspect::Access) => Wanted { access: Some(account.access()), ..Wanted::default() },
            Some(Aspect::Terms) | None => Wanted {
                leverage: Some(facts.leverage),
                account_type: Some(facts.account_type.clone()),
                group: Some(facts.group.clone()),
                ..Wanted::default()
            },
        };
        let change = Self {
            id,
            client_id: account.client_id.clone(),
            due: None,
            facts: ChangeFacts {
                status: ChangeStatus::InReview,
                account_id: account.id.clone(),
                wanted,
                before,
                platform: facts.platform.clone(),
                server: facts.server.clone(),
                login: facts.login.clone().unwrap_or_default(),
                needs,
                asked_by: asking.subject.to_owned(),
                by: Some(asking.by),
                created_at: asking.now,
                review: None,
            },
            inner: ChangeInner::default(),
        };
        Ok((change, why))
    }

    /// Why the rules of now forbid what was asked for under earlier ones; `None` where they allow it.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn forbidden_now(
        &self,
        account: &Account,
        rules: &Platforms,
        country: Country,
    ) -> Result<Option<String>, RuleError> {
        let wanted = &self.facts.wanted;
        if wanted.status == Some(Standing::Open) {
            return Ok(too_much_to_reopen(account, rules, country)?.map(|fault| fault.message));
        }
        if wanted.leverage.is_none() && wanted.account_type.is_none() {
            return Ok(None);
        }
        let account_type = wanted.account_type.as_deref().unwrap_or(&account.facts.account_type);
        let Some(case) = case(account, account_type, country) else { return Ok(None) };
        if wanted.account_type.is_some() && !is_placed(wanted, account, rules, &case)? {
            return Ok(Some(format!("accounts of type {account_type} are in another group now, or not on offer")));
        }
        let max = rules.max_leverage(&case)?.outcome().map_or(0, |row| row.max);
        let leverage = wanted.leverage.unwrap_or(account.facts.leverage);
        Ok((leverage > max).then(|| format!("the rules allow a leverage up to {max} now")))
    }
}

/// Why an account that is closed is not opened again: it has more leverage than the client may have today.
fn too_much_to_reopen(account: &Account, rules: &Platforms, country: Country) -> Result<Option<Fault>, RuleError> {
    let Some(case) = case(account, &account.facts.account_type, country) else { return Ok(None) };
    let max = rules.max_leverage(&case)?.outcome().map_or(0, |row| row.max);
    let has = account.facts.leverage;
    let message = || format!("has a leverage of {has}; residents of {country} may have from 1 to {max} now");
    let fault = || Fault::new("/status", "leverage_out_of_range", message()).allowing([format!("1 to {max}")]);
    Ok((has > max).then(fault))
}

/// Whether accounts of the other type are still in the group that was asked for.
fn is_placed(wanted: &Wanted, account: &Account, rules: &Platforms, case: &AccountCase) -> Result<bool, RuleError> {
    if rules.account_type(&case.account_type).is_none() {
        return Ok(false);
    }
    let found = rules.placement(case)?;
    let same = |place: &Placement| place.server == account.facts.server && Some(&place.group) == wanted.group.as_ref();
    Ok(found.outcome().is_some_and(same))
}

/// The strictest of what its parts need.
fn needs(
    wanted: &Wanted,
    kinds: &[ChangeKind],
    account: &Account,
    rules: &Platforms,
    asking: Asking<'_>,
) -> Result<(Needs, Vec<String>), RuleError> {
    let account_type = wanted.account_type.as_deref().unwrap_or(&account.facts.account_type);
    // an account of a kind that the rules no longer know is judged by nobody but a person
    let Some(of) = case(account, account_type, asking.country) else {
        return Ok((Needs::Approve, vec!["changes: the account is of no known kind".to_owned()]));
    };
    let leverage = wanted.leverage.unwrap_or(account.facts.leverage);
    let (mut strictest, mut why) = (Needs::Auto, Vec::new());
    for change in kinds {
        let case = ChangeCase {
            account: of.clone(),
            change: *change,
            by: asking.by,
            leverage,
            raises: leverage > account.facts.leverage,
            access: wanted.access.unwrap_or_else(|| account.access()),
        };
        let found = rules.change_needs(&case)?;
        // without a rule a person decides
        strictest = strictest.max(found.outcome().map_or(Needs::Approve, |rule| rule.needs));
        why.extend(found.why("changes"));
    }
    Ok((strictest, why))
}

fn case(account: &Account, account_type: &str, country: Country) -> Option<AccountCase> {
    let facts = &account.facts;
    Some(AccountCase {
        platform: facts.platform.parse().ok()?,
        account_type: account_type.to_owned(),
        currency: facts.currency,
        kind: facts.kind.parse().ok()?,
        country,
    })
}

fn read(
    body: &Value,
    account: &Account,
    rules: &Platforms,
    able: &Able<'_>,
    country: Country,
) -> Result<Wanted, ChangeRefusal> {
    let mut reader = Reader::new(body);
    let leverage = reader.optional_whole("leverage");
    let account_type = read_type(&mut reader, account, rules, able);
    let access = read_access(&mut reader, able);
    let status: Option<Standing> = reader.optional_word("status");
    let mut wanted = Wanted { leverage, account_type: account_type.map(str::to_owned), group: None, access, status };
    if let Some(account_type) = account_type {
        wanted.group = group_of(&mut reader, account, account_type, rules, country)?;
    }
    check_leverage(&mut reader, &wanted, account, rules, able, country)?;
    if status.is_some() && access.is_some() {
        reader.fault_at("access", "not_together", "closing and reopening say what the client may do");
    }
    let mut faults = reader.finish();
    if faults.is_empty() && wanted.aspect().is_none() {
        let fault = match wanted == Wanted::default() {
            true => Fault::new("", "missing", "name leverage or account_type, access, or status"),
            false => {
                Fault::new("", "not_together", "leverage and account type are one change, access or status another")
            }
        };
        faults.push(fault);
    }
    if !faults.is_empty() {
        return Err(ChangeRefusal::Faults(faults));
    }
    wanted.access = match status {
        Some(Standing::Closed) => able.put_away(),
        Some(Standing::Open) => Some(Access::Full),
        None => access,
    };
    Ok(wanted)
}

fn read_access(reader: &mut Reader<'_>, able: &Able<'_>) -> Option<Access> {
    let text = reader.optional_string("access")?;
    let known = text.parse::<Access>().ok().filter(|access| able.can_set(*access));
    if known.is_none() {
        let code = if text.parse::<Access>().is_ok() { "not_supported" } else { "unknown_value" };
        let message = "is nothing that the account's platform can set";
        reader.fault(Fault::new("/access", code, message).allowing(able.accesses().iter().map(|one| one.as_str())));
    }
    known
}

fn read_type<'r>(reader: &mut Reader<'_>, account: &Account, rules: &'r Platforms, able: &Able<'_>) -> Option<&'r str> {
    let text = reader.optional_string("account_type")?;
    if !able.group {
        reader.fault_at("account_type", "not_supported", "the account's platform cannot move an account");
        return None;
    }
    let fits = |name: &&str| {
        rules.account_type(name).is_some_and(|of| {
            of.currencies.contains(&account.facts.currency)
                && account.facts.platform.parse().is_ok_and(|platform| of.platforms.contains(&platform))
        })
    };
    let names: Vec<&'r str> = rules.account_type_names().into_iter().filter(fits).collect();
    let known = names.iter().copied().find(|name| *name == text);
    if known.is_none() {
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        let fault = Fault::new("/account_type", "unknown_value", format!("{shown:?} is not on offer"));
        reader.fault(fault.allowing(names));
    }
    known
}

/// The group of the other type on the account's own server. Another server would be another account.
fn group_of(
    reader: &mut Reader<'_>,
    account: &Account,
    account_type: &str,
    rules: &Platforms,
    country: Country,
) -> Result<Option<String>, RuleError> {
    let Some(case) = case(account, account_type, country) else { return Ok(None) };
    let found = rules.placement(&case)?;
    let group = found.outcome().filter(|place| place.server == account.facts.server).map(|place| place.group.clone());
    if group.is_none() {
        let message = "accounts of this type are not on the account's server: it is opened as an account of its own";
        reader.fault_at("account_type", "other_server", message);
    }
    Ok(group)
}

/// Also a leverage that is not to change must be one that the other type allows.
fn check_leverage(
    reader: &mut Reader<'_>,
    wanted: &Wanted,
    account: &Account,
    rules: &Platforms,
    able: &Able<'_>,
    country: Country,
) -> Result<(), RuleError> {
    if wanted.leverage.is_none() && wanted.account_type.is_none() {
        return Ok(());
    }
    if wanted.leverage.is_some() && !able.leverage {
        let message =
            format!("the account's platform cannot set a leverage: it follows from the group ({})", Platforms::NAME);
        reader.fault_at("leverage", "not_supported", message);
        return Ok(());
    }
    let account_type = wanted.account_type.as_deref().unwrap_or(&account.facts.account_type);
    let Some(case) = case(account, account_type, country) else { return Ok(()) };
    let max = rules.max_leverage(&case)?.outcome().map_or(0, |row| row.max);
    let leverage = wanted.leverage.unwrap_or(account.facts.leverage);
    if leverage == 0 || leverage > max {
        let message = format!("must be from 1 to {max} for residents of {country}");
        reader.fault_at("leverage", "leverage_out_of_range", message);
    }
    Ok(())
}
