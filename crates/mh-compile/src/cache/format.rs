//! What a file of the cache holds.
//!
//! ```text
//! magic[8]  format:u32  key length:u32  checksum:u64  |  key  variant*
//! variant = lengths of dependencies, info and object:u32 each, then these three
//! ```
//!
//! Numbers are little-endian. The checksum (XXH3, 64 bits) is of all that follows it.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::Entry;

pub(super) const PREFIX: &str = "kernel-";
const MAGIC: &[u8; 8] = b"mhkernel";
/// Changes with this format, and with what `abi` promises to compiled code.
const FORMAT: u32 = 1;
const HEADER: usize = 24;

/// One of the things stored under a key.
pub(super) struct Variant<'a> {
    pub dependencies: &'a [u8],
    info: &'a [u8],
    object: &'a [u8],
    /// All of it, as it stands in the file.
    pub bytes: &'a [u8],
}

impl Variant<'_> {
    pub fn entry(&self) -> Option<Entry> {
        let info = serde_json::from_slice(self.info).ok()?;
        Some(Entry { info, object: self.object.to_vec(), dependencies: self.dependencies.to_vec() })
    }
}

/// The name of a key's file.
pub(super) fn name(key: &[u8]) -> String {
    format!("{PREFIX}{:032x}", xxh3_128(key))
}

/// The variants in a file, where it is whole and of this key.
pub(super) fn read<'a>(file: &'a [u8], key: &[u8]) -> Option<Vec<Variant<'a>>> {
    let (header, body) = file.split_at_checked(HEADER)?;
    let right =
        header[..8] == *MAGIC && number(header, 8)? == FORMAT && number(header, 12)? as usize == key.len();
    if !right || header[16..] != xxh3_64(body).to_le_bytes() {
        return None;
    }
    let mut rest = body.strip_prefix(key)?;
    let mut variants = Vec::new();
    while !rest.is_empty() {
        let lengths = [number(rest, 0)?, number(rest, 4)?, number(rest, 8)?].map(|length| length as usize);
        let (bytes, after) = rest.split_at_checked(12 + lengths.iter().sum::<usize>())?;
        let (dependencies, others) = bytes[12..].split_at_checked(lengths[0])?;
        let (info, object) = others.split_at_checked(lengths[1])?;
        variants.push(Variant { dependencies, info, object, bytes });
        rest = after;
    }
    Some(variants)
}

/// A variant's bytes.
pub(super) fn written(entry: &Entry) -> Result<Vec<u8>, String> {
    let info = serde_json::to_vec(&entry.info).map_err(|error| error.to_string())?;
    let parts = [&entry.dependencies, &info, &entry.object];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend(u32::try_from(part.len()).map_err(|error| error.to_string())?.to_le_bytes());
    }
    for part in parts {
        bytes.extend(part);
    }
    Ok(bytes)
}

/// A whole file.
pub(super) fn file(key: &[u8], variants: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut body = key.to_vec();
    variants.iter().for_each(|variant| body.extend(variant));
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(u32::try_from(key.len()).map_err(|error| error.to_string())?.to_le_bytes());
    bytes.extend(xxh3_64(&body).to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
