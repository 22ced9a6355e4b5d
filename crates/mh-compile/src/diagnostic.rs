//! Errors of the compiler: what, where (file, line, caret), what to do.

use crate::ir::{Source, Span};

/// Which exception Python gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `manyhands.CompileError`: not in the language that is compiled.
    Unsupported,
    /// `manyhands.RaceError`.
    Race,
    /// Python's own, raised by the serial program too: `TypeError: 'float' object cannot be interpreted as an integer`.
    TypeError,
    NameError,
    AttributeError,
    ValueError,
    IndexError,
}

/// An argument that a function does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untaken {
    Keyword(String),
    /// More by place than there are places: the first of them.
    Place(usize),
}

/// One error. `notes` point at further places; `advice` says what to write instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    pub class: Class,
    pub message: String,
    pub span: Span,
    /// What stands under the caret, a few words; may be empty.
    pub label: String,
    pub notes: Vec<(Span, String)>,
    pub advice: Option<Box<str>>,
    /// The argument that it is about, where the function that is called may take it elsewhere.
    pub untaken: Option<Box<Untaken>>,
}

impl Diagnostic {
    #[must_use]
    pub fn new(class: Class, span: Span, message: impl Into<String>) -> Self {
        let (label, notes, advice, untaken) = (String::new(), Vec::new(), None, None);
        Self { class, message: message.into(), span, label, notes, advice, untaken }
    }

    #[must_use]
    pub fn untaken(mut self, argument: Untaken) -> Self {
        self.untaken = Some(Box::new(argument));
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push((span, text.into()));
        self
    }

    #[must_use]
    pub fn advice(mut self, text: impl Into<String>) -> Self {
        self.advice = Some(text.into().into());
        self
    }

    /// The error as users read it:
    ///
    /// ```text
    /// out[perm[i]] may be written by two iterations of the prange
    ///   --> script.py:12, in scatter
    ///    |
    /// 12 |         out[perm[i]] = x[i]
    ///    |         ^^^^^^^^^^^^ iterations i=0 and i=1 write the same element where perm[0] == perm[1]
    ///    = help: ...
    /// ```
    #[must_use]
    pub fn render(&self, sources: &[Source]) -> String {
        let mut out = self.message.clone();
        excerpt(&mut out, sources, self.span, &self.label);
        for (span, text) in &self.notes {
            excerpt(&mut out, sources, *span, text);
        }
        if let Some(advice) = &self.advice {
            out.push_str("\n   = help: ");
            out.push_str(&advice.replace('\n', "\n           "));
        }
        out
    }
}

fn excerpt(out: &mut String, sources: &[Source], span: Span, label: &str) {
    let Some(source) = sources.get(usize::from(span.source)) else { return };
    let number = span.line.to_string();
    let gap = " ".repeat(number.len());
    out.push_str(&format!("\n  --> {}:{}, in {}", source.file, span.line, source.function));
    let line =
        span.line.checked_sub(source.first_line).and_then(|line| source.text.lines().nth(line as usize));
    let Some(line) = line else { return };
    let from = line.get(..span.column as usize).map_or(0, |before| before.chars().count());
    let to = if span.end_line == span.line { line.get(..span.end_column as usize) } else { Some(line) };
    let width = to.map_or(1, |upto| upto.chars().count().saturating_sub(from)).max(1);
    out.push_str(&format!(
        "\n {gap} |\n {number} | {line}\n {gap} | {}{}",
        " ".repeat(from),
        "^".repeat(width)
    ));
    if !label.is_empty() {
        out.push(' ');
        out.push_str(label);
    }
}
