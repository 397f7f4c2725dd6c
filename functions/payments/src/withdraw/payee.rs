//! Whether who gets the money is the client: the providers are asked for the names of those who paid, and each is compared with the
//! client's. A name is read, compared and forgotten.

use domain::client::Client;
use domain::payment::rules::Psps;
use domain::withdrawal::WithdrawalRequest;
use domain::withdrawal::payee::Told;
use futures::future::join_all;
use runtime::StepError;
use runtime::problem::with_causes;
use screening::matching::likeness::likeness;

use super::Withdraw;

impl Withdraw {
    /// What was told of each payer, in the order of [`WithdrawalRequest::payers`]. All are asked at once: the client waits for one call.
    pub(super) async fn payees(&self, wish: &WithdrawalRequest, client: &Client, psps: &Psps) -> Vec<Told> {
        let own = client.person.full_name.reveal();
        join_all(wish.payers().into_iter().map(|(psp, reference)| self.told(psp, reference, own, psps))).await
    }

    async fn told(&self, psp: &str, reference: &str, own: &str, psps: &Psps) -> Told {
        let Some(rule) = psps.psp(psp) else { return Told::Unheard };
        let name = match self.providers.adapter(rule).await {
            Ok(adapter) => adapter.payer_name(reference).await.map_err(StepError::from),
            Err(error) => Err(error),
        };
        match name {
            Ok(Some(name)) => likeness(own, name.reveal()).map_or(Told::Nothing, Told::Likeness),
            Ok(None) => Told::Nothing,
            Err(error) => {
                tracing::warn!(psp, error = with_causes(&error), "the payer's name is not known");
                Told::Unheard
            }
        }
    }
}
