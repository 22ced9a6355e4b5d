//! Functions: how arguments are bound, calls inlined, and recursion made into functions of their own.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::types::form_name;
use super::value::{Around, Closure, Form, Static, Value, boolean, is_simple};
use super::variables::{Key, RESULT, not_storable, rebuild};
use super::webs::{Analysed, Decisions, address};
use super::{Lowerer, Result, Stop};
use crate::ast::{self, Parameter, ParameterKind};
use crate::compile::Argument;
use crate::diagnostic::{Class, Diagnostic, Untaken};
use crate::ir::{Expr, ExprKind, Function, Label, Scalar, Span, StatementKind, Type, Var};
use crate::world::Found;

/// Calls inlined within each other; past it a function stands on its own.
const DEEPEST_INLINED: usize = 24;
/// A plain or jitted function, read.
#[derive(Debug)]
pub struct Loaded {
    pub tree: Rc<Analysed>,
    scope: u32,
    source: u16,
    defaults: Vec<(String, Found)>,
}

/// A function that is being lowered.
pub struct Frame {
    pub around: Rc<Around>,
    /// Inlined: what its `return` leaves.
    label: Option<Label>,
    pub loops: Vec<LoopTarget>,
    /// Which copies of unrolled loops' bodies this is.
    pub salt: u32,
    returned: bool,
    /// Some statement was given up for now.
    pub unknown: bool,
    /// Its path, whatever is decided.
    base: u32,
    /// Tests of `if` that were met, by address, and what they always are.
    pub decided: BTreeMap<usize, Option<bool>>,
}

/// What `break` and `continue` do in the innermost loop.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopTarget {
    /// None: the IR's own.
    pub leave: Option<Label>,
    pub next: Option<Label>,
    pub broken: bool,
}

/// A function that is not inlined, for one list of arguments' types.
pub struct Instance {
    pub around: Rc<Around>,
    /// Its path, whatever is decided.
    pub base: u32,
    /// Of which copy of the function around it.
    pub origin: Option<u32>,
    pub forms: Vec<Form>,
    /// Number in this pass's module.
    pub id: Option<u32>,
    /// It always raises.
    pub never: bool,
}

/// Arguments of a call, evaluated.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    pub positional: Vec<(Value, Span)>,
    pub keywords: Vec<(String, Value, Span)>,
}

impl Arguments {
    /// With no array that is not made yet.
    pub fn made(mut self, lowerer: &mut Lowerer<'_>) -> Result<Self> {
        let keywords = self.keywords.iter_mut().map(|(_, value, _)| value);
        for value in self.positional.iter_mut().map(|(value, _)| value).chain(keywords) {
            *value = lowerer.made(value.clone())?;
        }
        Ok(self)
    }

    /// None may be an int past 64 bits.
    pub fn held(&self) -> Result<()> {
        let keywords = self.keywords.iter().map(|(_, value, place)| (value, *place));
        let mut all = self.positional.iter().map(|(value, place)| (value, *place)).chain(keywords);
        all.try_for_each(|(value, place)| super::wide::held(value.clone(), place).map(drop))
    }
}

pub struct Callee {
    pub tree: Rc<Analysed>,
    pub scope: u32,
    pub source: u16,
    pub around: Option<Rc<Around>>,
}

impl Lowerer<'_> {
    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("something is being lowered")
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("something is being lowered")
    }

    fn load(&mut self, object: u32) -> Result<Rc<Loaded>, String> {
        if let Some(known) = self.codes.get(&object) {
            return known.clone();
        }
        let loaded = self.world.function(object).map(|code| {
            self.sources.push(code.source);
            let source = (self.sources.len() - 1) as u16;
            Rc::new(Loaded {
                tree: Analysed::new(code.tree),
                scope: code.scope,
                source,
                defaults: code.defaults,
            })
        });
        self.codes.insert(object, loaded.clone());
        loaded
    }

    pub fn intern(&mut self, parent: u32, place: usize, salt: u32) -> u32 {
        let next = self.paths.len() as u32 + 1;
        *self.paths.entry((parent, place, salt)).or_insert(next)
    }

    pub fn add_entry(&mut self, entry: u32, arguments: &[Argument]) -> Result<(), Diagnostic> {
        let loaded =
            self.load(entry).map_err(|text| Diagnostic::new(Class::Unsupported, Span::default(), text))?;
        let around = Rc::new(Around {
            path: 0,
            tree: loaded.tree.clone(),
            scope: loaded.scope,
            source: loaded.source,
            around: None,
        });
        let parameters = &loaded.tree.function.parameters;
        if parameters.len() != arguments.len() {
            let message = format!("{} arguments for {} parameters", arguments.len(), parameters.len());
            return Err(Diagnostic::new(Class::TypeError, loaded.tree.function.span, message));
        }
        let forms = arguments.iter().map(argument_form).collect();
        self.instances.push(Instance { around, base: 0, origin: None, forms, id: None, never: false });
        Ok(())
    }

    /// Lowers a function that is not inlined.
    pub fn instance(&mut self, number: usize) -> Function {
        let around = self.instances[number].around.clone();
        let forms = self.instances[number].forms.clone();
        let tree = around.tree.clone();
        let span = Span { source: around.source, ..tree.function.span };
        self.variables.clear();
        self.units.clear();
        self.mixed.clear();
        self.within = 0;
        self.block.clear();
        (self.labels, self.loops, self.reachable) = (0, 0, true);
        self.frames = vec![Frame::new(around.clone(), self.instances[number].base, None)];
        self.hidden_vars.clear();

        let mut parameters = Vec::new();
        self.init_flags(&around, span);
        for (parameter, form) in tree.function.parameters.iter().zip(&forms) {
            self.parameter(&around, parameter, form, &mut parameters);
        }
        for (key, name) in self.captures(&around) {
            if self.form_of(key).is_some() {
                parameters.extend(self.vars_of(key, Some(&name)));
            }
        }
        for (_, array) in self.hidden.clone() {
            let var = self.variable(Some("hidden".into()), Type::Array(array));
            self.hidden_vars.push(var);
        }
        parameters.extend(&self.hidden_vars);

        if let Some(trouble) = &tree.trouble {
            let mut trouble = trouble.clone();
            trouble.span.source = around.source;
            trouble.notes.iter_mut().for_each(|(span, _)| span.source = around.source);
            self.errors.push(trouble);
        } else {
            self.body(&tree.function.body);
            if self.reachable && !self.frame().unknown {
                if let Err(Stop::Error(error)) = self.give_back_none(&tree, around.source) {
                    self.errors.push(*error);
                }
            }
        }
        let frame = self.frames.pop();
        if let Some(frame) = frame {
            self.keep_decisions(&frame);
            self.instances[number].never = !frame.returned && !frame.unknown;
        }
        let mut results = Vec::new();
        if let Some(form) = self.form_of(Key { path: around.path, web: RESULT }) {
            form.flatten(&mut results);
        }
        Function {
            name: tree.function.name.clone(),
            span,
            parameters,
            results,
            variables: std::mem::take(&mut self.variables),
            body: std::mem::take(&mut self.block),
        }
    }

    fn parameter(&mut self, around: &Around, parameter: &Parameter, form: &Form, into: &mut Vec<Var>) {
        let Some(web) = around.tree.definition(parameter) else { return };
        let key = Key { path: around.path, web };
        let span = Span { source: around.source, ..parameter.span };
        let name = Some(parameter.name.as_str());
        if let Err(Stop::Error(error)) = self.widen(key, form, name, span) {
            return self.errors.push(*error);
        }
        if self.form_of(key).as_ref() == Some(form) {
            into.extend(self.vars_of(key, name));
            self.mark_bound(key, span);
            return;
        }
        let mut types = Vec::new();
        form.flatten(&mut types);
        let vars: Vec<Var> =
            types.into_iter().map(|ty| self.variable(Some(parameter.name.clone()), ty)).collect();
        into.extend(&vars);
        let value = rebuild(form, &mut vars.into_iter(), span);
        if let Err(Stop::Error(error)) = self.define(key, value, name, span) {
            self.errors.push(*error);
        }
    }

    fn init_flags(&mut self, around: &Around, span: Span) {
        for (number, web) in around.tree.webs.iter().enumerate().filter(|(_, web)| web.flagged) {
            let flag = self.bound_flag(Key { path: around.path, web: number as u32 }, &web.name);
            self.assign(flag, boolean(false, span));
        }
    }

    /// The variables around a nested function that it, or a function in it, names.
    pub fn captures(&self, around: &Around) -> Vec<(Key, String)> {
        let mut found = Vec::new();
        for name in &around.tree.free {
            let mut outer = around.around.as_ref();
            while let Some(level) = outer {
                if level.tree.is_local(name) {
                    if let Some(web) = level.tree.captured(name) {
                        found.push((Key { path: level.path, web }, name.clone()));
                    }
                    break;
                }
                outer = level.around.as_ref();
            }
        }
        found
    }

    /// A function that just ends.
    fn give_back_none(&mut self, tree: &Analysed, source: u16) -> Result<()> {
        let last = tree.function.body.last().map_or(tree.function.span, |last| last.span);
        self.give_back(Value::None, Span { source, ..last }).map_err(|stop| match stop {
            Stop::Error(mut error) if error.label == "None here" => {
                error.label = "after this the function ends: None".into();
                Stop::Error(error)
            }
            other => other,
        })
    }

    /// `return value`.
    pub fn give_back(&mut self, value: Value, span: Span) -> Result<()> {
        self.reachable = false;
        let Some(form) = value.form() else { return Err(not_storable(&value, span).into()) };
        let key = Key { path: self.frame().around.path, web: RESULT };
        match self.frame().label {
            Some(label) => {
                self.define(key, value, None, span)?;
                self.emit(StatementKind::Leave(label), span);
            }
            None => {
                self.widen(key, &form, None, span)?;
                if has_static(&form) {
                    let message = format!("{} cannot be returned from here", form_name(&form));
                    return Err(Diagnostic::new(Class::Unsupported, span, message)
                        .advice("return numbers, arrays, tuples of them, or None")
                        .into());
                }
                let form = self.form_of(key).ok_or(Stop::Unknown)?;
                let mut values = Vec::new();
                self.flatten(&form, value, &mut values);
                self.emit(StatementKind::Return(values), span);
            }
        }
        self.frame_mut().returned = true;
        Ok(())
    }

    /// The scalars and arrays of a value, converted to those of `form`.
    pub fn flatten(&mut self, form: &Form, value: Value, into: &mut Vec<Expr>) {
        match (form, value) {
            (Form::Type(Type::Scalar(scalar)), Value::Expr(value)) => {
                let value = self.widened(value, *scalar);
                into.push(value);
            }
            (Form::Type(_), Value::Expr(value)) => into.push(value),
            (Form::Tuple(forms), Value::Tuple(members)) => {
                for (form, member) in forms.iter().zip(members) {
                    self.flatten(form, member, into);
                }
            }
            _ => {}
        }
    }

    /// Calls a plain, jitted or nested function. `place` tells calls apart: the address of the call's node.
    pub fn call_function(
        &mut self,
        callee: &Static,
        arguments: Arguments,
        place: usize,
        span: Span,
    ) -> Result<Value> {
        let (callee, defaults) = match callee {
            Static::Function(object) => {
                let loaded =
                    self.load(*object).map_err(|text| Diagnostic::new(Class::Unsupported, span, text))?;
                let callee = Callee {
                    tree: loaded.tree.clone(),
                    scope: loaded.scope,
                    source: loaded.source,
                    around: None,
                };
                (callee, Some(loaded))
            }
            Static::Closure(closure) => {
                let Closure { tree, around } = &**closure;
                let callee = Callee {
                    tree: tree.clone(),
                    scope: around.scope,
                    source: around.source,
                    around: Some(around.clone()),
                };
                (callee, None)
            }
            other => {
                let message = format!(
                    "'{}' object is not callable",
                    super::types::python_name(&Form::Static(other.clone()))
                );
                return Err(Diagnostic::new(Class::TypeError, span, message).into());
            }
        };
        if let Some(trouble) = &callee.tree.trouble {
            let mut trouble = trouble.clone();
            trouble.span.source = callee.source;
            trouble.notes.iter_mut().for_each(|(span, _)| span.source = callee.source);
            return Err(trouble.note(span, "called here").into());
        }
        let values = self.bind(&callee, defaults.as_deref(), arguments, span)?;
        let tree = callee.tree.id();
        let recursive = self.frames.iter().any(|frame| frame.around.tree.id() == tree);
        if (recursive || self.frames.len() > DEEPEST_INLINED) && self.own.insert(tree) {
            self.changed = true;
        }
        if self.own.contains(&tree) {
            self.call_own(&callee, values, span)
        } else {
            self.inline(callee, values, place, span)
        }
    }

    /// One value for each parameter.
    fn bind(
        &mut self,
        callee: &Callee,
        loaded: Option<&Loaded>,
        arguments: Arguments,
        span: Span,
    ) -> Result<Vec<Value>> {
        let function = &callee.tree.function;
        let name = &function.name;
        let error = |message: String| Diagnostic::new(Class::TypeError, span, format!("{name}() {message}"));
        let fail = |message: String| Stop::from(error(message));
        let parameters = &function.parameters;
        let mut values: Vec<Option<Value>> = vec![None; parameters.len()];
        let by_place: Vec<usize> = (0..parameters.len())
            .filter(|one| matches!(parameters[*one].kind, ParameterKind::Positional | ParameterKind::Normal))
            .collect();
        let given = arguments.positional.len();
        let mut rest = Vec::new();
        for (number, (value, _)) in arguments.positional.into_iter().enumerate() {
            match by_place.get(number) {
                Some(&parameter) => values[parameter] = Some(value),
                None => rest.push(value),
            }
        }
        if let Some(parameter) = parameters.iter().position(|one| one.kind == ParameterKind::VarArgs) {
            values[parameter] = Some(Value::Tuple(rest));
        } else if !rest.is_empty() {
            let count = by_place.len();
            let plural = if count == 1 { "" } else { "s" };
            let was = if given == 1 { "was" } else { "were" };
            let message = format!("takes {count} positional argument{plural} but {given} {was} given");
            return Err(error(message).untaken(Untaken::Place(count)).into());
        }
        if let Some(one) = parameters.iter().find(|one| one.kind == ParameterKind::VarKeywords) {
            return Err(Diagnostic::new(
                Class::Unsupported,
                span,
                format!("{name}() takes `**{}`, which is not compiled", one.name),
            )
            .advice("give the function named parameters")
            .into());
        }
        for (keyword, value, _) in arguments.keywords {
            let found = parameters.iter().position(|one| {
                one.name == keyword && matches!(one.kind, ParameterKind::Normal | ParameterKind::Keyword)
            });
            let Some(parameter) = found else {
                let message = format!("got an unexpected keyword argument '{keyword}'");
                return Err(error(message).untaken(Untaken::Keyword(keyword)).into());
            };
            if values[parameter].replace(value).is_some() {
                return Err(fail(format!("got multiple values for argument '{keyword}'")));
            }
        }
        let mut bound = Vec::new();
        let mut missing = Vec::new();
        for (parameter, value) in parameters.iter().zip(values) {
            let value = match value {
                Some(value) => Some(value),
                None => self.default(callee, loaded, parameter, span)?,
            };
            match value {
                Some(value) => bound.push(value),
                None => missing.push((parameter.name.as_str(), parameter.kind == ParameterKind::Keyword)),
            }
        }
        let Some((_, keyword_only)) = missing.first().copied() else { return Ok(bound) };
        missing.retain(|(_, keyword)| *keyword == keyword_only);
        let kind = if keyword_only { "keyword-only" } else { "positional" };
        let plural = if missing.len() == 1 { "" } else { "s" };
        let quoted: Vec<String> = missing.iter().map(|(name, _)| format!("'{name}'")).collect();
        let list = match quoted.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            [init @ .., last] => format!("{}, and {last}", init.join(", ")),
            [] => String::new(),
        };
        Err(fail(format!("missing {} required {kind} argument{plural}: {list}", missing.len())))
    }

    fn default(
        &mut self,
        callee: &Callee,
        loaded: Option<&Loaded>,
        parameter: &Parameter,
        span: Span,
    ) -> Result<Option<Value>> {
        match (loaded, &callee.around) {
            (Some(loaded), _) => {
                let found = loaded.defaults.iter().find(|(name, _)| *name == parameter.name);
                match found {
                    Some((name, found)) => self.found(found.clone(), name, span).map(Some),
                    None => Ok(None),
                }
            }
            (None, Some(around)) if parameter.default.is_some() => {
                let path = self.intern(around.path, address(parameter), 0);
                match self.value_of(Key { path, web: 0 }, Some(&parameter.name), span) {
                    Some(value) => Ok(Some(value)),
                    None => Err(Stop::Unknown),
                }
            }
            _ => Ok(None),
        }
    }

    /// A nested `def` or a lambda is reached: its defaults are evaluated now, its variables when it is called.
    pub fn closure(&mut self, function: &ast::Function) -> Result<Value> {
        let around = self.frame().around.clone();
        let tree = around.tree.nested(function).ok_or(Stop::Unknown)?;
        for (written, parameter) in function.parameters.iter().zip(&tree.function.parameters) {
            let Some(default) = &written.default else { continue };
            let span = self.at(default.span);
            let value = self.expr(default)?;
            let constant = match &value {
                Value::Expr(expr) => super::value::is_constant(expr),
                Value::None | Value::Static(_) => true,
                _ => false,
            };
            if !constant && self.frames.iter().any(|frame| !frame.loops.is_empty()) {
                let message = "a default of a function that is made in a loop must be a constant";
                return Err(Diagnostic::new(Class::Unsupported, span, message)
                    .advice("make the function before the loop, and pass the value as an argument")
                    .into());
            }
            let path = self.intern(around.path, address(parameter), 0);
            self.define(Key { path, web: 0 }, value, Some(&parameter.name), span)?;
        }
        Ok(Value::Static(Static::Closure(Rc::new(Closure { tree, around }))))
    }

    fn inline(&mut self, callee: Callee, values: Vec<Value>, place: usize, span: Span) -> Result<Value> {
        let (parent, salt) = (self.frame().around.path, self.frame().salt);
        let path = self.intern(parent, place, salt);
        // A callee that changes at this place from pass to pass gets versions of its own.
        let path =
            self.intern(path, address(&*callee.tree), callee.around.as_ref().map_or(0, |around| around.path));
        let base = path;
        let Callee { tree, scope, source, around } = callee;
        let (path, tree) = self.decide(base, &tree);
        let around = Rc::new(Around { path, tree, scope, source, around });
        let label = self.label();
        let result = Key { path, web: RESULT };
        let (outcome, mut body) = self.apart(|this| {
            this.frames.push(Frame::new(around.clone(), base, Some(label)));
            let outcome = this.inlined_body(&around, values, span);
            let frame = this.frames.pop();
            if let Some(frame) = &frame {
                this.keep_decisions(frame);
            }
            outcome.map(|()| frame)
        });
        self.reachable = true;
        let frame = outcome?;
        if matches!(body.last().map(|last| &last.kind), Some(StatementKind::Leave(last)) if *last == label) {
            body.pop();
        }
        self.emit(StatementKind::Labelled { label, body, call: Some(span) }, span);
        let (returned, unknown) = frame.map_or((false, false), |frame| (frame.returned, frame.unknown));
        match self.value_of(result, None, span) {
            Some(value) if returned => {
                self.refuse_made_in_loop(&value, path, span)?;
                Ok(value)
            }
            _ if unknown => Err(Stop::Unknown),
            _ => Err(Stop::Never),
        }
    }

    /// A function's tree and path, as the last pass decided its tests.
    fn decide(&mut self, base: u32, tree: &Rc<Analysed>) -> (u32, Rc<Analysed>) {
        let Some(decisions) = self.decisions.get(&base).filter(|decisions| !decisions.is_empty()) else {
            return (base, tree.clone());
        };
        let next = self.variants.len() as u32;
        let variant = (tree.id(), decisions.clone());
        let (number, tree) = self
            .variants
            .entry(variant)
            .or_insert_with_key(|(_, decisions)| (next, tree.decided(decisions)))
            .clone();
        (self.intern(base, number as usize, u32::MAX - 2), tree)
    }

    /// What was decided in this pass counts in the next.
    fn keep_decisions(&mut self, frame: &Frame) {
        let found: Decisions =
            frame.decided.iter().filter_map(|(test, known)| known.map(|known| (*test, known))).collect();
        let before = self.decisions.entry(frame.base).or_default();
        if *before != found {
            *before = found;
            self.changed = true;
        }
    }

    /// Functions of their own as the last pass decided their tests.
    pub fn refresh_instances(&mut self) {
        for number in 0..self.instances.len() {
            let Instance { around, base, .. } = &self.instances[number];
            let (base, around) = (*base, around.clone());
            let (path, tree) = self.decide(base, &around.tree);
            if path != around.path {
                let Around { scope, source, ref around, .. } = *around;
                self.instances[number].around =
                    Rc::new(Around { path, tree, scope, source, around: around.clone() });
            }
        }
    }

    fn inlined_body(&mut self, around: &Rc<Around>, values: Vec<Value>, span: Span) -> Result<()> {
        self.init_flags(around, span);
        let tree = around.tree.clone();
        for (parameter, value) in tree.function.parameters.iter().zip(values) {
            let Some(web) = tree.definition(parameter) else { continue };
            let key = Key { path: around.path, web };
            let fixed = tree.webs.get(web as usize).is_some_and(|web| web.definitions == 1 && !web.captured);
            let name = Some(parameter.name.as_str());
            if fixed && may_stand_in(&value) {
                self.stand_in(key, value, name, span)?;
            } else {
                self.define(key, value, name, span)?;
            }
        }
        self.reachable = true;
        self.body(&tree.function.body);
        if self.reachable {
            self.give_back_none(&tree, around.source)?;
        }
        Ok(())
    }

    /// A function that an inlined one made and that sees its variables: in a loop, the next turn would change them under it.
    fn refuse_made_in_loop(&self, value: &Value, path: u32, span: Span) -> Result<()> {
        let made = match value {
            Value::Static(Static::Closure(closure)) => closure.around.path == path,
            Value::Tuple(members) => {
                return members.iter().try_for_each(|member| self.refuse_made_in_loop(member, path, span));
            }
            _ => false,
        };
        if made && self.frames.iter().any(|frame| !frame.loops.is_empty()) {
            let message = "a function that is made anew in each turn of a loop";
            return Err(Diagnostic::new(Class::Unsupported, span, message)
                .advice("make it before the loop, and pass what changes as an argument")
                .into());
        }
        Ok(())
    }

    /// An array of a global or a closure.
    pub fn hidden_array(&mut self, number: usize, span: Span) -> Expr {
        let ty = Type::Array(self.hidden[number].1);
        let var = match self.hidden_vars.get(number) {
            Some(var) => *var,
            None => self.temp(ty),
        };
        Expr::new(ExprKind::Var(var), ty, span)
    }
}

impl Frame {
    fn new(around: Rc<Around>, base: u32, label: Option<Label>) -> Self {
        let decided = BTreeMap::new();
        Self { around, label, loops: Vec::new(), salt: 0, returned: false, unknown: false, base, decided }
    }
}

fn argument_form(argument: &Argument) -> Form {
    match argument {
        Argument::None => Form::None,
        Argument::Scalar(Scalar { kind, flavour }) => {
            Form::Type(Type::Scalar(Scalar { kind: *kind, flavour: *flavour }))
        }
        Argument::Array(array) => Form::Type(Type::Array(*array)),
        Argument::Tuple(members) => Form::Tuple(members.iter().map(argument_form).collect()),
    }
}

fn has_static(form: &Form) -> bool {
    match form {
        Form::Static(_) => true,
        Form::Tuple(members) => members.iter().any(has_static),
        Form::Type(_) | Form::None => false,
    }
}

/// Nothing that the callee does changes it.
fn may_stand_in(value: &Value) -> bool {
    match value {
        Value::Expr(expr) => is_simple(expr),
        Value::Tuple(members) => members.iter().all(may_stand_in),
        Value::None | Value::Static(_) => true,
        Value::Slice(_) | Value::Iterable(_) | Value::Lazy(_) | Value::Text(_) => false,
    }
}
