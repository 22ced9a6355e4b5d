//! Why it stops: where the workers' time went, and the cause in words.

mod account;
mod memory;
mod verdict;

pub use account::{Account, AccountError, Observed, Part};
pub use memory::{Estimate, Memory, Roof};
pub use verdict::{Cause, Measured, Verdict, verdict};
