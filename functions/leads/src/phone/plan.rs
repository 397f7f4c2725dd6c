//! The numbering plans: which national numbers a country has, and how they are written inside it.
//!
//! The plans are the data of libphonenumber. They are read as that project defines them: a number is listed if one of the
//! patterns of its kinds matches **all** of it, and has a possible length if any kind has numbers of that length.

use std::sync::OnceLock;

use regex_lite::{Captures, Regex};

/// What the build made of libphonenumber's data (`source.rs` says in which form), a line a plan.
pub(super) const PLANS: &str = include_str!(concat!(env!("OUT_DIR"), "/plans.txt"));

/// Services that span countries and are dear to call: satellites, personal and premium-rate numbers of the whole world.
pub(super) const COSTLY_CODES: [u16; 6] = [870, 878, 881, 882, 883, 979];

/// The plan of a country, or of a service that spans countries.
pub(super) struct Plan {
    /// The country's code; digits for what belongs to none.
    pub region: &'static str,
    /// What is dialled before its numbers from abroad.
    pub code: u16,
    listed: Regex,
    lengths: Vec<usize>,
    /// Its numbers that cost whoever calls them more than a call, some for the good of whoever has them.
    costly: Option<Regex>,
    /// Of several countries with one calling code: how the numbers of this one begin.
    leading: Option<Regex>,
    national_prefix: Option<&'static str>,
    trunk: Option<Trunk>,
    abroad: Option<Regex>,
}

/// What is dialled before a national number inside the country, and sometimes written in its midst.
struct Trunk {
    prefix: Regex,
    /// What the national number is made of, where it is more than the rest.
    rule: Option<&'static str>,
}

impl Plan {
    /// The plan of a country.
    pub fn of(region: &str) -> Option<&'static Self> {
        entries().iter().find(|entry| entry.region == region)?.plan()
    }

    /// The plans of a calling code, the main country's first, each made when it is asked for: +1 has twenty-five.
    pub fn of_code(code: u16) -> impl Iterator<Item = &'static Self> {
        entries().iter().filter(move |entry| entry.code == code).filter_map(Entry::plan)
    }

    /// Whether it lists a national number.
    pub fn lists(&self, national: &str) -> bool {
        self.leading.as_ref().is_none_or(|leading| leading.is_match(national)) && self.listed.is_match(national)
    }

    /// Whether a number that it lists costs whoever calls it more than a call.
    pub fn costs(&self, national: &str) -> bool {
        COSTLY_CODES.contains(&self.code) || self.costly.as_ref().is_some_and(|costly| costly.is_match(national))
    }

    /// Whether it has numbers of that length.
    pub fn has_length(&self, national: &str) -> bool {
        self.lengths.contains(&national.len())
    }

    /// A national number as it is written inside the country: as it is, and without what is dialled before it there. Where a
    /// carrier may be dialled too, what looks like one can be the number's own beginning.
    pub fn forms(&self, national: &str) -> Vec<String> {
        let plain = self.national_prefix.and_then(|prefix| national.strip_prefix(prefix));
        let without = self.without_trunk(national).into_iter().chain(plain.map(str::to_owned));
        std::iter::once(national.to_owned()).chain(without).collect()
    }

    fn without_trunk(&self, national: &str) -> Option<String> {
        let trunk = self.trunk.as_ref()?;
        let found = trunk.prefix.captures(national)?;
        let end = found.get(0)?.end();
        let rest = national.get(end..)?;
        let last = found.get(found.len().saturating_sub(1)).filter(|_| found.len() > 1);
        match (trunk.rule, last) {
            (Some(rule), Some(_)) => Some(expanded(rule, &found) + rest),
            _ => (end > 0).then(|| rest.to_owned()),
        }
    }

    /// A number without what is dialled inside the country to reach others.
    pub fn without_prefix_abroad<'d>(&self, digits: &'d str) -> Option<&'d str> {
        let found = self.abroad.as_ref()?.find(digits)?;
        digits.get(found.end()..).filter(|rest| found.end() > 0 && !rest.starts_with('0'))
    }
}

/// `$1` and `$2` of a rule are the groups of the prefix.
fn expanded(rule: &str, found: &Captures<'_>) -> String {
    let mut made = String::new();
    let mut group = false;
    for c in rule.chars() {
        match (group, c, c.to_digit(10).and_then(|n| usize::try_from(n).ok())) {
            (false, '$', _) => group = true,
            (true, _, Some(n)) => {
                made.push_str(found.get(n).map_or("", |part| part.as_str()));
                group = false;
            }
            (_, c, _) => made.push(c),
        }
    }
    made
}

/// A line of the plans. Its patterns are compiled when they are asked for, and once.
struct Entry {
    region: &'static str,
    code: u16,
    rest: &'static str,
    plan: OnceLock<Option<Plan>>,
}

impl Entry {
    fn plan(&self) -> Option<&Plan> {
        self.plan.get_or_init(|| plan(self)).as_ref()
    }
}

fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    let entry = |line: &'static str| {
        let (region, rest) = line.split_once('\t')?;
        let (code, rest) = rest.split_once('\t')?;
        Some(Entry { region, code: code.parse().ok()?, rest, plan: OnceLock::new() })
    };
    ENTRIES.get_or_init(|| PLANS.lines().filter_map(entry).collect())
}

fn plan(entry: &Entry) -> Option<Plan> {
    let pattern = |text: &str, end: &str| Regex::new(&format!("^(?:{text}){end}")).ok();
    let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let begins = |text: &'static str| match some(text) {
        None => Some(None),
        Some(text) => pattern(text, "").map(Some),
    };
    let mut fields = entry.rest.split('\t');
    let mut next = || fields.next();
    let (lengths, listed, costly, leading, national_prefix) = (next()?, next()?, next()?, next()?, next()?);
    let (trunk, rule, abroad) = (next()?, next()?, next()?);
    Some(Plan {
        region: entry.region,
        code: entry.code,
        listed: pattern(listed, "$")?,
        costly: match some(costly) {
            None => None,
            Some(text) => Some(pattern(text, "$")?),
        },
        lengths: lengths.split(',').filter_map(|length| length.parse().ok()).collect(),
        leading: begins(leading)?,
        national_prefix: some(national_prefix),
        trunk: begins(trunk)?.map(|prefix| Trunk { prefix, rule: some(rule) }),
        abroad: begins(abroad)?,
    })
}
