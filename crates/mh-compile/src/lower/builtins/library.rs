//! Functions of NumPy's that are written in Python, over what is compiled: they are compiled through as the user's own are.

use crate::ir::Span;
use crate::lower::function::Arguments;
use crate::lower::value::{Static, Value};
use crate::lower::{Lowerer, Result};

impl Lowerer<'_> {
    /// Calls the library's function of this name; None where it has none.
    pub fn library(&mut self, name: &str, arguments: &Arguments, span: Span) -> Option<Result<Value>> {
        self.library_nth(name, arguments, span, 0)
    }

    /// The same, where it is called several times at one place: `nth` of them.
    pub fn library_nth(
        &mut self,
        name: &str,
        arguments: &Arguments,
        span: Span,
        nth: usize,
    ) -> Option<Result<Value>> {
        let number = match self.libraries.get(name) {
            Some(known) => *known,
            None => {
                let found = self.world.library(name);
                self.libraries.insert(name.to_owned(), found);
                found
            }
        }?;
        // Calls are told apart by where they are written, and by what is called there.
        let place =
            [u64::from(span.line), u64::from(span.column), u64::from(span.end_column), u64::from(number)]
                .into_iter()
                .chain([nth as u64])
                .fold(1, |hash, part| (hash ^ part).wrapping_mul(0x0100_0000_01b3));
        let arguments = match arguments.clone().made(self) {
            Ok(arguments) => arguments,
            Err(stop) => return Some(Err(stop)),
        };
        let outer = self.library_call;
        self.library_call = outer.or(Some((span, self.branches)));
        let result = self.call_function(&Static::Function(number), arguments, place as usize, span);
        self.library_call = outer;
        Some(result)
    }

    /// The same with values by place.
    pub fn library_of(&mut self, name: &str, values: Vec<Value>, span: Span) -> Option<Result<Value>> {
        let positional = values.into_iter().map(|value| (value, span)).collect();
        self.library(name, &Arguments { positional, keywords: Vec::new() }, span)
    }
}
