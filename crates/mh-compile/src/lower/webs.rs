//! Which definitions of a variable reach which uses. Definitions that reach a common use are one web: a version of the variable, with a
//! type of its own. Variables that nested functions see are one web each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::walk::{self, Node};
use crate::ast::{Constant, Expr, ExprKind, Function, Statement, StatementKind};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::Span;

/// Tests of `if`, by address, that are known when compiling, and what they are.
pub type Decisions = BTreeMap<usize, bool>;

/// A function's tree with what was found of its variables. Nodes are told apart by their addresses: the tree does not move.
#[derive(Debug)]
pub struct Analysed {
    pub function: Rc<Function>,
    pub webs: Vec<Web>,
    /// Names that are not its own, nor a nested function's.
    pub free: BTreeSet<String>,
    /// What keeps it from being compiled at all.
    pub trouble: Option<Diagnostic>,
    uses: HashMap<usize, Use>,
    definitions: HashMap<usize, u32>,
    nested: HashMap<usize, Rc<Analysed>>,
    locals: HashMap<String, u32>,
    captured: HashMap<u32, u32>,
}

#[derive(Debug, Clone)]
pub struct Web {
    pub name: String,
    /// A path without a definition reaches some use: whether it is bound is kept in a variable.
    pub flagged: bool,
    pub definitions: u32,
    pub captured: bool,
    /// A use that several definitions reach.
    pub meets: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// None where no definition reaches it.
    pub web: Option<u32>,
    /// Some path reaches it without a definition.
    pub unbound: bool,
}

pub fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

pub fn is_true(test: &Expr) -> bool {
    matches!(&*test.kind, ExprKind::Constant(Constant::Bool(true)))
        || matches!(&*test.kind, ExprKind::Constant(Constant::Int(Ok(value))) if *value != 0)
}

impl Analysed {
    pub fn new(function: Function) -> Rc<Self> {
        Self::of(Rc::new(function), HashMap::new(), &Decisions::new())
    }

    /// The same function where some tests are decided when compiling: what is not reached defines nothing.
    pub fn decided(&self, decisions: &Decisions) -> Rc<Self> {
        Self::of(self.function.clone(), self.nested.clone(), decisions)
    }

    /// Tells functions apart, whatever is decided.
    pub fn id(&self) -> usize {
        address(&*self.function)
    }

    fn of(function: Rc<Function>, nested: HashMap<usize, Rc<Self>>, decisions: &Decisions) -> Rc<Self> {
        let mut this = Self {
            function,
            webs: Vec::new(),
            free: BTreeSet::new(),
            trouble: None,
            uses: HashMap::new(),
            definitions: HashMap::new(),
            nested,
            locals: HashMap::new(),
            captured: HashMap::new(),
        };
        if let Some(span) = walk::too_deep(&this.function) {
            this.trouble = Some(
                Diagnostic::new(Class::Unsupported, span, "this is nested too deep to be compiled")
                    .advice("keep parts of it in variables, or in functions of their own"),
            );
            return Rc::new(this);
        }
        let function = this.function.clone();
        this.analyse(&function, decisions);
        Rc::new(this)
    }

    pub fn usage(&self, name: &Expr) -> Option<Use> {
        self.uses.get(&address(name)).copied()
    }

    /// `node`: the target, the parameter, or the nested function.
    pub fn definition<T>(&self, node: &T) -> Option<u32> {
        self.definitions.get(&address(node)).copied()
    }

    pub fn nested(&self, function: &Function) -> Option<Rc<Self>> {
        self.nested.get(&address(function)).cloned()
    }

    pub fn is_local(&self, name: &str) -> bool {
        self.locals.contains_key(name)
    }

    pub fn local_names(&self) -> impl Iterator<Item = &str> {
        self.locals.keys().map(String::as_str)
    }

    /// The web that nested functions see.
    pub fn captured(&self, name: &str) -> Option<u32> {
        self.captured.get(self.locals.get(name)?).copied()
    }

    fn analyse(&mut self, function: &Function, decisions: &Decisions) {
        let (locals, loads) = names(function, &mut self.trouble);
        for (number, name) in locals.iter().enumerate() {
            self.locals.insert(name.clone(), number as u32);
        }
        self.free.extend(loads.into_iter().filter(|name| !self.locals.contains_key(name)));
        let mut flow = Flow {
            analysed: self,
            names: locals.into_iter().collect(),
            definitions: vec![Definition { local: u32::MAX, parent: 0 }],
            by_node: HashMap::new(),
            uses: HashMap::new(),
            seen: HashMap::new(),
            meetings: Vec::new(),
            loops: Vec::new(),
            decisions,
        };
        let mut state: State = Some(vec![vec![0]; flow.names.len()]);
        for parameter in &function.parameters {
            flow.define(&mut state, address(parameter), &parameter.name);
        }
        flow.block(&mut state, &function.body);
        flow.finish();
    }
}

/// Its locals, and the names that it and the functions in it load.
fn names(function: &Function, trouble: &mut Option<Diagnostic>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut locals: BTreeSet<String> =
        function.parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let mut loads = BTreeSet::new();
    let mut declared = Vec::new();
    let mut stack: Vec<Node<'_>> = function.body.iter().map(Node::Statement).collect();
    while let Some(node) = stack.pop() {
        match node {
            Node::Statement(statement) => match &statement.kind {
                StatementKind::Global(names) | StatementKind::Nonlocal(names) => {
                    declared.extend(names.iter().map(|name| (name.clone(), statement)));
                }
                _ => bind_statement(statement, &mut locals),
            },
            Node::Expr(expr) => match &*expr.kind {
                ExprKind::Name(name) => {
                    loads.insert(name.clone());
                }
                ExprKind::NamedExpr(target, _) => bind(target, &mut locals),
                _ => {}
            },
            Node::Function(nested) => {
                let (inner, free) = names(nested, &mut None);
                loads.extend(free.into_iter().filter(|name| !inner.contains(name)));
                stack.extend(nested.parameters.iter().filter_map(|one| one.default.as_ref()).map(Node::Expr));
                continue;
            }
        }
        walk::children(node, &mut stack);
    }
    for (name, declaration) in declared {
        if locals.contains(&name) {
            let word =
                if matches!(declaration.kind, StatementKind::Global(_)) { "global" } else { "nonlocal" };
            let message = format!("`{word} {name}`: compiled functions do not rebind variables of others");
            trouble.get_or_insert_with(|| {
                Diagnostic::new(
                    Class::Unsupported,
                    bound_at(&function.body, &name).unwrap_or(declaration.span),
                    message,
                )
                .note(declaration.span, "declared here")
                .advice("return the new value, or keep it in an array of one element")
            });
        }
    }
    (locals, loads)
}

fn bind_statement(statement: &Statement, into: &mut BTreeSet<String>) {
    match &statement.kind {
        StatementKind::Assign(targets, _) => targets.iter().for_each(|target| bind(target, into)),
        StatementKind::AugAssign(target, ..)
        | StatementKind::AnnAssign(target, _)
        | StatementKind::For(target, ..) => bind(target, into),
        StatementKind::FunctionDef(nested) => {
            into.insert(nested.name.clone());
        }
        _ => {}
    }
}

fn bind(target: &Expr, into: &mut BTreeSet<String>) {
    match &*target.kind {
        ExprKind::Name(name) => {
            into.insert(name.clone());
        }
        ExprKind::Tuple(members) | ExprKind::List(members) => {
            members.iter().for_each(|member| bind(member, into))
        }
        ExprKind::Starred(inner) => bind(inner, into),
        _ => {}
    }
}

/// The first statement that assigns a variable of this name.
fn bound_at(body: &[Statement], name: &str) -> Option<Span> {
    let mut stack: Vec<Node<'_>> = body.iter().rev().map(Node::Statement).collect();
    while let Some(node) = stack.pop() {
        if let Node::Statement(statement) = node {
            let mut found = BTreeSet::new();
            bind_statement(statement, &mut found);
            if found.contains(name) {
                return Some(statement.span);
            }
        }
        if !matches!(node, Node::Function(_)) {
            walk::children(node, &mut stack);
        }
    }
    None
}

/// Whether statements assign a variable of this name.
pub fn binds(body: &[Statement], name: &str) -> bool {
    let mut found = BTreeSet::new();
    let mut stack: Vec<Node<'_>> = body.iter().map(Node::Statement).collect();
    while let Some(node) = stack.pop() {
        match node {
            Node::Statement(statement) => bind_statement(statement, &mut found),
            Node::Expr(expr) => {
                if let ExprKind::NamedExpr(target, _) = &*expr.kind {
                    bind(target, &mut found);
                }
            }
            Node::Function(_) => continue,
        }
        walk::children(node, &mut stack);
    }
    found.contains(name)
}

/// For each local the definitions that reach here, sorted (0: none yet); `None`: not reached.
type State = Option<Vec<Vec<u32>>>;

struct Definition {
    local: u32,
    parent: u32,
}

struct Loop {
    breaks: State,
    continues: State,
}

/// Loops within loops: each doubles the work.
const MOST_LOOPS: usize = 12;

struct Flow<'a> {
    analysed: &'a mut Analysed,
    names: Vec<String>,
    /// With a union-find over them.
    definitions: Vec<Definition>,
    by_node: HashMap<usize, u32>,
    /// A definition that reaches, and whether none may.
    uses: HashMap<usize, (Option<u32>, bool)>,
    /// Captured locals: whether some nested function may be made before it is bound.
    seen: HashMap<u32, bool>,
    /// Uses that several definitions reach, each with one of those.
    meetings: Vec<(u32, Span)>,
    loops: Vec<Loop>,
    decisions: &'a Decisions,
}

fn join(into: &mut State, other: State) {
    let Some(other) = other else { return };
    match into {
        None => *into = Some(other),
        Some(into) => {
            for (mine, its) in into.iter_mut().zip(other) {
                if *mine != its {
                    mine.extend(its);
                    mine.sort_unstable();
                    mine.dedup();
                }
            }
        }
    }
}

impl Flow<'_> {
    fn find(&mut self, mut definition: u32) -> u32 {
        while self.definitions[definition as usize].parent != definition {
            let up = self.definitions[definition as usize].parent;
            self.definitions[definition as usize].parent = self.definitions[up as usize].parent;
            definition = up;
        }
        definition
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.definitions[a.max(b) as usize].parent = a.min(b);
    }

    fn define(&mut self, state: &mut State, node: usize, name: &str) {
        let Some(&local) = self.analysed.locals.get(name) else { return };
        let next = self.definitions.len() as u32;
        let definition = *self.by_node.entry(node).or_insert(next);
        if definition == next {
            self.definitions.push(Definition { local, parent: next });
        }
        if let Some(state) = state {
            state[local as usize] = vec![definition];
        }
    }

    fn load(&mut self, state: &State, node: usize, name: &str, span: Span) {
        let (Some(state), Some(&local)) = (state, self.analysed.locals.get(name)) else { return };
        let reaching = &state[local as usize];
        let first = reaching.iter().copied().find(|definition| *definition != 0);
        for definition in reaching.clone() {
            if let (Some(first), true) = (first, definition != 0) {
                self.unite(first, definition);
            }
        }
        if let (Some(first), true) = (first, reaching.iter().filter(|one| **one != 0).count() > 1) {
            self.meetings.push((first, span));
        }
        let entry = self.uses.entry(node).or_insert((None, false));
        entry.1 |= reaching.first() == Some(&0);
        let before = entry.0;
        entry.0 = before.or(first);
        if let (Some(before), Some(first)) = (before, first) {
            self.unite(before, first);
        }
    }

    fn capture(&mut self, state: &State, function: &Function) {
        for default in function.parameters.iter().filter_map(|parameter| parameter.default.as_ref()) {
            self.expr(&mut state.clone(), default);
        }
        if state.is_none() {
            return;
        }
        let nested = self
            .analysed
            .nested
            .entry(address(function))
            .or_insert_with(|| Analysed::new(function.clone()))
            .clone();
        for name in &nested.free {
            if let (Some(state), Some(&local)) = (state, self.analysed.locals.get(name)) {
                let unbound = state[local as usize].first() == Some(&0);
                *self.seen.entry(local).or_insert(false) |= unbound;
            }
        }
    }

    fn target(&mut self, state: &mut State, target: &Expr) {
        match &*target.kind {
            ExprKind::Name(name) => self.define(state, address(target), name),
            ExprKind::Tuple(members) | ExprKind::List(members) => {
                members.iter().for_each(|member| self.target(state, member));
            }
            ExprKind::Starred(inner) => self.target(state, inner),
            _ => self.children(state, target),
        }
    }

    fn children(&mut self, state: &mut State, expr: &Expr) {
        let mut below = Vec::new();
        walk::children(Node::Expr(expr), &mut below);
        for node in below {
            if let Node::Expr(expr) = node {
                self.expr(state, expr);
            }
        }
    }

    fn expr(&mut self, state: &mut State, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Name(name) => self.load(state, address(expr), name, expr.span),
            ExprKind::NamedExpr(target, value) => {
                self.expr(state, value);
                self.target(state, target);
            }
            ExprKind::BoolOp(_, values) => {
                let mut after = None;
                for value in values {
                    self.expr(state, value);
                    join(&mut after, state.clone());
                }
                *state = after;
            }
            ExprKind::Compare(left, _, others) => {
                self.expr(state, left);
                let mut after = None;
                for other in others {
                    self.expr(state, other);
                    join(&mut after, state.clone());
                }
                if !others.is_empty() {
                    *state = after;
                }
            }
            ExprKind::IfExp(test, then, orelse) => {
                self.expr(state, test);
                let mut other = state.clone();
                self.expr(state, then);
                self.expr(&mut other, orelse);
                join(state, other);
            }
            ExprKind::Lambda(function) => self.capture(state, function),
            _ => self.children(state, expr),
        }
    }

    fn block(&mut self, state: &mut State, block: &[Statement]) {
        for statement in block {
            if state.is_none() {
                return;
            }
            self.statement(state, statement);
        }
    }

    fn statement(&mut self, state: &mut State, statement: &Statement) {
        match &statement.kind {
            StatementKind::Assign(targets, value) => {
                self.expr(state, value);
                targets.iter().for_each(|target| self.target(state, target));
            }
            StatementKind::AugAssign(target, _, value) => {
                if let ExprKind::Name(name) = &*target.kind {
                    self.load(state, address(target), name, target.span);
                    self.expr(state, value);
                    self.define(state, address(target), name);
                } else {
                    self.children(state, target);
                    self.expr(state, value);
                }
            }
            StatementKind::AnnAssign(target, value) => {
                if let Some(value) = value {
                    self.expr(state, value);
                    self.target(state, target);
                }
            }
            StatementKind::If(test, body, orelse) => {
                self.expr(state, test);
                if let Some(known) = self.decisions.get(&address(test)) {
                    return self.block(state, if *known { body } else { orelse });
                }
                let mut other = state.clone();
                self.block(state, body);
                self.block(&mut other, orelse);
                join(state, other);
            }
            StatementKind::For(target, iterable, body, orelse) => {
                self.expr(state, iterable);
                self.looped(state, None, Some(target), body, orelse, statement.span);
            }
            StatementKind::While(test, body, orelse) => {
                self.looped(state, Some(test), None, body, orelse, statement.span);
            }
            StatementKind::Return(value) => {
                value.iter().for_each(|value| self.expr(state, value));
                *state = None;
            }
            StatementKind::Raise(exception, cause) => {
                exception.iter().chain(cause).for_each(|value| self.expr(state, value));
                *state = None;
            }
            StatementKind::Assert(test, message) => {
                self.expr(state, test);
                let mut failing = state.clone();
                message.iter().for_each(|message| self.expr(&mut failing, message));
            }
            StatementKind::Expr(value) => self.expr(state, value),
            StatementKind::Break => {
                if let Some(innermost) = self.loops.last_mut() {
                    join(&mut innermost.breaks, state.clone());
                }
                *state = None;
            }
            StatementKind::Continue => {
                if let Some(innermost) = self.loops.last_mut() {
                    join(&mut innermost.continues, state.clone());
                }
                *state = None;
            }
            StatementKind::FunctionDef(function) => {
                self.define(state, address(&**function), &function.name);
                self.capture(state, function);
            }
            StatementKind::Pass
            | StatementKind::Nonlocal(_)
            | StatementKind::Global(_)
            | StatementKind::Other(_) => {}
        }
    }

    fn looped(
        &mut self,
        state: &mut State,
        test: Option<&Expr>,
        target: Option<&Expr>,
        body: &[Statement],
        orelse: &[Statement],
        span: Span,
    ) {
        if self.loops.len() >= MOST_LOOPS {
            self.analysed.trouble.get_or_insert_with(|| {
                Diagnostic::new(
                    Class::Unsupported,
                    span,
                    format!("more than {MOST_LOOPS} loops within each other"),
                )
                .advice("put the inner loops into a function of their own")
            });
            return;
        }
        // Definitions that come round are met in the second turn; a third would find no more: each statement kills what it
        // defines, whatever comes in.
        let mut breaks = None;
        for _turn in 0..2 {
            self.loops.push(Loop { breaks: None, continues: None });
            if let Some(test) = test {
                self.expr(state, test);
            }
            let mut inside = state.clone();
            if let Some(target) = target {
                self.target(&mut inside, target);
            }
            self.block(&mut inside, body);
            if let Some(done) = self.loops.pop() {
                join(&mut inside, done.continues);
                breaks = done.breaks;
            }
            join(state, inside);
        }
        if let Some(test) = test {
            self.expr(state, test);
            if is_true(test) {
                *state = None;
            }
        }
        self.block(state, orelse);
        join(state, breaks);
    }

    fn finish(mut self) {
        let captured: Vec<(u32, bool)> =
            self.seen.iter().map(|(local, unbound)| (*local, *unbound)).collect();
        let all: Vec<u32> = (1..self.definitions.len() as u32).collect();
        for (local, _) in &captured {
            let mine: Vec<u32> =
                all.iter().copied().filter(|one| self.definitions[*one as usize].local == *local).collect();
            for pair in mine.windows(2) {
                self.unite(pair[0], pair[1]);
            }
        }
        let mut webs: HashMap<u32, u32> = HashMap::new();
        for definition in all {
            let root = self.find(definition);
            let local = self.definitions[definition as usize].local;
            let next = webs.len() as u32;
            let web = *webs.entry(root).or_insert(next);
            if web == next {
                let name = self.names.get(local as usize).cloned().unwrap_or_default();
                let seen = self.seen.get(&local);
                self.analysed.webs.push(Web {
                    name,
                    flagged: seen.copied().unwrap_or(false),
                    definitions: 0,
                    captured: seen.is_some(),
                    meets: None,
                });
                if seen.is_some() {
                    self.analysed.captured.insert(local, web);
                }
            }
            self.analysed.webs[web as usize].definitions += 1;
        }
        let nodes: Vec<(usize, u32)> =
            self.by_node.iter().map(|(node, definition)| (*node, *definition)).collect();
        for (node, definition) in nodes {
            let web = webs[&self.find(definition)];
            self.analysed.definitions.insert(node, web);
        }
        for (definition, span) in std::mem::take(&mut self.meetings) {
            let web = webs[&self.find(definition)];
            self.analysed.webs[web as usize].meets.get_or_insert(span);
        }
        let uses: Vec<_> = self.uses.iter().map(|(node, one)| (*node, *one)).collect();
        for (node, (definition, unbound)) in uses {
            let web = definition.map(|definition| webs[&self.find(definition)]);
            if let (Some(web), true) = (web, unbound) {
                self.analysed.webs[web as usize].flagged = true;
            }
            self.analysed.uses.insert(node, Use { web, unbound });
        }
    }
}
