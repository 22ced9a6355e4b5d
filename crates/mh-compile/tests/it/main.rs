//! The stages from outside, each by its text: what goes in and what comes out.

mod cases;
mod decode;
mod emit;
mod formulas;
mod jam;
mod lower;
mod lower_any;
mod programs;
mod races;
mod reference;
mod sums;
mod verify;
