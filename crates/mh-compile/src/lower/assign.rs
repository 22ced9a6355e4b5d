//! Assignment: to variables, tuples of targets, elements and slices.

use super::arithmetic::{cast, compare, type_error};
use super::arrays::Parallels;
use super::builtins::{self, Place};
use super::effects::stores;
use super::expression::{binary_of, unsupported};
use super::types::{form_name, python_name, same_kind};
use super::value::{Value, int};
use super::variables::Key;
use super::{Lowerer, Result, Stop, wide};
use crate::ast;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Flavour, For, Kind, Layout, Scalar, Span, StatementKind,
    Type, Var,
};

impl Lowerer<'_> {
    pub fn assignment(&mut self, targets: &[ast::Expr], value: &ast::Expr) -> Result<()> {
        let stored = matches!(targets, [one] if matches!(&*one.kind, ast::ExprKind::Subscript(..)));
        let named = targets.iter().all(|target| matches!(&*target.kind, ast::ExprKind::Name(_)));
        let mut value = match stored {
            true => self.display(value)?,
            false if named => {
                let value = self.lazily(value)?;
                self.made(value)?
            }
            false => self.expr(value)?,
        };
        let plain = matches!(targets, [one] if matches!(&*one.kind, ast::ExprKind::Name(_)));
        if let (false, Value::Tuple(_)) = (plain, &value) {
            value = self.settle_for(targets, value);
        } else if targets.len() > 1 {
            value = match value {
                Value::Expr(expr) => Value::Expr(self.simple(expr)),
                other => other,
            };
            if let Value::Expr(expr) = &value {
                if expr.ty.array().is_some() {
                    value = Value::Expr(self.keep(expr.clone()));
                }
            }
        }
        for target in targets {
            self.assign_target(target, value.clone())?;
        }
        Ok(())
    }

    /// `a, b = ...`: members that an earlier target could change are kept first.
    fn settle_for(&mut self, targets: &[ast::Expr], value: Value) -> Value {
        let names_only = match targets {
            [one] => match &*one.kind {
                ast::ExprKind::Tuple(members) => {
                    members.iter().all(|member| matches!(&*member.kind, ast::ExprKind::Name(_)))
                }
                _ => false,
            },
            _ => false,
        };
        let Value::Tuple(members) = value else { return value };
        if !names_only {
            return self.settle(Value::Tuple(members));
        }
        let written = self.written_by(targets);
        let mut kept = Vec::new();
        for (number, member) in members.into_iter().enumerate() {
            let fixed = match &member {
                // Nothing is assigned before the first; the others must not read what is.
                Value::Expr(expr) if expr.ty.array().is_none() => {
                    let before = written.get(..number).unwrap_or_default();
                    let changed = |var| before.iter().flatten().any(|one| *one == var);
                    number == 0
                        || before.len() == number && !super::effects::reads_any(expr, &changed)
                        || !super::effects::reads_any(expr, &|var| self.is_user(var))
                }
                _ => false,
            };
            kept.push(if fixed { member } else { self.settle(member) });
        }
        // The first stays in place only if nothing was emitted after it that it should have preceded.
        Value::Tuple(kept)
    }

    /// The variables that each name of `a, b = ...` is assigned to.
    fn written_by(&mut self, targets: &[ast::Expr]) -> Vec<Vec<Var>> {
        let [target] = targets else { return Vec::new() };
        let ast::ExprKind::Tuple(members) = &*target.kind else { return Vec::new() };
        let around = self.frame().around.clone();
        let mut written = Vec::new();
        for member in members {
            let ast::ExprKind::Name(name) = &*member.kind else { return Vec::new() };
            let Some(web) = around.tree.definition(member) else { return Vec::new() };
            written.push(self.vars_of(Key { path: around.path, web }, Some(name)));
        }
        written
    }

    fn is_user(&self, var: Var) -> bool {
        self.variables.get(var.0 as usize).is_none_or(|variable| variable.name.is_some())
    }

    pub fn assign_target(&mut self, target: &ast::Expr, value: Value) -> Result<()> {
        let span = self.at(target.span);
        match &*target.kind {
            ast::ExprKind::Name(name) => {
                let around = self.frame().around.clone();
                let web = around.tree.definition(target).ok_or(Stop::Unknown)?;
                self.define(Key { path: around.path, web }, value, Some(name), span)
            }
            ast::ExprKind::Tuple(targets) | ast::ExprKind::List(targets) => self.unpack(targets, value, span),
            ast::ExprKind::Subscript(object, index) => {
                let before = self.block.len();
                let [object, index] = self.subscripted(object, index)?;
                let value = self.settle_before(vec![value], before).pop().ok_or(Stop::Unknown)?;
                self.store(object, index, value, span)
            }
            ast::ExprKind::Starred(_) => {
                Err(unsupported(span, "`*` in a target is not compiled", "name each member"))
            }
            ast::ExprKind::Attribute(..) => Err(unsupported(
                span,
                "attributes cannot be assigned in compiled code",
                "keep the value in a variable, and return it",
            )),
            _ => Err(unsupported(span, "this target is not compiled", "assign to variables and elements")),
        }
    }

    fn unpack(&mut self, targets: &[ast::Expr], value: Value, span: Span) -> Result<()> {
        if let Some(starred) =
            targets.iter().find(|target| matches!(&*target.kind, ast::ExprKind::Starred(_)))
        {
            return Err(unsupported(
                self.at(starred.span),
                "`*` in a target is not compiled",
                "name each member",
            ));
        }
        let members = match value {
            Value::Tuple(members) => members,
            Value::Expr(array) if array.ty.array().is_some() => self.elements(array, targets.len(), span)?,
            other => {
                let name = other.form().map_or_else(|| "slice".to_owned(), |form| python_name(&form));
                return Err(type_error(span, format!("cannot unpack non-iterable {name} object")));
            }
        };
        let (wanted, got) = (targets.len(), members.len());
        if wanted != got {
            let message = if got > wanted {
                format!("too many values to unpack (expected {wanted})")
            } else {
                format!("not enough values to unpack (expected {wanted}, got {got})")
            };
            return Err(Diagnostic::new(Class::ValueError, span, message).into());
        }
        let members = if targets.iter().all(|target| matches!(&*target.kind, ast::ExprKind::Name(_))) {
            members
        } else {
            members.into_iter().map(|member| self.settle(member)).collect()
        };
        for (target, member) in targets.iter().zip(members) {
            self.assign_target(target, member)?;
        }
        Ok(())
    }

    /// The elements of an array whose length must be this.
    fn elements(&mut self, array: Expr, wanted: usize, span: Span) -> Result<Vec<Value>> {
        let array = self.keep(array);
        let ExprKind::Var(var) = *array.kind else { return Err(Stop::Unknown) };
        let length = || Expr::new(ExprKind::Dim { array: var, axis: 0 }, Type::INT, span);
        let fits = |op| compare(op, length(), int(wanted as i64, span), span);
        let message = format!("not enough values to unpack (expected {wanted}, got {{}})");
        self.raise_if(fits(Compare::Less), "ValueError", &message, vec![length()], span);
        let message = format!("too many values to unpack (expected {wanted})");
        self.raise_if(fits(Compare::Greater), "ValueError", &message, Vec::new(), span);
        let mut members = Vec::new();
        for number in 0..wanted {
            let element =
                builtins::subscript(self, Value::Expr(array.clone()), Value::int(number as i64, span), span)?;
            members.push(self.settle(element));
        }
        Ok(members)
    }

    fn store(&mut self, object: Value, index: Value, value: Value, span: Span) -> Result<()> {
        let (_, value) = wide::pair((&object, span), (&value, span), false)?;
        let value = match value {
            Value::Tuple(_) if builtins::is_chosen(&object, &index) => {
                let element = object.array().map(|(_, array)| array.element);
                builtins::array_of_tuple(self, &value, element, span)?
            }
            value => value,
        };
        if let Some(done) = builtins::put(self, &object, &index, value.clone(), span) {
            return done;
        }
        match builtins::place(self, object, index, span)? {
            Place::Element { array, element, indices } => {
                let value = self.made(value)?;
                let value = self.element_value(value, element, span)?;
                let check = Check::Branch;
                self.emit(StatementKind::Store { array, indices, value, update: None, check }, span);
                Ok(())
            }
            Place::View(view) => self.fill_view(&view, value, None, span),
        }
    }

    /// A scalar as an element of this kind holds it.
    pub fn element_value(&mut self, value: Value, element: Kind, span: Span) -> Result<Expr> {
        let Value::Expr(value) = value else {
            let name = value.form().map_or_else(|| "range".to_owned(), |form| form_name(&form));
            return Err(Diagnostic::new(
                Class::ValueError,
                span,
                format!("an element of a {} array cannot hold this", element.name()),
            )
            .label(name)
            .into());
        };
        let Type::Scalar(from) = value.ty else {
            return Err(Diagnostic::new(
                Class::ValueError,
                span,
                "setting an array element with a sequence.",
            )
            .label(form_name(&super::value::Form::Type(value.ty)))
            .advice("to copy a whole array write `x[:] = y`")
            .into());
        };
        if from.kind.is_complex() && !element.is_complex() {
            let target = if element.is_float() { "float()" } else { "int()" };
            return Err(type_error(
                span,
                format!(
                    "{target} argument must be a string or a real number, not '{}'",
                    super::types::scalar_name(from)
                ),
            ));
        }
        // NumPy takes `int()` of what goes into an element of a signed integer, and of Python's numbers for all integers: what does not fit
        // raises. NumPy's own numbers wrap in unsigned elements.
        let strict = element.is_signed() || element.is_unsigned() && from.flavour == Flavour::Python;
        let value = if strict && from.kind != Kind::Bool && from.kind != element {
            cast(value, Scalar::INT)
        } else {
            value
        };
        Ok(cast(value, Scalar::numpy(element)))
    }

    pub fn augmented(&mut self, target: &ast::Expr, op: &str, value: &ast::Expr, span: Span) -> Result<()> {
        let Some(op) = binary_of(op) else {
            return Err(unsupported(
                span,
                format!("the operator {op}= is not compiled"),
                "write the loop with * and +",
            ));
        };
        match &*target.kind {
            ast::ExprKind::Name(name) => {
                let around = self.frame().around.clone();
                let place = self.at(target.span);
                let usage = around.tree.usage(target).ok_or(Stop::Unknown)?;
                let Some(web) = usage.web else {
                    self.raise_unbound(name, place);
                    return Err(Stop::Never);
                };
                let old = self.read(Key { path: around.path, web }, name, usage.unbound, place);
                let start = self.block.len();
                let new = self.lazily(value)?;
                let old = self.settle_before(vec![old?], start).pop().ok_or(Stop::Unknown)?;
                let result = match &old {
                    Value::Expr(array) if array.ty.array().is_some() => {
                        let (_, new) = wide::pair((&old, place), (&new, self.at(value.span)), false)?;
                        self.fill_view(&array.clone(), new, Some(op), span)?;
                        old
                    }
                    _ => {
                        let new = self.written(op, (&old, place), (&new, self.at(value.span)), span)?;
                        self.made(new)?
                    }
                };
                let web = around.tree.definition(target).ok_or(Stop::Unknown)?;
                self.define(Key { path: around.path, web }, result, Some(name), place)
            }
            ast::ExprKind::Subscript(object, index) => {
                let parts = self.subscripted(object, index)?.to_vec();
                let start = self.block.len();
                let new = self.display(value)?;
                let written = stores(&self.block[start..]);
                let mut parts = self.settle_before(parts, start).into_iter();
                let (Some(object), Some(index)) = (parts.next(), parts.next()) else {
                    return Err(Stop::Unknown);
                };
                let (_, new) = wide::pair((&object, span), (&new, self.at(value.span)), false)?;
                if builtins::is_chosen(&object, &index) {
                    let (object, index) = (self.settle(object), self.settle(index));
                    let old = builtins::subscript(self, object.clone(), index.clone(), span)?;
                    let new = match &old {
                        Value::Expr(picked) if picked.ty.array().is_some() => {
                            self.fill_view(picked, new, Some(op), span)?;
                            old
                        }
                        _ => self.binary(op, &old, &new, span)?,
                    };
                    return self.store(object, index, new, span);
                }
                match builtins::place(self, object, index, span)? {
                    Place::Element { array, element, indices } => {
                        if written {
                            return Err(unsupported(
                                span,
                                "the right-hand side stores into arrays while an element is updated",
                                "keep it in a variable first: v = f(x); a[i] += v",
                            ));
                        }
                        let Value::Expr(new) = new else {
                            return self.element_value(new, element, span).map(drop);
                        };
                        self.update((array, element), indices, Check::Branch, op, new, span)
                    }
                    Place::View(view) => self.fill_view(&view, new, Some(op), span),
                }
            }
            _ => Err(unsupported(span, "this target is not compiled", "assign to variables and elements")),
        }
    }

    /// `array[indices] op= value`, the element read once.
    pub fn update(
        &mut self,
        (array, element): (Var, Kind),
        indices: Vec<Expr>,
        check: Check,
        op: Binary,
        value: Expr,
        span: Span,
    ) -> Result<()> {
        let ty = Type::Scalar(Scalar::numpy(element));
        let load = ExprKind::Load { array, indices: indices.clone(), check };
        let old = Value::Expr(Expr::new(load, ty, span));
        let Value::Expr(new) = self.binary(op, &old, &Value::Expr(value), span)? else {
            return Err(Stop::Unknown);
        };
        match *new.kind {
            ExprKind::Binary { op, right, check: Check::None, .. }
                if !element.is_integer() || new.ty.scalar().is_some_and(|scalar| scalar.kind == element) =>
            {
                complex_into_real(&right, element, span)?;
                self.emit(
                    StatementKind::Store { array, indices, value: right, update: Some(op), check },
                    span,
                );
            }
            kind => {
                // The operation itself can fail: read, compute, store.
                let value = Expr::new(kind, new.ty, span);
                let value = self.element_value(Value::Expr(value), element, span)?;
                let value = self.spill(value);
                self.emit(StatementKind::Store { array, indices, value, update: None, check }, span);
            }
        }
        Ok(())
    }

    /// `view[...] = value`, `view[...] op= value`: element by element, with broadcasting.
    pub fn fill_view(&mut self, view: &Expr, value: Value, update: Option<Binary>, span: Span) -> Result<()> {
        let (ExprKind::Var(target), Type::Array(array)) = (&*view.kind, view.ty) else {
            return Err(Stop::Unknown);
        };
        let target = *target;
        if !array.writable {
            return Err(read_only(span));
        }
        if let Some(lazy) = self.lazy_of(&value) {
            return self.fill_lazily((target, array), &lazy, update, span);
        }
        match &value {
            Value::Expr(expr) => {
                let scalar = self.spill(expr.clone());
                let scalar = match update {
                    None => {
                        let value = self.element_value(Value::Expr(scalar), array.element, span)?;
                        self.spill(value)
                    }
                    Some(_) => scalar,
                };
                let lengths: Vec<Expr> = (0..array.rank)
                    .map(|axis| Expr::new(ExprKind::Dim { array: target, axis }, Type::INT, span))
                    .collect();
                let columns = array.layout == Layout::F;
                let nest = self.over(&lengths, columns, Parallels::Outer, span, |this, indices| {
                    this.store_one(target, array, indices, scalar, update, span)
                })?;
                self.splice(nest);
                Ok(())
            }
            Value::Tuple(members) => self.fill_with_tuple((target, array), members, update, span),
            other => {
                let name = other.form().map_or_else(|| "range".to_owned(), |form| form_name(&form));
                Err(Diagnostic::new(Class::Unsupported, span, "this cannot be assigned to a slice")
                    .label(name)
                    .advice("assign a number or an array of the same shape")
                    .into())
            }
        }
    }

    /// `view[...] = (x, y)`: one by one where there is one for each element, else as an array.
    fn fill_with_tuple(
        &mut self,
        (target, array): (Var, crate::ir::Array),
        members: &[Value],
        update: Option<Binary>,
        span: Span,
    ) -> Result<()> {
        let view = Value::Expr(Expr::new(ExprKind::Var(target), Type::Array(array), span));
        let numbers = members.iter().all(|member| member.scalar().is_some());
        if update.is_some() || !numbers || array.rank != 1 || members.len() < 2 {
            let element = update.is_none().then_some(array.element);
            let made = builtins::array_of_tuple(self, &Value::Tuple(members.to_vec()), element, span)?;
            let Value::Expr(view) = view else { return Err(Stop::Unknown) };
            return self.fill_view(&view, made, update, span);
        }
        let wanted = i64::try_from(members.len()).unwrap_or(i64::MAX);
        let length = || Expr::new(ExprKind::Dim { array: target, axis: 0 }, Type::INT, span);
        let unlike = compare(Compare::NotEqual, length(), int(wanted, span), span);
        let message = format!("could not broadcast input array from shape ({wanted},) into shape ({{}},)");
        self.raise_if(unlike, "ValueError", &message, vec![length()], span);
        for (place, member) in (0..).zip(members) {
            let value = self.element_value(member.clone(), array.element, span)?;
            let indices = vec![int(place, span)];
            let check = Check::None;
            self.emit(StatementKind::Store { array: target, indices, value, update: None, check }, span);
        }
        Ok(())
    }

    /// NumPy's rule for results of whole-array operations in place.
    pub fn same_kind(&self, op: Binary, element: Kind, value: &Expr, span: Span) -> Result<()> {
        let Type::Scalar(scalar) = value.ty else { return Ok(()) };
        let mut both = super::types::promote(Scalar::numpy(element), scalar).kind;
        if op == Binary::Divide && !both.is_float() && !both.is_complex() {
            both = Kind::F64;
        }
        if same_kind(both, element) {
            return Ok(());
        }
        Err(Diagnostic::new(
            Class::TypeError,
            span,
            format!(
                "Cannot cast the result of `{}=` from {} to {} with casting rule 'same_kind'",
                super::arithmetic::operator(op),
                both.name(),
                element.name()
            ),
        )
        .advice("write the loop over the elements, with int(...) where digits may be dropped")
        .into())
    }

    /// Loops over all elements of an array.
    pub fn nest(
        &mut self,
        array: Var,
        rank: u8,
        span: Span,
        body: impl FnOnce(&mut Self, Vec<Expr>) -> Result<()>,
    ) -> Result<((), Block)> {
        let vars: Vec<Var> = (0..rank).map(|_| self.temp(Type::INT)).collect();
        let indices = vars.iter().map(|var| Expr::new(ExprKind::Var(*var), Type::INT, span)).collect();
        let (outcome, mut block) = self.apart(|this| body(this, indices));
        outcome?;
        for (axis, var) in vars.into_iter().enumerate().rev() {
            let stop = Expr::new(ExprKind::Dim { array, axis: axis as u8 }, Type::INT, span);
            let id = self.loop_id();
            let (start, step) = (int(0, span), int(1, span));
            let one = For { id, var, start, stop, step, body: block, parallel: None, fast: None };
            ((), block) = self.apart(|this| this.emit(StatementKind::For(Box::new(one)), span));
        }
        Ok(((), block))
    }
}

/// Refuses complex numbers where elements are real.
pub fn complex_into_real(value: &Expr, element: Kind, span: Span) -> Result<()> {
    if value.ty.scalar().is_some_and(|scalar| scalar.kind.is_complex()) && !element.is_complex() {
        let message = "an element that is not complex cannot hold a complex number";
        return Err(type_error(span, message.into()));
    }
    Ok(())
}

pub fn read_only(span: Span) -> Stop {
    Diagnostic::new(Class::ValueError, span, "assignment destination is read-only")
        .advice("make a copy first: x = x.copy(), outside of the compiled function")
        .into()
}
