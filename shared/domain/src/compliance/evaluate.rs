//! One scenario at one moment of one client: a hit, none, or not enough history to say.

use std::collections::{BTreeMap, BTreeSet};

use super::countries::CountryLists;
use super::facts::{About, Asker, Moment, Subject};
use super::reckon::{Reckoned, View, reckon};
use super::rules::{Scenario, Scenarios, Variant};
use crate::activity::History;
use crate::rules::evaluate::{NodeKind, Outcome, RuleFault, evaluate as ask};
use crate::rules::{Condition, Facts, RuleError, first_match};

/// How many ids an alert names.
const EVIDENCE_MAX: usize = 60;
/// How many lines tell why.
const WHY_MAX: usize = 40;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Under whose rules the client is.
    pub jurisdiction: String,
    /// What kind of client he is.
    pub segment: String,
    /// The row of the overrides whose parameters counted.
    pub overridden_by: Option<String>,
    /// What each feature came to; a list as its parts with commas. One without a value is not in it.
    pub features: BTreeMap<String, String>,
    /// How each came about, and what each question was answered.
    pub why: Vec<String>,
    /// What it was made of, as ids.
    pub evidence: Vec<String>,
}

/// What an evaluation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluation {
    /// The condition holds.
    Hit(Looked),
    /// It does not.
    NoHit(Looked),
    /// What is known is not enough to say.
    InsufficientHistory {
        /// What is missing.
        what: Vec<String>,
        /// What was looked at.
        looked: Looked,
    },
}

/// What evaluations are made of, beside scenario and moment.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// What the client did, as far as it was read.
    pub history: &'a History,
    /// Who he is.
    pub about: &'a About,
    /// The rules.
    pub rules: &'a Scenarios,
    /// The lists of countries.
    pub lists: &'a CountryLists,
}

/// Evaluates a scenario at a moment. Pure: the same at any time, for whatever happened after the moment is not seen.
///
/// # Errors
/// When a row of the rules cannot be judged.
pub fn evaluate(scenario: &Scenario, sight: Sight<'_>, moment: &Moment) -> Result<Evaluation, RuleError> {
    let Sight { history, about, rules, lists } = sight;
    let subject = Subject::of(about, moment, rules)?;
    let found = first_match(&scenario.overrides, subject.facts(Asker::Overrides))?;
    let variant: &Variant = found.outcome().unwrap_or(&scenario.usual);
    let reckoned = reckon(&variant.features, View { history, about, lists, moment });
    let facts = facts_of(&subject, &reckoned);
    let mut answers = Answers { facts: &facts, reckoned: &reckoned, why: Vec::new(), lacking: BTreeSet::new() };
    let truth = answers.judge(&variant.when);
    let (lines, lacking) = (answers.why, answers.lacking);
    let looked = looked(subject, found.row_id(), &reckoned, lines, moment);
    Ok(match truth {
        Truth::Yes => Evaluation::Hit(looked),
        Truth::No => Evaluation::NoHit(looked),
        Truth::NotKnown => Evaluation::InsufficientHistory { what: lacking.into_iter().collect(), looked },
    })
}

fn facts_of(subject: &Subject<'_>, reckoned: &BTreeMap<String, Reckoned>) -> Facts {
    let known = reckoned.iter().filter_map(|(name, one)| Some((name, one.value.as_ref().ok()?)));
    known.fold(subject.facts(Asker::Condition), |facts, (name, value)| facts.with(name.clone(), value.clone()))
}

fn looked(
    subject: Subject<'_>,
    overridden_by: Option<&str>,
    reckoned: &BTreeMap<String, Reckoned>,
    answers: Vec<String>,
    moment: &Moment,
) -> Looked {
    let features = reckoned.iter().filter_map(|(name, one)| Some((name.clone(), one.value.as_ref().ok()?.to_string())));
    let told = reckoned.iter().map(|(name, one)| match &one.value {
        Ok(value) => format!("{name} = {value}: {}", one.why),
        Err(lacking) => format!("{name} is not known: {lacking}"),
    });
    let parts = reckoned.values().flat_map(|one| one.evidence.iter().cloned());
    let mut evidence: Vec<String> = Vec::new();
    for id in moment.evidence.iter().cloned().chain(parts) {
        if evidence.len() < EVIDENCE_MAX && !evidence.contains(&id) {
            evidence.push(id);
        }
    }
    Looked {
        features: features.collect(),
        why: told.chain(answers).take(WHY_MAX).collect(),
        evidence,
        jurisdiction: subject.jurisdiction,
        segment: subject.segment,
        overridden_by: overridden_by.map(str::to_owned),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    NotKnown,
}

/// Judges with a third answer, "not known", as Kleene does: a part that is not known costs nothing where the others decide.
struct Answers<'f> {
    facts: &'f Facts,
    reckoned: &'f BTreeMap<String, Reckoned>,
    why: Vec<String>,
    lacking: BTreeSet<String>,
}

impl Answers<'_> {
    fn judge(&mut self, condition: &Condition) -> Truth {
        match condition {
            Condition::Test(_) => self.question(condition),
            Condition::Not(child) => match self.judge(child) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::NotKnown => Truth::NotKnown,
            },
            Condition::All(children) => self.each(children, Truth::No, Truth::Yes),
            Condition::Any(children) => self.each(children, Truth::Yes, Truth::No),
        }
    }

    fn each(&mut self, children: &[Condition], decides: Truth, else_is: Truth) -> Truth {
        let truths: Vec<Truth> = children.iter().map(|child| self.judge(child)).collect();
        if truths.contains(&decides) {
            decides
        } else if truths.contains(&Truth::NotKnown) {
            Truth::NotKnown
        } else {
            else_is
        }
    }

    fn question(&mut self, condition: &Condition) -> Truth {
        let node = ask(condition, self.facts);
        let (asked, field) = match &node.kind {
            NodeKind::Test { test, fact } => {
                let value = fact.as_ref().map_or_else(|| "not known".to_owned(), ToString::to_string);
                (format!("{test}? It is {value}"), test.field.to_string())
            }
            NodeKind::All(_) | NodeKind::Any(_) | NodeKind::Not(_) => (String::new(), String::new()),
        };
        let (truth, word) = match node.outcome {
            Outcome::Value(true) => (Truth::Yes, "yes"),
            Outcome::Value(false) => (Truth::No, "no"),
            Outcome::Skipped | Outcome::Error(RuleFault::MissingFact(_)) => {
                let what = self.reckoned.get(&field).and_then(|one| one.value.as_ref().err().cloned());
                self.lacking.insert(what.unwrap_or_else(|| format!("`{field}` is not known here")));
                (Truth::NotKnown, "not known")
            }
            Outcome::Error(fault) => {
                self.lacking.insert(fault.to_string());
                (Truth::NotKnown, "cannot be judged")
            }
        };
        self.why.push(format!("{asked}: {word}"));
        truth
    }
}
