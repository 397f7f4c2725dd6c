//! What people are told of the lists: one work item for each list that is not in order and what is wrong with it.

use domain::decision::Frame;
use domain::kyc::rules::ScreeningRules;
use domain::kyc::watch_list::{RefusedFor, WatchList};
use runtime::{StepError, step};
use store::Crm;

use super::current::{Current, ListState};

/// Tells of every list that the rules name.
///
/// # Errors
/// The first of those met, after every list was looked at: it is told again with the next refresh.
pub(super) async fn tell(crm: &Crm, current: &Current, rules: &ScreeningRules, frame: &Frame) -> Result<(), StepError> {
    let mut told = Ok(());
    for state in &current.lists {
        let Some(found) = standing(state, rules, frame) else { continue };
        let decide = |list: &WatchList| list.found(found.as_ref().map(|(of, why)| (*of, why.as_str())), frame.now);
        let id = WatchList::id_of(&state.list);
        let done = step::change_or_begin(crm, &id, || WatchList::begun(&state.list), frame, decide).await;
        told = told.and(done.map(|_| ()));
    }
    told
}

/// How a list stands: in order, or not and why; `None` where nobody knows, for it was not asked for.
fn standing(state: &ListState, rules: &ScreeningRules, frame: &Frame) -> Option<Option<(RefusedFor, String)>> {
    let rule = rules.list(&state.list)?;
    let taken_at = state.taken.as_ref().map(|taken| taken.taken_at);
    if let Some(taken_at) = taken_at.filter(|taken_at| rule.is_stale(*taken_at, frame.now)) {
        let why = state.refused.as_ref().map(|refused| format!("; {}", refused.why)).unwrap_or_default();
        return Some(Some((
            RefusedFor::Stale,
            format!("nobody is screened: its last good version is of {taken_at}{why}"),
        )));
    }
    match &state.refused {
        None => Some(None),
        Some(refused) => Some(Some((refused.of?, refused.why.clone()))),
    }
}
