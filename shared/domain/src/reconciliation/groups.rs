//! What one payment has on both sides, matched as far as it goes.

use super::row::{Booked, SettledRow, totals};
use crate::{Currency, Money};

/// Something of one of the days of a window.
#[derive(Debug)]
pub(super) struct Of<'a, T> {
    /// Its place among the days.
    pub(super) day: usize,
    pub(super) it: &'a T,
}

impl<T> Clone for Of<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Of<'_, T> {}

/// Everything about one payment.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) rows: Vec<Of<'a, SettledRow>>,
    pub(super) booked: Vec<Of<'a, Booked>>,
    /// Rows that have their posting.
    pub(super) matched: Vec<&'a SettledRow>,
    /// Rows and postings that belong together and say different amounts.
    pub(super) pairs: Vec<(Of<'a, SettledRow>, Of<'a, Booked>)>,
}

impl Group<'_> {
    /// Takes out what agrees: the same amount on the same day, a day apart, or up to `reach` days later, then sums of several; and pairs
    /// what belongs together. Where `nets`, an operation and its reversal are nothing.
    pub(super) fn settle(&mut self, reach: usize, nets: bool) {
        for apart in 0..=reach {
            self.take_equal(apart);
        }
        if nets {
            self.take_net();
        }
        for comes_in in [true, false] {
            self.take_sums(comes_in, reach);
        }
        for same_currency in [true, false] {
            self.pair(same_currency, reach);
        }
    }

    fn take_equal(&mut self, apart: usize) {
        let (booked, matched) = (&mut self.booked, &mut self.matched);
        self.rows.retain(|row| {
            let fits = |posting: &Of<'_, Booked>| {
                posting.day.abs_diff(row.day) == apart
                    && are_near(row.day, posting.day, apart)
                    && posting.it.amount == row.it.amount
            };
            let Some(place) = booked.iter().position(fits) else { return true };
            booked.remove(place);
            matched.push(row.it);
            false
        });
    }

    /// One payment that a side has in several parts: the sums agree, and nothing is further apart than may be.
    fn take_sums(&mut self, comes_in: bool, reach: usize) {
        let currencies: Vec<Currency> = self.rows.iter().map(|row| row.it.amount.currency()).collect();
        for currency in currencies {
            let of = |amount: &Money| amount.currency() == currency && amount.is_positive() == comes_in;
            let rows: Vec<_> = self.rows.iter().filter(|row| of(&row.it.amount)).copied().collect();
            let booked: Vec<_> = self.booked.iter().filter(|posting| of(&posting.it.amount)).copied().collect();
            let days = || rows.iter().map(|row| row.day).chain(booked.iter().map(|posting| posting.day));
            let near = days().max().zip(days().min()).is_some_and(|(last, first)| last - first <= reach)
                && rows.iter().all(|row| booked.iter().all(|posting| are_near(row.day, posting.day, reach)));
            let theirs = totals(rows.iter().map(|row| row.it.amount));
            let ours = totals(booked.iter().map(|posting| posting.it.amount));
            if rows.is_empty() || booked.is_empty() || !near || theirs.is_err() || theirs != ours {
                continue;
            }
            self.matched.extend(rows.iter().map(|row| row.it));
            self.rows.retain(|row| !of(&row.it.amount));
            self.booked.retain(|posting| !of(&posting.it.amount));
        }
    }

    /// What is left comes to the same on both sides, whatever was done and undone on the way.
    fn take_net(&mut self) {
        let net = |amounts: Vec<Money>| {
            let sums = totals(amounts).ok()?;
            Some(sums.into_iter().filter(|sum| !sum.amount().is_zero()).collect::<Vec<_>>())
        };
        let theirs = net(self.rows.iter().map(|row| row.it.amount).collect());
        let ours = net(self.booked.iter().map(|posting| posting.it.amount).collect());
        if theirs.is_some() && theirs == ours {
            self.matched.extend(self.rows.drain(..).map(|row| row.it));
            self.booked.clear();
        }
    }

    fn pair(&mut self, same_currency: bool, reach: usize) {
        let (booked, pairs) = (&mut self.booked, &mut self.pairs);
        self.rows.retain(|row| {
            let fits = |posting: &Of<'_, Booked>| {
                let (ours, theirs) = (posting.it.amount, row.it.amount);
                are_near(row.day, posting.day, reach)
                    && ours.is_positive() == theirs.is_positive()
                    && (ours.currency() == theirs.currency()) == same_currency
            };
            let Some(place) = booked.iter().position(fits) else { return true };
            pairs.push((*row, booked.remove(place)));
            false
        });
    }
}

/// Whether a row can be a posting's: clocks and ends of days differ by a day at most, and what a provider settles late comes later.
fn are_near(row: usize, posting: usize, reach: usize) -> bool {
    row + 1 >= posting && row <= posting + reach.max(1)
}
