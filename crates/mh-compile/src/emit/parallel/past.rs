//! Stores past the caches: what a loop writes in a row, and is too large to be found in a cache afterwards, is not read before it is overwritten.
//!
//! A processor that stores a part of a line fetches the line first: of `out[i] = a * x[i]` that is a third of what goes over the bus. So the
//! iterations of whole lines write to a buffer on the stack, of which the vectoriser makes registers, and from there the lines are stored so that none is
//! fetched (`nontemporal`). No bit changes.
//!
//! What makes it sound: the loop can neither fail nor end early, nobody in it reads what it writes, and it is shown when the loop is entered that
//! no other array of it shares memory with these, and that their lines begin at the same elements.

use std::collections::BTreeSet;

use super::Body;
use super::block::Iterations;
use crate::emit::function::{FunctionEmitter, Operand};
use crate::emit::loops::Range;
use crate::emit::walk::{blocks, draws, weight};
use crate::emit::{Mark, PAST, memory};
use crate::ir::{
    Check, Expr, ExprKind, For, Function, Kind, Layout, Plan, Statement, StatementKind, Type, Var,
};
use crate::walk::{expressions, operands};

/// From so many bytes on that the loop writes: no cache has room for as much that another loop would find there.
pub(crate) const LARGE: i64 = 64 << 20;
/// Elements of each array that are written at a time: whole lines, and no more than fit into registers.
const GROUP: i64 = 32;
/// Arrays that are written so.
const MOST: usize = 4;
/// Bytes of a line.
const LINE: i64 = 64;

/// The arrays that the loop may write past the caches. None where it is not known to write each of them in a row.
pub(crate) fn written_in_a_row(function: &Function, each: &For, plan: &Plan) -> Vec<Var> {
    let unchecked = each.parallel.as_ref().is_none_or(|parallel| parallel.unchecked);
    let left = plan.accumulated.is_empty()
        && plan.reductions.is_empty()
        && plan.overwritten.is_empty()
        && plan.last.iter().all(|var| *var == each.var)
        && !plan.leaves;
    let Some(body) = sure(each) else { return Vec::new() };
    if unchecked || !left || *each.step.kind != ExprKind::Int(1) || weight(body).is_none() || draws(body) {
        return Vec::new();
    }
    let mut rows = BTreeSet::new();
    for statement in body {
        let StatementKind::Store { array, indices, .. } = &statement.kind else { continue };
        let Type::Array(ty) = function.variables[array.0 as usize].ty else { return Vec::new() };
        let along = matches!(&indices[..], [index] if *index.kind == ExprKind::Var(each.var));
        let fits = ty.rank == 1 && ty.layout == Layout::C && matches!(ty.element.size(), 4 | 8);
        if along && fits && !ty.element.is_complex() && rows.insert(*array) {
            continue;
        }
        return Vec::new();
    }
    let mut uses = Uses::default();
    uses.block(body);
    if !uses.fails && uses.stores == rows.len() && rows.len() <= MOST && rows.is_disjoint(&uses.read) {
        rows.into_iter().collect()
    } else {
        Vec::new()
    }
}

/// The body that runs where nothing fails.
fn sure(each: &For) -> Option<&[Statement]> {
    match &each.fast {
        None => Some(&each.body),
        Some(fast) if !fast.attempt && fast.before.is_empty() && fast.after.is_empty() => Some(&fast.body),
        Some(_) => None,
    }
}

/// What a body does with arrays.
#[derive(Default)]
struct Uses {
    /// It may fail, assigns arrays, or does what is none of this file's.
    fails: bool,
    /// How many statements write elements.
    stores: usize,
    read: BTreeSet<Var>,
}

impl Uses {
    fn block(&mut self, block: &[Statement]) {
        for statement in block {
            match &statement.kind {
                StatementKind::Store { check, update, .. } => {
                    self.stores += 1;
                    self.fails |= *check != Check::None || update.is_some();
                }
                StatementKind::Assign { value, .. } => self.fails |= value.ty.scalar().is_none(),
                StatementKind::If { .. } => {}
                _ => self.fails = true,
            }
            expressions(statement).into_iter().for_each(|expr| self.expression(expr));
            blocks(statement).into_iter().for_each(|inner| self.block(inner));
        }
    }

    fn expression(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Load { array, check, .. } => {
                self.read.insert(*array);
                self.check(*check);
            }
            ExprKind::Unary { check, .. }
            | ExprKind::Cast { check, .. }
            | ExprKind::Binary { check, .. }
            | ExprKind::Math { check, .. } => self.check(*check),
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Var(_)
            | ExprKind::Complex(..)
            | ExprKind::Compare { .. }
            | ExprKind::If { .. }
            | ExprKind::Dim { .. } => {}
            _ => self.fails = true,
        }
        operands(expr).into_iter().for_each(|part| self.expression(part));
    }

    fn check(&mut self, check: Check) {
        self.fails |= !matches!(check, Check::None | Check::Wrap);
    }
}

impl FunctionEmitter<'_, '_> {
    /// Whether this time the loop goes past the caches: an i64.
    pub(super) fn goes_past(&mut self, each: &For, rows: &[Var], start: &str, count: &str) -> String {
        let told = self.alloca("i64", None);
        self.line(&format!("store i64 0, ptr {told}"));
        let bytes: i64 = rows.iter().map(|row| self.array_type(*row).element.size()).sum();
        let large = self.value(&format!("icmp uge i64 {count}, {}", LARGE / bytes));
        let [look, on] = ["look", "on"].map(|name| self.label(name));
        self.branch(&large, &look, &on);
        self.begin(&look);
        let mut uses = Uses::default();
        uses.block(sure(each).unwrap_or_default());
        let mut all = "true".to_string();
        let lead = self.elements_before_a_line(rows[0], start);
        for (at, row) in rows.iter().enumerate() {
            for other in rows[at + 1..].iter().chain(&uses.read) {
                let apart = self.disjoint(*row, *other);
                all = self.value(&format!("and i1 {all}, {apart}"));
            }
            let before = self.elements_before_a_line(*row, start);
            let alike = self.value(&format!("icmp eq i64 {before}, {lead}"));
            all = self.value(&format!("and i1 {all}, {alike}"));
        }
        let all = self.value(&format!("zext i1 {all} to i64"));
        self.line(&format!("store i64 {all}, ptr {told}"));
        self.jump(&on);
        self.begin(&on);
        self.value(&format!("load i64, ptr {told}"))
    }

    /// All iterations of a block, in groups of whole lines; those before the first line and behind the last one by one.
    pub(super) fn counted_past(&mut self, body: &Body, block: &[Statement], iterations: &Iterations) {
        let Range { start, count, .. } = &iterations.range;
        let buffers: Vec<(Var, Kind, String)> = body
            .past
            .iter()
            .map(|row| {
                let kind = self.array_type(*row).element;
                let buffer = self.fresh("buffer");
                let size = GROUP * kind.size();
                self.first.push_str(&format!("  {buffer} = alloca [{size} x i8], align {LINE}\n"));
                (*row, kind, buffer)
            })
            .collect();
        let before = self.elements_before_a_line(body.past[0], start);
        let before = self.intrinsic("umin", Kind::I64, &[&before, count]);
        let rest = self.value(&format!("sub nuw i64 {count}, {before}"));
        let groups = self.value(&format!("udiv i64 {rest}, {GROUP}"));
        let lined = self.value(&format!("add nsw i64 {start}, {before}"));
        let all = Range { start: lined, step: GROUP.to_string(), count: groups.clone(), at_most: None };
        let heavy = weight(block).map(|weight| weight * GROUP.unsigned_abs());
        self.each(&all, heavy, |this, turn| {
            for (row, _, buffer) in &buffers {
                this.buffers.insert(*row, (buffer.clone(), turn.value.clone()));
            }
            this.group(body.each.var, block, &turn.value);
            this.buffers.clear();
            for (row, kind, buffer) in &buffers {
                let place = this.address(*row, std::slice::from_ref(&turn.value));
                let vector = format!("<{} x {}>", LINE / kind.size(), memory(*kind));
                for at in (0..GROUP * kind.size()).step_by(LINE as usize) {
                    let from = this.value(&format!("getelementptr inbounds i8, ptr {buffer}, i64 {at}"));
                    let value = this.value(&format!("load {vector}, ptr {from}, align {LINE}"));
                    let to = this.value(&format!("getelementptr inbounds i8, ptr {place}, i64 {at}"));
                    this.line(&format!(
                        "store {vector} {value}, ptr {to}, align {LINE}, !nontemporal !{PAST}"
                    ));
                }
            }
        });
        // Stores of this kind come to light in any order: they are there before anybody is told that the block is.
        self.declare("declare void @llvm.x86.sse.sfence()");
        self.line("call void @llvm.x86.sse.sfence()");
        let done = self.value(&format!("mul i64 {groups}, {GROUP}"));
        let behind = self.value(&format!("add i64 {before}, {done}"));
        self.seldom(true, |this| {
            let sides = Range { start: "0".into(), step: "1".into(), count: "2".into(), at_most: Some(2) };
            this.each(&sides, None, |this, side| {
                let second = this.value(&format!("icmp ne i64 {}, 0", side.value));
                let from = this.value(&format!("select i1 {second}, i64 {behind}, i64 0"));
                let to = this.value(&format!("select i1 {second}, i64 {count}, i64 {before}"));
                let first = this.value(&format!("add nsw i64 {start}, {from}"));
                let few = this.value(&format!("sub nuw i64 {to}, {from}"));
                let range = Range { start: first, step: "1".into(), count: few, at_most: Some(GROUP as u64) };
                this.each(&range, weight(block), |this, turn| {
                    this.assign(body.each.var, &Operand::One(turn.value.clone()));
                    this.block(block);
                });
            });
        });
        let last = self.value(&format!("add i64 {start}, {count}"));
        let last = self.value(&format!("sub i64 {last}, 1"));
        self.assign(body.each.var, &Operand::One(last));
    }

    /// How many elements of the row, from one on, lie before the next line begins.
    fn elements_before_a_line(&mut self, row: Var, first: &str) -> String {
        let size = self.array_type(row).element.size();
        let place = self.address(row, &[first.to_string()]);
        let place = self.value(&format!("ptrtoint ptr {place} to i64"));
        let before = self.value(&format!("sub i64 0, {place}"));
        let before = self.value(&format!("and i64 {before}, {}", LINE - 1));
        self.value(&format!("udiv i64 {before}, {size}"))
    }

    /// A group's iterations from `first` on: of so few LLVM makes vectors that need no buffer in the end.
    fn group(&mut self, var: Var, block: &[Statement], first: &str) {
        let [head, back, end] = ["group", "back", "grouped"].map(|name| self.label(name));
        let entered = self.block.clone();
        let [at, next] = [(); 2].map(|()| self.fresh("at"));
        self.begin(&head);
        self.line(&format!("{at} = phi i64 [ 0, %{entered} ], [ {next}, %{back} ]"));
        let index = self.value(&format!("add nsw i64 {first}, {at}"));
        self.assign(var, &Operand::One(index));
        self.block(block);
        self.begin(&back);
        self.line(&format!("{next} = add nuw nsw i64 {at}, 1"));
        let more = self.value(&format!("icmp ult i64 {next}, {GROUP}"));
        let mark = self.marked(Mark::Vectors);
        self.branch(&more, &head, &format!("{end}{mark}"));
        self.begin(&end);
    }
}
