//! Iterations side by side, each in a lane of vectors, going round a loop until the last has left it.
//!
//! What is written for one number is made text for vectors (`widened`), so an operation has one meaning. A mask tells which lanes a statement is
//! for: what others hold stays as it was where anybody may read it. What fails in a lane only notes it, and the iterations run again one
//! after the other: nothing but variables was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::function::{FunctionEmitter, Operand, scalar};
use super::loops::Range;
use super::statement::parts;
use super::walk::weight;
use super::{memory, register};
use crate::ir::{Expr, ExprKind, For, Kind, Label, Lockstep, Scalar, Statement, StatementKind, Type, Var};
use crate::races::walk::{assigned, reads, statements};
use crate::walk::expressions;

/// Where the lanes of a loop that is being written are.
pub(super) struct Lanes {
    pub count: usize,
    /// Addresses of vectors: two of a complex number.
    places: BTreeMap<Var, Vec<String>>,
    /// Is read behind the loop: not touched in a lane that has left.
    kept: BTreeSet<Var>,
    /// Lanes that the statement is for.
    mask: String,
    /// Lanes that have left the iteration, or the loop, or a labelled block in it.
    gone: Option<String>,
    broken: Option<String>,
    left: Vec<(Label, Option<String>)>,
    /// Lanes that are not in the mask come back.
    partial: bool,
    /// Address of the mask of lanes in which something failed.
    failed: String,
    fails: bool,
}

impl FunctionEmitter<'_, '_> {
    pub fn lockstep(&mut self, of: &Lockstep) {
        let count = usize::from(of.lanes);
        let start = self.expression(&of.first).one().to_string();
        let last = self.expression(&of.last).one().to_string();
        let number = self.value(&format!("sub i64 {last}, {start}"));
        let range = Range { start, step: "1".into(), count: number, at_most: Some(count as u64) };
        let holds = self.expression(&of.condition);
        let carried: Vec<(Var, Operand)> = of.carried.iter().map(|var| (*var, self.read(*var))).collect();
        let [quick, plain, end] = ["lockstep", "apart", "end"].map(|name| self.label(name));
        self.branch(holds.one(), &quick, &plain);
        self.begin(&quick);

        let kept: BTreeSet<Var> = of.kept.iter().copied().collect();
        let early = assigned(&of.before);
        let mut inside = assigned(&of.inner);
        // The counter of a `For` is the same in all lanes.
        if let [Statement { kind: StatementKind::For(each), .. }] = &of.inner[..]
            && !kept.contains(&each.var)
        {
            inside.remove(&each.var);
        }
        let mut read = BTreeSet::new();
        statements(&of.inner, &mut |statement| {
            for expr in expressions(statement) {
                reads(expr, &mut |var, _| {
                    read.insert(var);
                });
            }
        });
        let spread: BTreeSet<Var> =
            early.iter().copied().filter(|var| kept.contains(var) || read.contains(var)).collect();
        let mut tables = BTreeMap::new();
        for var in spread.iter().chain(&kept) {
            if !tables.contains_key(var) {
                let kind = self.scalar_type(*var).kind;
                let table: Vec<String> = parts_of(kind)
                    .map(|_| self.alloca(&format!("[{count} x {}]", memory(kind)), None))
                    .collect();
                tables.insert(*var, table);
            }
        }
        self.each(&range, weight(&of.before), |this, turn| {
            this.assign(of.var, &Operand::One(turn.value.clone()));
            this.block(&of.before);
            for var in &spread {
                let value = this.read(*var);
                let kind = this.scalar_type(*var).kind;
                for (table, part) in tables[var].iter().zip(parts(&value)) {
                    let at = this.slot(table, part_of(kind), &turn.count);
                    this.store(part_of(kind), &Operand::One(part), &at);
                }
            }
        });

        let mut places = BTreeMap::new();
        let own = read.contains(&of.var).then_some(of.var);
        for var in
            inside.iter().copied().chain(spread.iter().copied().filter(|var| read.contains(var))).chain(own)
        {
            if places.contains_key(&var) {
                continue;
            }
            let kind = self.scalar_type(var).kind;
            let ty = format!("<{count} x {}>", register(kind));
            let mut addresses = Vec::new();
            for part in parts_of(kind) {
                let address = self.alloca(&ty, None);
                let value = if var == of.var {
                    let first = self.splat("i64", &range.start, count);
                    self.value(&format!("add {ty} {first}, {}", iota(count)))
                } else if let Some(table) = tables.get(&var).filter(|_| spread.contains(&var)) {
                    self.row(&table[part], kind, count)
                } else {
                    "zeroinitializer".into()
                };
                self.line(&format!("store {ty} {value}, ptr {address}"));
                addresses.push(address);
            }
            places.insert(var, addresses);
        }
        let mask = format!("<{count} x i1>");
        let [alive, failed] = [(); 2].map(|()| self.alloca(&mask, None));
        let number = self.splat("i64", &range.count, count);
        let all = self.value(&format!("icmp ult <{count} x i64> {}, {number}", iota(count)));
        self.line(&format!("store {mask} {all}, ptr {alive}"));
        self.line(&format!("store {mask} zeroinitializer, ptr {failed}"));

        let lanes = Lanes {
            count,
            places,
            kept: kept.clone(),
            mask: all,
            gone: None,
            broken: None,
            left: Vec::new(),
            partial: false,
            failed: failed.clone(),
            fails: false,
        };
        let lanes = self.together(&of.inner, &alive, lanes);

        if lanes.fails {
            let up = self.value(&format!("load {mask}, ptr {failed}"));
            let up = self.any(&up, count);
            let fine = self.label("fine");
            self.branch_cold(&up, &plain, &fine);
            self.begin(&fine);
        }
        for var in kept.intersection(&inside) {
            let kind = self.scalar_type(*var).kind;
            let (ty, kept) = (register(kind), memory(kind));
            for (place, table) in lanes.places[var].iter().zip(&tables[var]) {
                let mut value = self.value(&format!("load <{count} x {ty}>, ptr {place}"));
                if ty != kept {
                    value = self.value(&format!("zext <{count} x {ty}> {value} to <{count} x {kept}>"));
                }
                let align = part_of(kind).size();
                self.line(&format!("store <{count} x {kept}> {value}, ptr {table}, align {align}"));
            }
        }
        self.each(&range, weight(&of.after), |this, turn| {
            this.assign(of.var, &Operand::One(turn.value.clone()));
            for var in &kept {
                let kind = this.scalar_type(*var).kind;
                let mut values = Vec::new();
                for table in &tables[var] {
                    let at = this.slot(table, part_of(kind), &turn.count);
                    values.push(this.load(part_of(kind), &at).one().to_string());
                }
                this.assign(*var, &operand(values));
            }
            this.block(&of.after);
        });
        self.jump(&end);
        self.begin(&plain);
        for (var, value) in &carried {
            self.assign(*var, value);
        }
        self.seldom(true, |this| {
            this.each(&range, weight(&of.whole), |this, turn| {
                this.assign(of.var, &Operand::One(turn.value.clone()));
                this.block(&of.whole);
            });
        });
        self.begin(&end);
    }

    /// The loop itself.
    fn together(&mut self, inner: &[Statement], alive: &str, lanes: Lanes) -> Lanes {
        let count = lanes.count;
        let out = self.label("out");
        let lanes = match inner {
            [Statement { kind: StatementKind::While { head, condition, body }, .. }] => {
                let [test, inside] = ["test", "round"].map(|name| self.label(name));
                self.begin(&test);
                let mut lanes = self.iteration(alive, lanes);
                lanes = self.within_lanes(lanes, |this| {
                    this.lane_block(head);
                    if *condition.kind != ExprKind::Bool(true) {
                        let holds = this.expression(condition);
                        let mask = this.mask();
                        let on = this.value(&format!("and i1 {mask}, {}", holds.one()));
                        this.set_mask(on);
                    }
                });
                let more = self.any(&lanes.mask, count);
                self.branch(&more, &inside, &out);
                self.begin(&inside);
                lanes.gone = None;
                lanes.broken = None;
                let all = lanes.mask.clone();
                lanes = self.within_lanes(lanes, |this| this.lane_block(body));
                self.stay(&all, alive, &lanes, &out);
                self.spend("1");
                self.jump(&test);
                lanes
            }
            [Statement { kind: StatementKind::For(each), .. }] => self.rounds(each, alive, lanes, &out),
            _ => unreachable!("a loop"),
        };
        self.begin(&out);
        lanes
    }

    /// A `For`, whose counter is the same in all lanes.
    fn rounds(&mut self, each: &For, alive: &str, lanes: Lanes, out: &str) -> Lanes {
        let range = self.range(each);
        let [head, next] = ["round", "next"].map(|name| self.label(name));
        let some = self.label("some");
        let none = self.value(&format!("icmp eq i64 {}, 0", range.count));
        self.branch(&none, out, &some);
        self.begin(&some);
        let [k, k_next, index, index_next] = ["k", "k", "i", "i"].map(|name| self.fresh(name));
        self.begin(&head);
        self.line(&format!("{k} = phi i64 [ 0, %{some} ], [ {k_next}, %{next} ]"));
        self.line(&format!("{index} = phi i64 [ {}, %{some} ], [ {index_next}, %{next} ]", range.start));
        let mut lanes = self.iteration(alive, lanes);
        let all = lanes.mask.clone();
        if lanes.places.contains_key(&each.var) {
            let all = self.splat("i64", &index, lanes.count);
            lanes = self.within_lanes(lanes, |this| this.lane_assign(each.var, &Operand::One(all)));
        } else {
            self.assign(each.var, &Operand::One(index.clone()));
        }
        lanes = self.within_lanes(lanes, |this| this.lane_block(&each.body));
        self.stay(&all, alive, &lanes, out);
        self.spend("1");
        self.line(&format!("{k_next} = add nuw i64 {k}, 1"));
        self.line(&format!("{index_next} = add i64 {index}, 1"));
        let more = self.value(&format!("icmp ult i64 {k_next}, {}", range.count));
        self.begin(&next);
        self.branch(&more, &head, out);
        lanes
    }

    /// The lanes that begin an iteration.
    fn iteration(&mut self, alive: &str, mut lanes: Lanes) -> Lanes {
        lanes.mask = self.value(&format!("load <{} x i1>, ptr {alive}", lanes.count));
        lanes.gone = None;
        lanes.broken = None;
        lanes.partial = false;
        lanes
    }

    /// Behind an iteration: who of `all` goes on. To `out` where nobody does, or something failed.
    fn stay(&mut self, all: &str, alive: &str, lanes: &Lanes, out: &str) {
        let count = lanes.count;
        let mask = format!("<{count} x i1>");
        let mut on = all.to_string();
        if let Some(broken) = &lanes.broken {
            on = self.without(&on, broken, count);
        }
        self.line(&format!("store {mask} {on}, ptr {alive}"));
        if lanes.fails {
            let up = self.value(&format!("load {mask}, ptr {}", lanes.failed));
            let up = self.any(&up, count);
            let fine = self.label("fine");
            self.branch_cold(&up, out, &fine);
            self.begin(&fine);
        }
        if lanes.broken.is_some() {
            let more = self.any(&on, count);
            let on = self.label("on");
            self.branch(&more, &on, out);
            self.begin(&on);
        }
    }

    /// Statements in all lanes of the mask.
    fn lane_block(&mut self, block: &[Statement]) {
        for statement in block {
            let around = std::mem::replace(&mut self.at, statement.span);
            let goes_on = self.lane_statement(statement);
            self.at = around;
            if !goes_on {
                // Not reached.
                return;
            }
        }
    }

    fn lane_statement(&mut self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                let value = self.expression(value);
                self.lane_assign(*var, &value);
                true
            }
            StatementKind::If { condition, then, orelse } => {
                let holds = self.expression(condition).one().to_string();
                let (start, exits, partial) = (self.mask(), self.exits(), self.lanes_mut().partial);
                self.lanes_mut().partial = true;
                let yes = self.value(&format!("and i1 {start}, {holds}"));
                self.set_mask(yes);
                self.lane_block(then);
                if !orelse.is_empty() {
                    let other = self.value(&format!("xor i1 {holds}, true"));
                    let no = self.value(&format!("and i1 {start}, {other}"));
                    self.set_mask(no);
                    self.lane_block(orelse);
                }
                self.lanes_mut().partial = partial;
                self.meet(start, &exits);
                true
            }
            StatementKind::Labelled { label, body, .. } => {
                let (start, partial) = (self.mask(), self.lanes_mut().partial);
                let exits = self.exits();
                self.lanes_mut().left.push((*label, None));
                self.lane_block(body);
                self.lanes_mut().left.pop();
                self.lanes_mut().partial = partial;
                self.meet(start, &exits);
                true
            }
            StatementKind::Break | StatementKind::Continue => {
                let mask = self.mask();
                let gone = self.lanes_mut().gone.clone();
                let gone = self.with(gone, &mask);
                self.lanes_mut().gone = Some(gone);
                if statement.kind == StatementKind::Break {
                    let broken = self.lanes_mut().broken.clone();
                    let broken = self.with(broken, &mask);
                    self.lanes_mut().broken = Some(broken);
                }
                false
            }
            StatementKind::Leave(label) => {
                let mask = self.mask();
                let place = self.lanes_mut().left.iter().position(|(other, _)| other == label);
                let place = place.expect("a label in the loop");
                let left = self.lanes_mut().left[place].1.clone();
                let left = self.with(left, &mask);
                self.lanes_mut().left[place].1 = Some(left);
                false
            }
            _ => unreachable!("not in lanes"),
        }
    }

    /// Where two ways come together: of `start`, who has not gone since then (`exits`: who had before).
    fn meet(&mut self, start: String, exits: &[Option<String>]) {
        let now = self.exits();
        let (gone, broken) = (now[0].clone(), self.lanes_mut().broken.clone());
        let mut mask = start;
        for (number, exit) in now.iter().enumerate() {
            if let Some(exit) = exit.as_ref().filter(|_| exits.get(number) != Some(exit)) {
                let count = self.lanes_mut().count;
                mask = self.plainly(|this| this.without(&mask, exit, count));
                // Who only continues, or leaves a block, comes back.
                let for_good = number == 0 && gone == broken;
                self.lanes_mut().partial |= !for_good;
            }
        }
        self.set_mask(mask);
    }

    /// Who has gone: from the iteration, and from each labelled block.
    fn exits(&mut self) -> Vec<Option<String>> {
        let lanes = self.lanes_mut();
        std::iter::once(&lanes.gone).chain(lanes.left.iter().map(|(_, left)| left)).cloned().collect()
    }

    fn with(&mut self, mask: Option<String>, more: &str) -> String {
        match mask {
            Some(mask) => self.value(&format!("or i1 {mask}, {more}")),
            None => more.to_string(),
        }
    }

    fn without(&mut self, mask: &str, less: &str, count: usize) -> String {
        let others = self.value(&format!("xor <{count} x i1> {less}, splat (i1 true)"));
        self.value(&format!("and <{count} x i1> {mask}, {others}"))
    }

    fn any(&mut self, mask: &str, count: usize) -> String {
        let bits = self.value(&format!("bitcast <{count} x i1> {mask} to i{count}"));
        self.value(&format!("icmp ne i{count} {bits}, 0"))
    }

    /// A value into the lanes of the mask; into all where nobody reads the others.
    fn lane_assign(&mut self, var: Var, value: &Operand) {
        let ty = register(self.scalar_type(var).kind);
        let lanes = self.lanes_mut();
        let (count, mask, addresses) = (lanes.count, lanes.mask.clone(), lanes.places[&var].clone());
        let chosen = lanes.partial || lanes.kept.contains(&var);
        self.plainly(|this| {
            for (part, address) in parts(value).into_iter().zip(addresses) {
                let mut new = if part.starts_with('%') { part } else { format!("splat ({ty} {part})") };
                if chosen {
                    let old = this.value(&format!("load <{count} x {ty}>, ptr {address}"));
                    new = this.value(&format!(
                        "select <{count} x i1> {mask}, <{count} x {ty}> {new}, <{count} x {ty}> {old}"
                    ));
                }
                this.line(&format!("store <{count} x {ty}> {new}, ptr {address}"));
            }
        });
    }

    /// A variable's value in the lanes.
    pub fn lane_read(&mut self, var: Var) -> Operand {
        let ty = register(self.scalar_type(var).kind);
        let lanes = self.lanes_mut();
        let (count, place) = (lanes.count, lanes.places.get(&var).cloned());
        self.plainly(|this| match place {
            Some(addresses) => {
                let load = |address| this.value(&format!("load <{count} x {ty}>, ptr {address}"));
                operand(addresses.iter().map(load).collect())
            }
            None => {
                let value = parts(&this.read(var));
                operand(value.iter().map(|part| this.splat(ty, part, count)).collect())
            }
        })
    }

    /// The same number in all lanes.
    pub fn lane_splat(&mut self, ty: &str, number: impl FnOnce(&mut Self) -> String) -> String {
        let count = self.lanes_mut().count;
        self.plainly(|this| {
            let number = number(this);
            this.splat(ty, &number, count)
        })
    }

    /// The chosen one of two values.
    pub fn lane_choice(&mut self, condition: &Expr, then: &Expr, orelse: &Expr) -> Operand {
        let ty = register(scalar(then).kind);
        let holds = self.expression(condition).one().to_string();
        let start = self.mask();
        let yes = self.value(&format!("and i1 {start}, {holds}"));
        self.set_mask(yes);
        let first = self.expression(then);
        let other = self.value(&format!("xor i1 {holds}, true"));
        let no = self.value(&format!("and i1 {start}, {other}"));
        self.set_mask(no);
        let second = self.expression(orelse);
        self.set_mask(start);
        let both = parts(&first).into_iter().zip(parts(&second));
        let choose = |(one, other)| self.value(&format!("select i1 {holds}, {ty} {one}, {ty} {other}"));
        operand(both.map(choose).collect())
    }

    /// Notes that `condition` holds in some of the lanes.
    pub fn lane_fails(&mut self, condition: &str) {
        let mask = self.mask();
        let here = self.value(&format!("and i1 {mask}, {condition}"));
        let lanes = self.lanes_mut();
        lanes.fails = true;
        let (address, ty) = (lanes.failed.clone(), format!("<{} x i1>", lanes.count));
        self.plainly(|this| {
            let old = this.value(&format!("load {ty}, ptr {address}"));
            let new = this.value(&format!("or {ty} {old}, {here}"));
            this.line(&format!("store {ty} {new}, ptr {address}"));
        });
    }

    fn within_lanes(&mut self, lanes: Lanes, write: impl FnOnce(&mut Self)) -> Lanes {
        self.lanes = Some(lanes);
        write(self);
        self.lanes.take().expect("as before")
    }

    /// Writes what is not for lanes, though in their midst.
    fn plainly<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let lanes = self.lanes.take();
        let result = write(self);
        self.lanes = lanes;
        result
    }

    fn lanes_mut(&mut self) -> &mut Lanes {
        self.lanes.as_mut().expect("in lanes")
    }

    fn mask(&mut self) -> String {
        self.lanes_mut().mask.clone()
    }

    fn set_mask(&mut self, mask: String) {
        self.lanes_mut().mask = mask;
    }

    fn scalar_type(&self, var: Var) -> Scalar {
        match self.variable_type(var) {
            Type::Scalar(scalar) => scalar,
            Type::Array(_) => unreachable!("{var:?} is a number"),
        }
    }

    fn splat(&mut self, ty: &str, number: &str, count: usize) -> String {
        if !number.starts_with('%') {
            return format!("splat ({ty} {number})");
        }
        let vector = format!("<{count} x {ty}>");
        let first = self.value(&format!("insertelement {vector} poison, {ty} {number}, i64 0"));
        self.value(&format!(
            "shufflevector {vector} {first}, {vector} poison, <{count} x i32> zeroinitializer"
        ))
    }

    /// A row of a table as a vector.
    fn row(&mut self, table: &str, kind: Kind, count: usize) -> String {
        let (ty, align) = (memory(kind), part_of(kind).size());
        let row = self.value(&format!("load <{count} x {ty}>, ptr {table}, align {align}"));
        if kind == Kind::Bool {
            return self.value(&format!("icmp ne <{count} x {ty}> {row}, zeroinitializer"));
        }
        row
    }
}

fn parts_of(kind: Kind) -> std::ops::Range<usize> {
    0..if kind.is_complex() { 2 } else { 1 }
}

/// The kind of a number's parts.
fn part_of(kind: Kind) -> Kind {
    match kind {
        Kind::C128 => Kind::F64,
        Kind::C64 => Kind::F32,
        _ => kind,
    }
}

fn operand(parts: Vec<String>) -> Operand {
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some(real), Some(imag)) => Operand::Pair(real, imag),
        (one, _) => Operand::One(one.unwrap_or_default()),
    }
}

/// 0, 1, 2, ... as a vector of i64.
fn iota(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(|number| format!("i64 {number}")).collect();
    format!("<{}>", numbers.join(", "))
}

/// A line of LLVM text on numbers, as one on vectors of so many: types become vectors, constants are the same in all lanes, functions are those of vectors.
/// Nothing is promised of what overflows, for nobody looks at lanes that have left.
pub(super) fn widened(text: &str, count: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut ty = "";
    // The last operand of these is a number of a member.
    let member = text.contains("extractvalue") || text.contains("insertvalue");
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        let name = matches!(first, '%' | '@');
        if !name && !is_word(first) {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest[1..].find(|c| !is_word(c)).map_or(rest.len(), |end| end + 1);
        let (word, behind) = rest.split_at(end);
        rest = behind;
        match word {
            "double" | "float" | "i1" | "i8" | "i16" | "i32" | "i64" => {
                ty = word;
                let _ = write!(out, "<{count} x {word}>");
            }
            "nsw" | "nuw" | "noinline" => rest = rest.strip_prefix(' ').unwrap_or(rest),
            _ if word.starts_with("@llvm.") => {
                let kind = |part: &str| {
                    matches!(part, "f32" | "f64" | "i1" | "i8" | "i16" | "i32" | "i64")
                        .then(|| format!("v{count}{part}"))
                        .unwrap_or_else(|| part.to_string())
                };
                out.push_str(&word.split('.').map(kind).collect::<Vec<_>>().join("."));
            }
            _ if word.starts_with('@') => {
                let _ = write!(out, "{word}.v{count}");
            }
            "true" | "false" if !ty.is_empty() => {
                let _ = write!(out, "splat ({ty} {word})");
            }
            _ if !ty.is_empty()
                && word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                && !(member && rest.trim().is_empty()) =>
            {
                let _ = write!(out, "splat ({ty} {word})");
            }
            _ => out.push_str(word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::widened;

    #[test]
    fn instructions_on_numbers_become_instructions_on_vectors() {
        let pairs = [
            (
                "fadd double %t1, 0x3FF0000000000000",
                "fadd <4 x double> %t1, splat (double 0x3FF0000000000000)",
            ),
            ("add nsw i64 %t1, -1", "add <4 x i64> %t1, splat (i64 -1)"),
            ("select i1 %a, float %b, float %c", "select <4 x i1> %a, <4 x float> %b, <4 x float> %c"),
            ("sitofp i64 %a to double", "sitofp <4 x i64> %a to <4 x double>"),
            ("xor i1 %a, true", "xor <4 x i1> %a, splat (i1 true)"),
            ("call double @llvm.fabs.f64(double %x)", "call <4 x double> @llvm.fabs.v4f64(<4 x double> %x)"),
            (
                "call i64 @llvm.fptosi.sat.i64.f64(double %x)",
                "call <4 x i64> @llvm.fptosi.sat.v4i64.v4f64(<4 x double> %x)",
            ),
            (
                "call double @mh.exp.f64(double %x) noinline",
                "call <4 x double> @mh.exp.f64.v4(<4 x double> %x) ",
            ),
            ("extractvalue { i64, i1 } %b, 1", "extractvalue { <4 x i64>, <4 x i1> } %b, 1"),
            (
                "insertvalue { double, double } undef, double 0.0, 0",
                "insertvalue { <4 x double>, <4 x double> } undef, <4 x double> splat (double 0.0), 0",
            ),
        ];
        for (number, vector) in pairs {
            assert_eq!(widened(number, 4), vector);
        }
    }
}
