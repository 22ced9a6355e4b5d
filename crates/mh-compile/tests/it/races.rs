//! Python to plans of parallel loops, or to errors as users read them.

use mh_compile::ir::Module;
use mh_compile::{lower::lower, races};

use crate::cases::check_case;

#[test]
fn python_to_plans() {
    check_case("races", |case| {
        let mut program = case.program();
        let mut module = match lower(&mut program.world, program.entry, &program.arguments) {
            Ok(module) => module,
            Err((diagnostic, sources)) => {
                return format!("{:?}: {}", diagnostic.class, diagnostic.render(&sources));
            }
        };
        match races::check(&mut module) {
            Ok(()) => plans(&module),
            Err(diagnostic) => format!("{:?}: {}", diagnostic.class, diagnostic.render(&module.sources)),
        }
    });
}

/// The heads of parallel loops, each with its plan.
fn plans(module: &Module) -> String {
    let text = module.to_string();
    let loops = text.lines().filter(|line| line.contains(" parallel "));
    loops.map(|line| line.trim().trim_end_matches(" {")).collect::<Vec<_>>().join("\n")
}
