//! Who is the same person: what the e-mail addresses and telephone numbers of a form are known by decides whether it begins a
//! lead or joins an earlier one.
//!
//! Nobody proves that an address or a number is theirs. Who names somebody else's beside an own one must not get that person's
//! lead: only what a lead began with is joined by. What a later form of the same lead adds is a hint, and gives way to whoever
//! begins a lead with it.

use crate::{LeadId, Seconds, Timestamp};

/// How an address or number came to be known by a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactTie {
    /// The lead began with it.
    Own,
    /// A form that joined the lead named it.
    Later,
}

/// What an address or number is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownContact {
    /// Its key: a hash.
    pub key: String,
    /// The lead that it is known by.
    pub lead_id: LeadId,
    /// Since when.
    pub since: Timestamp,
    /// What it proves.
    pub tie: ContactTie,
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
        /// The earliest lead that still counts and of which a later form named the same address or number: the same person,
        /// perhaps.
        perhaps: Option<&'k KnownContact>,
    },
}

impl<'k> Arrives<'k> {
    /// Of what is `known` of a form's addresses and numbers; `own` is the lead that the form would begin.
    pub fn of(known: &'k [KnownContact], own: &LeadId, window: Seconds, now: Timestamp) -> Self {
        let tied = |tie| known.iter().filter(move |contact| contact.lead_id != *own && contact.tie == tie);
        let counts = |contact: &&KnownContact| now < contact.since.plus(window);
        // of two leads of one moment it is always the same one, whatever the order they were read in
        let earliest = |tie| tied(tie).filter(counts).min_by_key(|contact| (contact.since, &contact.lead_id));
        match earliest(ContactTie::Own) {
            Some(first) => Self::Joins(first),
            None => Self::Begins {
                before: tied(ContactTie::Own).max_by_key(|contact| contact.since),
                perhaps: earliest(ContactTie::Later),
            },
        }
    }

    /// What becomes known, each with what it was known by until now: a form that joins adds those keys that nobody knew, as
    /// hints; one that begins a lead takes over all that are not its own.
    pub fn learns(
        &self,
        keys: &[String],
        known: &'k [KnownContact],
        own: &LeadId,
        now: Timestamp,
    ) -> Vec<(KnownContact, Option<&'k KnownContact>)> {
        let (lead_id, tie) = match self {
            Self::Joins(first) => (&first.lead_id, ContactTie::Later),
            Self::Begins { .. } => (own, ContactTie::Own),
        };
        let learnt = |key: &String| {
            let was = known.iter().find(|contact| contact.key == *key);
            let new = match self {
                Self::Joins(_) => was.is_none(),
                Self::Begins { .. } => was.is_none_or(|was| was.lead_id != *own),
            };
            new.then(|| (KnownContact { key: key.clone(), lead_id: lead_id.clone(), since: now, tie }, was))
        };
        keys.iter().filter_map(learnt).collect()
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
        KnownContact { key: key.to_owned(), lead_id: lead(n), since: at(since), tie: ContactTie::Own }
    }

    fn hint(key: &str, n: u128, since: i64) -> KnownContact {
        KnownContact { tie: ContactTie::Later, ..known(key, n, since) }
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
            Arrives::Begins { before, .. } => before.map(|contact| contact.lead_id.clone()),
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
        assert_eq!(arrives.learns(&keys, &others, &lead(9), at(1)), [(hint("b", 1, 1), None)]);
    }

    #[test]
    fn a_form_that_begins_a_lead_takes_over_what_is_not_its_own() {
        let keys = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let known = [known("a", 1, 0), known("b", 9, 400)];
        let arrives = Arrives::of(&known, &lead(9), WINDOW, at(500));
        let learnt = arrives.learns(&keys, &known, &lead(9), at(500));
        assert_eq!(
            learnt,
            [(super::tests::known("a", 9, 500), Some(&known[0])), (super::tests::known("c", 9, 500), None)]
        );
    }

    /// What stands in the table after a form with these keys.
    fn sent(book: &mut Vec<KnownContact>, keys: &[&str], own: u128, now: i64) -> Option<LeadId> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let found: Vec<_> = book.iter().filter(|contact| keys.contains(&contact.key)).cloned().collect();
        let arrives = Arrives::of(&found, &lead(own), WINDOW, at(now));
        for (learnt, _) in arrives.learns(&keys, &found, &lead(own), at(now)) {
            book.retain(|contact| contact.key != learnt.key);
            book.push(learnt);
        }
        match arrives {
            Arrives::Joins(first) => Some(first.lead_id.clone()),
            Arrives::Begins { .. } => None,
        }
    }

    #[test]
    fn whoever_names_other_peoples_numbers_beside_an_own_address_does_not_get_their_leads() {
        let mut book = Vec::new();
        assert_eq!(sent(&mut book, &["email:thief"], 1, 0), None);
        for n in 0..30 {
            assert_eq!(sent(&mut book, &["email:thief", &format!("phone:{n}")], 100 + n, 1), Some(lead(1)));
        }
        // somebody else, whose address nobody knows, with his own number
        let keys = ["email:somebody".to_owned(), "phone:7".to_owned()];
        let found: Vec<_> = book.iter().filter(|contact| keys.contains(&contact.key)).cloned().collect();
        let arrives = Arrives::of(&found, &lead(200), WINDOW, at(2));
        assert_eq!(arrives, Arrives::Begins { before: None, perhaps: Some(&hint("phone:7", 1, 1)) });
        // and from then on the number is his
        assert_eq!(sent(&mut book, &["email:somebody", "phone:7"], 200, 2), None);
        assert_eq!(sent(&mut book, &["email:another", "phone:7"], 201, 3), Some(lead(200)));
        assert_eq!(sent(&mut book, &["email:thief", "phone:7"], 202, 4), Some(lead(1)), "the thief stays with his own");
    }

    #[test]
    fn whoever_names_other_peoples_addresses_beside_an_own_number_does_not_get_their_leads() {
        let mut book = Vec::new();
        assert_eq!(sent(&mut book, &["email:thief", "phone:thief"], 1, 0), None);
        assert_eq!(sent(&mut book, &["email:somebody", "phone:thief"], 2, 1), Some(lead(1)));
        assert_eq!(sent(&mut book, &["email:somebody"], 3, 2), None);
    }

    #[test]
    fn a_person_with_a_new_number_still_joins_by_the_address() {
        let mut book = Vec::new();
        assert_eq!(sent(&mut book, &["email:ana", "phone:old"], 1, 0), None);
        assert_eq!(sent(&mut book, &["email:ana", "phone:new"], 2, 1), Some(lead(1)));
        assert_eq!(sent(&mut book, &["email:ana", "phone:new"], 3, 2), Some(lead(1)));
        assert_eq!(sent(&mut book, &["email:other", "phone:new"], 4, 3), None, "by a hint alone nothing is joined");
        assert_eq!(sent(&mut book, &["email:ana", "phone:new"], 5, 4), Some(lead(1)), "the earlier of the two");
    }

    #[test]
    fn a_hint_says_who_it_may_be_while_it_counts_and_never_who_it_was() {
        let hints = [hint("a", 1, 0), hint("b", 2, 50)];
        let perhaps = |now| match Arrives::of(&hints, &lead(9), WINDOW, at(now)) {
            Arrives::Begins { before: None, perhaps } => perhaps.map(|contact| contact.lead_id.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!((perhaps(99), perhaps(100), perhaps(150)), (Some(lead(1)), Some(lead(2)), None));
    }
}
