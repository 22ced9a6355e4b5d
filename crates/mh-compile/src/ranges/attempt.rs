//! Whether a loop may be run with flags instead of branches, and again with branches when a flag is up.

use std::collections::BTreeSet;

use super::loops::{Nest, walk};
use crate::ir::{
    Block, Check, Expr, ExprKind, Fill, For, Kind, Math, Statement, StatementKind, Type, Var, Variable,
};
use crate::walk::expressions;

/// What a region touches.
#[derive(Default)]
struct Touched {
    loaded: BTreeSet<Var>,
    stored: BTreeSet<Var>,
    /// New in each run of the region.
    made: BTreeSet<Var>,
    /// Views and other names of arrays: what they may stand for.
    renamed: bool,
    assigned: BTreeSet<Var>,
    /// Something that cannot be done twice, or whose end is not certain while values are wrong.
    once: bool,
}

/// What an attempt at a loop needs.
pub struct Attempt {
    /// Scalars to restore before the loop runs again.
    pub save: Vec<Var>,
    /// Arrays that must share no memory.
    pub distinct: Vec<(Var, Var)>,
}

/// `None` where the loop cannot be run twice.
pub fn plan(each: &For, nest: &Nest, variables: &[Variable]) -> Option<Attempt> {
    let mut touched = Touched::default();
    touched.block(&each.body);
    if touched.once || touched.renamed {
        return None;
    }
    // A scratch array must be new in each run, not the one of an iteration before.
    let made: BTreeSet<Var> =
        touched.made.iter().copied().filter(|array| !nest.exposed.contains(array)).collect();
    let stored: Vec<Var> = touched.stored.difference(&made).copied().collect();
    let loaded: Vec<Var> = touched.loaded.difference(&made).copied().collect();
    if stored.iter().any(|array| loaded.contains(array) || touched.assigned.contains(array)) {
        return None;
    }
    if touched.assigned.iter().any(|var| is_array(*var, variables) && !made.contains(var)) {
        return None;
    }
    let distinct = stored.iter().flat_map(|left| loaded.iter().map(move |right| (*left, *right))).collect();
    let save =
        touched.assigned.iter().copied().filter(|var| !is_array(*var, variables)).chain([each.var]).collect();
    Some(Attempt { save, distinct })
}

fn is_array(var: Var, variables: &[Variable]) -> bool {
    variables.get(var.0 as usize).is_none_or(|variable| matches!(variable.ty, Type::Array(_)))
}

impl Touched {
    fn block(&mut self, block: &Block) {
        block.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Statement) {
        for expr in expressions(statement) {
            self.expr(expr);
        }
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                self.assigned.insert(*var);
                match &*value.kind {
                    ExprKind::New { fill, .. } => {
                        // What lies in fresh memory is not the same twice.
                        self.once |= *fill == Fill::Empty && self.made.contains(var);
                        // Too dear to be computed twice.
                        self.once |= matches!(fill, Fill::Product(..));
                        self.made.insert(*var);
                    }
                    ExprKind::View { .. } => self.renamed = true,
                    ExprKind::Var(_) if matches!(value.ty, Type::Array(_)) => self.renamed = true,
                    _ => {}
                }
            }
            StatementKind::Store { array, update, .. } => {
                self.stored.insert(*array);
                if update.is_some() {
                    self.loaded.insert(*array);
                }
            }
            StatementKind::If { then, orelse, .. } => {
                self.block(then);
                self.block(orelse);
            }
            StatementKind::For(inner) => {
                self.once |= inner.parallel.is_some();
                self.assigned.insert(inner.var);
                // Bounds that hang on a wrong value could make it run for ever.
                for bound in [&inner.start, &inner.stop, &inner.step] {
                    walk(bound, &mut |part| self.once |= hangs_on_float(part));
                }
                self.block(&inner.body);
            }
            StatementKind::Labelled { body, .. } => self.block(body),
            StatementKind::While { .. }
            | StatementKind::Call { .. }
            | StatementKind::Print { .. }
            | StatementKind::Lockstep(_)
            | StatementKind::Return(_) => self.once = true,
            StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Leave(_)
            | StatementKind::Raise { .. } => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        walk(expr, &mut |part| match &*part.kind {
            ExprKind::Load { array, .. } => {
                self.loaded.insert(*array);
            }
            // An int of a wrong float could be a bound or a length further on.
            ExprKind::Cast { .. } if hangs_on_float(part) => self.once = true,
            _ => {}
        });
    }
}

fn hangs_on_float(expr: &Expr) -> bool {
    let is_float = |ty: Type| ty.scalar().is_some_and(|scalar| scalar.kind.is_float());
    let is_integer =
        |ty: Type| ty.scalar().is_some_and(|scalar| scalar.kind.is_integer() || scalar.kind == Kind::I128);
    matches!(&*expr.kind, ExprKind::Cast { value, .. } if is_float(value.ty) && is_integer(expr.ty))
}

/// A function for the arguments that are usual: others raise the flag.
fn near(function: Math) -> Option<Math> {
    match function {
        Math::Sin => Some(Math::SinNear),
        Math::Cos => Some(Math::CosNear),
        Math::Tan => Some(Math::TanNear),
        _ => None,
    }
}

/// Turns branches into flags where the operation can go on with any value: divisions and functions of floats.
pub fn flag(block: &mut Block) -> bool {
    let mut any = false;
    super::each_expr(block, &mut |expr| {
        let float = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float());
        if let ExprKind::Math { function, check, .. } = &mut *expr.kind
            && float
            && let Some(near) = near(*function)
        {
            (*function, *check, any) = (near, Check::Flag, true);
            return;
        }
        let check = match &mut *expr.kind {
            ExprKind::Binary { check, .. } | ExprKind::Math { check, .. } if float => check,
            _ => return,
        };
        if *check == Check::Branch {
            *check = Check::Flag;
            any = true;
        }
    });
    any
}
