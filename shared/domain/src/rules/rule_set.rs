//! What every rule set is to whoever reads, publishes and uses them all.

use serde_json::Value as Json;

use crate::input::Fault;

/// One typed rule set: a document that was read without a fault.
pub trait RuleSet: Sized + Send + Sync + 'static {
    /// Its name in the table `rules`, in routes, and of its file in `infra/rules`.
    const NAME: &'static str;

    /// What other sets may name of it. A kind of name is offered by one set only.
    const OFFERS: &'static [Offer<Self>] = &[];

    /// Reads a document.
    ///
    /// # Errors
    /// Every fault with its JSON pointer.
    fn parse(document: &Json) -> Result<Self, Vec<Fault>>;

    /// What it names of other sets; checked when the documents of all sets are at hand.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

/// A set that can be asked again what it was asked before: its facts are recorded with what was decided by them.
pub trait Replays {
    /// What it says of facts that were recorded, in a word.
    ///
    /// # Errors
    /// Why it cannot say.
    fn replay(&self, facts: &Json) -> Result<String, String>;

    /// Whether facts tell of something that only compliance may know.
    fn is_for_compliance(&self, _facts: &Json) -> bool {
        false
    }
}

/// Names that a set offers to others.
#[derive(Debug)]
pub struct Offer<S> {
    /// What they name, in one word: `pool`.
    pub what: &'static str,
    /// The names, as messages list them.
    pub names: fn(&S) -> Vec<String>,
}

/// A name that belongs to another set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// What it names: the `what` of an [`Offer`].
    pub what: &'static str,
    /// The name.
    pub name: String,
}
