//! Stage 2: arrays that are only read stay formulas.
//!
//! An array that is made in one go (a nest of loops stores each element once, or all elements are the same) and is only read afterwards, by
//! elements, views, lengths, whole-array expressions and reductions, is never made: who reads an element computes it. What must hold:
//!
//! - The array, and each variable that is a view of it, is assigned once, and all that reads it follows in the same block (`uses`). It is never
//!   stored into, returned, passed on, multiplied, or seen under other lengths.
//! - The formula of an element cannot fail and draws no random number; so all that raises raises where it did. Scalars that it reads are
//!   kept where they are assigned later; arrays that it reads are not written before the last reader (`clean`).
//! - Readers do not compute more than the array would have (`weight`): numbers that cost next to nothing are computed any number of times; ranges
//!   once for each turn of the loops around the reader; all else once for each element at most, and only by loops that run in blocks too.
//!
//! Lengths and subscripts stay what they were: in the array's place stands one of places (`Layout::Places`), without memory, whose elements are the
//! numbers of their places along an axis; views of it are made, and subscripts checked, as ever. Where a reader's place is plain, it is computed.
//!
//! Conditions in a formula that do not change while a loop runs (is an operand stretched?) are asked before the loop, which has then two
//! versions (`usual`).

mod clean;
mod find;
mod replace;
mod uses;
mod usual;
mod weight;

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Block, Expr, ExprKind, Function, Kind, LoopId, Module, Scalar, Span, Type, Var, Variable};
use crate::walk::{blocks_mut, operands};

/// In one function: what is beyond is made.
const MOST: usize = 200;

/// Rewrites a module in place.
pub fn delay(module: &mut Module) {
    for function in &mut module.functions {
        let mut refused = BTreeSet::new();
        for _ in 0..MOST {
            if !delay_one(function, &mut refused) {
                break;
            }
        }
    }
}

/// Whether an array became a formula; those that cannot are noted.
fn delay_one(function: &mut Function, refused: &mut BTreeSet<Var>) -> bool {
    let census = uses::Census::of(function);
    let mut body = std::mem::take(&mut function.body);
    let mut stage =
        Stage { variables: &mut function.variables, loops: census.loops, census: &census, refused };
    let done = stage.block(&mut body);
    function.body = body;
    done
}

struct Stage<'a> {
    variables: &'a mut Vec<Variable>,
    /// How many numbers of loops are taken.
    loops: u32,
    census: &'a uses::Census,
    refused: &'a mut BTreeSet<Var>,
}

/// An array's elements by their places.
struct Formula {
    array: Var,
    /// The places in `value`, by axis.
    places: Vec<Var>,
    value: Expr,
    /// Assigned behind the array's definition; they cannot fail.
    kept: Vec<(Var, Expr)>,
    /// Where the array is made, and where the last of its elements is, in their block.
    from: usize,
    to: usize,
}

impl Formula {
    /// The arrays whose elements it reads.
    fn reads(&self) -> BTreeSet<Var> {
        let mut found = BTreeSet::new();
        each_expr(&self.value, &mut |expr| {
            if let ExprKind::Load { array, .. } = &*expr.kind {
                found.insert(*array);
            }
        });
        found
    }
}

impl Stage<'_> {
    fn block(&mut self, block: &mut Block) -> bool {
        for at in 0..block.len() {
            if let Some(formula) = self.find(block, at) {
                let array = formula.array;
                match self.derived(block, &formula) {
                    Some(derived) if self.fits(block, &formula, &derived) => {
                        self.replace(block, formula, &derived);
                        return true;
                    }
                    _ => self.refused.insert(array),
                };
            }
            for part in blocks_mut(&mut block[at]) {
                if self.block(part) {
                    return true;
                }
            }
        }
        false
    }

    fn fits(&self, block: &Block, formula: &Formula, derived: &Derived) -> bool {
        let rest = &block[formula.to + 1..];
        self.stays(rest, formula, derived) && weight::pays(rest, formula, derived)
    }

    fn variable(&mut self, ty: Type) -> Var {
        self.variables.push(Variable { name: None, ty });
        Var(self.variables.len() as u32 - 1)
    }

    fn loop_id(&mut self) -> LoopId {
        self.loops += 1;
        LoopId(self.loops - 1)
    }
}

/// The array and its views, and where their elements lie in it.
type Derived = BTreeMap<Var, Vec<Along>>;

/// Where an element of a view lies along an axis of the array.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Along {
    /// At `start + step * place` of this axis of the view; the start where it is known.
    Axis { axis: usize, start: Option<i128>, step: Option<i128> },
    /// At one place.
    Fixed(Option<i128>),
}

/// Nothing, in a type of numbers.
fn zero(ty: Type, span: Span) -> Expr {
    let kind = match ty.scalar().unwrap_or(Scalar::INT).kind {
        Kind::Bool => ExprKind::Bool(false),
        Kind::F32 | Kind::F64 => ExprKind::Float(0.0),
        Kind::C64 | Kind::C128 => ExprKind::Complex(0.0, 0.0),
        _ => ExprKind::Int(0),
    };
    Expr::new(kind, ty, span)
}

/// Calls `with` for an expression and all that it is made of.
fn each_expr(expr: &Expr, with: &mut impl FnMut(&Expr)) {
    with(expr);
    for operand in operands(expr) {
        each_expr(operand, with);
    }
}
