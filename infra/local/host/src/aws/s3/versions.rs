//! The versions of an object: files beside each other in a folder that has the key's name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the name of a version's file begins with; a part of a key never does.
const MARK: char = '@';

/// The name of a version's file.
pub(super) fn name(version: &str) -> String {
    format!("{MARK}{version}")
}

/// Which versions there are.
pub(super) struct Versions {
    root: PathBuf,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    /// The last version of each object that a write was given.
    last: BTreeMap<PathBuf, u64>,
    /// The files that are being written: nobody sees them yet.
    writing: BTreeSet<PathBuf>,
}

/// A version that is being written; unless it is kept, it goes with this.
pub(super) struct Writing<'a> {
    versions: &'a Versions,
    file: PathBuf,
    kept: bool,
}

impl Versions {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), given: Mutex::default() }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key)
    }

    /// The version that a write makes.
    pub(super) fn next(&self, bucket: &str, key: &str) -> (String, Writing<'_>) {
        let folder = self.folder(bucket, key);
        let mut given = self.given();
        let last = numbers(&folder).chain(given.last.get(&folder).copied()).max().unwrap_or_default();
        let version = text(last + 1);
        let file = folder.join(name(&version));
        given.last.insert(folder, last + 1);
        given.writing.insert(file.clone());
        (version, Writing { versions: self, file, kept: false })
    }

    /// The newest version that is written.
    pub(super) fn newest(&self, bucket: &str, key: &str) -> Option<String> {
        let folder = self.folder(bucket, key);
        let given = self.given();
        let written = numbers(&folder).filter(|number| !given.writing.contains(&folder.join(name(&text(*number)))));
        written.max().map(text)
    }

    /// Whether there is this version.
    pub(super) fn has(&self, bucket: &str, key: &str, version: &str) -> bool {
        let folder = self.folder(bucket, key);
        let written = !self.given().writing.contains(&folder.join(name(version)));
        written && numbers(&folder).any(|number| text(number) == version)
    }
}

impl Writing<'_> {
    /// It is written.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.kept {
            match std::fs::remove_file(&self.file) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::error!(%error, "a version that was not written was not removed"),
            }
        }
        self.versions.given().writing.remove(&self.file);
    }
}

fn text(number: u64) -> String {
    format!("{number:08}")
}

fn number(file: &str) -> Option<u64> {
    file.strip_prefix(MARK)?.parse().ok()
}

/// The versions in a folder.
fn numbers(folder: &Path) -> impl Iterator<Item = u64> + use<> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.filter_map(|file| number(file.ok()?.file_name().to_str()?))
}
