//! Loops that are taken several iterations at a time, in the IR's text.

use mh_compile::jam::together;
use mh_compile::text::parse;

use crate::cases::check_case;

#[test]
fn loops_are_taken_together() {
    check_case("jam", |case| {
        let mut module = parse(&case.input).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        together(&mut module);
        module.to_string()
    });
}
