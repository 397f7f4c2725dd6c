//! `.local/run.json` in the folder where the command was started: what whoever starts it locally needs to use it;
//! only its owner may read it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::Failure;
use crate::local::Broker;

/// The file; removed when this is dropped.
pub struct RunFile(PathBuf);

impl RunFile {
    /// Writes the file for a running brokerage below a folder.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(broker: &Broker, below: &Path) -> Result<Self, Failure> {
        let folder = below.join(".local");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join("run.json");
        let content = json!({
            "url": broker.host.url(),
            "console_url": broker.url("/console"),
            "clock": broker.host.clock_url(),
            "tokens": broker.tokens,
            "webhook_secrets": broker.webhook_secrets,
            "simulators": broker.simulators.urls(),
        });
        // written aside and renamed: a reader sees the whole file or none
        let aside = folder.join("run.json.new");
        if aside.exists() {
            std::fs::remove_file(&aside)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(serde_json::to_string_pretty(&content)?.as_bytes())?;
        std::fs::rename(&aside, &path)?;
        Ok(Self(path))
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(error = %error, "run.json was not removed");
        }
    }
}
