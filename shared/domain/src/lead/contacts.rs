//! Who is the same person: what the e-mail addresses and telephone numbers of a form are known by decides whether it begins a
//! lead or joins an earlier one.

use crate::{LeadId, Seconds, Timestamp};

/// What an address or number is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownContact {
    /// Its key: a hash.
    pub key: String,
    /// The lead that it is known by.
    pub lead_id: LeadId,
    /// Since when.
    pub since: Timestamp,
}

/// What a form does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrives<'k> {
    /// It joins the earliest lead of the same person that still counts.
    Joins(&'k KnownContact),
    /// It begins a lead.
    Begins {
        /// The same person's newest lead of another time: too long ago to join.
        before: Option<&'k KnownContact>,
    },
}

impl<'k> Arrives<'k> {
    /// Of what is `known` of a form's addresses and numbers; `own` is the lead that the form would begin.
    pub fn of(known: &'k [KnownContact], own: &LeadId, window: Seconds, now: Timestamp) -> Self {
        let others = || known.iter().filter(|contact| contact.lead_id != *own);
        let counts = |contact: &&KnownContact| now < contact.since.plus(window);
        // of two leads of one moment it is always the same one, whatever the order they were read in
        match others().filter(counts).min_by_key(|contact| (contact.since, &contact.lead_id)) {
            Some(first) => Self::Joins(first),
            None => Self::Begins { before: others().max_by_key(|contact| contact.since) },
        }
    }

    /// The keys that are made known by a lead, each with what it was known by until now: a form that joins adds those that
    /// nobody knew; one that begins a lead takes over all that are not its own.
    pub fn learns<'e>(
        &self,
        keys: &'e [String],
        known: &'k [KnownContact],
        own: &LeadId,
    ) -> impl Iterator<Item = (&'e str, Option<&'k KnownContact>)> {
        keys.iter().filter_map(move |key| {
            let was = known.iter().find(|contact| contact.key == *key);
            let new = match self {
                Self::Joins(_) => was.is_none(),
                Self::Begins { .. } => was.is_none_or(|was| was.lead_id != *own),
            };
            new.then_some((key.as_str(), was))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Seconds = Seconds(100);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_795_428_930 + seconds).unwrap()
    }

    fn lead(n: u128) -> LeadId {
        LeadId::from_bits(n)
    }

    fn known(key: &str, n: u128, since: i64) -> KnownContact {
        KnownContact { key: key.to_owned(), lead_id: lead(n), since: at(since) }
    }

    fn joined(known: &[KnownContact], now: i64) -> Option<LeadId> {
        match Arrives::of(known, &lead(9), WINDOW, at(now)) {
            Arrives::Joins(first) => Some(first.lead_id.clone()),
            Arrives::Begins { .. } => None,
        }
    }

    fn before(known: &[KnownContact], now: i64) -> Option<LeadId> {
        match Arrives::of(known, &lead(9), WINDOW, at(now)) {
            Arrives::Joins(first) => panic!("joins {first:?}"),
            Arrives::Begins { before } => before.map(|contact| contact.lead_id.clone()),
        }
    }

    #[test]
    fn the_window_ends_with_its_last_moment() {
        let one = [known("a", 1, 0)];
        assert_eq!(joined(&one, 0), Some(lead(1)));
        assert_eq!(joined(&one, 99), Some(lead(1)));
        assert_eq!((joined(&one, 100), before(&one, 100)), (None, Some(lead(1))));
        assert_eq!((joined(&[], 0), before(&[], 0)), (None, None));
    }

    #[test]
    fn the_earliest_that_still_counts_is_joined() {
        let two = [known("a", 2, 50), known("b", 1, 0)];
        assert_eq!(joined(&two, 99), Some(lead(1)));
        assert_eq!(joined(&two, 100), Some(lead(2)), "the earlier one is over");
        let same_moment = [known("a", 2, 50), known("b", 1, 50)];
        assert_eq!(joined(&same_moment, 60), Some(lead(1)));
        assert_eq!(joined(&[same_moment[1].clone(), same_moment[0].clone()], 60), Some(lead(1)));
    }

    #[test]
    fn the_newest_of_another_time_is_who_had_it_before() {
        assert_eq!(before(&[known("a", 1, 0), known("b", 2, 50)], 500), Some(lead(2)));
    }

    #[test]
    fn its_own_lead_is_never_another() {
        let own = [known("a", 9, 0)];
        assert_eq!((joined(&own, 1), before(&own, 1)), (None, None));
        assert_eq!(before(&[known("a", 9, 300), known("b", 1, 0)], 310), Some(lead(1)));
    }

    #[test]
    fn a_form_that_joins_adds_what_nobody_knew() {
        let keys = ["a".to_owned(), "b".to_owned()];
        let others = [known("a", 1, 0)];
        let arrives = Arrives::of(&others, &lead(9), WINDOW, at(1));
        assert_eq!(arrives.learns(&keys, &others, &lead(9)).collect::<Vec<_>>(), [("b", None)]);
    }

    #[test]
    fn a_form_that_begins_a_lead_takes_over_what_is_not_its_own() {
        let keys = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let known = [known("a", 1, 0), known("b", 9, 400)];
        let arrives = Arrives::of(&known, &lead(9), WINDOW, at(500));
        let learnt: Vec<_> = arrives.learns(&keys, &known, &lead(9)).collect();
        assert_eq!(learnt, [("a", Some(&known[0])), ("c", None)]);
    }
}
