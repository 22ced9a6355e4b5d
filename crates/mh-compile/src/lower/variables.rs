//! Versions of variables: their types, found pass by pass, and the IR's variables for them.

use super::types::{form_name, join};
use super::value::{Form, SliceValue, Static, Value, boolean, is_constant};
use super::{Lowerer, Result, Stop};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Check, Compare, Expr, ExprKind, Kind, Math, Scalar, Span, StatementKind, Type, Var};

/// A version: of which inlined copy, and which web; or that copy's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub path: u32,
    pub web: u32,
}

/// Stands for a web: the result.
pub const RESULT: u32 = u32::MAX;

#[derive(Debug, Default)]
pub struct Version {
    form: Option<Form>,
    /// Where it first got a type, and which.
    first: Option<(Span, Form)>,
    vars: Vec<Var>,
    /// Holds Python's bool on one path, NumPy's on another.
    mixed: bool,
    /// A parameter of an inlined function that is never assigned: its argument, without a variable of its own.
    stand_in: Option<(Value, u32)>,
    /// The pass in which `vars` were made.
    pass: u32,
    /// Whether it has a value, and the pass in which this was made: where a path may read it without.
    bound: Option<(Var, u32)>,
}

impl Lowerer<'_> {
    pub fn form_of(&mut self, key: Key) -> Option<Form> {
        self.versions.entry(key).or_default().form.clone()
    }

    /// The IR's variables of a version whose form is known.
    pub fn vars_of(&mut self, key: Key, name: Option<&str>) -> Vec<Var> {
        let pass = self.pass;
        let version = self.versions.entry(key).or_default();
        if version.pass == pass {
            return version.vars.clone();
        }
        let mut types = Vec::new();
        if let Some(form) = &version.form {
            form.flatten(&mut types);
        }
        let vars: Vec<Var> = types.into_iter().map(|ty| self.variable(name.map(str::to_owned), ty)).collect();
        let version = self.versions.entry(key).or_default();
        version.pass = pass;
        version.vars.clone_from(&vars);
        if version.mixed {
            self.mixed.extend(&vars);
        }
        vars
    }

    pub fn value_of(&mut self, key: Key, name: Option<&str>, span: Span) -> Option<Value> {
        let version = self.versions.entry(key).or_default();
        if let Some((value, pass)) = &version.stand_in {
            if *pass == self.pass {
                let mut value = value.clone();
                if let Value::Expr(expr) = &mut value {
                    expr.span = span;
                }
                return Some(value);
            }
        }
        let form = version.form.clone()?;
        let vars = self.vars_of(key, name);
        Some(rebuild(&form, &mut vars.into_iter(), span))
    }

    /// Widens the version's type so that it takes `form` too.
    pub fn widen(&mut self, key: Key, form: &Form, name: Option<&str>, span: Span) -> Result<()> {
        let version = self.versions.entry(key).or_default();
        let joined = match &version.form {
            None => form.clone(),
            Some(before) => match join(before, form) {
                Some(joined) => joined,
                None => {
                    let error = mismatch(name, version.first.as_ref(), form, span);
                    let meets = self.meets(key).filter(|meets| *meets != span);
                    return Err(match meets {
                        Some(meets) => error.note(meets, "either may be meant here").into(),
                        None => error.into(),
                    });
                }
            },
        };
        if let (Some(Form::Type(Type::Scalar(before))), Form::Type(Type::Scalar(now))) = (&version.form, form)
        {
            let bools = before.kind == Kind::Bool && now.kind == Kind::Bool;
            version.mixed |= bools && before.flavour != now.flavour;
        }
        if version.form.is_none() {
            version.first = Some((span, form.clone()));
        }
        if version.form.as_ref() != Some(&joined) {
            version.form = Some(joined);
            version.pass = 0;
            self.changed = true;
        }
        Ok(())
    }

    /// Lets `value` stand for a version that has no other definition.
    pub fn stand_in(&mut self, key: Key, value: Value, name: Option<&str>, span: Span) -> Result<()> {
        let Some(form) = value.form() else { return Err(not_storable(&value, span).into()) };
        let pass = self.pass;
        self.widen(key, &form, name, span)?;
        let version = self.versions.entry(key).or_default();
        if version.form.as_ref() != Some(&form) {
            version.stand_in = None;
            return self.define(key, value, name, span);
        }
        version.stand_in = Some((value, pass));
        Ok(())
    }

    /// Gives a version this value.
    pub fn define(&mut self, key: Key, value: Value, name: Option<&str>, span: Span) -> Result<()> {
        let Some(form) = value.form() else { return Err(not_storable(&value, span).into()) };
        self.widen(key, &form, name, span)?;
        let vars = self.vars_of(key, name);
        let target = self.form_of(key).ok_or(Stop::Unknown)?;
        let value = if vars.len() > 1 { self.settle(value) } else { value };
        self.fill(&target, value, &mut vars.into_iter());
        self.mark_bound(key, span);
        Ok(())
    }

    /// Spills what is not constant, so that assigning one member does not change another.
    pub fn settle(&mut self, value: Value) -> Value {
        match value {
            Value::Expr(expr) if is_constant(&expr) => Value::Expr(expr),
            // Temporaries are assigned once.
            Value::Expr(expr) if matches!(*expr.kind, ExprKind::Var(_)) && !self.is_named(&expr) => {
                Value::Expr(expr)
            }
            Value::Expr(expr) => Value::Expr(self.keep(expr)),
            // It has been checked before that it can be made.
            Value::Lazy(lazy) => match self.materialise(&lazy) {
                Ok(array) => Value::Expr(array),
                Err(_) => Value::Lazy(lazy),
            },
            Value::Tuple(members) => {
                Value::Tuple(members.into_iter().map(|member| self.settle(member)).collect())
            }
            Value::Slice(slice) => {
                let SliceValue { start, stop, step } = *slice;
                let [start, stop, step] =
                    [start, stop, step].map(|bound| bound.map(|bound| self.spill(bound)));
                Value::Slice(Box::new(SliceValue { start, stop, step }))
            }
            Value::Iterable(iterable) => {
                Value::Iterable(Box::new(self.settle_iterable(*iterable, &|_, _| true)))
            }
            other => other,
        }
    }

    fn is_named(&self, expr: &Expr) -> bool {
        match *expr.kind {
            ExprKind::Var(var) => {
                self.variables.get(var.0 as usize).is_none_or(|variable| variable.name.is_some())
            }
            _ => false,
        }
    }

    /// Assigns to the variables of a form's scalars and arrays.
    pub fn fill(&mut self, form: &Form, value: Value, vars: &mut impl Iterator<Item = Var>) {
        match (form, value) {
            (Form::Type(Type::Scalar(scalar)), Value::Expr(value)) => {
                if let Some(var) = vars.next() {
                    let value = self.widened(value, *scalar);
                    if !matches!(*value.kind, ExprKind::Var(source) if source == var) {
                        self.assign(var, value);
                    }
                }
            }
            (Form::Type(Type::Scalar(scalar)), Value::Static(Static::Wide(number))) => {
                if let (Some(var), Some(Value::Expr(value))) =
                    (vars.next(), super::wide::typed(number, scalar.kind, Span::default()))
                {
                    self.assign(var, value);
                }
            }
            (Form::Type(_), Value::Expr(value)) => {
                if let Some(var) = vars.next() {
                    self.assign_array(var, value);
                }
            }
            (Form::Tuple(forms), Value::Tuple(members)) => {
                for (form, member) in forms.iter().zip(members) {
                    self.fill(form, member, vars);
                }
            }
            _ => {}
        }
    }

    /// A scalar as a variable holds it that holds others too. An int must keep its digits where that is a float: where it is written so
    /// (`x * 0.5`) Python rounds, but Python would not round here.
    pub fn widened(&mut self, value: Expr, to: Scalar) -> Expr {
        if !loses(&value, to) {
            return self.cast(value, to);
        }
        let span = value.span;
        let value = self.simple(value);
        let float = self.cast(value.clone(), to);
        let float = self.keep(float);
        let part = match to.kind {
            Kind::C128 => {
                let real = ExprKind::Math {
                    function: Math::Real,
                    arguments: vec![float.clone()],
                    check: Check::None,
                };
                Expr::new(real, Type::Scalar(Scalar { kind: Kind::F64, ..to }), span)
            }
            _ => float.clone(),
        };
        let whole = self.cast(value, Scalar::INT);
        let exact = self.cast(whole.clone(), Scalar::FLOAT);
        let part = self.cast(part, Scalar::FLOAT);
        let differ = super::arithmetic::compare(Compare::NotEqual, exact, part, span);
        let message =
            "the int {} has more digits than the float that is kept here (elsewhere this is a float)";
        self.raise_if(differ, "OverflowError", message, vec![whole], span);
        float
    }

    /// `var = value`; an array that was just made goes there directly.
    fn assign_array(&mut self, var: Var, value: Expr) {
        let ExprKind::Var(source) = *value.kind else { return self.assign(var, value) };
        if source == var {
            return;
        }
        let fresh = !self.is_named(&value);
        if let (true, Some(last)) = (fresh, self.block.last_mut()) {
            if let StatementKind::Assign { var: made, value: array } = &mut last.kind {
                if *made == source && !matches!(*array.kind, ExprKind::Var(_)) {
                    *made = var;
                    return;
                }
            }
        }
        self.assign(var, value);
    }

    pub fn bound_flag(&mut self, key: Key, name: &str) -> Var {
        let pass = self.pass;
        if let Some((var, made)) = self.versions.entry(key).or_default().bound {
            if made == pass {
                return var;
            }
        }
        let var = self.variable(Some(format!("{name}?")), Type::BOOL);
        self.versions.entry(key).or_default().bound = Some((var, pass));
        var
    }

    pub fn mark_bound(&mut self, key: Key, span: Span) {
        if let Some(name) = self.flagged(key) {
            let flag = self.bound_flag(key, &name);
            self.assign(flag, boolean(true, span));
        }
    }

    /// A use of a version that several definitions reach.
    fn meets(&self, key: Key) -> Option<Span> {
        let frame = self.frames.iter().rev().find(|frame| frame.around.path == key.path)?;
        let meets = frame.around.tree.webs.get(key.web as usize)?.meets?;
        Some(Span { source: frame.around.source, ..meets })
    }

    /// The name of a version for which is kept whether it is bound.
    pub fn flagged(&self, key: Key) -> Option<String> {
        let frame = self.frames.iter().rev().find(|frame| frame.around.path == key.path)?;
        let web = frame.around.tree.webs.get(key.web as usize)?;
        web.flagged.then(|| web.name.clone())
    }

    /// Reads a version; `unbound`: some path comes here without a value.
    pub fn read(&mut self, key: Key, name: &str, unbound: bool, span: Span) -> Result<Value> {
        let Some(value) = self.value_of(key, Some(name), span) else {
            if !self.last {
                return Err(Stop::Unknown);
            }
            self.raise_unbound(name, span);
            return Err(Stop::Never);
        };
        if unbound {
            let flag = self.bound_flag(key, name);
            let flag = Expr::new(ExprKind::Var(flag), Type::BOOL, span);
            let ((), then) = self.apart(|this| this.raise_unbound(name, span));
            self.if_then(super::arithmetic::negate(flag), then, Vec::new(), span);
        }
        Ok(value)
    }

    pub fn raise_unbound(&mut self, name: &str, span: Span) {
        let message =
            format!("cannot access local variable '{name}' where it is not associated with a value");
        self.raise_builtin("UnboundLocalError", &message, Vec::new(), span);
    }
}

/// Whether an int may be rounded by this conversion.
pub fn loses(value: &Expr, to: Scalar) -> bool {
    let wide = value.ty.scalar().is_some_and(|from| matches!(from.kind, Kind::I64 | Kind::U64));
    wide && matches!(to.kind, Kind::F64 | Kind::C128) && !is_constant(value)
}

pub fn rebuild(form: &Form, vars: &mut impl Iterator<Item = Var>, span: Span) -> Value {
    match form {
        Form::Type(ty) => match vars.next() {
            Some(var) => Value::Expr(Expr::new(ExprKind::Var(var), *ty, span)),
            None => Value::None,
        },
        Form::Tuple(members) => {
            Value::Tuple(members.iter().map(|member| rebuild(member, vars, span)).collect())
        }
        Form::None => Value::None,
        Form::Static(known) => Value::Static(known.clone()),
    }
}

fn mismatch(name: Option<&str>, first: Option<&(Span, Form)>, form: &Form, span: Span) -> Diagnostic {
    let now = form_name(form);
    let before = first.map_or_else(String::new, |(_, form)| form_name(form));
    let diagnostic = match name {
        Some(name) => {
            let message = format!("`{name}` cannot hold both {before} and {now}");
            let advice = match (first.map(|(_, form)| form), form) {
                (Some(Form::None), _) | (_, Form::None) => {
                    "begin with a value of the same type, and keep in a bool variable whether it counts"
                }
                (Some(Form::Static(Static::Closure(_) | Static::Function(_))), _) => {
                    "call each function where it is chosen: `y = f(x) if c else g(x)`"
                }
                (Some(Form::Static(Static::Wide(_))), _) | (_, Form::Static(Static::Wide(_))) => {
                    "an int past 64 bits is an np.uint64 in compiled code: write np.uint64(...), there and here"
                }
                _ => "use two variables, each with one type",
            };
            Diagnostic::new(Class::Unsupported, span, message).advice(advice)
        }
        None => Diagnostic::new(
            Class::Unsupported,
            span,
            format!("this function returns both {before} and {now}"),
        )
        .advice("return the same type everywhere; a function that just ends returns None"),
    };
    let diagnostic = diagnostic.label(format!("{now} here"));
    match first {
        Some((place, _)) => diagnostic.note(*place, format!("{before} here")),
        None => diagnostic,
    }
}

pub fn not_storable(value: &Value, span: Span) -> Diagnostic {
    let what = match value {
        Value::Slice(_) => "a slice",
        Value::Text(_) => "an f-string",
        _ => "a range, enumerate, zip or reversed",
    };
    Diagnostic::new(Class::Unsupported, span, format!("{what} cannot be kept in a variable or passed on"))
        .advice("write it where it is used: `for i in range(n)`, `x[a:b]`")
}
