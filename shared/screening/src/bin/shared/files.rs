//! Reading files, for both binaries: the library has none.

use std::io::Read;
use std::path::Path;

/// What lies in a folder.
pub struct Content {
    /// The names of its files; a link is what it leads to.
    pub files: Vec<String>,
    /// What is no file, in words.
    pub notes: Vec<String>,
}

/// The files of a folder. A link that leads nowhere is an error: what it was to be is missing.
pub fn content(folder: &Path) -> Result<Content, String> {
    let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut content = Content { files: Vec::new(), notes: Vec::new() };
    for entry in std::fs::read_dir(folder).map_err(|error| named(folder, error))? {
        let path = entry.map_err(|error| named(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| format!("{}: the name of this file is not UTF-8", path.display()))?.to_owned();
        if std::fs::metadata(&path).map_err(|error| named(&path, error))?.is_file() {
            content.files.push(name);
        } else {
            content.notes.push(format!("{name}: not a file, ignored"));
        }
    }
    Ok(content)
}

/// A whole file.
pub fn bytes(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
