//! Functions that are not inlined: one IR function for each list of arguments' types, with what they see around them passed on.

use std::rc::Rc;

use super::function::{Callee, Instance};
use super::value::{Around, Closure, Form, Static, Value};
use super::variables::{Key, RESULT, not_storable, rebuild};
use super::{Lowerer, Result, Stop};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{FunctionId, Span, StatementKind, Var};

/// Copies of functions that are not inlined.
const MOST_INSTANCES: usize = 200;

impl Lowerer<'_> {
    pub fn call_own(&mut self, callee: &Callee, values: Vec<Value>, span: Span) -> Result<Value> {
        let forms: Vec<Form> = values
            .iter()
            .map(|value| value.form().ok_or_else(|| not_storable(value, span).into()))
            .collect::<Result<_>>()?;
        let number = self.find_instance(callee, &forms, span)?;
        let around = self.instances[number].around.clone();
        let mut arguments = Vec::new();
        for (form, value) in forms.iter().zip(values) {
            self.flatten(form, value, &mut arguments);
        }
        // What the function sees around it, as it is now: it cannot change while the function runs.
        let inner = self.captures(&around);
        let outer = self.captures(&Around {
            path: around.path,
            tree: callee.tree.clone(),
            scope: callee.scope,
            source: callee.source,
            around: callee.around.clone(),
        });
        for ((to, name), (from, _)) in inner.into_iter().zip(outer) {
            let Some(form) = self.form_of(from) else { continue };
            let form = adopt(&form, callee.around.as_ref(), around.around.as_ref());
            self.widen(to, &form, Some(&name), span)?;
            let flagged = self.flagged(from).is_some();
            let value = self.read(from, &name, flagged, span)?;
            let form = self.form_of(to).ok_or(Stop::Unknown)?;
            self.flatten(&form, value, &mut arguments);
        }
        for number in 0..self.hidden.len() {
            let array = self.hidden_array(number, span);
            arguments.push(array);
        }
        let id = match self.instances[number].id {
            Some(id) => id,
            None => {
                let id = self.work.len() as u32;
                self.instances[number].id = Some(id);
                self.work.push(number);
                id
            }
        };
        let form = self.form_of(Key { path: around.path, web: RESULT });
        let mut types = Vec::new();
        form.iter().for_each(|form| form.flatten(&mut types));
        let results: Vec<Var> = types.into_iter().map(|ty| self.temp(ty)).collect();
        self.emit(
            StatementKind::Call { results: results.clone(), function: FunctionId(id), arguments },
            span,
        );
        match form {
            Some(form) => Ok(rebuild(&form, &mut results.into_iter(), span)),
            None if self.instances[number].never => Err(Stop::Never),
            None if self.last => {
                let message = format!(
                    "what {}() returns cannot be told: it always calls itself",
                    callee.tree.function.name
                );
                Err(Diagnostic::new(Class::Unsupported, span, message)
                    .advice("let the recursion end: some `return` must not depend on the function itself")
                    .into())
            }
            None => Err(Stop::Unknown),
        }
    }

    fn find_instance(&mut self, callee: &Callee, forms: &[Form], span: Span) -> Result<usize> {
        let origin = callee.around.as_ref().map(|around| self.origin(around));
        let known = self.instances.iter().position(|instance| {
            instance.around.tree.id() == callee.tree.id()
                && instance.origin == origin
                && instance.forms == forms
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let number = self.instances.len();
        if number >= MOST_INSTANCES {
            let message =
                format!("{}() is called with ever new types of arguments", callee.tree.function.name);
            return Err(Diagnostic::new(Class::Unsupported, span, message)
                .advice("give the recursion the same types at each level")
                .into());
        }
        let path = self.intern(0, number, u32::MAX);
        let around = callee.around.as_ref().map(|around| self.copy_around(around, number));
        self.instances.push(Instance {
            around: Rc::new(Around {
                path,
                tree: callee.tree.clone(),
                scope: callee.scope,
                source: callee.source,
                around,
            }),
            base: path,
            origin,
            forms: forms.to_vec(),
            id: None,
            never: false,
        });
        self.changed = true;
        Ok(number)
    }

    /// The same functions around, with variables of their own: those that are passed on.
    fn copy_around(&mut self, around: &Rc<Around>, number: usize) -> Rc<Around> {
        let outer = around.around.as_ref().map(|outer| self.copy_around(outer, number));
        let origin = self.origin(around);
        let path = self.intern(origin, number, u32::MAX - 1);
        self.origins.insert(path, origin);
        Rc::new(Around {
            path,
            tree: around.tree.clone(),
            scope: around.scope,
            source: around.source,
            around: outer,
        })
    }

    fn origin(&self, around: &Around) -> u32 {
        self.origins.get(&around.path).copied().unwrap_or(around.path)
    }
}

/// Functions made in `from` are, seen from the copy, made in `to`.
fn adopt(form: &Form, from: Option<&Rc<Around>>, to: Option<&Rc<Around>>) -> Form {
    match form {
        Form::Static(Static::Closure(closure)) => {
            let (mut from, mut to) = (from, to);
            while let (Some(one), Some(other)) = (from, to) {
                if one.path == closure.around.path {
                    let closure = Closure { tree: closure.tree.clone(), around: other.clone() };
                    return Form::Static(Static::Closure(Rc::new(closure)));
                }
                (from, to) = (one.around.as_ref(), other.around.as_ref());
            }
            form.clone()
        }
        Form::Tuple(members) => Form::Tuple(members.iter().map(|member| adopt(member, from, to)).collect()),
        _ => form.clone(),
    }
}
