//! `docs/compiled-names.md`: all names that are compiled, from the compiler's own tables. `UPDATE=1` writes it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEAD: &str = "# Names that are compiled

All functions that a function under `@mh.jit` may call beside its own kind, and what arrays have. Made from the compiler's tables \
by its tests. What each takes, and what else there is of the language, is in [compiled loops](compiled-loops.md).
";

/// Names of the library's functions: `numpy.sort`.
fn library(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("python/manyhands/_jit_numpy.py")).expect("the library's list");
    text.lines()
        .filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\":"))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn the_reference_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let library = library(&root);
    assert!(library.len() > 40, "{library:?}");
    let mut text = HEAD.to_owned();
    for (module, names) in mh_compile::lower::known() {
        let mut all: BTreeSet<String> = names.into_iter().map(str::to_owned).collect();
        all.extend(library.iter().filter_map(|name| {
            let (home, name) = name.rsplit_once('.')?;
            let name = if home == "numpy.linalg" { format!("linalg.{name}") } else { name.to_owned() };
            (home == module || (home == "numpy.linalg" && module == "numpy")).then_some(name)
        }));
        let title = if module == "numpy.ndarray" { "arrays: attributes and methods" } else { module };
        let _ = write!(text, "\n## {title}\n\n");
        let all: Vec<String> = all.into_iter().map(|name| format!("`{name}`")).collect();
        for line in all.chunks(10) {
            let _ = writeln!(text, "{}", line.join(", ") + if line.last() == all.last() { "" } else { "," });
        }
    }
    let file = root.join("docs/compiled-names.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &text).expect("a writable file");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "docs/compiled-names.md is not what the tables say: UPDATE=1 writes it");
}
