//! What one rule set names in another: checked before any of them goes live.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::SetName;
use crate::input::Fault;
use crate::journey::rules::Sequences;
use crate::lead::rules::routing::Destination;
use crate::lead::rules::{LeadIntake, LeadRouting, LeadScoring};
use crate::sales::rules::SalesRules;

/// A fault of a set that only shows beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceFault {
    /// The set that names what is not there.
    pub set: SetName,
    /// What and where.
    pub fault: Fault,
}

/// Finds every name of a pool, a sequence, a signal or a band that the set which should have it does not have. Sets that
/// are not given, or that do not parse by themselves, are not judged.
pub fn faults_between(documents: &BTreeMap<SetName, Json>) -> Vec<ReferenceFault> {
    fn read<T>(
        documents: &BTreeMap<SetName, Json>,
        set: SetName,
        parse: impl Fn(&Json) -> Result<T, Vec<Fault>>,
    ) -> Option<T> {
        documents.get(&set).and_then(|document| parse(document).ok())
    }
    let routing = read(documents, SetName::LeadRouting, LeadRouting::parse);
    let sales = read(documents, SetName::Sales, SalesRules::parse);
    let sequences = read(documents, SetName::Sequences, Sequences::parse);
    let scoring = read(documents, SetName::LeadScoring, LeadScoring::parse);
    let intake = read(documents, SetName::LeadIntake, LeadIntake::parse);
    let mut faults = Vec::new();
    if let Some(routing) = &routing {
        faults.extend(of_routing(routing, sales.as_ref(), sequences.as_ref(), scoring.as_ref()));
    }
    if let (Some(intake), Some(scoring)) = (&intake, &scoring) {
        faults.extend(of_intake(intake, scoring));
    }
    faults
}

fn missing(set: SetName, pointer: String, what: &str, name: &str, known: Vec<&str>) -> ReferenceFault {
    let fault = Fault::new(pointer, "missing_reference", format!("there is no {what} `{name}`")).allowing(known);
    ReferenceFault { set, fault }
}

fn of_routing(
    routing: &LeadRouting,
    sales: Option<&SalesRules>,
    sequences: Option<&Sequences>,
    scoring: Option<&LeadScoring>,
) -> Vec<ReferenceFault> {
    let set = SetName::LeadRouting;
    let mut faults = Vec::new();
    for (n, (_, destination)) in routing.destinations().enumerate() {
        match destination {
            Destination::Pool(name) => {
                if let Some(sales) = sales.filter(|sales| sales.pool(name).is_none()) {
                    let known = sales.pools().map(|pool| pool.id.as_str()).collect();
                    faults.push(missing(set, format!("/rows/{n}/then/pool"), "pool", name, known));
                }
            }
            Destination::Sequence(name) => {
                if let Some(sequences) = sequences.filter(|sequences| sequences.sequence(name).is_none()) {
                    let known = sequences.names().collect();
                    faults.push(missing(set, format!("/rows/{n}/then/sequence"), "sequence", name, known));
                }
            }
        }
    }
    if let Some(scoring) = scoring {
        let known: Vec<&str> = scoring.band_names().collect();
        for (n, band) in routing.bands_asked_for() {
            if !known.contains(&band) {
                faults.push(missing(set, format!("/rows/{n}/when"), "band", band, known.clone()));
            }
        }
    }
    faults
}

fn of_intake(intake: &LeadIntake, scoring: &LeadScoring) -> Vec<ReferenceFault> {
    let signals = intake.meta.iter().flat_map(|meta| meta.signals());
    let unknown = signals.filter(|(_, signal)| !scoring.knows_signal(signal));
    let known = || scoring.signals().map(|(kind, _)| kind).collect();
    unknown
        .map(|(form, signal)| {
            missing(SetName::LeadIntake, format!("/meta/forms/{form}/signal"), "signal", signal, known())
        })
        .collect()
}
