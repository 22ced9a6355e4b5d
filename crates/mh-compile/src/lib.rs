//! The loop compiler of manyhands. What the files are, and how they follow each other: `README.md` beside `src`.

pub mod abi;
pub mod ast;
pub mod cache;
pub mod call;
pub mod compile;
pub mod decode;
pub mod diagnostic;
pub mod emit;
pub mod explain;
pub mod formulas;
pub mod ir;
pub mod jam;
pub mod level;
pub mod llvm;
pub mod loader;
pub mod lower;
pub mod math;
pub mod races;
pub mod random;
pub mod ranges;
pub(crate) mod short;
pub mod sums;
pub mod text;
pub mod threads;
pub(crate) mod walk;
pub mod world;
