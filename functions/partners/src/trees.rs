//! The part of the tree that a question is about, loaded.

use std::collections::{BTreeMap, BTreeSet};

use domain::PartnerId;
use domain::partner::network::Network;
use domain::partner::profile::Partner;
use runtime::StepError;
use store::{PartnersTable, Stored};

/// More partners than one move may carry along, or one answer show.
const PARTNERS_MAX: usize = 2_000;

/// Partners by their ids.
pub(crate) type Loaded = BTreeMap<PartnerId, Stored<Partner>>;

/// Partners and everybody who is over them, was, or is to be.
///
/// # Errors
/// [`StepError`].
pub(crate) async fn upwards(table: &PartnersTable, from: &[PartnerId], into: &mut Loaded) -> Result<(), StepError> {
    let mut next: BTreeSet<PartnerId> = from.iter().filter(|id| !into.contains_key(*id)).cloned().collect();
    while !next.is_empty() {
        let ids: Vec<PartnerId> = next.into_iter().collect();
        let mut over = BTreeSet::new();
        for stored in table.load_some::<Partner>(&ids).await? {
            over.extend(stored.entity.facts.parents.changes().filter_map(|change| change.is.clone()));
            into.insert(stored.entity.id.clone(), stored);
        }
        next = over.into_iter().filter(|id| !into.contains_key(id)).collect();
    }
    Ok(())
}

/// Everybody who stands under a partner, stood there, or is to.
///
/// # Errors
/// [`StepError`]; [`StepError::Busy`] where they are more than one move may carry along.
pub(crate) async fn downwards(table: &PartnersTable, from: &PartnerId, into: &mut Loaded) -> Result<(), StepError> {
    let (mut next, mut seen) = (vec![from.clone()], BTreeSet::from([from.clone()]));
    while let Some(id) = next.pop() {
        let under: Vec<PartnerId> =
            table.ever_under(&id).await?.into_iter().filter(|id| seen.insert(id.clone())).collect();
        if seen.len() > PARTNERS_MAX {
            return Err(StepError::Busy("more partners stand there than can be moved at once"));
        }
        for stored in table.load_some::<Partner>(&under).await? {
            into.insert(stored.entity.id.clone(), stored);
        }
        next.extend(under);
    }
    Ok(())
}

/// What was loaded, as a tree.
pub(crate) fn network(loaded: &Loaded) -> Network {
    let of = |(id, stored): (&PartnerId, &Stored<Partner>)| (id.clone(), stored.entity.facts.parents.clone());
    Network { parents: loaded.iter().map(of).collect(), ..Network::default() }
}
