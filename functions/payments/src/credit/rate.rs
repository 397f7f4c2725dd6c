//! The rate of a deposit in another currency than the account's: fetched right before its first intent, and saved with it. Whoever dies
//! in between has sent nothing, and the next one fetches another.

use domain::client::Client;
use domain::decision::Frame;
use domain::payment::fx::Fx;
use domain::payment::fx::rules::FxCase;
use domain::payment::{CreditStep, Deposit};
use providers::RATE_CALL_TIMEOUT_S;
use runtime::StepError;
use store::Stored;

use super::{Credit, Job, TIMEOUT_S};

// the sources of a pair are at most four: the credit after them still has half of the time
const _: () = assert!(TIMEOUT_S >= 2 * 4 * RATE_CALL_TIMEOUT_S);

impl Credit {
    /// Finds a rate and sends the credit; without one the deposit waits, and then a person decides.
    pub(super) async fn price(
        &self,
        job: &Job,
        stored: Stored<Deposit>,
        frame: &mut Frame,
    ) -> Result<&'static str, StepError> {
        let found = match self.rate(job, &stored.entity, frame).await {
            Err(StepError::Rules { set, what }) => Err(format!("rules {set}: {what}")),
            found => found?,
        };
        let fx = match found {
            Ok(fx) => fx,
            Err(reason) => {
                return self.save(stored, frame, |d, now| d.without_rate(&reason, job.review_after, now)).await;
            }
        };
        match stored.entity.only_into(job.bar, stored.entity.priced(fx, frame.now), frame.now) {
            CreditStep::Send(intent) => self.send(job, stored, *intent, frame).await,
            CreditStep::Save(verdict) => Ok(self.saved(stored, &verdict, frame).await?.outcome()),
            CreditStep::LookUp | CreditStep::Price => Err(StepError::Busy("another worker has it")),
            CreditStep::Nothing(reason) => Err(StepError::Busy(reason)),
        }
    }

    /// The rate with its markup, or why there is none.
    async fn rate(&self, job: &Job, deposit: &Deposit, frame: &mut Frame) -> Result<Result<Fx, String>, StepError> {
        let live = self.rates.rules().await?;
        frame.used(live.label());
        let (amount, to) = (deposit.creditable(), deposit.account_currency());
        let client = self.crm.load_settled::<Client>(&deposit.client_id).await?;
        let client = client.ok_or_else(|| StepError::Absent(deposit.client_id.to_string()))?.entity;
        let case = FxCase {
            from: amount.currency(),
            to,
            country: client.facts.residence,
            account_type: job.account_type.clone(),
            amount: amount.amount(),
        };
        let unusable = |what: String| StepError::Rules { set: "fx", what };
        let matched = live.rules.markup(&case).map_err(|error| unusable(error.to_string()))?;
        let markup = *matched.outcome().ok_or_else(|| unusable("no row of `markup` fits".to_owned()))?;
        let quote = self.rates.quote(&live.rules, amount.currency(), to).await;
        Ok(quote.map(|quote| Fx::of(quote, markup)))
    }
}
