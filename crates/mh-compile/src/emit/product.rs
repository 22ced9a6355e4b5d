//! Products of matrices: a call of the runtime's gemm.

use super::function::FunctionEmitter;
use crate::abi::offset;
use crate::ir::Var;

impl FunctionEmitter<'_, '_> {
    /// Fills an array that was just made, row by row, with the products of the matrices of two others.
    pub fn product(&mut self, out: Var, left: Var, right: Var) {
        let array = self.array_type(out);
        let parts = if array.element.is_complex() { 2 } else { 1 };
        let size = array.element.size() / parts;
        let rank = array.rank;
        let (left, left_axes) = self.axes(left);
        let (right, right_axes) = self.axes(right);
        let place = self.array_place(out).data;
        let place = self.value(&format!("load ptr, ptr {place}"));
        let product = self.rt_function(offset::PRODUCT);
        let arguments = format!("ptr {left}, ptr {left_axes}, ptr {right}, ptr {right_axes}, ptr {place}");
        let status = self
            .value(&format!("call i32 {product}(ptr %rt, i32 {size}, i32 {parts}, i64 {rank}, {arguments})"));
        self.leave_unless_done(&status);
    }

    /// Where an array's data is, and a table of its lengths and strides.
    fn axes(&mut self, var: Var) -> (String, String) {
        let place = self.array_place(var);
        let rank = usize::from(self.array_type(var).rank);
        let table = self.alloca(&format!("[{} x i64]", 2 * rank), None);
        for (at, address) in place.lengths.iter().chain(&place.strides).enumerate() {
            let value = self.value(&format!("load i64, ptr {address}"));
            let address = self.value(&format!("getelementptr inbounds i64, ptr {table}, i64 {at}"));
            self.line(&format!("store i64 {value}, ptr {address}"));
        }
        (self.value(&format!("load ptr, ptr {}", place.data)), table)
    }
}
