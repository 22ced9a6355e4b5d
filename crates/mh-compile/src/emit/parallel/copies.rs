//! Arrays of which each block has a copy of its own: gathered in, or overwritten.

use super::combine::{complete, identity};
use super::{BLOCKS, Body, plain};
use crate::abi::offset;
use crate::compile::Failure;
use crate::emit::function::{ArrayPlace, FunctionEmitter, Place};
use crate::ir::{Accumulated, Check, Kind, Layout, ReductionKind, Scalar, Span, Var};

/// Bytes of private copies that one array may take.
pub(super) const COPIES: u64 = 64 << 20;

impl FunctionEmitter<'_, '_> {
    /// Elements and bytes of an array.
    pub(super) fn sizes(&mut self, array: Var) -> (String, String) {
        let ty = self.array_type(array);
        let mut elements = "1".to_string();
        for axis in 0..usize::from(ty.rank) {
            let length = self.length(array, axis);
            elements = self.value(&format!("mul i64 {elements}, {length}"));
        }
        let bytes = self.value(&format!("mul i64 {elements}, {}", ty.element.size()));
        (elements, bytes)
    }

    /// Into how many blocks a loop may be cut that has a copy of arrays in each: by memory, and so that making and combining the copies costs
    /// no more than a part of the loop.
    pub(super) fn copies_at_most(&mut self, count: &str, sizes: &[(String, String)], fine: bool) -> String {
        let mut most = if fine { "64".to_string() } else { BLOCKS.to_string() };
        for (elements, bytes) in sizes {
            let bytes = self.intrinsic("umax", Kind::I64, &[bytes, "1"]);
            let by_memory = self.value(&format!("udiv i64 {COPIES}, {bytes}"));
            let each = if fine {
                "4".to_string()
            } else {
                let four = self.value(&format!("mul i64 {elements}, 4"));
                self.intrinsic("umax", Kind::I64, &[&four, "1"])
            };
            let by_work = self.value(&format!("udiv i64 {count}, {each}"));
            let least = self.intrinsic("umin", Kind::I64, &[&by_memory, &by_work]);
            most = self.intrinsic("umin", Kind::I64, &[&most, &least]);
        }
        most
    }

    /// Strides of an array without gaps, in the order of its layout.
    pub(super) fn dense(&mut self, array: Var, place: &ArrayPlace) {
        let ty = self.array_type(array);
        let mut stride = ty.element.size().to_string();
        let rank = usize::from(ty.rank);
        let order: Vec<usize> =
            if ty.layout == Layout::F { (0..rank).collect() } else { (0..rank).rev().collect() };
        for axis in order {
            self.line(&format!("store i64 {stride}, ptr {}", place.strides[axis]));
            let length = self.length(array, axis);
            stride = self.value(&format!("mul i64 {stride}, {length}"));
        }
    }

    /// From here on the array is this block's own copy, which is begun by `begin_copy`; with `marks` there is a mark for each element behind it.
    pub(super) fn own_copy(&mut self, array: Var, marks: bool, copies: usize) {
        let (_, mut bytes) = self.sizes(array);
        if marks {
            self.marked.insert(array, bytes.clone());
            bytes = self.value(&format!("mul i64 {bytes}, 2"));
        }
        let mut place = self.array_place(array);
        // What it was: for those that begin with the values from before the loop.
        let original = place.clone();
        place.data = self.alloca("ptr", Some("null"));
        place.strides = (0..place.strides.len()).map(|_| self.alloca("i64", Some("0"))).collect();
        let data = self.field(copies, "ptr");
        let far = self.value(&format!("mul i64 %block, {bytes}"));
        let own = self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
        self.line(&format!("store ptr {own}, ptr {}", place.data));
        self.originals.insert(array, original);
        self.places[array.0 as usize] = Place::Array(place.clone());
        self.dense(array, &place);
    }

    /// All blocks but the last write to memory that is thrown away.
    pub(super) fn scratch(&mut self, array: Var, blocks: usize, span: Span) {
        let blocks = self.field(blocks, "i64");
        let last = self.value(&format!("sub i64 {blocks}, 1"));
        let is_last = self.value(&format!("icmp eq i64 %block, {last}"));
        let [own, on] = ["scratch", "on"].map(|name| self.label(name));
        let (_, bytes) = self.sizes(array);
        let mut place = self.array_place(array);
        place.borrowed = false;
        self.line(&format!("store ptr null, ptr {}", place.owner));
        self.places[array.0 as usize] = Place::Array(place.clone());
        self.branch(&is_last, &on, &own);
        self.begin(&own);
        let alloc = self.rt_function(offset::ALLOC);
        let owner = self.value(&format!("call ptr {alloc}(ptr %rt, i64 {bytes}, i32 0)"));
        let failed = self.value(&format!("icmp eq ptr {owner}, null"));
        self.fail_if(&failed, Check::Branch, Failure::Memory, span, &[bytes]);
        let data = self.value(&format!("load ptr, ptr {owner}, align 8"));
        self.line(&format!("store ptr {owner}, ptr {}", place.owner));
        self.line(&format!("store ptr {data}, ptr {}", place.data));
        self.dense(array, &place);
        self.jump(&on);
        self.begin(&on);
    }

    /// A block's own copy of an array that is accumulated into: identities, or the values from before the loop.
    pub(super) fn begin_copy(&mut self, accumulated: &Accumulated, span: Span) {
        let array = accumulated.array;
        let kind = self.array_type(array).element;
        let (elements, _) = self.sizes(array);
        let own = self.array_place(array);
        let data = self.value(&format!("load ptr, ptr {}", own.data));
        let begin = identity(accumulated.kind, kind).map(|one| complete(kind, one));
        let original = self.originals.get(&array).cloned();
        let range = plain(&elements);
        let _ = span;
        if let Some(bytes) = self.marked.get(&array).cloned() {
            let marks = self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {bytes}"));
            self.each(&plain(&bytes), Some(1), |this, turn| {
                let mark = this.value(&format!("getelementptr inbounds i8, ptr {marks}, i64 {}", turn.value));
                this.line(&format!("store i8 0, ptr {mark}"));
            });
            return;
        }
        self.each(&range, Some(1), |this, turn| {
            let index = &turn.value;
            let value = match (&begin, &original) {
                (Some(value), _) => value.clone(),
                (None, Some(original)) => {
                    let address = this.flat(array, original, index);
                    this.load(kind, &address)
                }
                (None, None) => complete(kind, "0"),
            };
            let far = this.value(&format!("mul i64 {index}, {}", kind.size()));
            let address = this.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
            this.store(kind, &value, &address);
        });
    }

    /// Address of the element of this number, counted in the order in which copies are laid out.
    pub(super) fn flat(&mut self, array: Var, place: &ArrayPlace, index: &str) -> String {
        let ty = self.array_type(array);
        let rank = usize::from(ty.rank);
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        if matches!(ty.layout, Layout::C | Layout::F) || rank == 0 {
            let far = self.value(&format!("mul i64 {index}, {}", ty.element.size()));
            return self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
        }
        let mut rest = index.to_string();
        let mut far = "0".to_string();
        for axis in (0..rank).rev() {
            let length = self.value(&format!("load i64, ptr {}", place.lengths[axis]));
            let stride = self.value(&format!("load i64, ptr {}", place.strides[axis]));
            let own =
                if axis == 0 { rest.clone() } else { self.value(&format!("urem i64 {rest}, {length}")) };
            if axis > 0 {
                rest = self.value(&format!("udiv i64 {rest}, {length}"));
            }
            let bytes = self.value(&format!("mul i64 {own}, {stride}"));
            far = self.value(&format!("add i64 {far}, {bytes}"));
        }
        self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"))
    }

    /// Behind the loop: all copies into the array, in the order of the blocks.
    pub(super) fn gather_copies(
        &mut self,
        body: &Body,
        accumulated: &Accumulated,
        data: &str,
        elements: &str,
        number: &str,
    ) {
        let array = accumulated.array;
        let kind = self.array_type(array).element;
        let place = self.array_place(array);
        let bytes = self.value(&format!("mul i64 {elements}, {}", kind.size()));
        let marks = accumulated.kind == ReductionKind::Latest;
        let apart = if marks { self.value(&format!("mul i64 {bytes}, 2")) } else { bytes.clone() };
        let (blocks, inner) = (plain(number), plain(elements));
        self.each(&blocks, None, |this, turn| {
            let block = &turn.value;
            let far = this.value(&format!("mul i64 {block}, {apart}"));
            let copy = this.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
            this.each(&inner, Some(1), |this, turn| {
                let index = &turn.value;
                let far = this.value(&format!("mul i64 {index}, {}", kind.size()));
                let from = this.value(&format!("getelementptr inbounds i8, ptr {copy}, i64 {far}"));
                if marks {
                    let mark = this.value(&format!("getelementptr inbounds i8, ptr {from}, i64 {bytes}"));
                    let mark = this.value(&format!("load i8, ptr {mark}"));
                    let written = this.value(&format!("icmp ne i8 {mark}, 0"));
                    let take = this.label("take");
                    let next = this.loops.last().map(|around| around.next.clone()).unwrap_or_default();
                    this.branch(&written, &take, &next);
                    this.begin(&take);
                }
                let address = this.flat(array, &place, index);
                let old = this.load(kind, &address);
                let new = this.load(kind, &from);
                let both = this.merge(accumulated.kind, &old, &new, Scalar::numpy(kind), body.span);
                this.store(kind, &both, &address);
            });
            this.last_that_counts(body, block);
        });
    }
}
