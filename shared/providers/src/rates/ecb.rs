//! The euro reference rates of the European Central Bank: `GET {base}/eurofxref-daily.xml`, published about 16:00 CET on working days.
//!
//! ```xml
//! <gesmes:Envelope …><gesmes:subject>Reference rates</gesmes:subject>…
//!   <Cube><Cube time='2026-11-27'><Cube currency='USD' rate='1.0593'/>…</Cube></Cube>
//! </gesmes:Envelope>
//! ```
//!
//! A rate is what one euro is worth; two other currencies are compared over the euro. The file names a day and no time, so its rates
//! are of the beginning of that day: never younger than they are. They are middle rates.

use std::collections::BTreeMap;

use domain::{Currency, Timestamp};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use rust_decimal::Decimal;

use super::{BoxFuture, Call, PairRate, RateError, RateSource, plain_rate};

/// Digits that are kept of a rate that is computed from two others; the published ones have at most seven.
const CROSS_DIGITS: u32 = 10;
const BASE: &str = "EUR";
/// Elements inside each other: envelope, all, the day, a rate.
const DEPTH: usize = 4;

/// The source.
pub(super) struct Ecb(pub(super) Call);

impl RateSource for Ecb {
    fn rate<'a>(&'a self, from: Currency, to: Currency) -> BoxFuture<'a, Result<PairRate, RateError>> {
        Box::pin(async move { read(&self.0.get("/eurofxref-daily.xml").await?)?.pair(from, to) })
    }
}

fn unusable(what: &str) -> RateError {
    RateError::Unusable(what.to_owned())
}

/// One day's rates by currency code.
#[derive(Debug, PartialEq, Eq)]
struct Day {
    at: Timestamp,
    rates: BTreeMap<String, Decimal>,
}

impl Day {
    fn pair(&self, from: Currency, to: Currency) -> Result<PairRate, RateError> {
        let missing = || RateError::Missing(from, to);
        let of_euro = |currency: Currency| match currency.code() {
            BASE => Some(Decimal::ONE),
            code => self.rates.get(code).copied(),
        };
        let (base, other) = (of_euro(from).ok_or_else(missing)?, of_euro(to).ok_or_else(missing)?);
        let rate = match from.code() {
            // as it is published
            BASE => Some(other),
            _ => other.checked_div(base).and_then(|rate| rate.round_sf(CROSS_DIGITS)),
        };
        let rate = rate.map(|rate| rate.normalize()).filter(|rate| *rate > Decimal::ZERO);
        Ok(PairRate { rate: rate.ok_or_else(|| unusable("two of its rates make none"))?, at: self.at })
    }
}

fn read(bytes: &[u8]) -> Result<Day, RateError> {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().expand_empty_elements = true;
    let mut day: Option<Day> = None;
    let (mut depth, mut is_whole) = (0_usize, false);
    loop {
        match reader.read_event().map_err(|_| unusable("it is not XML"))? {
            Event::Start(start) => {
                if is_whole {
                    return Err(unusable("something follows its end"));
                }
                depth = depth.saturating_add(1);
                if start.local_name().as_ref() == b"Cube" {
                    cube(&start, depth, &mut day)?;
                } else if depth == 1 && start.local_name().as_ref() != b"Envelope" {
                    return Err(unusable("it is not the file of reference rates"));
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                is_whole = depth == 0;
            }
            Event::DocType(_) => return Err(unusable("it declares a document type")),
            Event::Eof => break,
            _ => {}
        }
    }
    let day = day.filter(|day| is_whole && !day.rates.is_empty());
    day.ok_or_else(|| unusable("it is cut off, or has no rates"))
}

/// One `Cube`: all (no attribute), the day, or a rate. Anything else that is called so is another file.
fn cube(start: &BytesStart<'_>, depth: usize, day: &mut Option<Day>) -> Result<(), RateError> {
    let attributes = attributes(start)?;
    let get = |name: &str| attributes.get(name).map(String::as_str);
    match (get("time"), get("currency"), get("rate"), day) {
        (None, None, None, None) if depth == 2 => Ok(()),
        (Some(time), None, None, day @ None) if depth == 3 => {
            // a moment of its own would read as well: only a day is one
            let is_day = time.len() == "2026-11-27".len();
            let at = format!("{time}T00:00:00Z").parse().ok().filter(|_| is_day);
            *day = Some(Day { at: at.ok_or_else(|| unusable("its day is none"))?, rates: BTreeMap::new() });
            Ok(())
        }
        (None, Some(code), Some(rate), Some(day)) if depth == DEPTH => {
            let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && code != BASE;
            let news = is_code && day.rates.insert(code.to_owned(), plain_rate(rate)?).is_none();
            if news { Ok(()) } else { Err(unusable("a currency in it is none, or is there twice")) }
        }
        _ => Err(unusable("its elements are not where they were")),
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<BTreeMap<String, String>, RateError> {
    let mut all = BTreeMap::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| unusable("an attribute in it cannot be read"))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|_| unusable("an attribute in it cannot be read"))?;
        let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        all.insert(name, value.into_owned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender>
		<gesmes:name>European Central Bank</gesmes:name>
	</gesmes:Sender>
	<Cube>
		<Cube time='2026-11-27'>
			<Cube currency='USD' rate='1.0593'/>
			<Cube currency='JPY' rate='161.85'/>
			<Cube currency='GBP' rate='0.83495'/>
		</Cube>
	</Cube>
</gesmes:Envelope>
"#;

    fn pair(file: &str, from: &str, to: &str) -> Result<String, RateError> {
        Ok(read(file.as_bytes())?.pair(from.parse().unwrap(), to.parse().unwrap())?.rate.to_string())
    }

    #[test]
    fn rates_are_of_the_euro_and_others_are_compared_over_it() {
        assert_eq!(read(FILE.as_bytes()).unwrap().at.to_string(), "2026-11-27T00:00:00.000Z");
        for (from, to, rate) in [
            ("EUR", "USD", "1.0593"),
            ("EUR", "JPY", "161.85"),
            ("USD", "EUR", "0.9440196356"),
            ("USD", "JPY", "152.789578"),
            ("JPY", "USD", "0.006544949027"),
            ("GBP", "USD", "1.268698724"),
        ] {
            assert_eq!(pair(FILE, from, to).unwrap(), rate, "{from}/{to}");
        }
        assert!(matches!(pair(FILE, "CHF", "USD"), Err(RateError::Missing(..))));
        assert!(matches!(pair(FILE, "USD", "CHF"), Err(RateError::Missing(..))));
    }

    #[test]
    fn what_is_not_the_whole_file_is_no_rate() {
        let cases = [
            ("", ""),
            (FILE, "<<not what you expected"),
            ("1.0593", "0"),
            ("1.0593", "-1.0593"),
            ("1.0593", "N/A"),
            ("rate='1.0593'", "rate=''"),
            ("rate='1.0593'", ""),
            ("currency='USD' rate='1.0593'", "currency='JPY' rate='1.0593'"),
            ("currency='USD'", "currency='EUR'"),
            ("currency='USD'", "currency='usd'"),
            ("2026-11-27", "2026-13-27"),
            ("2026-11-27", "27.11.2026"),
            ("<Cube time='2026-11-27'>", "<Cube>"),
            ("</gesmes:Envelope>", ""),
            ("</gesmes:Envelope>", "</gesmes:Envelope><Cube/>"),
            ("gesmes:Envelope", "Error"),
            ("encoding=\"UTF-8\"?>", "encoding=\"UTF-8\"?><!DOCTYPE x [<!ENTITY y '9'>]>"),
        ];
        for (good, bad) in cases {
            let file = if good.is_empty() { String::new() } else { FILE.replace(good, bad) };
            assert!(matches!(read(file.as_bytes()), Err(RateError::Unusable(_))), "{good} -> {bad}");
        }
        for end in 1..FILE.trim_end().len() {
            assert!(read(&FILE.as_bytes()[..end]).is_err(), "cut off at {end}");
        }
    }
}
