//! Numbers as people write them, and generated ones of every country that has a plan.

use std::collections::BTreeMap;

use domain::Country;
use domain::contact::NoPhone;
use phonenumber::metadata::DATABASE;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::plan::{PLANS, Plan};
use super::source::{self, kinds};
use super::*;

/// Generated numbers of each kind of each country; `NUMBERS_PER_KIND` for a longer run.
const PER_KIND: usize = 12;

fn read_in(country: &str, text: &str) -> Option<(String, &'static str)> {
    let number = read(text, country.parse().ok()).ok()?.number.filter(|number| number.listed)?;
    Some((number.e164, number.country.map_or("", |country| country.code())))
}

fn e164(country: &str, text: &str) -> String {
    read_in(country, text).map(|(e164, _)| e164).unwrap_or_default()
}

#[test]
fn national_and_international_numbers_have_one_form() {
    for (country, text, e164, of) in [
        ("", "+52 55 1234 5678", "+525512345678", "MX"),
        ("MX", "55 1234 5678", "+525512345678", "MX"),
        ("DE", "+52 (55) 1234-5678", "+525512345678", "MX"),
        ("GB", "07400 123456", "+447400123456", "GB"),
        ("ES", "600 111 222", "+34600111222", "ES"),
        ("", "+1 416 555 0123", "+14165550123", "CA"),
        ("", "+7 701 123 4567", "+77011234567", "KZ"),
        ("GB", "+44 (0)20 7946 0018", "+442079460018", "GB"),
        ("IT", "02 3661 8300", "+390236618300", "IT"),
        ("CA", "212 555 0123", "+12125550123", "US"),
        ("RU", "8 912 345-67-89", "+79123456789", "RU"),
        ("AR", "011 15-2345-6789", "+5491123456789", "AR"),
        ("ES", "0034 600 111 222", "+34600111222", "ES"),
        ("US", "011 34 600 111 222", "+34600111222", "ES"),
        ("", "0034600111222", "+34600111222", "ES"),
        ("ES", "34600111222", "+34600111222", "ES"),
        ("DE", "030 901820", "+4930901820", "DE"),
        ("", "tel:+34-600-111-222", "+34600111222", "ES"),
    ] {
        assert_eq!(read_in(country, text), Some((e164.to_owned(), of)), "{text}");
    }
}

#[test]
fn a_national_number_that_begins_with_its_calling_code_is_a_national_number() {
    for (country, text, right) in [
        ("IN", "91876 54321", "+919187654321"),
        ("BR", "(55) 98765-4321", "+5555987654321"),
        ("IT", "392 345 6789", "+393923456789"),
        ("PL", "48 765 43 21", "+48487654321"),
        ("SG", "6543 2109", "+6565432109"),
        ("DK", "45 67 89 01", "+4545678901"),
        ("IN", "+91 91876 54321", "+919187654321"),
        ("IN", "91 91876 54321", "+919187654321"),
    ] {
        assert_eq!(e164(country, text), right, "{text}");
    }
}

#[test]
fn what_cannot_be_a_number_is_a_fault_and_says_why() {
    for (country, text, why) in [
        ("", "", NoPhone::NotANumber),
        ("", "call me", NoPhone::NotANumber),
        ("ES", "call me", NoPhone::NotANumber),
        ("", "call 60011122", NoPhone::NotANumber),
        ("", "+", NoPhone::NotANumber),
        ("", "12", NoPhone::Length),
        ("ES", "12345", NoPhone::Length),
        ("ES", "6001112223", NoPhone::Length),
        ("", "+34 600", NoPhone::Length),
        ("", "+3460011122233445566", NoPhone::Length),
        ("", "+999 123456789", NoPhone::UnknownCode),
        ("ES", "6OO 111 222", NoPhone::NotANumber),
        ("", "12. March", NoPhone::NotANumber),
        ("", "1110@example.com", NoPhone::NotANumber),
    ] {
        assert_eq!(read(text, country.parse().ok()).unwrap_err(), why, "{country} {text}");
    }
    assert_eq!(read(&"1".repeat(10_000), None), Err(NoPhone::NotANumber));
}

/// Plans are always behind, and without a country every number is somebody's in some other one.
#[test]
fn what_no_plan_lists_is_taken_and_not_believed() {
    let unlisted = |country: &str, text: &str| {
        let phone = read(text, country.parse().ok()).unwrap();
        assert!(phone.is_unverified(), "{text}");
        (phone.number.map(|number| number.e164).unwrap_or_default(), phone.as_given.unwrap_or_default())
    };
    let e164 = |text: &str| (text.to_owned(), String::new());
    let kept = |text: &str| (String::new(), text.to_owned());
    assert_eq!(unlisted("ES", "000 000 000"), e164("+34000000000"));
    assert_eq!(unlisted("", "+34 000 000 000"), e164("+34000000000"));
    assert_eq!(unlisted("GB", "06000 000000"), e164("+446000000000"));
    assert_eq!(unlisted("", "600 111 222"), kept("600 111 222"));
    assert_eq!(unlisted("", "0900111222"), kept("0900111222"));
}

/// Premium rate, shared cost, personal numbers, universal access, satellites: read as they are, and not believed.
#[test]
fn what_costs_whoever_calls_it_is_read_and_not_believed() {
    for (country, text, right) in [
        ("GB", "0909 879 1234", "+449098791234"),
        ("", "+1 900 555 1234", "+19005551234"),
        ("ES", "803 123 456", "+34803123456"),
        ("FR", "0899 12 34 56", "+33899123456"),
        ("GB", "0845 123 4567", "+448451234567"),
        ("GB", "070 1234 5678", "+447012345678"),
        ("DE", "0900 1 123456", "+499001123456"),
        ("FR", "0899 12 34 56 (WhatsApp)", "+33899123456"),
        ("", "+979123456789", "+979123456789"),
        ("", "+881612345678", "+881612345678"),
        ("", "+88216123456", "+88216123456"),
        ("", "+870773123456", "+870773123456"),
        ("", "+883510012345", "+883510012345"),
    ] {
        let phone = read(text, country.parse().ok()).unwrap();
        assert_eq!((phone.e164(), phone.costs(), phone.is_unverified()), (Some(right), true, true), "{text}");
    }
    for free in ["+448001111111", "+18003569377", "+34600111222", "+442079460018", "+80012345678"] {
        let phone = read(free, None).unwrap();
        assert_eq!((phone.costs(), phone.is_unverified()), (false, false), "{free}");
    }
}

#[test]
fn digits_of_every_script_are_read() {
    for (country, text, right) in [
        ("EG", "٠١٠٠١٢٣٤٥٦٧", "+201001234567"),
        ("", "+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "+966501234567"),
        ("IR", "۰۹۱۲۳۴۵۶۷۸۹", "+989123456789"),
        ("IN", "९१८७६ ५४३२१", "+919187654321"),
        ("BD", "০১৮১২৩৪৫৬৭৮", "+8801812345678"),
        ("TH", "๐๘๑ ๒๓๔ ๕๖๗๘", "+66812345678"),
        ("JP", "０９０－１２３４－５６７８", "+819012345678"),
        ("", "＋８１ ９０ １２３４ ５６７８", "+819012345678"),
        ("", "\u{202a}+34\u{a0}600\u{200b}111 222\u{202c}", "+34600111222"),
    ] {
        assert_eq!(e164(country, text), right, "{text}");
    }
}

/// The number is read, and what it leaves out is kept.
#[test]
fn extensions_words_letters_and_second_numbers_are_read_and_kept() {
    for (country, text, right) in [
        ("GB", "020 7946 0018 ext. 123", "+442079460018"),
        ("GB", "020 7946 0018 x123", "+442079460018"),
        ("GB", "020 7946 0018 #12", "+442079460018"),
        ("ES", "912 345 678 (extensión 45)", "+34912345678"),
        ("BR", "(11) 3234-5678 ramal 21", "+551132345678"),
        ("RU", "8 (495) 123-45-67 доб. 12", "+74951234567"),
        ("US", "1-800-FLOWERS", "+18003569377"),
        ("US", "+1 (800) FLOWERS", "+18003569377"),
        ("ES", "600 111 222 (WhatsApp)", "+34600111222"),
        ("ES", "mi móvil: 600 111 222", "+34600111222"),
        ("TW", "手機：0900 111 222", "+886900111222"),
        ("ES", "600111222 / 600333444", "+34600111222"),
        ("ES", "600111222, 600333444", "+34600111222"),
        ("ES", "12 / 600333444", "+34600333444"),
    ] {
        let phone = read(text, country.parse().ok()).unwrap();
        assert_eq!((phone.e164(), phone.as_given.as_deref(), phone.is_unverified()), (Some(right), Some(text), false));
    }
}

#[test]
fn an_old_form_of_a_mobile_is_read_as_it_is_dialled_today() {
    for (country, text, right) in [
        ("", "+5215587654321", "+525587654321"),
        ("", "+54 11 2345-6789", "+541123456789"),
        ("", "+54 9 11 2345-6789", "+5491123456789"),
        ("", "+55 21 8765-4321", "+5521987654321"),
        ("BR", "(21) 8765-4321", "+5521987654321"),
        ("", "+55 21 2555-6666", "+552125556666"),
    ] {
        assert_eq!(e164(country, text), right, "{text}");
    }
}

/// A number that was generated: where it is from, and its national digits.
struct Made {
    region: String,
    code: u16,
    national: String,
}

fn made(per_kind: usize) -> Vec<Made> {
    let mut runner = TestRunner::deterministic();
    let mut all = Vec::new();
    let mut regions: Vec<_> = DATABASE.iter().filter(|data| data.id().parse::<Country>().is_ok()).collect();
    regions.sort_by_key(|data| data.id());
    for data in regions {
        for kind in kinds(data) {
            let pattern = kind.national_number().as_str().replace(r"\d", "[0-9]");
            let pattern: String = pattern.chars().filter(|c| !c.is_whitespace()).collect();
            let strategy = proptest::string::string_regex(&pattern).unwrap();
            let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$")).unwrap();
            for _ in 0..per_kind {
                let national = strategy.new_tree(&mut runner).unwrap().current();
                // and the same one beginning with the calling code, where the country has such
                let code = data.country_code().to_string();
                let like_abroad = format!("{code}{}", national.get(code.len()..).unwrap_or_default());
                let both = [national, like_abroad].into_iter().filter(|national| whole.is_match(national));
                all.extend(both.map(|national| Made {
                    region: data.id().to_owned(),
                    code: data.country_code(),
                    national,
                }));
            }
        }
    }
    all
}

/// Generated numbers of every country with a plan, in each form in which people of that country write them. Numbers are made
/// from the patterns, not by what reads them.
#[test]
#[expect(clippy::print_stdout, reason = "the counts are what a longer run is for")]
fn no_number_of_any_country_is_refused_or_read_as_another() {
    let per_kind = std::env::var("NUMBERS_PER_KIND").ok().and_then(|n| n.parse().ok()).unwrap_or(PER_KIND);
    let numbers = made(per_kind);
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut with_own_code = 0;
    for Made { region, code, national } in &numbers {
        let right = format!("+{code}{national}");
        let trunk = DATABASE.by_id(region.as_str()).and_then(|data| data.national_prefix()).unwrap_or_default();
        let home = region.as_str();
        with_own_code += usize::from(national.starts_with(&code.to_string()));
        let forms = [
            ("national", home, national.clone()),
            ("with what is dialled before it", home, format!("{trunk}{national}")),
            ("international", "", right.clone()),
            ("international, written elsewhere", if home == "ES" { "DE" } else { "ES" }, right.clone()),
            ("with 00", "", format!("00{code}{national}")),
        ];
        for (form, country, text) in forms {
            let count = counts.entry(form).or_default();
            match read_in(country, &text) {
                Some((read, _)) if read == right => count[0] += 1,
                Some((read, _)) => {
                    count[1] += 1;
                    faults.push(format!("{form}: {country} {text} is {right}, read {read}"));
                }
                None => {
                    count[2] += 1;
                    faults.push(format!("{form}: {country} {text} is {right}, refused"));
                }
            }
        }
    }
    println!("{} numbers, {with_own_code} begin with their own calling code", numbers.len());
    for (form, [right, wrong, refused]) in &counts {
        println!("{form}: {right} right, {wrong} wrong, {refused} refused");
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults[..faults.len().min(60)].join("\n"));
}

#[test]
fn no_mobile_and_no_landline_is_taken_for_a_number_that_costs() {
    let mut runner = TestRunner::deterministic();
    let mut tried = 0;
    for data in DATABASE.iter().filter(|data| data.id().parse::<Country>().is_ok()) {
        let plan = Plan::of(data.id()).unwrap();
        let all = data.descriptors();
        for kind in [all.fixed_line(), all.mobile()].into_iter().flatten() {
            let pattern = kind.national_number().as_str().replace(r"\d", "[0-9]");
            let pattern: String = pattern.chars().filter(|c| !c.is_whitespace()).collect();
            if pattern == "NA" {
                continue;
            }
            let numbers = proptest::string::string_regex(&pattern).unwrap();
            for _ in 0..PER_KIND {
                let national = numbers.new_tree(&mut runner).unwrap().current();
                tried += 1;
                assert!(!plan.costs(&national), "{} {national}", data.id());
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
}

#[test]
fn every_country_with_a_plan_can_be_read() {
    let plans: Vec<_> = DATABASE.iter().map(|data| (data.id(), data.country_code())).collect();
    assert!(plans.len() > 240);
    assert!(PLANS == source::text(), "the plans that were built in are not those of libphonenumber");
    for (region, code) in plans {
        assert!(Plan::of(region).is_some() && Plan::of_code(code).next().is_some(), "{region} {code}");
    }
}
