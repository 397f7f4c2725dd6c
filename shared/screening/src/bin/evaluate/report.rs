//! The measurements as a table.

use std::collections::BTreeMap;
use std::io::Write;

use crate::cases::{Case, Outcome};

/// False-alarm rates in thousandths.
const RATES: [usize; 4] = [1, 5, 10, 50];

/// Prints recall by false-alarm rate and by kind of variation.
pub fn print(title: &str, cases: &[Case], outcomes: &[Outcome]) {
    let mut text = format!("{title}\n");
    let all: Vec<(&Case, &Outcome)> = cases.iter().zip(outcomes).collect();
    let persons: Vec<_> = all.iter().copied().filter(|(case, _)| case.is_person()).collect();
    let latin: Vec<_> = persons.iter().copied().filter(|(case, _)| is_latin(&case.name)).collect();
    let organisations: Vec<_> = all.iter().copied().filter(|(case, _)| !case.is_person()).collect();
    for (name, group) in [("persons", &persons), ("persons, Latin only", &latin), ("organisations", &organisations)] {
        text.push_str(&table(name, group));
    }
    for (name, group) in [("persons", &persons), ("organisations", &organisations)] {
        text.push_str(&by_kind(name, group));
    }
    write(&text);
}

/// Writes to standard output; a closed pipe is the reader's wish.
pub fn write(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap_or_default();
}

fn is_latin(name: &str) -> bool {
    name.chars().all(|letter| matches!(u32::from(letter), 0..=0x24F | 0x1E00..=0x1EFF | 0x2000..=0x206F))
}

/// The score that so many thousandths of the clean clients exceed.
fn threshold(group: &[(&Case, &Outcome)], thousandths: usize) -> f32 {
    let mut scores: Vec<f32> =
        group.iter().filter(|(case, _)| case.is_clean()).map(|(_, outcome)| outcome.score).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    scores.get(scores.len() * thousandths / 1000).copied().unwrap_or(f32::MIN)
}

fn percent<'a>(outcomes: impl Iterator<Item = (&'a Case, &'a Outcome)>, good: impl Fn(&Outcome) -> bool) -> String {
    let (mut all, mut hits) = (0_u32, 0_u32);
    for (_, outcome) in outcomes {
        all += 1;
        hits += u32::from(good(outcome));
    }
    if all == 0 { "    -".to_owned() } else { format!("{:5.1}", f64::from(hits) * 100.0 / f64::from(all)) }
}

fn table(name: &str, group: &[(&Case, &Outcome)]) -> String {
    let clean = group.iter().filter(|(case, _)| case.is_clean()).count();
    let listed = group.iter().filter(|(case, _)| case.label == 1).count();
    let mut text =
        format!("\n{name}: {listed} listed, {clean} clean\n  false alarms   recall   namesakes   recombined\n");
    for rate in RATES {
        let least = threshold(group, rate);
        let of = |category: &str| {
            percent(group.iter().copied().filter(|(case, _)| case.category == category), |outcome| {
                outcome.score > least
            })
        };
        let recall = percent(group.iter().copied().filter(|(case, _)| case.label == 1), |outcome| {
            outcome.right && outcome.score > least
        });
        text.push_str(&format!(
            "     {:2}.{} %      {recall}       {}        {}\n",
            rate / 10,
            rate % 10,
            of("namesake_other_dob"),
            of("hard_recombined")
        ));
    }
    let mut ties: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, outcome) in group.iter().filter(|(case, _)| case.label == 1) {
        *ties.entry(outcome.score.to_bits()).or_default() += 1;
    }
    text.push_str(&format!(
        "  most listed clients with one and the same score: {}\n",
        ties.values().max().unwrap_or(&0)
    ));
    text
}

fn by_kind(name: &str, group: &[(&Case, &Outcome)]) -> String {
    let (strict, usual) = (threshold(group, 1), threshold(group, 10));
    let mut kinds: Vec<&str> =
        group.iter().filter(|(case, _)| case.label == 1).map(|(case, _)| case.category.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut text = format!("\n{name} by kind of variation      at 1 %   at 0.1 %   right entry\n");
    for kind in kinds {
        let of = || group.iter().copied().filter(|(case, _)| case.category == kind && case.label == 1);
        text.push_str(&format!(
            "  {kind:24} {:5}   {}     {}       {}\n",
            of().count(),
            percent(of(), |outcome| outcome.right && outcome.score > usual),
            percent(of(), |outcome| outcome.right && outcome.score > strict),
            percent(of(), |outcome| outcome.right)
        ));
    }
    text
}
