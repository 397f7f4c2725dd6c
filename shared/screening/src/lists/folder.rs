//! Lists as they lie in a folder: which files belong together, which are older versions, which are none.

use super::ofac_csv::{self, OfacFiles};
use super::{Fault, ListError, Loaded};
use crate::index::ListInfo;
use crate::model::Entity;

/// All lists of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// The lists that were found.
    pub lists: Vec<ListInfo>,
    /// Their entries.
    pub entities: Vec<Entity>,
    /// What could not be read: (list code, fault).
    pub faults: Vec<(String, Fault)>,
    /// What was not taken, and why, in words.
    pub notes: Vec<String>,
}

/// Why a folder gives no lists.
#[derive(Debug, thiserror::Error)]
pub enum FolderError<E: std::error::Error + 'static> {
    /// A file could not be read.
    #[error("cannot read {0}")]
    Read(String, #[source] E),
    /// A list cannot be trusted.
    #[error("list {0}")]
    List(String, #[source] ListError),
    /// There is no list that the engine knows.
    #[error("no list in the folder that the engine knows")]
    None,
}

/// OFAC's sets of files: (list code, names, aliases, addresses, comments).
const OFAC_SETS: [(&str, &str, &str, &str, &str); 2] = [
    ("ofac_sdn", "sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"),
    ("ofac_cons", "cons_prim.csv", "cons_alt.csv", "cons_add.csv", "cons_comments.csv"),
];

/// Loads every list among the files; `read` gives the bytes of one.
///
/// # Errors
/// A file cannot be read, a list cannot be trusted, or there is none.
pub fn load<E: std::error::Error + 'static>(
    names: &[String],
    mut read: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Folder, FolderError<E>> {
    let mut folder = Folder::default();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    for (code, primary, aliases, addresses, comments) in OFAC_SETS {
        if !names.contains(&primary) {
            continue;
        }
        let mut get = |name: &'static str| -> Result<Option<Vec<u8>>, FolderError<E>> {
            if !names.contains(&name) {
                return Ok(None);
            }
            read(name).map(Some).map_err(|error| FolderError::Read(name.to_owned(), error))
        };
        let (primary_bytes, alias_bytes, address_bytes, comment_bytes) =
            (get(primary)?, get(aliases)?, get(addresses)?, get(comments)?);
        let files = OfacFiles {
            list: code,
            primary: primary_bytes.as_deref().unwrap_or_default(),
            aliases: alias_bytes.as_deref(),
            addresses: address_bytes.as_deref(),
            comments: comment_bytes.as_deref(),
        };
        let loaded = ofac_csv::read(&files).map_err(|error| FolderError::List(code.to_owned(), error))?;
        folder.take(code, loaded, primary_bytes.as_deref().unwrap_or_default());
        names.retain(|name| ![primary, aliases, addresses, comments].contains(name));
    }
    for name in names {
        folder.notes.push(format!("{name}: not a list that the engine knows, ignored"));
    }
    if folder.lists.is_empty() {
        return Err(FolderError::None);
    }
    Ok(folder)
}

impl Folder {
    fn take(&mut self, code: &str, loaded: Loaded, bytes: &[u8]) {
        let version = format!(
            "{}{:08x}",
            loaded.published.map(|date| format!("{date}-")).unwrap_or_default(),
            crc32fast::hash(bytes)
        );
        self.lists.push(ListInfo { code: code.to_owned(), version });
        self.entities.extend(loaded.entities);
        self.faults.extend(loaded.faults.into_iter().map(|fault| (code.to_owned(), fault)));
    }
}
