//! Names as lists write them, split into what they are: a second name behind a semicolon, `formerly`, another script, an acronym or a remark in
//! brackets. Nobody gives them with his own name, so left where they stand they hide the party behind them.

use super::name_words::{
    ALSO, BELONGING, BORN, FORMER, NOISE, REMARK_WORDS, SUCCESSORS, is_acronym, letters, says_something,
};
use crate::model::{Country, Entity, EntityKind, Name, NameKind, Script};

/// Splits every name of an entry. A name that is one stays as it is.
pub(super) fn split(entity: &mut Entity) {
    if !entity.names.iter().any(|name| may_be_several(&name.text)) {
        return;
    }
    let names = std::mem::take(&mut entity.names);
    for name in names {
        let mut parts = Parts { of: &name, person: entity.kind == EntityKind::Person, names: Vec::new() };
        parts.text(&name.text, Says::Same);
        match parts.names {
            found if found.is_empty() => entity.names.push(name),
            found => entity.names.extend(found),
        }
    }
}

fn may_be_several(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    lower.contains(['(', '[', '{', '（', ';', '；'])
        || has(&[" / ", " b) ", ".k.a", "known as"])
        || has(NOISE)
        || has(BELONGING)
        || has(SUCCESSORS)
        || has(BORN)
        || ALSO.iter().chain(FORMER).any(|word| found(&lower, word).is_some())
}

/// How a text stands to the name that it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// It is that name.
    Same,
    /// It is another one of the same party.
    Also,
    /// It is one borne in the past.
    Former,
}

/// The names found in a text so far.
struct Parts<'n> {
    of: &'n Name,
    person: bool,
    names: Vec<Name>,
}

impl Parts<'_> {
    fn push(&mut self, text: &str, says: Says) {
        let text = text.trim().trim_matches([',', ';', ':', '؛', '،']).trim();
        if !says_something(text) {
            return;
        }
        // a weak name has no strong part
        let kind = match (self.of.kind, says) {
            (kind, Says::Same) if kind != NameKind::Primary || self.names.is_empty() => kind,
            (NameKind::Weak, _) => NameKind::Weak,
            (NameKind::Former, _) | (_, Says::Former) => NameKind::Former,
            _ => NameKind::Strong,
        };
        let mut name = Name::new(text, kind);
        name.family = match &self.of.family {
            Some(family) if text.contains(family.as_str()) => Some(family.clone()),
            Some(_) => Name::family_first(text, kind).family,
            None => None,
        };
        self.names.push(name);
    }

    /// A text of one name or several.
    fn text(&mut self, text: &str, says: Says) {
        let mut says = says;
        for piece in pieces(text) {
            for (piece, marked) in marked(piece) {
                self.one(piece, marked.unwrap_or(says));
                says = if says == Says::Same { Says::Also } else { says };
            }
        }
    }

    /// A text of one name, with what belongs to it in brackets.
    fn one(&mut self, text: &str, says: Says) {
        let text = without_noise(text);
        let lower = text.to_ascii_lowercase();
        if let Some((at, word)) = BELONGING.iter().find_map(|word| Some((lower.find(word)?, word))) {
            // a row names the parent and then whom it lists
            self.brackets(text.get(at + word.len()..).unwrap_or_default(), says);
            self.push(&text, Says::Also);
            return;
        }
        let end =
            SUCCESSORS.iter().chain(BORN.iter().filter(|_| self.person)).filter_map(|word| lower.find(word)).min();
        self.brackets(end.and_then(|end| text.get(..end)).unwrap_or(&text), says);
    }

    fn brackets(&mut self, text: &str, says: Says) {
        let Some((before, inside, after)) = bracket(text) else {
            self.push(text, says);
            return;
        };
        let rest = format!("{} {}", before.trim_end(), after.trim_start());
        let is_last = !after.chars().any(char::is_alphanumeric);
        match self.meaning(before, inside) {
            Meaning::Names(names, kind) => {
                self.brackets(&rest, says);
                for name in names {
                    self.text(name, kind);
                }
            }
            Meaning::Acronym => {
                self.brackets(&rest, says);
                // the letters alone confirm if they are few, as a nickname does
                let few = letters(inside).count() < SHORT_ACRONYM;
                let named = self.names.len();
                self.push(inside, Says::Also);
                if let Some(name) = self.names.get_mut(named).filter(|_| few) {
                    name.kind = NameKind::Weak;
                }
                self.push(text, Says::Also);
            }
            Meaning::Remark => self.brackets(&rest, says),
            Meaning::Unclear if !is_last && self.person => {
                self.push(text, says);
                self.brackets(&rest, Says::Also);
            }
            // (UK) is a part of the name of a company that goes on behind it
            Meaning::Unclear if !is_last => self.beyond(text, before, after, says),
            Meaning::Unclear => {
                self.push(text, says);
                if before.split_whitespace().count() > 1 {
                    self.brackets(before, Says::Also);
                }
            }
        }
    }

    /// What stands behind a bracket that is left where it is.
    fn beyond(&mut self, text: &str, before: &str, after: &str, says: Says) {
        let Some((between, inside, rest)) = bracket(after) else {
            self.push(text, says);
            return;
        };
        let kept = text.get(..text.len() - after.len()).unwrap_or(before);
        let rest = format!("{kept}{between}{rest}");
        match self.meaning(&format!("{before}{between}"), inside) {
            Meaning::Unclear => self.push(text, says),
            Meaning::Names(names, kind) => {
                self.push(&rest, says);
                for name in names {
                    self.text(name, kind);
                }
            }
            Meaning::Acronym => {
                self.push(&rest, says);
                self.push(text, Says::Also);
            }
            Meaning::Remark => self.push(&rest, says),
        }
    }

    fn meaning<'t>(&self, before: &str, inside: &'t str) -> Meaning<'t> {
        let lower = inside.trim().to_ascii_lowercase();
        for (words, says) in [(ALSO, Says::Also), (FORMER, Says::Former)] {
            if let Some(word) = words.iter().find(|word| starts_with_word(&lower, word)) {
                let rest = inside.trim().get(word.len()..).unwrap_or_default();
                return Meaning::Names(vec![rest.trim_start_matches(['.', ',', ':', ' '])], says);
            }
        }
        let (own, other) = (Script::of_text(before), Script::of_text(inside));
        if own != other && says_something(before) && letters(inside).next().is_some() {
            return Meaning::Names(inside.split(';').collect(), Says::Also);
        }
        if is_remark(&lower) {
            return Meaning::Remark;
        }
        if inside.contains(';') {
            return Meaning::Names(inside.split(';').collect(), Says::Also);
        }
        if is_acronym(inside, before) {
            return Meaning::Acronym;
        }
        let translated = !self.person && inside.split_whitespace().count() >= WORDS_OF_A_NAME;
        if is_acronym(before, inside) || translated && Country::from_name(inside).is_none() {
            return Meaning::Names(vec![inside], Says::Also);
        }
        Meaning::Unclear
    }
}

/// Fewer letters than this are an acronym that only confirms.
const SHORT_ACRONYM: usize = 4;
/// So many words in brackets are a name of an organisation and not a place.
const WORDS_OF_A_NAME: usize = 3;
/// More words than this are no name.
const REMARK_LENGTH: usize = 14;

/// What stands in brackets.
enum Meaning<'t> {
    Names(Vec<&'t str>, Says),
    Acronym,
    Remark,
    Unclear,
}

fn is_remark(lower: &str) -> bool {
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let number = |word: &&str| word.len() >= 4 && word.bytes().all(|c| c.is_ascii_digit());
    words.is_empty()
        || !lower.contains(';') && words.len() > REMARK_LENGTH
        || words.iter().any(|word| REMARK_WORDS.contains(word))
        || words.iter().any(number)
        || NOISE.iter().any(|noise| lower == noise.trim())
}

/// The first bracket with what stands before and behind it; of brackets in each other the outer one.
fn bracket(text: &str) -> Option<(&str, &str, &str)> {
    let (mut depth, mut start) = (0_usize, (0, 0));
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' | '（' => {
                if depth == 0 {
                    start = (at, at + letter.len_utf8());
                }
                depth += 1;
            }
            ')' | ']' | '}' | '）' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some((text.get(..start.0)?, text.get(start.1..at)?, text.get(at + letter.len_utf8()..)?));
                }
            }
            _ => {}
        }
    }
    None
}

/// Cuts at semicolons, at ` / ` and where a list in letters goes on: ` b) `. Not inside brackets.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let numbered = || {
            let [' ', mark, ')', ' '] = rest.chars().take(4).collect::<Vec<_>>()[..] else { return false };
            mark.is_ascii_lowercase()
        };
        let cut = match letter {
            '(' | '[' | '{' | '（' => {
                depth += 1;
                0
            }
            ')' | ']' | '}' | '）' => {
                depth = depth.saturating_sub(1);
                0
            }
            _ if depth > 0 => 0,
            ';' | '；' => letter.len_utf8(),
            ' ' if rest.starts_with(" / ") => 3,
            ' ' if numbered() => 4,
            _ => 0,
        };
        if cut > 0 {
            pieces.extend(text.get(start..at));
            start = at + cut;
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Cuts at `a.k.a.`, `formerly` and their like outside brackets; says of each text what the words before it say.
fn marked(text: &str) -> Vec<(&str, Option<Says>)> {
    let end = text.find(['(', '[', '{', '（']).unwrap_or(text.len());
    let lower = text.get(..end).unwrap_or_default().to_ascii_lowercase();
    let all = ALSO.iter().map(|word| (word, Says::Also)).chain(FORMER.iter().map(|word| (word, Says::Former)));
    let first = all
        .filter_map(|(word, says)| Some((found(&lower, word)?, word.len(), says)))
        .min_by_key(|(at, length, _)| (*at, usize::MAX - length));
    let Some((at, length, says)) = first else { return vec![(text, None)] };
    let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + length..).unwrap_or_default());
    let after = after.trim_start_matches(['.', ',', ':', ' ']);
    let rest = marked(after).into_iter().map(|(text, own)| (text, own.or(Some(says))));
    // a name that begins with the word is what it says
    Some((before, None)).filter(|(text, _)| says_something(text)).into_iter().chain(rest).collect()
}

/// Where a word stands as a word.
fn found(lower: &str, word: &str) -> Option<usize> {
    lower.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = lower.get(..*at).unwrap_or_default();
        (before.is_empty() || before.ends_with([' ', ',', ';']))
            && starts_with_word(lower.get(*at..).unwrap_or_default(), word)
    })
}

fn starts_with_word(lower: &str, word: &str) -> bool {
    lower
        .strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '\''))
}

fn without_noise(text: &str) -> String {
    let mut text = text.to_owned();
    for noise in NOISE {
        while let Some(at) = found(&text.to_ascii_lowercase(), noise) {
            text.replace_range(at..at + noise.len(), "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: EntityKind, text: &str) -> Vec<String> {
        let mut entity = Entity::new("1", "list", kind);
        entity.names.push(Name::new(text, NameKind::Primary));
        split(&mut entity);
        let mark = |name: &Name| match name.kind {
            NameKind::Primary => "",
            NameKind::Strong => "+",
            NameKind::Former => "-",
            NameKind::Weak => "~",
        };
        entity
            .names
            .iter()
            .map(|name| format!("{}{}", mark(name), name.text.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect()
    }

    #[test]
    fn a_name_of_an_organisation_is_split_into_what_it_is() {
        for (text, expected) in [
            ("NORTHERN STAR LINES", vec!["NORTHERN STAR LINES"]),
            ("NORTHERN STAR LINES (NSLI)", vec!["NORTHERN STAR LINES", "+NSLI", "+NORTHERN STAR LINES (NSLI)"]),
            (
                "STAR LINES (SL) ; BLUE HARBOUR COMPANY (BHC)",
                vec![
                    "STAR LINES",
                    "~SL",
                    "+STAR LINES (SL)",
                    "+BLUE HARBOUR COMPANY",
                    "~BHC",
                    "+BLUE HARBOUR COMPANY (BHC)",
                ],
            ),
            (
                "Plant of Precision (POP) Machinery",
                vec!["Plant of Precision Machinery", "~POP", "+Plant of Precision (POP) Machinery"],
            ),
            ("Blue Harbour (UK) Limited", vec!["Blue Harbour (UK) Limited"]),
            ("RELIEF FOUNDATION (SOMEWHERE)", vec!["RELIEF FOUNDATION (SOMEWHERE)", "+RELIEF FOUNDATION"]),
            ("RELIEF OFFICE (BRANCH LOCATED IN SOMEWHERE)", vec!["RELIEF OFFICE"]),
            (
                "Star Holding Limited (f.k.a. Harbour-Star Products Ltd.)",
                vec!["Star Holding Limited", "-Harbour-Star Products Ltd."],
            ),
            ("Star OOO (f.k.a., Zvezda)", vec!["Star OOO", "-Zvezda"]),
            ("Star OOO, formerly known as Zvezda OOO", vec!["Star OOO", "-Zvezda OOO"]),
            ("Star OOO a.k.a. Zvezda f.k.a. Luna", vec!["Star OOO", "+Zvezda", "-Luna"]),
            ("So-called \"Harbour Guard\"", vec!["\"Harbour Guard\""]),
            ("Ministry of the so-called \"Harbour Republic\"", vec!["Ministry of the \"Harbour Republic\""]),
            ("HARAKAT SAMPLE / HSL", vec!["HARAKAT SAMPLE", "+HSL"]),
            ("ADF/NALU", vec!["ADF/NALU"]),
            ("ASMT (Applied Sample Methods and Technology)", vec!["ASMT", "+Applied Sample Methods and Technology"]),
            (
                "Star Technologies (Star).  Affiliated Entity: Harbour Service",
                vec!["Harbour Service", "+Star Technologies (Star). Affiliated Entity: Harbour Service"],
            ),
            (
                "Harbour Light (HALI) and any successor, sub-unit, or subsidiary thereof",
                vec!["Harbour Light", "+HALI", "+Harbour Light (HALI)"],
            ),
            ("مؤسسة (the Sample Front; Jabhat Sample)", vec!["مؤسسة", "+the Sample Front", "+Jabhat Sample"]),
            ("Aid (HTS) (مؤسسة (original script); Aid of Sample)", vec!["Aid (HTS)", "+مؤسسة", "+Aid of Sample"]),
        ] {
            assert_eq!(names(EntityKind::Organisation, text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_of_a_person_is_split_into_what_it_is() {
        for (text, expected) in [
            ("Karim son of Noor Sample (كريم ولد نور),", vec!["Karim son of Noor Sample", "+كريم ولد نور"]),
            ("Jin Sample (金铁三)", vec!["Jin Sample", "+金铁三"]),
            ("Ivan Petrov (false identity related to fraudulent number 123)", vec!["Ivan Petrov"]),
            ("Ivan Petrov, born 1 Jan. 1953 (passport no.1, expiry 3 May 2024.)", vec!["Ivan Petrov"]),
            ("Ivan Petrov (birth name)", vec!["Ivan Petrov"]),
            ("Ivan Petrov (Petroff)", vec!["Ivan Petrov (Petroff)", "+Ivan Petrov"]),
            ("JONAS (IVAN KARL) SAMPLE", vec!["JONAS (IVAN KARL) SAMPLE", "+JONAS SAMPLE"]),
            ("Anna Petrova née Sample", vec!["Anna Petrova", "-Sample"]),
            ("Rim Sample [Munitions Department (MD) Official] (Northern individual abroad)", vec!["Rim Sample"]),
            (
                "Mohamed Sabet; Mohammad Sabet b) M. Javad Sabet",
                vec!["Mohamed Sabet", "+Mohammad Sabet", "+M. Javad Sabet"],
            ),
            ("Abu Sample (original script: Абу Пример)", vec!["Abu Sample", "+Абу Пример"]),
            ("Zakaria Makaria", vec!["Zakaria Makaria"]),
            ("(Karim", vec!["(Karim"]),
            ("()", vec!["()"]),
        ] {
            assert_eq!(names(EntityKind::Person, text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_taken_out_of_a_weak_name_is_weak_too() {
        let mut entity = Entity::new("1", "list", EntityKind::Person);
        entity.names.push(Name::new("Jonas (يونس); Vanya", NameKind::Weak));
        entity.names.push(Name::family_first("PETROV, Ivan (Иван Петров)", NameKind::Strong));
        split(&mut entity);
        assert!(entity.names[..3].iter().all(|name| name.kind == NameKind::Weak), "{:?}", entity.names);
        assert_eq!(entity.names[3].family.as_deref(), Some("PETROV"));
    }
}
