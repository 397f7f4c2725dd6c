//! The numbering plans: which national numbers a country has, and how they are written inside it.
//!
//! The plans are the data of libphonenumber. They are read as that project defines them: a number is listed if one of the
//! patterns of its kinds matches **all** of it, and has a possible length if any kind has numbers of that length.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex_lite::{Captures, Regex};

/// Services that span countries and are dear to call: satellites, personal and premium-rate numbers of the whole world.
pub(super) const COSTLY_CODES: [u16; 6] = [870, 878, 881, 882, 883, 979];

/// The plan of a country, or of a service that spans countries.
pub(super) struct Plan {
    /// The country's code; digits for what belongs to none.
    pub region: String,
    /// What is dialled before its numbers from abroad.
    pub code: u16,
    listed: Regex,
    /// Its numbers that cost whoever calls them more than a call, some for the good of whoever has them.
    costly: Option<Regex>,
    lengths: BTreeSet<usize>,
    /// Of several countries with one calling code: how the numbers of this one begin.
    leading: Option<Regex>,
    national_prefix: Option<String>,
    trunk: Option<Trunk>,
    abroad: Option<Regex>,
}

/// What is dialled before a national number inside the country, and sometimes written in its midst.
struct Trunk {
    prefix: Regex,
    /// What the national number is made of, where it is more than the rest.
    rule: Option<String>,
}

impl Plan {
    /// The plan of a country.
    pub fn of(region: &str) -> Option<Arc<Self>> {
        known(DATABASE.by_id(region)?)
    }

    /// The plans of a calling code, the main country's first, each made when it is asked for: +1 has twenty-five.
    pub fn of_code(code: u16) -> impl Iterator<Item = Arc<Self>> {
        DATABASE.by_code(&code).unwrap_or_default().into_iter().filter_map(known)
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
        let plain = self.national_prefix.as_deref().and_then(|prefix| national.strip_prefix(prefix));
        let without = self.without_trunk(national).into_iter().chain(plain.map(str::to_owned));
        std::iter::once(national.to_owned()).chain(without).collect()
    }

    fn without_trunk(&self, national: &str) -> Option<String> {
        let trunk = self.trunk.as_ref()?;
        let found = trunk.prefix.captures(national)?;
        let end = found.get(0)?.end();
        let rest = national.get(end..)?;
        let last = found.get(found.len().saturating_sub(1)).filter(|_| found.len() > 1);
        match (&trunk.rule, last) {
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

/// Plans that were made before: the patterns of a country are compiled once.
fn known(data: &Metadata) -> Option<Arc<Plan>> {
    static PLANS: OnceLock<Mutex<BTreeMap<String, Arc<Plan>>>> = OnceLock::new();
    // services that belong to no country all have the same name
    let key = format!("{} {}", data.id(), data.country_code());
    let mut plans = PLANS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plan) = plans.get(&key) {
        return Some(Arc::clone(plan));
    }
    let plan = Arc::new(read(data)?);
    plans.insert(key, Arc::clone(&plan));
    Some(plan)
}

/// The kinds of numbers that somebody can have.
pub(super) fn kinds(data: &Metadata) -> impl Iterator<Item = &Descriptor> {
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
    // a kind that a country does not have is a pattern that matches nothing, with the length -1 or none
    kinds.into_iter().flatten().filter(|kind| kind.national_number().as_str() != "NA")
}

/// The kinds whose numbers cost whoever calls them.
fn costly_kinds(data: &Metadata) -> impl Iterator<Item = &Descriptor> {
    let all = data.descriptors();
    let kinds = [all.premium_rate(), all.shared_cost(), all.personal_number(), all.uan()];
    kinds.into_iter().flatten().filter(|kind| kind.national_number().as_str() != "NA")
}

fn read(data: &Metadata) -> Option<Plan> {
    let pattern = |text: &str, end: &str| Regex::new(&format!("(?x)^(?:{text}){end}")).ok();
    let begins = |text: Option<&str>| match text {
        None => Some(None),
        Some(text) => pattern(text, "").map(Some),
    };
    let patterns: Vec<&str> = kinds(data).map(|kind| kind.national_number().as_str()).collect();
    let costly: Vec<&str> = costly_kinds(data).map(|kind| kind.national_number().as_str()).collect();
    let costly = if costly.is_empty() { None } else { Some(pattern(&costly.join("|"), "$")?) };
    let lengths = kinds(data).flat_map(|kind| kind.possible_length().iter().map(|n| usize::from(*n))).collect();
    let prefix = data.national_prefix_for_parsing().map(|prefix| prefix.as_str()).or(data.national_prefix());
    let trunk =
        begins(prefix)?.map(|prefix| Trunk { prefix, rule: data.national_prefix_transform_rule().map(str::to_owned) });
    Some(Plan {
        region: data.id().to_owned(),
        code: data.country_code(),
        listed: pattern(&patterns.join("|"), "$")?,
        costly,
        lengths,
        leading: begins(data.leading_digits().map(|leading| leading.as_str()))?,
        national_prefix: data.national_prefix().map(str::to_owned),
        trunk,
        abroad: begins(data.international_prefix().map(|prefix| prefix.as_str()))?,
    })
}
