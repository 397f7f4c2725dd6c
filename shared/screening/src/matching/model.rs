//! The model: one logistic function over the features, its weights read from `data/model.txt`.

use std::sync::LazyLock;

use super::features::Features;
use crate::index::partition::PartitionId;
use crate::tables::lines;

static FITTED: LazyLock<Model> =
    LazyLock::new(|| Model::parse(include_str!("../../data/model.txt")).unwrap_or_default());

/// Logits are divided by this before they become a score, so that high scores stay apart.
const TEMPERATURE: f32 = 2.0;

/// The weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Model {
    /// For persons.
    pub persons: Features,
    /// For organisations and craft.
    pub things: Features,
}

/// Why a text is no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The line is not a name and two numbers.
    #[error("model line {0}: not a feature with two weights")]
    Form(usize),
    /// There is no such feature.
    #[error("model line {0}: unknown feature")]
    Feature(usize),
}

impl Model {
    /// The model that the crate was built with.
    pub fn fitted() -> &'static Self {
        &FITTED
    }

    /// Reads lines of `feature persons-weight things-weight`; features that are not named weigh nothing.
    ///
    /// # Errors
    /// The first line that is neither that nor a comment.
    pub fn parse(text: &'static str) -> Result<Self, ModelError> {
        let mut model = Self::default();
        for (number, line) in (1..).zip(lines(text)) {
            let mut fields = line.split_whitespace();
            let name = fields.next().unwrap_or_default();
            let mut weight =
                || fields.next().and_then(|field| field.parse::<f32>().ok()).ok_or(ModelError::Form(number));
            let (persons, things) = (weight()?, weight()?);
            *model.persons.value_mut(name).ok_or(ModelError::Feature(number))? = persons;
            *model.things.value_mut(name).ok_or(ModelError::Feature(number))? = things;
        }
        Ok(model)
    }

    /// The file that [`Model::parse`] reads.
    pub fn to_text(&self) -> String {
        let rows = Features::NAMES.iter().zip(self.persons.values()).zip(self.things.values());
        rows.map(|((name, persons), things)| format!("{name} {persons:.4} {things:.4}\n")).collect()
    }

    /// The weights of a partition.
    pub(crate) fn weights(&self, id: PartitionId) -> &Features {
        match id {
            PartitionId::Persons => &self.persons,
            PartitionId::Organisations | PartitionId::Craft => &self.things,
        }
    }
}

/// A score between 0 and 1 from logits.
pub(crate) fn score(logits: f32) -> f32 {
    1.0 / (1.0 + (-logits / TEMPERATURE).exp())
}

/// The features without everything that is not about the name.
pub(crate) fn name_only(features: &Features) -> Features {
    Features {
        date_equal: 0.0,
        date_swapped: 0.0,
        date_one_field_off: 0.0,
        date_year_off: 0.0,
        date_compatible: 0.0,
        date_about: 0.0,
        date_next_year: 0.0,
        date_other_day: 0.0,
        date_contradicts: 0.0,
        country_shared: 0.0,
        country_differs: 0.0,
        gender_differs: 0.0,
        document_shared: 0.0,
        ..*features
    }
}
