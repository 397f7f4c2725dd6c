//! Lists from a folder, an index from a file.

use std::error::Error;
use std::io::Read;
use std::path::Path;

use screening::index::{Index, build};
use screening::lists::folder::{self, Folder};

/// The index of the lists in a folder, or of an index file.
pub fn index(path: &Path) -> Result<Index, Box<dyn Error>> {
    if path.is_file() {
        return Ok(Index::from_bytes(bytes(path)?)?);
    }
    let folder = lists(path)?;
    Ok(build(&folder.lists, &folder.entities))
}

/// The lists in a folder. What is not taken or cannot be read is noted.
pub fn lists(path: &Path) -> Result<Folder, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    let folder = folder::load(&names, |name| bytes(&path.join(name)))?;
    for text in &folder.notes {
        crate::note(text);
    }
    for (list, fault) in &folder.faults {
        crate::note(&format!("{list}: {fault}"));
    }
    Ok(folder)
}

fn bytes(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
