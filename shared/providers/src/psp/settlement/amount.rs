//! Amounts of a file, as plain decimals of their currency.

use domain::{Currency, Money, MoneyError};

use super::Wrong;
use super::columns::Line;

/// A currency by its code, in either case.
pub(super) fn currency(line: &Line<'_>, column: &str) -> Result<Currency, Wrong> {
    let code = line.need(column)?.to_uppercase();
    code.parse().map_err(|_| Wrong::new("unknown_currency", format!("{column} is no ISO 4217 code")))
}

/// An amount without its sign. Zeros beyond the currency's digits say nothing; other digits there are refused, not rounded.
pub(super) fn magnitude(line: &Line<'_>, column: &str, currency: Currency) -> Result<Money, Wrong> {
    let text = line.need(column)?;
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let pointed;
    let mut plain = text;
    if line.columns.decimal_comma && !text.contains('.') {
        pointed = text.replacen(',', ".", 1);
        plain = &pointed;
    }
    let digits = usize::try_from(currency.digits()).unwrap_or(0);
    if let Some((whole, fraction)) = plain.split_once('.')
        && let Some((kept, beyond)) = fraction.split_at_checked(digits)
        && beyond.bytes().all(|digit| digit == b'0')
    {
        let end = whole.len() + if kept.is_empty() { 0 } else { 1 + kept.len() };
        plain = plain.get(..end).unwrap_or(plain);
    }
    let wrong = |error: MoneyError| {
        let what = match error {
            MoneyError::TooManyDecimals => format!("{column} is finer than {currency} has digits"),
            _ => format!("{column} is no plain decimal such as 1250.00"),
        };
        Wrong::new("bad_amount", what)
    };
    let amount = Money::parse(plain, currency).map_err(wrong)?;
    if amount.is_positive() { Ok(amount) } else { Err(Wrong::new("bad_amount", format!("{column} is nothing"))) }
}
