//! What can go wrong in the store, said so that the reader knows what to do.

use std::fmt;
use std::io;

/// An operation of the store that did not succeed. Whatever failed, the store is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Asked before allocating, so that the kernel's out-of-memory killer is not the one who answers.
    #[error(
        "no memory for {} of shared data: only {} may still be used (the machine's free memory or this \
         process's cgroup limit, less a small reserve); send less at a time, use fewer workers, or raise the limit",
        Bytes(*needed),
        Bytes(*free)
    )]
    OutOfMemory {
        /// Bytes that were asked for, rounded up to pages.
        needed: u64,
        /// Bytes that could have been given.
        free: u64,
    },

    /// The kernel refused.
    #[error("shared memory: cannot {action}: {source}{}", advice(source))]
    Io {
        /// What was attempted, as a verb phrase: "create a segment of 4096 bytes".
        action: String,
        source: io::Error,
    },

    /// The caller named bytes outside of the segment: a bug of the caller's, kept from becoming corruption.
    #[error("shared memory: bytes {offset}..{offset}+{len} are outside of the segment of {size} bytes")]
    OutOfBounds { offset: u64, len: u64, size: u64 },
}

impl StoreError {
    /// An `Io` error from a system call's errno; `action` completes the sentence "cannot ...".
    pub(crate) fn io(action: impl Into<String>, source: impl Into<io::Error>) -> StoreError {
        StoreError::Io { action: action.into(), source: source.into() }
    }
}

/// What the user can do about the errors that have a remedy.
fn advice(source: &io::Error) -> &'static str {
    match source.raw_os_error() {
        Some(libc::EMFILE) => "; raise the limit of open files (ulimit -n)",
        Some(libc::ENFILE) => "; the machine's table of open files is full",
        Some(libc::ENOMEM | libc::ENOSPC) => "; free memory, send less at a time, or use fewer workers",
        _ => "",
    }
}

/// A number of bytes as people read it: 512 bytes, 3.0 MiB, 1.5 GiB.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_how_much_and_what_to_do() {
        let error = StoreError::OutOfMemory { needed: 400 << 20, free: 3 << 29 };
        let text = error.to_string();
        assert!(
            text.starts_with("no memory for 400.0 MiB of shared data: only 1.5 GiB may still be used"),
            "{text}"
        );
        assert!(text.contains("use fewer workers"), "{text}");

        let error = StoreError::io("create a segment", rustix::io::Errno::MFILE);
        assert!(error.to_string().ends_with("raise the limit of open files (ulimit -n)"), "{error}");
    }

    #[test]
    fn bytes_are_readable_at_every_size() {
        let check = |bytes, expected: &str| assert_eq!(Bytes(bytes).to_string(), expected);
        check(0, "0 bytes");
        check(1023, "1023 bytes");
        check(1024, "1.0 KiB");
        check(u64::MAX, "16384.0 PiB");
    }
}
