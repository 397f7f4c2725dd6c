//! The table `changes`: which changes of an open account are made at once, and which a person approves first.

use serde::Serialize;

use super::AccountCase;
use crate::account::change::Access;
use crate::rules::reach::{Cell, Space};
use crate::rules::read::{Faults, Node};
use crate::rules::table::{ROWS_MAX, Row, read_rows, refuse_gap};
use crate::rules::{Fields, FirstMatch, RuleError, first_match};
use crate::words::words;

words! {
    /// A kind of change.
    ChangeKind {
        /// Another leverage.
        Leverage = "leverage",
        /// Another account type, and so another group.
        AccountType = "account_type",
        /// What the client may do.
        Access = "access",
        /// The account is put away.
        Archive = "archive",
        /// It is used again.
        Reopen = "reopen",
    }
}

words! {
    /// Who asks for a change.
    Asker {
        /// The client, by the portal.
        Client = "client",
        /// Somebody of the broker's.
        Staff = "staff",
    }
}

words! {
    /// What a change needs before it is made; the later ones are stricter.
    Needs {
        /// Nothing: it is made at once.
        Auto = "auto",
        /// One person, who did not ask for it himself.
        Approve = "approve",
        /// Two people, neither of whom asked for it.
        FourEyes = "four_eyes",
    }
}

/// What rows about changes may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCase {
    /// The account as it is to be.
    pub account: AccountCase,
    /// What is changed.
    pub change: ChangeKind,
    /// Who asks.
    pub by: Asker,
    /// The leverage as it is to be.
    pub leverage: u32,
    /// Whether that is more than before.
    pub raises: bool,
    /// What the client may do afterwards.
    pub access: Access,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeRule {
    /// What it needs.
    pub needs: Needs,
}

fn fields() -> Fields<ChangeCase> {
    Fields::new()
        .field("change", |case: &ChangeCase| case.change)
        .field("by", |case| case.by)
        .field("leverage", |case| case.leverage)
        .field("raises", |case| case.raises)
        .field("access", |case| case.access)
        .field("platform", |case| case.account.platform)
        .declared("account_type", |case| case.account.account_type.clone())
        .field("currency", |case| case.account.currency)
        .field("kind", |case| case.account.kind)
        .field("country", |case| case.account.country)
        .field("residence_eu", |case| case.account.country.in_eu())
}

pub(super) fn judge<'r>(
    rows: &'r [Row<ChangeRule>],
    case: &ChangeCase,
) -> Result<FirstMatch<'r, ChangeRule>, RuleError> {
    first_match(rows, fields().facts(case))
}

/// The rows must cover every change: what nobody thought of must not be nobody's.
pub(super) fn read(node: &Node<'_>, account_types: &[String], faults: &mut Faults) -> Option<Vec<Row<ChangeRule>>> {
    let schema = fields().schema(&[("account_type", account_types)]);
    let rows = read_rows(node, &schema, 1..=ROWS_MAX, faults, |then, _, faults| {
        let object = then.object(&["needs"], faults)?;
        let needs = object.need("needs", faults).and_then(|node| node.word(Needs::ALL, faults))?;
        Some(ChangeRule { needs })
    })?;
    refuse_gap(node, "changes", Cell::default(), &rows, &Space::new(&schema), faults);
    Some(rows)
}
