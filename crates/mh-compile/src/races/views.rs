//! Views: subscripts of a slice as subscripts of the array behind it.

use super::accesses::unknown;
use super::affine::{Fact, Poly};
use super::interpret::Interpreter;
use super::state::{Alternatives, ArrayValue, Key, Length, RootId, Source, State};
use crate::ir::{Expr, Part, Var};

/// What becomes of an axis of the array that is viewed.
enum Fate {
    Fixed(Alternatives),
    /// An axis of the view, and where it starts and how it steps.
    Axis(usize, Option<(Poly, Poly)>),
}

/// One slice: start and step where known, and the length.
struct Slice {
    map: Option<(Poly, Poly)>,
    length: Length,
}

impl Interpreter<'_> {
    /// An array as it is.
    pub fn whole(&mut self, var: Var, root: RootId, rank: usize) -> ArrayValue {
        let scope = self.depth;
        let lengths = (0..rank)
            .map(|axis| {
                let length = self.atoms.computed(Key::Dim(root, axis), scope, |atom| {
                    vec![Some(Fact::AtLeastZero(atom.clone()))]
                });
                if let (Some(atom), Some(name)) =
                    (length.as_atom(), self.function.variables[var.0 as usize].name.as_ref())
                {
                    self.atoms.get_mut(atom).name = Some(format!("{name}.shape[{axis}]"));
                }
                Length::plain(length)
            })
            .collect();
        let sources = (0..rank)
            .map(|axis| Source::Axis { axis, map: Some((Poly::default(), Poly::constant(1))) })
            .collect();
        ArrayValue { root, sources, lengths, chain: vec![var] }
    }

    pub fn view(&mut self, var: Var, array: Var, parts: &[Part], state: &State) -> Option<ArrayValue> {
        let base = state.arrays.get(&array)?.clone();
        if matches!(parts.first(), Some(Part::Length(_))) {
            return Some(self.reshaped(var, base, parts, state));
        }
        let mut fates: Vec<Option<Fate>> = base.lengths.iter().map(|_| None).collect();
        let mut lengths = Vec::new();
        let whole = |length: usize| Fate::Axis(length, Some((Poly::default(), Poly::constant(1))));
        let (mut axis, mut half) = (0, None);
        for part in parts {
            match part {
                Part::NewAxis => lengths.push(Length::plain(Poly::constant(1))),
                Part::Real => half = Some(0),
                Part::Imag => half = Some(1),
                Part::Diagonal => {
                    // Behind the others, at one index of both.
                    lengths.extend(base.lengths.get(2..)?.iter().cloned());
                    for (number, fate) in fates.iter_mut().enumerate() {
                        *fate = Some(whole(if number < 2 { lengths.len() } else { number - 2 }));
                    }
                    lengths.push(self.some_length());
                    axis = fates.len();
                }
                // `reshaped` has taken care.
                Part::Length(_) => {}
                Part::Axis(number) => {
                    let number = usize::from(*number);
                    *fates.get_mut(number)? = Some(whole(lengths.len()));
                    lengths.push(base.lengths[number].clone());
                    axis = fates.len();
                }
                Part::Index(index) => {
                    let index = self.value(index, state);
                    let extent = base.lengths.get(axis)?.extent.clone();
                    let one = Poly::constant(1);
                    let place = self.element_at(&index, &extent, &Poly::default(), &one, state);
                    fates[axis] = Some(Fate::Fixed(place));
                    axis += 1;
                }
                Part::Slice { start, stop, step } => {
                    let length = base.lengths.get(axis)?.clone();
                    let slice = self.slice(&length, [start, stop, step].map(Option::as_ref), state);
                    fates[axis] = Some(Fate::Axis(lengths.len(), slice.map));
                    lengths.push(slice.length);
                    axis += 1;
                }
            }
        }
        for (fate, length) in fates.iter_mut().zip(&base.lengths).skip(axis) {
            *fate = Some(whole(lengths.len()));
            lengths.push(length.clone());
        }
        let mut sources: Vec<Source> = base.sources.iter().map(|source| compose(source, &fates)).collect();
        // The parts of an element lie along an axis of their own behind the others; what is said of elements leaves it out.
        sources.extend(half.map(|half| Source::Fixed(vec![(Vec::new(), Some(Poly::constant(half)))])));
        let mut chain = vec![var];
        chain.extend(base.chain);
        Some(ArrayValue { root: base.root, sources, lengths, chain })
    }

    /// Under other lengths. Outside of parallel loops, and of what each iteration makes: as an array by itself, which may share memory with
    /// the other ones of its origin. Else where in the array behind it an element lies is known as far as the view has it fixed.
    fn reshaped(&mut self, var: Var, base: ArrayValue, parts: &[Part], state: &State) -> ArrayValue {
        let lengths: Vec<Length> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Length(length) => Some(Length::plain(self.value(length, state))),
                _ => None,
            })
            .collect();
        let root = self.roots[base.root.0 as usize].scope;
        let inside = self.recorders.first().is_some_and(|outermost| root < outermost.depth);
        if !inside {
            let mut array = self.root(var, self.sites_of(var));
            array.lengths = lengths;
            return array;
        }
        let sources = base
            .sources
            .iter()
            .map(|source| match source {
                Source::Fixed(_) => source.clone(),
                Source::Axis { .. } => Source::Fixed(unknown()),
            })
            .collect();
        let mut chain = vec![var];
        chain.extend(base.chain);
        ArrayValue { root: base.root, sources, lengths, chain }
    }

    fn slice(&mut self, length: &Length, [start, stop, step]: [Option<&Expr>; 3], state: &State) -> Slice {
        let step = step.map_or(Some(1), |step| self.value(step, state).as_constant());
        let one = Poly::constant(1);
        if (start, stop, step) == (None, None, Some(1)) {
            return Slice { map: Some((Poly::default(), one)), length: length.clone() };
        }
        if (start, stop, step) == (None, None, Some(-1)) {
            let last = length.extent.subtract(&one);
            return Slice { map: last.map(|last| (last, Poly::constant(-1))), length: length.clone() };
        }
        let Some(step) = step.filter(|step| *step > 0) else {
            return Slice { map: None, length: self.some_length() };
        };
        let from = start.map_or(Some(Poly::default()), |start| self.bound(start, length, state));
        let to = stop.map_or(Some(length.extent.clone()), |stop| self.bound(stop, length, state));
        let Some(from) = from else { return Slice { map: None, length: self.some_length() } };
        let span = to.and_then(|to| {
            let scope = self.atoms.scope(&to).max(self.atoms.scope(&length.extent));
            let at_most = |left: &Poly, right: &Poly| {
                Fact::at_most(left, right).is_some_and(|fact| self.implied(state, &fact))
            };
            let to = if stop.is_none() || at_most(&to, &length.extent) {
                to
            } else if at_most(&length.extent, &to) {
                length.extent.clone()
            } else {
                self.atoms.computed(Key::Min(to.clone(), length.extent.clone()), scope, |atom| {
                    vec![Fact::at_most(atom, &to), Fact::at_most(atom, &length.extent)]
                })
            };
            to.subtract(&from)
        });
        let value = self.some_length();
        let extent = match span {
            None => value.value.clone(),
            Some(span) if step == 1 => span,
            Some(span) => {
                // step * (extent - 1) < span
                let atom = self.atoms.fresh(self.depth, None);
                let count = Poly::atom(atom);
                let reach = count.subtract(&one).and_then(|before| before.scale(step));
                self.atoms.get_mut(atom).facts.extend(reach.and_then(|reach| Fact::less(&reach, &span)));
                count
            }
        };
        let known = step == 1 && self.implied(state, &Fact::AtLeastZero(extent.clone()));
        let value = if known { extent.clone() } else { value.value };
        Slice { map: Some((from, Poly::constant(step))), length: Length { value, extent } }
    }

    /// A slice's bound as a subscript, unclipped above; `None` where its sign is not known.
    fn bound(&mut self, bound: &Expr, length: &Length, state: &State) -> Option<Poly> {
        let value = self.value(bound, state);
        if self.implied(state, &Fact::AtLeastZero(value.clone())) {
            return Some(value);
        }
        value.as_constant()?;
        let from_end = value.add(&length.extent)?;
        if self.implied(state, &Fact::AtLeastZero(from_end.clone())) {
            return Some(from_end);
        }
        let scope = self.atoms.scope(&from_end);
        let zero = Poly::default();
        Some(self.atoms.computed(Key::Max(zero, from_end.clone()), scope, |atom| {
            vec![Some(Fact::AtLeastZero(atom.clone())), Fact::at_most(&from_end, atom)]
        }))
    }

    fn some_length(&mut self) -> Length {
        let atom = self.atoms.fresh(self.depth, None);
        self.atoms.get_mut(atom).facts.push(Fact::AtLeastZero(Poly::atom(atom)));
        Length::plain(Poly::atom(atom))
    }
}

fn compose(source: &Source, fates: &[Option<Fate>]) -> Source {
    let Source::Axis { axis, map } = source else { return source.clone() };
    match (&fates[*axis], map) {
        (Some(Fate::Fixed(alternatives)), Some((start, step))) => {
            let moved = alternatives.iter().map(|(facts, place)| {
                let place = place
                    .as_ref()
                    .and_then(|place| step.multiply(place))
                    .and_then(|offset| start.add(&offset));
                (facts.clone(), place)
            });
            Source::Fixed(moved.collect())
        }
        (Some(Fate::Fixed(_)), None) | (None, _) => Source::Fixed(unknown()),
        (Some(Fate::Axis(to, inner)), outer) => {
            let map = inner.as_ref().zip(outer.as_ref()).and_then(|((first, by), (start, step))| {
                Some((start.add(&step.multiply(first)?)?, step.multiply(by)?))
            });
            Source::Axis { axis: *to, map }
        }
    }
}
