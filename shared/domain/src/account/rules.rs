//! The rule set `platforms`: trading servers, which group an account goes to, its leverage, and the account types.

mod changes;
mod maintenance;
mod openings;
mod settings;

pub use changes::{Asker, ChangeCase, ChangeKind, ChangeRule, Needs};
pub use maintenance::{Maintenance, Window};

use std::collections::BTreeMap;

pub use openings::{AlikeMax, OpeningCase, OpeningTrigger};
use serde::Serialize;
use serde_json::Value as Json;

use super::wish::Wish;
use crate::input::Fault;
use crate::rules::condition::Condition;
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node, optional, read_document};
use crate::rules::table::{ROWS_MAX, Row, read_every_row, read_rows, refuse_gap, unique_name};
use crate::rules::{Fields, FirstMatch, RuleError, RuleFault, RuleSet, every_match, first_match};
use crate::words::words;
use crate::{Country, Currency, Seconds};

/// How many trading servers one installation may have.
const SERVERS_MAX: usize = 50;
/// How many account types.
const ACCOUNT_TYPES_MAX: usize = 50;
/// How many currencies one account type may have.
const CURRENCIES_MAX: usize = 50;
/// The technical bound of the platforms; what the law allows is the rules' business.
const LEVERAGE_MAX: u32 = 5_000;
/// MetaTrader 5 takes group paths of this length.
const GROUP_CHARS_MAX: usize = 63;
/// MetaTrader 4 keeps this much of a group's name.
const MT4_GROUP_BYTES_MAX: usize = 15;
const SHOWN_NAME_CHARS_MAX: usize = 80;
const KEYS: [&str; 11] = [
    "servers",
    "groups",
    "leverage",
    "changes",
    "account_types",
    "accounts_max",
    "accounts_per_day_max",
    "account_limits",
    "openings",
    "close_after",
    "ask_about_refused",
];
/// The shortest time after which an account on which nothing happens is closed.
const CLOSE_AFTER_MIN: Seconds = Seconds(86_400);
const CLOSE_AFTER_MAX: Seconds = Seconds(3_650 * 86_400);
/// Accounts of one client, and how many he may ask for within a day, where the rules say nothing.
const ACCOUNTS: u32 = ACCOUNTS_MAX;
/// More than a page of a client's newest accounts are not counted.
const ACCOUNTS_MAX: u32 = 100;
const SERVER_KEYS: [&str; 11] = [
    "name",
    "platform",
    "environment",
    "base_url",
    "secret",
    "read_secret",
    "balance_keep",
    "display_name",
    "manager",
    "settings",
    "maintenance",
];
/// How long a balance is shown again where the rules say nothing.
const BALANCE_KEEP: Seconds = Seconds(10);
const BALANCE_KEEP_MAX: Seconds = Seconds(3_600);

words! {
    /// A trading platform.
    Platform {
        /// MetaTrader 5.
        Mt5 = "mt5",
        /// MetaTrader 4.
        Mt4 = "mt4",
        /// Spotware cTrader.
        Ctrader = "ctrader",
        /// Devexperts DXtrade.
        Dxtrade = "dxtrade",
    }
}

impl Platform {
    /// Whether an account has a second password that only looks.
    pub fn has_investor_password(self) -> bool {
        match self {
            Self::Mt5 | Self::Mt4 => true,
            Self::Ctrader | Self::Dxtrade => false,
        }
    }

    /// What it calls a booking.
    pub fn ticket_form(self) -> TicketForm {
        match self {
            Self::Mt5 | Self::Mt4 | Self::Ctrader => TicketForm::Number,
            Self::Dxtrade => TicketForm::Name,
        }
    }
}

/// What a platform calls a booking, and so what a person names as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketForm {
    /// A whole number.
    Number,
    /// A word of letters and digits: DXtrade has the codes of its transfers, and the ids that callers gave them.
    Name,
}

words! {
    /// What a server, and an account, is for.
    Environment {
        /// Real money.
        Live = "live",
        /// Play money.
        Demo = "demo",
    }
}

/// How we present ourselves to a server's manager interface. Login and password are in the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManagerSettings {
    /// The client build that the interface is told.
    pub version: u32,
    /// The program name that the interface is told.
    pub agent: String,
}

/// One trading server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The name that rows refer to.
    pub name: String,
    /// What it runs.
    pub platform: Platform,
    /// What it is for.
    pub environment: Environment,
    /// Its manager interface, without a slash at the end; of MT4 the bridge to it.
    pub base_url: String,
    /// The name of its secret in Secrets Manager.
    pub secret: String,
    /// That of a login which may only look, where the server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_secret: Option<String>,
    /// How long a balance is shown again before the server is asked for a newer one.
    pub balance_keep: Seconds,
    /// What clients choose in their terminal.
    pub display_name: String,
    /// How we present ourselves; always there for MT5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<ManagerSettings>,
    /// What only servers of its platform are told, checked against what that platform knows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// When it is not called, because it is being maintained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
}

/// Where an account is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// The server's name.
    pub server: String,
    /// The group on it.
    pub group: String,
}

/// The highest leverage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaxLeverage {
    /// 30 stands for 1:30.
    pub max: u32,
}

/// A type of account that clients can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountType {
    /// Its name in requests.
    pub name: String,
    /// Its currencies.
    pub currencies: Vec<Currency>,
    /// Its platforms; those without a server are not on offer yet.
    pub platforms: Vec<Platform>,
}

/// What rows about accounts may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCase {
    /// The platform.
    pub platform: Platform,
    /// The account type's name.
    pub account_type: String,
    /// The account's currency.
    pub currency: Currency,
    /// Live or demo.
    pub kind: Environment,
    /// Where the client lives.
    pub country: Country,
}

fn account_fields() -> Fields<AccountCase> {
    Fields::new()
        .field("platform", |account: &AccountCase| account.platform)
        .declared("account_type", |account| account.account_type.clone())
        .field("currency", |account| account.currency)
        .field("kind", |account| account.kind)
        .field("country", |account| account.country)
        .field("residence_eu", |account| account.country.in_eu())
}

/// What rows about the number of accounts may ask: not the currency, for accounts of all currencies count together.
fn alike_fields() -> Fields<AccountCase> {
    Fields::new()
        .field("platform", |account: &AccountCase| account.platform)
        .declared("account_type", |account| account.account_type.clone())
        .field("kind", |account| account.kind)
        .field("country", |account| account.country)
        .field("residence_eu", |account| account.country.in_eu())
}

/// The rule set `platforms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Platforms {
    servers: Vec<Server>,
    groups: Vec<Row<Placement>>,
    leverage: Vec<Row<MaxLeverage>>,
    /// None where the rules have no such table: then a person approves each change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Row<ChangeRule>>,
    account_types: Vec<AccountType>,
    /// How many accounts one client may have.
    pub accounts_max: u32,
    /// How many of them he may ask for within a day, those that fail included.
    pub accounts_per_day_max: u32,
    account_limits: Vec<Row<AlikeMax>>,
    openings: Vec<Row<Wish>>,
    /// After how long an account without money on which nothing happens is closed; a kind that is not named never is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub close_after: BTreeMap<Environment, Seconds>,
    /// Whether a person is asked about an account that its client may no longer have when it is to be created.
    pub ask_about_refused: bool,
}

impl RuleSet for Platforms {
    const NAME: &'static str = "platforms";

    fn parse(document: &Json) -> Result<Self, Vec<Fault>> {
        read_document(document, read)
    }
}

impl Platforms {
    /// A server by its name.
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// Every server.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The groups of a server in which accounts are created.
    pub fn groups_on(&self, server: &str) -> Vec<String> {
        let mut groups: Vec<String> = self
            .groups
            .iter()
            .map(|row| &row.then)
            .filter(|at| at.server == server)
            .map(|at| at.group.clone())
            .collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// An account type by its name.
    pub fn account_type(&self, name: &str) -> Option<&AccountType> {
        self.account_types.iter().find(|account_type| account_type.name == name)
    }

    /// The names of all account types.
    pub fn account_type_names(&self) -> Vec<&str> {
        self.account_types.iter().map(|account_type| account_type.name.as_str()).collect()
    }

    /// The platforms on which an account type can be opened now: those that have a server of the kind.
    pub fn platforms_for(&self, account_type: &AccountType, kind: Environment) -> Vec<Platform> {
        let served = |platform: &Platform| has_server(&self.servers, *platform, kind);
        account_type.platforms.iter().copied().filter(served).collect()
    }

    /// Where an account is created; no match means that there is no such account on offer.
    ///
    /// # Errors
    /// [`RuleError`]: hold the account and ask a person.
    pub fn placement(&self, case: &AccountCase) -> Result<FirstMatch<'_, Placement>, RuleError> {
        first_match(&self.groups, account_fields().facts(case))
    }

    /// The highest leverage the account may have. Parsing made sure that some row holds.
    ///
    /// # Errors
    /// [`RuleError`]: hold the account and ask a person.
    pub fn max_leverage(&self, case: &AccountCase) -> Result<FirstMatch<'_, MaxLeverage>, RuleError> {
        first_match(&self.leverage, account_fields().facts(case))
    }

    /// How many accounts of its platform, type and kind a client may have, if the rules say so.
    ///
    /// # Errors
    /// [`RuleError`]: hold the account and ask a person.
    pub fn alike_max(&self, case: &AccountCase) -> Result<Option<u32>, RuleError> {
        let found = first_match(&self.account_limits, alike_fields().facts(case))?;
        Ok(found.outcome().map(|row| row.max))
    }

    /// Whether any account opens by itself: else nobody need look.
    pub fn opens_accounts(&self) -> bool {
        !self.openings.is_empty()
    }

    /// The rows about accounts that open by themselves, and whether each holds.
    pub fn openings_for(&self, case: &OpeningCase) -> Vec<(&Row<Wish>, Result<bool, RuleFault>)> {
        every_match(&self.openings, &openings::fields().facts(case)).collect()
    }

    /// What a change of an account needs before it is made. No match means that no rule says so: a person approves it.
    ///
    /// # Errors
    /// [`RuleError`]: make no change.
    pub fn change_needs(&self, case: &ChangeCase) -> Result<FirstMatch<'_, ChangeRule>, RuleError> {
        changes::judge(&self.changes, case)
    }
}

fn has_server(servers: &[Server], platform: Platform, kind: Environment) -> bool {
    servers.iter().any(|server| server.platform == platform && server.environment == kind)
}

fn read(node: &Node<'_>, faults: &mut Faults) -> Option<Platforms> {
    let object = node.object(&KEYS, faults)?;
    let mut server_names = Vec::new();
    let servers = object.need("servers", faults).and_then(|list| {
        list.each(1..=SERVERS_MAX, faults, |item, faults| read_server(item, &mut server_names, faults))
    });
    let mut type_names = Vec::new();
    let types_at = object.need("account_types", faults);
    let account_types = types_at.as_ref().and_then(|list| {
        list.each(1..=ACCOUNT_TYPES_MAX, faults, |item, faults| read_account_type(item, &mut type_names, faults))
    });

    let schema = account_fields().schema(&[("account_type", &type_names)]);
    let space = Space::new(&schema);
    let known = servers.clone().unwrap_or_default();
    let groups = object.need("groups", faults).and_then(|rows| {
        read_rows(&rows, &schema, 1..=ROWS_MAX, faults, |then, when, faults| {
            let placement = read_placement(then, &server_names, faults)?;
            refuse_misplaced(then, &placement, when, &known, account_types.as_deref(), &space, faults)
                .then_some(placement)
        })
    });
    let leverage = object.need("leverage", faults).and_then(|at| {
        let rows = read_rows(&at, &schema, 1..=ROWS_MAX, faults, |then, _, faults| read_leverage(then, faults))?;
        refuse_gap(&at, "leverage", Cell::default(), &rows, &space, faults);
        Some(rows)
    });
    let alike_schema = alike_fields().schema(&[("account_type", &type_names)]);
    let account_limits = optional(object.get("account_limits"), |at| {
        let read = |then: &Node<'_>, faults: &mut Faults| openings::read_limit(then, ACCOUNTS_MAX, faults);
        read_rows(&at, &alike_schema, 0..=ROWS_MAX, faults, |then, _, faults| read(then, faults))
    });
    let openings = optional(object.get("openings"), |at| {
        let read =
            |then: &Node<'_>, faults: &mut Faults| openings::read_wish(then, account_types.as_deref(), &known, faults);
        read_every_row(&at, &openings::fields().schema(&[]), 0..=openings::OPENINGS_MAX, faults, read)
    });
    let changes = optional(object.get("changes"), |at| changes::read(&at, &type_names, faults));
    let close_after = optional(object.get("close_after"), |at| read_close_after(&at, faults));
    let ask_about_refused = optional(object.get("ask_about_refused"), |node| node.boolean(faults));
    let mut limit = |key| optional(object.get(key), |node| node.whole(1..=ACCOUNTS_MAX, faults));
    let (accounts_max, per_day_max) = (limit("accounts_max"), limit("accounts_per_day_max"));
    let set = Platforms {
        servers: servers?,
        groups: groups?,
        leverage: leverage?,
        changes: changes?.unwrap_or_default(),
        account_types: account_types?,
        accounts_max: accounts_max?.unwrap_or(ACCOUNTS),
        accounts_per_day_max: per_day_max?.unwrap_or(ACCOUNTS),
        account_limits: account_limits?.unwrap_or_default(),
        openings: openings?.unwrap_or_default(),
        close_after: close_after?.unwrap_or_default(),
        ask_about_refused: ask_about_refused?.unwrap_or(false),
    };
    refuse_unplaced(&types_at?, &set, &space, faults);
    Some(set)
}

fn read_close_after(node: &Node<'_>, faults: &mut Faults) -> Option<BTreeMap<Environment, Seconds>> {
    let words: Vec<&str> = Environment::ALL.iter().map(|kind| kind.as_str()).collect();
    let object = node.object(&words, faults)?;
    let before = faults.count();
    let mut spans = BTreeMap::new();
    for kind in Environment::ALL {
        if let Some(span) =
            object.get(kind.as_str()).and_then(|node| node.span(CLOSE_AFTER_MIN..=CLOSE_AFTER_MAX, faults))
        {
            spans.insert(*kind, span);
        }
    }
    (faults.count() == before).then_some(spans)
}

fn read_server(node: &Node<'_>, names: &mut Vec<String>, faults: &mut Faults) -> Option<Server> {
    let object = node.object(&SERVER_KEYS, faults)?;
    let name = object.need("name", faults).and_then(|node| unique_name(&node, names, faults));
    let platform = object.need("platform", faults).and_then(|node| node.word(Platform::ALL, faults));
    let environment = object.need("environment", faults).and_then(|node| node.word(Environment::ALL, faults));
    let base_url = object.need("base_url", faults).and_then(|node| node.url(faults));
    let secret = object.need("secret", faults).and_then(|node| node.secret_name(faults));
    let read_secret = optional(object.get("read_secret"), |node| node.secret_name(faults));
    let keep = optional(object.get("balance_keep"), |node| node.span(Seconds(1)..=BALANCE_KEEP_MAX, faults));
    let display_name =
        object.need("display_name", faults).and_then(|node| node.line(SHOWN_NAME_CHARS_MAX, faults).map(str::to_owned));
    let manager = match platform {
        Some(Platform::Mt5) => object.need("manager", faults).and_then(|node| read_manager(&node, faults)).map(Some),
        _ => optional(object.get("manager"), |node| read_manager(&node, faults)),
    };
    let windows = optional(object.get("maintenance"), |node| maintenance::read(&node, faults));
    let settings = match platform {
        Some(platform) if platform.needs_settings() || object.has("settings") => {
            object.need("settings", faults).and_then(|node| settings::read(&node, platform, faults))
        }
        _ => Some(BTreeMap::new()),
    };
    Some(Server {
        name: name?,
        platform: platform?,
        environment: environment?,
        base_url: base_url?,
        secret: secret?,
        read_secret: read_secret?,
        balance_keep: keep?.unwrap_or(BALANCE_KEEP),
        display_name: display_name?,
        manager: manager?,
        settings: settings?,
        maintenance: windows?,
    })
}

fn read_manager(node: &Node<'_>, faults: &mut Faults) -> Option<ManagerSettings> {
    let object = node.object(&["version", "agent"], faults)?;
    let version = object.need("version", faults).and_then(|node| node.whole(1..=99_999, faults));
    let agent = object.need("agent", faults).and_then(|node| node.name(faults));
    Some(ManagerSettings { version: version?, agent: agent? })
}

fn read_account_type(node: &Node<'_>, names: &mut Vec<String>, faults: &mut Faults) -> Option<AccountType> {
    let object = node.object(&["name", "currencies", "platforms"], faults)?;
    let name = object.need("name", faults).and_then(|node| unique_name(&node, names, faults));
    let currencies =
        object.need("currencies", faults).and_then(|node| node.distinct(1..=CURRENCIES_MAX, faults, Node::currency));
    let platforms = object.need("platforms", faults).and_then(|node| {
        node.distinct(1..=Platform::ALL.len(), faults, |item, faults| item.word(Platform::ALL, faults))
    });
    Some(AccountType { name: name?, currencies: currencies?, platforms: platforms? })
}

fn read_placement(node: &Node<'_>, servers: &[String], faults: &mut Faults) -> Option<Placement> {
    let object = node.object(&["server", "group"], faults)?;
    let server = object.need("server", faults).and_then(|node| node.reference("server", servers, faults));
    let group = object.need("group", faults).and_then(|node| node.line(GROUP_CHARS_MAX, faults).map(str::to_owned));
    Some(Placement { server: server?, group: group? })
}

fn read_leverage(node: &Node<'_>, faults: &mut Faults) -> Option<MaxLeverage> {
    let object = node.object(&["max"], faults)?;
    let max = object.need("max", faults).and_then(|node| node.whole(1..=LEVERAGE_MAX, faults))?;
    Some(MaxLeverage { max })
}

/// A row must not send accounts of another platform, or live accounts, to a server that is not for them, nor name a group that the server
/// would know by another name.
fn refuse_misplaced(
    then: &Node<'_>,
    placement: &Placement,
    when: Option<&Condition>,
    servers: &[Server],
    account_types: Option<&[AccountType]>,
    space: &Space<'_>,
    faults: &mut Faults,
) -> bool {
    let server = servers.iter().find(|server| server.name == placement.server);
    if server.is_some_and(|server| server.platform == Platform::Mt4) && placement.group.len() > MT4_GROUP_BYTES_MAX {
        let message = format!("MT4 keeps {MT4_GROUP_BYTES_MAX} bytes of a group's name");
        faults.add(Fault::new(format!("{}/group", then.pointer()), "too_long", message));
        return false;
    }
    let (Some(when), Some(server), Some(account_types)) = (when, server, account_types) else { return true };
    let pointer = format!("{}/server", then.pointer());
    let takes = |field: &'static str, word: &str| {
        space.inside(&space.cell_with(&Cell::default(), field, word), when).is_some_and(|cells| !cells.is_empty())
    };
    let offered =
        |platform: &Platform| account_types.iter().any(|account_type| account_type.platforms.contains(platform));
    let before = faults.count();
    for platform in Platform::ALL.iter().filter(|platform| **platform != server.platform && offered(platform)) {
        if takes("platform", platform.as_str()) {
            let message = format!(
                "the row also takes {platform} accounts, but `{}` is a {} server",
                server.name, server.platform
            );
            faults.add(Fault::new(pointer.clone(), "wrong_platform", message));
        }
    }
    for kind in Environment::ALL.iter().filter(|kind| **kind != server.environment) {
        if takes("kind", kind.as_str()) {
            let message =
                format!("the row also takes {kind} accounts, but `{}` is a {} server", server.name, server.environment);
            faults.add(Fault::new(pointer.clone(), "wrong_environment", message));
        }
    }
    faults.count() == before
}

/// Every account that is on offer and has a server of its platform and kind has a group, in each of its currencies.
fn refuse_unplaced(types_at: &Node<'_>, set: &Platforms, space: &Space<'_>, faults: &mut Faults) {
    for (n, account_type) in set.account_types.iter().enumerate() {
        let own = space.cell_with(&Cell::default(), "account_type", account_type.name.as_str());
        for kind in Environment::ALL {
            for platform in set.platforms_for(account_type, *kind) {
                let cell =
                    space.cell_with(&space.cell_with(&own, "kind", kind.as_str()), "platform", platform.as_str());
                for (m, currency) in account_type.currencies.iter().enumerate() {
                    let cell = space.cell_with(&cell, "currency", *currency);
                    if let Some(gap) = space.gap(cell, set.groups.iter().map(|row| &row.when)) {
                        let pointer = format!("{}/{n}/currencies/{m}", types_at.pointer());
                        faults.add(Fault::new(pointer, "gap", format!("no row of groups covers {gap}")));
                    }
                }
            }
        }
    }
}
