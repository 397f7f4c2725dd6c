//! What one payment has on both sides, matched as far as it goes.

use super::row::{Booked, SettledRow, totals};
use crate::{Currency, Money};

/// Something of one of the three days of a window.
#[derive(Debug)]
pub(super) struct Of<'a, T> {
    /// 0 the day before, 1 the day, 2 the day after.
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
    /// Takes out what agrees: the same amount on the same day or a day apart, then sums of several; and pairs what belongs together.
    pub(super) fn settle(&mut self) {
        for apart in [0, 1] {
            self.take_equal(apart);
        }
        for comes_in in [true, false] {
            self.take_sums(comes_in);
        }
        for same_currency in [true, false] {
            self.pair(same_currency);
        }
    }

    fn take_equal(&mut self, apart: usize) {
        let (booked, matched) = (&mut self.booked, &mut self.matched);
        self.rows.retain(|row| {
            let fits =
                |posting: &Of<'_, Booked>| posting.day.abs_diff(row.day) == apart && posting.it.amount == row.it.amount;
            let Some(place) = booked.iter().position(fits) else { return true };
            booked.remove(place);
            matched.push(row.it);
            false
        });
    }

    /// One payment that a side has in several parts: the sums agree, and nothing is further than a day apart.
    fn take_sums(&mut self, comes_in: bool) {
        let currencies: Vec<Currency> = self.rows.iter().map(|row| row.it.amount.currency()).collect();
        for currency in currencies {
            let of = |amount: &Money| amount.currency() == currency && amount.is_positive() == comes_in;
            let rows: Vec<_> = self.rows.iter().filter(|row| of(&row.it.amount)).copied().collect();
            let booked: Vec<_> = self.booked.iter().filter(|posting| of(&posting.it.amount)).copied().collect();
            let days = || rows.iter().map(|row| row.day).chain(booked.iter().map(|posting| posting.day));
            let near = days().max().zip(days().min()).is_some_and(|(last, first)| last - first <= 1);
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

    fn pair(&mut self, same_currency: bool) {
        let (booked, pairs) = (&mut self.booked, &mut self.pairs);
        self.rows.retain(|row| {
            let fits = |posting: &Of<'_, Booked>| {
                let (ours, theirs) = (posting.it.amount, row.it.amount);
                posting.day.abs_diff(row.day) <= 1
                    && ours.is_positive() == theirs.is_positive()
                    && (ours.currency() == theirs.currency()) == same_currency
            };
            let Some(place) = booked.iter().position(fits) else { return true };
            pairs.push((*row, booked.remove(place)));
            false
        });
    }
}
