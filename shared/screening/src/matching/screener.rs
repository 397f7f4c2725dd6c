//! The engine: a query in, hits out.

use std::collections::BTreeSet;

use serde::Serialize;

use super::align::{Aligner, Alignment};
use super::candidates::{Gatherer, Promising};
use super::dates::{DateFinding, DateVerdict};
use super::facts::{Facts, Finding, entities_with_documents, facts};
use super::features::{self, Features};
use super::model::{Model, name_only, score};
use super::query::{Query, QueryKind};
use super::trace::Told;
use super::units::{QUERY_PARTS_MAX, Unit, units};
use super::words::{JoinMatch, WordFinder, WordMatch};
use crate::index::layout::{NameRecord, WEAK_ALIAS};
use crate::index::partition::PartitionId;
use crate::index::{Index, Partition};
use crate::num;
use crate::text::parts::{Part, PartClass, parts};
use crate::text::words::is_cut;

/// What one word of the query weighs that no list has, in bits.
const UNKNOWN_WORD_BITS: f32 = 10.0;

/// The fewest parts of a name that is looked for among parties of another kind.
const EXACT_PARTS_MIN: usize = 2;
/// From here on, a score of 0.4, what a weak alias says alone hardly counts, so that it stays below an alert.
const UNCONFIRMED_LOGITS: f32 = -0.8;
const UNCONFIRMED_SLOPE: f32 = 0.03;

/// How to screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Hits below this score are left out, 0 to 1.
    pub min: f32,
    /// At most this many hits, best first.
    pub limit: usize,
}

/// A listed party that the client may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The list's own identifier.
    pub entity_id: String,
    /// The list's code.
    pub list: String,
    /// Another one when the entry says something else that a decision about it depends on.
    pub fingerprint: String,
    /// Identifiers that the entry had before others were merged with it.
    pub former: Vec<String>,
    /// The listed name that met best.
    pub name: String,
    /// Everything together, 0 to 1.
    pub score: f32,
    /// The name alone, 0 to 1.
    pub name_score: f32,
    /// The dates of birth.
    pub date_of_birth: DateVerdict,
    /// The countries.
    pub country: Finding,
    /// The documents.
    pub document: Finding,
    /// The gender.
    pub gender: Finding,
    /// The client's name is so long that only its beginning was compared.
    pub name_cut: bool,
    /// The reasons, in words.
    pub why: Vec<String>,
}

/// Screens against an index; keeps working memory between queries, so use one for many.
#[derive(Debug)]
pub struct Screener<'i> {
    index: &'i Index,
    model: Model,
    states: [State; 3],
    finder: WordFinder,
    words: Vec<WordMatch>,
    joins: Vec<JoinMatch>,
    promising: Vec<Promising>,
}

#[derive(Debug, Default)]
struct State {
    gatherer: Gatherer,
    aligner: Aligner,
}

/// A listed name that was looked at closely.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub entity: u32,
    pub name: u32,
    pub alignment: Alignment,
    pub facts: Facts,
    pub features: Features,
    pub logits: f32,
    pub partition: PartitionId,
}

/// A candidate for fitting a model.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The list's own identifier.
    pub entity_id: String,
    /// What the model looks at.
    pub features: Features,
    /// What the model makes of it.
    pub logits: f32,
}

impl Index {
    /// Screens one client. For many, a [`Screener`] that is kept is faster.
    pub fn screen(&self, query: &Query, options: &Options) -> Vec<Hit> {
        Screener::new(self).screen(query, options)
    }
}

impl<'i> Screener<'i> {
    /// With the model of the crate.
    pub fn new(index: &'i Index) -> Self {
        Self::with_model(index, *Model::fitted())
    }

    /// With another model.
    pub fn with_model(index: &'i Index, model: Model) -> Self {
        Self {
            index,
            model,
            states: Default::default(),
            finder: WordFinder::default(),
            words: Vec::new(),
            joins: Vec::new(),
            promising: Vec::new(),
        }
    }

    /// From now on looks only at these entries, given as (list, identifier): for clients who were screened against all others before. Scores
    /// are those of the whole index.
    pub fn restrict(&mut self, entries: &BTreeSet<(String, String)>) {
        let wanted = |entity: u32| {
            let record = self.index.entities().get(num::at(entity));
            let key = record.map(|record| {
                (self.index.list_code(record.list.get()).to_owned(), self.index.text(record.id).to_owned())
            });
            key.is_some_and(|key| entries.contains(&key))
        };
        for id in PartitionId::ALL {
            let only = self.index.partition(id).names.iter().map(|name| wanted(name.entity.get())).collect();
            self.states[id.number()].gatherer.restrict(only);
        }
    }

    /// The listed parties that the client may be, best first.
    pub fn screen(&mut self, query: &Query, options: &Options) -> Vec<Hit> {
        let mut candidates = self.candidates(query);
        candidates.retain(|candidate| score(candidate.logits) >= options.min);
        candidates.truncate(options.limit);
        candidates.iter().filter_map(|candidate| self.hit(query, candidate)).collect()
    }

    /// The candidates of a query with their features, best first: what a model is fitted on.
    pub fn examine(&mut self, query: &Query) -> Vec<Examined> {
        let candidates = self.candidates(query);
        let id = |entity: u32| {
            self.index.entities().get(num::at(entity)).map_or("", |entity| self.index.text(entity.id)).to_owned()
        };
        candidates
            .iter()
            .map(|candidate| Examined {
                entity_id: id(candidate.entity),
                features: candidate.features,
                logits: candidate.logits,
            })
            .collect()
    }

    /// One candidate an entry, best first.
    fn candidates(&mut self, query: &Query) -> Vec<Candidate> {
        let documents = entities_with_documents(self.index, query);
        let mut candidates = Vec::new();
        for id in QueryKind::partitions(query.kind) {
            self.in_partition(*id, query, &documents, &mut candidates);
        }
        if let Some(id) = QueryKind::exact_only(query.kind) {
            self.by_exact_name(id, query, &mut candidates);
        }
        candidates.sort_unstable_by(|a, b| {
            b.logits.total_cmp(&a.logits).then(a.entity.cmp(&b.entity)).then(a.name.cmp(&b.name))
        });
        let mut seen: Vec<u32> = Vec::new();
        candidates.retain(|candidate| {
            let new = !seen.contains(&candidate.entity);
            if new {
                seen.push(candidate.entity);
            }
            new
        });
        candidates
    }

    /// Candidates of another kind than the client, whose whole name is the client's.
    fn by_exact_name(&mut self, id: PartitionId, query: &Query, candidates: &mut Vec<Candidate>) {
        let parts = query_parts(query, id);
        let partition = self.index.partition(id);
        if parts.len() >= EXACT_PARTS_MIN && parts.iter().all(|part| partition.has_word(part.letters().as_bytes())) {
            let mut found = Vec::new();
            self.in_partition(id, query, &[], &mut found);
            candidates.extend(found.into_iter().filter(|candidate| candidate.features.all_equal > 0.0));
        }
    }

    fn in_partition(&mut self, id: PartitionId, query: &Query, documents: &[u32], candidates: &mut Vec<Candidate>) {
        let query_parts = query_parts(query, id);
        let mut units = units(&query_parts);
        let partition = self.index.partition(id);
        let query_bits = self.gather(id, &partition, &mut units, &query_parts);
        let index = self.index;
        let State { gatherer, aligner } = &mut self.states[id.number()];
        let bonus = |entity: u32| {
            index
                .entities()
                .get(num::at(entity))
                .map_or(0.0, |record| date_bonus(super::dates::compare(query.birth, index.births(record))))
        };
        gatherer.best(&partition, query_parts.len(), bonus, &mut self.promising);
        by_document(&partition, documents, gatherer, &mut self.promising);
        for promising in &self.promising {
            let Some(name) = partition.names.get(num::at(promising.name)) else { continue };
            let Some(entity) = index.entities().get(num::at(name.entity.get())) else { continue };
            let alignment = aligner.align(&partition, promising.name, name, &units, query_parts.len());
            let facts = facts(index, query, name.entity.get(), entity, documents);
            let features = features::of(&partition, name, &units, &query_bits, &alignment, &facts);
            let logits = confirmed(name, &facts, features.weighed(self.model.weights(id)));
            candidates.push(Candidate {
                entity: name.entity.get(),
                name: promising.name,
                alignment,
                facts,
                features,
                logits,
                partition: id,
            });
        }
    }

    /// Finds the words of all units; returns the rarity of each part of the query.
    fn gather(
        &mut self,
        id: PartitionId,
        partition: &Partition<'_>,
        units: &mut [Unit],
        query_parts: &[Part],
    ) -> Vec<f32> {
        let State { gatherer, aligner } = &mut self.states[id.number()];
        gatherer.start(partition);
        aligner.start(partition);
        let mut query_bits = vec![UNKNOWN_WORD_BITS; query_parts.len()];
        for (number, unit) in units.iter_mut().enumerate() {
            self.finder.words(partition, id, unit, &mut self.words);
            self.joins.clear();
            self.finder.joins(partition, number, unit, &mut self.joins);
            aligner.add(number, &self.words, &self.joins);
            gatherer.add(partition, &self.words, &self.joins);
            if let (Some(bits), Some(best)) = (query_bits.get_mut(number), self.words.first()) {
                let Some(token) = partition.token(best.token) else { continue };
                *bits = token.bits.max(best.gain);
                if token.class == PartClass::LegalForm {
                    unit.class = PartClass::LegalForm;
                }
            }
        }
        query_bits
    }

    fn hit(&self, query: &Query, candidate: &Candidate) -> Option<Hit> {
        let partition = self.index.partition(candidate.partition);
        let entity = self.index.entities().get(num::at(candidate.entity))?;
        let name = partition.names.get(num::at(candidate.name))?;
        let query_parts = query_parts(query, candidate.partition);
        let told = Told { index: self.index, partition: &partition, query, query_parts: &query_parts };
        Some(Hit {
            entity_id: self.index.text(entity.id).to_owned(),
            list: self.index.list_code(entity.list.get()).to_owned(),
            former: self.index.former_of(candidate.entity).map(str::to_owned).collect(),
            fingerprint: entity.matters.iter().map(|part| format!("{:08x}", part.get())).collect(),
            name: self.index.text(name.text).to_owned(),
            score: score(candidate.logits),
            name_score: score(name_only(&candidate.features).weighed(self.model.weights(candidate.partition))),
            date_of_birth: candidate.facts.date.verdict(),
            country: candidate.facts.country,
            document: candidate.facts.document,
            gender: candidate.facts.gender,
            name_cut: query.is_cut(),
            why: told.why(entity, name, &candidate.alignment, &candidate.facts),
        })
    }
}

impl Query {
    /// Whether the name is so long that only its beginning is compared: somebody has to look at such a client.
    pub fn is_cut(&self) -> bool {
        let long = self.name.len() > QUERY_PARTS_MAX;
        let names = QueryKind::partitions(self.kind).iter().map(|id| id.names_of());
        long && (is_cut(&self.name) || names.into_iter().any(|of| parts(&self.name, of).len() > QUERY_PARTS_MAX))
    }

    /// Whether nothing of the name can be compared, so that no hit says nothing: it has no letter that the engine reads.
    pub fn is_blank(&self) -> bool {
        QueryKind::partitions(self.kind).iter().all(|id| parts(&self.name, id.names_of()).is_empty())
    }
}

/// The parts of a name that are looked at.
fn query_parts(query: &Query, id: PartitionId) -> Vec<Part> {
    let mut parts = parts(&query.name, id.names_of());
    parts.truncate(QUERY_PARTS_MAX);
    parts
}

/// Adds the names of entries that a document of the client names, however they are called.
fn by_document(partition: &Partition<'_>, documents: &[u32], gatherer: &Gatherer, promising: &mut Vec<Promising>) {
    if !documents.is_empty() {
        let named = (0..).zip(partition.names).filter(|(_, name)| documents.contains(&name.entity.get()));
        let open = named.filter(|(name, _)| gatherer.looks_at(*name));
        promising.extend(open.map(|(name, _)| Promising { name, promise: 0.0, whole: false }));
    }
}

/// A weak alias finds nobody: without a date of birth that agrees or a shared document its score stays below an alert.
fn confirmed(name: &NameRecord, facts: &Facts, logits: f32) -> f32 {
    let agrees = matches!(facts.date.verdict(), DateVerdict::Match | DateVerdict::Compatible);
    let weak = name.kind == WEAK_ALIAS && !agrees && facts.document != Finding::Match;
    let above = logits - UNCONFIRMED_LOGITS;
    if weak && above > 0.0 { UNCONFIRMED_LOGITS + above * UNCONFIRMED_SLOPE } else { logits }
}

/// What the date of birth adds when names are chosen for a closer look, in bits.
fn date_bonus(finding: DateFinding) -> f32 {
    match finding {
        DateFinding::Equal => super::candidates::BONUS_MAX,
        DateFinding::Swapped | DateFinding::OneFieldOff | DateFinding::YearOff => 6.0,
        DateFinding::Compatible | DateFinding::About => 4.0,
        DateFinding::NextYear | DateFinding::Unknown => 2.0,
        DateFinding::OtherDay | DateFinding::Contradicts => 0.0,
    }
}
