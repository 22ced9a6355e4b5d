//! An array's elements under other lengths.

use super::function::FunctionEmitter;
use crate::abi::offset;
use crate::ir::{Expr, Part, Var};

impl FunctionEmitter<'_, '_> {
    /// The fields of a view of other lengths, all of whose parts are `Length`.
    pub fn reshaped(&mut self, var: Var, parts: &[Part]) -> Vec<String> {
        let place = self.array_place(var);
        let array = self.array_type(var);
        let mut lengths = Vec::new();
        for part in parts {
            if let Part::Length(length) = part {
                lengths.push(self.expression(length).one().to_string());
            }
        }
        let mut strides = vec![String::new(); lengths.len()];
        if array.is_dense() {
            let mut stride = array.element.size().to_string();
            for axis in (0..lengths.len()).rev() {
                strides[axis].clone_from(&stride);
                stride = self.value(&format!("mul i64 {stride}, {}", lengths[axis]));
            }
        } else {
            let (table, _) = self.fold_lengths(var, &lengths);
            for (axis, stride) in strides.iter_mut().enumerate() {
                let at = lengths.len() + axis;
                let address = self.value(&format!("getelementptr inbounds i64, ptr {table}, i64 {at}"));
                *stride = self.value(&format!("load i64, ptr {address}"));
            }
        }
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        let owner = self.value(&format!("load ptr, ptr {}", place.owner));
        let mut fields = vec![data, owner];
        fields.extend(lengths);
        fields.extend(strides);
        fields
    }

    /// Whether the elements can be seen under these lengths; without: whether they lie row by row.
    pub fn foldable(&mut self, var: Var, lengths: Option<&[Expr]>) -> String {
        if let Some(lengths) = lengths {
            let lengths: Vec<String> =
                lengths.iter().map(|length| self.expression(length).one().to_string()).collect();
            let (_, answer) = self.fold_lengths(var, &lengths);
            return self.value(&format!("icmp ne i32 {answer}, 0"));
        }
        let array = self.array_type(var);
        if array.is_dense() {
            return "true".to_string();
        }
        let place = self.array_place(var);
        let (mut even, mut none) = ("true".to_string(), "false".to_string());
        let mut wanted = array.element.size().to_string();
        for axis in (0..usize::from(array.rank)).rev() {
            let length = self.length(var, axis);
            let stride = self.value(&format!("load i64, ptr {}", place.strides[axis]));
            let one = self.value(&format!("icmp eq i64 {length}, 1"));
            let same = self.value(&format!("icmp eq i64 {stride}, {wanted}"));
            let fine = self.value(&format!("or i1 {one}, {same}"));
            even = self.value(&format!("and i1 {even}, {fine}"));
            let empty = self.value(&format!("icmp eq i64 {length}, 0"));
            none = self.value(&format!("or i1 {none}, {empty}"));
            wanted = self.value(&format!("mul i64 {wanted}, {length}"));
        }
        self.value(&format!("or i1 {even}, {none}"))
    }

    /// The new lengths in memory with the strides behind them, and whether there are such strides.
    fn fold_lengths(&mut self, var: Var, lengths: &[String]) -> (String, String) {
        let rank = usize::from(self.array_type(var).rank);
        let size = self.array_type(var).element.size();
        let place = self.array_place(var);
        let old = self.alloca(&format!("[{} x i64]", 2 * rank.max(1)), None);
        let new = self.alloca(&format!("[{} x i64]", 2 * lengths.len().max(1)), None);
        let mut fields = Vec::new();
        for address in place.lengths.iter().chain(&place.strides) {
            fields.push(self.value(&format!("load i64, ptr {address}")));
        }
        for (table, values) in [(&old, &fields[..]), (&new, lengths)] {
            for (at, value) in values.iter().enumerate() {
                let address = self.value(&format!("getelementptr inbounds i64, ptr {table}, i64 {at}"));
                self.line(&format!("store i64 {value}, ptr {address}"));
            }
        }
        let fold = self.rt_function(offset::FOLD);
        let count = lengths.len();
        let answer = self
            .value(&format!("call i32 {fold}(ptr {old}, i64 {rank}, i64 {size}, ptr {new}, i64 {count})"));
        (new, answer)
    }
}
