//! An explanation as text for a terminal, and as HTML for a notebook.

use std::fmt::{self, Display, Formatter, Write};

use super::{Explanation, Loop, LoopKind, Vector, What, When};
use crate::ir::Source;

/// Where the notes beside the source begin, at most.
const NOTES: usize = 72;

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.signature)?;
        for (number, source) in self.sources.iter().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            writeln!(f, "\n{}:{}, in {}", source.file, source.first_line, source.function)?;
            let lines: Vec<(u32, &str)> = numbered(source).collect();
            let digits = lines.last().map_or(1, |(line, _)| line.to_string().len());
            let longest = lines.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0).min(NOTES);
            for (line, text) in lines {
                let notes = self.notes(number, line).join("; ");
                let gap = longest.saturating_sub(text.chars().count());
                let row = format!("{line:>digits$} | {text}{:gap$}  {notes}", "");
                writeln!(f, "{}", row.trim_end())?;
            }
        }
        for of in &self.loops {
            writeln!(f, "\n{}", self.title(of))?;
            for fact in self.facts(of) {
                writeln!(f, "    {fact}")?;
            }
        }
        Ok(())
    }
}

impl Explanation {
    /// As HTML: a table of the source with its notes, and the loops below.
    #[must_use]
    pub fn html(&self) -> String {
        let mut out = String::from("<div class=\"manyhands-explanation\">");
        let _ = write!(out, "<p><b>{}</b></p>", escaped(&self.signature));
        for (number, source) in self.sources.iter().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            let _ = write!(
                out,
                "<p>{}:{}, in {}</p><table style=\"border-collapse:collapse\">",
                escaped(&source.file),
                source.first_line,
                escaped(&source.function)
            );
            for (line, text) in numbered(source) {
                let around = self.loops.iter().rfind(|of| of.span.source == number && of.span.line == line);
                let colour = match around.map(|of| of.kind) {
                    Some(LoopKind::Parallel) => ";background:rgba(64,160,64,.25)",
                    Some(LoopKind::Serial) => ";background:rgba(200,140,0,.25)",
                    _ => "",
                };
                let _ = write!(
                    out,
                    "<tr><td style=\"text-align:right;opacity:.6\">{line}</td><td style=\"text-align:left{colour}\"><pre \
                     style=\"margin:0\">{}</pre></td><td style=\"text-align:left\">{}</td></tr>",
                    escaped(text),
                    escaped(&self.notes(number, line).join("; "))
                );
            }
            out.push_str("</table>");
        }
        for of in &self.loops {
            let _ = write!(out, "<p><b>{}</b></p><ul>", escaped(&self.title(of)));
            for fact in self.facts(of) {
                let _ = write!(out, "<li>{}</li>", escaped(&fact));
            }
            out.push_str("</ul>");
        }
        out.push_str("</div>");
        out
    }

    /// What stands beside a line.
    fn notes(&self, source: u16, line: u32) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(types) = self.types.get(&(source, line)) {
            notes.push(types.join(", "));
        }
        for of in self.loops.iter().filter(|of| (of.span.source, of.span.line) == (source, line)) {
            match of.kind {
                LoopKind::Parallel if of.inside => notes.push("in parallel, inside a parallel loop".into()),
                LoopKind::Parallel => notes.push("in parallel".into()),
                LoopKind::Serial => notes.push("on one thread".into()),
                LoopKind::Plain | LoopKind::While => {}
            }
        }
        if let Some(vector) = self.vectors.get(&(source, line)) {
            notes.push(vector.to_string());
        }
        notes
    }

    fn title(&self, of: &Loop) -> String {
        let what = match of.kind {
            LoopKind::Parallel if of.inside => "in parallel, inside a parallel loop",
            LoopKind::Parallel => "in parallel",
            LoopKind::Serial => "prange on one thread",
            LoopKind::Plain => "for loop",
            LoopKind::While => "while loop",
        };
        let function = match self.sources.get(usize::from(of.span.source)) {
            Some(source) if of.span.source > 0 => format!(" of {}", source.function),
            _ => String::new(),
        };
        format!("line {}{function}: {what}", of.span.line)
    }

    fn facts(&self, of: &Loop) -> Vec<String> {
        let mut facts = of.facts.clone();
        if of.innermost {
            let widest = self
                .vectors
                .iter()
                .filter(|((source, line), _)| {
                    *source == of.span.source && (of.span.line..=of.last_line).contains(line)
                })
                .map(|(_, vector)| *vector)
                .max();
            facts.push(match widest {
                Some(vector) => format!("vectors: {vector}"),
                None => "no vectors: one number at a time".to_string(),
            });
        }
        for when in [When::Before, When::Behind, When::EachTurn] {
            for what in [What::Subscript, What::Overflow, What::Division, What::Argument] {
                let places: Vec<_> = of
                    .checks
                    .iter()
                    .filter(|(check, at)| check.what == what && *at == when)
                    .map(|(check, _)| format!("`{}`", check.text))
                    .collect();
                if !places.is_empty() {
                    facts.push(format!("{}: looked at {}: {}", what.name(), when.name(), places.join(", ")));
                }
            }
        }
        facts
    }
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Subscript => "bounds",
            Self::Overflow => "ints past 64 bits",
            Self::Division => "division by zero",
            Self::Argument => "domains of functions",
        }
    }
}

impl When {
    const fn name(self) -> &'static str {
        match self {
            Self::Before => "once, before the loop",
            Self::Behind => {
                "once, behind a block (where there is a failure, it runs again and finds the first)"
            }
            Self::EachTurn => "at each turn",
        }
    }
}

impl Display for Vector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}{} at a time",
            self.bits / self.element,
            if self.float { "float" } else { "int" },
            self.element
        )
    }
}

/// Lines of a source with their numbers in the file; without the indentation that all have.
fn numbered(source: &Source) -> impl Iterator<Item = (u32, &str)> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let common = source.text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    (source.first_line..)
        .zip(source.text.lines())
        .map(move |(line, text)| (line, text.get(common..).unwrap_or("")))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
