//! The services of AWS that look at pictures, asked with the rights of the function's role in the function's region: they read from the
//! bucket by themselves.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use domain::kyc::KycDocument;
use domain::kyc::rules::Kyc;
use domain::rules::RuleSet;
use files::{FileVersion, Files};
use providers::Disposition;
use providers::http::Transport;
use providers::kyc::VendorError;
use providers::kyc::aws::AwsService;
use providers::kyc::faces::{Percent, PercentError, Picture};
use runtime::StepError;
use runtime::function::{Clock, ConfigError, Ports};

/// Longest that one question to a service takes; every function has more time than that.
const LOOK_TIMEOUT: Duration = Duration::from_secs(6);

/// Who asks the services.
pub(crate) struct Looker {
    region: String,
    credentials: SharedCredentialsProvider,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl Looker {
    pub(crate) fn new(ports: &Ports) -> Result<Self, ConfigError> {
        let region = ports.aws.region().ok_or(ConfigError::Missing("AWS_REGION"))?.to_string();
        let credentials = ports.aws.credentials_provider().ok_or(ConfigError::Missing("AWS_ACCESS_KEY_ID"))?;
        Ok(Self { region, credentials, transport: ports.transport.clone(), clock: ports.clock.clone() })
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// The service at an address of the rules.
    pub(crate) fn at(&self, base_url: &str) -> Result<AwsService, StepError> {
        let bad = |_| StepError::Rules { set: Kyc::NAME, what: "the address of a service is not a URL".to_owned() };
        let clock = Arc::clone(&self.clock);
        Ok(AwsService {
            base_url: base_url.parse().map_err(bad)?,
            region: self.region.clone(),
            credentials: self.credentials.clone(),
            clock: Arc::new(move || clock.now()),
            transport: self.transport.clone(),
            timeout: LOOK_TIMEOUT,
        })
    }
}

/// The content of an upload that was checked: what was uploaded after it says nothing.
pub(crate) fn checked_version(document: &KycDocument) -> Result<FileVersion, StepError> {
    let version = document.inner.object.clone().map(FileVersion);
    version.ok_or_else(|| StepError::Malformed(format!("{} was never checked", document.id)))
}

/// That content where a service finds it.
pub(crate) fn stored(files: &Files, document: &KycDocument) -> Result<Picture, StepError> {
    let version = checked_version(document)?.0;
    Ok(Picture::Stored { bucket: files.bucket().to_owned(), key: document.key(), version })
}

/// A threshold of the rules as a service takes it.
pub(crate) fn percent(figure: u32) -> Result<Percent, StepError> {
    let bad = |error: PercentError| StepError::Rules { set: Kyc::NAME, what: format!("faces: {error}") };
    figure.to_string().parse().map_err(bad)
}

/// To look again changes nothing at the service, so an answer that cannot be understood is asked for again.
pub(crate) fn looking(error: &VendorError) -> StepError {
    let to_do = match error.disposition() {
        Disposition::LookUp => Disposition::Retry,
        other => other,
    };
    StepError::Vendor { what: error.to_string(), to_do }
}
