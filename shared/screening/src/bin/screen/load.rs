//! Lists from a folder, an index from a file.

use std::error::Error;
use std::path::Path;

use screening::index::build;
use screening::lists::folder::{self, Folder};

use crate::files;

/// The bytes of an index file, or of the index of the lists in a folder.
pub fn index_bytes(path: &Path, ignored: &[String]) -> Result<Vec<u8>, Box<dyn Error>> {
    if path.is_file() {
        return Ok(files::bytes(path)?);
    }
    let folder = lists(path, ignored)?;
    Ok(build(&folder.lists, &folder.entities).into_bytes())
}

/// The lists in a folder. What is not taken or cannot be read is noted.
pub fn lists(path: &Path, ignored: &[String]) -> Result<Folder, Box<dyn Error>> {
    let content = files::content(path)?;
    let folder = folder::load(&content.files, ignored, |name| files::bytes(&path.join(name)))?;
    for text in content.notes.iter().chain(&folder.notes) {
        crate::note(text);
    }
    for (list, fault) in &folder.faults {
        crate::note(&format!("{list}: {fault}"));
    }
    Ok(folder)
}
