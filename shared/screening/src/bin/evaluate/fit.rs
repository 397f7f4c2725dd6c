//! Fitting the model: logistic regression on the best candidates, each weight with its natural sign, drawn a little towards nought.

use screening::index::Index;
use screening::matching::features::Features;
use screening::matching::model::Model;
use screening::matching::screener::{Examined, Screener};

use crate::cases::{self, Case, Outcome};

/// Candidates are chosen anew with the new weights so many times.
const ROUNDS: usize = 3;
/// Times that every weight is looked at in each round.
const CYCLES: usize = 60;
/// The longest step of a weight.
const STEP_MAX: f64 = 1.0;
/// How strongly weights are drawn to nought.
const RIDGE: f64 = 1.0;
/// No weight is larger than this: what never happened in the cases may happen.
const WEIGHT_MAX: f64 = 9.0;
/// At the score 0.5 so many thousandths of the clean clients alarm.
const ALERTS_THOUSANDTHS: usize = 5;

/// Weights that the cases say nothing about, because they have neither documents nor genders: set by judgement.
const GIVEN: [(&str, f64); 2] = [("document_shared", 9.0), ("gender_differs", -1.0)];

/// Wrong candidates that are learnt from for each client.
const WRONG_EACH: usize = 3;

/// Namesakes with another date of birth are few in the cases and many in life.
const NAMESAKE_WEIGHT: f64 = 4.0;
/// Clients with one name only are not in the cases at all.
const ONE_NAME_WEIGHT: f64 = 0.1;

/// Weights that can only speak for the same party, or do nothing.
const FOR: [&str; 16] = [
    "legal_form_met",
    "evidence_to_8",
    "evidence_to_14",
    "evidence_to_20",
    "evidence_over_20",
    "all_met",
    "all_equal",
    "date_equal",
    "date_swapped",
    "date_one_field_off",
    "date_year_off",
    "date_compatible",
    "date_about",
    "date_next_year",
    "country_shared",
    "document_shared",
];
/// Weights that can go either way; all others speak against.
const EITHER: [&str; 3] = ["bias", "by_consonants", "initials"];

/// One candidate with the truth about it.
struct Sample {
    values: Vec<f64>,
    same: bool,
    weight: f64,
}

/// Fits on all cases.
pub fn fit(index: &Index, cases: &[&Case]) -> Model {
    let mut model = *Model::fitted();
    for _ in 0..ROUNDS {
        let mut screener = Screener::with_model(index, model);
        let (mut persons, mut things) = (Vec::new(), Vec::new());
        for case in cases {
            samples(&mut screener, case, if case.is_person() { &mut persons } else { &mut things });
        }
        descend(&mut model.persons, &persons);
        descend(&mut model.things, &things);
        centre(index, cases, &mut model);
    }
    model
}

/// Each case measured by a model that was fitted without its fold.
pub fn cross_validated(index: &Index, cases: &[Case], folds: usize) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; cases.len()];
    for fold in 0..folds {
        let others: Vec<&Case> = cases.iter().filter(|case| case.fold(folds) != fold).collect();
        let model = fit(index, &others);
        let mut screener = Screener::with_model(index, model);
        for (case, outcome) in cases.iter().zip(&mut outcomes).filter(|(case, _)| case.fold(folds) == fold) {
            *outcome = Some(cases::outcome(&mut screener, case));
        }
    }
    outcomes.into_iter().flatten().collect()
}

/// The right candidate of a listed client, and the best wrong ones of anybody.
fn samples(screener: &mut Screener<'_>, case: &Case, samples: &mut Vec<Sample>) {
    let candidates = screener.examine(&case.query());
    let sample = |features: &Features, same, weight| Sample {
        values: features.values().into_iter().map(f64::from).collect(),
        same,
        weight,
    };
    let is_right = |candidate: &Examined| case.label == 1 && candidate.entity_id == case.entity_id;
    let right = candidates.iter().find(|candidate| is_right(candidate));
    samples.extend(right.map(|right| sample(&right.features, true, 1.0)));
    let weight = match case.category.as_str() {
        "namesake_other_dob" => NAMESAKE_WEIGHT,
        _ if case.label == 1 => 0.3,
        _ => 1.0,
    };
    let wrong = candidates.iter().filter(|candidate| !is_right(candidate)).take(WRONG_EACH);
    samples.extend((1_u32..).zip(wrong).map(|(rank, wrong)| sample(&wrong.features, false, weight / f64::from(rank))));
    if case.is_clean() && case.is_person() {
        // whoever gives one name only is not thereby listed
        let first = case.name.split_whitespace().next().unwrap_or_default().to_owned();
        let alone = screener.examine(&Case { name: first, dob: String::new(), ..case.clone() }.query());
        samples.extend(alone.first().map(|wrong| sample(&wrong.features, false, ONE_NAME_WEIGHT)));
    }
}

/// Newton's step for one weight after the other, each kept within its bounds, until nothing moves.
fn descend(weights: &mut Features, samples: &[Sample]) {
    let mut current: Vec<f64> = weights.values().into_iter().map(f64::from).collect();
    let mut logits: Vec<f64> = samples
        .iter()
        .map(|sample| sample.values.iter().zip(&current).map(|(value, weight)| value * weight).sum())
        .collect();
    for _ in 0..CYCLES {
        for (at, name) in Features::NAMES.iter().enumerate() {
            let Some(weight) = current.get_mut(at) else { continue };
            let ridge = if *name == "bias" { 0.0 } else { RIDGE };
            let (mut slope, mut bend) = (ridge * *weight, ridge + 1e-9);
            for (sample, logit) in samples.iter().zip(&logits) {
                let value = sample.values.get(at).copied().unwrap_or_default();
                if value != 0.0 {
                    let guess = 1.0 / (1.0 + (-logit).exp());
                    slope += sample.weight * value * (guess - if sample.same { 1.0 } else { 0.0 });
                    bend += sample.weight * value * value * guess * (1.0 - guess);
                }
            }
            let next = allowed(name, *weight - (slope / bend).clamp(-STEP_MAX, STEP_MAX));
            let change = next - *weight;
            *weight = next;
            for (sample, logit) in samples.iter().zip(&mut logits) {
                *logit += change * sample.values.get(at).copied().unwrap_or_default();
            }
        }
    }
    *weights = Features::from_values(&current.iter().map(|weight| narrowed(*weight)).collect::<Vec<_>>());
}

fn allowed(name: &str, weight: f64) -> f64 {
    if let Some((_, given)) = GIVEN.iter().find(|(given, _)| *given == name) {
        *given
    } else if name == "bias" {
        weight
    } else if name == "evidence_over_20" {
        // else all clients with long equal names would have one and the same score
        weight.clamp(0.15, WEIGHT_MAX)
    } else if EITHER.contains(&name) {
        weight.clamp(-WEIGHT_MAX, WEIGHT_MAX)
    } else if FOR.contains(&name) {
        weight.clamp(0.0, WEIGHT_MAX)
    } else {
        weight.clamp(-WEIGHT_MAX, 0.0)
    }
}

/// Four digits are all that the model file keeps.
fn narrowed(weight: f64) -> f32 {
    format!("{weight:.4}").parse().unwrap_or_default()
}

/// Moves the bias so that a score of 0.5 is the alert threshold.
fn centre(index: &Index, cases: &[&Case], model: &mut Model) {
    let mut screener = Screener::with_model(index, *model);
    let mut scores = [Vec::new(), Vec::new()];
    for case in cases.iter().filter(|case| case.is_clean()) {
        let [persons, things] = &mut scores;
        if case.is_person() { persons } else { things }.push(cases::outcome(&mut screener, case).score);
    }
    for (mut scores, weights) in scores.into_iter().zip([&mut model.persons, &mut model.things]) {
        scores.sort_unstable_by(|a: &f32, b| b.total_cmp(a));
        let least = scores.get(scores.len() * ALERTS_THOUSANDTHS / 1000).copied().filter(|score| *score > f32::MIN);
        weights.bias -= least.unwrap_or_default();
    }
}
