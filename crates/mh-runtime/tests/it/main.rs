//! The runtime from outside, with real processes and without Python.
//!
//! | file | what it holds |
//! |---|---|
//! | `worker` | the program that workers run: this test binary once more, in another role |
//! | `support` | pools, jobs and what becomes of their items |
//! | `gate` | items that wait to be let go on, so that tests need no sleeps |
//! | `memory_view` | reading and writing through mappings without `unsafe` |
//! | `alone` | tests that need a process to themselves |
//! | `maps` | order, slices of input, cancelling, retries, time limits |
//! | `deaths` | workers that die, in every state, and what it costs |
//! | `starts` | workers that do not come up |
//! | `objects` | what workers are told once |
//! | `shared_memory` | big arguments and results: stored once, private, recycled |
//! | `traffic` | frames beyond the socket's buffers, many descriptors, a worker that speaks nonsense |
//! | `threads` | several threads at one pool; the delivery thread; prints |
//! | `withdrawal` | single items that are taken back |
//! | `ends` | drain, terminate, the parent's own end, and that nothing is left |

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod alone;
mod deaths;
mod ends;
mod gate;
mod maps;
mod memory_view;
mod objects;
mod shared_memory;
mod starts;
mod support;
mod threads;
mod traffic;
mod withdrawal;
mod worker;
