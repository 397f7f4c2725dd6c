//! Lists as they lie in a folder: which files belong together, which are older versions, which are none.

use std::collections::BTreeSet;

use super::format::Format;
use super::ofac_csv::{self, OfacFiles};
use super::{Fault, ListError, Loaded, pep_csv};
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
    let mut get = |name: &str| read(name).map_err(|error| FolderError::Read(name.to_owned(), error));
    let mut folder = Folder::default();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    for set in OFAC_SETS.iter().filter(|(_, primary, ..)| names.contains(primary)) {
        let (code, primary, optional) = (set.0, get(set.1)?, [set.2, set.3, set.4]);
        let [aliases, addresses, comments] = optional.map(|name| names.contains(&name).then(|| get(name)).transpose());
        let (aliases, addresses, comments) = (aliases?, addresses?, comments?);
        let files = OfacFiles {
            list: code,
            primary: &primary,
            aliases: aliases.as_deref(),
            addresses: addresses.as_deref(),
            comments: comments.as_deref(),
        };
        let loaded = ofac_csv::read(&files).map_err(|error| FolderError::List(code.to_owned(), error))?;
        folder.take(code, loaded, &primary);
    }
    names.retain(|name| !OFAC_SETS.iter().any(|set| [set.1, set.2, set.3, set.4].contains(name)));
    let mut facts = None;
    for name in names {
        if let Some(set) = OFAC_SETS.iter().find(|set| is_dated(name, set.1)) {
            folder.notes.push(format!("{name}: another version of {}, ignored", set.1));
            continue;
        }
        let bytes = get(name)?;
        match Format::detect(&bytes) {
            Some(format) => folder.single(name, format, &bytes)?,
            None if pep_csv::is_facts(&bytes) => facts = Some((name, bytes)),
            None => folder.notes.push(format!("{name}: not a list that the engine knows, ignored")),
        }
    }
    if let Some((name, bytes)) = facts {
        pep_csv::add_facts(&mut folder.entities, &bytes).map_err(|error| FolderError::List(name.to_owned(), error))?;
    }
    if folder.lists.is_empty() {
        return Err(FolderError::None);
    }
    Ok(folder)
}

/// `sdn-2024-05-02.csv` is `sdn.csv` of another day.
fn is_dated(name: &str, of: &str) -> bool {
    let (Some((stem, ending)), Some((of_stem, of_ending))) = (name.rsplit_once('.'), of.rsplit_once('.')) else {
        return false;
    };
    ending == of_ending
        && stem
            .strip_prefix(of_stem)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|date| date.starts_with(|c: char| c.is_ascii_digit()))
}

impl Folder {
    /// A list that is one file. The same list in a second layout is not loaded twice.
    fn single<E: std::error::Error + 'static>(
        &mut self,
        name: &str,
        format: Format,
        bytes: &[u8],
    ) -> Result<(), FolderError<E>> {
        let taken = |code: &str| self.lists.iter().any(|list| list.code == code);
        let code = if taken(format.code()) { format!("{}:{name}", format.code()) } else { format.code().to_owned() };
        let loaded = format.read(&code, bytes).map_err(|error| FolderError::List(name.to_owned(), error))?;
        if matches!(format, Format::OfacXml | Format::OfacAdvanced) {
            let known: BTreeSet<&str> = self
                .entities
                .iter()
                .filter(|entity| entity.list.starts_with("ofac"))
                .map(|entity| entity.id.as_str())
                .collect();
            let again = loaded.entities.iter().filter(|entity| known.contains(entity.id.as_str())).count();
            if again * 2 > loaded.entities.len() {
                self.notes.push(format!("{name}: a list that is already loaded in another layout, ignored"));
                return Ok(());
            }
        }
        self.take(&code, loaded, bytes);
        Ok(())
    }

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
