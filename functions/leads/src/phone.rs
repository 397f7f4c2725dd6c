//! Telephone numbers as people write them, by the numbering plans of libphonenumber.
//!
//! A number without a plus is taken for a national one of the country it was written in, as long as that country lists it,
//! whatever it begins with: nine of ten Indian mobiles begin like India's calling code. Only then it may be one with the
//! country's way abroad, or with its calling code, before it. A number that nobody lists, but that has a length that the
//! country's numbers have, is taken too: plans are always behind. Nothing is guessed: without a plus and without a country a
//! number is kept as it is, for there is always a country in which it is somebody else's.
//!
//! A number that costs whoever calls it more than a call is read like any other, and not believed: who gives it may live on
//! being called.
//!
//! The first number of each country that a process reads takes some milliseconds, in which its patterns are compiled; every other
//! one well below a tenth of a millisecond.

mod plan;
#[cfg(test)]
mod source;
#[cfg(test)]
mod tests;
mod written;

use domain::Country;
use domain::contact::{self, NoPhone, Phone, PhoneNumber};

use plan::Plan;
use written::Written;

/// A number of which nobody knows the country has at least and at most so many digits.
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;
/// A text with more of them is no number, whatever else it is.
const CHARS_MAX: usize = 200;

/// How far a reading comes.
enum Reading {
    Listed(PhoneNumber),
    Possible(PhoneNumber),
    /// Nobody knows of what country.
    NoCountry,
    No(NoPhone),
}

/// Reads a number: international, or national in the country it was written in.
///
/// # Errors
/// Why it cannot be one.
pub(crate) fn read(text: &str, country: Option<Country>) -> Result<Phone, NoPhone> {
    if text.chars().count() > CHARS_MAX {
        return Err(NoPhone::NotANumber);
    }
    let as_given = || Some(contact::one_line(text));
    let readings = written::readings(text);
    let mut best = Reading::No(NoPhone::NotANumber);
    for (n, written) in readings.iter().enumerate() {
        match number(written, country) {
            Reading::Listed(number) => {
                let as_given = written.says_more.then(as_given).flatten();
                return Ok(Phone { number: Some(number), as_given });
            }
            // only the whole text counts for what is not listed: a part of it is always a possible number
            reading if n == 0 && !written.guessed => best = reading,
            _ => {}
        }
    }
    let more = readings.first().is_some_and(|written| written.says_more);
    match best {
        Reading::Listed(number) | Reading::Possible(number) => {
            Ok(Phone { number: Some(number), as_given: more.then(as_given).flatten() })
        }
        Reading::No(why @ NoPhone::UnknownCode) => Err(why),
        Reading::NoCountry | Reading::No(_) if written::has_letters(text) => Err(NoPhone::NotANumber),
        Reading::NoCountry => Ok(Phone { number: None, as_given: as_given() }),
        Reading::No(why) => Err(why),
    }
}

fn number(written: &Written, country: Option<Country>) -> Reading {
    let digits = written.digits.as_str();
    if written.plus {
        return international(digits.trim_start_matches('0'));
    }
    match country.and_then(|country| Plan::of(country.code())) {
        Some(plan) => national(plan, digits),
        None => match digits.strip_prefix("00") {
            Some(abroad) => international(abroad),
            None if (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) => Reading::NoCountry,
            None => Reading::No(NoPhone::Length),
        },
    }
}

/// The digits after a plus.
fn international(digits: &str) -> Reading {
    for length in 1..=3 {
        let Some((code, national)) = digits.split_at_checked(length) else { break };
        let Some(main) = code.parse().ok().and_then(|code| Plan::of_code(code).next()) else { continue };
        let forms = main.forms(national);
        if let Some(listed) = forms.iter().find_map(|form| listed(main.code, form)) {
            return Reading::Listed(listed);
        }
        let Some(form) = forms.iter().find(|form| Plan::of_code(main.code).any(|plan| plan.has_length(form))) else {
            return Reading::No(NoPhone::Length);
        };
        let alone = Plan::of_code(main.code).nth(1).is_none();
        let country = alone.then(|| main.region.parse().ok()).flatten();
        return possible(main.code, form, country);
    }
    Reading::No(NoPhone::UnknownCode)
}

/// Digits as they are written inside a country.
fn national(plan: &Plan, digits: &str) -> Reading {
    let forms = plan.forms(digits);
    if let Some(listed) = forms.iter().find_map(|form| in_country(plan, form)) {
        return Reading::Listed(listed);
    }
    // not what is dialled here, then: with what is dialled abroad, or as it is known there
    let abroad = plan.without_prefix_abroad(digits).or_else(|| digits.strip_prefix("00")).map(international);
    let known_there = digits.starts_with(&plan.code.to_string()).then(|| international(digits));
    let mut possible_abroad = None;
    for reading in [abroad, known_there].into_iter().flatten() {
        match reading {
            Reading::Listed(_) => return reading,
            Reading::Possible(_) => possible_abroad = possible_abroad.or(Some(reading)),
            Reading::NoCountry | Reading::No(_) => {}
        }
    }
    // of those that may be, the one without what is dialled before it
    match forms.iter().skip(1).chain(forms.first()).find(|form| plan.has_length(form)) {
        Some(form) => possible(plan.code, form, plan.region.parse().ok()),
        None => possible_abroad.unwrap_or(Reading::No(NoPhone::Length)),
    }
}

/// A national number as its country's plan lists it, or the plan of another country with the same calling code.
fn in_country(plan: &Plan, national: &str) -> Option<PhoneNumber> {
    if plan.lists(national) { Some(listed_by(plan, national)) } else { listed(plan.code, national) }
}

/// A national number in the form in which it is listed: as it is, or as mobiles of its country are dialled today.
fn listed(code: u16, national: &str) -> Option<PhoneNumber> {
    let by_some_plan = |national: &str| {
        let plan = Plan::of_code(code).find(|plan| plan.lists(national))?;
        Some(listed_by(plan, national))
    };
    if let Some(number) = by_some_plan(national) {
        return Some(number);
    }
    let e164 = format!("+{code}{national}");
    let of_a_mobile = contact::modern_mobile(&e164).unwrap_or_else(|| contact::same_mobile(&e164));
    by_some_plan(of_a_mobile.strip_prefix(&format!("+{code}"))?)
}

fn possible(code: u16, national: &str, country: Option<Country>) -> Reading {
    let e164 = format!("+{code}{national}");
    if !contact::is_e164(&e164) {
        return Reading::No(NoPhone::Length);
    }
    Reading::Possible(PhoneNumber { e164, country, listed: false, costs: plan::COSTLY_CODES.contains(&code) })
}

/// A number that a plan lists. Germany lists some that are longer than E.164 allows.
fn listed_by(plan: &Plan, national: &str) -> PhoneNumber {
    PhoneNumber {
        e164: format!("+{}{national}", plan.code),
        country: plan.region.parse().ok(),
        listed: true,
        costs: plan.costs(national),
    }
}
