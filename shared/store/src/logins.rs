//! Whose a login of a trading server is: one item a login, saved with the account that gets it, so that none is of two accounts.

use domain::AccountId;

use crate::Crm;
use crate::commit::Commit;
use crate::error::StoreError;
use crate::item::{Item, KEY, SORT, SORT_ENTITY, s, text};

const HOLDER: &str = "holder";

/// The item's key: each server numbers for itself, and none tells two logins apart by the size of their letters.
fn key(server: &str, login: &str) -> String {
    format!("login#{server}#{}", login.to_ascii_lowercase())
}

impl Crm {
    /// The account that a login was given to, strongly consistent: 1 read unit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn login_holder(&self, server: &str, login: &str) -> Result<Option<AccountId>, StoreError> {
        let key = key(server, login);
        let Some(item) = self.0.get(&key, SORT_ENTITY, true).await? else { return Ok(None) };
        let holder = text(&item, &key, HOLDER)?.parse();
        holder.map(Some).map_err(|_| StoreError::corrupt(&key, "the holder is no account"))
    }
}

impl Commit {
    /// Gives a login to an account, under the condition that no other has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn take_login(&mut self, crm: &Crm, server: &str, login: &str, account: &AccountId) -> Result<(), StoreError> {
        let item = Item::from([
            (KEY.to_owned(), s(key(server, login))),
            (SORT.to_owned(), s(SORT_ENTITY)),
            (HOLDER.to_owned(), s(account.as_str())),
        ]);
        self.put(&crm.0, item, None, |put| {
            put.condition_expression("attribute_not_exists(pk) OR #holder = :holder")
                .expression_attribute_names("#holder", HOLDER)
                .expression_attribute_values(":holder", s(account.as_str()))
        })
    }
}
