//! Whether a chain of entries is whole: link by link, and at its end against the entity's own item.

use domain::decision::ChainHash;
use domain::{Seconds, Timestamp};

use super::JournalEntry;
use crate::item::Outboxed;

/// How long a version may be on its way into the journal: the relay takes moments, and what is older is missing.
pub const ON_ITS_WAY: Seconds = Seconds(60);

/// Entries of one entity as they were read, oldest first, with what they are checked against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The version after which it begins; 0 for the beginning of the chain.
    pub after: u64,
    /// The entry of that version as it is stored now.
    pub before: Option<JournalEntry>,
    /// The entries.
    pub entries: Vec<JournalEntry>,
    /// The entry that follows, if there is one.
    pub next: Option<JournalEntry>,
    /// The newest entry of the chain.
    pub newest: Option<JournalEntry>,
}

/// What the end of a chain is to the entity's own item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The newest entry is the entity's newest version.
    Whole,
    /// So many of the newest versions are not in the journal yet, and were made a moment ago.
    OnItsWay(u64),
    /// So many of the newest versions are missing.
    Missing(u64),
    /// The entity and its journal tell different stories.
    Differs,
}

impl Stretch {
    /// Whether each entry follows from the one before it, without a gap: the first from the entry before the stretch or from
    /// nothing, the one after the stretch from the last.
    pub fn is_linked(&self) -> bool {
        let Some(mut place) = self.begins() else { return false };
        for entry in self.entries.iter().chain(&self.next) {
            match follows(place, entry) {
                Some(after) => place = after,
                None => return false,
            }
        }
        true
    }

    /// The link that the first entry follows.
    pub fn begins(&self) -> Option<(u64, ChainHash)> {
        match (&self.before, self.after) {
            (None, 0) => Some((0, ChainHash::GENESIS)),
            (Some(before), after) if before.version == after => Some((after, before.hash)),
            _ => None,
        }
    }

    /// Holds the end of the chain against the entity's own item, if there is one.
    pub fn end(&self, head: Option<&Outboxed>, now: Timestamp) -> End {
        let (last, hash) = self.newest.as_ref().map_or((0, ChainHash::GENESIS), |entry| (entry.version, entry.hash));
        let Some(head) = head else {
            return if last == 0 { End::Whole } else { End::Differs };
        };
        let Some(behind) = head.version.checked_sub(last) else { return End::Differs };
        if behind == 0 {
            let same = self.newest.as_ref().is_some_and(|entry| is_same(entry, head));
            return if same { End::Whole } else { End::Differs };
        }
        // the item has what its entry will say, so the link to the newest entry can be checked before it comes
        let link = ChainHash::link(hash, &head.entity, head.version, &head.record_text, &head.public_text);
        if behind == 1 && link != head.hash {
            return End::Differs;
        }
        let made = Timestamp::from_millis(head.record.at_ms).unwrap_or(Timestamp::EPOCH);
        if now < made.plus(ON_ITS_WAY) { End::OnItsWay(behind) } else { End::Missing(behind) }
    }
}

fn is_same(entry: &JournalEntry, head: &Outboxed) -> bool {
    entry.hash == head.hash && entry.record_text == head.record_text && entry.public_text == head.public_text
}

/// The link of an entry, if it is the one that follows.
fn follows((version, hash): (u64, ChainHash), entry: &JournalEntry) -> Option<(u64, ChainHash)> {
    let link = ChainHash::link(hash, &entry.entity, entry.version, &entry.record_text, &entry.public_text);
    (entry.version == version.checked_add(1)? && link == entry.hash).then_some((entry.version, link))
}

/// Whether the entries of one entity, oldest first, are complete from version 1 and unedited.
pub fn verify(entries: &[JournalEntry]) -> bool {
    Stretch { entries: entries.to_vec(), ..Stretch::default() }.is_linked()
}

#[cfg(test)]
mod tests {
    use domain::decision::Record;

    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn record(version: u64, at_ms: i64) -> Record {
        Record {
            function: "test".to_owned(),
            execution_id: "1".to_owned(),
            trigger: "t".to_owned(),
            at_ms,
            rules: Vec::new(),
            postings: domain::ledger::Postings::none(),
            asked: None,
            why: vec![format!("because {version}")],
            outcome: "changed".to_owned(),
            events: vec![],
            correlation_id: "c".to_owned(),
        }
    }

    /// A chain of so many versions, the newest made `age_s` ago.
    fn chain(versions: u64, age_s: i64) -> Vec<JournalEntry> {
        let mut previous = ChainHash::GENESIS;
        let mut entries = Vec::new();
        for version in 1..=versions {
            let record = record(version, NOW_MS - age_s * 1_000);
            let (record_text, public_text) = (serde_json::to_string(&record).unwrap(), format!("{{\"n\":{version}}}"));
            let hash = ChainHash::link(previous, "pay_1", version, &record_text, &public_text);
            let entity = "pay_1".to_owned();
            entries.push(JournalEntry { entity, version, client: None, record_text, record, public_text, hash });
            previous = hash;
        }
        entries
    }

    fn head(entry: &JournalEntry) -> Outboxed {
        Outboxed {
            is_postponed: false,
            entity: entry.entity.clone(),
            version: entry.version,
            client: None,
            record_text: entry.record_text.clone(),
            record: entry.record.clone(),
            public_text: entry.public_text.clone(),
            hash: entry.hash,
            correlation_is_new: false,
        }
    }

    /// What a reader sees of a chain: so many entries after a version.
    fn read(chain: &[JournalEntry], after: u64, count: usize) -> Stretch {
        let mut rest = chain.iter().filter(|entry| entry.version > after).cloned();
        Stretch {
            after,
            before: chain.iter().find(|entry| entry.version == after).cloned(),
            entries: rest.by_ref().take(count).collect(),
            next: rest.next(),
            newest: chain.last().cloned(),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(NOW_MS).unwrap()
    }

    /// Whether each page of so many entries is found whole, and the end of the chain.
    fn pages(chain: &[JournalEntry], head: Option<&Outboxed>, count: usize) -> (Vec<bool>, End) {
        let (mut linked, mut after) = (Vec::new(), 0);
        loop {
            let page = read(chain, after, count);
            linked.push(page.is_linked());
            match (page.next.is_some(), page.entries.last()) {
                (true, Some(last)) => after = last.version,
                _ => return (linked, page.end(head, now())),
            }
        }
    }

    fn relink(chain: &mut [JournalEntry], from: usize) {
        for place in from..chain.len() {
            let previous = if place == 0 { ChainHash::GENESIS } else { chain[place - 1].hash };
            let entry = &mut chain[place];
            entry.hash =
                ChainHash::link(previous, &entry.entity, entry.version, &entry.record_text, &entry.public_text);
        }
    }

    #[test]
    fn a_whole_chain_is_whole_on_every_page() {
        let chain = chain(10, 3_600);
        for count in [1, 3, 4, 9, 10, 11] {
            let (linked, end) = pages(&chain, Some(&head(&chain[9])), count);
            assert!(linked.iter().all(|linked| *linked), "{count}: {linked:?}");
            assert_eq!(end, End::Whole, "{count}");
        }
    }

    #[test]
    fn an_edited_or_missing_entry_is_found_on_the_page_where_it_is() {
        let good = chain(10, 3_600);
        for place in 0..10 {
            let mut edited = good.clone();
            edited[place].public_text = "{\"n\":99}".to_owned();
            let mut missing = good.clone();
            missing.remove(place);
            for count in [1, 3, 4, 10] {
                let (linked, _) = pages(&edited, Some(&head(&good[9])), count);
                assert!(linked.contains(&false), "edited {place}, pages of {count}: {linked:?}");
                let (linked, end) = pages(&missing, Some(&head(&good[9])), count);
                let at_the_end = place == 9 && end == End::Missing(1);
                assert!(linked.contains(&false) || at_the_end, "missing {place}, {count}: {linked:?} {end:?}");
            }
        }
    }

    #[test]
    fn a_chain_that_was_rewritten_does_not_end_in_the_entity_s_own_item() {
        let good = chain(10, 3_600);
        for from in 0..10 {
            let mut forged = good.clone();
            forged[from].public_text = "{\"n\":99}".to_owned();
            relink(&mut forged, from);
            let (linked, end) = pages(&forged, Some(&head(&good[9])), 4);
            assert!(linked.iter().all(|linked| *linked), "each link holds");
            assert_eq!(end, End::Differs, "from {from}");
            // and cut short besides: the missing entry would follow from the true one
            forged.pop();
            if from < 9 {
                assert_eq!(read(&forged, 0, 10).end(Some(&head(&good[9])), now()), End::Differs, "from {from}, cut");
            }
        }
    }

    #[test]
    fn rewritten_up_to_a_page_s_end_is_found_on_that_page() {
        let good = chain(10, 3_600);
        let mut forged = good[..4].to_vec();
        forged[1].public_text = "{\"n\":99}".to_owned();
        relink(&mut forged, 1);
        forged.extend_from_slice(&good[4..]);
        let (linked, end) = pages(&forged, Some(&head(&good[9])), 4);
        assert_eq!((linked, end), (vec![false, false, true], End::Whole));
    }

    #[test]
    fn the_newest_versions_may_be_on_their_way_for_a_minute() {
        for behind in 1..=3_u64 {
            for (age_s, expected) in
                [(0, End::OnItsWay(behind)), (59, End::OnItsWay(behind)), (60, End::Missing(behind))]
            {
                let chain = chain(5, age_s);
                let kept = usize::try_from(5 - behind).unwrap();
                let stretch = read(&chain[..kept], 0, 10);
                assert_eq!(stretch.end(Some(&head(&chain[4])), now()), expected, "{behind} behind, {age_s} s old");
            }
        }
        // an entity without any journal yet
        let chain = chain(1, 1);
        assert_eq!(Stretch::default().end(Some(&head(&chain[0])), now()), End::OnItsWay(1));
        assert_eq!(Stretch::default().end(None, now()), End::Whole, "nothing at all");
    }

    #[test]
    fn an_item_that_says_something_else_than_its_entry_is_found() {
        let chain = chain(3, 3_600);
        let stretch = read(&chain, 0, 10);
        let good = head(&chain[2]);
        assert_eq!(stretch.end(Some(&good), now()), End::Whole);
        for wrong in [
            Outboxed { hash: chain[1].hash, ..good.clone() },
            Outboxed { public_text: "{\"n\":7}".to_owned(), ..good.clone() },
            Outboxed { record_text: "{}".to_owned(), ..good.clone() },
            // an entity that was set back, and one that is gone
            head(&chain[1]),
        ] {
            assert_eq!(stretch.end(Some(&wrong), now()), End::Differs, "{wrong:?}");
        }
        assert_eq!(stretch.end(None, now()), End::Differs);
    }

    #[test]
    fn a_page_after_an_entry_that_is_gone_is_not_whole() {
        let mut chain = chain(5, 3_600);
        chain.remove(1);
        assert!(!read(&chain, 2, 10).is_linked());
        assert!(!read(&chain, 7, 10).is_linked(), "a place that there never was");
    }
}
