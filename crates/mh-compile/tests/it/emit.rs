//! The IR's text to LLVM's: the functions alone, without what is around them.

use mh_compile::emit::emit;
use mh_compile::text::parse;

use crate::cases::check_case;

#[test]
fn ir_to_llvm() {
    check_case("emit", |case| {
        let module = parse(&case.input).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let emitted = emit(&module);
        let mut out = String::new();
        let mut inside = false;
        for line in emitted.text.lines() {
            inside |= line.starts_with("define internal i32 @f");
            if inside {
                out += line;
                out.push('\n');
            }
            inside &= line != "}";
        }
        for (number, site) in emitted.sites.iter().enumerate() {
            out += &format!("; site {number}: {:?}\n", site.failure);
        }
        out
    });
}
