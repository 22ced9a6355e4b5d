//! Did it pay off? Statistics of measurements, laws of scaling fitted to them, and the cause in words. Times arrive as numbers:
//! nothing here reads a clock, does input or output, or knows Python.
//!
//! | file | what it holds |
//! |---|---|
//! | `law` | Amdahl, Gustafson, the universal scalability law; Karp and Flatt |
//! | `fit` | laws fitted to times by number of workers; the choice among them; prediction |
//! | `fit/data` | medians and their errors |
//! | `fit/solver` | least squares with bounds |
//! | `fit/interval` | how sure a fit is |
//! | `timing` | table of contents of what repeated measurements say |
//! | `timing/summary` | mean, median with its interval, outliers |
//! | `timing/ratio` | how many times as fast, with an interval |
//! | `timing/repetition` | how often one thing is measured |
//! | `timing/sweep` | several things in turn, in random order |
//! | `why` | where the time went, and the cause in words |
//! | `why/account` | shares of the wall time; together 1 |
//! | `why/memory` | is it the memory? A probe's times, the machine's roof, and what follows for several workers |
//! | `why/verdict` | what is said of them |

pub mod fit;
pub mod law;
pub mod timing;
pub mod why;
