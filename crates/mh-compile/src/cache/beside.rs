//! Objects that are shipped with a program, beside its sources: as much to be trusted as these.

use std::io;
use std::path::Path;

use super::{Entry, LARGEST, format};

/// The entry under `key` in a folder, where there is one that is whole.
#[must_use]
pub fn read(folder: &Path, key: &[u8]) -> Option<Entry> {
    let path = folder.join(format::name(key));
    if std::fs::metadata(&path).ok()?.len() > LARGEST {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    format::read(&bytes, key)?.first()?.entry()
}

/// Writes an entry; the folder is made where it is not there.
///
/// # Errors
///
/// What cannot be written.
pub fn write(folder: &Path, key: &[u8], entry: &Entry) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let variant = format::written(entry).map_err(io::Error::other)?;
    let bytes = format::file(key, &[variant]).map_err(io::Error::other)?;
    std::fs::write(folder.join(format::name(key)), bytes)
}
