//! What a refusal says: where, which iterations, and what to write instead.

use super::accesses::{Access, Kind};
use super::conflicts::{Clash, Pairs};
use super::reductions::Refusal;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{ExprKind, For, Function, Module, Span, Var};

/// The program's text and names.
pub struct Source<'a> {
    pub module: &'a Module,
    pub function: &'a Function,
}

const UNCHECKED: &str =
    "`mh.prange(..., unchecked=True)` turns this check off, and with it the promise of the serial answer.";

impl Source<'_> {
    /// An array's dimensions.
    fn rank(&self, var: Var) -> usize {
        let array = self.function.variables.get(var.0 as usize).and_then(|variable| variable.ty.array());
        array.map_or(0, |array| usize::from(array.rank))
    }

    pub fn name(&self, var: Var) -> String {
        let name = self.function.variables.get(var.0 as usize).and_then(|variable| variable.name.clone());
        name.unwrap_or_else(|| "a value".to_owned())
    }

    /// What stands in one line of the source.
    fn text(&self, from: Span, to: Span) -> Option<String> {
        let source = self.module.sources.get(usize::from(from.source))?;
        if from.source != to.source || from.line != to.end_line {
            return None;
        }
        let line = source.text.lines().nth(from.line.checked_sub(source.first_line)? as usize)?;
        let text = line.get(from.column as usize..to.end_column as usize)?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The element as it is written: `a[i - 1]`.
    fn element(&self, access: &Access) -> String {
        let name = self.name(access.array);
        let name = if name == "a value" {
            access.chain.iter().map(|var| self.name(*var)).find(|name| name != "a value").unwrap_or(name)
        } else {
            name
        };
        let indices = access.indices.and_then(|(first, last)| self.text(first, last));
        // Whole arrays and slices have no subscripts in the source: those of the loop that stands for them have the statement's place.
        let indices = indices.filter(|_| access.indices.is_some_and(|(first, _)| first != access.span));
        format!("{name}[{}]", indices.unwrap_or_else(|| "...".to_owned()))
    }
}

/// How the loop's iterations are called: by numbers where the loop begins at one.
fn iterations(source: &Source, of: &For) -> (String, String) {
    let name = source.name(of.var);
    match (&*of.start.kind, &*of.step.kind) {
        (ExprKind::Int(start), ExprKind::Int(step)) => {
            (format!("iteration {name}={start}"), format!("iteration {name}={}", start + step))
        }
        _ => ("one iteration".to_owned(), "the next".to_owned()),
    }
}

/// A scalar that goes from one iteration to the next.
pub fn carried(source: &Source, of: &For, var: Var, refusal: &Refusal, read: Span) -> Diagnostic {
    let name = source.name(var);
    let loop_var = source.name(of.var);
    let write = super::reductions::first_write(&of.body, var);
    let (first, next) = iterations(source, of);
    let diagnostic = |message: String, span: Span| Diagnostic::new(Class::Race, span, message);
    match refusal {
        Refusal::Overwritten(span) => diagnostic(
            format!("`{name}` is carried from one iteration of the prange to the next"),
            if *span == Span::default() { write } else { *span },
        )
        .label(format!("{first} writes {name}"))
        .note(read, format!("{next} reads it, before it has written one of its own"))
        .advice(format!(
            "If each iteration needs a `{name}` of its own, assign it at the top of the body, on every path. If it gathers \
             something over all iterations, write a reduction (`{name} += ...`, `{name} = max({name}, ...)`). If an \
             iteration needs what the one before it made, the loop is serial: use `range`."
        )),
        Refusal::Read(span) => diagnostic(
            format!("`{name}` is read in the prange while it is being gathered: its value depends on the order of iterations"),
            write,
        )
        .label(format!("{first} changes {name}"))
        .note(*span, format!("{next} sees here what came of it"))
        .advice(format!(
            "Within the prange a reduction may only be updated; read `{name}` after the loop. A running total (prefix sum) \
             needs its iterations in order: use `range`, or write each term to an array and sum up afterwards (`np.cumsum`)."
        )),
        Refusal::Mixed(span) => diagnostic(
            format!("`{name}` is gathered in two ways in one prange: what comes out depends on the order of iterations"),
            *span,
        )
        .label("differs from the other update")
        .note(write, "the other update")
        .advice(format!("Use one operation for `{name}`, or two variables.")),
        Refusal::Form(span) => diagnostic(
            format!("`{name}` goes from one iteration of the prange to the next, in a form that cannot be split"),
            *span,
        )
        .label(format!("{next} needs what {first} has made of {name}"))
        .advice(format!(
            "Reductions are `+=`, `-=`, `*=`, `&=`, `|=`, `^=`, `{name} = min({name}, x)`, `max`, `if x > {name}: {name} = x`, \
             `and`, `or`; instead of `{name} /= x` gather the product of `x` and divide once, after the loop. Else use \
             `range`."
        )),
        Refusal::NanOrder(span) => diagnostic(
            format!("with `{name}` as the second argument, nan makes the result depend on the order of iterations"),
            *span,
        )
        .label(format!("a nan replaces {name}, and what comes next replaces the nan"))
        .advice(format!(
            "Write `{name} = min({name}, x)` or `max({name}, x)`, `{name}` first (nan is then never taken), or \
             `np.minimum`, `np.maximum` (nan always wins)."
        )),
        Refusal::Beside(span) => diagnostic(
            format!("what happens here depends on how `{name}` compares, and so on the order of iterations"),
            *span,
        )
        .label(format!("in iteration {loop_var} only if {name} is such just then"))
        .note(write, format!("{name} is changed here"))
        .advice(format!(
            "Under `if x > {name}:` only `{name} = x` and plain variables that go with it (`k = {loop_var}`) may be assigned, \
             each at the top of that block. Keep the index, and do the rest after the loop; make an `elif` an `if` of its own."
        )),
    }
}

pub fn two_roles(source: &Source, of: &For, var: Var, span: Span) -> Diagnostic {
    let name = source.name(var);
    Diagnostic::new(Class::Race, span, format!("`{name}` takes part in two reductions of one prange"))
        .label(format!("depends on the order in which iterations of {} are met", source.name(of.var)))
        .advice(format!("Give each reduction a variable of its own in place of `{name}`."))
}

/// What may fail in an iteration in which the serial loop would not evaluate it.
pub fn speculative(source: &Source, of: &For, span: Span) -> Diagnostic {
    let name = source.name(of.var);
    Diagnostic::new(Class::Race, span, "this may raise in iterations of the prange in which the serial loop does not get here")
        .label("evaluated only where a comparison with what was gathered so far says so")
        .advice(format!(
            "Compute it before the `if` (then every iteration of {name} does, with `range` too), or keep the index and compute it \
             after the loop."
        ))
}

pub fn array_after(source: &Source, of: &For, var: Var, span: Span) -> Diagnostic {
    let name = source.name(var);
    Diagnostic::new(Class::Race, span, format!("the array `{name}` is made in the prange and used after it"))
        .label(format!("each iteration of {} makes one of its own", source.name(of.var)))
        .advice(format!(
            "Make `{name}` before the loop and write into it: one element or one row for each iteration."
        ))
}

pub fn own_variable(source: &Source, of: &For, span: Span) -> Diagnostic {
    let name = source.name(of.var);
    Diagnostic::new(
        Class::Race,
        span,
        format!("the variable of the prange, `{name}`, is assigned in its body"),
    )
    .label("iterations are told apart by it")
    .advice("Use another name for what is computed here.")
}

/// A loop that ends early has written what the serial one would not.
pub fn left_while_writing(source: &Source, of: &For, jump: Span, write: &Access) -> Diagnostic {
    let name = source.name(of.var);
    let element = source.element(write);
    Diagnostic::new(
        Class::Race,
        jump,
        format!("the prange is left here while its iterations write to `{element}`"),
    )
    .label("the serial loop runs none of the iterations after this one")
    .note(write.span, "iterations that run beside may have written by then")
    .advice(format!(
        "A prange that ends early may gather (`found = True`, `total += x`, `counts[k] += 1`, `return {name}`) but not write \
             elements. Find the end first (`if condition: last = {name}; break`) and write in a second prange over what is before \
             it; else use `range`."
    ))
}

pub fn unknown_array(source: &Source, of: &For, x: &Access, y: &Access) -> Diagnostic {
    let (write, other) = if x.kind.writes() { (x, y) } else { (y, x) };
    let name = source.name(write.array);
    Diagnostic::new(
        Class::Race,
        write.span,
        format!(
            "it is not known which array `{name}` is here, so iterations may write where others read or write"
        ),
    )
    .label(format!("one iteration of {} may write what another one touches", source.name(of.var)))
    .note(other.span, "the other access")
    .advice("Choose the array before the prange, or write the body once for each array.")
}

/// Two accesses that two iterations may direct at one element.
pub fn clash(
    source: &Source,
    pairs: &Pairs,
    x: &Access,
    y: &Access,
    clash: Option<&Clash>,
    all: &[(std::rc::Rc<Access>, bool)],
) -> Diagnostic {
    if let Some(read) = read_of_gathered(x, y, all) {
        return gathered_and_read(source, pairs, x, y, read);
    }
    let recorder = pairs.recorder;
    let name = source.name(recorder.of.var);
    let value = recorder_value(pairs);
    let at = |access: &Access, second: bool| -> Option<(String, String)> {
        let clash = clash?;
        let iteration = clash.evaluate(pairs, &value, second)?;
        let root = pairs.interpreter.roots[access.root.0 as usize].var;
        let rank = source.rank(root);
        let places: Option<Vec<String>> = access
            .subscripts
            .iter()
            .take(rank)
            .map(|alternatives| match &alternatives[..] {
                [(_, Some(place))] => clash.evaluate(pairs, place, second).map(|number| number.to_string()),
                _ => None,
            })
            .collect();
        Some((
            format!("iteration {name}={iteration}"),
            format!("{}[{}]", source.name(root), places?.join(", ")),
        ))
    };
    let both = std::ptr::eq(x, y) || y.kind.writes();
    let (element, other) = (source.element(x), source.element(y));
    let message = if std::ptr::eq(x, y) || element == other && both {
        format!("`{element}` may be written by two iterations of the prange")
    } else if both {
        format!("`{element}` and `{other}` may be one element, written by two iterations of the prange")
    } else {
        format!("`{element}` is written by one iteration of the prange and `{other}` read by another")
    };
    let mut diagnostic = Diagnostic::new(Class::Race, x.span, message);
    let verb = if both { "writes" } else { "reads" };
    match (at(x, false), at(y, true)) {
        (Some((first, place)), Some((second, _))) if std::ptr::eq(x, y) => {
            let (first, second) =
                (first.trim_start_matches("iteration "), second.trim_start_matches("iteration "));
            diagnostic = diagnostic.label(format!("iterations {first} and {second} both write {place}"));
        }
        (Some((first, place)), Some((second, _))) => {
            diagnostic = diagnostic
                .label(format!("{first} writes {place}"))
                .note(y.span, format!("{second} {verb} {place}"));
        }
        _ if std::ptr::eq(x, y) => {
            diagnostic = diagnostic.label(format!(
                "two iterations of {name} write the same element where their subscripts are equal"
            ));
        }
        _ => {
            diagnostic = diagnostic
                .label(format!("one iteration of {name} writes here"))
                .note(y.span, format!("another one {verb} here: nothing shows that the element is another"));
        }
    }
    for call in x.calls.iter().rev() {
        diagnostic = diagnostic.note(*call, "called from here");
    }
    diagnostic.advice(advice(source, pairs, x, y, all))
}

/// Where an array's elements would be accumulated, were they not read too: the read.
fn read_of_gathered<'a>(
    x: &Access,
    y: &Access,
    all: &'a [(std::rc::Rc<Access>, bool)],
) -> Option<&'a Access> {
    let (Kind::Update(Some(kind)), Kind::Update(Some(other))) = (x.kind, y.kind) else { return None };
    let mut writes = all.iter().filter(|(access, _)| access.kind.writes());
    if kind != other || !writes.all(|(access, _)| access.kind == Kind::Update(Some(kind))) {
        return None;
    }
    all.iter().map(|(access, _)| &**access).find(|access| access.kind == Kind::Read)
}

fn gathered_and_read(source: &Source, pairs: &Pairs, x: &Access, y: &Access, read: &Access) -> Diagnostic {
    let name = source.name(pairs.recorder.of.var);
    let array = source.name(pairs.interpreter.roots[x.root.0 as usize].var);
    let element = source.element(read);
    let mut diagnostic = Diagnostic::new(
        Class::Race,
        read.span,
        format!("`{element}` is read in the prange while elements of `{array}` are being accumulated"),
    )
    .label("what it holds here depends on the order of iterations")
    .note(x.span, format!("iterations of {name} accumulate here, and may meet in one element"));
    if !std::ptr::eq(x, y) {
        diagnostic = diagnostic.note(y.span, "and here");
    }
    for call in read.calls.iter().rev() {
        diagnostic = diagnostic.note(*call, "called from here");
    }
    diagnostic.advice(format!(
        "Within the prange `{array}[...]` may only be updated; read it in a loop of its own, after this one. If the \
         subscripts are known to differ (a permutation): {UNCHECKED}"
    ))
}

/// The loop's variable.
fn recorder_value(pairs: &Pairs) -> super::affine::Poly {
    pairs.interpreter.value_of_iteration(pairs.recorder)
}

fn advice(
    source: &Source,
    pairs: &Pairs,
    x: &Access,
    y: &Access,
    all: &[(std::rc::Rc<Access>, bool)],
) -> String {
    let name = source.name(pairs.recorder.of.var);
    let array = source.name(pairs.interpreter.roots[x.root.0 as usize].var);
    let places = |access: &Access| -> Option<Vec<super::affine::Poly>> {
        access
            .subscripts
            .iter()
            .map(|alternatives| match &alternatives[..] {
                [(_, Some(place))] => Some(place.clone()),
                _ => None,
            })
            .collect()
    };
    let atoms: Vec<super::affine::Atom> = x
        .subscripts
        .iter()
        .flatten()
        .filter_map(|(_, place)| place.as_ref())
        .flat_map(|place| place.atoms().collect::<Vec<_>>())
        .collect();
    let of_iteration = atoms.contains(&pairs.recorder.iteration);
    let from_memory = places(x).is_none()
        || atoms.iter().any(|atom| {
            let info = pairs.interpreter.atoms.get(*atom);
            pairs.varies(*atom) && !info.counter && info.facts.is_empty()
        });
    let reads = all.iter().any(|(access, _)| access.kind == Kind::Read);
    let updates = all.iter().any(|(access, _)| matches!(access.kind, Kind::Update(_)));
    if updates && !reads && !of_iteration {
        return format!(
            "Updates of one kind (`{array}[...] += ...` and nothing else) are accumulated by the prange; do not mix them with \
             other operations or plain assignments. {UNCHECKED}"
        );
    }
    if from_memory {
        return format!(
            "Nothing shows that subscripts which are read or computed differ between iterations. To add up, write \
             `{array}[...] += ...`; to gather, let iteration {name} write `{array}[{name}]` and read from the computed place. \
             If the subscripts are known to differ (a permutation): {UNCHECKED}"
        );
    }
    if !of_iteration && reads {
        return format!(
            "Every iteration uses the same elements of `{array}`. If it is scratch space, make it inside the body \
             (`{array} = np.empty(...)` under the prange): then each iteration has its own."
        );
    }
    if !of_iteration {
        let counter = atoms.iter().find(|atom| pairs.interpreter.atoms.get(**atom).counter);
        if let Some(inner) = counter.and_then(|atom| pairs.interpreter.atoms.get(*atom).name.clone()) {
            return format!(
                "Which iteration of {name} writes last would decide. Make the loop over {inner} the prange and this one a \
                 `range` inside it, or give each iteration a row of its own (`{array}[{name}, ...]`)."
            );
        }
        return format!(
            "Give each iteration an element of its own (`{array}[{name}]`), or accumulate (`+=`)."
        );
    }
    if !y.kind.writes() {
        return String::from(
            "Read from one array and write to another (`old`, `new`), so that no iteration sees what another one has \
             written; where each iteration needs the result of the one before, use `range`.",
        );
    }
    format!(
        "Let iteration {name} write only elements that no other iteration writes, such as `{array}[{name}]`, or accumulate \
         (`+=`). Else use `range`."
    )
}
