//! Accounts and deals.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::{Mt5Config, Mt5Group};

use super::retcode::Retcode;

/// Bytes of a comment that are kept; the rest is cut without a word.
pub(super) const COMMENT_BYTES_MAX: usize = 31;
/// First deal number.
const FIRST_DEAL: u64 = 100_001;

/// A trading account. Money in the group's currency, major units.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) login: u64,
    pub(super) group: Mt5Group,
    pub(super) rights: u64,
    pub(super) leverage: u32,
    pub(super) main_password: String,
    pub(super) investor_password: String,
    /// Name, address and so on, by member name.
    pub(super) details: BTreeMap<&'static str, String>,
    /// Seconds since 1970 in the server's clock.
    pub(super) registered_s: i64,
    pub(super) balance: Decimal,
    pub(super) credit: Decimal,
    pub(super) floating: Decimal,
    pub(super) margin: Decimal,
    pub(super) deals: Vec<Deal>,
}

impl User {
    pub(super) fn money(&self, amount: Decimal) -> String {
        let places = usize::try_from(self.group.digits).unwrap_or(2);
        format!("{amount:.places$}")
    }

    /// A deal is gone, and what it moved.
    pub(super) fn lose(&mut self, number: u64) {
        let gone = self.deals.iter().find(|deal| deal.number == number).map_or(Decimal::ZERO, |deal| deal.what.profit);
        self.balance -= gone;
        self.deals.retain(|deal| deal.number != number);
    }

    pub(super) fn equity(&self) -> Decimal {
        self.balance + self.credit + self.floating
    }

    pub(super) fn free_margin(&self) -> Decimal {
        self.equity() - self.margin
    }

    /// The user record; numbers are strings on this wire.
    pub(super) fn record(&self) -> Value {
        let mut record = Map::new();
        for (name, value) in &self.details {
            record.insert((*name).to_owned(), json!(value));
        }
        let registered = self.registered_s.to_string();
        let computed = [
            ("Login", self.login.to_string()),
            ("Group", self.group.name.clone()),
            ("Rights", self.rights.to_string()),
            ("Registration", registered.clone()),
            ("LastAccess", registered),
            ("Leverage", self.leverage.to_string()),
            ("Balance", self.money(self.balance)),
            ("Credit", self.money(self.credit)),
            ("CurrencyDigits", self.group.digits.to_string()),
        ];
        for (name, value) in computed {
            record.insert(name.to_owned(), Value::String(value));
        }
        Value::Object(record)
    }

    /// The margin state.
    pub(super) fn account(&self) -> Value {
        let level = (self.equity() * Decimal::ONE_HUNDRED).checked_div(self.margin).unwrap_or_default();
        json!({
            "Login": self.login.to_string(),
            "CurrencyDigits": self.group.digits.to_string(),
            "Balance": self.money(self.balance),
            "Credit": self.money(self.credit),
            "Margin": self.money(self.margin),
            "MarginFree": self.money(self.free_margin()),
            "MarginLevel": format!("{level:.2}"),
            "MarginLeverage": self.leverage.to_string(),
            "MarginInitial": self.money(Decimal::ZERO),
            "MarginMaintenance": self.money(Decimal::ZERO),
            "Profit": self.money(self.floating),
            "Storage": self.money(Decimal::ZERO),
            "Floating": self.money(self.floating),
            "Equity": self.money(self.equity()),
            "SOActivation": "0",
            "SOTime": "0",
            "SOLevel": "0.00",
            "SOEquity": "0.00",
            "SOMargin": "0.00",
            "BlockedCommission": "0.00",
            "BlockedProfit": "0.00",
            "Assets": "0.00",
            "Liabilities": "0.00",
        })
    }
}

/// A deal to be added.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewDeal {
    pub(super) login: u64,
    /// 0 buy, 1 sell, 2 balance, 3 credit, …
    pub(super) action: u32,
    /// 0 in, 1 out, 2 reverse, 3 out by.
    pub(super) entry: u32,
    pub(super) reason: u32,
    pub(super) profit: Decimal,
    pub(super) storage: Decimal,
    pub(super) commission: Decimal,
    pub(super) symbol: String,
    /// 1/10 000 lot.
    pub(super) volume: u64,
    pub(super) price: Decimal,
    pub(super) position: u64,
    pub(super) comment: String,
    /// Milliseconds in the server's clock; absent: now.
    pub(super) time_ms: Option<i64>,
}

/// A deal.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub(super) number: u64,
    /// Milliseconds since 1970 in the server's clock.
    pub(super) time_ms: i64,
    pub(super) what: NewDeal,
}

impl Deal {
    pub(super) fn time_s(&self) -> i64 {
        self.time_ms.div_euclid(1000)
    }

    /// The deal record; numbers are strings on this wire.
    pub(super) fn record(&self, digits: u32) -> Value {
        let places = usize::try_from(digits).unwrap_or(2);
        let what = &self.what;
        json!({
            "Deal": self.number.to_string(),
            "ExternalID": "",
            "Login": what.login.to_string(),
            "Dealer": "0",
            "Order": if what.action < 2 { self.number.to_string() } else { "0".to_owned() },
            "Action": what.action.to_string(),
            "Entry": what.entry.to_string(),
            "Reason": what.reason.to_string(),
            "Digits": "5",
            "DigitsCurrency": digits.to_string(),
            "ContractSize": if what.action < 2 { "100000.00" } else { "0.00" },
            "Time": self.time_s().to_string(),
            "TimeMsc": self.time_ms.to_string(),
            "Symbol": what.symbol,
            "Price": what.price.to_string(),
            "Volume": what.volume.to_string(),
            "VolumeExt": (what.volume * 10_000).to_string(),
            "Profit": format!("{:.places$}", what.profit),
            "Storage": format!("{:.places$}", what.storage),
            "Commission": format!("{:.places$}", what.commission),
            "RateProfit": "1.00000000",
            "RateMargin": "1.00000000",
            "ExpertID": "0",
            "PositionID": what.position.to_string(),
            "Comment": what.comment,
            "ProfitRaw": format!("{:.places$}", what.profit),
            "PricePosition": "0.00000",
            "VolumeClosed": if what.entry > 0 { what.volume.to_string() } else { "0".to_owned() },
            "Flags": "0",
            "Gateway": "",
            "ModifyFlags": "0",
        })
    }
}

/// Everything the trading server stores, with an index for each way it is looked up.
#[derive(Debug)]
pub(super) struct Book {
    groups: BTreeMap<String, Mt5Group>,
    pub(super) users: BTreeMap<u64, User>,
    logins_by_group: HashMap<String, Vec<u64>>,
    /// Login and position in its list, by deal number.
    by_number: HashMap<u64, (u64, usize)>,
    next_login: u64,
    last_login: u64,
    next_deal: u64,
}

impl Book {
    pub(super) fn new(config: &Mt5Config) -> Self {
        let groups = config.groups.iter().cloned();
        Self {
            groups: groups.map(|group| (group.name.clone(), group)).collect(),
            users: BTreeMap::new(),
            logins_by_group: HashMap::new(),
            by_number: HashMap::new(),
            next_login: config.first_login,
            last_login: config.last_login,
            next_deal: FIRST_DEAL,
        }
    }

    /// An empty book that gives no login or deal number a second time.
    pub(super) fn emptied(&self, config: &Mt5Config) -> Self {
        Self { next_login: self.next_login, next_deal: self.next_deal, ..Self::new(config) }
    }

    pub(super) fn group(&self, name: &str) -> Option<&Mt5Group> {
        self.groups.get(name)
    }

    /// The wanted login if it is free and in range, else the next free one.
    pub(super) fn choose_login(&mut self, wanted: u64, first: u64) -> Result<u64, Retcode> {
        if wanted != 0 {
            return match ((first..=self.last_login).contains(&wanted), self.users.contains_key(&wanted)) {
                (false, _) => Err(Retcode::LOGIN_OF_OTHER_SERVER),
                (true, true) => Err(Retcode::LOGIN_EXISTS),
                (true, false) => Ok(wanted),
            };
        }
        while self.users.contains_key(&self.next_login) {
            self.next_login += 1;
        }
        if self.next_login > self.last_login {
            return Err(Retcode::LOGIN_RANGE_EXHAUSTED);
        }
        self.next_login += 1;
        Ok(self.next_login - 1)
    }

    pub(super) fn add_user(&mut self, user: User) {
        self.logins_by_group.entry(user.group.name.clone()).or_default().push(user.login);
        self.users.insert(user.login, user);
    }

    /// Logins of a group, or of all whose name begins as written before a final `*`.
    pub(super) fn logins(&self, mask: &str) -> Vec<u64> {
        match mask.strip_suffix('*') {
            None => self.logins_by_group.get(mask).cloned().unwrap_or_default(),
            Some(start) => {
                let users = self.users.values();
                let fitting = users.filter(|user| user.group.name.starts_with(start));
                fitting.map(|user| user.login).collect()
            }
        }
    }

    pub(super) fn delete_user(&mut self, login: u64) {
        self.users.remove(&login);
        for logins in self.logins_by_group.values_mut() {
            logins.retain(|own| *own != login);
        }
    }

    pub(super) fn move_user(&mut self, login: u64, group: Mt5Group) {
        let Some(user) = self.users.get_mut(&login) else {
            return;
        };
        let before = std::mem::replace(&mut user.group, group.clone()).name;
        if let Some(logins) = self.logins_by_group.get_mut(&before) {
            logins.retain(|other| *other != login);
        }
        let logins = self.logins_by_group.entry(group.name).or_default();
        logins.push(login);
    }

    /// Appends a deal. The caller has changed the balance.
    pub(super) fn append(&mut self, what: NewDeal, now_ms: i64) -> Option<u64> {
        let user = self.users.get_mut(&what.login)?;
        let number = self.next_deal;
        self.next_deal += 1;
        self.by_number.insert(number, (user.login, user.deals.len()));
        user.deals.push(Deal { number, time_ms: what.time_ms.unwrap_or(now_ms), what });
        Some(number)
    }

    /// Appends a trade and books its result.
    pub(super) fn trade(&mut self, mut deal: NewDeal, now_ms: i64) -> Option<u64> {
        let user = self.users.get_mut(&deal.login)?;
        user.balance += deal.profit + deal.storage + deal.commission;
        if deal.position == 0 {
            deal.position = self.next_deal;
        }
        self.append(deal, now_ms)
    }

    pub(super) fn deal(&self, number: u64) -> Option<(&User, &Deal)> {
        let (login, index) = self.by_number.get(&number)?;
        let user = self.users.get(login)?;
        Some((user, user.deals.get(*index)?))
    }

    /// For the state route; one login or all.
    pub(super) fn describe(&self, only: Option<u64>) -> Map<String, Value> {
        let users: Vec<_> = match only {
            Some(login) => self.users.get(&login).into_iter().collect(),
            None => self.users.values().collect(),
        };
        let deals: Vec<_> = users
            .iter()
            .flat_map(|user| {
                let deals = user.deals.iter();
                deals.map(|deal| deal.record(user.group.digits))
            })
            .collect();
        let users: Vec<_> = users
            .iter()
            .map(|user| {
                json!({
                    "login": user.login,
                    "group": user.group.name,
                    "currency": user.group.currency,
                    "leverage": user.leverage,
                    "rights": user.rights,
                    "name": user.details.get("Name"),
                    "comment": user.details.get("Comment"),
                    "balance": user.money(user.balance),
                    "credit": user.money(user.credit),
                    "equity": user.money(user.equity()),
                    "deals": user.deals.len(),
                })
            })
            .collect();
        Map::from_iter([("users".to_owned(), json!(users)), ("deals".to_owned(), json!(deals))])
    }
}
