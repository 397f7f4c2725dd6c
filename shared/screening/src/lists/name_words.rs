//! The words by which lists say in a name what is no name.

/// What comes is another name. Lower case.
pub(super) const ALSO: &[&str] = &[
    "a.k.a.",
    "a.k.a",
    "a/k/a",
    "aka",
    "also known as",
    "n.k.a.",
    "n.k.a",
    "now known as",
    "known as",
    "alias",
    "original script",
];

/// What comes is a name of the past.
pub(super) const FORMER: &[&str] = &[
    "f.k.a.",
    "f.k.a",
    "f/k/a",
    "fka",
    "formerly known as",
    "formerly",
    "previously known as",
    "previously",
    "former name",
    "née",
    "nee",
];

/// What others say of a name.
pub(super) const NOISE: &[&str] = &[
    "so-called",
    "so called",
    "self-styled",
    "self-proclaimed",
    "self-declared",
    "soi-disant",
    "sogenannte",
    "sogenannter",
];

/// What comes is whom the row lists; before it stands whom they belong to.
pub(super) const BELONGING: &[&str] =
    &["affiliated entity:", "subordinate institution -", "subordinate institution:", "and subordinate entity "];

/// A name ends here.
pub(super) const SUCCESSORS: &[&str] = &[" and any successor", ", its successor", " and its successor"];

/// So does a person's.
pub(super) const BORN: &[&str] = &[", born ", " born on ", " born in "];

/// Words that no name has in brackets.
pub(super) const REMARK_WORDS: [&str; 27] = [
    "alleged",
    "born",
    "branch",
    "branches",
    "combat",
    "confiscated",
    "date",
    "deceased",
    "document",
    "expiry",
    "false",
    "fraudulent",
    "identity",
    "individual",
    "issue",
    "listed",
    "located",
    "name",
    "nickname",
    "official",
    "passport",
    "presumed",
    "purported",
    "related",
    "spelling",
    "subsidiary",
    "variant",
];

/// The letters and digits of a text.
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|letter| letter.is_alphanumeric())
}

/// Whether a text can be a name at all: a letter or digit is in it.
pub(super) fn says_something(text: &str) -> bool {
    letters(text).next().is_some()
}

/// Longer words are no acronyms.
const ACRONYM_MAX: usize = 12;

/// `BAL` of `BUTEMBO AIRLINES`: one word of capitals whose letters stand in the name in their order, the first at the beginning of a word.
pub(super) fn is_acronym(short: &str, name: &str) -> bool {
    let short = short.trim();
    let capitals = letters(short).filter(|letter| letter.is_uppercase()).count();
    let all = letters(short).count();
    if short.contains(char::is_whitespace) || all > ACRONYM_MAX || capitals < 2 || capitals * 2 < all {
        return false;
    }
    let lower = |text: &str| letters(text).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let short = lower(short);
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let begins = words.any(|word| word.chars().flat_map(char::to_lowercase).next() == short.first().copied());
    let mut rest = lower(name).into_iter();
    begins && name.split_whitespace().count() > 1 && short.iter().all(|letter| rest.any(|other| other == *letter))
}
