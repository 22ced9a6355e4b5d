//! What became of a function, for whoever wrote it: types, loops, reductions, checks, vectors, line by line.
//!
//! Two sources: the IR behind `ranges`, and the machine code, whose places are those of the source (`emit_located`). Nothing here decides
//! anything: it tells what the stages have decided.

mod collect;
mod machine;
mod show;

use std::collections::BTreeMap;

use crate::compile::{Argument, staged};
use crate::diagnostic::Diagnostic;
use crate::emit::emit_located;
use crate::ir::{LoopId, Module, Source, Span};
use crate::world::World;

/// What became of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// As the user calls it, with types: `integrate(float, float, int)`.
    pub signature: String,
    pub sources: Vec<Source>,
    /// By source and line: the variables that first get their value there, with their types.
    pub types: BTreeMap<(u16, u32), Vec<String>>,
    pub loops: Vec<Loop>,
    /// By source and line: the widest vectors that numbers are worked on in.
    pub vectors: BTreeMap<(u16, u32), Vector>,
}

/// A loop of the source, or one that an array expression became.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    pub id: LoopId,
    pub span: Span,
    /// Lines of its body.
    pub last_line: u32,
    pub kind: LoopKind,
    /// Within another parallel loop.
    pub inside: bool,
    /// It holds no other loop.
    pub innermost: bool,
    /// Sentences without a full stop.
    pub facts: Vec<String>,
    pub checks: Vec<(Check, When)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// A `prange` that runs in blocks on all threads.
    Parallel,
    /// A `prange` that runs on one thread.
    Serial,
    /// A `range`, or another plain loop.
    Plain,
    While,
}

/// What may fail at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    pub what: What,
    /// As the source has it.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Subscript,
    Overflow,
    Division,
    Argument,
}

/// When a check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once, before the loop.
    Before,
    /// Once, behind a block: where it fails, the block runs again and finds the first that does.
    Behind,
    EachTurn,
}

/// Vectors of the machine's, as wide as `bits`, of elements of `element` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vector {
    pub bits: u32,
    pub element: u32,
    pub float: bool,
}

/// A function that is to be explained: its text is to be made assembly of, from which `with_machine_code` learns the rest.
pub struct Explained {
    pub text: String,
    pub explanation: Explanation,
}

/// Explains `entry` for arguments of these types.
///
/// # Errors
/// What cannot be compiled, with the sources that its spans count.
#[expect(clippy::result_large_err, reason = "as `compile`")]
pub fn explain(
    world: &mut dyn World,
    entry: u32,
    arguments: &[Argument],
    parallel: bool,
    level: u32,
) -> Result<Explained, (Diagnostic, Vec<Source>)> {
    let module = staged(world, entry, arguments, parallel, level)?;
    let emitted = emit_located(&module);
    let explanation = of_module(&module, arguments);
    Ok(Explained { text: emitted.text, explanation })
}

fn of_module(module: &Module, arguments: &[Argument]) -> Explanation {
    let name = module.sources.first().map_or("", |source| source.function.as_str());
    let types: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let mut explanation = Explanation {
        signature: format!("{name}({})", types.join(", ")),
        sources: module.sources.clone(),
        types: BTreeMap::new(),
        loops: Vec::new(),
        vectors: BTreeMap::new(),
    };
    for function in &module.functions {
        collect::function(function, module, &mut explanation);
    }
    explanation.loops.sort_by_key(|of| (of.span.source, of.span.line, of.span.column));
    explanation
}

impl Explanation {
    /// Adds what the assembly of the text shows.
    #[must_use]
    pub fn with_machine_code(mut self, assembly: &str) -> Self {
        self.vectors = machine::vectors(assembly);
        self
    }
}
