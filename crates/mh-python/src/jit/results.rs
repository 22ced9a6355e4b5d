//! Results of a kernel, as Python's objects.

use mh_compile::ir::{Flavour, Kind, Scalar, Shape, Type};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyTuple};

use crate::ffi::kernel::Results;
use crate::ffi::numpy::NumPy;

/// The value that the next results make up.
pub fn build<'py>(
    py: Python<'py>,
    shape: &Shape,
    results: &mut Results<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    match shape {
        Shape::None => Ok(py.None().into_bound(py)),
        Shape::Tuple(members) => {
            // All of them, whatever becomes of one: each memory is to be let go of.
            let members: Vec<_> = members.iter().map(|member| build(py, member, results)).collect();
            Ok(PyTuple::new(py, members.into_iter().collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        Shape::Value(Type::Scalar(of)) => {
            let low = results.word();
            let high = if of.kind.is_complex() { results.word() } else { 0 };
            scalar(py, *of, [low, high])
        }
        Shape::Value(Type::Array(array)) => results.array(py, *array),
    }
}

/// Slots of all results.
pub fn slots_of(shape: &Shape) -> usize {
    match shape {
        Shape::None => 0,
        Shape::Value(of) => of.slots(),
        Shape::Tuple(members) => members.iter().map(slots_of).sum(),
    }
}

/// A number.
pub fn scalar(py: Python<'_>, of: Scalar, slots: [u64; 2]) -> PyResult<Bound<'_, PyAny>> {
    if of.flavour == Flavour::NumPy {
        return NumPy::imported(py)?.make_scalar(py, of.kind, slots);
    }
    Ok(match of.kind {
        Kind::Bool => PyBool::new(py, slots[0] != 0).to_owned().into_any(),
        Kind::F32 => PyFloat::new(py, f64::from(f32::from_bits(slots[0] as u32))).into_any(),
        Kind::F64 => PyFloat::new(py, f64::from_bits(slots[0])).into_any(),
        Kind::C64 | Kind::C128 => {
            PyComplex::from_doubles(py, f64::from_bits(slots[0]), f64::from_bits(slots[1])).into_any()
        }
        _ => PyInt::new(py, slots[0] as i64).into_any(),
    })
}
