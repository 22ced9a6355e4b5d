//! What the store costs, as printed numbers: `cargo bench -p mh-store`.
//!
//! The store's design rests on these (which way of writing is fastest into which pages, what claiming an item
//! costs, what asking for written pages costs), so they can be taken again on another machine or kernel.

#![allow(unsafe_code)] // Reads a mapping through, as a worker would.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mh_store::{
    Arena, FixedMemory, Mapping, MemoryReading, Page, Segment, SegmentId, SystemMemory, minor_faults,
};

const BIG: usize = 400 << 20;

fn main() {
    let bytes = vec![1_u8; BIG];
    println!("400 MiB segment");
    big_object(&bytes);
    println!("small costs");
    each("claim + finished", 1_000_000, claims());
    each("finished, claimed 16 at a time", 1_000_000, claims_in_groups());
    each("progress", 1_000_000, progress());
    each("minor_faults", 100_000, repeated(100_000, || _ = black_box(minor_faults())));
    let memory = SystemMemory::new();
    each("SystemMemory::available", 1_000, repeated(1_000, || _ = black_box(memory.available())));
    let mut arena = Arena::new(0, Box::new(FixedMemory(u64::MAX)));
    let reserve = || {
        let (object, _) = arena.reserve(64 << 10).expect("a place");
        arena.release(object);
    };
    each("reserve + release", 100_000, repeated(100_000, reserve));
    let small = Segment::create(SegmentId(1), 64 << 10).expect("a segment");
    small.write(0, &bytes[..64 << 10]).expect("memory");
    let map = || drop(black_box(Mapping::new(small.fd(), small.len())));
    each("Mapping::new + drop", 10_000, repeated(10_000, map));
    let mapping = Mapping::new(small.fd(), small.len()).expect("a mapping");
    each("written, 64 KiB", 10_000, repeated(10_000, || _ = black_box(mapping.written(0, 64 << 10))));
}

/// Filling, reading and restoring an array of 400 MiB.
fn big_object(bytes: &[u8]) {
    let segment = Segment::create(SegmentId(0), BIG as u64).expect("a segment");
    for what in ["write, fresh pages", "write, first recycling", "write, recycled", "write, recycled again"] {
        once(what, || segment.write(0, bytes).expect("memory"));
    }
    let mapping = Mapping::new(segment.fd(), segment.len()).expect("a mapping");
    once("read through, pages faulted in", || read(&mapping));
    once("read through again", || read(&mapping));
    once("written? (no)", || _ = black_box(mapping.written(0, mapping.len())));
    once("restore", || mapping.restore(0, mapping.len()).expect("restored"));
    once("populate", || mapping.populate(0, mapping.len()).expect("populated"));
    once("read through, populated", || read(&mapping));
}

fn read(mapping: &Mapping) {
    let start = mapping.slice_ptr(0, mapping.len()).cast::<u64>();
    // SAFETY: the whole mapping, aligned to a page; nothing writes to it.
    let words = unsafe { std::slice::from_raw_parts(start, mapping.len() as usize / 8) };
    black_box(words.iter().copied().fold(0, u64::wrapping_add));
}

fn claims() -> Duration {
    let (page, _fd) = Page::create().expect("a page");
    page.publish(0, 1, 1_000_000);
    let start = Instant::now();
    while let Some(item) = page.claim(0, 1) {
        page.finished(0, 1, item + 1);
    }
    start.elapsed()
}

fn claims_in_groups() -> Duration {
    let (page, _fd) = Page::create().expect("a page");
    page.publish(0, 1, 1_000_000);
    let start = Instant::now();
    loop {
        let group = page.claim_some(0, 1, 16);
        if group.is_empty() {
            return start.elapsed();
        }
        group.for_each(|item| page.finished(0, 1, black_box(item) + 1));
    }
}

fn progress() -> Duration {
    let (page, _fd) = Page::create().expect("a page");
    page.publish(0, 1, 100);
    repeated(1_000_000, || _ = black_box(page.progress(0, 1)))
}

fn repeated(times: u32, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..times).for_each(|_| work());
    start.elapsed()
}

fn each(what: &str, times: u32, took: Duration) {
    println!("  {what:32} {:10.1} ns", took.as_nanos() as f64 / f64::from(times));
}

fn once(what: &str, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    println!("  {what:32} {:10.2} ms", start.elapsed().as_secs_f64() * 1e3);
}
