//! Loops that are taken several iterations at a time, in the IR's text.

use mh_compile::jam::together;
use mh_compile::text::parse;

use crate::cases::check_case;

#[test]
fn loops_are_taken_together() {
    check_case("jam", |case| {
        let mut module = parse(&case.input).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let mut smaller = module.clone();
        together(&mut module, 4);
        // Tiles of sums in lanes need the registers of level 4.
        together(&mut smaller, 3);
        assert!(!smaller.to_string().contains("short"), "{}", case.name);
        module.to_string()
    });
}
