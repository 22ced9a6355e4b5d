//! The whole of it on a machine in virtual time, whose faults are known, and on numbers from outside.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod causes;
mod held_out;
mod machine;
mod outside;
