//! The accounts of groups. The register gives all of them at once.

use serde_json::Value;

use super::Dxtrade;
use super::accounts::{GROUP_DOMAIN, MARGIN_DOMAIN, reference_of};
use super::rest::{Call, Interface};
use crate::platforms::call::unreadable;
use crate::platforms::list::{AccountsPage, ListedAccount};
use crate::platforms::{Login, PlatformError, json};

/// Accounts of a page.
const PAGE: usize = 100;

impl Dxtrade {
    pub(super) async fn page_of_accounts(
        &self,
        groups: &[String],
        after: Option<&str>,
    ) -> Result<AccountsPage, PlatformError> {
        let query = vec![("type", "CLIENT".to_owned())];
        let read = self.call(&Call::read(Interface::Register, "/api/register/account", query), self.deadline()).await?;
        let rows = read.body.as_array().ok_or_else(|| unreadable("list of accounts"))?;
        let own =
            |row: &&Value| json::text(row, "clearingCode").as_deref() == Some(self.settings.clearing_code.as_str());
        let rows: Option<Vec<ListedAccount>> = rows.iter().filter(own).map(|row| self.listed(row)).collect();
        let mut rows = rows.ok_or_else(|| unreadable("list of accounts"))?;
        rows.retain(|account| groups.contains(&account.group));
        Ok(AccountsPage::by_name(rows, after, PAGE))
    }

    fn listed(&self, row: &Value) -> Option<ListedAccount> {
        let categories = json::rows(row, "categories")?;
        let value = |domain: &str| {
            let of = |category: &&Value| json::text(category, "category").as_deref() == Some(domain);
            json::text(categories.iter().find(of)?, "value")
        };
        Some(ListedAccount {
            login: Login::new(json::text(row, "accountCode")?),
            reference: reference_of(row),
            // an account of somebody else's may stand in no group
            group: value(GROUP_DOMAIN).unwrap_or_default(),
            leverage: value(MARGIN_DOMAIN).and_then(|category| self.leverage(&category)),
        })
    }
}
