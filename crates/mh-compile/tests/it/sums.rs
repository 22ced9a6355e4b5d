//! Sums that loops gather, in the IR's text.

use mh_compile::sums::keep;
use mh_compile::text::parse;

use crate::cases::check_case;

#[test]
fn sums_are_kept() {
    check_case("sums", |case| {
        let mut module = parse(&case.input).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        keep(&mut module);
        module.to_string()
    });
}
