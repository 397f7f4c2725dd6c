//! The numbering plans as text, a line each. The build writes it and the tests compare with it; no function has libphonenumber's
//! crate in it, which brings two more engines for regular expressions and unpacks every plan for the first number.

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

/// Largest calling code.
const CODE_MAX: u16 = 999;

/// Every plan by calling code, the main country's first: region, code, lengths, pattern of what is listed, pattern of what costs whoever calls it, how its numbers begin,
/// national prefix, what is dialled before a national number, what that becomes, what is dialled to reach other countries. What a
/// plan does not have is empty.
pub fn text() -> String {
    let plans = (1..=CODE_MAX).filter_map(|code| DATABASE.by_code(&code)).flatten();
    plans.map(|plan| line(plan) + "\n").collect()
}

fn line(data: &Metadata) -> String {
    let pattern = |text: Option<&str>| text.unwrap_or_default().split_whitespace().collect::<String>();
    let listed: Vec<String> = kinds(data).map(|kind| pattern(Some(kind.national_number().as_str()))).collect();
    let costly: Vec<String> = costly_kinds(data).map(|kind| pattern(Some(kind.national_number().as_str()))).collect();
    let mut lengths: Vec<u16> = kinds(data).flat_map(|kind| kind.possible_length().iter().copied()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let lengths: Vec<String> = lengths.iter().map(u16::to_string).collect();
    let trunk = data.national_prefix_for_parsing().map(|prefix| prefix.as_str()).or(data.national_prefix());
    let fields = [
        data.id().to_owned(),
        data.country_code().to_string(),
        lengths.join(","),
        listed.join("|"),
        costly.join("|"),
        pattern(data.leading_digits().map(|leading| leading.as_str())),
        data.national_prefix().unwrap_or_default().to_owned(),
        pattern(trunk),
        data.national_prefix_transform_rule().unwrap_or_default().to_owned(),
        pattern(data.international_prefix().map(|prefix| prefix.as_str())),
    ];
    fields.join("\t")
}

/// The kinds of numbers that somebody can have.
pub fn kinds(data: &Metadata) -> impl Iterator<Item = &Descriptor> {
    let all = data.descriptors();
    let kinds = [
        all.fixed_line(),
        all.mobile(),
        all.toll_free(),
        all.premium_rate(),
        all.shared_cost(),
        all.personal_number(),
        all.voip(),
        all.pager(),
        all.uan(),
        all.voicemail(),
    ];
    had(kinds)
}

/// The kinds whose numbers cost whoever calls them.
fn costly_kinds(data: &Metadata) -> impl Iterator<Item = &Descriptor> {
    let all = data.descriptors();
    had([all.premium_rate(), all.shared_cost(), all.personal_number(), all.uan()])
}

/// Those that a country has: one that it does not have is a pattern that matches nothing, with the length -1 or none.
fn had<'a>(kinds: impl IntoIterator<Item = Option<&'a Descriptor>>) -> impl Iterator<Item = &'a Descriptor> {
    kinds.into_iter().flatten().filter(|kind| kind.national_number().as_str() != "NA")
}
