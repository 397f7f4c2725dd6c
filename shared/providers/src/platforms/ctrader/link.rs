//! The cTrader ID: a person logs in with it, and with no account that is not linked to it.

use ::http::Method;
use secrecy::ExposeSecret;
use serde_json::json;

use super::errors::ALREADY_LINKED;
use super::rest::Call;
use super::traders::number_of;
use super::{Ctrader, md5_hex};
use crate::platforms::call::unreadable;
use crate::platforms::{Login, NewAccount, PlatformError, json};

impl Ctrader {
    /// The person of a mail address is the same each time, and an account that is linked already is linked.
    pub(super) async fn link(&self, login: &Login, account: &NewAccount) -> Result<(), PlatformError> {
        let (until, number) = (self.deadline(), number_of(login)?);
        let person = json!({ "email": account.email.reveal() });
        let made = self.json(&Call::write(Method::POST, "/cid/ctid/create", person.to_string()), until).await?;
        let user_id: i64 = json::whole(&made, "userId").ok_or_else(|| unreadable("person"))?;
        let link = json!({
            "traderLogin": number,
            "traderPasswordHash": md5_hex(account.password.expose_secret()),
            "userId": user_id,
            "brokerName": self.settings.broker_name,
            "environmentName": self.settings.environment,
            "returnAccountDetails": false,
        });
        match self.json(&Call::write(Method::POST, "/cid/ctid/link", link.to_string()), until).await {
            Err(PlatformError::Refused { code, .. }) if code == ALREADY_LINKED => Ok(()),
            linked => linked.map(|_| ()),
        }
    }
}
