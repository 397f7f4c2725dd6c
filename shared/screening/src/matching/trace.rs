//! The reasons of a hit, in words that an analyst can copy into a file.

use super::align::{Alignment, Pair, places};
use super::dates::DateFinding;
use super::facts::{Facts, Finding};
use super::query::Query;
use super::words::How;
use crate::index::layout::{BirthRecord, DateRecord, EntityRecord, FORMER_NAME, NameRecord};
use crate::index::{Index, Partition};
use crate::model::{BirthDate, Country, PartialDate};
use crate::text::parts::Part;

/// A query on its way to words.
pub(super) struct Told<'t> {
    pub index: &'t Index,
    pub partition: &'t Partition<'t>,
    pub query: &'t Query,
    pub query_parts: &'t [Part],
}

impl Told<'_> {
    /// All reasons: first how the names met, then the facts.
    pub(super) fn why(
        &self,
        entity: &EntityRecord,
        name: &NameRecord,
        alignment: &Alignment,
        facts: &Facts,
    ) -> Vec<String> {
        let mut why = vec![format!("listed name: {} ({})", self.index.text(name.text), kind(name.kind))];
        why.extend(alignment.pairs.iter().map(|pair| self.met(name, pair)));
        let alone = places(alignment.query_left).map(|at| self.query_text(1 << at));
        why.extend(alone.map(|text| format!("client's \"{text}\" meets nothing in the listed name")));
        why.extend(
            places(alignment.listed_left)
                .map(|at| format!("listed \"{}\" meets nothing in the client's name", self.listed_text(name, 1 << at))),
        );
        why.push(self.date(entity, facts.date));
        why.push(self.country(entity, facts.country));
        match facts.gender {
            Finding::Differs => why.push("gender differs".to_owned()),
            Finding::Match => why.push("gender agrees".to_owned()),
            Finding::Unknown => {}
        }
        if facts.document == Finding::Match {
            why.push("a document number of the client is listed for this entry".to_owned());
        }
        why
    }

    fn met(&self, name: &NameRecord, pair: &Pair) -> String {
        let (ours, theirs) = (self.query_text(pair.query), self.listed_text(name, pair.listed));
        let how = match pair.how {
            How::Same if pair.query.count_ones() != pair.listed.count_ones() => "the same letters, joined or split",
            How::Same => "the same letters",
            How::Spelling => "another spelling of the same sounds",
            How::Typo => "nearly the same, as by typing errors",
            How::Form => "the same name in another language or form",
            How::Nickname => "a short form or nickname",
            How::Consonants => "the same consonants; the vowels are not written",
            How::Initial => "the same initial",
            How::Abbreviation => "cut short",
            How::Acronym => "the first letters of its words",
        };
        let edits = if pair.edits > 0.0 { format!(", {:.2} edits apart", pair.edits) } else { String::new() };
        format!("\"{ours}\" meets \"{theirs}\": {how}{edits}; weight {:.1} bits", pair.gain)
    }

    fn query_text(&self, parts: u32) -> String {
        let texts: Vec<&str> =
            places(parts).filter_map(|at| self.query_parts.get(at)).map(|part| part.text.as_str()).collect();
        texts.join(" ")
    }

    fn listed_text(&self, name: &NameRecord, parts: u32) -> String {
        let all = self.partition.parts_of(name);
        let tokens = places(parts).filter_map(|at| self.partition.token(all.get(at)?.token.get()));
        tokens.map(|token| String::from_utf8_lossy(token.letters).into_owned()).collect::<Vec<_>>().join(" ")
    }

    fn date(&self, entity: &EntityRecord, finding: DateFinding) -> String {
        let listed: Vec<String> =
            self.index.births(entity).iter().filter_map(birth_date).map(|date| date.to_string()).collect();
        let (Some(client), false) = (self.query.birth, listed.is_empty()) else {
            let side = if self.query.birth.is_none() { "the client has" } else { "the list has" };
            return format!("date of birth: {side} none, which says nothing");
        };
        let says = match finding {
            DateFinding::Equal => "equal: speaks strongly for",
            DateFinding::Swapped => "equal with day and month swapped: speaks for",
            DateFinding::OneFieldOff => "day or month differ, as by a typing error: says little",
            DateFinding::YearOff => "day and month equal, the year differs by a slip: speaks for",
            DateFinding::Compatible => "equal as far as it is known: speaks for",
            DateFinding::About => "within what the list knows only roughly: speaks a little for",
            DateFinding::NextYear => "a year apart from what the list knows roughly: says little",
            DateFinding::Unknown => "says nothing",
            DateFinding::OtherDay => "same year, another day: speaks against",
            DateFinding::Contradicts => "another date: speaks strongly against",
        };
        format!("date of birth: client {client}, listed {}: {says}", listed.join(" or "))
    }

    fn country(&self, entity: &EntityRecord, finding: Finding) -> String {
        let listed: Vec<String> =
            self.index.countries(entity).iter().map(|code| Country::from_bytes(*code).to_string()).collect();
        let ours: Vec<String> = self.query.countries.iter().map(ToString::to_string).collect();
        match finding {
            Finding::Match => format!("country: {} is listed: speaks a little for", ours.join(", ")),
            Finding::Differs => format!(
                "country: client {}, listed {}: speaks a little against, people move",
                ours.join(", "),
                listed.join(", ")
            ),
            Finding::Unknown => "country: one side has none, which says nothing".to_owned(),
        }
    }
}

fn kind(kind: u8) -> &'static str {
    match kind {
        0 => "primary name",
        1 => "strong alias",
        FORMER_NAME => "former name",
        _ => "weak alias",
    }
}

fn birth_date(record: &BirthRecord) -> Option<BirthDate> {
    let date =
        |record: &DateRecord| PartialDate::new(i16::try_from(record.year.get()).ok()?, record.month, record.day).ok();
    let (from, to) = (date(&record.from)?, date(&record.to)?);
    Some(match record.form {
        0 => BirthDate::On(from),
        1 => BirthDate::About(from),
        _ => BirthDate::Between(from, to),
    })
}
