//! Objects on disk, for the next process.
//!
//! A file for each key, named by the key's hash; in it the key itself, compared whole, and the variants that were stored under it,
//! the latest first. Files are written beside and renamed, so a reader sees an old or a new one, never half of one; two processes
//! that store under one key at once may lose a variant, which is compiled again some day. Nothing is believed: what is cut short,
//! changed, of another format or of another user counts as not there, and the next store replaces it.
//!
//! Nothing here makes a program fail: without a folder that can be written, code is compiled and run, and not kept.

pub mod beside;
mod format;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::compile::Info;

/// Bytes that a cache may take, unless told otherwise.
const LIMIT: u64 = 256 << 20;
/// Objects are some kilobytes; a file this large is none of ours.
const LARGEST: u64 = 64 << 20;
/// Variants under one key; the oldest go.
const VARIANTS: usize = 8;
/// Every so many stores the size is looked at.
const TRIM: u64 = 16;
/// A file counts as used again after this long.
const FRESH: Duration = Duration::from_secs(3600);

/// What is kept of a compiled function.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub info: Info,
    pub object: Vec<u8>,
    /// What the code was made from beside its key, and what is checked before it is used again: the binding's own format.
    pub dependencies: Vec<u8>,
}

pub struct Cache {
    /// The first is the one that was asked for. A second stands in where that cannot be written.
    folders: Vec<PathBuf>,
    /// How many of them have shown that they cannot be written, and why.
    failed: Mutex<(usize, Option<String>)>,
    limit: u64,
    stores: AtomicU64,
}

impl Cache {
    /// The user's: `$MANYHANDS_CACHE_DIR`, else `$XDG_CACHE_HOME/manyhands`, else `~/.cache/manyhands`; where none of them can be
    /// written, a private folder among the temporary files.
    #[must_use]
    pub fn of_user() -> Cache {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let absolute = |name| set(name).filter(|path| path.is_absolute());
        let folder = set("MANYHANDS_CACHE_DIR")
            .or_else(|| absolute("XDG_CACHE_HOME").map(|home| home.join("manyhands")))
            .or_else(|| absolute("HOME").map(|home| home.join(".cache/manyhands")));
        let user = rustix::process::geteuid().as_raw();
        let temporary = std::env::temp_dir().join(format!("manyhands-{user}"));
        Cache::new(folder.into_iter().chain([temporary]).collect(), LIMIT)
    }

    /// One in a folder, which need not exist yet.
    #[must_use]
    pub fn at(folder: &Path, limit: u64) -> Cache {
        Cache::new(vec![folder.to_owned()], limit)
    }

    fn new(folders: Vec<PathBuf>, limit: u64) -> Cache {
        Cache { folders, failed: Mutex::new((0, None)), limit, stores: AtomicU64::new(0) }
    }

    /// Why the folder that was asked for is not used, once; for a warning.
    #[must_use]
    pub fn word(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }

    /// The first variant under `key` whose dependencies `accept` takes.
    pub fn load(&self, key: &[u8], mut accept: impl FnMut(&[u8]) -> bool) -> Option<Entry> {
        let name = format::name(key);
        self.folders.iter().find_map(|folder| {
            let bytes = read(&folder.join(&name))?;
            let variants = format::read(&bytes, key)?;
            let variant = variants.into_iter().find(|variant| accept(variant.dependencies))?;
            variant.entry()
        })
    }

    /// Keeps an entry, in place of one with the same key and dependencies.
    ///
    /// # Errors
    ///
    /// Where no folder can be written; nothing else is lost then.
    pub fn store(&self, key: &[u8], entry: &Entry) -> Result<(), String> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).0;
        loop {
            let Some(folder) = self.folders.get(failed) else {
                return Err("compiled code is not kept: no folder for it can be written".to_owned());
            };
            match self.store_in(folder, key, entry) {
                Ok(()) => break,
                // A disk that is full now may have room later.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
                {
                    return Err(format!("compiled code is not kept in {}: {error}", folder.display()));
                }
                Err(error) => {
                    failed += 1;
                    let instead = self
                        .folders
                        .get(failed)
                        .map_or("nowhere".to_owned(), |next| format!("in {}", next.display()));
                    let word = format!(
                        "{} cannot be written ({error}): compiled code is kept {instead}; $MANYHANDS_CACHE_DIR names another folder",
                        folder.display()
                    );
                    let mut state = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                    if state.0 < failed {
                        *state = (failed, Some(word));
                    }
                }
            }
        }
        if self.stores.fetch_add(1, Relaxed) % TRIM == TRIM - 1 {
            self.trim();
        }
        Ok(())
    }

    fn store_in(&self, folder: &Path, key: &[u8], entry: &Entry) -> io::Result<()> {
        private_folder(folder)?;
        let path = folder.join(format::name(key));
        let before = read(&path);
        let mut variants = vec![format::written(entry).map_err(io::Error::other)?];
        let known = before.as_deref().and_then(|bytes| format::read(bytes, key)).unwrap_or_default();
        variants.extend(
            known
                .iter()
                .filter(|variant| variant.dependencies != entry.dependencies)
                .take(VARIANTS - 1)
                .map(|variant| variant.bytes.to_vec()),
        );
        let bytes = format::file(key, &variants).map_err(io::Error::other)?;
        let beside = folder.join(format!(".{}-{}-{}", format::name(key), std::process::id(), unique()));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| file.write_all(&bytes));
        let done = written.and_then(|()| std::fs::rename(&beside, &path));
        if done.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        done
    }

    /// Removes what was not used for longest until the rest fits, and what writers that died have left.
    pub fn trim(&self) {
        let Some(folder) = self.folders.get(self.failed.lock().unwrap_or_else(PoisonError::into_inner).0)
        else {
            return;
        };
        let Ok(list) = std::fs::read_dir(folder) else { return };
        let now = SystemTime::now();
        let mut files = Vec::new();
        for item in list.flatten() {
            let name = item.file_name();
            let (Some(name), Ok(data)) = (name.to_str(), item.metadata()) else { continue };
            if !data.is_file() || !name.trim_start_matches('.').starts_with(format::PREFIX) {
                continue;
            }
            let used = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if !name.starts_with('.') {
                files.push((used, data.len(), item.path()));
            } else if now.duration_since(used).is_ok_and(|age| age > FRESH) {
                let _ = std::fs::remove_file(item.path());
            }
        }
        let mut size: u64 = files.iter().map(|&(_, length, _)| length).sum();
        files.sort();
        for (_, length, path) in files {
            if size <= self.limit {
                break;
            }
            let _ = std::fs::remove_file(path);
            size -= length;
        }
    }
}

/// A number that this process gives once.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// Makes the folder where it is not there. Code is run from it: it must be the user's own, and nobody else's to write.
fn private_folder(folder: &Path) -> io::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let data = std::fs::metadata(folder).map_err(|error| made.err().unwrap_or(error))?;
    if !data.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a folder"));
    }
    if !own(&data) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write there"));
    }
    Ok(())
}

/// The user's own, and written by nobody else.
fn own(data: &std::fs::Metadata) -> bool {
    data.uid() == rustix::process::geteuid().as_raw() && data.mode() & 0o022 == 0
}

/// A file's bytes, where it is the user's own; marks it as used.
fn read(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let data = file.metadata().ok()?;
    if !data.is_file() || !own(&data) || data.len() > LARGEST {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(data.len()).ok()? + 1);
    (&file).take(LARGEST).read_to_end(&mut bytes).ok()?;
    let now = SystemTime::now();
    if data.modified().ok().and_then(|used| now.duration_since(used).ok()).is_some_and(|age| age > FRESH) {
        let _ = file.set_modified(now);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
