#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::sync::OnceLock;

use proptest::prelude::*;

use super::Code;
use crate::llvm::{Target, llvm};

/// Calls out, a jump table, constants, a table of addresses, data that is written, 128-bit division.
const TEXT: &str = r#"
@table = internal unnamed_addr constant [3 x ptr] [ptr @one, ptr @two, ptr @three]
@count = internal global i64 5
@zeros = internal global [100 x i64] zeroinitializer
declare double @fmod(double, double)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define internal i64 @one(i64 %x) noinline { %r = add i64 %x, 1 ret i64 %r }
define internal i64 @two(i64 %x) noinline { %r = add i64 %x, 2 ret i64 %r }
define internal i64 @three(i64 %x) noinline { %r = add i64 %x, 3 ret i64 %r }
define i64 @through_table(i64 %which, i64 %x) nounwind {
  %place = getelementptr [3 x ptr], ptr @table, i64 0, i64 %which
  %f = load ptr, ptr %place
  %r = call i64 %f(i64 %x)
  ret i64 %r
}
define i64 @counted() nounwind {
  %old = load i64, ptr @count
  %new = add i64 %old, 1
  store i64 %new, ptr @count
  %place = getelementptr i64, ptr @zeros, i64 %old
  %zero = load i64, ptr %place
  store i64 %new, ptr %place
  %r = add i64 %zero, %new
  ret i64 %r
}
define double @remainder(double %x, double %y) nounwind {
  %r = call double @fmod(double %x, double %y)
  %s = fadd double %r, 0.1
  ret double %s
}
define i64 @wide(i64 %x, i64 %y, i64 %z) nounwind {
  %a = sext i64 %x to i128
  %b = sext i64 %y to i128
  %c = sext i64 %z to i128
  %p = mul i128 %a, %b
  %q = sdiv i128 %p, %c
  %r = trunc i128 %q to i64
  ret i64 %r
}
define i64 @chosen(i64 %x) nounwind {
  switch i64 %x, label %other [ i64 0, label %a  i64 1, label %b  i64 2, label %c  i64 3, label %d  i64 4, label %e ]
a: ret i64 17
b: %b1 = call i64 @one(i64 %x) ret i64 %b1
c: %c1 = call i64 @two(i64 %x) ret i64 %c1
d: %d1 = call i64 @three(i64 %x) ret i64 %d1
e: %e1 = call i64 @counted() ret i64 %e1
other: ret i64 -1
}
define void @clear(ptr %to, ptr %from, i64 %n) nounwind {
  call void @llvm.memset.p0.i64(ptr %to, i8 7, i64 %n, i1 false)
  %half = lshr i64 %n, 1
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %half, i1 false)
  ret void
}
"#;

fn object() -> &'static [u8] {
    static OBJECT: OnceLock<Vec<u8>> = OnceLock::new();
    OBJECT.get_or_init(|| llvm().object(TEXT, &Target::level(1)).unwrap())
}

fn address(code: &Code, name: &str) -> *const u8 {
    code.symbol(name).unwrap_or_else(|| panic!("no {name}")).as_ptr()
}

#[test]
fn code_of_all_kinds_runs() {
    let code = Code::load(object()).unwrap();
    let integers = |name| {
        // SAFETY: the text above defines it with up to three integers; more in registers do no harm.
        unsafe { std::mem::transmute::<*const u8, extern "C" fn(i64, i64, i64) -> i64>(address(&code, name)) }
    };
    let through = integers("through_table");
    assert_eq!([through(0, 10, 0), through(1, 10, 0), through(2, 10, 0)], [11, 12, 13]);
    let counted = integers("counted");
    assert_eq!([counted(0, 0, 0), counted(0, 0, 0)], [6, 7]);
    assert_eq!(integers("wide")(i64::MAX, 6, -7), (i128::from(i64::MAX) * 6 / -7) as i64);
    let chosen = integers("chosen");
    assert_eq!([0, 1, 2, 3, 4, 5].map(|x| chosen(x, 0, 0)), [17, 2, 4, 6, 8, -1]);
    // SAFETY: as above, with two floats.
    let remainder = unsafe {
        std::mem::transmute::<*const u8, extern "C" fn(f64, f64) -> f64>(address(&code, "remainder"))
    };
    assert_eq!(remainder(-7.5, 2.0), -1.5 + 0.1);
    let (mut to, from) = ([0_u8; 300], [9_u8; 300]);
    // SAFETY: as above; both arrays are as long as it is told.
    let clear = unsafe {
        std::mem::transmute::<*const u8, unsafe extern "C" fn(*mut u8, *const u8, i64)>(address(
            &code, "clear",
        ))
    };
    // SAFETY: as above.
    unsafe { clear(to.as_mut_ptr(), from.as_ptr(), 300) };
    assert_eq!((to[0], to[149], to[150], to[299]), (9, 9, 7, 7));
}

#[test]
fn internal_functions_and_unknown_names_are_not_given() {
    let code = Code::load(object()).unwrap();
    assert!(code.symbol("one").is_none() && code.symbol("table").is_none() && code.symbol("").is_none());
}

#[test]
fn no_page_is_written_and_run() {
    let code = Code::load(object()).unwrap();
    let at = address(&code, "counted") as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        (usize::from_str_radix(start, 16).unwrap()..usize::from_str_radix(end, 16).unwrap()).contains(&at)
    });
    assert!(line.unwrap().contains(" r-xp "), "{line:?}");
}

#[test]
fn other_functions_are_refused_by_name() {
    let text = "declare i32 @system(ptr)\ndefine i32 @f(ptr %p) nounwind { %r = call i32 @system(ptr %p) ret i32 %r }";
    let said = Code::load(&llvm().object(text, &Target::level(1)).unwrap()).unwrap_err();
    assert!(said.contains("\"system\""), "{said}");
}

#[test]
fn what_kernels_do_not_have_is_refused() {
    for text in [
        "@x = thread_local global i64 1\ndefine i64 @f() nounwind { %r = load i64, ptr @x ret i64 %r }",
        "@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @f, ptr null }]\n@y = global i64 0\ndefine void @f() { store volatile i64 1, ptr @y ret void }",
        "@x = common global i64 0\ndefine i64 @f() nounwind { %r = load i64, ptr @x ret i64 %r }",
        "@x = external global i64\ndefine i64 @f() nounwind { %r = load i64, ptr @x ret i64 %r }",
    ] {
        assert!(Code::load(&llvm().object(text, &Target::level(1)).unwrap()).is_err(), "{text}");
    }
    for bytes in [&b""[..], b"\x7fELF", &[0; 64], &std::fs::read("/proc/self/exe").unwrap()] {
        assert!(Code::load(bytes).is_err());
    }
}

/// One thing done to an object.
#[derive(Clone, Debug)]
enum Change {
    Flip { at: usize, bit: u8 },
    Set { at: usize, value: u64, width: usize },
    Cut { at: usize },
    Splice { from: usize, to: usize, length: usize },
}

fn change() -> impl Strategy<Value = Change> {
    let extremes = prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1 << 63),
        Just(0x7fff_ffff),
        Just(1 << 32),
        any::<u64>(),
        0..9_000_u64
    ];
    prop_oneof![
        (any::<usize>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        (any::<usize>(), extremes, prop_oneof![Just(1), Just(2), Just(4), Just(8_usize)])
            .prop_map(|(at, value, width)| Change::Set { at, value, width }),
        any::<usize>().prop_map(|at| Change::Cut { at }),
        (any::<usize>(), any::<usize>(), 1..200_usize).prop_map(|(from, to, length)| Change::Splice {
            from,
            to,
            length
        }),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    // Tables are where it hurts: half of the places lie in headers, symbols and relocations, which LLVM puts at the end.
    for change in changes {
        let length = bytes.len();
        if length < 16 {
            break;
        }
        let place = |at: usize| {
            if at % 4 == 0 {
                at / 4 % length
            } else if at % 4 == 1 {
                at / 4 % 64 % length
            } else {
                length / 2 + at / 4 % (length - length / 2)
            }
        };
        match *change {
            Change::Flip { at, bit } => bytes[place(at)] ^= 1 << bit,
            Change::Set { at, value, width } => {
                let start = place(at) / width * width;
                let end = (start + width).min(length);
                bytes[start..end].copy_from_slice(&value.to_le_bytes()[..end - start]);
            }
            Change::Cut { at } => bytes.truncate(place(at)),
            Change::Splice { from, to, length: count } => {
                let (from, to) = (place(from), place(to));
                let count = count.min(length - from.max(to));
                bytes.copy_within(from..from + count, to);
            }
        }
    }
    bytes
}

proptest! {
    /// Whatever is done to an object: it is loaded or refused. What is loaded is not run.
    #[test]
    fn damaged_objects_do_no_harm(changes in prop::collection::vec(change(), 1..6)) {
        if let Ok(code) = Code::load(&changed(object().to_vec(), &changes)) {
            prop_assert!(code.symbol("nothing").is_none());
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert!(Code::load(&bytes).is_err());
    }
}
