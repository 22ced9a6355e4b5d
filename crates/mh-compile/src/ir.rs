//! The typed, structured IR: what all stages from `lower` on work on. It is one file, as each of them needs all of it.
//!
//! What keeps it true:
//!
//! - Meaning is explicit: both operands of an operation have the type that the operation works in (`Cast` where Python
//!   converts), truth values are `Bool`, chained comparisons and `and`/`or` are `If` expressions.
//! - Expressions change nothing but the random stream. Calls are inlined into `Labelled` blocks (`Leave` is their `return`); only
//!   recursion leaves `Call` statements. Where order matters, values are kept in variables first.
//! - Arrays appear as the right-hand side of `Assign` only as `ExprKind::Var`, `View`, `New`; everywhere else they are variables.
//! - Tuples are gone: a variable for each member.
//! - A subscript is complete: as many indices as the array has dimensions, each `int` (I64); a negative one still counts from the
//!   end (as `Check` says).
//! - What may fail carries a `Check`; `lower` writes `Check::Branch` everywhere, later stages weaken it.

/// Number of a variable in its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

/// Number of a loop, unique in its function; copies that `ranges` makes keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub u32);

/// Target of `Leave`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// Number of a function in its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// A place in the source: `source` is the number in `Module::sources`; lines count from 1 in the file, columns from 0 in UTF-8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Span {
    pub source: u16,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    pub sources: Vec<Source>,
    /// The first is the entry.
    pub functions: Vec<Function>,
    /// Exceptions that the source raises by name or by value; `Raise` counts them.
    pub exceptions: Vec<Exception>,
    /// How the entry's flattened results make up the value that Python gets.
    pub result: Shape,
    /// Where loops stand that array expressions became, and how many operations each does at once: for who explains them.
    pub fused: Vec<(Span, usize)>,
    /// Objects that the module holds as hidden arguments (global and closure arrays), after the entry's own parameters, in order: the
    /// world's numbers.
    pub hidden: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    pub file: String,
    pub function: String,
    /// Line in the file of the first line of `text`.
    pub first_line: u32,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Exception {
    /// Of `builtins`.
    Builtin(String),
    /// An object of the world's: a class of the user's.
    Object(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Shape {
    None,
    /// The next result.
    Value(Type),
    Tuple(Vec<Shape>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub span: Span,
    pub parameters: Vec<Var>,
    pub results: Vec<Type>,
    pub variables: Vec<Variable>,
    pub body: Block,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// As in the source; temporaries have none. Names may be shared: each version of a variable with a type of its own is one.
    pub name: Option<String>,
    pub ty: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    C64,
    C128,
    /// Only in guards and in exact sums.
    I128,
}

/// Whose rules hold: Python's numbers raise where NumPy's wrap or give inf and nan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Flavour {
    /// Only with Bool, I64, F64, C128 (and I128).
    Python,
    NumPy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Scalar {
    pub kind: Kind,
    pub flavour: Flavour,
}

/// What is known of strides when compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Layout {
    /// Row-major without gaps.
    C,
    /// Column-major without gaps.
    F,
    /// The last axis without gaps.
    Inner,
    Any,
    /// Without memory: each element is the number of its place along an axis of the array that these places are of (`Fill::Places`). Ints,
    /// never stored into.
    Places,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Array {
    pub element: Kind,
    pub rank: u8,
    pub layout: Layout,
    pub writable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Type {
    Scalar(Scalar),
    Array(Array),
}

pub type Block = Vec<Statement>;

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    Assign {
        var: Var,
        value: Expr,
    },
    /// `array[indices] = value`, or with `update` `array[indices] = array[indices] op value` with the element read once; `value` has the
    /// element's kind and, with `update`, `op` works in `value`'s type (a `Cast` back to the element's kind is implied).
    Store {
        array: Var,
        indices: Vec<Expr>,
        value: Expr,
        update: Option<Binary>,
        check: Check,
    },
    If {
        condition: Expr,
        then: Block,
        orelse: Block,
    },
    /// `head` runs before each test of the condition.
    While {
        head: Block,
        condition: Expr,
        body: Block,
    },
    For(Box<For>),
    /// Of the innermost `While` or `For`.
    Break,
    Continue,
    /// `call`: where this is an inlined call, the place that called.
    Labelled {
        label: Label,
        body: Block,
        call: Option<Span>,
    },
    /// Ends the enclosing `Labelled` block.
    Leave(Label),
    /// Arrays are variables (`ExprKind::Var`).
    Return(Vec<Expr>),
    Call {
        results: Vec<Var>,
        function: FunctionId,
        arguments: Vec<Expr>,
    },
    /// `values` fill the `{}` of the message in order.
    Raise {
        exception: u32,
        message: Option<String>,
        values: Vec<Expr>,
    },
    Print {
        items: Vec<PrintItem>,
    },
    /// Made by `jam`, the last stage before the text: others do not meet it.
    Lockstep(Box<Lockstep>),
}

/// `for var in range(first, last)`, at most `lanes` iterations and at least one, of which each goes round a loop of its own until it leaves it:
/// those loops go on side by side in the lanes of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Lockstep {
    pub var: Var,
    pub first: Expr,
    pub last: Expr,
    pub lanes: u8,
    /// Else the iterations run one after the other, as `whole` has them; so they do where something fails in a lane (`Check::Flag`).
    pub condition: Expr,
    /// What an iteration does before its loop: gives values to variables and cannot fail.
    pub before: Block,
    /// The loop, `While` or `For`: assignments, conditions, labelled blocks and what leaves them, on numbers alone. A `For` has the same
    /// bounds in each iteration, and the step 1.
    pub inner: Block,
    /// Behind the loops, in the order of the iterations.
    pub after: Block,
    /// What `before` and `inner` give a value that is read behind them.
    pub kept: Vec<Var>,
    /// What `before` hands on from one iteration to the next.
    pub carried: Vec<Var>,
    /// All that an iteration does, as it is written.
    pub whole: Block,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PrintItem {
    Text(String),
    /// A scalar, with a packed format (`format`), or 0 for none.
    Value(Expr, i64),
}

/// `for var in range(start, stop, step)`: the three are evaluated once, before; all `int`. `var` keeps its last value and is unchanged when
/// the loop does not run. `step` 0 raises ValueError (`lower` puts a `Raise` before where it is not a constant).
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    pub id: LoopId,
    pub var: Var,
    pub start: Expr,
    pub stop: Expr,
    pub step: Expr,
    pub body: Block,
    pub parallel: Option<Parallel>,
    /// Made by `ranges`: where the guard holds this runs instead of `body`.
    pub fast: Option<Box<Fast>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// The user has said `unchecked=True`.
    pub unchecked: bool,
    /// Nobody asked for it: a loop of an array expression. Where it cannot be shown to be free of races, or not be run in blocks, it is run
    /// serially without a word.
    pub implicit: bool,
    /// Made by `races`. A `prange` without one after that stage is run serially.
    pub plan: Option<Plan>,
}

/// What becomes of what a parallel loop's body writes. What is in no list is only read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Of one iteration only (arrays made in the body too): each block has its own.
    pub private: Vec<Var>,
    /// Private, and what the last iteration that assigned it left is given back (the loop's own variable is always so).
    pub last: Vec<Var>,
    pub reductions: Vec<Reduction>,
    /// Arrays whose elements are accumulated into: a private copy for each block (begun with the identity), or by destination.
    pub accumulated: Vec<Accumulated>,
    /// Arrays of which iterations overwrite the same elements and none reads them: the last iteration's are given back.
    pub overwritten: Vec<Var>,
    /// Pairs of arrays that must share no memory; else the loop is run serially (and `notice` tells).
    pub distinct: Vec<(Var, Var)>,
    /// `bool`: must all hold at the loop's entry; else the loop is run serially (and `notice` tells).
    pub conditions: Vec<Expr>,
    /// The body holds loops, or calls of functions: see `abi::block_length`.
    pub fine: bool,
    pub length: Length,
    /// The body may end the loop (`Break`): blocks behind the first that did do not count.
    pub leaves: bool,
}

/// What is known of how many iterations a parallel loop has, by who made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    #[default]
    Unknown,
    /// No more than 256 of the shortest blocks have, of which then all but the last are.
    Short,
    /// Mostly more, or the loop seldom runs.
    Long,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    pub var: Var,
    pub kind: ReductionKind,
    /// For the kinds that choose one iteration: the variables that it sets beside (arg-max).
    pub companions: Vec<Var>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReductionKind {
    /// `+=`, `-=` in any mixture. Floats: begun with -0.0, 32 lanes where the body holds no loop; Python integers: exact in I128.
    Sum,
    /// `*=`.
    Product,
    /// The new value is taken where it is less: `if x < m: m = x`, `m = min(m, x)`. Each block begins with the value before the loop; blocks are
    /// combined in order, by the same comparison.
    Less,
    /// The same where `<=`: the last of equals wins.
    LessEqual,
    Greater,
    GreaterEqual,
    /// `np.minimum`, `np.maximum`: nan wins.
    Minimum,
    Maximum,
    /// `&=`, `and`: all of them.
    And,
    Or,
    Xor,
    /// `m = min(x, m)` of floats: the new value is taken unless the old one is less, so nan too, and whatever follows it. Each block begins with
    /// nan, and notes whether it has met one.
    UnlessLess,
    UnlessLessEqual,
    UnlessGreater,
    UnlessGreaterEqual,
    /// Of arrays: elements that are overwritten now and then; the last value stays.
    Latest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Accumulated {
    pub array: Var,
    /// Sum, Product, Less, Greater, Minimum, Maximum, And, Or, Xor, Latest.
    pub kind: ReductionKind,
}

/// A loop's version with fewer checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Fast {
    /// Run at the loop's entry before `condition`; variables of its own, nothing in it can fail.
    pub guard: Block,
    pub condition: Expr,
    /// Made by `sums`, of serial loops only: run before and behind the loop. Nothing in them can fail.
    pub before: Block,
    pub after: Block,
    pub body: Block,
    /// `body` holds `Check::Flag`: when a flag is up after a block (serial loops: after the loop), what `save` lists is restored and the block
    /// runs again with the checked body.
    pub attempt: bool,
    pub save: Vec<Var>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: Box<ExprKind>,
    pub ty: Type,
    pub span: Span,
}

/// How an operation that may fail is seen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Cannot fail (no negative subscript either), or the operation has no failure.
    None,
    /// A subscript that may be negative but is within `-length..length` all the same.
    Wrap,
    /// A branch that raises at once.
    Branch,
    /// A flag is raised and the operation goes on with any value: only inside `Fast::body`, never for subscripts.
    Flag,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    Int(i128),
    /// F32 and F64.
    Float(f64),
    Complex(f64, f64),
    Var(Var),
    Unary {
        op: Unary,
        operand: Expr,
        check: Check,
    },
    Binary {
        op: Binary,
        left: Expr,
        right: Expr,
        check: Check,
    },
    /// To `Bool` of Python's flavour (NumPy's where both sides are NumPy's).
    Compare {
        op: Compare,
        left: Expr,
        right: Expr,
    },
    /// Only the chosen side is evaluated.
    If {
        condition: Expr,
        then: Expr,
        orelse: Expr,
    },
    /// Between scalar types. Float to int truncates (nan and inf raise: `check`); `int` to a narrower NumPy kind raises OverflowError where
    /// it does not fit and is Python's (`check`), else wraps.
    Cast {
        value: Expr,
        check: Check,
    },
    Load {
        array: Var,
        indices: Vec<Expr>,
        check: Check,
    },
    /// Length of an axis: `int`.
    Dim {
        array: Var,
        axis: u8,
    },
    Math {
        function: Math,
        arguments: Vec<Expr>,
        check: Check,
    },
    /// Next numbers of the stream.
    Random {
        draw: Draw,
        arguments: Vec<Expr>,
        check: Check,
    },
    /// A new array; lengths are `int`. A negative length raises ValueError; too much memory MemoryError.
    New {
        lengths: Vec<Expr>,
        fill: Fill,
        check: Check,
    },
    View {
        array: Var,
        parts: Vec<Part>,
        check: Check,
    },
    /// Whether two arrays share no memory (the ranges from their first to their last bytes do not meet): `Bool`. In guards only.
    Disjoint {
        left: Var,
        right: Var,
    },
    /// Whether the array's elements, row by row, are steps of even width along axes of these lengths, of which the product is their number;
    /// without lengths: whether they lie row by row without gaps. `Bool`.
    Foldable {
        array: Var,
        lengths: Option<Vec<Expr>>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    Empty,
    Zero,
    Value(Expr),
    /// Products of the matrices of the last two axes of two other arrays, of floats or complex numbers of the new array's kind and of its rank, and
    /// of lengths that fit; axes before these are of the new array's length or of length 1.
    Product(Var, Var),
    /// No memory: elements are the numbers of their places along this axis (`Layout::Places`).
    Places(u8),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// One index: the axis goes. Checked as subscripts are.
    Index(Expr),
    /// A slice with Python's clipping; absent bounds are `None`; `step` 0 raises.
    Slice {
        start: Option<Expr>,
        stop: Option<Expr>,
        step: Option<Expr>,
    },
    NewAxis,
    /// The array's axis of this number, whole (transposes; all parts are `Axis` then).
    Axis(u8),
    /// A length of the view (another shape; all parts are `Length` then): the elements row by row, as many as the array has, where the array
    /// is dense or `Foldable` so.
    Length(Expr),
    /// Of each element of a complex array (alone): that part, as an element of a float array.
    Real,
    Imag,
    /// Where the first two axes have one index (alone): they become one axis, as long as the shorter of them, behind the others.
    Diagonal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    Negative,
    /// `~`.
    Invert,
    /// `not`; of a `Bool`.
    Not,
    Absolute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    /// `/`: of floats and complex numbers only.
    Divide,
    FloorDivide,
    Modulo,
    Power,
    LeftShift,
    RightShift,
    And,
    Or,
    Xor,
    /// Python's `min(a, b)`: `b` where `b < a`, else `a`.
    Min,
    Max,
    /// NumPy's: nan wins.
    Minimum,
    Maximum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Functions of floats (F64, some F32) or complex numbers. Python's flavour raises (`math`), NumPy's gives nan and inf (`np`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Math {
    Sqrt,
    Cbrt,
    Exp,
    Exp2,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Sin,
    Cos,
    Tan,
    /// The same where |x| < 2^40, at a third of the cost in vectors; elsewhere any value, and the flag goes up: only with `Check::Flag`.
    SinNear,
    CosNear,
    TanNear,
    Asin,
    Acos,
    Atan,
    Atan2,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Pow,
    Hypot,
    Fmod,
    Remainder,
    Erf,
    Erfc,
    Gamma,
    LogGamma,
    /// To float; `Cast` makes an int of it.
    Floor,
    Ceil,
    Trunc,
    /// Halves to even.
    RoundEven,
    CopySign,
    NextAfter,
    Fma,
    /// First argument float, second int.
    Ldexp,
    /// To `Bool`.
    IsNan,
    IsInf,
    IsFinite,
    SignBit,
    /// -1, 0, 1 or nan.
    Sign,
    /// Of complex numbers: to float.
    Real,
    Imag,
    Phase,
    /// Complex to complex.
    Conjugate,
    /// Makes a complex number of two floats.
    Complex,
    /// Of ints.
    Gcd,
    PopCount,
}

/// Distributions, parameters as NumPy has them; arguments and results are F64 unless said (ints are `int`). What they must satisfy, and what
/// `check` raises: `random`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Draw {
    /// In [0, 1).
    Unit,
    /// (low, high).
    Uniform,
    /// (mean, deviation).
    Normal,
    /// (scale).
    Exponential,
    /// (low, high): ints, `low <= x < high`; an int.
    Integers,
    /// (shape, scale).
    Gamma,
    /// (a, b).
    Beta,
    /// (mean): an int.
    Poisson,
    /// (int n, p): an int.
    Binomial,
    /// (p): an int from 1 on.
    Geometric,
    /// (mean, deviation) of the logarithm.
    LogNormal,
    /// (location, scale).
    Laplace,
    /// (location, scale).
    Logistic,
    /// (location, scale).
    Gumbel,
    /// (shape), of scale 1.
    Weibull,
    /// (shape): NumPy's, which begins at 0 (Python's begins at 1).
    Pareto,
    /// (scale).
    Rayleigh,
    /// (left, mode, right).
    Triangular,
    /// (mode, kappa): in [-pi, pi].
    VonMises,
    /// (degrees of freedom).
    ChiSquare,
    /// (degrees of freedom).
    StandardT,
    /// ().
    StandardCauchy,
}

impl ReductionKind {
    /// Whether the new value is taken unless the old one compares so: nan is taken.
    #[must_use]
    pub const fn takes_nan(self) -> bool {
        matches!(
            self,
            Self::UnlessLess | Self::UnlessLessEqual | Self::UnlessGreater | Self::UnlessGreaterEqual
        )
    }
}

impl Kind {
    /// As NumPy calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::C64 => "complex64",
            Self::C128 => "complex128",
            Self::I128 => "int128",
        }
    }

    /// Bytes of one in memory.
    #[must_use]
    pub const fn size(self) -> i64 {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 | Self::C64 => 8,
            Self::C128 | Self::I128 => 16,
        }
    }

    #[must_use]
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I128)
    }

    #[must_use]
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32 | Self::U64)
    }

    #[must_use]
    pub const fn is_integer(self) -> bool {
        self.is_signed() || self.is_unsigned()
    }

    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    #[must_use]
    pub const fn is_complex(self) -> bool {
        matches!(self, Self::C64 | Self::C128)
    }
}

impl Scalar {
    pub const BOOL: Self = Self::python(Kind::Bool);
    pub const INT: Self = Self::python(Kind::I64);
    pub const FLOAT: Self = Self::python(Kind::F64);
    pub const COMPLEX: Self = Self::python(Kind::C128);

    #[must_use]
    pub const fn python(kind: Kind) -> Self {
        Self { kind, flavour: Flavour::Python }
    }

    #[must_use]
    pub const fn numpy(kind: Kind) -> Self {
        Self { kind, flavour: Flavour::NumPy }
    }
}

impl Array {
    /// Whether the elements lie row by row without gaps, whatever the lengths.
    #[must_use]
    pub const fn is_dense(self) -> bool {
        match self.rank {
            0 => true,
            1 => !matches!(self.layout, Layout::Any | Layout::Places),
            _ => matches!(self.layout, Layout::C),
        }
    }
}

impl Type {
    pub const BOOL: Self = Self::Scalar(Scalar::BOOL);
    pub const INT: Self = Self::Scalar(Scalar::INT);
    pub const FLOAT: Self = Self::Scalar(Scalar::FLOAT);

    #[must_use]
    pub const fn scalar(self) -> Option<Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            Self::Array(_) => None,
        }
    }

    #[must_use]
    pub const fn array(self) -> Option<Array> {
        match self {
            Self::Array(array) => Some(array),
            Self::Scalar(_) => None,
        }
    }

    /// Slots in a kernel's frame.
    #[must_use]
    pub const fn slots(self) -> usize {
        match self {
            Self::Scalar(Scalar { kind: Kind::C64 | Kind::C128, .. }) => 2,
            Self::Scalar(_) => 1,
            Self::Array(array) => 2 + 2 * array.rank as usize,
        }
    }
}

impl Statement {
    #[must_use]
    pub fn assign(var: Var, value: Expr, span: Span) -> Self {
        Self { kind: StatementKind::Assign { var, value }, span }
    }
}

impl Expr {
    #[must_use]
    pub fn new(kind: ExprKind, ty: Type, span: Span) -> Self {
        Self { kind: Box::new(kind), ty, span }
    }

    #[must_use]
    pub fn compare(op: Compare, left: Self, right: Self) -> Self {
        let span = left.span;
        Self::new(ExprKind::Compare { op, left, right }, Type::BOOL, span)
    }

    /// Both of two truth values; the second is evaluated in any case.
    #[must_use]
    pub fn both(left: Self, right: Self) -> Self {
        let span = left.span;
        Self::new(ExprKind::Binary { op: Binary::And, left, right, check: Check::None }, Type::BOOL, span)
    }
}
