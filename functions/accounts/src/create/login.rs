//! A login that a person says is the account's: looked up on the platform before it counts.

use domain::Timestamp;
use domain::account::Account;
use domain::account::named::{NamedLogin, ShownLogin};
use domain::account::sweep::OnServer;
use domain::decision::Frame;
use providers::platforms::Login;
use runtime::StepError;

use super::Create;

/// What a look-up says of it.
enum Looked {
    /// It is there, and set as the account is.
    Right,
    /// It is not, and this was found.
    Wrong(String),
    /// The platform could not be asked; where it is being maintained, until then.
    Silent(String, Option<Timestamp>),
}

impl Create {
    pub(super) async fn check_login(&self, account: &Account, frame: &mut Frame) -> Result<&'static str, StepError> {
        let Some(named) = account.inner.named.as_ref() else { return Ok("nothing_to_do") };
        frame.used(self.servers.rules().await?.label());
        let (looked, now) = (self.look(account, named).await, frame.now);
        self.keep(&account.id, frame, |account| match &looked {
            Looked::Right => account.login_proven(named),
            Looked::Wrong(found) => account.login_refused(named, found, now),
            Looked::Silent(reason, until) => account.login_not_looked_up(named, reason, *until, now),
        })
        .await
    }

    async fn look(&self, account: &Account, named: &NamedLogin) -> Looked {
        let server = match self.servers.adapter(&account.facts.server).await {
            Ok(server) => server,
            Err(error @ StepError::Maintenance { until, .. }) => return Looked::Silent(error.to_string(), Some(until)),
            Err(error) => return Looked::Silent(error.to_string(), None),
        };
        let shown = match server.account(&Login::new(named.login.clone())).await {
            Ok(shown) => shown,
            Err(error) => {
                self.servers.heard(&account.facts.server, &error).await;
                tracing::warn!(account.id = %account.id, todo = ?error.disposition(), "a login could not be looked up");
                return Looked::Silent(error.to_string(), None);
            }
        };
        let shown = shown.as_ref().map(|state| ShownLogin {
            set: OnServer { group: &state.group, leverage: state.leverage },
            reference: &state.reference,
        });
        match account.login_held_against(shown) {
            Ok(()) => Looked::Right,
            Err(found) => Looked::Wrong(found),
        }
    }
}
