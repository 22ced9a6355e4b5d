//! Case files: what a stage makes of an input, as text. Their format is in the crate's README.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::programs::Program;

/// One case of a file.
pub struct Case {
    /// `file: name`.
    pub name: String,
    /// Python, or the IR's text.
    pub input: String,
    program: Option<Program>,
}

impl Case {
    /// The input's Python, with a world around it.
    pub fn program(&self) -> Program {
        self.program.clone().unwrap_or_else(|| panic!("{} has no trees: run tests/cases/trees.py", self.name))
    }
}

struct Part {
    name: String,
    input: String,
    expected: String,
}

/// Runs every case of `tests/cases/<stage>/*.txt` and compares what comes out with what is expected; with `UPDATE=1` in the environment
/// that is written into the file instead.
pub fn check_case(stage: &str, mut run: impl FnMut(&Case) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(stage);
    let files = files_in(&folder);
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    let mut wrong = String::new();
    for file in files {
        wrong += &check_file(&file, &mut run);
    }
    assert!(wrong.is_empty(), "{wrong}\nUPDATE=1 writes what came out into the files: read it then");
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

fn check_file(file: &Path, run: &mut impl FnMut(&Case) -> String) -> String {
    let text = fs::read_to_string(file).expect("a readable file");
    let trees = fs::read_to_string(file.with_extension("trees")).unwrap_or_default();
    let short = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let (head, parts) = split(&text);
    assert!(!parts.is_empty(), "{} holds no case", file.display());
    let (mut wrong, mut updated) = (String::new(), head);
    for part in parts {
        let program = Program::read(&trees, &part.name, &part.input)
            .unwrap_or_else(|why| panic!("{}: {}: {why}", file.display(), part.name));
        let name = format!("{short}: {}", part.name);
        let case = Case { name, input: part.input.clone(), program };
        let found = run(&case);
        let found = found.trim_matches('\n');
        if found != part.expected {
            let _ =
                write!(wrong, "\n=== {}\n{}\n{}", case.name, case.input, difference(&part.expected, found));
        }
        let _ = write!(
            updated,
            "=== {}\n{}\n--- expected\n{found}\n\n",
            part.name,
            part.input.trim_matches('\n')
        );
    }
    if std::env::var_os("UPDATE").is_none() {
        return wrong;
    }
    let updated = format!("{}\n", updated.trim_end_matches('\n'));
    if updated != text {
        fs::write(file, updated).expect("a writable file");
    }
    String::new()
}

/// What stands before the first case, and the cases.
fn split(text: &str) -> (String, Vec<Part>) {
    let text = format!("\n{text}");
    let mut pieces = text.split("\n=== ");
    let head = pieces.next().unwrap_or_default().trim_matches('\n');
    let head = if head.is_empty() { String::new() } else { format!("{head}\n\n") };
    let parts = pieces.map(|piece| {
        let (name, rest) = piece.split_once('\n').unwrap_or((piece, ""));
        let (input, expected) = rest.split_once("\n--- expected").unwrap_or((rest, ""));
        let input = format!("{}\n", input.trim_matches('\n'));
        Part { name: name.to_owned(), input, expected: expected.trim_matches('\n').to_owned() }
    });
    (head, parts.collect())
}

/// Lines that are expected (`-`) and those that came out (`+`), without what is alike at both ends.
fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let after = old[before..]
        .iter()
        .rev()
        .zip(new[before..].iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let mut out = String::new();
    for line in &old[before.saturating_sub(2)..before] {
        let _ = writeln!(out, "  {line}");
    }
    for line in &old[before..old.len() - after] {
        let _ = writeln!(out, "- {line}");
    }
    for line in &new[before..new.len() - after] {
        let _ = writeln!(out, "+ {line}");
    }
    out
}
