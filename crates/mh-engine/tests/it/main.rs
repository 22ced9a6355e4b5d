//! The engine from the outside: driven by a simulated world, judged by a ledger that knows nothing of its insides;
//! and by somebody else's workers, in small.

mod foreign;
mod ledger;
mod plans;
mod rng;
mod sim;
mod world;
