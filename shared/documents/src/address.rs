//! A proof of address: whether it bears the client's name, city and country, and how old it is.

use domain::{Country, Redacted};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Source, What};
use crate::fold;
use crate::line::Line;
use crate::visual::{self, Of, TextLine, dates_in};

/// Words of one line that are tried for a name or a country.
const WORDS_MAX: usize = 6;

/// Whom the proof is to be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// The whole name, in any order and writing.
    pub full_name: Redacted<String>,
    /// The country of residence.
    pub residence: Country,
    /// The city, if the client said it.
    pub city: Option<Redacted<String>>,
}

/// What stands on a proof of address. Nothing of it is sure: no check digit covers a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The whole name stands in one line, in any order.
    pub name_found: bool,
    /// The city stands in one line; none if the client named none.
    pub city_found: Option<bool>,
    /// The country is named.
    pub country_found: bool,
    /// The newest date that is not ahead: bills say when they are due, too.
    pub newest_date: Option<Date>,
}

/// Reads a proof of address from the lines of its pages.
pub fn read(pages: &[&[Line]], resident: &Resident, today: Date) -> (Proof, Vec<Finding>) {
    let lines: Vec<TextLine> = (0..).zip(pages).flat_map(|(page, lines)| visual::lines(lines, &[], page)).collect();
    let name = resident.full_name.reveal();
    let name_found = !words(name).is_empty() && lines.iter().any(|line| bears_name(line, name));
    let city_found = resident.city.as_ref().map(|city| bears(&lines, &words(city.reveal())));
    let country_found = lines.iter().any(|line| names_country(line, &resident.residence));
    let days = lines.iter().flat_map(|line| dates_in(&line.words)).flat_map(|date| date.days(Of::Validity, today));
    let newest_date = days.filter(|day| *day <= today).max();
    let findings = [
        (!name_found).then_some(What::AddressNameNotFound),
        (city_found == Some(false)).then_some(What::AddressCityNotFound),
        (!country_found).then_some(What::AddressCountryNotFound),
        newest_date.is_none().then_some(What::AddressDateNotFound),
    ];
    let findings = findings.into_iter().flatten().map(|what| Finding::of(what, &[Source::Visual, Source::Declared]));
    (Proof { name_found, city_found, country_found, newest_date }, findings.collect())
}

/// The words of a text in every form.
fn words(text: &str) -> Vec<Vec<String>> {
    let words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, '-' | ',' | '.'));
    words.map(fold::forms).filter(|forms| forms.iter().any(|form| !form.is_empty())).collect()
}

/// Whether every word of the name stands in the line, each at a place of its own.
fn bears_name(line: &TextLine, name: &str) -> bool {
    let mut free: Vec<&Vec<String>> = line.words.iter().map(|word| &word.forms).collect();
    words(name).iter().all(|wanted| {
        let at = free.iter().position(|forms| forms.iter().any(|form| wanted.contains(form)));
        at.map(|at| free.swap_remove(at)).is_some()
    })
}

/// Whether the words stand one after the other in a line.
fn bears(lines: &[TextLine], wanted: &[Vec<String>]) -> bool {
    let alike = |(forms, wanted): (&Vec<String>, &Vec<String>)| forms.iter().any(|form| wanted.contains(form));
    lines.iter().any(|line| {
        let forms: Vec<&Vec<String>> = line.words.iter().map(|word| &word.forms).collect();
        !wanted.is_empty() && forms.windows(wanted.len()).any(|some| some.iter().copied().zip(wanted).all(alike))
    })
}

/// Whether the line, or some of its last words, are a name of the country.
fn names_country(line: &TextLine, country: &Country) -> bool {
    let texts: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
    let ends = (1..=texts.len().min(WORDS_MAX)).filter_map(|count| texts.get(texts.len().saturating_sub(count)..));
    // two letters alone may be anything
    let names = ends.map(|words| words.join(" ")).filter(|name| name.chars().count() > 2);
    let mut found = names.filter_map(|name| domain::country::by_code_or_name(&name));
    found.any(|found| found == *country)
}
