//! Places of instructions in the source, as LLVM's debug metadata: what `explain` reads off the machine code.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::ir::Span;

/// Functions and places by the names of their metadata, which are strings until all others have got their numbers.
#[derive(Debug, Default)]
pub(super) struct Places {
    functions: usize,
    known: BTreeMap<(usize, u16, u32), usize>,
}

impl Places {
    /// Number of a new function.
    pub fn function(&mut self) -> usize {
        self.functions += 1;
        self.functions - 1
    }

    /// What an instruction of a function ends with.
    pub fn mark(&mut self, function: usize, span: Span) -> String {
        let next = self.known.len();
        let number = *self.known.entry((function, span.source, span.line)).or_insert(next);
        format!(", !dbg !{}", PLACES + number)
    }

    /// What the head of a function ends with.
    pub fn head(function: usize) -> String {
        format!("!dbg !{} ", FUNCTIONS + function)
    }

    /// All of it.
    pub fn metadata(&self) -> String {
        let [unit, file, ty, none, version, dwarf] = [0, 1, 2, 3, 4, 5].map(|at| COMMON + at);
        let mut out = String::new();
        let _ = write!(
            out,
            "!llvm.dbg.cu = !{{!{unit}}}\n!llvm.module.flags = !{{!{version}, !{dwarf}}}\n\
             !{version} = !{{i32 2, !\"Debug Info Version\", i32 3}}\n!{dwarf} = !{{i32 7, !\"Dwarf Version\", i32 4}}\n\
             !{unit} = distinct !DICompileUnit(language: DW_LANG_Python, file: !{file}, emissionKind: LineTablesOnly)\n\
             !{file} = !DIFile(filename: \"source\", directory: \"\")\n!{none} = !{{}}\n!{ty} = !DISubroutineType(types: !{none})\n"
        );
        for number in 0..self.functions {
            let _ = writeln!(
                out,
                "!{} = distinct !DISubprogram(name: \"f{number}\", scope: !{file}, file: !{file}, type: !{ty}, spFlags: \
                 DISPFlagDefinition, unit: !{unit})",
                FUNCTIONS + number
            );
        }
        for ((function, source, line), number) in &self.known {
            let _ = writeln!(
                out,
                "!{} = !DILocation(line: {line}, column: {}, scope: !{})",
                PLACES + number,
                u32::from(*source) + 1,
                FUNCTIONS + function
            );
        }
        out
    }
}

/// Numbers of metadata from which on they are these: what all share, functions, places. Nobody else has so many.
const COMMON: usize = 900_000;
const FUNCTIONS: usize = 1_000_000;
const PLACES: usize = 2_000_000;
