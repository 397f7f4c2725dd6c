//! Whether two names are one person's: free of order, of how they are parted into words, and of how they are transcribed.

use crate::fold;

/// Words of a name that are looked at.
const WORDS_MAX: usize = 24;
/// A word of fewer letters has no letter that may be wrong.
const SLIP_FROM: usize = 5;
/// What stands before names and is none; what stands where a name is missing.
const NO_NAMES: &str = "MR MRS MS MISS MX DR PROF HERR FRAU SR SRA SIG MME MLLE FNU LNU NMN";

/// How like each other two names are; the less alike of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Likeness {
    /// The same words.
    Same,
    /// The same in two transcriptions.
    Transcribed,
    /// Words of one side are missing on the other, or are initials there.
    Parts,
    /// One letter of one word differs.
    Slight,
    /// Another script that cannot be compared letter by letter.
    NotComparable,
    /// Another name.
    Differs,
}

/// A name of which it is known which words are the surname's and whether all of it is there.
pub(crate) struct Known<'a> {
    pub(crate) surname: &'a str,
    pub(crate) given: &'a str,
    pub(crate) truncated: bool,
}

/// A word with all its forms, and whether it was found on the other side.
struct Token {
    forms: Vec<String>,
    surname: bool,
    matched: bool,
}

/// Whether two words are taken for one.
type Alike = dyn Fn(&Token, &Token) -> bool;

/// How like a name of a document a whole name is.
pub(crate) fn likeness(known: &Known, full: &str) -> Likeness {
    let mut ours = tokens(known.surname, true);
    ours.extend(tokens(known.given, false));
    let mut theirs = tokens(full, false);
    let mut found = Likeness::Same;
    pair(&mut ours, &mut theirs, same);
    join(&mut ours, &mut theirs);
    join(&mut theirs, &mut ours);
    if known.truncated && pair(&mut ours, &mut theirs, |one, other| begins(other, one)) {
        found = found.max(Likeness::Same);
    }
    let steps: [(Likeness, &Alike); 3] = [
        (Likeness::Transcribed, &transcribed),
        (Likeness::Parts, &|one, other| initial(one, other) || initial(other, one)),
        (Likeness::Slight, &slip),
    ];
    for (likeness, alike) in steps {
        if pair(&mut ours, &mut theirs, alike) {
            found = found.max(likeness);
        }
    }
    let rest = leftover(&ours, &theirs, known.truncated);
    match rest {
        Likeness::Differs
            if !(fold::is_latin(full) && fold::is_latin(known.surname) && fold::is_latin(known.given)) =>
        {
            Likeness::NotComparable
        }
        rest => found.max(rest),
    }
}

fn tokens(name: &str, surname: bool) -> Vec<Token> {
    let apart =
        |letter: char| letter.is_whitespace() || matches!(letter, '-' | '‐' | '–' | ',' | '.' | '/' | '·' | '・');
    let words = name.split(apart).map(fold::forms).filter(|forms| forms.iter().any(|form| !form.is_empty()));
    let named = words.filter(|forms| !forms.iter().any(|form| NO_NAMES.split(' ').any(|other| other == form)));
    named.take(WORDS_MAX).map(|forms| Token { forms, surname, matched: false }).collect()
}

/// Pairs what is left of both sides; whether anything was.
fn pair(ours: &mut [Token], theirs: &mut [Token], alike: impl Fn(&Token, &Token) -> bool) -> bool {
    let mut any = false;
    for one in ours.iter_mut().filter(|token| !token.matched) {
        let other = theirs.iter_mut().find(|other| !other.matched && alike(one, other));
        if let Some(other) = other {
            (one.matched, other.matched, any) = (true, true, true);
        }
    }
    any
}

fn same(one: &Token, other: &Token) -> bool {
    one.forms.iter().any(|form| other.forms.contains(form))
}

fn transcribed(one: &Token, other: &Token) -> bool {
    let loose = |token: &Token| token.forms.iter().map(|form| fold::loose(form)).collect::<Vec<String>>();
    let others = loose(other);
    loose(one).iter().any(|form| form.len() > 1 && others.contains(form))
}

fn begins(whole: &Token, cut: &Token) -> bool {
    whole.forms.iter().any(|whole| cut.forms.iter().any(|cut| whole.starts_with(cut.as_str())))
}

fn initial(one: &Token, other: &Token) -> bool {
    one.forms.iter().any(|form| form.len() == 1) && begins(other, one)
}

/// One letter wrong, missing or too many, or two that changed places.
fn slip(one: &Token, other: &Token) -> bool {
    let pairs =
        one.forms.iter().flat_map(|form| other.forms.iter().map(move |other| (form.as_bytes(), other.as_bytes())));
    pairs.into_iter().any(|(one, other)| {
        let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        let front = short.iter().zip(long).take_while(|(a, b)| a == b).count();
        let room = short.len().saturating_sub(front);
        let back = short.iter().rev().zip(long.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
        let middle =
            |word: &[u8]| word.get(front..word.len().saturating_sub(back)).map(<[u8]>::to_vec).unwrap_or_default();
        let (ours, theirs) = (middle(short), middle(long));
        let swapped = ours.len() == 2 && theirs.len() == 2 && ours.iter().rev().eq(theirs.iter());
        short.len() >= SLIP_FROM && (theirs.len() <= 1 || swapped)
    })
}

/// Pairs a word of one side with neighbouring words of the other that are it together.
fn join(whole: &mut [Token], pieces: &mut [Token]) {
    for one in whole.iter_mut().filter(|token| !token.matched) {
        for from in 0..pieces.len() {
            for count in 2..=4 {
                let Some(some) = pieces.get_mut(from..from.saturating_add(count)) else { break };
                let free = some.iter().all(|piece| !piece.matched);
                if free && one.forms.iter().any(|form| made_of(form, some)) {
                    some.iter_mut().for_each(|piece| piece.matched = true);
                    one.matched = true;
                }
            }
        }
    }
}

fn made_of(text: &str, pieces: &[Token]) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((first, rest)) => {
            let left =
                first.forms.iter().filter(|form| !form.is_empty()).filter_map(|form| text.strip_prefix(form.as_str()));
            left.into_iter().any(|left| made_of(left, rest))
        }
    }
}

/// What it means that words are left over: parts of a name are missing if only one side has more words, and surname and given
/// name both stand on both.
fn leftover(ours: &[Token], theirs: &[Token], truncated: bool) -> Likeness {
    let left = |side: &[Token]| side.iter().any(|token| !token.matched);
    let has = |surname: bool| ours.iter().any(|token| token.surname == surname);
    let found = |surname: bool| ours.iter().any(|token| token.surname == surname && token.matched);
    let core = [true, false].into_iter().all(|part| !has(part) || found(part));
    let matched = ours.iter().filter(|token| token.matched).count();
    match (left(ours), left(theirs)) {
        (false, false) if matched > 0 => Likeness::Same,
        // the zone had no room for them
        (false, true) if truncated && core => Likeness::Same,
        (true, false) | (false, true) if core && matched >= 2 => Likeness::Parts,
        _ => Likeness::Differs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(surname: &str, given: &str, full: &str) -> Likeness {
        likeness(&Known { surname, given, truncated: false }, full)
    }

    #[test]
    fn one_name_is_the_same_in_any_order_and_writing() {
        for (surname, given, full) in [
            ("MUELLER", "HANS", "Hans Müller"),
            ("MUELLER", "HANS", "Müller, Hans"),
            ("MULLER", "HANS", "Hans Müller"),
            ("GROSS", "KAETHE", "Käthe Groß"),
            ("SOERENSEN", "ASE", "Åse Sørensen"),
            ("IBANEZ", "INIGO", "Íñigo Ibáñez"),
            ("ONEILL", "SEAN", "Seán O'Neill"),
            ("O NEILL", "SEAN", "Sean O’Neill"),
            ("DE LA CRUZ", "ANNAMARIA", "Anna Maria Delacruz"),
            ("SMITH JONES", "ANN", "Ann Smith-Jones"),
            ("TSVETKOVA", "IULIIA", "Юлия Цветкова"),
            ("LUKASZ", "ZOLTY", "Żółty Łukasz"),
            ("YILMAZ", "ISIL", "Işıl Yılmaz"),
            ("MADONNA", "", "Madonna"),
            ("", "AHMADI", "FNU Ahmadi"),
            ("WEBER", "EVA", "Dr. Eva Weber"),
        ] {
            assert_eq!(of(surname, given, full), Likeness::Same, "{full}");
        }
    }

    #[test]
    fn transcriptions_of_one_name_are_told() {
        for (surname, given, full) in [
            ("TSVETKOVA", "IULIIA", "Yulia Tsvetkova"),
            ("KHRUSHCHEV", "SERGEI", "Sergey Khrushchev"),
            ("MULLER", "HANS", "Hans Mueller"),
            ("MOHAMMED", "ALI", "Ali Mohamed"),
        ] {
            assert_eq!(of(surname, given, full), Likeness::Transcribed, "{full}");
        }
    }

    #[test]
    fn missing_parts_and_initials_are_told() {
        for (surname, given, full) in [
            ("ERIKSSON", "ANNA MARIA", "Anna Eriksson"),
            ("ERIKSSON", "ANNA", "Anna Maria Eriksson"),
            ("ERIKSSON", "ANNA MARIA", "Anna M. Eriksson"),
            ("GARCIA LOPEZ", "JUAN", "Juan Garcia"),
        ] {
            assert_eq!(of(surname, given, full), Likeness::Parts, "{full}");
        }
    }

    #[test]
    fn another_name_is_another() {
        assert_eq!(of("ERIKSSON", "ANNA", "Anna Erikssom"), Likeness::Slight);
        assert_eq!(of("ERIKSSON", "ANNA", "Anna Eriskson"), Likeness::Slight);
        for (surname, given, full) in [
            ("ERIKSSON", "ANNA", "Anna Jones"),
            ("ERIKSSON", "ANNA", "Eriksson"),
            ("ERIKSSON", "ANNA", "Maria Eriksson"),
            ("ERIKSSON", "ANNA", ""),
            ("ERIKSSON", "", "Anna Jones"),
            ("LEE", "JAN", "Jon Lee"),
            ("MADONNA", "", "Madonna Ciccone"),
        ] {
            assert_eq!(of(surname, given, full), Likeness::Differs, "{full}");
        }
        assert_eq!(of("WANG", "XIAOMING", "李小明"), Likeness::NotComparable);
        assert_eq!(of("ALHASHIMI", "MOHAMMED", "محمد الهاشمي"), Likeness::NotComparable);
    }

    #[test]
    fn a_name_that_was_cut_off_is_the_same() {
        let known = Known { surname: "CARLOS MONTEIRO", given: "AMELIA VANESS", truncated: true };
        assert_eq!(likeness(&known, "Amelia Vanessa Carlos Monteiro"), Likeness::Same);
        assert_eq!(likeness(&known, "Amelia Vanessa Sofia Carlos Monteiro"), Likeness::Same);
        assert_eq!(likeness(&known, "Amelia Vera Carlos Monteiro"), Likeness::Differs);
    }

    #[test]
    fn names_without_end_are_compared_in_time() {
        let long = "Müller-Öäü ".repeat(100);
        assert_eq!(of("ERIKSSON", "ANNA", &long), Likeness::Differs);
    }
}
