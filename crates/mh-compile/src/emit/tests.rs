//! Kernels from the IR's text, compiled and run, against plain Rust.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod arrays;
mod lanes;
mod lockstep;
mod loops;
mod past;
mod scalars;
mod strips;
mod tiles;

use std::sync::Mutex;

use super::emit;
use crate::call::{Hooks, Kernel, Stopped};
use crate::compile::{Failure, Info};
use crate::ir::{Module, Shape, Type};
use crate::llvm::{Target, llvm};

struct Compiled {
    kernel: Kernel,
    /// Slots of the results.
    results: usize,
}

/// What a kernel raised.
type Raised = (Failure, [i64; 5]);

#[derive(Default)]
struct Printed(Mutex<String>);

impl Hooks for Printed {
    fn poll(&self) -> bool {
        false
    }

    fn print(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }

    fn notice(&self, _: u32) {}
}

fn compile(text: &str) -> Compiled {
    compile_for(text, &Target::host())
}

fn compile_for(text: &str, target: &Target) -> Compiled {
    compile_module(&crate::text::parse(text).unwrap(), target)
}

fn compile_module(module: &Module, target: &Target) -> Compiled {
    let emitted = emit(module);
    let object = llvm()
        .object(&emitted.text, target)
        .unwrap_or_else(|error| panic!("{error}\n{module}\n{}", emitted.text));
    let info = Info {
        arguments: Vec::new(),
        result: Shape::None,
        hidden: Vec::new(),
        sources: Vec::new(),
        exceptions: module.exceptions.clone(),
        sites: emitted.sites,
        notices: emitted.notices,
        short: false,
        random: emitted.random,
    };
    let results = module.functions[0].results.iter().copied().map(Type::slots).sum();
    Compiled { kernel: Kernel::load(&object, info).unwrap(), results }
}

impl Compiled {
    /// Results' slots, or what was raised.
    fn call(&self, arguments: &[u64]) -> Result<Vec<u64>, Raised> {
        self.call_heard(arguments, &Printed::default())
    }

    fn call_heard(&self, arguments: &[u64], heard: &Printed) -> Result<Vec<u64>, Raised> {
        let mut frame = arguments.to_vec();
        frame.resize(arguments.len() + self.results, 0);
        match crate::call::tests::run(&self.kernel, &mut frame, heard) {
            Ok(()) => Ok(frame.split_off(arguments.len())),
            Err(Stopped::Raised { site, values }) => {
                Err((self.kernel.info().sites[usize::try_from(site).unwrap()].failure.clone(), values))
            }
            Err(Stopped::Interrupted) => panic!("nobody interrupts"),
        }
    }

    /// The one result, or the failure.
    fn one(&self, arguments: &[u64]) -> Result<u64, Failure> {
        self.call(arguments).map(|results| results[0]).map_err(|(failure, _)| failure)
    }
}

/// The slots of an array: row-major unless strides are given.
fn slots<T>(data: &mut [T], lengths: &[i64]) -> Vec<u64> {
    let mut strides = vec![0; lengths.len()];
    let mut stride = size_of::<T>() as i64;
    for (place, length) in strides.iter_mut().zip(lengths).rev() {
        *place = stride;
        stride *= length;
    }
    let mut slots = vec![data.as_mut_ptr() as u64, 1];
    slots.extend(lengths.iter().chain(&strides).map(|word| *word as u64));
    slots
}
