//! Arrays that are only read, in the IR's text.

use mh_compile::formulas::delay;
use mh_compile::lower::lower;

use crate::cases::check_case;

#[test]
fn arrays_stay_formulas() {
    check_case("formulas", |case| {
        let mut program = case.program();
        let mut module = match lower(&mut program.world, program.entry, &program.arguments) {
            Ok(module) => module,
            Err((diagnostic, sources)) => {
                return format!("{:?}: {}", diagnostic.class, diagnostic.render(&sources));
            }
        };
        delay(&mut module);
        let wrong = crate::verify::verify(&module);
        assert!(wrong.is_empty(), "{}: {wrong:?}\n{module}", case.name);
        module.sources.clear();
        module.to_string()
    });
}
