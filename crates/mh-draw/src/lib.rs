//! Pictures of graphs of tasks, as text: SVG, Mermaid, DOT. Nothing here reads or writes anything, or knows Python.
//!
//! | file | what it holds |
//! |---|---|
//! | `picture` | what is drawn: nodes, what they need, how they ended |
//! | `fold` | many nodes into few boxes |
//! | `layers` | which box lies in which row, and how rows are ordered |
//! | `place` | where in its row a box lies |
//! | `svg`, `mermaid`, `dot` | the three languages |
//! | `text` | labels: cut, measured, escaped; times in words |

mod dot;
mod fold;
mod layers;
mod mermaid;
mod picture;
mod place;
mod svg;
mod text;

pub use picture::{Drawn, Picture, State};

#[cfg(test)]
mod tests;
