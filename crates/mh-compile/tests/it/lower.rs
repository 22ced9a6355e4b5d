//! Python to the IR, as text.

use mh_compile::lower::lower;

use crate::cases::check_case;

#[test]
fn python_to_ir() {
    check_case("lower", |case| {
        let mut program = case.program();
        match lower(&mut program.world, program.entry, &program.arguments) {
            Ok(mut module) => {
                let wrong = crate::verify::verify(&module);
                assert!(wrong.is_empty(), "{}: {wrong:?}\n{module}", case.name);
                module.sources.clear();
                module.to_string()
            }
            Err((diagnostic, sources)) => format!("{:?}: {}", diagnostic.class, diagnostic.render(&sources)),
        }
    });
}
