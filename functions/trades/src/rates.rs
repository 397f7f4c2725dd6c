//! Amounts in the base currency, by the rate of their day.

use domain::activity::InBase;
use domain::{Currency, Day, Money, Rounding, Timestamp};
use runtime::StepError;
use runtime::vendors::RateSources;
use rust_decimal::Decimal;
use store::TradesTable;

/// Days before a movement's own whose rate is good enough where its own has none: sources rest on holidays.
const DAYS_BACK: usize = 7;

/// The amount in the base currency; `None` where no rate is to be had.
pub(crate) async fn in_base(
    amount: &Money,
    base: Currency,
    at: Timestamp,
    now: Timestamp,
    trades: &TradesTable,
    sources: &RateSources,
) -> Result<Option<InBase>, StepError> {
    let day = Day::of(at);
    if amount.currency() == base {
        return Ok(Some(InBase { money: *amount, rate: Decimal::ONE, rate_day: day }));
    }
    let from = (0..DAYS_BACK).fold(day, |day, _| day.before());
    let mut known = trades.rate(amount.currency(), base, from, day).await?;
    if known.as_ref().is_none_or(|(rate_day, _)| *rate_day != day) && day == Day::of(now) {
        let live = sources.rules().await?;
        match sources.quote(&live.rules, amount.currency(), base).await {
            Ok(quote) => known = Some((day, trades.keep_rate(amount.currency(), base, day, quote.rate).await?)),
            Err(said) => tracing::warn!(currency = %amount.currency(), said, "there is no rate of today"),
        }
    }
    Ok(known.and_then(|(rate_day, rate)| {
        let converted = amount.convert(rate, base, Rounding::HalfEven).ok()?;
        Some(InBase { money: converted.result, rate, rate_day })
    }))
}
