//! Who turns an upload into lines of text.

use std::sync::{Arc, OnceLock};

use documents::{CERTAIN, Line, Place};
use domain::kyc::rules::UploadRules;
use ocr::Engine;
use runtime::StepError;

/// The reader that comes with the installation and works without a network.
pub(super) struct LocalReader {
    /// Loaded with the first document: other functions of the process have no use for it.
    engine: Arc<OnceLock<Result<Engine, String>>>,
}

impl LocalReader {
    pub(super) fn new() -> Self {
        Self { engine: Arc::default() }
    }

    /// The lines of an upload. What cannot be decoded or read has none: that is said of the document, and a person sees it. Text that is
    /// stored as such counts where the document need not be one that was photographed (`written`): it says what its writer wants, also
    /// where nobody sees it.
    pub(super) async fn lines(
        &self,
        bytes: Vec<u8>,
        content_type: String,
        rules: &UploadRules,
        written: bool,
    ) -> Result<Vec<Line>, StepError> {
        let limits = crate::check::limits_of_accepted(rules);
        let engine = self.engine.clone();
        let read = move || -> Result<Vec<Line>, String> {
            let Ok(upload) = pictures::check(&bytes, &content_type, &limits) else { return Ok(vec![]) };
            let text = upload.text.as_deref().filter(|_| written);
            let mut lines: Vec<Line> = text.map(typed).unwrap_or_default();
            if let Some(picture) = &upload.picture {
                let engine = engine.get_or_init(|| Engine::load().map_err(|error| error.to_string()));
                let engine = engine.as_ref().map_err(Clone::clone)?;
                lines.extend(engine.lines(picture).map_err(|error| error.to_string())?);
            }
            Ok(lines)
        };
        let done = tokio::task::spawn_blocking(read).await;
        done.map_err(|_| unread("it gave up".to_owned()))?.map_err(unread)
    }
}

/// The reader itself failed: nothing is said of the document, and it comes again.
fn unread(what: String) -> StepError {
    StepError::Vendor { what: format!("the local reader: {what}"), to_do: providers::Disposition::Retry }
}

/// Text that is stored as such: nobody has read it off a picture. One line stands below the other.
fn typed(text: &str) -> Vec<Line> {
    const HEIGHT: i32 = 20;
    const WIDTH: i32 = 1_000;
    let place = |row: i32| Place { left: 0, top: row.saturating_mul(HEIGHT), width: WIDTH, height: HEIGHT };
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    (0..).zip(rows).map(|(row, line)| Line::plain(line, CERTAIN, place(row))).collect()
}
