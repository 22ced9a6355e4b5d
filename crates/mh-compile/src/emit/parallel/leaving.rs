//! Loops that end early: a block that was left says so in a table, and behind the loop the blocks after the first such one do not count.

use super::{BLOCKS, Body};
use crate::abi::LEFT;
use crate::emit::function::FunctionEmitter;

/// Of a loop that may be left: the table with a flag for each block.
pub(super) struct Leaving {
    /// Caller's side.
    pub table: String,
    /// Offset of its address in the closure.
    pub at: usize,
}

impl FunctionEmitter<'_, '_> {
    /// The table of flags. Blocks that are not run leave theirs as it is: they are behind one that was left.
    pub(super) fn leaving_table(&mut self) -> String {
        self.alloca(&format!("[{BLOCKS} x i8]"), None)
    }

    /// A flag that is down, and the label of the way out.
    pub(super) fn begin_leaving(&mut self, body: &Body) -> Option<(String, String)> {
        body.leaving.as_ref()?;
        let flag = self.alloca("i8", None);
        self.line(&format!("store i8 0, ptr {flag}"));
        Some((flag, self.label("out")))
    }

    /// Behind a block's loop: the way out raises the flag.
    pub(super) fn end_leaving(&mut self, leaving: Option<&(String, String)>) {
        let Some((flag, out)) = leaving else { return };
        let on = self.label("on");
        self.jump(&on);
        self.begin(out);
        self.line(&format!("store i8 1, ptr {flag}"));
        self.begin(&on);
    }

    /// Tells the caller whether this block was left.
    pub(super) fn tell_leaving(&mut self, body: &Body, leaving: Option<&(String, String)>) {
        let (Some((flag, _)), Some(Leaving { at, .. })) = (leaving, &body.leaving) else { return };
        let flag = self.value(&format!("load i8, ptr {flag}"));
        let table = self.field(*at, "ptr");
        let address = self.value(&format!("getelementptr inbounds i8, ptr {table}, i64 %block"));
        self.line(&format!("store i8 {flag}, ptr {address}"));
        let left = self.value(&format!("icmp ne i8 {flag}, 0"));
        let status = self.value(&format!("select i1 {left}, i32 {LEFT}, i32 0"));
        self.line(&format!("store i32 {status}, ptr %status"));
    }

    /// The status of a loop whose being left is no failure.
    pub(super) fn unless_left(&mut self, body: &Body, status: String) -> String {
        if body.leaving.is_none() {
            return status;
        }
        let left = self.value(&format!("icmp eq i32 {status}, {LEFT}"));
        self.value(&format!("select i1 {left}, i32 0, i32 {status}"))
    }

    /// In a loop over blocks, behind what is done with one: ends it where the block was left.
    pub(super) fn last_that_counts(&mut self, body: &Body, block: &str) {
        let Some(Leaving { table, .. }) = &body.leaving else { return };
        let address = self.value(&format!("getelementptr inbounds i8, ptr {table}, i64 {block}"));
        let left = self.value(&format!("load i8, ptr {address}"));
        let left = self.value(&format!("icmp ne i8 {left}, 0"));
        let end = self.loops.last().map(|around| around.leave.clone()).unwrap_or_default();
        let on = self.label("on");
        self.branch(&left, &end, &on);
        self.begin(&on);
    }
}
