//! From the tree and the types of the arguments to the typed IR: types are inferred, meaning is made explicit, calls are inlined.
//!
//! Inference and lowering are one: the whole program is lowered again and again, each time with what the last pass found of the
//! variables' types (`versions`), until a pass finds nothing new; that pass's IR is the answer. What is not yet known ends the statement
//! (`Stop::Unknown`); errors count only in the pass in which nothing changed.

mod arithmetic;
mod arrays;
mod assign;
mod builtins;
mod choices;
mod effects;
mod expression;
mod function;
mod loops;
mod names;
mod raise;
mod recursion;
mod statement;
mod types;
mod value;
mod variables;
mod walk;
mod webs;
mod wide;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::compile::Argument;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Array, Block, Exception, Expr, ExprKind, Label, LoopId, Module, Shape, Source, Span, Statement,
    StatementKind, Type, Var, Variable,
};
use crate::world::{Found, World};

use function::{Frame, Instance, Loaded};
use value::Form;
use variables::{Key, Version};
use webs::{Analysed, Decisions};

/// Passes until types must have settled.
const MOST_PASSES: u32 = 60;
/// Statements of the IR, all functions together.
const MOST_STATEMENTS: usize = 100_000;

/// Why an expression or a statement was given up.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    Error(Box<Diagnostic>),
    /// Leans on a type that is not known yet.
    Unknown,
    /// Nothing after it is reached: what was emitted raises or leaves.
    Never,
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Error(Box::new(diagnostic))
    }
}

pub(crate) type Result<T, E = Stop> = std::result::Result<T, E>;

/// What is compiled, by module: the names of functions, and of arrays' attributes and methods. NumPy's functions that are written in Python
/// are not among them.
#[must_use]
pub fn known() -> Vec<(&'static str, Vec<&'static str>)> {
    builtins::known()
}

/// Lowers `entry`, a function of the world's, for these arguments.
///
/// # Errors
/// What cannot be compiled, with the sources that its spans count.
#[expect(clippy::result_large_err, reason = "once per compilation, and the caller wants both")]
pub fn lower(
    world: &mut dyn World,
    entry: u32,
    arguments: &[Argument],
) -> Result<Module, (Diagnostic, Vec<Source>)> {
    let mut lowerer = Lowerer::new(world);
    let outcome = lowerer.run(entry, arguments);
    outcome.map_err(|diagnostic| (diagnostic, std::mem::take(&mut lowerer.sources)))
}

pub(crate) struct Lowerer<'w> {
    pub world: &'w mut dyn World,
    // What outlives a pass.
    pub sources: Vec<Source>,
    exceptions: Vec<Exception>,
    hidden: Vec<(u32, Array)>,
    codes: HashMap<u32, Result<Rc<Loaded>, String>>,
    versions: HashMap<Key, Version>,
    paths: HashMap<(u32, usize, u32), u32>,
    /// Copies of functions around a function of its own: of which.
    origins: HashMap<u32, u32>,
    /// By path: the tests that the last pass decided; and the trees that were analysed so.
    decisions: HashMap<u32, Decisions>,
    variants: HashMap<(usize, Decisions), (u32, Rc<Analysed>)>,
    names: HashMap<(u32, String), Found>,
    attributes: HashMap<(u32, String), Found>,
    /// Functions of the library, by name.
    libraries: HashMap<String, Option<u32>>,
    instances: Vec<Instance>,
    /// Functions that are not inlined: by address of the tree.
    own: HashSet<usize>,
    // Of this pass.
    pass: u32,
    changed: bool,
    /// Types have settled: what is still unknown stays so.
    last: bool,
    errors: Vec<Diagnostic>,
    /// Array expressions that became loops: where, and of how many operations.
    fused: Vec<(Span, usize)>,
    statements: usize,
    work: Vec<usize>,
    // Of the IR function that is being made.
    variables: Vec<Variable>,
    labels: u32,
    loops: u32,
    block: Block,
    reachable: bool,
    frames: Vec<Frame>,
    hidden_vars: Vec<Var>,
    /// Of views that are kept in temporaries: the axes that have one element, whatever is passed.
    units: HashMap<Var, Vec<bool>>,
    /// Variables that hold Python's bool or NumPy's: arithmetic with the one is not that with the other.
    mixed: HashSet<Var>,
    /// How many `prange`s are around.
    within: usize,
    /// How many branches of conditions that are not known are around.
    branches: usize,
    /// Where the user's code calls the library's function that is being lowered, and how many branches are around that.
    library_call: Option<(Span, usize)>,
}

impl<'w> Lowerer<'w> {
    fn new(world: &'w mut dyn World) -> Self {
        Self {
            world,
            sources: Vec::new(),
            exceptions: Vec::new(),
            hidden: Vec::new(),
            codes: HashMap::new(),
            versions: HashMap::new(),
            paths: HashMap::new(),
            origins: HashMap::new(),
            decisions: HashMap::new(),
            variants: HashMap::new(),
            names: HashMap::new(),
            attributes: HashMap::new(),
            libraries: HashMap::new(),
            instances: Vec::new(),
            own: HashSet::new(),
            pass: 0,
            changed: false,
            last: false,
            errors: Vec::new(),
            fused: Vec::new(),
            statements: 0,
            work: Vec::new(),
            variables: Vec::new(),
            labels: 0,
            loops: 0,
            block: Vec::new(),
            reachable: true,
            frames: Vec::new(),
            hidden_vars: Vec::new(),
            units: HashMap::new(),
            mixed: HashSet::new(),
            within: 0,
            branches: 0,
            library_call: None,
        }
    }

    fn run(&mut self, entry: u32, arguments: &[Argument]) -> Result<Module, Diagnostic> {
        self.add_entry(entry, arguments)?;
        for _ in 0..MOST_PASSES {
            self.pass += 1;
            self.changed = false;
            self.errors.clear();
            self.exceptions.clear();
            self.statements = 0;
            self.fused.clear();
            for instance in &mut self.instances {
                instance.id = None;
            }
            self.refresh_instances();
            self.instances[0].id = Some(0);
            self.work = vec![0];
            let mut functions = Vec::new();
            while let Some(&instance) = self.work.get(functions.len()) {
                functions.push(self.instance(instance));
            }
            if self.statements > MOST_STATEMENTS {
                let message = "this function and those that it calls are too much for one compilation";
                return Err(Diagnostic::new(Class::Unsupported, functions[0].span, message).advice(
                    "split it: a jitted function that is called from Python is compiled on its own",
                ));
            }
            if self.changed {
                continue;
            }
            if !self.last && self.errors.is_empty() {
                self.last = true;
                continue;
            }
            if !self.errors.is_empty() {
                return Err(self.errors.swap_remove(0));
            }
            return Ok(Module {
                result: self.result_shape(functions[0].span)?,
                sources: std::mem::take(&mut self.sources),
                functions,
                exceptions: std::mem::take(&mut self.exceptions),
                fused: std::mem::take(&mut self.fused),
                hidden: self.hidden.iter().map(|(number, _)| *number).collect(),
            });
        }
        let span = self.instances[0].around.tree.function.span;
        Err(Diagnostic::new(Class::Unsupported, span, "the types of this function's variables do not settle")
            .advice("give a variable that changes its type another name"))
    }

    fn result_shape(&mut self, span: Span) -> Result<Shape, Diagnostic> {
        match self.form_of(Key { path: self.instances[0].around.path, web: variables::RESULT }) {
            Some(form) => shape(&form, span),
            None => Ok(Shape::None),
        }
    }

    /// A new temporary.
    pub fn temp(&mut self, ty: Type) -> Var {
        self.variable(None, ty)
    }

    pub fn variable(&mut self, name: Option<String>, ty: Type) -> Var {
        self.variables.push(Variable { name, ty });
        Var(self.variables.len() as u32 - 1)
    }

    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Another type for a variable that nothing has read yet.
    pub fn retype(&mut self, var: Var, ty: Type) {
        self.variables[var.0 as usize].ty = ty;
    }

    pub fn loop_id(&mut self) -> LoopId {
        self.loops += 1;
        LoopId(self.loops - 1)
    }

    /// Adds a statement to the block that is being made.
    pub fn emit(&mut self, kind: StatementKind, span: Span) {
        self.statements += 1;
        self.block.push(Statement { kind, span });
    }

    pub fn assign(&mut self, var: Var, value: Expr) {
        let span = value.span;
        self.emit(StatementKind::Assign { var, value }, span);
    }

    /// Evaluates now: the result may be read any number of times, whatever is assigned in between.
    pub fn spill(&mut self, value: Expr) -> Expr {
        if value::is_constant(&value) { value } else { self.keep(value) }
    }

    /// As `spill`, but a variable is taken as it stands.
    pub fn simple(&mut self, value: Expr) -> Expr {
        if value::is_simple(&value) { value } else { self.keep(value) }
    }

    /// Keeps it in a new temporary; arrays that are just made (`View`, `New`) must be.
    pub fn keep(&mut self, value: Expr) -> Expr {
        let (ty, span) = (value.ty, value.span);
        let var = self.temp(ty);
        self.assign(var, value);
        Expr::new(ExprKind::Var(var), ty, span)
    }

    /// What `make` emits, as a block of its own.
    pub fn apart<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> (T, Block) {
        let outer = std::mem::take(&mut self.block);
        let result = make(self);
        (result, std::mem::replace(&mut self.block, outer))
    }

    pub fn if_then(&mut self, condition: Expr, then: Block, orelse: Block, span: Span) {
        if !(then.is_empty() && orelse.is_empty()) {
            self.emit(StatementKind::If { condition, then, orelse }, span);
        }
    }

    /// Raises one of Python's exceptions.
    pub fn raise_builtin(&mut self, class: &str, message: &str, values: Vec<Expr>, span: Span) {
        let exception = self.exception(Exception::Builtin(class.into()));
        self.emit(StatementKind::Raise { exception, message: Some(message.into()), values }, span);
    }

    /// `if condition: raise class(message)`.
    pub fn raise_if(&mut self, condition: Expr, class: &str, message: &str, values: Vec<Expr>, span: Span) {
        let ((), then) = self.apart(|this| this.raise_builtin(class, message, values, span));
        self.if_then(condition, then, Vec::new(), span);
    }

    pub fn exception(&mut self, exception: Exception) -> u32 {
        let found = self.exceptions.iter().position(|known| *known == exception);
        found.unwrap_or_else(|| {
            self.exceptions.push(exception);
            self.exceptions.len() - 1
        }) as u32
    }

    /// A place in the function that is being lowered.
    pub fn at(&self, span: Span) -> Span {
        Span { source: self.frame().around.source, ..span }
    }
}

fn shape(form: &Form, span: Span) -> Result<Shape, Diagnostic> {
    Ok(match form {
        Form::Type(ty) => Shape::Value(*ty),
        Form::Tuple(members) => {
            Shape::Tuple(members.iter().map(|member| shape(member, span)).collect::<Result<_, _>>()?)
        }
        Form::None => Shape::None,
        Form::Static(known) => {
            let message = format!("a compiled function cannot return this: {}", types::static_name(known));
            return Err(Diagnostic::new(Class::Unsupported, span, message)
                .advice("return numbers, arrays, tuples of them, or None"));
        }
    })
}
