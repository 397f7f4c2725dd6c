//! Secrets Manager `GetSecretValue` from memory.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use serde_json::json;

use super::{Answer, Caller, Denied};
use crate::template::secret_arn;

/// The secrets of a host; a change is seen by the next call, as in Secrets Manager.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<RwLock<BTreeMap<String, Versions>>>);

/// The current value and how many came before.
#[derive(Clone)]
struct Versions {
    current: String,
    earlier: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue {
    secret_id: String,
}

impl Secrets {
    pub(crate) fn new(secrets: BTreeMap<String, String>) -> Self {
        let first = |(name, current)| (name, Versions { current, earlier: 0 });
        Self(Arc::new(RwLock::new(secrets.into_iter().map(first).collect())))
    }

    pub(crate) fn put(&self, name: &str, value: &str) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = all.get(name).map_or(0, |versions| versions.earlier + 1);
        all.insert(name.to_owned(), Versions { current: value.to_owned(), earlier });
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|versions| versions.current)
    }

    fn get(&self, name: &str) -> Option<Versions> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Answers one call.
    pub(super) fn get_secret_value(&self, caller: &Caller, body: &[u8]) -> Answer {
        let name = target(body);
        if let Err(Denied(message)) = caller.may("secretsmanager:GetSecretValue", &secret_arn(&name)) {
            return Answer::error(400, "AccessDeniedException", &message);
        }
        match self.get(&name) {
            Some(versions) => Answer::json(&json!({
                "ARN": secret_arn(&name),
                "Name": name,
                "VersionId": format!("{:032x}", versions.earlier),
                "VersionStages": ["AWSCURRENT"],
                "SecretString": versions.current,
            })),
            None => Answer::error(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
        }
    }
}

/// The secret's name in a body that may hold its name or its ARN.
pub(super) fn target(body: &[u8]) -> String {
    let id = serde_json::from_slice::<GetSecretValue>(body).map(|get| get.secret_id).unwrap_or_default();
    match id.split_once(":secret:") {
        Some((_, name)) => name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned(),
        None => id,
    }
}
