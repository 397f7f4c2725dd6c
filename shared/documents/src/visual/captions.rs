//! The captions beside the fields of a document.

/// What a caption says of the value beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caption {
    Surname,
    GivenNames,
    DateOfBirth,
    Expires,
    Issued,
    Number,
    Nationality,
    Sex,
    /// A value that nobody asks for; what stands beside it belongs to no other caption.
    Other,
}

const CAPTIONS: &str = include_str!("captions.txt");
/// A caption of fewer letters than this must be read exactly; a longer one may have one letter wrong.
const FUZZY_FROM: usize = 7;

impl Caption {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "surname" => Self::Surname,
            "given_names" => Self::GivenNames,
            "date_of_birth" => Self::DateOfBirth,
            "expires" => Self::Expires,
            "issued" => Self::Issued,
            "number" => Self::Number,
            "nationality" => Self::Nationality,
            "sex" => Self::Sex,
            "other" => Self::Other,
            _ => return None,
        })
    }
}

/// The captions of the file: what each says, and its words without blanks with their count.
pub(crate) struct Captions(Vec<(Caption, String, usize)>);

impl Captions {
    pub(crate) fn load() -> Self {
        let lines = CAPTIONS.lines().filter_map(|line| line.split_once('='));
        let fields = lines.filter_map(|(field, phrases)| Some((Caption::named(field)?, phrases)));
        let phrases = fields.flat_map(|(caption, phrases)| phrases.split('|').map(move |phrase| (caption, phrase)));
        Self(phrases.map(|(caption, phrase)| (caption, phrase.replace(' ', ""), phrase.split(' ').count())).collect())
    }

    /// The longest caption that the folded words begin with, and how many words it has. Readers lose blanks, so a caption may
    /// have fewer words than it should.
    pub(crate) fn at(&self, words: &[String]) -> Option<(Caption, usize)> {
        let mut best: Option<(Caption, usize, usize)> = None;
        for count in 1..=words.len().min(5) {
            let joined: String = words.get(..count)?.concat();
            let found = self.0.iter().filter(|(_, phrase, parts)| count <= *parts && alike(phrase, &joined));
            // an exact one goes before one with a letter wrong
            if let Some((caption, phrase, _)) = found.min_by_key(|(_, phrase, _)| *phrase != joined)
                && best.is_none_or(|(_, _, length)| phrase.len() > length)
            {
                best = Some((*caption, count, phrase.len()));
            }
        }
        best.map(|(caption, count, _)| (caption, count))
    }
}

fn alike(phrase: &str, read: &str) -> bool {
    phrase == read
        || (phrase.len() >= FUZZY_FROM && phrase.len() == read.len() && {
            phrase.bytes().zip(read.bytes()).filter(|(one, other)| one != other).count() == 1
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caption_is_written_as_words_are_folded() {
        for line in CAPTIONS.lines().filter(|line| !line.starts_with('#')) {
            let (field, phrases) = line.split_once('=').unwrap();
            assert!(Caption::named(field).is_some(), "{field}");
            for phrase in phrases.split('|') {
                let words: Vec<String> = phrase.split(' ').map(crate::fold::plain).collect();
                assert_eq!(words.join(" "), phrase, "{field}");
            }
        }
    }

    #[test]
    fn no_caption_says_two_things() {
        let all = Captions::load().0;
        for (caption, phrase, _) in &all {
            assert!(all.iter().all(|(other, same, _)| same != phrase || other == caption), "{phrase}");
        }
    }
}
