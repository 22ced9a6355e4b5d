//! Functions of NumPy's that are written in Python, over what is compiled: they are compiled through as the user's own are.

use crate::diagnostic::{Class, Diagnostic, Untaken};
use crate::ir::Span;
use crate::lower::function::Arguments;
use crate::lower::value::{Static, Value};
use crate::lower::{Lowerer, Result, Stop};

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
        let before = self.errors.len();
        let result = self.call_function(&Static::Function(number), arguments, place as usize, span);
        self.library_call = outer;
        if outer.is_some() {
            return Some(result);
        }
        for error in &mut self.errors[before..] {
            told_of_call(error, name, span);
        }
        Some(result.map_err(|stop| match stop {
            Stop::Error(mut error) => {
                told_of_call(&mut error, name, span);
                Stop::Error(error)
            }
            other => other,
        }))
    }

    /// An error about an argument that NumPy's function takes and the one that is compiled does not says so.
    pub fn untaken(&mut self, name: &str, stop: Stop) -> Stop {
        let Stop::Error(mut error) = stop else { return stop };
        let Some(argument) = error.untaken.take() else { return Stop::Error(error) };
        if !name.starts_with("numpy.") {
            return Stop::Error(error);
        }
        let shown = match name.strip_prefix("numpy.ndarray.") {
            Some(method) => format!("x.{method}"),
            None => super::shown(name),
        };
        let parameters = self.world.parameters(name);
        let taken = match &*argument {
            Untaken::Keyword(keyword) => {
                error.message = format!("{shown}() {}", super::unexpected(keyword));
                parameters.iter().find(|one| one.trim_start_matches('*') == keyword)
            }
            Untaken::Place(place) => parameters.get(*place).filter(|one| !one.starts_with('*')),
        };
        if let Some(parameter) = taken {
            error.class = Class::Unsupported;
            error.message =
                format!("{shown}(..., {}=...) is not compiled", parameter.trim_start_matches('*'));
            error.advice = Some("leave it out, or call the function outside of the compiled function".into());
        }
        Stop::Error(error)
    }

    /// The same with values by place.
    pub fn library_of(&mut self, name: &str, values: Vec<Value>, span: Span) -> Option<Result<Value>> {
        let positional = values.into_iter().map(|value| (value, span)).collect();
        self.library(name, &Arguments { positional, keywords: Vec::new() }, span)
    }
}

/// What went wrong in the library's own text is told of the user's call of it: what the arguments are, it was not written for.
fn told_of_call(error: &mut Diagnostic, name: &str, call: Span) {
    if error.span.source == call.source {
        return;
    }
    error.span = call;
    error.notes.clear();
    if matches!(
        error.class,
        Class::TypeError | Class::AttributeError | Class::IndexError | Class::NameError | Class::Unsupported
    ) {
        let shown = match name.strip_prefix("ndarray.") {
            Some("sort") => "x.sort()".to_owned(),
            Some(_) => "this".to_owned(),
            None => super::shown(name),
        };
        error.class = Class::Unsupported;
        // It was about to read the array's shape.
        let number =
            error.message.strip_prefix('\'').and_then(|rest| rest.split_once("' object has no attribute"));
        let reason =
            number.map_or(error.message.clone(), |(kind, _)| format!("an array is needed, not {kind}"));
        error.message = format!("{shown} is not compiled for these arguments: {reason}");
        error.label.clear();
        error.advice = Some(
            "pass arrays of the dimensions that are compiled, or call it outside of the compiled function"
                .into(),
        );
    }
}
