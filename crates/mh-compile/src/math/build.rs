//! A builder of LLVM text in which formulas read as formulas.
//!
//! `Float` (double), `Int` (i64) and `Bit` (i1) are handles of values in a `Body`; their operators append instructions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// The instructions of one function, in order, and the intrinsics that they call.
#[derive(Default)]
pub struct Body {
    text: RefCell<String>,
    next: Cell<u32>,
    /// Label of the block that is being written; the first has the name `entry`.
    block: Cell<u32>,
    declarations: RefCell<BTreeSet<String>>,
}

#[derive(Clone, Copy)]
enum At {
    Value(u32),
    Argument(u8),
    Float(f64),
    Int(i64),
}

impl At {
    fn text(self) -> String {
        match self {
            Self::Value(number) => format!("%v{number}"),
            Self::Argument(number) => format!("%a{number}"),
            Self::Float(value) => literal(value),
            Self::Int(value) => value.to_string(),
        }
    }
}

/// A double as LLVM writes it without loss.
pub fn literal(value: f64) -> String {
    format!("0x{:016X}", value.to_bits())
}

#[derive(Clone, Copy)]
pub struct Float<'b>(&'b Body, At);
#[derive(Clone, Copy)]
pub struct Int<'b>(&'b Body, At);
#[derive(Clone, Copy)]
pub struct Bit<'b>(&'b Body, At);

/// An unevaluated sum of two floats: `high` is the sum rounded.
#[derive(Clone, Copy)]
pub struct Pair<'b> {
    pub high: Float<'b>,
    pub low: Float<'b>,
}

/// What may stand where a `Float` is wanted.
pub trait Real<'b> {
    fn float(self, body: &'b Body) -> Float<'b>;
}
/// What may stand where an `Int` is wanted.
pub trait Whole<'b> {
    fn int(self, body: &'b Body) -> Int<'b>;
}

impl<'b> Real<'b> for Float<'b> {
    fn float(self, _: &'b Body) -> Self {
        self
    }
}
impl<'b> Real<'b> for f64 {
    fn float(self, body: &'b Body) -> Float<'b> {
        Float(body, At::Float(self))
    }
}
impl<'b> Whole<'b> for Int<'b> {
    fn int(self, _: &'b Body) -> Self {
        self
    }
}
impl<'b> Whole<'b> for i64 {
    fn int(self, body: &'b Body) -> Int<'b> {
        Int(body, At::Int(self))
    }
}

impl Body {
    pub fn argument(&self, number: u8) -> Float<'_> {
        Float(self, At::Argument(number))
    }

    pub fn int_argument(&self, number: u8) -> Int<'_> {
        Int(self, At::Argument(number))
    }

    pub fn constant(&self, value: f64) -> Float<'_> {
        value.float(self)
    }

    pub fn int(&self, value: i64) -> Int<'_> {
        value.int(self)
    }

    /// The whole number that an instruction given as text makes.
    pub fn instruction(&self, text: &str) -> Int<'_> {
        Int(self, self.push(format_args!("{text}")))
    }

    /// The i64 at an address that `instruction` made.
    pub fn load<'b>(&'b self, address: Int<'b>) -> Int<'b> {
        Int(self, self.push(format_args!("load i64, ptr {}", address.1.text())))
    }

    /// Number `index`, which must be within, of a table in the text.
    pub fn look_up<'b>(&'b self, table: &str, length: usize, index: Int<'b>) -> Int<'b> {
        let address = self.push(format_args!(
            "getelementptr inbounds [{length} x i64], ptr @{table}, i64 0, i64 {}",
            index.1.text()
        ));
        Int(self, self.push(format_args!("load i64, ptr {}", address.text())))
    }

    /// Member `index` of a structure of two i64.
    pub fn member<'b>(&'b self, structure: Int<'b>, index: u8) -> Int<'b> {
        Int(self, self.push(format_args!("extractvalue {{ i64, i64 }} {}, {index}", structure.1.text())))
    }

    /// Appends `%v = instruction`.
    fn push(&self, instruction: std::fmt::Arguments<'_>) -> At {
        let number = self.next.get();
        self.next.set(number + 1);
        writeln!(self.text.borrow_mut(), "  %v{number} = {instruction}").expect("a string takes all text");
        At::Value(number)
    }

    fn line(&self, text: std::fmt::Arguments<'_>) {
        writeln!(self.text.borrow_mut(), "{text}").expect("a string takes all text");
    }

    fn declare(&self, declaration: String) {
        self.declarations.borrow_mut().insert(declaration);
    }

    /// Where `condition` holds, which is seldom, the values that `rare` computes; else `usual`.
    pub fn seldom<'b, const N: usize>(
        &'b self,
        condition: Bit<'b>,
        usual: [Float<'b>; N],
        rare: impl FnOnce() -> [Float<'b>; N],
    ) -> [Float<'b>; N] {
        let label = |number: u32| if number == 0 { "entry".to_owned() } else { format!("b{number}") };
        let before = self.block.get();
        let (then, after) = (self.next.get() + 1, self.next.get() + 2);
        self.next.set(self.next.get() + 3);
        self.line(format_args!("  br i1 {}, label %b{then}, label %b{after}", condition.1.text()));
        self.line(format_args!("b{then}:"));
        self.block.set(then);
        let values = rare();
        let last = self.block.get();
        self.line(format_args!("  br label %b{after}"));
        self.line(format_args!("b{after}:"));
        self.block.set(after);
        let mut merged = usual;
        for ((merged, usual), value) in merged.iter_mut().zip(usual).zip(values) {
            merged.1 = self.push(format_args!(
                "phi double [ {}, %{} ], [ {}, %{} ]",
                usual.1.text(),
                label(before),
                value.1.text(),
                label(last)
            ));
        }
        merged
    }

    /// The function's text: `results` are returned, several as a structure.
    pub fn finish(&self, name: &str, parameters: &[&str], results: &[Operand<'_>]) -> String {
        self.finish_with(name, parameters, results, ATTRIBUTES)
    }

    pub fn finish_with(
        &self,
        name: &str,
        parameters: &[&str],
        results: &[Operand<'_>],
        attributes: &str,
    ) -> String {
        let mut text = String::new();
        let ty = match results {
            [one] => one.ty().to_owned(),
            many => format!("{{ {} }}", many.iter().map(|r| r.ty()).collect::<Vec<_>>().join(", ")),
        };
        let list: Vec<String> = parameters.iter().enumerate().map(|(i, ty)| format!("{ty} %a{i}")).collect();
        write!(text, "define internal {ty} @{name}({}) {attributes} {{\nentry:\n", list.join(", "))
            .expect("a string takes all text");
        let mut value = results.first().map_or_else(String::new, |r| r.text());
        if results.len() > 1 {
            value = "undef".to_owned();
            for (i, result) in results.iter().enumerate() {
                let at = self.push(format_args!(
                    "insertvalue {ty} {value}, {} {}, {i}",
                    result.ty(),
                    result.text()
                ));
                value = at.text();
            }
        }
        text.push_str(&self.text.borrow());
        write!(text, "  ret {ty} {value}\n}}\n").expect("a string takes all text");
        text
    }

    pub fn declarations(&self) -> BTreeSet<String> {
        self.declarations.borrow().clone()
    }
}

/// Of every function here: no memory, always ends.
pub const ATTRIBUTES: &str = "alwaysinline nounwind willreturn memory(none)";

/// A result of a function.
pub enum Operand<'b> {
    Float(Float<'b>),
    Int(Int<'b>),
    Bit(Bit<'b>),
}

impl Operand<'_> {
    fn ty(&self) -> &'static str {
        match self {
            Self::Float(_) => "double",
            Self::Int(_) => "i64",
            Self::Bit(_) => "i1",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Float(value) => value.1.text(),
            Self::Int(value) => value.1.text(),
            Self::Bit(value) => value.1.text(),
        }
    }
}

impl<'b> From<Float<'b>> for Operand<'b> {
    fn from(value: Float<'b>) -> Self {
        Self::Float(value)
    }
}
impl<'b> From<Int<'b>> for Operand<'b> {
    fn from(value: Int<'b>) -> Self {
        Self::Int(value)
    }
}
impl<'b> From<Bit<'b>> for Operand<'b> {
    fn from(value: Bit<'b>) -> Self {
        Self::Bit(value)
    }
}

macro_rules! float_operator {
    ($trait:ident, $method:ident, $instruction:literal) => {
        impl<'b, T: Real<'b>> $trait<T> for Float<'b> {
            type Output = Float<'b>;
            fn $method(self, right: T) -> Float<'b> {
                let right = right.float(self.0);
                let text =
                    format_args!(concat!($instruction, " double {}, {}"), self.1.text(), right.1.text());
                Float(self.0, self.0.push(text))
            }
        }
        impl<'b> $trait<Float<'b>> for f64 {
            type Output = Float<'b>;
            fn $method(self, right: Float<'b>) -> Float<'b> {
                $trait::$method(self.float(right.0), right)
            }
        }
    };
}
float_operator!(Add, add, "fadd");
float_operator!(Sub, sub, "fsub");
float_operator!(Mul, mul, "fmul");
float_operator!(Div, div, "fdiv");

impl<'b> Neg for Float<'b> {
    type Output = Float<'b>;
    fn neg(self) -> Float<'b> {
        Float(self.0, self.0.push(format_args!("fneg double {}", self.1.text())))
    }
}

macro_rules! int_operator {
    ($trait:ident, $method:ident, $instruction:literal) => {
        impl<'b, T: Whole<'b>> $trait<T> for Int<'b> {
            type Output = Int<'b>;
            fn $method(self, right: T) -> Int<'b> {
                let right = right.int(self.0);
                let text = format_args!(concat!($instruction, " i64 {}, {}"), self.1.text(), right.1.text());
                Int(self.0, self.0.push(text))
            }
        }
    };
}
int_operator!(Add, add, "add");
int_operator!(Sub, sub, "sub");
int_operator!(Mul, mul, "mul");
int_operator!(BitAnd, bitand, "and");
int_operator!(BitOr, bitor, "or");
int_operator!(BitXor, bitxor, "xor");

macro_rules! bit_operator {
    ($trait:ident, $method:ident, $instruction:literal) => {
        impl<'b> $trait for Bit<'b> {
            type Output = Bit<'b>;
            fn $method(self, right: Bit<'b>) -> Bit<'b> {
                let text = format_args!(concat!($instruction, " i1 {}, {}"), self.1.text(), right.1.text());
                Bit(self.0, self.0.push(text))
            }
        }
    };
}
bit_operator!(BitAnd, bitand, "and");
bit_operator!(BitOr, bitor, "or");
bit_operator!(BitXor, bitxor, "xor");

impl<'b> Not for Bit<'b> {
    type Output = Bit<'b>;
    fn not(self) -> Bit<'b> {
        Bit(self.0, self.0.push(format_args!("xor i1 {}, true", self.1.text())))
    }
}

macro_rules! float_unary {
    ($($name:ident $intrinsic:literal),*) => {$(
        pub fn $name(self) -> Float<'b> {
            self.0.declare(concat!("declare double @llvm.", $intrinsic, ".f64(double)").to_owned());
            let text = format_args!(concat!("call double @llvm.", $intrinsic, ".f64(double {})"), self.1.text());
            Float(self.0, self.0.push(text))
        }
    )*};
}
macro_rules! float_compare {
    ($($name:ident $predicate:literal),*) => {$(
        pub fn $name(self, right: impl Real<'b>) -> Bit<'b> {
            let right = right.float(self.0);
            let text = format_args!(concat!("fcmp ", $predicate, " double {}, {}"), self.1.text(), right.1.text());
            Bit(self.0, self.0.push(text))
        }
    )*};
}
macro_rules! int_compare {
    ($($name:ident $predicate:literal),*) => {$(
        pub fn $name(self, right: impl Whole<'b>) -> Bit<'b> {
            let right = right.int(self.0);
            let text = format_args!(concat!("icmp ", $predicate, " i64 {}, {}"), self.1.text(), right.1.text());
            Bit(self.0, self.0.push(text))
        }
    )*};
}

impl<'b> Float<'b> {
    pub fn body(self) -> &'b Body {
        self.0
    }

    float_unary!(abs "fabs", sqrt "sqrt", floor "floor", ceil "ceil", trunc "trunc", rint "rint");
    float_compare!(lt "olt", le "ole", gt "ogt", ge "oge", eq "oeq", ne "une");

    /// `self * factor + term`, rounded once.
    pub fn fma(self, factor: impl Real<'b>, term: impl Real<'b>) -> Float<'b> {
        let (factor, term) = (factor.float(self.0), term.float(self.0));
        self.0.declare("declare double @llvm.fma.f64(double, double, double)".to_owned());
        let text = format_args!(
            "call double @llvm.fma.f64(double {}, double {}, double {})",
            self.1.text(),
            factor.1.text(),
            term.1.text()
        );
        Float(self.0, self.0.push(text))
    }

    /// Magnitude of `self`, sign of `sign`.
    pub fn copysign(self, sign: impl Real<'b>) -> Float<'b> {
        let sign = sign.float(self.0);
        self.0.declare("declare double @llvm.copysign.f64(double, double)".to_owned());
        let text = format_args!(
            "call double @llvm.copysign.f64(double {}, double {})",
            self.1.text(),
            sign.1.text()
        );
        Float(self.0, self.0.push(text))
    }

    /// Changes sign where the sign bit of `other` is set.
    pub fn flip(self, other: Float<'b>) -> Float<'b> {
        (self.bits() ^ (other.bits() & i64::MIN)).float()
    }

    /// C's fmod.
    pub fn rem(self, right: Float<'b>) -> Float<'b> {
        Float(self.0, self.0.push(format_args!("frem double {}, {}", self.1.text(), right.1.text())))
    }

    pub fn is_nan(self) -> Bit<'b> {
        Bit(self.0, self.0.push(format_args!("fcmp uno double {}, {}", self.1.text(), self.1.text())))
    }

    pub fn bits(self) -> Int<'b> {
        Int(self.0, self.0.push(format_args!("bitcast double {} to i64", self.1.text())))
    }

    /// The whole number in a float of magnitude below 2^51, as AVX2 can do it: adding 1.5 * 2^52 leaves it in the low bits.
    pub fn small_int(self) -> Int<'b> {
        (self + SHIFTER).bits() - SHIFTER.to_bits() as i64
    }

    /// `fptosi`; must fit.
    pub fn to_int(self) -> Int<'b> {
        Int(self.0, self.0.push(format_args!("fptosi double {} to i64", self.1.text())))
    }

    /// Polynomial in `self`; coefficients from the constant one on. Horner's form in steps of two: short chains, and the last steps, which
    /// count, are plain Horner steps.
    pub fn polynomial(self, coefficients: &[f64]) -> Float<'b> {
        let square = if coefficients.len() > 3 { Some(self * self) } else { None };
        let (head, tail) = coefficients.split_at(coefficients.len().min(2));
        let Some(square) = square else { return self.horner(coefficients) };
        let mut pairs = tail.chunks(2).rev();
        let mut sum = self.pair(pairs.next().unwrap_or(&[]));
        for pair in pairs {
            sum = sum.fma(square, self.pair(pair));
        }
        sum.fma(self, head[1]).fma(self, head[0])
    }

    fn pair(self, coefficients: &[f64]) -> Float<'b> {
        match coefficients {
            [constant, linear] => self.fma(*linear, *constant),
            [constant] => constant.float(self.0),
            _ => 0.0.float(self.0),
        }
    }

    pub fn horner(self, coefficients: &[f64]) -> Float<'b> {
        let mut terms = coefficients.iter().rev();
        let mut sum = terms.next().copied().unwrap_or(0.0).float(self.0);
        for &term in terms {
            sum = sum.fma(self, term);
        }
        sum
    }

    pub fn with(self, low: impl Real<'b>) -> Pair<'b> {
        Pair { high: self, low: low.float(self.0) }
    }

    /// Exact sum (Knuth).
    pub fn exact_sum(self, other: impl Real<'b>) -> Pair<'b> {
        let other = other.float(self.0);
        let high = self + other;
        let part = high - self;
        Pair { high, low: (self - (high - part)) + (other - part) }
    }

    /// Exact sum where `self` has the larger magnitude or is zero (Dekker).
    pub fn ordered_sum(self, other: impl Real<'b>) -> Pair<'b> {
        let other = other.float(self.0);
        let high = self + other;
        Pair { high, low: other - (high - self) }
    }

    pub fn exact_product(self, other: impl Real<'b>) -> Pair<'b> {
        let other = other.float(self.0);
        let high = self * other;
        Pair { high, low: self.fma(other, -high) }
    }
}

impl<'b> Pair<'b> {
    pub fn sum(self) -> Float<'b> {
        self.high + self.low
    }

    pub fn negate(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }

    /// Both parts times a power of two.
    pub fn scale(self, factor: impl Real<'b> + Copy) -> Self {
        Self { high: self.high * factor, low: self.low * factor }
    }

    /// Rounded so that `high` is the sum; `high` has the larger magnitude.
    pub fn normal(self) -> Self {
        self.high.ordered_sum(self.low)
    }

    pub fn add(self, other: Self) -> Self {
        let high = self.high.exact_sum(other.high);
        let low = self.low.exact_sum(other.low);
        let first = high.high.ordered_sum(high.low + low.high);
        first.high.ordered_sum(first.low + low.low)
    }

    pub fn multiply(self, other: Self) -> Self {
        let product = self.high.exact_product(other.high);
        let cross = self.low.fma(other.high, self.high * other.low);
        product.high.ordered_sum(product.low + cross)
    }

    pub fn divide(self, other: Self) -> Self {
        let inverse = 1.0 / other.high;
        let quotient = self.high * inverse;
        let rest = (-quotient).fma(other.high, self.high) + (-quotient).fma(other.low, self.low);
        quotient.ordered_sum(rest * inverse)
    }

    /// Square root; `high` is positive.
    pub fn sqrt(self) -> Self {
        let root = self.high.sqrt();
        let rest = (-root).fma(root, self.high) + self.low;
        root.ordered_sum(rest / (root + root))
    }
}

impl<'b> Int<'b> {
    int_compare!(equal "eq", differs "ne", less "slt", below "ult", above "ugt");

    pub fn shift_left(self, by: impl Whole<'b>) -> Int<'b> {
        let by = by.int(self.0);
        Int(self.0, self.0.push(format_args!("shl i64 {}, {}", self.1.text(), by.1.text())))
    }

    pub fn shift_right(self, by: impl Whole<'b>) -> Int<'b> {
        let by = by.int(self.0);
        Int(self.0, self.0.push(format_args!("lshr i64 {}, {}", self.1.text(), by.1.text())))
    }

    pub fn float(self) -> Float<'b> {
        Float(self.0, self.0.push(format_args!("bitcast i64 {} to double", self.1.text())))
    }

    /// To a float, of magnitude below 2^51, as AVX2 can do it.
    pub fn small_float(self) -> Float<'b> {
        (self + SHIFTER.to_bits() as i64).float() - SHIFTER
    }

    /// How many bits are set.
    pub fn ones(self) -> Int<'b> {
        self.0.declare("declare i64 @llvm.ctpop.i64(i64)".to_owned());
        Int(self.0, self.0.push(format_args!("call i64 @llvm.ctpop.i64(i64 {})", self.1.text())))
    }

    /// Rounded; `self` without sign.
    pub fn unsigned_float(self) -> Float<'b> {
        Float(self.0, self.0.push(format_args!("uitofp i64 {} to double", self.1.text())))
    }

    /// The upper half of `self` and `next`, shifted left by `by` modulo 64.
    pub fn funnel(self, next: Int<'b>, by: Int<'b>) -> Int<'b> {
        self.0.declare("declare i64 @llvm.fshl.i64(i64, i64, i64)".to_owned());
        let text = format_args!(
            "call i64 @llvm.fshl.i64(i64 {}, i64 {}, i64 {})",
            self.1.text(),
            next.1.text(),
            by.1.text()
        );
        Int(self.0, self.0.push(text))
    }

    /// The 128 bits of a product without signs as halves, by parts of 32 bits, which vectorise.
    pub fn wide_product(self, other: Int<'b>) -> (Int<'b>, Int<'b>) {
        let low = |x: Int<'b>| x & 0xFFFF_FFFF;
        let high = |x: Int<'b>| x.shift_right(32);
        let (a, b) = (self, other);
        let (ll, lh, hl, hh) = (low(a) * low(b), low(a) * high(b), high(a) * low(b), high(a) * high(b));
        let middle = high(ll) + low(lh) + low(hl);
        (hh + high(lh) + high(hl) + high(middle), middle.shift_left(32) | low(ll))
    }

    /// 2 to the power `self`, within the normal numbers.
    pub fn power_of_two(self) -> Float<'b> {
        (self + 1023).shift_left(52).float()
    }
}

impl<'b> Bit<'b> {
    pub fn pick(self, yes: impl Real<'b>, no: impl Real<'b>) -> Float<'b> {
        let (yes, no) = (yes.float(self.0), no.float(self.0));
        let text =
            format_args!("select i1 {}, double {}, double {}", self.1.text(), yes.1.text(), no.1.text());
        Float(self.0, self.0.push(text))
    }

    pub fn pick_pair(self, yes: Pair<'b>, no: Pair<'b>) -> Pair<'b> {
        Pair { high: self.pick(yes.high, no.high), low: self.pick(yes.low, no.low) }
    }

    pub fn pick_int(self, yes: impl Whole<'b>, no: impl Whole<'b>) -> Int<'b> {
        let (yes, no) = (yes.int(self.0), no.int(self.0));
        let text = format_args!("select i1 {}, i64 {}, i64 {}", self.1.text(), yes.1.text(), no.1.text());
        Int(self.0, self.0.push(text))
    }
}

/// 1.5 * 2^52.
pub const SHIFTER: f64 = 6_755_399_441_055_744.0;
