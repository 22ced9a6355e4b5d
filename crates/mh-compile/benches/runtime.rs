//! What lies around a kernel: compiling, loading, the cache, waking helpers. Best of many, in microseconds.
//!
//! `cargo bench -p mh-compile --bench runtime`, with `PYO3_PYTHON` or `MANYHANDS_LLVM` set as for the tests.

#![expect(unsafe_code, reason = "calls kernels")]

use std::time::{Duration, Instant};

use mh_compile::cache::{Cache, Entry};
use mh_compile::call::{Hooks, Kernel};
use mh_compile::compile::Info;
use mh_compile::ir::Shape;
use mh_compile::llvm::{Llvm, Target};
use mh_compile::threads::set_threads;

/// frame: blocks, steps of a block, guess at the work, sum. A step takes four cycles or so.
const TEXT: &str = r"
define i32 @mh_entry(ptr %frame, ptr %rt) nounwind {
  %blocks = load i64, ptr %frame
  %none = icmp eq i64 %blocks, 0
  br i1 %none, label %out, label %loop
loop:
  %parallel = load ptr, ptr %rt
  %work.at = getelementptr i64, ptr %frame, i64 2
  %work = load i64, ptr %work.at
  %status = call i32 %parallel(ptr %rt, ptr @body, ptr %frame, i64 %blocks, i64 %work)
  ret i32 %status
out:
  ret i32 0
}
define internal i32 @body(ptr %frame, i64 %block, ptr %rt) nounwind {
  %steps.at = getelementptr i64, ptr %frame, i64 1
  %steps = load i64, ptr %steps.at
  %any = icmp sgt i64 %steps, 0
  br i1 %any, label %step, label %out
step:
  %i = phi i64 [0, %0], [%i1, %step]
  %x = phi double [1.5, %0], [%x1, %step]
  %x1 = fmul double %x, 0x3FEFFFFFFFFFFFFF
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %steps
  br i1 %more, label %step, label %end
end:
  %sum.at = getelementptr i64, ptr %frame, i64 3
  %odd = fcmp oeq double %x1, 0.0
  br i1 %odd, label %store, label %out
store:
  store double %x1, ptr %sum.at
  br label %out
out:
  ret i32 0
}
";

struct Silent;

impl Hooks for Silent {
    fn poll(&self) -> bool {
        false
    }
    fn print(&self, _text: &str) {}
    fn notice(&self, _number: u32) {}
}

fn info(short: bool) -> Info {
    Info {
        arguments: Vec::new(),
        result: Shape::None,
        hidden: Vec::new(),
        sources: Vec::new(),
        exceptions: Vec::new(),
        sites: Vec::new(),
        notices: Vec::new(),
        short,
        random: false,
    }
}

/// The best and the middle of `rounds`.
fn measure(name: &str, rounds: u32, mut run: impl FnMut()) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    let micro = |time: Duration| time.as_secs_f64() * 1e6;
    println!("{name:58} best {:10.2}  middle {:10.2}", micro(times[0]), micro(times[times.len() / 2]));
}

fn main() -> Result<(), String> {
    let path = Llvm::locate()?;
    let start = Instant::now();
    let llvm = Llvm::open(&path)?;
    println!("{:58} {:15.2}", "LLVM opened", start.elapsed().as_secs_f64() * 1e6);
    let object = llvm.object(TEXT, &Target::host())?;
    measure("compiled: a loop of three instructions", 20, || {
        let _ = llvm.object(TEXT, &Target::host());
    });
    measure("loaded", 1000, || {
        let _ = Kernel::load(&object, info(false));
    });

    let kernel = Kernel::load(&object, info(false))?;
    let short = Kernel::load(&object, info(true))?;
    let call = |kernel: &Kernel, blocks: u64, steps: u64, work: i64| {
        let mut frame = [blocks, steps, work as u64, 0];
        // SAFETY: the frame is as the text wants it.
        let _ = unsafe { kernel.call(&mut frame, 0, &Silent) };
    };
    let thousand = |kernel: &Kernel| (0..1000).for_each(|_| call(kernel, 0, 0, 0));
    measure("a thousand calls of nothing", 500, || thousand(&kernel));
    measure("a thousand calls of nothing, short", 500, || thousand(&short));
    for threads in [1, 2] {
        set_threads(threads)?;
        measure(&format!("2 empty blocks, opened at once, {threads} threads"), 20_000, || {
            call(&kernel, 2, 0, 1 << 30)
        });
        measure(&format!("2 empty blocks, work unknown, {threads} threads"), 20_000, || {
            call(&kernel, 2, 0, -1)
        });
        for (blocks, steps) in [(16, 1500), (16, 15_000), (2, 100_000)] {
            let name = format!("{blocks} blocks of {steps} steps, work unknown, {threads} threads");
            measure(&name, 2000, || call(&kernel, blocks, steps, -1));
        }
    }

    let folder = std::env::temp_dir().join(format!("manyhands-bench-{}", std::process::id()));
    let cache = Cache::at(&folder, 1 << 30);
    let entry = Entry { info: info(false), object: vec![1; 20_000], dependencies: vec![2; 500] };
    measure("20 KB stored", 200, || drop(cache.store(b"key", &entry)));
    measure("20 KB loaded", 2000, || drop(cache.load(b"key", |_| true)));
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())
}
