//! What the compiler asks of Python, through the binding: the values of names, attributes of objects, sources of functions.

use crate::ast;
use crate::ir::{Array, Source};

/// Answers about objects that are numbered by whoever answers.
///
/// Every question that is asked is noted by the binding: the answers are what compiled code leans on (frozen values) and what guards
/// it when they change.
pub trait World {
    /// A name that is not local in `scope` (a function's number): closure, globals, builtins.
    fn name(&mut self, scope: u32, name: &str) -> Found;
    /// An attribute of a module or of another object that was found before.
    fn attribute(&mut self, object: u32, name: &str) -> Found;
    /// The source of a plain or jitted function.
    ///
    /// # Errors
    /// Says why it cannot be had, in a sentence for the user.
    fn function(&mut self, object: u32) -> Result<Code, String>;
    /// A function that is written in Python for what the compiler does not know itself (`numpy.sort`): its number.
    fn library(&mut self, name: &str) -> Option<u32> {
        let _ = name;
        None
    }
    /// Names of the arguments that a function of NumPy's takes, in order, those by keyword only with `*` before them; none where that is
    /// not known.
    fn parameters(&mut self, name: &str) -> Vec<String> {
        let _ = name;
        Vec::new()
    }
    /// What a module is called in messages.
    fn module(&mut self, object: u32) -> String {
        let _ = object;
        "module".into()
    }
}

/// What a name or an attribute stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// NameError or AttributeError.
    Missing,
    None,
    Bool(bool),
    /// A Python int that fits 64 bits.
    Int(i64),
    /// A Python int that fits 128 bits; greater ones are `Refused`.
    Wide(i128),
    Float(f64),
    Complex(f64, f64),
    Str(String),
    /// A scalar of NumPy's: its kind, as the Python number that it equals (`Int`, `Float`, `Complex`, `Bool`; `Wide` for
    /// unsigned 64-bit ones above the int range).
    NumPy(crate::ir::Kind, Box<Found>),
    Tuple(Vec<Found>),
    /// `slice(start, stop, step)`: each an `Int` or `None`.
    Slice(Box<[Found; 3]>),
    /// Something that the compiler knows, by its canonical name: `builtins.len`, `math.exp`, `cmath.exp`, `numpy.zeros`,
    /// `numpy.random.uniform`, `random.random`, `manyhands.prange`, `numpy.float64` (types too), `builtins.ValueError`.
    Known(String),
    /// A module or namespace whose attributes can be asked for.
    Module(u32),
    /// A function that can be compiled through.
    Function(u32),
    /// A class of exceptions of the user's.
    Exception(u32),
    /// An array in a global or closure: a hidden argument, by number.
    Array(u32, Array),
    /// Cannot be used in compiled code: what it is and what to do, in a sentence.
    Refused(String),
}

/// A function's source.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// For `World::name`.
    pub scope: u32,
    pub source: Source,
    /// A `FunctionDef` or a `Lambda`.
    pub tree: ast::Function,
    /// Values of defaults, positional then by keyword: by the parameter's name.
    pub defaults: Vec<(String, Found)>,
}
