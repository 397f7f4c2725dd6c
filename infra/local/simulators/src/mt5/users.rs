//! Accounts: create, change, read.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::config::Mt5Group;
use crate::desk::lock;
use crate::request::Call;

use super::book::{Book, User};
use super::retcode::Retcode;
use super::{Mt5, Outcome, answer};

/// Characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=16;
/// Leverage the server takes.
const LEVERAGE: std::ops::RangeInclusive<u32> = 1..=500;
/// Of an account that is opened by hand.
pub(super) const LEVERAGE_BY_HAND: u32 = 30;
/// May connect, change the password, trail stops, run experts, get reports.
const DEFAULT_RIGHTS: u64 = 0x163;

/// Text members of an account: query name, member name, characters kept.
const DETAILS: [(&str, &str, usize); 20] = [
    ("name", "Name", 127),
    ("first_name", "FirstName", 63),
    ("last_name", "LastName", 63),
    ("middle_name", "MiddleName", 63),
    ("company", "Company", 63),
    ("country", "Country", 31),
    ("city", "City", 31),
    ("state", "State", 31),
    ("zipcode", "ZIPCode", 15),
    ("address", "Address", 127),
    ("phone", "Phone", 31),
    ("email", "Email", 63),
    ("id", "ID", 31),
    ("status", "Status", 15),
    ("comment", "Comment", 63),
    ("agent", "Agent", 20),
    ("language", "Language", 10),
    ("color", "Color", 10),
    ("lead_source", "LeadSource", 31),
    ("lead_campaign", "LeadCampaign", 31),
];

pub(super) fn add(mt5: &Mt5, call: &Call) -> Outcome {
    let need = |query: &str, member: &str| {
        call.argument(query, member).filter(|value| !value.is_empty()).ok_or(Retcode::INVALID_PARAMETERS)
    };
    let book = &mut *lock(&mt5.book);
    // A missing group and a forbidden one look the same.
    let group =
        call.argument("group", "Group").and_then(|name| book.group(&name).cloned()).ok_or(Retcode::NO_PERMISSION)?;
    if call.argument("first_name", "FirstName").is_none() {
        need("name", "Name")?;
    }
    let leverage = leverage(&need("leverage", "Leverage")?)?;
    let main_password = need("pass_main", "PassMain")?;
    let investor_password = need("pass_investor", "PassInvestor")?;
    if !strong(&main_password) || !strong(&investor_password) {
        return Err(Retcode::BAD_PASSWORD);
    }
    let wanted = number(call, "login", "Login")?.unwrap_or(0);
    let rights = number(call, "rights", "Rights")?.unwrap_or(DEFAULT_RIGHTS);
    let login = book.choose_login(wanted, mt5.config.first_login)?;
    let user = User {
        login,
        group,
        rights,
        leverage,
        main_password,
        investor_password,
        details: details(call),
        registered_s: mt5.server_now_ms().div_euclid(1000),
        balance: Decimal::ZERO,
        credit: Decimal::ZERO,
        floating: Decimal::ZERO,
        margin: Decimal::ZERO,
        deals: Vec::new(),
    };
    let record = user.record();
    book.add_user(user);
    Ok(Map::from_iter([("login".to_owned(), json!(login.to_string())), ("answer".to_owned(), record)]))
}

/// An account that somebody opens in the server's own terminal.
pub(super) fn by_hand(login: u64, group: Mt5Group, leverage: u32, comment: &str, now_ms: i64) -> User {
    User {
        login,
        group,
        rights: DEFAULT_RIGHTS,
        leverage,
        main_password: String::new(),
        investor_password: String::new(),
        details: BTreeMap::from([("Name", "Opened by hand".to_owned()), ("Comment", comment.to_owned())]),
        registered_s: now_ms.div_euclid(1000),
        balance: Decimal::ZERO,
        credit: Decimal::ZERO,
        floating: Decimal::ZERO,
        margin: Decimal::ZERO,
        deals: Vec::new(),
    }
}

fn leverage(text: &str) -> Result<u32, Retcode> {
    text.parse().ok().filter(|leverage| LEVERAGE.contains(leverage)).ok_or(Retcode::INVALID_PARAMETERS)
}

/// Four classes of characters.
fn strong(password: &str) -> bool {
    let has = |class: fn(&char) -> bool| password.chars().any(|character| class(&character));
    PASSWORD_CHARS.contains(&password.chars().count())
        && has(|character| character.is_lowercase())
        && has(|character| character.is_uppercase())
        && has(|character| character.is_numeric())
        && has(|character| !character.is_alphanumeric())
}

fn number(call: &Call, query: &str, member: &str) -> Result<Option<u64>, Retcode> {
    match call.argument(query, member).as_deref() {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Retcode::INVALID_PARAMETERS),
    }
}

fn details(call: &Call) -> BTreeMap<&'static str, String> {
    DETAILS
        .iter()
        .filter_map(|(query, member, kept)| {
            let value = call.argument(query, member)?;
            Some((*member, value.chars().take(*kept).collect()))
        })
        .collect()
}

pub(super) fn update(mt5: &Mt5, call: &Call) -> Outcome {
    let book = &mut *lock(&mt5.book);
    let login = login(call)?;
    let user = book.users.get_mut(&login).ok_or(Retcode::NOT_FOUND)?;
    let rights = number(call, "rights", "Rights")?.unwrap_or(user.rights);
    let wanted = call.argument("leverage", "Leverage");
    let leverage = wanted.map_or(Ok(user.leverage), |text| leverage(&text))?;
    let currency = user.group.currency.clone();
    let group = match call.argument("group", "Group") {
        None => None,
        Some(name) => Some(book.group(&name).cloned().ok_or(Retcode::NO_PERMISSION).and_then(|group| {
            match group.currency == currency {
                true => Ok(group),
                false => Err(Retcode::OTHER_CURRENCY_GROUP),
            }
        })?),
    };
    if let Some(group) = group {
        book.move_user(login, group);
    }
    let user = book.users.get_mut(&login).ok_or(Retcode::NOT_FOUND)?;
    user.rights = rights;
    user.leverage = leverage;
    user.details.extend(details(call));
    Ok(answer(user.record()))
}

fn login(call: &Call) -> Result<u64, Retcode> {
    number(call, "login", "Login")?.ok_or(Retcode::INVALID_PARAMETERS)
}

fn with_user(mt5: &Mt5, call: &Call, read: impl FnOnce(&User) -> Value) -> Outcome {
    let login = login(call)?;
    let book = lock(&mt5.book);
    let user = book.users.get(&login).ok_or(Retcode::NOT_FOUND)?;
    Ok(answer(read(user)))
}

pub(super) fn get(mt5: &Mt5, call: &Call) -> Outcome {
    with_user(mt5, call, User::record)
}

pub(super) fn account(mt5: &Mt5, call: &Call) -> Outcome {
    with_user(mt5, call, User::account)
}

/// One position stands for all that hold a margin or are worth something.
pub(super) fn positions(mt5: &Mt5, call: &Call) -> Outcome {
    with_user(mt5, call, |user| {
        let is_open = !user.margin.is_zero() || !user.floating.is_zero();
        json!({ "total": u8::from(is_open).to_string() })
    })
}

pub(super) fn group(mt5: &Mt5, call: &Call) -> Outcome {
    with_user(mt5, call, |user| json!({ "group": user.group.name }))
}

pub(super) fn get_batch(mt5: &Mt5, call: &Call) -> Outcome {
    let book = lock(&mt5.book);
    let records: Vec<_> =
        chosen_logins(&book, call).iter().filter_map(|login| book.users.get(login)).map(User::record).collect();
    Ok(answer(json!(records)))
}

/// Logins named by `login` or by `group`, in that order.
pub(super) fn chosen_logins(book: &Book, call: &Call) -> Vec<u64> {
    let logins = call.arguments("login", "Login");
    if logins.is_empty() {
        let groups = call.arguments("group", "Group");
        return groups.iter().flat_map(|mask| book.logins(mask)).collect();
    }
    logins.iter().filter_map(|text| text.parse().ok()).collect()
}

pub(super) fn logins(mt5: &Mt5, call: &Call) -> Outcome {
    let groups = call.arguments("group", "Group");
    if groups.is_empty() {
        return Err(Retcode::INVALID_PARAMETERS);
    }
    let book = lock(&mt5.book);
    let logins: Vec<_> = groups.iter().flat_map(|mask| book.logins(mask)).map(|login| login.to_string()).collect();
    Ok(answer(json!(logins)))
}

pub(super) fn total(mt5: &Mt5) -> Outcome {
    let total = lock(&mt5.book).users.len();
    Ok(answer(json!({ "total": total.to_string() })))
}

pub(super) fn check_password(mt5: &Mt5, call: &Call) -> Outcome {
    let login = login(call)?;
    let given = call.argument("password", "Password").unwrap_or_default();
    let mut book = lock(&mt5.book);
    let user = book.users.get_mut(&login).ok_or(Retcode::NOT_FOUND)?;
    if *password_slot(user, call)? == given { Ok(Map::new()) } else { Err(Retcode::BAD_PASSWORD) }
}

pub(super) fn change_password(mt5: &Mt5, call: &Call) -> Outcome {
    let login = login(call)?;
    let wanted = call.argument("password", "Password").unwrap_or_default();
    if !strong(&wanted) {
        return Err(Retcode::BAD_PASSWORD);
    }
    let mut book = lock(&mt5.book);
    let user = book.users.get_mut(&login).ok_or(Retcode::NOT_FOUND)?;
    *password_slot(user, call)? = wanted;
    Ok(Map::new())
}

fn password_slot<'a>(user: &'a mut User, call: &Call) -> Result<&'a mut String, Retcode> {
    match call.argument("type", "Type").as_deref() {
        Some("main") => Ok(&mut user.main_password),
        Some("investor") => Ok(&mut user.investor_password),
        _ => Err(Retcode::INVALID_PARAMETERS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_needs_four_classes_and_8_to_16_characters() {
        assert!(strong("Abcde-1x"));
        assert!(strong("Abcdefghijkl-123"));
        assert!(!strong("Abcd-1x"));
        assert!(!strong("Abcdefghijklm-123"));
        assert!(!strong("abcdef-1"));
        assert!(!strong("ABCDEF-1"));
        assert!(!strong("Abcdefg-"));
        assert!(!strong("Abcdefg1"));
    }
}
