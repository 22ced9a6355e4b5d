//! Is an optimised kernel short? Then the interpreter's lock is kept when it is called, which costs less than letting go of it.
//!
//! Short is what takes next to no time until it ends or calls a function of `Rt` that tells that it is long (`poll`, `parallel`): no
//! block is reached twice on the way there. The loops of a source say little about this: LLVM puts formulas in the place of many.

use std::collections::{HashMap, HashSet};

/// Of the text of one function, as LLVM prints it.
pub(crate) fn is_short(function: &str) -> bool {
    let mut blocks: HashMap<&str, Block<'_>> = HashMap::new();
    let mut lines = function.lines().skip_while(|line| !line.starts_with("define "));
    lines.next();
    let (mut name, mut entry) = ("", None);
    for line in lines {
        if let Some(label) = label(line) {
            name = label;
            continue;
        }
        // The first block may have no label.
        entry.get_or_insert(name);
        blocks.entry(name).or_default().add(line);
    }
    let entry = entry.unwrap_or_default();
    // Depth first: a block that is on the way already closes a loop.
    let (mut way, mut seen) = (vec![(entry, 0)], HashSet::from([entry]));
    while let Some((name, next)) = way.last_mut() {
        let block = blocks.get(*name);
        if block.is_some_and(|block| block.unknown) {
            return false;
        }
        let Some(target) = block.and_then(|block| block.next.get(*next)).copied() else {
            way.pop();
            continue;
        };
        *next += 1;
        if way.iter().any(|(name, _)| *name == target) {
            return false;
        }
        if seen.insert(target) {
            way.push((target, 0));
        }
    }
    true
}

#[derive(Default)]
struct Block<'a> {
    /// Calls of functions that may take any time: the kernel's own, and memory that is filled or copied.
    unknown: bool,
    /// What is behind is not looked at: it is known to be long by then.
    told: bool,
    next: Vec<&'a str>,
}

impl<'a> Block<'a> {
    fn add(&mut self, line: &'a str) {
        if self.told {
            return;
        }
        if let Some((_, call)) = line.split_once(" call ") {
            let (result, callee) = call.split_at(call.find(['@', '%']).unwrap_or(0));
            // Only `poll` and `parallel` give a status.
            self.told = callee.starts_with('%') && result.ends_with("i32 ");
            self.unknown |=
                callee.starts_with('@') && (!callee.starts_with("@llvm.") || callee.starts_with("@llvm.mem"));
        } else if !line.contains(" phi ") {
            self.next.extend(
                line.split("label %").skip(1).map(|rest| rest.split([',', ' ', ']']).next().unwrap_or(rest)),
            );
        }
    }
}

/// The name that a block begins with.
fn label(line: &str) -> Option<&str> {
    let name = line.split_once(':')?.0;
    (!name.is_empty() && !name.starts_with([' ', ';', '}'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::is_short;

    fn short(body: &str) -> bool {
        is_short(&format!("; a comment: more\ndefine i32 @mh_entry(ptr %frame, ptr %rt) {{\n{body}}}\n"))
    }

    #[test]
    fn a_straight_way_is_short_and_a_loop_is_not() {
        assert!(short("  %x = load i64, ptr %frame\n  br label %a\n\na:     ; preds = %0\n  ret i32 0\n"));
        assert!(short("start:\n  br i1 %c, label %a, label %b\na:\n  br label %b\nb:\n  ret i32 0\n"));
        assert!(!short("start:\n  br label %a\na:\n  br i1 %c, label %a, label %b\nb:\n  ret i32 0\n"));
        let far = "start:\n  br label %a\na:\n  switch i8 %x, label %out [\n    i8 1, label %b\n  ]\nb:\n  br label %a\nout:\n  ret i32 0\n";
        assert!(!short(far));
    }

    #[test]
    fn what_comes_behind_a_poll_does_not_count() {
        let polled = "start:\n  br i1 %c, label %again, label %out\nagain:\n  %s = tail call i32 %poll(ptr %rt)\n  br i1 %t, \
                      label %again, label %out\nout:\n  ret i32 0\n";
        assert!(short(polled));
        assert!(!short(&polled.replace("i32 %poll", "ptr %alloc")));
    }

    #[test]
    fn calls_of_the_kernels_own_functions_are_not_known_to_be_short() {
        assert!(short("  %y = call double @llvm.fabs.f64(double %x)\n  ret i32 0\n"));
        assert!(!short("  %s = call fastcc i32 @again(i64 %x)\n  ret i32 0\n"));
        assert!(!short("  call void @llvm.memset.p0.i64(ptr %a, i8 0, i64 %n, i1 false)\n  ret i32 0\n"));
    }
}
