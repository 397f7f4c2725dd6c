//! Secrets from Secrets Manager, cached for a few minutes; a rotation is picked up without a deployment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use domain::{Seconds, Timestamp};
use secrecy::SecretString;

use crate::function::{Clock, Ports};
use crate::step::StepError;

/// How long a secret is kept: a rotated one is used at most so much later.
const KEEP: Seconds = Seconds(300);

/// Reads secrets by name.
#[derive(Clone)]
pub struct Secrets {
    aws: SdkConfig,
    /// Made with the first read: an init that needs no secret does not wait for it.
    client: Arc<OnceLock<Client>>,
    clock: Arc<dyn Clock>,
    cache: Arc<Mutex<BTreeMap<String, (Timestamp, SecretString)>>>,
}

impl Secrets {
    /// A reader with an empty cache.
    pub fn new(ports: &Ports) -> Self {
        Self { aws: ports.aws.clone(), client: Arc::default(), clock: ports.clock.clone(), cache: Arc::default() }
    }

    /// A secret's text.
    ///
    /// # Errors
    /// [`StepError::Secret`].
    pub async fn get(&self, name: &str) -> Result<SecretString, StepError> {
        let now = self.clock.now();
        if let Some((read_at, secret)) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(name)
            && now < read_at.plus(KEEP)
        {
            return Ok(secret.clone());
        }
        let secret = self.read(name).await?;
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), (now, secret.clone()));
        Ok(secret)
    }

    /// Reads a secret anew the next time: it was refused, so it may have been rotated.
    pub fn forget(&self, name: &str) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    async fn read(&self, name: &str) -> Result<SecretString, StepError> {
        let fail = |what: String, retry| StepError::Secret { name: name.to_owned(), what, retry };
        let client = self.client.get_or_init(|| Client::new(&self.aws));
        let answer = client.get_secret_value().secret_id(name).send().await.map_err(|error| match &error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or("unknown").to_owned();
                let retry = !matches!(code.as_str(), "ResourceNotFoundException" | "AccessDeniedException");
                fail(code, retry)
            }
            _ => fail("Secrets Manager could not be asked".to_owned(), true),
        })?;
        let text = answer.secret_string.ok_or_else(|| fail("it has no text".to_owned(), false))?;
        Ok(SecretString::from(text))
    }
}
