//! Whose turn it is in a pool.
//!
//! Each lead is divided in thought among everybody who is there for it, by weight. What somebody is owed (`lag`) is the sum of
//! these fractions minus the leads really given. The next lead goes to whoever is owed something and whose claim to a whole
//! lead falls due first, measured in that person's own weight ("earliest eligible virtual deadline first", Stoica and
//! Abdel-Wahab 1995).
//!
//! Who leaves hands over what is open: the fraction, owed or received too early, is divided among those who stay, by weight.
//! So all open fractions always add up to nothing, and each one stays below one lead whoever comes, goes or pauses.
//! In a pool that lets people catch up, a pause does not end the claim: fractions go on being added, up to the pause's limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Seconds, Timestamp};

/// One lead in the units of [`Shares`]: whole numbers, so that nothing is lost by rounding.
pub const WHOLE: i64 = 1_000_000_000;
/// The largest weight.
pub const WEIGHT_MAX: u32 = 10_000;

/// What each member of a pool is owed, in billionths of a lead; negative for who had more than a share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    lags: BTreeMap<String, i64>,
    /// Who pauses with a claim, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    paused: BTreeMap<String, Timestamp>,
}

/// Somebody's part in the next lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Can take it.
    Present,
    /// Pauses: cannot take it, but goes on having a share where the pool lets people catch up.
    Pausing,
}

impl Shares {
    /// What somebody is owed.
    pub fn lag(&self, name: &str) -> i64 {
        self.lags.get(name).copied().unwrap_or(0)
    }

    /// Everybody who has a share, and what they are owed.
    pub fn lags(&self) -> impl Iterator<Item = (&str, i64)> {
        self.lags.iter().map(|(name, lag)| (name.as_str(), *lag))
    }

    /// Brings the shares up to date with who is there now. Whoever comes begins with nothing; whoever is gone, or pauses
    /// longer than the pool allows, hands over to those who stay.
    pub fn settle(&mut self, there: &BTreeMap<&str, (u32, Part)>, catch_up: Option<Seconds>, now: Timestamp) {
        for (name, (_, part)) in there {
            match part {
                Part::Present => {
                    self.paused.remove(*name);
                    if !self.lags.contains_key(*name) {
                        self.lags.insert((*name).to_owned(), 0);
                    }
                }
                Part::Pausing if self.lags.contains_key(*name) => {
                    self.paused.entry((*name).to_owned()).or_insert(now);
                }
                Part::Pausing => {}
            }
        }
        let gone: Vec<String> =
            self.lags.keys().filter(|name| !self.stays(name, there, catch_up, now)).cloned().collect();
        for name in gone {
            self.paused.remove(&name);
            let open = self.lags.remove(&name).unwrap_or(0);
            self.divide(open, |name| there.get(name).map(|(weight, _)| *weight));
        }
    }

    fn stays(
        &self,
        name: &str,
        there: &BTreeMap<&str, (u32, Part)>,
        catch_up: Option<Seconds>,
        now: Timestamp,
    ) -> bool {
        match there.get(name) {
            None => false,
            Some((_, Part::Present)) => true,
            Some((_, Part::Pausing)) => {
                let since = self.paused.get(name).copied().unwrap_or(now);
                catch_up.is_some_and(|limit| now <= since.plus(limit))
            }
        }
    }

    /// Divides an amount by weight among who has one; what does not divide evenly goes to the first ones, a billionth each.
    fn divide(&mut self, amount: i64, weight: impl Fn(&str) -> Option<u32>) {
        let all: i128 = self.lags.keys().filter_map(|name| weight(name)).map(i128::from).sum();
        if all == 0 {
            // nobody is left to owe anything to: what stays open must be nothing
            if let Some(lag) = self.lags.values_mut().next() {
                *lag = lag.saturating_add(amount);
            }
            return;
        }
        let part = |weight: u32| {
            let exact = (i128::from(amount) * i128::from(weight)).div_euclid(all);
            i64::try_from(exact).unwrap_or(0)
        };
        let mut rest = amount - self.lags.keys().filter_map(|name| weight(name)).map(part).sum::<i64>();
        for (name, lag) in &mut self.lags {
            let Some(weight) = weight(name) else { continue };
            let extra = rest.signum();
            *lag = lag.saturating_add(part(weight)).saturating_add(extra);
            rest -= extra;
        }
    }

    /// Whose turn it is among those who can take this lead; the name decides between equals.
    pub fn next<'a>(&self, candidates: &BTreeMap<&'a str, u32>) -> Option<&'a str> {
        let rank = |name: &str, weight: u32| {
            let lag = self.lag(name);
            // with whom the claim falls due earlier: (WHOLE - lag) / weight, compared without dividing
            (lag < 0, (i128::from(WHOLE) - i128::from(lag)) * i128::from(WEIGHT_SCALE) / i128::from(weight.max(1)))
        };
        candidates.iter().min_by_key(|(name, weight)| (rank(name, **weight), **name)).map(|(name, _)| *name)
    }

    /// Gives a lead: everybody who has a share in it is owed their fraction more, and whoever got it a whole one less.
    /// Who pauses without a claim has none, so only settled members count.
    pub fn give(&mut self, sharing: &BTreeMap<&str, u32>, to: &str) {
        self.divide(WHOLE, |name| sharing.get(name).copied());
        let lag = self.lags.entry(to.to_owned()).or_insert(0);
        *lag = lag.saturating_sub(WHOLE);
    }
}

/// Makes deadlines of different weights comparable as whole numbers.
const WEIGHT_SCALE: u32 = 1_000_000;

#[cfg(test)]
mod tests;
