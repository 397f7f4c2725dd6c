//! How much it says that two names share a word: the rarer the word, the more. A word counts together with everything spelled like it, and
//! a name that is common among people who are on no list is not rare because the list has it once.

use super::keys;
use super::view::Partition;
use crate::index::partition::PartitionId;
use crate::num;
use crate::tables;
use crate::text::distance::{Writing, distance};
use crate::text::parts::PartClass;
use crate::text::sound::{skeleton, sounds};

/// Words nearer than this are one word in different spellings.
const SAME_WORD: f32 = 0.65;
/// What one edit between a common name and a word adds to the rarity of the common name, in bits.
const BITS_PER_EDIT: f32 = 5.0;
/// A list of one's own with ten entries does not make every tenth client bear a name on it: a list is never taken for smaller than this.
const ENTITIES_MIN: f32 = 7000.0;
/// No word says more than this, in bits; short words say less.
const WORD_BITS_MAX: f32 = 14.0;
const BITS_PER_SOUND: f32 = 2.0;
const BITS_OF_WORD: f32 = 1.5;

/// What words say, in bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    /// The word and its spellings.
    pub word: f32,
    /// Everything with the same consonants.
    pub skeleton: f32,
}

/// The weight of every word of a partition, in their order.
pub(super) fn weights(partition: &Partition<'_>, id: PartitionId) -> Vec<Weight> {
    let mut counter = Counter::new(partition);
    let words = num::position(partition.tokens.len());
    let mut weights: Vec<Weight> = (0..words).map(|token| counter.weigh(token)).collect();
    if id == PartitionId::Persons {
        cap_common_names(partition, &mut weights);
    }
    for (token, weight) in (0..words).zip(&mut weights) {
        let Some(token) = partition.token(token) else { continue };
        weight.word = weight.word.min(most_bits(token.class, token.sounds.len()));
        let consonants = skeleton(token.sounds).len();
        weight.skeleton = weight.skeleton.min(weight.word).min(most_bits(token.class, consonants));
    }
    weights
}

/// What a word of the class and length can say at most: there are not many words of three sounds.
fn most_bits(class: PartClass, sounds: usize) -> f32 {
    match class {
        PartClass::Particle | PartClass::Title => 0.75,
        PartClass::LegalForm => 0.5,
        PartClass::Initial => 3.0,
        PartClass::Number => 6.0,
        PartClass::Core | PartClass::Patronymic => {
            (num::real(sounds) * BITS_PER_SOUND + BITS_OF_WORD).min(WORD_BITS_MAX)
        }
    }
}

struct Counter<'a> {
    partition: &'a Partition<'a>,
    entities: f32,
    /// For which word an entry was last counted.
    counted: Vec<u32>,
    keys: Vec<u32>,
    found: Vec<u32>,
}

impl<'a> Counter<'a> {
    fn new(partition: &'a Partition<'a>) -> Self {
        let mut numbers: Vec<u32> = partition.names.iter().map(|name| name.entity.get()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let last = numbers.last().map_or(0, |last| num::at(*last) + 1);
        Self {
            partition,
            entities: num::real(numbers.len()).max(ENTITIES_MIN),
            counted: vec![u32::MAX; last],
            keys: Vec::new(),
            found: Vec::new(),
        }
    }

    fn weigh(&mut self, word: u32) -> Weight {
        let Some(token) = self.partition.token(word) else { return Weight { word: 0.0, skeleton: 0.0 } };
        keys::word_keys(token.letters, token.sounds, &mut self.keys);
        self.found.clear();
        for key in &self.keys {
            self.found.extend(self.partition.tokens_with_key(*key));
        }
        self.found.sort_unstable();
        self.found.dedup();
        let mut spelled = Vec::new();
        let same_key = keys::join_key(token.sounds);
        for other in &self.found {
            let near = self.partition.token(*other).filter(|near| near.writing == token.writing);
            if near.is_some_and(|near| distance(token.sounds, near.sounds, Writing::Full, SAME_WORD).is_some()) {
                spelled.push(*other);
            }
        }
        let skeleton: Vec<u32> = self.partition.tokens_with_key(same_key).collect();
        let word_count = self.entries(word.wrapping_mul(2), &spelled);
        let skeleton_count = self.entries(word.wrapping_mul(2).wrapping_add(1), &skeleton).max(word_count);
        Weight {
            word: (self.entities / word_count.max(1.0)).log2(),
            skeleton: (self.entities / skeleton_count.max(1.0)).log2(),
        }
    }

    /// How many entries have one of the words.
    fn entries(&mut self, stamp: u32, words: &[u32]) -> f32 {
        let mut count = 0;
        for name in words.iter().flat_map(|word| self.partition.names_with(*word)) {
            let entity =
                self.partition.names.get(num::at(name.get())).map_or(usize::MAX, |name| num::at(name.entity.get()));
            if let Some(last) = self.counted.get_mut(entity).filter(|last| **last != stamp) {
                *last = stamp;
                count += 1;
            }
        }
        num::real(count)
    }
}

fn cap_common_names(partition: &Partition<'_>, weights: &mut [Weight]) {
    let mut hashes = Vec::new();
    for (name, bits) in tables::common_names() {
        let sounds = sounds(name);
        keys::word_keys(name.as_bytes(), &sounds, &mut hashes);
        for hash in &hashes {
            for word in partition.tokens_with_key(*hash) {
                let Some(token) = partition.token(word).filter(|token| token.writing == Writing::Full) else {
                    continue;
                };
                let Some(edits) = distance(&sounds, token.sounds, Writing::Full, SAME_WORD) else { continue };
                if let Some(weight) = weights.get_mut(num::at(word)) {
                    weight.word = weight.word.min(f32::from(bits) + BITS_PER_EDIT * edits);
                    weight.skeleton = weight.skeleton.min(weight.word);
                }
            }
        }
    }
}
