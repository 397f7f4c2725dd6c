//! Lists from a folder, an index from a file.

use std::error::Error;
use std::path::Path;

use screening::index::{Index, build};
use screening::lists::folder::{self, Folder};

use crate::files;

/// The index of the lists in a folder, or of an index file.
pub fn index(path: &Path) -> Result<Index, Box<dyn Error>> {
    if path.is_file() {
        return Ok(Index::from_bytes(files::bytes(path)?)?);
    }
    let folder = lists(path)?;
    Ok(build(&folder.lists, &folder.entities))
}

/// The lists in a folder. What is not taken or cannot be read is noted.
pub fn lists(path: &Path) -> Result<Folder, Box<dyn Error>> {
    let folder = folder::load(&files::names(path)?, |name| files::bytes(&path.join(name)))?;
    for text in &folder.notes {
        crate::note(text);
    }
    for (list, fault) in &folder.faults {
        crate::note(&format!("{list}: {fault}"));
    }
    Ok(folder)
}
