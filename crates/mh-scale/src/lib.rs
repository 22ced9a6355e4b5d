//! Did it pay off? Statistics of measurements, laws of scaling fitted to them, and the cause in words. Times arrive as numbers:
//! nothing here reads a clock, does input or output, or knows Python.
//!
//! | file | what it holds |
//! |---|---|
//! | `timing` | table of contents of what repeated measurements say |
//! | `timing/summary` | mean, median with its interval, outliers |
//! | `timing/ratio` | how many times as fast, with an interval |
//! | `timing/repetition` | how often one thing is measured |
//! | `timing/sweep` | several things in turn, in random order |

pub mod timing;
