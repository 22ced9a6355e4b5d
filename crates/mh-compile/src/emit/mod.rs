//! LLVM text of a module: stage 7.
//!
//! Each function becomes an internal `@fN(parameters flattened, ptr %results, ptr %rt, ptr %random, i64 %depth)` that returns a status;
//! `@mh_entry` reads the frame and calls the first (see the README for the frame).
//!
//! - Variables live in allocas of the function's first block, an array as one alloca for each of data, owner, lengths and strides: LLVM makes
//!   registers of them. `Place` says where; outlined bodies put others in.
//! - All ways out of a function go through its block `exit`, which releases what the function's variables hold and returns `%status`.
//! - What fails calls the cold `@mh.raise` and leaves through `exit`.
//! - No fast-math flags anywhere; `nsw` only where a stage has shown that nothing overflows (`Check::None`).
//! - `getelementptr` only: LLVM 22 miscompiles `inttoptr`.

mod arithmetic;
mod array;
mod cast;
mod complex_power;
mod expression;
mod function;
mod helpers;
mod lockstep;
mod loops;
mod math;
pub(crate) mod parallel;
mod places;
mod product;
mod random;
mod reshape;
pub(crate) mod split;
mod statement;
#[cfg(test)]
mod tests;
pub(crate) mod walk;
use std::collections::BTreeSet;
use std::fmt::Write;

use crate::compile::{Failure, Notice, Site};
use crate::ir::{Draw, Kind, Math, Module, Span, Type};
use function::FunctionEmitter;

/// Metadata from this number on are those of marked loops.
const MARKS: usize = 10;

/// Number of the metadata of stores past the caches.
const PAST: usize = 6;

/// What LLVM shall make of a loop.
#[derive(Clone, Copy)]
enum Mark {
    /// Nothing: it seldom runs.
    Plain,
    /// Vectors, before it could be unrolled; what they leave may be.
    Vectors,
}

/// The text, and what a call needs to know beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Emitted {
    pub text: String,
    pub sites: Vec<Site>,
    pub notices: Vec<Notice>,
    /// Draws random numbers.
    pub random: bool,
}

/// The module's LLVM text.
#[must_use]
pub fn emit(module: &Module) -> Emitted {
    with_places(module, None)
}

/// The same, where each instruction tells the line of the source that it comes from; its column is the number of the source, from 1.
#[must_use]
pub fn emit_located(module: &Module) -> Emitted {
    with_places(module, Some(places::Places::default()))
}

fn with_places(module: &Module, places: Option<places::Places>) -> Emitted {
    let mut emitter = Emitter::new(module);
    emitter.places = places;
    for number in 0..module.functions.len() {
        FunctionEmitter::whole(&mut emitter, number);
    }
    emitter.finish()
}

/// What belongs to the module: filled by its functions.
struct Emitter<'m> {
    module: &'m Module,
    /// Definitions that are done.
    definitions: Vec<String>,
    /// Constants: the bytes of printed texts.
    constants: Vec<String>,
    declarations: BTreeSet<String>,
    math: BTreeSet<(Math, Kind)>,
    /// The same, of vectors of so many.
    wide_math: BTreeSet<(usize, Math, Kind)>,
    draws: BTreeSet<Draw>,
    /// Some function draws random numbers.
    random: bool,
    /// Those of `helpers` that are used.
    helpers: BTreeSet<&'static str>,
    /// What LLVM is told of loops: one for each that is marked.
    marks: Vec<Mark>,
    sites: Vec<Site>,
    notices: Vec<Notice>,
    /// Blocks of parallel loops that have got a name.
    bodies: usize,
    /// Where instructions tell which line they come from.
    places: Option<places::Places>,
}

/// Raises: notes the site and the figures of the message.
const RAISE: &str = "\
define internal void @mh.raise(ptr %rt, i64 %site, i64 %a, i64 %b, i64 %c, i64 %d, i64 %e) cold noinline nounwind {
  %to.site = getelementptr inbounds i8, ptr %rt, i64 64
  store i64 %site, ptr %to.site
  %to.a = getelementptr inbounds i8, ptr %rt, i64 72
  store i64 %a, ptr %to.a
  %to.b = getelementptr inbounds i8, ptr %rt, i64 80
  store i64 %b, ptr %to.b
  %to.c = getelementptr inbounds i8, ptr %rt, i64 88
  store i64 %c, ptr %to.c
  %to.d = getelementptr inbounds i8, ptr %rt, i64 96
  store i64 %d, ptr %to.d
  %to.e = getelementptr inbounds i8, ptr %rt, i64 104
  store i64 %e, ptr %to.e
  ret void
}
";

impl<'m> Emitter<'m> {
    fn new(module: &'m Module) -> Self {
        Self {
            module,
            definitions: Vec::new(),
            constants: Vec::new(),
            declarations: BTreeSet::new(),
            math: BTreeSet::new(),
            wide_math: BTreeSet::new(),
            draws: BTreeSet::new(),
            random: module.functions.iter().any(|function| walk::draws(&function.body)),
            helpers: BTreeSet::new(),
            marks: Vec::new(),
            sites: Vec::new(),
            notices: Vec::new(),
            bodies: 0,
            places: None,
        }
    }

    /// The number of a place that may raise; the same place has one number.
    fn site(&mut self, span: Span, failure: Failure, calls: &[Span]) -> usize {
        let site = Site { span, failure, calls: calls.to_vec() };
        if let Some(number) = self.sites.iter().position(|known| *known == site) {
            return number;
        }
        self.sites.push(site);
        self.sites.len() - 1
    }

    /// A number for the function of a parallel loop's blocks.
    fn bodies(&mut self) -> usize {
        self.bodies += 1;
        self.bodies - 1
    }

    /// The number of a warning.
    fn notice(&mut self, span: Span, text: &str) -> usize {
        let notice = Notice { span, text: text.into() };
        if let Some(number) = self.notices.iter().position(|known| *known == notice) {
            return number;
        }
        self.notices.push(notice);
        self.notices.len() - 1
    }

    /// Bytes in the object: their name.
    fn constant(&mut self, bytes: &[u8]) -> String {
        let name = format!("@bytes.{}", self.constants.len());
        let text: String = bytes.iter().map(|byte| format!("\\{byte:02X}")).collect();
        let length = bytes.len();
        self.constants
            .push(format!("{name} = private unnamed_addr constant [{length} x i8] c\"{text}\", align 1\n"));
        name
    }

    /// `@mh_entry`: from the frame's slots to the first function.
    fn entry(&mut self) -> String {
        let span = self.module.functions[0].span;
        let (head, place) = self.places.as_mut().map_or_else(Default::default, |places| {
            let number = places.function();
            (places::Places::head(number), places.mark(number, span))
        });
        let mut out = format!("define i32 @mh_entry(ptr noalias %frame, ptr noalias %rt) #0 {head}{{\n");
        let mut arguments = String::new();
        let mut slot = 0;
        let mut next = 0;
        let function = &self.module.functions[0];
        for var in &function.parameters {
            for ty in flattened(function.variables[var.0 as usize].ty) {
                let _ = writeln!(out, "  %p{next} = getelementptr inbounds i8, ptr %frame, i64 {}", 8 * slot);
                let name = match ty {
                    "i1" => {
                        let _ = writeln!(out, "  %w{next} = load i64, ptr %p{next}, align 8");
                        let _ = writeln!(out, "  %a{next} = icmp ne i64 %w{next}, 0");
                        format!("i1 %a{next}")
                    }
                    "i8" | "i16" | "i32" => {
                        let _ = writeln!(out, "  %w{next} = load i64, ptr %p{next}, align 8");
                        let _ = writeln!(out, "  %a{next} = trunc i64 %w{next} to {ty}");
                        format!("{ty} %a{next}")
                    }
                    _ => {
                        let _ = writeln!(out, "  %a{next} = load {ty}, ptr %p{next}, align 8");
                        format!("{ty} %a{next}")
                    }
                };
                arguments.push_str(&format!("{name}, "));
                slot += 1;
                next += 1;
            }
        }
        let _ = writeln!(out, "  %results = getelementptr inbounds i8, ptr %frame, i64 {}", 8 * slot);
        out.push_str("  %random = alloca {i64, i64, i64}, align 8\n");
        if self.random {
            out.push_str("  %to.key = getelementptr inbounds i8, ptr %rt, i64 56\n");
            out.push_str("  %key = load i64, ptr %to.key\n");
            out.push_str("  store {i64, i64, i64} {i64 0, i64 -1, i64 0}, ptr %random\n");
            out.push_str("  store i64 %key, ptr %random\n");
        }
        let _ = writeln!(
            out,
            "  %status = call i32 @f0({arguments}ptr %results, ptr %rt, ptr %random, i64 0){place}\n  ret i32 %status\n}}"
        );
        out
    }

    fn finish(mut self) -> Emitted {
        if self.helpers.contains(helpers::POWER) {
            self.declarations.insert("declare { i64, i1 } @llvm.smul.with.overflow.i64(i64, i64)".into());
        }
        if self.helpers.contains(helpers::DIVIDE) {
            self.declarations.insert("declare i64 @llvm.ctlz.i64(i64, i1)".into());
        }
        let mut random = crate::math::Definitions::default();
        if self.random {
            random = crate::random::definitions(&self.draws);
            self.math.extend(crate::random::needs(&self.draws));
        }
        let math = crate::math::definitions(&self.math);
        self.declarations.extend(math.declarations);
        self.declarations.extend(random.declarations);
        let mut wide = String::new();
        for count in self.wide_math.iter().map(|(count, ..)| *count).collect::<BTreeSet<_>>() {
            let own = self.wide_math.iter().filter(|(lanes, ..)| *lanes == count);
            let all = crate::math::definitions(&own.map(|(_, function, kind)| (*function, *kind)).collect());
            for line in all.text.lines() {
                wide.push_str(&lockstep::widened(line, count));
                wide.push('\n');
            }
            self.declarations.extend(all.declarations.iter().map(|text| lockstep::widened(text, count)));
        }
        let mut text = self.constants.concat();
        text.push_str(RAISE);
        let entry = self.entry();
        text.push_str(&entry);
        for definition in &self.definitions {
            text.push_str(definition);
        }
        text.push_str(&math.text);
        text.push_str(&wide);
        text.push_str(&random.text);
        text.extend(self.helpers.iter().copied());
        for declaration in &self.declarations {
            let _ = writeln!(text, "{declaration}");
        }
        text.push_str("attributes #0 = { nounwind mustprogress }\n");
        text.push_str("!0 = !{!\"branch_weights\", i32 1, i32 1048576}\n!1 = !{}\n");
        text.push_str("!2 = !{!\"llvm.loop.unroll.disable\"}\n");
        text.push_str("!3 = !{!\"llvm.loop.vectorize.enable\", i1 false}\n");
        text.push_str("!4 = !{!\"llvm.loop.vectorize.followup_vectorized\", !5}\n");
        text.push_str("!5 = !{!\"llvm.loop.isvectorized\", i32 1}\n");
        let _ = writeln!(text, "!{PAST} = !{{i32 1}}");
        for (number, mark) in (MARKS..).zip(&self.marks) {
            let also = match mark {
                Mark::Plain => "!3",
                Mark::Vectors => "!4",
            };
            let _ = writeln!(text, "!{number} = distinct !{{!{number}, !2, {also}}}");
        }
        if let Some(places) = &self.places {
            text.push_str(&places.metadata());
        }
        Emitted { text, sites: self.sites, notices: self.notices, random: self.random }
    }
}

/// LLVM's type of a scalar in a register; of one part of a complex number.
fn register(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "i1",
        Kind::I8 | Kind::U8 => "i8",
        Kind::I16 | Kind::U16 => "i16",
        Kind::I32 | Kind::U32 => "i32",
        Kind::I64 | Kind::U64 => "i64",
        Kind::I128 => "i128",
        Kind::F32 | Kind::C64 => "float",
        Kind::F64 | Kind::C128 => "double",
    }
}

/// LLVM's type of a scalar in memory; of one part of a complex number.
fn memory(kind: Kind) -> &'static str {
    if kind == Kind::Bool { "i8" } else { register(kind) }
}

/// What a value of this type is handed over as: one LLVM type for each slot.
fn flattened(ty: Type) -> Vec<&'static str> {
    match ty {
        Type::Scalar(scalar) if scalar.kind.is_complex() => vec![register(scalar.kind); 2],
        Type::Scalar(scalar) => vec![register(scalar.kind)],
        Type::Array(array) => {
            let mut types = vec!["ptr", "ptr"];
            types.extend(vec!["i64"; 2 * usize::from(array.rank)]);
            types
        }
    }
}
