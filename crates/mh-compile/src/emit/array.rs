//! Arrays: addresses of elements, new ones, views, references.

use super::function::{ArrayPlace, FunctionEmitter, Operand, Place};
use super::{flattened, memory};
use crate::abi::offset;
use crate::compile::Failure;
use crate::ir::{Array, Check, Expr, Fill, Kind, Layout, Part, Span, Type, Var};

/// What an array begins as.
#[derive(Clone, Copy)]
pub struct NewArray<'a> {
    pub lengths: &'a [Expr],
    pub fill: &'a Fill,
    /// Its elements, where they are all the same.
    pub begun: Option<&'a Operand>,
    pub check: Check,
    pub span: Span,
}

impl FunctionEmitter<'_, '_> {
    pub fn array_type(&self, var: Var) -> Array {
        match self.variable_type(var) {
            Type::Array(array) => array,
            Type::Scalar(_) => unreachable!("{var:?} is an array"),
        }
    }

    /// Length of an axis.
    pub fn length(&mut self, var: Var, axis: usize) -> String {
        let place = self.array_place(var);
        self.value(&format!("load i64, ptr {}", place.lengths[axis]))
    }

    /// Bytes from one element to the next along an axis, where they are not computed from the lengths.
    fn stride(&mut self, place: &ArrayPlace, axis: usize) -> String {
        self.value(&format!("load i64, ptr {}", place.strides[axis]))
    }

    /// Address of an element.
    pub fn element(&mut self, var: Var, indices: &[Expr], check: Check, span: Span) -> String {
        let mut places = Vec::new();
        for index in indices {
            places.push(self.expression(index).one().to_string());
        }
        let rank = indices.len();
        for (axis, place) in places.iter_mut().enumerate() {
            *place = self.subscript(var, axis, rank, place, check, span);
        }
        self.address(var, &places)
    }

    /// A subscript that counts from the start, checked.
    fn subscript(
        &mut self,
        var: Var,
        axis: usize,
        rank: usize,
        index: &str,
        check: Check,
        span: Span,
    ) -> String {
        if check == Check::None {
            return index.into();
        }
        let length = self.length(var, axis);
        let negative = self.value(&format!("icmp slt i64 {index}, 0"));
        let wrapped = self.value(&format!("add i64 {index}, {length}"));
        let place = self.value(&format!("select i1 {negative}, i64 {wrapped}, i64 {index}"));
        if check != Check::Wrap {
            let outside = self.value(&format!("icmp uge i64 {place}, {length}"));
            let values = [index.to_string(), length, axis.to_string(), rank.to_string()];
            self.fail_if(&outside, Check::Branch, Failure::Index, span, &values);
        }
        place
    }

    /// Address of an element whose subscripts are within bounds.
    pub fn address(&mut self, var: Var, places: &[String]) -> String {
        let array = self.array_type(var);
        let element = element_type(array.element);
        if let Some((buffer, first)) = self.buffers.get(&var).cloned() {
            let far = self.value(&format!("sub nsw i64 {}, {first}", places[0]));
            return self.value(&format!("getelementptr inbounds {element}, ptr {buffer}, i64 {far}"));
        }
        let place = self.array_place(var);
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        let rank = places.len();
        if rank == 0 {
            return data;
        }
        match array.layout {
            Layout::Places => unreachable!("places have no addresses"),
            Layout::C | Layout::F => {
                // Row-major: ((i0 * n1) + i1) * n2 + i2; column-major the other way round.
                let order: Vec<usize> =
                    if array.layout == Layout::C { (0..rank).collect() } else { (0..rank).rev().collect() };
                let mut sum = places[order[0]].clone();
                for axis in &order[1..] {
                    let length = self.length(var, *axis);
                    let rows = self.value(&format!("mul nuw nsw i64 {sum}, {length}"));
                    sum = self.value(&format!("add nuw nsw i64 {rows}, {}", places[*axis]));
                }
                self.value(&format!("getelementptr inbounds {element}, ptr {data}, i64 {sum}"))
            }
            Layout::Inner | Layout::Any => {
                let mut address = data;
                let strided = if array.layout == Layout::Inner { rank - 1 } else { rank };
                let mut sum: Option<String> = None;
                for (axis, index) in places.iter().enumerate().take(strided) {
                    let stride = self.stride(&place, axis);
                    let bytes = self.value(&format!("mul nsw i64 {index}, {stride}"));
                    sum = Some(match sum {
                        Some(sum) => self.value(&format!("add nsw i64 {sum}, {bytes}")),
                        None => bytes,
                    });
                }
                if let Some(sum) = sum {
                    address = self.value(&format!("getelementptr inbounds i8, ptr {address}, i64 {sum}"));
                }
                if strided < rank {
                    let last = &places[rank - 1];
                    address =
                        self.value(&format!("getelementptr inbounds {element}, ptr {address}, i64 {last}"));
                }
                address
            }
        }
    }

    pub fn retain(&mut self, owner: &str) {
        self.counted_call(offset::RETAIN, owner);
    }

    pub fn release(&mut self, owner: &str) {
        self.counted_call(offset::RELEASE, owner);
    }

    /// Owners that are null or odd are nobody's to count: looked at here, for the call costs more.
    fn counted_call(&mut self, function: u32, owner: &str) {
        if owner == "null" {
            return;
        }
        let number = self.value(&format!("ptrtoint ptr {owner} to i64"));
        let odd = self.value(&format!("and i64 {number}, 1"));
        let odd = self.value(&format!("icmp ne i64 {odd}, 0"));
        let null = self.value(&format!("icmp eq i64 {number}, 0"));
        let free = self.value(&format!("or i1 {odd}, {null}"));
        let (call, on) = (self.label("count"), self.label("on"));
        self.branch(&free, &on, &call);
        self.begin(&call);
        let callee = self.rt_function(function);
        self.line(&format!("call void {callee}(ptr {owner})"));
        self.jump(&on);
        self.begin(&on);
    }

    /// Gives an array variable its fields (data, owner, lengths, strides). `counts`: the owner gets one reference more; else it is handed over.
    pub fn set_array(&mut self, var: Var, fields: &[String], counts: bool) {
        let Place::Array(place) = self.place(var) else { unreachable!("{var:?} is an array") };
        if !place.borrowed {
            // The new before the old: they may be the same.
            if counts {
                self.retain(&fields[1]);
            }
            let old = self.value(&format!("load ptr, ptr {}", place.owner));
            self.release(&old);
        }
        let addresses = [&place.data, &place.owner].into_iter().chain(&place.lengths).chain(&place.strides);
        for ((address, value), ty) in addresses.zip(fields).zip(flattened(self.variable_type(var))) {
            self.line(&format!("store {ty} {value}, ptr {address}"));
        }
    }

    /// An element of an array of places.
    pub fn place_number(&mut self, var: Var, indices: &[Expr], check: Check, span: Span) -> String {
        let rank = indices.len();
        let indices: Vec<String> =
            indices.iter().map(|index| self.expression(index).one().to_string()).collect();
        let place = self.array_place(var);
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        let mut sum = self.value(&format!("ptrtoint ptr {data} to i64"));
        for (axis, index) in indices.iter().enumerate() {
            let index = self.subscript(var, axis, rank, index, check, span);
            let stride = self.stride(&place, axis);
            let far = self.value(&format!("mul nsw i64 {index}, {stride}"));
            sum = self.value(&format!("add nsw i64 {sum}, {far}"));
        }
        sum
    }

    /// A new array in `var`; what it held before is given back first.
    pub fn new_array(&mut self, var: Var, new: &NewArray<'_>) {
        let NewArray { lengths, fill, begun, check, span } = *new;
        let array = self.array_type(var);
        let size = array.element.size();
        let lengths: Vec<String> =
            lengths.iter().map(|length| self.expression(length).one().to_string()).collect();
        for length in &lengths {
            let negative = self.value(&format!("icmp slt i64 {length}, 0"));
            self.fail_if(&negative, check, Failure::NegativeLength, span, std::slice::from_ref(length));
        }
        // Bytes, where an axis of no length makes all of it empty; NumPy refuses products past 2^63 whatever the other axes.
        let mut bytes = size.to_string();
        let mut over = "false".to_string();
        for length in &lengths {
            let none = self.value(&format!("icmp eq i64 {length}, 0"));
            let at_least = self.value(&format!("select i1 {none}, i64 1, i64 {length}"));
            let (product, overflow) = self.with_overflow("smul", Kind::I64, &bytes, &at_least);
            bytes = product;
            over = self.value(&format!("or i1 {over}, {overflow}"));
        }
        let too_much = i64::MAX.to_string();
        self.fail_if(&over, Check::Branch, Failure::Memory, span, &[too_much]);
        for length in &lengths {
            let none = self.value(&format!("icmp eq i64 {length}, 0"));
            bytes = self.value(&format!("select i1 {none}, i64 0, i64 {bytes}"));
        }
        let place = self.array_place(var);
        let old = self.value(&format!("load ptr, ptr {}", place.owner));
        self.line(&format!("store ptr null, ptr {}", place.owner));
        self.release(&old);
        if let Fill::Places(axis) = fill {
            // Places begin at 0, and each step along the axis is one further; nobody owns them.
            let strides = (0..lengths.len()).map(|one| i32::from(one == usize::from(*axis)).to_string());
            let mut fields = vec!["null".to_string(), "null".to_string()];
            fields.extend(lengths.iter().cloned());
            fields.extend(strides);
            self.store_fields(var, &fields);
            return;
        }
        let alloc = self.rt_function(offset::ALLOC);
        let zeroed = i32::from(matches!(fill, Fill::Zero));
        let owner = self.value(&format!("call ptr {alloc}(ptr %rt, i64 {bytes}, i32 {zeroed})"));
        let failed = self.value(&format!("icmp eq ptr {owner}, null"));
        self.fail_if(&failed, Check::Branch, Failure::Memory, span, std::slice::from_ref(&bytes));
        let data = self.value(&format!("load ptr, ptr {owner}, align 8"));
        let mut strides = vec![String::new(); lengths.len()];
        let mut stride = size.to_string();
        let order: Vec<usize> = match array.layout {
            Layout::F => (0..lengths.len()).collect(),
            _ => (0..lengths.len()).rev().collect(),
        };
        for axis in order {
            strides[axis].clone_from(&stride);
            stride = self.value(&format!("mul i64 {stride}, {}", lengths[axis]));
        }
        let mut fields = vec![data.clone(), owner];
        fields.extend(lengths.iter().cloned());
        fields.extend(strides);
        self.store_fields(var, &fields);
        if let Some(begun) = begun {
            self.fill(array.element, &data, &bytes, begun);
        }
    }

    fn store_fields(&mut self, var: Var, fields: &[String]) {
        let place = self.array_place(var);
        let addresses = [&place.data, &place.owner].into_iter().chain(&place.lengths).chain(&place.strides);
        for ((address, value), ty) in addresses.zip(fields).zip(flattened(self.variable_type(var))) {
            self.line(&format!("store {ty} {value}, ptr {address}"));
        }
    }

    fn fill(&mut self, kind: Kind, data: &str, bytes: &str, value: &Operand) {
        let (head, end) = (self.label("fill"), self.label("filled"));
        let before = self.block.clone();
        let none = self.value(&format!("icmp eq i64 {bytes}, 0"));
        self.branch(&none, &end, &head);
        self.begin(&head);
        let (at, next) = (self.fresh("at"), self.fresh("at"));
        self.line(&format!("{at} = phi i64 [ 0, %{before} ], [ {next}, %{head} ]"));
        let address = self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {at}"));
        self.store(kind, value, &address);
        self.line(&format!("{next} = add nuw nsw i64 {at}, {}", kind.size()));
        let more = self.value(&format!("icmp ult i64 {next}, {bytes}"));
        self.branch(&more, &head, &end);
        self.begin(&end);
    }

    /// The fields of a view.
    pub fn view(&mut self, var: Var, parts: &[Part], check: Check, span: Span) -> Vec<String> {
        if matches!(parts.first(), Some(Part::Length(_))) {
            return self.reshaped(var, parts);
        }
        // Places are numbers, not in any memory.
        let inside = if self.array_type(var).layout == Layout::Places { "" } else { "inbounds " };
        let place = self.array_place(var);
        let rank = usize::from(self.array_type(var).rank);
        let mut data = self.value(&format!("load ptr, ptr {}", place.data));
        let owner = self.value(&format!("load ptr, ptr {}", place.owner));
        let (mut lengths, mut strides) = (Vec::new(), Vec::new());
        let mut axis = 0;
        for part in parts {
            match part {
                Part::Real => {}
                Part::Imag => {
                    let far = self.array_type(var).element.size() / 2;
                    data = self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
                }
                Part::Length(_) => unreachable!("lengths stand by themselves"),
                Part::Diagonal => {
                    for other in 2..rank {
                        lengths.push(self.length(var, other));
                        strides.push(self.stride(&place, other));
                    }
                    let (rows, columns) = (self.length(var, 0), self.length(var, 1));
                    lengths.push(self.intrinsic("smin", Kind::I64, &[&rows, &columns]));
                    let (down, right) = (self.stride(&place, 0), self.stride(&place, 1));
                    strides.push(self.value(&format!("add i64 {down}, {right}")));
                    axis = rank;
                }
                Part::NewAxis => {
                    lengths.push("1".to_string());
                    strides.push("0".to_string());
                }
                Part::Axis(number) => {
                    let number = usize::from(*number);
                    lengths.push(self.length(var, number));
                    strides.push(self.stride(&place, number));
                    axis += 1;
                }
                Part::Index(index) => {
                    let index = self.expression(index).one().to_string();
                    let index = self.subscript(var, axis, rank, &index, check, span);
                    let stride = self.stride(&place, axis);
                    let bytes = self.value(&format!("mul i64 {index}, {stride}"));
                    data = self.value(&format!("getelementptr {inside}i8, ptr {data}, i64 {bytes}"));
                    axis += 1;
                }
                Part::Slice { start, stop, step } => {
                    let length = self.length(var, axis);
                    let stride = self.stride(&place, axis);
                    let mut value = |bound: &Option<Expr>| {
                        bound.as_ref().map(|bound| self.expression(bound).one().to_string())
                    };
                    let (start, stop, step) = (value(start), value(stop), value(step));
                    let (first, count) =
                        self.slice(&length, start.as_deref(), stop.as_deref(), step.as_deref(), check, span);
                    // An empty slice begins where the array does: its first place may lie outside.
                    let none = self.value(&format!("icmp eq i64 {count}, 0"));
                    let first = self.value(&format!("select i1 {none}, i64 0, i64 {first}"));
                    let bytes = self.value(&format!("mul i64 {first}, {stride}"));
                    data = self.value(&format!("getelementptr {inside}i8, ptr {data}, i64 {bytes}"));
                    lengths.push(count);
                    strides.push(match step {
                        None => stride,
                        Some(step) => self.value(&format!("mul i64 {stride}, {step}")),
                    });
                    axis += 1;
                }
            }
        }
        while axis < rank {
            lengths.push(self.length(var, axis));
            strides.push(self.stride(&place, axis));
            axis += 1;
        }
        let mut fields = vec![data, owner];
        fields.extend(lengths);
        fields.extend(strides);
        fields
    }

    /// First place and count of a slice, clipped as Python does.
    fn slice(
        &mut self,
        length: &str,
        start: Option<&str>,
        stop: Option<&str>,
        step: Option<&str>,
        check: Check,
        span: Span,
    ) -> (String, String) {
        let Some(step) = step.filter(|step| *step != "1") else {
            // Upward, by ones.
            let mut clip = |bound: &str| {
                let negative = self.value(&format!("icmp slt i64 {bound}, 0"));
                let wrapped = self.value(&format!("add i64 {bound}, {length}"));
                let place = self.value(&format!("select i1 {negative}, i64 {wrapped}, i64 {bound}"));
                let place = self.intrinsic("smax", Kind::I64, &[&place, "0"]);
                self.intrinsic("smin", Kind::I64, &[&place, length])
            };
            let first = start.map_or_else(|| "0".to_string(), &mut clip);
            let end = stop.map_or_else(|| length.to_string(), &mut clip);
            let distance = self.value(&format!("sub nsw i64 {end}, {first}"));
            let count = self.intrinsic("smax", Kind::I64, &[&distance, "0"]);
            return (first, count);
        };
        let zero = self.value(&format!("icmp eq i64 {step}, 0"));
        let failure = Failure::Value("slice step cannot be zero".into());
        self.fail_if(&zero, check, failure, span, &[]);
        let down = self.value(&format!("icmp slt i64 {step}, 0"));
        // Bounds lie in 0..=length upward and in -1..length downward.
        let least = self.value(&format!("select i1 {down}, i64 -1, i64 0"));
        let most = self.value(&format!("add nsw i64 {length}, {least}"));
        let mut clip = |bound: &str| {
            let negative = self.value(&format!("icmp slt i64 {bound}, 0"));
            let wrapped = self.value(&format!("add i64 {bound}, {length}"));
            let place = self.value(&format!("select i1 {negative}, i64 {wrapped}, i64 {bound}"));
            let place = self.intrinsic("smax", Kind::I64, &[&place, &least]);
            self.intrinsic("smin", Kind::I64, &[&place, &most])
        };
        let given = (start.map(&mut clip), stop.map(&mut clip));
        let first = given.0.unwrap_or_else(|| self.value(&format!("select i1 {down}, i64 {most}, i64 0")));
        let end = given.1.unwrap_or_else(|| self.value(&format!("select i1 {down}, i64 -1, i64 {length}")));
        let up_distance = self.value(&format!("sub nsw i64 {end}, {first}"));
        let down_distance = self.value(&format!("sub nsw i64 {first}, {end}"));
        let distance = self.value(&format!("select i1 {down}, i64 {down_distance}, i64 {up_distance}"));
        let negated = self.value(&format!("sub i64 0, {step}"));
        let size = self.value(&format!("select i1 {down}, i64 {negated}, i64 {step}"));
        let zero = self.value(&format!("icmp eq i64 {size}, 0"));
        let size = self.value(&format!("select i1 {zero}, i64 1, i64 {size}"));
        // (distance + size - 1) / size without overflow.
        let some = self.value(&format!("icmp sgt i64 {distance}, 0"));
        let last = self.value(&format!("sub i64 {distance}, 1"));
        let whole = self.value(&format!("udiv i64 {last}, {size}"));
        let count = self.value(&format!("add i64 {whole}, 1"));
        let count = self.value(&format!("select i1 {some}, i64 {count}, i64 0"));
        (first, count)
    }

    /// Whether two arrays share no memory: the ranges from their first to their last bytes do not meet.
    pub fn disjoint(&mut self, left: Var, right: Var) -> String {
        let (left_low, left_high, left_none) = self.extent(left);
        let (right_low, right_high, right_none) = self.extent(right);
        let before = self.value(&format!("icmp ule i64 {left_high}, {right_low}"));
        let behind = self.value(&format!("icmp ule i64 {right_high}, {left_low}"));
        let apart = self.value(&format!("or i1 {before}, {behind}"));
        let empty = self.value(&format!("or i1 {left_none}, {right_none}"));
        self.value(&format!("or i1 {apart}, {empty}"))
    }

    /// First byte, byte behind the last one, and whether there is none.
    pub fn extent(&mut self, var: Var) -> (String, String, String) {
        let array = self.array_type(var);
        let place = self.array_place(var);
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        let mut low = self.value(&format!("ptrtoint ptr {data} to i64"));
        let mut high = self.value(&format!("add i64 {low}, {}", array.element.size()));
        let mut none = "false".to_string();
        for axis in 0..usize::from(array.rank) {
            let length = self.length(var, axis);
            let empty = self.value(&format!("icmp eq i64 {length}, 0"));
            none = self.value(&format!("or i1 {none}, {empty}"));
            let stride = self.stride(&place, axis);
            let last = self.value(&format!("sub i64 {length}, 1"));
            let far = self.value(&format!("mul i64 {last}, {stride}"));
            let down = self.intrinsic("smin", Kind::I64, &[&far, "0"]);
            let up = self.intrinsic("smax", Kind::I64, &[&far, "0"]);
            low = self.value(&format!("add i64 {low}, {down}"));
            high = self.value(&format!("add i64 {high}, {up}"));
        }
        (low, high, none)
    }
}

/// LLVM's type for stepping over elements.
fn element_type(kind: Kind) -> String {
    if kind.is_complex() { format!("[2 x {}]", memory(kind)) } else { memory(kind).into() }
}
