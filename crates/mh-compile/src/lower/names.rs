//! Names: local versions, variables of functions around, globals; what the world finds, as values.

use super::builtins;
use super::value::{SliceValue, Static, Value, float, int};
use super::variables::Key;
use super::{Lowerer, Result, Stop};
use crate::ast;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Expr, ExprKind, Kind, Scalar, Span, Type};
use crate::world::Found;

impl Lowerer<'_> {
    pub fn name(&mut self, expr: &ast::Expr, name: &str, span: Span) -> Result<Value> {
        let around = self.frame().around.clone();
        if around.tree.is_local(name) {
            return match around.tree.usage(expr) {
                Some(usage) => match usage.web {
                    Some(web) => self.read(Key { path: around.path, web }, name, usage.unbound, span),
                    None => {
                        self.raise_unbound(name, span);
                        Err(Stop::Never)
                    }
                },
                None => Err(Stop::Unknown),
            };
        }
        let mut outer = around.around.clone();
        while let Some(level) = outer {
            if level.tree.is_local(name) {
                let Some(web) = level.tree.captured(name) else { return Err(Stop::Unknown) };
                let key = Key { path: level.path, web };
                let flagged = self.flagged(key).is_some();
                return self.read(key, name, flagged, span);
            }
            outer = level.around.clone();
        }
        let asked = (around.scope, name.to_owned());
        let found = match self.names.get(&asked) {
            Some(found) => found.clone(),
            None => {
                let found = self.world.name(around.scope, name);
                self.names.insert(asked, found.clone());
                found
            }
        };
        if found == Found::Missing {
            let mut error = Diagnostic::new(Class::NameError, span, format!("name '{name}' is not defined"));
            if matches!(name, "math" | "cmath" | "random") {
                error = error.advice(format!("`import {name}` is missing"));
            } else if let Some(near) = self.nearest(name).filter(|near| near != name) {
                error = error.advice(format!("did you mean: '{near}'?"));
            }
            return Err(error.into());
        }
        self.found(found, name, span)
    }

    /// The variable that was just assigned at `target`.
    pub fn defined(&mut self, target: &ast::Expr, name: &str, span: Span) -> Result<Value> {
        let around = self.frame().around.clone();
        let web = around.tree.definition(target).ok_or(Stop::Unknown)?;
        self.read(Key { path: around.path, web }, name, false, span)
    }

    fn nearest(&self, name: &str) -> Option<String> {
        const KNOWN: [&str; 24] = [
            "abs",
            "bool",
            "complex",
            "divmod",
            "enumerate",
            "float",
            "int",
            "len",
            "max",
            "min",
            "pow",
            "print",
            "range",
            "reversed",
            "round",
            "sum",
            "zip",
            "math",
            "np",
            "mh",
            "True",
            "False",
            "None",
            "tuple",
        ];
        let mut best: Option<(usize, String)> = None;
        let mut outer = Some(self.frame().around.clone());
        let mut names: Vec<String> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
        while let Some(level) = outer {
            names.extend(level.tree.local_names().map(str::to_owned));
            outer = level.around.clone();
        }
        names.sort();
        for candidate in names {
            let distance = distance(name, &candidate);
            let close = distance <= 1 + name.chars().count() / 5 && distance < name.chars().count();
            if close && best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, name)| name)
    }

    /// What the world found, as a value.
    pub fn found(&mut self, found: Found, name: &str, span: Span) -> Result<Value> {
        Ok(match found {
            Found::Missing => {
                return Err(
                    Diagnostic::new(Class::NameError, span, format!("name '{name}' is not defined")).into()
                );
            }
            Found::None => Value::None,
            Found::Bool(value) => Value::bool(value, span),
            Found::Int(value) => Value::int(value, span),
            Found::Wide(value) => Value::Static(Static::Wide(value)),
            Found::Float(value) => Value::Expr(float(value, span)),
            Found::Complex(re, im) => Value::Expr(complex(re, im, span)),
            Found::Str(text) => Value::str(text),
            Found::NumPy(kind, value) => match self.found(*value, name, span)? {
                Value::Expr(value) => Value::Expr(numpy_constant(value, kind)),
                Value::Static(Static::Wide(value)) => {
                    super::wide::typed(value, kind, span).ok_or(Stop::Unknown)?
                }
                other => other,
            },
            Found::Tuple(members) => {
                let members: Result<Vec<Value>> =
                    members.into_iter().map(|member| self.found(member, name, span)).collect();
                Value::Tuple(members?)
            }
            Found::Slice(bounds) => {
                let [start, stop, step] = bounds.map(|bound| match bound {
                    Found::Int(value) => Some(int(value, span)),
                    _ => None,
                });
                Value::Slice(Box::new(SliceValue { start, stop, step }))
            }
            Found::Known(name) => Value::known(name),
            Found::Module(object) => Value::Static(Static::Module(object)),
            Found::Function(object) => Value::Static(Static::Function(object)),
            Found::Exception(object) => Value::Static(Static::Exception(object)),
            Found::Array(object, array) => {
                let number = match self.hidden.iter().position(|(known, _)| *known == object) {
                    Some(number) => number,
                    None => {
                        self.hidden.push((object, array));
                        self.changed = true;
                        self.hidden.len() - 1
                    }
                };
                Value::Expr(self.hidden_array(number, span))
            }
            Found::Refused(text) => return Err(Diagnostic::new(Class::Unsupported, span, text).into()),
        })
    }

    pub fn attribute(&mut self, value: Value, name: &str, span: Span) -> Result<Value> {
        let Value::Static(Static::Module(object)) = value else {
            return builtins::attribute(self, value, name, span);
        };
        let asked = (object, name.to_owned());
        let found = match self.attributes.get(&asked) {
            Some(found) => found.clone(),
            None => {
                let found = self.world.attribute(object, name);
                self.attributes.insert(asked, found.clone());
                found
            }
        };
        if found == Found::Missing {
            let message = format!("{} has no attribute '{name}'", self.world.module(object));
            return Err(Diagnostic::new(Class::AttributeError, span, message).into());
        }
        self.found(found, name, span)
    }
}

pub fn complex(re: f64, im: f64, span: Span) -> Expr {
    Expr::new(ExprKind::Complex(re, im), Type::Scalar(Scalar::COMPLEX), span)
}

fn numpy_constant(value: Expr, kind: Kind) -> Expr {
    let span = value.span;
    let cast = super::arithmetic::cast(value, Scalar::numpy(kind));
    let kind = match *cast.kind {
        // A cast of a constant that is known to fit.
        ExprKind::Cast { ref value, .. } => match *value.kind {
            ExprKind::Complex(re, im) => ExprKind::Complex(re, im),
            _ => return cast,
        },
        _ => return cast,
    };
    Expr::new(kind, cast.ty, span)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(40).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let up = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(up + 1).min(row[j] + 1);
            diagonal = up;
        }
    }
    row[b.len()]
}
