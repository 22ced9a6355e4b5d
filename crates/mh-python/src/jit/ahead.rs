//! Objects compiled ahead of time: made by `mh compile` for the signatures that a function declares, found beside its module.

use std::path::PathBuf;

use mh_compile::cache::{Entry, beside};
use mh_compile::call::Kernel;
use mh_compile::compile::Argument;
use mh_compile::ir::{Array, Flavour, Kind, Layout, Scalar, Shape, Type};
use mh_compile::level;
use mh_compile::llvm::Target;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::making;
use super::running::Compiled;
use super::world::{Program, Record};
use super::{Jitted, broken};

/// Changes when what is written beside modules is read in another way, or `Rt` (see mh-compile's `abi`) changes.
const FORMAT: u32 = 2;
const KINDS: [Kind; 13] = [
    Kind::Bool,
    Kind::I8,
    Kind::I16,
    Kind::I32,
    Kind::I64,
    Kind::U8,
    Kind::U16,
    Kind::U32,
    Kind::U64,
    Kind::F32,
    Kind::F64,
    Kind::C64,
    Kind::C128,
];

/// Signatures as `manyhands._jit_signatures` reads them: `(types, result, text)` each.
pub fn declared(signatures: &Bound<'_, PyTuple>) -> PyResult<Vec<Vec<Argument>>> {
    let of = |signature: Bound<'_, PyAny>| -> PyResult<Vec<Argument>> {
        let types = signature.cast_into::<PyTuple>()?.get_item(0)?.cast_into::<PyTuple>()?;
        types.iter().map(|member| argument_of(&member)).collect()
    };
    signatures.iter().map(of).collect()
}

/// `None`, `("float64",)`, `("float64", rank, layout)`, `("tuple", members)`.
fn argument_of(told: &Bound<'_, PyAny>) -> PyResult<Argument> {
    if told.is_none() {
        return Ok(Argument::None);
    }
    let parts = told.cast::<PyTuple>()?;
    let name: String = parts.get_item(0)?.extract()?;
    if name == "tuple" {
        let members = parts.get_item(1)?.cast_into::<PyTuple>()?;
        return Ok(Argument::Tuple(
            members.iter().map(|member| argument_of(&member)).collect::<PyResult<_>>()?,
        ));
    }
    let kind = KINDS
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| PyValueError::new_err(format!("there is no type {name}")))?;
    if parts.len() == 1 {
        // What Python has itself comes as Python's own.
        let own = matches!(kind, Kind::Bool | Kind::I64 | Kind::F64 | Kind::C128);
        let flavour = if own { Flavour::Python } else { Flavour::NumPy };
        return Ok(Argument::Scalar(Scalar { kind, flavour }));
    }
    let (rank, layout): (u8, String) = (parts.get_item(1)?.extract()?, parts.get_item(2)?.extract()?);
    let layout = match layout.as_str() {
        "C" => Layout::C,
        "F" => Layout::F,
        _ => Layout::Any,
    };
    Ok(Argument::Array(Array { element: kind, rank, layout, writable: true }))
}

/// What a signature is compiled for: first as it stands. A number of Python's may come as NumPy's, too, whose arithmetic is another one: for
/// that there is code of its own. Of two numbers each is one or the other for itself; of more, the ints, or the others, are alike.
fn variants(signature: &[Argument]) -> Vec<Vec<Argument>> {
    let numbers: Vec<(usize, Kind)> = signature
        .iter()
        .enumerate()
        .filter_map(|(place, argument)| match argument {
            Argument::Scalar(Scalar { kind, flavour: Flavour::Python }) if *kind != Kind::Bool => {
                Some((place, *kind))
            }
            _ => None,
        })
        .collect();
    let mut groups: Vec<Vec<usize>> = if numbers.len() <= 2 {
        numbers.iter().map(|(place, _)| vec![*place]).collect()
    } else {
        let (ints, others): (Vec<_>, Vec<_>) = numbers.iter().partition(|(_, kind)| *kind == Kind::I64);
        [ints, others].map(|group| group.iter().map(|(place, _)| *place).collect()).into()
    };
    groups.retain(|group| !group.is_empty());
    let chosen = |choice: usize| {
        let mut arguments = signature.to_vec();
        for place in
            groups.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1).flat_map(|(_, group)| group)
        {
            if let Argument::Scalar(scalar) = &mut arguments[*place] {
                scalar.flavour = Flavour::NumPy;
            }
        }
        layouts(&arguments)
    };
    (0..1usize << groups.len()).flat_map(chosen).collect()
}

/// Arrays of any layout are mostly contiguous, for which there is code of its own.
fn layouts(signature: &[Argument]) -> Vec<Vec<Argument>> {
    fn contiguous(argument: &Argument) -> Argument {
        match argument {
            Argument::Array(array) if array.layout == Layout::Any => {
                Argument::Array(Array { layout: Layout::C, ..*array })
            }
            Argument::Tuple(members) => Argument::Tuple(members.iter().map(contiguous).collect()),
            other => other.clone(),
        }
    }
    let tight: Vec<_> = signature.iter().map(contiguous).collect();
    if tight == signature { vec![tight] } else { vec![tight, signature.to_vec()] }
}

/// Whether code for `wanted` takes what a call brings.
fn admits(wanted: &Argument, found: &Argument) -> bool {
    match (wanted, found) {
        (Argument::Array(wanted), Argument::Array(found)) => takes(*wanted, *found),
        (Argument::Tuple(wanted), Argument::Tuple(found)) => {
            wanted.len() == found.len()
                && wanted.iter().zip(found).all(|(wanted, found)| admits(wanted, found))
        }
        _ => wanted == found,
    }
}

/// Whether code for arrays `wanted` takes those that are `found`: any layout includes all others.
pub fn takes(wanted: Array, found: Array) -> bool {
    Array { layout: found.layout, ..wanted } == found
        && (wanted.layout == found.layout || wanted.layout == Layout::Any)
}

/// What was compiled ahead of time for arguments of these types, where all that it was made from is as it was.
pub fn find(jitted: &Bound<'_, Jitted>, arguments: &[Argument]) -> PyResult<Option<Compiled>> {
    let inner = jitted.get();
    let mut folder = None;
    for signature in &inner.declared {
        for variant in variants(signature) {
            let admitted = variant.len() == arguments.len()
                && variant.iter().zip(arguments).all(|(wanted, found)| admits(wanted, found));
            if !admitted {
                continue;
            }
            if folder.is_none() {
                folder = Some(folder_of(jitted)?);
            }
            let Some(folder) = &folder else { continue };
            if !folder.is_dir() {
                return Ok(None);
            }
            for level in (1..=level::here()).rev() {
                for numpy in [true, false] {
                    let key = key_of(jitted, &variant, level, numpy)?;
                    if let Some(entry) = beside::read(folder, key.as_bytes())
                        && let Some(made) = loaded(jitted, entry)?
                    {
                        return Ok(Some(made));
                    }
                }
            }
        }
    }
    Ok(None)
}

fn loaded(jitted: &Bound<'_, Jitted>, mut entry: Entry) -> PyResult<Option<Compiled>> {
    let Ok(record) = serde_json::from_slice::<Record>(&entry.dependencies) else { return Ok(None) };
    let mut program = Program::portable(jitted)?;
    if !program.replay(&record)? {
        return Ok(None);
    }
    // The files are elsewhere now.
    for (source, file) in entry.info.sources.iter_mut().zip(&program.files) {
        source.file.clone_from(file);
    }
    let Ok(kernel) = Kernel::load(&entry.object, entry.info) else { return Ok(None) };
    Ok(making::finish(program, kernel).ok().map(Compiled::loose))
}

/// Compiles one of the declared signatures for a level, beside the module. Gives what its result is.
pub fn make(jitted: &Bound<'_, Jitted>, signature: usize, target: &str) -> PyResult<String> {
    let py = jitted.py();
    let inner = jitted.get();
    let level = level::of(target).ok_or_else(|| {
        PyValueError::new_err(format!("{target} is no target: there are {}", level::NAMES.join(", ")))
    })?;
    let signature = inner.declared.get(signature).ok_or_else(|| PyTypeError::new_err("no such signature"))?;
    let folder = folder_of(jitted)?;
    let lock = making::Lock::acquire(py)?;
    let mut result = String::new();
    for variant in variants(signature) {
        let mut program = Program::portable(jitted)?;
        let (text, mut info) = match making::compiled(&mut program, &variant, inner.parallel, level) {
            Ok(made) => made,
            // As it stands, the signature must compile; other numbers are taken along where they can be.
            Err(error) if result.is_empty() => return Err(error),
            Err(_) => continue,
        };
        let llvm = making::llvm(py)?;
        let object;
        (object, info.short) = py
            .detach(|| llvm.kernel(&text, &Target::level(level)))
            .map_err(|error| broken(format!("LLVM refused a kernel: {error}")))?;
        if result.is_empty() {
            result = describe_result(&info.result);
        }
        let dependencies = serde_json::to_vec(&program.record).map_err(|error| broken(error.to_string()))?;
        let key = key_of(jitted, &variant, level, true)?;
        beside::write(&folder, key.as_bytes(), &Entry { info, object, dependencies })
            .map_err(|error| PyOSError::new_err(format!("{}: {error}", folder.display())))?;
    }
    drop(lock);
    Ok(result)
}

fn describe_result(shape: &Shape) -> String {
    match shape {
        Shape::None => "None".into(),
        Shape::Value(Type::Scalar(scalar)) => Argument::Scalar(*scalar).to_string(),
        Shape::Value(Type::Array(array)) => Argument::Array(*array).to_string(),
        Shape::Tuple(members) => {
            let members: Vec<_> = members.iter().map(describe_result).collect();
            format!("tuple({})", members.join(", "))
        }
    }
}

/// Whether a function's module has objects that were compiled ahead of time: then it is to run where no compiler is.
pub fn is_shipped(jitted: &Bound<'_, Jitted>) -> PyResult<bool> {
    Ok(!jitted.get().declared.is_empty() || folder_of(jitted)?.is_dir())
}

/// Where the objects of a function's module are.
fn folder_of(jitted: &Bound<'_, Jitted>) -> PyResult<PathBuf> {
    jitted.py().import("manyhands._jit_calls")?.call_method1("folder", (&jitted.get().function,))?.extract()
}

/// Code is found by all that it depends on and that is not asked for in its record. `numpy`: as it is loaded now, else as if it were not.
fn key_of(jitted: &Bound<'_, Jitted>, arguments: &[Argument], level: u32, numpy: bool) -> PyResult<String> {
    let py = jitted.py();
    let inner = jitted.get();
    let function = inner.function.bind(py);
    let digest = super::world::portable_digest_of(function)?;
    let numpy = if numpy { making::numpy_version(py)? } else { None };
    // Its second number and what follows change no types.
    let numpy = numpy.as_deref().and_then(|version| version.split('.').next().map(str::to_owned));
    let python = py.version_info();
    Ok(format!(
        "ahead {FORMAT} {} {}.{} {numpy:?} {} {digest:032x} {} {} {arguments:?}",
        env!("CARGO_PKG_VERSION"),
        python.major,
        python.minor,
        function.getattr("__qualname__")?,
        inner.parallel,
        level::NAMES[level as usize - 1],
    ))
}
