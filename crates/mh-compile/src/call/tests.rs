#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::ir::Shape;
use crate::llvm::{Target, llvm};
use crate::threads::with_threads;

/// Runs a kernel that a test of another stage has made, on the frame that it made for it.
pub(crate) fn run(kernel: &Kernel, frame: &mut [u64], hooks: &dyn Hooks) -> Result<(), Stopped> {
    // SAFETY: tests give their kernels what those take.
    unsafe { kernel.call(frame, 7, hooks) }
}

/// Runs a test of a function of `Rt`, as a kernel would call it.
pub(crate) fn with_rt(hooks: &dyn Hooks, test: impl FnOnce(*mut Rt)) {
    let call = Call::new(hooks);
    let mut inner =
        Inner { call: &raw const call, caller: true, place: Place::default(), text: String::new() };
    let mut rt = inner.rt(7);
    test(&raw mut rt);
}

/// Takes over an array that a kernel gave back, and tells how many held it.
pub(crate) fn take(owner: u64) -> (Option<Memory>, usize) {
    // SAFETY: an even owner in a slot of a kernel that ended well is alive until its reference is given back.
    let references = unsafe { &(*(owner as *const crate::abi::Owner)).references }.load(SeqCst);
    // SAFETY: as above; a test takes each once.
    (unsafe { Memory::of_slot(owner) }, references)
}

/// frame: blocks, out, the block that fails, work. Each block writes its square, and prints its number.
const TEXT: &str = r#"
define i32 @mh_entry(ptr %frame, ptr %rt) nounwind {
  %parallel = load ptr, ptr %rt
  %blocks = load i64, ptr %frame
  %work.at = getelementptr i64, ptr %frame, i64 3
  %work = load i64, ptr %work.at
  %status = call i32 %parallel(ptr %rt, ptr @body, ptr %frame, i64 %blocks, i64 %work)
  ret i32 %status
}
define internal i32 @body(ptr %frame, i64 %block, ptr %rt) nounwind {
  %print.at = getelementptr i8, ptr %rt, i64 40
  %print = load ptr, ptr %print.at
  call void %print(ptr %rt, i32 2, i64 %block, i64 0)
  call void %print(ptr %rt, i32 0, i64 ptrtoint (ptr @space to i64), i64 1)
  %fail.at = getelementptr i64, ptr %frame, i64 2
  %fail = load i64, ptr %fail.at
  %fails = icmp sge i64 %block, %fail
  br i1 %fails, label %raise, label %fine
raise:
  %site = getelementptr i8, ptr %rt, i64 64
  store i64 3, ptr %site
  %value = getelementptr i8, ptr %rt, i64 72
  store i64 %block, ptr %value
  %notice.at = getelementptr i8, ptr %rt, i64 48
  %notice = load ptr, ptr %notice.at
  call void %notice(ptr %rt, i32 1)
  ret i32 1
fine:
  %out.at = getelementptr i64, ptr %frame, i64 1
  %out = load ptr, ptr %out.at
  %place = getelementptr i64, ptr %out, i64 %block
  %square = mul i64 %block, %block
  store i64 %square, ptr %place
  ret i32 0
}
@space = internal constant [1 x i8] c" "
"#;

/// Polls until it is told to stop.
const ENDLESS: &str = r#"
define i32 @mh_entry(ptr %frame, ptr %rt) nounwind {
  %parallel = load ptr, ptr %rt
  %status = call i32 %parallel(ptr %rt, ptr @body, ptr %frame, i64 2, i64 1000000)
  ret i32 %status
}
define internal i32 @body(ptr %frame, i64 %block, ptr %rt) nounwind {
  %poll.at = getelementptr i8, ptr %rt, i64 32
  %poll = load ptr, ptr %poll.at
  br label %again
again:
  %status = call i32 %poll(ptr %rt)
  %stop = icmp ne i32 %status, 0
  br i1 %stop, label %out, label %again
out:
  ret i32 %status
}
"#;

#[derive(Default)]
struct Heard {
    stop: AtomicBool,
    polls: AtomicUsize,
    text: Mutex<String>,
    notices: Mutex<Vec<u32>>,
    panics: bool,
}

impl Hooks for Heard {
    fn poll(&self) -> bool {
        self.polls.fetch_add(1, SeqCst);
        assert!(!self.panics, "a hook's panic");
        self.stop.load(SeqCst)
    }
    fn print(&self, text: &str) {
        self.text.lock().unwrap().push_str(text);
    }
    fn notice(&self, number: u32) {
        self.notices.lock().unwrap().push(number);
    }
}

fn kernel(text: &str) -> Kernel {
    let info = Info {
        arguments: Vec::new(),
        result: Shape::None,
        hidden: Vec::new(),
        sources: Vec::new(),
        exceptions: Vec::new(),
        sites: Vec::new(),
        notices: Vec::new(),
        short: false,
        random: false,
    };
    Kernel::load(&llvm().object(text, &Target::host()).unwrap(), info).unwrap()
}

#[test]
fn loops_give_the_serial_answer_text_and_error() {
    let kernel = kernel(TEXT);
    for round in 0..300 {
        with_threads(4, || loop_of_round(&kernel, round));
    }
}

fn loop_of_round(kernel: &Kernel, round: usize) {
    let blocks = [0, 1, 2, 5, 64, 300][round % 6];
    let fail = [usize::MAX >> 1, 0, 3, 63, 200][round % 5];
    let work = [-1_i64, 0, 1_000_000][round % 3];
    let (mut out, heard) = (vec![0_u64; blocks], Heard::default());
    let mut frame = [blocks as u64, out.as_mut_ptr() as u64, fail as u64, work as u64];
    // SAFETY: the frame is as the text wants it; `out` has a place for each block.
    let result = unsafe { kernel.call(&mut frame, 0, &heard) };
    let run = blocks.min(fail);
    assert!(out.iter().take(run).enumerate().all(|(block, &square)| square == (block * block) as u64));
    let printed = if fail < blocks { fail + 1 } else { blocks };
    let text: String = (0..printed).map(|block| format!("{block} ")).collect();
    assert_eq!(*heard.text.lock().unwrap(), text);
    if fail < blocks {
        assert_eq!(result, Err(Stopped::Raised { site: 3, values: [fail as i64, 0, 0, 0, 0] }));
        assert_eq!(*heard.notices.lock().unwrap(), [1]);
    } else {
        assert_eq!((result, heard.notices.lock().unwrap().len()), (Ok(()), 0));
    }
}

#[test]
fn a_kernel_stops_when_it_is_told_to() {
    let kernel = kernel(ENDLESS);
    for number in [1, 3] {
        let heard = Heard { stop: AtomicBool::new(true), ..Heard::default() };
        // SAFETY: the text looks at no slot.
        let result = with_threads(number, || unsafe { kernel.call(&mut [], 0, &heard) });
        assert_eq!(result, Err(Stopped::Interrupted));
        assert_eq!(heard.polls.load(SeqCst), 1);
    }
}

#[test]
fn a_hooks_panic_comes_out_behind_the_kernel() {
    let kernel = kernel(ENDLESS);
    let heard = Heard { panics: true, ..Heard::default() };
    // SAFETY: the text looks at no slot.
    let run = || unsafe { kernel.call(&mut [], 0, &heard) };
    let panic = with_threads(2, || catch_unwind(AssertUnwindSafe(run)).unwrap_err());
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a hook's panic"));
}

#[test]
fn an_object_without_an_entry_is_refused() {
    let object = llvm().object("define void @other() nounwind { ret void }", &Target::host()).unwrap();
    let said = Kernel::load(&object, kernel(ENDLESS).info().clone()).unwrap_err();
    assert!(said.contains("no entry"), "{said}");
}

#[test]
fn the_table_is_laid_out_as_the_text_believes() {
    use crate::abi::offset;
    use std::mem::offset_of;
    let real = [
        offset_of!(Rt, parallel),
        offset_of!(Rt, alloc),
        offset_of!(Rt, retain),
        offset_of!(Rt, release),
        offset_of!(Rt, poll),
        offset_of!(Rt, print),
        offset_of!(Rt, notice),
        offset_of!(Rt, key),
        offset_of!(Rt, error),
        offset_of!(Rt, error) + offset_of!(Fault, values),
        offset_of!(Rt, fold),
        offset_of!(Rt, product),
    ];
    let told = [
        offset::PARALLEL,
        offset::ALLOC,
        offset::RETAIN,
        offset::RELEASE,
        offset::POLL,
        offset::PRINT,
        offset::NOTICE,
        offset::KEY,
        offset::SITE,
        offset::VALUES,
        offset::FOLD,
        offset::PRODUCT,
    ];
    assert_eq!(real, told.map(|offset| offset as usize));
}
